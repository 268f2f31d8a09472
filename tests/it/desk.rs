//! A desk for tests: a private pcscd, a drawer of cards, and hands that put them in and pull them out.
//!
//! Foreign programs (OpenSC, OpenSSL) get the desk's service by [`Desk::command`]. Code of ours that talks PC/SC must run
//! in a child, because libpcsclite finds its service by an environment variable and a process cannot safely set its own:
//! [`with_card`] runs this very test again in a child of the test binary, and gives its body [`Hands`] that reach back.
//!
//! ```text
//! #[test]
//! fn a_pulled_card_is_not_a_wrong_pin() {
//!     with_card("card::a_pulled_card_is_not_a_wrong_pin", "nurse", |hands| {
//!         // pcsc::Context::establish(..) here sees the nurse's card in reader "Chevet bac a sable 00 00".
//!         hands.pull();
//!         hands.insert("doctor");
//!     });
//! }
//! ```

#![allow(dead_code, reason = "tests of other rooms use other parts of the desk")]

use chevet::sandbox::cps::Faults;
use chevet::sandbox::drawer::Drawer;
use chevet::sandbox::pcscd::Pcscd;
use chevet::sandbox::pki::Pki;
use chevet::sandbox::vpcd::Inserted;
use std::cell::RefCell;
use std::fs::File;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::os::unix::net::UnixListener;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

/// A running service and the cards for it.
pub struct Desk {
    pub pcscd: Pcscd,
    pub drawer: Drawer,
    pub pki: Pki,
    /// What lies in the second reader.
    second: Option<Inserted>,
}

/// What the body of a [`with_card`] test holds: its messages are carried out by the test that started it.
pub struct Hands {
    line: RefCell<BufReader<UnixStream>>,
}

impl Desk {
    /// Fails with a sentence that names the Debian package, if one is missing.
    pub fn open() -> Desk {
        Desk::with(Pcscd::start())
    }

    /// Two readers that can be unplugged, and be stuck.
    pub fn with_switches() -> Desk {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/plug.c");
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let library = folder.path().join("plug.so");
        // Rust itself links by it.
        let made =
            Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).arg("-ldl").output();
        let made = made.expect("cc is missing: install the Debian package gcc");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Desk::with(Pcscd::start_with_switches(&library))
    }

    fn with(pcscd: Result<Pcscd, chevet::sandbox::pcscd::Error>) -> Desk {
        let pki = pki();
        let pcscd = pcscd.unwrap_or_else(|error| panic!("{error}"));
        Desk { pcscd, drawer: Drawer::new(pki.clone()), pki, second: None }
    }

    /// Puts a card of the drawer into the first slot; `odd:` and a make's name is the odd card, made so; `doctor@nurse` is the
    /// doctor's with the number of the nurse's; `nurse#9` is the nurse's, changed by its issuer on the ninth.
    pub fn insert(&self, name: &str) -> Inserted {
        self.insert_with(name, Faults::default())
    }

    /// One that is broken before the reader sees it.
    pub fn insert_with(&self, name: &str, faults: Faults) -> Inserted {
        // What follows a `~` only tells apart those who share a test.
        let name = name.split_once('~').map_or(name, |(name, _)| name);
        let (printed, day) = name.split_once('#').map_or((name, None), |(name, day)| (name, day.parse().ok()));
        let card = match (printed.strip_prefix("odd:"), printed.split_once('@')) {
            (Some(make), _) => self.drawer.odd_card(make),
            (None, Some((own, as_of))) => self.drawer.card_numbered(own, as_of),
            (None, None) => self.drawer.card(printed),
        };
        let mut card = card.unwrap_or_else(|error| panic!("{name}: {error}"));
        day.into_iter().for_each(|day| card.stamp(day));
        card.faults = faults;
        self.pcscd.slots()[0].insert(card).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// A program of a Debian package, as a client of this desk's service.
    pub fn command(&self, program: &str, package: &str) -> Command {
        let path = Path::new("/usr/bin").join(program);
        assert!(path.exists(), "{program} is missing: install the Debian package {package}");
        let (name, value) = self.pcscd.environment();
        let mut command = Command::new(path);
        command.env(name, value).env("LC_ALL", "C").stdin(Stdio::null());
        command
    }
}

