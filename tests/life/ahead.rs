//! Rounds that are prepared: what there is to fetch, how the line and the disk fail meanwhile, and what must hold whatever
//! happens. The compartment is modelled by what it would hold: copies, and of whom a withdrawal destroyed them.

use crate::life::check::device;
use crate::life::people::TEAM_MEMBER;
use crate::life::people::documents;
use crate::life::world::Fault;
use crate::life::world::Life;
use crate::life::world::concerns;
use chevet::identity::holder::HolderId;
use chevet::journal::Committed;
use chevet::journal::Draft;
use chevet::journal::consent::Answer;
use chevet::journal::consent::Said;
use chevet::journal::consent::Scope;
use chevet::journal::words::Class;
use chevet::journal::words::Ground;
use chevet::journal::words::Mode;
use chevet::journal::words::Source;
use chevet::patient::ins::Ins;
use chevet::patient::ins::Patient;
use chevet::policy::facts::Cell;
use chevet::policy::matrix::Place;
use chevet::record::document::Document;
use chevet::record::document::Label;
use chevet::record::document::Outline;
use chevet::record::document::UniqueId;
use chevet::record::state::Authorization;
use chevet::screen::view::Body;
use chevet::screen::view::view;
use chevet::trouble::Trouble;
use chevet::visit::Effect;
use chevet::visit::Event;
use chevet::visit::Page;
use chevet::visit::event::FetchedAhead;
use chevet::visit::event::Insertion;
use chevet::visit::event::StateAnswer;
use chevet::visit::event::Survey;
use chevet::visit::event::Ticket;
use chevet::visit::event::Touch;
use chevet::visit::page::ahead::AheadStep;
use chevet::visit::page::ahead::Stands;
use std::collections::HashSet;

/// What lies in compartments, whoever's: holder, patient, document.
#[derive(Default)]
pub struct Copies(pub HashSet<(HolderId, Ins, UniqueId)>);

impl Life {
    /// In every other life a round was prepared before it began: of everybody who had agreed by then. In the others all of it
    /// is still to be fetched.
    pub fn with_copies(mut self) -> Life {
        if !self.seed.is_multiple_of(2) {
            return self;
        }
        let holder = HolderId(TEAM_MEMBER.into());
        let agreed = self.said.iter().filter(|said| matches!(said.scope, Scope::Team(_)));
        let agreed: Vec<Ins> = agreed.map(|said| said.patient.clone()).collect();
        let agreed = agreed.into_iter().filter(|patient| !self.has_said_no(patient, &holder));
        let first = |patient: Ins| (holder.clone(), patient.clone(), documents(&patient).swap_remove(0).unique_id);
        self.copies.0 = agreed.map(first).collect();
        self
    }

    pub fn touch_ahead(&mut self) -> Touch {
        // Most people let it work.
        match self.dice.u8(0..18) {
            0 => Touch::Back,
            1 => Touch::Stop,
            2 => Touch::Quit,
            3 => Touch::OpenPatient(0),
            _ => Touch::Start,
        }
    }

    pub fn states_known(&mut self, ticket: Ticket, patients: &[Patient]) -> Event {
        let line = self.dice.u8(0..12) > 0;
        let mut answer = |patient| {
            let lucky = line && self.dice.u8(0..20) > 0;
            if lucky { Ok(self.state_of(patient)) } else { Err(Trouble::Offline) }
        };
        let answers: Vec<Result<StateAnswer, Trouble>> = patients.iter().map(&mut answer).collect();
        Event::StatesKnown { ticket, answers }
    }

    pub fn surveyed(&mut self, ticket: Ticket, patients: &[Ins]) -> Event {
        let holder = self.who();
        let mut answer = |ins: &Ins| {
            if self.dice.u8(0..12) == 0 {
                return Err(Trouble::ServerFailed);
            }
            let listed: Vec<Document> = documents(ins);
            let here = |document: &&Document| {
                let copy = |holder: HolderId| (holder, ins.clone(), document.unique_id.clone());
                holder.clone().is_some_and(|holder| self.copies.0.contains(&copy(holder)))
            };
            let here = listed.iter().filter(here).map(|document| document.unique_id.clone()).collect();
            Ok(Survey { documents: listed.iter().map(Outline::of).collect(), here })
        };
        let answers = patients.iter().map(&mut answer).collect();
        Event::Surveyed { ticket, answers, bytes_a_second: None }
    }

