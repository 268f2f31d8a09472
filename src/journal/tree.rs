//! The tree over the rows: RFC 6962 §2.1, kept as its perfect subtrees.
//!
//! A node `(level, position)` is the hash over the `2^level` leaves from `position · 2^level` on; it never changes once its
//! leaves are there, so an append only adds nodes. Level 0 is the leaves themselves. Who keeps them is asked through
//! `node`; nothing here holds more than one path at a time.

use crate::journal::leaf::LeafHash;
use crate::journal::leaf::sha256;

/// A hash of the tree: of a leaf, a subtree, or the whole.
pub type Hash = [u8; 32];

/// One perfect subtree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    pub level: u8,
    pub position: u64,
    pub hash: Hash,
}

/// The nodes above level 0 that the leaf at `index` completes, lowest first.
pub fn append<E>(index: u64, leaf: LeafHash, mut node: impl FnMut(u8, u64) -> Result<Hash, E>) -> Result<Vec<Node>, E> {
    let mut made = Vec::new();
    let (mut level, mut position, mut hash) = (0, index, leaf.0);
    // A right child completes its parent; a left one waits.
    while position % 2 == 1 {
        hash = parent(&node(level, position - 1)?, &hash);
        level += 1;
        position /= 2;
        made.push(Node { level, position, hash });
    }
    Ok(made)
}

/// The root over the first `size` leaves.
pub fn root<E>(size: u64, mut node: impl FnMut(u8, u64) -> Result<Hash, E>) -> Result<Hash, E> {
    range_root(0, size, &mut node)
}

/// RFC 6962 §2.1.1: the audit path of the leaf at `index` among `size`, lowest first. `None` when it is not among them.
pub fn inclusion<E>(
    index: u64,
    size: u64,
    mut node: impl FnMut(u8, u64) -> Result<Hash, E>,
) -> Result<Option<Vec<Hash>>, E> {
    if index >= size {
        return Ok(None);
    }
    let mut path = Vec::new();
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let split = start + largest_power_below(end - start);
        if index < split {
            path.push(range_root(split, end, &mut node)?);
            end = split;
        } else {
            path.push(range_root(start, split, &mut node)?);
            start = split;
        }
    }
    path.reverse();
    Ok(Some(path))
}

/// RFC 9162 §2.1.3.2: whether `path` proves that the leaf stands at `index` in the tree of that size and root.
pub fn includes(leaf: LeafHash, index: u64, size: u64, path: &[Hash], root: &Hash) -> bool {
    root_of_path(leaf, index, size, path).as_ref() == Some(root)
}

/// The root that the path leads to; `None` when it is no path of that place in a tree of that size.
pub fn root_of_path(leaf: LeafHash, index: u64, size: u64, path: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, leaf.0);
    for step in path {
        if last == 0 {
            return None;
        }
        if at % 2 == 1 || at == last {
            hash = parent(step, &hash);
            while at % 2 == 0 && at != 0 {
                at /= 2;
                last /= 2;
            }
        } else {
            hash = parent(&hash, step);
        }
        at /= 2;
        last /= 2;
    }
    (last == 0).then_some(hash)
}

/// What is left of a tree when only its root is wanted: at most one hash a level.
#[derive(Debug, Clone, Default)]
pub struct Frontier {
    size: u64,
    /// Perfect subtrees from the left, largest first.
    peaks: Vec<Hash>,
}

