//! ITI-20: one neutral row of the journal as an AuditEvent, in the shape of IHE BALP or of ANS's TdE, claiming no profile
//! (docs/pdsm.md §7). Pure. The row's blind never leaves: only its leaf does.

use crate::exchange::pdsm::fhir;
use crate::exchange::pdsm::names;
use crate::journal::Pending;
use crate::journal::Trace;
use crate::journal::words::Class;
use crate::journal::words::Ground;
use crate::journal::words::Mode;
use serde_json::Value;
use serde_json::json;

/// Which profile the repository holds its events to: one event cannot satisfy both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shape {
    /// IHE BALP's: several subtypes, the class among them.
    #[default]
    Balp,
    /// ANS's *Traçabilité des événements*: one subtype at most, two agents at most, a period that has begun.
    Tde,
}

/// Type, first subtype and action of a class.
struct Codes {
    kind: Value,
    subtype: Option<Value>,
    action: &'static str,
}

/// The resource, under the id that was chosen at capture.
pub fn audit_event(trace: &Trace) -> Value {
    let draft = &trace.draft;
    let codes = codes(draft.class);
    let class = json!({"system": names::TRACE_CLASS, "code": draft.class.name()});
    let subtype: Vec<Value> = codes.subtype.into_iter().chain([class]).collect();
    let device = json!({"system": names::DEVICE, "value": trace.device});
    let mut source = json!({
        "observer": {"identifier": device},
        "type": [{"system": names::SOURCE_TYPE, "code": "1", "display": "User Device"}],
    });
    if let Some(situation) = &draft.situation {
        source["site"] = json!(situation);
    }
    json!({
        "resourceType": "AuditEvent",
        "id": trace.id.to_string(),
        "extension": [{"url": names::LOG_ENTRY, "extension": log_entry(trace)}],
        "type": codes.kind,
        "subtype": subtype,
        "action": codes.action,
        "recorded": draft.at.wall.value().rfc3339(),
        "outcome": "0",
        "agent": [user(trace), kiosk(trace)],
        "source": source,
        "entity": entities(trace),
    })
}

/// The same event in the other shape. What the second subtype said stands with what no profile has a place for.
pub fn as_tde(mut event: Value) -> Value {
    if let Some(subtypes) = event["subtype"].as_array_mut() {
        subtypes.truncate(1);
    }
    event["period"] = json!({"start": event["recorded"]});
    event
}

fn codes(class: Class) -> Codes {
    let rest = |code: &str, action| Codes {
        kind: json!({"system": names::EVENT_TYPE, "code": "rest", "display": "RESTful Operation"}),
        subtype: Some(json!({"system": names::INTERACTION, "code": code, "display": code})),
        action,
    };
    let dicom = |kind: (&str, &str), subtype: Option<(&str, &str)>, action| {
        let coding = |(code, display): (&str, &str)| json!({"system": names::DICOM, "code": code, "display": display});
        Codes { kind: coding(kind), subtype: subtype.map(coding), action }
    };
    match class {
        Class::Login => dicom(("110114", "User Authentication"), Some(("110122", "Login")), "E"),
        Class::Gate | Class::Listed | Class::Searched => rest("search-type", "E"),
        Class::Prefetched | Class::Summary | Class::Opened => rest("read", "R"),
        Class::Printed => dicom(("110106", "Export"), None, "R"),
        Class::Contributed | Class::Consent | Class::Refused | Class::Withdrawn => rest("create", "C"),
        Class::BreakGlass => dicom(("110113", "Security Alert"), Some(("110127", "Emergency Override Started")), "E"),
        Class::Maintenance => dicom(("110100", "Application Activity"), None, "E"),
    }
}

/// What no profile has a place for. Numbers are text: a row's index may outgrow FHIR's integers.
fn log_entry(trace: &Trace) -> Vec<Value> {
    let draft = &trace.draft;
    let leaf = Pending::new(trace.clone()).leaf();
    let clock = if draft.at.wall.is_trusted() { "is" } else { "at_least" };
    let text = |url: &str, value: String| Some(json!({"url": url, "valueString": value}));
    let code = |url: &str, value: &str| Some(json!({"url": url, "valueCode": value}));
    let parts = [
        code("class", draft.class.name()),
        text("index", trace.index.to_string()),
        text("leaf", hex::encode(leaf.0)),
        draft.login.and_then(|login| text("login", login.to_string())),
        text("boot", trace.boot.to_string()),
        text("sinceBootMs", draft.at.since_boot.as_millis().to_string()),
        code("clock", clock),
        draft.ground.map(Ground::name).and_then(|ground| code("ground", ground)),
        code("regime", draft.regime.name()),
        Some(draft.rule.clone()).filter(|rule| !rule.is_empty()).and_then(|rule| text("rule", rule)),
        Some(draft.matrix_version.clone()).filter(|v| !v.is_empty()).and_then(|version| text("matrix", version)),
        code("source", draft.source.name()),
        draft.reason.clone().and_then(|reason| text("reason", reason)),
        draft.secret.then(|| json!({"url": "secret", "valueBoolean": true})),
        draft.framework.clone().and_then(|reference| text("framework", reference)),
    ];
    parts.into_iter().flatten().collect()
}

