//! The INS datamatrix, read sequentially: names can contain `S1` … `S7`, so nothing is searched for (facts/dmp §5).

use crate::patient::ins::Patient;

/// What a scan says. It identifies, it does not prove.
pub struct Scan {
    pub patient: Patient,
}

/// Why a scan is no INS datamatrix.
#[derive(Debug, thiserror::Error)]
#[error("not an INS datamatrix")]
pub struct ScanError;

/// Reads the payload a scanner gave.
pub fn parse(_payload: &str) -> Result<Scan, ScanError> {
    Err(ScanError)
}
