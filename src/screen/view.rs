//! A visit, a time, a device: what the window shows. Pure, compared, and rebuilt from nothing each time.
//!
//! Every text is French and ready to draw; the markup chooses places and colours, never words that depend on a fact.
//! A PIN is never here: only how many digits were typed.

use crate::record::reading::Reading;
use crate::say::Both;
use crate::say::Lang;
use crate::say::both;
use crate::screen::ahead;
use crate::screen::before;
use crate::screen::compose;
use crate::screen::gate;
use crate::screen::gentle;
use crate::screen::leaves;
use crate::screen::phone;
use crate::screen::printing;
use crate::screen::receipt;
use crate::screen::reception;
use crate::screen::tray;
use crate::screen::within;
use crate::time::Now;
use crate::visit::Page;
use crate::visit::Visit;
use crate::visit::event::PinEntry;
use crate::visit::gentle::Attention;
use crate::visit::page::DutyStep;
use std::sync::Arc;

/// What of the device a person must be able to read on the screen (P9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceFacts {
    pub site_name: String,
    pub software: String,
    /// The key provider in force, in a sentence.
    pub key_provider: Both<String>,
    /// IANA name, for example `Europe/Paris`.
    pub time_zone: String,
    /// The settings name a scanner: pages say what it reads.
    pub has_scanner: bool,
    pub in_force: leaves::InForce,
}

/// What stands above a document's own header, which comes after its content.
pub const HEADER: Both = both("En-tête du document", "Header of the document");

/// All that the window shows.
#[derive(Clone, PartialEq)]
pub struct View {
    /// The page's name, as [`Page::name`] says it.
    pub page: &'static str,
    pub looks: Looks,
    pub body: Body,
    /// Nobody has touched it for a while.
    pub is_dim: bool,
    /// Before all of it: whether somebody is there.
    pub asks: Option<Asks>,
}

/// A minute before the screen is locked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asks {
    pub title: String,
    pub sentence: String,
    pub act_label: String,
}

/// How the window draws and speaks, whatever it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looks {
    pub lang: Lang,
    pub text_percent: u16,
    /// The patient's page is drawn by day all the same.
    pub night: bool,
}

#[derive(Clone, PartialEq)]
pub enum Body {
    Idle(Idle),
    Wait(Wait),
    Pin(Pin),
    /// The number of somebody without a card.
    Rpps(Rpps),
    /// The two digits, as on the telephone.
    Phone(Phone),
    Home(Home),
    /// Who is in the round.
    Compose(compose::Compose),
    /// The round, being prepared.
    Ahead(Ahead),
    Typing(Typing),
    Gate(Gate),
    /// One of a few things to choose.
    Choice(Choice),
    /// A few words to type.
    Text(Text),
    /// A note being typed.
    Note(Note),
    /// Read once more, and confirmed, before it is done.
    Check(Check),
    /// What the upstream refused.
    Tray(Tray),
    /// Turned to the patient.
    Consent(Consent),
    /// Turned to the patient, who draws their signature.
    Sign(Sign),
    /// What a consultation entails.
    Duty(Duty),
    /// What the patient said.
    Agreements(Agreements),
    Why(Why),
    /// Who the record is about.
    Facts(Facts),
    Summary(Summary),
    Documents(Documents),
    History(History),
    /// Turned to the patient, who may photograph it.
    Receipt(receipt::Receipt),
    Reader(Reader),
    /// Paper is being made.
    Print(printing::Print),
    Reception(reception::Reception),
    About(leaves::About),
    /// Nobody came: whose card is in.
    Locked(Locked),
    Trouble(Trouble),
}

/// A few words in a tone: colour never speaks alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pill {
    pub text: String,
    pub tone: Tone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    #[default]
    Quiet,
    /// Only "Tout est transmis".
    Good,
    Care,
    Stopped,
}

/// Something went wrong, told inside a page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Notice {
    pub happened: String,
    pub next: String,
    pub code: String,
}

