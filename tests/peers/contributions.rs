//! What an author adds: Medplum takes the transaction once and finds all of it valid FHIR R4; PyPI's `fhir.resources` parses
//! every resource that we send.

use super::*;
use chevet::exchange::pdsm::event;
use chevet::exchange::pdsm::said;
use chevet::exchange::pdsm::submission;
use chevet::identity::holder::Situation;
use chevet::journal::item::Contribution;
use chevet::journal::item::Deed;
use chevet::patient::ins::BirthDate;
use chevet::patient::ins::Patient;
use chevet::patient::ins::Sex;
use chevet::record::document::ClassCode;
use chevet::record::document::Label;
use chevet::record::note::Change;
use chevet::record::note::Note;
use chevet::record::note::Replaced;
use chevet::record::note::Writer;
use serde_json::Value;

fn note(number: u128, replaces: Option<Replaced>) -> Note {
    Note {
        id: Uuid::from_u128(number),
        patient: Patient {
            ins: Ins::unchecked("279035121518989", InsKind::Test).expect("well formed"),
            birth_name: "PAT-TROIS".into(),
            birth_given_names: "DOMINIQUE".into(),
            sex: Sex::Female,
            birth_date: BirthDate { year: 1979, month: 3, day: 28 },
            birth_place: Some("51215".into()),
        },
        writer: Writer {
            id: holder(),
            family_name: "INFIRMIÈRE".into(),
            given_name: "Odile".into(),
            profession: Some(ProfessionCode(60)),
            profession_label: "Infirmier".into(),
            specialty: None,
            situation: Some(Situation {
                structure: "10B0108284".into(),
                name: "CABINET DU VAL".into(),
                sector: Some("SA07".into()),
            }),
        },
        type_code: TypeCode("11505-5".into()),
        type_label: "Compte rendu d’acte thérapeutique (autre)".into(),
        class_code: ClassCode("10".into()),
        text: "Pansement refait.".into(),
        labels: vec![Label::Normal, Label::MaskedToProfessionals],
        replaces,
        at: UnixSeconds(1_795_423_320),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn medplum_takes_a_note_once_and_every_change_of_it() {
    let server = Medplum::start();
    let pdsm = server.pdsm(Profile::Put);
    let who = AsHolder {
        holder: holder(),
        token: SecretBytes::new(b"unread".to_vec()),
        until: UnixSeconds(i64::MAX),
        mode: None,
        actor: None,
    };
    let one = Contribution::add(note(7, None));
    for _twice in 0..2 {
        assert_eq!(pdsm.contribute(&who, &one).await.expect("delivered"), Outcome::Acknowledged);
    }
    assert_eq!(server.count("DocumentReference").await, 1, "by its identifier");
    assert_eq!(server.count("List").await, 1, "and its set");
    for change in Change::ALL {
        let deed = Deed::Change { change, labels: change.labels_after(&[Label::Normal]) };
        let changed = pdsm.contribute(&who, &Contribution { deed, ..one.clone() }).await;
        assert_eq!(changed.expect("delivered"), Outcome::Acknowledged, "{change:?}");
    }
    assert_eq!(server.count("DocumentReference").await, 1, "changed in its place");
}

/// Every trace, every answer, a note and its next version.
#[test]
fn fhir_resources_parses_all_that_we_send() {
    let mut sent: Vec<Value> =
        Class::ALL.iter().zip(0..).map(|(class, index)| event::audit_event(&trace(*class, index))).collect();
    for (number, answer) in [(1, Answer::Yes), (2, Answer::No), (3, Answer::Withdrawn)] {
        sent.push(said::resource(&consent(number, Scope::Authorization, answer)));
        sent.push(said::resource(&consent(number, Scope::Team("equipe".into()), answer)));
    }
    let replaced = Replaced { unique_id: UniqueId("2.25.7".into()), entry: "c1".into() };
    for note in [note(7, None), note(8, Some(replaced))] {
        let Deed::Add { note, cda } = Contribution::add(note).deed else { panic!("a document") };
        sent.push(submission::transaction(&note, &cda));
    }
    let count = sent.len();
    assert_eq!(parsed(&sent), Ok(format!("parsed {count}")));
    // It must be able to say no.
    sent[0]["recorded"] = json!("yesterday");
    assert!(parsed(&sent).is_err(), "it believes anything");
}

fn parsed(resources: &[Value]) -> Result<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut process = Command::new(root.join("target/peers/venv/bin/python"))
        .arg(root.join("tests/peers/resources.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python starts: run scripts/peers");
    let mut line = process.stdin.take().expect("a pipe was asked for");
    line.write_all(json!(resources).to_string().as_bytes()).expect("it listens");
    drop(line);
    let said = process.wait_with_output().expect("it ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if said.status.success() { Ok(text(&said.stdout)) } else { Err(text(&said.stderr)) }
}
