//! Records as FHIR R4, exactly as `docs/pdsm.md` says.

use crate::sandbox::people::Author;
use crate::sandbox::people::CareTeam;
use crate::sandbox::people::Paper;
use crate::sandbox::people::PaperStatus;
use crate::sandbox::people::Person;
use crate::sandbox::people::Record;
use crate::time::UnixSeconds;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use serde_json::json;

pub const PS: &str = "urn:oid:1.2.250.1.71.4.2.1";

/// A care team, by its name.
pub const TEAM: &str = "https://chevet.invalid/fhir/identifier/team";

pub fn searchset(resources: Vec<Value>, total: usize, links: Vec<Value>) -> Value {
    let entries: Vec<Value> =
        resources.into_iter().map(|resource| json!({"search": {"mode": "match"}, "resource": resource})).collect();
    let mut bundle = json!({"resourceType": "Bundle", "type": "searchset", "total": total, "link": links});
    // FHIR has no empty arrays.
    if !entries.is_empty() {
        bundle["entry"] = Value::Array(entries);
    }
    if bundle["link"].as_array().is_some_and(Vec::is_empty) {
        bundle.as_object_mut().map(|object| object.remove("link"));
    }
    bundle
}

/// `matricule^oid` of an identifier.
pub fn patient_key(identifier: &Value) -> Option<String> {
    let oid = identifier["system"].as_str()?.strip_prefix("urn:oid:")?;
    Some(format!("{}^{oid}", identifier["value"].as_str()?))
}

pub fn patient_identifier(person: &Person) -> Value {
    let ins = &person.patient.ins;
    json!({"system": format!("urn:oid:{}", ins.kind.oid()), "value": ins.matricule})
}

/// TD0.2 without identity traits: they are never to be shown.
pub fn patient(person: &Person, number: usize, holder: &str, today: UnixSeconds) -> Value {
    let switches = person.emergency;
    let mut extensions = vec![
        json!({"url": format!("{DMP}/dmp-medecin-traitant"), "valueBoolean": person.attending == Some(holder)}),
        json!({"url": format!("{OURS}/administrator"), "valueBoolean": false}),
        json!({"url": format!("{OURS}/minor"), "valueBoolean": person.minor}),
        json!({"url": format!("{OURS}/emergency-switches"), "extension": [
            {"url": "samu", "valueBoolean": switches.samu},
            {"url": "otherProfessionals", "valueBoolean": switches.other_professionals},
            {"url": "maskedDocuments", "valueBoolean": switches.masked_documents}
        ]}),
    ];
    if let Record::Closed { days_ago } = person.record {
        let on = today.plus(-86_400 * i64::from(days_ago)).rfc3339();
        extensions.push(json!({"url": format!("{DMP}/dmp-fermeture"), "extension": [
            {"url": "dateFermeture", "valueDate": &on[..10]},
            {"url": "motifFermeture", "valueCodeableConcept": {"coding": [{
                "system": "https://interop.esante.gouv.fr/ig/fhir/dmp/CodeSystem/dmp-motif-fermeture",
                "code": "patient-demande"
            }]}},
            {"url": "raisonFermeture", "valueString": "Demande du patient"}
        ]}));
    }
    let mut identifier = patient_identifier(person);
    identifier["use"] = json!("official");
    json!({
        "resourceType": "Patient", "id": format!("p{}", number + 1), "identifier": [identifier],
        "active": person.record == Record::Open, "extension": extensions
    })
}

pub fn consent(person: &Person, holder: &str, category: &str, status: &str, kind: &str) -> Value {
    json!({
        "resourceType": "Consent", "id": format!("{category}-{holder}"), "status": status,
        "scope": {"coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"
        }]},
        "category": [{"coding": [{
            "system": "https://chevet.invalid/fhir/CodeSystem/consent-category", "code": category
        }]}],
        "patient": {"identifier": patient_identifier(person)},
        "policyRule": {"coding": [{
            "system": "https://chevet.invalid/fhir/CodeSystem/regime", "code": "conseil-etat-2025"
        }]},
        "provision": {
            "type": kind,
            "actor": [{
                "role": {"coding": [{
                    "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"
                }]},
                "reference": {"identifier": {"system": PS, "value": holder}}
            }]
        }
    })
}

/// What the patient agreed to somewhere else.
pub fn team_consent(person: &Person, team: &CareTeam) -> Value {
    let mut consent = consent(person, team.name, "team", "active", "permit");
    consent["id"] = json!("team");
    consent["dateTime"] = json!(team.agreed.rfc3339());
    consent["provision"]["actor"][0]["reference"]["identifier"]["system"] = json!(TEAM);
    consent
}

