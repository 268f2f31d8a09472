//! FHIR R4: IHE MHD as ANS PDSm profiles it, and our own shapes where no profile gives one. docs/pdsm.md is the contract.
//!
//! - `names` systems and URLs · `fhir` the shapes that are read · `answer` what a status means
//! - `capability` what it can do · `find` how it is searched · `lists` ITI-66
//! - `state` TD0.2 · `documents` ITI-67 · `content` ITI-68 · `history` ITI-81 · `said` TD0.3 · `submission` ITI-65 · `event` ITI-20
//!
//! All but `find` are pure; that one and this file ask. It keeps nothing of a patient after a call returns, and logs counts only.

pub mod answer;
pub mod capability;
pub(in crate::exchange) mod content;
pub mod documents;
pub mod event;
pub mod fhir;
mod find;
mod head;
pub mod history;
pub mod lists;
pub mod names;
pub mod said;
pub mod state;
pub mod submission;

use crate::exchange::pdsm::answer::Asker;
use crate::exchange::pdsm::capability::Capability;
use crate::exchange::pdsm::content::sha1;
use crate::exchange::pdsm::event::Shape;
use crate::exchange::pdsm::fhir::Bundle;
use crate::exchange::search::Search;
use crate::exchange::token;
use crate::exchange::upstream::AsDevice;
use crate::exchange::upstream::AsHolder;
use crate::exchange::upstream::Checkpoint;
use crate::exchange::upstream::Error;
use crate::exchange::upstream::Outcome;
use crate::exchange::upstream::Upstream;
use crate::exchange::upstream::failed;
use crate::journal::Held;
use crate::journal::consent::Consent;
use crate::journal::item::Contribution;
use crate::journal::item::Deed;
use crate::journal::trace::Trace;
use crate::link;
use crate::link::Client;
use crate::link::Method;
use crate::link::Request;
use crate::link::Spool;
use crate::link::Urgency;
use crate::link::address;
use crate::link::turns;
use crate::patient::ins::Ins;
use crate::record::document::Document;
use crate::record::state::Access;
use crate::record::state::RecordState;
use crate::record::sync::Changes;
use crate::record::sync::Kept;
use crate::secret::content::Content;
use crate::time::UnixSeconds;
use serde_json::Value;
use serde_json::json;
use std::collections::HashSet;
use std::path::Path;
use std::sync::OnceLock;
use tokio::sync::OnceCell;
use uuid::Uuid;

/// How an audit repository takes traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Under their own ids.
    Put,
    /// For repositories that take no PUT: at least once.
    Post,
}

/// The connector. One for the record, one for the traces: they may be two servers.
pub struct Pdsm {
    upstream: Client,
    base: String,
    audit: Client,
    audit_base: String,
    profile: Profile,
    shape: Shape,
    document_bytes_max: u64,
    /// Whether this server chains, or patients are asked for by its own names; what it has shown.
    chains: OnceLock<bool>,
    learned: OnceCell<Capability>,
}

const FHIR_JSON: &str = "application/fhir+json";
/// RFC 6902
const JSON_PATCH: &str = "application/json-patch+json";
/// One page of a search.
const PAGE_BYTES_MAX: u64 = 16 * 1024 * 1024;
const PAGES_MAX: usize = 200;
const DOCUMENT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What the holder's token does not say of itself (docs/pdsm.md §1): with a PSC token, the device vouches for the mode.
fn stated(who: &AsHolder) -> Vec<(&'static str, String)> {
    who.mode.map(|mode| (PURPOSE_HEADER, token::purpose(mode).to_owned())).into_iter().collect()
}

const PURPOSE_HEADER: &str = "chevet-purpose-of-use";

impl Pdsm {
    /// `base` and `audit_base` as configured; slashes at their ends are dropped.
    pub fn new(
        upstream: Client,
        base: &str,
        audit: Client,
        audit_base: &str,
        profile: Profile,
    ) -> Result<Pdsm, link::Error> {
        Ok(Pdsm {
            upstream,
            base: address::base(base)?,
            audit,
            audit_base: address::base(audit_base)?,
            profile,
            shape: Shape::Balp,
            document_bytes_max: DOCUMENT_BYTES_MAX,
            chains: OnceLock::new(),
            learned: OnceCell::new(),
        })
    }

