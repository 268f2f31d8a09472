//! Gentle time: what nobody touches goes dim, then asks, then is locked; whoever's it was comes back to where they were.
//!
//! ```text
//! Fresh ── dim ──▶ Dimmed ── a minute before ──▶ Asked ── lock ──▶ Page::Locked: keys gone, nothing shown, the page is put by
//!   ▲────────────── any touch ──────────────────────┘                │ touch → ReadingCard → AskPin → … → Opening → that page
//! ```
//!
//! Whoever reads can go on for as long as they like: they are asked a minute before, and one touch anywhere is enough
//! (WCAG 2.2, 2.2.1). What was put by is for the same holder, in the same situation, with the same card that never left:
//! anything else forgets it, in the same step. A visit by telephone has no card that could open it again, and the reception
//! desk nothing worth it: both end.

use crate::identity::holder::Holder;
use crate::policy::decide;
use crate::time::Now;
use crate::trouble::Trouble;
use crate::visit::effect::Effect;
use crate::visit::event::Desk;
use crate::visit::event::Event;
use crate::visit::event::Insertion;
use crate::visit::event::Touch;
use crate::visit::facts;
use crate::visit::page::Page;
use crate::visit::page::Record;
use crate::visit::page::Room;
use crate::visit::page::Visit;
use crate::visit::step::CARD_ANSWER_MAX;
use crate::visit::step::INACTIVITY_MAX;
use crate::visit::step::PIN_ENTRY_MAX;
use std::time::Duration;

type Turn = (Visit, Vec<Effect>);

/// How long a page waits for a touch, each counted from the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    pub dim: Duration,
    /// [`ASKED_FOR`] before it, the page asks whether somebody is there.
    pub lock: Duration,
    /// Counted from the lock: what was put by is forgotten, and the card asked back.
    pub end: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience { dim: Duration::from_secs(120), lock: INACTIVITY_MAX, end: Duration::from_secs(1_800) }
    }
}

/// What the page makes of nobody touching it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Attention {
    #[default]
    Fresh,
    Dimmed,
    /// Asks whether somebody is there.
    Asked,
    /// Nobody came: only what goes on by itself does.
    Away,
}

/// A page that was put by when the screen was locked.
pub struct Parked {
    insertion: Insertion,
    /// With the situation that was chosen.
    holder: Holder,
    page: Page,
    /// When it is forgotten.
    until: Duration,
}

impl Parked {
    /// The situation that its holder chose, where there was one to choose.
    pub(super) fn holder(&self) -> &Holder {
        &self.holder
    }
}

impl Visit {
    /// What the page makes of nobody touching it.
    pub fn attention(&self) -> Attention {
        self.attention
    }

    /// After each step: how long nobody has touched it, and whether what was put by is still on its way back.
    pub(super) fn attend(&mut self, now: Now) {
        self.attention = match self.idle_until() {
            Some(until) => self.attention_at(until, now.since_boot),
            None => Attention::Fresh,
        };
        let insertion = self.insertion();
        let on_its_way = matches!(
            self.page,
            Page::Locked(_)
                | Page::ReadingCard { .. }
                | Page::AskPin(_)
                | Page::CheckingPin { .. }
                | Page::ChoosingSituation(_)
                | Page::Opening(_)
        );
        let is_over = |parked: &Parked| insertion != Some(parked.insertion) || now.since_boot >= parked.until;
        if self.parked.as_ref().is_some_and(|parked| !on_its_way || is_over(parked)) {
            self.parked = None;
        }
    }

    fn attention_at(&self, until: Duration, since_boot: Duration) -> Attention {
        let left = until.saturating_sub(since_boot);
        let patience = self.rules.patience;
        if left.is_zero() {
            Attention::Away
        } else if left <= ASKED_FOR && !self.goes_on_alone() {
            Attention::Asked
        } else if left <= patience.lock.saturating_sub(patience.dim) {
            Attention::Dimmed
        } else {
            Attention::Fresh
        }
    }

    /// When somebody's absence next changes something.
    pub(super) fn attention_alarm(&self) -> Option<Duration> {
        let until = self.idle_until()?;
        let patience = self.rules.patience;
        let asks = until.saturating_sub(ASKED_FOR);
        match self.attention {
            Attention::Fresh => Some(until.saturating_sub(patience.lock.saturating_sub(patience.dim))),
            Attention::Dimmed if !self.goes_on_alone() => Some(asks),
            Attention::Dimmed | Attention::Asked => Some(until),
            Attention::Away => None,
        }
    }

    /// When whoever stands here is taken to be gone; `None` where nobody is known to stand.
    fn idle_until(&self) -> Option<Duration> {
        match &self.page {
            Page::Reception(desk) => Some(desk.until),
            page => page.here().map(|here| here.until),
        }
    }

    fn goes_on_alone(&self) -> bool {
        matches!(&self.page, Page::Ahead(ahead) if ahead.is_fetching())
    }

