//! What devices deliver (ITI-20), kept once by id; and everything known of a record's accesses, for ITI-81 and for the
//! patient.

use crate::sandbox::dmp::outcome::Refusal;
use crate::sandbox::dmp::routes::Answer;
use crate::sandbox::dmp::server::Shared;
use crate::sandbox::dmp::shapes;
use crate::sandbox::dmp::state::Act;
use crate::sandbox::dmp::state::Line;
use crate::sandbox::dmp::state::State;
use crate::sandbox::people::Person;
use crate::time::UnixSeconds;
use serde_json::Value;
use serde_json::json;

/// `PUT AuditEvent/<uuid>`: made, there already, or refused because its content changed.
pub fn put(shared: &Shared, id: &str, body: &[u8]) -> Result<Answer, Refusal> {
    let resource: Value = serde_json::from_slice(body).map_err(|_| Refusal::RequestInvalid)?;
    let status = store(&mut shared.state(), id, &resource)?;
    shared.save();
    Ok(Answer::json(status, &resource))
}

/// Both profiles: PUT entries by their id, POST entries by their XrequestId.
pub fn batch(shared: &Shared, bundle: &Value, bytes: usize) -> Result<Answer, Refusal> {
    let entries = bundle["entry"].as_array().ok_or(Refusal::RequestInvalid)?;
    if entries.len() > BATCH_ENTRIES_MAX || bytes > BATCH_BYTES_MAX {
        return Err(Refusal::TooLarge);
    }
    let mut state = shared.state();
    let answers: Vec<Value> = entries.iter().map(|entry| answer(&mut state, entry)).collect();
    drop(state);
    shared.save();
    Ok(Answer::json(200, &json!({"resourceType": "Bundle", "type": "batch-response", "entry": answers})))
}

fn answer(state: &mut State, entry: &Value) -> Value {
    match one(state, entry) {
        Ok(201) => json!({"response": {"status": "201 Created"}}),
        Ok(_) => json!({"response": {"status": "200 OK"}}),
        Err(refusal) => json!({"response": {
            "status": if refusal == Refusal::Refused { "422 Unprocessable Entity" } else { "400 Bad Request" },
            "outcome": refusal.resource()
        }}),
    }
}

fn one(state: &mut State, entry: &Value) -> Result<u16, Refusal> {
    let resource = &entry["resource"];
    let url = entry["request"]["url"].as_str().unwrap_or("");
    match entry["request"]["method"].as_str() {
        Some("PUT") => {
            let id = url.strip_prefix("AuditEvent/").ok_or(Refusal::RequestInvalid)?;
            store(state, id, resource)
        }
        Some("POST") if url == "AuditEvent" => {
            let id = request_id(resource).ok_or(Refusal::RequestInvalid)?;
            let mut resource = resource.clone();
            resource["id"] = json!(id);
            store(state, &id, &resource)
        }
        _ => Err(Refusal::RequestInvalid),
    }
}

fn store(state: &mut State, id: &str, resource: &Value) -> Result<u16, Refusal> {
    let shaped = resource["resourceType"] == "AuditEvent" && resource["id"] == id && !id.is_empty();
    if !shaped || resource["recorded"].as_str().and_then(UnixSeconds::parse).is_none() {
        return Err(Refusal::RequestInvalid);
    }
    match state.traces.iter().find(|known| known["id"] == id) {
        Some(known) if known == resource => Ok(200),
        Some(_) => Err(Refusal::Refused),
        None => {
            state.traces.push(resource.clone());
            Ok(201)
        }
    }
}

fn request_id(resource: &Value) -> Option<String> {
    let entity = resource["entity"].as_array()?.iter().find(|entity| entity["type"]["code"] == "XrequestId")?;
    Some(entity["what"]["identifier"]["value"].as_str()?.to_owned())
}

/// One line of the access history, as the patient reads it.
pub struct Seen {
    pub at: UnixSeconds,
    pub holder: String,
    pub author: String,
    pub action: String,
    pub context: String,
    /// The patient is told: a first access, or a "bris de glace".
    pub notice: Option<String>,
}

