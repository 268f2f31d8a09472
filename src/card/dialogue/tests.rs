//! The dialogue against a scripted card: a table of files and a PIN, which can be pulled, or answer in parts, at any step.

mod every_word;
mod keys;
mod recorded;

use super::find::Search;
use super::*;
use crate::card::words::Protocol;
use crate::identity::certificate::KeyUse;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::collections::HashMap;
use std::sync::Arc;

/// What the scripted card does besides answering.
#[derive(Clone, Copy, Default)]
struct Habits {
    /// The transport fails at this APDU, counted from 0.
    pulled_at: Option<usize>,
    /// Answers come in parts of this size, by `61xx`.
    part: Option<usize>,
    /// The first answer to every READ BINARY and GET RESPONSE is `6Cxx`.
    wrong_length_first: bool,
    /// The empty VERIFY is not known.
    no_empty_verify: bool,
    /// VERIFY says `6300` and counts in silence.
    silent: bool,
    /// VERIFY with an empty counter says this instead of `6983`.
    blocked_word: Option<u16>,
    /// This instruction is refused with `6985`.
    refuses: Option<u8>,
    signs_wrong: bool,
    generation_4: bool,
    /// Instead of answering the APDU of this index, counted from 0, this word and no data.
    says: Option<(usize, u16)>,
}

#[derive(Clone)]
struct Scripted {
    habits: Habits,
    files: Arc<HashMap<Vec<u8>, Vec<u8>>>,
    selected: Vec<u8>,
    waiting: Vec<u8>,
    asked_again: bool,
    tries: u8,
    verified: bool,
    /// What a CPS4 has been given to decipher.
    block: Vec<u8>,
    /// Headers of all that came.
    log: Vec<Vec<u8>>,
    pins_sent: usize,
}

