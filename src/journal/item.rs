//! What waits to be delivered, and whose credential it needs.

use crate::identity::holder::HolderId;
use crate::journal::consent::Consent;
use crate::patient::ins::Ins;
use crate::record::document::Label;
use crate::record::document::TypeCode;
use crate::record::document::UniqueId;
use crate::record::note::Change;
use crate::record::note::Note;
use crate::record::note::cda;
use uuid::Uuid;

/// One thing in the outbox. Its id makes delivery idempotent; its author never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub id: Uuid,
    pub needs: Needs,
    pub body: Body,
}

/// Under which credential the upstream takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Needs {
    /// Mutual TLS with the device's certificate.
    Device,
    /// That holder's token: it waits for their next visit.
    Holder(HolderId),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// The journal row at this index, as an AuditEvent. Always [`Needs::Device`].
    Trace { index: u64 },
    /// Always [`Needs::Holder`].
    Consent(Box<Consent>),
    /// A finished note, or what its author does with it later. Always [`Needs::Holder`].
    Contribution(Box<Contribution>),
}

/// What an author does to a record: adds a document, or changes one of theirs that is there.
#[derive(Clone, PartialEq, Eq)]
pub struct Contribution {
    /// Under whose credential it goes, and nobody else's.
    pub author: HolderId,
    pub patient: Ins,
    /// Of the document that it is about.
    pub unique_id: UniqueId,
    pub type_code: TypeCode,
    pub deed: Deed,
}

#[derive(Clone, PartialEq, Eq)]
pub enum Deed {
    /// The note, and the CDA R2 that it became when it was finished: what is sent is what was signed for then.
    Add { note: Box<Note>, cda: Vec<u8> },
    /// DMP TD3.3, with the labels that the document has after it.
    Change { change: Change, labels: Vec<Label> },
}

/// Where an item stands. "Set aside" is visible, explained, and blocks nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    Waiting,
    Sent,
    Acknowledged,
    SetAside { code: String, reason: String },
}

impl Contribution {
    /// A finished note.
    pub fn add(note: Note) -> Contribution {
        let cda = cda::write(&note);
        Contribution {
            author: note.writer.id.clone(),
            patient: note.patient.ins.clone(),
            unique_id: note.unique_id(),
            type_code: note.type_code.clone(),
            deed: Deed::Add { note: Box::new(note), cda },
        }
    }
}

impl Body {
    /// Whose note it is, where it is a finished one.
    pub fn author_of_note(&self) -> Option<&HolderId> {
        match self {
            Body::Contribution(one) if matches!(one.deed, Deed::Add { .. }) => Some(&one.author),
            _ => None,
        }
    }

    /// As `chevet sync status` counts it.
    pub fn kind(&self) -> &'static str {
        match self {
            Body::Trace { .. } => "traces",
            Body::Consent(_) => "consents",
            Body::Contribution(_) => "contributions",
        }
    }
}

impl std::fmt::Debug for Contribution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Contribution([REDACTED])")
    }
}
