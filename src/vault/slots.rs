//! Slots (a compartment's wrapped key, one per holder and card) and shred secrets (one per compartment and patient).
//!
//! A patient's content needs the compartment key *and* the shred secret. Deleting the secret is done here, without any
//! card; the tombstone that stays makes the holder's next opening delete the rows, and refuses a fetch that is still on
//! its way.

use crate::identity::holder::CertificateKeyId;
use crate::identity::holder::HolderId;
use crate::identity::statement::Statement;
use crate::journal::consent::Said;
use crate::journal::consent::Scope;
use crate::patient::ins::Ins;
use crate::secret::SecretBytes;
use crate::secret::SecretKey;
use crate::time::UnixSeconds;
use crate::time::lease;
use crate::vault::Error;
use crate::vault::journal::Journal;
use crate::vault::journal::Keys;
use crate::vault::journal::begin;
use crate::vault::keys::Pseudonym;
use crate::vault::keys::key_encryption_key;
use crate::vault::keys::random_key;
use crate::vault::schema;
use crate::vault::seal::Place;
use crate::vault::seal::Sealer;
use rusqlite::OptionalExtension;
use rusqlite::Transaction;
use rusqlite::params;
use std::time::Duration;

/// Which compartment is open, and for whom.
#[derive(Clone)]
pub(super) struct Open {
    pub visit: u64,
    pub compartment: Pseudonym,
    pub holder: HolderId,
}

/// What the other thread needs to open a compartment.
pub(super) struct Opening {
    pub open: Open,
    pub key: SecretKey,
    /// Patients whose rows must go before anything is read.
    pub tombstones: Vec<Pseudonym>,
    /// Patients who have a secret: rows of anybody else open no more.
    pub living: Vec<Pseudonym>,
}

/// A patient in the open compartment: who it is there, and what their key is made with.
pub(super) struct Secret {
    pub visit: u64,
    pub patient: Pseudonym,
    /// `None`: nothing of this patient is there, or it was shredded.
    pub secret: Option<SecretKey>,
}

/// Whose copies of a patient's content are destroyed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    Everybody,
    Holder(HolderId),
    EverybodyBut(HolderId),
}

/// What a write does to the lease of what it is about.
#[derive(Clone, Copy)]
pub(super) enum Lease {
    AsItStands,
    Until(UnixSeconds),
}

/// A slot's row.
struct Slot {
    compartment: Pseudonym,
    salt: Vec<u8>,
    wrapped: Option<Vec<u8>>,
}

/// What a shred row says.
enum Shred {
    None,
    Tombstone,
    Sealed(Vec<u8>),
}

/// How S is made: deterministic, which PSS and ECDSA are not. A card that cannot sign so needs a slot of another kind.
const ALGORITHM: &str = "rsa-pkcs1v15-sha256";

impl Journal {
    /// What the card must sign. The salt is made once, and never leaves the device but inside this statement.
    pub fn compartment_statement(&mut self, holder: &HolderId, key: CertificateKeyId) -> Result<Statement, Error> {
        let row = self.slot_id(holder, key);
        if self.slot(&row)?.is_none() && !self.is_named_again(&row)? {
            let (salt, mut compartment) = (random_key(), [0; 16]);
            super::keys::fill_random(&mut compartment);
            let salt = self.keys.sealer.seal(salt_place(&row), salt.show_to_cipher());
            let sql = "INSERT INTO slot (holder, card, compartment, algorithm, salt) VALUES (?1, ?2, ?3, ?4, ?5)";
            let (holder, card) = row.split_at(16);
            let slot = params![holder, card, compartment, ALGORITHM, salt];
            self.database.execute(sql, slot).map_err(Error::writing("a slot"))?;
        }
        let slot = self.slot(&row)?.ok_or(Error::Shape { what: "a slot" })?;
        Ok(Statement::compartment(&self.keys.device, key, &self.salt(&row, &slot)?))
    }

