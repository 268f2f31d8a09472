//! What opens, what does not, and what is done with what cannot.

use super::*;
use chevet::record::note::NoteDraft;
use chevet::vault::Checked;
use std::future::Future;

#[tokio::test]
async fn another_card_another_key_another_device_open_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    vault.lock().await;

    let mut wrong = signature(&vault, NURSE, 1).await.show_bytes().to_vec();
    wrong[0] ^= 1;
    let opened = vault.unlock(&nurse(), CertificateKeyId([1; 32]), SecretBytes::new(wrong), NOON).await;
    assert!(matches!(opened, Err(Error::WrongCard)));
    assert!(matches!(vault.list(&patient()).await, Err(Error::Locked)));
    // Her colleague's card opens his own, and an other card of hers a new one: neither holds anything.
    for (holder, card) in [(DOCTOR, 2), (NURSE, 3)] {
        unlock(&vault, holder, card).await.expect("opened");
        assert!(vault.round().await.expect("read").is_empty());
        assert!(vault.list(&patient()).await.expect("read").is_none());
        assert!(matches!(content(&vault, holder, 1).await, Err(Error::Absent)));
    }
    let before = everything(folder.path());
    assert!(matches!(Vault::open(options(folder.path()), NOON), Err(Error::InUse)), "one process at a time");
    drop(vault);

    let other_key = Options { device_key: SecretKey::fill_with(|bytes| bytes.fill(1)), ..options(folder.path()) };
    assert!(matches!(Vault::open(other_key, NOON), Err(Error::OtherDevice)));
    let other_device = Options { device: "chevet-other".into(), ..options(folder.path()) };
    assert!(matches!(Vault::open(other_device, NOON), Err(Error::OtherDevice)));
    assert!(!folder.path().join("aside").exists(), "another device's folder is left as it is");
    assert!(before.len() > 5);
    let vault = open(folder.path());
    unlock(&vault, NURSE, 1).await.expect("ours still opens");
    assert_eq!(content(&vault, NURSE, 1).await.expect("released"), CONTENT);
}

#[tokio::test]
async fn nothing_opens_when_the_card_went_during_the_opening() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    let mut won = 0;
    for moments in [0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8] {
        let signature = signature(&vault, NURSE, 1).await;
        let holder = nurse();
        let unlocking = vault.unlock(&holder, CertificateKeyId([1; 32]), signature, NOON);
        let (unlocked, ()) = tokio::join!(unlocking, async {
            for _ in 0..moments {
                tokio::time::sleep(Duration::from_micros(300)).await;
            }
            vault.lock().await;
        });
        assert!(matches!(vault.round().await, Err(Error::Locked)), "open without a card, after {moments}");
        // On a busy machine an opening may be over before the lock is asked for.
        won += u32::from(matches!(unlocked, Err(Error::Locked)));
    }
    assert!(won > 0, "no lock ever came in time");
}

#[tokio::test]
async fn damage_is_sealed_aside() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    drop(vault);
    let journal = folder.path().join("journal.db");
    // A damaged compartment: hers is begun anew, the journal stays.
    std::fs::write(compartment_file(folder.path()), vec![0x41; 8192]).expect("written");
    let vault = open(folder.path());
    unlock(&vault, NURSE, 1).await.expect("a new compartment");
    assert!(vault.round().await.expect("read").is_empty());
    assert_eq!(vault.sealed_aside().len(), 1);
    assert_eq!(vault.counts().await.expect("counted").traces, 2, "no trace was lost");
    drop(vault);

    let damaged = vec![0x42; 8192];
    std::fs::write(&journal, &damaged).expect("written");
    let vault = open(folder.path());
    assert_eq!(vault.sealed_aside().len(), 2);
    let kept = everything(&folder.path().join("aside"));
    assert!(kept.iter().any(|(path, bytes)| path.ends_with("journal.db") && *bytes == damaged), "kept as it was");
    assert_eq!(vault.counts().await.expect("counted").traces, 0);
    vault.record(vec![draft(Class::Login, NURSE, None)], vec![]).await.expect("the new journal works");
    drop(vault);
    let vault = open(folder.path());
    assert_eq!(vault.sealed_aside().len(), 2, "still told after a restart");
}

