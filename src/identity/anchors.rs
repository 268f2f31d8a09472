//! Whom the settings trust: roots and authorities for persons, all of one realm.
//!
//! The IGC-Santé has two hierarchies of the same shape, for production and for test, told apart by the word TEST in their
//! names. A test card proves nothing about a person, so the two never stand in one set, and a device that was set to one of
//! them refuses the other's. Bytes come in as values. Pure.

use crate::identity::certificate;
use crate::identity::crl;
use crate::time::UnixSeconds;
use aws_lc_rs::digest;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::TrustAnchor;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::prelude::X509Certificate;
use x509_parser::prelude::X509Name;

/// An authority whose issuer is here too is a step to it; one whose issuer is not here is an anchor itself, because somebody
/// put it into the settings.
pub struct Anchors {
    pub(super) anchors: Vec<TrustAnchor<'static>>,
    pub(super) intermediates: Vec<CertificateDer<'static>>,
    authorities: Vec<Authority>,
    realm: Realm,
}

/// Production or test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Realm {
    Production,
    Test,
}

/// One authority, as IT people compare it with what the agency publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// RFC 4514-like.
    pub subject: String,
    pub issuer: String,
    pub not_before: UnixSeconds,
    pub not_after: UnixSeconds,
    pub realm: Realm,
    /// SHA-256 of the certificate.
    pub fingerprint: [u8; 32],
    /// Name, DER.
    pub(super) name: Vec<u8>,
    issuer_name: Vec<u8>,
    /// Where the one above publishes its lists over HTTP.
    lists_at: Vec<String>,
    /// The content of the SubjectPublicKeyInfo's BIT STRING.
    pub(super) key: Vec<u8>,
    /// keyUsage has `cRLSign`, or there is no keyUsage.
    pub(super) may_sign_lists: bool,
}

/// Why a set of authorities is refused. An authority's name is public.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the file holds no certificate that is understood (PEM, or one in DER)")]
    Unreadable,
    #[error("{subject} is no certificate of an authority (basicConstraints)")]
    NoAuthority { subject: String },
    #[error("no authority is configured")]
    None,
    #[error("production and test authorities are mixed: {subject} is of the other kind; keep only one of the two")]
    Mixed { subject: String },
    #[error("these are {} authorities, and trust.production asks for {}", .found.name(), .wanted.name())]
    OtherRealm { found: Realm, wanted: Realm },
}

impl Anchors {
    /// Reads files, PEM with any number of certificates, or DER with one.
    pub fn from_pem(files: &[&[u8]]) -> Result<Anchors, Error> {
        let mut all = Vec::new();
        for file in files {
            all.append(&mut certificates(file)?);
        }
        Anchors::from_der(all)
    }

    fn from_der(all: Vec<CertificateDer<'static>>) -> Result<Anchors, Error> {
        let authorities: Vec<Authority> = all.iter().map(|der| Authority::read(der)).collect::<Result<_, _>>()?;
        let realm = authorities.first().ok_or(Error::None)?.realm;
        if let Some(other) = authorities.iter().find(|authority| authority.realm != realm) {
            return Err(Error::Mixed { subject: other.subject.clone() });
        }
        let (mut anchors, mut intermediates) = (Vec::new(), Vec::new());
        for (certificate, authority) in all.iter().zip(&authorities) {
            let own = authority.issuer_name == authority.name;
            if !own && authorities.iter().any(|other| other.name == authority.issuer_name) {
                intermediates.push(certificate.clone());
            } else {
                let anchor = webpki::anchor_from_trusted_cert(certificate).map_err(|_| Error::Unreadable)?;
                anchors.push(anchor.to_owned());
            }
        }
        // Each is a step to another: a circle has no end that anybody trusts.
        if anchors.is_empty() { Err(Error::None) } else { Ok(Anchors { anchors, intermediates, authorities, realm }) }
    }

    /// The same, if they are of the realm that the settings ask for.
    pub fn of_realm(self, wanted: Realm) -> Result<Anchors, Error> {
        if self.realm == wanted { Ok(self) } else { Err(Error::OtherRealm { found: self.realm, wanted }) }
    }

    pub fn realm(&self) -> Realm {
        self.realm
    }

    pub fn authorities(&self) -> &[Authority] {
        &self.authorities
    }

    /// Those that are a step to another one here.
    pub(super) fn steps(&self) -> impl Iterator<Item = &Authority> {
        let is_step = |authority: &&Authority| {
            authority.issuer_name != authority.name && self.named(&authority.issuer_name).next().is_some()
        };
        self.authorities.iter().filter(is_step)
    }

    /// Where the lists that speak of these authorities are published, over HTTP.
    pub fn lists_at(&self) -> Vec<String> {
        let mut all: Vec<String> = self.steps().flat_map(|authority| authority.lists_at.iter().cloned()).collect();
        all.sort();
        all.dedup();
        all
    }

    /// All that bear this name (DER): an authority whose key was renewed is there twice.
    pub(super) fn named<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = &'a Authority> {
        self.authorities.iter().filter(move |authority| authority.name == name)
    }
}

impl Authority {
    /// Reads each certificate of a file, believing none.
    pub fn all_of(file: &[u8]) -> Result<Vec<Authority>, Error> {
        certificates(file)?.iter().map(|der| Authority::read(der)).collect()
    }

