//! The other end: a TLS server on loopback that does what a test tells it to, and made-up rows and documents.

use chevet::exchange::AsHolder;
use chevet::exchange::Pdsm;
use chevet::exchange::pdsm::Profile;
use chevet::identity::holder::HolderId;
use chevet::journal::Committed;
use chevet::journal::Draft;
use chevet::journal::Pending;
use chevet::journal::Trace;
use chevet::journal::consent::Answer;
use chevet::journal::consent::Consent;
use chevet::journal::consent::Said;
use chevet::journal::consent::Scope;
use chevet::journal::consent::Shown;
use chevet::journal::consent::Speaker;
use chevet::journal::words::Class;
use chevet::journal::words::Ground;
use chevet::journal::words::Mode;
use chevet::journal::words::Regime;
use chevet::journal::words::Source;
use chevet::link;
use chevet::link::Client;
use chevet::link::Options;
use chevet::link::Timeouts;
use chevet::patient::ins::Ins;
use chevet::patient::ins::InsKind;
use chevet::record::document::Attachment;
use chevet::record::document::Author;
use chevet::record::document::ClassCode;
use chevet::record::document::Document;
use chevet::record::document::Label;
use chevet::record::document::Status;
use chevet::record::document::TypeCode;
use chevet::record::document::UniqueId;
use chevet::sandbox::pki::PemPair;
use chevet::sandbox::pki::Pki;
use chevet::secret::SecretBytes;
use chevet::time::Now;
use chevet::time::UnixSeconds;
use chevet::time::Wall;
use http_body_util::BodyExt;
use hyper::body::Bytes;
use hyper::body::Frame;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rustls::HandshakeKind;
use rustls::ProtocolVersion;
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::WebPkiClientVerifier;
use serde_json::Value;
use serde_json::json;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use uuid::Uuid;

/// Which server the client meets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ServerIs {
    Right,
    ByAnotherAuthority,
    /// It believes another authority's devices only.
    ClosedToThisDevice,
}

/// One request, as it arrived.
#[derive(Clone)]
pub struct Ask {
    pub method: String,
    pub target: String,
    headers: hyper::HeaderMap,
    body: Bytes,
}

/// What the server says, and how badly.
#[derive(Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    flow: Flow,
    /// The server thinks for so long.
    after: Duration,
    /// It hangs up instead.
    is_dropped: bool,
}

/// A body that comes in pieces, and may end in silence or not at all.
#[derive(Clone)]
struct Flow {
    piece: Bytes,
    times: u64,
    end: End,
    sent: Arc<AtomicU64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    Broken,
    Silence,
    /// A byte whenever so much time has gone by, for ever.
    Drips(Duration),
}

/// How a connection was made, and which TLS it speaks.
type Made = (HandshakeKind, Option<ProtocolVersion>);

pub struct Server {
    pub base: String,
    asks: Arc<Mutex<Vec<Ask>>>,
    handshakes: Arc<Mutex<Vec<Made>>>,
    task: JoinHandle<()>,
}

type Handler = Arc<dyn Fn(&Ask) -> Reply + Send + Sync>;

