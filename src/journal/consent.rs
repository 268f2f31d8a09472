//! What a patient said, to whom, about what, and which text was before their eyes.

use crate::identity::holder::HolderId;
use crate::journal::words::Ground;
use crate::journal::words::Regime;
use crate::patient::ins::Ins;
use crate::time::Now;
use uuid::Uuid;

/// A consent, a refusal or a withdrawal. Append-only: a later one answers an earlier one, and refusal wins.
#[derive(Clone, PartialEq, Eq)]
pub struct Consent {
    /// UUIDv7, chosen by the vault at capture; the FHIR `Consent.identifier`.
    pub id: Uuid,
    pub said: Said,
}

/// What was said, as the visit knows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Said {
    pub patient: Ins,
    /// Who asked.
    pub holder: HolderId,
    /// Who took the answer down, when it was a colleague (L.1111-17 II).
    pub collected_by: HolderId,
    pub scope: Scope,
    pub answer: Answer,
    pub ground: Ground,
    pub regime: Regime,
    pub shown: Shown,
    pub by: Speaker,
    pub at: Now,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The care team as a whole: the initial consent. The list's identifier from the settings, or the CareTeam's.
    Team(String),
    /// This holder, this time.
    HolderOnce,
    /// This holder's authorization upstream (TD0.3).
    Authorization,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Yes,
    No,
    Withdrawn,
}

/// Who spoke for the patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Speaker {
    Patient,
    /// Legal representative of a minor or guardian of a protected adult, in their own words.
    Representative(String),
}

/// The text that was displayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// For example `AC-3`.
    pub text: String,
    pub version: u32,
    /// BCP 47, `fr-FR`, `en`, or `fr-FR-x-falc` for easy-to-read French.
    pub language: String,
}

impl std::fmt::Debug for Consent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Consent({:?}, [REDACTED])", self.said.answer)
    }
}

impl std::fmt::Debug for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Said({:?}, [REDACTED])", self.answer)
    }
}
