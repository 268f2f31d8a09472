//! The world: cards with their tries, a disk, a network, a finger. Everything is drawn from one seed.

use crate::life::check::Lived;
use chevet::identity::holder::CardKind;
use chevet::identity::holder::CertificateKeyId;
use chevet::identity::holder::Holder;
use chevet::identity::holder::HolderId;
use chevet::identity::holder::Means;
use chevet::identity::holder::ProfessionCode;
use chevet::journal::Committed;
use chevet::journal::Draft;
use chevet::journal::Held;
use chevet::journal::Pending;
use chevet::journal::Trace;
use chevet::journal::allowance::Allowance;
use chevet::journal::allowance::Limits;
use chevet::journal::allowance::Unanchored;
use chevet::journal::consent::Said;
use chevet::journal::trace::LoginProof;
use chevet::journal::words::Regime;
use chevet::journal::words::Source;
use chevet::patient::ins::BirthDate;
use chevet::patient::ins::Ins;
use chevet::patient::ins::InsKind;
use chevet::patient::ins::Patient;
use chevet::patient::ins::Sex;
use chevet::policy::Matrix;
use chevet::policy::facts::Cell;
use chevet::policy::matrix::Column;
use chevet::record::document::Attachment;
use chevet::record::document::Author;
use chevet::record::document::ClassCode;
use chevet::record::document::Document;
use chevet::record::document::Label;
use chevet::record::document::Status;
use chevet::record::document::TypeCode;
use chevet::record::document::UniqueId;
use chevet::record::reading::Reading;
use chevet::record::state::Authorization;
use chevet::record::state::ClosureReason;
use chevet::record::state::EmergencySwitches;
use chevet::record::state::Existence;
use chevet::record::state::RecordState;
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
use chevet::visit::event::Language;
use chevet::visit::event::LinkState;
use chevet::visit::event::Listing;
use chevet::visit::event::PinAnswer;
use chevet::visit::event::ReaderState;
use chevet::visit::event::RoundEntry;
use chevet::visit::event::StateAnswer;
use chevet::visit::event::Touch;
use chevet::visit::page::GateStep;
use chevet::visit::page::Rules;
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
    /// The disk: what is really there.
    pub rows: Vec<Draft>,
    pub said: Vec<Said>,
    /// An explicit yes to a last try, since the PIN page opened.
    pub last_try_agreed: bool,
    pub confirmed: bool,
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
            visit: Visit::new(Arc::new(rules())),
            now: Now { since_boot: Duration::from_secs(1), wall: Wall::Is(UnixSeconds(1_795_000_000)) },
            cards,
            inside: None,
            insertions: 0,
            stays: Vec::new(),
            questions: Vec::new(),
            rows: Vec::new(),
            said: Vec::new(),
            last_try_agreed: false,
            confirmed: false,
            lived: Lived::default(),
            dice,
        }
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
        let move_card = if self.inside.is_none() { 40 } else { 1 };
        match self.dice.u32(0..100) {
            chance if chance < move_card => self.move_card(),
            0..=4 => {
                self.now.since_boot += Duration::from_millis(self.dice.u64(0..30_000));
                self.tell(Event::Tick);
            }
            5 => {
                let link = [LinkState::Online, LinkState::Offline, LinkState::Unknown][self.dice.usize(0..3)];
                self.tell(Event::LinkIs(link));
                // Mostly plenty, as in life: the upstream comes and goes, and with it the allowance.
                let oldest = Some(self.now.wall.value());
                let rows = [0, 0, 0, 2_500, 4_999, 5_000][self.dice.usize(0..6)];
                let unanchored = Unanchored { rows, oldest };
                self.tell(Event::AllowanceIs(Allowance { limits: Limits::default(), unanchored }));
            }
            6 if self.dice.u8(0..6) == 0 => {
                self.tell(Event::ReaderIs(ReaderState::InTrouble(Trouble::ReaderServiceDown)))
            }
            6..=50 => self.answer_one(),
            _ => self.touch(),
        }
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
                let which = self.dice.usize(0..self.cards.len());
                self.stays.push(which);
                self.inside = Some((which, insertion));
                self.tell(Event::CardIn(insertion));
            }
        }
    }

    fn touch(&mut self) {
        let dice = &mut self.dice;
        let touch = match &self.visit.page {
            Page::AskPin(ask) => match dice.u8(0..12) {
                0 if ask.card.tries_left != Some(1) => Touch::Back,
                1 => Touch::Erase,
                2 => Touch::LastTry,
                3..=5 => Touch::Confirm,
                _ => Touch::Digit(dice.u8(0..11)),
            },
            Page::Home(_) => match dice.u8(0..10) {
                0 => Touch::TypeIns,
                1 => Touch::Quit,
                2 => Touch::InsTyped {
                    matricule: "255069999999934".into(),
                    birth_name: "Inconnue".into(),
                    birth_date: if dice.bool() { "15/06/1955" } else { "15/07/1955" }.into(),
                },
                _ => Touch::OpenPatient(dice.usize(0..5)),
            },
            Page::Gate(_) => match dice.u8(0..12) {
                0..=2 => Touch::OpenRecord,
                3..=5 => Touch::AskConsent,
                6 | 7 => Touch::Yes,
                8 => Touch::No,
                9 => Touch::Language(Language::English),
                10 => Touch::Later,
                _ => Touch::Back,
            },
            Page::Record(_) => match dice.u8(0..10) {
                0 => Touch::ShowHistory,
                1 => Touch::FilterClass(Some("10".into())),
                2 => Touch::Why,
                3 => Touch::Back,
                4 => Touch::ShowDocuments,
                _ => Touch::OpenDocument(dice.usize(0..3)),
            },
            _ => match dice.u8(0..8) {
                0 => Touch::Back,
                1 => Touch::Quit,
                2 => Touch::NextPage,
                3 => Touch::LargerText,
                4 => Touch::Understood,
                5 => Touch::PreviousPage,
                _ => Touch::Confirm,
            },
        };
        self.last_try_agreed |= touch == Touch::LastTry;
        self.confirmed = touch == Touch::Confirm;
        self.tell(Event::Touched(touch));
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
            Effect::OpenCompartment { ticket, .. } => {
                let answer = if lucky { Ok(Desk { round: round() }) } else { Err(Trouble::StoreUnreadable) };
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
            Effect::List { ticket, patient } => {
                let source = if self.dice.bool() { Source::Online } else { Source::Cached };
                let as_of = UnixSeconds(1_794_999_000);
                let came = documents(&patient.ins);
                let listing = Listing { documents: Held::record(patient.ins, came), source, as_of };
                let answer = if lucky { Ok(Box::new(listing)) } else { Err(Trouble::Offline) };
                Event::ListCame { ticket, answer }
            }
            Effect::History { ticket, patient } => {
                let history = History { lines: Held::record(patient, vec![]), unsent: vec![], complete: true };
                let answer = if lucky { Ok(Box::new(history)) } else { Err(Trouble::Offline) };
                Event::HistoryCame { ticket, answer }
            }
            Effect::Fetch { ticket, .. } => {
                let answer = if lucky { Ok(Source::Online) } else { Err(Trouble::DocumentDamaged) };
                Event::Fetched { ticket, answer }
            }
            Effect::Render { ticket, patient, document, committed, .. } => {
                self.check_release(&patient, &document, &committed);
                let reading = Reading { format: "text".into(), page_count: 3, ..Reading::default() };
                let answer = if lucky { Ok(Arc::new(reading)) } else { Err(Trouble::DocumentUnreadable) };
                Event::Rendered { ticket, answer }
            }
            Effect::Lock => return None,
        })
    }

    fn read_card(&self, which: usize) -> Box<CardRead> {
        let card = &self.cards[which];
        let tries_left = card.says_tries.then_some(card.tries_left);
        Box::new(CardRead { holder: card.holder.clone(), tries_left, pin_digits: (4, 8) })
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
            return PinAnswer::Here(Box::new(LoginProof { certificate: vec![1], nonce: [2; 32], signature: vec![3] }));
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
        self.said.extend(said);
        Ok(committed)
    }

    fn state_of(&mut self, patient: &Patient) -> StateAnswer {
        let mut state = RecordState {
            existence: Existence::Open,
            authorization: Authorization::None,
            blocked: false,
            emergency: Some(EmergencySwitches { samu: true, other_professionals: true, masked_documents: false }),
            minor: Some(false),
            attending_doctor: false,
            administrator: false,
        };
        match patient.birth_name.as_str() {
            "AUTORISE" => state.authorization = Authorization::Valid { until: None },
            "FERME" => state.existence = Existence::Closed { reason: ClosureReason::Patient, on: None },
            "JAMAIS" => state.existence = Existence::NeverCreated,
            "BLOQUE" => state.blocked = true,
            _ => {}
        }
        let team_consent = [None, Some(true), Some(false)][self.dice.usize(0..3)];
        StateAnswer {
            state,
            source: Source::Online,
            as_of: UnixSeconds(1_794_999_000),
            team_consent,
            refused: self.dice.u8(0..8) == 0,
        }
    }
}

