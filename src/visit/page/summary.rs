//! The summary of a record: how it is gathered, and what it holds.

use crate::journal::Committed;
use crate::journal::words::Source as From;
use crate::record::summary::Line;
use crate::trouble::Trouble;
use crate::visit::event::Ticket;
use std::time::Duration;

/// Documents on their way into the summary.
pub struct Gathering {
    pub sources: Vec<Source>,
    pub step: GatheringStep,
    pub ticket: Ticket,
    pub until: Duration,
}

pub enum GatheringStep {
    /// The source of that place.
    Fetching(usize),
    /// One row for each that is here.
    Recording,
    /// The source of that place; the rows of all.
    Reading { at: usize, rows: Vec<Committed>, lines: Vec<SummaryLine> },
}

/// One document that the summary is drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// In the record's documents.
    pub place: usize,
    pub stands: Stands,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    Waiting,
    Here(From),
    Read,
    /// Read, and nothing of it recognised: it says nothing about what it does not say.
    Unrecognised,
    Failed(Trouble),
}

/// Lines in the order of their topics, each with the place of its document.
pub struct Summary {
    pub lines: Vec<SummaryLine>,
    pub sources: Vec<Source>,
    /// A medical synthesis that may be seen is in the record.
    pub has_synthesis: bool,
}

pub struct SummaryLine {
    pub place: usize,
    /// It only names a document of the list, which nobody read for it.
    pub is_named_only: bool,
    pub line: Line,
}

impl Summary {
    /// Of each line, then of each source.
    pub fn places(&self) -> Vec<usize> {
        let lines = self.lines.iter().map(|line| line.place);
        lines.chain(self.sources.iter().map(|source| source.place)).collect()
    }
}
