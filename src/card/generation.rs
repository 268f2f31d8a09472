//! Which card an ATR announces. Pure.
//!
//! Patterns with masks, because version bytes differ from card to card. A wrong guess costs nothing: only what looks like
//! a CPS3 in contact is spoken to, and it must then show its application before anything else is asked of it.

/// A generation of the CPS family, as `chevet card show` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Generation {
    /// IAS-ECC in contact.
    Cps3,
    /// NXP ChipDoc: other commands, and never tried with a real card here.
    Cps4,
    /// A CPS3 held against a contactless reader: possession only, no PIN.
    Contactless,
    Unknown,
}

impl Generation {
    /// Never fails: what no pattern matches is unknown.
    pub fn of(atr: &[u8]) -> Generation {
        let known = PATTERNS.iter().find(|pattern| pattern.matches(atr)).map(|pattern| pattern.generation);
        let is_cps3 = || historical(atr).is_some_and(|bytes| CPS3_HISTORICAL.matches(bytes));
        known.unwrap_or(if is_cps3() { Generation::Cps3 } else { Generation::Unknown })
    }

    /// Its commands are known from papers alone. To be said wherever such a card is met (P9).
    pub fn is_untried(self) -> bool {
        self == Generation::Cps4
    }

    /// The word of the commands' JSON.
    pub fn name(self) -> &'static str {
        match self {
            Generation::Cps3 => "cps3",
            Generation::Cps4 => "cps4",
            Generation::Contactless => "contactless",
            Generation::Unknown => "unknown",
        }
    }
}

struct Pattern {
    atr: &'static [u8],
    /// `FF` where a byte must be equal.
    mask: &'static [u8],
    generation: Generation,
}

/// The historical bytes, behind whatever interface bytes there are (ISO 7816-3 §8.2).
fn historical(atr: &[u8]) -> Option<&[u8]> {
    let (&format, mut rest) = atr.get(1..)?.split_first()?;
    let count = usize::from(format & 0x0F);
    let mut follows = format >> 4;
    while follows != 0 {
        let (group, after) = rest.split_at_checked(follows.count_ones() as usize)?;
        follows = if follows & 0x08 != 0 { group.last()? >> 4 } else { 0 };
        rest = after;
    }
    rest.get(..count)
}

impl Pattern {
    fn matches(&self, atr: &[u8]) -> bool {
        let mut bytes = atr.iter().zip(self.atr).zip(self.mask);
        atr.len() == self.atr.len() && bytes.all(|((seen, known), mask)| seen & mask == known & mask)
    }
}

/// Historical bytes `00 12 25 00 64 80` are the family's in contact; what follows them is the generation.
#[rustfmt::skip]
const PATTERNS: &[Pattern] = &[
    Pattern {
        generation: Generation::Contactless,
        atr:  &[0x3B, 0x8F, 0x80, 0x01, 0x00, 0x31, 0xB8, 0x64, 0x04, 0xB0, 0xEC, 0xC1, 0x73, 0x94, 0x01, 0x80, 0x82, 0x90, 0x00, 0x0E],
        mask: &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0xFF, 0xC0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00],
    },
    Pattern {
        generation: Generation::Cps4,
        atr:  &[0x3B, 0x9B, 0x18, 0x80, 0x01, 0x00, 0x12, 0x25, 0x00, 0x64, 0x80, 0x04, 0x01, 0x00, 0x00, 0x90, 0x44],
        mask: &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0x00],
    },
    // Pre-series of the CPS4.
    Pattern {
        generation: Generation::Cps4,
        atr:  &[0x3B, 0xDC, 0x18, 0xFF, 0x00, 0x00, 0x12, 0x25, 0x00, 0x64, 0x80, 0x00, 0x04, 0x01, 0x00, 0x90, 0x00],
        mask: &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0x00],
    },
    // After the CPS4's, because its mask takes a pre-series CPS4 too: all versions of the historical bytes are let through.
    Pattern {
        generation: Generation::Cps3,
        atr:  &[0x3B, 0xAC, 0x00, 0x40, 0x2A, 0x00, 0x12, 0x25, 0x00, 0x64, 0x80, 0x00, 0x03, 0x10, 0x00, 0x90, 0x00],
        mask: &[0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF],
    },
];

/// Of a CPS3 that speaks another protocol, whose other interface bytes nobody here has seen.
#[rustfmt::skip]
const CPS3_HISTORICAL: Pattern = Pattern {
    generation: Generation::Cps3,
    atr:  &[0x00, 0x12, 0x25, 0x00, 0x64, 0x80, 0x00, 0x03, 0x10, 0x00, 0x90, 0x00],
    mask: &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0xFF, 0xFF, 0xFF],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(atr: &str, expected: Generation) {
        let bytes = hex::decode(atr.replace(' ', "")).expect("hexadecimal");
        assert_eq!(Generation::of(&bytes), expected, "{atr}");
    }

    #[test]
    fn every_known_card_is_named_and_no_other() {
        check("3B AC 00 40 2A 00 12 25 00 64 80 00 03 10 00 90 00", Generation::Cps3);
        // Another version of the same card, other interface bytes.
        check("3B AC 00 40 2B 00 12 25 00 64 80 00 03 11 00 90 00", Generation::Cps3);
        check("3B 8F 80 01 00 31 B8 64 04 B0 EC C1 73 94 01 80 82 90 00 0E", Generation::Contactless);
        check("3B 9B 18 80 01 00 12 25 00 64 80 04 01 00 00 90 44", Generation::Cps4);
        check("3B 9B 18 80 01 00 12 25 00 64 80 00 04 01 00 90 44", Generation::Cps4);
        check("3B DC 18 FF 00 00 12 25 00 64 80 00 04 01 00 90 00", Generation::Cps4);
        // An older CPS is let through: it will show no application.
        check("3B AC 00 40 2A 00 12 25 00 64 80 82 02 12 00 90 00", Generation::Cps3);
        // The same card in T=1, in both; a CPS4's version in another frame is not taken for one.
        check("3B 8C 01 00 12 25 00 64 80 00 03 10 00 90 00 5A", Generation::Cps3);
        check("3B 9C 18 80 01 00 12 25 00 64 80 00 03 10 00 90 00 42", Generation::Cps3);
        check("3B 8C 01 00 12 25 00 64 80 00 04 01 00 90 00 5A", Generation::Unknown);
        check("3B 8C 01 00 12 25", Generation::Unknown);
        check("3B FF FF FF FF FF FF", Generation::Unknown);
        // A Vitale, nothing at all, and a CPS3 cut short.
        check("3B 75 13 00 00 9C 02 02 01 02", Generation::Unknown);
        check("", Generation::Unknown);
        check("3B AC 00 40 2A 00 12 25 00 64 80 00 03 10 00 90", Generation::Unknown);
    }
}
