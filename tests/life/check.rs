//! What must be true after every step, whatever happened.

use crate::life::people::TEAM_MEMBER;
use crate::life::people::round;
use crate::life::people::upstream_teams;
use crate::life::world::Fault;
use crate::life::world::Life;
use crate::life::world::concerns;
use crate::life::world::is_denied;
use chevet::journal::Committed;
use chevet::journal::Draft;
use chevet::journal::consent::Answer;
use chevet::journal::consent::Said;
use chevet::journal::consent::Scope;
use chevet::journal::consent::Speaker;
use chevet::journal::item::Contribution;
use chevet::journal::item::Deed;
use chevet::journal::words::Class;
use chevet::journal::words::Ground;
use chevet::journal::words::Mode;
use chevet::patient::ins::Ins;
use chevet::policy::Decision;
use chevet::policy::emergency;
use chevet::policy::facts::Cell;
use chevet::policy::matrix::Place;
use chevet::record::document::Document;
use chevet::record::document::Label;
use chevet::record::document::UniqueId;
use chevet::record::state::Authorization;
use chevet::record::state::Existence;
use chevet::record::state::TeamWord;
use chevet::say::Both;
use chevet::screen::view::Body;
use chevet::screen::view::DeviceFacts;
use chevet::screen::view::view;
use chevet::trouble::Trouble;
use chevet::visit::Effect;
use chevet::visit::Event;
use chevet::visit::Page;
use chevet::visit::effect::Paper;
use chevet::visit::event::Insertion;
use chevet::visit::event::PinAnswer;
use chevet::visit::event::Touch;
use chevet::visit::page::ReaderStep;
use chevet::visit::page::Record;
use chevet::visit::page::Room;
use chevet::visit::page::SearchStep;
use chevet::visit::page::Visit;
use chevet::visit::page::gate::Answered;
use chevet::visit::page::gate::EventOfCare;
use chevet::visit::page::gate::GateStep;
use std::sync::Arc;

/// What the lives went through, so that an idle simulation shows.
#[derive(Debug, Default)]
pub struct Lived {
    pub homes: u64,
    pub lists: u64,
    pub searches: u64,
    pub finds: u64,
    /// Lines of summaries that were shown.
    pub summed_up: u64,
    /// Notes finished; own documents changed.
    pub deposits: u64,
    /// Refused notes that were written anew.
    pub corrections: u64,
    pub changes: u64,
    pub documents: u64,
    pub consents: u64,
    pub refusals: u64,
    pub denied_documents: u64,
    pub denied_records: u64,
    pub cards_out: u64,
    pub cards_out_of_documents: u64,
    pub disk_refusals: u64,
    pub late_answers: u64,
    pub allowance_refusals: u64,
    pub last_tries: u64,
    pub untold_tries: u64,
    pub keyed_pins: u64,
    pub blocked: u64,
    pub handed_over: u64,
    pub printed: u64,
    pub prints_stopped: u64,
    pub rounds_made: u64,
    /// Lists opened, by ground.
    pub by_authorization: u64,
    pub by_team: u64,
    pub by_explicit: u64,
    pub by_colleague: u64,
    pub by_break_glass: u64,
    /// In the upstream's care team; in brain death, under a signed framework.
    pub by_care_team: u64,
    pub by_framework: u64,
    pub refused_upstream: u64,
    /// Answers, by kind.
    pub informed: u64,
    pub continued: u64,
    pub withdrawn: u64,
    pub signed: u64,
    pub represented: u64,
    pub for_colleagues: u64,
    pub secret: u64,
    pub brain_death: u64,
    pub duties: u64,
    /// Visits by telephone: approvals, homes, lists, documents; and how open ones ended.
    pub phone_answers: u64,
    pub phone_homes: u64,
    pub phone_lists: u64,
    pub phone_documents: u64,
    pub phone_quits: u64,
    pub phone_inactive: u64,
    pub phone_tokens: u64,
    pub phone_networks: u64,
    pub phone_cards: u64,
    /// Rounds prepared, and copies that were kept; cut short; copies that a no kept out; national traces made.
    pub prepared: u64,
    pub prefetched: u64,
    pub cut_short: u64,
    pub kept_nothing: u64,
    pub national: u64,
    /// Screens locked, and pages that were come back to.
    pub locks: u64,
    pub resumes: u64,
}

