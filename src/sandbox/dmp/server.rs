//! Sockets, TLS and the thread. One single-threaded runtime: nothing is spawned that does not end with it.

use crate::sandbox::dmp::Error;
use crate::sandbox::dmp::Options;
use crate::sandbox::dmp::Running;
use crate::sandbox::dmp::content;
use crate::sandbox::dmp::content::Wants;
use crate::sandbox::dmp::door;
use crate::sandbox::dmp::faults::Fault;
use crate::sandbox::dmp::faults::Faults;
use crate::sandbox::dmp::outcome::Refusal;
use crate::sandbox::dmp::routes;
use crate::sandbox::dmp::routes::Answer;
use crate::sandbox::dmp::routes::Body;
use crate::sandbox::dmp::routes::Question;
use crate::sandbox::dmp::state::State;
use crate::sandbox::dmp::token::Verifier;
use crate::sandbox::dmp::token::sha256;
use crate::sandbox::dmp::web;
use crate::sandbox::dmp::xds;
use crate::sandbox::dmp::xds::Heard;
use crate::sandbox::people::People;
use crate::sandbox::pki::PemPair;
use crate::sandbox::pki::Pki;
use crate::time::UnixSeconds;
use http_body_util::BodyExt;
use http_body_util::Limited;
use hyper::Request;
use hyper::Response;
use hyper::body::Bytes;
use hyper::body::Frame;
use hyper::body::Incoming;
use hyper::body::SizeHint;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use rustls::HandshakeKind;
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::WebPkiClientVerifier;
use std::convert::Infallible;
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

/// What every connection sees.
pub struct Shared {
    pub people: People,
    pub faults: Faults,
    pub verifier: Verifier,
    pub heard: Heard,
    pub base_url: String,
    state: Mutex<State>,
    snapshot: Option<PathBuf>,
    /// TLS connections so far, and how many of them by a short handshake.
    pub connections: AtomicU32,
    pub resumed: AtomicU32,
    /// Assertions that were signed, and right.
    pub signed: AtomicU32,
    /// Bodies of what was delivered, unpacked, where somebody wants to look at them.
    delivered: Mutex<Option<Vec<Vec<u8>>>>,
}

/// The server's thread, and the way to end it.
pub struct Thread {
    stop: oneshot::Sender<()>,
    handle: std::thread::JoinHandle<()>,
}

pub fn start(options: Options, address: Ipv4Addr) -> Result<Running, Error> {
    let right = tls(&options.pki, &options.pki.server(), &[b"h2", b"http/1.1"])?;
    let wrong = tls(&options.pki, &options.pki.wrong_server(), &[b"h2", b"http/1.1"])?;
    let state = State::load(options.snapshot.as_deref())?;
    let cards = door::tls(&options.pki, &options.pki.server())?;
    let (listener, port) = listen_at(address, options.port)?;
    let (card_listener, card_port) = listen_at(address, options.card_port)?;
    let (web_listener, web_port) = listen(options.web_port)?;
    let base_url = format!("https://{address}:{port}/fhir");
    let shared = Arc::new(Shared {
        people: options.people,
        faults: Faults::default(),
        verifier: Verifier::open(&options.pki)?,
        heard: Heard::default(),
        base_url: base_url.clone(),
        state: Mutex::new(state),
        snapshot: options.snapshot,
        connections: AtomicU32::new(0),
        resumed: AtomicU32::new(0),
        signed: AtomicU32::new(0),
        delivered: Mutex::default(),
    });
    let (stop, stopped) = oneshot::channel();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::Thread { source })?;
    let served = shared.clone();
    let handle = std::thread::Builder::new()
        .name("sandbox-dmp".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = serve_fhir(listener, served.clone(), right, wrong) => {}
                    () = door::serve(card_listener, served.clone(), cards) => {}
                    () = serve_web(web_listener, served.clone()) => {}
                    _ = stopped => {}
                }
            });
            // Open connections end with the runtime.
            drop(runtime);
        })
        .map_err(|source| Error::Thread { source })?;
    Ok(Running {
        base_url,
        web_url: format!("http://127.0.0.1:{web_port}/"),
        services_url: format!("https://{address}:{card_port}{}", xds::BASE),
        port,
        card_port,
        web_port,
        shared,
        thread: Some(Thread { stop, handle }),
    })
}

