//! Drafts of notes: on the holder's desk, one a patient, sealed under the compartment's key. They survive the card's removal and
//! a restart, and cannot be fetched from anywhere else.

use crate::patient::ins::Ins;
use crate::record::note::NoteDraft;
use crate::time::UnixSeconds;
use crate::vault::Error;
use crate::vault::Vault;
use crate::vault::compartment::Compartment;
use crate::vault::compartment::Compartments;
use crate::vault::compartment::desk_place;
use crate::vault::compartment::desk_row;
use crate::vault::journal::Journal;
use crate::vault::keys::Pseudonym;
use crate::vault::shapes;
use crate::vault::shapes::DeskDraft;
use rusqlite::OptionalExtension;
use rusqlite::params;
use std::collections::HashSet;
use uuid::Uuid;

impl Vault {
    /// What this holder has begun about that patient. One that was finished meanwhile, and not taken off the desk before a
    /// crash, is taken off now.
    pub async fn note_draft(&self, patient: &Ins) -> Result<Option<NoteDraft>, Error> {
        let (visit, name) = self.name_on_desk(patient).await?;
        let find = move |there: &mut Compartments| there.of_visit(visit)?.note_draft(&name);
        let Some(found) = self.inner.compartments.ask(find).await? else { return Ok(None) };
        let id = found.draft.id;
        if self.inner.journal.ask(move |journal| journal.is_in_outbox(id)).await? {
            self.drop_note_draft(patient).await?;
            return Ok(None);
        }
        Ok(Some(found.draft))
    }

    /// Replaces it.
    pub async fn keep_note_draft(&self, patient: &Ins, draft: NoteDraft, at: UnixSeconds) -> Result<(), Error> {
        let (visit, name) = self.name_on_desk(patient).await?;
        let draft = DeskDraft { patient: patient.clone(), draft };
        let keep = move |there: &mut Compartments| there.of_visit(visit)?.keep_note_draft(&name, &draft, at);
        self.inner.compartments.ask(keep).await
    }

    pub async fn drop_note_draft(&self, patient: &Ins) -> Result<(), Error> {
        let (visit, name) = self.name_on_desk(patient).await?;
        let drop = move |there: &mut Compartments| there.of_visit(visit)?.drop_draft(&name);
        self.inner.compartments.ask(drop).await
    }

    /// Whose records this holder has a draft for.
    pub async fn drafted(&self) -> Result<HashSet<Ins>, Error> {
        let drafts = self.inner.compartments.ask(|there| there.open()?.drafts()).await?;
        Ok(drafts.into_iter().map(|one| one.patient).collect())
    }

    pub(super) async fn name_on_desk(&self, patient: &Ins) -> Result<(u64, Pseudonym), Error> {
        let patient = patient.clone();
        let name = move |journal: &mut Journal| {
            let visit = journal.open.as_ref().ok_or(Error::Locked)?.visit;
            Ok((visit, journal.keys.patient(&patient)))
        };
        self.inner.journal.ask(name).await
    }
}

impl Journal {
    fn is_in_outbox(&self, id: Uuid) -> Result<bool, Error> {
        let sql = "SELECT EXISTS (SELECT 1 FROM outbox WHERE id = ?1)";
        self.database.query_row(sql, [id.as_bytes()], |row| row.get(0)).map_err(Error::reading("the outbox"))
    }
}

impl Compartment {
    fn note_draft(&self, device_name: &Pseudonym) -> Result<Option<DeskDraft>, Error> {
        let name = self.own_name(device_name);
        let sql = "SELECT body FROM desk WHERE kind = 'draft' AND patient = ?1";
        let found = self.database.query_row(sql, [name], |row| row.get(0)).optional();
        let found: Option<Vec<u8>> = found.map_err(Error::reading("a draft"))?;
        let open = |body: Vec<u8>| shapes::read(&self.desk.open(desk_place(&desk_row("draft", &name)), &body)?);
        found.map(open).transpose()
    }

    fn keep_note_draft(&mut self, device_name: &Pseudonym, draft: &DeskDraft, at: UnixSeconds) -> Result<(), Error> {
        let name = self.own_name(device_name);
        let body = self.desk.seal(desk_place(&desk_row("draft", &name)), shapes::write(draft).show_bytes());
        let sql = "INSERT INTO desk (kind, patient, body, since) VALUES ('draft', ?1, ?2, ?3)
                   ON CONFLICT (kind, patient) DO UPDATE SET body = ?2, since = ?3";
        self.database.execute(sql, params![name, body, at.0]).map(drop).map_err(Error::writing("a draft"))
    }

    fn drop_draft(&mut self, device_name: &Pseudonym) -> Result<(), Error> {
        let name = self.own_name(device_name);
        let gone = self.database.execute("DELETE FROM desk WHERE kind = 'draft' AND patient = ?1", [name]);
        gone.map(drop).map_err(Error::writing("a draft"))
    }

    /// All of them. One that this disk damaged is passed over: it must not take the others down.
    pub(super) fn drafts(&self) -> Result<Vec<DeskDraft>, Error> {
        let reading = || Error::reading("drafts");
        let sql = "SELECT patient, body FROM desk WHERE kind = 'draft' ORDER BY id";
        let mut asked = self.database.prepare(sql).map_err(reading())?;
        let found = asked.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        let found: Vec<(Pseudonym, Vec<u8>)> = found.and_then(Iterator::collect).map_err(reading())?;
        let open = |(name, body): &(Pseudonym, Vec<u8>)| {
            shapes::read(&self.desk.open(desk_place(&desk_row("draft", name)), body).ok()?).ok()
        };
        Ok(found.iter().filter_map(open).collect())
    }
}
