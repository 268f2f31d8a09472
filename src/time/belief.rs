//! What a device believes of the time: a server's word, carried on by the monotonic clock; until then a floor that only
//! rises. Pure: every reading comes in as a value.
//!
//! ```text
//! journal: newest time, starts without a trusted one ─> Belief ─ a server's date ─> Is
//!                                                          └ none yet ─> AtLeast ─ too many starts ─> Lost
//! ```
//!
//! The budget of « cannot tell » (DESIGN §8) has two halves. Powered-on time is in the floor itself, which rises while the
//! device is on and is written down as it does: what lasts longer than the device was on is over. What passed while it was
//! off nobody knows; so only [`STARTS_MAX`] starts may follow one another without a trusted time.

use crate::time::BUILT_AFTER;
use crate::time::UnixSeconds;
use crate::time::Wall;
use std::time::Duration;

/// What the journal remembers of time from one start to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Witnessed {
    /// The newest time that was ever believed, powered-on time included.
    pub newest: UnixSeconds,
    /// Starts of the device since anybody vouched for the time, this one included.
    pub starts: u32,
}

#[derive(Debug, Clone)]
pub struct Belief {
    /// A time that was past at `floored`, which counts from the boot; it is past by as much more now.
    floor: UnixSeconds,
    floored: Duration,
    /// A server's word, and when it was heard.
    heard: Option<(UnixSeconds, Duration)>,
    starts: u32,
}

impl Belief {
    pub fn start(witnessed: Witnessed, since_boot: Duration) -> Belief {
        let floor = witnessed.newest.max(BUILT_AFTER);
        Belief { floor, floored: since_boot, heard: None, starts: witnessed.starts }
    }

    /// A server said this over verified TLS. A date beyond any device's life is a slip, and is not believed: it would
    /// enter the rows and be a floor for ever.
    pub fn hear(&mut self, server: UnixSeconds, since_boot: Duration) {
        if server.0.saturating_sub(self.floor_at(since_boot).0) <= JUMP_S_MAX {
            self.heard = Some((server, since_boot));
        }
    }

    /// Time only ever goes forward: what was once believed is a floor for ever.
    pub fn now(&mut self, since_boot: Duration) -> Wall {
        let floor = self.floor_at(since_boot);
        let said = self.heard.map(|(server, at)| (carried(server, at, since_boot), server, at));
        match said {
            Some((now, server, at)) if now >= floor => {
                (self.floor, self.floored, self.starts) = (server, at, 0);
                Wall::Is(now)
            }
            // Whole seconds and two servers differ by a little; that is no clock set back.
            Some((now, ..)) if floor.0 - now.0 <= SKEW_S_MAX => {
                self.starts = 0;
                Wall::Is(floor)
            }
            _ if self.starts > STARTS_MAX => Wall::Lost(floor),
            _ => Wall::AtLeast(floor),
        }
    }

    fn floor_at(&self, since_boot: Duration) -> UnixSeconds {
        carried(self.floor, self.floored, since_boot)
    }
}

fn carried(time: UnixSeconds, at: Duration, since_boot: Duration) -> UnixSeconds {
    time.plus(i64::try_from(since_boot.saturating_sub(at).as_secs()).unwrap_or(0))
}

/// Starts that may follow one another without a trusted time.
pub const STARTS_MAX: u32 = 10;
/// Two clocks that are both right may differ by this much.
pub const SKEW_S_MAX: i64 = 300;
/// Ten years in a drawer.
const JUMP_S_MAX: i64 = 10 * 366 * 24 * 3600;

#[cfg(test)]
mod tests {
    use super::*;

    const NEWEST: UnixSeconds = UnixSeconds(1_795_000_000);

    fn started(starts: u32) -> Belief {
        Belief::start(Witnessed { newest: NEWEST, starts }, Duration::from_secs(100))
    }

    fn after(seconds: u64) -> Duration {
        Duration::from_secs(100 + seconds)
    }

    #[test]
    fn a_floor_rises_with_the_time_that_the_device_is_on() {
        let mut belief = started(1);
        assert_eq!(belief.now(after(0)), Wall::AtLeast(NEWEST));
        assert_eq!(belief.now(after(7)), Wall::AtLeast(NEWEST.plus(7)));
        let mut fresh = Belief::start(Witnessed { newest: UnixSeconds(0), starts: 1 }, Duration::ZERO);
        assert_eq!(fresh.now(Duration::ZERO), Wall::AtLeast(BUILT_AFTER), "no build is older than itself");
    }

    #[test]
    fn a_server_set_back_revives_nothing() {
        let mut belief = started(1);
        belief.hear(NEWEST.plus(1_000), after(10));
        assert_eq!(belief.now(after(40)), Wall::Is(NEWEST.plus(1_030)));
        belief.hear(NEWEST.plus(1_025), after(50));
        assert_eq!(belief.now(after(50)), Wall::Is(NEWEST.plus(1_040)), "a few seconds are no set-back");
        belief.hear(NEWEST.plus(-500), after(50));
        assert_eq!(belief.now(after(60)), Wall::AtLeast(NEWEST.plus(1_050)), "and it goes on rising");
    }

    #[test]
    fn a_date_beyond_any_life_is_not_believed() {
        let mut belief = started(1);
        belief.hear(NEWEST.plus(11 * 366 * 24 * 3600), after(1));
        assert!(!belief.now(after(1)).is_trusted());
        belief.hear(NEWEST.plus(100), after(1));
        assert!(belief.now(after(1)).is_trusted());
    }

    #[test]
    fn the_tenth_start_without_a_trusted_time_is_the_last() {
        assert_eq!(started(STARTS_MAX).now(after(0)), Wall::AtLeast(NEWEST));
        let mut lost = started(STARTS_MAX + 1);
        assert_eq!(lost.now(after(5)), Wall::Lost(NEWEST.plus(5)));
        lost.hear(NEWEST.plus(-500), after(5));
        assert_eq!(lost.now(after(5)), Wall::Lost(NEWEST.plus(5)), "a server set back finds nothing again");
        lost.hear(NEWEST.plus(9_000), after(6));
        assert_eq!(lost.now(after(6)), Wall::Is(NEWEST.plus(9_000)));
        lost.hear(NEWEST, after(7));
        assert_eq!(lost.now(after(7)), Wall::AtLeast(NEWEST.plus(9_001)), "since the trusted time nothing was lost");
    }
}
