//! The dialogue against a scripted card, which can be pulled, or answer in parts, at any step.

mod every_word;
mod keys;
mod known;
mod recorded;
mod scripted;

use super::find::Search;
use super::find::find;
use super::*;
use crate::card::words::Protocol;
use crate::identity::certificate::KeyUse;
use scripted::Habits;
use scripted::Scripted;
use std::sync::Arc;

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
    // Lost at any other command of a login: a PIN that was not looked at is not sent again, a signature is asked for again.
    let mut plain = card.with_habits(card.habits);
    plain.with(|card| login(card, &found, &pin("1234"), &statement())).expect("a login");
    for at in 1..plain.log.len() {
        let mut lost = card.with_habits(Habits { says: Some((at, 0x6985)), ..card.habits });
        let result = lost.with(|card| login(card, &found, &pin("1234"), &statement())).map(|_| ());
        let expected = if at == 1 { Err(Error::PinUnchecked) } else { Ok(()) };
        assert_eq!((result, lost.pins_sent, lost.tries), (expected, 1, 3), "at {at}");
        // Its root alone after the PIN, and the application once more for a signature.
        let chosen = if at == 1 { 1 } else { plain.count(0xA4) + 2 };
        assert_eq!(lost.count(0xA4), chosen, "at {at}");
        let mut again = lost.with_habits(card.habits);
        again.with(|card| login(card, &found, &pin("1234"), &statement())).expect("the next time");
    }
    // A CPS3 has no applet to lose: what it refuses it refuses.
    let mut other = Scripted::new(Habits { refuses: Some(0x88), ..Habits::default() });
    assert_eq!(failure(&mut other, "1234"), Error::Dialogue { step: "signing", status: 0x6985 });
    assert_eq!(other.count(0x88), 1);
    // While it is read, at every command.
    let mut plain = Scripted::new(card.habits);
    plain.find().expect("found");
    for at in 0..plain.log.len() {
        let mut lost = Scripted::new(Habits { says: Some((at, 0x6985)), ..card.habits });
        assert_eq!(lost.find().map(|found| found.serial), Ok(found.serial.clone()), "at {at}");
    }
    // The legacy application is chosen on the first channel, which this card refuses; then the applet is not to be had.
    let gone = &mut |_: &[u8]| Ok(vec![0x69, 0x85]);
    let framing = Framing { protocol: Protocol::T0, channel: 1 };
    let mut line = Line { keys: None, transport: gone, framing, generation: Generation::Cps4, is_chosen: false };
    assert_eq!(find(&mut line), Err(Error::NoApplication));
    assert_eq!(line.framing.channel, 1);
}
