//! Keys on real parts: what a card that signs wrongly gets, and what the server takes back while a holder's card is away.

use super::*;
use chevet::sandbox::people::NURSE;
use chevet::sandbox::people::Record;
use chevet::sandbox::people::Standing;
use rusqlite::Connection;

/// It proves itself at the login, and signs with another key for its compartment: nothing is wrapped with that, and nothing
/// opens. The right card finds everything as it was.
#[test]
fn a_wrong_signature_for_a_compartment_is_no_key() {
    with_card("kiosk::keys::a_wrong_signature_for_a_compartment_is_no_key", "nurse", |hands: &Hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let stage = stage(folder.path());
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            kiosk.type_pin().await;
            let slow = Faults { slow: Duration::from_millis(300), ..Faults::default() };
            hands.set_faults(slow);
            kiosk.touch(Touch::Confirm).await;
            let opening = |body: &Body| matches!(body, Body::Wait(page) if page.title.starts_with("Ouverture"));
            kiosk.until("opening, after the login", opening).await;
            hands.set_faults(Faults { wrong_key: true, ..slow });
            let body = kiosk.until("page that says why not", |body| matches!(body, Body::Trouble(_))).await;
            assert!(text_of(&body).contains(Trouble::SignatureRefused.words().name), "{}", text_of(&body));
            let wrapped = |stage: &Stage| -> Vec<bool> {
                let journal = Connection::open(stage.state.join("journal.db")).expect("a journal");
                let mut asked = journal.prepare("SELECT wrapped IS NOT NULL FROM slot").expect("asked");
                asked.query_map([], |row| row.get(0)).and_then(Iterator::collect).expect("read")
            };
            assert_eq!(wrapped(&stage), [false], "the card was asked, and its answer wraps nothing");
            hands.pull();
            kiosk.until("a blank page", |body| matches!(body, Body::Idle(_))).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            hands.insert("nurse");
            kiosk.log_in().await;
            assert_eq!(wrapped(&stage), [true]);
        });
    });
}

/// The nurse has copies and is away. The doctor's next look at the record tells that a document was masked, then that the
/// record was closed: her copies go, then his, before anything is shown.
#[test]
fn what_the_server_takes_back_is_destroyed_whoevers_card_is_in() {
    with_card("kiosk::keys::what_the_server_takes_back_is_destroyed_whoevers_card_is_in", "nurse", |hands: &Hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let mut stage = stage(folder.path());
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            kiosk.log_in().await;
            kiosk.open_record_of(0).await;
            swap(&mut kiosk, hands, "doctor").await;
            kiosk.open_record_of(0).await;
            assert_eq!(living(&stage), (2, 0), "each has copies");
            swap(&mut kiosk, hands, "doctor").await;
            kiosk.open_record_of(0).await;
            assert_eq!(living(&stage), (2, 0), "the same list takes nothing back");

            stage.stop_dmp();
            let papers = &mut stage.people.persons[0].papers;
            let newest = papers.iter().map(|paper| paper.created).max().expect("documents");
            papers.retain(|paper| paper.created < newest);
            stage.start_dmp().expect("back");
            swap(&mut kiosk, hands, "doctor").await;
            kiosk.open_record_of(0).await;
            assert_eq!(living(&stage), (1, 1), "a document is gone: hers too");

            stage.stop_dmp();
            stage.people.persons[0].record = Record::Closed { days_ago: 0 };
            stage.start_dmp().expect("back");
            swap(&mut kiosk, hands, "doctor").await;
            kiosk.touch(Touch::OpenPatient(0)).await;
            kiosk.until("why not", |body| matches!(body, Body::Why(_))).await;
            assert_eq!(living(&stage), (0, 2), "nobody's are left");
        });
    });
}

/// The patient has blocked the nurse: the very visit that is told so destroys her copies, and leaves the doctor's.
#[test]
fn a_holder_who_is_blocked_keeps_no_copies() {
    with_card("kiosk::keys::a_holder_who_is_blocked_keeps_no_copies", "doctor", |hands: &Hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let mut stage = stage(folder.path());
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            kiosk.log_in().await;
            kiosk.open_record_of(0).await;
            swap(&mut kiosk, hands, "nurse").await;
            kiosk.open_record_of(0).await;
            assert_eq!(living(&stage), (2, 0), "each has copies");

            stage.stop_dmp();
            stage.people.persons[0].standing.push(Standing::Blocked(NURSE));
            stage.start_dmp().expect("back");
            swap(&mut kiosk, hands, "nurse").await;
            kiosk.touch(Touch::OpenPatient(0)).await;
            kiosk.until("why not", |body| matches!(body, Body::Why(_))).await;
            assert_eq!(living(&stage), (1, 1), "hers are gone, and hers alone");
            swap(&mut kiosk, hands, "doctor").await;
            kiosk.open_record_of(0).await;
            assert_eq!(living(&stage), (1, 1), "the doctor still reads");
        });
    });
}