    /// The same, for a repository that wants its events in that shape.
    pub fn with_shape(self, shape: Shape) -> Pdsm {
        Pdsm { shape, ..self }
    }

    fn shaped(&self, event: Value) -> Value {
        match self.shape {
            Shape::Balp => event,
            Shape::Tde => event::as_tde(event),
        }
    }

    /// The same, with another limit on one document (64 MB).
    pub fn with_document_limit(self, document_bytes_max: u64) -> Pdsm {
        Pdsm { document_bytes_max, ..self }
    }

    /// What a holder's token must name as its audience.
    pub fn audience(&self) -> &str {
        &self.base
    }

    /// What a holder's token must be bound to.
    pub fn device_thumbprint(&self) -> [u8; 32] {
        self.upstream.device_thumbprint()
    }

    /// Whether the trace repository is there: any answer of its own will do. Asked under the device's certificate alone.
    pub async fn ping(&self) -> Result<(), Error> {
        let request = Request {
            method: Method::Get,
            url: format!("{}/metadata", self.audit_base),
            accept: FHIR_JSON.to_owned(),
            bearer: None,
            headers: Vec::new(),
            body: None,
            limit_bytes: PAGE_BYTES_MAX,
        };
        match turns::at(Urgency::Trace, self.audit.send(request)).await {
            Ok(_) | Err(link::Error::TooLarge { .. }) => Ok(()),
            Err(error) => Err(failed(error, "metadata")),
        }
    }

    /// One search, all its pages.
    async fn pages(
        &self,
        who: &AsHolder,
        kind: &str,
        what: &'static str,
        parameters: &[(&str, &str)],
    ) -> Result<Vec<Value>, Error> {
        let mut next = Some(address::search(&self.base, kind, parameters).map_err(|error| failed(error, what))?);
        let (mut found, mut seen) = (Vec::new(), HashSet::new());
        while let Some(url) = next {
            if seen.len() == PAGES_MAX || !seen.insert(url.clone()) {
                return Err(Error::Unreadable { what, why: "its pages do not end" });
            }
            let bundle = self.page(who, url, what).await?;
            next = match bundle.next() {
                Some(link) => Some(address::follow(&self.base, link).map_err(|error| failed(error, what))?),
                None => None,
            };
            found.extend(bundle.matches());
        }
        Ok(found)
    }

    /// Not every server has care teams: one that knows none lists nobody.
    async fn care_teams(&self, who: &AsHolder, parameters: &[(&str, &str)]) -> Result<Vec<Value>, Error> {
        match self.pages(who, "CareTeam", "the care team", parameters).await {
            Err(Error::Failed { status: 404 | 405 | 501, .. }) => Ok(Vec::new()),
            answer => answer,
        }
    }

    async fn page(&self, who: &AsHolder, url: String, what: &'static str) -> Result<Bundle, Error> {
        let request = Request {
            method: Method::Get,
            url,
            accept: FHIR_JSON.to_owned(),
            bearer: Some(&who.token),
            headers: stated(who),
            body: None,
            limit_bytes: PAGE_BYTES_MAX,
        };
        let answer = self.upstream.send(request).await.map_err(|error| failed(error, what))?;
        Bundle::read(&answer::body(answer, Asker::Holder)?, "searchset", what)
    }

