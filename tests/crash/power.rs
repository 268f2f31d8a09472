//! Power cuts: one life is recorded, and its disk rebuilt as it may have been at any moment of it.

use crate::Done;
use crate::Much;
use crate::Tried;
use crate::acts;
use crate::check;
use crate::check::Verdict;
use crate::dice::Dice;
use crate::disk::CUTS;
use crate::disk::Disk;
use crate::disk::Lies;
use crate::disk::Moment;
use crate::disk::Op;
use crate::ledger::Ledger;
use crate::life;
use crate::trace;
use crate::trace::Reader;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;

/// What came of a number of cuts.
#[derive(Default)]
struct Count {
    states: usize,
    lost: usize,
    corrupt: usize,
}

/// A recorded life: where it began, and what it did.
struct Recording {
    start: Disk,
    /// What was said before.
    before: Ledger,
    ops: Vec<Op>,
}

/// Acts of one life: enough for several purges, restarts and full write-ahead logs.
const ACTS: u32 = 220;
/// Failures that are told, each with what it takes to have it again.
const TOLD_MAX: usize = 10;
/// After all that is lived.
const AFTER: i64 = acts::NOON + 400 * 86_400;

pub fn cuts(folder: &Path, much: &Much) -> Done<Tried> {
    let life = Recording::make(&folder.join("life"), much.seed, "full")?;
    let upgraded = Recording::of_an_upgrade(&folder.join("upgraded"), much.seed)?;
    let aside = Recording::of_one_set_aside(&folder.join("aside"), much.seed)?;
    let weak = Recording::make(&folder.join("weak"), much.seed, "normal")?;
    let ours = life.cut(folder, much.states, Lies::No, much.seed, true)?;
    let upgrades = upgraded.cut(folder, much.states / 3, Lies::No, much.seed, true)?;
    let set_aside = aside.cut(folder, much.states / 6, Lies::No, much.seed, true)?;
    let few = (much.states / 6).clamp(30, 200);
    let normal = weak.cut(folder, few, Lies::No, much.seed, false)?;
    let flushes = life.cut(folder, few, Lies::AboutFlushes, much.seed, false)?;
    let names = life.cut(folder, few, Lies::AboutNames, much.seed, false)?;
    let found_out = [&normal, &flushes, &names].iter().all(|control| !control.is_good());
    let words = format!(
        "power cuts: {} states of {} calls, {} lost, {} corrupt; during an upgrade: {upgrades}; \
         while compartments are set aside: {set_aside}; controls: synchronous=NORMAL {normal}, \
         a disk that ignores flushes {flushes}, one that forgets names {names}{}",
        ours.states,
        life.ops.len(),
        ours.lost,
        ours.corrupt,
        if found_out { "" } else { " (NOT FOUND OUT)" },
    );
    Ok(Tried { ok: [ours, upgrades, set_aside].iter().all(Count::is_good) && found_out, words })
}

impl Recording {
    fn make(folder: &Path, seed: u64, how: &str) -> Done<Recording> {
        std::fs::create_dir_all(folder)?;
        Recording::go_on(folder, Ledger::default(), [seed.to_string(), "0".into(), ACTS.to_string(), how.into()])
    }

    /// A short life, whose store is then the version before's; recorded is what a program of today does with it.
    fn of_an_upgrade(folder: &Path, seed: u64) -> Done<Recording> {
        let (state, mut before) = (folder.join("state"), Ledger::default());
        crate::runtime()?.block_on(life::live(&state, seed, 0, ACTS / 4, &mut |line| before.hear(line))).map(drop)?;
        put_back(&state.join("journal.db"), 2, JOURNAL_UNDO)?;
        for entry in std::fs::read_dir(state.join("compartments"))? {
            let path = entry?.path();
            if path.extension().is_some_and(|kind| kind == "db") {
                put_back(&path, 1, COMPARTMENT_UNDO)?;
            }
        }
        Recording::go_on(folder, before, [seed.to_string(), "10000".into(), "20".into(), "full".into()])
    }

    /// A short life, each compartment of which refuses this program's last step; recorded is how their desks go on in others.
    fn of_one_set_aside(folder: &Path, seed: u64) -> Done<Recording> {
        let (state, mut before) = (folder.join("state"), Ledger::default());
        crate::runtime()?.block_on(life::live(&state, seed, 0, ACTS / 4, &mut |line| before.hear(line))).map(drop)?;
        for entry in std::fs::read_dir(state.join("compartments"))? {
            let path = entry?.path();
            if path.extension().is_some_and(|kind| kind == "db") {
                // What the step makes is there already.
                rusqlite::Connection::open(&path)?.pragma_update(None, "user_version", 5)?;
            }
        }
        // What can be fetched again is not taken along.
        let left = acts::all_of(&[0, 1], &[0, 1]).into_iter().chain([check::ASIDE.to_owned()]);
        left.for_each(|key| before.hear(&format!("try {key} {}", life::NOTHING)));
        Recording::go_on(folder, before, [seed.to_string(), "10000".into(), "20".into(), "full".into()])
    }