/// The old card's round, on the new card of the same person: first a kiosk that fills the round of whoever has none, then one
/// that does not.
#[test]
fn a_round_goes_from_the_old_card_to_the_new_one() {
    with_card("kiosk::keys::a_round_goes_from_the_old_card_to_the_new_one", "ending", |hands: &Hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let stage = stage(folder.path());
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            kiosk.log_in().await;
            hands.pull();
            kiosk.until("a blank page", |body| matches!(body, Body::Idle(_))).await;
            drop(kiosk);
            let mut kiosk = alone(&stage).await;
            hands.insert("ending");
            kiosk.log_in().await;
            let ends =
                |body: &Body| matches!(body, Body::Home(home) if home.hand_over.starts_with("Votre carte expire dans"));
            kiosk.until("word of the card's end", ends).await;
            kiosk.touch(Touch::HandOver).await;
            let waits = Trouble::HandOverWaits.words().name;
            kiosk.until("what to do now", |body| text_of(body).contains(waits)).await;
            swap(&mut kiosk, hands, "renewed").await;
            let taken =
                |body: &Body| matches!(body, Body::Home(home) if home.rows.len() == 9 && home.hand_over.is_empty());
            kiosk.until("the round, on a card that lasts", taken).await;
        });
    });
}

/// What a holder has opened is theirs to know: it is read from their rows, at once and the next time.
#[test]
fn a_document_is_unread_until_its_holder_has_opened_it() {
    with_card("kiosk::keys::a_document_is_unread_until_its_holder_has_opened_it", "nurse", |hands: &Hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let stage = stage(folder.path());
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            kiosk.log_in().await;
            kiosk.open_record_of(0).await;
            let unread = |body: &Body| -> Vec<bool> {
                let Body::Documents(page) = body else { return Vec::new() };
                page.rows.iter().map(|row| row.details.starts_with("Non lu")).collect()
            };
            let listed = |body: &Body| !unread(body).is_empty();
            assert!(unread(&kiosk.until("the list", listed).await).iter().all(|unread| *unread));
            kiosk.touch(Touch::OpenDocument(1)).await;
            kiosk.until("a document", |body| matches!(body, Body::Reader(page) if page.reading.is_some())).await;
            kiosk.touch(Touch::Back).await;
            let only_second = |rows: Vec<bool>| rows.iter().enumerate().all(|(place, unread)| *unread == (place != 1));
            assert!(only_second(unread(&kiosk.until("the list", listed).await)), "at once");
            kiosk.touch(Touch::Quit).await;
            kiosk.until("home", |body| matches!(body, Body::Home(_))).await;
            kiosk.open_record_of(0).await;
            assert!(only_second(unread(&kiosk.until("the list", listed).await)), "the next time");
            swap(&mut kiosk, hands, "doctor").await;
            kiosk.open_record_of(0).await;
            let theirs = unread(&kiosk.until("the list", listed).await);
            assert!(theirs.iter().all(|unread| *unread), "the doctor has read nothing");
        });
    });
}

/// A second kiosk on the same folder, which gives nobody a round.
pub(super) async fn alone(stage: &Stage) -> Person {
    for _try in 0..100 {
        match Person::with_round(stage, &stage.settings, Vec::new()).await {
            Ok(kiosk) => return kiosk,
            Err(StartError::Vault { source: chevet::vault::Error::InUse }) => {}
            Err(error) => panic!("{error}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the first kiosk does not let go of its folder");
}

/// Patients' secrets that live, and tombstones, over all holders.
fn living(stage: &Stage) -> (u32, u32) {
    let journal = Connection::open(stage.state.join("journal.db")).expect("a journal");
    let sql = "SELECT count(secret), count(*) - count(secret) FROM shred";
    journal.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).expect("counted")
}

/// This card out, that one in.
async fn swap(kiosk: &mut Person, hands: &Hands, name: &str) {
    hands.pull();
    kiosk.until("a blank page", |body| matches!(body, Body::Idle(_))).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    hands.insert(name);
    kiosk.log_in().await;
}
