//! The round, fetched before it is needed: while online and the card is in, for whom policy permits it in the mode *prefetch*.
//!
//! ```text
//! home ─ PrepareRound → AskingStates → Surveying → Proposed ─ Start → Fetching → Recording → Keeping ┐
//!                                                      │                 └──── next patient ────────┘→ Over
//!                                                      └ Stop, no network, no row: Over, to be gone on with
//! ```
//!
//! Nobody sees anything of a record here, and no row says that somebody did: each copy has its own *prefetched* row, and none is
//! kept before that row is durable. Each patient is decided anew when their turn comes. The card may stay in alone while
//! documents come; whoever touches the screen after that finds the visit over.

use crate::identity::holder::Means;
use crate::journal::Committed;
use crate::journal::Draft;
use crate::journal::words::Class;
use crate::journal::words::Ground;
use crate::journal::words::Mode;
use crate::policy::decide;
use crate::policy::facts::Ask;
use crate::policy::facts::Facts;
use crate::record::document::Outline;
use crate::time::Now;
use crate::trouble::Trouble;
use crate::visit::effect::Effect;
use crate::visit::event::Event;
use crate::visit::event::FetchedAhead;
use crate::visit::event::LinkState;
use crate::visit::event::StateAnswer;
use crate::visit::event::Survey;
use crate::visit::event::Touch;
use crate::visit::facts;
use crate::visit::gate::row;
use crate::visit::page::Home;
use crate::visit::page::Page;
use crate::visit::page::Visit;
use crate::visit::page::ahead::Ahead;
use crate::visit::page::ahead::AheadStep;
use crate::visit::page::ahead::Prepared;
use crate::visit::page::ahead::Stands;
use crate::visit::page::gate::SoFar;
use crate::visit::step::WAIT_MAX;
use std::time::Duration;

type Turn = (Visit, Vec<Effect>);

/// Whether preparing the round is offered: to a card, with a network, within the allowance, and with somebody in the round.
pub fn may_prepare(visit: &Visit, home: &Home, now: Now) -> bool {
    home.here.holder.means == Means::Card
        && visit.standing.link != LinkState::Offline
        && !visit.allowance_bars(Ground::Authorization, now)
        && !home.here.round.is_empty()
}

impl Visit {
    pub(super) fn prepare_round(mut self, home: Home, now: Now) -> Turn {
        if !may_prepare(&self, &home, now) {
            return self.turn(Page::Home(Box::new(home)), vec![]);
        }
        let ticket = self.ticket();
        let patients: Vec<_> = home.here.round.iter().map(|entry| entry.patient.clone()).collect();
        let prepared = |patient: &_| Prepared { patient: Clone::clone(patient), answer: None, stands: Stands::Asked };
        let step = AheadStep::AskingStates { ticket, until: now.since_boot + survey_max(patients.len()) };
        let ahead = Ahead { here: home.here, patients: patients.iter().map(prepared).collect(), step, stopping: false };
        self.ahead(ahead, vec![Effect::AskStates { ticket, patients }])
    }

    fn ahead(self, ahead: Ahead, effects: Vec<Effect>) -> Turn {
        self.turn(Page::Ahead(Box::new(ahead)), effects)
    }

    /// What waited too long: what is here stays, and the rest can be gone on with.
    pub(super) fn ahead_tick(mut self, now: Now) -> Turn {
        let late = |ahead: &Ahead| ahead.step.wait().is_some_and(|until| now.since_boot >= until);
        let Page::Ahead(ahead) = &self.page else { return (self, vec![]) };
        if !late(ahead) {
            return (self, vec![]);
        }
        let trouble = match ahead.step {
            AheadStep::Recording { .. } | AheadStep::Keeping { .. } => Trouble::TraceNotWritten,
            _ => Trouble::ServerTimedOut,
        };
        match std::mem::replace(&mut self.page, Page::Idle) {
            Page::Ahead(ahead) => self.over(*ahead, Some(trouble), now),
            page => self.turn(page, vec![]),
        }
    }

    /// Documents may come for longer than somebody stands there. Then only « Arrêter » is still theirs.
    pub(super) fn is_left_alone(&self, now: Now) -> bool {
        matches!(&self.page, Page::Ahead(ahead) if ahead.is_fetching() && now.since_boot >= ahead.here.until)
    }

