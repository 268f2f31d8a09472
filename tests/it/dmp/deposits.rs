//! TD2.1 and signed assertions, by the connector, over real TLS, to the sandbox's other door: what arrives whole is kept, once; what
//! was changed on the way by one letter is not.

use super::cards::PenFault;
use super::cards::Visit;
use super::cards::actor;
use super::cards::by;
use super::cards::list;
use super::cards::nurse;
use super::cards::settings;
use super::contributions::note;
use super::contributions::person;
use super::*;
use chevet::card;
use chevet::exchange::About;
use chevet::exchange::Error;
use chevet::exchange::Outcome;
use chevet::exchange::dmp::Settings;
use chevet::exchange::dmp::query;
use chevet::exchange::dmp::soap;
use chevet::exchange::dmp::soap::Message;
use chevet::identity::statement::Hash;
use chevet::journal::item::Contribution;
use chevet::journal::item::Deed;
use chevet::record::document::Document;
use chevet::record::document::Label;
use chevet::record::document::Status;
use chevet::record::note::Replaced;
use uuid::Uuid;

fn contribution(number: u128, replaces: Option<Replaced>) -> Contribution {
    let author = nurse().holder;
    Contribution::add(chevet::record::note::Note { replaces, ..note(number, &author) })
}

async fn found(visit: &Visit, one: &Contribution) -> Option<Document> {
    let all = list(visit, &nurse(), Case::Authorized).await.expect("a list");
    all.into_iter().find(|document| document.unique_id == one.unique_id)
}

/// Whatever the answer's way back loses: the same again is the same document.
#[tokio::test]
async fn a_note_is_deposited_once_and_found_as_it_was_written() {
    let visit = Visit::begin();
    visit.slot.put("nurse", false);
    let (who, one) = (nurse(), contribution(71, None));
    for time in 1..=2 {
        let done = visit.dmp.contribute(&who, &one).await.expect("an answer");
        assert_eq!((done, visit.server.received_documents().len()), (Outcome::Acknowledged, 1), "time {time}");
    }
    let document = found(&visit, &one).await.expect("it is in the record");
    assert_eq!((document.type_code.0.as_str(), document.class_code.0.as_str()), ("11505-5", "10"));
    assert_eq!(document.authors[0].id.as_deref(), Some(people::NURSE));
    assert_eq!((document.status, document.labels.as_slice()), (Status::Current, &[Label::Normal][..]));
    let content = visit.dmp.fetch(&who, &person().ins, &document, None).await.expect("its content");
    let Deed::Add { cda, .. } = &one.deed else { panic!("an addition") };
    assert!(content.for_storage().whole().expect("in memory").show_bytes() == cda.as_slice());
}

#[tokio::test]
async fn a_version_takes_the_place_of_the_one_before_it() {
    let visit = Visit::begin();
    visit.slot.put("nurse", false);
    let (who, first) = (nurse(), contribution(72, None));
    visit.dmp.contribute(&who, &first).await.expect("an answer");
    let replaced = Replaced { unique_id: first.unique_id.clone(), entry: "whatever".into() };
    let second = contribution(73, Some(replaced));
    for _time in 1..=2 {
        assert_eq!(visit.dmp.contribute(&who, &second).await.expect("an answer"), Outcome::Acknowledged);
    }
    assert!(found(&visit, &first).await.is_none(), "it stands no more");
    assert_eq!(found(&visit, &second).await.expect("it stands").status, Status::Current);
    // Nothing to replace: it is said, and nothing is added beside.
    let lost = Replaced { unique_id: first.unique_id.clone(), entry: "whatever".into() };
    let third = visit.dmp.contribute(&who, &contribution(74, Some(lost))).await.expect("an answer");
    assert!(matches!(&third, Outcome::Refused { code, .. } if code == "XDSReplaceFailed"), "{third:?}");
    assert_eq!(visit.server.received_documents().len(), 2);
}

