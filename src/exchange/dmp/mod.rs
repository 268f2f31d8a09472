//! The DMP's own language: SOAP 1.2, IHE XDS.b, VIHF, with the holder's card in the TLS handshake. What of it is confirmed and what
//! is only reported: docs/dmp.md.
//!
//! - `c14n` and `signature` what the card signs beside the handshake, by `pen` · `deposit` TD2.1 · `acts` what an author does
//! - `xml` what is read at all · `multipart` MTOM/XOP · `soap` the envelope · `vihf` who asks · `names`
//! - `ebrim` registry objects, whole · `entry` as documents · `query` TD3.1 · `retrieve` TD3.2 · `update` TD3.3
//! - `state` TD0.2 · `habilitation` TD0.3, TD0.4 · `said` what is refused
//!
//! All but this file and `acts` is pure. Traces go to `[audit]`, in FHIR, whatever the connector. It keeps nothing of a patient after a call
//! returns, and logs counts and codes only.

mod acts;
pub mod c14n;
pub mod deposit;
pub mod ebrim;
pub mod entry;
pub mod habilitation;
pub mod multipart;
pub mod names;
pub mod pen;
pub mod query;
pub mod retrieve;
pub mod said;
pub mod signature;
pub mod soap;
pub mod state;
mod sync;
pub mod update;
pub mod vihf;
pub mod xml;

use crate::exchange::dmp::ebrim::Element;
use crate::exchange::dmp::pen::PenHolder;
use crate::exchange::dmp::query::Returns;
use crate::exchange::dmp::said::Remark;
use crate::exchange::dmp::soap::Message;
use crate::exchange::dmp::vihf::Actor;
use crate::exchange::dmp::vihf::Assertion;
use crate::exchange::dmp::vihf::Lacks;
use crate::exchange::pdsm::Pdsm;
use crate::exchange::pdsm::content;
use crate::exchange::search::Between;
use crate::exchange::search::Search;
use crate::exchange::upstream::About;
use crate::exchange::upstream::AsDevice;
use crate::exchange::upstream::AsHolder;
use crate::exchange::upstream::Checkpoint;
use crate::exchange::upstream::Error;
use crate::exchange::upstream::Outcome;
use crate::exchange::upstream::Upstream;
use crate::exchange::upstream::Words;
use crate::exchange::upstream::failed;
use crate::identity::statement::Hash;
use crate::journal::Held;
use crate::journal::consent::Consent;
use crate::journal::item::Contribution;
use crate::journal::item::Deed;
use crate::journal::trace::Trace;
use crate::journal::words::Mode;
use crate::link;
use crate::link::Client;
use crate::link::Method;
use crate::link::Request;
use crate::link::Spooled;
use crate::link::Urgency;
use crate::link::address;
use crate::link::client::Clock;
use crate::link::turns;
use crate::patient::ins::Ins;
use crate::record::document::Document;
use crate::record::document::Status;
use crate::record::state::Access;
use crate::record::state::RecordState;
use crate::record::sync::Changes;
use crate::record::sync::Kept;
use crate::secret::content::Content;
use crate::time::UnixSeconds;
use roxmltree::Node;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::Semaphore;
use uuid::Uuid;

/// What the settings say of this software and of the dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub software: vihf::Software,
    pub shape: vihf::Shape,
    /// The software's own root.
    pub oid: String,
    /// CX.5 of a patient: `NH` in France; plain IHE has none.
    pub dialect: Dialect,
    /// Whether each assertion is signed, and how.
    pub sign_assertions: Option<Hash>,
    /// How a submission is signed.
    pub sign_deposits: Hash,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    French,
    Ihe,
}

pub struct Dmp {
    /// The card speaks in its handshake.
    link: Client,
    /// And signs documents by its other key.
    pens: Arc<dyn PenHolder>,
    base: String,
    /// The trace repository, which is none of the DMP's.
    audit: Pdsm,
    settings: Settings,
    clock: Clock,
    /// Connections at once, where the server has one question a connection: each costs the card a signature.
    at_once: Semaphore,
}

/// One kind of question: where it goes, and what it is called.
struct Transaction {
    service: &'static str,
    action: &'static str,
    /// The `Content-Type`, which says the action again (SOAP 1.2 part 2 §6.5.3).
    content_type: &'static str,
    what: &'static str,
}

