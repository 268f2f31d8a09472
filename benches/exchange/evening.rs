//! An evening's delivery: rows that waited leave by the real courier, out of a real vault, over the wire.

use crate::Done;
use crate::figure::Figure;
use crate::figure::Goal;
use crate::stage::Stage;
use crate::stage::now;
use crate::wire::Quality;
use crate::wire::Wire;
use chevet::config::Journal;
use chevet::device::clock::Clock;
use chevet::exchange::Connector;
use chevet::identity::holder::HolderId;
use chevet::identity::holder::ProfessionCode;
use chevet::journal::Draft;
use chevet::journal::allowance::Limits;
use chevet::journal::words::Class;
use chevet::journal::words::Ground;
use chevet::journal::words::Mode;
use chevet::journal::words::Regime;
use chevet::journal::words::Source;
use chevet::kiosk::courier;
use chevet::kiosk::courier::Courier;
use chevet::patient::ins::Ins;
use chevet::patient::ins::InsKind;
use chevet::record::document::TypeCode;
use chevet::record::document::UniqueId;
use chevet::sandbox::dmp::Running;
use chevet::sandbox::people::People;
use chevet::secret::SecretKey;
use chevet::time::Now;
use chevet::time::Wall;
use chevet::vault;
use chevet::vault::Vault;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;
use tokio::sync::mpsc;
use tokio::sync::watch;
use uuid::Uuid;

/// 200 kbit/s.
const RATE: u32 = 200_000;
const PATIENCE: Duration = Duration::from_secs(900);
/// A busy practice's day: whom the rows are about.
const PATIENTS: u64 = 40;

struct Evening {
    seconds: f64,
    /// What the Bundles are when gzip has packed them, by the program itself.
    packed: u64,
    /// IP packets' bytes, both ways.
    wire: u64,
}

/// Both weathers.
pub fn measure(stage: &Stage, folder: &Path, rows: u64) -> Done<Vec<Figure>> {
    let rate = f64::from(RATE) / 8.0;
    let mut figures = Vec::new();
    for (lost_per_mille, words, goal) in [(0, "no loss", 0.85), (50, "5 % loss", 0.6)] {
        let quality = Quality { bits_per_second: Some(RATE), delay: Duration::from_millis(300), lost_per_mille };
        let evening = deliver(stage, &folder.join(lost_per_mille.to_string()), quality, rows)?;
        let useful = evening.packed as f64 / evening.seconds;
        figures.push(Figure {
            name: format!(
                "{rows} waiting traces over 200 kbit/s and 600 ms, {words}: packed Bundles delivered a second"
            ),
            ours: useful,
            peer: Some(("the link's rate", rate)),
            unit: "B/s",
            goal: Goal::Least(goal),
        });
        if lost_per_mille == 0 {
            figures.push(Figure {
                name: "a trace on the wire, both ways, IP headers and TLS included".to_owned(),
                ours: evening.wire as f64 / rows as f64,
                peer: Some(("gzip of the same Bundles", evening.packed as f64 / rows as f64)),
                unit: "B",
                goal: Goal::Most(1.15),
            });
        }
    }
    Ok(figures)
}

fn deliver(stage: &Stage, folder: &Path, quality: Quality, rows: u64) -> Done<Evening> {
    let wire = Wire::lay(quality)?;
    let server = stage.server(&wire, People { persons: Vec::new(), today: now() })?;
    server.keep_bodies();
    let evening = wire.near(|| -> Result<(f64, u64), String> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let sent = runtime.block_on(send(stage, folder, &wire, &server, rows));
        sent.map_err(|error| error.to_string())
    });
    let (seconds, wire_bytes) = evening?;
    Ok(Evening { seconds, packed: packed(server.take_bodies())?, wire: wire_bytes })
}

async fn send(stage: &Stage, folder: &Path, wire: &Wire, server: &Running, rows: u64) -> Done<(f64, u64)> {
    std::fs::create_dir_all(folder)?;
    let options = vault::Options {
        folder: folder.to_path_buf(),
        device: DEVICE.into(),
        software: "chevet bench".into(),
        boot: Uuid::from_u128(9),
        device_key: SecretKey::fill_with(|bytes| bytes.fill(0x5a)),
    };
    let vault = Vault::open(options, now())?;
    for first in (0..rows).step_by(500) {
        vault.record((first..rows.min(first + 500)).map(row).collect(), Vec::new()).await?;
    }
    let (_presence, is_here) = watch::channel(None);
    let (events, mut heard) = mpsc::channel(64);
    let (_orders, taken) = mpsc::channel(8);
    let courier = Courier {
        vault: vault.clone(),
        upstream: Arc::new(Connector::Pdsm(Box::new(stage.connector(server)?))),
        clock: Clock::start(now()),
        events,
        presence: is_here,
        device: DEVICE.into(),
        journal: Journal { retention_days: 90, allowance: Limits::default() },
    };
    let (before_up, before_down) = wire.bytes();
    let began = Instant::now();
    let delivery = tokio::spawn(courier::run(courier, taken));
    let listens = tokio::spawn(async move { while heard.recv().await.is_some() {} });
    while vault.counts().await?.traces > 0 {
        if began.elapsed() > PATIENCE {
            return Err("the traces do not leave".into());
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let seconds = began.elapsed().as_secs_f64();
    let (up, down) = wire.bytes();
    delivery.abort();
    listens.abort();
    let arrived = server.received_traces().len() as u64;
    if arrived != rows {
        return Err(format!("{arrived} of {rows} arrived").into());
    }
    Ok((seconds, up + down - before_up - before_down))
}

/// As `gzip` packs each Bundle; what is no Bundle of traces (the journal's head) is left out.
fn packed(bodies: Vec<Vec<u8>>) -> Done<u64> {
    let mut sum = 0;
    for body in bodies.iter().filter(|body| body.windows(7).any(|word| word == b"\"batch\"")) {
        let mut gzip =
            Command::new("gzip").args(["-9", "-c", "-n"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut input = gzip.stdin.take().ok_or("a pipe")?;
        let output = std::thread::scope(|scope| {
            scope.spawn(move || input.write_all(body));
            gzip.wait_with_output()
        })?;
        sum += output.stdout.len() as u64;
    }
    Ok(sum)
}

/// Rows as a day makes them: a patient's together, of several classes.
pub fn row(number: u64) -> Draft {
    let patient = number / 25 % PATIENTS;
    let class = [Class::Gate, Class::Listed, Class::Opened, Class::Opened, Class::Printed][(number % 5) as usize];
    let is_about_one = matches!(class, Class::Opened | Class::Printed);
    Draft {
        class,
        holder: HolderId(format!("89970000{:04}", number / 500 % 9)),
        profession: Some(ProfessionCode(60)),
        login: Some(number / 500 * 500),
        proof: None,
        situation: None,
        patient: Ins::unchecked(&format!("{:015}", 255_069_999_900_000 + patient), InsKind::Test).ok(),
        document: is_about_one
            .then(|| (UniqueId(format!("1.2.250.1.213.1.4.10.99.{number}")), TypeCode("34133-9".into()))),
        ground: Some(Ground::Team),
        mode: Mode::Normal,
        regime: Regime::ConseilEtat2025,
        rule: "M-01".into(),
        matrix_version: "2026-11".into(),
        reason: None,
        secret: false,
        framework: None,
        source: Source::Cached,
        at: Now {
            since_boot: Duration::from_millis(40_000 + 7_310 * number),
            wall: Wall::Is(now().plus(number as i64 - 40_000)),
        },
    }
}

const DEVICE: &str = "chevet-0011223344556677";
