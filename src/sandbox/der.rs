//! A tiny DER writer (X.690 §8 and §10), and just enough of a reader for what it wrote.
//!
//! For the sandbox's certificates and the virtual card's PKCS#15 files. It never reads a real card: `card::pkcs15` does,
//! with other code, so that a mistake made here cannot be made twice in the same way.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// One value of the given tag (one byte, or two for the forms `7F 41`, `BF 81` and the like), definite short length.
pub fn tlv(tag: &[u8], value: &[u8]) -> Vec<u8> {
    let mut out = tag.to_vec();
    match value.len() {
        short @ 0..=0x7f => out.push(short as u8),
        one @ 0x80..=0xff => out.extend([0x81, one as u8]),
        long => {
            let bytes = (long as u32).to_be_bytes();
            let skip = bytes.iter().take_while(|byte| **byte == 0).count();
            out.push(0x80 | (4 - skip) as u8);
            out.extend(&bytes[skip..]);
        }
    }
    out.extend(value);
    out
}

/// SEQUENCE.
pub fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(&[0x30], &parts.concat())
}

/// SET OF: its members ascend by their encoding (X.690 §11.6).
pub fn set(mut parts: Vec<Vec<u8>>) -> Vec<u8> {
    parts.sort();
    tlv(&[0x31], &parts.concat())
}

/// INTEGER of a magnitude, big endian, of any length.
pub fn unsigned(magnitude: &[u8]) -> Vec<u8> {
    let skip = magnitude.iter().take_while(|byte| **byte == 0).count();
    let mut value = magnitude[skip..].to_vec();
    if value.first().is_none_or(|byte| *byte >= 0x80) {
        value.insert(0, 0);
    }
    tlv(&[0x02], &value)
}

/// INTEGER.
pub fn integer(value: u64) -> Vec<u8> {
    unsigned(&value.to_be_bytes())
}

/// BOOLEAN TRUE: DER leaves FALSE out where it is the default.
pub fn yes() -> Vec<u8> {
    tlv(&[0x01], &[0xff])
}

/// NULL.
pub fn null() -> Vec<u8> {
    tlv(&[0x05], &[])
}

/// OCTET STRING.
pub fn octets(value: &[u8]) -> Vec<u8> {
    tlv(&[0x04], value)
}

/// BIT STRING of whole bytes.
pub fn bits(value: &[u8]) -> Vec<u8> {
    tlv(&[0x03], &[&[0], value].concat())
}

/// BIT STRING of named bits: bit 0 is the first, trailing zeros are dropped (X.690 §11.2.2).
pub fn named_bits(numbers: &[u32]) -> Vec<u8> {
    let Some(last) = numbers.iter().max() else { return tlv(&[0x03], &[0]) };
    let mut value = vec![0_u8; (last / 8 + 2) as usize];
    value[0] = (7 - last % 8) as u8;
    for number in numbers {
        value[1 + (number / 8) as usize] |= 0x80 >> (number % 8);
    }
    tlv(&[0x03], &value)
}

/// UTF8String.
pub fn utf8(text: &str) -> Vec<u8> {
    tlv(&[0x0c], text.as_bytes())
}

/// PrintableString.
pub fn printable(text: &str) -> Vec<u8> {
    tlv(&[0x13], text.as_bytes())
}

/// IA5String.
pub fn ia5(text: &str) -> Vec<u8> {
    tlv(&[0x16], text.as_bytes())
}

/// OBJECT IDENTIFIER written with dots.
pub fn oid(dotted: &str) -> Vec<u8> {
    let arcs: Vec<u64> = dotted.split('.').filter_map(|arc| arc.parse().ok()).collect();
    let mut value = Vec::new();
    if let [first, second, rest @ ..] = arcs.as_slice() {
        for arc in std::iter::once(first * 40 + second).chain(rest.iter().copied()) {
            let mut digits = vec![(arc & 0x7f) as u8];
            let mut left = arc >> 7;
            while left > 0 {
                digits.insert(0, 0x80 | (left & 0x7f) as u8);
                left >>= 7;
            }
            value.extend(digits);
        }
    }
    tlv(&[0x06], &value)
}

/// UTCTime until 2049, GeneralizedTime after (RFC 5280 §4.1.2.5).
pub fn time(at: Timestamp) -> Vec<u8> {
    let at = at.to_zoned(TimeZone::UTC);
    if at.year() < 2050 {
        tlv(&[0x17], at.strftime("%y%m%d%H%M%SZ").to_string().as_bytes())
    } else {
        tlv(&[0x18], at.strftime("%Y%m%d%H%M%SZ").to_string().as_bytes())
    }
}

/// `[number]` constructed: an explicit tag, or the implicit tag of something constructed when given its inside.
pub fn context(number: u8, inside: &[u8]) -> Vec<u8> {
    tlv(&[0xa0 | number], inside)
}

/// `[number]` primitive.
pub fn context_primitive(number: u8, value: &[u8]) -> Vec<u8> {
    tlv(&[0x80 | number], value)
}

/// The first value of these bytes, one-byte tags only: tag, value, what follows.
pub fn first(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(length & 0x0f))?;
            (digits.iter().fold(0_usize, |sum, digit| sum << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(length)?;
    Some((tag, value, rest))
}

/// The values inside a constructed value, with their tags.
pub fn members(mut bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut out = Vec::new();
    while let Some((tag, value, rest)) = first(bytes) {
        out.push((tag, value));
        bytes = rest;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_encodings() {
        assert_eq!(hex::encode(oid("1.2.250.1.71.1.2.7")), "06082a817a0147010207");
        assert_eq!(hex::encode(oid("2.5.4.3")), "0603550403");
        assert_eq!(hex::encode(integer(0)), "020100");
        assert_eq!(hex::encode(integer(128)), "02020080");
        assert_eq!(hex::encode(unsigned(&[0, 0, 1, 0])), "02020100");
        // keyUsage: digitalSignature alone, nonRepudiation alone, keyCertSign and cRLSign.
        assert_eq!(hex::encode(named_bits(&[0])), "03020780");
        assert_eq!(hex::encode(named_bits(&[1])), "03020640");
        assert_eq!(hex::encode(named_bits(&[5, 6])), "03020106");
        assert_eq!(hex::encode(named_bits(&[9])), "0303060040");
        assert_eq!(tlv(&[0x04], &[0; 0x80])[..3], [0x04, 0x81, 0x80]);
        assert_eq!(tlv(&[0x04], &[0; 0x100])[..4], [0x04, 0x82, 0x01, 0x00]);
    }

    #[test]
    fn dates_change_their_form_in_2050() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a date written here");
        assert_eq!(&time(at("2049-12-31T23:59:59Z"))[2..], b"491231235959Z");
        assert_eq!(&time(at("2050-01-01T00:00:00Z"))[2..], b"20500101000000Z");
    }

    #[test]
    fn a_set_is_sorted() {
        assert_eq!(set(vec![utf8("bb"), utf8("a")]), tlv(&[0x31], &[utf8("a"), utf8("bb")].concat()));
    }

    #[test]
    fn what_was_written_is_read() {
        let written = sequence(&[octets(&[7; 300]), integer(5)]);
        let (tag, inside, rest) = first(&written).expect("it was just written");
        assert_eq!((tag, rest.len()), (0x30, 0));
        assert_eq!(members(inside), vec![(0x04, [7_u8; 300].as_slice()), (0x02, [5_u8].as_slice())]);
        assert!(first(&written[..written.len() - 1]).is_none());
    }
}
