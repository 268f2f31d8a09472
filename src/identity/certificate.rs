//! What an IGC-Santé certificate says: holder, card type, card number, profession, key usages.
//!
//! The last RDN of the subject is multi-valued, `{givenName + commonName + surname}` in any order, so attributes are looked
//! for wherever they stand. Parsing is no trust: see [`trust`](crate::identity::trust). Never decides, never reads a clock. Pure.
//! The extensions are those of the GIP-CPS arc, 1.2.250.1.71.1.2.

use crate::identity::anchors::Realm;
use crate::identity::crl;
use crate::identity::holder::CardKind;
use crate::identity::holder::CertificateKeyId;
use crate::identity::holder::Holder;
use crate::identity::holder::HolderId;
use crate::identity::holder::Means;
use crate::identity::holder::ProfessionCode;
use crate::identity::statement::Hash;
use crate::identity::statement::SignedInfo;
use crate::time::UnixSeconds;
use aws_lc_rs::digest;
use aws_lc_rs::signature;
use x509_parser::asn1_rs::FromDer as _;
use x509_parser::asn1_rs::Integer;
use x509_parser::extensions::CRLDistributionPoints;
use x509_parser::extensions::DistributionPointName;
use x509_parser::prelude::GeneralName;
use x509_parser::prelude::X509Certificate;
use x509_parser::prelude::X509Name;

/// A certificate that could be read. Nothing of it is trusted yet.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    subject: String,
    /// RFC 2253
    distinguished_name: String,
    issuer: String,
    issuer_realm: Realm,
    serial: Vec<u8>,
    lists_at: Vec<String>,
    not_before: UnixSeconds,
    not_after: UnixSeconds,
    key_id: CertificateKeyId,
    /// RSAPublicKey (RFC 8017 §A.1.1), the content of the SubjectPublicKeyInfo's BIT STRING.
    rsa_key: Vec<u8>,
    key_use: KeyUse,
    for_client_authentication: bool,
    card_kind: CardKind,
    card_id: Option<String>,
    profession: Option<ProfessionCode>,
    common_name: String,
    family_name: String,
    given_name: String,
}

/// What the key may be used for. The IGC-Santé keeps the two strictly apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyUse {
    /// `digitalSignature`: to say who is there.
    Authentication,
    /// `nonRepudiation`: to sign a document.
    Signature,
    Other,
}

/// Why a certificate cannot be used as a card's. Texts carry no personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the certificate is not valid DER")]
    Der,
    #[error("the certificate has no holder's identifier (commonName)")]
    NoIdentifier,
    #[error("the certificate does not say which kind of card it belongs to (gipCardType)")]
    NoCardKind,
    #[error("the certificate's {extension} is not understood")]
    Extension { extension: &'static str },
    #[error("the certificate's key is no RSA key")]
    NotRsa,
}

/// The signature does not belong to this message under this key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify under the certificate")]
pub struct SignatureRefused;

impl Certificate {
    /// Reads DER. Bytes after the certificate are ignored: an EF may be longer than what it holds.
    pub fn parse(der: &[u8]) -> Result<Certificate, Error> {
        let (rest, parsed) = X509Certificate::from_der(der).map_err(|_| Error::Der)?;
        let der = der[..der.len() - rest.len()].to_vec();
        let subject = parsed.subject();
        let common_name = attribute(subject, COMMON_NAME).ok_or(Error::NoIdentifier)?;
        let card_kind = card_kind(&parsed)?;
        let spki = parsed.public_key();
        if spki.algorithm.algorithm.to_id_string() != RSA_ENCRYPTION {
            return Err(Error::NotRsa);
        }
        let mut key_id = [0; 32];
        key_id.copy_from_slice(digest::digest(&digest::SHA256, spki.raw).as_ref());
        Ok(Certificate {
            subject: subject.to_string(),
            distinguished_name: rfc2253(subject),
            issuer: parsed.issuer().to_string(),
            issuer_realm: Realm::of(parsed.issuer()),
            serial: crl::without_zeros(parsed.raw_serial()).to_vec(),
            lists_at: lists_at(&parsed),
            not_before: UnixSeconds(parsed.validity().not_before.timestamp()),
            not_after: UnixSeconds(parsed.validity().not_after.timestamp()),
            key_id: CertificateKeyId(key_id),
            rsa_key: spki.subject_public_key.data.to_vec(),
            key_use: key_use(&parsed)?,
            for_client_authentication: for_client_authentication(&parsed)?,
            card_kind,
            card_id: card_id(&parsed),
            profession: profession(&parsed, card_kind)?,
            common_name,
            family_name: attribute(subject, SURNAME).unwrap_or_default(),
            given_name: attribute(subject, GIVEN_NAME).unwrap_or_default(),
            der,
        })
    }

