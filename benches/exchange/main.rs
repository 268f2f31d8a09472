//! To and fro over a bad line, beside its peers: an evening's delivery, the bytes of a trace, the morning's round, the round
//! trips until a list shows, and the memory of a large download.
//!
//! Run by `scripts/bench.d/exchange`, as root of some namespace: the line is two network namespaces of its own (`tests/wire`),
//! the rate the kernel's, and what speaks over it the kernel's TCP under the congestion control that is in force.

mod evening;
mod figure;
#[path = "../memory.rs"]
#[allow(dead_code)]
mod memory;
mod round;
mod stage;
#[path = "../../tests/wire/mod.rs"]
#[allow(dead_code)]
mod wire;

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;

#[global_allocator]
static ALLOCATOR: memory::Counted = memory::Counted;

type Done<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Done<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    // The whole round takes a quarter of an hour on this line, and its figure is the same.
    let (rows, patients) = if has("--whole") { (10_000, 20) } else { (10_000, 4) };
    let folder = PathBuf::from(format!("target/bench-exchange-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let folder = folder.canonicalize()?;
    let measured = measure(&folder, rows, patients, has("--json"));
    std::fs::remove_dir_all(&folder)?;
    measured
}

fn measure(folder: &std::path::Path, rows: u64, patients: usize, as_json: bool) -> Done<()> {
    let stage = stage::Stage::set(folder)?;
    let control = std::fs::read_to_string("/proc/sys/net/ipv4/tcp_congestion_control")?;
    eprintln!("congestion control: {}", control.trim());
    let mut out = std::io::stdout().lock();
    for figures in [round::measure(&stage, folder, patients)?, evening::measure(&stage, folder, rows)?] {
        for figure in figures {
            writeln!(out, "{}", figure.line(as_json))?;
        }
    }
    Ok(())
}
