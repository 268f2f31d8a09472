//! `chevet card show` and `chevet card login`: who is in the reader, without and with the PIN.
//!
//! The PIN comes from standard input, never from the arguments, and is sent at most once. On the last try, or where
//! the card does not say how many are left, it is not sent without `--last-try`, and to a card that is not trusted it is not sent at all. Exit codes: 1 when the card, its chain or
//! its PIN says no, 3 when the reader or the dialogue failed, or the card fell silent.
//!
//! `show` reads the card whole. `login` spares what the vault here knows of it, and writes down what it learns.

mod shown;

use crate::card;
use crate::card::CardContents;
use crate::card::Known;
use crate::card::Notice;
use crate::card::Reader;
use crate::card::Seen;
use crate::config;
use crate::config::Config;
use crate::identity::certificate;
use crate::identity::certificate::Certificate;
use crate::identity::statement::Statement;
use crate::identity::trust;
use crate::kiosk::trusted;
use crate::kiosk::trusted::Trust;
use crate::secret::Pin;
use crate::time::UnixSeconds;
use crate::time::Wall;
use crate::vault::KnownCards;
use crate::vault::keys;
use crate::vault::provider;
use crate::vault::provider::Sources;
use std::io::BufRead;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use tokio::sync::mpsc;

use shown::describe;
use shown::describe_refused;
use shown::shown_situation;
use shown::written;

pub use shown::Shown;
pub use shown::ShownCertificate;
pub use shown::ShownChain;
pub use shown::ShownCrl;
pub use shown::ShownHolder;
pub use shown::ShownSituation;

/// What both verbs are asked with.
pub struct Asked<'a> {
    pub config: &'a Config,
    /// The state folder, for the lists that were fetched.
    pub state: &'a Path,
    pub now: Wall,
    pub form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Text,
    Json,
}

/// Whether the last try may be used (`--last-try`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastTry {
    Keep,
    Use,
}

/// Who is in the reader.
pub fn show(asked: &Asked<'_>) -> ExitCode {
    show_on(asked, &mut std::io::stdout().lock())
}

/// Who is in the reader, with the PIN from standard input.
pub fn login(asked: &Asked<'_>, last_try: LastTry) -> ExitCode {
    login_on(asked, last_try, &mut std::io::stdin().lock(), &mut std::io::stdout().lock())
}

/// [`show`], written elsewhere.
pub fn show_on(asked: &Asked<'_>, output: &mut dyn Write) -> ExitCode {
    let outcome = on_runtime(async { look(asked, |_| None).await.map(|look| (look.shown, None)) });
    tell(outcome, asked.form, output)
}

/// [`login`], typed and written elsewhere.
pub fn login_on(asked: &Asked<'_>, last_try: LastTry, input: &mut dyn BufRead, output: &mut dyn Write) -> ExitCode {
    let outcome = on_runtime(async {
        let look = look(asked, known_cards).await?;
        log_in(look, last_try, input, asked.now.value()).await
    });
    tell(outcome, asked.form, output)
}

