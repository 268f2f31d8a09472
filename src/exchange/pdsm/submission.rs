//! ITI-65: a finished note as one transaction of submission set, metadata and content; and what its author changes of it
//! later, as one conditional PATCH (docs/pdsm.md §8, §9). Pure.

use crate::exchange::pdsm::fhir;
use crate::exchange::pdsm::names;
use crate::patient::ins::Ins;
use crate::record::document::Label;
use crate::record::document::UniqueId;
use crate::record::note::Change;
use crate::record::note::Note;
use crate::record::note::Writer;
use crate::record::note::cda;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;
use serde_json::json;

/// Names inside the Bundle; the server gives real ones.
const SET: &str = "urn:uuid:00000000-0000-4000-8000-000000000001";
const METADATA: &str = "urn:uuid:00000000-0000-4000-8000-000000000002";
const CONTENT: &str = "urn:uuid:00000000-0000-4000-8000-000000000003";

/// The Bundle. `if-none-exist` on the document's own identifier makes sending twice harmless.
pub fn transaction(note: &Note, content: &[u8]) -> Value {
    let unique_id = fhir::with_urn(&note.unique_id().0);
    let at = note.at.rfc3339();
    let (person, keeper) = (practitioner(&note.writer), organization(&note.writer));
    let subject = subject(&note.patient.ins);
    let set = json!({
        "resourceType": "List", "contained": [person],
        "identifier": [{"use": "official", "system": names::URI, "value": unique_id}],
        "status": "current", "mode": "working",
        "code": {"coding": [{"system": names::LIST_TYPE, "code": "submissionset"}]},
        "subject": subject, "date": at, "source": {"reference": "#author"},
        "entry": [{"item": {"reference": METADATA}}],
    });
    let mut metadata = json!({
        "resourceType": "DocumentReference", "contained": [person, keeper],
        "masterIdentifier": {"system": names::URI, "value": unique_id},
        "status": "current",
        "type": {"coding": [{"system": type_system(&note.type_code.0), "code": note.type_code.0, "display": note.type_label}]},
        "category": [{"coding": [{"system": names::CLASS, "code": note.class_code.0}]}],
        "subject": subject, "date": at,
        "author": [{"reference": "#author"}], "authenticator": {"reference": "#author"},
        "custodian": {"reference": "#custodian"},
        "securityLabel": labels(&note.labels),
        "content": [{
            "attachment": {"contentType": cda::MIME, "language": "fr-FR", "url": CONTENT, "size": content.len(),
                "hash": BASE64.encode(super::sha1(content)), "title": note.type_label, "creation": at},
            "format": {"system": names::FORMAT, "code": cda::FORMAT_CODE},
        }],
        "context": {"period": {"start": at}},
    });
    if let Some(sector) = note.writer.situation.as_ref().and_then(|place| place.sector.as_ref()) {
        metadata["context"]["facilityType"] = json!({"coding": [{"system": names::SECTOR, "code": sector}]});
    }
    if let Some(replaced) = &note.replaces {
        let target = json!({"reference": format!("DocumentReference/{}", replaced.entry),
            "identifier": {"system": names::URI, "value": fhir::with_urn(&replaced.unique_id.0)}});
        metadata["relatesTo"] = json!([{"code": "replaces", "target": target}]);
    }
    let binary = json!({"resourceType": "Binary", "contentType": cda::MIME, "data": BASE64.encode(content)});
    let once = format!("identifier={}", identifier(&note.unique_id()));
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

/// The document, by the identifier that its producer gave it: the one name that no new version of its metadata changes.
pub fn identifier(document: &UniqueId) -> String {
    format!("{}|{}", names::URI, fhir::with_urn(&document.0))
}

/// JSON Patch (RFC 6902). Every operation says what stands afterwards, so that sending twice is harmless.
pub fn patch(change: Change, after: &[Label]) -> Value {
    let archived = |is: bool| json!([{"op": "add", "path": "/extension", "value": [{"url": names::IS_ARCHIVED, "valueBoolean": is}]}]);
    match change {
        Change::Mask | Change::Show | Change::RevealToPatient | Change::RevealToRepresentatives => {
            json!([{"op": "add", "path": "/securityLabel", "value": labels(after)}])
        }
        Change::Archive => archived(true),
        Change::Restore => archived(false),
        Change::Withdraw => json!([{"op": "replace", "path": "/status", "value": "entered-in-error"}]),
    }
}

fn subject(patient: &Ins) -> Value {
    json!({"identifier": {"system": fhir::ins_system(patient), "value": patient.matricule}})
}

fn practitioner(who: &Writer) -> Value {
    let mut person = json!({"resourceType": "Practitioner", "id": "author",
        "identifier": [{"system": names::PROFESSIONAL, "value": who.id.0}],
        "name": [{"family": who.family_name, "given": [who.given_name],
            "text": format!("{} {}", who.given_name, who.family_name)}]});
    if let Some(profession) = who.profession {
        person["qualification"] = json!([{"code": {"coding": [
            {"system": names::PROFESSION, "code": profession.0.to_string(), "display": who.profession_label}]}}]);
    }
    person
}

/// Whoever works nowhere that the card names keeps what they write themselves.
fn organization(who: &Writer) -> Value {
    match &who.situation {
        Some(place) => {
            let name = if place.name.is_empty() { &place.structure } else { &place.name };
            json!({"resourceType": "Organization", "id": "custodian", "name": name,
                "identifier": [{"system": names::STRUCTURE, "value": place.structure}]})
        }
        None => json!({"resourceType": "Organization", "id": "custodian",
            "name": format!("{} {}", who.given_name, who.family_name),
            "identifier": [{"system": names::PROFESSIONAL, "value": who.id.0}]}),
    }
}

fn labels(labels: &[Label]) -> Vec<Value> {
    let of = |label: &Label| {
        let system = match label {
            Label::Normal | Label::Restricted | Label::VeryRestricted => names::CONFIDENTIALITY,
            _ => names::VISIBILITY,
        };
        json!({"coding": [{"system": system, "code": label.code()}]})
    };
    labels.iter().map(of).collect()
}

/// LOINC where the code has its shape, else the agency's own table.
fn type_system(code: &str) -> &'static str {
    let is_loinc = code.starts_with(|first: char| first.is_ascii_digit()) && code.contains('-');
    if is_loinc { names::LOINC } else { names::TYPE }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::note::Replaced;
    use crate::record::note::cda::tests::note;

    #[test]
    fn three_entries_tied_together_and_made_once() {
        let note = note();
        let content = cda::write(&note);
        let bundle = transaction(&note, &content);
        let entry = &bundle["entry"];
        assert_eq!(entry.as_array().map(Vec::len), Some(3));
        assert_eq!(entry[0]["resource"]["entry"][0]["item"]["reference"], entry[1]["fullUrl"]);
        let metadata = &entry[1]["resource"];
        let attachment = &metadata["content"][0]["attachment"];
        assert_eq!(attachment["url"], entry[2]["fullUrl"]);
        assert_eq!(attachment["size"], content.len());
        assert_eq!(entry[2]["resource"]["data"], BASE64.encode(&content));
        assert_eq!(entry[1]["request"]["ifNoneExist"], "identifier=urn:ietf:rfc:3986|urn:oid:2.25.7");
        assert_eq!(metadata["contained"][0]["identifier"][0]["value"], "899700000012");
        assert_eq!(metadata["contained"][0]["qualification"][0]["code"]["coding"][0]["code"], "60");
        assert_eq!(metadata["contained"][1]["identifier"][0]["value"], "10B0108284");
        assert_eq!(metadata["date"], "2026-11-23T08:42:00Z");
        assert_eq!(metadata["context"]["facilityType"]["coding"][0]["code"], "SA07");
        assert_eq!(metadata["category"][0]["coding"][0]["code"], "10");
        assert!(metadata["relatesTo"].is_null());
    }

    #[test]
    fn a_version_names_the_one_before() {
        let replaced = Replaced { unique_id: UniqueId("2.25.6".into()), entry: "c1".into() };
        let note = Note { replaces: Some(replaced), ..note() };
        let metadata = &transaction(&note, b"")["entry"][1]["resource"];
        assert_eq!(metadata["relatesTo"][0]["code"], "replaces");
        assert_eq!(metadata["relatesTo"][0]["target"]["reference"], "DocumentReference/c1");
    }

    #[test]
    fn a_patch_says_what_stands_afterwards() {
        let hidden = [Label::Normal, Label::MaskedToProfessionals];
        let mask = patch(Change::Mask, &hidden);
        assert_eq!(mask[0]["value"][1]["coding"][0]["code"], "MASQUE_PS");
        assert_eq!(mask[0]["value"][0]["coding"][0]["system"], names::CONFIDENTIALITY);
        assert_eq!(patch(Change::Show, &hidden[..1])[0]["value"].as_array().map(Vec::len), Some(1));
        assert_eq!(patch(Change::Archive, &[])[0]["value"][0]["valueBoolean"], true);
        assert_eq!(patch(Change::Restore, &[])[0]["value"][0]["valueBoolean"], false);
        assert_eq!(patch(Change::Withdraw, &[])[0]["value"], "entered-in-error");
    }
}
