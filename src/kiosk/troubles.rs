//! Every driver's error → one [`Trouble`], logged once, with its chain and without personal data.

use crate::card;
use crate::exchange::upstream;
use crate::identity::certificate;
use crate::identity::trust;
use crate::render;
use crate::trouble::Trouble;
use crate::vault;
use std::error::Error;

/// The reader thread's errors.
pub fn of_card(error: &card::Error) -> Trouble {
    let trouble = match error {
        card::Error::NoReader => Trouble::NoReader,
        card::Error::ServiceDown => Trouble::ReaderServiceDown,
        card::Error::Busy => Trouble::ReaderBusy,
        card::Error::Mute => Trouble::CardMute,
        card::Error::Removed | card::Error::StaleInsertion => Trouble::CardPulledWhileReading,
        card::Error::UnknownCard => Trouble::CardUnknown,
        card::Error::Cps4 => Trouble::CardCps4,
        card::Error::Contactless => Trouble::CardContactless,
        card::Error::NoApplication | card::Error::NoCertificate => Trouble::CardNoApplication,
        card::Error::SignatureRefused => Trouble::SignatureRefused,
        card::Error::Blocked => Trouble::CardBlocked,
        _ => Trouble::CardDialogue,
    };
    told("card", error, trouble)
}

/// A certificate that could not be read.
pub fn of_certificate(error: &certificate::Error) -> Trouble {
    told("identity", error, Trouble::CertificateUnreadable)
}

/// A certificate that is not believed.
pub fn of_trust(error: &trust::Error) -> Trouble {
    let trouble = match error {
        trust::Error::Expired => Trouble::CertificateExpired,
        trust::Error::NotYetValid => Trouble::CertificateNotYetValid,
        trust::Error::Revoked => Trouble::CertificateRevoked,
        trust::Error::OtherIssuer => Trouble::CertificateOtherIssuer,
        trust::Error::CrlTooOld { .. } | trust::Error::CrlMissing => Trouble::RevocationListTooOld,
        _ => Trouble::CertificateUnreadable,
    };
    told("identity", error, trouble)
}

/// The vault's errors while reading.
pub fn of_vault(error: &vault::Error) -> Trouble {
    let trouble = match error {
        vault::Error::FromTheFuture { .. } => Trouble::StoreFromTheFuture,
        vault::Error::OtherDevice | vault::Error::KeyMissing => Trouble::StoreOtherDevice,
        vault::Error::DiskFull => Trouble::DiskFull,
        vault::Error::NotCovered => Trouble::TraceNotWritten,
        vault::Error::WrongCard => Trouble::SignatureRefused,
        vault::Error::Locked | vault::Error::Stopped => Trouble::Internal,
        _ => Trouble::StoreUnreadable,
    };
    told("vault", error, trouble)
}

/// The vault's errors while a row is written: nothing may be shown.
pub fn of_writing(error: &vault::Error) -> Trouble {
    let trouble = if error.is_disk_full() { Trouble::DiskFull } else { Trouble::TraceNotWritten };
    told("vault", error, trouble)
}

/// The upstream's errors.
pub fn of_upstream(error: &upstream::Error) -> Trouble {
    let trouble = match error {
        upstream::Error::Unreachable { .. } => Trouble::Offline,
        upstream::Error::TimedOut => Trouble::ServerTimedOut,
        upstream::Error::ServerCertificate { .. } => Trouble::ServerCertificate,
        upstream::Error::DeviceRefused { .. } => Trouble::ServerRefusedDevice,
        upstream::Error::HolderRefused { .. } => Trouble::ServerRefusedHolder,
        upstream::Error::Failed { .. } => Trouble::ServerFailed,
        upstream::Error::Unreadable { .. } => Trouble::AnswerUnreadable,
        upstream::Error::TooLarge { .. } => Trouble::DocumentTooLarge,
        upstream::Error::Damaged { .. } => Trouble::DocumentDamaged,
    };
    told("exchange", error, trouble)
}

/// The worker's errors.
pub fn of_render(error: &render::Error) -> Trouble {
    let trouble = match error {
        render::Error::TooLarge { .. } => Trouble::DocumentTooLarge,
        render::Error::UnknownFormat { .. } => Trouble::DocumentUnknownFormat,
        render::Error::NotSealed { .. } | render::Error::Spawn { .. } => Trouble::Internal,
        _ => Trouble::DocumentUnreadable,
    };
    told("render", error, trouble)
}

/// The chain of causes, once. `trouble` is what the screen says.
fn told(layer: &'static str, error: &(dyn Error + 'static), trouble: Trouble) -> Trouble {
    let mut chain = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        chain.push_str(": ");
        chain.push_str(&error.to_string());
        cause = error.source();
    }
    tracing::warn!(layer, code = trouble.words().code, chain, "trouble");
    trouble
}
