//! The outbox's one worker: what waits leaves when it can, whoever is at the screen. It also finds out whether there is
//! a network at all, and tells the loop what waits.
//!
//! What goes next is `exchange::outbox`'s decision, what waits is the vault's knowledge; here they only meet.

mod flying;
mod put_back;
mod questions;

use crate::config;
use crate::device::clock::Clock;
use crate::exchange::Connector;
use crate::exchange::outbox;
use crate::exchange::outbox::Batch;
use crate::exchange::outbox::Failure;
use crate::exchange::outbox::Kind;
use crate::exchange::outbox::Lane;
use crate::exchange::outbox::Link;
use crate::exchange::outbox::Next;
use crate::exchange::outbox::Plan;
use crate::exchange::upstream;
use crate::exchange::upstream::AsDevice;
use crate::exchange::upstream::AsHolder;
use crate::exchange::upstream::Checkpoint;
use crate::exchange::upstream::Outcome;
use crate::exchange::upstream::Upstream;
use crate::journal;
use crate::journal::Trace;
use crate::journal::allowance::Allowance;
use crate::journal::item::Body;
use crate::journal::item::Item;
use crate::kiosk::courier::flying::Flying;
use crate::kiosk::courier::put_back::Head;
use crate::kiosk::courier::put_back::Told;
use crate::kiosk::courier::questions::Question;
use crate::kiosk::courier::questions::Questions;
use crate::kiosk::troubles;
use crate::trouble::Trouble;
use crate::vault;
use crate::vault::Vault;
use crate::visit::Event;
use crate::visit::event::LinkState;
use crate::visit::event::Refused;
use crate::visit::event::RefusedKind;
use crate::visit::event::Ticket;
use crate::visit::event::Waiting;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::sync::watch;
use uuid::Uuid;

/// What the courier can be told.
pub enum Order {
    /// Something new waits.
    Wake,
    /// Deliver all that waits for the holder who is present, then tell the visit how it went.
    Deliver { ticket: Ticket },
    /// The card is out.
    CardLeft,
}

/// Under whose name may be sent. `None` the moment the card is out, whatever the courier is doing.
pub type Presence = watch::Receiver<Option<Arc<AsHolder>>>;

pub struct Courier {
    pub vault: Vault,
    pub upstream: Arc<Connector>,
    pub clock: Clock,
    pub events: mpsc::Sender<Event>,
    pub presence: Presence,
    /// The device's name, as its heads carry it.
    pub device: String,
    /// What the device may do without an anchor, and how long bodies stay.
    pub journal: config::Journal,
}

/// How one batch ended.
enum Landed {
    Well,
    Badly(Trouble),
    OnABadDisk(Trouble),
}

/// What came of what was under way.
enum Landing {
    Delivered(Batch, Result<(), Stopped>),
    Compared(Result<Told, Trouble>),
    Anchored(Result<Option<LinkState>, Trouble>),
    Looked(LinkState),
}

/// What the vault listed as waiting.
type Listed = Vec<(Item, Option<Trace>)>;

/// Runs until the loop is gone.
pub async fn run(courier: Courier, mut orders: mpsc::Receiver<Order>) {
    let mut plan = Plan::new(seed());
    let mut asked = Vec::new();
    let mut prune_at = Duration::ZERO;
    let mut head = Head::NotCompared;
    let mut compare_at = COMPARE_EVERY;
    loop {
        // A centre may come back from a backup while the device runs on.
        if courier.clock.now().since_boot >= compare_at {
            compare_at = courier.clock.now().since_boot + COMPARE_EVERY;
            head = Head::NotCompared;
        }
        // With the card out too: what is over goes, and what the device was on is written down.
        if let Err(error) = courier.vault.time_is(courier.clock.now()).await {
            tracing::error!(%error, "leases that are over could not be ended");
        }
        if let Err(error) = courier.vault.end_hand_over(courier.clock.now().since_boot).await {
            tracing::error!(%error, "a desk that was handed over could not be wiped");
        }
        courier.trace_jump().await;
        // A line that is gone keeps a try busy for a minute and more: what waits is known without it.
        courier.tell_still_waiting().await;
        let went = courier.round(&mut plan, &mut asked, &mut head, &mut orders).await;
        courier.tell_waiting().await;
        courier.tell_disk().await;
        courier.tell_allowance().await;
        courier.prune_when_due(&mut prune_at).await;
        let rest = match went {
            Ok(Next::Sleep { until }) => until.saturating_sub(courier.clock.now().since_boot).min(outbox::LOOK_AGAIN),
            // Nobody is here and nothing waits: whoever comes sends for it.
            Ok(_) if courier.presence.borrow().is_none() => courier.clock.until_minute(),
            Ok(_) => outbox::LOOK_AGAIN,
            Err(_) => RETRY,
        };
        courier.tell_delivered(&mut asked, went.map(|_| ())).await;
        tokio::select! {
            order = orders.recv() => match order {
                Some(order) => {
                    let _is_asked = courier.obey(order, &mut plan, &mut asked).await;
                }
                None => return,
            },
            () = tokio::time::sleep(rest) => {}
        }
    }
}

