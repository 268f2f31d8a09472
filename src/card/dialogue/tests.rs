//! The dialogue against a scripted card: a table of files and a PIN, which can be pulled, or answer in parts, at any step.

use super::*;
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
    /// Instead of answering the APDU of this index, counted from 0, this word and no data.
    says: Option<(usize, u16)>,
}

struct Scripted {
    habits: Habits,
    files: Arc<HashMap<Vec<u8>, Vec<u8>>>,
    selected: Vec<u8>,
    waiting: Vec<u8>,
    asked_again: bool,
    tries: u8,
    verified: bool,
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
        files.insert(vec![0x3F, 0x00, 0x2F, 0x01], [&[0x80][..], &root].concat());
        files.insert(
            vec![0x3F, 0x00, 0xD0, 0x03],
            [&[0x5A, 0x0A, 0x80, 0x25, 0, 0, 1][..], &[0x28, 0, 0, 0, 0x17]].concat(),
        );
        let template = [tlv(0x4F, &CONTACT_AID), tlv(0x51, &APPLICATION_PATH)].concat();
        files.insert(vec![0x3F, 0x00, 0x2F, 0x00], tlv(0x61, &template));
        files.insert(vec![0x3F, 0x00, 0x00, 0x01], Vec::new());
        let at = |low: u8| tlv(0x30, &tlv(0x04, &[0x44, low]));
        let odf = [tlv(0xA8, &at(1)), tlv(0xA0, &at(2)), tlv(0xA4, &at(3))].concat();
        files.insert(vec![0x3F, 0x00, 0x00, 0x01, 0x50, 0x31], odf);
        files.insert(path(1), pin_entry());
        // The signature key stands first, so that whoever takes the first one is caught.
        let keys = [key_entry(1, &[0x06, 0x20, 0x40], 0x81), key_entry(2, &[0x05, 0x20], 0x82)].concat();
        files.insert(path(2), keys);
        files.insert(path(3), [certificate_entry(1, 0x11), certificate_entry(2, 0x12)].concat());
        files.insert(path(0x11), sign);
        files.insert(path(0x12), auth);
        let (selected, waiting, log) = (Vec::new(), Vec::new(), Vec::new());
        let files = Arc::new(files);
        Scripted { habits, files, selected, waiting, asked_again: false, tries: 3, verified: false, log, pins_sent: 0 }
    }

    /// The same files, another day.
    fn as_new(&self, habits: Habits) -> Scripted {
        let (files, selected) = (self.files.clone(), Vec::new());
        let (waiting, log) = (Vec::new(), Vec::new());
        Scripted { habits, files, selected, waiting, asked_again: false, tries: 3, verified: false, log, pins_sent: 0 }
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
        let [_, instruction, p1, p2, p3, data @ ..] = command else { return Ok(vec![0x67, 0x00]) };
        if self.habits.refuses == Some(*instruction) {
            return Ok(vec![0x69, 0x85]);
        }
        // Strict T=0: with data, P3 is its length and nothing follows.
        if !data.is_empty() && data.len() != usize::from(*p3) {
            return Ok(vec![0x67, 0x00]);
        }
        let length = if *p3 == 0 { 256 } else { usize::from(*p3) };
        Ok(match instruction {
            0xA4 => self.select(*p1, data),
            0xB0 => self.read(usize::from(u16::from_be_bytes([*p1, *p2])), length),
            0xC0 => self.hand_out(length),
            0x20 if data.is_empty() => self.tell_tries(),
            0x20 => self.verify(data),
            0xCB => self.say(tlv(0x70, &counter_object(self.tries))),
            0x22 if self.verified => vec![0x90, 0x00],
            0x88 if self.verified => self.sign(),
            0x22 | 0x88 => vec![0x69, 0x82],
            _ => vec![0x6D, 0x00],
        })
    }

    fn select(&mut self, p1: u8, data: &[u8]) -> Vec<u8> {
        if p1 == 0x04 {
            let is_here = data == ROOT_AID || data == CONTACT_AID;
            return if is_here { vec![0x90, 0x00] } else { vec![0x6A, 0x82] };
        }
        let Some(file) = self.files.get(data) else { return vec![0x6A, 0x82] };
        let size = (file.len() as u16).to_be_bytes();
        self.selected = data.to_vec();
        self.say(tlv(0x62, &tlv(0x80, &size)))
    }

    fn read(&mut self, offset: usize, length: usize) -> Vec<u8> {
        if self.habits.wrong_length_first && !std::mem::replace(&mut self.asked_again, true) {
            return vec![0x6C, length as u8];
        }
        self.asked_again = false;
        let Some(file) = self.files.get(&self.selected) else { return vec![0x69, 0x86] };
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
    let transport = &mut |command: &[u8]| card.answer(command);
    let found = find(transport)?;
    tries_left(transport, &found)?;
    login(transport, &found, &pin(digits), &statement())?;
    let signature = sign(transport, &found, &statement())?;
    Ok((found, signature))
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
    assert!(steps > 20, "{steps}");
    for at in 0..steps {
        let mut card = Scripted::new(Habits { pulled_at: Some(at), ..Habits::default() });
        assert_eq!(failure(&mut card, "1234"), Error::Removed, "pulled at {at}");
        assert_eq!((card.tries, card.log.len()), (3, at + 1), "pulled at {at}");
    }
}

