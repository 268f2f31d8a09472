//! Depositing: who, into which record, under which identity and connection; then every document.

use super::cases::*;
use super::documents::label_sets;
use super::oracle::Law;
use chevet::journal::words::Class;
use chevet::policy::Facts;
use chevet::policy::decide;
use chevet::policy::decision::Obligation;
use chevet::policy::facts::Ask;
use chevet::policy::facts::Cell;
use chevet::policy::facts::DocumentFacts;
use chevet::policy::facts::Known;
use chevet::policy::rules::Verdict;
use chevet::policy::rules::which;
use chevet::record::document::Label;
use chevet::record::document::Status;
use chevet::record::document::TypeCode;

const HIDDEN: Label = Label::InvisibleToLegalRepresentatives;

/// (secret, minor, speaks), by their words.
fn connections() -> Vec<([Word; 3], bool, Option<bool>, Known)> {
    let mut all =
        vec![(["no", "unknown", "yes"], false, None, Known::Yes), (["no", "yes", "no"], false, Some(true), Known::No)];
    for (minor, said) in [("yes", Some(true)), ("no", Some(false)), ("unknown", None)] {
        all.extend(KNOWN.map(|(speaks, known)| (["yes", minor, speaks], true, said, known)));
    }
    all
}

fn note(labels: Vec<Label>) -> DocumentFacts {
    let type_code = TypeCode("11488-4".into());
    DocumentFacts { type_code, cell: Cell::Yes, labels, status: Status::Current, by_this_holder: Known::Yes }
}

/// An authorization that is missing, past or forbidden, and a refusal of consultation, change nothing.
fn what_does_not_count(facts: &mut Facts, which: usize) {
    let (_, status, time) = authorizations().swap_remove([1, 3, 7, 8][which]);
    (facts.record.authorization, facts.time) = (status, time);
    facts.consent.refused = KNOWN[which % 3].1;
}

