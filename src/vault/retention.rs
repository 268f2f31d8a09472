//! What is destroyed when its time is over: bodies of rows that the upstream has acknowledged. Leaves stay, so that every
//! export and every receipt still verifies.
//!
//! Only rows about a patient are pruned. Logins stay whole: their certificates are what authorship and countersignatures are
//! checked with. What was set aside stays too: it has been delivered to nobody. A refused note that was written anew goes.

use crate::time::UnixSeconds;
use crate::vault::Error;
use crate::vault::Vault;
use crate::vault::journal::Journal;
use crate::vault::journal::begin;
use crate::vault::journal::settle;
use crate::vault::outbox::SUPERSEDED_NEEDS;
use rusqlite::params;

/// Rows looked at in one go: the journal's thread is never away for long.
const WINDOW: i64 = 2_000;

impl Vault {
    /// Prunes bodies of rows written before `before` and acknowledged; `true` when there may be more to do at once.
    pub async fn prune(&self, before: UnixSeconds) -> Result<bool, Error> {
        self.inner.journal.ask(move |journal| journal.prune(before)).await
    }
}

impl Journal {
    /// Prunes what was written before `before` and acknowledged; `true` when there may be more to do at once.
    pub fn prune(&mut self, before: UnixSeconds) -> Result<bool, Error> {
        let writing = || Error::writing("retention");
        let change = begin(&mut self.database)?;
        settle(&change)?;
        let from: i64 = change
            .query_row("SELECT pruned_below FROM store WHERE id = 1", [], |row| row.get(0))
            .map_err(Error::reading("retention"))?;
        let sql = "UPDATE trace SET body = NULL
                   WHERE idx >= ?1 AND idx < ?2 AND body IS NOT NULL AND patient IS NOT NULL AND local_time < ?3
                   AND EXISTS (SELECT 1 FROM outbox WHERE outbox.id = trace.id AND outbox.state = 'acknowledged')";
        let pruned = change.execute(sql, params![from, from + WINDOW, before.0]).map_err(writing())?;
        let sql = "UPDATE outbox SET body = x'' WHERE kind = 'contributions' AND length(body) > 0 AND since < ?1
                   AND (state = 'acknowledged' OR (state = 'set_aside' AND needs = ?2))";
        let pruned = pruned + change.execute(sql, params![before.0, SUPERSEDED_NEEDS]).map_err(writing())?;
        // The first row that must be looked at again: too young, or not acknowledged yet. What was set aside is passed
        // over, so that it stands in nobody's way.
        let sql = "SELECT coalesce((SELECT min(idx) FROM trace JOIN outbox ON outbox.id = trace.id
                   WHERE idx >= ?1 AND idx < ?2 AND trace.body IS NOT NULL AND trace.patient IS NOT NULL
                   AND outbox.state <> 'set_aside'),
                   (SELECT min(?2, coalesce(max(idx) + 1, 0)) FROM trace))";
        let next: i64 =
            change.query_row(sql, [from, from + WINDOW], |row| row.get(0)).map_err(Error::reading("retention"))?;
        let next = next.max(from);
        if next > from {
            change.execute("UPDATE store SET pruned_below = ?1 WHERE id = 1", [next]).map_err(writing())?;
        }
        change.commit().map_err(writing())?;
        if pruned > 0 {
            self.forget()?;
        }
        Ok(next == from + WINDOW)
    }
}
