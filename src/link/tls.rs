//! Whom we believe and who we are: rustls' configuration, made once from PEM.

use crate::link::error::Error;
use crate::secret::SecretBytes;
use crate::time::BUILT_AFTER;
use rustls::ClientConfig;
use rustls::DigitallySignedStruct;
use rustls::RootCertStore;
use rustls::SignatureScheme;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::client::danger::ServerCertVerified;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::crypto::verify_tls12_signature;
use rustls::crypto::verify_tls13_signature;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::ServerName;
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
    let roots = roots(ca_pem)?;
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

pub(super) fn roots(ca_pem: &[u8]) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for authority in certificates(ca_pem, "file of authorities")? {
        roots.add(authority).map_err(|_| Error::Pem { what: "file of authorities" })?;
    }
    Ok(roots)
}

/// For one device of the practice, most of which sign their own certificates: exactly that certificate, or one that comes from it.
/// Names and dates are not looked at when it is exactly that one.
pub(super) fn of_known_device(pem: &[u8]) -> Result<ClientConfig, Error> {
    let known = certificates(pem, "printer's certificate")?;
    let mut roots = RootCertStore::empty();
    // One that is nobody's authority still knows itself.
    roots.add_parsable_certificates(known.iter().cloned());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let algorithms = provider.signature_verification_algorithms;
    let by_issuer = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().ok();
    let verifier = Arc::new(OneOf { known, by_issuer, algorithms });
    let config = ClientConfig::builder_with_details(provider, Arc::new(NoEarlierThanBuilt))
        .with_safe_default_protocol_versions()
        .map_err(|source| Error::DeviceKey { source })?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(config)
}

#[derive(Debug)]
struct OneOf {
    known: Vec<CertificateDer<'static>>,
    by_issuer: Option<Arc<WebPkiServerVerifier>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for OneOf {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.known.iter().any(|known| known == end_entity) {
            return Ok(ServerCertVerified::assertion());
        }
        match &self.by_issuer {
            Some(verifier) => verifier.verify_server_cert(end_entity, intermediates, name, ocsp, now),
            None => Err(rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer)),
        }
    }

    // That it holds the key is proven in any case.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// A board without a clock chip wakes up in 1970, when every server's certificate is "not valid yet": it could then
/// never hear the time from a server. No true time is earlier than this program.
#[derive(Debug)]
pub(super) struct NoEarlierThanBuilt;

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
