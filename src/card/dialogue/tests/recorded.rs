//! Recorded dialogues, one for each make of card (`tests/cards/`): what was said and answered, the PIN's bytes starred.
//!
//! ```text
//! > 00 20 00 01 04 ** ** ** **    to the card
//! < 90 00                         from it
//! = 8025000001/993127893 …        what was found, and the signature's length
//! ```
//!
//! The pure part must say the very same again. That the virtual cards still answer so is the sandbox's own test.

use super::*;
use std::path::PathBuf;

/// A line of a file; `None` in a byte's place is a star.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    Said(Vec<Option<u8>>),
    Answered(Vec<u8>),
    Came(String),
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cards")
}

fn read(text: &str) -> Vec<Entry> {
    let bytes = |words: &str| -> Vec<Option<u8>> {
        words.split_whitespace().map(|word| u8::from_str_radix(word, 16).ok()).collect()
    };
    text.lines()
        // What befell the card is the sandbox's to play again.
        .filter(|line| !line.starts_with(['#', '~']))
        .map(|line| match line.split_at_checked(2) {
            Some(("> ", words)) => Entry::Said(bytes(words)),
            Some(("< ", words)) => Entry::Answered(bytes(words).into_iter().flatten().collect()),
            Some(("= ", words)) => Entry::Came(words.to_owned()),
            _ => panic!("no line of a dialogue: {line}"),
        })
        .collect()
}

/// What a visit comes to, in one line.
fn outcome(result: &Result<(Found, Option<u8>, Vec<u8>), Error>) -> String {
    match result {
        Ok((found, tries, signature)) => format!(
            "serial {} · PIN {:02X}, {} to {} digits, padding {:02X?} · key {:02X} · tries {tries:?} · signature {}",
            found.serial.as_deref().unwrap_or("none"),
            found.pin.reference,
            found.pin.digits_min,
            found.pin.digits_max,
            found.pin.padding,
            found.key_reference,
            signature.len()
        ),
        Err(error) => error.to_string(),
    }
}

fn visit_on(
    transport: &mut Transport<'_>,
    framing: Framing,
    generation: Generation,
) -> Result<(Found, Option<u8>, Vec<u8>), Error> {
    let card = &mut Line { keys: None, transport, framing, generation, is_chosen: false };
    let found = find(card)?;
    let tries = tries_left(card, &found)?;
    let signature = login(card, &found, &pin("1234"), &statement())?;
    Ok((found, tries, signature))
}

/// The first line names the card: its generation and its protocol.
fn line_of(text: &str) -> (Framing, Generation) {
    let protocol = if text.contains("T=1") { Protocol::T1 } else { Protocol::T0 };
    let (generation, channel) = if text.contains("CPS4") { (Generation::Cps4, 1) } else { (Generation::Cps3, 0) };
    (Framing { protocol, channel }, generation)
}

#[test]
fn every_recorded_dialogue_is_said_again_word_for_word() {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder()).expect("the dialogues are there").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name == "README.md" {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).expect("a dialogue");
        let lines = read(&text);
        let mut rest = lines.iter();
        let transport = &mut |command: &[u8]| {
            let Some(Entry::Said(said)) = rest.next() else { panic!("{name}: nothing more was said") };
            let is_same = said.len() == command.len()
                && said.iter().zip(command).all(|(said, byte)| said.is_none_or(|said| said == *byte));
            assert!(is_same, "{name}: {command:02X?} instead of {said:02X?}");
            match rest.next() {
                Some(Entry::Answered(answer)) => Ok(answer.clone()),
                other => panic!("{name}: {other:?} is no answer"),
            }
        };
        let (framing, generation) = line_of(&text);
        let came = outcome(&visit_on(transport, framing, generation));
        assert_eq!(rest.next(), Some(&Entry::Came(came)), "{name}");
        assert_eq!(rest.next(), None, "{name}");
        let pins: Vec<_> =
            lines.iter().filter(|line| matches!(line, Entry::Said(said) if said.contains(&None))).collect();
        assert_eq!(pins.len(), 1, "{name}: a PIN once, and starred");
        names.push(name);
    }
    assert!(names.len() >= 16, "{names:?}");
}
