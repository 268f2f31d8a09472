//! A note as CDA R2 level 1: the header of CI-SIS's *structuration minimale*, the text as it was typed.
//!
//! What is asked of the header is read from the agency's own samples (docs/pdsm.md §8 says which element is sure and which is
//! inferred). What a card does not say is left out, or said to be unknown; nothing is made up.

use crate::patient::ins::BirthDate;
use crate::patient::ins::Patient;
use crate::patient::ins::Sex;
use crate::record::document::UniqueId;
use crate::record::note::Note;
use crate::record::note::Writer;
use crate::time::UnixSeconds;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

/// JDV_J60: a CDA around plain text.
pub const FORMAT_CODE: &str = "urn:ihe:iti:xds-sd:text:2008";
pub const MIME: &str = "text/xml";

/// UTF-8, and the same bytes each time.
pub fn write(note: &Note) -> Vec<u8> {
    let mut out = String::with_capacity(4_096 + 2 * note.text.len());
    out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ClinicalDocument xmlns=\"urn:hl7-org:v3\">\n");
    out.push_str(&identity(note));
    out.push_str(&patient(&note.patient));
    let (at, who) = (time(note.at), &note.writer);
    let code = coded(who);
    let (person, structure) = (person(who), structure(who, "representedOrganization"));
    let id = format!("<id root=\"{PROFESSIONALS}\" extension=\"{}\"/>", escape(&who.id.0));
    out.push_str(&format!(
        "  <author><time value=\"{at}\"/><assignedAuthor>{id}{code}{NO_ADDRESS}{person}{structure}</assignedAuthor></author>\n"
    ));
    let keeper = structure_or_person(who);
    out.push_str(&format!("  <custodian><assignedCustodian>{keeper}</assignedCustodian></custodian>\n"));
    let entity = format!("<assignedEntity>{id}{code}{NO_ADDRESS}{person}{structure}</assignedEntity>");
    let place = place_of_work(who);
    let performer = format!("<assignedEntity>{id}{code}{NO_ADDRESS}{person}{place}</assignedEntity>");
    out.push_str(&format!(
        "  <legalAuthenticator><time value=\"{at}\"/><signatureCode code=\"S\"/>{entity}</legalAuthenticator>\n"
    ));
    out.push_str(&format!(
        "  <documentationOf><serviceEvent><effectiveTime><low value=\"{at}\"/></effectiveTime>\
         <performer typeCode=\"PRF\">{performer}</performer></serviceEvent></documentationOf>\n"
    ));
    if let Some(replaced) = &note.replaces {
        out.push_str(&format!(
            "  <relatedDocument typeCode=\"RPLC\"><parentDocument>{}</parentDocument></relatedDocument>\n",
            document_id("id", &replaced.unique_id)
        ));
    }
    out.push_str(&encounter(who, &at));
    out.push_str(&format!(
        "  <component><nonXMLBody><text mediaType=\"text/plain\" representation=\"B64\">{}</text></nonXMLBody></component>\n\
         </ClinicalDocument>\n",
        BASE64.encode(&note.text)
    ));
    out.into_bytes()
}

/// What the document is, in the order of CDA R2's schema.
fn identity(note: &Note) -> String {
    let own = note.unique_id();
    // A version stands in the set of the one that it replaces.
    let (set, version) = note.replaces.as_ref().map_or((&own, 1), |replaced| (&replaced.unique_id, 2));
    // LOINC where the code has its shape, else the agency's own table of types.
    let code = &note.type_code.0;
    let is_loinc = code.starts_with(|first: char| first.is_ascii_digit()) && code.contains('-');
    let system = if is_loinc { LOINC } else { TYPES };
    format!(
        "  <realmCode code=\"FR\"/>\n  <typeId root=\"2.16.840.1.113883.1.3\" extension=\"POCD_HD000040\"/>\n\
         {}  {}\n  <code code=\"{}\" displayName=\"{label}\" codeSystem=\"{system}\"/>\n  <title>{label}</title>\n\
         \x20 <effectiveTime value=\"{}\"/>\n\
         \x20 <confidentialityCode code=\"N\" displayName=\"Normal\" codeSystem=\"2.16.840.1.113883.5.25\"/>\n\
         \x20 <languageCode code=\"fr-FR\"/>\n  {}\n  <versionNumber value=\"{version}\"/>\n",
        TEMPLATES.map(|template| format!("  <templateId root=\"{template}\"/>\n")).concat(),
        document_id("id", &own),
        escape(code),
        time(note.at),
        document_id("setId", set),
        label = escape(&note.type_label),
    )
}

