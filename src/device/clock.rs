//! The one place that reads a clock. How far to believe it is `time::belief`'s decision, once per event.
//!
//! The system's clock is a hint, never a proof: a board without a clock chip wakes up in 1970, or wherever its last
//! shutdown left it. What is believed is a server's `Date`, heard over verified TLS during this boot, carried on by the
//! monotonic clock; until then only the newest time in the vault, as a floor. The system's clock, set by a chip or by NTP, is
//! the second witness for a server that is far ahead.

use crate::time::Now;
use crate::time::UnixSeconds;
use crate::time::Wall;
use crate::time::belief::Belief;
use crate::time::belief::Jump;
use crate::time::belief::Witnessed;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;
use uuid::Uuid;

/// Shared by the loop and by whoever hears a server's time. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Clock {
    started: Instant,
    /// How long the device had been on by then.
    on_before: Duration,
    belief: Arc<Mutex<Belief>>,
}

impl Clock {
    /// With nothing but a time that is past, and no start counted.
    pub fn start(floor: UnixSeconds) -> Clock {
        Clock::go_on(Witnessed { newest: floor, starts: 0 })
    }

    /// From what the vault remembers of time.
    pub fn go_on(witnessed: Witnessed) -> Clock {
        let on_before = uptime();
        let belief = Arc::new(Mutex::new(Belief::start(witnessed, on_before)));
        Clock { started: Instant::now(), on_before, belief }
    }

    /// Until the minute that is shown changes: what has no hurry waits for it, so that an idle device wakes up once.
    pub fn until_minute(&self) -> Duration {
        let into_minute = u64::try_from(self.as_shown().0.rem_euclid(60)).unwrap_or(0);
        Duration::from_secs(60 - into_minute)
    }

    /// One reading for one event.
    pub fn now(&self) -> Now {
        let since_boot = self.since_boot();
        let mut belief = self.belief.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        Now { since_boot, wall: belief.now(since_boot) }
    }

    /// A server said this over verified TLS.
    pub fn heard(&self, server: UnixSeconds) {
        let since_boot = self.since_boot();
        let mut belief = self.belief.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        belief.hear(server, system_time(), since_boot);
    }

    /// That somebody's clock jumped, the device's own or a server's: to be traced, once.
    pub fn take_jump(&self) -> Option<Jump> {
        let since_boot = self.since_boot();
        let mut belief = self.belief.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        belief.own_clock(system_time(), since_boot);
        belief.take_jump()
    }

    /// The system's clock, to show and to write beside the truth, never to decide with.
    pub fn as_shown(&self) -> UnixSeconds {
        match self.now().wall {
            Wall::Is(at) => at,
            Wall::AtLeast(floor) | Wall::Lost(floor) => system_time().max(floor),
        }
    }

    fn since_boot(&self) -> Duration {
        self.on_before + self.started.elapsed()
    }
}

/// This boot, as the kernel names it: a program that is started again is no new boot. A name of our own where it does not
/// say.
pub fn boot() -> Uuid {
    let said = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
    said.and_then(|text| text.trim().parse().ok()).unwrap_or_else(Uuid::now_v7)
}

fn uptime() -> Duration {
    let said = std::fs::read_to_string("/proc/uptime").ok();
    let seconds = said.and_then(|text| text.split_whitespace().next()?.parse().ok());
    seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or_default()
}

fn system_time() -> UnixSeconds {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixSeconds(i64::try_from(since.as_secs()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_started_again_is_in_the_same_boot() {
        assert_eq!(boot(), boot(), "this kernel names its boots");
        let first = Clock::start(UnixSeconds(0)).now().since_boot;
        std::thread::sleep(Duration::from_millis(20));
        assert!(first > Duration::ZERO && Clock::start(UnixSeconds(0)).now().since_boot > first);
    }
}
