//! A card that comes back to the kiosk, and one that comes with another's number.

use super::*;

/// The nurse's second visit takes a few commands where the first took dozens. A card that then comes with her number is taken
/// for hers until it signs: nothing opens, the page says what to do, and the next time it is read for itself.
#[test]
fn a_card_is_known_again_and_another_under_its_number_is_found_out() {
    with_card("kiosk::known::a_card_is_known_again_and_another_under_its_number_is_found_out", "nurse", |hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let stage = stage(folder.path());
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            kiosk.type_pin().await;
            assert!(hands.apdus() > 18, "{} the first time", hands.apdus());
            kiosk.touch(Touch::Confirm).await;
            kiosk.until("a word about duties", |body| matches!(body, Body::Duty(_))).await;
            kiosk.touch(Touch::Understood).await;
            kiosk.until("home", |body| matches!(body, Body::Home(_))).await;
            known_cards(&stage, 1).await;

            change(&mut kiosk, hands, "nurse").await;
            kiosk.type_pin().await;
            assert!(hands.apdus() <= 4, "{} the second time", hands.apdus());
            kiosk.touch(Touch::Confirm).await;
            kiosk.until("home", |body| matches!(body, Body::Home(home) if !home.rows.is_empty())).await;

            change(&mut kiosk, hands, "doctor@nurse").await;
            kiosk.type_pin().await;
            kiosk.touch(Touch::Confirm).await;
            let body = kiosk.until("page that says why not", |body| matches!(body, Body::Trouble(_))).await;
            assert!(text_of(&body).contains(Trouble::CardNotAsKnown.words().name), "{}", text_of(&body));
            assert_eq!(hands.tries_left(), Some(3));
            known_cards(&stage, 0).await;
            change(&mut kiosk, hands, "doctor@nurse").await;
            kiosk.log_in().await;
            known_cards(&stage, 1).await;
        });
    });
}

async fn change(kiosk: &mut Person, hands: &Hands, name: &str) {
    hands.pull();
    kiosk.until("a blank page", |body| matches!(body, Body::Idle(_))).await;
    // pcscd looks at a virtual slot every 400 ms.
    tokio::time::sleep(Duration::from_secs(1)).await;
    hands.insert(name);
}

/// Until so many cards are written down: that is done in a quiet moment.
async fn known_cards(stage: &Stage, wanted: u32) {
    let journal = rusqlite::Connection::open(stage.state.join("journal.db")).expect("a journal");
    let mut count = 0;
    for _try in 0..100 {
        count = journal.query_row("SELECT count(*) FROM card", [], |row| row.get(0)).expect("counted");
        if count == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{count} cards are known, not {wanted}");
}