/// Jitter differs from device to device; it needs no secrecy.
fn seed() -> u64 {
    let mut bytes = [0; 8];
    match aws_lc_rs::rand::fill(&mut bytes) {
        Ok(()) => u64::from_le_bytes(bytes),
        Err(_) => 1,
    }
}

impl Courier {
    /// Who is here now, with a token that still serves.
    fn present(&self) -> Option<Arc<AsHolder>> {
        let present = self.presence.borrow().clone();
        present.filter(|who| who.until > self.clock.as_shown())
    }

    /// Whether somebody asked for what waits for them.
    async fn obey(&self, order: Order, plan: &mut Plan, asked: &mut Vec<Ticket>) -> bool {
        let ticket = match order {
            Order::Deliver { ticket } => ticket,
            Order::Wake => return false,
            Order::CardLeft => {
                plan.another_card();
                return false;
            }
        };
        let Some(who) = self.present() else {
            // What waits for somebody who has left is not even listed: nothing left is not all delivered.
            let gone = Err(Trouble::CardPulledWhileReading);
            self.tell_delivered(&mut vec![ticket], gone).await;
            return false;
        };
        plan.holder_is_here(&who.holder);
        // Somebody waits for it: it is tried, whatever was heard last.
        plan.link_is(Link::Unknown);
        asked.push(ticket);
        true
    }

    /// Sends batches, several at once as the plan allows, until it rests or sleeps and none is under way; then gives the upstream the
    /// journal's head. It listens all the while, and the visit that asked is told as soon as no patient's answer is left to send, or
    /// sending it has failed: it waits neither for traces and notes nor for a server that does not answer about the head.
    async fn round(
        &self,
        plan: &mut Plan,
        asked: &mut Vec<Ticket>,
        head: &mut Head,
        orders: &mut mpsc::Receiver<Order>,
    ) -> Result<Next, Trouble> {
        let mut went = Ok(());
        let mut stopped: Option<Trouble> = None;
        let mut flying = Flying::default();
        let (mut sent, mut listens) = (false, true);
        let mut questions = Questions::default();
        loop {
            let present = self.present();
            let holder = present.as_ref().map(|who| &who.holder);
            let listed = self.vault.waiting(holder, LISTED_MAX).await.map_err(|error| troubles::of_vault(&error));
            let listed = match listed {
                Ok(listed) if stopped.is_none() => listed,
                Ok(_) => Listed::new(),
                Err(trouble) => {
                    stopped.get_or_insert(trouble);
                    Listed::new()
                }
            };
            let waiting: Vec<outbox::Waiting> =
                listed.iter().map(|(item, trace)| outbox::Waiting::of(item, trace.as_ref())).collect();
            let next = plan.next(&waiting, holder, self.clock.now().since_boot);
            if let Next::Send(batch) = next {
                sent = true;
                // The head covers it too, and a centre that came back meanwhile is found out by it.
                questions = Questions::default();
                plan.sent(&batch);
                flying.add(Box::pin(self.send(batch, listed, present)));
                continue;
            }
            if stopped.is_none() && !plan.sends_an_answer() {
                let left = waiting.iter().any(|item| item.kind == Kind::Consent);
                let answer = if went.is_ok() && left { Err(Trouble::Offline) } else { went };
                self.tell_delivered(asked, answer).await;
            }
            if flying.is_empty() {
                if let Some(trouble) = stopped {
                    return Err(trouble);
                }
                match questions.next(*head, sent) {
                    Some(Question::Compare) => flying.add(Box::pin(async { Landing::Compared(self.compare().await) })),
                    Some(Question::Anchor) => flying.add(Box::pin(async { Landing::Anchored(self.anchor().await) })),
                    Some(Question::Network) => {
                        flying.add(Box::pin(async { Landing::Looked(self.look_for_network().await) }))
                    }
                    None => {
                        if (sent || questions.anchored.is_some()) && self.presence.borrow().is_none() {
                            // Nobody's visit is slower for it, and whose record was read does not stay in a buffer.
                            self.upstream.hang_up();
                        }
                        return went.map(|()| next);
                    }
                }
            }
            let landing = tokio::select! {
                Some(landing) = flying.next() => landing,
                order = orders.recv(), if listens => {
                    match order {
                        Some(order) => {
                            if self.obey(order, plan, asked).await {
                                went = Ok(());
                            }
                            self.tell_still_waiting().await;
                        }
                        None => listens = false,
                    }
                    continue;
                }
            };
            let link = match landing {
                Landing::Delivered(batch, delivered) => {
                    match self.landed(plan, &batch, delivered).await {
                        Landed::Well => {}
                        Landed::Badly(trouble) if batch.kind == Kind::Consent && went.is_ok() => went = Err(trouble),
                        Landed::Badly(_) => {}
                        // What else is under way ends first: its outcome counts.
                        Landed::OnABadDisk(trouble) => stopped = Some(trouble),
                    }
                    // The light follows a delivery that takes minutes.
                    self.tell_still_waiting().await;
                    continue;
                }
                Landing::Compared(Err(trouble)) | Landing::Anchored(Err(trouble)) => {
                    stopped.get_or_insert(trouble);
                    continue;
                }
                Landing::Compared(Ok(told)) => {
                    match told {
                        // The row that says so, or what the centre forgot, goes at once.
                        Told::Nothing | Told::Lost | Told::Forgotten => *head = Head::Compared,
                        Told::CannotSay => *head = Head::CannotBe,
                        Told::Later => {}
                        Told::Offline => questions.are_over = true,
                    }
                    (told != Told::Offline).then_some(LinkState::Online)
                }
                Landing::Anchored(Ok(link)) => {
                    questions.anchored = link;
                    link
                }
                Landing::Looked(link) => Some(link),
            };
            // What waited for the network goes as soon as anything tells that it is back.
            if link == Some(LinkState::Online) {
                plan.link_is(Link::Up);
            }
        }
    }

