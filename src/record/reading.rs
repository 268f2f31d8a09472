//! What a reader shows of a document: rows of text, pages of pixels, notices. Made by `render`, shown by `screen`.

use crate::record::summary::Part;
use std::sync::Arc;

/// A document, made readable.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// What it was found to be, for example `cda-level-3`, `cda-level-1/pdf`, `text`, `unknown`.
    pub format: String,
    /// Label and value, in the order to show: patient, author, dates, setting (EX_3.2-1030).
    pub header: Vec<(String, String)>,
    pub rows: Vec<Row>,
    /// Pictures of pages, in order, those that were asked for; `page_count` says how many there are. In a CDA of level 3
    /// they are its pictures, in the order in which the narrative asks for them.
    pub pages: Vec<Page>,
    pub page_count: u32,
    /// Which rows are about what a summary tells; none overlap.
    pub parts: Vec<Part>,
    /// Places in `rows` at which a table begins.
    pub tables: Vec<usize>,
    /// French sentences about what could not be shown as it was meant.
    pub notices: Vec<String>,
}

/// One line of a narrative.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    pub kind: RowKind,
    /// Depth, from 0: of a heading or of a list.
    pub level: u8,
    pub text: Vec<Run>,
    /// Only for [`RowKind::TableHead`] and [`RowKind::TableRow`].
    pub cells: Vec<Cell>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RowKind {
    Heading,
    Paragraph,
    /// Its bullet is the screen's to draw.
    Bullet,
    /// Its number is in the text already.
    Numbered,
    TableHead,
    TableRow,
    Footnote,
    /// Stands for a picture; its text names the page.
    Picture,
}

#[derive(Clone, PartialEq, Eq, Default)]
pub struct Cell {
    /// Lines inside a cell are parted by a line feed, bullets of its lists included.
    pub text: Vec<Run>,
    pub columns: u16,
    pub rows: u16,
}

/// A piece of text in one style.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Run {
    pub text: String,
    pub bold: bool,
    pub italic: bool,
    pub underlined: bool,
    pub struck: bool,
}

/// RGBA, 8 bits each, opaque, rows from the top.
#[derive(Clone, PartialEq, Eq)]
pub struct Page {
    pub width: u32,
    pub height: u32,
    pub pixels: Arc<[u8]>,
}

impl Reading {
    /// Its words, a line a row, for the search. Pages that are pictures have none.
    pub fn words(&self) -> String {
        let mut words = String::new();
        for row in &self.rows {
            // A run ends where a style changes, which may be within a word; a cell never is.
            for part in std::iter::once(&row.text).chain(row.cells.iter().map(|cell| &cell.text)) {
                part.iter().for_each(|run| words.push_str(&run.text));
                words.push('\n');
            }
        }
        words
    }
}

impl RowKind {
    /// As `chevet record show --json` prints it.
    pub fn name(self) -> &'static str {
        match self {
            RowKind::Heading => "heading",
            RowKind::Paragraph => "paragraph",
            RowKind::Bullet => "bullet",
            RowKind::Numbered => "numbered",
            RowKind::TableHead => "table_head",
            RowKind::TableRow => "table_row",
            RowKind::Footnote => "footnote",
            RowKind::Picture => "picture",
        }
    }
}

impl Run {
    /// In no style.
    pub fn plain(text: impl Into<String>) -> Run {
        Run { text: text.into(), ..Run::default() }
    }
}

/// The text of several runs, styles dropped.
pub fn plain_text(runs: &[Run]) -> String {
    runs.iter().map(|run| run.text.as_str()).collect()
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reading({}, [REDACTED])", self.format)
    }
}
