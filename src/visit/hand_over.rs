//! From the old card to the new one. What only this device knows, the round, opens with the old card alone: before that card
//! ends, home says so and offers to hand it over.
//!
//! ```text
//! home (old card) ─ HandOver → the vault holds the round for five minutes → TakeCard → old card out → new card, its PIN → home
//! ```

use crate::time::Now;
use crate::time::UnixSeconds;
use crate::trouble::Trouble;
use crate::visit::effect::Effect;
use crate::visit::event::Event;
use crate::visit::event::Touch;
use crate::visit::page::Here;
use crate::visit::page::Home;
use crate::visit::page::Page;
use crate::visit::page::Visit;
use crate::visit::step::WAIT_MAX;
use std::time::Duration;

/// When the card ends, if that is soon enough to speak of it and there is something to hand over.
pub fn offered(here: &Here, now: Now) -> Option<UnixSeconds> {
    let ends = here.card_ends?;
    let soon = now.wall.has_reached(ends.plus(-OFFERED_BEFORE_S)) == Some(true);
    (soon && !here.round.is_empty()).then_some(ends)
}

impl Visit {
    pub(super) fn hand_over(mut self, mut home: Home, now: Now) -> (Visit, Vec<Effect>) {
        let mut effects = Vec::new();
        if offered(&home.here, now).is_some() {
            let ticket = self.ticket();
            home.handing = Some((ticket, now.since_boot + WAIT_MAX));
            effects.push(Effect::HandOver { ticket, until: now.since_boot + HAND_OVER_MAX });
        }
        self.turn(Page::Home(Box::new(home)), effects)
    }

    /// The visit ends with it: its keys are wiped before the other card comes.
    pub(super) fn while_handing(self, mut home: Home, event: Event) -> (Visit, Vec<Effect>) {
        match (home.handing, event) {
            (Some((ticket, _)), Event::HandedOver { ticket: asked, answer }) if asked == ticket => match answer {
                Ok(()) => self.end(Page::TakeCard(Trouble::HandOverWaits)),
                Err(trouble) => self.home(home.here, Some(trouble), vec![]),
            },
            (_, Event::Touched(Touch::Quit)) => self.end(Page::TakeCard(Trouble::VisitEnded)),
            _ => {
                home.notice = None;
                self.turn(Page::Home(Box::new(home)), vec![])
            }
        }
    }
}

/// Two months: a card that was ordered late still comes in time.
const OFFERED_BEFORE_S: i64 = 60 * 86_400;
/// To take one card out, put the other one in and type its PIN.
pub const HAND_OVER_MAX: Duration = Duration::from_secs(300);
