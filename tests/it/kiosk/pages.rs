//! A card pulled on each page of a visit, by a hand, while nothing is asked of it: blank at once, and ready for the next card.
//! While something is asked of it: `pulled`. Every page and every state of it, without a reader: `screen/card_out.rs`.
//!
//! The locked screen takes two minutes to come, and has a test of its own.
//!
//! Each page costs a visit and a swap, so the pages are dealt out to three cards, each with a reader and a kiosk of its own.

use super::*;
use crate::desk::first_card;
use crate::desk::is_child;

const SHARES: [&str; 3] = ["nurse~0", "nurse~1", "nurse~2"];

/// A page: where it lies, how one comes to it, and how it is known.
type Place = (&'static str, From, &'static [Touch], fn(&Body) -> bool);

#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    /// That card's.
    Pin(&'static str),
    Home,
    /// The list of the first patient's documents.
    Record,
    /// The document of the fourth patient that the nurse wrote.
    OwnDocument,
}

#[test]
fn a_card_that_is_pulled_leaves_a_blank_page() {
    let test = "kiosk::pages::a_card_that_is_pulled_leaves_a_blank_page";
    std::thread::scope(|scope| {
        // A child is asked for one body; whose card it has does not matter to it.
        let shares = if is_child() { &SHARES[..1] } else { &SHARES[..] };
        for name in shares {
            scope.spawn(|| with_card(test, name, |hands| runtime().block_on(live(hands))));
        }
    });
}

/// The shortest wait that the settings take. What was put by goes with the card: the next login begins at home.
#[test]
fn a_card_that_is_pulled_from_a_locked_screen_leaves_a_blank_page() {
    with_card("kiosk::pages::a_card_that_is_pulled_from_a_locked_screen_leaves_a_blank_page", "nurse", |hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let stage = stage(folder.path());
            let text = std::fs::read_to_string(&stage.settings).expect("settings");
            std::fs::write(&stage.settings, text + "\n[pace]\ndim_s = 60\nlock_s = 120\n").expect("written");
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            kiosk.log_in().await;
            kiosk.open_record_of(0).await;
            let locked = kiosk.kiosk.views.wait_for(|view| matches!(view.body, Body::Locked(_)));
            assert!(
                tokio::time::timeout(Duration::from_secs(130), locked).await.is_ok_and(|view| view.is_ok()),
                "not locked"
            );
            let pulled = Instant::now();
            hands.pull();
            kiosk.until("a blank page", |body| matches!(body, Body::Idle(_))).await;
            assert!(pulled.elapsed() < Duration::from_secs(2), "blank after {:?}", pulled.elapsed());
            hands.see_it_gone();
            hands.insert("nurse");
            kiosk.log_in().await;
            assert!(matches!(kiosk.shown(), Body::Home(_)), "what was put by went with the card");
        });
    });
}

