//! Where a visit is, and what each page holds. What a page holds goes when the page goes. The gate's own pages: `gate`.

pub mod gate;

use crate::identity::holder::Holder;
use crate::identity::holder::HolderId;
use crate::journal::Committed;
use crate::journal::allowance::Allowance;
use crate::journal::trace::LoginProof;
use crate::journal::words::Ground;
use crate::journal::words::Regime;
use crate::journal::words::Source;
use crate::patient::ins::Patient;
use crate::policy::Decision;
use crate::policy::Matrix;
use crate::policy::framework::Framework;
use crate::record::document::Document;
use crate::record::reading::Reading;
use crate::record::state::Access;
use crate::secret::PinBuffer;
use crate::time::Now;
use crate::time::UnixSeconds;
use crate::trouble::Trouble;
use crate::visit::event::CardRead;
use crate::visit::event::Insertion;
use crate::visit::event::LinkState;
use crate::visit::event::ReaderState;
use crate::visit::event::RoundEntry;
use crate::visit::event::StateAnswer;
use crate::visit::event::Ticket;
use crate::visit::event::Waiting;
use crate::visit::page::gate::Gate;
use crate::visit::page::gate::SoFar;
use std::sync::Arc;
use std::time::Duration;

/// The one value that the kiosk owns.
pub struct Visit {
    pub page: Page,
    pub standing: Standing,
    pub(super) rules: Arc<Rules>,
    /// The next ticket's number; never goes back, so that an old answer never fits.
    pub(super) next_ticket: u64,
}

/// What stays true between visits: the device, not the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub reader: ReaderState,
    pub link: LinkState,
    pub waiting: Waiting,
    /// How long the journal may go on without an upstream's word.
    pub allowance: Allowance,
}

/// What the site and the law say, read once at start.
#[derive(Debug, Clone)]
pub struct Rules {
    pub matrix: Matrix,
    /// A newer matrix or list lies on this device and was refused: why, in one sentence.
    pub left_aside: Option<&'static str>,
    pub regime: Regime,
    /// National identifiers of the care team's members, from the signed settings.
    pub team: Vec<String>,
    /// How the team is named in a consent.
    pub team_name: String,
    /// Professionals for whom an answer may be collected here (L.1111-17 II), by name.
    pub colleagues: Vec<Colleague>,
    /// IANA name: an event of care is, unless the holder says otherwise, a calendar day here.
    pub time_zone: String,
    /// After so many days a professional is told again what a consultation entails.
    pub duty_days: u32,
    /// The establishment's signed framework for brain death, where a site has one.
    pub framework: Option<Framework>,
}

/// A professional who is not here.
#[derive(Clone, PartialEq, Eq)]
pub struct Colleague {
    pub id: HolderId,
    /// Empty: only the number is known.
    pub name: String,
}

/// One question a page.
pub enum Page {
    Idle,
    ReadingCard {
        insertion: Insertion,
        until: Duration,
    },
    AskPin(AskPin),
    CheckingPin {
        insertion: Insertion,
        card: Box<CardRead>,
        until: Duration,
    },
    /// The login's row is being written, then the compartment opened.
    Opening(Box<Opening>),
    /// What a consultation entails, told at the first login and from time to time.
    Duty(Box<Duty>),
    Home(Box<Home>),
    /// A CPE or CPA: no record, no titles.
    Reception {
        insertion: Insertion,
        holder: Box<Holder>,
        until: Duration,
    },
    Gate(Box<Gate>),
    Record(Box<Record>),
    Document(Box<Reader>),
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
    /// Inactivity ends the visit.
    pub until: Duration,
}

pub struct Duty {
    pub here: Here,
    pub step: DutyStep,
}

pub enum DutyStep {
    Shown,
    Recording { ticket: Ticket, until: Duration },
}

pub struct Home {
    pub here: Here,
    /// The page on which an INS is typed is open.
    pub typing: bool,
    /// What went wrong a moment ago, above the round.
    pub notice: Option<Trouble>,
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
    pub room: Room,
}

pub struct Permitted {
    pub document: Document,
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
    /// The list, and the class it is filtered by.
    Documents {
        class: Option<String>,
    },
    Why,
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
    /// The chosen class of the list, to come back to it.
    pub class: Option<String>,
    pub step: ReaderStep,
    /// 100, 125, 150, 175 or 200.
    pub text_percent: u16,
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
            link: LinkState::Unknown,
            waiting: Waiting::default(),
            allowance: Allowance::default(),
        };
        Visit { page: Page::Idle, standing, rules, next_ticket: 1 }
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

    pub fn here(&self) -> Option<&Here> {
        match &self.page {
            Page::Duty(duty) => Some(&duty.here),
            Page::Home(home) => Some(&home.here),
            Page::Gate(gate) => Some(&gate.here),
            Page::Record(record) => Some(&record.here),
            Page::Document(reader) => Some(&reader.record.here),
            _ => None,
        }
    }

    /// The patient whose record is asked for or open.
    pub fn patient(&self) -> Option<&Patient> {
        match &self.page {
            Page::Gate(gate) => Some(&gate.patient),
            Page::Record(record) => Some(&record.patient),
            Page::Document(reader) => Some(&reader.record.patient),
            _ => None,
        }
    }
}

/// Names and numbers of professionals are in no log.
impl std::fmt::Debug for Colleague {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Colleague([REDACTED])")
    }
}

impl Record {
    /// Places in `documents` of what the list shows, in order: all, those of the chosen class, or what was found.
    pub fn shown(&self) -> Vec<usize> {
        if let Room::Found { places, .. } = &self.room {
            return places.clone();
        }
        let chosen = match &self.room {
            Room::Documents { class } => class.as_deref(),
            _ => None,
        };
        let fits = |permitted: &Permitted| chosen.is_none_or(|class| permitted.document.class_code.0 == class);
        (0..self.documents.len()).filter(|place| fits(&self.documents[*place])).collect()
    }
}

impl Page {
    /// For the log and for tests: the name, and nothing that it holds.
    pub fn name(&self) -> &'static str {
        match self {
            Page::Idle => "idle",
            Page::ReadingCard { .. } => "reading_card",
            Page::AskPin(_) => "ask_pin",
            Page::CheckingPin { .. } => "checking_pin",
            Page::Opening(_) => "opening",
            Page::Duty(_) => "duty",
            Page::Home(_) => "home",
            Page::Reception { .. } => "reception",
            Page::Gate(_) => "gate",
            Page::Record(_) => "record",
            Page::Document(_) => "document",
            Page::TakeCard(_) => "take_card",
        }
    }
}
