//! The patient's receipt: on a journal of a million rows, read back from its QR code, and telling nothing of anybody else.

use super::cards::DEVICE;
use super::cards::attest;
use super::cards::card;
use super::cards::device_key;
use super::cards::export_of;
use super::cards::live_by;
use super::cards::look;
use super::*;
use chevet::journal::Pending;
use chevet::journal::Trace;
use chevet::journal::leaf;
use chevet::journal::leaf::LeafHash;
use chevet::journal::leaf::leaf_hash;
use chevet::journal::note::Head;
use chevet::journal::note::SigningKey;
use chevet::journal::receipt::Claims;
use chevet::journal::receipt::Place;
use chevet::journal::receipt::QR_VERSION_MAX;
use chevet::journal::receipt::Receipt;
use chevet::journal::receipt::ReceiptError;
use chevet::journal::receipt::qr;
use chevet::journal::tree;
use chevet::journal::tree::Hash;
use std::convert::Infallible;

/// Every level of a tree, lowest first.
struct Tree(Vec<Vec<Hash>>);

impl Tree {
    /// A million rows cost two million hashes and 64 MB, for as long as the test runs.
    fn of(rows: u64) -> Tree {
        let mut tree = Tree(vec![Vec::new(); 21]);
        for index in 0..rows {
            let leaf = leaf_hash(&index.to_be_bytes());
            let made = tree::append(index, leaf, |level, position| tree.node(level, position)).expect("in memory");
            tree.0[0].push(leaf.0);
            made.into_iter().for_each(|node| tree.0[usize::from(node.level)].push(node.hash));
        }
        tree
    }

    fn node(&self, level: u8, position: u64) -> Result<Hash, Infallible> {
        Ok(self.0[usize::from(level)][usize::try_from(position).expect("small")])
    }
}

#[test]
fn a_receipt_from_a_million_rows_fits_a_code_and_comes_back_from_it() {
    let rows = 1_000_000;
    let tree = Tree::of(rows);
    let key = SigningKey::new(DEVICE, &SecretKey::fill_with(|seed| seed.fill(1)));
    let root = tree::root(rows, |level, position| tree.node(level, position)).expect("in memory");
    let note = key.sign(&Head { origin: DEVICE.into(), size: rows, root });
    // The longest words there are, and the longest path.
    let claims = Claims {
        class: Class::Contributed,
        ground: Some(Ground::Authorization),
        at: Wall::AtLeast(NOON),
        holder: HolderId("899700101340".into()),
    };
    for index in [0, 524_287, 777_777, rows - 1] {
        let path = tree::inclusion(index, rows, |level, position| tree.node(level, position)).expect("in memory");
        let place = Place { index, leaf: LeafHash(tree.0[0][index as usize]), path: path.expect("it is there") };
        assert!(place.path.len() <= 20, "{}", place.path.len());
        let receipt = Receipt::new(&key, &note, place, claims.clone()).expect("a receipt");
        assert!(receipt.verify(&key.verifying_key()).is_ok());
        let payload = receipt.to_cbor().expect("small");
        let code = qr(&payload).expect("it fits");
        let qrcode::Version::Normal(version) = code.version() else { panic!("a whole code") };
        assert!(version <= QR_VERSION_MAX, "version {version} for {} bytes", payload.len());
        assert_eq!(code.error_correction_level(), qrcode::EcLevel::M);
        println!("row {index}: {} bytes, version {version}", payload.len());
        // Somebody else's reader takes it from a picture.
        let dark: Vec<bool> = code.to_colors().into_iter().map(|one| one == qrcode::Color::Dark).collect();
        let read = photographed(code.width(), &dark);
        assert_eq!(read, payload);
        let back = Receipt::read(&read).expect("a receipt");
        assert!(back.verify(&key.verifying_key()).is_ok_and(|proven| proven.head.size == rows));
    }
}

