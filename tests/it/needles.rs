//! What is looked for in bytes that should not hold it: words as a program may keep them, and the search itself.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::path::Path;
use std::path::PathBuf;

/// What is looked for, and what it is.
#[derive(Clone)]
pub struct Needle {
    pub what: String,
    pub bytes: Vec<u8>,
}

impl Needle {
    pub fn new(what: &str, bytes: &[u8]) -> Needle {
        Needle { what: what.to_owned(), bytes: bytes.to_vec() }
    }
}

/// As UTF-8, as a toolkit may keep it, and as base64 wherever it begins. Words of ASCII: no other encoding differs.
pub fn spellings(what: &str, word: &str) -> Vec<Needle> {
    assert!(word.is_ascii() && word.len() >= 8, "{word} would be found by chance, or missed");
    let utf16: Vec<u8> = word.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf32: Vec<u8> = word.chars().flat_map(|letter| u32::from(letter).to_le_bytes()).collect();
    let mut all = vec![("UTF-8", word.as_bytes().to_vec()), ("UTF-16", utf16), ("UTF-32", utf32)];
    for shift in 0..3 {
        let coded = STANDARD.encode([&vec![0; shift], word.as_bytes()].concat());
        // The first and the last letters depend on the neighbours.
        all.push(("base64", coded.as_bytes()[4..coded.len() - 4].to_vec()));
    }
    all.into_iter().map(|(form, bytes)| Needle { what: format!("{what} in {form}"), bytes }).collect()
}

/// Which of them are there, each once, with the number of places.
pub fn find(hay: &[u8], needles: &[Needle]) -> Vec<String> {
    let places = |needle: &Needle| memchr::memmem::find_iter(hay, &needle.bytes).collect::<Vec<usize>>();
    let found = needles.iter().map(|needle| (&needle.what, places(needle))).filter(|(_, places)| !places.is_empty());
    found.map(|(what, places)| format!("{what} ({} times, first at {:#x})", places.len(), places[0])).collect()
}

/// Every file below that folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found
}

#[test]
fn a_needle_is_found_in_every_spelling_and_nowhere_else() {
    let word = "titrezabcdefgh";
    let needles = spellings("the title", word);
    for shift in 0..3 {
        let coded = STANDARD.encode([&vec![7; shift], word.as_bytes(), b"and more"].concat());
        assert_eq!(find(coded.as_bytes(), &needles).len(), 1, "base64 from {shift} on");
    }
    let wide: Vec<u8> = word.bytes().flat_map(|letter| [letter, 0]).collect();
    assert_eq!(
        find(&[b"before".as_slice(), &wide].concat(), &needles),
        ["the title in UTF-16 (1 times, first at 0x6)"]
    );
    assert!(find(b"titrezabcdefg and nothing more", &needles).is_empty());
}
