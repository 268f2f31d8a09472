//! TD2.1 (ITI-41): a finished note, its entry, and the document that signs both, in one submission; in the place of an older one where it
//! is a version (b). Pure.
//!
//! The entry is made from the note and from the bytes that it became when it was finished, never from who is here now (P4).

use crate::exchange::dmp::ebrim;
use crate::exchange::dmp::ebrim::Element;
use crate::exchange::dmp::entry;
use crate::exchange::dmp::names;
use crate::exchange::dmp::names::association;
use crate::exchange::dmp::update;
use crate::exchange::dmp::update::DOCUMENT;
use crate::exchange::dmp::update::SET;
use crate::exchange::dmp::update::Submission;
use crate::exchange::pdsm::content;
use crate::patient::ins::BirthDate;
use crate::patient::ins::Patient;
use crate::patient::ins::Sex;
use crate::record::document::Label;
use crate::record::note::Note;
use crate::record::note::Writer;
use crate::record::note::cda;

/// What goes in one submission.
pub struct Deposit<'a> {
    /// Its writer is the note's.
    pub submission: Submission<'a>,
    pub note: &'a Note,
    /// The CDA, byte for byte as it was finished.
    pub content: &'a [u8],
    /// Unique id and bytes of the signature.
    pub signature: (&'a str, &'a [u8]),
    /// Entry id of the version that it replaces.
    pub replaced: Option<&'a str>,
}

/// `Content-ID`s of the two parts beside the envelope.
pub const CONTENT_PART: &str = "doc-1@chevet.invalid";
pub const SIGNATURE_PART: &str = "sig-1@chevet.invalid";

/// The body of the request; both documents are parts beside it.
pub fn request(deposit: &Deposit<'_>) -> String {
    let Deposit { submission, replaced, .. } = deposit;
    let signs = linked("a3", association::SIGNS, SIGNATURE, SET).with_child(original());
    let mut list = Element::new("RegistryObjectList")
        .with_child(update::submission_set(submission, "Dépôt d’un document"))
        .with_child(document(deposit))
        .with_child(signature(deposit))
        .with_child(linked("a1", association::HAS_MEMBER, SET, DOCUMENT).with_child(original()))
        .with_child(linked("a2", association::HAS_MEMBER, SET, SIGNATURE).with_child(original()))
        .with_child(signs);
    if let Some(replaced) = replaced {
        list.children.push(linked("a4", association::REPLACES, DOCUMENT, replaced));
    }
    let include = |id: &str, part: &str| {
        let href = part.replace('@', "%40");
        format!(
            "<xds:Document id=\"{id}\"><xop:Include xmlns:xop=\"{}\" href=\"cid:{href}\"/></xds:Document>",
            names::XOP
        )
    };
    format!(
        "<xds:ProvideAndRegisterDocumentSetRequest xmlns:xds=\"{}\">{}{}{}</xds:ProvideAndRegisterDocumentSetRequest>",
        names::XDS,
        update::submitted(&list),
        include(DOCUMENT, CONTENT_PART),
        include(SIGNATURE, SIGNATURE_PART),
    )
}

fn document(deposit: &Deposit<'_>) -> Element {
    let Deposit { submission, note, content, .. } = deposit;
    let at = entry::write_time(note.at);
    let mut object = begun(DOCUMENT, content, "fr-FR", &[&at], submission)
        .with_child(source(&note.patient))
        .with_child(ebrim::localized("Name", &note.type_label));
    object.children.push(update::author(&note.writer, names::entry::AUTHOR, DOCUMENT));
    let type_code = &note.type_code.0;
    let codes = [
        (names::entry::CLASS, note.class_code.0.as_str(), names::CLASS, ""),
        (names::entry::TYPE, type_code, entry::type_system(type_code), &note.type_label),
        (names::entry::FORMAT, cda::FORMAT_CODE, names::FORMAT, ""),
    ];
    object.children.extend(codes.map(|(scheme, code, system, name)| ebrim::code(scheme, DOCUMENT, code, system, name)));
    object.children.extend(place(&note.writer, DOCUMENT));
    object.children.extend(note.labels.iter().map(|label| entry::label(label, DOCUMENT)));
    finished(object, "d", DOCUMENT, submission.patient, &note.unique_id().0)
}

