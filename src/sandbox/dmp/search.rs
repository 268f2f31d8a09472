//! Searches about one patient: ITI-67 and ITI-66, with the parameters of `docs/pdsm.md` §4, chained or by the patient's reference.
//!
//! What is filtered is the resource as it would be sent, so that what was changed here and what was contributed are searched alike.

use crate::sandbox::dmp::contribution;
use crate::sandbox::dmp::faults::Fault;
use crate::sandbox::dmp::outcome::Refusal;
use crate::sandbox::dmp::request::Query;
use crate::sandbox::dmp::routes;
use crate::sandbox::dmp::routes::Answer;
use crate::sandbox::dmp::server::Shared;
use crate::sandbox::dmp::shapes;
use crate::sandbox::dmp::state::Act;
use crate::sandbox::dmp::state::State;
use crate::sandbox::dmp::token::Caller;
use crate::sandbox::people::Paper;
use crate::sandbox::people::Person;
use crate::sandbox::people::Record;
use crate::time::UnixSeconds;
use serde_json::Value;
use serde_json::json;

/// ITI-67, newest first.
pub fn documents(shared: &Shared, caller: &Caller, query: &Query) -> Result<Answer, Refusal> {
    let Some(person) = whose(shared, query)? else { return Ok(nothing()) };
    routes::may_read(shared, person, caller)?;
    let mut found = visible(shared, person, caller);
    for value in &mut found {
        let keeps = matches(value, query)?;
        if !keeps {
            *value = Value::Null;
        }
    }
    found.retain(|value| !value.is_null());
    if let Some(elements) = query.one("_elements") {
        found.iter_mut().for_each(|value| keep_only(value, elements));
    }
    let offset = query.number("_offset", 0)?;
    if offset == 0 {
        routes::log(shared, person, caller, Act::Listed);
    }
    routes::page(shared, "DocumentReference", query, offset, found)
}

/// ITI-66: here every document came in a set of its own.
pub fn lists(shared: &Shared, caller: &Caller, query: &Query) -> Result<Answer, Refusal> {
    let Some(person) = whose(shared, query)? else { return Ok(nothing()) };
    routes::may_read(shared, person, caller)?;
    let wanted = query.one("code").is_none_or(|code| code.ends_with("|submissionset") || code == "submissionset");
    let all = if wanted { visible(shared, person, caller) } else { Vec::new() };
    let mut found = Vec::new();
    for document in &all {
        let list = submission_set(person, document);
        if in_time(&list["date"], &query.all("date"))? {
            found.push(list);
        }
    }
    let offset = query.number("_offset", 0)?;
    if offset == 0 {
        routes::log(shared, person, caller, Act::Listed);
    }
    routes::page(shared, "List", query, offset, found)
}

fn nothing() -> Answer {
    Answer::json(200, &shapes::searchset(Vec::new(), 0, Vec::new()))
}

/// `None`: nobody's, or a record that was never made.
fn whose<'a>(shared: &'a Shared, query: &Query) -> Result<Option<&'a Person>, Refusal> {
    let person = match query.one("patient") {
        Some(reference) => {
            let number = reference.strip_prefix("Patient/p").and_then(|number| number.parse::<usize>().ok());
            number.and_then(|number| shared.people.persons.get(number.checked_sub(1)?))
        }
        None => {
            let key = query.patient("patient.identifier")?;
            // Some servers do not chain, and say nothing of it.
            let chains = shared.faults.now() != Some(Fault::Unchained);
            shared.people.by_key(&key).filter(|_| chains)
        }
    };
    Ok(person.filter(|person| person.record != Record::NeverCreated))
}

/// What this holder may know of, as it stands now.
pub fn visible(shared: &Shared, person: &Person, caller: &Caller) -> Vec<Value> {
    let state = shared.state();
    let mut papers: Vec<&Paper> =
        person.papers.iter().filter(|paper| routes::may_see(&state, person, paper, caller)).collect();
    papers.sort_by_key(|paper| std::cmp::Reverse((paper.created, paper.unique_id.clone())));
    let base = &shared.base_url;
    let papers = papers.into_iter().map(|paper| current(&state, person, paper, base));
    contribution::references(&state, person, caller).into_iter().chain(papers).collect()
}

/// As it was made, or as it was changed last.
fn current(state: &State, person: &Person, paper: &Paper, base: &str) -> Value {
    if let Some(changed) = state.changed.get(&paper.unique_id) {
        return changed.clone();
    }
    let mut document = shapes::document(person, paper, base);
    document["meta"] = json!({"lastUpdated": paper.created.rfc3339()});
    document
}

