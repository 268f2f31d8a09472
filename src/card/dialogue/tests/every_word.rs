//! All 65,536 status words instead of the answer to each command of a dialogue: nothing falls over, no try is lost by our
//! doing, and what is said of the card is what the word means.
//!
//! Reading goes from step to step ([`Search`]), so each step is tried from the very state in which the plain dialogue
//! enters it. What a step leaves behind is followed to the end once for each state it can end in: from the same state, the
//! same dialogue follows. Only that keeps four million dialogues within seconds.

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

fn every_word_in_reading(habits: Habits) {
    let mut card = Scripted::new(habits);
    let plain = card.clone().find().expect("found");
    let mut search = Search::new();
    let mut commands = 0;
    loop {
        let before = (card.with_habits(habits), search.clone());
        let ended = card.with(|line| search.step(line)).expect("a plain step");
        commands += card.log.len();
        every_word_in_step(&before, card.log.len(), &plain);
        card = card.with_habits(habits);
        if ended.is_some() {
            break;
        }
    }
    assert!(commands > 12, "{commands}");
}

fn every_word_in_step((card, search): &(Scripted, Search), commands: usize, plain: &Found) {
    let mut followed: Vec<(Search, Vec<u8>)> = Vec::new();
    for at in 0..commands {
        for word in 0..=u16::MAX {
            let mut card = card.with_habits(Habits { says: Some((at, word)), ..card.habits });
            let mut search = search.clone();
            let result = card.with(|line| search.step(line));
            let told = || format!("{word:04X} at {at} of {search:?}: {result:?}");
            assert!(card.pins_sent == 0 && card.log.len() <= commands + ROUNDS_MAX + 4, "{}", told());
            match &result {
                Err(error) => assert!(!is_about_a_pin(error), "{}", told()),
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
    let mut followed = Vec::new();
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
            let is_asked_for_tries = at == 0 && !habits.no_empty_verify;
            if is_asked_for_tries && matches!(word, 0x63C0 | 0x6983 | 0x6984) {
                assert_eq!((&result, card.pins_sent), (&Err(Error::Blocked), 0), "{}", told());
            }
            if let Err(Error::WrongPin { tries_left }) = result {
                assert!(at == pin_at && (word == 0x6300 || word == 0x63C0 | u16::from(tries_left)), "{}", told());
            }
        }
    }
    for at in 0..all - pin_at - 1 {
        for word in 0..=u16::MAX {
            let verified = Scripted { verified: true, ..card.clone() };
            let mut card = verified.with_habits(Habits { says: Some((at, word)), ..habits });
            let result = card.with(|line| sign(line, &found, &statement())).map(|_| ());
            let told = || format!("{word:04X} at {at} of a signature: {result:?}");
            assert!(card.pins_sent == 0 && card.tries == 3 && card.log.len() <= all + ROUNDS_MAX, "{}", told());
            assert!(!result.as_ref().is_err_and(is_about_a_pin), "{}", told());
        }
    }
}
