//! The chain to a configured anchor, the dates under the clock's trust, the revocation lists and their age.
//!
//! Chain and revocation by `webpki` (the TLS library's own verifier); dates and ages by hand, because a bedside clock may
//! know no more than "not before": what such a clock cannot tell is tolerated and reported, what it can tell is not.
//! Bytes come in as values; nothing is fetched here. Pure.

use crate::identity::anchors::Realm;
use crate::identity::certificate::Certificate;
use crate::identity::certificate::KeyUse;
use crate::identity::crl::Kind;
use crate::identity::crl::List;
use crate::time::UnixSeconds;
use crate::time::Wall;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::UnixTime;
use std::time::Duration;

pub use crate::identity::anchors::Anchors;
pub use crate::identity::crl::Crls;

/// What stands after the verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Age of the revocation list that was used; a least age when the clock is only a floor.
    pub crl_age_s: i64,
    pub warnings: Vec<Warning>,
}

/// Tolerated, and to be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warning {
    /// The clock is only a floor: the certificate may have ended, or not begun.
    ValidityUncertain,
    /// The revocation list is older than [`CRL_FRESH_S`] and not older than [`CRL_TOLERATED_S`].
    CrlAging,
    /// The clock is only a floor: the revocation list may be older than it seems.
    CrlAgeUncertain,
}

/// Why a certificate is not trusted. Texts carry no personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the certificate has expired")]
    Expired,
    #[error("the certificate is not valid yet")]
    NotYetValid,
    #[error("nobody has vouched for the time over too many starts: no date can be judged")]
    TimeLost,
    #[error("the certificate is revoked")]
    Revoked,
    #[error("the certificate comes from no configured authority")]
    OtherIssuer,
    #[error("the certificate is a {} one, and this device trusts the other kind only", .0.name())]
    OtherRealm(Realm),
    #[error("the certificate is not one for authentication")]
    OtherUsage,
    #[error("the revocation list is {age_days} days old")]
    CrlTooOld { age_days: i64 },
    #[error("there is no revocation list of the certificate's authority")]
    CrlMissing,
    #[error("the certificate is damaged or of a kind that is not understood")]
    Unreadable,
}

/// Up to this age, a revocation list says nothing.
pub const CRL_FRESH_S: i64 = 7 * DAY_S;

/// Up to this age, it is used with a warning; beyond it, no card is taken.
pub const CRL_TOLERATED_S: i64 = 30 * DAY_S;

/// Whether this certificate may say who is there, now.
pub fn verify(certificate: &Certificate, anchors: &Anchors, crls: &Crls, now: Wall) -> Result<Verified, Error> {
    let mut warnings = Vec::new();
    check_dates(certificate, now, &mut warnings)?;
    if certificate.key_use() != KeyUse::Authentication || !certificate.for_client_authentication() {
        return Err(Error::OtherUsage);
    }
    let der = CertificateDer::from(certificate.der());
    let leaf = webpki::EndEntityCert::try_from(&der).map_err(|_| Error::Unreadable)?;
    // The dates of the holder's certificate were judged above under the clock's trust. The authorities are judged at a time
    // at which that certificate is valid, for a floor may lie before all of them.
    let judged_at = now.value().max(certificate.not_before());

    // Lists are fetched over plain HTTP: one that is not signed by the authority must not hide an older one that is.
    let of_issuer = crls.whole.iter().filter(|list| list.issuer() == leaf.issuer());
    for list in of_issuer {
        let Kind::Whole(whole) = &list.kind else { continue };
        match chain(&leaf, anchors, judged_at, Some(whole)) {
            Ok(()) => {
                let delta = crls.delta_of(list, anchors);
                if delta.is_some_and(|delta| delta.names(certificate)) {
                    return Err(Error::Revoked);
                }
                // With its delta, a list says what was known when the delta was made.
                let crl_age_s = check_age(delta.unwrap_or(list), now, &mut warnings)?;
                return Ok(Verified { crl_age_s, warnings });
            }
            Err(Error::Revoked) => return Err(Error::Revoked),
            Err(_) => continue,
        }
    }
    // No list stands beside a path: is there a path at all?
    chain(&leaf, anchors, judged_at, None).map_err(|error| other_realm(error, certificate, anchors))?;
    Err(Error::CrlMissing)
}

