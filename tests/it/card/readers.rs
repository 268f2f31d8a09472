//! Readers and the service that come and go, and other programs that want the same card: all of it through a real pcscd.

use super::Watched;
use crate::desk::with_card;
use crate::desk::with_two_readers;
use chevet::card::Error;
use chevet::card::Notice;
use chevet::card::Options;
use chevet::identity::certificate::Certificate;
use chevet::identity::holder::ProfessionCode;
use std::time::Duration;
use std::time::Instant;

#[test]
fn the_service_may_die_and_come_back() {
    with_card("card::readers::the_service_may_die_and_come_back", "nurse", |hands| {
        let (mut watched, first) = Watched::with_card_in();
        watched.login(first, "1234").expect("logged in");
        hands.stop_service();
        assert_eq!(watched.next(), Notice::CardOut(first));
        assert_eq!(watched.next(), Notice::ReaderTrouble(Error::ServiceDown));
        assert_eq!(watched.sign(first), Err(Error::StaleInsertion));
        hands.start_service();
        assert!(matches!(watched.next(), Notice::ReaderReady));
        let second = watched.card_in();
        // The dead service's connection is of no use, and nobody has to know.
        assert_eq!(watched.sign(second), Err(Error::PinNeeded));
        assert_eq!(watched.read(second).expect("read").tries_left, Some(3));
        watched.login(second, "1234").expect("logged in again");
    });
}

/// A service that comes back without its reader, and then with it: each is told within two seconds.
#[test]
fn a_reader_that_is_gone_is_told_and_told_when_it_is_back() {
    with_card("card::readers::a_reader_that_is_gone_is_told_and_told_when_it_is_back", "nurse", |hands| {
        let (mut watched, first) = Watched::with_card_in();
        watched.login(first, "1234").expect("logged in");
        let stopped = Instant::now();
        hands.stop_service();
        assert_eq!(watched.next(), Notice::CardOut(first));
        assert_eq!(watched.next(), Notice::ReaderTrouble(Error::ServiceDown));
        assert!(stopped.elapsed() < TRUE_WITHIN, "{:?}", stopped.elapsed());
        hands.start_service_without_readers();
        let bare = Instant::now();
        assert_eq!(watched.next(), Notice::ReaderAbsent);
        assert!(bare.elapsed() < TRUE_WITHIN, "{:?}", bare.elapsed());
        assert_eq!(watched.read(first), Err(Error::StaleInsertion));
        hands.stop_service();
        assert_eq!(watched.next(), Notice::ReaderTrouble(Error::ServiceDown));
        hands.start_service();
        let back = Instant::now();
        assert_eq!(watched.next(), Notice::ReaderReady);
        assert!(back.elapsed() < TRUE_WITHIN, "{:?}", back.elapsed());
        let second = watched.card_in();
        assert_eq!(watched.sign(second), Err(Error::PinNeeded));
        watched.login(second, "1234").expect("logged in again");
    });
}

/// Two readers: the one that the settings name is the one that is watched, whatever lies in the other.
#[test]
fn of_two_readers_the_named_one_is_used() {
    with_card("card::readers::of_two_readers_the_named_one_is_used", "nurse", |hands| {
        hands.insert_into_second("doctor");
        let options = Options { reader_name: Some("00 01".to_owned()), ..Options::default() };
        let mut watched = Watched::with_options(options);
        assert_eq!(watched.next(), Notice::ReaderReady);
        let insertion = watched.card_in();
        let contents = watched.read(insertion).expect("read");
        let holder = Certificate::parse(&contents.certificate).expect("a certificate").holder();
        assert_eq!(holder.profession, Some(ProfessionCode(10)));
        // What happens in the other reader is not about this card.
        hands.pull();
        hands.insert("unknown");
        watched.login(insertion, "1234").expect("logged in");
        watched.sign(insertion).expect("signed");
    });
}

/// Two readers and no name in the settings: the card that comes in anywhere is the card; another one waits, is told of, and
/// is taken when the first is out.
#[test]
fn of_two_readers_without_a_name_both_are_watched() {
    with_card("card::readers::of_two_readers_without_a_name_both_are_watched", "nurse", |hands| {
        hands.pull_and_see();
        let mut watched = Watched::start();
        assert_eq!(watched.next(), Notice::ReaderReady);
        hands.insert_into_second("doctor");
        let first = watched.card_in();
        assert_eq!(profession(&watched, first), Some(ProfessionCode(10)));
        watched.login(first, "1234").expect("logged in");
        hands.insert("nurse");
        assert_eq!(watched.next(), Notice::OtherCard(true));
        watched.sign(first).expect("the other card is in nobody's way");
        assert_eq!(hands.apdus(), 0, "nothing is said to it");
        hands.pull_second();
        assert_eq!(watched.next(), Notice::CardOut(first));
        let second = watched.card_in();
        assert_eq!(watched.next(), Notice::OtherCard(false));
        assert_eq!(watched.sign(second), Err(Error::PinNeeded));
        assert_eq!(profession(&watched, second), Some(ProfessionCode(60)));
    });
}

