//! RTF as text: characters, paragraphs, bold, italic, underline, strike. Pictures and objects are left out, and said so.

use crate::record::reading::Row;
use crate::record::reading::RowKind;
use crate::record::reading::Run;
use crate::render::Error;
use crate::render::Fault;
use crate::render::text;

const GROUPS_MAX: usize = 1_000;

/// Groups whose text is not the document's (RTF 1.9, "destinations").
const NOT_TEXT: &[&str] = &[
    "fonttbl",
    "colortbl",
    "stylesheet",
    "info",
    "pict",
    "object",
    "header",
    "headerl",
    "headerr",
    "headerf",
    "footer",
    "footerl",
    "footerr",
    "footerf",
    "listtable",
    "listoverridetable",
    "rsidtbl",
    "generator",
    "themedata",
    "datastore",
    "xmlnstbl",
    "revtbl",
    "fldinst",
    "filetbl",
    "bkmkstart",
    "bkmkend",
];

/// What a group hands down to the groups inside it.
#[derive(Clone)]
struct Group {
    style: Run,
    hidden: bool,
    /// How many fallback characters follow a `\u`.
    fallback: usize,
}

struct Reader {
    rows: Vec<Row>,
    line: Vec<Run>,
    groups: Vec<Group>,
    now: Group,
    left_out: bool,
    skip: usize,
    /// First half of a character outside the basic plane.
    surrogate: Option<u16>,
}

/// Rows, and whether something that is not text was left out.
pub fn read(content: &[u8]) -> Result<(Vec<Row>, bool), Error> {
    let broken = || Error::Unreadable { what: Fault::Rtf };
    if !content.starts_with(b"{\\rtf") {
        return Err(broken());
    }
    let now = Group { style: Run::default(), hidden: false, fallback: 1 };
    let mut reader = Reader {
        rows: Vec::new(),
        line: Vec::new(),
        groups: Vec::new(),
        now,
        left_out: false,
        skip: 0,
        surrogate: None,
    };
    let mut at = 0;
    while let Some(&byte) = content.get(at) {
        at += 1;
        match byte {
            b'{' if reader.groups.len() >= GROUPS_MAX => return Err(Error::Unreadable { what: Fault::TooDeep }),
            b'{' => reader.groups.push(reader.now.clone()),
            b'}' => match reader.groups.pop() {
                Some(outer) => reader.now = outer,
                None => return Err(broken()),
            },
            b'\\' => at = reader.control(content, at).ok_or_else(broken)?,
            b'\r' | b'\n' => {}
            _ => reader.character(text::windows_1252(byte)),
        }
        if reader.groups.is_empty() {
            break;
        }
    }
    if !reader.groups.is_empty() {
        return Err(broken());
    }
    reader.end_line();
    Ok((reader.rows, reader.left_out))
}

