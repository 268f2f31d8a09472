//! A write-ahead log that a process left, read before SQLite reads it: SQLite takes what stands before the first frame that does not
//! verify for all there is, and says nothing of the commits behind it.
//!
//! ```text
//! header │ frame  frame  COMMIT │ frame  COMMIT │ frame  frame  COMMIT      each checksum goes on from the one before
//! ```
//!
//! Each commit is on the disk before the next is written (`synchronous=FULL`), the header before its first frame. So a power cut
//! leaves, behind a frame that does not verify, pieces of one transaction; and behind those, perhaps, what an earlier cut or a
//! write that failed had left, which goes on from nothing that stands there now. Two commits of which one goes on from the other
//! were both acknowledged, or the second would not be there: where they stand behind such a frame, the log is damaged.
//!
//! SQLite would even read what stands before the damage in the place of newer pages of the database, where all of the log was
//! written back before: then the database alone is whole.
//!
//! Not told from a cut: damage to the last commit, or to the head of the last frame of the one before it.

use std::fs::File;
use std::io::BufReader;
use std::io::ErrorKind;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// What a log is that a process left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Log {
    /// It is not there, or SQLite sees what was acknowledged.
    Whole,
    /// Commits that were acknowledged stand where SQLite does not see them.
    Damaged,
    /// The same; and the newest of them is in the database.
    WrittenBack,
}

/// Reads that log of that database, and changes nothing (SQLite, "Database File Format", §4).
pub(super) fn look(log: &Path, database: &Path) -> std::io::Result<Log> {
    let log = match File::open(log) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Log::Whole),
        opened => BufReader::new(opened?),
    };
    let database = File::open(database).ok();
    read(log, |number, page| {
        let (mut there, at) = (vec![0; page.len()], u64::from(number.saturating_sub(1)) * page.len() as u64);
        database.as_ref().is_some_and(|file| file.read_exact_at(&mut there, at).is_ok() && there == page)
    })
}

/// `has`: whether the database has that page so.
fn read(mut log: impl Read, has: impl Fn(u32, &[u8]) -> bool) -> std::io::Result<Log> {
    let mut head = [0; HEADER];
    if !fill(&mut log, &mut head)? {
        return Ok(Log::Whole);
    }
    let Some(Header { page, is_big_endian, salts, mut sum }) = Header::read(&head) else {
        // Where a frame is, its header was on the disk before.
        return Ok(if fill(&mut log, &mut [0; FRAME_HEAD])? { Log::Damaged } else { Log::Whole });
    };
    let mut frame = vec![0; FRAME_HEAD + page];
    let (mut is_behind, mut commits, mut is_damaged) = (false, 0, false);
    // Of the newest commit behind, and of what stands of the one that is being read.
    let (mut newest_is_back, mut is_back) = (false, true);
    loop {
        match fill(&mut log, &mut frame) {
            Ok(true) => {}
            Ok(false) => break,
            // SQLite reads no further either; a sector that a cut left unreadable is no reason to open nothing.
            Err(_) if is_behind => break,
            Err(error) => return Err(error),
        }
        let (head, page) = frame.split_at(FRAME_HEAD);
        let right = add(is_big_endian, add(is_big_endian, sum, &head[..8]), page);
        sum = pair(&head[16..]);
        let goes_on = head[8..16] == salts && sum == right;
        let is_commit = usize::from(number(&head[4..]) != 0);
        // What does not go on from the one before is perhaps what the next goes on from.
        commits = if goes_on { commits + is_commit } else { is_commit };
        is_behind |= !goes_on;
        is_damaged |= is_behind && commits > 1;
        if is_behind {
            is_back &= has(number(head), page);
            if is_commit == 1 {
                (newest_is_back, is_back) = (is_back, true);
            }
        }
    }
    Ok(match is_damaged {
        false => Log::Whole,
        true if newest_is_back => Log::WrittenBack,
        true => Log::Damaged,
    })
}

/// What all frames of a log are read by.
struct Header {
    /// In bytes.
    page: usize,
    is_big_endian: bool,
    salts: [u8; 8],
    sum: Sum,
}

type Sum = [u32; 2];

impl Header {
    /// `None`: SQLite takes the whole log for nothing.
    fn read(bytes: &[u8; HEADER]) -> Option<Header> {
        let (magic, page) = (number(bytes), number(&bytes[8..]));
        let is_big_endian = magic & 1 == 1;
        let sum = add(is_big_endian, [0, 0], &bytes[..24]);
        let is_one = magic & !1 == MAGIC && page.is_power_of_two() && (512..=65_536).contains(&page);
        let salts = bytes[16..24].try_into().ok()?;
        (is_one && sum == pair(&bytes[24..])).then_some(Header { page: page as usize, is_big_endian, salts, sum })
    }
}

/// Goes on with a checksum over bytes, of which there are a multiple of 8.
fn add(is_big_endian: bool, sum: Sum, bytes: &[u8]) -> Sum {
    let word = |bytes: &[u8]| if is_big_endian { number(bytes) } else { number(bytes).swap_bytes() };
    bytes.chunks_exact(8).fold(sum, |[one, two], words| {
        let one = one.wrapping_add(word(words)).wrapping_add(two);
        [one, two.wrapping_add(word(&words[4..])).wrapping_add(one)]
    })
}

fn pair(bytes: &[u8]) -> Sum {
    [number(bytes), number(&bytes[4..])]
}

/// The first four bytes, big endian.
fn number(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// `false`: it ends before.
fn fill(log: &mut impl Read, bytes: &mut [u8]) -> std::io::Result<bool> {
    match log.read_exact(bytes) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| true),
    }
}

