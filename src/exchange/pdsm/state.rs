//! TD0.2: a Patient and the Consents about one holder become a `RecordState` (docs/pdsm.md §2). Pure.
//!
//! What is not understood is `Unknown`, and `policy` denies it. Identity traits are never read.

use crate::exchange::pdsm::fhir;
use crate::exchange::pdsm::fhir::Concept;
use crate::exchange::pdsm::fhir::Extension;
use crate::exchange::pdsm::fhir::Identifier;
use crate::exchange::pdsm::fhir::Period;
use crate::exchange::pdsm::names;
use crate::patient::ins::Ins;
use crate::record::state::Authorization;
use crate::record::state::ClosureReason;
use crate::record::state::EmergencySwitches;
use crate::record::state::Existence;
use crate::record::state::RecordState;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Patient {
    active: Option<bool>,
    #[serde(default)]
    identifier: Vec<Identifier>,
    #[serde(default)]
    extension: Vec<Extension>,
}

#[derive(Deserialize)]
struct Consent {
    #[serde(default)]
    status: String,
    #[serde(default)]
    category: Vec<Concept>,
    provision: Option<Provision>,
}

#[derive(Deserialize)]
struct Provision {
    #[serde(default, rename = "type")]
    kind: String,
    period: Option<Period>,
}

/// Both answers, in one state.
pub fn record_state(found: Vec<Value>, consents: Vec<Value>, asked: &Ins) -> RecordState {
    let patient = match found.as_slice() {
        [one] => fhir::resource::<Patient>(one, "Patient").filter(|patient| patient.is(asked)),
        _ => None,
    };
    let extensions = patient.as_ref().map_or(&[][..], |patient| &patient.extension);
    let existence = match (&patient, found.is_empty()) {
        (_, true) => Existence::NeverCreated,
        (Some(patient), false) => patient.existence(),
        (None, false) => Existence::Unknown,
    };
    let standing: Vec<Option<Consent>> =
        consents.iter().map(|value| fhir::resource::<Consent>(value, "Consent")).collect();
    RecordState {
        existence,
        authorization: authorization(&standing),
        // Blocking that cannot be read is blocking.
        blocked: standing.iter().flatten().any(|consent| consent.is("blocking") && !consent.is_over()),
        emergency: emergency(extensions),
        minor: fhir::flag(extensions, names::MINOR),
        attending_doctor: fhir::flag(extensions, names::ATTENDING_DOCTOR).unwrap_or(false),
        administrator: fhir::flag(extensions, names::ADMINISTRATOR).unwrap_or(false),
    }
}

impl Patient {
    /// Somebody else's record under the asked INS would be the worst of answers.
    fn is(&self, asked: &Ins) -> bool {
        let system = fhir::ins_system(asked);
        self.identifier.iter().any(|other| other.system == system && other.value == asked.matricule)
    }

    fn existence(&self) -> Existence {
        match (self.active, fhir::find(&self.extension, names::CLOSURE)) {
            (Some(true), None) => Existence::Open,
            (Some(false), None) => Existence::Closed { reason: ClosureReason::Other, on: None },
            (Some(false), Some(closure)) => closed(&closure.extension),
            // Open and closed at once, or neither.
            (Some(true), Some(_)) | (None, _) => Existence::Unknown,
        }
    }
}

fn closed(parts: &[Extension]) -> Existence {
    let code = fhir::find(parts, "motifFermeture")
        .and_then(|part| part.value_codeable_concept.as_ref())
        .and_then(|concept| concept.coding.first())
        .map(|coding| coding.code.as_str());
    let reason = match code {
        Some("patient-demande") => ClosureReason::Patient,
        Some("deces") => ClosureReason::Deceased,
        _ => ClosureReason::Other,
    };
    let on = fhir::find(parts, "dateFermeture").and_then(|part| part.value_date.as_deref()).and_then(fhir::time);
    Existence::Closed { reason, on }
}

fn emergency(extensions: &[Extension]) -> Option<EmergencySwitches> {
    let parts = &fhir::find(extensions, names::EMERGENCY_SWITCHES)?.extension;
    Some(EmergencySwitches {
        samu: fhir::flag(parts, "samu")?,
        other_professionals: fhir::flag(parts, "otherProfessionals")?,
        masked_documents: fhir::flag(parts, "maskedDocuments")?,
    })
}

impl Consent {
    fn is(&self, category: &str) -> bool {
        self.category.iter().any(|concept| concept.code_in(names::CONSENT_CATEGORY) == Some(category))
    }

    /// A withdrawn blocking.
    fn is_over(&self) -> bool {
        matches!(self.status.as_str(), "inactive" | "entered-in-error" | "rejected")
    }

    fn authorization(&self) -> Authorization {
        let Some(provision) = &self.provision else { return Authorization::Unknown };
        match (self.status.as_str(), provision.kind.as_str()) {
            ("active", "permit") => match provision.period.as_ref().and_then(|period| period.end.as_deref()) {
                None => Authorization::Valid { until: None },
                // An end that cannot be read is no end to come.
                Some(end) => {
                    fhir::time(end).map_or(Authorization::Unknown, |end| Authorization::Valid { until: Some(end) })
                }
            },
            ("inactive", "permit") => Authorization::Expired,
            ("active", "deny") => Authorization::Forbidden,
            _ => Authorization::Unknown,
        }
    }
}

