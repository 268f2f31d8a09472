//! The summary of a record: which documents it is drawn from, and what their sections say, line by line. Nothing is concluded:
//! each line is a row of a document's own narrative, and names that document. Pure.
//!
//! The sealed worker says which rows belong to which topic, by the LOINC codes of the sections ([`Part`]); coded entries are not
//! read, for the narrative is what their author signed (CDA R2 §4.2.2.2).

use crate::record::document::Document;
use crate::record::document::Status;
use crate::record::reading::Cell;
use crate::record::reading::Reading;
use crate::record::reading::RowKind;
use crate::record::reading::plain_text;
use std::collections::HashSet;
use std::ops::Range;

/// What a section is about, in the order of the summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    Allergies,
    Problems,
    Treatments,
    History,
    Vaccinations,
    Measures,
    Directives,
    Contacts,
}

/// Rows of a reading that are about one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub topic: Topic,
    pub rows: Range<usize>,
}

/// One line of a summary, as its document says it.
#[derive(Clone, PartialEq, Eq)]
pub struct Line {
    pub topic: Topic,
    /// The title of its section; may be empty.
    pub section: String,
    /// What it is about: a substance, a vaccine, a sentence.
    pub text: String,
    /// Column and value of the rest of a table's row; a column may have no name.
    pub details: Vec<(String, String)>,
}

impl Topic {
    pub const ALL: [Topic; 8] = [
        Topic::Allergies,
        Topic::Problems,
        Topic::Treatments,
        Topic::History,
        Topic::Vaccinations,
        Topic::Measures,
        Topic::Directives,
        Topic::Contacts,
    ];

    /// As `chevet record show --json` prints it.
    pub fn name(self) -> &'static str {
        match self {
            Topic::Allergies => "allergies",
            Topic::Problems => "problems",
            Topic::Treatments => "treatments",
            Topic::History => "history",
            Topic::Vaccinations => "vaccinations",
            Topic::Measures => "measures",
            Topic::Directives => "directives",
            Topic::Contacts => "contacts",
        }
    }

    /// By the LOINC code of a section (CI-SIS, sections of VSM, DLU, VAC, LDL and CR-BIO).
    pub fn of_section(code: &str) -> Option<Topic> {
        Some(match code {
            "48765-2" => Topic::Allergies,
            "11450-4" => Topic::Problems,
            "10160-0" | "10183-2" => Topic::Treatments,
            // Past illness, procedures, family, social, at work, risk factors, devices.
            "11348-0" | "47519-4" | "10157-6" | "29762-2" | "10161-8" | "57207-3" | "46264-8" => Topic::History,
            "11369-6" => Topic::Vaccinations,
            // Vital signs; results, among which the VSM's author says what to watch.
            "8716-3" | "30954-2" => Topic::Measures,
            "42348-3" | "75320-2" => Topic::Directives,
            _ => return None,
        })
    }
}

/// Places in `documents` of those that the summary is drawn from, the one that says most first: the newest VSM, then the newest
/// of each kind that has sections for it. What is not in force, or is a picture of a page, is not read for it.
pub fn sources(documents: &[&Document]) -> Vec<usize> {
    let structured = |document: &Document| {
        let wrapped = document.format_code.contains("xds-sd") || document.attachment.content_type == "application/pdf";
        document.status == Status::Current && !wrapped
    };
    let newest_of = |(kinds, most): &(&[&str], usize)| {
        let fits = |place: &usize| {
            let document = documents[*place];
            structured(document) && kinds.contains(&document.type_code.0.as_str())
        };
        let mut found: Vec<usize> = (0..documents.len()).filter(fits).collect();
        found.sort_by_key(|place| std::cmp::Reverse(documents[*place].service_start));
        found.truncate(*most);
        found
    };
    SOURCES.iter().flat_map(newest_of).collect()
}

/// Whether this document is a medical synthesis, structured or not.
pub fn is_synthesis(document: &Document) -> bool {
    SYNTHESES.contains(&document.type_code.0.as_str())
}

