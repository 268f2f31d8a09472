//! The habilitation matrix: (column, typeCode) → yes, no, unknown. Signed, versioned data, never code.
//!
//! - here: what it answers, where a profession stands in it, which one is in force
//! - `file` our own form, `data/matrix.csv`
//! - `import` the official publication, as CSV and as JSON:API
//! - `difference` what one version changes in another, cell by cell

pub mod difference;
pub mod file;
pub mod import;

use crate::identity::holder::Holder;
use crate::identity::holder::ProfessionCode;
use crate::policy::facts::Cell;
use crate::policy::facts::ProfessionKind;
use crate::policy::nomenclature;
use crate::policy::signed;
use crate::policy::signed::Standing;
use crate::policy::table;
use crate::record::document::TypeCode;
use crate::time::UnixSeconds;
use crate::time::Wall;

/// One column of the official publication, by the id that `data/matrix.csv` gives it, for example `60_69`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Column(pub String);

/// Where a value was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Short, as the cells name it.
    pub id: String,
    /// Year and month, or day.
    pub date: String,
    pub text: String,
}

/// The matrix in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    /// `YYYY-MM-DD.n`; it enters every trace.
    pub version: String,
    /// The day from which it says what the law says, `YYYY-MM-DD`; empty when nobody said.
    pub effective: String,
    pub sources: Vec<Source>,
    columns: Vec<Column>,
    /// As the publication prints them, in the order of `columns`; empty when nobody said.
    column_labels: Vec<String>,
    /// Every type that has a row, sorted.
    types: Vec<TypeCode>,
    /// Their first letters, one number each: a document's row is found without comparing texts.
    keys: Vec<u64>,
    /// Two bits a cell, a whole number of bytes a type: the whole nation's matrix is a few hundred bytes.
    cells: Vec<u8>,
    /// Which source a known cell comes from: its place in `sources` plus one, a byte a cell.
    origins: Vec<u8>,
}

/// Where a holder stands in the matrix: one column, or for a pharmacist whose section is not known, several of which
/// all must permit; none for a profession without a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub kind: ProfessionKind,
    pub columns: Vec<Column>,
}

/// What is wrong with a matrix. The one in force stays in force.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the matrix is not a table")]
    Table { source: table::Error },
    #[error("the matrix lacks its {what}")]
    Lacks { what: &'static str },
    #[error("version {found} is not a day and a number, such as 2026-11-23.1")]
    Version { found: String },
    #[error("line {line}: {found} is no column of the matrix")]
    UnknownColumn { line: usize, found: String },
    #[error("line {line}: type {found} is in none of our lists")]
    UnknownType { line: usize, found: String },
    #[error("line {line}: {found} is no value; 1, 0 and ? are")]
    Value { line: usize, found: String },
    #[error("line {line}: no source is called {found}")]
    UnknownSource { line: usize, found: String },
    #[error("line {line}: {kind} × {column} was said before")]
    Twice { line: usize, kind: String, column: String },
    #[error("line {line}: {kind} × {column} contradicts an earlier line")]
    Contradiction { line: usize, kind: String, column: String },
    #[error("the publication is not the JSON that we know: {what}")]
    Json { what: String },
    #[error("version {found} is not newer than {in_force}, which is in force")]
    Older { found: String, in_force: String },
    #[error("the matrix is not signed by anybody whom we believe")]
    Signature { source: signed::Error },
}

const SHIPPED: &[u8] = include_bytes!("../../data/matrix.csv");
const SHIPPED_SIGNATURE: &str = include_str!("../../data/matrix.sig");

/// TRE_R38 and what came before it: médecine du travail, and the function « médecin du travail ».
const OCCUPATIONAL: &[&str] = &["SM25", "SCH35", "C41", "CAPA11", "FON-29"];

impl Matrix {
    /// From rows already read: each type with one value per column.
    pub fn new(version: String, columns: Vec<Column>, rows: Vec<(TypeCode, Vec<Cell>)>) -> Matrix {
        let mut matrix = Matrix {
            version,
            effective: String::new(),
            sources: Vec::new(),
            columns,
            column_labels: Vec::new(),
            types: Vec::new(),
            keys: Vec::new(),
            cells: Vec::new(),
            origins: Vec::new(),
        };
        for (kind, values) in rows {
            let row = matrix.add_row(kind);
            for (column, cell) in values.into_iter().enumerate().take(matrix.columns.len()) {
                matrix.put(row, column, cell);
            }
        }
        matrix
    }

