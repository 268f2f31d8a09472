//! What a failing disk changed, put right from what stands beside it. A name in clear, an index, a line of the outbox: each is
//! said twice in a journal, once under a seal.
//!
//! Whatever can be told from nothing else is left: it does not open, and whoever asks for it is told.

use crate::journal::consent::Consent;
use crate::journal::item::Item;
use crate::journal::item::Needs;
use crate::journal::leaf;
use crate::time::UnixSeconds;
use crate::time::lease;
use crate::vault::Error;
use crate::vault::compartment;
use crate::vault::compartment::Compartment;
use crate::vault::compartment::desk_place;
use crate::vault::compartment::desk_row;
use crate::vault::journal::Journal;
use crate::vault::journal::Keys;
use crate::vault::journal::begin;
use crate::vault::journal::body_place;
use crate::vault::journal::consent_place;
use crate::vault::journal::outbox_place;
use crate::vault::journal::row_id;
use crate::vault::keys::Pseudonym;
use crate::vault::outbox::Line;
use crate::vault::schema;
use crate::vault::shapes;
use rusqlite::Connection;
use rusqlite::ErrorCode;
use rusqlite::OptionalExtension;
use rusqlite::Transaction;
use rusqlite::params;
use std::path::Path;
use uuid::Uuid;

/// Puts right what the sealed values tell of, then makes the indexes anew. [`Error::Damaged`] when they disagree even then.
pub(super) fn mend(database: &mut Connection, keys: &Keys, folder: &Path) -> Result<(), Error> {
    let change = begin(database)?;
    change.execute_batch("REINDEX").map_err(mending())?;
    name_compartments(&change, folder)?;
    name_consents(&change, keys)?;
    name_rows(&change, keys)?;
    bound_leases(&change)?;
    fill_the_outbox(&change, keys)?;
    change.commit().map_err(mending())?;
    tracing::error!(store = "journal", "damaged, and put right");
    if schema::agrees(database)? { Ok(()) } else { Err(schema::damaged("indexes")) }
}

/// Which compartment a slot is of, where the one that it names is not there: another that no slot names, and that is called the
/// same but for one byte.
fn name_compartments(change: &Transaction<'_>, folder: &Path) -> Result<(), Error> {
    let mut asked = change.prepare("SELECT compartment FROM slot WHERE wrapped IS NOT NULL").map_err(mending())?;
    let named: Vec<Pseudonym> = asked.query_map([], |row| row.get(0)).and_then(Iterator::collect).map_err(mending())?;
    let there = compartment::all_in(folder)?;
    for lost in named.iter().filter(|name| !there.contains(*name)) {
        let fits = |name: &&Pseudonym| !named.contains(*name) && differing(lost, name) == 1;
        if let Some(found) = there.iter().find(fits) {
            let sql = "UPDATE slot SET compartment = ?2 WHERE compartment = ?1";
            change.execute(sql, params![lost, found]).map_err(mending())?;
        }
    }
    Ok(())
}

/// Which consent it is, by its line, and whose: a refusal must be found.
fn name_consents(change: &Transaction<'_>, keys: &Keys) -> Result<(), Error> {
    let sql = "SELECT id, id, body FROM outbox WHERE kind = 'consents' AND id NOT IN (SELECT id FROM consent)";
    let lines = all(change, sql)?;
    for [named, whose, body] in all(change, "SELECT id, patient, body FROM consent")? {
        let mut ids = std::iter::once(&named).chain(lines.iter().map(|[id, ..]| id));
        let found = ids.find_map(|id| Some((id, keys.sealer.open(consent_place(id), &body).ok()?)));
        let Some((id, body)) = found else { continue };
        let Ok(consent) = shapes::read::<Consent>(&body) else { continue };
        let patient = keys.patient(&consent.said.patient);
        if *id != named || whose != patient {
            let sql = "UPDATE consent SET id = ?2, patient = ?3 WHERE id = ?1";
            change.execute(sql, params![named, id, patient]).map_err(mending())?;
        }
    }
    Ok(())
}

/// A row's own id and patient.
fn name_rows(change: &Transaction<'_>, keys: &Keys) -> Result<(), Error> {
    let sql = "SELECT idx, id, patient, body FROM trace WHERE body IS NOT NULL";
    let mut asked = change.prepare(sql).map_err(mending())?;
    let mut rows = asked.query([]).map_err(mending())?;
    while let Some(row) = rows.next().map_err(mending())? {
        let index: i64 = row.get(0).map_err(mending())?;
        let (id, patient): (Vec<u8>, Option<Vec<u8>>) =
            (row.get(1).map_err(mending())?, row.get(2).map_err(mending())?);
        let body: Vec<u8> = row.get(3).map_err(mending())?;
        let Ok(body) = keys.sealer.open(body_place(&row_id(index as u64)), &body) else { continue };
        let Ok(trace) = leaf::parse(body.show_bytes()) else { continue };
        let right = trace.draft.patient.as_ref().map(|patient| keys.patient(patient).to_vec());
        if id != trace.id.as_bytes() || patient != right {
            let sql = "UPDATE trace SET id = ?2, patient = ?3 WHERE idx = ?1";
            change.execute(sql, params![index, trace.id.as_bytes(), right]).map_err(mending())?;
        }
    }
    Ok(())
}

