//! The vault: SQLite at rest. `journal.db` under the device key, one compartment per holder under *that* card.
//!
//! Every personal column and every document is sealed by the application: what an image of the disk still
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
//!
//! What the handle is asked stands with what answers it: deliveries in `outbox`, checkpoints in `heads`, time in `leases`, and so
//! on; here is what needs both threads, or writes.

mod branch;
mod check;
mod compartment;
mod contributions;
mod counter;
mod drafts;
mod error;
mod files;
mod folder;
mod hand_over;
mod heads;
mod index;
mod ingest;
mod journal;
mod known;
mod leases;
mod line;
mod look;
mod mend;
mod opened;
mod outbox;
mod owed;
mod receipts;
mod recent;
mod reseal;
mod resend;
mod retention;
mod schema;
mod scrub;
mod seal;
mod shapes;
mod slots;
mod sync;
mod write_ahead;

pub mod keys;
pub mod provider;

pub use branch::Branch;
pub use branch::Compared;
pub use check::Checked;
pub use counter::KeptCounter;
pub use error::Error;
pub use heads::Anchored;
pub use heads::KeptHead;
pub use heads::Uncountersigned;
pub use index::Found;
pub use ingest::ToRead;
pub use known::KEPT_DAYS;
pub use known::KnownCards;
pub use look::Look;
pub use look::Status;
pub use opened::Seen;
pub use outbox::Counts;
pub use outbox::SetAside;
pub use seal::Algorithm;
pub use slots::Whose;

use crate::identity::holder::CertificateKeyId;
use crate::identity::holder::HolderId;
use crate::identity::statement::Statement;
use crate::journal::Committed;
use crate::journal::Draft;
use crate::journal::Held;
use crate::journal::consent::Consent;
use crate::journal::consent::Said;
use crate::patient::ins::Ins;
use crate::patient::ins::Patient;
use crate::record::document::Document;
use crate::record::document::UniqueId;
use crate::record::state::RecordState;
use crate::secret::SecretBytes;
use crate::secret::SecretKey;
use crate::secret::content::Content;
use crate::time::Now;
use crate::time::UnixSeconds;
use crate::time::Wall;
use crate::vault::compartment::Compartment;
use crate::vault::compartment::Compartments;
use crate::vault::compartment::Of;
use crate::vault::compartment::Unlocked;
use crate::vault::folder::Taken;
use crate::vault::journal::Journal;
use crate::vault::line::Line;
use crate::vault::slots::Lease;
use crate::vault::write_ahead::Log;
use std::collections::HashSet;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;
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

/// How a compartment was found when it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    Whole,
    /// It could not be opened, or not be brought to this version: it stands aside, and another was begun with what could be read
    /// of its desk.
    SetAside,
    /// Its write-ahead log is gone or damaged, and what stood in it lost.
    NewestLost,
}

/// A handle. The last one to go waits until both threads have closed their database and let go of the folder.
#[derive(Clone)]
pub struct Vault {
    inner: Arc<Inner>,
}

/// Fields are dropped in this order: the folder is let go of last.
struct Inner {
    journal: Line<Journal>,
    compartments: Line<Compartments>,
    /// Counts lockings, so that an unlocking that was under way when the card went finds out.
    lockings: Arc<AtomicU64>,
    folder: PathBuf,
    taken: Taken,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.taken.closes();
    }
}

/// One patient of the holder's round, and what is here of them.
#[derive(Clone, PartialEq, Eq)]
pub struct RoundRow {
    pub patient: Patient,
    /// Documents whose content is in the compartment.
    pub cached: u32,
    /// When the list was last known to be true upstream.
    pub as_of: Option<UnixSeconds>,
    /// Since when all is here that the holder may read.
    pub ready: Option<UnixSeconds>,
}

/// Remembered, and not to be seen before its row is committed; and when the upstream said it.
pub type Remembered<T> = Option<(Held<T>, UnixSeconds)>;

impl Vault {
    /// Takes the folder for this process alone, opens or makes the journal, and starts the two threads.
    ///
    /// A journal that cannot be read as one is sealed aside (renamed into `aside/`, never deleted) and a new one is begun:
    /// [`Vault::sealed_aside`] says so. Another device's folder and a newer version's are refused and left as they are.
    pub fn open(options: Options, at: UnixSeconds) -> Result<Vault, Error> {
        Vault::open_sealing_with(Algorithm::of_this_machine(), options, at)
    }

