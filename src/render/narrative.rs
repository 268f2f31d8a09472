//! The narrative block of a CDA section (CDA R2 §4.3.5) → rows. No text of it is ever lost: what is not understood
//! keeps its text and a notice. Only footnotes move, to the end of their section, and leave their mark.

use std::collections::BTreeSet;
use std::collections::HashMap;

use roxmltree::Node;

use crate::record::reading::Cell;
use crate::record::reading::Row;
use crate::record::reading::RowKind;
use crate::record::reading::Run;
use crate::render::xml;

/// What was not shown as it was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remark {
    /// An element that narratives do not have: its text is shown plainly.
    Simplified,
    /// A reference to a picture that is not in the document.
    PictureMissing,
}

/// Which medium an identifier names, in the order in which the narrative asks for them.
#[derive(Default)]
pub struct Media {
    known: HashMap<String, usize>,
    asked: Vec<usize>,
}

impl Media {
    /// `known`: the identifiers of each medium in the document.
    pub fn new(known: HashMap<String, usize>) -> Media {
        Media { known, asked: Vec::new() }
    }

    /// Its number for the reader, from 1; the same each time.
    fn ask(&mut self, id: &str) -> Option<usize> {
        let medium = *self.known.get(id)?;
        Some(self.number(medium))
    }

    /// The number of a medium that may never have been asked for.
    pub fn number(&mut self, medium: usize) -> usize {
        let at = self.asked.iter().position(|asked| *asked == medium).unwrap_or_else(|| {
            self.asked.push(medium);
            self.asked.len() - 1
        });
        at + 1
    }

    /// Media in the order of their numbers.
    pub fn in_order(&self) -> &[usize] {
        &self.asked
    }
}

/// Reads the text of one section after the other; numbers of footnotes and pictures go on.
#[derive(Default)]
pub struct Narrative {
    rows: Vec<Row>,
    line: Line,
    footnotes: Vec<Row>,
    footnote_numbers: HashMap<String, usize>,
    footnotes_counted: usize,
    pictures_after_table: Vec<Row>,
    /// Places in `rows` at which a table begins.
    tables: Vec<usize>,
    /// Inside a cell or a footnote a new line is a character, not a row.
    inside: bool,
    pub media: Media,
    pub remarks: BTreeSet<Remark>,
}

/// All that was read.
pub struct Read {
    pub rows: Vec<Row>,
    pub tables: Vec<usize>,
    pub media: Media,
    pub remarks: BTreeSet<Remark>,
}

/// The row that is being filled.
struct Line {
    kind: RowKind,
    level: u8,
    runs: Vec<Run>,
    /// White space was seen since the last character.
    gap: bool,
    /// An item with its number or bullet and nothing else yet.
    bare: bool,
    /// `^` or `_`, due before the next character if that and the one before are of a number.
    mark: Option<char>,
    /// Such a mark was written.
    marked: bool,
    /// What was raised has ended: a letter or digit that follows is set apart.
    parting: bool,
}

impl Default for Line {
    fn default() -> Line {
        Line {
            kind: RowKind::Paragraph,
            level: 0,
            runs: Vec::new(),
            gap: false,
            bare: false,
            mark: None,
            marked: false,
            parting: false,
        }
    }
}

/// Style and place in the lists, handed down.
#[derive(Clone, Copy, Default)]
struct Place {
    bold: bool,
    italic: bool,
    underlined: bool,
    struck: bool,
    lists: u8,
}

impl Narrative {
    pub fn new(media: Media) -> Narrative {
        Narrative { media, ..Narrative::default() }
    }

    /// A section's title.
    pub fn heading(&mut self, level: u8, title: &str) {
        self.rows.push(row(RowKind::Heading, level, vec![Run::plain(title)]));
    }

    /// A section's text, with its footnotes.
    pub fn text(&mut self, text: Node<'_, '_>) {
        self.inline(text, Place::default());
        self.end_line(RowKind::Paragraph, 0);
        self.rows.append(&mut self.footnotes);
    }

    /// How many rows there are so far.
    pub fn count(&self) -> usize {
        self.rows.len()
    }

