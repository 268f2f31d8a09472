//! Every driver's error → one [`Trouble`], logged once, with its chain and without personal data.

use crate::card;
use crate::device::printer;
use crate::device::printer::Hindrance;
use crate::ecps;
use crate::exchange::About;
use crate::exchange::upstream;
use crate::identity::anchors::Realm;
use crate::identity::certificate;
use crate::identity::id_token;
use crate::identity::trust;
use crate::kiosk::start::StartError;
use crate::kiosk::trusted;
use crate::link;
use crate::paper;
use crate::render;
use crate::trouble::Trouble;
use crate::vault;
use std::error::Error;

/// Why the kiosk could not start, or what of its settings can no longer be read.
pub fn of_start(error: &StartError) -> Trouble {
    match error {
        StartError::Vault { source } => of_vault(source),
        StartError::Reader { source } => of_card(source),
        StartError::File { .. }
        | StartError::Trust { .. }
        | StartError::Link { .. }
        | StartError::Printer { .. }
        | StartError::ECps { .. } => told("settings", error, Trouble::Settings),
        StartError::Scanner { .. }
        | StartError::Keys { .. }
        | StartError::Worker { .. }
        | StartError::Rulebook { .. } => told("kiosk", error, Trouble::Internal),
    }
}

/// The reader thread's errors.
pub fn of_card(error: &card::Error) -> Trouble {
    let trouble = match error {
        card::Error::NoReader => Trouble::NoReader,
        card::Error::ServiceDown => Trouble::ReaderServiceDown,
        card::Error::Busy => Trouble::ReaderBusy,
        card::Error::Forbidden => Trouble::ReaderForbidden,
        card::Error::Mute => Trouble::CardMute,
        card::Error::Removed | card::Error::StaleInsertion => Trouble::CardPulledWhileReading,
        card::Error::UnknownCard => Trouble::CardUnknown,
        card::Error::Cps4 => Trouble::CardCps4,
        card::Error::Contactless => Trouble::CardContactless,
        card::Error::NoApplication | card::Error::NoCertificate => Trouble::CardNoApplication,
        card::Error::NoSignatureKey | card::Error::OtherPin => Trouble::CardSignsNoDocument,
        card::Error::SignatureRefused => Trouble::SignatureRefused,
        card::Error::NotAsKnown => Trouble::CardNotAsKnown,
        card::Error::PinTimedOut | card::Error::PinCancelled => Trouble::PinNotTyped,
        card::Error::PinUnchecked | card::Error::PinLength => Trouble::PinNotChecked,
        card::Error::Blocked => Trouble::CardBlocked,
        card::Error::WrongPin { .. }
        | card::Error::PinNeeded
        | card::Error::Dialogue { .. }
        | card::Error::Unreadable { .. }
        | card::Error::NoThread
        | card::Error::Reader(_) => Trouble::CardDialogue,
    };
    told("card", error, trouble)
}

/// Authorities or lists that can no longer be read.
pub fn of_trusted(error: &trusted::Error) -> Trouble {
    told("settings", error, Trouble::Settings)
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
        trust::Error::TimeLost => Trouble::TimeLost,
        trust::Error::OtherRealm(Realm::Test) => Trouble::CertificateOfTest,
        trust::Error::OtherRealm(Realm::Production) => Trouble::CertificateOfProduction,
        trust::Error::OtherUsage => Trouble::CertificateOtherUsage,
        trust::Error::CrlTooOld { .. } => Trouble::RevocationListTooOld,
        trust::Error::CrlMissing | trust::Error::AuthorityCrlMissing => Trouble::RevocationListMissing,
        trust::Error::AuthorityRevoked => Trouble::CertificateAuthorityRevoked,
        trust::Error::Unreadable => Trouble::CertificateUnreadable,
    };
    told("identity", error, trouble)
}