impl Thread {
    pub fn end(self) {
        let _ = self.stop.send(());
        let _ = self.handle.join();
    }
}

impl Shared {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn delivered(&self) -> MutexGuard<'_, Option<Vec<Vec<u8>>>> {
        self.delivered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn now(&self) -> UnixSeconds {
        UnixSeconds(super::now_s())
    }

    /// After each change. A sandbox whose disk is full goes on in memory, and says so.
    pub fn save(&self) {
        if let Some(path) = &self.snapshot
            && let Err(error) = self.state().save(path)
        {
            tracing::warn!(layer = "sandbox", error = %error.kind(), "the snapshot was not written");
        }
    }
}

/// Loopback only.
pub(in crate::sandbox) fn listen(port: u16) -> Result<(std::net::TcpListener, u16), Error> {
    listen_at(Ipv4Addr::LOCALHOST, port)
}

fn listen_at(address: Ipv4Addr, port: u16) -> Result<(std::net::TcpListener, u16), Error> {
    let failed = |source| Error::Listen { port, source };
    let listener = std::net::TcpListener::bind((address, port)).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?.port();
    Ok((listener, bound))
}

/// TLS with our certificate, and nobody without one from the sandbox's own authority.
pub(in crate::sandbox) fn tls(pki: &Pki, pair: &PemPair, protocols: &[&[u8]]) -> Result<TlsAcceptor, Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let authority = pki.tls_authority();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(&authority)?), provider.clone())
        .build()
        .map_err(|_| Error::Certificate { path: authority })?;
    let (chain, key) = identity(pair)?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|source| Error::Tls { source })?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(|source| Error::Tls { source })?;
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    Ok(TlsAcceptor::from(Arc::new(config)))
}

pub(super) fn roots(path: &Path) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|source| Error::Tls { source })?;
    }
    Ok(roots)
}

/// A server's chain and key.
pub(super) fn identity(pair: &PemPair) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Error> {
    let key =
        PrivateKeyDer::from_pem_slice(&read(&pair.key)?).map_err(|_| Error::Certificate { path: pair.key.clone() })?;
    Ok((certificates(&pair.certificate)?, key))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let pem = read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    found.map_err(|_| Error::Certificate { path: path.to_path_buf() })
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::Read { path: path.to_path_buf(), source })
}

async fn serve_fhir(listener: std::net::TcpListener, shared: Arc<Shared>, right: TlsAcceptor, wrong: TlsAcceptor) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        // As servers have it: the end of an answer does not wait until its beginning was acknowledged.
        let _as_it_was = stream.set_nodelay(true);
        let acceptor = match shared.faults.now() {
            Some(Fault::Deaf) => continue,
            Some(Fault::WrongCertificate) => wrong.clone(),
            _ => right.clone(),
        };
        tokio::spawn(fhir_connection(stream, acceptor, shared.clone()));
    }
}

async fn fhir_connection(stream: TcpStream, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    let Ok(stream) = acceptor.accept(stream).await else { return };
    // The handshake demanded it; the token is bound to its hash (RFC 8705 §3.1).
    let Some(device) = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first()) else { return };
    let device = sha256(device);
    shared.connections.fetch_add(1, Ordering::SeqCst);
    if stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed) {
        shared.resumed.fetch_add(1, Ordering::SeqCst);
    }
    let service = service_fn(move |request| {
        let shared = shared.clone();
        async move { Ok::<_, Infallible>(respond(&shared, device, request).await) }
    });
    // A client that goes away is no news.
    let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
}

