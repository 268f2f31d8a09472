//! The card room through a real pcscd: who is in, wrong PINs, cards pulled at every step, the service killed and restarted.

mod documents;
mod handshake;
mod keys;
mod known;
mod readers;
mod steps;

use crate::desk::Hands;
use crate::desk::with_card;
use chevet::card::CardContents;
use chevet::card::Cps4;
use chevet::card::Error;
use chevet::card::Generation;
use chevet::card::Notice;
use chevet::card::Options;
use chevet::card::Reader;
use chevet::cli::card::Asked;
use chevet::cli::card::Form;
use chevet::cli::card::LastTry;
use chevet::cli::card::login_on;
use chevet::cli::card::show_on;
use chevet::config::Config;
use chevet::identity::certificate::Certificate;
use chevet::identity::holder::CardKind;
use chevet::identity::holder::CertificateKeyId;
use chevet::identity::holder::ProfessionCode;
use chevet::identity::statement::Statement;
use chevet::identity::trust;
use chevet::identity::trust::Anchors;
use chevet::identity::trust::Crls;
use chevet::sandbox::cps::Faults;
use chevet::sandbox::cps::make::Make;
use chevet::secret::Pin;
use chevet::time::UnixSeconds;
use chevet::time::Wall;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

/// A reader and what it tells.
struct Watched {
    runtime: Runtime,
    reader: Reader,
    notices: mpsc::Receiver<Notice>,
}

impl Watched {
    fn start() -> Watched {
        Watched::with_options(Options::default())
    }

    /// The next notice, within five seconds.
    #[track_caller]
    fn next(&mut self) -> Notice {
        let waited = async { tokio::time::timeout(Duration::from_secs(5), self.notices.recv()).await };
        self.runtime.block_on(waited).expect("a notice within five seconds").expect("the watch goes on")
    }

    fn with_options(options: Options) -> Watched {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (tell, notices) = mpsc::channel(32);
        let reader = Reader::start(options, tell).expect("the threads start");
        Watched { runtime, reader, notices }
    }

    /// Starts, and takes the card that is in.
    fn with_card_in() -> (Watched, u64) {
        let mut watched = Watched::start();
        assert_eq!(watched.next(), Notice::ReaderReady);
        let insertion = watched.card_in();
        (watched, insertion)
    }

    #[track_caller]
    fn card_in(&mut self) -> u64 {
        match self.next() {
            Notice::CardIn(insertion) => insertion,
            other => panic!("{other:?} instead of a card"),
        }
    }

    /// Out with one card and in with another, no faster than a hand: pcscd looks at a virtual slot every 400 ms.
    #[track_caller]
    fn swap(&mut self, insertion: u64, name: &str, hands: &Hands) -> u64 {
        hands.pull();
        assert_eq!(self.next(), Notice::CardOut(insertion), "before {name}");
        hands.insert(name);
        self.card_in()
    }

    fn read(&self, insertion: u64) -> Result<CardContents, Error> {
        self.runtime.block_on(self.reader.read(insertion))
    }

    fn login(&self, insertion: u64, digits: &str) -> Result<Vec<u8>, Error> {
        let pin = Pin::from_typed(digits.into()).expect("digits");
        self.runtime.block_on(self.reader.login(insertion, pin, statement()))
    }

    fn sign(&self, insertion: u64) -> Result<Vec<u8>, Error> {
        self.runtime.block_on(self.reader.sign(insertion, statement()))
    }
}

/// How long a card may keep silent here: longer than a busy machine needs, shorter than anybody would wait for a test.
const BRIEF: Duration = Duration::from_secs(1);

fn statement() -> Statement {
    Statement::login("a test", CertificateKeyId([7; 32]), &[9; 32])
}

fn verdict(hands: &Hands, contents: &CardContents) -> Result<trust::Verified, trust::Error> {
    let pki = hands.pki();
    let pem = std::fs::read(pki.anchors()).expect("the anchors are there");
    let folder = std::fs::read_dir(pki.revocation_lists()).expect("the lists are there");
    let lists = folder.map(|entry| std::fs::read(entry.expect("a file").path()).expect("a list")).collect();
    let now = Wall::Is(UnixSeconds(jiff::Timestamp::now().as_second()));
    let certificate = Certificate::parse(&contents.certificate).expect("a certificate");
    trust::verify(&certificate, &Anchors::from_pem(&[&pem]).expect("anchors"), &Crls::from_bytes(lists), now)
}

