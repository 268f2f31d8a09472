//! Search by words, in memory: which of some documents hold every word that was asked for, the best first.
//!
//! Accents, ligatures and case are folded (é = e, œ = oe), and the beginning of a word is enough. Nothing here reads a disk or
//! knows a patient; whoever builds an index decides what may be in it. What it holds is wiped when it goes. Pure.

use hashbrown::DefaultHashBuilder;
use hashbrown::HashTable;
use std::hash::BuildHasher;
use unicode_normalization::char::decompose_canonical;
use unicode_normalization::char::is_combining_mark;
use zeroize::Zeroize;

/// An inverted index. Documents are named by numbers.
#[derive(Default)]
pub struct Index {
    words: Vec<Word>,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// Places in `words`, in the order of their text; shorter than `words` while some are new.
    sorted: Vec<u32>,
    /// One more than the highest document.
    documents: u32,
    scratch: String,
}

struct Word {
    text: Box<str>,
    found: Vec<Found>,
}

#[derive(Clone, Copy)]
struct Found {
    document: u32,
    weight: u32,
}

/// A document that holds every word, and how well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    pub document: u32,
    pub score: u32,
}

/// How much a word counts that stands in a title, against one in the text.
pub const TITLE_WEIGHT: u32 = 16;
/// A word that occurs more often in one document counts no more for it.
const WEIGHT_MAX: u32 = 64;
/// Longer ones are cut: no word of a language is.
const WORD_BYTES_MAX: usize = 64;
/// Words of a question; what follows is not looked at.
const QUESTION_WORDS_MAX: usize = 12;

impl Index {
    /// Takes what stands in a document, or more of it; documents in any order.
    pub fn add(&mut self, document: u32, text: &str, weight: u32) {
        self.documents = self.documents.max(document + 1);
        let mut scratch = std::mem::take(&mut self.scratch);
        each_word(text, &mut scratch, |word| {
            // One letter says nothing, and every text has it.
            if word.len() > 1 {
                self.take(word, document, weight);
            }
        });
        self.scratch = scratch;
    }

    fn take(&mut self, word: &str, document: u32, weight: u32) {
        let Index { words, table, hasher, .. } = self;
        let hash = hasher.hash_one(word);
        let known = table.find(hash, |place| &*words[*place as usize].text == word);
        let place = match known {
            Some(place) => *place,
            None => {
                let place = u32::try_from(words.len()).unwrap_or(u32::MAX);
                words.push(Word { text: word.into(), found: Vec::new() });
                table.insert_unique(hash, place, |place| hasher.hash_one(&*words[*place as usize].text));
                place
            }
        };
        let found = &mut words[place as usize].found;
        match found.last_mut() {
            Some(last) if last.document == document => last.weight = last.weight.saturating_add(weight).min(WEIGHT_MAX),
            _ => found.push(Found { document, weight: weight.min(WEIGHT_MAX) }),
        }
    }

    /// Puts the words in order: needed before the next question.
    pub fn finish(&mut self) {
        if self.sorted.len() < self.words.len() {
            let words = &self.words;
            self.sorted = (0..u32::try_from(words.len()).unwrap_or(u32::MAX)).collect();
            self.sorted.sort_unstable_by(|a, b| words[*a as usize].text.cmp(&words[*b as usize].text));
        }
    }

    /// The documents that hold all words of the question, each whole or by its beginning; the best first, then the lower
    /// number. A question without a word finds nothing.
    pub fn find(&self, question: &str) -> Vec<Hit> {
        let mut asked: Vec<String> = Vec::new();
        let mut scratch = String::new();
        each_word(question, &mut scratch, |word| asked.push(word.to_owned()));
        asked.sort_unstable();
        asked.dedup();
        asked.truncate(QUESTION_WORDS_MAX);
        // In a longer question one letter is an elided article: « l’asthme ».
        if asked.iter().any(|word| word.len() > 1) {
            asked.retain(|word| word.len() > 1);
        }
        let mut total: Vec<u32> = vec![0; self.documents as usize];
        let mut holds: Vec<u32> = vec![0; self.documents as usize];
        for (round, word) in (0_u32..).zip(&asked) {
            for place in self.beginning_with(word) {
                let known = &self.words[*place as usize];
                // The word itself before those that only begin with it.
                let factor = if known.text.len() == word.len() { 2 } else { 1 };
                for found in &known.found {
                    let document = found.document as usize;
                    if holds[document] == round {
                        holds[document] = round + 1;
                    }
                    if holds[document] == round + 1 {
                        total[document] = total[document].saturating_add(found.weight * factor);
                    }
                }
            }
        }
        asked.iter_mut().for_each(Zeroize::zeroize);
        scratch.zeroize();
        let all = u32::try_from(asked.len()).unwrap_or(u32::MAX);
        if all == 0 {
            return Vec::new();
        }
        let whole = (0_u32..).zip(holds).filter(|(_, held)| *held == all).map(|(document, _)| document);
        let mut hits: Vec<Hit> = whole.map(|document| Hit { document, score: total[document as usize] }).collect();
        hits.sort_by_key(|hit| (std::cmp::Reverse(hit.score), hit.document));
        hits
    }

    fn beginning_with(&self, word: &str) -> &[u32] {
        let text = |place: &u32| &*self.words[*place as usize].text;
        let from = self.sorted.partition_point(|place| text(place) < word);
        let rest = &self.sorted[from..];
        &rest[..rest.partition_point(|place| text(place).starts_with(word))]
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        self.scratch.zeroize();
        for word in &mut self.words {
            word.text.zeroize();
        }
    }
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Index({} documents, [REDACTED])", self.documents)
    }
}

