//! What parent and child say to each other, with its limits.
//!
//! Parent: allowance (16 bytes), later a request (length, JSON). Child: one byte once it is sealed, later an answer
//! (length, JSON, then the pixels of each page in order). The document itself goes by a sealed memory file.
//! An answer comes from a process that an attacker may hold: nothing in it is taken without a limit.

use std::sync::Arc;

use serde::Deserialize;
use serde::Serialize;

use crate::record::reading::Cell;
use crate::record::reading::Page;
use crate::record::reading::Reading;
use crate::record::reading::Row;
use crate::record::reading::RowKind;
use crate::record::reading::Run;
use crate::record::summary::Part;
use crate::record::summary::Topic;
use crate::render::Error;
use crate::render::Fault;
use crate::render::seal::Allowance;

pub const SETUP_BYTES: usize = 16;
pub const SEALED: u8 = b'S';
pub const SEALED_WITHOUT_LANDLOCK: u8 = b'P';

/// Rows as JSON. What is longer is no reading matter for a bedside.
pub const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;
pub const PAGE_HEIGHT_PX_MAX: u32 = 8192;
pub const PAGES_AT_ONCE_MAX: u32 = 8;
const FORMAT_CHARS_MAX: usize = 64;

/// What the parent asks of a sealed child.
#[derive(Serialize, Deserialize)]
pub struct Request {
    pub content_type: String,
    pub format_code: String,
    pub content_bytes: u64,
    pub first_page: u32,
    pub end_page: u32,
    pub page_width_px: u32,
}

impl Request {
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        let words = serde_json::to_vec(self).ok()?;
        let mut bytes = u32::try_from(words.len()).ok()?.to_le_bytes().to_vec();
        bytes.extend_from_slice(&words);
        Some(bytes)
    }

    pub fn from_bytes(bytes: &[u8]) -> Option<Request> {
        serde_json::from_slice(bytes).ok()
    }
}

pub fn setup_bytes(allowance: Allowance) -> [u8; SETUP_BYTES] {
    let mut bytes = [0; SETUP_BYTES];
    bytes[..8].copy_from_slice(&allowance.memory_bytes_max.to_le_bytes());
    bytes[8..].copy_from_slice(&allowance.cpu_s_max.to_le_bytes());
    bytes
}