#[test]
fn a_visit_reads_logs_in_signs_and_leaves() {
    with_card("card::a_visit_reads_logs_in_signs_and_leaves", "nurse", |hands| {
        let (watched, insertion) = Watched::with_card_in();
        let contents = watched.read(insertion).expect("read");
        assert_eq!((contents.generation, contents.tries_left), (Generation::Cps3, Some(3)));
        assert!(contents.pin_digits.0 <= 4 && contents.pin_digits.1 >= 4, "{:?}", contents.pin_digits);
        assert!(contents.serial.as_deref().is_some_and(|serial| serial.starts_with("8025000001/")));
        let certificate = Certificate::parse(&contents.certificate).expect("a certificate");
        let holder = certificate.holder();
        assert_eq!((holder.profession, holder.card_kind), (Some(ProfessionCode(60)), CardKind::Cps));
        assert_eq!(verdict(hands, &contents).map(|verified| verified.warnings), Ok(vec![]));

        assert_eq!(watched.sign(insertion), Err(Error::PinNeeded));
        let signature = watched.login(insertion, "1234").expect("logged in");
        assert_eq!(certificate.verify_signature(statement().message(), &signature), Ok(()));
        // PKCS#1 v1.5 is deterministic: that is what a compartment's key stands on.
        assert_eq!(watched.sign(insertion).expect("signed"), signature);
        watched.reader.leave();
        assert_eq!(watched.sign(insertion), Err(Error::PinNeeded));
        // The same card, a new visit: read again, and its PIN is forgotten.
        assert_eq!(watched.read(insertion).expect("read again").certificate, contents.certificate);
        assert_eq!(watched.sign(insertion), Err(Error::PinNeeded));
        assert_eq!(hands.tries_left(), Some(3));
    });
}

#[test]
fn wrong_pins_are_counted_and_a_wrong_length_is_not_sent() {
    with_card("card::wrong_pins_are_counted_and_a_wrong_length_is_not_sent", "doctor", |hands| {
        let (watched, insertion) = Watched::with_card_in();
        assert_eq!(watched.login(insertion, "123"), Err(Error::PinLength));
        assert_eq!(hands.tries_left(), Some(3));
        assert_eq!(watched.login(insertion, "9999"), Err(Error::WrongPin { tries_left: 2 }));
        assert_eq!(watched.read(insertion).expect("read").tries_left, Some(2));
        assert_eq!(watched.login(insertion, "9999"), Err(Error::WrongPin { tries_left: 1 }));
        assert_eq!(watched.login(insertion, "9999"), Err(Error::Blocked));
        assert_eq!(watched.login(insertion, "1234"), Err(Error::Blocked));
        assert_eq!(watched.read(insertion).expect("read").tries_left, Some(0));
    });
}

/// A card that answers after all, when it has long been given up: what was still to come of the dialogue is not sent, the PIN
/// least of all, and its next insertion is a new one.
#[test]
fn a_card_that_answers_too_late_is_asked_nothing_more() {
    with_card("card::a_card_that_answers_too_late_is_asked_nothing_more", "nurse", |hands| {
        let mut watched = Watched::with_options(Options { answer_max: BRIEF, ..Options::default() });
        assert_eq!(watched.next(), Notice::ReaderReady);
        let insertion = watched.card_in();
        watched.read(insertion).expect("read");
        let before = hands.apdus();
        hands.set_faults(Faults { slow: 2 * BRIEF, ..Faults::default() });
        assert_eq!(watched.login(insertion, "9999"), Err(Error::Mute));
        assert_eq!(watched.next(), Notice::CardMute(insertion));
        // Whatever it was asked first it has answered by now; a wrong PIN would have come next.
        std::thread::sleep(3 * BRIEF);
        assert_eq!((hands.apdus(), hands.tries_left()), (before + 1, Some(3)));
        let next = watched.swap(insertion, "nurse", hands);
        watched.login(next, "1234").expect("the next card is read as ever");
    });
}

