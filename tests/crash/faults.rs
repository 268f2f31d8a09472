//! A disk that is full, broken or read-only at every single call of a life: nothing acknowledged is lost, what fails says so,
//! and when the disk is well again the vault goes on.

use crate::Done;
use crate::Much;
use crate::Tried;
use crate::acts;
use crate::check;
use crate::check::Verdict;
use crate::dice::Dice;
use crate::faulty;
use crate::faulty::FAULTS;
use crate::faulty::Fault;
use crate::ledger::Ledger;
use crate::life::Lived;
use crate::life::live_on;
use chevet::vault;
use rusqlite::ffi;
use std::collections::HashSet;
use std::path::Path;

/// A short life: each of its calls is failed in each way.
const ACTS: u32 = 24;
const AFTER: i64 = acts::NOON + 400 * 86_400;
/// That is told, each with what it takes to have it again.
const TOLD_MAX: usize = 10;

pub fn sweep(folder: &Path, much: &Much) -> Done<Tried> {
    let state = folder.join("faulty");
    // Once without a fault, to know how many calls there are.
    let calls = live_with(&state, much.seed, None)?.calls;
    let mut all: Vec<(Fault, u64)> = FAULTS.iter().flat_map(|fault| (1..=calls).map(|at| (*fault, at))).collect();
    let mut dice = Dice::new(much.seed);
    while all.len() > much.faults {
        let out = dice.below(all.len() as u64) as usize;
        all.swap_remove(out);
    }
    let covered: HashSet<u64> = all.iter().map(|(_, at)| *at).collect();
    let (mut wrong, mut refused) = (0, 0);
    for (fault, at) in &all {
        let one = live_with(&state, much.seed, Some((*fault, *at)))?;
        refused += one.refused;
        if let Some(why) = one.wrong {
            wrong += 1;
            if wrong <= TOLD_MAX {
                eprintln!("seed {}, {} at call {at} of {calls}: {why}", much.seed, fault.name);
            }
        }
    }
    let words =
        format!("faults: {} at {} of {calls} calls, {refused} acts refused, {wrong} wrong", all.len(), covered.len());
    // Faults that nobody feels would prove nothing.
    Ok(Tried { ok: wrong == 0 && refused >= all.len() / 2, words })
}

struct One {
    calls: u64,
    refused: usize,
    wrong: Option<String>,
}

fn live_with(state: &Path, seed: u64, fault: Option<(Fault, u64)>) -> Done<One> {
    let mut ledger = Ledger::default();
    let runtime = crate::runtime()?;
    let (cause, at) = fault.unwrap_or((FAULTS[0], 0));
    faulty::set(cause, at);
    let lived = runtime.block_on(live_on(state, seed, ACTS, &mut |line| ledger.hear(line)));
    let calls = faulty::heal();
    let Lived { errors } = lived;
    let unclear = errors.iter().find(|error| !is_clear(error, cause.errno));
    let wrong = match unclear {
        Some(error) => Some(format!("said as: {error:?}")),
        None => match runtime.block_on(check::check(state, &ledger, AFTER)) {
            Verdict::Whole(_) => None,
            Verdict::Lost(what) => Some(format!("lost: {what}")),
            // It could not be written that the journal was closed: better said once too often than never.
            Verdict::Corrupt(what) if cause.stays && what == check::MISSING => None,
            Verdict::Corrupt(what) => Some(format!("corrupt: {what}")),
        },
    };
    std::fs::remove_dir_all(state)?;
    Ok(One { calls, refused: errors.len(), wrong })
}

/// Whether the error says what is the matter with the disk, and not something else.
fn is_clear(error: &vault::Error, errno: i32) -> bool {
    let is_full = errno == libc::ENOSPC;
    match error {
        // A log's index that cannot grow is taken for a full disk: SQLite says no more of it.
        vault::Error::DiskFull => true,
        vault::Error::Open { source }
        | vault::Error::Step { source, .. }
        | vault::Error::Read { source, .. }
        | vault::Error::Write { source, .. } => !is_full || does_not_say(source),
        vault::Error::Folder { .. } | vault::Error::File { .. } | vault::Error::KeyFile { .. } => !is_full,
        // After an opening that failed nothing is open.
        vault::Error::Locked => true,
        _ => false,
    }
}

/// Of an opening or a sync that failed SQLite says that it did, and not why.
fn does_not_say(error: &rusqlite::Error) -> bool {
    let extended = error.sqlite_error().map_or(0, |error| error.extended_code);
    [
        ffi::SQLITE_IOERR_FSYNC,
        ffi::SQLITE_IOERR_DIR_FSYNC,
        ffi::SQLITE_IOERR_TRUNCATE,
        ffi::SQLITE_CANTOPEN,
        ffi::SQLITE_READONLY,
    ]
    .contains(&extended)
}
