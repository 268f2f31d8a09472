//! One server, one warm pool of connections. Each call is bounded in time by phase and in size while it streams.

use crate::link::coding;
use crate::link::coding::Undo;
use crate::link::connect::Connector;
use crate::link::error::Error;
use crate::link::error::broken_off;
use crate::link::error::unanswered;
use crate::link::header;
use crate::link::holder;
use crate::link::holder::KeyHolder;
use crate::link::tls;
use crate::link::traffic::Traffic;
use crate::link::transfer::Begins;
use crate::link::transfer::Head;
use crate::link::transfer::Transfer;
use crate::link::turns;
use crate::link::turns::Turn;
use crate::link::turns::Turns;
use crate::link::turns::Urgency;
use crate::link::upload::Upload;
use crate::secret::SecretBytes;
use crate::time::UnixSeconds;
use http_body_util::BodyExt;
use hyper::Response;
use hyper::Uri;
use hyper::Version;
use hyper::body::Body;
use hyper::body::Bytes;
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::header::HeaderValue;
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioTimer;
use rustls::ClientConfig;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

/// What it takes to speak to one server.
pub struct Options {
    /// PEM: whom the server's certificate must come from. Nobody else is believed, the system's store neither.
    pub ca_pem: Vec<u8>,
    /// PEM: the device's own certificate, issuers after it.
    pub certificate_pem: Vec<u8>,
    pub key_pem: SecretBytes,
    pub timeouts: Timeouts,
}

/// By phase. There is none on the total: a large document over a thin line is slow, not broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// The name's address, and TCP.
    pub connect: Duration,
    /// TLS.
    pub handshake: Duration,
    /// From the last byte of the question that moved to the first of the answer.
    pub answer: Duration,
    /// The longest silence inside an answer; four times that for a few hundred bytes.
    pub silence: Duration,
}

/// Cheap to clone; clones share connections, the server's time, turns and traffic.
#[derive(Clone)]
pub struct Client {
    /// Its connections, until they are hung up on.
    pool: Arc<Mutex<Pool>>,
    config: Arc<ClientConfig>,
    timeouts: Timeouts,
    thumbprint: [u8; 32],
    turns: Turns,
    traffic: Traffic,
    /// The device's own time, told with each question.
    clock: Option<Clock>,
    /// The newest `Date`, and when it was heard.
    heard: Arc<Mutex<Option<(UnixSeconds, Instant)>>>,
    /// [`Packed`]: whether the server takes compressed bodies.
    packed: Arc<AtomicU8>,
    /// The server spoke HTTP/2 the last time: the next connections are made for it.
    is_h2: Arc<AtomicBool>,
}

/// Where the device's time is read.
pub type Clock = Arc<dyn Fn() -> UnixSeconds + Send + Sync>;

struct Pool {
    client: legacy::Client<Connector, Upload>,
    /// For HTTP/2 alone: several questions at once wait for one connection instead of each making one. A pool that found HTTP/2
    /// out by itself keeps what it has: its connection is warm.
    for_h2: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
}

/// One question. Its URL and body are personal data: there is no `Debug`.
pub struct Request<'a> {
    pub method: Method,
    pub url: String,
    pub accept: String,
    pub bearer: Option<&'a SecretBytes>,
    /// Name and value, in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// Content type and bytes.
    pub body: Option<(&'a str, Vec<u8>)>,
    /// How much of an answer is taken, after decompression.
    pub limit_bytes: u64,
}

/// What came back, whole and below its limit.
pub struct Answer {
    pub status: u16,
    /// Without parameters, in lower case; empty when the server did not say.
    pub content_type: String,
    /// As it was said, parameters included.
    pub content_type_said: String,
    /// `Retry-After` in seconds (RFC 9110 §10.2.3); a date is counted from the server's own `Date`.
    pub retry_after_s: Option<u64>,
    pub body: Vec<u8>,
}

/// Where a content goes while it streams.
pub trait Sink: Send {
    /// From its first byte, as that type: what was taken before is void.
    fn begin(&mut self, content_type: &str) -> Result<(), Error>;
    fn take(&mut self, bytes: &[u8]) -> Result<(), Error>;
}

/// Whether a server takes gzip in a question: it said so, it said no, or nobody knows yet.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Packed {
    Untried,
    Taken,
    Refused,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            connect: Duration::from_secs(20),
            handshake: Duration::from_secs(20),
            answer: Duration::from_secs(30),
            silence: Duration::from_secs(30),
        }
    }
}

