//! Checkpoints: the journal's size and root as a C2SP signed note (tlog-checkpoint), under the device's Ed25519 key.
//!
//! ```text
//! chevet-0011223344556677
//! 42
//! <root, base64>
//!
//! — chevet-0011223344556677 <base64 of key id (4) ‖ signature (64)>
//! — chevet-0011223344556677/card/41 <base64 of key id (4) ‖ RSA signature>
//! ```
//!
//! The second line is the countersignature: the card of the holder whose login is row 41, over the note's text
//! (`Statement::countersignature`). C2SP keeps type 0xff for signatures that it does not know; whoever checks only the
//! device's line passes over it. The card's public key is in row 41, in its login proof.
//!
//! *Rejected*: the crates `signed_note` and `tlog_tiles`. They bring ed25519-dalek and sha2, a second crypto library beside
//! aws-lc-rs, for a form of five lines; OpenSSL and pymerkle check ours instead.

use crate::identity::holder::CertificateKeyId;
use crate::journal::tree::Hash;
use crate::secret::SecretKey;
use aws_lc_rs::digest;
use aws_lc_rs::signature::ED25519;
use aws_lc_rs::signature::Ed25519KeyPair;
use aws_lc_rs::signature::KeyPair;
use aws_lc_rs::signature::UnparsedPublicKey;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

/// What a checkpoint says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The device's name.
    pub origin: String,
    pub size: u64,
    pub root: Hash,
}

/// Whoever has this can check a device's notes: `name+keyid+key`, as C2SP writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    name: String,
    key: [u8; 32],
}

/// The device's own.
pub struct SigningKey {
    name: String,
    pair: Ed25519KeyPair,
}

/// Why a note is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    #[error("the checkpoint is not a signed note")]
    Shape,
    #[error("the checkpoint is not signed by that key")]
    Unsigned,
}

/// One card over one note, not yet believed: its key is in the login's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Countersignature {
    /// Index of the login's row.
    pub login: u64,
    /// RSASSA-PKCS1-v1_5 with SHA-256 over `Statement::countersignature` of the note's text.
    pub signature: Vec<u8>,
    name: String,
    id: [u8; 4],
}

/// C2SP signed-note: the byte that says Ed25519.
const ED25519_ID: u8 = 0x01;
/// C2SP signed-note: a kind without a number of its own, and which one it is.
const CARD_ID: &[u8] = b"\xffchevet.card.v1";

impl SigningKey {
    /// `name` holds no space and no plus sign.
    pub fn new(name: &str, seed: &SecretKey) -> SigningKey {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.show_to_cipher()).expect("any 32 bytes are a seed");
        SigningKey { name: name.to_owned(), pair }
    }

    pub fn verifying_key(&self) -> VerifyingKey {
        let mut key = [0; 32];
        key.copy_from_slice(self.pair.public_key().as_ref());
        VerifyingKey { name: self.name.clone(), key }
    }

    pub fn sign(&self, head: &Head) -> String {
        let signature = self.sign_bytes(text(head).as_bytes());
        assemble(head, &self.name, self.verifying_key().id(), &signature)
    }

    /// For a statement with a domain of its own: no note begins like one.
    pub(super) fn sign_bytes(&self, message: &[u8]) -> [u8; SIGNATURE_LENGTH] {
        let mut signature = [0; SIGNATURE_LENGTH];
        signature.copy_from_slice(self.pair.sign(message).as_ref());
        signature
    }
}

impl VerifyingKey {
    pub fn parse(text: &str) -> Option<VerifyingKey> {
        let mut parts = text.trim().splitn(3, '+');
        let (name, id, key) = (parts.next()?, parts.next()?, parts.next()?);
        let key = BASE64.decode(key).ok()?;
        let (algorithm, key) = key.split_first()?;
        let key = VerifyingKey { name: name.to_owned(), key: key.try_into().ok()? };
        (*algorithm == ED25519_ID && !name.is_empty() && hex::encode(key.id()) == id).then_some(key)
    }

    fn id(&self) -> [u8; 4] {
        key_id(&self.name, &[[ED25519_ID].as_slice(), &self.key].concat())
    }

