//! Why a call failed, in the words that decide what is done next. Sources carry no URL.

use crate::link::connect::Fault;
use crate::link::holder::NotSigned;
use std::error::Error as StdError;

/// What lies below. None of the kept crates' errors names an address's path or query.
pub type Cause = Box<dyn StdError + Send + Sync>;

/// Below HTTP. A status is an [`Answer`](crate::link::Answer), never an error, but where only one will do (`plain`).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the {what} is not a PEM file of the right kind")]
    Pem { what: &'static str },
    #[error("the device's certificate and key do not fit together")]
    DeviceKey { source: rustls::Error },
    #[error("this address is not one that may be asked")]
    Address,
    #[error("the server answered with status {status}")]
    Status { status: u16 },
    #[error("the server cannot be reached")]
    Unreachable { source: Cause },
    #[error("the server did not answer in time")]
    TimedOut,
    #[error("the server's certificate was not accepted")]
    ServerCertificate { source: Cause },
    #[error("the server refused the device's certificate in the TLS handshake")]
    DeviceRefused { source: Cause },
    #[error("the holder's key did not sign in the TLS handshake")]
    HolderKey { source: NotSigned },
    #[error("the connection broke before the answer was whole")]
    Interrupted { source: Cause },
    #[error("the answer is larger than {limit_bytes} bytes")]
    TooLarge { limit_bytes: u64 },
    #[error("the day's budget of a metered line is spent")]
    OverBudget,
    #[error("what came could not be kept")]
    NotKept { source: std::io::Error },
}

impl Error {
    /// Whether the same question may get its answer over another connection.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Error::Unreachable { .. } | Error::TimedOut | Error::Interrupted { .. })
    }
}

/// What an unpacking writer says: the coding was wrong, or broken off.
impl From<std::io::Error> for Error {
    fn from(source: std::io::Error) -> Error {
        Error::Interrupted { source: source.into() }
    }
}

/// No answer began.
pub(super) fn unanswered(source: Cause) -> Error {
    sorted(source).unwrap_or_else(|source| Error::Unreachable { source })
}

/// An answer began, and its end did not come.
pub(super) fn broken_off(source: Cause) -> Error {
    sorted(source).unwrap_or_else(|source| Error::Interrupted { source })
}

fn sorted(source: Cause) -> Result<Error, Cause> {
    match fault(source.as_ref()) {
        Some(Known::TooLong) => Ok(Error::TimedOut),
        Some(Known::ServerCertificate) => Ok(Error::ServerCertificate { source }),
        Some(Known::DeviceRefused) => Ok(Error::DeviceRefused { source }),
        Some(Known::NotSigned(source)) => Ok(Error::HolderKey { source }),
        None => Err(source),
    }
}

enum Known {
    TooLong,
    ServerCertificate,
    DeviceRefused,
    NotSigned(NotSigned),
}

/// Finds our own word or rustls' in the chain of causes. An `io::Error` hides what it wraps from `source()`.
fn fault(error: &(dyn StdError + 'static)) -> Option<Known> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(Fault::TooLong { .. }) = cause.downcast_ref::<Fault>() {
            return Some(Known::TooLong);
        }
        match cause.downcast_ref::<rustls::Error>() {
            Some(rustls::Error::InvalidCertificate(_)) => return Some(Known::ServerCertificate),
            Some(rustls::Error::AlertReceived(alert)) if is_about_our_certificate(*alert) => {
                return Some(Known::DeviceRefused);
            }
            Some(rustls::Error::Other(other)) => {
                return other.0.downcast_ref::<NotSigned>().cloned().map(Known::NotSigned);
            }
            Some(_) => return None,
            None => {}
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