impl Lived {
    pub fn add(&mut self, other: Lived) {
        self.homes += other.homes;
        self.lists += other.lists;
        self.searches += other.searches;
        self.finds += other.finds;
        self.summed_up += other.summed_up;
        self.deposits += other.deposits;
        self.corrections += other.corrections;
        self.changes += other.changes;
        self.documents += other.documents;
        self.consents += other.consents;
        self.refusals += other.refusals;
        self.denied_documents += other.denied_documents;
        self.denied_records += other.denied_records;
        self.cards_out += other.cards_out;
        self.cards_out_of_documents += other.cards_out_of_documents;
        self.disk_refusals += other.disk_refusals;
        self.late_answers += other.late_answers;
        self.allowance_refusals += other.allowance_refusals;
        self.last_tries += other.last_tries;
        self.untold_tries += other.untold_tries;
        self.keyed_pins += other.keyed_pins;
        self.blocked += other.blocked;
        self.handed_over += other.handed_over;
        self.printed += other.printed;
        self.prints_stopped += other.prints_stopped;
        self.rounds_made += other.rounds_made;
        self.by_authorization += other.by_authorization;
        self.by_team += other.by_team;
        self.by_explicit += other.by_explicit;
        self.by_colleague += other.by_colleague;
        self.by_break_glass += other.by_break_glass;
        self.by_care_team += other.by_care_team;
        self.by_framework += other.by_framework;
        self.refused_upstream += other.refused_upstream;
        self.informed += other.informed;
        self.continued += other.continued;
        self.withdrawn += other.withdrawn;
        self.signed += other.signed;
        self.represented += other.represented;
        self.for_colleagues += other.for_colleagues;
        self.secret += other.secret;
        self.brain_death += other.brain_death;
        self.duties += other.duties;
        self.phone_answers += other.phone_answers;
        self.phone_homes += other.phone_homes;
        self.phone_lists += other.phone_lists;
        self.phone_documents += other.phone_documents;
        self.phone_quits += other.phone_quits;
        self.phone_inactive += other.phone_inactive;
        self.phone_tokens += other.phone_tokens;
        self.phone_networks += other.phone_networks;
        self.phone_cards += other.phone_cards;
        self.prepared += other.prepared;
        self.prefetched += other.prefetched;
        self.cut_short += other.cut_short;
        self.kept_nothing += other.kept_nothing;
        self.national += other.national;
        self.locks += other.locks;
        self.resumes += other.resumes;
    }
}

impl Lived {
    fn count_ground(&mut self, record: &Record) {
        match record.ground {
            Ground::Authorization => self.by_authorization += 1,
            Ground::Team => self.by_team += 1,
            Ground::Explicit if record.so_far.answered == Answered::NotAsked => self.by_colleague += 1,
            Ground::Explicit => self.by_explicit += 1,
            Ground::BreakGlass => self.by_break_glass += 1,
            Ground::Refused => {}
        }
        self.by_care_team += u64::from(record.ground == Ground::Team && record.answer.state.care_team.is_some());
        self.by_framework += u64::from(record.so_far.brain_death);
        self.continued += u64::from(record.so_far.event == EventOfCare::Continued);
    }
}

/// A search, or a summary's lines, outside an emergency: each begins with its row.
fn looks_for_more(row: &Draft) -> bool {
    matches!(row.class, Class::Searched | Class::Summary) && row.mode != Mode::BrisDeGlace
}

const DAY_S: i64 = 86_400;