    /// What the note says, if this key says so.
    pub fn verify(&self, note: &str) -> Result<Head, NoteError> {
        let (body, signatures) = split(note).ok_or(NoteError::Shape)?;
        let by_us = |line: Line<'_>| {
            line.name == self.name && line.id == self.id() && self.verifies(body.as_bytes(), &line.signature)
        };
        if signatures.lines().filter_map(Line::read).any(by_us) { read(note) } else { Err(NoteError::Unsigned) }
    }

    /// Whether this key signed these bytes.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.key).verify(message, signature).is_ok()
    }
}

impl Countersignature {
    /// The line that goes under a note of `origin`.
    pub fn line(origin: &str, login: u64, key: CertificateKeyId, signature: &[u8]) -> String {
        let name = format!("{origin}{CARD}{login}");
        let signed = [key_id(&name, &[CARD_ID, &key.0].concat()).as_slice(), signature].concat();
        format!("— {name} {}\n", BASE64.encode(signed))
    }

    /// Every card's line under a note.
    pub fn all(note: &str) -> Vec<Countersignature> {
        let signatures = split(note).map_or("", |(_, signatures)| signatures);
        let of_card = |line: Line<'_>| {
            let (_, login) = line.name.rsplit_once(CARD)?;
            let login: u64 = login.parse().ok()?;
            Some(Countersignature { login, signature: line.signature, name: line.name.to_owned(), id: line.id })
        };
        signatures.lines().filter_map(Line::read).filter_map(of_card).collect()
    }

    /// Whether the line names that card's key; the signature is the certificate's to check.
    pub fn is_of(&self, origin: &str, key: CertificateKeyId) -> bool {
        self.name == format!("{origin}{CARD}{}", self.login)
            && self.id == key_id(&self.name, &[CARD_ID, &key.0].concat())
    }
}

/// A signature line, taken apart.
struct Line<'a> {
    name: &'a str,
    id: [u8; 4],
    signature: Vec<u8>,
}

impl Line<'_> {
    fn read(line: &str) -> Option<Line<'_>> {
        let (name, signed) = line.strip_prefix("— ")?.split_once(' ')?;
        let signed = BASE64.decode(signed).ok()?;
        let (id, signature) = signed.split_first_chunk()?;
        Some(Line { name, id: *id, signature: signature.to_vec() })
    }
}

/// The first four bytes of SHA-256 over name, line feed, kind and key.
fn key_id(name: &str, kind_and_key: &[u8]) -> [u8; 4] {
    let whole = [name.as_bytes(), b"\n", kind_and_key].concat();
    let hash = digest::digest(&digest::SHA256, &whole);
    let mut id = [0; 4];
    id.copy_from_slice(&hash.as_ref()[..4]);
    id
}

/// The text of a note, which is what is signed: by the device as it is, by a card in its statement.
pub fn text(head: &Head) -> String {
    format!("{}\n{}\n{}\n", head.origin, head.size, BASE64.encode(head.root))
}

/// A note with its device's line alone.
pub(super) fn assemble(head: &Head, name: &str, id: [u8; 4], signature: &[u8]) -> String {
    format!("{}\n— {name} {}\n", text(head), BASE64.encode([id.as_slice(), signature].concat()))
}

/// The device's own line: its key's id and the signature, for whoever has less room than a note takes.
pub(super) fn device_line(note: &str) -> Option<([u8; 4], [u8; SIGNATURE_LENGTH])> {
    let head = read(note).ok()?;
    let (_, signatures) = split(note)?;
    let line = signatures.lines().filter_map(Line::read).find(|line| line.name == head.origin)?;
    Some((line.id, line.signature.try_into().ok()?))
}

impl std::fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = [[ED25519_ID].as_slice(), &self.key].concat();
        write!(f, "{}+{}+{}", self.name, hex::encode(self.id()), BASE64.encode(key))
    }
}

