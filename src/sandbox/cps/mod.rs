//! The virtual CPS: bytes in, bytes out, and nothing else. A CPS3 in its contacts.
//!
//! A pure state machine: no clock, no thread, no socket. It is deliberately strict where a host may be wrong, and speaks
//! T=0 as a chip does, not as a lenient emulator:
//!
//! ```text
//! case 1, 3   CLA INS P1 P2 [Lc data]   → SW
//! case 2      CLA INS P1 P2 Le          → Le bytes and SW, or 6Cxx: exactly xx are there
//! case 4      CLA INS P1 P2 Lc data     → 61xx, then GET RESPONSE 00 C0 00 00 xx; an Le after the data is 6700
//! ```
//!
//! A wrong length of PIN costs a try, the keys need the PIN, the PIN is forgotten at reset and its counter is not.
//! CPS4, contactless cards and those of another family are an ATR and a refusal: the kiosk must not get further with them.
//!
//! - `tpdu` commands taken apart, status words
//! - `files` the tree, SELECT, READ BINARY · `pkcs15` what the files say
//! - `pin` VERIFY, RESET RETRY COUNTER, GET DATA · `signing` MANAGE SECURITY ENVIRONMENT, the two keys

mod files;
mod pin;
mod pkcs15;
mod signing;
mod tpdu;

use crate::sandbox::cps::files::Access;
use crate::sandbox::cps::files::Tree;
use crate::sandbox::cps::pin::Pin;
use crate::sandbox::cps::signing::Signing;
use crate::sandbox::cps::tpdu::Answer;
use crate::sandbox::cps::tpdu::Tpdu;
use crate::sandbox::cps::tpdu::sw;
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
    /// A card of another family, as a patient may hand over: only its ATR.
    Unknown,
}

/// How a card was laid out by whoever issued it. Cards differ, and a host has to go by what each says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Make {
    /// Added to the identifier of every file below the object directory, whose own place alone is fixed.
    pub moved_by: u16,
    /// P2 of VERIFY.
    pub pin_reference: u8,
    /// The PIN is sent in this length, filled with FF.
    pub pin_stored: Option<usize>,
    /// BIT STRINGs of its directories miscount their unused bits, as some real cards' do.
    pub miscounts_bits: bool,
}

impl Make {
    pub const USUAL: Make = Make { moved_by: 0, pin_reference: 0x01, pin_stored: None, miscounts_bits: false };
    /// All of it otherwise. What of this real cards do together, nobody here knows.
    pub const ODD: Make = Make { moved_by: 0x0b10, pin_reference: 0x03, pin_stored: Some(8), miscounts_bits: true };
}

/// What a card is printed from.
pub struct Print {
    pub chip: Chip,
    pub make: Make,
    pub profile: Profile,
    pub secrets: CardSecrets,
    pub tries_left: u8,
}

/// What is wrong with a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Faults {
    /// It answers no APDU.
    pub mute: bool,
    /// It leaves the slot when the APDU of this index arrives, counted from 0 at insertion, and does not answer it.
    pub pulled_at: Option<u64>,
    /// It authenticates with a key that is not its certificate's.
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

/// The card.
pub struct Card {
    /// What is wrong with it; nothing at first.
    pub faults: Faults,
    profile: Profile,
    chip: Chip,
    tree: Tree,
    pin: Pin,
    signing: Signing,
    /// What GET RESPONSE would fetch; any other command drops it.
    waiting: Vec<u8>,
    counters: Counters,
}

impl Card {
    /// A card as it leaves the printer. A key that no CPS could hold prints a card whose keys answer 6A88.
    pub fn print(print: Print) -> Card {
        Card {
            faults: Faults::default(),
            profile: print.profile,
            chip: print.chip,
            tree: pkcs15::tree(&print.profile, &print.secrets, print.make),
            pin: Pin::new(print.tries_left, print.make),
            signing: Signing::new(&print.secrets),
            waiting: Vec::new(),
            counters: Counters::default(),
        }
    }

    /// Answer to reset.
    pub fn answer_to_reset(&self) -> Vec<u8> {
        match self.chip {
            Chip::Cps3 => ATR_CPS3.to_vec(),
            Chip::Cps4 => ATR_CPS4.to_vec(),
            Chip::Contactless => ATR_CONTACTLESS.to_vec(),
            Chip::Unknown => ATR_UNKNOWN.to_vec(),
        }
    }

    /// One command TPDU in, one response out.
    pub fn answer(&mut self, command: &[u8]) -> Vec<u8> {
        let response = self.respond(command);
        self.counters.apdus += 1;
        self.counters.bytes_in += command.len() as u64;
        self.counters.bytes_out += response.len() as u64;
        response
    }

    /// Power off, power on: the PIN, the file and the key that were chosen are forgotten; the counters of tries are not.
    pub fn reset(&mut self) {
        self.pin.forget();
        self.signing.forget();
        self.tree.forget();
        self.waiting.clear();
    }

    /// Whose card it is.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Tries left before the PIN blocks.
    pub fn tries_left(&self) -> u8 {
        self.pin.tries_left()
    }