/// An OID stands as a root; another identifier has none of its own and stands under the arc of URIs.
fn document_id(element: &str, id: &UniqueId) -> String {
    let is_oid = id.0.contains('.') && id.0.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    match is_oid {
        true => format!("<{element} root=\"{}\"/>", id.0),
        false => format!("<{element} root=\"2.16.840.1.113883.4.873\" extension=\"{}\"/>", escape(&id.0)),
    }
}

/// The five traits, as they are known here; nothing that came from upstream.
fn patient(patient: &Patient) -> String {
    let (code, word) = match patient.sex {
        Sex::Male => ("M", "Masculin"),
        Sex::Female => ("F", "Féminin"),
        Sex::Indeterminate => ("U", "Inconnu"),
    };
    let BirthDate { year, month, day } = patient.birth_date;
    // HL7 TS may be cut short: a day that is not known is not 00.
    let born = match (month, day) {
        (0, _) => format!("{year:04}"),
        (_, 0) => format!("{year:04}{month:02}"),
        _ => format!("{year:04}{month:02}{day:02}"),
    };
    let given = &patient.birth_given_names;
    let first = given.split(' ').next().unwrap_or("");
    let given = match given.is_empty() {
        true => String::new(),
        false => {
            format!("<given>{}</given><given qualifier=\"BR\">{}</given>", escape(given), escape(first))
        }
    };
    let place = patient.birth_place.as_ref().map_or(String::new(), |insee| {
        format!("<birthplace><place><addr><county>{}</county></addr></place></birthplace>", escape(insee))
    });
    format!(
        "  <recordTarget><patientRole><id root=\"{}\" extension=\"{}\"/>{NO_ADDRESS}\
         <patient><name><family qualifier=\"BR\">{}</family>{given}</name>\
         <administrativeGenderCode code=\"{code}\" displayName=\"{word}\" codeSystem=\"2.16.840.1.113883.5.1\"/>\
         <birthTime value=\"{born}\"/>{place}</patient></patientRole></recordTarget>\n",
        patient.ins.kind.oid(),
        patient.ins.matricule,
        escape(&patient.birth_name),
    )
}

fn coded(who: &Writer) -> String {
    who.code().map_or(String::new(), |code| {
        format!(
            "<code code=\"{}\" displayName=\"{}\" codeSystem=\"1.2.250.1.213.1.1.4.5\"/>",
            escape(&code),
            escape(&who.profession_label)
        )
    })
}

fn person(who: &Writer) -> String {
    format!(
        "<assignedPerson><name><given>{}</given><family>{}</family></name></assignedPerson>",
        escape(&who.given_name),
        escape(&who.family_name)
    )
}

/// FINESS, SIRET or practice, with the prefix that the card gives it.
fn structure(who: &Writer, element: &str) -> String {
    identified(who).map_or(String::new(), |inside| format!("<{element}>{inside}</{element}>"))
}

fn identified(who: &Writer) -> Option<String> {
    let place = who.situation.as_ref()?;
    let (id, name) = (escape(&place.structure), named(&place.name));
    Some(format!("<id root=\"{STRUCTURES}\" extension=\"{id}\"/>{name}{NO_TELECOM_NOR_ADDRESS}"))
}

/// Whoever does an act does it somewhere: in which setting is asked for even where the card names no structure.
fn place_of_work(who: &Writer) -> String {
    let (code, label) = practice(who);
    format!(
        "<representedOrganization>{}<standardIndustryClassCode code=\"{code}\" displayName=\"{label}\" \
         codeSystem=\"1.2.250.1.213.1.1.4.9\"/></representedOrganization>",
        identified(who).unwrap_or_default()
    )
}

/// « Cadre d'exercice » (TRE_A01) with its label: hospitals are SA01 to SA04 of TRE_R02, all else is ambulatory.
pub fn practice(who: &Writer) -> (&'static str, &'static str) {
    match who.situation.as_ref().and_then(|place| place.sector.as_deref()) {
        Some("SA01" | "SA02" | "SA03" | "SA04") => ("ETABLISSEMENT", "Établissement de santé"),
        _ => ("AMBULATOIRE", "Ambulatoire"),
    }
}

/// Whoever works nowhere that the card names keeps what they write themselves.
fn structure_or_person(who: &Writer) -> String {
    let element = "representedCustodianOrganization";
    match &who.situation {
        Some(_) => structure(who, element),
        None => format!(
            "<{element}><id root=\"{PROFESSIONALS}\" extension=\"{}\"/>{}{NO_TELECOM_NOR_ADDRESS}</{element}>",
            escape(&who.id.0),
            named(&format!("{} {}", who.given_name, who.family_name))
        ),
    }
}

