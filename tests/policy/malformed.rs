//! Bad matrices: each is refused by name, and whatever was in force stays in force.

use chevet::policy::Matrix;
use chevet::policy::facts::Cell;
use chevet::policy::matrix::Column;
use chevet::policy::matrix::Error;
use chevet::policy::matrix::Source;
use chevet::policy::matrix::difference;
use chevet::policy::matrix::file;
use chevet::policy::matrix::import;
use chevet::policy::matrix::import::About;
use chevet::policy::signed;
use chevet::policy::signed::Standing;
use chevet::policy::table;
use chevet::record::document::TypeCode;
use chevet::time::UnixSeconds;
use chevet::time::Wall;
use proptest::prelude::*;

const SHIPPED: &str = include_str!("../../data/matrix.csv");
const SIGNATURE: &str = include_str!("../../data/matrix.sig");

fn refused(text: &str) -> Error {
    file::read(text.as_bytes()).expect_err("refused")
}

fn with(line: &str) -> String {
    format!("{SHIPPED}{line}\n")
}

#[test]
fn what_is_no_matrix_is_refused_by_name() {
    assert!(matches!(refused(""), Error::Table { .. }));
    assert!(matches!(refused("a,b\n"), Error::Lacks { .. }));
    assert!(matches!(refused(&SHIPPED.replace("# chevet-matrix: 1", "# chevet-matrix: 9")), Error::Lacks { .. }));
    assert!(matches!(refused(&SHIPPED.replace("# version: 2026-11-23.1", "# version: latest")), Error::Version { .. }));
    assert!(matches!(refused(&SHIPPED.replace("# version: 2026-11-23.1\n", "")), Error::Lacks { what: "version" }));
    let undated = SHIPPED.replace("# effective: 2023-10-29", "# effective: bientôt");
    assert!(matches!(refused(&undated), Error::Lacks { what: "effective day" }));
    for lacking in ["# source:", "# column:"] {
        let without: String =
            SHIPPED.lines().filter(|line| !line.starts_with(lacking)).map(|l| format!("{l}\n")).collect();
        assert_ne!(without, SHIPPED);
        assert!(matches!(refused(&without), Error::Lacks { what: "sources or columns" }), "{lacking}");
    }
    assert!(matches!(refused(&with("15508-5,60_69,1,deck")), Error::Twice { .. }));
    assert!(matches!(refused(&with("15508-5,60_69,0,deck")), Error::Contradiction { .. }));
    assert!(matches!(refused(&with("99999-9,60_69,1,deck")), Error::UnknownType { .. }));
    assert!(matches!(refused(&with("15508-5,61,1,deck")), Error::UnknownColumn { .. }));
    assert!(matches!(refused(&with("11490-0,60_69,oui,deck")), Error::Value { .. }));
    assert!(matches!(refused(&with("11490-0,60_69,1,rumeur")), Error::UnknownSource { .. }));
    assert!(matches!(refused(&with("11490-0,60_69,1")), Error::Table { .. }));
    let huge = format!("{SHIPPED}{}", "#\n".repeat(table::BYTES_MAX));
    assert!(matches!(refused(&huge), Error::Table { source: table::Error::TooLarge { .. } }));
    for text in ["", "a,b\n", &with("15508-5,60_69,0,deck"), &with("99999-9,60_69,1,deck"), &huge] {
        assert!(refused(text).sentence().ends_with('.'), "no sentence for people");
    }
}

#[test]
fn what_is_not_signed_is_not_read() {
    let open = |bytes: &[u8], signature, standing| Matrix::open(bytes, signature, standing);
    assert!(open(SHIPPED.as_bytes(), SIGNATURE, Standing::Desk).is_ok());
    let altered = SHIPPED.replacen("89601-9,60_69,0", "89601-9,60_69,1", 1);
    assert_ne!(altered, SHIPPED);
    let cause = |result: Result<Matrix, Error>| match result.expect_err("refused") {
        Error::Signature { source } => source,
        other => panic!("refused for another reason: {other}"),
    };
    assert_eq!(cause(open(altered.as_bytes(), SIGNATURE, Standing::Desk)), signed::Error::DoesNotFit);
    assert!(matches!(cause(open(SHIPPED.as_bytes(), "", Standing::Desk)), signed::Error::Form { .. }));
    let in_production = cause(open(SHIPPED.as_bytes(), SIGNATURE, Standing::Production));
    assert_eq!(in_production, signed::Error::NotForProduction { name: "development" });
    assert!(Matrix::shipped_for(Standing::Production).is_err());
}

