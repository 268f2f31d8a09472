//! XML as a server may send it: no document type, no more than so many nodes, no deeper than so many levels. Pure.
//!
//! Elements are found by their local name: prefixes are free, and which namespace a message is in is told by its place.

use roxmltree::Document;
use roxmltree::Node;
use roxmltree::ParsingOptions;
use std::fmt::Write;

/// Why it was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("it is not UTF-8")]
    Encoding,
    #[error("it holds a document type")]
    Dtd,
    #[error("it holds too much")]
    TooMany,
    #[error("it is nested too deep")]
    TooDeep,
    #[error("it is not well-formed")]
    NotXml,
}

/// A thousand entries of a registry are some 200 000 nodes.
const NODES_MAX: u32 = 2_000_000;
/// An entry of a registry is ten deep inside its envelope.
const DEPTH_MAX: usize = 64;

/// UTF-8 alone, as the DMP's envelopes are.
pub fn text_of(bytes: &[u8]) -> Result<&str, Error> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|_| Error::Encoding)
}

/// A start tag of the DMP's is some hundred bytes.
const TAG_BYTES_MAX: usize = 64 * 1024;
const ATTRIBUTES_MAX: usize = 256;
/// In the whole document: some four for each of a thousand entries.
const NAMESPACES_MAX: usize = 4_096;

/// Whether some start tag, or the namespaces of all, would cost the parser time or memory that grows with their square. One pass.
fn is_costly(text: &str) -> bool {
    let (bytes, mut at, mut namespaces) = (text.as_bytes(), 0, 0);
    let after = |from: usize, end: &str| text.get(from..)?.find(end).map(|found| from + found + end.len());
    while let Some(start) = after(at, "<") {
        let rest = &bytes[start..];
        let skipped = match rest {
            [b'!', b'-', b'-', ..] => after(start + 3, "-->"),
            [b'!', ..] if rest.starts_with(b"![CDATA[") => after(start, "]]>"),
            [b'?', ..] => after(start, "?>"),
            [b'!' | b'/', ..] => after(start, ">"),
            _ => {
                let (mut quote, mut attributes, mut length) = (None, 0, rest.len());
                for (index, byte) in rest.iter().enumerate() {
                    match (quote, byte) {
                        (Some(open), byte) if open == *byte => quote = None,
                        (Some(_), _) => {}
                        (None, b'"' | b'\'') => quote = Some(*byte),
                        (None, b'=') => attributes += 1,
                        (None, b'x') if rest[index..].starts_with(b"xmlns") => namespaces += 1,
                        (None, b'>') => {
                            length = index;
                            break;
                        }
                        _ => {}
                    }
                    if index > TAG_BYTES_MAX || attributes > ATTRIBUTES_MAX || namespaces > NAMESPACES_MAX {
                        return true;
                    }
                }
                Some(start + length)
            }
        };
        // What does not end is no XML, which the parser says.
        let Some(next) = skipped else { return false };
        at = next;
    }
    false
}

pub fn parse(text: &str) -> Result<Document<'_>, Error> {
    if is_costly(text) {
        return Err(Error::TooMany);
    }
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| match error {
        roxmltree::Error::DtdDetected => Error::Dtd,
        roxmltree::Error::NodesLimitReached => Error::TooMany,
        _ => Error::NotXml,
    })?;
    if is_too_deep(document.root()) { Err(Error::TooDeep) } else { Ok(document) }
}

/// Walks without calling itself: the depth is what is asked.
fn is_too_deep(root: Node<'_, '_>) -> bool {
    let (mut node, mut depth) = (root, 0);
    loop {
        if let Some(child) = node.first_child() {
            (node, depth) = (child, depth + 1);
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
            (node, depth) = (parent, depth.saturating_sub(1));
        }
    }
}

/// Child elements of that local name.
pub fn children<'a, 'input: 'a>(
    node: Node<'a, 'input>,
    name: &'a str,
) -> impl Iterator<Item = Node<'a, 'input>> + use<'a, 'input> {
    node.children().filter(move |child| child.is_element() && child.tag_name().name() == name)
}