    /// The same, sealing as a machine with that algorithm does: a disk may move from one to the other.
    pub fn open_sealing_with(algorithm: Algorithm, options: Options, at: UnixSeconds) -> Result<Vault, Error> {
        let taken = folder::take(&options.folder)?;
        let log = folder::look_at_log(&options.folder, JOURNAL_LOG, JOURNAL_FILE)?;
        let mut log_is_lost = log == Log::Damaged || taken.log_is_lost(&options.folder.join(JOURNAL_FILE));
        if log_is_lost {
            // From here on it would not be missed any more.
            taken.has_lost()?;
        } else {
            // An upgrade removes the log of what was left open.
            taken.closes();
        }
        folder::put_log_aside(&options.folder, JOURNAL_LOG, log, at)?;
        let mut journal = match Journal::open(&options, algorithm, at) {
            Err(Error::Damaged { .. }) => {
                tracing::error!(store = "journal", "sealed_aside");
                folder::seal_aside(&options.folder, JOURNAL_STORE, at)?;
                log_is_lost = false;
                Journal::open(&options, algorithm, at)?
            }
            opened => opened?,
        };
        scrub::destroy_secrets(&options.folder);
        keys::sync_folder(&options.folder).map_err(Error::folder("syncing it"))?;
        if log_is_lost {
            tracing::error!("the journal's log is gone or damaged: the newest rows may be lost");
            let now = Now { since_boot: Duration::ZERO, wall: Wall::AtLeast(at) };
            journal.go_on_after(None, now, |_| Ok(()))?;
        }
        if log == Log::Damaged {
            // What SQLite does not see there would be found again.
            schema::empty_log(&journal.database)?;
        }
        // Half said, it would have the next start miss a log that is closed now.
        taken.is_open().inspect_err(|_| taken.closes())?;
        let (state_folder, device) = (options.folder.clone(), options.device.clone());
        let compartments = Compartments { state_folder, device, algorithm, open: None, on_its_way: None };
        let inner = Inner {
            journal: Line::start("vault-journal", journal, |_| {})?,
            compartments: Line::start("vault-compartment", compartments, Compartments::bring_mark_up_to_date)?,
            lockings: Arc::new(AtomicU64::new(0)),
            folder: options.folder,
            taken,
        };
        Ok(Vault { inner: Arc::new(inner) })
    }

    /// The state folder: where what is too large for memory may lie, sealed, on its way here.
    pub fn folder(&self) -> &Path {
        &self.inner.folder
    }

    /// Names of what could not be opened and was put into `aside/`, now or at any earlier start.
    pub fn sealed_aside(&self) -> Vec<String> {
        folder::sealed_aside(&self.inner.folder)
    }

    /// Writes rows and consents in ONE transaction, fsynced; each row gets its outbox item, each consent one that needs
    /// its holder. A refusal or a withdrawal shreds that patient's documents in the same transaction. All or nothing:
    /// on an error there is no `Committed`, so nothing can be shown.
    pub async fn record(&self, rows: Vec<Draft>, said: Vec<Said>) -> Result<Vec<Committed>, Error> {
        let recorded = self.inner.journal.ask(move |journal| journal.record(rows, said)).await?;
        self.tidy_if_possible(recorded.shredded, recorded.agreed).await;
        Ok(recorded.committed)
    }

    /// Destroys copies of a patient's content because the upstream took them back: no card is needed. What is still on its way
    /// loses against it.
    pub async fn shred(&self, patient: &Ins, whose: Whose) -> Result<(), Error> {
        let patient = patient.clone();
        let shredded = self.inner.journal.ask(move |journal| journal.shred_copies(&patient, &whose)).await?;
        self.tidy_if_possible(vec![shredded], Vec::new()).await;
        Ok(())
    }

    /// What this holder's card must sign for its compartment. Makes the salt at the first visit.
    pub async fn compartment_statement(&self, holder: &HolderId, key: CertificateKeyId) -> Result<Statement, Error> {
        let holder = holder.clone();
        self.inner.journal.ask(move |journal| journal.compartment_statement(&holder, key)).await
    }