    /// One item of a holder's, idempotent by what `headers` or the body say.
    async fn post(
        &self,
        who: &AsHolder,
        path: &str,
        what: &'static str,
        headers: Vec<(&'static str, String)>,
        body: &Value,
    ) -> Result<link::Answer, Error> {
        let request = Request {
            method: Method::Post,
            url: format!("{}{path}", self.base),
            accept: FHIR_JSON.to_owned(),
            bearer: Some(&who.token),
            headers: headers.into_iter().chain(stated(who)).collect(),
            body: Some((FHIR_JSON, body.to_string().into_bytes())),
            limit_bytes: PAGE_BYTES_MAX,
        };
        self.upstream.send(request).await.map_err(|error| failed(error, what))
    }

    /// A conditional PATCH (FHIR R4 §3.1.0.7): of the one document that has this identifier.
    async fn patch(&self, who: &AsHolder, document: &str, body: &Value) -> Result<link::Answer, Error> {
        let what = "the change";
        let found = address::search(&self.base, "DocumentReference", &[("identifier", document)]);
        let url = found.map_err(|error| failed(error, what))?;
        let request = Request {
            method: Method::Patch,
            url,
            accept: FHIR_JSON.to_owned(),
            bearer: Some(&who.token),
            headers: stated(who),
            body: Some((JSON_PATCH, body.to_string().into_bytes())),
            limit_bytes: PAGE_BYTES_MAX,
        };
        self.upstream.send(request).await.map_err(|error| failed(error, what))
    }

    async fn audit(&self, method: Method, path: &str, body: &Value) -> Result<link::Answer, Error> {
        let request = Request {
            method,
            url: format!("{}{path}", self.audit_base),
            accept: FHIR_JSON.to_owned(),
            bearer: None,
            headers: Vec::new(),
            body: Some((FHIR_JSON, body.to_string().into_bytes())),
            limit_bytes: PAGE_BYTES_MAX,
        };
        turns::at(Urgency::Trace, self.audit.send(request)).await.map_err(|error| failed(error, "the traces"))
    }

    /// One event under its own id.
    async fn put_event(&self, id: Uuid, event: &Value) -> Result<Outcome, Error> {
        let answer = self.audit(Method::Put, &format!("/AuditEvent/{id}"), event).await?;
        answer::delivered(&answer, Asker::Device)
    }

    /// Several in one Bundle; `None` when the server does not take the Bundle as such.
    async fn post_traces(&self, traces: &[Trace]) -> Result<Option<Vec<Outcome>>, Error> {
        let events: Vec<(Uuid, Value)> =
            traces.iter().map(|trace| (trace.id, self.shaped(event::audit_event(trace)))).collect();
        self.post_events(&events).await
    }

    async fn post_events(&self, events: &[(Uuid, Value)]) -> Result<Option<Vec<Outcome>>, Error> {
        let answer = self.audit(Method::Post, "", &batch(events, self.profile)).await?;
        if answer::is_about_the_bundle(answer.status) && events.len() > 1 {
            return Ok(None);
        }
        if !(200..300).contains(&answer.status) {
            return answer::delivered(&answer, Asker::Device).map(|outcome| Some(vec![outcome; events.len()]));
        }
        answer::batched(&answer.body, events.len()).map(Some)
    }

    /// One trace, alone, as the repository takes it.
    async fn one_trace(&self, trace: &Trace) -> Result<Outcome, Error> {
        self.one_event(trace.id, self.shaped(event::audit_event(trace))).await
    }

    async fn one_event(&self, id: Uuid, event: Value) -> Result<Outcome, Error> {
        match self.profile {
            Profile::Put => self.put_event(id, &event).await,
            Profile::Post => {
                let outcomes = self.post_events(&[(id, event)]).await?;
                Ok(outcomes.and_then(|list| list.into_iter().next()).unwrap_or(Outcome::NotNow))
            }
        }
    }
}

impl Upstream for Pdsm {
    async fn state(&self, who: &AsHolder, patient: &Ins, team: Option<&str>) -> Result<RecordState, Error> {
        let (ins, me) = (fhir::ins_token(patient), format!("{}|{}", names::PROFESSIONAL, who.holder.0));
        let team = team.map(|name| format!(",{}|{}", names::TEAM, fhir::escape(name))).unwrap_or_default();
        let actor = format!("{me}{team}");
        let (by_ins, about) =
            ([("identifier", ins.as_str())], [("patient.identifier", &*ins), ("actor.identifier", &*actor)]);
        // Together: over a slow link each round trip counts.
        let in_teams = [("patient.identifier", &*ins), ("participant.identifier", &*me), ("status", "active")];
        // What it can do is learned beside: what follows is asked accordingly.
        let learn = async { Ok(self.capability().await) };
        let together = async {
            tokio::try_join!(
                self.pages(who, "Patient", "the record's state", &by_ins),
                self.pages(who, "Consent", "the authorization", &about),
                self.care_teams(who, &in_teams),
                learn,
            )
        };
        let (patients, consents, care_teams, _) = turns::at(Urgency::Withdrawal, together).await?;
        Ok(state::record_state(state::Found { patients, consents, care_teams }, patient, &who.holder))
    }

