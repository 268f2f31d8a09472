//! The outbox as it lies on the disk: what waits, what was acknowledged, what was refused. `exchange` plans, we keep.

use crate::identity::holder::HolderId;
use crate::journal::Trace;
use crate::journal::item::Body;
use crate::journal::item::Contribution;
use crate::journal::item::Item;
use crate::journal::item::Needs;
use crate::patient::ins::Ins;
use crate::secret::SecretBytes;
use crate::time::UnixSeconds;
use crate::vault::Error;
use crate::vault::Vault;
use crate::vault::journal::Journal;
use crate::vault::journal::begin;
use crate::vault::journal::outbox_place;
use crate::vault::journal::settle;
use crate::vault::seal::Place;
use crate::vault::shapes;
use rusqlite::Row;
use rusqlite::params;
use uuid::Uuid;

/// What waits to be delivered, and what was refused.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    pub traces: u32,
    pub consents: u32,
    pub contributions: u32,
    pub set_aside: Vec<SetAside>,
    /// Since when the oldest waiting item waits.
    pub oldest: Option<UnixSeconds>,
}

/// An item that the server refused for good: visible, explained, and in nobody's way (P4).
#[derive(Clone, PartialEq, Eq)]
pub struct SetAside {
    pub id: Uuid,
    /// `traces`, `consents` or `contributions`.
    pub kind: String,
    pub since: UnixSeconds,
    pub code: String,
    pub reason: String,
    /// Whose note it is, where it is one: its author alone can write it anew.
    pub note_by: Option<HolderId>,
}

/// What may be sent; a trace's item with its row.
type Waiting = (Item, Option<Trace>);

/// An item's id, and whether it is of a kind that only a newer program knows.
type Unreadable = (Uuid, bool);

/// A line of the table, still sealed.
pub(super) struct Line {
    pub id: Uuid,
    kind: String,
    body: Vec<u8>,
}

const KINDS: [&str; 3] = ["traces", "consents", "contributions"];
/// In the order of an index: what is behind the limit costs nothing, however much waits.
const LINES: &str = "SELECT id, kind, body FROM outbox
    WHERE needs IS ?1 AND state <> 'acknowledged' AND state <> 'set_aside' ORDER BY seq";
/// The code of an item that our own disk damaged: it is set aside like a refused one, so that it blocks nobody.
pub(super) const DAMAGED_HERE: &str = "damaged-here";
/// What a refused note needs once its author has written it anew: nobody's name, not even the device's. It is settled, kept and
/// never sent, by the program before either: beside it stands [`DAMAGED_HERE`], which that one does not send again.
pub(super) const SUPERSEDED_NEEDS: &[u8] = b"";

impl Vault {
    /// What may be sent now: the device's items, and that holder's when one is named; oldest first, so that a patient's
    /// stay in order. A trace's item comes with its row.
    pub async fn waiting(&self, needs_holder: Option<&HolderId>, limit: usize) -> Result<Vec<Waiting>, Error> {
        let holder = needs_holder.cloned();
        self.inner.journal.ask(move |journal| journal.waiting(holder.as_ref(), limit)).await
    }

    /// The upstream has them. Unknown ids change nothing.
    pub async fn acknowledged(&self, ids: Vec<Uuid>, at: UnixSeconds) -> Result<(), Error> {
        self.inner.journal.ask(move |journal| journal.acknowledged(&ids, at)).await
    }

    /// The upstream refuses this one for good.
    pub async fn set_aside(&self, id: Uuid, code: String, reason: String, at: UnixSeconds) -> Result<(), Error> {
        self.inner.journal.ask(move |journal| journal.mark_set_aside(id, &code, &reason, Some(at))).await
    }

    pub async fn counts(&self) -> Result<Counts, Error> {
        self.inner.journal.ask(|journal| journal.counts()).await
    }

    /// This patient's accesses that the upstream has not acknowledged, oldest first, for the history.
    pub async fn unsent_accesses(&self, patient: &Ins) -> Result<Vec<Trace>, Error> {
        let patient = patient.clone();
        self.inner.journal.ask(move |journal| journal.unsent_accesses(&patient)).await
    }
}

impl Journal {
    /// That holder's items, then the device's, oldest first: what a person waits for is never behind a long row of traces.
    /// What cannot be read any more is made anew from its row or its consent; what has none is set aside. What a newer program
    /// wrote in a form of its own waits for it.
    pub fn waiting(&mut self, needs_holder: Option<&HolderId>, limit: usize) -> Result<Vec<Waiting>, Error> {
        settle(&self.database)?;
        let (ready, unreadable) = self.readable(needs_holder, limit)?;
        if unreadable.is_empty() {
            return Ok(ready);
        }
        for (id, is_newer) in unreadable {
            if !self.remake_line(id)? && !is_newer {
                // Its own time stays: nothing here reads a clock.
                self.mark_set_aside(id, DAMAGED_HERE, "Ce qui est enregistré ici ne peut plus être lu.", None)?;
            }
        }
        self.readable(needs_holder, limit).map(|(ready, _)| ready)
    }