fn rules() -> Rules {
    let types = [("10213-7", Cell::Yes), ("11488-4", Cell::No), ("11490-0", Cell::Unknown)];
    let columns = vec![Column("60_69".into()), Column("10".into())];
    let rows = types.iter().map(|(code, cell)| (TypeCode((*code).into()), vec![*cell; 2])).collect();
    Rules {
        matrix: Matrix::new("sim".into(), columns, rows),
        regime: Regime::ConseilEtat2025,
        team: vec!["899700000001".into()],
        team_name: "equipe".into(),
    }
}

fn card(which: usize, dice: &mut fastrand::Rng) -> Card {
    let (id, profession, card_kind) = [
        ("899700000001", Some(60), CardKind::Cps),
        ("899700000002", Some(10), CardKind::Cps),
        ("300000000001/CPET1", None, CardKind::Cpe),
        ("899700000004", Some(60), CardKind::Cpf),
    ][which];
    let holder = Holder {
        id: HolderId(id.into()),
        family_name: "NOM".into(),
        given_name: "Prénom".into(),
        profession: profession.map(ProfessionCode),
        in_training: card_kind == CardKind::Cpf,
        card_kind,
        means: Means::Card,
        specialty: None,
        pharmacist_section: None,
        situations: None,
        key_id: CertificateKeyId([which as u8; 32]),
    };
    Card { holder, tries_left: dice.u8(1..4), says_tries: dice.u8(0..5) > 0 }
}

