//! The patient, as identified here: the INS and its five traits, the datamatrix, and who an agenda names. Pure.
//!
//! A scan identifies, it does not prove.

pub mod agenda;
pub mod datamatrix;
pub mod ins;
