//! A round, fetched before it is needed, and what offline reading owes. Nobody sees anything here: lists leave as outlines, and
//! contents go from the network into the compartment, each under its own *prefetched* row.

use crate::exchange::upstream::Upstream;
use crate::journal::Committed;
use crate::journal::words::Mode;
use crate::kiosk::perform::hands::Hands;
use crate::kiosk::troubles;
use crate::link::Urgency;
use crate::link::turns;
use crate::patient::ins::Ins;
use crate::patient::ins::Patient;
use crate::record::document::Outline;
use crate::trouble::Trouble;
use crate::vault;
use crate::visit::Event;
use crate::visit::event::FetchedAhead;
use crate::visit::event::Insertion;
use crate::visit::event::StateAnswer;
use crate::visit::event::Survey;
use crate::visit::national;
use std::collections::HashSet;
use std::future::Future;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;
use tokio::task::JoinSet;

/// What the link gave when documents last came over it; no measure while none did.
#[derive(Debug, Default)]
pub struct Pace(AtomicU64);

impl Pace {
    pub fn bytes_a_second(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|pace| *pace > 0)
    }

    /// Too little to be a measure changes nothing.
    pub fn measured(&self, bytes: u64, took: Duration) {
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
        if bytes >= MEASURE_BYTES_MIN {
            self.0.store((bytes.saturating_mul(1_000) / millis).max(1), Ordering::Relaxed);
        }
    }
}

impl Hands {
    /// Online alone: what is remembered opens nothing ahead.
    pub(super) async fn ask_states(&self, patients: &[Patient]) -> Vec<Result<StateAnswer, Trouble>> {
        let ask = |patient: Patient| async move {
            let answer = self.ask_state(&patient).await?;
            // It fell back on what was last known.
            if answer.source == crate::journal::words::Source::Online { Ok(answer) } else { Err(Trouble::Offline) }
        };
        some_at_a_time(patients, ask).await
    }

    pub(super) async fn survey(&self, patients: &[Ins]) -> Vec<Result<Survey, Trouble>> {
        some_at_a_time(patients, |ins: Ins| async move { self.survey_one(&ins).await }).await
    }

    async fn survey_one(&self, ins: &Ins) -> Result<Survey, Trouble> {
        let (list, _) = self.synchronise(ins, Mode::Normal).await?;
        let documents = list.outlines();
        let mut here = HashSet::new();
        for outline in &documents {
            let id = &outline.document().unique_id;
            if self.vault.has(ins, id).await.map_err(|error| troubles::of_vault(&error))? {
                here.insert(id.clone());
            }
        }
        Ok(Survey { documents, here })
    }

    /// A few at once, so that a slow line is never idle between two of them.
    pub(super) async fn fetch_ahead(&self, ins: &Ins, documents: Vec<Outline>) -> FetchedAhead {
        let mut fetched = FetchedAhead { got: Vec::new(), lacking: 0, trouble: None, bytes_a_second: None };
        let who = match self.as_holder(Mode::Normal).await {
            Ok(who) => who,
            Err(trouble) => return FetchedAhead { trouble: Some(trouble), ..fetched },
        };
        let (begun, mut bytes, mut refused) = (Instant::now(), 0, false);
        let mut waiting = documents.into_iter();
        // Dropped with this question: nothing goes on alone.
        let mut going = JoinSet::new();
        let mut start = |going: &mut JoinSet<_>| {
            if let Some(outline) = waiting.next() {
                let (upstream, who, ins) = (self.upstream.clone(), who.clone(), ins.clone());
                let folder = self.vault.folder().to_owned();
                going.spawn(async move {
                    // Nobody waits for it: whoever does goes first, and a metered line's day ends it.
                    let fetching = upstream.fetch(&who, &ins, outline.document(), Some(&folder));
                    let content = turns::at(Urgency::Prefetch, fetching).await;
                    (outline, content)
                });
            }
        };
        (0..AT_ONCE).for_each(|_| start(&mut going));
        while let Some(done) = going.join_next().await {
            let Ok((outline, content)) = done else {
                fetched.lacking += 1;
                continue;
            };
            match self.heard(content).await {
                Ok(content) => {
                    let id = outline.document().unique_id.clone();
                    let Some(()) = self.hold_ahead(&id, content).await else { break };
                    bytes += outline.size_bytes();
                    fetched.got.push(id);
                }
                Err(trouble) if ends_the_round(trouble) => {
                    fetched.trouble = Some(trouble);
                    break;
                }
                Err(trouble) => {
                    refused |= trouble == Trouble::ServerRefusedHolder;
                    fetched.lacking += 1;
                }
            }
            start(&mut going);
        }
        drop(going);
        if refused {
            // The patient may have withdrawn meanwhile: what they took back goes now.
            self.obey_anew(ins).await;
        }
        self.pace.measured(bytes, begun.elapsed());
        FetchedAhead { bytes_a_second: self.pace.bytes_a_second(), ..fetched }
    }

    async fn hold_ahead(
        &self,
        id: &crate::record::document::UniqueId,
        content: crate::journal::Held<crate::secret::content::Content>,
    ) -> Option<()> {
        self.present.lock().await.as_mut()?.ahead.insert(id.clone(), content);
        Some(())
    }

