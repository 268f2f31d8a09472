//! The conditions under which a card's signature may be a key: its salt stays, its kind is recorded, holders are apart.

use super::*;
use rusqlite::Connection;

/// What the card signs ends with the salt.
async fn salt(vault: &Vault, holder: &str, card: u8) -> Vec<u8> {
    let key = CertificateKeyId([card; 32]);
    let statement = vault.compartment_statement(&HolderId(holder.into()), key).await.expect("a statement");
    statement.message()[statement.message().len() - 32..].to_vec()
}

fn is_in(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

fn database(folder: &Path) -> Connection {
    Connection::open(folder.join("journal.db")).expect("a database")
}

#[tokio::test]
async fn a_salt_is_drawn_for_each_slot_kept_and_never_in_clear_on_the_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let other_folder = tempfile::tempdir().expect("a folder");
    let (vault, elsewhere) = (open(folder.path()), open(other_folder.path()));
    live_a_day(&vault).await;
    let salts = [
        salt(&vault, NURSE, 1).await,
        salt(&vault, NURSE, 2).await,
        salt(&vault, DOCTOR, 1).await,
        salt(&elsewhere, NURSE, 1).await,
    ];
    for (at, one) in salts.iter().enumerate() {
        assert!(salts[at + 1..].iter().all(|other| other != one), "slot {at}'s salt serves twice");
    }
    assert_eq!(salt(&vault, NURSE, 1).await, salts[0], "or nothing would open again");
    for is_open in [true, false] {
        for (path, bytes) in everything(folder.path()) {
            assert!(salts.iter().all(|salt| !is_in(&bytes, salt)), "open {is_open}: in {}", path.display());
        }
        if is_open {
            vault.lock().await;
        }
    }
    drop(vault);
    // Its column is there, sealed: this test looked for something.
    let sealed: Vec<u8> =
        database(folder.path()).query_row("SELECT salt FROM slot", [], |row| row.get(0)).expect("a slot");
    assert!(sealed.len() > 32);
}

#[tokio::test]
async fn a_slot_of_another_kind_of_card_is_left_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    drop(vault);
    let set = |algorithm: &str| {
        let changed = database(folder.path()).execute("UPDATE slot SET algorithm = ?1", [algorithm]);
        assert_eq!(changed.expect("changed"), 1);
    };
    let recorded: String =
        database(folder.path()).query_row("SELECT algorithm FROM slot", [], |row| row.get(0)).expect("a slot");
    assert_eq!(recorded, "rsa-pkcs1v15-sha256");
    set("ecdh-p256");
    let vault = open(folder.path());
    let key = CertificateKeyId([1; 32]);
    let statement = vault.compartment_statement(&nurse(), key).await;
    assert!(matches!(statement, Err(Error::SlotAlgorithm)), "asks the card for a signature that is no key");
    let opened = vault.unlock(&nurse(), key, SecretBytes::new(vec![1; 256]), NOON).await;
    assert!(matches!(opened, Err(Error::SlotAlgorithm)), "{opened:?}");
    drop(vault);
    set(&recorded);
    let vault = open(folder.path());
    unlock(&vault, NURSE, 1).await.expect("as it was");
    assert_eq!(content(&vault, NURSE, 1).await.expect("released"), CONTENT);
}

/// A rogue computer with the card has another device's key: it can ask for the same signature, and it opens nothing.
#[tokio::test]
async fn a_signature_without_the_devices_key_opens_no_slot() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    let stolen = signature(&vault, NURSE, 1).await;
    vault.lock().await;
    drop(vault);
    let other_folder = tempfile::tempdir().expect("a folder");
    let other = Options { device_key: SecretKey::fill_with(|key| key.fill(0x5b)), ..options(other_folder.path()) };
    let vault = Vault::open(other, NOON).expect("another device of the same name");
    salt(&vault, NURSE, 1).await;
    drop(vault);
    // The slot's row as it stands, put into that device's journal.
    let (from, to) = (database(folder.path()), database(other_folder.path()));
    let row = from.query_row("SELECT compartment, salt, wrapped FROM slot", [], |row| {
        Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, Vec<u8>>(2)?))
    });
    let (compartment, salt, wrapped) = row.expect("a slot");
    let sql = "UPDATE slot SET compartment = ?1, salt = ?2, wrapped = ?3";
    assert_eq!(to.execute(sql, rusqlite::params![compartment, salt, wrapped]).expect("written"), 1);
    drop((from, to));
    let other = Options { device_key: SecretKey::fill_with(|key| key.fill(0x5b)), ..options(other_folder.path()) };
    let vault = Vault::open(other, NOON).expect("opened");
    let opened = vault.unlock(&nurse(), CertificateKeyId([1; 32]), stolen, NOON).await;
    assert!(matches!(opened, Err(Error::Sealed { table: "slot", column: "salt" })), "{opened:?}");
}

