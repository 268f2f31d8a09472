//! What OpenSSL says of our signatures: the device's under a checkpoint and a receipt, the card's under a checkpoint.

use super::cards::card;
use super::cards::device_key;
use super::cards::live_by;
use super::cards::look;
use super::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::process::Command;

#[tokio::test]
async fn openssl_believes_the_device_and_the_card_and_no_other_text() {
    let folder = tempfile::tempdir().expect("a folder");
    let work = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    let nurse = card("nurse");
    live_by(&vault, &nurse).await;
    cards::attest(&vault, &nurse, 0).await;
    let look = look(folder.path());
    let head = vault.cover().await.expect("covered").expect("a head");
    let (text, lines) = head.note.split_once("\n\n").expect("a note");
    let text = format!("{text}\n");
    let signatures: Vec<Vec<u8>> = lines
        .lines()
        .map(|line| STANDARD.decode(line.rsplit(' ').next().expect("three words")).expect("base64")[4..].to_vec())
        .collect();
    assert_eq!((signatures.len(), signatures[0].len(), signatures[1].len()), (2, 64, 256), "the device, then the card");

    // SubjectPublicKeyInfo of Ed25519 (RFC 8410 §4): a fixed head, then the 32 bytes that the verifying key names.
    let named = device_key(&look).to_string();
    let raw = STANDARD.decode(named.splitn(3, '+').nth(2).expect("three parts")).expect("base64")[1..].to_vec();
    let public = [hex::decode("302a300506032b6570032100").expect("hex"), raw].concat();
    let write = |name: &str, bytes: &[u8]| {
        let path = work.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        path
    };
    let key = write("device.der", &public);
    let ed25519 = |message: &[u8], signature: &[u8]| {
        openssl(
            Command::new("openssl")
                .args(["pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-rawin", "-inkey"])
                .arg(&key)
                .arg("-in")
                .arg(write("message", message))
                .arg("-sigfile")
                .arg(write("signature", signature)),
        )
    };
    assert!(ed25519(text.as_bytes(), &signatures[0]));
    assert!(!ed25519(text.replace("\n12\n", "\n13\n").as_bytes(), &signatures[0]), "another size");

    // docs/receipt.md: what the card signs is the text in a record of its own.
    let certificate = write("card.der", nurse.certificate.der());
    let pem = work.path().join("card.pem");
    let made =
        Command::new("openssl").args(["x509", "-inform", "DER", "-noout", "-pubkey", "-in"]).arg(certificate).output();
    std::fs::write(&pem, made.expect("OpenSSL runs: install the Debian package openssl").stdout).expect("written");
    let record = |parts: &[&[u8]]| -> Vec<u8> {
        let framed = |part: &&[u8]| [(part.len() as u32).to_be_bytes().as_slice(), part].concat();
        parts.iter().flat_map(framed).collect()
    };
    let key_id = nurse.certificate.key_id().0;
    let signed = |text: &str| record(&[b"chevet/checkpoint/v1", cards::DEVICE.as_bytes(), &key_id, text.as_bytes()]);
    let rsa = |message: &[u8], signature: &[u8]| {
        openssl(
            Command::new("openssl")
                .args(["dgst", "-sha256", "-verify"])
                .arg(&pem)
                .arg("-signature")
                .arg(write("signature", signature))
                .arg(write("message", message)),
        )
    };
    assert!(rsa(&signed(&text), &signatures[1]));
    assert!(!rsa(&signed(&text.replace("\n12\n", "\n13\n")), &signatures[1]), "another size");
    assert!(!rsa(text.as_bytes(), &signatures[1]), "the bare text is not what a card signs");
}

fn openssl(command: &mut Command) -> bool {
    let said = command.output().expect("OpenSSL runs: install the Debian package openssl");
    let words = String::from_utf8_lossy(&said.stdout).into_owned() + &String::from_utf8_lossy(&said.stderr);
    assert!(words.to_lowercase().contains("verif"), "OpenSSL failed before it verified anything: {words}");
    said.status.success()
}
