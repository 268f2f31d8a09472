//! The far end of a life: what arrived there, under whose name and in which order; and everything that can become of a request.

use crate::exchange::stage::Ask;
use crate::exchange::stage::Reply;
use serde_json::Value;
use serde_json::json;
use std::collections::HashSet;
use std::time::Duration;
use uuid::Uuid;

/// A centre, and the line to it.
pub struct Centre {
    dice: fastrand::Rng,
    /// While it lasts, anything can go wrong.
    pub storm: bool,
    /// Every resource that it made, in order: its id, and whose token came with it. Empty: the device's certificate alone.
    pub kept: Vec<(Uuid, String)>,
    backup: Vec<(Uuid, String)>,
    pub poison: HashSet<Uuid>,
    /// An entry failed for itself, or a copy came late: its patient's next may stand before it (a batch is no transaction).
    pub passed: HashSet<Uuid>,
    /// Requests whose copies have not arrived yet.
    late: Vec<Ask>,
    takes_gzip: bool,
    takes_bundles: bool,
    /// A centre that does not know what it has by its id.
    forgets_ids: bool,
    pub seen: Seen,
}

/// How often each thing happened: a simulation in which nothing happens proves nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct Seen {
    pub lost: u32,
    pub answer_lost: u32,
    pub cut: u32,
    pub short: u32,
    pub silent: u32,
    pub trickled: u32,
    pub refused: u32,
    pub pages: u32,
    pub doubled: u32,
    pub late: u32,
    pub packed_refused: u32,
    pub bundles_refused: u32,
    pub entries_failed: u32,
    /// Whole, and the one that was promised; in the storm.
    pub documents: u32,
    pub documents_failed: u32,
}

impl Centre {
    pub fn new(seed: u64, poison: HashSet<Uuid>, forgets_ids: bool) -> Centre {
        let mut dice = fastrand::Rng::with_seed(seed ^ 0xC3_17E5);
        Centre {
            storm: true,
            kept: Vec::new(),
            backup: Vec::new(),
            poison,
            passed: HashSet::new(),
            late: Vec::new(),
            takes_gzip: dice.u8(0..4) > 0,
            takes_bundles: dice.u8(0..5) > 0,
            forgets_ids,
            seen: Seen::default(),
            dice,
        }
    }

    pub fn back_up(&mut self) {
        self.backup.clone_from(&self.kept);
    }

    pub fn restore(&mut self) {
        self.kept.clone_from(&self.backup);
        self.late.clear();
    }

    /// What was sent once arrives a second time, much later.
    pub fn arrive_late(&mut self) {
        for ask in std::mem::take(&mut self.late) {
            self.take(&ask, false);
        }
    }

    /// One request, `path` below the base.
    pub fn answer(&mut self, ask: &Ask, path: &str) -> Reply {
        let reply = if path.starts_with("/Binary/") { self.content(ask) } else { self.delivery(ask) };
        let reply = match self.dice.u8(0..6) {
            0 if self.storm => reply.with("date", "Fri, 23 Nov 2035 12:00:00 GMT"),
            1 if self.storm => reply.with("date", "Thu, 01 Jan 1970 00:00:00 GMT"),
            _ => reply,
        };
        let thinks = if self.storm { self.dice.u64(0..4) } else { 0 };
        reply.after(Duration::from_millis(thinks))
    }

    fn delivery(&mut self, ask: &Ask) -> Reply {
        let is_packed = ask.header("content-encoding").is_some();
        if is_packed && !self.takes_gzip {
            self.seen.packed_refused += 1;
            let status = [415, 400, 422][self.dice.usize(0..3)];
            return Reply::json(status, &outcome("structure"));
        }
        let is_batch = ask.json()["type"] == "batch";
        if is_batch && !self.takes_bundles && entries(ask).len() > 1 {
            self.seen.bundles_refused += 1;
            return Reply::json([400, 405, 422, 501][self.dice.usize(0..4)], &outcome("not-supported"));
        }
        if !self.storm {
            return self.take(ask, true);
        }
        let (seen, dice) = (&mut self.seen, &mut self.dice);
        match dice.u8(0..24) {
            0 => {
                seen.lost += 1;
                Reply::status(200).drops()
            }
            1 => {
                seen.answer_lost += 1;
                self.take(ask, true).drops()
            }
            2 => {
                seen.cut += 1;
                let at = dice.usize(0..40);
                self.take(ask, true).breaks_off_after(at)
            }
            3 => {
                seen.short += 1;
                self.take(ask, true).ends_too_early()
            }
            4 => {
                seen.silent += 1;
                self.take(ask, true);
                Reply::status(200).with("content-length", "900").hangs()
            }
            5 => {
                seen.trickled += 1;
                self.take(ask, true);
                Reply::text(200, "{\"resou").with("content-length", "900").hangs()
            }
            6 | 7 => {
                seen.refused += 1;
                let status = [401, 403, 408, 409, 425, 429, 500, 502, 503][dice.usize(0..9)];
                let reply = Reply::json(status, &outcome("transient"));
                match dice.u8(0..3) {
                    0 => reply.with("retry-after", "30"),
                    1 => reply.with("retry-after", "Wed, 21 Oct 2099 07:28:00 GMT"),
                    _ => reply,
                }
            }
            8 => {
                seen.pages += 1;
                Reply::text([301, 404, 400, 502][dice.usize(0..4)], "<html>Portail</html>")
            }
            9 => {
                seen.doubled += 1;
                self.take(ask, false);
                self.take(ask, true)
            }
            10 => {
                seen.late += 1;
                self.late.push(ask.clone());
                self.take(ask, true)
            }
            _ => self.take(ask, true),
        }
    }

