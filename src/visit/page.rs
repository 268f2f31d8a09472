//! Where a visit is, and what each page holds. What a page holds goes when the page goes. The gate's own pages: `gate`; those of
//! a login by telephone: `phone`.

pub mod ahead;
pub mod compose;
pub mod gate;
pub mod phone;
pub mod printing;
pub mod reception;
pub mod summary;
pub mod writing;

use crate::identity::holder::Holder;
use crate::identity::holder::HolderId;
use crate::identity::holder::Means;
use crate::identity::holder::Situation;
use crate::journal::Committed;
use crate::journal::allowance::Allowance;
use crate::journal::trace::LoginProof;
use crate::journal::words::Ground;
use crate::journal::words::Regime;
use crate::journal::words::Source;
use crate::patient::ins::Patient;
use crate::policy::Decision;
use crate::policy::Matrix;
use crate::policy::facts::ProfessionKind;
use crate::policy::framework::Framework;
use crate::policy::matrix::Place;
use crate::policy::team::Team;
use crate::record::document::Document;
use crate::record::filter;
use crate::record::filter::Facet;
use crate::record::filter::Filter;
use crate::record::reading::Reading;
use crate::record::state::Access;
use crate::record::state::RecordState;
use crate::record::state::TeamWord;
use crate::say::Looks;
use crate::secret::PinBuffer;
use crate::time::Now;
use crate::time::UnixSeconds;
use crate::trouble::Trouble;
use crate::visit::event::CardRead;
use crate::visit::event::Disk;
use crate::visit::event::Insertion;
use crate::visit::event::LinkState;
use crate::visit::event::PatientReceipt;
use crate::visit::event::ReaderState;
use crate::visit::event::Refused;
use crate::visit::event::RoundEntry;
use crate::visit::event::ServerSaid;
use crate::visit::event::Spent;
use crate::visit::event::StateAnswer;
use crate::visit::event::Ticket;
use crate::visit::event::Waiting;
use crate::visit::gentle::Attention;
use crate::visit::gentle::Locked;
use crate::visit::gentle::Parked;
use crate::visit::gentle::Patience;
use crate::visit::page::ahead::Ahead;
use crate::visit::page::compose::Compose;
use crate::visit::page::gate::Gate;
use crate::visit::page::gate::SoFar;
use crate::visit::page::phone::AskRpps;
use crate::visit::page::phone::ChoosingExercise;
use crate::visit::page::phone::WaitingForPhone;
use crate::visit::page::reception::Reception;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// The one value that the kiosk owns.
pub struct Visit {
    pub page: Page,
    pub standing: Standing,
    pub(super) rules: Arc<Rules>,
    /// What nobody's touch makes of the page.
    pub(super) attention: Attention,
    /// What the upstream last said when it refused, until somebody touches the screen or nobody is here.
    pub server_said: Option<Box<ServerSaid>>,
    /// The page that was put by when the screen was locked.
    pub(super) parked: Option<Box<Parked>>,
    /// The next ticket's number; never goes back, so that an old answer never fits.
    pub(super) next_ticket: u64,
}

/// What stays true between visits: the device, not the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub reader: ReaderState,
    /// Another card lies in another reader, and is ignored as long as this one is in.
    pub other_card: bool,
    pub link: LinkState,
    /// `None`: nobody has looked since the start.
    pub waiting: Option<Waiting>,
    /// What the upstream refused, oldest first.
    pub refused: Vec<Refused>,
    /// How long the journal may go on without an upstream's word.
    pub allowance: Allowance,
    pub disk: Disk,
    /// What the link gave when documents last came over it.
    pub bytes_a_second: Option<u64>,
    /// `None`: nobody has counted since the start.
    pub spent: Option<Spent>,
    /// As the settings say, or as whoever is here chose.
    pub looks: Looks,
}

