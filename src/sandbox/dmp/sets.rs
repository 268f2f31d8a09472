//! Submission sets and links of a record, as the DMP's synchronisation asks for them. As for FHIR (`search`): each document came in a
//! set of its own, and was last changed by it.

use crate::exchange::dmp::ebrim;
use crate::exchange::dmp::ebrim::Element;
use crate::exchange::dmp::entry;
use crate::exchange::dmp::names::association;
use crate::sandbox::dmp::search;
use crate::sandbox::dmp::server::Shared;
use crate::sandbox::dmp::token::Caller;
use crate::sandbox::people::Person;
use crate::time::UnixSeconds;
use serde_json::Value;

const SET: &str = "urn:chevet.invalid:set:";

/// FindSubmissionSets, ids alone.
pub fn since(shared: &Shared, person: &Person, caller: &Caller, from: Option<UnixSeconds>) -> Vec<Element> {
    let all = search::visible(shared, person, caller);
    let is_since = |document: &&Value| {
        let at = search::submission_set(person, document)["date"].as_str().and_then(UnixSeconds::parse);
        from.is_none_or(|from| at.is_some_and(|at| at >= from))
    };
    let set = |document: &Value| Element::new("ObjectRef").with("id", &format!("{SET}{}", id(document)));
    all.iter().filter(is_since).map(set).collect()
}

/// GetAssociations of these sets.
pub fn links(shared: &Shared, person: &Person, caller: &Caller, is_asked: &dyn Fn(&str) -> bool) -> Vec<Element> {
    let of = |document: &Value| {
        let set = format!("{SET}{}", id(document));
        let was_made_so = document["status"] == "current" && document["extension"][0]["valueBoolean"] != true;
        let kind = if was_made_so { association::HAS_MEMBER } else { association::UPDATE_STATUS };
        is_asked(&set).then(|| linked(kind, &set, id(document)))
    };
    search::visible(shared, person, caller).iter().filter_map(of).collect()
}

/// What these entries replace.
pub fn replaced(shared: &Shared, person: &Person, caller: &Caller, is_asked: &dyn Fn(&str) -> bool) -> Vec<Element> {
    let all = search::visible(shared, person, caller);
    let named = |identifier: &Value| all.iter().find(|one| one["masterIdentifier"]["value"] == *identifier).map(id);
    let asked = all.iter().filter(|document| is_asked(id(document)));
    let of = |document: &Value| {
        let target = &document["relatesTo"][0]["target"]["identifier"]["value"];
        Some(linked(association::REPLACES, id(document), named(target)?))
    };
    asked.filter_map(of).collect()
}

fn id(document: &Value) -> &str {
    document["id"].as_str().unwrap_or("")
}

fn linked(kind: &str, source: &str, target: &str) -> Element {
    Element::new("Association")
        .with("id", &format!("{source}:{target}"))
        .with("objectType", association::OBJECT)
        .with("associationType", kind)
        .with("sourceObject", source)
        .with("targetObject", target)
        .with_child(ebrim::slot("submissionTime", &[&entry::write_time(UnixSeconds(0))]))
}
