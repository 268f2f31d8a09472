//! After a cut: the vault opens, is whole, holds what it said, and goes on.

use crate::Done;
use crate::acts;
use crate::ledger::Found;
use crate::ledger::Ledger;
use crate::life::DOCUMENTS;
use crate::life::NOTHING;
use chevet::journal::export::Verifier;
use chevet::journal::note::VerifyingKey;
use chevet::vault::Look;
use chevet::vault::Opened;
use chevet::vault::Vault;
use std::collections::BTreeMap;
use std::path::Path;

/// What came of one state.
pub enum Verdict {
    Whole(Found),
    /// Something acknowledged is not there, or something is that nobody wrote.
    Lost(String),
    /// It does not open, is not whole, or does not verify.
    Corrupt(String),
}

/// What the vault says of a note that this disk damaged.
pub const DAMAGED: &str = "damaged";
/// In a ledger: stores stand aside, and they should.
pub const ASIDE: &str = "aside";
/// The vault itself says so.
pub const MISSING: &str = "rows are said to be missing";

/// Looks at everything. `at`: a time after all that was lived.
pub async fn check(folder: &Path, ledger: &Ledger, at: i64) -> Verdict {
    judge(read(folder, ledger, at).await.and_then(|found| all_whole(folder).map(|()| found)), ledger)
}

/// The same, but what the program itself would not look at is not looked at either.
pub async fn look(folder: &Path, ledger: &Ledger, at: i64) -> Verdict {
    judge(read(folder, ledger, at).await, ledger)
}

fn judge(read: Done<Found>, ledger: &Ledger) -> Verdict {
    let found = match read {
        Ok(found) => found,
        Err(why) => return Verdict::Corrupt(why.to_string()),
    };
    match ledger.lost(&found) {
        Some(what) => Verdict::Lost(what),
        None => Verdict::Whole(found),
    }
}

async fn read(folder: &Path, ledger: &Ledger, at: i64) -> Done<Found> {
    let vault = acts::open(folder, at)?;
    let mut found = Found::new();
    vault.cover().await?;
    let lines = proven(folder)?;
    read_countersignatures(folder, &lines, &mut found)?;
    if !vault.branches().await?.is_empty() {
        return Err(MISSING.into());
    }
    let anchored = Look::open(folder, None)?.status()?.anchored;
    found.insert("anchor".into(), anchored.map_or(NOTHING.into(), |anchor| anchor.size.to_string()));
    read_rows(&vault, ledger, &lines, &mut found).await?;
    for patient in 0..2 {
        for (number, answer) in acts::read_consents(&vault, patient).await? {
            found.insert(format!("consent/{number}"), answer.to_owned());
        }
    }
    for who in 0..2 {
        read_compartment(&vault, who, ledger, &mut found).await?;
    }
    if !vault.sealed_aside().is_empty() && !ledger.knows(ASIDE) {
        return Err("a store was sealed aside".into());
    }
    // It goes on where it was, and is still whole.
    vault.record(vec![acts::check_row(0, 0, 0, at)], vec![]).await?;
    drop(vault);
    let vault = acts::open(folder, at)?;
    drop(vault);
    proven(folder)?;
    Ok(found)
}

/// SQLite's own view of each database.
fn all_whole(folder: &Path) -> Done<()> {
    whole(&folder.join("journal.db"))?;
    for entry in std::fs::read_dir(folder.join("compartments"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|kind| kind == "db") {
            whole(&path)?;
        }
    }
    Ok(())
}

/// The export, line by line, proven under the device's own key.
fn proven(folder: &Path) -> Done<Vec<String>> {
    let look = Look::open(folder, None)?;
    let status = look.status()?;
    let mut out = Vec::new();
    look.export(&mut out)?;
    let mut verifier = Verifier::new(VerifyingKey::parse(&status.device_key));
    let lines: Vec<String> = String::from_utf8(out)?.lines().map(str::to_owned).collect();
    for line in &lines {
        verifier.line(by_the_device_alone(line)?.as_bytes());
    }
    let report = verifier.finish();
    // A journal without a row has no checkpoint, and nothing to prove.
    if report.rows > 0 && !report.ok {
        Err(format!("the journal does not verify: {report:?}").into())
    } else {
        Ok(lines)
    }
}

/// The cards of a life sign nothing that anybody could verify: what they wrote is compared, and not proven.
fn by_the_device_alone(line: &str) -> Done<String> {
    let mut value: serde_json::Value = serde_json::from_str(line)?;
    let Some(note) = value["checkpoint"].as_str() else { return Ok(line.to_owned()) };
    let signatures = note.find("\n\n").ok_or("a checkpoint without a signature")? + 2;
    let first = note[signatures..].find('\n').ok_or("a signature that does not end")? + 1;
    value["checkpoint"] = note[..signatures + first].into();
    Ok(value.to_string())
}

