//! The facts by name: what a rule says it looked at, for the log of reasons and « Pourquoi ? ».
//!
//! A name is stable: it is printed by `chevet policy explain` and read by whoever checks a decision. No value here tells
//! who the patient is: a decision may be shown, printed and traced.

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
    pub value: fn(&Facts) -> String,
}

const UNKNOWN: &str = "unknown";
const NOT_GIVEN: &str = "none";

pub const ASK: Looked = Looked { name: "ask", value: |f| f.ask.name().into() };
pub const CARD_KIND: Looked = Looked { name: "card_kind", value: |f| f.holder.card_kind.name().into() };
pub const PROFESSION: Looked =
    Looked { name: "profession", value: |f| f.holder.profession.map_or(NOT_GIVEN.into(), |code| code.0.to_string()) };
pub const KIND: Looked = Looked { name: "profession_kind", value: |f| f.holder.kind.name().into() };
pub const IN_TRAINING: Looked = Looked { name: "in_training", value: |f| f.holder.in_training.to_string() };
pub const EXISTENCE: Looked = Looked { name: "record", value: |f| existence(&f.record.existence).into() };
pub const AUTHORIZATION: Looked =
    Looked { name: "authorization", value: |f| authorization(f.record.authorization).into() };
pub const AUTHORIZED_UNTIL: Looked = Looked {
    name: "authorized_until",
    value: |f| match f.record.authorization {
        Authorization::Valid { until: Some(end) } => end.rfc3339(),
        _ => NOT_GIVEN.into(),
    },
};
pub const BLOCKED: Looked = Looked { name: "blocked", value: |f| f.record.blocked.to_string() };
pub const ATTENDING: Looked = Looked { name: "attending_doctor", value: |f| f.record.attending_doctor.to_string() };
pub const ADMINISTRATOR: Looked = Looked { name: "administrator", value: |f| f.record.administrator.to_string() };
pub const EMERGENCY_OTHERS: Looked = Looked {
    name: "emergency_allowed",
    value: |f| f.record.emergency.map_or(UNKNOWN.into(), |switches| switches.other_professionals.to_string()),
};
pub const EMERGENCY_MASKED: Looked = Looked {
    name: "emergency_masked_allowed",
    value: |f| f.record.emergency.map_or(UNKNOWN.into(), |switches| switches.masked_documents.to_string()),
};
pub const INITIAL: Looked = Looked { name: "initial_team", value: |f| f.consent.initial_team.name().into() };
pub const INFORMED: Looked = Looked { name: "informed_at_event", value: |f| f.consent.informed_at_event.name().into() };
pub const EXPLICIT: Looked = Looked { name: "explicit", value: |f| f.consent.explicit.name().into() };
pub const REFUSED: Looked = Looked { name: "refused", value: |f| f.consent.refused.name().into() };
pub const IN_TEAM: Looked = Looked { name: "in_team", value: |f| f.consent.in_team.name().into() };
pub const GIVEN_AT: Looked =
    Looked { name: "given_at", value: |f| f.consent.given_at.map_or(NOT_GIVEN.into(), |at| at.rfc3339()) };
pub const MODE: Looked = Looked { name: "mode", value: |f| f.mode.name().into() };
pub const GROUND: Looked =
    Looked { name: "ground", value: |f| f.ground.map_or(NOT_GIVEN, |ground| ground.name()).into() };
/// Whether one was given; its free text may name people and stays in its own row.
pub const REASON: Looked = Looked {
    name: "emergency_reason",
    value: |f| {
        let code = f.emergency_reason.as_deref().and_then(crate::policy::emergency::reason);
        code.map_or(NOT_GIVEN, |reason| reason.code).into()
    },
};
pub const TYPE: Looked =
    Looked { name: "type", value: |f| f.document.as_ref().map_or(NOT_GIVEN.into(), |d| d.type_code.0.clone()) };
pub const CELL: Looked =
    Looked { name: "cell", value: |f| f.document.as_ref().map_or(NOT_GIVEN, |d| d.cell.name()).into() };
pub const LABELS: Looked = Looked {
    name: "labels",
    value: |f| {
        let Some(document) = &f.document else { return NOT_GIVEN.into() };
        document.labels.iter().map(|label| label.code()).collect::<Vec<_>>().join("+")
    },
};
pub const STATUS: Looked =
    Looked { name: "status", value: |f| f.document.as_ref().map_or(NOT_GIVEN, |d| status(d.status)).into() };
pub const OWN: Looked = Looked {
    name: "by_this_holder",
    value: |f| f.document.as_ref().map_or(NOT_GIVEN, |d| d.by_this_holder.name()).into(),
};
pub const BRAIN_DEATH: Looked = Looked { name: "brain_death", value: |f| f.site.brain_death.to_string() };
pub const FRAMEWORK: Looked = Looked {
    name: "brain_death_framework",
    value: |f| f.site.brain_death_framework.clone().unwrap_or_else(|| NOT_GIVEN.into()),
};
pub const MATRIX: Looked = Looked { name: "matrix_version", value: |f| f.matrix_version.clone() };
pub const REGIME: Looked = Looked { name: "regime", value: |f| f.regime.name().into() };
pub const TIME: Looked = Looked { name: "time", value: |f| f.time.value().rfc3339() };
pub const TIME_TRUST: Looked =
    Looked { name: "time_trust", value: |f| if f.time.is_trusted() { "is" } else { "at_least" }.into() };

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
