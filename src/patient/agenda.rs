//! The practice's agenda, as its software writes it out (iCalendar, RFC 5545): who is visited on the next day of visits, and when.
//!
//! A patient is named by their INS, nowhere else agreed on and so looked for in every text of an appointment: the datamatrix's
//! payload, or the number whose key is right. A name is never taken for one. The file comes from elsewhere: it is bounded in
//! size, depth and number before anything is understood of it.

use crate::patient::datamatrix;
use crate::patient::ins::Ins;
use crate::patient::ins::InsKind;
use crate::patient::ins::Patient;
use crate::time::UnixSeconds;
use icalendar::parser::Component;
use icalendar::parser::Property;
use jiff::Timestamp;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rrule::RRuleSet;

/// One day of visits, the earliest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Agenda {
    pub visits: Vec<Appointment>,
    /// Appointments of that day without an INS, or whose rule cannot be followed.
    pub unreadable: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appointment {
    pub at: UnixSeconds,
    pub who: Who,
}

/// As much as an appointment says of a patient.
#[derive(Clone, PartialEq, Eq)]
pub enum Who {
    /// All five traits.
    Patient(Box<Patient>),
    /// The matricule alone.
    Number(String),
}

/// Why a file is no agenda. What stands in it is not in here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AgendaError {
    #[error("not an iCalendar file")]
    NotCalendar,
    #[error("more than {EVENTS_MAX} appointments, or components within components without end")]
    TooMuch,
    #[error("the site's time zone is not known")]
    Zone,
}

/// The day of the first visit that is not over, today or tomorrow where the site is.
pub fn read(text: &str, now: UnixSeconds, zone: &str) -> Result<Agenda, AgendaError> {
    let zone = TimeZone::get(zone).map_err(|_| AgendaError::Zone)?;
    let text = icalendar::parser::unfold(text);
    if depth(&text) > DEPTH_MAX || text.matches("BEGIN:VEVENT").count() > EVENTS_MAX {
        return Err(AgendaError::TooMuch);
    }
    let components = icalendar::parser::read_components(&text).map_err(|_| AgendaError::NotCalendar)?;
    let calendar = components.iter().find(|one| one.name.as_str() == "VCALENDAR").ok_or(AgendaError::NotCalendar)?;
    let events: Vec<&Component<'_>> = calendar.components.iter().filter(|one| one.name.as_str() == "VEVENT").collect();
    let today = Timestamp::from_second(now.0).map_err(|_| AgendaError::Zone)?.to_zoned(zone.clone()).date();
    let last = today.checked_add(1.day()).map_err(|_| AgendaError::Zone)?;
    let clock = Clock { zone, days: (today, last) };
    let moved = clock.moved(&events);
    let mut found: Vec<(UnixSeconds, Option<Who>)> = Vec::new();
    let (mut lost, mut steps) = (0, STEPS_MAX);
    for event in events.into_iter().filter(|event| value(event, "STATUS") != Some("CANCELLED")) {
        let who = || event.properties.iter().find_map(|property| named(property.val.as_str()));
        let Some(instances) = clock.occurrences(event, &moved, &mut steps) else {
            lost += 1;
            continue;
        };
        for at in instances {
            found.push((at, who()));
        }
    }
    found.sort_by_key(|(at, _)| *at);
    let to_come = |at: &UnixSeconds| at.0 >= now.0 - LATE_S;
    let Some(day) = found.iter().find(|(at, _)| to_come(at)).and_then(|(at, _)| clock.day(*at)) else {
        return Ok(Agenda { unreadable: lost, ..Agenda::default() });
    };
    found.retain(|(at, _)| clock.day(*at) == Some(day));
    let unreadable = found.iter().filter(|(_, who)| who.is_none()).count();
    let visits = found.into_iter().filter_map(|(at, who)| Some(Appointment { at, who: who? })).collect();
    Ok(Agenda { visits, unreadable: u32::try_from(unreadable).unwrap_or(u32::MAX).saturating_add(lost) })
}

impl Who {
    pub fn is(&self, patient: &Patient) -> bool {
        match self {
            Who::Patient(named) => named.ins == patient.ins,
            Who::Number(matricule) => *matricule == patient.ins.matricule,
        }
    }
}

