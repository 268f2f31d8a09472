//! « À régler »: what the upstream refused, why, and what to do about it. Nothing is ever deleted from here: an item is sent
//! again after what was wrong is put right, a note is written anew by its author, or it stays until IT has seen it.
//!
//! ```text
//! Correct → about whom → that patient's gate → record → the note's words (`writing`) → deposited: the refused one is superseded
//! ```

use crate::patient::ins::Patient;
use crate::time::Now;
use crate::trouble::Trouble;
use crate::visit::effect::Effect;
use crate::visit::event::Ticket;
use crate::visit::event::Touch;
use crate::visit::page::Correcting;
use crate::visit::page::Home;
use crate::visit::page::Page;
use crate::visit::page::Visit;
use crate::visit::page::gate::SoFar;
use crate::visit::step::WAIT_MAX;

impl Visit {
    pub(super) fn at_tray(mut self, mut home: Home, touch: Touch, now: Now) -> (Visit, Vec<Effect>) {
        let mut effects = Vec::new();
        match touch {
            Touch::Back | Touch::Understood => (home.tray, home.correcting) = (false, None),
            Touch::SendAgain(place) => {
                if let Some(item) = self.standing.refused.get(place) {
                    // With a fresh token: what needs this holder leaves under it.
                    effects = vec![Effect::SendAgain { id: item.id }, Effect::Deliver { ticket: self.ticket() }];
                }
            }
            Touch::Correct(place) => {
                let author = &home.here.holder.id;
                let item = self.standing.refused.get(place).filter(|item| item.note_by.as_ref() == Some(author));
                if let Some(id) = item.map(|item| item.id) {
                    let ticket = self.ticket();
                    home.correcting = Some(Correcting { ticket, refused: id, until: now.since_boot + WAIT_MAX });
                    effects = vec![Effect::OpenRefused { ticket, id, author: author.clone() }];
                }
            }
            Touch::Quit => return self.end(Page::TakeCard(Trouble::VisitEnded)),
            _ => {}
        }
        self.turn(Page::Home(Box::new(home)), effects)
    }

    /// Its patient's record is opened as any other: by the gate, under a ground, with its rows.
    pub(super) fn refused_opened(
        self,
        mut home: Home,
        ticket: Ticket,
        answer: Result<Option<Patient>, Trouble>,
        now: Now,
    ) -> (Visit, Vec<Effect>) {
        let Some(Correcting { refused, .. }) = home.correcting.filter(|asked| asked.ticket == ticket) else {
            return self.turn(Page::Home(Box::new(home)), vec![]);
        };
        match answer {
            Ok(Some(patient)) => {
                let so_far = SoFar { correcting: Some(refused), ..SoFar::nothing() };
                return self.come_to_gate_with(home.here, patient, so_far, now);
            }
            Ok(None) => home.notice = Some(Trouble::NothingToCorrect),
            Err(trouble) => home.notice = Some(trouble),
        }
        (home.tray, home.correcting) = (false, None);
        self.turn(Page::Home(Box::new(home)), vec![])
    }

    /// The disk has not answered in time.
    pub(super) fn correcting_tick(mut self) -> (Visit, Vec<Effect>) {
        if let Page::Home(home) = &mut self.page {
            (home.tray, home.correcting, home.notice) = (false, None, Some(Trouble::StoreUnreadable));
        }
        (self, vec![])
    }
}