/// The same bar on every page of a patient: the way back, whose record, how old and whether online, the way out.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Bar {
    /// Empty: no way back from here.
    pub back: String,
    pub name: String,
    pub traits: String,
    pub pill: Pill,
    pub may_quit: bool,
    /// What must stay before the holder's eyes for as long as the record is open: bris de glace, secret, framework.
    pub banner: Pill,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Idle {
    pub clock: String,
    pub date: String,
    pub pills: Vec<Pill>,
    pub title: String,
    pub hint: String,
    /// The way without a card; empty where it is not offered.
    pub by_phone: String,
    pub help: String,
    /// Chevet and the site.
    pub site: String,
    pub protection: String,
    pub version: String,
    pub matrix: String,
}

#[derive(Clone, PartialEq, Eq, Default)]
pub struct Wait {
    pub bar: Bar,
    pub title: String,
    pub hint: String,
}

#[derive(Clone, PartialEq, Eq, Default)]
pub struct Pin {
    pub card: String,
    pub name: String,
    pub role: String,
    /// How many digits were typed, and how many places are drawn.
    pub typed: usize,
    pub places: usize,
    pub tries: String,
    /// Tones the tries: the last one is amber.
    pub tries_tone: Tone,
    /// After a wrong PIN; else empty.
    pub alert: String,
    /// The pad stays away until an explicit yes (P7).
    pub asks_last_try: bool,
    pub last_try_title: String,
    pub last_try: String,
    pub may_confirm: bool,
    /// What was tolerated to let this card in; else empty (P9).
    pub notice: String,
}

#[derive(Clone, PartialEq, Eq, Default)]
pub struct Rpps {
    pub title: String,
    pub sentence: String,
    /// As far as it is typed, in groups.
    pub number: String,
    /// For speech: how many digits of how many.
    pub count: String,
    pub notice: Option<Notice>,
    pub may_confirm: bool,
    pub foot: String,
    pub back: String,
}

#[derive(Clone, PartialEq, Eq, Default)]
pub struct Phone {
    pub title: String,
    /// Two digits; empty while the telephone does not ring yet.
    pub digits: String,
    /// For speech: digit by digit.
    pub label: String,
    pub sentence: String,
    pub warning: String,
    pub foot: String,
    pub back: String,
}

#[derive(Clone, PartialEq, Eq, Default)]
pub struct Home {
    pub name: String,
    pub role: String,
    pub pills: Vec<Pill>,
    pub summary: String,
    /// By telephone: that nothing is kept; else empty.
    pub memory_only: String,
    pub rows: Vec<RoundRow>,
    /// Last visits: whose records were opened lately, and who are not in the round.
    pub recent: Vec<RoundRow>,
    pub notice: Option<Notice>,
    /// « À régler (2) »; empty where nothing is.
    pub tray: String,
    /// « Composer la tournée »; empty where it is not offered.
    pub compose: String,
    /// « Préparer la tournée », or that it can be gone on with; empty where it is not offered.
    pub prepare: String,
    /// The national traces that were just made; else empty.
    pub national: String,
    /// Why the round should go to another card; empty while it need not.
    pub hand_over: String,
    /// What else finds a patient, below the button; else empty.
    pub scan: String,
    /// What to do when the round has nobody; else empty.
    pub empty: String,
}

