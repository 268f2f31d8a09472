//! What the gate holds: what was said and declared there, what is being asked of whom, and where it stands.

use crate::journal::consent::Quality;
use crate::journal::consent::Said;
use crate::journal::consent::Speaker;
use crate::journal::words::Ground;
use crate::journal::words::Mode;
use crate::patient::ins::Patient;
use crate::policy::Decision;
use crate::trouble::Trouble;
use crate::visit::event::Language;
use crate::visit::event::Listing;
use crate::visit::event::StateAnswer;
use crate::visit::event::Ticket;
use crate::visit::page::Colleague;
use crate::visit::page::Here;
use std::time::Duration;
use uuid::Uuid;

/// Identified; the lawful ground is being established.
pub struct Gate {
    pub here: Here,
    pub patient: Patient,
    pub so_far: SoFar,
    pub step: GateStep,
}

/// What was said and declared at this gate. It goes with the patient's pages: the next visit asks anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoFar {
    pub answered: Answered,
    /// Somebody answered for the patient.
    pub represented: bool,
    /// The holder's word on the event of care (R.1111-46).
    pub event: EventOfCare,
    /// Bris de glace, once its reason is given.
    pub emergency: Option<Emergency>,
    pub brain_death: bool,
    /// A minor's secret connection (R.1111-50).
    pub secret: bool,
    /// What brought the holder here: a refused note of theirs, to be written anew.
    pub correcting: Option<Uuid>,
}

/// What the patient, or who speaks for them, answered about *this* holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    NotAsked,
    /// To the question about access.
    Agreed,
    /// Was told of this event, and did not object.
    Informed,
    /// A no, an objection or a withdrawal.
    Refused,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventOfCare {
    /// Nothing said: a calendar day is one event.
    Unsaid,
    /// « Nouvel événement »: the patient is informed again.
    New,
    /// « Suite de la prise en charge ».
    Continued,
}

/// Why the glass is broken: the code of a reason of `policy::emergency`, and the holder's own words.
#[derive(Clone, PartialEq, Eq)]
pub struct Emergency {
    pub reason: &'static str,
    pub words: String,
}

/// What the patient's page asks, of whom, for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub about: About,
    pub by: Speaker,
    /// Asked for a colleague who is not here.
    pub colleague: Option<Colleague>,
    /// What a yes establishes.
    pub ground: Ground,
    pub language: Language,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum About {
    /// May they open the record?
    Access,
    /// They are about to open it, at this event.
    Event,
    /// The patient takes their consent back.
    Withdrawal,
}

/// What is not the ordinary way, in the order in which the page offers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Situation {
    Emergency,
    Representative,
    Colleague,
    NewEvent,
    Withdrawal,
    Secret,
    BrainDeath,
}

/// What is typed at the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typed {
    /// The representative's name.
    Representative(Quality),
    /// A colleague's RPPS number.
    Colleague,
    /// Words beside the reason of a bris de glace; may stay empty.
    Emergency(&'static str),
}

pub enum GateStep {
    AskingState {
        ticket: Ticket,
        until: Duration,
    },
    /// The five traits and the ground that stands, or what must be asked.
    Standing {
        answer: StateAnswer,
        decision: Box<Decision>,
        ground: Option<Ground>,
        /// What has just been done for somebody else, in words of the page.
        done: Option<Done>,
    },
    /// « Autre situation ».
    Situations {
        answer: StateAnswer,
    },
    ChoosingQuality {
        answer: StateAnswer,
    },
    ChoosingColleague {
        answer: StateAnswer,
    },
    ChoosingReason {
        answer: StateAnswer,
    },
    Typing {
        answer: StateAnswer,
        what: Typed,
        /// What was typed last was not understood.
        wrong: bool,
    },
    /// The screen is turned to the patient.
    AskingPatient {
        answer: StateAnswer,
        question: Question,
    },
    /// They wish to sign their yes.
    Signing {
        answer: StateAnswer,
        question: Question,
    },
    /// The answer is being written down.
    RecordingAnswer {
        ticket: Ticket,
        answer: StateAnswer,
        question: Question,
        agreed: bool,
        said: Vec<Said>,
        until: Duration,
    },
    /// The glass is being broken: its own row comes before anything is asked for.
    RecordingEmergency {
        ticket: Ticket,
        answer: StateAnswer,
        until: Duration,
    },
    /// Consents go out before anything is asked.
    Delivering {
        ticket: Ticket,
        answer: StateAnswer,
        ground: Ground,
        until: Duration,
    },
    /// The list is on its way; then its trace is written.
    Listing {
        ticket: Ticket,
        answer: StateAnswer,
        ground: Ground,
        until: Duration,
    },
    RecordingList {
        ticket: Ticket,
        answer: StateAnswer,
        ground: Ground,
        listing: Box<Listing>,
        until: Duration,
    },
    /// No; the decision says why. The page offers "Pourquoi ?".
    Denied {
        decision: Decision,
    },
    Failed {
        trouble: Trouble,
    },
}

/// An answer that was collected for a colleague.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    pub colleague: Colleague,
    pub agreed: bool,
}

impl SoFar {
    /// Nobody has said anything yet.
    pub fn nothing() -> SoFar {
        SoFar {
            answered: Answered::NotAsked,
            represented: false,
            event: EventOfCare::Unsaid,
            emergency: None,
            brain_death: false,
            secret: false,
            correcting: None,
        }
    }

    pub fn mode(&self) -> Mode {
        if self.emergency.is_some() { Mode::BrisDeGlace } else { Mode::Normal }
    }
}

impl Emergency {
    /// As `policy` reads it and a trace keeps it.
    pub fn as_given(&self) -> String {
        if self.words.is_empty() { self.reason.to_owned() } else { format!("{}: {}", self.reason, self.words) }
    }
}

/// The words may name people.
impl std::fmt::Debug for Emergency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Emergency({}, [REDACTED])", self.reason)
    }
}
