//! The state of a record and of this holder's authorization, as the upstream says it (TD0.2).

use crate::time::UnixSeconds;

/// What the upstream answered about one record, for one holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordState {
    pub existence: Existence,
    pub authorization: Authorization,
    /// The patient blocked this professional: "with or without authorization".
    pub blocked: bool,
    /// `None`: the upstream did not say.
    pub emergency: Option<EmergencySwitches>,
    pub minor: Option<bool>,
    /// This holder is the patient's "médecin traitant DMP".
    pub attending_doctor: bool,
    /// This holder is a professional whom the patient named administrator.
    pub administrator: bool,
    /// The upstream's care team (FHIR CareTeam) that lists this holder, by its name.
    pub care_team: Option<String>,
    /// What was said upstream about whole care teams: the newest word about each.
    pub team_words: Vec<TeamWord>,
}

/// A patient's word about a care team, as the upstream keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamWord {
    pub team: String,
    pub agreed: bool,
    /// `None`: it cannot be read. A no stands without it, a yes does not.
    pub at: Option<UnixSeconds>,
    /// An agreement's end.
    pub until: Option<UnixSeconds>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Existence {
    /// No record under this INS. What that means (opposed, or not yet made) is not told to professionals.
    NeverCreated,
    Open,
    Closed {
        reason: ClosureReason,
        on: Option<UnixSeconds>,
    },
    /// An answer we could not read: denied (P5).
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClosureReason {
    /// The patient asked for it.
    Patient,
    Deceased,
    Other,
}

/// TD0.2's authorization status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authorization {
    /// VALIDE
    Valid { until: Option<UnixSeconds> },
    /// NON_EXISTE
    None,
    /// EXPIRE
    Expired,
    /// INTERDIT
    Forbidden,
    /// Not said, or not understood: never taken as valid.
    Unknown,
}

/// The three switches of Mon espace santé; `true` means that the patient allows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmergencySwitches {
    pub samu: bool,
    pub other_professionals: bool,
    pub masked_documents: bool,
}

/// One line of the patient's access history (ITI-81), newest first.
#[derive(Clone, PartialEq, Eq)]
pub struct Access {
    pub at: UnixSeconds,
    pub author: String,
    pub action: String,
    pub context: String,
    /// Recorded here and not yet known upstream.
    pub unsent: bool,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Access([REDACTED])")
    }
}