    /// What it is there for. `heard`: somebody waits for the answer.
    fn take(&mut self, ask: &Ask, heard: bool) -> Reply {
        let token = ask.header("authorization").unwrap_or_default().replace("Bearer ", "");
        let body = ask.json();
        if body["type"] == "batch" {
            let answers: Vec<Value> = entries(ask).iter().map(|entry| self.take_entry(entry, &token, heard)).collect();
            let answer = json!({"resourceType": "Bundle", "type": "batch-response", "entry": answers});
            let reply = Reply::json(200, &answer);
            return if answer.to_string().len() < 60_000 && self.dice.bool() { reply.gzip() } else { reply };
        }
        let Some(id) = id_of(&body) else { return Reply::json(400, &outcome("structure")) };
        // Not every server's transaction is one.
        let entry = |status: &str| json!({"response": {"status": status, "outcome": outcome("business-rule")}});
        let transacted = |status: &str| {
            let entries = [entry("201 Created"), entry(status), entry("201 Created")];
            Reply::json(200, &json!({"resourceType": "Bundle", "type": "transaction-response", "entry": entries}))
        };
        let is_whole = body["type"] != "transaction" || self.dice.bool();
        if self.poison.contains(&id) {
            return if is_whole { Reply::json(422, &outcome("business-rule")) } else { transacted("422") };
        }
        if self.storm && !is_whole && self.dice.u8(0..8) == 0 {
            self.seen.entries_failed += 1;
            self.passed.insert(id);
            return transacted("503");
        }
        let made = self.keep(id, &token);
        if is_whole { Reply::status(if made { 201 } else { 200 }) } else { transacted("201 Created") }
    }

    fn take_entry(&mut self, entry: &Value, token: &str, heard: bool) -> Value {
        let Some(id) = id_of(&entry["resource"]) else { return json!({"response": {"status": "400"}}) };
        if self.poison.contains(&id) {
            return json!({"response": {"status": "422 Unprocessable Entity", "outcome": outcome("business-rule")}});
        }
        if self.storm && heard && self.dice.u8(0..30) == 0 {
            self.seen.entries_failed += 1;
            self.passed.insert(id);
            let status = ["500", "429 Later", "409", "", "x"][self.dice.usize(0..5)];
            return json!({"response": {"status": status}});
        }
        self.keep(id, token);
        json!({"response": {"status": "201 Created"}})
    }

    /// `false`: it was there.
    fn keep(&mut self, id: Uuid, token: &str) -> bool {
        let is_there = self.kept.iter().any(|(kept, _)| *kept == id) && !self.forgets_ids;
        if !is_there {
            self.kept.push((id, token.to_owned()));
        }
        !is_there
    }

    /// A document: whole, resumed, another's, damaged, cut or never.
    fn content(&mut self, ask: &Ask) -> Reply {
        let text = content();
        let from = ask.header("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
        let from: usize = from.unwrap_or(0);
        let whole = Reply::text(200, &text).with("etag", "\"a\"");
        let rest = || {
            let range = format!("bytes {from}-{}/{}", text.len() - 1, text.len());
            Reply::text(206, &text[from..]).with("etag", "\"a\"").with("content-range", &range)
        };
        let reply = if from > 0 && from < text.len() && self.dice.u8(0..4) > 0 { rest() } else { whole };
        if !self.storm {
            return reply;
        }
        let at = self.dice.usize(0..300);
        match self.dice.u8(0..8) {
            0 => Reply::status(200).drops(),
            1 | 2 => reply.breaks_off_after(at),
            3 => reply.damaged_at(at),
            4 => reply.ends_too_early(),
            5 => Reply::text(200, &text.to_uppercase()).with("etag", "\"b\""),
            6 => Reply::text(206, &text).with("content-range", "bytes 7-9/10"),
            _ => reply,
        }
    }
}

/// The document of every life.
pub fn content() -> String {
    (0..3_000).map(|at| char::from(b'a' + (at * 7 % 26) as u8)).collect()
}

fn entries(ask: &Ask) -> Vec<Value> {
    ask.json()["entry"].as_array().cloned().unwrap_or_default()
}

/// By which name a resource is one, however often it is sent: a row's own id, or the identifier that its maker gave it.
fn id_of(resource: &Value) -> Option<Uuid> {
    match resource["resourceType"].as_str()? {
        "AuditEvent" => {
            let of = |entity: &Value| {
                let is_key = entity["type"]["code"] == "XrequestId";
                is_key.then(|| entity["what"]["identifier"]["value"].as_str().map(str::to_owned)).flatten()
            };
            resource["entity"].as_array()?.iter().find_map(of)?.parse().ok()
        }
        "Consent" => resource["identifier"][0]["value"].as_str()?.strip_prefix("urn:uuid:")?.parse().ok(),
        "Bundle" => {
            let metadata = &resource["entry"][1]["resource"]["masterIdentifier"]["value"];
            metadata.as_str()?.strip_prefix("urn:oid:2.25.")?.parse().ok().map(Uuid::from_u128)
        }
        _ => None,
    }
}

fn outcome(code: &str) -> Value {
    json!({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code, "diagnostics": "Non."}]})
}
