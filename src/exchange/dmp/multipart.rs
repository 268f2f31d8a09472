//! `multipart/related` (RFC 2387) as MTOM/XOP uses it: a root part, and documents beside it as raw bytes. Pure.
//!
//! Read leniently in what servers differ in (a preamble, padding, a missing `start`), strictly in what decides where a
//! document ends. A part borrows the body: nothing is copied but what came in base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use memchr::memmem;
use std::borrow::Cow;

/// One part.
#[derive(Clone, PartialEq, Eq)]
pub struct Part<'a> {
    /// `Content-ID` without its angle brackets; empty without one.
    pub id: String,
    /// As it was said, parameters included.
    pub content_type: String,
    pub bytes: Cow<'a, [u8]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("its boundary is missing or too long")]
    Boundary,
    #[error("it does not end")]
    Unended,
    #[error("a part's header is too long or is not one")]
    Header,
    #[error("it has more parts than one answer has")]
    TooMany,
    #[error("a part's coding is not known")]
    Coding,
    #[error("it has no root part")]
    NoRoot,
}

/// A reply holds an envelope and the documents of one question.
const PARTS_MAX: usize = 64;
const HEADER_BYTES_MAX: usize = 8 * 1024;
/// RFC 2046 §5.1.1
const BOUNDARY_BYTES_MAX: usize = 70;

/// Whether a `Content-Type` announces one.
pub fn is_multipart(content_type: &str) -> bool {
    content_type.trim_start().get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/"))
}

/// All parts, the root first: the one that `start` names, else the first (RFC 2387 §3.2).
pub fn read<'a>(content_type: &str, body: &'a [u8]) -> Result<Vec<Part<'a>>, Error> {
    let boundary = parameter(content_type, "boundary").ok_or(Error::Boundary)?;
    if boundary.is_empty() || boundary.len() > BOUNDARY_BYTES_MAX || boundary.contains(['\r', '\n']) {
        return Err(Error::Boundary);
    }
    let mut parts = Vec::new();
    let delimiter = format!("\r\n--{boundary}");
    let finder = memmem::Finder::new(delimiter.as_bytes());
    // The first one may stand at the very beginning, without the line end before it.
    let mut rest = match body.strip_prefix(&delimiter.as_bytes()[2..]) {
        Some(rest) => rest,
        None => after(&finder, body).ok_or(Error::Unended)?.1,
    };
    loop {
        if rest.starts_with(b"--") {
            break;
        }
        if parts.len() == PARTS_MAX {
            return Err(Error::TooMany);
        }
        let line = memmem::find(rest, b"\r\n").ok_or(Error::Unended)?;
        // Transport padding (§5.1.1), and nothing else: a longer boundary is another one.
        if !rest[..line].iter().all(|byte| b" \t".contains(byte)) {
            return Err(Error::Boundary);
        }
        // Its line end may be the next delimiter's too.
        let (content, next) = after(&finder, &rest[line..]).ok_or(Error::Unended)?;
        parts.push(part(content)?);
        rest = next;
    }
    let start = parameter(content_type, "start").map(|id| bare(&id).to_owned());
    let root = start.and_then(|id| parts.iter().position(|part| part.id == id)).unwrap_or(0);
    if parts.is_empty() {
        return Err(Error::NoRoot);
    }
    parts[..=root].rotate_right(1);
    Ok(parts)
}

/// What stands before the next delimiter, and what behind it.
fn after<'a>(finder: &memmem::Finder<'_>, bytes: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = finder.find(bytes)?;
    Some((&bytes[..at], &bytes[at + finder.needle().len()..]))
}

/// The line end of its delimiter, header lines, an empty line, bytes.
fn part(content: &[u8]) -> Result<Part<'_>, Error> {
    let content = content.strip_prefix(b"\r\n").ok_or(Error::Header)?;
    let (header, bytes) = match content.strip_prefix(b"\r\n") {
        Some(bytes) => (&[][..], bytes),
        None => {
            let end = memmem::find(content, b"\r\n\r\n").ok_or(Error::Header)?;
            (&content[..end], &content[end + 4..])
        }
    };
    if header.len() > HEADER_BYTES_MAX {
        return Err(Error::Header);
    }
    let header = std::str::from_utf8(header).map_err(|_| Error::Header)?.replace("\r\n ", " ").replace("\r\n\t", " ");
    let field = |name: &str| {
        let mut lines = header.split("\r\n").filter_map(|line| line.split_once(':'));
        lines.find(|(field, _)| field.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
    };
    let bytes = match field("content-transfer-encoding").unwrap_or_default().to_ascii_lowercase().as_str() {
        "" | "binary" | "8bit" | "7bit" => Cow::Borrowed(bytes),
        "base64" => Cow::Owned(decode(bytes).ok_or(Error::Coding)?),
        _ => return Err(Error::Coding),
    };
    let id = field("content-id").map(|id| bare(&id).to_owned()).unwrap_or_default();
    Ok(Part { id, content_type: field("content-type").unwrap_or_default(), bytes })
}