/// The vault's errors while reading.
pub fn of_vault(error: &vault::Error) -> Trouble {
    let trouble = match error {
        vault::Error::FromTheFuture { .. } | vault::Error::SlotAlgorithm => Trouble::StoreFromTheFuture,
        vault::Error::OtherDevice | vault::Error::KeyMissing => Trouble::StoreOtherDevice,
        vault::Error::KeyFile { .. } | vault::Error::KeyShape | vault::Error::KeyExposed => Trouble::DeviceKey,
        vault::Error::DiskFull => Trouble::DiskFull,
        vault::Error::NotCovered => Trouble::TraceNotWritten,
        vault::Error::WrongCard => Trouble::SignatureRefused,
        vault::Error::TimeLost => Trouble::TimeLost,
        vault::Error::InUse => Trouble::StoreInUse,
        vault::Error::Folder { .. }
        | vault::Error::File { .. }
        | vault::Error::Open { .. }
        | vault::Error::Step { .. }
        | vault::Error::Read { .. }
        | vault::Error::Write { .. } => Trouble::StoreFailing,
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
        upstream::Error::Refused { about: About::Busy, .. } => Trouble::ServerFailed,
        // A refusal that is not understood is still one: nothing kept is shown instead (P5).
        upstream::Error::Refused { about: About::Holder | About::Patient | About::Other, .. } => {
            Trouble::ServerRefusedHolder
        }
        upstream::Error::HolderKey { source } => return of_holder_key(source.as_ref()),
        upstream::Error::Unsayable { .. } => Trouble::ServerRefusedHolder,
        upstream::Error::NotOffered { .. } => Trouble::ServerFailed,
        upstream::Error::Unreadable { .. } => Trouble::AnswerUnreadable,
        upstream::Error::OverBudget => Trouble::LineBudgetSpent,
        upstream::Error::TooLarge { .. } => Trouble::DocumentTooLarge,
        upstream::Error::Damaged { .. } => Trouble::DocumentDamaged,
        upstream::Error::NotKept { source } if source.kind() == std::io::ErrorKind::StorageFull => Trouble::DiskFull,
        upstream::Error::NotKept { .. } => Trouble::StoreFailing,
    };
    told("exchange", error, trouble)
}

/// The card, asked in the handshake: its own trouble, where it said one.
fn of_holder_key(error: &(dyn Error + 'static)) -> Trouble {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(card) = error.downcast_ref::<card::Error>() {
            return of_card(card);
        }
        cause = error.source();
    }
    told("exchange", error, Trouble::ServerRefusedHolder)
}

/// Why nobody could log in by telephone.
pub fn of_ecps(error: &ecps::Error) -> Trouble {
    let trouble = match error {
        ecps::Error::Link { source, .. } => match source {
            link::Error::DeviceRefused { .. } => Trouble::PhoneServiceRefused,
            link::Error::ServerCertificate { .. } => Trouble::ServerCertificate,
            _ => Trouble::PhoneUnreachable,
        },
        ecps::Error::Unreadable { .. } | ecps::Error::Failed { .. } => Trouble::PhoneServiceFailed,
        ecps::Error::ClientRefused { .. } | ecps::Error::SigningKey => Trouble::PhoneServiceRefused,
        ecps::Error::UnknownPerson => Trouble::PhoneUnknownPerson,
        ecps::Error::Denied => Trouble::PhoneDenied,
        ecps::Error::Expired => Trouble::PhoneExpired,
        ecps::Error::Token { source: id_token::Error::OtherHolder } | ecps::Error::OtherPerson => {
            Trouble::PhoneOtherPerson
        }
        ecps::Error::Token { .. } | ecps::Error::OtherIssuer => Trouble::PhoneProofRefused,
        ecps::Error::RefreshRefused => Trouble::PhoneTokenEnd,
    };
    told("ecps", error, trouble)
}