impl Scripted {
    fn new(habits: Habits) -> Scripted {
        let auth = der(include_bytes!("../../../tests/identity/nurse.pem"));
        let sign = der(include_bytes!("../../../tests/identity/sign.pem"));
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
    fn with_habits(&self, habits: Habits) -> Scripted {
        Scripted { habits, log: Vec::new(), pins_sent: 0, ..self.clone() }
    }

    /// Says something to it.
    fn with<T>(&mut self, act: impl FnOnce(&mut Line<'_>) -> T) -> T {
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

    fn find(&mut self) -> Result<Found, Error> {
        self.with(find)
    }

    fn answer(&mut self, command: &[u8]) -> Result<Vec<u8>, Error> {
        let at = self.log.len();
        self.log.push(command[..4.min(command.len())].to_vec());
        self.pins_sent += usize::from(command.get(1) == Some(&0x20) && command.len() > 5);
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
        let mut signature = include_bytes!("../../../tests/identity/nurse.token.signature").to_vec();
        signature[9] ^= u8::from(self.habits.signs_wrong);
        self.say(signature)
    }

    fn count(&self, instruction: u8) -> usize {
        self.log.iter().filter(|header| header.get(1) == Some(&instruction)).count()
    }
}

fn der(pem: &[u8]) -> Vec<u8> {
    CertificateDer::from_pem_slice(pem).expect("PEM").to_vec()
}

fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
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

fn statement() -> Statement {
    Statement::token("eyJhbGciOiJSUzI1NiJ9.e30").expect("a token")
}

fn pin(digits: &str) -> Pin {
    Pin::from_typed(digits.into()).expect("digits")
}

/// A whole visit: find, ask for the tries, log in, sign once more.
fn visit(card: &mut Scripted, digits: &str) -> Result<(Found, Vec<u8>), Error> {
    card.with(|card| {
        let found = find(card)?;
        tries_left(card, &found)?;
        login(card, &found, &pin(digits), &statement())?;
        let signature = sign(card, &found, &statement())?;
        Ok((found, signature))
    })
}

fn failure(card: &mut Scripted, digits: &str) -> Error {
    match visit(card, digits) {
        Ok(_) => panic!("the dialogue went well"),
        Err(error) => error,
    }
}

#[test]
fn a_visit_finds_the_authentication_key_and_its_certificate() {
    let mut card = Scripted::new(Habits::default());
    let (found, signature) = visit(&mut card, "1234").expect("a visit");
    assert_eq!(found.certificate.key_use(), KeyUse::Authentication);
    assert_eq!(found.serial.as_deref(), Some("8025000001/2800000017"));
    assert_eq!((found.key_reference, found.pin.reference), (0x82, 1));
    assert_eq!((found.pin.digits_min, found.pin.digits_max), (4, 8));
    assert_eq!(signature.len(), 256);
    // Once asked for in reading, once just before the PIN; and the PIN itself, once.
    assert_eq!(card.count(0x20), 3);
}

/// Choosing the key, signing, fetching: what was chosen for one signature is so for the next, unless something else was.
#[test]
fn a_second_signature_takes_three_commands() {
    let mut card = Scripted::new(Habits::default());
    let found = card.find().expect("found");
    let count = std::cell::Cell::new(0);
    let transport = &mut |command: &[u8]| {
        count.set(count.get() + 1);
        card.answer(command)
    };
    let mut line = Line { keys: None, transport, framing: Framing::T0, generation: Generation::Cps3, is_chosen: false };
    login(&mut line, &found, &pin("1234"), &statement()).expect("logged in");
    assert_eq!(count.replace(0), 6);
    sign(&mut line, &found, &statement()).expect("signed");
    assert_eq!(count.replace(0), 3);
    line.exchange(Command::select_path("elsewhere", &pkcs15::MASTER_FILE)).expect("selected");
    count.set(0);
    sign(&mut line, &found, &statement()).expect("signed");
    assert_eq!(count.get(), 4);
}

#[test]
fn answers_in_parts_and_lengths_asked_again_change_nothing() {
    for part in [None, Some(255), Some(32), Some(16)] {
        for wrong_length_first in [false, true] {
            let mut card = Scripted::new(Habits { part, wrong_length_first, ..Habits::default() });
            let done = visit(&mut card, "1234").map(|(found, signature)| (found.key_reference, signature.len()));
            assert_eq!(done, Ok((0x82, 256)), "{part:?} {wrong_length_first}");
            assert_eq!(card.tries, 3);
        }
    }
}

#[test]
fn a_pulled_card_is_pulled_at_every_step_and_costs_no_try() {
    let mut whole = Scripted::new(Habits::default());
    visit(&mut whole, "1234").expect("a visit");
    let steps = whole.log.len();
    assert!(steps > 15, "{steps}");
    for at in 0..steps {
        let mut card = Scripted::new(Habits { pulled_at: Some(at), ..Habits::default() });
        assert_eq!(failure(&mut card, "1234"), Error::Removed, "pulled at {at}");
        assert_eq!((card.tries, card.log.len()), (3, at + 1), "pulled at {at}");
    }
}

#[test]
fn a_wrong_pin_counts_down_and_then_is_not_sent() {
    let mut card = Scripted::new(Habits::default());
    assert_eq!(failure(&mut card, "9999"), Error::WrongPin { tries_left: 2 });
    assert_eq!(failure(&mut card, "9999"), Error::WrongPin { tries_left: 1 });
    assert_eq!(failure(&mut card, "9999"), Error::Blocked);
    let sent = card.count(0x20);
    assert_eq!(failure(&mut card, "1234"), Error::Blocked);
    // Two empty ones, and no PIN any more.
    assert_eq!(card.count(0x20), sent + 2);
}

#[test]
fn every_way_to_say_blocked_is_blocked() {
    for word in [0x6983, 0x6984, 0x63C0] {
        let mut card = Scripted::new(Habits { blocked_word: Some(word), ..Habits::default() });
        card.tries = 1;
        assert_eq!(failure(&mut card, "9999"), Error::Blocked, "{word:04X}");
        let found = card.find().expect("found");
        assert_eq!(card.with(|card| tries_left(card, &found)), Ok(Some(0)), "{word:04X}");
    }
}

#[test]
fn a_card_that_counts_in_silence_is_asked_for_its_counter() {
    let mut card = Scripted::new(Habits { silent: true, no_empty_verify: true, ..Habits::default() });
    assert_eq!(failure(&mut card, "9999"), Error::WrongPin { tries_left: 2 });
    card.tries = 1;
    assert_eq!(failure(&mut card, "9999"), Error::Blocked);
}

#[test]
fn a_wrong_length_never_reaches_the_card() {
    let mut card = Scripted::new(Habits::default());
    let found = card.find().expect("found");
    let before = card.log.len();
    let refused = card.with(|card| login(card, &found, &pin("123"), &statement()));
    assert_eq!(refused, Err(Error::PinLength));
    assert_eq!(card.log.len(), before);
}

#[test]
fn a_signature_needs_its_pin_and_must_verify() {
    let mut card = Scripted::new(Habits::default());
    let found = card.find().expect("found");
    assert_eq!(card.with(|card| sign(card, &found, &statement())), Err(Error::PinNeeded));
    let mut liar = Scripted::new(Habits { signs_wrong: true, ..Habits::default() });
    assert_eq!(failure(&mut liar, "1234"), Error::SignatureRefused);
}

#[test]
fn what_is_missing_or_refused_is_named() {
    let mut card = Scripted::new(Habits { refuses: Some(0x88), ..Habits::default() });
    assert_eq!(failure(&mut card, "1234"), Error::Dialogue { step: "signing", status: 0x6985 });
    let mut card = Scripted::new(Habits::default());
    Arc::make_mut(&mut card.files).remove(&[0x3F, 0x00, 0x00, 0x01, 0x50, 0x31][..]);
    assert_eq!(failure(&mut card, "1234"), Error::NoApplication);
    // Nobody guesses how a PIN is to be sent.
    let mut card = Scripted::new(Habits::default());
    Arc::make_mut(&mut card.files).remove(&[0x3F, 0x00, 0x00, 0x01, 0x44, 0x01][..]);
    assert_eq!(failure(&mut card, "1234"), Error::Unreadable { file: "AODF" });
    // Only the signature certificate is left: it is not taken instead.
    let mut card = Scripted::new(Habits::default());
    Arc::make_mut(&mut card.files).remove(&[0x3F, 0x00, 0x00, 0x01, 0x44, 0x12][..]);
    assert_eq!(failure(&mut card, "1234"), Error::NoCertificate);
    let mut card = Scripted::new(Habits::default());
    Arc::make_mut(&mut card.files).insert(vec![0x3F, 0x00, 0x00, 0x01, 0x44, 0x12], vec![0x30, 0x82, 0x01]);
    assert_eq!(failure(&mut card, "1234"), Error::Unreadable { file: "certificate" });
}

#[test]
fn a_card_that_never_ends_is_left() {
    let find_on = |answer: &mut Transport<'_>| {
        find(&mut Line {
            keys: None,
            transport: answer,
            framing: Framing::T0,
            generation: Generation::Cps3,
            is_chosen: false,
        })
    };
    assert!(matches!(find_on(&mut |_| Ok(vec![0x61, 0x10])), Err(Error::Dialogue { status: 0x6110, .. })));
    let never_right = &mut |command: &[u8]| match command[1] {
        0xA4 => Ok(vec![0x90, 0x00]),
        _ => Ok(vec![0x6C, 0x10]),
    };
    assert!(matches!(find_on(never_right), Err(Error::Dialogue { status: 0x6C10, .. })));
    let always_more = &mut |command: &[u8]| match command[1] {
        0xA4 => Ok(vec![0x90, 0x00]),
        _ => Ok([vec![0xAA; usize::from(command[4])], vec![0x90, 0x00]].concat()),
    };
    assert!(matches!(find_on(always_more), Err(Error::Unreadable { .. })));
    assert!(matches!(find_on(&mut |_| Ok(vec![0x90])), Err(Error::Mute)));
}

#[test]
fn padding_is_as_the_card_wants_it() {
    assert_eq!(*padded(&pin("1234"), None), b"1234");
    assert_eq!(*padded(&pin("1234"), Some((8, 0xFF))), [b"1234".as_slice(), &[0xFF; 4]].concat());
    assert_eq!(*padded(&pin("123456"), Some((4, 0x00))), b"123456");
}

#[test]
fn a_visit_with_a_cps4_is_on_its_own_channel() {
    let mut card = Scripted::new(Habits { generation_4: true, ..Habits::default() });
    let (found, signature) = visit(&mut card, "1234").expect("a visit");
    assert_eq!((found.key_reference, signature.len(), card.tries), (0x20, 256, 3));
    assert!(card.log.iter().all(|header| header[0] & 0x03 == 1));
}

/// Its other application was chosen meanwhile: it is asked again for its tries, and the PIN is sent once.
#[test]
fn a_cps4_that_has_lost_its_applet_is_given_it_back() {
    let mut card = Scripted::new(Habits { generation_4: true, ..Habits::default() });
    let found = card.find().expect("found");
    let mut lost = card.with_habits(Habits { says: Some((0, 0x6985)), ..card.habits });
    assert_eq!(
        lost.with(|card| login(card, &found, &pin("1234"), &statement())).map(|signature| signature.len()),
        Ok(256)
    );
    assert_eq!(lost.pins_sent, 1);
    // The legacy application is chosen on the first channel, which this card refuses; then the applet is not to be had.
    let gone = &mut |_: &[u8]| Ok(vec![0x69, 0x85]);
    let framing = Framing { protocol: Protocol::T0, channel: 1 };
    let mut line = Line { keys: None, transport: gone, framing, generation: Generation::Cps4, is_chosen: false };
    assert_eq!(find(&mut line), Err(Error::NoApplication));
    assert_eq!(line.framing.channel, 1);
}

const APPLICATION: [u8; 4] = [0x3F, 0x00, 0x00, 0x01];
const ROOT_AID: [u8; 8] = [0x80, 0x25, 0x00, 0x00, 0x01, 0xFF, 0x01, 0x00];
const CONTACT_AID: [u8; 13] = [0xE8, 0x28, 0xBD, 0x08, 0x0F, 0x80, 0x25, 0x00, 0x00, 0x01, 0xFF, 0x00, 0x10];
