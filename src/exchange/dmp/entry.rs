//! DocumentEntry ↔ [`Document`] (IHE ITI TF Vol 3 §4.2.3.2, docs/dmp.md §4). Pure.
//!
//! Tolerant of order and of the faults of published examples, except where tolerance would show too much: a label that is not known,
//! or none, is `Label::Unknown`, and policy denies it. An entry that cannot be read stays in the list as a document of type
//! `unreadable`. Entries are not compared with the patient who was asked for: an INS may have changed (EX_3.1-1055).

use crate::exchange::dmp::ebrim;
use crate::exchange::dmp::ebrim::Element;
use crate::exchange::dmp::names;
use crate::exchange::dmp::names::entry;
use crate::exchange::dmp::names::status;
use crate::patient::ins::InsKind;
use crate::record::document::Attachment;
use crate::record::document::Author;
use crate::record::document::ClassCode;
use crate::record::document::Document;
use crate::record::document::Label;
use crate::record::document::Status;
use crate::record::document::TypeCode;
use crate::record::document::UniqueId;
use crate::time::UnixSeconds;
use std::collections::HashMap;

/// What a query found, and how much of it could not be read.
pub struct Found {
    pub documents: Vec<Document>,
    pub unreadable: usize,
}

/// All entries among these objects, each document once. The signature of a deposit is no document that anybody reads.
pub fn documents(objects: &[Element]) -> Found {
    let mut found = Found { documents: Vec::new(), unreadable: 0 };
    let mut places: HashMap<UniqueId, usize> = HashMap::new();
    for (number, object) in objects.iter().filter(|object| is_document(object)).enumerate() {
        let document = read(object).unwrap_or_else(|| {
            found.unreadable += 1;
            Document::unreadable(object.attribute("id").map_or_else(|| number.to_string(), str::to_owned))
        });
        // Two versions of one document's metadata: every label counts.
        match places.get(&document.unique_id) {
            Some(place) => {
                let first = &mut found.documents[*place];
                first.labels.extend(document.labels);
                first.labels.sort();
                first.labels.dedup();
            }
            None => {
                places.insert(document.unique_id.clone(), found.documents.len());
                found.documents.push(document);
            }
        }
    }
    found
}

fn is_document(object: &Element) -> bool {
    let mut classes = object.classified(names::entry::CLASS).filter_map(|class| class.attribute("nodeRepresentation"));
    object.name == "ExtrinsicObject" && !classes.any(|class| class == names::SIGNATURE_CLASS)
}

/// `None`: unreadable.
pub fn read(object: &Element) -> Option<Document> {
    let one = |scheme: &'static str| object.classified(scheme).next();
    let code = |scheme| one(scheme).and_then(|found| found.attribute("nodeRepresentation")).unwrap_or("").trim();
    let first = |name: &'static str| object.slot(name).next().unwrap_or("");
    let id = object.attribute("id").filter(|id| !id.is_empty())?;
    let unique_id = object.external(entry::UNIQUE_ID)?.trim_start_matches("urn:oid:");
    let (created, started) = (time(first("creationTime")), time(first("serviceStartTime")));
    let writers: Vec<(Author, bool)> = object.classified(entry::AUTHOR).filter_map(author).collect();
    let (type_code, class, repository) = (code(entry::TYPE), code(entry::CLASS), first("repositoryUniqueId"));
    if writers.is_empty() || type_code.is_empty() || repository.is_empty() || unique_id.is_empty() {
        return None;
    }
    let by_patient = class == "90"
        || type_code.starts_with("DOCPAT")
        || type_code.starts_with("EXPPAT")
        || writers.iter().any(|(_, is_patient)| *is_patient);
    Some(Document {
        unique_id: UniqueId(unique_id.to_owned()),
        entry_uuid: id.to_owned(),
        logical_id: object.attribute("lid").filter(|id| !id.is_empty()).map(str::to_owned),
        type_code: TypeCode(type_code.to_owned()),
        type_label: one(entry::TYPE).and_then(|found| found.localized("Name")).unwrap_or("").to_owned(),
        class_code: ClassCode(class.to_owned()),
        title: object.localized("Name").unwrap_or("").to_owned(),
        authors: writers.into_iter().map(|(author, _)| author).collect(),
        labels: labels(object),
        status: read_status(object.attribute("status").unwrap_or("")),
        service_start: started.or(created)?,
        created: created.or(started)?,
        format_code: code(entry::FORMAT).to_owned(),
        attachment: Attachment {
            url: format!("urn:oid:{repository}"),
            content_type: object.attribute("mimeType").unwrap_or("").to_owned(),
            size_bytes: first("size").parse().ok(),
            sha1: hex::decode(first("hash")).ok().and_then(|hash| hash.try_into().ok()),
        },
        by_patient,
    })
}

