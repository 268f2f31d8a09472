//! A journal that goes on although rows are missing: its disk was put back to an earlier state, or its newest part is gone. The
//! tree cannot have them again, so it goes on beside them, with a row that names the head that is lost here, if anybody knows it.
//!
//! A head that the upstream has stays proven: it is signed by this device. Pure.

use crate::journal::note::Head;
use crate::journal::trace::Draft;
use crate::journal::tree::Hash;
use crate::time::Now;

/// What stands in the row's `rule`.
pub const RULE: &str = "JOURNAL-BRANCH";

/// What a row that begins a branch says of the head that is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    Head(u64, Hash),
    /// The newest rows may be missing: nobody has seen them.
    Unknown,
}

/// The row, of the device itself.
pub fn draft(device: &str, lost: Option<&Head>, at: Now) -> Draft {
    let lost = lost.map_or(Lost::Unknown, |head| Lost::Head(head.size, head.root));
    Draft::of_device(device, RULE, lost.words(), at)
}

impl Lost {
    /// As it stands in the row's `reason`, for ever.
    fn words(self) -> String {
        match self {
            Lost::Head(size, root) => format!("{HEAD} {size} {}", hex::encode(root)),
            Lost::Unknown => UNKNOWN.to_owned(),
        }
    }

    /// `None`: words of a newer program, or of nobody.
    pub fn read(words: &str) -> Option<Lost> {
        if words == UNKNOWN {
            return Some(Lost::Unknown);
        }
        let (size, root) = words.strip_prefix(HEAD)?.strip_prefix(' ')?.split_once(' ')?;
        let mut hash = [0; 32];
        hex::decode_to_slice(root, &mut hash).ok()?;
        Some(Lost::Head(size.parse().ok()?, hash))
    }

    /// How many rows the lost head covers; 0: nobody knows.
    pub fn size(self) -> u64 {
        match self {
            Lost::Head(size, _) => size,
            Lost::Unknown => 0,
        }
    }
}

const HEAD: &str = "lost head";
const UNKNOWN: &str = "the newest rows may be lost";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_is_read_back_as_it_was_written() {
        for lost in [Lost::Unknown, Lost::Head(7, [0xa5; 32])] {
            assert_eq!(Lost::read(&lost.words()), Some(lost));
        }
        for odd in ["", "lost head", "lost head 7", "lost head x 00", "lost head 7 00", "lost heads 7 00"] {
            assert_eq!(Lost::read(odd), None, "{odd}");
        }
    }
}
