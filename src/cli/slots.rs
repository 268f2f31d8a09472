//! `chevet slots`: which of the two systems starts next.

use crate::cli;
use crate::device::slots::Error;
use crate::device::slots::Slot;
use crate::device::slots::Slots;
use serde_json::json;
use std::path::PathBuf;

#[derive(clap::Subcommand)]
pub enum Verb {
    /// Which system runs, which starts first, and how many attempts each has
    #[command(after_help = "Example: chevet slots status --json")]
    Status(Where),
    /// The system that runs is good: it starts first from now on
    #[command(after_help = "Example: chevet slots good")]
    Good(Where),
}

#[derive(clap::Args)]
pub struct Where {
    /// The boot partition's folder
    #[arg(long, value_name = "FOLDER", default_value = "/run/bootctl")]
    boot: PathBuf,
}

/// Does what the verb says; the answer is the exit code.
pub fn run(verb: &Verb, as_json: bool) -> u8 {
    let line = std::fs::read_to_string("/proc/cmdline").unwrap_or_default();
    let running = Slot::of_command_line(&line);
    let done = match verb {
        Verb::Status(place) => Slots::read(&place.boot).map(|slots| print(slots, running, as_json)),
        Verb::Good(place) => match running {
            Some(slot) => good(place, slot).map(|slots| print(slots, running, as_json)),
            None => {
                eprintln!("chevet: this system was not started from a slot: the kernel's command line names none");
                return cli::SAID_NO;
            }
        },
    };
    match done {
        Ok(()) => cli::DONE,
        Err(error) => {
            cli::complain(&error);
            cli::FAILED
        }
    }
}

/// Nothing is written where nothing changes: each write wears the partition.
fn good(place: &Where, slot: Slot) -> Result<Slots, Error> {
    let before = Slots::read(&place.boot)?;
    let after = before.with_good(slot);
    if after != before {
        after.keep(&place.boot)?;
    }
    Ok(after)
}

fn print(slots: Slots, running: Option<Slot>, as_json: bool) {
    let Slots { first, a_left, b_left, .. } = slots;
    let running = running.map(Slot::name);
    if as_json {
        println!("{}", json!({"running": running, "first": first.name(), "left": {"A": a_left, "B": b_left}}));
    } else {
        println!(
            "running  {}\nfirst    {}\nleft     A {a_left}, B {b_left}",
            running.unwrap_or("no slot"),
            first.name()
        );
    }
}