#[test]
fn a_pulled_card_and_a_swapped_one_are_new_insertions() {
    with_card("card::a_pulled_card_and_a_swapped_one_are_new_insertions", "nurse", |hands| {
        let (mut watched, first) = Watched::with_card_in();
        watched.read(first).expect("read");
        watched.login(first, "1234").expect("logged in");
        hands.pull();
        assert_eq!(watched.next(), Notice::CardOut(first));
        assert_eq!(watched.reader.seen(), None);
        assert_eq!(watched.sign(first), Err(Error::StaleInsertion));
        hands.insert("doctor");
        let second = watched.card_in();
        // The first card's questions are not the second card's.
        assert_eq!(watched.read(first), Err(Error::StaleInsertion));
        assert_eq!(watched.sign(second), Err(Error::PinNeeded));
        assert_eq!(watched.read(second).expect("read").tries_left, Some(3));
    });
}

/// Every way in which a card may be laid out and may answer, and an identifier with letters: gone by what the card says.
#[test]
fn every_make_of_card_is_read_and_logs_in() {
    with_card("card::every_make_of_card_is_read_and_logs_in", "letters", |hands| {
        let (mut watched, mut insertion) = Watched::with_card_in();
        let contents = watched.read(insertion).expect("read");
        let holder = Certificate::parse(&contents.certificate).expect("a certificate").holder();
        assert_eq!(holder.id.0, "00B9970017");
        assert!(verdict(hands, &contents).is_ok());
        for make in Make::ALL {
            let name = make.name;
            insertion = watched.swap(insertion, &format!("odd:{name}"), hands);
            let contents = watched.read(insertion).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!((contents.tries_left, contents.pin_digits), (Some(3), (4, 8)), "{name}");
            assert!(verdict(hands, &contents).is_ok(), "{name}");
            assert_eq!(watched.login(insertion, "9999"), Err(Error::WrongPin { tries_left: 2 }), "{name}");
            assert_eq!(hands.tries_left(), Some(2), "{name}");
            let signature = watched.login(insertion, "1234").unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(hands.tries_left(), Some(3), "{name}");
            assert_eq!(watched.sign(insertion), Ok(signature), "{name}");
        }
    });
}

/// Only where the settings say so; its other application, and a swap, are in nobody's way.
#[test]
fn a_cps4_is_refused_unless_the_settings_let_it_be_tried() {
    with_card("card::a_cps4_is_refused_unless_the_settings_let_it_be_tried", "cps4", |hands| {
        let (watched, insertion) = Watched::with_card_in();
        assert_eq!(watched.read(insertion), Err(Error::Cps4));
        assert_eq!(hands.apdus(), 0, "nothing is said to it");
        drop(watched);
        let mut watched = Watched::with_options(Options { cps4: Cps4::Try, ..Options::default() });
        assert_eq!(watched.next(), Notice::ReaderReady);
        let insertion = watched.card_in();
        let contents = watched.read(insertion).expect("read");
        assert_eq!((contents.generation, contents.tries_left), (Generation::Cps4, Some(3)));
        assert!(verdict(hands, &contents).is_ok());
        assert_eq!(watched.login(insertion, "9999"), Err(Error::WrongPin { tries_left: 2 }));
        let signature = watched.login(insertion, "1234").expect("the right PIN");
        assert_eq!(watched.sign(insertion), Ok(signature));
        assert_eq!(hands.tries_left(), Some(3));
        // Its other application is chosen behind our back, at each command of a login in turn.
        let before = hands.apdus();
        watched.login(insertion, "1234").expect("a login");
        let steps = hands.apdus() - before;
        let mut outcomes = Vec::new();
        for at in 0..steps {
            let at = hands.apdus() + at;
            hands.set_faults(Faults { loses_applet_at: Some(at), ..Faults::default() });
            outcomes.push(watched.login(insertion, "1234").map(|_| ()));
            assert_eq!(hands.tries_left(), Some(3), "command {at}");
            watched.login(insertion, "1234").expect("the next time");
        }
        // Asked again for its tries; a PIN that it did not look at is not sent again; later its PIN is gone, and it says so.
        let unchecked = outcomes.iter().filter(|outcome| **outcome == Err(Error::PinUnchecked)).count();
        assert_eq!(outcomes[0], Ok(()));
        assert!(
            unchecked > 0 && outcomes[1..=unchecked].iter().all(|it| *it == Err(Error::PinUnchecked)),
            "{outcomes:?}"
        );
        let signing = &outcomes[unchecked + 1..];
        assert!(signing.len() > 2 && signing.iter().all(|it| *it == Err(Error::PinNeeded)), "{outcomes:?}");
        let next = watched.swap(insertion, "nurse", hands);
        watched.login(next, "1234").expect("a CPS3 as ever");
    });
}

