//! Of whom all is here that the holder may read: a mark on the desk, so that a card pulled half-way finds its round as it left it.
//!
//! It says nothing of what is here, and goes as soon as the list changes or the content does.

use crate::time::UnixSeconds;
use crate::vault::Error;
use crate::vault::compartment::Compartment;
use crate::vault::compartment::Of;
use crate::vault::compartment::desk_place;
use crate::vault::compartment::desk_row;
use crate::vault::keys::Pseudonym;
use rusqlite::Transaction;
use rusqlite::params;

impl Compartment {
    pub fn keep_ready(&mut self, of: &Of, at: UnixSeconds) -> Result<(), Error> {
        let body = self.desk.seal(desk_place(&desk_row("ready", &of.patient)), &at.0.to_be_bytes());
        let sql = "INSERT INTO desk (kind, patient, body, since) VALUES ('ready', ?1, ?2, ?3)
                   ON CONFLICT (kind, patient) DO UPDATE SET body = ?2, since = ?3";
        let done = self.database.execute(sql, params![of.patient, body, at.0]);
        done.map(drop).map_err(Error::writing("what is ready"))
    }

    /// From the sealed mark beside a patient of the round.
    pub(super) fn ready_at(&self, patient: &Pseudonym, sealed: Option<&[u8]>) -> Result<Option<UnixSeconds>, Error> {
        let Some(sealed) = sealed else { return Ok(None) };
        let at = self.desk.open(desk_place(&desk_row("ready", patient)), sealed)?;
        let at = at.show_bytes().try_into().map_err(|_| Error::Shape { what: "the time of a mark" })?;
        Ok(Some(UnixSeconds(i64::from_be_bytes(at))))
    }
}

/// What changed is not known to be whole any more.
pub(super) fn forget(change: &Transaction<'_>, patient: &Pseudonym) -> Result<(), Error> {
    let done = change.execute("DELETE FROM desk WHERE kind = 'ready' AND patient = ?1", [patient]);
    done.map(drop).map_err(Error::writing("what is ready"))
}