    /// Whether that Name, given by the content of its SEQUENCE, is its issuer's.
    pub(super) fn is_issued_by(&self, name: &[u8]) -> bool {
        crl::contents(&self.issuer_name) == Some(name)
    }

    fn read(der: &[u8]) -> Result<Authority, Error> {
        let (rest, parsed) = x509_parser::parse_x509_certificate(der).map_err(|_| Error::Unreadable)?;
        if !rest.is_empty() {
            return Err(Error::Unreadable);
        }
        let subject = parsed.subject().to_string();
        if !is_authority(&parsed) {
            return Err(Error::NoAuthority { subject });
        }
        let usage = parsed.key_usage().map_err(|_| Error::Unreadable)?;
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(digest::digest(&digest::SHA256, der).as_ref());
        Ok(Authority {
            subject,
            issuer: parsed.issuer().to_string(),
            not_before: UnixSeconds(parsed.validity().not_before.timestamp()),
            not_after: UnixSeconds(parsed.validity().not_after.timestamp()),
            realm: Realm::of(parsed.subject()),
            fingerprint,
            name: parsed.subject().as_raw().to_vec(),
            issuer_name: parsed.issuer().as_raw().to_vec(),
            lists_at: certificate::lists_at(&parsed),
            key: parsed.public_key().subject_public_key.data.to_vec(),
            may_sign_lists: usage.is_none_or(|usage| usage.value.crl_sign()),
        })
    }
}

impl Realm {
    /// The one that `trust.production` asks for.
    pub fn wanted(production: bool) -> Realm {
        if production { Realm::Production } else { Realm::Test }
    }

    /// TEST as a word of its own, in any attribute: `TEST AC IGC-SANTE …`, `IGC-SANTE TEST`.
    pub(super) fn of(name: &X509Name<'_>) -> Realm {
        let is_test = |text: &str| text.split(|c: char| !c.is_alphanumeric()).any(|word| word == "TEST");
        let test = name.iter_attributes().any(|attribute| attribute.as_str().is_ok_and(is_test));
        if test { Realm::Test } else { Realm::Production }
    }

    pub fn name(self) -> &'static str {
        match self {
            Realm::Production => "production",
            Realm::Test => "test",
        }
    }
}

fn is_authority(parsed: &X509Certificate<'_>) -> bool {
    parsed.basic_constraints().ok().flatten().is_some_and(|constraints| constraints.value.ca)
}

/// PEM, or one certificate in DER, as the agency publishes them (`.cer`). None is an error too: a file that trusts nobody was
/// meant to trust somebody.
fn certificates(file: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    const SEQUENCE: u8 = 0x30;
    if file.first() == Some(&SEQUENCE) {
        return Ok(vec![CertificateDer::from(file.to_vec())]);
    }
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(file).collect();
    found.ok().filter(|list| !list.is_empty()).ok_or(Error::Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANCHORS: &[u8] = include_bytes!("../../tests/identity/anchors.pem");
    const ROOT: &[u8] = include_bytes!("../../tests/identity/root.pem");
    const NURSE: &[u8] = include_bytes!("../../tests/identity/nurse.pem");

    #[test]
    fn what_cannot_be_read_is_refused() {
        let refused = |files: &[&[u8]]| Anchors::from_pem(files).map(|_| ()).expect_err("refused");
        assert_eq!(refused(&[]), Error::None);
        assert_eq!(refused(&[ANCHORS, b"nothing"]), Error::Unreadable);
        let broken = std::str::from_utf8(ROOT).expect("text").replace("MII", "NII");
        assert_eq!(refused(&[broken.as_bytes()]), Error::Unreadable);
        assert!(matches!(refused(&[ANCHORS, NURSE]), Error::NoAuthority { .. }), "a holder is no authority");
    }

    #[test]
    fn an_authority_is_shown_as_openssl_shows_it() {
        let all = Authority::all_of(ROOT).expect("one");
        let [root] = all.as_slice() else { panic!("one certificate") };
        // openssl x509 -fingerprint -sha256 -in tests/identity/root.pem
        assert_eq!(hex::encode_upper(root.fingerprint), FINGERPRINT);
        assert_eq!((root.subject.as_str(), root.realm), (root.issuer.as_str(), Realm::Test));
        assert!(root.subject.ends_with("CN=TEST AC RACINE ESSAI FORT"), "{}", root.subject);
        assert!(root.may_sign_lists);
        let der = CertificateDer::from_pem_slice(ROOT).expect("PEM");
        assert_eq!(Authority::all_of(&der).as_deref(), Ok(&all[..]), "as the agency publishes it");
        assert_eq!(Authority::all_of(&der[..der.len() - 1]), Err(Error::Unreadable));
    }

    #[test]
    fn a_set_of_the_other_realm_is_refused() {
        let anchors = || Anchors::from_pem(&[ANCHORS]).expect("anchors");
        assert!(anchors().of_realm(Realm::wanted(false)).is_ok());
        let refused = anchors().of_realm(Realm::wanted(true)).map(|_| ()).expect_err("test authorities");
        assert_eq!(refused, Error::OtherRealm { found: Realm::Test, wanted: Realm::Production });
        assert_eq!(refused.to_string(), "these are test authorities, and trust.production asks for production");
    }

    const FINGERPRINT: &str = "1B053B2E343CEB522DDC763B135D0B65A8DDC744D64BB637B62E0F6BD3D38586";
}
