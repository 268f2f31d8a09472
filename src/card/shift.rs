//! How long a card may keep silent, and what is done then.
//!
//! PC/SC gives no way to take back a command: a thread that waits for a card waits until the driver gives up, which some
//! never do. So whoever asked looks at the clock. After the limit the card counts as mute for the rest of its stay, and the
//! waiting thread is *relieved*: another one takes the queue over, with a connection to the service of its own, and is there
//! for the next card. The thread that was left behind sends nothing any more when it comes back, a PIN least of all: before
//! each command it asks whether it is still on duty. It then resets the card, if that is still in, and ends.
//!
//! What was asked before the visit ended is stopped in the same way, between two commands.
//!
//! ```text
//! on duty ── silent for too long ──→ left behind ── the driver gives up ──→ ended
//!    └ the next thread is on duty from here on, with the same queue
//! ```

use crate::card::Command;
use crate::card::Cps4;
use crate::card::Error;
use crate::card::Notice;
use crate::card::Pinpad;
use crate::card::Shared;
use crate::card::watch::Stop;
use crate::card::work;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::mpsc as channel;
use std::time::Duration;
use std::time::Instant;
use tokio::sync::mpsc;

/// What every `card-work` thread is made of; each hands it to the one that relieves it.
#[derive(Clone)]
pub(super) struct Crew {
    pub cps4: Cps4,
    pub pinpad: Pinpad,
    pub without_keys: Arc<[String]>,
    pub answer_max: Duration,
    pub orders: Arc<Mutex<channel::Receiver<Command>>>,
    pub shared: Arc<Shared>,
    pub stop: Arc<Stop>,
    pub notices: mpsc::Sender<Notice>,
}

/// What of it all threads must agree on. Part of what [`Shared`] guards.
#[derive(Default)]
pub(super) struct Duty {
    /// The number of the thread that is on duty.
    shift: u64,
    /// What it waits for.
    waits: Option<Wait>,
    /// This insertion's card has been silent for too long.
    mute: Option<u64>,
    /// Threads that still wait for a driver.
    left_behind: usize,
    /// Nobody can ask any more.
    ended: bool,
}

struct Wait {
    insertion: u64,
    until: Instant,
}

/// A thread's place in the row, and for which command it works.
#[derive(Clone, Copy)]
pub(super) struct Post {
    pub shift: u64,
    pub insertion: u64,
    /// How often the visit had ended when this was asked; `None`: to be done all the same.
    pub leaves: Option<u64>,
}

impl Crew {
    /// The next command for the thread of this shift; `None` when it has been relieved, or when nobody can ask any more.
    pub(super) fn next(&self, shift: u64) -> Option<Command> {
        if self.is_relieved(shift) {
            return None;
        }
        // Held while waiting: whoever is on duty is the only one that waits.
        self.orders.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
    }

    /// Does one thing that may take as long as the driver likes. Not begun when this thread has been relieved, or when the
    /// visit that asked for it is over.
    pub(super) fn wait<T>(
        &self,
        post: Post,
        within: Duration,
        ask: impl FnOnce() -> Result<T, pcsc::Error>,
    ) -> Result<T, pcsc::Error> {
        {
            let mut now = self.shared.lock();
            let on_duty = now.duty.shift == post.shift;
            if post.leaves.is_some_and(|leaves| !on_duty || leaves != now.leaves) {
                return Err(pcsc::Error::Cancelled);
            }
            if on_duty {
                now.duty.waits = Some(Wait { insertion: post.insertion, until: Instant::now() + within });
            }
        }
        let answer = ask();
        let mut now = self.shared.lock();
        if now.duty.shift == post.shift {
            now.duty.waits = None;
        }
        answer
    }

    /// Called again and again by whoever waits for an answer about this insertion: whether to wait no longer.
    pub(super) fn is_silent(&self, insertion: u64) -> bool {
        let (silent, shift) = {
            let mut now = self.shared.lock();
            let Some(wait) = now.duty.waits.take_if(|wait| Instant::now() >= wait.until) else { return false };
            now.duty.is_now_mute(wait.insertion);
            if now.duty.left_behind >= LEFT_BEHIND_MAX {
                // Nobody relieves it: the next to ask is to see it too.
                now.duty.waits = Some(wait);
                return true;
            }
            now.duty.left_behind += 1;
            now.duty.shift += 1;
            (wait.insertion, now.duty.shift)
        };
        tracing::warn!(silent, "a card keeps silent: its thread is left behind");
        if work::start(self.clone(), shift).is_err() {
            tracing::error!("no thread to relieve it");
        }
        silent == insertion
    }

    /// Another thread is on duty.
    pub(super) fn is_relieved(&self, shift: u64) -> bool {
        self.shared.lock().duty.shift != shift
    }

    /// This thread was left behind, its driver has given up at last, and it has let go of its card. Whether it is the last.
    pub(super) fn came_back(&self) -> bool {
        let duty = &mut self.shared.lock().duty;
        duty.left_behind -= 1;
        duty.ended && duty.left_behind == 0
    }

    /// The thread on duty ends. Whether it is the last: who was left behind needs the watch to know whether its card has gone.
    pub(super) fn ended(&self) -> bool {
        let duty = &mut self.shared.lock().duty;
        duty.ended = true;
        duty.left_behind == 0
    }

    /// The card of this insertion is spoken to no more. Tells it to the visit, unless it is known.
    pub(super) fn is_mute(&self, insertion: u64) {
        self.shared.lock().duty.is_now_mute(insertion);
        let _nobody_listens = self.notices.blocking_send(Notice::CardMute(insertion));
    }
}

impl Duty {
    pub(super) fn is_now_mute(&mut self, insertion: u64) {
        self.mute = Some(insertion);
    }
}

impl Shared {
    /// Why this insertion's card is asked nothing any more.
    pub(super) fn refuses(&self, insertion: u64) -> Option<Error> {
        (self.lock().duty.mute == Some(insertion)).then_some(Error::Mute)
    }
}

/// A reader that swallows this many threads is not going to be healed by another one.
const LEFT_BEHIND_MAX: usize = 4;
