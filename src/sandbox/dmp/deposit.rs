//! TD2.1 as this server takes it: a submission whose parts fit each other, whose documents are those that their entries promise, and
//! which its author's card has signed. What is kept is kept as for FHIR (`contribution`): both doors open on one record.

use crate::exchange::dmp::c14n;
use crate::exchange::dmp::c14n::Form;
use crate::exchange::dmp::ebrim;
use crate::exchange::dmp::ebrim::Element;
use crate::exchange::dmp::entry;
use crate::exchange::dmp::multipart;
use crate::exchange::dmp::multipart::Part;
use crate::exchange::dmp::names;
use crate::exchange::dmp::names::association;
use crate::exchange::dmp::signature;
use crate::exchange::dmp::xml;
use crate::exchange::pdsm::names as fhir;
use crate::identity::statement::Hash;
use crate::record::document::Document;
use crate::sandbox::dmp::contribution;
use crate::sandbox::dmp::faults::Fault;
use crate::sandbox::dmp::server::Shared;
use crate::sandbox::dmp::shapes;
use crate::sandbox::dmp::signed;
use crate::sandbox::dmp::xds;
use crate::sandbox::dmp::xds::Said;
use crate::sandbox::people::Person;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roxmltree::Node;
use serde_json::Value;
use serde_json::json;
use std::collections::HashMap;

/// IHE's code, and what is wrong.
type Wrong = (&'static str, &'static str);

const METADATA: &str = "XDSRepositoryMetadataError";

/// The `RegistryResponse`.
pub fn answer(shared: &Shared, said: &Said<'_>, parts: &[Part<'_>]) -> String {
    match taken(shared, said, parts) {
        Ok(()) => xds::response("RegistryResponse", names::RS, "Success", ""),
        Err((code, text)) => xds::response("RegistryResponse", names::RS, "Failure", &xds::errors(code, text)),
    }
}

