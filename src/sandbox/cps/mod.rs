//! The virtual CPS: bytes in, bytes out, and nothing else. A CPS3 in its contacts.
//!
//! A pure state machine: no clock, no thread, no socket. It is deliberately strict where a host may be wrong, and speaks
//! T=0 as a chip does, not as a lenient emulator (and T=1, in the make that does: there an Le after the data is a must):
//!
//! ```text
//! case 1, 3   CLA INS P1 P2 [Lc data]   → SW
//! case 2      CLA INS P1 P2 Le          → Le bytes and SW, or 6Cxx: exactly xx are there
//! case 4      CLA INS P1 P2 Lc data     → 61xx, then GET RESPONSE 00 C0 00 00 xx; an Le after the data is 6700
//! ```
//!
//! A wrong length of PIN costs a try, the keys need the PIN, the PIN is forgotten at reset and its counter is not.
//! A CPS4 is the same files behind other commands, as its maker's papers give them: nobody here has seen a real one.
//! Contactless cards and those of another family are an ATR and a refusal: the kiosk must not get further with them.
//!
//! - `tpdu` commands taken apart, status words
//! - `make` what cards differ in
//! - `files` the tree, SELECT, READ BINARY · `pkcs15` what the files say
//! - `pin` VERIFY, RESET RETRY COUNTER, GET DATA · `signing` MANAGE SECURITY ENVIRONMENT, the two keys

mod files;
pub mod make;
mod pin;
mod pkcs15;
mod signing;
mod tpdu;

use crate::sandbox::cps::files::Access;
use crate::sandbox::cps::files::File;
use crate::sandbox::cps::files::Place;
use crate::sandbox::cps::files::Tree;
use crate::sandbox::cps::make::Make;
use crate::sandbox::cps::make::Protocol;
use crate::sandbox::cps::pin::Pin;
use crate::sandbox::cps::signing::Signing;
use crate::sandbox::cps::tpdu::Answer;
use crate::sandbox::cps::tpdu::Tpdu;
use crate::sandbox::cps::tpdu::sw;
use crate::sandbox::der::tlv;
use crate::sandbox::pki::CardSecrets;
use crate::sandbox::pki::Profile;
use std::time::Duration;

/// Which chip the card says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chip {
    /// CPS3 in its contacts: the one that is known to be so.
    Cps3,
    /// Its own applet on the second logical channel, deciphering instead of authenticating.
    Cps4,
    /// A CPS3 without contact: only its ATR.
    Contactless,
    /// A card of another family, as a patient may hand over: only its ATR.
    Unknown,
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
    /// It answers no APDU from the one of this index on, counted from 0 at insertion.
    pub mute_from: Option<u64>,
    /// It leaves the slot when the APDU of this index arrives, counted from 0 at insertion, and does not answer it.
    pub pulled_at: Option<u64>,
    /// Before the APDU of this index, counted from 0 at insertion, its other application is chosen behind the host's back.
    pub loses_applet_at: Option<u64>,
    /// It does not say how many tries are left, in either of the two ways.
    pub hides_tries: bool,
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
    make: Make,
    tree: Tree,
    pin: Pin,
    signing: Signing,
    /// What GET RESPONSE would fetch; any other command drops it.
    waiting: Vec<u8>,
    /// A CPS4's own applet is the chosen one.
    has_applet: bool,
    /// What a chained command has brought so far.
    chain: Vec<u8>,
    /// The right length has just been told.
    is_corrected: bool,
    counters: Counters,
}

impl Card {
    /// A card as it leaves the printer. A key that no CPS could hold prints a card whose keys answer 6A88.
    pub fn print(print: Print) -> Card {
        Card {
            faults: Faults::default(),
            profile: print.profile,
            chip: print.chip,
            make: print.make,
            tree: pkcs15::tree(&print.profile, &print.secrets, print.make, print.chip),
            pin: Pin::new(print.tries_left, print.make),
            signing: Signing::new(&print.secrets),
            waiting: Vec::new(),
            has_applet: false,
            chain: Vec::new(),
            is_corrected: false,
            counters: Counters::default(),
        }
    }

