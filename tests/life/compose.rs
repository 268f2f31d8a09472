//! Rounds that are made: what is known here, what the upstream lists, and what must hold of what is kept.

use crate::life::people::round;
use crate::life::world::Life;
use chevet::patient::agenda::Agenda;
use chevet::patient::agenda::Appointment;
use chevet::patient::agenda::Who;
use chevet::patient::ins::Ins;
use chevet::patient::ins::InsKind;
use chevet::patient::ins::Patient;
use chevet::time::UnixSeconds;
use chevet::trouble::Trouble;
use chevet::visit::Effect;
use chevet::visit::Event;
use chevet::visit::event::Recalled;
use chevet::visit::event::Ticket;
use chevet::visit::event::Touch;
use std::collections::HashSet;

/// Of the upstream's list, and of no list here.
const UNKNOWN: &str = "160012A99999999";

impl Life {
    pub fn touch_compose(&mut self) -> Touch {
        match self.dice.u8(0..16) {
            0 => Touch::Back,
            1 => Touch::No,
            2 => Touch::TypeIns,
            3 => Touch::Scanned("not a code".into()),
            4 => Touch::InsTyped {
                matricule: "255069999999934".into(),
                birth_name: "Inconnue".into(),
                birth_date: if self.dice.bool() { "15/06/1955" } else { "15/07/1955" }.into(),
            },
            5..=9 => Touch::Confirm,
            _ => Touch::Choose(self.dice.usize(0..14)),
        }
    }

    pub fn recalled(&mut self, ticket: Ticket) -> Event {
        if self.dice.u8(0..10) == 0 {
            return Event::Recalled { ticket, answer: Err(Trouble::StoreUnreadable) };
        }
        let now = self.now.wall.value();
        let recent = round().into_iter().step_by(3).map(|entry| (entry.patient, now.plus(-3600))).collect();
        let prepared = round().into_iter().skip(self.dice.usize(0..11)).take(2).map(|entry| entry.patient).collect();
        let agenda = match self.dice.u8(0..3) {
            0 => Ok(None),
            1 => Err(Trouble::AgendaMissing),
            _ => {
                let who = |matricule: &str| Who::Number(matricule.to_owned());
                let visit = |at: i64, matricule: &str| Appointment { at: now.plus(at), who: who(matricule) };
                let visits = vec![visit(60, "255069999999902"), visit(90, UNKNOWN), visit(120, "255069999999902")];
                Ok(Some(Agenda { visits, unreadable: 1 }))
            }
        };
        Event::Recalled { ticket, answer: Ok(Recalled { recent, prepared, agenda }) }
    }

    pub fn authorized(&mut self, ticket: Ticket) -> Event {
        let known = |patient: &Patient| (patient.ins.clone(), None);
        let unknown = Ins::unchecked(UNKNOWN, InsKind::Test).expect("well formed");
        let list = [known(&round()[0].patient), (unknown, Some(UnixSeconds(1_900_000_000)))];
        let answer = if self.dice.u8(0..6) == 0 { Err(Trouble::Offline) } else { Ok(list.to_vec()) };
        Event::AuthorizedCame { ticket, answer }
    }

    pub fn round_kept(&mut self, ticket: Ticket, patients: &[Patient]) -> Event {
        let different: HashSet<&Ins> = patients.iter().map(|patient| &patient.ins).collect();
        assert_eq!(different.len(), patients.len(), "seed {}: somebody is in the round twice", self.seed);
        // Whoever is there by name was known here or typed here.
        let known: HashSet<Ins> = round().into_iter().map(|entry| entry.patient.ins).collect();
        for patient in patients {
            let typed = patient.birth_name == "INCONNUE";
            assert!(typed || known.contains(&patient.ins), "seed {}: a name from nowhere", self.seed);
        }
        if self.dice.u8(0..8) == 0 {
            return Event::RoundKept { ticket, answer: Err(Trouble::DiskFull) };
        }
        self.lived.rounds_made += 1;
        Event::RoundKept { ticket, answer: Ok(()) }
    }

    /// Nothing of a record is asked for, and no row is written, by making a round.
    pub fn check_compose(&self, effects: &[Effect], before: &str, at: &str) {
        if before != "compose" {
            return;
        }
        let allowed = |effect: &Effect| {
            matches!(effect, Effect::KeepRound { .. } | Effect::MakeNational { .. } | Effect::Lock)
                || matches!(effect, Effect::ReadCard { .. })
        };
        assert!(effects.iter().all(allowed), "{at}: a round that is made asks for more: {effects:?}");
    }
}
