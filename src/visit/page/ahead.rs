//! The round, while it is prepared: what may be fetched of whom, how much that is, and how far it has come.
//!
//! Nothing of a record is here that could be shown: documents are outlines, without title, author or date.

use crate::patient::ins::Patient;
use crate::policy::Decision;
use crate::record::document::Outline;
use crate::trouble::Trouble;
use crate::visit::event::StateAnswer;
use crate::visit::event::Ticket;
use crate::visit::page::Here;
use std::time::Duration;

pub struct Ahead {
    pub here: Here,
    /// In the round's order.
    pub patients: Vec<Prepared>,
    pub step: AheadStep,
    /// « Arrêter » was touched while something was being written: it is finished first.
    pub stopping: bool,
}

/// One patient of the round.
pub struct Prepared {
    pub patient: Patient,
    /// What the upstream said of the record, once it did.
    pub answer: Option<StateAnswer>,
    pub stands: Stands,
}

pub enum Stands {
    /// Not known yet.
    Asked,
    /// Policy says no to fetching ahead; at the bedside it may say otherwise.
    Denied(Box<Decision>),
    Failed(Trouble),
    /// Permitted and not here yet; and how many are.
    ToFetch {
        documents: Vec<Outline>,
        here: u32,
    },
    /// All that may be here is here.
    Ready {
        here: u32,
    },
    /// Some could not be had.
    Incomplete {
        here: u32,
        lacking: u32,
    },
}

pub enum AheadStep {
    AskingStates {
        ticket: Ticket,
        until: Duration,
    },
    Surveying {
        ticket: Ticket,
        /// Places in `patients`, in the order asked.
        asked: Vec<usize>,
        until: Duration,
    },
    /// Sizes and time are shown; nothing is fetched yet.
    Proposed,
    Fetching {
        ticket: Ticket,
        place: usize,
        until: Duration,
    },
    /// No row, no copy.
    Recording {
        ticket: Ticket,
        place: usize,
        lacking: u32,
        trouble: Option<Trouble>,
        until: Duration,
    },
    Keeping {
        ticket: Ticket,
        place: usize,
        lacking: u32,
        trouble: Option<Trouble>,
        until: Duration,
    },
    /// Done, stopped, or cut short by this.
    Over {
        trouble: Option<Trouble>,
    },
}

impl Ahead {
    /// Patients of whom all is here.
    pub fn ready(&self) -> usize {
        self.patients.iter().filter(|one| matches!(one.stands, Stands::Ready { .. })).count()
    }

    /// Documents and bytes that are still to be fetched.
    pub fn left(&self) -> (usize, u64) {
        let of = |one: &Prepared| match &one.stands {
            Stands::ToFetch { documents, .. } => (documents.len(), documents.iter().map(Outline::size_bytes).sum()),
            _ => (0, 0),
        };
        self.patients.iter().map(of).fold((0, 0), |(count, bytes): (usize, u64), (more, size): (usize, u64)| {
            (count + more, bytes.saturating_add(size))
        })
    }

    /// Whether it goes on by itself: then nobody needs to stand before it.
    pub fn is_fetching(&self) -> bool {
        matches!(self.step, AheadStep::Fetching { .. } | AheadStep::Recording { .. } | AheadStep::Keeping { .. })
    }
}

impl AheadStep {
    pub(in crate::visit) fn wait(&self) -> Option<Duration> {
        match self {
            AheadStep::AskingStates { until, .. }
            | AheadStep::Surveying { until, .. }
            | AheadStep::Fetching { until, .. }
            | AheadStep::Recording { until, .. }
            | AheadStep::Keeping { until, .. } => Some(*until),
            AheadStep::Proposed | AheadStep::Over { .. } => None,
        }
    }
}
