//! The world: cards with their tries, a disk, a network. Everything is drawn from one seed; `fingers` touch the screen,
//! `people` live in it.

use crate::life::ahead::Copies;
use crate::life::check::Lived;
use crate::life::people::BEGINNING;
use crate::life::people::OUTSIDER;
use crate::life::people::TEAM;
use crate::life::people::TEAM_MEMBER;
use crate::life::people::card;
use crate::life::people::consent_to_team;
use crate::life::people::documents;
use crate::life::people::recent;
use crate::life::people::round;
use crate::life::people::rules;
use crate::life::people::said_before;
use crate::life::people::upstream_teams;
use crate::life::phones::Phones;
use chevet::identity::holder::Holder;
use chevet::identity::holder::HolderId;
use chevet::identity::holder::Situation;
use chevet::identity::trust::Verified;
use chevet::journal::Committed;
use chevet::journal::Draft;
use chevet::journal::Held;
use chevet::journal::Pending;
use chevet::journal::Trace;
use chevet::journal::allowance::Allowance;
use chevet::journal::allowance::Limits;
use chevet::journal::allowance::Unanchored;
use chevet::journal::consent::Said;
use chevet::journal::consent::Scope;
use chevet::journal::item::Deed;
use chevet::journal::trace::CardProof;
use chevet::journal::trace::LoginProof;
use chevet::journal::words::Class;
use chevet::journal::words::Ground;
use chevet::journal::words::Source;
use chevet::patient::ins::Ins;
use chevet::patient::ins::Patient;
use chevet::record::document::TypeCode;
use chevet::record::document::UniqueId;
use chevet::record::note::NoteDraft;
use chevet::record::reading::Reading;
use chevet::record::reading::Row;
use chevet::record::reading::RowKind;
use chevet::record::reading::Run;
use chevet::record::state::Authorization;
use chevet::record::state::ClosureReason;
use chevet::record::state::EmergencySwitches;
use chevet::record::state::Existence;
use chevet::record::state::RecordState;
use chevet::record::summary::Part;
use chevet::record::summary::Topic;
use chevet::time::Now;
use chevet::time::UnixSeconds;
use chevet::time::Wall;
use chevet::trouble::Trouble;
use chevet::visit::Effect;
use chevet::visit::Event;
use chevet::visit::Page;
use chevet::visit::Visit;
use chevet::visit::event::CardRead;
use chevet::visit::event::Desk;
use chevet::visit::event::History;
use chevet::visit::event::Insertion;
use chevet::visit::event::LinkState;
use chevet::visit::event::Listing;
use chevet::visit::event::PatientReceipt;
use chevet::visit::event::PinAnswer;
use chevet::visit::event::PinEntry;
use chevet::visit::event::Printed;
use chevet::visit::event::ReaderState;
use chevet::visit::event::Refused;
use chevet::visit::event::RefusedKind;
use chevet::visit::event::StateAnswer;
use chevet::visit::page::gate::GateStep;
use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// What the world gets wrong on purpose, to see the checks fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    VaultLies,
    CardOutUnsaid,
    RowsRenamed,
    ConsentsInvented,
    TokenEndUnsaid,
    /// A withdrawal that destroys nothing.
    CopiesStay,
}

pub struct Life {
    pub seed: u64,
    pub fault: Fault,
    pub dice: fastrand::Rng,
    pub visit: Visit,
    pub now: Now,
    pub cards: Vec<Card>,
    /// The card in the reader, and which stay it is.
    pub inside: Option<(usize, Insertion)>,
    pub insertions: u64,
    /// Which card each stay was, in order.
    stays: Vec<usize>,
    /// What was asked and is not yet answered.
    pub questions: Vec<Effect>,
    pub phones: Phones,
    /// The disk: what is really there.
    pub rows: Vec<Draft>,
    pub said: Vec<Said>,
    pub told: Option<UnixSeconds>,
    /// A draft on the desk. The dice have one desk: whose it is does not matter to the visit.
    pub drafted: Option<(Ins, NoteDraft)>,
    /// Refused notes, and whose each is.
    refused: HashMap<Uuid, HolderId>,
    pub copies: Copies,
    /// How many tries the visit was told are left, of the card that is in.
    pub told_tries: Option<u8>,
    /// An explicit yes to a last try, since the PIN page opened.
    pub last_try_agreed: bool,
    pub confirmed: bool,
    /// Whose page was put by, in which stay, and how many rows there were then.
    pub locked: Option<(HolderId, Insertion, usize)>,
    pub lived: Lived,
}