fn taken(shared: &Shared, said: &Said<'_>, parts: &[Part<'_>]) -> Result<(), Wrong> {
    let person = xds::whose(shared, said).ok_or(("XDSUnknownPatientId", "patient inconnu"))?;
    if shared.faults.now() == Some(Fault::RefusesNotes) {
        return Err((METADATA, "Dépôt refusé par le bac à sable."));
    }
    let list = xml::at(said.body, &["SubmitObjectsRequest", "RegistryObjectList"]).map(Element::read);
    let list = list.ok_or((METADATA, "aucune liste"))?;
    let set = list.named("RegistryPackage").next().ok_or((METADATA, "aucun lot"))?;
    let set_id = set.attribute("id").unwrap_or("");
    let is_of_patient = |cx: Option<&str>| {
        let of = cx.and_then(xds::key);
        of.is_some() && of == said.patient.as_deref().and_then(xds::key)
    };
    if !is_of_patient(set.external(names::set::PATIENT_ID)) || !is_by(set, names::set::AUTHOR, &said.caller.id) {
        return Err(("XDSPatientIdDoesNotMatch", "le lot est d’un autre"));
    }
    let documents = documents(said.body, parts);
    let of_kind = |is_signature: bool| {
        let is_one = move |one: &&Element| {
            let class =
                one.classified(names::entry::CLASS).next().and_then(|code| code.attribute("nodeRepresentation"));
            (class == Some(names::SIGNATURE_CLASS)) == is_signature
        };
        let mut all = list.named("ExtrinsicObject").filter(is_one);
        all.next().filter(|_| all.next().is_none()).ok_or((METADATA, "un document et sa signature"))
    };
    let (object, seal) = (of_kind(false)?, of_kind(true)?);
    for one in [object, seal] {
        let bytes = documents.get(one.attribute("id").unwrap_or("")).ok_or(("XDSMissingDocument", "contenu absent"))?;
        let hash = hex::encode(sha1(bytes));
        let size = bytes.len().to_string();
        if one.slot("hash").next() != Some(&*hash) || one.slot("size").next() != Some(&*size) {
            return Err(("XDSNonIdenticalHash", "empreinte ou taille fausse"));
        }
        if !is_of_patient(one.external(names::entry::PATIENT_ID)) || !is_by(one, names::entry::AUTHOR, &said.caller.id)
        {
            return Err(("XDSPatientIdDoesNotMatch", "l’entrée est d’un autre"));
        }
        if !is_linked(&list, association::HAS_MEMBER, set_id, one.attribute("id").unwrap_or("")) {
            return Err((METADATA, "l’entrée n’est pas du lot"));
        }
    }
    if !is_linked(&list, association::SIGNS, seal.attribute("id").unwrap_or(""), set_id) {
        return Err((METADATA, "le lot n’est pas signé"));
    }
    let bytes_of = |one: &Element| documents[one.attribute("id").unwrap_or("")];
    let mut whole = object.clone();
    whole.set("status", names::status::APPROVED);
    whole.children.insert(0, ebrim::slot("repositoryUniqueId", &[xds::REPOSITORY]));
    let document = entry::read(&whole).ok_or((METADATA, "entrée incomplète"))?;
    let needed = [names::entry::FACILITY, names::entry::PRACTICE, names::entry::FORMAT, names::entry::CONFIDENTIALITY];
    if needed.iter().any(|scheme| object.classified(scheme).next().is_none()) {
        return Err((METADATA, "entrée incomplète"));
    }
    let text = xml::text_of(bytes_of(object)).map_err(|_| (METADATA, "CDA illisible"))?;
    let cda = xml::parse(text).map_err(|_| (METADATA, "CDA illisible"))?;
    check_header(cda.root_element(), person, &document)?;
    let set_unique = set.external(names::set::UNIQUE_ID).unwrap_or("");
    check_seal(shared, bytes_of(seal), &said.caller.id, &[(set_unique, None), (&document.unique_id.0, Some(&cda))])?;
    let known = xds::entries(shared, person, &said.caller);
    if known.iter().any(|one| one.unique_id == document.unique_id) {
        return Err(("XDSDuplicateUniqueIdInRegistry", "ce document est déjà là"));
    }
    let replaced =
        list.named("Association").find(|one| one.attribute("associationType") == Some(association::REPLACES));
    let replaced = match replaced.map(|link| link.attribute("targetObject").unwrap_or("")) {
        Some(target) => {
            let old = known.iter().find(|one| one.entry_uuid == target);
            Some(old.ok_or(("XDSReplaceFailed", "la version remplacée n’est pas là"))?.unique_id.0.clone())
        }
        None => None,
    };
    let bundle = bundle(person, &document, bytes_of(object), replaced.as_deref(), &said.caller.name);
    contribution::store(shared, &said.caller, &bundle).map_err(|_| (METADATA, "refusé"))?;
    Ok(())
}

