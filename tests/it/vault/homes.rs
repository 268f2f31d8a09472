//! Where state lives (DESIGN.md §5), a test a row. A visit by e-CPS: `tests/it/ecps.rs`. Drafts and finished notes: `contributions`.

use super::*;
use std::collections::HashSet;

/// Bytes of the journal, and of the compartments with their sealed files. Indexes of logs hold no content.
fn sizes(folder: &Path) -> (usize, usize) {
    let is_index = |path: &Path| path.to_string_lossy().ends_with("-shm");
    let files = everything(folder).into_iter().filter(|(path, _)| !is_index(path));
    files.fold((0, 0), |(journal, compartments), (path, bytes)| {
        match path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("journal.db")) {
            true => (journal + bytes.len(), compartments),
            false if path.starts_with(folder.join("compartments")) => (journal, compartments + bytes.len()),
            false => (journal, compartments),
        }
    })
}

/// All that any card opens is gone; the journal stays.
fn lose_compartments(folder: &Path) {
    std::fs::remove_dir_all(folder.join("compartments")).expect("removed");
}

/// Traces, consents, tombstones, shred secrets, wrapped compartment keys: the journal, under the device's key.
#[tokio::test]
async fn what_must_outlive_every_card_is_in_the_journal() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    unlock(&vault, DOCTOR, 2).await.expect("opened");
    vault.remember_state(&ins(OTHER_MATRICULE), &state(), NOON).await.expect("kept");
    vault.lock().await;
    vault.record(vec![], vec![said(Answer::Withdrawn, Scope::Team("equipe".into()), DOCTOR)]).await.expect("recorded");
    drop(vault);
    lose_compartments(folder.path());

    let vault = open(folder.path());
    let counts = vault.counts().await.expect("counted");
    assert_eq!((counts.traces, counts.consents), (2, 2), "to be delivered without any card");
    let told: Vec<Answer> =
        vault.consents(&patient()).await.expect("read").iter().map(|kept| kept.said.answer).collect();
    assert_eq!(told, [Answer::Yes, Answer::Withdrawn]);
    let journal = rusqlite::Connection::open(folder.path().join("journal.db")).expect("a database");
    let count = |sql: &str| -> u32 { journal.query_row(sql, [], |row| row.get(0)).expect("counted") };
    assert_eq!(count("SELECT count(*) FROM slot WHERE wrapped IS NOT NULL"), 2);
    assert_eq!(count("SELECT count(*) FROM shred WHERE secret IS NULL"), 2, "a tombstone for each holder");
    assert_eq!(count("SELECT count(*) FROM shred WHERE secret IS NOT NULL"), 1, "the other patient's secret");
    // The other way round: without the journal no card opens what is left.
    drop((journal, vault));
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    drop(vault);
    for name in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        drop(std::fs::remove_file(folder.path().join(name)));
    }
    let vault = open(folder.path());
    unlock(&vault, NURSE, 1).await.expect("a new compartment");
    assert!(vault.round().await.expect("read").is_empty());
    assert!(matches!(content(&vault, NURSE, 1).await, Err(Error::Absent)));
}

#[tokio::test]
async fn documents_are_in_the_compartment_and_nowhere_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    unlock(&vault, NURSE, 1).await.expect("opened");
    vault.remember_list(&held_list(2), NOON).await.expect("kept");
    let before = sizes(folder.path());
    vault.store(&document(1).unique_id, &held(1, &vec![7; 200 * 1024]), NOON).await.expect("kept in a row");
    vault.store(&document(2).unique_id, &held(2, &large()), NOON).await.expect("kept in a file");
    let after = sizes(folder.path());
    assert!(after.0 - before.0 < 16 * 1024, "the journal grew by {}", after.0 - before.0);
    assert!(after.1 - before.1 > 500 * 1024, "the compartment grew by {}", after.1 - before.1);
    drop(vault);
    lose_compartments(folder.path());
    let vault = open(folder.path());
    unlock(&vault, NURSE, 1).await.expect("begun anew");
    for number in [1, 2] {
        assert!(matches!(content(&vault, NURSE, number).await, Err(Error::Absent)), "{number}");
    }
}

