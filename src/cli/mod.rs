//! The operator's verbs, one file each. Exit codes: 0 done, 1 said no, 2 wrong use, 3 something failed (named).

pub mod journal;

use std::process::ExitCode;

/// Reads the arguments and does what they ask.
pub fn run() -> ExitCode {
    ExitCode::from(2)
}
