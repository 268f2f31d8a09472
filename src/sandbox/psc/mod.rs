//! A small Pro Santé Connect on loopback: discovery, CIBA in poll mode, refresh, UserInfo, revocation, behind mutual TLS. The
//! telephones are in its caller's hand, or approve by themselves after a while.
//!
//! It is a stand-in for what nobody can make a real provider do at will: `slow_down`, a late answer, a token of somebody
//! else's. That our client also speaks with providers nobody here wrote is `scripts/peers`' business.
//!
//! - `server` sockets and TLS · `answers` what is said to whom

mod answers;
mod server;

use crate::sandbox::pki::Pki;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
use aws_lc_rs::signature::EcdsaKeyPair;
use aws_lc_rs::signature::KeyPair;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde_json::Value;
use serde_json::json;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;
use tokio::sync::oneshot;

pub struct Options {
    pub pki: Pki,
    /// 0 for any.
    pub port: u16,
    /// `None`: only whoever holds the handle touches a telephone.
    pub approves_after: Option<Duration>,
    pub interval_s: u64,
    pub request_s: u64,
    pub access_s: u64,
}

/// A provider that answers until it is dropped.
pub struct Running {
    /// `https://127.0.0.1:PORT/realm`.
    pub issuer: String,
    pub port: u16,
    shared: Arc<Shared>,
    stop: Option<(oneshot::Sender<()>, std::thread::JoinHandle<()>)>,
}

/// What can be made to go wrong, until it is set right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Every poll is too early.
    SlowDown,
    /// No answer but 503.
    Down,
    /// Polls are answered after this.
    SlowPolls(Duration),
    /// An id_token signed with a key that is not published.
    Forged,
    /// Tokens of this holder, whoever was asked for.
    Somebody(&'static str),
    /// An id_token for another client.
    OtherClient,
    /// An id_token of another level.
    Weak,
    /// UserInfo of another subject.
    OtherUserInfo,
    /// No refresh is granted any more.
    NoRefresh,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the sandbox's Pro Santé Connect cannot listen on port {port}")]
    Listen { port: u16, source: std::io::Error },
    #[error("the sandbox's Pro Santé Connect cannot set up TLS")]
    Tls { source: crate::sandbox::dmp::Error },
    #[error("the sandbox's Pro Santé Connect cannot start its thread")]
    Thread { source: std::io::Error },
    #[error("the sandbox's Pro Santé Connect cannot make a key")]
    Draw,
}

/// What every connection sees.
struct Shared {
    issuer: String,
    key: EcdsaKeyPair,
    /// Published by nobody.
    other_key: EcdsaKeyPair,
    approves_after: Option<Duration>,
    interval_s: u64,
    request_s: u64,
    access_s: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    requests: Vec<Request>,
    /// Refresh tokens that still serve, and whose they are.
    refresh: Vec<(String, String)>,
    /// Tokens that were given out or taken back, in order.
    issued: Vec<String>,
    revoked: Vec<String>,
    polls: Vec<Instant>,
    fault: Option<Fault>,
    /// A client that is known by a key of its own beside the one that is known by its certificate: its name, and the point.
    by_key: Option<(String, Vec<u8>)>,
    /// Assertions that were used.
    assertions: Vec<String>,
}

struct Request {
    id: String,
    hint: String,
    digits: String,
    since: Instant,
    answer: Option<Touch>,
    is_spent: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Touch {
    Approved,
    Denied,
}

/// Starts it: when this returns, its port answers.
pub fn start(options: Options) -> Result<Running, Error> {
    server::start(options)
}

impl Running {
    /// Who is asked, and with which digits, oldest first.
    pub fn ringing(&self) -> Vec<(String, String)> {
        let state = self.shared.state();
        let waits = state.requests.iter().filter(|request| request.answer.is_none());
        waits.map(|request| (request.hint.clone(), request.digits.clone())).collect()
    }

    /// The telephone of the newest request, or of the oldest, is touched.
    pub fn approve(&self) {
        self.touch(Touch::Approved, Which::Newest);
    }

    pub fn approve_oldest(&self) {
        self.touch(Touch::Approved, Which::Oldest);
    }

    pub fn deny(&self) {
        self.touch(Touch::Denied, Which::Newest);
    }

    pub fn set(&self, fault: Option<Fault>) {
        self.shared.state().fault = fault;
    }

    /// From now on a client of this name is known by its P-256 key (an uncompressed point) alone.
    pub fn know_by_key(&self, client: &str, point: Vec<u8>) {
        self.shared.state().by_key = Some((client.to_owned(), point));
    }

    /// When it was polled.
    pub fn polls(&self) -> Vec<Instant> {
        self.shared.state().polls.clone()
    }

    /// Access and refresh tokens that were given out, and not taken back.
    pub fn outstanding(&self) -> usize {
        let state = self.shared.state();
        state.issued.iter().filter(|token| !state.revoked.contains(token)).count()
    }

    pub fn issued(&self) -> usize {
        self.shared.state().issued.len()
    }

    /// The public key, as it is published.
    pub fn jwk(&self) -> Value {
        self.shared.jwk()
    }

    /// A login's id_token, for a journal: as this provider would sign it at that time.
    pub fn id_token(&self, holder: &str, at: i64) -> String {
        let claims = json!({"iss": self.issuer, "aud": "borne", "sub": format!("f:sandbox:{holder}"), "iat": at,
            "exp": at + 60, "acr": "eidas1"});
        self.shared.sign(&claims, &self.shared.key)
    }

    fn touch(&self, touch: Touch, which: Which) {
        let mut state = self.shared.state();
        let mut waits = state.requests.iter_mut().filter(|request| request.answer.is_none());
        let chosen = match which {
            Which::Oldest => waits.next(),
            Which::Newest => waits.last(),
        };
        if let Some(request) = chosen {
            request.answer = Some(touch);
        }
    }
}

enum Which {
    Oldest,
    Newest,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn jwk(&self) -> Value {
        let point = self.key.public_key().as_ref();
        let (x, y) = (BASE64URL.encode(&point[1..33]), BASE64URL.encode(&point[33..]));
        json!({"kty": "EC", "crv": "P-256", "kid": KEY_NAME, "use": "sig", "alg": "ES256", "x": x, "y": y})
    }

    fn sign(&self, claims: &Value, key: &EcdsaKeyPair) -> String {
        let header = json!({"alg": "ES256", "typ": "JWT", "kid": KEY_NAME});
        let input = format!("{}.{}", BASE64URL.encode(header.to_string()), BASE64URL.encode(claims.to_string()));
        let signature = key.sign(&SystemRandom::new(), input.as_bytes());
        format!("{input}.{}", signature.map(|bytes| BASE64URL.encode(bytes)).unwrap_or_default())
    }
}

fn draw() -> Result<EcdsaKeyPair, Error> {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| Error::Draw)
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some((stop, handle)) = self.stop.take() {
            let _ = stop.send(());
            let _ = handle.join();
        }
    }
}

const KEY_NAME: &str = "sandbox-psc";