/// A sector that the disk gives back empty takes a refusal with it, and SQLite answers as if it had never been.
#[tokio::test]
async fn what_the_disk_emptied_is_not_taken_for_what_never_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    let no = said(Answer::No, Scope::Team("equipe".into()), NURSE);
    vault.record(vec![], vec![no]).await.expect("recorded");
    drop(vault);
    let path = folder.path().join("journal.db");
    let root: i64 = {
        let database = rusqlite::Connection::open(&path).expect("a database");
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'consent'";
        database.query_row(sql, [], |row| row.get(0)).expect("read")
    };
    let mut bytes = std::fs::read(&path).expect("read");
    let page = (root as usize - 1) * 4096;
    // Of a page of rows only its kind is left: it says that there are none.
    bytes[page + 1..page + 512].fill(0);
    std::fs::write(&path, &bytes).expect("written");

    let vault = open(folder.path());
    assert_eq!(vault.sealed_aside().len(), 1);
    let kept = everything(&folder.path().join("aside"));
    assert!(kept.iter().any(|(path, kept)| path.ends_with("journal.db") && *kept == bytes), "whole, as it was");
}

/// As the journal's at each start, each page of a compartment is looked at, in a quiet moment: an unlocking does not wait for it.
#[tokio::test]
async fn a_damaged_compartment_is_found_in_a_quiet_moment_and_its_round_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    let draft = NoteDraft { text: "À revoir lundi.".into(), ..NoteDraft::new(Uuid::nil()) };
    vault.keep_note_draft(&patient(), draft.clone(), NOON).await.expect("kept");
    assert_eq!(vault.check_compartment(NOON).await.expect("looked at"), Checked::Whole);
    assert_eq!(vault.check_compartment(NOON).await.expect("looked at"), Checked::NothingToDo, "once a visit");
    drop(vault);
    empty_page_of(folder.path(), "record");
    let bytes = std::fs::read(compartment_file(folder.path())).expect("read");
    let vault = open(folder.path());
    unlock(&vault, NURSE, 1).await.expect("it opens: nothing of it was read");
    assert_eq!(vault.state(&patient()).await.expect("read"), None, "as if it had never been");
    assert_eq!(vault.check_compartment(NOON).await.expect("looked at"), Checked::SealedAside);
    assert_eq!(vault.sealed_aside().len(), 1);
    let kept = everything(&folder.path().join("aside"));
    assert!(kept.iter().any(|(_, kept)| *kept == bytes), "whole, as it was");
    let round: Vec<Ins> = vault.round().await.expect("read").into_iter().map(|row| row.patient.ins).collect();
    assert_eq!(round, [ins(MATRICULE), ins(OTHER_MATRICULE)], "what cannot be fetched again is still here");
    assert_eq!(vault.note_draft(&patient()).await.expect("read"), Some(draft), "what they wrote too");
    vault.remember_list(&held_list(2), NOON).await.expect("the visit goes on");
    vault.store(&document(1).unique_id, &held(1, CONTENT), NOON).await.expect("kept");
    assert_eq!(content(&vault, NURSE, 1).await.expect("released"), CONTENT);
    drop(vault);
    let vault = open(folder.path());
    unlock(&vault, NURSE, 1).await.expect("opened");
    assert_eq!(vault.check_compartment(NOON).await.expect("looked at"), Checked::Whole);
    assert_eq!(vault.round().await.expect("read").len(), 2);
}

