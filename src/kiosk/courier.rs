//! The outbox's one worker: what waits leaves when it can, whoever is at the screen. It also finds out whether there is
//! a network at all, and tells the loop what waits.

use crate::device::clock::Clock;
use crate::exchange::outbox;
use crate::exchange::pdsm::Pdsm;
use crate::exchange::upstream;
use crate::exchange::upstream::AsDevice;
use crate::exchange::upstream::AsHolder;
use crate::exchange::upstream::Outcome;
use crate::exchange::upstream::Upstream;
use crate::journal::Trace;
use crate::journal::item::Body;
use crate::journal::item::Item;
use crate::journal::item::Needs;
use crate::kiosk::troubles;
use crate::trouble::Trouble;
use crate::vault::Vault;
use crate::visit::Event;
use crate::visit::event::LinkState;
use crate::visit::event::Waiting;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use uuid::Uuid;

/// What the courier can be told.
pub enum Order {
    /// Something new waits.
    Wake,
    /// Deliver all that waits for this holder, then say how it went.
    DeliverFor { who: Arc<AsHolder>, done: oneshot::Sender<Result<(), Trouble>> },
}

pub struct Courier {
    pub vault: Vault,
    pub upstream: Arc<Pdsm>,
    pub clock: Clock,
    pub events: mpsc::Sender<Event>,
}

/// Runs until the loop is gone.
pub async fn run(courier: Courier, mut orders: mpsc::Receiver<Order>) {
    let mut backoff = outbox::Backoff::new(courier.seed());
    courier.tell_waiting().await;
    let mut sleep = Duration::ZERO;
    loop {
        let order = tokio::select! {
            order = orders.recv() => match order {
                Some(order) => order,
                None => return,
            },
            () = tokio::time::sleep(sleep) => Order::Wake,
        };
        let went = match order {
            Order::Wake => courier.deliver_traces().await,
            Order::DeliverFor { who, done } => {
                let went = courier.deliver_for(&who).await;
                let answer = went.as_ref().map(|_| ()).map_err(|error| error.trouble());
                // The visit that asked may be over: what was delivered stays delivered.
                let _visit_over = done.send(answer);
                went
            }
        };
        courier.tell_link(&went).await;
        courier.tell_waiting().await;
        sleep = match went {
            Ok(()) => {
                backoff.succeeded();
                REST
            }
            Err(error) => backoff.failed(error.retry_after()),
        };
    }
}

/// Why a delivery stopped.
enum Stopped {
    Upstream(upstream::Error),
    Vault(crate::vault::Error),
}

impl Stopped {
    fn trouble(&self) -> Trouble {
        match self {
            Stopped::Upstream(error) => troubles::of_upstream(error),
            Stopped::Vault(error) => troubles::of_vault(error),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Stopped::Upstream(upstream::Error::Failed { retry_after_s, .. }) => retry_after_s.map(Duration::from_secs),
            _ => None,
        }
    }
}

impl Courier {
    /// Jitter differs from device to device; it needs no secrecy.
    fn seed(&self) -> u64 {
        let mut bytes = [0; 8];
        match aws_lc_rs::rand::fill(&mut bytes) {
            Ok(()) => u64::from_le_bytes(bytes),
            Err(_) => 1,
        }
    }

    /// Traces need nobody: batch after batch until none waits. With none waiting, one cheap call says whether there is
    /// a network.
    async fn deliver_traces(&self) -> Result<(), Stopped> {
        loop {
            let waiting = self.vault.waiting(None, outbox::BATCH_MAX).await.map_err(Stopped::Vault)?;
            let traces: Vec<(Uuid, Trace)> =
                waiting.into_iter().filter_map(|(item, trace)| Some((item.id, trace?))).collect();
            if traces.is_empty() {
                let answer = self.upstream.ping().await.map_err(Stopped::Upstream);
                self.heard_time();
                return answer;
            }
            self.deliver_batch(traces).await?;
        }
    }

    async fn deliver_batch(&self, traces: Vec<(Uuid, Trace)>) -> Result<(), Stopped> {
        let (ids, traces): (Vec<Uuid>, Vec<Trace>) = traces.into_iter().unzip();
        let outcomes = self.upstream.traces(AsDevice, &traces).await;
        self.heard_time();
        let outcomes = outcomes.map_err(Stopped::Upstream)?;
        if outcomes.len() != ids.len() {
            let why = format!("{} outcomes for {} traces", outcomes.len(), ids.len());
            return Err(Stopped::Upstream(upstream::Error::Unreadable { what: "AuditEvent", why }));
        }
        for (id, outcome) in ids.into_iter().zip(outcomes) {
            self.settle(id, outcome).await?;
        }
        Ok(())
    }

    /// Consents before all else, then what else needs this holder, then traces.
    async fn deliver_for(&self, who: &AsHolder) -> Result<(), Stopped> {
        loop {
            let waiting = self.vault.waiting(Some(&who.holder), outbox::BATCH_MAX).await.map_err(Stopped::Vault)?;
            let mine = |item: &Item| matches!(&item.needs, Needs::Holder(holder) if *holder == who.holder);
            let items: Vec<Item> = waiting.into_iter().map(|(item, _)| item).filter(mine).collect();
            if items.is_empty() {
                break;
            }
            for item in items {
                let outcome = match &item.body {
                    Body::Consent(consent) => self.upstream.consent(who, consent).await,
                    Body::Contribution(contribution) => self.upstream.contribute(who, contribution).await,
                    Body::Trace { .. } => continue,
                };
                self.heard_time();
                self.settle(item.id, outcome.map_err(Stopped::Upstream)?).await?;
            }
        }
        self.deliver_traces().await
    }

    async fn settle(&self, id: Uuid, outcome: Outcome) -> Result<(), Stopped> {
        match outcome {
            Outcome::Acknowledged => self.vault.acknowledged(vec![id]).await.map_err(Stopped::Vault),
            Outcome::Refused { code, reason } => {
                tracing::warn!(code, "an item was refused and set aside");
                self.vault.set_aside(id, code, reason, self.clock.as_shown()).await.map_err(Stopped::Vault)
            }
        }
    }

    fn heard_time(&self) {
        if let Some(at) = self.upstream.server_time() {
            self.clock.heard(at);
        }
    }

    async fn tell_link(&self, went: &Result<(), Stopped>) {
        let link = match went {
            Ok(()) => LinkState::Online,
            Err(error) if matches!(error.trouble(), Trouble::Offline | Trouble::ServerTimedOut) => LinkState::Offline,
            Err(error) => {
                tracing::warn!(trouble = ?error.trouble(), "a delivery stopped");
                LinkState::Unknown
            }
        };
        self.tell(Event::LinkIs(link)).await;
    }

    async fn tell_waiting(&self) {
        match self.vault.counts().await {
            Ok(counts) => {
                let waiting = Waiting {
                    traces: counts.traces,
                    consents: counts.consents,
                    contributions: counts.contributions,
                    set_aside: u32::try_from(counts.set_aside.len()).unwrap_or(u32::MAX),
                    oldest: counts.oldest,
                };
                self.tell(Event::WaitingIs(waiting)).await;
            }
            Err(error) => tracing::error!(%error, "what waits cannot be counted"),
        }
    }

    async fn tell(&self, event: Event) {
        if self.events.send(event).await.is_err() {
            tracing::debug!("the loop is gone");
        }
    }
}

/// With nothing waiting, how often the network is looked for.
const REST: Duration = Duration::from_secs(20);
