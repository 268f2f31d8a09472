//! Checkpoints as they lie on the disk: signed by the device, countersigned by a card, anchored by the upstream.
//!
//! A checkpoint is made in the transaction of a login or of an opened record, and whenever somebody asks while rows stand
//! uncovered. A card attests the newest one, which covers all before it. What is kept of the card is sealed: a signature
//! names its certificate, and so a person, to whoever has the directory.

use crate::identity::holder::CertificateKeyId;
use crate::journal::allowance::Unanchored;
use crate::journal::leaf;
use crate::journal::note;
use crate::journal::note::Countersignature;
use crate::journal::note::Head;
use crate::journal::note::SigningKey;
use crate::time::UnixSeconds;
use crate::vault::Error;
use crate::vault::Vault;
use crate::vault::journal::Journal;
use crate::vault::journal::Keys;
use crate::vault::journal::begin;
use crate::vault::journal::root;
use crate::vault::journal::size;
use crate::vault::seal::Place;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::params;

/// A checkpoint that no card has signed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncountersigned {
    pub size: u64,
    /// What `Statement::countersignature` takes.
    pub text: String,
}

/// A checkpoint, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptHead {
    pub size: u64,
    /// The note, with the card's line under it if there is one.
    pub note: String,
    /// With the device's line alone: the same bytes for ever, for an upstream that keeps what it is given.
    pub device_note: String,
    /// When its last row was written.
    pub last_row_at: UnixSeconds,
    pub is_countersigned: bool,
    pub anchored_at: Option<UnixSeconds>,
}

/// How much of the journal somebody else vouches for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchored {
    pub size: u64,
    pub at: UnixSeconds,
}

/// Size, note, countersignature, anchored at, and when the last row was written.
type Row = (i64, Vec<u8>, Option<Vec<u8>>, Option<i64>, i64);

impl Vault {
    /// Puts all rows under a checkpoint, and gives the newest; `None` while there is no row.
    pub async fn cover(&self) -> Result<Option<KeptHead>, Error> {
        self.inner.journal.ask(Journal::cover).await
    }

    /// What a card should sign next, if anything: the newest checkpoint, over all rows.
    pub async fn uncountersigned(&self) -> Result<Option<Uncountersigned>, Error> {
        self.inner.journal.ask(Journal::uncountersigned).await
    }

    /// The card of the holder whose login is row `login` has signed the checkpoint of that size; the caller has verified
    /// the signature against the certificate.
    pub async fn countersigned(
        &self,
        size: u64,
        login: u64,
        key: CertificateKeyId,
        signature: Vec<u8>,
    ) -> Result<(), Error> {
        self.inner.journal.ask(move |journal| journal.countersigned(size, login, key, &signature)).await
    }

    /// The upstream has taken the checkpoint of that size.
    pub async fn anchored(&self, size: u64, at: UnixSeconds) -> Result<(), Error> {
        self.inner.journal.ask(move |journal| journal.anchored(size, at)).await
    }

    /// Consultations that no anchored checkpoint covers.
    pub async fn unanchored(&self) -> Result<Unanchored, Error> {
        self.inner.journal.ask(|journal| Ok(journal.unanchored)).await
    }
}

impl Journal {
    /// Puts all rows under a checkpoint, and gives the newest; `None` while there is no row.
    pub fn cover(&mut self) -> Result<Option<KeptHead>, Error> {
        let (rows, covered) = (size(&self.database)?, newest(&self.database)?);
        if rows > covered {
            let change = begin(&mut self.database)?;
            cover(&change, &self.keys)?;
            change.commit().map_err(Error::writing("a checkpoint"))?;
        }
        if rows == 0 { Ok(None) } else { self.head(rows) }
    }

    /// The newest checkpoint, if no card has signed it. Rows are covered first.
    pub fn uncountersigned(&mut self) -> Result<Option<Uncountersigned>, Error> {
        let newest = self.cover()?.filter(|head| !head.is_countersigned);
        newest
            .map(|head| read(&head).map(|said| Uncountersigned { size: head.size, text: note::text(&said) }))
            .transpose()
    }

    /// The card of the holder whose login is row `login` has signed that checkpoint; its caller has verified the signature.
    /// The first card stands: another over the same rows attests nothing more.
    pub fn countersigned(
        &mut self,
        size: u64,
        login: u64,
        key: CertificateKeyId,
        signature: &[u8],
    ) -> Result<(), Error> {
        let line = Countersignature::line(&self.keys.device, login, key, signature);
        let sealed = self.keys.sealer.seal(place(&row(size)), line.as_bytes());
        let sql = "UPDATE checkpoint SET countersign = ?2 WHERE size = ?1 AND countersign IS NULL";
        let done = self.database.execute(sql, params![size as i64, sealed]);
        done.map(drop).map_err(Error::writing("a countersignature"))
    }

    /// The upstream has taken the checkpoint of that size: it vouches for all rows below.
    pub fn anchored(&mut self, size: u64, at: UnixSeconds) -> Result<(), Error> {
        let sql = "UPDATE checkpoint SET anchored_at = ?2 WHERE size = ?1 AND anchored_at IS NULL";
        let done = self.database.execute(sql, params![size as i64, at.0]).map_err(Error::writing("an anchor"))?;
        if done > 0 {
            self.unanchored = self.count_unanchored()?;
        }
        Ok(())
    }

