//! A record's list: sealed with each document, and whole beside them, so that it is read under one seal.
//!
//! The whole is made in the transaction that keeps the list, and the schema takes it away with any document that changes
//! otherwise: it can be missing, and is never older than the documents.

use crate::record::document::Document;
use crate::record::document::UniqueId;
use crate::time::UnixSeconds;
use crate::vault::Error;
use crate::vault::compartment::Compartment;
use crate::vault::compartment::Of;
use crate::vault::compartment::begin;
use crate::vault::compartment::documents_of;
use crate::vault::compartment::metadata_place;
use crate::vault::compartment::ready;
use crate::vault::compartment::remove_files;
use crate::vault::keys::Pseudonym;
use crate::vault::seal::Place;
use crate::vault::shapes;
use rusqlite::OptionalExtension;
use rusqlite::params;
use std::collections::HashSet;

impl Compartment {
    /// The whole list at once. What is no longer in it goes, content and file too: it may have been masked.
    pub fn remember_list(&mut self, of: &Of, documents: &[Document], at: UnixSeconds) -> Result<(), Error> {
        self.replace_list(of, documents, &HashSet::new(), at)
    }

    /// The same; the content of what is `stale` goes too.
    pub(in crate::vault) fn replace_list(
        &mut self,
        of: &Of,
        documents: &[Document],
        stale: &HashSet<UniqueId>,
        at: UnixSeconds,
    ) -> Result<(), Error> {
        let rows: Vec<(Pseudonym, Vec<u8>)> = documents
            .iter()
            .map(|document| {
                let id = self.own_document(of, &document.unique_id);
                let row = [of.patient, id].concat();
                (id, of.sealer.seal(metadata_place(&row), shapes::write(document).show_bytes()))
            })
            .collect();
        let whole = of.sealer.seal(list_place(&of.patient), shapes::write_list(documents).show_bytes());
        let stale: HashSet<Pseudonym> = stale.iter().map(|id| self.own_document(of, id)).collect();
        let kept: HashSet<Pseudonym> = rows.iter().map(|(id, _)| *id).filter(|id| !stale.contains(id)).collect();
        let writing = || Error::writing("a list");
        let (change, folder) = (begin(&mut self.database)?, &self.folder);
        let known = documents_of(&change, &of.patient)?;
        let before: HashSet<&Pseudonym> = known.iter().map(|(id, _)| id).collect();
        let is_new = rows.iter().any(|(id, _)| !before.contains(id));
        let gone: Vec<&(Pseudonym, Option<String>)> = known.iter().filter(|(id, _)| !kept.contains(id)).collect();
        for (id, _) in &gone {
            let sql = "DELETE FROM document WHERE patient = ?1 AND unique_id = ?2";
            change.execute(sql, params![of.patient, id]).map_err(writing())?;
        }
        if is_new || !gone.is_empty() {
            ready::forget(&change, &of.patient)?;
        }
        let sql = "INSERT INTO document (patient, unique_id, position, metadata, as_of) VALUES (?1, ?2, ?3, ?4, ?5)
                   ON CONFLICT (patient, unique_id) DO UPDATE SET position = ?3, metadata = ?4, as_of = ?5";
        let mut put = change.prepare(sql).map_err(writing())?;
        for (position, (id, metadata)) in rows.iter().enumerate() {
            put.execute(params![of.patient, id, position as i64, metadata, at.0]).map_err(writing())?;
        }
        drop(put);
        let sql = "INSERT INTO record (patient, list_as_of) VALUES (?1, ?2)
                   ON CONFLICT (patient) DO UPDATE SET list_as_of = ?2";
        change.execute(sql, params![of.patient, at.0]).map_err(writing())?;
        // Last: each document that was put has taken it away.
        let sql = "INSERT INTO list (patient, body) VALUES (?1, ?2) ON CONFLICT (patient) DO UPDATE SET body = ?2";
        change.execute(sql, params![of.patient, whole]).map_err(writing())?;
        change.commit().map_err(writing())?;
        remove_files(folder, gone.iter().filter_map(|(_, file)| file.as_deref()));
        self.indexes.forget(&of.patient);
        if gone.is_empty() { Ok(()) } else { self.forget() }
    }

    pub fn list(&self, of: &Of) -> Result<Option<(Vec<Document>, UnixSeconds)>, Error> {
        let reading = || Error::reading("a list");
        let sql = "SELECT list_as_of, body FROM record LEFT JOIN list ON list.patient = record.patient
                   WHERE record.patient = ?1 AND list_as_of IS NOT NULL";
        let found = self.database.query_row(sql, [of.patient], |row| Ok((row.get(0)?, row.get(1)?))).optional();
        let found: Option<(i64, Option<Vec<u8>>)> = found.map_err(reading())?;
        let Some((as_of, whole)) = found else { return Ok(None) };
        let whole = whole.map(|sealed| of.sealer.open(list_place(&of.patient), &sealed)).transpose()?;
        let whole = whole.map_or(Ok(None), |bytes| shapes::read_list(bytes.show_bytes()))?;
        let documents = whole.map_or_else(|| self.list_by_documents(of), Ok)?;
        Ok(Some((documents, UnixSeconds(as_of))))
    }

    /// From what stands with each document: the version before kept no more, and writes no more.
    fn list_by_documents(&self, of: &Of) -> Result<Vec<Document>, Error> {
        let reading = || Error::reading("a list");
        let sql = "SELECT unique_id, metadata FROM document
                   WHERE patient = ?1 AND metadata IS NOT NULL ORDER BY position";
        let mut asked = self.database.prepare(sql).map_err(reading())?;
        let found = asked.query_map([of.patient], |row| Ok((row.get(0)?, row.get(1)?)));
        let found: Vec<(Pseudonym, Vec<u8>)> = found.and_then(Iterator::collect).map_err(reading())?;
        let open = |(id, sealed): &(Pseudonym, Vec<u8>)| {
            let row = [of.patient, *id].concat();
            shapes::read(&of.sealer.open(metadata_place(&row), sealed)?)
        };
        found.iter().map(open).collect()
    }
}

fn list_place(patient: &[u8]) -> Place<'_> {
    Place { table: "list", column: "body", row: patient }
}
