//! Bodies go out compressed (RFC 9110 §8.4.1.3) where the server takes it; one that does not says so once, and gets them plain
//! from then on.

use crate::link;
use crate::link::Answer;
use crate::link::Client;
use crate::link::Request;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

/// What one server is known to refuse. Lost with the process: it is found out again.
#[derive(Default)]
pub(super) struct Known {
    takes_no_gzip: AtomicBool,
}

/// A question, made anew for each try: from its body and the headers that go with it.
pub(super) type Headers = Vec<(&'static str, String)>;

/// Sends it compressed, and once more as it is when the server does not understand that: 415, or 400 from those that
/// do not look at the header.
pub(super) async fn send<'a>(
    client: &Client,
    known: &Known,
    body: Vec<u8>,
    request: impl Fn(Vec<u8>, Headers) -> Request<'a>,
) -> Result<Answer, link::Error> {
    let squeezed = match known.takes_no_gzip.load(Ordering::Relaxed) || body.len() < WORTH_IT_BYTES {
        true => None,
        false => gzip(&body),
    };
    let Some(squeezed) = squeezed else { return client.send(request(body, Headers::new())).await };
    let answer = client.send(request(squeezed, vec![("content-encoding", "gzip".to_owned())])).await?;
    if !matches!(answer.status, 400 | 415) {
        return Ok(answer);
    }
    let again = client.send(request(body, Headers::new())).await?;
    // What is refused either way was refused for its content.
    if answer.status == 415 || again.status != answer.status {
        known.takes_no_gzip.store(true, Ordering::Relaxed);
    }
    Ok(again)
}

/// `None`: it could not be, and goes as it is.
fn gzip(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::default());
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}

/// Below it the packet is the same.
const WORTH_IT_BYTES: usize = 1_024;
