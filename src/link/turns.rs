//! Whose turn it is on a thin line: what is more urgent goes first, and a transfer that is under way makes room for it.
//!
//! A transfer yields by not being read: the windows of HTTP/2 and TCP then stop the server. It goes on where it was.

use std::future::Future;
use std::sync::Arc;
use tokio::sync::watch;

/// Most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Urgency {
    /// What was taken back upstream acts before anything is shown.
    Withdrawal,
    /// What a patient said.
    Consent,
    /// Somebody waits for it at the screen.
    #[default]
    Person,
    Trace,
    Prefetch,
}

tokio::task_local! {
    static URGENCY: Urgency;
}

/// What is asked inside `asking` is that urgent. Outside, a person waits.
pub async fn at<F: Future>(urgency: Urgency, asking: F) -> F::Output {
    URGENCY.scope(urgency, asking).await
}

pub(super) fn current() -> Urgency {
    URGENCY.try_with(|urgency| *urgency).unwrap_or_default()
}

/// Shared by all that share one line.
#[derive(Clone, Default)]
pub struct Turns(Arc<watch::Sender<Running>>);

/// How many of each are under way or wait for their turn.
type Running = [u32; 5];

/// One transfer's place, until it is dropped.
pub(super) struct Turn {
    turns: Turns,
    urgency: Urgency,
    running: watch::Receiver<Running>,
}

impl Turns {
    pub(super) fn take(&self, urgency: Urgency) -> Turn {
        self.0.send_modify(|running| running[urgency as usize] += 1);
        Turn { turns: self.clone(), urgency, running: self.0.subscribe() }
    }
}

impl Turn {
    /// Returns when nothing more urgent is under way: at once, as a rule.
    pub(super) async fn mine(&mut self) {
        let above = self.urgency as usize;
        // An error would say that the sender is gone, and we hold it.
        let _nobody_above = self.running.wait_for(|running| running[..above].iter().all(|count| *count == 0)).await;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.0.send_modify(|running| running[self.urgency as usize] -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    async fn waits(turn: &mut Turn) -> bool {
        tokio::time::timeout(Duration::from_millis(1), turn.mine()).await.is_err()
    }

    #[tokio::test]
    async fn a_question_is_as_urgent_as_what_it_is_asked_for() {
        assert_eq!(current(), Urgency::Person);
        let inside = at(Urgency::Prefetch, async { (current(), at(Urgency::Withdrawal, async { current() }).await) });
        assert_eq!(inside.await, (Urgency::Prefetch, Urgency::Withdrawal));
    }

    #[tokio::test]
    async fn what_is_more_urgent_goes_first_and_equals_together() {
        let order = [Urgency::Withdrawal, Urgency::Consent, Urgency::Person, Urgency::Trace, Urgency::Prefetch];
        for (place, urgency) in order.into_iter().enumerate() {
            for (other_place, other) in order.into_iter().enumerate() {
                let turns = Turns::default();
                let running = turns.take(other);
                let mut mine = turns.take(urgency);
                assert_eq!(waits(&mut mine).await, other_place < place, "{urgency:?} beside {other:?}");
                drop(running);
                assert!(!waits(&mut mine).await, "{urgency:?} after {other:?}");
            }
        }
    }
}