/// The certificates that all tests share: drawn once for a target folder.
pub fn pki() -> Pki {
    Pki::open_or_make(&PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("sandbox-pki"))
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Whether this is a test that [`with_card`] has started again.
pub fn is_child() -> bool {
    std::env::var_os(HANDS).is_some()
}

/// Which card [`with_card`] began with, where several share one test.
pub fn first_card() -> String {
    std::env::var(CARD).unwrap_or_default()
}

/// Runs `body` where the card `name` is in a reader. `test` is this test's own full name, for the child.
pub fn with_card(test: &str, name: &str, body: impl FnOnce(&Hands)) {
    with_card_for(CHILD_MAX, test, name, body);
}

/// The same for one that takes long: its child is ended after `most`.
pub fn with_card_for(most: Duration, test: &str, name: &str, body: impl FnOnce(&Hands)) {
    with_desk(most, test, name, Desk::open, body);
}

/// The same with two readers that can be unplugged, and be stuck; the card is in the first.
pub fn with_two_readers(test: &str, name: &str, body: impl FnOnce(&Hands)) {
    with_desk(CHILD_MAX, test, name, Desk::with_switches, body);
}

fn with_desk(most: Duration, test: &str, name: &str, open: impl FnOnce() -> Desk, body: impl FnOnce(&Hands)) {
    if let Some(socket) = std::env::var_os(HANDS) {
        let line = UnixStream::connect(socket).expect("the test that started this one holds the socket");
        let hands = Hands { line: RefCell::new(BufReader::new(line)) };
        body(&hands);
        // One that its driver swallowed is not waited for.
        let _swallowed = chevet::card::settle(READERS_WITHIN);
        hands.ask("done");
        return;
    }
    let desk = open();
    let inserted = desk.insert(name);
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let socket = folder.path().join("hands");
    let listener = UnixListener::bind(&socket).expect("a new folder has room for a socket");
    let output = folder.path().join("output");
    let log = File::create(&output).expect("a new folder has room for a file");
    let (variable, value) = desk.pcscd.environment();
    let child = Command::new(std::env::current_exe().expect("a running program has a path"))
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(variable, value)
        .env(HANDS, &socket)
        .env(CARD, name)
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a file handle can be doubled"))
        .stderr(log)
        .spawn()
        .expect("the test binary can be started again");
    let is_done = serve(desk, inserted, &listener, child, most);
    let said = std::fs::read_to_string(&output).unwrap_or_default();
    assert!(is_done, "{test} failed where the card is (or there is no test of that name):\n{}", end_of(&said));
}

/// Where it broke and the little that led there: of a child's whole log, the beginning says least.
fn end_of(said: &str) -> String {
    let lines: Vec<&str> = said.lines().collect();
    let broke = lines.iter().position(|line| line.contains("panicked at")).unwrap_or(lines.len());
    let (from, to) = (broke.saturating_sub(40), lines.len().min(broke + 12));
    let (before, after) = (&lines[from..broke], &lines[broke..to]);
    format!("{}\nbefore that:\n{}", after.join("\n"), before.join("\n"))
}

/// Carries out what the child asks for, until it ends; whether it came to its end.
fn serve(mut desk: Desk, inserted: Inserted, listener: &UnixListener, mut child: Child, most: Duration) -> bool {
    let until = Instant::now() + most;
    listener.set_nonblocking(true).expect("a listener can be set not to block");
    let mut in_slot = Some(inserted);
    let mut is_done = false;
    let mut line: Option<BufReader<UnixStream>> = None;
    loop {
        if let Some(status) = child.try_wait().expect("a child can be asked whether it has ended") {
            return is_done && status.success();
        }
        if Instant::now() > until {
            child.kill().expect("a child that runs can be ended");
            child.wait().expect("a child that was ended can be waited for");
            return false;
        }
        match &mut line {
            None => match listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false).expect("a stream can be set to block");
                    stream.set_read_timeout(Some(Duration::from_millis(200))).expect("a time-out above zero is valid");
                    line = Some(BufReader::new(stream));
                }
                Err(_) => std::thread::sleep(Duration::from_millis(10)),
            },
            Some(open) => {
                let mut asked = String::new();
                match open.read_line(&mut asked) {
                    Ok(0) => std::thread::sleep(Duration::from_millis(10)),
                    Ok(_) => {
                        is_done |= asked.trim() == "done";
                        let reply = obey(&mut desk, &mut in_slot, asked.trim());
                        open.get_mut().write_all(format!("{reply}\n").as_bytes()).expect("the child listens");
                    }
                    // A time-out: look after the child and come back. Requests are written whole, so none is split.
                    Err(_) => {}
                }
            }
        }
    }
}

