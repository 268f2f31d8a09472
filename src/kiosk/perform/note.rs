//! What a holder writes: the draft on their desk, and what they finished.

use crate::journal::Committed;
use crate::journal::Draft;
use crate::journal::item::Contribution;
use crate::journal::item::Deed;
use crate::kiosk::perform::hands::Hands;
use crate::kiosk::troubles;
use crate::patient::ins::Ins;
use crate::record::note::NoteDraft;
use crate::trouble::Trouble;
use crate::vault;
use uuid::Uuid;

impl Hands {
    /// What lies on the desk, or a name for something new. By telephone there is no desk.
    pub(super) async fn open_draft(&self, patient: &Ins) -> Result<NoteDraft, Trouble> {
        let of_vault = |error| troubles::of_vault(&error);
        if !self.is_memory_only().await
            && let Some(draft) = self.vault.note_draft(patient).await.map_err(of_vault)?
        {
            return Ok(draft);
        }
        let id = self.vault.new_id(self.clock.now().wall.value()).await.map_err(of_vault)?;
        Ok(NoteDraft::new(id))
    }

    /// Nobody waits for it: at worst some typing is lost, and the page goes on.
    pub(super) async fn keep_draft(&self, patient: &Ins, draft: NoteDraft) {
        if self.is_memory_only().await {
            return;
        }
        let kept = match draft.is_empty() {
            true => self.vault.drop_note_draft(patient).await,
            false => self.vault.keep_note_draft(patient, draft, self.clock.now().wall.value()).await,
        };
        if let Err(error) = kept {
            tracing::warn!(%error, "a draft is not on the desk");
        }
    }

    /// The row and the item, or neither. A crash before the draft is taken off the desk doubles nothing: both have one id.
    pub(super) async fn contribute(
        &self,
        row: Draft,
        id: Option<Uuid>,
        contribution: Contribution,
    ) -> Result<Committed, Trouble> {
        let id = match id {
            Some(id) => id,
            None => self.vault.new_id(row.at.wall.value()).await.map_err(|error| troubles::of_writing(&error))?,
        };
        let drafted = matches!(contribution.deed, Deed::Add { .. }).then(|| contribution.patient.clone());
        let kept = self.vault.contribute(row, id, contribution).await;
        let committed = kept.map_err(|error| troubles::of_writing(&error))?;
        if let Some(patient) = drafted {
            match self.vault.drop_note_draft(&patient).await {
                // No desk, or the card is out already: the next opening takes it off.
                Ok(()) | Err(vault::Error::Locked) => {}
                Err(error) => tracing::warn!(%error, "a finished draft is still on the desk"),
            }
        }
        Ok(committed)
    }

    pub(super) async fn send_again(&self, id: Uuid) {
        match self.vault.send_again(id, self.clock.now().wall.value()).await {
            Ok(true) => {}
            Ok(false) => tracing::info!("an item that cannot be sent again stays set aside"),
            Err(error) => tracing::error!(%error, "a refused item cannot be sent again"),
        }
    }
}
