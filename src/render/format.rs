//! What the bytes are, and which reader takes them: by the bytes first, by what the metadata says only in doubt.

use std::ops::Range;

use image::ImageFormat;

use crate::record::reading::Page;
use crate::record::reading::Reading;
use crate::render::Error;
use crate::render::Fault;
use crate::render::Limits;
use crate::render::cda;
use crate::render::pdf;
use crate::render::picture;
use crate::render::rtf;
use crate::render::text;
use crate::render::wire;

/// What the first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Xml,
    Pdf,
    Picture(ImageFormat),
    Rtf,
    Text,
    /// A named format that no reader takes.
    Known(&'static str),
    Unknown,
}

/// The same reading in this very process: for the child and for tests, never for the kiosk.
pub fn read_here(
    content: &[u8],
    content_type: &str,
    format_code: &str,
    pages: Range<u32>,
    limits: &Limits,
) -> Result<Reading, Error> {
    if content.len() as u64 > limits.content_bytes_max {
        return Err(Error::TooLarge { bytes: content.len() as u64 });
    }
    if content.is_empty() {
        return Err(Error::Unreadable { what: Fault::Empty });
    }
    let pages = pages.start..pages.end.min(pages.start.saturating_add(wire::PAGES_AT_ONCE_MAX));
    if kind(content, content_type) == Kind::Xml {
        return cda::read(content, &pages, limits);
    }
    let said = if content_type.is_empty() { format_code } else { content_type };
    wrapped(content.to_vec(), said, &pages, limits)
}

/// What is shown in place of a document that no reader takes: its format by name, and what to do.
pub fn named_only(found: &str) -> Reading {
    let found = wire::format_name(found);
    let notice = match found.as_str() {
        "application/dicom" => {
            "Ce document renvoie à des images médicales (DICOM, IMG-KOS). La borne ne les montre pas : \
            demandez-les au service d’imagerie, ou ouvrez-les sur un poste qui a une visionneuse."
                .to_owned()
        }
        "application/zip" => {
            "Ce document est une archive (ZIP). La borne ne l’ouvre pas : lisez-la sur un autre poste.".to_owned()
        }
        _ => format!(
            "Le contenu de ce document est d’un format que la borne ne connaît pas ({found}). Lisez-le sur un autre poste."
        ),
    };
    Reading { format: "unknown".to_owned(), notices: vec![notice], ..Reading::default() }
}

/// A document that is not XML, alone or inside a CDA.
pub fn wrapped(content: Vec<u8>, content_type: &str, pages: &Range<u32>, limits: &Limits) -> Result<Reading, Error> {
    match kind(&content, content_type) {
        Kind::Pdf => {
            let (page_count, pages) = pdf::draw(content, pages, limits.page_width_px)?;
            Ok(drawn("pdf", page_count, pages))
        }
        Kind::Picture(format) => {
            let (page_count, pages) = picture::draw(&content, format, pages, limits.page_width_px)?;
            Ok(drawn(picture_name(format), page_count, pages))
        }
        Kind::Rtf => {
            let (rows, left_out) = rtf::read(&content)?;
            let mut notices = vec!["La mise en forme de ce document a été simplifiée.".to_owned()];
            if left_out {
                notices.push("Ce document contient une image ou un objet que la borne ne montre pas.".to_owned());
            }
            Ok(Reading { format: "rtf".to_owned(), rows, notices, ..Reading::default() })
        }
        Kind::Text => {
            let rows = text::rows(&text::decode(&content));
            Ok(Reading { format: "text".to_owned(), rows, ..Reading::default() })
        }
        Kind::Known(name) => Err(Error::UnknownFormat { found: name.to_owned() }),
        Kind::Xml | Kind::Unknown => Err(Error::UnknownFormat { found: wire::format_name(content_type) }),
    }
}

fn drawn(format: &str, page_count: u32, pages: Vec<Page>) -> Reading {
    Reading { format: format.to_owned(), page_count, pages, ..Reading::default() }
}

fn picture_name(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Png => "png",
        ImageFormat::Jpeg => "jpeg",
        _ => "tiff",
    }
}

fn kind(content: &[u8], content_type: &str) -> Kind {
    // ISO 32000-1 annex H note 13: the mark stands somewhere in the first 1024 bytes.
    let head = &content[..content.len().min(1024)];
    let start = content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content);
    let first = start.iter().find(|byte| !byte.is_ascii_whitespace());
    let said = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    let said_text = said.starts_with("text/") && !said.contains("html") && !said.contains("xml");
    match content {
        [0x89, b'P', b'N', b'G', ..] => Kind::Picture(ImageFormat::Png),
        [0xFF, 0xD8, 0xFF, ..] => Kind::Picture(ImageFormat::Jpeg),
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Kind::Picture(ImageFormat::Tiff),
        [b'P', b'K', 3, 4, ..] => Kind::Known("application/zip"),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Kind::Xml,
        _ if content.starts_with(b"{\\rtf") => Kind::Rtf,
        _ if content.get(128..132) == Some(b"DICM") => Kind::Known("application/dicom"),
        _ if first == Some(&b'<') && !said_text => Kind::Xml,
        _ if first == Some(&b'<') && looks_like_xml(start) => Kind::Xml,
        _ if head.windows(5).any(|window| window == b"%PDF-") => Kind::Pdf,
        _ if said == "application/pdf" => Kind::Pdf,
        _ if said.is_empty() || said_text || said == "application/octet-stream" => text_or_unknown(content),
        _ => Kind::Unknown,
    }
}

/// A text may begin with `<`; an XML document that was filed as text still is one.
fn looks_like_xml(start: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&start[..start.len().min(512)]).into_owned();
    head.trim_start().starts_with("<?xml") || head.contains("ClinicalDocument")
}

fn text_or_unknown(content: &[u8]) -> Kind {
    if text::is_text(content) { Kind::Text } else { Kind::Unknown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_decide_and_the_label_only_in_doubt() {
        let table: [(&[u8], &str, Kind); 12] = [
            (b"%PDF-1.4", "text/plain", Kind::Pdf),
            (b"junk\n%PDF-1.4", "", Kind::Pdf),
            (b"no mark", "application/pdf", Kind::Pdf),
            (b"\x89PNG\r\n", "image/jpeg", Kind::Picture(ImageFormat::Png)),
            (b"  <?xml version='1.0'?>", "text/plain", Kind::Xml),
            (b"<ClinicalDocument>", "text/xml", Kind::Xml),
            (b"< 5 mg/L", "text/plain", Kind::Text),
            (b"{\\rtf1 a}", "text/plain", Kind::Rtf),
            (b"bonjour", "text/plain; charset=utf-8", Kind::Text),
            (b"bonjour", "application/x-other", Kind::Unknown),
            (b"a\x00b", "text/plain", Kind::Unknown),
            (b"PK\x03\x04", "", Kind::Known("application/zip")),
        ];
        for (content, said, expected) in table {
            assert_eq!(kind(content, said), expected, "{}", String::from_utf8_lossy(content));
        }
        let mut dicom = vec![0; 128];
        dicom.extend_from_slice(b"DICM");
        let read = read_here(&dicom, "", "", 0..1, &Limits::default());
        assert!(matches!(read, Err(Error::UnknownFormat { found }) if found == "application/dicom"));
    }
}
