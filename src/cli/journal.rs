//! `chevet journal verify | export | receipt | status`. `verify` needs no device: an export or a receipt, and the device's
//! public key.

use crate::cli;
use crate::identity::trust::Anchors;
use crate::journal::branch::Lost;
use crate::journal::counter::Meant;
use crate::journal::export::BranchRow;
use crate::journal::export::Report;
use crate::journal::export::Verifier;
use crate::journal::note::VerifyingKey;
use crate::journal::receipt::Receipt;
use crate::journal::receipt::qr;
use crate::journal::words::Ground;
use crate::vault::Branch;
use crate::vault::Error;
use crate::vault::Status;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use qrcode::render::unicode::Dense1x2;
use serde_json::Value;
use serde_json::json;
use std::fs::File;
use std::io::BufRead;
use std::io::BufReader;
use std::io::BufWriter;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// Done; said no; wrong use; failed.
const DONE: u8 = 0;
const NO: u8 = 1;
const WRONG_USE: u8 = 2;
const FAILED: u8 = 3;

/// Recomputes every leaf and the root, or proves one receipt. Exit code 1 when anything is not as the device wrote it.
pub fn verify(file: &Path, device_key: Option<&str>, anchors: Option<&Path>, as_json: bool) -> ExitCode {
    let key = match device_key.map(VerifyingKey::parse) {
        Some(None) => return fail("the device key is not one: give what `chevet journal status` shows", WRONG_USE),
        Some(Some(key)) => Some(key),
        None => None,
    };
    let unreadable =
        |path: &Path, error: std::io::Error| fail(&format!("{} cannot be read: {error}", path.display()), FAILED);
    let anchors = match anchors.map(|path| std::fs::read(path).map_err(|error| unreadable(path, error))).transpose() {
        Ok(pem) => pem,
        Err(code) => return code,
    };
    let anchors = match anchors.map(|pem| Anchors::from_pem(&[&pem])).transpose() {
        Ok(anchors) => anchors,
        Err(error) => return fail(&format!("the anchors are not understood: {error}"), WRONG_USE),
    };
    match receipt_in(file) {
        Ok(Some(bytes)) => return verify_receipt(&bytes, key.as_ref(), as_json),
        Ok(None) => {}
        Err(error) => return unreadable(file, error),
    }
    match check(file, key, anchors) {
        Ok(report) => {
            say(&if as_json { verified(&report).to_string() } else { sentence(&report) });
            ExitCode::from(if report.ok { DONE } else { NO })
        }
        Err(error) => unreadable(file, error),
    }
}

/// The whole file, if it opens as a receipt does. An export is never held whole.
fn receipt_in(file: &Path) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(RECEIPT_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(Receipt::is_one(&bytes).then_some(bytes))
}

fn verify_receipt(bytes: &[u8], key: Option<&VerifyingKey>, as_json: bool) -> ExitCode {
    let Some(key) = key else {
        return fail("a receipt proves nothing without the device's key: give --device-key", WRONG_USE);
    };
    let read = Receipt::read(bytes);
    let proven = read.as_ref().map_err(|error| *error).and_then(|receipt| receipt.verify(key));
    let text = match (&read, &proven) {
        (Ok(receipt), Ok(proven)) if !as_json => format!(
            "row {} of {}: {} at {} by {}, logged and signed by {}",
            receipt.place.index,
            proven.head.size,
            receipt.claims.class.name(),
            receipt.claims.at.value().rfc3339(),
            receipt.claims.holder.0,
            proven.head.origin,
        ),
        (_, Err(error)) if !as_json => error.to_string(),
        _ => {
            let mut value = match &read {
                Ok(receipt) => claims(receipt),
                Err(_) => json!({}),
            };
            value["ok"] = json!(proven.is_ok());
            value["why"] = json!(proven.as_ref().err().map(ToString::to_string));
            value["size"] = json!(proven.as_ref().ok().map(|proven| proven.head.size));
            value["countersignatures"] = json!(proven.as_ref().ok().map(|proven| proven.countersignatures));
            value.to_string()
        }
    };
    say(&text);
    ExitCode::from(if proven.is_ok() { DONE } else { NO })
}

/// The patient's receipt of one row: the proof into a file, the sheet with its code to standard output, or all of it as JSON.
pub fn receipt(state: &Path, device_key: Option<&Path>, row: u64, to: Option<&Path>, as_json: bool) -> ExitCode {
    let receipt = match cli::look(state, device_key).and_then(|look| look.receipt(row)) {
        Ok(receipt) => receipt,
        Err(error @ (Error::Absent | Error::Pruned)) => return fail(&format!("no receipt of row {row}: {error}"), NO),
        Err(error) => return fail(&chain(&error), FAILED),
    };
    let (sheet, code) = match (receipt.printed(), receipt.to_cbor()) {
        (Ok(sheet), Ok(code)) => (sheet, code),
        (Err(error), _) | (_, Err(error)) => return fail(&error.to_string(), FAILED),
    };
    let drawn = match qr(&code) {
        Ok(drawn) => drawn,
        Err(error) => return fail(&error.to_string(), FAILED),
    };
    if let Some(path) = to
        && let Err(error) = std::fs::write(path, receipt.to_text())
    {
        return fail(&format!("{} cannot be written: {error}", path.display()), FAILED);
    }
    if as_json {
        let mut value = claims(&receipt);
        value["proof"] = json!(receipt.to_text());
        value["code"] = json!(BASE64.encode(&code));
        value["sheet"] = json!(sheet);
        say(&value.to_string());
    } else {
        say(&format!("{sheet}\n{}", drawn.render::<Dense1x2>().build()));
    }
    ExitCode::from(DONE)
}

