//! An export of the journal, and its proof offline: JSON Lines that anybody can check.
//!
//! ```text
//! a row's canonical bytes, exactly            one line a row, index 0, 1, 2 …
//! {"index":n,"leaf":"hex"}                    a row whose body was pruned
//! {"tile":{"first":n,"leaves":"hex…"}}        leaf hashes as the device kept them, 256 at most: they name the bad row
//! {"checkpoint":"…"}                          a signed note over the first `size` rows, with its card's line if there is one
//! {"checkpoint":"…","anchored_at":"…"}        one that the upstream has taken
//! ```
//!
//! Tiles prove nothing: checkpoints do. But when a root does not agree, the first row that differs from its tile is the
//! one that was changed, if the tiles agree with the checkpoint.
//!
//! - `line` what stands in a line, read once and without copies; `canonical` the way it nearly always stands there · `logins` who was there: login proofs, and the cards that
//!   have countersigned

use crate::identity::trust::Anchors;
use crate::journal::branch::Lost;
use crate::journal::export::line::Line;
use crate::journal::export::logins::Logins;
use crate::journal::leaf::LeafHash;
use crate::journal::leaf::leaf_hash;
use crate::journal::note;
use crate::journal::note::Countersignature;
use crate::journal::note::Head;
use crate::journal::note::NoteError;
use crate::journal::note::VerifyingKey;
use crate::journal::tree::Frontier;
use crate::journal::tree::Hash;
use crate::time::UnixSeconds;
use serde_json::json;

mod canonical;
mod line;
mod logins;

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub rows: u64,
    /// Every row is there, unchanged, by whom it says, and under a checkpoint; with a key, one that this key signed.
    pub ok: bool,
    pub first_bad: Option<u64>,
    /// In English, for IT people.
    pub why: Option<&'static str>,
    /// `None`: no key was given, so the signature was not looked at.
    pub signed: Option<bool>,
    /// Rows whose body was pruned: their leaves are proven, their words are gone.
    pub pruned: u64,
    /// Rows under a checkpoint that a holder's card has countersigned, by the certificate in that holder's login row.
    pub countersigned: u64,
    /// Whether those certificates come from the given authorities. `None`: none were given.
    pub certified: Option<bool>,
    /// Logins by telephone: signed by their provider's key, which no authority for cards certifies.
    pub logins_by_phone: u64,
    /// Rows under a checkpoint that the upstream has acknowledged, as the device noted it. The upstream has the proof.
    pub anchored: u64,
    /// Where the device went on although rows were missing: its disk was put back, or its newest part was gone.
    pub branches: Vec<BranchRow>,
}

/// A row that begins a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchRow {
    pub index: u64,
    /// `None`: in words that this program does not know.
    pub lost: Option<Lost>,
    /// As the row says it.
    pub at: String,
}

/// Reads an export line by line; holds 32 bytes a row, and each login.
#[derive(Default)]
pub struct Verifier {
    key: Option<VerifyingKey>,
    anchors: Option<Anchors>,
    rows: u64,
    pruned: u64,
    leaves: Vec<LeafHash>,
    kept: Vec<Hash>,
    heads: Vec<Kept>,
    unsigned: bool,
    logins: Logins,
    branches: Vec<BranchRow>,
    /// The first row that is no row, or not the next one, or not by whom it says.
    broken: Option<(u64, &'static str)>,
}

/// A checkpoint, as it was read.
struct Kept {
    head: Head,
    cards: Vec<Countersignature>,
    is_anchored: bool,
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

/// A checkpoint with all that stands under it, and when the upstream took it.
pub fn checkpoint_line(note: &str, anchored_at: Option<UnixSeconds>) -> String {
    match anchored_at {
        Some(at) => json!({"checkpoint": note, "anchored_at": at.rfc3339()}).to_string(),
        None => json!({"checkpoint": note}).to_string(),
    }
}

impl Verifier {
    /// With the device's key its signature is required on every checkpoint.
    pub fn new(key: Option<VerifyingKey>) -> Verifier {
        Verifier { key, ..Verifier::default() }
    }

    /// Every login's certificate must come from these authorities.
    pub fn with_anchors(self, anchors: Anchors) -> Verifier {
        Verifier { anchors: Some(anchors), ..self }
    }