/// Base64 with whatever space is in it.
pub fn decode(bytes: &[u8]) -> Option<Vec<u8>> {
    let plain: Vec<u8> = bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    BASE64.decode(plain).ok()
}

fn bare(id: &str) -> &str {
    id.trim().trim_start_matches('<').trim_end_matches('>')
}

/// A parameter of a `Content-Type` (RFC 2045 §5.1), its quotes taken off.
pub fn parameter(content_type: &str, name: &str) -> Option<String> {
    let mut rest = content_type.split_once(';')?.1;
    loop {
        let (field, value) = rest.split_once('=')?;
        let (value, next) = value_of(value.trim_start());
        if field.trim().eq_ignore_ascii_case(name) {
            return Some(value);
        }
        rest = next.split_once(';')?.1;
    }
}

/// A token or a quoted string, and what stands behind it.
fn value_of(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        return (text[..end].trim().to_owned(), &text[end..]);
    };
    let (mut value, mut escaped) = (String::new(), false);
    for (at, letter) in quoted.char_indices() {
        match letter {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return (value, &quoted[at + 1..]),
            letter => {
                value.push(letter);
                escaped = false;
            }
        }
    }
    (value, "")
}

/// The part that an XOP `href` means: `cid:`, percent-decoded (XOP §4.1, RFC 2392).
pub fn part_of<'p, 'a>(parts: &'p [Part<'a>], href: &str) -> Option<&'p Part<'a>> {
    let id = percent_decoded(href.trim().strip_prefix("cid:")?)?;
    parts.iter().find(|part| !part.id.is_empty() && part.id == id)
}

fn percent_decoded(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, behind)) = rest.split_first() {
        let byte = behind.get(..2).filter(|_| *first == b'%').and_then(|digits| hex::decode(digits).ok());
        bytes.push(byte.as_ref().map_or(*first, |byte| byte[0]));
        rest = if byte.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8(bytes).ok()
}

/// A root part and one document beside it, with the `Content-Type` that goes with it.
pub fn write(root: &str, documents: &[(&str, &str, &[u8])], action: &str, boundary: &str) -> (String, Vec<u8>) {
    let mut body = format!(
        "--{boundary}\r\nContent-Type: application/xop+xml; charset=UTF-8; type=\"application/soap+xml\"\r\n\
         Content-Transfer-Encoding: binary\r\nContent-ID: <{ROOT}>\r\n\r\n{root}"
    )
    .into_bytes();
    for (id, kind, bytes) in documents {
        let header = format!(
            "\r\n--{boundary}\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <{id}>\r\n\r\n"
        );
        body.extend_from_slice(header.as_bytes());
        body.extend_from_slice(bytes);
    }
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    let kind = format!(
        "multipart/related; type=\"application/xop+xml\"; start=\"<{ROOT}>\"; start-info=\"application/soap+xml\"; \
         action=\"{action}\"; boundary=\"{boundary}\""
    );
    (kind, body)
}

const ROOT: &str = "root@chevet";

