//! A row as it is nearly always written: canonical JSON (RFC 8785) without a character that needs a backslash. Read in one
//! pass, several times faster than any JSON; whatever is not exactly that is left to the general reader.
//!
//! What is taken here is JSON and means the same there: keys rise, so that none is there twice; strings hold no control
//! character; numbers are whole, short and without a sign.

use crate::journal::export::line::Raw;
use std::borrow::Cow;

/// Digits that no number of ours exceeds: 2^53 has sixteen.
const DIGITS_MAX: usize = 16;
/// Patient and document stand one level below the row.
const DEPTH_MAX: u8 = 2;

enum Value<'a> {
    Null,
    Flag,
    Number(u64),
    Text(&'a str),
    Object,
}

/// `None`: the general reader must look.
pub(super) fn read(line: &[u8]) -> Option<Raw<'_>> {
    let mut rest = Rest { line: std::str::from_utf8(line).ok()?, at: 0 };
    let mut raw = Raw::default();
    rest.members(1, |key, value| take(&mut raw, key, value))?;
    (rest.at == line.len()).then_some(raw)
}

fn take<'a>(raw: &mut Raw<'a>, key: &str, value: Value<'a>) -> Option<()> {
    let text = match key {
        "form" | "index" | "login" => {
            let number = match value {
                Value::Null => None,
                Value::Number(number) => Some(number),
                _ => return None,
            };
            match key {
                "form" => raw.form = number,
                "index" => raw.index = number,
                _ => raw.login = number,
            }
            return Some(());
        }
        "leaf" => &mut raw.leaf,
        "checkpoint" => &mut raw.checkpoint,
        "anchored_at" => &mut raw.anchored_at,
        "blind" => &mut raw.blind,
        "class" => &mut raw.class,
        "device" => &mut raw.device,
        "holder" => &mut raw.holder,
        "time" => &mut raw.time,
        "clock" => &mut raw.clock,
        "rule" => &mut raw.rule,
        "reason" => &mut raw.reason,
        // Seldom, and with something inside.
        "proof" | "tile" => return matches!(value, Value::Null).then_some(()),
        // Nobody here asks for it; it is under the hash of the line.
        _ => return Some(()),
    };
    *text = match value {
        Value::Null => None,
        Value::Text(said) => Some(Cow::Borrowed(said)),
        _ => return None,
    };
    Some(())
}

/// A line, and how far it was read: always to the edge of a letter, for only ASCII is stepped over.
struct Rest<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Rest<'a> {
    /// `{"a":…,"b":…}`, its keys rising.
    #[inline]
    fn members(&mut self, depth: u8, mut take: impl FnMut(&'a str, Value<'a>) -> Option<()>) -> Option<()> {
        self.skip(b'{')?;
        let mut before = "";
        loop {
            let key = self.string()?;
            if !rises(before, key) {
                return None;
            }
            before = key;
            self.skip(b':')?;
            let value = self.value(depth)?;
            take(key, value)?;
            match self.next()? {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    #[inline]
    fn value(&mut self, depth: u8) -> Option<Value<'a>> {
        match self.next()? {
            b'"' => self.string().map(Value::Text),
            b'n' => self.word(b"null").map(|()| Value::Null),
            b'0'..=b'9' => self.number().map(Value::Number),
            b'{' if depth < DEPTH_MAX => self.object(depth + 1).map(|()| Value::Object),
            b't' => self.word(b"true").map(|()| Value::Flag),
            b'f' => self.word(b"false").map(|()| Value::Flag),
            _ => None,
        }
    }

    fn object(&mut self, depth: u8) -> Option<()> {
        self.members(depth, |_, _| Some(()))
    }

    #[inline]
    fn string(&mut self) -> Option<&'a str> {
        self.skip(b'"')?;
        let from = self.at;
        self.at += end_of_string(&self.line.as_bytes()[from..])? + 1;
        self.line.get(from..self.at - 1)
    }

    #[inline]
    fn number(&mut self) -> Option<u64> {
        let from = self.at;
        let mut number = 0;
        while let Some(digit @ b'0'..=b'9') = self.next() {
            number = number * 10 + u64::from(digit - b'0');
            self.at += 1;
            if self.at - from > DIGITS_MAX {
                return None;
            }
        }
        let begins_with_0 = self.at - from > 1 && self.line.as_bytes()[from] == b'0';
        if begins_with_0 || matches!(self.next(), Some(b'.' | b'e' | b'E')) { None } else { Some(number) }
    }

    #[inline]
    fn word<const N: usize>(&mut self, word: &[u8; N]) -> Option<()> {
        let found = self.line.as_bytes()[self.at..].first_chunk::<N>()?;
        self.at += N;
        (found == word).then_some(())
    }

    #[inline]
    fn skip(&mut self, byte: u8) -> Option<()> {
        let found = self.next()?;
        self.at += 1;
        (found == byte).then_some(())
    }

    #[inline]
    fn next(&self) -> Option<u8> {
        self.line.as_bytes().get(self.at).copied()
    }
}

