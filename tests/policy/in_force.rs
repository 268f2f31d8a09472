//! Which matrix and which lists are in force: the newest that is signed and whose day has come; what is wrong is named, and
//! what was in force stays.

use chevet::policy::Matrix;
use chevet::policy::in_force::Given;
use chevet::policy::in_force::Kind;
use chevet::policy::in_force::Why;
use chevet::policy::in_force::choose_lists;
use chevet::policy::in_force::choose_matrix;
use chevet::policy::in_force::kind;
use chevet::policy::in_force::may_be_given;
use chevet::policy::matrix;
use chevet::policy::nomenclature::Lists;
use chevet::policy::nomenclature::list;
use chevet::policy::signed;
use chevet::policy::signed::Standing;
use chevet::time::UnixSeconds;
use chevet::time::Wall;

const MATRIX: &str = include_str!("../../data/matrix.csv");
const CLASSES: &str = include_str!("../../data/nomenclature/classes.csv");
const KEY: &str = include_str!("../../data/keys/development.key");
const SHIPPED: &str = "2026-11-23.1";

fn given(name: &str, text: &str) -> Given {
    let signature = signed::sign(text.as_bytes(), KEY, "development").expect("signed");
    Given { name: name.into(), bytes: text.as_bytes().to_vec(), signature }
}

fn matrix(version: &str, effective: &str) -> Given {
    let text = MATRIX.replace(SHIPPED, version).replace("effective: 2023-10-29", &format!("effective: {effective}"));
    given(version, &text)
}

fn classes(edition: &str, label: &str) -> Given {
    given(edition, &CLASSES.replace(SHIPPED, edition).replace("Synthèse,", &format!("{label},")))
}

fn at(text: &str) -> UnixSeconds {
    UnixSeconds::parse(text).expect("a time")
}

fn in_force(given: &[Given], now: Wall) -> String {
    choose_matrix(given, Standing::Desk, now).expect("one is in force").matrix.version
}

#[test]
fn the_newest_matrix_of_which_the_day_has_come_is_in_force() {
    let now = Wall::Is(at("2026-12-15"));
    assert_eq!(in_force(&[], now), SHIPPED);
    let both = [matrix("2026-12-01.2", "2026-12-10"), matrix("2026-12-01.1", "2026-12-01")];
    assert_eq!(in_force(&both, now), "2026-12-01.2");
    assert_eq!(in_force(&both, Wall::Is(at("2026-12-09T23:59:59Z"))), "2026-12-01.1");
    assert_eq!(in_force(&both, Wall::AtLeast(at("2026-11-01"))), SHIPPED, "a floor cannot tell that the day has come");
    assert_eq!(in_force(&both, Wall::AtLeast(at("2026-12-10"))), "2026-12-01.2");
    assert_eq!(in_force(&[matrix("2025-01-01.1", "2023-10-29")], now), SHIPPED, "older than the program's own");
}

#[test]
fn what_waits_for_its_day_is_said_once_and_only_while_it_waits() {
    let waits = |given: &[Given], day: &str| {
        choose_matrix(given, Standing::Desk, Wall::Is(at(day))).expect("one is in force").waiting
    };
    let next = [matrix("2026-12-01.1", "2026-12-10")];
    assert_eq!(waits(&next, "2026-12-09"), [("2026-12-01.1".to_owned(), "2026-12-10".to_owned())]);
    assert_eq!(waits(&next, "2026-12-10"), []);
    // Overtaken before its day came: it will never be in force.
    let overtaken = [matrix("2026-12-01.1", "2027-01-01"), matrix("2026-12-01.2", "2026-12-01")];
    assert_eq!(waits(&overtaken, "2026-12-10"), []);
    let the_same_again = [matrix("2026-12-01.1", "2027-01-01"), matrix("2026-12-01.1", "2026-12-01")];
    assert_eq!(waits(&the_same_again, "2026-12-10"), []);
}

