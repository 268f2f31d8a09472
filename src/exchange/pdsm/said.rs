//! TD0.3: what the patient said, as a FHIR Consent (docs/pdsm.md §3). Pure.

use crate::exchange::pdsm::fhir;
use crate::exchange::pdsm::names;
use crate::journal::consent::Answer;
use crate::journal::consent::Consent;
use crate::journal::consent::Scope;
use crate::journal::consent::Speaker;
use serde_json::Value;
use serde_json::json;

/// `urn:uuid:…`: what makes it one, however often it is sent.
pub fn identifier(consent: &Consent) -> String {
    format!("urn:uuid:{}", consent.id)
}

pub fn resource(consent: &Consent) -> Value {
    let said = &consent.said;
    let at = said.at.wall.value().rfc3339();
    let (status, kind) = match said.answer {
        Answer::Yes => ("active", "permit"),
        Answer::No => ("active", "deny"),
        Answer::Withdrawn => ("inactive", "permit"),
    };
    let holder = json!({"system": names::PROFESSIONAL, "value": said.holder.0});
    let (category, actor) = match &said.scope {
        Scope::Authorization => ("authorization", holder.clone()),
        Scope::HolderOnce => ("holder-once", holder.clone()),
        Scope::Team(list) => ("team", json!({"system": names::TEAM, "value": list})),
    };
    let speaker = match said.by {
        Speaker::Patient => "Patient",
        // In whose name they spoke stays here.
        Speaker::Representative(_) => "Représentant légal",
    };
    let clock = if said.at.wall.is_trusted() { "is" } else { "at_least" };
    json!({
        "resourceType": "Consent",
        "extension": [
            {"url": names::SHOWN, "extension": [
                {"url": "text", "valueString": said.shown.text},
                {"url": "version", "valuePositiveInt": said.shown.version},
                {"url": "language", "valueCode": said.shown.language},
            ]},
            {"url": names::ASKED_BY, "valueIdentifier": holder},
            {"url": names::COLLECTED_BY, "valueIdentifier": {"system": names::PROFESSIONAL, "value": said.collected_by.0}},
            {"url": names::GROUND, "valueCode": said.ground.name()},
            {"url": names::CLOCK, "valueCode": clock},
        ],
        "identifier": [{"system": names::URI, "value": identifier(consent)}],
        "status": status,
        "scope": {"coding": [{"system": names::CONSENT_SCOPE, "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": names::CONSENT_CATEGORY, "code": category}]}],
        "patient": {"identifier": {"system": fhir::ins_system(&said.patient), "value": said.patient.matricule}},
        "dateTime": at,
        "performer": [{"display": speaker}],
        "policyRule": {"coding": [{"system": names::REGIME, "code": said.regime.name()}]},
        "provision": {
            "type": kind,
            "period": {"start": at},
            "actor": [{
                "role": {"coding": [{"system": names::PARTICIPATION, "code": "IRCP"}]},
                "reference": {"identifier": actor},
            }],
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::holder::HolderId;
    use crate::journal::consent::Said;
    use crate::journal::consent::Shown;
    use crate::journal::words::Ground;
    use crate::journal::words::Regime;
    use crate::patient::ins::Ins;
    use crate::patient::ins::InsKind;
    use crate::time::Now;
    use crate::time::UnixSeconds;
    use crate::time::Wall;
    use std::time::Duration;
    use uuid::Uuid;

    fn consent(scope: Scope, answer: Answer) -> Consent {
        let said = Said {
            patient: Ins::unchecked("279035121518989", InsKind::Test).expect("well formed"),
            holder: HolderId("899700000012".into()),
            collected_by: HolderId("899700000047".into()),
            scope,
            answer,
            ground: Ground::Team,
            regime: Regime::ConseilEtat2025,
            shown: Shown { text: "AC-3".into(), version: 2, language: "fr-FR".into() },
            by: Speaker::Representative("Mme EXEMPLE, sa mère".into()),
            at: Now { since_boot: Duration::ZERO, wall: Wall::Is(UnixSeconds(1_795_423_320)) },
        };
        Consent { id: Uuid::from_u128(5), said }
    }

    #[test]
    fn each_answer_has_its_own_two_words() {
        let words = |answer| {
            let body = resource(&consent(Scope::Authorization, answer));
            (body["status"].as_str().map(str::to_owned), body["provision"]["type"].as_str().map(str::to_owned))
        };
        let pair = |a: &str, b: &str| (Some(a.to_owned()), Some(b.to_owned()));
        assert_eq!(words(Answer::Yes), pair("active", "permit"));
        assert_eq!(words(Answer::No), pair("active", "deny"));
        assert_eq!(words(Answer::Withdrawn), pair("inactive", "permit"));
    }

    #[test]
    fn each_scope_has_its_category_and_its_actor() {
        let of = |scope| {
            let body = resource(&consent(scope, Answer::Yes));
            let actor = body["provision"]["actor"][0]["reference"]["identifier"]["value"].clone();
            (body["category"][0]["coding"][0]["code"].clone(), actor)
        };
        assert_eq!(of(Scope::Authorization), (json!("authorization"), json!("899700000012")));
        assert_eq!(of(Scope::HolderOnce), (json!("holder-once"), json!("899700000012")));
        assert_eq!(of(Scope::Team("equipe-1".into())), (json!("team"), json!("equipe-1")));
    }

    #[test]
    fn it_says_what_was_shown_and_not_who_represented() {
        let consent = consent(Scope::Authorization, Answer::Yes);
        let body = resource(&consent);
        assert_eq!(body["identifier"][0]["value"], identifier(&consent));
        assert_eq!(body["dateTime"], "2026-11-23T08:42:00Z");
        assert_eq!(body["extension"][0]["extension"][1]["valuePositiveInt"], 2);
        assert_eq!(body["extension"][2]["valueIdentifier"]["value"], "899700000047");
        assert_eq!(body["performer"][0]["display"], "Représentant légal");
        assert!(!body.to_string().contains("EXEMPLE"));
    }
}
