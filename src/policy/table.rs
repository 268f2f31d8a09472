//! Small tables as text: `# name: value` notes, one header line, rows. Comma or semicolon, quotes where a value needs
//! them, UTF-8. Bounded: a table that is too big is refused before it is read.

use crate::time::UnixSeconds;

/// Everything larger is not one of ours, and not the national matrix either.
pub const BYTES_MAX: usize = 4_194_304;
pub const ROWS_MAX: usize = 100_000;

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the table has {found} bytes, more than {BYTES_MAX}")]
    TooLarge { found: usize },
    #[error("the table has more than {ROWS_MAX} rows")]
    TooLong,
    #[error("the table is not UTF-8")]
    NotText,
    #[error("the table has no header line")]
    NoHeader,
    #[error("line {line}: {found} values where the header has {expected}")]
    Width { line: usize, found: usize, expected: usize },
    #[error("line {line}: a quote that does not end")]
    Quote { line: usize },
    #[error("the header names {name} twice")]
    HeaderTwice { name: String },
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub notes: Vec<(String, String)>,
    pub header: Vec<String>,
    pub rows: Vec<Row>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// In the file, from 1.
    pub line: usize,
    pub values: Vec<String>,
}

impl Table {
    /// The value of the note with this name, the first one.
    pub fn note(&self, name: &str) -> Option<&str> {
        self.notes.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The values of all notes with this name.
    pub fn notes(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.notes.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Where a column stands.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|found| found == name)
    }
}

/// Reads a table.
pub fn read(bytes: &[u8]) -> Result<Table, Error> {
    if bytes.len() > BYTES_MAX {
        return Err(Error::TooLarge { found: bytes.len() });
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Error::NotText)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut table = Table { notes: Vec::new(), header: Vec::new(), rows: Vec::new() };
    let mut separator = ',';
    for (at, line) in text.lines().enumerate() {
        let number = at + 1;
        if line.trim().is_empty() {
            continue;
        }
        if table.header.is_empty() {
            if let Some(note) = line.strip_prefix('#') {
                let (name, value) = note.split_once(':').unwrap_or((note, ""));
                table.notes.push((name.trim().to_owned(), value.trim().to_owned()));
                continue;
            }
            separator = if line.matches(';').count() > line.matches(',').count() { ';' } else { ',' };
            table.header = split(line, separator, number)?;
            if let Some(name) = twice(&table.header) {
                return Err(Error::HeaderTwice { name });
            }
            continue;
        }
        if table.rows.len() == ROWS_MAX {
            return Err(Error::TooLong);
        }
        let values = split(line, separator, number)?;
        if values.len() != table.header.len() {
            return Err(Error::Width { line: number, found: values.len(), expected: table.header.len() });
        }
        table.rows.push(Row { line: number, values });
    }
    if table.header.is_empty() { Err(Error::NoHeader) } else { Ok(table) }
}

/// A value as [`read`] reads it back.
pub fn quoted(value: &str) -> String {
    if value.contains([',', ';', '"']) { format!("\"{}\"", value.replace('"', "\"\"")) } else { value.to_owned() }
}

/// `2026-12-01`, its first second. Ten characters, so that a time of day is not taken for a day.
pub fn day_of(text: &str) -> Option<UnixSeconds> {
    if text.len() == 10 { UnixSeconds::parse(text) } else { None }
}

/// RFC 4180 §2, within one line.
fn split(line: &str, separator: char, number: usize) -> Result<Vec<String>, Error> {
    let mut values = Vec::new();
    let mut value = String::new();
    let mut quoted = false;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                value.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if value.is_empty() => quoted = true,
            _ if letter == separator && !quoted => values.push(std::mem::take(&mut value).trim().to_owned()),
            _ => value.push(letter),
        }
    }
    if quoted {
        return Err(Error::Quote { line: number });
    }
    values.push(value.trim().to_owned());
    Ok(values)
}

fn twice(names: &[String]) -> Option<String> {
    names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)).map(|(_, name)| name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_semicolons_quotes_and_notes() {
        let table = read("\u{feff}# version: 2\n#source : a | b\na;b\r\n\"x;y\";\"say \"\"oui\"\"\"\n\n".as_bytes());
        let table = table.expect("a table");
        assert_eq!((table.note("version"), table.note("source")), (Some("2"), Some("a | b")));
        assert_eq!(table.header, ["a", "b"]);
        assert_eq!(table.rows, [Row { line: 4, values: vec!["x;y".into(), "say \"oui\"".into()] }]);
    }

    /// Which of the two separates is the header's to say; where it says nothing, the comma does.
    #[test]
    fn the_header_says_what_separates() {
        let values = |text: &str| read(text.as_bytes()).expect("a table").rows[0].values.clone();
        assert_eq!(values("a\n1;2\n"), ["1;2"]);
        assert_eq!(values("a,b;c\n1;2,3\n"), ["1;2", "3"]);
        assert_eq!(values("a;b;c,d\n1;2;3,4\n"), ["1", "2", "3,4"]);
        // A quote inside a value is a letter.
        assert_eq!(values("a,b\n5\" x,y\n"), ["5\" x", "y"]);
    }

    #[test]
    fn what_is_no_table_is_named() {
        assert_eq!(read(b""), Err(Error::NoHeader));
        assert_eq!(read(b"# only: notes\n"), Err(Error::NoHeader));
        assert_eq!(read(b"a,b\n1\n"), Err(Error::Width { line: 2, found: 1, expected: 2 }));
        assert_eq!(read(b"a,b\n1,\"2\n"), Err(Error::Quote { line: 2 }));
        assert_eq!(read(b"a,a\n"), Err(Error::HeaderTwice { name: "a".into() }));
        assert_eq!(read(b"\xff\xfe"), Err(Error::NotText));
        assert!(matches!(read(&vec![b' '; BYTES_MAX + 1]), Err(Error::TooLarge { .. })));
        assert_eq!(read(&vec![b' '; BYTES_MAX]), Err(Error::NoHeader), "as large as may be is read");
        let long = format!("a\n{}", "1\n".repeat(ROWS_MAX + 1));
        assert_eq!(read(long.as_bytes()), Err(Error::TooLong));
    }
}
