//! What stands for one holder, and what patients say at the bedside (`docs/pdsm.md` §2 and §3).

use crate::sandbox::dmp::outcome::Refusal;
use crate::sandbox::dmp::request::Query;
use crate::sandbox::dmp::routes::Answer;
use crate::sandbox::dmp::server::Shared;
use crate::sandbox::dmp::shapes;
use crate::sandbox::dmp::state::State;
use crate::sandbox::dmp::token::Caller;
use crate::sandbox::people::Person;
use crate::sandbox::people::Record;
use crate::sandbox::people::Standing;
use crate::time::UnixSeconds;
use serde_json::Value;
use serde_json::json;

/// TD0.2's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authorization {
    None,
    Valid,
    Expired,
    Forbidden,
}

pub fn is_blocked(person: &Person, holder: &str) -> bool {
    person.standing.iter().any(|standing| matches!(standing, Standing::Blocked(id) if *id == holder))
}

/// What was said last wins over what stood at first.
pub fn authorization(state: &State, person: &Person, holder: &str, now: UnixSeconds) -> Authorization {
    if let Some(said) = last_said(state, person, "authorization", holder) {
        let end = said["provision"]["period"]["end"].as_str().and_then(UnixSeconds::parse);
        return match (said["status"].as_str(), said["provision"]["type"].as_str()) {
            (Some("active"), Some("permit")) if end.is_none_or(|end| end > now) => Authorization::Valid,
            (Some("active"), Some("permit")) => Authorization::Expired,
            (Some("active"), Some("deny")) => Authorization::Forbidden,
            _ => Authorization::None,
        };
    }
    let first = person.standing.iter().find_map(|standing| match standing {
        Standing::Valid(id) if *id == holder => Some(Authorization::Valid),
        Standing::Expired(id) if *id == holder => Some(Authorization::Expired),
        Standing::Forbidden(id) if *id == holder => Some(Authorization::Forbidden),
        _ => None,
    });
    first.unwrap_or(Authorization::None)
}

/// The newest by its own date; of two in the same second a deny wins.
fn last_said<'a>(state: &'a State, person: &Person, about: &str, who: &str) -> Option<&'a Value> {
    let ours = state.consents.iter().filter(|consent| {
        shapes::patient_key(&consent["patient"]["identifier"]).as_deref() == Some(&person.patient.ins.key())
            && category(consent) == Some(about)
            && actor(consent) == Some(who)
    });
    ours.max_by_key(|consent| {
        let at = consent["dateTime"].as_str().and_then(UnixSeconds::parse).map_or(0, |at| at.0);
        (at, consent["provision"]["type"] == "deny")
    })
}

/// `GET Consent`: of one patient, at most one authorization and one blocking of the holder who asks, and what stands for the
/// teams that they name and for the team that this server knows to be theirs; of no patient, the holder's own of everybody.
pub fn search(shared: &Shared, caller: &Caller, query: &Query) -> Result<Answer, Refusal> {
    let actors = query.tokens("actor.identifier");
    let (holders, teams): (Vec<_>, Vec<_>) = actors.into_iter().partition(|(system, _)| system == shapes::PS);
    if !matches!(holders.as_slice(), [(_, id)] if *id == caller.id) {
        return Err(Refusal::RequestInvalid);
    }
    let mut found = Vec::new();
    if query.one("patient.identifier").is_none() {
        let categories: Vec<String> = query.tokens("category").into_iter().map(|(_, code)| code).collect();
        for person in shared.people.persons.iter().filter(|person| person.record == Record::Open) {
            found.extend(of_holder(shared, person, caller));
        }
        found.retain(|consent| category(consent).is_some_and(|known| categories.iter().any(|one| one == known)));
    } else {
        let key = query.patient("patient.identifier")?;
        if let Some(person) = shared.people.by_key(&key).filter(|person| person.record != Record::NeverCreated) {
            found.extend(of_holder(shared, person, caller));
            let own = person.care_team.as_ref().filter(|team| team.members.contains(&caller.id.as_str()));
            let named = teams.iter().filter(|(system, _)| system == shapes::TEAM).map(|(_, name)| name.as_str());
            for team in named.chain(own.map(|team| team.name)) {
                let said = last_said(&shared.state(), person, "team", team).cloned();
                found.extend(said.or_else(|| Some(shapes::team_consent(person, own.filter(|own| own.name == team)?))));
            }
        }
    }
    let total = found.len();
    Ok(Answer::json(200, &shapes::searchset(found, total, Vec::new())))
}

