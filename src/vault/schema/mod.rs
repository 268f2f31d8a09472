//! Opening a database and bringing it to this program's version, step by step.
//!
//! A step is SQL, frozen once released, and commits together with its number. What is there already is upgraded as a copy,
//! which takes the old one's name only when it is whole and on the disk: whatever happens before leaves the old one as it was.
//!
//! Steps are additive, so that the version before can still read, append and deliver (a system may be put back to it). Each
//! database says since which version a program can do so, in `store.readable_since`: a program that is older than that refuses
//! it and leaves it as it is; one that is not uses it as if the newer steps were not there. A step that an older program would
//! not survive raises the number to its own in the same SQL.

use crate::vault::Error;
use crate::vault::keys::sync_folder;
use rusqlite::Connection;
use rusqlite::OpenFlags;
use rusqlite::Transaction;
use rusqlite::backup::Backup;
use rusqlite::config::DbConfig;
use std::fs::File;
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

pub(super) const JOURNAL: &[&str] = &[
    include_str!("journal-1.sql"),
    include_str!("journal-2.sql"),
    include_str!("journal-3.sql"),
    include_str!("journal-4.sql"),
    include_str!("journal-5.sql"),
    include_str!("journal-6.sql"),
    include_str!("journal-7.sql"),
    include_str!("journal-8.sql"),
];
pub(super) const COMPARTMENT: &[&str] = &[
    include_str!("compartment-1.sql"),
    include_str!("compartment-2.sql"),
    include_str!("compartment-3.sql"),
    include_str!("compartment-4.sql"),
    include_str!("compartment-5.sql"),
    include_str!("compartment-6.sql"),
];

/// How long a look from beside may hold up who writes.
pub(super) const BUSY_MAX: Duration = Duration::from_secs(5);
/// How many pages are copied in one go: nobody else writes meanwhile.
const PAGES: i32 = 1_000;

/// Opens or makes a database. `first` writes the store's own row, in the same transaction as the first step, so that
/// a store without its row never exists.
pub(super) fn open(
    path: &Path,
    steps: &[&str],
    first: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
) -> Result<Connection, Error> {
    let mut database = connect(path)?;
    let found = version(&database)?;
    let known = steps.len() as i64;
    if found == 0 {
        take_steps(&mut database, steps, found, Some(first))?;
    } else if found < 0 || found > known {
        must_be_readable(&database, found, known)?;
    } else if found < known {
        let upgraded = upgrade(database, path, steps, found);
        if upgraded.is_err() {
            // It holds secrets that are to be destroyed one day, and nobody would look for them there.
            drop(remove_copies(path));
        }
        return upgraded;
    }
    // Of an upgrade that a cut ended, under a program that takes no step now.
    remove_copies(path)?;
    Ok(database)
}

/// SQLite reads every page and compares every index with its table: what a failing disk emptied is found at the start, and not
/// taken for rows that never were. `false`: nothing but indexes disagrees. [`Error::Damaged`]: more does. (A fifth of a second
/// for 100,000 rows.)
pub(super) fn agrees(database: &Connection) -> Result<bool, Error> {
    if says_ok(database, "PRAGMA integrity_check(1)")? {
        return Ok(true);
    }
    if says_ok(database, "PRAGMA quick_check(1)")? { Ok(false) } else { Err(damaged("quick_check")) }
}

fn says_ok(database: &Connection, question: &str) -> Result<bool, Error> {
    let said: String = database.query_row(question, [], |row| row.get(0)).map_err(opening)?;
    Ok(said == "ok")
}

pub(super) fn damaged(found_by: &str) -> Error {
    let corrupt = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    Error::Damaged { source: rusqlite::Error::SqliteFailure(corrupt, Some(found_by.to_owned())) }
}

