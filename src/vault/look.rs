//! A look at a journal from beside the kiosk: for export and status. Changes nothing, takes no lock, needs no card.

use crate::journal::allowance::Unanchored;
use crate::journal::counter::Meant;
use crate::journal::export;
use crate::journal::note::Head;
use crate::journal::receipt::Receipt;
use crate::journal::tree;
use crate::secret::SecretKey;
use crate::time::UnixSeconds;
use crate::vault::Anchored;
use crate::vault::Branch;
use crate::vault::Counts;
use crate::vault::Error;
use crate::vault::JOURNAL_FILE;
use crate::vault::folder;
use crate::vault::journal::Journal;
use crate::vault::journal::node;
use crate::vault::keys;
use crate::vault::provider;
use crate::vault::provider::Sources;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

/// An open look.
pub struct Look {
    journal: Journal,
    folder: PathBuf,
}

/// How the journal stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    pub rows: u64,
    pub root: tree::Hash,
    /// What checks this device's checkpoints, to be kept elsewhere.
    pub device_key: String,
    pub waiting: Counts,
    pub sealed_aside: Vec<String>,
    /// Rows under a checkpoint that a card has signed.
    pub countersigned: u64,
    /// What the upstream vouches for.
    pub anchored: Option<Anchored>,
    /// When the upstream last took something.
    pub last_success: Option<UnixSeconds>,
    /// Consultations that no anchored checkpoint covers.
    pub unanchored: Unanchored,
    /// Where the journal went on after its disk was put back.
    pub branches: Vec<Branch>,
    /// What the journal means its TPM's counter to be.
    pub counter: Meant,
    /// Whether somebody vouched for the time when the newest row was written; `false` where no row says so.
    pub is_time_trusted: bool,
}

impl Look {
    /// With the key at `device_key`, or the desk's.
    pub fn open(folder: &Path, device_key: Option<&Path>) -> Result<Look, Error> {
        Look::with(folder, || match device_key {
            Some(path) => keys::device_key_from(path),
            None => keys::desk_device_key(folder),
        })
    }

    /// With the key that a kiosk would take that was started here.
    pub fn here(sources: Sources<'_>) -> Result<Look, Error> {
        Look::with(sources.state, || provider::device_key(sources).map(|found| found.key))
    }

    /// No key is asked for, and so none is made, where there is no journal.
    fn with(folder: &Path, key: impl FnOnce() -> Result<SecretKey, Error>) -> Result<Look, Error> {
        if !folder.join(JOURNAL_FILE).exists() {
            return Err(Error::NoJournal);
        }
        let journal = Journal::look(folder, key()?, &keys::device_id(folder)?)?;
        Ok(Look { journal, folder: folder.to_path_buf() })
    }

    pub fn status(&self) -> Result<Status, Error> {
        let rows = self.journal.size()?;
        Ok(Status {
            rows,
            root: self.journal.root(rows)?,
            device_key: self.journal.keys.signing_key().verifying_key().to_string(),
            waiting: self.journal.counts()?,
            sealed_aside: folder::sealed_aside(&self.folder),
            countersigned: self.journal.countersigned_size()?,
            anchored: self.journal.anchor()?,
            last_success: self.journal.last_success()?,
            unanchored: self.journal.unanchored,
            branches: self.journal.branches()?,
            counter: self.journal.counter()?.meant,
            is_time_trusted: self.is_time_trusted(rows)?,
        })
    }

    fn is_time_trusted(&self, rows: u64) -> Result<bool, Error> {
        let Some(newest) = rows.checked_sub(1) else { return Ok(false) };
        match self.journal.body(newest)? {
            Some(_) => Ok(self.journal.trace(newest)?.draft.at.wall.is_trusted()),
            None => Ok(false),
        }
    }

    /// The patient's receipt of one row, under the newest checkpoint over it. [`Error::Absent`]: there is no such row, or no
    /// checkpoint over it yet; [`Error::Pruned`]: what it said is destroyed.
    pub fn receipt(&self, index: u64) -> Result<Receipt, Error> {
        self.journal.receipt(index)
    }

    /// All rows as they stand now, whatever is appended meanwhile, every checkpoint with its countersignature, and one over
    /// exactly these rows.
    pub fn export(&self, out: &mut dyn Write) -> Result<(), Error> {
        let database = &self.journal.database;
        let snapshot = database.unchecked_transaction().map_err(Error::reading("the journal"))?;
        let size = self.journal.size()?;
        let mut say = |line: &[u8]| {
            out.write_all(line).and_then(|()| out.write_all(b"\n")).map_err(Error::file("writing the export"))
        };
        for index in 0..size {
            match self.journal.body(index)? {
                Some(body) => say(body.show_bytes())?,
                None => say(export::pruned_line(index, &node(database, 0, index)?).as_bytes())?,
            }
        }
        for first in (0..size).step_by(export::TILE_LEAVES as usize) {
            let tile = first..size.min(first + export::TILE_LEAVES);
            let leaves: Result<Vec<tree::Hash>, Error> = tile.map(|index| node(database, 0, index)).collect();
            say(export::tile_line(first, &leaves?).as_bytes())?;
        }
        let heads = self.journal.heads()?;
        for head in &heads {
            say(export::checkpoint_line(&head.note, head.anchored_at).as_bytes())?;
        }
        if heads.last().is_none_or(|head| head.size < size) {
            let head = Head { origin: self.journal.keys.device.clone(), size, root: self.journal.root(size)? };
            say(export::checkpoint_line(&self.journal.keys.signing_key().sign(&head), None).as_bytes())?;
        }
        drop(snapshot);
        Ok(())
    }
}
