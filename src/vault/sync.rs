//! A kept list, brought to what the upstream has said since: one transaction, with its new date or not at all.

use crate::journal::Held;
use crate::patient::ins::Ins;
use crate::record::sync;
use crate::record::sync::Changes;
use crate::record::sync::Kept;
use crate::time::UnixSeconds;
use crate::vault::Error;
use crate::vault::Vault;
use crate::vault::compartment::Compartment;
use crate::vault::compartment::Of;

impl Vault {
    /// What the next synchronisation builds on; `None`: there is no list here, or none any more.
    pub async fn kept(&self, patient: &Ins) -> Result<Option<Kept>, Error> {
        let look = |there: &mut Compartment, of: Option<Of>| {
            let known = of.map_or(Ok(None), |of| there.list(&of))?;
            Ok(known.map(|(documents, last)| {
                let entries = documents.into_iter().map(|document| document.entry_uuid).collect();
                Kept { last, entries }
            }))
        };
        self.read(patient, look).await
    }

    /// Merges what changed since into the list that is kept, unseen; `at` is when the question was begun. What is gone goes with
    /// its content, before anybody sees anything. `true`: something was taken back. [`Error::Shredded`]: there is nothing to merge
    /// into any more.
    pub async fn take_in(&self, changes: &Held<Changes>, at: UnixSeconds) -> Result<bool, Error> {
        let said = changes.for_storage().clone();
        let merge = move |there: &mut Compartment, of: Of| {
            let (known, _) = there.list(&of)?.ok_or(Error::Shredded)?;
            let merged = sync::merge(known, said);
            there.replace_list(&of, &merged.documents, &merged.stale, at)?;
            Ok(!merged.gone.is_empty())
        };
        self.write(changes.patient(), at, merge).await
    }
}