/// A card as it really is.
pub struct Card {
    pub holder: Holder,
    pub tries_left: u8,
    pub says_tries: bool,
}

impl Life {
    pub fn new(seed: u64, fault: Fault) -> Life {
        let mut dice = fastrand::Rng::with_seed(seed);
        let cards = (0..4).map(|which| card(which, &mut dice)).collect();
        Life {
            seed,
            fault,
            visit: Visit::new(Arc::new(rules(seed.is_multiple_of(2)))),
            now: Now { since_boot: Duration::from_secs(1), wall: Wall::Is(UnixSeconds(BEGINNING)) },
            cards,
            inside: None,
            insertions: 0,
            stays: Vec::new(),
            questions: Vec::new(),
            phones: Phones::default(),
            rows: Vec::new(),
            said: said_before(&mut dice),
            told: [None, Some(UnixSeconds(1_794_900_000)), Some(UnixSeconds(1_700_000_000))][dice.usize(0..3)],
            drafted: None,
            refused: HashMap::new(),
            copies: Copies::default(),
            told_tries: None,
            last_try_agreed: false,
            confirmed: false,
            locked: None,
            lived: Lived::default(),
            dice,
        }
        .with_copies()
    }

    pub fn live(mut self, steps: u32) -> Lived {
        for _ in 0..steps {
            self.happen();
        }
        self.lived
    }

    /// Lives for a while, then every driver falls silent: only time passes.
    pub fn live_then_wait_out(mut self, steps: u32) {
        for _ in 0..steps {
            self.happen();
        }
        for _ in 0..20 {
            let Some(alarm) = self.visit.alarm() else { return self.check_nothing_waits() };
            self.now.since_boot = self.now.since_boot.max(alarm);
            self.tell(Event::Tick);
        }
        panic!("seed {}: the page {} waits for ever", self.seed, self.visit.page.name());
    }

    fn happen(&mut self) {
        let move_card = match (self.inside, &self.visit.page) {
            (None, _) if self.visit.is_by_phone() => 1,
            (None, Page::Idle) => 25,
            (None, _) => 40,
            // People take their card when they are asked to.
            (Some(_), Page::TakeCard(_)) => 25,
            (Some(_), _) => 1,
        };
        match self.dice.u32(0..100) {
            chance if chance < move_card => self.move_card(),
            0..=4 => {
                // Somebody walks off now and then, their card in or without one to take along.
                let is_forgetful = self.seed % 8 == 3 && self.visit.here().is_some();
                let walks_off =
                    self.caller().is_some() && self.dice.u8(0..20) == 0 || is_forgetful && self.dice.u8(0..8) == 0;
                let passed = if walks_off { 301_000 } else { self.dice.u64(0..30_000) };
                self.now.since_boot += Duration::from_millis(passed);
                self.tell(Event::Tick);
            }
            5 => {
                let link = [LinkState::Online, LinkState::Online, LinkState::Offline, LinkState::Unknown]
                    [self.dice.usize(0..4)];
                self.tell(Event::LinkIs(link));
                // Mostly plenty, as in life: the upstream comes and goes, and with it the allowance.
                let oldest = Some(self.now.wall.value());
                self.refuse();
                let rows = [0, 0, 0, 2_500, 4_999, 5_000][self.dice.usize(0..6)];
                let unanchored = Unanchored { rows, oldest };
                self.tell(Event::AllowanceIs(Allowance { limits: Limits::default(), unanchored }));
            }
            6 if self.dice.u8(0..6) == 0 => {
                self.tell(Event::ReaderIs(ReaderState::InTrouble(Trouble::ReaderServiceDown)))
            }
            7 if self.dice.u8(0..3) == 0 => self.end_token(),
            8..=15 => self.answer_phone(),
            6..=50 => self.answer_one(),
            _ => self.touch(),
        }
    }