    /// Unwraps the compartment's key, or makes it at the first visit. Leases that ended are shredded first.
    pub fn open_slot(
        &mut self,
        holder: &HolderId,
        key: CertificateKeyId,
        signature: &SecretBytes,
        at: UnixSeconds,
    ) -> Result<Opening, Error> {
        self.check_time()?;
        self.end_leases(at)?;
        let row = self.slot_id(holder, key);
        // Without a statement from here there is nothing that the card can have signed.
        let slot = self.slot(&row)?.ok_or(Error::WrongCard)?;
        let salt = self.salt(&row, &slot)?;
        let kek = key_encryption_key(signature, &self.device_key, &salt, key);
        let wrapper = Sealer::new(&kek, &self.keys.store, &self.keys.device, self.keys.sealer.algorithm());
        let place = Place { table: "slot", column: "wrapped", row: &row };
        let key = match &slot.wrapped {
            Some(wrapped) => {
                let opened = wrapper.open(place, wrapped).map_err(|_| Error::WrongCard)?;
                let key = to_key(&opened)?;
                if wrapper.is_old(wrapped) {
                    // Here alone, for the card's half of its key is not kept.
                    let anew = wrapper.seal(place, key.show_to_cipher());
                    let sql = "UPDATE slot SET wrapped = ?2 WHERE compartment = ?1";
                    let done = self.database.execute(sql, params![slot.compartment, anew]);
                    done.map_err(Error::writing("a slot"))?;
                }
                key
            }
            None => {
                let key = random_key();
                let wrapped = wrapper.seal(place, key.show_to_cipher());
                let sql = "UPDATE slot SET wrapped = ?2 WHERE compartment = ?1 AND wrapped IS NULL";
                self.database.execute(sql, params![slot.compartment, wrapped]).map_err(Error::writing("a slot"))?;
                key
            }
        };
        self.visits += 1;
        let open = Open { visit: self.visits, compartment: slot.compartment, holder: holder.clone() };
        let tombstones = self.tombstones(&slot.compartment)?;
        let living = self.names(&slot.compartment, "secret IS NOT NULL")?;
        Ok(Opening { open, key, tombstones, living })
    }

    /// The shred secret of a patient in the open compartment, if there is one.
    pub fn shred_secret(&mut self, patient: &Ins) -> Result<Secret, Error> {
        let patient = self.keys.patient(patient);
        self.secret_of(patient)
    }

    /// As [`Journal::shred_secret`], by the patient's name on this device.
    pub fn secret_of(&mut self, patient: Pseudonym) -> Result<Secret, Error> {
        self.check_time()?;
        let open = self.open.clone().ok_or(Error::Locked)?;
        let secret = match self.shred_row(&open.compartment, &patient)? {
            Shred::Sealed(sealed) => Some(self.open_secret(&open.compartment, &patient, &sealed)?),
            Shred::None | Shred::Tombstone => None,
        };
        Ok(Secret { visit: open.visit, patient, secret })
    }

    /// When what is kept of that patient in the open compartment ends; `None`: nothing is kept.
    pub fn lease_end(&mut self, patient: &Ins) -> Result<Option<UnixSeconds>, Error> {
        let open = self.open.as_ref().ok_or(Error::Locked)?;
        let sql = "SELECT lease_end FROM shred WHERE compartment = ?1 AND patient = ?2 AND secret IS NOT NULL";
        let named = params![open.compartment, self.keys.patient(patient)];
        let found = self.database.query_row(sql, named, |row| row.get(0)).optional();
        Ok(found.map_err(Error::reading("a lease"))?.map(UnixSeconds))
    }

    /// Patients of the open compartment whose content can still be read.
    pub fn living(&mut self) -> Result<Vec<Pseudonym>, Error> {
        self.check_time()?;
        let open = self.open.as_ref().ok_or(Error::Locked)?;
        let reading = || Error::reading("shred secrets");
        let sql = "SELECT patient FROM shred WHERE compartment = ?1 AND secret IS NOT NULL AND lease_end > ?2";
        let mut asked = self.database.prepare_cached(sql).map_err(reading())?;
        let now = self.told.wall.value().0;
        asked.query_map(params![open.compartment, now], |row| row.get(0)).and_then(Iterator::collect).map_err(reading())
    }

