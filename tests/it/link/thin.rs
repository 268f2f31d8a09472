//! A line as bad as they come: 200 kbit/s, late, lossy, and gone for a while. Two network namespaces, the kernel's TCP, the
//! sandbox's server at the far end. What is asserted is what arrives, never how soon.

use crate::exchange::stage;
use crate::wire::Quality;
use crate::wire::Wire;
use chevet::config::Journal;
use chevet::device::clock::Clock;
use chevet::exchange::Pdsm;
use chevet::exchange::Upstream;
use chevet::exchange::pdsm::Profile;
use chevet::exchange::token;
use chevet::identity::holder::HolderId;
use chevet::journal::Draft;
use chevet::journal::allowance::Limits;
use chevet::journal::words::Mode;
use chevet::kiosk::courier;
use chevet::kiosk::courier::Courier;
use chevet::link;
use chevet::link::Client;
use chevet::link::Timeouts;
use chevet::patient::ins::Ins;
use chevet::patient::ins::InsKind;
use chevet::sandbox::dmp;
use chevet::sandbox::dmp::Running;
use chevet::sandbox::drawer::Drawer;
use chevet::sandbox::people::Case;
use chevet::sandbox::people::People;
use chevet::sandbox::pki::Pki;
use chevet::secret::SecretBytes;
use chevet::secret::SecretKey;
use chevet::time::UnixSeconds;
use chevet::vault::Options;
use chevet::vault::Vault;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;
use tokio::sync::mpsc;
use tokio::sync::watch;
use uuid::Uuid;

/// 200 kbit/s, 300 ms there and back, two packets in a hundred lost.
const BAD: Quality = Quality { bits_per_second: Some(200_000), delay: Duration::from_millis(150), lost_per_mille: 20 };
/// A tenth of what a device waits for, so that a line that is gone for seconds here is one that is gone for minutes there.
const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(2),
    handshake: Duration::from_secs(4),
    answer: Duration::from_secs(4),
    silence: Duration::from_secs(3),
};
/// Longer than every silence that is waited for.
const GONE: Duration = Duration::from_secs(7);
const PATIENCE: Duration = Duration::from_secs(150);

#[test]
fn a_round_comes_whole_over_a_line_that_goes_away() {
    if !is_root("a_round_comes_whole_over_a_line_that_goes_away") {
        return;
    }
    let wire = Wire::lay(BAD).expect("a wire is laid");
    let people = People::generate(7, now());
    let ins = people.of(Case::Authorized).expect("somebody stands for it").patient.ins.clone();
    let server = wire.far(|| start(people));
    wire.near(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let pdsm = Pdsm::new(client(), &server.base_url, client(), &server.base_url, Profile::Put).expect("it");
            let who = nurse(&pdsm);
            let found = link::turns::at(link::Urgency::Prefetch, pdsm.find(&who, &ins, UnixSeconds(0)));
            let found = patient(found).await.release(&stage::listed_of(&ins)).expect("its row is about it");
            assert!(found.len() > 20, "{}", found.len());
            let (before, _) = server.connections();
            for (at, document) in found.iter().take(20).enumerate() {
                if at == 5 {
                    wire.cut();
                }
                let fetch = link::turns::at(link::Urgency::Prefetch, pdsm.fetch(&who, &ins, document, None));
                let mend = async {
                    if at == 5 {
                        tokio::time::sleep(GONE).await;
                        wire.mend();
                    }
                };
                let (fetched, ()) = tokio::join!(patient(fetch), mend);
                drop(fetched);
            }
            assert!(server.connections().0 > before, "the old line was dead, and a new one was made");
        });
    });
    let (packets, lost) = wire.packets();
    assert!(lost > 0 && packets > 100, "{lost} of {packets}: this was no bad line");
}

#[test]
fn an_evening_leaves_whole_and_in_order_over_a_line_that_goes_away() {
    if !is_root("an_evening_leaves_whole_and_in_order_over_a_line_that_goes_away") {
        return;
    }
    const ROWS: u64 = 1_200;
    let wire = Wire::lay(BAD).expect("a wire is laid");
    let server = wire.far(|| start(People { persons: Vec::new(), today: now() }));
    let folder = tempfile::tempdir().expect("a folder");
    wire.near(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let vault = vault(folder.path());
            vault.record((0..ROWS).map(row).collect(), Vec::new()).await.expect("recorded");
            let upstream = Pdsm::new(client(), &server.base_url, client(), &server.base_url, Profile::Put).expect("it");
            let (_presence, presence) = watch::channel(None);
            let (events, mut heard) = mpsc::channel(64);
            let (orders, taken) = mpsc::channel(8);
            let courier = Courier {
                vault: vault.clone(),
                upstream: Arc::new(upstream.into()),
                clock: Clock::start(now()),
                events,
                presence,
                device: DEVICE.into(),
                journal: Journal { retention_days: 90, allowance: Limits::default() },
            };
            tokio::spawn(async move { while heard.recv().await.is_some() {} });
            tokio::spawn(courier::run(courier, taken));
            let began = Instant::now();
            let mut was_gone = false;
            loop {
                let left = vault.counts().await.expect("counted").traces;
                if left == 0 {
                    break;
                }
                assert!(began.elapsed() < PATIENCE, "{left} never leave");
                if !was_gone && u64::from(left) < ROWS * 3 / 4 {
                    wire.cut();
                    tokio::time::sleep(GONE).await;
                    wire.mend();
                    was_gone = true;
                }
                // It listens between two rounds.
                let _it_is_busy = orders.try_send(courier::Order::Wake);
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            assert!(was_gone, "it was over before the line went");
        });
    });
    let arrived = server.received_traces();
    assert_eq!(arrived.len() as u64, ROWS, "each once");
    let mut by_patient: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for trace in &arrived {
        by_patient.entry(patient_of(trace)).or_default().push(index(trace));
    }
    assert_eq!(by_patient.len(), 24);
    for (who, rows) in by_patient {
        assert!(rows.is_sorted(), "{who}: {rows:?}");
    }
}

