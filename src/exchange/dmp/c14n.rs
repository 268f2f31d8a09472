//! Canonical XML 1.0 with comments, inclusive (W3C REC-xml-c14n-20010315) and exclusive (REC-xml-exc-c14n-20020718), of a document or
//! of one element of it. Pure.
//!
//! For what is signed here, and what is checked of it: `xml:` attributes are not handed down to an element that is taken out of its
//! document, and there is no document type. Checked against libxml2 (`xmllint --c14n`) and `xmlsec1`.
//!
//! *Rejected*: bergshamra, whose signer answers at once, where a card is waited for, and which brings ninety crates with it; its canonical
//! form alone reads XML by another parser than the one that is trusted here.

use roxmltree::Attribute;
use roxmltree::Node;
use roxmltree::NodeType;
use std::collections::BTreeMap;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Inclusive,
    Exclusive,
}

impl Form {
    /// Its name in a signature.
    pub fn algorithm(self) -> &'static str {
        match self {
            Form::Inclusive => "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
            Form::Exclusive => "http://www.w3.org/2001/10/xml-exc-c14n#",
        }
    }
}

/// Prefix (empty for the default one) and name of the namespaces that stand.
type Namespaces<'a> = BTreeMap<&'a str, &'a str>;

/// The canonical text of a document's root, or of an element with all that is in it but `without`.
pub fn canonical(node: Node<'_, '_>, form: Form, without: Option<Node<'_, '_>>) -> String {
    let mut out = Writer { text: String::new(), form, without };
    if node.is_root() {
        let element = node.document().root_element();
        for child in node.children() {
            // What stands beside the root element stands on a line of its own.
            match child {
                child if child == element => out.node(child, &Namespaces::new()),
                child if child.is_comment() || child.is_pi() => {
                    let is_before = child.range().start < element.range().start;
                    out.text.push_str(if is_before { "" } else { "\n" });
                    out.node(child, &Namespaces::new());
                    out.text.push_str(if is_before { "\n" } else { "" });
                }
                _ => {}
            }
        }
    } else {
        out.node(node, &Namespaces::new());
    }
    out.text
}

struct Writer<'a, 'input> {
    text: String,
    form: Form,
    without: Option<Node<'a, 'input>>,
}

impl Writer<'_, '_> {
    /// As deep as the parser lets a document be.
    fn node(&mut self, node: Node<'_, '_>, rendered: &Namespaces<'_>) {
        if self.without == Some(node) {
            return;
        }
        match node.node_type() {
            NodeType::Element => self.element(node, rendered),
            NodeType::Text => escape(&mut self.text, node.text().unwrap_or(""), Place::Text),
            NodeType::Comment => {
                self.text.push_str("<!--");
                self.text.push_str(node.text().unwrap_or(""));
                self.text.push_str("-->");
            }
            NodeType::PI => {
                let Some(pi) = node.pi() else { return };
                self.text.push_str("<?");
                self.text.push_str(pi.target);
                if let Some(value) = pi.value {
                    self.text.push(' ');
                    self.text.push_str(value);
                }
                self.text.push_str("?>");
            }
            NodeType::Root => {}
        }
    }

    fn element(&mut self, node: Node<'_, '_>, rendered: &Namespaces<'_>) {
        let source = node.document().input_text();
        let name = qualified(&source[node.range().start + 1..]);
        let qualified_name = |attribute: &Attribute<'_, '_>| &source[attribute.range_qname()];
        let mut stands = rendered.clone();
        let mut here = Namespaces::new();
        let scope: Namespaces<'_> = node
            .namespaces()
            .map(|one| (one.name().unwrap_or(""), one.uri()))
            .filter(|(prefix, _)| *prefix != "xml")
            .collect();
        let mut render = |prefix| {
            // Without a default one, a default one that stands is taken back.
            let uri = scope.get(prefix).copied().unwrap_or("");
            if stands.get(prefix).copied().unwrap_or("") != uri {
                stands.insert(prefix, uri);
                here.insert(prefix, uri);
            }
        };
        match self.form {
            Form::Inclusive => {
                scope.keys().for_each(|prefix| render(prefix));
                render("");
            }
            Form::Exclusive => {
                render(prefix_of(name));
                let attributes = node.attributes();
                let prefixes =
                    attributes.map(|one| prefix_of(qualified_name(&one))).filter(|prefix| !prefix.is_empty());
                prefixes.filter(|prefix| *prefix != "xml").for_each(&mut render);
            }
        }
        self.text.push('<');
        self.text.push_str(name);
        for (prefix, uri) in here {
            self.text.push_str(if prefix.is_empty() { " xmlns" } else { " xmlns:" });
            self.value(prefix, uri);
        }
        let mut attributes: Vec<Attribute<'_, '_>> = node.attributes().collect();
        attributes.sort_by_key(|one| (one.namespace().unwrap_or(""), one.name()));
        for attribute in &attributes {
            self.text.push(' ');
            self.value(qualified_name(attribute), attribute.value());
        }
        self.text.push('>');
        for child in node.children() {
            self.node(child, &stands);
        }
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push('>');
    }