    /// Each under its own row, or not at all. A patient who withdrew meanwhile keeps nothing here: then none is.
    pub(super) async fn keep_ahead(&self, ins: &Ins, committed: &[Committed], whole: bool) -> Result<u32, Trouble> {
        let of_vault = |error| troubles::of_vault(&error);
        let ahead = {
            let mut present = self.present.lock().await;
            std::mem::take(&mut present.as_mut().ok_or(Trouble::CardPulledWhileReading)?.ahead)
        };
        let mut kept = 0;
        for (id, content) in ahead {
            if !committed.iter().any(|row| row.covers_copy(ins, &id)) {
                continue;
            }
            match self.vault.store(&id, &content, self.believed()).await {
                Ok(()) => kept += 1,
                Err(vault::Error::Shredded) => return Ok(0),
                Err(error) => return Err(of_vault(error)),
            }
        }
        if whole && usize::try_from(kept) == Ok(committed.len()) {
            match self.vault.keep_ready(ins, self.believed()).await {
                Ok(()) => {}
                Err(vault::Error::Shredded) => return Ok(0),
                Err(error) => return Err(of_vault(error)),
            }
        }
        Ok(kept)
    }

    pub(super) async fn drop_ahead(&self) {
        if let Some(present) = self.present.lock().await.as_mut() {
            present.ahead.clear();
        }
    }

    /// A real search as the holder, for each record that was read offline (DESIGN §3). The list that comes is kept, unseen.
    pub(super) async fn make_national(&self, insertion: Insertion) -> Event {
        let (mut made, mut refused) = (Vec::new(), Vec::new());
        let owed = match self.owed().await {
            Ok(owed) => owed,
            Err(trouble) => {
                tracing::warn!(?trouble, "what was read offline cannot be told");
                return Event::NationalMade { insertion, made, refused, settled: false };
            }
        };
        let all = owed.len();
        for ins in owed {
            match self.synchronise(&ins, Mode::Normal).await {
                Ok(_) => made.push(ins),
                Err(Trouble::ServerRefusedHolder) => {
                    self.obey_anew(&ins).await;
                    refused.push(ins);
                }
                // No line: the next stay asks again.
                Err(_) => break,
            }
        }
        let settled = made.len() + refused.len() == all;
        Event::NationalMade { insertion, made, refused, settled }
    }

    async fn owed(&self) -> Result<Vec<Ins>, Trouble> {
        let holder = self.holder().await?;
        let owed = self.vault.owed_searches(&holder, &[national::MADE, national::REFUSED]).await;
        owed.map_err(|error| troubles::of_vault(&error))
    }
}

/// What concerns one document is no reason to stop; what concerns the line or the server is.
fn ends_the_round(trouble: Trouble) -> bool {
    matches!(
        trouble,
        Trouble::Offline
            | Trouble::ServerTimedOut
            | Trouble::ServerCertificate
            | Trouble::ServerRefusedDevice
            | Trouble::ServerFailed
            | Trouble::LineBudgetSpent
            | Trouble::CardPulledWhileReading
    )
}

/// In their order, four at a time.
async fn some_at_a_time<Of: Clone, Answer, Asked: Future<Output = Answer>>(
    all: &[Of],
    ask: impl Fn(Of) -> Asked,
) -> Vec<Answer> {
    let maybe = |one: Option<&Of>| {
        // On the heap: four long questions beside each other are more than a thread's stack.
        let asked = one.cloned().map(|one| Box::pin(ask(one)));
        async move {
            match asked {
                Some(asked) => Some(asked.await),
                None => None,
            }
        }
    };
    let mut answers = Vec::with_capacity(all.len());
    for some in all.chunks(4) {
        let (a, b, c, d) =
            tokio::join!(maybe(some.first()), maybe(some.get(1)), maybe(some.get(2)), maybe(some.get(3)));
        answers.extend([a, b, c, d].into_iter().flatten());
    }
    answers
}

/// Documents in flight.
const AT_ONCE: usize = 3;
/// Less than this measures the round trip and not the line.
const MEASURE_BYTES_MIN: u64 = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn answers_come_in_the_order_of_the_questions() {
        let all: Vec<u64> = (0..11).collect();
        let ask = |number: u64| async move {
            // The first of each four is the slowest.
            tokio::time::sleep(Duration::from_millis(4 - number % 4)).await;
            number * 2
        };
        let doubled: Vec<u64> = all.iter().map(|number| number * 2).collect();
        assert_eq!(some_at_a_time(&all, ask).await, doubled);
        assert!(some_at_a_time(&[], ask).await.is_empty());
    }

    #[test]
    fn a_pace_is_measured_over_enough() {
        let pace = Pace::default();
        pace.measured(100, Duration::from_secs(1));
        assert_eq!(pace.bytes_a_second(), None);
        pace.measured(50_000, Duration::from_secs(2));
        assert_eq!(pace.bytes_a_second(), Some(25_000));
        pace.measured(10, Duration::from_secs(9));
        assert_eq!(pace.bytes_a_second(), Some(25_000), "too little to be a measure");
    }
}