#[test]
fn every_card_of_the_drawer_is_told_for_what_it_is() {
    with_card("card::every_card_of_the_drawer_is_told_for_what_it_is", "last-try", |hands| {
        let (mut watched, mut insertion) = Watched::with_card_in();
        assert_eq!(watched.read(insertion).expect("read").tries_left, Some(1));
        let mut take = |name: &str| {
            insertion = watched.swap(insertion, name, hands);
            watched.read(insertion)
        };
        assert_eq!(take("cps4"), Err(Error::Cps4));
        assert_eq!(take("contactless"), Err(Error::Contactless));
        assert_eq!(take("unknown"), Err(Error::UnknownCard));
        assert_eq!(take("pin-blocked").expect("read").tries_left, Some(0));
        let expired = take("expired").expect("read");
        assert_eq!(verdict(hands, &expired), Err(trust::Error::Expired));
        let revoked = take("revoked").expect("read");
        assert_eq!(verdict(hands, &revoked), Err(trust::Error::Revoked));
        let other = take("other-issuer").expect("read");
        assert_eq!(verdict(hands, &other), Err(trust::Error::OtherIssuer));
        let reception = take("reception").expect("read");
        assert!(verdict(hands, &reception).is_ok());
        let holder = Certificate::parse(&reception.certificate).expect("a certificate").holder();
        assert_eq!((holder.card_kind, holder.profession), (CardKind::Cpe, None));
        let training = take("in-training").expect("read");
        let holder = Certificate::parse(&training.certificate).expect("a certificate").holder();
        assert_eq!((holder.card_kind, holder.in_training), (CardKind::Cpf, true));
        assert!(holder.profession.is_some());
    });
}

#[test]
fn a_card_with_another_key_is_found_out() {
    with_card("card::a_card_with_another_key_is_found_out", "nurse", |hands| {
        let (watched, insertion) = Watched::with_card_in();
        hands.set_faults(Faults { wrong_key: true, ..Faults::default() });
        assert_eq!(watched.login(insertion, "1234"), Err(Error::SignatureRefused));
    });
}

#[test]
fn a_mute_card_is_mute_and_a_slow_one_is_waited_for() {
    with_card("card::a_mute_card_is_mute_and_a_slow_one_is_waited_for", "nurse", |hands| {
        let (mut watched, insertion) = Watched::with_card_in();
        hands.set_faults(Faults { slow: Duration::from_millis(15), ..Faults::default() });
        watched.login(insertion, "1234").expect("logged in");
        // Nothing comes back, and this reader has no time limit of its own.
        hands.set_faults(Faults { mute: true, ..Faults::default() });
        let signature = watched.reader.sign(insertion, statement());
        let waited =
            watched.runtime.block_on(async { tokio::time::timeout(Duration::from_millis(300), signature).await });
        assert!(waited.is_err());
        let next = watched.swap(insertion, "doctor", hands);
        assert_eq!(watched.read(next).expect("read").tries_left, Some(3));
    });
}

