//! Checkpoints: the journal's size and root as a C2SP signed note (tlog-checkpoint), under the device's Ed25519 key.
//!
//! ```text
//! chevet-0011223344556677
//! 42
//! <root, base64>
//!
//! — chevet-0011223344556677 <base64 of key id (4) ‖ signature (64)>
//! ```

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

/// C2SP signed-note: the byte that says Ed25519.
const ED25519_ID: u8 = 0x01;

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
        let body = format!("{}\n{}\n{}\n", head.origin, head.size, BASE64.encode(head.root));
        let signature = self.pair.sign(body.as_bytes());
        let signed = [self.verifying_key().id().as_slice(), signature.as_ref()].concat();
        format!("{body}\n— {} {}\n", self.name, BASE64.encode(signed))
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

    /// The first four bytes of SHA-256 over name, line feed, algorithm and key.
    fn id(&self) -> [u8; 4] {
        let whole = [self.name.as_bytes(), b"\n", &[ED25519_ID], &self.key].concat();
        let hash = digest::digest(&digest::SHA256, &whole);
        let mut id = [0; 4];
        id.copy_from_slice(&hash.as_ref()[..4]);
        id
    }

    /// What the note says, if this key says so.
    pub fn verify(&self, note: &str) -> Result<Head, NoteError> {
        let (body, signatures) = split(note).ok_or(NoteError::Shape)?;
        let by_us = |line: &str| {
            let (name, signed) = line.strip_prefix("— ")?.split_once(' ')?;
            let signed = BASE64.decode(signed).ok()?;
            let (id, signature) = signed.split_at_checked(4)?;
            let key = UnparsedPublicKey::new(&ED25519, &self.key);
            (name == self.name && id == self.id() && key.verify(body.as_bytes(), signature).is_ok()).then_some(())
        };
        signatures.lines().find_map(by_us).ok_or(NoteError::Unsigned)?;
        read(note)
    }
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
    fn another_implementation_writes_the_same_note() {
        // Made with OpenSSL (Ed25519, seed 01…01) and Python's hashlib from the C2SP text, apart from this code.
        let vkey = "chevet-01+1502cade+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
        let note = "chevet-01\n42\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n\n— chevet-01 \
            FQLK3mo6eAjcJuG0K131Ok7r9KmI0RVWLNPanoD6KG+WrAj9avmxvVkOnZJnHhm5+rZdjEsjlzL4PDEjHEkofS+JogA=\n";
        assert_eq!(key(1).verifying_key().to_string(), vkey);
        assert_eq!(key(1).sign(&Head { origin: "chevet-01".into(), size: 42, root: [7; 32] }), note);
    }
}
