//! The courier on a real vault and against a real TLS server: what was begun ends, and nothing goes on under the name of
//! somebody who has left.

pub mod centre;

use crate::exchange::stage;
use crate::exchange::stage::Ask;
use crate::exchange::stage::Reply;
use crate::exchange::stage::Server;
use crate::exchange::stage::ServerIs;
use chevet::config::Journal;
use chevet::device::clock::Clock;
use chevet::exchange::AsHolder;
use chevet::exchange::Pdsm;
use chevet::exchange::pdsm::Profile;
use chevet::journal::Draft;
use chevet::journal::allowance::Limits;
use chevet::journal::consent::Said;
use chevet::kiosk::courier;
use chevet::kiosk::courier::Courier;
use chevet::kiosk::courier::Order;
use chevet::patient::ins::Ins;
use chevet::patient::ins::InsKind;
use chevet::secret::SecretKey;
use chevet::time::UnixSeconds;
use chevet::trouble::Trouble;
use chevet::vault::Options;
use chevet::vault::Vault;
use chevet::visit::Event;
use chevet::visit::event::Disk;
use chevet::visit::event::Ticket;
use serde_json::Value;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::sync::watch;
use uuid::Uuid;

/// The server took the trace and the disk would not say so: the trace goes again, under its own id, until it is written
/// down that it has gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_whose_acknowledgement_failed_is_not_on_its_way_for_ever() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(ServerIs::Right, |_| Reply::status(201)).await;
    let mut desk = Desk::set(folder.path(), &server);
    desk.vault.record(vec![row()], Vec::new()).await.expect("recorded");
    let beside = rusqlite::Connection::open(folder.path().join("journal.db")).expect("a database");
    let refuse = "CREATE TRIGGER refuse BEFORE UPDATE ON outbox BEGIN SELECT RAISE(ABORT, 'no'); END";
    beside.execute_batch(refuse).expect("made");
    desk.open();
    // It tells what waits before it begins and when a request has ended: this one has failed by then.
    for _ in 0..2 {
        while !matches!(desk.events.recv().await.expect("the courier lives"), Event::WaitingIs(_)) {}
    }
    assert_eq!(asked(&server, "/fhir/AuditEvent/").len(), 1);
    assert_eq!(desk.vault.counts().await.expect("counted").traces, 1);

    beside.execute_batch("DROP TRIGGER refuse").expect("dropped");
    let until = tokio::time::Instant::now() + PATIENCE;
    while desk.vault.counts().await.expect("counted").traces > 0 {
        assert!(tokio::time::Instant::now() < until, "the trace waits for ever");
        desk.orders.send(Order::Wake).await.expect("the courier listens");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let asked = asked(&server, "/fhir/AuditEvent/");
    // The journal's head may have followed it, as an event of its own.
    let again = asked.iter().filter(|ask| ask.path() == asked[0].path()).count();
    assert!(again > 1, "one trace, one id");
}

/// Nothing listened for so long that the next try is far away; then something does: what waits goes at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_returns_ends_every_wait_that_it_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(ServerIs::Right, |_| Reply::status(201)).await;
    let door = TcpListener::bind("127.0.0.1:0").await.expect("bound").local_addr().expect("an address");
    let mut desk = Desk::set_behind(folder.path(), &format!("https://{door}/fhir"));
    desk.vault.record(vec![row()], Vec::new()).await.expect("recorded");
    desk.open();
    // Three tries, by then: the fourth is eight seconds or more after the third.
    let until = tokio::time::Instant::now() + Duration::from_secs(15);
    while tokio::time::Instant::now() < until {
        desk.orders.send(Order::Wake).await.expect("the courier listens");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert!(server.asks().is_empty(), "nobody was there");

    let listener = TcpListener::bind(door).await.expect("the same door");
    let inside = server.base.replace("https://", "").replace("/fhir", "");
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut far = TcpStream::connect(&inside).await.expect("the server listens");
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut far).await });
        }
    });
    desk.orders.send(Order::Wake).await.expect("the courier listens");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(desk.vault.counts().await.expect("counted").traces, 0, "it waits for its back-off all the same");
}

