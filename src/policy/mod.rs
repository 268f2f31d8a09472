//! May they? One pure function over values: [`decide`]. Forbid beats permit, unknown means no, and every decision
//! says which rule, which law, which facts, in one French sentence (P5, P6).
//!
//! - `facts` all that a decision may look at
//! - `decision` what it answers
//! - `matrix` the habilitation matrix: signed, versioned data, three values
//! - `rules` the ordered rules, each with its article

pub mod decision;
pub mod facts;
pub mod matrix;
pub mod rules;

pub use decision::Decision;
pub use facts::Facts;
pub use matrix::Matrix;
pub use rules::decide;
