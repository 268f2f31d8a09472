//! What an author adds, replaces, hides, archives and withdraws: by the real connector, kept by the sandbox DMP, seen by others or
//! not, opened by our own reader, and well-formed for a parser that is not ours.

use super::*;
use chevet::exchange::upstream::Outcome;
use chevet::identity::holder::ProfessionCode;
use chevet::identity::holder::Situation;
use chevet::journal::item::Contribution;
use chevet::journal::item::Deed;
use chevet::patient::ins::Patient;
use chevet::record::document::ClassCode;
use chevet::record::document::Document;
use chevet::record::document::Label;
use chevet::record::document::Status;
use chevet::record::document::TypeCode;
use chevet::record::note::Change;
use chevet::record::note::Note;
use chevet::record::note::Replaced;
use chevet::record::note::Writer;
use chevet::record::reading::plain_text;
use chevet::render::Limits;
use chevet::render::read_here;
use std::process::Command;
use uuid::Uuid;

const WORDS: &str = "Pansement refait, plaie propre.\nTA 12/7 < 14 & pouls à 72.";

pub(super) fn person() -> Patient {
    everybody().of(Case::Authorized).expect("somebody stands for it").patient.clone()
}

pub(super) fn note(number: u128, author: &HolderId) -> Note {
    Note {
        id: Uuid::from_u128(number),
        patient: person(),
        writer: Writer {
            id: author.clone(),
            family_name: "INFIRMIÈRE".into(),
            given_name: "Odile".into(),
            profession: Some(ProfessionCode(60)),
            profession_label: "Infirmier".into(),
            specialty: None,
            situation: Some(Situation {
                structure: "10B0108284".into(),
                name: "CABINET \"DU VAL\"".into(),
                sector: Some("SA07".into()),
            }),
        },
        type_code: TypeCode("11505-5".into()),
        type_label: "Compte rendu d’acte thérapeutique (autre)".into(),
        class_code: ClassCode("10".into()),
        text: WORDS.into(),
        labels: vec![Label::Normal],
        replaces: None,
        at: now(),
    }
}

fn change(document: &Document, change: Change, author: &HolderId) -> Contribution {
    Contribution {
        author: author.clone(),
        patient: person().ins,
        unique_id: document.unique_id.clone(),
        type_code: document.type_code.clone(),
        deed: Deed::Change { change, labels: change.labels_after(&document.labels) },
    }
}

struct Desk {
    server: Running,
    pdsm: Pdsm,
    nurse: AsHolder,
    colleague: AsHolder,
}

impl Desk {
    fn set() -> Desk {
        let server = start(0, None);
        let device = client(pki().device());
        let pdsm = Pdsm::new(device.clone(), &server.base_url, device.clone(), &server.base_url, Profile::Put);
        // A colleague whom the patient never named sees what any professional may see.
        let urgent = token::Request { mode: Mode::BrisDeGlace, ..request("physiotherapist", &device, &server, 2) };
        let (nurse, colleague) = (holder("nurse", &device, &server, 1), sign("physiotherapist", &urgent));
        Desk { pdsm: pdsm.expect("a connector"), server, nurse, colleague }
    }

    async fn send(&self, who: &AsHolder, one: &Contribution) -> Outcome {
        self.pdsm.contribute(who, one).await.expect("an answer")
    }

    /// As the server gives it to that holder; `None` when it does not.
    async fn seen(&self, who: &AsHolder, number: u128) -> Option<Document> {
        let system = person().ins.kind.oid();
        let url = format!(
            "{}/DocumentReference?patient.identifier=urn:oid:{system}%7C{}&status=current&date=ge2000-01-01T00:00:00Z&_count=100",
            self.server.base_url,
            person().ins.matricule
        );
        let device = client(pki().device());
        let said = ask(&device, link::Method::Get, url, Some(&who.token), None).await.expect("an answer");
        let entries: Vec<Value> = said.body["entry"].as_array().into_iter().flatten().cloned().collect();
        let resources = entries.into_iter().map(|mut entry| entry["resource"].take()).collect();
        let found = chevet::exchange::pdsm::documents::documents(resources, &person().ins);
        let wanted = chevet::record::note::unique_id(Uuid::from_u128(number));
        found.documents.into_iter().find(|document| document.unique_id == wanted)
    }
}

