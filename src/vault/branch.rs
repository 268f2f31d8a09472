//! A disk that was put back: the upstream holds a head of ours that is not in our tree.
//!
//! Found at the first contact of each start, by the newest head that the upstream has; at the start itself where a TPM counts
//! (`counter`). The journal then goes on in a new branch, whose first row names the lost head; that head is known from then on,
//! and is not news again.
//!
//! Not found without a TPM: a disk put back to a state that the upstream has not passed yet. What was lost then, nobody else has
//! seen. One case of it is: a write-ahead log that was removed after a process that did not end by itself (`folder`).

use crate::journal::branch;
use crate::journal::note::Head;
use crate::time::Now;
use crate::time::UnixSeconds;
use crate::vault::Error;
use crate::vault::Vault;
use crate::vault::heads;
use crate::vault::journal::Journal;
use crate::vault::journal::append;
use crate::vault::journal::begin;
use rusqlite::Connection;
use rusqlite::params;

/// What a head that the upstream holds is to this journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// It is in the tree: nothing is missing here.
    Ours,
    /// It is in the tree, and the upstream had taken a newer one before: it came back from a backup.
    Behind { size: u64 },
    /// It is lost here, and a row has said so before.
    KnownLost,
    /// It is lost here. A row says so now.
    Lost(Branch),
    /// Not signed by this journal's key.
    Foreign,
}

/// Where the journal went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Branch {
    /// Index of the row that says so.
    pub index: u64,
    /// How many rows the lost head covers; 0: nobody knows.
    pub lost_size: u64,
    pub at: UnixSeconds,
}

impl Vault {
    /// What the newest head that the upstream has from this device is to this journal. When it is lost here, a row says so.
    pub async fn compare(&self, note: String, at: Now) -> Result<Compared, Error> {
        self.inner.journal.ask(move |journal| journal.compare(&note, at)).await
    }

    /// Where the journal went on after its disk was put back.
    pub async fn branches(&self) -> Result<Vec<Branch>, Error> {
        self.inner.journal.ask(|journal| journal.branches()).await
    }
}

impl Journal {
    /// `note` is the newest head that the upstream has from this device.
    pub fn compare(&mut self, note: &str, at: Now) -> Result<Compared, Error> {
        let key = self.keys.signing_key().verifying_key();
        let Some(head) = key.verify(note).ok().filter(|head| head.origin == self.keys.device) else {
            return Ok(Compared::Foreign);
        };
        if head.size <= self.size()? && self.root(head.size)? == head.root {
            let acknowledged = self.anchor()?.map_or(0, |anchor| anchor.size);
            return Ok(if head.size < acknowledged { Compared::Behind { size: head.size } } else { Compared::Ours });
        }
        if self.knows(&head)? {
            Ok(Compared::KnownLost)
        } else {
            self.go_on_after(Some(&head), at, |_| Ok(())).map(Compared::Lost)
        }
    }

    /// Oldest first.
    pub fn branches(&self) -> Result<Vec<Branch>, Error> {
        let reading = || Error::reading("branches");
        let mut asked = self.database.prepare("SELECT idx, size, since FROM branch ORDER BY idx").map_err(reading())?;
        let found = asked.query_map([], |row| {
            let [index, lost_size] = [row.get::<_, i64>(0)?, row.get(1)?].map(|number| number as u64);
            Ok(Branch { index, lost_size, at: UnixSeconds(row.get(2)?) })
        });
        found.and_then(Iterator::collect).map_err(reading())
    }

    pub(super) fn knows(&self, head: &Head) -> Result<bool, Error> {
        let sql = "SELECT EXISTS (SELECT 1 FROM branch WHERE size = ?1 AND root = ?2)";
        let known = self.database.query_row(sql, params![head.size as i64, head.root], |row| row.get(0));
        known.map_err(Error::reading("branches"))
    }

    /// The row, its place in the table of branches, a checkpoint over it and what else belongs to it, or none of them.
    pub fn go_on_after(
        &mut self,
        lost: Option<&Head>,
        at: Now,
        besides: impl FnOnce(&Connection) -> Result<(), Error>,
    ) -> Result<Branch, Error> {
        let Journal { database, keys, origin, .. } = self;
        let change = begin(database)?;
        let row = append(&change, keys, origin, branch::draft(&keys.device, lost, at))?;
        let branch =
            Branch { index: row.trace().index, lost_size: lost.map_or(0, |head| head.size), at: at.wall.value() };
        let sql = "INSERT INTO branch (idx, size, root, since) VALUES (?1, ?2, ?3, ?4)";
        let root = lost.map_or([0; 32], |head| head.root);
        let named = change.execute(sql, params![branch.index as i64, branch.lost_size as i64, root, branch.at.0]);
        named.map_err(Error::writing("a branch"))?;
        heads::cover(&change, keys)?;
        besides(&change)?;
        change.commit().map_err(Error::writing("a branch"))?;
        Ok(branch)
    }
}
