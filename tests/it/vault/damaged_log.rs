//! A byte of a write-ahead log that is not what was written: SQLite forgets the commits behind it, and whoever is here is told.

use super::opening::left_open;
use super::*;

const HEADER: usize = 32;
const FRAME: usize = 24 + 4096;

/// Flips a bit of a log, and gives what stands there now.
fn damage(log: &Path, at: usize) -> Vec<u8> {
    let mut bytes = std::fs::read(log).expect("a log");
    assert!(bytes.len() > HEADER + FRAME, "a log with frames");
    bytes[at] ^= 1;
    std::fs::write(log, &bytes).expect("written");
    bytes
}

/// Where a frame begins, halfway.
fn in_the_middle(log: &Path) -> usize {
    let frames = (std::fs::metadata(log).expect("a log").len() as usize - HEADER) / FRAME;
    HEADER + frames / 2 * FRAME
}

#[tokio::test]
async fn rows_behind_a_damaged_part_of_the_journals_log_are_missed() {
    let places: [fn(&Path) -> usize; 3] = [|_| 20, |log| in_the_middle(log) + 24 + 100, |log| in_the_middle(log) + 10];
    for place in places {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = open(folder.path());
        live_a_day(&vault).await;
        for number in 0..8 {
            opened_row(&vault, NURSE, &patient(), number).await;
        }
        let rows = vault.cover().await.expect("covered").expect("a head").size;
        let cut = left_open(folder.path());
        drop(vault);
        let log = cut.path().join("journal.db-wal");
        let bytes = damage(&log, place(&log));

        let vault = open(cut.path());
        let branches = vault.branches().await.expect("read");
        assert_eq!(branches.iter().map(|branch| branch.lost_size).collect::<Vec<_>>(), [0], "nobody knows how many");
        assert!(branches[0].index < rows, "{} of {rows}", branches[0].index);
        assert_eq!(vault.sealed_aside().len(), 1);
        let kept = everything(&cut.path().join("aside"));
        let is_it = |(path, kept): &(PathBuf, Vec<u8>)| path.ends_with("journal.db-wal") && kept.len() == bytes.len();
        assert!(kept.iter().any(is_it), "what SQLite does not see is kept: {kept:?}");
        opened_row(&vault, NURSE, &patient(), 9).await;
        // Said once, though a process that is killed leaves a log again.
        let again = left_open(cut.path());
        drop(vault);
        for folder in [again.path(), cut.path()] {
            let vault = open(folder);
            assert_eq!(vault.branches().await.expect("read").len(), 1);
            assert_eq!(vault.sealed_aside().len(), 1);
        }
    }
}

/// Its damaged part stands in the database as it should be: nothing is lost, and nothing old is read in its place.
#[tokio::test]
async fn what_was_written_back_before_the_damage_is_all_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    for number in 0..8 {
        opened_row(&vault, NURSE, &patient(), number).await;
    }
    let rows = vault.cover().await.expect("covered").expect("a head").size;
    let beside = rusqlite::Connection::open(folder.path().join("journal.db")).expect("a database");
    beside.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).expect("written back");
    let cut = left_open(folder.path());
    drop((beside, vault));
    let log = cut.path().join("journal.db-wal");
    damage(&log, in_the_middle(&log) + 24 + 100);
    for _start in 0..2 {
        let vault = open(cut.path());
        assert!(vault.branches().await.expect("read").is_empty());
        assert_eq!(vault.cover().await.expect("covered").expect("a head").size, rows);
        assert_eq!(vault.sealed_aside().len(), 1);
    }
}

/// A kiosk that is killed between the opening and the row that says what was lost: the next start says it.
#[tokio::test]
async fn what_is_to_be_said_is_said_at_the_next_start() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(open(folder.path()));
    std::fs::write(folder.path().join("vault.lock"), b"lost").expect("written");
    drop(open(folder.path()));
    let vault = open(folder.path());
    assert_eq!(vault.branches().await.expect("read").len(), 1, "once");
}

/// A torn last commit is what any power cut leaves.
#[tokio::test]
async fn a_last_commit_that_was_torn_is_no_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    let cut = left_open(folder.path());
    drop(vault);
    for log in ["journal.db-wal".into(), compartment_file(cut.path()).with_extension("db-wal")] {
        let log = cut.path().join(log);
        let last = std::fs::metadata(&log).expect("a log").len() as usize - FRAME;
        damage(&log, last + 24 + 100);
    }
    let vault = open(cut.path());
    assert!(vault.branches().await.expect("read").is_empty());
    assert_eq!(open_compartment(&vault, NURSE, 1, NOON).await.expect("opened"), Opened::Whole);
    assert!(vault.sealed_aside().is_empty());
}

/// A compartment's holder is told, and what stood before the damage is there.
#[tokio::test]
async fn a_damaged_part_of_a_compartments_log_is_missed() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    vault.lock().await;
    unlock(&vault, NURSE, 1).await.expect("opened");
    for text in ["AC-0", "AC-1", "AC-2", "AC-3"] {
        vault.keep_told(text, NOON).await.expect("kept");
    }
    let cut = left_open(folder.path());
    drop(vault);
    let log = compartment_file(cut.path()).with_extension("db-wal");
    let bytes = damage(&log, HEADER + 24 + 100);
    let vault = open(cut.path());
    assert!(vault.branches().await.expect("read").is_empty(), "the journal is whole");
    assert_eq!(open_compartment(&vault, NURSE, 1, NOON).await.expect("opened"), Opened::NewestLost);
    assert_eq!(vault.round().await.expect("read").len(), 2);
    assert_eq!(vault.told("AC-0").await.expect("read"), None, "it is not here any more");
    let kept = everything(&cut.path().join("aside"));
    assert!(kept.iter().any(|(_, kept)| *kept == bytes), "what SQLite does not see is kept");
    vault.lock().await;
    assert_eq!(open_compartment(&vault, NURSE, 1, NOON).await.expect("opened"), Opened::Whole, "said once");
}
