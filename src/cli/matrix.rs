//! `chevet matrix`: show, compare, import, sign and verify the habilitation matrix, and the national lists beside it.
//!
//! Data is imported in steps, so that nobody signs what nobody looked at: `import` of a publication writes our own form and
//! says what changes; a person reads it; `sign` writes the signature beside it; `import` of what is signed gives it to this
//! device's state folder. A running kiosk reads that folder when it starts.

mod answers;
pub(in crate::cli) mod data;

use crate::cli;
use crate::cli::Common;
use crate::kiosk::rulebook;
use crate::policy::establishment;
use crate::policy::in_force;
use crate::policy::matrix;
use crate::policy::nomenclature::list;
use crate::policy::signed;
use answers::Answer;
use std::path::PathBuf;

#[derive(clap::Subcommand)]
pub enum Verb {
    /// The version in force on this device, how much of it is known, and what one profession may see
    #[command(after_help = "Example: chevet matrix show --profession 60")]
    Show(Show),
    /// What another version of the matrix, or of a list, changes, value by value
    #[command(after_help = "Example: chevet matrix diff matrix.csv")]
    Diff(Diff),
    /// Turn an official publication into our own form, not yet signed; or give a signed file to this device
    #[command(after_help = IMPORT_EXAMPLES)]
    Import(Import),
    /// Sign a matrix, a list, or an establishment's framework or team with an Ed25519 key (PEM, PKCS#8); writes the signature beside it
    #[command(after_help = "Example: chevet matrix sign matrix.csv --key release.key --name release")]
    Sign(Sign),
    /// Verify a matrix, a list, or an establishment's framework or team, and its signature
    #[command(after_help = "Example: chevet matrix verify matrix.csv")]
    Verify(Verify),
}

#[derive(clap::Args)]
pub struct Show {
    /// What this profession may see (TRE_G15)
    #[arg(long, value_name = "CODE")]
    profession: Option<u16>,
    /// A pharmacist's section (TRE_G05)
    #[arg(long, value_name = "CODE", requires = "profession")]
    section: Option<String>,
    /// One national list: classes, types, labels, professions, pharmacist_sections, access_modes, format_codes
    #[arg(long, value_name = "LIST", conflicts_with = "profession")]
    list: Option<String>,
}

#[derive(clap::Args)]
pub struct Diff {
    /// The other version, in our own form
    file: PathBuf,
    /// Compare with this one instead of the one in force
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
}

#[derive(clap::Args)]
pub struct Import {
    /// A publication (the matrix as CSV or JSON:API, a list as CSV or FHIR), or a file of ours with its .sig beside it
    file: PathBuf,
    /// A publication's version here: day and number, for example 2026-12-01.1
    #[arg(long, value_name = "VERSION")]
    matrix_version: Option<String>,
    /// The publication is of this list, not of the matrix
    #[arg(long, value_name = "LIST")]
    list: Option<String>,
    /// The publisher's own version of a list
    #[arg(long, value_name = "TEXT", default_value = "")]
    published: String,
    /// The day from which a matrix applies
    #[arg(long, value_name = "DAY")]
    effective: Option<String>,
    /// Where it was published
    #[arg(long, value_name = "TEXT", default_value = "Publication officielle")]
    source: String,
    /// Where to write our own form
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(clap::Args)]
pub struct Sign {
    file: PathBuf,
    /// Private key; it is read and not kept
    #[arg(long, value_name = "PEM")]
    key: PathBuf,
    /// How the key is called in the signature
    #[arg(long, default_value = "development")]
    name: String,
}

#[derive(clap::Args)]
pub struct Verify {
    /// The one that comes with this program when absent
    file: Option<PathBuf>,
    /// Believe only keys that count in production
    #[arg(long)]
    production: bool,
}

const IMPORT_EXAMPLES: &str = "Example: chevet matrix import publication.csv --matrix-version 2026-12-01.1 \
--effective 2026-12-01 --out matrix.csv\nThen, once signed: chevet matrix import matrix.csv --state /var/lib/chevet";

/// What went wrong with a verb.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{path} cannot be read")]
    Read { path: String, source: std::io::Error },
    #[error("{path} cannot be written")]
    Write { path: String, source: std::io::Error },
    #[error("{path}")]
    Refused { path: String, source: in_force::Why },
    #[error("{path}")]
    Establishment { path: String, source: establishment::Error },
    #[error("{path} was not signed")]
    NotSigned { path: String, source: signed::Error },
    #[error("{option} is needed with a publication")]
    Needed { option: &'static str },
    #[error("no list is called {found}; {known} are")]
    UnknownList { found: String, known: String },
    #[error("a matrix cannot be compared with a list, nor two different lists")]
    Unlike,
    #[error("the rules of this device cannot be read")]
    Rulebook { source: rulebook::Error },
}

/// Does it; the answer on standard output, what failed on standard error.
pub fn run(verb: Verb, common: &Common) -> u8 {
    let done = data::Device::open(common).and_then(|device| match verb {
        Verb::Show(asked) => answers::show(&asked, &device),
        Verb::Diff(asked) => answers::diff(&asked, &device),
        Verb::Import(asked) => answers::import(&asked, &device),
        Verb::Sign(asked) => answers::sign(&asked),
        Verb::Verify(asked) => answers::verify(&asked, &device),
    });
    match done {
        Ok(Answer { json, text, code }) => {
            if common.json {
                println!("{json}");
            } else {
                print!("{text}");
            }
            code
        }
        Err(failure) => {
            cli::complain(&failure);
            if let Some(sentence) = failure.sentence() {
                eprintln!("{sentence}");
            }
            failure.code()
        }
    }
}

impl Failure {
    fn sentence(&self) -> Option<&'static str> {
        match self {
            Failure::Refused { source, .. } => Some(source.sentence()),
            Failure::Establishment { source, .. } => Some(source.sentence()),
            Failure::Rulebook { source: rulebook::Error::Matrix { source } } => Some(source.sentence()),
            _ => None,
        }
    }

    fn code(&self) -> u8 {
        match self {
            Failure::Refused { .. } | Failure::Establishment { .. } | Failure::NotSigned { .. } => cli::SAID_NO,
            Failure::Rulebook { source: rulebook::Error::Matrix { .. } } => cli::SAID_NO,
            Failure::Needed { .. } | Failure::UnknownList { .. } | Failure::Unlike => cli::WRONG_USE,
            Failure::Read { .. } | Failure::Write { .. } | Failure::Rulebook { .. } => cli::FAILED,
        }
    }

    fn matrix(path: &std::path::Path, source: matrix::Error) -> Failure {
        Failure::Refused { path: path.display().to_string(), source: source.into() }
    }

    fn list(path: &std::path::Path, source: list::Error) -> Failure {
        Failure::Refused { path: path.display().to_string(), source: source.into() }
    }
}
