//! A round on real parts: prepared as policy has it, cut short, found again, read without a network, and accounted for after.

use super::*;
use chevet::sandbox::dmp::Amendment;
use chevet::screen::view::Ahead;
use chevet::screen::view::AheadAct;
use chevet::screen::view::Home;

/// The patient who is asked at the bedside: initial consent and authorization in one.
const ASKED: usize = 1;

async fn agree(kiosk: &mut Person) {
    kiosk.touch(Touch::OpenPatient(ASKED)).await;
    let may = |body: &Body| matches!(body, Body::Gate(gate) if gate.act == GateAct::AskConsent);
    kiosk.until("a question to ask", may).await;
    kiosk.touch(Touch::AskConsent).await;
    kiosk.until("the patient's page", |body| matches!(body, Body::Consent(_))).await;
    kiosk.touch(Touch::Yes).await;
    kiosk.until("the list", |body| matches!(body, Body::Documents(_))).await;
    kiosk.touch(Touch::Quit).await;
    kiosk.until("home", |body| matches!(body, Body::Home(_))).await;
}

async fn ahead(kiosk: &mut Person, what: &str, there: impl Fn(&Ahead) -> bool) -> Ahead {
    let Body::Ahead(page) = kiosk.until(what, |body| matches!(body, Body::Ahead(page) if there(page))).await else {
        panic!("another page");
    };
    page
}

pub(super) async fn home(kiosk: &mut Person, what: &str, there: impl Fn(&Home) -> bool) -> Home {
    let Body::Home(page) = kiosk.until(what, |body| matches!(body, Body::Home(page) if there(page))).await else {
        panic!("another page");
    };
    page
}

async fn swap_same(kiosk: &mut Person, hands: &Hands) {
    hands.pull();
    kiosk.until("a blank page", |body| matches!(body, Body::Idle(_))).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    hands.insert("nurse");
    kiosk.log_in().await;
}

/// How many rows of each class the journal has.
fn classes(stage: &Stage, class: &str) -> usize {
    let mut out = Vec::new();
    Look::open(&stage.state, None).expect("a look").export(&mut out).expect("exported");
    String::from_utf8(out).expect("text").matches(&format!("\"class\":\"{class}\"")).count()
}

