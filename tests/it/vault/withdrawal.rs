//! What a patient takes back while a holder's card is away: then that card, its PIN, the device key and the whole disk open
//! nothing of that patient. Whoever tries has every byte of that evening's disk and of the next day's, logs included.

use super::*;
use chevet::vault::Whose;

/// What somebody with the disk, the device key, the nurse's card and its PIN gets to see of the patient.
#[derive(Debug, PartialEq, Eq)]
struct Loot {
    state: bool,
    titles: usize,
    contents: usize,
}

const NOTHING: Loot = Loot { state: false, titles: 0, contents: 0 };
const ALL: Loot = Loot { state: true, titles: 3, contents: 2 };

/// Every byte of the folder as it stands, its write-ahead logs among them.
fn image(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let relative = |(path, bytes): (PathBuf, Vec<u8>)| (path.strip_prefix(folder).expect("below").to_path_buf(), bytes);
    everything(folder).into_iter().map(relative).collect()
}

/// `images` one over the other: what the first ones had and the last one has not any more is there too.
async fn rob(images: &[&[(PathBuf, Vec<u8>)]], at: UnixSeconds) -> Loot {
    let den = tempfile::tempdir().expect("a folder");
    for (path, bytes) in images.iter().copied().flatten() {
        let path = den.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, bytes).expect("written");
    }
    let vault = open(den.path());
    unlock_at(&vault, NURSE, 1, at).await.expect("her card, her PIN and the device key open her compartment");
    let mut contents = 0;
    for number in 1..=3 {
        contents += usize::from(content(&vault, NURSE, number).await.is_ok());
    }
    let list = vault.list(&patient()).await.ok().flatten();
    let row = vault.record(vec![draft(Class::Listed, NURSE, Some((&patient(), None)))], vec![]).await;
    let row = row.expect("recorded").remove(0);
    let titles = list.and_then(|(list, _)| list.release(&row).ok()).map_or(0, |list| list.len());
    Loot { state: matches!(vault.state(&patient()).await, Ok(Some(_))), titles, contents }
}

/// Only what belongs to compartments.
fn compartments(image: &[(PathBuf, Vec<u8>)]) -> Vec<(PathBuf, Vec<u8>)> {
    image.iter().filter(|(path, _)| path.starts_with("compartments")).cloned().collect()
}

/// The patient's secrets, as they are sealed in the journal.
fn sealed_secrets(folder: &Path) -> Vec<Vec<u8>> {
    let database = rusqlite::Connection::open(folder.join("journal.db")).expect("a database");
    let mut asked = database.prepare("SELECT secret FROM shred WHERE secret IS NOT NULL").expect("asked");
    asked.query_map([], |row| row.get(0)).and_then(Iterator::collect).expect("read")
}

/// The nurse lives her day and goes; the doctor's card comes, and `takes_back` is what happens then.
async fn check<F: Future<Output = ()>>(how: &str, takes_back: impl FnOnce(Vault) -> F, at: UnixSeconds) {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    let evening = image(folder.path());
    let is_log = |(path, bytes): &(PathBuf, Vec<u8>)| path.to_string_lossy().ends_with("-wal") && !bytes.is_empty();
    assert_eq!(evening.iter().filter(|file| is_log(file)).count(), 2, "both logs hold something");
    assert_eq!(rob(&[&evening], NOON).await, ALL, "{how}: what there is to lose");
    vault.lock().await;
    let secrets = sealed_secrets(folder.path());
    assert_eq!(secrets.len(), 1);

    takes_back(vault.clone()).await;
    let morning = image(folder.path());
    assert_eq!(rob(&[&morning], at).await, NOTHING, "{how}: the disk as it is");
    // The evening's compartments, file by file and log by log, with the morning's journal.
    let kept = compartments(&evening);
    assert!(kept.len() >= 4, "database, log, index and a sealed file: {}", kept.len());
    assert_eq!(rob(&[&morning, &kept], at).await, NOTHING, "{how}: with her compartment of the evening");
    for (path, bytes) in &morning {
        let found = secrets.iter().any(|secret| bytes.windows(secret.len()).any(|window| window == secret.as_slice()));
        assert!(!found, "{how}: the sealed secret is still in {}", path.display());
    }
    drop(vault);
    // And closed: nothing comes back with a checkpoint.
    assert_eq!(rob(&[&image(folder.path()), &kept], at).await, NOTHING, "{how}: after a restart");
}

/// The doctor's card is in.
async fn doctor_comes(vault: &Vault, at: UnixSeconds) {
    unlock_at(vault, DOCTOR, 2, at).await.expect("opened");
}

#[tokio::test]
async fn a_withdrawal_or_a_refusal_in_anothers_visit_opens_nothing_any_more() {
    for answer in [Answer::Withdrawn, Answer::No] {
        for scope in [Scope::Team("equipe".into()), Scope::Event("equipe".into())] {
            let how = format!("{answer:?}");
            let takes_back = |vault: Vault| async move {
                doctor_comes(&vault, NOON).await;
                let rows = vec![draft(Class::Withdrawn, DOCTOR, Some((&patient(), None)))];
                vault.record(rows, vec![said(answer, scope, DOCTOR)]).await.expect("recorded");
            };
            check(&how, takes_back, NOON).await;
        }
    }
    // With no card in at all.
    let takes_back = |vault: Vault| async move {
        let no = said(Answer::Withdrawn, Scope::Team("equipe".into()), DOCTOR);
        vault.record(vec![], vec![no]).await.expect("recorded");
    };
    check("without any card", takes_back, NOON).await;
}

