//! Who asks: the holder's token, checked in the order of `docs/pdsm.md` §1. Nothing of it is believed before its
//! signature is.

use crate::identity::certificate::Certificate;
use crate::identity::certificate::KeyUse;
use crate::identity::id_token;
use crate::identity::id_token::Key;
use crate::sandbox::dmp::Error;
use crate::sandbox::dmp::outcome::Refusal;
use crate::sandbox::pki::Pki;
use aws_lc_rs::digest;
use aws_lc_rs::signature;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::TrustAnchor;
use rustls::pki_types::UnixTime;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;
use std::collections::HashMap;
use std::fs;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use webpki::CertRevocationList;
use webpki::KeyUsage;
use x509_parser::prelude::FromDer;
use x509_parser::prelude::X509Certificate;

/// Whom the server believes.
pub struct Verifier {
    anchors: Vec<TrustAnchor<'static>>,
    lists: Vec<CertRevocationList<'static>>,
    /// Whose access tokens are taken beside the cards', and the key that signs them.
    issuer: Mutex<Option<(String, Key)>>,
    /// Nonces heard, and the token each came in. A nonce belongs to one token for ever.
    nonces: Mutex<HashMap<String, [u8; 32]>>,
}

/// A holder that a token proves.
pub struct Caller {
    /// PS_IdNat.
    pub id: String,
    pub name: String,
    /// TRE_R248.
    pub mode: String,
}

