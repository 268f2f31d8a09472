//! The one task that speaks with Pro Santé Connect: it has a telephone ring, asks whether it has answered, keeps the access
//! token fresh while the visit lasts, and gives it back when the visit is over.
//!
//! One request at a time. One that is dropped is finished in the background as far as it must be: a token that was on its way
//! then is given back at once, and nobody ever sees it.

use crate::device::clock::Clock;
use crate::ecps::answer::Polled;
use crate::ecps::answer::Tokens;
use crate::ecps::client::Asked;
use crate::ecps::client::Client;
use crate::ecps::client::Login;
use crate::ecps::poll::Poll;
use crate::exchange::upstream::AsHolder;
use crate::identity::holder::HolderId;
use crate::journal::trace::LoginProof;
use crate::journal::trace::PhoneProof;
use crate::journal::words::Mode;
use crate::kiosk::troubles;
use crate::secret::SecretBytes;
use crate::time::UnixSeconds;
use crate::trouble::Trouble;
use crate::visit::Event;
use crate::visit::event::PhoneCode;
use crate::visit::event::PhoneLogin;
use crate::visit::event::Ticket;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::sync::watch;

/// What the task can be told.
pub enum Order {
    /// Have that person's telephone ring; whatever was before is dropped.
    Ask { ticket: Ticket, holder: HolderId },
    /// The visit is over.
    End,
}

/// The other end of the task, for `perform`.
pub struct Line {
    pub orders: mpsc::Sender<Order>,
    pub granted: watch::Receiver<Option<Arc<Granted>>>,
}

/// An access token that serves now.
pub struct Granted {
    pub ticket: Ticket,
    pub holder: HolderId,
    token: SecretBytes,
    until: UnixSeconds,
}

pub struct Phone {
    pub client: Client,
    pub clock: Clock,
    pub events: mpsc::Sender<Event>,
    /// `None` in the very step that hears of the end.
    pub granted: watch::Sender<Option<Arc<Granted>>>,
}

type Running<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
type Dropped = watch::Receiver<bool>;

impl Granted {
    /// As the upstream is told who asks, and how.
    pub fn as_holder(&self, mode: Mode) -> AsHolder {
        AsHolder {
            holder: self.holder.clone(),
            token: SecretBytes::new(self.token.show_bytes().to_vec()),
            until: self.until,
            mode: Some(mode),
            actor: None,
        }
    }

    pub fn serves(&self, now: UnixSeconds) -> bool {
        self.until > now
    }
}