fn profession(watched: &Watched, insertion: u64) -> Option<ProfessionCode> {
    let contents = watched.read(insertion).expect("read");
    Certificate::parse(&contents.certificate).expect("a certificate").holder().profession
}

/// In a living service: nothing is restarted, and each is told within two seconds.
#[test]
fn a_reader_may_be_unplugged_and_plugged_in_again() {
    with_two_readers("card::readers::a_reader_may_be_unplugged_and_plugged_in_again", "nurse", |hands| {
        let named = Options { reader_name: Some("bac a sable".to_owned()), ..Options::default() };
        let mut watched = Watched::with_options(named);
        assert_eq!(watched.next(), Notice::ReaderReady);
        let mut insertion = watched.card_in();
        for _again in 0..2 {
            watched.login(insertion, "1234").expect("logged in");
            let unplugged = Instant::now();
            hands.unplug(0);
            assert_eq!(watched.next(), Notice::CardOut(insertion));
            assert_eq!(watched.next(), Notice::ReaderAbsent);
            assert!(unplugged.elapsed() < TRUE_WITHIN, "{:?}", unplugged.elapsed());
            assert_eq!(watched.sign(insertion), Err(Error::StaleInsertion));
            let plugged = Instant::now();
            hands.plug_in(0);
            assert_eq!(watched.next(), Notice::ReaderReady);
            assert!(plugged.elapsed() < TRUE_WITHIN, "{:?}", plugged.elapsed());
            insertion = watched.card_in();
            assert_eq!(watched.sign(insertion), Err(Error::PinNeeded));
        }
    });
}

/// With its card in it: that is out. The other reader is there all the while, and takes the next card.
#[test]
fn of_two_readers_one_may_be_unplugged() {
    with_two_readers("card::readers::of_two_readers_one_may_be_unplugged", "nurse", |hands| {
        let (mut watched, first) = Watched::with_card_in();
        watched.login(first, "1234").expect("logged in");
        hands.unplug(0);
        assert_eq!(watched.next(), Notice::CardOut(first));
        hands.insert_into_second("doctor");
        let second = watched.card_in();
        assert_eq!(profession(&watched, second), Some(ProfessionCode(10)));
        hands.plug_in(0);
        // The nurse's card lies in it still.
        assert_eq!(watched.next(), Notice::OtherCard(true));
        watched.login(second, "1234").expect("logged in");
    });
}

/// A driver that never comes back, not even when the card is pulled: its reader is lost until it does, the other one is not.
#[test]
fn a_reader_that_is_stuck_leaves_the_other_one_free() {
    with_two_readers("card::readers::a_reader_that_is_stuck_leaves_the_other_one_free", "nurse", |hands| {
        let mut watched = Watched::with_options(Options { answer_max: super::BRIEF, ..Options::default() });
        assert_eq!(watched.next(), Notice::ReaderReady);
        let first = watched.card_in();
        watched.read(first).expect("read");
        hands.stick(0, true);
        assert_eq!(watched.login(first, "1234"), Err(Error::Mute));
        assert_eq!(watched.next(), Notice::CardMute(first));
        // Asked again, it is refused without a wait behind the first.
        assert_eq!(watched.sign(first), Err(Error::Mute));
        assert_eq!(watched.login(first, "1234"), Err(Error::Mute));
        let before = hands.apdus();
        assert_eq!(hands.tries_left(), Some(3));
        // pcscd itself does not see it go: its driver is still waiting for an answer.
        hands.pull();
        hands.insert_into_second("doctor");
        assert_eq!(watched.next(), Notice::CardOut(first));
        let second = watched.card_in();
        assert_eq!(watched.next(), Notice::OtherCard(true));
        assert_eq!(profession(&watched, second), Some(ProfessionCode(10)));
        watched.login(second, "1234").expect("logged in");
        hands.stick(0, false);
        assert_eq!(watched.next(), Notice::OtherCard(false), "it is seen to have gone");
        watched.sign(second).expect("the thread that came back is in nobody's way");
        assert!(before > 10, "read whole, and nothing after that: {before}");
    });
}

