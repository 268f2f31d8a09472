//! ITI-67: a DocumentReference becomes a `Document` (docs/pdsm.md §4). Pure.
//!
//! Tolerant of the faults of real servers and of ANS's own examples, except where tolerance would show too much: a label
//! that is not known, or none, is `Label::Unknown`, and policy denies it. An entry that cannot be read stays in the list
//! as a document of type `unreadable`, so that it is denied, counted and said, never silently absent.

use crate::exchange::pdsm::fhir;
use crate::exchange::pdsm::fhir::Concept;
use crate::exchange::pdsm::fhir::Extension;
use crate::exchange::pdsm::fhir::Identifier;
use crate::exchange::pdsm::fhir::Period;
use crate::exchange::pdsm::fhir::Reference;
use crate::exchange::pdsm::names;
use crate::patient::ins::Ins;
use crate::patient::ins::InsKind;
use crate::record::document::Attachment;
use crate::record::document::Author;
use crate::record::document::ClassCode;
use crate::record::document::Document;
use crate::record::document::Label;
use crate::record::document::Status;
use crate::record::document::TypeCode;
use crate::record::document::UniqueId;
use crate::record::sync::Standing;
use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::GeneralPurpose;
use base64::engine::GeneralPurposeConfig;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DocumentReference {
    #[serde(default)]
    id: String,
    #[serde(default)]
    contained: Vec<Value>,
    #[serde(default)]
    extension: Vec<Extension>,
    master_identifier: Option<Identifier>,
    #[serde(default)]
    identifier: Vec<Identifier>,
    #[serde(default)]
    status: String,
    #[serde(rename = "type")]
    kind: Option<Concept>,
    #[serde(default)]
    category: Vec<Concept>,
    subject: Option<Reference>,
    date: Option<String>,
    #[serde(default)]
    author: Vec<Reference>,
    #[serde(default)]
    security_label: Vec<Concept>,
    #[serde(default)]
    content: Vec<Content>,
    context: Option<Context>,
    #[serde(default)]
    relates_to: Vec<Related>,
}

#[derive(Deserialize)]
struct Related {
    #[serde(default)]
    code: String,
    #[serde(default)]
    target: Reference,
}

#[derive(Deserialize)]
struct Content {
    attachment: RawAttachment,
    format: Option<fhir::Coding>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawAttachment {
    #[serde(default)]
    content_type: String,
    #[serde(default)]
    url: String,
    size: Option<u64>,
    #[serde(default)]
    hash: String,
    #[serde(default)]
    title: String,
}

#[derive(Deserialize)]
struct Context {
    period: Option<Period>,
}

/// One kind of thing for all that may have written a document.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Writer {
    resource_type: String,
    #[serde(default)]
    identifier: Value,
    #[serde(default)]
    name: Value,
    practitioner: Option<Reference>,
    organization: Option<Reference>,
    #[serde(default)]
    device_name: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    name: String,
}

/// What a search found, and how much of it could not be read.
pub struct Found {
    pub documents: Vec<Document>,
    pub unreadable: usize,
}

/// What is asked of a version to know whether it stands; a server may send more.
pub const STANDING_ELEMENTS: &str = "masterIdentifier,identifier,status,securityLabel";

/// Versions that stand, as far as the server says which they are. One without an id cannot be known again.
pub fn standing(entries: &[Value]) -> Vec<Standing> {
    let of = |value: &Value| {
        let raw: Outline = fhir::resource(value, "DocumentReference")?;
        let unique = raw.master_identifier.map(|id| fhir::without_urn(&id.value).to_owned());
        let unique_id = unique.filter(|id| !id.is_empty()).map(UniqueId);
        (!raw.id.is_empty()).then(|| Standing { entry_uuid: raw.id, unique_id, labels: labels(&raw.security_label) })
    };
    entries.iter().filter_map(of).collect()
}

