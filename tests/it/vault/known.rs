//! What is written down of cards: found again by the number alone, moved nowhere, forgotten in time.

use super::*;
use chevet::vault::KEPT_DAYS;
use chevet::vault::KnownCards;
use chevet::vault::provider::Sources;

const NUMBER: &str = "8025000001/993112077";
const OTHER_NUMBER: &str = "8025000001/993113208";
const TOLD: &[u8] = b"the certificate of CANARI-DESNOYERS, in whatever form";

fn told(what: &[u8]) -> SecretBytes {
    SecretBytes::new(what.to_vec())
}

async fn known(vault: &Vault, number: &str, at: UnixSeconds) -> Option<Vec<u8>> {
    vault.known_card(number, at).await.expect("read").map(|known| known.show_bytes().to_vec())
}

fn journal(folder: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(folder.join("journal.db")).expect("a database")
}

#[tokio::test]
async fn a_card_is_known_by_its_number_until_it_is_changed_or_forgotten() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    assert_eq!(known(&vault, NUMBER, NOON).await, None);
    vault.keep_card(NUMBER, told(TOLD), NOON).await.expect("kept");
    vault.keep_card(OTHER_NUMBER, told(b"another"), NOON).await.expect("kept");
    drop(vault);
    let vault = open(folder.path());
    assert_eq!(known(&vault, NUMBER, NOON).await.as_deref(), Some(TOLD));
    vault.keep_card(NUMBER, told(b"renewed"), NOON).await.expect("kept");
    assert_eq!(known(&vault, NUMBER, NOON).await.as_deref(), Some(&b"renewed"[..]));
    vault.forget_card(NUMBER).await.expect("forgotten");
    assert_eq!(known(&vault, NUMBER, NOON).await, None);
    assert_eq!(known(&vault, OTHER_NUMBER, NOON).await.as_deref(), Some(&b"another"[..]));
}

/// Nothing of it is in any file, the number included; and a row that was moved, or is another device's, tells nothing.
#[tokio::test]
async fn what_is_known_of_a_card_is_sealed_under_its_number() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    vault.keep_card(NUMBER, told(TOLD), NOON).await.expect("kept");
    vault.keep_card(OTHER_NUMBER, told(b"another"), NOON).await.expect("kept");
    for (path, bytes) in everything(folder.path()) {
        for word in [TOLD, b"993112077", b"CANARI"] {
            let is_in = bytes.windows(word.len()).any(|window| window == word);
            assert!(!is_in, "{} holds {}", path.display(), String::from_utf8_lossy(word));
        }
    }
    drop(vault);
    let database = journal(folder.path());
    let mut asked = database.prepare("SELECT known FROM card").expect("a column");
    let rows: Vec<Vec<u8>> = asked.query_map([], |row| row.get(0)).and_then(Iterator::collect).expect("read");
    let exchange = "UPDATE card SET known = CASE known WHEN ?1 THEN ?2 ELSE ?1 END";
    assert_eq!(database.execute(exchange, rusqlite::params![rows[0], rows[1]]).expect("written"), 2);
    let vault = open(folder.path());
    assert_eq!((known(&vault, NUMBER, NOON).await, known(&vault, OTHER_NUMBER, NOON).await), (None, None));
    // It is read from the card then, and written anew.
    vault.keep_card(NUMBER, told(TOLD), NOON).await.expect("kept");
    assert_eq!(known(&vault, NUMBER, NOON).await.as_deref(), Some(TOLD));
}

#[tokio::test]
async fn a_card_that_does_not_come_back_is_forgotten() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    let after = |days: i64| NOON.plus(days * 24 * 3600);
    for number in [NUMBER, OTHER_NUMBER] {
        vault.keep_card(number, told(TOLD), NOON).await.expect("kept");
    }
    assert!(known(&vault, NUMBER, after(1)).await.is_some(), "it was here again");
    vault.keep_card("a third", told(b"third"), after(KEPT_DAYS + 1)).await.expect("kept");
    assert!(known(&vault, NUMBER, after(KEPT_DAYS + 1)).await.is_some());
    assert_eq!(known(&vault, OTHER_NUMBER, after(KEPT_DAYS + 1)).await, None);
}

/// A command beside the kiosk reads, and writes only where none runs and the last one closed its journal.
#[tokio::test]
async fn a_command_beside_the_kiosk_never_writes_beside_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let sources = Sources { state: folder.path(), credentials: None, tpms: Path::new("/nowhere") };
    assert!(matches!(KnownCards::here(sources), Err(Error::NoJournal)));
    assert!(everything(folder.path()).is_empty(), "nothing was made");
    write_private(&folder.path().join("device.key"), &[0x5a; 32]);
    write_private(&folder.path().join("device.id"), b"chevet-0011223344556677\n");
    let vault = open(folder.path());
    vault.keep_card(NUMBER, told(TOLD), NOON).await.expect("kept");
    let beside = KnownCards::here(sources).expect("a look");
    assert_eq!(beside.known(NUMBER).expect("read").map(|known| known.show_bytes().to_vec()).as_deref(), Some(TOLD));
    assert!(matches!(beside.keep(NUMBER, &told(b"written beside"), NOON), Err(Error::InUse)));
    assert!(matches!(beside.forget(NUMBER), Err(Error::InUse)));
    drop((beside, vault));

    let beside = KnownCards::here(sources).expect("a look");
    beside.keep(OTHER_NUMBER, &told(b"written alone"), NOON).expect("kept");
    drop(beside);
    let vault = open(folder.path());
    assert_eq!(known(&vault, OTHER_NUMBER, NOON).await.as_deref(), Some(&b"written alone"[..]));
    assert_eq!(vault.sealed_aside(), [""; 0]);
    drop(vault);

    // As a crash leaves it.
    std::fs::write(folder.path().join("vault.lock"), "open").expect("written");
    let beside = KnownCards::here(sources).expect("a look");
    assert!(matches!(beside.forget(NUMBER), Err(Error::InUse)));
}
