//! A device that nobody touches sleeps: the real program, its window drawn, looked at from outside for a minute. It wakes up when the
//! minute that it shows changes, and for nothing else.

use crate::machine::Machine;
use std::collections::BTreeMap;
use std::time::Duration;

/// How often each thread gave up the processor by itself, by its name; and the ticks that all of them used.
struct Looked {
    slept: BTreeMap<String, u64>,
    ticks: u64,
}

fn look(process: u32) -> Looked {
    let mut slept: BTreeMap<String, u64> = BTreeMap::new();
    let mut ticks = 0;
    for task in std::fs::read_dir(format!("/proc/{process}/task")).expect("it runs").flatten() {
        let read = |name: &str| std::fs::read_to_string(task.path().join(name)).unwrap_or_default();
        let status = read("status");
        let value = |key: &str| status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or("").trim().to_owned();
        *slept.entry(value("Name:")).or_default() += value("voluntary_ctxt_switches:").parse::<u64>().unwrap_or(0);
        // proc(5): after the name in brackets, user and system time are the 12th and 13th.
        let stat = read("stat");
        let fields = stat.rsplit(") ").next().unwrap_or("").split(' ').skip(11).take(2);
        ticks += fields.filter_map(|field| field.parse::<u64>().ok()).sum::<u64>();
    }
    Looked { slept, ticks }
}

/// The clock's minute comes once: the loop draws, the courier asks whether the server is there, over TLS. Each thread that has a hand
/// in it sleeps a few times meanwhile; whatever woke by a second's or some seconds' timer would sleep more often.
const SLEPT_MOST: u64 = 40;
/// Of a desk's window alone: its accessibility bus (zbus) looks around twice a second. An appliance has no such thread.
const OF_A_DESK: &str = "blocking-";
/// A debug build beside other tests; what is promised of a release build is 2. Whatever spins uses thousands.
const TICKS_MOST: u64 = 100;

#[test]
fn an_idle_device_wakes_for_the_minute_alone() {
    let mut machine = Machine::set_up();
    machine.start();
    machine.until("the light that says that all is sent", |page| page.contains("Tout est transmis"));
    // What a start has to do ends in its first minute.
    std::thread::sleep(Duration::from_secs(75));
    let before = look(machine.id());
    std::thread::sleep(Duration::from_secs(60));
    let after = look(machine.id());
    let woke: BTreeMap<&str, u64> = after
        .slept
        .iter()
        .filter(|(name, _)| !name.starts_with(OF_A_DESK))
        .map(|(name, count)| (name.as_str(), count - before.slept.get(name).copied().unwrap_or(0)))
        .collect();
    let all: u64 = woke.values().sum();
    let ticks = after.ticks - before.ticks;
    assert!(all > 0, "the minute changes: {woke:?}");
    assert!(all <= SLEPT_MOST, "{all} times: {woke:?}");
    assert!(ticks <= TICKS_MOST, "{ticks} ticks: {woke:?}");
}
