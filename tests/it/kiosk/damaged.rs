//! A store that is not as it was left, before a kiosk on real parts: what can be kept is, its holder is told on their home page,
//! and what another board sealed is sealed anew.

use super::keys::alone;
use super::*;
use chevet::journal::Draft;
use chevet::journal::words::Mode;
use chevet::journal::words::Regime;
use chevet::journal::words::Source;
use chevet::sandbox::people::NURSE;
use chevet::time::Now;
use chevet::time::UnixSeconds;
use chevet::time::Wall;
use chevet::vault;
use chevet::vault::Algorithm;
use chevet::vault::Vault;
use rusqlite::Connection;
use std::path::PathBuf;
use uuid::Uuid;

/// The nurse comes, leaves, and the kiosk ends; then something befalls her compartment.
async fn after_a_visit(stage: &Stage, hands: &Hands, befalls: impl FnOnce(&Path)) -> Person {
    let mut kiosk = Person::before(stage, &stage.settings).await;
    kiosk.log_in().await;
    hands.pull();
    kiosk.until("a blank page", |body| matches!(body, Body::Idle(_))).await;
    drop(kiosk);
    // Its folder is free again once the next one has it.
    drop(alone(stage).await);
    tokio::time::sleep(Duration::from_secs(1)).await;
    befalls(&compartment(stage));
    let kiosk = alone(stage).await;
    hands.insert("nurse");
    kiosk
}

fn compartment(stage: &Stage) -> PathBuf {
    let found = std::fs::read_dir(stage.state.join("compartments")).expect("compartments").flatten();
    let mut found = found.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|kind| kind == "db"));
    found.next().expect("hers")
}

/// The round is there, and the notice beside it.
async fn is_told(kiosk: &mut Person, trouble: Trouble) {
    kiosk.log_in().await;
    let happened = trouble.words().happened;
    let told = |body: &Body| {
        let Body::Home(home) = body else { return false };
        home.rows.len() == 9 && home.notice.as_ref().is_some_and(|notice| notice.happened == happened)
    };
    kiosk.until("home, with the round and the notice", told).await;
}

#[test]
fn a_step_that_fails_is_told_at_home() {
    with_card("kiosk::damaged::a_step_that_fails_is_told_at_home", "nurse", |hands: &Hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let stage = stage(folder.path());
            // What the last step makes is there already.
            let refuses = |path: &Path| {
                let database = Connection::open(path).expect("a database");
                database.pragma_update(None, "user_version", 5).expect("set");
            };
            let mut kiosk = after_a_visit(&stage, hands, refuses).await;
            is_told(&mut kiosk, Trouble::DeskSetAside).await;
        });
    });
}

/// Of a page only its kind is left, which says that nothing is on it: found in the first quiet moment, while home is there.
#[test]
fn an_emptied_page_is_told_at_home() {
    with_card("kiosk::damaged::an_emptied_page_is_told_at_home", "nurse", |hands: &Hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let stage = stage(folder.path());
            let mut kiosk = after_a_visit(&stage, hands, |path| spoil(path, 1, 0)).await;
            is_told(&mut kiosk, Trouble::DeskSetAside).await;
        });
    });
}

/// A page that cannot be read, and that home's list needs.
#[test]
fn a_damaged_page_is_told_at_home() {
    with_card("kiosk::damaged::a_damaged_page_is_told_at_home", "nurse", |hands: &Hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let stage = stage(folder.path());
            let mut kiosk = after_a_visit(&stage, hands, |path| spoil(path, 0, 0x41)).await;
            is_told(&mut kiosk, Trouble::DeskSetAside).await;
        });
    });
}

/// The first page of the records' table, from that byte on.
fn spoil(path: &Path, from: usize, with: u8) {
    let database = Connection::open(path).expect("a database");
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'record'";
    let root: u32 = database.query_row(sql, [], |row| row.get(0)).expect("read");
    drop(database);
    let mut bytes = std::fs::read(path).expect("read");
    bytes[(root as usize - 1) * 4096..][from..512].fill(with);
    std::fs::write(path, &bytes).expect("written");
}