/// The authorization and the blocking, as far as there are any.
fn of_holder(shared: &Shared, person: &Person, caller: &Caller) -> Vec<Value> {
    let (mut found, now) = (Vec::new(), shared.now());
    let stands = authorization(&shared.state(), person, &caller.id, now);
    let words = match stands {
        Authorization::None => None,
        Authorization::Valid => Some(("active", "permit")),
        Authorization::Expired => Some(("inactive", "permit")),
        Authorization::Forbidden => Some(("active", "deny")),
    };
    if let Some((status, kind)) = words {
        let mut consent = shapes::consent(person, &caller.id, "authorization", status, kind);
        if stands == Authorization::Valid {
            let state = shared.state();
            let end = last_said(&state, person, "authorization", &caller.id)
                .map(|said| said["provision"]["period"]["end"].clone());
            let end = end.unwrap_or_else(|| json!(now.plus(YEAR_SECONDS / 2).rfc3339()));
            consent["provision"]["period"] = json!({"end": end});
        }
        found.push(consent);
    }
    if is_blocked(person, &caller.id) {
        found.push(shapes::consent(person, &caller.id, "blocking", "active", "deny"));
    }
    found
}

/// `POST Consent` with `If-None-Exist`.
pub fn create(shared: &Shared, caller: &Caller, if_none_exist: Option<&str>, body: &[u8]) -> Result<Answer, Refusal> {
    let mut consent: Value = serde_json::from_slice(body).map_err(|_| Refusal::RequestInvalid)?;
    if consent["resourceType"] != "Consent" {
        return Err(Refusal::RequestInvalid);
    }
    let id = consent["identifier"][0]["value"].as_str().ok_or(Refusal::RequestInvalid)?.to_owned();
    let wanted = if_none_exist.map(|text| Query::parse(text).one("identifier").unwrap_or("").to_owned());
    if wanted.is_some_and(|wanted| wanted != format!("urn:ietf:rfc:3986|{id}")) {
        return Err(Refusal::RequestInvalid);
    }
    let key = shapes::patient_key(&consent["patient"]["identifier"]).ok_or(Refusal::RequestInvalid)?;
    let mut state = shared.state();
    if let Some(known) = state.consents.iter().find(|known| known["identifier"][0]["value"] == id.as_str()) {
        return Ok(Answer::json(200, known));
    }
    let person = shared.people.by_key(&key).filter(|person| person.record == Record::Open).ok_or(Refusal::Refused)?;
    let at = consent["dateTime"].as_str().and_then(UnixSeconds::parse).ok_or(Refusal::RequestInvalid)?;
    let category = category(&consent).ok_or(Refusal::RequestInvalid)?;
    if !["authorization", "team", "holder-once", "event"].contains(&category) {
        return Err(Refusal::RequestInvalid);
    }
    // Nobody says anything in somebody else's name.
    if asked_by(&consent).is_some_and(|asked| asked != caller.id)
        || (category == "authorization" && actor(&consent) != Some(caller.id.as_str()))
    {
        return Err(Refusal::Refused);
    }
    debug_assert_eq!(person.patient.ins.key(), key);
    if category == "authorization" && consent["status"] == "active" && consent["provision"]["type"] == "permit" {
        consent["provision"]["period"] = json!({"start": at.rfc3339(), "end": at.plus(YEAR_SECONDS).rfc3339()});
    }
    consent["id"] = json!(id.trim_start_matches("urn:uuid:"));
    state.consents.push(consent.clone());
    state.names.insert(caller.id.clone(), caller.name.clone());
    drop(state);
    shared.save();
    Ok(Answer::json(201, &consent))
}

/// `GET CareTeam`: the active ones of this patient that list the holder who asks.
pub fn care_teams(shared: &Shared, caller: &Caller, query: &Query) -> Result<Answer, Refusal> {
    let key = query.patient("patient.identifier")?;
    let asked = query.tokens("participant.identifier");
    if !matches!(asked.as_slice(), [(system, id)] if system == shapes::PS && *id == caller.id) {
        return Err(Refusal::RequestInvalid);
    }
    let person = shared.people.by_key(&key).filter(|person| person.record != Record::NeverCreated);
    let lists = |person: &&Person| {
        let team = person.care_team.as_ref();
        team.is_some_and(|team| team.members.contains(&caller.id.as_str()))
    };
    let found: Vec<Value> = person.filter(lists).and_then(shapes::care_team).into_iter().collect();
    let total = found.len();
    Ok(Answer::json(200, &shapes::searchset(found, total, Vec::new())))
}

pub fn category(consent: &Value) -> Option<&str> {
    consent["category"][0]["coding"][0]["code"].as_str()
}

fn actor(consent: &Value) -> Option<&str> {
    consent["provision"]["actor"][0]["reference"]["identifier"]["value"].as_str()
}

fn asked_by(consent: &Value) -> Option<&str> {
    let list = consent["extension"].as_array()?;
    let found = list.iter().find(|entry| entry["url"] == "https://chevet.invalid/fhir/StructureDefinition/asked-by")?;
    found["valueIdentifier"]["value"].as_str()
}

const YEAR_SECONDS: i64 = 365 * 86_400;
