//! `journal.db`: rows and their tree, consents, the outbox's beginnings. The only place that mints a `Committed`.

use crate::identity::holder::HolderId;
use crate::journal::Committed;
use crate::journal::Draft;
use crate::journal::Pending;
use crate::journal::Trace;
use crate::journal::allowance::Unanchored;
use crate::journal::consent::Answer;
use crate::journal::consent::Consent;
use crate::journal::consent::Said;
use crate::journal::leaf;
use crate::journal::leaf::LeafError;
use crate::journal::tree;
use crate::journal::words::Class;
use crate::journal::words::Ground;
use crate::patient::ins::Ins;
use crate::secret::SecretBytes;
use crate::secret::SecretKey;
use crate::time::UnixSeconds;
use crate::vault::Error;
use crate::vault::JOURNAL_FILE;
use crate::vault::Options;
use crate::vault::heads;
use crate::vault::keys::Lookup;
use crate::vault::keys::Pseudonym;
use crate::vault::keys::derive;
use crate::vault::keys::fill_random;
use crate::vault::leases::Told;
use crate::vault::mend;
use crate::vault::reseal::Touched;
use crate::vault::schema;
use crate::vault::seal::Algorithm;
use crate::vault::seal::Place;
use crate::vault::seal::Sealer;
use crate::vault::shapes;
use crate::vault::slots;
use crate::vault::slots::Open;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Transaction;
use rusqlite::TransactionBehavior;
use rusqlite::params;
use std::path::Path;
use uuid::ContextV7;
use uuid::Timestamp;
use uuid::Uuid;

/// The open journal. It lives in its thread and nowhere else.
pub(super) struct Journal {
    pub(super) database: Connection,
    pub(super) keys: Keys,
    pub(super) device_key: SecretKey,
    /// The compartment that is open now, as the other thread has it.
    pub(super) open: Option<Open>,
    /// Counts unlockings, so that an answer that belongs to an earlier one never fits.
    pub(super) visits: u64,
    /// Consultations above the newest anchor: counted at the start, then carried on, so that no class stands in clear.
    pub(super) unanchored: Unanchored,
    pub(super) told: Told,
    pub(super) origin: Origin,
    /// Somebody read beside us when the write-ahead log was to be emptied.
    pub(super) is_to_forget: bool,
}

/// What every row and every sealed value of this journal is bound to.
pub(super) struct Keys {
    pub(super) store: Vec<u8>,
    pub(super) device: String,
    pub(super) sealer: Sealer,
    /// What this sealer opened and is not sealed as it seals.
    pub(super) touched: Touched,
    lookup: Lookup,
    signing: SecretKey,
}

/// What the device adds to a draft.
pub(super) struct Origin {
    software: String,
    boot: Uuid,
    ids: ContextV7,
}

/// What a recording did besides: patients whose content must go, or may come back into the open compartment.
pub(super) struct Recorded {
    pub committed: Vec<Committed>,
    pub shredded: Vec<Pseudonym>,
    pub agreed: Vec<Pseudonym>,
}

const CHECK: &[u8] = b"chevet journal";
/// A consent that a colleague collected serves on its own day: no patient has more rows in one.
const LOOKED_BACK_MAX: i64 = 2_000;

