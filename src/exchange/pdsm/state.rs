//! TD0.2: a Patient, the Consents about one holder and their CareTeams become a `RecordState` (docs/pdsm.md §2). Pure.
//!
//! What is not understood is `Unknown`, and `policy` denies it. Identity traits are never read.

use crate::exchange::pdsm::fhir;
use crate::exchange::pdsm::fhir::Concept;
use crate::exchange::pdsm::fhir::Extension;
use crate::exchange::pdsm::fhir::Identifier;
use crate::exchange::pdsm::fhir::Period;
use crate::exchange::pdsm::fhir::Reference;
use crate::exchange::pdsm::names;
use crate::identity::holder::HolderId;
use crate::patient::ins::Ins;
use crate::record::state::Authorization;
use crate::record::state::ClosureReason;
use crate::record::state::EmergencySwitches;
use crate::record::state::Existence;
use crate::record::state::RecordState;
use crate::record::state::TeamWord;
use crate::time::UnixSeconds;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Patient {
    active: Option<bool>,
    #[serde(default)]
    identifier: Vec<Identifier>,
    #[serde(default)]
    extension: Vec<Extension>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Consent {
    #[serde(default)]
    status: String,
    #[serde(default)]
    category: Vec<Concept>,
    date_time: Option<String>,
    patient: Option<Reference>,
    provision: Option<Provision>,
}

#[derive(Deserialize)]
struct Provision {
    #[serde(default, rename = "type")]
    kind: String,
    period: Option<Period>,
    #[serde(default)]
    actor: Vec<Actor>,
}

#[derive(Deserialize)]
struct Actor {
    reference: Option<Reference>,
}

#[derive(Deserialize)]
struct CareTeam {
    #[serde(default)]
    status: String,
    #[serde(default)]
    name: String,
    subject: Option<Reference>,
    #[serde(default)]
    participant: Vec<Participant>,
}

#[derive(Deserialize)]
struct Participant {
    member: Option<Reference>,
}

/// What the three searches found.
pub struct Found {
    pub patients: Vec<Value>,
    pub consents: Vec<Value>,
    pub care_teams: Vec<Value>,
}

/// All answers, in one state.
pub fn record_state(found: Found, asked: &Ins, holder: &HolderId) -> RecordState {
    let Found { patients: found, consents, care_teams } = found;
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
        blocked: is_blocked(&standing),
        emergency: emergency(extensions),
        minor: fhir::flag(extensions, names::MINOR),
        attending_doctor: fhir::flag(extensions, names::ATTENDING_DOCTOR).unwrap_or(false),
        administrator: fhir::flag(extensions, names::ADMINISTRATOR).unwrap_or(false),
        care_team: care_teams
            .iter()
            .filter_map(|value| fhir::resource::<CareTeam>(value, "CareTeam"))
            .filter(|team| team.is_of(asked) && team.lists(holder))
            .map(|team| team.name)
            .min(),
        team_words: team_words(&standing),
    }
}

/// TD0.4: whose records the holder may open by what these Consents say, each once and with its end. What is not understood, and
/// what names nobody, says nothing.
pub fn authorized(consents: &[Value], holder: &HolderId) -> Vec<(Ins, Option<UnixSeconds>)> {
    let mut by_patient: BTreeMap<Ins, Vec<Option<Consent>>> = BTreeMap::new();
    for consent in consents.iter().filter_map(|value| fhir::resource::<Consent>(value, "Consent")) {
        let patient = consent.patient.as_ref().and_then(|patient| fhir::ins(patient.identifier.as_ref()?));
        if let Some(patient) = patient.filter(|_| consent.names(holder)) {
            by_patient.entry(patient).or_default().push(Some(consent));
        }
    }
    let stands = |(patient, standing): (Ins, Vec<Option<Consent>>)| match authorization(&standing) {
        Authorization::Valid { until } if !is_blocked(&standing) => Some((patient, until)),
        _ => None,
    };
    by_patient.into_iter().filter_map(stands).collect()
}

/// Blocking that cannot be read is blocking.
fn is_blocked(standing: &[Option<Consent>]) -> bool {
    standing.iter().flatten().any(|consent| consent.is("blocking") && !consent.is_over())
}

impl CareTeam {
    /// Somebody else's team would be the worst of answers; one without a name cannot be asked about.
    fn is_of(&self, asked: &Ins) -> bool {
        let subject = self.subject.as_ref().and_then(|subject| subject.identifier.as_ref());
        let same = |id: &Identifier| id.system == fhir::ins_system(asked) && id.value == asked.matricule;
        self.status == "active" && !self.name.trim().is_empty() && subject.is_some_and(same)
    }

