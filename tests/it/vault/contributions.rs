//! What an author writes: a draft on their desk, a finished note in the outbox under their name, once.

use super::*;
use chevet::journal::item::Body;
use chevet::journal::item::Contribution;
use chevet::journal::item::Deed;
use chevet::journal::item::Needs;
use chevet::record::note::Change;
use chevet::record::note::Note;
use chevet::record::note::NoteDraft;
use chevet::record::note::Writer;

const WORDS: &str = "Plaie CANARI propre, pansement refait.";

pub fn note(id: Uuid) -> Note {
    Note {
        id,
        patient: identity(MATRICULE),
        writer: Writer {
            id: nurse(),
            family_name: "CANARI-INFIRMIÈRE".into(),
            given_name: "Odile".into(),
            profession: Some(ProfessionCode(60)),
            profession_label: "Infirmier".into(),
            specialty: None,
            situation: None,
        },
        type_code: TypeCode("11505-5".into()),
        type_label: "Compte rendu".into(),
        class_code: ClassCode("10".into()),
        text: WORDS.into(),
        labels: vec![Label::Normal],
        replaces: None,
        at: NOON,
    }
}

pub fn row(one: &Contribution) -> Draft {
    let document = Some((one.unique_id.clone(), one.type_code.clone()));
    Draft { document, ..draft(Class::Contributed, NURSE, Some((&patient(), None))) }
}

pub fn drafted(id: Uuid) -> NoteDraft {
    NoteDraft { text: WORDS.into(), type_code: Some(TypeCode("11505-5".into())), ..NoteDraft::new(id) }
}

/// What of this holder's waits, but the consent of their day.
async fn notes(vault: &Vault, holder: &HolderId) -> Vec<Contribution> {
    let waiting = vault.waiting(Some(holder), 100).await.expect("read");
    let of = |(item, _): (chevet::journal::item::Item, _)| match item.body {
        Body::Contribution(one) => {
            assert_eq!(item.needs, Needs::Holder(one.author.clone()));
            Some(*one)
        }
        _ => None,
    };
    waiting.into_iter().filter_map(of).collect()
}

#[tokio::test]
async fn a_draft_survives_card_and_restart_and_is_its_holders_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    let id = vault.new_id(NOON).await.expect("a name");
    vault.keep_note_draft(&patient(), drafted(id), NOON).await.expect("kept");
    vault.lock().await;
    assert!(matches!(vault.note_draft(&patient()).await, Err(Error::Locked)), "no card, no draft");
    drop(vault);

    let vault = open(folder.path());
    unlock(&vault, DOCTOR, 2).await.expect("another holder");
    assert!(vault.note_draft(&patient()).await.expect("read").is_none(), "nobody else's business");
    unlock(&vault, NURSE, 1).await.expect("opened");
    assert!(vault.note_draft(&patient()).await.expect("read") == Some(drafted(id)));
    assert!(vault.note_draft(&ins(OTHER_MATRICULE)).await.expect("read").is_none());
    let found =
        everything(folder.path()).into_iter().find(|(_, bytes)| bytes.windows(6).any(|window| window == b"CANARI"));
    assert!(found.is_none(), "a draft in clear: {:?}", found.map(|(path, _)| path));
    vault.drop_note_draft(&patient()).await.expect("gone");
    assert!(vault.note_draft(&patient()).await.expect("read").is_none());
}

#[tokio::test]
async fn a_finished_note_and_its_row_are_one_and_never_two() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    let id = vault.new_id(NOON).await.expect("a name");
    vault.keep_note_draft(&patient(), drafted(id), NOON).await.expect("kept");
    let one = Contribution::add(note(id));
    let committed = vault.contribute(row(&one), id, one.clone()).await.expect("finished");
    assert!(committed.covers_contribution(&patient(), &one.unique_id));
    let again = vault.contribute(row(&one), id, one.clone()).await;
    assert!(matches!(again, Err(Error::FinishedBefore)), "{:?}", again.err());
    // The plug is pulled before the draft is taken off the desk.
    drop(vault);

    let vault = open(folder.path());
    let counts = vault.counts().await.expect("counted");
    assert_eq!((counts.traces, counts.contributions), (3, 1), "one row, one item");
    assert!(notes(&vault, &nurse()).await == [one.clone()], "as it was finished, to the byte");
    assert!(notes(&vault, &HolderId(DOCTOR.into())).await.is_empty(), "under nobody else's name");
    unlock(&vault, NURSE, 1).await.expect("opened");
    assert!(vault.note_draft(&patient()).await.expect("read").is_none(), "what is finished is no draft");
    let Deed::Add { cda, .. } = &one.deed else { panic!("a document") };
    assert!(String::from_utf8_lossy(cda).contains(NURSE));
}

