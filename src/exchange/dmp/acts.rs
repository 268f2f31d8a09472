//! What an author does to a record: TD2.1, and TD3.3 later; and the hand that signs for them.

use crate::exchange::dmp::ANSWER_BYTES_MAX;
use crate::exchange::dmp::DEPOSIT;
use crate::exchange::dmp::Dmp;
use crate::exchange::dmp::IN_PART;
use crate::exchange::dmp::QUERY;
use crate::exchange::dmp::UPDATE;
use crate::exchange::dmp::actor;
use crate::exchange::dmp::delivered;
use crate::exchange::dmp::deposit;
use crate::exchange::dmp::deposit::Deposit;
use crate::exchange::dmp::ebrim::Element;
use crate::exchange::dmp::entry;
use crate::exchange::dmp::names;
use crate::exchange::dmp::pen::Pen;
use crate::exchange::dmp::query;
use crate::exchange::dmp::query::Returns;
use crate::exchange::dmp::said;
use crate::exchange::dmp::signature;
use crate::exchange::dmp::signature::NotSignable;
use crate::exchange::dmp::signature::Unsigned;
use crate::exchange::dmp::understood;
use crate::exchange::dmp::update;
use crate::exchange::dmp::update::Submission;
use crate::exchange::upstream::AsHolder;
use crate::exchange::upstream::Error;
use crate::exchange::upstream::Outcome;
use crate::identity::certificate::Certificate;
use crate::identity::certificate::KeyUse;
use crate::journal::item::Contribution;
use crate::link::error::Cause;
use crate::record::document::Status;
use crate::record::document::UniqueId;
use crate::record::note;
use crate::record::note::Change;
use crate::record::note::Note;
use crate::record::note::Writer;
use crate::record::note::cda;
use roxmltree::Node;
use std::sync::Arc;
use uuid::Uuid;

impl Dmp {
    /// The hand that signs documents for this holder now. No certificate of another is taken for theirs.
    pub(super) async fn hand(&self, who: &AsHolder) -> Result<Hand, Error> {
        let pen = self.pens.present().ok_or(Error::Unsayable { why: "there is no card that signs for them" })?;
        let der = pen.certificate().await.map_err(of_pen)?;
        let other = Error::Unsayable { why: "what signs is not their card's signature key" };
        match Certificate::parse(&der) {
            Ok(certificate) if certificate.key_use() == KeyUse::Signature && certificate.holder().id == who.holder => {
                Ok(Hand { subject: certificate.distinguished_name().to_owned(), certificate, pen })
            }
            _ => Err(other),
        }
    }

    /// TD2.1: the note and what signs it; instead of the version that it replaces (b). What is there already is not sent again.
    pub(super) async fn deposit(
        &self,
        who: &AsHolder,
        contribution: &Contribution,
        note: &Note,
        content: &[u8],
    ) -> Result<Outcome, Error> {
        let patient = &contribution.patient;
        let replaced = match &note.replaces {
            Some(replaced) => match self.replaced(who, contribution, &replaced.unique_id, content).await? {
                Stands::Entry(id) => Some(id),
                Stands::Ours => return Ok(Outcome::Acknowledged),
                Stands::Nothing => {
                    let reason = "Le document à remplacer n’est plus dans le DMP du patient.".to_owned();
                    return Ok(Outcome::Refused { code: "XDSReplaceFailed".to_owned(), reason });
                }
            },
            None => None,
        };
        let hand = self.hand(who).await?;
        let (cx, at) = (self.patient(patient), self.now());
        let (set, signed_as) = (note::unique_id(Uuid::now_v7()).0, note::unique_id(Uuid::now_v7()).0);
        let documents = [(contribution.unique_id.0.as_str(), content)];
        let submitted = signature::Submitted { set: &set, documents: &documents, at };
        let hash = self.settings.sign_deposits;
        let unsigned = signature::submission(&submitted, &hand.certificate, hash).map_err(not_signable)?;
        let signature = hand.sign(unsigned).await?.into_bytes();
        let submission =
            Submission { writer: &note.writer, patient: &cx, source: &self.settings.oid, unique_id: &set, at };
        let body = deposit::request(&Deposit {
            submission,
            note,
            content,
            signature: (&signed_as, &signature),
            replaced: replaced.as_deref(),
        });
        let beside =
            [(deposit::CONTENT_PART, cda::MIME, content), (deposit::SIGNATURE_PART, cda::MIME, signature.as_slice())];
        let asked = self.ask_with(who, &DEPOSIT, Some(patient), &body, &beside, ANSWER_BYTES_MAX).await;
        let answer = asked.and_then(|(answer, id)| {
            let unreadable = Error::Unreadable { what: DEPOSIT.what, why: "it is no RegistryResponse" };
            understood(&answer, id, &DEPOSIT, |node| query::read(node).ok_or(unreadable))
        });
        match delivered(answer)? {
            Err(outcome) => Ok(outcome),
            Ok(query::Answer { status: query::Outcome::Success, .. }) => Ok(Outcome::Acknowledged),
            Ok(query::Answer { remarks, .. }) => {
                let remark = said::worst(remarks);
                // An answer may have been lost: then it is ours that is there.
                if remark.code == DUPLICATE && self.is_there(who, contribution, content).await? {
                    return Ok(Outcome::Acknowledged);
                }
                remark.outcome()
            }
        }
    }

