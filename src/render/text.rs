//! Plain text: UTF-8, else Latin-1. One row a line.

use crate::record::reading::Row;
use crate::record::reading::RowKind;
use crate::record::reading::Run;

/// What Windows puts where Latin-1 has control characters: the apostrophe ’ and the euro of most French texts.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{FFFD}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{FFFD}', 'Ž', '\u{FFFD}', '\u{FFFD}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{FFFD}', 'ž', 'Ÿ',
];

/// UTF-8 where it is that, with or without its mark; else Latin-1.
pub fn decode(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => latin1(bytes),
    }
}

/// ISO 8859-1, with the Windows characters where it has only controls. Never fails: each byte is a character.
pub fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| windows_1252(byte)).collect()
}

pub fn windows_1252(byte: u8) -> char {
    match byte {
        0x80..=0x9F => WINDOWS_1252[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

/// The eight places where ISO 8859-15 differs.
pub fn latin1_to_latin9(text: &str) -> String {
    let differs = |c| match c {
        '¤' => '€',
        '¦' => 'Š',
        '¨' => 'š',
        '´' => 'Ž',
        '¸' => 'ž',
        '¼' => 'Œ',
        '½' => 'œ',
        '¾' => 'Ÿ',
        same => same,
    };
    text.chars().map(differs).collect()
}

/// Looks like text: no control characters but those of a line.
pub fn is_text(bytes: &[u8]) -> bool {
    !bytes.iter().any(|&byte| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0C | 0x1B))
}

/// A row for each line; several empty lines are one.
pub fn rows(text: &str) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let text = text.replace("\r\n", "\n").replace(['\r', '\u{0C}'], "\n");
    for line in text.split('\n') {
        let line: String = line.trim_end().chars().filter(|c| !c.is_control() || *c == '\t').collect();
        let empty_before = rows.last().is_none_or(|row| row.text.is_empty());
        if line.is_empty() && empty_before {
            continue;
        }
        rows.push(paragraph(line));
    }
    while rows.last().is_some_and(|row| row.text.is_empty()) {
        rows.pop();
    }
    rows
}

fn paragraph(line: String) -> Row {
    let text = if line.is_empty() { Vec::new() } else { vec![Run::plain(line)] };
    Row { kind: RowKind::Paragraph, level: 0, text, cells: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::reading::plain_text;

    #[test]
    fn utf8_first_then_latin1() {
        assert_eq!(decode("l’été".as_bytes()), "l’été");
        assert_eq!(decode(b"l\x92\xE9t\xE9"), "l’été");
        assert_eq!(decode(b"\xEF\xBB\xBFa"), "a");
        assert_eq!(latin1_to_latin9(&latin1(b"\xA4 \xBD")), "€ œ");
    }

    #[test]
    fn every_line_is_a_row_and_gaps_are_kept_once() {
        let lines: Vec<String> =
            rows("\n\nun\r\ndeux\r\r\r\n\ntrois\u{7}\n").iter().map(|r| plain_text(&r.text)).collect();
        assert_eq!(lines, ["un", "deux", "", "trois"]);
    }
}