fn read_countersignatures(folder: &Path, lines: &[String], found: &mut Found) -> Done<()> {
    let device = chevet::vault::keys::device_id(folder)?;
    for line in lines {
        let line: serde_json::Value = serde_json::from_str(line)?;
        let Some(note) = line["checkpoint"].as_str() else { continue };
        let size: u64 = note.lines().nth(1).ok_or("a checkpoint without a size")?.parse()?;
        // The device's own line is the first below the text.
        if note.trim_end().lines().skip_while(|line| !line.is_empty()).count() > 2 {
            let right = note.ends_with(&acts::countersignature(&device, size));
            found.insert(format!("countersign/{size}"), if right { acts::SIGNED } else { "another" }.to_owned());
        }
    }
    Ok(())
}

async fn read_rows(vault: &Vault, ledger: &Ledger, lines: &[String], found: &mut Found) -> Done<()> {
    let mut numbers = BTreeMap::new();
    for line in lines {
        let line: serde_json::Value = serde_json::from_str(line)?;
        let Some(index) = line["index"].as_u64() else { continue };
        match line["rule"].as_str() {
            Some(rule) => {
                let Some(number) = acts::number_in(rule) else { continue };
                numbers.insert(line["id"].as_str().unwrap_or_default().to_owned(), number);
                found.insert(format!("row/{number}"), index.to_string());
                found.insert(format!("item/{number}"), "acknowledged".into());
                if line["class"] == "contributed" {
                    found.insert(format!("note/{number}"), "acknowledged".into());
                }
            }
            // Pruned: only its place is left, and that it was acknowledged.
            None => {
                if let Some(row) = ledger.row_at(&index.to_string()) {
                    found.insert(row.to_owned(), index.to_string());
                    found.insert(row.replace("row/", "item/"), "acknowledged".into());
                    let note = row.replace("row/", "note/");
                    if ledger.knows(&note) {
                        found.insert(note, "acknowledged".into());
                    }
                }
            }
        }
    }
    for (_, trace) in vault.waiting(None, 100_000).await? {
        if let Some(number) = trace.as_ref().and_then(acts::number_of) {
            found.insert(format!("item/{number}"), "waiting".into());
        }
    }
    for who in 0..2 {
        for (number, is_whole) in acts::waiting_notes(vault, who).await? {
            found.insert(format!("note/{number}"), if is_whole { "waiting" } else { "mixed" }.into());
        }
    }
    for refused in vault.counts().await?.set_aside {
        if let Some(number) = acts::number_of_note(refused.id) {
            // Nothing says it a second time: its author is told.
            let value = if refused.code == "damaged-here" { DAMAGED } else { "aside" };
            found.insert(format!("note/{number}"), value.into());
            continue;
        }
        let number = numbers.get(&refused.id.to_string()).ok_or("something nobody knows was refused")?;
        found.insert(format!("item/{number}"), "aside".into());
    }
    Ok(())
}

async fn read_compartment(vault: &Vault, who: usize, ledger: &Ledger, found: &mut Found) -> Done<()> {
    // Not later than the leases: what is here is looked at, not what is still allowed.
    said_right(acts::unlock(vault, who, acts::NOON).await?, ledger)?;
    vault.check_compartment(acts::time(acts::NOON)).await?;
    found.insert(format!("round/{who}"), acts::read_round(vault).await?);
    found.insert(format!("told/{who}"), acts::read_told(vault).await?);
    for patient in 0..2 {
        found.insert(format!("draft/{who}/{patient}"), acts::read_draft(vault, patient).await?);
        found.insert(format!("state/{who}/{patient}"), acts::read_state(vault, patient).await?);
        found.insert(format!("list/{who}/{patient}"), acts::read_list(vault, patient).await?);
        for document in 0..DOCUMENTS {
            let key = format!("document/{who}/{patient}/{document}");
            found.insert(key, acts::read_document(vault, who, patient, document).await?);
        }
    }
    said_right(acts::unlock_next(vault, who, acts::NOON).await?, ledger)?;
    vault.check_compartment(acts::time(acts::NOON)).await?;
    found.insert(format!("moved/{who}"), acts::read_round(vault).await?);
    vault.lock().await;
    Ok(())
}

/// What its holder is told.
fn said_right(opened: Opened, ledger: &Ledger) -> Done<()> {
    match opened {
        Opened::Whole => Ok(()),
        Opened::SetAside if ledger.knows(ASIDE) => Ok(()),
        other => Err(format!("a compartment is said to be {other:?}").into()),
    }
}

fn whole(database: &Path) -> Done<()> {
    let database = rusqlite::Connection::open(database)?;
    let said: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if said == "ok" { Ok(()) } else { Err(format!("integrity_check: {said}").into()) }
}
