//! The official publication → a matrix in our own form, not yet signed.
//!
//! Two forms are read. *CSV*: header `classCode,typeCode,typeLabel,<column id>…`, cells 1, 0, ? (empty counts as ?, never
//! as 0). *JSON:API*, as dmp.fr's own site serves it, page by page: each page names a profession by its code and lists
//! document types with a boolean; all pages stand in one array, and the last has no `nextUrl`. What the publication
//! does not say is unknown, even where the version before knew it: the difference shows that before it is signed.

use crate::identity::holder::ProfessionCode;
use crate::policy::facts::Cell;
use crate::policy::matrix::Column;
use crate::policy::matrix::Error;
use crate::policy::matrix::Matrix;
use crate::policy::matrix::Source;
use crate::policy::matrix::file::read_value;
use crate::policy::matrix::version_parts;
use crate::policy::nomenclature;
use crate::policy::table;
use serde::Deserialize;

/// What the publication does not say of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    pub version: String,
    pub effective: String,
    pub source: Source,
}

const FIXED: [&str; 3] = ["classCode", "typeCode", "typeLabel"];
/// The first and only one.
const SOURCE: u8 = 1;

/// Reads the CSV form; the columns are those of the matrix in force.
pub fn from_csv(bytes: &[u8], about: About, in_force: &Matrix) -> Result<Matrix, Error> {
    let table = table::read(bytes).map_err(|source| Error::Table { source })?;
    if table.header.len() <= FIXED.len() || table.header[..FIXED.len()] != FIXED {
        return Err(Error::Lacks { what: "header: classCode,typeCode,typeLabel and the columns" });
    }
    let mut matrix = empty(about, in_force)?;
    let columns = &table.header[FIXED.len()..];
    if let Some(unknown) = columns.iter().find(|id| !in_force.columns().iter().any(|known| known.0 == **id)) {
        return Err(Error::UnknownColumn { line: 1, found: unknown.clone() });
    }
    let mut seen: Vec<&str> = Vec::new();
    for row in &table.rows {
        let kind = row.values[1].as_str();
        if seen.contains(&kind) {
            return Err(Error::Twice { line: row.line, kind: kind.to_owned(), column: "*".into() });
        }
        seen.push(kind);
        for (column, value) in columns.iter().zip(&row.values[FIXED.len()..]) {
            let value = if value.is_empty() { "?" } else { value };
            matrix.say(row.line, kind, column, read_value(value, row.line)?, SOURCE)?;
        }
    }
    Ok(matrix)
}

/// One page of the JSON:API form.
#[derive(Deserialize)]
struct Page {
    profession: Profession,
    #[serde(alias = "results")]
    result: Vec<Line>,
    #[serde(rename = "nextUrl", default)]
    next_url: Option<String>,
}

#[derive(Deserialize)]
struct Profession {
    name: String,
    field_code_profession: u16,
}

#[derive(Deserialize)]
struct Line {
    field_consultation_document: bool,
    field_type_de_document: Type,
}

#[derive(Deserialize)]
struct Type {
    field_code_loinc: String,
}

/// Reads the JSON:API form: an array of pages, or one page.
pub fn from_json(bytes: &[u8], about: About, in_force: &Matrix) -> Result<Matrix, Error> {
    if bytes.len() > table::BYTES_MAX {
        return Err(Error::Table { source: table::Error::TooLarge { found: bytes.len() } });
    }
    let wrong =
        |error: serde_json::Error| Error::Json { what: format!("line {}, {:?}", error.line(), error.classify()) };
    let one_or_many: serde_json::Value = serde_json::from_slice(bytes).map_err(wrong)?;
    let pages = if one_or_many.is_array() { one_or_many } else { serde_json::Value::Array(vec![one_or_many]) };
    let pages: Vec<Page> = serde_json::from_value(pages).map_err(wrong)?;
    let mut matrix = empty(about, in_force)?;
    let unfinished = pages.last().is_none_or(|page| page.next_url.is_some());
    if unfinished {
        return Err(Error::Json { what: "its last page names another one".into() });
    }
    for (at, page) in pages.iter().enumerate() {
        let column = column_of(&page.profession, at + 1)?;
        for line in &page.result {
            let cell = if line.field_consultation_document { Cell::Yes } else { Cell::No };
            match matrix.say(at + 1, &line.field_type_de_document.field_code_loinc, &column.0, cell, SOURCE) {
                // Professions that share a column say the same thing twice.
                Ok(()) | Err(Error::Twice { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(matrix)
}

fn empty(about: About, in_force: &Matrix) -> Result<Matrix, Error> {
    version_parts(&about.version)?;
    if table::day_of(&about.effective).is_none() {
        return Err(Error::Lacks { what: "effective day" });
    }
    let mut matrix = Matrix::new(about.version, in_force.columns.clone(), Vec::new());
    matrix.effective = about.effective;
    matrix.sources = vec![about.source];
    matrix.column_labels = in_force.column_labels.clone();
    matrix.add_rows();
    Ok(matrix)
}

/// Pharmacists share one code and have two columns: only the page's name tells which.
fn column_of(profession: &Profession, page: usize) -> Result<Column, Error> {
    let unknown = || Error::UnknownColumn { line: page, found: profession.field_code_profession.to_string() };
    let columns = nomenclature::columns_of_profession(ProfessionCode(profession.field_code_profession));
    let columns = columns.ok_or_else(unknown)?;
    let id = match columns.as_slice() {
        [only] => only,
        [biologist, officine] => {
            let name = profession.name.to_lowercase();
            match (name.contains("biolog"), name.contains("officine") || name.contains("pui")) {
                (true, false) => biologist,
                (false, true) => officine,
                _ => return Err(unknown()),
            }
        }
        _ => return Err(unknown()),
    };
    Ok(Column((*id).to_owned()))
}
