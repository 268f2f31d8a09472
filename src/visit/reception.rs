//! The reception desk: an INS is read and compared with a paper; whose identity is right is handed on to the next
//! professional's card, who finds them proposed for their round. In memory, for hours: nothing of it is written.

use crate::patient::ins::Patient;
use crate::time::Now;
use crate::trouble::Trouble;
use crate::visit::effect::Effect;
use crate::visit::event::Event;
use crate::visit::event::RoundEntry;
use crate::visit::event::Touch;
use crate::visit::identify;
use crate::visit::page::Page;
use crate::visit::page::Visit;
use crate::visit::page::reception::Reception;
use crate::visit::page::reception::Room;
use crate::visit::step::WAIT_MAX;

type Turn = (Visit, Vec<Effect>);

impl Visit {
    pub(super) fn at_reception(mut self, mut desk: Reception, event: Event, now: Now) -> Turn {
        let touch = match event {
            Event::Touched(touch) => touch,
            Event::Prepared { ticket, answer } => {
                if let Room::Preparing { patient, ticket: asked, .. } = &desk.room
                    && *asked == ticket
                {
                    match answer {
                        Ok(()) => desk.prepared.push(patient.clone()),
                        Err(trouble) => desk.notice = Some(trouble),
                    }
                    desk.room = Room::Front;
                }
                return self.reception(desk, vec![]);
            }
            _ => return self.reception(desk, vec![]),
        };
        desk.notice = None;
        match (&desk.room, touch) {
            (Room::Front, Touch::Quit | Touch::Back) | (_, Touch::Quit) => {
                return self.end(Page::TakeCard(Trouble::VisitEnded));
            }
            (Room::Preparing { .. }, _) => {}
            (_, Touch::Back) => desk.room = Room::Front,
            (Room::Front, Touch::TypeIns) => desk.room = Room::Typing,
            (Room::Front, Touch::ShowLeaflet) => desk.room = Room::Leaflet,
            (Room::Leaflet, Touch::Print) if self.rules.prints => return self.print_leaflet(desk, now),
            (Room::Leaflet, Touch::Understood) => desk.room = Room::Front,
            (Room::Typing, Touch::InsTyped { matricule, birth_name, birth_date }) => {
                let found = identify::typed(&known(&desk), &matricule, &birth_name, &birth_date);
                desk.read(found);
            }
            (Room::Front | Room::Typing | Room::Identity(_), Touch::Scanned(payload)) => {
                let found = identify::scanned(&known(&desk), &payload);
                desk.read(found);
            }
            (Room::Identity(patient), Touch::Yes) => {
                let (patient, ticket) = (patient.clone(), self.ticket());
                let until = now.since_boot + WAIT_MAX;
                let prepare = Effect::Prepare { ticket, patient: patient.clone() };
                desk.room = Room::Preparing { patient, ticket, until };
                return self.reception(desk, vec![prepare]);
            }
            _ => {}
        }
        self.reception(desk, vec![])
    }

    fn reception(self, desk: Reception, effects: Vec<Effect>) -> Turn {
        self.turn(Page::Reception(Box::new(desk)), effects)
    }

    pub(super) fn reception_tick(mut self, now: Now) -> Turn {
        let Page::Reception(desk) = &mut self.page else { return (self, vec![]) };
        if now.since_boot >= desk.until {
            return self.end(Page::TakeCard(Trouble::TookTooLong));
        }
        if matches!(&desk.room, Room::Preparing { until, .. } if now.since_boot >= *until) {
            (desk.room, desk.notice) = (Room::Front, Some(Trouble::Internal));
        }
        (self, vec![])
    }
}

impl Reception {
    fn read(&mut self, found: Result<Patient, Trouble>) {
        match found {
            Ok(patient) => self.room = Room::Identity(patient),
            Err(trouble) => self.notice = Some(trouble),
        }
    }
}

/// Whoever was read a moment ago is compared with.
fn known(desk: &Reception) -> Vec<RoundEntry> {
    let entry = |patient: &Patient| RoundEntry { patient: patient.clone(), cached: 0, as_of: None, ready: None };
    desk.prepared.iter().map(entry).collect()
}
