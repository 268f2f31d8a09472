//! `chevet card login` beside `pkcs11-tool --login --sign`: whole processes on the same service, reader and card, turn by
//! turn, so that a busy machine is busy for all of them; medians.
//!
//! *First sight*: a device that has never seen the card; what it learns of it is written to the disk within that time.
//! *Known*: a device that has. Each of ours finds a vault that a kiosk made and closed.

use crate::Desk;
use crate::Done;
use crate::figure::Figure;
use chevet::sandbox::cps::PIN;
use chevet::sandbox::pki::Pki;
use chevet::sandbox::vpcd::Inserted;
use chevet::time::UnixSeconds;
use chevet::vault;
use chevet::vault::Vault;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;
use uuid::Uuid;

/// One of the three, over all rounds.
#[derive(Default)]
struct Runs {
    times: Vec<Duration>,
    apdus: f64,
}

/// The figures; and, where OpenSC's tool would not log in, why. Its values are no numbers then: null in JSON, and no goal met.
pub fn run(desk: &Desk, card: &Inserted, pki: &Pki, folder: &Path) -> Done<Vec<Figure>> {
    let settings = settings(pki, folder)?;
    std::fs::write(folder.join("digest-info"), [0x30; 51])?;
    let known_at = device(&folder.join("known"))?;
    let login = |state: &Path| {
        let mut login = desk.command(&std::env::current_exe()?.with_file_name("chevet"));
        login.args(["card", "login", "--json", "--config"]).arg(&settings).arg("--state").arg(state);
        Done::Ok(login)
    };
    timed(&mut login(&known_at)?, PIN_LINE)?;
    let (mut first, mut known, mut theirs) = (Runs::default(), Runs::default(), Runs::default());
    let mut they_failed = None;
    for _ in 0..ROUNDS {
        let new = device(&folder.join("new"))?;
        first.add(card, &mut login(&new)?, PIN_LINE)?;
        known.add(card, &mut login(&known_at)?, PIN_LINE)?;
        let mut sign = desk.command(Path::new("/usr/bin/pkcs11-tool"));
        sign.args(["--login", "--pin", PIN, "--sign", "-m", "RSA-PKCS", "--id", AUTHENTICATION, "-i"]);
        sign.arg(folder.join("digest-info")).arg("-o").arg(folder.join("signature"));
        // Not every version logs in to this card: ours is measured all the same, and no goal is met beside nothing.
        if they_failed.is_none() {
            they_failed = theirs.add(card, &mut sign, b"").err();
        }
    }
    if let Some(error) = &they_failed {
        eprintln!("card: nothing to measure against: {error}");
        theirs = Runs { times: Vec::new(), apdus: f64::NAN };
    }
    let their_ms = theirs.median_ms();
    let mut figures = Vec::new();
    for (runs, time, commands, part) in [
        (first, "card login, a whole process, first sight", "card login, first sight: commands", 3.0),
        (known, "card login, a whole process, known card", "card login, known card: commands", 5.0),
    ] {
        let goal = 1.0 / part;
        let ours = runs.median_ms();
        figures.push(Figure { figure: time, ours, peer: Some((PEER, their_ms)), unit: "ms", goal });
        let (ours, peer) = (runs.apdus, Some((PEER, theirs.apdus)));
        figures.push(Figure { figure: commands, ours, peer, unit: "APDUs", goal: 1.0 });
    }
    Ok(figures)
}

impl Runs {
    fn add(&mut self, card: &Inserted, command: &mut Command, input: &[u8]) -> Done<()> {
        let before = card.counters().apdus;
        self.times.push(timed(command, input)?);
        self.apdus = (card.counters().apdus - before) as f64;
        Ok(())
    }

    fn median_ms(&self) -> f64 {
        let mut times = self.times.clone();
        times.sort_unstable();
        times.get(times.len() / 2).map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0)
    }
}

fn settings(pki: &Pki, folder: &Path) -> Done<PathBuf> {
    let settings = folder.join("kiosk.toml");
    let text = format!(
        "[site]\nname = \"Essai\"\n[trust]\nanchors = [{:?}]\ncrls = {:?}\nproduction = false\n[upstream]\n\
         url = \"https://dmp.invalid\"\nca = \"a\"\ncertificate = \"b\"\nkey = \"c\"\nconnector = \"pdsm\"\n",
        std::path::absolute(pki.anchors())?,
        std::path::absolute(pki.revocation_lists())?,
    );
    std::fs::write(&settings, text)?;
    Ok(settings)
}

/// A state folder as a kiosk leaves it that has seen no card.
fn device(state: &Path) -> Done<PathBuf> {
    match std::fs::remove_dir_all(state) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let options = vault::Options {
        folder: state.to_owned(),
        device: vault::keys::device_id(state)?,
        software: "bench".to_owned(),
        boot: Uuid::now_v7(),
        device_key: vault::keys::desk_device_key(state)?,
    };
    drop(Vault::open(options, UnixSeconds(1_795_435_200))?);
    Ok(state.to_owned())
}

/// From its start to its end.
fn timed(command: &mut Command, input: &[u8]) -> Done<Duration> {
    let begun = Instant::now();
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    // A program that has ended already says so by its exit code.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input));
    let output = child.wait_with_output()?;
    let took = begun.elapsed();
    if !output.status.success() {
        return Err(format!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(took)
}

const PEER: &str = "pkcs11-tool --login --sign";
const PIN_LINE: &[u8] = b"1234\n";
const ROUNDS: usize = 15;
/// The application's name and 02.
const AUTHENTICATION: &str = "e828bd080f8025000001ff001002";
