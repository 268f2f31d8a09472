//! HTTP without TLS, for what carries its own signature: revocation lists, whose addresses are `http:` because a list that
//! needed a certificate to be fetched would need a list first. Whoever listens learns that a kiosk stands here; whoever
//! changes a byte is found out by the signature.
//!
//! Only GET, no redirect, no proxy, no cookie, nothing of a holder; bounded in size while it streams, in silence and as a whole.

use crate::link::error::Error;
use crate::link::error::classify;
use reqwest::Url;
use rustls::RootCertStore;
use std::sync::Arc;
use std::time::Duration;

/// Fetches; keeps no connection for long, because it is used once in hours.
#[derive(Clone)]
pub struct Plain {
    inner: reqwest::Client,
    whole_max: Duration,
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
    pub fn new(bounds: Bounds) -> Result<Plain, Error> {
        // Believes no server: an https address that slipped through ends in the handshake.
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|source| Error::DeviceKey { source })?
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        let inner = reqwest::Client::builder()
            .tls_backend_preconfigured(config)
            .no_proxy()
            .no_gzip()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .user_agent(concat!("chevet/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(bounds.connect)
            .read_timeout(bounds.silence)
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|source| Error::Build { source })?;
        Ok(Plain { inner, whole_max: bounds.whole })
    }

    /// The whole body of a 200, below the limit.
    pub async fn get(&self, url: &str, limit_bytes: u64) -> Result<Vec<u8>, Error> {
        let url = address(url)?;
        let fetched = tokio::time::timeout(self.whole_max, self.fetch(url, limit_bytes)).await;
        fetched.unwrap_or(Err(Error::TimedOut))
    }

    async fn fetch(&self, url: Url, limit_bytes: u64) -> Result<Vec<u8>, Error> {
        let mut response = self.inner.get(url).send().await.map_err(classify)?;
        let status = response.status().as_u16();
        if status != 200 {
            return Err(Error::Status { status });
        }
        // Said beforehand: not one byte is taken. Unsaid or wrong: the count below stops it.
        if response.content_length().is_some_and(|length| length > limit_bytes) {
            return Err(Error::TooLarge { limit_bytes });
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(classify)? {
            if body.len() as u64 + chunk.len() as u64 > limit_bytes {
                return Err(Error::TooLarge { limit_bytes });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
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
