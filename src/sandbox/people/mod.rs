//! Invented people and their records, made by code from a seed and relative to a day: the same every time.
//!
//! Matricules are of the test OID (1.2.250.1.213.1.4.10) and of a birthplace that does not exist (99 999), so that
//! none can be anybody's; professionals other than the drawer's cards have no identifier at all. Nothing here was
//! copied from a record: `prose` was written for this program.
//!
//! - `cast` who there is, and which case each of them stands for
//! - `catalogue` types of documents, and which story tells each
//! - `prose` the stories · `story` what a story is made of
//! - `cda`, `pdf`, `text` a story as bytes · `broken` bytes that should not be believed

mod authors;
pub mod broken;
mod cast;
mod catalogue;
mod cda;
mod chance;
pub mod pdf;
mod prose;
mod story;
mod text;

pub use cast::round_for;

use crate::patient::ins::Patient;
use crate::time::UnixSeconds;
use std::sync::Arc;

/// The drawer's nurse, whom the cases below are about.
pub const NURSE: &str = "899700101340";
/// The drawer's doctor: "médecin traitant" of some.
pub const DOCTOR: &str = "899700201470";
pub const PHYSIOTHERAPIST: &str = "899700401682";

/// Everybody, as [`People::generate`] made them.
#[derive(Clone)]
pub struct People {
    pub persons: Vec<Person>,
    /// The day that every date is relative to, at midnight UTC.
    pub today: UnixSeconds,
}

/// One patient, and what the shared record says of them.
#[derive(Clone)]
pub struct Person {
    pub patient: Patient,
    /// What this person is there to show, in French, for a list.
    pub about: &'static str,
    pub case: Case,
    pub record: Record,
    pub minor: bool,
    /// May the SAMU, other professionals, masked documents be reached in an emergency?
    pub emergency: Emergency,
    pub standing: Vec<Standing>,
    /// The care team that the DMP knows.
    pub care_team: Option<CareTeam>,
    /// The holder who is their "médecin traitant".
    pub attending: Option<&'static str>,
    /// Newest last.
    pub papers: Vec<Paper>,
}

/// A team to which the patient agreed before, somewhere else.
#[derive(Clone)]
pub struct CareTeam {
    pub name: &'static str,
    pub members: &'static [&'static str],
    /// When the patient agreed.
    pub agreed: UnixSeconds,
}

/// Which case a patient stands for: tests ask by it, never by a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// The nurse's authorization is valid, a few dozen documents.
    Authorized,
    /// No authorization yet: consent is given at the gate.
    Unasked(u8),
    Thousand,
    Closed,
    NeverCreated,
    BlockedNurse,
    /// Masked and invisible documents; the nurse's authorization is valid.
    Labelled,
    Minor,
    /// The nurse's authorization has expired.
    Expired,
    /// The patient refused the nurse.
    Forbidden,
    /// Documents that should not be believed; the nurse's authorization is valid.
    Broken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record {
    NeverCreated,
    Open,
    /// At the patient's request, that many days before today.
    Closed {
        days_ago: u16,
    },
}

/// The patient's three emergency switches; `true` allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Emergency {
    pub samu: bool,
    pub other_professionals: bool,
    pub masked_documents: bool,
}

/// What stands for one holder before anybody says anything more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Valid(&'static str),
    Expired(&'static str),
    Forbidden(&'static str),
    Blocked(&'static str),
}

/// One document: metadata and bytes.
#[derive(Clone)]
pub struct Paper {
    /// Of this program's root below the test OID, without prefix.
    pub unique_id: String,
    pub entry_id: String,
    pub logical_id: String,
    pub type_code: &'static str,
    pub type_label: &'static str,
    pub class_code: &'static str,
    pub format_code: &'static str,
    pub title: String,
    pub author: Author,
    pub labels: Vec<&'static str>,
    pub status: PaperStatus,
    pub created: UnixSeconds,
    pub service_start: UnixSeconds,
    pub mime: &'static str,
    pub content: Content,
    /// What the metadata says of size and hash; the truth unless the document is there to lie.
    pub claimed_size: u64,
    pub claimed_sha1: Option<[u8; 20]>,
}

#[derive(Clone)]
pub enum Content {
    Bytes(Arc<[u8]>),
    /// That many zeros, streamed and never stored.
    Zeros(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaperStatus {
    Current,
    Archived,
    Superseded,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// Only the drawer's holders have one.
    pub id: Option<String>,
    pub name: String,
    pub structure: Option<String>,
    /// The patient is the author.
    pub is_patient: bool,
}

impl People {
    /// The same seed and day give the same bytes.
    pub fn generate(seed: u64, today: UnixSeconds) -> People {
        let midnight = UnixSeconds(today.0 - today.0.rem_euclid(86_400));
        People { persons: cast::persons(seed, midnight), today: midnight }
    }

    /// The person who stands for a case.
    pub fn of(&self, case: Case) -> Option<&Person> {
        self.persons.iter().find(|person| person.case == case)
    }

    /// By `matricule^oid`, as [`crate::patient::ins::Ins::key`] writes it.
    pub fn by_key(&self, key: &str) -> Option<&Person> {
        self.persons.iter().find(|person| person.patient.ins.key() == key)
    }
}

fn sha1(bytes: &[u8]) -> [u8; 20] {
    let mut hash = [0; 20];
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
    hash.copy_from_slice(digest.as_ref());
    hash
}

impl std::fmt::Debug for People {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "People({} persons)", self.persons.len())
    }
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Person({:?}, {} papers)", self.case, self.papers.len())
    }
}
