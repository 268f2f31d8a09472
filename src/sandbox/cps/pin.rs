//! The PIN and its unblocking code: VERIFY, RESET RETRY COUNTER, and what GET DATA tells of them.

use crate::sandbox::cps::PIN;
use crate::sandbox::cps::PUK;
use crate::sandbox::cps::TRIES_MAX;
use crate::sandbox::cps::files::Place;
use crate::sandbox::cps::make::Make;
use crate::sandbox::cps::tpdu::Answer;
use crate::sandbox::cps::tpdu::Tpdu;
use crate::sandbox::cps::tpdu::sw;
use crate::sandbox::der::tlv;

/// Global: the same from every folder.
pub struct Pin {
    make: Make,
    digits: Vec<u8>,
    tries_left: u8,
    unblocking_tries_left: u8,
    is_verified: bool,
}

impl Pin {
    pub fn new(tries_left: u8, make: Make) -> Pin {
        Pin {
            make,
            digits: PIN.as_bytes().to_vec(),
            tries_left: tries_left.min(TRIES_MAX),
            unblocking_tries_left: TRIES_MAX,
            is_verified: false,
        }
    }

    pub fn tries_left(&self) -> u8 {
        self.tries_left
    }

    pub fn is_verified(&self) -> bool {
        self.is_verified
    }

    pub fn forget(&mut self) {
        self.is_verified = false;
    }

    /// Without data: how many tries there are, and none is spent. With data: right or wrong, whatever its length.
    pub fn verify(&mut self, tpdu: &Tpdu<'_>) -> Result<Answer, u16> {
        if tpdu.parameters() != [0x00, self.make.pin_reference] {
            return Err(if tpdu.p1 == 0 { sw::NO_SUCH_OBJECT } else { sw::PARAMETERS });
        }
        if tpdu.data.is_empty() {
            return match (self.is_verified, self.tries_left) {
                (true, _) => Ok(Answer::Done),
                (false, 0) => Err(sw::BLOCKED),
                (false, left) => Err(sw::tries(left)),
            };
        }
        self.is_verified = false;
        if self.tries_left == 0 {
            return Err(sw::BLOCKED);
        }
        if tpdu.data == self.as_sent() {
            self.tries_left = TRIES_MAX;
            self.is_verified = true;
            return Ok(Answer::Done);
        }
        self.tries_left -= 1;
        // The third answer is 6983, as OpenSC's own dialogue expects.
        Err(if self.tries_left == 0 { sw::BLOCKED } else { sw::tries(self.tries_left) })
    }

    fn as_sent(&self) -> Vec<u8> {
        let mut digits = self.digits.clone();
        digits.resize(self.make.pin_stored.unwrap_or(digits.len()), 0xff);
        digits
    }

    /// P1 00: the unblocking code and a new PIN. P1 01: the code alone, the PIN stays.
    pub fn unblock(&mut self, tpdu: &Tpdu<'_>) -> Result<Answer, u16> {
        if tpdu.p2 != self.make.pin_reference || tpdu.p1 > 1 {
            return Err(sw::PARAMETERS);
        }
        if self.unblocking_tries_left == 0 {
            return Err(sw::BLOCKED);
        }
        let Some((code, new)) = tpdu.data.split_at_checked(PUK.len()) else { return Err(sw::LENGTH) };
        let is_fit = match tpdu.p1 {
            0 => (DIGITS_MIN..=DIGITS_MAX).contains(&new.len()) && new.iter().all(u8::is_ascii_digit),
            _ => new.is_empty(),
        };
        if !is_fit {
            return Err(sw::DATA);
        }
        if code != PUK.as_bytes() {
            self.unblocking_tries_left -= 1;
            let left = self.unblocking_tries_left;
            return Err(if left == 0 { sw::BLOCKED } else { sw::tries(left) });
        }
        if !new.is_empty() {
            self.digits = new.to_vec();
        }
        self.tries_left = TRIES_MAX;
        self.unblocking_tries_left = TRIES_MAX;
        self.is_verified = false;
        Ok(Answer::Done)
    }
}

/// Security data objects: the PIN's from the root, the keys' from their own folder.
pub fn get_data(tpdu: &Tpdu<'_>, pin: &Pin, place: Place) -> Result<Answer, u16> {
    if tpdu.parameters() != [0x3f, 0xff] {
        return Err(sw::PARAMETERS);
    }
    let [0x4d, length, asked @ ..] = tpdu.data else { return Err(sw::DATA) };
    if usize::from(*length) != asked.len() {
        return Err(sw::DATA);
    }
    match (asked, place) {
        // What the card says of the PIN: tries at most, tries left, who may change, verify and unblock it.
        ([0x70, 0x06, 0xbf, 0x81, reference, 0x02, 0xa0, 0x80], Place::Root)
            if *reference == pin.make.pin_reference =>
        {
            let rights = tlv(&[0xa1], &tlv(&[0x8c], &[0xf3, 0x00, 0x00, 0x13, 0xff, 0x00]));
            let tries = [tlv(&[0x9a], &[TRIES_MAX]), tlv(&[0x9b], &[pin.tries_left])].concat();
            Ok(object([0xbf, 0x81, *reference], &tlv(&[0xa0], &[tries, rights].concat())))
        }
        ([0x70, 0x07, 0xbf, 0x81, reference, 0x03, 0x7f, 0x41, 0x80], Place::Root)
            if *reference == pin.make.pin_reference =>
        {
            let sizes = [tlv(&[0x80], &[DIGITS_MAX as u8]), tlv(&[0x81], &[DIGITS_MIN as u8])].concat();
            Ok(object([0xbf, 0x81, *reference], &tlv(&[0x7f, 0x41], &sizes)))
        }
        // Of a key: who may sign, authenticate, decipher, generate, put, get; its size in bytes; not non-repudiable.
        ([0x70, 0x06, 0xbf, 0x90, key @ (0x01 | 0x02), 0x02, 0xa0, 0x80], Place::Holder) => {
            let rule: &[u8] = match key {
                0x01 => &[0x7b, 0x13, 0xff, 0xff, 0xff, 0xff, 0x00],
                _ => &[0x7b, 0xff, 0x13, 0x13, 0xff, 0xff, 0x00],
            };
            let inside = [
                tlv(&[0xa1], &tlv(&[0x8c], rule)),
                tlv(&[0x80], &[0x01, 0x00]),
                tlv(&[0x9e], &[u8::from(*key == 0x01)]),
            ];
            Ok(object([0xbf, 0x90, *key], &tlv(&[0xa0], &inside.concat())))
        }
        // The public half is in the certificate alone. OpenSC goes on after 6A80, and gives up after 6A88.
        ([0x70, 0x07, 0xbf, 0x90, 0x01 | 0x02, 0x03, 0x7f, 0x48, 0x80], Place::Holder) => Err(sw::DATA),
        _ => Err(sw::NO_SUCH_OBJECT),
    }
}

fn object(tag: [u8; 3], inside: &[u8]) -> Answer {
    Answer::Waiting(tlv(&[0x70], &tlv(&tag, inside)))
}

pub const DIGITS_MIN: usize = 4;
pub const DIGITS_MAX: usize = 8;
