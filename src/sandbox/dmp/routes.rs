//! What is asked, and by whom it may be: routes of `docs/pdsm.md`, each with its credential.

use crate::sandbox::dmp::consents;
use crate::sandbox::dmp::consents::Authorization;
use crate::sandbox::dmp::contribution;
use crate::sandbox::dmp::faults::Fault;
use crate::sandbox::dmp::outcome::Refusal;
use crate::sandbox::dmp::request::Query;
use crate::sandbox::dmp::search;
use crate::sandbox::dmp::server::Shared;
use crate::sandbox::dmp::shapes;
use crate::sandbox::dmp::shapes::Form;
use crate::sandbox::dmp::state::Act;
use crate::sandbox::dmp::state::Line;
use crate::sandbox::dmp::state::State;
use crate::sandbox::dmp::token::Caller;
use crate::sandbox::dmp::token::sha256;
use crate::sandbox::dmp::traces;
use crate::sandbox::people::Content;
use crate::sandbox::people::Paper;
use crate::sandbox::people::Person;
use crate::sandbox::people::Record;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use serde_json::json;

pub struct Question {
    pub method: String,
    pub path: String,
    pub query: String,
    pub authorization: Option<String>,
    /// The access mode, with a token that does not say it.
    pub purpose: Option<String>,
    pub if_none_exist: Option<String>,
    /// SHA-256 of the connection's certificate.
    pub device: [u8; 32],
    pub body: Vec<u8>,
}

pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Body,
}

pub enum Body {
    Bytes(Vec<u8>),
    Zeros(u64),
}

impl Answer {
    pub fn json(status: u16, value: &Value) -> Answer {
        Answer {
            status,
            content_type: "application/fhir+json; charset=utf-8".to_owned(),
            headers: Vec::new(),
            body: Body::Bytes(value.to_string().into_bytes()),
        }
    }

    pub fn refused(refusal: Refusal) -> Answer {
        let mut answer = Answer::json(refusal.status(), &refusal.resource());
        if refusal.status() == 401 {
            answer.headers.push(("www-authenticate", "Bearer error=\"invalid_token\"".to_owned()));
        }
        answer
    }
}

/// Every question has an answer.
pub fn answer(shared: &Shared, question: Question) -> Answer {
    route(shared, &question).unwrap_or_else(Answer::refused)
}

fn route(shared: &Shared, question: &Question) -> Result<Answer, Refusal> {
    let path = question.path.strip_prefix("/fhir").ok_or(Refusal::NotFound)?.trim_start_matches('/');
    let query = Query::parse(&question.query);
    match (question.method.as_str(), path.split_once('/').unwrap_or((path, ""))) {
        ("PUT", ("AuditEvent", id)) => traces::put(shared, id, &question.body),
        ("POST", ("", "")) => bundle(shared, question),
        ("GET", ("Patient", "")) => patient(shared, &caller(shared, question)?, &query),
        ("GET", ("Consent", "")) => consents::search(shared, &caller(shared, question)?, &query),
        ("GET", ("CareTeam", "")) => consents::care_teams(shared, &caller(shared, question)?, &query),
        ("POST", ("Consent", "")) => {
            let caller = caller(shared, question)?;
            consents::create(shared, &caller, question.if_none_exist.as_deref(), &question.body)
        }
        // What it can do is told to every device.
        ("GET", ("metadata", "")) => Ok(Answer::json(200, &search::capability())),
        ("GET", ("List", "")) => search::lists(shared, &caller(shared, question)?, &query),
        ("GET", ("DocumentReference", "")) => search::documents(shared, &caller(shared, question)?, &query),
        ("PATCH", ("DocumentReference", "")) => {
            contribution::patch(shared, &caller(shared, question)?, &query, &question.body)
        }
        ("GET", ("Binary" | "Bundle", id)) => binary(shared, &caller(shared, question)?, id),
        ("GET", ("AuditEvent", "")) if question.authorization.is_none() => checkpoints(shared, &query),
        ("GET", ("AuditEvent", "")) => history(shared, &caller(shared, question)?, &query),
        _ => Err(Refusal::NotFound),
    }
}