    /// What was read so far.
    pub fn into_read(self) -> Read {
        Read { rows: self.rows, tables: self.tables, media: self.media, remarks: self.remarks }
    }

    fn inline(&mut self, node: Node<'_, '_>, place: Place) {
        for child in node.children() {
            if let Some(text) = child.text().filter(|_| child.is_text()) {
                self.write(text, place);
            } else if child.is_element() {
                self.element(child, place);
            }
        }
    }

    fn element(&mut self, node: Node<'_, '_>, place: Place) {
        let place = styled(node, place);
        match node.tag_name().name() {
            "content" | "linkHtml" => self.inline(node, place),
            "sub" => self.shifted(node, place, '_'),
            "sup" => self.shifted(node, place, '^'),
            "br" => {
                self.end_line(RowKind::Paragraph, place.lists);
                self.inline(node, place);
            }
            "paragraph" => self.block(node, place),
            "caption" => self.block(node, Place { bold: true, ..place }),
            "list" => self.list(node, place),
            "table" if self.inside => self.flat_table(node, place),
            "table" => self.table(node, place),
            "footnote" => self.footnote(node, place),
            "footnoteRef" => {
                let number = self.footnote_number(node.attribute("IDREF"));
                self.write(&format!("[{number}]"), place);
                self.inline(node, place);
            }
            "renderMultiMedia" => self.pictures(node, place),
            "col" | "colgroup" => self.inline(node, place),
            "p" | "div" | "item" | "tr" | "td" | "th" | "ul" | "ol" | "li" | "h1" | "h2" | "h3" | "h4" | "pre" => {
                self.remarks.insert(Remark::Simplified);
                self.block(node, place);
            }
            _ => {
                self.remarks.insert(Remark::Simplified);
                self.inline(node, place);
            }
        }
    }

    /// Stands on its own lines.
    fn block(&mut self, node: Node<'_, '_>, place: Place) {
        self.fresh_line(place);
        self.inline(node, place);
        self.end_line(RowKind::Paragraph, place.lists);
    }

    fn list(&mut self, node: Node<'_, '_>, place: Place) {
        self.fresh_line(place);
        let ordered = node.attribute("listType") == Some("ordered");
        let kind = if ordered { RowKind::Numbered } else { RowKind::Bullet };
        let within = Place { lists: place.lists.saturating_add(1), ..place };
        let mut number = 0;
        for child in node.children() {
            if !xml::is(child, "item") {
                match child.text().filter(|_| child.is_text()) {
                    Some(text) => self.write(text, place),
                    None if child.is_element() => self.element(child, place),
                    None => {}
                }
                continue;
            }
            self.end_line(RowKind::Paragraph, place.lists);
            number += 1;
            self.line.kind = kind;
            self.line.level = place.lists;
            let indent = if self.inside { "  ".repeat(usize::from(place.lists)) } else { String::new() };
            match (ordered, self.inside) {
                (true, _) => self.line.runs.push(Run::plain(format!("{indent}{number}. "))),
                (false, true) => self.line.runs.push(Run::plain(format!("{indent}• "))),
                (false, false) => {}
            }
            self.line.bare = true;
            self.inline(child, styled(child, within));
            self.end_line(RowKind::Paragraph, place.lists);
        }
        self.end_line(RowKind::Paragraph, place.lists);
    }

    fn table(&mut self, node: Node<'_, '_>, place: Place) {
        self.fresh_line(place);
        self.tables.push(self.rows.len());
        self.table_part(node, place, false);
        self.end_line(RowKind::Paragraph, place.lists);
        self.rows.append(&mut self.pictures_after_table);
    }

    /// Rows wherever they stand: in the head, a body, the foot or the table itself, in the document's order.
    fn table_part(&mut self, node: Node<'_, '_>, place: Place, head: bool) {
        for child in node.children() {
            match child.tag_name().name() {
                "thead" => self.table_part(child, styled(child, place), true),
                "tbody" | "tfoot" => self.table_part(child, styled(child, place), false),
                "tr" => {
                    self.end_line(RowKind::Paragraph, place.lists);
                    let row = self.table_row(child, styled(child, place), head);
                    self.rows.push(row);
                }
                _ if child.is_text() => self.write(child.text().unwrap_or(""), place),
                _ if child.is_element() => self.element(child, place),
                _ => {}
            }
        }
    }

