//! The card's figures: commands and bytes counted at the virtual card's contacts, through the real pcscd, and wall time beside;
//! whole programs beside OpenSC's (`programs`). From a card that is pulled to a blank window: `benches/blank.rs`.
//!
//! Run by `scripts/bench.d/card`. This program starts a private service and puts a card into it, then runs itself again as
//! that service's client, because libpcsclite finds its service by an environment variable. The client says on its standard
//! output when it has done a thing; each thing's cost is what went over the contacts since the last.

#[path = "../figure.rs"]
mod figure;
mod programs;

use chevet::card::Notice;
use chevet::card::Options;
use chevet::card::Reader;
use chevet::identity::certificate::Certificate;
use chevet::identity::statement::Statement;
use chevet::sandbox::cps::Counters;
use chevet::sandbox::cps::PIN;
use chevet::sandbox::drawer::Drawer;
use chevet::sandbox::pcscd::Pcscd;
use chevet::sandbox::pki::Pki;
use chevet::sandbox::vpcd::Inserted;
use chevet::secret::Pin;
use figure::Figure;
use std::error::Error;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::ExitCode;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

type Done<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.first().map(String::as_str) {
        Some(CLIENT) => visit(),
        _ => measure(arguments.iter().any(|argument| argument == "--json")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("card: {error}");
            ExitCode::from(3)
        }
    }
}

fn measure(as_json: bool) -> Done<()> {
    let folder = PathBuf::from("target/bench-card");
    std::fs::create_dir_all(&folder)?;
    // Keys cost seconds to draw: they are kept.
    let pki = Pki::open_or_make(&folder.join("pki"))?;
    let desk = Desk { pcscd: Pcscd::start()?, drawer: Drawer::new(pki.clone()) };
    // One card for all: pcscd looks at a virtual slot every 400 ms, and may miss a faster swap.
    let mut card = desk.drawer.card("nurse")?;
    // The longer way to know it again: its stamp is read.
    card.stamp(9);
    let card = desk.pcscd.slots()[0].insert(card)?;
    // Each as soon as it is there: what fails later takes none of them away.
    let print = |figures: Vec<Figure>| figures.iter().for_each(|figure| println!("{}", figure.line(as_json)));
    print(desk.counts(&card)?);
    print(programs::run(&desk, &card, &pki, &folder)?);
    Ok(())
}

struct Desk {
    pcscd: Pcscd,
    drawer: Drawer,
}

/// What one thing cost.
struct Cost {
    apdus: u64,
    bytes: u64,
    time: Duration,
}

impl Desk {
    fn command(&self, program: &Path) -> Command {
        let (name, value) = self.pcscd.environment();
        let mut command = Command::new(program);
        command.env(name, value);
        command
    }

    /// A visit, thing by thing.
    fn counts(&self, card: &Inserted) -> Done<Vec<Figure>> {
        let mut child =
            self.command(&std::env::current_exe()?).arg(CLIENT).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut go_on = child.stdin.take().ok_or("no standard input")?;
        let lines = BufReader::new(child.stdout.take().ok_or("no standard output")?).lines();
        let mut figures = Vec::new();
        let (mut before, mut since) = (Counters::default(), Instant::now());
        for line in lines {
            let line = line?;
            let now = card.counters();
            let cost = Cost {
                apdus: now.apdus - before.apdus,
                bytes: now.bytes_in + now.bytes_out - before.bytes_in - before.bytes_out,
                time: since.elapsed(),
            };
            if let Some(thing) = THINGS.iter().find(|thing| thing.said == line) {
                figures.extend(thing.figures(&cost));
            }
            (before, since) = (now, Instant::now());
            go_on.write_all(b"\n")?;
        }
        if !child.wait()?.success() || figures.len() != THINGS.len() * 3 {
            return Err("the visit did not come to its end".into());
        }
        Ok(figures)
    }
}

