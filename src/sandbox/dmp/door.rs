//! The door for cards: TLS 1.2 alone, a card's certificate in the handshake, SOAP behind it (`xds`).

use crate::sandbox::dmp::Error;
use crate::sandbox::dmp::faults::Fault;
use crate::sandbox::dmp::outcome::Refusal;
use crate::sandbox::dmp::routes::Answer;
use crate::sandbox::dmp::server;
use crate::sandbox::dmp::server::BODY_BYTES_MAX;
use crate::sandbox::dmp::server::Sent;
use crate::sandbox::dmp::server::Shared;
use crate::sandbox::dmp::token;
use crate::sandbox::dmp::xds;
use crate::sandbox::dmp::xds::Asked;
use crate::sandbox::pki::PemPair;
use crate::sandbox::pki::Pki;
use http_body_util::BodyExt;
use http_body_util::Limited;
use hyper::Request;
use hyper::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use rustls::HandshakeKind;
use rustls::ServerConfig;
use rustls::pki_types::CertificateRevocationListDer;
use rustls::server::WebPkiClientVerifier;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

/// Nobody without a card of these authorities that is not revoked. It would resume a session: a client must not want to.
pub fn tls(pki: &Pki, pair: &PemPair) -> Result<TlsAcceptor, Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let anchors = pki.anchors();
    let roots = server::roots(&anchors)?;
    let folder = pki.revocation_lists();
    let read = |source| Error::Read { path: folder.clone(), source };
    let mut lists = Vec::new();
    for one in std::fs::read_dir(&folder).map_err(read)? {
        let path = one.map_err(read)?.path();
        // A delta is no list of its own.
        let is_whole = path.file_stem().is_some_and(|name| !name.to_string_lossy().ends_with("-delta"));
        if is_whole && path.extension().is_some_and(|extension| extension == "crl") {
            lists.push(CertificateRevocationListDer::from(std::fs::read(&path).map_err(read)?));
        }
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .with_crls(lists)
        .only_check_end_entity_revocation()
        .build()
        .map_err(|_| Error::Certificate { path: anchors })?;
    let (chain, key) = server::identity(pair)?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS12])
        .map_err(|source| Error::Tls { source })?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(|source| Error::Tls { source })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

pub async fn serve(listener: std::net::TcpListener, shared: Arc<Shared>, acceptor: TlsAcceptor) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        if shared.faults.now() != Some(Fault::Deaf) {
            tokio::spawn(connection(stream, acceptor.clone(), shared.clone()));
        }
    }
}

async fn connection(stream: TcpStream, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    let stream = match acceptor.accept(stream).into_fallible().await {
        Ok(stream) => stream,
        Err((_, stream)) => return linger(stream).await,
    };
    let session = stream.get_ref().1;
    let card = session.peer_certificates().and_then(|chain| token::of_card(chain.first()?));
    let Some(card) = card.map(Arc::new) else { return };
    shared.connections.fetch_add(1, Ordering::SeqCst);
    if session.handshake_kind() == Some(HandshakeKind::Resumed) {
        shared.resumed.fetch_add(1, Ordering::SeqCst);
    }
    let service = service_fn(move |request| {
        let (shared, card) = (shared.clone(), card.clone());
        async move { Ok::<_, Infallible>(respond(&shared, &card, request).await) }
    });
    // A client that goes away is no news.
    let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
}

/// A refused client is still speaking: closed at once, it would hear of a broken line and not why (RFC 9112 §9.6).
async fn linger(mut stream: TcpStream) {
    let heard = async {
        let _ = stream.shutdown().await;
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    };
    let _ = tokio::time::timeout(LINGER, heard).await;
}

const LINGER: Duration = Duration::from_secs(2);

async fn respond(shared: &Shared, card: &(String, String), request: Request<Incoming>) -> Response<Sent> {
    let fault = shared.faults.now();
    match fault {
        Some(Fault::Deaf) => return server::send(Answer::refused(Refusal::Failed(503)), None),
        Some(Fault::Slow(wait)) => tokio::time::sleep(wait).await,
        Some(Fault::Status { status, .. }) => return server::send(Answer::refused(Refusal::Failed(status)), None),
        _ => {}
    }
    let (head, body) = request.into_parts();
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await.ok().map(|body| body.to_bytes());
    let Some(body) = body else { return server::send(Answer::refused(Refusal::TooLarge), None) };
    if let Some(kept) = shared.delivered().as_mut() {
        kept.push(body.to_vec());
    }
    let content_type = head.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("");
    let asked = Asked { card: (&card.0, &card.1), path: head.uri.path(), content_type, body: &body };
    server::send(xds::answer(shared, &asked), fault)
}