/// Why nothing can be shown.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("whom this device trusts cannot be read")]
    Trust(#[source] trusted::Error),
    #[error("the reader cannot be used")]
    Reader(#[source] card::Error),
    #[error("the card in the reader {reader} could not be read")]
    Card { reader: String, source: card::Error },
    #[error(
        "the card in the reader {reader} has not answered within {} s: take it out, wipe its chip, put it in again",
        ANSWER_WITHIN.as_secs()
    )]
    Silent { reader: String },
    #[error("there is no card in the reader")]
    NoCard,
    #[error("the card's certificate is not understood")]
    Certificate(#[source] certificate::Error),
    #[error("the program cannot start its tasks")]
    Runtime(#[source] std::io::Error),
}

/// Why the card or its holder is told no, beside what is shown.
#[derive(Debug, thiserror::Error)]
enum No {
    #[error("the card is not one that can be used")]
    Card(#[source] card::Error),
    #[error("the card is not trusted; its PIN is not sent")]
    Untrusted,
    #[error("this is the last try; --last-try uses it")]
    LastTry,
    #[error("the card does not say how many tries are left, so this may be the last; --last-try uses it")]
    TriesNotTold,
    #[error("no PIN of 1 to 8 digits came on standard input")]
    PinMissing,
}

struct Look {
    shown: Shown,
    reader: Reader,
    /// What the vault here knows of cards.
    known: Option<KnownCards>,
    insertion: u64,
    certificate: Option<Certificate>,
    /// The card's generation is refused; it was shown all the same.
    refused: Option<card::Error>,
    /// Kept, because the watch ends with its listener, and with it the knowledge that the card was pulled.
    notices: mpsc::Receiver<Notice>,
}

type Outcome = (Shown, Option<No>);

fn on_runtime(verb: impl Future<Output = Result<Outcome, Error>>) -> Result<Outcome, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?;
    runtime.block_on(verb)
}

fn tell(outcome: Result<Outcome, Error>, form: Form, output: &mut dyn Write) -> ExitCode {
    match outcome {
        Ok((shown, no)) => {
            // A closed pipe is the reader's choice, not an error of ours.
            let _ = writeln!(output, "{}", written(&shown, form));
            if let Some(no) = &no {
                complain(no);
            }
            let trusted = shown.chain.ok && shown.crl.ok;
            if no.is_none() && trusted { ExitCode::SUCCESS } else { ExitCode::from(1) }
        }
        Err(error) => {
            complain(&error);
            ExitCode::from(3)
        }
    }
}

/// What the card in the reader says without its PIN, for whoever looks for a fault.
pub(super) fn contents(config: &Config) -> Result<CardContents, card::Error> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|_| card::Error::NoThread)?;
    runtime.block_on(async {
        let (tell, mut notices) = mpsc::channel(NOTICES_MAX);
        let options = options(config);
        let reader = Reader::start(options, tell)?;
        let said = match wait_for_card(&reader, &mut notices).await {
            Ok(seen) => answered(reader.read(seen.insertion)).await.unwrap_or(Err(card::Error::Mute)),
            Err(Error::Reader(error)) => Err(error),
            Err(_) => Err(card::Error::Removed),
        };
        // Whoever looks next finds the card free.
        let _mute = answered(reader.left()).await;
        said
    })
}

/// A reader without a time limit of its own waits for a mute card as long as it lies there. `None`: we do not.
async fn answered<T>(asked: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(ANSWER_WITHIN, asked).await.ok()
}

/// What the vault here knows of cards. Without one, or without its key, every card is read whole.
fn known_cards(state: &Path) -> Option<KnownCards> {
    let credentials = super::credentials();
    KnownCards::here(Sources { state, credentials: credentials.as_deref(), tpms: Path::new(provider::TPMS) }).ok()
}

/// The contents of the card of this number, sparing what is known of it.
async fn read(
    reader: &Reader,
    insertion: u64,
    serial: Option<String>,
    known: Option<&KnownCards>,
) -> Result<CardContents, card::Error> {
    let of = |serial: String| Known::read(&known?.known(&serial).ok().flatten()?);
    match serial.and_then(of) {
        Some(known) => reader.read_known(insertion, known).await,
        None => reader.read(insertion).await,
    }
}

