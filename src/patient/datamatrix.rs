//! The INS datamatrix, read sequentially: names can contain `S1` … `S7`, so nothing is searched for.

use crate::patient::ins::BirthDate;
use crate::patient::ins::Ins;
use crate::patient::ins::InsError;
use crate::patient::ins::InsKind;
use crate::patient::ins::Patient;
use crate::patient::ins::Sex;

/// What a scan says. It identifies, it does not prove.
pub struct Scan {
    pub patient: Patient,
    /// What looked odd without making the scan useless: told, never blocking.
    pub warnings: Vec<Warning>,
}

/// What looked odd in a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Warning {
    /// The matricule's key does not match: warn, do not block.
    Key,
    /// Day or month 00, or a day that the calendar does not have.
    BirthDate,
    /// The birthplace is not an INSEE code; it is left out.
    BirthPlace,
    /// The OID of invented people.
    TestIns,
}

/// Why a scan is no INS datamatrix. What was scanned is not in here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    #[error("not an INS datamatrix: it does not begin with IS and a version")]
    NotIns,
    #[error("a version of the INS datamatrix that is not known")]
    Version,
    #[error("a field of the datamatrix is malformed or cut short")]
    Field,
    #[error("a field of the datamatrix comes twice")]
    Twice,
    #[error("a field of the datamatrix is missing")]
    Missing,
    #[error("the datamatrix names no known kind of INS")]
    Kind,
}

const MARK: &str = "IS";
const VERSION: &str = "01";
/// After mark and version: 22 characters that version 01 fills with zeros and does not use.
const RESERVED_CHARS: usize = 22;
/// Closes a field that may be longer than it is (ASCII group separator).
const GS: char = '\u{1D}';
/// How some scanners type it, because no keyboard has that key.
const GS_TYPED: &str = "<GS>";

/// How a field ends.
#[derive(Clone, Copy)]
enum Length {
    Exactly(usize),
    /// Closed by GS when shorter than this.
    UpTo(usize),
}

/// S1 to S7, in this order in the table, in any order in a payload.
const FIELDS: [Length; 7] = [
    Length::Exactly(15),
    Length::UpTo(20),
    Length::UpTo(100),
    Length::UpTo(100),
    Length::Exactly(1),
    Length::Exactly(10),
    Length::Exactly(5),
];

/// Reads the payload a scanner gave: what it typed or sent, with or without the end of line it adds.
pub fn parse(payload: &str) -> Result<Scan, ScanError> {
    let [matricule, oid, given_names, birth_name, sex, date, place] = fields(payload)?;
    let required = |field: Option<&str>| field.map(str::to_owned).ok_or(ScanError::Missing);
    let mut warnings = Vec::new();

    let kind = InsKind::from_oid(oid.ok_or(ScanError::Missing)?).ok_or(ScanError::Kind)?;
    if kind == InsKind::Test {
        warnings.push(Warning::TestIns);
    }
    let matricule = matricule.ok_or(ScanError::Missing)?;
    let ins = Ins::unchecked(matricule, kind).map_err(|_| ScanError::Field)?;
    if Ins::checked(matricule, kind) == Err(InsError::Key) {
        warnings.push(Warning::Key);
    }
    let sex = match sex.ok_or(ScanError::Missing)? {
        "M" => Sex::Male,
        "F" => Sex::Female,
        "I" | "U" => Sex::Indeterminate,
        _ => return Err(ScanError::Field),
    };
    let birth_date = birth_date(date.ok_or(ScanError::Missing)?)?;
    if !is_whole(birth_date) {
        warnings.push(Warning::BirthDate);
    }
    let birth_place = place.map(str::trim).filter(|place| !place.is_empty());
    let known_place = birth_place.filter(|place| is_insee(place));
    if birth_place != known_place {
        warnings.push(Warning::BirthPlace);
    }
    let patient = Patient {
        ins,
        birth_name: required(birth_name)?,
        birth_given_names: required(given_names)?,
        sex,
        birth_date,
        birth_place: known_place.map(str::to_owned),
    };
    Ok(Scan { patient, warnings })
}

