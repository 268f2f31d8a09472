//! Sockets, TLS and the thread, as the sandbox's DMP has them.

use crate::sandbox::dmp::server::listen;
use crate::sandbox::dmp::server::tls;
use crate::sandbox::psc::Error;
use crate::sandbox::psc::Fault;
use crate::sandbox::psc::Options;
use crate::sandbox::psc::Running;
use crate::sandbox::psc::Shared;
use crate::sandbox::psc::State;
use crate::sandbox::psc::answers;
use crate::sandbox::psc::draw;
use http_body_util::BodyExt;
use http_body_util::Full;
use http_body_util::Limited;
use hyper::Request;
use hyper::Response;
use hyper::body::Bytes;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::Mutex;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

pub(super) fn start(options: Options) -> Result<Running, Error> {
    let acceptor = tls(&options.pki, &options.pki.server(), &[b"http/1.1"]).map_err(|source| Error::Tls { source })?;
    let (listener, port) = listen(options.port).map_err(|error| match error {
        crate::sandbox::dmp::Error::Listen { port, source } => Error::Listen { port, source },
        source => Error::Tls { source },
    })?;
    let issuer = format!("https://127.0.0.1:{port}/realm");
    let shared = Arc::new(Shared {
        issuer: issuer.clone(),
        key: draw()?,
        other_key: draw()?,
        approves_after: options.approves_after,
        interval_s: options.interval_s,
        request_s: options.request_s,
        access_s: options.access_s,
        state: Mutex::new(State::default()),
    });
    let (stop, stopped) = oneshot::channel();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::Thread { source })?;
    let served = shared.clone();
    let handle = std::thread::Builder::new()
        .name("sandbox-psc".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = serve(listener, served, acceptor) => {}
                    _ = stopped => {}
                }
            });
        })
        .map_err(|source| Error::Thread { source })?;
    Ok(Running { issuer, port, shared, stop: Some((stop, handle)) })
}

async fn serve(listener: std::net::TcpListener, shared: Arc<Shared>, acceptor: TlsAcceptor) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        tokio::spawn(connection(stream, acceptor.clone(), shared.clone()));
    }
}

async fn connection(stream: TcpStream, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let service = service_fn(move |request| {
        let shared = shared.clone();
        async move { Ok::<_, Infallible>(respond(&shared, request).await) }
    });
    // A client that goes away is no news.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn respond(shared: &Shared, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, 64 * 1024).collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let bearer = head.headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or("");
    let path = head.uri.path();
    let fault = shared.state().fault;
    let (status, answer) = match fault {
        Some(Fault::Down) => (503, serde_json::Value::Null),
        _ => answers::answer(shared, head.method.as_str(), path, bearer, &body),
    };
    if let (Some(Fault::SlowPolls(wait)), true) = (fault, path.ends_with("/token")) {
        tokio::time::sleep(wait).await;
    }
    let response = Response::builder().status(status).header("content-type", "application/json");
    response.body(Full::new(Bytes::from(answer.to_string()))).unwrap_or_default()
}
