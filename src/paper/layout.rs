//! Rows → marks on pages of A4. All of it flows in lines: a page may end after any of them, in a table too.

use crate::paper::Code;
use crate::paper::Error;
use crate::paper::HEIGHT_PT;
use crate::paper::PAGES_MAX;
use crate::paper::Sheet;
use crate::paper::WIDTH_PT;
use crate::paper::face::Faces;
use crate::paper::face::plainer;
use crate::paper::lines::Line;
use crate::paper::lines::Piece;
use crate::paper::lines::wrap;
use crate::record::reading::Cell;
use crate::record::reading::Row;
use crate::record::reading::RowKind;
use crate::record::reading::Run;
use crate::record::table::Grid;
use crate::record::table::columns_from;
use crate::record::table::is_table;

/// Where something stands on a page; `y` downwards from the top, of a text its base line.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Mark {
    Text {
        y: f32,
        size: f32,
        piece: Piece,
    },
    Rule {
        x: f32,
        y: f32,
        width: f32,
    },
    /// Its top left corner and the length of its side.
    Code {
        x: f32,
        y: f32,
        side: f32,
        code: Code,
    },
}

#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Laid {
    pub marks: Vec<Mark>,
}

/// At least one page, unless there is nothing to say.
pub(super) fn lay(sheet: &Sheet, faces: &Faces<'_>) -> Result<Vec<Laid>, Error> {
    let mut flow = Flow { pages: vec![Laid::default()], y: TOP, faces };
    flow.block(&bold(&sheet.title), TITLE, 0.0);
    flow.gap(6.0);
    for (label, value) in &sheet.reading.header {
        let label = Cell { text: bold(label), columns: 1, rows: 1 };
        let value = Cell { text: vec![Run::plain(value.clone())], columns: 2, rows: 1 };
        flow.cells(&mut Grid::of(3), &[label, value], false);
    }
    let said = sheet.reading.words();
    let lacking = said.chars().filter_map(plainer).any(|letter| faces.lacks(letter));
    let boxes = lacking.then(|| SIGNS_LACKING.to_owned());
    for notice in sheet.reading.notices.iter().chain(&boxes) {
        let notice = Run { italic: true, ..Run::plain(notice.clone()) };
        flow.block(&[notice], SMALL, 0.0);
    }
    if !sheet.reading.header.is_empty() || !sheet.reading.notices.is_empty() {
        flow.rule();
    }
    let mut grid = Grid::of(1);
    for (at, row) in sheet.reading.rows.iter().enumerate() {
        let goes_on = at > 0 && is_table(row) && is_table(&sheet.reading.rows[at - 1]);
        if is_table(row) && !goes_on {
            grid = Grid::of(columns_from(&sheet.reading.rows[at..]));
        }
        flow.row(row, &mut grid);
        if flow.pages.len() > PAGES_MAX {
            return Err(Error::TooLong { pages: flow.pages.len() });
        }
    }
    if let Some(code) = &sheet.code {
        flow.code(code);
    }
    Ok(flow.pages)
}

fn bold(text: &str) -> Vec<Run> {
    vec![Run { bold: true, ..Run::plain(text) }]
}

struct Flow<'a> {
    pages: Vec<Laid>,
    /// Where the next line's top is.
    y: f32,
    faces: &'a Faces<'a>,
}