impl Frontier {
    pub fn push(&mut self, leaf: LeafHash) {
        let mut hash = leaf.0;
        let mut position = self.size;
        while position % 2 == 1 {
            let left = self.peaks.pop().expect("each one bit of the size is a peak");
            hash = parent(&left, &hash);
            position /= 2;
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    pub fn root(&self) -> Hash {
        match self.peaks.split_last() {
            None => empty_root(),
            Some((last, rest)) => rest.iter().rev().fold(*last, |right, left| parent(left, &right)),
        }
    }
}

/// RFC 6962 §2.1: MTH over the leaves from `start` to `end`, where `start` is a multiple of the largest power of two
/// that is not above the length.
fn range_root<E>(start: u64, end: u64, node: &mut impl FnMut(u8, u64) -> Result<Hash, E>) -> Result<Hash, E> {
    let count = end - start;
    if count == 0 {
        return Ok(empty_root());
    }
    if count.is_power_of_two() {
        let level = count.trailing_zeros();
        return node(level as u8, start >> level);
    }
    let split = start + largest_power_below(count);
    let left = range_root(start, split, node)?;
    Ok(parent(&left, &range_root(split, end, node)?))
}

/// The largest power of two strictly below `count`, which is at least 2.
fn largest_power_below(count: u64) -> u64 {
    1 << (u64::BITS - 1 - (count - 1).leading_zeros())
}

/// SHA-256(0x01 ‖ left ‖ right).
fn parent(left: &Hash, right: &Hash) -> Hash {
    let mut input = [0x01; 65];
    input[1..33].copy_from_slice(left);
    input[33..].copy_from_slice(right);
    sha256(&input)
}

/// SHA-256 of nothing.
fn empty_root() -> Hash {
    sha256(&[])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::leaf::leaf_hash;
    use std::collections::HashMap;
    use std::convert::Infallible;

    /// As the vault does it, in memory.
    #[derive(Default)]
    struct Kept(HashMap<(u8, u64), Hash>);

    impl Kept {
        fn of(count: u64) -> Kept {
            let mut kept = Kept::default();
            for index in 0..count {
                let leaf = nth(index);
                kept.0.insert((0, index), leaf.0);
                for node in append(index, leaf, |l, p| kept.node(l, p)).expect("in memory") {
                    assert!(kept.0.insert((node.level, node.position), node.hash).is_none(), "a node never changes");
                }
            }
            kept
        }

        fn node(&self, level: u8, position: u64) -> Result<Hash, Infallible> {
            Ok(*self.0.get(&(level, position)).expect("asked for a subtree that is not complete"))
        }
    }

    fn nth(index: u64) -> LeafHash {
        leaf_hash(format!("row {index}").as_bytes())
    }

    /// Roots over the leaves `row 0` … `row n-1`, computed apart from this code by the recursive definition of
    /// RFC 6962 §2.1 with Python's hashlib.
    const ROOTS: &[(u64, &str)] = &[
        (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (1, "000c835b247f77f7f1a2ade1f76cd63e3760a4b5407fb46a7969c55413496358"),
        (2, "6f30c90fee3730f57dbb469964df952a2e98e969be8a383424ad72be9103e045"),
        (3, "7471e06133b393a81faeb0707e10d5cc9ebbe8f614b87e3302aa75a1ae7eaff5"),
        (4, "e718ef09d8e1f8c3ebf5ef632ee8a2e434c55e53e6ebb2cd7607bd6373044c22"),
        (5, "6bedda13d260ae93edc9098c28ec13f42912f6524b5a3e22a48f35c567a5e0e4"),
        (6, "546302cf7b480d928180991fd7ce65d153b04445f9343cbf282dcd3c55c2e96c"),
        (7, "24899c626be4891069fde2736efa2b6963b085fd44978687dfc5a74eb9e936ce"),
        (8, "a94b4fe4b79e2f7254de09d24255b17837de9fbc890e8d2570c84383454a4ccf"),
        (13, "19b89aae394acac001a99d0409d09db7d31e7fe471db15fad3029b384f018529"),
        (64, "f001bf34b10506954c04585d1d358f7c76a73599cb994c9d04a73b685f917560"),
        (100, "e66bfb9b13aa62882f3201ba2c0d35a63b172cce2d98c37930bc173d5402132a"),
        (1000, "eb93b9463fcfe9f237c7c0febba5062ae399e3507b332e8ef0d8eaacc1429ad8"),
    ];

    #[test]
    fn roots_agree_with_the_definition() {
        for (size, expected) in ROOTS {
            let kept = Kept::of(*size);
            let root = root(*size, |l, p| kept.node(l, p)).expect("in memory");
            assert_eq!(hex::encode(root), *expected, "size {size}");
            let mut frontier = Frontier::default();
            (0..*size).for_each(|index| frontier.push(nth(index)));
            assert_eq!(hex::encode(frontier.root()), *expected, "frontier of size {size}");
            assert_eq!(frontier.size(), *size);
        }
    }

    #[test]
    fn every_leaf_is_proven_in_every_tree_and_nothing_else_is() {
        let kept = Kept::of(40);
        for size in 1..=40 {
            let whole = root(size, |l, p| kept.node(l, p)).expect("in memory");
            for index in 0..size {
                let path = inclusion(index, size, |l, p| kept.node(l, p)).expect("in memory").expect("it is there");
                assert!(includes(nth(index), index, size, &path, &whole), "{index} of {size}");
                assert!(!includes(nth(index + 1), index, size, &path, &whole), "another leaf at {index} of {size}");
                assert!(!includes(nth(index), index + 1, size, &path, &whole), "another place than {index} of {size}");
                if let Some((_, shorter)) = path.split_last() {
                    assert!(!includes(nth(index), index, size, shorter, &whole), "a path cut short");
                }
                let longer: Vec<Hash> = path.iter().copied().chain([whole]).collect();
                assert!(!includes(nth(index), index, size, &longer, &whole), "a path too long");
            }
            assert_eq!(inclusion(size, size, |l, p| kept.node(l, p)), Ok(None));
        }
    }

    #[test]
    fn a_proof_among_a_million_has_twenty_hashes_at_most() {
        let constant = |_: u8, _: u64| Ok::<Hash, Infallible>([7; 32]);
        let path = inclusion(777_777, 1_000_000, constant).expect("in memory").expect("it is there");
        assert!(path.len() <= 20, "{}", path.len());
    }
}