impl Server {
    pub async fn start(server: ServerIs, answer: impl Fn(&Ask) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let base = format!("https://{}/fhir", listener.local_addr().expect("bound"));
        let asks: Arc<Mutex<Vec<Ask>>> = Arc::default();
        let acceptor = TlsAcceptor::from(Arc::new(tls(server)));
        let (handler, seen): (Handler, _) = (Arc::new(answer), asks.clone());
        let handshakes: Arc<Mutex<Vec<Made>>> = Arc::default();
        let shaken = handshakes.clone();
        let task = tokio::spawn(async move {
            // Ended with this task: a server that stops lets go of its connections too.
            let mut connections = JoinSet::new();
            loop {
                let Ok((stream, _)) = listener.accept().await else { return };
                let (acceptor, handler, seen) = (acceptor.clone(), handler.clone(), seen.clone());
                let shaken = shaken.clone();
                connections.spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let tls = stream.get_ref().1;
                    let made = tls.handshake_kind().map(|kind| (kind, tls.protocol_version()));
                    shaken.lock().expect("not poisoned").extend(made);
                    let service =
                        hyper::service::service_fn(move |request| respond(request, handler.clone(), seen.clone()));
                    // An end that a test asked for is no fault.
                    drop(
                        hyper::server::conn::http1::Builder::new()
                            .serve_connection(TokioIo::new(stream), service)
                            .await,
                    );
                });
            }
        });
        Server { base, asks, handshakes, task }
    }

    /// How each connection so far was made.
    pub fn handshakes(&self) -> Vec<HandshakeKind> {
        self.handshakes.lock().expect("not poisoned").iter().map(|(kind, _)| *kind).collect()
    }

    /// Which TLS each of them speaks.
    pub fn versions(&self) -> Vec<Option<ProtocolVersion>> {
        self.handshakes.lock().expect("not poisoned").iter().map(|(_, version)| *version).collect()
    }

    pub fn asks(&self) -> Vec<Ask> {
        self.asks.lock().expect("not poisoned").clone()
    }

    /// Nobody listens on its port any more.
    pub async fn stop(&self) {
        self.task.abort();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn respond(
    request: hyper::Request<Incoming>,
    handler: Handler,
    seen: Arc<Mutex<Vec<Ask>>>,
) -> Result<hyper::Response<Flow>, std::io::Error> {
    let (parts, body) = request.into_parts();
    let mut body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
    if parts.headers.get("content-encoding").is_some_and(|coding| coding == "gzip") {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&*body).read_to_end(&mut plain).expect("what says that it is gzip is");
        body = Bytes::from(plain);
    }
    let ask = Ask { method: parts.method.to_string(), target: parts.uri.to_string(), headers: parts.headers, body };
    seen.lock().expect("not poisoned").push(ask.clone());
    let reply = handler(&ask);
    tokio::time::sleep(reply.after).await;
    if reply.is_dropped {
        return Err(std::io::ErrorKind::ConnectionReset.into());
    }
    let mut response = hyper::Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    Ok(response.body(reply.flow).expect("a response"))
}

impl Ask {
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or("")
    }

    pub fn query(&self, name: &str) -> Option<&str> {
        let pairs = self.target.split_once('?')?.1.split('&');
        pairs.filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Of its body, unpacked.
    pub fn bytes(&self) -> usize {
        self.body.len()
    }

    pub fn host(&self) -> &str {
        self.header("host").unwrap_or("")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

impl Reply {
    pub fn status(status: u16) -> Reply {
        let flow = Flow { piece: Bytes::new(), times: 0, end: End::Whole, sent: Arc::default() };
        Reply { status, headers: Vec::new(), flow, after: Duration::ZERO, is_dropped: false }
    }

    pub fn text(status: u16, text: &str) -> Reply {
        let mut reply = Reply::status(status);
        (reply.flow.piece, reply.flow.times) = (Bytes::copy_from_slice(text.as_bytes()), 1);
        reply
    }

    pub fn json(status: u16, value: &Value) -> Reply {
        Reply::text(status, &value.to_string()).with("content-type", "application/fhir+json; charset=utf-8")
    }

    pub fn with(mut self, name: &str, value: &str) -> Reply {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Promises the whole and sends this much of it.
    pub fn breaks_off_after(mut self, bytes: usize) -> Reply {
        self = self.clone().with("content-length", &self.flow.piece.len().to_string());
        self.flow.piece.truncate(bytes);
        self.flow.end = End::Broken;
        self
    }

    pub fn after(self, after: Duration) -> Reply {
        Reply { after, ..self }
    }

    /// Not a byte of it: the connection ends.
    pub fn drops(self) -> Reply {
        Reply { is_dropped: true, ..self }
    }

    /// Half of it, as if that were the whole.
    pub fn ends_too_early(mut self) -> Reply {
        self.flow.piece.truncate(self.flow.piece.len() / 2);
        self
    }

    /// The head, and never an end.
    pub fn hangs(mut self) -> Reply {
        self.flow.end = End::Silence;
        self
    }

    /// The head, and a byte now and then.
    pub fn drips(mut self, every: Duration) -> Reply {
        self.flow.end = End::Drips(every);
        self
    }

    /// That many bytes, without saying so beforehand.
    pub fn flows(mut self, bytes: u64) -> Reply {
        let piece = vec![b'x'; 64 * 1024];
        (self.flow.times, self.flow.piece) = (bytes / piece.len() as u64, Bytes::from(piece));
        self
    }

    /// One byte of it is another.
    pub fn damaged_at(mut self, place: usize) -> Reply {
        let mut bytes = self.flow.piece.to_vec();
        bytes[place] ^= 1;
        self.flow.piece = Bytes::from(bytes);
        self
    }

    /// How much of the flow has left the server.
    pub fn sent(&self) -> Arc<AtomicU64> {
        self.flow.sent.clone()
    }

    /// RFC 1952 around one stored block (RFC 1951 §3.2.4): gzip without a compressor.
    pub fn gzip(mut self) -> Reply {
        let plain = self.flow.piece.clone();
        let length = u16::try_from(plain.len()).expect("one block");
        let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&(!length).to_le_bytes());
        bytes.extend_from_slice(&plain);
        bytes.extend_from_slice(&crc32(&plain).to_le_bytes());
        bytes.extend_from_slice(&u32::from(length).to_le_bytes());
        self.flow.piece = Bytes::from(bytes);
        self.with("content-encoding", "gzip")
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xEDB8_8320 } else { sum >> 1 })
    })
}

