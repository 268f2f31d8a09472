//! One line of an export. Only what a check needs is taken out: everything else is under the hash of the whole line.

use crate::journal::branch;
use crate::journal::export::canonical;
use crate::journal::leaf::FORM;
use crate::journal::tree::Hash;
use crate::journal::words::Class;
use serde::Deserialize;
use std::borrow::Cow;

pub(super) enum Line<'a> {
    Row(Row<'a>),
    /// `leaf` is `None` when it is not 32 bytes.
    Pruned {
        index: u64,
        leaf: Option<Hash>,
    },
    Tile {
        first: u64,
        leaves: Vec<u8>,
    },
    Checkpoint {
        note: Cow<'a, str>,
        anchored: bool,
    },
    FromTheFuture,
    Unknown,
}

/// What a row says of its author.
pub(super) struct Row<'a> {
    pub index: u64,
    pub is_login: bool,
    pub device: Cow<'a, str>,
    pub holder: Cow<'a, str>,
    pub login: Option<u64>,
    pub proof: Option<Proof<'a>>,
    pub time: Cow<'a, str>,
    pub clock: Cow<'a, str>,
    /// What the row says of a lost head, when it begins a branch.
    pub branch: Option<Cow<'a, str>>,
}

/// By card or by telephone; which, is told by what is there.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum Proof<'a> {
    Card(#[serde(borrow)] CardProof<'a>),
    Phone(#[serde(borrow)] PhoneProof<'a>),
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct CardProof<'a> {
    #[serde(borrow)]
    pub certificate: Cow<'a, str>,
    #[serde(borrow)]
    pub nonce: Cow<'a, str>,
    #[serde(borrow)]
    pub signature: Cow<'a, str>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct PhoneProof<'a> {
    #[serde(borrow)]
    pub id_token: Cow<'a, str>,
    #[serde(borrow)]
    pub key: Cow<'a, str>,
}

/// All that may stand in a line; which of it is there says what the line is.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Raw<'a> {
    pub form: Option<u64>,
    pub index: Option<u64>,
    #[serde(borrow)]
    pub leaf: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub tile: Option<Tile<'a>>,
    #[serde(borrow)]
    pub checkpoint: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub anchored_at: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub blind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub class: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub device: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub holder: Option<Cow<'a, str>>,
    pub login: Option<u64>,
    #[serde(borrow)]
    pub proof: Option<Proof<'a>>,
    #[serde(borrow)]
    pub time: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub clock: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub rule: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub reason: Option<Cow<'a, str>>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Tile<'a> {
    first: u64,
    #[serde(borrow)]
    leaves: Cow<'a, str>,
}

impl Line<'_> {
    pub fn read(line: &[u8]) -> Line<'_> {
        let raw = canonical::read(line).or_else(|| serde_json::from_slice(line).ok());
        let Some(raw) = raw else { return Line::Unknown };
        match raw {
            Raw { checkpoint: Some(note), anchored_at, .. } => {
                Line::Checkpoint { note, anchored: anchored_at.is_some() }
            }
            Raw { tile: Some(tile), .. } => match from_hex(&tile.leaves) {
                Some(leaves) => Line::Tile { first: tile.first, leaves },
                None => Line::Unknown,
            },
            Raw { form: None, blind: None, leaf: Some(leaf), index: Some(index), .. } => {
                Line::Pruned { index, leaf: from_hex(&leaf).and_then(|leaf| leaf.try_into().ok()) }
            }
            Raw { form: Some(form), .. } if form > FORM => Line::FromTheFuture,
            raw => row(raw).map_or(Line::Unknown, Line::Row),
        }
    }
}

fn row(raw: Raw<'_>) -> Option<Row<'_>> {
    raw.form?;
    // 32 bytes: a row without its blind could be guessed, and is none of ours.
    let blind = raw.blind?;
    if blind.len() != 64 || !is_hex(blind.bytes().fold(0, |all, byte| all | DIGITS[usize::from(byte)])) {
        return None;
    }
    let (class, device, holder) = (raw.class?, raw.device?, raw.holder?);
    // Written by the device itself: nobody else says that its disk was put back.
    let begins_a_branch =
        raw.rule.as_deref() == Some(branch::RULE) && class == Class::Maintenance.name() && holder == device;
    Some(Row {
        index: raw.index?,
        is_login: class == Class::Login.name(),
        device,
        holder,
        login: raw.login,
        proof: raw.proof,
        time: raw.time?,
        clock: raw.clock?,
        branch: raw.reason.filter(|_| begins_a_branch),
    })
}

/// What a hexadecimal digit is worth; 0xff: it is none. Looked up, because a branch on digits of chance is one wrongly foretold.
const DIGITS: [u8; 256] = {
    let mut table = [0xff; 256];
    let mut digit = 0;
    while digit < 16 {
        table[b"0123456789abcdef"[digit] as usize] = digit as u8;
        table[b"0123456789ABCDEF"[digit] as usize] = digit as u8;
        digit += 1;
    }
    table
};

/// Of all digits' worths together.
fn is_hex(all: u8) -> bool {
    all < 16
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let mut all = 0;
    let byte = |[high, low]: &[u8; 2]| {
        let (high, low) = (DIGITS[usize::from(*high)], DIGITS[usize::from(*low)]);
        all |= high | low;
        high << 4 | low
    };
    let bytes = pairs.iter().map(byte).collect();
    is_hex(all).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_is_read_as_elsewhere() {
        for text in ["", "0", "00", "0g", "g0", "fF09aB", "é0", "0é0", "00 1", "/0", ":0", "@0", "G0", "`0"] {
            assert_eq!(from_hex(text), hex::decode(text).ok(), "{text}");
        }
        let all: String = (0..=255_u8).map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(from_hex(&all), hex::decode(&all).ok());
    }
}
