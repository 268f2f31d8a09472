//! A whole visit with a card that is pulled, or falls silent, at each of its commands in turn: while it is read, while its PIN
//! is checked, while it says where its holder works, while the compartment opens, at the token for a record, at the
//! countersignature behind an open document; and, where an old card hands over to it, at each of the new one's.
//!
//! Each command costs a visit of its own, most of which is waiting for pcscd, which looks at a virtual slot every 400 ms; so
//! the commands are dealt out to four cards, each with a reader and a kiosk of its own, which all live at once.

use super::*;
use crate::desk::first_card;
use crate::desk::is_child;

const SHARES: [&str; 4] = ["two-places~0", "two-places~1", "two-places~2", "two-places~3"];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    Pulled,
    Mute,
}

#[test]
fn a_card_pulled_at_any_command_of_a_visit_leaves_a_blank_page() {
    at_each_command("kiosk::pulled::a_card_pulled_at_any_command_of_a_visit_leaves_a_blank_page", End::Pulled);
}

#[test]
fn a_card_that_falls_silent_at_any_command_of_a_visit_is_asked_for_back() {
    at_each_command("kiosk::pulled::a_card_that_falls_silent_at_any_command_of_a_visit_is_asked_for_back", End::Mute);
}

/// The old card has handed its round over; the new one is pulled at each command of its first login. What is handed over waits, and
/// is on the new card in the end, whole.
#[test]
fn a_new_card_pulled_at_any_command_finds_what_the_old_one_handed_over() {
    let test = "kiosk::pulled::a_new_card_pulled_at_any_command_finds_what_the_old_one_handed_over";
    with_card(test, "ending", |hands| runtime().block_on(hand_over(hands)));
}

async fn hand_over(hands: &Hands) {
    let folder = tempfile::tempdir().expect("a folder");
    let stage = stage(folder.path());
    // The first kiosk fills the round of whoever has none, the second does not.
    let mut kiosk = Person::before(&stage, &stage.settings).await;
    kiosk.log_in().await;
    hands.pull();
    gone(&mut kiosk, hands).await;
    drop(kiosk);
    let mut kiosk = keys::alone(&stage).await;
    hands.insert("ending");
    kiosk.log_in().await;
    kiosk.touch(Touch::HandOver).await;
    let waits = Trouble::HandOverWaits.words().name;
    kiosk.until("what to do now", |body| text_of(body).contains(waits)).await;
    hands.pull();
    let is_taken = |body: &Body| matches!(body, Body::Home(home) if home.rows.len() == 9 && home.hand_over.is_empty());
    for at in 0.. {
        gone(&mut kiosk, hands).await;
        hands.insert_with("renewed", Faults { pulled_at: Some(at), ..Faults::default() });
        kiosk.until("the card", |body| !matches!(body, Body::Idle(_))).await;
        let ended = |body: &Body| matches!(body, Body::Idle(_)) || is_taken(body);
        go_in(&mut kiosk, hands, ended).await;
        if is_taken(&kiosk.shown()) {
            assert!(at > 20, "the round was there after {at} commands");
            return;
        }
        assert_eq!(hands.tries_left(), Some(3), "command {at}");
    }
}

fn at_each_command(test: &str, end: End) {
    std::thread::scope(|scope| {
        // A child is asked for one body; whose card it has does not matter to it.
        let shares = if is_child() { &SHARES[..1] } else { &SHARES[..] };
        for name in shares {
            scope.spawn(|| with_card(test, name, |hands| runtime().block_on(live(hands, end))));
        }
    });
}