    /// A server refuses a note of whoever is here, or of somebody else.
    fn refuse(&mut self) {
        let by = self.who().filter(|_| self.dice.bool()).unwrap_or(HolderId(OUTSIDER.into()));
        let id = Uuid::from_u128(u128::from(self.dice.u64(1..1_000_000)));
        self.refused.insert(id, by.clone());
        let (kind, code, reason) = (RefusedKind::Contribution, "refused".into(), "Non.".into());
        self.tell(Event::RefusedAre(vec![Refused {
            id,
            kind,
            since: self.now.wall.value(),
            code,
            reason,
            note_by: Some(by),
        }]));
    }

    fn move_card(&mut self) {
        match self.inside.take() {
            Some(_) if self.fault == Fault::CardOutUnsaid => {}
            Some(_) => {
                self.lived.cards_out += 1;
                if matches!(self.visit.page, Page::Document(_)) {
                    self.lived.cards_out_of_documents += 1;
                }
                self.tell(Event::CardOut);
            }
            None => {
                self.insertions += 1;
                let insertion = Insertion(self.insertions);
                // A blocked card is seldom tried again.
                let which = self.dice.usize(0..self.cards.len());
                let again = self.cards[which].tries_left == 0 && self.dice.u8(0..4) > 0;
                let which = if again { self.dice.usize(0..self.cards.len()) } else { which };
                self.stays.push(which);
                self.inside = Some((which, insertion));
                self.tell(Event::CardIn(insertion));
            }
        }
    }

    /// Any open question: an old one is answered late; some are answered twice, some never.
    fn answer_one(&mut self) {
        if self.questions.is_empty() {
            return;
        }
        let last = self.questions.len() - 1;
        let at = if self.dice.u8(0..4) == 0 { self.dice.usize(0..=last) } else { last };
        self.lived.late_answers += u64::from(at < last);
        let question = self.questions.remove(at);
        if self.dice.u8(0..25) == 0 {
            return;
        }
        if let Some(event) = self.answer(question) {
            self.tell(event);
        }
    }