    pub(super) fn at_ahead(mut self, mut ahead: Ahead, event: Event, now: Now) -> Turn {
        if let Event::Touched(touch) = event {
            return self.touched_ahead(ahead, touch, now);
        }
        let step = std::mem::replace(&mut ahead.step, AheadStep::Over { trouble: Some(Trouble::Internal) });
        match (step, event) {
            (AheadStep::AskingStates { ticket, .. }, Event::StatesKnown { ticket: asked, answers })
                if asked == ticket =>
            {
                self.states_known(ahead, answers, now)
            }
            (
                AheadStep::Surveying { ticket, asked: places, .. },
                Event::Surveyed { ticket: asked, answers, bytes_a_second },
            ) if asked == ticket => {
                self.standing.bytes_a_second = bytes_a_second;
                self.surveyed(ahead, places, answers, now)
            }
            (AheadStep::Fetching { ticket, place, .. }, Event::FetchedAhead { ticket: asked, fetched })
                if asked == ticket =>
            {
                self.fetched_ahead(ahead, place, fetched, now)
            }
            (
                AheadStep::Recording { ticket, place, lacking, trouble, .. },
                Event::Recorded { ticket: asked, answer: recorded },
            ) if asked == ticket => match recorded {
                Ok(committed) => self.keep(ahead, place, committed, (lacking, trouble), now),
                // No row, no copy.
                Err(trouble) => self.over(ahead, Some(trouble), now),
            },
            (
                AheadStep::Keeping { ticket, place, lacking, trouble, .. },
                Event::KeptAhead { ticket: asked, answer },
            ) if asked == ticket => self.kept_ahead(ahead, place, answer, (lacking, trouble), now),
            // Late or doubled: nothing changes.
            (step, _) => {
                ahead.step = step;
                self.ahead(ahead, vec![])
            }
        }
    }

    fn touched_ahead(self, mut ahead: Ahead, touch: Touch, now: Now) -> Turn {
        match (&ahead.step, touch) {
            (AheadStep::Proposed | AheadStep::Over { .. }, Touch::Start) => {
                ahead.stopping = false;
                self.next_patient(ahead, 0, now)
            }
            (AheadStep::Fetching { .. }, Touch::Stop | Touch::Back | Touch::Quit) => self.over(ahead, None, now),
            // What is being written is not left half-way.
            (AheadStep::Recording { .. } | AheadStep::Keeping { .. }, Touch::Stop | Touch::Back | Touch::Quit) => {
                ahead.stopping = true;
                self.ahead(ahead, vec![])
            }
            (_, Touch::Stop | Touch::Back | Touch::Quit | Touch::Understood) => {
                self.home(ahead.here, None, vec![Effect::DropAhead])
            }
            _ => self.ahead(ahead, vec![]),
        }
    }

    fn states_known(mut self, mut ahead: Ahead, answers: Vec<Result<StateAnswer, Trouble>>, now: Now) -> Turn {
        if answers.len() != ahead.patients.len() {
            return self.over(ahead, Some(Trouble::Internal), now);
        }
        let mut wanted = Vec::new();
        for (place, answer) in answers.into_iter().enumerate() {
            let stands = match &answer {
                Err(trouble) => Stands::Failed(*trouble),
                Ok(answer) => match decide(&facts::ahead(&ahead.here, answer, &self.rules, now)) {
                    decision if !decision.allow => Stands::Denied(Box::new(decision)),
                    _ => {
                        wanted.push(place);
                        Stands::Asked
                    }
                },
            };
            ahead.patients[place].stands = stands;
            ahead.patients[place].answer = answer.ok();
        }
        if wanted.is_empty() {
            return self.surveyed(ahead, vec![], vec![], now);
        }
        let patients = wanted.iter().map(|place| ahead.patients[*place].patient.ins.clone()).collect();
        let ticket = self.ticket();
        let until = now.since_boot + survey_max(wanted.len());
        ahead.step = AheadStep::Surveying { ticket, asked: wanted, until };
        self.ahead(ahead, vec![Effect::Survey { ticket, patients }])
    }