/// Where the site is, and the days that are looked at.
struct Clock {
    zone: TimeZone,
    days: (Date, Date),
}

/// An instance of a series that stands elsewhere: its series, and when it was to be.
type Moved = Vec<(String, UnixSeconds)>;

impl Clock {
    fn day(&self, at: UnixSeconds) -> Option<Date> {
        Some(Timestamp::from_second(at.0).ok()?.to_zoned(self.zone.clone()).date())
    }

    fn moved(&self, events: &[&Component<'_>]) -> Moved {
        let one = |event: &&Component<'_>| {
            Some((value(event, "UID")?.to_owned(), self.instant(event.find_prop("RECURRENCE-ID")?)?))
        };
        events.iter().filter_map(one).collect()
    }

    /// When an appointment is, on the days that are looked at; `None` when its rule cannot be followed. One that lasts a whole day is
    /// no visit.
    fn occurrences(&self, event: &Component<'_>, moved: &Moved, steps: &mut i64) -> Option<Vec<UnixSeconds>> {
        let Some(begin) = event.find_prop("DTSTART").and_then(|start| self.instant(start)) else {
            return Some(Vec::new());
        };
        let is_in = |at: &UnixSeconds| self.day(*at).is_some_and(|day| self.days.0 <= day && day <= self.days.1);
        let Some(rule) = value(event, "RRULE") else {
            return Some([begin].into_iter().filter(is_in).collect());
        };
        let spared = event.properties.iter().filter(|one| one.name.as_str() == "EXDATE");
        let spared: Vec<UnixSeconds> = spared.flat_map(|one| self.instants(one)).collect();
        let series = value(event, "UID").unwrap_or_default();
        let stays =
            |at: &UnixSeconds| !spared.contains(at) && !moved.iter().any(|(uid, was)| uid == series && was == at);
        Some(self.series(begin, rule, steps)?.into_iter().filter(is_in).filter(stays).collect())
    }

