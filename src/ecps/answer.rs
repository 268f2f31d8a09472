//! What the provider says, as values: its own description, the start of a request, the token endpoint's words. Pure.

use crate::ecps::Error;
use crate::secret::SecretBytes;
use serde_json::Value;

/// Where the provider is asked what (OpenID Connect Discovery §3, CIBA Core §4, RFC 8705 §5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    pub issuer: String,
    pub backchannel: String,
    pub token: String,
    pub userinfo: String,
    pub keys: String,
    /// RFC 7009; not every provider has it.
    pub revocation: Option<String>,
}

/// A request that the provider took (CIBA Core §7.3).
pub struct Begun {
    pub request: String,
    pub expires_in_s: u64,
    pub interval_s: u64,
}

/// What the provider hands out. Wiped when dropped.
pub struct Tokens {
    pub access: SecretBytes,
    pub expires_in_s: u64,
    pub refresh: Option<SecretBytes>,
    /// Absent from some refreshed answers.
    pub id_token: Option<String>,
}

/// One question of the poll, answered.
pub enum Polled {
    Pending,
    /// Five seconds more between questions, from now on (CIBA Core §11).
    SlowDown,
    Granted(Tokens),
}

impl Provider {
    /// `issuer` as the settings name it: a description of anybody else is refused.
    pub fn read(bytes: &[u8], issuer: &str) -> Result<Provider, Error> {
        let what = "its description";
        let all = json(bytes, what)?;
        if all["issuer"] != issuer {
            return Err(Error::OtherIssuer);
        }
        // For a client that is known by its certificate there may be other addresses.
        let address = |name: &str| {
            let of_mtls = all["mtls_endpoint_aliases"][name].as_str();
            of_mtls.or_else(|| all[name].as_str()).filter(|url| url.starts_with("https://")).map(str::to_owned)
        };
        let needed = |name: &str, why| address(name).ok_or(Error::Unreadable { what, why });
        Ok(Provider {
            issuer: issuer.to_owned(),
            backchannel: needed("backchannel_authentication_endpoint", "it names no CIBA endpoint")?,
            token: needed("token_endpoint", "it names no token endpoint")?,
            userinfo: needed("userinfo_endpoint", "it names no UserInfo endpoint")?,
            keys: needed("jwks_uri", "it names no keys")?,
            revocation: address("revocation_endpoint"),
        })
    }
}

impl Begun {
    pub fn read(status: u16, body: &[u8]) -> Result<Begun, Error> {
        let what = "the request";
        let all = success(status, body, what)?;
        let request = all["auth_req_id"].as_str().filter(|id| !id.is_empty() && id.len() <= TEXT_MAX);
        Ok(Begun {
            request: request.ok_or(Error::Unreadable { what, why: "it has no auth_req_id" })?.to_owned(),
            expires_in_s: all["expires_in"].as_u64().unwrap_or(EXPIRES_IN_S).clamp(10, 600),
            interval_s: all["interval"].as_u64().unwrap_or(INTERVAL_S).clamp(1, 60),
        })
    }
}

impl Polled {
    pub fn read(status: u16, body: &[u8]) -> Result<Polled, Error> {
        match word(status, body).as_deref() {
            Some("authorization_pending") => Ok(Polled::Pending),
            Some("slow_down") => Ok(Polled::SlowDown),
            _ => Tokens::read(status, body, "the tokens").map(Polled::Granted),
        }
    }
}

impl Tokens {
    /// Of a refreshed grant: whatever the provider says against it, it is over.
    pub fn refreshed(status: u16, body: &[u8]) -> Result<Tokens, Error> {
        match word(status, body).as_deref() {
            Some("invalid_grant" | "access_denied" | "expired_token") => Err(Error::RefreshRefused),
            _ => Tokens::read(status, body, "the refreshed tokens"),
        }
    }

    fn read(status: u16, body: &[u8], what: &'static str) -> Result<Tokens, Error> {
        let all = success(status, body, what)?;
        let text = |name: &str| all[name].as_str().filter(|text| !text.is_empty() && text.len() <= TEXT_MAX);
        let secret = |text: &str| SecretBytes::new(text.as_bytes().to_vec());
        let bearer = all["token_type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"));
        if !bearer {
            return Err(Error::Unreadable { what, why: "its token is no bearer's" });
        }
        Ok(Tokens {
            access: secret(text("access_token").ok_or(Error::Unreadable { what, why: "it has no access token" })?),
            // Unsaid is soon: another one is asked for early rather than late.
            expires_in_s: all["expires_in"].as_u64().unwrap_or(60).clamp(1, 3_600),
            refresh: text("refresh_token").map(secret),
            id_token: text("id_token").map(str::to_owned),
        })
    }
}

/// The answer's members, or the error that its `error` names (RFC 6749 §5.2, CIBA Core §11 and §13).
fn success(status: u16, body: &[u8], what: &'static str) -> Result<Value, Error> {
    if status == 200 {
        return json(body, what);
    }
    Err(match word(status, body).as_deref() {
        Some("access_denied") => Error::Denied,
        Some("expired_token") => Error::Expired,
        // A request that its provider has forgotten is one that is over.
        Some("invalid_grant") => Error::Expired,
        Some("unknown_user_id") => Error::UnknownPerson,
        Some("invalid_client" | "unauthorized_client" | "invalid_scope" | "unsupported_grant_type") => {
            Error::ClientRefused { what, status }
        }
        _ if matches!(status, 401 | 403) => Error::ClientRefused { what, status },
        _ => Error::Failed { what, status },
    })
}