/// Why a visit by telephone cannot go on: whatever else it is, the token has ended.
pub fn of_refresh(error: &ecps::Error) -> Trouble {
    told("ecps", error, Trouble::PhoneTokenEnd)
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

/// What hinders a printer, as far as it says.
pub fn of_hindrance(hindrance: Hindrance) -> Trouble {
    match hindrance {
        Hindrance::Paper => Trouble::PrinterNoPaper,
        Hindrance::Jam => Trouble::PrinterJammed,
        Hindrance::Ink => Trouble::PrinterNoInk,
        Hindrance::Open => Trouble::PrinterOpen,
        Hindrance::Stopped => Trouble::PrinterStopped,
        Hindrance::Closed => Trouble::PrinterRefused,
    }
}

pub fn of_printer(error: &printer::Error) -> Trouble {
    let trouble = match error {
        printer::Error::Address { .. } => Trouble::Settings,
        printer::Error::Link { source: link::Error::ServerCertificate { .. } } => Trouble::PrinterCertificate,
        printer::Error::Link { .. } => Trouble::PrinterUnreachable,
        printer::Error::Refused { .. } | printer::Error::Unreadable { .. } => Trouble::PrinterRefused,
    };
    told("printer", error, trouble)
}

/// The document was on its way: it may lie in the printer, or in its tray.
pub fn of_printing(error: &printer::Error) -> Trouble {
    let is_away = matches!(
        error,
        printer::Error::Link { source: link::Error::Unreachable { .. } | link::Error::ServerCertificate { .. } }
            | printer::Error::Refused { .. }
    );
    if is_away { of_printer(error) } else { told("printer", error, Trouble::PrinterUnsure) }
}

pub fn of_paper(error: &paper::Error) -> Trouble {
    let trouble = match error {
        paper::Error::TooLong { .. } => Trouble::TooManyPages,
        paper::Error::Made { .. } => Trouble::Internal,
    };
    told("paper", error, trouble)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Fault;

    #[track_caller]
    fn check(trouble: Trouble, expected: Trouble, layer: &str) {
        assert_eq!(trouble, expected);
        assert_eq!(trouble.words().layer, layer);
    }

    #[test]
    fn what_the_card_does_is_said_in_its_own_words() {
        check(of_card(&card::Error::NoReader), Trouble::NoReader, "lecteur");
        check(of_card(&card::Error::ServiceDown), Trouble::ReaderServiceDown, "lecteur");
        check(of_card(&card::Error::Busy), Trouble::ReaderBusy, "lecteur");
        check(of_card(&card::Error::Forbidden), Trouble::ReaderForbidden, "lecteur");
        check(of_card(&card::Error::Mute), Trouble::CardMute, "carte");
        // A card that was pulled is never a wrong PIN (P7).
        check(of_card(&card::Error::Removed), Trouble::CardPulledWhileReading, "carte");
        check(of_card(&card::Error::StaleInsertion), Trouble::CardPulledWhileReading, "carte");
        check(of_card(&card::Error::UnknownCard), Trouble::CardUnknown, "carte");
        check(of_card(&card::Error::Cps4), Trouble::CardCps4, "carte");
        check(of_card(&card::Error::Contactless), Trouble::CardContactless, "carte");
        check(of_card(&card::Error::Blocked), Trouble::CardBlocked, "carte");
        check(of_card(&card::Error::SignatureRefused), Trouble::SignatureRefused, "identité");
        check(of_card(&card::Error::NotAsKnown), Trouble::CardNotAsKnown, "identité");
        check(of_card(&card::Error::Dialogue { step: "select", status: 0x6a82 }), Trouble::CardDialogue, "carte");
        check(of_card(&card::Error::Unreadable { file: "AODF" }), Trouble::CardDialogue, "carte");
        check(of_card(&card::Error::NoApplication), Trouble::CardNoApplication, "carte");
        check(of_card(&card::Error::NoCertificate), Trouble::CardNoApplication, "carte");
        check(of_card(&card::Error::PinTimedOut), Trouble::PinNotTyped, "carte");
        check(of_card(&card::Error::PinCancelled), Trouble::PinNotTyped, "carte");
        // Refused before it cost a try, or never looked at: neither is a wrong PIN.
        check(of_card(&card::Error::PinLength), Trouble::PinNotChecked, "carte");
        check(of_card(&card::Error::PinUnchecked), Trouble::PinNotChecked, "carte");
    }

    #[test]
    fn each_distrust_has_its_own_sentence() {
        check(of_trust(&trust::Error::Expired), Trouble::CertificateExpired, "identité");
        check(of_trust(&trust::Error::NotYetValid), Trouble::CertificateNotYetValid, "identité");
        check(of_trust(&trust::Error::Revoked), Trouble::CertificateRevoked, "identité");
        check(of_trust(&trust::Error::OtherIssuer), Trouble::CertificateOtherIssuer, "identité");
        check(of_trust(&trust::Error::CrlTooOld { age_days: 31 }), Trouble::RevocationListTooOld, "identité");
        check(of_trust(&trust::Error::CrlMissing), Trouble::RevocationListMissing, "identité");
        check(of_trust(&trust::Error::AuthorityCrlMissing), Trouble::RevocationListMissing, "identité");
        check(of_trust(&trust::Error::AuthorityRevoked), Trouble::CertificateAuthorityRevoked, "identité");
        check(of_trust(&trust::Error::OtherRealm(Realm::Test)), Trouble::CertificateOfTest, "identité");
        check(of_trust(&trust::Error::OtherRealm(Realm::Production)), Trouble::CertificateOfProduction, "identité");
        check(of_trust(&trust::Error::OtherUsage), Trouble::CertificateOtherUsage, "identité");
        check(of_trust(&trust::Error::TimeLost), Trouble::TimeLost, "identité");
        check(of_trust(&trust::Error::Unreadable), Trouble::CertificateUnreadable, "identité");
    }

    #[test]
    fn what_a_telephone_did_is_told_apart() {
        let of = |error: ecps::Error| of_ecps(&error);
        check(of(ecps::Error::Denied), Trouble::PhoneDenied, "téléphone");
        check(of(ecps::Error::Expired), Trouble::PhoneExpired, "téléphone");
        check(of(ecps::Error::UnknownPerson), Trouble::PhoneUnknownPerson, "téléphone");
        let refused = ecps::Error::ClientRefused { what: "x", status: 401 };
        check(of(refused), Trouble::PhoneServiceRefused, "téléphone");
        check(of(ecps::Error::Failed { what: "x", status: 503 }), Trouble::PhoneServiceFailed, "téléphone");
        let token = |source| ecps::Error::Token { source };
        check(of(token(id_token::Error::Signature)), Trouble::PhoneProofRefused, "téléphone");
        check(of(token(id_token::Error::OtherHolder)), Trouble::PhoneOtherPerson, "téléphone");
        let silent = ecps::Error::Link { what: "x", source: link::Error::TimedOut };
        check(of(silent), Trouble::PhoneUnreachable, "téléphone");
    }

    #[test]
    fn a_store_that_fails_shows_nothing_and_says_which_way() {
        check(of_writing(&vault::Error::DiskFull), Trouble::DiskFull, "stockage");
        check(of_writing(&vault::Error::Stopped), Trouble::TraceNotWritten, "stockage");
        check(of_vault(&vault::Error::FromTheFuture { found: 9, known: 1 }), Trouble::StoreFromTheFuture, "stockage");
        check(of_vault(&vault::Error::OtherDevice), Trouble::StoreOtherDevice, "stockage");
        check(of_vault(&vault::Error::SlotAlgorithm), Trouble::StoreFromTheFuture, "stockage");
        check(of_vault(&vault::Error::KeyShape), Trouble::DeviceKey, "stockage");
        check(of_vault(&vault::Error::KeyExposed), Trouble::DeviceKey, "stockage");
        check(of_vault(&vault::Error::NotCovered), Trouble::TraceNotWritten, "stockage");
        check(of_vault(&vault::Error::Shape { what: "a row" }), Trouble::StoreUnreadable, "stockage");
        check(of_vault(&vault::Error::InUse), Trouble::StoreInUse, "stockage");
        // A disk that fails has put nothing aside.
        let source = std::io::Error::other("x");
        check(of_vault(&vault::Error::Folder { doing: "opening", source }), Trouble::StoreFailing, "stockage");
    }

    #[test]
    fn what_the_server_and_a_document_do_is_told_apart() {
        let source = || Box::new(std::io::Error::other("x"));
        check(of_upstream(&upstream::Error::Unreachable { source: source() }), Trouble::Offline, "réseau");
        check(of_upstream(&upstream::Error::TimedOut), Trouble::ServerTimedOut, "réseau");
        check(
            of_upstream(&upstream::Error::ServerCertificate { source: source() }),
            Trouble::ServerCertificate,
            "réseau",
        );
        check(of_upstream(&upstream::Error::HolderRefused { status: 403 }), Trouble::ServerRefusedHolder, "serveur");
        let refused = |about| {
            of_upstream(&upstream::Error::Refused { about, code: "x".into(), text: upstream::Words::default() })
        };
        check(refused(About::Busy), Trouble::ServerFailed, "serveur");
        for about in [About::Holder, About::Patient, About::Other] {
            check(refused(about), Trouble::ServerRefusedHolder, "serveur");
            assert!(!refused(about).leaves_the_compartment(), "{about:?}");
        }
        check(
            of_upstream(&upstream::Error::Unreadable { what: "list", why: "x" }),
            Trouble::AnswerUnreadable,
            "serveur",
        );
        check(of_upstream(&upstream::Error::TooLarge { limit_bytes: 1 }), Trouble::DocumentTooLarge, "document");
        check(of_upstream(&upstream::Error::Damaged { what: "hash" }), Trouble::DocumentDamaged, "document");
        check(of_render(&render::Error::Unreadable { what: Fault::Xml }), Trouble::DocumentUnreadable, "document");
        check(of_render(&render::Error::TooLarge { bytes: 1 }), Trouble::DocumentTooLarge, "document");
        check(of_render(&render::Error::TimedOut { wall_s_max: 10 }), Trouble::DocumentUnreadable, "document");
    }
}