    /// The one that comes with the program, as a desk believes it. A kiosk with `trust.production` asks
    /// [`Matrix::shipped_for`].
    pub fn shipped() -> Result<Matrix, Error> {
        Matrix::shipped_for(Standing::Desk)
    }

    /// The one that comes with the program, if its signature counts here. In production the development key does not.
    pub fn shipped_for(standing: Standing) -> Result<Matrix, Error> {
        Matrix::open(SHIPPED, SHIPPED_SIGNATURE, standing)
    }

    /// Verifies, then reads: unsigned bytes are not parsed.
    pub fn open(bytes: &[u8], signature: &str, standing: Standing) -> Result<Matrix, Error> {
        signed::verify(bytes, signature, standing).map_err(|source| Error::Signature { source })?;
        file::read(bytes)
    }

    /// Unknown column, unknown type, unknown value: [`Cell::Unknown`]. Several columns: yes only if all say yes,
    /// no if one says no.
    pub fn cell(&self, place: &Place, kind: &TypeCode) -> Cell {
        let Some(row) = self.row(kind) else { return Cell::Unknown };
        let mut answer = None;
        for column in &place.columns {
            let value = self.column_at(column).map_or(Cell::Unknown, |column| self.at(row, column));
            answer = Some(match (answer, value) {
                (Some(Cell::No), _) | (_, Cell::No) => Cell::No,
                (Some(Cell::Unknown), _) | (_, Cell::Unknown) => Cell::Unknown,
                (_, Cell::Yes) => Cell::Yes,
            });
        }
        answer.unwrap_or(Cell::Unknown)
    }

    /// One cell.
    pub fn value(&self, column: &Column, kind: &TypeCode) -> Cell {
        match (self.row(kind), self.column_at(column)) {
            (Some(row), Some(column)) => self.at(row, column),
            _ => Cell::Unknown,
        }
    }

    /// Where a known cell was read.
    pub fn origin(&self, column: &Column, kind: &TypeCode) -> Option<&Source> {
        let row = self.row(kind)?;
        let place = self.origins[row * self.columns.len() + self.column_at(column)?];
        self.sources.get(usize::from(place).checked_sub(1)?)
    }

    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// As the publication prints it.
    pub fn column_label(&self, column: &Column) -> &str {
        self.column_at(column).and_then(|at| self.column_labels.get(at)).map_or("", String::as_str)
    }

    /// Every type that has a row, sorted.
    pub fn types(&self) -> &[TypeCode] {
        &self.types
    }

    /// Known cells, and all of them.
    pub fn known(&self) -> (usize, usize) {
        let all = self.types.len() * self.columns.len();
        let cells = (0..self.types.len()).flat_map(|row| (0..self.columns.len()).map(move |column| (row, column)));
        (cells.filter(|(row, column)| self.at(*row, *column) != Cell::Unknown).count(), all)
    }

    /// Whether its day has come; `None` when the clock cannot tell or no day is said.
    pub fn is_effective(&self, now: Wall) -> Option<bool> {
        now.has_reached(UnixSeconds::parse(&self.effective)?)
    }

    /// Whether it may take the place of another: only a newer one may.
    pub fn may_replace(&self, in_force: &Matrix) -> Result<(), Error> {
        if version_parts(&self.version)? > version_parts(&in_force.version)? {
            Ok(())
        } else {
            Err(Error::Older { found: self.version.clone(), in_force: in_force.version.clone() })
        }
    }
}

/// The table itself.
impl Matrix {
    fn row(&self, kind: &TypeCode) -> Option<usize> {
        let key = key(kind);
        let first = self.keys.partition_point(|known| *known < key);
        let alike = self.keys[first..].iter().take_while(|known| **known == key).count();
        (first..first + alike).find(|row| self.types[*row] == *kind)
    }

    fn column_at(&self, column: &Column) -> Option<usize> {
        self.columns.iter().position(|known| known == column)
    }

    fn bytes_a_row(&self) -> usize {
        self.columns.len().div_ceil(CELLS_A_BYTE)
    }

    fn at(&self, row: usize, column: usize) -> Cell {
        let byte = self.cells[row * self.bytes_a_row() + column / CELLS_A_BYTE];
        match (byte >> shift(column)) & MASK {
            YES => Cell::Yes,
            NO => Cell::No,
            _ => Cell::Unknown,
        }
    }

    /// Once a cell: what is put twice and differs is unknown afterwards.
    fn put(&mut self, row: usize, column: usize, cell: Cell) {
        let at = row * self.bytes_a_row() + column / CELLS_A_BYTE;
        let bits = match cell {
            Cell::Yes => YES,
            Cell::No => NO,
            Cell::Unknown => 0,
        };
        self.cells[at] |= bits << shift(column);
    }

