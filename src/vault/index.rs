//! The search index of the open compartment: in memory alone, gone with the card.
//!
//! It is built patient by patient in short steps while nobody asks for anything, so that a list is usable long before; a
//! search that comes earlier builds its own patient's first. What changes on the disk drops that patient's part, and so does
//! a shred secret that is gone. It holds what the upstream's list says and what the sealed worker read of documents that are
//! here (`ingest`); which hits may be seen now is for the visit to say.

use crate::journal::Committed;
use crate::patient::ins::Ins;
use crate::record::document::Document;
use crate::record::document::UniqueId;
use crate::record::search::Hit;
use crate::record::search::Index;
use crate::record::search::TITLE_WEIGHT;
use crate::vault::Error;
use crate::vault::Vault;
use crate::vault::compartment::Compartment;
use crate::vault::compartment::Compartments;
use crate::vault::compartment::Of;
use crate::vault::compartment::text_place;
use crate::vault::keys::Pseudonym;
use rusqlite::params;
use std::collections::HashMap;
use std::vec::IntoIter;

/// By the patient's name in this compartment.
#[derive(Default)]
pub(super) struct Indexes(HashMap<Pseudonym, Part>);

/// One patient's.
#[derive(Default)]
struct Part {
    index: Index,
    /// Named by their numbers in the index: the list, in its order.
    documents: Vec<UniqueId>,
    /// The same by their names in the compartment, while words are still taken.
    numbers: HashMap<Pseudonym, u32>,
    /// What the list says and was not taken yet; `None`: it was not read.
    listed: Option<IntoIter<Document>>,
    /// The last row whose words were taken.
    until_row: i64,
    is_whole: bool,
}

/// A document that was found, and how well.
#[derive(Clone, PartialEq, Eq)]
pub struct Found {
    pub document: UniqueId,
    pub score: u32,
}

/// Documents whose words are taken in one step: the thread is never away for long.
const STEP: usize = 200;

impl Vault {
    /// Documents of this patient that hold all these words, the best first, under the row that accounts for the search.
    pub async fn search(&self, patient: &Ins, question: &str, committed: &Committed) -> Result<Vec<Found>, Error> {
        if !committed.covers_search(patient) {
            return Err(Error::NotCovered);
        }
        loop {
            let (question, holder) = (question.to_owned(), committed.holder().clone());
            let look = move |there: &mut Compartment, of: Option<Of>| {
                if *there.holder() != holder {
                    return Err(Error::NotCovered);
                }
                let Some(of) = of else { return Ok(Some(Vec::new())) };
                if there.index_some(&of)? { Ok(None) } else { Ok(Some(there.find(&of, &question))) }
            };
            if let Some(found) = self.read(patient, look).await? {
                return Ok(found);
            }
        }
    }

    /// One short step of the index; `true` when there is more to do. For when nobody asks for anything.
    pub async fn index_some(&self) -> Result<bool, Error> {
        let living = self.inner.journal.ask(|journal| journal.living()).await?;
        let next = self.inner.compartments.ask(move |there| Ok(there.open()?.next_to_index(&living))).await?;
        let Some(patient) = next else { return Ok(false) };
        let secret = self.inner.journal.ask(move |journal| journal.secret_of(patient)).await?;
        let take = move |there: &mut Compartments| {
            let compartment = there.of_visit(secret.visit)?;
            match compartment.of(secret) {
                Some(of) => compartment.index_some(&of).map(drop),
                None => Ok(()),
            }
        };
        self.inner.compartments.ask(take).await?;
        Ok(true)
    }
}

impl Indexes {
    pub fn forget(&mut self, patient: &Pseudonym) {
        self.0.remove(patient);
    }

    pub fn keep_only(&mut self, patients: &[Pseudonym]) {
        self.0.retain(|patient, _| patients.contains(patient));
    }

    /// Words of a document in a whole index are found from now on. One that is not whole is begun anew: they come with it.
    pub fn add(&mut self, patient: &Pseudonym, document: &UniqueId, words: &str) {
        match self.0.get_mut(patient) {
            Some(part) if part.is_whole => {
                if let Some(number) = part.documents.iter().position(|known| known == document)
                    && let Ok(number) = u32::try_from(number)
                {
                    part.index.add(number, words, 1);
                }
            }
            _ => self.forget(patient),
        }
    }

