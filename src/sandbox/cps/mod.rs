//! The virtual CPS: bytes in, bytes out (facts/card §1 and §5).
use crate::sandbox::pki::CardSecrets;
use crate::sandbox::pki::Profile;
use std::time::Duration;

/// Which chip the card says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chip {
    /// CPS3 in its contacts: the one that works.
    Cps3,
    /// Only its ATR.
    Cps4,
    /// A CPS3 without contact: only its ATR.
    Contactless,
}

/// What a card is printed from.
pub struct Print {
    pub chip: Chip,
    pub profile: Profile,
    pub secrets: CardSecrets,
    pub tries_left: u8,
}

/// What is wrong with a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Faults {
    /// It answers nothing at all, not even its ATR.
    pub mute: bool,
    /// It leaves the slot when the APDU of this index arrives, counted from 0 at insertion, and does not answer it.
    pub pulled_at: Option<u64>,
    /// It signs with a key that is not its certificate's.
    pub wrong_key: bool,
    /// Each answer takes this long.
    pub slow: Duration,
}

/// What went over the contacts since the card was printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    pub apdus: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
}

/// The PIN of every card of the sandbox.
pub const PIN: &str = "1234";
/// The unblocking code of every card of the sandbox.
pub const PUK: &str = "87654321";
pub const TRIES_MAX: u8 = 3;

/// The card.
pub struct Card {
    /// What is wrong with it; nothing at first.
    pub faults: Faults,
    print: Print,
    counters: Counters,
}

impl Card {
    pub fn print(print: Print) -> Card {
        Card { print, faults: Faults::default(), counters: Counters::default() }
    }

    /// Answer to reset.
    pub fn answer_to_reset(&self) -> Vec<u8> {
        Vec::new()
    }

    /// One command TPDU in, one response out.
    pub fn answer(&mut self, _command: &[u8]) -> Vec<u8> {
        vec![0x6d, 0x00]
    }

    /// Power off, power on: the PIN is forgotten, its counter is not.
    pub fn reset(&mut self) {}

    pub fn counters(&self) -> Counters {
        self.counters
    }

    pub fn tries_left(&self) -> u8 {
        self.print.tries_left
    }
}
