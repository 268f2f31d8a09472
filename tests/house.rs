//! The walls of the house: which room may use which, and what pure rooms may never touch.
//!
//! A text check, not a compiler: `use crate::room::Thing;` is written one a line, so that it stays exact. Each check
//! has a counter-check on made-up text, so that a check that cannot fail would be seen.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// The table is the architecture. A room may use itself, and these.
const MAY_USE: &[(&str, &[&str])] = &[
    ("say", &[]),
    ("time", &[]),
    ("secret", &[]),
    ("trouble", &["say"]),
    ("identity", &["secret", "time"]),
    ("patient", &["time"]),
    ("record", &["identity", "patient", "time"]),
    ("journal", &["identity", "patient", "record", "secret", "time"]),
    ("policy", &["identity", "journal", "patient", "record", "say", "time"]),
    ("visit", &["identity", "journal", "patient", "policy", "record", "say", "secret", "time", "trouble"]),
    (
        "screen",
        &["identity", "journal", "paper", "patient", "policy", "record", "say", "secret", "time", "trouble", "visit"],
    ),
    ("paper", &["record"]),
    ("link", &["secret", "time"]),
    ("card", &["identity", "secret", "time"]),
    ("ecps", &["identity", "link", "secret", "time"]),
    ("vault", &["identity", "journal", "patient", "record", "secret", "time"]),
    ("exchange", &["identity", "journal", "link", "patient", "record", "secret", "time"]),
    ("render", &["record", "secret", "time"]),
    ("device", &["link", "secret", "time"]),
    ("config", &["device", "journal", "say", "vault"]),
    (
        "kiosk",
        &[
            "card", "config", "device", "ecps", "exchange", "identity", "journal", "link", "paper", "patient",
            "policy", "record", "render", "say", "screen", "secret", "time", "trouble", "vault", "visit",
        ],
    ),
    // The operator's verbs use the drivers without a visit.
    (
        "cli",
        &[
            "card", "config", "device", "ecps", "exchange", "identity", "journal", "kiosk", "link", "patient",
            "policy", "record", "render", "sandbox", "say", "screen", "secret", "time", "trouble", "vault",
        ],
    ),
    // Not part of an image.
    (
        "sandbox",
        &[
            "card", "config", "exchange", "identity", "journal", "kiosk", "link", "patient", "policy", "record",
            "render", "say", "screen", "secret", "time", "trouble", "vault", "visit",
        ],
    ),
];

/// Rooms and files without I/O, clocks or chance: all of it reaches them as values.
const PURE: &[&str] = &[
    "visit/",
    "policy/",
    "identity/",
    "record/",
    "patient/",
    "paper/",
    "journal/",
    "say.rs",
    "secret.rs",
    "time.rs",
    "trouble.rs",
    "screen/view.rs",
    "screen/agreements.rs",
    "screen/ahead.rs",
    "screen/before.rs",
    "screen/gate.rs",
    "screen/gentle.rs",
    "screen/spoken.rs",
    "screen/within.rs",
    "screen/words.rs",
    "screen/labels.rs",
    "screen/leaves.rs",
    "screen/reasons.rs",
    "screen/consent_text.rs",
    "screen/form.rs",
    "screen/pad.rs",
    "screen/paper.rs",
    "screen/printing.rs",
    "screen/sheet.rs",
    "screen/tray.rs",
    "screen/writing.rs",
    "screen/phone.rs",
    "exchange/outbox.rs",
    "exchange/outbox/",
    "exchange/search.rs",
    "exchange/dmp/c14n.rs",
    "exchange/dmp/deposit.rs",
    "exchange/dmp/ebrim.rs",
    "exchange/dmp/entry.rs",
    "exchange/dmp/entry/",
    "exchange/dmp/habilitation.rs",
    "exchange/dmp/multipart.rs",
    "exchange/dmp/names.rs",
    "exchange/dmp/query.rs",
    "exchange/dmp/retrieve.rs",
    "exchange/dmp/said.rs",
    "exchange/dmp/signature.rs",
    "exchange/dmp/soap.rs",
    "exchange/dmp/state.rs",
    "exchange/dmp/update.rs",
    "exchange/dmp/vihf.rs",
    "exchange/dmp/xml.rs",
    "card/words.rs",
    "card/pkcs15.rs",
    "ecps/answer.rs",
    "ecps/poll.rs",
    "card/pinpad.rs",
    "card/known.rs",
];

