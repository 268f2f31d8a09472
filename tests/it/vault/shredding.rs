//! What a patient withdraws, and what is past its time, opens to nobody: no card needed, no card enough.

use super::*;

#[tokio::test]
async fn a_withdrawal_shreds_everybodys_copy_whoever_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    // The stolen disk of that evening, to be tried with the journal of the next day.
    let compartment = compartment_file(folder.path());
    vault.lock().await;
    let evening = std::fs::read(&compartment).expect("read");

    // The doctor's card is in; the nurse's is away.
    unlock(&vault, DOCTOR, 2).await.expect("opened");
    let no = said(Answer::Withdrawn, Scope::Team("equipe".into()), DOCTOR);
    let rows = vec![draft(Class::Withdrawn, DOCTOR, Some((&patient(), None)))];
    vault.record(rows, vec![no]).await.expect("recorded");
    // What was on its way loses against it.
    let late = vault.store(&document(1).unique_id, &held(1, CONTENT), NOON).await;
    assert!(matches!(late, Err(Error::Shredded)), "{late:?}");
    vault.remember_list(&held_list(2), NOON).await.expect("nothing is kept");
    assert!(vault.list(&patient()).await.expect("read").is_none());
    drop(vault);

    std::fs::write(&compartment, &evening).expect("put back");
    let vault = open(folder.path());
    unlock(&vault, NURSE, 1).await.expect("her card and PIN still open her compartment");
    assert!(vault.list(&patient()).await.expect("read").is_none());
    assert!(matches!(content(&vault, NURSE, 1).await, Err(Error::Absent)));
    assert!(matches!(content(&vault, NURSE, 2).await, Err(Error::Absent)));
    let round = vault.round().await.expect("the desk stays");
    assert_eq!((round.len(), round[0].cached), (2, 0));
    let files = everything(&folder.path().join("compartments"));
    assert!(files.iter().all(|(path, _)| path.extension().is_some()), "the sealed file is gone too");
    vault.lock().await;

    // Put back once more, now that no tombstone is left: without their secret the opening takes the rows for what they are.
    std::fs::write(&compartment, &evening).expect("put back");
    unlock(&vault, NURSE, 1).await.expect("opened");
    assert!(matches!(content(&vault, NURSE, 1).await, Err(Error::Absent)));
    // Put back behind its back, under a new secret: they open to nobody.
    vault.remember_state(&patient(), &state(), NOON).await.expect("kept");
    let old = folder.path().join("evening.db");
    std::fs::write(&old, &evening).expect("written");
    let beside = rusqlite::Connection::open(&compartment).expect("a database");
    beside.execute("ATTACH ?1 AS old", [old.to_str().expect("text")]).expect("attached");
    assert_eq!(beside.execute("INSERT INTO document SELECT * FROM old.document", []).expect("put back"), 3);
    let revived = content(&vault, NURSE, 1).await;
    assert!(matches!(revived, Err(Error::Sealed { .. })), "{revived:?}");
}

#[tokio::test]
async fn a_shred_secret_is_gone_from_the_log_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    let secrets = || -> Vec<Vec<u8>> {
        let beside = rusqlite::Connection::open(folder.path().join("journal.db")).expect("a database");
        let mut asked = beside.prepare("SELECT secret FROM shred WHERE secret IS NOT NULL").expect("asked");
        asked.query_map([], |row| row.get(0)).and_then(Iterator::collect).expect("read")
    };
    let secret = secrets().remove(0);
    let places = || -> usize {
        let found = |bytes: &Vec<u8>| bytes.windows(secret.len()).any(|window| window == secret.as_slice());
        everything(folder.path()).iter().filter(|(_, bytes)| found(bytes)).count()
    };
    assert!(places() > 0, "it was never there: this shows nothing");
    vault.lock().await;
    vault.record(vec![], vec![said(Answer::Withdrawn, Scope::Team("equipe".into()), DOCTOR)]).await.expect("recorded");
    assert_eq!(secrets().len(), 0);
    assert_eq!(places(), 0, "the sealed secret is still on the disk");
}

