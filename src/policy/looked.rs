//! The facts by name: what a rule says it looked at, for the log of reasons and « Pourquoi ? ».
//!
//! A name is stable: it is printed by `chevet policy explain` and read by whoever checks a decision. No value here tells
//! who the patient is: a decision may be shown, printed and traced.

use crate::policy::decision::Told;
use crate::policy::decision::Value;
use crate::policy::facts::Ask;
use crate::policy::facts::Cell;
use crate::policy::facts::Facts;
use crate::policy::facts::Known;
use crate::policy::facts::ProfessionKind;
use crate::record::document::Status;
use crate::record::state::Authorization;
use crate::record::state::ClosureReason;
use crate::record::state::Existence;

/// One fact that a rule reads.
#[derive(Debug, Clone, Copy)]
pub struct Looked {
    pub name: &'static str,
    /// Tells it, where it will lie.
    pub tell: fn(&Facts, &mut Told),
}

macro_rules! looked {
    ($name:literal, $value:expr) => {
        Looked {
            name: $name,
            tell: |facts, told| {
                let value: fn(&Facts) -> Value = $value;
                told.push(($name, value(facts)));
            },
        }
    };
}

const UNKNOWN: &str = "unknown";
const NOT_GIVEN: &str = "none";
const NONE: Value = Value::Word(NOT_GIVEN);

pub const ASK: Looked = looked!("ask", |f| Value::Word(f.ask.name()));
pub const CARD_KIND: Looked = looked!("card_kind", |f| Value::Word(f.holder.card_kind.name()));
pub const PROFESSION: Looked = looked!("profession", |f| f.holder.profession.map_or(NONE, |code| Value::Code(code.0)));
pub const KIND: Looked = looked!("profession_kind", |f| Value::Word(f.holder.kind.name()));
pub const IN_TRAINING: Looked = looked!("in_training", |f| Value::Flag(f.holder.in_training));
pub const EXISTENCE: Looked = looked!("record", |f| Value::Word(existence(&f.record.existence)));
pub const AUTHORIZATION: Looked = looked!("authorization", |f| Value::Word(authorization(f.record.authorization)));
pub const AUTHORIZED_UNTIL: Looked = looked!("authorized_until", |f| match f.record.authorization {
    Authorization::Valid { until: Some(end) } => Value::Time(end),
    _ => NONE,
});
pub const BLOCKED: Looked = looked!("blocked", |f| Value::Flag(f.record.blocked));
pub const ATTENDING: Looked = looked!("attending_doctor", |f| Value::Flag(f.record.attending_doctor));
pub const ADMINISTRATOR: Looked = looked!("administrator", |f| Value::Flag(f.record.administrator));
pub const MINOR: Looked = looked!("minor", |f| f.record.minor.map_or(Value::Word(UNKNOWN), Value::Flag));
pub const EMERGENCY_OTHERS: Looked = looked!("emergency_allowed", |f| f
    .record
    .emergency
    .map_or(Value::Word(UNKNOWN), |switches| Value::Flag(switches.other_professionals)));
pub const EMERGENCY_MASKED: Looked = looked!("emergency_masked_allowed", |f| f
    .record
    .emergency
    .map_or(Value::Word(UNKNOWN), |switches| Value::Flag(switches.masked_documents)));
