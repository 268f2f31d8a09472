//! A card that has been here before: what is spared, and what is asked all the same.

use super::scripted::tlv;
use super::*;
use crate::card::Known;

/// A visit of which what was known is given, and what is worth keeping comes back.
fn visit_of(card: &mut Scripted, known: Option<&Known>) -> Result<(Option<Known>, Vec<Situation>), Error> {
    let mut memory = Memory::default();
    card.with(|line| {
        memory.serial(line)?;
        if let Some(known) = known {
            memory.recall(line, known.clone())?;
        }
        memory.with_found(line, tries_left)?;
        memory.with_found(line, |line, found| login(line, found, &pin("1234"), &statement()))?;
        memory.is_borne_out();
        let situations = memory.situations(line)?;
        Ok((memory.learnt(line.generation), situations))
    })
}

/// How many commands it took to know who is there.
fn identify(card: &mut Scripted, known: &Known) -> (usize, Option<u8>) {
    let (mut memory, before) = (Memory::default(), card.log.len());
    let tries = card.with(|line| {
        memory.serial(line)?;
        memory.recall(line, known.clone())?;
        memory.with_found(line, tries_left)
    });
    (card.log.len() - before, tries.expect("the card tells"))
}

fn stamped(stamp: &[u8]) -> Scripted {
    let mut card = Scripted::new(Habits::default());
    stamp_it(&mut card, stamp);
    card
}

fn stamp_it(card: &mut Scripted, stamp: &[u8]) {
    let files = Arc::make_mut(&mut card.files);
    files.insert(vec![0x3F, 0x00, 0xD0, 0x10], stamp.to_vec());
    let place = tlv(0xEE, &[tlv(0x84, b"CABINET"), tlv(0x85, b"1440000999")].concat());
    files.insert(vec![0x3F, 0x00, 0x00, 0x01, 0xD1, 0x20], place);
}

fn first(card: &mut Scripted) -> Known {
    visit_of(card, None).expect("a visit").0.expect("something to keep")
}

#[test]
fn a_card_that_was_here_is_identified_by_four_commands_and_never_by_its_old_tries() {
    for stamp in [None, Some(&tlv(0xEC, &[0x26; 18])[..])] {
        let mut card = stamp.map_or_else(|| Scripted::new(Habits::default()), stamped);
        let known = first(&mut card);
        card.tries = 2;
        let (commands, tries) = identify(&mut card, &known);
        assert!(commands <= 4, "{commands} with {stamp:02X?}");
        assert_eq!(tries, Some(2));
        let before = card.log.len();
        assert_eq!(visit_of(&mut card, Some(&known)).map(|(learnt, _)| learnt), Ok(None), "nothing new");
        let pins: Vec<_> = card.log[before..].iter().filter(|header| header[1] == 0x20).collect();
        assert_eq!(pins.len(), 3, "its tries twice, its PIN once");
    }
}

#[test]
fn situations_are_spared_under_the_same_stamp_and_read_under_another_or_none() {
    let reads = |card: &Scripted| card.count(0xB0);
    let mut card = stamped(&tlv(0xEC, &[0x26; 18]));
    let known = first(&mut card);
    let before = reads(&card);
    let (_, spared) = visit_of(&mut card, Some(&known)).expect("a visit");
    assert_eq!((spared.len(), reads(&card) - before), (1, 2), "its number and its stamp");

    stamp_it(&mut card, &tlv(0xEC, &[0x27; 18]));
    let before = reads(&card);
    let (learnt, read) = visit_of(&mut card, Some(&known)).expect("a visit");
    assert_eq!((read.len(), learnt.is_some_and(|learnt| learnt != known)), (1, true), "all of it is new");
    assert!(reads(&card) - before > 8, "read from the start");

    let mut bare = Scripted::new(Habits::default());
    let known = first(&mut bare);
    assert_eq!(known.situations, None);
    let before = bare.count(0xA4);
    visit_of(&mut bare, Some(&known)).expect("a visit");
    assert!(bare.count(0xA4) - before >= 3, "asked for its situations again");
    // One that is empty is none.
    assert_eq!(first(&mut stamped(&[])).stamp, None);
}

/// The number is another card's: the name on the screen was theirs, and the signature is not.
#[test]
fn a_card_that_lies_about_its_number_fails_at_its_first_signature() {
    let mut card = Scripted::new(Habits::default());
    let known = first(&mut card);
    let mut liar = card.with_habits(Habits { signs_wrong: true, ..Habits::default() });
    assert_eq!(visit_of(&mut liar, Some(&known)).map(|_| ()), Err(Error::NotAsKnown));
    assert_eq!((liar.pins_sent, liar.tries), (1, 3));
    // Nothing was known: then the card contradicts itself.
    assert_eq!(visit_of(&mut liar, None).map(|_| ()), Err(Error::SignatureRefused));
    // Afterwards it is read from the start.
    let mut memory = Memory::default();
    liar.with(|line| {
        memory.recall(line, known.clone()).expect("recalled");
        let refused = memory.with_found(line, |line, found| sign(line, found, &statement()));
        assert_eq!(refused, Err(Error::NotAsKnown));
        assert!(!memory.is_found() && memory.learnt(line.generation).is_none());
        memory.with_found(line, tries_left).expect("read");
        let refused = memory.with_found(line, |line, found| sign(line, found, &statement()));
        assert_eq!(refused, Err(Error::SignatureRefused));
    });
}

