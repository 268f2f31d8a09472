//! Time, and how far to believe it: a kiosk that was unplugged may wake up in 1970.
//!
//! Nothing else reads a clock. `kiosk::main_loop` takes one [`Now`] per event and hands it down. Pure.

pub mod belief;
pub mod lease;

use std::time::Duration;

/// Read once per event, so that one decision sees one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// For deadlines. Never steps back.
    pub since_boot: Duration,
    /// For certificates, leases and the audit trail.
    pub wall: Wall,
}

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixSeconds(pub i64);

/// Wall time. Offline, all we may know is that it is no earlier than the last entry in the vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wall {
    /// A server or NTS said so during this boot, or a clock chip never seen to jump.
    Is(UnixSeconds),
    /// A floor: the true time is this or later.
    AtLeast(UnixSeconds),
    /// A floor that nobody has vouched for over too many starts ([`belief::STARTS_MAX`]): what it cannot tell is denied.
    Lost(UnixSeconds),
}

/// 2026-11-01: no build of this program is older, and so no true time is earlier.
pub const BUILT_AFTER: UnixSeconds = UnixSeconds(1_793_491_200);

impl Wall {
    /// `None` is "cannot tell". What to do about it is `policy`'s decision, not ours.
    pub fn has_reached(self, end: UnixSeconds) -> Option<bool> {
        match self {
            Wall::Is(now) => Some(now >= end),
            Wall::AtLeast(floor) | Wall::Lost(floor) if floor >= end => Some(true),
            Wall::AtLeast(_) | Wall::Lost(_) => None,
        }
    }

    /// Whether what lasts until `end` is over. What a floor cannot tell is tolerated within its budget and over beyond it.
    pub fn is_past(self, end: UnixSeconds) -> bool {
        matches!(self, Wall::Lost(_)) || self.has_reached(end) == Some(true)
    }

    /// True when the budget for not knowing the time is spent.
    pub fn is_lost(self) -> bool {
        matches!(self, Wall::Lost(_))
    }

    /// The value to write down beside its trust, never to decide with.
    pub fn value(self) -> UnixSeconds {
        match self {
            Wall::Is(at) | Wall::AtLeast(at) | Wall::Lost(at) => at,
        }
    }

    /// True when [`Wall::value`] is the time itself and not only its floor.
    pub fn is_trusted(self) -> bool {
        matches!(self, Wall::Is(_))
    }
}

impl UnixSeconds {
    /// RFC 3339 in UTC, whole seconds: `2026-11-23T08:42:00Z`.
    pub fn rfc3339(self) -> String {
        match jiff::Timestamp::from_second(self.0) {
            Ok(at) => at.to_string(),
            Err(_) => jiff::Timestamp::UNIX_EPOCH.to_string(),
        }
    }

    /// Reads RFC 3339, or a FHIR `date` (taken as its first second, UTC). Sub-seconds are cut off.
    pub fn parse(text: &str) -> Option<UnixSeconds> {
        if let Ok(at) = text.parse::<jiff::Timestamp>() {
            return Some(UnixSeconds(at.as_second()));
        }
        let day: jiff::civil::Date = text.parse().ok()?;
        let at = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        Some(UnixSeconds(at.timestamp().as_second()))
    }

    /// Whether both fall on one calendar day of that zone (IANA name; an unknown one reads as UTC).
    pub fn is_same_day(self, other: UnixSeconds, zone: &str) -> bool {
        let zone = jiff::tz::TimeZone::get(zone).unwrap_or(jiff::tz::TimeZone::UTC);
        let day = |at: UnixSeconds| jiff::Timestamp::from_second(at.0).ok().map(|at| at.to_zoned(zone.clone()).date());
        day(self).is_some_and(|date| day(other) == Some(date))
    }

    /// The calendar day there, `2026-11-23` (IANA name; an unknown one reads as UTC).
    pub fn day_in(self, zone: &str) -> String {
        let zone = jiff::tz::TimeZone::get(zone).unwrap_or(jiff::tz::TimeZone::UTC);
        let at = jiff::Timestamp::from_second(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        at.to_zoned(zone).date().to_string()
    }

    /// The hour there, 0 to 23 (as [`UnixSeconds::day_in`]).
    pub fn hour_in(self, zone: &str) -> u8 {
        let zone = jiff::tz::TimeZone::get(zone).unwrap_or(jiff::tz::TimeZone::UTC);
        let at = jiff::Timestamp::from_second(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        at.to_zoned(zone).hour().unsigned_abs()
    }

    /// This moment plus `seconds`.
    pub fn plus(self, seconds: i64) -> UnixSeconds {
        UnixSeconds(self.0.saturating_add(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_floor_below_the_end_cannot_tell() {
        let end = UnixSeconds(100);
        assert_eq!(Wall::Is(UnixSeconds(99)).has_reached(end), Some(false));
        assert_eq!(Wall::Is(UnixSeconds(100)).has_reached(end), Some(true));
        assert_eq!(Wall::AtLeast(UnixSeconds(100)).has_reached(end), Some(true));
        assert_eq!(Wall::AtLeast(UnixSeconds(99)).has_reached(end), None);
    }

    #[test]
    fn beyond_the_budget_what_cannot_be_told_is_over() {
        let end = UnixSeconds(100);
        assert!(!Wall::Is(UnixSeconds(99)).is_past(end) && Wall::Is(UnixSeconds(100)).is_past(end));
        assert!(!Wall::AtLeast(UnixSeconds(99)).is_past(end) && Wall::AtLeast(UnixSeconds(100)).is_past(end));
        assert!(Wall::Lost(UnixSeconds(99)).is_past(end));
        // Nothing begins because nobody knows the time.
        assert_eq!(Wall::Lost(UnixSeconds(99)).has_reached(end), None);
    }

    #[test]
    fn times_are_written_and_read_as_rfc3339() {
        let at = UnixSeconds(1_795_423_320);
        assert_eq!(at.rfc3339(), "2026-11-23T08:42:00Z");
        assert_eq!(UnixSeconds::parse("2026-11-23T09:42:00+01:00"), Some(at));
        assert_eq!(UnixSeconds::parse("2026-11-23").map(UnixSeconds::rfc3339), Some("2026-11-23T00:00:00Z".into()));
        assert_eq!(UnixSeconds::parse("23/11/2026"), None);
    }

    #[test]
    fn a_day_is_that_of_its_place() {
        let at = |text| UnixSeconds::parse(text).expect("a time");
        let (evening, later) = (at("2026-11-23T22:30:00Z"), at("2026-11-23T23:30:00Z"));
        assert!(evening.is_same_day(later, "UTC"));
        assert!(!evening.is_same_day(later, "Europe/Paris"), "it is past midnight there");
        assert!(evening.is_same_day(evening, "Nowhere/AtAll"));
        assert_eq!((later.hour_in("UTC"), later.hour_in("Europe/Paris")), (23, 0));
        assert_eq!((later.day_in("UTC"), later.day_in("Europe/Paris")), ("2026-11-23".into(), "2026-11-24".into()));
    }
}