    /// The same, made when there is none. A tombstone refuses.
    ///
    /// A lease is renewed by what the server says of the record alone, and never past what it says: a list or a document that
    /// comes after it lasts no longer. Where nothing was said yet, it is the default one.
    pub fn shred_secret_to_write(&mut self, patient: &Ins, at: UnixSeconds, lease: Lease) -> Result<Secret, Error> {
        // What is over is not renewed.
        self.end_leases(at)?;
        let open = self.open.clone().ok_or(Error::Locked)?;
        let patient = self.keys.patient(patient);
        let row = [open.compartment, patient].concat();
        let secret = match self.shred_row(&open.compartment, &patient)? {
            Shred::Tombstone => return Err(Error::Shredded),
            Shred::Sealed(sealed) => {
                if let Lease::Until(end) = lease {
                    let sql = "UPDATE shred SET lease_end = ?3
                               WHERE compartment = ?1 AND patient = ?2 AND lease_end <> ?3 AND secret IS NOT NULL";
                    let renewed = self.database.execute(sql, params![open.compartment, patient, end.0]);
                    renewed.map_err(Error::writing("a lease"))?;
                }
                self.open_secret(&open.compartment, &patient, &sealed)?
            }
            Shred::None => {
                let secret = random_key();
                let sealed = self.keys.sealer.seal(secret_place(&row), secret.show_to_cipher());
                let sql = "INSERT INTO shred (compartment, patient, secret, lease_end) VALUES (?1, ?2, ?3, ?4)";
                let end = match lease {
                    Lease::AsItStands => lease::default_end(at),
                    Lease::Until(end) => end,
                };
                let made = self.database.execute(sql, params![open.compartment, patient, sealed, end.0]);
                made.map_err(Error::writing("a shred secret"))?;
                secret
            }
        };
        Ok(Secret { visit: open.visit, patient, secret: Some(secret) })
    }

    /// Their rows are deleted over there: content may come again.
    pub fn clear_tombstones(&mut self, compartment: &Pseudonym, patients: &[Pseudonym]) -> Result<(), Error> {
        let change = begin(&mut self.database)?;
        for patient in patients {
            let sql = "DELETE FROM shred WHERE compartment = ?1 AND patient = ?2 AND secret IS NULL";
            change.execute(sql, params![compartment, patient]).map_err(Error::writing("a tombstone"))?;
        }
        change.commit().map_err(Error::writing("a tombstone"))
    }

    /// Destroys a patient's content in those compartments. Gives the patient's name here, for what tidies up.
    pub fn shred_copies(&mut self, patient: &Ins, whose: &Whose) -> Result<Pseudonym, Error> {
        let patient = self.keys.patient(patient);
        let change = begin(&mut self.database)?;
        shred_of(&change, &self.keys, &patient, whose)?;
        change.commit().map_err(Error::writing("shredding"))?;
        Ok(patient)
    }

    /// Takes what was just overwritten out of the write-ahead log too: there the sealed secrets still stand. When a look
    /// reads beside us they go when it has gone ([`Journal::forget_at_last`]).
    pub fn forget(&mut self) -> Result<(), Error> {
        self.is_to_forget = true;
        self.is_to_forget = !schema::empty_log(&self.database)?;
        Ok(())
    }

    /// What could not be forgotten when it was to be; nobody waits for it long.
    pub(super) fn forget_at_last(&mut self) -> Result<(), Error> {
        if !self.is_to_forget {
            return Ok(());
        }
        let setting = || Error::writing("the write-ahead log");
        self.database.busy_timeout(Duration::ZERO).map_err(setting())?;
        let forgotten = self.forget();
        self.database.busy_timeout(schema::BUSY_MAX).map_err(setting())?;
        forgotten
    }

    pub fn tombstones(&self, compartment: &Pseudonym) -> Result<Vec<Pseudonym>, Error> {
        self.names(compartment, "secret IS NULL")
    }

    fn names(&self, compartment: &Pseudonym, which: &str) -> Result<Vec<Pseudonym>, Error> {
        let reading = || Error::reading("shred secrets");
        let sql = format!("SELECT patient FROM shred WHERE compartment = ?1 AND {which}");
        let mut asked = self.database.prepare(&sql).map_err(reading())?;
        asked.query_map([compartment], |row| row.get(0)).and_then(Iterator::collect).map_err(reading())
    }

    /// Holder and card, as they are named here.
    fn slot_id(&self, holder: &HolderId, key: CertificateKeyId) -> Vec<u8> {
        let holder = self.keys.pseudonym("holder", holder.0.as_bytes());
        [holder, self.keys.pseudonym("card", &key.0)].concat()
    }

    fn slot(&self, row: &[u8]) -> Result<Option<Slot>, Error> {
        let (holder, card) = row.split_at(16);
        let sql = "SELECT compartment, salt, wrapped, algorithm FROM slot WHERE holder = ?1 AND card = ?2";
        let found = self.database.query_row(sql, params![holder, card], |row| {
            let slot = Slot { compartment: row.get(0)?, salt: row.get(1)?, wrapped: row.get(2)? };
            Ok((slot, row.get::<_, String>(3)?))
        });
        match found.optional().map_err(Error::reading("a slot"))? {
            Some((_, algorithm)) if algorithm != ALGORITHM => Err(Error::SlotAlgorithm),
            found => Ok(found.map(|(slot, _)| slot)),
        }
    }

