//! The ordered rules. What denies comes first, permits last; the first that applies decides; what no rule permits is
//! denied. The order of the lists below *is* the law of this house.
//!
//! **What a denial's obligations mean.** A denial that somebody at the gate can lift says how: `AskExplicitConsent`,
//! `RecordInitialConsent` and `InformAtThisEvent` (the patient's page is offered, see [`Decision::ground_if_yes`]), or
//! `GiveReason` (the holder's own). A refusal that stands is lifted by the patient alone, by a later yes: it says so. A
//! denial that nothing at the gate can lift (blocked, closed, never created, INTERDIT, no profession, brain death …)
//! carries no obligation at all. On an allowed act they are what it still owes.
//!
//! **How a gate uses it.** Fill [`Facts`] with what is known, unknown where it is not. [`ground_that_stands`] names the
//! ground under which the record may be opened now; if there is none, `decide` with `ground: None` says what to ask. When
//! the patient has said yes and that is recorded, set the fact (`explicit`, or `initial_team` and `informed_at_event`) and
//! the ground, and decide again: nothing is remembered here.
//!
//! *Rejected*: scoring or "most specific wins"; a reader of the list must be able to foretell the answer.

mod before;
mod deposit;
mod documents;
mod grounds;
mod permits;
mod secret;

use crate::journal::words::Class;
use crate::journal::words::Ground;
use crate::journal::words::Mode;
use crate::policy::decision::Decision;
use crate::policy::decision::Obligation;
use crate::policy::decision::Owed;
use crate::policy::decision::Rule;
use crate::policy::decision::Told;
use crate::policy::facts::Ask;
use crate::policy::facts::Facts;
use crate::policy::facts::Known;
use crate::policy::facts::ProfessionKind;
use crate::policy::looked::Looked;
use crate::record::state::Authorization;
use crate::time::UnixSeconds;

/// What a rule does when it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Denied, whatever else is said.
    Forbid,
    /// Denied for want of a fact: unknown, or not yet said. What the gate itself can obtain, the obligations name.
    Lack,
    Permit,
}

/// One rule of the list.
pub struct Article {
    pub rule: Rule,
    pub verdict: Verdict,
    pub when: fn(&Facts) -> bool,
    pub owes: fn(&Facts) -> Owed,
    pub looks_at: &'static [Looked],
    /// French, one sentence: what can be done about it.
    pub next: &'static str,
}

const NO_MATCH: Article = Article {
    rule: Rule {
        id: "Z-00",
        law: "précaution\u{a0}: ce qui n’est pas permis est refusé",
        sentence: "Aucune règle ne permet cet accès.",
    },
    verdict: Verdict::Forbid,
    when: |_| true,
    owes: nothing,
    looks_at: &[crate::policy::looked::ASK, crate::policy::looked::MODE, crate::policy::looked::GROUND],
    next: "Revenez à l’accueil et reprenez\u{a0}; si cela se répète, prévenez le responsable de la borne.",
};

/// The chapters, in order: `when` they are opened, and their rules. Where a chapter is not opened, none of its rules is
/// asked. Written out for the compiler, which then sees each condition instead of a pointer to it.
macro_rules! chapters {
    ($($when:expr => $articles:path,)+) => {
        /// Every rule, in the order in which they are asked.
        pub fn articles() -> impl Iterator<Item = &'static Article> {
            [$($articles),+].into_iter().flatten().chain(std::iter::once(&NO_MATCH))
        }

        /// The first rule that applies.
        pub fn which(facts: &Facts) -> &'static Article {
            $(
                let open: fn(&Facts) -> bool = $when;
                if open(facts) && let Some(article) = first($articles, facts) {
                    return article;
                }
            )+
            &NO_MATCH
        }
    };
}

chapters! {
    always => before::WHO_AND_RECORD,
    |f| f.secret_connection => secret::FORBIDS,
    always => before::WORD_AND_MODE,
    |f| f.ask != Ask::OpenRecord => documents::FORBIDS,
    deposit::is_deposit => deposit::FORBIDS,
    is_emergency => grounds::EMERGENCY,
    is_prefetch => grounds::AHEAD,
    always => grounds::LACKS,
    is_prefetch => permits::AHEAD,
    |f| f.ask == Ask::OpenRecord => permits::OPENING,
    |f| f.ask == Ask::SeeDocument => permits::DOCUMENT,
    deposit::is_deposit => permits::DEPOSIT,
}