#[tokio::test]
async fn holders_on_one_device_are_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    let nurses = compartment_file(folder.path());
    unlock(&vault, DOCTOR, 2).await.expect("opened");
    vault.put_round(vec![identity(MATRICULE)], NOON).await.expect("kept");
    vault.remember_list(&held_list(1), NOON).await.expect("kept");
    let theirs = b"what only the doctor fetched";
    vault.store(&document(1).unique_id, &held(1, theirs), NOON).await.expect("kept");
    assert_eq!(vault.round().await.expect("read").len(), 1);
    assert!(!vault.has(&patient(), &document(2).unique_id).await.expect("read"), "the nurse fetched it");
    drop(vault);
    let compartments = folder.path().join("compartments");
    let is_doctors = |path: &PathBuf| path.extension().is_some_and(|end| end == "db") && *path != nurses;
    let doctors = everything(&compartments).into_iter().map(|(path, _)| path).find(is_doctors).expect("a second file");
    // The same patient, and no name in common: two files do not tell that their holders care for the same person.
    let names = |file: &Path| -> Vec<Vec<u8>> {
        let database = Connection::open(file).expect("a database");
        let mut asked = database.prepare("SELECT patient FROM document UNION SELECT patient FROM desk").expect("asked");
        asked.query_map([], |row| row.get(0)).and_then(Iterator::collect).expect("read")
    };
    let (of_nurse, of_doctor) = (names(&nurses), names(&doctors));
    assert!(!of_nurse.is_empty() && !of_doctor.is_empty());
    assert!(of_nurse.iter().all(|name| !of_doctor.contains(name)));

    // Another holder's wrapped key in one's own slot, then another holder's file under one's own name.
    let journal = database(folder.path());
    let wrapped = |file: &Path| -> Vec<u8> {
        let name = file.file_stem().and_then(|name| name.to_str()).expect("a name");
        let sql = "SELECT wrapped FROM slot WHERE hex(compartment) = upper(?1)";
        journal.query_row(sql, [name], |row| row.get(0)).expect("a slot")
    };
    let (nurses_key, doctors_key) = (wrapped(&nurses), wrapped(&doctors));
    let put = |from: &[u8], to: &[u8]| {
        let sql = "UPDATE slot SET wrapped = ?1 WHERE wrapped = ?2";
        assert_eq!(journal.execute(sql, [from, to]).expect("written"), 1);
    };
    put(&nurses_key, &doctors_key);
    let vault = open(folder.path());
    assert!(matches!(unlock(&vault, DOCTOR, 2).await, Err(Error::WrongCard)));
    drop(vault);
    let sql = "UPDATE slot SET wrapped = ?1 WHERE hex(compartment) = upper(?2)";
    let name = doctors.file_stem().and_then(|name| name.to_str()).expect("a name");
    journal.execute(sql, rusqlite::params![doctors_key, name]).expect("put back");
    drop(journal);
    std::fs::copy(&nurses, &doctors).expect("copied");
    let vault = open(folder.path());
    unlock(&vault, DOCTOR, 2).await.expect("begun anew");
    assert!(vault.round().await.expect("read").is_empty());
    assert_eq!(vault.sealed_aside().len(), 1, "the nurse's file is no file of his");
    assert!(matches!(content(&vault, DOCTOR, 1).await, Err(Error::Absent)));
}
