//! What a visit asks of the world. Data only; `kiosk::perform` does it and answers with an event.

use crate::identity::holder::Holder;
use crate::identity::holder::HolderId;
use crate::identity::holder::Situation;
use crate::journal::Committed;
use crate::journal::Draft;
use crate::journal::consent::Said;
use crate::journal::item::Contribution;
use crate::journal::words::Mode;
use crate::patient::ins::Ins;
use crate::patient::ins::Patient;
use crate::policy::decision::Owed;
use crate::record::document::Document;
use crate::record::document::Outline;
use crate::record::note::NoteDraft;
use crate::record::state::Access;
use crate::secret::Pin;
use crate::time::UnixSeconds;
use crate::visit::event::Insertion;
use crate::visit::event::PatientReceipt;
use crate::visit::event::Ticket;
use std::ops::Range;
use std::time::Duration;
use uuid::Uuid;

pub enum Effect {
    /// Find the certificate, verify it, read the tries left. Answer: `CardRead`.
    ReadCard { insertion: Insertion },
    /// VERIFY, then a signature over a fresh nonce. Answer: `PinChecked`.
    CheckPin { insertion: Insertion, pin: Pin },
    /// The same with the PIN typed on the reader's own keys. Answer: `PinChecked`.
    CheckPinOnReader { insertion: Insertion },
    /// The card signs for its compartment, and the vault opens it; under which situation this visit is. Answer: `CompartmentOpened`.
    OpenCompartment { ticket: Ticket, insertion: Insertion, situation: Option<Situation> },
    /// Have that person's telephone ask. Answers: `PhoneAsked`, then `PhoneAnswered`; much later, perhaps, `PhoneOver`.
    AskPhone { ticket: Ticket, holder: HolderId },
    /// Room in memory for a visit by telephone; nothing on the disk. Answer: `CompartmentOpened`.
    OpenMemory { ticket: Ticket, insertion: Insertion, holder: Box<Holder> },
    /// All rows and items in one transaction, fsynced. Answer: `Recorded`, one `Committed` a row.
    Record { ticket: Ticket, rows: Vec<Draft>, said: Vec<Said> },
    /// TD0.2, or what the compartment remembers when offline. Answer: `StateKnown`.
    AskState { ticket: Ticket, patient: Patient },
    /// Send what waits for this holder, consents first. Answer: `Delivered`.
    Deliver { ticket: Ticket },
    /// ITI-67, or the compartment's list when offline. Answer: `ListCame`.
    List { ticket: Ticket, patient: Patient, mode: Mode, keep: Keep },
    /// The proof of that row, to be shown to the patient. Answer: `ReceiptMade`.
    MakeReceipt { ticket: Ticket, row: u64 },
    /// ITI-81 with our unsent rows. Answer: `HistoryCame`.
    History { ticket: Ticket, patient: Ins, mode: Mode },
    /// Look for words in what is here of that record, under the row that accounts for it. Answer: `Found`.
    Search { ticket: Ticket, patient: Ins, words: String, committed: Committed },
    /// ITI-68 into the compartment or into memory; nothing to do when it is there. Answer: `Fetched`.
    Fetch { ticket: Ticket, patient: Ins, document: Box<Document>, mode: Mode, keep: Keep },
    /// Release under this trace, parse and draw in the sealed worker. Answer: `Rendered`.
    /// `pages` are those to draw, from 0, where the format has pages.
    Render { ticket: Ticket, patient: Ins, document: Box<Document>, committed: Committed, pages: Range<u32> },
    /// Onto the practice's printer, under the row that says so; a leaflet that is about nobody has none. Answer: `Printed`.
    Print { ticket: Ticket, paper: Box<Paper>, committed: Option<Committed> },
    /// What is on its way to the printer is cut off, and a job that lies in it is taken back. Nobody waits for it.
    StopPrint,
    /// Who was seen lately, and the practice's agenda. Answer: `Recalled`.
    Recall { ticket: Ticket },
    /// TD0.4, online alone. Answer: `AuthorizedCame`.
    AskAuthorized { ticket: Ticket },
    /// Handed on to the next professional, in memory. Answer: `Prepared`.
    Prepare { ticket: Ticket, patient: Patient },
    /// The round is these. Answer: `RoundKept`, after the desk.
    KeepRound { ticket: Ticket, patients: Vec<Patient> },
    /// TD0.2 of each, online alone. Answer: `StatesKnown`.
    AskStates { ticket: Ticket, patients: Vec<Patient> },
    /// What there is to fetch ahead: each list is synchronised, unseen. Answer: `Surveyed`.
    Survey { ticket: Ticket, patients: Vec<Ins> },
    /// ITI-68 of each into memory, unseen. Answer: `FetchedAhead`.
    FetchAhead { ticket: Ticket, patient: Ins, documents: Vec<Outline> },
    /// Into the compartment, each under its row; `whole` when nothing else of that patient is lacking. Answer: `KeptAhead`.
    KeepAhead { ticket: Ticket, patient: Ins, committed: Vec<Committed>, whole: bool },
    /// What was fetched ahead and is not kept goes. Nobody waits for it.
    DropAhead,
    /// What was read offline is searched for now, as the holder, so that the national trace exists. Answer: `NationalMade`.
    MakeNational { insertion: Insertion },
    /// The desk waits for the holder's other card, until that time since boot. Answer: `HandedOver`.
    HandOver { ticket: Ticket, until: Duration },
    /// What lies on the desk about that patient; where nothing does, the words of `corrects`, a refused note. Answer: `DraftCame`.
    OpenDraft { ticket: Ticket, patient: Ins, corrects: Option<Uuid> },
    /// Onto the desk, in place of what lay there; an empty one clears it. Nobody waits for it.
    KeepDraft { patient: Ins, draft: Box<NoteDraft> },
    /// What an author finished, with its row, in one transaction; off the desk after it. Without an id it gets one. Answer:
    /// `Recorded`. What it corrects is superseded in the same transaction.
    Contribute {
        ticket: Ticket,
        row: Box<Draft>,
        id: Option<Uuid>,
        contribution: Box<Contribution>,
        corrects: Option<Uuid>,
    },
    /// A refused item waits again. Nobody waits for it: the tray shows what became of it.
    SendAgain { id: Uuid },
    /// About whom a refused note of this holder's is. Answer: `RefusedOpened`.
    OpenRefused { ticket: Ticket, id: Uuid, author: HolderId },
    /// The holder was told what a consultation entails: not again for a while. Nobody waits for it.
    KeepTold { at: UnixSeconds },
    /// The visit is over: wipe keys, kill the worker, cut off what is on its way to the printer, reset the card. Nobody waits for
    /// it.
    Lock,
}

