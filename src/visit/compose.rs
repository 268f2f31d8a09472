//! The round, made: who is in it. From the round as it stands, the patients seen lately, the practice's agenda, the upstream's
//! list of authorizations (TD0.4), a scan, a typed INS. Nothing of a record is asked for or shown.
//!
//! ```text
//! home ─ ComposeRound → Compose: Recall (here) and AskAuthorized (upstream) ─ Confirm → KeepRound → home
//!                          └ Back: the round stays as it was
//! ```
//!
//! Names are those known here. Whoever the upstream or the agenda names by number alone is counted, never guessed.

use crate::identity::holder::Means;
use crate::patient::agenda::Agenda;
use crate::patient::agenda::Who;
use crate::patient::ins::Ins;
use crate::patient::ins::Patient;
use crate::time::Now;
use crate::time::UnixSeconds;
use crate::trouble::Trouble;
use crate::visit::effect::Effect;
use crate::visit::event::Event;
use crate::visit::event::LinkState;
use crate::visit::event::Recalled;
use crate::visit::event::RoundEntry;
use crate::visit::event::Touch;
use crate::visit::identify;
use crate::visit::page::Home;
use crate::visit::page::Page;
use crate::visit::page::Visit;
use crate::visit::page::compose::Candidate;
use crate::visit::page::compose::Compose;
use crate::visit::page::compose::Told;
use crate::visit::step::WAIT_MAX;
use std::time::Duration;

type Turn = (Visit, Vec<Effect>);

/// Whether a round can be made: it is kept in a card's compartment.
pub fn may_compose(home: &Home) -> bool {
    home.here.holder.means == Means::Card
}

impl Visit {
    pub(super) fn compose_round(mut self, home: Home, now: Now) -> Turn {
        if !may_compose(&home) {
            return self.turn(Page::Home(Box::new(home)), vec![]);
        }
        let until = now.since_boot + WAIT_MAX;
        let recall = self.ticket();
        let mut effects = vec![Effect::Recall { ticket: recall }];
        let mut told = Told::default();
        let list = if self.standing.link == LinkState::Offline {
            told.authorized_trouble = Some(Trouble::Offline);
            None
        } else {
            let ticket = self.ticket();
            effects.push(Effect::AskAuthorized { ticket });
            Some((ticket, until))
        };
        let candidates = home.here.round.iter().map(in_round).collect();
        let (typing, notice, keeping) = (false, None, None);
        let recall = Some((recall, until));
        let compose = Compose { here: home.here, candidates, told, typing, notice, recall, list, keeping };
        self.compose(compose, effects)
    }

    fn compose(self, compose: Compose, effects: Vec<Effect>) -> Turn {
        self.turn(Page::Compose(Box::new(compose)), effects)
    }

    /// What did not come in time is not waited for; a round that could not be kept is said so.
    pub(super) fn compose_tick(mut self, now: Now) -> Turn {
        let Page::Compose(compose) = &mut self.page else { return (self, vec![]) };
        let late = |wait: &Option<(_, Duration)>| wait.is_some_and(|(_, until)| now.since_boot >= until);
        if late(&compose.recall) {
            compose.recall = None;
            compose.notice = Some(Trouble::Internal);
        }
        if late(&compose.list) {
            compose.list = None;
            compose.told.authorized_trouble = Some(Trouble::ServerTimedOut);
        }
        if late(&compose.keeping) {
            compose.keeping = None;
            compose.notice = Some(Trouble::Internal);
        }
        (self, vec![])
    }

    pub(super) fn at_compose(self, mut compose: Compose, event: Event, now: Now) -> Turn {
        let is = |wait: &Option<(_, Duration)>, asked| wait.is_some_and(|(ticket, _)| ticket == asked);
        match event {
            Event::Touched(touch) => return self.touched_compose(compose, touch, now),
            Event::Recalled { ticket, answer } if is(&compose.recall, ticket) => {
                compose.recall = None;
                match answer {
                    Ok(recalled) => compose.recalled(recalled),
                    Err(trouble) => compose.notice = Some(trouble),
                }
            }
            Event::AuthorizedCame { ticket, answer } if is(&compose.list, ticket) => {
                // Who is known here comes first; `Recall` was asked first, and what it does not tell is not waited for.
                compose.list = None;
                match answer {
                    Ok(list) => compose.authorized(&list),
                    Err(trouble) => compose.told.authorized_trouble = Some(trouble),
                }
            }
            Event::RoundKept { ticket, answer } if is(&compose.keeping, ticket) => match answer {
                Ok(()) => return self.home(compose.here, None, vec![]),
                Err(trouble) => (compose.keeping, compose.notice) = (None, Some(trouble)),
            },
            _ => {}
        }
        self.compose(compose, vec![])
    }

