//! A card's other key, which signs documents, through the real pcscd: by both hashes, judged by `xmlsec1`; and the cards that sign none.

use super::Watched;
use crate::desk::Hands;
use crate::desk::with_card;
use crate::dmp::signatures::verifies_under;
use chevet::card::Error;
use chevet::card::Notice;
use chevet::card::Options;
use chevet::exchange::dmp::signature;
use chevet::exchange::dmp::signature::Submitted;
use chevet::identity::certificate::Certificate;
use chevet::identity::certificate::KeyUse;
use chevet::identity::holder::CertificateKeyId;
use chevet::identity::statement::Hash;
use chevet::identity::statement::Statement;
use chevet::secret::Pin;
use chevet::time::UnixSeconds;

/// The number of the card that is in.
fn inserted(watched: &mut Watched) -> u64 {
    loop {
        if let Notice::CardIn(insertion) = watched.next() {
            return insertion;
        }
    }
}

fn log_in(watched: &Watched, insertion: u64) {
    let pin = Pin::from_typed("1234".into()).expect("digits");
    let statement = Statement::login("a test", CertificateKeyId([7; 32]), &[9; 32]);
    watched.runtime.block_on(watched.reader.read(insertion)).expect("read");
    watched.runtime.block_on(watched.reader.login(insertion, pin, statement)).expect("logged in");
}

/// Signs by that hash, and has it judged.
fn signs(watched: &Watched, insertion: u64, hands: &Hands, hash: Hash) -> Result<(), Error> {
    let run = &watched.runtime;
    let certificate = run.block_on(watched.reader.signature_certificate(insertion))?;
    let certificate = Certificate::parse(&certificate).expect("a certificate");
    assert_eq!(certificate.key_use(), KeyUse::Signature);
    let documents = [("2.25.9", &b"<a>b</a>"[..])];
    let what = Submitted { set: "2.25.8", documents: &documents, at: UnixSeconds(1_795_423_320) };
    let unsigned = signature::submission(&what, &certificate, hash).expect("it can be signed");
    let signed = run.block_on(watched.reader.sign_document(insertion, unsigned.statement().expect("it is one")))?;
    let text = unsigned.finish(&signed);
    assert_eq!(verifies_under(&text, &hands.pki().anchors()), Ok(()), "{hash:?}");
    assert!(verifies_under(&text.replace("urn:oid:2.25.8", "urn:oid:2.25.7"), &hands.pki().anchors()).is_err());
    Ok(())
}

#[test]
fn a_document_is_signed_by_the_other_key_and_the_first_one_still_serves() {
    with_card(
        "card::documents::a_document_is_signed_by_the_other_key_and_the_first_one_still_serves",
        "nurse",
        |hands| {
            let mut watched = Watched::with_options(Options::default());
            let insertion = inserted(&mut watched);
            let before = watched.runtime.block_on(watched.reader.signature_certificate(insertion));
            assert_eq!(before, Err(Error::PinNeeded), "nothing of it before the PIN");
            log_in(&watched, insertion);
            for hash in [Hash::Sha256, Hash::Sha1, Hash::Sha256] {
                signs(&watched, insertion, hands, hash).expect("it signs");
                let statement = Statement::login("a test", CertificateKeyId([7; 32]), &[8; 32]);
                watched
                    .runtime
                    .block_on(watched.reader.sign(insertion, statement))
                    .expect("it still says who is there");
            }
            watched.runtime.block_on(watched.reader.left());
            assert_eq!(signs(&watched, insertion, hands, Hash::Sha256), Err(Error::PinNeeded), "the visit is over");
        },
    );
}

#[test]
fn a_card_that_signs_no_document_says_why_and_loses_no_try() {
    with_card(
        "card::documents::a_card_that_signs_no_document_says_why_and_loses_no_try",
        "odd:signs-nothing",
        |hands| {
            let mut watched = Watched::with_options(Options::default());
            let mut insertion = inserted(&mut watched);
            for (next, expected) in
                [("odd:signs-by-another-pin", Error::NoSignatureKey), ("odd:many-certificates", Error::OtherPin)]
            {
                log_in(&watched, insertion);
                assert_eq!(signs(&watched, insertion, hands, Hash::Sha256), Err(expected));
                let contents = watched.runtime.block_on(watched.reader.read(insertion)).expect("read");
                assert_ne!(contents.tries_left, Some(2), "no PIN was tried for it");
                hands.pull();
                hands.insert(next);
                insertion = inserted(&mut watched);
            }
            log_in(&watched, insertion);
            signs(&watched, insertion, hands, Hash::Sha256).expect("its certificate is found among several");
        },
    );
}
