//! What a server says it can do (`GET metadata`), as far as it changes what it is asked. Pure.
//!
//! A server that says nothing, or nothing that can be read, is taken for one that keeps docs/pdsm.md. What is said is believed
//! only as a *no*: it saves a question that would be answered wrongly, and opens nothing.

use serde::Deserialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capability {
    /// A search by the last change of the metadata.
    pub last_updated: bool,
    /// ITI-66.
    pub lists: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    resource_type: String,
    #[serde(default)]
    rest: Vec<Rest>,
}

#[derive(Deserialize)]
struct Rest {
    #[serde(default)]
    resource: Vec<Kind>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kind {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    search_param: Vec<Parameter>,
}

#[derive(Deserialize)]
struct Parameter {
    #[serde(default)]
    name: String,
}

impl Capability {
    /// As docs/pdsm.md has it.
    pub const UNSAID: Capability = Capability { last_updated: true, lists: true };

    /// From a CapabilityStatement, or from whatever came in its place.
    pub fn read(body: &[u8]) -> Capability {
        let statement = serde_json::from_slice::<Statement>(body).ok();
        let Some(statement) = statement.filter(|statement| statement.resource_type == "CapabilityStatement") else {
            return Capability::UNSAID;
        };
        let kinds: Vec<&Kind> = statement.rest.iter().flat_map(|rest| &rest.resource).collect();
        // One that names no resource at all says nothing.
        if kinds.is_empty() {
            return Capability::UNSAID;
        }
        let documents = kinds.iter().find(|kind| kind.kind == "DocumentReference");
        let searched = documents.map(|kind| &kind.search_param).filter(|named| !named.is_empty());
        Capability {
            last_updated: searched.is_none_or(|named| named.iter().any(|one| one.name == "_lastUpdated")),
            lists: kinds.iter().any(|kind| kind.kind == "List"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(resources: serde_json::Value) -> Capability {
        let statement = json!({"resourceType": "CapabilityStatement", "rest": [{"resource": resources}]});
        Capability::read(statement.to_string().as_bytes())
    }

    #[test]
    fn only_a_no_is_believed() {
        for nothing in
            ["", "<html>", "{}", "{\"resourceType\": \"Bundle\"}", "{\"resourceType\":\"CapabilityStatement\"}"]
        {
            assert_eq!(Capability::read(nothing.as_bytes()), Capability::UNSAID, "{nothing}");
        }
        let documents = |names: &[&str]| {
            let named: Vec<_> = names.iter().map(|name| json!({"name": name})).collect();
            json!({"type": "DocumentReference", "searchParam": named})
        };
        assert_eq!(read(json!([documents(&[]), {"type": "List"}])), Capability::UNSAID);
        assert!(read(json!([documents(&["patient", "_lastUpdated"])])).last_updated);
        assert_eq!(read(json!([documents(&["patient"])])), Capability { last_updated: false, lists: false });
    }
}