/// Entries that one of these says it replaces (XDS `RPLC`).
pub fn replaced(entries: &[Value]) -> Vec<String> {
    let related = |value: &Value| Some(fhir::resource::<DocumentReference>(value, "DocumentReference")?.relates_to);
    let related = entries.iter().filter_map(related).flatten();
    let replaces = related.filter(|related| related.code == "replaces");
    replaces
        .filter_map(|related| fhir::id_of(&related.target.reference, "DocumentReference").map(str::to_owned))
        .collect()
}

/// The little of a DocumentReference that is asked for again and again.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outline {
    #[serde(default)]
    id: String,
    master_identifier: Option<Identifier>,
    #[serde(default)]
    security_label: Vec<Concept>,
}

/// All entries of all pages, each document once.
pub fn documents(entries: Vec<Value>, asked: &Ins) -> Found {
    let mut found = Found { documents: Vec::new(), unreadable: 0 };
    let mut places: HashMap<UniqueId, usize> = HashMap::new();
    for (number, value) in entries.iter().enumerate() {
        let document = read(value, asked).unwrap_or_else(|| {
            found.unreadable += 1;
            Document::unreadable(value["id"].as_str().map_or_else(|| number.to_string(), str::to_owned))
        });
        // The same document twice: pages that shifted, or two versions of its metadata. Every label counts.
        match places.get(&document.unique_id) {
            Some(place) => {
                let first = &mut found.documents[*place];
                let more = document.labels.into_iter().filter(|label| !first.labels.contains(label));
                let more: Vec<Label> = more.collect();
                first.labels.extend(more);
            }
            None => {
                places.insert(document.unique_id.clone(), found.documents.len());
                found.documents.push(document);
            }
        }
    }
    found
}

/// `None`: unreadable.
fn read(value: &Value, asked: &Ins) -> Option<Document> {
    let raw: DocumentReference = fhir::resource(value, "DocumentReference")?;
    if raw.is_about_somebody_else(asked) {
        return None;
    }
    let unique_id =
        raw.master_identifier.as_ref().map(|id| fhir::without_urn(&id.value)).filter(|id| !id.is_empty())?;
    let kind = raw.kind.as_ref()?;
    let coding = kind.coding.iter().find(|coding| coding.system == names::LOINC).or(kind.coding.first())?;
    let content = raw.content.first().filter(|content| !content.attachment.url.is_empty())?;
    let created = raw.date.as_deref().and_then(fhir::time);
    let started = raw.context.as_ref().and_then(|c| c.period.as_ref()?.start.as_deref()).and_then(fhir::time);
    let writers: Vec<(Author, bool)> = raw.author.iter().map(|reference| author(reference, &raw.contained)).collect();
    if writers.is_empty() || coding.code.is_empty() || raw.id.is_empty() {
        return None;
    }
    let class = raw.category.first().and_then(|c| c.code_in(names::CLASS).or(c.coding.first().map(|c| &*c.code)));
    let by_patient = class == Some("90")
        || coding.code.starts_with("DOCPAT")
        || coding.code.starts_with("EXPPAT")
        || writers.iter().any(|(_, is_patient)| *is_patient);
    let attachment = &content.attachment;
    Some(Document {
        unique_id: UniqueId(unique_id.to_owned()),
        entry_uuid: raw.id.clone(),
        logical_id: raw
            .identifier
            .first()
            .map(|id| fhir::without_urn(&id.value).to_owned())
            .filter(|id| !id.is_empty()),
        type_code: TypeCode(coding.code.clone()),
        type_label: if coding.display.is_empty() { kind.text.clone() } else { coding.display.clone() },
        class_code: ClassCode(class.unwrap_or("").to_owned()),
        title: attachment.title.clone(),
        authors: writers.into_iter().map(|(author, _)| author).collect(),
        labels: labels(&raw.security_label),
        status: raw.status(),
        service_start: started.or(created)?,
        created: created.or(started)?,
        format_code: content.format.as_ref().map(|format| format.code.clone()).unwrap_or_default(),
        attachment: Attachment {
            url: attachment.url.clone(),
            content_type: attachment.content_type.clone(),
            size_bytes: attachment.size,
            sha1: sha1(&attachment.hash),
        },
        by_patient,
    })
}

