//! HL7 CDA R2: header, sections, media; level 3 (structured body), level 1 (a wrapped document), and the
//! "auto-présentable" form, a stylesheet with the document nested in it, which is read and never run.

use std::collections::HashMap;
use std::ops::Range;

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::GeneralPurpose;
use base64::engine::GeneralPurposeConfig;
use roxmltree::Node;

use crate::record::reading::Page;
use crate::record::reading::Reading;
use crate::record::reading::Row;
use crate::record::reading::RowKind;
use crate::record::reading::Run;
use crate::record::summary::Part;
use crate::record::summary::Topic;
use crate::render::Error;
use crate::render::Fault;
use crate::render::Limits;
use crate::render::format;
use crate::render::header;
use crate::render::narrative;
use crate::render::narrative::Media;
use crate::render::narrative::Narrative;
use crate::render::narrative::Read;
use crate::render::narrative::Remark;
use crate::render::xml;

/// XSLT's namespace (XSLT 1.0 §2.1).
const XSL: &str = "http://www.w3.org/1999/XSL/Transform";

/// A document in XML, whatever it turns out to be.
pub fn read(content: &[u8], pages: &Range<u32>, limits: &Limits) -> Result<Reading, Error> {
    let decoded = xml::decode(content)?;
    let tree = xml::parse(&decoded.text)?;
    let Some(document) = clinical_document(tree.root_element()) else {
        return Err(Error::UnknownFormat { found: "text/xml".to_owned() });
    };
    let mut reading = match xml::at(document, &["component", "nonXMLBody"]) {
        Some(body) => level_1(body, pages, limits)?,
        None => level_3(document, pages, limits)?,
    };
    reading.header = header::read(document);
    if !decoded.as_declared {
        reading.notices.push("Le texte n’était pas codé comme il le disait : vérifiez les accents.".to_owned());
    }
    Ok(reading)
}

/// The root, or the one nested in a stylesheet.
fn clinical_document<'a, 'i>(root: Node<'a, 'i>) -> Option<Node<'a, 'i>> {
    let is_document = |node: &Node<'a, 'i>| xml::is(*node, "ClinicalDocument");
    if is_document(&root) {
        return Some(root);
    }
    let stylesheet =
        root.tag_name().namespace() == Some(XSL) && matches!(root.tag_name().name(), "stylesheet" | "transform");
    if stylesheet { root.descendants().find(is_document) } else { None }
}

/// `nonXMLBody` (CDA R2 §4.3.1): the header is always worth showing, even where the rest is unknown.
fn level_1(body: Node<'_, '_>, pages: &Range<u32>, limits: &Limits) -> Result<Reading, Error> {
    let Some(text) = xml::child(body, "text") else { return Err(Error::Unreadable { what: Fault::NoBody }) };
    let media_type = text.attribute("mediaType").unwrap_or("text/plain");
    let content = encapsulated(text)?;
    if content.is_empty() {
        return Err(Error::Unreadable { what: Fault::NoBody });
    }
    if text.attribute("compression").is_some() {
        return Ok(unknown("compression"));
    }
    match format::wrapped(content, media_type, pages, limits) {
        Ok(mut reading) => {
            reading.format = format!("cda-level-1/{}", reading.format);
            Ok(reading)
        }
        Err(Error::UnknownFormat { found }) => Ok(unknown(&found)),
        Err(error) => Err(error),
    }
}

fn unknown(found: &str) -> Reading {
    Reading { format: "cda-level-1/unknown".to_owned(), ..format::named_only(found) }
}

/// The bytes of an encapsulated data element (HL7 v3 data type ED).
fn encapsulated(node: Node<'_, '_>) -> Result<Vec<u8>, Error> {
    let text: String = node.children().filter(Node::is_text).filter_map(|text| text.text()).collect();
    let media_type = node.attribute("mediaType").unwrap_or("");
    let binary = media_type.starts_with("image/") || media_type == "application/pdf";
    match node.attribute("representation") {
        Some("B64") => base64_bytes(&text),
        // Some writers forget to say it, and a picture cannot be anything else.
        None if binary => base64_bytes(&text),
        _ => Ok(text.into_bytes()),
    }
}

fn base64_bytes(text: &str) -> Result<Vec<u8>, Error> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let plain: String = text.chars().filter(|c| !xml::is_space(*c)).collect();
    let decoded = GeneralPurpose::new(&alphabet::STANDARD, config).decode(plain);
    decoded.map_err(|_| Error::Unreadable { what: Fault::Base64 })
}