fn obey(desk: &mut Desk, in_slot: &mut Option<Inserted>, asked: &str) -> String {
    let words: Vec<&str> = asked.split(' ').collect();
    match words.as_slice() {
        ["done"] => String::new(),
        ["pull"] => {
            in_slot.take();
            String::new()
        }
        ["second", name] => {
            let card = desk.drawer.card(name).unwrap_or_else(|error| panic!("{name}: {error}"));
            let inserted = desk.pcscd.slots()[1].insert(card).unwrap_or_else(|error| panic!("{name}: {error}"));
            desk.second = Some(inserted);
            String::new()
        }
        ["pull-second"] => {
            desk.second.take();
            String::new()
        }
        [switch @ ("plug" | "stick"), number, on] => {
            let (number, on) = (number.parse().expect("hands write numbers"), *on == "true");
            let turned = if *switch == "plug" { desk.pcscd.plug(number, on) } else { desk.pcscd.stick(number, on) };
            turned.map(|()| String::new()).unwrap_or_else(|error| panic!("{error}"))
        }
        ["keys", number, words @ ..] => {
            let number = number.parse().expect("hands write numbers");
            let words = Some(words.join(" ")).filter(|words| !words.is_empty());
            let given = desk.pcscd.give_keys(number, words.as_deref());
            given.map(|()| String::new()).unwrap_or_else(|error| panic!("{error}"))
        }
        ["insert", name, mute_from, pulled_at] => {
            in_slot.take();
            let (mute_from, pulled_at) = (mute_from.parse().ok(), pulled_at.parse().ok());
            *in_slot = Some(desk.insert_with(name, Faults { mute_from, pulled_at, ..Faults::default() }));
            String::new()
        }
        ["insert", name] => {
            in_slot.take();
            *in_slot = Some(desk.insert(name));
            String::new()
        }
        ["stop"] => desk.pcscd.stop().map(|()| String::new()).unwrap_or_else(|error| panic!("{error}")),
        ["start-bare"] => {
            let started = desk.pcscd.start_without_readers();
            started.map(|()| String::new()).unwrap_or_else(|error| panic!("{error}"))
        }
        ["start"] => desk.pcscd.start_again().map(|()| String::new()).unwrap_or_else(|error| panic!("{error}")),
        ["faults", mute, mute_from, pulled_at, loses_applet_at, hides_tries, wrong_key, slow_ms] => {
            let faults = Faults {
                mute: *mute == "true",
                mute_from: mute_from.parse().ok(),
                pulled_at: pulled_at.parse().ok(),
                loses_applet_at: loses_applet_at.parse().ok(),
                hides_tries: *hides_tries == "true",
                wrong_key: *wrong_key == "true",
                slow: Duration::from_millis(slow_ms.parse().expect("hands write numbers")),
            };
            in_slot.as_ref().expect("faults are set on a card that is in").set_faults(faults);
            String::new()
        }
        ["apdus"] => in_slot.as_ref().map_or(0, |card| card.counters().apdus).to_string(),
        ["tries"] => in_slot.as_ref().and_then(Inserted::tries_left).map_or(String::new(), |left| left.to_string()),
        ["is-in"] => in_slot.as_ref().is_some_and(Inserted::is_in).to_string(),
        _ => panic!("hands do not know how to {asked}"),
    }
}

impl Hands {
    /// The same certificates as the desk's.
    pub fn pki(&self) -> Pki {
        pki()
    }

    /// Pulls the card, at once.
    pub fn pull(&self) {
        self.ask("pull");
    }

    /// Pulls the card, and returns when the service has seen it go.
    pub fn pull_and_see(&self) {
        self.pull();
        self.see_it_gone();
    }