fn round() -> Vec<RoundEntry> {
    let names = ["AUTORISE", "ORDINAIRE", "FERME", "JAMAIS", "BLOQUE"];
    let entry = |(at, name): (usize, &&str)| RoundEntry {
        patient: Patient {
            ins: Ins::unchecked(&format!("2550699999999{at:02}"), InsKind::Test).expect("fifteen digits"),
            birth_name: (*name).into(),
            birth_given_names: "ANNE".into(),
            sex: Sex::Female,
            birth_date: BirthDate { year: 1955, month: 6, day: 15 },
            birth_place: None,
        },
        cached: 0,
        as_of: None,
    };
    names.iter().enumerate().map(entry).collect()
}

/// One permitted, one forbidden, one unknown to the matrix, one of an unknown type, one with an unknown label.
fn documents(patient: &Ins) -> Vec<Document> {
    let kinds = [
        ("10213-7", Label::Normal),
        ("11488-4", Label::Normal),
        ("11490-0", Label::Normal),
        ("99999-9", Label::Normal),
        ("10213-7", Label::Unknown("X".into())),
    ];
    let document = |(at, (kind, label)): (usize, &(&str, Label))| Document {
        unique_id: UniqueId(format!("{}.{at}", patient.matricule)),
        entry_uuid: format!("e{at}"),
        logical_id: None,
        type_code: TypeCode((*kind).into()),
        type_label: "Compte rendu".into(),
        class_code: ClassCode("10".into()),
        title: format!("TITRE-{}-{at}", patient.matricule),
        authors: vec![Author { id: None, name: "Dr A".into(), structure: None }],
        labels: vec![label.clone()],
        status: Status::Current,
        service_start: UnixSeconds(1_790_000_000 + at as i64),
        created: UnixSeconds(1_790_000_000),
        format_code: "urn:x".into(),
        attachment: Attachment { url: "b".into(), content_type: "text/xml".into(), size_bytes: None, sha1: None },
        by_patient: false,
    };
    kinds.iter().enumerate().map(document).collect()
}

/// For the checks: whether a gate shows that the record may not be opened.
pub fn is_denied(step: &GateStep) -> bool {
    matches!(step, GateStep::Denied { .. })
}