/// What of the list itself belongs to the summary, unread: the patient's directives, their contacts.
pub fn named_in_list(document: &Document) -> Option<Topic> {
    match document.type_code.0.as_str() {
        "EXPPAT_1" | "EXPPAT_3" if document.status == Status::Current => Some(Topic::Directives),
        "FICHE-CONTACTS" if document.status == Status::Current => Some(Topic::Contacts),
        _ => None,
    }
}

/// VSM: « Synthèse médicale », and the older code of the same volume.
const SYNTHESES: &[&str] = &["60591-5", "SYNTH"];

/// Kinds of documents, and how many of each: a synthesis, a document for emergencies, vaccinations, what was measured, what a
/// pharmacy and a hospital say of the treatment.
const SOURCES: &[(&[&str], usize)] = &[
    (SYNTHESES, 1),
    (&["74207-2"], 1),
    (&["11369-6"], 1),
    (&["87273-9"], 2),
    (&["29274-8"], 1),
    (&["56445-0"], 1),
    (&["11490-0"], 1),
];

/// All that this document says for the summary, in its own order; at most [`LINES_MAX`], for a child may have been taken over.
pub fn lines(reading: &Reading) -> Vec<Line> {
    let mut lines = Vec::new();
    let tables: HashSet<usize> = reading.tables.iter().copied().collect();
    let mut done = 0;
    for part in &reading.parts {
        let end = part.rows.end.min(reading.rows.len());
        let mut told = Told { topic: part.topic, section: String::new(), grid: Grid::default(), lines: &mut lines };
        // A row is told once, whatever the parts say.
        let start = part.rows.start.max(done);
        done = done.max(end);
        for place in start..end {
            if tables.contains(&place) {
                told.grid = Grid::default();
            }
            let row = &reading.rows[place];
            match row.kind {
                RowKind::Heading => told.section = squeezed(&plain_text(&row.text)),
                RowKind::TableHead => told.grid.head(&row.cells),
                _ if told.lines.len() >= LINES_MAX => return lines,
                RowKind::TableRow => told.row(&row.cells),
                _ => told.say(squeezed(&plain_text(&row.text)), Vec::new()),
            }
        }
    }
    for (label, value) in reading.header.iter().take(LINES_MAX) {
        if CONTACT_LABELS.contains(&label.as_str()) {
            let details = vec![(String::new(), label.clone())];
            lines.push(Line { topic: Topic::Contacts, section: String::new(), text: value.clone(), details });
        }
    }
    lines
}

/// No synthesis has so many.
pub const LINES_MAX: usize = 2_000;

/// Lines of a document's header that say whom to call.
pub const CONTACT: &str = "Personne à prévenir";
pub const TRUSTED: &str = "Personne de confiance";
pub const ATTENDING: &str = "Médecin traitant";
const CONTACT_LABELS: [&str; 3] = [CONTACT, TRUSTED, ATTENDING];

struct Told<'a> {
    topic: Topic,
    section: String,
    grid: Grid,
    lines: &'a mut Vec<Line>,
}

impl Told<'_> {
    fn say(&mut self, text: String, details: Vec<(String, String)>) {
        if !text.is_empty() || !details.is_empty() {
            self.lines.push(Line { topic: self.topic, section: self.section.clone(), text, details });
        }
    }

    /// The cell that names the thing first, the others with their columns' names.
    fn row(&mut self, cells: &[Cell]) {
        let mut values = self.grid.row(cells);
        values.retain(|(_, value)| !is_nothing(value));
        let named = |wanted: &str| values.iter().position(|(head, _)| head.to_lowercase().starts_with(wanted));
        let main = MAIN_COLUMNS.iter().find_map(|wanted| named(wanted));
        let main = main.or_else(|| values.iter().position(|(_, value)| !is_date(value))).unwrap_or(0);
        if main < values.len() {
            let (_, text) = values.remove(main);
            self.say(text, values);
        }
    }
}

