//! P3 by enumeration: from every state that a visit can be in, the step that sees the card go yields the blank page.
//!
//! The lists are exhaustive, because `every!` matches on their patterns: a new state does not compile before it has a line
//! here, and then has to go blank like all others.

use super::*;
use chevet::identity::holder::HolderId;
use chevet::identity::holder::Situation;
use chevet::identity::userinfo::Person;
use chevet::journal::Held;
use chevet::journal::consent::Quality;
use chevet::journal::consent::Speaker;
use chevet::journal::trace::CardProof;
use chevet::journal::trace::LoginProof;
use chevet::journal::words::Class;
use chevet::journal::words::Ground;
use chevet::journal::words::Source;
use chevet::patient::ins::Ins;
use chevet::patient::ins::InsKind;
use chevet::record::document::TypeCode;
use chevet::record::filter::Facet;
use chevet::record::note::Change;
use chevet::record::note::NoteDraft;
use chevet::record::state::Authorization;
use chevet::screen::view::View;
use chevet::visit::Visit;
use chevet::visit::effect::Paper;
use chevet::visit::event::Listing;
use chevet::visit::event::PhoneCode;
use chevet::visit::event::PhoneLogin;
use chevet::visit::event::Printed;
use chevet::visit::event::RoundEntry;
use chevet::visit::gentle::Locked;
use chevet::visit::page::ChoosingSituation;
use chevet::visit::page::Duty;
use chevet::visit::page::DutyStep;
use chevet::visit::page::Home;
use chevet::visit::page::Opening;
use chevet::visit::page::OpeningStep;
use chevet::visit::page::ahead::Ahead;
use chevet::visit::page::ahead::AheadStep;
use chevet::visit::page::ahead::Prepared;
use chevet::visit::page::ahead::Stands;
use chevet::visit::page::gate::About;
use chevet::visit::page::gate::Question;
use chevet::visit::page::gate::Typed;
use chevet::visit::page::phone::AskRpps;
use chevet::visit::page::phone::ChoosingExercise;
use chevet::visit::page::phone::WaitingForPhone;
use chevet::visit::page::printing::PrintStep;
use chevet::visit::page::printing::Printing;
use chevet::visit::page::summary::Gathering;
use chevet::visit::page::summary::GatheringStep;
use chevet::visit::page::writing::Managing;
use chevet::visit::page::writing::ManagingStep;
use chevet::visit::page::writing::Writing;
use chevet::visit::page::writing::WritingStep;
use std::collections::HashSet;
use uuid::Uuid;

const UNTIL: Duration = Duration::from_secs(600);
const TICKET: Ticket = Ticket(1);
const CARD: Insertion = Insertion(1);

/// Patterns, each with its states. A state that no pattern fits does not compile; a pattern without a state fails.
macro_rules! every {
    ($of:ty: $( $pattern:pat => $states:expr ),+ $(,)?) => {{
        #[deny(unreachable_patterns)]
        let _all = |state: &$of| match state { $( $pattern => () ),+ };
        let mut all: Vec<$of> = Vec::new();
        $(
            let states: Vec<$of> = Vec::from($states);
            assert!(!states.is_empty() && states.iter().all(|state| matches!(state, $pattern)), "{}", stringify!($pattern));
            all.extend(states);
        )+
        all
    }};
}

pub fn proof() -> Box<LoginProof> {
    Box::new(LoginProof::Card(CardProof { certificate: vec![1], nonce: [2; 32], signature: vec![3] }))
}

fn at_home(typing: bool, notice: Option<Trouble>, handing: bool) -> Page {
    let Page::Home(home) = home(typing, notice, round()) else { panic!("home") };
    Page::Home(Box::new(Home { handing: handing.then_some((TICKET, UNTIL)), ..*home }))
}

fn at_tray() -> Page {
    let Page::Home(home) = home(false, None, round()) else { panic!("home") };
    Page::Home(Box::new(Home { tray: true, ..*home }))
}

fn looking_up(leaf: Leaf) -> Page {
    let Page::Home(home) = home(false, None, round()) else { panic!("home") };
    Page::Home(Box::new(Home { leaf: Some(leaf), ..*home }))
}

