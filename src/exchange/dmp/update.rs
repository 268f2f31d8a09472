//! TD3.3 (ITI-57): what an author does later with a document of theirs. Pure.
//!
//! Archiving, restoring and withdrawing change a status (c, d). A label is changed by sending the whole entry again (a, b), as it
//! was read, unknown slots included.

use crate::exchange::dmp::ebrim;
use crate::exchange::dmp::ebrim::Element;
use crate::exchange::dmp::entry;
use crate::exchange::dmp::names;
use crate::exchange::dmp::names::association;
use crate::exchange::dmp::names::set;
use crate::exchange::dmp::names::status;
use crate::record::document::Label;
use crate::record::note::Change;
use crate::record::note::Writer;
use crate::time::UnixSeconds;

/// Who submits, about whom, when, and under which name.
pub struct Submission<'a> {
    pub writer: &'a Writer,
    /// CX
    pub patient: &'a str,
    /// The software's own root.
    pub source: &'a str,
    /// The submission set's own OID.
    pub unique_id: &'a str,
    pub at: UnixSeconds,
}

pub const SET: &str = "SubmissionSet01";
pub const DOCUMENT: &str = "Document01";

/// What has to be sent so that the entry is as its author wants it. `None`: it is so already.
pub fn request(submission: &Submission<'_>, object: &Element, change: Change) -> Option<String> {
    let objects = match change {
        Change::Mask | Change::Show | Change::RevealToPatient | Change::RevealToRepresentatives => {
            relabelled(object, &change.labels_after(&known_labels(object)))?
        }
        Change::Archive => availability(object, status::ARCHIVED)?,
        Change::Restore => availability(object, status::APPROVED)?,
        Change::Withdraw => availability(object, status::DELETED)?,
    };
    let list = Element { children: objects, ..Element::new("RegistryObjectList") };
    let set = submission_set(submission, "Modification d’un document");
    let list = Element { children: [vec![set], list.children].concat(), ..list };
    Some(submitted(&list))
}

/// A `RegistryObjectList` as it is submitted.
pub fn submitted(list: &Element) -> String {
    format!("<lcm:SubmitObjectsRequest xmlns:lcm=\"{}\">{}</lcm:SubmitObjectsRequest>", names::LCM, list.write())
}

/// The entry's own, the absent one left out: a new version must not be given a label that nobody gave it.
fn known_labels(object: &Element) -> Vec<Label> {
    let is_there = object.classified(names::entry::CONFIDENTIALITY).next().is_some();
    if is_there { entry::labels(object) } else { Vec::new() }
}

fn availability(object: &Element, new: &str) -> Option<Vec<Element>> {
    let (id, now) = (object.attribute("id")?, object.attribute("status")?);
    if now == new {
        return None;
    }
    let link = linked(association::UPDATE_STATUS, id)
        .with_child(ebrim::slot("OriginalStatus", &[now]))
        .with_child(ebrim::slot("NewStatus", &[new]));
    Some(vec![link])
}

/// The entry anew under a symbolic id, with these labels and nothing else changed. Labels that stay keep what stands with them.
fn relabelled(object: &Element, labels: &[Label]) -> Option<Vec<Element>> {
    let mut before = known_labels(object);
    let mut after = labels.to_vec();
    before.sort();
    after.sort();
    if before == after {
        return None;
    }
    let scheme = names::entry::CONFIDENTIALITY;
    let is_label = |one: &Element| one.attribute("classificationScheme") == Some(scheme);
    let of = |one: &Element| Label::from_code(one.attribute("nodeRepresentation").unwrap_or("").trim());
    let mut anew = object.clone();
    anew.children.retain(|one| !is_label(one) || after.contains(&of(one)));
    // Behind the other classifications: their place is part of the schema's order (ebRIM 3.0 §2.5).
    let place =
        anew.children.iter().rposition(|one| one.name == "Classification").map_or(anew.children.len(), |at| at + 1);
    let added = after.iter().filter(|label| !before.contains(label)).map(|label| entry::label(label, DOCUMENT));
    anew.children.splice(place..place, added);
    if anew.attribute("lid").is_none() {
        anew.set("lid", object.attribute("id")?);
    }
    anew.set("id", DOCUMENT);
    for part in &mut anew.children {
        let owner = match part.name.as_str() {
            "Classification" => "classifiedObject",
            "ExternalIdentifier" => "registryObject",
            _ => continue,
        };
        part.set(owner, DOCUMENT);
    }
    ebrim::number_parts(&mut anew, "d");
    let link = linked(association::HAS_MEMBER, DOCUMENT)
        .with_child(ebrim::slot("SubmissionSetStatus", &["Original"]))
        .with_child(ebrim::slot("PreviousVersion", &[object.version()]));
    Some(vec![anew, link])
}