/// One thing of a visit, and the most commands it may take.
struct Thing {
    said: &'static str,
    figures: [&'static str; 3],
    apdus_max: f64,
}

const THINGS: &[Thing] = &[
    Thing {
        said: "identified",
        figures: ["identify a card never seen", "identify: bytes", "identify: time"],
        apdus_max: 22.0,
    },
    Thing { said: "logged in", figures: ["login", "login: bytes", "login: time"], apdus_max: 6.0 },
    Thing { said: "unlocked", figures: ["unlock the compartment", "unlock: bytes", "unlock: time"], apdus_max: 3.0 },
    Thing {
        said: "countersigned",
        figures: ["countersignature", "countersignature: bytes", "countersignature: time"],
        apdus_max: 3.0,
    },
    Thing {
        said: "told",
        figures: ["situations of a card never seen", "situations: bytes", "situations: time"],
        apdus_max: 10.0,
    },
    Thing {
        said: "known",
        figures: ["identify a known card", "identify a known card: bytes", "identify a known card: time"],
        apdus_max: 4.0,
    },
    Thing {
        said: "logged in again",
        figures: ["login with a known card", "login with a known card: bytes", "login with a known card: time"],
        apdus_max: 6.0,
    },
    Thing {
        said: "told again",
        figures: [
            "situations of a known card",
            "situations of a known card: bytes",
            "situations of a known card: time",
        ],
        apdus_max: 0.0,
    },
];

impl Thing {
    /// Bytes and time are beside the commands; what is asked of them is no more than that they be seen.
    fn figures(&self, cost: &Cost) -> [Figure; 3] {
        let figure =
            |at: usize, ours, unit, most| Figure { figure: self.figures[at], ours, peer: None, unit, goal: most };
        [
            figure(0, cost.apdus as f64, "APDUs", self.apdus_max),
            figure(1, cost.bytes as f64, "bytes", OPENSC_BYTES),
            figure(2, cost.time.as_secs_f64() * 1000.0, "ms", 1_000.0),
        ]
    }
}

/// The client's part: a visit as the kiosk makes it.
fn visit() -> Done<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (tell, mut notices) = tokio::sync::mpsc::channel(16);
        let reader = Reader::start(Options::default(), tell)?;
        let insertion = loop {
            match tokio::time::timeout(Duration::from_secs(5), notices.recv()).await? {
                Some(Notice::CardIn(insertion)) => break insertion,
                Some(_) => {}
                None => return Err("the watch has ended".into()),
            }
        };
        say("in")?;
        let contents = reader.read(insertion).await?;
        say("identified")?;
        let key = Certificate::parse(&contents.certificate)?.key_id();
        let pin = Pin::from_typed(PIN.into()).ok_or("no PIN")?;
        reader.login(insertion, pin, Statement::login("bench", key, &[1; 32])).await?;
        say("logged in")?;
        reader.sign(insertion, Statement::compartment("bench", key, &[2; 32])).await?;
        say("unlocked")?;
        reader.sign(insertion, Statement::countersignature("bench", key, b"a head")).await?;
        say("countersigned")?;
        reader.situations(insertion).await?;
        say("told")?;
        let known = reader.learnt(insertion).await?.ok_or("nothing was learnt of the card")?;
        reader.leave();

        reader.serial(insertion).await?;
        reader.read_known(insertion, known).await?;
        say("known")?;
        let pin = Pin::from_typed(PIN.into()).ok_or("no PIN")?;
        reader.login(insertion, pin, Statement::login("bench", key, &[3; 32])).await?;
        say("logged in again")?;
        reader.situations(insertion).await?;
        say("told again")?;
        reader.leave();
        Ok(())
    })
}

/// Says what was done, and waits until it was noted.
fn say(what: &str) -> Done<()> {
    println!("{what}");
    std::io::stdin().lock().read_line(&mut String::new())?;
    Ok(())
}

const CLIENT: &str = "client";
/// What OpenSC's tool exchanges for a login and a signature with a CPS3 (measured with 0.23).
const OPENSC_BYTES: f64 = 4_472.0;
