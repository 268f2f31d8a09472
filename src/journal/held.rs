//! The network buffer: what has arrived and may not be seen yet (P1).

use crate::journal::leaf::Committed;
use crate::patient::ins::Ins;
use crate::record::document::Document;
use crate::record::document::Outline;
use crate::record::document::UniqueId;

/// Something of a record that waits for its trace. The only way in is with the right [`Committed`].
pub struct Held<T> {
    patient: Ins,
    document: Option<UniqueId>,
    value: T,
}

impl<T> Held<T> {
    /// A list, a history or a summary of that patient's record.
    pub fn record(patient: Ins, value: T) -> Held<T> {
        Held { patient, document: None, value }
    }

    /// The content of one document.
    pub fn document(patient: Ins, document: UniqueId, value: T) -> Held<T> {
        Held { patient, document: Some(document), value }
    }

    /// Hands the value out, or keeps it when the trace is about something else.
    pub fn release(self, committed: &Committed) -> Result<T, Held<T>> {
        let covered = match &self.document {
            None => committed.covers_record(&self.patient),
            Some(document) => committed.covers_document(&self.patient, document),
        };
        if covered { Ok(self.value) } else { Err(self) }
    }

    /// To be sealed into the vault, unseen: called in `vault/` alone, `tests/house.rs` sees to it.
    pub fn for_storage(&self) -> &T {
        &self.value
    }

    pub fn patient(&self) -> &Ins {
        &self.patient
    }
}

impl Held<Vec<Document>> {
    /// What is needed to decide and to download ahead; nothing of it can be shown.
    pub fn outlines(&self) -> Vec<Outline> {
        self.value.iter().map(Outline::of).collect()
    }
}

/// Says that something waits, and nothing of what it is.
impl<T> std::fmt::Debug for Held<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Held([REDACTED])")
    }
}
