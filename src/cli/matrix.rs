//! `chevet matrix`: show, compare, import, sign and verify the habilitation matrix.
//!
//! A matrix is imported in three steps, so that nobody signs what nobody looked at: `import` writes our own form and
//! says what changes; a person reads it; `sign` writes the signature beside it. Nothing here touches a running kiosk.

use crate::cli;
use crate::cli::Common;
use crate::identity::holder::ProfessionCode;
use crate::policy::facts::Cell;
use crate::policy::matrix::Error;
use crate::policy::matrix::Matrix;
use crate::policy::matrix::Place;
use crate::policy::matrix::Source;
use crate::policy::matrix::difference;
use crate::policy::matrix::difference::Change;
use crate::policy::matrix::file;
use crate::policy::matrix::import;
use crate::policy::matrix::import::About;
use crate::policy::nomenclature;
use crate::policy::signed;
use crate::policy::signed::Standing;
use crate::record::document::TypeCode;
use serde_json::Value;
use serde_json::json;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

#[derive(clap::Subcommand)]
pub enum Verb {
    /// The version that comes with this program, how much of it is known, and what one profession may see
    #[command(after_help = "Example: chevet matrix show --profession 60")]
    Show(Show),
    /// What another version changes, cell by cell
    #[command(after_help = "Example: chevet matrix diff matrix.csv")]
    Diff(Diff),
    /// Turn the official publication into our own form, not yet signed
    #[command(
        after_help = "Example: chevet matrix import publication.csv --matrix-version 2026-12-01.1 --effective 2026-12-01 --out matrix.csv"
    )]
    Import(Import),
    /// Sign a matrix with an Ed25519 key (PEM, PKCS#8); writes the signature beside it
    #[command(after_help = "Example: chevet matrix sign matrix.csv --key release.key --name release")]
    Sign(Sign),
    /// Verify a matrix and its signature
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
}

#[derive(clap::Args)]
pub struct Diff {
    /// The other version, in our own form
    file: PathBuf,
    /// Compare with this one instead of the one that comes with the program
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
}

#[derive(clap::Args)]
pub struct Import {
    /// The publication, as CSV or as JSON:API (.json)
    file: PathBuf,
    /// Day and number, for example 2026-12-01.1
    #[arg(long, value_name = "VERSION")]
    matrix_version: String,
    /// The day from which it applies
    #[arg(long, value_name = "DAY")]
    effective: String,
    /// Where it was published
    #[arg(long, value_name = "TEXT", default_value = "Publication officielle")]
    source: String,
    /// Where to write our own form
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
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

/// What went wrong with a verb.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{path} cannot be read")]
    Read { path: String, source: std::io::Error },
    #[error("{path} cannot be written")]
    Write { path: String, source: std::io::Error },
    #[error("{path}")]
    Refused { path: String, source: Error },
    #[error("{path} was not signed")]
    NotSigned { path: String, source: signed::Error },
}

/// Does it; the answer on standard output, what failed on standard error.
pub fn run(verb: Verb, common: &Common) -> u8 {
    let done = match verb {
        Verb::Show(asked) => show(&asked),
        Verb::Diff(asked) => diff(&asked),
        Verb::Import(asked) => import_publication(&asked),
        Verb::Sign(asked) => sign(&asked),
        Verb::Verify(asked) => verify(&asked),
    };
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
            if let Failure::Refused { source, .. } = &failure {
                eprintln!("{}", source.sentence());
            }
            match failure {
                Failure::Refused { .. } | Failure::NotSigned { .. } => cli::SAID_NO,
                Failure::Read { .. } | Failure::Write { .. } => cli::FAILED,
            }
        }
    }
}

struct Answer {
    json: Value,
    text: String,
    code: u8,
}

fn show(asked: &Show) -> Result<Answer, Failure> {
    let matrix = shipped()?;
    let (known, cells) = matrix.known();
    let sources: Vec<Value> =
        matrix.sources.iter().map(|s| json!({"id": s.id, "date": s.date, "text": s.text})).collect();
    let columns: Vec<Value> =
        matrix.columns().iter().map(|c| json!({"id": c.0, "label": matrix.column_label(c)})).collect();
    let mut json = json!({
        "version": matrix.version, "effective": matrix.effective, "known": known, "cells": cells,
        "sources": sources, "columns": columns,
    });
    let percent = known * 100 / cells.max(1);
    let mut text = format!(
        "Matrix {}, effective {}: {known} of {cells} cells known ({percent} %)\n",
        matrix.version, matrix.effective
    );
    if let Some(code) = asked.profession {
        let place = Place::of(Some(ProfessionCode(code)), asked.section.as_deref());
        let named = nomenclature::profession_label(ProfessionCode(code));
        let rows: Vec<(&TypeCode, Cell)> =
            matrix.types().iter().map(|kind| (kind, matrix.cell(&place, kind))).collect();
        json["profession"] = json!({
            "code": code, "label": named, "columns": place.columns.iter().map(|c| &c.0).collect::<Vec<_>>(),
            "types": rows.iter().map(|(kind, cell)| json!({"type": kind.0, "cell": cell.name()})).collect::<Vec<_>>(),
        });
        text += &format!("{named} ({code}):\n");
        for (kind, cell) in rows {
            text += &format!("  {:<8} {:<16} {}\n", cell.name(), kind.0, nomenclature::type_label(kind));
        }
    }
    Ok(Answer { json, text, code: cli::DONE })
}