fn about(version: &str) -> About {
    let source = Source { id: "publication".into(), date: "2026-12-01".into(), text: "Journal officiel".into() };
    About { version: version.into(), effective: "2026-12-01".into(), source }
}

#[test]
fn the_official_csv_becomes_our_own_form_and_says_what_it_changes() {
    let in_force = Matrix::shipped().expect("signed and readable");
    let text = "classCode;typeCode;typeLabel;60_69;40\n10;15508-5;CR d'accouchement;0;\n10;11490-0;Lettre;1;?\n";
    let read = import::from_csv(text.as_bytes(), about("2026-12-01.1"), &in_force).expect("read");
    let (nurse, dentist) = (Column("60_69".into()), Column("40".into()));
    assert_eq!(read.value(&nurse, &TypeCode("15508-5".into())), Cell::No);
    assert_eq!(read.value(&dentist, &TypeCode("15508-5".into())), Cell::Unknown, "an empty cell is never a no");
    assert_eq!(read.known(), (2, 1326));
    assert!(read.may_replace(&in_force).is_ok());
    let again = file::read(file::write(&read).as_bytes()).expect("our own form");
    assert_eq!(again, read);
    let changes = difference::changes(&in_force, &read);
    assert_eq!(changes.len(), 297 + 1, "one turns, one is new, and what it does not say is unknown again");
    assert_eq!(difference::changes(&read, &again), []);
}

#[test]
fn a_bad_publication_is_refused_by_name() {
    let in_force = Matrix::shipped().expect("signed and readable");
    let read = |text: &str| import::from_csv(text.as_bytes(), about("2026-12-01.1"), &in_force);
    let head = "classCode,typeCode,typeLabel,60_69\n";
    assert!(matches!(read("typeCode,60_69\n"), Err(Error::Lacks { .. })));
    assert!(matches!(read("classCode,typeCode,typeLabel,61\n"), Err(Error::UnknownColumn { .. })));
    assert!(matches!(read(&format!("{head}10,99999-9,x,1\n")), Err(Error::UnknownType { .. })));
    assert!(matches!(read(&format!("{head}10,15508-5,x,1\n10,15508-5,x,1\n")), Err(Error::Twice { .. })));
    assert!(matches!(read(&format!("{head}10,15508-5,x,X\n")), Err(Error::Value { .. })));
    let older = import::from_csv(head.as_bytes(), about("2026-11-23.1"), &in_force).expect("read");
    assert!(matches!(older.may_replace(&in_force), Err(Error::Older { .. })));
    assert!(import::from_csv(head.as_bytes(), about("demain"), &in_force).is_err());
}

/// One page of the official JSON: one type, for one profession.
fn page(name: &str, code: u16, kind: &str, yes: bool, next: &str) -> String {
    format!(
        r#"{{"profession":{{"name":"{name}","field_code_profession":{code}}},"category":{{"name":"Compte rendu","field_code_categorie_document":10}},
        "result":[{{"field_consultation_document":{yes},"field_type_de_document":{{"field_code_loinc":"{kind}","name":"x"}}}}],"nextUrl":{next}}}"#
    )
}

fn from_json(json: String) -> Result<Matrix, Error> {
    let in_force = Matrix::shipped().expect("signed and readable");
    import::from_json(json.as_bytes(), about("2026-12-01.1"), &in_force)
}

