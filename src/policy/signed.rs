//! Data that was signed: Ed25519 over a domain string and the file's bytes, in a small text file beside it.
//!
//! ```text
//! chevet-signature: 1
//! key: development 5d1c0a7e
//! ed25519: <88 letters of base64>
//! ```
//!
//! Which keys are believed is compiled in ([`KEYS`]). The *development* key's private half is in the repository, so that
//! anybody can change the data at a desk and sign it; for that reason it is worth nothing in production and is refused
//! there. A publisher adds the public half of their own key to `data/keys/` and to [`KEYS`], and keeps the other half.

use aws_lc_rs::signature;
use aws_lc_rs::signature::Ed25519KeyPair;
use aws_lc_rs::signature::UnparsedPublicKey;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Where a program runs, as far as keys are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// `trust.production = false`: a desk, a demo, a test.
    Desk,
    /// `trust.production = true`.
    Production,
}

/// A key that is believed.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    pub name: &'static str,
    /// PEM, SubjectPublicKeyInfo (RFC 8410 §4).
    pub public: &'static str,
    pub for_production: bool,
}

/// All of them.
pub const KEYS: &[Key] =
    &[Key { name: "development", public: include_str!("../../data/keys/development.pub"), for_production: false }];

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the signature file cannot be read: {what}")]
    Form { what: &'static str },
    #[error("nobody whom this program believes signed with key {key_id}")]
    UnknownKey { key_id: String },
    #[error("key {name} is for desks only and signs nothing in production")]
    NotForProduction { name: &'static str },
    #[error("the signature does not fit the data")]
    DoesNotFit,
    #[error("the key cannot be read: {what}")]
    Key { what: &'static str },
}

/// Ed25519 SubjectPublicKeyInfo without its 32 bytes of key (RFC 8410 §4).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
const DOMAIN: &[u8] = b"chevet/signed-data/v1";

/// Verifies a signature file against the data beside it. Answers whose it is.
pub fn verify(data: &[u8], signature_text: &str, standing: Standing) -> Result<&'static Key, Error> {
    verify_against(data, signature_text, standing, KEYS)
}

/// [`verify`], with other keys than the built-in ones.
pub fn verify_against(
    data: &[u8],
    signature_text: &str,
    standing: Standing,
    keys: &'static [Key],
) -> Result<&'static Key, Error> {
    let line = |name: &str| signature_text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    if line("chevet-signature:") != Some("1") {
        return Err(Error::Form { what: "its first line is not `chevet-signature: 1`" });
    }
    let named = line("key:").ok_or(Error::Form { what: "no key is named" })?;
    let wanted = named.rsplit(' ').next().unwrap_or(named);
    let bytes = line("ed25519:").and_then(|text| STANDARD.decode(text).ok());
    let bytes = bytes.ok_or(Error::Form { what: "the signature is not base64" })?;
    for key in keys {
        let public = read_public(key.public)?;
        if key_id(&public) != wanted {
            continue;
        }
        if standing == Standing::Production && !key.for_production {
            return Err(Error::NotForProduction { name: key.name });
        }
        let fits = UnparsedPublicKey::new(&signature::ED25519, public).verify(&message(data), &bytes).is_ok();
        return if fits { Ok(key) } else { Err(Error::DoesNotFit) };
    }
    Err(Error::UnknownKey { key_id: wanted.chars().filter(char::is_ascii_hexdigit).take(16).collect() })
}

/// Makes the signature file for some data, with a private key in PEM (PKCS#8, as `openssl genpkey -algorithm ed25519`
/// writes it).
pub fn sign(data: &[u8], private_pem: &str, name: &str) -> Result<String, Error> {
    let der = unwrap_pem(private_pem, "PRIVATE KEY").ok_or(Error::Key { what: "not a PEM private key" })?;
    let pair =
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map_err(|_| Error::Key { what: "not Ed25519 PKCS#8" })?;
    let public = signature::KeyPair::public_key(&pair).as_ref().to_vec();
    let signed = STANDARD.encode(pair.sign(&message(data)));
    Ok(format!("chevet-signature: 1\nkey: {name} {}\ned25519: {signed}\n", key_id(&public)))
}

/// The first eight hexadecimal digits of the key's SHA-256: to find it, not to trust it.
fn key_id(public: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, public);
    hex::encode(&digest.as_ref()[..4])
}

/// What is signed is never the bare file: the same key may one day sign something else.
fn message(data: &[u8]) -> Vec<u8> {
    [DOMAIN, &[0], data].concat()
}

fn read_public(pem: &str) -> Result<Vec<u8>, Error> {
    let der = unwrap_pem(pem, "PUBLIC KEY").ok_or(Error::Key { what: "not a PEM public key" })?;
    let key = der.strip_prefix(&SPKI_PREFIX).filter(|key| key.len() == 32);
    key.map(<[u8]>::to_vec).ok_or(Error::Key { what: "not an Ed25519 public key" })
}

fn unwrap_pem(pem: &str, kind: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once(&format!("-----BEGIN {kind}-----"))?;
    let (body, _) = rest.split_once("-----END")?;
    STANDARD.decode(body.split_whitespace().collect::<String>()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRIVATE: &str = include_str!("../../data/keys/development.key");

    #[test]
    fn what_is_signed_verifies_and_nothing_else_does() {
        let signed = sign(b"data", PRIVATE, "development").expect("signed");
        assert_eq!(verify(b"data", &signed, Standing::Desk).map(|key| key.name), Ok("development"));
        assert_eq!(verify(b"date", &signed, Standing::Desk).map(|_| ()), Err(Error::DoesNotFit));
        let refused = verify(b"data", &signed, Standing::Production).map(|_| ());
        assert_eq!(refused, Err(Error::NotForProduction { name: "development" }));
    }

    #[test]
    fn a_signature_that_is_none_is_named() {
        let signed = sign(b"data", PRIVATE, "development").expect("signed");
        let verify = |text: &str| verify(b"data", text, Standing::Desk).map(|_| ()).expect_err("refused");
        assert!(matches!(verify(""), Error::Form { .. }));
        assert!(matches!(verify(&signed.replace("chevet-signature: 1", "chevet-signature: 2")), Error::Form { .. }));
        assert!(matches!(verify("chevet-signature: 1\nkey: x 00000000\ned25519: A\n"), Error::Form { .. }));
        let other = signed.lines().map(|l| if l.starts_with("key") { "key: x 00000000" } else { l });
        let other = other.collect::<Vec<_>>().join("\n");
        assert_eq!(verify(&other), Error::UnknownKey { key_id: "00000000".into() });
        assert!(matches!(sign(b"", "nonsense", "x"), Err(Error::Key { .. })));
    }
}
