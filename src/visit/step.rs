//! The transitions.

use crate::time::Now;
use crate::visit::effect::Effect;
use crate::visit::event::Event;
use crate::visit::event::Insertion;
use crate::visit::page::Page;
use crate::visit::page::Visit;
use std::time::Duration;

/// How long a card may take to answer.
pub const CARD_ANSWER_MAX: Duration = Duration::from_secs(20);

impl Visit {
    /// One event, one new state, the effects it asks for.
    pub fn step(mut self, event: Event, now: Now) -> (Visit, Vec<Effect>) {
        match event {
            // A removed card ends everything: first arm, no condition, no exception (P3).
            Event::CardOut => {
                self.page = Page::Idle;
                (self, vec![Effect::Lock])
            }
            Event::ReaderIs(reader) => {
                self.standing.reader = reader;
                (self, vec![])
            }
            Event::LinkIs(link) => {
                self.standing.link = link;
                (self, vec![])
            }
            Event::WaitingIs(waiting) => {
                self.standing.waiting = waiting;
                (self, vec![])
            }
            Event::CardIn(insertion) => self.card_in(insertion, now),
            _ => (self, vec![]),
        }
    }

    fn card_in(mut self, insertion: Insertion, now: Now) -> (Visit, Vec<Effect>) {
        if !matches!(self.page, Page::Idle) {
            return (self, vec![]);
        }
        self.page = Page::ReadingCard { insertion, until: now.since_boot + CARD_ANSWER_MAX };
        (self, vec![Effect::ReadCard { insertion }])
    }
}
