//! One holder's sealed database, open while their card is in. All of it can be fetched again, but for the desk.
//!
//! Patients' rows are sealed under patient keys, the desk under the compartment key. Never holds a patient key longer than
//! one call: the shred secret is asked for each time, so that a withdrawal acts at once.

mod another;
mod list;
mod mark;
mod opening;
mod ready;

pub(super) use opening::Unlocked;

use crate::identity::holder::HolderId;
use crate::patient::ins::Patient;
use crate::record::document::UniqueId;
use crate::record::state::RecordState;
use crate::secret::SecretBytes;
use crate::secret::SecretKey;
use crate::secret::content::Content;
use crate::time::UnixSeconds;
use crate::vault::Error;
use crate::vault::RoundRow;
use crate::vault::compartment::mark::OpenMark;
use crate::vault::files;
use crate::vault::hand_over::HandOver;
use crate::vault::index::Indexes;
use crate::vault::keys::Lookup;
use crate::vault::keys::Pseudonym;
use crate::vault::keys::fill_random;
use crate::vault::keys::patient_key;
use crate::vault::reseal::Touched;
use crate::vault::schema;
use crate::vault::seal::Algorithm;
use crate::vault::seal::Place;
use crate::vault::seal::Sealer;
use crate::vault::shapes;
use crate::vault::slots::Secret;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Transaction;
use rusqlite::TransactionBehavior;
use rusqlite::params;
use std::collections::HashSet;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::Path;
use std::path::PathBuf;

/// The thread's state: the place of all compartments, and the one that is open.
pub(super) struct Compartments {
    pub state_folder: PathBuf,
    pub device: String,
    pub algorithm: Algorithm,
    pub open: Option<Compartment>,
    /// A round between two cards of one holder.
    pub on_its_way: Option<HandOver>,
}

pub(super) struct Compartment {
    /// Goes first: before the database is closed, which removes its log.
    mark: OpenMark,
    visit: u64,
    holder: HolderId,
    name: String,
    pub(super) database: Connection,
    /// Of its sealed files.
    pub(super) folder: PathBuf,
    store: Vec<u8>,
    device: String,
    algorithm: Algorithm,
    key: SecretKey,
    pub(super) desk: Sealer,
    lookup: Lookup,
    pub(super) indexes: Indexes,
    /// The document that the sealed worker has, until it is stored anew.
    pub(super) being_read: Option<Pseudonym>,
    /// Every page was read since it was opened.
    pub(super) is_checked: bool,
    /// What its sealers opened and is not sealed as they seal.
    pub(super) touched: Touched,
    /// Somebody read beside us when the write-ahead log was to be emptied.
    is_to_forget: bool,
}

/// One patient of the open compartment, for one call.
pub(super) struct Of {
    /// Their name in this compartment.
    pub(super) patient: Pseudonym,
    key: SecretKey,
    pub(super) sealer: Sealer,
}

/// Documents above this stand in files.
const BLOB_MAX: usize = 256 * 1024;
/// Below the state folder.
const FOLDER: &str = "compartments";

impl Compartments {
    /// The open compartment, if it is still the one that `visit` was about.
    pub fn of_visit(&mut self, visit: u64) -> Result<&mut Compartment, Error> {
        self.open.as_mut().filter(|open| open.visit == visit).ok_or(Error::Locked)
    }

    pub fn open(&mut self) -> Result<&mut Compartment, Error> {
        self.open.as_mut().ok_or(Error::Locked)
    }

    /// Before each answer.
    pub fn bring_mark_up_to_date(&mut self) {
        if let Some(open) = &mut self.open {
            open.mark.bring_up_to_date();
        }
    }
}

impl Compartment {
    pub fn visit(&self) -> u64 {
        self.visit
    }

    pub fn holder(&self) -> &HolderId {
        &self.holder
    }