/// The error's own word; never its description, which may say anything.
fn word(status: u16, body: &[u8]) -> Option<String> {
    let is_refusal = (400..500).contains(&status);
    let all: Value = if is_refusal { serde_json::from_slice(body).ok()? } else { return None };
    all["error"].as_str().map(str::to_owned)
}

fn json(body: &[u8], what: &'static str) -> Result<Value, Error> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(Value::Object(members)),
        _ => Err(Error::Unreadable { what, why: "it is no JSON object" }),
    }
}

/// CIBA Core §7.3: where the provider does not say.
const INTERVAL_S: u64 = 5;
const EXPIRES_IN_S: u64 = 120;
const TEXT_MAX: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn description() -> Value {
        json!({
            "issuer": "https://psc.example/realm", "token_endpoint": "https://psc.example/token",
            "backchannel_authentication_endpoint": "https://psc.example/ciba", "jwks_uri": "https://psc.example/keys",
            "userinfo_endpoint": "https://psc.example/me",
            "mtls_endpoint_aliases": {"token_endpoint": "https://mtls.psc.example/token"}
        })
    }

    fn provider(value: &Value) -> Result<Provider, Error> {
        Provider::read(value.to_string().as_bytes(), "https://psc.example/realm")
    }

    #[test]
    fn a_description_is_of_the_named_issuer_and_all_https() {
        let known = provider(&description()).expect("a provider");
        assert_eq!((known.token.as_str(), known.revocation), ("https://mtls.psc.example/token", None));
        let other = json!({"issuer": "https://psc.example/realm2"});
        assert!(matches!(provider(&other), Err(Error::OtherIssuer)));
        for name in ["backchannel_authentication_endpoint", "userinfo_endpoint", "jwks_uri"] {
            let mut plain = description();
            plain[name] = json!("http://psc.example/x");
            assert!(matches!(provider(&plain), Err(Error::Unreadable { .. })), "{name}");
        }
        assert!(matches!(Provider::read(b"[]", "x"), Err(Error::Unreadable { .. })));
    }

    fn polled(status: u16, body: Value) -> &'static str {
        match Polled::read(status, body.to_string().as_bytes()) {
            Ok(Polled::Pending) => "pending",
            Ok(Polled::SlowDown) => "slow down",
            Ok(Polled::Granted(_)) => "granted",
            Err(Error::Denied) => "denied",
            Err(Error::Expired) => "expired",
            Err(Error::UnknownPerson) => "unknown",
            Err(Error::ClientRefused { .. }) => "client",
            Err(Error::Failed { .. }) => "failed",
            Err(_) => "unreadable",
        }
    }

    #[test]
    fn each_word_of_the_token_endpoint_has_its_meaning() {
        let word = |word: &str| json!({"error": word, "error_description": "authorization_pending"});
        assert_eq!(polled(400, word("authorization_pending")), "pending");
        assert_eq!(polled(400, word("slow_down")), "slow down");
        assert_eq!(polled(400, word("access_denied")), "denied");
        assert_eq!(polled(400, word("expired_token")), "expired");
        assert_eq!(polled(400, word("invalid_grant")), "expired");
        assert_eq!(polled(400, word("unknown_user_id")), "unknown");
        assert_eq!(polled(401, word("invalid_client")), "client");
        assert_eq!(polled(403, Value::Null), "client");
        assert_eq!(polled(400, word("server_error")), "failed");
        assert_eq!(polled(503, word("authorization_pending")), "failed", "a server that is down says nothing");
        assert_eq!(polled(200, word("slow_down")), "unreadable");
        assert_eq!(polled(200, json!({"access_token": "a", "token_type": "Bearer"})), "granted");
        assert_eq!(polled(200, json!({"access_token": "a", "token_type": "DPoP"})), "unreadable");
        assert_eq!(polled(200, json!({"token_type": "Bearer"})), "unreadable");
    }

    #[test]
    fn what_is_unsaid_is_the_standards_and_what_is_absurd_is_bounded() {
        let begun = |value: Value| Begun::read(200, value.to_string().as_bytes()).expect("begun");
        let silent = begun(json!({"auth_req_id": "r"}));
        assert_eq!((silent.expires_in_s, silent.interval_s), (120, 5));
        let absurd = begun(json!({"auth_req_id": "r", "expires_in": u64::MAX, "interval": 0}));
        assert_eq!((absurd.expires_in_s, absurd.interval_s), (600, 1));
        assert!(Begun::read(200, b"{}").is_err());
    }

    #[test]
    fn a_refused_refresh_is_the_end_and_a_failed_one_is_not() {
        let refused =
            |status, body: &str| matches!(Tokens::refreshed(status, body.as_bytes()), Err(Error::RefreshRefused));
        assert!(refused(400, r#"{"error":"invalid_grant"}"#));
        assert!(!refused(503, r#"{"error":"invalid_grant"}"#));
        assert!(!refused(502, "<html>"));
    }
}
