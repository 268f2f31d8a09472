//! Checkpoints: made when they must be, countersigned by a card, anchored by the upstream; and every lie about them found.

use super::cards::attest;
use super::cards::card;
use super::cards::device_key;
use super::cards::export_of;
use super::cards::live_by;
use super::cards::look;
use super::cards::proven;
use super::*;
use chevet::journal::export::Verifier;
use chevet::journal::export::checkpoint_line;
use chevet::journal::export::tile_line;
use chevet::journal::leaf::LeafHash;
use chevet::journal::leaf::leaf_hash;
use chevet::journal::note;
use chevet::journal::note::SigningKey;
use chevet::journal::trace::LoginProof;
use chevet::journal::tree::Frontier;
use chevet::vault::Anchored;

#[tokio::test]
async fn a_card_vouches_for_the_head_and_an_export_proves_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    assert_eq!(vault.uncountersigned().await.expect("read"), None, "an empty journal has no head");
    let nurse = card("nurse");
    vault.record(vec![nurse.login_row()], vec![]).await.expect("recorded");
    assert_eq!(attest(&vault, &nurse, 0).await, 1, "a login has its checkpoint at once");
    assert_eq!(vault.uncountersigned().await.expect("read"), None, "nothing is signed twice");
    opened_row(&vault, nurse.holder, &patient(), 1).await;
    let listed = draft(Class::Listed, nurse.holder, Some((&patient(), None)));
    vault.record(vec![listed], vec![]).await.expect("recorded");
    opened_row(&vault, nurse.holder, &patient(), 2).await;
    drop(vault);

    let vault = open(folder.path());
    let sizes: Vec<String> = export_of(&look(folder.path())).into_iter().filter(|line| is_head(line)).collect();
    assert_eq!(sizes.len(), 3, "after the login, after the record was opened, and the export's own");
    assert_eq!(attest(&vault, &nurse, 0).await, 4, "nothing is lost over a restart: all rows are covered first");
    let look = look(folder.path());
    let report = proven(&export_of(&look), &device_key(&look));
    assert_eq!(
        (report.ok, report.rows, report.countersigned, report.certified),
        (true, 4, 4, Some(true)),
        "{report:?}"
    );
    let status = look.status().expect("read");
    assert_eq!((status.countersigned, status.anchored, status.last_success), (4, None, None));
}

#[tokio::test]
async fn a_doctors_card_takes_over_where_the_nurses_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    let (nurse, doctor) = (card("nurse"), card("doctor"));
    live_by(&vault, &nurse).await;
    // The nurse's card is gone before it could sign.
    vault.record(vec![doctor.login_row()], vec![]).await.expect("recorded");
    assert_eq!(attest(&vault, &doctor, 12).await, 13);
    let look = look(folder.path());
    let report = proven(&export_of(&look), &device_key(&look));
    assert_eq!((report.ok, report.countersigned), (true, 13), "{report:?}");
}

/// Somebody with the device's key rewrites the past and signs it again: the card's line tells.
#[tokio::test]
async fn without_the_card_nobody_rewrites_the_past() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    let nurse = card("nurse");
    live_by(&vault, &nurse).await;
    attest(&vault, &nurse, 0).await;
    let lines = export_of(&look(folder.path()));
    let signed = lines.iter().rfind(|line| is_head(line)).expect("a checkpoint").clone();
    let signed: serde_json::Value = serde_json::from_str(&signed).expect("JSON");
    let signed = signed["checkpoint"].as_str().expect("a note").to_owned();
    let card_line = signed.lines().last().expect("the card's").to_owned() + "\n";
    assert!(card_line.contains("/card/0 "), "{card_line}");

    let mut forged: Vec<String> = lines.iter().filter(|line| line.contains("\"blind\"")).cloned().collect();
    assert_eq!(forged.len(), 12);
    forged[5] = forged[5].replacen("opened", "listed", 1);
    let leaves: Vec<[u8; 32]> = forged.iter().map(|line| leaf_hash(line.as_bytes()).0).collect();
    let mut frontier = Frontier::default();
    leaves.iter().for_each(|leaf| frontier.push(LeafHash(*leaf)));
    let theirs = SigningKey::new(cards::DEVICE, &SecretKey::fill_with(|seed| seed.fill(7)));
    let head = note::Head { origin: cards::DEVICE.into(), size: 12, root: frontier.root() };
    forged.push(tile_line(0, &leaves));
    let check = |lines: &[String], key: note::VerifyingKey| {
        let mut verifier = Verifier::new(Some(key));
        lines.iter().for_each(|line| verifier.line(line.as_bytes()));
        verifier.finish()
    };
    let with = |note: String| [forged.clone(), vec![checkpoint_line(&note, None)]].concat();
    let bare = check(&with(theirs.sign(&head)), theirs.verifying_key());
    assert_eq!((bare.ok, bare.countersigned), (true, 0), "whole, and no card vouches for it");
    let lied = check(&with(theirs.sign(&head) + &card_line), theirs.verifying_key());
    assert_eq!((lied.ok, lied.countersigned), (false, 0), "{lied:?}");
}

