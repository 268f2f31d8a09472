//! What an author finished: its row and its place in the outbox, in one transaction. And the outbox's other doors: what was
//! sent, what is to be sent again, what is written anew instead.

use crate::identity::holder::HolderId;
use crate::journal::Committed;
use crate::journal::Draft;
use crate::journal::Pending;
use crate::journal::item::Body;
use crate::journal::item::Contribution;
use crate::journal::item::Deed;
use crate::record::note::Note;
use crate::time::UnixSeconds;
use crate::vault::Error;
use crate::vault::Vault;
use crate::vault::journal::Journal;
use crate::vault::journal::Waits;
use crate::vault::journal::append;
use crate::vault::journal::begin;
use crate::vault::outbox::DAMAGED_HERE;
use crate::vault::outbox::Line;
use crate::vault::outbox::SUPERSEDED_NEEDS;
use crate::vault::shapes;
use rusqlite::OptionalExtension;
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
        self.inner.journal.ask(move |journal| journal.contribute(row, id, &contribution, None)).await
    }

    /// The same, written instead of what was refused under `corrected`: that one is superseded, in the same transaction. It is
    /// not sent again, and stays here with what was said of it. [`Error::FinishedBefore`]: it stands refused no more.
    pub async fn contribute_instead(
        &self,
        row: Draft,
        id: Uuid,
        contribution: Contribution,
        corrected: Uuid,
    ) -> Result<Committed, Error> {
        self.inner.journal.ask(move |journal| journal.contribute(row, id, &contribution, Some(corrected))).await
    }

    /// A refused note, for its author to write anew. `None`: no longer refused, no note, or another's.
    pub async fn refused_note(&self, id: Uuid, author: &HolderId) -> Result<Option<Note>, Error> {
        let author = author.clone();
        let found = self.inner.journal.ask(move |journal| journal.refused_note(id)).await?;
        Ok(found.filter(|note| note.writer.id == author))
    }

    /// It waits, or was sent and nobody knows yet whether it arrived: it may leave at any moment.
    pub async fn may_still_leave(&self, id: Uuid) -> Result<bool, Error> {
        self.inner.journal.ask(move |journal| journal.may_still_leave(id)).await
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
    fn contribute(
        &mut self,
        row: Draft,
        id: Uuid,
        contribution: &Contribution,
        corrected: Option<Uuid>,
    ) -> Result<Committed, Error> {
        let Journal { database, keys, origin, unanchored, .. } = self;
        let change = begin(database)?;
        let sql = "SELECT EXISTS (SELECT 1 FROM outbox WHERE id = ?1)";
        let is_there: bool =
            change.query_row(sql, [id.as_bytes()], |row| row.get(0)).map_err(Error::reading("the outbox"))?;
        if is_there {
            return Err(Error::FinishedBefore);
        }
        if let Some(corrected) = corrected {
            // Its author's alone: the author is sealed inside, and its holder's pseudonym stands beside it.
            let author = keys.pseudonym("holder", contribution.author.0.as_bytes());
            let sql = "UPDATE outbox SET code = ?2, needs = ?4 WHERE id = ?1 AND needs = ?3 AND kind = 'contributions'
                       AND state = 'set_aside' AND code <> ?2";
            let superseded = params![corrected.as_bytes(), DAMAGED_HERE, author, SUPERSEDED_NEEDS];
            let done = change.execute(sql, superseded);
            if done.map_err(Error::writing("a contribution"))? != 1 {
                return Err(Error::FinishedBefore);
            }
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

    fn may_still_leave(&self, id: Uuid) -> Result<bool, Error> {
        let sql =
            "SELECT EXISTS (SELECT 1 FROM outbox WHERE id = ?1 AND state <> 'acknowledged' AND state <> 'set_aside')";
        self.database.query_row(sql, [id.as_bytes()], |row| row.get(0)).map_err(Error::reading("the outbox"))
    }

    fn refused_note(&self, id: Uuid) -> Result<Option<Note>, Error> {
        let sql = "SELECT id, kind, body FROM outbox WHERE id = ?1 AND kind = 'contributions'
                   AND state = 'set_aside' AND code <> ?2";
        let found = self.database.query_row(sql, params![id.as_bytes(), DAMAGED_HERE], Line::from_row);
        let Some(line) = found.optional().map_err(Error::reading("what was set aside"))? else { return Ok(None) };
        Ok(match self.open_line(&line)?.0.body {
            Body::Contribution(one) => match one.deed {
                Deed::Add { note, .. } => Some(*note),
                Deed::Change { .. } => None,
            },
            Body::Trace { .. } | Body::Consent(_) => None,
        })
    }
}
