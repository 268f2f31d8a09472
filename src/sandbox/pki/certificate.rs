//! X.509 certificates and revocation lists, assembled by hand (RFC 5280): the shapes of an IGC-Santé certificate, its
//! multi-valued RDN above all, are what the sandbox is for, so no library decides them.

use crate::sandbox::der;
use crate::sandbox::pki::Error;
use crate::sandbox::pki::keys::Key;
use aws_lc_rs::digest;
use jiff::Timestamp;

/// Who signs.
pub struct Issuer {
    /// Name, DER.
    pub name: Vec<u8>,
    pub key: Key,
}

/// A certificate before its key and its signature.
pub struct Draft {
    pub serial: Vec<u8>,
    /// Name, DER.
    pub subject: Vec<u8>,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    /// Besides the key identifiers, which every certificate has.
    pub extensions: Vec<Vec<u8>>,
}

impl Draft {
    /// A version 3 certificate of `key` by `issuer` (RFC 5280 §4.1).
    pub fn sign(self, key: &Key, issuer: &Issuer) -> Result<Vec<u8>, Error> {
        let public = key.public_key_info()?;
        let mut extensions = vec![
            extension("2.5.29.14", Weight::Plain, &der::octets(&key_identifier(&public))),
            extension("2.5.29.35", Weight::Plain, &authority_key_identifier(&issuer.key)?),
        ];
        extensions.extend(self.extensions);
        let body = der::sequence(&[
            der::context(0, &der::integer(2)),
            der::unsigned(&self.serial),
            issuer.key.signature_algorithm(),
            issuer.name.clone(),
            der::sequence(&[der::time(self.not_before), der::time(self.not_after)]),
            self.subject,
            public,
            der::context(3, &der::sequence(&extensions)),
        ]);
        signed(body, &issuer.key)
    }
}

/// A version 2 list without extensions that would narrow its scope (RFC 5280 §5.1). Its number is the second of its birth;
/// with a base, it is a delta to the list that was born then, which may take back a hold (removeFromCRL).
pub fn revocation_list(
    issuer: &Issuer,
    revoked: &[Vec<u8>],
    released: &[Vec<u8>],
    this_update: Timestamp,
    next_update: Timestamp,
    base: Option<Timestamp>,
) -> Result<Vec<u8>, Error> {
    let mut parts = vec![
        der::integer(1),
        issuer.key.signature_algorithm(),
        issuer.name.clone(),
        der::time(this_update),
        der::time(next_update),
    ];
    let taken_back = der::sequence(&[extension("2.5.29.21", Weight::Plain, &[0x0A, 1, 8])]);
    let entry = |serial: &Vec<u8>| der::sequence(&[der::unsigned(serial), der::time(this_update)]);
    let back = |serial: &Vec<u8>| der::sequence(&[der::unsigned(serial), der::time(this_update), taken_back.clone()]);
    let entries: Vec<Vec<u8>> = revoked.iter().map(entry).chain(released.iter().map(back)).collect();
    if !entries.is_empty() {
        parts.push(der::sequence(&entries));
    }
    let number = |at: Timestamp| der::integer(u64::try_from(at.as_second()).unwrap_or(0));
    let mut extensions = vec![
        extension("2.5.29.35", Weight::Plain, &authority_key_identifier(&issuer.key)?),
        extension("2.5.29.20", Weight::Plain, &number(this_update)),
    ];
    extensions.extend(base.map(|base| extension("2.5.29.27", Weight::Critical, &number(base))));
    parts.push(der::context(0, &der::sequence(&extensions)));
    signed(der::sequence(&parts), &issuer.key)
}

/// A serial number that follows from words, positive, 16 bytes: a list can name a certificate before it exists.
pub fn serial(words: &[&str]) -> Vec<u8> {
    let hash = digest::digest(&digest::SHA256, words.join("/").as_bytes());
    let mut number = hash.as_ref()[..16].to_vec();
    number[0] = number[0] & 0x3f | 0x40;
    number
}

/// Whether a reader that does not know an extension must refuse the certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    Plain,
    Critical,
}

/// One extension, of the DER `value`.
pub fn extension(oid: &str, weight: Weight, value: &[u8]) -> Vec<u8> {
    let mut parts = vec![der::oid(oid)];
    if weight == Weight::Critical {
        parts.push(der::yes());
    }
    parts.push(der::octets(value));
    der::sequence(&parts)
}

/// keyUsage, always critical; bit numbers of RFC 5280 §4.2.1.3.
pub fn key_usage(bits: &[u32]) -> Vec<u8> {
    extension("2.5.29.15", Weight::Critical, &der::named_bits(bits))
}

/// basicConstraints of an authority.
pub fn authority_constraints() -> Vec<u8> {
    extension("2.5.29.19", Weight::Critical, &der::sequence(&[der::yes()]))
}

/// basicConstraints CA:FALSE, as every leaf says.
pub fn leaf_constraints() -> Vec<u8> {
    extension("2.5.29.19", Weight::Plain, &der::sequence(&[]))
}

/// extKeyUsage.
pub fn extended_key_usage(purposes: &[&str]) -> Vec<u8> {
    let purposes: Vec<Vec<u8>> = purposes.iter().map(|purpose| der::oid(purpose)).collect();
    extension("2.5.29.37", Weight::Plain, &der::sequence(&purposes))
}

/// A relative name of one attribute; country is a PrintableString, the rest UTF8String.
pub fn attribute(oid: &str, value: &str) -> Vec<u8> {
    let text = if oid == COUNTRY { der::printable(value) } else { der::utf8(value) };
    der::sequence(&[der::oid(oid), text])
}

/// A Name: each inner list is one RDN, of one or of several attributes.
pub fn name(rdns: Vec<Vec<Vec<u8>>>) -> Vec<u8> {
    let rdns: Vec<Vec<u8>> = rdns.into_iter().map(der::set).collect();
    der::sequence(&rdns)
}

pub const COUNTRY: &str = "2.5.4.6";
pub const COMMON_NAME: &str = "2.5.4.3";
pub const SURNAME: &str = "2.5.4.4";
pub const STATE: &str = "2.5.4.8";
pub const ORGANISATION: &str = "2.5.4.10";
pub const UNIT: &str = "2.5.4.11";
pub const TITLE: &str = "2.5.4.12";
pub const GIVEN_NAME: &str = "2.5.4.42";

fn signed(body: Vec<u8>, key: &Key) -> Result<Vec<u8>, Error> {
    let signature = key.sign(&body)?;
    Ok(der::sequence(&[body, key.signature_algorithm(), der::bits(&signature)]))
}

/// SHA-1 over the key's bits (RFC 5280 §4.2.1.2, method 1): a name, not a protection.
fn key_identifier(public_key_info: &[u8]) -> Vec<u8> {
    let inside = der::first(public_key_info).map(|(_, inside, _)| der::members(inside)).unwrap_or_default();
    let bits = inside.get(1).and_then(|(_, bits)| bits.get(1..)).unwrap_or_default();
    digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bits).as_ref().to_vec()
}

fn authority_key_identifier(issuer: &Key) -> Result<Vec<u8>, Error> {
    let identifier = key_identifier(&issuer.public_key_info()?);
    Ok(der::sequence(&[der::context_primitive(0, &identifier)]))
}