/// One patient of the round was seen yesterday, and so was one who is not in it.
pub fn with_last_visits() -> Page {
    let Page::Home(mut home) = home(false, None, round()) else { panic!("home") };
    let mut other = patient("Patient-Neuf", "LÉON", 1949);
    other.ins = Ins::unchecked("149061234567804", InsKind::Test).expect("well formed");
    home.here.recent =
        vec![(home.here.round[0].patient.clone(), at("2026-11-22T14:10:00Z")), (other, at("2026-11-22T13:30:00Z"))];
    Page::Home(home)
}

fn preparing(step: AheadStep) -> Page {
    let Page::Home(home) = home(false, None, round()) else { panic!("home") };
    let prepared = |entry: &RoundEntry| Prepared {
        patient: entry.patient.clone(),
        answer: Some(answer(Authorization::None)),
        stands: Stands::Incomplete { here: 9, lacking: 1 },
    };
    let patients = home.here.round.iter().map(prepared).collect();
    Page::Ahead(Box::new(Ahead { here: home.here, patients, step, stopping: false }))
}

fn ahead() -> Vec<Page> {
    let (ticket, until, trouble) = (TICKET, UNTIL, None);
    let steps = every!(AheadStep:
        AheadStep::AskingStates { .. } => [AheadStep::AskingStates { ticket, until }],
        AheadStep::Surveying { .. } => [AheadStep::Surveying { ticket, asked: vec![0], until }],
        AheadStep::Proposed => [AheadStep::Proposed],
        AheadStep::Fetching { .. } => [AheadStep::Fetching { ticket, place: 0, until }],
        AheadStep::Recording { .. } => [AheadStep::Recording { ticket, place: 0, lacking: 1, trouble, until }],
        AheadStep::Keeping { .. } => [AheadStep::Keeping { ticket, place: 0, lacking: 1, trouble, until }],
        AheadStep::Over { .. } => [AheadStep::Over { trouble }, AheadStep::Over { trouble: Some(Trouble::Offline) }],
    );
    steps.into_iter().map(preparing).collect()
}

fn duty(step: DutyStep) -> Page {
    let Page::Home(home) = home(false, None, round()) else { panic!("home") };
    Page::Duty(Box::new(Duty { here: home.here, step, notice: None }))
}

fn opening(step: OpeningStep) -> Page {
    Page::Opening(Box::new(Opening { insertion: CARD, holder: holder(), step, until: UNTIL }))
}

fn caller() -> PhoneLogin {
    let said = br#"{"sub": "s", "SubjectNameID": "899700000001", "SubjectRole": ["60^1.2.250.1.213.1.1.5.5"]}"#;
    PhoneLogin { person: Person::read(said).expect("somebody"), proof: *proof() }
}

fn checking(page: Page) -> Page {
    let Page::AskPin(ask) = page else { panic!("a PIN page") };
    Page::CheckingPin { insertion: ask.insertion, card: ask.card, was_wrong: false, until: UNTIL }
}