/// A word instead of the answer to each command that reads the card: nothing falls over, it ends, and no PIN is sent. All
/// words under the first bytes that it knows a meaning for, and every 251st of the others, which are all one to it.
#[test]
fn no_status_word_in_reading_makes_it_stumble() {
    let mut whole = Scripted::new(Habits::default());
    find(&mut |command| whole.answer(command)).expect("found");
    let steps = whole.log.len();
    assert!(steps > 25, "{steps}");
    let known = |word: &u16| matches!(word >> 8, 0x61 | 0x62 | 0x63 | 0x67 | 0x69 | 0x6A | 0x6B | 0x6C | 0x90);
    let words = (0..=u16::MAX).filter(|word| known(word) || word % 251 == 0);
    let words: Vec<(usize, u16)> = words.flat_map(|word| (0..steps).map(move |at| (at, word))).collect();
    on_both_cores(&words, |at, word| {
        let mut card = whole.as_new(Habits { says: Some((at, word)), ..Habits::default() });
        let result = find(&mut |command| card.answer(command)).map(|_| ());
        let told = || format!("{word:04X} at {at}: {result:?}");
        assert!(card.pins_sent == 0 && card.log.len() <= steps + ROUNDS_MAX, "{}", told());
        let is_about_a_pin = matches!(result, Err(Error::WrongPin { .. } | Error::Blocked | Error::PinLength));
        assert!(!is_about_a_pin, "{}", told());
    });
}

/// All 65,536 words instead of the answer to each command of login and signature: the right PIN is sent once at most, is
/// called wrong only where the card says so, and is not sent to a card that has just said that it is blocked.
#[test]
fn no_status_word_at_any_step_costs_a_try() {
    let mut whole = Scripted::new(Habits::default());
    let found = find(&mut |command| whole.answer(command)).expect("found");
    let visit_on = |card: &mut Scripted| {
        let transport = &mut |command: &[u8]| card.answer(command);
        login(transport, &found, &pin("1234"), &statement())?;
        sign(transport, &found, &statement())
    };
    let mut plain = whole.as_new(Habits::default());
    visit_on(&mut plain).expect("a visit");
    let steps = plain.log.len();
    let pin_at = plain.log.iter().rposition(|header| header[1] == 0x20).expect("a PIN was sent");
    assert_eq!((pin_at, steps), (1, 12));
    let words: Vec<(usize, u16)> = (0..=u16::MAX).flat_map(|word| (0..steps).map(move |at| (at, word))).collect();
    on_both_cores(&words, |at, word| {
        let mut card = whole.as_new(Habits { says: Some((at, word)), ..Habits::default() });
        let result = visit_on(&mut card).map(|_| ());
        let told = || format!("{word:04X} at {at}: {result:?}");
        assert!(card.pins_sent <= 1 && card.tries == 3 && card.log.len() <= steps + ROUNDS_MAX, "{}", told());
        if at < pin_at && matches!(word, 0x63C0 | 0x6983 | 0x6984) {
            assert_eq!((result, card.pins_sent), (Err(Error::Blocked), 0), "{word:04X} at {at}");
        } else if let Err(Error::WrongPin { tries_left }) = result {
            assert!(at == pin_at && (word == 0x6300 || word == 0x63C0 | u16::from(tries_left)), "{}", told());
        }
    });
}

fn on_both_cores(cases: &[(usize, u16)], check: impl Fn(usize, u16) + Sync) {
    let (first, second) = cases.split_at(cases.len() / 2);
    std::thread::scope(|scope| {
        for part in [first, second] {
            let check = &check;
            scope.spawn(move || part.iter().for_each(|(at, word)| check(*at, *word)));
        }
    });
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
        let found = find(&mut |command| card.answer(command)).expect("found");
        assert_eq!(tries_left(&mut |command| card.answer(command), &found), Ok(Some(0)), "{word:04X}");
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
    let found = find(&mut |command| card.answer(command)).expect("found");
    let before = card.log.len();
    let refused = login(&mut |command| card.answer(command), &found, &pin("123"), &statement());
    assert_eq!(refused, Err(Error::PinLength));
    assert_eq!(card.log.len(), before);
}

#[test]
fn a_signature_needs_its_pin_and_must_verify() {
    let mut card = Scripted::new(Habits::default());
    let found = find(&mut |command| card.answer(command)).expect("found");
    assert_eq!(sign(&mut |command| card.answer(command), &found, &statement()), Err(Error::PinNeeded));
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
    let endless = &mut |_: &[u8]| Ok(vec![0x61, 0x10]);
    assert!(matches!(find(endless), Err(Error::Dialogue { status: 0x6110, .. })));
    let never_right = &mut |command: &[u8]| match command[1] {
        0xA4 => Ok(vec![0x90, 0x00]),
        _ => Ok(vec![0x6C, 0x10]),
    };
    assert!(matches!(find(never_right), Err(Error::Dialogue { status: 0x6C10, .. })));
    let always_more = &mut |command: &[u8]| match command[1] {
        0xA4 => Ok(vec![0x90, 0x00]),
        _ => Ok([vec![0xAA; usize::from(command[4])], vec![0x90, 0x00]].concat()),
    };
    assert!(matches!(find(always_more), Err(Error::Unreadable { .. })));
    assert!(matches!(find(&mut |_: &[u8]| Ok(vec![0x90])), Err(Error::Mute)));
}

#[test]
fn padding_is_as_the_card_wants_it() {
    assert_eq!(*padded(&pin("1234"), None), b"1234");
    assert_eq!(*padded(&pin("1234"), Some((8, 0xFF))), [b"1234".as_slice(), &[0xFF; 4]].concat());
    assert_eq!(*padded(&pin("123456"), Some((4, 0x00))), b"123456");
}