/// Newest first.
pub fn seen(state: &State, person: &Person) -> Vec<Seen> {
    let key = person.patient.ins.key();
    let mut all: Vec<(Seen, bool, bool)> = Vec::new();
    for line in state.lines.iter().filter(|line| line.patient == key) {
        all.push((by_server(state, line), line.act.notifies(), line.mode == "bris_de_glace" && line.act.notifies()));
    }
    for trace in state.traces.iter().filter(|trace| patient_of(trace).as_deref() == Some(&key)) {
        let class = class_of(trace);
        // Preparing documents is no consultation, and notifies nobody.
        let access = ["listed", "searched", "summary", "opened", "printed", "break_glass"].contains(&class);
        all.push((by_device(state, trace), access, class == "break_glass"));
    }
    for consent in state
        .consents
        .iter()
        .filter(|consent| shapes::patient_key(&consent["patient"]["identifier"]).as_deref() == Some(key.as_str()))
    {
        all.push((by_consent(state, consent), false, false));
    }
    all.sort_by_key(|(seen, _, _)| seen.at);
    let mut known: Vec<String> = Vec::new();
    for (seen, access, broke) in &mut all {
        if *broke {
            seen.notice = Some(format!("{} a ouvert votre dossier en urgence (bris de glace).", seen.author));
        } else if *access && !known.contains(&seen.holder) {
            seen.notice = Some(format!("Premier accès de {} à votre dossier.", seen.author));
        }
        if *access && !known.contains(&seen.holder) {
            known.push(seen.holder.clone());
        }
    }
    all.into_iter().rev().map(|(seen, _, _)| seen).collect()
}

fn by_server(state: &State, line: &Line) -> Seen {
    Seen {
        at: UnixSeconds(line.at),
        holder: line.holder.clone(),
        author: name(state, &line.holder),
        action: line.act.words().to_owned(),
        context: mode_words(&line.mode).to_owned(),
        notice: None,
    }
}

fn by_device(state: &State, trace: &Value) -> Seen {
    let agent = requestor(trace);
    let holder = agent["who"]["identifier"]["value"].as_str().unwrap_or("").to_owned();
    let cached = log_entry(trace, "source") == Some("cached");
    let place = if cached { "lu hors ligne, sur borne" } else { "sur borne" };
    let mode = agent["purposeOfUse"][0]["coding"][0]["code"].as_str().unwrap_or("normal");
    Seen {
        at: trace["recorded"].as_str().and_then(UnixSeconds::parse).unwrap_or(UnixSeconds(0)),
        author: name(state, &holder),
        holder,
        action: class_words(class_of(trace)).to_owned(),
        context: format!("{}, {place}", mode_words(mode)),
        notice: None,
    }
}

fn by_consent(state: &State, consent: &Value) -> Seen {
    let asked = consent["extension"].as_array().and_then(|list| {
        list.iter().find(|entry| entry["url"] == "https://chevet.invalid/fhir/StructureDefinition/asked-by")
    });
    let actor = &consent["provision"]["actor"][0]["reference"]["identifier"]["value"];
    let holder = asked.map_or(actor, |entry| &entry["valueIdentifier"]["value"]).as_str().unwrap_or("").to_owned();
    let said = match (consent["status"].as_str(), consent["provision"]["type"].as_str()) {
        (Some("active"), Some("permit")) => "A recueilli votre accord",
        (Some("active"), _) => "A noté votre refus",
        _ => "A noté le retrait de votre accord",
    };
    let by = consent["performer"][0]["display"].as_str().unwrap_or("Patient");
    Seen {
        at: consent["dateTime"].as_str().and_then(UnixSeconds::parse).unwrap_or(UnixSeconds(0)),
        author: name(state, &holder),
        holder,
        action: said.to_owned(),
        context: format!("Donné par : {by}"),
        notice: None,
    }
}

/// ITI-81 resources since then, newest first: traces as they came with a name added, our own lines beside them.
pub fn history(state: &State, person: &Person, since: UnixSeconds) -> Vec<Value> {
    let key = person.patient.ins.key();
    let mut found: Vec<(i64, Value)> = Vec::new();
    for (number, line) in state.lines.iter().enumerate().filter(|(_, line)| line.patient == key) {
        found.push((line.at, event(state, person, line, number)));
    }
    for trace in state.traces.iter().filter(|trace| patient_of(trace).as_deref() == Some(&key)) {
        let at = trace["recorded"].as_str().and_then(UnixSeconds::parse).map_or(0, |at| at.0);
        let mut named = trace.clone();
        for agent in named["agent"].as_array_mut().into_iter().flatten().filter(|agent| agent["requestor"] == true) {
            let holder = agent["who"]["identifier"]["value"].as_str().unwrap_or("").to_owned();
            agent["name"] = json!(name(state, &holder));
        }
        found.push((at, named));
    }
    found.retain(|(at, _)| *at >= since.0);
    found.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    found.into_iter().map(|(_, resource)| resource).collect()
}

