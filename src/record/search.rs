//! Search by words, in memory: which of some documents hold every word that was asked for, the best first.
//!
//! Accents, ligatures and case are folded (é = e, œ = oe), and the beginning of a word is enough. Nothing here reads a disk or
//! knows a patient; whoever builds an index decides what may be in it. Its words are wiped when it goes. Pure.
//!
//! ```text
//! words    in the order they came, their text in one piece of memory; a hash table finds them
//! fresh    one entry a word and document, in the order they came
//! postings the same by word, words in the order of their text: all that begins alike stands together
//! ```

use hashbrown::DefaultHashBuilder;
use hashbrown::HashTable;
use std::cmp::Ordering;
use std::hash::BuildHasher;
use unicode_normalization::char::decompose_canonical;
use unicode_normalization::char::is_combining_mark;
use zeroize::Zeroize;

/// An inverted index. Documents are named by numbers.
#[derive(Default)]
pub struct Index {
    /// All words, one behind the other.
    text: Vec<u8>,
    words: Vec<Word>,
    table: HashTable<Slot>,
    hasher: DefaultHashBuilder,
    /// What came since the last `finish`.
    fresh: Vec<(u32, Posting)>,
    /// Places in `words`, in the order of their text, as of the last `finish`.
    sorted: Vec<u32>,
    /// By rank in `sorted`, where its postings begin; one more at the end.
    starts: Vec<u32>,
    postings: Vec<Posting>,
    /// One more than the highest document.
    documents: u32,
}

struct Word {
    /// Its first bytes, as they are ordered: most words are told apart, and sorted, without looking at their text.
    beginning: u128,
    from: u32,
    length: u32,
    /// The document that it was last seen in, and its place in `fresh`.
    seen_in: u32,
    entry: u32,
}

/// Part of the hash stands beside the place: words that differ are told apart without looking at them.
struct Slot {
    hash: u32,
    place: u32,
}

/// A document, and how much a word weighs in it: document × 128 + weight.
#[derive(Clone, Copy, Default)]
struct Posting(u32);

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
/// A posting has room for so many documents; a patient never has.
const DOCUMENTS_MAX: u32 = 1 << 25;
/// Of a word that no document since the last `finish` has.
const NOWHERE: u32 = u32::MAX;

impl Index {
    /// Takes what stands in a document, or more of it; documents in any order. One from 2^25 on is not taken.
    pub fn add(&mut self, document: u32, text: &str, weight: u32) {
        if document >= DOCUMENTS_MAX {
            return;
        }
        self.documents = self.documents.max(document + 1);
        each_word(text, |word| {
            // One letter says nothing, and every text has it.
            if word.length > 1 {
                self.take(word, document, weight);
            }
        });
    }

    fn take(&mut self, word: &Letters, document: u32, weight: u32) {
        let Index { text, words, table, hasher, fresh, .. } = self;
        let (beginning, word) = (word.beginning(), word.text());
        let hash = hash(hasher, beginning, word);
        let short = (hash >> 32) as u32;
        let is_it = |slot: &Slot| slot.hash == short && words[slot.place as usize].is(beginning, word, text);
        let place = match table.find(hash, is_it) {
            Some(slot) => slot.place,
            None => {
                let place = u32::try_from(words.len()).unwrap_or(NOWHERE);
                let from = u32::try_from(text.len()).unwrap_or(NOWHERE);
                text.extend_from_slice(word);
                words.push(Word { beginning, from, length: word.len() as u32, seen_in: NOWHERE, entry: 0 });
                let rehash = |slot: &Slot| {
                    let known = &words[slot.place as usize];
                    self::hash(hasher, known.beginning, known.of(text))
                };
                table.insert_unique(hash, Slot { hash: short, place }, rehash);
                place
            }
        };
        let word = &mut words[place as usize];
        if word.seen_in == document {
            let known = &mut fresh[word.entry as usize].1;
            *known = Posting::new(document, known.weight().saturating_add(weight));
        } else {
            (word.seen_in, word.entry) = (document, u32::try_from(fresh.len()).unwrap_or(NOWHERE));
            fresh.push((place, Posting::new(document, weight)));
        }
    }

