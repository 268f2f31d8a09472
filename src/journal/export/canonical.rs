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
    let is_plain = !line.iter().fold(false, |odd, byte| odd | (*byte < 0x20) | (*byte == b'\\'));
    if !is_plain {
        return None;
    }
    let mut rest = std::str::from_utf8(line).ok()?;
    let mut raw = Raw::default();
    members(&mut rest, 1, |key, value| take(&mut raw, key, value))?;
    rest.is_empty().then_some(raw)
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

/// `{"a":…,"b":…}`, its keys rising.
fn members<'a>(rest: &mut &'a str, depth: u8, mut take: impl FnMut(&'a str, Value<'a>) -> Option<()>) -> Option<()> {
    skip(rest, "{")?;
    let mut before = "";
    loop {
        let key = string(rest)?;
        if key <= before {
            return None;
        }
        before = key;
        skip(rest, ":")?;
        let value = value(rest, depth)?;
        take(key, value)?;
        if skip(rest, ",").is_none() {
            return skip(rest, "}");
        }
    }
}

fn value<'a>(rest: &mut &'a str, depth: u8) -> Option<Value<'a>> {
    match rest.as_bytes().first()? {
        b'"' => string(rest).map(Value::Text),
        b'{' if depth < DEPTH_MAX => {
            members(rest, depth + 1, |_, _| Some(()))?;
            Some(Value::Object)
        }
        b'0'..=b'9' => number(rest).map(Value::Number),
        b'n' => skip(rest, "null").map(|()| Value::Null),
        b't' => skip(rest, "true").map(|()| Value::Flag),
        b'f' => skip(rest, "false").map(|()| Value::Flag),
        _ => None,
    }
}

fn string<'a>(rest: &mut &'a str) -> Option<&'a str> {
    skip(rest, "\"")?;
    let (text, after) = rest.split_once('"')?;
    *rest = after;
    Some(text)
}

fn number(rest: &mut &str) -> Option<u64> {
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, after) = rest.split_at(length);
    if length > DIGITS_MAX || (length > 1 && digits.starts_with('0')) || after.starts_with(['.', 'e', 'E']) {
        return None;
    }
    *rest = after;
    digits.parse().ok()
}

fn skip(rest: &mut &str, what: &str) -> Option<()> {
    *rest = rest.strip_prefix(what)?;
    Some(())
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