impl Flow<'_> {
    fn row(&mut self, row: &Row, grid: &mut Grid) {
        let indent = f32::from(row.level.min(LEVELS_MAX)) * INDENT;
        match row.kind {
            RowKind::Heading => {
                let size = HEADINGS[usize::from(row.level).min(HEADINGS.len() - 1)];
                self.gap(size * 0.6);
                // A heading alone at the foot of a page heads nothing.
                if self.y + 3.0 * size * LEADING > BOTTOM {
                    self.turn();
                }
                let text: Vec<Run> = row.text.iter().map(|run| Run { bold: true, ..run.clone() }).collect();
                self.block(&text, size, 0.0);
            }
            RowKind::Paragraph | RowKind::Numbered | RowKind::Picture => self.block(&row.text, BODY, indent),
            RowKind::Bullet => {
                let from = (self.pages.len(), self.y);
                self.block(&row.text, BODY, indent + BULLET);
                let (page, top) = if self.pages.len() > from.0 && from.1 + BODY * LEADING > BOTTOM {
                    (from.0, TOP)
                } else {
                    (from.0 - 1, from.1)
                };
                let bullet = self.piece("•", indent, BODY);
                self.pages[page].marks.push(Mark::Text { y: top + BODY, size: BODY, piece: bullet });
            }
            RowKind::Footnote => self.block(&row.text, SMALL, indent),
            RowKind::TableHead | RowKind::TableRow => {
                self.cells(grid, &row.cells, row.kind == RowKind::TableHead);
                self.rule();
            }
        }
        self.gap(2.0);
    }

    fn piece(&self, text: &str, x: f32, size: f32) -> Piece {
        let style = crate::paper::face::Style::Regular;
        let width = self.faces.width(text, size);
        Piece { x: LEFT + x, width, text: text.to_owned(), style, underlined: false, struck: false }
    }

    fn block(&mut self, runs: &[Run], size: f32, indent: f32) {
        for line in wrap(runs, ACROSS - indent, size, self.faces) {
            self.line(vec![(LEFT + indent, line)], size);
        }
    }

    /// All cells' first lines, then all their second ones.
    fn cells(&mut self, grid: &mut Grid, cells: &[Cell], is_head: bool) {
        let column = ACROSS / grid.columns() as f32;
        let places = grid.places(cells);
        let size = if grid.columns() > 5 { SMALL } else { BODY };
        let wrapped: Vec<(f32, Vec<Line>)> = cells
            .iter()
            .zip(places)
            .map(|(cell, (first, wide))| {
                let text: Vec<Run> =
                    cell.text.iter().map(|run| Run { bold: run.bold || is_head, ..run.clone() }).collect();
                let width = column * wide as f32 - CELL_GAP;
                (LEFT + column * first as f32, wrap(&text, width, size, self.faces))
            })
            .collect();
        let deepest = wrapped.iter().map(|(_, lines)| lines.len()).max().unwrap_or(0);
        for at in 0..deepest {
            let side_by_side = wrapped.iter().filter_map(|(x, lines)| Some((*x, lines.get(at)?.clone()))).collect();
            self.line(side_by_side, size);
        }
    }

    fn line(&mut self, beside: Vec<(f32, Line)>, size: f32) {
        if self.y + size * LEADING > BOTTOM {
            self.turn();
        }
        let y = self.y + size;
        let page = self.pages.last_mut().expect("a flow has a page");
        for (x, line) in beside {
            for piece in line {
                page.marks.push(Mark::Text { y, size, piece: Piece { x: x + piece.x, ..piece } });
            }
        }
        self.y += size * LEADING;
    }

    fn rule(&mut self) {
        self.y += 2.0;
        let y = self.y.min(BOTTOM);
        self.pages.last_mut().expect("a flow has a page").marks.push(Mark::Rule { x: LEFT, y, width: ACROSS });
        self.y += 4.0;
    }

    /// In one piece, its quiet zone of four modules around it (ISO/IEC 18004 §6.3.8).
    fn code(&mut self, code: &Code) {
        let quiet = CODE_SIDE / code.side as f32 * 4.0;
        if self.y + CODE_SIDE + 2.0 * quiet > BOTTOM {
            self.turn();
        }
        let mark = Mark::Code { x: LEFT + quiet, y: self.y + quiet, side: CODE_SIDE, code: code.clone() };
        self.pages.last_mut().expect("a flow has a page").marks.push(mark);
        self.y += CODE_SIDE + 2.0 * quiet;
    }

    fn gap(&mut self, points: f32) {
        if self.y > TOP {
            self.y += points;
        }
    }

    fn turn(&mut self) {
        self.pages.push(Laid::default());
        self.y = TOP;
    }
}

