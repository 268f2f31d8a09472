//! Whether a compartment is whole: every page of it, once a visit, in a quiet moment, as the journal is at each start.
//!
//! An unlocking does not wait for it: of a holder with years of documents it would be seconds. It ends the moment nobody waits for
//! it any more, and is begun again at the next quiet moment. One that is damaged is put right where it can be; else it is
//! sealed aside, and another is begun with what can still be read of its round and its drafts: all else can be fetched again.

use crate::patient::ins::Patient;
use crate::time::UnixSeconds;
use crate::vault::Error;
use crate::vault::Vault;
use crate::vault::compartment::Compartment;
use crate::vault::compartment::desk_place;
use crate::vault::compartment::desk_row;
use crate::vault::keys::Pseudonym;
use crate::vault::schema;
use crate::vault::shapes;
use crate::vault::shapes::DeskDraft;
use rusqlite::InterruptHandle;
use rusqlite::Row;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// It was looked at before in this visit, or nothing is open.
    NothingToDo,
    Whole,
    /// It was damaged, and stands aside; another is open in its place.
    SealedAside,
}

/// Ends the check when whoever waited for it goes.
struct Waiting {
    check: InterruptHandle,
    is_dropped: Arc<AtomicBool>,
    is_over: bool,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.is_over {
            self.is_dropped.store(true, Ordering::SeqCst);
            self.check.interrupt();
        }
    }
}

impl Vault {
    /// To be dropped the moment somebody asks for something.
    pub async fn check_compartment(&self, at: UnixSeconds) -> Result<Checked, Error> {
        let handle = self.inner.compartments.ask(|there| {
            let open = there.open.as_ref().filter(|open| !open.is_checked);
            Ok(open.map(|open| open.database.get_interrupt_handle()))
        });
        let Some(check) = handle.await? else { return Ok(Checked::NothingToDo) };
        let is_dropped = Arc::new(AtomicBool::new(false));
        let mut waiting = Waiting { check, is_dropped: Arc::clone(&is_dropped), is_over: false };
        let looked = self.inner.compartments.ask(move |there| {
            let open = there.open()?;
            if !is_dropped.load(Ordering::SeqCst) {
                if !schema::agrees(&open.database)? {
                    open.mend()?;
                }
                open.is_checked = true;
            }
            Ok(())
        });
        let looked = looked.await;
        waiting.is_over = true;
        match looked {
            Ok(()) => Ok(Checked::Whole),
            Err(Error::Damaged { .. }) => self.begin_another(at).await.map(|()| Checked::SealedAside),
            Err(other) => Err(other),
        }
    }

    async fn begin_another(&self, at: UnixSeconds) -> Result<(), Error> {
        let (round, drafts) = self.inner.compartments.ask(|there| Ok(there.open()?.desk_alone())).await?;
        self.inner.compartments.ask(move |there| there.begin_another(at)).await?;
        self.put_round(round, at).await?;
        for one in drafts {
            self.keep_note_draft(&one.patient, one.draft, at).await?;
        }
        Ok(())
    }
}

impl Compartment {
    /// As far as it can be read, and from its own table alone: the others may be what is damaged.
    fn desk_alone(&self) -> (Vec<Patient>, Vec<DeskDraft>) {
        (self.round_alone(), self.drafts().unwrap_or_default())
    }

    fn round_alone(&self) -> Vec<Patient> {
        let sql = "SELECT patient, body FROM desk WHERE kind = 'round' ORDER BY id";
        let read = |row: &Row<'_>| Ok((row.get::<_, Pseudonym>(0)?, row.get::<_, Vec<u8>>(1)?));
        let Ok(mut asked) = self.database.prepare(sql) else { return Vec::new() };
        let Ok(rows) = asked.query_map([], read) else { return Vec::new() };
        let open = |(patient, body): (Pseudonym, Vec<u8>)| {
            let body = self.desk.open(desk_place(&desk_row("round", &patient)), &body)?;
            shapes::read::<Patient>(&body)
        };
        rows.map_while(Result::ok).filter_map(|row| open(row).ok()).collect()
    }
}
