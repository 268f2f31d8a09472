//! May they? One pure function over values: [`decide`]. Forbid beats permit, unknown means no, and every decision
//! says which rule, which law, which facts, in one French sentence (P5, P6).
//!
//! - `facts` all that a decision may look at
//! - `decision` what it answers
//! - `matrix` the habilitation matrix: signed, versioned data, three values
//! - `nomenclature` what codes are called, and which column a profession has
//! - `in_force` which of them, and which matrix: the shipped one, or a newer one given to this device
//! - `signed` whose data is believed; `table` small tables as text
//! - `rules` the ordered rules, each with its article: start there for what a denial's obligations mean
//! - `looked` the facts by the names under which a decision lists them
//! - `establishment` what an establishment signs for itself: its care `team`, and its `framework`
//! - `framework` an establishment's signed framework for brain death, without which that case is forbidden
//! - `emergency` the closed list of reasons for a bris de glace

pub mod decision;
pub mod emergency;
pub mod establishment;
pub mod facts;
pub mod framework;
pub mod in_force;
pub mod looked;
pub mod matrix;
pub mod nomenclature;
pub mod rules;
pub mod signed;
pub mod table;
pub mod team;

pub use decision::Decision;
pub use facts::Facts;
pub use matrix::Matrix;
pub use rules::decide;
pub use rules::ground_that_stands;
pub use rules::what_can_be_done;
