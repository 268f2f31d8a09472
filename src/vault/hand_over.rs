//! The desk on its way from a holder's old card to their new one. Nothing else knows the round, and the old card will not
//! open it for ever.
//!
//! The new card's key cannot be known while the old one is in, so that the round is held in memory, wiped when it goes, and
//! never written: for a few minutes, for one next card. It is taken over if that card is the same holder's and another one;
//! whoever else comes, a restart and the end of its time wipe it, and the old card still has it all. *Rejected*: a copy
//! under the device key (it would outlive its minutes on the disk), the compartment's key kept (P3).

use crate::identity::holder::HolderId;
use crate::patient::ins::Patient;
use crate::secret::SecretBytes;
use crate::time::UnixSeconds;
use crate::vault::Error;
use crate::vault::Vault;
use crate::vault::compartment::Compartments;
use crate::vault::shapes;
use crate::vault::shapes::DeskDraft;
use std::time::Duration;

/// One desk, on its way.
pub(super) struct HandOver {
    holder: HolderId,
    /// The compartment that it comes from: each card has its own.
    from: String,
    round: Vec<SecretBytes>,
    drafts: Vec<SecretBytes>,
    /// Since boot.
    until: Duration,
}

impl Vault {
    /// The open compartment's round waits for its holder's other card, in memory, until that time since boot.
    pub async fn hand_over(&self, until: Duration) -> Result<(), Error> {
        self.inner.compartments.ask(move |compartments| compartments.hand_over(until)).await
    }

    /// Puts behind the open compartment's round what was handed over to it; what waits for another card is wiped.
    pub async fn take_over(&self, now: Duration, at: UnixSeconds) -> Result<(), Error> {
        let sent = self.inner.compartments.ask(move |compartments| compartments.take_over(now)).await?;
        for one in sent.drafts {
            // Begun under the new card already: that one stays.
            if self.note_draft(&one.patient).await?.is_none() {
                self.keep_note_draft(&one.patient, one.draft, at).await?;
            }
        }
        if sent.round.is_empty() {
            return Ok(());
        }
        let own: Vec<Patient> = self.round().await?.into_iter().map(|row| row.patient).collect();
        let new = sent.round.into_iter().filter(|patient| own.iter().all(|known| known.ins != patient.ins)).collect();
        self.put_round([own.clone(), new].concat(), at).await
    }

    /// Wipes what waited longer than it may.
    pub async fn end_hand_over(&self, now: Duration) -> Result<(), Error> {
        let end = move |compartments: &mut Compartments| {
            compartments.end_hand_over(now);
            Ok(())
        };
        self.inner.compartments.ask(end).await
    }
}

/// What came with the new card.
#[derive(Default)]
pub(super) struct TakenOver {
    pub round: Vec<Patient>,
    pub drafts: Vec<DeskDraft>,
}

impl Compartments {
    /// Takes a copy of the open compartment's round and drafts.
    pub fn hand_over(&mut self, until: Duration) -> Result<(), Error> {
        let open = self.open()?;
        let round = open.round()?.iter().map(|row| shapes::write(&row.patient)).collect();
        let drafts = open.drafts()?.iter().map(shapes::write).collect();
        let (holder, from) = (open.holder().clone(), open.name().to_owned());
        self.on_its_way = Some(HandOver { holder, from, round, drafts, until });
        Ok(())
    }

    /// What was handed over to the card that is open, once. For any other card it is gone.
    pub fn take_over(&mut self, now: Duration) -> Result<TakenOver, Error> {
        let Some(sent) = self.on_its_way.take() else { return Ok(TakenOver::default()) };
        let open = self.open()?;
        if now >= sent.until || *open.holder() != sent.holder || open.name() == sent.from {
            return Ok(TakenOver::default());
        }
        let round = sent.round.iter().map(shapes::read).collect::<Result<_, _>>()?;
        let drafts = sent.drafts.iter().map(shapes::read).collect::<Result<_, _>>()?;
        Ok(TakenOver { round, drafts })
    }

    /// Wipes what nobody took over in time.
    pub fn end_hand_over(&mut self, now: Duration) {
        drop(self.on_its_way.take_if(|sent| now >= sent.until));
    }
}
