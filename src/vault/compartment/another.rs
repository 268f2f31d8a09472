//! Another compartment in the place of one that is damaged, or that cannot be brought to this version. That one is sealed aside,
//! whole; its desk, which is nowhere else, goes on in the other as far as it can be read.
//!
//! The other is made beside it under the same store's name, so that the desk's rows stay sealed as they are and nothing is asked
//! of the journal. It is on the disk, its desk in it, before it takes the file's name. All of it is one job: whoever waits may
//! go, and a cut leaves the one or the other.

use crate::patient::ins::Patient;
use crate::secret::SecretKey;
use crate::time::UnixSeconds;
use crate::vault::Error;
use crate::vault::compartment::Compartment;
use crate::vault::compartment::Compartments;
use crate::vault::compartment::FOLDER;
use crate::vault::compartment::desk_place;
use crate::vault::compartment::desk_row;
use crate::vault::compartment::opening::Found;
use crate::vault::compartment::opening::new_store;
use crate::vault::folder;
use crate::vault::keys::Pseudonym;
use crate::vault::schema;
use crate::vault::seal::Sealer;
use crate::vault::shapes;
use crate::vault::slots::Open;
use crate::vault::slots::Opening;
use rusqlite::Connection;
use rusqlite::Row;
use rusqlite::params;
use std::collections::BTreeMap;
use std::collections::HashSet;
use std::path::PathBuf;

/// What goes on of a store.
pub(super) struct Desk {
    store: Vec<u8>,
    rows: Vec<DeskRow>,
}

/// As it stood there, under its seal.
struct DeskRow {
    kind: String,
    name: Pseudonym,
    body: Vec<u8>,
    since: i64,
}

impl Compartments {
    /// What is open for that visit turned out to be damaged: it is sealed aside, and the visit goes on with another.
    pub fn begin_another(&mut self, visit: u64, at: UnixSeconds) -> Result<(), Error> {
        let open = self.of_visit(visit)?;
        let desk = desk_of(&open.database, open.store.clone(), &open.desk);
        let mut compartment = [0; 16];
        hex::decode_to_slice(&open.name, &mut compartment)
            .map_err(|_| Error::Shape { what: "a compartment's name" })?;
        let open = self.open.as_ref().ok_or(Error::Locked)?;
        self.make_another(&open.name, &open.key, desk)?;
        let Compartment { visit, holder, name, key, database, .. } = self.open.take().ok_or(Error::Locked)?;
        drop(database);
        let found = self.put_another(&name, &key, at)?;
        let open = Open { visit, compartment, holder };
        let opening = Opening { open, key, tombstones: Vec::new(), living: Vec::new() };
        self.open_with(opening, name, found)
    }

    /// Beside the one that is there.
    pub(super) fn make_another(&self, name: &str, key: &SecretKey, desk: Desk) -> Result<(), Error> {
        schema::make_another(&self.file_of(name), schema::COMPARTMENT, |change| {
            self.write_store(change, &desk.store, key)?;
            let mut put = change.prepare("INSERT INTO desk (kind, patient, body, since) VALUES (?1, ?2, ?3, ?4)")?;
            for DeskRow { kind, name, body, since } in &desk.rows {
                put.execute(params![kind, name, body, since])?;
            }
            Ok(())
        })
    }

    /// Seals aside the one that is there, and opens the one that was made, in its place.
    pub(super) fn put_another(&self, name: &str, key: &SecretKey, at: UnixSeconds) -> Result<Found, Error> {
        tracing::error!(store = "compartment", "sealed_aside");
        let file = format!("{FOLDER}/{name}.db");
        let beside = [format!("{file}-wal"), format!("{file}-shm"), format!("{FOLDER}/{name}")];
        folder::seal_aside_and_leave(&self.state_folder, &file, &beside.each_ref().map(String::as_str), at)?;
        schema::take_name(&self.file_of(name))?;
        self.open_database(name, key)
    }

    /// The desk of one that cannot be opened, in the version that it is. One that is not ours says nothing.
    pub(super) fn desk_as_it_stands(&self, name: &str, key: &SecretKey) -> Desk {
        let read = || {
            let database = Connection::open(self.file_of(name)).ok()?;
            let store = self.store_of(&database, key)?;
            let desk = self.desk_sealer(&store, key);
            Some(desk_of(&database, store, &desk))
        };
        read().unwrap_or_else(|| Desk { store: new_store(), rows: Vec::new() })
    }

    fn file_of(&self, name: &str) -> PathBuf {
        self.state_folder.join(FOLDER).join(format!("{name}.db"))
    }
}

/// As far as it can be read, and from its own table alone: the others may be what is damaged. From both ends, so that a page that
/// cannot be read costs what stands on it.
fn desk_of(database: &Connection, store: Vec<u8>, desk: &Sealer) -> Desk {
    let mut found = BTreeMap::new();
    for order in ["ASC", "DESC"] {
        let sql = format!("SELECT id, kind, patient, body, since FROM desk NOT INDEXED ORDER BY id {order}");
        let Ok(mut asked) = database.prepare(&sql) else { continue };
        let Ok(mut rows) = asked.query([]) else { continue };
        while let Ok(Some(row)) = rows.next() {
            // One that holds something else than such a row does must not take the others down.
            if let Ok((id, row)) = desk_row_of(row) {
                found.insert(id, row);
            }
        }
    }
    let goes_on = |row: &DeskRow| {
        let body = desk.open(desk_place(&desk_row(&row.kind, &row.name)), &row.body);
        // Whose content was all here: it is not any more. And a patient who cannot be read would take the round down.
        body.is_ok_and(|body| match row.kind.as_str() {
            "ready" => false,
            "round" => shapes::read::<Patient>(&body).is_ok(),
            _ => true,
        })
    };
    let mut names = HashSet::new();
    let rows = found.into_values().filter(goes_on).filter(|row| names.insert((row.kind.clone(), row.name))).collect();
    Desk { store, rows }
}

fn desk_row_of(row: &Row<'_>) -> rusqlite::Result<(i64, DeskRow)> {
    let desk = DeskRow { kind: row.get(1)?, name: row.get(2)?, body: row.get(3)?, since: row.get(4)? };
    Ok((row.get(0)?, desk))
}