/// The signature is a document too, which nobody is shown.
fn signature(deposit: &Deposit<'_>) -> Element {
    let Deposit { submission, note, signature: (unique_id, bytes), .. } = deposit;
    let at = entry::write_time(submission.at);
    let mut object = begun(SIGNATURE, bytes, "art", &[&at], submission).with_child(ebrim::localized("Name", "Source"));
    object.children.push(update::author(&note.writer, names::entry::AUTHOR, SIGNATURE));
    let codes = [
        (names::entry::CLASS, names::SIGNATURE_CLASS, "URN", "Digital Signature"),
        (names::entry::TYPE, "E1762", "ASTM", "Full Document"),
        (names::entry::FORMAT, names::DSIG, "URN", "Default Signature Style"),
        (names::entry::EVENT, names::PURPOSE_SOURCE, names::PURPOSES, "Source"),
    ];
    object
        .children
        .extend(codes.map(|(scheme, code, system, name)| ebrim::code(scheme, SIGNATURE, code, system, name)));
    object.children.extend(place(&note.writer, SIGNATURE));
    let hidden = [Label::Normal, Label::MaskedToProfessionals, Label::InvisibleToPatient];
    object.children.extend(hidden.iter().map(|label| entry::label(label, SIGNATURE)));
    finished(object, "g", SIGNATURE, submission.patient, unique_id)
}

/// An entry's own attributes and slots.
fn begun(id: &str, bytes: &[u8], language: &str, at: &[&str], submission: &Submission<'_>) -> Element {
    let (size, hash) = (bytes.len().to_string(), hex::encode(content::sha1(bytes)));
    let author = update::person(submission.writer);
    Element::new("ExtrinsicObject")
        .with("id", id)
        .with("mimeType", cda::MIME)
        .with("objectType", names::entry::OBJECT)
        .with_child(ebrim::slot("creationTime", at))
        .with_child(ebrim::slot("hash", &[&hash]))
        .with_child(ebrim::slot("languageCode", &[language]))
        .with_child(ebrim::slot("legalAuthenticator", &[&author]))
        .with_child(ebrim::slot("serviceStartTime", at))
        .with_child(ebrim::slot("serviceStopTime", at))
        .with_child(ebrim::slot("size", &[&size]))
        .with_child(ebrim::slot("sourcePatientId", &[submission.patient]))
}

fn finished(mut object: Element, prefix: &str, id: &str, patient: &str, unique_id: &str) -> Element {
    object.children.push(ebrim::external(names::entry::PATIENT_ID, id, patient, "XDSDocumentEntry.patientId"));
    object.children.push(ebrim::external(names::entry::UNIQUE_ID, id, unique_id, "XDSDocumentEntry.uniqueId"));
    ebrim::number_parts(&mut object, prefix);
    object
}

/// `PID-5`, `PID-7`, `PID-8`: as the patient is known here.
fn source(patient: &Patient) -> Element {
    let BirthDate { year, month, day } = patient.birth_date;
    let given = patient.birth_given_names.split(' ').next().unwrap_or("");
    let sex = match patient.sex {
        Sex::Male => "M",
        Sex::Female => "F",
        Sex::Indeterminate => "U",
    };
    let name = format!("PID-5|{}^{}^^^^^L", update::plain(&patient.birth_name), update::plain(given));
    let born = match (month, day) {
        (0, _) => format!("PID-7|{year:04}"),
        (_, 0) => format!("PID-7|{year:04}{month:02}"),
        _ => format!("PID-7|{year:04}{month:02}{day:02}"),
    };
    ebrim::slot("sourcePatientInfo", &[&name, &born, &format!("PID-8|{sex}")])
}

/// Where it was written: the sector that the card names, and the « cadre d'exercice » that goes with it.
fn place(writer: &Writer, object: &str) -> Vec<Element> {
    let sector = writer.situation.as_ref().and_then(|place| place.sector.as_deref());
    let sector = sector.map(|code| ebrim::code(names::entry::FACILITY, object, code, names::SECTOR, ""));
    let (code, name) = cda::practice(writer);
    sector.into_iter().chain([ebrim::code(names::entry::PRACTICE, object, code, names::PRACTICE, name)]).collect()
}

fn linked(id: &str, kind: &str, source: &str, target: &str) -> Element {
    Element::new("Association")
        .with("id", id)
        .with("objectType", association::OBJECT)
        .with("associationType", kind)
        .with("sourceObject", source)
        .with("targetObject", target)
}

fn original() -> Element {
    ebrim::slot("SubmissionSetStatus", &["Original"])
}

/// Whether an entry that is there is of these very bytes. One that gives no hash is not judged.
pub fn is_of(object: &Element, content: &[u8]) -> bool {
    object.slot("hash").next().is_none_or(|hash| hash.eq_ignore_ascii_case(&hex::encode(content::sha1(content))))
}