async fn live(hands: &Hands, end: End) {
    let name = first_card();
    let share = SHARES.iter().position(|card| *card == name).expect("one of the shares");
    // As far as a visit goes, and how many commands that takes.
    let steps = {
        let folder = tempfile::tempdir().expect("a folder");
        let (_stage, mut kiosk) = open(folder.path()).await;
        go_in(&mut kiosk, hands, |body| matches!(body, Body::Reader(page) if page.reading.is_some())).await;
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let steps = hands.apdus();
        // Before its kiosk goes, which would reset a card that it believes to be there: pcscd takes a reset that fails for
        // an empty reader, and does not see the card that comes in before it next looks.
        hands.pull();
        gone(&mut kiosk, hands).await;
        steps
    };
    assert!(steps > 15, "{steps}");
    // Before a kiosk that has never seen this card. It comes to know it on the way, and then reads less of it: so the last
    // one again is one of the first commands, of a card that is known.
    let folder = tempfile::tempdir().expect("a folder");
    let (_stage, mut kiosk) = open(folder.path()).await;
    let mut pages = BTreeSet::new();
    for at in (share as u64..steps).step_by(SHARES.len()).chain([share as u64]) {
        gone(&mut kiosk, hands).await;
        let faults = match end {
            End::Pulled => Faults { pulled_at: Some(at), ..Faults::default() },
            End::Mute => Faults { mute_from: Some(at), ..Faults::default() },
        };
        hands.insert_with(&name, faults);
        kiosk.until("the card", |body| !matches!(body, Body::Idle(_))).await;
        let page = go_in(&mut kiosk, hands, |body| match (body, end) {
            (Body::Idle(_), End::Pulled) => true,
            (Body::Trouble(page), End::Mute) => {
                assert_eq!(page.happened, Trouble::CardMute.words().happened, "command {at}");
                assert_eq!(page.next, Trouble::CardMute.words().next, "command {at}");
                true
            }
            _ => false,
        })
        .await;
        pages.insert(page);
        // The card's own count, whatever it was asked: no try of ours is on it, and nothing is sent once more.
        assert_eq!(hands.tries_left(), Some(3), "command {at}");
        assert_eq!(hands.is_in(), end == End::Mute, "command {at}");
        if end == End::Mute {
            let asked = hands.apdus();
            tokio::time::sleep(Duration::from_millis(150)).await;
            assert_eq!((asked, hands.apdus()), (at + 1, at + 1), "command {at}");
            hands.pull();
        }
    }
    for page in ["reading_card", "checking_pin", "opening"] {
        assert!(pages.contains(page), "nothing happened on the page {page}: {pages:?}");
    }
    // After all of that: a card as ever.
    gone(&mut kiosk, hands).await;
    hands.insert(&name);
    go_in(&mut kiosk, hands, |body| matches!(body, Body::Documents(page) if page.rows.len() > 1)).await;
}

async fn open(folder: &Path) -> (Stage, Person) {
    let stage = stage(folder);
    let text = std::fs::read_to_string(&stage.settings).expect("settings");
    // Nobody waits here for a real chip; a busy machine may let one wait for a second.
    let text = text.replace("[reader]\n", "[reader]\nanswer_s_max = 2\n");
    assert!(text.contains("answer_s_max"), "{text}");
    std::fs::write(&stage.settings, text).expect("written");
    let kiosk = Person::before(&stage, &stage.settings).await;
    (stage, kiosk)
}

/// The page is blank, and the reader empty.
async fn gone(kiosk: &mut Person, hands: &Hands) {
    kiosk.until("a blank page", |body| matches!(body, Body::Idle(_))).await;
    hands.see_it_gone();
}

/// Does what a person does, page after page, until it is over; behind the last page they look at one document after the
/// other. The page on which it ended.
async fn go_in(kiosk: &mut Person, hands: &Hands, is_over: impl Fn(&Body) -> bool) -> &'static str {
    // A card that is known needs a dozen documents for as many commands as one that was never seen.
    let until = Instant::now() + Duration::from_secs(120);
    let mut done: BTreeSet<&'static str> = BTreeSet::new();
    let mut last = "idle";
    loop {
        assert!(Instant::now() < until, "no end on the page {last}, {} commands", hands.apdus());
        let (page, body) = {
            let view = kiosk.kiosk.views.borrow_and_update();
            (view.page, view.body.clone())
        };
        if is_over(&body) {
            return last;
        }
        if !matches!(body, Body::Idle(_) | Body::Trouble(_)) {
            last = page;
        }
        if let Body::Pin(page) = &body {
            assert!(page.alert.is_empty(), "called a wrong PIN: {}", page.alert);
        }
        let is_new = done.insert(page);
        match &body {
            Body::Pin(_) if is_new => {
                for digit in [1, 2, 3, 4] {
                    kiosk.touch(Touch::Digit(digit)).await;
                }
                kiosk.touch(Touch::Confirm).await;
            }
            Body::Choice(_) if is_new => kiosk.touch(Touch::Choose(0)).await,
            Body::Duty(_) if is_new => kiosk.touch(Touch::Understood).await,
            Body::Home(home) if !home.rows.is_empty() && is_new => kiosk.touch(Touch::OpenPatient(0)).await,
            Body::Home(_) => {
                done.remove("home");
            }
            Body::Gate(gate) if gate.act == GateAct::OpenRecord => kiosk.touch(Touch::OpenRecord).await,
            Body::Gate(gate) if gate.act == GateAct::AskConsent => kiosk.touch(Touch::AskConsent).await,
            Body::Consent(_) if done.insert("consent") => kiosk.touch(Touch::Yes).await,
            Body::Documents(page) if page.rows.len() > 1 => kiosk.touch(Touch::OpenDocument(0)).await,
            // Long enough for the card to sign what has been opened.
            Body::Reader(page) if page.reading.is_some() => {
                let changed = kiosk.kiosk.views.changed();
                if tokio::time::timeout(Duration::from_millis(700), changed).await.is_err() && !is_over(&kiosk.shown())
                {
                    kiosk.touch(Touch::Back).await;
                }
                continue;
            }
            _ => {}
        }
        // A page that asks for nothing more is waited for; a touch that was not taken is made again.
        let _nothing_new = tokio::time::timeout(Duration::from_millis(500), kiosk.kiosk.views.changed()).await;
    }
}
