//! A whole list in one value, as the compartment keeps it beside the documents it is made from: read in one pass, nothing but the
//! documents' own texts allocated.
//!
//! ```text
//! form (1) ‖ documents (4) ‖ each: its texts and numbers in the order of `put`
//! text: length (4) ‖ UTF-8 · what may be missing: 0, or 1 and the value · numbers: big-endian
//! ```
//!
//! It can always be made again: what is in another form is as if it were not there.

use crate::record::document::Attachment;
use crate::record::document::Author;
use crate::record::document::ClassCode;
use crate::record::document::Document;
use crate::record::document::Label;
use crate::record::document::Status;
use crate::record::document::TypeCode;
use crate::record::document::UniqueId;
use crate::secret::SecretBytes;
use crate::time::UnixSeconds;
use crate::vault::Error;

const FORM: u8 = 1;
const STATUSES: [Status; 5] = [Status::Current, Status::Archived, Status::Superseded, Status::Deleted, Status::Unknown];

pub(in crate::vault) fn write_list(documents: &[Document]) -> SecretBytes {
    // Measured first: what grows leaves copies behind.
    let mut length = Out::Measured(0);
    put_all(&mut length, documents);
    let mut out = Out::Written(SecretBytes::with_room(length.length()));
    put_all(&mut out, documents);
    match out {
        Out::Written(bytes) => bytes,
        Out::Measured(_) => unreachable!("it was made to write"),
    }
}

/// `None`: in a form that this program does not write.
pub(in crate::vault) fn read_list(bytes: &[u8]) -> Result<Option<Vec<Document>>, Error> {
    let Some((&FORM, rest)) = bytes.split_first() else { return Ok(None) };
    let mut rest = rest;
    let documents = take_all(&mut rest).filter(|_| rest.is_empty());
    documents.map(Some).ok_or(Error::Shape { what: "a list" })
}

enum Out {
    Measured(usize),
    Written(SecretBytes),
}

impl Out {
    fn length(&self) -> usize {
        match self {
            Out::Measured(length) => *length,
            Out::Written(bytes) => bytes.show_bytes().len(),
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        match self {
            Out::Measured(length) => *length += bytes.len(),
            Out::Written(written) => written.extend(bytes),
        }
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.put(text.as_bytes());
    }

    fn text_if_any(&mut self, text: Option<&str>) {
        self.put(&[text.is_some().into()]);
        text.into_iter().for_each(|text| self.text(text));
    }

    fn count(&mut self, count: usize) {
        self.put(&u32::try_from(count).expect("a list is far below 4 GB").to_be_bytes());
    }
}

fn put_all(out: &mut Out, documents: &[Document]) {
    out.put(&[FORM]);
    out.count(documents.len());
    documents.iter().for_each(|document| put(out, document));
}

fn put(out: &mut Out, document: &Document) {
    out.text(&document.unique_id.0);
    out.text(&document.entry_uuid);
    out.text_if_any(document.logical_id.as_deref());
    out.text(&document.type_code.0);
    out.text(&document.type_label);
    out.text(&document.class_code.0);
    out.text(&document.title);
    out.count(document.authors.len());
    for author in &document.authors {
        out.text_if_any(author.id.as_deref());
        out.text(&author.name);
        out.text_if_any(author.structure.as_deref());
    }
    out.count(document.labels.len());
    document.labels.iter().for_each(|label| out.text(label.code()));
    let status = STATUSES.iter().position(|known| *known == document.status);
    out.put(&[status.expect("all of them stand there") as u8]);
    out.put(&document.service_start.0.to_be_bytes());
    out.put(&document.created.0.to_be_bytes());
    out.text(&document.format_code);
    let Attachment { url, content_type, size_bytes, sha1 } = &document.attachment;
    out.text(url);
    out.text(content_type);
    out.put(&[size_bytes.is_some().into()]);
    size_bytes.iter().for_each(|size| out.put(&size.to_be_bytes()));
    out.put(&[sha1.is_some().into()]);
    sha1.iter().for_each(|sha1| out.put(sha1));
    out.put(&[document.by_patient.into()]);
}

fn take_all(rest: &mut &[u8]) -> Option<Vec<Document>> {
    let count = take_count(rest)?;
    // Each is longer than a byte: no number that is only said makes room.
    let mut documents = Vec::with_capacity(count.min(rest.len()));
    for _ in 0..count {
        documents.push(take(rest)?);
    }
    Some(documents)
}

fn take(rest: &mut &[u8]) -> Option<Document> {
    Some(Document {
        unique_id: UniqueId(take_text(rest)?),
        entry_uuid: take_text(rest)?,
        logical_id: take_if_any(rest, take_text)?,
        type_code: TypeCode(take_text(rest)?),
        type_label: take_text(rest)?,
        class_code: ClassCode(take_text(rest)?),
        title: take_text(rest)?,
        authors: take_some(rest, |rest| {
            Some(Author {
                id: take_if_any(rest, take_text)?,
                name: take_text(rest)?,
                structure: take_if_any(rest, take_text)?,
            })
        })?,
        labels: take_some(rest, |rest| take_str(rest).map(Label::from_code))?,
        status: take_bytes::<1>(rest).and_then(|[at]| STATUSES.get(usize::from(at)).copied())?,
        service_start: take_bytes(rest).map(i64::from_be_bytes).map(UnixSeconds)?,
        created: take_bytes(rest).map(i64::from_be_bytes).map(UnixSeconds)?,
        format_code: take_text(rest)?,
        attachment: Attachment {
            url: take_text(rest)?,
            content_type: take_text(rest)?,
            size_bytes: take_if_any(rest, |rest| take_bytes(rest).map(u64::from_be_bytes))?,
            sha1: take_if_any(rest, take_bytes)?,
        },
        by_patient: take_flag(rest)?,
    })
}

fn take_some<T>(rest: &mut &[u8], mut take: impl FnMut(&mut &[u8]) -> Option<T>) -> Option<Vec<T>> {
    let count = take_count(rest)?;
    (0..count).map(|_| take(rest)).collect()
}

fn take_if_any<T>(rest: &mut &[u8], take: impl FnOnce(&mut &[u8]) -> Option<T>) -> Option<Option<T>> {
    if take_flag(rest)? { take(rest).map(Some) } else { Some(None) }
}

fn take_flag(rest: &mut &[u8]) -> Option<bool> {
    match take_bytes(rest)? {
        [0] => Some(false),
        [1] => Some(true),
        _ => None,
    }
}

fn take_text(rest: &mut &[u8]) -> Option<String> {
    take_str(rest).map(str::to_owned)
}

fn take_str<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let length = take_count(rest)?;
    let (text, after) = rest.split_at_checked(length)?;
    *rest = after;
    std::str::from_utf8(text).ok()
}