    fn answer(&mut self, question: Effect) -> Option<Event> {
        let lucky = self.dice.u8(0..10) > 0;
        Some(match question {
            Effect::ReadCard { insertion } => {
                // A slow reader may answer for the card that was in before this one.
                let which = self.stays[usize::try_from(insertion.0 - 1).expect("few stays")];
                let answer = if lucky { Ok(self.read_card(which)) } else { Err(Trouble::CardPulledWhileReading) };
                Event::CardRead { insertion, answer }
            }
            Effect::CheckPin { insertion, pin } => {
                let answer = self.take_pin(insertion, pin.show_to_card() == b"1234", lucky);
                Event::PinChecked { insertion, answer }
            }
            Effect::AskPhone { ticket, holder } => self.ring(ticket, holder, lucky),
            Effect::OpenMemory { ticket, .. } => {
                let answer = if lucky { Ok(self.desk_in_memory()) } else { Err(Trouble::PhoneTokenEnd) };
                Event::CompartmentOpened { ticket, answer }
            }
            Effect::CheckPinOnReader { insertion } => {
                let answer = match self.dice.u8(0..6) {
                    0 => PinAnswer::Failed(Trouble::PinNotTyped),
                    _ => self.take_pin(insertion, false, lucky),
                };
                self.lived.keyed_pins += 1;
                Event::PinChecked { insertion, answer }
            }
            Effect::OpenCompartment { ticket, .. } => {
                let answer = if lucky { Ok(self.desk()) } else { Err(Trouble::StoreUnreadable) };
                Event::CompartmentOpened { ticket, answer }
            }
            Effect::Record { ticket, rows, said } => Event::Recorded { ticket, answer: self.write(rows, said) },
            Effect::AskState { ticket, patient } => {
                let answer = if lucky { Ok(self.state_of(&patient)) } else { Err(Trouble::AnswerUnreadable) };
                Event::StateKnown { ticket, answer }
            }
            Effect::Deliver { ticket } => {
                let answer = if lucky { Ok(()) } else { Err(Trouble::Offline) };
                Event::Delivered { ticket, answer }
            }
            Effect::List { ticket, patient, .. } => {
                let source = if self.dice.bool() { Source::Online } else { Source::Cached };
                let as_of = UnixSeconds(1_794_999_000);
                let came = documents(&patient.ins);
                let listing = Listing {
                    documents: Held::record(patient.ins, came),
                    opened: HashSet::new(),
                    last_visit: self.dice.bool().then_some(UnixSeconds(1_790_000_000)),
                    source,
                    as_of,
                    lease: None,
                };
                let answer = if lucky { Ok(Box::new(listing)) } else { Err(Trouble::Offline) };
                Event::ListCame { ticket, answer }
            }
            Effect::History { ticket, patient, .. } => {
                let history = History { lines: Held::record(patient, vec![]), unsent: vec![], complete: true };
                let answer = if lucky { Ok(Box::new(history)) } else { Err(Trouble::Offline) };
                Event::HistoryCame { ticket, answer }
            }
            Effect::MakeReceipt { ticket, row } => {
                // Of a row that is there, or of none.
                assert!((row as usize) < self.rows.len(), "seed {}: a receipt of no row", self.seed);
                let receipt = PatientReceipt { sheet: "REÇU".into(), side: 1, dark: [true].into() };
                let answer = if lucky { Ok(Box::new(receipt)) } else { Err(Trouble::StoreUnreadable) };
                Event::ReceiptMade { ticket, answer }
            }
            Effect::Fetch { ticket, .. } => {
                let answer = if lucky { Ok(Source::Online) } else { Err(Trouble::DocumentDamaged) };
                Event::Fetched { ticket, answer }
            }
            Effect::Render { ticket, patient, document, committed, .. } => {
                self.check_release(&patient, &document, &committed);
                let row = |text| Row { kind: RowKind::Bullet, level: 0, text: vec![Run::plain(text)], cells: vec![] };
                let reading = Reading {
                    format: "text".into(),
                    rows: vec![row("Pénicilline"), row("Amlodipine")],
                    parts: vec![
                        Part { topic: Topic::Allergies, rows: 0..1 },
                        Part { topic: Topic::Treatments, rows: 1..2 },
                    ],
                    page_count: 3,
                    ..Reading::default()
                };
                let answer = if lucky { Ok(Arc::new(reading)) } else { Err(Trouble::DocumentUnreadable) };
                Event::Rendered { ticket, answer }
            }
            Effect::Print { ticket, paper, committed } => {
                self.check_paper(&paper, committed.as_ref());
                self.lived.printed += 1;
                let finished = self.dice.bool();
                let answer = if lucky { Ok(Printed { pages: 2, finished }) } else { Err(Trouble::PrinterNoPaper) };
                Event::Printed { ticket, answer }
            }
            Effect::StopPrint => {
                self.lived.prints_stopped += 1;
                return None;
            }
            Effect::HandOver { ticket, .. } => {
                self.lived.handed_over += 1;
                let answer = if lucky { Ok(()) } else { Err(Trouble::StoreUnreadable) };
                Event::HandedOver { ticket, answer }
            }
            Effect::Search { ticket, patient, words, committed } => {
                assert!(committed.covers_search(&patient), "seed {}: a search without its row", self.seed);
                self.lived.searches += 1;
                let listed = documents(&patient);
                // Everything is found, denied and vanished documents too: what may be seen is the visit's to say.
                let mut found: Vec<UniqueId> = listed.into_iter().map(|document| document.unique_id).collect();
                found.push(UniqueId("1.2.3.gone".into()));
                let answer = if lucky && !words.is_empty() { Ok(found) } else { Err(Trouble::StoreUnreadable) };
                Event::Found { ticket, answer }
            }
            Effect::OpenDraft { ticket, corrects, .. } => {
                let mut draft = NoteDraft::new(Uuid::from_u128(u128::from(self.dice.u64(1..1_000_000))));
                match (&self.drafted, corrects) {
                    (Some((_, kept)), _) => draft = kept.clone(),
                    (None, Some(_)) => {
                        draft.corrects = corrects;
                        (draft.text, draft.type_code) = ("Refusé.".into(), Some(TypeCode("11505-5".into())));
                    }
                    (None, None) => {}
                }
                let answer = if lucky { Ok(draft) } else { Err(Trouble::StoreUnreadable) };
                Event::DraftCame { ticket, answer }
            }
            Effect::KeepDraft { patient, draft } => {
                self.drafted = (!draft.is_empty()).then_some((patient, *draft));
                return None;
            }
            Effect::Contribute { ticket, row, contribution, corrects, .. } => {
                if let Some(corrected) = corrects {
                    let by = self.refused.get(&corrected);
                    assert_eq!(by, Some(&row.holder), "seed {}: another's note", self.seed);
                    let told = row.reason.as_ref().is_some_and(|said| said.contains(&corrected.to_string()));
                    assert!(told, "seed {}: the row does not say what it corrects", self.seed);
                    self.lived.corrections += 1;
                }
                let answer = self.write(vec![*row], vec![]);
                if answer.is_ok() {
                    self.lived.deposits += u64::from(matches!(contribution.deed, Deed::Add { .. }));
                    self.lived.changes += u64::from(matches!(contribution.deed, Deed::Change { .. }));
                    self.drafted = None;
                }
                Event::Recorded { ticket, answer }
            }
            Effect::SendAgain { .. } => return None,
            Effect::OpenRefused { ticket, id, author } => {
                let mine = self.refused.get(&id) == Some(&author);
                let answer =
                    if lucky { Ok(mine.then(|| round()[0].patient.clone())) } else { Err(Trouble::StoreUnreadable) };
                Event::RefusedOpened { ticket, answer }
            }
            Effect::Recall { ticket } => self.recalled(ticket),
            Effect::AskAuthorized { ticket } => self.authorized(ticket),
            Effect::Prepare { ticket, .. } => Event::Prepared { ticket, answer: Ok(()) },
            Effect::KeepRound { ticket, patients } => self.round_kept(ticket, &patients),
            Effect::AskStates { ticket, patients } => self.states_known(ticket, &patients),
            Effect::Survey { ticket, patients } => self.surveyed(ticket, &patients),
            Effect::FetchAhead { ticket, documents, .. } => self.fetched(ticket, &documents),
            Effect::KeepAhead { ticket, patient, committed, .. } => self.kept(ticket, &patient, &committed),
            Effect::MakeNational { insertion } => self.national(insertion),
            Effect::DropAhead => return None,
            Effect::KeepTold { at } => {
                self.told = Some(at);
                return None;
            }
            Effect::Lock => return None,
        })
    }