/// The first of them.
pub fn child<'a, 'input: 'a>(node: Node<'a, 'input>, name: &'a str) -> Option<Node<'a, 'input>> {
    children(node, name).next()
}

/// Down that path, the first of each name.
pub fn at<'a, 'input: 'a>(node: Node<'a, 'input>, path: &[&'a str]) -> Option<Node<'a, 'input>> {
    path.iter().try_fold(node, |node, name| child(node, name))
}

/// All text below, without the space around it.
pub fn text(node: Node<'_, '_>) -> String {
    let all: String = node.descendants().filter(Node::is_text).filter_map(|node| node.text()).collect();
    all.trim().to_owned()
}

/// As it stands between tags, or between double quotes. What XML 1.0 §2.2 has no place for is left out.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // Kept where an attribute would be normalised (§3.3.3).
            '\t' | '\n' | '\r' => {
                let _never = write!(out, "&#{};", u32::from(letter));
            }
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_an_envelope_never_holds_is_refused() {
        let deep = |levels: usize| format!("{}{}", "<a>".repeat(levels), "</a>".repeat(levels));
        assert!(parse(&deep(DEPTH_MAX)).is_ok());
        for (text, expected) in [
            ("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", Error::Dtd),
            ("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", Error::Dtd),
            ("<a>", Error::NotXml),
            ("", Error::NotXml),
            (&deep(DEPTH_MAX + 1), Error::TooDeep),
        ] {
            assert_eq!(parse(text).map(|_| ()), Err(expected), "{text:.40}");
        }
        assert_eq!(text_of(b"<a>\xE9</a>"), Err(Error::Encoding));
        assert_eq!(text_of(b"\xEF\xBB\xBF<a/>"), Ok("<a/>"));
    }

    #[test]
    fn what_would_cost_the_parser_its_time_is_refused_before() {
        let attributes = |count: usize| (0..count).map(|one| format!(" a{one}='&lt;='")).collect::<String>();
        let tag =
            |inside: &str| format!("<?xml version='1.0'?><!--<a b='-->{}<![CDATA[<a b=']]><b{inside}/></r>", "<r>");
        assert!(parse(&tag(&attributes(ATTRIBUTES_MAX))).is_ok());
        assert_eq!(parse(&tag(&attributes(ATTRIBUTES_MAX + 1))).map(|_| ()), Err(Error::TooMany));
        assert!(parse(&tag(&format!(" a='{}'", "é>".repeat(TAG_BYTES_MAX / 4)))).is_ok());
        assert_eq!(parse(&tag(&format!(" a='{}'", "é".repeat(TAG_BYTES_MAX)))).map(|_| ()), Err(Error::TooMany));
        let spaces = |count: usize| format!("<r>{}</r>", "<a xmlns:b='c'/>".repeat(count));
        assert!(parse(&spaces(NAMESPACES_MAX)).is_ok());
        assert_eq!(parse(&spaces(NAMESPACES_MAX + 1)).map(|_| ()), Err(Error::TooMany));
    }

    #[test]
    fn elements_are_found_whatever_their_prefix() {
        let document = parse("<x:a xmlns:x='u'><b xmlns='v'> 1<c/>2 </b><x:b>3</x:b></x:a>").expect("XML");
        let root = document.root();
        assert_eq!(at(root, &["a", "b"]).map(text).as_deref(), Some("12"));
        assert_eq!(children(root.first_child().expect("a"), "b").count(), 2);
        assert_eq!(at(root, &["a", "d"]), None);
    }

    proptest! {
        #[test]
        fn what_is_escaped_is_read_as_it_was(words in "[^\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\u{fffe}\\u{ffff}]{0,40}") {
            let written = format!("<a b=\"{0}\">{0}</a>", escape(&words));
            let document = parse(&written).expect("well-formed");
            prop_assert_eq!(document.root_element().attribute("b"), Some(words.as_str()));
            prop_assert_eq!(document.root_element().text().unwrap_or(""), words.as_str());
        }

        #[test]
        fn no_text_breaks_out(words in any::<String>()) {
            let written = format!("<a b=\"{0}\">{0}</a>", escape(&words));
            prop_assert!(parse(&written).is_ok());
        }
    }
}
