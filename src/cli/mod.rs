//! The operator's verbs, one file each. Exit codes: 0 done, 1 said no, 2 wrong use, 3 something failed (named).
//!
//! `--json` is stable, for scripts; texts are for people. Errors go to standard error, in English, with the next step.

pub mod card;
#[cfg(all(feature = "sandbox", feature = "screen"))]
pub mod demo;
pub mod doctor;
pub mod journal;
#[cfg(feature = "screen")]
pub mod kiosk;
#[cfg(feature = "screen")]
mod log;
pub mod matrix;
pub mod policy;
pub mod record;
pub mod slots;
pub mod sync;
pub mod trust;

use crate::config;
use crate::config::Config;
use crate::device::clock::Clock;
use crate::device::memory;
use crate::time::UnixSeconds;
use crate::time::Wall;
use crate::vault;
use crate::vault::Look;
use crate::vault::provider;
use crate::vault::provider::Sources;
use clap::Args;
use clap::Parser;
use clap::Subcommand;
use std::error::Error;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Chevet: a bedside appliance for the French shared medical record.
#[derive(Parser)]
#[command(name = "chevet", version, disable_help_subcommand = true)]
struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

/// What every verb takes.
#[derive(Args, Clone)]
pub struct Common {
    /// Print JSON, stable, for scripts
    #[arg(long, global = true)]
    pub json: bool,
    /// The settings
    #[arg(long, global = true, value_name = "FILE", default_value = "/etc/chevet/kiosk.toml")]
    pub config: PathBuf,
    /// The state folder
    #[arg(long, global = true, value_name = "DIR", default_value = "/var/lib/chevet")]
    pub state: PathBuf,
}

#[derive(Subcommand)]
enum Verb {
    /// The card in the reader
    #[command(subcommand)]
    Card(CardVerb),
    /// What the rules decide, and why
    #[command(subcommand)]
    Policy(policy::Verb),
    /// The habilitation matrix
    #[command(subcommand)]
    Matrix(matrix::Verb),
    /// A document, as the reader would display it
    #[command(subcommand)]
    Record(RecordVerb),
    /// The journal of traces
    #[command(subcommand)]
    Journal(JournalVerb),
    /// What waits to be delivered
    #[command(subcommand)]
    Sync(sync::Verb),
    /// Whom this device trusts: authorities, and the lists of what they revoked
    #[command(subcommand)]
    Trust(trust::Verb),
    /// Which layer fails, and what to do about it
    #[command(after_help = "Example: chevet doctor card --json")]
    Doctor(doctor::Arguments),
    /// Which of the device's two systems starts next
    #[command(subcommand)]
    Slots(slots::Verb),
    /// The appliance's program
    #[cfg(feature = "screen")]
    #[command(after_help = "Example: chevet kiosk --config kiosk.toml --state state --window 800x480")]
    Kiosk(kiosk::Arguments),
    /// The whole of it on a sandbox: a virtual card, a small DMP
    #[cfg(all(feature = "sandbox", feature = "screen"))]
    #[command(after_help = "Example: chevet demo --play --out demo")]
    Demo(demo::Arguments),
    /// The sealed reader of documents; started by the kiosk, never by hand
    #[command(hide = true, disable_help_flag = true)]
    Worker {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
        rest: Vec<String>,
    },
}

#[derive(Subcommand)]
enum CardVerb {
    /// Who is in the reader; needs no PIN
    #[command(after_help = "Example: chevet card show --json --config kiosk.toml")]
    Show,
    /// The same, with the PIN from standard input
    #[command(after_help = "Example: chevet card login --json --config kiosk.toml < pin")]
    Login {
        /// Yes, spend the last try
        #[arg(long)]
        last_try: bool,
    },
}

#[derive(Subcommand)]
enum RecordVerb {
    /// All that the reader would display of a file
    #[command(after_help = "Example: chevet record show letter.xml --json")]
    Show { file: PathBuf },
}

