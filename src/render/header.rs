//! The header of a CDA document (CDA R2 §4.2) → label and value, in the order to show (DMP EX_3.2-1030).

use roxmltree::Node;

use crate::record::summary::ATTENDING;
use crate::record::summary::CONTACT;
use crate::record::summary::TRUSTED;
use crate::render::xml;

/// Registers of the INS: NIR, NIA, and invented people.
const INS_OIDS: &[&str] = &["1.2.250.1.213.1.4.8", "1.2.250.1.213.1.4.9", "1.2.250.1.213.1.4.10"];

const INFORMANT: &str = "Informateur";

/// All that is there; what is missing is not shown as missing.
pub fn read(document: Node<'_, '_>) -> Vec<(String, String)> {
    let mut header = Header::default();
    header.add("Titre", xml::child(document, "title").map(xml::words));
    header.add("Type", xml::child(document, "code").and_then(label));
    if let Some(patient) = xml::at(document, &["recordTarget", "patientRole"]) {
        header.patient(patient);
    }
    for author in xml::children(document, "author") {
        header.person("Auteur", author, &["assignedAuthor"]);
        header.add("Rédigé le", xml::child(author, "time").and_then(date));
    }
    header.add("Document du", xml::child(document, "effectiveTime").and_then(date));
    for event in xml::children(document, "documentationOf").filter_map(|node| xml::child(node, "serviceEvent")) {
        header.add("Acte", xml::child(event, "code").and_then(label));
        header.add("Date de l’acte", xml::child(event, "effectiveTime").and_then(date));
        for performer in xml::children(event, "performer") {
            header.person("Réalisé par", performer, &["assignedEntity"]);
        }
    }
    if let Some(encounter) = xml::at(document, &["componentOf", "encompassingEncounter"]) {
        header.add("Prise en charge", xml::child(encounter, "code").and_then(label));
        header.add("Dates de prise en charge", xml::child(encounter, "effectiveTime").and_then(date));
        let place = xml::at(encounter, &["location", "healthCareFacility"]);
        header.add("Lieu", place.and_then(|place| xml::at(place, &["location", "name"])).map(xml::words));
        header.add("Secteur", place.and_then(|place| xml::child(place, "code")).and_then(label));
    }
    for informant in xml::children(document, "informant") {
        header.informant(informant);
    }
    for participant in xml::children(document, "participant") {
        header.participant(participant);
    }
    for signer in xml::children(document, "legalAuthenticator") {
        header.person("Responsable", signer, &["assignedEntity"]);
    }
    let custodian = xml::at(document, &["custodian", "assignedCustodian", "representedCustodianOrganization", "name"]);
    header.add("Conservé par", custodian.map(xml::words));
    header.add("Confidentialité", xml::child(document, "confidentialityCode").and_then(label));
    let version = xml::child(document, "versionNumber").and_then(|node| node.attribute("value"));
    header.add("Version", version.map(xml::collapse));
    header.0
}

#[derive(Default)]
struct Header(Vec<(String, String)>);

