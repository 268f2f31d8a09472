//! ebRIM 3.0 objects as they came: every attribute, slot and child is kept, known or not, so that what is sent back (TD3.3) is what
//! was there. Pure.

use crate::exchange::dmp::names;
use crate::exchange::dmp::xml;
use roxmltree::Node;
use std::fmt::Write;

/// An element without mixed content: text, or children.
#[derive(Clone, PartialEq, Eq)]
pub struct Element {
    pub namespace: String,
    pub name: String,
    /// Namespace (empty for most), local name, value.
    pub attributes: Vec<(String, String, String)>,
    pub children: Vec<Element>,
    pub text: String,
}

const XML: &str = "http://www.w3.org/XML/1998/namespace";

impl Element {
    pub fn new(name: &str) -> Element {
        Element {
            namespace: names::RIM.to_owned(),
            name: name.to_owned(),
            attributes: Vec::new(),
            children: Vec::new(),
            text: String::new(),
        }
    }

    /// As deep as the parser lets a document be.
    pub fn read(node: Node<'_, '_>) -> Element {
        let children: Vec<Element> = node.children().filter(Node::is_element).map(Element::read).collect();
        let text = node.children().filter(Node::is_text).filter_map(|node| node.text());
        let attribute = |one: roxmltree::Attribute<'_, '_>| {
            (one.namespace().unwrap_or_default().to_owned(), one.name().to_owned(), one.value().to_owned())
        };
        Element {
            namespace: node.tag_name().namespace().unwrap_or_default().to_owned(),
            name: node.tag_name().name().to_owned(),
            attributes: node.attributes().map(attribute).collect(),
            text: if children.is_empty() { text.collect() } else { String::new() },
            children,
        }
    }

    pub fn write(&self) -> String {
        let mut out = String::new();
        self.write_in(&mut out, "");
        out
    }

    fn write_in(&self, out: &mut String, around: &str) {
        // Writing to a String never fails.
        let _ = write!(out, "<{}", self.name);
        if self.namespace != around {
            let _ = write!(out, " xmlns=\"{}\"", xml::escape(&self.namespace));
        }
        for (number, (namespace, name, value)) in self.attributes.iter().enumerate() {
            let value = xml::escape(value);
            let _ = match namespace.as_str() {
                "" => write!(out, " {name}=\"{value}\""),
                XML => write!(out, " xml:{name}=\"{value}\""),
                other => write!(out, " xmlns:a{number}=\"{}\" a{number}:{name}=\"{value}\"", xml::escape(other)),
            };
        }
        if self.children.is_empty() && self.text.is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        out.push_str(&xml::escape(&self.text));
        self.children.iter().for_each(|child| child.write_in(out, &self.namespace));
        let _ = write!(out, "</{}>", self.name);
    }

    pub fn with(mut self, attribute: &str, value: &str) -> Element {
        self.set(attribute, value);
        self
    }

    pub fn with_child(mut self, child: Element) -> Element {
        self.children.push(child);
        self
    }

    pub fn set(&mut self, attribute: &str, value: &str) {
        match self.attributes.iter_mut().find(|(namespace, name, _)| namespace.is_empty() && name == attribute) {
            Some((_, _, known)) => *known = value.to_owned(),
            None => self.attributes.push((String::new(), attribute.to_owned(), value.to_owned())),
        }
    }

    pub fn attribute(&self, wanted: &str) -> Option<&str> {
        let mut plain = self.attributes.iter().filter(|(namespace, name, _)| namespace.is_empty() && name == wanted);
        plain.next().map(|(_, _, value)| value.as_str())
    }

    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// All values of the slots of that name, in the order in which they stand.
    pub fn slot<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let slots = self.named("Slot").filter(move |slot| slot.attribute("name") == Some(name));
        slots
            .flat_map(|slot| slot.named("ValueList"))
            .flat_map(|list| list.named("Value"))
            .map(|value| value.text.trim())
    }

    pub fn classified<'a>(&'a self, scheme: &'a str) -> impl Iterator<Item = &'a Element> {
        self.named("Classification").filter(move |one| one.attribute("classificationScheme") == Some(scheme))
    }

    pub fn external<'a>(&'a self, scheme: &'a str) -> Option<&'a str> {
        let mut all =
            self.named("ExternalIdentifier").filter(|one| one.attribute("identificationScheme") == Some(scheme));
        all.find_map(|one| one.attribute("value")).filter(|value| !value.is_empty())
    }

    /// The first of its `LocalizedString`s: `Name` or `Description`.
    pub fn localized<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.named(name).flat_map(|one| one.named("LocalizedString")).find_map(|one| one.attribute("value"))
    }

    /// `VersionInfo`, of the metadata.
    pub fn version(&self) -> &str {
        self.named("VersionInfo").find_map(|one| one.attribute("versionName")).unwrap_or("1")
    }
}