/// What is remembered of an event before the visit consumes it.
enum Was {
    CardOut,
    StaleCard,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Touched {
    Yes,
    No,
    Else,
}

pub fn device() -> DeviceFacts {
    DeviceFacts {
        site_name: "Cabinet".into(),
        software: "chevet".into(),
        key_provider: Both {
            french: "Borne non protégée contre le vol".into(),
            english: "Device not protected against theft".into(),
        },
        time_zone: "Europe/Paris".into(),
        has_scanner: true,
        in_force: Default::default(),
    }
}

impl Life {
    /// Gives the visit one event, checks every promise, keeps the questions.
    pub fn tell(&mut self, event: Event) {
        let before = self.visit.page.name();
        let was = match &event {
            Event::CardOut => Was::CardOut,
            Event::PinChecked { insertion, .. } | Event::CardRead { insertion, .. }
                if before != "opening" && self.inside.is_none_or(|(_, inside)| inside != *insertion) =>
            {
                Was::StaleCard
            }
            _ => Was::Other,
        };
        let touched = match &event {
            Event::Touched(Touch::Yes | Touch::Signed(_)) => Touched::Yes,
            Event::Touched(Touch::No) => Touched::No,
            _ => Touched::Else,
        };
        self.hear_of_tries(&event, before);
        let cause = self.cause_of(&event);
        let nothing = Visit::new(Arc::new(self.visit.rules().clone()));
        let visit = std::mem::replace(&mut self.visit, nothing);
        let (visit, effects) = visit.step(event, self.now);
        self.visit = visit;
        let at = format!("seed {}: {} → {}", self.seed, before, self.visit.page.name());

        self.check_card_out(&was, &effects, before, &at);
        self.check_lock(&effects, before, &at);
        self.check_phone_end(cause, &effects, &at);
        self.check_presence(&at);
        self.check_memory_only(&effects, &at);
        self.check_pixels(&at);
        self.check_law(&at);
        self.check_rows(&effects, touched, &at);
        self.check_reasons(&at);
        self.check_pin(&effects, before, &at);
        self.check_allowance(&effects, &at);
        self.check_ahead(&effects, before, &at);
        self.check_compose(&effects, before, &at);
        self.count(before);
        if !matches!(self.visit.page, Page::AskPin(_)) || before != "ask_pin" {
            self.last_try_agreed = false;
        }
        self.questions.extend(effects);
    }

    /// What the visit is told of the tries that the card in the reader has left; late answers about another tell nothing.
    fn hear_of_tries(&mut self, event: &Event, before: &str) {
        let is_in = |asked: &Insertion| self.inside.is_some_and(|(_, inside)| inside == *asked);
        match event {
            Event::CardRead { insertion, answer: Ok(card) } if before == "reading_card" && is_in(insertion) => {
                self.told_tries = card.tries_left;
            }
            Event::PinChecked { insertion, answer: PinAnswer::Wrong { tries_left } }
                if before == "checking_pin" && is_in(insertion) =>
            {
                self.told_tries = Some(*tries_left);
            }
            _ => {}
        }
    }

    /// With the allowance spent nothing of a record is asked for in the ordinary way; bris de glace is neither widened nor
    /// narrowed by it (DESIGN §6).
    fn check_allowance(&mut self, effects: &[Effect], at: &str) {
        let spent = self.visit.standing.allowance.unanchored.rows >= 5_000;
        let asks = effects.iter().any(|effect| {
            matches!(effect, Effect::List { mode, .. } | Effect::Fetch { mode, .. } if *mode != Mode::BrisDeGlace)
                || matches!(effect, Effect::AskStates { .. } | Effect::FetchAhead { .. })
                || matches!(effect, Effect::Record { rows, .. } if rows.iter().any(looks_for_more))
        });
        assert!(!(spent && asks), "{at}: a record is asked for with the allowance spent");
        let says = |step: &GateStep| matches!(step, GateStep::Failed { trouble: Trouble::AllowanceSpent });
        let refused = match &self.visit.page {
            Page::Gate(gate) => says(&gate.step),
            Page::Document(reader) => {
                matches!(reader.step, ReaderStep::Failed { trouble: Trouble::AllowanceSpent })
            }
            _ => false,
        };
        let urgent = match &self.visit.page {
            Page::Gate(gate) => gate.so_far.emergency.is_some(),
            Page::Document(reader) => reader.record.so_far.emergency.is_some(),
            _ => false,
        };
        assert!(!(refused && urgent), "{at}: an emergency waits for the network");
        self.lived.allowance_refusals += u64::from(refused && spent);
    }

