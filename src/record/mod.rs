//! What a document is (DocumentReference or XDS metadata), what state a record is in, what a reader shows, what a summary is drawn
//! from, how words are found again, and how a kept list follows the upstream's. Pure.

pub mod document;
pub mod filter;
pub mod note;
pub mod reading;
pub mod search;
pub mod state;
pub mod summary;
pub mod sync;
pub mod table;
