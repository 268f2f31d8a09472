//! What a device believes of the time: a server's word, carried on by the monotonic clock; until then a floor that only
//! rises. Pure: every reading comes in as a value.
//!
//! ```text
//! journal: newest time, starts without a trusted one ─> Belief ─ a server's date ─> Is
//!                                                          └ none yet ─> AtLeast ─ too many starts ─> Lost
//! ```
//!
//! A server alone may move the time forward by a day, no more: a `Date` that is years ahead would end every lease, and be a
//! floor for ever. Further, the device's own clock (a chip, or NTP) must say the same. What nobody else says is doubted: it
//! changes nothing, and is told once, to be traced.
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
    /// Somebody was believed in this boot: since then the time is known to the second.
    was_trusted: bool,
    /// What the device's own clock says is ahead of the time since the boot, in seconds.
    own_offset_s: Option<i64>,
    /// One doubt is told once, until somebody is believed again.
    in_doubt: bool,
    untold: Option<Jump>,
}

/// Somebody's word that does not fit what was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jump {
    pub said: UnixSeconds,
    pub expected: UnixSeconds,
    /// The device's own clock, not a server.
    pub is_own: bool,
}

impl Belief {
    pub fn start(witnessed: Witnessed, since_boot: Duration) -> Belief {
        let floor = witnessed.newest.max(BUILT_AFTER);
        let starts = witnessed.starts;
        Belief {
            floor,
            floored: since_boot,
            heard: None,
            starts,
            was_trusted: false,
            own_offset_s: None,
            in_doubt: false,
            untold: None,
        }
    }

    /// A server said this over verified TLS, while the device's own clock said `own`.
    pub fn hear(&mut self, server: UnixSeconds, own: UnixSeconds, since_boot: Duration) {
        let expected = self.floor_at(since_boot);
        let ahead = server.0.saturating_sub(expected.0);
        let alone_s_max = if self.was_trusted { SKEW_S_MAX } else { ALONE_S_MAX };
        let agreed = server.0.abs_diff(own.0) <= SKEW_S_MAX as u64;
        let is_believed = ahead <= alone_s_max || (agreed && ahead <= JUMP_S_MAX);
        if is_believed {
            self.heard = Some((server, since_boot));
        }
        if is_believed && ahead >= -SKEW_S_MAX {
            self.in_doubt = false;
        } else if !self.in_doubt {
            self.in_doubt = true;
            self.untold = Some(Jump { said: server, expected, is_own: false });
        }
    }

    /// What the device's own clock says now. It decides nothing; that it jumped is told.
    pub fn own_clock(&mut self, own: UnixSeconds, since_boot: Duration) {
        let since_boot = i64::try_from(since_boot.as_secs()).unwrap_or(i64::MAX);
        let offset = own.0.saturating_sub(since_boot);
        if let Some(before) = self.own_offset_s.replace(offset)
            && before.abs_diff(offset) > SKEW_S_MAX as u64
        {
            let expected = UnixSeconds(before.saturating_add(since_boot));
            self.untold = Some(Jump { said: own, expected, is_own: true });
        }
    }

    /// A jump that was not told yet.
    pub fn take_jump(&mut self) -> Option<Jump> {
        self.untold.take()
    }

