//! A card of every make, pulled at each command of its reading and its login in turn, and fallen silent at each.
//!
//! Each step costs a swap, and pcscd sees a swap in 0.8 s; so each make has a reader of its own (some of them two or three,
//! which share its steps), and they all live at once. It is waiting: hardly anything is computed.

use super::BRIEF;
use super::Watched;
use crate::desk::Hands;
use crate::desk::first_card;
use crate::desk::is_child;
use crate::desk::with_card;
use chevet::card::Cps4;
use chevet::card::Error;
use chevet::card::Notice;
use chevet::card::Options;
use chevet::sandbox::cps::Faults;
use chevet::sandbox::cps::make::Make;

#[test]
fn a_card_pulled_at_any_step_is_never_a_wrong_pin_and_burns_no_try() {
    let test = "card::steps::a_card_pulled_at_any_step_is_never_a_wrong_pin_and_burns_no_try";
    of_every_make(test, 1, |hands| each_step(hands, End::Pulled));
}

#[test]
fn a_card_that_falls_silent_at_any_step_burns_no_try_and_makes_room_for_the_next() {
    let test = "card::steps::a_card_that_falls_silent_at_any_step_burns_no_try_and_makes_room_for_the_next";
    of_every_make(test, 2, |hands| each_step(hands, End::Mute));
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Pulled,
    Mute,
}

/// A card that was here before is asked little, and that little in another order: its number, its stamp, its tries; then the PIN,
/// the login's signature and one more.
#[test]
fn a_known_card_pulled_at_any_step_burns_no_try_and_is_known_still() {
    let test = "card::steps::a_known_card_pulled_at_any_step_burns_no_try_and_is_known_still";
    of_known(test, |hands| each_step_of_known(hands, End::Pulled));
}

#[test]
fn a_known_card_that_falls_silent_at_any_step_burns_no_try_and_is_known_still() {
    let test = "card::steps::a_known_card_that_falls_silent_at_any_step_burns_no_try_and_is_known_still";
    of_known(test, |hands| each_step_of_known(hands, End::Mute));
}

/// With and without its issuer's stamp, with its PIN elsewhere, in T=1, answering in parts, and of the other generation.
const KNOWN: [&str; 6] = ["nurse", "nurse#9", "odd:pin-elsewhere", "odd:t1", "odd:in-parts", "cps4"];

fn of_known(test: &str, body: impl Fn(&Hands) + Sync) {
    if is_child() {
        return with_card(test, "", body);
    }
    let body = &body;
    std::thread::scope(|scope| {
        for card in KNOWN {
            scope.spawn(move || with_card(test, card, body));
        }
    });
}

fn each_step_of_known(hands: &Hands, end: End) {
    let name = first_card();
    let mut watched = Watched::with_options(Options { answer_max: BRIEF, cps4: Cps4::Try, ..Options::default() });
    assert_eq!(watched.next(), Notice::ReaderReady);
    let mut insertion = watched.card_in();
    watched.read(insertion).expect("read");
    let known = watched.learn(insertion).expect("worth keeping");
    let whole = hands.apdus();

    insertion = watched.swap(insertion, &name, hands);
    let through = |watched: &Watched, insertion: u64| {
        watched.again(insertion, &known).map(|_| ())?;
        watched.login(insertion, "1234").map(|_| ())?;
        watched.sign(insertion).map(|_| ())
    };
    through(&watched, insertion).expect("known again");
    let steps = hands.apdus();
    // Beside the reading of its situations, which this dialogue spares, it is far shorter than the first.
    assert!((8..whole - 10).contains(&steps), "{name}: {steps} of {whole}");
    for at in 0..steps {
        insertion = watched.swap(insertion, &name, hands);
        let faults = match end {
            End::Pulled => Faults { pulled_at: Some(at), ..Faults::default() },
            End::Mute => Faults { mute_from: Some(at), ..Faults::default() },
        };
        hands.set_faults(faults);
        let result = through(&watched, insertion);
        match end {
            End::Pulled => {
                assert!(matches!(result, Err(Error::Removed | Error::Mute)), "{name}, step {at}: {result:?}");
                assert!(!hands.is_in(), "{name}, step {at}");
            }
            End::Mute => {
                assert_eq!(result, Err(Error::Mute), "{name}, step {at}");
                assert_eq!(watched.next(), Notice::CardMute(insertion), "{name}, step {at}");
                assert_eq!(watched.login(insertion, "9999"), Err(Error::Mute), "{name}, step {at}");
                assert_eq!(watched.sign(insertion), Err(Error::Mute), "{name}, step {at}");
                assert_eq!(hands.apdus(), at + 1, "{name}, step {at}");
            }
        }
        assert_eq!(hands.tries_left(), Some(3), "{name}, step {at}");
    }
    insertion = watched.swap(insertion, &name, hands);
    through(&watched, insertion).expect("known still");
    assert_eq!(hands.apdus(), steps, "{name}: as at first");
}

