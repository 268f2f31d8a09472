//! What a holder has read of a patient: their own *opened* rows, and nothing kept besides. A row that was pruned is forgotten
//! here too, and the document counts as unread again.

use crate::identity::holder::HolderId;
use crate::journal::words::Class;
use crate::patient::ins::Ins;
use crate::record::document::UniqueId;
use crate::vault::Error;
use crate::vault::Vault;
use crate::vault::journal::Journal;
use rusqlite::params;
use std::collections::HashSet;

/// The newest rows of one patient that are looked at: each has to be opened to be understood.
const LOOKED_AT_MAX: i64 = 2_000;

impl Vault {
    /// Which of this patient's documents this holder has opened.
    pub async fn opened_by(&self, patient: &Ins, holder: &HolderId) -> Result<HashSet<UniqueId>, Error> {
        let (patient, holder) = (patient.clone(), holder.clone());
        self.inner.journal.ask(move |journal| journal.opened_by(&patient, &holder)).await
    }
}

impl Journal {
    pub fn opened_by(&self, patient: &Ins, holder: &HolderId) -> Result<HashSet<UniqueId>, Error> {
        let reading = || Error::reading("a patient's rows");
        let sql = "SELECT idx FROM trace WHERE patient = ?1 AND body IS NOT NULL ORDER BY idx DESC LIMIT ?2";
        let mut asked = self.database.prepare_cached(sql).map_err(reading())?;
        let found = asked.query_map(params![self.keys.patient(patient), LOOKED_AT_MAX], |row| row.get(0));
        let found: Vec<i64> = found.and_then(Iterator::collect).map_err(reading())?;
        let mut opened = HashSet::new();
        for index in found {
            let draft = self.trace(index as u64)?.draft;
            if draft.class == Class::Opened && draft.holder == *holder {
                opened.extend(draft.document.map(|(document, _)| document));
            }
        }
        Ok(opened)
    }
}