    fn touched_compose(mut self, mut compose: Compose, touch: Touch, now: Now) -> Turn {
        if compose.keeping.is_some() {
            // It is being written; only the way out is open.
            return match touch {
                Touch::Quit => self.end(Page::TakeCard(Trouble::VisitEnded)),
                _ => self.compose(compose, vec![]),
            };
        }
        compose.notice = None;
        match touch {
            Touch::Choose(place) => {
                if let Some(one) = compose.candidates.get_mut(place) {
                    one.chosen = !one.chosen;
                }
            }
            Touch::No => compose.candidates.iter_mut().for_each(|one| one.chosen = false),
            Touch::TypeIns => compose.typing = true,
            Touch::Back if compose.typing => compose.typing = false,
            Touch::Back => return self.home(compose.here, None, vec![]),
            Touch::Quit => return self.end(Page::TakeCard(Trouble::VisitEnded)),
            Touch::InsTyped { matricule, birth_name, birth_date } => {
                let known = compose.known();
                compose.add(identify::typed(&known, &matricule, &birth_name, &birth_date));
            }
            Touch::Scanned(payload) => {
                let known = compose.known();
                compose.add(identify::scanned(&known, &payload));
            }
            // Who is proposed must have been there to be left out.
            Touch::Confirm if !compose.typing && compose.recall.is_none() => {
                let ticket = self.ticket();
                let chosen = compose.candidates.iter().filter(|one| one.chosen);
                let patients = chosen.map(|one| one.patient.clone()).collect();
                // The upstream's list, still on its way, is not waited for.
                compose.list = None;
                compose.keeping = Some((ticket, now.since_boot + WAIT_MAX));
                return self.compose(compose, vec![Effect::KeepRound { ticket, patients }]);
            }
            _ => {}
        }
        self.compose(compose, vec![])
    }
}

impl Compose {
    fn recalled(&mut self, Recalled { recent, prepared, agenda }: Recalled) {
        for patient in prepared {
            match self.candidates.iter_mut().find(|one| one.patient.ins == patient.ins) {
                Some(known) => (known.prepared, known.chosen) = (true, true),
                None => self.candidates.push(Candidate { prepared: true, chosen: true, ..new(patient) }),
            }
        }
        for (patient, at) in recent {
            match self.candidates.iter_mut().find(|one| one.patient.ins == patient.ins) {
                Some(known) => known.seen = Some(at),
                None => self.candidates.push(Candidate { seen: Some(at), ..new(patient) }),
            }
        }
        match agenda {
            Ok(Some(agenda)) => self.appointed(agenda),
            Ok(None) => {}
            Err(trouble) => self.told.agenda_trouble = Some(trouble),
        }
    }

    /// The day's visits go first, by their hour, and are chosen.
    fn appointed(&mut self, agenda: Agenda) {
        self.told.agenda_unknown = agenda.unreadable;
        for visit in agenda.visits {
            let known = self.candidates.iter().position(|one| visit.who.is(&one.patient));
            let place = match (known, visit.who) {
                (Some(place), _) => place,
                (None, Who::Patient(patient)) => {
                    self.candidates.push(new(*patient));
                    self.candidates.len() - 1
                }
                (None, Who::Number(_)) => {
                    self.told.agenda_unknown += 1;
                    continue;
                }
            };
            let one = &mut self.candidates[place];
            // Twice a day: under the earlier hour.
            one.at = Some(one.at.map_or(visit.at, |at| at.min(visit.at)));
            one.chosen = true;
        }
        self.candidates.sort_by_key(|one| (one.at.is_none(), one.at));
    }

    fn authorized(&mut self, list: &[(Ins, Option<UnixSeconds>)]) {
        for (ins, until) in list {
            match self.candidates.iter_mut().find(|one| one.patient.ins == *ins) {
                Some(known) => known.authorized = Some(*until),
                None => self.told.authorized_unknown += 1,
            }
        }
    }

    /// Scanned or typed: chosen, wherever it stands; the page where it was typed is left.
    fn add(&mut self, found: Result<Patient, Trouble>) {
        let patient = match found {
            Ok(patient) => patient,
            Err(trouble) => {
                self.notice = Some(trouble);
                return;
            }
        };
        self.typing = false;
        match self.candidates.iter_mut().find(|one| one.patient.ins == patient.ins) {
            Some(known) => (known.patient, known.chosen) = (patient, true),
            None => self.candidates.push(Candidate { chosen: true, ..new(patient) }),
        }
    }

    /// What a scan or a typed number is compared with.
    fn known(&self) -> Vec<RoundEntry> {
        let entry = |one: &Candidate| RoundEntry { patient: one.patient.clone(), cached: 0, as_of: None, ready: None };
        self.candidates.iter().map(entry).collect()
    }
}

fn in_round(entry: &RoundEntry) -> Candidate {
    Candidate { chosen: true, ..new(entry.patient.clone()) }
}

fn new(patient: Patient) -> Candidate {
    Candidate { patient, chosen: false, prepared: false, seen: None, authorized: None, at: None }
}