impl Journal {
    /// Opens or makes the journal. [`Error::Damaged`] when the file is no journal any more.
    pub fn open(options: &Options, algorithm: Algorithm, at: UnixSeconds) -> Result<Journal, Error> {
        let device_key = SecretKey::fill_with(|bytes| bytes.copy_from_slice(options.device_key.show_to_cipher()));
        let mut database = schema::open(&options.folder.join(JOURNAL_FILE), schema::JOURNAL, |change| {
            let mut store = [0; 16];
            fill_random(&mut store);
            let check = Keys::new(&device_key, &store, &options.device, algorithm).sealer.seal(CHECK_PLACE, CHECK);
            let sql = "INSERT INTO store (id, store_id, made_at, key_check, newest) VALUES (1, ?1, ?2, ?3, 0)";
            change.execute(sql, params![store, at.0, check]).map(drop)
        })?;
        let agrees = schema::agrees(&database)?;
        let keys = Keys::checked(&database, &device_key, &options.device, algorithm)?;
        if !agrees {
            mend::mend(&mut database, &keys, &options.folder)?;
        }
        let begun = "INSERT OR IGNORE INTO boot (id, started) VALUES (?1, ?2)";
        database.execute(begun, params![options.boot.as_bytes(), at.0]).map_err(Error::writing("this boot"))?;
        let origin = Origin { software: options.software.clone(), boot: options.boot, ids: ContextV7::new() };
        let (told, unanchored) = (Told::nothing(origin.boot), Unanchored::default());
        let mut journal = Journal {
            database,
            keys,
            device_key,
            open: None,
            visits: 0,
            unanchored,
            told,
            origin,
            is_to_forget: false,
        };
        journal.name_holders()?;
        journal.counted()
    }

    /// To read only, beside another process.
    pub fn look(folder: &Path, device_key: SecretKey, device: &str) -> Result<Journal, Error> {
        let database = schema::look(&folder.join(JOURNAL_FILE), schema::JOURNAL)?;
        let keys = Keys::checked(&database, &device_key, device, Algorithm::of_this_machine())?;
        let origin = Origin { software: String::new(), boot: Uuid::nil(), ids: ContextV7::new() };
        let (told, unanchored) = (Told::nothing(origin.boot), Unanchored::default());
        let is_to_forget = false;
        Journal { database, keys, device_key, open: None, visits: 0, unanchored, told, origin, is_to_forget }.counted()
    }

    /// One transaction; `Committed` exists only after its commit has returned from the disk.
    pub fn record(&mut self, rows: Vec<Draft>, said: Vec<Said>) -> Result<Recorded, Error> {
        let Journal { database, keys, origin, open, unanchored, .. } = self;
        let change = begin(database)?;
        let mut pending = Vec::with_capacity(rows.len());
        let mut more = *unanchored;
        for draft in rows {
            more.add(draft.class, draft.at.wall.value());
            pending.push(append(&change, keys, origin, draft)?);
        }
        // Who came and whose record was opened is under a checkpoint from the first moment.
        if pending.iter().any(|row| matches!(row.trace().draft.class, Class::Login | Class::Listed)) {
            heads::cover(&change, keys)?;
        }
        let (mut shredded, mut agreed) = (Vec::new(), Vec::new());
        if !said.is_empty() {
            // What came before a consent goes before it.
            settle(&change)?;
        }
        for said in said {
            let patient = keys.patient(&said.patient);
            let answer = said.answer;
            // What was said for a colleague brings nothing back into this compartment.
            let for_a_colleague = said.holder != said.collected_by;
            if answer != Answer::Yes {
                slots::shred(&change, keys, &said, &patient)?;
            }
            keep_consent(&change, keys, origin, said, &patient)?;
            match answer {
                Answer::Yes if for_a_colleague => {}
                Answer::Yes => agreed.push(patient),
                Answer::No | Answer::Withdrawn => shredded.push(patient),
            }
        }
        change.commit().map_err(Error::writing("the rows"))?;
        *unanchored = more;
        if open.is_none() {
            agreed.clear();
        }
        Ok(Recorded { committed: pending.into_iter().map(Pending::committed).collect(), shredded, agreed })
    }

    pub fn consents(&self, patient: &Ins) -> Result<Vec<Consent>, Error> {
        let reading = || Error::reading("consents");
        // In the order of their recording: two in one second, or after the clock fell back, are still told apart.
        let sql = "SELECT consent.id, consent.body FROM consent JOIN outbox ON outbox.id = consent.id
                   WHERE consent.patient = ?1 ORDER BY outbox.seq";
        let mut asked = self.database.prepare(sql).map_err(reading())?;
        let found = asked.query_map([self.keys.patient(patient)], |row| Ok((row.get(0)?, row.get(1)?)));
        let found: Vec<(Vec<u8>, Vec<u8>)> = found.and_then(Iterator::collect).map_err(reading())?;
        let open = |(id, body): &(Vec<u8>, Vec<u8>)| shapes::read(&self.keys.sealer.open(consent_place(id), body)?);
        found.iter().map(open).collect()
    }

