//! Our own form of the matrix: notes, then one line for each *known* cell, with where it was read. What has no line is
//! unknown, so that nothing can be forgotten into a yes.
//!
//! ```text
//! # chevet-matrix: 1
//! # version: 2026-11-23.1
//! # effective: 2023-10-29
//! # source: deck | 2026-11 | …
//! # column: 60_69 | Infirmiers
//! typeCode,column,value,source
//! 15508-5,60_69,1,deck
//! ```

use crate::policy::facts::Cell;
use crate::policy::matrix::Column;
use crate::policy::matrix::Error;
use crate::policy::matrix::Matrix;
use crate::policy::matrix::Source;
use crate::policy::matrix::version_parts;
use crate::policy::nomenclature;
use crate::policy::table;
use crate::policy::table::Table;
use crate::record::document::TypeCode;

const HEADER: [&str; 4] = ["typeCode", "column", "value", "source"];

/// Reads our own form. Whether anybody signed it is asked before, by [`Matrix::open`].
pub fn read(bytes: &[u8]) -> Result<Matrix, Error> {
    let table = table::read(bytes).map_err(|source| Error::Table { source })?;
    if table.note("chevet-matrix") != Some("1") || table.header != HEADER {
        return Err(Error::Lacks { what: "form: `# chevet-matrix: 1` and typeCode,column,value,source" });
    }
    let mut matrix = read_notes(&table)?;
    for row in &table.rows {
        let [kind, column, value, source] = row.values.as_slice() else {
            return Err(Error::Lacks { what: "four values a line" });
        };
        let value = read_value(value, row.line)?;
        let source = matrix.sources.iter().position(|known| known.id == *source);
        let source = source.and_then(|at| u8::try_from(at + 1).ok());
        let source = source.ok_or_else(|| Error::UnknownSource { line: row.line, found: row.values[3].clone() })?;
        matrix.say(row.line, kind, column, value, source)?;
    }
    Ok(matrix)
}

/// Writes our own form, sorted, so that two versions can be compared line by line.
pub fn write(matrix: &Matrix) -> String {
    let mut text = format!("# chevet-matrix: 1\n# version: {}\n# effective: {}\n", matrix.version, matrix.effective);
    for source in &matrix.sources {
        text += &format!("# source: {} | {} | {}\n", source.id, source.date, source.text);
    }
    for column in &matrix.columns {
        text += &format!("# column: {} | {}\n", column.0, matrix.column_label(column));
    }
    text += &HEADER.join(",");
    text.push('\n');
    for kind in matrix.types() {
        for column in &matrix.columns {
            let value = match matrix.value(column, kind) {
                Cell::Yes => 1,
                Cell::No => 0,
                Cell::Unknown => continue,
            };
            let source = matrix.origin(column, kind).map_or("", |source| source.id.as_str());
            text += &format!("{},{},{value},{source}\n", kind.0, column.0);
        }
    }
    text
}

fn read_notes(table: &Table) -> Result<Matrix, Error> {
    let version = table.note("version").ok_or(Error::Lacks { what: "version" })?;
    version_parts(version)?;
    let effective = table.note("effective").filter(|day| table::day_of(day).is_some());
    let effective = effective.ok_or(Error::Lacks { what: "effective day" })?;
    let mut matrix = Matrix::new(version.to_owned(), Vec::new(), Vec::new());
    matrix.effective = effective.to_owned();
    for note in table.notes("source") {
        let mut parts = note.splitn(3, '|').map(|part| part.trim().to_owned());
        let (Some(id), Some(date), Some(text)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Error::Lacks { what: "sources: id | date | text" });
        };
        matrix.sources.push(Source { id, date, text });
    }
    for note in table.notes("column") {
        let (id, label) = note.split_once('|').ok_or(Error::Lacks { what: "columns: id | label" })?;
        matrix.columns.push(Column(id.trim().to_owned()));
        matrix.column_labels.push(label.trim().to_owned());
    }
    if matrix.sources.is_empty() || matrix.columns.is_empty() {
        return Err(Error::Lacks { what: "sources or columns" });
    }
    matrix.add_rows();
    Ok(matrix)
}

/// `1`, `0`, `?`.
pub(super) fn read_value(text: &str, line: usize) -> Result<Cell, Error> {
    match text {
        "1" => Ok(Cell::Yes),
        "0" => Ok(Cell::No),
        "?" => Ok(Cell::Unknown),
        other => Err(Error::Value { line, found: other.chars().take(20).collect() }),
    }
}

impl Matrix {
    /// A row of unknowns for each type that the DMP takes.
    pub(super) fn add_rows(&mut self) {
        for kind in nomenclature::dmp_types() {
            self.add_row(kind);
        }
    }

    /// Writes one cell down, once; `source` counts from one.
    pub(super) fn say(&mut self, line: usize, kind: &str, column: &str, cell: Cell, source: u8) -> Result<(), Error> {
        let at = self.columns.iter().position(|known| known.0 == column);
        let at = at.ok_or_else(|| Error::UnknownColumn { line, found: column.to_owned() })?;
        let code = TypeCode(kind.to_owned());
        if !nomenclature::type_is_known(&code) {
            return Err(Error::UnknownType { line, found: kind.to_owned() });
        }
        let row = self.add_row(code);
        match (self.at(row, at), cell) {
            (_, Cell::Unknown) => return Ok(()),
            (Cell::Unknown, _) => self.put(row, at, cell),
            (before, now) if before == now => {
                return Err(Error::Twice { line, kind: kind.to_owned(), column: column.to_owned() });
            }
            _ => return Err(Error::Contradiction { line, kind: kind.to_owned(), column: column.to_owned() }),
        }
        let width = self.columns.len();
        self.origins[row * width + at] = source;
        Ok(())
    }
}