/// Who asks, remembered by name so that the patient reads a name.
fn caller(shared: &Shared, question: &Question) -> Result<Caller, Refusal> {
    let authorization = question.authorization.as_deref();
    let by_phone = shared.verifier.check_psc(authorization, question.purpose.as_deref(), shared.now().0);
    let caller = match by_phone {
        Some(caller) => caller?,
        None => shared.verifier.check(authorization, &shared.base_url, question.device, shared.now().0)?,
    };
    shared.state().names.insert(caller.id.clone(), caller.name.clone());
    Ok(caller)
}

/// A batch is a device's traces; a transaction is a holder's contribution.
fn bundle(shared: &Shared, question: &Question) -> Result<Answer, Refusal> {
    let bundle: Value = serde_json::from_slice(&question.body).map_err(|_| Refusal::RequestInvalid)?;
    match bundle["type"].as_str() {
        Some("batch") => traces::batch(shared, &bundle, question.body.len()),
        Some("transaction") if shared.faults.now() == Some(Fault::RefusesNotes) => Err(Refusal::Refused),
        Some("transaction") => contribution::store(shared, &caller(shared, question)?, &bundle),
        _ => Err(Refusal::RequestInvalid),
    }
}

/// TD0.2: never refused for want of an authorization.
fn patient(shared: &Shared, caller: &Caller, query: &Query) -> Result<Answer, Refusal> {
    let key = query.patient("identifier")?;
    let known = shared.people.persons.iter().enumerate().find(|(_, person)| person.patient.ins.key() == key);
    let Some((number, person)) = known.filter(|(_, person)| person.record != Record::NeverCreated) else {
        return Ok(Answer::json(200, &shapes::searchset(Vec::new(), 0, Vec::new())));
    };
    log(shared, person, caller, Act::State);
    let resource = shapes::patient(person, number, &caller.id, shared.people.today);
    Ok(Answer::json(200, &shapes::searchset(vec![resource], 1, Vec::new())))
}

/// One page of a search, and the link to the next.
pub fn page(shared: &Shared, kind: &str, query: &Query, offset: usize, found: Vec<Value>) -> Result<Answer, Refusal> {
    let count = query.number("_count", PAGE)?.clamp(1, PAGE);
    let total = found.len();
    let kept = query.without("_offset");
    let base = &shared.base_url;
    let mut links = vec![json!({"relation": "self", "url": format!("{base}/{kind}?{kept}&_offset={offset}")})];
    if offset.saturating_add(count) < total {
        let next = format!("{base}/{kind}?{kept}&_offset={}", offset + count);
        links.push(json!({"relation": "next", "url": next}));
    }
    let resources = found.into_iter().skip(offset).take(count).collect();
    Ok(Answer::json(200, &shapes::searchset(resources, total, links)))
}

/// ITI-68, in the form that its address has.
fn binary(shared: &Shared, caller: &Caller, id: &str) -> Result<Answer, Refusal> {
    let all = shared.people.persons.iter().flat_map(|person| person.papers.iter().map(move |paper| (person, paper)));
    let mut found = all.filter(|(_, paper)| paper.entry_id == id);
    let Some((person, paper)) = found.next() else { return contributed(shared, caller, id) };
    may_read(shared, person, caller)?;
    if !may_see(&shared.state(), person, paper, caller) {
        return Err(Refusal::DocumentDenied);
    }
    log(shared, person, caller, Act::Read);
    let tag = match &paper.content {
        Content::Bytes(bytes) => hex::encode(&sha256(bytes)[..16]),
        Content::Zeros(count) => format!("zeros-{count}"),
    };
    let headers = vec![("etag", format!("\"{tag}\"")), ("accept-ranges", "bytes".to_owned())];
    if let (Form::Json, Content::Bytes(bytes)) = (shapes::form(paper), &paper.content) {
        let data = STANDARD.encode(bytes);
        let binary = json!({"resourceType": "Binary", "contentType": paper.mime, "data": data});
        return Ok(Answer { headers, ..Answer::json(200, &binary) });
    }
    Ok(Answer {
        status: 200,
        content_type: paper.mime.to_owned(),
        headers,
        body: match &paper.content {
            Content::Bytes(bytes) => Body::Bytes(bytes.to_vec()),
            Content::Zeros(count) => Body::Zeros(*count),
        },
    })
}