    /// By the wall clock of the site: a visit at half past eight stays there when summer ends. What is followed goes from its
    /// first day to these, each a step: a file that would make many millions of them is not let.
    fn series(&self, begin: UnixSeconds, rule: &str, steps: &mut i64) -> Option<Vec<UnixSeconds>> {
        let rule = &rule.to_ascii_uppercase();
        let part = |name: &str| rule.split(';').filter_map(|part| part.split_once('=')).find(|one| one.0 == name);
        // A day more: it may be written in another zone.
        let yesterday = self.days.0.yesterday().ok()?.strftime("%Y%m%d").to_string();
        if part("UNTIL").and_then(|end| end.1.get(..8)).is_some_and(|end| end < yesterday.as_str()) {
            return Some(Vec::new());
        }
        let edge = |day: Date| Some(day.to_zoned(self.zone.clone()).ok()?.timestamp().as_second());
        let (after, before) = (edge(self.days.0)?, edge(self.days.1.checked_add(1.day()).ok()?)?);
        // Nobody is visited every hour.
        let is_by_days = part("FREQ").is_some_and(|often| ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"].contains(&often.1));
        // Nor at several hours of each: all of them together would be made before the first is looked at.
        let is_at_once =
            ["BYHOUR", "BYMINUTE", "BYSECOND"].iter().all(|name| part(name).is_none_or(|one| !one.1.contains(',')));
        let days = (before.saturating_sub(begin.0) / DAY_S).max(1);
        if !is_by_days || !is_at_once || days > SERIES_DAYS_MAX || days > *steps {
            return None;
        }
        *steps -= days;
        let name = self.zone.iana_name()?;
        let local = Timestamp::from_second(begin.0).ok()?.to_zoned(self.zone.clone()).datetime();
        let text = format!("DTSTART;TZID={name}:{}\nRRULE:{}", local.strftime("%Y%m%dT%H%M%S"), with_utc_end(rule));
        let set: RRuleSet = text.parse().ok()?;
        let utc = |at| Some(chrono::DateTime::from_timestamp(at, 0)?.with_timezone(&rrule::Tz::UTC));
        let dates = set.after(utc(after)?).before(utc(before)?).all(INSTANCES_MAX).dates;
        Some(dates.into_iter().map(|date| UnixSeconds(date.timestamp())).collect())
    }

    /// A zone that is not known is the site's: some programs write names of their own.
    fn instant(&self, property: &Property<'_>) -> Option<UnixSeconds> {
        self.instants(property).into_iter().next()
    }

    fn instants(&self, property: &Property<'_>) -> Vec<UnixSeconds> {
        let zone = property.params.iter().find(|one| one.key.as_str() == "TZID");
        let zone = zone.and_then(|one| TimeZone::get(one.val.as_ref()?.as_str().trim_matches('"')).ok());
        let zone = zone.unwrap_or_else(|| self.zone.clone());
        let one = |text: &str| {
            let text = text.trim();
            let (text, zone) = match text.strip_suffix('Z') {
                Some(utc) => (utc, TimeZone::UTC),
                None => (text, zone.clone()),
            };
            let local = DateTime::strptime("%Y%m%dT%H%M%S", text).ok()?;
            Some(UnixSeconds(local.to_zoned(zone).ok()?.timestamp().as_second()))
        };
        property.val.as_str().split(',').filter_map(one).collect()
    }
}

fn value<'a>(event: &'a Component<'_>, name: &str) -> Option<&'a str> {
    event.find_prop(name).map(|property| property.val.as_str())
}

/// A rule's end is in UTC where its beginning has a zone (RFC 5545 §3.3.10); many programs write a day or a local time.
fn with_utc_end(rule: &str) -> String {
    let part = |part: &str| match part.split_once('=') {
        Some(("UNTIL", end)) if !end.ends_with('Z') => format!("UNTIL={}T235959Z", end.get(..8).unwrap_or(end)),
        _ => part.to_owned(),
    };
    rule.split(';').map(part).collect::<Vec<String>>().join(";")
}

/// The patient that a text names, if it names one.
fn named(text: &str) -> Option<Who> {
    let lines = text.split("\\n").flat_map(|line| line.split("\\N")).flat_map(str::lines);
    for line in lines {
        let payload = line.find(DATAMATRIX).and_then(|at| datamatrix::parse(line[at..].trim_end()).ok());
        if let Some(scan) = payload {
            return Some(Who::Patient(Box::new(scan.patient)));
        }
        if let Some(number) = number(line) {
            return Some(Who::Number(number));
        }
    }
    None
}

/// Fifteen characters in a row, spaces between them or not, whose key is right.
fn number(line: &str) -> Option<String> {
    let letters: Vec<char> = line.chars().collect();
    let is_word = |at: usize| letters.get(at).is_some_and(|letter| letter.is_alphanumeric());
    for from in 0..letters.len() {
        if (from > 0 && is_word(from - 1)) || !letters[from].is_ascii_digit() {
            continue;
        }
        let mut found = String::new();
        let mut at = from;
        while found.len() < 15 {
            match letters.get(at) {
                Some(' ' | '\u{a0}' | '\u{202f}') if !found.is_empty() => {}
                Some(letter) if letter.is_ascii_digit() || matches!(letter, 'A' | 'B') => found.push(*letter),
                _ => break,
            }
            at += 1;
        }
        // Which register it is of does not enter its key.
        if found.len() == 15 && !is_word(at) && Ins::checked(&found, InsKind::Nir).is_ok() {
            return Some(found);
        }
    }
    None
}

/// How deep components stand in one another: the reader below goes down with them.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for line in text.lines() {
        let line = line.trim_start().as_bytes();
        if line.get(..6).is_some_and(|begin| begin.eq_ignore_ascii_case(b"BEGIN:")) {
            depth += 1;
            deepest = deepest.max(depth);
        } else if line.get(..4).is_some_and(|end| end.eq_ignore_ascii_case(b"END:")) {
            depth = depth.saturating_sub(1);
        }
    }
    deepest
}

impl std::fmt::Debug for Who {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Who([REDACTED])")
    }
}