impl Verifier {
    /// Anchors and revocation lists as they are now.
    pub fn open(pki: &Pki) -> Result<Verifier, Error> {
        let path = pki.anchors();
        let unusable = || Error::Certificate { path: pki.anchors() };
        let pem = fs::read(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
        let mut anchors = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|_| unusable())?;
            let anchor = webpki::anchor_from_trusted_cert(&certificate).map_err(|_| unusable())?;
            anchors.push(anchor.to_owned());
        }
        let folder = pki.revocation_lists();
        let read = |source| Error::Read { path: folder.clone(), source };
        let mut lists = Vec::new();
        for entry in fs::read_dir(&folder).map_err(read)? {
            let path = entry.map_err(read)?.path();
            if path.extension().is_none_or(|extension| extension != "crl") {
                continue;
            }
            let der = fs::read(&path).map_err(read)?;
            let list = webpki::OwnedCertRevocationList::from_der(&der).map_err(|_| Error::Certificate { path })?;
            lists.push(CertRevocationList::from(list));
        }
        Ok(Verifier { anchors, lists, issuer: Mutex::new(None), nonces: Mutex::new(HashMap::new()) })
    }

    pub fn trust_issuer(&self, issuer: &str, jwk: &Value) {
        let known = Key::read(&jwk.to_string()).map(|key| (issuer.to_owned(), key));
        *self.issuer.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }

    /// `None`: it is no token of Pro Santé Connect's. The device vouches for the mode, which such a token does not say.
    pub fn check_psc(
        &self,
        authorization: Option<&str>,
        purpose: Option<&str>,
        now: i64,
    ) -> Option<Result<Caller, Refusal>> {
        let token = authorization?.strip_prefix("Bearer ")?.trim();
        let head = json(token.split('.').next()?).ok()?;
        if !head["x5c"].is_null() {
            return None;
        }
        let known = self.issuer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some((issuer, key)) = known else { return Some(Err(Refusal::TokenInvalid)) };
        Some(psc_caller(token, &issuer, &key, purpose.unwrap_or("normal"), now))
    }

    /// `authorization` is the header's value, `device` the SHA-256 of the connection's certificate.
    pub fn check(
        &self,
        authorization: Option<&str>,
        audience: &str,
        device: [u8; 32],
        now: i64,
    ) -> Result<Caller, Refusal> {
        let token = authorization.and_then(|text| text.strip_prefix("Bearer ")).ok_or(Refusal::TokenMissing)?.trim();
        let parts: Vec<&str> = token.split('.').collect();
        let [header, payload, signed] = parts[..] else { return Err(Refusal::TokenInvalid) };
        let head = json(header)?;
        // RFC 8725 §3.1: the algorithm is ours to choose, never the token's.
        if head["alg"] != "RS256" {
            return Err(Refusal::TokenInvalid);
        }
        let chain = chain(&head["x5c"])?;
        let leaf = chain.first().ok_or(Refusal::TokenInvalid)?;
        self.check_certificate(leaf, &chain[1..], now)?;
        let (_, certificate) = X509Certificate::from_der(leaf).map_err(|_| Refusal::TokenCertificate)?;
        let key = &certificate.public_key().subject_public_key.data;
        let message = format!("{header}.{payload}");
        let bytes = URL_SAFE_NO_PAD.decode(signed).map_err(|_| Refusal::TokenInvalid)?;
        signature::UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, key)
            .verify(message.as_bytes(), &bytes)
            .map_err(|_| Refusal::TokenInvalid)?;

        let claims = json(payload)?;
        let id = common_name(&certificate).ok_or(Refusal::TokenCertificate)?;
        let ours = claims["domain"] == "chevet/token/v1" && claims["aud"] == audience;
        if !ours || claims["iss"] != id.as_str() || claims["sub"] != id.as_str() {
            return Err(Refusal::TokenInvalid);
        }
        if claims["cnf"]["x5t#S256"] != URL_SAFE_NO_PAD.encode(device) {
            return Err(Refusal::TokenDevice);
        }
        check_times(&claims, now)?;
        let mode = claims["purpose_of_use"].as_str().unwrap_or("");
        if !["normal", "bris_de_glace"].contains(&mode) {
            return Err(Refusal::TokenInvalid);
        }
        self.remember_nonce(&claims, token)?;
        Ok(Caller { id, name: full_name(&certificate), mode: mode.to_owned() })
    }

    /// Whether this is the certificate of that professional's signature key, from an authority that is known, and not revoked.
    pub fn signs_documents(&self, der: &[u8], card: &str, now: i64) -> bool {
        let is_theirs =
            Certificate::parse(der).is_ok_and(|own| own.key_use() == KeyUse::Signature && own.holder().id.0 == card);
        is_theirs
            && self.check_usage(&CertificateDer::from(der), &[], now, KeyUsage::required(EMAIL_PROTECTION)).is_ok()
    }

    fn check_certificate(
        &self,
        leaf: &CertificateDer<'_>,
        issuers: &[CertificateDer<'_>],
        now: i64,
    ) -> Result<(), Refusal> {
        self.check_usage(leaf, issuers, now, KeyUsage::client_auth())
    }

    fn check_usage(
        &self,
        leaf: &CertificateDer<'_>,
        issuers: &[CertificateDer<'_>],
        now: i64,
        usage: KeyUsage,
    ) -> Result<(), Refusal> {
        let refused = Refusal::TokenCertificate;
        let lists: Vec<&CertRevocationList<'_>> = self.lists.iter().collect();
        let revocation = webpki::RevocationOptionsBuilder::new(&lists)
            .map_err(|_| refused)?
            .with_depth(webpki::RevocationCheckDepth::EndEntity)
            .build();
        let end = webpki::EndEntityCert::try_from(leaf).map_err(|_| refused)?;
        let at = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(now).map_err(|_| refused)?));
        end.verify_for_usage(
            &[webpki::aws_lc_rs::RSA_PKCS1_2048_8192_SHA256],
            &self.anchors,
            issuers,
            at,
            usage,
            Some(revocation),
            None,
        )
        .map_err(|_| refused)?;
        Ok(())
    }

    /// The same token comes many times; the same nonce in another token was copied from somewhere.
    fn remember_nonce(&self, claims: &Value, token: &str) -> Result<(), Refusal> {
        let nonce = claims["nonce"].as_str().ok_or(Refusal::TokenInvalid)?;
        if URL_SAFE_NO_PAD.decode(nonce).map_or(0, |bytes| bytes.len()) != 32 {
            return Err(Refusal::TokenInvalid);
        }
        let mut heard = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        let first = heard.entry(nonce.to_owned()).or_insert_with(|| sha256(token.as_bytes()));
        if *first == sha256(token.as_bytes()) { Ok(()) } else { Err(Refusal::TokenInvalid) }
    }
}

