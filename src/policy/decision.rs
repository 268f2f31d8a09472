//! What `decide` answers.

use crate::journal::words::Class;

/// Allow or deny, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub allow: bool,
    pub rule: Rule,
    /// Name and value of each fact that the rule looked at, for the log of reasons and "Pourquoi ?".
    pub facts: Vec<(&'static str, String)>,
    pub obligations: Vec<Obligation>,
}

/// One rule: its id, its source in law, its sentence. Constants of `rules`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rule {
    /// For example `M-02`; stable, it enters every trace.
    pub id: &'static str,
    /// Article, clause or, where it is so, our own precaution.
    pub law: &'static str,
    /// French, one sentence, for the screen.
    pub sentence: &'static str,
}

/// What an allowed act still owes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Obligation {
    RecordInitialConsent,
    InformAtThisEvent,
    AskExplicitConsent,
    GiveReason,
    ShowEmergencyBanner,
    WarnInvisibleToPatient,
    WarnInvisibleToLegalRepresentatives,
    TraceAs(Class),
}

impl Obligation {
    /// As `chevet policy explain` prints it.
    pub fn name(self) -> String {
        match self {
            Obligation::RecordInitialConsent => "record_initial_consent".into(),
            Obligation::InformAtThisEvent => "inform_at_this_event".into(),
            Obligation::AskExplicitConsent => "ask_explicit_consent".into(),
            Obligation::GiveReason => "give_reason".into(),
            Obligation::ShowEmergencyBanner => "show_emergency_banner".into(),
            Obligation::WarnInvisibleToPatient => "warn_invisible_to_patient".into(),
            Obligation::WarnInvisibleToLegalRepresentatives => "warn_invisible_to_legal_representatives".into(),
            Obligation::TraceAs(class) => format!("trace_as_{}", class.name()),
        }
    }
}
