//! How long a device may go on without the upstream having taken a checkpoint: by days, and by consultations.
//!
//! A journal that nobody else has seen can be rewritten by whoever has the device and its key; so what it may hold is
//! bounded. When the bound is reached nothing is prefetched and no record is opened in the ordinary way; bris de glace is
//! neither widened nor narrowed by it. While every consultation is anchored, the whole allowance is there, however long ago
//! that was. Pure.

use crate::journal::words::Class;
use crate::time::UnixSeconds;
use crate::time::Wall;

/// What the settings allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub days: u32,
    pub rows: u32,
}

/// Consultations that no anchored checkpoint covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unanchored {
    pub rows: u32,
    /// When the first of them was written.
    pub oldest: Option<UnixSeconds>,
}

/// A fact of the device, as the visit is told it; what it means depends on the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Allowance {
    pub limits: Limits,
    pub unanchored: Unanchored,
}

/// What is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// Less than half is used: nothing to say.
    Plenty,
    /// To be said, with what remains. `days` is rounded down, and at least what the clock can tell.
    Some { days: u32, rows: u32 },
    /// No prefetch and no ordinary opening.
    Nothing,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { days: 7, rows: 5_000 }
    }
}

impl Allowance {
    /// A clock that is only a floor can tell that the days are over, never that they are not: then the rows bound it, and
    /// the floor itself, which rises while the device is on.
    pub fn left(&self, wall: Wall) -> Left {
        let Allowance { limits, unanchored } = *self;
        let Some(oldest) = unanchored.oldest else { return Left::Plenty };
        let end = oldest.plus(i64::from(limits.days) * DAY_S);
        if unanchored.rows >= limits.rows || wall.is_past(end) {
            return Left::Nothing;
        }
        let seconds = (end.0 - wall.value().0).clamp(0, i64::from(limits.days) * DAY_S);
        let rows = limits.rows - unanchored.rows;
        let half_is_left = seconds * 2 > i64::from(limits.days) * DAY_S && rows > limits.rows / 2;
        if half_is_left {
            return Left::Plenty;
        }
        Left::Some { days: u32::try_from(seconds / DAY_S).unwrap_or(0), rows }
    }

    /// Whether a record may be opened in the ordinary way.
    pub fn is_spent(&self, wall: Wall) -> bool {
        self.left(wall) == Left::Nothing
    }
}

impl Unanchored {
    /// One more row, if it is a consultation.
    pub fn add(&mut self, class: Class, at: UnixSeconds) {
        if is_consultation(class) {
            self.rows = self.rows.saturating_add(1);
            self.oldest = Some(self.oldest.map_or(at, |oldest| oldest.min(at)));
        }
    }
}

/// Somebody saw something of a record.
fn is_consultation(class: Class) -> bool {
    match class {
        Class::Listed | Class::Searched | Class::Summary | Class::Opened | Class::Printed => true,
        // An opening in bris de glace is counted by its list, as any other.
        Class::Login
        | Class::Gate
        | Class::BreakGlass
        | Class::Prefetched
        | Class::Contributed
        | Class::Consent
        | Class::Refused
        | Class::Withdrawn
        | Class::Maintenance => false,
    }
}

const DAY_S: i64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    const BEGUN: UnixSeconds = UnixSeconds(1_795_000_000);

    fn left(rows: u32, days: i64, seconds: i64) -> Left {
        let allowance = Allowance { limits: Limits::default(), unanchored: Unanchored { rows, oldest: Some(BEGUN) } };
        allowance.left(Wall::Is(BEGUN.plus(days * DAY_S + seconds)))
    }

    #[test]
    fn it_is_amber_from_the_half_and_spent_at_the_end() {
        for (rows, days, seconds, expected) in [
            (1, 0, 0, Left::Plenty),
            (2_499, 3, 43_199, Left::Plenty),
            (2_500, 0, 0, Left::Some { days: 7, rows: 2_500 }),
            (1, 3, 43_200, Left::Some { days: 3, rows: 4_999 }),
            (4_999, 6, 86_399, Left::Some { days: 0, rows: 1 }),
            (5_000, 0, 0, Left::Nothing),
            (1, 7, 0, Left::Nothing),
            // Set back: no more than the whole.
            (2_500, -30, 0, Left::Some { days: 7, rows: 2_500 }),
        ] {
            assert_eq!(left(rows, days, seconds), expected, "{rows} rows, {days} days and {seconds} s");
        }
    }

    #[test]
    fn what_is_anchored_costs_nothing_however_long_ago() {
        let allowance = Allowance::default();
        assert_eq!(allowance.left(Wall::Is(BEGUN.plus(400 * DAY_S))), Left::Plenty);
    }

    #[test]
    fn a_floor_ends_the_days_and_cannot_promise_them() {
        let unanchored = Unanchored { rows: 10, oldest: Some(BEGUN) };
        let allowance = Allowance { limits: Limits::default(), unanchored };
        assert!(allowance.is_spent(Wall::AtLeast(BEGUN.plus(7 * DAY_S))));
        assert!(!allowance.is_spent(Wall::AtLeast(BEGUN)));
        let full = Allowance { unanchored: Unanchored { rows: 5_000, ..unanchored }, ..allowance };
        assert!(full.is_spent(Wall::AtLeast(BEGUN)), "rows need no clock");
    }

    #[test]
    fn only_what_was_seen_counts() {
        let mut unanchored = Unanchored::default();
        for class in Class::ALL {
            unanchored.add(*class, BEGUN);
        }
        assert_eq!(unanchored, Unanchored { rows: 5, oldest: Some(BEGUN) });
        unanchored.add(Class::Opened, BEGUN.plus(-5));
        assert_eq!(unanchored.oldest, Some(BEGUN.plus(-5)));
    }
}