fn linked(kind: &str, target: &str) -> Element {
    Element::new("Association")
        .with("id", "Association01")
        .with("objectType", association::OBJECT)
        .with("associationType", kind)
        .with("sourceObject", SET)
        .with("targetObject", target)
}

pub fn submission_set(submission: &Submission<'_>, title: &str) -> Element {
    let Submission { writer, patient, source, unique_id, at } = submission;
    let mut package = Element::new("RegistryPackage")
        .with("id", SET)
        .with_child(ebrim::slot("submissionTime", &[&entry::write_time(*at)]))
        .with_child(ebrim::localized("Name", title))
        .with_child(author(writer, set::AUTHOR, SET))
        // « Consultation » (JDV_J59).
        .with_child(ebrim::code(set::CONTENT, SET, "07", set::CONTENT_SCHEME, "Consultation"))
        .with_child(Element::new("Classification").with("classificationNode", set::NODE).with("classifiedObject", SET))
        .with_child(ebrim::external(set::PATIENT_ID, SET, patient, "XDSSubmissionSet.patientId"))
        .with_child(ebrim::external(set::SOURCE_ID, SET, source, "XDSSubmissionSet.sourceId"))
        .with_child(ebrim::external(set::UNIQUE_ID, SET, unique_id, "XDSSubmissionSet.uniqueId"));
    ebrim::number_parts(&mut package, "s");
    package
}

/// An author of `object`: XCN and XON as the DMP writes them (CX.5 and XON.7 are the French ones), and what they are.
pub fn author(writer: &Writer, scheme: &str, object: &str) -> Element {
    let structure = writer.situation.as_ref().map(|place| {
        format!("{}^^^^^&{}&ISO^IDNST^^^{}", plain(&place.name), names::STRUCTURE, plain(&place.structure))
    });
    let specialty =
        writer.code().map(|code| format!("{code}^{}^{}", plain(&writer.profession_label), names::SPECIALTIES));
    let slots =
        [("authorInstitution", structure), ("authorPerson", Some(person(writer))), ("authorSpecialty", specialty)];
    let slots = slots.into_iter().filter_map(|(name, value)| Some(ebrim::slot(name, &[&value?])));
    slots.fold(ebrim::classification(scheme, object, ""), Element::with_child)
}

/// XCN
pub fn person(writer: &Writer) -> String {
    let (family, given) = (plain(&writer.family_name), plain(&writer.given_name));
    format!("{}^{family}^{given}^^^^^^&{}&ISO^D^^^IDNPS", plain(&writer.id.0), names::PROFESSIONAL)
}