    /// One line, without its line feed.
    pub fn line(&mut self, line: &[u8]) {
        match Line::read(line) {
            Line::Checkpoint { note, anchored } => self.checkpoint(&note, anchored),
            Line::Tile { first, leaves } => self.tile(first, &leaves),
            Line::Pruned { index, leaf } => {
                self.pruned += 1;
                self.logins.pruned(self.rows);
                self.row(Some(index), leaf.map(LeafHash), line, "the line is no row");
            }
            Line::Row(row) => {
                if let Some(words) = &row.branch {
                    let (index, at) = (self.rows, row.time.clone().into_owned());
                    self.branches.push(BranchRow { index, lost: Lost::read(words), at });
                }
                let found = self.logins.row(&row, self.rows, self.anchors.as_ref());
                if let (Err(why), None) = (found, self.broken) {
                    self.broken = Some((self.rows, why));
                }
                self.row(Some(row.index), Some(leaf_hash(line)), line, "the line is no row");
            }
            Line::FromTheFuture => self.row(None, None, line, "the row's form is newer than this program knows"),
            Line::Unknown => self.row(None, None, line, "the line is no row"),
        }
    }

    fn row(&mut self, index: Option<u64>, leaf: Option<LeafHash>, line: &[u8], why_not: &'static str) {
        let expected = self.rows;
        if self.broken.is_none() && leaf.is_none() {
            self.broken = Some((expected, why_not));
        } else if self.broken.is_none_or(|(at, _)| at == expected) && index.is_some_and(|index| index != expected) {
            self.broken = Some((expected, "the index does not follow: a row is missing or out of place"));
        }
        self.leaves.push(leaf.unwrap_or_else(|| leaf_hash(line)));
        self.rows += 1;
    }

    pub fn finish(mut self) -> Report {
        self.heads.sort_by_key(|kept| kept.head.size);
        let covered = self.heads.last().map_or(0, |kept| kept.head.size);
        let bad = self.first_bad(covered);
        let signed = self.key.as_ref().map(|_| !self.unsigned && !self.heads.is_empty());
        let countersigned = self.countersigned();
        let why = match bad {
            Some((_, why)) => Some(why),
            None if self.unsigned => Some("a checkpoint is not signed by that key, or is none"),
            None if self.heads.is_empty() => Some("there is no checkpoint"),
            None => countersigned.err(),
        };
        let is_believed = |row: &BranchRow| bad.is_none_or(|(first, _)| row.index < first);
        let anchored = self.heads.iter().filter(|kept| kept.is_anchored).map(|kept| kept.head.size).max();
        Report {
            rows: self.rows,
            ok: why.is_none(),
            first_bad: bad.map(|(index, _)| index),
            why,
            signed,
            pruned: self.pruned,
            // What is under a row that is not believed is not vouched for by anybody.
            countersigned: if bad.is_some() { 0 } else { countersigned.unwrap_or(0) },
            certified: self.anchors.as_ref().map(|_| self.logins.are_certified()),
            logins_by_phone: self.logins.by_phone(),
            anchored: if bad.is_some() { 0 } else { anchored.unwrap_or(0) },
            branches: self.branches.into_iter().filter(is_believed).collect(),
        }
    }

    /// The largest size that a card vouches for. Every card's line must be right: a wrong one is somebody's forgery.
    fn countersigned(&self) -> Result<u64, &'static str> {
        let mut size = 0;
        for kept in &self.heads {
            for card in &kept.cards {
                self.logins.countersigned(&kept.head, card)?;
                size = size.max(kept.head.size);
            }
        }
        Ok(size)
    }

    fn first_bad(&self, covered: u64) -> Option<(u64, &'static str)> {
        if self.broken.is_some() {
            return self.broken;
        }
        let computed = roots(&self.leaves, &self.heads);
        let good_until = |roots: &[Option<Hash>]| {
            let agrees = |(kept, root): &(&Kept, &Option<Hash>)| **root == Some(kept.head.root);
            std::iter::zip(&self.heads, roots).take_while(agrees).map(|(kept, _)| kept.head.size).last()
        };
        let all_agree = std::iter::zip(&self.heads, &computed).all(|(kept, root)| *root == Some(kept.head.root));
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

    fn checkpoint(&mut self, text: &str, is_anchored: bool) {
        let head = match &self.key {
            Some(key) => key.verify(text),
            None => note::read(text),
        };
        match head {
            Ok(head) => self.heads.push(Kept { head, cards: Countersignature::all(text), is_anchored }),
            Err(NoteError::Shape | NoteError::Unsigned) => self.unsigned = true,
        }
    }

    fn tile(&mut self, first: u64, leaves: &[u8]) {
        if first == self.kept.len() as u64 {
            self.kept.extend(leaves.as_chunks::<32>().0);
        }
    }
}

/// The root at each head's size; `None` where there are not that many rows.
fn roots(leaves: &[LeafHash], heads: &[Kept]) -> Vec<Option<Hash>> {
    let mut frontier = Frontier::default();
    let mut rest = leaves.iter();
    let mut found = Vec::with_capacity(heads.len());
    for Kept { head, .. } in heads {
        while frontier.size() < head.size
            && let Some(leaf) = rest.next()
        {
            frontier.push(*leaf);
        }
        found.push((frontier.size() == head.size).then(|| frontier.root()));
    }
    found
}
