//! Effect → driver call → event. One task; it does one thing at a time, and drops it when nobody waits for it any more.
//!
//! `Lock` goes before everything: it drops whatever is running, kills the worker and forgets every key. A row that was
//! being written is finished after that, by the vault's own thread; nobody sees its answer.

use crate::kiosk::perform::hands::Hands;
use crate::visit::Effect;
use crate::visit::Event;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::mpsc;

pub mod hands;
mod record;

type Running<'a> = Pin<Box<dyn Future<Output = Option<Event>> + Send + 'a>>;

/// Runs until the loop is gone.
pub async fn run(hands: Hands, mut effects: mpsc::UnboundedReceiver<Effect>, events: mpsc::Sender<Event>) {
    let mut waiting: VecDeque<Effect> = VecDeque::new();
    let mut running: Option<(Running<'_>, Fate)> = None;
    loop {
        if running.is_none()
            && let Some(effect) = waiting.pop_front()
        {
            let fate = fate_of(&effect);
            running = Some((Box::pin(hands.perform(effect)), fate));
        }
        tokio::select! {
            biased;
            effect = effects.recv() => match effect {
                None => return,
                Some(Effect::Lock) => {
                    // Dropped before anything is waited for: what is not polled any more may hold what `lock` needs.
                    let unfinished = running.take().filter(|(_, fate)| *fate == Fate::Finished);
                    waiting.clear();
                    hands.lock().await;
                    // A row that was being written is written by now; what tidies up after a refusal is done too.
                    if let Some((mut writing, _)) = unfinished {
                        let _answer_is_late = tokio::time::timeout(FINISH_MAX, writing.as_mut()).await;
                    }
                }
                Some(effect) => {
                    // The visit has one question open at a time: a new one means that the old one's page is gone.
                    if running.as_ref().is_some_and(|(_, fate)| *fate == Fate::DroppedByTheNext) {
                        running = None;
                    }
                    waiting.push_back(effect);
                }
            },
            answer = answer_of(&mut running), if running.is_some() => {
                running = None;
                if let Some(event) = answer && events.send(event).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn answer_of(running: &mut Option<(Running<'_>, Fate)>) -> Option<Event> {
    match running {
        Some((future, _)) => future.as_mut().await,
        None => None,
    }
}

/// How long a disk may take to finish what was begun before the card went out.
const FINISH_MAX: Duration = Duration::from_secs(5);

/// What becomes of a question when its page is gone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// The next question takes its place.
    DroppedByTheNext,
    /// Only `Lock` ends it: the card, and what it opens. It must not go on after the keys are gone.
    DroppedByLock,
    /// Writing is always finished. It holds nothing of `Hands` while it waits.
    Finished,
}

fn fate_of(effect: &Effect) -> Fate {
    match effect {
        Effect::AskState { .. }
        | Effect::List { .. }
        | Effect::History { .. }
        | Effect::Fetch { .. }
        | Effect::Render { .. } => Fate::DroppedByTheNext,
        Effect::ReadCard { .. }
        | Effect::CheckPin { .. }
        | Effect::OpenCompartment { .. }
        | Effect::Deliver { .. }
        | Effect::Lock => Fate::DroppedByLock,
        Effect::Record { .. } => Fate::Finished,
    }
}