#[test]
fn what_was_known_of_another_card_is_not_taken() {
    let known = first(&mut Scripted::new(Habits::default()));
    let mut other = Scripted::new(Habits::default());
    let serial = [&[0x5A, 0x0A, 0x80, 0x25, 0, 0, 1][..], &[0x29, 0, 0, 0, 0x17]].concat();
    Arc::make_mut(&mut other.files).insert(vec![0x3F, 0x00, 0xD0, 0x03], serial);
    let (commands, _) = identify(&mut other, &known);
    assert!(commands > 10, "{commands}: read from the start");
    let (commands, _) = identify(&mut Scripted::new(Habits { generation_4: true, ..Habits::default() }), &known);
    assert!(commands > 10, "{commands}: its keys are others");
}

#[test]
fn only_a_card_that_has_signed_is_written_down() {
    let mut card = Scripted::new(Habits::default());
    let mut memory = Memory::default();
    card.with(|line| {
        memory.serial(line).expect("told");
        memory.with_found(line, tries_left).expect("read");
        memory.situations(line).expect("none, without a PIN");
        assert!(memory.learnt(line.generation).is_none());
    });
}

/// All 65,536 words at each command: who is there is known, read anew or an error; no PIN is sent and none is called wrong.
#[test]
fn no_word_in_recalling_a_card_makes_it_stumble() {
    let mut card = stamped(&tlv(0xEC, &[0x26; 18]));
    let known = first(&mut card);
    card.verified = false;
    let plain = card.find().expect("found");
    for at in 0..3 {
        let mut seen = Vec::new();
        for word in 0..=u16::MAX {
            let mut card = card.with_habits(Habits { says: Some((at, word)), ..Habits::default() });
            let mut memory = Memory::default();
            let recalled = card.with(|line| {
                memory.serial(line)?;
                memory.recall(line, known.clone())
            });
            assert_eq!(card.pins_sent, 0, "{word:04X} at {at}");
            // What follows depends on nothing else.
            let state = (recalled, memory.is_found(), card.selected.clone());
            if seen.contains(&state) {
                continue;
            }
            seen.push(state);
            let mut card = card.with_habits(Habits::default());
            let found = card.with(|line| memory.with_found(line, |_, found| Ok(found.certificate.clone())));
            match found {
                Ok(certificate) => assert!(certificate == plain.certificate, "{word:04X} at {at}"),
                Err(error) => assert!(!matches!(error, Error::WrongPin { .. } | Error::Blocked), "{word:04X} at {at}"),
            }
        }
    }
}

/// All 65,536 status words instead of the answer to each command by which a card is known again, and to each by which it tells
/// where its holder works: it is known, or read as if it had never been here; nothing is sent to it that costs a try.
#[test]
fn no_word_of_a_card_that_was_here_makes_it_stumble() {
    let mut card = stamped(&tlv(0xEC, &[0x26; 18]));
    let known = first(&mut card);
    let commands = identify(&mut card, &known).0;
    assert_eq!(commands, 4);
    let fresh = |at, word| {
        let card = Scripted { verified: false, selected: Vec::new(), ..card.clone() };
        card.with_habits(Habits { says: Some((at, word)), ..Habits::default() })
    };
    let mut followed = Vec::new();
    for at in 0..commands {
        for word in 0..=u16::MAX {
            let mut card = fresh(at, word);
            let mut memory = Memory::default();
            let tries = card.with(|line| {
                memory.serial(line)?;
                memory.recall(line, known.clone())?;
                if memory.is_found() { memory.with_found(line, tries_left) } else { Ok(None) }
            });
            let told = || format!("{word:04X} at {at}: {tries:?}");
            assert!(tries.is_ok() && card.pins_sent == 0 && card.tries == 3, "{}", told());
            let is_blocked = at == 3 && matches!(word, 0x63C0 | 0x6983 | 0x6984);
            assert_eq!(tries == Ok(Some(0)), is_blocked, "{}", told());
            let left = (memory.is_found(), tries.ok(), card.selected.clone());
            if !followed.contains(&left) {
                followed.push(left);
                let mut card = card.with_habits(Habits::default());
                let signed = card
                    .with(|line| memory.with_found(line, |line, found| login(line, found, &pin("1234"), &statement())));
                assert!(signed.is_ok() && card.tries == 3, "{word:04X} at {at}, then {:?}", signed.map(|_| ()));
            }
        }
    }
    let mut inside = Memory::default();
    let mut card = fresh(usize::MAX, 0);
    card.with(|line| inside.with_found(line, |line, found| login(line, found, &pin("1234"), &statement())))
        .expect("a login");
    let found = card.clone().find().expect("found");
    let mut plain = card.with_habits(Habits::default());
    assert_eq!(plain.with(|line| situations(line, &found)).map(|all| all.len()), Ok(1));
    for at in 0..plain.log.len() {
        for word in 0..=u16::MAX {
            let mut card = card.with_habits(Habits { says: Some((at, word)), ..Habits::default() });
            // The first file that is missing or refused ends them: that is an answer.
            let told = card.with(|line| situations(line, &found));
            assert!(matches!(&told, Ok(all) if all.len() <= 1), "{word:04X} at {at}: {told:?}");
            assert_eq!((card.pins_sent, card.tries), (0, 3), "{word:04X} at {at}");
        }
    }
}