/// Heads of columns that name what a row is about, the surest first.
const MAIN_COLUMNS: [&str; 17] = [
    "agent",
    "substance",
    "allergène",
    "médicament",
    "vaccin",
    "pathologie",
    "antécédent",
    "problème",
    "dispositif",
    "catégorie",
    "acte",
    "mesure",
    "type",
    "observation",
    "libellé",
    "description",
    "nom",
];

fn is_nothing(value: &str) -> bool {
    value.chars().all(|c| matches!(c, '-' | '–' | '—' | ' ' | '\u{a0}'))
}

fn is_date(value: &str) -> bool {
    value.chars().all(|c| c.is_ascii_digit() || matches!(c, '/' | '-' | '.' | ' '))
}

fn squeezed(text: &str) -> String {
    text.split(['\n', '\t', ' ']).filter(|word| !word.is_empty()).collect::<Vec<&str>>().join(" ")
}

/// A table's columns: the names of each, and what reaches down into the next rows (HTML 4.01 §11.2.6).
#[derive(Default)]
struct Grid {
    heads: Vec<String>,
    /// Per column: what still stands in it, for how many rows.
    down: Vec<Option<(String, u16)>>,
    body: bool,
}

impl Grid {
    /// Heads one below the other name a column together.
    fn head(&mut self, cells: &[Cell]) {
        if std::mem::take(&mut self.body) {
            *self = Grid::default();
        }
        for (column, text) in self.place(cells, true).into_iter().filter(|(column, _)| *column < COLUMNS_MAX) {
            if self.heads.len() <= column {
                self.heads.resize(column + 1, String::new());
            }
            let head = &mut self.heads[column];
            if !text.is_empty() && *head != text && !head.ends_with(&format!(" {text}")) {
                *head = if head.is_empty() { text } else { format!("{head} {text}") };
            }
        }
    }

    /// Column's name and value, in order; what reaches down from above is a value of this row too.
    fn row(&mut self, cells: &[Cell]) -> Vec<(String, String)> {
        if !std::mem::replace(&mut self.body, true) {
            self.down.clear();
        }
        let placed = self.place(cells, false);
        placed.into_iter().map(|(column, text)| (self.heads.get(column).cloned().unwrap_or_default(), text)).collect()
    }

    /// `each`: a cell over several columns stands in each of them; else in its first.
    fn place(&mut self, cells: &[Cell], each: bool) -> Vec<(usize, String)> {
        let mut placed = Vec::new();
        let mut cells = cells.iter();
        let mut column = 0;
        loop {
            if let Some((text, rows)) = self.down.get_mut(column).and_then(Option::take) {
                if !text.is_empty() {
                    placed.push((column, text.clone()));
                }
                self.down[column] = (rows > 1).then(|| (text, rows - 1));
                column += 1;
                continue;
            }
            let Some(cell) = cells.next() else {
                if column < self.down.len() {
                    column += 1;
                    continue;
                }
                return placed;
            };
            let text = squeezed(&plain_text(&cell.text));
            if column >= COLUMNS_MAX {
                placed.push((column, text));
                continue;
            }
            for across in 0..usize::from(cell.columns.max(1)).min(COLUMNS_MAX - column) {
                let text = if across == 0 || each { text.clone() } else { String::new() };
                if self.down.len() <= column {
                    self.down.resize(column + 1, None);
                }
                // What is long is said once.
                let goes_down = if text.len() <= DOWN_BYTES_MAX { text.clone() } else { String::new() };
                self.down[column] = (cell.rows > 1).then(|| (goes_down, cell.rows - 1));
                if !text.is_empty() {
                    placed.push((column, text));
                }
                column += 1;
            }
        }
    }
}

/// What stands further to the right has no column: it is said without a name.
const COLUMNS_MAX: usize = 64;
const DOWN_BYTES_MAX: usize = 200;

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Line({:?}, [REDACTED])", self.topic)
    }
}

#[cfg(test)]
mod tests;
