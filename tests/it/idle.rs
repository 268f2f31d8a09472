//! A device that nobody touches sleeps: the real program, its window drawn, looked at from outside for a minute. It wakes up when the
//! minute that it shows changes, and for nothing else.

use crate::machine::Machine;
use std::collections::BTreeMap;
use std::time::Duration;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

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

/// How far into the clock's minute all that it brings is over: the page drawn, the server asked, over TLS, whether it is there.
const OVER_S: u64 = 12;
/// So long is looked, within the same minute.
const STILL_S: u64 = 42;
/// A timer of five seconds would wake it eight times.
const SLEPT_MOST: u64 = 6;
/// Of a desk's window alone: its accessibility bus (zbus) looks around twice a second. An appliance has no such thread.
const OF_A_DESK: &str = "blocking-";
/// In a debug build with that bus; what is promised of a release build is 2, in a whole minute.
const TICKS_MOST: u64 = 10;

/// What happened between two looks.
#[derive(Debug)]
struct Stretch {
    woke: BTreeMap<String, u64>,
    ticks: u64,
}

impl Stretch {
    fn between(before: &Looked, after: &Looked) -> Stretch {
        let woke = after
            .slept
            .iter()
            .filter(|(name, _)| !name.starts_with(OF_A_DESK))
            .map(|(name, count)| (name.clone(), count - before.slept.get(name).copied().unwrap_or(0)))
            .collect();
        Stretch { woke, ticks: after.ticks - before.ticks }
    }

    fn slept(&self) -> u64 {
        self.woke.values().sum()
    }
}

fn sleep_until_second(second: u64) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let into_minute = Duration::from_secs(now.as_secs() % 60) + Duration::from_nanos(now.subsec_nanos().into());
    let wait = (Duration::from_secs(60 + second) - into_minute).as_secs_f64() % 60.0;
    std::thread::sleep(Duration::from_secs_f64(wait));
}

#[test]
fn an_idle_device_wakes_for_the_minute_alone() {
    let mut machine = Machine::set_up();
    machine.start();
    machine.until("the light that says that all is sent", |page| page.contains("Tout est transmis"));
    // What a start has to do ends in its first minute.
    std::thread::sleep(Duration::from_secs(61));
    sleep_until_second(OVER_S);
    let before = look(machine.id());
    std::thread::sleep(Duration::from_secs(STILL_S));
    let still = look(machine.id());
    sleep_until_second(OVER_S);
    let minute = Stretch::between(&still, &look(machine.id()));
    let still = Stretch::between(&before, &still);
    assert!(still.slept() <= SLEPT_MOST && still.ticks <= TICKS_MOST, "it is not still: {still:?}");
    assert!(minute.slept() > 0, "the minute changes: {minute:?}");
}
