//! Whether a compartment is whole: every page of it, once a visit, in a quiet moment, as the journal is at each start.
//!
//! An unlocking does not wait for it: of a holder with years of documents it would be seconds. It ends the moment nobody waits for
//! it any more, and is begun again at the next quiet moment. One that is damaged is put right where it can be; else it is
//! sealed aside, and another is begun with what can still be read of its desk (`compartment/another`): all else can be fetched
//! again.

use crate::time::UnixSeconds;
use crate::vault::Error;
use crate::vault::Vault;
use crate::vault::schema;
use rusqlite::InterruptHandle;
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
            Ok(open.map(|open| (open.visit(), open.database.get_interrupt_handle())))
        });
        let Some((visit, check)) = handle.await? else { return Ok(Checked::NothingToDo) };
        let is_dropped = Arc::new(AtomicBool::new(false));
        let mut waiting = Waiting { check, is_dropped: Arc::clone(&is_dropped), is_over: false };
        let looked = self.inner.compartments.ask(move |there| {
            let open = there.of_visit(visit)?;
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
            // One job: dropped from here on, it is done or it is not.
            Err(Error::Damaged { .. }) => {
                let begin = self.inner.compartments.ask(move |there| there.begin_another(visit, at)).await;
                begin.map(|()| Checked::SealedAside)
            }
            Err(other) => Err(other),
        }
    }
}