#[tokio::test]
async fn a_note_arrives_once_under_its_author_and_opens_in_our_reader() {
    let desk = Desk::set();
    let one = Contribution::add(note(1, &desk.nurse.holder));
    for _twice in 0..2 {
        assert_eq!(desk.send(&desk.nurse, &one).await, Outcome::Acknowledged);
    }
    let kept = desk.server.received_documents();
    assert_eq!(kept.len(), 1, "sent twice, made once");
    let document = desk.seen(&desk.nurse, 1).await.expect("in the list");
    assert_eq!(document.authors[0].id.as_ref(), Some(&desk.nurse.holder.0));
    assert_eq!((document.class_code.0.as_str(), document.status), ("10", Status::Current));
    assert!(desk.seen(&desk.colleague, 1).await.is_some(), "colleagues see it");

    let content = desk.server.received_content(kept[0]["id"].as_str().expect("an id")).expect("bytes");
    let reading = read_here(&content, "text/xml", &document.format_code, 0..1, &Limits::default()).expect("it opens");
    let words: Vec<String> = reading.rows.iter().map(|row| plain_text(&row.text)).collect();
    assert!(words.join("\n").contains("TA 12/7 < 14 & pouls à 72."), "{words:?}");
    let header: Vec<&str> = reading.header.iter().map(|(label, _)| label.as_str()).collect();
    for label in ["Patient", "INS", "Auteur", "Responsable", "Conservé par"] {
        assert!(header.contains(&label), "no {label} in {header:?}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("note.xml");
    fs::write(&file, &content).expect("written");
    let well_formed = Command::new("xmllint").arg("--noout").arg(&file).output().expect("libxml2-utils is here");
    assert!(well_formed.status.success(), "{}", String::from_utf8_lossy(&well_formed.stderr));
}

/// The name on a document is the token's, or it is refused for good.
#[tokio::test]
async fn nobody_deposits_under_another_name() {
    let desk = Desk::set();
    let hers = Contribution::add(note(2, &desk.nurse.holder));
    let said = desk.send(&desk.colleague, &hers).await;
    assert!(matches!(&said, Outcome::Refused { code, .. } if code == "refused"), "{said:?}");
    assert_eq!(desk.send(&desk.nurse, &hers).await, Outcome::Acknowledged);
    let document = desk.seen(&desk.nurse, 2).await.expect("in the list");
    let said = desk.send(&desk.colleague, &change(&document, Change::Withdraw, &desk.colleague.holder)).await;
    assert!(matches!(&said, Outcome::Refused { .. }), "{said:?}");
}

#[tokio::test]
async fn an_author_hides_shows_reveals_archives_replaces_and_withdraws() {
    let desk = Desk::set();
    let me = &desk.nurse.holder;
    assert_eq!(desk.send(&desk.nurse, &Contribution::add(note(3, me))).await, Outcome::Acknowledged);
    let document = desk.seen(&desk.nurse, 3).await.expect("in the list");
    for _twice in 0..2 {
        assert_eq!(desk.send(&desk.nurse, &change(&document, Change::Mask, me)).await, Outcome::Acknowledged);
    }
    assert!(desk.seen(&desk.colleague, 3).await.is_none(), "hidden from colleagues");
    let mine = desk.seen(&desk.nurse, 3).await.expect("not from its author");
    assert!(mine.labels.contains(&Label::MaskedToProfessionals));
    assert_eq!(desk.send(&desk.nurse, &change(&mine, Change::Show, me)).await, Outcome::Acknowledged);
    assert!(desk.seen(&desk.colleague, 3).await.is_some());
    let kept_from = Document { labels: vec![Label::Normal, Label::InvisibleToPatient], ..document.clone() };
    assert_eq!(desk.send(&desk.nurse, &change(&kept_from, Change::Show, me)).await, Outcome::Acknowledged);
    let unseen = desk.seen(&desk.nurse, 3).await.expect("in the list");
    assert!(unseen.labels.contains(&Label::InvisibleToPatient), "{:?}", unseen.labels);
    assert_eq!(desk.send(&desk.nurse, &change(&unseen, Change::RevealToPatient, me)).await, Outcome::Acknowledged);
    assert_eq!(desk.seen(&desk.nurse, 3).await.expect("in the list").labels, [Label::Normal]);
    assert_eq!(desk.send(&desk.nurse, &change(&document, Change::Archive, me)).await, Outcome::Acknowledged);
    assert_eq!(desk.seen(&desk.nurse, 3).await.expect("archived").status, Status::Archived);
    assert_eq!(desk.send(&desk.nurse, &change(&document, Change::Restore, me)).await, Outcome::Acknowledged);

    let before = desk.seen(&desk.nurse, 3).await.expect("current again");
    assert_eq!(before.status, Status::Current);
    let replaced = Replaced { unique_id: before.unique_id.clone(), entry: before.entry_uuid.clone() };
    let newer = Contribution::add(Note { replaces: Some(replaced), ..note(4, me) });
    assert_eq!(desk.send(&desk.nurse, &newer).await, Outcome::Acknowledged);
    assert!(desk.seen(&desk.nurse, 3).await.is_none(), "the version before is not current any more");
    let version = desk.seen(&desk.nurse, 4).await.expect("the new one is");
    assert_eq!(desk.send(&desk.nurse, &change(&version, Change::Withdraw, me)).await, Outcome::Acknowledged);
    assert!(desk.seen(&desk.nurse, 4).await.is_none(), "withdrawn");
    let unknown = Document { unique_id: chevet::record::document::UniqueId("1.2.3".into()), ..version };
    let said = desk.send(&desk.nurse, &change(&unknown, Change::Mask, me)).await;
    assert!(matches!(&said, Outcome::Refused { code, .. } if code == "not-found"), "{said:?}");
}

/// A server that takes no gzip says so once; what is sent arrives all the same.
#[tokio::test]
async fn a_server_without_gzip_gets_it_plain() {
    let desk = Desk::set();
    desk.server.faults().set(Fault::NoGzip);
    assert_eq!(desk.send(&desk.nurse, &Contribution::add(note(5, &desk.nurse.holder))).await, Outcome::Acknowledged);
    desk.server.faults().clear();
    assert_eq!(desk.send(&desk.nurse, &Contribution::add(note(6, &desk.nurse.holder))).await, Outcome::Acknowledged);
    assert_eq!(desk.server.received_documents().len(), 2);
}
