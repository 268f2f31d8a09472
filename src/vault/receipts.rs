//! A row's receipt, for the patient it is about.

use crate::journal::leaf;
use crate::journal::leaf::LeafHash;
use crate::journal::receipt::Claims;
use crate::journal::receipt::Place;
use crate::journal::receipt::Receipt;
use crate::journal::tree;
use crate::vault::Error;
use crate::vault::Vault;
use crate::vault::journal::Journal;
use crate::vault::journal::node;

impl Vault {
    /// The row is put under a checkpoint first, if none covers it yet.
    pub async fn receipt(&self, index: u64) -> Result<Receipt, Error> {
        let make = move |journal: &mut Journal| {
            journal.cover()?;
            journal.receipt(index)
        };
        self.inner.journal.ask(make).await
    }
}

impl Journal {
    /// Under the newest checkpoint over that row. [`Error::Absent`]: there is no such row, or no checkpoint over it yet;
    /// [`Error::Pruned`]: what it said is destroyed.
    pub(super) fn receipt(&self, index: u64) -> Result<Receipt, Error> {
        let snapshot = self.database.unchecked_transaction().map_err(Error::reading("the journal"))?;
        let body = self.body(index)?;
        let head = self.head_over(index)?.ok_or(Error::Absent)?;
        let trace = leaf::parse(body.ok_or(Error::Pruned)?.show_bytes()).map_err(|_| Error::Shape { what: "a row" })?;
        let path = tree::inclusion(index, head.size, |level, position| node(&self.database, level, position))?;
        let leaf = LeafHash(node(&self.database, 0, index)?);
        let place = Place { index, leaf, path: path.ok_or(Error::Absent)? };
        drop(snapshot);
        Receipt::new(&self.keys.signing_key(), &head.note, place, Claims::of(&trace))
            .map_err(|_| Error::Shape { what: "a checkpoint" })
    }
}