fn take_count(rest: &mut &[u8]) -> Option<usize> {
    take_bytes(rest).map(|count| u32::from_be_bytes(count) as usize)
}

fn take_bytes<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(number: usize) -> Document {
        let is_odd = number % 2 == 1;
        let some = |text: &str| is_odd.then(|| format!("{text} {number}"));
        Document {
            unique_id: UniqueId(format!("1.2.{number}")),
            entry_uuid: format!("urn:uuid:{number}"),
            logical_id: some("logical"),
            type_code: TypeCode("11488-4".into()),
            type_label: "Lettre d’été".into(),
            class_code: ClassCode("10".into()),
            title: String::new(),
            authors: (0..number)
                .map(|_| Author { id: some("id"), name: "Dr É".into(), structure: some("at") })
                .collect(),
            labels: [Label::Normal, Label::Unknown("X".into())].into_iter().take(number).collect(),
            status: STATUSES[number % STATUSES.len()],
            service_start: UnixSeconds(-1),
            created: UnixSeconds(i64::MAX),
            format_code: "f".into(),
            attachment: Attachment {
                url: "Binary/1".into(),
                content_type: "text/xml".into(),
                size_bytes: is_odd.then_some(u64::MAX),
                sha1: is_odd.then_some([7; 20]),
            },
            by_patient: is_odd,
        }
    }

    #[test]
    fn every_list_comes_back_and_no_cut_or_longer_one_does() {
        for count in [0, 1, 6] {
            let documents: Vec<Document> = (0..count).map(document).collect();
            let written = write_list(&documents);
            let bytes = written.show_bytes();
            assert!(read_list(bytes).expect("read") == Some(documents));
            for length in 1..bytes.len() {
                assert!(read_list(&bytes[..length]).is_err(), "cut at {length}");
            }
            assert!(read_list(&[bytes, b"x"].concat()).is_err(), "with something behind it");
        }
    }

    #[test]
    fn another_form_is_as_none_and_a_count_that_is_only_said_makes_no_room() {
        assert!(read_list(&[2, 1]).expect("not ours").is_none() && read_list(&[]).expect("nothing").is_none());
        assert!(read_list(&[FORM, 0xff, 0xff, 0xff, 0xff]).is_err());
    }
}
