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
    /// The revocation list is older than [`ListPolicy::fresh_days`]; at this age no card is taken any more.
    CrlAging { days_max: u32 },
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
    #[error("the authority that issued the certificate is revoked")]
    AuthorityRevoked,
    #[error(
        "there is no revocation list of the authority above the certificate's, and trust.authority_lists asks for it"
    )]
    AuthorityCrlMissing,
    #[error("the certificate is damaged or of a kind that is not understood")]
    Unreadable,
}

/// What is asked of revocation lists (DESIGN §8); the settings' `[trust]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListPolicy {
    /// Up to this age, a list says nothing of it.
    pub fresh_days: u32,
    /// Up to this age, it is used with a warning; beyond it, no card is taken.
    pub tolerated_days: u32,
    pub authorities: AuthorityLists,
}

/// What is asked of the lists that say which authorities are revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuthorityLists {
    /// One that is here counts, whatever its age; that there is none, or an old one, refuses no card and is said.
    #[default]
    WhereThere,
    /// They are judged as those of cards are: without one, or by one that is too old, no card is taken.
    Required,
}

/// How old a list is, by the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    Fresh,
    Tolerated,
    TooOld,
}

impl Default for ListPolicy {
    fn default() -> ListPolicy {
        ListPolicy { fresh_days: 7, tolerated_days: 30, authorities: AuthorityLists::default() }
    }
}

impl ListPolicy {
    pub fn age(self, age_s: i64) -> Age {
        match age_s {
            _ if age_s > i64::from(self.tolerated_days) * DAY_S => Age::TooOld,
            _ if age_s > i64::from(self.fresh_days) * DAY_S => Age::Tolerated,
            _ => Age::Fresh,
        }
    }
}

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
            Ok(path) => {
                let delta = crls.delta_of(list, anchors);
                if delta.is_some_and(|delta| delta.names(certificate.serial())) {
                    return Err(Error::Revoked);
                }
                check_authorities(&path, anchors, crls, now, &mut warnings)?;
                // With its delta, a list says what was known when the delta was made.
                let crl_age_s = check_age(delta.unwrap_or(list), crls.policy, now, &mut warnings)?;
                return Ok(Verified { crl_age_s, warnings });
            }
            Err(Error::Revoked) => return Err(Error::Revoked),
            Err(_) => continue,
        }
    }
    // No list stands beside a path: is there a path at all, and of authorities that stand?
    let path = chain(&leaf, anchors, judged_at, None).map_err(|error| other_realm(error, certificate, anchors))?;
    check_authorities(&path, anchors, crls, now, &mut warnings)?;
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
    chain(&leaf, anchors, at.value().max(certificate.not_before()), None).map(|_| ())
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

/// An authority on the way to an anchor, as the list of the one above it names it.
struct Step {
    /// Name of the one above, the content of its SEQUENCE.
    issuer: Vec<u8>,
    serial: Vec<u8>,
}

/// The anchor itself is in the settings, and goes from there.
fn check_authorities(
    path: &[Step],
    anchors: &Anchors,
    crls: &Crls,
    now: Wall,
    warnings: &mut Vec<Warning>,
) -> Result<(), Error> {
    for Step { issuer, serial } in path {
        let newest = crls.whole.iter().find(|list| list.issuer() == issuer && list.is_signed_by(anchors));
        let delta = newest.and_then(|list| crls.delta_of(list, anchors));
        if newest.is_some_and(|list| list.names(serial)) || delta.is_some_and(|delta| delta.names(serial)) {
            return Err(Error::AuthorityRevoked);
        }
        match (newest, crls.policy.authorities) {
            (_, AuthorityLists::WhereThere) => {}
            (None, AuthorityLists::Required) => return Err(Error::AuthorityCrlMissing),
            (Some(list), AuthorityLists::Required) => {
                check_age(delta.unwrap_or(list), crls.policy, now, warnings)?;
            }
        }
    }
    Ok(())
}

/// One path to an anchor, and the holder's certificate against one list if there is one. The authorities on the way, from
/// below, without the anchor.
fn chain(
    leaf: &webpki::EndEntityCert<'_>,
    anchors: &Anchors,
    at: UnixSeconds,
    list: Option<&webpki::CertRevocationList<'static>>,
) -> Result<Vec<Step>, Error> {
    let at = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(at.0).unwrap_or(0)));
    let lists: Vec<&webpki::CertRevocationList<'_>> = list.into_iter().collect();
    // The age is ours to judge, with tolerance, and so are the lists of the authorities above.
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
    .map(|path| {
        let step = |above: &webpki::Cert<'_>| Step { issuer: above.issuer().to_vec(), serial: above.serial().to_vec() };
        path.intermediate_certificates().map(step).collect()
    })
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

fn check_age(list: &List, policy: ListPolicy, now: Wall, warnings: &mut Vec<Warning>) -> Result<i64, Error> {
    let age_s = (now.value().0 - list.this_update.0).max(0);
    let aging = Warning::CrlAging { days_max: policy.tolerated_days };
    match policy.age(age_s) {
        Age::TooOld => return Err(Error::CrlTooOld { age_days: age_s / DAY_S }),
        Age::Tolerated if !warnings.contains(&aging) => warnings.push(aging),
        Age::Tolerated | Age::Fresh => {}
    }
    if !now.is_trusted() && !warnings.contains(&Warning::CrlAgeUncertain) {
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
        assert_eq!(
            judge(NURSE, &[LIST], is("2026-12-05T00:00:01Z")).expect("old").warnings,
            [Warning::CrlAging { days_max: 30 }]
        );
        assert_eq!(
            judge(NURSE, &[LIST], is("2026-12-28")).expect("old").warnings,
            [Warning::CrlAging { days_max: 30 }]
        );
        assert_eq!(judge(NURSE, &[LIST], is("2026-12-29")), Err(Error::CrlTooOld { age_days: 31 }));
        assert_eq!(judge(NURSE, &[LIST], at_least("2026-12-29")), Err(Error::CrlTooOld { age_days: 31 }));
        assert_eq!(judge(NURSE, &[], is("2026-12-01")), Err(Error::CrlMissing));
    }

    #[test]
    fn a_site_may_ask_for_fresher_lists_or_bear_with_older_ones() {
        let under = |fresh_days, tolerated_days, now| {
            let policy = ListPolicy { fresh_days, tolerated_days, ..ListPolicy::default() };
            let certificate = Certificate::parse(&CertificateDer::from_pem_slice(NURSE).expect("PEM")).expect("read");
            let anchors = Anchors::from_pem(&[ANCHORS]).expect("anchors");
            verify(&certificate, &anchors, &Crls::from_bytes(vec![LIST.to_vec()]).under(policy), is(now))
        };
        let aging = |days_max| Ok(vec![Warning::CrlAging { days_max }]);
        let warnings = |verified: Result<Verified, Error>| verified.map(|verified| verified.warnings);
        assert_eq!(warnings(under(2, 3, "2026-12-01")), aging(3));
        assert_eq!(under(1, 2, "2026-12-01T00:00:01Z"), Err(Error::CrlTooOld { age_days: 3 }));
        assert_eq!(warnings(under(31, 60, "2026-12-29")), Ok(vec![]));
        assert_eq!(warnings(under(7, 60, "2026-12-29")), aging(60));
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
