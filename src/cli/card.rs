//! `chevet card show` and `chevet card login`: who is in the reader, without and with the PIN.
//!
//! The PIN comes from standard input, never from the arguments, and is sent at most once. On the last try it is not sent
//! without `--last-try`, and to a card that is not trusted it is not sent at all. Exit codes: 1 when the card, its chain or
//! its PIN says no, 3 when the reader or the dialogue failed.

use crate::card;
use crate::card::CardContents;
use crate::card::Generation;
use crate::card::Notice;
use crate::card::Reader;
use crate::card::Seen;
use crate::config;
use crate::config::Config;
use crate::identity::certificate;
use crate::identity::certificate::Certificate;
use crate::identity::holder::Situation;
use crate::identity::statement::Statement;
use crate::identity::trust;
use crate::identity::trust::Warning;
use crate::kiosk::trusted;
use crate::kiosk::trusted::Trust;
use crate::secret::Pin;
use crate::time::Wall;
use serde::Serialize;
use std::io::BufRead;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use tokio::sync::mpsc;

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

/// The stable JSON of both verbs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    pub reader: String,
    /// Hexadecimal.
    pub atr: String,
    /// `cps3`, `cps4`, `contactless` or `unknown`.
    pub generation: &'static str,
    pub serial: Option<String>,
    pub holder: Option<ShownHolder>,
    pub certificate: Option<ShownCertificate>,
    pub chain: ShownChain,
    pub crl: ShownCrl,
    /// 0: blocked; null: the card does not say.
    pub tries_left: Option<u8>,
    /// The card signed a fresh nonce under its PIN, and the signature verifies.
    pub verified: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownHolder {
    pub id: String,
    pub names: String,
    /// TRE_G15.
    pub profession: Option<u16>,
    pub in_training: bool,
    pub card_kind: &'static str,
    /// null before the PIN.
    pub situations: Option<Vec<ShownSituation>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownSituation {
    pub structure: String,
    pub name: String,
    pub sector: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownCertificate {
    pub subject: String,
    pub issuer: String,
    /// RFC 3339.
    pub not_after: String,
    /// Hexadecimal SHA-256 of the public key.
    pub key_id: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct ShownChain {
    pub ok: bool,
    /// Why not; or, when it is, what could not be told for sure.
    pub why: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct ShownCrl {
    pub age_days: Option<i64>,
    pub ok: bool,
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
    let outcome = on_runtime(async { look(asked).await.map(|look| (look.shown, None)) });
    tell(outcome, asked.form, output)
}

/// [`login`], typed and written elsewhere.
pub fn login_on(asked: &Asked<'_>, last_try: LastTry, input: &mut dyn BufRead, output: &mut dyn Write) -> ExitCode {
    let outcome = on_runtime(async { Ok(log_in(look(asked).await?, last_try, input).await) });
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
    #[error("no PIN of 1 to 8 digits came on standard input")]
    PinMissing,
}

struct Look {
    shown: Shown,
    reader: Reader,
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
        match wait_for_card(&reader, &mut notices).await {
            // A reader without a time limit of its own waits for a mute card as long as it lies there.
            Ok(seen) => {
                let read = tokio::time::timeout(READ_WITHIN, reader.read(seen.insertion)).await;
                read.unwrap_or(Err(card::Error::Mute))
            }
            Err(Error::Reader(error)) => Err(error),
            Err(_) => Err(card::Error::Removed),
        }
    })
}

/// Reads what is in the reader, without the PIN.
async fn look(asked: &Asked<'_>) -> Result<Look, Error> {
    let trusted = Trust::read(&asked.config.trust, asked.state).map_err(Error::Trust)?;
    let crls = trusted.crls().map_err(Error::Trust)?;
    let (tell, mut notices) = mpsc::channel(NOTICES_MAX);
    let options = options(asked.config);
    let reader = Reader::start(options, tell).map_err(Error::Reader)?;
    let seen = wait_for_card(&reader, &mut notices).await?;
    let insertion = seen.insertion;
    match reader.read(insertion).await {
        Ok(contents) => {
            let certificate = Certificate::parse(&contents.certificate).map_err(Error::Certificate)?;
            let verdict = trust::verify(&certificate, &trusted.anchors, &crls, asked.now);
            let shown = describe(&contents, &certificate, verdict);
            Ok(Look { shown, reader, insertion, certificate: Some(certificate), refused: None, notices })
        }
        Err(error @ (card::Error::Cps4 | card::Error::Contactless | card::Error::UnknownCard)) => Ok(Look {
            shown: describe_refused(&seen, error),
            reader,
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
async fn log_in(look: Look, last_try: LastTry, input: &mut dyn BufRead) -> Outcome {
    let Look { mut shown, reader, insertion, certificate, refused, notices: _notices } = look;
    let Some(certificate) = certificate else { return (shown, refused.map(No::Card)) };
    if !(shown.chain.ok && shown.crl.ok) {
        return (shown, Some(No::Untrusted));
    }
    match (shown.tries_left, last_try) {
        (Some(0), _) => return (shown, Some(No::Card(card::Error::Blocked))),
        (Some(1), LastTry::Keep) => return (shown, Some(No::LastTry)),
        _ => {}
    }
    let Some(pin) = typed(input) else { return (shown, Some(No::PinMissing)) };
    let mut nonce = [0; 32];
    if aws_lc_rs::rand::fill(&mut nonce).is_err() {
        return (shown, Some(No::Card(card::Error::SignatureRefused)));
    }
    let statement = Statement::login(DEVICE, certificate.key_id(), &nonce);
    let message = statement.message().to_vec();
    let answer = reader.login(insertion, pin, statement).await;
    // Behind the PIN, and only for who was let in; a card that does not tell leaves null.
    let situations = if answer.is_ok() { reader.situations(insertion).await.ok() } else { None };
    reader.leave();
    match answer {
        Ok(signature) if certificate.verify_signature(&message, &signature).is_ok() => {
            shown.verified = true;
            if let Some(holder) = &mut shown.holder {
                holder.situations = situations.map(|all| all.into_iter().map(shown_situation).collect());
            }
            (shown, None)
        }
        Ok(_) => (shown, Some(No::Card(card::Error::SignatureRefused))),
        Err(error) => {
            shown.tries_left = match error {
                card::Error::WrongPin { tries_left } => Some(tries_left),
                card::Error::Blocked => Some(0),
                _ => shown.tries_left,
            };
            (shown, Some(No::Card(error)))
        }
    }
}

fn shown_situation(Situation { structure, name, sector }: Situation) -> ShownSituation {
    ShownSituation { structure, name, sector }
}

fn typed(input: &mut dyn BufRead) -> Option<Pin> {
    // As long as any PIN with its end of line, so that the string never grows and leaves no copy behind.
    let mut line = String::with_capacity(64);
    input.read_line(&mut line).ok()?;
    Pin::from_typed(line)
}

fn describe(
    contents: &CardContents,
    certificate: &Certificate,
    verdict: Result<trust::Verified, trust::Error>,
) -> Shown {
    let holder = certificate.holder();
    let (chain, crl) = match verdict {
        Ok(verified) => {
            let why: Vec<&str> = verified.warnings.iter().map(|warning| words(*warning)).collect();
            let why = (!why.is_empty()).then(|| why.join("; "));
            (ShownChain { ok: true, why }, ShownCrl { age_days: Some(verified.crl_age_s / 86_400), ok: true })
        }
        // The chain stands; only the list fails it.
        Err(trust::Error::CrlTooOld { age_days }) => {
            (ShownChain { ok: true, why: None }, ShownCrl { age_days: Some(age_days), ok: false })
        }
        Err(trust::Error::CrlMissing) => (ShownChain { ok: true, why: None }, ShownCrl::default()),
        Err(error) => (ShownChain { ok: false, why: Some(error.to_string()) }, ShownCrl::default()),
    };
    Shown {
        reader: contents.reader.clone(),
        atr: hex::encode_upper(&contents.atr),
        generation: contents.generation.name(),
        serial: contents.serial.clone(),
        holder: Some(ShownHolder {
            id: holder.id.0,
            names: format!("{} {}", holder.given_name, holder.family_name).trim().to_owned(),
            profession: holder.profession.map(|profession| profession.0),
            in_training: holder.in_training,
            card_kind: holder.card_kind.name(),
            situations: None,
        }),
        certificate: Some(ShownCertificate {
            subject: certificate.subject().to_owned(),
            issuer: certificate.issuer().to_owned(),
            not_after: certificate.not_after().rfc3339(),
            key_id: hex::encode(certificate.key_id().0),
        }),
        chain,
        crl,
        tries_left: contents.tries_left,
        verified: false,
    }
}

fn describe_refused(seen: &Seen, error: card::Error) -> Shown {
    Shown {
        reader: seen.reader.clone(),
        atr: hex::encode_upper(&seen.atr),
        generation: Generation::of(&seen.atr).name(),
        serial: None,
        holder: None,
        certificate: None,
        chain: ShownChain { ok: false, why: Some(error.to_string()) },
        crl: ShownCrl::default(),
        tries_left: None,
        verified: false,
    }
}

fn words(warning: Warning) -> &'static str {
    match warning {
        Warning::ValidityUncertain => "the clock cannot tell whether the certificate is valid now",
        Warning::CrlAging => "the revocation list is aging",
        Warning::CrlAgeUncertain => "the clock cannot tell how old the revocation list is",
    }
}

fn written(shown: &Shown, form: Form) -> String {
    match form {
        Form::Json => serde_json::to_string(shown).expect("text, numbers and nothing else are always JSON"),
        Form::Text => text(shown),
    }
}

/// For people; scripts take the JSON.
fn text(shown: &Shown) -> String {
    let mut lines = vec![format!("reader       {}", shown.reader), format!("card         {}", shown.generation)];
    if let Some(serial) = &shown.serial {
        lines.push(format!("serial       {serial}"));
    }
    if let Some(holder) = &shown.holder {
        lines.push(format!("holder       {} ({}, {})", holder.names, holder.id, holder.card_kind));
        let profession = holder.profession.map_or("none".to_owned(), |code| code.to_string());
        lines.push(format!("profession   {profession}{}", if holder.in_training { ", in training" } else { "" }));
    }
    if let Some(certificate) = &shown.certificate {
        lines.push(format!("issuer       {}", certificate.issuer));
        lines.push(format!("valid until  {}", certificate.not_after));
    }
    let chain = if shown.chain.ok { "ok" } else { "refused" };
    let why = shown.chain.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    lines.push(format!("chain        {chain}{why}"));
    let age = shown.crl.age_days.map_or("none".to_owned(), |days| format!("{days} days old"));
    lines.push(format!("revocations  {age}{}", if shown.crl.ok { "" } else { ", not usable" }));
    lines.push(format!("tries left   {}", shown.tries_left.map_or("not told".to_owned(), |left| left.to_string())));
    lines.push(format!("PIN          {}", if shown.verified { "verified" } else { "not verified" }));
    lines.join("\n")
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
/// Reading a card takes a second or two.
const READ_WITHIN: Duration = Duration::from_secs(8);
const CARD_WITHIN: Duration = Duration::from_millis(1_500);
