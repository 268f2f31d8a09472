//! A small DMP on loopback: HTTPS, FHIR R4, the contract of `docs/pdsm.md`, and the patients' own page beside it.
//!
//! It really verifies the device's certificate (mutual TLS) and the holder's token; it keeps its own access log, and
//! everything said to it survives [`Running::stop`] where a snapshot file is given. Its rules are a server's: blocked,
//! closed, authorization, masked. The habilitation matrix is left to the kiosk, whose work is to count what it denies.
//! It is in one process with its caller, on a thread of its own, and ends with its handle.
//!
//! - `server` sockets, TLS, threads · `faults` what can be made to go wrong
//! - `token` who asks · `routes` what is asked · `search` ITI-67 and ITI-66 · `request` the words of a question
//! - `outcome` what is refused · `content` an answer as it is wanted
//! - `state` what is kept · `shapes` records as FHIR · `consents` · `traces` what devices deliver · `contribution`
//! - `door` cards in the handshake · `xds` the same records in SOAP
//! - `web` the patient's side

mod consents;
mod content;
mod contribution;
mod deposit;
mod door;
mod faults;
mod outcome;
mod request;
mod routes;
mod search;
pub(in crate::sandbox) mod server;
mod sets;
mod shapes;
mod signed;
mod state;
mod token;
mod traces;
mod web;
mod xds;

pub use faults::Fault;
pub use faults::Faults;
pub use state::Amendment;

use crate::sandbox::people::People;
use crate::sandbox::pki::AT_THE_END;
use crate::sandbox::pki::Pki;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub struct Options {
    pub pki: Pki,
    pub people: People,
    /// 0 for any.
    pub port: u16,
    /// 0 for any.
    pub card_port: u16,
    /// 0 for any.
    pub web_port: u16,
    /// Where consents, traces, history and contributions are kept over a restart.
    pub snapshot: Option<PathBuf>,
}

/// A server that answers until it is stopped or dropped.
pub struct Running {
    /// `https://127.0.0.1:PORT/fhir`: what `[upstream] url` and `[audit] url` name.
    pub base_url: String,
    /// `http://127.0.0.1:PORT/`: the patients' page.
    pub web_url: String,
    /// `https://127.0.0.1:PORT/si-dmp-server/v2/services`: what `[upstream] url` names with the connector `dmp`.
    pub services_url: String,
    pub port: u16,
    pub card_port: u16,
    pub web_port: u16,
    shared: Arc<server::Shared>,
    thread: Option<server::Thread>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the sandbox DMP cannot listen on port {port}")]
    Listen { port: u16, source: std::io::Error },
    #[error("the sandbox DMP cannot read {path}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the sandbox DMP's snapshot {path} is not its own")]
    Snapshot { path: PathBuf },
    #[error("the sandbox DMP cannot use {path}")]
    Certificate { path: PathBuf },
    #[error("the sandbox DMP cannot set up TLS")]
    Tls { source: rustls::Error },
    #[error("the sandbox DMP cannot start its thread")]
    Thread { source: std::io::Error },
}

/// Starts it: when this returns, both ports answer.
pub fn start(options: Options) -> Result<Running, Error> {
    server::start(options, Ipv4Addr::LOCALHOST)
}

/// At [`pki::AT_THE_END`](crate::sandbox::pki::AT_THE_END), the far end of a wire that a test made in namespaces of its own.
pub fn start_at_the_end(options: Options) -> Result<Running, Error> {
    server::start(options, AT_THE_END)
}

impl Running {
    /// Ends every connection and frees both ports. What was said stays in the snapshot.
    pub fn stop(mut self) {
        if let Some(thread) = self.thread.take() {
            thread.end();
        }
    }

    /// How many resources lie under this AuditEvent id: 0 or 1.
    pub fn audit_count(&self, id: &str) -> usize {
        self.shared.state().traces.iter().filter(|trace| trace["id"] == id).count()
    }

    /// Every trace that devices delivered, in the order of arrival.
    pub fn received_traces(&self) -> Vec<serde_json::Value> {
        self.shared.state().traces.iter().filter(|event| !traces::is_checkpoint(event)).cloned().collect()
    }

    /// Every checkpoint that was delivered, as an AuditEvent, in the order of arrival.
    pub fn received_checkpoints(&self) -> Vec<serde_json::Value> {
        self.shared.state().traces.iter().filter(|event| traces::is_checkpoint(event)).cloned().collect()
    }

    /// Every consent that was posted, in the order of arrival.
    pub fn received_consents(&self) -> Vec<serde_json::Value> {
        self.shared.state().consents.clone()
    }

    /// Every document that was added, as its metadata stand now, in the order of arrival.
    pub fn received_documents(&self) -> Vec<serde_json::Value> {
        self.shared.state().contributions.iter().map(|one| one.reference.clone()).collect()
    }

    /// The bytes of one of them, by its entry.
    pub fn received_content(&self, id: &str) -> Option<Vec<u8>> {
        use base64::Engine;
        let (_, data) = contribution::content(&self.shared.state(), id)?;
        base64::engine::general_purpose::STANDARD.decode(data).ok()
    }

    /// A document's metadata, amended now: masked, archived, replaced, withdrawn.
    pub fn amend(&self, entry: &str, amendment: Amendment) {
        contribution::amend(&self.shared, entry, &amendment);
        self.shared.save();
    }

    /// From now on the access tokens of that Pro Santé Connect are taken too: signed by this key (JWK), and by nobody else.
    pub fn trust_issuer(&self, issuer: &str, jwk: &serde_json::Value) {
        self.shared.verifier.trust_issuer(issuer, jwk);
    }

    /// TLS connections so far, and how many of them by a short handshake.
    pub fn connections(&self) -> (u32, u32) {
        (self.shared.connections.load(Ordering::SeqCst), self.shared.resumed.load(Ordering::SeqCst))
    }

    /// Assertions whose signature was checked and right.
    pub fn signed_assertions(&self) -> u32 {
        self.shared.signed.load(Ordering::SeqCst)
    }

    /// From now on each body that comes is kept as it was before it was compressed.
    pub fn keep_bodies(&self) {
        *self.shared.delivered() = Some(Vec::new());
    }

    /// What was kept since, and no more of it.
    pub fn take_bodies(&self) -> Vec<Vec<u8>> {
        self.shared.delivered().take().unwrap_or_default()
    }

    /// What goes wrong from now on.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }
}

/// The sandbox's one clock.
pub(in crate::sandbox) fn now_s() -> i64 {
    jiff::Timestamp::now().as_second()
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            thread.end();
        }
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Running({})", self.base_url)
    }
}
