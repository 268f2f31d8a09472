//! The TPM's counter beside the journal: whether this disk was put back, at each start, without a network; raised at each start
//! and after each login, not at each row, for what a TPM writes to wears out.
//!
//! ```text
//! the journal means n + 1 (on the disk) → the newest head into the TPM → the counter is raised to n + 1
//! ```
//!
//! Beside the counter the TPM holds the newest head, so that what is lost can be named. Without a TPM nothing is done; one that
//! fails is said in the log and stops no visit.

use crate::config;
use crate::device::tpm;
use crate::device::tpm::Tpm;
use crate::journal::counter::Found;
use crate::journal::counter::Meant;
use crate::journal::counter::Verdict;
use crate::journal::counter::judge;
use crate::journal::note;
use crate::journal::note::Head;
use crate::time::Now;
use crate::vault;
use crate::vault::Branch;
use crate::vault::KeptCounter;
use crate::vault::Vault;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

pub struct Counter {
    tpm: Option<Tpm>,
    is_due: AtomicBool,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Tpm(#[from] tpm::Error),
    #[error(transparent)]
    Vault(#[from] vault::Error),
}

impl Counter {
    pub fn new(setting: &config::Tpm) -> Counter {
        Counter { tpm: of_setting(setting), is_due: AtomicBool::new(false) }
    }

    /// At the start, before anything is drawn.
    pub async fn check(&self, vault: &Vault, now: Now) {
        let Some(tpm) = &self.tpm else { return };
        if let Err(error) = checked(tpm, vault, now).await {
            let why = std::error::Error::source(&error).map(ToString::to_string);
            tracing::error!(%error, why, "the TPM does not count: a disk that was put back is found out at the next contact only");
        }
    }

    /// Somebody has logged in.
    pub fn login(&self) {
        self.is_due.store(self.tpm.is_some(), Ordering::Relaxed);
    }

    /// In a quiet moment: it may be dropped anywhere, and is begun again.
    pub async fn raise_when_due(&self, vault: &Vault) {
        let Some(tpm) = self.tpm.as_ref().filter(|_| self.is_due.load(Ordering::Relaxed)) else { return };
        let raised = raised(tpm, vault).await;
        self.is_due.store(false, Ordering::Relaxed);
        if let Err(error) = raised {
            tracing::error!(%error, "the TPM's counter cannot be raised: rows from now on may be taken back unseen");
        }
    }
}

/// What the settings say, on this machine.
pub fn of_setting(setting: &config::Tpm) -> Option<Tpm> {
    match setting {
        config::Tpm::Auto => Tpm::of_this_machine(),
        config::Tpm::None => None,
        config::Tpm::At(tcti) => Some(Tpm::at(tcti)),
    }
}

async fn checked(tpm: &Tpm, vault: &Vault, now: Now) -> Result<(), Error> {
    let kept = vault.counter().await?;
    let found = found(tpm, kept).await?;
    match judge(kept.meant, found) {
        Verdict::Agrees => {}
        Verdict::PutBack => put_back(tpm, vault, kept, found, now).await?,
        verdict @ (Verdict::Begin | Verdict::Replaced) => {
            if verdict == Verdict::Replaced {
                tracing::warn!(
                    "the TPM's counter is not the one that this journal had: it is begun anew, and tells nothing of before"
                );
            }
            return begin(tpm, vault, kept, found).await;
        }
    }
    raised(tpm, vault).await
}

/// A counter that was made and never raised cannot be read.
async fn found(tpm: &Tpm, kept: KeptCounter) -> Result<Found, Error> {
    if !tpm.has(counter_of(kept)).await? {
        return Ok(Found::Nothing);
    }
    match tpm.counter(counter_of(kept)).await {
        Ok(value) => Ok(Found::Value(value)),
        Err(tpm::Error::Refused { .. }) => Ok(Found::Unraised),
        Err(error) => Err(error.into()),
    }
}

/// From the first word of it on, a counter that this journal does not know says that this disk was put back.
async fn begin(tpm: &Tpm, vault: &Vault, kept: KeptCounter, found: Found) -> Result<(), Error> {
    vault.mean(Meant::Begun).await?;
    if found == Found::Nothing {
        tpm.define_counter(counter_of(kept)).await?;
    }
    if !tpm.has(note_of(kept)).await? {
        tpm.define_note(note_of(kept), NOTE_BYTES).await?;
    }
    write_head(tpm, vault, kept).await?;
    tpm.raise(counter_of(kept)).await?;
    let value = tpm.counter(counter_of(kept)).await?;
    vault.mean(Meant::Value(value)).await?;
    tracing::info!("the TPM counts this journal from now on");
    Ok(())
}

async fn put_back(tpm: &Tpm, vault: &Vault, kept: KeptCounter, found: Found, now: Now) -> Result<(), Error> {
    let value = match found {
        Found::Value(value) => Meant::Value(value),
        Found::Nothing | Found::Unraised => Meant::Begun,
    };
    // Without a head the journal goes on all the same.
    let newest = tpm.note(note_of(kept), NOTE_BYTES).await.ok().and_then(|note| head(&note));
    if let Some(Branch { index, lost_size, .. }) = vault.counter_was_ahead(value, newest, now).await? {
        tracing::error!(row = index, lost_size, "this disk was put back: the TPM has counted on from it");
    }
    Ok(())
}

async fn raised(tpm: &Tpm, vault: &Vault) -> Result<(), Error> {
    let kept = vault.counter().await?;
    if kept.meant == Meant::Begun {
        let found = found(tpm, kept).await?;
        return begin(tpm, vault, kept, found).await;
    }
    let value = tpm.counter(counter_of(kept)).await?;
    vault.mean(Meant::Value(value.saturating_add(1))).await?;
    write_head(tpm, vault, kept).await?;
    Ok(tpm.raise(counter_of(kept)).await?)
}

async fn write_head(tpm: &Tpm, vault: &Vault, kept: KeptCounter) -> Result<(), Error> {
    let newest = vault.cover().await?.and_then(|kept| note::read(&kept.device_note).ok());
    let Some(Head { size, root, .. }) = newest else { return Ok(()) };
    let note = [size.to_be_bytes().as_slice(), &root].concat();
    Ok(tpm.write_note(note_of(kept), &note).await?)
}

fn head(note: &[u8]) -> Option<Head> {
    let (size, root) = note.split_first_chunk()?;
    Some(Head { origin: String::new(), size: u64::from_be_bytes(*size), root: root.try_into().ok()? })
}

fn counter_of(kept: KeptCounter) -> u32 {
    OWNERS + 2 * u32::from(kept.number)
}

fn note_of(kept: KeptCounter) -> u32 {
    counter_of(kept) + 1
}

/// Handles that TCG's registry leaves to a TPM's owner begin here.
const OWNERS: u32 = 0x0180_0000;
/// Size and root.
const NOTE_BYTES: u16 = 8 + 32;
