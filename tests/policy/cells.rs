//! Every cell of the shipped matrix, against what was published, typed here again by hand: a line a type as the deck
//! prints it, and the press's sentences as lists.

use chevet::identity::holder::ProfessionCode;
use chevet::policy::Matrix;
use chevet::policy::facts::Cell;
use chevet::policy::facts::ProfessionKind;
use chevet::policy::matrix::Column;
use chevet::policy::matrix::Place;
use chevet::policy::nomenclature;
use chevet::record::document::TypeCode;
use std::collections::HashMap;

/// The deck's thirteen columns, in its order.
const COLUMNS: [&str; 13] = [
    "10",
    "21b_biologiste",
    "21b_officine_pui",
    "40",
    "50",
    "60_69",
    "70",
    "80",
    "91",
    "92_94_95_96",
    "26_81_82_83_84_85",
    "28",
    "98",
];

/// X: allowed, a dot: not.
const DECK: &[(&str, &str)] = &[
    ("DOCPAT03", "XXXXXXXXXX..."),
    ("DOCPAT05", "XXXXXXXX....X"),
    ("DOCPAT06", "XXXXXXXXXX..X"),
    ("15508-5", "XXXXXXX......"),
    ("70004-7", "XXXXXXXXXX..X"),
    ("75492-9", "XXXXXXXXXX..X"),
    ("11505-5", "XXXXXXXXXX..."),
    ("75482-0", "XXXXXXXXXX..."),
    ("67851-6", "XXXXXXX.XX..X"),
    ("11526-1", "XXXXXXXXXX..X"),
    ("77436-4", "XXXXXXX.XX..."),
    ("BIL_AUTO", "XXXXXXXXXXX.."),
    ("47420-5", "XXXXXXXXXXXX."),
    ("34749-2", "XXXXXXX.XX..X"),
    ("78513-9", "XXXXXXXXXX.XX"),
];

/// « Tous les documents sauf l'attestation de résidence ».
const DOCTORS_NOT: &str = "ATTEST-RESID";
const NURSES_YES: [&str; 7] = ["83981-1", "DOCPAT06", "47420-5", "11502-2", "15507-7", "56445-0", "PROT_ALD"];
const NURSES_NOT: [&str; 5] = ["75496-0", "68599-0", "83901-9", "68817-6", "89601-9"];
const DENTISTS_NOT: [&str; 5] = ["80788-3", "75496-0", "83981-1", "83901-9", "68599-0"];

fn published() -> HashMap<(&'static str, &'static str), Cell> {
    let mut cells = HashMap::new();
    for (kind, marks) in DECK {
        for (column, mark) in COLUMNS.iter().zip(marks.chars()) {
            cells.insert((*kind, *column), if mark == 'X' { Cell::Yes } else { Cell::No });
        }
    }
    cells.extend(NURSES_YES.map(|kind| ((kind, "60_69"), Cell::Yes)));
    cells.extend(NURSES_NOT.map(|kind| ((kind, "60_69"), Cell::No)));
    cells.extend(DENTISTS_NOT.map(|kind| ((kind, "40"), Cell::No)));
    cells
}

#[test]
fn every_cell_is_what_was_published_or_unknown() {
    let matrix = Matrix::shipped().expect("signed and readable");
    let published = published();
    let (mut cells, mut known) = (0, 0);
    for kind in nomenclature::dmp_types() {
        for column in COLUMNS {
            let expected = match (column, kind.0.as_str()) {
                ("10", DOCTORS_NOT) => Cell::No,
                ("10", _) => Cell::Yes,
                (column, kind) => published.get(&(kind, column)).copied().unwrap_or(Cell::Unknown),
            };
            let column = Column(column.into());
            assert_eq!(matrix.value(&column, &kind), expected, "{} × {}", kind.0, column.0);
            assert_eq!(matrix.origin(&column, &kind).is_some(), expected != Cell::Unknown, "{} × {}", kind.0, column.0);
            cells += 1;
            known += usize::from(expected != Cell::Unknown);
        }
    }
    println!("policy: {cells} cells, {known} known, each as published");
    assert_eq!((cells, known), (1326, 297));
    assert_eq!(matrix.known(), (known, cells));
    assert_eq!(matrix.types().len(), 102);
}