pub(super) fn submission_set(person: &Person, document: &Value) -> Value {
    let id = document["id"].as_str().unwrap_or("");
    json!({
        "resourceType": "List", "id": format!("set-{id}"), "status": "current", "mode": "working",
        "code": {"coding": [{"system": "https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes", "code": "submissionset"}]},
        "subject": {"identifier": shapes::patient_identifier(person)},
        "date": if document["meta"]["lastUpdated"].is_string() { &document["meta"]["lastUpdated"] } else { &document["date"] },
        "entry": [{"item": {"reference": format!("DocumentReference/{id}")}}]
    })
}

fn matches(document: &Value, query: &Query) -> Result<bool, Refusal> {
    let any_of = |name: &str, codes: &[&str]| {
        let wanted = query.one(name);
        wanted.is_none_or(|list| list.split(',').any(|one| codes.contains(&one.rsplit('|').next().unwrap_or_default())))
    };
    let codings = |concepts: &Value| -> Vec<String> {
        let concepts = concepts.as_array().cloned().unwrap_or_else(|| vec![concepts.clone()]);
        let codes = concepts.iter().flat_map(|concept| concept["coding"].as_array().cloned().unwrap_or_default());
        codes.filter_map(|coding| coding["code"].as_str().map(str::to_owned)).collect()
    };
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let has = |name: &str, codes: Vec<String>| any_of(name, &codes.iter().map(String::as_str).collect::<Vec<_>>());
    let period = &document["context"]["period"];
    Ok(has("status", vec![text(&document["status"])])
        && has("_id", vec![text(&document["id"])])
        && has("type", codings(&document["type"]))
        && has("category", codings(&document["category"]))
        && has("security-label", codings(&document["securityLabel"]))
        && in_time(&document["date"], &query.all("date"))?
        && in_time(&document["meta"]["lastUpdated"], &query.all("_lastUpdated"))?
        && overlaps(period, &query.all("period"))?)
}

/// `ge` and `le`; anything else is not understood. What has no time is not left out.
fn in_time(value: &Value, bounds: &[&str]) -> Result<bool, Refusal> {
    let at = value.as_str().and_then(UnixSeconds::parse);
    let mut inside = true;
    for bound in bounds {
        let (is_from, wanted) = bound_of(bound)?;
        inside &= at.is_none_or(|at| if is_from { at >= wanted } else { at <= wanted });
    }
    Ok(inside)
}

/// A period without an end is open, and reaches every later time.
fn overlaps(period: &Value, bounds: &[&str]) -> Result<bool, Refusal> {
    let mut inside = true;
    for bound in bounds {
        let (is_from, _) = bound_of(bound)?;
        inside &= in_time(&period[if is_from { "end" } else { "start" }], &[bound])?;
    }
    Ok(inside)
}

fn bound_of(bound: &str) -> Result<(bool, UnixSeconds), Refusal> {
    let (is_from, text) = match (bound.strip_prefix("ge"), bound.strip_prefix("le")) {
        (Some(text), _) => (true, text),
        (_, Some(text)) => (false, text),
        _ => return Err(Refusal::RequestInvalid),
    };
    Ok((is_from, UnixSeconds::parse(text).ok_or(Refusal::RequestInvalid)?))
}

/// FHIR R4 §3.1.1.5.9: what is mandatory stays.
fn keep_only(document: &mut Value, elements: &str) {
    let wanted: Vec<&str> = elements.split(',').chain(["resourceType", "id", "meta"]).collect();
    if let Some(object) = document.as_object_mut() {
        object.retain(|name, _| wanted.contains(&name.as_str()));
    }
}

/// What this server can do.
pub fn capability() -> Value {
    let parameters = |names: &[&str]| names.iter().map(|name| json!({"name": name})).collect::<Vec<_>>();
    let documents = [
        "patient",
        "status",
        "type",
        "category",
        "date",
        "period",
        "security-label",
        "_lastUpdated",
        "_id",
        "_elements",
    ];
    json!({
        "resourceType": "CapabilityStatement", "status": "active", "kind": "instance", "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "rest": [{"mode": "server", "resource": [
            {"type": "DocumentReference", "searchParam": parameters(&documents)},
            {"type": "List", "searchParam": parameters(&["patient", "code", "status", "date"])}
        ]}]
    })
}