    /// Where a type's row stands; a new one holds unknowns only.
    fn add_row(&mut self, kind: TypeCode) -> usize {
        let row = match self.types.binary_search(&kind) {
            Ok(row) => return row,
            Err(row) => row,
        };
        let (bytes, width) = (self.bytes_a_row(), self.columns.len());
        self.cells.splice(row * bytes..row * bytes, std::iter::repeat_n(0, bytes));
        self.origins.splice(row * width..row * width, std::iter::repeat_n(0, width));
        self.keys.insert(row, key(&kind));
        self.types.insert(row, kind);
        row
    }
}

const CELLS_A_BYTE: usize = 4;
const MASK: u8 = 0b11;
const YES: u8 = 0b01;
const NO: u8 = 0b10;

/// The first eight bytes, so that numbers stand in the order of the texts.
fn key(kind: &TypeCode) -> u64 {
    match kind.0.as_bytes() {
        [a, b, c, d, e, f, g, h, ..] => u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]),
        [a, b, c, d, e, f, g] => u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, 0]),
        [] => 0,
        few => few.iter().fold(0, |key, letter| key << 8 | u64::from(*letter)) << (8 * (8 - few.len())),
    }
}

fn shift(column: usize) -> usize {
    2 * (column % CELLS_A_BYTE)
}

impl Place {
    /// Where the matrix puts a profession; a pharmacist's section is TRE_G05. For a whole holder, [`Place::of_holder`].
    pub fn of(profession: Option<ProfessionCode>, pharmacist_section: Option<&str>) -> Place {
        let nowhere = Place { kind: ProfessionKind::WithoutColumn, columns: Vec::new() };
        let columns = match (profession, pharmacist_section) {
            (Some(ProfessionCode(21)), Some(section)) => nomenclature::columns_of_section(section),
            (Some(code), _) => nomenclature::columns_of_profession(code),
            (None, _) => None,
        };
        let columns: Vec<Column> = columns.unwrap_or_default().into_iter().map(|id| Column(id.to_owned())).collect();
        let kind = match profession {
            _ if columns.is_empty() => return nowhere,
            Some(ProfessionCode(10)) => ProfessionKind::Doctor,
            Some(ProfessionCode(21)) => ProfessionKind::Pharmacist,
            _ => ProfessionKind::Other,
        };
        Place { kind, columns }
    }

    /// With what is known beyond the profession. The doctors' column is printed « hors méd. du travail »: an
    /// occupational doctor has none. A card does not say the specialty (it is in its e-CPS answer, or the upstream's to
    /// check): a doctor whose specialty nobody said stands in the doctors' column.
    pub fn of_holder(holder: &Holder) -> Place {
        let place = Place::of(holder.profession, holder.pharmacist_section.as_deref());
        let specialty = holder.specialty.as_deref();
        if place.kind == ProfessionKind::Doctor && specialty.is_some_and(|code| OCCUPATIONAL.contains(&code)) {
            return Place { kind: ProfessionKind::OccupationalDoctor, columns: Vec::new() };
        }
        place
    }
}

impl Error {
    /// French, one sentence, for the screen.
    pub fn sentence(&self) -> &'static str {
        match self {
            Error::Table { source: table::Error::TooLarge { .. } | table::Error::TooLong } => {
                "Ce fichier est trop grand pour une matrice d’habilitation."
            }
            Error::Table { .. }
            | Error::Lacks { .. }
            | Error::Version { .. }
            | Error::Value { .. }
            | Error::Json { .. } => "Ce fichier n’est pas une matrice d’habilitation lisible.",
            Error::UnknownColumn { .. } | Error::UnknownType { .. } | Error::UnknownSource { .. } => {
                "Cette matrice nomme un code que la borne ne connaît pas."
            }
            Error::Twice { .. } | Error::Contradiction { .. } => "Cette matrice se répète ou se contredit.",
            Error::Older { .. } => "Cette matrice n’est pas plus récente que celle en vigueur.",
            Error::Signature { .. } => "La signature de cette matrice n’est pas reconnue.",
        }
    }
}

/// `2026-11-23.1` → the day and the number, to be compared.
pub fn version_parts(version: &str) -> Result<(UnixSeconds, u32), Error> {
    let parts = version.split_once('.').and_then(|(day, number)| Some((table::day_of(day)?, number.parse().ok()?)));
    parts.ok_or_else(|| Error::Version { found: version.to_owned() })
}