#[test]
fn every_profession_stands_where_the_publication_prints_it() {
    let matrix = Matrix::shipped().expect("signed and readable");
    let printed: [(&str, &[u16]); 11] = [
        ("10", &[10]),
        ("40", &[40]),
        ("50", &[50]),
        ("60_69", &[60, 69]),
        ("70", &[70]),
        ("80", &[80]),
        ("91", &[91]),
        ("92_94_95_96", &[92, 94, 95, 96]),
        ("26_81_82_83_84_85", &[26, 81, 82, 83, 84, 85]),
        ("28", &[28]),
        ("98", &[98]),
    ];
    for code in 0..=999 {
        let place = Place::of(Some(ProfessionCode(code)), None);
        let expected: Vec<&str> = match code {
            21 => vec!["21b_biologiste", "21b_officine_pui"],
            _ => printed.iter().filter(|(_, codes)| codes.contains(&code)).map(|(id, _)| *id).collect(),
        };
        let found: Vec<&str> = place.columns.iter().map(|column| column.0.as_str()).collect();
        assert_eq!(found, expected, "profession {code}");
        assert_eq!(place.kind == ProfessionKind::WithoutColumn, expected.is_empty(), "profession {code}");
        assert!(place.columns.iter().all(|column| matrix.columns().contains(column)), "profession {code}");
    }
    let sections = [
        ("21b_biologiste", vec!["G", "EG"]),
        ("21b_officine_pui", vec!["A", "D", "DA", "DM", "EA", "ED", "H", "EH"]),
        ("", vec!["B", "C", "EB", "EC", "E", "M", "Z", ""]),
    ];
    for (column, codes) in sections {
        for code in codes {
            let place = Place::of(Some(ProfessionCode(21)), Some(code));
            let found: Vec<&str> = place.columns.iter().map(|column| column.0.as_str()).collect();
            assert_eq!(found, if column.is_empty() { vec![] } else { vec![column] }, "section {code}");
        }
    }
}

/// Said twice the same: said. Said twice and against itself: unknown.
#[test]
fn a_contradiction_is_no_answer() {
    let column = Column("a".into());
    let twice = |first, second| {
        let row = |cell| (TypeCode("t".into()), vec![cell]);
        Matrix::new("1".into(), vec![column.clone()], vec![row(first), row(second)])
            .value(&column, &TypeCode("t".into()))
    };
    assert_eq!(twice(Cell::Yes, Cell::Yes), Cell::Yes);
    assert_eq!(twice(Cell::No, Cell::No), Cell::No);
    assert_eq!(twice(Cell::Unknown, Cell::No), Cell::No);
    assert_eq!(twice(Cell::Yes, Cell::No), Cell::Unknown);
}

/// Types that begin alike are still apart, and so are those that end in nothing.
#[test]
fn a_row_is_found_by_its_whole_code() {
    let column = Column("a".into());
    let codes = ["ATTEST-DECES-2", "ATTEST-DECES", "ATTEST-DROITS", "ATTEST-D", "A", "A\0", "Z"];
    let cells = [Cell::Yes, Cell::No, Cell::Unknown, Cell::No, Cell::Yes, Cell::No, Cell::Yes];
    let rows = codes.iter().zip(cells).map(|(code, cell)| (TypeCode((*code).into()), vec![cell])).collect();
    let matrix = Matrix::new("1".into(), vec![column.clone()], rows);
    for (code, cell) in codes.iter().zip(cells) {
        assert_eq!(matrix.value(&column, &TypeCode((*code).into())), cell, "{code}");
    }
    for code in ["ATTEST-DEC", "ATTEST-DECES-", "ATTEST-DROITS-AM", "", "B", "ZZ"] {
        assert_eq!(matrix.value(&column, &TypeCode(code.into())), Cell::Unknown, "{code}");
    }
    assert!(matrix.types().is_sorted());
}

/// Only what both columns allow.
#[test]
fn a_pharmacist_without_a_section_gets_the_narrower_answer() {
    let column = |id: &str| Column(id.into());
    let both = Place { kind: ProfessionKind::Pharmacist, columns: vec![column("a"), column("b")] };
    let values = [Cell::Yes, Cell::No, Cell::Unknown];
    for first in values {
        for second in values {
            let row = (TypeCode("t".into()), vec![first, second]);
            let matrix = Matrix::new("1".into(), vec![column("a"), column("b")], vec![row]);
            let expected = match (first, second) {
                (Cell::Yes, Cell::Yes) => Cell::Yes,
                (Cell::No, _) | (_, Cell::No) => Cell::No,
                _ => Cell::Unknown,
            };
            assert_eq!(matrix.cell(&both, &TypeCode("t".into())), expected, "{first:?} {second:?}");
            assert_eq!(matrix.cell(&both, &TypeCode("other".into())), Cell::Unknown);
        }
    }
    let nowhere = Place { kind: ProfessionKind::WithoutColumn, columns: vec![] };
    let matrix = Matrix::shipped().expect("signed and readable");
    assert_eq!(matrix.cell(&nowhere, &TypeCode("15508-5".into())), Cell::Unknown);
}
