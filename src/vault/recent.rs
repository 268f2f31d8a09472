//! Whose records this holder opened lately: the traits known here, on the holder's desk, so that a round can be made of them. Of
//! the record itself nothing.

use crate::patient::ins::Patient;
use crate::time::UnixSeconds;
use crate::vault::Error;
use crate::vault::Vault;
use crate::vault::compartment::Compartment;
use crate::vault::compartment::Compartments;
use crate::vault::compartment::desk_place;
use crate::vault::compartment::desk_row;
use crate::vault::keys::Pseudonym;
use crate::vault::shapes;
use rusqlite::params;

impl Vault {
    /// This holder has opened that patient's record. Those of more than [`RECENT_DAYS`] ago are forgotten.
    pub async fn keep_recent(&self, patient: &Patient, at: UnixSeconds) -> Result<(), Error> {
        let (visit, name) = self.name_on_desk(&patient.ins).await?;
        let patient = patient.clone();
        let keep = move |there: &mut Compartments| there.of_visit(visit)?.keep_recent(&name, &patient, at);
        self.inner.compartments.ask(keep).await
    }

    /// The newest first, each with when their record was last opened.
    pub async fn recent(&self) -> Result<Vec<(Patient, UnixSeconds)>, Error> {
        self.inner.compartments.ask(|there| there.open()?.recent()).await
    }
}

impl Compartment {
    fn keep_recent(&mut self, device_name: &Pseudonym, patient: &Patient, at: UnixSeconds) -> Result<(), Error> {
        let writing = || Error::writing("a recent patient");
        let name = self.own_name(device_name);
        let body = self.desk.seal(desk_place(&desk_row("recent", &name)), shapes::write(patient).show_bytes());
        let change = self.begin()?;
        let sql = "INSERT INTO desk (kind, patient, body, since) VALUES ('recent', ?1, ?2, ?3)
                   ON CONFLICT (kind, patient) DO UPDATE SET body = ?2, since = ?3";
        change.execute(sql, params![name, body, at.0]).map_err(writing())?;
        let old = at.0 - RECENT_DAYS * 86_400;
        change.execute("DELETE FROM desk WHERE kind = 'recent' AND since < ?1", [old]).map_err(writing())?;
        change.commit().map_err(writing())
    }

    /// One that this disk damaged is passed over: it must not take the others down.
    fn recent(&self) -> Result<Vec<(Patient, UnixSeconds)>, Error> {
        let reading = || Error::reading("recent patients");
        let sql = "SELECT patient, body, since FROM desk WHERE kind = 'recent' ORDER BY since DESC, id DESC";
        let mut asked = self.database.prepare(sql).map_err(reading())?;
        let found = asked.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        let found: Vec<(Pseudonym, Vec<u8>, i64)> = found.and_then(Iterator::collect).map_err(reading())?;
        let open = |(name, body, since): &(Pseudonym, Vec<u8>, i64)| {
            let patient = shapes::read(&self.desk.open(desk_place(&desk_row("recent", name)), body).ok()?).ok()?;
            Some((patient, UnixSeconds(*since)))
        };
        Ok(found.iter().filter_map(open).collect())
    }
}

/// A weekly visit is still there after a holiday.
const RECENT_DAYS: i64 = 35;