/// A body that is longer on its way than an answer is waited for: as long as it moves it is no silence.
#[test]
fn a_long_upload_is_no_silence() {
    if !is_root("a_long_upload_is_no_silence") {
        return;
    }
    // What the kernel holds of it, when the last of it has left us, is seven seconds of this line.
    const ANSWER: Duration = Duration::from_secs(10);
    let wire = Wire::lay(BAD).expect("a wire is laid");
    let server = wire.far(|| start(People { persons: Vec::new(), today: now() }));
    wire.near(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let began = Instant::now();
            let request = link::Request {
                method: link::Method::Post,
                url: server.base_url.clone(),
                accept: "*/*".into(),
                bearer: None,
                headers: Vec::new(),
                body: Some(("application/octet-stream", vec![b'x'; 600_000])),
                limit_bytes: 1 << 20,
            };
            let answer = client_of(Timeouts { answer: ANSWER, silence: ANSWER, ..TIMEOUTS })
                .send(request)
                .await
                .expect("an answer");
            assert_eq!(answer.status, 400, "it is no Bundle, and was read to its end");
            assert!(began.elapsed() > ANSWER, "the line was too good for this test");
            assert!(wire.bytes().0 > 600_000, "it went another way");
        });
    });
}

/// Whoever may lay a wire does; anybody else becomes root of a user namespace, in a child that runs this one test again. Where
/// that is not allowed either, the test falls and says what was refused.
fn is_root(name: &str) -> bool {
    if Wire::may_be_laid() || std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let me = std::env::current_exe().expect("this program");
    let name = format!("link::thin::{name}");
    let mut unshare = Command::new("unshare");
    unshare.args(["--user", "--map-root-user"]).arg(me).args(["--exact", &name]).env(INSIDE, "yes");
    let done = unshare.output().expect("unshare is there");
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && said.contains("1 passed"), "{name}, as root of a namespace:\n{said}");
    false
}

/// Set for that child.
const INSIDE: &str = "CHEVET_IN_A_NAMESPACE";

async fn patient<T>(asking: impl Future<Output = Result<T, chevet::exchange::Error>>) -> T {
    tokio::time::timeout(PATIENCE, asking).await.expect("it comes some day").expect("and it is right")
}

fn pki() -> Pki {
    // Of its own: certificates that were made before the wire do not name its far end.
    Pki::open_or_make(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("wire-pki")).expect("a hierarchy is made")
}

fn start(people: People) -> Running {
    let options = dmp::Options { pki: pki(), people, port: 0, card_port: 0, web_port: 0, snapshot: None };
    dmp::start_at_the_end(options).expect("it starts")
}

fn client() -> Client {
    client_of(TIMEOUTS)
}

fn client_of(timeouts: Timeouts) -> Client {
    let device = pki().device();
    let read = |path| std::fs::read(path).expect("a file of the sandbox");
    Client::new(link::Options {
        ca_pem: read(pki().tls_authority()),
        certificate_pem: read(device.certificate),
        key_pem: SecretBytes::new(read(device.key)),
        timeouts,
    })
    .expect("a client")
}

fn nurse(pdsm: &Pdsm) -> chevet::exchange::AsHolder {
    let profile = Drawer::profile("nurse").expect("in the drawer");
    let card = pki().card(&profile).expect("a card");
    let request = token::Request {
        holder: HolderId(profile.holder_id.to_owned()),
        x5c: vec![card.authentication.certificate.clone()],
        audience: pdsm.audience().to_owned(),
        now: now(),
        nonce: [7; 32],
        device: pdsm.device_thumbprint(),
        mode: Mode::Normal,
    };
    let input = request.signing_input();
    request.finish(&input, &card.sign_with_authentication(input.as_bytes()).expect("signed"))
}

fn vault(folder: &Path) -> Vault {
    let options = Options {
        folder: folder.to_path_buf(),
        device: DEVICE.into(),
        software: "chevet test".into(),
        boot: Uuid::from_u128(9),
        device_key: SecretKey::fill_with(|bytes| bytes.fill(0x5a)),
    };
    Vault::open(options, now()).expect("the vault opens")
}

fn row(number: u64) -> Draft {
    let patient = Ins::unchecked(&format!("{:015}", 255_069_999_900_000 + number % 24), InsKind::Test).ok();
    Draft { patient, ..stage::trace(1).draft }
}

fn patient_of(trace: &Value) -> String {
    let entities = trace["entity"].as_array().expect("entities");
    let person = entities.iter().find(|entity| entity["type"]["code"] == "1").expect("a patient");
    person["what"]["identifier"]["value"].as_str().expect("an INS").to_owned()
}

/// The row's place in the journal.
fn index(trace: &Value) -> u64 {
    let parts = trace["extension"][0]["extension"].as_array().expect("the log entry");
    let index = parts.iter().find(|part| part["url"] == "index").expect("an index");
    index["valueString"].as_str().expect("text").parse().expect("a number")
}

fn now() -> UnixSeconds {
    UnixSeconds(jiff::Timestamp::now().as_second())
}

const DEVICE: &str = "chevet-0011223344556677";
