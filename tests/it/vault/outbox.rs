//! What waits comes back in order, and is acknowledged exactly.

use super::*;
use chevet::journal::item::Body;
use chevet::journal::item::Needs;

#[tokio::test]
async fn the_outbox_survives_keeps_order_and_takes_acknowledgements_exactly() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    for number in 1..=3 {
        opened_row(&vault, NURSE, &patient(), number).await;
    }
    drop(vault);

    let vault = open(folder.path());
    let device = vault.waiting(None, 100).await.expect("read");
    let indexes: Vec<u64> = device.iter().filter_map(|(_, trace)| trace.as_ref().map(|trace| trace.index)).collect();
    assert_eq!(indexes, [0, 1, 2, 3, 4], "device items only, in order");
    for (item, trace) in &device {
        let trace = trace.as_ref().expect("a trace comes with its row");
        assert_eq!((item.id, &item.needs, &item.body), (trace.id, &Needs::Device, &Body::Trace { index: trace.index }));
    }
    let mine = vault.waiting(Some(&nurse()), 100).await.expect("read");
    assert_eq!(mine.len(), 6);
    assert!(matches!(&mine[0].0.body, Body::Consent(consent) if consent.said.patient == patient()), "hers first");
    assert_eq!(mine[0].0.needs, Needs::Holder(nurse()));
    assert_eq!(vault.waiting(Some(&HolderId(DOCTOR.into())), 100).await.expect("read").len(), 5, "not his consent");
    assert_eq!(vault.waiting(None, 2).await.expect("read").len(), 2);
    let counts = vault.counts().await.expect("counted");
    assert_eq!((counts.traces, counts.consents, counts.contributions, counts.oldest), (5, 1, 0, Some(NOON)));

    vault.acknowledged(vec![device[1].0.id, Uuid::from_u128(77)], NOON).await.expect("kept");
    vault.acknowledged(vec![device[1].0.id], NOON).await.expect("twice is harmless");
    vault.set_aside(device[2].0.id, "422".into(), "refusé".into(), NOON.plus(5)).await.expect("kept");
    vault.set_aside(device[1].0.id, "500".into(), "late".into(), NOON).await.expect("an acknowledgement stands");
    drop(vault);
    let vault = open(folder.path());
    let left: Vec<u64> =
        vault.waiting(None, 100).await.expect("read").iter().filter_map(|(_, t)| t.as_ref().map(|t| t.index)).collect();
    assert_eq!(left, [0, 3, 4], "what is set aside blocks nothing");
    let counts = vault.counts().await.expect("counted");
    assert_eq!(counts.traces, 3);
    let aside: Vec<(&str, &str, UnixSeconds)> =
        counts.set_aside.iter().map(|line| (line.code.as_str(), line.reason.as_str(), line.since)).collect();
    assert_eq!(aside, [("422", "refusé", NOON.plus(5))]);
    let unsent: Vec<u64> =
        vault.unsent_accesses(&patient()).await.expect("read").iter().map(|trace| trace.index).collect();
    assert_eq!(unsent, [2, 3, 4], "row 1 is known upstream, row 0 is nobody's record");
}

#[tokio::test]
async fn a_damaged_item_is_set_aside_and_blocks_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    drop(vault);
    let database = rusqlite::Connection::open(folder.path().join("journal.db")).expect("a database");
    // And the row that it could be made anew from.
    database.execute("UPDATE outbox SET body = x'0102' WHERE seq = 1", []).expect("tampered");
    database.execute("UPDATE trace SET body = x'0102' WHERE idx = 0", []).expect("tampered");
    drop(database);
    let vault = open(folder.path());
    let left = vault.waiting(Some(&nurse()), 100).await.expect("the others come");
    assert_eq!(left.len(), 2);
    let counts = vault.counts().await.expect("counted");
    assert_eq!(counts.set_aside.len(), 1);
    assert_eq!(counts.set_aside[0].code, "damaged-here");
}

/// A disk that changed one bit of a state must not make the item vanish: it goes, and it is counted.
#[tokio::test]
async fn an_item_in_a_state_that_is_none_still_waits() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    let team = said(Answer::Yes, Scope::Team("equipe".into()), NURSE);
    vault.record(vec![draft(Class::Login, NURSE, None)], vec![team]).await.expect("recorded");
    let beside = rusqlite::Connection::open(folder.path().join("journal.db")).expect("a database");
    beside.execute_batch("UPDATE outbox SET state = 'vaiting'").expect("changed");
    assert_eq!(vault.waiting(Some(&nurse()), 10).await.expect("read").len(), 2);
    let counts = vault.counts().await.expect("counted");
    assert_eq!((counts.traces, counts.consents), (1, 1));
}