/// A look from beside keeps the log in use: what was to go out of it goes as soon as the look is over.
#[tokio::test]
async fn a_secret_that_a_look_kept_in_the_log_goes_with_the_next_word_of_the_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    let secret: Vec<u8> = {
        let beside = rusqlite::Connection::open(folder.path().join("journal.db")).expect("a database");
        beside.query_row("SELECT secret FROM shred", [], |row| row.get(0)).expect("read")
    };
    let places = || -> usize {
        let found = |bytes: &Vec<u8>| bytes.windows(secret.len()).any(|window| window == secret.as_slice());
        everything(folder.path()).iter().filter(|(_, bytes)| found(bytes)).count()
    };
    let look = rusqlite::Connection::open(folder.path().join("journal.db")).expect("a database");
    look.execute_batch("BEGIN").expect("begun");
    let _rows: i64 = look.query_row("SELECT count(*) FROM trace", [], |row| row.get(0)).expect("read");
    vault.record(vec![], vec![said(Answer::Withdrawn, Scope::Team("equipe".into()), DOCTOR)]).await.expect("recorded");
    assert!(places() > 0, "the look held nothing up: this shows nothing");
    vault.time_is(now(NOON)).await.expect("told");
    assert!(places() > 0);
    look.execute_batch("COMMIT").expect("over");
    vault.time_is(now(NOON)).await.expect("told");
    assert_eq!(places(), 0, "the sealed secret is still on the disk");
}

/// A journal that stands aside keeps its rows, and no shred secret: a withdrawal would not find it there.
#[tokio::test]
async fn no_secret_stays_in_a_journal_that_stands_aside_or_in_a_copy_that_was_left() {
    for (is_in_the_log, is_cut) in [(false, false), (true, false), (false, true)] {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = open(folder.path());
        live_a_day(&vault).await;
        unlock(&vault, DOCTOR, 2).await.expect("opened");
        vault.remember_state(&patient(), &state(), NOON).await.expect("kept");
        vault.store(&document(1).unique_id, &held(1, CONTENT), NOON).await.expect("kept");
        let journal = folder.path().join("journal.db");
        let secrets: Vec<Vec<u8>> = {
            let beside = rusqlite::Connection::open(&journal).expect("a database");
            let mut asked = beside.prepare("SELECT secret FROM shred").expect("asked");
            asked.query_map([], |row| row.get(0)).and_then(Iterator::collect).expect("read")
        };
        assert_eq!(secrets.len(), 2);
        let places = |folder: &Path| -> usize {
            let found = |bytes: &Vec<u8>| secrets.iter().any(|one| bytes.windows(one.len()).any(|there| there == one));
            everything(folder).iter().filter(|(_, bytes)| found(bytes)).count()
        };
        // As a power cut leaves it, with all of it in the log; or closed.
        let cut = tempfile::tempdir().expect("a folder");
        let copy = |folder: &Path| {
            for (path, bytes) in everything(folder) {
                let to = cut.path().join(path.strip_prefix(folder).expect("below"));
                std::fs::create_dir_all(to.parent().expect("a folder")).expect("made");
                write_private(&to, &bytes);
            }
        };
        if is_in_the_log {
            copy(folder.path());
            drop(vault);
        } else {
            drop(vault);
            copy(folder.path());
        }
        assert!(places(cut.path()) > 0, "it was never there: this shows nothing");
        let journal = cut.path().join("journal.db");
        let mut bytes = std::fs::read(&journal).expect("read");
        let (log, is_whole) = (cut.path().join("journal.db-wal"), bytes.len() > 16);
        if is_in_the_log {
            // Nothing of its pages can be told apart any more, in neither place.
            let mut pages = std::fs::read(&log).expect("a log");
            pages[..32].fill(0x42);
            std::fs::write(&log, &pages).expect("written");
        }
        if is_whole {
            bytes[..16].fill(0x42);
        } else {
            bytes = vec![0x42; 8_192];
        }
        std::fs::write(&journal, &bytes).expect("written");
        if is_cut {
            // The lights went out when it stood aside, and its compartments did not yet.
            let group = cut.path().join("aside/000000000001-0");
            std::fs::create_dir_all(&group).expect("made");
            std::fs::rename(&journal, group.join("journal.db")).expect("moved");
        }

        let vault = open(cut.path());
        // A damaged log is kept by itself, before anything is read.
        assert_eq!(vault.sealed_aside().len(), 1 + usize::from(is_in_the_log));
        assert_eq!(places(cut.path()), 0, "in the log: {is_in_the_log}, cut: {is_cut}");
        let aside = everything(&cut.path().join("aside"));
        let kept = aside.iter().map(|(_, kept)| kept.len()).sum::<usize>();
        assert!(kept >= bytes.len() + usize::from(!is_cut), "it is all there but for them");
        // Its rows are: a leaf of them stands where it stood.
        drop(vault);
    }
    // A copy that a cut left, under a program that takes no step any more.
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    drop(vault);
    for end in ["next", "next-wal"] {
        std::fs::copy(folder.path().join("journal.db"), folder.path().join(format!("journal.db.{end}"))).expect("left");
    }
    let compartment = compartment_file(folder.path());
    std::fs::copy(&compartment, compartment.with_extension("db.next")).expect("left");
    let vault = open(folder.path());
    unlock(&vault, NURSE, 1).await.expect("opened");
    let left = everything(folder.path());
    assert!(left.iter().all(|(path, _)| !path.to_string_lossy().contains(".next")), "nobody's, and gone");
}

