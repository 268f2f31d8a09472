//! A kiosk at a reader with keys of its own: the PIN is typed where this program never sees it, and the page tells what came of
//! it. The driver behind it is `tests/it/plug.c`; what is sent to it, `card/keys` checks.

use super::*;
use crate::desk::with_two_readers;

const TRUE_WITHIN: Duration = Duration::from_secs(2);

#[test]
fn a_visit_begins_on_the_keys_of_a_reader_that_is_asked_once() {
    let test = "kiosk::pinpad::a_visit_begins_on_the_keys_of_a_reader_that_is_asked_once";
    with_two_readers(test, "nurse", |hands| runtime().block_on(live(hands, "direct")));
}

#[test]
fn a_visit_begins_on_the_keys_of_a_reader_that_is_asked_in_two_steps() {
    let test = "kiosk::pinpad::a_visit_begins_on_the_keys_of_a_reader_that_is_asked_in_two_steps";
    with_two_readers(test, "nurse", |hands| runtime().block_on(live(hands, "start")));
}

async fn live(hands: &Hands, offered: &str) {
    let type_there = |what: &str| hands.give_keys(0, &format!("{offered} 046A 003E {what}"));
    type_there("wait");
    let folder = tempfile::tempdir().expect("a folder");
    let stage = stage(folder.path());
    let text = std::fs::read_to_string(&stage.settings).expect("settings");
    let with_keys = text.replace("pinpad = \"never\"", "pinpad = \"auto\"");
    assert_ne!(text, with_keys);
    std::fs::write(&stage.settings, with_keys).expect("written");
    let mut kiosk = Person::before(&stage, &stage.settings).await;

    // Wrong: said, and asked again, with what is left.
    let first = on_reader(&mut kiosk, "").await;
    assert!(!first.contains("Code faux") && !first.contains("dernier"), "{first}");
    type_there("9999!");
    on_reader(&mut kiosk, "Code faux").await;
    assert_eq!(hands.tries_left(), Some(2));

    // Given up there, by a key or by waiting: nothing was counted, and the card is asked back.
    for what in ["cancel!", "time-out!"] {
        type_there(what);
        told(&mut kiosk, Trouble::PinNotTyped).await;
        assert_eq!(hands.tries_left(), Some(if what == "cancel!" { 2 } else { 3 }), "{what}");
        change(&mut kiosk, hands, "nurse").await;
        on_reader(&mut kiosk, "").await;
    }
    // A length that the card does not take is the reader's own no.
    type_there("123!");
    told(&mut kiosk, Trouble::PinNotChecked).await;
    assert_eq!(hands.tries_left(), Some(3));

    // Pulled while digits are awaited, which the driver answers with nothing but an error: blank, and no word of a PIN.
    change(&mut kiosk, hands, "nurse").await;
    on_reader(&mut kiosk, "").await;
    let pulled = Instant::now();
    hands.pull();
    kiosk.until("a blank page", |body| matches!(body, Body::Idle(_))).await;
    assert!(pulled.elapsed() < TRUE_WITHIN, "blank after {:?}", pulled.elapsed());
    hands.see_it_gone();

    // Right: as any visit, whose card signs for what is opened.
    hands.insert("nurse");
    on_reader(&mut kiosk, "").await;
    type_there("1234!");
    at_home(&mut kiosk).await;
    assert_eq!(hands.tries_left(), Some(3));
    kiosk.open_record_of(0).await;

    // The last try waits for a yes on the screen; no digit is taken there.
    for (typed, is_right) in [("1234!", true), ("9999!", false)] {
        change(&mut kiosk, hands, "last-try").await;
        kiosk.until("the question", |body| matches!(body, Body::Pin(page) if page.asks_last_try)).await;
        type_there(typed);
        for digit in [1, 2, 3, 4] {
            kiosk.touch(Touch::Digit(digit)).await;
        }
        kiosk.touch(Touch::Confirm).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(matches!(kiosk.shown(), Body::Pin(page) if page.typed == 0), "without a yes");
        assert_eq!(hands.tries_left(), Some(1), "without a yes");
        kiosk.touch(Touch::LastTry).await;
        if is_right {
            at_home(&mut kiosk).await;
        } else {
            told(&mut kiosk, Trouble::CardBlocked).await;
            assert_eq!(hands.tries_left(), Some(0));
        }
    }
}

/// Until the page sends to the reader, with these words; its sentence.
async fn on_reader(kiosk: &mut Person, words: &str) -> String {
    let asks = |body: &Body| matches!(body, Body::Wait(page) if page.title == "Tapez votre code sur le lecteur" && page.hint.contains(words));
    let Body::Wait(page) = kiosk.until(&format!("word about the reader's keys {words}"), asks).await else {
        panic!("no such page")
    };
    page.hint
}

async fn told(kiosk: &mut Person, trouble: Trouble) {
    let Body::Trouble(page) = kiosk.until("why not", |body| matches!(body, Body::Trouble(_))).await else {
        panic!("no such page")
    };
    assert_eq!(page.happened, trouble.words().happened);
}

async fn at_home(kiosk: &mut Person) {
    let inside =
        |body: &Body| matches!(body, Body::Duty(_)) || matches!(body, Body::Home(home) if !home.rows.is_empty());
    if matches!(kiosk.until("home, or what a consultation entails", inside).await, Body::Duty(_)) {
        kiosk.touch(Touch::Understood).await;
    }
    kiosk.until("home", |body| matches!(body, Body::Home(home) if !home.rows.is_empty())).await;
}

async fn change(kiosk: &mut Person, hands: &Hands, name: &str) {
    hands.pull_and_see();
    kiosk.until("a blank page", |body| matches!(body, Body::Idle(_))).await;
    hands.insert(name);
}