/// A receipt of that row among so many, and what checks it.
pub fn receipt_among(rows: u64, index: u64) -> (Receipt, chevet::journal::note::VerifyingKey) {
    let tree = Tree::of(rows);
    let key = SigningKey::new(DEVICE, &SecretKey::fill_with(|seed| seed.fill(1)));
    let root = tree::root(rows, |level, position| tree.node(level, position)).expect("in memory");
    let note = key.sign(&Head { origin: DEVICE.into(), size: rows, root });
    let claims = Claims {
        class: Class::Contributed,
        ground: Some(Ground::Authorization),
        at: Wall::AtLeast(NOON),
        holder: HolderId("899700101340".into()),
    };
    let path = tree::inclusion(index, rows, |level, position| tree.node(level, position)).expect("in memory");
    let place = Place { index, leaf: LeafHash(tree.0[0][index as usize]), path: path.expect("it is there") };
    (Receipt::new(&key, &note, place, claims).expect("a receipt"), key.verifying_key())
}

/// What `rqrr` reads off a code of that side, four pixels a module.
pub fn photographed(side: usize, dark: &[bool]) -> Vec<u8> {
    let (quiet, scale) = (4, 4);
    let edge = (side + 2 * quiet) * scale;
    let module = |at: usize| (at / scale).checked_sub(quiet).filter(|place| *place < side);
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(edge, edge, |x, y| match (module(x), module(y)) {
        (Some(column), Some(row)) if dark[row * side + column] => 0,
        _ => 255,
    });
    let grids = picture.detect_grids();
    assert_eq!(grids.len(), 1);
    let mut read = Vec::new();
    grids[0].decode_to(&mut read).expect("decoded");
    read
}

/// The journal's own receipt: with the card's line in the file, without a word of the patient, and only for what is there.
#[tokio::test]
async fn the_journals_receipt_is_proven_by_the_key_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    let nurse = card("nurse");
    live_by(&vault, &nurse).await;
    let look = look(folder.path());
    assert!(matches!(look.receipt(5), Err(Error::Absent)), "no checkpoint covers it yet");
    attest(&vault, &nurse, 0).await;
    let receipt = look.receipt(5).expect("a receipt");
    let proven = receipt.verify(&device_key(&look)).expect("proven");
    assert_eq!((proven.head.size, proven.countersignatures), (12, 1));
    assert_eq!((receipt.claims.class, receipt.claims.holder.0.as_str()), (Class::Opened, nurse.holder));
    let row = export_of(&look)[5].clone();
    assert_eq!(receipt.place.leaf, leaf_hash(row.as_bytes()), "it is about that very row");

    let trace = leaf::parse(row.as_bytes()).expect("a row");
    let (text, code) = (receipt.to_text(), receipt.to_cbor().expect("small"));
    let extra = text.lines().nth(1).and_then(|line| line.strip_prefix("extra ")).expect("extra data");
    let extra = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, extra).expect("base64");
    let sheet = receipt.printed().expect("a sheet");
    let document = trace.draft.document.expect("a document").0.0;
    for bytes in [text.as_bytes(), &extra, &code, sheet.as_bytes()] {
        for canary in [
            MATRICULE.as_bytes(),
            BIRTH_NAME.as_bytes(),
            document.as_bytes(),
            &trace.blind,
            hex::encode(trace.blind).as_bytes(),
        ] {
            assert!(!bytes.windows(canary.len()).any(|window| window == canary));
        }
    }
}