    /// A touch anywhere: every page that waits for somebody waits anew.
    pub(super) fn keep_awake(&mut self, now: Now) {
        let until = now.since_boot + self.rules.patience.lock;
        match &mut self.page {
            Page::Reception(desk) => desk.until = until,
            Page::AskPin(ask) => ask.until = now.since_boot + PIN_ENTRY_MAX,
            Page::AskRpps(ask) => ask.until = now.since_boot + PIN_ENTRY_MAX,
            Page::About { until, .. } => *until = now.since_boot + PIN_ENTRY_MAX,
            Page::ChoosingSituation(choosing) => choosing.until = now.since_boot + INACTIVITY_MAX,
            page => {
                if let Some(here) = page.here_mut() {
                    here.until = until;
                }
            }
        }
    }

    /// Nobody came. Keys, worker and printer go as they do when a card is pulled; the page is put by, and shown to nobody.
    pub(super) fn lock_away(mut self, now: Now) -> Turn {
        let mut page = match std::mem::replace(&mut self.page, Page::Idle) {
            Page::Printing(printing) => *printing.under,
            page => page,
        };
        let Some(here) = page.here() else { return self.end(Page::TakeCard(Trouble::TookTooLong)) };
        let until = now.since_boot + self.rules.patience.end;
        let (insertion, holder) = (here.insertion, here.holder.clone());
        match &mut page {
            Page::Document(reader) => reader.put_by(),
            Page::Record(record) => record.put_summary_by(),
            _ => {}
        }
        self.page = Page::Locked(Locked { insertion, holder: holder.clone(), until });
        self.parked = Some(Box::new(Parked { insertion, holder, page, until }));
        (self, vec![Effect::Lock])
    }

    /// The PIN was not typed to its end: the screen is locked as before.
    pub(super) fn lock_again(mut self) -> Turn {
        let Some(parked) = &self.parked else { return self.end(Page::TakeCard(Trouble::TookTooLong)) };
        let (insertion, holder, until) = (parked.insertion, parked.holder.clone(), parked.until);
        self.page = Page::Locked(Locked { insertion, holder, until });
        (self, vec![Effect::Lock])
    }

    pub(super) fn while_locked(self, locked: Locked, event: Event, now: Now) -> Turn {
        match event {
            Event::Touched(Touch::Understood) => {
                let insertion = locked.insertion;
                let page = Page::ReadingCard { insertion, until: now.since_boot + CARD_ANSWER_MAX };
                self.turn(page, vec![Effect::ReadCard { insertion }])
            }
            Event::Touched(Touch::Quit) => self.end(Page::TakeCard(Trouble::VisitEnded)),
            _ => self.turn(Page::Locked(locked), vec![]),
        }
    }

    /// The page that waits for this holder, if it does; for anybody else it is gone.
    pub(super) fn take_parked(&mut self, insertion: Insertion, holder: &Holder) -> Option<Page> {
        let parked = self.parked.take()?;
        (parked.insertion == insertion && &parked.holder == holder).then_some(parked.page)
    }

    /// Whether the record may be open by what is known now.
    fn still_opens(&self, record: &Record, now: Now) -> bool {
        let facts = facts::to_open(&record.here, &record.answer, Some(record.ground), &record.so_far, &self.rules, now);
        !self.allowance_bars(record.ground, now) && decide(&facts).allow
    }

    /// Back to where they were. Their rows go on under the login that opened this visit. A document is opened anew, under a row
    /// of its own: nothing of its content was kept.
    pub(super) fn resume(mut self, mut page: Page, desk: Desk, now: Now) -> Turn {
        if let Some(here) = page.here_mut() {
            (here.round, here.recent, here.card_ends) = (desk.round, desk.recent, desk.card_ends);
            here.until = now.since_boot + self.rules.patience.lock;
        }
        let deliver = Effect::Deliver { ticket: self.ticket() };
        let (visit, mut effects) = match page {
            // What stood half an hour ago may not stand any more: the state is asked again, and the gate decides.
            Page::Gate(gate) => self.come_to_gate_with(gate.here, gate.patient, gate.so_far, now),
            Page::Record(record) if !self.still_opens(&record, now) => {
                self.come_to_gate(record.here, record.patient, now)
            }
            Page::Document(reader) if !self.still_opens(&reader.record, now) => {
                self.come_to_gate(reader.record.here, reader.record.patient, now)
            }
            Page::Document(reader) => self.open_again(*reader, now),
            // Gathered anew, each document under a row of its own.
            Page::Record(record) if matches!(record.room, Room::Summary) => self.show_summary(*record, now),
            Page::Record(mut record) => {
                if let Room::Writing(writing) = &mut record.room {
                    writing.begun.clone_from(&writing.draft.text);
                }
                self.turn(Page::Record(record), vec![])
            }
            page => self.turn(page, vec![]),
        };
        // First: what the page waits for is dropped by whatever is asked after it.
        effects.insert(0, deliver);
        (visit, effects)
    }
}

/// Shown to anybody: whose card waits, and nothing of any patient.
pub struct Locked {
    pub insertion: Insertion,
    pub holder: Holder,
    /// When the card is asked back.
    pub until: Duration,
}

/// How long a page asks before it is locked (WCAG 2.2, 2.2.1: 20 s at least).
pub const ASKED_FOR: Duration = Duration::from_secs(60);
