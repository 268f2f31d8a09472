//! What Pro Santé Connect signs about a login: an OpenID Connect id_token, opened by one of the provider's public keys and
//! held against what was asked.
//!
//! The token's own word is never taken for the algorithm, the key or the time: the algorithm comes from a short list, the
//! key from the provider's set, the time from the caller. Pure. *Rejected*: the crate's own check of `exp`, which reads a clock.

use crate::identity::holder::HolderId;
use crate::time::UnixSeconds;
use crate::time::Wall;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use jsonwebtoken::Algorithm;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::Validation;
use serde_json::Map;
use serde_json::Value;

/// The provider's public keys that sign with an algorithm of ours; any other is as if it were not there.
#[derive(Clone)]
pub struct Keys(Vec<Key>);

/// One public key, as a JWK (RFC 7517) of public members alone.
#[derive(Clone, PartialEq)]
pub struct Key {
    members: Map<String, Value>,
}

/// What a token says, once its signature is verified. Checked against a login by [`Claims::check`].
#[derive(Clone, PartialEq)]
pub struct Claims {
    pub issuer: String,
    pub subject: String,
    /// IDNAT_PS, wherever the provider puts it.
    pub national_id: Option<HolderId>,
    pub issued: UnixSeconds,
    members: Map<String, Value>,
}

/// What a login's token must say.
pub struct Expected<'a> {
    pub issuer: &'a str,
    /// Our `client_id`.
    pub client: &'a str,
    /// Who was asked for.
    pub holder: &'a HolderId,
    /// Authentication levels that are enough.
    pub acr: &'a [String],
    /// The request that this answers (`auth_req_id`).
    pub request: &'a str,
    /// When it was sent: no token is older.
    pub asked_at: UnixSeconds,
    pub access_token: &'a [u8],
}

/// Why a token is not believed. No text holds a word of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the id_token is no signed token")]
    Shape,
    #[error("the id_token is signed with an algorithm that is not allowed")]
    Algorithm,
    #[error("the id_token is signed with a key that its provider does not publish")]
    UnknownKey,
    #[error("the id_token's signature is wrong")]
    Signature,
    #[error("the id_token's `{0}` is not what was asked for")]
    Claim(&'static str),
    #[error("the id_token has expired")]
    Expired,
    #[error("whether the id_token has expired cannot be told")]
    CannotTell,
    #[error("the id_token is about somebody else")]
    OtherHolder,
}

impl Keys {
    /// A JWK set. `None`: it is none. Keys that cannot be used are left out, and so is what is not about signing.
    pub fn read(bytes: &[u8]) -> Option<Keys> {
        let set: Value = serde_json::from_slice(bytes).ok()?;
        let keys = set["keys"].as_array()?.iter().take(KEYS_MAX);
        Some(Keys(
            keys.filter(|key| key["use"].as_str().is_none_or(|what| what == "sig")).filter_map(Key::of).collect(),
        ))
    }

    /// By its name; a token without one may be tried with a set of one.
    fn find(&self, name: Option<&str>) -> Option<&Key> {
        match name {
            Some(name) => self.0.iter().find(|key| key.members.get("kid").and_then(Value::as_str) == Some(name)),
            None if self.0.len() == 1 => self.0.first(),
            None => None,
        }
    }
}

impl Key {
    /// From a journal's row.
    pub fn read(text: &str) -> Option<Key> {
        Key::of(&serde_json::from_str(text).ok()?)
    }

    /// Its public members, in the order of their names.
    pub fn text(&self) -> String {
        Value::Object(self.members.clone()).to_string()
    }

    fn of(jwk: &Value) -> Option<Key> {
        let names: &[&str] = match (jwk["kty"].as_str()?, jwk["crv"].as_str()) {
            ("RSA", _) => &["e", "kid", "kty", "n"],
            ("EC", Some("P-256")) => &["crv", "kid", "kty", "x", "y"],
            _ => return None,
        };
        let member = |name: &&str| Some(((*name).to_owned(), Value::String(jwk[*name].as_str()?.to_owned())));
        let members: Map<String, Value> = names.iter().filter_map(member).collect();
        let key = Key { members };
        key.decoding().map(|_| key)
    }

    fn decoding(&self) -> Option<DecodingKey> {
        let jwk = serde_json::from_value(Value::Object(self.members.clone())).ok()?;
        DecodingKey::from_jwk(&jwk).ok()
    }

