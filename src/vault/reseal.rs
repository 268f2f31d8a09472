//! Values that another board sealed, or an older program: read as they are, and sealed anew as this machine does it once they
//! have been touched (DESIGN.md §5). What nobody touches stays as it was, and opens as it always did.
//!
//! What is opened is noted by its place alone. In a quiet moment some of it is read, sealed and written back in one
//! transaction: a few small values of one key, or one document. A patient's go by the two halves of their key like any other
//! write, so that what was shredded meanwhile stays so, and nothing is done once the card is out.

use crate::secret::content::Content;
use crate::vault::Error;
use crate::vault::Vault;
use crate::vault::compartment::Compartment;
use crate::vault::compartment::Compartments;
use crate::vault::compartment::Of;
use crate::vault::compartment::binding;
use crate::vault::compartment::file_name;
use crate::vault::compartment::remove_files;
use crate::vault::files;
use crate::vault::journal::Journal;
use crate::vault::journal::begin;
use crate::vault::keys::Pseudonym;
use crate::vault::keys::fill_random;
use crate::vault::seal::Place;
use crate::vault::seal::Sealer;
use rusqlite::OptionalExtension;
use rusqlite::Transaction;
use rusqlite::params;
use rusqlite::params_from_iter;
use rusqlite::types::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

/// Where what was touched is noted: one store's, and one patient's of it or nobody's.
#[derive(Clone, Default)]
pub(super) struct Touched {
    noted: Option<Arc<Mutex<BTreeSet<Old>>>>,
    patient: Option<Pseudonym>,
}

/// The place of a value that is not sealed as it would be today.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Old {
    /// As the journal names them, where it takes their key.
    patient: Option<Pseudonym>,
    table: &'static str,
    column: &'static str,
    row: Vec<u8>,
}

/// Small values in one go.
const STEP: usize = 16;
/// More than a visit touches in one quiet moment; what finds no room is noted when it is touched again.
const NOTED_MAX: usize = 4_096;

impl Touched {
    /// For what is not kept, or is sealed anew by whoever opens it.
    pub fn nowhere() -> Touched {
        Touched::default()
    }

    /// For one store.
    pub fn of_a_store() -> Touched {
        Touched { noted: Some(Arc::default()), patient: None }
    }

    /// The same store's, for what is under that patient's key.
    pub fn of(&self, patient: Pseudonym) -> Touched {
        Touched { patient: Some(patient), ..self.clone() }
    }

    pub fn note(&self, place: Place<'_>) {
        if let Some(mut noted) = self.noted().filter(|noted| noted.len() < NOTED_MAX) {
            let Place { table, column, row } = place;
            noted.insert(Old { patient: self.patient, table, column, row: row.to_vec() });
        }
    }

    /// Some of one key: small values, or else one document.
    fn some(&self) -> Vec<Old> {
        let Some(noted) = self.noted() else { return Vec::new() };
        let Some(first) = noted.first() else { return Vec::new() };
        let same = || noted.iter().take_while(|old| old.patient == first.patient);
        let small: Vec<Old> = same().filter(|old| !old.is_document()).take(STEP).cloned().collect();
        if small.is_empty() { vec![first.clone()] } else { small }
    }

    /// Done, or not to be done: what fails is noted when it is touched again.
    fn is_done(&self, some: &[Old]) {
        if let Some(mut noted) = self.noted() {
            noted.retain(|old| !some.contains(old));
        }
    }

    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.some().is_empty()
    }

    fn noted(&self) -> Option<MutexGuard<'_, BTreeSet<Old>>> {
        self.noted.as_ref().map(|noted| noted.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Old {
    fn is_document(&self) -> bool {
        (self.table, self.column) == ("document", "content")
    }

    fn place(&self) -> Place<'_> {
        Place { table: self.table, column: self.column, row: &self.row }
    }
}

impl Vault {
    /// Seals anew some of what was touched; `true` when there may be more. For when nobody asks for anything.
    pub async fn reseal_some(&self) -> Result<bool, Error> {
        if self.inner.journal.ask(|journal| journal.reseal_some()).await? {
            return Ok(true);
        }
        let next = self.inner.compartments.ask(|there| {
            let Some(open) = there.open.as_mut() else { return Ok(Vec::new()) };
            open.forget_at_last()?;
            Ok(open.touched.some())
        });
        let some = next.await?;
        let Some(first) = some.first() else { return Ok(false) };
        let secret = match first.patient {
            Some(patient) => Some(self.inner.journal.ask(move |journal| journal.secret_of(patient)).await?),
            None => None,
        };
        let reseal = move |there: &mut Compartments| {
            let Some(secret) = secret else { return there.open()?.reseal_desk(&some).map(|()| true) };
            let compartment = there.of_visit(secret.visit)?;
            match compartment.of(secret) {
                Some(of) => compartment.reseal(&of, &some)?,
                None => compartment.touched.is_done(&some),
            }
            Ok(true)
        };
        self.inner.compartments.ask(reseal).await
    }
}

impl Journal {
    fn reseal_some(&mut self) -> Result<bool, Error> {
        let some = self.keys.touched.some();
        if some.is_empty() {
            return Ok(false);
        }
        let done = (|| {
            let change = begin(&mut self.database)?;
            some.iter().try_for_each(|old| anew(&change, &self.keys.sealer, old))?;
            change.commit().map_err(resealing())
        })();
        self.keys.touched.is_done(&some);
        done.map(|()| true)
    }
}