/// It waits: a card that signs may come.
#[tokio::test]
async fn what_nobody_can_sign_is_not_sent_and_not_refused() {
    let visit = Visit::begin();
    let card = visit.slot.put("nurse", false);
    let (who, one) = (nurse(), contribution(75, None));
    *card.pen.lock().expect("the pen") = PenFault::Missing;
    let Err(Error::HolderKey { source }) = visit.dmp.contribute(&who, &one).await else { panic!("it has no key") };
    assert_eq!(source.downcast_ref::<card::Error>(), Some(&card::Error::NoSignatureKey));
    *card.pen.lock().expect("the pen") = PenFault::OtherCertificate;
    assert!(matches!(visit.dmp.contribute(&who, &one).await, Err(Error::Unsayable { .. })));
    visit.slot.put("doctor", false);
    assert!(matches!(visit.dmp.contribute(&who, &one).await, Err(Error::Unsayable { .. })), "another's card");
    assert!(visit.server.received_documents().is_empty());
}

#[tokio::test]
async fn a_signature_over_other_words_is_refused() {
    let visit = Visit::begin();
    let card = visit.slot.put("nurse", false);
    *card.pen.lock().expect("the pen") = PenFault::OtherWords;
    let done = visit.dmp.contribute(&nurse(), &contribution(76, None)).await.expect("an answer");
    assert!(matches!(&done, Outcome::Refused { code, .. } if code == "DMPInvalidSignature"), "{done:?}");
    let visit = Visit::begin_at(now, Settings { sign_assertions: Some(Hash::Sha256), ..settings() });
    let card = visit.slot.put("nurse", false);
    *card.pen.lock().expect("the pen") = PenFault::OtherWords;
    let refused = visit.dmp.state(&nurse(), &ins(Case::Authorized), None).await;
    assert!(
        matches!(&refused, Err(Error::Refused { code, about: About::Holder, .. }) if code == "DMPInvalidCertificate"),
        "{refused:?}"
    );
}

