//! Readers with keys of their own, through a real pcscd: each control code goes to a driver (`tests/it/plug.c`) that takes the
//! structures of PC/SC part 10 at their word and sends the PIN to the card itself.

use super::BRIEF;
use super::Watched;
use super::statement;
use crate::desk::Hands;
use crate::desk::with_two_readers;
use chevet::card::Error;
use chevet::card::Notice;
use chevet::card::Options;
use chevet::card::Pinpad;
use std::time::Duration;
use std::time::Instant;

const OPTIONS: Options = Options {
    reader_name: None,
    cps4: chevet::card::Cps4::Refuse,
    pinpad: Pinpad::Auto,
    without_keys: Vec::new(),
    answer_max: BRIEF,
};

impl Watched {
    fn login_on_reader(&self, insertion: u64) -> Result<Vec<u8>, Error> {
        self.runtime.block_on(self.reader.login_on_reader(insertion, statement()))
    }

    /// A new visit with the same card: the reader is asked anew what it offers.
    fn again_with(&self, insertion: u64, hands: &Hands, words: &str) -> bool {
        self.reader.leave();
        hands.give_keys(0, words);
        self.read(insertion).expect("read").has_pinpad
    }
}

/// By one code and by two; with the digits alone and in a filled block. No PIN comes into this program.
#[test]
fn a_pin_typed_on_the_reader_reaches_the_card_and_is_told_as_it_was() {
    let test = "card::keys::a_pin_typed_on_the_reader_reaches_the_card_and_is_told_as_it_was";
    with_two_readers(test, "nurse", |hands| {
        let mut watched = Watched::with_options(OPTIONS);
        assert_eq!(watched.next(), Notice::ReaderReady);
        let mut insertion = watched.card_in();
        assert!(!watched.read(insertion).expect("read").has_pinpad, "a reader without keys");
        assert_eq!(watched.login_on_reader(insertion), Err(Error::PinNeeded));
        for card in ["nurse", "odd:padded-pin", "odd"] {
            insertion = watched.swap(insertion, card, hands);
            for offered in ["direct", "start"] {
                let typed = |what: &str| {
                    hands.give_keys(0, &format!("{offered} 046A 003E {what}"));
                    watched.login_on_reader(insertion)
                };
                assert!(watched.again_with(insertion, hands, &format!("{offered} 046A 003E wait")), "{card} {offered}");
                assert_eq!(typed("9999"), Err(Error::WrongPin { tries_left: 2 }), "{card} {offered}");
                for (what, said) in
                    [("time-out", Error::PinTimedOut), ("cancel", Error::PinCancelled), ("123", Error::PinLength)]
                {
                    assert_eq!(typed(what), Err(said), "{card} {offered}");
                }
                assert_eq!(hands.tries_left(), Some(2), "{card} {offered}: a try was burnt");
                let signature = typed("1234").unwrap_or_else(|error| panic!("{card} {offered}: {error}"));
                assert_eq!(hands.tries_left(), Some(3), "{card} {offered}");
                assert_eq!(watched.sign(insertion), Ok(signature), "{card} {offered}");
            }
        }
    });
}

/// Whoever is listed, whoever offers no way, and every reader where the settings say "never".
#[test]
fn a_reader_that_claims_keys_falsely_or_that_nobody_may_ask_has_none() {
    let test = "card::keys::a_reader_that_claims_keys_falsely_or_that_nobody_may_ask_has_none";
    with_two_readers(test, "nurse", |hands| {
        let mut watched = Watched::with_options(OPTIONS);
        assert_eq!(watched.next(), Notice::ReaderReady);
        let insertion = watched.card_in();
        for (words, has_keys) in [
            ("direct 046A 003E 1234", true),
            ("direct 076B 3031 1234", false),
            ("start 076B 6632 1234", false),
            ("none 046A 003E 1234", false),
        ] {
            assert_eq!(watched.again_with(insertion, hands, words), has_keys, "{words}");
            assert_eq!(watched.login_on_reader(insertion).is_ok(), has_keys, "{words}");
        }
        watched.reader.leave();
        // Done in order: what is asked after leaving is done after it.
        assert_eq!(watched.sign(insertion), Err(Error::PinNeeded));
        drop(watched);
        hands.give_keys(0, "direct 046A 003E 1234");
        let mut watched = Watched::with_options(Options { pinpad: Pinpad::Never, ..OPTIONS });
        assert_eq!(watched.next(), Notice::ReaderReady);
        let insertion = watched.card_in();
        assert!(!watched.read(insertion).expect("read").has_pinpad, "the settings say never");
        assert_eq!(watched.login_on_reader(insertion), Err(Error::PinNeeded));
        watched.login(insertion, "1234").expect("typed on the screen");
        for (entry, has_keys) in [("046A:003E", false), ("046A:003F", true)] {
            watched.reader.leave();
            assert_eq!(watched.sign(insertion), Err(Error::PinNeeded), "left");
            drop(watched);
            watched = Watched::with_options(Options { without_keys: vec![entry.to_owned()], ..OPTIONS });
            assert_eq!(watched.next(), Notice::ReaderReady);
            let insertion = watched.card_in();
            assert_eq!(watched.read(insertion).expect("read").has_pinpad, has_keys, "{entry}");
        }
    });
}

/// While the reader waits for digits its driver answers nothing else: that the card has gone is told as soon as it does.
#[test]
fn a_card_pulled_while_its_pin_is_typed_on_the_reader_is_gone_and_has_its_tries() {
    let test = "card::keys::a_card_pulled_while_its_pin_is_typed_on_the_reader_is_gone_and_has_its_tries";
    with_two_readers(test, "nurse", |hands| {
        let mut watched = Watched::with_options(OPTIONS);
        assert_eq!(watched.next(), Notice::ReaderReady);
        let insertion = watched.card_in();
        assert!(watched.again_with(insertion, hands, "start 046A 003E wait"));
        let reader = watched.reader.clone();
        let typing = watched.runtime.spawn(async move { reader.login_on_reader(insertion, statement()).await });
        watched.runtime.block_on(async { tokio::time::sleep(Duration::from_millis(300)).await });
        let pulled = Instant::now();
        hands.pull();
        let said = watched.runtime.block_on(typing).expect("no panic");
        assert_eq!(said, Err(Error::Removed));
        assert_eq!(watched.next(), Notice::CardOut(insertion));
        assert!(pulled.elapsed() < Duration::from_secs(2), "{:?}", pulled.elapsed());
        hands.give_keys(0, "start 046A 003E 1234");
        hands.insert("nurse");
        let next = watched.card_in();
        assert!(watched.read(next).expect("read").has_pinpad);
        watched.login_on_reader(next).expect("the next card");
        assert_eq!(hands.tries_left(), Some(3));
    });
}
