//! The main job, whole, as a newcomer sees it: `chevet demo --play` in a real window under Xvfb, with the card in the real
//! pcscd, the record over TLS, the documents in the sealed worker. It succeeds only if the traces have arrived; and
//! afterwards nothing personal is in its log, nor readable in any byte of its state (P2a, P10).

use crate::needles::files;
use chevet::sandbox::drawer::Drawer;
use chevet::sandbox::people::People;
use chevet::sandbox::stage::SEED;
use chevet::time::UnixSeconds;
use chevet::trouble::Trouble;
use std::fs;
use std::fs::File;
use std::io::BufRead;
use std::io::BufReader;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

#[test]
fn a_whole_visit_is_played_and_leaves_nothing_readable() {
    let out = tempfile::tempdir().expect("a folder");
    let screen = Screen::start();
    let log = File::create(out.path().join("log.txt")).expect("a log");
    let played = Command::new(env!("CARGO_BIN_EXE_chevet"))
        .args(["demo", "--play", "--out"])
        .arg(out.path())
        .env("DISPLAY", &screen.display)
        .stderr(log)
        .status()
        .expect("the program starts");
    let log = fs::read_to_string(out.path().join("log.txt")).expect("the log");
    let story = fs::read_to_string(out.path().join("visit.md")).unwrap_or_default();
    let tail: Vec<&str> = log.lines().rev().take(12).collect();
    assert!(played.success(), "{story}\n{tail:#?}");

    let pictures = files(out.path()).into_iter().filter(|path| path.extension().is_some_and(|kind| kind == "png"));
    let mut count = 0;
    let mut names = String::new();
    for picture in pictures {
        names.extend([picture.file_name().unwrap_or_default().to_string_lossy().as_ref(), "\n"]);
        let pixels = image::open(&picture).expect("a PNG").to_rgb8();
        let first = pixels.get_pixel(0, 0);
        assert!(pixels.pixels().any(|pixel| pixel != first), "{} is blank", picture.display());
        assert_eq!(pixels.dimensions(), (800, 480), "{}", picture.display());
        count += 1;
    }
    assert!(count >= 60, "only {count} pictures");
    // Every sentence about a card has its picture: by the card that says it, or by its code.
    for trouble in
        Trouble::ALL.iter().filter(|trouble| ["lecteur", "carte", "identité"].contains(&trouble.words().layer))
    {
        let by_code = format!("phrase-{}.png", trouble.words().code);
        let of_a_card = match trouble {
            Trouble::NoReader => "lecteur-absent",
            Trouble::ReaderBusy => "lecteur-occupe",
            Trouble::CardMute => "carte-muette",
            Trouble::CardUnknown => "carte-inconnue",
            Trouble::CardCps4 => "carte-cps4",
            Trouble::CardContactless => "carte-sans-contact",
            Trouble::CardBlocked => "carte-bloquee",
            Trouble::CardNotAsKnown => "carte-changee",
            Trouble::CertificateExpired => "carte-perimee",
            Trouble::CertificateNotYetValid => "carte-pas-encore-valable",
            Trouble::CertificateRevoked => "carte-revoquee",
            Trouble::CertificateOtherIssuer => "carte-autre-emetteur",
            _ => by_code.as_str(),
        };
        assert!(names.contains(of_a_card), "{trouble:?} has no picture: {names}");
    }

    let canaries = canaries(out.path());
    assert!(canaries.len() > 20, "too few canaries to prove anything: {}", canaries.len());
    for canary in &canaries {
        assert!(!log.contains(canary.as_str()), "the log holds « {canary} »");
    }
    let state = files(&out.path().join("sandbox/state"));
    assert!(state.iter().any(|path| path.ends_with("journal.db")), "no journal in {state:?}");
    for path in state {
        let bytes = fs::read(&path).expect("a file of the state");
        for canary in &canaries {
            assert!(!holds(&bytes, canary.as_bytes()), "{} holds « {canary} »", path.display());
        }
    }
}