pub const INS: Looked = looked!("ins_qualified", |f| Value::Word(f.ins_qualified.name()));
pub const SECRET: Looked = looked!("secret_connection", |f| Value::Flag(f.secret_connection));
pub const INITIAL: Looked = looked!("initial_team", |f| Value::Word(f.consent.initial_team.name()));
pub const INFORMED: Looked = looked!("informed_at_event", |f| Value::Word(f.consent.informed_at_event.name()));
pub const EXPLICIT: Looked = looked!("explicit", |f| Value::Word(f.consent.explicit.name()));
pub const REFUSED: Looked = looked!("refused", |f| Value::Word(f.consent.refused.name()));
pub const IN_TEAM: Looked = looked!("in_team", |f| Value::Word(f.consent.in_team.name()));
pub const GIVEN_AT: Looked = looked!("given_at", |f| f.consent.given_at.map_or(NONE, Value::Time));
pub const REPRESENTATIVE: Looked = looked!("by_representative", |f| Value::Word(f.consent.by_representative.name()));
pub const MODE: Looked = looked!("mode", |f| Value::Word(f.mode.name()));
pub const GROUND: Looked = looked!("ground", |f| f.ground.map_or(NONE, |ground| Value::Word(ground.name())));
/// Whether one was given; its free text may name people and stays in its own row.
pub const REASON: Looked = looked!("emergency_reason", |f| {
    let code = f.emergency_reason.as_deref().and_then(crate::policy::emergency::reason);
    code.map_or(NONE, |reason| Value::Word(reason.code))
});
pub const TYPE: Looked = looked!("type", |f| f.document.as_ref().map_or(NONE, |d| d.type_code.0.as_str().into()));
pub const CELL: Looked = looked!("cell", |f| f.document.as_ref().map_or(NONE, |d| Value::Word(d.cell.name())));
pub const LABELS: Looked = looked!("labels", |f| f.document.as_ref().map_or(NONE, |d| d.labels.as_slice().into()));
pub const STATUS: Looked = looked!("status", |f| f.document.as_ref().map_or(NONE, |d| Value::Word(status(d.status))));
pub const OWN: Looked =
    looked!("by_this_holder", |f| f.document.as_ref().map_or(NONE, |d| Value::Word(d.by_this_holder.name())));
pub const BRAIN_DEATH: Looked = looked!("brain_death", |f| Value::Flag(f.site.brain_death));
pub const FRAMEWORK: Looked = looked!("brain_death_framework", |f| f
    .site
    .brain_death_framework
    .as_ref()
    .map_or(NONE, |framework| framework.reference().into()));
pub const MATRIX: Looked = looked!("matrix_version", |f| f.matrix_version.as_str().into());
pub const REGIME: Looked = looked!("regime", |f| Value::Word(f.regime.name()));
pub const TIME: Looked = looked!("time", |f| Value::Time(f.time.value()));
pub const TIME_TRUST: Looked =
    looked!("time_trust", |f| Value::Word(if f.time.is_trusted() { "is" } else { "at_least" }));

/// The record's state, as [`EXISTENCE`] prints it.
pub fn existence(existence: &Existence) -> &'static str {
    match existence {
        Existence::NeverCreated => "never_created",
        Existence::Open => "open",
        Existence::Closed { reason: ClosureReason::Patient, .. } => "closed_by_patient",
        Existence::Closed { reason: ClosureReason::Deceased, .. } => "closed_deceased",
        Existence::Closed { reason: ClosureReason::Other, .. } => "closed",
        Existence::Unknown => UNKNOWN,
    }
}

/// TD0.2's status, as [`AUTHORIZATION`] prints it.
pub fn authorization(authorization: Authorization) -> &'static str {
    match authorization {
        Authorization::Valid { .. } => "valid",
        Authorization::None => NOT_GIVEN,
        Authorization::Expired => "expired",
        Authorization::Forbidden => "forbidden",
        Authorization::Unknown => UNKNOWN,
    }
}

/// A document's status, as [`STATUS`] prints it.
pub fn status(status: Status) -> &'static str {
    match status {
        Status::Current => "current",
        Status::Archived => "archived",
        Status::Superseded => "superseded",
        Status::Deleted => "deleted",
        Status::Unknown => UNKNOWN,
    }
}

impl Ask {
    /// As a decision prints it.
    pub fn name(self) -> &'static str {
        match self {
            Ask::OpenRecord => "open_record",
            Ask::SeeDocument => "see_document",
            Ask::PrefetchDocument => "prefetch_document",
            Ask::Deposit => "deposit",
        }
    }
}

impl Known {
    /// As a decision prints it.
    pub fn name(self) -> &'static str {
        match self {
            Known::Yes => "yes",
            Known::No => "no",
            Known::Unknown => UNKNOWN,
        }
    }
}

impl Cell {
    /// As a decision prints it.
    pub fn name(self) -> &'static str {
        match self {
            Cell::Yes => "yes",
            Cell::No => "no",
            Cell::Unknown => UNKNOWN,
        }
    }
}

impl ProfessionKind {
    /// As a decision prints it.
    pub fn name(self) -> &'static str {
        match self {
            ProfessionKind::Doctor => "doctor",
            ProfessionKind::OccupationalDoctor => "occupational_doctor",
            ProfessionKind::CoordinatingDoctor => "coordinating_doctor",
            ProfessionKind::Pharmacist => "pharmacist",
            ProfessionKind::Other => "other",
            ProfessionKind::WithoutColumn => "without_column",
        }
    }
}
