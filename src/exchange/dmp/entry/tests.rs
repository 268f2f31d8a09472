//! Documents through the registry and back, and entries that are wrong.

use super::*;
use crate::exchange::dmp::ebrim::tests::any_element;
use crate::exchange::dmp::ebrim::tests::reread;
use crate::exchange::dmp::xml;
use crate::record::document::UNREADABLE;
use proptest::prelude::*;

const CX: &str = "269059900000136^^^&1.2.250.1.213.1.4.10&ISO^NH";

fn name() -> impl Strategy<Value = String> {
    "[A-Za-zÉèç’<>\"']{1,8}( [A-Zé-]{1,8}){0,2}"
}

fn code() -> impl Strategy<Value = String> {
    "[0-9A-Z_-]{1,10}"
}

fn a_label() -> impl Strategy<Value = Label> {
    prop::sample::select(vec!["N", "R", "V", "INVISIBLE_PATIENT", "INVISIBLE_REPRESENTANTS_LEGAUX", "MASQUE_PS", "X"])
        .prop_map(Label::from_code)
}

fn an_author() -> impl Strategy<Value = Author> {
    (prop::option::of("[0-9]{12}"), name(), prop::option::of("[A-Za-z é’]{0,8}[A-Z]"))
        .prop_map(|(id, name, structure)| Author { id, name, structure: structure.map(|name| name.trim().to_owned()) })
}

/// Any document that an XDS registry can hold.
fn any_document() -> impl Strategy<Value = Document> {
    let seconds = || (0_i64..4_000_000_000).prop_map(UnixSeconds);
    let ids = ("[0-9]{1,4}(\\.[0-9]{1,4}){1,4}", "urn:uuid:[0-9a-f-]{36}", prop::option::of("urn:uuid:[0-9a-f-]{36}"));
    let codes = (code(), code(), code());
    let said = (
        prop::collection::vec(an_author(), 1..4),
        prop::collection::btree_set(a_label(), 1..4),
        prop::sample::select(vec![
            Status::Current,
            Status::Archived,
            Status::Superseded,
            Status::Deleted,
            Status::Unknown,
        ]),
    );
    let content = ("[a-z]{1,5}/[a-z+]{1,8}", prop::option::of(any::<u64>()), prop::option::of(any::<[u8; 20]>()));
    (ids, codes, said, content, "[^\\x00-\\x1f\\u{fffe}\\u{ffff}]{0,20}", seconds(), seconds()).prop_map(
        |(ids, codes, said, content, title, created, service_start)| {
            let (type_code, class, format_code) = codes;
            let by_patient = class == "90" || type_code.starts_with("DOCPAT") || type_code.starts_with("EXPPAT");
            Document {
                unique_id: UniqueId(ids.0),
                entry_uuid: ids.1,
                logical_id: ids.2,
                type_label: title.clone(),
                type_code: TypeCode(type_code),
                class_code: ClassCode(class),
                title,
                authors: said.0,
                labels: said.1.into_iter().collect(),
                status: said.2,
                service_start,
                created,
                format_code,
                attachment: Attachment {
                    url: "urn:oid:1.2.250.1.213.4.1.1.1.2".to_owned(),
                    content_type: content.0,
                    size_bytes: content.1,
                    sha1: content.2,
                },
                by_patient,
            }
        },
    )
}

proptest! {
    /// Through bytes, with its parts in any order and strangers among them: the same document, and the strangers still there.
    #[test]
    fn a_document_survives_the_registry(
        document in any_document(),
        strangers in prop::collection::vec(any_element().prop_filter("not ours", |one| {
            !matches!(one.name.as_str(), "Slot" | "Name" | "Classification" | "ExternalIdentifier" | "VersionInfo")
        }), 0..3),
        order in any::<u64>(),
    ) {
        let mut object = write(&document, CX);
        object.children.push(ebrim::slot("urn:unknown:slot", &["a", " b "]));
        object.children.extend(strangers);
        // A rotation and a reversal reach every neighbourhood that matters: authors keep theirs, because their order means something.
        let authors: Vec<Element> = object.classified(entry::AUTHOR).cloned().collect();
        let turn = usize::try_from(order % 97).expect("small") % object.children.len();
        object.children.rotate_left(turn);
        if order % 2 == 0 {
            object.children.reverse();
        }
        let mut authors = authors.into_iter();
        for child in &mut object.children {
            if child.attribute("classificationScheme") == Some(entry::AUTHOR) {
                *child = authors.next().expect("as many");
            }
        }
        let again = reread(&object);
        prop_assert!(again == object, "nothing is lost");
        prop_assert!(read(&again) == Some(document), "{}", object.write());
    }

    #[test]
    fn no_element_is_too_much(element in any_element()) {
        let found = documents(&[Element { name: "ExtrinsicObject".to_owned(), ..element }]);
        prop_assert_eq!((found.documents.len(), found.unreadable), (1, 1));
    }
}

