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
        read_compartment(&vault, who, &mut found).await?;
    }
    if !vault.sealed_aside().is_empty() {
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
    lines.iter().for_each(|line| verifier.line(line.as_bytes()));
    let report = verifier.finish();
    // A journal without a row has no checkpoint, and nothing to prove.
    if report.rows > 0 && !report.ok {
        Err(format!("the journal does not verify: {report:?}").into())
    } else {
        Ok(lines)
    }
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
            }
            // Pruned: only its place is left, and that it was acknowledged.
            None => {
                if let Some(row) = ledger.row_at(&index.to_string()) {
                    found.insert(row.to_owned(), index.to_string());
                    found.insert(row.replace("row/", "item/"), "acknowledged".into());
                }
            }
        }
    }
    for (_, trace) in vault.waiting(None, 100_000).await? {
        if let Some(number) = trace.as_ref().and_then(acts::number_of) {
            found.insert(format!("item/{number}"), "waiting".into());
        }
    }
    for refused in vault.counts().await?.set_aside {
        let number = numbers.get(&refused.id.to_string()).ok_or("something nobody knows was refused")?;
        found.insert(format!("item/{number}"), "aside".into());
    }
    Ok(())
}

async fn read_compartment(vault: &Vault, who: usize, found: &mut Found) -> Done<()> {
    // Not later than the leases: what is here is looked at, not what is still allowed.
    acts::unlock(vault, who, acts::NOON).await?;
    vault.check_compartment(acts::time(acts::NOON)).await?;
    found.insert(format!("round/{who}"), acts::read_round(vault).await?);
    found.insert(format!("told/{who}"), acts::read_told(vault).await?);
    for patient in 0..2 {
        found.insert(format!("state/{who}/{patient}"), acts::read_state(vault, patient).await?);
        found.insert(format!("list/{who}/{patient}"), acts::read_list(vault, patient).await?);
        for document in 0..DOCUMENTS {
            let key = format!("document/{who}/{patient}/{document}");
            found.insert(key, acts::read_document(vault, who, patient, document).await?);
        }
    }
    vault.lock().await;
    Ok(())
}

fn whole(database: &Path) -> Done<()> {
    let database = rusqlite::Connection::open(database)?;
    let said: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if said == "ok" { Ok(()) } else { Err(format!("integrity_check: {said}").into()) }
}