#[test]
fn a_bad_matrix_is_left_aside_by_name_and_the_one_before_stays() {
    let now = Wall::Is(at("2026-12-15"));
    let mut forged = matrix("2026-12-02.1", "2026-12-01");
    forged.bytes.extend_from_slice(b"11490-0,60_69,1,deck\n");
    let twice = given("twice", &format!("{}15508-5,60_69,1,deck\n", MATRIX.replace(SHIPPED, "2026-12-03.1")));
    let against = given("against", &format!("{}15508-5,60_69,0,deck\n", MATRIX.replace(SHIPPED, "2026-12-03.1")));
    let unsigned = Given { signature: String::new(), ..matrix("2026-12-04.1", "2026-12-01") };
    let good = matrix("2026-12-01.1", "2026-12-01");
    let chosen =
        choose_matrix(&[forged, twice, against, good, unsigned], Standing::Desk, now).expect("one is in force");
    assert_eq!(chosen.matrix.version, "2026-12-01.1");
    let names: Vec<&str> = chosen.refused.iter().map(|refused| refused.name.as_str()).collect();
    assert_eq!(names, ["2026-12-02.1", "twice", "against", "2026-12-04.1"]);
    assert!(matches!(chosen.refused[0].why, Why::Matrix(matrix::Error::Signature { .. })));
    assert!(matches!(chosen.refused[1].why, Why::Matrix(matrix::Error::Twice { .. })));
    assert!(matches!(chosen.refused[2].why, Why::Matrix(matrix::Error::Contradiction { .. })));
    assert!(chosen.refused.iter().all(|refused| refused.why.sentence().ends_with('.')));
}

/// The shipped matrix is signed with the desk's key: a production kiosk has none until somebody signs one.
#[test]
fn production_believes_no_desk_key() {
    let now = Wall::Is(at("2026-12-15"));
    let chosen = choose_matrix(&[matrix("2026-12-01.1", "2026-12-01")], Standing::Production, now);
    assert!(matches!(chosen, Err(matrix::Error::Signature { .. })));
    let (lists, refused) = choose_lists(&[classes("2026-12-01.1", "Synthèses")], Standing::Production);
    assert_eq!((lists, refused.len()), (Lists::shipped(), 1));
}

#[test]
fn the_newest_edition_of_a_list_is_in_force() {
    let label = |given: &[Given]| {
        let (lists, refused) = choose_lists(given, Standing::Desk);
        let label = lists.named("classes").and_then(|list| list.value("11", "label")).map(str::to_owned);
        (label.expect("class 11"), refused.iter().map(|refused| refused.name.clone()).collect::<Vec<_>>())
    };
    let none: Vec<String> = vec![];
    assert_eq!(label(&[]), ("Synthèse".into(), none.clone()));
    let both = [classes("2026-12-02.1", "Deux"), classes("2026-12-01.1", "Un")];
    assert_eq!(label(&both), ("Deux".into(), none.clone()));
    let older = [classes("2026-01-01.1", "Vieux")];
    assert_eq!(label(&older), ("Synthèse".into(), none.clone()), "the program has caught up: no trouble");
    let lost = given("lost", &CLASSES.replace(SHIPPED, "2026-12-03.1").replace("\n95,", "\n96,"));
    let odd = given("odd", "code,label\n");
    let matrix_is_no_list = matrix("2026-12-01.1", "2026-12-01");
    assert_eq!(label(&[lost, odd, matrix_is_no_list]), ("Synthèse".into(), vec!["odd".into(), "lost".into()]));
}

#[test]
fn only_what_is_newer_and_signed_may_be_given_to_a_device() {
    let (in_force, lists) = (Matrix::shipped().expect("signed"), Lists::shipped());
    let may = |file: &Given| may_be_given(file, Standing::Desk, &in_force, &lists);
    assert_eq!(may(&matrix("2026-12-01.1", "2027-01-01")).ok().as_deref(), Some("matrix-2026-12-01.1"));
    assert_eq!(may(&classes("2026-12-01.1", "Un")).ok().as_deref(), Some("classes-2026-12-01.1"));
    assert!(matches!(may(&given("same", MATRIX)), Err(Why::Matrix(matrix::Error::Older { .. }))));
    assert!(matches!(may(&given("same", CLASSES)), Err(Why::List(list::Error::Older { .. }))));
    let unsigned = Given { signature: String::new(), ..matrix("2026-12-01.1", "2027-01-01") };
    assert!(matches!(may(&unsigned), Err(Why::Matrix(matrix::Error::Signature { .. }))));
    assert!(matches!(may(&given("odd", "x\n")), Err(Why::Neither)));
    for why in [may(&unsigned), may(&given("odd", "x\n")), may(&given("same", CLASSES))] {
        assert!(why.expect_err("refused").sentence().ends_with('.'));
    }
}

#[test]
fn a_file_says_what_it_is_in_its_first_line() {
    assert_eq!(kind(MATRIX.as_bytes()), Some(Kind::Matrix));
    assert_eq!(kind(CLASSES.as_bytes()), Some(Kind::List));
    assert_eq!(kind(format!("\u{feff}{CLASSES}").as_bytes()), Some(Kind::List));
    assert_eq!(kind(format!("#\n{CLASSES}").as_bytes()), None);
    assert_eq!(kind(b""), None);
}
