//! ITI-65: a finished note as one transaction: submission set, metadata, content (docs/pdsm.md §8). Pure.

use crate::exchange::pdsm::fhir;
use crate::exchange::pdsm::names;
use crate::identity::holder::HolderId;
use crate::journal::item::Contribution;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;
use serde_json::json;

/// Names inside the Bundle; the server gives real ones.
const SET: &str = "urn:uuid:00000000-0000-4000-8000-000000000001";
const METADATA: &str = "urn:uuid:00000000-0000-4000-8000-000000000002";
const CONTENT: &str = "urn:uuid:00000000-0000-4000-8000-000000000003";

/// The Bundle. `if-none-exist` on the document's own identifier makes sending twice harmless.
pub fn transaction(author: &HolderId, note: &Contribution) -> Value {
    let unique_id = fhir::with_urn(&note.unique_id);
    let identifier = json!({"use": "official", "system": names::URI, "value": unique_id});
    let subject = json!({"identifier": {"system": fhir::ins_system(&note.patient), "value": note.patient.matricule}});
    let person = json!({"resourceType": "Practitioner", "id": "author",
        "identifier": [{"system": names::PROFESSIONAL, "value": author.0}]});
    let mut set = json!({
        "resourceType": "List", "contained": [person], "identifier": [identifier],
        "status": "current", "mode": "working",
        "code": {"coding": [{"system": names::LIST_TYPE, "code": "submissionset"}]},
        "subject": subject, "source": {"reference": "#author"},
        "entry": [{"item": {"reference": METADATA}}],
    });
    let mut metadata = json!({
        "resourceType": "DocumentReference", "contained": [person],
        "masterIdentifier": {"system": names::URI, "value": unique_id},
        "status": "current",
        "type": {"coding": [{"system": names::LOINC, "code": note.type_code}]},
        "subject": subject,
        "author": [{"reference": "#author"}], "authenticator": {"reference": "#author"},
        "securityLabel": [{"coding": [{"system": names::CONFIDENTIALITY, "code": "N"}]}],
        "content": [{
            "attachment": {"contentType": "text/xml", "language": "fr-FR", "url": CONTENT, "size": note.cda.len(),
                "hash": BASE64.encode(super::sha1(&note.cda)), "title": note.title},
            "format": {"system": names::FORMAT, "code": "urn:ihe:iti:xds-sd:text:2008"},
        }],
    });
    // The note's own time: when it was written, not when it is sent.
    if let Some(at) = effective_time(&note.cda) {
        set["date"] = json!(at);
        metadata["date"] = json!(at);
        metadata["content"][0]["attachment"]["creation"] = json!(at);
        metadata["context"] = json!({"period": {"start": at}});
    }
    let binary = json!({"resourceType": "Binary", "contentType": "text/xml", "data": BASE64.encode(&note.cda)});
    let once = format!("identifier={}|{unique_id}", names::URI);
    let post = |url: &str| json!({"method": "POST", "url": url});
    let post_once = |url: &str| json!({"method": "POST", "url": url, "ifNoneExist": once});
    json!({
        "resourceType": "Bundle", "type": "transaction",
        "entry": [
            {"fullUrl": SET, "resource": set, "request": post_once("List")},
            {"fullUrl": METADATA, "resource": metadata, "request": post_once("DocumentReference")},
            {"fullUrl": CONTENT, "resource": binary, "request": post("Binary")},
        ],
    })
}

/// `ClinicalDocument/effectiveTime` (CDA R2, HL7 v3 TS `YYYYMMDDhhmmss±zzzz`) as a FHIR dateTime. A time without a zone names
/// no moment, so that only its day is said.
fn effective_time(cda: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(cda).ok()?;
    let document = roxmltree::Document::parse(text).ok()?;
    let is_time = |node: &roxmltree::Node<'_, '_>| node.tag_name().name() == "effectiveTime";
    let value = document.root_element().children().find(is_time)?.attribute("value")?;
    let (digits, zone) = value.split_at(value.find(['+', '-']).unwrap_or(value.len()));
    let digits = digits.split('.').next().unwrap_or("");
    let well_formed = matches!(digits.len(), 8 | 12 | 14) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !well_formed {
        return None;
    }
    let day = format!("{}-{}-{}", &digits[..4], &digits[4..6], &digits[6..8]);
    let zoned = zone.len() == 5 && zone[1..].bytes().all(|byte| byte.is_ascii_digit());
    if digits.len() < 12 || !zoned {
        return Some(day);
    }
    let second = if digits.len() == 14 { &digits[12..14] } else { "00" };
    Some(format!("{day}T{}:{}:{second}{}:{}", &digits[8..10], &digits[10..12], &zone[..3], &zone[3..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patient::ins::Ins;
    use crate::patient::ins::InsKind;

    fn note(time: &str) -> Contribution {
        Contribution {
            patient: Ins::unchecked("279035121518989", InsKind::Test).expect("well formed"),
            unique_id: "1.2.3".into(),
            type_code: "11488-4".into(),
            title: "Passage du matin".into(),
            cda: format!(
                "<ClinicalDocument xmlns=\"urn:hl7-org:v3\"><effectiveTime value=\"{time}\"/></ClinicalDocument>"
            )
            .into_bytes(),
        }
    }

    #[test]
    fn three_entries_tied_together_and_made_once() {
        let note = note("20261123094200+0100");
        let bundle = transaction(&HolderId("899700000012".into()), &note);
        let entry = &bundle["entry"];
        assert_eq!(entry.as_array().map(Vec::len), Some(3));
        assert_eq!(entry[0]["resource"]["entry"][0]["item"]["reference"], entry[1]["fullUrl"]);
        let attachment = &entry[1]["resource"]["content"][0]["attachment"];
        assert_eq!(attachment["url"], entry[2]["fullUrl"]);
        assert_eq!(attachment["size"], note.cda.len());
        assert_eq!(entry[2]["resource"]["data"], BASE64.encode(&note.cda));
        assert_eq!(entry[1]["request"]["ifNoneExist"], "identifier=urn:ietf:rfc:3986|urn:oid:1.2.3");
        assert_eq!(entry[1]["resource"]["contained"][0]["identifier"][0]["value"], "899700000012");
        assert_eq!(entry[1]["resource"]["date"], "2026-11-23T09:42:00+01:00");
    }

    #[test]
    fn a_time_is_read_or_left_out() {
        let time = |text: &str| effective_time(&note(text).cda);
        assert_eq!(time("20261123"), Some("2026-11-23".into()));
        assert_eq!(time("202611230942+0100"), Some("2026-11-23T09:42:00+01:00".into()));
        assert_eq!(time("20261123094200.123-0400"), Some("2026-11-23T09:42:00-04:00".into()));
        assert_eq!(time("20261123094200"), Some("2026-11-23".into()));
        assert_eq!(time("202611"), None);
        assert_eq!(time("é0261123"), None);
        assert_eq!(effective_time(b"<a"), None);
        assert_eq!(effective_time(b"\xff"), None);
    }
}