    pub fn anchor(&self) -> Result<Option<Anchored>, Error> {
        let sql = "SELECT size, anchored_at FROM checkpoint WHERE anchored_at IS NOT NULL ORDER BY size DESC LIMIT 1";
        let found = self.database.query_row(sql, [], |row| {
            Ok(Anchored { size: row.get::<_, i64>(0)? as u64, at: UnixSeconds(row.get(1)?) })
        });
        found.optional().map_err(Error::reading("the anchor"))
    }

    /// The largest size that a card has signed, 0 for none.
    pub fn countersigned_size(&self) -> Result<u64, Error> {
        let sql = "SELECT coalesce(max(size), 0) FROM checkpoint WHERE countersign IS NOT NULL";
        let size: i64 = self.database.query_row(sql, [], |row| row.get(0)).map_err(Error::reading("checkpoints"))?;
        Ok(size as u64)
    }

    /// Every checkpoint, smallest first.
    pub fn heads(&self) -> Result<Vec<KeptHead>, Error> {
        self.heads_where("size >= ?1 ORDER BY size", 0)
    }

    /// The newest checkpoint over that row that a card has signed, else the newest over it.
    pub fn head_over(&self, index: u64) -> Result<Option<KeptHead>, Error> {
        Ok(self.heads_where("size > ?1 ORDER BY countersign IS NULL, size DESC LIMIT 1", index)?.pop())
    }

    fn head(&self, size: u64) -> Result<Option<KeptHead>, Error> {
        Ok(self.heads_where("size = ?1", size)?.pop())
    }

    fn heads_where(&self, which: &'static str, size: u64) -> Result<Vec<KeptHead>, Error> {
        let reading = || Error::reading("checkpoints");
        let sql = format!(
            "SELECT size, note, countersign, anchored_at, local_time
             FROM checkpoint JOIN trace ON trace.idx = checkpoint.size - 1 WHERE {which}"
        );
        let mut asked = self.database.prepare(&sql).map_err(reading())?;
        let found =
            asked.query_map([size as i64], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)));
        let found: Vec<Row> = found.and_then(Iterator::collect).map_err(reading())?;
        let whole = |(size, note, card, anchored_at, at): Row| {
            let size = size as u64;
            let device_note = String::from_utf8(note).map_err(|_| Error::Shape { what: "a checkpoint" })?;
            let mut note = device_note.clone();
            if let Some(sealed) = &card {
                let line = self.keys.sealer.open(place(&row(size)), sealed)?;
                note.push_str(&String::from_utf8_lossy(line.show_bytes()));
            }
            Ok(KeptHead {
                size,
                note,
                device_note,
                last_row_at: UnixSeconds(at),
                is_countersigned: card.is_some(),
                anchored_at: anchored_at.map(UnixSeconds),
            })
        };
        found.into_iter().map(whole).collect()
    }

    /// What was seen above the anchor, counted once; `record` carries it on.
    pub(super) fn counted(mut self) -> Result<Journal, Error> {
        self.unanchored = self.count_unanchored()?;
        Ok(self)
    }

    pub(super) fn recount(&mut self) -> Result<(), Error> {
        self.unanchored = self.count_unanchored()?;
        Ok(())
    }

    fn count_unanchored(&self) -> Result<Unanchored, Error> {
        let from = self.anchor()?.map_or(0, |anchor| anchor.size);
        let mut unanchored = Unanchored::default();
        for index in from..size(&self.database)? {
            match self.body(index) {
                Ok(Some(body)) => {
                    let trace = leaf::parse(body.show_bytes()).map_err(|_| Error::Shape { what: "a row" });
                    // A row that cannot be read was one: what is not known is never greener than what is.
                    match trace {
                        Ok(trace) => unanchored.add(trace.draft.class, trace.draft.at.wall.value()),
                        Err(_) => unanchored.rows = unanchored.rows.saturating_add(1),
                    }
                }
                Ok(None) => {}
                Err(Error::Sealed { .. }) => unanchored.rows = unanchored.rows.saturating_add(1),
                Err(other) => return Err(other),
            }
        }
        Ok(unanchored)
    }
}

impl Keys {
    /// The device's Ed25519 key.
    pub(super) fn signing_key(&self) -> SigningKey {
        SigningKey::new(&self.device, self.signing())
    }
}

/// A checkpoint over all rows, in the transaction of its caller.
pub(super) fn cover(change: &Connection, keys: &Keys) -> Result<(), Error> {
    let size = size(change)?;
    let head = Head { origin: keys.device.clone(), size, root: root(change, size)? };
    let note = keys.signing_key().sign(&head);
    let sql = "INSERT OR IGNORE INTO checkpoint (size, note) VALUES (?1, ?2)";
    let done = change.execute(sql, params![size as i64, note.as_bytes()]);
    done.map(drop).map_err(Error::writing("a checkpoint"))
}

fn read(head: &KeptHead) -> Result<Head, Error> {
    note::read(&head.note).map_err(|_| Error::Shape { what: "a checkpoint" })
}

/// The size of the newest checkpoint.
fn newest(database: &Connection) -> Result<u64, Error> {
    let sql = "SELECT coalesce(max(size), 0) FROM checkpoint";
    let size: i64 = database.query_row(sql, [], |row| row.get(0)).map_err(Error::reading("checkpoints"))?;
    Ok(size as u64)
}

fn row(size: u64) -> [u8; 8] {
    size.to_be_bytes()
}

fn place(row: &[u8]) -> Place<'_> {
    Place { table: "checkpoint", column: "countersign", row }
}
