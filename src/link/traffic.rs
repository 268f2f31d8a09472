//! How many bytes went over the line, and what a day may cost on a metered one: counted where they pass, kept over restarts.
//!
//! What is counted is what TCP carries, TLS included; its own headers are three parts in a hundred more. When the day's budget is
//! spent nothing more is prepared in advance; what a person waits for, and what the law wants delivered, goes on.

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

/// Shared by all that share one line. Cheap to clone.
#[derive(Clone)]
pub struct Traffic(Arc<Counts>);

struct Counts {
    bytes: AtomicU64,
    /// Beyond it, the day's budget is spent.
    until: AtomicU64,
}

/// One day's account. No personal data: it lies in clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// `2026-11-23`, where the device stands.
    pub date: String,
    pub bytes: u64,
    /// `None`: the line is not metered.
    pub budget_bytes: Option<u64>,
}

/// The account on the disk.
pub struct Ledger {
    path: PathBuf,
    traffic: Traffic,
    day: Day,
    /// How much of the traffic is in it.
    entered: u64,
}

/// Below the state folder.
pub const FILE: &str = "traffic";

impl Default for Traffic {
    fn default() -> Traffic {
        Traffic(Arc::new(Counts { bytes: AtomicU64::new(0), until: AtomicU64::new(u64::MAX) }))
    }
}

impl Traffic {
    pub(super) fn count(&self, bytes: usize) {
        self.0.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Both ways, since the program started.
    pub fn bytes(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }

    pub fn is_spent(&self) -> bool {
        self.bytes() >= self.0.until.load(Ordering::Relaxed)
    }
}

impl Day {
    /// As the ledger wrote it; `None` where there is none, or none that can be read.
    pub fn read(path: &Path) -> Option<Day> {
        let text = std::fs::read_to_string(path).ok()?;
        let mut words = text.split_whitespace();
        let (date, bytes, budget) = (words.next()?, words.next()?, words.next()?);
        let budget_bytes = if budget == "-" { None } else { Some(budget.parse().ok()?) };
        Some(Day { date: date.to_owned(), bytes: bytes.parse().ok()?, budget_bytes })
    }

    fn text(&self) -> String {
        let budget = self.budget_bytes.map_or_else(|| "-".to_owned(), |budget| budget.to_string());
        format!("{} {} {budget}\n", self.date, self.bytes)
    }
}

impl Ledger {
    /// Goes on with the day that lies there.
    pub fn open(folder: &Path, traffic: &Traffic, budget_bytes: Option<u64>) -> Ledger {
        let path = folder.join(FILE);
        let day = Day::read(&path).unwrap_or(Day { date: String::new(), bytes: 0, budget_bytes });
        let ledger =
            Ledger { path, traffic: traffic.clone(), day: Day { budget_bytes, ..day }, entered: traffic.bytes() };
        ledger.bound();
        ledger
    }

    /// Enters what went since the last time. Another day begins at nought.
    pub fn enter(&mut self, date: &str) -> io::Result<()> {
        let bytes = self.traffic.bytes();
        let before = self.day.clone();
        if self.day.date != date {
            self.day = Day { date: date.to_owned(), bytes: 0, ..self.day.clone() };
        }
        self.day.bytes += bytes - self.entered;
        self.entered = bytes;
        self.bound();
        if self.day == before {
            return Ok(());
        }
        // Whole or not at all; a power cut costs the last minutes' count.
        let beside = self.path.with_extension("new");
        std::fs::write(&beside, self.day.text()).and_then(|()| std::fs::rename(&beside, &self.path))
    }

    /// What is entered of the day so far.
    pub fn day(&self) -> &Day {
        &self.day
    }

    fn bound(&self) {
        let left = self.day.budget_bytes.map(|budget| budget.saturating_sub(self.day.bytes));
        let until = left.map_or(u64::MAX, |left| self.entered + left);
        self.traffic.0.until.store(until, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_days_budget_outlives_a_restart_and_not_its_day() {
        let folder = tempfile::tempdir().expect("a folder");
        let traffic = Traffic::default();
        let mut ledger = Ledger::open(folder.path(), &traffic, Some(1000));
        ledger.enter("2026-11-23").expect("written");
        traffic.count(600);
        ledger.enter("2026-11-23").expect("written");
        assert!(!traffic.is_spent());

        let again = Traffic::default();
        let mut ledger = Ledger::open(folder.path(), &again, Some(1000));
        again.count(399);
        assert!(!again.is_spent(), "999 of 1000");
        again.count(1);
        assert!(again.is_spent(), "before it was entered");
        ledger.enter("2026-11-23").expect("written");
        let path = folder.path().join(FILE);
        let expected = Day { date: "2026-11-23".into(), bytes: 1000, budget_bytes: Some(1000) };
        assert_eq!(Day::read(&path), Some(expected));

        ledger.enter("2026-11-24").expect("written");
        assert!(!again.is_spent());
        assert_eq!(Day::read(&path).map(|day| day.bytes), Some(0));
    }

    #[test]
    fn a_line_that_is_not_metered_is_counted_and_never_spent() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE);
        for broken in ["", "2026-11-23", "2026-11-23 x -", "2026-11-23 5 x"] {
            std::fs::write(&path, broken).expect("written");
            assert_eq!(Day::read(&path), None, "{broken}");
        }
        let traffic = Traffic::default();
        let mut ledger = Ledger::open(folder.path(), &traffic, None);
        traffic.count(usize::MAX >> 1);
        ledger.enter("2026-11-23").expect("written");
        assert!(!traffic.is_spent());
        assert_eq!(Day::read(&path).map(|day| day.budget_bytes), Some(None));
    }
}