    fn takes(&self, algorithm: Algorithm) -> bool {
        let is_rsa = self.members.get("kty").and_then(Value::as_str) == Some("RSA");
        matches!((is_rsa, algorithm), (true, Algorithm::RS256 | Algorithm::PS256) | (false, Algorithm::ES256))
    }
}

/// Verifies the signature, and says by which key.
pub fn open<'a>(compact: &str, keys: &'a Keys) -> Result<(Claims, &'a Key), Error> {
    if compact.len() > TOKEN_BYTES_MAX {
        return Err(Error::Shape);
    }
    let header = header_of(compact)?;
    let key = keys.find(header["kid"].as_str()).ok_or(Error::UnknownKey)?;
    Ok((open_with(compact, key)?, key))
}

/// As [`open`], by the key that stands beside a token in the journal.
pub fn open_with(compact: &str, key: &Key) -> Result<Claims, Error> {
    let header = header_of(compact)?;
    let algorithm = match header["alg"].as_str() {
        Some("RS256") => Algorithm::RS256,
        Some("PS256") => Algorithm::PS256,
        Some("ES256") => Algorithm::ES256,
        _ => return Err(Error::Algorithm),
    };
    // RFC 7515 §4.1.11: what must be understood is not.
    if !key.takes(algorithm) || !header["crit"].is_null() {
        return Err(Error::Algorithm);
    }
    let mut validation = Validation::new(algorithm);
    // The claims are held against a login, and the time against our own clock, in `check`.
    validation.required_spec_claims.clear();
    (validation.validate_exp, validation.validate_nbf, validation.validate_aud) = (false, false, false);
    let decoding = key.decoding().ok_or(Error::UnknownKey)?;
    let opened = jsonwebtoken::decode::<Map<String, Value>>(compact, &decoding, &validation);
    claims(opened.map_err(|_| Error::Signature)?.claims)
}

fn header_of(compact: &str) -> Result<Value, Error> {
    let [header, _, _] = compact.split('.').collect::<Vec<&str>>()[..] else { return Err(Error::Shape) };
    let bytes = BASE64URL.decode(header).map_err(|_| Error::Shape)?;
    serde_json::from_slice(&bytes).map_err(|_| Error::Shape)
}

fn claims(members: Map<String, Value>) -> Result<Claims, Error> {
    let text = |name| members.get(name).and_then(Value::as_str);
    let subject = text("sub").filter(|sub| !sub.is_empty()).ok_or(Error::Claim("sub"))?.to_owned();
    Ok(Claims {
        issuer: text("iss").ok_or(Error::Claim("iss"))?.to_owned(),
        national_id: national_id(&members),
        issued: UnixSeconds(members.get("iat").and_then(Value::as_i64).ok_or(Error::Claim("iat"))?),
        subject,
        members,
    })
}

/// IDNAT_PS, by the names under which Pro Santé Connect gives it; last, the end of `sub` (`f:<uuid>:<id>`).
pub(super) fn national_id(members: &Map<String, Value>) -> Option<HolderId> {
    let named = ["SubjectNameID", "preferred_username"].iter().find_map(|name| members.get(*name)?.as_str());
    let id = named.or_else(|| members.get("sub")?.as_str()?.rsplit(':').next())?;
    let fits = !id.is_empty() && id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then(|| HolderId(id.to_owned()))
}

impl Claims {
    /// OpenID Connect Core §3.1.3.7, CIBA Core §7.3 and §10.1, by our own clock (DESIGN §8).
    pub fn check(&self, expected: &Expected<'_>, wall: Wall) -> Result<(), Error> {
        let text = |name| self.members.get(name).and_then(Value::as_str);
        if self.issuer != expected.issuer {
            return Err(Error::Claim("iss"));
        }
        let audience: Vec<&str> = match self.members.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(some)) => some.iter().filter_map(Value::as_str).collect(),
            _ => vec![],
        };
        let party = text("azp");
        let is_ours = audience.contains(&expected.client) && party.is_none_or(|party| party == expected.client);
        if !is_ours || (audience.len() > 1 && party.is_none()) {
            return Err(Error::Claim("aud"));
        }
        let expires = self.members.get("exp").and_then(Value::as_i64).ok_or(Error::Claim("exp"))?;
        match wall.has_reached(UnixSeconds(expires)) {
            Some(true) => return Err(Error::Expired),
            Some(false) => {}
            None => return Err(Error::CannotTell),
        }
        let (earliest, latest) = (expected.asked_at.plus(-SKEW_S), wall.value().plus(SKEW_S));
        if self.issued < earliest || self.issued > latest {
            return Err(Error::Claim("iat"));
        }
        if !text("acr").is_some_and(|acr| expected.acr.iter().any(|enough| enough == acr)) {
            return Err(Error::Claim("acr"));
        }
        // Given in push mode, and by some in poll mode: then it must be this request's.
        if text(REQUEST_CLAIM).is_some_and(|request| request != expected.request) {
            return Err(Error::Claim("auth_req_id"));
        }
        if text("at_hash").is_some_and(|hash| hash != half_hash(expected.access_token)) {
            return Err(Error::Claim("at_hash"));
        }
        if self.national_id.as_ref() != Some(expected.holder) {
            return Err(Error::OtherHolder);
        }
        Ok(())
    }
}