    /// The file's, without its ending.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `None`: there is no secret, so there is nothing to read.
    pub fn of(&self, secret: Secret) -> Option<Of> {
        let patient = self.own_name(&secret.patient);
        let key = patient_key(&self.key, &secret.secret?, &patient);
        let sealer = Sealer::new(&key, &self.store, &self.device, self.algorithm);
        Some(Of { patient, sealer: sealer.noting(self.touched.of(secret.patient)), key })
    }

    pub fn round(&self) -> Result<Vec<RoundRow>, Error> {
        let reading = || Error::reading("the round");
        let sql = "SELECT desk.patient, desk.body, record.list_as_of,
                          (SELECT count(*) FROM document
                            WHERE document.patient = desk.patient AND document.size IS NOT NULL),
                          (SELECT mark.body FROM desk AS mark
                            WHERE mark.kind = 'ready' AND mark.patient = desk.patient AND record.list_as_of IS NOT NULL)
                   FROM desk LEFT JOIN record ON record.patient = desk.patient
                   WHERE desk.kind = 'round' ORDER BY desk.id";
        let mut asked = self.database.prepare(sql).map_err(reading())?;
        let found = asked.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)));
        type Row = (Pseudonym, Vec<u8>, Option<i64>, u32, Option<Vec<u8>>);
        let found: Vec<Row> = found.and_then(Iterator::collect).map_err(reading())?;
        let open = |(patient, body, as_of, cached, mark): &Row| {
            let body = self.desk.open(desk_place(&desk_row("round", patient)), body)?;
            let ready = self.ready_at(patient, mark.as_deref())?;
            Ok(RoundRow { patient: shapes::read(&body)?, cached: *cached, as_of: as_of.map(UnixSeconds), ready })
        };
        found.iter().map(open).collect()
    }

    /// `names` are the patients' device pseudonyms, in the same order.
    pub fn put_round(&mut self, patients: &[Patient], names: &[Pseudonym], at: UnixSeconds) -> Result<(), Error> {
        let rows: Vec<(Pseudonym, Vec<u8>)> = std::iter::zip(patients, names)
            .map(|(patient, name)| {
                let name = self.own_name(name);
                (name, self.desk.seal(desk_place(&desk_row("round", &name)), shapes::write(patient).show_bytes()))
            })
            .collect();
        let writing = || Error::writing("the round");
        let change = self.begin()?;
        change.execute("DELETE FROM desk WHERE kind = 'round'", []).map_err(writing())?;
        for (name, body) in rows {
            // A patient who is twice in a round is there once.
            let sql = "INSERT OR IGNORE INTO desk (kind, patient, body, since) VALUES ('round', ?1, ?2, ?3)";
            change.execute(sql, params![name, body, at.0]).map_err(writing())?;
        }
        change.commit().map_err(writing())
    }

    pub fn told(&self, text: &str) -> Result<Option<UnixSeconds>, Error> {
        let name = self.lookup.pseudonym("told", text.as_bytes());
        let sql = "SELECT body FROM desk WHERE kind = 'told' AND patient = ?1";
        let found = self.database.query_row(sql, [name], |row| row.get(0)).optional();
        let found: Option<Vec<u8>> = found.map_err(Error::reading("what the holder was told"))?;
        let Some(body) = found else { return Ok(None) };
        let at = self.desk.open(desk_place(&desk_row("told", &name)), &body)?;
        let at = at.show_bytes().try_into().map_err(|_| Error::Shape { what: "the time of a notice" })?;
        Ok(Some(UnixSeconds(i64::from_be_bytes(at))))
    }

    pub fn keep_told(&mut self, text: &str, at: UnixSeconds) -> Result<(), Error> {
        let name = self.lookup.pseudonym("told", text.as_bytes());
        let body = self.desk.seal(desk_place(&desk_row("told", &name)), &at.0.to_be_bytes());
        let sql = "INSERT INTO desk (kind, patient, body, since) VALUES ('told', ?1, ?2, ?3)
                   ON CONFLICT (kind, patient) DO UPDATE SET body = ?2, since = ?3";
        let done = self.database.execute(sql, params![name, body, at.0]);
        done.map(drop).map_err(Error::writing("what the holder was told"))
    }

    pub fn remember_state(&mut self, of: &Of, state: &RecordState, at: UnixSeconds) -> Result<(), Error> {
        let sealed = of.sealer.seal(state_place(&of.patient), shapes::write(state).show_bytes());
        let sql = "INSERT INTO record (patient, state, state_as_of) VALUES (?1, ?2, ?3)
                   ON CONFLICT (patient) DO UPDATE SET state = ?2, state_as_of = ?3";
        let done = self.database.execute(sql, params![of.patient, sealed, at.0]);
        done.map(drop).map_err(Error::writing("a record's state"))
    }

    pub fn state(&self, of: &Of) -> Result<Option<(RecordState, UnixSeconds)>, Error> {
        let sql = "SELECT state, state_as_of FROM record WHERE patient = ?1 AND state IS NOT NULL";
        let found = self.database.query_row(sql, [of.patient], |row| Ok((row.get(0)?, row.get(1)?)));
        let found: Option<(Vec<u8>, i64)> = found.optional().map_err(Error::reading("a record's state"))?;
        let open = |(sealed, at): (Vec<u8>, i64)| {
            Ok((shapes::read(&of.sealer.open(state_place(&of.patient), &sealed)?)?, UnixSeconds(at)))
        };
        found.map(open).transpose()
    }

    pub fn store(&mut self, of: &Of, document: &UniqueId, content: &Content, at: UnixSeconds) -> Result<(), Error> {
        let id = self.own_document(of, document);
        let row = [of.patient, id].concat();
        let (blob, file) = if content.size() <= BLOB_MAX {
            let content = content.whole().map_err(Error::file("reading"))?;
            (Some(of.sealer.seal(content_place(&row), content.show_bytes())), None)
        } else {
            let mut name = [0; 16];
            fill_random(&mut name);
            let name = hex::encode(name);
            files::seal(&self.folder, &name, &binding(of, &row), content)?;
            (None, Some(name))
        };
        let writing = || Error::writing("a document");
        let (change, folder) = (begin(&mut self.database)?, &self.folder);
        let sql = "SELECT file FROM document WHERE patient = ?1 AND unique_id = ?2";
        let before: Option<Option<String>> =
            change.query_row(sql, params![of.patient, id], |row| row.get(0)).optional().map_err(writing())?;
        let sql =
            "INSERT INTO document (patient, unique_id, content, file, size, as_of) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                   ON CONFLICT (patient, unique_id) DO UPDATE SET content = ?3, file = ?4, size = ?5, text = NULL";
        let put = change.execute(sql, params![of.patient, id, blob, file, content.size() as i64, at.0]);
        put.map_err(writing())?;
        change.commit().map_err(writing())?;
        remove_files(folder, before.flatten().as_deref().into_iter());
        self.indexes.forget(&of.patient);
        self.being_read.take_if(|reading| *reading == id);
        Ok(())
    }

    pub fn has(&self, of: &Of, document: &UniqueId) -> Result<bool, Error> {
        let id = self.own_document(of, document);
        let sql = "SELECT size IS NOT NULL FROM document WHERE patient = ?1 AND unique_id = ?2";
        let found = self.database.query_row(sql, params![of.patient, id], |row| row.get(0)).optional();
        Ok(found.map_err(Error::reading("a document"))?.unwrap_or(false))
    }

    pub fn content(&self, of: &Of, document: &UniqueId) -> Result<SecretBytes, Error> {
        let id = self.own_document(of, document);
        let row = [of.patient, id].concat();
        let sql = "SELECT content, file, size FROM document WHERE patient = ?1 AND unique_id = ?2";
        let found = self.database.query_row(sql, params![of.patient, id], |row| {
            Ok((row.get::<_, Option<Vec<u8>>>(0)?, row.get::<_, Option<String>>(1)?, row.get::<_, Option<i64>>(2)?))
        });
        let found = found.optional().map_err(Error::reading("a document"))?;
        match found.ok_or(Error::Absent)? {
            (Some(sealed), _, _) => of.sealer.open(content_place(&row), &sealed),
            (None, Some(name), Some(size)) => {
                let size = usize::try_from(size).map_err(|_| Error::Shape { what: "a document's size" })?;
                files::open(&self.folder, file_name(&name)?, &binding(of, &row), size)
            }
            _ => Err(Error::Absent),
        }
    }

    /// Deletes all that came from these patients' records. Their secrets are gone already: this frees the space, and
    /// takes the old ciphertext out of the write-ahead log.
    pub fn purge(&mut self, device_names: &[Pseudonym]) -> Result<(), Error> {
        if device_names.is_empty() {
            return Ok(());
        }
        let names: Vec<Pseudonym> = device_names.iter().map(|name| self.own_name(name)).collect();
        self.purge_named(&names)
    }

    /// Deletes what is of anybody else: their secrets are lost with what the journal lost of them. It is fetched again.
    fn purge_but(&mut self, device_names: &[Pseudonym]) -> Result<(), Error> {
        let reading = || Error::reading("whose rows are here");
        let kept: HashSet<Pseudonym> = device_names.iter().map(|name| self.own_name(name)).collect();
        // From one patient to the next in the index, however many documents each has.
        let sql = "WITH RECURSIVE here (patient) AS (SELECT min(patient) FROM document
                       UNION ALL SELECT (SELECT min(patient) FROM document WHERE patient > here.patient) FROM here
                       WHERE here.patient IS NOT NULL)
                   SELECT patient FROM here WHERE patient IS NOT NULL UNION SELECT patient FROM record";
        let mut asked = self.database.prepare(sql).map_err(reading())?;
        let here: Result<Vec<Pseudonym>, _> = asked.query_map([], |row| row.get(0)).and_then(Iterator::collect);
        let left: Vec<Pseudonym> = here.map_err(reading())?.into_iter().filter(|name| !kept.contains(name)).collect();
        drop(asked);
        if left.is_empty() { Ok(()) } else { self.purge_named(&left) }
    }

    fn purge_named(&mut self, names: &[Pseudonym]) -> Result<(), Error> {
        let writing = || Error::writing("a purge");
        let (change, folder) = (begin(&mut self.database)?, &self.folder);
        let mut files = Vec::new();
        for name in names {
            files.extend(documents_of(&change, name)?.into_iter().filter_map(|(_, file)| file));
            change.execute("DELETE FROM document WHERE patient = ?1", [name]).map_err(writing())?;
            change.execute("DELETE FROM record WHERE patient = ?1", [name]).map_err(writing())?;
            ready::forget(&change, name)?;
        }
        change.commit().map_err(writing())?;
        remove_files(folder, files.iter().map(String::as_str));
        names.iter().for_each(|name| self.indexes.forget(name));
        self.forget()
    }

    /// What was deleted still stands in the write-ahead log: out of there too, now or the next time.
    fn forget(&mut self) -> Result<(), Error> {
        self.is_to_forget = true;
        self.is_to_forget = !schema::empty_log(&self.database)?;
        Ok(())
    }

    /// What could not be forgotten when it was to be.
    pub(super) fn forget_at_last(&mut self) -> Result<(), Error> {
        if self.is_to_forget { self.forget() } else { Ok(()) }
    }

    /// Removes sealed files that no row names: a power cut came between file and row, or between row and removal.
    fn sweep(&mut self) -> Result<(), Error> {
        let reading = || Error::reading("sealed files");
        let mut asked = self.database.prepare("SELECT file FROM document WHERE file IS NOT NULL").map_err(reading())?;
        let named: Result<HashSet<String>, _> = asked.query_map([], |row| row.get(0)).and_then(Iterator::collect);
        let named = named.map_err(reading())?;
        let entries = std::fs::read_dir(&self.folder).map_err(Error::file("listing"))?;
        let found: Vec<String> =
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        remove_files(&self.folder, found.iter().filter(|name| !named.contains(*name)).map(String::as_str));
        Ok(())
    }

    pub(super) fn begin(&mut self) -> Result<Transaction<'_>, Error> {
        begin(&mut self.database)
    }

    /// A patient's name in this compartment, from their name on this device: not to be linked without the card.
    pub(super) fn own_name(&self, device_name: &Pseudonym) -> Pseudonym {
        self.lookup.pseudonym("patient", device_name)
    }

    pub(super) fn own_document(&self, of: &Of, document: &UniqueId) -> Pseudonym {
        let name = [of.patient.as_slice(), document.0.as_bytes()].concat();
        self.lookup.pseudonym("document", &name)
    }
}