/// Runs until `perform` is gone.
pub async fn run(phone: Phone, mut orders: mpsc::Receiver<Order>) {
    let mut current: Option<(Running<'_>, watch::Sender<bool>)> = None;
    let mut late: Option<Running<'_>> = None;
    loop {
        tokio::select! {
            biased;
            order = orders.recv() => {
                let Some(order) = order else { return };
                phone.granted.send_replace(None);
                if let Some((running, dropped)) = current.take() {
                    dropped.send_replace(true);
                    late = Some(after(late.take(), running));
                }
                if let Order::Ask { ticket, holder } = order {
                    let (drop, dropped) = watch::channel(false);
                    current = Some((Box::pin(phone.serve(ticket, holder, dropped)), drop));
                }
            }
            () = end_of(current.as_mut().map(|(running, _)| running)), if current.is_some() => current = None,
            () = end_of(late.as_mut()), if late.is_some() => late = None,
        }
    }
}

async fn end_of(running: Option<&mut Running<'_>>) {
    if let Some(running) = running {
        running.await;
    }
}

fn after<'a>(late: Option<Running<'a>>, running: Running<'a>) -> Running<'a> {
    match late {
        Some(late) => Box::pin(async move {
            tokio::join!(late, running);
        }),
        None => running,
    }
}

impl Phone {
    /// One request's whole life.
    async fn serve(&self, ticket: Ticket, holder: HolderId, mut dropped: Dropped) {
        let (asked, tokens) = match self.until_answered(ticket, &holder, &mut dropped).await {
            Ok(Some(answered)) => answered,
            Ok(None) => return,
            Err(trouble) => return self.tell(Event::PhoneAnswered { ticket, answer: Err(trouble) }).await,
        };
        let accepted = tokio::select! {
            biased;
            () = is_dropped(&mut dropped) => return self.give_back(&asked, &tokens).await,
            accepted = self.accept(&asked, &tokens) => accepted,
        };
        match accepted {
            Ok(login) => {
                self.publish(ticket, &holder, &tokens);
                let proof = LoginProof::Phone(PhoneProof { id_token: login.id_token, key: login.key });
                let answer = Ok(Box::new(PhoneLogin { person: login.person, proof }));
                self.tell(Event::PhoneAnswered { ticket, answer }).await;
            }
            Err(trouble) => {
                self.tell(Event::PhoneAnswered { ticket, answer: Err(trouble) }).await;
                return self.give_back(&asked, &tokens).await;
            }
        }
        self.keep_fresh(ticket, &holder, &asked, tokens, dropped).await;
    }

    /// `None`: it was dropped, and what came of it was given back.
    async fn until_answered(
        &self,
        ticket: Ticket,
        holder: &HolderId,
        dropped: &mut Dropped,
    ) -> Result<Option<(Asked, Tokens)>, Trouble> {
        let digits = two_digits().ok_or(Trouble::Internal)?;
        let asked = tokio::select! {
            biased;
            // Nobody polls a request that was dropped: nothing can come of it.
            () = is_dropped(dropped) => return Ok(None),
            asked = self.client.ask(holder, &digits, self.clock.as_shown()) => asked,
        };
        self.hear_time();
        let asked = match asked {
            Ok(asked) => asked,
            Err(error) => {
                self.tell(Event::PhoneAsked { ticket, answer: Err(troubles::of_ecps(&error)) }).await;
                return Ok(None);
            }
        };
        let mut poll = Poll::new(self.since_boot(), asked.interval_s, asked.expires_in_s);
        let code = PhoneCode { digits, until: poll.until() };
        self.tell(Event::PhoneAsked { ticket, answer: Ok(code) }).await;
        while let Some(next) = poll.next() {
            tokio::select! {
                biased;
                () = is_dropped(dropped) => return Ok(None),
                () = tokio::time::sleep(next.saturating_sub(self.since_boot())) => {}
            }
            // Finished whatever happens meanwhile: its answer may be a token.
            let polled = self.client.poll(&asked, self.clock.as_shown()).await;
            self.hear_time();
            match polled {
                Ok(Polled::Granted(tokens)) if *dropped.borrow() => {
                    tracing::info!("a telephone answered for a request that was dropped; its token is given back");
                    self.give_back(&asked, &tokens).await;
                    return Ok(None);
                }
                _ if *dropped.borrow() => return Ok(None),
                Ok(Polled::Granted(tokens)) => return Ok(Some((asked, tokens))),
                Ok(Polled::Pending) => poll.pending(self.since_boot()),
                Ok(Polled::SlowDown) => poll.slow_down(self.since_boot()),
                Err(error) if error.may_pass() => {
                    tracing::info!(%error, "whether the telephone has answered is not known yet");
                    poll.missed(self.since_boot());
                }
                Err(error) => return Err(troubles::of_ecps(&error)),
            }
        }
        Err(if poll.is_cut_off() { Trouble::PhoneUnreachable } else { Trouble::PhoneExpired })
    }

    async fn accept(&self, asked: &Asked, tokens: &Tokens) -> Result<Login, Trouble> {
        let accepted = self.client.accept(asked, tokens, self.clock.now().wall).await;
        accepted.map_err(|error| troubles::of_ecps(&error))
    }

    /// A fresh token before each end, until the provider says no, or the last one has ended without a word.
    async fn keep_fresh(
        &self,
        ticket: Ticket,
        holder: &HolderId,
        asked: &Asked,
        mut tokens: Tokens,
        mut dropped: Dropped,
    ) {
        loop {
            let ends = self.since_boot() + Duration::from_secs(tokens.expires_in_s);
            let mut next = ends.saturating_sub(Duration::from_secs((tokens.expires_in_s / 2).min(EARLIER_S)));
            let fresh = loop {
                tokio::select! {
                    biased;
                    () = is_dropped(&mut dropped) => return self.give_back(asked, &tokens).await,
                    () = tokio::time::sleep(next.saturating_sub(self.since_boot())) => {}
                }
                let fresh = match &tokens.refresh {
                    Some(refresh) => self.client.refresh(asked, refresh, self.clock.as_shown()).await,
                    None => Err(crate::ecps::Error::RefreshRefused),
                };
                self.hear_time();
                match fresh {
                    Ok(fresh) => break Ok(fresh),
                    Err(error) if error.may_pass() && self.since_boot() < ends => {
                        tracing::info!(%error, "the access token is not fresh yet");
                        next = self.since_boot() + AGAIN;
                    }
                    Err(error) if error.may_pass() => break Err(Trouble::PhoneOffline),
                    // Nobody can make it fresh: it serves to its own end.
                    Err(_) if tokens.refresh.is_none() && self.since_boot() < ends => next = ends,
                    Err(error) => break Err(troubles::of_refresh(&error)),
                }
            };
            let is_dropped = *dropped.borrow();
            match fresh {
                Ok(fresh) if is_dropped => return self.give_back(asked, &fresh).await,
                Ok(mut fresh) => {
                    // RFC 6749 §6: the old refresh token may go on serving.
                    fresh.refresh = fresh.refresh.or(tokens.refresh);
                    self.publish(ticket, holder, &fresh);
                    tokens = fresh;
                }
                Err(_) if is_dropped => return self.give_back(asked, &tokens).await,
                Err(trouble) => {
                    self.granted.send_replace(None);
                    self.tell(Event::PhoneOver { ticket, trouble }).await;
                    return self.give_back(asked, &tokens).await;
                }
            }
        }
    }

    fn publish(&self, ticket: Ticket, holder: &HolderId, tokens: &Tokens) {
        let until = self.clock.as_shown().plus(i64::try_from(tokens.expires_in_s).unwrap_or(0));
        let token = SecretBytes::new(tokens.access.show_bytes().to_vec());
        self.granted.send_replace(Some(Arc::new(Granted { ticket, holder: holder.clone(), token, until })));
    }

    async fn give_back(&self, asked: &Asked, tokens: &Tokens) {
        if !self.client.revoke(asked, tokens, self.clock.as_shown()).await {
            tracing::info!("the provider did not take the tokens back; they end by themselves");
        }
    }

    fn hear_time(&self) {
        if let Some(at) = self.client.server_time() {
            self.clock.heard(at);
        }
    }

    fn since_boot(&self) -> Duration {
        self.clock.now().since_boot
    }

    async fn tell(&self, event: Event) {
        if self.events.send(event).await.is_err() {
            tracing::debug!("the loop is gone");
        }
    }
}

async fn is_dropped(dropped: &mut Dropped) {
    // An error: whoever could drop it is gone, and so is this.
    let _dropped = dropped.wait_for(|dropped| *dropped).await;
}

/// `00` to `99`, each as likely.
fn two_digits() -> Option<String> {
    loop {
        let mut byte = [0];
        aws_lc_rs::rand::fill(&mut byte).ok()?;
        if byte[0] < 200 {
            return Some(format!("{:02}", byte[0] % 100));
        }
    }
}

/// How long before its end a token is made anew.
const EARLIER_S: u64 = 40;
/// After a try that nobody answered.
const AGAIN: Duration = Duration::from_secs(5);