impl Header {
    fn add(&mut self, label: &str, value: Option<String>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.0.push((label.to_owned(), value));
        }
    }

    fn patient(&mut self, role: Node<'_, '_>) {
        let person = xml::child(role, "patient");
        self.add("Patient", person.and_then(|person| xml::child(person, "name")).map(full_name));
        for id in xml::children(role, "id") {
            if id.attribute("root").is_some_and(|root| INS_OIDS.contains(&root)) {
                self.add("INS", id.attribute("extension").map(xml::collapse));
            }
        }
        let Some(person) = person else { return };
        self.add("Sexe", xml::child(person, "administrativeGenderCode").and_then(sex));
        self.add("Naissance", xml::child(person, "birthTime").and_then(date));
        let place = xml::at(person, &["birthplace", "place"]);
        let place = place.and_then(|place| xml::child(place, "name").or_else(|| xml::child(place, "addr")));
        self.add("Lieu de naissance", place.map(spaced_words));
    }

    /// Whom to call (CI-SIS, structuration minimale: ECON to be told in an emergency, NOK trusted in the sense of CSP L.1111-6).
    fn informant(&mut self, node: Node<'_, '_>) {
        let Some(entity) = xml::child(node, "relatedEntity") else {
            return self.person(INFORMANT, node, &["assignedEntity"]);
        };
        let what = match entity.attribute("classCode") {
            Some("ECON") => CONTACT,
            Some("NOK") => TRUSTED,
            _ => INFORMANT,
        };
        self.associated(what, entity, &["relatedPerson", "name"], xml::child(entity, "code"));
    }

    /// Who took part, first of all who looks after the patient (CDA R2 §4.2.2.9).
    fn participant(&mut self, node: Node<'_, '_>) {
        let Some(entity) = xml::child(node, "associatedEntity") else { return };
        let function = xml::child(node, "functionCode");
        let what = match function.and_then(|function| function.attribute("code")) {
            Some("PCP" | "PCPR") => return self.associated(ATTENDING, entity, &["associatedPerson", "name"], None),
            _ => "Participant",
        };
        self.associated(what, entity, &["associatedPerson", "name"], function);
    }

    /// Name, organization, role, how to reach them: on one line.
    fn associated(&mut self, what: &str, entity: Node<'_, '_>, name: &[&str], role: Option<Node<'_, '_>>) {
        let organization = xml::at(entity, &["scopingOrganization", "name"]).map(xml::words);
        let parts = [xml::at(entity, name).map(full_name), organization, role.and_then(label)];
        let telecoms = xml::children(entity, "telecom").filter_map(|telecom| telecom.attribute("value"));
        let parts: Vec<String> = parts.into_iter().flatten().chain(telecoms.map(number)).collect();
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        self.add(what, Some(parts.join(", ")));
    }

    /// Name, profession, structure: on one line.
    fn person(&mut self, what: &str, node: Node<'_, '_>, path: &[&str]) {
        let Some(role) = xml::at(node, path) else { return };
        let name = xml::at(role, &["assignedPerson", "name"]).map(full_name);
        let device = xml::child(role, "assignedAuthoringDevice");
        let software = device
            .and_then(|device| xml::child(device, "softwareName").or(xml::child(device, "manufacturerModelName")));
        let organization = xml::child(role, "representedOrganization").and_then(|node| xml::child(node, "name"));
        let parts = [
            name.or_else(|| software.map(xml::words)),
            xml::child(role, "code").and_then(label),
            organization.map(xml::words),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
        self.add(what, Some(parts.join(", ")));
    }
}

/// Prefix, given names, birth and used family names, suffix: each named where there are several (CI-SIS header).
fn full_name(name: Node<'_, '_>) -> String {
    let parts = |wanted: &'static str| xml::children(name, wanted).map(xml::words).filter(|part| !part.is_empty());
    let mut words: Vec<String> = parts("prefix").collect();
    let mut given: Vec<String> = Vec::new();
    for part in parts("given") {
        // The one that is used often stands again beside the list of all birth given names.
        if !given.iter().any(|known| known == &part || known.split(' ').any(|word| word == part)) {
            given.push(part);
        }
    }
    words.append(&mut given);
    let families: Vec<Node<'_, '_>> = xml::children(name, "family").collect();
    for family in &families {
        let text = xml::words(*family);
        match family.attribute("qualifier") {
            Some("BR") if families.len() > 1 => words.push(format!("{text} (nom de naissance)")),
            Some("CL") | Some("SP") if families.len() > 1 => words.push(format!("{text} (nom utilisé)")),
            _ => words.push(text),
        }
    }
    words.extend(parts("suffix"));
    let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
    if words.is_empty() { xml::words(name) } else { words.join(" ") }
}