/// Whether `text` holds all words of `question`, for a few texts that need no index.
pub fn holds(text: &str, question: &str) -> bool {
    let mut index = Index::default();
    index.add(0, text, 1);
    index.finish();
    !index.find(question).is_empty()
}

/// Runs of letters and digits, folded. `word` is scratch space, so that a long text makes no allocation a word.
fn each_word(text: &str, word: &mut String, mut take: impl FnMut(&str)) {
    word.clear();
    let put = |word: &mut String, letter: char| {
        if word.len() + letter.len_utf8() <= WORD_BYTES_MAX {
            word.push(letter);
        }
    };
    for letter in text.chars() {
        match letter {
            'a'..='z' | '0'..='9' => put(word, letter),
            'A'..='Z' => put(word, letter.to_ascii_lowercase()),
            'œ' | 'Œ' => "oe".chars().for_each(|letter| put(word, letter)),
            'æ' | 'Æ' => "ae".chars().for_each(|letter| put(word, letter)),
            'ß' => "ss".chars().for_each(|letter| put(word, letter)),
            other if other.is_alphanumeric() => decompose_canonical(other, |part| {
                if !is_combining_mark(part) {
                    part.to_lowercase().for_each(|letter| put(word, letter));
                }
            }),
            // An accent that was typed apart belongs to its letter.
            other if is_combining_mark(other) => {}
            _ if word.is_empty() => {}
            _ => {
                take(word);
                word.clear();
            }
        }
    }
    if !word.is_empty() {
        take(word);
    }
    word.clear();
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn index(texts: &[&str]) -> Index {
        let mut index = Index::default();
        for (document, text) in (0..).zip(texts) {
            index.add(document, text, 1);
        }
        index.finish();
        index
    }

    fn found(index: &Index, question: &str) -> Vec<u32> {
        index.find(question).iter().map(|hit| hit.document).collect()
    }

    #[test]
    fn accents_ligatures_and_case_are_folded() {
        let index = index(&["Œdème aigu du poumon", "suture de l’ŒSOPHAGE", "plaie du cœur", "e\u{301}pistaxis"]);
        assert_eq!(found(&index, "oedeme"), [0]);
        assert_eq!(found(&index, "OEDÈME"), [0]);
        assert_eq!(found(&index, "œsophage"), [1]);
        assert_eq!(found(&index, "l'oesophage"), [1]);
        assert_eq!(found(&index, "COEUR"), [2]);
        assert_eq!(found(&index, "épistaxis"), [3]);
        assert_eq!(found(&index, "poumon œdème"), [0], "in any order");
    }

    #[test]
    fn the_beginning_of_a_word_is_enough_and_its_middle_is_not() {
        let index = index(&["hypertension artérielle", "tension"]);
        assert_eq!(found(&index, "hyper"), [0]);
        assert_eq!(found(&index, "tens"), [1]);
        assert_eq!(found(&index, "hyper art"), [0]);
        assert_eq!(found(&index, "hyper tension"), [] as [u32; 0], "every word must be there");
        assert_eq!(found(&index, "h"), [0], "one letter alone is a beginning");
        for nothing in ["", " ’ ", "zzz"] {
            assert_eq!(found(&index, nothing), [] as [u32; 0], "{nothing:?}");
        }
    }

    #[test]
    fn a_title_counts_more_than_a_text_and_the_word_more_than_its_beginning() {
        let mut index = Index::default();
        index.add(0, "asthmatique asthmatique", 1);
        index.add(1, "un mot sur l’asthme, et encore l’asthme", 1);
        index.add(2, "Asthme", TITLE_WEIGHT);
        index.add(2, "rien d’autre", 1);
        index.add(3, "sans rapport", 1);
        index.finish();
        assert_eq!(found(&index, "asthm"), [2, 0, 1]);
        assert_eq!(found(&index, "asthme"), [2, 1]);
        assert_eq!(found(&index, "sans rien"), [] as [u32; 0]);
    }

    #[test]
    fn a_document_that_came_later_is_found_after_the_next_finish() {
        let mut index = index(&["un"]);
        index.add(1, "deux", 1);
        index.finish();
        assert_eq!(found(&index, "deux"), [1]);
        // More of one that was there before, behind another.
        index.add(0, "deux trois", 1);
        index.add(0, "deux", TITLE_WEIGHT);
        index.finish();
        assert_eq!(found(&index, "deux"), [0, 1]);
        assert_eq!(found(&index, "un trois"), [0]);
        assert_eq!(found(&index, "trois deux"), [0]);
        assert!(holds("Compte rendu d’imagerie", "image compte") && !holds("Compte rendu", "imagerie"));
    }

    proptest! {
        /// What a plain look through all texts finds, and nothing else.
        #[test]
        fn it_finds_what_a_plain_look_finds(
            texts in prop::collection::vec("[a-cé ]{0,12}", 1..8),
            question in "[a-ce]{2,3}( [a-ce]{2,3})?",
        ) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let plain = |text: &str| text.replace('é', "e");
            let holds = |text: &&&str, word: &str| {
                plain(text).split(' ').any(|other| other.len() > 1 && other.starts_with(word))
            };
            let expected: Vec<u32> = (0..)
                .zip(&texts)
                .filter(|(_, text)| question.split(' ').all(|word| holds(text, word)))
                .map(|(document, _)| document)
                .collect();
            let mut was = found(&index(&texts), &question);
            was.sort_unstable();
            prop_assert_eq!(was, expected);
        }

        #[test]
        fn no_text_and_no_question_is_too_much(text in any::<String>(), question in any::<String>()) {
            let _found = found(&index(&[&text]), &question);
        }
    }
}