/// How a datamatrix of the INS begins: mark and version.
const DATAMATRIX: &str = "IS01";
/// A visit that began two hours ago may still be on.
const LATE_S: i64 = 2 * 3600;
/// VCALENDAR, VEVENT, VALARM; and one more.
const DEPTH_MAX: usize = 4;
/// Some years of a busy practice.
const EVENTS_MAX: usize = 20_000;
/// A series that is older than twenty years is no visit's.
const SERIES_DAYS_MAX: i64 = 20 * 366;
/// Days that series are followed over, all together: a thousand of three years each.
const STEPS_MAX: i64 = 1_000_000;
const DAY_S: i64 = 86_400;
/// Of one series within two days.
const INSTANCES_MAX: u16 = 50;

#[cfg(test)]
mod tests {
    use super::*;

    const PARIS: &str = "Europe/Paris";
    /// Monday 30 November 2026, 7:00 in Paris.
    const MORNING: UnixSeconds = UnixSeconds(1_796_018_400);

    fn calendar(events: &str) -> String {
        format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//essai//FR\r\n{events}END:VCALENDAR\r\n")
            .replace('\n', "\r\n")
            .replace("\r\r", "\r")
    }

    fn event(lines: &str) -> String {
        format!("BEGIN:VEVENT\nUID:1\nDTSTAMP:20261101T080000Z\n{lines}\nEND:VEVENT\n")
    }

    /// Hour in Paris, and the number.
    fn visits(events: &str, now: UnixSeconds) -> (Vec<(String, String)>, u32) {
        let agenda = read(&calendar(events), now, PARIS).expect("an agenda");
        let zone = TimeZone::get(PARIS).expect("Paris");
        let hour = |at: UnixSeconds| {
            let at = Timestamp::from_second(at.0).expect("in range").to_zoned(zone.clone());
            at.strftime("%d %H:%M").to_string()
        };
        let number = |who: Who| match who {
            Who::Patient(patient) => patient.ins.matricule.clone() + "+",
            Who::Number(number) => number,
        };
        (agenda.visits.into_iter().map(|one| (hour(one.at), number(one.who))).collect(), agenda.unreadable)
    }

