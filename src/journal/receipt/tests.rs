//! The receipt in both forms: it comes back, it proves its row, and nothing in it can be changed.

use super::*;
use crate::journal::leaf::leaf_hash;
use crate::journal::note::Countersignature;
use crate::secret::SecretKey;

fn key(byte: u8) -> SigningKey {
    SigningKey::new("chevet-0011223344556677", &SecretKey::fill_with(|seed| seed.fill(byte)))
}

fn claims() -> Claims {
    Claims {
        class: Class::Opened,
        ground: Some(Ground::Team),
        at: Wall::Is(UnixSeconds(1_795_423_320)),
        holder: HolderId("899700000607".into()),
    }
}

/// A tree of three rows, and the receipt of the middle one.
fn receipt() -> Receipt {
    let leaves: Vec<LeafHash> = (0..3).map(|row| leaf_hash(&[row])).collect();
    let nodes = |level: u8, position: u64| -> Result<Hash, std::convert::Infallible> {
        let node = |level, position| nodes_of(&leaves, level, position);
        Ok(node(level, position))
    };
    let path = tree::inclusion(1, 3, nodes).expect("in memory").expect("it is there");
    let root = tree::root(3, nodes).expect("in memory");
    let head = Head { origin: "chevet-0011223344556677".into(), size: 3, root };
    let note = key(1).sign(&head);
    Receipt::new(&key(1), &note, Place { index: 1, leaf: leaves[1], path }, claims()).expect("a receipt")
}

fn nodes_of(leaves: &[LeafHash], level: u8, position: u64) -> Hash {
    if level == 0 {
        return leaves[usize::try_from(position).expect("small")].0;
    }
    let made = tree::append(1, leaves[1], |_, _| Ok::<Hash, std::convert::Infallible>(leaves[0].0));
    made.expect("in memory")[0].hash
}

#[test]
fn both_forms_come_back_and_prove_the_row() {
    let receipt = receipt();
    let ours = key(1).verifying_key();
    let text = receipt.to_text();
    let code = receipt.to_cbor().expect("small");
    for bytes in [text.as_bytes(), &code] {
        assert!(Receipt::is_one(bytes));
        let back = Receipt::read(bytes).expect("a receipt");
        assert!(back == receipt, "the same receipt");
        assert_eq!(back.verify(&ours).map(|proven| proven.head.size), Ok(3));
        assert_eq!(back.verify(&key(2).verifying_key()), Err(ReceiptError::Unsigned));
    }
    assert!(text.starts_with("c2sp.org/tlog-proof@v1\nextra "), "{text}");
    assert!(!Receipt::is_one(br#"{"index":0}"#));
}

#[test]
fn a_cards_line_stays_in_the_file_and_leaves_the_code_as_small() {
    let plain = receipt();
    let line = Countersignature::line(
        "chevet-0011223344556677",
        0,
        crate::identity::holder::CertificateKeyId([3; 32]),
        &[5; 256],
    );
    let signed = Receipt { note: plain.note.clone() + &line, ..plain.clone() };
    let back = Receipt::read(signed.to_text().as_bytes()).expect("a receipt");
    assert_eq!(back.verify(&key(1).verifying_key()).map(|proven| proven.countersignatures), Ok(1));
    assert_eq!(signed.to_cbor(), plain.to_cbor());
}

/// Every claim and every part of the place is signed or proven: another value is refused by name.
#[test]
fn no_claim_and_no_place_can_be_changed() {
    let (good, ours) = (receipt(), key(1).verifying_key());
    let change = |edit: &dyn Fn(&mut Receipt)| {
        let mut changed = good.clone();
        edit(&mut changed);
        let by_text = Receipt::read(changed.to_text().as_bytes()).and_then(|receipt| receipt.verify(&ours));
        let by_code = changed.to_cbor().and_then(|code| Receipt::read(&code)).and_then(|receipt| receipt.verify(&ours));
        (by_text.expect_err("refused"), by_code.expect_err("refused"))
    };
    let claims: [&dyn Fn(&mut Receipt); 6] = [
        &|receipt| receipt.claims.class = Class::Printed,
        &|receipt| receipt.claims.ground = None,
        &|receipt| receipt.claims.ground = Some(Ground::Explicit),
        &|receipt| receipt.claims.holder = HolderId("899700000102".into()),
        &|receipt| receipt.claims.at = Wall::Is(UnixSeconds(1_795_423_321)),
        &|receipt| receipt.claims.at = Wall::AtLeast(UnixSeconds(1_795_423_320)),
    ];
    for edit in claims {
        assert_eq!(change(edit), (ReceiptError::Claims, ReceiptError::Claims));
    }
    // The code has no root of its own: another place leads to another root, which nobody signed.
    let places: [&dyn Fn(&mut Receipt); 3] =
        [&|receipt| receipt.place.leaf = leaf_hash(b"another"), &|receipt| receipt.place.index = 0, &|receipt| {
            receipt.place.path[0][0] ^= 1
        }];
    for edit in places {
        assert_eq!(change(edit), (ReceiptError::NotIncluded, ReceiptError::Unsigned));
    }
    assert_eq!(change(&|receipt| receipt.signature[0] ^= 1), (ReceiptError::Claims, ReceiptError::Claims));
}

#[test]
fn no_byte_can_be_changed_and_no_length_is_a_panic() {
    let ours = key(1).verifying_key();
    let receipt = receipt();
    for whole in [receipt.to_text().into_bytes(), receipt.to_cbor().expect("small")] {
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            let read = Receipt::read(&changed);
            assert!(read.is_err() || read.is_ok_and(|receipt| receipt.verify(&ours).is_err()), "byte {at}");
            let cut = Receipt::read(&whole[..at]);
            assert!(cut.is_err() || cut.is_ok_and(|receipt| receipt.verify(&ours).is_err()), "cut at {at}");
        }
    }
}

#[test]
fn the_paper_says_it_in_french_and_names_no_patient() {
    let sheet = receipt().printed().expect("a sheet");
    for words in
        ["document lu", "équipe de soins", "RPPS 99700000607", "2026-11-23T08:42:00Z", "ligne 1 d’un journal de 3"]
    {
        assert!(sheet.contains(words), "{words} in {sheet}");
    }
    assert!(!sheet.contains('\'') && !sheet.contains(" :"), "French typography: {sheet}");
}

#[test]
fn a_code_that_would_be_too_large_is_refused() {
    assert!(qr(&[7; 997]).is_ok_and(|code| code.version() == qrcode::Version::Normal(25)));
    assert_eq!(qr(&[7; 998]).err(), Some(ReceiptError::TooLarge));
}
