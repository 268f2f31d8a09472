//! What is done in a quiet moment: a card is written down, the search index goes on, and the journal's head is attested: put
//! under a checkpoint, countersigned by the card that is in, and after a login counted by the TPM.
//!
//! Done when nothing else is: dropped without loss the moment somebody asks for something, or the card goes. What was not
//! signed is signed the next time, by this card or by another; a newer head covers the older ones.

use crate::identity::statement::Statement;
use crate::journal::Committed;
use crate::journal::words::Class;
use crate::kiosk::perform::hands::Hands;
use crate::render;
use crate::secret::UnseenWords;
use crate::trouble::Trouble;
use crate::vault;
use crate::vault::Checked;
use crate::vault::Uncountersigned;
use std::time::Duration;

impl Hands {
    /// What is done when nobody asks for anything: what a new card told is kept, one attestation, one step of the search index,
    /// one document read for it. How long to rest afterwards; `None`: nobody is here, and nothing is left to do for anybody.
    pub(super) async fn when_quiet(&self) -> Option<Duration> {
        self.keep_card().await;
        let rest = self.attest().await;
        self.counter.raise_when_due(&self.vault).await;
        if self.seal_anew().await {
            return Some(Duration::ZERO);
        }
        match self.vault.index_some().await {
            Ok(true) => return Some(Duration::ZERO),
            Ok(false) => {}
            Err(vault::Error::Locked | vault::Error::TimeLost) => return self.while_present(rest).await,
            Err(error) => {
                tracing::warn!(%error, "the search index cannot be built");
                return self.while_present(rest).await;
            }
        }
        self.check_compartment().await;
        if self.read_for_the_search().await { Some(Duration::ZERO) } else { self.while_present(rest).await }
    }

    /// What is written while nobody is here is put under a checkpoint before it is delivered.
    async fn while_present(&self, rest: Duration) -> Option<Duration> {
        self.present.lock().await.is_some().then_some(rest)
    }

    /// What was touched, and another board or an older program had sealed. False: there is none, or it has to wait.
    async fn seal_anew(&self) -> bool {
        match self.vault.reseal_some().await {
            Ok(more) => more,
            Err(vault::Error::Locked | vault::Error::TimeLost) => false,
            Err(error) => {
                tracing::warn!(%error, "what is sealed otherwise stays so for now");
                false
            }
        }
    }

    /// Every page of the compartment, once a visit.
    async fn check_compartment(&self) {
        match self.vault.check_compartment(self.clock.now().wall.value()).await {
            Ok(Checked::NothingToDo | Checked::Whole) | Err(vault::Error::Locked) => {}
            Ok(Checked::SealedAside) => {
                tracing::error!("a damaged compartment stands aside; what it held is fetched again");
                self.tell_desk_with(Some(Trouble::DeskSetAside)).await;
                self.wake_courier();
            }
            Err(error) => tracing::warn!(%error, "the compartment cannot be checked"),
        }
    }

    /// One document that nobody has opened yet, for its words alone. False: there is none left, or it has to wait.
    async fn read_for_the_search(&self) -> bool {
        let next = match self.vault.next_to_read().await {
            Ok(Some(next)) => next,
            Ok(None) | Err(vault::Error::Locked | vault::Error::TimeLost) => return false,
            Err(error) => {
                tracing::warn!(%error, "what was not read yet cannot be listed");
                return false;
            }
        };
        let words = match self.worker.words(&next.unseen).await {
            Ok(words) => words,
            Err(render::Error::Killed) => return false,
            Err(error @ (render::Error::Spawn { .. } | render::Error::NotSealed { .. })) => {
                tracing::warn!(%error, "documents cannot be read for the search");
                return false;
            }
            // It will say the same tomorrow.
            Err(_) => UnseenWords::none(),
        };
        match self.vault.keep_words(next, words).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, "the words of a document are not kept; a search will not find them");
                false
            }
        }
    }

    async fn attest(&self) -> Duration {
        match self.vault.uncountersigned().await {
            Ok(Some(head)) => self.countersign(head).await,
            Ok(None) => LATER,
            Err(error) => {
                tracing::error!(%error, "the journal's rows cannot be put under a checkpoint");
                LATER
            }
        }
    }

    async fn countersign(&self, head: Uncountersigned) -> Duration {
        // Nothing is held while the card computes: a card that goes must not wait for it.
        let who = {
            let present = self.present.lock().await;
            present
                .as_ref()
                .and_then(|present| Some((present.insertion, present.login?, present.certificate()?.key_id())))
        };
        let Some((insertion, login, key)) = who else { return LATER };
        let statement = Statement::countersignature(&self.device, key, head.text.as_bytes());
        // The reader has verified the signature under the certificate.
        let kept = match self.reader.sign(insertion.0, statement).await {
            Ok(signature) => self.vault.countersigned(head.size, login, key, signature).await,
            Err(error) => {
                tracing::info!(%error, "the journal's head was not countersigned");
                return LATER;
            }
        };
        match kept {
            Ok(()) => LATER,
            Err(error) => {
                tracing::error!(%error, "the card's countersignature cannot be kept");
                LATER
            }
        }
    }

    /// Which row proves this holder's presence: it stands in every countersignature.
    pub(super) async fn remember_login(&self, rows: &[Committed]) {
        let login = rows.iter().find(|row| row.class() == Class::Login);
        if login.is_some() {
            self.counter.login();
        }
        if let (Some(login), Some(present)) = (login, self.present.lock().await.as_mut())
            && present.holder.id == *login.holder()
        {
            present.login = Some(login.index());
            let mut begun = self.begun.lock().await;
            // One stay of a card is one visit, however often its screen was locked.
            if begun.is_none_or(|(insertion, _)| insertion != present.insertion) {
                *begun = Some((present.insertion, login.index()));
            }
        }
    }
}

/// How long nothing must have happened: longer than a visit's own steps follow each other, shorter than a person's.
pub(super) const SOON: Duration = Duration::from_millis(250);
/// With everything attested, or nobody here who could.
const LATER: Duration = Duration::from_secs(10);
