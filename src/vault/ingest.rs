//! The words of a document, read for the search once it is here, whether anybody opens it or not (DESIGN.md §5).
//!
//! A document comes out for the sealed worker alone, as [`Unseen`], and its words come back as [`UnseenWords`]: whoever carries
//! them between the two cannot look into either, for no row accounts for it (P1). Only what is in a list and has a living
//! shred secret is read; what was taken back meanwhile is not kept.

use crate::patient::ins::Ins;
use crate::record::document::Document;
use crate::record::document::UniqueId;
use crate::secret::SecretBytes;
use crate::secret::Unseen;
use crate::secret::UnseenWords;
use crate::vault::Error;
use crate::vault::Vault;
use crate::vault::compartment::Compartment;
use crate::vault::compartment::Compartments;
use crate::vault::compartment::Of;
use crate::vault::compartment::metadata_place;
use crate::vault::compartment::text_place;
use crate::vault::keys::Pseudonym;
use crate::vault::shapes;
use rusqlite::OptionalExtension;
use rusqlite::params;

/// A document on its way to the sealed worker.
pub struct ToRead {
    pub unseen: Unseen,
    visit: u64,
    /// As the journal names the patient.
    patient: Pseudonym,
    document: UniqueId,
}

impl Vault {
    /// Keeps what the sealed worker read in a document that is shown under its row: it need not be read again. Its lease is not
    /// renewed by it.
    pub async fn keep_text(&self, patient: &Ins, document: &UniqueId, text: SecretBytes) -> Result<(), Error> {
        let document = document.clone();
        let keep = move |there: &mut Compartment, of: Option<Of>| match of {
            Some(of) => there.put_words(&of, &document, text.show_bytes()),
            None => Ok(()),
        };
        self.read(patient, keep).await
    }

    /// The next document that nobody has read, of a patient whose content may be read; `None`: all are.
    pub async fn next_to_read(&self) -> Result<Option<ToRead>, Error> {
        let living = self.inner.journal.ask(|journal| journal.living()).await?;
        let next = self.inner.compartments.ask(move |there| there.open()?.next_unread(&living)).await?;
        let Some(patient) = next else { return Ok(None) };
        let secret = self.inner.journal.ask(move |journal| journal.secret_of(patient)).await?;
        let take = move |there: &mut Compartments| {
            let visit = secret.visit;
            let compartment = there.of_visit(visit)?;
            let Some(of) = compartment.of(secret) else { return Ok(None) };
            let taken = compartment.take_unread(&of)?;
            Ok(taken.map(|(document, unseen)| ToRead { unseen, visit, patient, document }))
        };
        self.inner.compartments.ask(take).await
    }

    /// Keeps what was read; no words: there are none, and it is not read again. What was shredded, or stored anew, meanwhile keeps
    /// nothing.
    pub async fn keep_words(&self, read: ToRead, words: UnseenWords) -> Result<(), Error> {
        let ToRead { visit, patient, document, .. } = read;
        let secret = self.inner.journal.ask(move |journal| journal.secret_of(patient)).await?;
        let keep = move |there: &mut Compartments| {
            let compartment = there.of_visit(visit)?;
            match compartment.of(secret) {
                Some(of) => compartment.keep_words(&of, &document, &words.for_storage()),
                None => Ok(()),
            }
        };
        self.inner.compartments.ask(keep).await
    }
}

impl Compartment {
    /// A patient among these who has a document that was not read.
    fn next_unread(&self, living: &[Pseudonym]) -> Result<Option<Pseudonym>, Error> {
        let reading = || Error::reading("what was not read");
        let sql = "SELECT EXISTS (SELECT 1 FROM document
                   WHERE patient = ?1 AND text IS NULL AND size IS NOT NULL AND metadata IS NOT NULL)";
        let mut asked = self.database.prepare_cached(sql).map_err(reading())?;
        for patient in living {
            if asked.query_row([self.own_name(patient)], |row| row.get(0)).map_err(reading())? {
                return Ok(Some(*patient));
            }
        }
        Ok(None)
    }

    /// One that cannot be opened is as one without words: it stands in nobody's way.
    fn take_unread(&mut self, of: &Of) -> Result<Option<(UniqueId, Unseen)>, Error> {
        let sql = "SELECT unique_id, metadata FROM document
                   WHERE patient = ?1 AND text IS NULL AND size IS NOT NULL AND metadata IS NOT NULL LIMIT 1";
        let found = self.database.query_row(sql, [of.patient], |row| Ok((row.get(0)?, row.get(1)?))).optional();
        let found: Option<(Pseudonym, Vec<u8>)> = found.map_err(Error::reading("what was not read"))?;
        let Some((id, sealed)) = found else { return Ok(None) };
        self.being_read = Some(id);
        let row = [of.patient, id].concat();
        let opened = of.sealer.open(metadata_place(&row), &sealed).and_then(|bytes| shapes::read::<Document>(&bytes));
        let opened = opened.and_then(|document| Ok((self.content(of, &document.unique_id)?, document)));
        match opened {
            Ok((content, document)) => {
                let Document { unique_id, attachment, format_code, .. } = document;
                Ok(Some((unique_id, Unseen::new(content, attachment.content_type, format_code))))
            }
            Err(error) => {
                tracing::warn!(%error, "a document cannot be read for the search");
                self.seal_words(of, &id, &[]).map(|_| None)
            }
        }
    }

    fn keep_words(&mut self, of: &Of, document: &UniqueId, words: &SecretBytes) -> Result<(), Error> {
        let id = self.own_document(of, document);
        // Stored anew since: these are the words of what was there before.
        if self.being_read.take() != Some(id) {
            return Ok(());
        }
        self.put_words(of, document, words.show_bytes())
    }

    fn put_words(&mut self, of: &Of, document: &UniqueId, words: &[u8]) -> Result<(), Error> {
        let id = self.own_document(of, document);
        if self.seal_words(of, &id, words)? {
            self.indexes.add(&of.patient, document, &String::from_utf8_lossy(words));
        }
        Ok(())
    }

    /// Of a document that is here, and once: what it says does not change.
    fn seal_words(&self, of: &Of, id: &Pseudonym, words: &[u8]) -> Result<bool, Error> {
        let sealed = of.sealer.seal(text_place(&[of.patient, *id].concat()), words);
        let sql = "UPDATE document SET text = ?3
                   WHERE patient = ?1 AND unique_id = ?2 AND text IS NULL AND size IS NOT NULL";
        let kept = self.database.execute(sql, params![of.patient, id, sealed]).map_err(Error::writing("a text"))?;
        Ok(kept > 0)
    }
}
