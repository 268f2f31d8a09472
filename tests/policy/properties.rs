//! What must hold of every decision, whatever the rules become: the promises of issue « May they » by name. Each walks
//! the same space of whole facts, every ask with every way in.

use super::cases::*;
use chevet::journal::words::Mode;
use chevet::policy::Facts;
use chevet::policy::decide;
use chevet::policy::decision::Obligation;
use chevet::policy::emergency;
use chevet::policy::facts::Ask;
use chevet::policy::facts::Cell;
use chevet::policy::facts::DocumentFacts;
use chevet::policy::facts::Known;
use chevet::policy::rules::Verdict;
use chevet::policy::rules::which;
use chevet::record::document::Label;
use chevet::record::document::Status;
use chevet::record::document::TypeCode;
use chevet::record::state::Authorization;
use chevet::record::state::EmergencySwitches;
use chevet::record::state::Existence;

const ASKS: [Ask; 4] = [Ask::OpenRecord, Ask::SeeDocument, Ask::PrefetchDocument, Ask::Deposit];

fn documents() -> Vec<DocumentFacts> {
    let document = |cell, labels, by_this_holder| DocumentFacts {
        type_code: TypeCode("15508-5".into()),
        cell,
        labels,
        status: Status::Current,
        by_this_holder,
    };
    vec![
        document(Cell::Yes, vec![Label::Normal], Known::Yes),
        document(Cell::Unknown, vec![Label::Normal], Known::Unknown),
        document(Cell::Yes, vec![Label::MaskedToProfessionals], Known::Unknown),
        document(Cell::Yes, vec![Label::Unknown("X".into())], Known::Yes),
    ]
}

/// Whole facts; `look` sees each, and each once.
fn every_case(mut look: impl FnMut(&Facts)) -> u64 {
    let mut cases = 0;
    let brains: Vec<Brain> = brains().into_iter().take(3).collect();
    let authorizations: Vec<_> = [0, 4, 8].map(|at| authorizations().swap_remove(at)).into();
    let documents = documents();
    let mut facts = nothing_said();
    for holder in [0, 2, 10, 11].map(|at| holders().swap_remove(at).1) {
        facts.holder = holder;
        for (_, existence, blocked) in [0, 1, 3].map(|at| records().swap_remove(at)) {
            (facts.record.existence, facts.record.blocked) = (existence, blocked);
            for (_, status, time) in &authorizations {
                (facts.record.authorization, facts.time) = (*status, *time);
                for (_, dead, framework) in &brains {
                    facts.site.brain_death = *dead;
                    facts.site.brain_death_framework.clone_from(framework);
                    for (secret, minor) in [(false, None), (true, Some(true)), (true, None)] {
                        (facts.secret_connection, facts.record.minor) = (secret, minor);
                        for ask in ASKS {
                            facts.ask = ask;
                            for document in documents.iter().take(if ask == Ask::OpenRecord { 1 } else { 4 }) {
                                facts.document = (ask != Ask::OpenRecord).then(|| document.clone());
                                cases += every_way_in(&mut facts, &mut look);
                            }
                        }
                    }
                }
            }
        }
    }
    println!("policy: {cases} whole cases walked");
    assert!(cases > 1_000_000, "{cases}");
    cases
}

fn every_way_in(facts: &mut Facts, look: &mut impl FnMut(&Facts)) -> u64 {
    let mut cases = 0;
    for (_, mode) in MODES {
        for (_, ground) in GROUNDS {
            (facts.mode, facts.ground) = (mode, ground);
            for (_, said) in KNOWN {
                for (_, refused) in KNOWN {
                    facts.consent.in_team = said;
                    facts.consent.initial_team = said;
                    facts.consent.informed_at_event = said;
                    facts.consent.explicit = said;
                    facts.consent.refused = refused;
                    facts.ins_qualified = said;
                    for (pair, reason) in
                        [(None, None), (Some((true, true)), REASONS[0].1), (Some((false, true)), None)]
                    {
                        facts.record.emergency = switches(pair);
                        facts.emergency_reason = reason.map(str::to_owned);
                        look(facts);
                        cases += 1;
                    }
                }
            }
        }
    }
    cases
}

