//! The only things that a holder's card is ever asked to sign.
//!
//! Each statement is a length-prefixed record that opens with its own domain string, so that a signature made for one
//! purpose can never serve another, and no byte of the compartment's statement is chosen by a server. There is no
//! way to make a statement from a raw hash. RSASSA-PKCS1-v1_5 with SHA-256 under the authentication key.

use crate::identity::holder::CertificateKeyId;

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

    /// The bytes that are signed, for verification on the host.
    pub fn message(&self) -> &[u8] {
        &self.message
    }
}

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
    fn a_token_is_a_jwt_or_nothing() {
        assert!(Statement::token("eyJhbGciOiJSUzI1NiJ9.e30").is_some());
        let compartment = Statement::compartment("d", CertificateKeyId([7; 32]), &[9; 32]);
        assert!(Statement::token(&String::from_utf8_lossy(compartment.message())).is_none());
    }
}
