//! Dates, times, counts and names on a screen, in either language. A time becomes words in the device's own zone.

use crate::patient::ins::BirthDate;
use crate::say::Lang;
pub use crate::say::french;
use crate::time::Now;
use crate::time::UnixSeconds;
use jiff::Timestamp;
use jiff::Zoned;
use jiff::tz::TimeZone;

const DAYS: [&str; 7] = ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"];
const MONTHS: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];
const ENGLISH_DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const ENGLISH_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A time in the device's zone; an unknown zone reads as UTC, an impossible time as 1970.
pub fn local(at: UnixSeconds, zone: &str) -> Zoned {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    Timestamp::from_second(at.0).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone)
}

/// `08:42`, for the idle page's clock.
pub fn clock(at: &Zoned) -> String {
    format!("{:02}:{:02}", at.hour(), at.minute())
}

/// `7 h 30`, `07:30`.
pub fn time(lang: Lang, at: &Zoned) -> String {
    lang.pick(format!("{}\u{a0}h\u{a0}{:02}", at.hour(), at.minute()), clock(at))
}

/// `12/11/2026`; in English the month has a name, for figures are read in two orders: `12 Nov 2026`.
pub fn date(lang: Lang, at: &Zoned) -> String {
    match lang {
        Lang::French => format!("{:02}/{:02}/{:04}", at.day(), at.month(), at.year()),
        Lang::English => {
            format!("{} {} {:04}", at.day(), short(ENGLISH_MONTHS[usize::from(at.month() as u8 - 1)]), at.year())
        }
    }
}

fn short(month: &str) -> &str {
    month.get(..3).unwrap_or(month)
}

/// `lundi 23 novembre`, `Monday 23 November`.
pub fn long_date(lang: Lang, at: &Zoned) -> String {
    let (weekday, month) = (usize::from(at.weekday().to_monday_zero_offset() as u8), usize::from(at.month() as u8 - 1));
    match (lang, at.day()) {
        (Lang::French, 1) => format!("{} 1er {}", DAYS[weekday], MONTHS[month]),
        (Lang::French, day) => format!("{} {day} {}", DAYS[weekday], MONTHS[month]),
        (Lang::English, day) => format!("{} {day} {}", ENGLISH_DAYS[weekday], ENGLISH_MONTHS[month]),
    }
}

/// How a moment is told at `now`: its time today, else its date. By a clock that is only a floor, nothing is "today".
pub fn moment(lang: Lang, at: UnixSeconds, now: Now, zone: &str) -> String {
    let then = local(at, zone);
    if is_today(at, now, zone) { time(lang, &then) } else { date(lang, &then) }
}

/// Whether that moment is told by its time alone.
pub fn is_today(at: UnixSeconds, now: Now, zone: &str) -> bool {
    now.wall.is_trusted() && at.is_same_day(now.wall.value(), zone)
}

/// How long ago, in the largest unit: `5 min`, `2 h`, `3 j`; nothing for what is younger than a minute.
pub fn age(lang: Lang, since: UnixSeconds, now: Now) -> String {
    let seconds = now.wall.value().0.saturating_sub(since.0).max(0);
    match seconds {
        0..60 => String::new(),
        60..3_600 => format!("{}\u{a0}min", seconds / 60),
        3_600..86_400 => format!("{}\u{a0}h", seconds / 3_600),
        _ => format!("{}\u{a0}{}", seconds / 86_400, lang.pick("j", "d")),
    }
}

/// `15/06/1953`, `15 Jun 1953`; an unknown day or month stays `00`, as the register says it.
pub fn birth_date(lang: Lang, born: BirthDate) -> String {
    let named = usize::from(born.month).checked_sub(1).and_then(|month| ENGLISH_MONTHS.get(month));
    match (lang, named) {
        (Lang::English, Some(month)) => format!("{:02} {} {:04}", born.day, short(month), born.year),
        _ => format!("{:02}/{:02}/{:04}", born.day, born.month, born.year),
    }
}

/// `1 document`, `4 documents`, singular and plural in each language. Zero is singular in French, plural in English.
pub fn count(lang: Lang, number: u32, french: [&str; 2], english: [&str; 2]) -> String {
    let [one, many] = lang.pick(french, english);
    let is_one = lang.pick(number < 2, number == 1);
    format!("{number}\u{a0}{}", if is_one { one } else { many })
}

/// `12 Ko`, `840 Ko`, `18,4 Mo`: thousands, as networks count; `18.4 MB` in English.
pub fn size(lang: Lang, bytes: u64) -> String {
    let (kilo, mega, point) = lang.pick(("Ko", "Mo", ","), ("kB", "MB", "."));
    match bytes {
        0..1_000_000 => format!("{}\u{a0}{kilo}", bytes.div_ceil(1_000)),
        1_000_000..100_000_000 => {
            let tenths = (bytes + 50_000) / 100_000;
            format!("{}{point}{}\u{a0}{mega}", tenths / 10, tenths % 10)
        }
        _ => format!("{}\u{a0}{mega}", bytes / 1_000_000),
    }
}

