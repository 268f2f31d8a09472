//! A kept list brought to what the upstream says, on a real disk: what goes, what stays, what is marked, and what is owed.

use super::*;
use chevet::record::sync;
use chevet::record::sync::Changes;
use chevet::record::sync::Standing;

fn standing(numbers: &[u32]) -> Vec<Standing> {
    let of = |document: Document| Standing {
        entry_uuid: document.entry_uuid,
        unique_id: Some(document.unique_id),
        labels: document.labels,
    };
    numbers.iter().map(|number| of(document(*number))).collect()
}

async fn take_in(vault: &Vault, changes: Changes, at: UnixSeconds) -> bool {
    vault.take_in(&Held::record(patient(), changes), at).await.expect("merged")
}

#[tokio::test]
async fn what_does_not_stand_any_more_goes_with_its_content_and_the_date_moves_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    let kept = vault.kept(&patient()).await.expect("read").expect("a list");
    assert_eq!((kept.last, kept.entries.len()), (NOON, 3));

    let begun = NOON.plus(3_600);
    let nothing = Changes { standing: standing(&[1, 2, 3]), ..Changes::default() };
    assert!(!take_in(&vault, nothing, begun).await, "nothing was taken back");
    assert_eq!(content(&vault, NURSE, 1).await.expect("untouched"), CONTENT);
    assert_eq!(vault.kept(&patient()).await.expect("read").expect("a list").last, begun);

    // The second was masked: the server leaves it out, and says nothing else.
    assert!(take_in(&vault, Changes { standing: standing(&[1, 3]), ..Changes::default() }, begun.plus(60)).await);
    assert!(matches!(content(&vault, NURSE, 2).await, Err(Error::Absent)), "masked since");
    let sealed_files = everything(&folder.path().join("compartments"));
    assert!(sealed_files.iter().all(|(path, _)| path.extension().is_some()), "its file too");
    assert_eq!(content(&vault, NURSE, 1).await.expect("still there"), CONTENT);
    let (list, _) = vault.list(&patient()).await.expect("read").expect("a list");
    assert_eq!(list.outlines().len(), 2);

    // The first is archived: it stays in the list, its content is fetched anew if it may be.
    let mut archived = document(1);
    (archived.status, archived.entry_uuid) = (Status::Archived, "urn:uuid:1-2".into());
    let mut stands = standing(&[3]);
    stands.push(Standing { entry_uuid: "urn:uuid:1-2".into(), ..standing(&[1]).remove(0) });
    let changes = Changes { documents: vec![archived], standing: stands, replaced: vec![] };
    assert!(!take_in(&vault, changes, begun.plus(120)).await);
    assert!(matches!(content(&vault, NURSE, 1).await, Err(Error::Absent)), "its labels or status changed");
    assert_eq!(vault.kept(&patient()).await.expect("read").expect("a list").entries.len(), 2);
}

#[tokio::test]
async fn after_a_withdrawal_there_is_nothing_to_merge_into() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    let no = said(Answer::Withdrawn, Scope::Team("equipe".into()), NURSE);
    vault.record(vec![], vec![no]).await.expect("recorded");
    assert!(vault.kept(&patient()).await.expect("read").is_none());
    let changes = Held::record(patient(), Changes { standing: standing(&[1]), ..Changes::default() });
    assert!(matches!(vault.take_in(&changes, NOON).await, Err(Error::Shredded)));
}

#[tokio::test]
async fn a_patient_is_ready_until_something_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    let ready = async || vault.round().await.expect("read").into_iter().map(|row| row.ready).collect::<Vec<_>>();
    assert_eq!(ready().await, [None, None]);
    vault.keep_ready(&patient(), NOON.plus(5)).await.expect("marked");
    vault.keep_ready(&patient(), NOON.plus(6)).await.expect("marked again");
    assert_eq!(ready().await, [Some(NOON.plus(6)), None]);
    // A card that is pulled and comes again finds its round as it left it.
    vault.lock().await;
    unlock(&vault, NURSE, 1).await.expect("opened");
    assert_eq!(ready().await, [Some(NOON.plus(6)), None]);
    take_in(&vault, Changes { standing: standing(&[1, 2, 3]), ..Changes::default() }, NOON.plus(60)).await;
    assert_eq!(ready().await[0], Some(NOON.plus(6)), "nothing changed");

    let new = Changes { documents: vec![document(4)], standing: standing(&[1, 2, 3, 4]), replaced: vec![] };
    take_in(&vault, new, NOON.plus(120)).await;
    assert_eq!(ready().await[0], None, "one is new and not here");
    vault.keep_ready(&patient(), NOON.plus(121)).await.expect("marked");
    let no = said(Answer::Withdrawn, Scope::Team("equipe".into()), NURSE);
    vault.record(vec![], vec![no]).await.expect("recorded");
    assert_eq!(ready().await[0], None, "withdrawn");
    assert!(matches!(vault.keep_ready(&patient(), NOON.plus(122)).await, Err(Error::Shredded)));
}

#[tokio::test]
async fn what_was_read_offline_is_owed_until_it_is_searched_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    let owed = async |holder: &str| vault.owed_searches(&HolderId(holder.into()), &["made"]).await.expect("read");
    let other = ins(OTHER_MATRICULE);
    let listed =
        |about: &Ins, holder: &str, source| Draft { source, ..draft(Class::Listed, holder, Some((about, None))) };
    let record = async |row: Draft| drop(vault.record(vec![row], vec![]).await.expect("recorded"));
    record(listed(&patient(), NURSE, Source::Online)).await;
    assert!(owed(NURSE).await.is_empty());
    record(listed(&patient(), NURSE, Source::Cached)).await;
    record(listed(&other, NURSE, Source::Cached)).await;
    record(listed(&other, NURSE, Source::Cached)).await;
    assert_eq!(owed(NURSE).await, [patient(), other.clone()]);
    assert!(owed(DOCTOR).await.is_empty(), "another's reading is theirs");
    record(listed(&patient(), DOCTOR, Source::Online)).await;
    assert_eq!(owed(NURSE).await.len(), 2, "another's search settles nothing");
    let maintenance =
        |reason: &str| Draft { reason: Some(reason.into()), ..draft(Class::Maintenance, NURSE, Some((&other, None))) };
    record(maintenance("something else")).await;
    assert_eq!(owed(NURSE).await.len(), 2);
    record(maintenance("made")).await;
    assert_eq!(owed(NURSE).await, [patient()]);
    record(listed(&patient(), NURSE, Source::Online)).await;
    assert!(owed(NURSE).await.is_empty());
    record(listed(&other, NURSE, Source::Cached)).await;
    assert_eq!(owed(NURSE).await, [other], "read again");
    assert_eq!(sync::BATCH, 20);
}
