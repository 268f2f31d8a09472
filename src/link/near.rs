//! HTTP to a device that stands in the same room: the printer. Over TLS to the one whose certificate the settings name, or
//! plainly where the settings allow it.
//!
//! Only POST, to one address; bounded in size and in silence. The connection lives in the question's own future: dropped, it is
//! closed in the middle of a byte, and what was not wholly sent is no job. (A pool's connection would go on sending.)

use crate::link::Timeouts;
use crate::link::connect::Connector;
use crate::link::connect::SEND_BUFFER_BYTES;
use crate::link::error::Error;
use crate::link::error::broken_off;
use crate::link::error::unanswered;
use crate::link::tls;
use crate::link::traffic::Traffic;
use crate::link::upload::Upload;
use http_body_util::BodyExt;
use hyper::Request;
use hyper::Uri;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::client::legacy::connect::HttpConnector;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;
use tower_service::Service;

/// Where it is. No connection outlives its question.
#[derive(Clone)]
pub struct Near {
    /// `None`: in clear.
    encrypted: Option<Connector>,
    uri: Uri,
    host: String,
    timeouts: Timeouts,
}

impl Near {
    /// `http:`, or `https:` with the PEM of the device's own certificate or of whoever issued it. A port must be named.
    pub fn new(url: &str, certificate_pem: Option<&[u8]>, timeouts: Timeouts) -> Result<Near, Error> {
        let uri: Uri = url.parse().map_err(|_| Error::Address)?;
        let authority = uri.authority().ok_or(Error::Address)?;
        let host = authority.as_str().to_owned();
        authority.port().ok_or(Error::Address)?;
        let encrypted = match (uri.scheme_str(), certificate_pem) {
            (Some("http"), None) => None,
            // What goes to the next room costs nobody's budget.
            (Some("https"), Some(pem)) => {
                Some(Connector::new(Arc::new(tls::of_known_device(pem)?), timeouts, Traffic::default()))
            }
            _ => return Err(Error::Address),
        };
        Ok(Near { encrypted, uri, host, timeouts })
    }

    /// The whole body of a 200, below the limit. [`Error::Unreachable`]: not one byte of it has left.
    pub async fn post(&self, kind: &str, body: Vec<u8>, limit_bytes: usize) -> Result<Vec<u8>, Error> {
        let Some(mut connector) = self.encrypted.clone() else {
            let mut connector = HttpConnector::new();
            connector.set_nodelay(true);
            connector.set_send_buffer_size(Some(SEND_BUFFER_BYTES));
            connector.set_connect_timeout(Some(self.timeouts.connect));
            let line = connector.call(self.uri.clone()).await;
            let line = line.map_err(|source| Error::Unreachable { source: source.into() })?;
            return self.ask(line, kind, body, limit_bytes).await;
        };
        let line = connector.call(self.uri.clone()).await.map_err(|error| match unanswered(error.into()) {
            Error::TimedOut => Error::Unreachable { source: "the handshake took too long".into() },
            other => other,
        })?;
        self.ask(line, kind, body, limit_bytes).await
    }

    async fn ask(
        &self,
        line: impl hyper::rt::Read + hyper::rt::Write + Unpin,
        kind: &str,
        body: Vec<u8>,
        limit_bytes: usize,
    ) -> Result<Vec<u8>, Error> {
        let (mut sender, connection) = http1::handshake(line).await.map_err(|error| unanswered(error.into()))?;
        let (upload, moved) = Upload::new(Bytes::from(body));
        let question = Request::post(self.uri.path())
            .header("host", &self.host)
            .header("content-type", kind)
            .header("user-agent", concat!("chevet/", env!("CARGO_PKG_VERSION")))
            .body(upload)
            .map_err(|_| Error::Address)?;
        let answering = async {
            let mut asking = std::pin::pin!(sender.send_request(question));
            // A printer takes no more bytes while it prints: only silence is a fault.
            let mut response = loop {
                let until = moved.last() + self.timeouts.silence;
                tokio::select! {
                    answer = &mut asking => break answer.map_err(|error| broken_off(error.into()))?,
                    () = tokio::time::sleep_until(until.into()) => {
                        if Instant::now() >= moved.last() + self.timeouts.silence {
                            return Err(Error::TimedOut);
                        }
                    }
                }
            };
            let status = response.status().as_u16();
            if status != 200 {
                return Err(Error::Status { status });
            }
            whole(&mut response, self.timeouts.silence, limit_bytes).await
        };
        let (mut answering, mut connection) = (std::pin::pin!(answering), std::pin::pin!(connection));
        let mut is_open = true;
        loop {
            tokio::select! {
                answer = &mut answering => return answer,
                // Its end is told by what was asked over it.
                _ = &mut connection, if is_open => is_open = false,
            }
        }
    }
}

async fn whole(
    response: &mut hyper::Response<hyper::body::Incoming>,
    silence: Duration,
    limit_bytes: usize,
) -> Result<Vec<u8>, Error> {
    let mut whole = Vec::new();
    loop {
        let frame = tokio::time::timeout(silence, response.frame()).await;
        let Some(frame) = frame.map_err(|_| Error::TimedOut)? else { return Ok(whole) };
        let frame = frame.map_err(|error| broken_off(error.into()))?;
        let Ok(chunk) = frame.into_data() else { continue };
        if whole.len() + chunk.len() > limit_bytes {
            return Err(Error::TooLarge { limit_bytes: limit_bytes as u64 });
        }
        whole.extend_from_slice(&chunk);
    }
}