/// What whoever looks after the device is told, beside the kiosk that runs.
fn status(stage: &Stage) -> serde_json::Value {
    let mut chevet = std::process::Command::new(env!("CARGO_BIN_EXE_chevet"));
    let done = chevet.args(["sync", "status", "--json", "--state"]).arg(&stage.state).output().expect("it runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).expect("JSON")
}

#[test]
fn a_round_is_prepared_unseen_read_offline_and_accounted_for() {
    with_card("kiosk::round::a_round_is_prepared_unseen_read_offline_and_accounted_for", "nurse", |hands: &Hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let mut stage = stage(folder.path());
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            kiosk.log_in().await;
            let before = home(&mut kiosk, "home", |_| true).await;
            assert_eq!(before.prepare, "Préparer la tournée");
            agree(&mut kiosk).await;

            kiosk.touch(Touch::PrepareRound).await;
            let proposed = ahead(&mut kiosk, "what there is to fetch", |page| page.act == AheadAct::Start).await;
            assert!(proposed.rows[ASKED].pill.text.contains("document"), "{}", proposed.rows[ASKED].label);
            // A valid authorization is not enough: the initial consent was never said here.
            assert_eq!(proposed.rows[0].pill.text, "À ouvrir au chevet", "{}", proposed.rows[0].label);
            assert!(proposed.rows[0].details.contains("consentement initial"), "{}", proposed.rows[0].details);
            assert_eq!(classes(&stage, "prefetched"), 0, "nothing is fetched before somebody says so");

            kiosk.touch(Touch::Start).await;
            let done = ahead(&mut kiosk, "the end", |page| page.act == AheadAct::None && page.percent > 0).await;
            assert!(done.summary.starts_with("1\u{a0}patient prêt sur 9"), "{}", done.summary);
            let count = classes(&stage, "prefetched");
            assert!(count > 5, "{count} rows");
            assert_eq!((classes(&stage, "opened"), classes(&stage, "listed")), (0, 1), "and nobody read anything");
            kiosk.touch(Touch::Back).await;
            home(&mut kiosk, "home", |page| page.summary == "1\u{a0}patient prêt sur 9").await;
            attested(&Look::open(&stage.state, None).expect("a look")).await;
            let traces = stage.received_traces();
            let of =
                |class: &str| traces.iter().filter(|trace| trace.to_string().contains(&format!("\"{class}\""))).count();
            assert_eq!((of("prefetched"), of("opened")), (count, 0), "the server knows them as what they are");

            stage.stop_dmp();
            swap_same(&mut kiosk, hands).await;
            home(&mut kiosk, "the round as it was", |page| page.summary == "1\u{a0}patient prêt sur 9").await;
            kiosk.open_record_of(ASKED).await;
            kiosk.touch(Touch::OpenDocument(0)).await;
            kiosk.until("a document", |body| matches!(body, Body::Reader(page) if page.reading.is_some())).await;
            kiosk.touch(Touch::Quit).await;
            home(&mut kiosk, "home", |_| true).await;
            let told = status(&stage);
            assert!(told["waiting"]["traces"].as_u64() >= Some(3), "what was done offline waits: {told}");
            assert!(told["last_success"].is_string() && told["set_aside"] == serde_json::json!([]), "{told}");

            stage.start_dmp().expect("back");
            swap_same(&mut kiosk, hands).await;
            let told = home(&mut kiosk, "word of the national trace", |page| !page.national.is_empty()).await;
            assert_eq!(told.national, "Trace nationale faite pour 1\u{a0}patient lu hors ligne.");
            swap_same(&mut kiosk, hands).await;
            tokio::time::sleep(Duration::from_secs(2)).await;
            assert!(home(&mut kiosk, "home", |_| true).await.national.is_empty(), "once");
        });
    });
}

/// Stopped, and the line gone in the middle: what is here stays here, and the rest is gone on with.
#[test]
fn a_round_that_is_cut_short_is_gone_on_with() {
    with_card("kiosk::round::a_round_that_is_cut_short_is_gone_on_with", "nurse", |hands: &Hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let mut stage = stage(folder.path());
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            kiosk.log_in().await;
            agree(&mut kiosk).await;
            kiosk.touch(Touch::PrepareRound).await;
            ahead(&mut kiosk, "what there is to fetch", |page| page.act == AheadAct::Start).await;
            stage.stop_dmp();
            kiosk.touch(Touch::Start).await;
            let cut = ahead(&mut kiosk, "why it stopped", |page| page.notice.is_some()).await;
            assert_eq!((cut.act, cut.percent), (AheadAct::GoOn, 0));
            assert_eq!(cut.notice.expect("a notice").happened, Trouble::Offline.words().happened);
            assert_eq!(classes(&stage, "prefetched"), 0, "what did not come is not said to have come");

            stage.start_dmp().expect("back");
            kiosk.touch(Touch::Start).await;
            ahead(&mut kiosk, "the end", |page| page.percent > 0).await;
            // Pulled: everything is gone from the screen, and the round is as it was.
            swap_same(&mut kiosk, hands).await;
            let found = home(&mut kiosk, "the round as it was", |page| page.summary.starts_with('1')).await;
            assert_eq!(found.prepare, "Compléter la tournée");
        });
    });
}

