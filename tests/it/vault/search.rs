//! Words in what a compartment keeps: found under the row of the search, sealed on the disk, gone with card, consent and lease.

use super::*;
use chevet::render::Limits;
use chevet::render::Worker;
use chevet::secret::UnseenWords;

async fn searched_row(vault: &Vault, holder: &str, about: &Ins) -> Committed {
    let row = draft(Class::Searched, holder, Some((about, None)));
    vault.record(vec![row], vec![]).await.expect("recorded").remove(0)
}

async fn found(vault: &Vault, question: &str) -> Vec<UniqueId> {
    let row = searched_row(vault, NURSE, &patient()).await;
    let found = vault.search(&patient(), question, &row).await.expect("searched");
    found.into_iter().map(|found| found.document).collect()
}

async fn keep_words(vault: &Vault, number: u32, words: &str) {
    let words = SecretBytes::new(words.as_bytes().to_vec());
    vault.keep_text(&patient(), &document(number).unique_id, words).await.expect("kept");
}

fn ids<const N: usize>(numbers: [u32; N]) -> Vec<UniqueId> {
    numbers.into_iter().map(|number| document(number).unique_id).collect()
}

#[tokio::test]
async fn words_are_found_again_and_nowhere_in_clear() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    keep_words(&vault, 1, "Œdème aigu du poumon, traité au furosémide").await;
    keep_words(&vault, 2, "suite de l’œdème").await;
    // Listed and never fetched: there is nothing that its words could belong to.
    keep_words(&vault, 3, "furosémide").await;
    assert_eq!(found(&vault, "oedeme").await, ids([1, 2]));
    assert_eq!(found(&vault, "FURO").await, ids([1]));
    assert_eq!(found(&vault, "canari").await, ids([1, 2, 3]), "titles too");
    assert_eq!(found(&vault, "pneumothorax").await, []);
    drop(vault);
    let plain = |word: &str| {
        everything(folder.path()).iter().any(|(_, bytes)| bytes.windows(word.len()).any(|part| part == word.as_bytes()))
    };
    assert!(!plain("furos") && !plain("poumon"), "a word of a document lies on the disk");

    let vault = open(folder.path());
    unlock(&vault, NURSE, 1).await.expect("opened");
    assert_eq!(found(&vault, "furosemide aigu").await, ids([1]), "after a new start");
    // What is fetched anew has not been read yet.
    vault.store(&document(1).unique_id, &held(1, b"another version"), NOON).await.expect("kept");
    assert_eq!(found(&vault, "furosemide").await, []);
    keep_words(&vault, 1, "ibuprofène").await;
    assert_eq!(found(&vault, "ibuprofene").await, ids([1]));
}

#[tokio::test]
async fn only_the_row_of_that_search_opens_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    let listed = vault.record(vec![draft(Class::Listed, NURSE, Some((&patient(), None)))], vec![]).await;
    let listed = listed.expect("recorded").remove(0);
    let others = searched_row(&vault, NURSE, &ins(OTHER_MATRICULE)).await;
    let doctors = searched_row(&vault, DOCTOR, &patient()).await;
    for row in [listed, others, doctors] {
        let refused = vault.search(&patient(), "canari", &row).await;
        assert!(matches!(refused, Err(Error::NotCovered)), "{refused:?}");
    }
    let row = searched_row(&vault, NURSE, &patient()).await;
    vault.lock().await;
    assert!(matches!(vault.search(&patient(), "canari", &row).await, Err(Error::Locked)), "the card is out");
}

#[tokio::test]
async fn what_is_shredded_or_over_or_left_the_list_is_not_found() {
    for how in ["withdrawn", "over", "left the list"] {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = open(folder.path());
        live_a_day(&vault).await;
        keep_words(&vault, 1, "asthme").await;
        keep_words(&vault, 2, "asthme").await;
        while vault.index_some().await.expect("indexed") {}
        assert_eq!(found(&vault, "asthme").await, ids([1, 2]), "{how}: it was never there");
        match how {
            "withdrawn" => {
                let no = said(Answer::Withdrawn, Scope::Team("equipe".into()), NURSE);
                vault.record(vec![], vec![no]).await.expect("recorded");
                assert_eq!(found(&vault, "asthme").await, [], "{how}");
            }
            "over" => {
                vault.time_is(now(NOON.plus(8 * 86_400))).await.expect("told");
                assert_eq!(found(&vault, "asthme").await, [], "{how}");
            }
            _ => {
                vault.remember_list(&held_list(1), NOON.plus(60)).await.expect("kept");
                assert_eq!(found(&vault, "asthme").await, ids([1]), "{how}");
            }
        }
    }
}