    fn table_row(&mut self, node: Node<'_, '_>, place: Place, head: bool) -> Row {
        let mut cells = Vec::new();
        let mut all_heads = true;
        for child in node.children() {
            let is_head = xml::is(child, "th");
            let is_cell = is_head || xml::is(child, "td");
            let stray = child.is_text() && !child.text().unwrap_or("").chars().all(xml::is_space);
            if !is_cell && !stray && !child.is_element() {
                continue;
            }
            all_heads &= is_head;
            let place = styled(child, place);
            let text = self.apart(|narrative| match child.text().filter(|_| child.is_text()) {
                Some(text) => narrative.write(text, place),
                None if is_cell => narrative.inline(child, Place { bold: place.bold || (is_head && !head), ..place }),
                None => narrative.element(child, place),
            });
            let span = |name| child.attribute(name).and_then(|n| n.trim().parse().ok()).unwrap_or(1).clamp(1, 1000);
            cells.push(Cell { text, columns: span("colspan"), rows: span("rowspan") });
        }
        let is_head = head || (all_heads && !cells.is_empty());
        let kind = if is_head { RowKind::TableHead } else { RowKind::TableRow };
        Row { kind, level: place.lists, text: Vec::new(), cells }
    }

    /// A table in a cell: one line a row, cells set apart.
    fn flat_table(&mut self, node: Node<'_, '_>, place: Place) {
        self.remarks.insert(Remark::Simplified);
        self.fresh_line(place);
        for child in node.children() {
            match child.tag_name().name() {
                "td" | "th" => {
                    self.inline(child, styled(child, place));
                    self.write(" · ", place);
                }
                "thead" | "tbody" | "tfoot" | "tr" => self.flat_table(child, styled(child, place)),
                _ if child.is_text() => self.write(child.text().unwrap_or(""), place),
                _ if child.is_element() => self.element(child, place),
                _ => {}
            }
        }
        self.end_line(RowKind::Paragraph, place.lists);
    }

    fn footnote(&mut self, node: Node<'_, '_>, place: Place) {
        let number = self.footnote_number(node.attribute("ID"));
        self.write(&format!("[{number}]"), place);
        let plain = Place { lists: 0, ..place };
        let text = self.apart(|narrative| narrative.inline(node, plain));
        let mut runs = vec![Run::plain(format!("[{number}] "))];
        runs.extend(text);
        self.footnotes.push(row(RowKind::Footnote, 0, runs));
    }

    fn footnote_number(&mut self, id: Option<&str>) -> usize {
        let known = id.and_then(|id| self.footnote_numbers.get(id).copied());
        known.unwrap_or_else(|| {
            self.footnotes_counted += 1;
            id.map(|id| self.footnote_numbers.insert(id.to_owned(), self.footnotes_counted));
            self.footnotes_counted
        })
    }

    /// A row for each picture, in which the caption stands; in a table, after it, with a mark in the cell.
    fn pictures(&mut self, node: Node<'_, '_>, place: Place) {
        let named = node.attribute("referencedObject").unwrap_or("");
        let numbers: Vec<Option<usize>> = named.split_whitespace().map(|id| self.media.ask(id)).collect();
        if numbers.is_empty() || numbers.contains(&None) {
            self.remarks.insert(Remark::PictureMissing);
        }
        if !self.inside {
            self.end_line(RowKind::Paragraph, place.lists);
        }
        for number in numbers.into_iter().flatten() {
            let label = vec![Run::plain(picture_label(number))];
            if self.inside {
                self.write(&format!("[{}]", picture_label(number)), place);
                self.pictures_after_table.push(row(RowKind::Picture, place.lists, label));
            } else {
                self.rows.push(row(RowKind::Picture, place.lists, label));
            }
        }
        self.inline(node, place);
    }