#[test]
fn the_official_json_is_read_page_by_page() {
    let pages = [
        page("Infirmier", 60, "15508-5", true, "\"/2\""),
        page("Infirmier psychiatrique", 69, "15508-5", true, "null"),
        page("Pharmacien biologiste", 21, "15508-5", false, "null"),
    ];
    let matrix = from_json(format!("[{}]", pages.join(","))).expect("read");
    assert_eq!(matrix.known().0, 2);
    assert_eq!(matrix.value(&Column("21b_biologiste".into()), &TypeCode("15508-5".into())), Cell::No);
    let against = [page("Infirmier", 60, "15508-5", true, "null"), page("Autre", 69, "15508-5", false, "null")];
    assert!(matches!(from_json(format!("[{}]", against.join(","))), Err(Error::Contradiction { .. })));
    assert!(matches!(from_json(page("Infirmier", 60, "15508-5", true, "\"/2\"")), Err(Error::Json { .. })));
    assert!(matches!(from_json("{\"data\":1}".into()), Err(Error::Json { .. })));
    assert!(matches!(from_json("[]".into()), Err(Error::Json { .. })));
    assert!(matches!(from_json("nonsense".into()), Err(Error::Json { .. })));
}

#[test]
fn a_refused_page_is_named_by_its_number() {
    let good = page("Infirmier", 60, "15508-5", true, "null");
    let second = |wrong: String| from_json(format!("[{good},{wrong}]")).expect_err("refused");
    let column = second(page("Psychologue", 93, "15508-5", true, "null"));
    assert!(matches!(&column, Error::UnknownColumn { line: 2, found } if found == "93"), "{column}");
    let kind = second(page("Infirmier", 60, "99999-9", true, "null"));
    assert!(matches!(kind, Error::UnknownType { line: 2, .. }), "{kind}");
}

#[test]
fn a_pharmacists_column_is_told_by_the_pages_name() {
    let kind = TypeCode("15508-5".into());
    for (name, column) in [
        ("Pharmacien biologiste", "21b_biologiste"),
        ("Pharmacien d’officine", "21b_officine_pui"),
        ("Pharmacien de PUI", "21b_officine_pui"),
    ] {
        let matrix = from_json(page(name, 21, &kind.0, true, "null")).expect("read");
        let told: Vec<_> = matrix.columns().iter().filter(|of| matrix.value(of, &kind) == Cell::Yes).collect();
        assert_eq!(told, [&Column(column.into())], "{name}");
    }
    for name in ["Pharmacien", "Pharmacien biologiste d’officine"] {
        assert!(matches!(from_json(page(name, 21, &kind.0, true, "null")), Err(Error::UnknownColumn { .. })), "{name}");
    }
}

#[test]
fn a_publication_may_be_as_large_as_the_limit_and_no_larger() {
    let good = page("Infirmier", 60, "15508-5", true, "null");
    let filled = |bytes: usize| from_json(format!("{good}{}", " ".repeat(bytes - good.len())));
    assert!(filled(table::BYTES_MAX).is_ok());
    for bytes in [table::BYTES_MAX + 1, 2 * table::BYTES_MAX] {
        let huge = filled(bytes).expect_err("refused");
        assert!(matches!(huge, Error::Table { source: table::Error::TooLarge { found } } if found == bytes), "{huge}");
    }
}

#[test]
fn a_matrix_has_its_day() {
    let matrix = Matrix::shipped().expect("signed and readable");
    let day = UnixSeconds::parse("2023-10-29").expect("a day");
    assert_eq!(matrix.is_effective(Wall::Is(day)), Some(true));
    assert_eq!(matrix.is_effective(Wall::Is(day.plus(-1))), Some(false));
    assert_eq!(matrix.is_effective(Wall::AtLeast(day.plus(-1))), None);
}

proptest! {
    /// No bytes make a reader panic, and what is read is bounded by what was given.
    #[test]
    fn any_bytes_are_survived(tail in proptest::collection::vec(any::<u8>(), 0..300), cut in 0..SHIPPED.len()) {
        let in_force = Matrix::shipped().expect("signed and readable");
        let mut bytes = SHIPPED.as_bytes()[..cut].to_vec();
        bytes.extend_from_slice(&tail);
        let _any_answer = file::read(&bytes);
        let _any_answer = import::from_json(&tail, about("2026-12-01.1"), &in_force);
        let publication = [b"classCode,typeCode,typeLabel,60_69\n10,15508-5,".as_slice(), &tail].concat();
        if let Ok(matrix) = import::from_csv(&publication, about("2026-12-01.1"), &in_force) {
            prop_assert!(matrix.known().0 <= 300);
        }
    }
}