const MAGIC: u32 = 0x377f_0682;
const HEADER: usize = 32;
const FRAME_HEAD: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    const FRAME: usize = FRAME_HEAD + 4096;

    /// Some commits as SQLite writes them, each of several frames.
    fn written(folder: &Path, commits: u32) -> Vec<u8> {
        let path = folder.join("a.db");
        let database = Connection::open(&path).expect("a database");
        database.execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0").expect("set");
        database.execute_batch("CREATE TABLE a (a PRIMARY KEY, b); CREATE INDEX b ON a (b)").expect("made");
        for number in 0..commits {
            database.execute("INSERT INTO a VALUES (?1, hex(randomblob(3000)))", [number]).expect("written");
        }
        std::fs::read(path.with_extension("db-wal")).expect("a log")
    }

    fn damaged(log: &[u8]) -> bool {
        read(log, |_, _| false).expect("read") == Log::Damaged
    }

    /// Where the frames are that end a commit.
    fn ends(log: &[u8]) -> Vec<usize> {
        (HEADER..log.len()).step_by(FRAME).filter(|at| number(&log[at + 4..]) != 0).collect()
    }

    #[test]
    fn a_byte_anywhere_before_the_last_two_commits_is_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = written(folder.path(), 6);
        let ends = ends(&log);
        assert!(!damaged(&log) && ends.len() == 8);
        let last = ends[ends.len() - 2];
        // All of the heads, and some of the pages.
        let tried = (0..last).filter(|at| *at < HEADER || (at - HEADER) % FRAME < 40 || at % 997 == 0);
        for at in tried {
            let mut changed = log.clone();
            changed[at] ^= 0x10;
            assert!(damaged(&changed), "byte {at} of {last}");
        }
        for size in [512, 4096] {
            for at in (0..last - size).step_by(size) {
                for with in [0, 0x5a] {
                    let mut changed = log.clone();
                    changed[at..at + size].fill(with);
                    assert!(damaged(&changed) || changed == log, "{size} bytes at {at}");
                }
            }
        }
    }

    /// All of it is in the database already, but for the page that was damaged, for all that can be told; or all but the newest.
    #[test]
    fn what_was_written_back_is_not_lost() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.db");
        let database = Connection::open(&path).expect("a database");
        database.execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0").expect("set");
        database.execute_batch("CREATE TABLE a (a INTEGER PRIMARY KEY, b)").expect("made");
        let write = || database.execute("INSERT INTO a (b) VALUES (hex(randomblob(3000)))", []).expect("written");
        let damage = || {
            let log = path.with_extension("db-wal");
            let mut bytes = std::fs::read(&log).expect("a log");
            bytes[HEADER + 2 * FRAME + 100] ^= 1;
            let copy = folder.path().join("copy");
            std::fs::write(&copy, bytes).expect("written");
            look(&copy, &path).expect("read")
        };
        for _ in 0..6 {
            write();
        }
        assert_eq!(damage(), Log::Damaged);
        database.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).expect("written back");
        assert_eq!(damage(), Log::WrittenBack);
        assert_eq!(look(&path.with_extension("db-wal"), &path).expect("read"), Log::Whole);
    }

    /// Sectors of the last transaction that did not reach the disk, in any order, are what a cut leaves.
    #[test]
    fn a_tail_that_a_cut_tore_is_not_damage() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = written(folder.path(), 4);
        let ends = ends(&log);
        let from = ends[ends.len() - 2] + FRAME;
        for mask in 1..512_u64 {
            let mut torn = log.clone();
            for (number, at) in (from.next_multiple_of(512)..log.len()).step_by(512).enumerate() {
                if mask.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (number % 64) & 1 == 1 {
                    torn[at..(at + 512).min(log.len())].fill(0);
                }
            }
            assert!(!damaged(&torn), "{mask}");
        }
        for length in [0, 10, 32, 40, from, from + 1, from + FRAME, log.len() - 1] {
            assert!(!damaged(&log[..length]), "cut at {length}");
        }
    }

    /// A transaction over what another had left, and torn itself: two ends stand behind what does not verify, and neither goes on
    /// from the other. And frames of before the log was begun anew are nobody's.
    #[test]
    fn what_was_left_of_another_is_not_damage() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.db");
        let log = written(folder.path(), 4);
        let before = ends(&log)[4] + FRAME;
        // The last one but the first of its frames; what was written since is shorter.
        let mut left = log.clone();
        left[before + 100] ^= 1;
        std::fs::write(path.with_extension("db-wal"), &left).expect("put");
        let database = Connection::open(&path).expect("a database");
        database.execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0").expect("set");
        database.execute("UPDATE a SET b = 'c' WHERE a = 0", []).expect("written");
        let mut two = std::fs::read(path.with_extension("db-wal")).expect("a log");
        let found = ends(&two);
        assert!(found.len() == 7 && !damaged(&two), "{found:?}");
        two[before + 100] ^= 1;
        assert!(!damaged(&two));

        database.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())).expect("written back");
        database.execute("UPDATE a SET b = 'd' WHERE a = 1", []).expect("written");
        let mut anew = std::fs::read(path.with_extension("db-wal")).expect("a log");
        assert!(anew.len() == two.len() && anew[..HEADER] != two[..HEADER] && !damaged(&anew));
        anew[HEADER + 100] ^= 1;
        assert!(!damaged(&anew), "the only commit looks like a tail that was torn");
    }
}