    /// Time only ever goes forward: what was once believed is a floor for ever.
    pub fn now(&mut self, since_boot: Duration) -> Wall {
        let floor = self.floor_at(since_boot);
        let said = self.heard.map(|(server, at)| (carried(server, at, since_boot), server, at));
        match said {
            Some((now, server, at)) if now >= floor => {
                (self.floor, self.floored, self.starts, self.was_trusted) = (server, at, 0, true);
                Wall::Is(now)
            }
            // Whole seconds and two servers differ by a little; that is no clock set back.
            Some((now, ..)) if floor.0 - now.0 <= SKEW_S_MAX => {
                (self.starts, self.was_trusted) = (0, true);
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
/// How far ahead one server is believed when nobody else says so.
pub const ALONE_S_MAX: i64 = 24 * 3600;
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
        belief.hear(NEWEST.plus(1_000), NEWEST.plus(1_000), after(10));
        assert_eq!(belief.now(after(40)), Wall::Is(NEWEST.plus(1_030)));
        belief.hear(NEWEST.plus(1_025), NEWEST.plus(1_025), after(50));
        assert_eq!(belief.now(after(50)), Wall::Is(NEWEST.plus(1_040)), "a few seconds are no set-back");
        belief.hear(NEWEST.plus(-500), NEWEST.plus(-500), after(50));
        assert_eq!(belief.now(after(60)), Wall::AtLeast(NEWEST.plus(1_050)), "and it goes on rising");
    }

    #[test]
    fn a_date_beyond_any_life_is_not_believed() {
        let mut belief = started(1);
        belief.hear(NEWEST.plus(11 * 366 * 24 * 3600), NEWEST.plus(11 * 366 * 24 * 3600), after(1));
        assert!(!belief.now(after(1)).is_trusted());
        belief.hear(NEWEST.plus(100), NEWEST.plus(100), after(1));
        assert!(belief.now(after(1)).is_trusted());
    }

    #[test]
    fn one_server_that_is_years_ahead_ends_nothing() {
        let (mut belief, lease_end) = (started(1), NEWEST.plus(5 * 24 * 3600));
        let years = 3 * 365 * 24 * 3600;
        belief.hear(NEWEST.plus(years), NEWEST.plus(60), after(1));
        assert_eq!(belief.now(after(1)), Wall::AtLeast(NEWEST.plus(1)));
        assert_eq!(belief.now(after(1)).has_reached(lease_end), None);
        let jump = Jump { said: NEWEST.plus(years), expected: NEWEST.plus(1), is_own: false };
        assert_eq!((belief.take_jump(), belief.take_jump()), (Some(jump), None));
        // It insists, and is not told again; another word is believed.
        belief.hear(NEWEST.plus(years), NEWEST.plus(60), after(2));
        assert_eq!(belief.take_jump(), None);
        belief.hear(NEWEST.plus(60), NEWEST.plus(60), after(3));
        assert_eq!(belief.now(after(3)), Wall::Is(NEWEST.plus(60)));
        // Trusted once, a few minutes are enough to be doubted.
        belief.hear(NEWEST.plus(60 + SKEW_S_MAX + 2), NEWEST.plus(60), after(3));
        assert_eq!(belief.now(after(3)), Wall::Is(NEWEST.plus(60)));
        assert!(belief.take_jump().is_some());
    }

    #[test]
    fn after_a_month_in_a_drawer_two_must_say_so() {
        let month = NEWEST.plus(30 * 24 * 3600);
        let mut belief = started(1);
        belief.hear(month, UnixSeconds(0), after(1));
        assert!(!belief.now(after(1)).is_trusted(), "its own clock knows nothing");
        belief.hear(month, month.plus(-20), after(2));
        assert_eq!(belief.now(after(2)), Wall::Is(month), "a chip, or NTP, says the same");
        let mut overnight = started(1);
        overnight.hear(NEWEST.plus(14 * 3600), UnixSeconds(0), after(1));
        assert!(overnight.now(after(1)).is_trusted(), "a night needs no second witness");
    }

    #[test]
    fn jumps_are_told_whoever_jumps() {
        let mut belief = started(1);
        belief.own_clock(NEWEST, after(0));
        belief.own_clock(NEWEST.plus(100 + SKEW_S_MAX), after(100));
        assert_eq!(belief.take_jump(), None, "it was set a little");
        belief.own_clock(NEWEST.plus(90_000), after(200));
        let jump = belief.take_jump().expect("it jumped");
        assert_eq!((jump.said, jump.is_own), (NEWEST.plus(90_000), true));
        belief.own_clock(NEWEST.plus(90_100), after(300));
        assert_eq!(belief.take_jump(), None);
        belief.hear(NEWEST.plus(-5_000), NEWEST, after(300));
        assert!(belief.take_jump().is_some_and(|jump| !jump.is_own), "set back");
    }

    #[test]
    fn the_tenth_start_without_a_trusted_time_is_the_last() {
        assert_eq!(started(STARTS_MAX).now(after(0)), Wall::AtLeast(NEWEST));
        let mut lost = started(STARTS_MAX + 1);
        assert_eq!(lost.now(after(5)), Wall::Lost(NEWEST.plus(5)));
        lost.hear(NEWEST.plus(-500), NEWEST.plus(-500), after(5));
        assert_eq!(lost.now(after(5)), Wall::Lost(NEWEST.plus(5)), "a server set back finds nothing again");
        lost.hear(NEWEST.plus(9_000), NEWEST.plus(9_000), after(6));
        assert_eq!(lost.now(after(6)), Wall::Is(NEWEST.plus(9_000)));
        lost.hear(NEWEST, NEWEST, after(7));
        assert_eq!(lost.now(after(7)), Wall::AtLeast(NEWEST.plus(9_001)), "since the trusted time nothing was lost");
    }
}