    /// Fills a line of its own and hands its runs back; the line under way goes on after.
    fn apart(&mut self, fill: impl FnOnce(&mut Narrative)) -> Vec<Run> {
        let outer = std::mem::take(&mut self.line);
        let was_inside = std::mem::replace(&mut self.inside, true);
        fill(self);
        self.inside = was_inside;
        let mut runs = std::mem::replace(&mut self.line, outer).runs;
        while let Some(last) = runs.last_mut() {
            last.text.truncate(last.text.trim_end_matches(xml::is_space).len());
            if !last.text.is_empty() {
                break;
            }
            runs.pop();
        }
        runs
    }

    /// White space collapses as in HTML; a no-break space is a character.
    fn write(&mut self, text: &str, place: Place) {
        for c in text.chars() {
            if xml::is_space(c) {
                self.line.gap = true;
                continue;
            }
            let last = self.line.runs.last().and_then(|run| run.text.chars().last());
            let parted = std::mem::take(&mut self.line.parting) && c.is_alphanumeric();
            let gap = (std::mem::take(&mut self.line.gap) || parted) && !last.is_none_or(xml::is_space);
            match self.line.mark.take() {
                Some(mark) if last.is_some_and(|last| last.is_ascii_digit()) && is_numeric(c) => {
                    self.push(mark, place);
                    self.line.marked = true;
                }
                _ if gap => self.push(' ', place),
                _ => {}
            }
            self.push(c, place);
            self.line.bare = false;
        }
    }

    /// Raised or lowered characters stay the characters they are, but 10⁹ must never read as 109.
    fn shifted(&mut self, node: Node<'_, '_>, place: Place, mark: char) {
        let before = self.line.mark.replace(mark);
        self.inline(node, place);
        self.line.mark = before.filter(|_| self.line.mark.is_some());
        self.line.parting = std::mem::take(&mut self.line.marked);
    }

    fn push(&mut self, c: char, place: Place) {
        let Place { bold, italic, underlined, struck, .. } = place;
        let style = Run { text: String::new(), bold, italic, underlined, struck };
        let same = |run: &Run| (run.bold, run.italic, run.underlined, run.struck) == (bold, italic, underlined, struck);
        match self.line.runs.last_mut() {
            Some(last) if same(last) => last.text.push(c),
            _ => self.line.runs.push(Run { text: c.to_string(), ..style }),
        }
    }

    /// A block begins: what was written before is a row; an item that has only its number goes on.
    fn fresh_line(&mut self, place: Place) {
        if !self.line.bare {
            self.end_line(RowKind::Paragraph, place.lists);
        }
    }

    /// The row is done; the next one is of this kind.
    fn end_line(&mut self, kind: RowKind, level: u8) {
        if self.inside {
            let ends = self.line.runs.last().is_some_and(|run| !run.text.ends_with('\n'));
            if ends {
                self.push('\n', Place::default());
            }
            self.line = Line { runs: std::mem::take(&mut self.line.runs), ..Line::default() };
            return;
        }
        let line = std::mem::replace(&mut self.line, Line { kind, level, ..Line::default() });
        if !line.runs.is_empty() && !line.bare {
            self.rows.push(row(line.kind, line.level, line.runs));
        }
    }
}

/// Of a number, its sign included.
fn is_numeric(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '+' | '-' | '−')
}

/// What stands for a picture where it cannot be drawn in the line.
pub fn picture_label(number: usize) -> String {
    format!("Image {number}")
}

fn row(kind: RowKind, level: u8, text: Vec<Run>) -> Row {
    Row { kind, level, text, cells: Vec::new() }
}

/// `styleCode` (CDA R2 §4.3.5.11) and what was revised (§4.3.5.2).
fn styled(node: Node<'_, '_>, mut place: Place) -> Place {
    for code in node.attribute("styleCode").unwrap_or("").split_whitespace() {
        match code.to_ascii_lowercase().as_str() {
            "bold" => place.bold = true,
            "italics" | "italic" | "emphasis" => place.italic = true,
            "underline" => place.underlined = true,
            "strikethrough" | "strikethru" => place.struck = true,
            _ => {}
        }
    }
    match node.attribute("revised") {
        Some("delete") => place.struck = true,
        Some("insert") => place.underlined = true,
        _ => {}
    }
    place
}