#[tokio::test]
async fn what_was_refused_goes_again_in_its_old_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    let mut ids = Vec::new();
    for change in [Change::Mask, Change::Archive] {
        let deed = Deed::Change { change, labels: vec![Label::Normal] };
        let one = Contribution {
            author: nurse(),
            patient: patient(),
            unique_id: document(1).unique_id,
            type_code: document(1).type_code,
            deed,
        };
        let id = vault.new_id(NOON).await.expect("a name");
        vault.contribute(row(&one), id, one).await.expect("kept");
        ids.push(id);
    }
    vault.sent(ids.clone()).await.expect("said");
    assert_eq!(vault.counts().await.expect("counted").contributions, 2, "on its way is not there yet");
    vault.set_aside(ids[0], "refused".into(), "Non.".into(), NOON).await.expect("set aside");
    assert_eq!(notes(&vault, &nurse()).await.len(), 1, "it blocks nothing");
    assert!(vault.send_again(ids[0], NOON.plus(60)).await.expect("asked"));
    assert!(!vault.send_again(ids[0], NOON).await.expect("asked"), "it waits already");
    let changes: Vec<Change> = notes(&vault, &nurse())
        .await
        .into_iter()
        .filter_map(|one| if let Deed::Change { change, .. } = one.deed { Some(change) } else { None })
        .collect();
    assert_eq!(changes, [Change::Mask, Change::Archive], "in the patient's order");
    assert!(vault.counts().await.expect("counted").set_aside.is_empty());
}

