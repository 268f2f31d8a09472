//! The life of a device that nobody tells the time: it is unplugged for minutes or months, its clock jumps, servers are set
//! back, and leases run. After every step what still serves is checked against what the world alone knows: the true time, how
//! long the device was really on, and how often it was started.

use chevet::time::UnixSeconds;
use chevet::time::Wall;
use chevet::time::belief::Belief;
use chevet::time::belief::SKEW_S_MAX;
use chevet::time::belief::STARTS_MAX;
use chevet::time::belief::Witnessed;
use chevet::time::lease;
use std::time::Duration;

/// What goes wrong on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slip {
    None,
    /// The journal counts no starts.
    StartsUncounted,
    /// What the device was on is not written down.
    FloorForgotten,
}

/// What a run got to.
#[derive(Debug, Default)]
pub struct Seen {
    pub by_trust: u32,
    pub by_floor: u32,
    pub over: u32,
    pub lost: u32,
    pub found_again: u32,
}

struct Lease {
    end: UnixSeconds,
    granted: UnixSeconds,
    /// Of the world's, at the grant.
    on_s: i64,
    starts: u32,
    ended: bool,
    lost: bool,
}

pub struct Device {
    seed: u64,
    slip: Slip,
    dice: fastrand::Rng,
    truth: UnixSeconds,
    /// Since the device was made: seconds on, and starts.
    on_s: i64,
    starts: u32,
    untrusted_starts: u32,
    /// The journal.
    newest: UnixSeconds,
    counted: u32,
    /// This boot.
    belief: Belief,
    since_boot: Duration,
    leases: Vec<Lease>,
    /// Only when every server was right may the floor be held against the truth.
    servers_right: bool,
    pub seen: Seen,
}

const FRIDAY_EVENING: UnixSeconds = UnixSeconds(1_795_806_000);
const WRITE_EVERY_S: i64 = 300;

impl Device {
    pub fn new(seed: u64, slip: Slip) -> Device {
        let newest = FRIDAY_EVENING.plus(-40);
        let belief = Belief::start(Witnessed { newest, starts: 1 }, Duration::ZERO);
        Device {
            seed,
            slip,
            dice: fastrand::Rng::with_seed(seed),
            truth: FRIDAY_EVENING,
            on_s: 0,
            starts: 1,
            untrusted_starts: 1,
            newest,
            counted: 1,
            belief,
            since_boot: Duration::from_secs(30),
            leases: Vec::new(),
            servers_right: true,
            seen: Seen::default(),
        }
    }

    pub fn live(mut self, steps: u32) -> Seen {
        for _ in 0..steps {
            match self.dice.u32(0..100) {
                0..=44 => {
                    let seconds = self.dice.i64(0..5 * 3_600);
                    self.stay_on(seconds);
                }
                45..=69 => {
                    let off_s = [30, 3_600, 12 * 3_600, 3 * 86_400, 40 * 86_400][self.dice.usize(0..5)];
                    let off_s = self.dice.i64(0..off_s);
                    self.restart(off_s);
                }
                70..=74 => {
                    let skew_s = self.dice.i64(-60..60);
                    self.hear(skew_s);
                }
                75 => {
                    self.servers_right = false;
                    let back_s = self.dice.i64(SKEW_S_MAX..400 * 86_400);
                    self.hear(-back_s);
                }
                _ => self.grant(),
            }
            self.check();
        }
        self.seen
    }

    pub fn stay_on(&mut self, seconds: i64) {
        let mut left = seconds;
        while left > 0 {
            let step = left.min(WRITE_EVERY_S);
            (self.truth, self.on_s, left) = (self.truth.plus(step), self.on_s + step, left - step);
            self.since_boot += Duration::from_secs(step.unsigned_abs());
            self.write();
        }
    }

    pub fn restart(&mut self, off_s: i64) {
        self.truth = self.truth.plus(off_s);
        (self.starts, self.untrusted_starts) = (self.starts + 1, self.untrusted_starts + 1);
        if self.slip != Slip::StartsUncounted {
            self.counted += 1;
        }
        // The clock chip says anything; the monotonic clock begins again.
        self.since_boot = Duration::from_secs(self.dice.u64(1..90));
        self.belief = Belief::start(Witnessed { newest: self.newest, starts: self.counted }, self.since_boot);
        self.write();
    }

    pub fn hear(&mut self, wrong_s: i64) {
        // The own clock bears the server out, or was never set.
        let own = if self.dice.bool() { self.truth } else { UnixSeconds(0) };
        self.belief.hear(self.truth.plus(wrong_s), own, self.since_boot);
        self.write();
    }

    pub fn grant(&mut self) {
        let granted = self.wall().value();
        let end = lease::default_end(granted);
        let (on_s, starts) = (self.on_s, self.starts);
        self.leases.push(Lease { end, granted, on_s, starts, ended: false, lost: false });
    }

    pub fn wall(&mut self) -> Wall {
        self.belief.now(self.since_boot)
    }

    /// As `vault::leases` does it: the floor, and what a trusted time forgets.
    fn write(&mut self) {
        let wall = self.wall();
        if wall.is_trusted() {
            (self.counted, self.untrusted_starts) = (0, 0);
        }
        if self.slip != Slip::FloorForgotten || wall.is_trusted() {
            self.newest = self.newest.max(wall.value());
        }
        for lease in &mut self.leases {
            lease.ended |= wall.has_reached(lease.end) == Some(true);
        }
    }

    pub fn check(&mut self) {
        let (seed, wall) = (self.seed, self.wall());
        let before = wall.value();
        if self.servers_right {
            assert!(before.0 <= self.truth.0 + SKEW_S_MAX, "seed {seed}: the floor is ahead of the truth");
        }
        for lease in &mut self.leases {
            let serves = !lease.ended && !wall.is_past(lease.end);
            if !serves {
                lease.lost |= wall.is_lost() && !lease.ended;
                self.seen.over += u32::from(lease.ended);
                self.seen.lost += u32::from(wall.is_lost() && !lease.ended);
                continue;
            }
            self.seen.found_again += u32::from(lease.lost);
            let starts = self.starts - lease.starts;
            // A start loses at most what was not written down yet.
            let on_s = self.on_s - lease.on_s - i64::from(starts) * WRITE_EVERY_S;
            let length = lease.end.0 - lease.granted.0;
            assert!(on_s <= length + SKEW_S_MAX, "seed {seed}: on for longer than its lease, and still served");
            match wall {
                Wall::Is(_) => self.seen.by_trust += 1,
                _ => {
                    self.seen.by_floor += 1;
                    assert!(self.untrusted_starts <= STARTS_MAX, "seed {seed}: started too often, and still served");
                }
            }
            if wall.is_trusted() && self.servers_right {
                assert!(self.truth.0 <= lease.end.0 + SKEW_S_MAX, "seed {seed}: past its end, and served");
            }
        }
        let ended_serves = self.leases.iter().any(|lease| lease.ended && lease.end.0 > wall.value().0);
        assert!(!ended_serves, "seed {seed}: the time that ended a lease is not past any more");
        self.leases.retain(|lease| !lease.ended);
        if self.leases.len() > 20 {
            self.leases.remove(0);
        }
    }

    /// Whether the oldest lease still serves.
    pub fn serves(&mut self) -> bool {
        let wall = self.wall();
        self.leases.first().is_some_and(|lease| !lease.ended && !wall.is_past(lease.end))
    }
}
