//! The connector's contract. Who is asking is part of each call: a holder's token, or the device's own certificate.

use crate::exchange::dmp::vihf::Actor;
use crate::exchange::search::Search;
use crate::identity::holder::HolderId;
use crate::journal::Held;
use crate::journal::consent::Consent;
use crate::journal::item::Contribution;
use crate::journal::trace::Trace;
use crate::journal::words::Mode;
use crate::link;
use crate::patient::ins::Ins;
use crate::record::document::Document;
use crate::record::state::Access;
use crate::record::state::RecordState;
use crate::record::sync::Changes;
use crate::record::sync::Kept;
use crate::secret::SecretBytes;
use crate::secret::content::Content;
use crate::time::UnixSeconds;
use std::future::Future;
use std::path::Path;

/// A holder's credential for the upstream: a short token signed by the card, the PSC token, or what a VIHF is made from.
pub struct AsHolder {
    pub holder: HolderId,
    /// The compact JWT, or the PSC access token.
    pub token: SecretBytes,
    /// After it, another one must be signed.
    pub until: UnixSeconds,
    /// The access mode, where the token does not say it (docs/pdsm.md §1): only with a PSC token.
    pub mode: Option<Mode>,
    /// What each VIHF is made from, where the connector makes them.
    pub actor: Option<Box<Actor>>,
}

/// The device's credential is its certificate, in the TLS handshake.
#[derive(Debug, Clone, Copy)]
pub struct AsDevice;

/// What happened to one delivered item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Stored upstream, now or before: sending twice is harmless.
    Acknowledged,
    /// Refused for good: set aside, with the server's code and a reason fit for the tray.
    Refused { code: String, reason: String },
    /// Failed for this item alone and for now: it stays waiting. When nothing else came of a request, the lane pauses.
    NotNow,
}

/// The journal's head, as it is given to an upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// How many rows it covers.
    pub size: u64,
    /// The signed note.
    pub note: String,
    /// When its last row was written.
    pub at: UnixSeconds,
}

/// Whom or what a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// Their certificate, their structure, what was said of them.
    Holder,
    /// Their record is closed, or not known.
    Patient,
    /// Nothing: it may pass.
    Busy,
    Other,
}

/// What a server said, for the person at the screen alone: it may name somebody, and is in no log.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Words(pub String);