    /// Returns when the service has seen that no card is in any reader.
    pub fn see_it_gone(&self) {
        let service = pcsc::Context::establish(pcsc::Scope::User).expect("the service");
        let names = service.list_readers_owned().expect("readers");
        let mut states: Vec<pcsc::ReaderState> =
            names.into_iter().map(|name| pcsc::ReaderState::new(name, pcsc::State::UNAWARE)).collect();
        loop {
            service.get_status_change(None, &mut states).expect("a change");
            if !states.iter().any(|state| state.event_state().contains(pcsc::State::PRESENT)) {
                return;
            }
            states.iter_mut().for_each(pcsc::ReaderState::sync_current_state);
        }
    }

    /// Puts another in (pulling what is there), and returns when the service has spoken to it.
    pub fn insert(&self, name: &str) {
        self.ask(&format!("insert {name}"));
    }

    /// The same, with a card that falls silent, or leaves, at the command of that index.
    pub fn insert_with(&self, name: &str, faults: Faults) {
        let index = |index: Option<u64>| index.map_or("-".to_owned(), |index| index.to_string());
        self.ask(&format!("insert {name} {} {}", index(faults.mute_from), index(faults.pulled_at)));
    }

    /// Stops the PC/SC service, the card staying where it is.
    pub fn stop_service(&self) {
        self.ask("stop");
    }

    pub fn start_service(&self) {
        self.ask("start");
    }

    /// With nothing plugged in.
    pub fn start_service_without_readers(&self) {
        self.ask("start-bare");
    }

    /// Puts a card into the second reader.
    pub fn insert_into_second(&self, name: &str) {
        self.ask(&format!("second {name}"));
    }

    pub fn pull_second(&self) {
        self.ask("pull-second");
    }

    /// Unplugs a reader of [`with_two_readers`], and has the living service look.
    pub fn unplug(&self, number: usize) {
        self.ask(&format!("plug {number} false"));
    }

    pub fn plug_in(&self, number: usize) {
        self.ask(&format!("plug {number} true"));
    }

    /// From here on the reader's driver swallows what is sent to the card, whether it is in or not.
    pub fn stick(&self, number: usize, is_stuck: bool) {
        self.ask(&format!("stick {number} {is_stuck}"));
    }

    /// Gives a reader of [`with_two_readers`] keys of its own: what it offers (`direct`, `start`, `none`), its maker's and its
    /// product's USB identifiers, and what is typed there (`1234`, `time-out`, `cancel`, `wait`; once only: `1234!`).
    pub fn give_keys(&self, number: usize, words: &str) {
        self.ask(&format!("keys {number} {words}"));
    }

    /// From the next APDU on.
    pub fn set_faults(&self, faults: Faults) {
        let [mute_from, pulled_at, loses_applet_at] = [faults.mute_from, faults.pulled_at, faults.loses_applet_at]
            .map(|index| index.map_or("-".to_owned(), |index| index.to_string()));
        self.ask(&format!(
            "faults {} {mute_from} {pulled_at} {loses_applet_at} {} {} {}",
            faults.mute,
            faults.hides_tries,
            faults.wrong_key,
            faults.slow.as_millis()
        ));
    }

    /// APDUs that the card has answered.
    pub fn apdus(&self) -> u64 {
        self.ask("apdus").parse().expect("the desk writes numbers")
    }

    /// As the card itself knows; `None` when there is no card.
    pub fn tries_left(&self) -> Option<u8> {
        self.ask("tries").parse().ok()
    }

    /// Whether the card still lies in its slot: a fault may have pulled it.
    pub fn is_in(&self) -> bool {
        self.ask("is-in") == "true"
    }

    fn ask(&self, what: &str) -> String {
        let mut line = self.line.borrow_mut();
        line.get_mut().write_all(format!("{what}\n").as_bytes()).expect("the desk listens");
        let mut reply = String::new();
        let got = line.read_line(&mut reply).expect("the desk answers");
        assert!(got > 0, "the desk has gone while it was asked to {what}");
        reply.trim().to_owned()
    }
}

const HANDS: &str = "CHEVET_TEST_HANDS";
const CARD: &str = "CHEVET_TEST_CARD";
/// A row of some twenty visits, on a machine that has other things to do.
const READERS_WITHIN: Duration = Duration::from_secs(3);
const CHILD_MAX: Duration = Duration::from_secs(400);
