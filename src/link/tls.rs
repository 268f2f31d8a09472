//! Whom we believe and who we are: rustls' configuration, made once from PEM.

use crate::link::error::Error;
use crate::secret::SecretBytes;
use crate::time::BUILT_AFTER;
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::UnixTime;
use rustls::pki_types::pem::PemObject;
use rustls::time_provider::TimeProvider;
use std::sync::Arc;
use std::time::Duration;
use std::time::SystemTime;

/// The configuration, and the SHA-256 of the device's certificate (RFC 8705 §3.1).
pub(super) fn configure(
    ca_pem: &[u8],
    certificate_pem: &[u8],
    key_pem: &SecretBytes,
) -> Result<(ClientConfig, [u8; 32]), Error> {
    let mut roots = RootCertStore::empty();
    for authority in certificates(ca_pem, "file of authorities")? {
        roots.add(authority).map_err(|_| Error::Pem { what: "file of authorities" })?;
    }
    let chain = certificates(certificate_pem, "device's certificate")?;
    let key = PrivateKeyDer::from_pem_slice(key_pem.show_bytes()).map_err(|_| Error::Pem { what: "device's key" })?;
    let thumbprint = sha256(chain[0].as_ref());

    // Given explicitly: a process-wide default could be somebody else's.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_details(provider, Arc::new(NoEarlierThanBuilt))
        .with_safe_default_protocol_versions()
        .map_err(|source| Error::DeviceKey { source })?
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)
        .map_err(|source| Error::DeviceKey { source })?;
    // One warm connection for many questions, where the server can.
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok((config, thumbprint))
}

/// A board without a clock chip wakes up in 1970, when every server's certificate is "not valid yet": it could then
/// never hear the time from a server. No true time is earlier than this program.
#[derive(Debug)]
struct NoEarlierThanBuilt;

impl TimeProvider for NoEarlierThanBuilt {
    fn current_time(&self) -> Option<UnixTime> {
        let built = Duration::from_secs(u64::try_from(BUILT_AFTER.0).ok()?);
        let system = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Some(UnixTime::since_unix_epoch(system.max(built)))
    }
}

/// All certificates of a PEM file; none is an error.
fn certificates(pem: &[u8], what: &'static str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(list) if !list.is_empty() => Ok(list),
        _ => Err(Error::Pem { what }),
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref());
    hash
}