/// Pulled while documents come: nothing is shown, nothing is ready that did not come, and the same card goes on with it.
#[test]
fn a_card_pulled_while_documents_come_leaves_a_round_that_is_gone_on_with() {
    let name = "kiosk::round::a_card_pulled_while_documents_come_leaves_a_round_that_is_gone_on_with";
    with_card(name, "nurse", |hands: &Hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let mut stage = stage(folder.path());
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            kiosk.log_in().await;
            agree(&mut kiosk).await;
            kiosk.touch(Touch::PrepareRound).await;
            ahead(&mut kiosk, "what there is to fetch", |page| page.act == AheadAct::Start).await;
            stage.answer_late(Duration::from_secs(3));
            kiosk.touch(Touch::Start).await;
            ahead(&mut kiosk, "documents that come", |page| page.act == AheadAct::Stop).await;
            hands.pull();
            kiosk.until("a blank page", |body| matches!(body, Body::Idle(_))).await;
            assert_eq!(classes(&stage, "prefetched"), 0, "what did not come is not said to have come");

            // The server has forgotten its haste, as one that was started anew.
            stage.stop_dmp();
            stage.start_dmp().expect("back");
            hands.insert("nurse");
            kiosk.log_in().await;
            let found = home(&mut kiosk, "home", |page| !page.prepare.is_empty()).await;
            assert!(found.summary.starts_with("0\u{a0}patient prêt sur 9"), "{}", found.summary);
            kiosk.touch(Touch::PrepareRound).await;
            ahead(&mut kiosk, "the same to fetch", |page| page.act == AheadAct::Start).await;
            kiosk.touch(Touch::Start).await;
            ahead(&mut kiosk, "documents that come", |page| page.act == AheadAct::Stop).await;
            let done = ahead(&mut kiosk, "the end", |page| page.act == AheadAct::None && page.percent > 0).await;
            assert!(done.summary.starts_with("1\u{a0}patient prêt sur 9"), "{}", done.summary);
            // Each of them once: the first try left nothing behind.
            let of_a_row = |page: &Home| page.rows[ASKED].details.clone();
            kiosk.touch(Touch::Back).await;
            let row = of_a_row(&home(&mut kiosk, "home", |page| page.summary.starts_with('1')).await);
            let count = classes(&stage, "prefetched");
            assert!(row.contains(&format!("{count}\u{a0}documents sur la borne")), "{count} rows beside « {row} »");
        });
    });
}

/// Opens the first record and leaves it: how many documents it showed.
async fn rows_of(kiosk: &mut Person) -> usize {
    kiosk.touch(Touch::OpenPatient(0)).await;
    let may = |body: &Body| matches!(body, Body::Gate(gate) if gate.act == GateAct::OpenRecord);
    kiosk.until("a ground that stands", may).await;
    kiosk.touch(Touch::OpenRecord).await;
    let Body::Documents(page) = kiosk.until("the list", |body| matches!(body, Body::Documents(_))).await else {
        panic!("the list")
    };
    kiosk.touch(Touch::Quit).await;
    kiosk.until("home", |body| matches!(body, Body::Home(_))).await;
    page.rows.len()
}

/// What was masked while nobody looked is gone at the next look, by a synchronisation and not by a new list.
#[test]
fn what_was_masked_meanwhile_is_not_in_the_list_any_more() {
    with_card("kiosk::round::what_was_masked_meanwhile_is_not_in_the_list_any_more", "nurse", |_hands: &Hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let stage = stage(folder.path());
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            kiosk.log_in().await;
            kiosk.open_record_of(0).await;
            let Body::Documents(all) = kiosk.shown() else { panic!("the list") };
            kiosk.touch(Touch::OpenDocument(0)).await;
            kiosk.until("a document", |body| matches!(body, Body::Reader(page) if page.reading.is_some())).await;
            kiosk.touch(Touch::Quit).await;
            home(&mut kiosk, "home", |page| page.rows[0].details.contains("1\u{a0}document sur la borne")).await;

            let papers = &stage.people.persons[0].papers;
            let masked = || Amendment { labels: Some(vec!["MASQUE_PS".to_owned()]), ..Amendment::default() };
            papers.iter().step_by(2).for_each(|paper| stage.amend(&paper.entry_id, masked()));
            let fewer = rows_of(&mut kiosk).await;
            assert!(fewer < all.rows.len(), "{} rows, then {fewer}", all.rows.len());
            let withdrawn = || Amendment { status: Some("entered-in-error".to_owned()), ..Amendment::default() };
            papers.iter().for_each(|paper| stage.amend(&paper.entry_id, withdrawn()));
            assert_eq!(rows_of(&mut kiosk).await, 0);
            home(&mut kiosk, "nothing of it here", |page| page.rows[0].details.contains("rien sur la borne")).await;
        });
    });
}