async fn respond(shared: &Shared, device: [u8; 32], request: Request<Incoming>) -> Response<Sent> {
    let fault = shared.faults.now();
    match fault {
        Some(Fault::Deaf) => return send(Answer::refused(Refusal::Failed(503)), None),
        Some(Fault::Slow(wait)) => tokio::time::sleep(wait).await,
        Some(Fault::Status { status, retry_after_s }) => {
            let mut answer = Answer::refused(Refusal::Failed(status));
            if let Some(seconds) = retry_after_s {
                answer.headers.push(("retry-after", seconds.to_string()));
            }
            return send(answer, None);
        }
        Some(Fault::MalformedJson) => {
            let mut answer = Answer::json(200, &serde_json::Value::Null);
            answer.body = Body::Bytes(b"{\"resourceType\": \"Bundle\", \"ent".to_vec());
            return send(answer, None);
        }
        _ => {}
    }
    let (head, body) = request.into_parts();
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await.ok().map(|body| body.to_bytes().to_vec());
    let body = match header("content-encoding").as_deref() {
        None | Some("identity") => body,
        Some("gzip") if fault != Some(Fault::NoGzip) => body.and_then(|body| content::unpacked(&body, BODY_BYTES_MAX)),
        Some(_) => return send(Answer::refused(Refusal::OtherEncoding), None),
    };
    if let (Some(kept), Some(body)) = (&mut *shared.delivered(), &body)
        && !body.is_empty()
    {
        kept.push(body.clone());
    }
    let answer = match body {
        Some(body) => routes::answer(
            shared,
            Question {
                method: head.method.as_str().to_owned(),
                path: head.uri.path().to_owned(),
                query: head.uri.query().unwrap_or("").to_owned(),
                authorization: header("authorization"),
                purpose: header("chevet-purpose-of-use"),
                if_none_exist: header("if-none-exist"),
                device,
                body,
            },
        ),
        None => Answer::refused(Refusal::TooLarge),
    };
    send(content::as_wanted(answer, &Wants::of(&head.headers)), fault)
}

async fn serve_web(listener: std::net::TcpListener, shared: Arc<Shared>) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let shared = shared.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let answer = web::answer(&shared, request.method().as_str(), request.uri().path());
                async move { Ok::<_, Infallible>(send(answer, None)) }
            });
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

pub(super) fn send(answer: Answer, fault: Option<Fault>) -> Response<Sent> {
    let mut response = Response::builder().status(answer.status).header("content-type", answer.content_type);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    let body = match answer.body {
        Body::Bytes(bytes) if fault == Some(Fault::Truncated) => {
            response = response.header("content-length", bytes.len());
            Sent::Cut(Some(Bytes::from(bytes[..bytes.len() / 2].to_vec())))
        }
        Body::Bytes(mut bytes) if matches!(fault, Some(Fault::CutAfter(most)) if bytes.len() > most) => {
            response = response.header("content-length", bytes.len());
            if let Some(Fault::CutAfter(most)) = fault {
                bytes.truncate(most);
            }
            Sent::Cut(Some(Bytes::from(bytes)))
        }
        Body::Bytes(bytes) => Sent::Whole(Some(Bytes::from(bytes))),
        Body::Zeros(count) => Sent::Zeros(count),
    };
    response.body(body).expect("statuses and headers are written in this room")
}

/// A body on its way out.
pub(super) enum Sent {
    Whole(Option<Bytes>),
    Zeros(u64),
    /// Then the connection breaks.
    Cut(Option<Bytes>),
}

#[derive(Debug, thiserror::Error)]
#[error("cut on purpose")]
pub(super) struct CutOnPurpose;

impl hyper::body::Body for Sent {
    type Data = Bytes;
    type Error = CutOnPurpose;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutOnPurpose>>> {
        static ZEROS: [u8; 65_536] = [0; 65_536];
        let next = match &mut *self {
            Sent::Whole(bytes) => bytes.take().map(|bytes| Ok(Frame::data(bytes))),
            Sent::Zeros(0) => None,
            Sent::Zeros(left) => {
                let count = (*left).min(ZEROS.len() as u64);
                *left -= count;
                Some(Ok(Frame::data(Bytes::from_static(&ZEROS[..count as usize]))))
            }
            Sent::Cut(Some(bytes)) if bytes.is_empty() => {
                // Once more round the loop, so that what came before it is flushed.
                *self = Sent::Cut(None);
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            Sent::Cut(Some(bytes)) => Some(Ok(Frame::data(std::mem::take(bytes)))),
            Sent::Cut(None) => Some(Err(CutOnPurpose)),
        };
        Poll::Ready(next)
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Sent::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Sent::Zeros(left) => SizeHint::with_exact(*left),
            Sent::Cut(_) => SizeHint::default(),
        }
    }
}

/// Above it: 413.
pub(super) const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;