macro_rules! transaction {
    ($name:ident, $service:literal, $action:literal, $what:literal) => {
        const $name: Transaction = Transaction {
            service: $service,
            action: $action,
            content_type: concat!("application/soap+xml; charset=UTF-8; action=\"", $action, "\""),
            what: $what,
        };
    };
}

transaction!(STATE, "patients", "urn:hl7-org:v3:PRPA_IN201307UV02", "the record's state");
transaction!(
    AUTHORIZE,
    "habilitations",
    "urn:si-dmp-habilitations:HabilitationsEndPoint:setAuthorization",
    "the authorization"
);
transaction!(
    PATIENTS,
    "patientsSpecific",
    "urn:si-dmp-patients:PatientSpecificEndPoint:patientList",
    "the list of authorizations"
);
transaction!(QUERY, "registry", "urn:ihe:iti:2007:RegistryStoredQuery", "the list");
transaction!(RETRIEVE, "repository", "urn:ihe:iti:2007:RetrieveDocumentSet", "the document");
transaction!(DEPOSIT, "repository", "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b", "the deposit");
transaction!(UPDATE, "registry", "urn:ihe:iti:2010:UpdateDocumentSet", "the change");

/// An answer of the registry; a thousand entries are some 8 MB.
const ANSWER_BYTES_MAX: u64 = 32 * 1024 * 1024;
const DOCUMENT_BYTES_MAX: u64 = 64 * 1024 * 1024;
const AT_ONCE: usize = 2;
const OTHER_QUESTION: &str = "it answers another question";
/// What is missing from it would be taken for gone.
const IN_PART: &str = "it did not come whole";
/// TD0.4 asks for authorizations that were given since: for how long they last is not known, a year in 2010.
const AUTHORIZED_SINCE_S: i64 = 366 * 86_400;

impl Dmp {
    /// `base` up to the services, for example `https://host/si-dmp-server/v2/services`. `link` is a [`Client::of_holder`].
    pub fn new(
        link: Client,
        pens: Arc<dyn PenHolder>,
        base: &str,
        audit: Pdsm,
        settings: Settings,
        clock: Clock,
    ) -> Result<Dmp, link::Error> {
        Ok(Dmp { link, pens, base: address::base(base)?, audit, settings, clock, at_once: Semaphore::new(AT_ONCE) })
    }

    /// Whether the trace repository is there.
    pub async fn ping(&self) -> Result<(), Error> {
        self.audit.ping().await
    }

    /// The server's word for the time where it was heard: an assertion that seems to come from another hour is refused.
    fn now(&self) -> UnixSeconds {
        self.link.server_time().unwrap_or_else(|| (self.clock)())
    }

    /// CX of a patient.
    fn patient(&self, ins: &Ins) -> String {
        let kind = match self.settings.dialect {
            Dialect::French => "^NH",
            Dialect::Ihe => "",
        };
        format!("{}^^^&{}&ISO{kind}", ins.matricule, ins.kind.oid())
    }

    /// One question in a holder's name, its assertion made for it alone, and the answer's bytes, with the question's id.
    async fn ask(
        &self,
        who: &AsHolder,
        transaction: &Transaction,
        patient: Option<&Ins>,
        body: &str,
        limit_bytes: u64,
    ) -> Result<(link::Answer, Uuid), Error> {
        self.ask_with(who, transaction, patient, body, &[], limit_bytes).await
    }

