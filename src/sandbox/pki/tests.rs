//! What `x509-parser` and `rustls-webpki`, which are not ours, read in the certificates made here.

use super::*;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::UnixTime;
use std::sync::OnceLock;
use x509_parser::prelude::CertificateRevocationList;
use x509_parser::prelude::FromDer;
use x509_parser::prelude::X509Certificate;

/// Drawn once for all tests of the sandbox: drawing keys is the slow part.
pub fn shared() -> &'static Pki {
    static SHARED: OnceLock<(tempfile::TempDir, Pki)> = OnceLock::new();
    let (_, pki) = SHARED.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let pki = Pki::open_or_make(folder.path()).expect("the sandbox's certificates can be made");
        (folder, pki)
    });
    pki
}

fn profile(name: &str) -> Profile {
    drawer::Drawer::profile(name).expect("a name of the drawer")
}

#[test]
fn a_holders_certificate_has_the_shape_of_facts_card_2() {
    let pki = shared();
    for (name, kind, profession, authority, rdns) in [
        ("nurse", 0, Some(60), "FORT", 3),
        ("in-training", 1, Some(10), "FORT", 3),
        ("reception", 2, None, "STANDARD", 6),
    ] {
        let profile = profile(name);
        let secrets = pki.card(&profile).expect("a card of the drawer can be made");
        for (key, usage_bit, purposes) in [(&secrets.authentication, 0, 2), (&secrets.signature, 1, 1)] {
            let (rest, certificate) = X509Certificate::from_der(&key.certificate).expect("it is a certificate");
            assert!(rest.is_empty());
            let subject: Vec<_> = certificate.subject().iter_rdn().collect();
            assert_eq!(subject.len(), rdns, "{name}");
            let last = subject.last().expect("a subject is not empty");
            let mut values: Vec<&str> = last.iter().map(|value| value.as_str().expect("they are UTF-8")).collect();
            values.sort_unstable();
            let mut expected = [profile.given_name, profile.family_name, profile.holder_id];
            expected.sort_unstable();
            assert_eq!(values, expected, "three values in one RDN");
            assert!(
                certificate
                    .issuer()
                    .to_string()
                    .contains(&format!("BAC A SABLE TEST AC IGC-SANTE {authority} PERSONNES"))
            );

            let usage = certificate.key_usage().expect("it can be read").expect("it is there");
            assert!(usage.critical);
            assert_eq!(usage.value.flags, 1 << usage_bit);
            let extended = certificate.extended_key_usage().expect("it can be read").expect("it is there");
            assert_eq!((extended.value.client_auth, extended.value.email_protection), (usage_bit == 0, usage_bit == 1));
            assert_eq!(
                usize::from(extended.value.client_auth) + extended.value.other.len(),
                purposes * (1 - usage_bit)
            );

            let value = |last_arc: u8| {
                let wanted = format!("1.2.250.1.71.1.2.{last_arc}");
                certificate.extensions().iter().find(|e| e.oid.to_id_string() == wanted).map(|e| e.value.to_vec())
            };
            assert_eq!(value(2), Some(vec![2, 1, kind]));
            assert_eq!(value(5), Some(vec![4, 1, 0x80]));
            assert_eq!(value(7), profession.map(|code| vec![2, 1, code]));
            let number = format!("8025000001/{}", profile.card_number);
            assert_eq!(value(3), Some([&[0x13, 20], number.as_bytes()].concat()));

            let validity = certificate.validity();
            assert_eq!(validity.not_after.timestamp() - validity.not_before.timestamp(), 3 * 365 * 86_400);
            assert!(validity.is_valid());
        }
        assert_ne!(secrets.authentication.certificate, secrets.signature.certificate);
    }
}

/// As `identity::trust` will have to: chain, dates, lists of the whole chain.
#[test]
fn webpki_accepts_the_good_ones_and_no_other() {
    let pki = shared();
    let pem = fs::read_to_string(pki.anchors()).expect("the anchors have just been written");
    let anchors: Vec<CertificateDer<'static>> =
        <CertificateDer<'static> as rustls::pki_types::pem::PemObject>::pem_slice_iter(pem.as_bytes())
            .collect::<Result<_, _>>()
            .expect("they are PEM");
    assert_eq!(anchors.len(), 4);
    let root = [webpki::anchor_from_trusted_cert(&anchors[0]).expect("a root is an anchor")];
    let lists: Vec<webpki::CertRevocationList<'static>> = fs::read_dir(pki.revocation_lists())
        .expect("the lists have just been written")
        .map(|entry| fs::read(entry.expect("an entry can be read").path()).expect("a list can be read"))
        .map(|der| webpki::OwnedCertRevocationList::from_der(&der).expect("it is a list").into())
        .collect();
    let lists: Vec<&webpki::CertRevocationList<'_>> = lists.iter().collect();
    for (name, expected) in [
        ("nurse", ""),
        ("reception", ""),
        ("expired", "CertExpired"),
        ("revoked", "CertRevoked"),
        ("other-issuer", "UnknownIssuer"),
    ] {
        let der = CertificateDer::from(pki.card(&profile(name)).expect("it can be made").authentication.certificate);
        let leaf = webpki::EndEntityCert::try_from(&der).expect("webpki can read it");
        let revocation = webpki::RevocationOptionsBuilder::new(&lists).expect("there are lists").build();
        let now = UnixTime::now();
        let usage = webpki::KeyUsage::client_auth();
        let algorithms = webpki::ALL_VERIFICATION_ALGS;
        let answer = leaf
            .verify_for_usage(algorithms, &root, &anchors[1..], now, usage, Some(revocation), None)
            .map(|_| ())
            .map_err(|error| format!("{error:?}"));
        match answer {
            Ok(()) => assert_eq!("", expected, "{name}"),
            Err(error) => assert!(!expected.is_empty() && error.starts_with(expected), "{name}: {error}"),
        }
    }
}

