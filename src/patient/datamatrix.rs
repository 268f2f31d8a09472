//! The INS datamatrix, read sequentially: names can contain `S1` … `S7`, so nothing is searched for (facts/dmp §5).

use crate::patient::ins::BirthDate;
use crate::patient::ins::Ins;
use crate::patient::ins::Sex;

/// What a scan says. It identifies, it does not prove.
#[derive(Clone, PartialEq, Eq)]
pub struct Scan {
    pub ins: Ins,
    pub birth_given_names: String,
    pub birth_name: String,
    pub sex: Sex,
    pub birth_date: BirthDate,
    /// INSEE code, five characters.
    pub birth_place: Option<String>,
    /// What looked odd without making the scan useless: told, never blocking.
    pub warnings: Vec<Warning>,
}

/// What looked odd in a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Warning {
    /// The matricule's key does not match: warn, do not block (facts/dmp §5).
    Key,
    /// The birth date is partial or not of the calendar.
    BirthDate,
    /// The birthplace is not an INSEE code.
    BirthPlace,
    /// A test OID: an invented person.
    TestIns,
}

/// Why a scan is not an INS datamatrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    #[error("not an INS datamatrix: it does not begin with IS and a version")]
    NotIns,
    #[error("version of the datamatrix not known")]
    Version,
    #[error("a field of the datamatrix is cut short or malformed")]
    Field,
    #[error("a field of the datamatrix comes twice")]
    Twice,
    #[error("a field of the datamatrix is missing")]
    Missing,
    #[error("the datamatrix names no known kind of INS")]
    Kind,
}

impl Scan {
    /// Reads what a scanner typed or sent, with GS (0x1D) or its literal `<GS>`.
    pub fn parse(payload: &str) -> Result<Scan, ScanError> {
        let _ = payload;
        Err(ScanError::NotIns)
    }
}

impl std::fmt::Debug for Scan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scan([REDACTED])")
    }
}