const LEFT: f32 = 51.0;
pub(super) const ACROSS: f32 = WIDTH_PT - 2.0 * LEFT;
const TOP: f32 = 51.0;
/// The foot is below it.
pub(super) const BOTTOM: f32 = HEIGHT_PT - 62.0;
/// Points.
const TITLE: f32 = 17.0;
const HEADINGS: [f32; 3] = [14.0, 12.5, 11.5];
const BODY: f32 = 10.5;
pub(super) const SMALL: f32 = 9.0;
/// A line's height by its size.
const LEADING: f32 = 1.35;
const INDENT: f32 = 14.0;
const BULLET: f32 = 11.0;
const CELL_GAP: f32 = 6.0;
const LEVELS_MAX: u8 = 8;
/// 62 mm: half a millimetre a module at version 25.
const CODE_SIDE: f32 = 176.0;
const SIGNS_LACKING: &str =
    "Des signes de ce texte n’existent pas dans la police de la borne : ils sont imprimés comme des rectangles.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::reading::Reading;
    use proptest::prelude::*;

    fn row(kind: RowKind, text: &str) -> Row {
        Row { kind, level: 0, text: vec![Run::plain(text)], cells: vec![] }
    }

    fn cell(text: &str, columns: u16, rows: u16) -> Cell {
        Cell { text: vec![Run::plain(text)], columns, rows }
    }

    fn sheet(rows: Vec<Row>) -> Sheet {
        let header = vec![("Patient".to_owned(), "TEST Anne".to_owned())];
        Sheet {
            title: "Compte rendu".into(),
            reading: Reading { header, rows, ..Reading::default() },
            code: None,
            foot: String::new(),
        }
    }

    fn laid(rows: Vec<Row>) -> Vec<Laid> {
        lay(&sheet(rows), &Faces::read(None).expect("our fonts")).expect("short enough")
    }

    /// Letters in reading order: by page, then by base line, then from the left.
    fn letters(pages: &[Laid]) -> String {
        let mut all = String::new();
        for page in pages {
            let mut texts: Vec<(&f32, &Piece)> = page
                .marks
                .iter()
                .filter_map(|mark| if let Mark::Text { y, piece, .. } = mark { Some((y, piece)) } else { None })
                .collect();
            texts.sort_by(|(y, piece), (other_y, other)| y.total_cmp(other_y).then(piece.x.total_cmp(&other.x)));
            texts.iter().for_each(|(_, piece)| all.push_str(&piece.text));
        }
        all.chars().filter(|letter| !letter.is_whitespace()).collect()
    }

    fn place_of(pages: &[Laid], text: &str) -> (usize, f32, f32) {
        for (number, page) in pages.iter().enumerate() {
            for mark in &page.marks {
                if let Mark::Text { y, piece, .. } = mark
                    && piece.text == text
                {
                    return (number, piece.x, *y);
                }
            }
        }
        panic!("{text} is on no page");
    }

    #[test]
    fn a_cell_that_spans_pushes_what_follows_aside() {
        let table = |cells| Row { kind: RowKind::TableRow, level: 0, text: vec![], cells };
        let pages = laid(vec![
            table(vec![cell("A", 1, 2), cell("B", 1, 1), cell("C", 1, 1)]),
            table(vec![cell("D", 2, 1)]),
            table(vec![cell("E", 1, 1), cell("F", 1, 1), cell("G", 1, 1)]),
        ]);
        let x = |text| place_of(&pages, text).1;
        assert_eq!(x("A"), x("E"));
        assert_eq!(x("B"), x("D"), "beside what hangs down from above");
        assert_eq!(x("C"), x("G"));
        assert!(x("A") < x("B") && x("B") < x("C"));
    }

    #[test]
    fn a_heading_is_never_alone_at_the_foot_of_a_page() {
        for lines in 30..60 {
            let mut rows: Vec<Row> = (0..lines).map(|_| row(RowKind::Paragraph, "ligne")).collect();
            rows.push(row(RowKind::Heading, "Conclusion"));
            rows.push(row(RowKind::Paragraph, "fin"));
            let pages = laid(rows);
            assert_eq!(place_of(&pages, "Conclusion").0, place_of(&pages, "fin").0, "{lines} lines before it");
        }
    }

    #[test]
    fn a_bullet_stands_before_its_text() {
        for lines in 40..60 {
            let mut rows: Vec<Row> = (0..lines).map(|_| row(RowKind::Paragraph, "ligne")).collect();
            rows.push(row(RowKind::Bullet, "Paracétamol"));
            let pages = laid(rows);
            let (bullet, text) = (place_of(&pages, "•"), place_of(&pages, "Paracétamol"));
            assert_eq!((bullet.0, bullet.2), (text.0, text.2), "{lines} lines before it");
            assert!(bullet.1 < text.1);
        }
    }

    #[test]
    fn a_book_is_refused() {
        let rows = vec![row(RowKind::Paragraph, "ligne"); 4000];
        let laid = lay(&sheet(rows), &Faces::read(None).expect("our fonts"));
        assert!(matches!(laid, Err(Error::TooLong { .. })));
    }

    #[test]
    fn signs_that_cannot_be_printed_are_told() {
        let told = SIGNS_LACKING.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
        assert!(
            !letters(&laid(vec![row(RowKind::Paragraph, "Température 38,5 °C, SpO2 ≥ 95 %, 5 µg")])).contains(&told)
        );
        assert!(letters(&laid(vec![row(RowKind::Paragraph, "体温")])).contains(&told));
    }

    fn any_row() -> impl Strategy<Value = (RowKind, String, u8)> {
        let kind = prop::sample::select(vec![
            RowKind::Heading,
            RowKind::Paragraph,
            RowKind::Numbered,
            RowKind::Footnote,
            RowKind::Picture,
        ]);
        (kind, "[a-zé0-9 ]{0,200}", 0_u8..12)
    }

    proptest! {
        #[test]
        fn no_letter_is_lost_and_none_is_off_the_paper(rows in prop::collection::vec(any_row(), 0..60)) {
            let expected: String = rows.iter().map(|(_, text, _)| text.as_str()).collect();
            let expected: String = expected.chars().filter(|letter| !letter.is_whitespace()).collect();
            let pages = laid(rows.iter().map(|(kind, text, level)| Row { level: *level, ..row(*kind, text) }).collect());
            let found = letters(&pages);
            prop_assert!(found.ends_with(&expected), "{found} does not end with {expected}");
            for mark in pages.iter().flat_map(|page| &page.marks) {
                if let Mark::Text { y, piece, .. } = mark {
                    prop_assert!(*y > 0.0 && *y <= BOTTOM);
                    prop_assert!(piece.x >= LEFT && piece.x + piece.width <= LEFT + ACROSS + 5.0);
                }
            }
        }

        #[test]
        fn no_cell_is_lost(cells in prop::collection::vec(prop::collection::vec(("[a-z]{1,9}", 0_u16..5, 0_u16..4), 0..6), 0..12)) {
            let rows: Vec<Row> = cells
                .iter()
                .map(|row| Row {
                    kind: RowKind::TableRow,
                    level: 0,
                    text: vec![],
                    cells: row.iter().map(|(text, columns, rows)| cell(text, *columns, *rows)).collect(),
                })
                .collect();
            let pages = laid(rows);
            let mut found: Vec<char> = letters(&pages).chars().collect();
            let mut expected: Vec<char> = cells.iter().flatten().flat_map(|(text, ..)| text.chars()).collect();
            expected.extend("CompterenduPatientTESTAnne".chars());
            found.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}
