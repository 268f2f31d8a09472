//! The courier and a centre with a memory: one that came back from an older backup, one whose clock is years ahead, one that
//! counts what comes at once, and one that a holder's note must wait for.

use super::*;
use chevet::identity::holder::HolderId;
use chevet::journal::item::Contribution;
use chevet::journal::words::Class;
use chevet::patient::ins::BirthDate;
use chevet::patient::ins::Patient;
use chevet::patient::ins::Sex;
use chevet::record::document::ClassCode;
use chevet::record::document::Label;
use chevet::record::document::TypeCode;
use chevet::record::document::UniqueId;
use chevet::record::note::Note;
use chevet::record::note::Writer;
use std::collections::BTreeMap;

/// What an audit repository keeps: each event once, by its id, and our heads, oldest first.
#[derive(Clone, Default)]
struct Kept {
    events: BTreeMap<String, Value>,
    heads: Vec<Value>,
}

#[derive(Clone, Default)]
struct Centre(Arc<Mutex<Kept>>);

impl Centre {
    fn answer(&self, ask: &Ask) -> Reply {
        let mut kept = self.0.lock().expect("not poisoned");
        match (ask.method.as_str(), ask.path()) {
            ("GET", "/fhir/AuditEvent") => {
                Reply::json(200, &stage::searchset(kept.heads.iter().rev().cloned().collect(), None))
            }
            ("POST", "/fhir") if ask.json()["type"] == "batch" => {
                for entry in ask.json()["entry"].as_array().into_iter().flatten() {
                    let id = entry["request"]["url"].as_str().expect("a place").replace("AuditEvent/", "");
                    kept.events.insert(id, entry["resource"].clone());
                }
                taken(ask)
            }
            ("PUT", path) => {
                if ask.json()["subtype"][0]["code"] == "checkpoint" {
                    if !kept.heads.contains(&ask.json()) {
                        kept.heads.push(ask.json());
                    }
                } else {
                    kept.events.insert(path.replace("/fhir/AuditEvent/", ""), ask.json());
                }
                Reply::status(201)
            }
            _ => Reply::status(201),
        }
    }

    fn as_it_is(&self) -> Kept {
        self.0.lock().expect("not poisoned").clone()
    }

    fn events(&self) -> usize {
        self.0.lock().expect("not poisoned").events.len()
    }

    fn heads(&self) -> usize {
        self.0.lock().expect("not poisoned").heads.len()
    }
}

async fn server(centre: &Centre) -> Server {
    let centre = centre.clone();
    Server::start(ServerIs::Right, move |ask| centre.answer(ask)).await
}

/// What it acknowledged after the backup was taken is gone there, and still here: the next start finds out, and all of it goes again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_centre_that_came_back_from_a_backup_gets_what_it_forgot() {
    let (folder, centre) = (tempfile::tempdir().expect("a folder"), Centre::default());
    let server = server(&centre).await;
    let backup = {
        let mut desk = Desk::set(folder.path(), &server);
        desk.vault.record(vec![row()], Vec::new()).await.expect("recorded");
        desk.open();
        desk.until(|| centre.events() == 1 && centre.heads() == 1).await;
        let backup = centre.as_it_is();
        desk.vault.record(vec![row(), row()], Vec::new()).await.expect("recorded");
        desk.orders.send(Order::Wake).await.expect("the courier listens");
        desk.until(|| centre.events() == 3 && centre.heads() == 2).await;
        assert_eq!(desk.until_traces_are_gone().await, 0);
        desk.until_anchored().await;
        desk.end().await;
        backup
    };
    let before = centre.as_it_is();
    *centre.0.lock().expect("not poisoned") = backup;
    let mut desk = Desk::set(folder.path(), &server);
    assert_eq!(desk.vault.counts().await.expect("counted").traces, 0, "all of it was acknowledged");
    desk.open();
    desk.until(|| centre.events() == 3 && centre.heads() == 2).await;
    assert_eq!(desk.until_traces_are_gone().await, 0);
    let after = centre.as_it_is();
    assert!(after.events == before.events, "the same events under the same ids, and no other");
    assert_eq!(after.heads.len(), 2, "its newest head is anchored again");
}