/// What is printed.
#[derive(Clone)]
pub enum Paper {
    Document {
        patient: Patient,
        document: Box<Document>,
        /// What is warned of on the screen, and so on paper.
        owed: Owed,
    },
    History {
        patient: Patient,
        lines: Vec<Access>,
        complete: bool,
    },
    Receipt(Box<PatientReceipt>),
    /// What patients may ask for.
    Leaflet,
}

/// Where fetched content may rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    Compartment,
    /// Outside the team, in bris de glace, by e-CPS: this visit only.
    Memory,
}

impl Effect {
    /// For the log: the name, and nothing that it carries.
    pub fn name(&self) -> &'static str {
        match self {
            Effect::ReadCard { .. } => "read_card",
            Effect::CheckPin { .. } => "check_pin",
            Effect::CheckPinOnReader { .. } => "check_pin_on_reader",
            Effect::OpenCompartment { .. } => "open_compartment",
            Effect::AskPhone { .. } => "ask_phone",
            Effect::OpenMemory { .. } => "open_memory",
            Effect::Record { .. } => "record",
            Effect::AskState { .. } => "ask_state",
            Effect::Deliver { .. } => "deliver",
            Effect::List { .. } => "list",
            Effect::MakeReceipt { .. } => "make_receipt",
            Effect::History { .. } => "history",
            Effect::Search { .. } => "search",
            Effect::Fetch { .. } => "fetch",
            Effect::Render { .. } => "render",
            Effect::Print { .. } => "print",
            Effect::StopPrint => "stop_print",
            Effect::Recall { .. } => "recall",
            Effect::AskAuthorized { .. } => "ask_authorized",
            Effect::Prepare { .. } => "prepare",
            Effect::KeepRound { .. } => "keep_round",
            Effect::AskStates { .. } => "ask_states",
            Effect::Survey { .. } => "survey",
            Effect::FetchAhead { .. } => "fetch_ahead",
            Effect::KeepAhead { .. } => "keep_ahead",
            Effect::DropAhead => "drop_ahead",
            Effect::MakeNational { .. } => "make_national",
            Effect::HandOver { .. } => "hand_over",
            Effect::OpenDraft { .. } => "open_draft",
            Effect::KeepDraft { .. } => "keep_draft",
            Effect::Contribute { .. } => "contribute",
            Effect::SendAgain { .. } => "send_again",
            Effect::OpenRefused { .. } => "open_refused",
            Effect::KeepTold { .. } => "keep_told",
            Effect::Lock => "lock",
        }
    }
}

impl std::fmt::Debug for Effect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