    /// P3: the very step that sees the card go leaves a blank page, and locks; an answer for a card that is not there
    /// opens nothing.
    fn check_card_out(&self, was: &Was, effects: &[Effect], before: &str, at: &str) {
        let body = view(&self.visit, self.now, &device()).body;
        let says_something =
            matches!(body, Body::Documents(_) | Body::History(_) | Body::Reader(_) | Body::Summary(_) | Body::Facts(_));
        let may = matches!(self.visit.page, Page::Record(_) | Page::Document(_));
        assert!(may || !says_something, "{at}: the screen tells of a record that is not open");
        if matches!(was, Was::CardOut) {
            assert!(matches!(body, Body::Idle(_)), "{at}: card out, and the screen is not blank");
            assert!(matches!(self.visit.page, Page::Idle), "{at}: card out, and not idle");
            assert!(self.visit.holder().is_none() && self.visit.patient().is_none(), "{at}: somebody is left");
            assert!(matches!(effects, [Effect::Lock]), "{at}: card out asks for more or less than the lock");
        }
        if matches!(was, Was::StaleCard) {
            let opened = before != "opening" && matches!(self.visit.page, Page::Opening(_));
            assert!(!opened, "{at}: opened by an answer for another card");
        }
    }

    /// A locked screen says nothing of any record, its keys are gone, and what was put by comes back to nobody but its own
    /// holder, whose card never left and who typed their PIN since.
    fn check_lock(&mut self, effects: &[Effect], before: &str, at: &str) {
        if let Page::Locked(locked) = &self.visit.page {
            let Body::Locked(page) = view(&self.visit, self.now, &device()).body else {
                panic!("{at}: locked, and the screen shows something else")
            };
            let said = [page.name, page.role, page.title, page.sentence, page.act_label, page.foot].join(" ");
            let names = round().into_iter().map(|entry| entry.patient.birth_name);
            assert!(!names.into_iter().any(|name| said.contains(&name)), "{at}: a locked screen names a patient");
            assert!(
                self.visit.here().is_none() && self.visit.patient().is_none(),
                "{at}: locked, and somebody is here"
            );
            if before != "locked" {
                assert!(matches!(effects, [Effect::Lock]), "{at}: locked, and the keys stay");
            }
            if self.locked.as_ref().map(|(_, insertion, _)| *insertion) != Some(locked.insertion) {
                self.lived.locks += 1;
            }
            let rows = self.rows.len();
            self.locked = Some((locked.holder.id.clone(), locked.insertion, rows));
            return;
        }
        let is_back = before == "opening" && !matches!(self.visit.page, Page::Home(_) | Page::Duty(_));
        if let Some(here) = self.visit.here().filter(|_| is_back) {
            let (holder, insertion, rows) = self.locked.take().unwrap_or_else(|| panic!("{at}: back from no lock"));
            assert_eq!((&here.holder.id, here.insertion), (&holder, insertion), "{at}: somebody else's page");
            let since = self.rows.iter().skip(rows);
            let proven = since.filter(|row| row.class == Class::Login && row.holder == holder).count();
            assert!(proven > 0, "{at}: back without a PIN");
            self.lived.resumes += 1;
        }
    }

    /// P3: whoever is here has their card in the reader, in this very stay; or approved this very request, and their token serves.
    fn check_presence(&self, at: &str) {
        if self.check_caller(at) {
            return;
        }
        let asked = match &self.visit.page {
            Page::AskPin(ask) => Some((&ask.card.holder.id, ask.insertion)),
            Page::CheckingPin { insertion, card, .. } => Some((&card.holder.id, *insertion)),
            Page::ChoosingSituation(choosing) => Some((&choosing.holder.id, choosing.insertion)),
            Page::Opening(opening) => Some((&opening.holder.id, opening.insertion)),
            _ => None,
        };
        if let Some(asked) = asked {
            let inside = self.inside.map(|(which, insertion)| (&self.cards[which].holder.id, insertion));
            let said = self.fault != Fault::CardOutUnsaid;
            assert!(!said || inside == Some(asked), "{at}: a PIN page for a card that is not in");
        }
        if let Some(here) = self.visit.here() {
            let inside = self.inside.map(|(which, insertion)| (self.cards[which].holder.id.clone(), insertion));
            assert_eq!(inside, Some((here.holder.id.clone(), here.insertion)), "{at}: open for a card that is out");
        }
    }