/// A server that is nine years ahead is not believed, and a row says so, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_jumps_is_told_once_in_the_devices_own_name() {
    let (folder, centre) = (tempfile::tempdir().expect("a folder"), Centre::default());
    let ahead = centre.clone();
    let server =
        Server::start(ServerIs::Right, move |ask| ahead.answer(ask).with("date", "Fri, 23 Nov 2035 12:00:00 GMT"))
            .await;
    let mut desk = Desk::set(folder.path(), &server);
    desk.vault.record(vec![row()], Vec::new()).await.expect("recorded");
    desk.open();
    let told = || -> Vec<Value> {
        let is_told = |event: &&Value| event.to_string().contains("CLOCK-JUMP");
        centre.as_it_is().events.values().filter(is_told).cloned().collect()
    };
    let until = tokio::time::Instant::now() + PATIENCE;
    while told().is_empty() {
        assert!(tokio::time::Instant::now() < until, "no row says that the clock jumped");
        desk.orders.send(Order::Wake).await.expect("the courier listens");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // It insists, and is not told again.
    for _ in 0..5 {
        desk.orders.send(Order::Wake).await.expect("the courier listens");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let told = told();
    assert_eq!(told.len(), 1);
    assert!(told[0].to_string().contains("server said 2035-11-23T12:00:0"), "{}", told[0]);
    assert_eq!(told[0]["agent"][0]["who"]["identifier"]["value"], DEVICE);
}

/// An evening of full rows: no request is larger than docs/pdsm.md §7 says, by its own bytes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_batch_is_larger_than_it_may_be() {
    let (folder, centre) = (tempfile::tempdir().expect("a folder"), Centre::default());
    let server = server(&centre).await;
    let mut desk = Desk::set(folder.path(), &server);
    // As long as a row's words can be: bris de glace, with all that was typed beside its reason.
    let rows = (0..130).map(|number| Draft {
        class: Class::Opened,
        patient: Some(patient(&format!("{:015}", 255_069_999_900_000_u64 + number % 7))),
        document: Some((UniqueId("2.25.340282366920938463463374607431768211455".into()), TypeCode("34133-9".into()))),
        reason: Some("é".repeat(WORDS_MAX)),
        framework: Some("CADRE-2026-000000000000001".into()),
        ..row()
    });
    desk.vault.record(rows.collect(), Vec::new()).await.expect("recorded");
    desk.open();
    assert_eq!(desk.until_traces_are_gone().await, 0);
    let batches: Vec<Ask> = asked(&server, "/fhir").into_iter().filter(|ask| ask.method == "POST").collect();
    let entries = |ask: &Ask| ask.json()["entry"].as_array().map_or(0, Vec::len);
    assert_eq!(batches.iter().map(entries).sum::<usize>(), 130, "each once");
    for batch in &batches {
        assert!(entries(batch) <= 50, "{} entries", entries(batch));
        assert!(batch.bytes() <= 256 * 1024, "{} bytes in {} entries", batch.bytes(), entries(batch));
    }
}

/// Written offline, by somebody who is gone: it waits for them and for nobody else, and leaves under their name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_note_waits_for_its_authors_card_and_leaves_under_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(ServerIs::Right, |ask| match ask.json()["type"].as_str() {
        Some("batch") => taken(ask),
        Some("transaction") => Reply::json(200, &json!({"resourceType": "Bundle", "type": "transaction-response"})),
        _ => Reply::status(201),
    })
    .await;
    let mut desk = Desk::set(folder.path(), &server);
    let id = Uuid::from_u128(77);
    let one = Contribution::add(note(id));
    let made =
        Draft { document: Some((one.unique_id.clone(), one.type_code.clone())), class: Class::Contributed, ..row() };
    desk.vault.contribute(made, id, one).await.expect("finished");
    desk.open();
    let notes = || asked(&server, "/fhir").into_iter().filter(|ask| ask.json()["type"] == "transaction");
    assert_eq!(desk.until_traces_are_gone().await, 0);
    let another = AsHolder { holder: HolderId("899700000099".into()), ..stage::holder() };
    desk.presence.send_replace(Some(Arc::new(another)));
    desk.orders.send(Order::Deliver { ticket: Ticket(1) }).await.expect("the courier listens");
    desk.until_delivered(1, Ok(())).await;
    assert_eq!(notes().count(), 0, "nobody lends their name");
    assert_eq!(desk.vault.counts().await.expect("counted").contributions, 1);

    desk.presence.send_replace(Some(Arc::new(stage::holder())));
    desk.orders.send(Order::Deliver { ticket: Ticket(2) }).await.expect("the courier listens");
    desk.until_delivered(2, Ok(())).await;
    let until = tokio::time::Instant::now() + PATIENCE;
    while desk.vault.counts().await.expect("counted").contributions > 0 {
        assert!(tokio::time::Instant::now() < until, "the note never leaves");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let sent: Vec<Ask> = notes().collect();
    assert_eq!(sent.len(), 1, "once");
    assert_eq!(sent[0].header("authorization"), Some("Bearer eyJ.a.token"));
    assert!(sent[0].json().to_string().contains("urn:oid:2.25.77"), "its own identifier");
    assert_eq!(desk.vault.counts().await.expect("counted").contributions, 0);
}

pub fn note(id: Uuid) -> Note {
    Note {
        id,
        patient: Patient {
            ins: stage::ins(),
            birth_name: "CORSE".into(),
            birth_given_names: "ANTHONY".into(),
            sex: Sex::Male,
            birth_date: BirthDate { year: 1980, month: 3, day: 2 },
            birth_place: None,
        },
        writer: Writer {
            id: stage::holder().holder,
            family_name: "INFIRMIÈRE".into(),
            given_name: "Odile".into(),
            profession: None,
            profession_label: "Infirmier".into(),
            specialty: None,
            situation: None,
        },
        type_code: TypeCode("11505-5".into()),
        type_label: "Compte rendu".into(),
        class_code: ClassCode("10".into()),
        text: "Plaie propre.".into(),
        labels: vec![Label::Normal],
        replaces: None,
        at: NOON,
    }
}

fn patient(matricule: &str) -> Ins {
    Ins::unchecked(matricule, InsKind::Test).expect("well formed")
}

/// The gate's keys take 80 letters; the reason's own code stands before them.
const WORDS_MAX: usize = 120;
