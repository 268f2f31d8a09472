//! What the provider says. Persons are the drawer's; whoever has no card there has no e-CPS either.

use crate::identity::holder::CardKind;
use crate::sandbox::dmp::now_s;
use crate::sandbox::drawer;
use crate::sandbox::pki::Profile;
use crate::sandbox::psc::Fault;
use crate::sandbox::psc::Request;
use crate::sandbox::psc::Shared;
use crate::sandbox::psc::Touch;
use aws_lc_rs::digest;
use aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED;
use aws_lc_rs::signature::UnparsedPublicKey;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde_json::Value;
use serde_json::json;
use std::collections::HashMap;
use std::time::Duration;
use std::time::Instant;
use uuid::Uuid;

type Answer = (u16, Value);

pub(super) fn answer(shared: &Shared, method: &str, path: &str, bearer: &str, body: &[u8]) -> Answer {
    let fields: HashMap<String, String> = form(body);
    let field = |name: &str| of(&fields, name);
    match (method, path) {
        ("GET", "/realm/.well-known/openid-configuration") => (200, description(&shared.issuer)),
        ("GET", "/realm/keys") => (200, json!({"keys": [shared.jwk()]})),
        ("GET", "/realm/userinfo") => userinfo(shared, bearer),
        ("POST", _) if !is_known(shared, &fields) => refuse(401, "invalid_client"),
        ("POST", "/realm/ciba") => begin(shared, &fields),
        ("POST", "/realm/token") if field("grant_type") == "refresh_token" => {
            refresh(shared, field("client_id"), field("refresh_token"))
        }
        ("POST", "/realm/token") => poll(shared, field("client_id"), field("auth_req_id")),
        ("POST", "/realm/revoke") => {
            let mut state = shared.state();
            let token = field("token").to_owned();
            state.refresh.retain(|(known, _)| *known != token);
            state.revoked.push(token);
            (200, json!({}))
        }
        _ => (404, json!({})),
    }
}

/// By its certificate, which TLS has seen; or by an assertion (RFC 7523 §3) that was signed for this provider and not used before.
fn is_known(shared: &Shared, fields: &HashMap<String, String>) -> bool {
    let client = of(fields, "client_id");
    let mut state = shared.state();
    let Some((_, point)) = state.by_key.clone().filter(|(known, _)| known == client) else { return client == CLIENT };
    let assertion = of(fields, "client_assertion");
    let Some((input, signature)) = assertion.rsplit_once('.') else { return false };
    let signature = BASE64URL.decode(signature).unwrap_or_default();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    let claims = input.split_once('.').and_then(|(_, claims)| BASE64URL.decode(claims).ok()).unwrap_or_default();
    let claims: Value = serde_json::from_slice(&claims).unwrap_or(Value::Null);
    let is_new = !state.assertions.iter().any(|used| used == assertion);
    state.assertions.push(assertion.to_owned());
    is_new
        && key.verify(input.as_bytes(), &signature).is_ok()
        && claims["iss"] == client
        && claims["sub"] == client
        && claims["aud"] == shared.issuer
        && claims["exp"].as_i64().is_some_and(|end| end > now_s())
}

fn description(issuer: &str) -> Value {
    let at = |path: &str| format!("{issuer}/{path}");
    json!({
        "issuer": issuer, "token_endpoint": at("token"), "userinfo_endpoint": at("userinfo"), "jwks_uri": at("keys"),
        "backchannel_authentication_endpoint": at("ciba"), "revocation_endpoint": at("revoke"),
        "backchannel_token_delivery_modes_supported": ["poll"], "id_token_signing_alg_values_supported": ["ES256"],
    })
}

fn refuse(status: u16, error: &str) -> Answer {
    (status, json!({"error": error, "error_description": "canari-de-description"}))
}

fn begin(shared: &Shared, fields: &HashMap<String, String>) -> Answer {
    let field = |name: &str| of(fields, name);
    let digits = field("binding_message");
    if digits.len() != 2 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return refuse(400, "invalid_binding_message");
    }
    if profile(field("login_hint")).is_none() {
        return refuse(400, "unknown_user_id");
    }
    let id = Uuid::now_v7().to_string();
    shared.state().requests.push(Request {
        id: id.clone(),
        hint: field("login_hint").to_owned(),
        digits: digits.to_owned(),
        since: Instant::now(),
        answer: None,
        is_spent: false,
    });
    (200, json!({"auth_req_id": id, "expires_in": shared.request_s, "interval": shared.interval_s}))
}

fn poll(shared: &Shared, client: &str, id: &str) -> Answer {
    let mut state = shared.state();
    state.polls.push(Instant::now());
    let fault = state.fault;
    if fault == Some(Fault::SlowDown) {
        return refuse(400, "slow_down");
    }
    let Some(request) = state.requests.iter_mut().find(|request| request.id == id && !request.is_spent) else {
        return refuse(400, "invalid_grant");
    };
    if request.since.elapsed() >= Duration::from_secs(shared.request_s) {
        return refuse(400, "expired_token");
    }
    let by_itself = shared.approves_after.is_some_and(|after| request.since.elapsed() >= after);
    match request.answer {
        Some(Touch::Denied) => return refuse(400, "access_denied"),
        None if !by_itself => return refuse(400, "authorization_pending"),
        _ => {}
    }
    request.is_spent = true;
    let who = match fault {
        Some(Fault::Somebody(other)) => other.to_owned(),
        _ => request.hint.clone(),
    };
    drop(state);
    (200, tokens(shared, client, &who, fault))
}

