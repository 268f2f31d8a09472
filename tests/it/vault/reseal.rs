//! A disk that moves between a board with AES instructions and one without: all of it opens, and what is touched is sealed anew.

use super::*;
use chevet::record::note::NoteDraft;
use chevet::vault::Algorithm;
use std::collections::BTreeMap;

const TEXT: &str = "a notice";
/// No step seals more than this anew.
const STEP_MAX: usize = 16;

fn on_a_board(algorithm: Algorithm, folder: &Path) -> Vault {
    for _ in 0..200 {
        match Vault::open_sealing_with(algorithm, options(folder), NOON) {
            Err(Error::InUse) => std::thread::sleep(Duration::from_millis(10)),
            opened => return opened.expect("the vault opens"),
        }
    }
    panic!("the vault stays in use");
}

/// Every sealed value below the folder by its place: with what it is sealed.
fn sealed(folder: &Path) -> BTreeMap<String, u8> {
    let journal = [
        ("store", "key_check", "id"),
        ("trace", "body", "idx"),
        ("outbox", "body", "hex(id)"),
        ("outbox", "reason", "hex(id)"),
        ("consent", "body", "hex(id)"),
        ("slot", "salt", "hex(holder || card)"),
        ("slot", "wrapped", "hex(holder || card)"),
        ("shred", "secret", "hex(compartment || patient)"),
        ("checkpoint", "countersign", "size"),
        ("card", "known", "hex(serial)"),
    ];
    let compartment = [
        ("store", "key_check", "id"),
        ("desk", "body", "kind || hex(patient)"),
        ("record", "state", "hex(patient)"),
        ("list", "body", "hex(patient)"),
        ("document", "metadata", "hex(unique_id)"),
        ("document", "content", "hex(unique_id)"),
        ("document", "text", "hex(unique_id)"),
    ];
    let mut found = BTreeMap::new();
    for (file, places) in [(folder.join("journal.db"), &journal[..]), (compartment_file(folder), &compartment[..])] {
        let database = rusqlite::Connection::open(file).expect("a database");
        for (table, column, row) in places {
            let sql = format!("SELECT {row}, {column} FROM {table} WHERE length({column}) > 0");
            let mut asked = database.prepare(&sql).expect("asked");
            let mut rows = asked.query([]).expect("asked");
            while let Some(row) = rows.next().expect("read") {
                let name = row.get::<_, rusqlite::types::Value>(0).expect("a row's name");
                let value: Vec<u8> = row.get(1).expect("a value");
                found.insert(format!("{table}.{column} {name:?}"), value[0]);
            }
        }
    }
    let files = everything(&folder.join("compartments")).into_iter().filter(|(path, _)| path.extension().is_none());
    found.extend(files.map(|(_, bytes)| ("file".to_owned(), bytes[0])));
    found
}

/// A day with a value in every sealed place, lived on that board.
async fn live_on(algorithm: Algorithm, folder: &Path) {
    let vault = on_a_board(algorithm, folder);
    live_a_day(&vault).await;
    vault.keep_told(TEXT, NOON).await.expect("kept");
    let note = NoteDraft { text: "À revoir lundi.".into(), ..NoteDraft::new(Uuid::nil()) };
    vault.keep_note_draft(&patient(), note, NOON).await.expect("kept");
    vault.keep_card("1234", SecretBytes::new(b"what it said".to_vec()), NOON).await.expect("kept");
    let words = SecretBytes::new(b"words to be found".to_vec());
    vault.keep_text(&patient(), &document(1).unique_id, words).await.expect("kept");
    let head = vault.cover().await.expect("covered").expect("a head");
    vault.countersigned(head.size, 0, CertificateKeyId([1; 32]), vec![1; 256]).await.expect("kept");
    let waiting = vault.waiting(None, 10).await.expect("read");
    vault.set_aside(waiting[0].0.id, "422".into(), "a reason".into(), NOON).await.expect("kept");
}

/// All that a visit, a courier and a command may read.
async fn touch_everything(vault: &Vault) {
    unlock(vault, NURSE, 1).await.expect("opened");
    assert_eq!(vault.round().await.expect("read").len(), 2);
    assert_eq!(vault.told(TEXT).await.expect("read"), Some(NOON));
    assert!(vault.note_draft(&patient()).await.expect("read").is_some());
    assert_eq!(vault.state(&patient()).await.expect("read"), Some((state(), NOON)));
    assert!(vault.list(&patient()).await.expect("read").is_some());
    assert_eq!(content(vault, NURSE, 1).await.expect("released"), CONTENT);
    assert_eq!(content(vault, NURSE, 2).await.expect("released"), large());
    assert_eq!(vault.consents(&patient()).await.expect("read").len(), 1);
    assert!(vault.known_card("1234", NOON).await.expect("read").is_some());
    assert_eq!(vault.waiting(Some(&nurse()), 100).await.expect("read").len(), 4);
    assert_eq!(vault.unsent_accesses(&patient()).await.expect("read").len(), 3);
    assert_eq!(vault.counts().await.expect("counted").set_aside[0].reason, "a reason");
    assert_eq!(vault.last_opened_on_consent(&patient(), &nurse()).await.expect("read"), None);
    assert!(vault.receipt(1).await.is_ok());
    while vault.index_some().await.expect("indexed") {}
}

