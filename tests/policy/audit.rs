//! What each check of the access rules became: the duty in a few words, the rules that hold it, and where it is proven.
//! A rule that answers to no duty, or a duty without a rule, fails here.

use chevet::policy::rules::articles;
use std::collections::BTreeSet;

/// (duty, rules, proven in)
const DUTIES: &[(&str, &str, &str)] = &[
    ("a named professional, by a CPS or CPF", "I-01 I-02", "exhaustive, properties"),
    ("a profession that the matrix knows; interns of four professions", "I-03 I-04", "exhaustive, cells"),
    ("the record exists and is open; closed, by whom", "R-01 R-02 R-03 R-04", "exhaustive"),
    ("a blocked professional never, with or without authorization", "R-05", "exhaustive, properties"),
    ("authorization VALIDE, NON_EXISTE, EXPIRE, INTERDIT, unknown", "R-06 R-07 G-01 G-11", "exhaustive"),
    ("an authorization is added by the patient's yes alone", "G-10", "exhaustive, words"),
    ("care team: inscribed, initial consent (2025), told at this event", "G-02 G-12 G-14 G-15", "exhaustive"),
    ("outside the team: express consent each time", "G-03 G-16", "exhaustive"),
    ("a consent dated in the future is not believed", "G-13", "exhaustive"),
    ("a refusal or withdrawal wins; unknown is no", "C-01 C-02", "exhaustive"),
    ("EHPAD coordinating doctor: the resident's consent under either regime", "G-14", "exhaustive, words"),
    ("occupational doctor: express consent only, never urgent, never ahead", "K-01 E-02 P-05", "exhaustive, words"),
    (
        "bris de glace: mode and ground, reason of the list, no opposition",
        "E-03 E-04 E-05 E-06 E-07",
        "exhaustive, properties",
    ),
    ("centre 15 is the SAMU's own", "E-01", "exhaustive"),
    (
        "fetching ahead: its own mode, team, valid authorization, initial consent",
        "P-01 P-02 P-03 P-04 P-05",
        "exhaustive, documents",
    ),
    ("matrix: profession column × type; unknown is no", "M-01 M-02 M-03", "documents, cells"),
    (
        "masked: its author, the attending doctor, the administrator, the emergency switch",
        "L-03 L-04 L-10 L-11 L-12 L-13",
        "documents",
    ),
    ("labels: one to four, known, none that exclude each other", "L-01 L-02", "documents"),
    ("a document of which nothing, or not its status, is known; withdrawn ones", "D-01 D-02 D-03", "documents"),
    ("a minor's secret connection", "S-01 S-02 S-03 S-04 S-05 S-06 W-06 W-07", "secret, deposit"),
    ("depositing: open record, qualified INS, no authorization", "W-01 W-02 W-03 W-04", "deposit"),
    ("depositing: who may, which type, whose document", "W-05 W-08 W-09 W-10", "deposit"),
    (
        "brain death: forbidden; a signed framework in force, and never by consent, urgency or ahead",
        "B-01 B-02 B-03",
        "exhaustive, properties, deposit",
    ),
    ("what no rule permits is denied", "Z-00", "audit"),
];

#[test]
fn every_duty_has_its_rules_and_every_rule_its_duty() {
    let known: BTreeSet<&str> = articles().map(|article| article.rule.id).collect();
    let cited: BTreeSet<&str> = DUTIES.iter().flat_map(|(_, rules, _)| rules.split(' ')).collect();
    assert_eq!(known, cited);
    let files = include_str!("main.rs");
    for (duty, _, proven) in DUTIES {
        for file in proven.split(", ") {
            assert!(files.contains(&format!("mod {file};")), "{duty}: there is no {file}");
        }
    }
}