pub fn pages() -> Vec<Page> {
    let place = |name: &str| Situation { structure: name.into(), name: name.into(), sector: None };
    let code = PhoneCode { digits: "42".into(), until: UNTIL };
    let rings = |code| WaitingForPhone { ticket: TICKET, holder: HolderId("899700000001".into()), code, until: UNTIL };
    every!(Page:
        Page::Idle => [Page::Idle],
        Page::About { .. } => every!(Leaf:
            Leaf::Help => [Leaf::Help], Leaf::Settings => [Leaf::Settings], Leaf::Device => [Leaf::Device],
        ).into_iter().map(|leaf| Page::About { leaf, until: UNTIL }).collect::<Vec<Page>>(),
        Page::ReadingCard { .. } => [Page::ReadingCard { insertion: CARD, until: UNTIL }],
        Page::AskPin(_) => [
            pin(Some(3), &[], false, false),
            pin(Some(3), &[1, 2, 3], false, false),
            pin(Some(2), &[1, 2, 3, 4], true, false),
            pin(Some(1), &[], false, false),
            pin(Some(1), &[1], false, true),
            pin(None, &[], false, false),
        ],
        Page::CheckingPin { .. } => [checking(pin(Some(3), &[], false, false)), pin_on_reader(3, false)],
        Page::AskRpps(_) => [Page::AskRpps(AskRpps { digits: "997".into(), notice: None, until: UNTIL })],
        Page::WaitingForPhone(_) => [Page::WaitingForPhone(rings(None)), Page::WaitingForPhone(rings(Some(code.clone())))],
        Page::ChoosingExercise(_) => [
            Page::ChoosingExercise(Box::new(ChoosingExercise { ticket: TICKET, login: caller(), until: UNTIL })),
        ],
        Page::ChoosingSituation(_) => [Page::ChoosingSituation(Box::new(ChoosingSituation {
            insertion: CARD, holder: holder(), proof: proof(), situations: vec![place("A"), place("B")], until: UNTIL,
        }))],
        Page::PhoneOver { .. } => [Page::PhoneOver { trouble: Trouble::PhoneDenied, until: UNTIL }],
        Page::Opening(_) => every!(OpeningStep:
            OpeningStep::RecordingLogin { .. } => [OpeningStep::RecordingLogin { ticket: TICKET, proof: proof() }],
            OpeningStep::OpeningCompartment { .. } => [OpeningStep::OpeningCompartment { ticket: TICKET, login: 0 }],
        ).into_iter().map(opening).collect::<Vec<Page>>(),
        Page::Duty(_) => every!(DutyStep:
            DutyStep::Shown => [DutyStep::Shown],
            DutyStep::Recording { .. } => [DutyStep::Recording { ticket: TICKET, until: UNTIL }],
        ).into_iter().map(duty).collect::<Vec<Page>>(),
        Page::Printing(_) => printing(),
        Page::Home(_) => [
            at_home(false, None, false),
            at_home(false, Some(Trouble::Offline), false),
            at_home(true, Some(Trouble::InsWrongKey), false),
            at_home(false, None, true),
            at_tray(),
            looking_up(Leaf::Help),
            looking_up(Leaf::Settings),
            with_last_visits(),
            home_by_phone(),
        ],
        Page::Ahead(_) => ahead(),
        Page::Compose(_) => compose::pages(),
        Page::Reception(_) => every!(desk::Room:
            desk::Room::Front => [desk::Room::Front],
            desk::Room::Typing => [desk::Room::Typing],
            desk::Room::Identity(_) => [desk::Room::Identity(patient("Patiente-Une", "ODETTE", 1953))],
            desk::Room::Preparing { .. } => [desk::Room::Preparing {
                patient: patient("Patiente-Une", "ODETTE", 1953), ticket: TICKET, until: UNTIL,
            }],
            desk::Room::Leaflet => [desk::Room::Leaflet],
        ).into_iter().map(|room| at_desk(room, vec![patient("Patiente-Deux", "ANNE", 1953)])).collect::<Vec<Page>>(),
        Page::Gate(_) => gates(),
        Page::Record(_) => rooms(),
        Page::Document(_) => readers(),
        Page::Locked(_) => [Page::Locked(Locked { insertion: CARD, holder: holder(), until: UNTIL })],
        Page::TakeCard(_) => Trouble::ALL.iter().map(|trouble| Page::TakeCard(*trouble)).collect::<Vec<Page>>(),
    )
}

