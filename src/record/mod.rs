//! What a document is (DocumentReference or XDS metadata), what state a record is in, what a reader shows. Pure.

pub mod document;
pub mod reading;
pub mod state;