/// As a power cut left it while she was there; then somebody removed its log.
#[test]
fn a_lost_log_is_told_at_home() {
    with_card("kiosk::damaged::a_lost_log_is_told_at_home", "nurse", |hands: &Hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let stage = stage(folder.path());
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            kiosk.log_in().await;
            hands.pull();
            kiosk.until("a blank page", |body| matches!(body, Body::Idle(_))).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            hands.insert("nurse");
            kiosk.log_in().await;
            kiosk.open_record_of(0).await;
            let path = compartment(&stage);
            assert!(path.with_extension("db-wal").metadata().expect("a log").len() > 0);
            let kept = ["db", "open"].map(|end| {
                let path = path.with_extension(end);
                let written = std::fs::metadata(&path).and_then(|about| about.modified()).expect("a time");
                (std::fs::read(&path).expect("read"), written, path)
            });
            drop(kiosk);
            drop(alone(&stage).await);
            hands.pull();
            tokio::time::sleep(Duration::from_secs(1)).await;
            for (bytes, written, path) in kept {
                std::fs::write(&path, bytes).expect("put back");
                std::fs::File::open(&path).and_then(|file| file.set_modified(written)).expect("set");
            }
            let mut kiosk = alone(&stage).await;
            hands.insert("nurse");
            is_told(&mut kiosk, Trouble::DeskNewestLost).await;
        });
    });
}

/// A disk that comes from a board with the other cipher: what a visit touches is sealed as this board does it, in its quiet
/// moments.
#[test]
fn what_another_board_sealed_is_sealed_anew_during_a_visit() {
    with_card("kiosk::damaged::what_another_board_sealed_is_sealed_anew_during_a_visit", "nurse", |_hands: &Hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let stage = stage(folder.path());
            let here = Algorithm::of_this_machine();
            let there = match here {
                Algorithm::Aes256Gcm => Algorithm::ChaCha20Poly1305,
                Algorithm::ChaCha20Poly1305 => Algorithm::Aes256Gcm,
            };
            lived_on(there, &stage.state).await;
            assert_eq!(first_row_is_sealed_with(&stage.state), there as u8);
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            kiosk.log_in().await;
            let until = Instant::now() + Duration::from_secs(20);
            while first_row_is_sealed_with(&stage.state) != here as u8 {
                assert!(Instant::now() < until, "it stays as the other board sealed it");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
    });
}

fn first_row_is_sealed_with(state: &Path) -> u8 {
    let journal = Connection::open(state.join("journal.db")).expect("a journal");
    let body: Vec<u8> = journal.query_row("SELECT body FROM trace WHERE idx = 0", [], |row| row.get(0)).expect("a row");
    body[0]
}

/// One row of the nurse's.
async fn lived_on(algorithm: Algorithm, state: &Path) {
    let options = vault::Options {
        folder: state.to_path_buf(),
        device: vault::keys::device_id(state).expect("a name"),
        software: "chevet test".into(),
        boot: Uuid::from_u128(9),
        device_key: vault::keys::desk_device_key(state).expect("a key"),
    };
    let at = UnixSeconds(1_795_435_200);
    let vault = Vault::open_sealing_with(algorithm, options, at).expect("a vault");
    let row = Draft {
        class: Class::Login,
        holder: HolderId(NURSE.into()),
        profession: None,
        login: None,
        proof: None,
        situation: None,
        patient: None,
        document: None,
        ground: None,
        mode: Mode::Normal,
        regime: Regime::ConseilEtat2025,
        rule: "AP-1".into(),
        matrix_version: "2026-11".into(),
        reason: None,
        secret: false,
        framework: None,
        source: Source::Online,
        at: Now { since_boot: Duration::from_secs(60), wall: Wall::AtLeast(at) },
    };
    vault.record(vec![row], vec![]).await.expect("recorded");
}
