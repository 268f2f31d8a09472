//! From the reader's word that the card is out to the blank frame in the window, as the X server holds it.
//!
//! ```text
//! bench ── Xvfb -fbdir: its framebuffer is a file
//!   └─ client ── the kiosk whole, its window on that display, software renderer
//!        ├─ a thread that hears the reader as the kiosk does, and notes when the card went
//!        └─ a thread that looks at the framebuffer every millisecond, and notes when it last changed
//! ```
//!
//! Run by `scripts/bench.d/card`. Blank is the frame that stays: the time of the last change after the card went. The hour on the idle page changes once a
//! minute; a pull that falls into such a change is done again.

mod figure;

use chevet::config::Config;
use chevet::kiosk::start::Kiosk;
use chevet::kiosk::start::Start;
use chevet::kiosk::start::start;
use chevet::sandbox::drawer::Drawer;
use chevet::sandbox::pcscd::Pcscd;
use chevet::sandbox::pki::Pki;
use chevet::sandbox::stage::Stage;
use chevet::sandbox::vpcd::Inserted;
use chevet::screen::bridge::Options;
use chevet::screen::bridge::hand;
use chevet::screen::bridge::hand::Hand;
use chevet::screen::view::Body;
use chevet::screen::view::View;
use chevet::time::UnixSeconds;
use figure::Figure;
use std::error::Error;
use std::fs::File;
use std::hash::DefaultHasher;
use std::hash::Hasher;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::ExitCode;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;
use tokio::sync::watch;

