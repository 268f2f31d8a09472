//! A byte, a sector or a page that is not what was written, anywhere: it is noticed, or it changes nothing that anybody sees.

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

pub fn sweep(folder: &Path, much: &Much) -> Done<Tried> {
    let (lived, flipped) = (folder.join("lived"), folder.join("flipped"));
    let (mut dice, mut ledger, runtime) = (Dice::new(much.seed), Ledger::default(), crate::runtime()?);
    runtime.block_on(life::live(&lived, much.seed, 0, ACTS, &mut |line| ledger.hear(line)))?;
    let disk = Disk::read(&lived)?;
    let files = disk.files();
    let (mut noticed, mut harmless, mut again, mut missing, mut silent) = (0, 0, 0, 0, 0);
    for _ in 0..much.flips {
        let (name, inode, size) = dice.one_of(&files);
        let mut disk = disk.clone();
        let what = damage(disk.bytes(*inode), &mut dice);
        disk.lay_out(&flipped, &mut dice)?;
        match runtime.block_on(check::look(&flipped, &ledger, AFTER)) {
            Verdict::Whole(_) => harmless += 1,
            Verdict::Corrupt(_) => noticed += 1,
            Verdict::Lost(why) if can_be_fetched(&why) => missing += 1,
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
        "flips: {}, {noticed} noticed, {harmless} harmless, {again} sent again, {missing} to be fetched again, {silent} silent",
        much.flips
    );
    Ok(Tried { ok: silent == 0, words })
}

/// What is missing of the upstream's is seen to be missing, and asked for again.
fn can_be_fetched(why: &str) -> bool {
    ["document/", "list/", "state/"].iter().any(|kind| why.starts_with(kind)) && why.contains(" is -, ")
}

/// Says what was done to it.
fn damage(bytes: &mut [u8], dice: &mut Dice) -> String {
    let at = dice.below(bytes.len() as u64) as usize;
    let kind = dice.below(4);
    let unit = if kind == 3 { PAGE } else { SECTOR };
    let from = at / unit * unit;
    let to = (from + unit).min(bytes.len());
    match kind {
        0 | 1 => {
            bytes[at] ^= 1 << dice.below(8);
            format!("a bit of byte {at}")
        }
        2 => {
            bytes[from..to].fill(0);
            format!("an empty sector at {from}")
        }
        _ => {
            let junk = dice.next().to_le_bytes();
            bytes[from..to].iter_mut().zip(junk.iter().cycle()).for_each(|(byte, junk)| *byte = *junk);
            format!("a page of junk at {from}")
        }
    }
}