    pub fn is_whole(&self, patient: &Pseudonym) -> bool {
        self.0.get(patient).is_some_and(|part| part.is_whole)
    }
}

impl Part {
    /// What the list says of some more documents.
    fn take_listed(&mut self) {
        for document in self.listed.iter_mut().flatten().take(STEP) {
            let number = u32::try_from(self.documents.len()).unwrap_or(u32::MAX);
            self.index.add(number, &document.title, TITLE_WEIGHT);
            self.index.add(number, &document.type_label, TITLE_WEIGHT);
            for author in &document.authors {
                self.index.add(number, &author.name, 1);
                self.index.add(number, author.structure.as_deref().unwrap_or(""), 1);
            }
            self.documents.push(document.unique_id);
        }
    }
}

impl Compartment {
    /// Drops the indexes of whoever is not among these, and names one whose index is not whole.
    pub fn next_to_index(&mut self, living: &[Pseudonym]) -> Option<Pseudonym> {
        let own: Vec<Pseudonym> = living.iter().map(|name| self.own_name(name)).collect();
        self.indexes.keep_only(&own);
        std::iter::zip(living, &own).find(|(_, own)| !self.indexes.is_whole(own)).map(|(device_name, _)| *device_name)
    }

    /// Takes some more documents of this patient; `true` when there are more.
    pub fn index_some(&mut self, of: &Of) -> Result<bool, Error> {
        let mut part = self.indexes.0.remove(&of.patient).unwrap_or_default();
        if !part.is_whole {
            part.is_whole = match &mut part.listed {
                None => self.begin_part(&mut part, of).map(|()| false)?,
                Some(listed) if listed.len() > 0 => {
                    part.take_listed();
                    false
                }
                Some(_) => self.take_words(&mut part, of)? < STEP,
            };
            if part.is_whole {
                part.index.finish();
                part.numbers = HashMap::new();
            }
        }
        let more = !part.is_whole;
        self.indexes.0.insert(of.patient, part);
        Ok(more)
    }

    /// What holds all these words, the best first. The index is whole.
    pub fn find(&mut self, of: &Of, question: &str) -> Vec<Found> {
        let Some(part) = self.indexes.0.get_mut(&of.patient) else { return Vec::new() };
        // Words may have come since.
        part.index.finish();
        let named = |hit: Hit| {
            let document = part.documents.get(hit.document as usize)?.clone();
            Some(Found { document, score: hit.score })
        };
        part.index.find(question).into_iter().filter_map(named).collect()
    }

    /// Which documents there are, and whose words belong to what.
    fn begin_part(&self, part: &mut Part, of: &Of) -> Result<(), Error> {
        let documents = self.list(of)?.map(|(documents, _)| documents).unwrap_or_default();
        let named = |document: &Document| self.own_document(of, &document.unique_id);
        part.numbers = documents.iter().map(named).zip(0..).collect();
        part.listed = Some(documents.into_iter());
        Ok(())
    }

    /// Of some more documents. How many there were.
    fn take_words(&self, part: &mut Part, of: &Of) -> Result<usize, Error> {
        let reading = || Error::reading("the words of documents");
        let sql = "SELECT id, unique_id, text FROM document
                   WHERE patient = ?1 AND metadata IS NOT NULL AND text IS NOT NULL AND id > ?2 ORDER BY id LIMIT ?3";
        let mut asked = self.database.prepare_cached(sql).map_err(reading())?;
        let mut rows = asked.query(params![of.patient, part.until_row, STEP as i64]).map_err(reading())?;
        let mut taken = 0;
        while let Some(row) = rows.next().map_err(reading())? {
            taken += 1;
            part.until_row = row.get(0).map_err(reading())?;
            let id: Pseudonym = row.get(1).map_err(reading())?;
            let Some(number) = part.numbers.get(&id) else { continue };
            let sealed = row.get_ref(2).and_then(|value| Ok(value.as_blob()?)).map_err(reading())?;
            let text = of.sealer.open(text_place(&[of.patient, id].concat()), sealed)?;
            let text = std::str::from_utf8(text.show_bytes());
            part.index.add(*number, text.map_err(|_| Error::Shape { what: "a text" })?, 1);
        }
        Ok(taken)
    }
}

impl std::fmt::Debug for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Found([REDACTED])")
    }
}