/// Without HL7's own signs.
pub fn plain(text: &str) -> String {
    text.replace(['^', '&', '~', '|', '\\'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::dmp::ebrim::slot;
    use crate::exchange::dmp::vihf;
    use crate::exchange::dmp::xml;

    const CX: &str = "269059900000136^^^&1.2.250.1.213.1.4.10&ISO^NH";

    fn object(labels: &[Label]) -> Element {
        let mut object = Element::new("ExtrinsicObject")
            .with("id", "urn:uuid:1")
            .with("status", status::APPROVED)
            .with("urn-unknown", "x")
            .with_child(slot("urn:unknown:slot", &["1", "2"]))
            .with_child(Element::new("VersionInfo").with("versionName", "3"));
        for label in labels {
            object.children.push(entry::label(label, "urn:uuid:1").with("kept", "yes"));
        }
        object
            .with_child(ebrim::external(names::entry::UNIQUE_ID, "urn:uuid:1", "1.9", "u"))
            .with_child(Element::new("Later"))
    }

    /// What is sent, object by object.
    fn sent(object: &Element, change: Change) -> Option<Vec<Element>> {
        let actor = vihf::tests::actor();
        let submission = Submission {
            writer: &Writer::of(&actor.holder, &actor.profession_label),
            patient: CX,
            source: "1.2.9",
            unique_id: "2.25.7",
            at: UnixSeconds(1_795_423_320),
        };
        let text = request(&submission, object, change)?;
        let document = xml::parse(&text).expect("well-formed");
        let list = xml::child(document.root_element(), "RegistryObjectList").expect("a list");
        Some(Element::read(list).children)
    }

    #[test]
    fn a_new_label_comes_with_the_whole_entry_and_changes_nothing_else() {
        let before = object(&[Label::Normal]);
        let [set, anew, link] = sent(&before, Change::Mask).expect("a change").try_into().expect("three objects");
        assert_eq!(entry::labels(&anew), [Label::Normal, Label::MaskedToProfessionals]);
        assert_eq!((anew.attribute("id"), anew.attribute("lid")), (Some(DOCUMENT), Some("urn:uuid:1")));
        assert_eq!((anew.attribute("urn-unknown"), anew.version()), (Some("x"), "3"));
        assert_eq!(anew.slot("urn:unknown:slot").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(anew.named("Later").count(), 1);
        assert_eq!(anew.external(names::entry::UNIQUE_ID), Some("1.9"));
        let kept: Vec<bool> = anew.named("Classification").map(|one| one.attribute("kept").is_some()).collect();
        assert_eq!(kept, [true, false], "what stands with a label that stays, stays");
        let mut ids: Vec<&str> = anew.children.iter().filter_map(|one| one.attribute("id")).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 3, "every part has an id of its own");
        assert!(anew.named("Classification").all(|one| one.attribute("classifiedObject") == Some(DOCUMENT)));
        assert_eq!(link.attribute("associationType"), Some(association::HAS_MEMBER));
        assert_eq!((link.attribute("sourceObject"), link.attribute("targetObject")), (Some(SET), Some(DOCUMENT)));
        assert_eq!(link.slot("PreviousVersion").collect::<Vec<_>>(), ["3"]);
        assert_eq!(set.external(names::set::PATIENT_ID), Some(CX));
        let person = set.classified(set::AUTHOR).next().expect("an author").slot("authorPerson").next();
        let what = set.classified(set::AUTHOR).next().expect("an author").slot("authorSpecialty").next();
        assert_eq!(what, Some("G15_10/SM26^Médecin^1.2.250.1.213.1.1.4.5"));
        assert_eq!(person, Some("899700000013^EXEMPLE^CAMILLE^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS"));
    }

    #[test]
    fn a_label_is_taken_away_and_an_unknown_one_stays() {
        let unknown = Label::Unknown("X".into());
        let before = object(&[Label::Normal, unknown.clone(), Label::MaskedToProfessionals]);
        let shown = sent(&before, Change::Show).expect("a change");
        let mut expected = vec![Label::Normal, unknown];
        expected.sort();
        assert_eq!(entry::labels(&shown[1]), expected);
    }

    #[test]
    fn a_status_is_changed_by_a_link_alone() {
        for (change, new) in [(Change::Archive, status::ARCHIVED), (Change::Withdraw, status::DELETED)] {
            let [_, link] = sent(&object(&[]), change).expect("a change").try_into().expect("two objects");
            assert_eq!(link.attribute("associationType"), Some(association::UPDATE_STATUS));
            assert_eq!(link.attribute("targetObject"), Some("urn:uuid:1"));
            assert_eq!(link.slot("OriginalStatus").collect::<Vec<_>>(), [status::APPROVED]);
            assert_eq!(link.slot("NewStatus").collect::<Vec<_>>(), [new]);
        }
        let mut archived = object(&[]);
        archived.set("status", status::ARCHIVED);
        let restored = sent(&archived, Change::Restore).expect("a change");
        assert_eq!(restored[1].slot("NewStatus").collect::<Vec<_>>(), [status::APPROVED]);
    }

    /// Sent twice, the second time finds it done.
    #[test]
    fn what_is_so_already_is_not_asked_for() {
        let masked = object(&[Label::MaskedToProfessionals, Label::Normal]);
        assert_eq!(sent(&masked, Change::Mask), None);
        assert_eq!(sent(&masked, Change::Restore), None, "it is not archived");
        assert!(sent(&masked, Change::Show).is_some());
    }
}