    /// Puts everything in order: needed before the next question. Costs as much as the index is large, whatever was added.
    pub fn finish(&mut self) {
        if self.fresh.is_empty() {
            return;
        }
        let fresh = std::mem::take(&mut self.fresh);
        let Index { text, words, .. } = &*self;
        let mut sorted: Vec<u32> = (0..u32::try_from(words.len()).unwrap_or(NOWHERE)).collect();
        sorted.sort_unstable_by(|a, b| words[*a as usize].order(&words[*b as usize], text));
        // How many there are of each word, and from that where they begin.
        let mut counts = vec![0_u32; words.len()];
        fresh.iter().for_each(|(place, _)| counts[*place as usize] += 1);
        let known =
            || std::iter::zip(&self.sorted, self.starts.windows(2)).map(|(place, ends)| (*place, ends[0]..ends[1]));
        known().for_each(|(place, range)| counts[place as usize] += range.len() as u32);
        let mut starts = Vec::with_capacity(sorted.len() + 1);
        let mut next = 0;
        for place in &sorted {
            starts.push(next);
            // From here on, where its next posting goes.
            next += std::mem::replace(&mut counts[*place as usize], next);
        }
        starts.push(next);
        let mut postings = vec![Posting::default(); next as usize];
        let mut put = |place: u32, posting: Posting| {
            let at = &mut counts[place as usize];
            postings[*at as usize] = posting;
            *at += 1;
        };
        for (place, range) in known() {
            self.postings[range.start as usize..range.end as usize].iter().for_each(|posting| put(place, *posting));
        }
        fresh.into_iter().for_each(|(place, posting)| put(place, posting));
        self.words.iter_mut().for_each(|word| word.seen_in = NOWHERE);
        (self.sorted, self.starts, self.postings) = (sorted, starts, postings);
    }

    /// The documents that hold all words of the question, each whole or by its beginning; the best first, then the lower
    /// number. A question without a word finds nothing; what was added since the last [`Index::finish`] is not found.
    pub fn find(&self, question: &str) -> Vec<Hit> {
        let mut asked: Vec<Vec<u8>> = Vec::new();
        each_word(question, |word| asked.push(word.text().to_vec()));
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
            let (whole, begun) = self.beginning_with(word);
            // The word itself before those that only begin with it.
            for (postings, factor) in [(whole, 2), (begun, 1)] {
                for posting in postings {
                    let (document, weight) = (posting.document() as usize, posting.weight());
                    if holds[document] == round {
                        holds[document] = round + 1;
                    }
                    if holds[document] == round + 1 {
                        total[document] = total[document].saturating_add(weight * factor);
                    }
                }
            }
        }
        asked.iter_mut().for_each(Zeroize::zeroize);
        let all = u32::try_from(asked.len()).unwrap_or(u32::MAX);
        if all == 0 {
            return Vec::new();
        }
        let whole = (0_u32..).zip(holds).filter(|(_, held)| *held == all).map(|(document, _)| document);
        let mut hits: Vec<Hit> = whole.map(|document| Hit { document, score: total[document as usize] }).collect();
        hits.sort_unstable_by_key(|hit| (std::cmp::Reverse(hit.score), hit.document));
        hits
    }

    /// Postings of the word itself, and of those that are longer.
    fn beginning_with(&self, word: &[u8]) -> (&[Posting], &[Posting]) {
        let text = |place: &u32| self.words[*place as usize].of(&self.text);
        let from = self.sorted.partition_point(|place| text(place) < word);
        let rest = &self.sorted[from..];
        let to = from + rest.partition_point(|place| text(place).starts_with(word));
        let is_there = rest.first().is_some_and(|place| text(place) == word);
        let postings = |from: usize, to: usize| match (self.starts.get(from), self.starts.get(to)) {
            (Some(from), Some(to)) => &self.postings[*from as usize..*to as usize],
            _ => &[],
        };
        let begun = from + usize::from(is_there);
        (postings(from, begun), postings(begun, to))
    }
}

impl Word {
    fn of<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        &text[self.from as usize..][..self.length as usize]
    }

    fn is(&self, beginning: u128, word: &[u8], text: &[u8]) -> bool {
        self.beginning == beginning
            && self.length as usize == word.len()
            && (word.len() <= BEGINNING || self.of(text)[BEGINNING..] == word[BEGINNING..])
    }

    fn order(&self, other: &Word, text: &[u8]) -> Ordering {
        self.beginning.cmp(&other.beginning).then_with(|| self.of(text).cmp(other.of(text)))
    }
}

impl Posting {
    fn new(document: u32, weight: u32) -> Posting {
        Posting(document * 128 + weight.min(WEIGHT_MAX))
    }

    fn document(self) -> u32 {
        self.0 / 128
    }

    fn weight(self) -> u32 {
        self.0 % 128
    }
}

const BEGINNING: usize = 16;

/// The beginning says all there is of a short word.
fn hash(hasher: &DefaultHashBuilder, beginning: u128, word: &[u8]) -> u64 {
    if word.len() <= BEGINNING { hasher.hash_one(beginning) } else { hasher.hash_one(word) }
}

