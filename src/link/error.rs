//! Why a call failed, in the words that decide what is done next. Sources carry no URL.

use std::error::Error as StdError;

/// Below HTTP. A status is an [`Answer`](crate::link::Answer), never an error, but where only one will do (`plain`).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the {what} is not a PEM file of the right kind")]
    Pem { what: &'static str },
    #[error("the device's certificate and key do not fit together")]
    DeviceKey { source: rustls::Error },
    #[error("the TLS client could not be made")]
    Build { source: reqwest::Error },
    #[error("this address is not one that may be asked")]
    Address,
    #[error("the server answered with status {status}")]
    Status { status: u16 },
    #[error("the server cannot be reached")]
    Unreachable { source: reqwest::Error },
    #[error("the server did not answer in time")]
    TimedOut,
    #[error("the server's certificate was not accepted")]
    ServerCertificate { source: reqwest::Error },
    #[error("the server refused the device's certificate in the TLS handshake")]
    DeviceRefused { source: reqwest::Error },
    #[error("the connection broke before the answer was whole")]
    Interrupted { source: reqwest::Error },
    #[error("the answer is larger than {limit_bytes} bytes")]
    TooLarge { limit_bytes: u64 },
}

/// Sorts what reqwest says. The URL goes first: its query names a patient.
pub(super) fn classify(error: reqwest::Error) -> Error {
    let source = error.without_url();
    if source.is_timeout() {
        return Error::TimedOut;
    }
    match tls_fault(&source) {
        Some(rustls::Error::InvalidCertificate(_)) => return Error::ServerCertificate { source },
        Some(rustls::Error::AlertReceived(alert)) if is_about_our_certificate(*alert) => {
            return Error::DeviceRefused { source };
        }
        _ => {}
    }
    if source.is_body() || source.is_decode() { Error::Interrupted { source } } else { Error::Unreachable { source } }
}

/// Finds rustls' own word in the chain of causes. An `io::Error` hides what it wraps from `source()`.
fn tls_fault<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(fault) = cause.downcast_ref::<rustls::Error>() {
            return Some(fault);
        }
        let wrapped = cause.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref());
        next = match wrapped {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    None
}

/// RFC 8446 §6.2: the alerts that a server sends about a client's certificate.
fn is_about_our_certificate(alert: rustls::AlertDescription) -> bool {
    use rustls::AlertDescription as Alert;
    matches!(
        alert,
        Alert::NoCertificate
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::CertificateRequired
            | Alert::DecryptError
    )
}