pub fn care_team(person: &Person) -> Option<Value> {
    let team = person.care_team.as_ref()?;
    let member = |id: &&str| json!({"member": {"identifier": {"system": PS, "value": id}}});
    Some(json!({
        "resourceType": "CareTeam", "id": "team", "status": "active", "name": team.name,
        "subject": {"identifier": patient_identifier(person)},
        "participant": team.members.iter().map(member).collect::<Vec<_>>(),
    }))
}

/// ITI-68's three forms, one of them with a second way of answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Relative,
    Absolute,
    /// As Binary JSON.
    Json,
    /// A FHIR document.
    Bundle,
}

/// Which form a document has follows from its number.
pub fn form(paper: &Paper) -> Form {
    let number = paper.unique_id.rsplit('.').next().and_then(|number| number.parse::<u32>().ok()).unwrap_or(0);
    match number % 4 {
        _ if paper.mime == "application/fhir+json" => Form::Bundle,
        1 => Form::Absolute,
        2 => Form::Json,
        _ => Form::Relative,
    }
}

pub fn document(person: &Person, paper: &Paper, base: &str) -> Value {
    let labels: Vec<Value> =
        paper.labels.iter().map(|code| json!({"coding": [{"system": label_system(code), "code": code}]})).collect();
    let loinc = paper.type_code.starts_with(|c: char| c.is_ascii_digit());
    let type_system = if loinc { "http://loinc.org" } else { TYPES };
    let url = match form(paper) {
        Form::Absolute => format!("{base}/Binary/{}", paper.entry_id),
        Form::Bundle => format!("Bundle/{}", paper.entry_id),
        Form::Relative | Form::Json => format!("Binary/{}", paper.entry_id),
    };
    let mut attachment = json!({
        "contentType": paper.mime, "language": "fr-FR", "url": url,
        "size": paper.claimed_size, "title": paper.title, "creation": paper.created.rfc3339()
    });
    if let Some(hash) = paper.claimed_sha1 {
        attachment["hash"] = json!(STANDARD.encode(hash));
    }
    let status = if paper.status == PaperStatus::Superseded { "superseded" } else { "current" };
    json!({
        "resourceType": "DocumentReference", "id": paper.entry_id,
        "contained": [author(&paper.author)],
        "extension": [{
            "url": "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived",
            "valueBoolean": paper.status == PaperStatus::Archived
        }],
        "masterIdentifier": {"system": "urn:ietf:rfc:3986", "value": format!("urn:oid:{}", paper.unique_id)},
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": format!("urn:uuid:{}", paper.logical_id)}],
        "status": status,
        "type": {"coding": [{"system": type_system, "code": paper.type_code, "display": paper.type_label}]},
        "category": [{"coding": [{
            "system": "https://mos.esante.gouv.fr/NOS/TRE_A03-ClasseDocument/FHIR/TRE-A03-ClasseDocument",
            "code": paper.class_code
        }]}],
        "subject": {"identifier": patient_identifier(person)},
        "date": paper.created.rfc3339(),
        "author": [{"reference": "#a1"}],
        "securityLabel": labels,
        "content": [{
            "attachment": attachment,
            "format": {
                "system": "https://mos.esante.gouv.fr/NOS/TRE_A11-IheFormatCode/FHIR/TRE-A11-IheFormatCode",
                "code": paper.format_code
            }
        }],
        "context": {"period": {"start": paper.service_start.rfc3339()}}
    })
}

fn author(author: &Author) -> Value {
    if author.is_patient {
        return json!({"resourceType": "Patient", "id": "a1", "name": [{"text": author.name}]});
    }
    let mut practitioner = json!({"display": author.name});
    if let Some(id) = &author.id {
        practitioner["identifier"] = json!({"system": PS, "value": id});
    }
    let mut role = json!({"resourceType": "PractitionerRole", "id": "a1", "practitioner": practitioner});
    if let Some(structure) = &author.structure {
        role["organization"] = json!({"display": structure});
    }
    role
}

fn label_system(code: &str) -> &'static str {
    if ["N", "R", "V"].contains(&code) {
        "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
    } else {
        "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument"
    }
}

const DMP: &str = "https://interop.esante.gouv.fr/ig/fhir/dmp/StructureDefinition";
const OURS: &str = "https://chevet.invalid/fhir/StructureDefinition";
const TYPES: &str = "https://mos.esante.gouv.fr/NOS/TRE_A05-TypeDocComplementaire/FHIR/TRE-A05-TypeDocComplementaire";
