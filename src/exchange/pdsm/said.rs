//! TD0.3: what the patient said, as a FHIR Consent (docs/pdsm.md §3). Pure.

use crate::exchange::pdsm::fhir;
use crate::exchange::pdsm::names;
use crate::journal::consent::Answer;
use crate::journal::consent::Consent;
use crate::journal::consent::Quality;
use crate::journal::consent::Scope;
use crate::journal::consent::Speaker;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
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
        Scope::Event(list) => ("event", json!({"system": names::TEAM, "value": list})),
    };
    // The name of who spoke stays here; in which quality they did is part of the consent.
    let speaker = match said.by {
        Speaker::Patient => "Patient",
        Speaker::Representative { quality, .. } => quality_label(quality),
    };
    let clock = if said.at.wall.is_trusted() { "is" } else { "at_least" };
    let mut resource = json!({
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
        // Answered on the device's own screen, before the professional whose card was in.
        "verification": [{"verified": true, "verifiedWith": {"display": speaker}, "verificationDate": at}],
        "policyRule": {"coding": [{"system": names::REGIME, "code": said.regime.name()}]},
        "provision": {
            "type": kind,
            "period": {"start": at},
            "actor": [{
                "role": {"coding": [{"system": names::PARTICIPATION, "code": "IRCP"}]},
                "reference": {"identifier": actor},
            }],
        },
    });
    if let Speaker::Representative { quality, .. } = &said.by
        && let Some(extensions) = resource["extension"].as_array_mut()
    {
        extensions.push(json!({"url": names::REPRESENTATIVE, "valueCode": quality.name()}));
    }
    if let Some(signature) = &said.signature {
        let data = BASE64.encode(signature.svg());
        resource["sourceAttachment"] = json!({"contentType": "image/svg+xml", "data": data, "creation": at});
    }
    resource
}

fn quality_label(quality: Quality) -> &'static str {
    match quality {
        Quality::Mother => "Mère du patient",
        Quality::Father => "Père du patient",
        Quality::ParentalAuthority => "Titulaire de l’autorité parentale",
        Quality::Guardian => "Tuteur du patient",
        Quality::FutureProtection => "Mandataire de protection future",
        Quality::FamilyEntitlement => "Personne habilitée par le juge",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::holder::HolderId;
    use crate::journal::consent::Said;
    use crate::journal::consent::Shown;
    use crate::journal::consent::Signature;
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
            by: Speaker::Representative { quality: Quality::Mother, name: "Mme EXEMPLE".into() },
            signature: Signature::new(vec![vec![(1, 2), (3, 4)]]),
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
        assert_eq!(of(Scope::Event("equipe-1".into())), (json!("event"), json!("equipe-1")));
    }

    #[test]
    fn it_says_what_was_shown_and_not_who_represented() {
        let consent = consent(Scope::Authorization, Answer::Yes);
        let body = resource(&consent);
        assert_eq!(body["identifier"][0]["value"], identifier(&consent));
        assert_eq!(body["dateTime"], "2026-11-23T08:42:00Z");
        assert_eq!(body["extension"][0]["extension"][1]["valuePositiveInt"], 2);
        assert_eq!(body["extension"][2]["valueIdentifier"]["value"], "899700000047");
        assert_eq!(body["performer"][0]["display"], "Mère du patient");
        assert_eq!(body["verification"][0]["verificationDate"], "2026-11-23T08:42:00Z");
        assert_eq!(body["extension"][5]["valueCode"], "mother");
        let drawn = BASE64.decode(body["sourceAttachment"]["data"].as_str().unwrap_or("")).expect("base64");
        assert!(String::from_utf8_lossy(&drawn).contains("M1 2L3 4"));
        assert!(!body.to_string().contains("EXEMPLE"));
    }
}