#[tokio::test]
async fn a_refusal_to_one_holder_leaves_the_others_and_a_later_yes_begins_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    unlock(&vault, DOCTOR, 2).await.expect("opened");
    vault.remember_list(&held_list(1), NOON).await.expect("kept");
    vault.store(&document(1).unique_id, &held(1, CONTENT), NOON).await.expect("kept");
    vault.record(vec![], vec![said(Answer::No, Scope::HolderOnce, DOCTOR)]).await.expect("recorded");
    assert!(!vault.has(&patient(), &document(1).unique_id).await.expect("read"));
    let refused = vault.store(&document(1).unique_id, &held(1, CONTENT), NOON).await;
    assert!(matches!(refused, Err(Error::Shredded)));
    vault.record(vec![], vec![said(Answer::Yes, Scope::HolderOnce, DOCTOR)]).await.expect("recorded");
    vault.store(&document(1).unique_id, &held(1, CONTENT), NOON).await.expect("kept again");
    assert_eq!(content(&vault, DOCTOR, 1).await.expect("released"), CONTENT);
    unlock(&vault, NURSE, 1).await.expect("opened");
    assert_eq!(content(&vault, NURSE, 1).await.expect("hers was not concerned"), CONTENT);
    let answers: Vec<Answer> =
        vault.consents(&patient()).await.expect("read").iter().map(|consent| consent.said.answer).collect();
    assert_eq!(answers, [Answer::Yes, Answer::No, Answer::Yes], "in the order in which they were said");
}

#[tokio::test]
async fn a_lease_that_ended_is_gone_before_anything_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    let days = |count: i64| NOON.plus(count * 86_400);
    unlock_at(&vault, NURSE, 1, days(4)).await.expect("opened");
    assert_eq!(content(&vault, NURSE, 1).await.expect("within its lease"), CONTENT);
    unlock_at(&vault, NURSE, 1, days(8)).await.expect("opened");
    assert!(matches!(content(&vault, NURSE, 1).await, Err(Error::Absent)));
    unlock_at(&vault, NURSE, 1, days(0)).await.expect("opened");
    assert!(matches!(content(&vault, NURSE, 1).await, Err(Error::Absent)), "a clock set back revives nothing");
    assert_eq!(vault.round().await.expect("read").len(), 2, "the desk has no lease");
}