pub const SIGNATURE: &str = "Signature01";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::dmp::xml;
    use crate::record::note::cda::tests::note;
    use crate::time::UnixSeconds;

    const CX: &str = "279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH";

    fn sent(replaced: Option<&str>) -> (Element, String) {
        let note = note();
        let content = cda::write(&note);
        let submission = Submission {
            writer: &note.writer,
            patient: CX,
            source: "1.2.9",
            unique_id: "2.25.8",
            at: UnixSeconds(1_795_423_380),
        };
        let deposit = Deposit { submission, note: &note, content: &content, signature: ("2.25.9", b"<s/>"), replaced };
        let text = request(&deposit);
        let document = xml::parse(&text).expect("well-formed");
        let list = xml::at(document.root_element(), &["SubmitObjectsRequest", "RegistryObjectList"]).expect("a list");
        (Element::read(list), text)
    }

    #[test]
    fn the_note_its_signature_and_the_set_are_tied_together() {
        let (list, text) = sent(None);
        let links: Vec<(&str, &str, &str)> = list
            .named("Association")
            .map(|one| {
                let of = |name| one.attribute(name).unwrap_or("");
                (of("associationType"), of("sourceObject"), of("targetObject"))
            })
            .collect();
        let expected = [
            (association::HAS_MEMBER, SET, DOCUMENT),
            (association::HAS_MEMBER, SET, SIGNATURE),
            (association::SIGNS, SIGNATURE, SET),
        ];
        assert_eq!(links, expected);
        // Whoever finds the set later reads one document: the signature is none.
        let objects: Vec<Element> = list.named("ExtrinsicObject").cloned().collect();
        assert_eq!((objects.len(), entry::documents(&objects).documents.len()), (2, 1));
        let (newer, _) = sent(Some("urn:uuid:21"));
        let link = newer.named("Association").last().expect("a link");
        assert_eq!(link.attribute("associationType"), Some(association::REPLACES));
        assert_eq!(
            (link.attribute("sourceObject"), link.attribute("targetObject")),
            (Some(DOCUMENT), Some("urn:uuid:21"))
        );
        for (id, part) in [(DOCUMENT, "doc-1%40chevet.invalid"), (SIGNATURE, "sig-1%40chevet.invalid")] {
            assert!(text.contains(&format!("<xds:Document id=\"{id}\"><xop:Include")) && text.contains(part));
        }
    }

    #[test]
    fn an_entry_says_what_the_note_is_in_the_schemas_order() {
        let (list, _) = sent(None);
        let [document, seal] = list.named("ExtrinsicObject").collect::<Vec<_>>().try_into().expect("two entries");
        let slot = |object: &Element, name: &str| object.slot(name).collect::<Vec<_>>().join(" | ");
        let content = cda::write(&note());
        assert_eq!(slot(document, "size"), content.len().to_string());
        assert_eq!(slot(document, "hash"), hex::encode(content::sha1(&content)));
        assert_eq!(slot(document, "creationTime"), "20261123084200");
        assert_eq!(slot(document, "sourcePatientInfo"), "PID-5|PAT-TROIS^DOMINIQUE^^^^^L | PID-7|19790328 | PID-8|F");
        assert_eq!(slot(seal, "languageCode"), "art");
        let code = |object: &Element, scheme: &str| {
            let codes = object.classified(scheme).filter_map(|one| one.attribute("nodeRepresentation"));
            codes.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(code(document, names::entry::FACILITY), "SA07");
        assert_eq!(code(document, names::entry::PRACTICE), "AMBULATOIRE");
        assert_eq!(code(document, names::entry::FORMAT), cda::FORMAT_CODE);
        assert_eq!(code(seal, names::entry::CONFIDENTIALITY), "N MASQUE_PS INVISIBLE_PATIENT", "nobody is shown it");
        let author = document.classified(names::entry::AUTHOR).next().expect("an author");
        assert_eq!(slot(author, "authorSpecialty"), "G15_60^Infirmier^1.2.250.1.213.1.1.4.5");
        let mut ids = Vec::new();
        for object in &list.children {
            ids.extend(object.attribute("id"));
            ids.extend(object.children.iter().filter_map(|one| one.attribute("id")));
            let mut order: Vec<&str> = object.children.iter().map(|one| one.name.as_str()).collect();
            order.dedup();
            let schema = ["Slot", "Name", "Classification", "ExternalIdentifier"];
            assert!(order.iter().eq(schema.iter().filter(|name| order.contains(name))), "{order:?}");
        }
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!((ids.len(), count > 25), (count, true), "every part has an id of its own");
    }
}