#[test]
fn what_was_asked_before_the_visit_ended_is_not_done_after_it() {
    with_card("card::what_was_asked_before_the_visit_ended_is_not_done_after_it", "nurse", |hands| {
        let (watched, insertion) = Watched::with_card_in();
        hands.set_faults(Faults { slow: Duration::from_millis(15), ..Faults::default() });
        let wrong = || Pin::from_typed("9999".into()).expect("digits");
        let (read, login) = watched.runtime.block_on(async {
            let leave = async {
                tokio::time::sleep(Duration::from_millis(60)).await;
                watched.reader.leave();
            };
            let login = watched.reader.login(insertion, wrong(), statement());
            let (read, login, ()) = tokio::join!(watched.reader.read(insertion), login, leave);
            (read, login)
        });
        // What had begun is not gone on with.
        assert!(matches!(read, Err(Error::StaleInsertion)));
        assert_eq!(login, Err(Error::StaleInsertion));
        assert_eq!(hands.tries_left(), Some(3));

        // Whoever asked has given up before the card was free: the PIN is not sent either.
        let (read, given_up) = watched.runtime.block_on(async {
            let login = watched.reader.login(insertion, wrong(), statement());
            let given_up = tokio::time::timeout(Duration::from_millis(30), login);
            tokio::join!(watched.reader.read(insertion), given_up)
        });
        assert!(read.is_ok() && given_up.is_err());
        assert!(watched.read(insertion).is_ok());
        assert_eq!(hands.tries_left(), Some(3));
    });
}