/// The parts that its `Document`s name.
fn documents<'a>(body: Node<'_, '_>, parts: &'a [Part<'_>]) -> HashMap<String, &'a [u8]> {
    let one = |node: Node<'_, '_>| {
        let href = xml::child(node, "Include")?.attribute("href")?;
        Some((node.attribute("id")?.to_owned(), &*multipart::part_of(parts, href)?.bytes))
    };
    xml::children(body, "Document").filter_map(one).collect()
}

fn is_by(object: &Element, scheme: &str, holder: &str) -> bool {
    let person = object.classified(scheme).next().and_then(|author| author.slot("authorPerson").next());
    person.and_then(|person| person.split('^').next()) == Some(holder)
}

fn is_linked(list: &Element, kind: &str, source: &str, target: &str) -> bool {
    let of = |one: &Element, name: &str| one.attribute(name).unwrap_or("").to_owned();
    list.named("Association").any(|one| {
        of(one, "associationType") == kind && of(one, "sourceObject") == source && of(one, "targetObject") == target
    })
}

/// « Structuration minimale »: what its schematron asks for and this server can see.
fn check_header(root: Node<'_, '_>, person: &Person, document: &Document) -> Result<(), Wrong> {
    let at = |path: &[&'static str]| xml::at(root, path);
    let value = |path: &[&'static str], name: &str| at(path).and_then(|node| node.attribute(name)).unwrap_or("");
    let patient = ["recordTarget", "patientRole", "patient"];
    let within = |last: &[&'static str]| at(&[&patient[..], last].concat());
    let ins = &person.patient.ins;
    let performer = ["documentationOf", "serviceEvent", "performer", "assignedEntity", "representedOrganization"];
    let is_whole = value(&["id"], "root") == document.unique_id.0
        && !value(&["setId"], "root").is_empty()
        && !value(&["versionNumber"], "value").is_empty()
        && value(&["code"], "code") == document.type_code.0
        && value(&["recordTarget", "patientRole", "id"], "extension") == ins.matricule
        && value(&["recordTarget", "patientRole", "id"], "root") == ins.kind.oid()
        && within(&["name", "family"]).is_some()
        && within(&["name", "given"]).is_some()
        && within(&["administrativeGenderCode"]).is_some()
        && within(&["birthTime"]).is_some()
        && within(&["birthplace", "place", "addr", "county"]).is_some()
        && at(&[&performer[..], &["standardIndustryClassCode"]].concat()).is_some()
        && value(&["author", "assignedAuthor", "code"], "code").starts_with("G15_");
    if is_whole { Ok(()) } else { Err((METADATA, "en-tête CDA incomplet")) }
}

/// The signature of the card's holder over its manifest, and the manifest over these: unique id, and the document where it is one.
fn check_seal(
    shared: &Shared,
    bytes: &[u8],
    card: &str,
    about: &[(&str, Option<&roxmltree::Document<'_>>)],
) -> Result<(), Wrong> {
    let wrong = ("DMPInvalidSignature", "la signature n’est pas valide");
    let text = xml::text_of(bytes).map_err(|_| wrong)?;
    let seal = xml::parse(text).map_err(|_| wrong)?;
    let root = seal.root_element();
    let signed = signed::verify(shared, root, root, card).ok_or(wrong)?;
    if signed != [signature::MANIFEST, signature::PROPERTIES] {
        return Err(wrong);
    }
    let manifest = signature::by_id(&seal, signature::MANIFEST).ok_or(wrong)?;
    for (unique_id, document) in about {
        let uri = format!("urn:oid:{unique_id}");
        let reference =
            xml::children(manifest, "Reference").find(|one| one.attribute("URI") == Some(&uri)).ok_or(wrong)?;
        if let Some(document) = document {
            let text = c14n::canonical(document.root(), Form::Inclusive, None);
            if !signed::is_digest(reference, text.as_bytes()) {
                return Err(wrong);
            }
        }
    }
    Ok(())
}

/// As `contribution` takes it.
fn bundle(person: &Person, document: &Document, bytes: &[u8], replaced: Option<&str>, name: &str) -> Value {
    let id = document.authors.first().and_then(|author| author.id.clone());
    let (given, family) = name.split_once(' ').unwrap_or(("", name));
    let urn = |id: &str| format!("urn:oid:{id}");
    let labels: Vec<Value> = document.labels.iter().map(|one| json!({"coding": [{"code": one.code()}]})).collect();
    let mut reference = json!({
        "resourceType": "DocumentReference",
        "contained": [{"resourceType": "Practitioner", "id": "author",
            "identifier": [{"system": fhir::PROFESSIONAL, "value": id}],
            "name": [{"family": family, "given": [given], "text": name}]}],
        "masterIdentifier": {"system": fhir::URI, "value": urn(&document.unique_id.0)},
        "status": "current",
        "type": {"coding": [{"code": document.type_code.0, "display": document.type_label}]},
        "category": [{"coding": [{"system": fhir::CLASS, "code": document.class_code.0}]}],
        "subject": {"identifier": shapes::patient_identifier(person)}, "date": document.created.rfc3339(),
        "author": [{"reference": "#author"}],
        "securityLabel": labels,
        "content": [{
            "attachment": {"contentType": document.attachment.content_type, "language": "fr-FR", "size": bytes.len(),
                "hash": STANDARD.encode(sha1(bytes)), "title": document.title,
                "creation": document.created.rfc3339()},
            "format": {"system": fhir::FORMAT, "code": document.format_code},
        }],
        "context": {"period": {"start": document.service_start.rfc3339()}},
    });
    if let Some(replaced) = replaced {
        let target = json!({"identifier": {"system": fhir::URI, "value": urn(replaced)}});
        reference["relatesTo"] = json!([{"code": "replaces", "target": target}]);
    }
    json!({"resourceType": "Bundle", "entry": [
        {"resource": reference}, {"resource": {"resourceType": "Binary", "data": STANDARD.encode(bytes)}}]})
}

fn sha1(bytes: &[u8]) -> Vec<u8> {
    Hash::Sha1.of(bytes)
}