/// What the site and the law say, read once at start.
#[derive(Debug, Clone)]
pub struct Rules {
    pub matrix: Matrix,
    /// What lies on this device and was refused.
    pub left_aside: Vec<Aside>,
    pub regime: Regime,
    /// The site's care team.
    pub team: Team,
    /// Professionals for whom an answer may be collected here (L.1111-17 II), by name.
    pub colleagues: Vec<Colleague>,
    /// IANA name: an event of care is, unless the holder says otherwise, a calendar day here.
    pub time_zone: String,
    /// After so many days a professional is told again what a consultation entails.
    pub duty_days: u32,
    /// The establishment's signed framework for brain death, where a site has one.
    pub framework: Option<Framework>,
    /// The settings name Pro Santé Connect: a visit without a card is offered.
    pub by_phone: bool,
    /// The settings name a printer.
    pub prints: bool,
    /// Language, size of text and light, as a visit begins.
    pub looks: Looks,
    /// When what nobody touches goes dim and is locked.
    pub patience: Patience,
}

/// A signed file that was refused: what was in force stays, or nothing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aside {
    pub what: AsideKind,
    /// One French sentence.
    pub why: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsideKind {
    /// A newer matrix or list.
    Update,
    /// The framework for brain death, which stays forbidden.
    Framework,
    /// The team's list: nobody is in the team.
    Team,
}

impl Rules {
    /// The team in which this holder cares for this patient: the site's, else the upstream's.
    pub fn team_of<'a>(&'a self, holder: &Holder, state: &'a RecordState) -> Option<&'a str> {
        if self.team.has(&holder.id) { Some(self.team.name()) } else { state.care_team.as_deref() }
    }

    /// What the upstream knows that the patient said about that team.
    pub(super) fn team_word<'a>(&self, holder: &Holder, state: &'a RecordState) -> Option<&'a TeamWord> {
        let team = self.team_of(holder, state)?;
        state.team_words.iter().find(|word| word.team == team)
    }

    /// Where the matrix puts this holder, with the role that only the site's signed team gives (L.1111-16).
    pub(super) fn place(&self, holder: &Holder) -> Place {
        let place = Place::of_holder(holder);
        match place.kind {
            ProfessionKind::Doctor if self.team.is_coordinated_by(&holder.id) => {
                Place { kind: ProfessionKind::CoordinatingDoctor, ..place }
            }
            _ => place,
        }
    }
}

/// A professional who is not here.
#[derive(Clone, PartialEq, Eq)]
pub struct Colleague {
    pub id: HolderId,
    /// Empty: only the number is known.
    pub name: String,
}

/// What anybody may look up, whoever stands here: of nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaf {
    /// What the record is, the patient's rights, how to use card and telephone.
    Help,
    /// What is in force, and what of it may be changed on the spot.
    Settings,
    /// What this device is, and by which rules it decides.
    Device,
}

/// One question a page.
pub enum Page {
    Idle,
    /// What anybody may look up.
    About {
        leaf: Leaf,
        until: Duration,
    },
    ReadingCard {
        insertion: Insertion,
        until: Duration,
    },
    AskPin(AskPin),
    CheckingPin {
        insertion: Insertion,
        card: Box<CardRead>,
        /// The PIN before this one was wrong; said only while the next is typed on the reader.
        was_wrong: bool,
        until: Duration,
    },
    /// No card: which number?
    AskRpps(AskRpps),
    /// The two digits are on both screens.
    WaitingForPhone(WaitingForPhone),
    /// As whom, where, of several.
    ChoosingExercise(Box<ChoosingExercise>),
    /// The card took its PIN and names several places: where the holder is now.
    ChoosingSituation(Box<ChoosingSituation>),
    /// A visit by telephone is over, and why. There is no card to take.
    PhoneOver {
        trouble: Trouble,
        until: Duration,
    },
    /// The login's row is being written, then the compartment opened.
    Opening(Box<Opening>),
    /// What a consultation entails, told at the first login and from time to time.
    Duty(Box<Duty>),
    Home(Box<Home>),
    /// Who is in the round is being chosen.
    Compose(Box<Compose>),
    /// The round is being prepared.
    Ahead(Box<Ahead>),
    /// A CPE or CPA: no record, no titles.
    Reception(Box<Reception>),
    Gate(Box<Gate>),
    Record(Box<Record>),
    Document(Box<Reader>),
    Printing(Box<printing::Printing>),
    /// Nobody came: whose card is in, and nothing else.
    Locked(Locked),
    /// Nothing goes on until the card is out.
    TakeCard(Trouble),
}

