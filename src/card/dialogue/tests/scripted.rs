//! A scripted card: a table of files and a PIN.

use super::statement;
use crate::card::Error;
use crate::card::dialogue::Line;
use crate::card::dialogue::find::Found;
use crate::card::dialogue::find::find;
use crate::card::generation::Generation;
use crate::card::words::Framing;
use crate::card::words::Protocol;
use aws_lc_rs::digest;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::collections::HashMap;
use std::sync::Arc;

/// What the scripted card does besides answering.
#[derive(Clone, Copy, Default)]
pub struct Habits {
    /// The transport fails at this APDU, counted from 0.
    pub pulled_at: Option<usize>,
    /// Answers come in parts of this size, by `61xx`.
    pub part: Option<usize>,
    /// The first answer to every READ BINARY and GET RESPONSE is `6Cxx`.
    pub wrong_length_first: bool,
    /// The empty VERIFY is not known.
    pub no_empty_verify: bool,
    /// VERIFY says `6300` and counts in silence.
    pub silent: bool,
    /// VERIFY with an empty counter says this instead of `6983`.
    pub blocked_word: Option<u16>,
    /// This instruction is refused with `6985`.
    pub refuses: Option<u8>,
    pub signs_wrong: bool,
    pub generation_4: bool,
    /// Instead of answering the APDU of this index, counted from 0, this word and no data.
    pub says: Option<(usize, u16)>,
}

#[derive(Clone)]
pub struct Scripted {
    pub habits: Habits,
    pub files: Arc<HashMap<Vec<u8>, Vec<u8>>>,
    pub selected: Vec<u8>,
    pub waiting: Vec<u8>,
    pub asked_again: bool,
    pub tries: u8,
    pub verified: bool,
    /// What a CPS4 has been given to decipher.
    pub block: Vec<u8>,
    /// Headers of all that came.
    pub log: Vec<Vec<u8>>,
    pub pins_sent: usize,
}

impl Scripted {
    pub fn new(habits: Habits) -> Scripted {
        let auth = der(include_bytes!("../../../../tests/identity/nurse.pem"));
        let sign = der(include_bytes!("../../../../tests/identity/sign.pem"));
        let path = |low: u8| [0x3F, 0x00, 0x00, 0x01, 0x44, low].to_vec();
        let mut files = HashMap::new();
        let root = tlv(0x4F, &ROOT_AID);
        files.insert(vec![0x3F, 0x00], Vec::new());
        files.insert(vec![0x3F, 0x00, 0x2F, 0x01], [&[0x80][..], &root].concat());
        files.insert(
            vec![0x3F, 0x00, 0xD0, 0x03],
            [&[0x5A, 0x0A, 0x80, 0x25, 0, 0, 1][..], &[0x28, 0, 0, 0, 0x17]].concat(),
        );
        let template = [tlv(0x4F, &CONTACT_AID), tlv(0x51, &APPLICATION)].concat();
        files.insert(vec![0x3F, 0x00, 0x2F, 0x00], tlv(0x61, &template));
        files.insert(APPLICATION.to_vec(), Vec::new());
        let at = |low: u8| tlv(0x30, &tlv(0x04, &[0x44, low]));
        let odf = [tlv(0xA8, &at(1)), tlv(0xA0, &at(2)), tlv(0xA4, &at(3))].concat();
        files.insert(vec![0x3F, 0x00, 0x00, 0x01, 0x50, 0x31], odf);
        files.insert(path(1), pin_entry());
        // The signature key stands first, so that whoever takes the first one is caught.
        let (sign_key, key) = if habits.generation_4 { (0x10, 0x20) } else { (0x81, 0x82) };
        let keys = [key_entry(1, &[0x06, 0x20, 0x40], sign_key), key_entry(2, &[0x05, 0x20], key)].concat();
        files.insert(path(2), keys);
        files.insert(path(3), [certificate_entry(1, 0x11), certificate_entry(2, 0x12)].concat());
        files.insert(path(0x11), sign);
        files.insert(path(0x12), auth);
        Scripted {
            habits,
            files: Arc::new(files),
            selected: Vec::new(),
            waiting: Vec::new(),
            asked_again: false,
            tries: 3,
            verified: false,
            block: Vec::new(),
            log: Vec::new(),
            pins_sent: 0,
        }
    }

    /// The same card at the same moment, with nothing noted of what came before.
    pub fn with_habits(&self, habits: Habits) -> Scripted {
        Scripted { habits, log: Vec::new(), pins_sent: 0, ..self.clone() }
    }

