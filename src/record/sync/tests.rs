//! Each role of each identifier, then thousands of seeded lives of a record, each synchronised at any moment and compared with
//! the record as it is.

use super::*;
use crate::record::document::Attachment;
use crate::record::document::Author;
use crate::record::document::ClassCode;
use crate::record::document::TypeCode;

fn document(unique: &str, entry: &str, logical: &str) -> Document {
    Document {
        unique_id: UniqueId(unique.into()),
        entry_uuid: entry.into(),
        logical_id: Some(logical.into()),
        type_code: TypeCode("11490-0".into()),
        type_label: String::new(),
        class_code: ClassCode("10".into()),
        title: "t".into(),
        authors: vec![Author { id: None, name: "a".into(), structure: None }],
        labels: vec![Label::Normal],
        status: Status::Current,
        service_start: UnixSeconds(0),
        created: UnixSeconds(0),
        format_code: String::new(),
        attachment: Attachment { url: "Binary/1".into(), content_type: String::new(), size_bytes: None, sha1: None },
        by_patient: false,
    }
}

fn standing(documents: &[Document]) -> Vec<Standing> {
    let of = |document: &Document| Standing {
        entry_uuid: document.entry_uuid.clone(),
        unique_id: Some(document.unique_id.clone()),
        labels: document.labels.clone(),
    };
    documents.iter().map(of).collect()
}

fn ids(documents: &[Document]) -> Vec<&str> {
    documents.iter().map(|document| document.unique_id.0.as_str()).collect()
}

fn set(ids: &[&str]) -> HashSet<UniqueId> {
    ids.iter().map(|id| UniqueId((*id).into())).collect()
}

#[test]
fn a_new_version_of_the_metadata_is_the_same_document() {
    let (known, other) = (document("u1", "e1", "l1"), document("u2", "e2", "l2"));
    let mut archived = document("u1", "e1-2", "l1");
    archived.status = Status::Archived;
    let stand = standing(&[archived.clone(), other.clone()]);
    let changes = Changes { documents: vec![archived], standing: stand, replaced: vec![] };
    let merged = merge(vec![known, other], changes);
    assert_eq!(ids(&merged.documents), ["u1", "u2"]);
    assert_eq!(merged.documents[0].entry_uuid, "e1-2");
    assert_eq!((merged.gone, merged.stale), (set(&[]), set(&["u1"])), "its status changed, its content goes");
}

#[test]
fn a_masking_is_known_by_the_logical_id() {
    let known = document("u1", "e1", "l1");
    let mut masked = document("u1-again", "e9", "l1");
    masked.labels = vec![Label::MaskedToProfessionals, Label::Normal];
    let changes = Changes { standing: standing(&[masked.clone()]), documents: vec![masked], replaced: vec![] };
    let merged = merge(vec![known], changes);
    assert_eq!((ids(&merged.documents), merged.gone), (vec!["u1-again"], set(&["u1"])));
}

#[test]
fn what_does_not_stand_any_more_is_gone_though_nobody_said_so() {
    // A server leaves out what this holder may not see, and says nothing else of it.
    let (known, masked) = (document("u1", "e1", "l1"), document("u2", "e2", "l2"));
    let changes = Changes { standing: standing(std::slice::from_ref(&known)), ..Changes::default() };
    let merged = merge(vec![known, masked], changes);
    assert_eq!((ids(&merged.documents), merged.gone), (vec!["u1"], set(&["u2"])));
}

#[test]
fn a_replaced_or_withdrawn_version_is_gone_and_the_chain_is_followed() {
    let known = document("u1", "e1", "l1");
    let (mut second, third) = (document("u2", "e2", "l2"), document("u3", "e3", "l3"));
    second.status = Status::Superseded;
    let changes = Changes {
        documents: vec![second, third.clone()],
        standing: standing(&[third, known.clone()]),
        replaced: vec!["e1".into(), "e2".into()],
    };
    let merged = merge(vec![known.clone()], changes);
    assert_eq!((ids(&merged.documents), merged.gone), (vec!["u3"], set(&["u1"])));
    let mut deleted = known.clone();
    deleted.status = Status::Deleted;
    let changes =
        Changes { standing: standing(std::slice::from_ref(&known)), documents: vec![deleted], replaced: vec![] };
    assert_eq!(merge(vec![known], changes).gone, set(&["u1"]), "the word that withdraws wins over the one that lists");
}

