//! `chevet sync status`: what waits to be delivered, what was refused and why, and how far the clock may be believed.
//!
//! It reads the state folder beside whatever kiosk runs on it. What nobody knows is null, never a guess.

use crate::cli;
use crate::cli::Common;
use crate::link::traffic;
use crate::link::traffic::Day;
use crate::time::UnixSeconds;
use crate::vault;
use crate::vault::SetAside;
use serde::Serialize;
use std::path::Path;

#[derive(clap::Subcommand)]
pub enum Verb {
    /// What waits, what was refused, how far the clock may be believed
    #[command(after_help = "Example: chevet sync status --state /var/lib/chevet --json")]
    Status,
}

/// The stable JSON of `sync status`. Times are RFC 3339 UTC or null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    pub waiting: Waiting,
    pub set_aside: Vec<Aside>,
    pub last_success: Option<String>,
    pub anchored: Option<Anchored>,
    /// `is`, or `at_least`: nobody vouched for the time when the newest row was written.
    pub clock: &'static str,
    /// What went over the line on the last day that it was counted.
    pub traffic: Option<Traffic>,
}

/// `budget` is null where the line is not metered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Traffic {
    pub day: String,
    pub bytes: u64,
    pub budget: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    pub traces: u32,
    pub consents: u32,
    pub contributions: u32,
}

/// An item that the server refused for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Aside {
    pub id: String,
    pub kind: String,
    pub since: String,
    pub code: String,
    pub reason: String,
}

/// How much of the journal the upstream vouches for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Anchored {
    pub size: u64,
    pub at: String,
}

/// Does what the verb says; the answer is the exit code.
pub fn run(verb: Verb, common: &Common) -> u8 {
    match verb {
        Verb::Status => match read(&common.state) {
            Ok(found) => {
                let status = Status::of(found, Day::read(&common.state.join(traffic::FILE)));
                if common.json {
                    println!("{}", serde_json::to_string(&status).expect("text and numbers are always JSON"));
                } else {
                    print!("{}", status.text());
                }
                cli::DONE
            }
            Err(error) => {
                cli::complain(&error);
                cli::FAILED
            }
        },
    }
}

/// Counts what waits in that folder, beside a kiosk that may be running on it. Makes nothing and mends nothing.
fn read(folder: &Path) -> Result<vault::Status, vault::Error> {
    cli::look(folder, None)?.status()
}

impl Status {
    pub fn of(found: vault::Status, day: Option<Day>) -> Status {
        let counts = found.waiting;
        let waiting = Waiting { traces: counts.traces, consents: counts.consents, contributions: counts.contributions };
        let set_aside = counts.set_aside.into_iter().map(Aside::of).collect();
        Status {
            waiting,
            set_aside,
            last_success: found.last_success.map(UnixSeconds::rfc3339),
            anchored: found.anchored.map(|anchor| Anchored { size: anchor.size, at: anchor.at.rfc3339() }),
            clock: if found.is_time_trusted { "is" } else { "at_least" },
            traffic: day.map(|day| Traffic { day: day.date, bytes: day.bytes, budget: day.budget_bytes }),
        }
    }

    /// For people; scripts take the JSON.
    fn text(&self) -> String {
        let waiting = &self.waiting;
        let mut lines = vec![
            format!(
                "waiting    {} traces, {} consents, {} contributions",
                waiting.traces, waiting.consents, waiting.contributions
            ),
            format!("set aside  {}", self.set_aside.len()),
        ];
        lines.extend(self.set_aside.iter().map(|item| {
            format!("           {} {} since {}: {} ({})", item.kind, item.id, item.since, item.reason, item.code)
        }));
        lines.push(match &self.anchored {
            Some(anchored) => format!("anchored   {} rows, {}", anchored.size, anchored.at),
            None => "anchored   nothing yet".to_owned(),
        });
        lines.push(format!("last sent  {}", self.last_success.as_deref().unwrap_or("never")));
        if let Some(Traffic { day, bytes, budget }) = &self.traffic {
            let of = budget.map_or(String::new(), |budget| format!(" of {budget}"));
            lines.push(format!("line       {bytes}{of} bytes on {day}"));
        }
        let vouched = if self.clock == "is" { "vouched for" } else { "not vouched for" };
        lines.push(format!("clock      {vouched} when the newest row was written"));
        lines.iter().map(|line| format!("{line}\n")).collect()
    }
}

impl Aside {
    fn of(item: SetAside) -> Aside {
        Aside {
            id: item.id.to_string(),
            kind: item.kind,
            since: item.since.rfc3339(),
            code: item.code,
            reason: item.reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::allowance::Unanchored;
    use crate::vault::Counts;
    use uuid::Uuid;

    #[test]
    fn the_json_is_the_contracts() {
        let refused = SetAside {
            id: Uuid::from_u128(7),
            kind: "consents".into(),
            since: UnixSeconds(1_795_423_320),
            code: "refused".into(),
            reason: "Le dossier est fermé.".into(),
            note_by: None,
        };
        let counts = Counts { traces: 3, consents: 1, contributions: 0, set_aside: vec![refused], oldest: None };
        let at = UnixSeconds(1_795_423_320);
        let found = vault::Status {
            rows: 45,
            root: [0; 32],
            device_key: String::new(),
            waiting: counts,
            sealed_aside: Vec::new(),
            branches: Vec::new(),
            counter: crate::journal::counter::Meant::Never,
            countersigned: 42,
            anchored: Some(vault::Anchored { size: 42, at }),
            last_success: Some(at.plus(1)),
            unanchored: Unanchored::default(),
            is_time_trusted: true,
        };
        let json = serde_json::to_string(&Status::of(found.clone(), None)).expect("JSON");
        let expected = concat!(
            r#"{"waiting":{"traces":3,"consents":1,"contributions":0},"#,
            r#""set_aside":[{"id":"00000000-0000-0000-0000-000000000007","kind":"consents","#,
            r#""since":"2026-11-23T08:42:00Z","code":"refused","reason":"Le dossier est fermé."}],"#,
            r#""last_success":"2026-11-23T08:42:01Z","#,
            r#""anchored":{"size":42,"at":"2026-11-23T08:42:00Z"},"clock":"is","traffic":null}"#
        );
        assert_eq!(json, expected);
        let never = vault::Status { anchored: None, last_success: None, is_time_trusted: false, ..found };
        let day = Day { date: "2026-11-23".into(), bytes: 12, budget_bytes: Some(50) };
        let json = serde_json::to_string(&Status::of(never, Some(day))).expect("JSON");
        let expected = concat!(
            r#""last_success":null,"anchored":null,"clock":"at_least","#,
            r#""traffic":{"day":"2026-11-23","bytes":12,"budget":50}}"#
        );
        assert!(json.ends_with(expected), "{json}");
    }

    #[test]
    fn a_folder_without_a_journal_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(matches!(read(folder.path()), Err(vault::Error::NoJournal)));
        assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 0);
    }
}
