//! One server, one warm pool of connections. Each call is bounded in time by phase and in size while it streams.

use crate::link::error::Error;
use crate::link::error::classify;
use crate::link::headers;
use crate::link::tls;
use crate::secret::SecretBytes;
use crate::time::UnixSeconds;
use reqwest::header::ACCEPT;
use reqwest::header::AUTHORIZATION;
use reqwest::header::CONTENT_TYPE;
use reqwest::header::HeaderMap;
use reqwest::header::HeaderName;
use reqwest::header::HeaderValue;
use rustls::ClientConfig;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
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
    /// TCP and TLS.
    pub connect: Duration,
    /// The longest silence, before the answer and inside it.
    pub silence: Duration,
}

/// Cheap to clone; clones share connections and the server's time.
#[derive(Clone)]
pub struct Client {
    /// Its connections, until they are hung up on.
    pool: Arc<Mutex<reqwest::Client>>,
    config: ClientConfig,
    timeouts: Timeouts,
    thumbprint: [u8; 32],
    /// The newest `Date`, and when it was heard.
    heard: Arc<Mutex<Option<(UnixSeconds, Instant)>>>,
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
    pub body: Option<(&'static str, Vec<u8>)>,
    /// How much of an answer is taken, after decompression.
    pub limit_bytes: u64,
}

/// What came back, whole and below its limit.
pub struct Answer {
    pub status: u16,
    /// Without parameters, in lower case; empty when the server did not say.
    pub content_type: String,
    /// `Retry-After` in seconds (RFC 9110 §10.2.3); a date is counted from the server's own `Date`.
    pub retry_after_s: Option<u64>,
    pub body: Vec<u8>,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts { connect: Duration::from_secs(20), silence: Duration::from_secs(30) }
    }
}

impl Client {
    /// Nothing is sent yet: a server that is down is found by the first call.
    pub fn new(options: Options) -> Result<Client, Error> {
        let (config, thumbprint) = tls::configure(&options.ca_pem, &options.certificate_pem, &options.key_pem)?;
        let timeouts = options.timeouts;
        let pool = Arc::new(Mutex::new(connect_nothing_yet(&config, timeouts)?));
        Ok(Client { pool, config, timeouts, thumbprint, heard: Arc::default() })
    }

    /// Closes every connection that rests, and those that are in use as soon as they are not: their buffers keep what was
    /// last asked and answered for as long as they stay open. The next call connects anew, by a short handshake.
    pub fn hang_up(&self) -> Result<(), Error> {
        let fresh = connect_nothing_yet(&self.config, self.timeouts)?;
        *self.pool.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// SHA-256 of the device's certificate: a holder's token is bound to it (RFC 8705 §3.1).
    pub fn device_thumbprint(&self) -> [u8; 32] {
        self.thumbprint
    }

    /// The time by the server's newest `Date`, carried on since it was heard: whoever asks later must not take an old
    /// word for the present.
    pub fn server_time(&self) -> Option<UnixSeconds> {
        let heard = *self.heard.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let (date, at) = heard?;
        Some(date.plus(i64::try_from(at.elapsed().as_secs()).unwrap_or(i64::MAX)))
    }

    /// Asks, and takes the whole answer as long as it stays below the limit.
    pub async fn send(&self, request: Request<'_>) -> Result<Answer, Error> {
        let limit_bytes = request.limit_bytes;
        let mut response = self.build(request)?.send().await.map_err(classify)?;
        let date = headers::text(response.headers(), "date").and_then(headers::date);
        if let Some(at) = date {
            *self.heard.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some((at, Instant::now()));
        }
        let mut answer = Answer {
            status: response.status().as_u16(),
            content_type: headers::media_type(headers::text(response.headers(), "content-type").unwrap_or_default()),
            retry_after_s: headers::text(response.headers(), "retry-after")
                .and_then(|text| headers::retry_after_s(text, date)),
            body: Vec::new(),
        };
        // Said beforehand: not one byte is taken. Unsaid or wrong: the count below stops it.
        if response.content_length().is_some_and(|length| length > limit_bytes) {
            return Err(Error::TooLarge { limit_bytes });
        }
        answer.body.reserve_exact(response.content_length().unwrap_or(0) as usize);
        while let Some(chunk) = response.chunk().await.map_err(classify)? {
            if answer.body.len() as u64 + chunk.len() as u64 > limit_bytes {
                return Err(Error::TooLarge { limit_bytes });
            }
            answer.body.extend_from_slice(&chunk);
        }
        Ok(answer)
    }

    fn build(&self, request: Request<'_>) -> Result<reqwest::RequestBuilder, Error> {
        let url = reqwest::Url::parse(&request.url).map_err(|_| Error::Address)?;
        if url.scheme() != "https" {
            return Err(Error::Address);
        }
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
        };
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::try_from(&request.accept).map_err(|_| Error::Address)?);
        for (name, value) in &request.headers {
            headers.insert(HeaderName::from_static(name), HeaderValue::try_from(value).map_err(|_| Error::Address)?);
        }
        if let Some(token) = request.bearer {
            let line = [b"Bearer ", token.show_bytes()].concat();
            let mut value = HeaderValue::try_from(line).map_err(|_| Error::Address)?;
            // Kept out of Debug and of HPACK's table.
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut builder = pool.request(method, url);
        if let Some((kind, body)) = request.body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            builder = builder.body(body);
        }
        Ok(builder.headers(headers))
    }
}

fn connect_nothing_yet(config: &ClientConfig, timeouts: Timeouts) -> Result<reqwest::Client, Error> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(config.clone())
        .https_only(true)
        .no_proxy()
        // A redirect would take the holder's token elsewhere.
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .user_agent(concat!("chevet/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(timeouts.connect)
        .read_timeout(timeouts.silence)
        .build()
        .map_err(|source| Error::Build { source })
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