#[test]
fn the_same_document_from_two_places_is_listed_once() {
    let (one, mut again) = (document("u1", "e1", "l1"), document("u1", "e5", "l5"));
    again.labels = vec![Label::Restricted];
    let changes =
        Changes { standing: standing(&[one.clone(), again.clone()]), documents: vec![again], replaced: vec![] };
    let merged = merge(vec![one], changes);
    assert_eq!(ids(&merged.documents), ["u1"]);
    assert_eq!(merged.documents[0].labels, [Label::Normal, Label::Restricted], "both labels hold");
}

#[test]
fn only_what_is_missing_is_asked_for() {
    let all = [document("u1", "e1", "l1"), document("u2", "e2", "l2"), document("u3", "e3", "l3")];
    assert_eq!(missing(&standing(&all), &["e1".into()], &all[1..2]), ["e3"]);
}

/// A record as it is upstream: each document with its versions, and what this holder may see of it.
struct Upstream {
    now: i64,
    documents: Vec<(Document, i64)>,
    entries: u32,
}

impl Upstream {
    fn live(&mut self, dice: &mut fastrand::Rng) {
        self.now += dice.i64(1..500);
        self.entries += 1;
        let entry = format!("e{}", self.entries);
        let fresh = document(&format!("u{}", self.entries), &entry, &format!("l{}", self.entries));
        if self.documents.is_empty() || dice.u8(0..4) == 0 {
            return self.documents.push((fresh, self.now));
        }
        let at = dice.usize(0..self.documents.len());
        let (document, changed) = &mut self.documents[at];
        (document.entry_uuid, *changed) = (entry, self.now);
        match dice.u8(0..6) {
            0 => document.labels = vec![Label::Normal, Label::MaskedToProfessionals],
            1 => document.labels = vec![Label::Normal],
            2 => document.status = Status::Archived,
            3 => document.status = Status::Deleted,
            4 => document.status = Status::Current,
            _ => {
                document.status = Status::Superseded;
                self.documents.push((fresh, self.now));
            }
        }
    }

    /// A masked document is left out altogether.
    fn shows(&self) -> Vec<Document> {
        let may = |document: &Document| !document.labels.contains(&Label::MaskedToProfessionals);
        self.documents.iter().map(|(document, _)| document).filter(|document| may(document)).cloned().collect()
    }

    fn stands(&self) -> Vec<Document> {
        self.shows().into_iter().filter(|document| is_listed(document.status)).collect()
    }

    fn answer(&self, kept: &[Document], last: i64) -> Changes {
        let since = last - OVERLAP_S;
        let changed: HashSet<String> = self
            .documents
            .iter()
            .filter(|(_, at)| *at >= since)
            .map(|(document, _)| document.entry_uuid.clone())
            .collect();
        let mut documents: Vec<Document> =
            self.shows().into_iter().filter(|document| changed.contains(&document.entry_uuid)).collect();
        let standing = standing(&self.stands());
        let known: Vec<String> = kept.iter().map(|document| document.entry_uuid.clone()).collect();
        let lacking = missing(&standing, &known, &documents);
        documents.extend(self.stands().into_iter().filter(|document| lacking.contains(&document.entry_uuid)));
        Changes { documents, standing, replaced: vec![] }
    }
}

#[test]
fn whatever_happened_meanwhile_the_kept_list_is_the_records_own() {
    let (mut gone, mut stale, mut failed) = (0, 0, 0);
    for seed in 1..=600 {
        let mut dice = fastrand::Rng::with_seed(seed);
        let mut upstream = Upstream { now: 1_000_000, documents: vec![], entries: 0 };
        let (mut kept, mut last): (Vec<Document>, i64) = (vec![], 0);
        for _ in 0..40 {
            for _ in 0..dice.u8(0..6) {
                upstream.live(&mut dice);
            }
            // A synchronisation that fails leaves list and date as they were.
            if dice.u8(0..4) == 0 {
                failed += 1;
                continue;
            }
            let begun = upstream.now;
            let merged = merge(kept.clone(), upstream.answer(&kept, last));
            (gone, stale) = (gone + merged.gone.len(), stale + merged.stale.len());
            let sorted = |documents: &[Document]| {
                let mut all: Vec<(String, Status, Vec<Label>)> =
                    documents.iter().map(|d| (d.unique_id.0.clone(), d.status, d.labels.clone())).collect();
                all.sort_by(|one, other| one.0.cmp(&other.0));
                all
            };
            assert_eq!(sorted(&merged.documents), sorted(&upstream.stands()), "seed {seed}");
            assert!(merged.gone.iter().all(|id| ids(&kept).contains(&&*id.0)), "seed {seed}");
            (kept, last) = (merged.documents, begun);
        }
    }
    assert!(gone > 500 && stale > 500 && failed > 500, "{gone} gone, {stale} stale, {failed} failed");
}