/// The same over the other connector: a reading, and a note that the card signs.
#[test]
fn a_reading_and_a_deposit_are_played_in_the_dmps_own_language() {
    let out = tempfile::tempdir().expect("a folder");
    let screen = Screen::start();
    let log = File::create(out.path().join("log.txt")).expect("a log");
    let played = Command::new(env!("CARGO_BIN_EXE_chevet"))
        .args(["demo", "--play", "--connector", "dmp", "--out"])
        .arg(out.path())
        .env("DISPLAY", &screen.display)
        .stderr(log)
        .status()
        .expect("the program starts");
    let log = fs::read_to_string(out.path().join("log.txt")).expect("the log");
    let story = fs::read_to_string(out.path().join("visit.md")).unwrap_or_default();
    let tail: Vec<&str> = log.lines().rev().take(12).collect();
    assert!(played.success() && story.contains("une note déposée"), "{story}\n{tail:#?}");
    for canary in canaries(out.path()) {
        assert!(!log.contains(canary.as_str()), "the log holds « {canary} »");
    }
}

/// With a display it waits for people; Ctrl-C ends it, and nothing of it is left running.
#[test]
fn ctrl_c_leaves_no_process_behind() {
    begin_and_end(|demo| rustix::process::kill_process_group(demo, rustix::process::Signal::INT));
}

/// So does ending the one process that was started.
#[test]
fn ending_the_demo_leaves_no_process_behind() {
    begin_and_end(|demo| rustix::process::kill_process(demo, rustix::process::Signal::KILL));
}

fn begin_and_end(end: impl FnOnce(rustix::process::Pid) -> rustix::io::Result<()>) {
    let out = tempfile::tempdir().expect("a folder");
    let screen = Screen::start();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_chevet"))
        .args(["demo", "--card", "nurse", "--out"])
        .arg(out.path())
        .env("DISPLAY", &screen.display)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("the program starts");
    let said = BufReader::new(demo.stdout.take().expect("a pipe was asked for"));
    let lines: Vec<String> = said.lines().map_while(Result::ok).take(5).collect();
    assert_eq!(lines.len(), 5, "five lines for a newcomer: {lines:?}");
    // The private service's folder bears the number of the process that started it.
    let service = format!("chevet-pcscd-{}-", demo.id());
    let names = [out.path().to_string_lossy().into_owned(), service];
    assert!(
        names.iter().all(|name| !running(name).is_empty()),
        "the demo and its service are found by these: {names:?}"
    );
    // The window is up when the card that was asked for has been read.
    std::thread::sleep(Duration::from_secs(2));
    end(rustix::process::Pid::from_child(&demo)).expect("sent");
    let until = Instant::now() + Duration::from_secs(20);
    let left = || names.iter().flat_map(|name| running(name)).collect::<Vec<String>>();
    while Instant::now() < until && !left().is_empty() {
        let _ended = demo.try_wait();
        std::thread::sleep(Duration::from_millis(100));
    }
    let left = left();
    let _reaped = demo.wait();
    assert!(left.is_empty(), "still running: {left:?}");
}

/// Command lines of processes that hold that name.
fn running(name: &str) -> Vec<String> {
    let mut found = Vec::new();
    for process in fs::read_dir("/proc").expect("proc").flatten() {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if line.contains(name) {
            found.push(line);
        }
    }
    found
}

/// Names, numbers and titles of everybody who took part; the DMP's own state shows that the right ones are looked for.
fn canaries(out: &Path) -> Vec<String> {
    let known = fs::read(out.join("sandbox/dmp.json")).expect("the DMP's own state");
    let holder = Drawer::profile("nurse").expect("the nurse");
    assert!(holds(&known, holder.holder_id.as_bytes()), "the DMP does not know who came: the canaries prove nothing");
    let mut canaries = vec![holder.holder_id.to_owned(), holder.family_name.to_owned()];
    for person in People::generate(SEED, UnixSeconds(1_795_423_320)).persons {
        canaries.extend([person.patient.ins.matricule, person.patient.birth_name]);
        canaries.extend(person.papers.into_iter().map(|paper| paper.title).filter(|title| title.len() > 12).take(10));
    }
    canaries.sort();
    canaries.dedup();
    canaries
}

fn holds(bytes: &[u8], word: &[u8]) -> bool {
    !word.is_empty() && bytes.windows(word.len()).any(|window| window == word)
}

/// A display of our own, ended by its number.
pub struct Screen {
    server: Child,
    pub display: String,
}

impl Screen {
    pub fn start() -> Screen {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb starts: install the Debian package xvfb");
        let mut line = String::new();
        let out = server.stdout.as_mut().expect("a pipe was asked for");
        BufReader::new(out).read_line(&mut line).expect("Xvfb says its display");
        Screen { server, display: format!(":{}", line.trim()) }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ended = self.server.kill();
        let _reaped = self.server.wait();
    }
}