/// Reads what is in the reader, without the PIN. The card is reset and asked for its number while the files are read: neither
/// waits for the other.
async fn look(asked: &Asked<'_>, known: fn(&Path) -> Option<KnownCards>) -> Result<Look, Error> {
    let (tell, mut notices) = mpsc::channel(NOTICES_MAX);
    let options = options(asked.config);
    let reader = Reader::start(options, tell).map_err(Error::Reader)?;
    let (trust, state) = (asked.config.trust.clone(), asked.state.to_path_buf());
    let files = tokio::task::spawn_blocking(move || {
        let trusted = Trust::read(&trust, &state).map_err(Error::Trust)?;
        let crls = trusted.crls().map_err(Error::Trust)?;
        Ok((trusted, crls, known(&state)))
    });
    let seen = wait_for_card(&reader, &mut notices).await;
    let number = match &seen {
        Ok(seen) => answered(reader.serial(seen.insertion)).await,
        Err(_) => None,
    };
    let files = files.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
    let (trusted, crls, known) = files?;
    let seen = seen?;
    let insertion = seen.insertion;
    let silent = || Error::Silent { reader: seen.reader.clone() };
    let contents = match number.ok_or_else(silent)? {
        Ok(serial) => answered(read(&reader, insertion, serial, known.as_ref())).await.ok_or_else(silent)?,
        Err(error) => Err(error),
    };
    match contents {
        Ok(contents) => {
            let certificate = Certificate::parse(&contents.certificate).map_err(Error::Certificate)?;
            let verdict = trust::verify(&certificate, &trusted.anchors, &crls, asked.now);
            let shown = describe(&contents, &certificate, verdict);
            Ok(Look { shown, reader, known, insertion, certificate: Some(certificate), refused: None, notices })
        }
        Err(error @ (card::Error::Cps4 | card::Error::Contactless | card::Error::UnknownCard)) => Ok(Look {
            shown: describe_refused(&seen, error),
            reader,
            known,
            insertion,
            certificate: None,
            refused: Some(error),
            notices,
        }),
        Err(source) => Err(Error::Card { reader: seen.reader, source }),
    }
}

/// What the settings say of the reader. The PIN comes from standard input, so a reader's own keys are not used.
fn options(config: &Config) -> card::Options {
    let cps4 = match config.reader.cps4 {
        config::Cps4::Refuse => card::Cps4::Refuse,
        config::Cps4::Try => card::Cps4::Try,
    };
    let answer_max = Duration::from_secs(config.reader.answer_s_max.into());
    card::Options { reader_name: config.reader.name.clone(), cps4, answer_max, ..card::Options::default() }
}

/// The first notice says how the reader is; a card that is already in follows at once, and a service that has just started
/// may need a moment to see it.
async fn wait_for_card(reader: &Reader, notices: &mut mpsc::Receiver<Notice>) -> Result<Seen, Error> {
    let deadline = tokio::time::Instant::now() + CARD_WITHIN;
    let mut told = Error::NoCard;
    loop {
        if let Some(seen) = reader.seen() {
            return Ok(seen);
        }
        match tokio::time::timeout_at(deadline, notices.recv()).await {
            Ok(Some(Notice::ReaderReady | Notice::CardIn(_) | Notice::CardOut(_))) => told = Error::NoCard,
            // Whoever asks that card something is told so.
            Ok(Some(Notice::CardMute(_) | Notice::OtherCard(_))) => {}
            Ok(Some(Notice::ReaderAbsent)) => return Err(Error::Reader(card::Error::NoReader)),
            Ok(Some(Notice::ReaderTrouble(error))) => return Err(Error::Reader(error)),
            Ok(None) | Err(_) => return Err(told),
        }
    }
}