/// What a pure file may not mention.
const OUTSIDE: &[&str] = &[
    "tokio",
    "rusqlite",
    "pcsc",
    "slint",
    "reqwest",
    "hyper",
    "rustix",
    "tracing",
    "std::fs",
    "std::net",
    "std::io",
    "std::env",
    "std::thread",
    "std::process",
    "Instant::now",
    "SystemTime",
    "Timestamp::now",
    "Zoned::now",
    "Uuid::now",
    "Uuid::new_v7",
    "Uuid::new_v4",
    "SystemRandom",
    "rand::fill",
    "getrandom",
    "println!",
    "eprintln!",
    "dbg!",
];

/// Names of rooms that name nobody's job.
const NO_ROOM: &[&str] = &["utils", "util", "common", "manager", "helper", "helpers", "misc"];

/// Who may hold `unsafe`: nobody yet.
const UNSAFE: &[&str] = &[];

#[test]
fn rooms_use_only_what_the_table_allows() {
    let wrong: Vec<String> = sources().iter().flat_map(|(path, text)| walls(path, text)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn pure_files_touch_nothing_outside() {
    let wrong: Vec<String> = sources().iter().flat_map(|(path, text)| purity(path, text)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_vault_says_that_a_trace_is_committed() {
    let wrong: Vec<String> = sources().iter().flat_map(|(path, text)| mint(path, text)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_bridge_knows_slint() {
    for (path, text) in sources() {
        let knows = outside_tests(&text).lines().any(|line| !is_comment(line) && line.contains("slint::"));
        let may = path == "screen/bridge.rs" || path.starts_with("screen/bridge/") || path.starts_with("sandbox/");
        assert!(!knows || may, "{path} mentions slint::");
    }
}

/// pcscd writes PINs down when it is asked to write commands down, and so does its spy.
#[test]
fn nobody_has_the_service_write_commands_down() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut looked_at = 0;
    for folder in ["src", "ui", "scripts", "benches", "data", "docs", "fuzz/src", ".ci"] {
        let Ok(files) = files_below(&root.join(folder)) else { continue };
        for path in files {
            let Ok(text) = fs::read_to_string(&path) else { continue };
            looked_at += 1;
            let wrong = writes_commands_down(&text);
            assert!(wrong.is_none(), "{}: {wrong:?}", path.display());
        }
    }
    assert!(looked_at > 200, "{looked_at} files");
}

#[test]
fn every_file_says_what_it_is_for_and_has_a_room() {
    for (path, text) in sources() {
        assert!(text.starts_with("//!"), "{path} does not open with //!");
        let room = room_of(&path);
        assert!(
            MAY_USE.iter().any(|(name, _)| *name == room) || path == "lib.rs" || path == "main.rs",
            "{path}: no room"
        );
        let stem = Path::new(&path).file_stem().and_then(|s| s.to_str()).unwrap_or("");
        assert!(!NO_ROOM.contains(&stem) && !NO_ROOM.contains(&room), "{path}: a name that names nobody's job");
        let unsafe_here = text.lines().any(|line| !is_comment(line) && line.contains("unsafe {"));
        assert!(!unsafe_here || UNSAFE.contains(&path.as_str()), "{path}: unsafe");
        let unfinished = ["todo!(", "unimplemented!(", "#[ignore", "FIXME"].iter().find(|word| text.contains(*word));
        assert!(unfinished.is_none(), "{path}: {unfinished:?}");
    }
}

#[test]
fn the_checks_can_fail() {
    assert_eq!(
        walls("visit/step.rs", "use crate::kiosk::perform::Perform;"),
        ["visit/step.rs: visit may not use kiosk"]
    );
    assert_eq!(walls("card/apdu.rs", "    crate::vault::Vault::open()"), ["card/apdu.rs: card may not use vault"]);
    assert!(walls("visit/step.rs", "use crate::policy::decide;").is_empty());
    assert_eq!(purity("time.rs", "let now = SystemTime::now();").len(), 1);
    assert!(purity("link/mod.rs", "let now = SystemTime::now();").is_empty());
    assert!(purity("time.rs", "// SystemTime is never read here").is_empty());
    assert_eq!(mint("exchange/upstream.rs", "let done = pending.committed();").len(), 1);
    assert_eq!(mint("kiosk/perform.rs", "seal(held.for_storage());").len(), 1);
    assert_eq!(mint("kiosk/perform/attest.rs", "show(next.unseen.show_to_worker());").len(), 1);
    assert_eq!(mint("kiosk/perform/attest.rs", "show(words.for_storage());").len(), 1);
    assert!(mint("vault/journal.rs", "let done = pending.committed();").is_empty());
    assert!(writes_commands_down("exec /usr/sbin/pcscd --foreground --apdu").is_some());
    assert!(writes_commands_down("PCSCD_ARGS=\"-f -a\" # pcscd").is_some());
    assert!(writes_commands_down("args([\"--foreground\", \"--apdu\"])").is_some());
    assert!(writes_commands_down("LD_PRELOAD=libpcscspy.so").is_some());
    assert!(writes_commands_down("pcscd --foreground --config readers").is_none());
    assert!(mint("journal/leaf.rs", "#[cfg(test)]\nmod tests { fn f() { p.committed(); } }").is_empty());
}

fn walls(path: &str, text: &str) -> Vec<String> {
    let room = room_of(path);
    let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == room) else { return Vec::new() };
    let mut wrong = Vec::new();
    for line in text.lines().filter(|line| !is_comment(line)) {
        for (at, _) in line.match_indices("crate::") {
            let used: String =
                line[at + "crate::".len()..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if used != room && !allowed.contains(&used.as_str()) {
                wrong.push(format!("{path}: {room} may not use {used}"));
            }
        }
    }
    wrong
}

fn purity(path: &str, text: &str) -> Vec<String> {
    if !PURE.iter().any(|pure| path == *pure || (pure.ends_with('/') && path.starts_with(pure))) {
        return Vec::new();
    }
    let body = outside_tests(text);
    let lines = body.lines().filter(|line| !is_comment(line));
    lines
        .flat_map(|line| OUTSIDE.iter().filter(move |word| line.contains(**word)).map(move |word| (line, word)))
        .map(|(line, word)| format!("{path}: a pure file mentions {word}: {}", line.trim()))
        .collect()
}

fn mint(path: &str, text: &str) -> Vec<String> {
    let doors = [(".committed()", "vault/"), (".for_storage()", "vault/"), (".show_to_worker()", "render/")];
    let body = outside_tests(text);
    let called = doors.iter().filter(|(door, _)| body.lines().any(|line| !is_comment(line) && line.contains(door)));
    called.filter(|(_, room)| !path.starts_with(room)).map(|(door, _)| format!("{path} calls {door}")).collect()
}

/// Tests stand last in a file.
fn outside_tests(text: &str) -> String {
    text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text).to_owned()
}

fn writes_commands_down(text: &str) -> Option<&str> {
    let words = |line: &str| {
        line.split(|c: char| !(c.is_alphanumeric() || c == '-')).any(|word| matches!(word, "--apdu" | "-a" | "-afd"))
    };
    text.lines()
        .find(|line| (line.contains("pcscd") && words(line)) || line.contains("--apdu") || line.contains("pcscspy"))
}

fn files_below(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)?.flatten() {
        let path = entry.path();
        match entry.file_type()?.is_dir() {
            true => found.extend(files_below(&path)?),
            false => found.push(path),
        }
    }
    Ok(found)
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

fn room_of(path: &str) -> &str {
    path.split('/').next().unwrap_or(path).trim_end_matches(".rs")
}

/// Path below `src/`, and text.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("src can be listed").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(&root).expect("below src").to_string_lossy().replace('\\', "/");
                found.push((name, fs::read_to_string(&path).expect("source is text")));
            }
        }
    }
    assert!(found.len() > 20, "the house was not found");
    found
}