    /// Says something to it.
    pub fn with<T>(&mut self, act: impl FnOnce(&mut Line<'_>) -> T) -> T {
        let (generation, channel) =
            if self.habits.generation_4 { (Generation::Cps4, 1) } else { (Generation::Cps3, 0) };
        let framing = Framing { protocol: Protocol::T0, channel };
        act(&mut Line {
            keys: None,
            transport: &mut |command| self.answer(command),
            framing,
            generation,
            is_chosen: false,
        })
    }

    pub fn find(&mut self) -> Result<Found, Error> {
        self.with(find)
    }

    pub fn answer(&mut self, command: &[u8]) -> Result<Vec<u8>, Error> {
        let at = self.log.len();
        self.log.push(command[..4.min(command.len())].to_vec());
        self.pins_sent += usize::from(command.get(1) == Some(&0x20) && command.len() > 5);
        // A chain is ended by any other command.
        if command.get(1) != Some(&0x2A) {
            self.block.clear();
        }
        if self.habits.pulled_at == Some(at) {
            return Err(Error::Removed);
        }
        if let Some((_, word)) = self.habits.says.filter(|(index, _)| *index == at) {
            return Ok(word.to_be_bytes().to_vec());
        }
        let [class, instruction, p1, p2, p3, data @ ..] = command else { return Ok(vec![0x67, 0x00]) };
        if self.habits.refuses == Some(*instruction) {
            return Ok(vec![0x69, 0x85]);
        }
        if self.habits.generation_4 && class & 0x03 != 1 {
            return Ok(vec![0x6E, 0x00]);
        }
        // Strict T=0: with data, P3 is its length and nothing follows.
        if !data.is_empty() && data.len() != usize::from(*p3) {
            return Ok(vec![0x67, 0x00]);
        }
        let length = if *p3 == 0 { 256 } else { usize::from(*p3) };
        Ok(match instruction {
            0xA4 => self.select(*p1, data),
            0xB0 if *p1 == 0x9C => {
                self.selected = vec![0x3F, 0x00, 0xD0, 0x03];
                self.read(usize::from(*p2), length)
            }
            0xB0 => self.read(usize::from(u16::from_be_bytes([*p1, *p2])), length),
            0xC0 => self.hand_out(length),
            0x20 if data.is_empty() => self.tell_tries(),
            0x20 => self.verify(data),
            0xCB => self.say(tlv(0x70, &counter_object(self.tries))),
            0x22 if self.verified => vec![0x90, 0x00],
            0x88 if self.verified && !self.habits.generation_4 => self.sign(),
            0x2A if self.verified && self.habits.generation_4 => self.decipher(*class, data),
            0x22 | 0x88 | 0x2A => vec![0x69, 0x82],
            _ => vec![0x6D, 0x00],
        })
    }

    fn select(&mut self, p1: u8, data: &[u8]) -> Vec<u8> {
        if p1 == 0x04 {
            let is_here = data == ROOT_AID || data == CONTACT_AID;
            return if is_here { vec![0x90, 0x00] } else { vec![0x6A, 0x82] };
        }
        if !self.files.contains_key(data) {
            return vec![0x6A, 0x82];
        }
        self.selected = data.to_vec();
        vec![0x90, 0x00]
    }

    fn read(&mut self, offset: usize, length: usize) -> Vec<u8> {
        let Some(file) = self.files.get(&self.selected) else { return vec![0x69, 0x86] };
        if self.habits.wrong_length_first && !std::mem::replace(&mut self.asked_again, true) {
            return vec![0x6C, length.min(file.len() - offset) as u8];
        }
        self.asked_again = false;
        let end = (offset + length).min(file.len());
        [&file[offset.min(end)..end], if end < offset + length { &[0x62, 0x82] } else { &[0x90, 0x00] }].concat()
    }

    /// An answer to a command that carried data: never at once.
    fn say(&mut self, answer: Vec<u8>) -> Vec<u8> {
        self.waiting = answer;
        self.more()
    }

    fn more(&self) -> Vec<u8> {
        let now = self.waiting.len().min(self.habits.part.unwrap_or(256));
        vec![0x61, now as u8]
    }

    fn hand_out(&mut self, length: usize) -> Vec<u8> {
        if self.habits.wrong_length_first && !std::mem::replace(&mut self.asked_again, true) {
            return vec![0x6C, length as u8];
        }
        self.asked_again = false;
        let rest = self.waiting.split_off(length.min(self.waiting.len()));
        let given = std::mem::replace(&mut self.waiting, rest);
        let status = if self.waiting.is_empty() { vec![0x90, 0x00] } else { self.more() };
        [given, status].concat()
    }

    /// The block is the statement's DigestInfo, padded by the host: then what comes back is the signature.
    fn decipher(&mut self, class: u8, part: &[u8]) -> Vec<u8> {
        self.block.extend_from_slice(part);
        if class & 0x10 != 0 {
            return vec![0x90, 0x00];
        }
        let block = std::mem::take(&mut self.block);
        let hash = digest::digest(&digest::SHA256, statement().message());
        let is_padded = block.len() == 256 && block.starts_with(&[0x00, 0x01, 0xFF]) && block.ends_with(hash.as_ref());
        if is_padded { self.sign() } else { vec![0x6A, 0x80] }
    }

    fn tell_tries(&self) -> Vec<u8> {
        match (self.habits.no_empty_verify, self.tries) {
            (true, _) => vec![0x67, 0x00],
            (false, 0) => self.blocked(),
            (false, left) => vec![0x63, 0xC0 | left],
        }
    }

    fn blocked(&self) -> Vec<u8> {
        self.habits.blocked_word.unwrap_or(0x6983).to_be_bytes().to_vec()
    }

    fn verify(&mut self, pin: &[u8]) -> Vec<u8> {
        if self.tries == 0 {
            return self.blocked();
        }
        self.verified = pin == b"1234";
        self.tries = if self.verified { 3 } else { self.tries - 1 };
        match (self.verified, self.tries) {
            (true, _) => vec![0x90, 0x00],
            (false, _) if self.habits.silent => vec![0x63, 0x00],
            (false, 0) => self.blocked(),
            (false, left) => vec![0x63, 0xC0 | left],
        }
    }

    fn sign(&mut self) -> Vec<u8> {
        let mut signature = include_bytes!("../../../../tests/identity/nurse.token.signature").to_vec();
        signature[9] ^= u8::from(self.habits.signs_wrong);
        self.say(signature)
    }

    pub fn count(&self, instruction: u8) -> usize {
        self.log.iter().filter(|header| header.get(1) == Some(&instruction)).count()
    }
}

fn der(pem: &[u8]) -> Vec<u8> {
    CertificateDer::from_pem_slice(pem).expect("PEM").to_vec()
}

pub fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = match value.len() {
        short @ 0..=0x7F => vec![short as u8],
        long => vec![0x81, long as u8],
    };
    [&[tag][..], &length, value].concat()
}

