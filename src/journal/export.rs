//! An export of the journal, and its proof offline: JSON Lines that anybody can check.
//!
//! ```text
//! a row's canonical bytes, exactly            one line a row, index 0, 1, 2 …
//! {"index":n,"leaf":"hex"}                    a row whose body was pruned
//! {"tile":{"first":n,"leaves":"hex…"}}        leaf hashes as the device kept them, 256 at most: they name the bad row
//! {"checkpoint":"…"}                          a signed note over the first `size` rows
//! ```
//!
//! Tiles prove nothing: checkpoints do. But when a root does not agree, the first row that differs from its tile is the
//! one that was changed, if the tiles agree with the checkpoint.

use crate::journal::leaf;
use crate::journal::leaf::LeafHash;
use crate::journal::leaf::leaf_hash;
use crate::journal::note;
use crate::journal::note::Head;
use crate::journal::note::NoteError;
use crate::journal::note::VerifyingKey;
use crate::journal::tree::Frontier;
use crate::journal::tree::Hash;
use serde_json::Value;
use serde_json::json;

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub rows: u64,
    /// Every row is there, unchanged, and under a checkpoint; with a key, one that this key signed.
    pub ok: bool,
    pub first_bad: Option<u64>,
    /// In English, for IT people.
    pub why: Option<&'static str>,
    /// `None`: no key was given, so the signature was not looked at.
    pub signed: Option<bool>,
    /// Rows under a checkpoint that a holder's card has countersigned.
    pub countersigned: u64,
    /// Rows under a checkpoint that the upstream has acknowledged.
    pub anchored: u64,
}

/// Reads an export line by line; holds 32 bytes a row.
#[derive(Default)]
pub struct Verifier {
    key: Option<VerifyingKey>,
    rows: u64,
    leaves: Vec<LeafHash>,
    kept: Vec<Hash>,
    heads: Vec<Head>,
    unsigned: bool,
    /// The first row that is no row, or not the next one.
    broken: Option<(u64, &'static str)>,
}

/// Leaf hashes in one tile, as in C2SP tlog-tiles.
pub const TILE_LEAVES: u64 = 256;

/// The line of a row whose body is gone.
pub fn pruned_line(index: u64, leaf: &Hash) -> String {
    json!({"index": index, "leaf": hex::encode(leaf)}).to_string()
}

pub fn tile_line(first: u64, leaves: &[Hash]) -> String {
    json!({"tile": {"first": first, "leaves": hex::encode(leaves.concat())}}).to_string()
}

pub fn checkpoint_line(note: &str) -> String {
    json!({"checkpoint": note}).to_string()
}

impl Verifier {
    /// With the device's key its signature is required on every checkpoint.
    pub fn new(key: Option<VerifyingKey>) -> Verifier {
        Verifier { key, ..Verifier::default() }
    }

    /// One line, without its line feed.
    pub fn line(&mut self, line: &[u8]) {
        let value: Option<Value> = serde_json::from_slice(line).ok();
        let of = |name: &str| value.as_ref().and_then(|value| value.get(name));
        if let Some(note) = of("checkpoint") {
            return self.checkpoint(note.as_str().unwrap_or(""));
        }
        if let Some(tile) = of("tile") {
            return self.tile(tile);
        }
        let pruned = value.as_ref().and_then(Value::as_object).filter(|fields| fields.len() == 2);
        let pruned = pruned.and_then(|fields| fields.get("leaf")).and_then(Value::as_str);
        let leaf = match pruned {
            Some(leaf) => fixed(leaf).map(LeafHash),
            None => leaf::parse(line).ok().map(|_| leaf_hash(line)),
        };
        let index = of("index").and_then(Value::as_u64);
        let (expected, is_first_break) = (self.rows, self.broken.is_none());
        if is_first_break && leaf.is_none() {
            self.broken = Some((expected, "the line is no row"));
        } else if is_first_break && index != Some(expected) {
            self.broken = Some((expected, "the index does not follow: a row is missing or out of place"));
        }
        self.leaves.push(leaf.unwrap_or_else(|| leaf_hash(line)));
        self.rows += 1;
    }

    pub fn finish(mut self) -> Report {
        self.heads.sort_by_key(|head| head.size);
        let covered = self.heads.last().map_or(0, |head| head.size);
        let bad = self.first_bad(covered);
        let signed = self.key.as_ref().map(|_| !self.unsigned && !self.heads.is_empty());
        let why = match bad {
            Some((_, why)) => Some(why),
            None if self.unsigned => Some("a checkpoint is not signed by that key, or is none"),
            None if self.heads.is_empty() => Some("there is no checkpoint"),
            None => None,
        };
        Report {
            rows: self.rows,
            ok: why.is_none(),
            first_bad: bad.map(|(index, _)| index),
            why,
            signed,
            countersigned: 0,
            anchored: 0,
        }
    }

    fn first_bad(&self, covered: u64) -> Option<(u64, &'static str)> {
        if self.broken.is_some() {
            return self.broken;
        }
        let computed = roots(&self.leaves, &self.heads);
        let good_until = |roots: &[Option<Hash>]| {
            let agrees = |(head, root): &(&Head, &Option<Hash>)| **root == Some(head.root);
            std::iter::zip(&self.heads, roots).take_while(agrees).map(|(head, _)| head.size).last()
        };
        let all_agree = std::iter::zip(&self.heads, &computed).all(|(head, root)| *root == Some(head.root));
        if all_agree {
            let beyond = self.rows > covered && !self.heads.is_empty();
            return beyond.then_some((covered, "rows stand after the last checkpoint"));
        }
        let differs = |(mine, kept): (&LeafHash, &Hash)| mine.0 != *kept;
        if let Some(at) = std::iter::zip(&self.leaves, &self.kept).position(differs) {
            return Some((at as u64, "the row is not what the device wrote"));
        }
        if self.rows < covered {
            return Some((self.rows, "rows are missing at the end"));
        }
        // Rows and tiles were changed together: what is after the last good checkpoint cannot be believed.
        Some((good_until(&computed).unwrap_or(0), "the root does not agree with the checkpoint"))
    }

    fn checkpoint(&mut self, text: &str) {
        let head = match &self.key {
            Some(key) => key.verify(text),
            None => note::read(text),
        };
        match head {
            Ok(head) => self.heads.push(head),
            Err(NoteError::Shape | NoteError::Unsigned) => self.unsigned = true,
        }
    }

    fn tile(&mut self, tile: &Value) {
        let leaves = tile["leaves"].as_str().and_then(|leaves| hex::decode(leaves).ok()).unwrap_or_default();
        if tile["first"].as_u64() == Some(self.kept.len() as u64) {
            self.kept.extend(leaves.as_chunks::<32>().0);
        }
    }
}

/// The root at each head's size; `None` where there are not that many rows.
fn roots(leaves: &[LeafHash], heads: &[Head]) -> Vec<Option<Hash>> {
    let mut frontier = Frontier::default();
    let mut rest = leaves.iter();
    let mut found = Vec::with_capacity(heads.len());
    for head in heads {
        while frontier.size() < head.size
            && let Some(leaf) = rest.next()
        {
            frontier.push(*leaf);
        }
        found.push((frontier.size() == head.size).then(|| frontier.root()));
    }
    found
}

fn fixed(text: &str) -> Option<Hash> {
    hex::decode(text).ok()?.try_into().ok()
}
