//! « À régler »: what the upstream refused, why, and what to do about it. Nothing is ever deleted from here: an item is sent
//! again after what was wrong is put right, or stays until IT has seen it.

use crate::visit::effect::Effect;
use crate::visit::event::Touch;
use crate::visit::page::Home;
use crate::visit::page::Page;
use crate::visit::page::Visit;

impl Visit {
    pub(super) fn at_tray(mut self, mut home: Home, touch: Touch) -> (Visit, Vec<Effect>) {
        let mut effects = Vec::new();
        match touch {
            Touch::Back | Touch::Understood => home.tray = false,
            Touch::SendAgain(place) => {
                if let Some(item) = self.standing.refused.get(place) {
                    // With a fresh token: what needs this holder leaves under it.
                    effects = vec![Effect::SendAgain { id: item.id }, Effect::Deliver { ticket: self.ticket() }];
                }
            }
            Touch::Quit => return self.end(Page::TakeCard(crate::trouble::Trouble::VisitEnded)),
            _ => {}
        }
        self.turn(Page::Home(Box::new(home)), effects)
    }
}