/// Signed by the known issuer's key, said by that issuer, and not over.
fn psc_caller(token: &str, issuer: &str, key: &Key, mode: &str, now: i64) -> Result<Caller, Refusal> {
    let known = id_token::open_with(token, key).map_err(|_| Refusal::TokenInvalid)?;
    let claims = json(token.split('.').nth(1).ok_or(Refusal::TokenInvalid)?)?;
    let id = known.national_id.filter(|_| known.issuer == issuer).ok_or(Refusal::TokenInvalid)?;
    if claims["exp"].as_i64().is_none_or(|expires| expires <= now - 5) {
        return Err(Refusal::TokenExpired);
    }
    if !["normal", "bris_de_glace"].contains(&mode) {
        return Err(Refusal::TokenInvalid);
    }
    let name = |part: &str| claims[part].as_str().unwrap_or("").to_owned();
    let name = format!("{} {}", name("given_name"), name("family_name")).trim().to_owned();
    Ok(Caller { id: id.0, name, mode: mode.to_owned() })
}

/// At most ten minutes long, and now inside it within a minute: devices' clocks are not ours.
fn check_times(claims: &Value, now: i64) -> Result<(), Refusal> {
    let (Some(issued), Some(expires)) = (claims["iat"].as_i64(), claims["exp"].as_i64()) else {
        return Err(Refusal::TokenInvalid);
    };
    let length = expires.checked_sub(issued).ok_or(Refusal::TokenInvalid)?;
    if !(1..=600).contains(&length) {
        return Err(Refusal::TokenInvalid);
    }
    if issued <= now + 60 && expires > now - 60 { Ok(()) } else { Err(Refusal::TokenExpired) }
}

/// RFC 7515 §4.1.6: standard base64, not the URL alphabet.
fn chain(x5c: &Value) -> Result<Vec<CertificateDer<'static>>, Refusal> {
    let list = x5c.as_array().ok_or(Refusal::TokenInvalid)?;
    list.iter()
        .map(|entry| {
            let der = entry.as_str().and_then(|text| STANDARD.decode(text).ok()).ok_or(Refusal::TokenInvalid)?;
            Ok(CertificateDer::from(der))
        })
        .collect()
}

fn json(part: &str) -> Result<Value, Refusal> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::TokenInvalid)?;
    serde_json::from_slice(&bytes).map_err(|_| Refusal::TokenInvalid)
}

fn common_name(certificate: &X509Certificate<'_>) -> Option<String> {
    Some(certificate.subject().iter_common_name().next()?.as_str().ok()?.to_owned())
}

/// PS_IdNat and spoken name of whoever holds this card.
pub fn of_card(der: &[u8]) -> Option<(String, String)> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some((common_name(&certificate)?, full_name(&certificate)))
}

/// id-kp-emailProtection, as signature keys have it.
const EMAIL_PROTECTION: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x04];

/// Given name and family name, as the certificate writes them.
fn full_name(certificate: &X509Certificate<'_>) -> String {
    let subject = certificate.subject();
    let given = subject.iter_by_oid(&x509_parser::oid_registry::OID_X509_GIVEN_NAME).next();
    let family = subject.iter_by_oid(&x509_parser::oid_registry::OID_X509_SURNAME).next();
    let words: Vec<&str> = [given, family].into_iter().flatten().filter_map(|part| part.as_str().ok()).collect();
    words.join(" ")
}

pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}