    /// Opens or creates the compartment, and says how it was found. The caller has verified the signature against the
    /// certificate: it is the key.
    pub async fn unlock(
        &self,
        holder: &HolderId,
        key: CertificateKeyId,
        signature: SecretBytes,
        at: UnixSeconds,
    ) -> Result<Opened, Error> {
        let lockings = &self.inner.lockings;
        // Counted before anything is waited for: a lock that is asked for from now on wins.
        let before = lockings.fetch_add(1, Ordering::SeqCst) + 1;
        let (here, there) = (Arc::clone(lockings), Arc::clone(lockings));
        self.close().await;
        let holder = holder.clone();
        let opening = self.inner.journal.ask(move |journal| journal.open_slot(&holder, key, &signature, at)).await?;
        let (open, tombstones) = (opening.open.clone(), opening.tombstones.clone());
        let unlock = move |compartments: &mut Compartments| {
            // The card may have gone since: then nothing is opened, not even for a moment.
            if there.load(Ordering::SeqCst) == before { compartments.unlock(opening, at) } else { Err(Error::Locked) }
        };
        let Unlocked { is_set_aside, newest_is_lost } = self.inner.compartments.ask(unlock).await?;
        let opened = move |journal: &mut Journal| {
            journal.clear_tombstones(&open.compartment, &tombstones)?;
            if here.load(Ordering::SeqCst) != before {
                return Err(Error::Locked);
            }
            journal.open = Some(open);
            Ok(())
        };
        self.inner.journal.ask(opened).await?;
        Ok(match () {
            () if is_set_aside => Opened::SetAside,
            () if newest_is_lost => Opened::NewestLost,
            () => Opened::Whole,
        })
    }

    /// Wipes the compartment's keys and closes its database. Answers that are still on their way become [`Error::Locked`].
    pub async fn lock(&self) {
        self.inner.lockings.fetch_add(1, Ordering::SeqCst);
        self.close().await;
    }

    async fn close(&self) {
        let close = |compartments: &mut Compartments| {
            compartments.open = None;
            Ok(())
        };
        let forget = |journal: &mut Journal| {
            journal.open = None;
            Ok(())
        };
        // A thread that has stopped holds no key any more.
        drop(self.inner.compartments.ask(close).await);
        drop(self.inner.journal.ask(forget).await);
    }

    /// The holder's round, in its order.
    pub async fn round(&self) -> Result<Vec<RoundRow>, Error> {
        self.inner.compartments.ask(|compartments| compartments.open()?.round()).await
    }

    /// Replaces the holder's round.
    pub async fn put_round(&self, patients: Vec<Patient>, at: UnixSeconds) -> Result<(), Error> {
        let name = move |journal: &mut Journal| {
            let visit = journal.open.as_ref().ok_or(Error::Locked)?.visit;
            let names = patients.iter().map(|patient| journal.keys.patient(&patient.ins)).collect();
            Ok((visit, names, patients))
        };
        let (visit, names, patients): (u64, Vec<keys::Pseudonym>, Vec<Patient>) = self.inner.journal.ask(name).await?;
        let put = move |there: &mut Compartments| there.of_visit(visit)?.put_round(&patients, &names, at);
        self.inner.compartments.ask(put).await
    }

    /// Keeps what the upstream said of a record, and with it all that is here of that patient until the lease that this begins
    /// is over. Of a patient whose content was shredded nothing is kept.
    pub async fn remember_state(&self, patient: &Ins, state: &RecordState, at: UnixSeconds) -> Result<(), Error> {
        let state = state.clone();
        let lease = Lease::Until(leases::end_by(&state, at));
        let keep = move |there: &mut Compartment, of: Of| there.remember_state(&of, &state, at);
        nothing_when_shredded(self.write_under(lease, patient, at, keep).await)
    }

    /// When what is here of that patient is over, in the open compartment; `None`: nothing is here.
    pub async fn lease_end(&self, patient: &Ins) -> Result<Option<UnixSeconds>, Error> {
        let patient = patient.clone();
        self.inner.journal.ask(move |journal| journal.lease_end(&patient)).await
    }

    pub async fn state(&self, patient: &Ins) -> Result<Option<(RecordState, UnixSeconds)>, Error> {
        self.read(patient, |there, of| of.map_or(Ok(None), |of| there.state(&of))).await
    }

