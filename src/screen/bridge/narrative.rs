//! A document's rows as styled text. Every run is escaped, and what the markup cannot style is shown plain: text is
//! never dropped (safety).

use crate::record::reading::Cell;
use crate::record::reading::Reading;
use crate::record::reading::Row;
use crate::record::reading::RowKind;
use crate::record::reading::Run;
use crate::record::reading::plain_text;
use crate::record::table::Grid;
use crate::record::table::columns_from;
use crate::record::table::is_table;
use crate::say::Lang;
use crate::screen::view::HEADER;
use chevet_ui::ReaderRow;
use chevet_ui::RowLook;
use chevet_ui::TableCell;
use slint::ModelRc;
use slint::SharedString;
use slint::StyledText;
use slint::VecModel;
use std::collections::HashSet;

/// The narrative. In a table each cell stands under its own column, whatever hangs down from above.
pub(super) fn rows(reading: &Reading) -> Vec<ReaderRow> {
    let begins: HashSet<usize> = reading.tables.iter().copied().collect();
    let mut grid = Grid::of(1);
    let mut rows = Vec::with_capacity(reading.rows.len());
    for (place, row) in reading.rows.iter().enumerate() {
        let goes_on = place > 0 && is_table(&reading.rows[place - 1]) && !begins.contains(&place);
        if is_table(row) && !goes_on {
            let end = (place + 1..reading.rows.len()).find(|next| begins.contains(next)).unwrap_or(reading.rows.len());
            grid = Grid::of(columns_from(&reading.rows[place..end]));
        }
        let cells = if is_table(row) { cells(row, &mut grid) } else { Vec::new() };
        rows.push(one(row, cells));
    }
    rows
}

/// With empty ones where no cell of this row stands, so that the widths of all rows are alike.
fn cells(row: &Row, grid: &mut Grid) -> Vec<TableCell> {
    let head = row.kind == RowKind::TableHead;
    let empty = |columns: usize| TableCell { columns: i32::try_from(columns).unwrap_or(1), ..TableCell::default() };
    let mut cells = Vec::with_capacity(row.cells.len());
    let mut next = 0;
    for (cell, (first, wide)) in row.cells.iter().zip(grid.places(&row.cells)) {
        if first > next {
            cells.push(empty(first - next));
        }
        cells.push(table_cell(cell, wide, head));
        next = next.max(first + wide);
    }
    if next < grid.columns() {
        cells.push(empty(grid.columns() - next));
    }
    cells
}

/// The header's lines under their heading; nothing where the document has none.
pub(super) fn header(lang: Lang, reading: &Reading) -> Vec<ReaderRow> {
    if reading.header.is_empty() {
        return Vec::new();
    }
    let heading =
        ReaderRow { look: RowLook::Heading, plain: SharedString::from(HEADER.within(lang)), ..ReaderRow::default() };
    let lines = reading.header.iter().map(|(label, value)| ReaderRow {
        look: RowLook::Label,
        marker: SharedString::from(label.as_str()),
        plain: SharedString::from(value.as_str()),
        ..ReaderRow::default()
    });
    std::iter::once(heading).chain(lines).collect()
}

fn one(row: &Row, cells: Vec<TableCell>) -> ReaderRow {
    let (look, marker) = match row.kind {
        RowKind::Heading => (RowLook::Heading, String::new()),
        RowKind::Paragraph => (RowLook::Paragraph, String::new()),
        RowKind::Bullet => (RowLook::Bullet, "•".to_owned()),
        // Its number is in the text already.
        RowKind::Numbered => (RowLook::Numbered, String::new()),
        RowKind::TableHead => (RowLook::TableHead, String::new()),
        RowKind::TableRow => (RowLook::TableRow, String::new()),
        RowKind::Footnote | RowKind::Picture => (RowLook::Footnote, String::new()),
    };
    ReaderRow {
        look,
        level: i32::from(row.level),
        marker: SharedString::from(marker),
        text: styled(&row.text, false),
        plain: SharedString::from(plain_text(&row.text)),
        cells: ModelRc::new(VecModel::from(cells)),
    }
}

fn table_cell(cell: &Cell, wide: usize, head: bool) -> TableCell {
    TableCell {
        text: styled(&cell.text, head),
        columns: i32::try_from(wide).unwrap_or(1),
        plain: SharedString::from(plain_text(&cell.text)),
    }
}

fn styled(runs: &[Run], all_bold: bool) -> StyledText {
    let plain = plain_text(runs);
    let in_style = all_bold || runs.iter().any(|run| run.bold || run.italic || run.underlined || run.struck);
    if !in_style || plain.trim().is_empty() {
        return StyledText::from_plain_text(&plain);
    }
    let markdown: String = runs.iter().map(|run| in_markdown(run, all_bold)).collect();
    StyledText::from_markdown(&markdown).unwrap_or_else(|_| StyledText::from_plain_text(&plain))
}