/// No lease is longer than one that begins at the newest time.
fn bound_leases(change: &Transaction<'_>) -> Result<(), Error> {
    let newest: i64 = change.query_row("SELECT newest FROM store", [], |row| row.get(0)).map_err(mending())?;
    let end = lease::default_end(UnixSeconds(newest)).0;
    change.execute("UPDATE shred SET lease_end = ?1 WHERE lease_end > ?1", [end]).map(drop).map_err(mending())
}

/// Each row and each consent has its line there, and no line is of something that is not here. What was sent before may be sent
/// again, but for what is pruned: its id says that it is the same. A consent keeps its place, for what was said last counts:
/// where that is lost, the journal is damaged.
fn fill_the_outbox(change: &Transaction<'_>, keys: &Keys) -> Result<(), Error> {
    name_lines(change)?;
    let lost = "SELECT EXISTS (SELECT 1 FROM consent WHERE id NOT IN (SELECT id FROM outbox))";
    if change.query_row(lost, [], |row| row.get(0)).map_err(mending())? {
        return Err(schema::damaged("consents"));
    }
    change
        .execute_batch(
            "DELETE FROM outbox WHERE kind = 'traces' AND id NOT IN (SELECT id FROM trace);
             DELETE FROM outbox WHERE kind = 'consents' AND id NOT IN (SELECT id FROM consent);
             UPDATE outbox SET state = 'waiting' WHERE state NOT IN ('waiting', 'sent', 'acknowledged', 'set_aside');
             INSERT INTO outbox (id, kind, patient, body, since, state)
                 SELECT id, 'traces', patient, x'', local_time, iif(body IS NULL, 'acknowledged', 'waiting') FROM trace
                 WHERE idx < (SELECT settled FROM store) AND id NOT IN (SELECT id FROM outbox) ORDER BY idx;
             UPDATE outbox SET patient = (SELECT patient FROM trace WHERE trace.id = outbox.id) WHERE kind = 'traces';
             UPDATE outbox SET patient = (SELECT patient FROM consent WHERE consent.id = outbox.id) WHERE kind = 'consents';",
        )
        .map_err(mending())?;
    let sql = "SELECT id, body FROM outbox WHERE state IN ('waiting', 'sent')";
    let mut asked = change.prepare(sql).map_err(mending())?;
    let lines = asked.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).and_then(Iterator::collect);
    let lines: Vec<([u8; 16], Vec<u8>)> = lines.map_err(mending())?;
    for (id, body) in lines {
        if matches!(keys.sealer.open(outbox_place(&id), &body), Err(Error::Sealed { .. })) {
            remake(change, keys, Uuid::from_bytes(id))?;
        }
    }
    Ok(())
}

/// A consent's line that is of nothing here is of the consent that has none, and is called the same but for one byte.
fn name_lines(change: &Transaction<'_>) -> Result<(), Error> {
    let ids = |sql: &str| {
        let mut asked = change.prepare(sql).map_err(mending())?;
        let found: rusqlite::Result<Vec<[u8; 16]>> = asked.query_map([], |row| row.get(0)).and_then(Iterator::collect);
        found.map_err(mending())
    };
    let lost = ids("SELECT id FROM outbox WHERE kind = 'consents' AND id NOT IN (SELECT id FROM consent)")?;
    let without = ids("SELECT id FROM consent WHERE id NOT IN (SELECT id FROM outbox)")?;
    for line in &lost {
        if let Some(right) = without.iter().find(|id| differing(line, id) == 1) {
            change.execute("UPDATE outbox SET id = ?2 WHERE id = ?1", params![line, right]).map_err(mending())?;
        }
    }
    Ok(())
}

fn differing(one: &[u8; 16], other: &[u8; 16]) -> usize {
    one.iter().zip(other).filter(|(one, other)| one != other).count()
}

/// Three columns of all rows.
fn all(change: &Transaction<'_>, sql: &str) -> Result<Vec<[Vec<u8>; 3]>, Error> {
    let mut asked = change.prepare(sql).map_err(mending())?;
    let rows = asked.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]));
    rows.and_then(Iterator::collect).map_err(mending())
}