    /// Keeps a record's list, unseen. Documents that are no longer in it go, with their content. Of a patient whose
    /// content was shredded nothing is kept.
    pub async fn remember_list(&self, list: &Held<Vec<Document>>, at: UnixSeconds) -> Result<(), Error> {
        let documents = list.for_storage().clone();
        let keep = move |there: &mut Compartment, of: Of| there.remember_list(&of, &documents, at);
        nothing_when_shredded(self.write(list.patient(), at, keep).await)
    }

    /// Whether a document that was listed here, and that the upstream would still list if it had not been taken back since
    /// `since`, is not in this list any more.
    pub async fn was_taken_back(&self, list: &Held<Vec<Document>>, since: UnixSeconds) -> Result<bool, Error> {
        let listed: HashSet<UniqueId> = list.for_storage().iter().map(|document| document.unique_id.clone()).collect();
        let gone = move |document: &Document| document.created >= since && !listed.contains(&document.unique_id);
        let look = move |there: &mut Compartment, of: Option<Of>| {
            let known = of.map_or(Ok(None), |of| there.list(&of))?;
            Ok(known.is_some_and(|(documents, _)| documents.iter().any(gone)))
        };
        self.read(list.patient(), look).await
    }

    pub async fn list(&self, patient: &Ins) -> Result<Remembered<Vec<Document>>, Error> {
        let found = self.read(patient, |there, of| of.map_or(Ok(None), |of| there.list(&of))).await?;
        Ok(found.map(|(documents, as_of)| (Held::record(patient.clone(), documents), as_of)))
    }

    /// Keeps a document's content, unseen. [`Error::Shredded`]: the patient has withdrawn; keep it in memory or not at all.
    pub async fn store(&self, document: &UniqueId, content: &Held<Content>, at: UnixSeconds) -> Result<(), Error> {
        let (document, bytes) = (document.clone(), content.for_storage().clone());
        let keep = move |there: &mut Compartment, of: Of| there.store(&of, &document, &bytes, at);
        self.write(content.patient(), at, keep).await
    }

    /// Whether the content is in the compartment.
    pub async fn has(&self, patient: &Ins, document: &UniqueId) -> Result<bool, Error> {
        let document = document.clone();
        self.read(patient, move |there, of| of.map_or(Ok(false), |of| there.has(&of, &document))).await
    }

    /// Marks a patient of the round as ready: all is here that the holder may read.
    pub async fn keep_ready(&self, patient: &Ins, at: UnixSeconds) -> Result<(), Error> {
        self.write(patient, at, move |there: &mut Compartment, of: Of| there.keep_ready(&of, at)).await
    }

    /// Whose records this holder read offline and has not searched online since; `settles` as the visit words it.
    pub async fn owed_searches(&self, holder: &HolderId, settles: &'static [&str]) -> Result<Vec<Ins>, Error> {
        let holder = holder.clone();
        self.inner.journal.ask(move |journal| journal.owed_searches(&holder, settles)).await
    }

    /// Hands content out under the row that accounts for it; [`Error::NotCovered`] when it is about something or
    /// somebody else, [`Error::Absent`] when it was never stored.
    pub async fn release(
        &self,
        patient: &Ins,
        document: &UniqueId,
        committed: &Committed,
    ) -> Result<SecretBytes, Error> {
        if !committed.covers_document(patient, document) {
            return Err(Error::NotCovered);
        }
        let (document, holder) = (document.clone(), committed.holder().clone());
        let take_out = move |there: &mut Compartment, of: Option<Of>| {
            if *there.holder() != holder {
                return Err(Error::NotCovered);
            }
            there.content(&of.ok_or(Error::Absent)?, &document)
        };
        self.read(patient, take_out).await
    }

    /// All that this patient said on this device, oldest first.
    pub async fn consents(&self, patient: &Ins) -> Result<Vec<Consent>, Error> {
        let patient = patient.clone();
        self.inner.journal.ask(move |journal| journal.consents(&patient)).await
    }

    /// When this holder last opened this patient's record on a consent for one time.
    pub async fn last_opened_on_consent(&self, patient: &Ins, holder: &HolderId) -> Result<Option<UnixSeconds>, Error> {
        let (patient, holder) = (patient.clone(), holder.clone());
        self.inner.journal.ask(move |journal| journal.last_opened_on_consent(&patient, &holder)).await
    }

