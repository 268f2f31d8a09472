//! What may happen to a visit. `Debug` prints names only: an event may carry a digit of a PIN.

use crate::identity::holder::Holder;
use crate::identity::holder::HolderId;
use crate::identity::holder::Situation;
use crate::identity::trust::Verified;
use crate::identity::userinfo::Person;
use crate::journal::Committed;
use crate::journal::Held;
use crate::journal::allowance::Allowance;
use crate::journal::consent::Said;
use crate::journal::consent::Signature;
use crate::journal::trace::LoginProof;
use crate::journal::words::Source;
use crate::patient::agenda::Agenda;
use crate::patient::ins::Ins;
use crate::patient::ins::Patient;
use crate::record::document::Document;
use crate::record::document::Outline;
use crate::record::document::UniqueId;
use crate::record::note::NoteDraft;
use crate::record::reading::Reading;
use crate::record::state::Access;
use crate::record::state::RecordState;
use crate::time::UnixSeconds;
use crate::trouble::Trouble;
use crate::visit::page::Leaf;
use crate::visit::said;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// One card's stay in the reader. A new insertion of the same card is another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Insertion(pub u64);

impl Insertion {
    /// A visit by telephone has a stay too, named after its request; it is never a card's.
    pub fn by_phone(ticket: Ticket) -> Insertion {
        Insertion(PHONE_BIT | ticket.0)
    }
}

/// No reader has ever counted so far.
const PHONE_BIT: u64 = 1 << 63;

/// One question to the world. Its answer brings it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

pub enum Event {
    /// Time passed: the loop's one alarm.
    Tick,
    /// A finger, or a hardware key.
    Touched(Touch),

    /// The reader came, went, or is in trouble.
    ReaderIs(ReaderState),
    CardIn(Insertion),
    CardOut,
    /// That card has not answered in time, whoever asked it what: nothing more is asked of it.
    CardMute(Insertion),
    /// Whether another card lies in another reader meanwhile. It is taken when this one is out.
    OtherCardIs(bool),
    CardRead {
        insertion: Insertion,
        answer: Result<Box<CardRead>, Trouble>,
    },
    PinChecked {
        insertion: Insertion,
        answer: PinAnswer,
    },

    /// The holder's compartment is open, and this is what waits on its desk.
    CompartmentOpened {
        ticket: Ticket,
        answer: Result<Desk, Trouble>,
    },
    /// The desk changed: something was cached, or a list came.
    DeskIs {
        insertion: Insertion,
        desk: Desk,
    },
    /// The rows are committed and fsynced, in the order asked; or none of them is.
    Recorded {
        ticket: Ticket,
        answer: Result<Vec<Committed>, Trouble>,
    },
    StateKnown {
        ticket: Ticket,
        answer: Result<StateAnswer, Trouble>,
    },
    Delivered {
        ticket: Ticket,
        answer: Result<(), Trouble>,
    },
    ListCame {
        ticket: Ticket,
        answer: Result<Box<Listing>, Trouble>,
    },
    /// The desk waits for the holder's other card.
    HandedOver {
        ticket: Ticket,
        answer: Result<(), Trouble>,
    },
    /// What lay on the desk about that patient, or an empty draft with a name of its own.
    DraftCame {
        ticket: Ticket,
        answer: Result<NoteDraft, Trouble>,
    },
    /// About whom the refused note is; none when it is refused no more.
    RefusedOpened {
        ticket: Ticket,
        answer: Result<Option<Patient>, Trouble>,
    },
    /// Whom this device knows, and the day's agenda.
    Recalled {
        ticket: Ticket,
        answer: Result<Recalled, Trouble>,
    },
    /// Whose records this holder may open, by the upstream's word, and until when where it says so.
    AuthorizedCame {
        ticket: Ticket,
        answer: Result<Vec<(Ins, Option<UnixSeconds>)>, Trouble>,
    },
    /// The next professional finds them.
    Prepared {
        ticket: Ticket,
        answer: Result<(), Trouble>,
    },
    RoundKept {
        ticket: Ticket,
        answer: Result<(), Trouble>,
    },
    /// One answer a patient, in the order asked.
    StatesKnown {
        ticket: Ticket,
        answers: Vec<Result<StateAnswer, Trouble>>,
    },
    /// One answer a patient, in the order asked; and what this link gives, where it was ever measured.
    Surveyed {
        ticket: Ticket,
        answers: Vec<Result<Survey, Trouble>>,
        bytes_a_second: Option<u64>,
    },
    FetchedAhead {
        ticket: Ticket,
        fetched: FetchedAhead,
    },
    /// How many of them the compartment took.
    KeptAhead {
        ticket: Ticket,
        answer: Result<u32, Trouble>,
    },
    /// The national traces that offline reading owed: of whom they were made, and of whom the upstream refused them.
    NationalMade {
        insertion: Insertion,
        made: Vec<Ins>,
        refused: Vec<Ins>,
        /// Nothing is owed any more.
        settled: bool,
    },
    ReceiptMade {
        ticket: Ticket,
        answer: Result<Box<PatientReceipt>, Trouble>,
    },
    HistoryCame {
        ticket: Ticket,
        answer: Result<Box<History>, Trouble>,
    },
    /// Documents that hold the words, the best first.
    Found {
        ticket: Ticket,
        answer: Result<Vec<UniqueId>, Trouble>,
    },
    /// The content is in the compartment, or in the network buffer; nothing of it is here.
    Fetched {
        ticket: Ticket,
        answer: Result<Source, Trouble>,
    },
    Rendered {
        ticket: Ticket,
        answer: Result<Arc<Reading>, Trouble>,
    },