    fn lists(&self, holder: &HolderId) -> bool {
        let ids = self.participant.iter().filter_map(|one| one.member.as_ref()?.identifier.as_ref());
        ids.into_iter().any(|id| id.system == names::PROFESSIONAL && id.value == holder.0)
    }
}

/// Of two words about one team the newer counts; of two in the same second, or when that cannot be told, the no.
fn team_words(standing: &[Option<Consent>]) -> Vec<TeamWord> {
    let mut words: Vec<TeamWord> = Vec::new();
    for word in standing.iter().flatten().filter(|consent| consent.is("team")).filter_map(Consent::team_word) {
        let age = |word: &TeamWord| (word.at.is_none(), word.at, !word.agreed);
        match words.iter_mut().find(|known| known.team == word.team) {
            Some(known) if age(&word) > age(known) => *known = word,
            Some(_) => {}
            None => words.push(word),
        }
    }
    words
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

    fn names(&self, holder: &HolderId) -> bool {
        let actors = self.provision.iter().flat_map(|provision| &provision.actor);
        let mut ids = actors.filter_map(|actor| actor.reference.as_ref()?.identifier.as_ref());
        ids.any(|id| id.system == names::PROFESSIONAL && id.value == holder.0)
    }

    /// A withdrawn blocking.
    fn is_over(&self) -> bool {
        matches!(self.status.as_str(), "inactive" | "entered-in-error" | "rejected")
    }

    /// What is not understood is a no; what says that it is not in force is no word at all.
    fn team_word(&self) -> Option<TeamWord> {
        let provision = self.provision.as_ref()?;
        let ids = provision.actor.iter().filter_map(|actor| actor.reference.as_ref()?.identifier.as_ref());
        let team = ids.into_iter().find(|id| id.system == names::TEAM).map(|id| id.value.clone())?;
        let at = self.date_time.as_deref().and_then(fhir::time);
        let end = provision.period.as_ref().and_then(|period| period.end.as_deref());
        let until = end.map(fhir::time);
        match self.status.as_str() {
            "draft" | "proposed" | "entered-in-error" => None,
            // Neither a day nor an end that cannot be read is one.
            "active" if provision.kind == "permit" && (at.is_none() || until == Some(None)) => None,
            status => {
                let agreed = status == "active" && provision.kind == "permit";
                Some(TeamWord { team, agreed, at, until: until.flatten() })
            }
        }
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

    fn state(patients: Vec<Value>, consents: Vec<Value>) -> RecordState {
        record_state(Found { patients, consents, care_teams: vec![] }, &ins(), &me())
    }

    fn me() -> HolderId {
        HolderId("899700000012".into())
    }

    fn existence(patients: Vec<Value>) -> Existence {
        state(patients, vec![]).existence
    }

    fn authorized(consents: Vec<Value>) -> Authorization {
        state(vec![], consents).authorization
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
    fn a_list_of_authorizations_names_whom_they_are_valid_for_and_nobody_else() {
        let of = |matricule: &str, category: &str, status: &str, kind: &str, actor: &str| {
            let id = json!({"system": names::PROFESSIONAL, "value": actor});
            let mut one =
                consent(category, status, json!({"type": kind, "actor": [{"reference": {"identifier": id}}]}));
            let system = "urn:oid:1.2.250.1.213.1.4.10";
            one["patient"] = json!({"identifier": {"system": system, "value": matricule}});
            one
        };
        let mut ends = of("255069999999934", "authorization", "active", "permit", "899700000012");
        ends["provision"]["period"] = json!({"end": "2027-11-23T08:42:00Z"});
        let mut nobody = of("279035121518989", "authorization", "active", "permit", "899700000012");
        nobody["patient"]["identifier"]["system"] = json!("urn:oid:1.2.3");
        let list = [
            of("279035121518989", "authorization", "active", "permit", "899700000012"),
            ends,
            of("160012A999999", "authorization", "active", "permit", "899700000012"),
            of("180069999999935", "authorization", "inactive", "permit", "899700000012"),
            of("181069999999935", "authorization", "active", "permit", "899700000013"),
            of("182069999999935", "authorization", "active", "permit", "899700000012"),
            of("182069999999935", "blocking", "active", "deny", "899700000012"),
            of("183069999999935", "authorization", "active", "permit", "899700000012"),
            of("183069999999935", "authorization", "active", "deny", "899700000012"),
            of("184069999999935", "team", "active", "permit", "899700000012"),
            nobody,
            json!(null),
        ];
        let found = super::authorized(&list, &me());
        let found: Vec<(&str, Option<UnixSeconds>)> = found.iter().map(|(ins, end)| (&*ins.matricule, *end)).collect();
        let end = UnixSeconds::parse("2027-11-23T08:42:00Z");
        assert_eq!(found, [("255069999999934", end), ("279035121518989", None)]);
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
        let blocked = |status| state(vec![], vec![blocking(status)]).blocked;
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
            state(vec![said], vec![])
        };
        let state = switches(json!({"url": "maskedDocuments", "valueBoolean": true}));
        let all = EmergencySwitches { samu: true, other_professionals: false, masked_documents: true };
        assert_eq!(state.emergency, Some(all));
        assert_eq!((state.minor, state.attending_doctor, state.administrator), (Some(false), true, false));
        assert_eq!(switches(json!({"url": "else"})).emergency, None, "two switches are not three");
    }

    #[test]
    fn a_care_team_is_this_patients_active_and_lists_this_holder() {
        let team = |status: &str, name: &str, subject: &str, member: &str| {
            json!({"resourceType": "CareTeam", "status": status, "name": name,
                "subject": {"identifier": {"system": "urn:oid:1.2.250.1.213.1.4.10", "value": subject}},
                "participant": [{"member": {"display": "?"}},
                    {"member": {"identifier": {"system": names::PROFESSIONAL, "value": member}}}]})
        };
        let of = |care_teams: Vec<Value>| {
            record_state(Found { patients: vec![], consents: vec![], care_teams }, &ins(), &me()).care_team
        };
        let good = team("active", "HAD du Val", "279035121518989", "899700000012");
        assert_eq!(of(vec![good.clone()]).as_deref(), Some("HAD du Val"));
        let second = team("active", "Équipe B", "279035121518989", "899700000012");
        assert_eq!(of(vec![second, good]).as_deref(), Some("HAD du Val"), "one of them, always the same");
        for other in [
            team("inactive", "HAD du Val", "279035121518989", "899700000012"),
            team("active", " ", "279035121518989", "899700000012"),
            team("active", "HAD du Val", "255069999999934", "899700000012"),
            team("active", "HAD du Val", "279035121518989", "899700000047"),
            json!({"resourceType": "CareTeam", "status": "active", "name": "HAD du Val"}),
        ] {
            assert_eq!(of(vec![other.clone()]), None, "{other}");
        }
    }

    #[test]
    fn the_newest_word_about_each_team_counts_and_a_no_wins() {
        let word = |team: &str, status: &str, kind: &str, at: Value, end: Value| {
            let mut consent = consent(
                "team",
                status,
                json!({"type": kind,
                "actor": [{"reference": {"identifier": {"system": names::TEAM, "value": team}}}]}),
            );
            consent["dateTime"] = at;
            if !end.is_null() {
                consent["provision"]["period"] = json!({"end": end});
            }
            consent
        };
        let (early, late) = (json!("2026-11-20T08:00:00Z"), json!("2026-11-23T08:00:00Z"));
        let said = |consents: Vec<Value>| -> Vec<(String, bool)> {
            state(vec![], consents).team_words.into_iter().map(|word| (word.team, word.agreed)).collect()
        };
        let yes = |at: &Value| word("a", "active", "permit", at.clone(), json!(null));
        let no = |at: &Value| word("a", "active", "deny", at.clone(), json!(null));
        let taken_back = |at: &Value| word("a", "inactive", "permit", at.clone(), json!(null));
        let a = |agreed| vec![("a".to_owned(), agreed)];
        assert_eq!(said(vec![yes(&early)]), a(true));
        assert_eq!(said(vec![no(&early), yes(&late)]), a(true));
        assert_eq!(said(vec![yes(&early), no(&late)]), a(false));
        assert_eq!(said(vec![yes(&late), no(&late)]), a(false));
        assert_eq!(said(vec![taken_back(&late), yes(&early)]), a(false));
        assert_eq!(said(vec![yes(&late), no(&json!("soon"))]), a(false), "a no of a day that cannot be read");
        assert_eq!(said(vec![yes(&json!("soon"))]), []);
        assert_eq!(said(vec![word("a", "active", "permit", late.clone(), json!("soon"))]), []);
        assert_eq!(said(vec![word("a", "proposed", "deny", late.clone(), json!(null))]), []);
        assert_eq!(said(vec![word("a", "strange", "permit", late.clone(), json!(null))]), a(false));
        let other = word("b", "active", "deny", late.clone(), json!(null));
        assert_eq!(said(vec![yes(&early), other]), [("a".to_owned(), true), ("b".to_owned(), false)]);
        let end = state(vec![], vec![word("a", "active", "permit", late, json!("2027-11-23T08:00:00Z"))]);
        assert_eq!(end.team_words[0].until, UnixSeconds::parse("2027-11-23T08:00:00Z"));
        // Nobody's team, and no authorization.
        assert_eq!(said(vec![consent("team", "active", json!({"type": "permit"}))]), []);
    }
}