impl Client {
    /// Nothing is sent yet: a server that is down is found by the first call.
    pub fn new(options: Options) -> Result<Client, Error> {
        let (config, thumbprint) = tls::configure(&options.ca_pem, &options.certificate_pem, &options.key_pem)?;
        Ok(Client::with(config, thumbprint, options.timeouts))
    }

    /// The same, in the name of whoever holds a key when a connection is made; nobody: the server refuses. No session outlives its
    /// connections, and [`Client::hang_up`] ends those. To be used inside a tokio runtime of several threads, because a card
    /// is waited for.
    pub fn of_holder(ca_pem: &[u8], holder: Arc<dyn KeyHolder>, timeouts: Timeouts) -> Result<Client, Error> {
        // No token is bound to it.
        let thumbprint = [0; 32];
        Ok(Client::with(holder::configure(ca_pem, holder)?, thumbprint, timeouts))
    }

    fn with(config: ClientConfig, thumbprint: [u8; 32], timeouts: Timeouts) -> Client {
        let (config, traffic) = (Arc::new(config), Traffic::default());
        let pool = connect_nothing_yet(&config, timeouts, &traffic, false);
        Client {
            pool: Arc::new(Mutex::new(pool)),
            config,
            timeouts,
            thumbprint,
            turns: Turns::default(),
            traffic,
            clock: None,
            heard: Arc::default(),
            packed: Arc::new(AtomicU8::new(Packed::Untried as u8)),
            is_h2: Arc::default(),
        }
    }

    /// The same, over a line that others use too: they wait for each other, and are counted together.
    pub fn sharing(self, turns: &Turns, traffic: &Traffic) -> Client {
        let client = Client { turns: turns.clone(), traffic: traffic.clone(), ..self };
        client.hang_up();
        client
    }

    /// The same, and each question says when it was asked by this clock (RFC 9110 §6.6.1): beside the time at which it was
    /// received that tells a server how far this device's times are off.
    pub fn dated_by(self, clock: Clock) -> Client {
        Client { clock: Some(clock), ..self }
    }

    /// Closes every connection that rests, and those that are in use as soon as they are not: their buffers keep what was
    /// last asked and answered for as long as they stay open. The next call connects anew, by a short handshake.
    pub fn hang_up(&self) {
        let for_h2 = self.is_h2.load(Ordering::Relaxed);
        *self.pool() = connect_nothing_yet(&self.config, self.timeouts, &self.traffic, for_h2);
    }

    /// SHA-256 of the device's certificate: a holder's token is bound to it (RFC 8705 §3.1).
    pub fn device_thumbprint(&self) -> [u8; 32] {
        self.thumbprint
    }

    /// The time by the server's newest `Date`, carried on since it was heard: whoever asks later must not take an old
    /// word for the present.
    pub fn server_time(&self) -> Option<UnixSeconds> {
        let heard = *self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let (date, at) = heard?;
        Some(date.plus(i64::try_from(at.elapsed().as_secs()).unwrap_or(i64::MAX)))
    }

    /// Asks, and takes the whole answer as long as it stays below the limit.
    pub async fn send(&self, request: Request<'_>) -> Result<Answer, Error> {
        let mut turn = self.turns.take(turns::current());
        turn.mine().await;
        let (mut answer, mut response) = Box::pin(self.ask_packed_if_it_may(&request)).await?;
        let mut left = request.limit_bytes;
        let said = response.body().size_hint().exact().unwrap_or(0);
        answer.body.reserve_exact(usize::try_from(said.min(left)).unwrap_or(0));
        let body = &mut answer.body;
        let taken = self.take(
            &mut response,
            &mut turn,
            &mut left,
            request.limit_bytes,
            |_| {},
            |bytes| {
                body.extend_from_slice(bytes);
                Ok(())
            },
        );
        taken.await?;
        Ok(answer)
    }

