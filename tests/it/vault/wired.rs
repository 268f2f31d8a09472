//! That the kiosk asks the vault for what the vault can do by itself: at its start, and from the courier, with nobody there.

use super::counter::Chip;
use super::put_back::copied;
use super::put_back::rows;
use super::*;
use crate::exchange::stage::client;
use crate::machine::options as desk_options;
use chevet::card;
use chevet::config;
use chevet::config::Config;
use chevet::device::clock::Clock;
use chevet::exchange::Connector;
use chevet::exchange::Pdsm;
use chevet::exchange::pdsm::Profile;
use chevet::journal::allowance::Limits;
use chevet::journal::item::Contribution;
use chevet::kiosk::counter::Counter;
use chevet::kiosk::courier;
use chevet::kiosk::courier::Courier;
use chevet::kiosk::perform::ahead::Pace;
use chevet::kiosk::perform::hands::Hands;
use chevet::kiosk::rulebook;
use chevet::kiosk::start::Start;
use chevet::kiosk::start::start;
use chevet::kiosk::trusted::Trust;
use chevet::policy::signed::Standing;
use chevet::record::note::NoteDraft;
use chevet::render;
use chevet::sandbox::stage::Stage;
use chevet::trouble::Trouble;
use chevet::visit::Effect;
use chevet::visit::event::Event;
use chevet::visit::event::Ticket;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::sync::watch;

const DAY_S: i64 = 86_400;

fn count(state: &Path, what: &str) -> i64 {
    let beside = rusqlite::Connection::open(state.join("journal.db")).expect("a database");
    beside.query_row(&format!("SELECT count(*) FROM {what}"), [], |row| row.get(0)).expect("counted")
}

fn secrets(state: &Path) -> i64 {
    count(state, "shred WHERE secret IS NOT NULL")
}

/// A patient's record in the nurse's compartment, and her card away again.
async fn keep_a_record(vault: &Vault) {
    unlock(vault, NURSE, 1).await.expect("opened");
    vault.remember_state(&patient(), &state(), NOON).await.expect("kept");
    vault.remember_list(&held_list(2), NOON).await.expect("kept");
    vault.lock().await;
}

/// As `open` does it, where the desk's own key and name lie.
fn on_the_desk(stage: &Stage) -> Vault {
    for _ in 0..200 {
        match Vault::open(desk_options(&stage.state), NOON) {
            Err(Error::InUse) => std::thread::sleep(Duration::from_millis(10)),
            opened => return opened.expect("the vault opens"),
        }
    }
    panic!("the vault stays in use");
}

/// On one thread: nothing that the kiosk starts has run when its start returns.
async fn after_a_start<T>(stage: &Stage, tpm: Option<config::Tpm>, look: impl FnOnce(&Path) -> T) -> T {
    let mut config = Config::read(&stage.settings).expect("settings");
    if let Some(tpm) = tpm {
        config.vault.tpm = tpm;
    }
    let program = PathBuf::from(env!("CARGO_BIN_EXE_chevet"));
    let begin = Start { config, state: stage.state.clone(), credentials: None, program, starter_round: Vec::new() };
    let mut kiosk = start(begin).await.expect("a kiosk");
    let seen = look(&stage.state);
    kiosk.tasks.shutdown().await;
    seen
}

#[tokio::test]
async fn what_is_over_is_gone_before_the_kiosk_draws_anything() {
    for is_over in [true, false] {
        let folder = tempfile::tempdir().expect("a folder");
        let stage = crate::person::stage(folder.path());
        let vault = on_the_desk(&stage);
        keep_a_record(&vault).await;
        // The newest row is what the next start's clock goes on from.
        let last = NOON.plus(if is_over { 40 * DAY_S } else { DAY_S });
        vault
            .record(vec![Draft { at: now(last), ..draft(Class::Login, DOCTOR, None) }], vec![])
            .await
            .expect("recorded");
        drop(vault);
        assert_eq!(secrets(&stage.state), 1);
        let left = after_a_start(&stage, None, secrets).await;
        assert_eq!(left, i64::from(!is_over), "over: {is_over}");
    }
}

#[tokio::test]
async fn the_kiosk_asks_the_chip_at_its_start_whether_its_disk_was_put_back() {
    let (folder, chip) = (tempfile::tempdir().expect("a folder"), Chip::new());
    let stage = crate::person::stage(folder.path());
    let branches = |state: &Path| count(state, "branch");
    // The chip's first counter is made by a start.
    assert_eq!(after_a_start(&stage, Some(chip.setting()), branches).await, 0);
    let copy = copied(&stage.state);
    {
        let vault = on_the_desk(&stage);
        rows(&vault, 4).await;
    }
    assert_eq!(after_a_start(&stage, Some(chip.setting()), branches).await, 0, "the disk that stayed");
    for (path, _) in everything(&stage.state) {
        std::fs::remove_file(path).expect("removed");
    }
    for (path, bytes) in everything(copy.path()) {
        write_private(&stage.state.join(path.strip_prefix(copy.path()).expect("below")), &bytes);
    }
    assert_eq!(after_a_start(&stage, Some(chip.setting()), branches).await, 1);
}

fn nobody_answers() -> Arc<Connector> {
    let base = "https://127.0.0.1:9/fhir";
    let link = || client(|_| ()).expect("a client");
    Arc::new(Pdsm::new(link(), base, link(), base, Profile::Put).expect("a connector").into())
}

