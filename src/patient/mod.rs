//! The patient, as identified here: the INS and its five traits, the datamatrix, the care round. Pure.
//!
//! A scan identifies, it does not prove.

pub mod datamatrix;
pub mod ins;