#[tokio::test]
async fn the_round_and_its_traits_are_on_the_holders_desk_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    let journal = || -> Vec<(PathBuf, Vec<u8>)> {
        let is_journals = |path: &Path| path.ends_with("journal.db") || path.ends_with("journal.db-wal");
        everything(folder.path()).into_iter().filter(|(path, _)| is_journals(path)).collect()
    };
    let (before, were) = (journal(), sizes(folder.path()));
    assert_eq!(before.len(), 2);
    let all: Vec<_> = (0..200).map(|number| identity(&format!("2790351215{number:05}"))).collect();
    vault.put_round(all, NOON).await.expect("kept");
    assert!(before == journal(), "the journal was written to");
    assert!(sizes(folder.path()).1 > were.1 + 200 * 100, "two hundred people take room");
    // A withdrawal takes documents and leaves the desk; another holder, or no compartment, has none of it.
    vault.record(vec![], vec![said(Answer::Withdrawn, Scope::Team("equipe".into()), NURSE)]).await.expect("recorded");
    assert_eq!(vault.round().await.expect("read").len(), 200);
    unlock(&vault, DOCTOR, 2).await.expect("opened");
    assert!(vault.round().await.expect("read").is_empty());
    drop(vault);
    lose_compartments(folder.path());
    let vault = open(folder.path());
    unlock(&vault, NURSE, 1).await.expect("begun anew");
    assert!(vault.round().await.expect("read").is_empty());
}

#[tokio::test]
async fn what_was_read_is_told_by_the_holders_own_opened_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    opened_row(&vault, NURSE, &patient(), 1).await;
    opened_row(&vault, NURSE, &patient(), 2).await;
    opened_row(&vault, NURSE, &patient(), 1).await;
    opened_row(&vault, DOCTOR, &patient(), 3).await;
    opened_row(&vault, NURSE, &ins(OTHER_MATRICULE), 5).await;
    for class in [Class::Prefetched, Class::Printed] {
        let row = draft(class, NURSE, Some((&patient(), Some(&document(4)))));
        vault.record(vec![row], vec![]).await.expect("recorded");
    }
    let of =
        |numbers: &[u32]| -> HashSet<UniqueId> { numbers.iter().map(|number| document(*number).unique_id).collect() };
    let told = async |vault: &Vault, holder: &str, about: &Ins| {
        vault.seen_by(about, &HolderId(holder.into()), None).await.expect("read").opened
    };
    assert_eq!(told(&vault, NURSE, &patient()).await, of(&[1, 2]));
    assert_eq!(told(&vault, DOCTOR, &patient()).await, of(&[3]));
    assert_eq!(told(&vault, NURSE, &ins(OTHER_MATRICULE)).await, of(&[5]));
    assert_eq!(told(&vault, DOCTOR, &ins(OTHER_MATRICULE)).await, of(&[]));
    // The list was seen in an earlier visit, and again in this one, before and after its screen was locked.
    let listed = async |login: u64, at: i64| {
        let mut row = draft(Class::Listed, NURSE, Some((&patient(), None)));
        row.login = Some(login);
        row.at.wall = Wall::Is(UnixSeconds(at));
        vault.record(vec![row], vec![]).await.expect("recorded");
    };
    for (login, at) in [(10, 1_000), (20, 2_000), (21, 3_000)] {
        listed(login, at).await;
    }
    let last = async |begun| vault.seen_by(&patient(), &HolderId(NURSE.into()), begun).await.expect("read").last_visit;
    assert_eq!(last(Some(20)).await, Some(UnixSeconds(1_000)), "a login after a lock begins no visit");
    assert_eq!(last(Some(30)).await, Some(UnixSeconds(3_000)));
    drop(vault);
    lose_compartments(folder.path());
    let vault = open(folder.path());
    assert_eq!(told(&vault, NURSE, &patient()).await, of(&[1, 2]), "kept nowhere else");
}