fn sample() -> Element {
    let document = xml::parse(
        "<rim:ExtrinsicObject xmlns:rim='urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0' id='urn:uuid:20' lid='urn:uuid:2' \
         mimeType='text/xml' status='urn:oasis:names:tc:ebxml-regrep:StatusType:Approved'>\
         <rim:Slot name='creationTime'><rim:ValueList><rim:Value>202609010830</rim:Value></rim:ValueList></rim:Slot>\
         <rim:Slot name='repositoryUniqueId'><rim:ValueList><rim:Value> 1.2.3 </rim:Value></rim:ValueList></rim:Slot>\
         <rim:Name><rim:LocalizedString xml:lang='fr' value='Synthèse'/></rim:Name>\
         <rim:Classification id='a' classificationScheme='urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d'>\
         <rim:Slot name='authorInstitution'><rim:ValueList><rim:Value>CABINET^^^^^&amp;1.2.250.1.71.4.2.2&amp;ISO^IDNST^^^4</rim:Value></rim:ValueList></rim:Slot>\
         <rim:Slot name='authorPerson'><rim:ValueList><rim:Value>899700000013^EXEMPLE^CAMILLE^^^^^^&amp;1.2.250.1.71.4.2.1&amp;ISO^D^^^IDNPS</rim:Value></rim:ValueList></rim:Slot>\
         </rim:Classification>\
         <rim:Classification id='b' classificationScheme='urn:uuid:f0306f51-975f-434e-a61c-c59651d33983' nodeRepresentation='34133-9'/>\
         <rim:Classification id='b' classificationScheme='urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f' nodeRepresentation='N'>\
         <rim:Slot name='codingScheme'><rim:ValueList><rim:Value>21.2.250.wrong</rim:Value></rim:ValueList></rim:Slot></rim:Classification>\
         <rim:ExternalIdentifier id='b' identificationScheme='urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab' value='1.9.1'/>\
         </rim:ExtrinsicObject>",
    )
    .map(|document| Element::read(document.root_element()));
    document.expect("well-formed")
}

#[test]
fn an_entry_like_the_published_ones_is_read() {
    let document = read(&sample()).expect("readable, double ids and wrong systems included");
    assert_eq!((document.entry_uuid.as_str(), document.logical_id.as_deref()), ("urn:uuid:20", Some("urn:uuid:2")));
    assert_eq!((document.unique_id.0.as_str(), document.title.as_str()), ("1.9.1", "Synthèse"));
    assert_eq!((document.status, document.labels), (Status::Current, vec![Label::Normal]));
    let author = &document.authors[0];
    assert_eq!((author.id.as_deref(), author.name.as_str()), (Some("899700000013"), "CAMILLE EXEMPLE"));
    assert_eq!(author.structure.as_deref(), Some("CABINET"));
    assert_eq!(document.created.rfc3339(), "2026-09-01T08:30:00Z");
    assert_eq!(document.service_start, document.created, "the other time, where one is not there");
    assert_eq!(document.attachment.url, "urn:oid:1.2.3");
}

/// P5: a label that is not known, or that is not there, is never taken for « normal ».
#[test]
fn a_label_that_cannot_be_read_denies() {
    let with = |change: &dyn Fn(&mut Element)| {
        let mut object = sample();
        for child in &mut object.children {
            if child.attribute("classificationScheme") == Some(entry::CONFIDENTIALITY) {
                change(child);
            }
        }
        read(&object).expect("readable").labels
    };
    let unknown = |text: &str| vec![Label::Unknown(text.to_owned())];
    assert_eq!(with(&|label| label.set("nodeRepresentation", "SECRET")), unknown("SECRET"));
    assert_eq!(with(&|label| label.set("nodeRepresentation", "")), unknown(""));
    assert_eq!(with(&|label| label.set("classificationScheme", "urn:uuid:other")), unknown("absent"));
}

#[test]
fn what_no_list_can_do_without_is_unreadable_and_stays_in_the_list() {
    let without = |scheme: &str, slot: &str| {
        let mut object = sample();
        object.children.retain(|child| {
            child.attribute("classificationScheme") != Some(scheme)
                && child.attribute("identificationScheme") != Some(scheme)
                && child.attribute("name") != Some(slot)
        });
        let found = documents(&[object]);
        assert_eq!((found.documents.len(), found.unreadable), (1, 1), "{scheme}{slot}");
        assert_eq!(found.documents[0].type_code.0, UNREADABLE);
        assert_eq!(found.documents[0].labels, [Label::Unknown(UNREADABLE.to_owned())]);
    };
    for scheme in [entry::AUTHOR, entry::TYPE, entry::UNIQUE_ID] {
        without(scheme, "");
    }
    for slot in ["creationTime", "repositoryUniqueId"] {
        without("", slot);
    }
}

#[test]
fn a_document_is_listed_once_with_every_label() {
    let mut masked = sample();
    masked.children.push(label(&Label::MaskedToProfessionals, "x"));
    masked.set("id", "urn:uuid:21");
    let found = documents(&[sample(), masked, Element::new("Association")]);
    assert_eq!(found.documents.len(), 1);
    assert_eq!(found.documents[0].labels, [Label::Normal, Label::MaskedToProfessionals]);
}

#[test]
fn a_time_is_as_precise_as_it_is() {
    let read = |text: &str| time(text).map(UnixSeconds::rfc3339);
    assert_eq!(read("2026").as_deref(), Some("2026-01-01T00:00:00Z"));
    assert_eq!(read("202602").as_deref(), Some("2026-02-01T00:00:00Z"));
    assert_eq!(read("20260228").as_deref(), Some("2026-02-28T00:00:00Z"));
    assert_eq!(read("2026022823").as_deref(), Some("2026-02-28T23:00:00Z"));
    assert_eq!(read("20260228235958").as_deref(), Some("2026-02-28T23:59:58Z"));
    for bad in ["", "202", "20260230", "2026-02-28", "20260228235960x", "99999999999999", "é026"] {
        assert_eq!(read(bad), None, "{bad}");
    }
}

/// A document of a patient's looks different, whoever wrote its code.
#[test]
fn a_patient_who_writes_is_known_by_the_authority_of_their_number() {
    let mut object = sample();
    let person = ebrim::slot("authorPerson", &["269059900000136^SPECIMEN^MARIE^^^^^^&1.2.250.1.213.1.4.10&ISO"]);
    object.children.push(ebrim::classification(entry::AUTHOR, "x", "").with_child(person));
    let document = read(&object).expect("readable");
    assert!(document.by_patient);
    assert_eq!(document.authors[1].id, None, "an INS is no professional's number");
}