fn contributed(shared: &Shared, caller: &Caller, id: &str) -> Result<Answer, Refusal> {
    let (key, data) = contribution::content(&shared.state(), id).ok_or(Refusal::NotFound)?;
    let person = shared.people.by_key(&key).ok_or(Refusal::NotFound)?;
    may_read(shared, person, caller)?;
    log(shared, person, caller, Act::Read);
    let bytes = STANDARD.decode(data).map_err(|_| Refusal::NotFound)?;
    Ok(Answer { status: 200, content_type: "text/xml".to_owned(), headers: Vec::new(), body: Body::Bytes(bytes) })
}

/// ITI-81, newest first; the date is mandatory.
fn history(shared: &Shared, caller: &Caller, query: &Query) -> Result<Answer, Refusal> {
    let key = query.patient("patient.identifier")?;
    let since = query.since()?.ok_or(Refusal::RequestInvalid)?;
    let Some(person) = shared.people.by_key(&key).filter(|person| person.record != Record::NeverCreated) else {
        return Ok(Answer::json(200, &shapes::searchset(Vec::new(), 0, Vec::new())));
    };
    may_read(shared, person, caller)?;
    let found = traces::history(&shared.state(), person, since);
    let offset = query.number("_offset", 0)?;
    if offset == 0 {
        log(shared, person, caller, Act::History);
    }
    page(shared, "AuditEvent", query, offset, found)
}

/// A device asks which of its heads is here, newest first.
fn checkpoints(shared: &Shared, query: &Query) -> Result<Answer, Refusal> {
    let device = query.one("source:identifier").ok_or(Refusal::RequestInvalid)?;
    let found = traces::checkpoints(&shared.state(), device.split('|').next_back().unwrap_or_default());
    page(shared, "AuditEvent", query, 0, found)
}

/// Blocked, then closed, then authorized; with "bris de glace" the authorization is not asked for.
pub fn may_read(shared: &Shared, person: &Person, caller: &Caller) -> Result<(), Refusal> {
    if consents::is_blocked(person, &caller.id) {
        return Err(Refusal::ProfessionalBlocked);
    }
    if person.record != Record::Open {
        return Err(Refusal::RecordClosed);
    }
    if caller.mode == "bris_de_glace" {
        return Ok(());
    }
    match consents::authorization(&shared.state(), person, &caller.id, shared.now()) {
        Authorization::Valid => Ok(()),
        Authorization::None | Authorization::Expired | Authorization::Forbidden => Err(Refusal::AuthorizationMissing),
    }
}

/// A masked document is seen by its author and by the "médecin traitant"; one that was withdrawn, by nobody.
pub fn may_see(state: &State, person: &Person, paper: &Paper, caller: &Caller) -> bool {
    let masked = match state.changed.get(&paper.unique_id) {
        Some(changed) => contribution::is_masked(changed),
        None => paper.labels.contains(&"MASQUE_PS"),
    };
    !masked || paper.author.id.as_deref() == Some(caller.id.as_str()) || person.attending == Some(caller.id.as_str())
}

pub fn log(shared: &Shared, person: &Person, caller: &Caller, act: Act) {
    shared.state().lines.push(Line {
        patient: person.patient.ins.key(),
        at: shared.now().0,
        holder: caller.id.clone(),
        act,
        mode: caller.mode.clone(),
    });
    shared.save();
}

/// The most that a page holds, asked for or not.
const PAGE: usize = 100;
