//! The INS: matricule, the OID that says which kind, and the five traits that go with it.

use crate::time::UnixSeconds;

/// The INS number: 15 characters and the OID of its kind. Two patients never share one.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ins {
    pub matricule: String,
    pub kind: InsKind,
}

/// Which register gave the matricule; only [`InsKind::Nir`] and [`InsKind::Nia`] are real.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InsKind {
    /// 1.2.250.1.213.1.4.8
    Nir,
    /// 1.2.250.1.213.1.4.9
    Nia,
    /// 1.2.250.1.213.1.4.10: invented people.
    Test,
}

/// TRE sex of the INS: M, F, or I (indeterminate).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sex {
    Male,
    Female,
    Indeterminate,
}

/// The patient as identified locally: the INS and its five traits. What the DMP says of identity is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Patient {
    pub ins: Ins,
    pub birth_name: String,
    /// All of them, in order, separated by spaces.
    pub birth_given_names: String,
    pub sex: Sex,
    /// Year, month, day. The INS allows day and month 00 for some births abroad.
    pub birth_date: BirthDate,
    /// INSEE code of the birthplace, five characters; optional in a scan.
    pub birth_place: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BirthDate {
    pub year: u16,
    pub month: u8,
    pub day: u8,
}

/// Why an INS cannot be used, each with its own sentence on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InsError {
    #[error("the matricule is not 15 characters of the INS alphabet")]
    Shape,
    #[error("the key does not match the 13 first characters")]
    Key,
    #[error("the OID names no known kind of INS")]
    Kind,
}

impl InsKind {
    pub fn oid(self) -> &'static str {
        match self {
            InsKind::Nir => "1.2.250.1.213.1.4.8",
            InsKind::Nia => "1.2.250.1.213.1.4.9",
            InsKind::Test => "1.2.250.1.213.1.4.10",
        }
    }

    pub fn from_oid(oid: &str) -> Option<InsKind> {
        [InsKind::Nir, InsKind::Nia, InsKind::Test].into_iter().find(|kind| kind.oid() == oid)
    }
}

impl Ins {
    /// Checks shape and key: 97 − (13 digits mod 97), with 2A read as 19 and 2B as 18.
    ///
    /// A key that does not match is [`InsError::Key`]: refused when typed, only warned about when a server says it.
    pub fn checked(matricule: &str, kind: InsKind) -> Result<Ins, InsError> {
        let ins = Ins::unchecked(matricule, kind)?;
        let digits = ins.matricule[..13].replacen("2A", "19", 1).replacen("2B", "18", 1);
        let number: u64 = digits.parse().map_err(|_| InsError::Shape)?;
        let key: u64 = ins.matricule[13..].parse().map_err(|_| InsError::Shape)?;
        if key == 97 - number % 97 { Ok(ins) } else { Err(InsError::Key) }
    }

    /// Checks the shape only, for what a server or a scan says.
    pub fn unchecked(matricule: &str, kind: InsKind) -> Result<Ins, InsError> {
        let plain: String = matricule.chars().filter(|c| !c.is_whitespace()).collect();
        let well_formed = plain.len() == 15
            && plain.bytes().enumerate().all(|(at, b)| b.is_ascii_digit() || (at == 6 && matches!(b, b'A' | b'B')));
        if well_formed { Ok(Ins { matricule: plain, kind }) } else { Err(InsError::Shape) }
    }

    /// `matricule^oid`, as it enters a trace and a lookup key.
    pub fn key(&self) -> String {
        format!("{}^{}", self.matricule, self.kind.oid())
    }
}

impl Patient {
    /// Completed years at `now`; `None` when the clock is no help or the date is partial.
    pub fn age_years(&self, now: UnixSeconds) -> Option<u16> {
        let today = jiff::Timestamp::from_second(now.0).ok()?.to_zoned(jiff::tz::TimeZone::UTC).date();
        if self.birth_date.month == 0 || self.birth_date.day == 0 {
            return None;
        }
        let years = today.year() - i16::try_from(self.birth_date.year).ok()?;
        let had_birthday = (today.month() as u8, today.day() as u8) >= (self.birth_date.month, self.birth_date.day);
        u16::try_from(if had_birthday { years } else { years - 1 }).ok()
    }
}

impl std::fmt::Debug for Ins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ins([REDACTED])")
    }
}

impl std::fmt::Debug for Patient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Patient([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_checked_corsica_included() {
        assert!(Ins::checked("279035121518989", InsKind::Test).is_ok());
        assert!(Ins::checked("2 77 07 63 220 829 10", InsKind::Nir).is_ok());
        assert_eq!(Ins::checked("279035121518988", InsKind::Test), Err(InsError::Key));
        assert_eq!(Ins::checked("27903512151898", InsKind::Test), Err(InsError::Shape));
        assert_eq!(Ins::checked("27903512151898é", InsKind::Test), Err(InsError::Shape));
        // 1 80 05 2A 004 001: key 97 - (1800519004001 mod 97).
        let key = 97 - 1_800_519_004_001_u64 % 97;
        assert!(Ins::checked(&format!("180052A004001{key:02}"), InsKind::Nir).is_ok());
    }

    #[test]
    fn a_birthday_counts_on_its_day() {
        let patient = Patient {
            ins: Ins::unchecked("279035121518989", InsKind::Test).expect("well formed"),
            birth_name: "PAT-TROIS".into(),
            birth_given_names: "DOMINIQUE".into(),
            sex: Sex::Female,
            birth_date: BirthDate { year: 1979, month: 3, day: 28 },
            birth_place: None,
        };
        assert_eq!(patient.age_years(UnixSeconds::parse("2026-03-27").expect("a date")), Some(46));
        assert_eq!(patient.age_years(UnixSeconds::parse("2026-03-28").expect("a date")), Some(47));
    }
}