    fn surveyed(self, mut ahead: Ahead, asked: Vec<usize>, answers: Vec<Result<Survey, Trouble>>, now: Now) -> Turn {
        if answers.len() != asked.len() {
            return self.over(ahead, Some(Trouble::Internal), now);
        }
        for (place, answer) in asked.into_iter().zip(answers) {
            let stands = match answer {
                Err(trouble) => Stands::Failed(trouble),
                Ok(Survey { documents, here }) => {
                    let mut permitted = self.permitted(&ahead, place, documents, now);
                    let all = permitted.len();
                    permitted.retain(|outline| !here.contains(&outline.document().unique_id));
                    Stands::ToFetch { here: count(all - permitted.len()), documents: permitted }
                }
            };
            ahead.patients[place].stands = stands;
        }
        let all_failed =
            |trouble| ahead.patients.iter().all(|one| matches!(one.stands, Stands::Failed(t) if t == trouble));
        ahead.step = match [Trouble::Offline, Trouble::ServerTimedOut].into_iter().find(|trouble| all_failed(*trouble))
        {
            Some(trouble) => AheadStep::Over { trouble: Some(trouble) },
            None => AheadStep::Proposed,
        };
        let whole = |one: &Prepared| matches!(&one.stands, Stands::ToFetch { documents, .. } if documents.is_empty());
        let nothing_left = ahead.left().0 == 0 && ahead.patients.iter().any(whole);
        // All of it is here already: that it is, is only to be marked.
        if nothing_left && matches!(ahead.step, AheadStep::Proposed) {
            return self.next_patient(ahead, 0, now);
        }
        self.ahead(ahead, vec![])
    }

    /// What policy lets be fetched ahead, now.
    fn permitted(&self, ahead: &Ahead, place: usize, documents: Vec<Outline>, now: Now) -> Vec<Outline> {
        let Some(answer) = &ahead.patients[place].answer else { return vec![] };
        let opened = facts::ahead(&ahead.here, answer, &self.rules, now);
        if !decide(&opened).allow {
            return vec![];
        }
        let may = |outline: &Outline| {
            let seen = facts::to_see(&opened, &ahead.here, outline.document(), &self.rules);
            decide(&Facts { ask: Ask::PrefetchDocument, ..seen }).allow
        };
        documents.into_iter().filter(may).collect()
    }

    /// The next patient of whom something is lacking, or the end.
    fn next_patient(mut self, mut ahead: Ahead, from: usize, now: Now) -> Turn {
        if ahead.stopping {
            return self.over(ahead, None, now);
        }
        // The line may have gone while the page was read; the allowance may be spent.
        if self.allowance_bars(Ground::Authorization, now) {
            return self.over(ahead, Some(Trouble::AllowanceSpent), now);
        }
        for place in from..ahead.patients.len() {
            let Stands::ToFetch { documents, here } = &ahead.patients[place].stands else { continue };
            let (asked, here) = (documents.clone(), *here);
            // An authorization ends on its hour, not with the page.
            let decision = ahead.patients[place]
                .answer
                .as_ref()
                .map(|answer| decide(&facts::ahead(&ahead.here, answer, &self.rules, now)));
            if let Some(decision) = decision.filter(|decision| !decision.allow) {
                ahead.patients[place].stands = Stands::Denied(Box::new(decision));
                continue;
            }
            let documents = self.permitted(&ahead, place, asked, now);
            ahead.patients[place].stands = Stands::ToFetch { documents: documents.clone(), here };
            if documents.is_empty() {
                return self.keep(ahead, place, vec![], (0, None), now);
            }
            let ticket = self.ticket();
            let patient = ahead.patients[place].patient.ins.clone();
            let until = now.since_boot + fetch_max(&documents);
            ahead.step = AheadStep::Fetching { ticket, place, until };
            return self.ahead(ahead, vec![Effect::FetchAhead { ticket, patient, documents }]);
        }
        self.over(ahead, None, now)
    }

