//! A card that was here before: what was written down of it then spares it most of its commands.
//!
//! Its certificate is judged as if it had just been read, and its holder is believed after a signature alone. What was
//! learnt is kept in a quiet moment; what cannot be kept, or read again, is read from the card the next time.

use crate::card;
use crate::card::CardContents;
use crate::card::Known;
use crate::kiosk::perform::hands::Hands;
use crate::kiosk::perform::hands::Present;
use crate::visit::event::Insertion;

impl Hands {
    /// What the card says before its PIN.
    pub(super) async fn contents(&self, insertion: Insertion) -> Result<CardContents, card::Error> {
        let known = match self.reader.serial(insertion.0).await? {
            Some(serial) => self.known(&serial).await,
            None => None,
        };
        match known {
            Some(known) => self.reader.read_known(insertion.0, known).await,
            None => self.reader.read(insertion.0).await,
        }
    }

    async fn known(&self, serial: &str) -> Option<Known> {
        match self.vault.known_card(serial, self.clock.as_shown()).await {
            Ok(known) => Known::read(&known?),
            Err(error) => {
                tracing::warn!(%error, "what is known of cards cannot be read");
                None
            }
        }
    }

    /// Writes down what the card that is logged in has told, once.
    pub(super) async fn keep_card(&self) {
        let insertion = {
            let mut present = self.present.lock().await;
            present.as_mut().filter(|present| present.login.is_some()).and_then(Present::take_what_to_keep)
        };
        let Some(insertion) = insertion else { return };
        // A card that went meanwhile is not kept: its next visit is as long as this one.
        let Ok(Some(known)) = self.reader.learnt(insertion.0).await else { return };
        let Some(serial) = known.serial() else { return };
        if let Err(error) = self.vault.keep_card(serial, known.to_bytes(), self.clock.as_shown()).await {
            tracing::warn!(%error, "what was learnt of a card is not kept");
        }
    }

    /// The card is not the one that was known under its number.
    pub(super) async fn forget_card(&self, serial: Option<&str>) {
        let Some(serial) = serial else { return };
        tracing::warn!("a card does not sign as the one that was known under its number");
        if let Err(error) = self.vault.forget_card(serial).await {
            tracing::error!(%error, "what was known of a card is not forgotten");
        }
    }
}