    /// A slot whose names a failing disk changed: its salt opens under these, and under no others.
    fn is_named_again(&mut self, row: &[u8]) -> Result<bool, Error> {
        let sql = "SELECT compartment, salt FROM slot";
        let mut asked = self.database.prepare(sql).map_err(Error::reading("slots"))?;
        let slots = asked.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).and_then(Iterator::collect);
        let slots: Vec<(Pseudonym, Vec<u8>)> = slots.map_err(Error::reading("slots"))?;
        let found = slots.iter().find(|(_, salt)| self.keys.sealer.open(salt_place(row), salt).is_ok());
        let Some((compartment, _)) = found else { return Ok(false) };
        let (holder, card) = row.split_at(16);
        let sql = "UPDATE slot SET holder = ?2, card = ?3 WHERE compartment = ?1";
        let named = self.database.execute(sql, params![compartment, holder, card]);
        named.map_err(Error::writing("a slot"))?;
        tracing::error!(store = "journal", "a slot had lost its names, and has them again");
        Ok(true)
    }

    fn salt(&self, row: &[u8], slot: &Slot) -> Result<[u8; 32], Error> {
        let salt = self.keys.sealer.open(salt_place(row), &slot.salt)?;
        salt.show_bytes().try_into().map_err(|_| Error::Shape { what: "a salt" })
    }

    fn shred_row(&self, compartment: &Pseudonym, patient: &Pseudonym) -> Result<Shred, Error> {
        let sql = "SELECT secret, lease_end FROM shred WHERE compartment = ?1 AND patient = ?2";
        let mut asked = self.database.prepare_cached(sql).map_err(Error::reading("a shred secret"))?;
        let found: Option<(Option<Vec<u8>>, i64)> = asked
            .query_row(params![compartment, patient], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
            .map_err(Error::reading("a shred secret"))?;
        Ok(match found {
            None => Shred::None,
            Some((None, _)) => Shred::Tombstone,
            // Over, and perhaps not shredded: a disk that cannot be written keeps nothing alive.
            Some((_, end)) if self.told.wall.value().0 >= end => Shred::Tombstone,
            Some((Some(sealed), _)) => Shred::Sealed(sealed),
        })
    }

    fn open_secret(&self, compartment: &Pseudonym, patient: &Pseudonym, sealed: &[u8]) -> Result<SecretKey, Error> {
        let row = [*compartment, *patient].concat();
        to_key(&self.keys.sealer.open(secret_place(&row), sealed)?)
    }
}

/// What a refusal or a withdrawal destroys, in the transaction that records it: everybody's for the team, this holder's
/// for what was said to them alone.
pub(super) fn shred(change: &Transaction<'_>, keys: &Keys, said: &Said, patient: &Pseudonym) -> Result<(), Error> {
    let whose = match said.scope {
        Scope::Team(_) | Scope::Event(_) => Whose::Everybody,
        Scope::HolderOnce | Scope::Authorization => Whose::Holder(said.holder.clone()),
    };
    shred_of(change, keys, patient, &whose)
}

/// Where nothing is yet, a tombstone stops what is still on its way.
fn shred_of(change: &Transaction<'_>, keys: &Keys, patient: &Pseudonym, whose: &Whose) -> Result<(), Error> {
    let name = |holder: &HolderId| Some(keys.pseudonym("holder", holder.0.as_bytes()));
    let (only, but) = match whose {
        Whose::Everybody => (None, None),
        Whose::Holder(holder) => (name(holder), None),
        Whose::EverybodyBut(holder) => (None, name(holder)),
    };
    let sql = "INSERT INTO shred (compartment, patient, secret, lease_end)
               SELECT compartment, ?1, NULL, 0 FROM slot WHERE (?2 IS NULL OR holder = ?2) AND (?3 IS NULL OR holder <> ?3)
               ON CONFLICT (compartment, patient) DO UPDATE SET secret = NULL";
    change.execute(sql, params![patient, only, but]).map(drop).map_err(Error::writing("shredding"))
}

fn to_key(bytes: &SecretBytes) -> Result<SecretKey, Error> {
    let bytes: &[u8; 32] = bytes.show_bytes().try_into().map_err(|_| Error::Shape { what: "a key" })?;
    Ok(SecretKey::fill_with(|key| key.copy_from_slice(bytes)))
}

fn salt_place(row: &[u8]) -> Place<'_> {
    Place { table: "slot", column: "salt", row }
}

fn secret_place(row: &[u8]) -> Place<'_> {
    Place { table: "shred", column: "secret", row }
}