#[test]
fn who_may_deposit_is_what_the_tables_say() {
    let law = Law::deposit();
    let brains = brains();
    let (mut cases, mut permitted) = (0_u64, 0_u64);
    for (who, holder) in holders() {
        for (record, existence, blocked) in records() {
            let mut facts = Facts { ask: Ask::Deposit, holder: holder.clone(), ..nothing_said() };
            (facts.record.existence, facts.record.blocked) = (existence, blocked);
            for (hidden, labels) in [("no", vec![Label::Normal]), ("yes", vec![Label::Normal, HIDDEN])] {
                facts.document = Some(note(labels));
                for (ins, known) in KNOWN {
                    facts.ins_qualified = known;
                    for ([secret, minor, speaks], secretly, said, known) in connections() {
                        facts.secret_connection = secretly;
                        (facts.record.minor, facts.consent.by_representative) = (said, known);
                        for (mode_word, mode) in MODES {
                            for (ground_word, ground) in GROUNDS {
                                (facts.mode, facts.ground) = (mode, ground);
                                for (brain, dead, framework) in &brains {
                                    facts.site.brain_death = *dead;
                                    facts.site.brain_death_framework.clone_from(framework);
                                    what_does_not_count(&mut facts, (cases % 4) as usize);
                                    let brain = brain_word(brain, facts.time);
                                    let words = [
                                        who,
                                        record,
                                        ins,
                                        mode_word,
                                        ground_word,
                                        secret,
                                        minor,
                                        speaks,
                                        brain,
                                        hidden,
                                        "plain",
                                        "current",
                                        "taken",
                                        "yes",
                                        "yes",
                                    ];
                                    let article = which(&facts);
                                    let permits = article.verdict == Verdict::Permit;
                                    assert_eq!(permits, law.permits(&words), "{}: {words:?}", article.rule.id);
                                    cases += 1;
                                    permitted += u64::from(permits);
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    println!("policy: {cases} ways to deposit, {permitted} permitted, each as the tables say");
    assert!(cases > 500_000 && permitted > 100, "{cases}, {permitted}");
}

#[test]
fn what_may_be_deposited_is_what_the_tables_say() {
    let law = Law::deposit();
    let (mut cases, mut permitted) = (0_u64, 0_u64);
    let statuses = [
        ("current", Status::Current),
        ("archived", Status::Archived),
        ("superseded", Status::Superseded),
        ("deleted", Status::Deleted),
        ("unknown", Status::Unknown),
    ];
    let types = [("taken", "11488-4"), ("taken", "DOCPAT03"), ("other", "28617-9"), ("other", "99999-9")];
    for (label_word, labels) in label_sets() {
        let hidden = if labels.contains(&HIDDEN) { "yes" } else { "no" };
        let labels_word = if label_word == "wrong" { "wrong" } else { "plain" };
        for (status_word, status) in statuses {
            for (type_word, code) in types {
                for (own_word, own) in KNOWN {
                    for (cell_at, cell) in [Cell::Yes, Cell::No, Cell::Unknown].into_iter().enumerate() {
                        for ([secret, minor, speaks], secretly, said, known) in connections() {
                            let type_code = TypeCode(code.into());
                            let labels = labels.clone();
                            let document = DocumentFacts { type_code, cell, labels, status, by_this_holder: own };
                            let mut facts = Facts { ask: Ask::Deposit, document: Some(document), ..nothing_said() };
                            facts.ins_qualified = Known::Yes;
                            facts.secret_connection = secretly;
                            (facts.record.minor, facts.consent.by_representative) = (said, known);
                            facts.record.attending_doctor = cell_at == 1;
                            let words = [
                                "staff",
                                "open",
                                "yes",
                                "normal",
                                "none",
                                secret,
                                minor,
                                speaks,
                                "no",
                                hidden,
                                labels_word,
                                status_word,
                                type_word,
                                own_word,
                                ["yes", "no", "unknown"][cell_at],
                            ];
                            let article = which(&facts);
                            let permits = article.verdict == Verdict::Permit;
                            assert_eq!(permits, law.permits(&words), "{}: {words:?}", article.rule.id);
                            cases += 1;
                            permitted += u64::from(permits);
                        }
                    }
                }
            }
        }
    }
    println!("policy: {cases} documents to deposit, {permitted} permitted, each as the tables say");
    assert!(cases > 100_000 && permitted > 100, "{cases}, {permitted}");
}

#[test]
fn a_deposit_says_what_it_lacks_and_what_it_owes() {
    let deposit = |change: &dyn Fn(&mut Facts)| {
        let mut facts = Facts { ask: Ask::Deposit, document: Some(note(vec![Label::Normal])), ..nothing_said() };
        facts.ins_qualified = Known::Yes;
        change(&mut facts);
        decide(&facts)
    };
    let rule = |change: &dyn Fn(&mut Facts)| deposit(change).rule.id;
    let done = deposit(&|_| {});
    assert_eq!((done.allow, done.rule.id), (true, "W-01"));
    assert_eq!(done.obligations[..], [Obligation::InformOfDeposit, Obligation::TraceAs(Class::Contributed)]);
    assert_eq!(rule(&|f| f.ins_qualified = Known::No), "W-02");
    assert_eq!(rule(&|f| f.ins_qualified = Known::Unknown), "W-03");
    assert_eq!(rule(&|f| f.mode = MODES[1].1), "W-04");
    assert_eq!(rule(&|f| f.mode = MODES[2].1), "W-04");
    assert_eq!(rule(&|f| f.holder = holders()[2].1.clone()), "W-05");
    assert_eq!(rule(&|f| f.document = Some(note(vec![HIDDEN]))), "W-07");
    assert_eq!(rule(&|f| f.document = None), "D-01");
    let change = |edit: fn(&mut DocumentFacts)| rule(&|f| f.document.iter_mut().for_each(edit));
    assert_eq!(change(|d| d.type_code = TypeCode("99999-9".into())), "W-08");
    assert_eq!(change(|d| d.by_this_holder = Known::Unknown), "W-09");
    assert_eq!(change(|d| d.cell = Cell::No), "W-10");
    assert_eq!(change(|d| d.cell = Cell::Unknown), "W-10");
    assert_eq!(change(|d| d.labels = vec![Label::Normal, Label::MaskedToProfessionals]), "W-01");
    let secretly = |f: &mut Facts| (f.secret_connection, f.record.minor) = (true, Some(true));
    assert_eq!(rule(&secretly), "W-06");
    let kept = deposit(&|f| {
        secretly(f);
        f.document = Some(note(vec![HIDDEN]));
    });
    assert!(kept.allow && kept.obligations.contains(&Obligation::KeepFromLegalRepresentatives), "{kept:?}");
    let dead = deposit(&|f| {
        (f.site.brain_death, f.site.brain_death_framework) = (true, Some(framework("2026-01-01", "2026-12-31")));
    });
    assert_eq!((dead.allow, &dead.obligations[..]), (true, &[Obligation::TraceAs(Class::Contributed)][..]));
}