fn refresh(shared: &Shared, client: &str, token: &str) -> Answer {
    let mut state = shared.state();
    let fault = state.fault;
    let Some(at) = state.refresh.iter().position(|(known, _)| known == token) else {
        return refuse(400, "invalid_grant");
    };
    if fault == Some(Fault::NoRefresh) {
        return refuse(400, "invalid_grant");
    }
    let (spent, who) = state.refresh.remove(at);
    // Rotated: the old one serves nobody any more.
    state.revoked.push(spent);
    drop(state);
    (200, tokens(shared, client, &who, fault))
}

fn tokens(shared: &Shared, client: &str, who: &str, fault: Option<Fault>) -> Value {
    let now = now_s();
    let person = profile(who);
    let (given, family) = person.map_or(("", ""), |person| (person.given_name, person.family_name));
    let subject = format!("f:sandbox:{who}");
    let access = json!({
        "iss": shared.issuer, "aud": "dmp", "azp": client, "sub": subject, "SubjectNameID": who, "iat": now,
        "exp": now + i64::try_from(shared.access_s).unwrap_or(60), "given_name": given, "family_name": family,
        "jti": Uuid::now_v7().to_string(),
    });
    let access = shared.sign(&access, &shared.key);
    let hash = digest::digest(&digest::SHA256, access.as_bytes());
    let audience = if fault == Some(Fault::OtherClient) { "another" } else { client };
    let level = if fault == Some(Fault::Weak) { "eidas0" } else { "eidas1" };
    let claims = json!({
        "iss": shared.issuer, "aud": audience, "azp": audience, "sub": subject, "preferred_username": who, "acr": level,
        "iat": now, "exp": now + 120, "at_hash": BASE64URL.encode(&hash.as_ref()[..16]),
    });
    let key = if fault == Some(Fault::Forged) { &shared.other_key } else { &shared.key };
    let id_token = shared.sign(&claims, key);
    let refresh = Uuid::now_v7().to_string();
    let mut state = shared.state();
    state.refresh.push((refresh.clone(), who.to_owned()));
    state.issued.extend([access.clone(), refresh.clone()]);
    json!({
        "access_token": access, "refresh_token": refresh, "id_token": id_token, "token_type": "Bearer",
        "expires_in": shared.access_s,
    })
}

/// For a token that was given out and not taken back.
fn userinfo(shared: &Shared, bearer: &str) -> Answer {
    let token = bearer.strip_prefix("Bearer ").unwrap_or("");
    let state = shared.state();
    if !state.issued.iter().any(|known| known == token) || state.revoked.iter().any(|known| known == token) {
        return refuse(401, "invalid_token");
    }
    let fault = state.fault;
    drop(state);
    let claims = token.split('.').nth(1).and_then(|part| BASE64URL.decode(part).ok()).unwrap_or_default();
    let claims: Value = serde_json::from_slice(&claims).unwrap_or(Value::Null);
    let who = claims["SubjectNameID"].as_str().unwrap_or("");
    let Some(person) = profile(who) else { return refuse(401, "invalid_token") };
    let subject =
        if fault == Some(Fault::OtherUserInfo) { json!("f:sandbox:899700301528") } else { claims["sub"].clone() };
    let place = |finess: &str, name: &str| json!({"numeroFinessSite": finess, "raisonSocialeSite": name, "codeSecteurDactivite": "SA01"});
    // The doctor practises in two places; everybody else in one.
    let mut places = vec![place("750000001", "HOPITAL DU BAC A SABLE")];
    if person.name == "doctor" {
        places.push(place("750000002", "MAISON DE SANTE DU PORT"));
    }
    let category = if person.kind == CardKind::Cpf { "E" } else { "C" };
    let exercise = json!({
        "codeProfession": person.profession.map(|code| code.to_string()), "codeCategorieProfessionnelle": category,
        "nomDexercice": person.family_name, "prenomDexercice": person.given_name, "activities": places,
    });
    let role = format!("{}^1.2.250.1.213.1.1.5.5", person.profession.unwrap_or_default());
    (
        200,
        json!({
            "sub": subject, "SubjectNameID": who, "preferred_username": who, "given_name": person.given_name,
            "family_name": person.family_name, "SubjectRole": [role], "SubjectRefPro": {"exercices": [exercise]},
        }),
    )
}

fn of<'a>(fields: &'a HashMap<String, String>, name: &str) -> &'a str {
    fields.get(name).map_or("", String::as_str)
}

fn profile(id: &str) -> Option<Profile> {
    drawer::profiles().into_iter().find(|profile| profile.holder_id == id)
}

/// `application/x-www-form-urlencoded`, as far as our client sends it.
fn form(body: &[u8]) -> HashMap<String, String> {
    let text = String::from_utf8_lossy(body);
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), plain(value))).collect()
}

fn plain(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut left = value.bytes();
    while let Some(byte) = left.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let pair = [left.next().unwrap_or(b'0'), left.next().unwrap_or(b'0')];
                bytes.extend(hex::decode(pair).unwrap_or_default());
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

const CLIENT: &str = "borne";