/// Whether this certificate said who was there, then: for proofs that are read long after. Revocation is not looked at:
/// whoever let the holder in has, and no list reaches back.
pub fn verify_past(certificate: &Certificate, anchors: &Anchors, at: Wall) -> Result<(), Error> {
    check_dates(certificate, at, &mut Vec::new())?;
    if certificate.key_use() != KeyUse::Authentication || !certificate.for_client_authentication() {
        return Err(Error::OtherUsage);
    }
    let der = CertificateDer::from(certificate.der());
    let leaf = webpki::EndEntityCert::try_from(&der).map_err(|_| Error::Unreadable)?;
    chain(&leaf, anchors, at.value().max(certificate.not_before()), None)
}

/// A test card at a real device, or the other way round, is told so: nobody is to look for an authority that is missing.
fn other_realm(error: Error, certificate: &Certificate, anchors: &Anchors) -> Error {
    let realm = certificate.issuer_realm();
    if error == Error::OtherIssuer && realm != anchors.realm() { Error::OtherRealm(realm) } else { error }
}

fn check_dates(certificate: &Certificate, now: Wall, warnings: &mut Vec<Warning>) -> Result<(), Error> {
    let begun = now.has_reached(certificate.not_before());
    // RFC 5280 §4.1.2.5: valid through notAfter, inclusive.
    let ended = now.has_reached(certificate.not_after().plus(1));
    match (begun, ended) {
        (_, Some(true)) => Err(Error::Expired),
        (Some(false), _) => Err(Error::NotYetValid),
        (Some(true), Some(false)) => Ok(()),
        _ if now.is_lost() => Err(Error::TimeLost),
        (None, _) | (_, None) => {
            warnings.push(Warning::ValidityUncertain);
            Ok(())
        }
    }
}

/// One path to an anchor, and the holder's certificate against one list if there is one.
fn chain(
    leaf: &webpki::EndEntityCert<'_>,
    anchors: &Anchors,
    at: UnixSeconds,
    list: Option<&webpki::CertRevocationList<'static>>,
) -> Result<(), Error> {
    let at = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(at.0).unwrap_or(0)));
    let lists: Vec<&webpki::CertRevocationList<'_>> = list.into_iter().collect();
    // The age is ours to judge, with tolerance; the authorities' own revocation comes with new anchors.
    let revocation = webpki::RevocationOptionsBuilder::new(&lists).ok().map(|options| {
        options
            .with_depth(webpki::RevocationCheckDepth::EndEntity)
            .with_status_policy(webpki::UnknownStatusPolicy::Deny)
            .with_expiration_policy(webpki::ExpirationPolicy::Ignore)
            .build()
    });
    leaf.verify_for_usage(
        SIGNATURES,
        &anchors.anchors,
        &anchors.intermediates,
        at,
        webpki::KeyUsage::client_auth(),
        revocation,
        None,
    )
    .map(|_| ())
    .map_err(|error| match error {
        webpki::Error::CertRevoked => Error::Revoked,
        webpki::Error::UnknownRevocationStatus => Error::CrlMissing,
        webpki::Error::RequiredEkuNotFoundContext(_) => Error::OtherUsage,
        webpki::Error::BadDer | webpki::Error::BadDerTime | webpki::Error::UnsupportedCriticalExtension => {
            Error::Unreadable
        }
        _ => Error::OtherIssuer,
    })
}

fn check_age(list: &List, now: Wall, warnings: &mut Vec<Warning>) -> Result<i64, Error> {
    let age_s = (now.value().0 - list.this_update.0).max(0);
    if age_s > CRL_TOLERATED_S {
        return Err(Error::CrlTooOld { age_days: age_s / DAY_S });
    }
    if age_s > CRL_FRESH_S {
        warnings.push(Warning::CrlAging);
    }
    if !now.is_trusted() {
        warnings.push(Warning::CrlAgeUncertain);
    }
    Ok(age_s)
}