fn level_3(document: Node<'_, '_>, pages: &Range<u32>, limits: &Limits) -> Result<Reading, Error> {
    let Some(body) = xml::at(document, &["component", "structuredBody"]) else {
        return Err(Error::Unreadable { what: Fault::NoBody });
    };
    let media: Vec<Node<'_, '_>> = body.descendants().filter(|node| xml::is(*node, "observationMedia")).collect();
    let narrative = Narrative::new(Media::new(identifiers(body, &media)));
    let mut body_reader = Body { narrative, silent: 0, parts: Vec::new() };
    for component in xml::children(body, "component") {
        for section in xml::children(component, "section") {
            body_reader.section(section, 0, None);
        }
    }
    let Body { narrative, silent, parts } = body_reader;
    let Read { mut rows, tables, media: mut named, remarks } = narrative.into_read();
    let asked_for = named.in_order().len();
    for medium in 0..media.len() {
        let number = named.number(medium);
        if number > asked_for {
            let label = vec![Run::plain(narrative::picture_label(number))];
            rows.push(Row { kind: RowKind::Picture, level: 0, text: label, cells: Vec::new() });
        }
    }
    let mut reading = Reading { format: "cda-level-3".to_owned(), rows, parts, tables, ..Reading::default() };
    for remark in remarks {
        reading.notices.push(sentence(remark).to_owned());
    }
    if silent > 0 {
        reading.notices.push(match silent {
            1 => "Une rubrique n’a pas de texte à montrer : elle n’a que des données codées.".to_owned(),
            _ => format!("{silent} rubriques n’ont pas de texte à montrer : elles n’ont que des données codées."),
        });
    }
    let in_order: Vec<Node<'_, '_>> = named.in_order().iter().map(|medium| media[*medium]).collect();
    draw_media(&mut reading, &in_order, pages, limits);
    if reading.rows.is_empty() && reading.page_count == 0 {
        return Err(Error::Unreadable { what: Fault::NoBody });
    }
    Ok(reading)
}

/// Which medium each identifier leads to: its own, or that of a region of interest around it (CDA R2 §4.3.6.8).
fn identifiers(body: Node<'_, '_>, media: &[Node<'_, '_>]) -> HashMap<String, usize> {
    let mut found = HashMap::new();
    for (number, medium) in media.iter().enumerate() {
        for around in medium.ancestors().take_while(|node| *node != body && !xml::is(*node, "section")) {
            if let Some(id) = around.attribute("ID") {
                found.entry(id.to_owned()).or_insert(number);
            }
        }
    }
    found
}

struct Body {
    narrative: Narrative,
    /// Sections without text.
    silent: usize,
    parts: Vec<Part>,
}

impl Body {
    /// `around`: what the sections around it are about, where this one does not say.
    fn section(&mut self, section: Node<'_, '_>, level: u8, around: Option<Topic>) {
        let code = xml::child(section, "code").and_then(|code| code.attribute("code"));
        let topic = code.and_then(Topic::of_section).or(around);
        let before = self.narrative.count();
        let title = xml::child(section, "title").map(xml::words).unwrap_or_default();
        if !title.is_empty() {
            self.narrative.heading(level, &title);
        }
        match xml::child(section, "text") {
            Some(text) => self.narrative.text(text),
            None if xml::child(section, "entry").is_some() => self.silent += 1,
            None => {}
        }
        if let Some(topic) = topic
            && self.narrative.count() > before
        {
            self.parts.push(Part { topic, rows: before..self.narrative.count() });
        }
        for component in xml::children(section, "component") {
            for inner in xml::children(component, "section") {
                self.section(inner, level.saturating_add(1), topic);
            }
        }
    }
}

fn sentence(remark: Remark) -> &'static str {
    match remark {
        Remark::Simplified => "La mise en forme de ce document a été simplifiée. Aucun texte n’a été retiré.",
        Remark::PictureMissing => "Une image citée par ce document n’y est pas jointe.",
    }
}

/// Pages of all media one after the other, in the order of their numbers; one that is damaged does not hide the others.
fn draw_media(reading: &mut Reading, media: &[Node<'_, '_>], pages: &Range<u32>, limits: &Limits) {
    for (at, medium) in media.iter().enumerate() {
        let label = narrative::picture_label(at + 1);
        let before = reading.page_count;
        let asked = pages.start.saturating_sub(before)..pages.end.saturating_sub(before);
        match draw_medium(*medium, &asked, limits) {
            Ok((count, mut drawn)) => {
                let place = match count {
                    1 => format!(" (page {})", before + 1),
                    _ => format!(" (pages {} à {})", before + 1, before + count),
                };
                tell_place(&mut reading.rows, &label, &place);
                reading.page_count += count;
                reading.pages.append(&mut drawn);
            }
            Err(_) => {
                let notice = format!("{label} : la borne n’a pas pu la lire.");
                reading.notices.push(notice);
            }
        }
    }
}

fn draw_medium(medium: Node<'_, '_>, pages: &Range<u32>, limits: &Limits) -> Result<(u32, Vec<Page>), Error> {
    let Some(value) = xml::child(medium, "value") else { return Err(Error::Unreadable { what: Fault::NoBody }) };
    let media_type = value.attribute("mediaType").unwrap_or("");
    let reading = format::wrapped(encapsulated(value)?, media_type, pages, limits)?;
    if reading.page_count == 0 {
        Err(Error::Unreadable { what: Fault::Picture })
    } else {
        Ok((reading.page_count, reading.pages))
    }
}

/// Puts the page's number into the rows that stand for this picture.
fn tell_place(rows: &mut [Row], label: &str, place: &str) {
    for row in rows.iter_mut().filter(|row| row.kind == RowKind::Picture) {
        if let [run] = row.text.as_mut_slice()
            && run.text == label
        {
            run.text.push_str(place);
        }
    }
}
