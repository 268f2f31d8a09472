//! Policy, proven: the reduced space of facts whole, against a table written from the law; every cell of the matrix,
//! against what was published; bad data.
//!
//! `audit` lists each duty, the rules that hold it and the file here that proves it.
//!
//! A binary of its own, with neither the sandbox nor the screen: `scripts/mutants` links it once a mutant.

mod audit;
mod cases;
mod cells;
mod deposit;
mod documents;
mod exhaustive;
mod in_force;
mod lists;
mod malformed;
mod oracle;
mod properties;
mod secret;
mod words;
