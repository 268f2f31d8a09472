//! The card in the contact reader: PC/SC, T=0 and T=1, IAS-ECC, PKCS#15, CPS generations.
//!
//! Two named threads, because a reader that hangs in the middle of a command must not hide that the card is gone:
//! `card-watch` only waits for changes (pcscd tells it, nothing is polled) and `card-work` alone speaks to the card, one
//! command at a time, holding it exclusively for the visit. Neither knows of visits: an insertion has a number, and a
//! command for another insertion than the one in the reader is refused. Every reader with contacts is watched, unless the
//! settings name one; one card is taken at a time.
//!
//! Never asks for a PIN, never keeps one, never logs the body of a command or of an answer (a PIN and a signature that is
//! a key travel in them): header and length only.
//!
//! - `words` status words and commands as bytes, pure
//! - `pkcs15` what the card's files say, pure
//! - `pinpad` readers with keys of their own, pure
//! - `generation` which card an ATR announces, pure
//! - `known` what a card said at an earlier visit, pure
//! - `dialogue` what is said to the card, over any transport
//! - `watch`, `work` the two threads · `shift` what is done when a card keeps silent · `threads` which of them still run
//!
//! *Rejected*: one thread with `SCardCancel` before each command (a cancellation that comes just before the wait is lost,
//! and a mute reader would delay "card out"); OpenSC or the Cryptolib below (neither knows both generations, and neither
//! lets a wrong length be refused before it costs a try).

mod dialogue;
pub mod generation;
pub mod known;
pub mod pinpad;
pub mod pkcs15;
pub mod service;
mod shift;
mod threads;
mod watch;
pub mod words;
mod work;

use crate::card::shift::Crew;
use crate::card::shift::Duty;
use crate::identity::holder::Situation;
use crate::identity::statement::SignedInfo;
use crate::identity::statement::Statement;
use crate::secret::Pin;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::mpsc as channel;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::sync::oneshot;

pub use generation::Generation;
pub use known::Known;
pub use threads::settle;

/// What the settings say of the reader.
#[derive(Debug, Clone)]
pub struct Options {
    /// Part of the PC/SC reader's name: then no other is watched.
    pub reader_name: Option<String>,
    pub cps4: Cps4,
    pub pinpad: Pinpad,
    /// Readers that say falsely that they have keys, beside those that are known here: USB identifiers, or part of a name.
    pub without_keys: Vec<String>,
    /// How long one command may stay without an answer.
    pub answer_max: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            reader_name: None,
            cps4: Cps4::default(),
            pinpad: Pinpad::default(),
            without_keys: Vec::new(),
            answer_max: ANSWER_MAX,
        }
    }
}

/// Whether a PIN may be typed on the reader's own keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pinpad {
    #[default]
    Never,
    /// Where the reader says that it has keys, and is not known to say so falsely.
    Auto,
}

/// What is done with a CPS4, whose commands are known here from its makers' papers alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cps4 {
    #[default]
    Refuse,
    /// Read it, and say that no real one has been tried.
    Try,
}

/// What happened in the reader, in order and without gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    ReaderReady,
    ReaderAbsent,
    /// The service is down, or the reader fails; healed by itself, and then `ReaderReady` or `ReaderAbsent` comes.
    ReaderTrouble(Error),
    /// A card came in: its insertion's number, which only grows. [`Reader::read`] says which card it is.
    CardIn(u64),
    CardOut(u64),
    /// The card has not answered within its time. Nothing is asked of it any more; what was asked is answered with
    /// [`Error::Mute`]. The next card is read as ever.
    CardMute(u64),
    /// Whether another card lies in another reader meanwhile. It is taken when this one is out.
    OtherCard(bool),
}

/// What a card says before its PIN.
#[derive(Clone, PartialEq, Eq)]
pub struct CardContents {
    /// The PC/SC reader's name.
    pub reader: String,
    pub atr: Vec<u8>,
    pub generation: Generation,
    /// Issuer and serial number of EF.SN.ICC, for example `8025000001/99213845`.
    pub serial: Option<String>,
    /// DER of the authentication certificate; never that of the signature key ([`Reader::signature_certificate`]).
    pub certificate: Vec<u8>,
    /// `Some(0)`: blocked. `None`: the card does not say.
    pub tries_left: Option<u8>,
    /// Fewest and most digits of its PIN (AODF).
    pub pin_digits: (u8, u8),
    /// The PIN is to be typed on the reader: [`Reader::login_on_reader`].
    pub has_pinpad: bool,
}

