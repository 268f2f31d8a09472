//! TD0.2: whether a record exists, and this holder's authorization (HL7 v3 PRPA_IN201307UV02, and 308 in answer). Pure.

use crate::exchange::dmp::names;
use crate::exchange::dmp::said::Remark;
use crate::exchange::dmp::soap;
use crate::exchange::dmp::xml;
use crate::patient::ins::Ins;
use crate::record::state::Authorization;
use crate::record::state::ClosureReason;
use crate::record::state::Existence;
use crate::record::state::RecordState;
use crate::time::UnixSeconds;
use roxmltree::Node;
use std::collections::BTreeSet;
use uuid::Uuid;

/// Why there is no state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    Unreadable(&'static str),
    Refused(Remark),
}

/// `oid` is the software's own root; ids are below it.
pub fn request(patient: &Ins, oid: &str, software: &str, id: Uuid, at: UnixSeconds) -> String {
    let device = |oid: &str, name: &str| {
        format!(
            "<device classCode=\"DEV\" determinerCode=\"INSTANCE\"><id root=\"{}\"/><softwareName>{}</softwareName></device>",
            xml::escape(oid),
            xml::escape(name)
        )
    };
    let oid = xml::escape(oid);
    format!(
        "<PRPA_IN201307UV02 xmlns=\"{HL7}\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" ITSVersion=\"XML_1.0\">\
         <id root=\"{oid}.1\" extension=\"{id}\"/><creationTime value=\"{at}\"/>\
         <interactionId root=\"2.16.840.1.113883.1.6\" extension=\"PRPA_IN201307UV02\"/>\
         <processingCode code=\"P\"/><processingModeCode code=\"T\"/><acceptAckCode code=\"AL\"/>\
         <receiver typeCode=\"RCV\">{dmp}</receiver><sender typeCode=\"SND\">{us}</sender><attentionLine xsi:nil=\"true\"/>\
         <controlActProcess classCode=\"CACT\" moodCode=\"EVN\"><reasonCode code=\"TEST_EXST\" \
         codeSystem=\"1.2.250.1.213.1.1.4.11\" displayName=\"Test d&#39;existence de dossier\"/>\
         <queryByParameter><queryId root=\"{oid}.2\" extension=\"{id}\"/><statusCode code=\"new\"/><parameterList>\
         <dataSource xsi:nil=\"true\"/><patientIdentifier><value root=\"{kind}\" extension=\"{ins}\"/>\
         <semanticsText>Patient.id</semanticsText></patientIdentifier></parameterList></queryByParameter>\
         </controlActProcess></PRPA_IN201307UV02>",
        HL7 = names::HL7,
        at = crate::exchange::dmp::entry::write_time(at),
        dmp = device(names::DMP, "DMP"),
        us = device(&oid, software),
        kind = patient.kind.oid(),
        ins = xml::escape(&patient.matricule),
    )
}

/// Whether it answers the question of that id: one that names another may be about another patient.
pub fn is_answer_to(node: Node<'_, '_>, oid: &str, id: Uuid) -> bool {
    let (root, extension) = (format!("{oid}.2"), id.to_string());
    [["controlActProcess", "queryAck", "queryId"], ["controlActProcess", "queryByParameter", "queryId"]]
        .iter()
        .filter_map(|path| xml::at(node, path))
        .all(|said| {
            said.attribute("root").is_none_or(|one| one == root)
                && said.attribute("extension").is_none_or(|one| one.eq_ignore_ascii_case(&extension))
        })
}