/// What another program chose on the card, and the PIN that it gave, are gone before anything is asked.
#[test]
fn a_card_that_another_program_left_logged_in_begins_anew() {
    with_card("card::readers::a_card_that_another_program_left_logged_in_begins_anew", "nurse", |hands| {
        let (watched, insertion) = Watched::with_card_in();
        watched.read(insertion).expect("read");
        let usual = hands.apdus();
        watched.reader.leave();
        assert_eq!(watched.sign(insertion), Err(Error::PinNeeded));
        let context = pcsc::Context::establish(pcsc::Scope::User).expect("the service");
        let names = context.list_readers_owned().expect("readers");
        let other = context.connect(&names[0], pcsc::ShareMode::Shared, pcsc::Protocols::T0).expect("nobody holds it");
        for command in [&[0x00, 0xA4, 0x09, 0x0C, 0x04, 0x3F, 0x00, 0x00, 0x01][..], b"\x00\x20\x00\x01\x041234"] {
            let answer = other.transmit(command, &mut [0; 300]).map(<[u8]>::to_vec);
            assert_eq!(answer, Ok(vec![0x90, 0x00]));
        }
        other.disconnect(pcsc::Disposition::LeaveCard).map_err(|(_, error)| error).expect("left as it is");
        let before = hands.apdus();
        assert_eq!(watched.read(insertion).expect("read").tries_left, Some(3));
        assert_eq!(hands.apdus() - before, usual, "the dialogue of a card that was just put in");
    });
}

/// A program that dies with a card logged in leaves a card that wants its PIN again.
#[test]
fn a_crash_leaves_no_card_logged_in() {
    if std::env::var_os(CRASHES).is_some() {
        let (watched, insertion) = Watched::with_card_in();
        watched.login(insertion, "1234").expect("logged in");
        std::process::abort();
    }
    with_card("card::readers::a_crash_leaves_no_card_logged_in", "nurse", |hands| {
        let crashed = std::process::Command::new(std::env::current_exe().expect("this program"))
            .args(["card::readers::a_crash_leaves_no_card_logged_in", "--exact", "--nocapture"])
            .env(CRASHES, "yes")
            .output()
            .expect("started");
        assert!(!crashed.status.success());
        assert!(hands.apdus() > 20, "it got as far as its login");
        let context = pcsc::Context::establish(pcsc::Scope::User).expect("the service");
        let names = context.list_readers_owned().expect("readers");
        // The service lets go of a dead program's card when it has noticed, and no later.
        let noticed = Instant::now() + TRUE_WITHIN;
        let card = loop {
            match context.connect(&names[0], pcsc::ShareMode::Shared, pcsc::Protocols::T0) {
                Err(pcsc::Error::SharingViolation) if Instant::now() < noticed => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                answer => break answer.expect("nobody holds it"),
            }
        };
        let answer = card.transmit(&[0x00, 0x20, 0x00, 0x01, 0x00], &mut [0; 300]).map(<[u8]>::to_vec);
        assert_eq!(answer, Ok(vec![0x63, 0xC3]), "its PIN is wanted again");
    });
}

/// Said within two seconds; and once the other lets go, the card is there again by itself.
#[test]
fn a_card_that_another_program_holds_is_busy_until_it_lets_go() {
    with_card("card::readers::a_card_that_another_program_holds_is_busy_until_it_lets_go", "nurse", |_| {
        let (mut watched, insertion) = Watched::with_card_in();
        let name = std::ffi::CString::new(watched.reader.seen().expect("a card").reader).expect("no zero byte");
        let context = pcsc::Context::establish(pcsc::Scope::User).expect("the service");
        let other = context.connect(&name, pcsc::ShareMode::Exclusive, pcsc::Protocols::T0).expect("the card");
        let asked = Instant::now();
        assert_eq!(watched.read(insertion), Err(Error::Busy));
        assert!(asked.elapsed() < TRUE_WITHIN, "{:?}", asked.elapsed());
        drop(other);
        let let_go = Instant::now();
        assert_eq!(watched.next(), Notice::CardOut(insertion));
        let insertion = watched.card_in();
        assert!(let_go.elapsed() < TRUE_WITHIN, "{:?}", let_go.elapsed());
        watched.read(insertion).expect("read");
        let refused = context.connect(&name, pcsc::ShareMode::Shared, pcsc::Protocols::T0);
        assert_eq!(refused.err(), Some(pcsc::Error::SharingViolation));
        watched.reader.leave();
        // The worker does things in order: what is asked after leaving is done after leaving.
        assert_eq!(watched.sign(insertion), Err(Error::PinNeeded));
        context.connect(&name, pcsc::ShareMode::Shared, pcsc::Protocols::T0).expect("left");
    });
}

const CRASHES: &str = "CHEVET_TEST_CRASHES";
/// What is wrong with a reader is told within this, and so is that it is right again.
const TRUE_WITHIN: Duration = Duration::from_secs(2);
