//! `chevet doctor card` at a desk where each layer is broken in turn.

use crate::desk::Hands;
use crate::desk::pki;
use crate::desk::with_card;
use crate::trust::whole;
use chevet::card::service::Holds;
use chevet::card::service::slots;
use chevet::cli::doctor::Desk;
use chevet::cli::doctor::Line;
use chevet::cli::doctor::examine;
use chevet::config::Config;
use chevet::config::Cps4;
use chevet::sandbox::cps::Faults;
use chevet::sandbox::stage::Stage;
use chevet::time::UnixSeconds;
use chevet::time::Wall;
use std::fs;
use std::io::Read;
use std::io::Write;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

struct Practice {
    folder: tempfile::TempDir,
    stage: Stage,
    config: Config,
}

impl Practice {
    fn new() -> Practice {
        let folder = tempfile::tempdir().expect("a folder");
        let now = UnixSeconds(jiff::Timestamp::now().as_second());
        let stage = Stage::set_with(folder.path(), pki(), now).expect("a stage");
        let config = Config::read(&stage.settings).expect("settings");
        Practice { folder, stage, config }
    }

    fn usb(&self) -> PathBuf {
        let devices = self.folder.path().join("usb");
        fs::create_dir_all(&devices).expect("made");
        devices
    }

    fn at(&self, now: Wall) -> Vec<Line> {
        let socket = std::env::var_os("PCSCLITE_CSOCK_NAME").map(PathBuf::from).unwrap_or_default();
        let (usb, driver) = (self.usb(), self.folder.path().join("no-driver"));
        examine(&Desk { config: &self.config, state: self.stage.state.clone(), usb, driver, socket, now })
    }

    fn lines(&self) -> Vec<Line> {
        self.at(Wall::Is(UnixSeconds(jiff::Timestamp::now().as_second())))
    }

    /// The layers that fail, each with what it says.
    fn failing(&self) -> Vec<(&'static str, String)> {
        self.lines().into_iter().filter(|line| !line.ok).map(|line| (line.layer, line.what)).collect()
    }
}

