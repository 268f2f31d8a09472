//! A PIN that is typed on the reader's own keys.

use super::*;

/// A reader with keys: the structure goes to it, and what it says is what came of the PIN.
pub fn login_with_keys(card: &mut Scripted, found: &Found, said: &[u8]) -> (Result<Vec<u8>, Error>, Vec<u8>) {
    let mut structure = Vec::new();
    let mut keys = |asked: &[u8]| {
        assert!(structure.is_empty(), "asked twice");
        structure = asked.to_vec();
        Ok(said.to_vec())
    };
    let transport = &mut |command: &[u8]| card.answer(command);
    let keys = Some(Keys { ask: Box::new(&mut keys) });
    let mut line = Line { keys, transport, framing: Framing::T0, generation: Generation::Cps3, is_chosen: false };
    let result = login_on_reader(&mut line, found, &statement());
    drop(line);
    (result, structure)
}

#[test]
fn a_pin_typed_on_the_reader_is_asked_for_as_the_card_wants_it() {
    let mut card = Scripted::new(Habits::default());
    let found = card.find().expect("found");
    card.verified = true;
    let (signature, structure) = login_with_keys(&mut card, &found, &[0x90, 0x00]);
    assert_eq!(signature.map(|signature| signature.len()), Ok(256));
    assert_eq!(structure, pinpad::verify_structure(1, (4, 8), None, Framing::T0, 30));
    assert_eq!(card.pins_sent, 0, "no PIN came by here");
}

#[test]
fn what_the_reader_s_keys_say_is_told_apart_from_what_the_card_says() {
    for (word, expected) in [
        (0x6400_u16, Error::PinTimedOut),
        (0x6401, Error::PinCancelled),
        (0x6403, Error::PinLength),
        (0x6404, Error::Dialogue { step: CHECKING_ON_READER, status: 0x6404 }),
        (0x63C2, Error::WrongPin { tries_left: 2 }),
        (0x63C0, Error::Blocked),
        (0x6983, Error::Blocked),
    ] {
        let mut card = Scripted::new(Habits::default());
        let found = card.find().expect("found");
        assert_eq!(login_with_keys(&mut card, &found, &word.to_be_bytes()).0, Err(expected), "{word:04X}");
    }
    let mut card = Scripted::new(Habits::default());
    let found = card.find().expect("found");
    assert_eq!(login_with_keys(&mut card, &found, &[]).0, Err(Error::Mute));
    // Blocked: nobody is asked to type.
    card.tries = 0;
    let (result, structure) = login_with_keys(&mut card, &found, &[0x90, 0x00]);
    assert_eq!((result, structure), (Err(Error::Blocked), Vec::new()));
    // A reader without keys.
    assert_eq!(
        Scripted::new(Habits::default()).with(|card| login_on_reader(card, &found, &statement())),
        Err(Error::PinNeeded)
    );
}