    /// P1: what is on the page has its row on the disk.
    fn check_pixels(&self, at: &str) {
        let (record, document) = match &self.visit.page {
            Page::Record(record) => (&**record, None),
            Page::Document(reader) => {
                let document = &reader.record.documents[reader.place].document.unique_id;
                let shown = matches!(reader.step, ReaderStep::Shown { .. });
                (&reader.record, shown.then_some(document))
            }
            _ => return,
        };
        let holder = &record.here.holder.id;
        let on_disk = |class: Class, document: Option<&UniqueId>| {
            self.rows.iter().any(|row| {
                row.class == class
                    && &row.holder == holder
                    && row.patient.as_ref() == Some(&record.patient.ins)
                    && row.login == Some(record.here.login)
                    && row.document.as_ref().map(|(id, _)| id) == document
            })
        };
        assert!(on_disk(Class::Listed, None), "{at}: a list without its row");
        // The row says where the list came from, under which ground, and by which rule.
        let listed = usize::try_from(record.listed.index()).ok().and_then(|index| self.rows.get(index));
        let said = listed.map(|row| (row.source, row.ground, row.rule.is_empty()));
        assert_eq!(said, Some((record.source, Some(record.ground), false)), "{at}: a row that is not true");
        if let (Room::Summary, Some(summary)) = (&record.room, &record.summary) {
            for line in summary.lines.iter().filter(|line| !line.is_named_only) {
                let document = &record.documents[line.place].document.unique_id;
                assert!(on_disk(Class::Summary, Some(document)), "{at}: a summary's line without its document's row");
            }
        }
        if let Room::Found { .. } | Room::Searching { step: SearchStep::Looking, .. } = &record.room {
            assert!(on_disk(Class::Searched, None), "{at}: a search without its row");
        }
        if let Some(document) = document {
            assert!(on_disk(Class::Opened, Some(document)), "{at}: a document without its row");
        }
    }

    /// A page without an alarm is one that waits for people only.
    pub fn check_nothing_waits(&self) {
        let page = self.visit.page.name();
        assert!(matches!(self.visit.page, Page::Idle | Page::TakeCard(_)), "seed {}: {page} waits, unseen", self.seed);
    }

    /// P1, at the door: the vault is asked to release only what a durable row covers.
    pub fn check_release(&self, patient: &Ins, document: &Document, committed: &Committed) {
        let at = format!("seed {}: release", self.seed);
        assert!(committed.covers_document(patient, &document.unique_id), "{at}: a row about something else");
        let row = usize::try_from(committed.index()).ok().and_then(|index| self.rows.get(index));
        let class = row.map(|row| row.class);
        assert!(matches!(class, Some(Class::Opened | Class::Summary)), "{at}: no such row on the disk");
    }

    /// P1, at the printer: what is about a patient has a row of its own that says that it was printed.
    pub fn check_paper(&self, paper: &Paper, committed: Option<&Committed>) {
        let at = format!("seed {}: paper", self.seed);
        let Some(committed) = committed else {
            assert!(matches!(paper, Paper::Leaflet), "{at}: a patient's, without a row");
            return;
        };
        let row = usize::try_from(committed.index()).ok().and_then(|index| self.rows.get(index));
        let row = row.unwrap_or_else(|| panic!("{at}: no such row on the disk"));
        assert_eq!(row.class, Class::Printed, "{at}: a row about something else");
        let of_row = row.document.as_ref().map(|(id, _)| id);
        match paper {
            Paper::Document { patient, document, .. } => {
                assert_eq!((row.patient.as_ref(), of_row), (Some(&patient.ins), Some(&document.unique_id)), "{at}");
            }
            Paper::History { patient, .. } => {
                assert_eq!((row.patient.as_ref(), of_row), (Some(&patient.ins), None), "{at}");
            }
            Paper::Receipt(_) => assert_eq!((row.patient.is_some(), of_row), (true, None), "{at}"),
            Paper::Leaflet => panic!("{at}: a leaflet is about nobody"),
        }
    }

