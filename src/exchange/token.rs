//! The holder's credential for the upstream: a short JWT that the card signs (docs/pdsm.md §1).
//!
//! It is bound to one server, one device and a few minutes. Nothing here signs, draws a number or reads a clock.

use crate::exchange::upstream::AsHolder;
use crate::identity::holder::HolderId;
use crate::journal::words::Mode;
use crate::secret::SecretBytes;
use crate::time::UnixSeconds;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde_json::json;
use uuid::Uuid;

/// What a token says. `signing_input` goes through `identity::statement::Statement::token` to the card.
#[derive(Clone)]
pub struct Request {
    pub holder: HolderId,
    /// DER of the authentication certificate, its issuers after it.
    pub x5c: Vec<Vec<u8>>,
    /// The server's base URL, without a trailing slash: `Pdsm::audience`.
    pub audience: String,
    /// As the device's clock says; the server allows a minute.
    pub now: UnixSeconds,
    /// Fresh random bytes, a new draw for each token.
    pub nonce: [u8; 32],
    /// `link::Client::device_thumbprint`.
    pub device: [u8; 32],
    /// The access mode that the holder asks for, attested by the card.
    pub mode: Mode,
}

/// The claim that no other statement of ours carries.
pub const DOMAIN: &str = "chevet/token/v1";

/// How long a token serves. The server refuses more than ten minutes.
pub const LIFE_S: i64 = 300;

impl Request {
    /// Header and payload, base64url, a dot between (RFC 7515 §5.1). Same request, same text.
    pub fn signing_input(&self) -> String {
        let x5c: Vec<String> = self.x5c.iter().map(|der| BASE64.encode(der)).collect();
        let header = json!({"alg": "RS256", "typ": "JWT", "x5c": x5c});
        let payload = json!({
            "iss": self.holder.0,
            "sub": self.holder.0,
            "aud": self.audience,
            "iat": self.now.0,
            "exp": self.until().0,
            "nonce": BASE64URL.encode(self.nonce),
            "jti": self.name().to_string(),
            "domain": DOMAIN,
            "purpose_of_use": purpose(self.mode),
            "cnf": {"x5t#S256": BASE64URL.encode(self.device)},
        });
        format!("{}.{}", BASE64URL.encode(header.to_string()), BASE64URL.encode(payload.to_string()))
    }

    /// Puts the card's signature behind it (RSASSA-PKCS1-v1_5, SHA-256, raw bytes).
    pub fn finish(&self, signing_input: &str, signature: &[u8]) -> AsHolder {
        let compact = format!("{signing_input}.{}", BASE64URL.encode(signature));
        AsHolder {
            holder: self.holder.clone(),
            token: SecretBytes::new(compact.into_bytes()),
            until: self.until(),
            mode: None,
            actor: None,
        }
    }

    fn until(&self) -> UnixSeconds {
        self.now.plus(LIFE_S)
    }

    /// A name for logs, made of the nonce: no second draw.
    fn name(&self) -> Uuid {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&self.nonce[..16]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }
}

/// TRE_R248. What is no mode of the upstream is asked for as a normal access: it gives no more than that.
pub(super) fn purpose(mode: Mode) -> &'static str {
    match mode {
        Mode::BrisDeGlace => "bris_de_glace",
        Mode::Centre15 => "centre_15",
        Mode::Normal | Mode::Prefetch => "normal",
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Request([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::statement::Statement;
    use serde_json::Value;

    fn request() -> Request {
        Request {
            holder: HolderId("899700000012".into()),
            x5c: vec![vec![0x30, 0x82], vec![0x30]],
            audience: "https://127.0.0.1:8443/fhir".into(),
            now: UnixSeconds(1_795_423_320),
            nonce: [0xAB; 32],
            device: [7; 32],
            mode: Mode::Normal,
        }
    }

    fn part(input: &str, at: usize) -> Value {
        let text = input.split('.').nth(at).expect("a part");
        serde_json::from_slice(&BASE64URL.decode(text).expect("base64url")).expect("JSON")
    }

    #[test]
    fn it_says_who_where_until_when_and_on_which_device() {
        let input = request().signing_input();
        assert_eq!(part(&input, 0), json!({"alg": "RS256", "typ": "JWT", "x5c": ["MII=", "MA=="]}));
        let payload = part(&input, 1);
        assert_eq!(payload["iss"], payload["sub"]);
        assert_eq!(payload["sub"], "899700000012");
        assert_eq!(payload["aud"], "https://127.0.0.1:8443/fhir");
        assert_eq!(payload["exp"].as_i64(), Some(1_795_423_620));
        assert_eq!(payload["domain"], "chevet/token/v1");
        assert_eq!(payload["purpose_of_use"], "normal");
        assert_eq!(payload["jti"], "abababab-abab-8bab-abab-abababababab");
        assert_eq!(payload["cnf"]["x5t#S256"], "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc");
    }

    #[test]
    fn the_card_signs_it_and_it_is_finished() {
        let (request, input) = (request(), request().signing_input());
        assert!(Statement::token(&input).is_some(), "the card takes it as a token");
        let token = request.finish(&input, &[0xFF, 0xFE]);
        assert_eq!(token.token.show_bytes(), format!("{input}.__4").as_bytes());
        assert_eq!(token.until, UnixSeconds(1_795_423_620));
        assert_ne!(input, Request { nonce: [1; 32], ..request.clone() }.signing_input());
        let emergency = Request { mode: Mode::BrisDeGlace, ..request }.signing_input();
        assert_eq!(part(&emergency, 1)["purpose_of_use"], "bris_de_glace");
    }
}