/// What was sent, sent again with its parts changed: the code that the server gives, `Success`, or its fault.
async fn again(visit: &Visit, body: &[u8], change: &dyn Fn(String) -> String) -> String {
    let text = change(String::from_utf8(body.to_vec()).expect("text"));
    // An assertion serves once.
    let id = text.split("ID=\"_").nth(1).expect("an assertion")[..36].to_owned();
    let text = text.replace(&id, &Uuid::now_v7().to_string());
    let action = text.split("<wsa:Action soap:mustUnderstand=\"true\">").nth(1).and_then(|rest| rest.split('<').next());
    let action = action.expect("an action").to_owned();
    let (kind, service) = match text.strip_prefix("--").and_then(|rest| rest.split("\r\n").next()) {
        Some(boundary) => (format!("multipart/related; action=\"{action}\"; boundary=\"{boundary}\""), "repository"),
        None => (format!("application/soap+xml; action=\"{action}\""), "patients"),
    };
    let request = link::Request {
        method: link::Method::Post,
        url: format!("{}/{service}", visit.server.services_url),
        accept: "*/*".into(),
        bearer: None,
        headers: Vec::new(),
        body: Some((&kind, text.into_bytes())),
        limit_bytes: 1 << 20,
    };
    let answer = visit.link.send(request).await.expect("an answer");
    let message = Message::read(&answer.content_type_said, &answer.body).expect("a message");
    let document = message.parse().expect("XML");
    match soap::body(&document) {
        Ok(node) => {
            let said = query::read(node).expect("a RegistryResponse");
            said.remarks.first().map_or("Success".to_owned(), |remark| remark.code.clone())
        }
        Err(soap::Error::Fault(fault)) => fault.code,
        Err(error) => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn a_changed_letter_anywhere_is_refused() {
    let visit = Visit::begin();
    visit.slot.put("nurse", false);
    visit.server.keep_bodies();
    let one = contribution(77, None);
    assert_eq!(visit.dmp.contribute(&nurse(), &one).await.expect("an answer"), Outcome::Acknowledged);
    let body = visit.server.take_bodies().pop().expect("it was sent");
    let unchanged = again(&visit, &body, &|text| text).await;
    assert_eq!(unchanged, "XDSDuplicateUniqueIdInRegistry", "it is there already, and all of it is right");
    let Deed::Add { cda, .. } = &one.deed else { panic!("an addition") };
    let other = String::from_utf8(cda.clone()).expect("text").replace("INFIRMIÈRE", "INFIRMIÉRE");
    let sha1 = |bytes: &[u8]| hex::encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes));
    let (before, after) = (sha1(cda), sha1(other.as_bytes()));
    for (what, expected, change) in [
        (
            "a letter of the document",
            "XDSNonIdenticalHash",
            &(|text: String| text.replace("<family>INFIRMIÈRE", "<family>INFIRMIÉRE")) as &dyn Fn(String) -> String,
        ),
        ("and its hash with it", "DMPInvalidSignature", &|text| {
            text.replace("<family>INFIRMIÈRE", "<family>INFIRMIÉRE").replace(&before, &after)
        }),
        ("when it was signed", "DMPInvalidSignature", &|text| seal(text, "SigningTime>20", "SigningTime>21")),
        ("the algorithm", "DMPInvalidSignature", &|text| seal(text, "more#rsa-sha256", "more#rsa-sha512")),
        ("another patient", "XDSPatientIdDoesNotMatch", &|text| {
            let cx = format!("value=\"{}", person().ins.matricule);
            text.replacen(&cx, "value=\"279035121518989", 1)
        }),
        ("no link to the signature", "XDSRepositoryMetadataError", &|text| text.replace("AssociationType:signs", "x")),
        ("an author who is not the card's", "XDSPatientIdDoesNotMatch", &|text| {
            text.replacen(&format!("<Value>{}^", people::NURSE), "<Value>899700000099^", 1)
        }),
        ("a document less", "XDSMissingDocument", &|text| text.replace("cid:doc-1%40", "cid:doc-9%40")),
    ] {
        assert_eq!(again(&visit, &body, change).await, expected, "{what}");
    }
    assert_eq!(visit.server.received_documents().len(), 1);
}

/// Changed in the signature's own document, its hash in the entry put right.
fn seal(text: String, from: &str, to: &str) -> String {
    let at = text.rfind("<?xml").expect("the signature");
    let end = at + text[at..].find("\r\n--").expect("its end");
    let sha1 = |bytes: &str| hex::encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes.as_bytes()));
    let before = &text[at..end];
    let after = before.replace(from, to);
    assert_ne!(before, after, "{from}");
    text.replace(&sha1(before), &sha1(&after)).replace(before, &after)
}

/// One signature a message where the settings want it, by the other key, in the name that its certificate bears.
#[tokio::test]
async fn a_signed_assertion_is_taken_and_a_changed_one_is_not() {
    let visit = Visit::begin_at(now, Settings { sign_assertions: Some(Hash::Sha256), ..settings() });
    visit.slot.put("doctor", false);
    let mut actor = actor("doctor");
    actor.holder.specialty = Some("SM26".into());
    let who = by(actor, Mode::Normal);
    visit.server.keep_bodies();
    for _time in 0..2 {
        visit.dmp.state(&who, &ins(Case::Authorized), None).await.expect("a state");
    }
    assert_eq!(visit.server.signed_assertions(), 2);
    let body = visit.server.take_bodies().pop().expect("it was asked");
    let text = String::from_utf8(body).expect("text");
    assert!(text.contains("code=\"SM26\"") && text.matches("<ds:SignatureValue>").count() == 1);
    assert_eq!(again(&visit, text.as_bytes(), &|text| text).await, "DMPInvalidCertificate", "its id is signed too");
}
