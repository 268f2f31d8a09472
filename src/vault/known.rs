//! What cards that logged in here have said of themselves, sealed with the device key under an HMAC of their number.
//!
//! Bytes in, bytes out: what they mean is the card's business. Nothing is opened by them, and losing them loses nothing. A
//! card that was not here for [`KEPT_DAYS`] is forgotten when the next one is written down.

use crate::secret::SecretBytes;
use crate::time::UnixSeconds;
use crate::vault::Error;
use crate::vault::JOURNAL_FILE;
use crate::vault::Vault;
use crate::vault::folder;
use crate::vault::journal::Journal;
use crate::vault::journal::Keys;
use crate::vault::keys;
use crate::vault::keys::Pseudonym;
use crate::vault::provider;
use crate::vault::provider::Sources;
use crate::vault::schema;
use crate::vault::seal::Algorithm;
use crate::vault::seal::Place;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::params;
use std::path::PathBuf;

impl Vault {
    /// What was written down of the card of this number; the day is noted.
    pub async fn known_card(&self, serial: &str, at: UnixSeconds) -> Result<Option<SecretBytes>, Error> {
        let serial = serial.to_owned();
        self.inner.journal.ask(move |Journal { database, keys, .. }| known(database, keys, &serial, Some(at))).await
    }

    /// Writes it down, over what was. Whoever keeps it has seen the card prove its key.
    pub async fn keep_card(&self, serial: &str, what: SecretBytes, at: UnixSeconds) -> Result<(), Error> {
        let serial = serial.to_owned();
        self.inner.journal.ask(move |Journal { database, keys, .. }| keep(database, keys, &serial, &what, at)).await
    }

    /// The card of this number was not what was written down.
    pub async fn forget_card(&self, serial: &str) -> Result<(), Error> {
        let serial = serial.to_owned();
        self.inner.journal.ask(move |Journal { database, keys, .. }| forget(database, keys, &serial)).await
    }
}

/// The same from a command beside the kiosk. It reads what the kiosk wrote, and writes only where no kiosk runs and the last
/// one closed its journal.
pub struct KnownCards {
    database: Connection,
    keys: Keys,
    folder: PathBuf,
}

impl KnownCards {
    /// With the key that a kiosk would take that was started here. None is made, and no journal either.
    pub fn here(sources: Sources<'_>) -> Result<KnownCards, Error> {
        if !sources.state.join(JOURNAL_FILE).exists() {
            return Err(Error::NoJournal);
        }
        let device_key = provider::device_key(sources)?.key;
        let database = schema::look(&sources.state.join(JOURNAL_FILE), schema::JOURNAL)?;
        let device = keys::device_id(sources.state)?;
        let keys = Keys::checked(&database, &device_key, &device, Algorithm::of_this_machine())?;
        Ok(KnownCards { database, keys, folder: sources.state.to_path_buf() })
    }

    pub fn known(&self, serial: &str) -> Result<Option<SecretBytes>, Error> {
        known(&self.database, &self.keys, serial, None)
    }

    pub fn keep(&self, serial: &str, what: &SecretBytes, at: UnixSeconds) -> Result<(), Error> {
        self.written(|| keep(&self.database, &self.keys, serial, what, at))
    }

    pub fn forget(&self, serial: &str) -> Result<(), Error> {
        self.written(|| forget(&self.database, &self.keys, serial))
    }

    fn written(&self, write: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
        let _taken = folder::take(&self.folder)?.if_it_was_closed()?;
        let set = |name, value| self.database.pragma_update(None, name, value).map_err(Error::writing("a card"));
        set("query_only", "OFF")?;
        set("secure_delete", "ON")?;
        // Nobody waits for the disk: losing it loses nothing. Frames that a power cut tears are none (their checksums), and the
        // log is not carried into the journal from here.
        set("wal_autocheckpoint", "0")?;
        set("synchronous", "OFF")?;
        let done = write();
        set("query_only", "ON")?;
        done
    }
}

fn known(
    database: &Connection,
    keys: &Keys,
    serial: &str,
    at: Option<UnixSeconds>,
) -> Result<Option<SecretBytes>, Error> {
    let row = row_of(keys, serial);
    let sql = "SELECT known, since FROM card WHERE serial = ?1";
    let mut asked = database.prepare_cached(sql).map_err(Error::reading("a card"))?;
    let found: Option<(Vec<u8>, i64)> =
        asked.query_row([row], |row| Ok((row.get(0)?, row.get(1)?))).optional().map_err(Error::reading("a card"))?;
    let Some((sealed, since)) = found else { return Ok(None) };
    // Once a day is enough to know that it still comes.
    if let Some(at) = at.filter(|at| day(*at) != since) {
        let sql = "UPDATE card SET since = ?2 WHERE serial = ?1";
        database.execute(sql, params![row, day(at)]).map_err(Error::writing("a card"))?;
    }
    match keys.sealer.open(place(&row), &sealed) {
        Ok(known) => Ok(Some(known)),
        // Damaged, or in a newer program's form: it is read from the card.
        Err(Error::Sealed { .. } | Error::FromTheFuture { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}

fn keep(database: &Connection, keys: &Keys, serial: &str, what: &SecretBytes, at: UnixSeconds) -> Result<(), Error> {
    let row = row_of(keys, serial);
    let sealed = keys.sealer.seal(place(&row), what.show_bytes());
    let sql = "INSERT INTO card (serial, known, since) VALUES (?1, ?2, ?3)
               ON CONFLICT (serial) DO UPDATE SET known = excluded.known, since = excluded.since";
    database.execute(sql, params![row, sealed, day(at)]).map_err(Error::writing("a card"))?;
    let sql = "DELETE FROM card WHERE since < ?1";
    database.execute(sql, [day(at) - KEPT_DAYS * DAY_S]).map(drop).map_err(Error::writing("a card"))
}

fn forget(database: &Connection, keys: &Keys, serial: &str) -> Result<(), Error> {
    let sql = "DELETE FROM card WHERE serial = ?1";
    database.execute(sql, [row_of(keys, serial)]).map(drop).map_err(Error::writing("a card"))
}

fn row_of(keys: &Keys, serial: &str) -> Pseudonym {
    keys.pseudonym("card serial", serial.as_bytes())
}

fn place(row: &Pseudonym) -> Place<'_> {
    Place { table: "card", column: "known", row }
}

fn day(at: UnixSeconds) -> i64 {
    at.0 - at.0.rem_euclid(DAY_S)
}

/// How long after its last visit a card is known.
pub const KEPT_DAYS: i64 = 90;
const DAY_S: i64 = 24 * 3600;