fn permits(facts: &Facts) -> bool {
    which(facts).verdict == Verdict::Permit
}

#[test]
fn no_path_to_content_without_a_holder() {
    every_case(|facts| {
        let somebody = facts.holder.profession.is_some() && !matches!(facts.holder.card_kind.name(), "CPE" | "CPA");
        assert!(somebody || !permits(facts), "{facts:?}");
    });
}

/// Whatever is unknown and permitted would be permitted if the answer were the worst one.
#[test]
fn unknown_never_permits() {
    every_case(|facts| {
        if !permits(facts) {
            return;
        }
        let mut told = facts.clone();
        for known in [
            &mut told.consent.in_team,
            &mut told.consent.initial_team,
            &mut told.consent.informed_at_event,
            &mut told.consent.explicit,
            &mut told.ins_qualified,
        ] {
            *known = if *known == Known::Unknown { Known::No } else { *known };
        }
        if told.consent.refused == Known::Unknown {
            told.consent.refused = Known::Yes;
        }
        told.record.minor = told.record.minor.or(Some(false));
        let opposed = EmergencySwitches { samu: false, other_professionals: false, masked_documents: false };
        told.record.emergency = told.record.emergency.or(Some(opposed));
        if let Some(document) = &mut told.document {
            document.cell = if document.cell == Cell::Unknown { Cell::No } else { document.cell };
            if document.by_this_holder == Known::Unknown {
                document.by_this_holder = Known::No;
            }
            let known = !document.labels.iter().any(|label| matches!(label, Label::Unknown(_)));
            assert!(known && document.status != Status::Unknown, "{facts:?}");
        }
        assert!(facts.record.existence == Existence::Open, "{facts:?}");
        let consults = facts.ask != Ask::Deposit;
        assert!(!consults || facts.record.authorization != Authorization::Unknown, "{facts:?}");
        assert!(permits(&told), "an unknown permitted: {facts:?}");
    });
}

#[test]
fn bris_de_glace_carries_a_reason_and_passes_neither_closure_nor_opposition_nor_brain_death() {
    let mut urgent = 0_u64;
    every_case(|facts| {
        if facts.mode != Mode::BrisDeGlace || !permits(facts) {
            return;
        }
        urgent += 1;
        assert!(facts.emergency_reason.as_deref().and_then(emergency::reason).is_some(), "{facts:?}");
        assert_eq!(facts.record.existence, Existence::Open, "{facts:?}");
        assert!(facts.record.emergency.is_some_and(|switches| switches.other_professionals), "{facts:?}");
        assert!(facts.consent.refused == Known::No && !facts.site.brain_death && !facts.secret_connection, "{facts:?}");
        assert!(decide(facts).obligations.contains(&Obligation::ShowEmergencyBanner), "{facts:?}");
    });
    assert!(urgent > 10, "no bris de glace was walked: {urgent}");
}

#[test]
fn a_blocked_professional_never_passes() {
    every_case(|facts| assert!(!facts.record.blocked || !permits(facts), "{facts:?}"));
}

#[test]
fn brain_death_passes_only_under_a_framework_that_stands() {
    let mut passed = 0_u64;
    every_case(|facts| {
        if facts.site.brain_death && permits(facts) {
            passed += 1;
            assert!(facts.site.brain_death_framework.as_ref().is_some_and(|framework| framework.stands(facts.time)));
            assert_eq!(facts.framework_reference(), Some("CHU-2026-014"));
        } else if !facts.site.brain_death {
            assert_eq!(facts.framework_reference(), None);
        }
    });
    assert!(passed > 50, "{passed}");
}

#[test]
fn every_decision_says_its_rule_its_law_and_its_sentence() {
    every_case(|facts| {
        let decision = decide(facts);
        let rule = decision.rule;
        assert!(!rule.id.is_empty() && !rule.law.is_empty() && rule.sentence.ends_with('.'), "{facts:?}");
        assert!(!decision.facts.is_empty() && !decision.what_can_be_done().is_empty(), "{facts:?}");
        let traced = decision.obligations.iter().filter(|owed| matches!(owed, Obligation::TraceAs(_))).count();
        assert_eq!(traced, usize::from(decision.allow), "{facts:?}");
    });
}
