//! Keys of the sandbox: drawn by aws-lc-rs, kept as PKCS#8 files. RSA-2048 for cards and authorities, P-256 for TLS.

use crate::sandbox::der;
use crate::sandbox::pki::Error;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature;
use aws_lc_rs::signature::EcdsaKeyPair;
use aws_lc_rs::signature::KeyPair;
use aws_lc_rs::signature::RsaKeyPair;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// A private key of an invented person or machine.
pub enum Key {
    Rsa(Box<RsaKeyPair>),
    P256(Box<EcdsaKeyPair>),
}

/// The modulus, and what a card computes with, big endian: the private key's second form (RFC 8017 §3.2).
pub struct RsaNumbers {
    pub modulus: Vec<u8>,
    pub primes: [Vec<u8>; 2],
    /// Of each prime.
    pub exponents: [Vec<u8>; 2],
    /// The second prime's inverse, modulo the first.
    pub coefficient: Vec<u8>,
}

impl Key {
    pub(super) fn rsa() -> Result<Key, Error> {
        Ok(Key::Rsa(Box::new(RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| Error::Draw)?)))
    }

    pub(super) fn p256() -> Result<Key, Error> {
        let drawn = EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_ASN1_SIGNING).map_err(|_| Error::Draw)?;
        Ok(Key::P256(Box::new(drawn)))
    }

    /// An RSA key as [`Key::write`] left it.
    pub(super) fn read(path: &Path) -> Result<Key, Error> {
        let bytes = fs::read(path).map_err(|source| Error::Read { path: path.to_path_buf(), source })?;
        let key = RsaKeyPair::from_pkcs8(&bytes).map_err(|_| Error::KeyUnreadable { path: path.to_path_buf() })?;
        Ok(Key::Rsa(Box::new(key)))
    }

    /// PKCS#8, DER.
    pub fn pkcs8(&self) -> Result<Vec<u8>, Error> {
        match self {
            Key::Rsa(key) => Ok(key.as_der().map_err(|_| Error::Draw)?.as_ref().to_vec()),
            Key::P256(key) => Ok(key.to_pkcs8v1().map_err(|_| Error::Draw)?.as_ref().to_vec()),
        }
    }

    pub(super) fn write(&self, path: &Path) -> Result<(), Error> {
        write_private(path, &self.pkcs8()?)
    }

    pub(super) fn write_pem(&self, path: &Path) -> Result<(), Error> {
        write_private(path, pem("PRIVATE KEY", &self.pkcs8()?).as_bytes())
    }

    /// SHA-256 over the message, RSASSA-PKCS1-v1_5 or ECDSA (ASN.1).
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let random = SystemRandom::new();
        match self {
            Key::Rsa(key) => {
                let mut out = vec![0; key.public_modulus_len()];
                key.sign(&signature::RSA_PKCS1_SHA256, &random, message, &mut out).map_err(|_| Error::Sign)?;
                Ok(out)
            }
            Key::P256(key) => Ok(key.sign(&random, message).map_err(|_| Error::Sign)?.as_ref().to_vec()),
        }
    }

    /// The numbers, for the virtual card's own arithmetic. `None` for a key that no CPS holds.
    pub fn numbers(&self) -> Option<RsaNumbers> {
        let Key::Rsa(_) = self else { return None };
        let pkcs8 = self.pkcs8().ok()?;
        // PrivateKeyInfo {version, algorithm, OCTET STRING {RSAPrivateKey {version, n, e, d, p, q, dP, dQ, qInv}}} (RFC 8017 §A.1.2).
        let (_, info, _) = der::first(&pkcs8)?;
        let (_, wrapped) = *der::members(info).get(2)?;
        let (_, inside, _) = der::first(wrapped)?;
        let numbers = der::members(inside);
        let number = |index: usize| {
            let (_, value) = numbers.get(index)?;
            Some(value.iter().copied().skip_while(|byte| *byte == 0).collect::<Vec<u8>>())
        };
        let (primes, exponents) = ([number(4)?, number(5)?], [number(6)?, number(7)?]);
        Some(RsaNumbers { modulus: number(1)?, primes, exponents, coefficient: number(8)? })
    }

    /// SubjectPublicKeyInfo, DER.
    pub fn public_key_info(&self) -> Result<Vec<u8>, Error> {
        match self {
            Key::Rsa(key) => Ok(key.public_key().as_der().map_err(|_| Error::Draw)?.as_ref().to_vec()),
            Key::P256(key) => Ok(key.public_key().as_der().map_err(|_| Error::Draw)?.as_ref().to_vec()),
        }
    }

    /// AlgorithmIdentifier of [`Key::sign`]: NULL parameters for RSA, none for ECDSA (RFC 4055 §5, RFC 5758 §3.2).
    pub(super) fn signature_algorithm(&self) -> Vec<u8> {
        match self {
            Key::Rsa(_) => der::sequence(&[der::oid("1.2.840.113549.1.1.11"), der::null()]),
            Key::P256(_) => der::sequence(&[der::oid("1.2.840.10045.4.3.2")]),
        }
    }
}

/// RFC 7468 §2, 64 characters a line.
pub(super) fn pem(label: &str, bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    let mut out = format!("-----BEGIN {label}-----\n");
    let mut left = text.as_str();
    while !left.is_empty() {
        let (line, rest) = left.split_at(left.len().min(64));
        out.push_str(line);
        out.push('\n');
        left = rest;
    }
    out.push_str(&format!("-----END {label}-----\n"));
    out
}

fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let failed = |source| Error::Write { path: path.to_path_buf(), source };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let beside = path.with_extension("new");
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    fs::rename(&beside, path).map_err(failed)
}