    fn read_card(&self, which: usize) -> Box<CardRead> {
        let card = &self.cards[which];
        let tries_left = card.says_tries.then_some(card.tries_left);
        let verified = Verified { crl_age_s: 0, warnings: vec![] };
        // One holder's cards are always met at a reader with keys.
        let pin_entry = if which % 4 == 3 { PinEntry::Reader } else { PinEntry::Screen };
        let holder = card.holder.clone();
        Box::new(CardRead { holder, tries_left, pin_digits: (4, 8), pin_entry, is_untried: false, verified })
    }

    fn take_pin(&mut self, insertion: Insertion, right: bool, lucky: bool) -> PinAnswer {
        let Some((which, inside)) = self.inside else { return PinAnswer::Failed(Trouble::CardPulledWhileReading) };
        if inside != insertion || !lucky {
            return PinAnswer::Failed(Trouble::CardPulledWhileReading);
        }
        let card = &mut self.cards[which];
        // The dice type four digits that are right one time in three, so that lives get somewhere.
        let right = right || self.dice.u8(0..3) > 0;
        if card.tries_left == 0 {
            self.lived.blocked += 1;
            return PinAnswer::Blocked;
        }
        if right {
            card.tries_left = 3;
            let place = |number: u8| Situation {
                structure: format!("14400009{number:02}"),
                name: "ailleurs".into(),
                sector: None,
            };
            return PinAnswer::Here {
                proof: Box::new(LoginProof::Card(CardProof {
                    certificate: vec![1],
                    nonce: [2; 32],
                    signature: vec![3],
                })),
                // Most cards name one place.
                situations: (0..if insertion.0 % 10 == 3 { 2 } else { 1 }).map(place).collect(),
            };
        }
        card.tries_left -= 1;
        PinAnswer::Wrong { tries_left: card.tries_left }
    }

