//! Somebody who has the whole state folder, the device key, and, for once, the card too: computes every key on a way of
//! their own, from DESIGN §5 and not from the vault's code, so that what the tests look for is what the vault really used.

use aws_lc_rs::aead::AES_256_GCM;
use aws_lc_rs::aead::Aad;
use aws_lc_rs::aead::CHACHA20_POLY1305;
use aws_lc_rs::aead::LessSafeKey;
use aws_lc_rs::aead::Nonce;
use aws_lc_rs::aead::UnboundKey;
use aws_lc_rs::hkdf::HKDF_SHA256;
use aws_lc_rs::hkdf::Salt;
use aws_lc_rs::hmac;
use chevet::identity::certificate::Certificate;
use chevet::identity::holder::CertificateKeyId;
use chevet::identity::holder::HolderId;
use chevet::identity::statement::Statement;
use chevet::patient::ins::Ins;
use chevet::sandbox::pki::Pki;
use chevet::sandbox::pki::Profile;
use rusqlite::Connection;
use rusqlite::OpenFlags;
use std::path::Path;
use std::path::PathBuf;

/// The folder, and what opens its journal.
pub struct Burglar {
    folder: PathBuf,
    device: String,
    device_key: [u8; 32],
    journal: Connection,
    store: Vec<u8>,
}

/// What one visit had in memory.
pub struct Loot {
    /// The card's signature that is half of the key.
    pub signature: Vec<u8>,
    pub kek: [u8; 32],
    pub compartment: [u8; 32],
    pub patient: [u8; 32],
    pub shred: [u8; 32],
    /// What they seal with, in either cipher.
    pub ciphers: Vec<(&'static str, [u8; 32])>,
}

impl Burglar {
    /// Takes the folder as it is; whoever uses it must have stopped.
    pub fn enter(folder: &Path) -> Burglar {
        let device = std::fs::read_to_string(folder.join("device.id")).expect("a name").trim().to_owned();
        let device_key = std::fs::read(folder.join("device.key")).expect("a key").try_into().expect("32 bytes");
        let journal = open(&folder.join("journal.db"));
        let store = journal.query_row("SELECT store_id FROM store", [], |row| row.get(0)).expect("a store");
        Burglar { folder: folder.to_owned(), device, device_key, journal, store }
    }

    /// With the card of `profile`: all that was needed for this patient's documents.
    pub fn crack(&self, pki: &Pki, profile: &Profile, patient: &Ins) -> Loot {
        let card = pki.card(profile).expect("a card");
        let certificate = Certificate::parse(&card.authentication.certificate).expect("a certificate");
        let (key, holder) = (certificate.key_id(), HolderId(profile.holder_id.to_owned()));
        let lookup = derive(&self.store, &[&self.device_key], &[b"chevet/journal/lookup/v1"]);
        let (row, compartment_id, salt, wrapped) = self.slot(&lookup, &holder, key);
        let seal = derive(&self.store, &[&self.device_key], &[b"chevet/journal/seal/v1"]);
        let salt: [u8; 32] = self.open(&seal, &self.store, ("slot", "salt", &row), &salt).try_into().expect("a salt");

        let statement = Statement::compartment(&self.device, key, &salt);
        let signature = card.sign_with_authentication(statement.message()).expect("signed");
        let kek = derive(&salt, &[&signature, &self.device_key], &[b"chevet/compartment/v1", &key.0]);
        let place = ("slot", "wrapped", row.as_slice());
        let compartment: [u8; 32] = self.open(&kek, &self.store, place, &wrapped).try_into().expect("a key");

        let named = pseudonym(&lookup, "patient", patient.key().as_bytes());
        let sql = "SELECT secret FROM shred WHERE compartment = ?1 AND patient = ?2";
        let sealed: Vec<u8> =
            self.journal.query_row(sql, (&compartment_id, &named), |row| row.get(0)).expect("a shred secret");
        let row = [compartment_id.as_slice(), &named].concat();
        let place = ("shred", "secret", row.as_slice());
        let shred: [u8; 32] = self.open(&seal, &self.store, place, &sealed).try_into().expect("a secret");

        let name = hex::encode(&compartment_id);
        let inside = open(&self.folder.join("compartments").join(format!("{name}.db")));
        let store: Vec<u8> = inside.query_row("SELECT store_id FROM store", [], |row| row.get(0)).expect("a store");
        let own = derive(&store, &[&compartment], &[b"chevet/desk/lookup/v1"]);
        let patient =
            derive(&[], &[&compartment, &shred], &[b"chevet/patient/v1", &pseudonym(&own, "patient", &named)]);
        let desk = derive(&store, &[&compartment], &[b"chevet/desk/seal/v1"]);
        let named = [("the wrapping cipher", kek), ("the desk's cipher", desk), ("the patient's cipher", patient)];
        let ciphers = named.into_iter().flat_map(|(what, key)| [1, 2].map(|algorithm| (what, cipher(algorithm, &key))));
        Loot { signature, kek, compartment, patient, shred, ciphers: ciphers.collect() }
    }

