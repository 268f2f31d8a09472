//! What `decide` answers. It lies where it is made: deciding asks the allocator for nothing on the ordinary way.

use crate::journal::words::Class;
use crate::record::document::Label;
use crate::time::UnixSeconds;
use arrayvec::ArrayString;
use arrayvec::ArrayVec;
use std::fmt;

/// Allow or deny, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub allow: bool,
    pub rule: Rule,
    /// Name and value of each fact that the rule looked at, for the log of reasons and "Pourquoi ?".
    pub facts: Told,
    pub obligations: Owed,
}

/// Facts by name.
pub type Told = ArrayVec<(&'static str, Value), TOLD_MAX>;
/// More than any rule looks at; a test counts them.
pub const TOLD_MAX: usize = 6;

/// What an act owes, in the order in which it is owed.
pub type Owed = ArrayVec<Obligation, OWED_MAX>;
/// Every obligation of an allowed act at once.
pub const OWED_MAX: usize = 6;

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

/// One fact's value, written out only when somebody reads it (`Display`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Word(&'static str),
    Code(u16),
    Flag(bool),
    Time(UnixSeconds),
    /// A set of known labels: one bit each, in the order of [`KNOWN_LABELS`].
    Labels(u8),
    /// A code or a version.
    Short(ArrayString<SHORT_MAX>),
    /// What is longer, and labels that are not known.
    Long(Box<str>),
}

/// Types and versions of the national lists fit; the longest has sixteen letters.
const SHORT_MAX: usize = 16;

const KNOWN_LABELS: [Label; 6] = [
    Label::Normal,
    Label::Restricted,
    Label::VeryRestricted,
    Label::InvisibleToPatient,
    Label::InvisibleToLegalRepresentatives,
    Label::MaskedToProfessionals,
];

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
    /// A minor's secret connection: its trace says so, and their legal representatives are told nothing (R.1111-50).
    KeepFromLegalRepresentatives,
    /// Whoever deposits tells the patient, each time.
    InformOfDeposit,
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
            Obligation::KeepFromLegalRepresentatives => "keep_from_legal_representatives".into(),
            Obligation::InformOfDeposit => "inform_of_deposit".into(),
            Obligation::TraceAs(class) => format!("trace_as_{}", class.name()),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        ArrayString::from(text).map_or_else(|_| Value::Long(text.into()), Value::Short)
    }
}

impl From<&[Label]> for Value {
    fn from(labels: &[Label]) -> Value {
        let mut set = 0;
        for label in labels {
            let Some(at) = KNOWN_LABELS.iter().position(|known| known == label) else {
                return Value::Long(labels.iter().map(Label::code).collect::<Vec<_>>().join("+").into());
            };
            set |= 1 << at;
        }
        Value::Labels(set)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Word(word) => f.write_str(word),
            Value::Code(code) => write!(f, "{code}"),
            Value::Flag(flag) => write!(f, "{flag}"),
            Value::Time(at) => f.write_str(&at.rfc3339()),
            Value::Short(text) => f.write_str(text),
            Value::Long(text) => f.write_str(text),
            Value::Labels(set) => {
                let mut plus = "";
                for (_, label) in KNOWN_LABELS.iter().enumerate().filter(|(at, _)| set & (1 << at) != 0) {
                    write!(f, "{plus}{}", label.code())?;
                    plus = "+";
                }
                Ok(())
            }
        }
    }
}