#[test]
fn what_was_made_stays_and_lists_are_fresh() {
    let nurse = profile("nurse");
    let first = shared().card(&nurse).expect("it can be made").authentication.certificate;
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    shared().copy_to(folder.path()).expect("copied");
    let again = Pki::open_or_make(folder.path()).expect("it can be opened again");
    assert_eq!(again.card(&nurse).expect("it was made").authentication.certificate, first);
    let device = fs::read(again.device().certificate).expect("it is still there");
    assert_eq!(fs::read(shared().device().certificate).expect("the device has a certificate"), device);
    let list = fs::read(again.revocation_lists().join("ACI-FO-PP-TEST.crl")).expect("there is a list");
    let (_, list) = CertificateRevocationList::from_der(&list).expect("it can be read");
    assert_eq!(list.iter_revoked_certificates().count(), 2, "both keys of the revoked card");
    let age = Timestamp::now().as_second() - list.last_update().timestamp();
    assert!((0..=3_700).contains(&age), "{age} s");

    // Made by a clock that was a year ahead: all is made again.
    let ahead = format!("{SHAPE}{}\n", hours(Timestamp::now(), 24 * 365));
    write(&folder.path().join("shape"), ahead.as_bytes()).expect("the folder is ours");
    let renewed = Pki::open_or_make(folder.path()).expect("it can be made again");
    assert_ne!(fs::read(renewed.device().certificate).expect("it was made"), device);
    assert_ne!(renewed.card(&nurse).expect("it can be made").authentication.certificate, first);
}

/// Tests share a folder, and each of them that opens it signs its lists again.
#[test]
fn a_folder_is_copied_whole_while_others_open_it() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    shared().copy_to(folder.path()).expect("copied");
    let pki = Pki::open_or_make(folder.path()).expect("it can be opened");
    std::thread::scope(|scope| {
        scope.spawn(|| (0..15).for_each(|_| drop(Pki::open_or_make(folder.path()).expect("it can be opened again"))));
        for _copy in 0..150 {
            let own = tempfile::tempdir().expect("a temporary folder can be made");
            pki.copy_to(own.path()).expect("copied");
            let halves = fs::read_dir(own.path().join("crl")).expect("lists").flatten();
            assert_eq!(halves.filter(|list| list.path().extension().is_some_and(|ending| ending == "new")).count(), 0);
        }
    });
}

#[test]
fn keys_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let pki = shared();
    pki.card(&profile("nurse")).expect("it can be made");
    for path in [
        pki.device().key,
        pki.server().key,
        pki.folder.join("authorities/ACR-PP-TEST.key"),
        pki.folder.join("cards/nurse/authentication.key"),
    ] {
        let mode = fs::metadata(&path).expect("the key is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
}

/// The two hierarchies have one shape, and TEST in their names is all that tells them apart.
#[test]
fn production_and_test_are_two_hierarchies() {
    use crate::identity::anchors::Anchors;
    use crate::identity::anchors::Error;
    use crate::identity::anchors::Realm;
    let test = fs::read(shared().anchors()).expect("anchors");
    let production = fs::read(shared().production_anchors().expect("they can be drawn")).expect("anchors");
    let of = |files: &[&[u8]]| Anchors::from_pem(files);
    assert_eq!(of(&[&test]).map(|anchors| (anchors.realm(), anchors.authorities().len())), Ok((Realm::Test, 4)));
    let real = of(&[&production]).map(|anchors| (anchors.realm(), anchors.authorities().len()));
    assert_eq!(real, Ok((Realm::Production, 4)));
    for both in [[&test, &production], [&production, &test]] {
        let mixed = of(&both.map(Vec::as_slice)).map(|_| ());
        assert!(matches!(mixed, Err(Error::Mixed { .. })), "{mixed:?}");
    }
}