    /// Asks for a content that streams into `sink`, over as many connections as it takes: what broke off goes on where it was
    /// where the server can (RFC 9110 §14.2), else from the start. An answer that is no content comes back with its body.
    pub async fn fetch(&self, request: Request<'_>, sink: &mut dyn Sink) -> Result<Answer, Error> {
        let mut turn = self.turns.take(turns::current());
        let mut transfer = Transfer::default();
        let mut undo = Undo::Plain;
        let mut left = request.limit_bytes;
        loop {
            turn.mine().await;
            let tried = Box::pin(self.fetch_on(&request, &mut transfer, &mut undo, &mut left, &mut turn, sink)).await;
            let error = match tried {
                Err(error) if error.may_pass() => error,
                done => return done,
            };
            // A connection that went silent is not asked again.
            self.hang_up();
            let vain = transfer.broke_off();
            if undo.has_failed() {
                transfer.begin_anew();
            }
            // Nobody there, and nothing here yet: that is told soon. A line that goes silent is waited for.
            let is_away = matches!(error, Error::Unreachable { .. }) && !transfer.has_begun();
            let pauses = if is_away { PAUSES_WATCHED } else { Client::pauses() };
            match pauses.get(vain as usize - 1) {
                Some(pause) => tokio::time::sleep(*pause).await,
                None => return Err(error),
            }
        }
    }

    /// One try of it.
    async fn fetch_on(
        &self,
        request: &Request<'_>,
        transfer: &mut Transfer,
        undo: &mut Undo,
        left: &mut u64,
        turn: &mut Turn,
        sink: &mut dyn Sink,
    ) -> Result<Answer, Error> {
        let (mut answer, mut response) = Box::pin(self.ask(request, &transfer.headers(), None)).await?;
        let head = head(&response);
        match transfer.answered(&head) {
            Begins::GoesOn => {}
            Begins::Anew => {
                *undo = Undo::of(&head.coding).ok_or_else(unknown_coding)?;
                *left = request.limit_bytes;
                sink.begin(&answer.content_type)?;
            }
            Begins::Nowhere => {
                return Err(Error::Interrupted { source: "it cannot be gone on with".into() });
            }
            Begins::Refused => {
                let (mut left, body) = (request.limit_bytes, &mut answer.body);
                let take = |bytes: &[u8]| {
                    body.extend_from_slice(bytes);
                    Ok(())
                };
                self.take(&mut response, turn, &mut left, request.limit_bytes, |_| {}, take).await?;
                return Ok(answer);
            }
        }
        let counted = |bytes| transfer.took(bytes);
        let source = Source { response: &mut response, silence: self.timeouts.silence, turn };
        let take = |bytes: &[u8]| self.is_within_budget().and_then(|()| sink.take(bytes));
        source.pour(undo, left, request.limit_bytes, counted, take).await?;
        Ok(answer)
    }

    async fn take(
        &self,
        response: &mut Response<Incoming>,
        turn: &mut Turn,
        left: &mut u64,
        limit_bytes: u64,
        counted: impl FnMut(u64),
        take: impl FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut undo = Undo::of(&head(response).coding).ok_or_else(unknown_coding)?;
        let source = Source { response, silence: self.timeouts.silence, turn };
        source.pour(&mut undo, left, limit_bytes, counted, take).await
    }

    /// FHIR is compressed until the server has refused it: a whole day's rows are a twentieth of their size. What it answers
    /// to the first try may be about the coding, whatever the status says, and is not believed before the plain form was refused
    /// too; later only 415 is about it (RFC 9110 §15.5.16).
    async fn ask_packed_if_it_may(&self, request: &Request<'_>) -> Result<(Answer, Response<Incoming>), Error> {
        let packed = match &request.body {
            Some((kind, body)) if *kind == FHIR_JSON && body.len() >= PACKED_BYTES_MIN => {
                (self.packed.load(Ordering::Relaxed) != Packed::Refused as u8).then(|| coding::compress(body))
            }
            _ => None,
        };
        let Some(packed) = packed else { return Box::pin(self.ask(request, &[], None)).await };
        let untried = self.packed.load(Ordering::Relaxed) == Packed::Untried as u8;
        let (answer, response) = Box::pin(self.ask(request, &[], Some(packed))).await?;
        match answer.status {
            200..=299 => self.packed.store(Packed::Taken as u8, Ordering::Relaxed),
            415 => {}
            400 | 411 | 422 | 500 | 501 if untried => {}
            _ => return Ok((answer, response)),
        }
        if (200..300).contains(&answer.status) {
            return Ok((answer, response));
        }
        drop(response);
        let (answer, response) = Box::pin(self.ask(request, &[], None)).await?;
        if !matches!(answer.status, 400 | 411 | 415 | 422 | 500 | 501) {
            self.packed.store(Packed::Refused as u8, Ordering::Relaxed);
        }
        Ok((answer, response))
    }

