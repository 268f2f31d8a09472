//! The reduced space, whole. Who may open (every ground, every consent), what bars whatever else is said, what
//! withdrawing does, what the gate can lift; documents stand in their own file. Each prints how many cases it held
//! against the oracle.

use super::cases::*;
use super::oracle::Law;
use chevet::journal::words::Ground;
use chevet::journal::words::Mode;
use chevet::policy::Facts;
use chevet::policy::decide;
use chevet::policy::decision::Obligation;
use chevet::policy::decision::TOLD_MAX;
use chevet::policy::decision::Value;
use chevet::policy::facts::Ask;
use chevet::policy::facts::Cell;
use chevet::policy::facts::DocumentFacts;
use chevet::policy::facts::Known;
use chevet::policy::rules::Verdict;
use chevet::policy::rules::articles;
use chevet::policy::rules::which;
use chevet::record::document::Label;
use chevet::record::document::Status;
use chevet::record::document::TypeCode;
use chevet::record::state::Existence;
use std::collections::HashSet;

/// The switch's word and value, the reason's word and text.
type Urgency = (Word, Option<(bool, bool)>, Word, Option<&'static str>);

/// Switch and reason matter to an emergency alone; elsewhere one of each is enough.
fn emergency_facts(mode: Mode, ground: Option<Ground>) -> Vec<Urgency> {
    let emergency = mode == Mode::BrisDeGlace || ground == Some(Ground::BreakGlass);
    let all = SWITCHES.iter().take(3);
    let all = all.flat_map(|(s, pair)| REASONS.iter().take(2).map(move |(r, text)| (*s, *pair, *r, *text)));
    if emergency { all.collect() } else { all.take(1).collect() }
}

/// Every consent that can be said, believed or not: 3⁵ × 3. The closure sees the words and the facts.
pub fn for_each_consent(facts: &mut Facts, mut look: impl FnMut(&Facts, [Word; 6])) {
    for (team, in_team) in KNOWN {
        facts.consent.in_team = in_team;
        for (initial, initial_team) in KNOWN {
            facts.consent.initial_team = initial_team;
            for (informed, informed_at_event) in KNOWN {
                facts.consent.informed_at_event = informed_at_event;
                for (explicit, said) in KNOWN {
                    facts.consent.explicit = said;
                    for (refused, said) in KNOWN {
                        facts.consent.refused = said;
                        for (dated, at) in DATES {
                            facts.consent.given_at = at.map(chevet::time::UnixSeconds);
                            look(facts, [team, initial, informed, explicit, refused, dated]);
                        }
                    }
                }
            }
        }
    }
}

/// Named: no path without a ground; unknown never permits; withdrawing never adds; bris de glace carries its conditions.
fn properties_of_a_permit(facts: &Facts) {
    assert_eq!(facts.consent.refused, Known::No, "a refusal, or an unknown one, was passed: {facts:?}");
    assert!(facts.holder.profession.is_some() && facts.ground.is_some(), "no holder or no ground: {facts:?}");
    assert!(facts.record.existence == Existence::Open && !facts.record.blocked, "barred, and passed: {facts:?}");
    let urgent = facts.mode == Mode::BrisDeGlace;
    if urgent {
        let switch = facts.record.emergency.is_some_and(|switches| switches.other_professionals);
        assert!(switch && !facts.site.brain_death && facts.emergency_reason.is_some(), "{facts:?}");
        assert!(decide(facts).obligations.contains(&Obligation::ShowEmergencyBanner), "{facts:?}");
    }
    let said = facts.consent.clone();
    let unknowns = [said.in_team, said.initial_team, said.informed_at_event, said.explicit];
    if unknowns.contains(&Known::Unknown) {
        let mut told = facts.clone();
        let no_for_unknown = |known: &mut Known| {
            if *known == Known::Unknown {
                *known = Known::No
            }
        };
        no_for_unknown(&mut told.consent.in_team);
        no_for_unknown(&mut told.consent.initial_team);
        no_for_unknown(&mut told.consent.informed_at_event);
        no_for_unknown(&mut told.consent.explicit);
        assert_eq!(which(&told).verdict, Verdict::Permit, "an unknown permitted: {facts:?}");
    }
}

/// Each kind of holder × authorization × mode and ground × every consent × regime × brain, the record being open.
fn who_may_open(part: usize, parts: usize) -> (u64, u64) {
    let law = Law::open();
    let brains: Vec<Brain> = brains().into_iter().take(3).collect();
    let (mut cases, mut permitted) = (0_u64, 0_u64);
    // Doctors, interns and pharmacists are `staff` like the nurse, and the two statuses that bar do so whatever is said:
    // they are varied in `what_bars`, with everything else that does.
    let known = || authorizations().into_iter().filter(|(auth, _, _)| *auth != "barred");
    let outer: Vec<_> = holders().into_iter().take(3).flat_map(|h| known().map(move |a| (h.clone(), a))).collect();
    for ((who, holder), (auth, status, time)) in outer.into_iter().skip(part).step_by(parts) {
        let mut facts = Facts { holder, time, ..nothing_said() };
        facts.record.authorization = status;
        for (mode_word, mode, ground_word, ground) in ways() {
            (facts.mode, facts.ground) = (mode, ground);
            for (switch, pair, reason, text) in emergency_facts(mode, ground) {
                facts.record.emergency = switches(pair);
                facts.emergency_reason = text.map(str::to_owned);
                for (regime_word, regime) in REGIMES {
                    facts.regime = regime;
                    for (brain, dead, framework) in &brains {
                        facts.site.brain_death = *dead;
                        facts.site.brain_death_framework.clone_from(framework);
                        let brain = brain_word(brain, time);
                        let said = law.given(&[
                            ("who", who),
                            ("record", "open"),
                            ("auth", auth),
                            ("mode", mode_word),
                            ("ground", ground_word),
                            ("switch", switch),
                            ("reason", reason),
                            ("brain", brain),
                            ("regime", regime_word),
                        ]);
                        for_each_consent(&mut facts, |facts, words| {
                            let article = which(facts);
                            let permits = article.verdict == Verdict::Permit;
                            assert_eq!(permits, said.permits(&words), "{}: {words:?} {facts:?}", article.rule.id);
                            cases += 1;
                            if permits {
                                permitted += 1;
                                properties_of_a_permit(facts);
                            }
                        });
                    }
                }
            }
        }
    }
    (cases, permitted)
}

pub fn ways() -> impl Iterator<Item = (Word, Mode, Word, Option<Ground>)> {
    MODES.into_iter().flat_map(|(m, mode)| GROUNDS.into_iter().map(move |(g, ground)| (m, mode, g, ground)))
}

#[test]
fn who_may_open_is_what_the_law_says() {
    let parts = 2;
    let threads: Vec<_> = (0..parts).map(|part| std::thread::spawn(move || who_may_open(part, parts))).collect();
    let counts: Vec<_> = threads.into_iter().map(|thread| thread.join().expect("every case agrees")).collect();
    let (cases, permitted) = counts.iter().fold((0, 0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
    println!("policy: {cases} ways of asking for a record, {permitted} permitted, each as the law's table says");
    assert!(cases > 1_000_000 && permitted > 1_000, "the space was not enumerated: {cases}, {permitted}");
}

/// Every bar × every way in, whatever was said: all denied, and nothing that becomes known lifts a forbid.
#[test]
fn what_bars_bars_whatever_else_is_said() {
    let law = Law::open();
    let brains = brains();
    let (mut cases, mut denied) = (0_u64, 0_u64);
    for (who, holder) in holders() {
        for (record, existence, blocked) in records() {
            let mut facts = Facts { holder: holder.clone(), ..nothing_said() };
            (facts.record.existence, facts.record.blocked) = (existence, blocked);
            for (auth, status, time) in authorizations() {
                (facts.record.authorization, facts.time) = (status, time);
                for (mode_word, mode) in MODES {
                    for (ground_word, ground) in GROUNDS {
                        (facts.mode, facts.ground) = (mode, ground);
                        for (switch, pair) in SWITCHES.into_iter().take(3) {
                            facts.record.emergency = switches(pair);
                            for (brain, dead, framework) in &brains {
                                facts.site.brain_death = *dead;
                                facts.site.brain_death_framework.clone_from(framework);
                                let brain = brain_word(brain, time);
                                for (word, said) in [KNOWN[0], KNOWN[2]] {
                                    for (refused, no) in KNOWN {
                                        facts.consent.in_team = said;
                                        facts.consent.initial_team = said;
                                        facts.consent.informed_at_event = said;
                                        facts.consent.explicit = said;
                                        facts.consent.refused = no;
                                        facts.emergency_reason = Some("vital_distress".into());
                                        let words = [
                                            who,
                                            record,
                                            auth,
                                            mode_word,
                                            ground_word,
                                            word,
                                            word,
                                            word,
                                            word,
                                            refused,
                                            "ok",
                                            switch,
                                            "given",
                                            brain,
                                            "conseil",
                                        ];
                                        let article = which(&facts);
                                        let permits = article.verdict == Verdict::Permit;
                                        assert_eq!(permits, law.permits(&words), "{}: {words:?}", article.rule.id);
                                        cases += 1;
                                        if article.verdict == Verdict::Forbid && word == "unknown" {
                                            denied += 1;
                                            no_news_lifts(&facts);
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    println!("policy: {cases} ways in under every bar; {denied} forbids that nothing learnt can lift");
    assert!(cases > 500_000 && denied > 50_000, "{cases}, {denied}");
}

/// Adding a missing fact never removes a denial that came from a forbid.
fn no_news_lifts(facts: &Facts) {
    let mut told = facts.clone();
    for news in [Known::Yes, Known::No] {
        for known in [
            &mut told.consent.in_team,
            &mut told.consent.initial_team,
            &mut told.consent.informed_at_event,
            &mut told.consent.explicit,
        ] {
            *known = news;
        }
        if facts.consent.refused == Known::Unknown {
            told.consent.refused = news;
        }
        assert_ne!(which(&told).verdict, Verdict::Permit, "{facts:?}");
    }
}

/// Withdrawing consent never adds a right: for each way in, of two sets of consents the weaker permits no more.
#[test]
fn withdrawing_never_adds_a_right() {
    let mut pairs = 0_u64;
    for (_, holder) in holders().into_iter().take(3) {
        for (_, status, time) in authorizations() {
            for (_, mode) in MODES {
                for (_, ground) in GROUNDS {
                    for (_, regime) in REGIMES {
                        let mut facts = Facts { holder: holder.clone(), time, mode, ground, regime, ..nothing_said() };
                        facts.record.authorization = status;
                        facts.record.emergency = switches(Some((true, true)));
                        facts.emergency_reason = Some("unconscious".into());
                        let mut table = std::collections::HashMap::new();
                        for_each_consent(&mut facts, |facts, words| {
                            if facts.consent.given_at.is_none() {
                                table.insert([words[0], words[1], words[2], words[3], words[4]], which(facts).verdict);
                            }
                        });
                        for (words, verdict) in &table {
                            for place in 0..5 {
                                let mut weaker = *words;
                                weaker[place] = if place == 4 { "yes" } else { "no" };
                                pairs += 1;
                                let added = table[&weaker] == Verdict::Permit && *verdict != Verdict::Permit;
                                assert!(!added, "{words:?} → {weaker:?} under {ground:?} {mode:?}");
                            }
                        }
                    }
                }
            }
        }
    }
    println!("policy: {pairs} withdrawals, none adds a right");
    assert!(pairs > 100_000);
}

/// The gate's contract: a denial with obligations is lifted by what they ask, one without is lifted by nothing given here.
#[test]
fn what_a_denial_asks_lifts_it_and_nothing_else_does() {
    let brains = brains();
    let (mut lifted, mut final_ones) = (0_u64, 0_u64);
    for (_, holder) in holders() {
        for (_, existence, blocked) in records() {
            for (_, status, time) in authorizations() {
                for (_, ground) in GROUNDS {
                    for (_, dead, framework) in &brains {
                        for (_, regime) in REGIMES {
                            let mut facts = Facts { holder: holder.clone(), time, ground, regime, ..nothing_said() };
                            facts.record.authorization = status;
                            facts.record.existence = existence.clone();
                            facts.record.blocked = blocked;
                            facts.site.brain_death = *dead;
                            facts.site.brain_death_framework.clone_from(framework);
                            for (_, in_team) in KNOWN {
                                for (_, initial) in KNOWN {
                                    for (_, refused) in KNOWN {
                                        facts.consent.in_team = in_team;
                                        facts.consent.initial_team = initial;
                                        facts.consent.refused = refused;
                                        match the_gate_asks(&facts) {
                                            Some(true) => lifted += 1,
                                            Some(false) => final_ones += 1,
                                            None => {}
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    println!("policy: {lifted} denials lifted by what they ask, {final_ones} that nothing at the gate lifts");
    assert!(lifted > 1_000 && final_ones > 10_000, "{lifted}, {final_ones}");
}

/// `None`: permitted, or the wrong ground's own forbid (bris de glace out of its mode, a refusal just spoken).
fn the_gate_asks(facts: &Facts) -> Option<bool> {
    let decision = decide(facts);
    if decision.allow || matches!(facts.ground, Some(Ground::BreakGlass | Ground::Refused)) {
        return None;
    }
    let yes = |ground| {
        let mut facts = Facts { ground: Some(ground), ..facts.clone() };
        facts.consent.initial_team = Known::Yes;
        facts.consent.informed_at_event = Known::Yes;
        facts.consent.explicit = Known::Yes;
        facts.consent.refused = if facts.consent.refused == Known::Yes { Known::No } else { facts.consent.refused };
        facts.consent.given_at = Some(NOW);
        decide(&facts).allow
    };
    match decision.ground_if_yes() {
        Some(ground) => {
            assert!(yes(ground), "{} asks and is not lifted: {facts:?}", decision.rule.id);
            Some(true)
        }
        None => {
            let could = yes(Ground::Explicit) && !facts.site.brain_death;
            assert!(!could && decision.obligations.is_empty(), "{} could be lifted: {facts:?}", decision.rule.id);
            Some(false)
        }
    }
}

#[test]
fn every_rule_can_be_read_and_decides_something() {
    let mut ids = HashSet::new();
    let mut permits_began = false;
    for article in articles() {
        let rule = article.rule;
        assert!(ids.insert(rule.id), "{} stands twice", rule.id);
        for text in [rule.law, rule.sentence, article.next] {
            assert!(!text.trim().is_empty(), "{} lacks a text", rule.id);
            let straight = ["'", " :", " ;", " !", " ?", "« ", " »"].iter().find(|wrong| text.contains(**wrong));
            assert!(straight.is_none(), "{}: {straight:?} in « {text} »", rule.id);
        }
        assert!((1..=TOLD_MAX).contains(&article.looks_at.len()), "{} looks at too much, or at nothing", rule.id);
        assert!(rule.sentence.ends_with('.') && article.next.ends_with('.'), "{} is no sentence", rule.id);
        assert_eq!(chevet::policy::what_can_be_done(&rule), article.next);
        if rule.id != "Z-00" {
            permits_began |= article.verdict == Verdict::Permit;
            assert!(!permits_began || article.verdict == Verdict::Permit, "{} denies after a permit", rule.id);
        }
    }
}

#[test]
fn a_decision_tells_why_and_what_it_owes() {
    let mut facts = nothing_said();
    facts.consent.in_team = Known::Yes;
    let asked = decide(&facts);
    assert_eq!((asked.allow, asked.rule.id, asked.ground_if_yes()), (false, "G-10", Some(Ground::Team)));
    assert_eq!(asked.obligations[..], [Obligation::RecordInitialConsent, Obligation::InformAtThisEvent]);
    assert_eq!(chevet::policy::ground_that_stands(&facts), None);

    facts.record.authorization = chevet::record::state::Authorization::Valid { until: None };
    assert_eq!(chevet::policy::ground_that_stands(&facts), Some(Ground::Authorization));
    facts.ground = Some(Ground::Authorization);
    let opened = decide(&facts);
    assert_eq!((opened.allow, opened.rule.id), (true, "G-01"));
    assert!(opened.obligations.contains(&Obligation::InformAtThisEvent), "{opened:?}");
    assert!(opened.facts.contains(&("authorization", Value::Word("valid"))), "{opened:?}");

    facts.ask = Ask::SeeDocument;
    facts.document = Some(DocumentFacts {
        type_code: TypeCode("15508-5".into()),
        cell: Cell::Yes,
        labels: vec![Label::InvisibleToPatient, Label::InvisibleToLegalRepresentatives],
        status: Status::Current,
        by_this_holder: Known::No,
    });
    let seen = decide(&facts);
    let owed = [Obligation::WarnInvisibleToPatient, Obligation::WarnInvisibleToLegalRepresentatives];
    assert!(seen.allow && owed.iter().all(|o| seen.obligations.contains(o)), "{seen:?}");

    let unconscious = "unconscious: Mme Untel, trouvée au sol";
    let mut urgent = Facts { emergency_reason: Some(unconscious.into()), ..nothing_said() };
    (urgent.mode, urgent.ground) = (Mode::BrisDeGlace, Some(Ground::BreakGlass));
    urgent.record.emergency = switches(Some((true, false)));
    let broken = decide(&urgent);
    assert!(broken.allow && !format!("{broken:?}").contains("Untel"), "{broken:?}");
    urgent.emergency_reason = None;
    assert_eq!(decide(&urgent).obligations[..], [Obligation::GiveReason]);
}
