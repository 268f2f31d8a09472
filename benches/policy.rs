//! Deciding 10,000 documents for one holder: against the same rules asked as one SQL join, and against one look-up of
//! (column, type code) in std's `HashMap`, all in one run and on the same documents. Each time is the least of several
//! rounds, taken in turns. The answers are compared first: a peer that answers otherwise is an error, not a figure.

mod facts;
mod sql;

use crate::figure::Figure;
use crate::memory;
use chevet::policy::Facts;
use chevet::policy::Matrix;
use chevet::policy::decide;
use chevet::policy::facts::Cell;
use chevet::policy::facts::DocumentFacts;
use chevet::policy::matrix::Place;
use std::collections::HashMap;
use std::hint::black_box;
use std::time::Duration;
use std::time::Instant;

const DOCUMENTS: usize = 10_000;
const ROUNDS: usize = 21;

pub fn run() -> Result<Vec<Figure>, String> {
    let matrix = Matrix::shipped().map_err(|error| error.to_string())?;
    let (place, mut facts) = facts::nurse(&matrix);
    // The lists are read at their first use: what they hold is not the matrix's.
    drop(matrix);
    let with_lists = memory::held();
    let matrix = Matrix::shipped().map_err(|error| error.to_string())?;
    let matrix_bytes = memory::held() - with_lists;

    let mut documents = facts::documents(DOCUMENTS);
    let cells = hash_map(&matrix);
    let column = place.columns[0].0.as_str();
    let database = sql::Database::fill(&matrix, &documents).map_err(|error| error.to_string())?;
    let mut question = database.prepare().map_err(|error| error.to_string())?;
    compare(&matrix, &place, &mut facts, &mut documents, &mut question)?;

    let asked = memory::calls();
    let permitted = decide_all(&matrix, &place, &mut facts, &mut documents);
    let allocations = memory::calls() - asked;

    let (mut ours, mut join, mut look_up) = (Duration::MAX, Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        ours = ours.min(timed(|| decide_all(&matrix, &place, &mut facts, &mut documents)));
        join = join.min(timed(|| question.decide_all().unwrap_or(0)));
        look_up = look_up.min(timed(|| look_up_all(&cells, column, &documents)));
    }
    let each = |time: Duration| time.as_secs_f64() * 1e9 / DOCUMENTS as f64;
    let a_tenth_or_more = permitted > DOCUMENTS / 10 && permitted < DOCUMENTS;
    if !a_tenth_or_more {
        return Err(format!("{permitted} of {DOCUMENTS} permitted: the documents prove nothing"));
    }
    Ok(vec![
        Figure {
            figure: "policy: deciding one of 10,000 documents, least of 21 rounds",
            ours: each(ours),
            peer: Some(("the same rules as an SQL join (SQLite, in memory, indexed, prepared)", each(join))),
            unit: "ns",
            goal: 1.0 / 20.0,
        },
        Figure {
            figure: "policy: deciding one of 10,000 documents, least of 21 rounds",
            ours: each(ours),
            peer: Some(("one look-up of (column, type code) in std HashMap", each(look_up))),
            unit: "ns",
            goal: 10.0,
        },
        Figure {
            figure: "policy: the whole matrix in memory, by a counting allocator",
            ours: (matrix_bytes + size_of::<Matrix>()) as f64,
            peer: None,
            unit: "bytes",
            goal: 64.0 * 1024.0,
        },
        Figure {
            figure: "policy: calls of the allocator while deciding 10,000 documents",
            ours: allocations as f64,
            peer: None,
            unit: "calls",
            goal: 0.0,
        },
    ])
}

/// Looks each document up in the matrix and decides; how many are permitted.
fn decide_all(matrix: &Matrix, place: &Place, facts: &mut Facts, documents: &mut [Option<DocumentFacts>]) -> usize {
    let mut permitted = 0;
    for slot in documents {
        std::mem::swap(&mut facts.document, slot);
        if let Some(document) = &mut facts.document {
            document.cell = matrix.cell(place, &document.type_code);
        }
        let decision = decide(facts);
        permitted += usize::from(decision.allow);
        black_box(&decision);
        std::mem::swap(&mut facts.document, slot);
    }
    permitted
}

fn hash_map(matrix: &Matrix) -> HashMap<(&str, &str), Cell> {
    let mut cells = HashMap::new();
    for column in matrix.columns() {
        for kind in matrix.types() {
            cells.insert((column.0.as_str(), kind.0.as_str()), matrix.value(column, kind));
        }
    }
    cells
}

fn look_up_all(cells: &HashMap<(&str, &str), Cell>, column: &str, documents: &[Option<DocumentFacts>]) -> usize {
    let kinds = documents.iter().flatten().map(|document| document.type_code.0.as_str());
    kinds.filter(|kind| black_box(cells.get(&(column, *kind))) == Some(&Cell::Yes)).count()
}

fn compare(
    matrix: &Matrix,
    place: &Place,
    facts: &mut Facts,
    documents: &mut [Option<DocumentFacts>],
    question: &mut sql::Question<'_>,
) -> Result<(), String> {
    let theirs = question.rules().map_err(|error| error.to_string())?;
    for (slot, theirs) in documents.iter_mut().zip(theirs) {
        std::mem::swap(&mut facts.document, slot);
        if let Some(document) = &mut facts.document {
            document.cell = matrix.cell(place, &document.type_code);
        }
        let ours = decide(facts).rule.id;
        if ours != theirs {
            return Err(format!("SQL says {theirs} where we say {ours}: {:?}", facts.document));
        }
        std::mem::swap(&mut facts.document, slot);
    }
    Ok(())
}

fn timed(work: impl FnOnce() -> usize) -> Duration {
    let start = Instant::now();
    black_box(work());
    start.elapsed()
}
