//! Documents behind every door: 128 sets of labels, statuses, cells, authorship, the attending doctor and the
//! administrator, against the oracle's second table.

use super::cases::*;
use super::oracle::Law;
use chevet::journal::words::Ground;
use chevet::journal::words::Mode;
use chevet::policy::Facts;
use chevet::policy::facts::Ask;
use chevet::policy::facts::Cell;
use chevet::policy::facts::DocumentFacts;
use chevet::policy::facts::Known;
use chevet::policy::facts::ProfessionKind;
use chevet::policy::rules::Verdict;
use chevet::policy::rules::which;
use chevet::record::document::Label;
use chevet::record::document::Status;
use chevet::record::document::TypeCode;

/// Every document × every door. The labels are all 128 sets of seven, and none.
#[test]
fn documents_are_what_the_law_says() {
    let law = Law::document();
    let (mut cases, mut permitted) = (0_u64, 0_u64);
    let statuses = [
        ("current", Status::Current),
        ("archived", Status::Archived),
        ("superseded", Status::Superseded),
        ("deleted", Status::Deleted),
        ("unknown", Status::Unknown),
    ];
    let cells = [("yes", Cell::Yes), ("no", Cell::No), ("unknown", Cell::Unknown)];
    for (door, ask, mut facts) in doors() {
        facts.ask = ask;
        for (label_word, labels) in label_sets() {
            for (status_word, status) in statuses {
                for (cell_word, cell) in cells {
                    for (own_word, own) in KNOWN {
                        facts.document = Some(DocumentFacts {
                            type_code: TypeCode("15508-5".into()),
                            cell,
                            labels: labels.clone(),
                            status,
                            by_this_holder: own,
                        });
                        for (attending_word, attending) in [("yes", true), ("no", false)] {
                            for (administrator_word, administrator) in [("yes", true), ("no", false)] {
                                facts.record.attending_doctor = attending;
                                facts.record.administrator = administrator;
                                let words = [
                                    door,
                                    label_word,
                                    status_word,
                                    cell_word,
                                    own_word,
                                    attending_word,
                                    administrator_word,
                                ];
                                let article = which(&facts);
                                let permits = article.verdict == Verdict::Permit;
                                assert_eq!(permits, law.permits(&words), "{}: {words:?} {labels:?}", article.rule.id);
                                cases += 1;
                                permitted += u64::from(permits);
                            }
                        }
                    }
                }
            }
        }
    }
    println!("policy: {cases} documents behind every door, {permitted} permitted, each as the law's table says");
    assert!(cases > 100_000 && permitted > 1_000, "{cases}, {permitted}");
}

/// A denial says which: masked and another's, or masked and nobody knows whose; not permitted, or not known.
#[test]
fn a_denied_document_says_by_which_rule() {
    let (_, _, mut facts) = doors().swap_remove(0);
    facts.ask = Ask::SeeDocument;
    let mut rule = |change: &dyn Fn(&mut DocumentFacts)| {
        let mut document = DocumentFacts {
            type_code: TypeCode("15508-5".into()),
            cell: Cell::Yes,
            labels: vec![Label::Normal],
            status: Status::Current,
            by_this_holder: Known::No,
        };
        change(&mut document);
        facts.document = Some(document);
        which(&facts).rule.id
    };
    let masked =
        |own| move |d: &mut DocumentFacts| (d.labels, d.by_this_holder) = (vec![Label::MaskedToProfessionals], own);
    assert_eq!(rule(&masked(Known::No)), "L-03");
    assert_eq!(rule(&masked(Known::Unknown)), "L-04");
    assert_eq!(rule(&masked(Known::Yes)), "L-10");
    assert_eq!(rule(&|d| d.cell = Cell::No), "M-02");
    assert_eq!(rule(&|d| d.cell = Cell::Unknown), "M-03");
    assert_eq!(rule(&|d| d.status = Status::Deleted), "D-02");
    assert_eq!(rule(&|d| d.status = Status::Unknown), "D-03");
    assert_eq!(rule(&|d| d.labels = vec![Label::Unknown("X".into())]), "L-01");
    assert_eq!(rule(&|d| d.labels = vec![Label::InvisibleToPatient, Label::MaskedToProfessionals]), "L-02");
    assert_eq!(rule(&|_| {}), "M-01");
}

