//! Which of the two systems starts next, and how many attempts each has left: the board's boot script reads and writes the same
//! (`scripts/image.d/boot/boot.cmd`).
//!
//! Two small files, written in turn, each an environment as U-Boot keeps it: CRC-32 (4 bytes, little-endian) ‖ `NAME=VALUE` ‖ 0 ‖
//! … ‖ 0, filled with zeros to 4,096 bytes. Their numbers go 1, 2, 3, 1: the newer is the one that follows the other. A cut while one
//! is written leaves the other.

use std::fs::File;
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::path::Path;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    A,
    B,
}

/// What the boot script goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slots {
    pub first: Slot,
    pub a_left: u8,
    pub b_left: u8,
    /// 1 to 3; 0: nothing was ever written.
    turn: u8,
    /// Which file holds it: 1 or 2.
    file: u8,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{file} on the boot partition cannot be read")]
    Read { file: &'static str, source: std::io::Error },
    #[error("{file} on the boot partition cannot be written")]
    Write { file: &'static str, source: std::io::Error },
}

/// Attempts of a system that has just been found good, or that is new.
pub const ATTEMPTS: u8 = 3;
const FILES: [&str; 2] = ["slots-1.env", "slots-2.env"];
const SIZE: usize = 4_096;

impl Slot {
    /// Of the system that runs, by the kernel's command line.
    pub fn of_command_line(line: &str) -> Option<Slot> {
        line.split_ascii_whitespace().find_map(|word| Slot::named(word.strip_prefix("chevet.slot=")?))
    }

    pub fn name(self) -> &'static str {
        match self {
            Slot::A => "A",
            Slot::B => "B",
        }
    }

    fn named(name: &str) -> Option<Slot> {
        [Slot::A, Slot::B].into_iter().find(|slot| slot.name() == name)
    }
}

impl Slots {
    /// The newer of both files in that folder; what a board begins with where neither is whole.
    pub fn read(folder: &Path) -> Result<Slots, Error> {
        let [first, second] = [read_file(folder, 1)?, read_file(folder, 2)?];
        Ok(match (first, second) {
            (Some(first), Some(second)) if second.turn == following(first.turn) => second,
            (Some(first), _) => first,
            (None, Some(second)) => second,
            (None, None) => Slots { first: Slot::A, a_left: ATTEMPTS, b_left: ATTEMPTS, turn: 0, file: 2 },
        })
    }

    /// That system is good: it starts first, and has all its attempts again.
    pub fn with_good(self, slot: Slot) -> Slots {
        match slot {
            Slot::A => Slots { first: slot, a_left: ATTEMPTS, ..self },
            Slot::B => Slots { first: slot, b_left: ATTEMPTS, ..self },
        }
    }

    /// On the disk when this returns, in the file that is not in force.
    pub fn keep(self, folder: &Path) -> Result<(), Error> {
        let next = Slots { turn: following(self.turn), file: 3 - self.file, ..self };
        let file = FILES[usize::from(next.file) - 1];
        let write = || {
            // Never shortened first: what is there is written over.
            let mut open = OpenOptions::new().write(true).create(true).truncate(false).open(folder.join(file))?;
            open.write_all(&next.bytes())?;
            open.sync_all()
        };
        write().map_err(|source| Error::Write { file, source })
    }