    /// When the open compartment's holder was last told the text of this name.
    pub async fn told(&self, text: &'static str) -> Result<Option<UnixSeconds>, Error> {
        self.inner.compartments.ask(move |compartments| compartments.open()?.told(text)).await
    }

    /// Keeps that they were told now.
    pub async fn keep_told(&self, text: &'static str, at: UnixSeconds) -> Result<(), Error> {
        self.inner.compartments.ask(move |compartments| compartments.open()?.keep_told(text, at)).await
    }

    /// Two steps, because the patient's key is in two halves: the shred secret here, the compartment key there.
    async fn read<T: Send + 'static>(
        &self,
        patient: &Ins,
        job: impl FnOnce(&mut Compartment, Option<Of>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let patient = patient.clone();
        let secret = self.inner.journal.ask(move |journal| journal.shred_secret(&patient)).await?;
        let there = move |compartments: &mut Compartments| {
            let compartment = compartments.of_visit(secret.visit)?;
            let of = compartment.of(secret);
            job(compartment, of)
        };
        self.inner.compartments.ask(there).await
    }

    async fn write<T: Send + 'static>(
        &self,
        patient: &Ins,
        at: UnixSeconds,
        job: impl FnOnce(&mut Compartment, Of) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.write_under(Lease::AsItStands, patient, at, job).await
    }

    async fn write_under<T: Send + 'static>(
        &self,
        lease: Lease,
        patient: &Ins,
        at: UnixSeconds,
        job: impl FnOnce(&mut Compartment, Of) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let patient = patient.clone();
        let secret = self.inner.journal.ask(move |journal| journal.shred_secret_to_write(&patient, at, lease)).await?;
        let there = move |compartments: &mut Compartments| {
            let compartment = compartments.of_visit(secret.visit)?;
            let of = compartment.of(secret).ok_or(Error::Shredded)?;
            job(compartment, of)
        };
        self.inner.compartments.ask(there).await
    }

    async fn tidy_if_possible(&self, shredded: Vec<keys::Pseudonym>, agreed: Vec<keys::Pseudonym>) {
        if self.tidy(shredded, agreed).await.is_err() {
            // The secrets are deleted and the tombstones stay: the next opening deletes the rows.
            tracing::warn!("shredded_rows_stay_until_next_opening");
        }
    }

    /// After a refusal nothing of the secrets stays in the log, and the open compartment's rows go at once; after a yes
    /// they may come again.
    async fn tidy(&self, shredded: Vec<keys::Pseudonym>, agreed: Vec<keys::Pseudonym>) -> Result<(), Error> {
        if shredded.is_empty() && agreed.is_empty() {
            return Ok(());
        }
        let going = [shredded.clone(), agreed.clone()].concat();
        let look = move |journal: &mut Journal| {
            if !shredded.is_empty() {
                journal.forget()?;
            }
            let Some(open) = journal.open.clone() else { return Ok(None) };
            let dead = journal.tombstones(&open.compartment)?;
            Ok(Some((open, going.into_iter().filter(|patient| dead.contains(patient)).collect())))
        };
        let found: Option<(slots::Open, Vec<keys::Pseudonym>)> = self.inner.journal.ask(look).await?;
        let Some((open, going)) = found.filter(|(_, going)| !going.is_empty()) else { return Ok(()) };
        let visit = open.visit;
        self.inner.compartments.ask(move |there| there.of_visit(visit)?.purge(&going)).await?;
        self.inner.journal.ask(move |journal| journal.clear_tombstones(&open.compartment, &agreed)).await
    }
}

/// The journal and what it alone opens.
const JOURNAL_STORE: &[&str] = &[JOURNAL_FILE, JOURNAL_LOG, "journal.db-shm", "compartments"];
const JOURNAL_LOG: &str = "journal.db-wal";

fn nothing_when_shredded(kept: Result<(), Error>) -> Result<(), Error> {
    if matches!(kept, Err(Error::Shredded)) { Ok(()) } else { kept }
}

impl std::fmt::Debug for RoundRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RoundRow([REDACTED])")
    }
}