impl Compartment {
    fn reseal_desk(&mut self, some: &[Old]) -> Result<(), Error> {
        let done = (|| {
            let change = begin(&mut self.database)?;
            some.iter().try_for_each(|old| anew(&change, &self.desk, old))?;
            change.commit().map_err(resealing())
        })();
        self.touched.is_done(some);
        done
    }

    fn reseal(&mut self, of: &Of, some: &[Old]) -> Result<(), Error> {
        let done = some.iter().filter(|old| old.is_document()).try_for_each(|old| self.reseal_file(of, old));
        let done = done.and_then(|()| {
            let change = begin(&mut self.database)?;
            // The schema takes the whole list away with any document that changes: this one says what it said.
            let list = list_of(&change, &of.patient)?;
            for old in some {
                anew(&change, &of.sealer, old)?;
                if let Some(list) = list.as_ref().filter(|_| old.column == "metadata") {
                    let sql = "INSERT OR IGNORE INTO list (patient, body) VALUES (?1, ?2)";
                    change.execute(sql, params![of.patient, list]).map_err(resealing())?;
                }
            }
            change.commit().map_err(resealing())
        });
        self.touched.is_done(some);
        done
    }

    /// A document that stands in a file gets another, which takes its place when it is whole and on the disk.
    fn reseal_file(&mut self, of: &Of, old: &Old) -> Result<(), Error> {
        let sql = "SELECT file, size FROM document WHERE patient = ?1 AND unique_id = ?2 AND file IS NOT NULL";
        let (patient, id) = old.row.split_at(old.row.len().min(16));
        let found = self.database.query_row(sql, params![patient, id], |row| Ok((row.get(0)?, row.get(1)?))).optional();
        let found: Option<(String, i64)> = found.map_err(Error::reading("a document"))?;
        let Some((file, size)) = found else { return Ok(()) };
        let size = usize::try_from(size).map_err(|_| Error::Shape { what: "a document's size" })?;
        let binding = binding(of, &old.row);
        let content = files::open(&self.folder, file_name(&file)?, &binding, size)?;
        let mut name = [0; 16];
        fill_random(&mut name);
        let name = hex::encode(name);
        files::seal(&self.folder, &name, &binding, &Content::Whole(Arc::new(content)))?;
        let sql = "UPDATE document SET file = ?3 WHERE patient = ?1 AND unique_id = ?2 AND file = ?4";
        let taken = self.database.execute(sql, params![patient, id, name, file]).map_err(resealing());
        let left = if matches!(taken, Ok(1)) { &file } else { &name };
        remove_files(&self.folder, std::iter::once(left.as_str()));
        taken.map(drop)
    }
}

fn list_of(change: &Transaction<'_>, patient: &Pseudonym) -> Result<Option<Vec<u8>>, Error> {
    let found = change.query_row("SELECT body FROM list WHERE patient = ?1", [patient], |row| row.get(0));
    found.optional().map_err(Error::reading("a list"))
}

/// One value. What went meanwhile, is sealed anew already or does not open is left as it is.
fn anew(change: &Transaction<'_>, sealer: &Sealer, old: &Old) -> Result<(), Error> {
    let Old { table, column, .. } = old;
    let Some((condition, keys)) = row_of(old) else { return Ok(()) };
    let found = change.query_row(
        &format!("SELECT {column} FROM {table} WHERE {condition}"),
        params_from_iter(keys.iter()),
        |row| row.get::<_, Option<Vec<u8>>>(0),
    );
    let found = found.optional().map_err(Error::reading("a sealed value"))?.flatten();
    let Some(sealed) = found.filter(|sealed| sealer.is_old(sealed)) else { return Ok(()) };
    let Ok(plain) = sealer.open(old.place(), &sealed) else { return Ok(()) };
    let sealed = sealer.seal(old.place(), plain.show_bytes());
    let sql = format!("UPDATE {table} SET {column} = ?{} WHERE {condition}", keys.len() + 1);
    let values = keys.into_iter().chain([Value::Blob(sealed)]);
    change.execute(&sql, params_from_iter(values)).map(drop).map_err(resealing())
}

/// What finds the row again that a place names.
fn row_of(old: &Old) -> Option<(&'static str, Vec<Value>)> {
    let row = old.row.as_slice();
    let number = || Some(Value::Integer(i64::from_be_bytes(row.try_into().ok()?)));
    let both = |at: usize| row.split_at_checked(at).map(|(one, two)| vec![blob(one), blob(two)]);
    Some(match old.table {
        "store" => ("id = ?1", vec![Value::Integer(1)]),
        "trace" => ("idx = ?1", vec![number()?]),
        "checkpoint" => ("size = ?1", vec![number()?]),
        "outbox" | "consent" => ("id = ?1", vec![blob(row)]),
        "card" => ("serial = ?1", vec![blob(row)]),
        "slot" => ("holder = ?1 AND card = ?2", both(16)?),
        "shred" => ("compartment = ?1 AND patient = ?2", both(16)?),
        "record" | "list" => ("patient = ?1", vec![blob(row)]),
        "document" => ("patient = ?1 AND unique_id = ?2", both(16)?),
        "desk" => {
            let (kind, name) = row.split_at_checked(row.len().checked_sub(16)?)?;
            let kind = Value::Text(String::from_utf8(kind.to_vec()).ok()?);
            ("kind = ?1 AND patient = ?2", vec![kind, blob(name)])
        }
        _ => return None,
    })
}

fn blob(bytes: &[u8]) -> Value {
    Value::Blob(bytes.to_vec())
}

fn resealing() -> impl FnOnce(rusqlite::Error) -> Error {
    Error::writing("sealing anew")
}
