//! One row: who, for whom, what, why, when and how sure. Neutral: exported as ANS TdE or IHE BALP, it is neither.

use crate::identity::holder::HolderId;
use crate::identity::holder::ProfessionCode;
use crate::journal::words::Class;
use crate::journal::words::Ground;
use crate::journal::words::Mode;
use crate::journal::words::Regime;
use crate::journal::words::Source;
use crate::patient::ins::Ins;
use crate::record::document::TypeCode;
use crate::record::document::UniqueId;
use crate::time::Now;
use uuid::Uuid;

/// What the visit knows of an act. The author is fixed here, never at upload (P4).
#[derive(Clone, PartialEq, Eq)]
pub struct Draft {
    pub class: Class,
    pub holder: HolderId,
    pub profession: Option<ProfessionCode>,
    /// Index of the row that proves this holder's login; `None` only on that row itself.
    pub login: Option<u64>,
    /// Only on a login row.
    pub proof: Option<LoginProof>,
    /// Structure identifier of the chosen situation d'exercice.
    pub situation: Option<String>,
    pub patient: Option<Ins>,
    pub document: Option<(UniqueId, TypeCode)>,
    pub ground: Option<Ground>,
    pub mode: Mode,
    pub regime: Regime,
    /// The rule that decided, as `policy` names it.
    pub rule: String,
    pub matrix_version: String,
    /// Reason of a bris de glace, or the text shown for a consent.
    pub reason: Option<String>,
    /// A minor's secret connection (CSP R.1111-50): the legal representatives are not told.
    pub secret: bool,
    /// Reference of the establishment's signed framework, where a site has one for brain death (`policy`).
    pub framework: Option<String>,
    pub source: Source,
    pub at: Now,
}

impl Draft {
    /// A row of the device itself: it is the holder, for nobody was asked.
    pub(super) fn of_device(device: &str, rule: &str, reason: String, at: Now) -> Draft {
        Draft {
            class: Class::Maintenance,
            holder: HolderId(device.to_owned()),
            profession: None,
            login: None,
            proof: None,
            situation: None,
            patient: None,
            document: None,
            ground: None,
            mode: Mode::Normal,
            // No consent is in play; the stricter one claims nothing.
            regime: Regime::ConseilEtat2025,
            rule: rule.to_owned(),
            matrix_version: String::new(),
            reason: Some(reason),
            secret: false,
            framework: None,
            source: Source::Online,
            at,
        }
    }
}

/// Authorship: anybody can check it with what is in it alone.
#[derive(Clone, PartialEq, Eq)]
pub enum LoginProof {
    Card(CardProof),
    Phone(PhoneProof),
}

/// The card was there, and its PIN was typed.
#[derive(Clone, PartialEq, Eq)]
pub struct CardProof {
    /// DER of the authentication certificate.
    pub certificate: Vec<u8>,
    /// What `identity::statement::Statement::login` was made with.
    pub nonce: [u8; 32],
    /// RSASSA-PKCS1-v1_5 over SHA-256 of the statement.
    pub signature: Vec<u8>,
}

/// Pro Santé Connect says that the holder approved on their telephone. It attests the login alone: there is no card to
/// countersign what follows.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneProof {
    /// As it was signed. It holds no secret: it opens nothing once its login is over.
    pub id_token: String,
    /// The provider's public key that signed it, as JWK text.
    pub key: String,
}

/// A [`Draft`] with its place in the log and everything the device adds.
#[derive(Clone, PartialEq, Eq)]
pub struct Trace {
    /// Dense from 0, so that a gap shows.
    pub index: u64,
    /// UUIDv7, chosen at capture; the upstream knows the row by it.
    pub id: Uuid,
    /// Random, inside the canonical bytes: a leaf can never be guessed from what is known of a patient.
    pub blind: [u8; 32],
    pub boot: Uuid,
    pub device: String,
    pub software: String,
    pub draft: Draft,
}

impl std::fmt::Debug for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Draft({}, [REDACTED])", self.class.name())
    }
}

impl std::fmt::Debug for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Trace({}, {}, [REDACTED])", self.index, self.draft.class.name())
    }
}