    /// P5: nothing is shown that the law does not permit, and nothing unknown.
    fn check_law(&self, at: &str) {
        let Page::Record(record) = &self.visit.page else { return };
        assert!(!record.answer.state.blocked, "{at}: blocked, and open");
        assert_eq!(record.answer.state.existence, Existence::Open, "{at}: not open upstream, and open");
        let place = Place::of(record.here.holder.profession, record.here.holder.pharmacist_section.as_deref());
        for permitted in &record.documents {
            let document = &permitted.document;
            assert!(permitted.decision.allow, "{at}: listed against its decision");
            assert_eq!(self.visit.rules().matrix.cell(&place, &document.type_code), Cell::Yes, "{at}: matrix");
            assert!(!document.labels.iter().any(|label| matches!(label, Label::Unknown(_))), "{at}: label");
        }
        self.check_ground(record, at);
        let seen = record.documents.len() + record.denied.iter().map(|denied| denied.count as usize).sum::<usize>();
        assert_eq!(seen, 5, "{at}: a document vanished: neither shown nor counted");
    }

    /// A record is open on an authorization that stands, on a consent that is on the disk, or in an emergency whose own
    /// row came first. Told anew here, from what the disk and the upstream say.
    fn check_ground(&self, record: &Record, at: &str) {
        let (holder, patient) = (&record.here.holder.id, &record.patient.ins);
        let listed = usize::try_from(record.listed.index()).ok().and_then(|index| self.rows.get(index));
        let Some(listed) = listed else { panic!("{at}: no row") };
        assert_eq!(
            (listed.mode, listed.secret),
            (record.so_far.mode(), record.so_far.secret),
            "{at}: how it was opened"
        );
        assert!(!listed.secret || record.answer.state.minor == Some(true), "{at}: a secret that is not a minor's");
        let framework = self.visit.rules().framework.as_ref().map(|signed| signed.reference().to_owned());
        assert!(!record.so_far.brain_death || framework.is_some(), "{at}: brain death without a framework");
        assert_eq!(listed.framework, framework.filter(|_| record.so_far.brain_death), "{at}: the framework's row");
        let mine: Vec<&Said> =
            self.said.iter().filter(|said| said.patient == *patient && concerns(said, Some(holder))).collect();
        let last_is_yes = mine.last().is_none_or(|said| said.answer == Answer::Yes);
        assert!(last_is_yes, "{at}: open against the patient's last word");
        let (care_team, words) = upstream_teams(&record.patient, Some(holder));
        let of_team = holder.0 == TEAM_MEMBER || care_team.is_some();
        let after = |word: &TeamWord, said: &Said| {
            matches!(&said.scope, Scope::Team(team) if *team == word.team)
                && said.answer == Answer::Yes
                && word.at.is_some_and(|at| said.at.wall.value() > at)
        };
        let overruled = |word: &TeamWord| !word.agreed && !mine.iter().any(|said| after(word, said));
        assert!(!words.iter().any(overruled), "{at}: open against what the upstream knows");
        let agreed_upstream = words.iter().any(|word| word.agreed);
        let said = |wanted: &dyn Fn(&Said) -> bool| mine.iter().any(|said| said.answer == Answer::Yes && wanted(said));
        let of_today =
            |said: &Said| said.at.wall.value().0.div_euclid(DAY_S) == listed.at.wall.value().0.div_euclid(DAY_S);
        match record.ground {
            Ground::Authorization => {
                assert!(matches!(record.answer.state.authorization, Authorization::Valid { .. }), "{at}: ground");
            }
            Ground::Team => {
                assert!(of_team, "{at}: not of the team");
                let consented = agreed_upstream || said(&|said| matches!(said.scope, Scope::Team(_)));
                assert!(consented, "{at}: no initial consent");
                let told = |said: &Said| matches!(said.scope, Scope::Team(_) | Scope::Event(_));
                let goes_on = record.so_far.event == EventOfCare::Continued;
                assert!(said(&|said| told(said) && (goes_on || of_today(said))), "{at}: the patient was not informed");
            }
            Ground::Explicit => {
                let once = |said: &Said| said.scope == Scope::HolderOnce && said.holder == *holder && of_today(said);
                assert!(said(&once), "{at}: open without the patient's word");
                let by_another = |said: &Said| once(said) && said.collected_by != *holder;
                assert!(!of_team || said(&by_another), "{at}: the team's member is asked as such: {mine:#?}");
            }
            Ground::BreakGlass => {
                let broken = self.rows.iter().any(|row| {
                    row.class == Class::BreakGlass
                        && row.patient.as_ref() == Some(patient)
                        && row.login == Some(record.here.login)
                        && row.reason.as_deref().and_then(emergency::reason).is_some()
                });
                assert!(broken, "{at}: the glass was broken without its own row and reason");
                let allowed = record.answer.state.emergency.is_some_and(|switches| switches.other_professionals);
                assert!(allowed, "{at}: the patient's switch is not on");
                let Body::Documents(page) = view(&self.visit, self.now, &device()).body else { return };
                let says = |words| page.bar.banner.text.contains(words);
                assert!(says("bris de glace") || says("Emergency access"), "{at}: no banner");
            }
            Ground::Refused => panic!("{at}: open on a refusal"),
        }
    }

