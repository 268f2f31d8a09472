//! Whose records a holder read offline, so that the national record does not know of it yet. Told by their own rows and by
//! nothing kept besides: a *listed* row from the cache, and nothing online of that patient since.

use crate::identity::holder::HolderId;
use crate::journal::words::Class;
use crate::journal::words::Source;
use crate::patient::ins::Ins;
use crate::vault::Error;
use crate::vault::journal::Journal;
use std::collections::HashSet;

/// The newest rows that are looked at: more than an allowance of offline reading.
const LOOKED_AT_MAX: i64 = 6_000;

impl Journal {
    /// Oldest first. `settles` are the reasons of *maintenance* rows that settle a patient.
    pub fn owed_searches(&self, holder: &HolderId, settles: &[&str]) -> Result<Vec<Ins>, Error> {
        let reading = || Error::reading("what was read offline");
        let sql = "SELECT idx FROM trace WHERE body IS NOT NULL AND patient IS NOT NULL ORDER BY idx DESC LIMIT ?1";
        let mut asked = self.database.prepare_cached(sql).map_err(reading())?;
        let found = asked.query_map([LOOKED_AT_MAX], |row| row.get(0));
        let found: Vec<i64> = found.and_then(Iterator::collect).map_err(reading())?;
        let (mut seen, mut owed) = (HashSet::new(), Vec::new());
        for index in found {
            let draft = self.trace(index as u64)?.draft;
            let Some(patient) = draft.patient.filter(|_| draft.holder == *holder) else { continue };
            let settled = match draft.class {
                Class::Listed => draft.source == Source::Online,
                Class::Maintenance => draft.reason.as_deref().is_some_and(|reason| settles.contains(&reason)),
                _ => continue,
            };
            if seen.insert(patient.key()) && !settled {
                owed.push(patient);
            }
        }
        owed.reverse();
        Ok(owed)
    }
}