fn named(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!("<name>{}</name>", escape(name)) }
}

/// Where it was: the sector of the situation (TRE_R02), unknown where the card does not say.
fn encounter(who: &Writer, at: &str) -> String {
    let sector = who.situation.as_ref().and_then(|place| place.sector.as_ref());
    let code = sector.map_or("<code nullFlavor=\"UNK\"/>".to_owned(), |sector| {
        format!("<code code=\"{}\" codeSystem=\"1.2.250.1.71.4.2.4\"/>", escape(sector))
    });
    format!(
        "  <componentOf><encompassingEncounter><effectiveTime><low value=\"{at}\"/></effectiveTime>\
         <location><healthCareFacility>{code}</healthCareFacility></location></encompassingEncounter></componentOf>\n"
    )
}

/// HL7 TS in UTC: `20261123084200+0000`.
fn time(at: UnixSeconds) -> String {
    let digits: String = at.rfc3339().chars().filter(char::is_ascii_digit).collect();
    format!("{digits}+0000")
}

/// XML 1.0 §2.2 has no control characters, whatever a card says.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

/// HL7 France, CI-SIS's minimal structure, IHE's document around a text (XDS-SD).
const TEMPLATES: [&str; 3] = ["2.16.840.1.113883.2.8.2.1", "1.2.250.1.213.1.1.1.1", "1.3.6.1.4.1.19376.1.2.20"];
const LOINC: &str = "2.16.840.1.113883.6.1";
const TYPES: &str = "1.2.250.1.213.1.1.4.12";
const PROFESSIONALS: &str = "1.2.250.1.71.4.2.1";
const STRUCTURES: &str = "1.2.250.1.71.4.2.2";
/// In the order of an organization's.
const NO_TELECOM_NOR_ADDRESS: &str = "<telecom nullFlavor=\"NASK\"/><addr nullFlavor=\"NASK\"/>";
const NO_ADDRESS: &str = "<addr nullFlavor=\"NASK\"/><telecom nullFlavor=\"NASK\"/>";

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::identity::holder::HolderId;
    use crate::identity::holder::ProfessionCode;
    use crate::identity::holder::Situation;
    use crate::patient::ins::Ins;
    use crate::patient::ins::InsKind;
    use crate::record::document::ClassCode;
    use crate::record::document::Label;
    use crate::record::document::TypeCode;
    use crate::record::note::Replaced;
    use uuid::Uuid;

    /// Of invented people.
    pub(crate) fn note() -> Note {
        Note {
            id: Uuid::from_u128(7),
            patient: Patient {
                ins: Ins::unchecked("279035121518989", InsKind::Test).expect("well formed"),
                birth_name: "PAT-TROIS".into(),
                birth_given_names: "DOMINIQUE MARIE-LOUISE".into(),
                sex: Sex::Female,
                birth_date: BirthDate { year: 1979, month: 3, day: 28 },
                birth_place: Some("51215".into()),
            },
            writer: Writer {
                id: HolderId("899700000012".into()),
                family_name: "INFIRMIÈRE".into(),
                given_name: "Odile & <Anne>".into(),
                profession: Some(ProfessionCode(60)),
                profession_label: "Infirmier".into(),
                specialty: None,
                situation: Some(Situation {
                    structure: "10B0108284".into(),
                    name: "CABINET \"DU\u{1} VAL\"".into(),
                    sector: Some("SA07".into()),
                }),
            },
            type_code: TypeCode("11505-5".into()),
            type_label: "Compte rendu d’acte thérapeutique (autre)".into(),
            class_code: ClassCode("10".into()),
            text: "Pansement refait, plaie propre.\nTA 12/7 < 14.".into(),
            labels: vec![Label::Normal],
            replaces: None,
            at: UnixSeconds(1_795_423_320),
        }
    }

    fn at<'a>(cda: &'a roxmltree::Document<'_>, path: &[&str]) -> roxmltree::Node<'a, 'a> {
        path.iter().fold(cda.root_element(), |node, name| {
            let found = node.children().find(|child| child.tag_name().name() == *name);
            found.unwrap_or_else(|| panic!("no {name}"))
        })
    }

    #[test]
    fn who_wrote_what_about_whom() {
        let bytes = write(&note());
        let text = String::from_utf8(bytes).expect("UTF-8");
        let cda = roxmltree::Document::parse(&text).expect("well-formed, whatever a card says");
        assert_eq!(at(&cda, &["id"]).attribute("root"), Some("2.25.7"));
        assert_eq!(at(&cda, &["setId"]).attribute("root"), Some("2.25.7"));
        assert_eq!(at(&cda, &["code"]).attribute("code"), Some("11505-5"));
        assert_eq!(at(&cda, &["effectiveTime"]).attribute("value"), Some("20261123084200+0000"));
        let ins = at(&cda, &["recordTarget", "patientRole", "id"]);
        assert_eq!(ins.attribute("extension"), Some("279035121518989"));
        assert_eq!(ins.attribute("root"), Some("1.2.250.1.213.1.4.10"));
        for path in [&["author", "assignedAuthor"][..], &["legalAuthenticator", "assignedEntity"]] {
            let who = |last| at(&cda, &[path, &[last]].concat());
            assert_eq!(who("id").attribute("extension"), Some("899700000012"));
            assert_eq!(who("code").attribute("code"), Some("G15_60"));
            assert_eq!(at(&cda, &[path, &["assignedPerson", "name", "given"]].concat()).text(), Some("Odile & <Anne>"));
        }
        let keeper = ["custodian", "assignedCustodian", "representedCustodianOrganization", "id"];
        assert_eq!(at(&cda, &keeper).attribute("extension"), Some("10B0108284"));
        let act = ["documentationOf", "serviceEvent", "performer", "assignedEntity", "representedOrganization"];
        let inside: Vec<&str> = at(&cda, &act).children().map(|node| node.tag_name().name()).collect();
        assert_eq!(inside, ["id", "name", "telecom", "addr", "standardIndustryClassCode"], "the schema's order");
        let setting = at(&cda, &[&act[..], &["standardIndustryClassCode"]].concat());
        assert_eq!(setting.attribute("code"), Some("AMBULATOIRE"));
        let body = at(&cda, &["component", "nonXMLBody", "text"]).text().expect("a body");
        assert_eq!(BASE64.decode(body).expect("base64"), note().text.as_bytes());
    }

    /// CDA R2's schema is a sequence.
    #[test]
    fn its_elements_stand_in_the_schemas_order() {
        let replaced = Replaced { unique_id: UniqueId("2.25.6".into()), entry: "c1".into() };
        let note = Note { replaces: Some(replaced), ..note() };
        let text = String::from_utf8(write(&note)).expect("UTF-8");
        let cda = roxmltree::Document::parse(&text).expect("well-formed");
        let mut order: Vec<&str> =
            cda.root_element().children().filter(|node| node.is_element()).map(|node| node.tag_name().name()).collect();
        order.dedup();
        let schema = "realmCode typeId templateId id code title effectiveTime confidentialityCode languageCode setId \
                      versionNumber recordTarget author custodian legalAuthenticator documentationOf relatedDocument \
                      componentOf component";
        assert_eq!(order, schema.split_whitespace().collect::<Vec<_>>());
        assert_eq!(at(&cda, &["setId"]).attribute("root"), Some("2.25.6"));
        assert_eq!(at(&cda, &["versionNumber"]).attribute("value"), Some("2"));
        assert_eq!(at(&cda, &["relatedDocument", "parentDocument", "id"]).attribute("root"), Some("2.25.6"));
    }

    #[test]
    fn what_nobody_said_is_not_made_up() {
        let mut note = note();
        note.writer.situation = None;
        note.writer.profession = None;
        note.patient.birth_place = None;
        note.patient.birth_date = BirthDate { year: 1979, month: 0, day: 0 };
        let text = String::from_utf8(write(&note)).expect("UTF-8");
        let cda = roxmltree::Document::parse(&text).expect("well-formed");
        assert_eq!(at(&cda, &["recordTarget", "patientRole", "patient", "birthTime"]).attribute("value"), Some("1979"));
        assert!(!text.contains("birthplace") && !text.contains("1.2.250.1.71.4.2.2") && !text.contains("G15_"));
        let act =
            at(&cda, &["documentationOf", "serviceEvent", "performer", "assignedEntity", "representedOrganization"]);
        let inside: Vec<&str> = act.children().map(|node| node.tag_name().name()).collect();
        assert_eq!(inside, ["standardIndustryClassCode"], "it was done somewhere");
        let keeper = ["custodian", "assignedCustodian", "representedCustodianOrganization", "id"];
        assert_eq!(at(&cda, &keeper).attribute("extension"), Some("899700000012"));
    }
}