/// A store that refuses this version's step, whatever the disk does: it stands aside, whole, and its desk goes on in another.
#[tokio::test]
async fn a_compartment_that_cannot_be_migrated_stands_aside_and_its_desk_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    let draft = NoteDraft { text: "À revoir lundi.".into(), ..NoteDraft::new(Uuid::nil()) };
    vault.keep_note_draft(&patient(), draft.clone(), NOON).await.expect("kept");
    drop(vault);
    let path = compartment_file(folder.path());
    refuse_the_last_step(folder.path());
    let bytes = std::fs::read(&path).expect("read");

    let vault = open(folder.path());
    assert_eq!(open_compartment(&vault, NURSE, 1, NOON).await.expect("opened"), Opened::SetAside);
    assert_eq!(vault.sealed_aside().len(), 1);
    let aside = everything(&folder.path().join("aside"));
    assert!(aside.iter().any(|(_, kept)| *kept == bytes), "whole, as it was");
    assert!(aside.iter().all(|(path, _)| !path.to_string_lossy().contains(".next")), "{aside:?}");
    let round: Vec<Ins> = vault.round().await.expect("read").into_iter().map(|row| row.patient.ins).collect();
    assert_eq!(round, [ins(MATRICULE), ins(OTHER_MATRICULE)], "what cannot be fetched again is still here");
    assert_eq!(vault.note_draft(&patient()).await.expect("read"), Some(draft), "what they wrote too");
    assert!(matches!(content(&vault, NURSE, 1).await, Err(Error::Absent)), "to be fetched again");
    vault.store(&document(1).unique_id, &held(1, CONTENT), NOON).await.expect("kept");
    drop(vault);
    let vault = open(folder.path());
    assert_eq!(open_compartment(&vault, NURSE, 1, NOON).await.expect("opened"), Opened::Whole, "once");
}

/// The same, with two drafts, and that she was told something.
async fn live_a_day_with_drafts(vault: &Vault) -> [NoteDraft; 2] {
    live_a_day(vault).await;
    let write = |text: &str| NoteDraft { text: text.into(), ..NoteDraft::new(Uuid::nil()) };
    let drafts = [write("À revoir lundi."), write("À revoir mardi.")];
    vault.keep_note_draft(&patient(), drafts[0].clone(), NOON).await.expect("kept");
    vault.keep_note_draft(&ins(OTHER_MATRICULE), drafts[1].clone(), NOON).await.expect("kept");
    vault.keep_told("AC-9", NOON).await.expect("kept");
    drafts
}

async fn has_its_desk(vault: &Vault, drafts: [NoteDraft; 2]) {
    let round: Vec<Ins> = vault.round().await.expect("read").into_iter().map(|row| row.patient.ins).collect();
    assert_eq!(round, [ins(MATRICULE), ins(OTHER_MATRICULE)]);
    for (patient, draft) in std::iter::zip([patient(), ins(OTHER_MATRICULE)], drafts) {
        assert_eq!(vault.note_draft(&patient).await.expect("read"), Some(draft));
    }
    assert_eq!(vault.told("AC-9").await.expect("read"), Some(NOON));
}

/// What the last step makes is there already: it refuses the step tomorrow as well.
fn refuse_the_last_step(folder: &Path) {
    let database = rusqlite::Connection::open(compartment_file(folder)).expect("a database");
    database.pragma_update(None, "user_version", 5).expect("set");
}

/// Of a page of rows only its kind is left: it says that there are none.
fn empty_page_of(folder: &Path, table: &str) {
    let path = compartment_file(folder);
    let root: i64 = {
        let database = rusqlite::Connection::open(&path).expect("a database");
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
        database.query_row(sql, [table], |row| row.get(0)).expect("read")
    };
    let mut bytes = std::fs::read(&path).expect("read");
    let page = (root as usize - 1) * 4096;
    bytes[page + 1..page + 512].fill(0);
    std::fs::write(&path, &bytes).expect("written");
}

