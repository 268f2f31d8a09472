//! The vault beside its peers: a durable append, a proof among a million rows, an export checked whole, and what a compartment
//! of 5,000 documents costs (`cached`).
//!
//! Run by `scripts/bench.d/vault`. Each figure is measured in one run with its peer, turn by turn, so that a busy machine is
//! busy for both. Everything lies in one temporary folder below the working directory's target, on a real disk.

mod cached;

use chevet::identity::holder::HolderId;
use chevet::identity::holder::ProfessionCode;
use chevet::journal::Draft;
use chevet::journal::export::Verifier;
use chevet::journal::leaf::LeafHash;
use chevet::journal::leaf::leaf_hash;
use chevet::journal::note::VerifyingKey;
use chevet::journal::tree;
use chevet::journal::words::Class;
use chevet::journal::words::Ground;
use chevet::journal::words::Mode;
use chevet::journal::words::Regime;
use chevet::journal::words::Source;
use chevet::patient::ins::Ins;
use chevet::patient::ins::InsKind;
use chevet::record::document::TypeCode;
use chevet::record::document::UniqueId;
use chevet::time::Now;
use chevet::time::UnixSeconds;
use chevet::time::Wall;
use chevet::vault;
use chevet::vault::Look;
use chevet::vault::Vault;
use rusqlite::Connection;
use rusqlite::params;
use serde_json::Value;
use serde_json::json;
use std::error::Error;
use std::fs::File;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;
use uuid::Uuid;

type Done<T> = Result<T, Box<dyn Error>>;