    /// What waits and can be read, and what cannot.
    fn readable(
        &self,
        needs_holder: Option<&HolderId>,
        limit: usize,
    ) -> Result<(Vec<Waiting>, Vec<Unreadable>), Error> {
        let reading = || Error::reading("the outbox");
        let (mut ready, mut unreadable) = (Vec::new(), Vec::new());
        let needs = needs_holder.map(|holder| self.keys.pseudonym("holder", holder.0.as_bytes()));
        for needs in needs.map(Some).into_iter().chain([None]) {
            let mut asked = self.database.prepare_cached(LINES).map_err(reading())?;
            let mut found = asked.query([needs]).map_err(reading())?;
            while ready.len() < limit
                && let Some(row) = found.next().map_err(reading())?
            {
                let line = Line::from_row(row).map_err(reading())?;
                match self.open_line(&line) {
                    Ok(item) => ready.push(item),
                    Err(Error::Sealed { .. } | Error::Shape { .. }) => unreadable.push((line.id, false)),
                    // One of ours in a newer form is left as it is.
                    Err(Error::FromTheFuture { .. }) if KINDS.contains(&line.kind.as_str()) => {}
                    Err(Error::FromTheFuture { .. }) => unreadable.push((line.id, true)),
                    Err(other) => return Err(other),
                }
            }
        }
        Ok((ready, unreadable))
    }

    /// Exactly these, and each once: an id that is not there, or is done already, changes nothing.
    pub fn acknowledged(&mut self, ids: &[Uuid], at: UnixSeconds) -> Result<(), Error> {
        let change = begin(&mut self.database)?;
        settle(&change)?;
        let sql = "UPDATE store SET last_success = ?1 WHERE id = 1 AND coalesce(last_success, 0) < ?1";
        change.execute(sql, [at.0]).map_err(Error::writing("an acknowledgement"))?;
        for id in ids {
            // What its author wrote is nowhere else: it stays for as long as the rows do (`retention`), in case the centre
            // comes back from a backup.
            let sql = "UPDATE outbox SET state = 'acknowledged', code = NULL, reason = NULL, since = ?2,
                       body = CASE kind WHEN 'contributions' THEN body ELSE x'' END WHERE id = ?1 AND state <> 'acknowledged'";
            change.execute(sql, params![id.as_bytes(), at.0]).map_err(Error::writing("an acknowledgement"))?;
        }
        change.commit().map_err(Error::writing("an acknowledgement"))
    }

    /// Refused for good. Only what waits can be refused: an acknowledgement that came first stands.
    pub fn mark_set_aside(&mut self, id: Uuid, code: &str, reason: &str, at: Option<UnixSeconds>) -> Result<(), Error> {
        settle(&self.database)?;
        let reason = self.keys.sealer.seal(reason_place(id.as_bytes()), reason.as_bytes());
        let sql = "UPDATE outbox SET state = 'set_aside', code = ?2, reason = ?3, since = coalesce(?4, since)
                   WHERE id = ?1 AND state IN ('waiting', 'sent')";
        let done = self.database.execute(sql, params![id.as_bytes(), code, reason, at.map(|at| at.0)]);
        done.map(drop).map_err(Error::writing("setting aside"))
    }

    /// When the upstream last took something.
    pub fn last_success(&self) -> Result<Option<UnixSeconds>, Error> {
        let sql = "SELECT last_success FROM store WHERE id = 1";
        let found: Option<i64> =
            self.database.query_row(sql, [], |row| row.get(0)).map_err(Error::reading("the last success"))?;
        Ok(found.map(UnixSeconds))
    }