/// What a DMP says of emergencies, minors and teams is not in this answer: it stays unknown. Identity traits are not read.
pub fn read(node: Node<'_, '_>) -> Result<RecordState, Missing> {
    if node.tag_name().name() != "PRPA_IN201308UV02" {
        return Err(Missing::Unreadable("it is no PRPA_IN201308UV02"));
    }
    let acknowledgement = xml::child(node, "acknowledgement").ok_or(Missing::Unreadable("it acknowledges nothing"))?;
    if acknowledgement.attribute("typeCode") != Some("AA") {
        return Err(Missing::Refused(detail(acknowledgement)));
    }
    let act = xml::child(node, "controlActProcess").ok_or(Missing::Unreadable("it holds no answer"))?;
    let found = xml::at(act, &["queryAck", "queryResponseCode"]).and_then(|code| code.attribute("code"));
    let existence = match found {
        Some("OK") => existence(act),
        Some("NF") => Existence::NeverCreated,
        _ => Existence::Unknown,
    };
    // In one value or none: lines that contradict each other say nothing, but for a prohibition.
    let said = |code: &str| {
        let is_it = |line: &Node<'_, '_>| {
            xml::child(*line, "keyWordText").is_some_and(|word| word.attribute("code") == Some(code))
        };
        let lines = node.children().filter(|one| one.tag_name().name() == "attentionLine").filter(is_it);
        let value = |line: Node<'_, '_>| {
            let value = xml::child(line, "value");
            let word = value.and_then(|value| value.attribute("code").or_else(|| value.attribute("value")));
            word.unwrap_or("").to_owned()
        };
        lines.map(value).collect::<BTreeSet<String>>()
    };
    let alone = |words: &BTreeSet<String>, word: &str| words.len() == 1 && words.contains(word);
    let words = said("AUTORISATION");
    let authorization = if words.contains("INTERDIT") {
        Authorization::Forbidden
    } else if alone(&words, "VALIDE") {
        Authorization::Valid { until: None }
    } else if alone(&words, "NON_EXISTE") {
        Authorization::None
    } else if alone(&words, "EXPIRE") {
        Authorization::Expired
    } else {
        Authorization::Unknown
    };
    Ok(RecordState {
        existence,
        authorization,
        // The patient forbade this professional. Whether an emergency outweighs that is not known: it does not here.
        blocked: authorization == Authorization::Forbidden,
        emergency: None,
        minor: None,
        attending_doctor: alone(&said("STATUT_MT"), "true"),
        administrator: false,
        care_team: None,
        team_words: Vec::new(),
    })
}

/// Where the date and the reason of a closure stand is not known.
fn existence(act: Node<'_, '_>) -> Existence {
    let status = xml::at(act, &["subject", "registrationEvent", "subject1", "patient", "statusCode"]);
    match status.and_then(|status| status.attribute("code")) {
        Some("active") => Existence::Open,
        Some("terminated") => Existence::Closed { reason: ClosureReason::Other, on: None },
        _ => Existence::Unknown,
    }
}

