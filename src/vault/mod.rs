//! The vault: SQLite at rest. `journal.db` under the device key, one compartment per holder under *that* card.
//!
//! Every personal column and every document is sealed by the application (DESIGN §5). The only room that calls
//! `journal::Pending::committed`, and only after the commit.
