//! What an HTTP status and an OperationOutcome mean: for a question, and for one delivered item (docs/pdsm.md §1). Pure.
//!
//! An item is refused for good only when a FHIR server said so. A 404 without an OperationOutcome is a wrong address or a
//! proxy, and setting a day's traces aside for that would be a loss.

use crate::exchange::pdsm::fhir::Bundle;
use crate::exchange::pdsm::fhir::Concept;
use crate::exchange::pdsm::fhir::Entry;
use crate::exchange::pdsm::fhir::Response;
use crate::exchange::pdsm::names;
use crate::exchange::upstream::Error;
use crate::exchange::upstream::Outcome;
use crate::link;
use serde::Deserialize;
use serde_json::Value;

/// Whose credential was used: it decides who was refused by a 401 or a 403.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    Holder,
    Device,
}

#[derive(Deserialize)]
struct Issue {
    #[serde(default)]
    code: String,
    details: Option<Concept>,
    #[serde(default)]
    diagnostics: String,
}

/// The server's code and sentence.
struct Remark {
    code: String,
    text: String,
}

/// The longest reason that is kept.
const REASON_CHARACTERS_MAX: usize = 300;

/// The body of a successful answer, or why there is none.
pub fn body(answer: link::Answer, asker: Asker) -> Result<Vec<u8>, Error> {
    if (200..300).contains(&answer.status) { Ok(answer.body) } else { Err(failure(&answer, asker)) }
}

/// What became of one item that was sent alone.
pub fn delivered(answer: &link::Answer, asker: Asker) -> Result<Outcome, Error> {
    if (200..300).contains(&answer.status) {
        return Ok(Outcome::Acknowledged);
    }
    let remark = remark(&serde_json::from_slice(&answer.body).unwrap_or(Value::Null));
    match remark {
        _ if is_for_now(answer.status) => Err(failure(answer, asker)),
        Some(remark) => Ok(refused(answer.status, Some(remark))),
        // About the body itself, whoever says it.
        None if matches!(answer.status, 413 | 422) => Ok(refused(answer.status, None)),
        None => Err(failure(answer, asker)),
    }
}

/// What became of a document that went as one transaction. Not every server's transaction is one: some say yes to the whole, and
/// no to the entry that counts.
pub fn transacted(answer: &link::Answer) -> Result<Outcome, Error> {
    let whole = delivered(answer, Asker::Holder)?;
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    // With `return=minimal` it says nothing more.
    if whole != Outcome::Acknowledged || answer.body.is_empty() || body["resourceType"] == "OperationOutcome" {
        return Ok(whole);
    }
    let bundle = Bundle::read(&answer.body, "transaction-response", "the contribution")?;
    let of = |one: &Entry| one.response.as_ref().map_or(Outcome::NotNow, entry);
    let outcomes: Vec<Outcome> = bundle.entry.iter().map(of).filter(|one| *one != Outcome::Acknowledged).collect();
    let refused = outcomes.iter().find(|one| matches!(one, Outcome::Refused { .. }));
    Ok(refused.or(outcomes.first()).cloned().unwrap_or(whole))
}

/// What became of each entry of a batch, in order. Another number of answers says nothing of any.
pub fn batched(body: &[u8], asked: usize) -> Result<Vec<Outcome>, Error> {
    let bundle = Bundle::read(body, "batch-response", "the traces")?;
    let of = |one: &Entry| one.response.as_ref().map_or(Outcome::NotNow, entry);
    let outcomes: Vec<Outcome> = bundle.entry.iter().map(of).collect();
    let why = "the batch has another number of answers";
    if outcomes.len() == asked { Ok(outcomes) } else { Err(Error::Unreadable { what: "the traces", why }) }
}

/// What became of one entry of a batch.
pub fn entry(response: &Response) -> Outcome {
    match response.status.get(..3).and_then(|digits| digits.parse::<u16>().ok()) {
        Some(200..=299) => Outcome::Acknowledged,
        Some(status @ 400..=499) if !is_for_now(status) => refused(status, remark(&response.outcome)),
        _ => Outcome::NotNow,
    }
}

/// Whether a Bundle as a whole was refused, so that its entries may be tried one by one.
pub fn is_about_the_bundle(status: u16) -> bool {
    (400..500).contains(&status) && !is_for_now(status) || status == 501
}

fn failure(answer: &link::Answer, asker: Asker) -> Error {
    let status = answer.status;
    let remark = remark(&serde_json::from_slice(&answer.body).unwrap_or(Value::Null));
    let about_device = asker == Asker::Device || remark.is_some_and(|remark| remark.code == "device-refused");
    match status {
        401 | 403 if about_device => Error::DeviceRefused { status: Some(status) },
        401 | 403 => Error::HolderRefused { status },
        _ => Error::Failed { status, retry_after_s: answer.retry_after_s },
    }
}

/// Statuses that say nothing of the item.
fn is_for_now(status: u16) -> bool {
    matches!(status, 401 | 403 | 408 | 409 | 425 | 429) || !(400..500).contains(&status)
}

fn refused(status: u16, remark: Option<Remark>) -> Outcome {
    let remark = remark.unwrap_or(Remark { code: String::new(), text: String::new() });
    let code = if remark.code.is_empty() { status.to_string() } else { remark.code };
    let reason = if remark.text.is_empty() { format!("Refusé par le serveur (HTTP {status}).") } else { remark.text };
    Outcome::Refused { code, reason }
}

