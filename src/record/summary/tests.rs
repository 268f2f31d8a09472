//! What a summary takes of a document, row by row, and what it must never leave out.

use super::*;
use crate::record::reading::Row;
use crate::record::reading::Run;
use crate::time::UnixSeconds;
use proptest::prelude::*;

fn cell(text: &str, columns: u16, rows: u16) -> Cell {
    Cell { text: vec![Run::plain(text)], columns, rows }
}

fn row(kind: RowKind, text: &str) -> Row {
    Row { kind, level: 0, text: vec![Run::plain(text)], cells: vec![] }
}

fn table(kind: RowKind, cells: Vec<Cell>) -> Row {
    Row { kind, level: 0, text: vec![], cells }
}

fn plain(kind: RowKind, texts: &[&str]) -> Row {
    table(kind, texts.iter().map(|text| cell(text, 1, 1)).collect())
}

/// One part over all rows.
fn told(rows: Vec<Row>, tables: Vec<usize>) -> Vec<String> {
    let parts = vec![Part { topic: Topic::Treatments, rows: 0..rows.len() }];
    lines(&Reading { rows, tables, parts, ..Reading::default() }).iter().map(as_text).collect()
}

fn as_text(line: &Line) -> String {
    let details = line.details.iter().map(|(head, value)| format!(" | {head}={value}"));
    format!("{}: {}{}", line.section, line.text, details.collect::<String>())
}

#[test]
fn a_row_is_named_by_what_it_is_about() {
    let rows = vec![
        row(RowKind::Heading, "Traitements"),
        plain(RowKind::TableHead, &["Date de début", "Date de fin", "Médicament", "Posologie"]),
        plain(RowKind::TableRow, &["11/08/2019", "-", "PLAVIX 75 mg", "1 cp/j"]),
        row(RowKind::Bullet, "À jeun."),
    ];
    let expected = ["Traitements: PLAVIX 75 mg | Date de début=11/08/2019 | Posologie=1 cp/j", "Traitements: À jeun."];
    assert_eq!(told(rows, vec![1]), expected);
}

#[test]
fn the_agent_of_an_allergy_comes_before_its_type() {
    let rows = vec![
        plain(RowKind::TableHead, &["Date", "Type d’allergie", "Agent responsable"]),
        plain(RowKind::TableRow, &["03/06/2018", "Allergie médicamenteuse", "Paracétamol"]),
    ];
    assert_eq!(told(rows, vec![0]), [": Paracétamol | Date=03/06/2018 | Type d’allergie=Allergie médicamenteuse"]);
}

/// A column named after another one would be worse than none.
#[test]
fn what_reaches_down_keeps_every_value_under_its_own_name() {
    let rows = vec![
        plain(RowKind::TableHead, &["Date", "Vaccin", "Lot"]),
        table(RowKind::TableRow, vec![cell("01/02/2020", 1, 2), cell("Grippe", 1, 1), cell("A1", 1, 1)]),
        plain(RowKind::TableRow, &["Tétanos", "B2"]),
        table(RowKind::TableRow, vec![cell("03/03/2021", 1, 1), cell("Rougeole et rubéole", 2, 1)]),
    ];
    let expected = [
        ": Grippe | Date=01/02/2020 | Lot=A1",
        ": Tétanos | Date=01/02/2020 | Lot=B2",
        ": Rougeole et rubéole | Date=03/03/2021",
    ];
    assert_eq!(told(rows, vec![0]), expected);
}

#[test]
fn heads_in_two_rows_name_a_column_together() {
    let rows = vec![
        table(RowKind::TableHead, vec![cell("Médicament", 1, 2), cell("Dose", 2, 1)]),
        plain(RowKind::TableHead, &["matin", "soir"]),
        plain(RowKind::TableRow, &["Metformine", "1", "2"]),
    ];
    assert_eq!(told(rows, vec![0]), [": Metformine | Dose matin=1 | Dose soir=2"]);
}

/// The second table has no heads of its own: those of the first are not its.
#[test]
fn a_table_never_borrows_the_heads_of_the_one_before() {
    let rows = vec![
        plain(RowKind::TableHead, &["Date", "Antécédent"]),
        plain(RowKind::TableRow, &["2018", "Fracture"]),
        plain(RowKind::TableRow, &["ECG", "normal"]),
    ];
    assert_eq!(told(rows, vec![0, 2]), [": Fracture | Date=2018", ": ECG | =normal"]);
}

