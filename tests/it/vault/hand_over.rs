//! The round's way from a holder's old card to their new one: in memory, for one next card, for a few minutes.

use super::*;
use chevet::record::note::NoteDraft;

const OLD: u8 = 1;
const NEW: u8 = 4;
const MINUTES: Duration = Duration::from_secs(300);
const SOON: Duration = Duration::from_secs(299);

/// The matricules of the open round, in its order.
async fn round(vault: &Vault) -> Vec<String> {
    let rows = vault.round().await.expect("read");
    rows.into_iter().map(|row| row.patient.ins.matricule).collect()
}

/// The nurse's day, handed over, and her old card taken out.
async fn sent(folder: &Path) -> Vault {
    let vault = open(folder);
    live_a_day(&vault).await;
    vault.hand_over(MINUTES).await.expect("it waits");
    vault.lock().await;
    vault
}

/// That card comes, and takes what is there for it.
async fn come(vault: &Vault, holder: &str, card: u8, now: Duration) -> Vec<String> {
    unlock(vault, holder, card).await.expect("opened");
    vault.take_over(now, NOON).await.expect("asked");
    round(vault).await
}

#[tokio::test]
async fn the_new_card_takes_the_round_and_the_old_one_keeps_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = sent(folder.path()).await;
    assert_eq!(come(&vault, NURSE, NEW, SOON).await, [MATRICULE, OTHER_MATRICULE]);
    let taken = vault.round().await.expect("read").remove(0);
    assert_eq!((taken.patient, taken.cached), (identity(MATRICULE), 0), "whole; documents are fetched again");
    // Once: what the new card does with its round afterwards is its own.
    vault.put_round(vec![], NOON).await.expect("kept");
    assert!(come(&vault, NURSE, NEW, SOON).await.is_empty());
    assert_eq!(come(&vault, NURSE, OLD, SOON).await.len(), 2, "the old card still opens it");
    drop(vault);
    let vault = open(folder.path());
    assert_eq!(come(&vault, NURSE, OLD, SOON).await.len(), 2);
}

/// What was begun under the old card goes on under the new one; what was begun there already stays as it is.
#[tokio::test]
async fn drafts_go_with_the_round() {
    let note = |text: &str, id| NoteDraft { text: text.into(), ..NoteDraft::new(Uuid::from_u128(id)) };
    let other = ins(OTHER_MATRICULE);
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    unlock(&vault, NURSE, NEW).await.expect("opened");
    let newer = note("déjà là", 3);
    vault.keep_note_draft(&other, newer.clone(), NOON).await.expect("kept");
    live_a_day(&vault).await;
    vault.keep_note_draft(&patient(), note("À revoir lundi.", 1), NOON).await.expect("kept");
    vault.keep_note_draft(&other, note("plus ancien", 2), NOON).await.expect("kept");
    vault.hand_over(MINUTES).await.expect("it waits");
    come(&vault, NURSE, NEW, SOON).await;
    let drafts = async |vault: &Vault, card| {
        unlock(vault, NURSE, card).await.expect("opened");
        let of = async |about: &Ins| vault.note_draft(about).await.expect("read");
        (of(&patient()).await, of(&other).await)
    };
    let taken = (Some(note("À revoir lundi.", 1)), Some(newer));
    assert_eq!(drafts(&vault, NEW).await, taken);
    let old = (Some(note("À revoir lundi.", 1)), Some(note("plus ancien", 2)));
    assert_eq!(drafts(&vault, OLD).await, old, "a copy went");
    drop(vault);
    let vault = open(folder.path());
    assert_eq!(drafts(&vault, NEW).await, taken, "it is on the disk");
}

#[tokio::test]
async fn a_round_that_is_there_already_stays_and_nobody_is_in_it_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    unlock(&vault, NURSE, NEW).await.expect("opened");
    vault.put_round(vec![identity(OTHER_MATRICULE)], NOON).await.expect("kept");
    drop(vault);
    let vault = sent(folder.path()).await;
    assert_eq!(come(&vault, NURSE, NEW, SOON).await, [OTHER_MATRICULE, MATRICULE]);
    drop(vault);
    let vault = open(folder.path());
    assert_eq!(come(&vault, NURSE, NEW, SOON).await, [OTHER_MATRICULE, MATRICULE], "it is on the disk");
}

#[tokio::test]
async fn it_is_for_one_next_card_of_the_same_holder() {
    // Another holder's card, the same card, and the new one too late: nothing for them, and then for nobody.
    for (what, holder, card, now) in
        [("a colleague", DOCTOR, NEW, SOON), ("the old card again", NURSE, OLD, SOON), ("late", NURSE, NEW, MINUTES)]
    {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = sent(folder.path()).await;
        let found = come(&vault, holder, card, now).await;
        assert_eq!(found.len(), if card == OLD { 2 } else { 0 }, "{what}");
        let other_new = NEW + 1;
        assert!(come(&vault, NURSE, other_new, SOON).await.is_empty(), "{what}, then the new card");
    }
}

#[tokio::test]
async fn it_is_wiped_in_time_and_never_on_the_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    assert!(matches!(vault.hand_over(MINUTES).await, Err(Error::Locked)), "no card, no round");
    live_a_day(&vault).await;
    // Whoever reads leaves a mark in the logs' indexes, which hold no content.
    let written = || -> Vec<(PathBuf, Vec<u8>)> {
        let is_index = |path: &Path| path.to_string_lossy().ends_with("-shm");
        everything(folder.path()).into_iter().filter(|(path, _)| !is_index(path)).collect()
    };
    let before = written();
    assert!(before.len() >= 6, "databases, logs, a sealed file: {}", before.len());
    vault.hand_over(MINUTES).await.expect("it waits");
    assert!(before == written(), "a byte of the disk changed");
    vault.end_hand_over(SOON).await.expect("asked");
    vault.end_hand_over(MINUTES).await.expect("wiped");
    assert!(come(&vault, NURSE, NEW, SOON).await.is_empty(), "wiped when its time was over, whoever came or not");

    unlock(&vault, NURSE, OLD).await.expect("opened");
    vault.hand_over(MINUTES).await.expect("it waits");
    vault.end_hand_over(SOON).await.expect("asked");
    drop(vault);
    let vault = open(folder.path());
    assert!(come(&vault, NURSE, NEW, SOON).await.is_empty(), "a restart ends it");
    drop(vault);
    // The control: without a restart it would have been there.
    let vault = sent(folder.path()).await;
    vault.end_hand_over(SOON).await.expect("asked");
    assert_eq!(come(&vault, NURSE, NEW, SOON).await.len(), 2);
}
