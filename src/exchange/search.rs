//! What is looked for in a record (ITI-67), before any connector puts it into its own words. Pure.
//!
//! An empty list asks for everything. What no server can be asked for (an unknown label, an unknown status) is left out of the
//! question, never of the answer: policy denies it when it comes.

use crate::record::document::ClassCode;
use crate::record::document::Label;
use crate::record::document::Status;
use crate::record::document::TypeCode;
use crate::time::UnixSeconds;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    pub statuses: Vec<Status>,
    pub types: Vec<TypeCode>,
    pub categories: Vec<ClassCode>,
    /// By the metadata's own date.
    pub date: Between,
    /// By the time of care. An open period matches every `from`.
    pub period: Between,
    pub labels: Vec<Label>,
    /// By the server's last change of the metadata.
    pub changed_since: Option<UnixSeconds>,
    /// Versions of the metadata, by their own ids.
    pub entries: Vec<String>,
}

/// Both ends belong to it; an absent one is open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Between {
    pub from: Option<UnixSeconds>,
    pub until: Option<UnixSeconds>,
}

impl Between {
    pub fn since(at: UnixSeconds) -> Between {
        Between { from: Some(at), until: None }
    }
}

impl Search {
    /// What a list shows: what stands, archived or not.
    pub fn standing_since(at: UnixSeconds) -> Search {
        Search { statuses: vec![Status::Current], date: Between::since(at), ..Search::default() }
    }

    /// What became of it meanwhile: replaced and withdrawn versions too.
    pub fn changed_since(at: UnixSeconds, not_before: UnixSeconds) -> Search {
        Search { changed_since: Some(at), date: Between::since(not_before), ..Search::default() }
    }

    /// Some versions, by their ids.
    pub fn of_entries(entries: &[String]) -> Search {
        Search { entries: entries.to_vec(), ..Search::default() }
    }
}