/// A copy takes the steps, and then the name.
fn upgrade(old: Connection, path: &Path, steps: &[&str], found: i64) -> Result<Connection, Error> {
    let copy = beside(path, ".next");
    remove_copies(path)?;
    let mut next = connect(&copy)?;
    let copied = Backup::new(&old, &mut next).and_then(|backup| backup.run_to_completion(PAGES, Duration::ZERO, None));
    copied.map_err(|source| failed(found + 1, source))?;
    take_steps(&mut next, steps, found, None::<fn(&Transaction<'_>) -> rusqlite::Result<()>>)?;
    close(next, &copy)?;
    sync_copy(&copy)?;
    close(old, path)?;
    take_name(path)?;
    connect(path)
}

/// Makes another beside what stands there, with what `first` writes. It is whole and on the disk, and waits for
/// [`take_name`]; until then whoever opens the old one clears it away.
pub(super) fn make_another(
    path: &Path,
    steps: &[&str],
    first: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
) -> Result<(), Error> {
    remove_copies(path)?;
    let copy = beside(path, ".next");
    let made = connect(&copy).and_then(|mut next| {
        take_steps(&mut next, steps, 0, Some(first))?;
        close(next, &copy)?;
        sync_copy(&copy)
    });
    if made.is_err() {
        drop(remove_copies(path));
    }
    made
}

/// The copy takes the name; there must be no log beside that name.
pub(super) fn take_name(path: &Path) -> Result<(), Error> {
    let folder = path.parent().expect("a database lies in a folder");
    // The old log must be gone from the disk before the name changes hands: it would be read into the new database.
    sync_folder(folder).map_err(Error::folder("syncing it"))?;
    std::fs::rename(beside(path, ".next"), path).map_err(Error::folder("naming a new database"))?;
    sync_folder(folder).map_err(Error::folder("syncing it"))
}

fn sync_copy(copy: &Path) -> Result<(), Error> {
    File::open(copy).and_then(|file| file.sync_all()).map_err(Error::folder("syncing a new database"))
}

/// Everything in the one file, and no log beside it.
fn close(database: Connection, path: &Path) -> Result<(), Error> {
    let truncated = database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
    let is_busy: i64 = truncated.map_err(opening)?;
    database.close().map_err(|(_, source)| opening(source))?;
    // Somebody reads beside us: their log is theirs.
    if is_busy != 0 || beside(path, "-wal").exists() { Err(Error::InUse) } else { Ok(()) }
}

/// What an upgrade, or the making of another, that did not end left beside.
fn remove_copies(path: &Path) -> Result<(), Error> {
    let copy = beside(path, ".next");
    ["", "-wal", "-shm", "-journal"].iter().try_for_each(|end| remove(&beside(&copy, end)))
}

/// Takes what was overwritten or deleted out of the write-ahead log. `false`: somebody reads beside us, and it is all still there.
pub(super) fn empty_log(database: &Connection) -> Result<bool, Error> {
    let truncated = database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    truncated.map(|is_busy| is_busy == 0).map_err(Error::writing("the write-ahead log"))
}

fn remove(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::folder("removing an old copy")(error)),
        _ => Ok(()),
    }
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

fn connect(path: &Path) -> Result<Connection, Error> {
    let made = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path);
    made.map_err(Error::folder("making a database"))?;
    let database = Connection::open(path).map_err(opening)?;
    configure(&database).map_err(opening)?;
    Ok(database)
}

fn version(database: &Connection) -> Result<i64, Error> {
    database.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(opening)
}

/// A newer one says itself whether this program may use it; one that says nothing may not be used.
fn must_be_readable(database: &Connection, found: i64, known: i64) -> Result<(), Error> {
    let since = database.query_row("SELECT readable_since FROM store WHERE id = 1", [], |row| row.get(0));
    match since {
        Ok(since) if (1..=known).contains(&since) && found > known => Ok(()),
        _ => Err(Error::FromTheFuture { found, known }),
    }
}

/// Opens what another process may be writing, to read it. Nothing is made and no step is taken.
pub(in crate::vault) fn look(path: &Path, steps: &[&str]) -> Result<Connection, Error> {
    // Not read-only: without a writer beside it, SQLite must be able to make the log's index.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(path, flags).map_err(opening)?;
    database.busy_timeout(BUSY_MAX).map_err(opening)?;
    // A look beside nobody would remove the log at its end, which whoever left it open would miss.
    database.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(opening)?;
    let (found, known) = (version(&database)?, steps.len() as i64);
    if (0..known).contains(&found) {
        return Err(Error::Older { found, known });
    }
    if found != known {
        must_be_readable(&database, found, known)?;
    }
    database.pragma_update(None, "query_only", "ON").map_err(opening)?;
    Ok(database)
}

