//! `chevet doctor`: which layer fails, from the socket on the wall to the list of revoked cards, and what to do about it.
//!
//! ```text
//! usb → driver → pcscd → polkit → reader → card → application → certificate → date → crl · tpm
//! ```
//!
//! A layer that fails is the last line of its chain: what stands on it cannot be judged, and is not. Needs no PIN, costs no
//! try. What is looked at comes in as a [`Desk`], so that a test can break each of it.

mod layers;
mod scanner;
pub mod tpm;
mod usb;

use crate::cli;
use crate::cli::Common;
use crate::config::Config;
use crate::kiosk::trusted::Trust;
use crate::time::UnixSeconds;
use crate::time::Wall;
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Arguments {
    /// What to look at; everything without it
    #[arg(value_name = "LAYER", value_parser = ["card"])]
    layer: Option<String>,
}

/// What there is to look at.
pub struct Desk<'a> {
    pub config: &'a Config,
    pub state: PathBuf,
    /// Where the kernel lists USB devices.
    pub usb: PathBuf,
    /// The driver for CCID readers, as Debian installs it.
    pub driver: PathBuf,
    /// The service's socket.
    pub socket: PathBuf,
    pub now: Wall,
}

/// One line of the answer; its JSON is stable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    pub layer: &'static str,
    pub ok: bool,
    /// What was found, in one sentence.
    pub what: String,
    /// RFC 3339, where the layer itself says since when; else null.
    pub since: Option<String>,
    /// What to do; null when there is nothing to do.
    pub next: Option<String>,
}

pub fn run(arguments: &Arguments, common: &Common) -> u8 {
    let config = match cli::settings(common) {
        Ok(config) => config,
        Err(code) => return code,
    };
    // As libpcsclite itself does.
    let socket = std::env::var_os("PCSCLITE_CSOCK_NAME").map_or_else(|| PathBuf::from(SOCKET), PathBuf::from);
    let now = Wall::Is(UnixSeconds(jiff::Timestamp::now().as_second()));
    let (usb, driver) = (PathBuf::from(USB), PathBuf::from(DRIVER));
    let desk = Desk { config: &config, state: common.state.clone(), usb, driver, socket, now };
    let mut lines = examine(&desk);
    if arguments.layer.is_none() {
        lines.extend(tpm::line(&config.vault.tpm));
        lines.extend(scanner::line(config.scanner.as_ref()));
    }
    match print(&lines, common.json) {
        Err(error) => {
            cli::complain(&error);
            cli::FAILED
        }
        Ok(()) if lines.iter().all(|line| line.ok) => cli::DONE,
        Ok(()) => cli::SAID_NO,
    }
}

/// Looks at every layer, from below.
pub fn examine(desk: &Desk<'_>) -> Vec<Line> {
    let mut lines = Vec::new();
    let trust = Trust::read(&desk.config.trust, &desk.state).and_then(|trust| Ok((trust.crls()?, trust)));
    if let Some(contents) = layers::hardware(desk, &mut lines) {
        layers::identity(desk, &contents, &trust, &mut lines);
    } else {
        // Without a card, the settings and the lists can be judged all the same.
        layers::standing(desk, &trust, &mut lines);
    }
    lines
}

impl Line {
    fn good(layer: &'static str, what: impl Into<String>) -> Line {
        Line { layer, ok: true, what: what.into(), since: None, next: None }
    }

    fn bad(layer: &'static str, what: impl Into<String>, next: &str) -> Line {
        Line { layer, ok: false, what: what.into(), since: None, next: Some(next.to_owned()) }
    }

    fn since(self, at: UnixSeconds) -> Line {
        Line { since: Some(at.rfc3339()), ..self }
    }
}

fn print(lines: &[Line], json: bool) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, lines)?;
        return writeln!(out);
    }
    for Line { layer, ok, what, since, next } in lines {
        let since = since.as_ref().map(|at| format!(" (since {at})")).unwrap_or_default();
        writeln!(out, "{layer:<12} {}  {what}{since}", if *ok { "ok     " } else { "NOT OK " })?;
        if let Some(next) = next {
            writeln!(out, "{:21} {next}", "")?;
        }
    }
    Ok(())
}

const USB: &str = "/sys/bus/usb/devices";
const DRIVER: &str = "/usr/lib/pcsc/drivers/ifd-ccid.bundle";
const SOCKET: &str = "/run/pcscd/pcscd.comm";
