//! The INS datamatrix, read sequentially: names can contain `S1` … `S7`, so nothing is searched for (facts/dmp §5).

use crate::patient::ins::Ins;

/// What a scan says. It identifies, it does not prove.
#[derive(Clone, PartialEq, Eq)]
pub struct Scan {
    pub ins: Ins,
    pub birth_given_names: String,
    pub birth_name: String,
}
