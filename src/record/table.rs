//! Where the cells of a table stand: columns, and what hangs down from above (HTML 4.01 §11.2.6). Paper, the screen and the summary
//! lay tables out alike. Pure.

use crate::record::reading::Cell;
use crate::record::reading::Row;
use crate::record::reading::RowKind;

/// The columns of one table, and how many more rows each is taken by a cell from above.
pub struct Grid {
    taken: Vec<u16>,
}

impl Grid {
    pub fn of(columns: usize) -> Grid {
        Grid { taken: vec![0; columns.max(1)] }
    }

    pub fn columns(&self) -> usize {
        self.taken.len()
    }

    /// First column and width in columns of each cell; the last column takes whatever has no room.
    pub fn places(&mut self, cells: &[Cell]) -> Vec<(usize, usize)> {
        let all = self.taken.len();
        let mut from_above: Vec<bool> = self.taken.iter().map(|rows| *rows > 0).collect();
        self.taken.iter_mut().for_each(|rows| *rows = rows.saturating_sub(1));
        let mut places = Vec::with_capacity(cells.len());
        let mut next = 0;
        for cell in cells {
            while next < all && from_above[next] {
                next += 1;
            }
            let first = next.min(all - 1);
            let wide = usize::from(cell.columns.max(1)).min(all - first);
            from_above[first..first + wide].fill(true);
            for rows in &mut self.taken[first..first + wide] {
                *rows = (*rows).max(cell.rows.max(1) - 1);
            }
            places.push((first, wide));
            next = first + wide;
        }
        places
    }
}

pub fn is_table(row: &Row) -> bool {
    matches!(row.kind, RowKind::TableHead | RowKind::TableRow)
}

/// How many columns the table that begins here has, what hangs down from above counted.
pub fn columns_from(rows: &[Row]) -> usize {
    let mut wide = Grid::of(COLUMNS_MAX);
    let ends = rows.iter().take_while(|row| is_table(row)).flat_map(|row| wide.places(&row.cells));
    ends.map(|(first, wide)| first + wide).max().unwrap_or(1)
}

/// A wider table is read in its document's own program.
const COLUMNS_MAX: usize = 24;