/// The values of S1 to S7, white space around them taken off; none of them empty.
fn fields(payload: &str) -> Result<[Option<&str>; 7], ScanError> {
    let payload = payload.trim_matches(['\r', '\n', '\t', ' ']);
    let rest = payload.strip_prefix(MARK).ok_or(ScanError::NotIns)?;
    let rest = rest.strip_prefix(VERSION).ok_or(ScanError::Version)?;
    let reserved = rest.get(..RESERVED_CHARS).ok_or(ScanError::NotIns)?;
    if !reserved.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ScanError::NotIns);
    }
    let mut rest = &rest[RESERVED_CHARS..];
    let mut found = [None; 7];
    while !rest.is_empty() {
        let number = rest.strip_prefix('S').and_then(|rest| rest.chars().next()).and_then(|c| c.to_digit(10));
        let at = number.and_then(|number| usize::try_from(number).ok()).and_then(|number| number.checked_sub(1));
        let at = at.filter(|at| *at < FIELDS.len()).ok_or(ScanError::Field)?;
        let (value, after) = value(&rest[2..], FIELDS[at])?;
        if found[at].replace(value).is_some() {
            return Err(ScanError::Twice);
        }
        rest = after;
    }
    Ok(found.map(|value| value.map(str::trim).filter(|value| !value.is_empty())))
}

/// One field's value, and what comes after it and its separator.
fn value(rest: &str, length: Length) -> Result<(&str, &str), ScanError> {
    let (most, exact) = match length {
        Length::Exactly(count) => (count, true),
        Length::UpTo(count) => (count, false),
    };
    let mut end = 0;
    let mut count = 0;
    while count < most && end < rest.len() && separator(&rest[end..]) == 0 {
        end += rest[end..].chars().next().map_or(0, char::len_utf8);
        count += 1;
    }
    if exact && count < most {
        return Err(ScanError::Field);
    }
    // A separator is due after a short value, and tolerated after any: some writers always put one.
    let after = &rest[end..];
    let closed = separator(after);
    if count < most && closed == 0 && !after.is_empty() {
        return Err(ScanError::Field);
    }
    Ok((&rest[..end], &after[closed..]))
}

/// How many bytes the separator at the start of this takes; 0 where there is none.
fn separator(text: &str) -> usize {
    if text.starts_with(GS) {
        GS.len_utf8()
    } else if text.starts_with(GS_TYPED) {
        GS_TYPED.len()
    } else {
        0
    }
}

/// `dd-mm-yyyy`; day and month may be 00, as the INS has it for some births abroad.
fn birth_date(text: &str) -> Result<BirthDate, ScanError> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 10
        && bytes
            .iter()
            .enumerate()
            .all(|(at, byte)| if at == 2 || at == 5 { *byte == b'-' } else { byte.is_ascii_digit() });
    if !shaped {
        return Err(ScanError::Field);
    }
    let number = |from: usize, to: usize| text[from..to].parse::<u16>().map_err(|_| ScanError::Field);
    let small = |from, to| number(from, to).and_then(|n| u8::try_from(n).map_err(|_| ScanError::Field));
    Ok(BirthDate { day: small(0, 2)?, month: small(3, 5)?, year: number(6, 10)? })
}

fn is_whole(date: BirthDate) -> bool {
    let parts = (i16::try_from(date.year), i8::try_from(date.month), i8::try_from(date.day));
    matches!(parts, (Ok(year), Ok(month), Ok(day)) if year >= 1800 && jiff::civil::Date::new(year, month, day).is_ok())
}

/// Five digits, with A or B in second place for Corsica.
fn is_insee(place: &str) -> bool {
    let bytes = place.as_bytes();
    let may = |(at, byte): (usize, &u8)| byte.is_ascii_digit() || (at == 1 && matches!(byte, b'A' | b'B'));
    bytes.len() == 5 && bytes.iter().enumerate().all(may)
}