/// Whoever holds a receipt has its neighbours' hashes, and may know all of a neighbour's row that a person can know. Without
/// the blind no guess is ever confirmed; with it (the control) the first one is.
#[tokio::test]
async fn no_other_row_can_be_guessed_from_a_receipt() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    let nurse = card("nurse");
    vault.record(vec![nurse.login_row()], vec![]).await.expect("recorded");
    opened_row(&vault, nurse.holder, &ins(OTHER_MATRICULE), 1).await;
    opened_row(&vault, nurse.holder, &patient(), 2).await;
    opened_row(&vault, nurse.holder, &ins(OTHER_MATRICULE), 3).await;
    attest(&vault, &nurse, 0).await;
    let look = look(folder.path());
    let receipt = look.receipt(2).expect("a receipt");
    let neighbour = leaf::parse(export_of(&look)[3].as_bytes()).expect("a row");
    let known = hashes(&receipt);
    assert_eq!(known[1], Pending::new(neighbour.clone()).leaf().0, "the neighbour's leaf is in it");

    let mine = leaf::parse(export_of(&look)[2].as_bytes()).expect("a row");
    assert_eq!(confirmed(&known, &neighbour, [0; 32]), 0);
    assert_eq!(confirmed(&known, &neighbour, mine.blind), 0, "one's own blind is nobody else's");
    assert_eq!(confirmed(&known, &neighbour, neighbour.blind), 1, "the control: with the blind it is found");
}

/// The leaf first, then the path.
fn hashes(receipt: &Receipt) -> Vec<Hash> {
    [vec![receipt.place.leaf.0], receipt.place.path.clone()].concat()
}

/// Tries every patient of a list, every class, ground, source and minute around, all else as it really is.
fn confirmed(known: &[Hash], truth: &Trace, blind: [u8; 32]) -> usize {
    let grounds: Vec<Option<Ground>> = Ground::ALL.iter().copied().map(Some).chain([None]).collect();
    let mut found = 0;
    for matricule in [MATRICULE, OTHER_MATRICULE, "187017500100001", "299129999999999"] {
        for class in Class::ALL {
            for ground in &grounds {
                for second in -30..=30 {
                    let draft = Draft {
                        patient: Ins::unchecked(matricule, InsKind::Test).ok(),
                        class: *class,
                        ground: *ground,
                        at: Now { wall: Wall::Is(NOON.plus(second)), ..truth.draft.at },
                        ..truth.draft.clone()
                    };
                    let guess = Pending::new(Trace { blind, draft, ..truth.clone() }).leaf().0;
                    found += usize::from(known.contains(&guess));
                }
            }
        }
    }
    found
}

#[tokio::test]
async fn the_verbs_give_a_receipt_and_take_it_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    let nurse = card("nurse");
    live_by(&vault, &nurse).await;
    attest(&vault, &nurse, 0).await;
    let look = look(folder.path());
    let key = device_key(&look).to_string();
    let (key_file, proof) = (folder.path().join("key"), folder.path().join("access.tlog-proof"));
    let code = |done: std::process::ExitCode| format!("{done:?}");
    let expected = |code: u8| format!("{:?}", std::process::ExitCode::from(code));
    let (give, take) = (chevet::cli::journal::receipt, chevet::cli::journal::verify);
    assert_eq!(code(give(folder.path(), Some(&key_file), 5, Some(&proof), true)), expected(0));
    assert_eq!(code(give(folder.path(), Some(&key_file), 5, None, false)), expected(0));
    assert_eq!(code(give(folder.path(), Some(&key_file), 77, None, true)), expected(1), "there is no such row");
    assert_eq!(code(take(&proof, Some(&key), None, true)), expected(0));
    assert_eq!(code(take(&proof, None, None, true)), expected(2), "a receipt without a key proves nothing");
    let scanned = folder.path().join("scanned");
    std::fs::write(&scanned, look.receipt(5).expect("a receipt").to_cbor().expect("small")).expect("written");
    assert_eq!(code(take(&scanned, Some(&key), None, false)), expected(0));
    let text = std::fs::read_to_string(&proof).expect("text");
    std::fs::write(&proof, text.replacen("index 5", "index 4", 1)).expect("written");
    assert_eq!(code(take(&proof, Some(&key), None, false)), expected(1));
    assert_eq!(Receipt::read(b"c2sp.org/tlog-proof@v1\n"), Err(ReceiptError::Shape));
}
