//! systemd's watchdog: told so often that the loop turns; a loop that does not is started anew.

use std::time::Duration;

/// Who is told, and how often.
pub struct Watchdog {
    /// `None`: nobody asked for it.
    every: Option<Duration>,
    fed: Duration,
    feed: fn(),
}

impl Watchdog {
    /// As the unit's `WatchdogSec=` wants it, where systemd started us with one.
    pub fn of_systemd() -> Watchdog {
        Watchdog::new(sd_notify::watchdog_enabled(), tell_systemd)
    }

    /// A third of what is allowed, so that one that comes late is no restart; at most one in [`LEAST`].
    pub fn new(allowed: Option<Duration>, feed: fn()) -> Watchdog {
        let every = allowed.map(|allowed| (allowed / 3).max(LEAST).min(allowed / 2));
        Watchdog { every, fed: Duration::ZERO, feed }
    }

    /// When it must be fed at the latest; `None`: never.
    pub fn due(&self) -> Option<Duration> {
        self.every.map(|every| self.fed + every)
    }

    /// The loop has turned.
    pub fn turned(&mut self, since_boot: Duration) {
        if self.due().is_some_and(|due| since_boot >= due) {
            self.fed = since_boot;
            (self.feed)();
        }
    }
}

fn tell_systemd() {
    if let Err(error) = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]) {
        tracing::warn!(%error, "the watchdog is not fed");
    }
}

const LEAST: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU32;
    use std::sync::atomic::Ordering;

    static FED: AtomicU32 = AtomicU32::new(0);

    #[test]
    fn it_is_fed_in_time_and_no_more_often() {
        let seconds = Duration::from_secs;
        let feed = || {
            FED.fetch_add(1, Ordering::Relaxed);
        };
        let mut dog = Watchdog::new(Some(seconds(60)), feed);
        assert_eq!(dog.due(), Some(seconds(20)));
        for turn in 0..=120 {
            dog.turned(seconds(turn));
        }
        assert_eq!(FED.load(Ordering::Relaxed), 6, "every 20 s of 120");
        assert_eq!(dog.due(), Some(seconds(140)));
        // A short one is fed before it bites, whatever that costs.
        assert_eq!(Watchdog::new(Some(seconds(10)), feed).due(), Some(seconds(5)));
        assert_eq!(Watchdog::new(Some(seconds(30)), feed).due(), Some(seconds(15)));
        let mut nobody = Watchdog::new(None, feed);
        nobody.turned(seconds(1_000));
        assert_eq!((nobody.due(), FED.load(Ordering::Relaxed)), (None, 6));
    }
}
