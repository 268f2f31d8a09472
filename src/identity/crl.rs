//! Revocation lists, whole and delta (RFC 5280 §5): what they say, who signed them, and whether a newly fetched one is taken.
//!
//! `webpki` reads whole lists and looks for a serial in them; it refuses deltas, so those are read with `x509-parser` and
//! verified here with the same signature algorithms. A delta only ever adds revocations to its base: one that takes a hold back
//! is waited for in the next whole list. Lists travel over plain HTTP, so nothing is believed that an authority among the
//! anchors did not sign, and nothing that is older than what is already here. Bytes come in as values. Pure.

use crate::identity::anchors::Anchors;
use crate::identity::anchors::Authority;
use crate::identity::trust::ListPolicy;
use crate::time::UnixSeconds;
use aws_lc_rs::digest;
use rustls::pki_types::CertificateRevocationListDer;
use rustls::pki_types::SignatureVerificationAlgorithm;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::asn1_rs::FromDer as _;
use x509_parser::asn1_rs::Integer;
use x509_parser::prelude::CertificateRevocationList;
use x509_parser::prelude::X509Extension;

/// Revocation lists, newest first.
#[derive(Default)]
pub struct Crls {
    pub(super) whole: Vec<List>,
    deltas: Vec<List>,
    unreadable: usize,
    pub(super) policy: ListPolicy,
}

/// One list that could be read. Who signed it is another question.
pub struct List {
    der: Vec<u8>,
    issuer: Vec<u8>,
    issuer_text: String,
    number: Option<Number>,
    pub(super) this_update: UnixSeconds,
    scope: Option<Vec<u8>>,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    Whole(webpki::CertRevocationList<'static>),
    Delta {
        base: Number,
        /// Serial numbers, without leading zeros.
        revoked: Vec<Vec<u8>>,
    },
}

/// CRLNumber (RFC 5280 §5.2.3): at most 20 bytes, big endian, padded so that it compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Number([u8; 20]);

/// A list that may replace what is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The file's name, the same for every list of this authority and kind.
    pub name: String,
    pub der: Vec<u8>,
    /// RFC 4514-like.
    pub issuer: String,
    pub this_update: UnixSeconds,
    /// `false`: it is the very list that is here already.
    pub is_news: bool,
}

/// Why a fetched list is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("what was fetched is no revocation list that is understood")]
    Unreadable,
    #[error("the revocation list is not signed by a configured authority")]
    NotSigned,
    #[error("the revocation list is older than the one that is here")]
    Older,
}

impl Crls {
    /// Reads lists in DER or PEM. What cannot be read is counted and left out: one broken file in a folder must not take
    /// every card away, and a list that is missed is missed at [`trust::verify`](crate::identity::trust::verify).
    pub fn from_bytes(files: Vec<Vec<u8>>) -> Crls {
        let mut crls = Crls::default();
        for file in files {
            match List::all_of(&file) {
                Some(lists) => lists.into_iter().for_each(|list| crls.put(list)),
                None => crls.unreadable += 1,
            }
        }
        for lists in [&mut crls.whole, &mut crls.deltas] {
            lists.sort_by_key(|list| std::cmp::Reverse((list.this_update, list.number)));
        }
        crls
    }

    fn put(&mut self, list: List) {
        match list.kind {
            Kind::Whole(_) => self.whole.push(list),
            Kind::Delta { .. } => self.deltas.push(list),
        }
    }

    /// The same lists, judged otherwise than by default.
    pub fn under(self, policy: ListPolicy) -> Crls {
        Crls { policy, ..self }
    }

    pub fn policy(&self) -> ListPolicy {
        self.policy
    }

    /// The authorities on whose revocation the list of none above them speaks: each step below an anchor, without a signed list
    /// of its issuer's.
    pub fn unspoken_for<'a>(&'a self, anchors: &'a Anchors) -> impl Iterator<Item = &'a Authority> {
        let has_list = |authority: &Authority| {
            self.whole.iter().any(|list| authority.is_issued_by(list.issuer()) && list.is_signed_by(anchors))
        };
        anchors.steps().filter(move |authority| !has_list(authority))
    }

    /// Files that were left out.
    pub fn unreadable(&self) -> usize {
        self.unreadable
    }

