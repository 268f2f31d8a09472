//! What one version changes in another, cell by cell: shown to a person before anything is signed in.

use crate::policy::facts::Cell;
use crate::policy::matrix::Column;
use crate::policy::matrix::Matrix;
use crate::record::document::TypeCode;

/// One cell that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub kind: TypeCode,
    pub column: Column,
    pub before: Cell,
    pub after: Cell,
}

/// Every cell that differs, by type, then in the order of the columns. A row or a column that one of them lacks counts
/// as unknown there.
pub fn changes(before: &Matrix, after: &Matrix) -> Vec<Change> {
    let mut types: Vec<&TypeCode> = before.types().iter().chain(after.types()).collect();
    types.sort();
    types.dedup();
    let mut columns: Vec<&Column> = before.columns().iter().collect();
    columns.extend(after.columns().iter().filter(|column| !before.columns().contains(column)));
    let mut found = Vec::new();
    for kind in types {
        for &column in &columns {
            let (was, is) = (before.value(column, kind), after.value(column, kind));
            if was != is {
                found.push(Change { kind: kind.clone(), column: column.clone(), before: was, after: is });
            }
        }
    }
    found
}