pub struct AskPin {
    pub insertion: Insertion,
    pub card: Box<CardRead>,
    pub digits: PinBuffer,
    /// Set after a wrong PIN: the page says so.
    pub was_wrong: bool,
    /// A last try needs an explicit yes before any digit (P7).
    pub last_try_agreed: bool,
    pub until: Duration,
}

pub struct ChoosingSituation {
    pub insertion: Insertion,
    pub holder: Holder,
    pub proof: Box<LoginProof>,
    pub situations: Vec<Situation>,
    pub until: Duration,
}

pub struct Opening {
    pub insertion: Insertion,
    pub holder: Holder,
    pub step: OpeningStep,
    pub until: Duration,
}

pub enum OpeningStep {
    RecordingLogin { ticket: Ticket, proof: Box<LoginProof> },
    OpeningCompartment { ticket: Ticket, login: u64 },
}

/// The holder who is here, proven, with a login row on the disk.
pub struct Here {
    pub insertion: Insertion,
    pub holder: Holder,
    /// Index of the login's row; enters every row of the visit.
    pub login: u64,
    pub round: Vec<RoundEntry>,
    /// Whose records they opened lately, and when; the newest first.
    pub recent: Vec<(Patient, UnixSeconds)>,
    pub card_ends: Option<UnixSeconds>,
    /// The national record knows of all that was read offline.
    pub national_settled: bool,
    /// Untouched until then, the screen is locked.
    pub until: Duration,
}

pub struct Duty {
    pub here: Here,
    pub step: DutyStep,
    /// What is said at home afterwards.
    pub notice: Option<Trouble>,
}

pub enum DutyStep {
    Shown,
    Recording { ticket: Ticket, until: Duration },
}

pub struct Home {
    pub here: Here,
    /// The page on which an INS is typed is open.
    pub typing: bool,
    /// « À régler » is open.
    pub tray: bool,
    /// Something is being looked up.
    pub leaf: Option<Leaf>,
    /// A refused note is being looked up, to be written anew: which, and how long that may take.
    pub correcting: Option<Correcting>,
    /// What went wrong a moment ago, above the round.
    pub notice: Option<Trouble>,
    /// The national traces that were owed: how many are made now, and how many were refused.
    pub national: Option<National>,
    /// The desk is being handed over; nothing else is done meanwhile.
    pub handing: Option<(Ticket, Duration)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Correcting {
    pub ticket: Ticket,
    pub refused: Uuid,
    pub until: Duration,
}

/// What became of the national traces that offline reading owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct National {
    pub made: u32,
    pub refused: u32,
}

/// A record, open.
pub struct Record {
    pub here: Here,
    pub patient: Patient,
    pub answer: StateAnswer,
    pub ground: Ground,
    pub so_far: SoFar,
    /// The row under which the list is shown.
    pub listed: Committed,
    /// Permitted documents, newest clinical date first, each with its decision.
    pub documents: Vec<Permitted>,
    /// Denied documents: counted by rule, titles dropped.
    pub denied: Vec<Denied>,
    pub source: Source,
    pub as_of: UnixSeconds,
    /// When it may not be seen any more: what is kept of it is destroyed, or the authorization that it is seen under ends.
    pub ends: Option<UnixSeconds>,
    /// What of `documents` the list shows; it stays for as long as the record is open.
    pub filter: Filter,
    /// Once it was gathered and its rows are durable.
    pub summary: Option<Arc<summary::Summary>>,
    pub room: Room,
}