    /// When this holder last opened this patient's record on a consent for one time: such a consent is then spent.
    pub fn last_opened_on_consent(&self, patient: &Ins, holder: &HolderId) -> Result<Option<UnixSeconds>, Error> {
        let reading = || Error::reading("a patient's rows");
        let sql = "SELECT idx FROM trace WHERE patient = ?1 AND body IS NOT NULL ORDER BY idx DESC LIMIT ?2";
        let mut asked = self.database.prepare(sql).map_err(reading())?;
        let found = asked.query_map(params![self.keys.patient(patient), LOOKED_BACK_MAX], |row| row.get(0));
        let found: Vec<i64> = found.and_then(Iterator::collect).map_err(reading())?;
        for index in found {
            let Draft { class, holder: who, ground, at, .. } = self.trace(index as u64)?.draft;
            if class == Class::Gate && ground == Some(Ground::Explicit) && who == *holder {
                return Ok(Some(at.wall.value()));
            }
        }
        Ok(None)
    }

    /// A row's canonical bytes; `None` once pruned.
    pub fn body(&self, index: u64) -> Result<Option<SecretBytes>, Error> {
        let sql = "SELECT body FROM trace WHERE idx = ?1";
        let mut asked = self.database.prepare_cached(sql).map_err(Error::reading("a row"))?;
        let sealed: Option<Option<Vec<u8>>> =
            asked.query_row([index as i64], |row| row.get(0)).optional().map_err(Error::reading("a row"))?;
        match sealed.flatten() {
            Some(sealed) => self.keys.sealer.open(body_place(&row_id(index)), &sealed).map(Some),
            None => Ok(None),
        }
    }

    pub fn trace(&self, index: u64) -> Result<Trace, Error> {
        let body = self.body(index)?.ok_or(Error::Shape { what: "a pruned row" })?;
        let trace = leaf::parse(body.show_bytes()).map_err(|error| match error {
            LeafError::FromTheFuture(form) => Error::FromTheFuture { found: form as i64, known: leaf::FORM as i64 },
            _ => Error::Shape { what: "a row" },
        })?;
        if trace.index == index { Ok(trace) } else { Err(Error::Shape { what: "a row's index" }) }
    }

    /// How many rows there are, pruned ones included.
    pub fn size(&self) -> Result<u64, Error> {
        size(&self.database)
    }

    pub fn root(&self, size: u64) -> Result<tree::Hash, Error> {
        root(&self.database, size)
    }
}

impl Keys {
    fn new(device_key: &SecretKey, store: &[u8], device: &str, algorithm: Algorithm) -> Keys {
        let own = |purpose: &[u8]| derive(store, &[device_key.show_to_cipher()], &[purpose]);
        let touched = Touched::of_a_store();
        Keys {
            store: store.to_vec(),
            device: device.to_owned(),
            sealer: Sealer::new(&own(b"chevet/journal/seal/v1"), store, device, algorithm).noting(touched.clone()),
            touched,
            lookup: Lookup::new(&own(b"chevet/journal/lookup/v1")),
            signing: own(b"chevet/journal/checkpoint/v1"),
        }
    }

    /// The keys of the journal that is there, or the news that it is not ours.
    pub(super) fn checked(
        database: &Connection,
        device_key: &SecretKey,
        device: &str,
        algorithm: Algorithm,
    ) -> Result<Keys, Error> {
        let row = database.query_row("SELECT store_id, key_check FROM store WHERE id = 1", [], |row| {
            Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?))
        });
        let (store, check) = row.map_err(|source| match Error::reading("the store's row")(source) {
            // It is written with the first step: a journal without it has been tampered with.
            Error::Read { source, .. } if source == rusqlite::Error::QueryReturnedNoRows => Error::Damaged { source },
            other => other,
        })?;
        let keys = Keys::new(device_key, &store, device, algorithm);
        match keys.sealer.open(CHECK_PLACE, &check) {
            Ok(found) if found.show_bytes() == CHECK => Ok(keys),
            Err(Error::FromTheFuture { found, known }) => Err(Error::FromTheFuture { found, known }),
            _ => Err(Error::OtherDevice),
        }
    }

    pub(super) fn patient(&self, patient: &Ins) -> Pseudonym {
        self.lookup.pseudonym("patient", patient.key().as_bytes())
    }

    pub(super) fn pseudonym(&self, kind: &str, name: &[u8]) -> Pseudonym {
        self.lookup.pseudonym(kind, name)
    }

    /// The seed of the device's Ed25519 key, for checkpoints alone.
    pub(super) fn signing(&self) -> &SecretKey {
        &self.signing
    }
}

