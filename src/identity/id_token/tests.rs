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
        let set = json!({"keys": [other.jwk("other"), self.jwk("now"), {"kty": "oct", "k": "AAAA", "kid": "shared"}]});
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
        assert_eq!(opened(&provider.sign(&json!({"alg": alg, "kid": "now"}), &good())), Err(Error::Algorithm), "{alg}");
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
    assert_eq!(open_with(&token, &kept).map(|claims| claims.national_id), Ok(Some(HolderId("899700101340".into()))));
    let other = Key::read(&stranger.jwk("now").to_string()).expect("a key");
    assert_eq!(open_with(&token, &other), Err(Error::Signature));
}