    /// Each list that an authority signed: its issuer, when it was made, and whether it is a delta.
    pub fn signed<'a>(&'a self, anchors: &'a Anchors) -> impl Iterator<Item = (&'a str, UnixSeconds, bool)> {
        let all = self.whole.iter().chain(&self.deltas).filter(|list| list.is_signed_by(anchors));
        all.map(|list| (list.issuer_text.as_str(), list.this_update, matches!(list.kind, Kind::Delta { .. })))
    }

    /// The newest delta of `whole` that an authority signed and that is later than it.
    pub(super) fn delta_of(&self, whole: &List, anchors: &Anchors) -> Option<&List> {
        let fits = |delta: &&List| {
            let Kind::Delta { base, .. } = &delta.kind else { return false };
            // RFC 5280 §5.2.4: the same scope, a base no later than ours, and itself later.
            let later = matches!((whole.number, delta.number), (Some(ours), Some(its)) if *base <= ours && its > ours);
            later && delta.issuer == whole.issuer && delta.scope == whole.scope && delta.is_signed_by(anchors)
        };
        self.deltas.iter().find(fits)
    }

    /// Whether what was fetched is a list of one of our authorities, and no older than what is here.
    pub fn accept(&self, fetched: &[u8], anchors: &Anchors) -> Result<Accepted, Refused> {
        let mut lists = List::all_of(fetched).ok_or(Refused::Unreadable)?;
        // A file of many lists has no one name.
        let (Some(list), true) = (lists.pop(), lists.is_empty()) else { return Err(Refused::Unreadable) };
        if !list.is_signed_by(anchors) {
            return Err(Refused::NotSigned);
        }
        let delta = matches!(list.kind, Kind::Delta { .. });
        let kept = if delta { &self.deltas } else { &self.whole };
        let same_kind = kept.iter().filter(|kept| kept.issuer == list.issuer && kept.scope == list.scope);
        let mut is_news = true;
        for kept in same_kind.filter(|kept| kept.is_signed_by(anchors)) {
            if list.is_older_than(kept) {
                return Err(Refused::Older);
            }
            is_news &= list.der != kept.der;
        }
        Ok(Accepted {
            name: list.file_name(),
            issuer: list.issuer_text,
            this_update: list.this_update,
            is_news,
            der: list.der,
        })
    }
}

impl List {
    fn all_of(file: &[u8]) -> Option<Vec<List>> {
        let pem: Vec<CertificateRevocationListDer<'_>> =
            CertificateRevocationListDer::pem_slice_iter(file).collect::<Result<_, _>>().ok()?;
        if pem.is_empty() {
            Some(vec![List::from_der(file)?])
        } else {
            pem.iter().map(|der| List::from_der(der)).collect()
        }
    }

    fn from_der(der: &[u8]) -> Option<List> {
        let (rest, parsed) = CertificateRevocationList::from_der(der).ok()?;
        if !rest.is_empty() {
            return None;
        }
        let kind = match extension(&parsed, DELTA_INDICATOR)? {
            None => Kind::Whole(webpki::OwnedCertRevocationList::from_der(der).ok()?.into()),
            Some(base) => Kind::Delta { base: Number::read(base)?, revoked: revoked_by_delta(&parsed)? },
        };
        Some(List {
            issuer: contents(parsed.issuer().as_raw())?.to_vec(),
            issuer_text: parsed.issuer().to_string(),
            number: match extension(&parsed, CRL_NUMBER)? {
                Some(number) => Some(Number::read(number)?),
                None => None,
            },
            this_update: UnixSeconds(parsed.last_update().timestamp()),
            scope: extension(&parsed, ISSUING_DISTRIBUTION_POINT)?.map(<[u8]>::to_vec),
            kind,
            der: der.to_vec(),
        })
    }

    /// Name of the issuer, the content of its SEQUENCE, as `webpki` compares it.
    pub(super) fn issuer(&self) -> &[u8] {
        &self.issuer
    }

    /// Whether an authority among the anchors that may sign lists signed this one. A renewed authority has two keys.
    pub(super) fn is_signed_by(&self, anchors: &Anchors) -> bool {
        let Ok((_, parsed)) = CertificateRevocationList::from_der(&self.der) else { return false };
        let oid = parsed.signature_algorithm.algorithm.to_id_string();
        let Some((_, algorithm)) = ALGORITHMS.iter().find(|(name, _)| *name == oid) else { return false };
        let (message, signature) = (parsed.tbs_cert_list.as_ref(), parsed.signature_value.data.as_ref());
        // RFC 5280 §5.1.1.2: the same algorithm inside the signature as beside it.
        parsed.tbs_cert_list.signature.algorithm == parsed.signature_algorithm.algorithm
            && anchors
                .named(parsed.issuer().as_raw())
                .filter(|authority| authority.may_sign_lists)
                .any(|authority| algorithm.verify_signature(&authority.key, message, signature).is_ok())
    }