fn begin(database: &mut Connection) -> Result<Transaction<'_>, Error> {
    database.transaction_with_behavior(TransactionBehavior::Immediate).map_err(Error::writing("a transaction"))
}

fn documents_of(change: &Transaction<'_>, patient: &Pseudonym) -> Result<Vec<(Pseudonym, Option<String>)>, Error> {
    let reading = || Error::reading("a patient's documents");
    let sql = "SELECT unique_id, file FROM document WHERE patient = ?1";
    let mut asked = change.prepare(sql).map_err(reading())?;
    asked.query_map([patient], |row| Ok((row.get(0)?, row.get(1)?))).and_then(Iterator::collect).map_err(reading())
}

/// Ids of all that are in that state folder.
pub(super) fn all_in(state_folder: &Path) -> Result<Vec<Pseudonym>, Error> {
    let listing = || Error::folder("listing compartments");
    let entries = match std::fs::read_dir(state_folder.join(FOLDER)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(listing())?,
    };
    let names: Vec<_> =
        entries.map(|entry| entry.map(|entry| entry.file_name())).collect::<Result<_, _>>().map_err(listing())?;
    let id = |name: &OsString| {
        let mut id = [0; 16];
        hex::decode_to_slice(name.to_str()?.strip_suffix(".db")?, &mut id).ok().map(|()| id)
    };
    Ok(names.iter().filter_map(id).collect())
}