impl Drop for Index {
    fn drop(&mut self) {
        self.text.zeroize();
        self.words.iter_mut().for_each(|word| word.beginning.zeroize());
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

/// Runs of letters and digits, folded, in UTF-8.
fn each_word(text: &str, mut take: impl FnMut(&Letters)) {
    let mut word = Letters::default();
    let mut at = 0;
    while let Some(byte) = text.as_bytes().get(at) {
        match FOLDED[usize::from(*byte)] {
            OTHER => {
                let Some(letter) = text[at..].chars().next() else { break };
                at += letter.len_utf8();
                if !fold(letter, |folded| word.put(folded)) {
                    word.end(&mut take);
                }
                continue;
            }
            NO_LETTER => word.end(&mut take),
            letter => word.put_byte(letter),
        }
        // A byte of ASCII is a letter of its own.
        at += 1;
    }
    word.end(&mut take);
    word.bytes.zeroize();
}

/// A word in the making: a long text makes no allocation a word.
struct Letters {
    bytes: [u8; WORD_BYTES_MAX],
    length: usize,
}

impl Default for Letters {
    fn default() -> Self {
        Letters { bytes: [0; WORD_BYTES_MAX], length: 0 }
    }
}

impl Letters {
    fn put_byte(&mut self, byte: u8) {
        if let Some(free) = self.bytes.get_mut(self.length) {
            *free = byte;
            self.length += 1;
        }
    }

    fn put(&mut self, letter: char) {
        let mut utf8 = [0; 4];
        let utf8 = letter.encode_utf8(&mut utf8).as_bytes();
        if let Some(free) = self.bytes.get_mut(self.length..self.length + utf8.len()) {
            free.copy_from_slice(utf8);
            self.length += utf8.len();
        }
    }

    fn end(&mut self, take: &mut impl FnMut(&Letters)) {
        if self.length > 0 {
            take(self);
            self.length = 0;
        }
    }

    fn text(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Big-endian, and zeros behind a shorter word: no word has one.
    fn beginning(&self) -> u128 {
        let all = self.bytes.first_chunk().map_or(0, |bytes| u128::from_be_bytes(*bytes));
        // What an earlier word left behind this one is none of it.
        let missing = BEGINNING.saturating_sub(self.length) as u32;
        all & u128::MAX.checked_shl(8 * missing).unwrap_or(0)
    }
}

const NO_LETTER: u8 = 0;
const OTHER: u8 = 1;
/// What becomes of a byte of ASCII; of any other the whole letter must be looked at.
const FOLDED: [u8; 256] = {
    let mut table = [OTHER; 256];
    let mut byte = 0;
    while byte < 128 {
        let ascii = byte as u8;
        table[byte] = if ascii.is_ascii_alphanumeric() { ascii.to_ascii_lowercase() } else { NO_LETTER };
        byte += 1;
    }
    table
};

/// What a letter is folded to; `false`: it is none, and ends a word.
fn fold(letter: char, mut put: impl FnMut(char)) -> bool {
    match letter {
        // Those of French come first, and mean what the general rule below would make of them.
        'é' | 'è' | 'ê' | 'ë' | 'É' | 'È' | 'Ê' | 'Ë' => put('e'),
        'à' | 'â' | 'ä' | 'À' | 'Â' | 'Ä' => put('a'),
        'î' | 'ï' | 'Î' | 'Ï' => put('i'),
        'ô' | 'ö' | 'Ô' | 'Ö' => put('o'),
        'ù' | 'û' | 'ü' | 'Ù' | 'Û' | 'Ü' => put('u'),
        'ç' | 'Ç' => put('c'),
        'œ' | 'Œ' => "oe".chars().for_each(put),
        'æ' | 'Æ' => "ae".chars().for_each(put),
        'ß' => "ss".chars().for_each(put),
        other if other.is_alphanumeric() => fold_any(other, put),
        // An accent that was typed apart belongs to its letter.
        other => return is_combining_mark(other),
    }
    true
}

fn fold_any(letter: char, mut put: impl FnMut(char)) {
    decompose_canonical(letter, |part| {
        if !is_combining_mark(part) {
            part.to_lowercase().for_each(&mut put);
        }
    });
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
    fn words_that_begin_alike_for_long_are_told_apart() {
        let index = index(&["anticonstitutionnellement", "anticonstitutionnel", "anticonstitutionalité"]);
        assert_eq!(found(&index, "anticonstitutionnel"), [1, 0]);
        assert_eq!(found(&index, "anticonstitutionna"), [] as [u32; 0]);
        assert_eq!(found(&index, "anticonstitutional"), [2]);
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

    #[test]
    fn letters_of_french_mean_what_the_general_rule_makes_of_them() {
        for letter in "éèêëÉÈÊËàâäÀÂÄîïÎÏôöÔÖùûüÙÛÜçÇ".chars() {
            let (mut quick, mut general) = (String::new(), String::new());
            assert!(fold(letter, |folded| quick.push(folded)));
            fold_any(letter, |folded| general.push(folded));
            assert_eq!(quick, general, "{letter}");
        }
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