    /// P6: whatever is denied names its rule and says why in a sentence.
    fn check_reasons(&self, at: &str) {
        let explained = |decision: &Decision| {
            assert!(
                !decision.allow && !decision.rule.id.is_empty() && decision.rule.sentence.ends_with('.'),
                "{at}: why?"
            );
        };
        match &self.visit.page {
            Page::Gate(gate) => {
                let GateStep::Denied { decision } = &gate.step else { return };
                explained(decision);
                let Body::Why(why) = view(&self.visit, self.now, &device()).body else {
                    panic!("{at}: no reason shown")
                };
                assert!(
                    why.reasons.iter().all(|reason| !reason.sentence.is_empty() && !reason.next.is_empty()),
                    "{at}"
                );
            }
            Page::Record(record) => record.denied.iter().for_each(|denied| explained(&denied.decision)),
            _ => {}
        }
    }

    /// P4: every row names the holder whose card is in, and the login that proved it; a consent is what was touched.
    fn check_rows(&mut self, effects: &[Effect], touched: Touched, at: &str) {
        for effect in effects {
            if let Effect::Contribute { row, contribution, .. } = effect {
                self.check_contribution(row, contribution, touched, at);
            }
            let Effect::Record { rows, said, .. } = effect else { continue };
            let inside = self.who();
            for row in rows {
                assert_eq!(Some(&row.holder), inside.as_ref(), "{at}: a row under another name");
                assert_eq!(row.login.is_none(), row.class == Class::Login, "{at}: a row without its login");
            }
            for said in said {
                assert_eq!(Some(&said.collected_by), inside.as_ref(), "{at}: a consent under another name");
                let for_another = said.holder != said.collected_by;
                assert!(
                    !for_another || !matches!(said.scope, Scope::Team(_) | Scope::Event(_)),
                    "{at}: for a colleague"
                );
                let wanted = match (said.answer, said.shown.text.as_str()) {
                    (Answer::Yes, _) | (Answer::Withdrawn, "RT-1") => Touched::Yes,
                    (Answer::No, _) | (Answer::Withdrawn, _) => Touched::No,
                };
                assert_eq!(touched, wanted, "{at}: a word that nobody gave");
                self.lived.signed += u64::from(said.signature.is_some());
                self.lived.represented += u64::from(said.by != Speaker::Patient);
                self.lived.for_colleagues += u64::from(for_another);
                self.lived.informed += u64::from(said.shown.text == "IN-1" && said.answer == Answer::Yes);
            }
        }
        // What the disk holds names the login row's own holder, for ever.
        for row in &self.rows {
            let known = self.cards.iter().any(|card| card.holder.id == row.holder);
            assert!(known, "{at}: a row of nobody's");
            let Some(login) = row.login else { continue };
            let named = usize::try_from(login).ok().and_then(|login| self.rows.get(login));
            assert_eq!(named.map(|row| (row.class, &row.holder)), Some((Class::Login, &row.holder)), "{at}: author");
        }
    }

    /// P4, P5: under the name of whoever's card is in, of a type that the matrix opens to them, and only on their yes.
    fn check_contribution(&self, row: &Draft, one: &Contribution, touched: Touched, at: &str) {
        let inside = self.who();
        assert_eq!((Some(&row.holder), Some(&one.author)), (inside.as_ref(), inside.as_ref()), "{at}: another's name");
        assert_eq!(touched, Touched::Yes, "{at}: a deposit that nobody confirmed");
        assert_eq!((row.class, row.patient.as_ref()), (Class::Contributed, Some(&one.patient)), "{at}: another row");
        let Page::Record(record) = &self.visit.page else { panic!("{at}: a deposit outside a record") };
        assert_eq!(record.patient.ins, one.patient, "{at}: into another record");
        let place = Place::of(record.here.holder.profession, record.here.holder.pharmacist_section.as_deref());
        let cell = self.visit.rules().matrix.cell(&place, &one.type_code);
        assert_eq!(cell, Cell::Yes, "{at}: a type that is not known to be permitted");
        match &one.deed {
            Deed::Add { note, .. } => {
                assert_eq!(Some(&note.writer.id), inside.as_ref(), "{at}: written by somebody else");
                assert!(!note.text.is_empty(), "{at}: an empty note");
            }
            Deed::Change { .. } => {
                assert_eq!(inside.as_ref().map(|me| me.0.as_str()), Some(TEAM_MEMBER), "{at}: not theirs")
            }
        }
    }

