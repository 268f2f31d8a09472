//! Effect → driver call → event. One task; it does one thing at a time, and drops it when nobody waits for it any more.
//!
//! `Lock` goes before everything: it drops whatever is running, kills the worker and forgets every key. A row that was
//! being written is finished after that, by the vault's own thread; nobody sees its answer.
//!
//! With nothing to do for a moment, it attests (`attest`): the card signs the journal's head; and the search index goes on. Whatever is asked meanwhile
//! goes first.

use crate::kiosk::perform::hands::Hands;
use crate::visit::Effect;
use crate::visit::Event;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::mpsc;

pub mod ahead;
mod attest;
pub mod hands;
mod known;
pub mod makers;
mod memory;
mod note;
pub mod prepared;
pub mod print;
mod record;

type Running<'a> = Pin<Box<dyn Future<Output = Option<Event>> + Send + 'a>>;

/// Answers when to look again; `None`: when somebody asked for something.
type Attesting<'a> = Pin<Box<dyn Future<Output = Option<Duration>> + Send + 'a>>;

/// Runs until the loop is gone.
pub async fn run(hands: Hands, mut effects: mpsc::UnboundedReceiver<Effect>, events: mpsc::Sender<Event>) {
    let mut waiting: VecDeque<Effect> = VecDeque::new();
    let mut running: Option<(Running<'_>, Fate)> = None;
    let mut quiet = Some(attest::SOON);
    let mut attesting: Option<Attesting<'_>> = None;
    loop {
        if running.is_none()
            && let Some(effect) = waiting.pop_front()
        {
            // What somebody waits for goes first; the attestation is begun again when there is nothing to do.
            attesting = None;
            quiet = Some(attest::SOON);
            let fate = fate_of(&effect);
            running = Some((Box::pin(hands.perform(effect)), fate));
        }
        tokio::select! {
            biased;
            effect = effects.recv() => match effect {
                None => return,
                Some(Effect::Lock) => {
                    attesting = None;
                    quiet = Some(attest::SOON);
                    // Dropped before anything is waited for: what is not polled any more may hold what `lock` needs.
                    let unfinished = running.take().filter(|(_, fate)| *fate == Fate::Finished);
                    finish_only_writing(&mut waiting);
                    lock_beside(hands.lock(), unfinished.map(|(writing, _)| writing), FINISH_MAX).await;
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
            // With nobody here and nothing left to do it sleeps until it is asked.
            () = tokio::time::sleep(quiet.unwrap_or_default()), if quiet.is_some() && running.is_none() && attesting.is_none() => {
                attesting = Some(Box::pin(hands.when_quiet()));
            }
            rest = rest_of(&mut attesting), if attesting.is_some() => {
                attesting = None;
                quiet = rest;
            }
        }
    }
}

/// What still waited when the card went: a patient's word, or a row, is written all the same, for that needs no card. Its answer
/// finds no page any more.
fn finish_only_writing(waiting: &mut VecDeque<Effect>) {
    waiting.retain(|effect| fate_of(effect) == Fate::Finished);
}

/// Both at once: what was begun may hold what the lock must take. A row that was being written is written, and what tidies up
/// after a refusal is done; what does not end in time is dropped, and lets go.
async fn lock_beside(lock: impl Future<Output = ()>, unfinished: Option<Running<'_>>, within: Duration) {
    let finish = async {
        if let Some(writing) = unfinished {
            let _answer_is_late = tokio::time::timeout(within, writing).await;
        }
    };
    tokio::join!(lock, finish);
}

async fn rest_of(attesting: &mut Option<Attesting<'_>>) -> Option<Duration> {
    match attesting {
        Some(future) => future.as_mut().await,
        None => Some(attest::SOON),
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
        | Effect::AskAuthorized { .. }
        | Effect::AskStates { .. }
        | Effect::Survey { .. }
        | Effect::FetchAhead { .. }
        | Effect::MakeNational { .. }
        | Effect::List { .. }
        | Effect::MakeReceipt { .. }
        | Effect::History { .. }
        | Effect::Search { .. }
        | Effect::Fetch { .. }
        | Effect::OpenDraft { .. }
        | Effect::OpenRefused { .. }
        // What was not wholly sent is no job.
        | Effect::Print { .. }
        | Effect::Render { .. } => Fate::DroppedByTheNext,
        Effect::ReadCard { .. }
        | Effect::CheckPin { .. }
        | Effect::CheckPinOnReader { .. }
        | Effect::OpenCompartment { .. }
        | Effect::AskPhone { .. }
        | Effect::OpenMemory { .. }
        | Effect::Deliver { .. }
        | Effect::HandOver { .. }
        // Its rows are written: what they say was kept is kept, if the card stays.
        | Effect::KeepAhead { .. }
        | Effect::DropAhead
        // It is about the compartment that is open: never about the next one. At worst its holder is told again.
        | Effect::KeepTold { .. }
        // Nothing on the disk changes, and what is asked beside it must not end it.
        | Effect::Recall { .. }
        | Effect::KeepRound { .. }
        | Effect::Prepare { .. }
        // So is a draft; what was not saved a second ago is lost with the card.
        | Effect::KeepDraft { .. }
        | Effect::SendAgain { .. }
        | Effect::Lock => Fate::DroppedByLock,
        // A job that is taken back is, within a few seconds.
        Effect::StopPrint | Effect::Record { .. } | Effect::Contribute { .. } => Fate::Finished,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::UnixSeconds;
    use crate::visit::effect::Paper;
    use crate::visit::event::Ticket;
    use tokio::sync::Mutex;
    use tokio::sync::oneshot;

    /// As `as_holder` does it: the presence is held while the card is asked, and the card may never answer.
    async fn locked(answers: bool) -> bool {
        let presence = Mutex::new(Some("holder"));
        let (answer, answered) = oneshot::channel();
        let asking = async {
            let _present = presence.lock().await;
            let _answer: Result<(), _> = answered.await;
            None
        };
        let mut asking: Running<'_> = Box::pin(asking);
        // It has begun, and waits.
        assert!(tokio::time::timeout(Duration::from_millis(1), asking.as_mut()).await.is_err());
        let mut kept = Some(answer);
        if answers {
            drop(kept.take());
        }
        let lock = async { *presence.lock().await = None };
        let beside = lock_beside(lock, Some(asking), Duration::from_millis(50));
        let done = tokio::time::timeout(Duration::from_secs(5), beside).await.is_ok();
        drop(kept);
        done && presence.lock().await.is_none()
    }

    #[test]
    fn a_word_that_waits_to_be_written_is_not_lost_with_the_card() {
        let record = |ticket| Effect::Record { ticket: Ticket(ticket), rows: Vec::new(), said: Vec::new() };
        let told = Effect::KeepTold { at: UnixSeconds(1) };
        // With the card gone no sheet comes out any more.
        let print = Effect::Print { ticket: Ticket(4), paper: Box::new(Paper::Leaflet), committed: None };
        let mut waiting: VecDeque<Effect> =
            [Effect::Deliver { ticket: Ticket(1) }, record(2), told, print, record(3)].into_iter().collect();
        finish_only_writing(&mut waiting);
        let left = waiting.iter().map(|effect| if let Effect::Record { ticket, .. } = effect { ticket.0 } else { 0 });
        assert_eq!(left.collect::<Vec<u64>>(), [2, 3], "in their order, and nothing else");
    }

    #[tokio::test]
    async fn a_question_that_holds_the_presence_never_holds_up_the_lock() {
        assert!(locked(true).await, "answered: it ends, and the lock is done");
        assert!(locked(false).await, "never answered: it is dropped, and the lock is done");
    }
}
