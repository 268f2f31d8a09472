//! What a holder has read of a patient, and when they last saw the list: their own *opened* and *listed* rows, and nothing kept
//! besides. A row that was pruned is forgotten here too, and the document counts as unread again.

use crate::identity::holder::HolderId;
use crate::journal::words::Class;
use crate::patient::ins::Ins;
use crate::record::document::UniqueId;
use crate::time::UnixSeconds;
use crate::vault::Error;
use crate::vault::Vault;
use crate::vault::journal::Journal;
use rusqlite::params;
use std::collections::HashSet;

/// The newest rows of one patient that are looked at: each has to be opened to be understood.
const LOOKED_AT_MAX: i64 = 2_000;

/// Of one patient, by one holder.
#[derive(Debug, Default)]
pub struct Seen {
    /// Documents opened.
    pub opened: HashSet<UniqueId>,
    /// When the list was seen, in a visit before the one asked about.
    pub last_visit: Option<UnixSeconds>,
}

impl Vault {
    /// Which of this patient's documents this holder has opened, and when they saw the list before the visit that
    /// the login at row `begun` began; `None`: whenever that was.
    pub async fn seen_by(&self, patient: &Ins, holder: &HolderId, begun: Option<u64>) -> Result<Seen, Error> {
        let (patient, holder) = (patient.clone(), holder.clone());
        self.inner.journal.ask(move |journal| journal.seen_by(&patient, &holder, begun)).await
    }
}

impl Journal {
    pub fn seen_by(&self, patient: &Ins, holder: &HolderId, begun: Option<u64>) -> Result<Seen, Error> {
        let reading = || Error::reading("a patient's rows");
        let sql = "SELECT idx FROM trace WHERE patient = ?1 AND body IS NOT NULL ORDER BY idx DESC LIMIT ?2";
        let mut asked = self.database.prepare_cached(sql).map_err(reading())?;
        let found = asked.query_map(params![self.keys.patient(patient), LOOKED_AT_MAX], |row| row.get(0));
        let found: Vec<i64> = found.and_then(Iterator::collect).map_err(reading())?;
        // Whoever comes back to a locked screen logs in again, within one visit.
        let is_before = |one: u64| begun.is_none_or(|begun| one < begun);
        let mut seen = Seen::default();
        for index in found {
            let draft = self.trace(index as u64)?.draft;
            if draft.holder != *holder {
                continue;
            }
            match draft.class {
                Class::Opened => seen.opened.extend(draft.document.map(|(document, _)| document)),
                Class::Listed if draft.login.is_none_or(is_before) && seen.last_visit.is_none() => {
                    seen.last_visit = Some(draft.at.wall.value());
                }
                _ => {}
            }
        }
        Ok(seen)
    }
}