    async fn authorized(&self, who: &AsHolder) -> Result<Vec<(Ins, Option<UnixSeconds>)>, Error> {
        let me = format!("{}|{}", names::PROFESSIONAL, who.holder.0);
        let categories =
            ["authorization", "blocking"].map(|one| format!("{}|{one}", names::CONSENT_CATEGORY)).join(",");
        let asked = [("actor.identifier", &*me), ("category", &*categories)];
        let consents = self.pages(who, "Consent", "the list of authorizations", &asked).await?;
        Ok(state::authorized(&consents, &who.holder))
    }

    async fn find(&self, who: &AsHolder, patient: &Ins, since: UnixSeconds) -> Result<Held<Vec<Document>>, Error> {
        self.search(who, patient, &Search::standing_since(since)).await
    }

    async fn search(&self, who: &AsHolder, patient: &Ins, search: &Search) -> Result<Held<Vec<Document>>, Error> {
        Ok(Held::record(patient.clone(), self.documents(who, patient, search).await?))
    }

    async fn changes(
        &self,
        who: &AsHolder,
        patient: &Ins,
        kept: &Kept,
        since: UnixSeconds,
    ) -> Result<Held<Changes>, Error> {
        Ok(Held::record(patient.clone(), self.changed(who, patient, kept, since).await?))
    }

    async fn fetch(
        &self,
        who: &AsHolder,
        patient: &Ins,
        document: &Document,
        aside: Option<&Path>,
    ) -> Result<Held<Content>, Error> {
        let (limit_bytes, what) = (self.document_bytes_max, "the document");
        let promised = &document.attachment;
        if promised.size_bytes.is_some_and(|size| size > limit_bytes) {
            return Err(Error::TooLarge { limit_bytes });
        }
        let is_fhir = |kind: &str| matches!(kind, FHIR_JSON | "application/json");
        let request = Request {
            method: Method::Get,
            url: address::follow(&self.base, &promised.url).map_err(|error| failed(error, what))?,
            accept: content::accept(&promised.content_type),
            bearer: Some(&who.token),
            headers: stated(who),
            body: None,
            // Base64 in a Binary is a third longer.
            limit_bytes: limit_bytes + limit_bytes / 2 + 1024,
        };
        let expected = usize::try_from(promised.size_bytes.unwrap_or(0)).unwrap_or(0);
        let mut spool = Spool::new(aside, expected);
        let answer = self.upstream.fetch(request, &mut spool).await;
        let answer = answer.map_err(|error| too_large(error, what, limit_bytes))?;
        let (answered, wanted) = (is_fhir(&answer.content_type), is_fhir(&promised.content_type));
        answer::body(answer, Asker::Holder)?;
        let mut came = spool.finish().map_err(|error| failed(error, what))?;
        // A FHIR document in a Binary is FHIR in FHIR: what was promised decides which of both it is.
        if answered && (!wanted || content::verify(&came, document).is_err()) {
            came = content::unwrap_binary(came, wanted)?;
        }
        if came.content.size() as u64 > limit_bytes {
            return Err(Error::TooLarge { limit_bytes });
        }
        content::verify(&came, document)?;
        Ok(Held::document(patient.clone(), document.unique_id.clone(), came.content))
    }

    async fn history(&self, who: &AsHolder, patient: &Ins, since: UnixSeconds) -> Result<Held<Vec<Access>>, Error> {
        let (ins, date) = (fhir::ins_token(patient), format!("ge{}", since.rfc3339()));
        let parameters = [("patient.identifier", &*ins), ("date", &*date), ("_sort", "-date"), ("_count", "100")];
        let entries = self.pages(who, "AuditEvent", "the access history", &parameters).await?;
        let found = history::accesses(entries);
        if found.unreadable > 0 {
            tracing::warn!(unreadable = found.unreadable, "history");
        }
        Ok(Held::record(patient.clone(), found.accesses))
    }

    async fn consent(&self, who: &AsHolder, consent: &Consent) -> Result<Outcome, Error> {
        let once = format!("identifier={}|{}", names::URI, said::identifier(consent));
        let headers = vec![("if-none-exist", once)];
        let resource = said::resource(consent);
        let sending = self.post(who, "/Consent", "the consent", headers, &resource);
        let answer = turns::at(Urgency::Consent, sending).await?;
        answer::delivered(&answer, Asker::Holder)
    }