/// More documents than one step takes: the list comes at once, and the search is whole whether it waited or not.
#[tokio::test]
async fn the_list_is_there_before_the_index_and_the_search_waits_for_its_own() {
    const MANY: u32 = 450;
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    unlock(&vault, NURSE, 1).await.expect("opened");
    vault.remember_list(&held_list(MANY), NOON).await.expect("kept");
    assert!(vault.index_some().await.expect("one step"), "more than one step");
    assert!(vault.list(&patient()).await.expect("read").is_some(), "the list does not wait");
    assert_eq!(found(&vault, "canari").await.len(), MANY as usize, "the search built the rest first");
    vault.lock().await;
    unlock(&vault, NURSE, 1).await.expect("opened");
    let mut steps = 0;
    while vault.index_some().await.expect("indexed") {
        steps += 1;
        assert!(steps < 100, "it never ends");
    }
    assert!(steps >= 3, "in {steps} steps the thread was away for long");
    assert_eq!(found(&vault, "canari").await.len(), MANY as usize);
}

fn worker() -> Worker {
    Worker::start(PathBuf::from(env!("CARGO_BIN_EXE_chevet")), Limits::default()).expect("this kernel seals")
}

/// In quiet moments, as the kiosk does it.
async fn read_all(vault: &Vault, worker: &Worker) -> u32 {
    let mut read = 0;
    while let Some(next) = vault.next_to_read().await.expect("listed") {
        let words = worker.words(&next.unseen).await.unwrap_or_else(|_| UnseenWords::none());
        vault.keep_words(next, words).await.expect("kept");
        read += 1;
        assert!(read < 100, "it never ends");
    }
    read
}

/// Nobody has opened it, and its words are found: the sealed worker read them, and nobody else.
#[tokio::test]
async fn what_nobody_has_opened_is_read_for_the_search_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let (vault, worker) = (open(folder.path()), worker());
    live_a_day(&vault).await;
    let letter = include_bytes!("../../documents/letter-level-3.xml");
    vault.store(&document(1).unique_id, &held(1, letter), NOON).await.expect("kept");
    while vault.index_some().await.expect("indexed") {}
    assert_eq!(found(&vault, "urticaire").await, [], "not yet");
    // The large one is of no format: it has no words, and is not tried again.
    assert_eq!(read_all(&vault, &worker).await, 2);
    assert_eq!(found(&vault, "urticaire").await, ids([1]), "in the index that was there already");
    vault.lock().await;
    unlock(&vault, NURSE, 1).await.expect("opened");
    assert_eq!(read_all(&vault, &worker).await, 0, "once");
    assert_eq!(found(&vault, "urticaire").await, ids([1]), "and in the next visit's");
    let counts = vault.counts().await.expect("counted");
    assert_eq!(counts.traces, 2 + 3, "nobody has seen anything: three searches, and no row besides");
}

/// What is taken back, stored anew or locked away while the worker has it leaves no words.
#[tokio::test]
async fn words_that_come_too_late_are_not_kept() {
    for how in ["withdrawn", "stored anew", "left the list", "locked"] {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = open(folder.path());
        live_a_day(&vault).await;
        vault.keep_text(&patient(), &document(2).unique_id, SecretBytes::new(Vec::new())).await.expect("kept");
        let next = vault.next_to_read().await.expect("listed").expect("the first");
        match how {
            "withdrawn" => {
                let no = said(Answer::Withdrawn, Scope::Team("equipe".into()), NURSE);
                vault.record(vec![], vec![no]).await.expect("recorded");
            }
            "stored anew" => {
                vault.store(&document(1).unique_id, &held(1, b"another"), NOON).await.expect("kept");
            }
            "left the list" => vault.remember_list(&held_list(0), NOON.plus(60)).await.expect("kept"),
            _ => {
                vault.lock().await;
                unlock(&vault, NURSE, 1).await.expect("opened");
            }
        }
        let kept = vault.keep_words(next, UnseenWords::new("asthme".into())).await;
        assert!(matches!(kept, Ok(()) | Err(Error::Locked)), "{how}: {kept:?}");
        assert_eq!(found(&vault, "asthme").await, [], "{how}");
        let again = vault.next_to_read().await.expect("listed").is_some();
        assert_eq!(again, matches!(how, "stored anew" | "locked"), "{how}: is it read again?");
    }
}