    /// What became of it.
    Printed {
        ticket: Ticket,
        answer: Result<Printed, Trouble>,
    },

    /// The holder's telephone rings, and shows the same two digits.
    PhoneAsked {
        ticket: Ticket,
        answer: Result<PhoneCode, Trouble>,
    },
    /// They approved, and all of it was verified; or they did not.
    PhoneAnswered {
        ticket: Ticket,
        answer: Result<Box<PhoneLogin>, Trouble>,
    },
    /// The provider, or the network to it, ended what that request began.
    PhoneOver {
        ticket: Ticket,
        trouble: Trouble,
    },

    /// What the upstream itself said when it refused: its answer comes after it.
    ServerSaid(Box<ServerSaid>),

    /// What the device says of itself.
    LinkIs(LinkState),
    WaitingIs(Waiting),
    RefusedAre(Vec<Refused>),
    AllowanceIs(Allowance),
    DiskIs(Disk),
    SpentIs(Spent),
}

/// A server's own code and words. They may name somebody: no one else is to see them.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerSaid {
    pub code: String,
    pub text: String,
}

/// What came out of the printer, as far as it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Printed {
    pub pages: u32,
    /// The printer says that it is done; else it has all of it, and prints.
    pub finished: bool,
}

/// What a finger can mean. Pages offer them; the machine ignores those that do not belong to its page.
#[derive(Clone, PartialEq, Eq)]
pub enum Touch {
    /// A finger somewhere, on nothing that can be done.
    Stirred,
    Digit(u8),
    Erase,
    Confirm,
    /// "Oui, j'utilise le dernier essai".
    LastTry,
    /// "Sans carte, par téléphone".
    ByPhone,
    /// « Aide », « Réglages », « À propos »
    LookUp(Leaf),
    /// Top left: one page back.
    Back,
    /// "Quitter ce DMP".
    Quit,
    Understood,
    /// A patient of the round, by its place in the list.
    OpenPatient(usize),
    /// One whose record was opened lately, by its place.
    OpenRecent(usize),
    TypeIns,
    /// « Composer la tournée »
    ComposeRound,
    /// « Préparer la tournée »
    PrepareRound,
    /// Sizes and time were shown: begin, or go on.
    Start,
    Stop,
    /// « Changer de carte »
    HandOver,
    /// What was typed on the INS page: matricule, birth name, birth date as typed (jj/mm/aaaa).
    InsTyped {
        matricule: String,
        birth_name: String,
        birth_date: String,
    },
    /// A datamatrix, as the scanner gave it.
    Scanned(String),
    /// At the gate: go on under the ground that stands.
    OpenRecord,
    AskConsent,
    /// « Suite de la prise en charge »: the patient was informed of this event before.
    SameEvent,
    /// « Autre situation ».
    OtherSituation,
    /// A line of a page of choices, by its place.
    Choose(usize),
    /// What was typed at the gate, or to be looked for.
    TextTyped(String),
    Yes,
    No,
    Later,
    /// To sign one's yes.
    Sign,
    Signed(Signature),
    ShowAgreements,
    /// The patient takes their consent back.
    Withdraw,
    Language(Language),
    ShowSummary,
    /// « Informations patient ».
    ShowPatient,
    ShowDocuments,
    ShowHistory,
    /// What the patient takes home of this access.
    ShowReceipt,
    /// What the page shows, onto paper.
    Print,
    /// To look for words in the record.
    Search,
    /// To write a note into the record.
    WriteNote,
    /// All of the note, as it stands after a key.
    NoteTyped(String),
    /// To change the own document that is open.
    Manage,
    /// What patients may ask for.
    ShowLeaflet,
    /// « À régler ».
    ShowTray,
    /// To send a refused item once more, by its place.
    SendAgain(usize),
    /// To write a refused note anew, by its place.
    Correct(usize),
    /// A document, by its place in the list as it is shown.
    OpenDocument(usize),
    /// `None`: all classes.
    FilterClass(Option<String>),
    /// To narrow the list by type, date, author or setting.
    Filter,
    Why,
    NextPage,
    PreviousPage,
    LargerText,
    SmallerText,
    /// The whole screen, until the visit ends.
    Look(Look),
}