    /// The same, with documents beside the envelope: id, kind, bytes.
    async fn ask_with(
        &self,
        who: &AsHolder,
        transaction: &Transaction,
        patient: Option<&Ins>,
        body: &str,
        beside: &[(&str, &str, &[u8])],
        limit_bytes: u64,
    ) -> Result<(link::Answer, Uuid), Error> {
        let actor = actor(who)?;
        let to = format!("{}/{}", self.base, transaction.service);
        let patient = patient.map(|ins| self.patient(ins));
        let hand = match self.settings.sign_assertions {
            Some(hash) => Some((self.hand(who).await?, hash)),
            None => None,
        };
        let assertion = Assertion {
            actor,
            issuer: hand.as_ref().map_or(&actor.subject, |(hand, _)| &hand.subject),
            software: &self.settings.software,
            shape: &self.settings.shape,
            patient: patient.as_deref(),
            mode: who.mode.unwrap_or(Mode::Normal),
            id: Uuid::now_v7(),
            at: self.now(),
        };
        let mut assertion = assertion.write().map_err(unsayable)?;
        if let Some((hand, hash)) = &hand {
            let unsigned = signature::assertion(&assertion, &hand.certificate, *hash).map_err(acts::not_signable)?;
            assertion = hand.sign(unsigned).await?;
        }
        let id = Uuid::now_v7();
        let header = soap::Header { action: transaction.action, to: &to, message: id, assertion: &assertion };
        let envelope = soap::envelope(&header, body);
        let (content_type, bytes) = if beside.is_empty() {
            (transaction.content_type.to_owned(), envelope.into_bytes())
        } else {
            multipart::write(&envelope, beside, transaction.action, &format!("uuid:{id}"))
        };
        let request = Request {
            method: Method::Post,
            url: to,
            accept: "application/soap+xml, multipart/related, application/xop+xml".to_owned(),
            bearer: None,
            headers: Vec::new(),
            body: Some((&content_type, bytes)),
            limit_bytes,
        };
        let turn = self.at_once.acquire().await;
        let answer = self.link.send(request).await;
        drop(turn);
        let answer = answer.map_err(|error| match failed(error, transaction.what) {
            // The handshake is the card's here, not the device's.
            Error::DeviceRefused { .. } => {
                Error::Refused { code: "TLS".to_owned(), about: About::Holder, text: Words::default() }
            }
            other => other,
        })?;
        Ok((answer, id))
    }

    /// The same, read: a fault is an error, and so is what is no envelope.
    async fn asked<T>(
        &self,
        who: &AsHolder,
        transaction: &Transaction,
        patient: Option<&Ins>,
        body: &str,
        read: impl FnOnce(Node<'_, '_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let (answer, id) = self.ask(who, transaction, patient, body, ANSWER_BYTES_MAX).await?;
        understood(&answer, id, transaction, read)
    }

    async fn query(&self, who: &AsHolder, patient: &Ins, body: &str) -> Result<query::Answer, Error> {
        let unreadable = Error::Unreadable { what: QUERY.what, why: "it is no AdhocQueryResponse with its list" };
        let read = |node: Node<'_, '_>| query::found(node).ok_or(unreadable);
        let answer = self.asked(who, &QUERY, Some(patient), body, read).await?;
        if answer.status == query::Outcome::Failure {
            return Err(said::worst(answer.remarks).error());
        }
        if !answer.is_whole {
            let codes: Vec<&str> = answer.remarks.iter().map(|remark| remark.code.as_str()).collect();
            tracing::warn!(?codes, found = answer.objects.len(), "the registry answered in part");
        }
        Ok(answer)
    }

    /// As [`Dmp::query`], but all of it or an error: what is missing would be taken for gone.
    async fn query_whole(&self, who: &AsHolder, patient: &Ins, body: &str) -> Result<Vec<Element>, Error> {
        let answer = self.query(who, patient, body).await?;
        if answer.is_whole { Ok(answer.objects) } else { Err(Error::Unreadable { what: QUERY.what, why: IN_PART }) }
    }

    /// And whether they are all.
    async fn documents(&self, who: &AsHolder, patient: &Ins, search: &Search) -> Result<(Vec<Document>, bool), Error> {
        let query::Answer { objects, is_whole, .. } = if search.entries.is_empty() {
            self.query(who, patient, &query::find(search, &self.patient(patient), Returns::LeafClass)).await?
        } else {
            self.query(who, patient, &query::by_entry(&search.entries)).await?
        };
        let found = entry::documents(&objects);
        if found.unreadable > 0 {
            tracing::warn!(unreadable = found.unreadable, "list");
        }
        Ok((found.documents, is_whole))
    }
}

impl Upstream for Dmp {
    async fn state(&self, who: &AsHolder, patient: &Ins, _team: Option<&str>) -> Result<RecordState, Error> {
        let Settings { oid, software, .. } = &self.settings;
        let id = Uuid::now_v7();
        let body = state::request(patient, oid, &software.name, id, self.now());
        let read = |node: Node<'_, '_>| {
            if !state::is_answer_to(node, oid, id) {
                return Err(Error::Unreadable { what: STATE.what, why: OTHER_QUESTION });
            }
            state::read(node).map_err(|missing| match missing {
                state::Missing::Unreadable(why) => Error::Unreadable { what: STATE.what, why },
                state::Missing::Refused(remark) => remark.error(),
            })
        };
        turns::at(Urgency::Withdrawal, self.asked(who, &STATE, Some(patient), &body, read)).await
    }