fn event(state: &State, person: &Person, line: &Line, number: usize) -> Value {
    let (code, action) = match line.act {
        Act::Read => ("read", "R"),
        Act::Contributed => ("create", "C"),
        Act::State | Act::Listed | Act::History => ("search-type", "E"),
        Act::Changed => ("patch", "U"),
    };
    json!({
        "resourceType": "AuditEvent", "id": format!("server-{number}"),
        "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"},
        "subtype": [{
            "system": "http://hl7.org/fhir/restful-interaction", "code": code, "display": line.act.words()
        }],
        "action": action, "recorded": UnixSeconds(line.at).rfc3339(), "outcome": "0",
        "agent": [{
            "who": {"identifier": {"system": shapes::PS, "value": line.holder}},
            "name": name(state, &line.holder), "requestor": true,
            "purposeOfUse": [{"coding": [{
                "system": "https://mos.esante.gouv.fr/NOS/TRE_R248_ModeAcces/FHIR/TRE-R248-ModeAcces",
                "code": line.mode
            }]}]
        }],
        "source": {"observer": {"display": "DMP du bac à sable"}},
        "entity": [{"what": {"identifier": shapes::patient_identifier(person)}}]
    })
}

/// A name once the holder came with a card, else the identifier.
fn name(state: &State, holder: &str) -> String {
    state.names.get(holder).filter(|name| !name.is_empty()).cloned().unwrap_or_else(|| holder.to_owned())
}

fn requestor(trace: &Value) -> &Value {
    let agents = trace["agent"].as_array().map(Vec::as_slice).unwrap_or_default();
    agents.iter().find(|agent| agent["requestor"] == true).unwrap_or(&Value::Null)
}

fn patient_of(trace: &Value) -> Option<String> {
    let person = trace["entity"].as_array()?.iter().find(|entity| entity["type"]["code"] == "1")?;
    shapes::patient_key(&person["what"]["identifier"])
}

/// The heads of that device, newest first.
pub fn checkpoints(state: &State, device: &str) -> Vec<Value> {
    let of_device = |event: &&Value| event["source"]["observer"]["identifier"]["value"] == device;
    state.traces.iter().rev().filter(|event| is_checkpoint(event)).filter(of_device).cloned().collect()
}

/// The device's own head, which is nobody's access.
pub fn is_checkpoint(event: &Value) -> bool {
    class_of(event) == "checkpoint"
}

fn class_of(trace: &Value) -> &str {
    let ours = trace["subtype"].as_array().and_then(|list| {
        list.iter().find(|coding| coding["system"] == "https://chevet.invalid/fhir/CodeSystem/trace-class")
    });
    ours.and_then(|coding| coding["code"].as_str()).or_else(|| log_entry(trace, "class")).unwrap_or("")
}

/// A value of the `log-entry` extension.
fn log_entry<'a>(trace: &'a Value, name: &str) -> Option<&'a str> {
    let outer = trace["extension"].as_array()?;
    let entry = outer.iter().find(|one| one["url"] == "https://chevet.invalid/fhir/StructureDefinition/log-entry")?;
    entry["extension"].as_array()?.iter().find(|one| one["url"] == name)?["valueCode"].as_str()
}

fn class_words(class: &str) -> &'static str {
    match class {
        "gate" => "A vérifié son droit d’accès",
        "prefetched" => "A préparé des documents",
        "listed" => "A consulté la liste des documents",
        "searched" => "A cherché dans les documents",
        "summary" => "A consulté le résumé",
        "opened" => "A lu un document",
        "printed" => "A imprimé un document",
        "contributed" => "A ajouté un document",
        "consent" => "A recueilli votre accord",
        "refused" => "A noté votre refus",
        "withdrawn" => "A noté le retrait de votre accord",
        "break_glass" => "A ouvert le dossier en urgence",
        _ => "Autre opération",
    }
}

fn mode_words(mode: &str) -> &'static str {
    match mode {
        "bris_de_glace" => "Bris de glace",
        "centre_15" => "Centre 15",
        _ => "Accès normal",
    }
}

const BATCH_ENTRIES_MAX: usize = 50;
const BATCH_BYTES_MAX: usize = 256 * 1024;