/// For writing at once: two writers never find out at the commit.
pub(super) fn begin(database: &mut Connection) -> Result<Transaction<'_>, Error> {
    database.transaction_with_behavior(TransactionBehavior::Immediate).map_err(Error::writing("a transaction"))
}

/// One row, its leaf, the nodes it completes and its outbox item: all of it in the row, so that somebody who waits for it waits
/// for few pages of the disk. What is settled later adds nothing to it.
pub(super) fn append(change: &Transaction<'_>, keys: &Keys, origin: &Origin, draft: Draft) -> Result<Pending, Error> {
    let index = size(change)?;
    let at = draft.at.wall.value();
    let patient = draft.patient.as_ref().map(|ins| keys.patient(ins));
    let mut blind = [0; 32];
    fill_random(&mut blind);
    let id = origin.id(at);
    let (device, software) = (keys.device.clone(), origin.software.clone());
    let pending = Pending::new(Trace { index, id, blind, boot: origin.boot, device, software, draft });
    let leaf = pending.leaf();
    let body = keys.sealer.seal(body_place(&row_id(index)), pending.canonical());
    let writing = || Error::writing("a row");
    let made = tree::append(index, leaf, |level, position| node(change, level, position))?;
    let nodes: Vec<u8> = made.iter().flat_map(|node| node.hash).collect();
    let nodes = (!nodes.is_empty()).then_some(nodes);
    let waits = keys.sealer.seal(outbox_place(id.as_bytes()), &row_id(index));
    let sql = "INSERT INTO trace (idx, id, body, leaf, patient, local_time, nodes, waits)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let mut insert = change.prepare_cached(sql).map_err(writing())?;
    let row = params![index as i64, id.as_bytes(), body, leaf.0, patient, at.0, nodes, waits];
    insert.execute(row).map_err(writing())?;
    Ok(pending)
}

fn keep_consent(
    change: &Transaction<'_>,
    keys: &Keys,
    origin: &Origin,
    said: Said,
    patient: &Pseudonym,
) -> Result<(), Error> {
    let at = said.at.wall.value();
    let consent = Consent { id: origin.id(at), said };
    let id = consent.id;
    let body = shapes::write(&consent);
    let sealed = keys.sealer.seal(consent_place(id.as_bytes()), body.show_bytes());
    let sql = "INSERT INTO consent (id, patient, body, since) VALUES (?1, ?2, ?3, ?4)";
    change.execute(sql, params![id.as_bytes(), patient, sealed, at.0]).map_err(Error::writing("a consent"))?;
    let holder = &consent.said.holder;
    let needs = Some(keys.pseudonym("holder", holder.0.as_bytes()));
    let waits = Waits { id, kind: "consents", needs, patient: Some(*patient), body: body.show_bytes(), since: at };
    waits.keep(change, keys)?;
    witness(change, at)
}

/// A new line of the outbox.
pub(super) struct Waits<'a> {
    pub id: Uuid,
    pub kind: &'static str,
    pub needs: Option<Pseudonym>,
    pub patient: Option<Pseudonym>,
    pub body: &'a [u8],
    pub since: UnixSeconds,
}