    /// The professional whom this certificate names. Trusted only after [`trust::verify`](crate::identity::trust::verify).
    pub fn holder(&self) -> Holder {
        Holder {
            id: HolderId(self.common_name.clone()),
            family_name: self.family_name.clone(),
            given_name: self.given_name.clone(),
            profession: self.profession,
            in_training: self.card_kind == CardKind::Cpf,
            card_kind: self.card_kind,
            means: Means::Card,
            specialty: None,
            pharmacist_section: None,
            situations: None,
        }
    }

    /// Verifies RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2.2), keys of 2048 to 8192 bits.
    pub fn verify_signature(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureRefused> {
        signature::UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, &self.rsa_key)
            .verify(message, signature)
            .map_err(|_| SignatureRefused)
    }

    /// The same of a document's signature.
    pub fn verify_document(&self, info: &SignedInfo, signature: &[u8]) -> Result<(), SignatureRefused> {
        let algorithm = match info.hash() {
            Hash::Sha256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            Hash::Sha1 => &signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        };
        signature::UnparsedPublicKey::new(algorithm, &self.rsa_key)
            .verify(info.message(), signature)
            .map_err(|_| SignatureRefused)
    }

    /// Issuer (RFC 2253) and serial number (decimal), as XAdES names a certificate.
    pub fn issuer_and_serial(&self) -> Result<(String, String), Error> {
        let (_, parsed) = X509Certificate::from_der(&self.der).map_err(|_| Error::Der)?;
        Ok((rfc2253(parsed.issuer()), parsed.tbs_certificate.serial.to_string()))
    }

    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// RFC 4514-like text, for IT people; multi-valued RDNs are joined by `+`.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// As a SAML assertion names its subject (RFC 2253): the most specific first, a multi-valued RDN joined by `+`.
    pub fn distinguished_name(&self) -> &str {
        &self.distinguished_name
    }

    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// By the issuer's name alone: nothing is proven by it.
    pub(super) fn issuer_realm(&self) -> Realm {
        self.issuer_realm
    }

    /// Without leading zeros.
    pub(super) fn serial(&self) -> &[u8] {
        &self.serial
    }

    /// Where the issuer publishes its whole and delta lists over HTTP; to be asked only once the chain is verified. An
    /// address of another kind (LDAP) is left out.
    pub fn lists_at(&self) -> &[String] {
        &self.lists_at
    }

    pub fn not_before(&self) -> UnixSeconds {
        self.not_before
    }

    pub fn not_after(&self) -> UnixSeconds {
        self.not_after
    }

    pub fn key_id(&self) -> CertificateKeyId {
        self.key_id
    }

    pub fn key_use(&self) -> KeyUse {
        self.key_use
    }

    /// `clientAuth` stands in the extended key usage.
    pub fn for_client_authentication(&self) -> bool {
        self.for_client_authentication
    }

    pub fn card_kind(&self) -> CardKind {
        self.card_kind
    }

    /// Issuer and number of the card (gipCardID), for example `8025000001/2800262487`.
    pub fn card_id(&self) -> Option<&str> {
        self.card_id.as_deref()
    }
}

/// Short names as the DMP's examples write them; what has none is named by its OID.
fn rfc2253(name: &X509Name<'_>) -> String {
    let attribute = |one: &x509_parser::x509::AttributeTypeAndValue<'_>| {
        let oid = one.attr_type().to_id_string();
        let short = SHORT_NAMES.iter().find(|(known, _)| *known == oid).map_or(oid.as_str(), |(_, short)| short);
        format!("{short}={}", escaped(one.as_str().unwrap_or("")))
    };
    let rdns: Vec<String> =
        name.iter_rdn().map(|rdn| rdn.iter().map(attribute).collect::<Vec<_>>().join("+")).collect();
    rdns.into_iter().rev().collect::<Vec<_>>().join(",")
}