#[tokio::test]
async fn what_the_upstream_takes_back_opens_nothing_any_more() {
    let closed = |vault: Vault| async move {
        doctor_comes(&vault, NOON).await;
        vault.shred(&patient(), Whose::Everybody).await.expect("shredded");
    };
    check("closure", closed, NOON).await;
    let blocked = |vault: Vault| async move {
        vault.shred(&patient(), Whose::Holder(nurse())).await.expect("shredded");
    };
    check("blocking", blocked, NOON).await;
    // The doctor sees a list in which a document is missing that he had: it may be masked for the nurse too.
    let masked = |vault: Vault| async move {
        doctor_comes(&vault, NOON).await;
        vault.remember_list(&held_list(3), NOON).await.expect("kept");
        assert!(vault.was_taken_back(&held_list(2), NOON.plus(-60)).await.expect("read"));
        vault.shred(&patient(), Whose::EverybodyBut(HolderId(DOCTOR.into()))).await.expect("shredded");
    };
    check("masking", masked, NOON).await;
    let week = NOON.plus(8 * 86_400);
    let ended = |vault: Vault| async move { doctor_comes(&vault, week).await };
    check("the lease's end, at a colleague's opening", ended, week).await;
    // The clock set back afterwards revives nothing.
    let ended = |vault: Vault| async move { doctor_comes(&vault, week).await };
    check("the lease's end, and a clock set back", ended, NOON).await;
}

#[tokio::test]
async fn what_is_taken_back_from_one_leaves_the_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    doctor_comes(&vault, NOON).await;
    vault.remember_list(&held_list(1), NOON).await.expect("kept");
    vault.store(&document(1).unique_id, &held(1, CONTENT), NOON).await.expect("kept");
    vault.shred(&patient(), Whose::EverybodyBut(nurse())).await.expect("shredded");
    assert!(!vault.has(&patient(), &document(1).unique_id).await.expect("read"), "at once, in the open compartment");
    vault.shred(&ins(OTHER_MATRICULE), Whose::Everybody).await.expect("another patient");
    assert_eq!(rob(&[&image(folder.path())], NOON).await, ALL, "the nurse keeps hers");
}

#[tokio::test]
async fn only_what_would_still_be_listed_was_taken_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    let gone = async |count: u32, since: i64| vault.was_taken_back(&held_list(count), NOON.plus(since)).await;
    assert!(gone(2, -1).await.expect("read"), "one of three");
    assert!(gone(2, 0).await.expect("read"), "made in the window's first second");
    assert!(!gone(2, 1).await.expect("read"), "older than what was asked for: it went with time");
    assert!(!gone(3, -1).await.expect("read"), "all are there");
    assert!(!gone(5, -1).await.expect("read"), "and more");
    let strangers = Held::record(ins(OTHER_MATRICULE), Vec::new());
    assert!(!vault.was_taken_back(&strangers, NOON.plus(-1)).await.expect("read"), "never listed here");
}

#[tokio::test]
async fn a_document_that_left_the_list_is_out_of_the_log_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    let sealed = || -> Vec<Vec<u8>> {
        let database = rusqlite::Connection::open(compartment_file(folder.path())).expect("a database");
        let mut asked = database.prepare("SELECT content FROM document WHERE content IS NOT NULL").expect("asked");
        asked.query_map([], |row| row.get(0)).and_then(Iterator::collect).expect("read")
    };
    let content = sealed().remove(0);
    let places = || {
        let has = |bytes: &[u8]| bytes.windows(content.len()).any(|window| window == content.as_slice());
        everything(folder.path()).iter().filter(|(_, bytes)| has(bytes)).count()
    };
    assert!(places() > 0, "it was never there: this shows nothing");
    let others: Vec<Document> = [2, 3].map(document).to_vec();
    vault.remember_list(&Held::record(patient(), others), NOON).await.expect("kept");
    assert_eq!(places(), 0, "a masked document's bytes are still on the disk");
}

/// A prefetch under way while the patient says no: whichever comes first, nothing opens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tombstone_wins_over_a_prefetch_in_flight() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    let mut kept_first = 0;
    for round in 0..60 {
        unlock(&vault, NURSE, 1).await.expect("opened");
        vault.remember_list(&held_list(1), NOON).await.expect("kept");
        let prefetch = async {
            tokio::time::sleep(Duration::from_micros(round * 20)).await;
            vault.store(&document(1).unique_id, &held(1, CONTENT), NOON).await
        };
        let withdrawal = async {
            tokio::time::sleep(Duration::from_micros(600)).await;
            let no = said(Answer::Withdrawn, Scope::Team("equipe".into()), DOCTOR);
            vault.record(vec![], vec![no]).await
        };
        let (stored, recorded) = tokio::join!(prefetch, withdrawal);
        recorded.expect("recorded");
        kept_first += u32::from(stored.is_ok());
        assert!(matches!(stored, Ok(()) | Err(Error::Shredded)), "{stored:?}");
        assert!(content(&vault, NURSE, 1).await.is_err(), "round {round}: while it is open");
        vault.lock().await;
        unlock(&vault, NURSE, 1).await.expect("opened");
        assert!(content(&vault, NURSE, 1).await.is_err(), "round {round}: at the next opening");
        let rows: i64 = rusqlite::Connection::open(compartment_file(folder.path()))
            .and_then(|database| database.query_row("SELECT count(*) FROM document", [], |row| row.get(0)))
            .expect("counted");
        assert_eq!(rows, 0, "round {round}: a row is left");
        vault.lock().await;
    }
    assert!((1..60).contains(&kept_first), "both orders were met: {kept_first} of 60");
}