impl Reader {
    /// One control word or symbol; where to go on.
    fn control(&mut self, content: &[u8], at: usize) -> Option<usize> {
        let symbol = *content.get(at)?;
        if !symbol.is_ascii_alphabetic() {
            return self.symbol(content, at, symbol);
        }
        let rest = &content[at..];
        let letters = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let word = std::str::from_utf8(&rest[..letters]).ok()?;
        let signed = usize::from(rest.get(letters) == Some(&b'-'));
        let digits = rest[letters + signed..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let used = if digits == 0 { letters } else { letters + signed + digits };
        let number: Option<i64> = match digits {
            0 => None,
            _ => std::str::from_utf8(&rest[letters..used]).ok()?.parse().ok(),
        };
        let mut next = at + used;
        if content.get(next) == Some(&b' ') {
            next += 1;
        }
        if word == "bin" {
            return next.checked_add(usize::try_from(number.unwrap_or(0)).ok()?);
        }
        self.word(word, number);
        Some(next)
    }

    fn symbol(&mut self, content: &[u8], at: usize, symbol: u8) -> Option<usize> {
        match symbol {
            b'\'' => {
                let digits = std::str::from_utf8(content.get(at + 1..at + 3)?).ok()?;
                self.character(text::windows_1252(u8::from_str_radix(digits, 16).ok()?));
                return Some(at + 3);
            }
            b'*' => self.now.hidden = true,
            b'~' => self.character('\u{A0}'),
            b'_' => self.character('\u{2011}'),
            b'\r' | b'\n' => self.end_line(),
            b'\\' | b'{' | b'}' => self.character(char::from(symbol)),
            _ => {}
        }
        Some(at + 1)
    }

    fn word(&mut self, word: &str, number: Option<i64>) {
        let on = number != Some(0);
        match word {
            "par" | "line" | "row" | "sect" | "page" => self.end_line(),
            "cell" | "tab" => self.character('\t'),
            "b" => self.now.style.bold = on,
            "i" => self.now.style.italic = on,
            "ul" => self.now.style.underlined = on,
            "ulnone" => self.now.style.underlined = false,
            "strike" => self.now.style.struck = on,
            "plain" => self.now.style = Run::default(),
            "uc" => self.now.fallback = number.and_then(|n| usize::try_from(n).ok()).unwrap_or(1),
            "u" => self.unicode(number.unwrap_or(0)),
            "emdash" => self.character('—'),
            "endash" => self.character('–'),
            "lquote" => self.character('‘'),
            "rquote" => self.character('’'),
            "ldblquote" => self.character('“'),
            "rdblquote" => self.character('”'),
            "bullet" => self.character('•'),
            "v" => self.now.hidden |= on,
            _ if NOT_TEXT.contains(&word) => {
                self.left_out |= matches!(word, "pict" | "object");
                self.now.hidden = true;
            }
            _ => {}
        }
    }

    /// A signed UTF-16 unit, followed by what older readers show instead.
    fn unicode(&mut self, number: i64) {
        let unit = (number & 0xFFFF) as u16;
        let before = self.surrogate.take();
        self.skip = 0;
        match (before, unit) {
            (_, 0xD800..=0xDBFF) => self.surrogate = Some(unit),
            (Some(high), 0xDC00..=0xDFFF) => {
                char::decode_utf16([high, unit]).for_each(|c| self.character(c.unwrap_or('\u{FFFD}')));
            }
            _ => self.character(char::from_u32(u32::from(unit)).unwrap_or('\u{FFFD}')),
        }
        self.skip = self.now.fallback;
    }

    fn character(&mut self, c: char) {
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        if self.now.hidden || (c.is_control() && c != '\t') {
            return;
        }
        let same = |run: &Run| Run { text: String::new(), ..run.clone() } == self.now.style;
        match self.line.last_mut() {
            Some(last) if same(last) => last.text.push(c),
            _ => self.line.push(Run { text: c.to_string(), ..self.now.style.clone() }),
        }
    }

    fn end_line(&mut self) {
        if self.now.hidden {
            return;
        }
        let text = std::mem::take(&mut self.line);
        let empty = text.iter().all(|run| run.text.trim().is_empty());
        if !(empty && self.rows.last().is_none_or(|row| row.text.is_empty())) {
            let text = if empty { Vec::new() } else { text };
            self.rows.push(Row { kind: RowKind::Paragraph, level: 0, text, cells: Vec::new() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::reading::plain_text;

    fn lines(rtf: &str) -> Vec<String> {
        read(rtf.as_bytes()).expect("readable").0.iter().map(|row| plain_text(&row.text)).collect()
    }

    #[test]
    fn characters_come_from_every_kind_of_escape() {
        let rtf = r"{\rtf1\ansi{\fonttbl{\f0 Arial;}}\f0 Compte\~rendu d\rquote\'e9t\'e9\par \u233?\uc2\u8364 EUx \u-10179 ??\u-8704 ??\par{\*\generator Nobody;}a\\b\{c\}\tab d}";
        assert_eq!(lines(rtf), ["Compte\u{A0}rendu d’été", "é€x 😀", "a\\b{c}\td"]);
    }

    #[test]
    fn styles_end_with_their_group() {
        let (rows, _) = read(br"{\rtf1 a{\b b\i c}d\ul e\ulnone f}").expect("readable");
        let runs: Vec<_> = rows[0].text.iter().map(|r| (r.text.as_str(), r.bold, r.italic, r.underlined)).collect();
        let expected = [("a", false, false, false), ("b", true, false, false), ("c", true, true, false)];
        assert_eq!(runs[..3], expected);
        assert_eq!(runs[3..], [("d", false, false, false), ("e", false, false, true), ("f", false, false, false)]);
    }

    #[test]
    fn pictures_are_left_out_and_damage_is_named() {
        let (rows, left_out) = read(b"{\\rtf1 a{\\pict\\bin3 }}}}b}").expect("readable");
        assert!(left_out && plain_text(&rows[0].text) == "ab");
        for damaged in [&b"{\\rtf1 a"[..], b"\\rtf1", b"{\\rtf1 \\'zz}", b"{\\rtf1 \\"] {
            assert!(matches!(read(damaged), Err(Error::Unreadable { what: Fault::Rtf })));
        }
        let deep = format!("{{\\rtf1 {}{}}}", "{".repeat(20_000), "}".repeat(20_000));
        assert!(matches!(read(deep.as_bytes()), Err(Error::Unreadable { what: Fault::TooDeep })));
    }
}