#[tokio::test]
async fn what_is_touched_on_another_board_is_sealed_as_that_board_does_it() {
    let (aes, chacha) = (Algorithm::Aes256Gcm, Algorithm::ChaCha20Poly1305);
    for (from, to) in [(aes, chacha), (chacha, aes)] {
        let folder = tempfile::tempdir().expect("a folder");
        live_on(from, folder.path()).await;
        let before = sealed(folder.path());
        assert!(before.len() >= 22 && before.values().all(|with| *with == from as u8), "{before:?}");
        let kinds: std::collections::BTreeSet<&str> =
            before.keys().filter_map(|place| place.split(' ').next()).collect();
        assert_eq!(kinds.len(), 17, "a value in every sealed place: {kinds:?}");

        let vault = on_a_board(to, folder.path());
        touch_everything(&vault).await;
        let old = |folder: &Path| -> Vec<String> {
            let all = sealed(folder).into_iter().filter(|(_, with)| *with == from as u8);
            all.map(|(place, _)| place).collect()
        };
        let mut left = old(folder.path());
        assert!(left.len() >= 20, "nothing is done while somebody waits: {left:?}");
        while vault.reseal_some().await.expect("sealed anew") {
            let now = old(folder.path());
            assert!(left.len() - now.len() <= STEP_MAX, "{} at once", left.len() - now.len());
            left = now;
        }
        // What nobody reads stays: what stands with each document, beside the whole list, and a line that was refused.
        let refused = |left: &[String]| matches!(left, [one] if one.starts_with("outbox.body"));
        let (of_documents, others): (Vec<String>, Vec<String>) =
            left.into_iter().partition(|place| place.starts_with("document.metadata"));
        assert!(of_documents.len() == 3 && refused(&others), "{of_documents:?} {others:?}");
        let names: Vec<PathBuf> = everything(&folder.path().join("compartments")).into_iter().map(|(p, _)| p).collect();
        assert_eq!(
            names.iter().filter(|path| path.extension().is_none()).count(),
            1,
            "the old file is gone: {names:?}"
        );
        touch_everything_once_more(&vault).await;
        drop(vault);

        // The list by its documents, and the whole list beside it afterwards.
        let beside = rusqlite::Connection::open(compartment_file(folder.path())).expect("a database");
        beside.execute("DELETE FROM list", []).expect("deleted");
        drop(beside);
        let vault = on_a_board(to, folder.path());
        unlock(&vault, NURSE, 1).await.expect("opened");
        assert!(vault.list(&patient()).await.expect("read").is_some());
        while vault.reseal_some().await.expect("sealed anew") {}
        assert!(refused(&old(folder.path())));
        assert!(vault.list(&patient()).await.expect("read").is_some());
        drop(vault);
        // And home again.
        let vault = on_a_board(from, folder.path());
        touch_everything_once_more(&vault).await;
    }
}

async fn touch_everything_once_more(vault: &Vault) {
    unlock(vault, NURSE, 1).await.expect("opened");
    assert_eq!(vault.round().await.expect("read").len(), 2);
    assert_eq!(vault.state(&patient()).await.expect("read"), Some((state(), NOON)));
    assert!(vault.list(&patient()).await.expect("read").is_some());
    assert_eq!(content(vault, NURSE, 1).await.expect("released"), CONTENT);
    assert_eq!(content(vault, NURSE, 2).await.expect("released"), large());
    assert_eq!(vault.consents(&patient()).await.expect("read").len(), 1);
    let head = vault.cover().await.expect("covered").expect("a head");
    assert!(head.size > 3);
}

/// The list that stands whole beside the documents is not lost with what is sealed anew of them.
#[tokio::test]
async fn a_list_stays_whole_when_a_document_of_it_is_sealed_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    live_on(Algorithm::ChaCha20Poly1305, folder.path()).await;
    let vault = on_a_board(Algorithm::Aes256Gcm, folder.path());
    unlock(&vault, NURSE, 1).await.expect("opened");
    // The sealed worker's way reads what stands with the document.
    assert!(vault.next_to_read().await.expect("read").is_some());
    while vault.reseal_some().await.expect("sealed anew") {}
    let after = sealed(folder.path());
    let anew = after.iter().filter(|(place, with)| place.starts_with("document.metadata") && **with == 1).count();
    assert_eq!(anew, 1, "{after:?}");
    assert!(after.keys().any(|place| place.starts_with("list.body")), "{after:?}");
    assert!(vault.list(&patient()).await.expect("read").is_some());
}

/// What a withdrawal destroyed after it was touched stays destroyed; nor is anything sealed anew without the card.
#[tokio::test]
async fn nothing_that_was_shredded_or_locked_meanwhile_is_sealed_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    live_on(Algorithm::ChaCha20Poly1305, folder.path()).await;
    let vault = on_a_board(Algorithm::Aes256Gcm, folder.path());
    touch_everything(&vault).await;
    vault.record(vec![], vec![said(Answer::Withdrawn, Scope::Team("equipe".into()), DOCTOR)]).await.expect("recorded");
    while vault.reseal_some().await.expect("sealed anew") {}
    let beside = rusqlite::Connection::open(folder.path().join("journal.db")).expect("a database");
    let secrets: i64 =
        beside.query_row("SELECT count(*) FROM shred WHERE secret IS NOT NULL", [], |row| row.get(0)).expect("counted");
    assert_eq!(secrets, 0);
    assert!(vault.list(&patient()).await.expect("read").is_none());
    assert!(matches!(content(&vault, NURSE, 1).await, Err(Error::Absent)));
    drop((beside, vault));

    let folder = tempfile::tempdir().expect("a folder");
    live_on(Algorithm::ChaCha20Poly1305, folder.path()).await;
    let vault = on_a_board(Algorithm::Aes256Gcm, folder.path());
    touch_everything(&vault).await;
    vault.lock().await;
    while vault.reseal_some().await.expect("the journal's own") {}
    let left = sealed(folder.path()).into_iter().filter(|(_, with)| *with == 2).count();
    assert!(left >= 8, "the compartment is as it was: {left}");
}
