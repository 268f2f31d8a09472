//! P10 in memory: what a core of the running kiosk holds. The real program; a card with a PIN of eight digits; a record and
//! two documents read; the card out. gcore takes what a debugger of the machine's master can take.
//!
//! A needle that is not found proves nothing by itself: so a word of the settings must be found in every core, and while a
//! document is open its title, its text, the patient's name and the keys must be.

use crate::burglar::Burglar;
use crate::machine::Canary;
use crate::machine::Machine;
use crate::needles::Needle;
use crate::needles::find;
use crate::needles::spellings;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

#[test]
fn a_core_tells_neither_pin_nor_keys_nor_who_was_read() {
    let mut machine = Machine::set_up();
    machine.start();
    machine.insert("nurse", PIN);
    machine.log_in(PIN);
    let verified = core(&machine, "verified");

    machine.open_record();
    machine.read(&machine.patient, 0);
    machine.back_to_the_list();
    machine.read(&machine.patient, 1);
    let open = core(&machine, "open");

    let signatures = machine.pull();
    machine.until("all delivered", |page| page.contains("Tout est transmis"));
    std::thread::sleep(QUIET);
    let after = core(&machine, "after");
    assert_locked(&machine);
    machine.kill();

    let mut needles = vec![Needle::new(SETTINGS, machine.site.as_bytes())];
    needles.extend([pin(), keys(&machine), given(&signatures), read(&machine.patient)].concat());
    let found = [verified, open, after].map(|core| {
        let bytes = std::fs::read(core).expect("a core");
        [find(&bytes, &needles), spaced(&bytes)].concat()
    });
    let is_there = |found: &[String], what: &str| found.iter().any(|found| found.starts_with(what));
    assert!(found.iter().all(|found| is_there(found, SETTINGS)), "no canary, so nothing is proven: {found:#?}");
    for what in [
        "the compartment key (first half)",
        "the title in UTF-8",
        "the text in UTF-8",
        "the INS in UTF-8",
        "a signature in a token",
    ] {
        assert!(is_there(&found[1], what), "{what} is not found while it is there, so nothing is proven: {found:#?}");
    }
    let [verified, open, after] = found.each_ref().map(Vec::as_slice);
    assert_only(&[VISIT, &[SETTINGS]].concat(), verified, "once VERIFY has returned");
    assert_only(&[VISIT, &[SETTINGS]].concat(), open, "while a document is open");
    assert_only(&[SETTINGS], after, "after the card");
}

fn assert_only(may: &[&str], found: &[String], when: &str) {
    let leaks: Vec<&String> = found.iter().filter(|found| !may.iter().any(|may| found.starts_with(may))).collect();
    assert!(leaks.is_empty(), "{when}: {leaks:#?}");
}

const SETTINGS: &str = "a word of the settings";
/// What a visit has in memory while it lasts: what is on its pages, and of all keys the compartment's own and its desk's; a
/// patient's shred secret too, which whoever has the device key and the disk has anyway.
const VISIT: &[&str] = &[
    "the compartment key",
    // A token goes with each question to the server; the others are on their way into the journal.
    "a signature",
    "the desk's cipher",
    "the shred secret",
    "the title",
    "the author",
    "the text",
    "the patient's name",
    "the patient's given name",
    "the INS",
];

/// By the machine's master, whom no flag of ours keeps out.
fn core(machine: &Machine, when: &str) -> PathBuf {
    let path = machine.folder.path().join(format!("core-{when}"));
    let said = Command::new("gdb")
        .args(["-nx", "-batch", "-p", &machine.id().to_string()])
        .args(["-ex", "set use-coredump-filter off", "-ex", "set dump-excluded-mappings on", "-ex"])
        .arg(format!("gcore {}", path.display()))
        .output()
        .expect("gdb starts: install the Debian package gdb");
    let said = String::from_utf8_lossy(&said.stdout).into_owned() + &String::from_utf8_lossy(&said.stderr);
    assert!(path.exists(), "no core {when}:\n{said}");
    path
}