/// Base64 as R4 says; some write it as XDS does, in hexadecimal, and ANS's examples end in bits that no encoder sets.
fn sha1(hash: &str) -> Option<[u8; 20]> {
    let bytes = if hash.len() == 40 { hex::decode(hash).ok() } else { LENIENT.decode(hash).ok() };
    bytes.and_then(|bytes| bytes.try_into().ok())
}

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl DocumentReference {
    fn status(&self) -> Status {
        let archived = fhir::flag(&self.extension, names::IS_ARCHIVED) == Some(true);
        match self.status.as_str() {
            "current" if archived => Status::Archived,
            "current" => Status::Current,
            "superseded" => Status::Superseded,
            "entered-in-error" => Status::Deleted,
            _ => Status::Unknown,
        }
    }

    /// Where the entry names an INS, it must be the one that was asked for. A server that names none is believed.
    fn is_about_somebody_else(&self, asked: &Ins) -> bool {
        let Some(subject) = &self.subject else { return false };
        let mut named: Vec<(String, String)> = Vec::new();
        if let Some(id) = &subject.identifier {
            named.push((id.system.clone(), id.value.clone()));
        }
        // ANS writes a conditional reference: `Patient?identifier=system|value`.
        if let Some((system, value)) =
            subject.reference.split_once("identifier=").and_then(|(_, id)| id.split_once('|'))
        {
            named.push((system.to_owned(), value.to_owned()));
        }
        if let Some(Value::Array(ids)) = contained(subject, &self.contained).map(|patient| &patient["identifier"]) {
            let text = |id: &Value, key: &str| id[key].as_str().unwrap_or("").to_owned();
            named.extend(ids.iter().map(|id| (text(id, "system"), text(id, "value"))));
        }
        named.retain(|(system, _)| InsKind::from_oid(fhir::without_urn(system)).is_some());
        !named.is_empty() && !named.contains(&(fhir::ins_system(asked), asked.matricule.clone()))
    }
}

/// One to four codes in any arrangement. The system is not compared: ANS's own examples spell it in two ways.
fn labels(concepts: &[Concept]) -> Vec<Label> {
    let mut labels: Vec<Label> = Vec::new();
    for concept in concepts {
        let codes = concept.coding.iter().map(|coding| Label::from_code(&coding.code));
        labels.extend(codes);
        if concept.coding.is_empty() {
            labels.push(Label::Unknown(concept.text.clone()));
        }
    }
    if labels.is_empty() {
        labels.push(Label::Unknown("absent".to_owned()));
    }
    labels.sort();
    labels.dedup();
    labels
}

fn contained<'a>(reference: &Reference, resources: &'a [Value]) -> Option<&'a Value> {
    let name = reference.reference.strip_prefix('#')?;
    resources.iter().find(|resource| resource["id"] == name)
}

/// The author, and whether it is a patient.
fn author(reference: &Reference, resources: &[Value]) -> (Author, bool) {
    let writer = contained(reference, resources).and_then(|value| Writer::deserialize(value).ok());
    let kind = writer.as_ref().map_or_else(
        || reference.reference.split(['/', '?']).next().unwrap_or("").to_owned(),
        |writer| writer.resource_type.clone(),
    );
    let person = writer.as_ref().and_then(|writer| writer.practitioner.as_ref());
    let own_id = writer.as_ref().and_then(|writer| national_id(&writer.identifier));
    let id = own_id
        .or_else(|| person.and_then(|person| person.identifier.as_ref()).map(|id| id.value.clone()))
        .or_else(|| reference.identifier.as_ref().map(|id| id.value.clone()));
    let structure = writer.as_ref().and_then(|writer| writer.organization.as_ref()).map(|org| org.display.clone());
    let name = [
        reference.display.clone(),
        person.map(|person| person.display.clone()).unwrap_or_default(),
        writer.as_ref().map(Writer::own_name).unwrap_or_default(),
        id.clone().unwrap_or_default(),
    ];
    let name = name.into_iter().find(|name| !name.is_empty()).unwrap_or_else(|| "Auteur non précisé".to_owned());
    let structure = structure.filter(|text| !text.is_empty());
    (Author { id: id.filter(|id| !id.is_empty()), name, structure }, kind == "Patient")
}