type Done<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.first().map(String::as_str) {
        Some(CLIENT) => watch(&arguments[1..]),
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

/// The bench's part: the display, the card, and the figures.
fn measure(as_json: bool) -> Done<()> {
    let folder = std::path::absolute("target/bench-card")?.join("blank");
    std::fs::create_dir_all(&folder)?;
    let drawer = Drawer::new(Pki::open_or_make(&std::path::absolute(PKI)?)?);
    let service = Pcscd::start()?;
    let (name, value) = service.environment();
    let display = Display::start(&folder)?;
    let mut child = Command::new(std::env::current_exe()?)
        .env(name, value)
        .arg(CLIENT)
        .arg(&folder)
        .env("DISPLAY", &display.name)
        .env("SLINT_BACKEND", "winit-software")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut go_on = child.stdin.take().ok_or("no standard input")?;
    let lines = BufReader::new(child.stdout.take().ok_or("no standard output")?).lines();
    let (mut out, mut inside) = (Some(drawer.card("nurse")?), None);
    let mut times = Vec::new();
    for line in lines {
        let line = line?;
        match line.as_str() {
            "insert" => inside = Some(service.slots()[0].insert(out.take().ok_or("two cards")?)?),
            "pull" => out = inside.take().and_then(Inserted::pull),
            time => times.push(time.parse::<f64>()?),
        }
        go_on.write_all(b"\n")?;
    }
    if !child.wait()?.success() || times.len() != PULLS {
        return Err("the pulls did not come to their end".into());
    }
    times.sort_unstable_by(f64::total_cmp);
    let at = |part: f64| times[((times.len() - 1) as f64 * part).round() as usize];
    let figure = |figure, ours, most| Figure { figure, ours, peer: None, unit: "ms", goal: most };
    for figure in [
        figure("card out to blank frame, median", at(0.5), 120.0),
        figure("card out to blank frame, 99th percentile", at(0.99), 300.0),
    ] {
        println!("{}", figure.line(as_json));
    }
    Ok(())
}

/// An X server without a screen. It ends with this.
struct Display {
    server: Child,
    name: String,
}

impl Display {
    fn start(folder: &Path) -> Done<Display> {
        let mut server = Command::new("/usr/bin/Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "800x480x24", "-nolisten", "tcp", "-fbdir"])
            .arg(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut number = String::new();
        let said = server.stdout.take().ok_or("no standard output")?;
        BufReader::new(said).read_line(&mut number)?;
        Ok(Display { server, name: format!(":{}", number.trim()) })
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ended = self.server.kill().and_then(|()| self.server.wait());
    }
}

/// The client's part: the kiosk, and who looks on.
fn watch(arguments: &[String]) -> Done<()> {
    let folder = Path::new(arguments.first().ok_or("no folder")?);
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    let state = folder.join("stage/state");
    if state.exists() {
        std::fs::remove_dir_all(&state)?;
    }
    // The cards are those of the bench, and so are the certificates.
    let pki = Pki::open_or_make(&std::path::absolute(PKI)?)?;
    std::fs::create_dir_all(folder.join("stage"))?;
    let stage = Stage::set_with(&folder.join("stage"), pki, UnixSeconds(i64::try_from(seconds)?))?;
    let begin = Start {
        config: Config::read(&stage.settings)?,
        state: stage.state.clone(),
        credentials: None,
        program: std::env::current_exe()?.with_file_name("chevet"),
        starter_round: Vec::new(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let Kiosk { views, touches, tasks, aids: _neither_keys_nor_headset } = runtime.block_on(start(begin))?;
    let seen = Arc::new(Seen::default());
    let (reader, screen) = (seen.clone(), seen.clone());
    std::thread::spawn(move || reader.hear());
    let framebuffer = File::open(folder.join("Xvfb_screen0"))?;
    std::thread::spawn(move || screen.look(&framebuffer));
    let (hand, asks) = hand::hand();
    let pulls = runtime.spawn(pulls(views.clone(), seen, hand));
    hand::run_driven(views, touches, Options { width: 800, height: 480, fullscreen: false, drawn: || () }, asks)?;
    let done = runtime.block_on(pulls)?;
    drop(tasks);
    runtime.shutdown_background();
    done.map_err(Into::into)
}

/// What the two threads have noted.
#[derive(Default)]
struct Seen {
    out: Mutex<Option<Instant>>,
    changed: Mutex<Option<Instant>>,
}

impl Seen {
    fn take(of: &Mutex<Option<Instant>>) -> Option<Instant> {
        of.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn note(of: &Mutex<Option<Instant>>) {
        *of.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// As the kiosk hears it: the service wakes both.
    fn hear(&self) {
        let service = pcsc::Context::establish(pcsc::Scope::User).expect("the service answers");
        let names = service.list_readers_owned().expect("it has readers");
        let mut states = [pcsc::ReaderState::new(names[0].clone(), pcsc::State::UNAWARE)];
        let mut was_in = false;
        while service.get_status_change(None, &mut states).is_ok() {
            let is_in = states[0].event_state().contains(pcsc::State::PRESENT);
            if was_in && !is_in {
                Seen::note(&self.out);
            }
            was_in = is_in;
            states.iter_mut().for_each(pcsc::ReaderState::sync_current_state);
        }
    }

    /// Every eighth row is enough to see any change of a page.
    fn look(&self, framebuffer: &File) {
        let mut row = vec![0; ROW_BYTES];
        let mut before = 0;
        loop {
            let mut hasher = DefaultHasher::new();
            for number in (0..480).step_by(8) {
                let at = HEADER_BYTES + number * ROW_BYTES as u64;
                framebuffer.read_exact_at(&mut row, at).expect("the framebuffer is a file");
                hasher.write(&row);
            }
            let now = hasher.finish();
            if now != before {
                Seen::note(&self.changed);
            }
            before = now;
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

async fn pulls(mut views: watch::Receiver<View>, seen: Arc<Seen>, hand: Hand) -> Result<(), String> {
    let mut measured = 0;
    while measured < PULLS {
        tell("insert")?;
        until(&mut views, |body| matches!(body, Body::Pin(_))).await?;
        tokio::time::sleep(SETTLED).await;
        Seen::take(&seen.out);
        Seen::take(&seen.changed);
        tell("pull")?;
        until(&mut views, |body| matches!(body, Body::Idle(_))).await?;
        tokio::time::sleep(SETTLED).await;
        let (out, changed) = (Seen::take(&seen.out), Seen::take(&seen.changed));
        let (Some(out), Some(changed)) = (out, changed) else { return Err("nothing was seen".to_owned()) };
        let took = changed.saturating_duration_since(out);
        if took < SETTLED / 2 {
            tell(&(took.as_secs_f64() * 1000.0).to_string())?;
            measured += 1;
        }
    }
    hand.close().await;
    Ok(())
}

/// Says it to the bench, and waits until it is done.
fn tell(what: &str) -> Result<(), String> {
    tokio::task::block_in_place(|| {
        println!("{what}");
        std::io::stdin().lock().read_line(&mut String::new()).map(drop).map_err(|error| error.to_string())
    })
}

async fn until(views: &mut watch::Receiver<View>, there: impl Fn(&Body) -> bool) -> Result<(), String> {
    let waited = tokio::time::timeout(Duration::from_secs(20), views.wait_for(|view| there(&view.body)));
    let came = matches!(waited.await, Ok(Ok(_)));
    if came { Ok(()) } else { Err(format!("the page is {}", views.borrow().page)) }
}

const CLIENT: &str = "blank";
const PKI: &str = "target/bench-card/pki";
const PULLS: usize = 60;
/// Long after the last frame that belongs to a pull, and after the reader's next look.
const SETTLED: Duration = Duration::from_millis(900);
/// XWD of a screen of 24 bits: a header, 256 colours, then rows of four bytes a pixel.
const HEADER_BYTES: u64 = 3_232;
const ROW_BYTES: usize = 800 * 4;