/// What is in the reader, as far as the ATR tells; no command is sent for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub insertion: u64,
    pub reader: String,
    /// Empty: the card is mute.
    pub atr: Vec<u8>,
    pub generation: Generation,
}

/// What went wrong with the reader or the card. Texts carry no personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("there is no card reader")]
    NoReader,
    #[error("the smart-card service does not answer")]
    ServiceDown,
    #[error("another program holds the card")]
    Busy,
    #[error("the smart-card service does not let this program use the card (polkit)")]
    Forbidden,
    #[error("the card does not answer")]
    Mute,
    #[error("the card was pulled")]
    Removed,
    #[error("the card is no CPS")]
    UnknownCard,
    #[error("the card is a CPS4, which the settings do not let be read")]
    Cps4,
    #[error("the card was presented without contact")]
    Contactless,
    #[error("the card has no PKCS#15 application of a CPS")]
    NoApplication,
    #[error("the card has no authentication key with its certificate")]
    NoCertificate,
    #[error("wrong PIN, {tries_left} left")]
    WrongPin { tries_left: u8 },
    #[error("the PIN is blocked")]
    Blocked,
    #[error("the card has not looked at the PIN")]
    PinUnchecked,
    #[error("the PIN has not a length that the card accepts")]
    PinLength,
    #[error("no PIN was typed on the reader in time")]
    PinTimedOut,
    #[error("the PIN was cancelled on the reader")]
    PinCancelled,
    #[error("the card wants its PIN first")]
    PinNeeded,
    #[error("the card has no key that signs documents")]
    NoSignatureKey,
    #[error("the key that signs documents is guarded by another PIN")]
    OtherPin,
    #[error("the card's signature does not verify under its certificate")]
    SignatureRefused,
    #[error("the card does not sign as the one that was known under its number")]
    NotAsKnown,
    #[error("the question was about a card that is no longer in the reader")]
    StaleInsertion,
    #[error("the card refused {step} with {status:04X}")]
    Dialogue { step: &'static str, status: u16 },
    #[error("the card's {file} is not understood")]
    Unreadable { file: &'static str },
    #[error("the system gives no thread to the reader")]
    NoThread,
    #[error("the reader failed")]
    Reader(#[source] pcsc::Error),
}

/// Handle of the reader's two threads. They end when the last handle is dropped, or when nobody takes notices any more.
#[derive(Clone)]
pub struct Reader {
    inner: Arc<Inner>,
}

impl Reader {
    /// Starts to watch. The first notice is `ReaderReady`, `ReaderAbsent` or `ReaderTrouble`; `CardIn` follows at once for
    /// a card that is already there.
    pub fn start(options: Options, notices: mpsc::Sender<Notice>) -> Result<Reader, Error> {
        let shared = Arc::new(Shared::default());
        let (commands, orders) = channel::channel();
        let crew = Crew {
            cps4: options.cps4,
            pinpad: options.pinpad,
            without_keys: options.without_keys.as_slice().into(),
            answer_max: options.answer_max,
            orders: Arc::new(Mutex::new(orders)),
            shared: Arc::clone(&shared),
            stop: Arc::default(),
            notices: notices.clone(),
        };
        watch::start(options, notices, Arc::clone(&shared), Arc::clone(&crew.stop)).map_err(|_| Error::NoThread)?;
        work::start(crew.clone(), 0).map_err(|_| Error::NoThread)?;
        Ok(Reader { inner: Arc::new(Inner { commands, crew, shared }) })
    }

    /// Under which number the card may be known. `None`: it tells none.
    pub async fn serial(&self, insertion: u64) -> Result<Option<String>, Error> {
        self.ask(insertion, |answer| Order::Serial { answer }).await
    }

    /// Finds out which card it is, what its certificate is and how many tries are left. Needs no PIN and costs no try.
    pub async fn read(&self, insertion: u64) -> Result<CardContents, Error> {
        self.ask(insertion, |answer| Order::Read { known: None, answer }).await
    }

    /// The same, sparing what was known under the card's number and holds still. Nothing of it is proven before the login's
    /// signature: a card that turns out to be another is [`Error::NotAsKnown`].
    pub async fn read_known(&self, insertion: u64, known: Known) -> Result<CardContents, Error> {
        let known = Some(Box::new(known));
        self.ask(insertion, |answer| Order::Read { known, answer }).await
    }

    /// Sends the PIN once, if its length is one that the card accepts, then has the statement signed. The signature is
    /// verified under the certificate before it is handed out.
    pub async fn login(&self, insertion: u64, pin: Pin, statement: Statement) -> Result<Vec<u8>, Error> {
        self.ask(insertion, |answer| Order::Login { pin, statement, answer }).await
    }

    /// The same with the PIN typed on the reader's own keys, within [`PINPAD_PATIENCE`]: it never comes into this program.
    /// Cancelled there, or by pulling the card.
    pub async fn login_on_reader(&self, insertion: u64, statement: Statement) -> Result<Vec<u8>, Error> {
        self.ask(insertion, |answer| Order::LoginOnReader { statement, answer }).await
    }

    /// Has the statement signed; the PIN must have been taken since the card came in.
    pub async fn sign(&self, insertion: u64, statement: Statement) -> Result<Vec<u8>, Error> {
        self.ask(insertion, |answer| Order::Sign { statement, answer }).await
    }

    /// DER of the certificate of the key that signs documents; the PIN must have been taken since the card came in.
    pub async fn signature_certificate(&self, insertion: u64) -> Result<Vec<u8>, Error> {
        self.ask(insertion, |answer| Order::Pen { answer }).await
    }

    /// Has a document's signature made by the key that is for it, and verified under its certificate.
    pub async fn sign_document(&self, insertion: u64, info: SignedInfo) -> Result<Vec<u8>, Error> {
        self.ask(insertion, |answer| Order::SignDocument { info, answer }).await
    }

    /// Where the holder works, as the card says behind its PIN; the PIN must have been taken since the card came in.
    pub async fn situations(&self, insertion: u64) -> Result<Vec<Situation>, Error> {
        self.ask(insertion, |answer| Order::Situations { answer }).await
    }

    /// What is worth being kept for the card's next visit, once it has logged in and told its situations; nothing is said
    /// to the card.
    pub async fn learnt(&self, insertion: u64) -> Result<Option<Known>, Error> {
        self.ask(insertion, |answer| Order::Learnt { answer }).await
    }

    /// The visit is over: resets the card, so that its PIN is forgotten, and lets go of it. Waits for nobody; what was
    /// asked before and has not begun is not done.
    pub fn leave(&self) {
        drop(self.send_leave());
    }

    /// The same, and waits until it is done: whoever comes next finds the card free.
    pub async fn left(&self) {
        // The thread is gone only when the process ends; then the card is reset by the service.
        let _done = self.send_leave().await;
    }

    fn send_leave(&self) -> oneshot::Receiver<()> {
        let leaves = {
            let mut now = self.inner.shared.lock();
            now.leaves += 1;
            now.leaves
        };
        let (done, is_done) = oneshot::channel();
        let _ = self.inner.commands.send(Command { insertion: 0, leaves, order: Order::Leave { done } });
        is_done
    }

    /// What is in the reader now.
    pub fn seen(&self) -> Option<Seen> {
        let now = self.inner.shared.lock();
        now.card.as_ref().map(|card| Seen {
            insertion: card.insertion,
            reader: card.reader.to_string_lossy().into_owned(),
            atr: card.atr.clone(),
            generation: Generation::of(&card.atr),
        })
    }

    async fn ask<T>(
        &self,
        insertion: u64,
        order: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Order,
    ) -> Result<T, Error> {
        let (answer, mut answered) = oneshot::channel();
        let leaves = self.inner.shared.lock().leaves;
        let command = Command { insertion, leaves, order: order(answer) };
        self.inner.commands.send(command).map_err(|_| Error::ServiceDown)?;
        loop {
            match tokio::time::timeout(LOOK_AGAIN, &mut answered).await {
                Ok(answer) => return answer.unwrap_or(Err(Error::ServiceDown)),
                Err(_) if self.inner.crew.is_silent(insertion) => {
                    // Nobody may take notices any more; the answer says it too.
                    let _ = self.inner.crew.notices.send(Notice::CardMute(insertion)).await;
                    return Err(Error::Mute);
                }
                Err(_) => {}
            }
        }
    }
}

struct Inner {
    commands: channel::Sender<Command>,
    crew: Crew,
    shared: Arc<Shared>,
}

/// One thing for `card-work` to do.
struct Command {
    insertion: u64,
    /// How often the visit had ended when this was asked.
    leaves: u64,
    order: Order,
}

enum Order {
    Serial { answer: oneshot::Sender<Result<Option<String>, Error>> },
    Read { known: Option<Box<Known>>, answer: oneshot::Sender<Result<CardContents, Error>> },
    Learnt { answer: oneshot::Sender<Result<Option<Known>, Error>> },
    Login { pin: Pin, statement: Statement, answer: oneshot::Sender<Result<Vec<u8>, Error>> },
    Situations { answer: oneshot::Sender<Result<Vec<Situation>, Error>> },
    LoginOnReader { statement: Statement, answer: oneshot::Sender<Result<Vec<u8>, Error>> },
    Sign { statement: Statement, answer: oneshot::Sender<Result<Vec<u8>, Error>> },
    Pen { answer: oneshot::Sender<Result<Vec<u8>, Error>> },
    SignDocument { info: SignedInfo, answer: oneshot::Sender<Result<Vec<u8>, Error>> },
    Leave { done: oneshot::Sender<()> },
}

/// What `card-watch` knows and `card-work` needs.
#[derive(Default)]
struct Shared {
    present: Mutex<Present>,
    changed: Condvar,
}

#[derive(Default)]
struct Present {
    card: Option<InReader>,
    /// This insertion could not be spoken to, because another program holds its card.
    busy: Option<u64>,
    leaves: u64,
    duty: Duty,
}

#[derive(Clone)]
struct InReader {
    insertion: u64,
    reader: std::ffi::CString,
    atr: Vec<u8>,
    /// The slot is one without contacts, whatever the ATR looks like.
    is_contactless: bool,
}

impl Shared {
    /// Nobody panics while holding it: every holder copies a few values and lets go.
    fn lock(&self) -> MutexGuard<'_, Present> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The card that is in now, if it is this insertion.
    fn card(&self, insertion: u64) -> Option<InReader> {
        self.lock().card.clone().filter(|card| card.insertion == insertion)
    }

    /// Another program holds the card: the watch is to look for its end.
    fn is_busy(&self, insertion: u64) {
        self.lock().busy = Some(insertion);
    }

    fn put(&self, card: Option<InReader>) {
        self.lock().card = card;
        self.changed.notify_all();
    }

    /// Whether this insertion is over, or is so within a moment.
    fn waits_until_gone(&self, insertion: u64) -> bool {
        let is_in = |now: &mut Present| now.card.as_ref().is_some_and(|card| card.insertion == insertion);
        let waited = self.changed.wait_timeout_while(self.lock(), GONE_WITHIN, is_in);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

/// How long one command may stay without an answer. A CPS3 in T=0 has a work waiting time of 4.2 s (TC2 = 42; ISO 7816-3
/// §10.2), after which a reader with a clock of its own says so itself.
const ANSWER_MAX: Duration = Duration::from_secs(6);
/// How often whoever waits looks whether the card is silent.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// How long a reader waits for a PIN on its keys.
pub const PINPAD_PATIENCE: Duration = Duration::from_secs(30);

/// A service looks at its reader every 400 ms or oftener.
const GONE_WITHIN: Duration = Duration::from_millis(800);

/// A certificate names its holder: contents print as their generation only.
impl std::fmt::Debug for CardContents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CardContents({}, [REDACTED])", self.generation.name())
    }
}