pub(super) fn remove_files<'a>(folder: &Path, names: impl Iterator<Item = &'a str>) {
    for name in names {
        // What stays is ciphertext that no row names; the next opening sweeps it.
        if let Ok(name) = file_name(name)
            && std::fs::remove_file(folder.join(name)).is_err()
        {
            tracing::warn!("sealed_file_stays");
        }
    }
}

/// Names come from the database, which others may have written: never a way out of the folder.
pub(super) fn file_name(name: &str) -> Result<&str, Error> {
    let is_ours = name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_ours.then_some(name).ok_or(Error::Shape { what: "a sealed file's name" })
}

pub(super) fn binding<'a>(of: &'a Of, row: &'a [u8]) -> files::Binding<'a> {
    files::Binding { sealer: &of.sealer, patient_key: &of.key, place: content_place(row) }
}

/// The desk's rows are told apart by their kind, under the seal too.
pub(super) fn desk_row(kind: &str, name: &Pseudonym) -> Vec<u8> {
    [kind.as_bytes(), name].concat()
}

pub(super) fn desk_place(row: &[u8]) -> Place<'_> {
    Place { table: "desk", column: "body", row }
}

fn state_place(patient: &[u8]) -> Place<'_> {
    Place { table: "record", column: "state", row: patient }
}

pub(super) fn metadata_place(row: &[u8]) -> Place<'_> {
    Place { table: "document", column: "metadata", row }
}

pub(super) fn text_place(row: &[u8]) -> Place<'_> {
    Place { table: "document", column: "text", row }
}

fn content_place(row: &[u8]) -> Place<'_> {
    Place { table: "document", column: "content", row }
}