fn gates() -> Vec<Page> {
    let known = || answer(Authorization::None);
    let question = |about| {
        let by = Speaker::Patient;
        Question { about, by, colleague: None, ground: Ground::Team, language: Language::French }
    };
    let listing = || Listing {
        documents: Held::record(patient("Patiente-Une", "ODETTE", 1953).ins, vec![]),
        opened: HashSet::new(),
        last_visit: None,
        source: Source::Online,
        as_of: at("2026-11-23T07:40:00Z"),
        lease: None,
    };
    let typing = |what| GateStep::Typing { answer: known(), what, wrong: false };
    let abouts = || {
        every!(About:
            About::Access => [About::Access], About::Event => [About::Event], About::Withdrawal => [About::Withdrawal],
        )
    };
    let steps = every!(GateStep:
        GateStep::AskingState { .. } => [GateStep::AskingState { ticket: TICKET, until: UNTIL }],
        GateStep::Standing { .. } => [may_open(), must_ask()],
        GateStep::Situations { .. } => [GateStep::Situations { answer: known() }],
        GateStep::ChoosingQuality { .. } => [GateStep::ChoosingQuality { answer: known() }],
        GateStep::ChoosingColleague { .. } => [GateStep::ChoosingColleague { answer: known() }],
        GateStep::ChoosingReason { .. } => [GateStep::ChoosingReason { answer: known() }],
        GateStep::Typing { .. } => every!(Typed:
            Typed::Representative(_) => [Typed::Representative(Quality::ALL[0])],
            Typed::Colleague => [Typed::Colleague],
            Typed::Emergency(_) => [Typed::Emergency("other")],
        ).into_iter().map(typing).collect::<Vec<GateStep>>(),
        GateStep::AskingPatient { .. } => abouts().into_iter().map(|about| {
            GateStep::AskingPatient { answer: known(), question: question(about) }
        }).collect::<Vec<GateStep>>(),
        GateStep::Signing { .. } => [GateStep::Signing { answer: known(), question: question(About::Access) }],
        GateStep::RecordingAnswer { .. } => [GateStep::RecordingAnswer {
            ticket: TICKET, answer: known(), question: question(About::Access), agreed: true, said: vec![], until: UNTIL,
        }],
        GateStep::RecordingEmergency { .. } => [
            GateStep::RecordingEmergency { ticket: TICKET, answer: known(), until: UNTIL },
        ],
        GateStep::Delivering { .. } => [
            GateStep::Delivering { ticket: TICKET, answer: known(), ground: Ground::Team, until: UNTIL },
        ],
        GateStep::Listing { .. } => [
            GateStep::Listing { ticket: TICKET, answer: known(), ground: Ground::Team, until: UNTIL },
        ],
        GateStep::RecordingList { .. } => [GateStep::RecordingList {
            ticket: TICKET, answer: known(), ground: Ground::Team, listing: Box::new(listing()), until: UNTIL,
        }],
        GateStep::Denied { .. } => [denied()],
        GateStep::Failed { .. } => [GateStep::Failed { trouble: Trouble::Offline }],
    );
    steps.into_iter().map(gate).collect()
}

fn rooms() -> Vec<Page> {
    let searching = |step| Room::Searching { ticket: TICKET, words: "mots".into(), step, until: UNTIL };
    let rooms = every!(Room:
        Room::Documents => [Room::Documents],
        Room::Filtering { .. } => [
            Room::Filtering { facet: None },
            Room::Filtering { facet: Some(Facet::Period) },
            Room::Filtering { facet: Some(Facet::Author) },
        ],
        Room::Gathering(_) => gathering(),
        Room::Summary => [Room::Summary],
        Room::SummaryFailed { .. } => [Room::SummaryFailed { trouble: Trouble::DiskFull }],
        Room::Patient => [Room::Patient],
        Room::Why => [Room::Why],
        Room::Agreements => [Room::Agreements],
        Room::AskingHistory { .. } => [Room::AskingHistory { ticket: TICKET, until: UNTIL }],
        Room::History { .. } => [history()],
        Room::AskingReceipt { .. } => [Room::AskingReceipt { ticket: TICKET, until: UNTIL }],
        Room::Receipt(_) => [Room::Receipt(Box::new(receipt()))],
        Room::ReceiptFailed { .. } => [Room::ReceiptFailed { trouble: Trouble::Internal }],
        Room::HistoryFailed { .. } => [Room::HistoryFailed { trouble: Trouble::Offline }],
        Room::AskingWords => [Room::AskingWords],
        Room::Searching { .. } => every!(SearchStep:
            SearchStep::Recording => [SearchStep::Recording],
            SearchStep::Looking => [SearchStep::Looking],
        ).into_iter().map(searching).collect::<Vec<Room>>(),
        Room::Found { .. } => [Room::Found { words: "mots".into(), places: vec![1] }],
        Room::SearchFailed { .. } => [Room::SearchFailed { trouble: Trouble::Internal }],
        Room::Writing(_) => writing(),
        Room::Managing(_) => managing(),
    );
    rooms.into_iter().map(room).collect()
}