#[track_caller]
fn only(failing: &[(&'static str, String)], layer: &str, says: &str) {
    let [(named, what)] = failing else { panic!("{layer} alone should fail: {failing:?}") };
    assert!(*named == layer && what.contains(says), "{failing:?}");
}

/// Out with one card and in with another: the service needs a moment to see each.
fn insert(hands: &Hands, name: &str) {
    pull(hands);
    hands.insert(name);
    wait_until(name, |holds| *holds != Holds::Nothing);
}

/// The thread that read the card lets go of it in its own time. A card that is pulled while it is being reset is missed by
/// pcscd 1.9.9, and so is the next one.
fn pull(hands: &Hands) {
    std::thread::sleep(Duration::from_millis(600));
    hands.pull();
    wait_until("nothing", |holds| *holds == Holds::Nothing);
}

fn wait_until(what: &str, there: impl Fn(&Holds) -> bool) {
    let until = Instant::now() + Duration::from_secs(10);
    while Instant::now() < until {
        let slots = slots().expect("the service answers");
        if slots.first().is_some_and(|slot| there(&slot.holds)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the service does not see {what}");
}

#[test]
fn every_layer_is_named_when_it_is_the_one_that_fails() {
    with_card("doctor::every_layer_is_named_when_it_is_the_one_that_fails", "nurse", |hands| {
        let mut practice = Practice::new();
        let good = practice.lines();
        assert!(good.iter().all(|line| line.ok && line.next.is_none()), "{good:?}");
        let layers: Vec<&str> = good.iter().map(|line| line.layer).collect();
        let all = ["usb", "pcscd", "polkit", "reader", "card", "application", "certificate", "date", "crl"];
        assert_eq!(layers, all);
        assert!(good[8].since.is_some(), "the list says of when it is");

        practice.config.reader.name = Some("of another make".to_owned());
        only(&practice.failing(), "reader", "Chevet bac a sable 00 00");
        practice.config.reader.name = None;

        for (name, layer, says) in [
            ("unknown", "card", "no CPS"),
            ("contactless", "card", "without contact"),
            ("other-issuer", "certificate", "no configured authority"),
            ("revoked", "certificate", "revoked"),
            ("expired", "date", "expired"),
        ] {
            insert(hands, name);
            only(&practice.failing(), layer, says);
        }
        insert(hands, "cps4");
        only(&practice.failing(), "application", "CPS4");
        practice.config.reader.cps4 = Cps4::Try;
        let tried = practice.lines();
        assert!(tried.iter().all(|line| line.ok), "{tried:?}");
        assert!(tried[4].layer == "card" && tried[4].what.contains("not yet verified with a real card"), "{tried:?}");
        insert(hands, "nurse");
        hands.set_faults(Faults { mute: true, ..Faults::default() });
        only(&practice.failing(), "application", "does not answer");
        insert(hands, "nurse");

        let lists = practice.folder.path().join("lists");
        fs::create_dir(&lists).expect("made");
        practice.config.trust.crls = Some(lists.clone());
        only(&practice.failing(), "crl", "no revocation list");
        fs::write(lists.join("a.crl"), whole(20, &[])).expect("written");
        let aging = practice.lines();
        assert!(aging.iter().all(|line| line.ok) && aging[8].next.is_some(), "tolerated, with what to do: {aging:?}");
        fs::write(lists.join("a.crl"), whole(40, &[])).expect("written");
        only(&practice.failing(), "crl", "40 days old");
        let then = practice.at(Wall::Is(UnixSeconds(0)));
        assert!(then.iter().any(|line| line.layer == "date" && !line.ok && line.what.contains("1970")), "{then:?}");
        practice.config.trust.production = true;
        only(&practice.failing(), "certificate", "production");
        practice.config.trust.production = false;
        fs::write(lists.join("a.crl"), whole(1, &[])).expect("written");

        pull(hands);
        only(&practice.failing(), "card", "no card");
        hands.stop_service();
        let stopped: Vec<&str> = practice.failing().iter().map(|(layer, _)| *layer).collect();
        assert_eq!(stopped, ["usb", "pcscd"], "nothing is known of a reader that is not on the bus");
        practice.plug_into_usb();
        only(&practice.failing(), "pcscd", "does not listen");
        let usb = &practice.lines()[0];
        assert!(usb.ok && usb.what.ends_with("USB SmartCard Reader (08e6:3437)"), "{usb:?}");
    });
}

/// On the bus, and the service has nothing of it: the driver is not installed, or does not know this reader.
#[test]
fn a_reader_that_no_driver_takes_points_at_the_driver() {
    with_card("doctor::a_reader_that_no_driver_takes_points_at_the_driver", "nurse", |hands| {
        let practice = Practice::new();
        practice.plug_into_usb();
        assert!(practice.failing().is_empty(), "{:?}", practice.failing());
        hands.stop_service();
        hands.start_service_without_readers();
        only(&practice.failing(), "driver", "not installed");
        fs::create_dir(practice.folder.path().join("no-driver")).expect("made");
        only(&practice.failing(), "driver", "does not take it");
    });
}

/// As it does while a visit is on.
#[test]
fn a_card_that_a_program_holds_is_told_as_held() {
    with_card("doctor::a_card_that_a_program_holds_is_told_as_held", "nurse", |_| {
        let practice = Practice::new();
        let service = pcsc::Context::establish(pcsc::Scope::User).expect("the service");
        let names = service.list_readers_owned().expect("readers");
        let held = service.connect(&names[0], pcsc::ShareMode::Exclusive, pcsc::Protocols::T0).expect("the card");
        only(&practice.failing(), "card", "another program holds");
        drop(held);
        wait_until("a card that is free", |holds| matches!(holds, Holds::Card { is_held: false, .. }));
        assert!(practice.failing().is_empty(), "{:?}", practice.failing());
    });
}

impl Practice {
    /// As the kernel shows a reader, beside a keyboard.
    fn plug_into_usb(&self) {
        for (path, text) in [
            ("1-2/idVendor", "08e6\n"),
            ("1-2/idProduct", "3437\n"),
            ("1-2/product", "USB SmartCard Reader\n"),
            ("1-2:1.0/bInterfaceClass", "0b\n"),
            ("1-3:1.0/bInterfaceClass", "03\n"),
        ] {
            let file = self.usb().join(path);
            fs::create_dir_all(file.parent().expect("a folder")).expect("made");
            fs::write(file, text).expect("written");
        }
    }
}

/// pcscd turns away whom polkit refuses by hanging up. This Debian's pcscd has no polkit, so a listener that does the same
/// stands in its place; the exit code is that of a no.
#[test]
fn a_service_that_hangs_up_points_at_polkit() {
    let practice = Practice::new();
    let socket = practice.folder.path().join("pcscd.comm");
    let listener = UnixListener::bind(&socket).expect("bound");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // It reads the greeting, and goes.
            let _greeting = (&stream).read(&mut [0; 64]);
        }
    });
    let output = Command::new(env!("CARGO_BIN_EXE_chevet"))
        .args(["doctor", "card", "--json", "--config"])
        .arg(&practice.stage.settings)
        .arg("--state")
        .arg(&practice.stage.state)
        .env("PCSCLITE_CSOCK_NAME", &socket)
        .output()
        .expect("the program starts");
    let lines: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let line = |layer: &str| lines.as_array().and_then(|all| all.iter().find(|line| line["layer"] == layer)).cloned();
    assert_eq!(line("pcscd").expect("a line")["ok"], true, "{lines}");
    let polkit = line("polkit").expect("a line");
    assert_eq!(polkit["ok"], false, "{lines}");
    assert!(polkit["next"].as_str().is_some_and(|next| next.contains("polkit-1/rules.d")), "{polkit}");
    assert_eq!(output.status.code(), Some(1));
}

/// polkit has two questions. Whoever may list readers may still be refused the card, by another answer: this Debian's pcscd has
/// no polkit, so a library before libpcsclite gives that answer to the connection.
#[test]
fn a_card_that_is_refused_to_this_user_points_at_polkit() {
    with_card("doctor::a_card_that_is_refused_to_this_user_points_at_polkit", "nurse", |_| {
        let practice = Practice::new();
        let good = practice.lines();
        assert!(good[2].layer == "polkit" && good[2].what.contains("cards"), "{good:?}");
        let library = practice.folder.path().join("refuses.so");
        let source = "long SCardConnect() { return 0x8010006A; }";
        let mut cc = Command::new("cc")
            .args(["-shared", "-fPIC", "-x", "c", "-", "-o"])
            .arg(&library)
            .stdin(Stdio::piped())
            .spawn()
            .expect("cc is missing: install the Debian package gcc");
        cc.stdin.take().expect("piped").write_all(source.as_bytes()).expect("written");
        assert!(cc.wait().expect("it ends").success());
        let output = Command::new(env!("CARGO_BIN_EXE_chevet"))
            .args(["doctor", "card", "--json", "--config"])
            .arg(&practice.stage.settings)
            .arg("--state")
            .arg(&practice.stage.state)
            .env("LD_PRELOAD", &library)
            .output()
            .expect("the program starts");
        let lines: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let bad: Vec<_> = lines.as_array().expect("lines").iter().filter(|line| line["ok"] == false).collect();
        // The USB of the machine that tests is its own.
        let bad: Vec<_> = bad.into_iter().filter(|line| line["layer"] != "usb").collect();
        let [polkit] = bad.as_slice() else { panic!("polkit alone: {lines}") };
        assert!(
            polkit["layer"] == "polkit" && polkit["what"].as_str().is_some_and(|what| what.contains("card")),
            "{lines}"
        );
        assert!(polkit["next"].as_str().is_some_and(|next| next.contains("access_card")), "{polkit}");
        assert_eq!(output.status.code(), Some(1));
    });
}