/// The kiosk's own, with nobody at the other end of anything.
fn hands(stage: &Stage, vault: Vault, at: UnixSeconds) -> Hands {
    let config = Config::read(&stage.settings).expect("settings");
    let (notices, _heard) = mpsc::channel(8);
    let (lists, _wanted) = mpsc::channel(1);
    let (courier, _orders) = mpsc::channel(8);
    let (events, _events) = mpsc::channel(64);
    let (presence, _present) = watch::channel(None);
    let program = PathBuf::from(env!("CARGO_BIN_EXE_chevet"));
    Hands {
        device: "chevet-0011223344556677".into(),
        reader: card::Reader::start(card::Options::default(), notices).expect("a reader"),
        vault,
        upstream: nobody_answers(),
        key: Arc::default(),
        worker: render::Worker::start(program, render::Limits::default()).expect("a worker"),
        trust: Arc::new(Trust::read(&config.trust, &stage.state).expect("anchors")),
        lists,
        counter: Counter::new(&config.vault.tpm),
        clock: Clock::start(at),
        courier,
        presence,
        events,
        team: rulebook::issued(&config.site, Standing::Desk).team,
        phone: None,
        outlet: None,
        starter_round: Vec::new(),
        agenda: None,
        prepared: Default::default(),
        present: Hands::nobody(),
        begun: Default::default(),
        pace: Pace::default(),
    }
}

/// Before it does what is asked, whatever that is: what is over is not read once more.
#[tokio::test]
async fn whoever_does_what_the_visit_asks_tells_the_time_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let stage = crate::person::stage(folder.path());
    let vault = on_the_desk(&stage);
    keep_a_record(&vault).await;
    let hands = hands(&stage, vault, NOON.plus(100 * DAY_S));
    assert_eq!(secrets(&stage.state), 1);
    assert!(hands.perform(Effect::DropAhead).await.is_none());
    assert_eq!(secrets(&stage.state), 0);
}

/// Refused, being corrected, and sent again as it was: until the server's answer is known, its correction is not written on.
#[tokio::test]
async fn a_note_that_may_still_leave_is_not_corrected_beside_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let stage = crate::person::stage(folder.path());
    let vault = on_the_desk(&stage);
    live_a_day(&vault).await;
    let (refused, name) = (vault.new_id(NOON).await.expect("a name"), vault.new_id(NOON).await.expect("a name"));
    let one = Contribution::add(contributions::note(refused));
    vault.contribute(contributions::row(&one), refused, one).await.expect("finished");
    vault.set_aside(refused, "too-long".into(), "Trop long.".into(), NOON).await.expect("set aside");
    let draft = NoteDraft { corrects: Some(refused), ..contributions::drafted(name) };
    vault.keep_note_draft(&patient(), draft.clone(), NOON).await.expect("kept");
    assert!(!vault.may_still_leave(refused).await.expect("asked"), "refused");
    assert!(vault.send_again(refused, NOON).await.expect("asked"));

    let hands = hands(&stage, vault.clone(), NOON);
    let open = async || {
        let ticket = Ticket(1);
        let asked = Effect::OpenDraft { ticket, patient: patient(), corrects: None };
        match hands.perform(asked).await {
            Some(Event::DraftCame { answer, .. }) => answer,
            _ => panic!("no draft"),
        }
    };
    assert_eq!(open().await.err(), Some(Trouble::CorrectedWaits), "it waits");
    vault.sent(vec![refused]).await.expect("said");
    assert_eq!(open().await.err(), Some(Trouble::CorrectedWaits), "it may have arrived");
    let kept = vault.note_draft(&patient()).await.expect("read").expect("on the desk");
    assert!(kept == draft, "the draft is kept, and what it corrects");
    vault.acknowledged(vec![refused], NOON).await.expect("kept");
    let came = open().await.expect("a draft");
    assert!(came == NoteDraft { corrects: None, ..draft }, "a note of its own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_courier_ends_leases_and_prunes_with_nobody_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    keep_a_record(&vault).await;
    let gate = || draft(Class::Gate, NURSE, Some((&patient(), None)));
    vault.record(vec![gate(), gate()], vec![]).await.expect("recorded");
    let taken = vault.waiting(None, 1).await.expect("read").remove(0).0.id;
    vault.acknowledged(vec![taken], NOON).await.expect("kept");
    let pruned = |state: &Path| count(state, "trace WHERE body IS NULL");
    assert_eq!((secrets(folder.path()), pruned(folder.path())), (1, 0));

    let (_presence, presence) = watch::channel(None);
    let (events, mut heard) = mpsc::channel(64);
    let (orders, taken) = mpsc::channel(8);
    let journal = config::Journal { retention_days: 90, allowance: Limits::default() };
    let courier = Courier {
        vault: vault.clone(),
        upstream: nobody_answers(),
        clock: Clock::start(NOON.plus(100 * DAY_S)),
        events,
        presence,
        device: "chevet-0011223344556677".into(),
        journal,
    };
    let running = tokio::spawn(courier::run(courier, taken));
    tokio::spawn(async move { while heard.recv().await.is_some() {} });
    let until = tokio::time::Instant::now() + Duration::from_secs(60);
    while (secrets(folder.path()), pruned(folder.path())) != (0, 1) {
        assert!(tokio::time::Instant::now() < until, "it never came to that");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    drop(orders);
    running.await.expect("it ends");
    assert_eq!(pruned(folder.path()), 1, "what the upstream has not taken stays");
}