/// What of the screen's looks is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    OtherLanguage,
    NextTextSize,
    OtherLight,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    French,
    EasyFrench,
    English,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReaderState {
    Ready,
    Absent,
    InTrouble(Trouble),
}

/// What a card says before its PIN.
#[derive(Clone, PartialEq, Eq)]
pub struct CardRead {
    pub holder: Holder,
    /// `None`: the card does not say, and the page says so.
    pub tries_left: Option<u8>,
    /// Fewest and most digits of its PIN (AODF).
    pub pin_digits: (u8, u8),
    /// How old the list was that it is not on, and what had to be tolerated.
    pub verified: Verified,
    pub pin_entry: PinEntry,
    /// Nobody here has tried a real card of its kind, and the page says so.
    pub is_untried: bool,
}

/// Where the PIN is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PinEntry {
    #[default]
    Screen,
    /// On the reader's own keys: it never comes into this program.
    Reader,
}

/// What came of a PIN.
pub enum PinAnswer {
    /// The card took it and signed a fresh nonce, and the signature was verified on the host.
    /// With what the card then says of where its holder works.
    Here {
        proof: Box<LoginProof>,
        situations: Vec<Situation>,
    },
    Wrong {
        tries_left: u8,
    },
    Blocked,
    /// Pulled, mute, refused by the reader: never a wrong PIN.
    Failed(Trouble),
}

/// What must be the same on the screen and on the telephone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneCode {
    /// Two digits.
    pub digits: String,
    /// When the request ends, since boot.
    pub until: Duration,
}

/// Who approved, and what proves it.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneLogin {
    pub person: Person,
    pub proof: LoginProof,
}

/// What waits on the holder's desk.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Desk {
    pub round: Vec<RoundEntry>,
    /// Whose records this holder opened lately, and when; the newest first.
    pub recent: Vec<(Patient, UnixSeconds)>,
    /// When this holder was last told what a consultation entails.
    pub told: Option<UnixSeconds>,
    /// When the card that opens all this ends.
    pub card_ends: Option<UnixSeconds>,
    /// What happened to it, to be said once.
    pub notice: Option<Trouble>,
}

#[derive(Clone, PartialEq, Eq)]
pub struct RoundEntry {
    pub patient: Patient,
    /// Documents of this patient that this holder has in the compartment.
    pub cached: u32,
    /// When they were last known to be true upstream.
    pub as_of: Option<UnixSeconds>,
    /// Since when all that this holder may read of it is here.
    pub ready: Option<UnixSeconds>,
}

/// Of whom a round can be made.
pub struct Recalled {
    /// Whose records this holder opened lately, and when.
    pub recent: Vec<(Patient, UnixSeconds)>,
    /// Whom the reception desk handed on.
    pub prepared: Vec<Patient>,
    /// `None`: the settings name no agenda.
    pub agenda: Result<Option<Agenda>, Trouble>,
}

/// What there is to fetch ahead of one record. Nothing of it can be shown.
pub struct Survey {
    pub documents: Vec<Outline>,
    /// Already in the compartment.
    pub here: HashSet<UniqueId>,
}

/// What came of fetching one patient's documents.
pub struct FetchedAhead {
    /// Here, in memory, and unseen; not kept yet.
    pub got: Vec<UniqueId>,
    /// Could not be had, each for its own reason.
    pub lacking: u32,
    /// What ends the whole round: no network, a server that fails.
    pub trouble: Option<Trouble>,
    /// What this link gives, as measured so far.
    pub bytes_a_second: Option<u64>,
}

#[derive(Clone, PartialEq, Eq)]
pub struct StateAnswer {
    pub state: RecordState,
    pub source: Source,
    pub as_of: UnixSeconds,
    /// What the patient said on this device to this holder or their team, oldest first.
    pub said: Vec<Said>,
    /// When this holder last opened the record on a consent for one time: that consent is spent.
    pub spent: Option<UnixSeconds>,
}

impl StateAnswer {
    /// Whether the team ever told the patient of an event of their care, so that one may go on.
    pub fn was_informed(&self) -> bool {
        said::informed_at(&self.said).is_some()
    }
}

