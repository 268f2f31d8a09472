//! From a name to an encrypted line, each phase with its own limit of time; and what passes over it is counted.
//!
//! The send buffer is kept small: on a thin line what is in it can neither be overtaken nor taken back, and a body that the
//! kernel has swallowed looks as if it had been sent.

use crate::link::Timeouts;
use crate::link::traffic::Traffic;
use hyper::Uri;
use hyper_util::client::legacy::connect::Connected;
use hyper_util::client::legacy::connect::Connection;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::error::Error as StdError;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::time::Duration;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower_service::Service;

/// Makes lines to whatever server is asked for, all believed by the same configuration.
#[derive(Clone)]
pub(super) struct Connector {
    tcp: HttpConnector,
    tls: TlsConnector,
    timeouts: Timeouts,
    traffic: Traffic,
}

/// Why there is no line.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("the {phase} took too long")]
    TooLong { phase: &'static str },
    #[error("nobody is there")]
    Tcp { source: Box<dyn StdError + Send + Sync> },
    #[error("the TLS handshake failed")]
    Tls { source: io::Error },
    #[error("this is no server's name")]
    Name,
}

/// An encrypted line.
pub(super) struct Line(TokioIo<TlsStream<Counted>>);

/// Counts what passes, TLS included, TCP's own not.
pub(super) struct Counted {
    inner: TcpStream,
    traffic: Traffic,
}

impl Connector {
    pub(super) fn new(config: Arc<ClientConfig>, timeouts: Timeouts, traffic: Traffic) -> Connector {
        let mut tcp = HttpConnector::new();
        // The scheme is checked where the request is made.
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(KEEP_ALIVE));
        tcp.set_send_buffer_size(Some(SEND_BUFFER_BYTES));
        Connector { tcp, tls: TlsConnector::from(config), timeouts, traffic }
    }
}

impl Service<Uri> for Connector {
    type Response = Line;
    type Error = Fault;
    type Future = Pin<Box<dyn Future<Output = Result<Line, Fault>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        self.tcp.poll_ready(context).map_err(|source| Fault::Tcp { source: source.into() })
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let name = to.host().map(|host| host.trim_start_matches('[').trim_end_matches(']').to_owned());
        let tcp = self.tcp.call(to);
        let Connector { tls, timeouts, traffic, .. } = self.clone();
        Box::pin(async move {
            let name = name.and_then(|name| ServerName::try_from(name).ok()).ok_or(Fault::Name)?;
            let connected = tokio::time::timeout(timeouts.connect, tcp).await;
            let connected = connected.map_err(|_| Fault::TooLong { phase: "connection" })?;
            let inner = connected.map_err(|source| Fault::Tcp { source: source.into() })?.into_inner();
            let shaking = aside(tls.connect(name, Counted { inner, traffic }));
            let shaken = tokio::time::timeout(timeouts.handshake, shaking).await;
            let shaken = shaken.map_err(|_| Fault::TooLong { phase: "handshake" })?;
            Ok(Line(TokioIo::new(shaken.map_err(|source| Fault::Tls { source })?)))
        })
    }
}

/// In a task of its own: a card signs inside a poll (`link/holder`), and whoever asked must hear of a lock meanwhile. Dropped, it is
/// polled no more; a signature that is under way ends on its thread, and nobody takes it.
async fn aside<T: Send + 'static>(shaking: impl Future<Output = io::Result<T>> + Send + 'static) -> io::Result<T> {
    let mut one = JoinSet::new();
    one.spawn(shaking);
    match one.join_next().await {
        Some(Ok(shaken)) => shaken,
        Some(Err(error)) => Err(io::Error::other(error)),
        None => Err(io::ErrorKind::Interrupted.into()),
    }
}

impl Connection for Line {
    fn connected(&self) -> Connected {
        let is_h2 = self.0.inner().get_ref().1.alpn_protocol() == Some(b"h2");
        if is_h2 { Connected::new().negotiated_h2() } else { Connected::new() }
    }
}

impl hyper::rt::Read for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl hyper::rt::Write for Line {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

impl AsyncRead for Counted {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(context, into);
        self.traffic.count(into.filled().len() - before);
        read
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        if let Poll::Ready(Ok(count)) = written {
            self.traffic.count(count);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

/// A router that forgets idle lines is noticed before somebody waits.
const KEEP_ALIVE: Duration = Duration::from_secs(45);
/// 1.7 Mbit/s at 600 ms, once the kernel has doubled it.
pub(super) const SEND_BUFFER_BYTES: usize = 64 * 1024;
