//! `scripts/bench NAME [--json]`: what is measured, beside what it is measured against in the same run.
//!
//! Exit codes as everywhere: 0 measured (met or not), 2 wrong use, 3 something failed.

mod figure;
#[allow(dead_code)]
mod memory;
mod policy;

use figure::Figure;
use std::process::ExitCode;

#[global_allocator]
static COUNTED: memory::Counted = memory::Counted;

type Bench = fn() -> Result<Vec<Figure>, String>;

/// One line a bench.
const BENCHES: &[(&str, Bench)] = &[("policy", policy::run)];

fn main() -> ExitCode {
    let (flags, names): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|word| word.starts_with("--"));
    let as_json = flags.iter().any(|flag| flag == "--json");
    let wanted = |name: &str| names[0] == "all" || names[0] == name;
    let wrong = flags.iter().any(|flag| flag != "--json") || names.len() != 1;
    if wrong || !BENCHES.iter().any(|(name, _)| wanted(name)) {
        let known: Vec<&str> = BENCHES.iter().map(|(name, _)| *name).collect();
        eprintln!("scripts/bench NAME [--json]; names are: {}, all", known.join(", "));
        return ExitCode::from(2);
    }
    for (name, bench) in BENCHES.iter().filter(|(name, _)| wanted(name)) {
        match bench() {
            Ok(figures) => figures.iter().for_each(|figure| println!("{}", figure.line(as_json))),
            Err(why) => {
                eprintln!("{name}: {why}");
                return ExitCode::from(3);
            }
        }
    }
    ExitCode::SUCCESS
}
