//! Objects as cards write them: tag, length, value (ISO 7816-4 §5.2.2). Pure.
//!
//! Never trusts a length, never recurses: what is cut short, or makes no sense, ends the level it stands on.

/// The first object with this tag, at this level. Of a longer tag, its two first bytes count (BF81xx).
pub fn first(bytes: &[u8], tag: u16) -> Option<&[u8]> {
    objects(bytes).find(|(found, _)| *found == tag).map(|(_, value)| value)
}

/// Tag and value of each object at one level, until the end or until the bytes make no sense any more.
pub fn objects(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        // ISO 7816-4 §5.2.2.1: 00 and FF between objects are filling.
        while let [0x00 | 0xFF, rest @ ..] = bytes {
            bytes = rest;
        }
        let (tag, rest) = tag(bytes)?;
        let (value, rest) = value(rest)?;
        bytes = rest;
        Some((tag, value))
    })
}

fn tag(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (&high, rest) = bytes.split_first()?;
    if high & 0x1F != 0x1F {
        return Some((u16::from(high), rest));
    }
    let (&low, mut rest) = rest.split_first()?;
    let mut more = low & 0x80 != 0;
    while more {
        let (&byte, after) = rest.split_first()?;
        more = byte & 0x80 != 0;
        rest = after;
    }
    Some((u16::from_be_bytes([high, low]), rest))
}

/// A definite length of at most two bytes, and what it covers: a card's file is no longer than that.
fn value(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = match bytes {
        [length @ 0x00..=0x7F, rest @ ..] => (usize::from(*length), rest),
        [0x81, length, rest @ ..] => (usize::from(*length), rest),
        [0x82, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_read_up_to_what_makes_no_sense() {
        let all = |bytes: &[u8]| objects(bytes).map(|(tag, value)| (tag, value.to_vec())).collect::<Vec<_>>();
        let two = [0x00, 0x84, 0x01, 0xAA, 0xFF, 0xFF, 0xBF, 0x81, 0x01, 0x81, 0x01, 0xBB, 0x00];
        assert_eq!(all(&two), [(0x84, vec![0xAA]), (0xBF81, vec![0xBB])], "filling between, a long tag, a long length");
        assert_eq!(first(&two, 0xBF81), Some(&[0xBB][..]));
        assert_eq!(first(&two, 0x85), None);
        for cut in
            [&[0x84][..], &[0x84, 0x02, 0xAA], &[0xBF], &[0xBF, 0x81], &[0x84, 0x82, 0x01], &[0x84, 0x83, 0, 0, 0]]
        {
            assert_eq!(all(cut), [], "{cut:02X?}");
        }
        let length = [&[0x84, 0x82, 0x01, 0x00][..], &[7; 256]].concat();
        assert_eq!(all(&length), [(0x84, vec![7; 256])]);
    }
}
