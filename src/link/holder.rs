//! A key that is not in this program: the holder's card signs in the handshake (docs/dmp.md §3).
//!
//! TLS 1.2 alone, and RSA PKCS#1 v1.5 with SHA-256 alone: a CPS3 can sign nothing else, and TLS 1.3 wants PSS. Nothing of a session is
//! kept, neither tickets nor ids: resuming one would be a visit without its card. Signing blocks for as long as a card takes, on
//! a thread that tokio sets aside for it.

use crate::link::error::Cause;
use crate::link::error::Error;
use crate::link::tls;
use crate::link::tls::NoEarlierThanBuilt;
use rustls::ClientConfig;
use rustls::OtherError;
use rustls::SignatureAlgorithm;
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::client::Resumption;
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;
use rustls::sign::Signer;
use rustls::sign::SigningKey;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

/// Who holds a key now, if anybody.
pub trait KeyHolder: Send + Sync {
    fn present(&self) -> Option<Arc<dyn KeyInHand>>;
}

/// One key, as long as it is in hand.
pub trait KeyInHand: Send + Sync {
    /// DER of its certificate, issuers after it.
    fn chain(&self) -> Vec<Vec<u8>>;

    /// RSASSA-PKCS1-v1_5 with SHA-256 over a handshake's transcript (RFC 5246 §7.4.8). Blocks.
    fn sign(&self, transcript: &[u8]) -> Result<Vec<u8>, Cause>;
}

/// What the key said instead of signing, whole, through rustls and back.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the holder's key did not sign")]
pub struct NotSigned(#[source] pub Arc<dyn StdError + Send + Sync>);

pub(super) fn configure(ca_pem: &[u8], holder: Arc<dyn KeyHolder>) -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_details(provider, Arc::new(NoEarlierThanBuilt))
        .with_protocol_versions(&[&rustls::version::TLS12])
        .map_err(|source| Error::DeviceKey { source })?
        .with_root_certificates(tls::roots(ca_pem)?)
        .with_client_cert_resolver(Arc::new(ByHolder(holder)));
    config.resumption = Resumption::disabled();
    // One connection for all that is asked at once, where the server can: each one costs the card a signature.
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

struct ByHolder(Arc<dyn KeyHolder>);

impl ResolvesClientCert for ByHolder {
    /// `None`: the server hears that nobody is there, and refuses.
    fn resolve(&self, _issuers: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let key = self.0.present().filter(|_| schemes.contains(&SCHEME))?;
        let chain = key.chain().into_iter().map(CertificateDer::from).collect();
        Some(Arc::new(CertifiedKey::new(chain, Arc::new(Key(key)))))
    }

    fn has_certs(&self) -> bool {
        self.0.present().is_some()
    }
}

#[derive(Clone)]
struct Key(Arc<dyn KeyInHand>);

impl SigningKey for Key {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered.contains(&SCHEME).then(|| Box::new(self.clone()) as Box<dyn Signer>)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::RSA
    }
}

impl Signer for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let signed = self.0.sign(message);
        signed.map_err(|cause| rustls::Error::Other(OtherError(Arc::new(NotSigned(Arc::from(cause))))))
    }

    fn scheme(&self) -> SignatureScheme {
        SCHEME
    }
}

const SCHEME: SignatureScheme = SignatureScheme::RSA_PKCS1_SHA256;

impl fmt::Debug for ByHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ByHolder")
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key([REDACTED])")
    }
}
