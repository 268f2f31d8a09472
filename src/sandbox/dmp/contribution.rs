//! What holders add (ITI-65): a transaction of three, kept once by unique identifier.

use crate::sandbox::dmp::outcome::Refusal;
use crate::sandbox::dmp::routes;
use crate::sandbox::dmp::routes::Answer;
use crate::sandbox::dmp::server::Shared;
use crate::sandbox::dmp::shapes;
use crate::sandbox::dmp::state::Act;
use crate::sandbox::dmp::state::Contribution;
use crate::sandbox::dmp::state::State;
use crate::sandbox::dmp::token::Caller;
use crate::sandbox::people::Record;
use serde_json::Value;
use serde_json::json;

/// Depositing needs an open record and no authorization.
pub fn store(shared: &Shared, caller: &Caller, bundle: &Value) -> Result<Answer, Refusal> {
    let entries = bundle["entry"].as_array().ok_or(Refusal::RequestInvalid)?;
    let of = |kind: &str| entries.iter().map(|entry| &entry["resource"]).find(|one| one["resourceType"] == kind);
    let mut reference = of("DocumentReference").ok_or(Refusal::RequestInvalid)?.clone();
    let data = of("Binary").and_then(|one| one["data"].as_str()).ok_or(Refusal::RequestInvalid)?.to_owned();
    let unique = reference["masterIdentifier"]["value"].as_str().ok_or(Refusal::RequestInvalid)?.to_owned();
    let key = shapes::patient_key(&reference["subject"]["identifier"]).ok_or(Refusal::RequestInvalid)?;
    let person = shared.people.by_key(&key).filter(|person| person.record == Record::Open).ok_or(Refusal::Refused)?;
    let mut state = shared.state();
    let known = state.contributions.iter().any(|one| one.unique_id == unique);
    if !known {
        let id = format!("c{}", state.contributions.len() + 1);
        reference["id"] = json!(id);
        reference["content"][0]["attachment"]["url"] = json!(format!("Binary/{id}"));
        state.contributions.push(Contribution {
            patient: key,
            unique_id: unique,
            author: caller.id.clone(),
            reference,
            data,
        });
    }
    drop(state);
    if !known {
        routes::log(shared, person, caller, Act::Contributed);
    }
    let status = if known { "200 OK" } else { "201 Created" };
    let answers: Vec<Value> = entries.iter().map(|_| json!({"response": {"status": status}})).collect();
    Ok(Answer::json(200, &json!({"resourceType": "Bundle", "type": "transaction-response", "entry": answers})))
}

/// The DocumentReferences added to a record, newest first.
pub fn references(state: &State, key: &str) -> Vec<Value> {
    let ours = state.contributions.iter().rev().filter(|one| one.patient == key);
    ours.map(|one| one.reference.clone()).collect()
}

/// Patient and base64 of an added document, by its entry.
pub fn content(state: &State, id: &str) -> Option<(String, String)> {
    let found = state.contributions.iter().find(|one| one.reference["id"] == id)?;
    Some((found.patient.clone(), found.data.clone()))
}