/// The author, fixed at capture (P4).
fn user(trace: &Trace) -> Value {
    let draft = &trace.draft;
    // What the device did by itself is nobody's act.
    let register = if draft.holder.0 == trace.device { names::DEVICE } else { names::PROFESSIONAL };
    // TRE_R248 knows no preparation.
    let system = if draft.mode == Mode::Prefetch { names::MODE } else { names::ACCESS_MODE };
    let mut agent = json!({
        "type": {"coding": [{"system": names::PARTICIPATION, "code": "IRCP", "display": "information recipient"}]},
        "who": {"identifier": {"system": register, "value": draft.holder.0}},
        "requestor": true,
        "purposeOfUse": [{"coding": [{"system": system, "code": draft.mode.name()}]}],
    });
    if let Some(profession) = draft.profession {
        agent["role"] = json!([{"coding": [{"system": names::PROFESSION, "code": profession.0.to_string()}]}]);
    }
    agent
}

fn kiosk(trace: &Trace) -> Value {
    json!({
        "type": {"coding": [{"system": names::DICOM, "code": "110153", "display": "Source Role ID"}]},
        "who": {"identifier": {"system": names::DEVICE, "value": trace.device}, "display": trace.software},
        "requestor": false,
    })
}

fn entities(trace: &Trace) -> Vec<Value> {
    let draft = &trace.draft;
    let patient = draft.patient.as_ref().map(|ins| {
        json!({
            "what": {"identifier": {"system": fhir::ins_system(ins), "value": ins.matricule}},
            "type": {"system": names::ENTITY_TYPE, "code": "1", "display": "Person"},
            "role": {"system": names::ENTITY_ROLE, "code": "1", "display": "Patient"},
        })
    });
    let document = draft.document.as_ref().map(|(id, kind)| {
        json!({
            "what": {"identifier": {"system": names::URI, "value": fhir::with_urn(&id.0)}},
            "type": {"system": names::ENTITY_TYPE, "code": "2", "display": "System Object"},
            "role": {"system": names::ENTITY_ROLE, "code": "3", "display": "Report"},
            "detail": [{"type": "typeCode", "valueString": kind.0}],
        })
    });
    // A repository that takes no PUT drops doubles by it.
    let request = json!({
        "what": {"identifier": {"value": trace.id.to_string()}},
        "type": {"system": names::BALP_ENTITY, "code": "XrequestId"},
    });
    patient.into_iter().chain(document).chain([request]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::pdsm::history;
    use crate::identity::holder::HolderId;
    use crate::identity::holder::ProfessionCode;
    use crate::journal::Draft;
    use crate::journal::words::Regime;
    use crate::journal::words::Source;
    use crate::patient::ins::Ins;
    use crate::patient::ins::InsKind;
    use crate::record::document::TypeCode;
    use crate::record::document::UniqueId;
    use crate::time::Now;
    use crate::time::UnixSeconds;
    use crate::time::Wall;
    use std::time::Duration;
    use uuid::Uuid;

    fn trace(class: Class) -> Trace {
        Trace {
            index: 41,
            id: Uuid::from_u128(7),
            blind: [0xB1; 32],
            boot: Uuid::from_u128(8),
            device: "device-1".into(),
            software: "chevet 0.1.0".into(),
            draft: Draft {
                class,
                holder: HolderId("899700000012".into()),
                profession: Some(ProfessionCode(60)),
                login: Some(40),
                proof: None,
                situation: Some("3123456789".into()),
                patient: Ins::unchecked("279035121518989", InsKind::Test).ok(),
                document: Some((UniqueId("1.2.3".into()), TypeCode("34133-9".into()))),
                ground: Some(Ground::Team),
                mode: Mode::Normal,
                regime: Regime::ConseilEtat2025,
                rule: "M-01".into(),
                matrix_version: "2026-11".into(),
                reason: None,
                secret: false,
                framework: None,
                source: Source::Online,
                at: Now { since_boot: Duration::from_millis(1234), wall: Wall::AtLeast(UnixSeconds(1_795_423_320)) },
            },
        }
    }

    fn log_text(event: &Value, url: &str) -> Option<String> {
        let parts = event["extension"][0]["extension"].as_array()?;
        let part = parts.iter().find(|part| part["url"] == url)?;
        Some(part["valueString"].as_str().or(part["valueCode"].as_str())?.to_owned())
    }

    #[test]
    fn it_is_the_example_of_the_page() {
        let event = audit_event(&trace(Class::Opened));
        assert_eq!(event["id"], "00000000-0000-0000-0000-000000000007");
        assert_eq!(event["type"]["code"], "rest");
        assert_eq!(event["subtype"][0]["code"], "read");
        assert_eq!(event["subtype"][1], json!({"system": names::TRACE_CLASS, "code": "opened"}));
        assert_eq!(event["recorded"], "2026-11-23T08:42:00Z");
        let user = &event["agent"][0];
        assert_eq!((&user["requestor"], &user["who"]["identifier"]["value"]), (&json!(true), &json!("899700000012")));
        assert_eq!(user["role"][0]["coding"][0]["code"], "60");
        assert_eq!(user["purposeOfUse"][0]["coding"][0]["code"], "normal");
        assert_eq!(event["source"]["site"], "3123456789");
        let entity = &event["entity"];
        assert_eq!(entity[0]["what"]["identifier"]["system"], "urn:oid:1.2.250.1.213.1.4.10");
        assert_eq!(entity[1]["what"]["identifier"]["value"], "urn:oid:1.2.3");
        assert_eq!(entity[2]["what"]["identifier"]["value"], event["id"]);
        assert_eq!(log_text(&event, "index").as_deref(), Some("41"));
        assert_eq!(log_text(&event, "clock").as_deref(), Some("at_least"));
        assert_eq!(log_text(&event, "login").as_deref(), Some("40"));
    }

    #[test]
    fn the_leaf_is_sent_and_the_blind_is_not() {
        let row = trace(Class::Opened);
        let event = audit_event(&row);
        let leaf = hex::encode(Pending::new(row.clone()).leaf().0);
        assert_eq!(log_text(&event, "leaf"), Some(leaf));
        assert!(!event.to_string().contains("b1b1b1"), "the blind left the device");
    }

    #[test]
    fn in_the_other_shape_it_has_one_subtype_and_a_beginning_and_says_the_same() {
        for class in Class::ALL {
            let balp = audit_event(&trace(*class));
            let tde = as_tde(balp.clone());
            assert_eq!(tde["subtype"].as_array().map(Vec::len), Some(1), "{class:?}");
            assert!(tde["agent"].as_array().is_some_and(|agents| agents.len() <= 2));
            assert!(tde["agent"].as_array().into_iter().flatten().all(|agent| agent["who"].is_object()));
            assert_eq!(tde["period"]["start"], balp["recorded"]);
            let line = |event: &Value| history::accesses(vec![event.clone()]).accesses.remove(0).action;
            assert_eq!(line(&tde), line(&balp), "{class:?}");
        }
    }

    #[test]
    fn absent_facts_are_absent_elements() {
        let mut row = trace(Class::Login);
        row.draft = Draft {
            patient: None,
            document: None,
            situation: None,
            profession: None,
            login: None,
            ground: None,
            ..row.draft
        };
        let event = audit_event(&row);
        assert!(!event.to_string().contains("null"), "{event}");
        assert_eq!(event["entity"].as_array().map(Vec::len), Some(1));
        assert_eq!((&event["type"]["code"], &event["subtype"][0]["code"]), (&json!("110114"), &json!("110122")));
    }

    #[test]
    fn every_class_has_its_own_shape_and_its_name() {
        for class in Class::ALL {
            let event = audit_event(&trace(*class));
            let names: Vec<&str> =
                event["subtype"].as_array().into_iter().flatten().filter_map(|s| s["code"].as_str()).collect();
            assert_eq!(names.last(), Some(&class.name()));
            assert!(event["type"]["code"].is_string() && event["action"].is_string());
        }
        let mut prefetch = trace(Class::Prefetched);
        prefetch.draft.mode = Mode::Prefetch;
        let purpose = &audit_event(&prefetch)["agent"][0]["purposeOfUse"][0]["coding"][0];
        assert_eq!(purpose["system"], names::MODE, "no mode of TRE_R248 is claimed");
        assert_eq!(audit_event(&trace(Class::BreakGlass))["subtype"][0]["code"], "110127");
    }
}