pub struct Permitted {
    pub document: Document,
    /// This holder has opened it, now or before.
    pub opened: bool,
    /// Unread, and made since this holder last opened the record.
    pub is_new: bool,
    pub decision: Decision,
}

/// What may not be seen, as much as may be said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    pub class_code: String,
    pub decision: Decision,
    pub count: u32,
}

pub enum Room {
    /// The list, as far as its filter lets through.
    Documents,
    /// By what the list is narrowed; then to what.
    Filtering {
        facet: Option<Facet>,
    },
    /// The summary's documents are fetched, accounted for and read.
    Gathering(Box<summary::Gathering>),
    /// `Record::summary`.
    Summary,
    SummaryFailed {
        trouble: Trouble,
    },
    Why,
    /// Who the record is about.
    Patient,
    /// What the patient said, and the way to take it back.
    Agreements,
    AskingHistory {
        ticket: Ticket,
        until: Duration,
    },
    History {
        lines: Vec<Access>,
        complete: bool,
    },
    HistoryFailed {
        trouble: Trouble,
    },
    AskingReceipt {
        ticket: Ticket,
        until: Duration,
    },
    /// Turned to the patient.
    Receipt(Box<PatientReceipt>),
    ReceiptFailed {
        trouble: Trouble,
    },
    /// A few words to look for.
    AskingWords,
    Searching {
        ticket: Ticket,
        words: String,
        step: SearchStep,
        until: Duration,
    },
    /// Places in `documents`, the best first.
    Found {
        words: String,
        places: Vec<usize>,
    },
    SearchFailed {
        trouble: Trouble,
    },
    /// A note is being written.
    Writing(Box<writing::Writing>),
    /// One of the holder's own documents is being changed.
    Managing(writing::Managing),
}

/// No row, no search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchStep {
    Recording,
    Looking,
}

/// One document, being opened or open.
pub struct Reader {
    pub record: Record,
    /// Place in `record.documents`, whatever the filter.
    pub place: usize,
    pub step: ReaderStep,
    /// 100, 125, 150, 175 or 200.
    pub text_percent: u16,
    /// The page that is drawn first, from 0.
    pub begin_at: u32,
}

pub enum ReaderStep {
    Fetching {
        ticket: Ticket,
        until: Duration,
    },
    Recording {
        ticket: Ticket,
        until: Duration,
    },
    Rendering {
        ticket: Ticket,
        committed: Committed,
        page: u32,
        until: Duration,
    },
    /// `page` is counted from 0; `reading.pages` begins at `first_page`.
    Shown {
        reading: Arc<Reading>,
        first_page: u32,
        page: u32,
        committed: Committed,
        /// Pages around this one are being drawn before they are asked for, from which on.
        ahead: Option<(Ticket, u32)>,
    },
    Failed {
        trouble: Trouble,
    },
}

impl Visit {
    /// An idle device.
    pub fn new(rules: Arc<Rules>) -> Visit {
        let standing = Standing {
            reader: ReaderState::Absent,
            other_card: false,
            link: LinkState::Unknown,
            waiting: None,
            refused: Vec::new(),
            allowance: Allowance::default(),
            disk: Disk::default(),
            bytes_a_second: None,
            spent: None,
            looks: rules.looks,
        };
        Visit {
            page: Page::Idle,
            standing,
            rules,
            attention: Attention::Fresh,
            server_said: None,
            parked: None,
            next_ticket: 1,
        }
    }

    /// Whether a record or a document may not be opened in the ordinary way, because nobody upstream has seen the journal for
    /// too long. Bris de glace is neither widened nor narrowed by it.
    pub(super) fn allowance_bars(&self, ground: Ground, now: Now) -> bool {
        ground != Ground::BreakGlass && self.standing.allowance.is_spent(now.wall)
    }

    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The holder whose card is in and proven, if any.
    pub fn holder(&self) -> Option<&Holder> {
        self.here().map(|here| &here.holder)
    }

