//! One byte of what stands in clear, or of a sealed line, is not what was written: wherever it is said a second time, nobody
//! misses anything that cannot be fetched again.

use super::*;
use chevet::journal::item::Body;

/// What a day left, as somebody sees it who comes the next morning.
#[derive(Debug, PartialEq, Eq)]
struct Morning {
    answers: Vec<Answer>,
    traces: usize,
    consents: usize,
    refused: usize,
    rows_of_the_patient: usize,
    round: usize,
}

async fn morning(folder: &Path) -> Morning {
    let vault = open(folder);
    let waiting = vault.waiting(Some(&nurse()), 100).await.expect("read");
    let is_trace = |body: &Body| matches!(body, Body::Trace { .. });
    unlock(&vault, NURSE, 1).await.expect("opened");
    vault.check_compartment(NOON).await.expect("looked at");
    let consents = vault.consents(&patient()).await.expect("read");
    Morning {
        answers: consents.iter().map(|consent| consent.said.answer).collect(),
        traces: waiting.iter().filter(|(item, _)| is_trace(&item.body)).count(),
        consents: waiting.iter().filter(|(item, _)| matches!(item.body, Body::Consent(_))).count(),
        refused: vault.counts().await.expect("counted").set_aside.len(),
        rows_of_the_patient: vault.unsent_accesses(&patient()).await.expect("read").len(),
        round: vault.round().await.expect("read").len(),
    }
}

/// Looking leaves rows: whoever looks does so in a copy.
fn copy(folder: &Path) -> tempfile::TempDir {
    let made = tempfile::tempdir().expect("a folder");
    for (path, bytes) in everything(folder) {
        let to = made.path().join(path.strip_prefix(folder).expect("below"));
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("made");
        write_private(&to, &bytes);
    }
    made
}

/// Values of that column.
fn values(database: &Path, sql: &str) -> Vec<Vec<u8>> {
    let database = rusqlite::Connection::open(database).expect("a database");
    let mut asked = database.prepare(sql).expect("asked");
    asked.query_map([], |row| row.get(0)).and_then(Iterator::collect).expect("read")
}

#[tokio::test]
async fn a_byte_that_changed_is_told_from_what_stands_beside_it() {
    let folder = tempfile::tempdir().expect("a folder");
    {
        let vault = open(folder.path());
        live_a_day(&vault).await;
        let no = vec![said(Answer::Yes, Scope::Authorization, NURSE), said(Answer::No, Scope::Authorization, DOCTOR)];
        vault.record(vec![], no).await.expect("recorded");
        drop(vault);
        // Settled, so that lines of the outbox stand where they are looked for.
        let vault = open(folder.path());
        vault.waiting(None, 1).await.expect("read");
    }
    let right = morning(copy(folder.path()).path()).await;
    assert!(right.answers.contains(&Answer::No) && right.consents > 0, "{right:?}");
    assert!(right.traces > 0 && right.rows_of_the_patient > 0 && right.round > 0 && right.refused == 0, "{right:?}");

    let journal = folder.path().join("journal.db");
    let desk = compartment_file(folder.path());
    let mut mended = 0;
    for (file, column) in [
        (&journal, "SELECT patient FROM consent"),
        (&journal, "SELECT body FROM outbox WHERE kind = 'traces'"),
        (&journal, "SELECT body FROM outbox WHERE kind = 'consents'"),
        (&journal, "SELECT id FROM outbox"),
        (&journal, "SELECT needs FROM outbox WHERE needs IS NOT NULL"),
        (&journal, "SELECT patient FROM trace WHERE patient IS NOT NULL"),
        (&journal, "SELECT holder FROM slot"),
        (&journal, "SELECT card FROM slot"),
        (&journal, "SELECT compartment FROM slot"),
        (&desk, "SELECT patient FROM desk WHERE kind = 'round'"),
    ] {
        let whole = std::fs::read(file).expect("read");
        for value in values(file, column) {
            let places = whole.windows(value.len()).enumerate().filter(|(_, window)| *window == value);
            for at in places.map(|(at, _)| at + value.len() - 1).collect::<Vec<_>>() {
                let flipped = copy(folder.path());
                let mut changed = whole.clone();
                changed[at] ^= 4;
                std::fs::write(flipped.path().join(file.strip_prefix(folder.path()).expect("below")), changed)
                    .expect("written");
                assert_eq!(morning(flipped.path()).await, right, "byte {at}, of: {column}");
                mended += 1;
            }
        }
    }
    assert!(mended > 25, "only {mended} were put right");
}

/// Wherever a lease's end stands: a bit more of it revives nothing for years.
#[tokio::test]
async fn a_lease_that_a_bit_made_longer_is_cut() {
    let folder = tempfile::tempdir().expect("a folder");
    live_a_day(&open(folder.path())).await;
    let journal = folder.path().join("journal.db");
    let lease_end = |journal: &Path| -> i64 {
        let database = rusqlite::Connection::open(journal).expect("a database");
        database.query_row("SELECT lease_end FROM shred", [], |row| row.get(0)).expect("read")
    };
    let right = lease_end(&journal);
    let written = i32::try_from(right).expect("before 2038").to_be_bytes();
    let whole = std::fs::read(&journal).expect("read");
    let places: Vec<usize> =
        whole.windows(4).enumerate().filter(|(_, window)| *window == written).map(|(at, _)| at).collect();
    assert!(places.len() >= 2, "in the table and in its index: {places:?}");
    for at in places {
        let flipped = copy(folder.path());
        let mut changed = whole.clone();
        changed[at] ^= 0x10;
        let journal = flipped.path().join("journal.db");
        std::fs::write(&journal, changed).expect("written");
        drop(open(flipped.path()));
        assert!(lease_end(&journal) <= right, "byte {at}: {} days more", (lease_end(&journal) - right) / 86_400);
    }
}

/// A secret that is lost opens nothing any more: what was sealed with it goes, and is fetched again.
#[tokio::test]
async fn what_a_lost_secret_sealed_is_fetched_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    drop(vault);
    let journal = rusqlite::Connection::open(folder.path().join("journal.db")).expect("a database");
    assert_eq!(journal.execute("DELETE FROM shred", []).expect("lost"), 1);
    drop(journal);

    let vault = open(folder.path());
    unlock(&vault, NURSE, 1).await.expect("opened");
    vault.remember_state(&patient(), &state(), NOON).await.expect("a new secret is made");
    assert!(
        !vault.has(&patient(), &document(1).unique_id).await.expect("read"),
        "it counts as fetched, and never opens"
    );
    vault.remember_list(&held_list(3), NOON).await.expect("kept");
    vault.store(&document(1).unique_id, &held(1, CONTENT), NOON).await.expect("fetched again");
    assert_eq!(content(&vault, NURSE, 1).await.expect("released"), CONTENT);
}