/// Refused, put right by its author, and settled: one document leaves, and the other stays here with what was said of it.
#[tokio::test]
async fn a_refused_note_is_written_anew_by_its_author_alone_and_never_leaves() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    let refused = vault.new_id(NOON).await.expect("a name");
    let one = Contribution::add(note(refused));
    vault.contribute(row(&one), refused, one.clone()).await.expect("finished");
    assert!(vault.refused_note(refused, &nurse()).await.expect("read").is_none(), "it waits: nothing to put right");
    vault.set_aside(refused, "too-long".into(), "Trop long.".into(), NOON).await.expect("set aside");
    let counts = vault.counts().await.expect("counted");
    assert_eq!(counts.set_aside.iter().map(|aside| aside.note_by.clone()).collect::<Vec<_>>(), [Some(nurse())]);
    let found = vault.refused_note(refused, &nurse()).await.expect("read").expect("hers");
    assert!(found.text == WORDS && found.patient == identity(MATRICULE));
    assert!(vault.refused_note(refused, &HolderId(DOCTOR.into())).await.expect("read").is_none(), "nobody else's");

    let id = vault.new_id(NOON).await.expect("a name");
    vault.keep_note_draft(&patient(), NoteDraft { corrects: Some(refused), ..drafted(id) }, NOON).await.expect("kept");
    let kept = vault.note_draft(&patient()).await.expect("read").expect("on the desk");
    assert_eq!(kept.corrects, Some(refused), "a pulled card does not forget what it corrects");
    let newer = Contribution::add(Note { text: "Plaie propre.".into(), ..note(id) });
    let doctors = Contribution { author: HolderId(DOCTOR.into()), ..newer.clone() };
    let stolen = vault.contribute_instead(row(&newer), id, doctors, refused).await;
    assert!(matches!(stolen, Err(Error::FinishedBefore)), "{:?}", stolen.err());
    vault.contribute_instead(row(&newer), id, newer.clone(), refused).await.expect("finished");
    let again = vault.new_id(NOON).await.expect("a name");
    let twice = vault.contribute_instead(row(&newer), again, Contribution::add(note(again)), refused).await;
    assert!(matches!(twice, Err(Error::FinishedBefore)), "put right once: {:?}", twice.err());
    drop(vault);

    let vault = open(folder.path());
    assert!(notes(&vault, &nurse()).await == [newer], "one leaves");
    assert!(vault.counts().await.expect("counted").set_aside.is_empty(), "and nothing is left to settle");
    assert!(!vault.send_again(refused, NOON).await.expect("asked"), "superseded is for good");
    let beside = rusqlite::Connection::open(folder.path().join("journal.db")).expect("a database");
    let sql = "SELECT state, length(body) > 0, reason IS NOT NULL FROM outbox WHERE id = ?1";
    let left = beside.query_row(sql, [refused.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    let left: (String, bool, bool) = left.expect("it is there");
    assert_eq!(left, ("set_aside".into(), true, true), "nothing was deleted");
    // The program before, in its own words: for whoever presses « Renvoyer » there, and for its courier.
    let sent_again = "UPDATE outbox SET state = 'waiting', code = NULL, reason = NULL, since = 1
                      WHERE id = ?1 AND state = 'set_aside' AND code <> 'damaged-here'";
    assert_eq!(beside.execute(sent_again, [refused.as_bytes()]), Ok(0), "it leaves beside its correction");
    let waits =
        "SELECT count(*) FROM outbox WHERE kind = 'contributions' AND state <> 'acknowledged' AND state <> 'set_aside'";
    assert_eq!(beside.query_row(waits, [], |row| row.get::<_, i64>(0)), Ok(1), "its correction waits there too");
    drop(beside);
    // Past its time it goes as what was delivered goes; what is still refused does not.
    vault.prune(NOON.plus(1)).await.expect("pruned");
    let beside = rusqlite::Connection::open(folder.path().join("journal.db")).expect("a database");
    let sql = "SELECT length(body) FROM outbox WHERE id = ?1";
    assert_eq!(beside.query_row(sql, [refused.as_bytes()], |row| row.get::<_, i64>(0)), Ok(0));
}

/// The centre took everything and a head over it, then came back from a backup that is older than the last of it.
#[tokio::test]
async fn what_a_centre_forgot_goes_again_and_what_it_kept_does_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    let all = |waiting: Vec<(chevet::journal::item::Item, _)>| -> Vec<Uuid> {
        waiting.into_iter().map(|(item, _): (_, Option<chevet::journal::Trace>)| item.id).collect()
    };
    let first = all(vault.waiting(Some(&nurse()), 100).await.expect("read"));
    vault.acknowledged(first.clone(), NOON).await.expect("kept");
    let head = vault.cover().await.expect("covered").expect("rows");
    vault.anchored(head.size, NOON.plus(2 * 86_400)).await.expect("kept");
    // A week later: one note, and its row; a patient's answer, and its row.
    let later = NOON.plus(7 * 86_400);
    let id = vault.new_id(later).await.expect("a name");
    let one = Contribution::add(note(id));
    vault.contribute(row(&one), id, one.clone()).await.expect("finished");
    let answer = Said { at: now(later), ..said(Answer::No, Scope::Authorization, NURSE) };
    let refused = draft(Class::Refused, NURSE, Some((&patient(), None)));
    vault.record(vec![refused], vec![answer.clone()]).await.expect("recorded");
    let second = all(vault.waiting(Some(&nurse()), 100).await.expect("read"));
    vault.acknowledged(second.clone(), later).await.expect("kept");
    let newer = vault.cover().await.expect("covered").expect("rows");
    vault.anchored(newer.size, later).await.expect("kept");
    assert_eq!(vault.unanchored().await.expect("counted").rows, 0);

    assert_eq!(vault.send_again_from(head.size).await.expect("again"), 4);
    let again = all(vault.waiting(Some(&nurse()), 100).await.expect("read"));
    assert_eq!(again.len(), second.len());
    assert!(second.iter().all(|id| again.contains(id)) && first.iter().all(|id| !again.contains(id)));
    assert!(notes(&vault, &nurse()).await == [one], "whole, although it had been acknowledged");
    let waiting = vault.waiting(Some(&nurse()), 100).await.expect("read");
    let answers: Vec<&Said> = waiting
        .iter()
        .filter_map(|(item, _)| if let Body::Consent(consent) = &item.body { Some(&consent.said) } else { None })
        .collect();
    assert!(answers == [&answer], "as the patient said it");
    let head = vault.cover().await.expect("covered").expect("rows");
    assert_eq!(head.anchored_at, None, "its newer head is asked for again");
}