/// No core dump by the kernel, and no page in the swap where the system allows that; where not, the log says so.
fn assert_locked(machine: &Machine) {
    let about = |file: &str| std::fs::read_to_string(format!("/proc/{}/{file}", machine.id())).expect("proc");
    let of = |text: &str, line: &str| text.lines().find(|found| found.starts_with(line)).unwrap_or_default().to_owned();
    let core = of(&about("limits"), "Max core file size");
    assert_eq!(core.split_whitespace().skip(4).collect::<Vec<_>>(), ["0", "0", "bytes"], "{core}");
    let locked = of(&about("status"), "VmLck:");
    let is_locked = locked.split_whitespace().nth(1) != Some("0");
    // With CAP_IPC_LOCK, or without a limit, nothing stands in its way.
    let may =
        of(&about("status"), "CapEff:").split_whitespace().nth(1).and_then(|may| u64::from_str_radix(may, 16).ok());
    let limit = of(&about("limits"), "Max locked memory");
    let is_free = may.expect("capabilities") >> 14 & 1 == 1 || limit.split_whitespace().nth(3) == Some("unlimited");
    assert!(is_locked || !is_free, "{locked}, {limit}");
    let (log, says) = (machine.log(), ["no page of this process can reach the swap", "pages may reach the swap"]);
    assert_eq!((log.contains(says[0]), log.contains(says[1])), (is_locked, !is_locked), "{locked}");
}

fn pin() -> Vec<Needle> {
    let digits: Vec<u8> = PIN.bytes().map(|digit| digit - b'0').collect();
    let packed: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    [("ASCII", PIN.as_bytes()), ("BCD", &packed)]
        .map(|(form, bytes)| Needle::new(&format!("the PIN as {form}"), bytes))
        .into()
}

/// The PIN digit by digit, as numbers or letters, each as far from the last: as an array of any width keeps them, or a queue
/// whose places are used again and not wiped.
fn spaced(hay: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for zero in [0, b'0'] {
        let digits: Vec<u8> = PIN.bytes().map(|digit| digit - b'0' + zero).collect();
        for at in memchr::memchr_iter(digits[0], hay) {
            let is_there = |step: &usize| {
                digits.iter().enumerate().all(|(place, digit)| hay.get(at + place * step) == Some(digit))
            };
            let steps = (1..=STEP_MAX).filter(is_there);
            found.extend(steps.map(|step| format!("the PIN's digits, one in {step} bytes from {at:#x} on")));
        }
    }
    found
}

fn keys(machine: &Machine) -> Vec<Needle> {
    let burglar = Burglar::enter(&machine.stage.state);
    let loot = burglar.crack(&machine.desk.pki, &Machine::nurse(), &machine.patient.patient.ins);
    let (head, tail) = (&loot.signature[..32], &loot.signature[loot.signature.len() - 32..]);
    let mut keys = vec![
        ("the card's signature", head),
        ("the end of the card's signature", tail),
        ("the key-encryption key", &loot.kek),
        ("the compartment key", &loot.compartment),
        ("the patient key", &loot.patient),
        ("the shred secret", &loot.shred),
    ];
    keys.extend(loot.ciphers.iter().map(|(what, key)| (*what, key.as_slice())));
    // Half a key is looked for: registers and moves cut them into pieces.
    let halves = |(what, bytes): (&str, &[u8])| {
        let (first, second) = bytes.split_at(16);
        [Needle::new(&format!("{what} (first half)"), first), Needle::new(&format!("{what} (second half)"), second)]
    };
    keys.into_iter().flat_map(halves).collect()
}

/// Whatever the card signed: its login, its compartment, tokens, countersignatures; as bytes, and as a token carries them.
fn given(signatures: &[Vec<u8>]) -> Vec<Needle> {
    assert!(signatures.len() >= 4, "a login, a compartment, a token, a countersignature: {}", signatures.len());
    let of = |signature: &Vec<u8>| {
        let in_token = URL_SAFE_NO_PAD.encode(signature);
        let end = signature.len() - 16;
        [
            Needle::new("a signature (beginning)", &signature[..16]),
            Needle::new("a signature (end)", &signature[end..]),
            Needle::new("a signature in a token", &in_token.as_bytes()[..32]),
            Needle::new("a signature in a token (end)", &in_token.as_bytes()[in_token.len() - 32..]),
        ]
    };
    signatures.iter().flat_map(of).collect()
}

/// Whatever the patient and their documents are called, and say.
fn read(canary: &Canary) -> Vec<Needle> {
    canary.words().into_iter().flat_map(|(what, word)| spellings(what, word)).collect()
}

/// Eight digits, so that it is no number that happens to be there.
const PIN: &str = "70395184";
/// Wider than anything that a digit travels in.
const STEP_MAX: usize = 512;
/// What delivers and what countersigns has come to rest.
const QUIET: Duration = Duration::from_secs(3);