fn gathering() -> Vec<Room> {
    let steps = every!(GatheringStep:
        GatheringStep::Fetching(_) => [GatheringStep::Fetching(0)],
        GatheringStep::Recording => [GatheringStep::Recording],
        GatheringStep::Reading { .. } => [
            GatheringStep::Reading { at: 0, rows: vec![committed(Class::Summary)], lines: summary().lines },
        ],
    );
    let room = |step| {
        let sources = summary().sources;
        Room::Gathering(Box::new(Gathering { sources, step, ticket: TICKET, until: UNTIL }))
    };
    steps.into_iter().map(room).collect()
}

fn refusal() -> Box<Decision> {
    Box::new(decision(false, "W-02", "Votre profession n’écrit pas ce document.", vec![]))
}

fn writing() -> Vec<Room> {
    let steps = every!(WritingStep:
        WritingStep::AskingDesk { .. } => [WritingStep::AskingDesk { ticket: TICKET, until: UNTIL, wanted: chevet::visit::page::writing::Wanted::Note }],
        WritingStep::ChoosingType { .. } => [WritingStep::ChoosingType { types: vec![TypeCode("11505-5".into())] }],
        WritingStep::Typing { .. } => [WritingStep::Typing { save_at: None }, WritingStep::Typing { save_at: Some(UNTIL) }],
        WritingStep::Checking => [WritingStep::Checking],
        WritingStep::Depositing { .. } => [WritingStep::Depositing { ticket: TICKET, until: UNTIL }],
        WritingStep::Deposited => [WritingStep::Deposited],
        WritingStep::Denied { .. } => [WritingStep::Denied { decision: refusal() }],
        WritingStep::Failed { .. } => [WritingStep::Failed { trouble: Trouble::DiskFull }],
    );
    let draft = || NoteDraft {
        type_code: Some(TypeCode("11505-5".into())),
        text: "Pansement refait.".into(),
        ..NoteDraft::new(Uuid::from_u128(7))
    };
    let note = |step| Room::Writing(Box::new(Writing { draft: draft(), begun: String::new(), step }));
    steps.into_iter().map(note).collect()
}

fn managing() -> Vec<Room> {
    let change = Change::Mask;
    let steps = every!(ManagingStep:
        ManagingStep::Choosing => [ManagingStep::Choosing],
        ManagingStep::Confirming { .. } => [ManagingStep::Confirming { change }],
        ManagingStep::Recording { .. } => [ManagingStep::Recording { ticket: TICKET, change, until: UNTIL }],
        ManagingStep::Done { .. } => [ManagingStep::Done { change }],
        ManagingStep::Denied { .. } => [ManagingStep::Denied { decision: refusal() }],
        ManagingStep::Failed { .. } => [ManagingStep::Failed { trouble: Trouble::DiskFull }],
    );
    steps.into_iter().map(|step| Room::Managing(Managing { place: 0, step })).collect()
}

fn printing() -> Vec<Page> {
    let paper = || Box::new(Paper::Receipt(Box::new(receipt())));
    let steps = every!(PrintStep:
        PrintStep::Recording { .. } => [PrintStep::Recording { ticket: TICKET, paper: paper() }],
        PrintStep::Sending { .. } => [PrintStep::Sending { ticket: TICKET }],
        PrintStep::Done(_) => [
            PrintStep::Done(Printed { pages: 2, finished: true }),
            PrintStep::Done(Printed { pages: 1, finished: false }),
        ],
        PrintStep::Failed { .. } => [PrintStep::Failed { trouble: Trouble::PrinterNoPaper }],
    );
    let over = |step| {
        Page::Printing(Box::new(Printing { under: Box::new(reader(shown(narrative(), 0), 100)), step, until: UNTIL }))
    };
    steps.into_iter().map(over).collect()
}

fn readers() -> Vec<Page> {
    let rendering =
        ReaderStep::Rendering { ticket: TICKET, committed: committed(Class::Opened), page: 0, until: UNTIL };
    let steps = every!(ReaderStep:
        ReaderStep::Fetching { .. } => [fetching()],
        ReaderStep::Recording { .. } => [ReaderStep::Recording { ticket: TICKET, until: UNTIL }],
        ReaderStep::Rendering { .. } => [rendering],
        ReaderStep::Shown { .. } => [shown(narrative(), 0), shown(pictures(), 1)],
        ReaderStep::Failed { .. } => [ReaderStep::Failed { trouble: Trouble::DocumentDamaged }],
    );
    steps.into_iter().map(|step| reader(step, 200)).collect()
}

