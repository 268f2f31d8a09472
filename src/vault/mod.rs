//! The vault: SQLite at rest. `journal.db` under the device key, one compartment per holder under *that* card.
//!
//! Every personal column and every document is sealed by the application (DESIGN §5): what an image of the disk still
//! tells is counts, sizes and local times. The only room that calls `journal::Pending::committed`, and only after the
//! commit has returned from the disk (P1). Nothing here reads a clock: times come in as values.
//!
//! ```text
//! Vault (handle, cheap to clone)
//!   ├─ bounded channel ─> thread "vault-journal"      journal.db: rows, tree, outbox, consents, slots, shred secrets
//!   └─ bounded channel ─> thread "vault-compartment"  at most one holder's compartment, while their card is in
//! ```
//!
//! A document needs both: the compartment key (card, PIN and device) and the patient's shred secret (journal).
//! Forgetting the secret shreds the document, whoever's card is in.

mod error;

pub mod keys;

pub use error::Error;

use crate::identity::holder::CertificateKeyId;
use crate::identity::holder::HolderId;
use crate::identity::statement::Statement;
use crate::journal::Committed;
use crate::journal::Draft;
use crate::journal::Held;
use crate::journal::Trace;
use crate::journal::consent::Consent;
use crate::journal::consent::Said;
use crate::journal::item::Item;
use crate::patient::ins::Ins;
use crate::patient::ins::Patient;
use crate::record::document::Document;
use crate::record::document::UniqueId;
use crate::record::state::RecordState;
use crate::secret::SecretBytes;
use crate::secret::SecretKey;
use crate::time::UnixSeconds;
use std::path::PathBuf;
use uuid::Uuid;

/// The journal, in the state folder.
const JOURNAL_FILE: &str = "journal.db";

/// What a vault is opened with.
pub struct Options {
    /// The state folder; made when it is not there.
    pub folder: PathBuf,
    /// The device's name, as it enters every row and every sealed value: [`keys::device_id`] on a desk.
    pub device: String,
    /// Name and version of the program, as it enters every row.
    pub software: String,
    /// This boot.
    pub boot: Uuid,
    pub device_key: SecretKey,
}

/// A handle. The last one to go waits until both threads have closed their database and let go of the folder.
#[derive(Clone)]
pub struct Vault {}

/// One patient of the holder's round, and what is here of them.
#[derive(Clone, PartialEq, Eq)]
pub struct RoundRow {
    pub patient: Patient,
    /// Documents whose content is in the compartment.
    pub cached: u32,
    /// When the list was last known to be true upstream.
    pub as_of: Option<UnixSeconds>,
}

/// What waits to be delivered, and what was refused.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    pub traces: u32,
    pub consents: u32,
    pub contributions: u32,
    pub set_aside: Vec<SetAside>,
    /// Since when the oldest waiting item waits.
    pub oldest: Option<UnixSeconds>,
}

/// An item that the server refused for good: visible, explained, and in nobody's way (P4).
#[derive(Clone, PartialEq, Eq)]
pub struct SetAside {
    pub id: Uuid,
    /// `traces`, `consents` or `contributions`.
    pub kind: String,
    pub since: UnixSeconds,
    pub code: String,
    pub reason: String,
}

/// Remembered, and not to be seen before its row is committed; and when the upstream said it.
pub type Remembered<T> = Option<(Held<T>, UnixSeconds)>;

impl Vault {
    /// Takes the folder for this process alone, opens or makes the journal, and starts the two threads.
    ///
    /// A journal that cannot be read as one is sealed aside (renamed into `aside/`, never deleted) and a new one is begun:
    /// [`Vault::sealed_aside`] says so. Another device's folder and a newer version's are refused and left as they are.
    pub fn open(_options: Options, _at: UnixSeconds) -> Result<Vault, Error> {
        Err(Error::Stopped)
    }

    /// Names of what could not be opened and was put into `aside/`, now or at any earlier start.
    pub fn sealed_aside(&self) -> Vec<String> {
        Vec::new()
    }

    /// Writes rows and consents in ONE transaction, fsynced; each row gets its outbox item, each consent one that needs
    /// its holder. A refusal or a withdrawal shreds that patient's documents in the same transaction. All or nothing:
    /// on an error no row exists and nothing may be shown.
    pub async fn record(&self, _rows: Vec<Draft>, _said: Vec<Said>) -> Result<Vec<Committed>, Error> {
        Err(Error::Stopped)
    }

