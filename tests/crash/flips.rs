//! A byte, a sector or a page that is not what was written, anywhere: it is noticed, or it changes nothing that anybody sees.
//!
//! Half of them in a store that was closed, half in one that was left open, most of those in its write-ahead logs. There, what
//! takes the last commit away is what a power cut leaves, and nobody can tell the one from the other: it is counted apart.

use crate::Done;
use crate::Much;
use crate::Tried;
use crate::acts;
use crate::check;
use crate::check::Verdict;
use crate::dice::Dice;
use crate::disk::Disk;
use crate::ledger::Ledger;
use crate::life;
use std::path::Path;

const ACTS: u32 = 60;
const AFTER: i64 = acts::NOON + 400 * 86_400;
const TOLD_MAX: usize = 10;
const SECTOR: usize = 512;
const PAGE: usize = 4096;
const LOG_HEADER: usize = 32;
const LOG_FRAME: usize = 24 + PAGE;

pub fn sweep(folder: &Path, much: &Much) -> Done<Tried> {
    let (lived, flipped) = (folder.join("lived"), folder.join("flipped"));
    let (mut dice, mut ledger, runtime) = (Dice::new(much.seed), Ledger::default(), crate::runtime()?);
    let mut hears = |line: &str| ledger.hear(line);
    let life = runtime.block_on(life::live(&lived, much.seed, 0, ACTS, &mut hears))?;
    let left_open = Disk::read(&lived)?;
    drop(life);
    let disks = [Disk::read(&lived)?, left_open];
    let files = disks.each_ref().map(Disk::files);
    let logs: Vec<_> = files[1].iter().filter(|(name, ..)| name.ends_with("-wal")).cloned().collect();
    let (mut noticed, mut harmless, mut again, mut missing, mut cut_off, mut silent) = (0, 0, 0, 0, 0, 0);
    let mut in_logs = 0;
    for number in 0..much.flips {
        let (disk, files) = (&disks[number % 2], &files[number % 2]);
        let is_in_a_log = number % 2 == 1 && dice.happens(75);
        in_logs += usize::from(is_in_a_log);
        let (name, inode, size) = dice.one_of(if is_in_a_log { &logs } else { files });
        let mut disk = disk.clone();
        let end = if is_in_a_log { last_but_one(disk.bytes(*inode)) } else { usize::MAX };
        let (what, until) = damage(disk.bytes(*inode), &mut dice);
        disk.lay_out(&flipped, &mut dice)?;
        match runtime.block_on(check::look(&flipped, &ledger, AFTER)) {
            Verdict::Whole(_) => harmless += 1,
            Verdict::Corrupt(_) => noticed += 1,
            Verdict::Lost(_) if until > end => cut_off += 1,
            Verdict::Lost(why) if can_be_fetched(&why) => missing += 1,
            // Its author is told, in « À régler ».
            Verdict::Lost(why) if why.contains(&format!(" is {}, ", check::DAMAGED)) => noticed += 1,
            // It is sent a second time, and its id says so.
            Verdict::Lost(why) if why.contains(" is waiting, was acknowledged") => again += 1,
            Verdict::Lost(why) => {
                silent += 1;
                if silent <= TOLD_MAX {
                    eprintln!("seed {}, {what} of {name} ({size} bytes): {why}", much.seed);
                }
            }
        }
        std::fs::remove_dir_all(&flipped)?;
    }
    let words = format!(
        "flips: {}, {in_logs} of them in write-ahead logs, {noticed} noticed, {harmless} harmless, {again} sent again, \
         {missing} to be fetched again, {cut_off} as a cut takes the last commit, {silent} silent",
        much.flips
    );
    // A log in which all that is found looks like a cut would prove nothing.
    Ok(Tried { ok: silent == 0 && cut_off * 2 <= in_logs, words })
}

/// Where the frame begins that ends the last commit but one; SQLite's "Database File Format" §4.
fn last_but_one(log: &[u8]) -> usize {
    let is_end = |at: &usize| log[at + 8..at + 16] == log[16..24] && log[at + 4..at + 8] != [0; 4];
    let whole = log.len().saturating_sub(LOG_FRAME - 1);
    (LOG_HEADER..whole).step_by(LOG_FRAME).filter(is_end).rev().nth(1).unwrap_or(LOG_HEADER)
}

/// What is missing of the upstream's is seen to be missing, and asked for again.
fn can_be_fetched(why: &str) -> bool {
    ["document/", "list/", "state/"].iter().any(|kind| why.starts_with(kind)) && why.contains(" is -, ")
}

/// Says what was done to it, and where that ends.
fn damage(bytes: &mut [u8], dice: &mut Dice) -> (String, usize) {
    let at = dice.below(bytes.len() as u64) as usize;
    let kind = dice.below(4);
    let unit = if kind == 3 { PAGE } else { SECTOR };
    let from = at / unit * unit;
    let to = (from + unit).min(bytes.len());
    match kind {
        0 | 1 => {
            bytes[at] ^= 1 << dice.below(8);
            (format!("a bit of byte {at}"), at + 1)
        }
        2 => {
            bytes[from..to].fill(0);
            (format!("an empty sector at {from}"), to)
        }
        _ => {
            let junk = dice.next().to_le_bytes();
            bytes[from..to].iter_mut().zip(junk.iter().cycle()).for_each(|(byte, junk)| *byte = *junk);
            (format!("a page of junk at {from}"), to)
        }
    }
}