impl Compartment {
    /// The same for a desk: a row that does not open under its own name opens under the one that the index repeats.
    pub(super) fn mend(&mut self) -> Result<(), Error> {
        let change = begin(&mut self.database)?;
        // As bytes: what is damaged need not be text.
        let sql = "SELECT id, CAST(kind AS BLOB), patient FROM desk INDEXED BY sqlite_autoindex_desk_1 ORDER BY kind, patient";
        let indexed = desk(&change, sql)?;
        change.execute_batch("REINDEX").map_err(mending())?;
        let named = desk(&change, "SELECT id, CAST(kind AS BLOB), patient FROM desk NOT INDEXED")?;
        for (id, kind, name) in indexed.iter().filter(|row| !named.contains(*row)) {
            let body = change.query_row("SELECT body FROM desk WHERE id = ?1", [id], |row| row.get::<_, Vec<u8>>(0));
            let Some(body) = body.optional().map_err(mending())? else { continue };
            let (Ok(kind), Ok(name)) = (str::from_utf8(kind), Pseudonym::try_from(name.as_slice())) else { continue };
            if self.desk.open(desk_place(&desk_row(kind, &name)), &body).is_ok() {
                let sql = "UPDATE desk SET kind = ?2, patient = ?3 WHERE id = ?1";
                change.execute(sql, params![id, kind, name]).map_err(mending())?;
            }
        }
        change.commit().map_err(mending())?;
        tracing::error!(store = "compartment", "damaged, and put right");
        if schema::agrees(&self.database)? { Ok(()) } else { Err(schema::damaged("indexes")) }
    }
}

/// A row of the desk: number, kind and name.
type Named = (i64, Vec<u8>, Vec<u8>);

fn desk(change: &Transaction<'_>, sql: &str) -> Result<Vec<Named>, Error> {
    let mut asked = change.prepare(sql).map_err(mending())?;
    let rows = asked.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    rows.and_then(Iterator::collect).map_err(mending())
}

impl Journal {
    /// Whose card each line waits for, which no index says as well: for another's it would wait for ever.
    pub(super) fn name_holders(&mut self) -> Result<(), Error> {
        let sql = "SELECT id, kind, body, needs FROM outbox WHERE state IN ('waiting', 'sent') AND kind <> 'traces'";
        let mut asked = self.database.prepare(sql).map_err(mending())?;
        let lines = asked.query_map([], |row| Ok((Line::from_row(row)?, row.get(3)?))).and_then(Iterator::collect);
        let lines: Vec<(Line, Option<Vec<u8>>)> = lines.map_err(mending())?;
        for (line, named) in lines {
            let Ok((Item { needs: Needs::Holder(holder), .. }, _)) = self.open_line(&line) else { continue };
            let right = self.keys.pseudonym("holder", holder.0.as_bytes());
            if named.as_deref() != Some(right.as_slice()) {
                let sql = "UPDATE outbox SET needs = ?2 WHERE id = ?1";
                self.database.execute(sql, params![line.id.as_bytes(), right]).map_err(mending())?;
                tracing::error!(store = "journal", "a line named another holder, and is put right");
            }
        }
        Ok(())
    }

    /// Makes a line of the outbox anew from the row or the consent that it is of; `false` when there is none, or it is damaged
    /// too.
    pub(super) fn remake_line(&mut self, id: Uuid) -> Result<bool, Error> {
        remake(&self.database, &self.keys, id)
    }
}

fn remake(database: &Connection, keys: &Keys, id: Uuid) -> Result<bool, Error> {
    let seal = |body: &[u8]| keys.sealer.seal(outbox_place(id.as_bytes()), body);
    if let Some(index) = row_of(database, keys, id)? {
        let sql = "UPDATE outbox SET kind = 'traces', needs = NULL, body = ?2 WHERE id = ?1";
        let made = database.execute(sql, params![id.as_bytes(), seal(&row_id(index))]);
        return made.map(|lines| lines == 1).map_err(mending());
    }
    let body = database.query_row("SELECT body FROM consent WHERE id = ?1", [id.as_bytes()], |row| row.get(0));
    let body: Option<Vec<u8>> = body.optional().map_err(mending())?;
    let opened = body.and_then(|body| keys.sealer.open(consent_place(id.as_bytes()), &body).ok());
    let Some((body, consent)) = opened.and_then(|body| shapes::read::<Consent>(&body).ok().map(|read| (body, read)))
    else {
        return Ok(false);
    };
    let needs: Pseudonym = keys.pseudonym("holder", consent.said.holder.0.as_bytes());
    let sql = "UPDATE outbox SET kind = 'consents', needs = ?3, body = ?2 WHERE id = ?1";
    let made = database.execute(sql, params![id.as_bytes(), seal(body.show_bytes()), needs]);
    made.map(|lines| lines == 1).map_err(mending())
}

/// The index of the row with that id, if it opens.
fn row_of(database: &Connection, keys: &Keys, id: Uuid) -> Result<Option<u64>, Error> {
    let sql = "SELECT idx, body FROM trace WHERE id = ?1 AND body IS NOT NULL";
    let found = database.query_row(sql, [id.as_bytes()], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)));
    let Some((index, body)) = found.optional().map_err(mending())? else { return Ok(None) };
    let place = row_id(index as u64);
    let opened = keys.sealer.open(body_place(&place), &body).ok();
    let is_it = opened.and_then(|body| leaf::parse(body.show_bytes()).ok()).is_some_and(|trace| trace.id == id);
    Ok(is_it.then_some(index as u64))
}

/// Values that stand in each other's way, or are none: then it cannot be put right.
fn mending() -> impl FnOnce(rusqlite::Error) -> Error {
    |source| match source.sqlite_error_code() {
        None | Some(ErrorCode::ConstraintViolation) => Error::Damaged { source },
        Some(_) => Error::writing("what is put right")(source),
    }
}