#[rustfmt::skip]
const PLACES: &[Place] = &[
    ("digits typed", From::Pin("nurse"), &[], |body| matches!(body, Body::Pin(page) if page.typed == 4)),
    ("what a consultation entails", From::Pin("doctor"), &[Touch::Confirm], |body| matches!(body, Body::Duty(_))),
    ("two places to choose from", From::Pin("two-places"), &[Touch::Confirm], |body| matches!(body, Body::Choice(_))),
    ("the reception desk", From::Pin("reception"), &[Touch::Confirm], |body| matches!(body, Body::Reception(_))),
    ("home", From::Home, &[], |body| matches!(body, Body::Home(_))),
    ("an INS to type", From::Home, &[Touch::TypeIns], |body| matches!(body, Body::Typing(_))),
    ("the tray", From::Home, &[Touch::ShowTray], |body| matches!(body, Body::Tray(_))),
    ("the round to compose", From::Home, &[Touch::ComposeRound], |body| matches!(body, Body::Compose(_))),
    ("the round to prepare", From::Home, &[Touch::PrepareRound], |body| matches!(body, Body::Ahead(_))),
    ("the gate", From::Home, &[Touch::OpenPatient(0)], |body| matches!(body, Body::Gate(gate) if gate.act == GateAct::OpenRecord)),
    ("another situation", From::Home, &[Touch::OpenPatient(0), Touch::OtherSituation], |body| matches!(body, Body::Choice(_))),
    ("the patient's page", From::Home, &[Touch::OpenPatient(1), Touch::AskConsent], |body| matches!(body, Body::Consent(_))),
    ("the patient's signature", From::Home, &[Touch::OpenPatient(1), Touch::AskConsent, Touch::Sign], |body| matches!(body, Body::Sign(_))),
    ("the list", From::Record, &[], |body| matches!(body, Body::Documents(_))),
    ("the reasons", From::Record, &[Touch::Why], |body| matches!(body, Body::Why(_))),
    ("the history", From::Record, &[Touch::ShowHistory], |body| matches!(body, Body::History(page) if !page.waiting)),
    ("what the patient said", From::Record, &[Touch::ShowHistory, Touch::ShowAgreements], |body| matches!(body, Body::Agreements(_))),
    ("the summary", From::Record, &[Touch::ShowSummary], |body| matches!(body, Body::Summary(page) if !page.rows.is_empty())),
    ("the list's filters", From::Record, &[Touch::Filter], |body| matches!(body, Body::Choice(_))),
    ("an own document's changes", From::OwnDocument, &[Touch::Manage], |body| matches!(body, Body::Choice(_))),
    ("a receipt", From::Record, &[Touch::ShowReceipt], |body| matches!(body, Body::Receipt(_))),
    ("words to search", From::Record, &[Touch::Search], |body| matches!(body, Body::Text(_))),
    ("a note", From::Record, &[Touch::WriteNote, Touch::Choose(0)], |body| matches!(body, Body::Note(_))),
    ("a document", From::Record, &[Touch::OpenDocument(0)], |body| matches!(body, Body::Reader(page) if page.reading.is_some())),
];

async fn live(hands: &Hands) {
    let name = first_card();
    let share = SHARES.iter().position(|card| *card == name).expect("one of the shares");
    let folder = tempfile::tempdir().expect("a folder");
    let stage = stage(folder.path());
    hands.pull_and_see();
    let mut kiosk = Person::before(&stage, &stage.settings).await;
    for (what, from, way, there) in PLACES.iter().skip(share).step_by(SHARES.len()) {
        hands.insert(if let From::Pin(card) = from { card } else { "nurse" });
        match from {
            From::Pin(_) => kiosk.type_pin().await,
            From::Home => kiosk.log_in().await,
            From::Record => {
                kiosk.log_in().await;
                kiosk.open_record_of(0).await;
            }
            From::OwnDocument => {
                kiosk.log_in().await;
                kiosk.open_record_of(3).await;
                let Body::Documents(list) = kiosk.shown() else { panic!("no list") };
                let own = list.rows.iter().position(|row| row.details.contains("QUERVENNEC"));
                kiosk.touch(Touch::OpenDocument(own.expect("one of hers"))).await;
                let read = |body: &Body| matches!(body, Body::Reader(page) if page.reading.is_some() && !page.manage.is_empty());
                kiosk.until("her document", read).await;
            }
        }
        for (number, touch) in way.iter().enumerate() {
            let before = kiosk.kiosk.views.borrow().page;
            let room = std::mem::discriminant(&kiosk.shown());
            kiosk.touch(touch.clone()).await;
            // What comes next is touched on the page that this one led to.
            if number + 1 < way.len() {
                let settled = |body: &Body| {
                    std::mem::discriminant(body) != room
                        && !matches!(body, Body::Wait(_))
                        && !matches!(body, Body::Gate(gate) if gate.act == GateAct::None)
                };
                kiosk.until(&format!("page behind {before}"), settled).await;
            }
        }
        kiosk.until(what, there).await;
        let pulled = Instant::now();
        hands.pull();
        kiosk.until("a blank page", |body| matches!(body, Body::Idle(_))).await;
        assert!(pulled.elapsed() < Duration::from_secs(2), "{what}: blank after {:?}", pulled.elapsed());
        hands.see_it_gone();
        assert_eq!(hands.tries_left(), None, "{what}: no card is in");
    }
    hands.insert("nurse");
    kiosk.log_in().await;
    assert_eq!(hands.tries_left(), Some(3));
}