/// Where a document's content is asked for. `None`: it did not come from an XDS repository.
pub fn repository(document: &Document) -> Option<&str> {
    document.attachment.url.strip_prefix("urn:oid:")
}

/// One to four codes. The system is not compared: published examples misspell it.
pub fn labels(object: &Element) -> Vec<Label> {
    let codes = object.classified(entry::CONFIDENTIALITY);
    let mut labels: Vec<Label> =
        codes.map(|one| Label::from_code(one.attribute("nodeRepresentation").unwrap_or("").trim())).collect();
    if labels.is_empty() {
        labels.push(Label::Unknown("absent".to_owned()));
    }
    labels.sort();
    labels.dedup();
    labels
}

pub fn read_status(text: &str) -> Status {
    match text {
        status::APPROVED => Status::Current,
        status::DEPRECATED => Status::Superseded,
        status::ARCHIVED => Status::Archived,
        status::DELETED => Status::Deleted,
        _ => Status::Unknown,
    }
}

pub fn write_status(status: Status) -> Option<&'static str> {
    Some(match status {
        Status::Current => status::APPROVED,
        Status::Superseded => status::DEPRECATED,
        Status::Archived => status::ARCHIVED,
        Status::Deleted => status::DELETED,
        Status::Unknown => return None,
    })
}

/// XCN and XON, and whether it is a patient. Names are in the order in which they are spoken.
fn author(classification: &Element) -> Option<(Author, bool)> {
    let components = |text: &str| text.split('^').map(|part| part.trim().to_owned()).collect::<Vec<_>>();
    let person = classification.slot("authorPerson").next().map(components).unwrap_or_default();
    let part = |at: usize| person.get(at).map_or("", String::as_str);
    let structure = classification.slot("authorInstitution").map(|text| components(text).swap_remove(0));
    let structure = structure.into_iter().find(|name| !name.is_empty());
    // XCN.9 is the authority that gave the identifier.
    let authority = part(8).split('&').nth(1).unwrap_or("");
    let is_patient = InsKind::from_oid(authority).is_some();
    let id = Some(part(0)).filter(|id| !id.is_empty() && !is_patient).map(str::to_owned);
    let spoken = format!("{} {}", part(2), part(1)).trim().to_owned();
    let name = [spoken, structure.clone().unwrap_or_default(), id.clone().unwrap_or_default()];
    let name = name.into_iter().find(|name| !name.is_empty())?;
    Some((Author { id, name, structure }, is_patient))
}

/// DTM (HL7 v2.5 §2.A.22) in UTC, as precise as it is: what is left out is its first.
pub fn time(text: &str) -> Option<UnixSeconds> {
    let digits = text.trim();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || !matches!(digits.len(), 4 | 6 | 8 | 10 | 12 | 14) {
        return None;
    }
    let first = "00000101000000";
    let whole = format!("{digits}{}", &first[digits.len()..]);
    let part = |from: usize, to: usize| whole[from..to].parse::<i8>().ok();
    let year = whole[..4].parse().ok()?;
    let (month, day, hour) = (part(4, 6)?, part(6, 8)?, part(8, 10)?);
    let at = jiff::civil::DateTime::new(year, month, day, hour, part(10, 12)?, part(12, 14)?, 0).ok()?;
    Some(UnixSeconds(at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second()))
}

/// `yyyyMMddHHmmss` in UTC.
pub fn write_time(at: UnixSeconds) -> String {
    at.rfc3339().chars().filter(char::is_ascii_digit).take(14).collect()
}

/// Which system a type's code is of.
pub fn type_system(code: &str) -> &'static str {
    if code.starts_with(|letter: char| letter.is_ascii_digit()) { names::LOINC } else { names::TYPE }
}