impl hyper::body::Body for Flow {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if self.times > 0 {
            self.times -= 1;
            self.sent.fetch_add(self.piece.len() as u64, Ordering::SeqCst);
            return Poll::Ready(Some(Ok(Frame::data(self.piece.clone()))));
        }
        match self.end {
            End::Whole => Poll::Ready(None),
            End::Broken => {
                // Once more round the loop, so that what came before it is flushed.
                self.end = End::Whole;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            End::Silence => Poll::Pending,
            End::Drips(every) => {
                self.times = 1;
                self.piece = Bytes::from_static(b"x");
                let waker = context.waker().clone();
                tokio::spawn(async move {
                    tokio::time::sleep(every).await;
                    waker.wake();
                });
                Poll::Pending
            }
        }
    }
}

/// One folder of certificates for all tests; made once and kept beside the build.
fn pki() -> &'static Pki {
    static PKI: OnceLock<Pki> = OnceLock::new();
    PKI.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("exchange-pki");
        Pki::open_or_make(&folder).expect("certificates are made")
    })
}

fn read(path: &PathBuf) -> Vec<u8> {
    std::fs::read(path).expect("a file of the sandbox")
}

fn tls(server: ServerIs) -> ServerConfig {
    let pair = if server == ServerIs::ByAnotherAuthority { pki().wrong_server() } else { pki().server() };
    let devices =
        if server == ServerIs::ClosedToThisDevice { pki().wrong_tls_authority() } else { pki().tls_authority() };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    for authority in CertificateDer::pem_slice_iter(&read(&devices)) {
        roots.add(authority.expect("PEM")).expect("an authority");
    }
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().expect("a verifier");
    let (chain, key) = identity(&pair);
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .expect("a server's identity")
}

fn identity(pair: &PemPair) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let chain = CertificateDer::pem_slice_iter(&read(&pair.certificate)).map(|der| der.expect("PEM")).collect();
    (chain, PrivateKeyDer::from_pem_slice(&read(&pair.key)).expect("a key"))
}

/// The device's client, with one option changed.
pub fn client(change: impl Fn(&mut Options)) -> Result<Client, link::Error> {
    let device = pki().device();
    let mut options = Options {
        ca_pem: read(&pki().tls_authority()),
        certificate_pem: read(&device.certificate),
        key_pem: SecretBytes::new(read(&device.key)),
        timeouts: Timeouts {
            connect: Duration::from_secs(5),
            handshake: Duration::from_secs(5),
            answer: Duration::from_secs(2),
            silence: Duration::from_secs(2),
        },
    };
    change(&mut options);
    Client::new(options)
}

pub fn wrong_device_key() -> SecretBytes {
    SecretBytes::new(read(&pki().wrong_device().key))
}

pub fn connector(server: &Server, profile: Profile) -> Pdsm {
    let client = || client(|_| {}).expect("a client");
    Pdsm::new(client(), &server.base, client(), &server.base, profile).expect("a connector")
}

pub fn holder() -> AsHolder {
    AsHolder {
        holder: HolderId("899700000012".into()),
        token: SecretBytes::new(b"eyJ.a.token".to_vec()),
        until: UnixSeconds(i64::MAX),
        mode: None,
        actor: None,
    }
}

