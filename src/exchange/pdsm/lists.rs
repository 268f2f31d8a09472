//! ITI-66: a List that is a SubmissionSet says which documents came together, and when. Pure.

use crate::exchange::pdsm::fhir;
use crate::exchange::pdsm::fhir::Concept;
use crate::exchange::pdsm::fhir::Reference;
use crate::exchange::pdsm::names;
use serde::Deserialize;
use serde_json::Value;

/// MHD's code for a SubmissionSet.
pub const SUBMISSION_SET: &str = "submissionset";

#[derive(Deserialize)]
struct List {
    code: Option<Concept>,
    #[serde(default)]
    entry: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    item: Reference,
}

/// The entries of all these sets, each once: what a server answers beside SubmissionSets (folders) is passed over.
pub fn entries(lists: &[Value]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for list in lists.iter().filter_map(|value| fhir::resource::<List>(value, "List")) {
        let code = list.code.as_ref().and_then(|code| code.code_in(names::LIST_TYPE));
        if code != Some(SUBMISSION_SET) {
            continue;
        }
        let ids = list.entry.iter().filter_map(|entry| fhir::id_of(&entry.item.reference, "DocumentReference"));
        for id in ids {
            if !found.iter().any(|known| known == id) {
                found.push(id.to_owned());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn documents_of_submission_sets_and_of_nothing_else() {
        let list = |code: &str, references: &[&str]| {
            let entry: Vec<Value> = references.iter().map(|to| json!({"item": {"reference": to}})).collect();
            json!({"resourceType": "List", "code": {"coding": [{"system": names::LIST_TYPE, "code": code}]}, "entry": entry})
        };
        let lists = [
            list("submissionset", &["DocumentReference/e1", "https://dmp.example/fhir/DocumentReference/e2"]),
            list("folder", &["DocumentReference/e3"]),
            list("submissionset", &["DocumentReference/e1", "List/e4", "urn:uuid:e5", ""]),
            json!({"resourceType": "List"}),
            json!(null),
        ];
        assert_eq!(entries(&lists), ["e1", "e2"]);
    }
}