#[test]
fn whom_to_call_is_in_the_header() {
    let header = vec![("Auteur".to_owned(), "Dr Test".to_owned()), (CONTACT.to_owned(), "NOM Anne, 01".to_owned())];
    let found = lines(&Reading { header, ..Reading::default() });
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].topic, as_text(&found[0])), (Topic::Contacts, format!(": NOM Anne, 01 | ={CONTACT}")));
}

/// What a child that was taken over may say of its rows.
#[test]
fn parts_that_lie_neither_panic_nor_repeat() {
    let rows = || vec![row(RowKind::Paragraph, "un"), row(RowKind::Paragraph, "deux")];
    let part = |start, end| Part { topic: Topic::History, rows: start..end };
    let of =
        |parts| lines(&Reading { rows: rows(), parts, tables: vec![9, 0, usize::MAX], ..Reading::default() }).len();
    assert_eq!(of(vec![part(0, usize::MAX), part(0, 2), part(1, 2)]), 2);
    let turned = vec![part(5, 1), part(7, 7)];
    assert_eq!(of(turned), 0);
    let wide = vec![table(RowKind::TableHead, vec![cell("a", u16::MAX, u16::MAX); 300]); 300];
    assert_eq!(told(wide, vec![]).len(), 0);
    let many = vec![row(RowKind::Paragraph, "ligne"); LINES_MAX + 9];
    assert_eq!(told(many, vec![]).len(), LINES_MAX);
}

fn document(kind: &str, day: i64) -> Document {
    use crate::record::document::*;
    Document {
        unique_id: UniqueId(format!("{kind}-{day}")),
        entry_uuid: String::new(),
        logical_id: None,
        type_code: TypeCode(kind.into()),
        type_label: String::new(),
        class_code: ClassCode("11".into()),
        title: String::new(),
        authors: vec![],
        labels: vec![],
        status: Status::Current,
        service_start: UnixSeconds(day),
        created: UnixSeconds(day),
        format_code: "urn:asip:ci-sis:vsm:2012".into(),
        attachment: Attachment { url: String::new(), content_type: "text/xml".into(), size_bytes: None, sha1: None },
        by_patient: false,
    }
}

#[test]
fn the_newest_synthesis_in_force_comes_first_and_pictures_are_not_read() {
    let mut all = [document("11369-6", 9), document("60591-5", 1), document("SYNTH", 3), document("60591-5", 5)];
    let places = |all: &[Document]| sources(&all.iter().collect::<Vec<&Document>>());
    assert_eq!(places(&all), [3, 0]);
    all[3].status = Status::Superseded;
    assert_eq!(places(&all), [2, 0]);
    all[2].format_code = "urn:ihe:iti:xds-sd:pdf:2008".into();
    assert_eq!(places(&all), [1, 0], "a picture of a page has no sections");
    assert!(places(&[document("11488-4", 1)]).is_empty());
}

/// Kinds, and for a table's row its cells' spans.
type Shapes = Vec<(RowKind, Vec<(u16, u16)>)>;

fn shapes() -> impl Strategy<Value = Shapes> {
    let kinds = prop::sample::select(vec![
        RowKind::Heading,
        RowKind::Paragraph,
        RowKind::Numbered,
        RowKind::TableHead,
        RowKind::TableRow,
        RowKind::TableRow,
        RowKind::Footnote,
    ]);
    prop::collection::vec((kinds, prop::collection::vec((0_u16..4, 0_u16..4), 0..5)), 0..12)
}

/// Each with words of its own.
fn rows(shapes: Shapes) -> Vec<Row> {
    let mut words = 0;
    let mut next = || {
        words += 1;
        format!("m{words}x")
    };
    let mut made = |(kind, spans): (RowKind, Vec<(u16, u16)>)| match kind {
        RowKind::TableHead | RowKind::TableRow => {
            table(kind, spans.into_iter().map(|(columns, rows)| cell(&next(), columns, rows)).collect())
        }
        _ => row(kind, &next()),
    };
    shapes.into_iter().map(&mut made).collect()
}

proptest! {
    /// Whatever the table looks like, no word of its body, and no sentence beside it, is left out.
    #[test]
    fn no_word_of_a_part_is_lost(shapes in shapes(), tables in prop::collection::vec(0_usize..12, 0..4)) {
        let rows = rows(shapes);
        let said = told(rows.clone(), tables).concat();
        for row in rows.iter().filter(|row| !matches!(row.kind, RowKind::Heading | RowKind::TableHead)) {
            let cells = row.cells.iter().map(|cell| plain_text(&cell.text));
            for word in std::iter::once(plain_text(&row.text)).chain(cells).filter(|word| !word.is_empty()) {
                prop_assert!(said.contains(&word), "{word} is lost in {said}");
            }
        }
    }
}
