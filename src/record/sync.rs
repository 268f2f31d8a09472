//! ANS's synchronisation (PDSm in the DMP, v0.3): what a list that was kept becomes by what the upstream has said since. Pure.
//!
//! Three identifiers, each in its role. The *unique id* is the document itself, for ever: it is listed once. The *entry id*
//! names one version of its metadata: a replacement names the entry that it replaces. The *logical id* stays across versions of the
//! metadata: with it, a masking or an archiving is known to be about what is kept here.
//!
//! It never keeps what the upstream does not let this holder see any more: a document that does not stand there is gone here, and
//! the content of one whose labels or status changed is dropped, to be fetched again if it may be. When in doubt, both labels hold.

use crate::record::document::Document;
use crate::record::document::Label;
use crate::record::document::Status;
use crate::record::document::UniqueId;
use crate::time::UnixSeconds;
use std::collections::HashSet;

/// Where a kept list stands: what the next question builds on.
#[derive(Clone, PartialEq, Eq)]
pub struct Kept {
    /// When the last synchronisation that succeeded was begun.
    pub last: UnixSeconds,
    /// The versions of metadata that are here.
    pub entries: Vec<String>,
}

/// What the upstream answered since.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// New or changed metadata, whatever their status.
    pub documents: Vec<Document>,
    /// All that this holder may see now.
    pub standing: Vec<Standing>,
    /// Entries that a newer document says it replaces.
    pub replaced: Vec<String>,
}

/// One version that stands upstream, as much as is needed to know it again.
#[derive(Clone, PartialEq, Eq)]
pub struct Standing {
    pub entry_uuid: String,
    pub unique_id: Option<UniqueId>,
    pub labels: Vec<Label>,
}

/// What the list has become.
pub struct Merged {
    pub documents: Vec<Document>,
    /// No longer to be seen here: content, text and title go.
    pub gone: HashSet<UniqueId>,
    /// Still listed, under other labels or another status: their content goes.
    pub stale: HashSet<UniqueId>,
}

/// ANS: `GetDocumentsAndAssociations` by batches of this many.
pub const BATCH: usize = 20;

/// Two clocks differ, and a search sees what was written while it ran: what is asked twice is merged once.
pub const OVERLAP_S: i64 = 600;

/// Which versions stand upstream and are neither kept nor among what changed: their metadata must be asked for.
pub fn missing(standing: &[Standing], known: &[String], changed: &[Document]) -> Vec<String> {
    let here: HashSet<&str> =
        known.iter().map(String::as_str).chain(changed.iter().map(|document| document.entry_uuid.as_str())).collect();
    let mut missing: Vec<String> = Vec::new();
    for entry in standing.iter().map(|standing| &standing.entry_uuid).filter(|entry| !here.contains(entry.as_str())) {
        if !missing.contains(entry) {
            missing.push(entry.clone());
        }
    }
    missing
}

/// The list that was kept, brought to what the upstream says.
pub fn merge(known: Vec<Document>, changes: Changes) -> Merged {
    let before = known.clone();
    let Changes { documents: changed, standing, replaced } = changes;
    let mut listed = known;
    for change in changed {
        let about = |document: &Document| is_same(document, &change);
        let place = listed.iter().position(about);
        // Several rows of one document are one from now on.
        let mut seen = false;
        listed.retain(|document| !about(document) || !std::mem::replace(&mut seen, true));
        match (place, is_listed(change.status)) {
            (Some(place), true) => listed[place] = change,
            (None, true) => listed.push(change),
            (_, false) => listed.retain(|document| !is_same(document, &change)),
        }
    }
    listed.retain(|document| !replaced.contains(&document.entry_uuid));
    listed.retain_mut(|document| stands(document, &standing));
    let ids = |documents: &[Document]| documents.iter().map(|one| one.unique_id.clone()).collect::<HashSet<_>>();
    let now = ids(&listed);
    let gone = ids(&before).difference(&now).cloned().collect();
    let otherwise = |old: &&Document| {
        listed
            .iter()
            .any(|new| new.unique_id == old.unique_id && (new.status, &new.labels) != (old.status, &old.labels))
    };
    let stale = before.iter().filter(otherwise).map(|old| old.unique_id.clone()).collect();
    Merged { documents: listed, gone, stale }
}

/// One document, by whichever of its three names both have.
fn is_same(one: &Document, other: &Document) -> bool {
    let logical = one.logical_id.is_some() && one.logical_id == other.logical_id;
    one.unique_id == other.unique_id || one.entry_uuid == other.entry_uuid || logical
}

/// What a list shows (EX_3.1-1080). What is not understood stays in it, to be denied and counted.
fn is_listed(status: Status) -> bool {
    match status {
        Status::Current | Status::Archived | Status::Unknown => true,
        Status::Superseded | Status::Deleted => false,
    }
}

/// Whether the upstream still lets it be seen. Labels that only one of both knows hold too.
fn stands(document: &mut Document, standing: &[Standing]) -> bool {
    let about = |standing: &&Standing| {
        standing.entry_uuid == document.entry_uuid || standing.unique_id.as_ref() == Some(&document.unique_id)
    };
    let found: Vec<&Standing> = standing.iter().filter(about).collect();
    let more: Vec<Label> = found.iter().flat_map(|standing| standing.labels.iter().cloned()).collect();
    document.labels.extend(more);
    document.labels.sort();
    document.labels.dedup();
    !found.is_empty()
}

impl std::fmt::Debug for Changes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Changes([REDACTED])")
    }
}

impl std::fmt::Debug for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Standing([REDACTED])")
    }
}

#[cfg(test)]
mod tests;
