//! What holders add (ITI-65), a transaction of three, kept once by unique identifier; and what they change of their own
//! documents later (TD3.3), by a conditional PATCH. The author is whoever the token proves, or nothing is kept.

use crate::sandbox::dmp::outcome::Refusal;
use crate::sandbox::dmp::request::Query;
use crate::sandbox::dmp::routes;
use crate::sandbox::dmp::routes::Answer;
use crate::sandbox::dmp::server::Shared;
use crate::sandbox::dmp::shapes;
use crate::sandbox::dmp::state::Act;
use crate::sandbox::dmp::state::Amendment;
use crate::sandbox::dmp::state::Contribution;
use crate::sandbox::dmp::state::State;
use crate::sandbox::dmp::token::Caller;
use crate::sandbox::people::Paper;
use crate::sandbox::people::Person;
use crate::sandbox::people::Record;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
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
    if author_of(&reference) != Some(caller.id.as_str()) || !is_whole(&reference, &data) {
        return Err(Refusal::Refused);
    }
    let mut state = shared.state();
    let known = state.contributions.iter().any(|one| one.unique_id == unique);
    if !known {
        let id = format!("c{}", state.contributions.len() + 1);
        reference["id"] = json!(id);
        reference["meta"] = updated_now(shared);
        reference["content"][0]["attachment"]["url"] = json!(format!("Binary/{id}"));
        for replaced in reference["relatesTo"].as_array().into_iter().flatten() {
            let target = replaced["target"]["identifier"]["value"].as_str().filter(|_| replaced["code"] == "replaces");
            if let Some(target) = target {
                change(&mut state, shared, caller, target, |document| document["status"] = json!("superseded"))?;
            }
        }
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

/// A JSON Patch (RFC 6902) of the caller's own document: its labels, its archiving, its withdrawal, and nothing else.
pub fn patch(shared: &Shared, caller: &Caller, query: &Query, body: &[u8]) -> Result<Answer, Refusal> {
    let identifier = query.one("identifier").and_then(|text| text.split_once('|')).ok_or(Refusal::RequestInvalid)?.1;
    let operations: Vec<Value> = serde_json::from_slice(body).map_err(|_| Refusal::RequestInvalid)?;
    for operation in &operations {
        let is_known = matches!(operation["op"].as_str(), Some("add" | "replace"));
        let path = operation["path"].as_str().unwrap_or("");
        if !is_known || !["/securityLabel", "/extension", "/status"].contains(&path) {
            return Err(Refusal::RequestInvalid);
        }
    }
    let mut state = shared.state();
    let key = change(&mut state, shared, caller, identifier, |document| {
        for operation in &operations {
            document[&operation["path"].as_str().unwrap_or("")[1..]] = operation["value"].clone();
        }
    })?;
    drop(state);
    let person = shared.people.by_key(&key).ok_or(Refusal::NotFound)?;
    routes::log(shared, person, caller, Act::Changed);
    Ok(Answer::json(
        200,
        &json!({"resourceType": "OperationOutcome", "issue": [
        {"severity": "information", "code": "informational"}]}),
    ))
}

/// Changes one document of the caller's, added here or in the record before; whose record it is in.
pub fn change(
    state: &mut State,
    shared: &Shared,
    caller: &Caller,
    identifier: &str,
    edit: impl Fn(&mut Value),
) -> Result<String, Refusal> {
    if let Some(one) = state.contributions.iter_mut().find(|one| one.unique_id == identifier) {
        if one.author != caller.id {
            return Err(Refusal::Refused);
        }
        edit(&mut one.reference);
        one.reference["meta"] = updated_now(shared);
        return Ok(one.patient.clone());
    }
    let bare = identifier.trim_start_matches("urn:oid:");
    let (person, paper) = papers(shared).find(|(_, paper)| paper.unique_id == bare).ok_or(Refusal::NotFound)?;
    if paper.author.id.as_deref() != Some(caller.id.as_str()) {
        return Err(Refusal::Refused);
    }
    edit_paper(state, shared, person, paper, edit);
    Ok(person.patient.ins.key())
}

/// From outside, whoever its author is.
pub fn amend(shared: &Shared, entry: &str, amendment: &Amendment) {
    let Some((person, paper)) = papers(shared).find(|(_, paper)| paper.entry_id == entry) else { return };
    edit_paper(&mut shared.state(), shared, person, paper, |document| {
        if let Some(labels) = &amendment.labels {
            document["securityLabel"] = labels.iter().map(|code| json!({"coding": [{"code": code}]})).collect();
        }
        if let Some(status) = &amendment.status {
            document["status"] = json!(status);
        }
        if let Some(archived) = amendment.archived {
            document["extension"][0]["valueBoolean"] = json!(archived);
        }
    });
}

fn papers(shared: &Shared) -> impl Iterator<Item = (&Person, &Paper)> {
    shared.people.persons.iter().flat_map(|person| person.papers.iter().map(move |paper| (person, paper)))
}

fn edit_paper(state: &mut State, shared: &Shared, person: &Person, paper: &Paper, edit: impl Fn(&mut Value)) {
    let document = state
        .changed
        .entry(paper.unique_id.clone())
        .or_insert_with(|| shapes::document(person, paper, &shared.base_url));
    edit(document);
    document["meta"] = updated_now(shared);
}

fn updated_now(shared: &Shared) -> Value {
    json!({"lastUpdated": shared.now().rfc3339()})
}

/// Of the contained person that the first author names.
fn author_of(reference: &Value) -> Option<&str> {
    let name = reference["author"][0]["reference"].as_str()?.strip_prefix('#')?;
    let person = reference["contained"].as_array()?.iter().find(|one| one["id"] == name)?;
    person["identifier"][0]["value"].as_str()
}

/// Size and SHA-1 are those of the content.
fn is_whole(reference: &Value, data: &str) -> bool {
    let attachment = &reference["content"][0]["attachment"];
    let Ok(bytes) = STANDARD.decode(data) else { return false };
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &bytes);
    attachment["size"] == bytes.len() && attachment["hash"] == STANDARD.encode(hash)
}

/// The DocumentReferences added to a record, newest first: those that this holder may see, withdrawn and replaced ones too.
pub fn references(state: &State, person: &Person, caller: &Caller) -> Vec<Value> {
    let key = person.patient.ins.key();
    let ours = state.contributions.iter().rev().filter(|one| one.patient == key);
    let may_see_all = person.attending == Some(caller.id.as_str());
    ours.filter(|one| may_see_all || one.author == caller.id || !is_masked(&one.reference))
        .map(|one| one.reference.clone())
        .collect()
}

pub fn is_masked(document: &Value) -> bool {
    let labels = document["securityLabel"].as_array().into_iter().flatten();
    labels
        .flat_map(|label| label["coding"].as_array().into_iter().flatten())
        .any(|coding| coding["code"] == "MASQUE_PS")
}

/// Patient and base64 of an added document, by its entry.
pub fn content(state: &State, id: &str) -> Option<(String, String)> {
    let found = state.contributions.iter().find(|one| one.reference["id"] == id)?;
    Some((found.patient.clone(), found.data.clone()))
}