    /// The plan hears of an outcome once the vault has it.
    async fn landed(&self, plan: &mut Plan, batch: &Batch, delivered: Result<(), Stopped>) -> Landed {
        let now = self.clock.now().since_boot;
        match delivered {
            Ok(()) => {
                plan.answered(batch);
                plan.link_is(Link::Up);
                self.tell_link(LinkState::Online).await;
                Landed::Well
            }
            Err(Stopped::Vault(error)) => {
                // Nothing may stay "on its way" for ever: the disk may be well again at the next try.
                plan.failed(batch, Failure::Again, now);
                Landed::OnABadDisk(troubles::of_vault(&error))
            }
            Err(stopped) => {
                let (why, trouble) = match stopped {
                    Stopped::Upstream(error) => (Failure::of(&error), troubles::of_upstream(&error)),
                    _ => (Failure::Again, Trouble::ServerFailed),
                };
                // It never left: nothing is learnt of the network.
                if trouble == Trouble::CardSignsNoDocument {
                    plan.failed(batch, Failure::NotByThisCard, now);
                    return Landed::Badly(trouble);
                }
                plan.failed(batch, why, now);
                if trouble == Trouble::Offline {
                    plan.link_is(Link::Down);
                }
                self.tell_link(link_of(Some(trouble))).await;
                Landed::Badly(trouble)
            }
        }
    }

    async fn send(&self, batch: Batch, listed: Listed, present: Option<Arc<AsHolder>>) -> Landing {
        // It is only said: whoever looks sees that it is on its way. Whether it arrived is another matter.
        if let Err(error) = self.vault.sent(batch.ids.clone()).await {
            tracing::warn!(%error, "what is on its way is not marked so");
        }
        let delivered = self.deliver(&batch, listed, present.as_deref()).await;
        Landing::Delivered(batch, delivered)
    }

    async fn deliver(&self, batch: &Batch, listed: Listed, present: Option<&AsHolder>) -> Result<(), Stopped> {
        let mine: Listed = listed.into_iter().filter(|(item, _)| batch.ids.contains(&item.id)).collect();
        if batch.lane == Lane::Device {
            return self.deliver_traces(mine).await;
        }
        // Whoever came meanwhile is not whom these need.
        let Some(who) = present.filter(|who| batch.lane == Lane::Holder(who.holder.clone())) else {
            return Err(Stopped::NothingCame);
        };
        let mut settled = false;
        for (item, _) in mine {
            let send = async {
                match &item.body {
                    Body::Consent(consent) => Some(self.upstream.consent(who, consent).await),
                    Body::Contribution(contribution) => Some(self.upstream.contribute(who, contribution).await),
                    Body::Trace { .. } => None,
                }
            };
            // With the card out, nothing goes on under its holder's name; the item waits, and its id makes it one.
            let Some(outcome) = self.while_present(who, send).await else { return Err(Stopped::NothingCame) };
            let Some(outcome) = outcome else { continue };
            self.hear_time();
            settled |= self.settle(&item, outcome.map_err(Stopped::Upstream)?).await?;
        }
        if settled { Ok(()) } else { Err(Stopped::NothingCame) }
    }