    /// Its issuer has changed it: EF_ACTUA, which cards as they are printed here do not have (as the one of the traces).
    pub fn stamp(&mut self, day_of_month: u8) {
        let moment = |hour| [0x20, 0x26, 0x11, ((day_of_month / 10) << 4) | (day_of_month % 10), hour, 0x00, 0x00];
        let content = tlv(&[0xec], &[tlv(&[0x81], &moment(0x08)), tlv(&[0x82], &moment(0x09))].concat());
        self.tree.write(File { place: Place::Root, id: 0xd010, short: None, read: Access::Anyone, content });
    }

    /// Answer to reset.
    pub fn answer_to_reset(&self) -> Vec<u8> {
        match self.chip {
            Chip::Cps3 if self.make.protocol == Protocol::T1 => ATR_CPS3_IN_T1.to_vec(),
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
        self.has_applet = false;
        self.chain.clear();
        self.is_corrected = false;
    }

    /// A CPS4's other application has been chosen: its own is gone, and what was done in it.
    pub fn lose_applet(&mut self) {
        self.has_applet = false;
        self.chain.clear();
        self.pin.forget();
        self.signing.forget();
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

    /// Each signature that it gave by its authentication key, in order: for tests that look for them elsewhere.
    pub fn signatures(&self) -> &[Vec<u8>] {
        self.signing.given()
    }

    fn respond(&mut self, command: &[u8]) -> Vec<u8> {
        let waiting = std::mem::take(&mut self.waiting);
        let tpdu = match Tpdu::parse(command, self.make.protocol) {
            Ok(tpdu) => tpdu,
            Err(status) => return status.to_be_bytes().to_vec(),
        };
        if tpdu.instruction == tpdu::GET_RESPONSE && tpdu.class == self.class() {
            return self.hand_over(waiting, tpdu.expected());
        }
        match (self.perform(&tpdu), self.make.protocol) {
            (Err(status), _) => status.to_be_bytes().to_vec(),
            (Ok(Answer::Done), _) => sw::DONE.to_be_bytes().to_vec(),
            (Ok(Answer::Out(data)), Protocol::T0) => self.send(data, tpdu.expected()),
            // Case 4: the data waits for GET RESPONSE.
            (Ok(Answer::Waiting(data)), Protocol::T0) => {
                let status = [0x61, self.shown(data.len())];
                self.waiting = data;
                status.to_vec()
            }
            (Ok(Answer::Out(data) | Answer::Waiting(data)), Protocol::T1) => tpdu.answered_with(&data),
        }
    }

    /// Case 2: the chip sends as many bytes as P3 asks, or says how many there are (ISO 7816-3 §10.3.3).
    fn send(&mut self, data: Vec<u8>, asked: usize) -> Vec<u8> {
        let corrects = self.make.corrects_lengths && !std::mem::replace(&mut self.is_corrected, true);
        if data.len() < asked || corrects {
            return vec![0x6c, data.len().min(asked) as u8];
        }
        self.is_corrected = false;
        let part = asked.min(self.make.part.unwrap_or(asked));
        if part == asked {
            return [&data[..asked], &sw::DONE.to_be_bytes()].concat();
        }
        self.waiting = data[part..asked].to_vec();
        [&data[..part], &[0x61, self.shown(asked - part)]].concat()
    }

    /// What 61xx says of so many bytes.
    fn shown(&self, waiting: usize) -> u8 {
        let now = waiting.min(self.make.part.unwrap_or(waiting));
        if now > 0xff { 0 } else { now as u8 }
    }

    fn hand_over(&mut self, mut waiting: Vec<u8>, asked: usize) -> Vec<u8> {
        if waiting.is_empty() {
            return sw::CONDITIONS.to_be_bytes().to_vec();
        }
        let corrects = self.make.corrects_lengths && !std::mem::replace(&mut self.is_corrected, true);
        if asked > waiting.len() || corrects {
            let there = waiting.len().min(asked) as u8;
            self.waiting = waiting;
            return vec![0x6c, there];
        }
        self.is_corrected = false;
        let left = waiting.split_off(asked);
        let status = if left.is_empty() { sw::DONE.to_be_bytes() } else { [0x61, self.shown(left.len())] };
        self.waiting = left;
        waiting.extend(status);
        waiting
    }

    fn perform(&mut self, tpdu: &Tpdu<'_>) -> Result<Answer, u16> {
        match tpdu.instruction {
            tpdu::VERIFY if self.faults.hides_tries && tpdu.data.is_empty() => return Err(sw::LENGTH),
            tpdu::GET_DATA if self.faults.hides_tries => return Err(sw::NO_SUCH_OBJECT),
            _ => {}
        }
        match self.chip {
            Chip::Cps3 => {}
            Chip::Cps4 if tpdu.class & CHANNELS == CPS4_CHANNEL => return self.perform_as_cps4(tpdu),
            Chip::Cps4 => return self.perform_as_legacy(tpdu),
            _ => return Err(if tpdu.instruction == tpdu::SELECT { sw::NOT_FOUND } else { sw::INSTRUCTION }),
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
            tpdu::READ_BINARY if tpdu.expected() > self.make.read_max => Err(sw::LENGTH),
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

    /// Its applet has to be chosen first, and is lost when the other application is.
    fn perform_as_cps4(&mut self, tpdu: &Tpdu<'_>) -> Result<Answer, u16> {
        let is_chained = tpdu.class & CHAINED != 0;
        if is_chained && tpdu.instruction != tpdu::PERFORM_OPERATION {
            return Err(sw::CHAINING);
        }
        match tpdu.instruction {
            tpdu::SELECT => {
                let answer = self.tree.select(tpdu)?;
                self.has_applet |= tpdu.data == files::ROOT_NAME;
                if self.has_applet { Ok(answer) } else { Err(sw::CONDITIONS) }
            }
            _ if !self.has_applet => Err(sw::CONDITIONS),
            tpdu::READ_BINARY => self.tree.read(tpdu, self.rights()),
            tpdu::VERIFY => self.pin.verify(tpdu),
            tpdu::MANAGE_ENVIRONMENT => self.signing.choose_to_decipher(tpdu),
            tpdu::PERFORM_OPERATION => {
                self.chain.extend_from_slice(tpdu.data);
                if is_chained {
                    return Ok(Answer::Done);
                }
                let block = std::mem::take(&mut self.chain);
                self.signing.decipher(tpdu.parameters(), &block, self.rights(), self.faults.wrong_key)
            }
            _ => Err(sw::INSTRUCTION),
        }
    }

    /// What its predecessor was billed with: all that it is asked for here is to be chosen.
    fn perform_as_legacy(&mut self, tpdu: &Tpdu<'_>) -> Result<Answer, u16> {
        match tpdu.instruction {
            tpdu::SELECT if tpdu.data == LEGACY_NAME => {
                self.lose_applet();
                Ok(Answer::Done)
            }
            tpdu::SELECT => Err(sw::NOT_FOUND),
            _ => Err(sw::INSTRUCTION),
        }
    }

    /// The class of its commands.
    fn class(&self) -> u8 {
        if self.chip == Chip::Cps4 { CPS4_CHANNEL } else { 0 }
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

/// ISO 7816-4 §5.4.1: where CLA holds the logical channel, and says that more is to come.
const CHANNELS: u8 = 0x03;
const CHAINED: u8 = 0x10;
const CPS4_CHANNEL: u8 = 1;
const LEGACY_NAME: &[u8] = &[0x80, 0x25, 0x00, 0x00, 0x01, 0xff, 0x00, 0x02];

const ATR_CPS3: [u8; 17] =
    [0x3b, 0xac, 0x00, 0x40, 0x2a, 0x00, 0x12, 0x25, 0x00, 0x64, 0x80, 0x00, 0x03, 0x10, 0x00, 0x90, 0x00];
/// Nobody has seen one: T=1 alone, and the historical bytes of the others.
const ATR_CPS3_IN_T1: [u8; 16] =
    [0x3b, 0x8c, 0x01, 0x00, 0x12, 0x25, 0x00, 0x64, 0x80, 0x00, 0x03, 0x10, 0x00, 0x90, 0x00, 0xdd];
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
