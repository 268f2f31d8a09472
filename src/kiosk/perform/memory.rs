//! A visit by telephone: what a compartment would keep is held here in memory, and the token comes from the provider.
//!
//! Nothing of it reaches the disk but rows, consents and what waits for delivery, which `journal.db` takes as for a card.

use crate::exchange::upstream::AsHolder;
use crate::identity::holder::Holder;
use crate::identity::holder::HolderId;
use crate::journal::words::Mode;
use crate::kiosk::perform::hands::By;
use crate::kiosk::perform::hands::Hands;
use crate::kiosk::perform::hands::Present;
use crate::kiosk::phone::Granted;
use crate::kiosk::phone::Order;
use crate::patient::ins::Patient;
use crate::trouble::Trouble;
use crate::visit::event::Desk;
use crate::visit::event::Insertion;
use crate::visit::event::RoundEntry;
use crate::visit::event::Ticket;
use std::collections::HashMap;
use std::sync::Arc;

impl Hands {
    pub(super) fn ask_phone(&self, ticket: Ticket, holder: HolderId) -> Result<(), Trouble> {
        let line = self.phone.as_ref().ok_or(Trouble::PhoneServiceRefused)?;
        line.orders.try_send(Order::Ask { ticket, holder }).map_err(|_| Trouble::Internal)
    }

    /// Waits for nobody: the keys are wiped beside it.
    pub(super) fn end_phone(&self) {
        if let Some(line) = &self.phone
            && line.orders.try_send(Order::End).is_err()
        {
            tracing::error!("the task that speaks with Pro Santé Connect does not listen");
        }
    }

    /// Only for whom the provider has just vouched, and still does.
    pub(super) async fn open_memory(&self, insertion: Insertion, holder: Holder) -> Result<Desk, Trouble> {
        let granted = self
            .granted()
            .filter(|granted| Insertion::by_phone(granted.ticket) == insertion && granted.holder == holder.id);
        let ticket = granted.ok_or(Trouble::PhoneTokenEnd)?.ticket;
        *self.present.lock().await = Some(Present {
            insertion,
            holder,
            by: By::Phone { ticket, round: Vec::new() },
            since: self.clock.as_shown(),
            login: None,
            fetched: HashMap::new(),
            seen: HashMap::new(),
            ahead: HashMap::new(),
        });
        Ok(Desk::default())
    }

    /// The provider's newest token. What waits for the courier is sent under it too.
    pub(super) fn as_holder_by_phone(&self, ticket: Ticket, mode: Mode) -> Result<Arc<AsHolder>, Trouble> {
        let now = self.clock.as_shown();
        let granted = self.granted().filter(|granted| granted.ticket == ticket && granted.serves(now));
        let granted = granted.ok_or(Trouble::PhoneTokenEnd)?;
        if self.presence.borrow().is_some() {
            self.presence.send_replace(Some(Arc::new(granted.as_holder(Mode::Normal))));
        }
        Ok(Arc::new(granted.as_holder(mode)))
    }

    fn granted(&self) -> Option<Arc<Granted>> {
        self.phone.as_ref()?.granted.borrow().clone()
    }

    pub(super) async fn is_memory_only(&self) -> bool {
        self.present.lock().await.as_ref().is_some_and(|present| matches!(present.by, By::Phone { .. }))
    }

    /// `None`: there is a compartment.
    pub(super) async fn desk_in_memory(&self) -> Option<Desk> {
        match &self.present.lock().await.as_ref()?.by {
            By::Card { .. } => None,
            By::Phone { round, .. } => {
                let entry =
                    |patient: &Patient| RoundEntry { patient: patient.clone(), cached: 0, as_of: None, ready: None };
                Some(Desk { round: round.iter().map(entry).collect(), ..Desk::default() })
            }
        }
    }

    /// Whoever's record was opened is found again as long as the visit lasts.
    pub(super) async fn remember_in_memory(&self, patient: &Patient) {
        if let Some(Present { by: By::Phone { round, .. }, .. }) = self.present.lock().await.as_mut() {
            match round.iter_mut().find(|known| known.ins == patient.ins) {
                Some(known) => *known = patient.clone(),
                None => round.push(patient.clone()),
            }
        }
    }
}
