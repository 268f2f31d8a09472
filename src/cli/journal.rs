//! `chevet journal verify | export | status`. `verify` needs no device: an export, and the device's public key.

use crate::journal::export::Report;
use crate::journal::export::Verifier;
use crate::journal::note::VerifyingKey;
use crate::vault::Error;
use crate::vault::Look;
use crate::vault::Status;
use serde_json::Value;
use serde_json::json;
use std::fs::File;
use std::io::BufRead;
use std::io::BufReader;
use std::io::BufWriter;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// Done; said no; wrong use; failed.
const DONE: u8 = 0;
const NO: u8 = 1;
const WRONG_USE: u8 = 2;
const FAILED: u8 = 3;

/// Recomputes every leaf and the root. Exit code 1 when anything is not as the device wrote it.
pub fn verify(file: &Path, device_key: Option<&str>, as_json: bool) -> ExitCode {
    let key = match device_key.map(VerifyingKey::parse) {
        Some(None) => return fail("the device key is not one: give what `chevet journal status` shows", WRONG_USE),
        Some(Some(key)) => Some(key),
        None => None,
    };
    match check(file, key) {
        Ok(report) => {
            say(&if as_json { verified(&report).to_string() } else { sentence(&report) });
            ExitCode::from(if report.ok { DONE } else { NO })
        }
        Err(error) => fail(&format!("{} cannot be read: {error}", file.display()), FAILED),
    }
}

/// Writes the export to a file, or to standard output.
pub fn export(state: &Path, device_key: Option<&Path>, to: Option<&Path>) -> ExitCode {
    match write_export(state, device_key, to) {
        Ok(()) => ExitCode::from(DONE),
        Err(error) => fail(&chain(&error), FAILED),
    }
}

/// How many rows, under which root, what waits.
pub fn status(state: &Path, device_key: Option<&Path>, as_json: bool) -> ExitCode {
    match Look::open(state, device_key).and_then(|look| look.status()) {
        Ok(status) => {
            say(&if as_json { shape(&status).to_string() } else { lines(&status) });
            ExitCode::from(DONE)
        }
        Err(error) => fail(&chain(&error), FAILED),
    }
}

fn check(file: &Path, key: Option<VerifyingKey>) -> std::io::Result<Report> {
    let mut verifier = Verifier::new(key);
    for line in BufReader::new(File::open(file)?).split(b'\n') {
        let line = line?;
        if !line.is_empty() {
            verifier.line(&line);
        }
    }
    Ok(verifier.finish())
}

fn write_export(state: &Path, device_key: Option<&Path>, to: Option<&Path>) -> Result<(), Error> {
    let failed = |source| Error::File { doing: "writing the export", source };
    let look = Look::open(state, device_key)?;
    let mut out: Box<dyn Write> = match to {
        Some(path) => Box::new(BufWriter::new(File::create(path).map_err(failed)?)),
        None => Box::new(BufWriter::new(std::io::stdout().lock())),
    };
    look.export(&mut out)?;
    out.flush().map_err(failed)
}

fn verified(report: &Report) -> Value {
    json!({
        "rows": report.rows,
        "ok": report.ok,
        "first_bad": report.first_bad,
        "why": report.why,
        "signed": report.signed,
        "countersigned": report.countersigned,
        "anchored": report.anchored,
    })
}

fn sentence(report: &Report) -> String {
    let signed = match report.signed {
        Some(true) => "signed by the device",
        Some(false) => "NOT signed by that device",
        None => "signature not checked (give --device-key)",
    };
    match (report.why, report.first_bad) {
        (None, _) => format!("{} rows, whole and unchanged, {signed}", report.rows),
        (Some(why), Some(row)) => format!("row {row}: {why} ({} rows, {signed})", report.rows),
        (Some(why), None) => format!("{why} ({} rows, {signed})", report.rows),
    }
}

fn shape(status: &Status) -> Value {
    let waiting = &status.waiting;
    let aside = |line: &crate::vault::SetAside| {
        json!({
            "id": line.id.to_string(),
            "kind": line.kind,
            "since": line.since.rfc3339(),
            "code": line.code,
            "reason": line.reason,
        })
    };
    json!({
        "rows": status.rows,
        "root": hex::encode(status.root),
        "device_key": status.device_key,
        "waiting": {
            "traces": waiting.traces,
            "consents": waiting.consents,
            "contributions": waiting.contributions,
        },
        "oldest": waiting.oldest.map(crate::time::UnixSeconds::rfc3339),
        "set_aside": waiting.set_aside.iter().map(aside).collect::<Vec<Value>>(),
        "sealed_aside": status.sealed_aside,
        "countersigned": 0,
        "anchored": 0,
    })
}

fn lines(status: &Status) -> String {
    let waiting = &status.waiting;
    format!(
        "{} rows, root {}\ndevice key {}\nwaiting: {} traces, {} consents, {} contributions; set aside: {}; sealed aside: {}",
        status.rows,
        hex::encode(status.root),
        status.device_key,
        waiting.traces,
        waiting.consents,
        waiting.contributions,
        waiting.set_aside.len(),
        status.sealed_aside.len(),
    )
}

/// A closed pipe is nobody's error.
fn say(text: &str) {
    drop(writeln!(std::io::stdout(), "{text}"));
}

fn fail(text: &str, code: u8) -> ExitCode {
    drop(writeln!(std::io::stderr(), "chevet journal: {text}"));
    ExitCode::from(code)
}

fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        text = format!("{text}: {source}");
        cause = source.source();
    }
    text
}
