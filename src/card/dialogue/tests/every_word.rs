//! All 65,536 status words instead of the answer to each command of a dialogue: nothing falls over, no try is lost by our
//! doing, what is said of the card is what the word means (which sentence that is, `kiosk/troubles` says), and whoever asks the
//! card again, or asks the next card, is answered.
//!
//! Reading goes from step to step ([`Search`]), so each step is tried from the very state in which the plain dialogue
//! enters it. What a step leaves behind is followed to the end once for each state it can end in: from the same state, the
//! same dialogue follows. Only that keeps four million dialogues within seconds.

use super::keys::login_with_keys;
use super::*;

#[test]
fn no_word_in_reading_a_cps3_makes_it_stumble() {
    every_word_in_reading(Habits::default());
}

#[test]
fn no_word_in_reading_a_cps4_makes_it_stumble() {
    every_word_in_reading(Habits { generation_4: true, ..Habits::default() });
}

#[test]
fn no_word_in_a_login_costs_a_try() {
    every_word_in_login(Habits::default());
}

#[test]
fn no_word_in_a_login_that_asks_for_the_counter_costs_a_try() {
    every_word_in_login(Habits { no_empty_verify: true, ..Habits::default() });
}

#[test]
fn no_word_in_a_login_with_a_cps4_costs_a_try() {
    every_word_in_login(Habits { generation_4: true, ..Habits::default() });
}

/// On the reader's keys a few words are the reader's own; the rest, and what comes before and after, are the card's.
#[test]
fn no_word_in_a_login_on_the_reader_s_keys_costs_a_try() {
    for habits in [Habits::default(), Habits { no_empty_verify: true, ..Habits::default() }] {
        every_word_in_login_on_reader(habits);
    }
}

fn every_word_in_reading(habits: Habits) {
    let mut card = Scripted::new(habits);
    let plain = card.clone().find().expect("found");
    let mut search = Search::new();
    let mut commands = 0;
    loop {
        let before = (card.with_habits(habits), search.clone());
        let ended = card.with(|line| search.step(line)).expect("a plain step");
        commands += card.log.len();
        // The card's number may be told elsewhere too, and a CPS4 that is not to be had at once is asked otherwise.
        let is_first = card.log.len() == commands;
        every_word_in_step(&before, card.log.len(), &plain, is_first);
        card = card.with_habits(habits);
        if ended.is_some() {
            break;
        }
    }
    assert!(commands > 12, "{commands}");
}

fn every_word_in_step((card, search): &(Scripted, Search), commands: usize, plain: &Found, is_first: bool) {
    let mut followed: Vec<(Search, Vec<u8>)> = Vec::new();
    for at in 0..commands {
        for word in 0..=u16::MAX {
            let mut card = card.with_habits(Habits { says: Some((at, word)), ..card.habits });
            let mut search = search.clone();
            let result = card.with(|line| search.step(line));
            let told = || format!("{word:04X} at {at} of {search:?}: {result:?}");
            assert!(card.pins_sent == 0 && card.log.len() <= commands + ROUNDS_MAX + 4, "{}", told());
            if !is_first && !IN_READING.contains(&word) && !matches!(word >> 8, 0x61 | 0x6C) {
                let refused = matches!(result, Err(Error::Dialogue { status, .. }) if status == word);
                assert!(refused, "{}", told());
            }
            match &result {
                // More, or another length, than there was: gone on with, and then not understood.
                Err(error) if matches!(word >> 8, 0x61 | 0x6C) => assert!(is_about_a_file(error, word), "{}", told()),
                Err(error) => assert!(!is_about_a_pin(error) && !is_below_the_card(error), "{}", told()),
                Ok(Some(found)) => assert_eq!(found, plain, "{}", told()),
                Ok(None) => {
                    let state = (search, card.selected.clone());
                    if !followed.contains(&state) {
                        follow(card, state.0.clone(), plain);
                        followed.push(state);
                    }
                }
            }
        }
    }
}

/// To the end: what is found, if anything is, has the PIN's rules and the certificate of this card.
fn follow(mut card: Scripted, mut search: Search, plain: &Found) {
    card = card.with_habits(Habits { says: None, ..card.habits });
    let result = card.with(|line| {
        loop {
            if let Some(found) = search.step(line)? {
                return Ok(found);
            }
        }
    });
    match result {
        Ok(found) => assert_eq!((&found.pin, &found.certificate), (&plain.pin, &plain.certificate)),
        Err(error) => assert!(!is_about_a_pin(&error), "{error:?}"),
    }
    assert_eq!(card.pins_sent, 0);
}

/// Words that mean something else in reading than that it went wrong.
const IN_READING: [u16; 5] = [0x9000, 0x6282, 0x6A82, 0x6A88, 0x6B00];

/// No word of a card means that it was pulled, that it is mute, or that a reader failed.
fn is_below_the_card(error: &Error) -> bool {
    matches!(
        error,
        Error::Removed | Error::Mute | Error::Busy | Error::NoReader | Error::ServiceDown | Error::Reader(_)
    )
}