pub fn allowance(setup: &[u8; SETUP_BYTES]) -> Allowance {
    let (memory, cpu) = setup.split_at(8);
    let number = |half: &[u8]| u64::from_le_bytes(half.try_into().expect("half of 16 bytes is 8"));
    Allowance { memory_bytes_max: number(memory), cpu_s_max: number(cpu) }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
enum Answer {
    Reading(WireReading),
    Unreadable(Fault),
    UnknownFormat(String),
    TooLarge(u64),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireReading {
    format: String,
    header: Vec<(String, String)>,
    rows: Vec<WireRow>,
    page_count: u32,
    notices: Vec<String>,
    parts: Vec<WirePart>,
    tables: Vec<usize>,
    /// Width and height of the pages whose pixels follow.
    pages: Vec<(u32, u32)>,
}

/// Kind, level, runs, cells.
#[derive(Serialize, Deserialize)]
struct WireRow(WireKind, u8, Vec<WireRun>, Vec<WireCell>);

/// Text and style bits.
#[derive(Serialize, Deserialize)]
struct WireRun(String, u8);

/// Runs, columns, rows.
#[derive(Serialize, Deserialize)]
struct WireCell(Vec<WireRun>, u16, u16);

#[derive(Serialize, Deserialize)]
#[serde(remote = "RowKind")]
enum WireRowKind {
    Heading,
    Paragraph,
    Bullet,
    Numbered,
    TableHead,
    TableRow,
    Footnote,
    Picture,
}

#[derive(Serialize, Deserialize)]
struct WireKind(#[serde(with = "WireRowKind")] RowKind);

/// Topic by its place in [`Topic::ALL`], first row, end.
#[derive(Serialize, Deserialize)]
struct WirePart(usize, usize, usize);

/// `None`: too long to be said.
pub fn answer_bytes(read: &Result<Reading, Error>) -> Option<Vec<u8>> {
    let answer = match read {
        Ok(reading) => Answer::Reading(to_wire(reading)),
        Err(Error::Unreadable { what }) => Answer::Unreadable(*what),
        Err(Error::UnknownFormat { found }) => Answer::UnknownFormat(found.clone()),
        Err(Error::TooLarge { bytes }) => Answer::TooLarge(*bytes),
        Err(_) => Answer::Unreadable(Fault::Answer),
    };
    let bytes = serde_json::to_vec(&answer).ok()?;
    if bytes.len() <= ANSWER_BYTES_MAX {
        return Some(bytes);
    }
    serde_json::to_vec(&Answer::TooLarge(bytes.len() as u64)).ok()
}

/// What a child said, before its pixels: believed as far as it keeps the rules.
pub fn answer_from(bytes: &[u8]) -> Result<Heard, Error> {
    let broken = Error::Unreadable { what: Fault::Answer };
    match serde_json::from_slice(bytes) {
        Ok(Answer::Reading(reading)) => Ok(Heard { sizes: reading.pages.clone(), reading: from_wire(reading) }),
        Ok(Answer::Unreadable(what)) => Err(Error::Unreadable { what }),
        Ok(Answer::UnknownFormat(found)) => Err(Error::UnknownFormat { found: format_name(&found) }),
        Ok(Answer::TooLarge(bytes)) => Err(Error::TooLarge { bytes }),
        Err(_) => Err(broken),
    }
}

/// A reading whose pixels are still to come.
pub struct Heard {
    reading: Reading,
    sizes: Vec<(u32, u32)>,
}

impl Heard {
    /// The size of each page in bytes, or an error when one breaks what was asked for.
    pub fn page_bytes(&self, asked: &std::ops::Range<u32>, width_px_max: u32) -> Result<Vec<usize>, Error> {
        let broken = || Error::Unreadable { what: Fault::Answer };
        let most = asked.end.saturating_sub(asked.start).min(PAGES_AT_ONCE_MAX);
        if u32::try_from(self.sizes.len()).map_or(true, |count| count > most) {
            return Err(broken());
        }
        let fits = |&(width, height): &(u32, u32)| {
            (1..=width_px_max).contains(&width) && (1..=PAGE_HEIGHT_PX_MAX).contains(&height)
        };
        let bytes = |size: &(u32, u32)| fits(size).then(|| size.0 as usize * size.1 as usize * 4).ok_or_else(broken);
        self.sizes.iter().map(bytes).collect()
    }

    /// Puts the pixels in; there is one buffer for each size.
    pub fn with_pixels(mut self, pixels: Vec<Vec<u8>>) -> Reading {
        self.reading.pages = self
            .sizes
            .into_iter()
            .zip(pixels)
            .map(|((width, height), pixels)| Page { width, height, pixels: Arc::from(pixels) })
            .collect();
        self.reading
    }
}

/// Only what a media type may hold: this name reaches the log.
pub fn format_name(found: &str) -> String {
    let may = |c: &char| c.is_ascii_alphanumeric() || "/+.-".contains(*c);
    let name: String = found.chars().filter(may).take(FORMAT_CHARS_MAX).collect();
    if name.is_empty() { "unknown".to_owned() } else { name.to_ascii_lowercase() }
}

fn to_wire(reading: &Reading) -> WireReading {
    let row = |row: &Row| {
        let cell = |cell: &Cell| WireCell(runs_to_wire(&cell.text), cell.columns, cell.rows);
        WireRow(WireKind(row.kind), row.level, runs_to_wire(&row.text), row.cells.iter().map(cell).collect())
    };
    WireReading {
        format: reading.format.clone(),
        header: reading.header.clone(),
        rows: reading.rows.iter().map(row).collect(),
        page_count: reading.page_count,
        notices: reading.notices.clone(),
        parts: reading.parts.iter().map(part_to_wire).collect(),
        tables: reading.tables.clone(),
        pages: reading.pages.iter().map(|page| (page.width, page.height)).collect(),
    }
}

fn from_wire(wire: WireReading) -> Reading {
    let row = |WireRow(kind, level, runs, cells): WireRow| Row {
        kind: kind.0,
        level,
        text: runs_from_wire(runs),
        cells: cells
            .into_iter()
            .map(|WireCell(runs, columns, rows)| Cell {
                text: runs_from_wire(runs),
                columns: columns.max(1),
                rows: rows.max(1),
            })
            .collect(),
    };
    Reading {
        format: format_name(&wire.format),
        header: wire.header,
        rows: wire.rows.into_iter().map(row).collect(),
        pages: Vec::new(),
        page_count: wire.page_count,
        parts: wire.parts.into_iter().filter_map(part_from_wire).collect(),
        tables: wire.tables,
        notices: wire.notices,
    }
}

fn part_to_wire(part: &Part) -> WirePart {
    let topic = Topic::ALL.iter().position(|topic| *topic == part.topic).unwrap_or(Topic::ALL.len());
    WirePart(topic, part.rows.start, part.rows.end)
}

/// Who uses the rows looks whether they are there.
fn part_from_wire(WirePart(topic, start, end): WirePart) -> Option<Part> {
    Some(Part { topic: *Topic::ALL.get(topic)?, rows: start..end })
}

fn runs_to_wire(runs: &[Run]) -> Vec<WireRun> {
    let bits = |run: &Run| {
        u8::from(run.bold) | u8::from(run.italic) << 1 | u8::from(run.underlined) << 2 | u8::from(run.struck) << 3
    };
    runs.iter().map(|run| WireRun(run.text.clone(), bits(run))).collect()
}

fn runs_from_wire(runs: Vec<WireRun>) -> Vec<Run> {
    let run = |WireRun(text, bits): WireRun| Run {
        text,
        bold: bits & 1 != 0,
        italic: bits & 2 != 0,
        underlined: bits & 4 != 0,
        struck: bits & 8 != 0,
    };
    runs.into_iter().map(run).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading() -> Reading {
        Reading {
            format: "cda-level-3".into(),
            header: vec![("Titre".into(), "Essai".into())],
            rows: vec![Row {
                kind: RowKind::TableRow,
                level: 2,
                text: vec![Run { bold: true, struck: true, ..Run::plain("a") }],
                cells: vec![Cell { text: vec![Run::plain("b")], columns: 2, rows: 3 }],
            }],
            pages: vec![Page { width: 2, height: 1, pixels: Arc::from([7; 8]) }],
            page_count: 4,
            parts: vec![Part { topic: Topic::Treatments, rows: 0..1 }],
            tables: vec![0],
            notices: vec!["n".into()],
        }
    }

    #[test]
    fn what_is_said_is_heard() {
        let said = answer_bytes(&Ok(reading())).expect("short");
        let heard = answer_from(&said).expect("kept the rules");
        assert_eq!(heard.page_bytes(&(0..1), 2).expect("fits"), [8]);
        assert!(heard.with_pixels(vec![vec![7; 8]]) == reading());
    }

    #[test]
    fn pages_that_nobody_asked_for_or_too_large_are_refused() {
        let said = answer_bytes(&Ok(reading())).expect("short");
        let heard = answer_from(&said).expect("kept the rules");
        assert!(heard.page_bytes(&(0..0), 2).is_err(), "none was asked for");
        assert!(heard.page_bytes(&(0..1), 1).is_err(), "wider than asked");
        let heard = |size| Heard { reading: reading(), sizes: vec![size] };
        assert!(heard((1, PAGE_HEIGHT_PX_MAX + 1)).page_bytes(&(0..1), 2).is_err());
        assert!(heard((1, 0)).page_bytes(&(0..1), 2).is_err());
    }

    #[test]
    fn a_name_of_a_format_cannot_carry_a_sentence() {
        assert_eq!(format_name("Mme MARTIN, née\n1950"), "mmemartinne1950");
        assert_eq!(format_name("application/dicom"), "application/dicom");
        assert_eq!(format_name(&"x".repeat(500)).len(), FORMAT_CHARS_MAX);
        assert!(matches!(answer_from(b"{\"Unreadable\":\"made up\"}"), Err(Error::Unreadable { what: Fault::Answer })));
    }
}
