//! One life: a visit, and a world of dice around it that remembers the truth.

mod ahead;
mod check;
pub mod clock;
mod compose;
mod fingers;
mod people;
mod phones;
mod world;

pub use check::Lived;
pub use world::Fault;
pub use world::Life;