    /// They are here and unseen: first the rows.
    fn fetched_ahead(mut self, mut ahead: Ahead, place: usize, fetched: FetchedAhead, now: Now) -> Turn {
        let FetchedAhead { got, lacking, trouble, bytes_a_second } = fetched;
        self.standing.bytes_a_second = bytes_a_second.or(self.standing.bytes_a_second);
        let Stands::ToFetch { documents, here } = &ahead.patients[place].stands else {
            return self.over(ahead, Some(Trouble::Internal), now);
        };
        // What an authorization that has ended meanwhile brought is not kept.
        let documents = self.permitted(&ahead, place, documents.clone(), now);
        let came: Vec<&Outline> =
            documents.iter().filter(|outline| got.contains(&outline.document().unique_id)).collect();
        if came.is_empty() {
            if trouble.is_none() {
                ahead.patients[place].stands = Stands::Incomplete { here: *here, lacking };
            }
            return self.after_patient(ahead, place, trouble, now);
        }
        let patient = &ahead.patients[place].patient;
        let opened =
            ahead.patients[place].answer.as_ref().map(|answer| facts::ahead(&ahead.here, answer, &self.rules, now));
        let rule = opened.map_or(String::new(), |opened| decide(&opened).rule.id.to_owned());
        let row = |outline: &&Outline| Draft {
            ground: Some(Ground::Authorization),
            mode: Mode::Prefetch,
            rule: rule.clone(),
            document: Some((outline.document().unique_id.clone(), outline.document().type_code.clone())),
            ..row(Class::Prefetched, &ahead.here, patient, &SoFar::nothing(), &self.rules, now)
        };
        let rows: Vec<Draft> = came.iter().map(row).collect();
        let ticket = self.ticket();
        let until = now.since_boot + WAIT_MAX;
        ahead.step = AheadStep::Recording { ticket, place, lacking, trouble, until };
        self.ahead(ahead, vec![Effect::Record { ticket, rows, said: vec![] }])
    }

    fn keep(
        mut self,
        mut ahead: Ahead,
        place: usize,
        committed: Vec<Committed>,
        (lacking, trouble): (u32, Option<Trouble>),
        now: Now,
    ) -> Turn {
        let Stands::ToFetch { documents, .. } = &ahead.patients[place].stands else {
            return self.over(ahead, Some(Trouble::Internal), now);
        };
        let whole = lacking == 0 && trouble.is_none() && committed.len() == documents.len();
        let patient = ahead.patients[place].patient.ins.clone();
        let ticket = self.ticket();
        ahead.step = AheadStep::Keeping { ticket, place, lacking, trouble, until: now.since_boot + WAIT_MAX };
        self.ahead(ahead, vec![Effect::KeepAhead { ticket, patient, committed, whole }])
    }

    fn kept_ahead(
        self,
        mut ahead: Ahead,
        place: usize,
        answer: Result<u32, Trouble>,
        (lacking, trouble): (u32, Option<Trouble>),
        now: Now,
    ) -> Turn {
        let Stands::ToFetch { documents, here } = &ahead.patients[place].stands else {
            return self.over(ahead, Some(Trouble::Internal), now);
        };
        let (wanted, here) = (count(documents.len()), *here);
        ahead.patients[place].stands = match answer {
            // Cut short: those that are kept are found here the next time.
            Ok(_) if trouble.is_some() => return self.after_patient(ahead, place, trouble, now),
            Ok(kept) if kept == wanted && lacking == 0 => Stands::Ready { here: here + kept },
            Ok(kept) => Stands::Incomplete { here: here + kept, lacking: wanted.saturating_sub(kept) },
            Err(failed) => Stands::Failed(failed),
        };
        self.after_patient(ahead, place, trouble, now)
    }

    fn after_patient(self, ahead: Ahead, place: usize, trouble: Option<Trouble>, now: Now) -> Turn {
        match trouble {
            Some(trouble) => self.over(ahead, Some(trouble), now),
            None => self.next_patient(ahead, place + 1, now),
        }
    }

    /// Whoever comes back to a page that went on alone begins a new visit.
    /// With nobody there the card is asked back at once.
    fn over(mut self, mut ahead: Ahead, trouble: Option<Trouble>, now: Now) -> Turn {
        if now.since_boot >= ahead.here.until {
            return self.end(Page::TakeCard(trouble.unwrap_or(Trouble::RoundPrepared)));
        }
        ahead.step = AheadStep::Over { trouble };
        if trouble == Some(Trouble::Offline) {
            self.standing.link = LinkState::Offline;
        }
        self.ahead(ahead, vec![Effect::DropAhead])
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Three questions a patient, four patients at a time.
fn survey_max(patients: usize) -> Duration {
    WAIT_MAX + Duration::from_secs(5) * count(patients)
}

/// The thinnest line that is worth waiting for: 2 KB/s. A line that breaks ends it long before.
fn fetch_max(documents: &[Outline]) -> Duration {
    let bytes: u64 = documents.iter().map(Outline::size_bytes).sum();
    FETCH_LEAST + Duration::from_secs(bytes / 2_000)
}

const FETCH_LEAST: Duration = Duration::from_secs(120);