#[tokio::test]
async fn a_countersignature_by_the_wrong_card_or_of_the_wrong_login_is_refused() {
    let (nurse, doctor) = (card("nurse"), card("doctor"));
    for (signs, says, login) in [(&doctor, &nurse, 0), (&nurse, &nurse, 1), (&doctor, &doctor, 0), (&nurse, &nurse, 99)]
    {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = open(folder.path());
        live_by(&vault, &nurse).await;
        let head = vault.uncountersigned().await.expect("read").expect("a head");
        let signature = signs.countersign(&head);
        vault.countersigned(head.size, login, says.certificate.key_id(), signature).await.expect("kept");
        let look = look(folder.path());
        let report = proven(&export_of(&look), &device_key(&look));
        assert_eq!((report.ok, report.first_bad, report.countersigned), (false, None, 0), "{report:?}");
    }
}

#[tokio::test]
async fn a_login_that_proves_nothing_is_named_by_its_row() {
    let (nurse, doctor, stranger) = (card("nurse"), card("doctor"), card("other-issuer"));
    let good = nurse.login_row();
    let mut unsigned = good.clone();
    let Some(LoginProof::Card(proof)) = &mut unsigned.proof else { panic!("a card's proof") };
    proof.signature[0] ^= 1;
    let borrowed = Draft { holder: HolderId(doctor.holder.into()), ..good.clone() };
    let by = |holder: &str, login| Draft { login: Some(login), ..draft(Class::Gate, holder, Some((&patient(), None))) };
    let cases = [
        ("a signature with a wrong bit", vec![unsigned], Some(0)),
        ("a colleague's certificate", vec![borrowed], Some(0)),
        ("an authority that is not ours", vec![stranger.login_row()], Some(0)),
        ("a row under somebody else's login", vec![good.clone(), by(nurse.holder, 0), by(doctor.holder, 0)], Some(2)),
        ("a row under a login that is none", vec![good.clone(), by(nurse.holder, 0), by(nurse.holder, 1)], Some(2)),
        ("a row under a login to come", vec![by(nurse.holder, 1), good.clone()], Some(0)),
        ("all as it should be", vec![good, by(nurse.holder, 0), doctor.login_row(), by(doctor.holder, 2)], None),
    ];
    for (what, rows, expected) in cases {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = open(folder.path());
        vault.record(rows, vec![]).await.expect("recorded");
        let look = look(folder.path());
        let report = proven(&export_of(&look), &device_key(&look));
        assert_eq!((report.ok, report.first_bad), (expected.is_none(), expected), "{what}: {report:?}");
    }
}

#[tokio::test]
async fn an_anchor_is_kept_counted_and_gives_the_allowance_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    let nurse = card("nurse");
    live_by(&vault, &nurse).await;
    let unanchored = vault.unanchored().await.expect("read");
    assert_eq!((unanchored.rows, unanchored.oldest), (10, Some(NOON)), "the login and the gate are no consultations");
    let head = vault.cover().await.expect("covered").expect("a head");
    assert_eq!((head.size, head.last_row_at), (12, NOON));
    opened_row(&vault, nurse.holder, &patient(), 11).await;
    vault.anchored(12, NOON.plus(9)).await.expect("kept");
    assert_eq!(vault.unanchored().await.expect("read").rows, 1, "what came after the head is not anchored by it");
    vault.anchored(12, NOON.plus(99)).await.expect("twice changes nothing");
    vault.anchored(777, NOON).await.expect("a size that is none changes nothing");
    let id = vault.waiting(None, 1).await.expect("read")[0].0.id;
    vault.acknowledged(vec![id], NOON.plus(8)).await.expect("kept");
    drop(vault);

    let vault = open(folder.path());
    assert_eq!(vault.unanchored().await.expect("read").rows, 1, "counted again from the disk");
    let look = look(folder.path());
    let status = look.status().expect("read");
    assert_eq!(status.anchored, Some(Anchored { size: 12, at: NOON.plus(9) }));
    assert_eq!(status.last_success, Some(NOON.plus(8)));
    let report = proven(&export_of(&look), &device_key(&look));
    assert_eq!((report.ok, report.anchored), (true, 12), "{report:?}");
}

/// What a card signed names a person to whoever has the directory: it is not in clear on the disk.
#[tokio::test]
async fn a_countersignature_is_sealed() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    let nurse = card("nurse");
    live_by(&vault, &nurse).await;
    let head = vault.uncountersigned().await.expect("read").expect("a head");
    let signature = nurse.countersign(&head);
    vault.countersigned(head.size, 0, nurse.certificate.key_id(), signature.clone()).await.expect("kept");
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &signature);
    for (path, bytes) in everything(folder.path()) {
        for canary in [&signature[..32], &encoded.as_bytes()[8..40], b"/card/0"] {
            assert!(!bytes.windows(canary.len()).any(|window| window == canary), "in {}", path.display());
        }
    }
}

fn is_head(line: &str) -> bool {
    line.contains("\"checkpoint\"")
}
