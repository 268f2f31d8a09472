//! ITI-68: what came in place of a document, and whether it is the one that was promised. Pure.
//!
//! Three forms: raw from a Binary, absolute or relative; the same as Binary JSON; a FHIR document, which is a Bundle and stays one.

use crate::exchange::pdsm::FHIR_JSON;
use crate::exchange::pdsm::fhir;
use crate::exchange::upstream::Error;
use crate::link::Spooled;
use crate::record::document::Document;
use crate::secret::content::Content;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::Value;

/// Raw if the server can, a Binary if it must.
pub(super) fn accept(content_type: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/+-.".contains(&byte);
    let kind = if !content_type.is_empty() && content_type.bytes().all(plain) { content_type } else { "*/*" };
    format!("{kind}, {FHIR_JSON};q=0.5")
}

#[derive(Deserialize)]
struct Binary {
    data: String,
}

/// What is inside a FHIR Binary, or what came when it is another resource (a document Bundle). JSON is read whole.
pub(super) fn unwrap_binary(came: Spooled, is_fhir: bool) -> Result<Spooled, Error> {
    let unreadable = Error::Unreadable { what: "the document", why: "it is no FHIR Binary" };
    let body = came.content.whole().map_err(|source| Error::NotKept { source })?;
    let value: Value = match serde_json::from_slice(body.show_bytes()) {
        Ok(value) => value,
        Err(_) => return Err(unreadable),
    };
    if value["resourceType"] == "Bundle" || (is_fhir && value["resourceType"] != "Binary") {
        return Ok(came);
    }
    let Some(binary) = fhir::resource::<Binary>(&value, "Binary") else { return Err(unreadable) };
    let bytes = BASE64.decode(binary.data).map_err(|_| unreadable)?;
    Ok(Spooled { sha1: sha1(&bytes), content: Content::new(bytes) })
}

/// Integrity in transfer, not trust: FHIR R4 gives SHA-1.
pub(in crate::exchange) fn verify(came: &Spooled, document: &Document) -> Result<(), Error> {
    let promised = &document.attachment;
    if promised.size_bytes.is_some_and(|size| size != came.content.size() as u64) {
        return Err(Error::Damaged { what: "size" });
    }
    match promised.sha1 {
        Some(hash) if hash != came.sha1 => Err(Error::Damaged { what: "hash" }),
        _ => Ok(()),
    }
}

pub(in crate::exchange) fn sha1(content: &[u8]) -> [u8; 20] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, content);
    let mut hash = [0; 20];
    hash.copy_from_slice(digest.as_ref());
    hash
}