/// sha256WithRSA is what the IGC-Santé uses; its neighbours cost nothing.
const SIGNATURES: &[&dyn rustls::pki_types::SignatureVerificationAlgorithm] = &[
    webpki::aws_lc_rs::RSA_PKCS1_2048_8192_SHA256,
    webpki::aws_lc_rs::RSA_PKCS1_2048_8192_SHA384,
    webpki::aws_lc_rs::RSA_PKCS1_2048_8192_SHA512,
];

const DAY_S: i64 = 24 * 3600;

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::pem::PemObject as _;

    const NURSE: &[u8] = include_bytes!("../../tests/identity/nurse.pem");
    const REVOKED: &[u8] = include_bytes!("../../tests/identity/revoked.pem");
    const ANCHORS: &[u8] = include_bytes!("../../tests/identity/anchors.pem");
    const LIST: &[u8] = include_bytes!("../../tests/identity/authority.crl");
    const LIST_DER: &[u8] = include_bytes!("../../tests/identity/authority.der.crl");
    const FORGED: &[u8] = include_bytes!("../../tests/identity/forged.crl");

    fn is(text: &str) -> Wall {
        Wall::Is(UnixSeconds::parse(text).expect("a date"))
    }

    fn at_least(text: &str) -> Wall {
        Wall::AtLeast(UnixSeconds::parse(text).expect("a date"))
    }

    fn judge(pem: &[u8], lists: &[&[u8]], now: Wall) -> Result<Verified, Error> {
        let certificate = Certificate::parse(&CertificateDer::from_pem_slice(pem).expect("PEM")).expect("read");
        let anchors = Anchors::from_pem(&[ANCHORS]).expect("anchors");
        let crls = Crls::from_bytes(lists.iter().map(|list| list.to_vec()).collect());
        verify(&certificate, &anchors, &crls, now)
    }

    #[test]
    fn a_good_card_is_trusted_and_the_age_of_its_list_told() {
        let verified = judge(NURSE, &[LIST], is("2026-12-01")).expect("trusted");
        assert_eq!(verified, Verified { crl_age_s: 3 * DAY_S, warnings: vec![] });
        assert_eq!(judge(NURSE, &[LIST_DER], is("2026-12-01")), Ok(verified));
    }

    #[test]
    fn the_dates_are_judged_under_the_clocks_trust() {
        assert_eq!(judge(NURSE, &[LIST], is("2029-11-23")), Err(Error::Expired));
        assert_eq!(judge(NURSE, &[LIST], at_least("2029-11-23")), Err(Error::Expired));
        assert_eq!(judge(NURSE, &[LIST], is("2026-11-22")), Err(Error::NotYetValid));
        // A floor before the beginning, even before the authority's: it cannot tell, and says so.
        for floor in ["2026-11-22", "1970-01-02"] {
            let verified = judge(NURSE, &[LIST], at_least(floor)).expect("tolerated");
            assert_eq!(verified.warnings, [Warning::ValidityUncertain, Warning::CrlAgeUncertain]);
        }
        let last_second = is("2029-11-22T12:52:29Z");
        assert!(matches!(judge(NURSE, &[LIST], last_second), Err(Error::CrlTooOld { .. })));
    }

    #[test]
    fn beyond_the_budget_no_date_is_tolerated() {
        let lost = |text| Wall::Lost(UnixSeconds::parse(text).expect("a date"));
        assert_eq!(judge(NURSE, &[LIST], lost("2026-12-01")), Err(Error::TimeLost));
        assert_eq!(judge(NURSE, &[LIST], lost("2029-11-23")), Err(Error::Expired), "what is certain is said");
    }

    #[test]
    fn a_list_ages_from_fresh_to_tolerated_to_refused() {
        assert_eq!(judge(NURSE, &[LIST], is("2026-12-05")).expect("fresh").warnings, []);
        assert_eq!(judge(NURSE, &[LIST], is("2026-12-05T00:00:01Z")).expect("old").warnings, [Warning::CrlAging]);
        assert_eq!(judge(NURSE, &[LIST], is("2026-12-28")).expect("old").warnings, [Warning::CrlAging]);
        assert_eq!(judge(NURSE, &[LIST], is("2026-12-29")), Err(Error::CrlTooOld { age_days: 31 }));
        assert_eq!(judge(NURSE, &[LIST], at_least("2026-12-29")), Err(Error::CrlTooOld { age_days: 31 }));
        assert_eq!(judge(NURSE, &[], is("2026-12-01")), Err(Error::CrlMissing));
    }

    #[test]
    fn a_revoked_card_is_refused_even_by_an_old_list() {
        assert_eq!(judge(REVOKED, &[LIST], is("2026-12-01")), Err(Error::Revoked));
        assert_eq!(judge(REVOKED, &[LIST], is("2028-12-01")), Err(Error::Revoked));
        assert_eq!(judge(REVOKED, &[LIST], at_least("1970-01-02")), Err(Error::Revoked));
    }

    #[test]
    fn a_forged_list_neither_counts_nor_hides_the_true_one() {
        assert_eq!(judge(NURSE, &[FORGED], is("2026-12-01")), Err(Error::CrlMissing));
        assert_eq!(judge(NURSE, &[FORGED, LIST], is("2026-12-01")).map(|verified| verified.crl_age_s), Ok(3 * DAY_S));
        assert_eq!(judge(REVOKED, &[FORGED, LIST], is("2026-12-01")), Err(Error::Revoked));
    }

    #[test]
    fn only_an_authentication_certificate_of_our_authorities_counts() {
        let stranger = include_bytes!("../../tests/identity/stranger.pem");
        assert_eq!(judge(stranger, &[LIST], is("2026-12-01")), Err(Error::OtherIssuer));
        let sign = include_bytes!("../../tests/identity/sign.pem");
        assert_eq!(judge(sign, &[LIST], is("2026-12-01")), Err(Error::OtherUsage));
        let no_purpose = include_bytes!("../../tests/identity/noeku.pem");
        assert_eq!(judge(no_purpose, &[LIST], is("2026-12-01")), Err(Error::OtherUsage));
        let mixed = include_bytes!("../../tests/identity/mixed.pem");
        assert_eq!(judge(mixed, &[LIST], is("2026-12-01")), Err(Error::OtherUsage));
        // The name of the issuer is not enough: one byte of the certificate is changed.
        let der = CertificateDer::from_pem_slice(NURSE).expect("PEM");
        let at = der.windows(7).position(|bytes| bytes == b"Camille").expect("the name");
        let mut changed = der.to_vec();
        changed[at] = b'K';
        let anchors = Anchors::from_pem(&[ANCHORS]).expect("anchors");
        let changed = Certificate::parse(&changed).expect("read");
        let verified = verify(&changed, &anchors, &Crls::from_bytes(vec![LIST.to_vec()]), is("2026-12-01"));
        assert_eq!(verified, Err(Error::OtherIssuer));
    }

    #[test]
    fn a_list_that_cannot_be_read_is_counted() {
        let crls = Crls::from_bytes(vec![b"not a list".to_vec(), LIST.to_vec(), Vec::new()]);
        assert_eq!((crls.whole.len(), crls.unreadable()), (1, 2));
    }

    #[test]
    fn an_authority_alone_is_an_anchor() {
        // Because the settings name it.
        let whole = std::str::from_utf8(ANCHORS).expect("text");
        let second = whole.rfind("-----BEGIN").expect("two of them");
        let anchors = Anchors::from_pem(&[&whole.as_bytes()[second..]]).expect("an anchor");
        let nurse = Certificate::parse(&CertificateDer::from_pem_slice(NURSE).expect("PEM")).expect("read");
        let crls = Crls::from_bytes(vec![LIST.to_vec()]);
        assert!(verify(&nurse, &anchors, &crls, is("2026-12-01")).is_ok());
    }
}