/// Drops it as soon as something stands aside: a card that goes, a touch.
async fn dropped_once_aside<T>(vault: &Vault, asked: impl Future<Output = T>) {
    let mut asked = Box::pin(asked);
    for _ in 0..10_000 {
        let polled = std::future::poll_fn(|context| std::task::Poll::Ready(asked.as_mut().poll(context)));
        assert!(polled.await.is_pending(), "it was over before it could be dropped");
        if !vault.sealed_aside().is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    panic!("nothing stands aside");
}

/// Whoever waited for it goes in the middle: the desk is there, whenever that was.
#[tokio::test]
async fn a_desk_that_goes_on_in_another_compartment_is_not_lost_with_whoever_waited() {
    for is_found_at_the_opening in [true, false] {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = open(folder.path());
        let drafts = live_a_day_with_drafts(&vault).await;
        drop(vault);
        let vault = if is_found_at_the_opening {
            refuse_the_last_step(folder.path());
            let vault = open(folder.path());
            dropped_once_aside(&vault, open_compartment(&vault, NURSE, 1, NOON)).await;
            vault
        } else {
            empty_page_of(folder.path(), "record");
            let vault = open(folder.path());
            unlock(&vault, NURSE, 1).await.expect("it opens: nothing of it was read");
            dropped_once_aside(&vault, vault.check_compartment(NOON)).await;
            vault
        };
        vault.lock().await;
        assert_eq!(open_compartment(&vault, NURSE, 1, NOON).await.expect("opened"), Opened::Whole);
        has_its_desk(&vault, drafts).await;
        assert_eq!(vault.sealed_aside().len(), 1);
        assert_eq!(vault.check_compartment(NOON).await.expect("looked at"), Checked::Whole);
    }
}

/// The lights go out at any moment of it: what is called the compartment is the old one or the other, and either has the desk.
#[tokio::test]
async fn a_cut_leaves_the_old_compartment_or_the_other_with_its_desk() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    let drafts = live_a_day_with_drafts(&vault).await;
    drop(vault);
    refuse_the_last_step(folder.path());
    let file = compartment_file(folder.path());
    // It cannot be put aside: a file is where the folder is to be. What was made before must not be in the way.
    std::fs::write(folder.path().join("aside"), b"").expect("written");
    let vault = open(folder.path());
    assert!(unlock(&vault, NURSE, 1).await.is_err());
    drop(vault);
    assert!(file.with_extension("db.next").exists(), "the other is made first, as a cut would leave it");
    std::fs::remove_file(folder.path().join("aside")).expect("removed");
    // It stands aside, and has its own name still.
    let group = folder.path().join("aside/000000000001-0");
    std::fs::create_dir_all(&group).expect("made");
    std::fs::hard_link(&file, group.join(file.file_name().expect("a name"))).expect("linked");

    let vault = open(folder.path());
    assert_eq!(open_compartment(&vault, NURSE, 1, NOON).await.expect("opened"), Opened::SetAside);
    has_its_desk(&vault, drafts).await;
    drop(vault);
    let left = everything(&folder.path().join("compartments"));
    assert!(left.iter().all(|(path, _)| !path.to_string_lossy().contains(".next")), "nothing stays of it");
}

/// Damage that is met by a step of the schema says nothing of the desk.
#[tokio::test]
async fn a_desk_beside_what_is_damaged_goes_on_after_a_step_that_met_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    let drafts = live_a_day_with_drafts(&vault).await;
    drop(vault);
    let path = compartment_file(folder.path());
    let database = rusqlite::Connection::open(&path).expect("a database");
    let root: i64 = {
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'document'";
        database.query_row(sql, [], |row| row.get(0)).expect("read")
    };
    database.execute_batch("DROP INDEX document_file; PRAGMA user_version = 5").expect("as it was before the step");
    drop(database);
    let mut bytes = std::fs::read(&path).expect("read");
    bytes[(root as usize - 1) * 4096..][..512].fill(0x41);
    std::fs::write(&path, &bytes).expect("written");
    let vault = open(folder.path());
    assert_eq!(open_compartment(&vault, NURSE, 1, NOON).await.expect("opened"), Opened::SetAside);
    has_its_desk(&vault, drafts).await;
}

/// A row of the desk that is none any more costs itself alone.
#[tokio::test]
async fn a_draft_that_cannot_be_carried_takes_no_other_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    let [_, other] = live_a_day_with_drafts(&vault).await;
    drop(vault);
    refuse_the_last_step(folder.path());
    let database = rusqlite::Connection::open(compartment_file(folder.path())).expect("a database");
    let first = "UPDATE desk SET patient = x'00' WHERE id = (SELECT min(id) FROM desk WHERE kind = 'draft')";
    assert_eq!(database.execute(first, []).expect("changed"), 1);
    drop(database);
    let vault = open(folder.path());
    assert_eq!(open_compartment(&vault, NURSE, 1, NOON).await.expect("opened"), Opened::SetAside);
    assert_eq!(vault.note_draft(&patient()).await.expect("read"), None);
    assert_eq!(vault.note_draft(&ins(OTHER_MATRICULE)).await.expect("read"), Some(other));
    assert_eq!(vault.round().await.expect("read").len(), 2);
}