    fn told(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(hour, who)| ((*hour).to_owned(), (*who).to_owned())).collect()
    }

    #[test]
    fn a_day_is_read_by_its_hours() {
        let events = [
            event("DTSTART;TZID=Europe/Paris:20261130T093000\nSUMMARY:Mme P. pansement\nDESCRIPTION:INS 2 79 03 51 215 189 89\\nSonner deux fois"),
            event("DTSTART:20261130T073000Z\nSUMMARY:255069999999934"),
            event("DTSTART;TZID=Romance Standard Time:20261130T110000\nSUMMARY:Réunion"),
            event("DTSTART:20261130T143000\nSTATUS:CANCELLED\nSUMMARY:255069999999934"),
            event("DTSTART;VALUE=DATE:20261130\nSUMMARY:Férié 255069999999934"),
            event("DTSTART:20261201T080000\nSUMMARY:255069999999934"),
        ]
        .concat();
        let today = told(&[("30 08:30", "255069999999934"), ("30 09:30", "279035121518989")]);
        assert_eq!(visits(&events, MORNING), (today, 1));
        // In the evening the round is tomorrow's.
        let tomorrow = told(&[("01 08:00", "255069999999934")]);
        assert_eq!(visits(&events, MORNING.plus(12 * 3600)), (tomorrow, 0));
        assert_eq!(visits(&events, MORNING.plus(5 * 86_400)), (vec![], 0));
    }

    #[test]
    fn a_series_goes_by_the_clock_on_the_wall_and_without_what_was_taken_out_or_moved() {
        // Since the summer: at half past eight then, and now.
        let series = |more: &str| {
            event(&format!(
                "DTSTART;TZID=Europe/Paris:20260601T083000\nRRULE:FREQ=DAILY{more}\nSUMMARY:255069999999934"
            ))
        };
        let there = told(&[("30 08:30", "255069999999934")]);
        assert_eq!(visits(&series(""), MORNING).0, there);
        assert_eq!(visits(&series(";UNTIL=20261130"), MORNING).0, there, "its last day is one");
        assert_eq!(visits(&series(";UNTIL=20261129"), MORNING).0, vec![]);
        let spared = "\nEXDATE;TZID=Europe/Paris:20261130T083000,20261201T083000";
        assert_eq!(visits(&series(spared), MORNING).0, vec![]);
        let moved = series("")
            + &event(
                "RECURRENCE-ID;TZID=Europe/Paris:20261130T083000\nDTSTART;TZID=Europe/Paris:20261130T170000\nSUMMARY:255069999999934",
            );
        assert_eq!(visits(&moved, MORNING).0, told(&[("30 17:00", "255069999999934")]));
        assert_eq!(visits(&series(";NONSENSE=1"), MORNING), (vec![], 1));
    }

    #[test]
    fn a_series_that_would_be_followed_for_ever_is_counted_and_not_followed() {
        let series =
            |begin: &str, rule: &str| event(&format!("DTSTART:{begin}T083000\nRRULE:{rule}\nSUMMARY:255069999999934"));
        let (none, day) = (vec![], told(&[("30 08:30", "255069999999934")]));
        assert_eq!(visits(&series("20261101", "FREQ=SECONDLY"), MORNING), (none.clone(), 1));
        assert_eq!(visits(&series("20261101", "FREQ=HOURLY;BYHOUR=8"), MORNING), (none.clone(), 1));
        assert_eq!(visits(&series("20261101", "FREQ=DAILY;ByHour=8,9;BYMINUTE=30"), MORNING), (none.clone(), 1));
        assert_eq!(visits(&series("20261101", "FREQ=DAILY;BYHOUR=8;BYMINUTE=30"), MORNING), (day.clone(), 0));
        // Ten years of every day, and one that is long over.
        assert_eq!(visits(&series("20161101", "FREQ=DAILY"), MORNING), (day.clone(), 0));
        assert_eq!(visits(&series("02261101", "FREQ=DAILY;UNTIL=20200101"), MORNING), (none, 0));
        // What is within the budget is followed, in the order of the file; what is not is said.
        assert_eq!(visits(&series("02261101", "FREQ=DAILY"), MORNING), (vec![], 1));
        let many = series("20061201", "FREQ=DAILY").repeat(140);
        let (found, lost) = visits(&many, MORNING);
        assert_eq!((found.len(), lost), (136, 4));
    }

    #[test]
    fn only_an_ins_names_a_patient() {
        let who = |text: &str| match named(text) {
            Some(Who::Patient(patient)) => patient.birth_name.clone(),
            Some(Who::Number(number)) => number,
            None => String::new(),
        };
        assert_eq!(who("INS: 279035121518989 (nir)"), "279035121518989");
        for strange in [
            "279035121518988",
            "27903512151898",
            "2790351215189890",
            "x279035121518989",
            "279035121518989x",
            "PAT-TROIS Dominique, 28/03/1979",
            "tél 01 23 45 67 89",
            "",
        ] {
            assert_eq!(who(strange), "", "{strange}");
        }
        let scan = "Code : IS010000000000000000000000S1279035121518989S21.2.250.1.213.1.4.10\u{1d}S3DOMINIQUE\u{1d}S4PAT-TROIS\u{1d}S5FS628-03-1979S751215";
        assert_eq!(who(scan), "PAT-TROIS");
        assert_eq!(who(&scan.replace('\u{1d}', "<GS>")), "PAT-TROIS");
    }

    #[test]
    fn what_is_no_agenda_is_said_so_and_nothing_goes_deep() {
        let read = |text: &str| read(text, MORNING, PARIS);
        for strange in ["", "BEGIN:", "%PDF-1.7", "BEGIN:VEVENT\nEND:VEVENT\n", "BEGIN:VCALENDAR\nBEGIN:VEVENT\n"] {
            assert_eq!(read(strange), Err(AgendaError::NotCalendar), "{strange:?}");
        }
        let deep = "BEGIN:VEVENT\n".repeat(200_000);
        assert_eq!(read(&calendar(&deep)), Err(AgendaError::TooMuch));
        assert_eq!(read(&calendar(&event("").repeat(EVENTS_MAX + 1))), Err(AgendaError::TooMuch));
        assert_eq!(super::read(&calendar(""), MORNING, "Mars/Olympus"), Err(AgendaError::Zone));
        assert_eq!(read(&calendar("")), Ok(Agenda::default()));
    }
}