fn detail(acknowledgement: Node<'_, '_>) -> Remark {
    let detail = xml::child(acknowledgement, "acknowledgementDetail");
    let part = |name| detail.and_then(|detail| xml::child(detail, name));
    let code = part("code").and_then(|code| code.attribute("code")).unwrap_or("sans-code");
    let text = part("text").map(xml::text).unwrap_or_default();
    Remark { code: soap::shortened(code, soap::CODE_MAX), text: soap::shortened(&text, soap::REASON_MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patient::ins::InsKind;

    fn answer(acknowledged: &str, found: &str, status: &str, authorization: &str, attending: &str) -> String {
        format!(
            "<h:PRPA_IN201308UV02 xmlns:h='urn:hl7-org:v3'>\
             <h:attentionLine><h:keyWordText code='AUTORISATION'/><h:value code='{authorization}'/></h:attentionLine>\
             <h:attentionLine><h:keyWordText code='STATUT_MT'/><h:value value='{attending}'/></h:attentionLine>\
             <h:acknowledgement typeCode='{acknowledged}'><h:acknowledgementDetail><h:code code='DMPOups'/>\
             <h:text>non</h:text></h:acknowledgementDetail></h:acknowledgement>\
             <h:controlActProcess><h:subject><h:registrationEvent><h:statusCode code='completed'/><h:subject1><h:patient>\
             <h:statusCode code='{status}'/></h:patient></h:subject1></h:registrationEvent></h:subject>\
             <h:queryAck><h:queryResponseCode code='{found}'/></h:queryAck></h:controlActProcess></h:PRPA_IN201308UV02>"
        )
    }

    fn reads(text: &str) -> Result<RecordState, Missing> {
        let document = xml::parse(text).expect("well-formed");
        read(document.root_element())
    }

    #[test]
    fn every_word_about_an_authorization_is_understood_and_no_other() {
        for (word, expected, blocked) in [
            ("VALIDE", Authorization::Valid { until: None }, false),
            ("NON_EXISTE", Authorization::None, false),
            ("EXPIRE", Authorization::Expired, false),
            ("INTERDIT", Authorization::Forbidden, true),
            ("valide", Authorization::Unknown, false),
            ("", Authorization::Unknown, false),
        ] {
            let state = reads(&answer("AA", "OK", "active", word, "false")).expect("a state");
            assert_eq!((state.authorization, state.blocked), (expected, blocked), "{word}");
            assert_eq!((state.existence, state.attending_doctor), (Existence::Open, false));
        }
        assert!(reads(&answer("AA", "OK", "active", "VALIDE", "true")).expect("a state").attending_doctor);
    }

    #[test]
    fn lines_that_contradict_each_other_authorize_nobody() {
        let said = |first: &str, second: &str| {
            let line = format!("<h:attentionLine><h:keyWordText code='AUTORISATION'/>{second}</h:attentionLine>");
            let text = answer("AA", "OK", "active", first, "false");
            let text = text.replace("<h:acknowledgement ", &format!("{line}<h:acknowledgement "));
            reads(&text).expect("a state").authorization
        };
        assert_eq!(said("VALIDE", "<h:value code='VALIDE'/>"), Authorization::Valid { until: None });
        assert_eq!(said("VALIDE", "<h:value code='INTERDIT'/>"), Authorization::Forbidden);
        assert_eq!(said("INTERDIT", "<h:value code='VALIDE'/>"), Authorization::Forbidden);
        assert_eq!(said("VALIDE", "<h:value code='EXPIRE'/>"), Authorization::Unknown);
        assert_eq!(said("VALIDE", ""), Authorization::Unknown);
    }

    #[test]
    fn an_answer_about_another_question_is_told() {
        let is_ours = |place: &str, id: &str| {
            let text = format!("<a><controlActProcess><{place}>{id}</{place}></controlActProcess></a>");
            is_answer_to(xml::parse(&text).expect("XML").root_element(), "1.2.9", Uuid::nil())
        };
        let id = |root: &str, id: Uuid| format!("<queryId root='{root}' extension='{id}'/>");
        for place in ["queryAck", "queryByParameter"] {
            assert!(is_ours(place, "") && is_ours(place, &id("1.2.9.2", Uuid::nil())));
            assert!(!is_ours(place, &id("1.2.9.2", Uuid::max())));
            assert!(!is_ours(place, &id("1.2.8.2", Uuid::nil())));
        }
    }

    #[test]
    fn a_record_is_open_only_where_it_is_said() {
        let existence = |found: &str, status: &str| {
            reads(&answer("AA", found, status, "VALIDE", "false")).expect("a state").existence
        };
        assert_eq!(existence("NF", "active"), Existence::NeverCreated);
        assert_eq!(existence("OK", "terminated"), Existence::Closed { reason: ClosureReason::Other, on: None });
        for (found, status) in [("OK", ""), ("OK", "suspended"), ("", "active"), ("QE", "active")] {
            assert_eq!(existence(found, status), Existence::Unknown, "{found} {status}");
        }
    }

    #[test]
    fn what_is_not_acknowledged_is_refused() {
        let refused = Missing::Refused(Remark { code: "DMPOups".into(), text: "non".into() });
        for word in ["AE", "AR", ""] {
            assert_eq!(reads(&answer(word, "OK", "active", "VALIDE", "true")).err(), Some(refused.clone()));
        }
        assert!(matches!(reads("<x/>"), Err(Missing::Unreadable(_))));
        assert!(matches!(reads("<PRPA_IN201308UV02/>"), Err(Missing::Unreadable(_))));
    }

    #[test]
    fn it_asks_about_one_patient_by_their_number_alone() {
        let ins = Ins::unchecked("269059900000136", InsKind::Nir).expect("well formed");
        let text = request(&ins, "1.2.9", "A & B", Uuid::nil(), UnixSeconds(1_795_423_320));
        let document = xml::parse(&text).expect("well-formed");
        let act = xml::child(document.root_element(), "controlActProcess").expect("an act");
        assert_eq!(xml::child(act, "reasonCode").and_then(|code| code.attribute("code")), Some("TEST_EXST"));
        let value =
            xml::at(act, &["queryByParameter", "parameterList", "patientIdentifier", "value"]).expect("a value");
        assert_eq!(value.attribute("root"), Some("1.2.250.1.213.1.4.8"));
        assert_eq!(value.attribute("extension"), Some("269059900000136"));
        let at = xml::child(document.root_element(), "creationTime").and_then(|node| node.attribute("value"));
        assert_eq!(at, Some("20261123084200"));
    }
}