/// The first issue of an OperationOutcome; `None` when it is none.
fn remark(value: &Value) -> Option<Remark> {
    if value["resourceType"] != "OperationOutcome" {
        return None;
    }
    let issue = Issue::deserialize(&value["issue"][0]).ok();
    let Some(issue) = issue else { return Some(Remark { code: String::new(), text: String::new() }) };
    let ours = issue.details.as_ref().and_then(|details| details.code_in(names::OUTCOME)).map(str::to_owned);
    let said = issue.details.map(|details| details.text).filter(|text| !text.is_empty());
    Some(Remark { code: word(&ours.unwrap_or(issue.code)), text: plain(&said.unwrap_or(issue.diagnostics)) })
}

/// A code reaches the log and stands in clear on the disk: a word of a vocabulary, or nothing. A name or a number that a
/// server put there is neither.
fn word(code: &str) -> String {
    let is_word = code.len() <= CODE_CHARACTERS_MAX && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    if is_word { code.to_owned() } else { String::new() }
}

/// For a screen: no control characters, not endless.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(REASON_CHARACTERS_MAX).collect()
}

/// The longest of FHIR's issue types has 16.
const CODE_CHARACTERS_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(status: u16, body: Value) -> link::Answer {
        link::Answer {
            status,
            content_type: String::new(),
            content_type_said: String::new(),
            retry_after_s: Some(7),
            body: body.to_string().into_bytes(),
        }
    }

    fn outcome(code: &str) -> Value {
        json!({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "invalid",
            "details": {"coding": [{"system": names::OUTCOME, "code": code}], "text": "Non.\u{0}"}}]})
    }

    #[test]
    fn an_item_is_set_aside_only_on_a_fhir_servers_word() {
        let refused = Outcome::Refused { code: "refused".into(), reason: "Non.".into() };
        for status in [400, 404, 405, 412, 415, 422] {
            let said = delivered(&answer(status, outcome("refused")), Asker::Device);
            assert_eq!(said.ok(), Some(refused.clone()), "{status}");
        }
        for status in [400, 404, 405, 301] {
            let said = delivered(&answer(status, json!("<html>")), Asker::Device);
            assert!(matches!(said, Err(Error::Failed { retry_after_s: Some(7), .. })), "{status}: {said:?}");
        }
        for status in [408, 409, 425, 429, 500, 503] {
            let said = delivered(&answer(status, outcome("refused")), Asker::Device);
            assert!(matches!(said, Err(Error::Failed { .. })), "{status}: {said:?}");
        }
        assert!(matches!(delivered(&answer(413, json!(null)), Asker::Device), Ok(Outcome::Refused { .. })));
        assert_eq!(delivered(&answer(201, json!(null)), Asker::Device).ok(), Some(Outcome::Acknowledged));
    }

    #[test]
    fn a_transaction_that_is_none_is_believed_entry_by_entry() {
        let of = |entries: &[Value]| {
            let bundle = json!({"resourceType": "Bundle", "type": "transaction-response", "entry": entries});
            transacted(&answer(200, bundle)).ok()
        };
        let (made, failed) = (json!({"response": {"status": "201 Created"}}), json!({"response": {"status": "500"}}));
        let no = json!({"response": {"status": "400", "outcome": outcome("refused")}});
        assert_eq!(of(&[made.clone(), made.clone(), made.clone()]), Some(Outcome::Acknowledged));
        assert_eq!(of(&[]), Some(Outcome::Acknowledged), "nothing against it");
        let refused = Some(Outcome::Refused { code: "refused".into(), reason: "Non.".into() });
        assert_eq!(of(&[made.clone(), failed.clone(), no]), refused);
        assert_eq!(of(&[made.clone(), failed]), Some(Outcome::NotNow));
        assert_eq!(of(&[made, json!({})]), Some(Outcome::NotNow), "an entry that says nothing");
        assert_eq!(transacted(&answer(201, outcome("informational"))).ok(), Some(Outcome::Acknowledged));
        let empty = link::Answer { body: Vec::new(), ..answer(200, json!(null)) };
        assert_eq!(transacted(&empty).ok(), Some(Outcome::Acknowledged));
        let cut = link::Answer { body: b"{\"resourceType\": \"Bun".to_vec(), ..answer(200, json!(null)) };
        assert!(matches!(transacted(&cut), Err(Error::Unreadable { .. })), "it may say no further on");
        assert!(matches!(transacted(&answer(422, outcome("refused"))), Ok(Outcome::Refused { .. })));
    }

    #[test]
    fn who_was_refused() {
        let said = |status, code, asker| body(answer(status, outcome(code)), asker).expect_err("refused");
        assert!(matches!(said(401, "token-expired", Asker::Holder), Error::HolderRefused { status: 401 }));
        assert!(matches!(said(403, "professional-blocked", Asker::Holder), Error::HolderRefused { status: 403 }));
        assert!(matches!(said(403, "device-refused", Asker::Holder), Error::DeviceRefused { status: Some(403) }));
        assert!(matches!(said(401, "x", Asker::Device), Error::DeviceRefused { status: Some(401) }));
    }

    #[test]
    fn an_entry_of_a_batch_speaks_for_itself() {
        let of = |status: &str, outcome: Value| entry(&Response { status: status.into(), outcome });
        assert_eq!(of("201 Created", json!(null)), Outcome::Acknowledged);
        assert_eq!(of("200", json!(null)), Outcome::Acknowledged);
        assert_eq!(
            of("422 No", outcome("refused")),
            Outcome::Refused { code: "refused".into(), reason: "Non.".into() }
        );
        let bare = Outcome::Refused { code: "400".into(), reason: "Refusé par le serveur (HTTP 400).".into() };
        assert_eq!(of("400", json!(null)), bare);
        for later in ["500 oh", "429", "403", "", "é", "2"] {
            assert_eq!(of(later, outcome("refused")), Outcome::NotNow, "{later}");
        }
    }
}