fn is_about_a_file(error: &Error, word: u16) -> bool {
    match error {
        Error::Unreadable { .. } | Error::NoApplication | Error::NoCertificate => true,
        Error::Dialogue { status, .. } => *status == word,
        _ => false,
    }
}

fn is_about_a_pin(error: &Error) -> bool {
    matches!(error, Error::WrongPin { .. } | Error::Blocked | Error::PinLength)
}

/// The right PIN is sent once at most, is called wrong only where the card says so, and is not sent to a card that has just
/// said that it is blocked. The signature starts from a PIN that was taken, whatever was said before.
fn every_word_in_login(habits: Habits) {
    let mut card = Scripted::new(habits);
    let found = card.find().expect("found");
    let mut plain = card.with_habits(habits);
    plain.with(|line| login(line, &found, &pin("1234"), &statement())).expect("a login");
    let pin_at = plain.log.iter().rposition(|header| header[1] == 0x20).expect("a PIN was sent");
    let all = plain.log.len();
    let (mut followed, mut ready) = (Vec::new(), Vec::new());
    for at in 0..=pin_at {
        for word in 0..=u16::MAX {
            // What follows the question for the tries follows from its answer: once for each is enough.
            if at < pin_at {
                let mut card = card.with_habits(Habits { says: Some((at, word)), ..habits });
                let state = (card.with(|line| tries_left(line, &found)), card.selected.clone(), card.log.len());
                assert_eq!(card.pins_sent, 0, "{word:04X} at {at}");
                if followed.contains(&state) {
                    continue;
                }
                followed.push(state);
            }
            let mut card = card.with_habits(Habits { says: Some((at, word)), ..habits });
            let result = card.with(|line| login(line, &found, &pin("1234"), &statement())).map(|_| ());
            let told = || format!("{word:04X} at {at}: {result:?}");
            assert!(card.pins_sent <= 1 && card.tries == 3 && card.log.len() <= all + ROUNDS_MAX, "{}", told());
            if at == pin_at {
                assert_eq!((&result, card.pins_sent), (&after_pin(word, habits.generation_4), 1), "{}", told());
            } else if at == 0 && matches!(word, 0x63C0 | 0x6983 | 0x6984) {
                assert_eq!((&result, card.pins_sent), (&Err(Error::Blocked), 0), "{}", told());
            } else {
                // However it was asked for its tries: it goes on as far as this card lets it.
                let is_told = result.is_ok() || matches!(result, Err(Error::Dialogue { .. }));
                assert!(is_told, "{}", told());
            }
            // From the same card, the same follows: once for each is enough, and a signature takes its time.
            let left = (std::mem::discriminant(&result), card.pins_sent, card.selected.clone(), card.waiting.clone());
            if !ready.contains(&left) {
                is_ready(&card, &found, habits);
                ready.push(left);
            }
        }
    }
    let mut signed = Vec::new();
    let instructions: Vec<u8> = plain.log[pin_at + 1..].iter().map(|header| header[1]).collect();
    for at in 0..all - pin_at - 1 {
        for word in 0..=u16::MAX {
            let verified = Scripted { verified: true, ..card.clone() };
            let mut card = verified.with_habits(Habits { says: Some((at, word)), ..habits });
            let result = card.with(|line| sign(line, &found, &statement())).map(|_| ());
            let told = || format!("{word:04X} at {at} of a signature: {result:?}");
            assert!(card.pins_sent == 0 && card.tries == 3 && card.log.len() <= all + ROUNDS_MAX, "{}", told());
            assert!(!result.as_ref().is_err_and(is_about_a_pin), "{}", told());
            match word {
                0x9000 | 0x6100..=0x61FF | 0x6C00..=0x6CFF => {
                    assert_eq!(result, after_signing(word, &instructions[at..]), "{}", told());
                }
                0x6982 => assert_eq!(result, Err(Error::PinNeeded), "{}", told()),
                0x6985 if habits.generation_4 => assert_eq!(result, Ok(()), "{}", told()),
                _ => assert!(matches!(result, Err(Error::Dialogue { status, .. }) if status == word), "{}", told()),
            }
            let left = (result.is_ok(), card.selected.clone(), card.block.clone(), card.waiting.clone());
            if !signed.contains(&left) {
                let mut card = card.with_habits(habits);
                let again = card.with(|line| sign(line, &found, &statement()));
                assert!(again.is_ok(), "{}, then {:?}", told(), again.map(|_| ()));
                signed.push(left);
            }
        }
    }
}