/// One line of the answer.
struct Figure {
    name: &'static str,
    ours: f64,
    peer: Option<(&'static str, f64)>,
    unit: &'static str,
    /// Of the ratio where there is a peer, else of our own value.
    goal: f64,
}

const NOW: UnixSeconds = UnixSeconds(1_795_435_200);
const APPENDS: usize = 1_500;
/// As the courier sends them.
const BATCH: usize = 50;
const MANY: u64 = 1_000_000;
const EXPORTED: usize = 100_000;
const ROUNDS: usize = 5;

fn main() -> Done<()> {
    if let [_, what, folder] = &std::env::args().collect::<Vec<String>>()[..]
        && what == cached::WEIGH
    {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        return runtime.block_on(cached::weigh(Path::new(folder)));
    }
    let as_json = std::env::args().any(|argument| argument == "--json");
    let folder = PathBuf::from(format!("target/bench-vault-{}", std::process::id()));
    let measured = measure(&folder);
    std::fs::remove_dir_all(&folder)?;
    let figures = measured?;
    let mut out = std::io::stdout().lock();
    for figure in figures {
        let line = if as_json { figure.json().to_string() } else { figure.text() };
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn measure(folder: &Path) -> Done<Vec<Figure>> {
    std::fs::create_dir_all(folder)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let mut figures = runtime.block_on(append(&folder.join("append")))?;
    figures.extend(runtime.block_on(cached::measure(&folder.join("cached")))?);
    figures.extend(runtime.block_on(proof(&folder.join("proof")))?);
    figures.extend(runtime.block_on(verify(&folder.join("verify")))?);
    Ok(figures)
}

/// One row, one transaction, one answer: against the same bytes appended to a file, and against the same row in clear in a
/// table that finds rows by the same two names, their own and the patient's.
async fn append(folder: &Path) -> Done<Vec<Figure>> {
    let vault = open(folder)?;
    vault.record(vec![row(0)], vec![]).await?;
    let body = vec![0x61_u8; sealed_length(folder)?];
    let mut raw = File::create(folder.join("raw"))?;
    let plain = Connection::open(folder.join("plain.db"))?;
    plain.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    plain.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 200;
         CREATE TABLE row (idx INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, patient BLOB, body BLOB NOT NULL, at INTEGER NOT NULL);
         CREATE INDEX row_patient ON row (patient);",
    )?;
    let mut insert = plain.prepare("INSERT INTO row (idx, id, patient, body, at) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    let (mut ours, mut files, mut tables, mut settling) = (Vec::new(), Vec::new(), Vec::new(), Duration::ZERO);
    for index in 0..APPENDS {
        let (draft, at) = (row(index as u64), Instant::now());
        vault.record(vec![draft], vec![]).await?;
        ours.push(at.elapsed());
        // What an append leaves for later is paid for in the average: a batch of the courier's settles what came since.
        if index % BATCH == BATCH - 1 {
            let at = Instant::now();
            vault.waiting(None, 1).await?;
            settling += at.elapsed();
        }
        let at = Instant::now();
        raw.write_all(&body)?;
        raw.sync_data()?;
        files.push(at.elapsed());
        let (id, at) = (Uuid::now_v7(), Instant::now());
        insert.execute(params![index as i64, id.as_bytes(), [7_u8; 16], body, NOW.0])?;
        tables.push(at.elapsed());
    }
    let (file, table) = ("write and fdatasync of the same bytes", "plain SQLite row");
    let each =
        |all: &[Duration], more: Duration| 1e6 * (all.iter().sum::<Duration>() + more).as_secs_f64() / all.len() as f64;
    let (mine, file_each, table_each) =
        (each(&ours, settling), each(&files, Duration::ZERO), each(&tables, Duration::ZERO));
    let figure = |name, ours, peer, unit, goal| Figure { name, ours, peer: Some(peer), unit, goal };
    Ok(vec![
        figure("durable trace append, p50", micros(&mut ours), (file, micros(&mut files)), "us", 2.0),
        figure("durable trace append, p50", micros(&mut ours), (table, micros(&mut tables)), "us", 1.3),
        // Of a rate more is better: the ratio is turned round, so that below the goal is good everywhere.
        figure("durable trace append, time a row on average", mine, (file, file_each), "us", 2.0),
        figure("durable trace append, time a row on average", mine, (table, table_each), "us", 1.3),
    ])
}

/// How many bytes a row of ours is, as it lies there.
fn sealed_length(folder: &Path) -> Done<usize> {
    let journal = Connection::open(folder.join("journal.db"))?;
    let length: u32 = journal.query_row("SELECT length(body) FROM trace WHERE idx = 0", [], |row| row.get(0))?;
    Ok(length as usize)
}

/// Receipts of a journal of a million rows: real ones at both ends, leaves without words between.
async fn proof(folder: &Path) -> Done<Vec<Figure>> {
    let vault = open(folder)?;
    for index in 0..10 {
        vault.record(vec![row(index)], vec![]).await?;
    }
    drop(vault);
    fill(&folder.join("journal.db"), 10, MANY - 10)?;
    let vault = open(folder)?;
    for index in 0..10 {
        vault.record(vec![row(index)], vec![]).await?;
    }
    vault.cover().await?;
    let look = Look::open(folder, None)?;
    let rows: Vec<u64> = (0..10).chain(MANY - 10..MANY).collect();
    look.receipt(0)?;
    let before = resident()?;
    let (mut times, mut hashes) = (Vec::new(), 0);
    for turn in 0..1_000 {
        let at = Instant::now();
        let receipt = look.receipt(rows[turn % rows.len()])?;
        times.push(at.elapsed());
        hashes = hashes.max(receipt.place.path.len());
    }
    let grown = (resident()? - before).max(0.0);
    let alone = |name, ours, unit, goal| Figure { name, ours, peer: None, unit, goal };
    Ok(vec![
        alone("receipt with its inclusion proof at 1,000,000 rows, p50", micros(&mut times) / 1e3, "ms", 1.0),
        alone("hashes in that proof, at most", hashes as f64, "hashes", 20.0),
        alone("memory that 1,000 of them add", grown, "MB", 1.0),
    ])
}

/// A whole export, as `chevet journal verify` reads it, against the SHA-256 of the file.
async fn verify(folder: &Path) -> Done<Vec<Figure>> {
    let vault = open(folder)?;
    let mut written = 0;
    while written < EXPORTED {
        let rows: Vec<Draft> = (0..500).map(|more| row((written + more) as u64)).collect();
        written += rows.len();
        vault.record(rows, vec![]).await?;
    }
    vault.cover().await?;
    let look = Look::open(folder, None)?;
    let file = folder.join("export.jsonl");
    let mut out = std::io::BufWriter::new(File::create(&file)?);
    look.export(&mut out)?;
    out.flush()?;
    let key = VerifyingKey::parse(&look.status()?.device_key);
    let (mut ours, mut peers) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let at = Instant::now();
        let mut verifier = Verifier::new(key.clone());
        let mut read = BufReader::with_capacity(256 * 1024, File::open(&file)?);
        let mut line = Vec::new();
        while read.read_until(b'\n', &mut line)? > 0 {
            verifier.line(line.strip_suffix(b"\n").unwrap_or(&line));
            line.clear();
        }
        let report = verifier.finish();
        ours.push(at.elapsed());
        if !report.ok || report.rows != EXPORTED as u64 {
            return Err(format!("the export does not verify: {report:?}").into());
        }
        let at = Instant::now();
        let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
        let (mut read, mut chunk) = (File::open(&file)?, vec![0; 256 * 1024]);
        loop {
            match read.read(&mut chunk)? {
                0 => break,
                length => context.update(&chunk[..length]),
            }
        }
        std::hint::black_box(context.finish());
        peers.push(at.elapsed());
    }
    let peer = Some(("SHA-256 of its bytes", micros(&mut peers) / 1e3));
    let name = "verify an export of 100,000 rows";
    Ok(vec![Figure { name, ours: micros(&mut ours) / 1e3, peer, unit: "ms", goal: 3.0 }])
}

/// Rows that are only leaves, as pruned ones are, with their tree.
fn fill(journal: &Path, from: u64, to: u64) -> Done<()> {
    let mut database = Connection::open(journal)?;
    let change = database.transaction()?;
    let mut levels: Vec<Vec<tree::Hash>> = vec![Vec::new(); 21];
    {
        let mut known = change.prepare("SELECT leaf FROM trace ORDER BY idx")?;
        let leaves: Vec<tree::Hash> = known.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut put_row = change
            .prepare("INSERT INTO trace (idx, id, body, leaf, local_time, nodes) VALUES (?1, ?2, NULL, ?3, ?4, ?5)")?;
        for index in 0..to {
            let leaf = match leaves.get(index as usize) {
                Some(leaf) => LeafHash(*leaf),
                None => leaf_hash(&index.to_be_bytes()),
            };
            let node = |level: u8, position: u64| Ok(levels[usize::from(level)][position as usize]);
            let made: Result<_, std::convert::Infallible> = tree::append(index, leaf, node);
            let made = made?;
            levels[0].push(leaf.0);
            if index >= from {
                let nodes: Vec<u8> = made.iter().flat_map(|node| node.hash).collect();
                let nodes = (!nodes.is_empty()).then_some(nodes);
                put_row.execute(params![
                    index as i64,
                    Uuid::from_u128(index.into()).as_bytes(),
                    leaf.0,
                    NOW.0,
                    nodes
                ])?;
            }
            for node in made {
                levels[usize::from(node.level)].push(node.hash);
            }
        }
    }
    change.commit()?;
    Ok(())
}

fn open(folder: &Path) -> Done<Vault> {
    let device_key = vault::keys::desk_device_key(folder)?;
    let options = vault::Options {
        folder: folder.to_path_buf(),
        device: vault::keys::device_id(folder)?,
        software: "chevet bench".into(),
        boot: Uuid::from_u128(9),
        device_key,
    };
    Ok(Vault::open(options, NOW)?)
}

fn row(number: u64) -> Draft {
    Draft {
        class: Class::Opened,
        holder: HolderId("899700101340".into()),
        profession: Some(ProfessionCode(60)),
        login: None,
        proof: None,
        situation: None,
        patient: Ins::unchecked("279035121518989", InsKind::Test).ok(),
        document: Some((UniqueId(format!("1.2.250.1.999.{number}")), TypeCode("11488-4".into()))),
        ground: Some(Ground::Team),
        mode: Mode::Normal,
        regime: Regime::ConseilEtat2025,
        rule: "M-01".into(),
        matrix_version: "2026-11".into(),
        reason: None,
        secret: false,
        framework: None,
        source: Source::Online,
        at: Now { since_boot: Duration::from_secs(60), wall: Wall::Is(NOW) },
    }
}

/// The median.
fn micros(times: &mut [Duration]) -> f64 {
    times.sort();
    times.get(times.len() / 2).map_or(0.0, |time| time.as_secs_f64() * 1e6)
}

/// MB of this process in memory.
fn resident() -> Done<f64> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find(|line| line.starts_with("VmRSS")).ok_or("no VmRSS")?;
    let kilobytes: f64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
    Ok(kilobytes / 1024.0)
}

impl Figure {
    fn ratio(&self) -> Option<f64> {
        self.peer.map(|(_, value)| self.ours / value)
    }

    fn is_met(&self) -> bool {
        self.ratio().unwrap_or(self.ours) <= self.goal
    }

    fn json(&self) -> Value {
        json!({
            "figure": self.name,
            "ours": rounded(self.ours),
            "peer": self.peer.map(|(name, _)| name),
            "peer_value": self.peer.map(|(_, value)| rounded(value)),
            "unit": self.unit,
            "ratio": self.ratio().map(rounded),
            "goal": self.goal,
            "met": self.is_met(),
        })
    }

    fn text(&self) -> String {
        let met = if self.is_met() { "met" } else { "not met" };
        match self.peer {
            Some((name, value)) => format!(
                "{}: {:.3} {} beside {value:.3} ({name}), {:.2} of at most {} · {met}",
                self.name,
                self.ours,
                self.unit,
                self.ours / value,
                self.goal
            ),
            None => format!("{}: {:.3} {} of at most {} · {met}", self.name, self.ours, self.unit, self.goal),
        }
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}
