//! `chevet slots`, as a script sees it on a machine that was started from no slot.

use serde_json::Value;
use serde_json::json;
use std::process::Command;

#[test]
fn the_verb_tells_what_starts_next_and_marks_nothing_that_does_not_run() {
    let boot = tempfile::tempdir().expect("a folder");
    let ask = |verb: &str| {
        let mut chevet = Command::new(env!("CARGO_BIN_EXE_chevet"));
        chevet.args(["slots", verb, "--json", "--boot"]).arg(boot.path()).output().expect("chevet runs")
    };
    let status = ask("status");
    let told: Value = serde_json::from_slice(&status.stdout).expect("JSON");
    assert_eq!(told, json!({"running": null, "first": "A", "left": {"A": 3, "B": 3}}));
    assert_eq!(status.status.code(), Some(0));

    let good = ask("good");
    assert_eq!(good.status.code(), Some(1), "this machine runs from no slot");
    assert!(String::from_utf8_lossy(&good.stderr).contains("names none"));
    assert_eq!(std::fs::read_dir(boot.path()).expect("listed").count(), 0, "nothing was written");

    // A boot partition that cannot be read is no fresh one.
    std::fs::create_dir(boot.path().join("slots-1.env")).expect("in its place");
    assert_eq!(ask("status").status.code(), Some(3));
}
