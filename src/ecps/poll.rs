//! When the telephone is asked about again. Never sooner than the provider allows, never after its request has expired. Pure.

use std::time::Duration;

/// One request's questions, in time since boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poll {
    next: Duration,
    until: Duration,
    interval: Duration,
    /// Questions in a row that nobody answered.
    misses: u32,
}

impl Poll {
    /// `now`: when the request was taken.
    pub fn new(now: Duration, interval_s: u64, expires_in_s: u64) -> Poll {
        let interval = Duration::from_secs(interval_s);
        Poll { next: now + interval, until: now + Duration::from_secs(expires_in_s), interval, misses: 0 }
    }

    /// When to ask next; `None`: the request is over.
    pub fn next(&self) -> Option<Duration> {
        (self.next < self.until && self.misses <= MISSES_MAX).then_some(self.next)
    }

    /// The request's own end.
    pub fn until(&self) -> Duration {
        self.until
    }

    /// Whether it ended because the network did.
    pub fn is_cut_off(&self) -> bool {
        self.misses > MISSES_MAX
    }

    /// Nobody has touched the telephone yet.
    pub fn pending(&mut self, now: Duration) {
        self.misses = 0;
        self.next = now + self.interval;
    }

    /// Five seconds more, for this request's whole life (CIBA Core §11).
    pub fn slow_down(&mut self, now: Duration) {
        self.interval += SLOWER_BY;
        self.pending(now);
    }

    /// No answer came: twice as long each time, as RFC 8628 §3.5 has it.
    pub fn missed(&mut self, now: Duration) {
        self.next = now + self.interval * 2u32.pow(self.misses.min(MISSES_MAX));
        self.misses += 1;
    }
}

const SLOWER_BY: Duration = Duration::from_secs(5);
/// After that many silent questions, and one more, there is no network.
const MISSES_MAX: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn it_never_asks_sooner_than_it_may() {
        let mut poll = Poll::new(s(100), 5, 120);
        assert_eq!(poll.next(), Some(s(105)));
        poll.pending(s(106));
        assert_eq!(poll.next(), Some(s(111)));
        poll.slow_down(s(111));
        assert_eq!(poll.next(), Some(s(121)));
        poll.pending(s(121));
        assert_eq!(poll.next(), Some(s(131)), "slower for good");
        poll.slow_down(s(131));
        assert_eq!(poll.next(), Some(s(146)));
    }

    #[test]
    fn it_ends_with_its_request() {
        let mut poll = Poll::new(s(100), 5, 12);
        poll.pending(s(106));
        assert_eq!(poll.next(), Some(s(111)));
        poll.pending(s(111));
        assert_eq!(poll.next(), None);
        assert!(!poll.is_cut_off());
    }

    #[test]
    fn silence_makes_it_wait_longer_and_then_give_up() {
        let mut poll = Poll::new(s(0), 5, 600);
        let mut asked = Vec::new();
        while let Some(next) = poll.next() {
            asked.push(next.as_secs());
            poll.missed(next);
        }
        assert_eq!(asked, [5, 10, 20, 40]);
        assert!(poll.is_cut_off());
        let mut healed = Poll::new(s(0), 5, 600);
        healed.missed(s(5));
        healed.missed(s(10));
        healed.pending(s(20));
        assert_eq!(healed.next(), Some(s(25)));
    }
}