    /// One question and the head of its answer. Said beforehand to be too large: not one byte is taken.
    async fn ask(
        &self,
        request: &Request<'_>,
        besides: &[(&'static str, String)],
        packed: Option<Vec<u8>>,
    ) -> Result<(Answer, Response<Incoming>), Error> {
        self.is_within_budget()?;
        let date = self.clock.as_ref().and_then(|clock| header::write_http_date(clock()));
        let date = date.map(|date| ("date", date));
        let besides: Vec<_> = besides.iter().cloned().chain(date).collect();
        let (question, moved) = build(request, &besides, packed)?;
        let client = self.pool().client.clone();
        let mut asking = std::pin::pin!(client.request(question));
        let response = loop {
            let from = moved.last();
            tokio::select! {
                response = &mut asking => break response.map_err(|error| {
                    self.may_be_another_server();
                    unanswered(error.into())
                })?,
                () = tokio::time::sleep_until((from + self.timeouts.answer).into()) => {
                    if moved.last() == from {
                        return Err(Error::TimedOut);
                    }
                }
            }
        };
        self.is_h2.store(response.version() == Version::HTTP_2, Ordering::Relaxed);
        let date = text(response.headers(), "date").and_then(header::http_date);
        if let Some(at) = date {
            *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some((at, Instant::now()));
        }
        let limit_bytes = request.limit_bytes;
        if response.body().size_hint().exact().is_some_and(|length| length > limit_bytes) {
            return Err(Error::TooLarge { limit_bytes });
        }
        let answer = Answer {
            status: response.status().as_u16(),
            content_type: header::media_type(text(response.headers(), "content-type").unwrap_or("")),
            content_type_said: text(response.headers(), "content-type").unwrap_or("").to_owned(),
            retry_after_s: text(response.headers(), "retry-after").and_then(|text| header::retry_after_s(text, date)),
            body: Vec::new(),
        };
        Ok((answer, response))
    }

    /// One that speaks HTTP/2 no more would never be spoken to again.
    fn may_be_another_server(&self) {
        self.is_h2.store(false, Ordering::Relaxed);
        let mut pool = self.pool();
        if pool.for_h2 {
            *pool = connect_nothing_yet(&self.config, self.timeouts, &self.traffic, false);
        }
    }

    /// What is prepared in advance must not cost more than the day may.
    fn is_within_budget(&self) -> Result<(), Error> {
        let is_over = turns::current() == Urgency::Prefetch && self.traffic.is_spent();
        if is_over { Err(Error::OverBudget) } else { Ok(()) }
    }

    /// After how many vain tries in a row it is enough, and how long each waits.
    fn pauses() -> &'static [Duration] {
        match turns::current() {
            Urgency::Withdrawal | Urgency::Consent | Urgency::Person => PAUSES_WATCHED,
            Urgency::Trace | Urgency::Prefetch => PAUSES_UNWATCHED,
        }
    }

    fn pool(&self) -> std::sync::MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer's content, and how it is read.
struct Source<'a> {
    response: &'a mut Response<Incoming>,
    silence: Duration,
    turn: &'a mut Turn,
}

impl Source<'_> {
    /// All of it into `take`, unpacked, up to the limit. Between two pieces whoever is more urgent goes first.
    async fn pour(
        self,
        undo: &mut Undo,
        left: &mut u64,
        limit_bytes: u64,
        mut counted: impl FnMut(u64),
        mut take: impl FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut bounded = |bytes: &[u8]| {
            *left = left.checked_sub(bytes.len() as u64).ok_or(Error::TooLarge { limit_bytes })?;
            if bytes.is_empty() { Ok(()) } else { take(bytes) }
        };
        let (mut waited, mut came) = (Duration::ZERO, 0);
        loop {
            self.turn.mine().await;
            let asked = Instant::now();
            let frame = tokio::time::timeout(self.silence, self.response.frame()).await;
            let Some(frame) = frame.map_err(|_| Error::TimedOut)? else { break };
            let frame = frame.map_err(|error| broken_off(error.into()))?;
            if let Ok(bytes) = frame.into_data() {
                undo.feed(&bytes, &mut bounded)?;
                counted(bytes.len() as u64);
                came += bytes.len();
            }
            // A byte now and then is no answer either.
            waited += asked.elapsed();
            if waited >= self.silence * DRIP_SILENCES {
                if came < DRIP_BYTES_MIN {
                    return Err(Error::TimedOut);
                }
                (waited, came) = (Duration::ZERO, 0);
            }
        }
        undo.end(&mut bounded)
    }
}

/// What comes in the time of so many silences is more than so many bytes, or it has come to nothing.
const DRIP_SILENCES: u32 = 4;
const DRIP_BYTES_MIN: usize = 512;