    /// Whether what goes on has no card: from the first digit of a number to the word that it is over.
    pub fn is_by_phone(&self) -> bool {
        let by_phone = |holder: &Holder| holder.means == Means::ECps;
        match &self.page {
            Page::AskRpps(_) | Page::WaitingForPhone(_) | Page::ChoosingExercise(_) | Page::PhoneOver { .. } => true,
            Page::Opening(opening) => by_phone(&opening.holder),
            _ => self.holder().is_some_and(by_phone),
        }
    }

    pub fn here(&self) -> Option<&Here> {
        self.page.here()
    }

    /// The card, or the telephone's request, that this page belongs to; nobody's when it would look the same for anybody.
    pub fn insertion(&self) -> Option<Insertion> {
        self.page.insertion()
    }

    /// The patient whose record is asked for or open.
    pub fn patient(&self) -> Option<&Patient> {
        self.page.patient()
    }
}

/// Names and numbers of professionals are in no log.
impl std::fmt::Debug for Colleague {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Colleague([REDACTED])")
    }
}

impl Record {
    /// Places in `documents` of what the page shows, in order: what the filter lets through, what was found, or what each line
    /// of the summary was drawn from.
    pub fn shown(&self) -> Vec<usize> {
        match (&self.room, &self.summary) {
            (Room::Found { places, .. }, _) => return places.clone(),
            (Room::Summary, Some(summary)) => return summary.places(),
            _ => {}
        }
        (0..self.documents.len()).filter(|place| self.filter.fits(&self.documents[*place].document)).collect()
    }

    /// What the list can be narrowed to.
    pub fn choices(&self, facet: Facet) -> Vec<(String, usize)> {
        filter::choices(facet, &self.filter, self.documents.iter().map(|permitted| &permitted.document))
    }
}

impl Here {
    /// Whose records were opened lately and who are not in the round: what « last visits » lists, by place.
    pub fn last_visits(&self) -> Vec<&(Patient, UnixSeconds)> {
        let is_in_round = |patient: &Patient| self.round.iter().any(|entry| entry.patient.ins == patient.ins);
        self.recent.iter().filter(|(patient, _)| !is_in_round(patient)).take(LAST_VISITS_MAX).collect()
    }
}

/// More is not a list that is read at a glance: the round's own page has the others.
const LAST_VISITS_MAX: usize = 8;

impl Page {
    pub(super) fn here(&self) -> Option<&Here> {
        match self {
            Page::Duty(duty) => Some(&duty.here),
            Page::Home(home) => Some(&home.here),
            Page::Compose(compose) => Some(&compose.here),
            Page::Ahead(ahead) => Some(&ahead.here),
            Page::Gate(gate) => Some(&gate.here),
            Page::Record(record) => Some(&record.here),
            Page::Document(reader) => Some(&reader.record.here),
            Page::Printing(printing) => printing.under.here(),
            _ => None,
        }
    }

    pub(super) fn here_mut(&mut self) -> Option<&mut Here> {
        match self {
            Page::Duty(duty) => Some(&mut duty.here),
            Page::Home(home) => Some(&mut home.here),
            Page::Compose(compose) => Some(&mut compose.here),
            Page::Ahead(ahead) => Some(&mut ahead.here),
            Page::Gate(gate) => Some(&mut gate.here),
            Page::Record(record) => Some(&mut record.here),
            Page::Document(reader) => Some(&mut reader.record.here),
            Page::Printing(printing) => printing.under.here_mut(),
            _ => None,
        }
    }

    fn insertion(&self) -> Option<Insertion> {
        match self {
            Page::ReadingCard { insertion, .. } | Page::CheckingPin { insertion, .. } => Some(*insertion),
            Page::Reception(desk) => Some(desk.insertion),
            Page::AskPin(ask) => Some(ask.insertion),
            Page::ChoosingSituation(choosing) => Some(choosing.insertion),
            Page::Opening(opening) => Some(opening.insertion),
            Page::Locked(locked) => Some(locked.insertion),
            Page::Printing(printing) => printing.under.insertion(),
            page => page.here().map(|here| here.insertion),
        }
    }