/// Two patients' answers wait; the holder leaves while the server is still thinking about them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_who_leaves_stops_what_is_sent_in_their_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let (thinking, thinks) = watch::channel(true);
    let server = Server::start(ServerIs::Right, move |ask| match ask.path() {
        "/fhir/Consent" if *thinks.borrow() => Reply::status(201).hangs(),
        "/fhir" => taken(ask),
        _ => Reply::status(201),
    })
    .await;
    let mut desk = Desk::set(folder.path(), &server);
    for matricule in ["279035121518989", "180032A00100155"] {
        desk.vault.record(vec![row()], vec![said(matricule)]).await.expect("recorded");
    }
    desk.open();
    assert_eq!(desk.until_traces_are_gone().await, 0);
    desk.presence.send_replace(Some(Arc::new(stage::holder())));
    desk.orders.send(Order::Deliver { ticket: Ticket(7) }).await.expect("the courier listens");
    until_asked(&server, "/fhir/Consent").await;

    desk.presence.send_replace(None);
    desk.until_delivered(7, Err(Trouble::ServerFailed)).await;
    // Nobody is here: that is no delivery either, and nothing more goes in their name.
    desk.orders.send(Order::Deliver { ticket: Ticket(8) }).await.expect("the courier listens");
    desk.until_delivered(8, Err(Trouble::CardPulledWhileReading)).await;
    // Two patients' go together, and no more than once.
    assert!((1..=2).contains(&asked(&server, "/fhir/Consent").len()));
    let before = asked(&server, "/fhir/Consent").len();
    assert_eq!(desk.vault.counts().await.expect("counted").consents, 2, "and nothing is lost");

    // Back again: both go, the first under the id that it had.
    thinking.send_replace(false);
    desk.presence.send_replace(Some(Arc::new(stage::holder())));
    desk.orders.send(Order::Deliver { ticket: Ticket(9) }).await.expect("the courier listens");
    desk.until_delivered(9, Ok(())).await;
    let ids: Vec<String> = asked(&server, "/fhir/Consent").iter().map(id).collect();
    // What was on its way when they left may have come in after that was counted.
    let (first, again) = ids.split_at(ids.len() - 2);
    assert!((before..=2).contains(&first.len()) && again[0] != again[1], "{ids:?}");
    assert!(first.iter().all(|id| again.contains(id)), "under the ids that they had: {ids:?}");
    assert_eq!(desk.vault.counts().await.expect("counted").consents, 0);
}

/// Three traces are on their way for ever, or the question which head the server has: an answer that a patient gives meanwhile is
/// delivered at once, and whoever waits for it is told so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_patients_answer_waits_for_nothing_else() {
    for (silent_at, rows) in [(("POST", "/fhir"), 3), (("GET", "/fhir/AuditEvent"), 0)] {
        let folder = tempfile::tempdir().expect("a folder");
        let is_silent = move |ask: &Ask| (ask.method.as_str(), ask.path()) == silent_at;
        let server = Server::start(ServerIs::Right, move |ask| match ask.path() {
            _ if is_silent(ask) => Reply::status(200).hangs(),
            "/fhir" => taken(ask),
            _ => Reply::status(201),
        })
        .await;
        let mut desk = Desk::set(folder.path(), &server);
        if rows > 0 {
            desk.vault.record((0..rows).map(|_| row()).collect(), Vec::new()).await.expect("recorded");
        }
        desk.open();
        desk.until(|| server.asks().iter().any(is_silent)).await;
        desk.vault.record(vec![row()], vec![said("180032A00100155")]).await.expect("recorded");
        desk.presence.send_replace(Some(Arc::new(stage::holder())));
        desk.orders.send(Order::Deliver { ticket: Ticket(1) }).await.expect("the courier listens");
        desk.until_delivered(1, Ok(())).await;
        assert_eq!(asked(&server, "/fhir/Consent").len(), 1, "{silent_at:?}");
        assert_eq!(desk.vault.counts().await.expect("counted").consents, 0, "{silent_at:?}");
    }
}

/// A batch, each of its entries made.
fn taken(ask: &Ask) -> Reply {
    let made = |_: &Value| json!({"response": {"status": "201 Created"}});
    let answers: Vec<Value> = ask.json()["entry"].as_array().into_iter().flatten().map(made).collect();
    Reply::json(200, &json!({"resourceType": "Bundle", "type": "batch-response", "entry": answers}))
}