/// RFC 2253 §2.4
fn escaped(value: &str) -> String {
    let last = value.chars().count().saturating_sub(1);
    let mut out = String::with_capacity(value.len());
    for (at, letter) in value.chars().enumerate() {
        let special = matches!(letter, ',' | '+' | '"' | '\\' | '<' | '>' | ';');
        if special || (at == 0 && matches!(letter, '#' | ' ')) || (at == last && letter == ' ') {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

const SHORT_NAMES: [(&str, &str); 9] = [
    (COMMON_NAME, "CN"),
    (SURNAME, "SN"),
    (GIVEN_NAME, "GN"),
    ("2.5.4.12", "title"),
    ("2.5.4.11", "OU"),
    ("2.5.4.10", "O"),
    ("2.5.4.8", "ST"),
    ("2.5.4.7", "L"),
    ("2.5.4.6", "C"),
];

/// The first value of an attribute, wherever it stands in the name.
fn attribute(name: &X509Name<'_>, oid: &str) -> Option<String> {
    let found = name.iter_attributes().find(|attribute| attribute.attr_type().to_id_string() == oid)?;
    let text = found.as_str().ok()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn key_use(parsed: &X509Certificate<'_>) -> Result<KeyUse, Error> {
    let usage = parsed.key_usage().map_err(|_| Error::Extension { extension: "keyUsage" })?;
    Ok(match usage.map(|usage| (usage.value.digital_signature(), usage.value.non_repudiation())) {
        Some((true, false)) => KeyUse::Authentication,
        Some((_, true)) => KeyUse::Signature,
        Some((false, false)) | None => KeyUse::Other,
    })
}

fn for_client_authentication(parsed: &X509Certificate<'_>) -> Result<bool, Error> {
    let usage = parsed.extended_key_usage().map_err(|_| Error::Extension { extension: "extendedKeyUsage" })?;
    Ok(usage.is_some_and(|usage| usage.value.client_auth))
}

/// TRE_G02. Unknown means no: a kind that is not in the table is refused, and so is an absent one.
fn card_kind(parsed: &X509Certificate<'_>) -> Result<CardKind, Error> {
    match integer(parsed, CARD_TYPE, "gipCardType")? {
        None => Err(Error::NoCardKind),
        Some(0) => Ok(CardKind::Cps),
        Some(1) => Ok(CardKind::Cpf),
        Some(2) => Ok(CardKind::Cpe),
        Some(3) => Ok(CardKind::Cpa),
        Some(_) => Err(Error::Extension { extension: "gipCardType" }),
    }
}

/// TRE_G15. A CPF may carry its future profession instead (taken for [`FUTURE_PROFESSION`]; no real CPF was seen).
fn profession(parsed: &X509Certificate<'_>, kind: CardKind) -> Result<Option<ProfessionCode>, Error> {
    let mut code = integer(parsed, PROFESSION, "gipProfessionCode")?;
    if code.is_none() && kind == CardKind::Cpf {
        code = integer(parsed, FUTURE_PROFESSION, "gipFutureProfessionCode")?;
    }
    Ok(code.map(ProfessionCode))
}

/// An extension that holds one DER INTEGER.
fn integer(parsed: &X509Certificate<'_>, oid: &str, extension: &'static str) -> Result<Option<u16>, Error> {
    let Some(value) = extension_value(parsed, oid) else { return Ok(None) };
    let unread = Error::Extension { extension };
    let (_, integer) = Integer::from_der(value).map_err(|_| unread)?;
    integer.as_u16().map(Some).map_err(|_| unread)
}

fn card_id(parsed: &X509Certificate<'_>) -> Option<String> {
    let value = extension_value(parsed, CARD_ID)?;
    let (_, text) = x509_parser::asn1_rs::Any::from_der(value).ok()?;
    std::str::from_utf8(text.data).ok().map(str::to_owned)
}

/// Where a certificate's issuer publishes its whole and delta lists over HTTP.
pub(super) fn lists_at(parsed: &X509Certificate<'_>) -> Vec<String> {
    [DISTRIBUTION_POINTS, FRESHEST_CRL].iter().flat_map(|oid| addresses(parsed, oid)).collect()
}

/// The http addresses of cRLDistributionPoints or freshestCRL (RFC 5280 §4.2.1.13, §4.2.1.15: one syntax). What is not
/// understood has none: lists may come another way.
fn addresses(parsed: &X509Certificate<'_>, oid: &str) -> Vec<String> {
    let Some(value) = extension_value(parsed, oid) else { return Vec::new() };
    let Ok((_, points)) = CRLDistributionPoints::from_der(value) else { return Vec::new() };
    let names = points.points.iter().filter_map(|point| match &point.distribution_point {
        Some(DistributionPointName::FullName(names)) => Some(names),
        _ => None,
    });
    let uris = names.flatten().filter_map(|name| match name {
        GeneralName::URI(uri) => Some((*uri).to_owned()),
        _ => None,
    });
    uris.filter(|uri| uri.starts_with("http://")).take(POINTS_MAX).collect()
}

/// An extension that appears twice is not trusted to mean either (RFC 5280 §4.2).
fn extension_value<'a>(parsed: &'a X509Certificate<'_>, oid: &str) -> Option<&'a [u8]> {
    let mut found = parsed.iter_extensions().filter(|extension| extension.oid.to_id_string() == oid);
    match (found.next(), found.next()) {
        (Some(extension), None) => Some(extension.value),
        _ => None,
    }
}

/// A certificate names its holder: it prints as nothing.
impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Certificate({}, [REDACTED])", self.card_kind.name())
    }
}

/// More than any certificate seen names.
const POINTS_MAX: usize = 4;
const DISTRIBUTION_POINTS: &str = "2.5.29.31";
const FRESHEST_CRL: &str = "2.5.29.46";
const COMMON_NAME: &str = "2.5.4.3";
const SURNAME: &str = "2.5.4.4";
const GIVEN_NAME: &str = "2.5.4.42";
const RSA_ENCRYPTION: &str = "1.2.840.113549.1.1.1";
const CARD_TYPE: &str = "1.2.250.1.71.1.2.2";
const CARD_ID: &str = "1.2.250.1.71.1.2.3";
const PROFESSION: &str = "1.2.250.1.71.1.2.7";
const FUTURE_PROFESSION: &str = "1.2.250.1.71.1.2.8";

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;

    fn read(pem: &[u8]) -> Result<Certificate, Error> {
        Certificate::parse(&CertificateDer::from_pem_slice(pem).expect("PEM"))
    }

    const NURSE: &[u8] = include_bytes!("../../tests/identity/nurse.pem");
    const SIGN: &[u8] = include_bytes!("../../tests/identity/sign.pem");
    const CPF: &[u8] = include_bytes!("../../tests/identity/cpf.pem");
    const CPE: &[u8] = include_bytes!("../../tests/identity/cpe.pem");

    #[test]
    fn a_nurse_is_read_from_a_multi_valued_name() {
        let nurse = read(NURSE).expect("read");
        let holder = nurse.holder();
        assert_eq!(holder.id, HolderId("899700000017".into()));
        assert_eq!((holder.family_name.as_str(), holder.given_name.as_str()), ("Morvan-Élie", "Camille"));
        assert_eq!(holder.profession, Some(ProfessionCode(60)));
        assert_eq!((holder.card_kind, holder.in_training), (CardKind::Cps, false));
        assert_eq!(nurse.card_id(), Some("8025000001/2800000017"));
        assert_eq!((nurse.key_use(), nurse.for_client_authentication()), (KeyUse::Authentication, true));
        assert_eq!(nurse.not_after().rfc3339(), "2029-11-22T12:52:29Z");
        assert!(nurse.issuer().contains("TEST AC ESSAI FORT PERSONNES"), "{}", nurse.issuer());
        assert!(holder.may_ask_for_records());
    }

    #[test]
    fn each_kind_of_card_is_told_apart() {
        let sign = read(SIGN).expect("read");
        assert_eq!((sign.key_use(), sign.for_client_authentication()), (KeyUse::Signature, false));
        let training = read(CPF).expect("read").holder();
        assert_eq!((training.card_kind, training.in_training), (CardKind::Cpf, true));
        assert_eq!(training.profession, Some(ProfessionCode(10)));
        let employee = read(CPE).expect("read").holder();
        assert_eq!((employee.card_kind, employee.profession), (CardKind::Cpe, None));
        assert_eq!(employee.id, HolderId("30B0057881/CPET0002".into()));
        assert!(!employee.may_ask_for_records());
        let no_kind = read(include_bytes!("../../tests/identity/nokind.pem"));
        assert_eq!(no_kind, Err(Error::NoCardKind));
    }

    #[test]
    fn a_signature_made_by_openssl_is_accepted_and_no_other() {
        let nurse = read(NURSE).expect("read");
        let signature = include_bytes!("../../tests/identity/nurse.signature");
        assert_eq!(nurse.verify_signature(b"chevet", signature), Ok(()));
        assert_eq!(nurse.verify_signature(b"Chevet", signature), Err(SignatureRefused));
        assert_eq!(nurse.verify_signature(b"chevet", &signature[1..]), Err(SignatureRefused));
        assert_eq!(read(SIGN).expect("read").verify_signature(b"chevet", signature), Err(SignatureRefused));
    }

    #[test]
    fn bytes_after_the_certificate_are_left_out_and_a_cut_one_is_refused() {
        let nurse = read(NURSE).expect("read");
        let mut long = nurse.der().to_vec();
        long.extend_from_slice(&[0xFF; 40]);
        assert_eq!(Certificate::parse(&long).as_ref(), Ok(&nurse));
        assert_eq!(Certificate::parse(&nurse.der()[..nurse.der().len() - 1]), Err(Error::Der));
        assert_eq!(Certificate::parse(&[]), Err(Error::Der));
    }

    #[test]
    fn nothing_of_a_holder_is_printed() {
        let nurse = read(NURSE).expect("read");
        let printed = format!("{nurse:?} {:?}", nurse.holder());
        assert!(!printed.contains("Morvan") && !printed.contains("8997"), "{printed}");
    }
}