    /// Their numbers decide where both have one; a list without is as old as its date.
    fn is_older_than(&self, other: &List) -> bool {
        match (self.number, other.number) {
            (Some(own), Some(its)) => own < its || (own == its && self.this_update < other.this_update),
            _ => self.this_update < other.this_update,
        }
    }

    /// Whether it names the certificate of this serial number, as it stands in the certificate; for a delta, leading zeros may
    /// be missing.
    pub(super) fn names(&self, serial: &[u8]) -> bool {
        match &self.kind {
            Kind::Delta { revoked, .. } => revoked.iter().any(|revoked| revoked == without_zeros(serial)),
            // What cannot be read of a list that was read once cannot clear anybody.
            Kind::Whole(list) => !matches!(list.find_serial(serial), Ok(None)),
        }
    }

    /// A name that no authority chooses: what is fetched cannot say where it is written.
    fn file_name(&self) -> String {
        let of = [self.issuer.as_slice(), self.scope.as_deref().unwrap_or_default()].concat();
        let hash = digest::digest(&digest::SHA256, &of);
        let kind = if matches!(self.kind, Kind::Delta { .. }) { "delta" } else { "whole" };
        format!("{}-{kind}.crl", hex::encode(&hash.as_ref()[..8]))
    }
}

impl Number {
    /// From the extension's value, a DER INTEGER.
    fn read(value: &[u8]) -> Option<Number> {
        let (rest, integer) = Integer::from_der(value).ok()?;
        let digits = without_zeros(integer.as_ref());
        let mut number = [0; 20];
        let from = number.len().checked_sub(digits.len())?;
        let is_negative = integer.as_ref().first().is_some_and(|first| first & 0x80 != 0);
        if is_negative || !rest.is_empty() {
            return None;
        }
        number[from..].copy_from_slice(digits);
        Some(Number(number))
    }
}

/// `None` when a critical extension is not understood: the list is not used then (RFC 5280 §5.2, §5.3).
fn revoked_by_delta(parsed: &CertificateRevocationList<'_>) -> Option<Vec<Vec<u8>>> {
    let known = |extension: &X509Extension<'_>| {
        let oid = extension.oid.to_id_string();
        !extension.critical || [DELTA_INDICATOR, ISSUING_DISTRIBUTION_POINT, CRL_NUMBER].contains(&oid.as_str())
    };
    if !parsed.extensions().iter().all(known) {
        return None;
    }
    let mut revoked = Vec::new();
    for entry in parsed.iter_revoked_certificates() {
        let mut removed = false;
        for extension in entry.extensions() {
            match extension.oid.to_id_string().as_str() {
                // removeFromCRL (8): a hold that was taken back.
                REASON => removed = extension.value == [0x0A, 1, 8],
                _ if extension.critical => return None,
                _ => {}
            }
        }
        if !removed {
            revoked.push(without_zeros(entry.raw_serial()).to_vec());
        }
    }
    Some(revoked)
}

/// `Some(None)`: it is not there. `None`: it is there twice, and means neither.
fn extension<'a>(parsed: &'a CertificateRevocationList<'_>, oid: &str) -> Option<Option<&'a [u8]>> {
    let mut found = parsed.extensions().iter().filter(|extension| extension.oid.to_id_string() == oid);
    match (found.next(), found.next()) {
        (first, None) => Some(first.map(|extension| extension.value)),
        _ => None,
    }
}

/// The content of a DER element.
pub(super) fn contents(der: &[u8]) -> Option<&[u8]> {
    x509_parser::asn1_rs::Any::from_der(der).ok().map(|(_, any)| any.data)
}

pub(super) fn without_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    &bytes[zeros..]
}

/// sha256WithRSA is what the IGC-Santé uses; its neighbours cost nothing.
const ALGORITHMS: [(&str, &dyn SignatureVerificationAlgorithm); 3] = [
    ("1.2.840.113549.1.1.11", webpki::aws_lc_rs::RSA_PKCS1_2048_8192_SHA256),
    ("1.2.840.113549.1.1.12", webpki::aws_lc_rs::RSA_PKCS1_2048_8192_SHA384),
    ("1.2.840.113549.1.1.13", webpki::aws_lc_rs::RSA_PKCS1_2048_8192_SHA512),
];
const CRL_NUMBER: &str = "2.5.29.20";
const REASON: &str = "2.5.29.21";
const DELTA_INDICATOR: &str = "2.5.29.27";
const ISSUING_DISTRIBUTION_POINT: &str = "2.5.29.28";
