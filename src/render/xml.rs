//! Bytes → an XML tree without document type, entities or bottomless nesting; and reading of names in it.

use std::borrow::Cow;

use roxmltree::Document;
use roxmltree::Node;
use roxmltree::ParsingOptions;

use crate::render::Error;
use crate::render::Fault;
use crate::render::text;

/// HL7 version 3, the namespace of CDA R2 (CDA R2 §A.1).
pub const HL7: &str = "urn:hl7-org:v3";

const NODES_MAX: u32 = 2_000_000;
/// A real document nests some 30 deep; the narrative's reader calls itself once per level.
const DEPTH_MAX: usize = 200;

/// The characters, and whether the declared encoding was kept.
pub struct Decoded<'a> {
    pub text: Cow<'a, str>,
    pub as_declared: bool,
}

/// By byte order mark, else by the declaration, else UTF-8 (XML 1.0 appendix F).
pub fn decode(bytes: &[u8]) -> Result<Decoded<'_>, Error> {
    if let Some(rest) = bytes.strip_prefix(b"\xFF\xFE") {
        return utf16(rest, u16::from_le_bytes);
    }
    if let Some(rest) = bytes.strip_prefix(b"\xFE\xFF") {
        return utf16(rest, u16::from_be_bytes);
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let declared = declared_encoding(bytes);
    match declared.as_deref() {
        Some("iso-8859-1" | "iso8859-1" | "latin1" | "windows-1252" | "us-ascii") => {
            Ok(Decoded { text: Cow::Owned(text::latin1(bytes)), as_declared: true })
        }
        Some("iso-8859-15") => {
            let latin1 = text::latin1(bytes);
            Ok(Decoded { text: Cow::Owned(text::latin1_to_latin9(&latin1)), as_declared: true })
        }
        None | Some("utf-8" | "utf8") => Ok(match std::str::from_utf8(bytes) {
            Ok(text) => Decoded { text: Cow::Borrowed(text), as_declared: true },
            Err(_) => Decoded { text: Cow::Owned(text::latin1(bytes)), as_declared: false },
        }),
        Some(_) => Err(Error::Unreadable { what: Fault::Encoding }),
    }
}

/// Refuses a document type before it is read, and nesting that no narrative needs.
pub fn parse(text: &str) -> Result<Document<'_>, Error> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    let what = |error| match error {
        roxmltree::Error::DtdDetected => Fault::Dtd,
        roxmltree::Error::NodesLimitReached => Fault::TooMany,
        _ => Fault::Xml,
    };
    let document =
        Document::parse_with_options(text, options).map_err(|error| Error::Unreadable { what: what(error) })?;
    if too_deep(document.root()) {
        return Err(Error::Unreadable { what: Fault::TooDeep });
    }
    Ok(document)
}

/// Walks without calling itself: the depth is what is asked.
fn too_deep(root: Node<'_, '_>) -> bool {
    let mut depth = 0;
    let mut node = root;
    loop {
        if let Some(child) = node.first_child() {
            node = child;
            depth += 1;
            if depth > DEPTH_MAX {
                return true;
            }
            continue;
        }
        loop {
            if let Some(next) = node.next_sibling() {
                node = next;
                break;
            }
            let Some(parent) = node.parent() else { return false };
            node = parent;
            depth = depth.saturating_sub(1);
        }
    }
}

/// The encoding that the XML declaration names, in lower case.
fn declared_encoding(bytes: &[u8]) -> Option<String> {
    let head = &bytes[..bytes.len().min(200)];
    let head = String::from_utf8_lossy(head);
    let declaration = head.strip_prefix("<?xml")?.split("?>").next()?;
    let after = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    Some(after[1..].split(quote).next()?.to_ascii_lowercase())
}

fn utf16<'a>(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Decoded<'a>, Error> {
    let broken = || Error::Unreadable { what: Fault::Encoding };
    if !bytes.len().is_multiple_of(2) {
        return Err(broken());
    }
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let text: String = char::decode_utf16(units).collect::<Result<_, _>>().map_err(|_| broken())?;
    Ok(Decoded { text: Cow::Owned(text), as_declared: true })
}

/// True for an HL7 element of this name.
pub fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name && node.tag_name().namespace().is_none_or(|space| space == HL7)
}

/// The first child of this name.
pub fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| is(*child, name))
}

/// All children of this name, in order.
pub fn children<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| is(*child, name))
}

/// The first element down this path of names.
pub fn at<'a, 'i>(node: Node<'a, 'i>, path: &[&str]) -> Option<Node<'a, 'i>> {
    path.iter().try_fold(node, |node, name| child(node, name))
}

/// All the text below, white space collapsed.
pub fn words(node: Node<'_, '_>) -> String {
    let text: String = node.descendants().filter(Node::is_text).filter_map(|text| text.text()).collect();
    collapse(&text)
}

/// XML white space only: a no-break space stays.
pub fn collapse(text: &str) -> String {
    text.split(is_space).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

pub fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_the_one_declared() {
        let table: [(&[u8], &str); 6] = [
            (b"<a>\xC3\xA9</a>", "<a>é</a>"),
            (b"\xEF\xBB\xBF<a/>", "<a/>"),
            (
                b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xE9</a>",
                "<?xml version='1.0' encoding='ISO-8859-1'?><a>é</a>",
            ),
            (
                b"<?xml version=\"1.0\" encoding=\"iso-8859-15\"?>\xA4",
                "<?xml version=\"1.0\" encoding=\"iso-8859-15\"?>€",
            ),
            (b"\xFF\xFE<\0a\0/\0>\0", "<a/>"),
            (b"<a>\xE9</a>", "<a>é</a>"),
        ];
        for (bytes, expected) in table {
            assert_eq!(decode(bytes).expect("an encoding we know").text, expected);
        }
        assert!(!decode(b"<a>\xE9</a>").expect("read as Latin-1").as_declared);
        let japanese = b"<?xml version='1.0' encoding='shift_jis'?><a/>";
        assert!(matches!(decode(japanese), Err(Error::Unreadable { what: Fault::Encoding })));
    }

    #[test]
    fn document_types_depth_and_damage_are_named() {
        let what = |text: &str| match parse(text) {
            Err(Error::Unreadable { what }) => Some(what),
            _ => None,
        };
        assert_eq!(what("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"), Some(Fault::Dtd));
        assert_eq!(what(&"<a>".repeat(20_000)), Some(Fault::Xml));
        let deep = |levels: usize| format!("{}{}", "<a>".repeat(levels), "</a>".repeat(levels));
        assert_eq!(what(&deep(20_000)), Some(Fault::TooDeep));
        assert_eq!(what(&deep(DEPTH_MAX)), None);
        assert_eq!(what(&deep(DEPTH_MAX + 1)), Some(Fault::TooDeep));
        assert_eq!(what("<a><b></a>"), Some(Fault::Xml));
    }
}