    async fn authorized(&self, who: &AsHolder) -> Result<Vec<(Ins, Option<UnixSeconds>)>, Error> {
        let body = habilitation::list(self.now().plus(-AUTHORIZED_SINCE_S));
        let unreadable = Error::Unreadable { what: PATIENTS.what, why: "it is no list of patients" };
        let read = |node: Node<'_, '_>| habilitation::listed(node).ok_or(unreadable);
        let found = self.asked(who, &PATIENTS, None, &body, read).await?.map_err(Remark::error)?;
        Ok(found.into_iter().map(|ins| (ins, None)).collect())
    }

    /// By the time of care: no automatic search may look back further than that (EX_3.1).
    async fn find(&self, who: &AsHolder, patient: &Ins, since: UnixSeconds) -> Result<Held<Vec<Document>>, Error> {
        let search = Search { statuses: vec![Status::Current], period: Between::since(since), ..Search::default() };
        self.search(who, patient, &search).await
    }

    async fn search(&self, who: &AsHolder, patient: &Ins, search: &Search) -> Result<Held<Vec<Document>>, Error> {
        Ok(Held::record(patient.clone(), self.documents(who, patient, search).await?.0))
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

    /// All of it in memory, whatever `aside` says: a part ends where its boundary stands.
    async fn fetch(
        &self,
        who: &AsHolder,
        patient: &Ins,
        document: &Document,
        _aside: Option<&Path>,
    ) -> Result<Held<Content>, Error> {
        let (what, limit_bytes) = (RETRIEVE.what, DOCUMENT_BYTES_MAX);
        if document.attachment.size_bytes.is_some_and(|size| size > limit_bytes) {
            return Err(Error::TooLarge { limit_bytes });
        }
        let repository = entry::repository(document);
        let repository = repository.ok_or(Error::Unreadable { what, why: "it has no repository" })?;
        let body = retrieve::request(repository, &document.unique_id.0);
        // Inline base64 is a third longer.
        let limit = limit_bytes + limit_bytes / 2 + ANSWER_BYTES_MAX / 32;
        let (answer, id) =
            self.ask(who, &RETRIEVE, Some(patient), &body, limit).await.map_err(|error| match error {
                Error::TooLarge { .. } => Error::TooLarge { limit_bytes },
                other => other,
            })?;
        let bytes = {
            let message = message(&answer, what)?;
            let envelope = message.parse().map_err(|error| said(error, &answer, what))?;
            if !soap::is_answer_to(&envelope, id) {
                return Err(Error::Unreadable { what, why: OTHER_QUESTION });
            }
            let node = soap::body(&envelope).map_err(|error| said(error, &answer, what))?;
            let found = retrieve::read(node, &message.parts, &document.unique_id.0);
            found.map_err(|missing| match missing {
                retrieve::Missing::Unreadable(why) => Error::Unreadable { what, why },
                retrieve::Missing::Refused(remarks) => said::worst(remarks).error(),
            })?
        };
        if bytes.len() as u64 > limit_bytes {
            return Err(Error::TooLarge { limit_bytes });
        }
        let came = Spooled { sha1: content::sha1(&bytes), content: Content::new(bytes) };
        content::verify(&came, document)?;
        Ok(Held::document(patient.clone(), document.unique_id.clone(), came.content))
    }

    /// The DMP has no such question: a patient's own page shows it.
    async fn history(&self, _who: &AsHolder, _patient: &Ins, _since: UnixSeconds) -> Result<Held<Vec<Access>>, Error> {
        Err(Error::NotOffered { what: "the access history" })
    }

    async fn consent(&self, who: &AsHolder, consent: &Consent) -> Result<Outcome, Error> {
        let said = &consent.said;
        let Some(action) = habilitation::action(&said.scope, said.answer) else { return Ok(Outcome::Acknowledged) };
        let body = habilitation::set(action);
        let unreadable = Error::Unreadable { what: AUTHORIZE.what, why: "it is no setAuthorizationResponse" };
        let read = |node: Node<'_, '_>| habilitation::is_set(node).ok_or(unreadable);
        let asking = self.asked(who, &AUTHORIZE, Some(&said.patient), &body, read);
        match delivered(turns::at(Urgency::Consent, asking).await)? {
            Ok(Ok(())) => Ok(Outcome::Acknowledged),
            Ok(Err(remark)) => remark.outcome(),
            Err(outcome) => Ok(outcome),
        }
    }

    async fn contribute(&self, who: &AsHolder, contribution: &Contribution) -> Result<Outcome, Error> {
        match &contribution.deed {
            Deed::Change { change, .. } => self.change(who, contribution, *change).await,
            Deed::Add { note, cda } => self.deposit(who, contribution, note, cda).await,
        }
    }

    async fn traces(&self, who: AsDevice, traces: &[Trace]) -> Result<Vec<Outcome>, Error> {
        self.audit.traces(who, traces).await
    }

    async fn checkpoint(&self, who: AsDevice, checkpoint: &Checkpoint) -> Result<Outcome, Error> {
        self.audit.checkpoint(who, checkpoint).await
    }

    async fn newest_checkpoints(&self, who: AsDevice, device: &str) -> Result<Vec<String>, Error> {
        self.audit.newest_checkpoints(who, device).await
    }

    fn server_time(&self) -> Option<UnixSeconds> {
        self.link.server_time().or_else(|| self.audit.server_time())
    }

    fn hang_up(&self) {
        self.link.hang_up();
        self.audit.hang_up();
    }
}

/// What an answer holds: a fault is an error, and so is what is no envelope, or answers another question.
fn understood<T>(
    answer: &link::Answer,
    id: Uuid,
    transaction: &Transaction,
    read: impl FnOnce(Node<'_, '_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let message = message(answer, transaction.what)?;
    let document = message.parse().map_err(|error| said(error, answer, transaction.what))?;
    if !soap::is_answer_to(&document, id) {
        return Err(Error::Unreadable { what: transaction.what, why: OTHER_QUESTION });
    }
    read(soap::body(&document).map_err(|error| said(error, answer, transaction.what))?)
}

fn actor(who: &AsHolder) -> Result<&Actor, Error> {
    let why = "there is no card that speaks for them";
    who.actor.as_deref().ok_or(Error::Unsayable { why })
}

fn unsayable(lacks: Lacks) -> Error {
    let why = match lacks {
        Lacks::Profession => "they have no profession",
        Lacks::Situation => "their card does not say where they work",
        Lacks::Sector => "their card does not say in which sector they work",
    };
    Error::Unsayable { why }
}

fn message<'a>(answer: &'a link::Answer, what: &'static str) -> Result<Message<'a>, Error> {
    Message::read(&answer.content_type_said, &answer.body).map_err(|error| said(error, answer, what))
}

/// Why there is no answer: the fault, or else what HTTP says of it.
fn said(error: soap::Error, answer: &link::Answer, what: &'static str) -> Error {
    if let soap::Error::Fault(fault) = error {
        return Remark { code: fault.code, text: fault.reason }.error();
    }
    match answer.status {
        200..=299 => Error::Unreadable {
            what,
            why: match error {
                soap::Error::Multipart(_) => "its parts cannot be told apart",
                soap::Error::Xml(xml::Error::Dtd) => "it holds a document type",
                soap::Error::Xml(_) => "it is no XML that may be read",
                soap::Error::NotSoap | soap::Error::Fault(_) => "it is no SOAP envelope",
            },
        },
        status @ (401 | 403) => Error::HolderRefused { status },
        status => Error::Failed { status, retry_after_s: answer.retry_after_s },
    }
}

/// A fault about the patient's record is an outcome: waiting does not open it. One that nobody knows waits, as whatever else there is not is an error.
fn delivered<T>(answer: Result<T, Error>) -> Result<Result<T, Outcome>, Error> {
    match answer {
        Ok(read) => Ok(Ok(read)),
        Err(Error::Refused { code, about: About::Patient, text: Words(text) }) => {
            let reason = if text.is_empty() { "Le DMP a refusé cette demande.".to_owned() } else { text };
            Ok(Err(Outcome::Refused { code, reason }))
        }
        Err(error) => Err(error),
    }
}

impl std::fmt::Debug for Dmp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dmp")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_nobody_knows_sets_nothing_aside() {
        let fault =
            |about| delivered::<()>(Err(Error::Refused { code: "x".into(), about, text: Words("fermé".into()) }));
        let said = Outcome::Refused { code: "x".into(), reason: "fermé".into() };
        assert!(matches!(fault(About::Patient), Ok(Err(outcome)) if outcome == said), "in the DMP's own words");
        for about in [About::Other, About::Holder, About::Busy] {
            assert!(matches!(fault(about), Err(Error::Refused { .. })), "{about:?}");
        }
    }
}
