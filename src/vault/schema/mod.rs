//! Opening a database and bringing it to this program's version, step by step.
//!
//! A step is SQL, frozen once released, and commits together with its number; a database from the future is refused and
//! left as it is. The journal's steps are additive, so that the version before can still deliver.

use crate::vault::Error;
use rusqlite::Connection;
use rusqlite::OpenFlags;
use rusqlite::Transaction;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

pub(super) const JOURNAL: &[&str] = &[include_str!("journal-1.sql"), include_str!("journal-2.sql")];
pub(super) const COMPARTMENT: &[&str] = &[include_str!("compartment-1.sql"), include_str!("compartment-2.sql")];

/// Opens or makes a database. `first` writes the store's own row, in the same transaction as the first step, so that
/// a store without its row never exists.
pub(super) fn open(
    path: &Path,
    steps: &[&str],
    first: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
) -> Result<Connection, Error> {
    let made = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path);
    made.map_err(Error::folder("making a database"))?;
    let mut database = Connection::open(path).map_err(opening)?;
    configure(&database).map_err(opening)?;
    let found: i64 = database.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(opening)?;
    let known = steps.len() as i64;
    if found > known || found < 0 {
        return Err(Error::FromTheFuture { found, known });
    }
    let mut first = Some(first);
    for step in found..known {
        let sql = steps[step as usize];
        take_step(&mut database, step, sql, first.take().filter(|_| step == 0)).map_err(|source| {
            // A full disk has its own next step for a person.
            match Error::writing("a schema step")(source) {
                Error::Write { source, .. } => Error::Step { step: step + 1, source },
                other => other,
            }
        })?;
    }
    Ok(database)
}

/// Opens what another process may be writing, to read it. Nothing is made and no step is taken.
pub(in crate::vault) fn look(path: &Path, steps: &[&str]) -> Result<Connection, Error> {
    // Not read-only: without a writer beside it, SQLite must be able to make the log's index.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(path, flags).map_err(opening)?;
    database.busy_timeout(Duration::from_secs(5)).map_err(opening)?;
    let found: i64 = database.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(opening)?;
    let known = steps.len() as i64;
    if found != known {
        return Err(Error::FromTheFuture { found, known });
    }
    database.pragma_update(None, "query_only", "ON").map_err(opening)?;
    Ok(database)
}

/// What holds for every connection (facts: `synchronous=NORMAL` loses acknowledged rows at a power cut).
fn configure(database: &Connection) -> rusqlite::Result<()> {
    database.busy_timeout(Duration::from_secs(5))?;
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

/// A file that is no database is damage; anything else is a reason to stop and look.
fn opening(source: rusqlite::Error) -> Error {
    match Error::writing("opening")(source) {
        Error::Write { source, .. } => Error::Open { source },
        other => other,
    }
}