/// One run. Marks hug the words, for CommonMark styles nothing that begins or ends with a space.
fn in_markdown(run: &Run, all_bold: bool) -> String {
    let words = run.text.trim();
    if words.is_empty() {
        return escaped(&run.text);
    }
    let start = run.text.len() - run.text.trim_start().len();
    let (before, after) = (&run.text[..start], &run.text[start + words.len()..]);
    let mut set = escaped(words);
    if run.struck {
        set = format!("~~{set}~~");
    }
    if run.underlined {
        set = format!("<u>{set}</u>");
    }
    if run.italic {
        set = format!("*{set}*");
    }
    if run.bold || all_bold {
        set = format!("**{set}**");
    }
    format!("{before}{set}{after}")
}

/// CommonMark §2.4: any ASCII punctuation may be escaped. Line ends become spaces, so that no line begins a list.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '\n' | '\r' | '\t' => safe.push(' '),
            mark if mark.is_ascii_punctuation() => {
                safe.push('\\');
                safe.push(mark);
            }
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(kind: RowKind, level: u8) -> Row {
        Row { kind, level, text: vec![Run::plain("x")], cells: vec![] }
    }

    #[test]
    fn what_looks_like_markup_is_text() {
        let run = Run { text: "* 3 < 5 & [a](b) `c` #1 _x_ <script>".into(), bold: true, ..Run::default() };
        let markdown = in_markdown(&run, false);
        assert!(StyledText::from_markdown(&markdown).is_ok(), "{markdown}");
        assert!(markdown.starts_with("**\\* 3 \\<") && markdown.ends_with("\\<script\\>**"), "{markdown}");
    }

    #[test]
    fn marks_hug_the_words() {
        let run = Run { text: " à jeun ".into(), bold: true, italic: true, ..Run::default() };
        assert_eq!(in_markdown(&run, false), " ***à jeun*** ");
        assert_eq!(in_markdown(&Run::plain("  "), true), "  ");
    }

    #[test]
    fn a_number_stands_in_the_text_alone() {
        let list = Reading { rows: vec![row(RowKind::Numbered, 1), row(RowKind::Bullet, 1)], ..Reading::default() };
        let markers: Vec<String> = rows(&list).iter().map(|row| row.marker.to_string()).collect();
        assert_eq!(markers, ["", "•"], "render has numbered it already");
    }

    /// A value under another column's name would be worse than none.
    #[test]
    fn every_row_of_a_table_is_as_wide_as_the_table() {
        let cell = |text: &str, columns, rows| Cell { text: vec![Run::plain(text)], columns, rows };
        let table = |kind, cells| Row { kind, level: 0, text: vec![], cells };
        let three = |a, b, c| vec![cell(a, 1, 1), cell(b, 1, 1), cell(c, 1, 1)];
        let reading = Reading {
            rows: vec![
                table(RowKind::TableHead, three("Date", "Vaccin", "Lot")),
                table(RowKind::TableRow, vec![cell("2020", 1, 2), cell("Grippe", 1, 1), cell("A1", 1, 1)]),
                table(RowKind::TableRow, vec![cell("Tétanos", 1, 1), cell("B2", 1, 1)]),
                table(RowKind::TableRow, vec![cell("2021", 1, 1)]),
                table(RowKind::TableRow, vec![cell("seul", 1, 1)]),
            ],
            tables: vec![0, 4],
            ..Reading::default()
        };
        let told: Vec<Vec<(String, i32)>> = rows(&reading)
            .iter()
            .map(|row| slint::Model::iter(&row.cells).map(|cell| (cell.plain.to_string(), cell.columns)).collect())
            .collect();
        let own = |cells: &[(&str, i32)]| -> Vec<(String, i32)> {
            cells.iter().map(|(text, columns)| ((*text).to_owned(), *columns)).collect()
        };
        assert_eq!(told[2], own(&[("", 1), ("Tétanos", 1), ("B2", 1)]));
        assert_eq!(told[3], own(&[("2021", 1), ("", 2)]));
        assert_eq!(told[4], own(&[("seul", 1)]), "another table has widths of its own");
        for row in &told[..4] {
            assert_eq!(row.iter().map(|(_, columns)| columns).sum::<i32>(), 3);
        }
    }

    #[test]
    fn a_header_stands_apart_under_its_heading() {
        let reading = Reading {
            header: vec![("Auteur".into(), "Dr Test".into())],
            rows: vec![row(RowKind::Heading, 0)],
            ..Reading::default()
        };
        assert_eq!(rows(&reading).len(), 1);
        let header = header(Lang::French, &reading);
        let told: Vec<_> = header.iter().map(|row| (row.look, row.marker.as_str(), row.plain.as_str())).collect();
        assert_eq!(told, [(RowLook::Heading, "", HEADER.french), (RowLook::Label, "Auteur", "Dr Test")]);
        assert!(super::header(Lang::French, &Reading::default()).is_empty());
    }
}