fn diff(asked: &Diff) -> Result<Answer, Failure> {
    let before = asked.against.as_deref().map_or_else(shipped, read_own)?;
    let after = read_own(&asked.file)?;
    let changes = difference::changes(&before, &after);
    let json = json!({"from": before.version, "to": after.version, "changes": changes.iter().map(change_json).collect::<Vec<_>>()});
    Ok(Answer { json, text: changes_text(&before, &after, &changes), code: cli::DONE })
}

fn import_publication(asked: &Import) -> Result<Answer, Failure> {
    let in_force = shipped()?;
    let bytes = read(&asked.file)?;
    let about = About {
        version: asked.matrix_version.clone(),
        effective: asked.effective.clone(),
        source: Source {
            id: "publication".into(),
            date: asked.effective.clone(),
            text: asked.source.replace('\n', " "),
        },
    };
    let is_json = asked.file.extension().is_some_and(|end| end.eq_ignore_ascii_case("json"));
    let read =
        if is_json { import::from_json(&bytes, about, &in_force) } else { import::from_csv(&bytes, about, &in_force) };
    let imported = read.and_then(|matrix| matrix.may_replace(&in_force).map(|()| matrix));
    let imported = imported.map_err(|source| Failure::Refused { path: asked.file.display().to_string(), source })?;
    write(&asked.out, &file::write(&imported))?;
    let changes = difference::changes(&in_force, &imported);
    let (known, cells) = imported.known();
    let json = json!({
        "from": in_force.version, "to": imported.version, "known": known, "cells": cells,
        "changes": changes.iter().map(change_json).collect::<Vec<_>>(),
    });
    let mut text = changes_text(&in_force, &imported, &changes);
    text += &format!("Written to {}, not signed. Read it, then: chevet matrix sign\n", asked.out.display());
    Ok(Answer { json, text, code: cli::DONE })
}

fn sign(asked: &Sign) -> Result<Answer, Failure> {
    // What cannot be read as a matrix is not signed.
    let matrix = read_own(&asked.file)?;
    let key = String::from_utf8_lossy(&read(&asked.key)?).into_owned();
    let signature = signed::sign(&read(&asked.file)?, &key, &asked.name)
        .map_err(|source| Failure::NotSigned { path: asked.file.display().to_string(), source })?;
    let beside = asked.file.with_extension("sig");
    write(&beside, &signature)?;
    let json = json!({"version": matrix.version, "signature": beside.display().to_string()});
    Ok(Answer { json, text: format!("Signed {} in {}\n", matrix.version, beside.display()), code: cli::DONE })
}

fn verify(asked: &Verify) -> Result<Answer, Failure> {
    let standing = if asked.production { Standing::Production } else { Standing::Desk };
    let opened = match &asked.file {
        None => Matrix::shipped_for(standing),
        Some(path) => {
            let signature = String::from_utf8_lossy(&read(&path.with_extension("sig"))?).into_owned();
            Matrix::open(&read(path)?, &signature, standing)
        }
    };
    Ok(match opened {
        Ok(matrix) => Answer {
            json: json!({"ok": true, "version": matrix.version, "why": null}),
            text: format!("Matrix {} is signed by a key that is believed here\n", matrix.version),
            code: cli::DONE,
        },
        Err(error) => Answer {
            json: json!({"ok": false, "version": null, "why": chain(&error)}),
            text: format!("{}\n{}\n", chain(&error), error.sentence()),
            code: cli::SAID_NO,
        },
    })
}

fn chain(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {}", chain(cause)))
}

fn change_json(change: &Change) -> Value {
    json!({
        "type": change.kind.0, "label": nomenclature::type_label(&change.kind), "column": change.column.0,
        "before": change.before.name(), "after": change.after.name(),
    })
}

fn changes_text(before: &Matrix, after: &Matrix, changes: &[Change]) -> String {
    let mut text = format!("{} → {}: {} cells change\n", before.version, after.version, changes.len());
    for change in changes {
        let label = nomenclature::type_label(&change.kind);
        let (was, is) = (change.before.name(), change.after.name());
        text += &format!("  {:<16} {:<18} {was} → {is}  {label}\n", change.kind.0, change.column.0);
    }
    text
}

fn shipped() -> Result<Matrix, Failure> {
    Matrix::shipped().map_err(|source| Failure::Refused { path: "the shipped matrix".into(), source })
}

fn read_own(path: &Path) -> Result<Matrix, Failure> {
    file::read(&read(path)?).map_err(|source| Failure::Refused { path: path.display().to_string(), source })
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|source| Failure::Read { path: path.display().to_string(), source })
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|source| Failure::Write { path: path.display().to_string(), source })
}
