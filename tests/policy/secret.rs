//! A minor's secret connection: every way in and every consent, with what it asks for beside the ordinary law.

use super::cases::*;
use super::exhaustive::for_each_consent;
use super::exhaustive::ways;
use super::oracle::Law;
use chevet::policy::Facts;
use chevet::policy::decide;
use chevet::policy::decision::Obligation;
use chevet::policy::facts::Ask;
use chevet::policy::rules::Verdict;
use chevet::policy::rules::which;

/// (minor, speaks): the words and the facts of both.
fn who_is_there(facts: &mut Facts, mut look: impl FnMut(&mut Facts, Word, Word)) {
    for (minor, said) in [("yes", Some(true)), ("no", Some(false)), ("unknown", None)] {
        for (speaks, known) in KNOWN {
            facts.record.minor = said;
            facts.consent.by_representative = known;
            look(facts, minor, speaks);
        }
    }
}

#[test]
fn a_secret_connection_adds_conditions_and_never_a_right() {
    let (law, secret) = (Law::open(), Law::secret());
    let (mut cases, mut permitted) = (0_u64, 0_u64);
    let (who, holder) = holders().swap_remove(0);
    let brains: Vec<Brain> = brains().into_iter().take(2).collect();
    for (auth, status, time) in authorizations().into_iter().filter(|(auth, _, _)| *auth != "barred").take(4) {
        let mut facts = Facts { holder: holder.clone(), time, secret_connection: true, ..nothing_said() };
        facts.record.authorization = status;
        facts.record.emergency = switches(Some((true, true)));
        facts.emergency_reason = Some("unconscious".into());
        for (mode_word, mode, ground_word, ground) in ways() {
            (facts.mode, facts.ground) = (mode, ground);
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
                    ("switch", "yes"),
                    ("reason", "given"),
                    ("brain", brain),
                    ("regime", "conseil"),
                ]);
                who_is_there(&mut facts, |facts, minor, speaks| {
                    let secretly = secret.permits(&[minor, speaks, mode_word, brain]);
                    for_each_consent(facts, |facts, words| {
                        let article = which(facts);
                        let permits = article.verdict == Verdict::Permit;
                        let id = article.rule.id;
                        assert_eq!(permits, secretly && said.permits(&words), "{id}: {words:?} {facts:?}");
                        cases += 1;
                        permitted += u64::from(permits);
                        if permits {
                            let owed = decide(facts).obligations;
                            assert!(owed.contains(&Obligation::KeepFromLegalRepresentatives), "{owed:?}");
                        }
                    });
                });
            }
        }
    }
    println!("policy: {cases} secret connections, {permitted} permitted, each as the law's tables say");
    assert!(cases > 1_000_000 && permitted > 500, "{cases}, {permitted}");
}

#[test]
fn nothing_of_a_secret_connection_is_kept_for_later_and_what_it_refuses_says_why() {
    let rule = |change: &dyn Fn(&mut Facts)| {
        let mut facts = Facts { secret_connection: true, ground: GROUNDS[1].1, ..nothing_said() };
        facts.record.minor = Some(true);
        facts.record.authorization = chevet::record::state::Authorization::Valid { until: None };
        change(&mut facts);
        decide(&facts).rule.id
    };
    assert_eq!(rule(&|_| {}), "G-01");
    assert_eq!(rule(&|f| f.record.minor = Some(false)), "S-01");
    assert_eq!(rule(&|f| f.record.minor = None), "S-02");
    assert_eq!(rule(&|f| f.ask = Ask::PrefetchDocument), "S-03");
    assert_eq!(rule(&|f| f.mode = MODES[2].1), "S-03");
    assert_eq!(rule(&|f| f.mode = MODES[1].1), "S-04");
    assert_eq!(rule(&|f| f.ground = GROUNDS[4].1), "S-04");
    assert_eq!(rule(&|f| f.site.brain_death = true), "S-04");
    assert_eq!(rule(&|f| f.consent.by_representative = KNOWN[0].1), "S-05");
    assert_eq!(rule(&|f| f.consent.by_representative = KNOWN[2].1), "S-06");
    // Who does not ask for secrecy is asked nothing of it.
    assert_eq!(rule(&|f| (f.secret_connection, f.record.minor) = (false, None)), "G-01");
    let open = Facts { secret_connection: false, ..nothing_said() };
    assert!(!decide(&open).obligations.contains(&Obligation::KeepFromLegalRepresentatives));
}