    pub fn counts(&self) -> Result<Counts, Error> {
        let reading = || Error::reading("the outbox");
        let mut counts = Counts::default();
        // Rows that are not settled wait as well: a look from beside settles nothing.
        let sql = "SELECT kind, count(*), min(since) FROM (
                   SELECT kind, since FROM outbox WHERE state <> 'acknowledged' AND state <> 'set_aside' UNION ALL
                   SELECT 'traces', local_time FROM trace WHERE idx >= (SELECT settled FROM store) AND waits IS NOT NULL)
                   GROUP BY kind";
        let mut asked = self.database.prepare(sql).map_err(reading())?;
        let found = asked.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        let found: Vec<(String, u32, i64)> = found.and_then(Iterator::collect).map_err(reading())?;
        for (kind, count, oldest) in found {
            match kind.as_str() {
                "traces" => counts.traces = count,
                "consents" => counts.consents = count,
                _ => counts.contributions += count,
            }
            let oldest = UnixSeconds(oldest);
            counts.oldest = Some(counts.oldest.map_or(oldest, |known| known.min(oldest)));
        }
        counts.set_aside = self.set_aside_lines()?;
        Ok(counts)
    }

    /// What is not acknowledged about this patient, refused items included: it happened here all the same.
    pub fn unsent_accesses(&self, patient: &Ins) -> Result<Vec<Trace>, Error> {
        settle(&self.database)?;
        let reading = || Error::reading("unsent rows");
        let sql = "SELECT trace.idx FROM outbox JOIN trace ON trace.id = outbox.id
                   WHERE outbox.patient = ?1 AND outbox.state <> 'acknowledged' AND outbox.kind = 'traces'
                   ORDER BY trace.idx";
        let mut asked = self.database.prepare(sql).map_err(reading())?;
        let found = asked.query_map([self.keys.patient(patient)], |row| row.get(0));
        let found: Vec<i64> = found.and_then(Iterator::collect).map_err(reading())?;
        found.into_iter().map(|index| self.trace(index as u64)).collect()
    }

    pub(super) fn open_line(&self, line: &Line) -> Result<(Item, Option<Trace>), Error> {
        let body = self.keys.sealer.open(outbox_place(line.id.as_bytes()), &line.body)?;
        match line.kind.as_str() {
            "traces" => {
                let index = body.show_bytes().try_into().map_err(|_| Error::Shape { what: "a row's index" })?;
                let index = u64::from_be_bytes(index);
                let trace = self.trace(index)?;
                let item = Item { id: line.id, needs: Needs::Device, body: Body::Trace { index } };
                // The id is what makes delivery idempotent: it must be the row's own.
                if trace.id == item.id { Ok((item, Some(trace))) } else { Err(Error::Shape { what: "a row's id" }) }
            }
            "consents" => {
                let consent: crate::journal::consent::Consent = shapes::read(&body)?;
                let needs = Needs::Holder(consent.said.holder.clone());
                Ok((Item { id: line.id, needs, body: Body::Consent(Box::new(consent)) }, None))
            }
            "contributions" => {
                let contribution: Contribution = shapes::read(&body)?;
                let needs = Needs::Holder(contribution.author.clone());
                Ok((Item { id: line.id, needs, body: Body::Contribution(Box::new(contribution)) }, None))
            }
            // A newer program's: it waits for that one.
            _ => Err(Error::FromTheFuture { found: 0, known: 0 }),
        }
    }

    fn set_aside_lines(&self) -> Result<Vec<SetAside>, Error> {
        let reading = || Error::reading("what was set aside");
        let sql = "SELECT id, kind, body, since, code, reason FROM outbox
                   WHERE state = 'set_aside' AND needs IS NOT ?1 ORDER BY seq";
        let mut asked = self.database.prepare(sql).map_err(reading())?;
        let found = asked.query_map([SUPERSEDED_NEEDS], |row| {
            let (line, reason): (_, Option<Vec<u8>>) = (Line::from_row(row)?, row.get(5)?);
            let code: Option<String> = row.get(4)?;
            let aside = SetAside {
                id: line.id,
                kind: line.kind.clone(),
                since: UnixSeconds(row.get(3)?),
                code: code.unwrap_or_default(),
                reason: String::new(),
                note_by: None,
            };
            Ok((line, aside, reason))
        });
        let found: Vec<(Line, SetAside, Option<Vec<u8>>)> = found.and_then(Iterator::collect).map_err(reading())?;
        let opened = |(line, aside, reason): (Line, SetAside, Option<Vec<u8>>)| {
            let opened =
                reason.and_then(|sealed| self.keys.sealer.open(reason_place(line.id.as_bytes()), &sealed).ok());
            let note_by = (line.kind == "contributions").then(|| self.open_line(&line).ok()).flatten();
            let note_by = note_by.and_then(|(item, _)| item.body.author_of_note().cloned());
            let reason = opened.as_ref().map(SecretBytes::show_bytes).map(String::from_utf8_lossy);
            SetAside { reason: reason.unwrap_or_default().into_owned(), note_by, ..aside }
        };
        Ok(found.into_iter().map(opened).collect())
    }
}

impl Line {
    pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Line> {
        Ok(Line { id: uuid(row, 0)?, kind: row.get(1)?, body: row.get(2)? })
    }
}

fn uuid(row: &Row<'_>, column: usize) -> rusqlite::Result<Uuid> {
    row.get::<_, [u8; 16]>(column).map(Uuid::from_bytes)
}

fn reason_place(id: &[u8]) -> Place<'_> {
    Place { table: "outbox", column: "reason", row: id }
}

/// A server's words may name people.
impl std::fmt::Debug for SetAside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SetAside({}, {}, [REDACTED])", self.kind, self.code)
    }
}