    /// What this holder's card must sign for its compartment. Makes the salt at the first visit.
    pub async fn compartment_statement(&self, _holder: &HolderId, _key: CertificateKeyId) -> Result<Statement, Error> {
        Err(Error::Stopped)
    }

    /// Opens or creates the compartment. The caller has verified the signature against the certificate: it is the key.
    pub async fn unlock(
        &self,
        _holder: &HolderId,
        _key: CertificateKeyId,
        _signature: SecretBytes,
        _at: UnixSeconds,
    ) -> Result<(), Error> {
        Err(Error::Stopped)
    }

    /// Wipes the compartment's keys and closes its database. Answers that are still on their way become [`Error::Locked`].
    pub async fn lock(&self) {}

    /// The holder's round, in its order.
    pub async fn round(&self) -> Result<Vec<RoundRow>, Error> {
        Err(Error::Stopped)
    }

    /// Replaces the holder's round.
    pub async fn put_round(&self, _patients: Vec<Patient>, _at: UnixSeconds) -> Result<(), Error> {
        Err(Error::Stopped)
    }

    /// Keeps what the upstream said of a record.
    pub async fn remember_state(&self, _patient: &Ins, _state: &RecordState, _at: UnixSeconds) -> Result<(), Error> {
        Err(Error::Stopped)
    }

    pub async fn state(&self, _patient: &Ins) -> Result<Option<(RecordState, UnixSeconds)>, Error> {
        Err(Error::Stopped)
    }

    /// Keeps a record's list, unseen. Documents that are no longer in it go, with their content.
    pub async fn remember_list(&self, _list: &Held<Vec<Document>>, _at: UnixSeconds) -> Result<(), Error> {
        Err(Error::Stopped)
    }

    pub async fn list(&self, _patient: &Ins) -> Result<Remembered<Vec<Document>>, Error> {
        Err(Error::Stopped)
    }

    /// Keeps a document's content, unseen. [`Error::Shredded`]: the patient has withdrawn; keep it in memory or not at all.
    pub async fn store(
        &self,
        _document: &UniqueId,
        _content: &Held<SecretBytes>,
        _at: UnixSeconds,
    ) -> Result<(), Error> {
        Err(Error::Stopped)
    }

    /// Whether the content is in the compartment.
    pub async fn has(&self, _patient: &Ins, _document: &UniqueId) -> Result<bool, Error> {
        Err(Error::Stopped)
    }

    /// Hands content out under the row that accounts for it; [`Error::NotCovered`] when it is about something or
    /// somebody else, [`Error::Absent`] when it was never stored.
    pub async fn release(
        &self,
        _patient: &Ins,
        _document: &UniqueId,
        _committed: &Committed,
    ) -> Result<SecretBytes, Error> {
        Err(Error::Stopped)
    }

    /// All that this patient said on this device, oldest first.
    pub async fn consents(&self, _patient: &Ins) -> Result<Vec<Consent>, Error> {
        Err(Error::Stopped)
    }

    /// What may be sent now: the device's items, and that holder's when one is named; oldest first, so that a patient's
    /// stay in order. A trace's item comes with its row.
    pub async fn waiting(
        &self,
        _needs_holder: Option<&HolderId>,
        _limit: usize,
    ) -> Result<Vec<(Item, Option<Trace>)>, Error> {
        Err(Error::Stopped)
    }

    /// The upstream has them. Unknown ids change nothing.
    pub async fn acknowledged(&self, _ids: Vec<Uuid>) -> Result<(), Error> {
        Err(Error::Stopped)
    }

    /// The upstream refuses this one for good.
    pub async fn set_aside(&self, _id: Uuid, _code: String, _reason: String, _at: UnixSeconds) -> Result<(), Error> {
        Err(Error::Stopped)
    }

    pub async fn counts(&self) -> Result<Counts, Error> {
        Err(Error::Stopped)
    }

    /// This patient's accesses that the upstream has not acknowledged, oldest first, for the history.
    pub async fn unsent_accesses(&self, _patient: &Ins) -> Result<Vec<Trace>, Error> {
        Err(Error::Stopped)
    }

    /// The newest time ever written here: the clock's floor.
    pub async fn latest_time(&self) -> Result<Option<UnixSeconds>, Error> {
        Err(Error::Stopped)
    }
}

impl std::fmt::Debug for RoundRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RoundRow([REDACTED])")
    }
}

/// A server's words may name people.
impl std::fmt::Debug for SetAside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SetAside({}, {}, [REDACTED])", self.kind, self.code)
    }
}
