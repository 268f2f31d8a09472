//! The one place that reads a clock. How far to believe it is decided here, once per event.
//!
//! The system's clock is a hint, never a proof: a board without a clock chip wakes up in 1970, or wherever its last
//! shutdown left it. What is believed is a server's `Date`, heard over verified TLS during this boot, carried on by the
//! monotonic clock; until then only the newest time in the vault, as a floor.

use crate::time::BUILT_AFTER;
use crate::time::Now;
use crate::time::UnixSeconds;
use crate::time::Wall;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;

/// Shared by the loop and by whoever hears a server's time. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Clock {
    started: Instant,
    belief: Arc<Mutex<Belief>>,
}

#[derive(Debug)]
struct Belief {
    /// A time that was past when this program started.
    floor: UnixSeconds,
    /// The newest time that was ever believed.
    newest: UnixSeconds,
    /// A server's word, and when it was heard.
    heard: Option<(UnixSeconds, Duration)>,
}

impl Clock {
    /// `floor`: the newest time ever written to the vault, and the day this program was built.
    pub fn start(floor: UnixSeconds) -> Clock {
        let floor = floor.max(BUILT_AFTER);
        Clock { started: Instant::now(), belief: Arc::new(Mutex::new(Belief { floor, newest: floor, heard: None })) }
    }

    /// One reading for one event.
    pub fn now(&self) -> Now {
        let since_boot = self.started.elapsed();
        let mut belief = self.belief.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let wall = believe(&mut belief, since_boot);
        Now { since_boot, wall }
    }

    /// A server said this over verified TLS. A date beyond any device's life is a slip, and is not believed: it would
    /// enter the rows and be a floor for ever.
    pub fn heard(&self, server: UnixSeconds) {
        let since_boot = self.started.elapsed();
        let mut belief = self.belief.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if server.0.saturating_sub(belief.floor.0) > JUMP_S_MAX {
            return;
        }
        belief.heard = Some((server, since_boot));
    }

    /// The system's clock, to show and to write beside the truth, never to decide with.
    pub fn as_shown(&self) -> UnixSeconds {
        match self.now().wall {
            Wall::Is(at) => at,
            Wall::AtLeast(floor) => system_time().max(floor),
        }
    }
}

/// Time only ever goes forward: what was once believed is a floor for ever.
fn believe(belief: &mut Belief, since_boot: Duration) -> Wall {
    let wall = match belief.heard {
        Some((server, at)) => {
            let since = i64::try_from(since_boot.saturating_sub(at).as_secs()).unwrap_or(0);
            let now = server.plus(since);
            // Whole seconds and two servers differ by a little; that is no clock set back.
            if now < belief.newest && belief.newest.0 - now.0 <= SKEW_S_MAX {
                Wall::Is(belief.newest)
            } else {
                Wall::Is(now).no_earlier_than(belief.newest)
            }
        }
        // What was past at the start is past by as much more now.
        None => {
            let since = i64::try_from(since_boot.as_secs()).unwrap_or(0);
            return Wall::AtLeast(belief.floor.plus(since));
        }
    };
    belief.newest = belief.newest.max(wall.value());
    wall
}

fn system_time() -> UnixSeconds {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixSeconds(i64::try_from(since.as_secs()).unwrap_or(0))
}

/// Two clocks that are both right may differ by this much.
const SKEW_S_MAX: i64 = 300;
/// Ten years in a drawer.
const JUMP_S_MAX: i64 = 10 * 366 * 24 * 3600;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_set_back_revives_nothing() {
        let mut belief = Belief { floor: UnixSeconds(1_000), newest: UnixSeconds(1_000), heard: None };
        assert_eq!(believe(&mut belief, Duration::ZERO), Wall::AtLeast(UnixSeconds(1_000)));
        assert_eq!(believe(&mut belief, Duration::from_secs(7)), Wall::AtLeast(UnixSeconds(1_007)), "a floor rises");
        belief.heard = Some((UnixSeconds(2_000), Duration::from_secs(10)));
        assert_eq!(believe(&mut belief, Duration::from_secs(40)), Wall::Is(UnixSeconds(2_030)));
        belief.heard = Some((UnixSeconds(2_025), Duration::from_secs(50)));
        assert_eq!(
            believe(&mut belief, Duration::from_secs(50)),
            Wall::Is(UnixSeconds(2_030)),
            "a second is no set-back"
        );
        belief.heard = Some((UnixSeconds(500), Duration::from_secs(50)));
        assert_eq!(believe(&mut belief, Duration::from_secs(50)), Wall::AtLeast(UnixSeconds(2_030)));
    }

    #[test]
    fn a_date_beyond_any_life_is_not_believed() {
        let clock = Clock::start(UnixSeconds(1_795_000_000));
        clock.heard(UnixSeconds(4_000_000_000));
        assert!(!clock.now().wall.is_trusted());
        clock.heard(UnixSeconds(1_795_000_100));
        assert!(clock.now().wall.is_trusted());
    }
}