fn claims(receipt: &Receipt) -> Value {
    let claims = &receipt.claims;
    json!({
        "index": receipt.place.index,
        "class": claims.class.name(),
        "ground": claims.ground.map(Ground::name),
        "holder": claims.holder.0,
        "time": claims.at.value().rfc3339(),
        "clock": if claims.at.is_trusted() { "is" } else { "at_least" },
    })
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
    match cli::look(state, device_key).and_then(|look| look.status()) {
        Ok(status) => {
            say(&if as_json { shape(&status).to_string() } else { lines(&status) });
            ExitCode::from(DONE)
        }
        Err(error) => fail(&chain(&error), FAILED),
    }
}

fn check(file: &Path, key: Option<VerifyingKey>, anchors: Option<Anchors>) -> std::io::Result<Report> {
    let mut verifier = Verifier::new(key);
    if let Some(anchors) = anchors {
        verifier = verifier.with_anchors(anchors);
    }
    let mut file = BufReader::with_capacity(READ_BYTES, File::open(file)?);
    let mut line = Vec::new();
    while file.read_until(b'\n', &mut line)? > 0 {
        let whole = line.strip_suffix(b"\n").unwrap_or(&line);
        if !whole.is_empty() {
            verifier.line(whole);
        }
        line.clear();
    }
    Ok(verifier.finish())
}

fn write_export(state: &Path, device_key: Option<&Path>, to: Option<&Path>) -> Result<(), Error> {
    let failed = |source| Error::File { doing: "writing the export", source };
    let look = cli::look(state, device_key)?;
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
        "pruned": report.pruned,
        "countersigned": report.countersigned,
        "certified": report.certified,
        "logins_by_phone": report.logins_by_phone,
        "anchored": report.anchored,
        "branches": report.branches.iter().map(branch_row).collect::<Vec<Value>>(),
    })
}

fn branch_row(row: &BranchRow) -> Value {
    let root = match row.lost {
        Some(Lost::Head(_, root)) => Some(hex::encode(root)),
        Some(Lost::Unknown) | None => None,
    };
    json!({"row": row.index, "lost_size": row.lost.map(Lost::size), "lost_root": root, "at": row.at})
}

fn sentence(report: &Report) -> String {
    let put_back = |row: &BranchRow| put_back(row.index, row.lost.map_or(0, Lost::size), &row.at);
    verdict(report) + &report.branches.iter().map(put_back).collect::<String>()
}

fn verdict(report: &Report) -> String {
    let signed = match report.signed {
        Some(true) => "signed by the device",
        Some(false) => "NOT signed by that device",
        None => "signature not checked (give --device-key)",
    };
    match (report.why, report.first_bad) {
        (None, _) => format!(
            "{} rows ({} pruned), whole and unchanged, {signed}; countersigned up to row {}{}; the device notes that the \
             upstream took {}",
            report.rows,
            report.pruned,
            report.countersigned,
            if report.certified.is_none() { " by cards whose authority was not checked (give --anchors)" } else { "" },
            report.anchored,
        ),
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
        "countersigned": status.countersigned,
        "anchored": status.anchored.map_or(0, |anchored| anchored.size),
        "unanchored": {
            "consultations": status.unanchored.rows,
            "since": status.unanchored.oldest.map(crate::time::UnixSeconds::rfc3339),
        },
        "branches": status.branches.iter().map(branch).collect::<Vec<Value>>(),
        "counter": counter(status),
    })
}

/// `null`: no TPM counts this journal.
fn counter(status: &Status) -> Option<u64> {
    match status.counter {
        Meant::Value(value) => Some(value),
        Meant::Never | Meant::Begun => None,
    }
}

fn branch(branch: &Branch) -> Value {
    json!({"row": branch.index, "lost_size": branch.lost_size, "at": branch.at.rfc3339()})
}

fn put_back(row: u64, lost_size: u64, at: &str) -> String {
    match lost_size {
        0 => format!("\nput back: row {row} goes on where the newest rows may be lost ({at})"),
        size => format!("\nput back: row {row} goes on after a lost head of {size} rows ({at})"),
    }
}

fn lines(status: &Status) -> String {
    let waiting = &status.waiting;
    let branches: String =
        status.branches.iter().map(|branch| put_back(branch.index, branch.lost_size, &branch.at.rfc3339())).collect();
    let lines = format!(
        "{} rows, root {}\ndevice key {}\ncountersigned up to {}, anchored up to {}, {} consultations unanchored\nwaiting: {} traces, {} consents, {} contributions; set aside: {}; sealed aside: {}",
        status.rows,
        hex::encode(status.root),
        status.device_key,
        status.countersigned,
        status.anchored.map_or(0, |anchored| anchored.size),
        status.unanchored.rows,
        waiting.traces,
        waiting.consents,
        waiting.contributions,
        waiting.set_aside.len(),
        status.sealed_aside.len(),
    );
    let counted = counter(status).map_or_else(String::new, |value| format!("\ncounted by the TPM: {value}"));
    lines + &counted + &branches
}

/// A receipt has twenty hashes and two signatures.
const RECEIPT_BYTES_MAX: u64 = 64 * 1024;
const READ_BYTES: usize = 256 * 1024;

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
