//! How long what was fetched may be kept on the device. Pure.

use crate::time::UnixSeconds;

/// Where the server gives no end: the end of the next working day (UTC), and 72 hours. On Friday evening's round, Monday
/// morning still works, a public holiday after it too.
///
/// `at` is the time itself or a floor: a lease that was begun on a floor ends early rather than late.
pub fn default_end(at: UnixSeconds) -> UnixSeconds {
    let mut day = at.0.div_euclid(DAY_S) + 1;
    // 1970-01-01 was a Thursday: days 2 and 3 of such a week are Saturday and Sunday.
    while matches!(day.rem_euclid(7), 2 | 3) {
        day += 1;
    }
    UnixSeconds((day + 1) * DAY_S).plus(72 * 3_600)
}

const DAY_S: i64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_reaches_past_the_weekend() {
        let end = |text| default_end(UnixSeconds::parse(text).expect("a time")).rfc3339();
        // Monday → end of Tuesday and three days.
        assert_eq!(end("2026-11-23T18:00:00Z"), "2026-11-28T00:00:00Z");
        // Friday → end of Monday and three days; the weekend's days the same.
        assert_eq!(end("2026-11-27T18:00:00Z"), "2026-12-04T00:00:00Z");
        assert_eq!(end("2026-11-28T18:00:00Z"), "2026-12-04T00:00:00Z");
        assert_eq!(end("2026-11-29T18:00:00Z"), "2026-12-04T00:00:00Z");
    }
}