impl Waits<'_> {
    pub fn keep(&self, change: &Transaction<'_>, keys: &Keys) -> Result<(), Error> {
        let body = keys.sealer.seal(outbox_place(self.id.as_bytes()), self.body);
        let sql = "INSERT INTO outbox (id, kind, needs, patient, body, since) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let mut insert = change.prepare_cached(sql).map_err(Error::writing("the outbox"))?;
        let line = params![self.id.as_bytes(), self.kind, self.needs, self.patient, body, self.since.0];
        insert.execute(line).map(drop).map_err(Error::writing("the outbox"))
    }
}

impl Origin {
    /// UUIDv7 of the row's own time, never of a clock read here; rising within one start.
    pub fn id(&self, at: UnixSeconds) -> Uuid {
        Uuid::new_v7(Timestamp::from_unix(&self.ids, at.0.max(0) as u64, 0))
    }
}

/// Puts what rows hold of the outbox and of the tree where the version before has it, all rows up to now. Nothing to do is
/// nothing written.
pub(super) fn settle(database: &Connection) -> Result<(), Error> {
    let sql = "UPDATE store SET settled = (SELECT max(idx) + 1 FROM trace)
               WHERE id = 1 AND settled <= (SELECT max(idx) FROM trace)";
    let mut update = database.prepare_cached(sql).map_err(Error::writing("the outbox"))?;
    update.execute([]).map(drop).map_err(Error::writing("the outbox"))
}

/// The clock's floor only rises.
fn witness(change: &Transaction<'_>, at: UnixSeconds) -> Result<(), Error> {
    let sql = "UPDATE store SET newest = ?1 WHERE id = 1 AND newest < ?1";
    let mut update = change.prepare_cached(sql).map_err(Error::writing("the newest time"))?;
    update.execute([at.0]).map(drop).map_err(Error::writing("the newest time"))
}

pub(super) fn root(database: &Connection, size: u64) -> Result<tree::Hash, Error> {
    tree::root(size, |level, position| node(database, level, position))
}

/// Rows are dense from 0, so the next index is the count.
pub(super) fn size(database: &Connection) -> Result<u64, Error> {
    let sql = "SELECT coalesce(max(idx) + 1, 0) FROM trace";
    let mut asked = database.prepare_cached(sql).map_err(Error::reading("the number of rows"))?;
    asked
        .query_row([], |row| row.get::<_, i64>(0))
        .map(|size| size as u64)
        .map_err(Error::reading("the number of rows"))
}

/// A node of the tree: a leaf stands with its row.
pub(super) fn node(database: &Connection, level: u8, position: u64) -> Result<tree::Hash, Error> {
    let reading = || Error::reading("a node of the tree");
    let position = position as i64;
    if level == 0 {
        let mut asked = database.prepare_cached("SELECT leaf FROM trace WHERE idx = ?1").map_err(reading())?;
        return asked.query_row([position], |row| row.get(0)).map_err(reading());
    }
    // It stands with the row that completed it, lowest level first.
    let (row, from) = (((position + 1) << level) - 1, 32 * i64::from(level) - 31);
    let sql = "SELECT substr(nodes, ?2, 32) FROM trace WHERE idx = ?1 AND length(nodes) >= ?2 + 31";
    let mut asked = database.prepare_cached(sql).map_err(reading())?;
    let found = asked.query_row(params![row, from], |row| row.get(0)).optional().map_err(reading())?;
    if let Some(hash) = found {
        return Ok(hash);
    }
    // Or in a table of its own, when the version before wrote that row.
    let sql = "SELECT hash FROM node WHERE level = ?1 AND position = ?2";
    let mut asked = database.prepare_cached(sql).map_err(reading())?;
    asked.query_row(params![level, position], |row| row.get(0)).map_err(reading())
}

pub(super) fn row_id(index: u64) -> [u8; 8] {
    index.to_be_bytes()
}

pub(super) fn outbox_place(id: &[u8]) -> Place<'_> {
    Place { table: "outbox", column: "body", row: id }
}

pub(super) fn body_place(row: &[u8]) -> Place<'_> {
    Place { table: "trace", column: "body", row }
}

pub(super) fn consent_place(id: &[u8]) -> Place<'_> {
    Place { table: "consent", column: "body", row: id }
}

const CHECK_PLACE: Place<'_> = Place { table: "store", column: "key_check", row: &[1] };
