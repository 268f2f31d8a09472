//! `scripts/crash`: the plug is pulled, thousands of times, on paper.
//!
//! ```text
//! life (the real vault) ── strace ──> a recording ── rebuilt ──> a disk as a power cut may have left it ──> check
//! ```
//!
//! What is recorded is not `chevet` itself but a program that lives the vault without a screen, a card or a server. The vault is
//! the same crate, and so are SQLite and every setting of it: `Vault::open` is the only way in, and nothing of it asks who called. The
//! other programs' one more writer below the state folder is a small file that is made anew when it is missing (`rulebook`,
//! `trusted`, `link/traffic`); none of them is acknowledged to anybody. That the kiosk's program calls the vault as it must is
//! tried on the kiosk (`tests/it/kiosk.rs`, `tests/it/vault/wired.rs`).
//!
//! - `life` what is lived, `acts` its values · `trace` the recording, read · `disk` what a cut leaves · `ledger` what was said
//!   to be kept · `check` whether it is
//! - `kill` the same by `kill -9` · `faults` a disk that fails at any call, `faulty` the calls · `flips` bytes that changed
//! - `weak` the control that waits for no disk: it must be found out, or the harness finds nothing
//!
//! Exit codes: 0 nothing lost and every control found out, 1 not so, 3 something failed.

mod acts;
mod check;
mod dice;
mod disk;
mod faults;
mod faulty;
mod flips;
mod kill;
mod ledger;
mod life;
mod power;
mod trace;
mod weak;

use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

type Done<T> = Result<T, Box<dyn std::error::Error>>;

/// How much is tried, and by which number.
struct Much {
    states: usize,
    kills: usize,
    faults: usize,
    flips: usize,
    seed: u64,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["life", folder, seed, first, acts, how] => live(Path::new(folder), [seed, first, acts], how),
        flags => much(flags).and_then(try_all),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(why) => {
            eprintln!("chevet-crash: {why}");
            ExitCode::from(3)
        }
    }
}

/// `--states N --kills N --faults N --flips N --seed N`
fn much(flags: &[&str]) -> Done<Much> {
    let mut much = Much { states: 1_200, kills: 200, faults: 4_000, flips: 2_000, seed: 1 };
    for flag in flags.chunks(2) {
        match flag {
            ["--states", number] => much.states = number.parse()?,
            ["--kills", number] => much.kills = number.parse()?,
            ["--faults", number] => much.faults = number.parse()?,
            ["--flips", number] => much.flips = number.parse()?,
            ["--seed", number] => much.seed = number.parse()?,
            other => {
                return Err(
                    format!("{other:?} is not understood: --states N --kills N --faults N --flips N --seed N").into()
                );
            }
        }
    }
    Ok(much)
}

fn live(folder: &Path, numbers: [&&str; 3], how: &str) -> Done<bool> {
    if how == "normal" {
        weak::wait_for_no_disk();
    }
    let [seed, first, acts] = numbers;
    // One line, one system call: a recording holds it in its place.
    let mut says = |line: &str| drop(std::io::stdout().lock().write_all(format!("{line}\n").as_bytes()));
    let lived = life::live(folder, seed.parse()?, first.parse()?, acts.parse()?, &mut says);
    runtime()?.block_on(lived).map(drop)?;
    Ok(true)
}

fn try_all(much: Much) -> Done<bool> {
    let folder = workplace();
    std::fs::create_dir_all(&folder)?;
    let mut tried = Vec::new();
    for one in [power::cuts, kill::cycles, faults::sweep, flips::sweep] {
        tried.push(one(&folder, &much));
    }
    std::fs::remove_dir_all(&folder)?;
    let tried: Vec<Tried> = tried.into_iter().collect::<Done<_>>()?;
    let words: Vec<&str> = tried.iter().map(|one| one.words.as_str()).collect();
    println!("{}", words.join("; "));
    Ok(tried.iter().all(|one| one.ok))
}

/// What came of it, and in words.
struct Tried {
    ok: bool,
    words: String,
}

/// In memory where there is such a place: nothing here waits for a disk, the cuts are ours.
fn workplace() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let place = if memory.is_dir() { memory } else { std::env::temp_dir() };
    place.join(format!("chevet-crash-{}", std::process::id()))
}

fn runtime() -> Done<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().build()?)
}