    fn go_on(folder: &Path, before: Ledger, how: [String; 4]) -> Done<Recording> {
        let start = Disk::read(folder)?;
        let log = folder.with_extension("strace");
        let lived = Command::new("strace")
            .args(["-f", "-qq", "-xx", "-s", "1000000", "-e", trace::CALLS, "-o"])
            .arg(&log)
            .arg(std::env::current_exe()?)
            .arg("life")
            .arg(folder.join("state"))
            .args(how)
            .stdout(Stdio::null())
            .status()?;
        if !lived.success() {
            return Err("the life that is recorded did not end well".into());
        }
        let ops = Reader::new(folder, start.clone()).read(&std::fs::read_to_string(&log)?)?;
        Ok(Recording { start, before, ops })
    }

    fn cut(&self, folder: &Path, states: usize, lies: Lies, seed: u64, must_hold: bool) -> Done<Count> {
        let mut dice = Dice::new(seed);
        let mut moments: Vec<usize> = (0..states).map(|_| dice.below(self.ops.len() as u64 + 1) as usize).collect();
        moments.sort_unstable();
        let (mut moment, mut ledger) = (Moment::new(self.start.clone(), lies), self.before.clone());
        let (mut lived, mut count) = (0, Count::default());
        let runtime = crate::runtime()?;
        for until in moments {
            for op in &self.ops[lived..until] {
                moment.goes_on(op);
                if let Op::Said(line) = op {
                    ledger.hear(line);
                }
            }
            lived = until;
            let cut = *dice.one_of(&CUTS);
            let place = folder.join("cut");
            moment.cut(cut, &mut dice).lay_out(&place, &mut dice)?;
            let verdict = runtime.block_on(check::check(&place.join("state"), &ledger, AFTER));
            std::fs::remove_dir_all(&place)?;
            count.states += 1;
            let (number, what) = match verdict {
                Verdict::Whole(_) => continue,
                Verdict::Lost(what) => (&mut count.lost, what),
                Verdict::Corrupt(what) => (&mut count.corrupt, what),
            };
            *number += 1;
            if must_hold && count.lost + count.corrupt <= TOLD_MAX {
                eprintln!("seed {seed}, cut {cut:?} after call {until} of {}: {what}", self.ops.len());
            }
        }
        Ok(count)
    }
}

/// The version before had every row in the outbox and in the tree at once.
const JOURNAL_UNDO: &str = "UPDATE store SET settled = (SELECT coalesce(max(idx) + 1, 0) FROM trace);
    DROP TRIGGER settle; DROP TRIGGER settle_at_start;
    ALTER TABLE store DROP COLUMN settled; ALTER TABLE store DROP COLUMN counter;
    ALTER TABLE trace DROP COLUMN nodes; ALTER TABLE trace DROP COLUMN waits; DROP TABLE branch;
    DROP TABLE card; DROP INDEX outbox_needs; DROP TABLE level;";
const COMPARTMENT_UNDO: &str = "DROP TRIGGER list_grows; DROP TRIGGER list_changes; DROP TRIGGER list_shrinks;
    DROP TRIGGER list_goes; DROP TABLE list; DROP INDEX document_read; DROP INDEX document_file;
    DROP INDEX document_unread; ALTER TABLE document DROP COLUMN text;";

/// The last steps undone: what they added is gone, and so are their numbers. All of it stands in a log, as after a process that
/// did not close.
fn put_back(path: &Path, version: i64, undo: &str) -> Done<()> {
    let database = rusqlite::Connection::open(path)?;
    database.execute_batch(&format!("{undo} ALTER TABLE store DROP COLUMN readable_since;"))?;
    database.pragma_update(None, "user_version", version)?;
    let [log, kept, kept_log] = ["db-wal", "kept", "kept-wal"].map(|end| path.with_extension(end));
    std::fs::copy(path, &kept)?;
    std::fs::copy(&log, &kept_log)?;
    drop(database);
    std::fs::rename(&kept, path)?;
    Ok(std::fs::rename(&kept_log, &log)?)
}

impl Count {
    fn is_good(&self) -> bool {
        self.lost + self.corrupt == 0
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} lost and {} corrupt of {}", self.lost, self.corrupt, self.states)
    }
}