    /// P7: one PIN for one touch of "Valider", never a wrong length, never a last try without a yes.
    fn check_pin(&mut self, effects: &[Effect], before: &str, at: &str) {
        for effect in effects {
            let insertion = match effect {
                Effect::CheckPin { insertion, pin } => {
                    assert!(self.confirmed && before == "ask_pin", "{at}: a PIN that nobody confirmed");
                    assert!((4..=8).contains(&pin.count()), "{at}: {} digits reached the card", pin.count());
                    insertion
                }
                // The reader's own key confirms; nothing has to be pressed here, but for a last try.
                Effect::CheckPinOnReader { insertion } => insertion,
                _ => continue,
            };
            let which = self.inside.map(|(which, inside)| {
                assert_eq!(inside, *insertion, "{at}: a PIN for another card");
                which
            });
            let is_last = which.is_some_and(|which| self.cards[which].tries_left == 1);
            // A card that does not say may be at its last.
            if is_last || self.told_tries.is_none() {
                assert!(self.last_try_agreed, "{at}: a last try was spent without a yes");
                self.lived.last_tries += u64::from(is_last);
                self.lived.untold_tries += u64::from(!is_last);
            }
        }
        self.confirmed = false;
    }

    fn count(&mut self, before: &str) {
        let after = self.visit.page.name();
        if before != after {
            let by_phone = self.visit.is_by_phone();
            self.lived.phone_homes += u64::from(after == "home" && before == "duty" && by_phone);
            self.lived.phone_lists += u64::from(after == "record" && before == "gate" && by_phone);
            self.lived.homes += u64::from(after == "home" && before == "opening");
            self.lived.lists += u64::from(after == "record" && before == "gate");
            self.lived.duties += u64::from(after == "home" && before == "duty");
            if let (Page::Record(record), "gate") = (&self.visit.page, before) {
                self.lived.count_ground(record);
            }
            if let Page::Record(record) = &self.visit.page {
                self.lived.finds += u64::from(matches!(&record.room, Room::Found { places, .. } if !places.is_empty()));
                self.lived.denied_documents += record.denied.iter().map(|denied| u64::from(denied.count)).sum::<u64>();
            }
        }
        if let Page::Record(record) = &self.visit.page
            && let (Room::Summary, Some(summary)) = (&record.room, &record.summary)
        {
            self.lived.summed_up += summary.lines.iter().filter(|line| !line.is_named_only).count() as u64;
        }
        match &self.visit.page {
            Page::Document(reader) if matches!(reader.step, ReaderStep::Shown { .. }) => {
                self.lived.documents += 1;
                self.lived.phone_documents += u64::from(self.visit.is_by_phone());
            }
            Page::Gate(gate) if is_denied(&gate.step) => self.lived.denied_records += 1,
            _ => {}
        }
        let count = |class| self.rows.iter().filter(|row| row.class == class).count() as u64;
        self.lived.consents = count(Class::Consent);
        self.lived.refusals = count(Class::Refused);
        self.lived.withdrawn = count(Class::Withdrawn);
        if let Page::Gate(gate) = &self.visit.page {
            self.lived.secret += u64::from(gate.so_far.secret);
            self.lived.brain_death += u64::from(gate.so_far.brain_death && is_denied(&gate.step));
            let GateStep::Standing { decision, answer, .. } = &gate.step else { return };
            let taken_back = answer.state.team_words.iter().any(|word| !word.agreed);
            self.lived.refused_upstream += u64::from(taken_back && !decision.allow);
        }
    }
}
