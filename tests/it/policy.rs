//! `chevet policy explain` and `chevet matrix …`, as an operator's script sees them: exit codes and JSON.

use serde_json::Value;
use std::fs;
use std::process::Command;

fn chevet(arguments: &[&str]) -> (i32, String, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_chevet")).args(arguments).output().expect("chevet runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (out.status.code().expect("it exits"), text(out.stdout), text(out.stderr))
}

fn json(arguments: &[&str]) -> (i32, Value) {
    let all: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    let (code, out, err) = chevet(&all);
    (code, serde_json::from_str(&out).unwrap_or_else(|e| panic!("{arguments:?}: {e}: {out}{err}")))
}

#[test]
fn explain_answers_with_its_reasons() {
    let ask = ["policy", "explain", "--profession", "60", "--type"];
    let (code, answer) = json(&[&ask[..], &["15508-5", "--ground", "team"]].concat());
    assert_eq!((code, &answer["allow"], &answer["rule"]), (0, &Value::Bool(true), &Value::from("M-01")));
    for key in ["sentence", "law", "facts", "assumed", "obligations"] {
        assert!(!answer[key].is_null(), "{key} is missing");
    }
    assert_eq!(answer["assumed"]["record"], "open");
    assert_eq!(answer["assumed"]["initial_team"], "yes");

    let denials: [(&[&str], &str); 8] = [
        (&["89601-9", "--ground", "team"], "M-02"),
        (&["11490-0", "--ground", "team"], "M-03"),
        (&["99999-9", "--ground", "team"], "M-03"),
        (&["15508-5", "--ground", "team", "--label", "MASQUE_PS"], "L-03"),
        (&["15508-5", "--ground", "team", "--label", "N", "--label", "SECRET"], "L-01"),
        (&["15508-5", "--ground", "team", "--record", "closed_by_patient"], "R-02"),
        (&["15508-5", "--ground", "refused"], "C-01"),
        (&["15508-5", "--ground", "explicit", "--mode", "prefetch"], "P-03"),
    ];
    for (rest, rule) in denials {
        let (code, answer) = json(&[&ask[..], rest].concat());
        assert_eq!((code, answer["rule"].as_str()), (1, Some(rule)), "{rest:?}: {answer}");
    }
}

#[test]
fn strict_assumes_nothing_that_can_be_unknown() {
    let ask = ["policy", "explain", "--profession", "60", "--ground", "team", "--strict"];
    let (code, answer) = json(&ask);
    assert_eq!((code, answer["rule"].as_str()), (1, Some("R-04")));
    let (code, answer) = json(&[&ask[..], &["--record", "open", "--authorization", "valid"]].concat());
    assert_eq!((code, answer["rule"].as_str()), (1, Some("C-02")));
    assert!(answer["assumed"]["initial_team"].is_null(), "{answer}");
}

#[test]
fn facts_come_from_a_file_and_flags_win() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("facts.json");
    let path = path.to_str().expect("UTF-8");
    let ask = ["policy", "explain", "--facts", path];
    let facts = r#"{"profession":10,"ground":"authorization","brain_death":true}"#;
    fs::write(path, facts).expect("written");
    let (code, answer) = json(&ask);
    assert_eq!((code, answer["rule"].as_str()), (1, Some("B-01")));
    fs::write(path, facts.replace('}', r#","brain_death_framework":"CHU-2026-014"}"#)).expect("written");
    assert_eq!(json(&ask).0, 0);
    assert_eq!(json(&[&ask[..], &["--record", "blocked"]].concat()).1["rule"], "R-05");
    fs::write(path, r#"{"proffesion":10}"#).expect("written");
    let (code, _, err) = chevet(&ask);
    assert!(code == 2 && err.contains("proffesion"), "{code} {err}");
    assert_eq!(chevet(&["policy", "explain", "--facts", "/nowhere/facts.json"]).0, 3);
    assert_eq!(chevet(&["policy", "explain", "--profession", "60", "--ground", "friendship"]).0, 2);
}

#[test]
fn a_matrix_is_imported_read_signed_and_verified() {
    let (code, shown) = json(&["matrix", "show", "--profession", "60"]);
    assert_eq!((code, &shown["known"], &shown["cells"]), (0, &Value::from(297), &Value::from(1326)));
    assert_eq!(json(&["matrix", "verify"]).0, 0);
    let (code, refused) = json(&["matrix", "verify", "--production"]);
    assert!(code == 1 && refused["ok"] == false, "{refused}");

    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let (publication, own, key) = (at("publication.csv"), at("own.csv"), at("desk.key"));
    fs::write(&publication, "classCode,typeCode,typeLabel,60_69\n10,15508-5,x,0\n").expect("written");
    fs::write(&key, include_str!("../../data/keys/development.key")).expect("written");
    let import = |version: &str| {
        json_or_not(&[
            "matrix",
            "import",
            &publication,
            "--matrix-version",
            version,
            "--effective",
            "2026-12-01",
            "--out",
            &own,
        ])
    };
    assert_eq!(import("2020-01-01.1"), 1, "older");
    assert_eq!(import("2026-12-01.1"), 0);
    let (code, difference) = json(&["matrix", "diff", &own]);
    let turned = difference["changes"].as_array().expect("changes").iter();
    let turned = turned.filter(|change| change["before"] == "yes" && change["after"] == "no").count();
    assert_eq!((code, turned), (0, 1));
    assert_eq!(chevet(&["matrix", "verify", &own]).0, 3, "there is no signature yet");
    assert_eq!(chevet(&["matrix", "sign", &own, "--key", &key]).0, 0);
    assert_eq!(chevet(&["matrix", "verify", &own]).0, 0);
    let text = fs::read_to_string(&own).expect("read").replace("15508-5,60_69,0", "15508-5,60_69,1");
    fs::write(&own, text).expect("written");
    assert_eq!(chevet(&["matrix", "verify", &own]).0, 1);
}

fn json_or_not(arguments: &[&str]) -> i32 {
    chevet(arguments).0
}