/// What a note says, whoever signed it. Lines after the root are extensions, and not for us.
pub fn read(note: &str) -> Result<Head, NoteError> {
    let (body, _) = split(note).ok_or(NoteError::Shape)?;
    let mut lines = body.lines();
    let mut next = || lines.next().filter(|line| !line.is_empty()).ok_or(NoteError::Shape);
    let origin = next()?.to_owned();
    let size = next()?;
    let root = BASE64.decode(next()?).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(NoteError::Shape)?;
    // Decimal without leading zeros: one way to write each size.
    let number: u64 = size.parse().map_err(|_| NoteError::Shape)?;
    if number.to_string() == size { Ok(Head { origin, size: number, root }) } else { Err(NoteError::Shape) }
}

/// Between the device's name and the login's row, in the name of a card's line.
const CARD: &str = "/card/";
/// Ed25519.
pub(super) const SIGNATURE_LENGTH: usize = 64;

/// Text with its last line feed, and signature lines.
fn split(note: &str) -> Option<(&str, &str)> {
    let at = note.rfind("\n\n")?;
    let (body, signatures) = (&note[..=at], &note[at + 2..]);
    signatures.starts_with("— ").then_some((body, signatures))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> SigningKey {
        SigningKey::new("chevet-01", &SecretKey::fill_with(|seed| seed.fill(byte)))
    }

    #[test]
    fn a_note_is_believed_from_its_key_and_no_other() {
        let head = Head { origin: "chevet-01".into(), size: 42, root: [7; 32] };
        let note = key(1).sign(&head);
        let ours = key(1).verifying_key();
        assert_eq!(ours.verify(&note), Ok(head.clone()));
        assert_eq!(read(&note), Ok(head));
        assert_eq!(key(2).verifying_key().verify(&note), Err(NoteError::Unsigned));
        assert_eq!(ours.verify(&note.replacen("42", "43", 1)), Err(NoteError::Unsigned));
        assert_eq!(VerifyingKey::parse(&ours.to_string()), Some(ours.clone()));
        assert_eq!(VerifyingKey::parse(&ours.to_string().replacen("01+", "02+", 1)), None, "the id names the key");
        for broken in ["", "a\n\n", "a\n1\n\n— x", "a\n01\nAAAA\n\n— x y\n", "a\n1\n\n\n— x y\n"] {
            assert!(read(broken).is_err(), "{broken:?}");
            assert!(ours.verify(broken).is_err(), "{broken:?}");
        }
    }

    #[test]
    fn a_cards_line_changes_nothing_for_the_device_and_names_its_login() {
        let head = Head { origin: "chevet-01".into(), size: 42, root: [7; 32] };
        let (of_card, other) = (CertificateKeyId([8; 32]), CertificateKeyId([9; 32]));
        let note = key(1).sign(&head) + &Countersignature::line("chevet-01", 41, of_card, &[5; 256]);
        assert_eq!(key(1).verifying_key().verify(&note), Ok(head));
        let found = Countersignature::all(&note);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].login, found[0].signature.as_slice()), (41, [5; 256].as_slice()));
        assert!(found[0].is_of("chevet-01", of_card));
        assert!(!found[0].is_of("chevet-01", other) && !found[0].is_of("chevet-02", of_card));
        let moved = note.replace("/card/41", "/card/40");
        assert!(!Countersignature::all(&moved)[0].is_of("chevet-01", of_card), "the id names the login too");
        assert_eq!(device_line(&note).map(|(id, _)| id), Some(key(1).verifying_key().id()));
    }

    #[test]
    fn another_implementation_writes_the_same_note() {
        // Made with OpenSSL (Ed25519, seed 01…01) and Python's hashlib from the C2SP text, apart from this code.
        let vkey = "chevet-01+1502cade+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
        let note = "chevet-01\n42\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n\n— chevet-01 \
            FQLK3mo6eAjcJuG0K131Ok7r9KmI0RVWLNPanoD6KG+WrAj9avmxvVkOnZJnHhm5+rZdjEsjlzL4PDEjHEkofS+JogA=\n";
        assert_eq!(key(1).verifying_key().to_string(), vkey);
        assert_eq!(key(1).sign(&Head { origin: "chevet-01".into(), size: 42, root: [7; 32] }), note);
    }
}