fn blank(standing: &Visit) -> View {
    let mut nobody = visit(Page::Idle);
    nobody.standing = standing.standing.clone();
    seen(&nobody)
}

/// One step, and the page is that of a device before which nobody has ever stood; the world is asked for one thing: to lock.
#[test]
fn every_state_goes_blank_in_the_step_that_sees_the_card_go() {
    let mut places = HashSet::new();
    for page in pages() {
        let name = page.name();
        places.insert(name);
        let (after, effects) = visit(page).step(Event::CardOut, now());
        assert!(matches!(after.page, Page::Idle), "{name} → {}", after.page.name());
        assert!(seen(&after) == blank(&after), "{name}: something is left on the page");
        assert!(matches!(effects[..], [Effect::Lock]), "{name}: {effects:?}");
        assert!(after.insertion().is_none() && after.holder().is_none() && after.patient().is_none(), "{name}");
        assert_eq!(after.alarm(), None, "{name}: nothing waits");
    }
    assert_eq!(places.len(), 22, "{places:?}");
}

/// A reader that goes takes its card along: whatever a card opened is closed, and only what has no card goes on.
#[test]
fn every_state_of_a_card_goes_blank_with_its_reader() {
    for reader in [ReaderState::Absent, ReaderState::InTrouble(Trouble::ReaderServiceDown)] {
        for page in pages() {
            let (name, idle, visit) = (page.name(), matches!(page, Page::Idle), visit(page));
            let by_phone = visit.is_by_phone();
            let (after, effects) = visit.step(Event::ReaderIs(reader), now());
            if by_phone {
                assert_eq!((after.page.name(), effects.len()), (name, 0), "{name} has no card");
                continue;
            }
            assert!(matches!(after.page, Page::Idle) && seen(&after) == blank(&after), "{name}");
            assert_eq!(effects.len(), usize::from(!idle), "{name}: {effects:?}");
        }
    }
}

/// A card that falls silent is asked for back from wherever its holder is; any other card's silence changes nothing.
#[test]
fn a_mute_card_is_asked_for_back_from_every_state() {
    for page in pages() {
        let (name, visit) = (page.name(), visit(page));
        let own = visit.insertion();
        let (after, effects) = visit.step(Event::CardMute(CARD), now());
        if own == Some(CARD) {
            assert!(matches!(after.page, Page::TakeCard(Trouble::CardMute)), "{name} → {}", after.page.name());
            assert!(matches!(effects[..], [Effect::Lock]), "{name}: {effects:?}");
        }
    }
    for page in pages() {
        let name = page.name();
        let (after, effects) = visit(page).step(Event::CardMute(Insertion(7)), now());
        assert_eq!((after.page.name(), effects.len()), (name, 0), "another card's silence");
    }
}

/// What somebody chose is theirs for the visit, from wherever they chose it; the next finds what the settings say.
#[test]
fn looks_last_as_long_as_the_visit() {
    use chevet::say::Lang;
    use chevet::visit::event::Look;
    for page in pages() {
        let (name, settings) = (page.name(), visit(Page::Idle).standing.looks);
        let mut at = visit(page);
        for change in [Look::OtherLanguage, Look::NextTextSize, Look::OtherLight] {
            (at, _) = at.step(Event::Touched(Touch::Look(change)), now());
        }
        if name == "ahead" && matches!(at.page, Page::TakeCard(_)) {
            // Whoever left a round to be prepared is not there to choose anything: any touch ends that visit.
            continue;
        }
        assert_eq!(at.page.name(), name, "nothing else changes");
        let drawn = seen(&at).looks;
        assert_eq!((drawn.lang, drawn.text_percent, drawn.night), (Lang::English, 125, true), "{name}");
        let was_of_nobody = matches!(at.page, Page::Idle | Page::About { .. });
        let (after, _) = at.step(Event::CardOut, now());
        assert_eq!(after.standing.looks == settings, !was_of_nobody, "{name}");
    }
}