    /// Some come, some do not, and now and then the line goes in the middle.
    pub fn fetched(&mut self, ticket: Ticket, documents: &[Outline]) -> Event {
        let trouble = (self.dice.u8(0..6) == 0).then_some(Trouble::Offline);
        let got: Vec<UniqueId> = documents
            .iter()
            .filter(|_| self.dice.u8(0..6) > 0)
            .map(|outline| outline.document().unique_id.clone())
            .collect();
        let lacking = if trouble.is_some() { 0 } else { (documents.len() - got.len()) as u32 };
        let fetched = FetchedAhead { got, lacking, trouble, bytes_a_second: Some(25_000) };
        Event::FetchedAhead { ticket, fetched }
    }

    /// The compartment takes what its rows account for, while that very card is in; of who said no meanwhile it takes nothing.
    pub fn kept(&mut self, ticket: Ticket, patient: &Ins, committed: &[Committed]) -> Event {
        let at = format!("seed {}: keeping", self.seed);
        for row in committed {
            let listed = documents(patient);
            let about = listed.iter().any(|document| row.covers_copy(patient, &document.unique_id));
            assert!(about, "{at}: a copy without its row");
            let written = usize::try_from(row.index()).ok().and_then(|index| self.rows.get(index));
            let said = written.map(|row| (row.class, row.mode, row.ground));
            let right = Some((Class::Prefetched, Mode::Prefetch, Some(Ground::Authorization)));
            assert_eq!(said, right, "{at}: no such row on the disk");
        }
        let asked = matches!(&self.visit.page, Page::Ahead(ahead) if matches!(ahead.step,
            AheadStep::Keeping { ticket: waiting, .. } if waiting == ticket));
        let Some(holder) = self.who().filter(|_| asked) else {
            return Event::KeptAhead { ticket, answer: Err(Trouble::CardPulledWhileReading) };
        };
        if self.dice.u8(0..10) == 0 {
            return Event::KeptAhead { ticket, answer: Err(Trouble::DiskFull) };
        }
        if self.has_said_no(patient, &holder) {
            self.lived.kept_nothing += 1;
            return Event::KeptAhead { ticket, answer: Ok(0) };
        }
        let covered = documents(patient).into_iter().map(|document| document.unique_id);
        let covered = covered.filter(|id| committed.iter().any(|row| row.covers_copy(patient, id)));
        let copies: Vec<_> = covered.map(|id| (holder.clone(), patient.clone(), id)).collect();
        let kept = copies.len() as u32;
        self.lived.prefetched += u64::from(kept);
        self.copies.0.extend(copies);
        Event::KeptAhead { ticket, answer: Ok(kept) }
    }

    /// What the vault does in the transaction that writes a no.
    pub fn shred(&mut self, said: &[Said]) {
        if self.fault == Fault::CopiesStay {
            return;
        }
        for no in said.iter().filter(|said| said.answer != Answer::Yes) {
            self.copies.0.retain(|(holder, patient, _)| *patient != no.patient || !concerns(no, Some(holder)));
        }
    }

    pub fn national(&mut self, insertion: Insertion) -> Event {
        let mut made: Vec<Ins> = Vec::new();
        let settles = |row: &Draft| {
            row.class == Class::Listed && row.source == Source::Online
                || row.reason.as_deref().is_some_and(|reason| reason.starts_with("national trace"))
        };
        let holder = self.who();
        for (at, row) in self.rows.iter().enumerate() {
            let offline = row.class == Class::Listed && row.source == Source::Cached;
            let Some(patient) = row.patient.clone().filter(|_| offline && Some(&row.holder) == holder.as_ref()) else {
                continue;
            };
            let same = |later: &&Draft| later.patient.as_ref() == Some(&patient) && later.holder == row.holder;
            if !self.rows[at..].iter().filter(same).any(settles) && !made.contains(&patient) {
                made.push(patient);
            }
        }
        let refused = if self.dice.u8(0..5) == 0 { made.pop().into_iter().collect() } else { vec![] };
        self.lived.national += made.len() as u64;
        Event::NationalMade { insertion, made, refused, settled: true }
    }

