//! What an author finished: its row and its place in the outbox, in one transaction. And the outbox's other doors: what was
//! sent, what is to be sent again.

use crate::journal::Committed;
use crate::journal::Draft;
use crate::journal::Pending;
use crate::journal::item::Contribution;
use crate::time::UnixSeconds;
use crate::vault::Error;
use crate::vault::Vault;
use crate::vault::journal::Journal;
use crate::vault::journal::Waits;
use crate::vault::journal::append;
use crate::vault::journal::begin;
use crate::vault::outbox::DAMAGED_HERE;
use crate::vault::shapes;
use rusqlite::params;
use uuid::Uuid;

impl Vault {
    /// A name for what is begun now: a note's, or a change's.
    pub async fn new_id(&self, at: UnixSeconds) -> Result<Uuid, Error> {
        self.inner.journal.ask(move |journal| Ok(journal.origin.id(at))).await
    }

    /// Keeps what an author finished, and the row that says so: both, fsynced, or neither. [`Error::FinishedBefore`]: an item of
    /// that id is there, whatever became of it.
    pub async fn contribute(&self, row: Draft, id: Uuid, contribution: Contribution) -> Result<Committed, Error> {
        self.inner.journal.ask(move |journal| journal.contribute(row, id, &contribution)).await
    }

    /// These are on their way: after a crash nobody knows whether they arrived.
    pub async fn sent(&self, ids: Vec<Uuid>) -> Result<(), Error> {
        self.inner.journal.ask(move |journal| journal.mark_sent(&ids)).await
    }

    /// What was refused goes once more, in its old place. `false`: it cannot, because this disk damaged it, or it was not refused.
    pub async fn send_again(&self, id: Uuid, at: UnixSeconds) -> Result<bool, Error> {
        self.inner.journal.ask(move |journal| journal.send_again(id, at)).await
    }
}

impl Journal {
    fn contribute(&mut self, row: Draft, id: Uuid, contribution: &Contribution) -> Result<Committed, Error> {
        let Journal { database, keys, origin, unanchored, .. } = self;
        let change = begin(database)?;
        let sql = "SELECT EXISTS (SELECT 1 FROM outbox WHERE id = ?1)";
        let is_there: bool =
            change.query_row(sql, [id.as_bytes()], |row| row.get(0)).map_err(Error::reading("the outbox"))?;
        if is_there {
            return Err(Error::FinishedBefore);
        }
        let (mut more, at) = (*unanchored, row.at.wall.value());
        more.add(row.class, at);
        let pending = append(&change, keys, origin, row)?;
        let needs = Some(keys.pseudonym("holder", contribution.author.0.as_bytes()));
        let body = shapes::write(contribution);
        let patient = Some(keys.patient(&contribution.patient));
        let waits = Waits { id, kind: "contributions", needs, patient, body: body.show_bytes(), since: at };
        waits.keep(&change, keys)?;
        change.commit().map_err(Error::writing("a contribution"))?;
        *unanchored = more;
        Ok(Pending::committed(pending))
    }

    fn mark_sent(&mut self, ids: &[Uuid]) -> Result<(), Error> {
        let change = begin(&mut self.database)?;
        for id in ids {
            let sql = "UPDATE outbox SET state = 'sent' WHERE id = ?1 AND state = 'waiting'";
            change.execute(sql, [id.as_bytes()]).map_err(Error::writing("what is on its way"))?;
        }
        change.commit().map_err(Error::writing("what is on its way"))
    }

    fn send_again(&mut self, id: Uuid, at: UnixSeconds) -> Result<bool, Error> {
        let sql = "UPDATE outbox SET state = 'waiting', code = NULL, reason = NULL, since = ?2
                   WHERE id = ?1 AND state = 'set_aside' AND code <> ?3";
        let done = self.database.execute(sql, params![id.as_bytes(), at.0, DAMAGED_HERE]);
        done.map(|done| done == 1).map_err(Error::writing("sending again"))
    }
}