/// `tel:0102030405` → what is dialled, as it is written (RFC 3966).
fn number(value: &str) -> String {
    let value = xml::collapse(value);
    value.strip_prefix("tel:").or_else(|| value.strip_prefix("mailto:")).unwrap_or(&value).to_owned()
}

/// Elements of an address or a name, set apart.
fn spaced_words(node: Node<'_, '_>) -> String {
    let texts = node.descendants().filter(|node| node.is_text()).filter_map(|node| node.text());
    xml::collapse(&texts.collect::<Vec<_>>().join(" "))
}

/// What a code is called, else the code.
fn label(code: Node<'_, '_>) -> Option<String> {
    let original = || xml::child(code, "originalText").map(xml::words).filter(|text| !text.is_empty());
    code.attribute("displayName")
        .map(xml::collapse)
        .or_else(original)
        .or_else(|| code.attribute("code").map(xml::collapse))
}

fn sex(code: Node<'_, '_>) -> Option<String> {
    match code.attribute("code") {
        Some("M") => Some("Masculin".to_owned()),
        Some("F") => Some("Féminin".to_owned()),
        _ => label(code),
    }
}

/// A time stamp or an interval (HL7 v3 data types TS, IVL_TS).
fn date(node: Node<'_, '_>) -> Option<String> {
    let bound = |name| xml::child(node, name).and_then(|bound| bound.attribute("value")).map(time_stamp);
    if let Some(value) = node.attribute("value") {
        return Some(time_stamp(value));
    }
    match (bound("low"), bound("high")) {
        (Some(low), Some(high)) if low == high => Some(low),
        (Some(low), Some(high)) => Some(format!("du {low} au {high}")),
        (Some(low), None) => Some(format!("depuis le {low}")),
        (None, Some(high)) => Some(format!("jusqu’au {high}")),
        (None, None) => None,
    }
}

/// `YYYYMMDDHHMMSS+ZZZZ`, cut anywhere → as French writes it, in the time zone it was written in. Else as it is.
fn time_stamp(value: &str) -> String {
    let digits: String = value.chars().take_while(char::is_ascii_digit).collect();
    let part = |from: usize, to: usize| digits.get(from..to);
    let day = match (part(0, 4), part(4, 6), part(6, 8)) {
        (Some(year), Some(month), Some(day)) => format!("{day}/{month}/{year}"),
        (Some(year), Some(month), None) => format!("{month}/{year}"),
        (Some(year), None, None) => year.to_owned(),
        _ => return xml::collapse(value),
    };
    match (part(8, 10), part(10, 12)) {
        (Some(hour), Some(minute)) => format!("{day} à {hour}:{minute}"),
        _ => day,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stamps_are_read_as_far_as_they_go() {
        let table = [
            ("20220614103055.123+0200", "14/06/2022 à 10:30"),
            ("20220614", "14/06/2022"),
            ("202206", "06/2022"),
            ("1950", "1950"),
            ("inconnue", "inconnue"),
            ("", ""),
        ];
        for (value, expected) in table {
            assert_eq!(time_stamp(value), expected);
        }
    }

    #[test]
    fn names_say_which_is_which() {
        let name = |text: &str| full_name(roxmltree::Document::parse(text).expect("XML").root_element());
        let both = "<name><given>ANNE</given><given>ANNE</given><given>LOUISE</given><family qualifier='BR'>A</family><family qualifier='CL'>B</family></name>";
        assert_eq!(name(both), "ANNE LOUISE A (nom de naissance) B (nom utilisé)");
        let used = "<name><given qualifier='BR'>ANNE LOUISE</given><given qualifier='CL'>LOUISE</given><family>A</family></name>";
        assert_eq!(name(used), "ANNE LOUISE A");
        assert_eq!(name("<name><prefix>DR</prefix><given>X</given><family>Y</family></name>"), "DR X Y");
        assert_eq!(name("<name>Cabinet  Z</name>"), "Cabinet Z");
    }
}