/// The server has a head of ours that is not on this disk: the courier finds out before it gives another one, the row that says
/// so goes with the rest, and the idle page can tell.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_was_put_back_is_found_out_at_the_next_contact() {
    let heads: Arc<Mutex<Vec<Value>>> = Arc::default();
    let kept = Arc::clone(&heads);
    let server = Server::start(ServerIs::Right, move |ask| {
        let mut kept = kept.lock().expect("not poisoned");
        if ask.method == "GET" && ask.path() == "/fhir/AuditEvent" {
            assert_eq!(ask.query("source%3Aidentifier").map(|name| name.ends_with(DEVICE)), Some(true));
            return Reply::json(200, &stage::searchset(kept.iter().rev().cloned().collect(), None));
        }
        if ask.path() == "/fhir" {
            return taken(ask);
        }
        if ask.method == "PUT" && ask.json()["subtype"][0]["code"] == "checkpoint" && !kept.contains(&ask.json()) {
            kept.push(ask.json());
        }
        Reply::status(201)
    })
    .await;
    let (folder, copy) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let known = || heads.lock().expect("not poisoned").len();
    {
        let mut desk = Desk::set(folder.path(), &server);
        desk.vault.record(vec![row()], Vec::new()).await.expect("recorded");
        // As a copy of the whole disk has it.
        let beside = rusqlite::Connection::open(folder.path().join("journal.db")).expect("a database");
        let to = copy.path().join("journal.db");
        beside.execute("VACUUM INTO ?1", [to.to_string_lossy()]).expect("copied");
        desk.vault.record(vec![row(), row()], Vec::new()).await.expect("recorded");
        desk.open();
        desk.until_disk_is(|disk| disk.put_back.is_none()).await;
        desk.until(|| known() == 1).await;
    }
    let mut desk = Desk::set(copy.path(), &server);
    desk.open();
    desk.until_disk_is(|disk| disk.put_back.is_some()).await;
    assert_eq!(desk.until_traces_are_gone().await, 0);
    desk.until(|| known() == 2).await;
    let branches = desk.vault.branches().await.expect("read");
    assert_eq!(branches.iter().map(|branch| (branch.index, branch.lost_size)).collect::<Vec<_>>(), [(1, 3)]);
    let told = asked(&server, "/fhir/AuditEvent/").into_iter().map(|ask| ask.json()).filter(|event| {
        let agent = &event["agent"][0]["who"]["identifier"];
        let is_maintenance = |kind: &Value| kind["code"] == "maintenance";
        event["subtype"].as_array().is_some_and(|kinds| kinds.iter().any(is_maintenance)) && agent["value"] == DEVICE
    });
    assert_eq!(told.count(), 1, "the server is told, in the device's own name");
}

/// A store stands aside since an earlier start: the first word about the disk says so, and of a disk without one it does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_stands_aside_is_told() {
    for stands_aside in [true, false] {
        let folder = tempfile::tempdir().expect("a folder");
        if stands_aside {
            std::fs::create_dir_all(folder.path().join("aside/001795435200-0")).expect("made");
        }
        let server = Server::start(ServerIs::Right, |_| Reply::status(201)).await;
        let mut desk = Desk::set(folder.path(), &server);
        desk.open();
        let right = |disk: &Disk| {
            assert_eq!(disk.is_sealed_aside, stands_aside);
            true
        };
        desk.until_disk_is(right).await;
    }
}

/// A courier, before and after it has begun.
struct Desk {
    vault: Vault,
    orders: mpsc::Sender<Order>,
    presence: watch::Sender<Option<Arc<AsHolder>>>,
    events: mpsc::Receiver<Event>,
    begin: Option<(Courier, mpsc::Receiver<Order>)>,
    running: Option<tokio::task::JoinHandle<()>>,
}

impl Desk {
    fn set(folder: &Path, server: &Server) -> Desk {
        Desk::set_behind(folder, &server.base)
    }