/// The ways in that stand, and those that do not.
fn doors() -> Vec<(Word, Ask, Facts)> {
    let with = |change: &dyn Fn(&mut Facts)| {
        let mut facts = nothing_said();
        facts.record.authorization = chevet::record::state::Authorization::Valid { until: None };
        change(&mut facts);
        facts
    };
    let urgent = |masked| {
        with(&|f: &mut Facts| {
            (f.mode, f.ground) = (Mode::BrisDeGlace, Some(Ground::BreakGlass));
            f.emergency_reason = Some("unconscious".into());
            f.record.emergency = switches(Some((true, masked)));
        })
    };
    let ahead = |mode| {
        with(&|f: &mut Facts| {
            (f.mode, f.ground) = (mode, Some(Ground::Team));
            (f.consent.in_team, f.consent.initial_team) = (Known::Yes, Known::Yes);
        })
    };
    let team = with(&|f: &mut Facts| {
        f.ground = Some(Ground::Team);
        (f.consent.in_team, f.consent.initial_team, f.consent.informed_at_event) = (Known::Yes, Known::Yes, Known::Yes);
    });
    let explicit = with(&|f: &mut Facts| (f.ground, f.consent.explicit) = (Some(Ground::Explicit), Known::Yes));
    let authorized = with(&|f: &mut Facts| f.ground = Some(Ground::Authorization));
    vec![
        ("normal", Ask::SeeDocument, authorized.clone()),
        ("normal", Ask::SeeDocument, team.clone()),
        ("normal", Ask::SeeDocument, explicit),
        // The emergency switch opens nothing outside an emergency.
        ("normal", Ask::SeeDocument, {
            let mut quiet = authorized.clone();
            quiet.record.emergency = switches(Some((true, true)));
            quiet
        }),
        ("urgent", Ask::SeeDocument, urgent(false)),
        ("urgent_masked", Ask::SeeDocument, urgent(true)),
        ("prefetch", Ask::PrefetchDocument, ahead(Mode::Prefetch)),
        ("prefetch", Ask::PrefetchDocument, ahead(Mode::Normal)),
        ("closed", Ask::SeeDocument, ahead(Mode::Prefetch)),
        ("closed", Ask::PrefetchDocument, authorized),
        ("closed", Ask::PrefetchDocument, urgent(true)),
        ("closed", Ask::SeeDocument, with(&|_: &mut Facts| {})),
        ("closed", Ask::SeeDocument, with(&|f: &mut Facts| f.ground = Some(Ground::Team))),
        ("closed", Ask::SeeDocument, Facts { holder: holders()[9].1.clone(), ..team.clone() }),
        ("closed", Ask::SeeDocument, {
            let mut work = team;
            work.holder.kind = ProfessionKind::OccupationalDoctor;
            work
        }),
    ]
}

/// All 128 sets of seven, and what they are.
pub fn label_sets() -> Vec<(Word, Vec<Label>)> {
    let all = [
        Label::Normal,
        Label::Restricted,
        Label::VeryRestricted,
        Label::InvisibleToPatient,
        Label::InvisibleToLegalRepresentatives,
        Label::MaskedToProfessionals,
        Label::Unknown("X".into()),
    ];
    (0_u32..128)
        .map(|bits| {
            let set: Vec<Label> = all
                .iter()
                .enumerate()
                .filter(|(at, _)| bits & (1 << at) != 0)
                .map(|(_, label)| label.clone())
                .collect();
            let (hidden, masked, unknown) = (bits & 8 != 0, bits & 32 != 0, bits & 64 != 0);
            let wrong = set.is_empty() || set.len() > 4 || unknown || (hidden && masked);
            (
                if wrong {
                    "wrong"
                } else if masked {
                    "masked"
                } else {
                    "plain"
                },
                set,
            )
        })
        .collect()
}