/// A deny wins, then what is not understood, then a permit, then one that ended.
fn authorization(standing: &[Option<Consent>]) -> Authorization {
    let rank = |found: &Authorization| match found {
        Authorization::Forbidden => 0,
        Authorization::Unknown => 1,
        Authorization::Valid { .. } => 2,
        Authorization::Expired => 3,
        Authorization::None => 4,
    };
    let unreadable = standing.iter().any(Option::is_none).then_some(Authorization::Unknown);
    standing
        .iter()
        .flatten()
        .filter(|consent| consent.is("authorization"))
        .map(Consent::authorization)
        .chain(unreadable)
        .min_by_key(rank)
        .unwrap_or(Authorization::None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patient::ins::InsKind;
    use crate::time::UnixSeconds;
    use serde_json::json;

    fn ins() -> Ins {
        Ins::unchecked("279035121518989", InsKind::Test).expect("well formed")
    }

    fn patient(active: Value, extension: Value) -> Value {
        json!({"resourceType": "Patient", "active": active, "extension": extension,
            "identifier": [{"system": "urn:oid:1.2.250.1.213.1.4.10", "value": "279035121518989"}]})
    }

    fn consent(category: &str, status: &str, provision: Value) -> Value {
        json!({"resourceType": "Consent", "status": status, "provision": provision,
            "category": [{"coding": [{"system": names::CONSENT_CATEGORY, "code": category}]}]})
    }

    fn existence(patients: Vec<Value>) -> Existence {
        record_state(patients, vec![], &ins()).existence
    }

    fn authorized(consents: Vec<Value>) -> Authorization {
        record_state(vec![], consents, &ins()).authorization
    }

    #[test]
    fn a_record_is_open_closed_or_never_made_and_anything_else_is_unknown() {
        assert_eq!(existence(vec![]), Existence::NeverCreated);
        assert_eq!(existence(vec![patient(json!(true), json!([]))]), Existence::Open);
        let closure = json!([{"url": names::CLOSURE, "extension": [
            {"url": "dateFermeture", "valueDate": "2026-03-20"},
            {"url": "motifFermeture", "valueCodeableConcept": {"coding": [{"code": "deces"}]}}]}]);
        let on = UnixSeconds::parse("2026-03-20");
        let closed = Existence::Closed { reason: ClosureReason::Deceased, on };
        assert_eq!(existence(vec![patient(json!(false), closure.clone())]), closed);
        let unsaid = Existence::Closed { reason: ClosureReason::Other, on: None };
        assert_eq!(existence(vec![patient(json!(false), json!([]))]), unsaid);

        let mut other = patient(json!(true), json!([]));
        other["identifier"][0]["value"] = json!("255069999999934");
        let open = patient(json!(true), json!([]));
        for strange in [
            vec![patient(json!(true), closure)],
            vec![patient(json!(null), json!([]))],
            vec![patient(json!("true"), json!([]))],
            vec![open.clone(), open],
            vec![other],
            vec![json!({"resourceType": "OperationOutcome"})],
            vec![json!(null)],
        ] {
            assert_eq!(existence(strange.clone()), Existence::Unknown, "{strange:?}");
        }
    }

    #[test]
    fn an_authorization_is_never_taken_as_valid_by_mistake() {
        let permit = json!({"type": "permit"});
        let until = json!({"type": "permit", "period": {"end": "2027-11-23T08:42:00Z"}});
        let deny = consent("authorization", "active", json!({"type": "deny"}));
        assert_eq!(authorized(vec![]), Authorization::None);
        let valid = consent("authorization", "active", until);
        let end = UnixSeconds::parse("2027-11-23T08:42:00Z");
        assert_eq!(authorized(vec![valid.clone()]), Authorization::Valid { until: end });
        assert_eq!(authorized(vec![consent("authorization", "inactive", permit.clone())]), Authorization::Expired);
        assert_eq!(authorized(vec![valid.clone(), deny.clone()]), Authorization::Forbidden);
        assert_eq!(authorized(vec![deny]), Authorization::Forbidden);
        // The team's consent is no authorization.
        assert_eq!(authorized(vec![consent("team", "active", permit.clone())]), Authorization::None);
        for strange in [
            consent("authorization", "proposed", permit.clone()),
            consent("authorization", "active", json!({"type": "maybe"})),
            consent("authorization", "active", json!(null)),
            consent("authorization", "active", json!({"type": "permit", "period": {"end": "soon"}})),
            json!({"resourceType": "Consent", "status": 7}),
            json!("permit"),
        ] {
            assert_eq!(authorized(vec![valid.clone(), strange.clone()]), Authorization::Unknown, "{strange}");
        }
    }

    #[test]
    fn blocked_and_the_switches() {
        let blocking = |status| consent("blocking", status, json!({"type": "deny"}));
        let blocked = |status| record_state(vec![], vec![blocking(status)], &ins()).blocked;
        assert!(blocked("active") && blocked("strange"));
        assert!(!blocked("inactive"));
        let switches = |third: Value| {
            let said = patient(
                json!(true),
                json!([
                {"url": names::ATTENDING_DOCTOR, "valueBoolean": true}, {"url": names::MINOR, "valueBoolean": false},
                {"url": names::EMERGENCY_SWITCHES, "extension": [{"url": "samu", "valueBoolean": true},
                    {"url": "otherProfessionals", "valueBoolean": false}, third]}]),
            );
            record_state(vec![said], vec![], &ins())
        };
        let state = switches(json!({"url": "maskedDocuments", "valueBoolean": true}));
        let all = EmergencySwitches { samu: true, other_professionals: false, masked_documents: true };
        assert_eq!(state.emergency, Some(all));
        assert_eq!((state.minor, state.attending_doctor, state.administrator), (Some(false), true, false));
        assert_eq!(switches(json!({"url": "else"})).emergency, None, "two switches are not three");
    }
}
