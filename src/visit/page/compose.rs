//! Who is in the round: chosen from whom is known here, before anything is fetched.

use crate::patient::ins::Patient;
use crate::time::UnixSeconds;
use crate::trouble::Trouble;
use crate::visit::event::Ticket;
use crate::visit::page::Here;
use std::time::Duration;

pub struct Compose {
    pub here: Here,
    /// Those of the agenda by their hour, then the round as it stands, then the others, the last seen first.
    pub candidates: Vec<Candidate>,
    pub told: Told,
    /// The page on which an INS is typed is open.
    pub typing: bool,
    /// Why what was just scanned or typed is not there.
    pub notice: Option<Trouble>,
    /// What is still on its way; what does not come leaves the page as it is.
    pub recall: Option<(Ticket, Duration)>,
    pub list: Option<(Ticket, Duration)>,
    /// The choice is being kept.
    pub keeping: Option<(Ticket, Duration)>,
}

/// One patient, and why they are proposed.
#[derive(Clone)]
pub struct Candidate {
    pub patient: Patient,
    pub chosen: bool,
    /// The reception desk read their INS.
    pub prepared: bool,
    /// When this holder last opened their record.
    pub seen: Option<UnixSeconds>,
    /// The upstream says that this holder may; until when, where it says so.
    pub authorized: Option<Option<UnixSeconds>>,
    /// The hour in the practice's agenda.
    pub at: Option<UnixSeconds>,
}

/// What the sources said beside names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// Appointments of the day that name nobody who is known here.
    pub agenda_unknown: u32,
    pub agenda_trouble: Option<Trouble>,
    /// Patients who gave this holder access and are not known here: their names are not the upstream's to tell.
    pub authorized_unknown: u32,
    pub authorized_trouble: Option<Trouble>,
}

impl Compose {
    /// When the first of what is awaited is given up.
    pub(in crate::visit) fn wait(&self) -> Option<Duration> {
        [self.recall, self.list, self.keeping].into_iter().flatten().map(|(_, until)| until).min()
    }

    pub fn chosen(&self) -> usize {
        self.candidates.iter().filter(|one| one.chosen).count()
    }
}