    /// `None` when that holder left before it was done.
    async fn while_present<T>(&self, who: &AsHolder, send: impl Future<Output = T>) -> Option<T> {
        let mut presence = self.presence.clone();
        let gone = async {
            let is_gone = |now: &Option<Arc<AsHolder>>| now.as_ref().is_none_or(|now| now.holder != who.holder);
            // An error: nobody can come any more.
            let _gone = presence.wait_for(is_gone).await;
        };
        tokio::select! {
            biased;
            () = gone => None,
            sent = send => Some(sent),
        }
    }

    async fn deliver_traces(&self, mine: Listed) -> Result<(), Stopped> {
        let (items, traces): (Vec<Item>, Vec<Trace>) =
            mine.into_iter().filter_map(|(item, trace)| Some((item, trace?))).unzip();
        let outcomes = self.upstream.traces(AsDevice, &traces).await;
        self.hear_time();
        let outcomes = outcomes.map_err(Stopped::Upstream)?;
        if outcomes.len() != items.len() {
            tracing::warn!(outcomes = outcomes.len(), traces = items.len(), "the answer does not fit the question");
            return Err(Stopped::Upstream(upstream::Error::Unreadable {
                what: "AuditEvent",
                why: "not one outcome a trace",
            }));
        }
        // Those that arrived are written down together: one disk write for a whole request.
        let arrived = |outcome: &Outcome| *outcome == Outcome::Acknowledged;
        let ids: Vec<Uuid> =
            items.iter().zip(&outcomes).filter(|(_, outcome)| arrived(outcome)).map(|(item, _)| item.id).collect();
        let mut settled = !ids.is_empty();
        if settled {
            self.vault.acknowledged(ids, self.clock.as_shown()).await.map_err(Stopped::Vault)?;
        }
        for (item, outcome) in items.iter().zip(outcomes).filter(|(_, outcome)| !arrived(outcome)) {
            settled |= self.settle(item, outcome).await?;
        }
        if settled { Ok(()) } else { Err(Stopped::NothingCame) }
    }

    /// Gives the upstream the journal's head, over all rows, unless it has it, and says what that told of the network. `None`: there was
    /// nothing to give.
    async fn anchor(&self) -> Result<Option<LinkState>, Trouble> {
        let of_vault = |error| troubles::of_vault(&error);
        let head = self.vault.cover().await.map_err(of_vault)?.filter(|head| head.anchored_at.is_none());
        let Some(head) = head else { return Ok(None) };
        let checkpoint = Checkpoint { size: head.size, note: head.device_note, at: head.last_row_at };
        let answer = self.upstream.checkpoint(AsDevice, &checkpoint).await;
        self.hear_time();
        match &answer {
            Ok(Outcome::Acknowledged) => {
                self.vault.anchored(head.size, self.clock.as_shown()).await.map_err(of_vault)?;
            }
            Ok(Outcome::Refused { code, .. }) => tracing::warn!(code, "the journal's head was refused"),
            Ok(Outcome::NotNow) => {}
            Err(error) => {
                let link = link_of(Some(troubles::of_upstream(error)));
                self.tell_link(link).await;
                return Ok(Some(link));
            }
        }
        self.tell_link(LinkState::Online).await;
        Ok(Some(LinkState::Online))
    }

