//! Paper is made of what the page under it shows.

use crate::trouble::Trouble;
use crate::visit::effect::Paper;
use crate::visit::event::Printed;
use crate::visit::event::Ticket;
use crate::visit::page::Page;
use std::time::Duration;

pub struct Printing {
    /// A record, a document or the reception desk; come back to when this page goes.
    pub under: Box<Page>,
    pub step: PrintStep,
    /// When the wait ends, or how long the outcome stands where nobody is here.
    pub until: Duration,
}

pub enum PrintStep {
    /// No row, no paper.
    Recording {
        ticket: Ticket,
        paper: Box<Paper>,
    },
    Sending {
        ticket: Ticket,
    },
    Done(Printed),
    Failed {
        trouble: Trouble,
    },
}
