//! The desk of a CPE or CPA: no record, no title. Whose identity was read is held until the page goes.

use crate::identity::holder::Holder;
use crate::patient::ins::Patient;
use crate::trouble::Trouble;
use crate::visit::event::Insertion;
use crate::visit::event::Ticket;
use std::time::Duration;

pub struct Reception {
    pub insertion: Insertion,
    pub holder: Holder,
    /// Without a touch for so long, the visit ends.
    pub until: Duration,
    /// Read at this stay and handed on, in order.
    pub prepared: Vec<Patient>,
    pub room: Room,
    pub notice: Option<Trouble>,
}

pub enum Room {
    Front,
    /// The page on which an INS is typed.
    Typing,
    /// What was read, to be compared with a paper.
    Identity(Patient),
    /// It is being handed on.
    Preparing {
        patient: Patient,
        ticket: Ticket,
        until: Duration,
    },
    /// What patients may ask for, to be read out or shown.
    Leaflet,
}

impl Reception {
    pub(in crate::visit) fn new(insertion: Insertion, holder: Holder, until: Duration) -> Reception {
        Reception { insertion, holder, until, prepared: Vec::new(), room: Room::Front, notice: None }
    }

    pub(in crate::visit) fn wait(&self) -> Option<Duration> {
        match &self.room {
            Room::Preparing { until, .. } => Some(*until),
            _ => None,
        }
    }
}