    fn value(&mut self, name: &str, value: &str) {
        self.text.push_str(name);
        self.text.push_str("=\"");
        escape(&mut self.text, value, Place::Attribute);
        self.text.push('"');
    }
}

/// The name with which a start tag begins.
fn qualified(tag: &str) -> &str {
    let end = tag.find(|letter: char| letter.is_ascii_whitespace() || matches!(letter, '/' | '>'));
    &tag[..end.unwrap_or(tag.len())]
}

fn prefix_of(name: &str) -> &str {
    name.split_once(':').map_or("", |(prefix, _)| prefix)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Text,
    Attribute,
}

/// REC-xml-c14n-20010315 §2.3.
fn escape(out: &mut String, text: &str, place: Place) {
    for letter in text.chars() {
        match (letter, place) {
            ('&', _) => out.push_str("&amp;"),
            ('<', _) => out.push_str("&lt;"),
            ('\r', _) => out.push_str("&#xD;"),
            ('>', Place::Text) => out.push_str("&gt;"),
            ('"', Place::Attribute) => out.push_str("&quot;"),
            ('\t', Place::Attribute) => out.push_str("&#x9;"),
            ('\n', Place::Attribute) => out.push_str("&#xA;"),
            (letter, _) => out.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::dmp::xml;

    #[track_caller]
    fn check(text: &str, form: Form, expected: &str) {
        let document = xml::parse(text).expect("well-formed");
        assert_eq!(canonical(document.root(), form, None), expected);
    }

    /// REC-xml-c14n-20010315 §3.1 to §3.3, and what it has of namespaces; without document types.
    #[test]
    fn one_document_has_one_text() {
        let beside = "<?xml version=\"1.0\"?>\n\n<?a   b c?>\n<!-- 1 -->\n<doc>x &#x3E; <![CDATA[<y>]]></doc>\n<!--2-->\n\n<?z?>\n";
        check(beside, Form::Inclusive, "<?a b c?>\n<!-- 1 -->\n<doc>x &gt; &lt;y&gt;</doc>\n<!--2-->\n<?z?>");
        let tags = "<doc><e1   /><e2 ></e2><e3 name='b'  id=\"a\tc\" x='\"&gt;&#10;&#13;'/>\r\n</doc>";
        let expected = "<doc><e1></e1><e2></e2><e3 id=\"a c\" name=\"b\" x=\"&quot;>&#xA;&#xD;\"></e3>\n</doc>";
        check(tags, Form::Inclusive, expected);
        let spaces = "<e xmlns:b='urn:b' xmlns='urn:d' xmlns:a='urn:a' b:y='1' a:z='2' c='3'><f xmlns=''><g xmlns:b='urn:b' b:k=''/></f></e>";
        let expected = "<e xmlns=\"urn:d\" xmlns:a=\"urn:a\" xmlns:b=\"urn:b\" c=\"3\" a:z=\"2\" b:y=\"1\"><f xmlns=\"\"><g b:k=\"\"></g></f></e>";
        check(spaces, Form::Inclusive, expected);
        let expected = "<e xmlns=\"urn:d\" xmlns:a=\"urn:a\" xmlns:b=\"urn:b\" c=\"3\" a:z=\"2\" b:y=\"1\"><f xmlns=\"\"><g b:k=\"\"></g></f></e>";
        check(spaces, Form::Exclusive, expected);
    }

    #[test]
    fn an_element_alone_has_what_it_needs_of_those_around_it() {
        let text = "<a:x xmlns:a='urn:a' xmlns:u='urn:u'><a:y><b:z xmlns:b='urn:b' a:k='1'/><a:w/></a:y></a:x>";
        let document = xml::parse(text).expect("well-formed");
        let y = document.root_element().first_element_child().expect("y");
        let w = y.last_element_child();
        let taken = canonical(y, Form::Exclusive, w);
        assert_eq!(taken, "<a:y xmlns:a=\"urn:a\"><b:z xmlns:b=\"urn:b\" a:k=\"1\"></b:z></a:y>");
        let taken = canonical(y, Form::Inclusive, w);
        assert_eq!(taken, "<a:y xmlns:a=\"urn:a\" xmlns:u=\"urn:u\"><b:z xmlns:b=\"urn:b\" a:k=\"1\"></b:z></a:y>");
    }
}