/// Whether `key` comes after the one before it: nearly always their first two letters say so.
#[inline]
fn rises(before: &str, key: &str) -> bool {
    let beginning = |word: &str| word.as_bytes().first_chunk().map_or(0, |two| u16::from_be_bytes(*two));
    let (first, second) = (beginning(before), beginning(key));
    if first != 0 && second != 0 && first != second { first < second } else { before < key }
}

/// Where a string ends; eight bytes at a time. `None`: it does not, or something in it is not plain.
#[inline]
fn end_of_string(bytes: &[u8]) -> Option<usize> {
    let (eights, rest) = bytes.as_chunks::<8>();
    let mut at = 0;
    for eight in eights {
        let all = u64::from_le_bytes(*eight);
        let found = is_below(all ^ each(b'"'), 1) | is_below(all ^ each(b'\\'), 1) | is_below(all, 0x20);
        if found != 0 {
            let place = found.trailing_zeros() / 8;
            // By shifting: to read one byte of what was just stored as eight would wait for the store.
            return ((all >> (8 * place)) as u8 == b'"').then_some(at + place as usize);
        }
        at += 8;
    }
    let place = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..0x20))?;
    (rest[place] == b'"').then_some(at + place)
}

/// The high bit of each byte that is below `limit`, which is at most 0x80; of those, the lowest is always right.
const fn is_below(eight: u64, limit: u8) -> u64 {
    eight.wrapping_sub(each(limit)) & !eight & each(0x80)
}

const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ROW: &str = concat!(
        r#"{"blind":"00ff","class":"opened","clock":"is","device":"chevet-é","document":{"id":"1.2","type":"x"},"form":1,"#,
        r#""ground":null,"holder":"8997","index":41,"login":40,"proof":null,"reason":null,"rule":"M-01","secret":false,"#,
        r#""since_boot_ms":1234,"#,
        r#""time":"2026-11-23T12:00:00Z"}"#
    );

    fn same(line: &[u8]) {
        if let Some(quick) = read(line) {
            let general = serde_json::from_slice::<Raw<'_>>(line).expect("what is taken here is JSON");
            assert_eq!(quick, general);
        }
    }

    #[test]
    fn a_row_is_read_here_and_means_the_same_there() {
        assert!(read(ROW.as_bytes()).is_some());
        same(ROW.as_bytes());
    }

    #[test]
    fn what_is_not_exactly_that_is_left_to_the_general_reader() {
        for (from, to) in [
            (r#""form":1"#, r#""form":01"#),
            (r#""form":1"#, r#""form":1.0"#),
            (r#""form":1"#, r#""form":-1"#),
            (r#""form":1"#, r#""form":"1""#),
            (r#""form":1"#, r#""form":1,"form":1"#),
            (r#""form":1"#, r#""form": 1"#),
            (r#""form":1"#, r#""form":[]"#),
            (r#""form":1"#, r#""form":1,"a":2"#),
            (r#""form":1"#, r#""form":{"a":{"b":1}}"#),
            (r#""form":1"#, r#""form":nul"#),
            (r#""form":1,"#, r#""form":1"#),
            ("8997", r"89\u00397"),
            ("8997", "89\u{1}97"),
            (r#"Z"}"#, r#"Z"}}"#),
            (r#"Z"}"#, r#"Z","z":1,}"#),
            (r#""proof":null"#, r#""proof":{"nonce":"x"}"#),
            ("41", "99999999999999999"),
        ] {
            let odd = ROW.replacen(from, to, 1);
            assert_ne!(odd, ROW, "« {from} » is not in the row");
            assert!(read(odd.as_bytes()).is_none(), "{odd}");
        }
        assert!(read(b"{}").is_none() && read(b"").is_none() && read(b"\xff").is_none());
    }

    proptest! {
        #[test]
        fn a_changed_byte_never_makes_the_two_differ(at in 0..ROW.len(), byte in any::<u8>()) {
            let mut line = ROW.as_bytes().to_vec();
            line[at] = byte;
            same(&line);
        }

        #[test]
        fn nor_does_a_piece_that_is_cut_out_or_doubled(from in 0..ROW.len(), length in 0..40_usize, doubled in any::<bool>()) {
            let bytes = ROW.as_bytes();
            let to = (from + length).min(bytes.len());
            let piece: &[u8] = if doubled { &bytes[from..to] } else { &[] };
            same(&[&bytes[..to], piece, &bytes[to..]].concat());
            same(&[&bytes[..from], piece, &bytes[to..]].concat());
        }
    }
}