/// Why a call failed. Texts carry no personal data: no URL query, no body.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the server cannot be reached")]
    Unreachable { source: Box<dyn std::error::Error + Send + Sync> },
    #[error("the server did not answer in time")]
    TimedOut,
    #[error("the server's certificate was not accepted")]
    ServerCertificate { source: Box<dyn std::error::Error + Send + Sync> },
    /// Without a status, it was refused in the TLS handshake.
    #[error("the server refused the device's certificate")]
    DeviceRefused { status: Option<u16> },
    #[error("the server refused the holder (HTTP {status})")]
    HolderRefused { status: u16 },
    /// In the server's own code, kept verbatim.
    #[error("the server refused with {code}")]
    Refused { code: String, about: About, text: Words },
    /// The holder's key, asked in the TLS handshake: the card's own error is the source.
    #[error("the holder's card did not sign")]
    HolderKey { source: Box<dyn std::error::Error + Send + Sync> },
    /// What the connector says of the holder cannot be said.
    #[error("nothing can be asked in this holder's name: {why}")]
    Unsayable { why: &'static str },
    /// This connector has no such question.
    #[error("this server cannot be asked for {what}")]
    NotOffered { what: &'static str },
    #[error("the server failed (HTTP {status})")]
    Failed { status: u16, retry_after_s: Option<u64> },
    #[error("the answer to {what} cannot be understood: {why}")]
    Unreadable { what: &'static str, why: &'static str },
    /// Only what is prepared in advance: a person's own question is never held up by it.
    #[error("the day's budget of a metered line is spent")]
    OverBudget,
    #[error("the content is larger than {limit_bytes} bytes")]
    TooLarge { limit_bytes: u64 },
    #[error("the content is not what its metadata promised ({what})")]
    Damaged { what: &'static str },
    #[error("the content has no room on the disk while it comes")]
    NotKept { source: std::io::Error },
}

/// A connector. Each call is bounded in time and size; none keeps personal data after it returns.
pub trait Upstream: Send + Sync {
    /// TD0.2: the record, this holder's authorization, and what was said about their teams; `team` is the site's, when
    /// they are in it.
    fn state(
        &self,
        who: &AsHolder,
        patient: &Ins,
        team: Option<&str>,
    ) -> impl Future<Output = Result<RecordState, Error>> + Send;

    /// TD0.4: whose records this holder is authorized to open, and until when where that is said.
    fn authorized(&self, who: &AsHolder)
    -> impl Future<Output = Result<Vec<(Ins, Option<UnixSeconds>)>, Error>> + Send;

    /// TD3.1, ITI-67: all current documents' metadata since `since` (two years at most by default).
    fn find(
        &self,
        who: &AsHolder,
        patient: &Ins,
        since: UnixSeconds,
    ) -> impl Future<Output = Result<Held<Vec<Document>>, Error>> + Send;

    /// TD3.1, ITI-67, as it was asked.
    fn search(
        &self,
        who: &AsHolder,
        patient: &Ins,
        search: &Search,
    ) -> impl Future<Output = Result<Held<Vec<Document>>, Error>> + Send;

    /// What became of a list that is kept, by ANS's synchronisation: all of it, or an error and nothing.
    fn changes(
        &self,
        who: &AsHolder,
        patient: &Ins,
        kept: &Kept,
        since: UnixSeconds,
    ) -> impl Future<Output = Result<Held<Changes>, Error>> + Send;

    /// TD3.2, ITI-68: one document's bytes, size and hash verified. A large one lies sealed in a file of the folder `aside` while
    /// it comes; without one all of it is in memory.
    fn fetch(
        &self,
        who: &AsHolder,
        patient: &Ins,
        document: &Document,
        aside: Option<&Path>,
    ) -> impl Future<Output = Result<Held<Content>, Error>> + Send;

    /// ITI-81: the patient's access history, newest first.
    fn history(
        &self,
        who: &AsHolder,
        patient: &Ins,
        since: UnixSeconds,
    ) -> impl Future<Output = Result<Held<Vec<Access>>, Error>> + Send;

    /// TD0.3: a consent, a refusal or a withdrawal, idempotent by its identifier.
    fn consent(&self, who: &AsHolder, consent: &Consent) -> impl Future<Output = Result<Outcome, Error>> + Send;

    /// TD2.1, ITI-65.
    fn contribute(
        &self,
        who: &AsHolder,
        contribution: &Contribution,
    ) -> impl Future<Output = Result<Outcome, Error>> + Send;

    /// ITI-20, under the device's certificate: one outcome a trace, in order.
    fn traces(&self, who: AsDevice, traces: &[Trace]) -> impl Future<Output = Result<Vec<Outcome>, Error>> + Send;

    /// ITI-20, under the device's certificate: the journal's signed head. Its acknowledgement anchors every row below.
    fn checkpoint(&self, who: AsDevice, checkpoint: &Checkpoint)
    -> impl Future<Output = Result<Outcome, Error>> + Send;

    /// Under the device's certificate: the notes of the newest checkpoints that the server has of that device, newest first. A
    /// server may give other devices' too.
    fn newest_checkpoints(
        &self,
        who: AsDevice,
        device: &str,
    ) -> impl Future<Output = Result<Vec<String>, Error>> + Send;

    /// The time by the server's newest `Date`, carried on since it was heard, for the clock's trust.
    fn server_time(&self) -> Option<UnixSeconds>;

    /// Closes what is open to the servers: what was asked and answered lies in a connection's buffers until it is closed.
    fn hang_up(&self);
}

/// The link's errors in the connector's words.
pub(in crate::exchange) fn failed(error: link::Error, what: &'static str) -> Error {
    match error {
        link::Error::TimedOut => Error::TimedOut,
        link::Error::OverBudget => Error::OverBudget,
        link::Error::TooLarge { limit_bytes } => Error::TooLarge { limit_bytes },
        link::Error::ServerCertificate { source } => Error::ServerCertificate { source },
        link::Error::DeviceRefused { .. } => Error::DeviceRefused { status: None },
        link::Error::NotKept { source } => Error::NotKept { source },
        link::Error::HolderKey { source } => Error::HolderKey { source: Box::new(source) },
        link::Error::Address => Error::Unreadable { what, why: "it leads to another server" },
        other => Error::Unreachable { source: Box::new(other) },
    }
}

impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Words([REDACTED])")
    }
}

impl std::fmt::Debug for AsHolder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AsHolder([REDACTED])")
    }
}
