//! A centre that came back from an older backup: it has forgotten what it once acknowledged. What is still here goes again.
//!
//! Found by the newest head that it has of this device, which is older than one it had taken before. Whatever was acknowledged
//! before it took that head is in the backup; whatever came after may be lost. Every item is idempotent by its id, so that
//! sending too much is harmless, and too little would be a loss.
//!
//! Not found: a backup from before this device's first head, an audit repository that does not say which heads it has, or a record's
//! server that came back while `[audit]` is another one, which forgot nothing.

use crate::vault::Error;
use crate::vault::Vault;
use crate::vault::journal::Journal;
use crate::vault::journal::begin;
use crate::vault::journal::outbox_place;
use crate::vault::journal::row_id;
use crate::vault::seal::Place;
use rusqlite::OptionalExtension;
use rusqlite::Transaction;
use rusqlite::params;

/// A clock that was put right meanwhile must not hide what it acknowledged.
const MARGIN_S: i64 = 86_400;

impl Vault {
    /// The centre's newest head of ours covers `size` rows: whatever it acknowledged after it took that head waits again. How
    /// many items.
    pub async fn send_again_from(&self, size: u64) -> Result<u64, Error> {
        self.inner.journal.ask(move |journal| journal.send_again_from(size as i64)).await
    }
}

impl Journal {
    fn send_again_from(&mut self, size: i64) -> Result<u64, Error> {
        let sql = "SELECT anchored_at FROM checkpoint WHERE size = ?1 AND anchored_at IS NOT NULL";
        let taken = self.database.query_row(sql, [size], |row| row.get::<_, i64>(0)).optional();
        // Not known when: then everything.
        let since = taken.map_err(Error::reading("checkpoints"))?.map_or(i64::MIN, |at| at.saturating_sub(MARGIN_S));
        let Journal { database, keys, .. } = self;
        let change = begin(database)?;
        let mut count = 0;
        // Its words are needed: what was pruned is past its time upstream too.
        let traces = "SELECT trace.id, trace.idx FROM trace JOIN outbox ON outbox.id = trace.id
                      WHERE trace.body IS NOT NULL AND outbox.state = 'acknowledged'
                      AND (outbox.since >= ?1 OR trace.idx >= ?2)";
        for (id, index) in listed::<i64>(&change, traces, params![since, size])? {
            let body = keys.sealer.seal(outbox_place(&id), &row_id(index as u64));
            count += wait_again(&change, &id, &body)?;
        }
        let consents = "SELECT consent.id, consent.body FROM consent JOIN outbox ON outbox.id = consent.id
                        WHERE outbox.state = 'acknowledged' AND outbox.since >= ?1";
        for (id, sealed) in listed::<Vec<u8>>(&change, consents, params![since])? {
            let body = keys.sealer.open(Place { table: "consent", column: "body", row: &id }, &sealed)?;
            count += wait_again(&change, &id, &keys.sealer.seal(outbox_place(&id), body.show_bytes()))?;
        }
        let contributions = "SELECT id, body FROM outbox
                             WHERE kind = 'contributions' AND state = 'acknowledged' AND since >= ?1 AND length(body) > 0";
        for (id, body) in listed::<Vec<u8>>(&change, contributions, params![since])? {
            count += wait_again(&change, &id, &body)?;
        }
        let sql = "UPDATE checkpoint SET anchored_at = NULL WHERE size > ?1";
        change.execute(sql, [size]).map_err(Error::writing("what is sent again"))?;
        change.commit().map_err(Error::writing("what is sent again"))?;
        self.recount()?;
        Ok(count)
    }
}

fn listed<T: rusqlite::types::FromSql>(
    change: &Transaction<'_>,
    sql: &str,
    asked: impl rusqlite::Params,
) -> Result<Vec<([u8; 16], T)>, Error> {
    let reading = || Error::reading("what was acknowledged");
    let mut statement = change.prepare(sql).map_err(reading())?;
    let found = statement.query_map(asked, |row| Ok((row.get(0)?, row.get(1)?)));
    found.and_then(Iterator::collect).map_err(reading())
}

fn wait_again(change: &Transaction<'_>, id: &[u8; 16], body: &[u8]) -> Result<u64, Error> {
    let sql = "UPDATE outbox SET state = 'waiting', body = ?2 WHERE id = ?1";
    let done = change.execute(sql, params![id, body]).map_err(Error::writing("what is sent again"))?;
    Ok(done as u64)
}
