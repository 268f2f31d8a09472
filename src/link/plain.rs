//! HTTP without TLS, for what carries its own signature: revocation lists, whose addresses are `http:` because a list that
//! needed a certificate to be fetched would need a list first. Whoever listens learns that a kiosk stands here; whoever
//! changes a byte is found out by the signature.
//!
//! Only GET, no redirect, no proxy, no cookie, nothing of a holder; bounded in size while it streams, in silence and as a whole.

use crate::link::error::Error;
use crate::link::error::broken_off;
use crate::link::error::unanswered;
use http_body_util::BodyExt;
use http_body_util::Empty;
use hyper::Request;
use hyper::body::Body;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::time::Duration;
use url::Url;

/// Fetches; keeps no connection for long, because it is used once in hours.
#[derive(Clone)]
pub struct Plain {
    inner: Client<HttpConnector, Empty<Bytes>>,
    bounds: Bounds,
}

/// What bounds a fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    pub connect: Duration,
    /// The longest silence, before the answer and inside it.
    pub silence: Duration,
    /// From the first byte sent to the last one received: a trickle never ends by silence.
    pub whole: Duration,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            connect: Duration::from_secs(20),
            silence: Duration::from_secs(30),
            whole: Duration::from_secs(10 * 60),
        }
    }
}

impl Plain {
    pub fn new(bounds: Bounds) -> Plain {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(bounds.connect));
        let inner = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Plain { inner, bounds }
    }

    /// The whole body of a 200, below the limit.
    pub async fn get(&self, url: &str, limit_bytes: u64) -> Result<Vec<u8>, Error> {
        let url = address(url)?;
        let fetched = tokio::time::timeout(self.bounds.whole, self.fetch(url, limit_bytes)).await;
        fetched.unwrap_or(Err(Error::TimedOut))
    }

    async fn fetch(&self, url: Url, limit_bytes: u64) -> Result<Vec<u8>, Error> {
        let question = Request::get(url.as_str())
            .header("accept", "*/*")
            .header("user-agent", concat!("chevet/", env!("CARGO_PKG_VERSION")))
            .body(Empty::new())
            .map_err(|_| Error::Address)?;
        let silence = self.bounds.silence;
        let answer = tokio::time::timeout(silence, self.inner.request(question)).await;
        let mut response = answer.map_err(|_| Error::TimedOut)?.map_err(|error| unanswered(error.into()))?;
        let status = response.status().as_u16();
        if status != 200 {
            return Err(Error::Status { status });
        }
        // Said beforehand: not one byte is taken. Unsaid or wrong: the count below stops it.
        if response.body().size_hint().exact().is_some_and(|length| length > limit_bytes) {
            return Err(Error::TooLarge { limit_bytes });
        }
        let mut body = Vec::new();
        loop {
            let frame = tokio::time::timeout(silence, response.frame()).await;
            let Some(frame) = frame.map_err(|_| Error::TimedOut)? else { return Ok(body) };
            let frame = frame.map_err(|error| broken_off(error.into()))?;
            let Ok(chunk) = frame.into_data() else { continue };
            if body.len() as u64 + chunk.len() as u64 > limit_bytes {
                return Err(Error::TooLarge { limit_bytes });
            }
            body.extend_from_slice(&chunk);
        }
    }
}

/// An address that tells nothing about who asks: `http:`, no user, no password, no query.
fn address(url: &str) -> Result<Url, Error> {
    let parsed = Url::parse(url).map_err(|_| Error::Address)?;
    let silent = parsed.username().is_empty() && parsed.password().is_none() && parsed.query().is_none();
    if parsed.scheme() == "http" && parsed.has_host() && silent { Ok(parsed) } else { Err(Error::Address) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_address_is_asked() {
        assert!(address("http://igc.example/CRL/ACI-FO-PP.crl").is_ok());
        for wrong in [
            "https://igc.example/a.crl",
            "ldap://igc.example/cn=a",
            "file:///etc/passwd",
            "http://me@igc.example/a.crl",
            "http://igc.example/a.crl?who=me",
            "a.crl",
        ] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }
}