pub fn slot(name: &str, values: &[&str]) -> Element {
    let value = |text: &&str| Element { text: (*text).to_owned(), ..Element::new("Value") };
    let list = Element { children: values.iter().map(value).collect(), ..Element::new("ValueList") };
    Element::new("Slot").with("name", name).with_child(list)
}

/// `Name` or `Description`.
pub fn localized(name: &str, text: &str) -> Element {
    let mut string = Element::new("LocalizedString").with("charset", "UTF-8").with("value", text);
    string.attributes.push((XML.to_owned(), "lang".to_owned(), "fr-FR".to_owned()));
    Element::new(name).with_child(string)
}

/// A code of `object`. Ids are given by [`number_parts`].
pub fn code(scheme: &str, object: &str, code: &str, system: &str, label: &str) -> Element {
    classification(scheme, object, code)
        .with_child(slot("codingScheme", &[system]))
        .with_child(localized("Name", label))
}

pub fn classification(scheme: &str, object: &str, code: &str) -> Element {
    Element::new("Classification")
        .with("classificationScheme", scheme)
        .with("classifiedObject", object)
        .with("nodeRepresentation", code)
}

pub fn external(scheme: &str, object: &str, value: &str, name: &str) -> Element {
    Element::new("ExternalIdentifier")
        .with("identificationScheme", scheme)
        .with("registryObject", object)
        .with("value", value)
        .with_child(localized("Name", name))
}

/// Gives the parts of `object` symbolic ids that no other has: those that came with it are a registry's own.
pub fn number_parts(object: &mut Element, prefix: &str) {
    let parts = object.children.iter_mut().filter(|one| matches!(&*one.name, "Classification" | "ExternalIdentifier"));
    for (number, part) in parts.enumerate() {
        part.set("id", &format!("{prefix}-{number}"));
    }
}

impl std::fmt::Debug for Element {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Element({}, [REDACTED])", self.name)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub fn reread(element: &Element) -> Element {
        let text = element.write();
        Element::read(xml::parse(&text).expect("well-formed").root_element())
    }

    fn words() -> impl Strategy<Value = String> {
        "[^\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\u{fffe}\\u{ffff}]{0,12}"
    }

    /// Any element at all, of our namespace or of others.
    pub fn any_element() -> impl Strategy<Value = Element> {
        let namespace = || prop::sample::select(vec!["", names::RIM, "urn:other?a&b"]);
        let attribute = (namespace(), "[a-z]{1,4}", words());
        let plain = (namespace(), "[A-Z][a-z]{0,5}", prop::collection::vec(attribute, 0..3), words());
        let leaf = plain.prop_map(|(namespace, name, mut attributes, text)| {
            attributes.sort();
            attributes.dedup_by(|one, other| (one.0, &one.1) == (other.0, &other.1));
            let attributes =
                attributes.into_iter().map(|(space, name, value)| (space.to_owned(), name, value)).collect();
            Element { namespace: namespace.to_owned(), name, attributes, children: Vec::new(), text }
        });
        leaf.prop_recursive(4, 24, 4, |inner| {
            (inner.clone(), prop::collection::vec(inner, 1..4)).prop_map(|(element, children)| Element {
                children,
                text: String::new(),
                ..element
            })
        })
    }

    proptest! {
        #[test]
        fn whatever_was_read_is_written_back(element in any_element()) {
            prop_assert!(reread(&element) == element, "{}", element.write());
        }
    }

    #[test]
    fn slots_are_found_whatever_their_order_and_number() {
        let object = Element::new("ExtrinsicObject")
            .with_child(slot("b", &["1"]))
            .with_child(slot("a", &[" 2 ", "3"]))
            .with_child(slot("b", &["4"]));
        assert_eq!(object.slot("b").collect::<Vec<_>>(), ["1", "4"]);
        assert_eq!(object.slot("a").collect::<Vec<_>>(), ["2", "3"]);
        assert_eq!((object.slot("c").count(), object.version()), (0, "1"));
    }
}