    fn patient(&self) -> Option<&Patient> {
        match self {
            Page::Gate(gate) => Some(&gate.patient),
            Page::Record(record) => Some(&record.patient),
            Page::Document(reader) => Some(&reader.record.patient),
            Page::Printing(printing) => printing.under.patient(),
            _ => None,
        }
    }

    /// For the log and for tests: the name, and nothing that it holds.
    pub fn name(&self) -> &'static str {
        match self {
            Page::Idle => "idle",
            Page::About { .. } => "about",
            Page::ReadingCard { .. } => "reading_card",
            Page::AskPin(_) => "ask_pin",
            Page::CheckingPin { .. } => "checking_pin",
            Page::AskRpps(_) => "ask_rpps",
            Page::WaitingForPhone(_) => "waiting_for_phone",
            Page::ChoosingExercise(_) => "choosing_exercise",
            Page::ChoosingSituation(_) => "choosing_situation",
            Page::PhoneOver { .. } => "phone_over",
            Page::Opening(_) => "opening",
            Page::Duty(_) => "duty",
            Page::Home(_) => "home",
            Page::Compose(_) => "compose",
            Page::Ahead(_) => "ahead",
            Page::Reception(_) => "reception",
            Page::Gate(_) => "gate",
            Page::Record(_) => "record",
            Page::Document(_) => "document",
            Page::Printing(_) => "printing",
            Page::Locked(_) => "locked",
            Page::TakeCard(_) => "take_card",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::holder::CardKind;
    use crate::identity::holder::Means;
    use crate::identity::holder::ProfessionCode;
    use crate::policy::matrix::Column;
    use crate::policy::signed;
    use crate::policy::signed::Standing as Trusted;

    fn holder(id: &str, profession: u16) -> Holder {
        Holder {
            id: HolderId(id.into()),
            situations: None,
            profession: Some(ProfessionCode(profession)),
            pharmacist_section: None,
            specialty: None,
            in_training: false,
            card_kind: CardKind::Cps,
            family_name: "TEST".into(),
            given_name: "Test".into(),
            means: Means::Card,
        }
    }

    #[test]
    fn only_a_doctor_on_a_signed_list_coordinates() {
        let list = "# chevet-team: 1\n# establishment: E\nid,role\n1,coordinating_doctor\n2,\n3,coordinating_doctor\n";
        let key = include_str!("../../data/keys/development.key");
        let signature = signed::sign(list.as_bytes(), key, "development").expect("signed");
        let rules = Rules {
            matrix: Matrix::new("m".into(), vec![Column("10".into())], vec![]),
            left_aside: vec![],
            regime: Regime::Arrete2023,
            team: Team::open(list.as_bytes(), &signature, Trusted::Desk).expect("read"),
            colleagues: vec![],
            time_zone: "Europe/Paris".into(),
            duty_days: 180,
            framework: None,
            by_phone: false,
            prints: false,
            looks: Looks::default(),
            patience: Patience::default(),
        };
        let kind = |id, profession| rules.place(&holder(id, profession)).kind;
        assert_eq!(kind("1", 10), ProfessionKind::CoordinatingDoctor);
        assert_eq!(kind("2", 10), ProfessionKind::Doctor);
        assert_eq!(kind("3", 60), ProfessionKind::Other, "a nurse is no coordinating doctor, whatever a list says");
        assert!(!rules.place(&holder("1", 10)).columns.is_empty(), "the doctors' column stays");
        let occupational = Holder { specialty: Some("SM25".into()), ..holder("1", 10) };
        assert_eq!(rules.place(&occupational).kind, Place::of_holder(&occupational).kind);
    }
}