fn unknown_coding() -> Error {
    Error::Interrupted { source: "its coding was not asked for".into() }
}

fn connect_nothing_yet(config: &Arc<ClientConfig>, timeouts: Timeouts, traffic: &Traffic, for_h2: bool) -> Pool {
    let connector = Connector::new(config.clone(), timeouts, traffic.clone());
    let mut builder = legacy::Client::builder(TokioExecutor::new());
    builder
        .pool_idle_timeout(IDLE_MAX)
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        .http2_initial_stream_window_size(STREAM_WINDOW_BYTES)
        .http2_initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .http2_max_send_buf_size(SEND_BUFFER_BYTES)
        .http2_keep_alive_interval(PING_EVERY)
        .http2_keep_alive_timeout(timeouts.silence);
    Pool { client: builder.http2_only(for_h2).build(connector), for_h2 }
}

fn build(
    request: &Request<'_>,
    besides: &[(&'static str, String)],
    packed: Option<Vec<u8>>,
) -> Result<(hyper::Request<Upload>, crate::link::upload::Moved), Error> {
    let uri: Uri = request.url.parse().map_err(|_| Error::Address)?;
    if uri.scheme_str() != Some("https") {
        return Err(Error::Address);
    }
    let mut builder = hyper::Request::builder()
        .uri(uri)
        .method(match request.method {
            Method::Get => hyper::Method::GET,
            Method::Post => hyper::Method::POST,
            Method::Put => hyper::Method::PUT,
            Method::Patch => hyper::Method::PATCH,
        })
        .header("accept", &request.accept)
        .header("accept-encoding", "gzip")
        .header("user-agent", concat!("chevet/", env!("CARGO_PKG_VERSION")));
    for (name, value) in request.headers.iter().chain(besides) {
        builder = builder.header(*name, value);
    }
    if let Some(token) = request.bearer {
        let line = [b"Bearer ", token.show_bytes()].concat();
        let mut value = HeaderValue::try_from(line).map_err(|_| Error::Address)?;
        // Kept out of Debug and of HPACK's table.
        value.set_sensitive(true);
        builder = builder.header("authorization", value);
    }
    let body = match (&request.body, packed) {
        (Some((kind, _)), Some(packed)) => {
            builder = builder.header("content-type", *kind).header("content-encoding", "gzip");
            Bytes::from(packed)
        }
        (Some((kind, plain)), None) => {
            builder = builder.header("content-type", *kind);
            Bytes::from(plain.clone())
        }
        (None, _) => Bytes::new(),
    };
    let (upload, moved) = Upload::new(body);
    Ok((builder.body(upload).map_err(|_| Error::Address)?, moved))
}

fn head(response: &Response<Incoming>) -> Head {
    let said = |name| text(response.headers(), name);
    Head {
        status: response.status().as_u16(),
        range: said("content-range").and_then(header::content_range),
        tag: said("etag").and_then(header::strong_tag).map(str::to_owned),
        coding: said("content-encoding").unwrap_or("").trim().to_ascii_lowercase(),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answer({}, [REDACTED])", self.status)
    }
}

/// What is compressed: our own forms to a token's provider are small, and he need not know of it.
const FHIR_JSON: &str = "application/fhir+json";
/// Below it, one segment is one segment.
const PACKED_BYTES_MIN: usize = 1024;
/// A visit's pauses for reading are shorter.
const IDLE_MAX: Duration = Duration::from_secs(5 * 60);
/// Four times what a line of 200 kbit/s and 600 ms holds; what a paused transfer has already been sent cannot be overtaken.
const STREAM_WINDOW_BYTES: u32 = 64 * 1024;
/// Room for all that may be under way at once and then some: what paused transfers hold must leave some for whom they wait.
const CONNECTION_WINDOW_BYTES: u32 = 32 * STREAM_WINDOW_BYTES;
/// More, and a body would seem to have left while it waits in here.
const SEND_BUFFER_BYTES: usize = 32 * 1024;
/// While something is under way: a line that died in the middle is found out.
const PING_EVERY: Duration = Duration::from_secs(20);
/// Somebody looks at the screen: they are told soon.
const PAUSES_WATCHED: &[Duration] = &[Duration::from_millis(300), Duration::from_secs(1), Duration::from_secs(2)];
/// Nobody does: a line that is gone for minutes is waited for.
const PAUSES_UNWATCHED: &[Duration] = &[
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(20),
    Duration::from_secs(40),
    Duration::from_secs(60),
    Duration::from_secs(60),
];