/// PS_IdNat where it is there, else the first identifier.
fn national_id(identifiers: &Value) -> Option<String> {
    let Value::Array(list) = identifiers else { return None };
    let chosen = list.iter().find(|id| id["system"] == names::PROFESSIONAL).or(list.first())?;
    chosen["value"].as_str().map(str::to_owned)
}

impl Writer {
    /// An Organization's name is text, a Practitioner's is a list of parts, a Device's stands elsewhere.
    fn own_name(&self) -> String {
        let human = &self.name[0];
        let given = human["given"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let parts: Vec<&str> = given.chain(human["family"].as_str()).collect();
        let texts = [self.name.as_str(), human["text"].as_str(), self.device_name.first().map(|device| &*device.name)];
        texts.into_iter().flatten().find(|text| !text.is_empty()).map_or_else(|| parts.join(" "), str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::document::UNREADABLE;
    use serde_json::json;

    fn asked() -> Ins {
        Ins::unchecked("279035121518989", InsKind::Test).expect("well formed")
    }

    /// The least that PDSm requires.
    fn entry() -> Value {
        json!({
            "resourceType": "DocumentReference", "id": "e1", "status": "current",
            "contained": [{"resourceType": "Practitioner", "id": "a1",
                "identifier": [{"system": "https://rpps.esante.gouv.fr", "value": "10101201234"},
                    {"system": names::PROFESSIONAL, "value": "810101201234"}],
                "name": [{"family": "EXEMPLE", "given": ["Alix"]}]}],
            "masterIdentifier": {"system": names::URI, "value": "urn:oid:1.2.3"},
            "identifier": [{"system": names::URI, "value": "urn:uuid:0c2f7a70-5d7a-4b52-8f3b-3f6d9f1c2b11"}],
            "type": {"coding": [{"system": "urn:other", "code": "x"},
                {"system": names::LOINC, "code": "34133-9", "display": "Synthèse"}]},
            "category": [{"coding": [{"system": names::CLASS, "code": "11"}]}],
            "subject": {"reference": "Patient?identifier=urn:oid:1.2.250.1.213.1.4.10|279035121518989"},
            "date": "2026-10-02T16:00:00.123+02:00",
            "author": [{"reference": "#a1"}],
            "securityLabel": [{"coding": [{"code": "N"}]}],
            "content": [{"attachment": {"contentType": "text/xml", "url": "Binary/b1", "size": 3,
                "hash": "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=", "title": "Une synthèse"}, "format": {"code": "urn:f"}}],
            "context": {"period": {"start": "2026-09"}}
        })
    }

    fn one(change: impl Fn(&mut Value)) -> Document {
        let mut value = entry();
        change(&mut value);
        let mut found = documents(vec![value], &asked());
        assert_eq!(found.documents.len(), 1);
        found.documents.remove(0)
    }

    #[test]
    fn all_of_it_is_read() {
        let document = one(|_| {});
        assert_eq!(document.unique_id, UniqueId("1.2.3".into()));
        assert_eq!(document.entry_uuid, "e1");
        assert_eq!(document.logical_id.as_deref(), Some("0c2f7a70-5d7a-4b52-8f3b-3f6d9f1c2b11"));
        assert_eq!((&*document.type_code.0, &*document.type_label), ("34133-9", "Synthèse"));
        assert_eq!((&*document.class_code.0, &*document.title), ("11", "Une synthèse"));
        let author = &document.authors[0];
        assert_eq!((author.id.as_deref(), &*author.name), (Some("810101201234"), "Alix EXEMPLE"));
        assert_eq!(document.labels, [Label::Normal]);
        assert_eq!(document.status, Status::Current);
        assert_eq!(document.service_start.rfc3339(), "2026-09-01T00:00:00Z");
        assert_eq!(document.created.rfc3339(), "2026-10-02T14:00:00Z");
        // SHA-1 of "abc", FIPS 180-4.
        let sha1 = document.attachment.sha1.map(hex::encode);
        assert_eq!(sha1.as_deref(), Some("a9993e364706816aba3e25717850c26c9cd0d89d"));
        assert!(!document.by_patient);
    }

    #[test]
    fn an_unknown_label_or_none_is_never_taken_for_normal() {
        let unknown = |label: Value| one(|entry| entry["securityLabel"] = label.clone()).labels;
        // `null` is no FHIR: the whole entry is unreadable, and denied too.
        assert_eq!(unknown(json!(null)), [Label::Unknown(UNREADABLE.into())]);
        assert_eq!(unknown(json!([])), [Label::Unknown("absent".into())]);
        assert_eq!(unknown(json!([{"text": "secret"}])), [Label::Unknown("secret".into())]);
        assert_eq!(unknown(json!([{"coding": [{"display": "Normal"}]}])), [Label::Unknown("".into())]);
        assert_eq!(unknown(json!([{"coding": [{"code": "n"}]}])), [Label::Unknown("n".into())]);
        let two_ways = [
            json!([{"coding": [{"code": "N"}]}, {"coding": [{"code": "MASQUE_PS"}]}]),
            json!([{"coding": [{"code": "N"}, {"code": "MASQUE_PS"}]}]),
        ];
        for both in two_ways {
            assert_eq!(unknown(both), [Label::Normal, Label::MaskedToProfessionals]);
        }
    }

    #[test]
    fn a_faulty_entry_is_denied_and_counted_and_takes_no_other_with_it() {
        let faults: &[fn(&mut Value)] = &[
            |e| *e = json!(null),
            |e| *e = json!([1, 2]),
            |e| e["resourceType"] = json!("List"),
            |e| e["id"] = json!(7),
            |e| e["masterIdentifier"] = json!(null),
            |e| e["type"] = json!({"coding": []}),
            |e| e["author"] = json!([]),
            |e| e["content"] = json!([]),
            |e| e["content"][0]["attachment"]["url"] = json!(null),
            |e| e["content"][0]["attachment"]["size"] = json!(-1),
            |e| (e["date"], e["context"]) = (json!(null), json!(null)),
            |e| e["subject"]["reference"] = json!("Patient?identifier=urn:oid:1.2.250.1.213.1.4.10|255069999999934"),
            |e| {
                e["subject"] =
                    json!({"identifier": {"system": "urn:oid:1.2.250.1.213.1.4.8", "value": "279035121518989"}})
            },
        ];
        for (number, fault) in faults.iter().enumerate() {
            let mut broken = entry();
            fault(&mut broken);
            let found = documents(vec![broken, entry()], &asked());
            assert_eq!((found.unreadable, found.documents.len()), (1, 2), "fault {number}");
            assert_eq!(found.documents[0].type_code.0, UNREADABLE, "fault {number}");
            assert!(matches!(found.documents[0].labels[..], [Label::Unknown(_)]), "fault {number}");
            assert_eq!(found.documents[1].unique_id, UniqueId("1.2.3".into()), "fault {number}");
        }
    }

    #[test]
    fn strange_but_readable() {
        assert_eq!(one(|e| e["status"] = json!("entered-in-error")).status, Status::Deleted);
        assert_eq!(one(|e| e["status"] = json!("nice")).status, Status::Unknown);
        let archived = json!([{"url": names::IS_ARCHIVED, "valueBoolean": true}]);
        assert_eq!(one(|e| e["extension"] = archived.clone()).status, Status::Archived);
        assert_eq!(one(|e| e["content"][0]["attachment"]["hash"] = json!("00")).attachment.sha1, None);
        assert_eq!(one(|e| e["context"] = json!(null)).service_start.rfc3339(), "2026-10-02T14:00:00Z");
        assert_eq!(
            one(|e| e["author"] = json!([{"reference": "PractitionerRole/9"}])).authors[0].name,
            "Auteur non précisé"
        );
        assert_eq!(one(|e| e["author"] = json!([{"display": "Dr B"}])).authors[0].name, "Dr B");
        // ANS's own: its last letter sets bits that belong to no byte. And XDS's way of writing one.
        let abc = Some(*b"\xa9\x99\x3e\x36\x47\x06\x81\x6a\xba\x3e\x25\x71\x78\x50\xc2\x6c\x9c\xd0\xd8\x9d");
        for hash in
            ["qZk+NkcGgWq6PiVxeFDCbJzQ2J1=", "qZk+NkcGgWq6PiVxeFDCbJzQ2J0", "a9993e364706816aba3e25717850c26c9cd0d89d"]
        {
            assert_eq!(one(|e| e["content"][0]["attachment"]["hash"] = json!(hash)).attachment.sha1, abc, "{hash}");
        }
        let role = json!([{"resourceType": "PractitionerRole", "id": "a1", "organization": {"display": "Cabinet"},
            "practitioner": {"display": "Dr C", "identifier": {"value": "8999"}}}]);
        let author = one(|e| e["contained"] = role.clone()).authors.remove(0);
        assert_eq!(
            (author.id.as_deref(), &*author.name, author.structure.as_deref()),
            (Some("8999"), "Dr C", Some("Cabinet"))
        );
        let hospital = json!([{"resourceType": "Organization", "id": "a1", "name": "CHU"}]);
        assert_eq!(one(|e| e["contained"] = hospital.clone()).authors[0].name, "CHU");
        assert!(one(|e| e["author"] = json!([{"reference": "Patient/9", "display": "moi"}])).by_patient);
        assert!(one(|e| e["type"]["coding"][1]["code"] = json!("DOCPAT01")).by_patient);
        assert!(one(|e| e["category"][0]["coding"][0]["code"] = json!("90")).by_patient);
    }

    #[test]
    fn a_version_that_stands_is_known_by_its_id_and_never_less_labelled() {
        let bare = json!({"resourceType": "DocumentReference", "id": "e1", "status": "current"});
        let found = standing(&[entry(), bare, json!({"resourceType": "DocumentReference"}), json!(null)]);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].unique_id, Some(UniqueId("1.2.3".into())));
        assert_eq!(found[1].labels, [Label::Unknown("absent".into())]);
    }

    #[test]
    fn what_is_replaced_is_named_however_it_is_referred_to() {
        let replaces = |to: &str| {
            let mut newer = entry();
            newer["relatesTo"] = json!([{"code": "replaces", "target": {"reference": to}},
                {"code": "appends", "target": {"reference": "DocumentReference/e8"}}]);
            replaced(&[newer])
        };
        assert_eq!(replaces("DocumentReference/e7"), ["e7"]);
        assert_eq!(replaces("https://dmp.example/fhir/DocumentReference/e7/_history/2"), ["e7"]);
        assert!(replaces("urn:uuid:0c2f7a70-5d7a-4b52-8f3b-3f6d9f1c2b11").is_empty());
        assert!(replaces("Binary/e7").is_empty());
    }

    #[test]
    fn the_same_document_twice_is_one_with_every_label() {
        let mut masked = entry();
        masked["securityLabel"] = json!([{"coding": [{"code": "MASQUE_PS"}]}]);
        let found = documents(vec![entry(), masked, entry()], &asked());
        assert_eq!(found.documents.len(), 1);
        assert_eq!(found.documents[0].labels, [Label::Normal, Label::MaskedToProfessionals]);
    }
}