#[derive(Subcommand)]
enum JournalVerb {
    /// Whether an export is whole and unaltered, or a receipt true; needs no device
    #[command(after_help = "Example: chevet journal verify export.jsonl --device-key device.vkey --json")]
    Verify {
        file: PathBuf,
        /// The device's public key, as `journal status` prints it
        #[arg(long, value_name = "VKEY")]
        device_key: Option<String>,
        /// Authorities that every login's certificate must come from
        #[arg(long, value_name = "PEM")]
        anchors: Option<PathBuf>,
    },
    /// Every row, one a line, then the signed head
    #[command(after_help = "Example: chevet journal export --state state --to export.jsonl")]
    Export {
        /// The device key's file; the state folder's own without it
        #[arg(long, value_name = "FILE")]
        device_key: Option<PathBuf>,
        /// Where to; standard output without it
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// The patient's receipt of one row: proof into a file, sheet and code to standard output
    #[command(after_help = "Example: chevet journal receipt --row 41 --state state --to access.tlog-proof")]
    Receipt {
        /// The row's index
        #[arg(long, value_name = "INDEX")]
        row: u64,
        /// The device key's file; the state folder's own without it
        #[arg(long, value_name = "FILE")]
        device_key: Option<PathBuf>,
        /// Where the proof goes (C2SP tlog-proof)
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// How many rows, and the device's public key
    #[command(after_help = "Example: chevet journal status --state state --json")]
    Status {
        /// The device key's file; the state folder's own without it
        #[arg(long, value_name = "FILE")]
        device_key: Option<PathBuf>,
    },
}

/// Reads the arguments and does what they ask.
pub fn run() -> ExitCode {
    // The worker seals itself before it reads anything, arguments included.
    if std::env::args_os().nth(1).is_some_and(|verb| verb == "worker") {
        return crate::render::worker_main();
    }
    if let Err(error) = memory::keep_to_ourselves() {
        complain(&error);
        return ExitCode::from(FAILED);
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let asked_for = !error.use_stderr();
            // A closed pipe is the reader's choice, not an error of ours.
            let _closed_pipe = error.print();
            return ExitCode::from(if asked_for { DONE } else { WRONG_USE });
        }
    };
    let code = obey(arguments);
    // One that its driver swallowed is not waited for.
    let _swallowed = crate::card::settle(READERS_WITHIN);
    code
}

fn obey(arguments: Arguments) -> ExitCode {
    let common = &arguments.common;
    ExitCode::from(match arguments.verb {
        Verb::Card(verb) => return card_verb(&verb, common),
        Verb::Policy(verb) => policy::run(verb, common),
        Verb::Matrix(verb) => matrix::run(verb, common),
        Verb::Journal(verb) => return journal_verb(&verb, common),
        Verb::Sync(verb) => sync::run(verb, common),
        Verb::Trust(verb) => trust::run(verb, common),
        Verb::Slots(verb) => slots::run(&verb, common.json),
        Verb::Doctor(arguments) => doctor::run(&arguments, common),
        Verb::Record(RecordVerb::Show { file }) => return record::show(&file, common.json),
        #[cfg(feature = "screen")]
        Verb::Kiosk(verb) => kiosk::run(verb, common),
        #[cfg(all(feature = "sandbox", feature = "screen"))]
        Verb::Demo(verb) => demo::run(verb),
        Verb::Worker { .. } => WRONG_USE,
    })
}

fn journal_verb(verb: &JournalVerb, common: &Common) -> ExitCode {
    match verb {
        JournalVerb::Verify { file, device_key, anchors } => {
            journal::verify(file, device_key.as_deref(), anchors.as_deref(), common.json)
        }
        JournalVerb::Export { device_key, to } => journal::export(&common.state, device_key.as_deref(), to.as_deref()),
        JournalVerb::Receipt { row, device_key, to } => {
            journal::receipt(&common.state, device_key.as_deref(), *row, to.as_deref(), common.json)
        }
        JournalVerb::Status { device_key } => journal::status(&common.state, device_key.as_deref(), common.json),
    }
}

fn card_verb(verb: &CardVerb, common: &Common) -> ExitCode {
    let config = match settings(common) {
        Ok(config) => config,
        Err(code) => return ExitCode::from(code),
    };
    let form = if common.json { card::Form::Json } else { card::Form::Text };
    // An operator's command believes the machine's clock, as every other command on it does.
    let now = Wall::Is(Clock::start(UnixSeconds(0)).as_shown());
    let asked = card::Asked { config: &config, state: &common.state, now, form };
    match verb {
        CardVerb::Show => card::show(&asked),
        CardVerb::Login { last_try: true } => card::login(&asked, card::LastTry::Use),
        CardVerb::Login { last_try: false } => card::login(&asked, card::LastTry::Keep),
    }
}

/// The settings, or the reason why not, already said.
pub(crate) fn settings(common: &Common) -> Result<Config, u8> {
    Config::read(&common.config).map_err(|error| {
        let code = if matches!(error, config::Error::Read { .. }) { FAILED } else { WRONG_USE };
        complain(&error);
        code
    })
}

/// What systemd hands over to this process.
pub(crate) fn credentials() -> Option<PathBuf> {
    std::env::var_os(CREDENTIALS).map(PathBuf::from)
}

/// A look at the journal with the key at `device_key`, or else with the one that a kiosk would take here.
pub(crate) fn look(state: &Path, device_key: Option<&Path>) -> Result<Look, vault::Error> {
    if device_key.is_some() {
        return Look::open(state, device_key);
    }
    let credentials = credentials();
    Look::here(Sources { state, credentials: credentials.as_deref(), tpms: Path::new(provider::TPMS) })
}

/// Says what failed, with its chain of causes.
pub(crate) fn complain(error: &(dyn Error + 'static)) {
    let mut text = format!("chevet: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    eprintln!("{text}");
}

const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";
const READERS_WITHIN: Duration = Duration::from_millis(500);
/// Done.
pub(crate) const DONE: u8 = 0;
/// Denied, refused, an invalid signature or proof.
pub(crate) const SAID_NO: u8 = 1;
/// Wrong use, wrong settings included.
pub(crate) const WRONG_USE: u8 = 2;
/// Something failed; what, was said.
pub(crate) const FAILED: u8 = 3;