/// A record's list, permitted and denied alike: `policy` sorts them once the trace is durable.
pub struct Listing {
    pub documents: Held<Vec<Document>>,
    /// What this holder has opened before.
    pub opened: HashSet<UniqueId>,
    /// When this holder's visit before this one saw the list; `None`: never, as far as the rows that are left tell.
    pub last_visit: Option<UnixSeconds>,
    pub source: Source,
    pub as_of: UnixSeconds,
    /// When what is kept here of this record is destroyed; `None`: nothing of it is kept.
    pub lease: Option<UnixSeconds>,
}

/// What a patient takes home of one row. Nobody but the professional is named in it.
#[derive(Clone, PartialEq, Eq)]
pub struct PatientReceipt {
    /// In French, line by line.
    pub sheet: String,
    /// The QR code: how many modules a side has, and which are dark, row by row.
    pub side: usize,
    pub dark: Arc<[bool]>,
}

/// The access history: the upstream's lines, and our own rows that it does not know yet.
pub struct History {
    pub lines: Held<Vec<Access>>,
    pub unsent: Vec<Access>,
    /// `false`: the upstream could not be asked, and `lines` is empty for that reason.
    pub complete: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    Unknown,
    Online,
    Offline,
}

/// What waits to be delivered, and what was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    pub traces: u32,
    pub consents: u32,
    pub contributions: u32,
    pub set_aside: u32,
    pub oldest: Option<UnixSeconds>,
}

/// One item that the upstream refused for good: visible, explained, never deleted by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub id: Uuid,
    pub kind: RefusedKind,
    pub since: UnixSeconds,
    /// The upstream's word, or an HTTP status.
    pub code: String,
    /// Its sentence. It names nobody (docs/pdsm.md §1).
    pub reason: String,
    /// Whose note it is, where it is one: its author alone can write it anew.
    pub note_by: Option<HolderId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedKind {
    Trace,
    Consent,
    Contribution,
}

/// What went over the line today, and what a day may cost where the line is metered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    pub bytes: u64,
    /// `None`: the line is not metered.
    pub budget_bytes: Option<u64>,
}

/// What became of the device's own stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Disk {
    /// Stores that could not be opened stand aside, whole.
    pub is_sealed_aside: bool,
    /// The upstream has rows of ours that are not here any more: since when we know.
    pub put_back: Option<UnixSeconds>,
}

impl Event {
    /// For the log: the name, and nothing that it carries.
    pub fn name(&self) -> &'static str {
        match self {
            Event::Tick => "tick",
            Event::Touched(_) => "touched",
            Event::ReaderIs(_) => "reader_is",
            Event::CardIn(_) => "card_in",
            Event::CardOut => "card_out",
            Event::CardMute(_) => "card_mute",
            Event::OtherCardIs(_) => "other_card_is",
            Event::CardRead { .. } => "card_read",
            Event::PinChecked { .. } => "pin_checked",
            Event::DraftCame { .. } => "draft_came",
            Event::RefusedAre(_) => "refused_are",
            Event::RefusedOpened { .. } => "refused_opened",
            Event::CompartmentOpened { .. } => "compartment_opened",
            Event::DeskIs { .. } => "desk_is",
            Event::Recorded { .. } => "recorded",
            Event::StateKnown { .. } => "state_known",
            Event::Delivered { .. } => "delivered",
            Event::ListCame { .. } => "list_came",
            Event::HandedOver { .. } => "handed_over",
            Event::Recalled { .. } => "recalled",
            Event::AuthorizedCame { .. } => "authorized_came",
            Event::Prepared { .. } => "prepared",
            Event::RoundKept { .. } => "round_kept",
            Event::StatesKnown { .. } => "states_known",
            Event::Surveyed { .. } => "surveyed",
            Event::FetchedAhead { .. } => "fetched_ahead",
            Event::KeptAhead { .. } => "kept_ahead",
            Event::NationalMade { .. } => "national_made",
            Event::ReceiptMade { .. } => "receipt_made",
            Event::HistoryCame { .. } => "history_came",
            Event::Found { .. } => "found",
            Event::Fetched { .. } => "fetched",
            Event::Rendered { .. } => "rendered",
            Event::Printed { .. } => "printed",
            Event::PhoneAsked { .. } => "phone_asked",
            Event::PhoneAnswered { .. } => "phone_answered",
            Event::PhoneOver { .. } => "phone_over",
            Event::ServerSaid(_) => "server_said",
            Event::LinkIs(_) => "link_is",
            Event::WaitingIs(_) => "waiting_is",
            Event::AllowanceIs(_) => "allowance_is",
            Event::DiskIs(_) => "disk_is",
            Event::SpentIs(_) => "spent_is",
        }
    }
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::fmt::Debug for ServerSaid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerSaid([REDACTED])")
    }
}

impl std::fmt::Debug for StateAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StateAnswer([REDACTED])")
    }
}