#[inline(always)]
fn first(articles: &'static [Article], facts: &Facts) -> Option<&'static Article> {
    articles.iter().find(|article| (article.when)(facts))
}

fn always(_: &Facts) -> bool {
    true
}

/// Decides. Never fails: what cannot be decided is denied and said so.
#[inline]
pub fn decide(facts: &Facts) -> Decision {
    let article = which(facts);
    let mut decision = Decision {
        allow: article.verdict == Verdict::Permit,
        rule: article.rule,
        facts: Told::new(),
        obligations: (article.owes)(facts),
    };
    for looked in article.looks_at {
        (looked.tell)(facts, &mut decision.facts);
    }
    decision
}

/// The ground under which the record may be opened as things stand, the strongest first; `None` when something must be
/// asked, or when nothing can be. It never answers bris de glace: that is the holder's own act.
pub fn ground_that_stands(facts: &Facts) -> Option<Ground> {
    [Ground::Authorization, Ground::Team, Ground::Explicit].into_iter().find(|ground| {
        let tried = Facts { ask: Ask::OpenRecord, ground: Some(*ground), ..facts.clone() };
        decide(&tried).allow
    })
}

/// « Pourquoi ? »: what can be done about a decision that this rule made. French, one sentence.
pub fn what_can_be_done(rule: &Rule) -> &'static str {
    articles().find(|article| article.rule.id == rule.id).unwrap_or(&NO_MATCH).next
}

impl Decision {
    /// The ground that the patient's yes would establish, for a denial that it would lift; the gate then offers the
    /// patient's page. `None` on an allowed act and on a denial that the patient cannot lift here.
    pub fn ground_if_yes(&self) -> Option<Ground> {
        let owes = |obligation| !self.allow && self.obligations.contains(&obligation);
        if owes(Obligation::RecordInitialConsent) || owes(Obligation::InformAtThisEvent) {
            Some(Ground::Team)
        } else if owes(Obligation::AskExplicitConsent) {
            Some(Ground::Explicit)
        } else {
            None
        }
    }

    /// French, one sentence: what can be done about it.
    pub fn what_can_be_done(&self) -> &'static str {
        what_can_be_done(&self.rule)
    }
}

/// Two clocks that are both right may differ by this much.
const CLOCK_SKEW_S_MAX: i64 = 300;

fn nothing(_: &Facts) -> Owed {
    Owed::new()
}

/// What, given now by the patient, would lift a denial for want of a ground.
fn what_the_patient_can_give(facts: &Facts) -> Owed {
    // Nobody can be asked (the deck), and a framework does not change that.
    if facts.site.brain_death {
        return Owed::new();
    }
    let mut owed = Owed::new();
    let for_the_team = facts.consent.in_team == Known::Yes
        && facts.holder.kind != ProfessionKind::OccupationalDoctor
        && facts.ground != Some(Ground::Explicit);
    if for_the_team {
        if initial_consent_is_needed(facts) && !initial_consent_stands(facts) {
            owed.push(Obligation::RecordInitialConsent);
        }
        if !informed(facts) {
            owed.push(Obligation::InformAtThisEvent);
        }
    }
    if owed.is_empty() {
        owed.push(Obligation::AskExplicitConsent);
    }
    owed
}

/// Arrêté alone: the team is presumed to agree. Since CE n° 490409 it is not; and an EHPAD's coordinating doctor needs
/// the resident's own agreement under either (L.1111-16).
fn initial_consent_is_needed(facts: &Facts) -> bool {
    facts.regime == crate::journal::words::Regime::ConseilEtat2025
        || facts.holder.kind == ProfessionKind::CoordinatingDoctor
}

fn initial_consent_stands(facts: &Facts) -> bool {
    facts.consent.initial_team == Known::Yes && !dated_in_the_future(facts)
}

fn informed(facts: &Facts) -> bool {
    facts.consent.informed_at_event == Known::Yes && !dated_in_the_future(facts)
}

/// Cannot tell is not believed: the newest consent that a device wrote down itself is never later than its own floor.
fn dated_in_the_future(facts: &Facts) -> bool {
    let latest_believed = |at: UnixSeconds| facts.time.has_reached(at.plus(-CLOCK_SKEW_S_MAX)) == Some(true);
    facts.consent.given_at.is_some_and(|at| !latest_believed(at))
}

/// A date that nobody can tell to be past is past only when it surely is (the budget for not knowing is
/// the kiosk's to keep).
fn authorization_stands(facts: &Facts) -> bool {
    match facts.record.authorization {
        Authorization::Valid { until: None } => true,
        Authorization::Valid { until: Some(end) } => !facts.time.is_past(end),
        _ => false,
    }
}

/// Fetching ahead, unseen, is a mode of its own, whichever of the two says so.
fn is_prefetch(facts: &Facts) -> bool {
    facts.ask == Ask::PrefetchDocument || facts.mode == Mode::Prefetch
}

fn is_emergency(facts: &Facts) -> bool {
    facts.mode == Mode::BrisDeGlace || facts.ground == Some(Ground::BreakGlass)
}

/// Every permitted act is traced as what it is.
fn trace(facts: &Facts) -> Obligation {
    Obligation::TraceAs(match (facts.ask, is_emergency(facts)) {
        _ if is_prefetch(facts) => Class::Prefetched,
        (Ask::OpenRecord, true) => Class::BreakGlass,
        (Ask::OpenRecord, false) => Class::Gate,
        (Ask::Deposit, _) => Class::Contributed,
        // Its title is covered by the list's own row; opening it is a consultation.
        _ => Class::Opened,
    })
}