/// What each word means instead of the answer to VERIFY, from a card that has three tries and did not look at the PIN.
fn after_pin(word: u16, is_cps4: bool) -> Result<(), Error> {
    let refused = Err(Error::Dialogue { step: "checking the PIN", status: word });
    match word {
        // It says that the PIN is right, or has more to say and then says so, and yet wants it for the signature.
        0x9000 | 0x6100..=0x61FF => Err(Error::PinNeeded),
        0x63C0 | 0x6983 | 0x6984 => Err(Error::Blocked),
        0x63C1..=0x63CF => Err(Error::WrongPin { tries_left: (word & 0x0F) as u8 }),
        // No number: the card is asked for it.
        0x6300 => Err(Error::WrongPin { tries_left: 3 }),
        0x6700 => Err(Error::PinLength),
        0x6985 if is_cps4 => Err(Error::PinUnchecked),
        _ => refused,
    }
}

/// What comes of a signature where its first of these commands was answered by such a word, and not done: what is done by it, by
/// the next ones or by nobody.
fn after_signing(word: u16, instructions: &[u8]) -> Result<(), Error> {
    let step = match instructions {
        [0xA4, ..] => "selecting the application",
        [0x22, ..] => "choosing the authentication key",
        _ => "signing",
    };
    match (word >> 8, instructions) {
        // It was the fetching alone, and what is fetched is there still; or the card was ready without it.
        (0x61 | 0x6C, [0xC0, ..]) | (0x61 | 0x90, [0xA4 | 0x22, ..]) => Ok(()),
        // A length for a command that expects none.
        (0x6C, _) => Err(Error::Dialogue { step, status: word }),
        // Half of a CPS4's block is missing.
        (_, [0x2A, 0x2A, ..]) => Err(Error::Dialogue { step, status: 0x6A80 }),
        // Done, it says, and no signature came.
        _ => Err(Error::SignatureRefused),
    }
}

/// Whoever comes next logs in: this card, and one that has never been here.
fn is_ready(card: &Scripted, found: &Found, habits: Habits) {
    for mut next in [card.with_habits(habits), Scripted::new(habits)] {
        let again = next.with(|line| login(line, found, &pin("1234"), &statement()));
        assert!(again.is_ok(), "{:?}", again.map(|_| ()));
    }
}

/// No PIN comes by here, so none is sent: the reader is asked for one once, or not at all where the card has said that it is
/// blocked. Its signature is that of any login.
fn every_word_in_login_on_reader(habits: Habits) {
    let mut card = Scripted::new(habits);
    let found = card.find().expect("found");
    card.verified = true;
    let mut plain = card.with_habits(habits);
    let (result, asked) = login_with_keys(&mut plain, &found, &[0x90, 0x00]);
    assert!(result.is_ok() && !asked.is_empty());
    for word in 0..=u16::MAX {
        let mut card = card.with_habits(habits);
        let (result, structure) = login_with_keys(&mut card, &found, &word.to_be_bytes());
        let result = result.map(|_| ());
        assert_eq!(result, after_keys(word), "{word:04X} from the keys");
        assert_eq!((card.pins_sent, card.tries, &structure), (0, 3, &asked), "{word:04X} from the keys");
    }
    // What was asked before the keys: how many tries there are.
    let before =
        plain.log.iter().position(|header| !matches!(header[1], 0x20 | 0xA4 | 0xCB | 0xC0)).expect("a signature");
    let mut followed = Vec::new();
    for at in 0..before {
        for word in 0..=u16::MAX {
            let mut card = card.with_habits(Habits { says: Some((at, word)), ..habits });
            let state = (card.with(|line| tries_left(line, &found)), card.selected.clone(), card.log.len());
            if followed.contains(&state) {
                continue;
            }
            followed.push(state);
            let mut card = card.with_habits(Habits { says: Some((at, word)), ..habits });
            card.verified = true;
            let (result, structure) = login_with_keys(&mut card, &found, &[0x90, 0x00]);
            let is_blocked = at == 0 && matches!(word, 0x63C0 | 0x6983 | 0x6984);
            assert_eq!((structure.is_empty(), card.pins_sent, card.tries), (is_blocked, 0, 3), "{word:04X} at {at}");
            match result {
                Err(Error::Blocked) => assert!(is_blocked, "{word:04X} at {at}"),
                Ok(_) | Err(Error::Dialogue { .. }) => assert!(!is_blocked, "{word:04X} at {at}"),
                Err(error) => panic!("{word:04X} at {at}: {error:?}"),
            }
        }
    }
}

/// What each word means that comes back from a reader with keys, whose card has three tries and was verified.
fn after_keys(word: u16) -> Result<(), Error> {
    match word {
        0x9000 => Ok(()),
        0x6400 => Err(Error::PinTimedOut),
        0x6401 => Err(Error::PinCancelled),
        0x6402 | 0x6403 | 0x6700 => Err(Error::PinLength),
        0x63C0 | 0x6983 | 0x6984 => Err(Error::Blocked),
        0x63C1..=0x63CF => Err(Error::WrongPin { tries_left: (word & 0x0F) as u8 }),
        0x6300 => Err(Error::WrongPin { tries_left: 3 }),
        _ => Err(Error::Dialogue { step: CHECKING_ON_READER, status: word }),
    }
}
