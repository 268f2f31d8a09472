//! Bodies go when they are acknowledged and past their time; leaves stay, and everything still verifies.

use super::cards::attest;
use super::cards::card;
use super::cards::device_key;
use super::cards::export_of;
use super::cards::live_by;
use super::cards::look;
use super::cards::proven;
use super::*;
use chevet::journal::receipt::Receipt;

#[tokio::test]
async fn what_is_pruned_is_gone_and_everything_still_verifies() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    let nurse = card("nurse");
    live_by(&vault, &nurse).await;
    attest(&vault, &nurse, 0).await;
    let young = Draft { at: now(NOON.plus(1_000)), ..draft(Class::Opened, nurse.holder, Some((&patient(), None))) };
    vault.record(vec![young], vec![]).await.expect("recorded");
    let receipts: Vec<Receipt> = (1..12).map(|row| look(folder.path()).receipt(row).expect("a receipt")).collect();

    // All are acknowledged but row 4, which waits, and row 6, which was refused.
    let items = vault.waiting(None, 100).await.expect("read");
    let ids: Vec<Uuid> = items.iter().map(|(item, _)| item.id).collect();
    let taken: Vec<Uuid> = (0..13).filter(|row| ![4, 6].contains(row)).map(|row| ids[row]).collect();
    vault.acknowledged(taken, NOON).await.expect("kept");
    vault.set_aside(ids[6], "422".into(), "no".into(), NOON).await.expect("kept");
    let sealed = bodies(folder.path());
    assert!(sealed.iter().all(Option::is_some));

    assert!(!vault.prune(NOON).await.expect("pruned"), "nothing is past its time yet");
    assert_eq!(bodies(folder.path()), sealed);
    assert!(!vault.prune(NOON.plus(1)).await.expect("pruned"));
    let left: Vec<usize> = places(&bodies(folder.path()));
    assert_eq!(left, [0, 4, 6, 12], "the login, what waits, what was refused, what is young");
    for (path, bytes) in everything(folder.path()) {
        let body = sealed[5].as_ref().expect("it was there");
        assert!(!bytes.windows(64).any(|window| window == &body[20..84]), "still in {}", path.display());
    }

    // Acknowledged later, pruned later; and what was refused stands in nobody's way.
    vault.acknowledged(vec![ids[4]], NOON).await.expect("kept");
    assert!(!vault.prune(NOON.plus(2_000)).await.expect("pruned"));
    assert_eq!(places(&bodies(folder.path())), [0, 6]);
    drop(vault);
    let vault = open(folder.path());
    opened_row(&vault, nurse.holder, &patient(), 3).await;
    assert_eq!(vault.waiting(None, 100).await.expect("read").len(), 1, "the version goes on appending");

    let look = look(folder.path());
    let key = device_key(&look);
    let lines = export_of(&look);
    let report = proven(&lines, &key);
    assert_eq!((report.ok, report.rows, report.pruned, report.countersigned), (true, 14, 11, 12), "{report:?}");
    let mut forged = lines.clone();
    let leaf = forged[5].find("\"leaf\":\"").expect("a pruned row") + 8;
    let other = if forged[5][leaf..].starts_with('0') { "1" } else { "0" };
    forged[5].replace_range(leaf..=leaf, other);
    assert_eq!(proven(&forged, &key).first_bad, Some(5), "a changed leaf of a pruned row");
    for receipt in receipts {
        assert!(receipt.verify(&key).is_ok(), "{receipt:?}");
    }
    assert!(matches!(look.receipt(5), Err(Error::Pruned)), "no words are left to give a receipt of");
    assert!(matches!(look.receipt(77), Err(Error::Absent)));
}

fn bodies(folder: &Path) -> Vec<Option<Vec<u8>>> {
    let database = rusqlite::Connection::open(folder.join("journal.db")).expect("a database");
    let mut asked = database.prepare("SELECT body FROM trace ORDER BY idx").expect("asked");
    asked.query_map([], |row| row.get(0)).and_then(Iterator::collect).expect("read")
}

fn places(bodies: &[Option<Vec<u8>>]) -> Vec<usize> {
    bodies.iter().enumerate().filter(|(_, body)| body.is_some()).map(|(at, _)| at).collect()
}
