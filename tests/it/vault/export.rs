//! An export, proven without the device; and what each change to it is found by.

use super::cards::card;
use super::cards::live_by;
use super::*;
use crate::desk::pki;
use chevet::journal::export::Report;
use chevet::journal::export::Verifier;
use chevet::journal::export::checkpoint_line;
use chevet::journal::export::pruned_line;
use chevet::journal::export::tile_line;
use chevet::journal::leaf::LeafHash;
use chevet::journal::leaf::leaf_hash;
use chevet::journal::note::Head;
use chevet::journal::note::SigningKey;
use chevet::journal::note::VerifyingKey;
use chevet::journal::tree::Frontier;
use chevet::vault::Look;

/// An export of a day with twelve rows, line by line, and the device's public key.
async fn exported() -> (Vec<String>, VerifyingKey) {
    let folder = tempfile::tempdir().expect("a folder");
    let key_file = folder.path().join("key");
    write_private(&key_file, &[0x5a; 32]);
    write_private(&folder.path().join("device.id"), b"chevet-0011223344556677\n");
    let vault = open(folder.path());
    live_by(&vault, &card("nurse")).await;
    // Beside the running kiosk.
    let look = Look::open(folder.path(), Some(&key_file)).expect("a look");
    let status = look.status().expect("read");
    assert_eq!((status.rows, status.waiting.traces, status.is_time_trusted), (12, 12, true));
    let mut out = Vec::new();
    look.export(&mut out).expect("exported");
    let lines = String::from_utf8(out).expect("text").lines().map(str::to_owned).collect();
    (lines, VerifyingKey::parse(&status.device_key).expect("a key"))
}

fn verify(lines: &[String], key: Option<&VerifyingKey>) -> Report {
    let mut verifier = Verifier::new(key.cloned());
    lines.iter().for_each(|line| verifier.line(line.as_bytes()));
    verifier.finish()
}

#[tokio::test]
async fn an_export_is_proven_and_names_the_first_bad_row() {
    let (lines, key) = exported().await;
    assert_eq!(lines.len(), 12 + 1 + 2, "rows, one tile, the login's checkpoint and the export's");
    let whole = verify(&lines, Some(&key));
    assert_eq!((whole.rows, whole.ok, whole.first_bad, whole.signed), (12, true, None, Some(true)), "{whole:?}");
    assert_eq!(verify(&lines, None).signed, None);

    // One changed byte, wherever it is, names its row: a class, a digit of the blind, a broken brace.
    for row in [0, 5, 11] {
        for (from, to) in
            [("\"mode\":\"normal\"", "\"mode\":\"prefetch\""), ("\"blind\":\"", "\"blind\":\"0"), ("{", "[")]
        {
            let mut changed = lines.clone();
            changed[row] = changed[row].replacen(from, to, 1);
            assert_ne!(changed[row], lines[row]);
            let report = verify(&changed, Some(&key));
            assert_eq!((report.ok, report.first_bad), (false, Some(row as u64)), "{from} in row {row}: {report:?}");
        }
    }
    let without = |gone: usize| -> Vec<String> {
        lines.iter().enumerate().filter(|(at, _)| *at != gone).map(|(_, line)| line.clone()).collect()
    };
    assert_eq!(verify(&without(4), Some(&key)).first_bad, Some(4), "a row left out");
    assert_eq!(verify(&without(11), Some(&key)).first_bad, Some(11), "the last row left out");
    // The index alone tells, where somebody left out the tile as well.
    let bare: Vec<String> = without(4).into_iter().filter(|line| !line.starts_with("{\"tile\"")).collect();
    assert_eq!(verify(&bare, Some(&key)).first_bad, Some(4), "a row and the tiles left out");
    let mut swapped = lines.clone();
    swapped.swap(2, 3);
    assert_eq!(verify(&swapped, Some(&key)).first_bad, Some(2), "two rows swapped");
    assert!(!verify(&without(14), Some(&key)).ok, "rows beyond the last checkpoint");
    let unproven = verify(&lines[..13], Some(&key));
    assert!(!unproven.ok, "no checkpoint, no proof: {unproven:?}");

    // A pruned body leaves its leaf; a wrong leaf is found all the same.
    let leaf = leaf_hash(lines[3].as_bytes()).0;
    let mut pruned = lines.clone();
    pruned[3] = pruned_line(3, &leaf);
    assert!(verify(&pruned, Some(&key)).ok);
    pruned[3] = pruned_line(3, &[9; 32]);
    assert_eq!(verify(&pruned, Some(&key)).first_bad, Some(3));

    // Somebody rewrites a row, its tile and the checkpoint: only the key tells.
    let mut forged: Vec<String> = lines[..12].to_vec();
    forged[5] = forged[5].replacen("opened", "listed", 1);
    let leaves: Vec<[u8; 32]> = forged.iter().map(|line| leaf_hash(line.as_bytes()).0).collect();
    let mut frontier = Frontier::default();
    leaves.iter().for_each(|leaf| frontier.push(LeafHash(*leaf)));
    let theirs = SigningKey::new("chevet-0011223344556677", &SecretKey::fill_with(|seed| seed.fill(7)));
    let head = Head { origin: "chevet-0011223344556677".into(), size: 12, root: frontier.root() };
    forged.push(tile_line(0, &leaves));
    forged.push(checkpoint_line(&theirs.sign(&head), None));
    assert!(verify(&forged, None).ok, "consistent in itself");
    let told = verify(&forged, Some(&key));
    assert_eq!((told.ok, told.signed), (false, Some(false)));
    // The true checkpoint with the forged rows and tiles.
    forged[13] = lines[14].clone();
    assert!(!verify(&forged, Some(&key)).ok);
}