impl std::fmt::Debug for Scan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scan([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "IS010000000000000000000000";
    const TEST_OID: &str = "1.2.250.1.213.1.4.10";

    fn scan(body: &str) -> Result<Scan, ScanError> {
        parse(&format!("{HEAD}{body}"))
    }

    fn shown(body: &str) -> String {
        let patient = scan(body).expect("an INS datamatrix").patient;
        let place = patient.birth_place.unwrap_or_default();
        let BirthDate { year, month, day } = patient.birth_date;
        let names = format!("{}|{}", patient.birth_given_names, patient.birth_name);
        format!("{}|{names}|{:?}|{day:02}-{month:02}-{year:04}|{place}", patient.ins.key(), patient.sex)
    }

    #[test]
    fn fields_come_in_any_order_with_any_separator() {
        let expected = "279035121518989^1.2.250.1.213.1.4.10|DOMINIQUE ROSE|PAT-TROIS|Female|28-03-1979|51215";
        let usual =
            format!("S1279035121518989S2{TEST_OID}S3DOMINIQUE ROSE\u{1D}S4PAT-TROIS\u{1D}S5FS628-03-1979S751215");
        assert_eq!(shown(&usual), expected);
        assert_eq!(shown(&usual.replace('\u{1D}', "<GS>")), expected);
        assert_eq!(shown(&format!("{usual}\r\n")), expected);
        let turned = format!("S5FS751215S628-03-1979S4PAT-TROIS<GS>S2{TEST_OID}S1279035121518989S3DOMINIQUE ROSE");
        assert_eq!(shown(&turned), expected);
        let always_closed = format!(
            "S1279035121518989<GS>S2{TEST_OID}<GS>S3DOMINIQUE ROSE<GS>S4PAT-TROIS<GS>S5F<GS>S628-03-1979<GS>S751215<GS>"
        );
        assert_eq!(shown(&always_closed), expected);
    }

    #[test]
    fn a_name_may_contain_the_marks_of_fields() {
        let body = format!("S1279035121518989S2{TEST_OID}S3S1MONE S4S5\u{1D}S4S6S7S2\u{1D}S5MS628-03-1979");
        assert_eq!(shown(&body), "279035121518989^1.2.250.1.213.1.4.10|S1MONE S4S5|S6S7S2|Male|28-03-1979|");
    }

    #[test]
    fn a_name_as_long_as_it_may_be_needs_no_separator() {
        let long = "É".repeat(100);
        let body = format!("S1279035121518989S21.2.250.1.213.1.4.8\u{1D}S3{long}S4{long}S5IS628-03-1979");
        let patient = scan(&body).expect("an INS datamatrix").patient;
        assert_eq!((patient.birth_given_names.as_str(), patient.birth_name.as_str()), (long.as_str(), long.as_str()));
        assert_eq!(patient.ins.kind, InsKind::Nir);
    }

    #[test]
    fn what_is_odd_is_told_and_what_is_wrong_is_refused() {
        let body = |matricule: &str, oid: &str, rest: &str| format!("S1{matricule}S2{oid}S3A\u{1D}S4B\u{1D}{rest}");
        let warnings = |text: String| scan(&text).expect("an INS datamatrix").warnings;
        let nir = "1.2.250.1.213.1.4.8\u{1D}";
        assert_eq!(warnings(body("279035121518989", nir, "S5FS628-03-1979S751215")), []);
        assert_eq!(warnings(body("279035121518988", nir, "S5FS628-03-1979")), [Warning::Key]);
        assert_eq!(warnings(body("279035121518989", TEST_OID, "S5FS628-03-1979")), [Warning::TestIns]);
        assert_eq!(warnings(body("279035121518989", nir, "S5FS600-03-1979")), [Warning::BirthDate]);
        assert_eq!(warnings(body("279035121518989", nir, "S5FS630-02-1979")), [Warning::BirthDate]);
        assert_eq!(warnings(body("279035121518989", nir, "S5FS628-03-1979S7PARIS")), [Warning::BirthPlace]);
        assert_eq!(warnings(body("279035121518989", nir, "S5FS628-03-1979S72A004")), []);

        let refused = |text: &str| scan(text).err();
        let whole = body("279035121518989", nir, "S5FS628-03-1979");
        for cut in 0..whole.len() {
            assert!(refused(&whole[..cut]).is_some(), "accepted when cut at {cut}");
        }
        assert_eq!(refused(&body("279035121518989", "1.2.3\u{1D}", "S5FS628-03-1979")), Some(ScanError::Kind));
        assert_eq!(refused(&format!("{whole}S5F")), Some(ScanError::Twice));
        assert_eq!(refused(&format!("{whole}S8x")), Some(ScanError::Field));
        assert_eq!(refused(&body("279035121518989", nir, "S5XS628-03-1979")), Some(ScanError::Field));
        assert_eq!(refused(&body("279035121518989", nir, "S5FS628/03/1979")), Some(ScanError::Field));
        assert_eq!(refused(&body("279035121518989", nir, "S5F")), Some(ScanError::Missing));
        assert_eq!(parse("DC04…").err(), Some(ScanError::NotIns));
        assert_eq!(parse("IS020000").err(), Some(ScanError::Version));
        assert_eq!(parse("").err(), Some(ScanError::NotIns));
    }
}