/// Sends the PIN, if everything before it says yes.
async fn log_in(look: Look, last_try: LastTry, input: &mut dyn BufRead, at: UnixSeconds) -> Result<Outcome, Error> {
    let Look { mut shown, reader, known, insertion, certificate, refused, notices: _notices } = look;
    let Some(certificate) = certificate else { return Ok((shown, refused.map(No::Card))) };
    if !(shown.chain.ok && shown.crl.ok) {
        return Ok((shown, Some(No::Untrusted)));
    }
    match (shown.tries_left, last_try) {
        (Some(0), _) => return Ok((shown, Some(No::Card(card::Error::Blocked)))),
        (Some(1), LastTry::Keep) => return Ok((shown, Some(No::LastTry))),
        // It may be the last, as on the screen (P7).
        (None, LastTry::Keep) => return Ok((shown, Some(No::TriesNotTold))),
        _ => {}
    }
    let Some(pin) = typed(input) else { return Ok((shown, Some(No::PinMissing))) };
    let mut nonce = [0; 32];
    keys::fill_random(&mut nonce);
    let statement = Statement::login(DEVICE, certificate.key_id(), &nonce);
    let message = statement.message().to_vec();
    let silent = || Error::Silent { reader: shown.reader.clone() };
    let answer = answered(reader.login(insertion, pin, statement)).await.ok_or_else(silent)?;
    // Behind the PIN, and only for who was let in; a card that does not tell leaves null.
    let situations = match answer {
        Ok(_) => answered(reader.situations(insertion)).await.ok_or_else(silent)?.ok(),
        Err(_) => None,
    };
    let learnt = match (&known, &answer) {
        (Some(_), Ok(_)) => reader.learnt(insertion).await.ok().flatten(),
        _ => None,
    };
    let (serial, failed) = (shown.serial.clone(), answer.as_ref().err().copied());
    let keeping = tokio::task::spawn_blocking(move || {
        if let (Some(known), Some(serial)) = (known, serial) {
            keep(&known, &serial, learnt.as_ref(), failed, at);
        }
    });
    // The disk and the card need not wait for each other.
    let ((), kept) = tokio::join!(reader.left(), keeping);
    kept.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
    match answer {
        Ok(signature) if certificate.verify_signature(&message, &signature).is_ok() => {
            shown.verified = true;
            if let Some(holder) = &mut shown.holder {
                holder.situations = situations.map(|all| all.into_iter().map(shown_situation).collect());
            }
            Ok((shown, None))
        }
        Ok(_) => Ok((shown, Some(No::Card(card::Error::SignatureRefused)))),
        Err(source) if is_of_the_reader(source) => Err(Error::Card { reader: shown.reader, source }),
        Err(error) => {
            shown.tries_left = match error {
                card::Error::WrongPin { tries_left } => Some(tries_left),
                card::Error::Blocked => Some(0),
                _ => shown.tries_left,
            };
            Ok((shown, Some(No::Card(error))))
        }
    }
}

/// The reader failed, or the dialogue did: the card has said neither yes nor no.
fn is_of_the_reader(error: card::Error) -> bool {
    use card::Error as E;
    matches!(
        error,
        E::NoReader
            | E::ServiceDown
            | E::Busy
            | E::Forbidden
            | E::Mute
            | E::Removed
            | E::StaleInsertion
            | E::NoThread
            | E::Reader(_)
    )
}

/// Writes down what was learnt of the card, or strikes out what was not so. A kiosk that runs here writes for itself.
fn keep(known: &KnownCards, serial: &str, learnt: Option<&Known>, failed: Option<card::Error>, at: UnixSeconds) {
    let kept = match (failed, learnt) {
        (Some(card::Error::NotAsKnown), _) => known.forget(serial),
        (None, Some(learnt)) => known.keep(serial, &learnt.to_bytes(), at),
        _ => Ok(()),
    };
    if let Err(error) = kept {
        tracing::debug!(%error, "what was learnt of the card is not kept");
    }
}

fn typed(input: &mut dyn BufRead) -> Option<Pin> {
    // As long as any PIN with its end of line, so that the string never grows and leaves no copy behind.
    let mut line = String::with_capacity(64);
    input.read_line(&mut line).ok()?;
    Pin::from_typed(line)
}

/// An error with its causes, on one line.
fn complain(error: &dyn std::error::Error) {
    let mut line = format!("chevet: {error}");
    let mut cause = error.source();
    while let Some(next) = cause {
        line.push_str(&format!(": {next}"));
        cause = next.source();
    }
    eprintln!("{line}");
}

/// Stands where a kiosk's identifier stands: this signature opens nothing.
const DEVICE: &str = "chevet card login";
/// More changes than anybody makes while one command runs.
const NOTICES_MAX: usize = 64;
/// Reading a card takes a second or two, and so does logging in.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);
const CARD_WITHIN: Duration = Duration::from_millis(1_500);