/// As a person and a script see it: the first bad row by its number, and the code.
#[tokio::test]
async fn the_program_names_the_first_bad_row() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("export.jsonl");
    let (lines, key) = exported().await;
    let said = |flags: &[&str]| {
        let mut chevet = std::process::Command::new(env!("CARGO_BIN_EXE_chevet"));
        let done = chevet.args(["journal", "verify"]).arg(&file).args(flags).output().expect("it runs");
        (String::from_utf8(done.stdout).expect("text"), done.status.code())
    };
    let (text, key) = (lines.join("\n"), key.to_string());
    std::fs::write(&file, &text).expect("written");
    let (words, code) = said(&["--device-key", &key, "--json"]);
    let report: serde_json::Value = serde_json::from_str(&words).expect("JSON");
    assert_eq!(
        (code, &report["rows"], &report["ok"], &report["first_bad"]),
        (Some(0), &12.into(), &true.into(), &().into())
    );
    for row in [0, 7, 11] {
        // One byte of the row's blind.
        let start: usize = lines[..row].iter().map(|line| line.len() + 1).sum();
        let at = start + lines[row].find("\"blind\":\"").expect("a blind") + 12;
        let mut changed = text.clone().into_bytes();
        changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
        std::fs::write(&file, changed).expect("written");
        let (words, code) = said(&["--device-key", &key, "--json"]);
        let report: serde_json::Value = serde_json::from_str(&words).expect("JSON");
        assert_eq!((code, &report["ok"], &report["first_bad"]), (Some(1), &false.into(), &row.into()), "{words}");
        let (words, code) = said(&["--device-key", &key]);
        assert!(code == Some(1) && words.contains(&format!("row {row}")), "{words}");
    }
}

#[tokio::test]
async fn the_verbs_answer_with_their_codes() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("export.jsonl");
    let (lines, key) = exported().await;
    let code = |done: std::process::ExitCode| format!("{done:?}");
    let expected = |code: u8| format!("{:?}", std::process::ExitCode::from(code));
    std::fs::write(&file, lines.join("\n")).expect("written");
    let verb = chevet::cli::journal::verify;
    assert_eq!(code(verb(&file, Some(&key.to_string()), None, true)), expected(0));
    assert_eq!(code(verb(&file, None, Some(&pki().anchors()), true)), expected(0));
    std::fs::write(&file, lines.join("\n").replacen("opened", "listed", 1)).expect("written");
    assert_eq!(code(verb(&file, None, None, false)), expected(1));
    assert_eq!(code(verb(&file, Some("no key"), None, false)), expected(2));
    assert_eq!(code(verb(&file, None, Some(&file), false)), expected(2), "those are no anchors");
    assert_eq!(code(verb(&folder.path().join("nothing"), None, None, true)), expected(3));
    assert_eq!(code(chevet::cli::journal::status(folder.path(), None, true)), expected(3), "there is no journal");
    assert!(!folder.path().join("device.key").exists(), "a look makes nothing");
}
