//! `kill -9`, again and again, in the same folder: each life goes on with what the last one left.

use crate::Done;
use crate::Much;
use crate::Tried;
use crate::acts;
use crate::check;
use crate::check::Verdict;
use crate::dice::Dice;
use crate::ledger::Ledger;
use std::io::BufRead;
use std::io::BufReader;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

/// More than any life has time for.
const ACTS: &str = "100000";
/// How far the numbers of one life can get.
const NUMBERS: usize = 10_000;

pub fn cycles(folder: &Path, much: &Much) -> Done<Tried> {
    let state = folder.join("killed");
    let mut dice = Dice::new(much.seed);
    let (mut ledger, mut lost, mut corrupt) = (Ledger::default(), 0, 0);
    let runtime = crate::runtime()?;
    for cycle in 0..much.kills {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("life")
            .arg(&state)
            .args([&dice.next().to_string(), &(cycle * NUMBERS).to_string(), ACTS, "full"])
            .stdout(Stdio::piped())
            .spawn()?;
        let said = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        let until = Duration::from_millis(20 + dice.below(60));
        let killer = std::thread::spawn(move || {
            std::thread::sleep(until);
            child.kill().and_then(|()| child.wait())
        });
        // What was written before the end is read to its end, but for a line that was cut off.
        for line in said.lines() {
            ledger.hear(&line?);
        }
        killer.join().map_err(|_| "the killer died")??;
        let at = acts::NOON + 400 * 86_400;
        match runtime.block_on(check::check(&state, &ledger, at)) {
            Verdict::Whole(found) => ledger.settle(&found),
            Verdict::Lost(what) => {
                lost += 1;
                eprintln!("kill {cycle}: {what}");
            }
            Verdict::Corrupt(what) => {
                corrupt += 1;
                eprintln!("kill {cycle}: {what}");
            }
        }
        if lost + corrupt > 0 {
            break;
        }
    }
    let words = format!("kills: {} cycles, {} values, {lost} lost, {corrupt} corrupt", much.kills, ledger.len());
    Ok(Tried { ok: lost + corrupt == 0, words })
}