fn pin_entry() -> Vec<u8> {
    let rules =
        [tlv(0x03, &[0x03, 0x08]), tlv(0x0A, &[1]), tlv(0x02, &[4]), tlv(0x02, &[8]), tlv(0x02, &[8]), tlv(0x80, &[1])];
    let kind = tlv(0xA1, &tlv(0x30, &rules.concat()));
    tlv(0x30, &[tlv(0x30, &tlv(0x0C, b"PIN")), tlv(0x30, &tlv(0x04, &[1])), kind].concat())
}

fn key_entry(id: u8, usage: &[u8], reference: u8) -> Vec<u8> {
    let common = tlv(0x30, &[tlv(0x0C, b"KEY"), tlv(0x04, &[1])].concat());
    let class = tlv(0x30, &[tlv(0x04, &[0xAA, id]), tlv(0x03, usage), tlv(0x02, &[0, reference])].concat());
    tlv(0x30, &[common, class].concat())
}

fn certificate_entry(id: u8, file: u8) -> Vec<u8> {
    let kind = tlv(0xA1, &tlv(0x30, &tlv(0x30, &tlv(0x04, &[0x44, file]))));
    tlv(0x30, &[tlv(0x30, &tlv(0x0C, b"CERT")), tlv(0x30, &tlv(0x04, &[0xAA, id])), kind].concat())
}

fn counter_object(tries: u8) -> Vec<u8> {
    let inside = tlv(0xA0, &[tlv(0x9A, &[3]), tlv(0x9B, &[tries])].concat());
    [&[0xBF, 0x81, 0x01, inside.len() as u8][..], &inside].concat()
}

const APPLICATION: [u8; 4] = [0x3F, 0x00, 0x00, 0x01];
const ROOT_AID: [u8; 8] = [0x80, 0x25, 0x00, 0x00, 0x01, 0xFF, 0x01, 0x00];
const CONTACT_AID: [u8; 13] = [0xE8, 0x28, 0xBD, 0x08, 0x0F, 0x80, 0x25, 0x00, 0x00, 0x01, 0xFF, 0x00, 0x10];