/// What holds for every connection (facts: `synchronous=NORMAL` loses acknowledged rows at a power cut).
fn configure(database: &Connection) -> rusqlite::Result<()> {
    database.busy_timeout(BUSY_MAX)?;
    for (name, value) in [
        ("journal_mode", "WAL"),
        ("synchronous", "FULL"),
        ("secure_delete", "ON"),
        ("foreign_keys", "ON"),
        ("trusted_schema", "OFF"),
        ("temp_store", "MEMORY"),
        ("mmap_size", "0"),
        ("wal_autocheckpoint", "200"),
        ("journal_size_limit", "4194304"),
    ] {
        // Some answer with a row and some do not.
        database.pragma_update_and_check(None, name, value, |_| Ok(())).or_else(no_rows)?;
    }
    Ok(())
}

fn no_rows(error: rusqlite::Error) -> rusqlite::Result<()> {
    if matches!(error, rusqlite::Error::QueryReturnedNoRows) { Ok(()) } else { Err(error) }
}

fn take_steps(
    database: &mut Connection,
    steps: &[&str],
    found: i64,
    mut first: Option<impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>>,
) -> Result<(), Error> {
    for step in found..steps.len() as i64 {
        let first = first.take().filter(|_| step == 0);
        take_step(database, step, steps[step as usize], first).map_err(|source| failed(step + 1, source))?;
    }
    Ok(())
}

fn take_step(
    database: &mut Connection,
    step: i64,
    sql: &str,
    first: Option<impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>>,
) -> rusqlite::Result<()> {
    let change = database.transaction()?;
    change.execute_batch(sql)?;
    if let Some(first) = first {
        first(&change)?;
    }
    change.pragma_update(None, "user_version", step + 1)?;
    change.commit()
}

/// A full disk has its own next step for a person.
fn failed(step: i64, source: rusqlite::Error) -> Error {
    match Error::writing("a schema step")(source) {
        Error::Write { source, .. } => Error::Step { step, source },
        other => other,
    }
}

/// A file that is no database is damage; anything else is a reason to stop and look.
fn opening(source: rusqlite::Error) -> Error {
    match Error::writing("opening")(source) {
        Error::Write { source, .. } => Error::Open { source },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the connection itself says them, of one that was just made, was opened again or took a step.
    #[test]
    fn every_connection_is_configured_as_it_must_be() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, steps) in [("journal.db", JOURNAL), ("compartment.db", COMPARTMENT)] {
            let path = folder.path().join(name);
            for known in [steps.len() - 1, steps.len(), steps.len()] {
                let first = |change: &Transaction<'_>| {
                    let columns = if steps == JOURNAL { "made_at, newest, " } else { "" };
                    let values = if steps == JOURNAL { "0, 0, " } else { "" };
                    let sql = "INSERT INTO store (id, store_id, ";
                    change
                        .execute(&format!("{sql}{columns} key_check) VALUES (1, x'00', {values} x'00')"), [])
                        .map(drop)
                };
                let database = open(&path, &steps[..known], first).expect("opened");
                let said = |name: &str| -> String {
                    let value = database.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0));
                    match value.expect("it answers") {
                        rusqlite::types::Value::Integer(number) => number.to_string(),
                        rusqlite::types::Value::Text(text) => text,
                        other => panic!("{name}: {other:?}"),
                    }
                };
                // SQLite's numbers: synchronous 2 is FULL, temp_store 2 is MEMORY.
                for (name, right) in [
                    ("journal_mode", "wal"),
                    ("synchronous", "2"),
                    ("secure_delete", "1"),
                    ("foreign_keys", "1"),
                    ("trusted_schema", "0"),
                    ("temp_store", "2"),
                    ("mmap_size", "0"),
                    ("wal_autocheckpoint", "200"),
                    ("journal_size_limit", "4194304"),
                    ("busy_timeout", "5000"),
                ] {
                    assert_eq!(said(name), right, "{name}, step {known}");
                }
            }
        }
    }
}
