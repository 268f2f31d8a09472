//! The only things that a holder's card is ever asked to sign.
//!
//! Each statement is a length-prefixed record that opens with its own domain string, so that a signature made for one
//! purpose can never serve another, and no byte of the compartment's statement is chosen by a server. There is no
//! way to make a statement from a raw hash. RSASSA-PKCS1-v1_5 with SHA-256 under the authentication key.
//!
//! Its other key, which signs documents, is asked with another type: neither can be given what is meant for the other.

use crate::identity::holder::CertificateKeyId;
use aws_lc_rs::digest;

/// What the card will sign: its SHA-256 goes into the DigestInfo.
pub struct Statement {
    message: Vec<u8>,
}

impl Statement {
    /// "I am here now": a nonce that the device has just drawn. The proof becomes a leaf of the journal.
    pub fn login(device: &str, key: CertificateKeyId, nonce: &[u8; 32]) -> Statement {
        record("chevet/login/v1", &[device.as_bytes(), &key.0, nonce])
    }

    /// The input of a compartment's key: deterministic, and its salt never leaves the device.
    pub fn compartment(device: &str, key: CertificateKeyId, salt: &[u8; 32]) -> Statement {
        record("chevet/compartment/v1", &[device.as_bytes(), &key.0, salt])
    }

    /// Attests the head of the journal.
    pub fn countersignature(device: &str, key: CertificateKeyId, checkpoint: &[u8]) -> Statement {
        record("chevet/checkpoint/v1", &[device.as_bytes(), &key.0, checkpoint])
    }

    /// A JWT's signing input (RFC 7515 §5.1), for the upstream. It begins with `eyJ`, as no other statement can,
    /// because a record begins with its domain's length. `None` when it is no such input.
    pub fn token(signing_input: &str) -> Option<Statement> {
        signing_input.starts_with("eyJ").then(|| Statement { message: signing_input.as_bytes().to_vec() })
    }

    /// A TLS 1.2 handshake (RFC 5246 §7.4.8), for the upstream: everything that was said in it so far. It begins with our own
    /// ClientHello, as no other statement can: a record begins with a zero, a token with a letter. `None` when it is no such thing.
    pub fn handshake(transcript: &[u8]) -> Option<Statement> {
        let [CLIENT_HELLO, a, b, c, 3, 3, rest @ ..] = transcript else { return None };
        let length = u32::from_be_bytes([0, *a, *b, *c]);
        let is_inside = usize::try_from(length).is_ok_and(|length| length <= rest.len() + 2);
        is_inside.then(|| Statement { message: transcript.to_vec() })
    }

    /// The bytes that are signed, for verification on the host.
    pub fn message(&self) -> &[u8] {
        &self.message
    }
}

/// What the signature key will sign: a `ds:SignedInfo` in canonical form (XML-DSig §4.4), and nothing that is none.
pub struct SignedInfo {
    message: Vec<u8>,
    hash: Hash,
}

/// By what a document's signature is made. SHA-1 is for a server that takes nothing else (docs/dmp.md §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hash {
    Sha1,
    Sha256,
}

impl SignedInfo {
    /// `None` when it is no such element.
    pub fn of(canonical: &str, hash: Hash) -> Option<SignedInfo> {
        let is_one = canonical.starts_with("<ds:SignedInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"")
            && canonical.ends_with("</ds:SignedInfo>");
        is_one.then(|| SignedInfo { message: canonical.as_bytes().to_vec(), hash })
    }

    pub fn message(&self) -> &[u8] {
        &self.message
    }

    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// What goes to the card: 20 or 32 bytes.
    pub fn digest(&self) -> Vec<u8> {
        self.hash.of(&self.message)
    }
}

impl Hash {
    pub fn of(self, bytes: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Hash::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha256 => &digest::SHA256,
        };
        digest::digest(algorithm, bytes).as_ref().to_vec()
    }
}

/// RFC 5246 §7.4
const CLIENT_HELLO: u8 = 1;

/// Every part behind its length (u32, big endian), the domain first.
fn record(domain: &str, parts: &[&[u8]]) -> Statement {
    let mut message = Vec::new();
    for part in std::iter::once(domain.as_bytes()).chain(parts.iter().copied()) {
        message.extend_from_slice(&(part.len() as u32).to_be_bytes());
        message.extend_from_slice(part);
    }
    Statement { message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_statements_share_their_bytes() {
        let key = CertificateKeyId([7; 32]);
        let same = [9; 32];
        let login = Statement::login("d", key, &same);
        let compartment = Statement::compartment("d", key, &same);
        let checkpoint = Statement::countersignature("d", key, &same);
        assert_ne!(login.message(), compartment.message());
        assert_ne!(compartment.message(), checkpoint.message());
        assert_ne!(login.message(), checkpoint.message());
        // Lengths are part of the record, so that parts cannot be shifted into each other.
        let (a, b) = (Statement::countersignature("ab", key, b"c"), Statement::countersignature("a", key, b"bc"));
        assert_ne!(a.message(), b.message());
    }

    /// Domain, device, card, salt, each behind its length, and not a byte that somebody else chose.
    #[test]
    fn the_compartments_statement_is_what_the_design_says() {
        let statement = Statement::compartment("chevet-01", CertificateKeyId([7; 32]), &[9; 32]);
        let expected = [
            b"\x00\x00\x00\x15chevet/compartment/v1".as_slice(),
            b"\x00\x00\x00\x09chevet-01",
            b"\x00\x00\x00\x20",
            &[7; 32],
            b"\x00\x00\x00\x20",
            &[9; 32],
        ];
        assert_eq!(statement.message(), expected.concat());
    }

    #[test]
    fn a_handshake_begins_with_a_client_hello_and_is_no_other_statement() {
        let hello = [&[1, 0, 0, 4, 3, 3, 7, 7], &[2, 0, 0, 0][..]].concat();
        assert_eq!(Statement::handshake(&hello).expect("a handshake").message(), hello);
        let key = CertificateKeyId([1; 32]);
        let others = [
            Statement::login("d", key, &[1; 32]),
            Statement::compartment("d", key, &[1; 32]),
            Statement::countersignature("d", key, &[1, 0, 0, 4, 3, 3]),
            Statement::token("eyJ.e30").expect("a token"),
        ];
        assert!(others.iter().all(|other| Statement::handshake(other.message()).is_none()));
        assert!(Statement::token("\u{1}eyJ").is_none());
        for bad in [&hello[..7], &[2, 0, 0, 0, 3, 3], &[1, 0, 0, 2, 3, 4], &[1, 0, 0, 0], &[]] {
            assert!(Statement::handshake(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn the_signature_key_is_given_a_signed_info_or_nothing() {
        let info = "<ds:SignedInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><x></x></ds:SignedInfo>";
        let taken = SignedInfo::of(info, Hash::Sha256).expect("one");
        assert_eq!((taken.message(), taken.digest().len()), (info.as_bytes(), 32));
        assert_eq!(SignedInfo::of(info, Hash::Sha1).expect("one").digest().len(), 20);
        for bad in ["", "<ds:SignedInfo/>", "eyJ", &info[1..], &info[..info.len() - 1], "\u{1}<ds:SignedInfo"] {
            assert!(SignedInfo::of(bad, Hash::Sha256).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_token_is_a_jwt_or_nothing() {
        assert!(Statement::token("eyJhbGciOiJSUzI1NiJ9.e30").is_some());
        let compartment = Statement::compartment("d", CertificateKeyId([7; 32]), &[9; 32]);
        assert!(Statement::token(&String::from_utf8_lossy(compartment.message())).is_none());
    }
}
