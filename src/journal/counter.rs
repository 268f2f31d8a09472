//! What a counter that only rises says of a journal: whether this disk was put back to an earlier state.
//!
//! ```text
//! the value that is meant is written into the journal, on the disk → the counter is raised to it
//! ```
//!
//! So after a cut anywhere the counter is what the journal means, or one less. A counter that is more has seen a state of this
//! journal that is not here any more. Pure: who counts is a TPM (`device/tpm`).

/// What the journal remembers of its counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meant {
    /// It never had one.
    Never,
    /// One was about to be made.
    Begun,
    Value(u64),
}

/// What is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// There is none of this journal's.
    Nothing,
    /// Made, and never raised.
    Unraised,
    Value(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is missing, as far as it can tell.
    Agrees,
    /// The first counter of this journal has to be made, or made whole.
    Begin,
    /// Another chip, or one that was emptied: it cannot tell, and a new one is begun.
    Replaced,
    PutBack,
}

pub fn judge(meant: Meant, found: Found) -> Verdict {
    match (meant, found) {
        (Meant::Never, Found::Nothing) | (Meant::Begun, _) => Verdict::Begin,
        // It is this journal's own, and this disk has never heard of it.
        (Meant::Never, Found::Unraised | Found::Value(_)) => Verdict::PutBack,
        (Meant::Value(meant), Found::Value(found)) if found > meant => Verdict::PutBack,
        (Meant::Value(meant), Found::Value(found)) if meant - found <= 1 => Verdict::Agrees,
        (Meant::Value(_), _) => Verdict::Replaced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_may_be_what_is_meant_or_one_less_and_never_more() {
        use Found::Nothing;
        use Found::Unraised;
        for (meant, found, verdict) in [
            (Meant::Never, Nothing, Verdict::Begin),
            (Meant::Never, Unraised, Verdict::PutBack),
            (Meant::Never, Found::Value(1), Verdict::PutBack),
            (Meant::Begun, Nothing, Verdict::Begin),
            (Meant::Begun, Unraised, Verdict::Begin),
            (Meant::Begun, Found::Value(9), Verdict::Begin),
            (Meant::Value(7), Nothing, Verdict::Replaced),
            (Meant::Value(7), Unraised, Verdict::Replaced),
            (Meant::Value(7), Found::Value(5), Verdict::Replaced),
            (Meant::Value(7), Found::Value(6), Verdict::Agrees),
            (Meant::Value(7), Found::Value(7), Verdict::Agrees),
            (Meant::Value(7), Found::Value(8), Verdict::PutBack),
            (Meant::Value(7), Found::Value(u64::MAX), Verdict::PutBack),
            (Meant::Value(0), Found::Value(0), Verdict::Agrees),
        ] {
            assert_eq!(judge(meant, found), verdict, "{meant:?} {found:?}");
        }
    }

    /// The disk may be cut off between any two writes, and what is written next begins from what is found then.
    #[test]
    fn no_cut_of_the_power_looks_like_a_disk_that_was_put_back() {
        let (mut meant, mut counter) = (7, 7);
        for cut in [false, true, true, false, true, false] {
            assert_eq!(judge(Meant::Value(meant), Found::Value(counter)), Verdict::Agrees);
            meant = counter + 1;
            if !cut {
                counter += 1;
            }
        }
        assert_eq!(judge(Meant::Value(meant), Found::Value(counter)), Verdict::Agrees);
    }
}