    /// Once an hour, in short steps between which others may write.
    async fn prune_when_due(&self, at: &mut Duration) {
        let now = self.clock.now();
        if now.since_boot < *at {
            return;
        }
        *at = now.since_boot + PRUNE_EVERY;
        // A floor destroys nothing too early.
        let before = now.wall.value().plus(-i64::from(self.journal.retention_days) * DAY_S);
        loop {
            match self.vault.prune(before).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    tracing::error!(%error, "what is past its time cannot be pruned");
                    return;
                }
            }
        }
    }

    async fn tell_allowance(&self) {
        match self.vault.unanchored().await {
            Ok(unanchored) => {
                self.tell(Event::AllowanceIs(Allowance { limits: self.journal.allowance, unanchored })).await;
            }
            Err(error) => tracing::error!(%error, "what is not anchored cannot be counted"),
        }
    }

    /// The vault writes the outcome down before the plan hears of it. `false`: it stays waiting.
    async fn settle(&self, item: &Item, outcome: Outcome) -> Result<bool, Stopped> {
        match outcome {
            Outcome::Acknowledged => {
                let at = self.clock.as_shown();
                self.vault.acknowledged(vec![item.id], at).await.map_err(Stopped::Vault)?;
            }
            Outcome::NotNow => return Ok(false),
            Outcome::Refused { code, reason } => {
                tracing::warn!(code, kind = item.body.kind(), "an item was refused and set aside");
                self.vault.set_aside(item.id, code, reason, self.clock.as_shown()).await.map_err(Stopped::Vault)?;
            }
        }
        Ok(true)
    }

    /// With nothing to send, one cheap call under the device's certificate says whether the server is there.
    async fn look_for_network(&self) -> LinkState {
        let answer = self.upstream.ping().await;
        self.hear_time();
        let link = link_of(answer.as_ref().err().map(troubles::of_upstream));
        self.tell_link(link).await;
        link
    }

    /// Times before and after it do not fit together: a row says so, in the device's own name.
    async fn trace_jump(&self) {
        let Some(jump) = self.clock.take_jump() else { return };
        tracing::warn!(said = jump.said.0, expected = jump.expected.0, own = jump.is_own, "a clock jumped");
        let row = journal::jump::draft(&self.device, jump, self.clock.now());
        if let Err(error) = self.vault.record(vec![row], Vec::new()).await {
            tracing::error!(%error, "that a clock jumped cannot be written down");
        }
    }

    fn hear_time(&self) {
        if let Some(at) = self.upstream.server_time() {
            self.clock.heard(at);
        }
    }

    async fn tell_delivered(&self, asked: &mut Vec<Ticket>, answer: Result<(), Trouble>) {
        for ticket in asked.drain(..) {
            // The visit that asked may be over; what was delivered stays delivered.
            self.tell(Event::Delivered { ticket, answer }).await;
        }
    }

    async fn tell_link(&self, link: LinkState) {
        self.tell(Event::LinkIs(link)).await;
    }

    async fn tell_waiting(&self) {
        match self.vault.counts().await {
            Ok(counts) => self.tell_counts(counts).await,
            Err(error) => tracing::error!(%error, "what waits cannot be counted"),
        }
    }

    /// In the middle of it: that nothing waits any more is said when the centre was asked what it has.
    async fn tell_still_waiting(&self) {
        let some = |counts: &vault::Counts| counts.traces + counts.consents + counts.contributions > 0;
        if let Some(counts) = self.vault.counts().await.ok().filter(some) {
            self.tell_counts(counts).await;
        }
    }

    async fn tell_counts(&self, counts: vault::Counts) {
        let waiting = Waiting {
            traces: counts.traces,
            consents: counts.consents,
            contributions: counts.contributions,
            set_aside: u32::try_from(counts.set_aside.len()).unwrap_or(u32::MAX),
            oldest: counts.oldest,
        };
        self.tell(Event::WaitingIs(waiting)).await;
        self.tell(Event::RefusedAre(counts.set_aside.into_iter().map(refused).collect())).await;
    }

    async fn tell(&self, event: Event) {
        if self.events.send(event).await.is_err() {
            tracing::debug!("the loop is gone");
        }
    }
}

/// As the tray shows it.
fn refused(item: vault::SetAside) -> Refused {
    let kind = match item.kind.as_str() {
        "traces" => RefusedKind::Trace,
        "consents" => RefusedKind::Consent,
        _ => RefusedKind::Contribution,
    };
    Refused { id: item.id, kind, since: item.since, code: item.code, reason: item.reason, note_by: item.note_by }
}

/// Why a delivery stopped.
enum Stopped {
    Upstream(upstream::Error),
    Vault(vault::Error),
    /// The server answered and took nothing: the lane pauses.
    NothingCame,
}

/// A server that answers, whatever it says, is a network.
pub(super) fn link_of(trouble: Option<Trouble>) -> LinkState {
    match trouble {
        Some(Trouble::Offline | Trouble::ServerTimedOut | Trouble::ServerCertificate) => LinkState::Offline,
        _ => LinkState::Online,
    }
}

/// How much is looked at to find the next batch.
const LISTED_MAX: usize = 2 * outbox::IN_FLIGHT_MAX * outbox::BATCH_MAX;
/// How often the journal is looked through for what is past its time.
const PRUNE_EVERY: Duration = Duration::from_secs(3_600);
const DAY_S: i64 = 86_400;
/// How often the upstream is asked which head of ours it has, beside once a start.
const COMPARE_EVERY: Duration = Duration::from_secs(24 * 3_600);
/// After the vault itself failed.
const RETRY: Duration = Duration::from_secs(5);