/// How long something will take, as far as that can be known.
pub fn duration(lang: Lang, seconds: u64) -> String {
    let about = lang.pick("environ", "about");
    match seconds {
        0..50 => lang.pick("moins d’une minute", "less than a minute").to_owned(),
        50..3_000 => format!("{about} {}\u{a0}min", (seconds + 30) / 60),
        _ => format!("{about} {}\u{a0}h\u{a0}{:02}", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// `2 79 03 51 215 189 89`: a matricule as it is printed, however much of it there is.
pub fn matricule(digits: &str) -> String {
    let ends = [1, 3, 5, 7, 10, 13];
    let mut spaced = String::with_capacity(22);
    for (at, digit) in digits.chars().enumerate() {
        if ends.contains(&at) {
            spaced.push('\u{a0}');
        }
        spaced.push(digit);
    }
    spaced
}

/// `Dominique`, from capitals; compound names keep a capital at each part.
pub fn given_name(name: &str) -> String {
    let mut set = String::with_capacity(name.len());
    let mut starts = true;
    for letter in name.chars() {
        if starts {
            set.extend(letter.to_uppercase());
        } else {
            set.extend(letter.to_lowercase());
        }
        starts = matches!(letter, ' ' | '-' | '\'' | '’');
    }
    set
}

/// `NOM Prénom`: the family name in capitals, then the first of the given names.
pub fn full_name(family: &str, given: &str) -> String {
    let first = given.split(' ').next().unwrap_or("");
    format!("{} {}", family.to_uppercase(), given_name(first)).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Wall;
    use std::time::Duration;

    const PARIS: &str = "Europe/Paris";
    const FR: Lang = Lang::French;
    const EN: Lang = Lang::English;

    fn at(text: &str) -> UnixSeconds {
        UnixSeconds::parse(text).expect("a time")
    }

    #[test]
    fn a_time_is_told_in_the_zone_of_the_bed() {
        // Summer and winter: +2 h and +1 h.
        assert_eq!(time(FR, &local(at("2026-07-14T05:30:00Z"), PARIS)), "7\u{a0}h\u{a0}30");
        assert_eq!(time(FR, &local(at("2026-11-23T06:05:00Z"), PARIS)), "7\u{a0}h\u{a0}05");
        assert_eq!(clock(&local(at("2026-11-23T07:42:00Z"), PARIS)), "08:42");
        assert_eq!(date(FR, &local(at("2026-11-12T23:30:00Z"), PARIS)), "13/11/2026");
        assert_eq!(long_date(FR, &local(at("2026-11-23T07:42:00Z"), PARIS)), "lundi 23 novembre");
        assert_eq!(long_date(FR, &local(at("2026-02-01T07:42:00Z"), PARIS)), "dimanche 1er février");
        assert_eq!(date(FR, &local(at("2026-11-12T10:00:00Z"), "Nowhere/Land")), "12/11/2026");
    }

    #[test]
    fn yesterday_is_a_date_and_today_a_time() {
        let now = Now { since_boot: Duration::ZERO, wall: Wall::Is(at("2026-11-23T07:42:00Z")) };
        assert_eq!(moment(FR, at("2026-11-22T23:30:00Z"), now, PARIS), "0\u{a0}h\u{a0}30");
        assert_eq!(moment(FR, at("2026-11-22T22:30:00Z"), now, PARIS), "22/11/2026");
        assert_eq!(age(FR, at("2026-11-23T07:41:30Z"), now), "");
        assert_eq!(age(FR, at("2026-11-23T07:12:00Z"), now), "30\u{a0}min");
        assert_eq!(age(FR, at("2026-11-23T05:12:00Z"), now), "2\u{a0}h");
        assert_eq!(age(FR, at("2026-11-20T05:12:00Z"), now), "3\u{a0}j");
        // A row from the future is of no age, not of a negative one.
        assert_eq!(age(FR, at("2026-11-24T05:12:00Z"), now), "");
    }

    #[test]
    fn names_and_counts_are_french() {
        assert_eq!(full_name("Lefèvre", "MARIE-ÈVE ODETTE"), "LEFÈVRE Marie-Ève");
        assert_eq!(full_name("Pat-Trois", ""), "PAT-TROIS");
        assert_eq!(count(FR, 0, ["document", "documents"], ["", ""]), "0\u{a0}document");
        assert_eq!(count(FR, 4, ["document", "documents"], ["", ""]), "4\u{a0}documents");
        assert_eq!(
            [0, 1, 840_000, 18_440_000, 150_000_000].map(|bytes| size(FR, bytes)),
            ["0\u{a0}Ko", "1\u{a0}Ko", "840\u{a0}Ko", "18,4\u{a0}Mo", "150\u{a0}Mo"]
        );
        assert_eq!(
            [0, 90, 700, 4_000].map(|seconds| duration(FR, seconds)),
            ["moins d’une minute", "environ 2\u{a0}min", "environ 12\u{a0}min", "environ 1\u{a0}h\u{a0}06"]
        );
        assert_eq!(matricule("279035121518989"), "2\u{a0}79\u{a0}03\u{a0}51\u{a0}215\u{a0}189\u{a0}89");
        assert_eq!(matricule("279"), "2\u{a0}79");
    }

    #[test]
    fn english_is_plain() {
        let then = local(at("2026-11-12T06:05:00Z"), PARIS);
        assert_eq!((time(EN, &then), date(EN, &then)), ("07:05".to_owned(), "12 Nov 2026".to_owned()));
        assert_eq!(long_date(EN, &local(at("2026-02-01T07:42:00Z"), PARIS)), "Sunday 1 February");
        let documents = |number| count(EN, number, ["", ""], ["document", "documents"]);
        assert_eq!([0, 1, 2].map(documents), ["0\u{a0}documents", "1\u{a0}document", "2\u{a0}documents"]);
        assert_eq!(size(EN, 18_440_000), "18.4\u{a0}MB");
        assert_eq!([0, 4_000].map(|seconds| duration(EN, seconds)), ["less than a minute", "about 1\u{a0}h\u{a0}06"]);
        let born = |month| birth_date(EN, BirthDate { day: 5, month, year: 1953 });
        assert_eq!((born(6), born(0)), ("05 Jun 1953".to_owned(), "05/00/1953".to_owned()));
    }
}
