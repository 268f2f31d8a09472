//! What a document is (DocumentReference or XDS metadata), what state a record is in, what a reader shows, and how its words
//! are found again. Pure.

pub mod document;
pub mod note;
pub mod reading;
pub mod search;
pub mod state;
