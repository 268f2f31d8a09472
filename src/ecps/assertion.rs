//! Who we are, where the provider knows its clients by a key of their own: `private_key_jwt` (RFC 7523 §2.2), ES256.

use crate::ecps::Error;
use crate::secret::SecretBytes;
use crate::time::UnixSeconds;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use jsonwebtoken::Algorithm;
use jsonwebtoken::EncodingKey;
use jsonwebtoken::Header;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::json;

/// The key that signs for this device.
#[derive(Clone)]
pub struct SigningKey {
    key: EncodingKey,
    /// As the provider's copy of our JWK set names it.
    name: Option<String>,
}

impl SigningKey {
    /// PEM, PKCS#8, P-256. Tried once, so that a wrong key is found out at the start.
    pub fn read(pem: &SecretBytes, name: Option<String>) -> Result<SigningKey, Error> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.show_bytes()).map_err(|_| Error::SigningKey)?;
        let key = SigningKey { key: EncodingKey::from_ec_der(der.secret_pkcs8_der()), name };
        key.assertion("try", "try", UnixSeconds(0), [0; 16]).map(|_| key)
    }

    /// One assertion, good for a minute and for this provider alone.
    pub fn assertion(&self, client: &str, audience: &str, now: UnixSeconds, nonce: [u8; 16]) -> Result<String, Error> {
        let header = Header { kid: self.name.clone(), ..Header::new(Algorithm::ES256) };
        let claims = json!({
            "iss": client, "sub": client, "aud": audience, "jti": BASE64URL.encode(nonce),
            "iat": now.0, "exp": now.plus(LIFE_S).0,
        });
        jsonwebtoken::encode(&header, &claims, &self.key).map_err(|_| Error::SigningKey)
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey([REDACTED])")
    }
}

const LIFE_S: i64 = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_key_is_refused_at_once() {
        for pem in ["", "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"] {
            assert!(SigningKey::read(&SecretBytes::new(pem.into()), None).is_err());
        }
    }
}