    fn set_behind(folder: &Path, base: &str) -> Desk {
        let options = Options {
            folder: folder.to_path_buf(),
            device: DEVICE.into(),
            software: "chevet test".into(),
            boot: Uuid::from_u128(9),
            device_key: SecretKey::fill_with(|bytes| bytes.fill(0x5a)),
        };
        let vault = Vault::open(options, NOON).expect("the vault opens");
        // A server may think for longer than this test has patience: only the holder's leaving ends it.
        let client = || stage::client(|options| options.timeouts.answer = 4 * PATIENCE).expect("a client");
        let upstream = Pdsm::new(client(), base, client(), base, Profile::Put).expect("a connector");
        let (presence, is_here) = watch::channel(None);
        // Nobody takes them all: a courier that waits for that would wait with the test.
        let (events, heard) = mpsc::channel(4096);
        let (orders, taken) = mpsc::channel(8);
        let clock = Clock::start(NOON);
        let journal = Journal { retention_days: 90, allowance: Limits::default() };
        let (vault_too, upstream) = (vault.clone(), Arc::new(upstream.into()));
        let courier =
            Courier { vault: vault_too, upstream, clock, events, presence: is_here, device: DEVICE.into(), journal };
        Desk { vault, orders, presence, events: heard, begin: Some((courier, taken)), running: None }
    }

    fn open(&mut self) {
        let (courier, orders) = self.begin.take().expect("opened once");
        self.running = Some(tokio::spawn(courier::run(courier, orders)));
    }

    /// The program ends, and lets go of its folder.
    async fn end(self) {
        let Desk { vault, orders, running, .. } = self;
        drop((vault, orders));
        tokio::time::timeout(PATIENCE, running.expect("it was opened")).await.expect("it ends").expect("well");
    }

    /// Waits for the courier's word about that question, and no other.
    async fn until_delivered(&mut self, asked: u64, expected: Result<(), Trouble>) {
        let told = async {
            loop {
                match self.events.recv().await.expect("the courier lives") {
                    Event::Delivered { ticket, answer } if ticket == Ticket(asked) => return answer,
                    _ => {}
                }
            }
        };
        assert_eq!(tokio::time::timeout(PATIENCE, told).await, Ok(expected), "question {asked}");
    }

    /// Waits for the courier's word about the disk.
    async fn until_disk_is(&mut self, wanted: impl Fn(&Disk) -> bool) {
        let told = async {
            loop {
                match self.events.recv().await.expect("the courier lives") {
                    Event::DiskIs(disk) if wanted(&disk) => return,
                    _ => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, told).await.expect("the courier says so");
    }

    async fn until(&self, is_so: impl Fn() -> bool) {
        let until = tokio::time::Instant::now() + PATIENCE;
        while !is_so() {
            assert!(tokio::time::Instant::now() < until, "it never came to that");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The newest head was taken: nothing is left that the upstream could forget unseen.
    async fn until_anchored(&self) {
        let until = tokio::time::Instant::now() + PATIENCE;
        while self.vault.unanchored().await.expect("counted").rows > 0 {
            assert!(tokio::time::Instant::now() < until, "the head is never anchored");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn until_traces_are_gone(&mut self) -> u32 {
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let left = self.vault.counts().await.expect("counted").traces;
            if left == 0 || tokio::time::Instant::now() > until {
                return left;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn until_asked(server: &Server, path: &str) {
    let until = tokio::time::Instant::now() + PATIENCE;
    while asked(server, path).is_empty() {
        assert!(tokio::time::Instant::now() < until, "nothing came to {path}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn asked(server: &Server, path: &str) -> Vec<Ask> {
    server.asks().into_iter().filter(|ask| ask.method != "GET" && ask.path().starts_with(path)).collect()
}

fn id(ask: &Ask) -> String {
    ask.json()["identifier"][0]["value"].as_str().unwrap_or("").to_owned()
}

fn row() -> Draft {
    stage::trace(1).draft
}

fn said(matricule: &str) -> Said {
    Said { patient: Ins::unchecked(matricule, InsKind::Test).expect("well formed"), ..stage::consent().said }
}

const DEVICE: &str = "chevet-0011223344556677";
const NOON: UnixSeconds = UnixSeconds(1_795_435_200);
const PATIENCE: Duration = Duration::from_secs(20);
