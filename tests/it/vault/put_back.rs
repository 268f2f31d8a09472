//! A disk that was put back: the upstream's head tells, the journal goes on beside it, and everything still verifies.

use super::cards::device_key;
use super::cards::export_of;
use super::cards::look;
use super::cards::proven;
use super::*;
use chevet::journal::branch::Lost;
use chevet::journal::export::BranchRow;
use chevet::vault::Branch;
use chevet::vault::Compared;
use std::fs;

/// All of the folder, as a copy of the disk would have it.
pub fn copied(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("a folder");
    for (path, bytes) in everything(folder) {
        let to = copy.path().join(path.strip_prefix(folder).expect("below"));
        fs::create_dir_all(to.parent().expect("a folder")).expect("made");
        fs::write(to, bytes).expect("copied");
    }
    copy
}

/// So many rows more, and the head over them as the upstream gets it.
pub async fn rows(vault: &Vault, count: u32) -> String {
    for number in 0..count {
        let opened = draft(Class::Opened, NURSE, Some((&patient(), Some(&document(number)))));
        vault.record(vec![Draft { login: None, ..opened }], vec![]).await.expect("recorded");
    }
    vault.cover().await.expect("covered").expect("a head").device_note
}

async fn compared(vault: &Vault, note: &str) -> Compared {
    vault.compare(note.to_owned(), now(NOON.plus(60))).await.expect("compared")
}

#[tokio::test]
async fn a_disk_that_was_put_back_is_found_out_once_and_goes_on_in_a_new_branch() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    let early = rows(&vault, 3).await;
    drop(vault);
    let copy = copied(folder.path());
    let vault = open(folder.path());
    let late = rows(&vault, 4).await;
    assert_eq!(compared(&vault, &late).await, Compared::Ours);
    assert_eq!(compared(&vault, &early).await, Compared::Ours, "an answer may have been lost");
    assert!(vault.branches().await.expect("read").is_empty());
    drop(vault);

    let vault = open(copy.path());
    assert_eq!(compared(&vault, &early).await, Compared::Ours);
    let branch = Branch { index: 3, lost_size: 7, at: NOON.plus(60) };
    assert_eq!(compared(&vault, &late).await, Compared::Lost(branch));
    let news = rows(&vault, 3).await;
    assert_eq!(compared(&vault, &late).await, Compared::KnownLost, "of the same size as ours now, and not ours");
    drop(vault);

    let vault = open(copy.path());
    assert_eq!(compared(&vault, &late).await, Compared::KnownLost, "still known after a restart");
    assert_eq!(compared(&vault, &news).await, Compared::Ours);
    assert_eq!(vault.branches().await.expect("read"), [branch]);
    let waiting = vault.waiting(None, 10).await.expect("read");
    let row = waiting[3].1.as_ref().expect("a row");
    assert_eq!((row.index, row.draft.class), (3, Class::Maintenance), "the upstream is told too");
    assert_eq!(row.draft.holder.0, row.device, "nobody's act");
    let head = chevet::journal::note::read(&late).expect("a head");
    let named = format!("lost head 7 {}", hex::encode(head.root));
    assert_eq!(row.draft.reason.as_deref(), Some(named.as_str()));

    let look = look(copy.path());
    let report = proven(&export_of(&look), &device_key(&look));
    assert!(report.ok && report.rows == 7, "{report:?}");
    let at = NOON.plus(60).rfc3339();
    let named = BranchRow { index: 3, lost: Some(Lost::Head(7, head.root)), at };
    assert_eq!(report.branches, [named], "named without the device");
    assert_eq!(look.status().expect("read").branches, [branch]);
    let receipt = look.receipt(5).expect("a receipt");
    assert!(receipt.verify(&device_key(&look)).is_ok(), "a receipt of the new branch is proven as any other");
}

/// Put back again, to before the branch: what is lost is the branch.
#[tokio::test]
async fn a_second_time_is_news_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    rows(&vault, 3).await;
    drop(vault);
    let [first, second] = [copied(folder.path()), copied(folder.path())];
    let vault = open(folder.path());
    let late = rows(&vault, 4).await;
    let vault = open(first.path());
    assert!(matches!(compared(&vault, &late).await, Compared::Lost(_)));
    let of_the_branch = rows(&vault, 1).await;
    let vault = open(second.path());
    assert!(matches!(compared(&vault, &of_the_branch).await, Compared::Lost(Branch { index: 3, lost_size: 5, .. })));
    assert!(matches!(compared(&vault, &late).await, Compared::Lost(Branch { index: 4, lost_size: 7, .. })));
}

#[tokio::test]
async fn a_head_of_somebody_else_says_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    let ours = rows(&vault, 2).await;
    // Another store on a device of the same name, and one bit of ours.
    let elsewhere = tempfile::tempdir().expect("a folder");
    let theirs = rows(&open(elsewhere.path()), 5).await;
    for note in [theirs.as_str(), &ours.replacen("\n2\n", "\n9\n", 1), "", "no note"] {
        assert_eq!(compared(&vault, note).await, Compared::Foreign);
    }
    assert!(vault.branches().await.expect("read").is_empty());
    assert_eq!(vault.counts().await.expect("counted").traces, 2, "no row says anything");
}

/// A process that did not end by itself leaves its log. When somebody removed it, what stood there is gone, and the database
/// looks whole without it.
#[tokio::test]
async fn a_log_that_was_removed_is_missed() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    rows(&vault, 3).await;
    // Never closed: as a power cut leaves it.
    let [whole, without] = [copied(folder.path()), copied(folder.path())];
    fs::remove_file(without.path().join("journal.db-wal")).expect("removed");
    assert_eq!(look(whole.path()).status().expect("read").rows, 3, "a look takes nothing away");
    let vault = open(whole.path());
    assert!(vault.branches().await.expect("read").is_empty());
    assert_eq!(vault.counts().await.expect("counted").traces, 3);

    let made = {
        // A first start that was cut off has lost nothing.
        let beginning = tempfile::tempdir().expect("a folder");
        drop(open(beginning.path()));
        open(beginning.path()).branches().await.expect("read")
    };
    assert!(made.is_empty(), "closed as it should be, without a log");

    for start in 0..2 {
        let vault = open(without.path());
        let branches = vault.branches().await.expect("read");
        assert_eq!(branches.iter().map(|branch| branch.lost_size).collect::<Vec<_>>(), [0], "start {start}");
        let told = vault.waiting(None, 10).await.expect("read").pop().and_then(|(_, trace)| trace).expect("a row");
        assert_eq!((told.index, told.draft.class), (branches[0].index, Class::Maintenance));
    }
}

/// The row, its branch and its head are written together or not at all.
#[tokio::test]
async fn what_cannot_be_written_down_whole_is_news_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    rows(&vault, 1).await;
    drop(vault);
    let copy = copied(folder.path());
    let late = rows(&open(folder.path()), 1).await;
    let vault = open(copy.path());
    let beside = rusqlite::Connection::open(copy.path().join("journal.db")).expect("a database");
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON branch BEGIN SELECT RAISE(ABORT, 'no'); END";
    beside.execute_batch(refuse).expect("made");
    assert!(matches!(vault.compare(late.clone(), now(NOON)).await, Err(Error::Write { .. })));
    assert_eq!(vault.counts().await.expect("counted").traces, 1);
    beside.execute_batch("DROP TRIGGER refuse").expect("dropped");
    assert!(matches!(compared(&vault, &late).await, Compared::Lost(Branch { index: 1, .. })));
}