    fn slot(
        &self,
        lookup: &[u8; 32],
        holder: &HolderId,
        key: CertificateKeyId,
    ) -> (Vec<u8>, Vec<u8>, Vec<u8>, Vec<u8>) {
        let (holder, card) = (pseudonym(lookup, "holder", holder.0.as_bytes()), pseudonym(lookup, "card", &key.0));
        let sql = "SELECT compartment, salt, wrapped FROM slot WHERE holder = ?1 AND card = ?2";
        let found = self.journal.query_row(sql, (&holder, &card), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        let (compartment, salt, wrapped) = found.expect("a slot of this holder and card");
        ([holder, card].concat(), compartment, salt, wrapped)
    }

    /// Under one key, in one place; fails the test when it does not open, for then every needle would be a wrong one.
    fn open(&self, key: &[u8; 32], store: &[u8], (table, column, row): (&str, &str, &[u8]), sealed: &[u8]) -> Vec<u8> {
        let (header, body) = sealed.split_at(14);
        let aes = LessSafeKey::new(
            UnboundKey::new(if header[0] == 1 { &AES_256_GCM } else { &CHACHA20_POLY1305 }, &cipher(header[0], key))
                .expect("32 bytes"),
        );
        let mut aad = Vec::new();
        for part in [store, self.device.as_bytes(), table.as_bytes(), column.as_bytes(), row, &[header[1]]] {
            aad.extend_from_slice(&(part.len() as u32).to_be_bytes());
            aad.extend_from_slice(part);
        }
        let mut body = body.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(&header[2..]).expect("12 bytes");
        let plain = aes.open_in_place(nonce, Aad::from(aad), &mut body);
        plain.unwrap_or_else(|_| panic!("{table}.{column} does not open: the burglar's keys are wrong")).to_vec()
    }
}

/// The key of its own that an algorithm gets (1 AES-256-GCM, 2 ChaCha20-Poly1305).
fn cipher(algorithm: u8, key: &[u8; 32]) -> [u8; 32] {
    let info: &[u8] = if algorithm == 1 { b"chevet/aead/aes-256-gcm/v1" } else { b"chevet/aead/chacha20-poly1305/v1" };
    derive(&[], &[key], &[info])
}

fn derive(salt: &[u8], ikm: &[&[u8]], info: &[&[u8]]) -> [u8; 32] {
    let mut key = [0; 32];
    let extracted = Salt::new(HKDF_SHA256, salt).extract(&ikm.concat());
    extracted.expand(info, HKDF_SHA256).and_then(|okm| okm.fill(&mut key)).expect("one block");
    key
}

fn pseudonym(key: &[u8; 32], kind: &str, name: &[u8]) -> Vec<u8> {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for part in [&(kind.len() as u32).to_be_bytes(), kind.as_bytes(), name] {
        context.update(part);
    }
    context.sign().as_ref()[..16].to_vec()
}

fn open(path: &Path) -> Connection {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).expect("a database")
}