/// A label's code as it stands in an entry. The name is the list's own.
pub fn label(label: &Label, object: &str) -> Element {
    let (system, name) = match label {
        Label::Normal => (names::CONFIDENTIALITY, "Normal"),
        Label::Restricted => (names::CONFIDENTIALITY, "Restreint"),
        Label::VeryRestricted => (names::CONFIDENTIALITY, "Très restreint"),
        Label::MaskedToProfessionals => (names::VISIBILITY, "Masqué aux professionnels de santé"),
        Label::InvisibleToPatient => (names::VISIBILITY, "Non visible par le patient"),
        Label::InvisibleToLegalRepresentatives => (names::VISIBILITY, "Non visible par les représentants légaux"),
        Label::Unknown(_) => (names::VISIBILITY, ""),
    };
    ebrim::code(entry::CONFIDENTIALITY, object, label.code(), system, name)
}

/// The least entry that says all of a document, for a patient (CX): a registry's, which nothing here is but the sandbox.
#[cfg(any(test, feature = "sandbox"))]
pub fn write(document: &Document, patient: &str) -> Element {
    let id = document.entry_uuid.as_str();
    let mut object = Element::new("ExtrinsicObject").with("id", id).with("objectType", entry::OBJECT);
    object.set("mimeType", &document.attachment.content_type);
    if let Some(lid) = &document.logical_id {
        object.set("lid", lid);
    }
    if let Some(status) = write_status(document.status) {
        object.set("status", status);
    }
    let (created, started) = (write_time(document.created), write_time(document.service_start));
    let (size, hash) = (document.attachment.size_bytes, document.attachment.sha1);
    let slots = [
        ("creationTime", Some(created)),
        ("hash", hash.map(hex::encode)),
        ("languageCode", Some("fr-FR".to_owned())),
        ("repositoryUniqueId", repository(document).map(str::to_owned)),
        ("serviceStartTime", Some(started)),
        ("size", size.map(|bytes| bytes.to_string())),
        ("sourcePatientId", Some(patient.to_owned())),
    ];
    let slots = slots.iter().filter_map(|(name, value)| Some(ebrim::slot(name, &[value.as_deref()?])));
    object.children.extend(slots);
    object.children.push(ebrim::localized("Name", &document.title));
    object.children.push(Element::new("VersionInfo").with("versionName", "1"));
    object.children.extend(document.authors.iter().map(|author| write_author(author, document.by_patient, id)));
    let type_code = &document.type_code.0;
    let codes = [
        (entry::CLASS, document.class_code.0.as_str(), names::CLASS, ""),
        (entry::TYPE, type_code, type_system(type_code), &document.type_label),
        (entry::FORMAT, &document.format_code, "1.3.6.1.4.1.19376.1.2.3", ""),
    ];
    object
        .children
        .extend(codes.iter().map(|(scheme, code, system, name)| ebrim::code(scheme, id, code, system, name)));
    object.children.extend(document.labels.iter().map(|one| label(one, id)));
    object.children.push(ebrim::external(entry::PATIENT_ID, id, patient, "XDSDocumentEntry.patientId"));
    object.children.push(ebrim::external(entry::UNIQUE_ID, id, &document.unique_id.0, "XDSDocumentEntry.uniqueId"));
    ebrim::number_parts(&mut object, "p");
    object
}

#[cfg(any(test, feature = "sandbox"))]
fn write_author(author: &Author, by_patient: bool, object: &str) -> Element {
    let plain = |text: &str| text.replace(['^', '&', '~', '|', '\\'], " ");
    let name = plain(&author.name);
    let (given, family) = name.rsplit_once(' ').unwrap_or(("", &name));
    let authority = if by_patient && author.id.is_none() { InsKind::Test.oid() } else { names::PROFESSIONAL };
    let person = format!("{}^{family}^{given}^^^^^^&{authority}&ISO^D", author.id.as_deref().unwrap_or(""));
    let classification =
        ebrim::classification(entry::AUTHOR, object, "").with_child(ebrim::slot("authorPerson", &[&person]));
    match &author.structure {
        Some(name) => {
            let structure = format!("{}^^^^^&{}&ISO", plain(name), names::STRUCTURE);
            classification.with_child(ebrim::slot("authorInstitution", &[&structure]))
        }
        None => classification,
    }
}

#[cfg(test)]
mod tests;