    /// All rows or none; what is answered "committed" is there, unless the fault says otherwise.
    fn write(&mut self, rows: Vec<Draft>, said: Vec<Said>) -> Result<Vec<Committed>, Trouble> {
        if self.dice.u8(0..8) == 0 {
            self.lived.disk_refusals += 1;
            return Err(Trouble::DiskFull);
        }
        let mut committed = Vec::new();
        for mut draft in rows {
            if self.fault == Fault::RowsRenamed {
                draft.holder = HolderId("800000000000".into());
            }
            let index = self.rows.len() as u64;
            if self.fault != Fault::VaultLies {
                self.rows.push(draft.clone());
            }
            let trace = Trace {
                index,
                id: Uuid::from_u128(u128::from(index)),
                blind: [0; 32],
                boot: Uuid::nil(),
                device: "d".into(),
                software: "s".into(),
                draft,
            };
            committed.push(Pending::new(trace).committed());
        }
        self.shred(&said);
        self.said.extend(said);
        Ok(committed)
    }

    pub fn state_of(&mut self, patient: &Patient) -> StateAnswer {
        let mut state = RecordState {
            existence: Existence::Open,
            authorization: Authorization::None,
            blocked: false,
            emergency: Some(EmergencySwitches { samu: true, other_professionals: true, masked_documents: false }),
            minor: Some(false),
            attending_doctor: false,
            administrator: false,
            care_team: None,
            team_words: vec![],
        };
        match patient.birth_name.as_str() {
            "AUTORISE" => state.authorization = Authorization::Valid { until: None },
            "FERME" => state.existence = Existence::Closed { reason: ClosureReason::Patient, on: None },
            "JAMAIS" => state.existence = Existence::NeverCreated,
            "BLOQUE" => state.blocked = true,
            "MINEUR" => state.minor = Some(true),
            "OPPOSE" => {
                state.emergency = state.emergency.map(|on| EmergencySwitches { other_professionals: false, ..on })
            }
            "TAIT" => (state.emergency, state.minor) = (None, None),
            "INTERDIT" => state.authorization = Authorization::Forbidden,
            _ => {}
        }
        let me = self.who();
        (state.care_team, state.team_words) = upstream_teams(patient, me.as_ref());
        let said = self.said.iter().filter(|said| said.patient == patient.ins && concerns(said, me.as_ref()));
        let mut said: Vec<Said> = said.cloned().collect();
        if self.fault == Fault::ConsentsInvented && said.is_empty() {
            said = consent_to_team(&patient.ins, 600);
        }
        let spent = self.rows.iter().rev().find(|row| {
            row.class == Class::Gate
                && row.ground == Some(Ground::Explicit)
                && row.patient.as_ref() == Some(&patient.ins)
                && Some(&row.holder) == me.as_ref()
        });
        let spent = spent.map(|row| row.at.wall.value());
        StateAnswer { state, source: Source::Online, as_of: UnixSeconds(1_794_999_000), said, spent }
    }

    fn desk(&self) -> Desk {
        // The card of some ends soon.
        let card_ends = self.seed.is_multiple_of(2).then_some(UnixSeconds(BEGINNING + 20 * 86_400));
        Desk { round: round(), recent: recent(), told: self.told, card_ends, notice: None }
    }
}

/// To this holder, or about a team that they are in.
pub fn concerns(said: &Said, me: Option<&HolderId>) -> bool {
    let (Scope::Team(team) | Scope::Event(team)) = &said.scope else { return Some(&said.holder) == me };
    let member = if team == TEAM { TEAM_MEMBER } else { OUTSIDER };
    Some(&said.holder) == me || me.is_some_and(|me| me.0 == member)
}

/// For the checks: whether a gate shows that the record may not be opened.
pub fn is_denied(step: &GateStep) -> bool {
    matches!(step, GateStep::Denied { .. })
}