    async fn contribute(&self, who: &AsHolder, contribution: &Contribution) -> Result<Outcome, Error> {
        let answer = match &contribution.deed {
            Deed::Add { note, cda } => {
                let body = submission::transaction(note, cda);
                let answer = self.post(who, "", "the contribution", Vec::new(), &body).await?;
                return answer::transacted(&answer);
            }
            Deed::Change { change, labels } => {
                let document = submission::identifier(&contribution.unique_id);
                self.patch(who, &document, &submission::patch(*change, labels)).await?
            }
        };
        answer::delivered(&answer, Asker::Holder)
    }

    async fn traces(&self, _who: AsDevice, traces: &[Trace]) -> Result<Vec<Outcome>, Error> {
        if traces.len() > 1
            && let Some(outcomes) = self.post_traces(traces).await?
        {
            return Ok(outcomes);
        }
        let mut outcomes = Vec::with_capacity(traces.len());
        for trace in traces {
            match self.one_trace(trace).await {
                Ok(outcome) => outcomes.push(outcome),
                // What was acknowledged before the line broke stays acknowledged. Nothing goes on behind it: its patient's
                // next would stand before it.
                Err(_) if outcomes.contains(&Outcome::Acknowledged) => break,
                Err(error) => return Err(error),
            }
        }
        outcomes.resize(traces.len(), Outcome::NotNow);
        Ok(outcomes)
    }

    async fn checkpoint(&self, _who: AsDevice, checkpoint: &Checkpoint) -> Result<Outcome, Error> {
        self.one_event(head::id(checkpoint), self.shaped(head::audit_event(checkpoint))).await
    }

    async fn newest_checkpoints(&self, _who: AsDevice, device: &str) -> Result<Vec<String>, Error> {
        let what = "the newest checkpoint";
        let (kind, source) = (format!("{}|checkpoint", names::TRACE_CLASS), format!("{}|{device}", names::DEVICE));
        let parameters =
            [("subtype", &*kind), ("source:identifier", &*source), ("_sort", "-_lastUpdated"), ("_count", "20")];
        let request = Request {
            method: Method::Get,
            url: address::search(&self.audit_base, "AuditEvent", &parameters).map_err(|error| failed(error, what))?,
            accept: FHIR_JSON.to_owned(),
            bearer: None,
            headers: Vec::new(),
            body: None,
            limit_bytes: PAGE_BYTES_MAX,
        };
        let answer = turns::at(Urgency::Trace, self.audit.send(request)).await;
        let answer = answer.map_err(|error| failed(error, what))?;
        let bundle = Bundle::read(&answer::body(answer, Asker::Device)?, "searchset", what)?;
        Ok(bundle.matches().filter_map(|event| head::note_of(&event)).collect())
    }

    fn server_time(&self) -> Option<UnixSeconds> {
        self.upstream.server_time().or_else(|| self.audit.server_time())
    }

    fn hang_up(&self) {
        for link in [&self.upstream, &self.audit] {
            link.hang_up();
        }
    }
}

/// A batch, never a transaction: one poisoned entry must not hold up the others.
fn batch(events: &[(Uuid, Value)], profile: Profile) -> Value {
    let entry: Vec<Value> = events
        .iter()
        .map(|(id, resource)| {
            let request = match profile {
                Profile::Put => json!({"method": "PUT", "url": format!("AuditEvent/{id}")}),
                Profile::Post => json!({"method": "POST", "url": "AuditEvent"}),
            };
            json!({"fullUrl": format!("urn:uuid:{id}"), "resource": resource, "request": request})
        })
        .collect();
    json!({"resourceType": "Bundle", "type": "batch", "entry": entry})
}

/// The limit that is said is the document's own, not that of its wrapping.
fn too_large(error: link::Error, what: &'static str, limit_bytes: u64) -> Error {
    match error {
        link::Error::TooLarge { .. } => Error::TooLarge { limit_bytes },
        other => failed(other, what),
    }
}

impl std::fmt::Debug for Pdsm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pdsm")
    }
}