impl std::fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Part({} bytes, [REDACTED])", self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KIND: &str = "Multipart/Related; charset=utf-8; boundary=\"b=1;\\\"\"; start = \"<two@x>\" ; type=x";

    fn bytes_of(kind: &str, body: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
        read(kind, body).map(|parts| parts.into_iter().map(|part| part.bytes.into_owned()).collect())
    }

    #[test]
    fn the_root_is_the_one_that_start_names() {
        let body = b"preamble\r\n--b=1;\" \t\r\nContent-ID: <one>\r\n\r\n1\r\n--not it\r\n--b=1;\"\r\n\
            content-id:<two@x>\r\nContent-Type: a/b;\r\n c=d\r\nContent-Transfer-Encoding: BASE64\r\n\r\nMg\r\n==\r\n\
            --b=1;\"--\r\nepilogue";
        let parts = read(KIND, body).expect("parts");
        assert_eq!((parts.len(), &*parts[0].bytes, parts[0].id.as_str()), (2, b"2".as_slice(), "two@x"));
        assert_eq!(parts[0].content_type, "a/b; c=d");
        assert_eq!(&*parts[1].bytes, b"1\r\n--not it");
        let unnamed = KIND.replace("two@x", "nobody");
        assert_eq!(read(&unnamed, body).expect("parts")[0].id, "one", "else the first");
    }

    #[test]
    fn what_does_not_end_or_is_no_part_is_refused() {
        let kind = "multipart/related; boundary=b";
        assert_eq!(bytes_of(kind, b"--b\r\n\r\n\r\n--b--"), Ok(vec![vec![]]));
        assert_eq!(bytes_of(kind, b"--b\r\n\r\nx\r\n--b--"), Ok(vec![b"x".to_vec()]));
        for (body, expected) in [
            (&b"--b\r\n\r\nx"[..], Error::Unended),
            (b"", Error::Unended),
            (b"--b\r\n\r\nx\r\n--b", Error::Unended),
            (b"--bc\r\n\r\nx\r\n--b--", Error::Boundary),
            (b"--b\r\nA: b\r\n--b--", Error::Header),
            (b"--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nx\r\n--b--", Error::Coding),
            (b"--b\r\nContent-Transfer-Encoding: base64\r\n\r\n!\r\n--b--", Error::Coding),
            (b"--b--", Error::NoRoot),
        ] {
            assert_eq!(bytes_of(kind, body), Err(expected), "{}", String::from_utf8_lossy(body));
        }
        let many = [b"--b\r\n\r\n".to_vec(), b"x\r\n--b\r\n\r\n".repeat(PARTS_MAX), b"\r\n--b--".to_vec()].concat();
        assert_eq!(bytes_of(kind, &many), Err(Error::TooMany));
        let long = format!("--b\r\nA: {}\r\n\r\n\r\n--b--", "x".repeat(HEADER_BYTES_MAX));
        assert_eq!(bytes_of(kind, long.as_bytes()), Err(Error::Header));
        for kind in ["multipart/related", "multipart/related; boundary=\"\"", "multipart/related; boundary=\"a\r\nb\""]
        {
            assert_eq!(bytes_of(kind, b"--\r\n\r\nx\r\n----"), Err(Error::Boundary), "{kind}");
        }
        assert_eq!(bytes_of(&format!("multipart/related; boundary={}", "b".repeat(71)), b""), Err(Error::Boundary));
    }

    #[test]
    fn a_reference_is_percent_decoded() {
        let part = |id: &str| Part { id: id.into(), content_type: String::new(), bytes: Cow::Borrowed(b"x") };
        let parts = [part(""), part("doc-1@example.invalid"), part("50%é")];
        let id = |href: &str| part_of(&parts, href).map(|part| part.id.as_str());
        assert_eq!(id("cid:doc-1%40example.invalid"), Some("doc-1@example.invalid"));
        assert_eq!(id(" cid:doc-1@example.invalid"), Some("doc-1@example.invalid"));
        assert_eq!(id("cid:50%%C3%A9"), Some("50%é"));
        for nobody in ["doc-1@example.invalid", "cid:", "cid:%FF", "cid:doc-1%4", "http://x/doc-1@example.invalid"] {
            assert_eq!(id(nobody), None, "{nobody}");
        }
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(
            root in "[^\\r]{0,30}",
            documents in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..4),
        ) {
            let ids: Vec<String> = (0..documents.len()).map(|number| format!("d{number}@x")).collect();
            let beside: Vec<(&str, &str, &[u8])> =
                ids.iter().zip(&documents).map(|(id, bytes)| (id.as_str(), "text/xml", bytes.as_slice())).collect();
            let (kind, body) = write(&root, &beside, "urn:a", "chevet-4f1e");
            let parts = read(&kind, &body).expect("our own");
            prop_assert_eq!(&*parts[0].bytes, root.as_bytes());
            for (part, (id, _, bytes)) in parts[1..].iter().zip(&beside) {
                prop_assert_eq!((part.id.as_str(), &*part.bytes), (*id, *bytes));
            }
            prop_assert_eq!(parts.len(), beside.len() + 1);
        }

        #[test]
        fn no_body_is_too_much(kind in any::<String>(), body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _read = read(&kind, &body);
            let _read = read("multipart/related; boundary=b", &[b"--b\r\n", body.as_slice(), b"\r\n--b--"].concat());
        }
    }
}