    fn respond(&mut self, command: &[u8]) -> Vec<u8> {
        let waiting = std::mem::take(&mut self.waiting);
        let tpdu = match Tpdu::parse(command) {
            Ok(tpdu) => tpdu,
            Err(status) => return status.to_be_bytes().to_vec(),
        };
        if tpdu.instruction == tpdu::GET_RESPONSE && tpdu.class == 0 {
            return self.hand_over(waiting, tpdu.expected());
        }
        match self.perform(&tpdu) {
            Err(status) => status.to_be_bytes().to_vec(),
            Ok(Answer::Done) => sw::DONE.to_be_bytes().to_vec(),
            // Case 2: the chip sends as many bytes as P3 asks, or says how many there are (ISO 7816-3 §10.3.3).
            Ok(Answer::Out(data)) => match data.get(..tpdu.expected()) {
                Some(asked) => [asked, &sw::DONE.to_be_bytes()].concat(),
                None => vec![0x6c, data.len() as u8],
            },
            // Case 4: the data waits for GET RESPONSE.
            Ok(Answer::Waiting(data)) => {
                let shown = if data.len() > 0xff { 0 } else { data.len() as u8 };
                self.waiting = data;
                vec![0x61, shown]
            }
        }
    }

    fn hand_over(&mut self, mut waiting: Vec<u8>, asked: usize) -> Vec<u8> {
        if waiting.is_empty() {
            return sw::CONDITIONS.to_be_bytes().to_vec();
        }
        if asked > waiting.len() {
            let there = waiting.len() as u8;
            self.waiting = waiting;
            return vec![0x6c, there];
        }
        let left = waiting.split_off(asked);
        let status = match left.len() {
            0 => sw::DONE.to_be_bytes(),
            some @ 1..=0xff => [0x61, some as u8],
            _ => [0x61, 0],
        };
        self.waiting = left;
        waiting.extend(status);
        waiting
    }

    fn perform(&mut self, tpdu: &Tpdu<'_>) -> Result<Answer, u16> {
        if self.chip != Chip::Cps3 {
            return Err(if tpdu.instruction == tpdu::SELECT { sw::NOT_FOUND } else { sw::INSTRUCTION });
        }
        match tpdu.class {
            0x00 => {}
            // Command chaining is for deciphering, which this card does not do.
            0x10 => return Err(sw::CHAINING),
            _ => return Err(sw::CLASS),
        }
        match tpdu.instruction {
            tpdu::SELECT => {
                let before = self.tree.place();
                let answer = self.tree.select(tpdu)?;
                if self.tree.place() != before {
                    self.signing.forget();
                }
                Ok(answer)
            }
            tpdu::READ_BINARY => self.tree.read(tpdu, self.rights()),
            tpdu::VERIFY => self.pin.verify(tpdu),
            tpdu::RESET_RETRY_COUNTER => self.pin.unblock(tpdu),
            tpdu::GET_DATA => pin::get_data(tpdu, &self.pin, self.tree.place()),
            tpdu::MANAGE_ENVIRONMENT => self.signing.choose(tpdu, self.tree.place()),
            tpdu::INTERNAL_AUTHENTICATE => self.signing.authenticate(tpdu, self.rights(), self.faults.wrong_key),
            tpdu::PERFORM_OPERATION => self.signing.operate(tpdu, self.rights()),
            _ => Err(sw::INSTRUCTION),
        }
    }

    fn rights(&self) -> Access {
        if self.pin.is_verified() { Access::Holder } else { Access::Anyone }
    }
}

/// The PIN of every card of the sandbox.
pub const PIN: &str = "1234";

/// The unblocking code of every card of the sandbox.
pub const PUK: &str = "87654321";

pub const TRIES_MAX: u8 = 3;

const ATR_CPS3: [u8; 17] =
    [0x3b, 0xac, 0x00, 0x40, 0x2a, 0x00, 0x12, 0x25, 0x00, 0x64, 0x80, 0x00, 0x03, 0x10, 0x00, 0x90, 0x00];
const ATR_CPS4: [u8; 17] =
    [0x3b, 0x9b, 0x18, 0x80, 0x01, 0x00, 0x12, 0x25, 0x00, 0x64, 0x80, 0x04, 0x01, 0x00, 0x00, 0x90, 0x44];
const ATR_CONTACTLESS: [u8; 20] = [
    0x3b, 0x8f, 0x80, 0x01, 0x00, 0x31, 0xb8, 0x64, 0x04, 0xb0, 0xec, 0xc1, 0x73, 0x94, 0x01, 0x80, 0x82, 0x90, 0x00,
    0x0e,
];

/// T=0 with five historical bytes that no pattern of a CPS has; such as lists of ATRs give for health insurance cards.
const ATR_UNKNOWN: [u8; 10] = [0x3b, 0x75, 0x13, 0x00, 0x00, 0x9c, 0x02, 0x02, 0x01, 0x02];

#[cfg(test)]
mod tests;