/// As a power cut leaves it: the folder as it is, with both logs.
pub fn left_open(folder: &Path) -> tempfile::TempDir {
    let cut = tempfile::tempdir().expect("a folder");
    for (path, bytes) in everything(folder) {
        let to = cut.path().join(path.strip_prefix(folder).expect("below"));
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("made");
        write_private(&to, &bytes);
        let written = std::fs::metadata(&path).and_then(|about| about.modified()).expect("a time");
        std::fs::File::open(&to).and_then(|file| file.set_modified(written)).expect("set");
    }
    cut
}

/// As the journal's: a log that was removed after a process that did not close is missed, and said once.
#[tokio::test]
async fn a_compartments_log_that_was_removed_is_missed() {
    enum Left {
        Log,
        NoLog,
        ClosedByTheVersionBefore,
    }
    for left in [Left::Log, Left::NoLog, Left::ClosedByTheVersionBefore] {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = open(folder.path());
        live_a_day(&vault).await;
        vault.lock().await;
        unlock(&vault, NURSE, 1).await.expect("opened");
        vault.put_round(vec![identity(OTHER_MATRICULE)], NOON).await.expect("kept");
        let cut = left_open(folder.path());
        drop(vault);
        let file = compartment_file(cut.path());
        let log = file.with_extension("db-wal");
        assert!(log.metadata().expect("a log").len() > 0);
        match left {
            Left::Log => {}
            Left::NoLog => std::fs::remove_file(&log).expect("removed"),
            Left::ClosedByTheVersionBefore => {
                let before = rusqlite::Connection::open(&file).expect("a database");
                before.query_row("SELECT count(*) FROM desk", [], |_| Ok(())).expect("read");
                before.close().expect("closed");
                assert!(!log.exists() && file.with_extension("open").exists(), "it knows no mark");
            }
        }
        let vault = open(cut.path());
        let opened = open_compartment(&vault, NURSE, 1, NOON).await.expect("opened");
        let round = vault.round().await.expect("read").len();
        let right = if matches!(left, Left::NoLog) { (Opened::NewestLost, 2) } else { (Opened::Whole, 1) };
        assert_eq!((opened, round), right);
        vault.lock().await;
        assert_eq!(open_compartment(&vault, NURSE, 1, NOON).await.expect("opened"), Opened::Whole, "it was closed");
        drop(vault);
        let left = everything(&cut.path().join("compartments"));
        assert!(left.iter().all(|(path, _)| !path.to_string_lossy().ends_with(".open")), "no mark stays");
    }
}

/// Somebody touches the screen while it is looked at: nothing waits for the rest of it, and it is begun again.
#[tokio::test]
async fn a_check_that_nobody_waits_for_is_dropped_and_begun_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    for _ in 0..20 {
        let mut check = Box::pin(vault.check_compartment(NOON));
        // As far as it comes by itself.
        for _ in 0..3 {
            let polled = std::future::poll_fn(|context| std::task::Poll::Ready(check.as_mut().poll(context)));
            if polled.await.is_ready() {
                break;
            }
        }
        drop(check);
        assert_eq!(vault.round().await.expect("read").len(), 2, "never the answer of somebody else");
    }
    let last = vault.check_compartment(NOON).await.expect("looked at");
    assert!(matches!(last, Checked::Whole | Checked::NothingToDo), "{last:?}");
    vault.lock().await;
    assert_eq!(vault.check_compartment(NOON).await.expect("nobody is here"), Checked::NothingToDo);
}

#[test]
fn the_desks_key_is_made_once_and_never_over_a_journal() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state");
    let key = chevet::vault::keys::desk_device_key(&state).expect("made");
    let again = chevet::vault::keys::desk_device_key(&state).expect("read");
    assert_eq!(key.show_to_cipher(), again.show_to_cipher());
    assert_ne!(key.show_to_cipher(), &[0; 32]);
    let file = state.join("device.key");
    let mode = std::fs::metadata(&file).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let name = chevet::vault::keys::device_id(&state).expect("made");
    assert_eq!(chevet::vault::keys::device_id(&state).expect("read"), name);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).expect("set");
    assert!(matches!(chevet::vault::keys::desk_device_key(&state), Err(Error::KeyExposed)));
    std::fs::remove_file(&file).expect("removed");
    std::fs::write(state.join("journal.db"), b"").expect("written");
    assert!(matches!(chevet::vault::keys::desk_device_key(&state), Err(Error::KeyMissing)));
    assert!(!file.exists());
}