    /// What stands of the document that is to be replaced, and whether ours came in its place before.
    async fn replaced(
        &self,
        who: &AsHolder,
        contribution: &Contribution,
        old: &UniqueId,
        content: &[u8],
    ) -> Result<Stands, Error> {
        let both = [contribution.unique_id.0.as_str(), old.0.trim_start_matches("urn:oid:")];
        let asked = query::by_unique_id(&both, Returns::LeafClass);
        let query::Answer { objects, is_whole, .. } = self.query(who, &contribution.patient, &asked).await?;
        let of = |id: &str| {
            let own = id.to_owned();
            let is_it = move |one: &&Element| {
                one.external(names::entry::UNIQUE_ID).is_some_and(|found| found.trim_start_matches("urn:oid:") == own)
            };
            objects.iter().filter(|one| one.name == "ExtrinsicObject").filter(is_it)
        };
        if of(both[0]).any(|one| deposit::is_of(one, content)) {
            return Ok(Stands::Ours);
        }
        let stands = |one: &&Element| {
            matches!(entry::read_status(one.attribute("status").unwrap_or("")), Status::Current | Status::Archived)
        };
        match of(both[1]).find(stands).and_then(|one| one.attribute("id")) {
            Some(id) => Ok(Stands::Entry(id.to_owned())),
            None if is_whole => Ok(Stands::Nothing),
            None => Err(Error::Unreadable { what: QUERY.what, why: IN_PART }),
        }
    }

    async fn is_there(&self, who: &AsHolder, contribution: &Contribution, content: &[u8]) -> Result<bool, Error> {
        let asked = query::by_unique_id(&[&contribution.unique_id.0], Returns::LeafClass);
        let found = self.query(who, &contribution.patient, &asked).await?;
        let mut entries = found.objects.iter().filter(|one| one.name == "ExtrinsicObject");
        Ok(entries.any(|one| deposit::is_of(one, content)))
    }

    /// TD3.3: the entry as it stands now, then what is to become of it.
    pub(super) async fn change(
        &self,
        who: &AsHolder,
        contribution: &Contribution,
        change: Change,
    ) -> Result<Outcome, Error> {
        let UniqueId(id) = &contribution.unique_id;
        let patient = &contribution.patient;
        let asked = query::by_unique_id(&[id], Returns::LeafClass);
        let query::Answer { objects, is_whole, .. } = self.query(who, patient, &asked).await?;
        let entries = objects.iter().filter(|one| one.name == "ExtrinsicObject");
        // Only the one that stands may be changed: older versions come along.
        let status = |one: &Element| entry::read_status(one.attribute("status").unwrap_or(""));
        let Some(object) = entries.clone().find(|one| matches!(status(one), Status::Current | Status::Archived)) else {
            if change == Change::Withdraw && entries.clone().any(|one| status(one) == Status::Deleted) {
                return Ok(Outcome::Acknowledged);
            }
            if !is_whole {
                return Err(Error::Unreadable { what: QUERY.what, why: IN_PART });
            }
            let reason = "Ce document n’est pas dans le DMP du patient.".to_owned();
            return Ok(Outcome::Refused { code: "XDSDocumentUniqueIdError".to_owned(), reason });
        };
        let (cx, set) = (self.patient(patient), note::unique_id(Uuid::now_v7()));
        let actor = actor(who)?;
        let submission = Submission {
            writer: &Writer::of(&actor.holder, &actor.profession_label),
            patient: &cx,
            source: &self.settings.oid,
            unique_id: &set.0,
            at: self.now(),
        };
        // It is so already: sending twice is harmless.
        let Some(body) = update::request(&submission, object, change) else { return Ok(Outcome::Acknowledged) };
        let unreadable = Error::Unreadable { what: UPDATE.what, why: "it is no RegistryResponse" };
        let read = |node: Node<'_, '_>| query::read(node).ok_or(unreadable);
        let answer = delivered(self.asked(who, &UPDATE, Some(patient), &body, read).await)?;
        match answer {
            Err(outcome) => Ok(outcome),
            Ok(query::Answer { status: query::Outcome::Success, .. }) => Ok(Outcome::Acknowledged),
            Ok(query::Answer { remarks, .. }) => said::worst(remarks).outcome(),
        }
    }
}

/// Whose signature it is, and who makes it.
pub(super) struct Hand {
    pub(super) certificate: Certificate,
    /// RFC 2253
    pub(super) subject: String,
    pen: Arc<dyn Pen>,
}

/// What there is of a document that is to be replaced.
enum Stands {
    Entry(String),
    /// It has been replaced by this one.
    Ours,
    Nothing,
}

impl Hand {
    pub(super) async fn sign(&self, unsigned: Unsigned) -> Result<String, Error> {
        let info = unsigned.statement().map_err(not_signable)?;
        Ok(unsigned.finish(&self.pen.sign(info).await.map_err(of_pen)?))
    }
}

/// What the card says instead of signing.
fn of_pen(source: Cause) -> Error {
    Error::HolderKey { source }
}

pub(super) fn not_signable(_: NotSignable) -> Error {
    Error::Unsayable { why: "what is to be signed has no canonical form" }
}

/// IHE ITI TF Vol 3 table 4.2.4.1-2.
const DUPLICATE: &str = "XDSDuplicateUniqueIdInRegistry";
