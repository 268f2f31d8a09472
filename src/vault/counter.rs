//! What the journal means its counter to be, on the disk before the counter is raised (`journal::counter`).

use crate::journal::counter::Meant;
use crate::journal::note::Head;
use crate::time::Now;
use crate::vault::Branch;
use crate::vault::Error;
use crate::vault::Vault;
use crate::vault::journal::Journal;
use rusqlite::Connection;

/// What is remembered, and under which number a counter of this very journal is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptCounter {
    pub meant: Meant,
    /// From the store's random name: a journal that is begun anew on the same board has another.
    pub number: u16,
}

impl Vault {
    pub async fn counter(&self) -> Result<KeptCounter, Error> {
        self.inner.journal.ask(|journal| journal.counter()).await
    }

    /// On the disk when this returns.
    pub async fn mean(&self, meant: Meant) -> Result<(), Error> {
        self.inner.journal.ask(move |journal| mean(&journal.database, meant)).await
    }

    /// The counter, which is at `value`, has seen rows that are not here. The journal goes on beside them, and means that value
    /// from now on; both or neither. `newest` is the newest head that was seen, when anybody knows it. `None`: a row has said
    /// so before.
    pub async fn counter_was_ahead(
        &self,
        value: Meant,
        newest: Option<Head>,
        at: Now,
    ) -> Result<Option<Branch>, Error> {
        self.inner.journal.ask(move |journal| journal.counter_was_ahead(value, newest, at)).await
    }
}

impl Journal {
    pub fn counter(&self) -> Result<KeptCounter, Error> {
        let sql = "SELECT counter FROM store WHERE id = 1";
        let kept = self.database.query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
        let meant = match kept.map_err(Error::reading("the counter"))? {
            None => Meant::Never,
            Some(value) => u64::try_from(value).map_or(Meant::Begun, Meant::Value),
        };
        let number = self.keys.store.first_chunk().copied().map(u16::from_be_bytes);
        Ok(KeptCounter { meant, number: number.ok_or(Error::Shape { what: "the store's name" })? })
    }

    fn counter_was_ahead(&mut self, value: Meant, newest: Option<Head>, at: Now) -> Result<Option<Branch>, Error> {
        let lost = match newest {
            // It is here: what is lost came after it, or nothing is.
            Some(head) if head.size <= self.size()? && self.root(head.size)? == head.root => None,
            Some(head) if self.knows(&head)? => {
                mean(&self.database, value)?;
                return Ok(None);
            }
            newest => newest,
        };
        self.go_on_after(lost.as_ref(), at, |change| mean(change, value)).map(Some)
    }
}

fn mean(database: &Connection, meant: Meant) -> Result<(), Error> {
    let value = match meant {
        Meant::Never => None,
        Meant::Begun => Some(-1),
        Meant::Value(value) => Some(i64::try_from(value).map_err(|_| Error::Shape { what: "a counter" })?),
    };
    let done = database.execute("UPDATE store SET counter = ?1 WHERE id = 1", [value]);
    done.map(drop).map_err(Error::writing("the counter"))
}
