//! The card's figures: commands and bytes counted at the virtual card's contacts, through the real pcscd, and wall time beside.
//!
//! Run by `scripts/bench.d/card`. This program starts a private service and puts a card into it, then runs itself again as
//! that service's client, because libpcsclite finds its service by an environment variable. The client says on its standard
//! output when it has done a thing; each thing's cost is what went over the contacts since the last.

mod figure;

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
use figure::Goal;
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
    let card = desk.pcscd.slots()[0].insert(desk.drawer.card("nurse")?)?;
    let mut figures = desk.counts(&card)?;
    figures.extend(desk.programs(&card, &pki, &folder)?);
    figures.iter().for_each(|figure| println!("{}", figure.line(as_json)));
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

    /// `chevet card login` beside `pkcs11-tool --login --sign`, turn by turn, each a whole process.
    fn programs(&self, card: &Inserted, pki: &Pki, folder: &Path) -> Done<Vec<Figure>> {
        let settings = folder.join("kiosk.toml");
        let text = format!(
            "[site]\nname = \"Essai\"\n[trust]\nanchors = [{:?}]\ncrls = {:?}\nproduction = false\n[upstream]\n\
             url = \"https://dmp.invalid\"\nca = \"a\"\ncertificate = \"b\"\nkey = \"c\"\nconnector = \"pdsm\"\n",
            std::path::absolute(pki.anchors())?,
            std::path::absolute(pki.revocation_lists())?,
        );
        std::fs::write(&settings, text)?;
        std::fs::write(folder.join("digest-info"), [0x30; 51])?;
        let chevet = std::env::current_exe()?.with_file_name("chevet");
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let mut apdus = [0, 0];
        for _ in 0..ROUNDS {
            let mut login = self.command(&chevet);
            login.args(["card", "login", "--json", "--config"]).arg(&settings);
            let before = card.counters().apdus;
            ours.push(timed(&mut login, format!("{PIN}\n").as_bytes())?);
            apdus[0] = card.counters().apdus - before;
            let mut sign = self.command(Path::new("/usr/bin/pkcs11-tool"));
            sign.args(["--login", "--pin", PIN, "--sign", "-m", "RSA-PKCS", "--id", AUTHENTICATION, "-i"]);
            sign.arg(folder.join("digest-info")).arg("-o").arg(folder.join("signature"));
            let before = card.counters().apdus;
            theirs.push(timed(&mut sign, b"")?);
            apdus[1] = card.counters().apdus - before;
        }
        let peer = "pkcs11-tool --login --sign";
        Ok(vec![
            Figure {
                figure: "card login, a whole process, first sight",
                ours: median_ms(&mut ours),
                peer: Some((peer, median_ms(&mut theirs))),
                unit: "ms",
                goal: Goal::Ratio(1.0 / 3.0),
            },
            Figure {
                figure: "card login, a whole process, first sight: commands",
                ours: apdus[0] as f64,
                peer: Some((peer, apdus[1] as f64)),
                unit: "APDUs",
                goal: Goal::Ratio(1.0 / 3.0),
            },
        ])
    }
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

fn median_ms(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1000.0
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
];

impl Thing {
    /// Bytes and time are beside the commands; what is asked of them is no more than that they be seen.
    fn figures(&self, cost: &Cost) -> [Figure; 3] {
        let figure = |at: usize, ours, unit, most| Figure {
            figure: self.figures[at],
            ours,
            peer: None,
            unit,
            goal: Goal::Most(most),
        };
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
const ROUNDS: usize = 9;
/// What OpenSC's tool exchanges for a login and a signature with a CPS3 (measured with 0.23).
const OPENSC_BYTES: f64 = 4_472.0;
/// The application's name and 02.
const AUTHENTICATION: &str = "e828bd080f8025000001ff001002";
