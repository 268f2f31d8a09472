//! What a record holds while its holder writes in it, or changes what they wrote before.

use crate::policy::Decision;
use crate::record::document::TypeCode;
use crate::record::note::Change;
use crate::record::note::NoteDraft;
use crate::record::note::Replaced;
use crate::trouble::Trouble;
use crate::visit::event::Ticket;
use std::time::Duration;
use uuid::Uuid;

/// A note, from the desk to the outbox.
pub struct Writing {
    pub draft: NoteDraft,
    /// The text as it was when the page opened: what is typed on it is not drawn back onto it.
    pub begun: String,
    pub step: WritingStep,
}

/// What was asked for when the page opened.
#[derive(Clone, PartialEq, Eq)]
pub enum Wanted {
    /// What was begun, or something new.
    Note,
    /// Instead of a document that is in the record.
    NewVersion { replaced: Replaced, type_code: TypeCode },
    /// Instead of a note of theirs that the upstream refused: its item.
    Correction(Uuid),
}

pub enum WritingStep {
    /// Whether something lies on the desk already.
    AskingDesk {
        ticket: Ticket,
        until: Duration,
        wanted: Wanted,
    },
    ChoosingType {
        types: Vec<TypeCode>,
    },
    /// `save_at`: something was typed that is not on the desk yet.
    Typing {
        save_at: Option<Duration>,
    },
    /// The whole text, once more, before it goes under the holder's name.
    Checking,
    Depositing {
        ticket: Ticket,
        until: Duration,
    },
    Deposited,
    Denied {
        decision: Box<Decision>,
    },
    Failed {
        trouble: Trouble,
    },
}

/// One of the holder's own documents, being changed: what is chosen has a page of its own before it is done (TD3.3).
pub struct Managing {
    /// Place in the record's documents.
    pub place: usize,
    pub step: ManagingStep,
}

pub enum ManagingStep {
    Choosing,
    Confirming { change: Change },
    Recording { ticket: Ticket, change: Change, until: Duration },
    Done { change: Change },
    Denied { decision: Box<Decision> },
    Failed { trouble: Trouble },
}