/// Each make's steps are dealt out to so many readers; one that answers in parts has three times the steps.
fn of_every_make(test: &str, readers: usize, body: impl Fn(&Hands) + Sync) {
    if is_child() {
        return with_card(test, "", body);
    }
    let cards = Make::ALL.iter().map(|make| format!("odd:{}", make.name)).chain(["cps4".to_owned()]);
    let shares: Vec<String> = cards
        .flat_map(|card| {
            let of = if card.ends_with("in-parts") { 3 * readers } else { readers };
            (0..of).map(move |part| format!("{card}~{part}/{of}"))
        })
        .collect();
    let body = &body;
    std::thread::scope(|scope| {
        for share in &shares {
            scope.spawn(move || with_card(test, share, body));
        }
    });
}

fn each_step(hands: &Hands, end: End) {
    let name = first_card();
    let (_, share) = name.split_once('~').expect("a share");
    let (part, of) = share.split_once('/').expect("a part of a whole");
    let [part, of] = [part, of].map(|number| number.parse().expect("a number"));
    let mut watched = Watched::with_options(Options { answer_max: BRIEF, cps4: Cps4::Try, ..Options::default() });
    assert_eq!(watched.next(), Notice::ReaderReady);
    let mut insertion = watched.card_in();
    watched.read(insertion).expect("read");
    watched.login(insertion, "1234").expect("logged in");
    let steps = hands.apdus();
    assert!(steps > 18, "{name}: {steps}");
    for at in (part..steps).step_by(of as usize) {
        insertion = watched.swap(insertion, &name, hands);
        let faults = match end {
            End::Pulled => Faults { pulled_at: Some(at), ..Faults::default() },
            End::Mute => Faults { mute_from: Some(at), ..Faults::default() },
        };
        hands.set_faults(faults);
        let result = watched.read(insertion).and_then(|_| watched.login(insertion, "1234")).map(|_| ());
        match end {
            End::Pulled => {
                assert!(matches!(result, Err(Error::Removed | Error::Mute)), "{name}, step {at}: {result:?}");
                assert!(!hands.is_in(), "{name}, step {at}");
            }
            // Told once; nothing is sent after it, and whatever else is asked of this card is answered at once.
            End::Mute => {
                assert_eq!(result, Err(Error::Mute), "{name}, step {at}");
                assert_eq!(watched.next(), Notice::CardMute(insertion), "{name}, step {at}");
                assert_eq!(watched.login(insertion, "9999"), Err(Error::Mute), "{name}, step {at}");
                assert_eq!(watched.read(insertion).map(|_| ()), Err(Error::Mute), "{name}, step {at}");
                assert_eq!(hands.apdus(), at + 1, "{name}, step {at}");
            }
        }
        assert_eq!(hands.tries_left(), Some(3), "{name}, step {at}");
    }
    insertion = watched.swap(insertion, &name, hands);
    watched.login(insertion, "1234").expect("the next card is read as ever");
}