    fn has_said_no(&self, patient: &Ins, holder: &HolderId) -> bool {
        let mine = |said: &&Said| said.patient == *patient && concerns(said, Some(holder));
        self.said.iter().rfind(mine).is_some_and(|said| said.answer != Answer::Yes)
    }

    pub fn check_ahead(&mut self, effects: &[Effect], before: &str, at: &str) {
        // A document of who took back their word is nowhere.
        for (holder, patient, _) in &self.copies.0 {
            assert!(!self.has_said_no(patient, holder), "{at}: a copy of a record that was taken back");
        }
        for effect in effects {
            match effect {
                Effect::AskStates { .. } | Effect::Survey { .. } => {
                    assert!(self.caller().is_none(), "{at}: a round is prepared by telephone");
                }
                Effect::FetchAhead { patient, documents, .. } => self.check_fetch(patient, documents, at),
                // Never as a consultation, and nothing else is written from that page.
                Effect::Record { rows, said, .. } => {
                    let ahead = before == "ahead";
                    assert!(
                        rows.iter().all(|row| (row.class == Class::Prefetched) == ahead),
                        "{at}: a row of another page"
                    );
                    assert!(!ahead || said.is_empty(), "{at}: a word that nobody gave");
                }
                _ => {}
            }
        }
        let Page::Ahead(ahead) = &self.visit.page else { return };
        assert_eq!(ahead.patients.len(), ahead.here.round.len(), "{at}: somebody fell out of the round");
        let Body::Ahead(page) = view(&self.visit, self.now, &device()).body else { panic!("{at}: another page") };
        let told = page.rows.iter().map(|row| row.label.as_str()).collect::<String>() + &page.summary + &page.hint;
        assert!(!told.contains("TITRE") && !told.contains("Compte rendu"), "{at}: a title, ahead");
        let denied = ahead.patients.iter().filter_map(|one| match &one.stands {
            Stands::Denied(decision) => Some(decision),
            _ => None,
        });
        for decision in denied {
            assert!(!decision.allow && decision.rule.sentence.ends_with('.'), "{at}: why?");
        }
        self.lived.prepared += u64::from(matches!(&ahead.step, AheadStep::Over { trouble: None }) && ahead.ready() > 0);
        self.lived.cut_short +=
            u64::from(matches!(&ahead.step, AheadStep::Over { trouble: Some(_) }) && before == "ahead");
    }

    /// Only under a valid authorization, for the team, after the initial consent, and only what the matrix permits.
    fn check_fetch(&self, patient: &Ins, documents: &[Outline], at: &str) {
        let Page::Ahead(ahead) = &self.visit.page else { panic!("{at}: fetched ahead from another page") };
        let holder = &ahead.here.holder;
        assert!(!self.has_said_no(patient, &holder.id), "{at}: fetched ahead against the patient's word");
        let one = ahead.patients.iter().find(|one| one.patient.ins == *patient).expect("of the round");
        let state = &one.answer.as_ref().expect("asked before").state;
        assert!(matches!(state.authorization, Authorization::Valid { .. }) && !state.blocked, "{at}: no authorization");
        assert_eq!(holder.id.0, TEAM_MEMBER, "{at}: fetched ahead outside the team");
        let consented = |said: &Said| {
            said.patient == *patient && matches!(said.scope, Scope::Team(_)) && said.answer == Answer::Yes
        };
        assert!(self.said.iter().any(consented), "{at}: fetched ahead without the initial consent");
        let place = Place::of(holder.profession, holder.pharmacist_section.as_deref());
        for outline in documents {
            let document = outline.document();
            assert!(document.title.is_empty() && document.type_label.is_empty(), "{at}: a title, ahead");
            assert_eq!(self.visit.rules().matrix.cell(&place, &document.type_code), Cell::Yes, "{at}: matrix");
            assert!(!document.labels.iter().any(|label| matches!(label, Label::Unknown(_))), "{at}: label");
        }
    }
}