    fn bytes(self) -> Vec<u8> {
        let (first, second) = match self.first {
            Slot::A => ("A", "B"),
            Slot::B => ("B", "A"),
        };
        let Slots { a_left, b_left, turn, .. } = self;
        let text = format!("TURN={turn}\0ORDER={first} {second}\0A_LEFT={a_left}\0B_LEFT={b_left}\0\0");
        let mut bytes = vec![0; 4];
        bytes.extend_from_slice(text.as_bytes());
        bytes.resize(SIZE, 0);
        let sum = crc32fast::hash(&bytes[4..]);
        bytes[..4].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// `None`: it is none, or not whole.
    fn parse(bytes: &[u8], file: u8) -> Option<Slots> {
        let (sum, text) = bytes.get(..SIZE)?.split_first_chunk::<4>()?;
        if crc32fast::hash(text) != u32::from_le_bytes(*sum) {
            return None;
        }
        let text = std::str::from_utf8(text).ok()?;
        let value = |name: &str| {
            let lines = text.split('\0').take_while(|line| !line.is_empty());
            lines.filter_map(|line| line.split_once('=')).find(|(known, _)| *known == name).map(|(_, value)| value)
        };
        let left = |name: &str| value(name)?.parse().ok().filter(|left| *left <= ATTEMPTS);
        let turn = value("TURN")?.parse().ok().filter(|turn| (1..=3).contains(turn))?;
        let first = Slot::named(value("ORDER")?.split(' ').next()?)?;
        Some(Slots { first, a_left: left("A_LEFT")?, b_left: left("B_LEFT")?, turn, file })
    }
}

fn read_file(folder: &Path, file: u8) -> Result<Option<Slots>, Error> {
    let name = FILES[usize::from(file) - 1];
    let mut bytes = Vec::new();
    let read = File::open(folder.join(name)).and_then(|open| open.take(SIZE as u64 + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) => Ok(Slots::parse(&bytes, file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Read { file: name, source }),
    }
}

fn following(turn: u8) -> u8 {
    turn % 3 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(folder: &Path) -> (Slot, u8, u8) {
        let slots = Slots::read(folder).expect("read");
        (slots.first, slots.a_left, slots.b_left)
    }

    #[test]
    fn the_newer_of_both_counts_and_a_cut_leaves_the_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        assert_eq!(left(folder), (Slot::A, 3, 3), "of a new board");
        for round in 0..7_u8 {
            let (a_left, b_left) = (round % 4, (round + 1) % 4);
            let slots = Slots {
                a_left,
                b_left,
                first: [Slot::A, Slot::B][usize::from(round % 2)],
                ..Slots::read(folder).expect("read")
            };
            slots.keep(folder).expect("kept");
            assert_eq!(left(folder), (slots.first, a_left, b_left), "round {round}");
        }
        let before = Slots::read(folder).expect("read");
        let [mine, other] = [before.file, 3 - before.file].map(|file| folder.join(FILES[usize::from(file) - 1]));
        for cut in [0, 1, 4, 20, 4_095] {
            let next = Slots { a_left: 3, b_left: 3, turn: following(before.turn), ..before }.bytes();
            std::fs::write(&other, &next[..cut]).expect("cut short");
            assert_eq!(Slots::read(folder).expect("read"), before, "cut at {cut}");
        }
        std::fs::write(&mine, b"nothing").expect("lost");
        assert_eq!(left(folder), (Slot::A, 3, 3), "neither is whole");
    }

    #[test]
    fn a_good_system_starts_first_and_has_its_attempts_again() {
        let worn = Slots { first: Slot::A, a_left: 0, b_left: 1, turn: 2, file: 1 };
        let good = worn.with_good(Slot::B);
        assert_eq!((good.first, good.a_left, good.b_left), (Slot::B, 0, 3));
        assert_eq!(Slot::of_command_line("console=tty0 chevet.slot=B quiet"), Some(Slot::B));
        assert_eq!(Slot::of_command_line("console=tty0 chevet.slot=C xchevet.slot=A"), None);
    }

    /// What U-Boot's own `mkenvimage -s 0x1000` makes of these lines.
    #[test]
    fn the_form_is_u_boots() {
        let slots = Slots { first: Slot::B, a_left: 0, b_left: 2, turn: 1, file: 1 };
        let bytes = slots.bytes();
        assert_eq!((bytes.len(), hex::encode(&bytes[..4])), (4_096, "772dfac6".to_owned()));
        assert_eq!(&bytes[4..41], b"TURN=1\0ORDER=B A\0A_LEFT=0\0B_LEFT=2\0\0\0");
        assert_eq!(Slots::parse(&bytes, 1), Some(slots));
    }
}