#[derive(Clone, PartialEq, Eq, Default)]
pub struct Ahead {
    /// Empty while something goes on: then there is only « Arrêter ».
    pub back: String,
    pub title: String,
    /// How much is left and how long it takes, or how far it has come.
    pub summary: String,
    pub hint: String,
    pub act: AheadAct,
    pub act_label: String,
    /// Patients that are ready, of a hundred.
    pub percent: usize,
    pub notice: Option<Notice>,
    pub rows: Vec<RoundRow>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AheadAct {
    #[default]
    None,
    Start,
    GoOn,
    Stop,
}

#[derive(Clone, PartialEq, Eq, Default)]
pub struct RoundRow {
    pub name: String,
    pub details: String,
    pub pill: Pill,
    /// All of it, for speech and tests.
    pub label: String,
}

#[derive(Clone, PartialEq, Eq, Default)]
pub struct Typing {
    pub notice: Option<Notice>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GateAct {
    #[default]
    None,
    OpenRecord,
    AskConsent,
}

#[derive(Clone, PartialEq, Eq, Default)]
pub struct Gate {
    pub bar: Bar,
    /// Label and value of each of the five traits.
    pub traits: Vec<(String, String)>,
    pub pill: Pill,
    pub headline: String,
    pub sentence: String,
    /// Rule and law, small.
    pub law: String,
    pub act: GateAct,
    pub act_label: String,
    /// « Suite de la prise en charge »; empty where it cannot be one.
    pub same_event: String,
    /// « Autre situation »; empty where nothing else can be done.
    pub other: String,
    /// What has just been done; else empty.
    pub done: String,
}

#[derive(Clone, PartialEq, Eq, Default)]
pub struct Choice {
    pub bar: Bar,
    pub title: String,
    pub sentence: String,
    pub lines: Vec<ChoiceLine>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChoiceLine {
    pub label: String,
    pub hint: String,
    pub tone: Tone,
}

#[derive(Clone, PartialEq, Eq, Default)]
pub struct Text {
    pub bar: Bar,
    pub title: String,
    pub sentence: String,
    /// Of the field.
    pub label: String,
    pub digits: bool,
    /// Nothing needs to be typed.
    pub optional: bool,
    pub act_label: String,
    pub notice: Option<Notice>,
}

#[derive(Clone, PartialEq, Eq, Default)]
pub struct Note {
    pub bar: Bar,
    pub title: String,
    pub sentence: String,
    /// The text that the page begins with; what is typed on it is not here.
    pub begun: String,
    /// Of the sheet.
    pub label: String,
    pub act_label: String,
}

#[derive(Clone, PartialEq, Eq, Default)]
pub struct Check {
    pub bar: Bar,
    pub title: String,
    pub lead: String,
    pub text: String,
    /// What is attested by going on; may be empty.
    pub warning: String,
    pub act_label: String,
    /// It cannot be taken back.
    pub is_grave: bool,
}

#[derive(Clone, PartialEq, Eq, Default)]
pub struct Tray {
    pub title: String,
    pub sentence: String,
    pub rows: Vec<TrayRow>,
    pub empty: String,
    pub back: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrayRow {
    pub title: String,
    /// In the server's words.
    pub reason: String,
    pub next: String,
    pub code: String,
    /// Empty where sending again cannot help.
    pub act_label: String,
    /// Empty where it is not a note of whoever is here.
    pub correct_label: String,
    pub label: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sign {
    pub turned: String,
    pub title: String,
    /// What the pad is called.
    pub pad: String,
    pub clear: String,
    pub back: String,
    pub act_label: String,
    pub foot: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Duty {
    pub name: String,
    pub role: String,
    pub title: String,
    pub body: String,
    pub act_label: String,
    pub foot: String,
    /// Empty where nothing is printed.
    pub print: String,
}

#[derive(Clone, PartialEq, Eq, Default)]
pub struct Agreements {
    pub bar: Bar,
    /// On what this access rests, and what is masked.
    pub facts: Vec<(String, String)>,
    pub rows: Vec<AgreementRow>,
    pub empty: String,
    pub withdraw: String,
}

#[derive(Clone, PartialEq, Eq, Default)]
pub struct Facts {
    pub bar: Bar,
    pub title: String,
    pub rows: Vec<(String, String)>,
    pub foot: String,
}

#[derive(Clone, PartialEq, Eq, Default)]
pub struct Summary {
    pub bar: Bar,
    pub rows: Vec<SummaryRow>,
    /// As in [`Documents`].
    pub denied: String,
    pub denied_rest: String,
}

#[derive(Clone, PartialEq, Eq, Default)]
pub struct SummaryRow {
    pub look: SummaryLook,
    pub text: String,
    pub details: String,
    /// The document that says it, and its date; of a source that was not read, why.
    pub source: String,
    /// All of it, for speech and tests.
    pub label: String,
    /// What opens its document: its place in what the summary shows.
    pub act: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SummaryLook {
    #[default]
    Line,
    Heading,
    Note,
    Care,
    /// A document that was read.
    Source,
    /// One that was read, and of which nothing was recognised.
    SourceUnrecognised,
    /// One that was not read.
    SourceFailed,
}

impl SummaryLook {
    /// A document that was read, under a row of its own.
    #[must_use]
    pub fn was_read(self) -> bool {
        matches!(self, SummaryLook::Source | SummaryLook::SourceUnrecognised)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AgreementRow {
    pub when: String,
    pub what: String,
    pub who: String,
    pub pill: Pill,
    pub label: String,
}

#[derive(Clone, PartialEq, Eq, Default)]
pub struct Consent {
    pub turned: String,
    pub title: String,
    pub body: String,
    pub no: String,
    pub yes: String,
    pub later: String,
    /// To sign one's yes; empty where nothing is signed.
    pub sign: String,
    pub foot: String,
    /// Names of the other languages, each with what it asks for: 0 French, 1 easy French, 2 English.
    pub languages: Vec<(String, usize)>,
}

#[derive(Clone, PartialEq, Eq, Default)]
pub struct Why {
    pub bar: Bar,
    pub title: String,
    pub pill: Pill,
    pub reasons: Vec<Reason>,
}

#[derive(Clone, PartialEq, Eq, Default)]
pub struct Reason {
    pub sentence: String,
    /// What can be done about it.
    pub next: String,
    /// What it concerns: « 3 comptes rendus »; may be empty.
    pub about: String,
    /// Rule, law, facts.
    pub detail: String,
}

#[derive(Clone, PartialEq, Eq, Default)]
pub struct Documents {
    pub bar: Bar,
    /// « Filtrer », or what the list is narrowed to.
    pub filter: String,
    pub is_filtered: bool,
    /// How many of how many, and of which time.
    pub scope: String,
    pub chips: Vec<Chip>,
    pub rows: Vec<DocumentRow>,
    /// « 4 documents », in bold; empty when none is denied.
    pub denied: String,
    pub denied_rest: String,
    pub empty: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chip {
    pub label: String,
    /// `None`: all.
    pub class: Option<String>,
    pub chosen: bool,
}

#[derive(Clone, PartialEq, Eq, Default)]
pub struct DocumentRow {
    pub tile: String,
    pub title: String,
    pub details: String,
    pub pill: Pill,
    pub label: String,
}

#[derive(Clone, PartialEq, Eq, Default)]
pub struct History {
    pub bar: Bar,
    pub waiting: bool,
    pub rows: Vec<HistoryRow>,
    pub notice: Option<Notice>,
    pub empty: String,
    /// Empty where there is no printer, or nothing to print yet.
    pub print: String,
}

#[derive(Clone, PartialEq, Eq, Default)]
pub struct HistoryRow {
    pub when: String,
    pub author: String,
    pub action: String,
    pub context: String,
    pub unsent: bool,
    pub label: String,
}

#[derive(Clone, PartialEq, Default)]
pub struct Reader {
    pub bar: Bar,
    pub title: String,
    pub details: String,
    pub warnings: Vec<String>,
    pub notices: Vec<String>,
    /// Shown: what there is to read. Compared by its pointer first.
    pub reading: Option<Arc<Reading>>,
    /// Headings one may jump to: words, and the place of their row; the header's, last, is one past the rows.
    pub sections: Vec<(String, usize)>,
    /// Which of `reading.pages` is drawn.
    pub picture: Option<usize>,
    /// « Page 1 sur 3 »; empty when there is one page or none.
    pub page_label: String,
    pub has_next: bool,
    pub has_previous: bool,
    pub text_percent: u16,
    /// To change it; empty where it is somebody else's.
    pub manage: String,
    /// Empty where there is no printer, or nothing to print yet.
    pub print: String,
    /// What is awaited; else empty.
    pub waiting: String,
    pub notice: Option<Notice>,
}

#[derive(Clone, PartialEq, Eq, Default)]
pub struct Locked {
    pub name: String,
    pub role: String,
    pub title: String,
    pub sentence: String,
    pub act_label: String,
    pub foot: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trouble {
    pub pill: Pill,
    pub happened: String,
    pub next: String,
    /// That the card is to be taken out, where one is in; else empty.
    pub rest: String,
    pub code: String,
    /// The way back where there is no card to take; else empty.
    pub act: String,
}

/// Draws a visit in words.
pub fn view(visit: &Visit, now: Now, device: &DeviceFacts) -> View {
    let lang = visit.lang();
    let body = match &visit.page {
        Page::Idle => Body::Idle(before::idle(visit, now, device)),
        Page::ReadingCard { .. } => Body::Wait(before::reading_card(lang)),
        Page::AskPin(ask) => Body::Pin(before::pin(lang, ask, &visit.standing)),
        Page::CheckingPin { card, was_wrong, .. } => Body::Wait(match card.pin_entry {
            PinEntry::Screen => before::checking_pin(lang),
            PinEntry::Reader => before::pin_on_reader(lang, card, *was_wrong),
        }),
        Page::AskRpps(ask) => Body::Rpps(phone::rpps(lang, ask, device)),
        Page::WaitingForPhone(waiting) => Body::Phone(phone::waiting(lang, waiting)),
        Page::ChoosingExercise(choosing) => Body::Choice(phone::exercises(lang, choosing)),
        Page::ChoosingSituation(choosing) => Body::Choice(before::situations(lang, choosing)),
        Page::About { leaf, .. } => Body::About(leaves::page(*leaf, lang.pick("Accueil", "Start"), visit, now, device)),
        Page::PhoneOver { trouble, .. } => Body::Trouble(phone::over(lang, *trouble)),
        Page::Opening(opening) => Body::Wait(before::opening(lang, opening.holder.means)),
        Page::Duty(duty) => duty_page(lang, duty),
        Page::Home(home) if home.typing => {
            Body::Typing(Typing { notice: home.notice.map(|trouble| before::notice(lang, trouble)) })
        }
        Page::Home(home) if home.tray => {
            Body::Tray(tray::page(lang, &visit.standing.refused, &home.here.holder.id, now, device))
        }
        Page::Home(home) => match home.leaf {
            Some(leaf) => Body::About(leaves::page(leaf, lang.pick("Tournée", "Round"), visit, now, device)),
            None => Body::Home(before::home(home, visit, now, device)),
        },
        Page::Compose(page) if page.typing => {
            Body::Typing(Typing { notice: page.notice.map(|trouble| before::notice(lang, trouble)) })
        }
        Page::Compose(page) => Body::Compose(compose::page(lang, page, now, device)),
        Page::Ahead(page) => Body::Ahead(ahead::page(page, visit, now)),
        Page::Reception(desk) => reception::page(desk, visit, now, device),
        Page::Gate(gate) => gate::gate(gate, visit, now, device),
        Page::Record(record) => within::record(record, visit, now, device),
        Page::Document(reader) => Body::Reader(within::reader(reader, visit, now, device)),
        Page::Printing(page) => Body::Print(printing::page(page, visit, now, device)),
        Page::Locked(locked) => Body::Locked(gentle::locked(locked, visit.lang())),
        Page::TakeCard(trouble) => Body::Trouble(before::take_card(lang, *trouble)),
    };
    let is_dim = visit.attention() != Attention::Fresh;
    View { page: visit.page.name(), looks: looks(visit, now), body, is_dim, asks: gentle::asks(visit) }
}

fn looks(visit: &Visit, now: Now) -> Looks {
    Looks { lang: visit.lang(), text_percent: visit.standing.looks.text_percent, night: visit.is_night(now) }
}

fn duty_page(lang: Lang, duty: &crate::visit::page::Duty) -> Body {
    match duty.step {
        DutyStep::Shown => Body::Duty(before::duty(lang, &duty.here.holder)),
        DutyStep::Recording { .. } => Body::Wait(before::duty_recording(lang, duty.here.holder.means)),
    }
}

/// The page of a device that could not start: there is no visit yet.
pub fn of_trouble(trouble: crate::trouble::Trouble) -> View {
    // No card is looked at yet: there is none to take.
    let page = Trouble { rest: String::new(), ..before::take_card(Lang::French, trouble) };
    // Nor are there settings that could be believed.
    let looks = Looks { lang: Lang::French, text_percent: 100, night: false };
    View { page: "trouble", looks, body: Body::Trouble(page), is_dim: false, asks: None }
}

/// Names the page and nothing that it says.
impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "View({}, [REDACTED])", self.page)
    }
}