pub fn ins() -> Ins {
    Ins::unchecked("279035121518989", InsKind::Test).expect("well formed")
}

pub fn searchset(resources: Vec<Value>, next: Option<&str>) -> Value {
    let entry: Vec<Value> = resources.into_iter().map(|resource| json!({"resource": resource})).collect();
    let link: Vec<Value> = next.into_iter().map(|url| json!({"relation": "next", "url": url})).collect();
    json!({"resourceType": "Bundle", "type": "searchset", "link": link, "entry": entry})
}

/// The least of a DocumentReference.
pub fn entry(number: u32) -> Value {
    json!({
        "resourceType": "DocumentReference", "id": format!("e{number}"), "status": "current",
        "masterIdentifier": {"value": format!("urn:oid:1.2.{number}")},
        "type": {"coding": [{"system": "http://loinc.org", "code": "34133-9"}]},
        "date": "2026-10-02T14:00:00Z", "author": [{"display": "Dr A"}],
        "securityLabel": [{"coding": [{"code": "N"}]}],
        "content": [{"attachment": {"contentType": "text/xml", "url": "Binary/b1"}}]
    })
}

pub fn document(url: &str, content: &[u8]) -> Document {
    let mut sha1 = [0; 20];
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, content);
    sha1.copy_from_slice(digest.as_ref());
    Document {
        unique_id: UniqueId("1.2.3".into()),
        entry_uuid: "e1".into(),
        logical_id: None,
        type_code: TypeCode("34133-9".into()),
        type_label: String::new(),
        class_code: ClassCode("11".into()),
        title: String::new(),
        authors: vec![Author { id: None, name: "Dr A".into(), structure: None }],
        labels: vec![Label::Normal],
        status: Status::Current,
        service_start: UnixSeconds(0),
        created: UnixSeconds(0),
        format_code: String::new(),
        attachment: Attachment {
            url: url.into(),
            content_type: "text/xml".into(),
            size_bytes: Some(content.len() as u64),
            sha1: Some(sha1),
        },
        by_patient: false,
    }
}

fn now() -> Now {
    Now { since_boot: Duration::from_secs(1), wall: Wall::Is(UnixSeconds(1_795_423_320)) }
}

/// A row whose id is its number.
pub fn trace(number: u128) -> Trace {
    row(number, Class::Opened)
}

fn row(number: u128, class: Class) -> Trace {
    Trace {
        index: number as u64,
        id: Uuid::from_u128(number),
        blind: [number as u8; 32],
        boot: Uuid::from_u128(8),
        device: "device-1".into(),
        software: "chevet 0".into(),
        draft: Draft {
            class,
            holder: HolderId("899700000012".into()),
            profession: None,
            login: Some(0),
            proof: None,
            situation: None,
            patient: Some(ins()),
            document: (class == Class::Opened).then(|| (UniqueId("1.2.3".into()), TypeCode("34133-9".into()))),
            ground: Some(Ground::Team),
            mode: Mode::Normal,
            regime: Regime::ConseilEtat2025,
            rule: "M-01".into(),
            matrix_version: "2026-11".into(),
            reason: None,
            secret: false,
            framework: None,
            source: Source::Online,
            at: now(),
        },
    }
}

/// What lets a list out of the buffer.
pub fn listed() -> Committed {
    Pending::new(row(1, Class::Listed)).committed()
}

/// And that patient's.
pub fn listed_of(patient: &Ins) -> Committed {
    let mut trace = row(1, Class::Listed);
    trace.draft.patient = Some(patient.clone());
    Pending::new(trace).committed()
}

/// What lets document `1.2.3` out of the buffer.
pub fn opened() -> Committed {
    Pending::new(row(1, Class::Opened)).committed()
}

pub fn consent() -> Consent {
    let said = Said {
        patient: ins(),
        holder: HolderId("899700000012".into()),
        collected_by: HolderId("899700000012".into()),
        scope: Scope::Authorization,
        answer: Answer::Yes,
        ground: Ground::Authorization,
        regime: Regime::ConseilEtat2025,
        shown: Shown { text: "AC-3".into(), version: 1, language: "fr-FR".into() },
        by: Speaker::Patient,
        signature: None,
        at: now(),
    };
    Consent { id: Uuid::from_u128(5), said }
}