type Spoken = fn(&Asked<'_>, &mut Vec<u8>) -> ExitCode;

/// One of the two verbs, with what was typed; its exit code and its JSON.
struct Verb {
    code: ExitCode,
    json: serde_json::Value,
}

impl Verb {
    fn show(hands: &Hands) -> Verb {
        Verb::run(hands, |asked, output| show_on(asked, output))
    }

    fn login(hands: &Hands, last_try: LastTry, typed: &str) -> Verb {
        Verb::run(hands, |asked, output| login_on(asked, last_try, &mut typed.as_bytes(), output))
    }

    fn run(hands: &Hands, verb: impl FnOnce(&Asked<'_>, &mut Vec<u8>) -> ExitCode) -> Verb {
        Verb::run_in(hands, Path::new("/nowhere"), verb)
    }

    fn run_in(hands: &Hands, state: &Path, verb: impl FnOnce(&Asked<'_>, &mut Vec<u8>) -> ExitCode) -> Verb {
        let (code, output) = Verb::said(hands, state, "", Form::Json, verb);
        Verb { code, json: serde_json::from_slice(&output).unwrap_or_default() }
    }

    /// What is written, with more in the settings.
    fn said(
        hands: &Hands,
        state: &Path,
        more: &str,
        form: Form,
        verb: impl FnOnce(&Asked<'_>, &mut Vec<u8>) -> ExitCode,
    ) -> (ExitCode, Vec<u8>) {
        let pki = hands.pki();
        let settings = format!(
            "[site]\nname = \"Essai\"\n[trust]\nanchors = [{:?}]\ncrls = {:?}\nproduction = false\n\
             [upstream]\nurl = \"https://dmp.invalid\"\nca = \"a\"\ncertificate = \"b\"\nkey = \"c\"\nconnector = \"pdsm\"\n{more}",
            pki.anchors(),
            pki.revocation_lists()
        );
        let config = Config::understand(&settings, std::path::Path::new("kiosk.toml")).expect("settings");
        let now = Wall::Is(UnixSeconds(jiff::Timestamp::now().as_second()));
        let mut output = Vec::new();
        let code = verb(&Asked { config: &config, state, now, form }, &mut output);
        (code, output)
    }
}

#[test]
fn the_verbs_show_a_card_and_log_it_in() {
    with_card("card::the_verbs_show_a_card_and_log_it_in", "nurse", |hands| {
        let shown = Verb::show(hands);
        assert_eq!(shown.code, ExitCode::SUCCESS, "{}", shown.json);
        assert_eq!((&shown.json["generation"], &shown.json["untried"]), (&"cps3".into(), &false.into()));
        assert_eq!(shown.json["holder"]["profession"], 60);
        assert_eq!(shown.json["holder"]["card_kind"], "CPS");
        assert!(shown.json["holder"]["situations"].is_null());
        assert_eq!((&shown.json["chain"]["ok"], &shown.json["crl"]["ok"]), (&true.into(), &true.into()));
        assert_eq!((&shown.json["tries_left"], &shown.json["verified"]), (&3.into(), &false.into()));

        let wrong = Verb::login(hands, LastTry::Keep, "9999\n");
        assert_eq!((wrong.code, &wrong.json["tries_left"]), (ExitCode::from(1), &2.into()));
        assert_eq!(Verb::login(hands, LastTry::Keep, "12\n").code, ExitCode::from(1));
        assert_eq!(Verb::login(hands, LastTry::Keep, "").code, ExitCode::from(1));
        assert_eq!(hands.tries_left(), Some(2));
        let logged_in = Verb::login(hands, LastTry::Keep, "1234\n");
        assert_eq!((logged_in.code, &logged_in.json["verified"]), (ExitCode::SUCCESS, &true.into()));
        let place =
            serde_json::json!([{"structure": "1440000999", "name": "CLINIQUE DU BAC A SABLE", "sector": "SA04"}]);
        assert_eq!(logged_in.json["holder"]["situations"], place, "behind the PIN");
        hands.pull();
        let nobody = Verb::show(hands);
        assert_eq!((nobody.code, nobody.json), (ExitCode::from(3), serde_json::Value::Null));
    });
}

#[test]
fn the_verbs_say_no_and_keep_the_last_try() {
    with_card("card::the_verbs_say_no_and_keep_the_last_try", "last-try", |hands| {
        assert_eq!(Verb::login(hands, LastTry::Keep, "1234\n").code, ExitCode::from(1));
        assert_eq!(hands.tries_left(), Some(1));
        let used = Verb::login(hands, LastTry::Use, "1234\n");
        assert_eq!((used.code, &used.json["verified"]), (ExitCode::SUCCESS, &true.into()));
        let take = |name: &str| {
            hands.pull();
            std::thread::sleep(Duration::from_millis(900));
            hands.insert(name);
        };
        take("revoked");
        let revoked = Verb::login(hands, LastTry::Keep, "9999\n");
        assert_eq!((revoked.code, &revoked.json["chain"]["ok"]), (ExitCode::from(1), &false.into()));
        // Its PIN was not sent.
        assert_eq!(hands.tries_left(), Some(3));
        // A card that does not say may be at its last, as on the screen.
        take("nurse");
        hands.set_faults(Faults { hides_tries: true, ..Faults::default() });
        let untold = Verb::login(hands, LastTry::Keep, "9999\n");
        assert_eq!((untold.code, &untold.json["tries_left"]), (ExitCode::from(1), &serde_json::Value::Null));
        assert_eq!(hands.tries_left(), Some(3), "its PIN was not sent");
        let used = Verb::login(hands, LastTry::Use, "1234\n");
        assert_eq!((used.code, &used.json["verified"]), (ExitCode::SUCCESS, &true.into()));
        take("cps4");
        let other = Verb::show(hands);
        assert_eq!((other.code, &other.json["generation"]), (ExitCode::from(1), &"cps4".into()));
        assert_eq!(other.json["untried"], true);
        // Where the settings let it be tried: announced by both verbs, in both forms.
        let [show, login]: [Spoken; 2] = [
            |asked, output| show_on(asked, output),
            |asked, output| login_on(asked, LastTry::Keep, &mut &b"1234\n"[..], output),
        ];
        for (verb, verified) in [(show, false), (login, true)] {
            let tried = |form| Verb::said(hands, Path::new("/nowhere"), "[reader]\ncps4 = \"try\"\n", form, verb);
            let (code, text) = tried(Form::Text);
            let text = String::from_utf8(text).expect("text");
            assert_eq!(code, ExitCode::SUCCESS, "{text}");
            assert!(text.contains("cps4, not yet verified with a real card"), "{text}");
            let json: serde_json::Value = serde_json::from_slice(&tried(Form::Json).1).expect("JSON");
            assert_eq!((&json["untried"], &json["verified"]), (&true.into(), &verified.into()));
        }
        take("unknown");
        let unknown = Verb::show(hands);
        assert_eq!((unknown.code, &unknown.json["generation"]), (ExitCode::from(1), &"unknown".into()));
    });
}
