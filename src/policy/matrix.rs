//! The habilitation matrix: (column, typeCode) → yes, no, unknown. Signed, versioned data, never code.

use crate::identity::holder::ProfessionCode;
use crate::policy::facts::Cell;
use crate::policy::facts::ProfessionKind;
use crate::record::document::TypeCode;
use std::collections::HashMap;

/// One column of the official publication, by the id that `data/matrix.csv` gives it, for example `60_69`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Column(pub String);

/// The matrix in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    pub version: String,
    columns: Vec<Column>,
    /// Per type: one value a column, in the order of `columns`.
    cells: HashMap<TypeCode, Vec<Cell>>,
}

/// Where a holder stands in the matrix: one column, or for a pharmacist whose section is not known, several of which
/// all must permit; none for a profession without a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub kind: ProfessionKind,
    pub columns: Vec<Column>,
}

impl Matrix {
    /// From rows already read: each type with one value per column.
    pub fn new(version: String, columns: Vec<Column>, rows: Vec<(TypeCode, Vec<Cell>)>) -> Matrix {
        Matrix { version, columns, cells: rows.into_iter().collect() }
    }

    /// Unknown column, unknown type, unknown value: [`Cell::Unknown`]. Several columns: yes only if all say yes,
    /// no if one says no.
    pub fn cell(&self, place: &Place, kind: &TypeCode) -> Cell {
        let Some(row) = self.cells.get(kind) else {
            return Cell::Unknown;
        };
        let values = place.columns.iter().map(|column| {
            self.columns.iter().position(|c| c == column).and_then(|at| row.get(at)).copied().unwrap_or(Cell::Unknown)
        });
        let mut answer = None;
        for value in values {
            answer = Some(match (answer, value) {
                (Some(Cell::No), _) | (_, Cell::No) => Cell::No,
                (Some(Cell::Unknown), _) | (_, Cell::Unknown) => Cell::Unknown,
                (_, Cell::Yes) => Cell::Yes,
            });
        }
        answer.unwrap_or(Cell::Unknown)
    }

    /// Known cells, and all of them.
    pub fn known(&self) -> (usize, usize) {
        let all = self.cells.values().map(Vec::len).sum();
        let known = self.cells.values().flatten().filter(|cell| **cell != Cell::Unknown).count();
        (known, all)
    }
}

impl Place {
    /// Where the matrix of 2023 puts a profession; a pharmacist's section is TRE_G05.
    pub fn of(profession: Option<ProfessionCode>, pharmacist_section: Option<&str>) -> Place {
        let place =
            |kind, columns: &[&str]| Place { kind, columns: columns.iter().map(|c| Column((*c).into())).collect() };
        let Some(ProfessionCode(code)) = profession else {
            return place(ProfessionKind::WithoutColumn, &[]);
        };
        match code {
            10 => place(ProfessionKind::Doctor, &["10"]),
            21 => match pharmacist_section {
                Some("G" | "EG") => place(ProfessionKind::Pharmacist, &["21b_biologiste"]),
                Some("A" | "D" | "DA" | "DM" | "EA" | "ED" | "H" | "EH") => {
                    place(ProfessionKind::Pharmacist, &["21b_officine_pui"])
                }
                Some(_) => place(ProfessionKind::WithoutColumn, &[]),
                None => place(ProfessionKind::Pharmacist, &["21b_biologiste", "21b_officine_pui"]),
            },
            40 => place(ProfessionKind::Other, &["40"]),
            50 => place(ProfessionKind::Other, &["50"]),
            60 | 69 => place(ProfessionKind::Other, &["60_69"]),
            70 => place(ProfessionKind::Other, &["70"]),
            80 => place(ProfessionKind::Other, &["80"]),
            91 => place(ProfessionKind::Other, &["91"]),
            92 | 94 | 95 | 96 => place(ProfessionKind::Other, &["92_94_95_96"]),
            26 | 81..=85 => place(ProfessionKind::Other, &["26_81_82_83_84_85"]),
            28 => place(ProfessionKind::Other, &["28"]),
            98 => place(ProfessionKind::Other, &["98"]),
            _ => place(ProfessionKind::WithoutColumn, &[]),
        }
    }
}