/// OpenID Connect Core §3.1.3.6; all our algorithms have SHA-256.
fn half_hash(token: &[u8]) -> String {
    BASE64URL.encode(&aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token).as_ref()[..16])
}

impl std::fmt::Debug for Claims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Claims([REDACTED])")
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

const REQUEST_CLAIM: &str = "urn:openid:params:jwt:claim:auth_req_id";
/// Two servers' clocks, in whole seconds.
const SKEW_S: i64 = 60;
const TOKEN_BYTES_MAX: usize = 16 * 1024;
const KEYS_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
    use aws_lc_rs::signature::EcdsaKeyPair;
    use aws_lc_rs::signature::KeyPair;
    use serde_json::json;

    const NOW: i64 = 1_795_423_320;

    struct Provider {
        pair: EcdsaKeyPair,
    }

    impl Provider {
        fn new() -> Provider {
            Provider { pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key") }
        }

        fn jwk(&self, kid: &str) -> Value {
            let point = self.pair.public_key().as_ref();
            let (x, y) = (BASE64URL.encode(&point[1..33]), BASE64URL.encode(&point[33..]));
            json!({"kty": "EC", "crv": "P-256", "kid": kid, "use": "sig", "alg": "ES256", "x": x, "y": y, "x5c": ["MA=="]})
        }

        fn keys(&self) -> Keys {
            let other = Provider::new();
            let set =
                json!({"keys": [other.jwk("other"), self.jwk("now"), {"kty": "oct", "k": "AAAA", "kid": "shared"}]});
            Keys::read(set.to_string().as_bytes()).expect("a set")
        }

        fn sign(&self, header: &Value, claims: &Value) -> String {
            let input = format!("{}.{}", BASE64URL.encode(header.to_string()), BASE64URL.encode(claims.to_string()));
            let signature = self.pair.sign(&SystemRandom::new(), input.as_bytes()).expect("signed");
            format!("{input}.{}", BASE64URL.encode(signature))
        }
    }

    fn header() -> Value {
        json!({"alg": "ES256", "kid": "now"})
    }

    fn good() -> Value {
        json!({
            "iss": "https://psc.example/realm", "aud": "borne", "sub": "f:0a1b:899700101340", "acr": "eidas1",
            "iat": NOW - 2, "exp": NOW + 60, "at_hash": half_hash(b"access"),
        })
    }

    fn check(claims: &Value, wall: Wall) -> Result<(), Error> {
        let provider = Provider::new();
        let (claims, _) = open(&provider.sign(&header(), claims), &provider.keys_of_one())?;
        let acr = ["eidas1".to_owned()];
        let expected = Expected {
            issuer: "https://psc.example/realm",
            client: "borne",
            holder: &HolderId("899700101340".into()),
            acr: &acr,
            request: "request-1",
            asked_at: UnixSeconds(NOW - 30),
            access_token: b"access",
        };
        claims.check(&expected, wall)
    }

    impl Provider {
        fn keys_of_one(&self) -> Keys {
            Keys::read(json!({"keys": [self.jwk("now")]}).to_string().as_bytes()).expect("a set")
        }
    }

    const IS: Wall = Wall::Is(UnixSeconds(NOW));

    /// The good token with one member changed, or (null) taken away.
    #[track_caller]
    fn changed(name: &str, value: Value, expected: Result<(), Error>) {
        let mut claims = good();
        match value {
            Value::Null => drop(claims.as_object_mut().expect("an object").remove(name)),
            value => claims[name] = value,
        }
        assert_eq!(check(&claims, IS), expected, "{name}");
    }

    #[test]
    fn a_token_says_what_was_asked_or_is_refused_by_the_name_of_the_claim() {
        assert_eq!(check(&good(), IS), Ok(()));
        changed("iss", json!("https://psc.example/other"), Err(Error::Claim("iss")));
        changed("aud", json!("another"), Err(Error::Claim("aud")));
        changed("aud", json!(["borne", "another"]), Err(Error::Claim("aud")));
        changed("azp", json!("another"), Err(Error::Claim("aud")));
        changed("acr", json!("eidas0"), Err(Error::Claim("acr")));
        changed("acr", Value::Null, Err(Error::Claim("acr")));
        changed("iat", json!(NOW - 91), Err(Error::Claim("iat")));
        changed("iat", json!(NOW + 61), Err(Error::Claim("iat")));
        changed("exp", Value::Null, Err(Error::Claim("exp")));
        changed("exp", json!(NOW), Err(Error::Expired));
        changed("at_hash", json!("AAAA"), Err(Error::Claim("at_hash")));
        changed(REQUEST_CLAIM, json!("request-0"), Err(Error::Claim("auth_req_id")));
        changed(REQUEST_CLAIM, json!("request-1"), Ok(()));
        changed("sub", json!("f:0a1b:899700201470"), Err(Error::OtherHolder));
        changed("preferred_username", json!("899700201470"), Err(Error::OtherHolder));
        changed("sub", Value::Null, Err(Error::Claim("sub")));
    }

    #[test]
    fn a_clock_that_is_a_floor_cannot_tell_and_is_no_yes() {
        assert_eq!(check(&good(), Wall::AtLeast(UnixSeconds(NOW))), Err(Error::CannotTell));
        assert_eq!(check(&good(), Wall::AtLeast(UnixSeconds(NOW + 60))), Err(Error::Expired));
    }

    #[test]
    fn neither_the_algorithm_nor_the_key_is_the_tokens_to_choose() {
        let (provider, stranger) = (Provider::new(), Provider::new());
        let keys = provider.keys();
        let opened = |text: &str| open(text, &keys).map(|_| ());
        let token = provider.sign(&header(), &good());
        assert_eq!(opened(&token), Ok(()));
        assert_eq!(opened(&stranger.sign(&header(), &good())), Err(Error::Signature));
        assert_eq!(opened(&provider.sign(&json!({"alg": "ES256", "kid": "gone"}), &good())), Err(Error::UnknownKey));
        assert_eq!(opened(&provider.sign(&json!({"alg": "ES256"}), &good())), Err(Error::UnknownKey), "which of two?");
        // A shared secret is no key of ours, and « none » is no signature.
        assert_eq!(opened(&provider.sign(&json!({"alg": "HS256", "kid": "shared"}), &good())), Err(Error::UnknownKey));
        for alg in ["HS256", "none", "RS256", "ES384"] {
            assert_eq!(
                opened(&provider.sign(&json!({"alg": alg, "kid": "now"}), &good())),
                Err(Error::Algorithm),
                "{alg}"
            );
        }
        let critical = json!({"alg": "ES256", "kid": "now", "crit": ["b64"], "b64": false});
        assert_eq!(opened(&provider.sign(&critical, &good())), Err(Error::Algorithm));
        let [head, _, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
        let forged =
            format!("{head}.{}.{signature}", BASE64URL.encode(json!({"sub": "x", "iss": "y", "iat": 1}).to_string()));
        assert_eq!(opened(&forged), Err(Error::Signature));
        for text in ["", "a.b", "!.e30.AA", &format!("{token}.x"), &"x".repeat(TOKEN_BYTES_MAX + 1)] {
            assert_eq!(opened(text), Err(Error::Shape));
        }
    }

    #[test]
    fn the_key_beside_a_token_opens_it_years_later_and_no_other_does() {
        let (provider, stranger) = (Provider::new(), Provider::new());
        let token = provider.sign(&header(), &good());
        let keys = provider.keys();
        let (_, key) = open(&token, &keys).expect("opened");
        let kept = Key::read(&key.text()).expect("a key");
        assert!(!key.text().contains("x5c"), "public members alone");
        assert_eq!(
            open_with(&token, &kept).map(|claims| claims.national_id),
            Ok(Some(HolderId("899700101340".into())))
        );
        let other = Key::read(&stranger.jwk("now").to_string()).expect("a key");
        assert_eq!(open_with(&token, &other), Err(Error::Signature));
    }
}
