//! The patient, as identified here: the INS and its five traits, the datamatrix, the care round. Pure.
//!
//! A scan identifies, it does not prove (facts/dmp §5).

pub mod datamatrix;
pub mod ins;
