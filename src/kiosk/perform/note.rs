//! What a holder writes: the draft on their desk, and what they finished.

use crate::journal::Committed;
use crate::journal::Draft;
use crate::journal::item::Contribution;
use crate::journal::item::Deed;
use crate::kiosk::perform::hands::Hands;
use crate::kiosk::troubles;
use crate::patient::ins::Ins;
use crate::record::note::Note;
use crate::record::note::NoteDraft;
use crate::trouble::Trouble;
use crate::vault;
use uuid::Uuid;

impl Hands {
    /// What lies on the desk, or a name for something new. By telephone there is no desk. With `corrects`, and nothing on the desk:
    /// the words of that refused note, under a name of their own, because a row tells what was finished under the old one.
    pub(super) async fn open_draft(&self, patient: &Ins, corrects: Option<Uuid>) -> Result<NoteDraft, Trouble> {
        let of_vault = |error| troubles::of_vault(&error);
        if !self.is_memory_only().await
            && let Some(mut draft) = self.vault.note_draft(patient).await.map_err(of_vault)?
        {
            if let Some(refused) = draft.corrects
                && self.refused_note(refused, patient).await?.is_none()
            {
                // Sent again as it was, and perhaps refused again: until that is known, both could be delivered.
                if self.vault.may_still_leave(refused).await.map_err(of_vault)? {
                    return Err(Trouble::CorrectedWaits);
                }
                // It was taken, or never leaves any more: what lies here is a note of its own.
                draft.corrects = None;
            }
            return Ok(draft);
        }
        let id = self.vault.new_id(self.clock.now().wall.value()).await.map_err(of_vault)?;
        let refused = match corrects {
            Some(refused) => self.refused_note(refused, patient).await?,
            None => None,
        };
        Ok(refused.map_or(NoteDraft::new(id), |note| NoteDraft {
            id,
            type_code: Some(note.type_code),
            text: note.text,
            replaces: note.replaces,
            corrects,
        }))
    }

    /// The present holder's alone, and about that patient.
    async fn refused_note(&self, id: Uuid, patient: &Ins) -> Result<Option<Note>, Trouble> {
        let author = self.present.lock().await.as_ref().map(|present| present.holder.id.clone());
        let Some(author) = author else { return Ok(None) };
        let note = self.vault.refused_note(id, &author).await.map_err(|error| troubles::of_vault(&error))?;
        Ok(note.filter(|note| note.patient.ins == *patient))
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
        corrects: Option<Uuid>,
    ) -> Result<Committed, Trouble> {
        let id = match id {
            Some(id) => id,
            None => self.vault.new_id(row.at.wall.value()).await.map_err(|error| troubles::of_writing(&error))?,
        };
        let drafted = matches!(contribution.deed, Deed::Add { .. }).then(|| contribution.patient.clone());
        let kept = match corrects {
            Some(refused) => self.vault.contribute_instead(row, id, contribution, refused).await,
            None => self.vault.contribute(row, id, contribution).await,
        };
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
