//! An answer as this client wants it: compressed, from where it stopped, or cut short on purpose.

use crate::sandbox::dmp::routes::Answer;
use crate::sandbox::dmp::routes::Body;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use hyper::header::HeaderMap;
use std::io::Read;
use std::io::Write;

/// What a question says of its answer's form.
pub struct Wants {
    gzip: bool,
    /// From this byte on, if the content is still this one.
    rest: Option<(u64, String)>,
}

impl Wants {
    pub fn of(headers: &HeaderMap) -> Wants {
        let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let from = said("range").and_then(|text| text.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
        Wants {
            gzip: said("accept-encoding").is_some_and(|text| text.contains("gzip")),
            rest: from.zip(said("if-range").map(str::to_owned)),
        }
    }
}

/// A body that came compressed (RFC 9110 §8.4); `None`: it is none, or larger than is taken.
pub fn unpacked(body: &[u8], bytes_max: usize) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    GzDecoder::new(body).take(bytes_max as u64 + 1).read_to_end(&mut plain).ok()?;
    (plain.len() <= bytes_max).then_some(plain)
}

/// Compressed where it helps, then from where it stopped, where its tag is still the same (RFC 9110 §13.1.5).
pub fn as_wanted(mut answer: Answer, wants: &Wants) -> Answer {
    if wants.gzip && worth_it(&answer) {
        compress(&mut answer);
    }
    let tag = answer.headers.iter().find(|(name, _)| *name == "etag").map(|(_, tag)| tag.clone());
    let Some((from, _)) = wants.rest.as_ref().filter(|(_, same)| tag.as_ref() == Some(same)) else { return answer };
    let whole = match &answer.body {
        Body::Bytes(bytes) => bytes.len() as u64,
        Body::Zeros(count) => *count,
    };
    if answer.status != 200 || *from >= whole {
        return answer;
    }
    answer.status = 206;
    answer.headers.push(("content-range", format!("bytes {from}-{}/{whole}", whole - 1)));
    match &mut answer.body {
        Body::Bytes(bytes) => drop(bytes.drain(..*from as usize)),
        Body::Zeros(count) => *count -= from,
    }
    answer
}

fn worth_it(answer: &Answer) -> bool {
    let words = ["json", "xml", "text/"].iter().any(|kind| answer.content_type.contains(kind));
    words && matches!(&answer.body, Body::Bytes(bytes) if bytes.len() > 1024)
}

fn compress(answer: &mut Answer) {
    let Body::Bytes(bytes) = &mut answer.body else { return };
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let Ok(packed) = encoder.write_all(bytes).and_then(|()| encoder.finish()) else { return };
    *bytes = packed;
    answer.headers.push(("content-encoding", "gzip".to_owned()));
    // Other bytes, another tag.
    for (_, tag) in answer.headers.iter_mut().filter(|(name, _)| *name == "etag") {
        *tag = format!("{}-gzip\"", tag.trim_end_matches('"'));
    }
}
