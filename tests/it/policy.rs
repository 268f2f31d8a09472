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
    let (framework, key) = (folder.path().join("cadre.csv"), folder.path().join("desk.key"));
    let line = "CHU-2026-014,CHU de Villeneuve,2020-01-01,2099-12-31\n";
    fs::write(&framework, format!("# chevet-framework: 1\nreference,establishment,from,until\n{line}"))
        .expect("written");
    fs::write(&key, include_str!("../../data/keys/development.key")).expect("written");
    let (framework, key) = (framework.to_str().expect("UTF-8"), key.to_str().expect("UTF-8"));
    let facts = facts.replace('}', &format!(r#","brain_death_framework":"{framework}"}}"#));
    fs::write(path, facts).expect("written");
    assert_eq!(chevet(&ask).0, 3, "it has no signature");
    assert_eq!(json(&["matrix", "sign", framework, "--key", key]).1["version"], "CHU-2026-014");
    assert_eq!(json(&["matrix", "verify", framework]).0, 0);
    assert_eq!(json(&ask).0, 0);
    assert_eq!(json(&[&ask[..], &["--record", "blocked"]].concat()).1["rule"], "R-05");
    assert_eq!(json(&[&ask[..], &["--brain-death=false"]].concat()).1["rule"], "G-01");
    fs::write(framework, fs::read_to_string(framework).expect("read").replace("014", "015")).expect("written");
    let (code, _, err) = chevet(&ask);
    assert!(code == 1 && err.contains("cadre.csv"), "{code} {err}");
    fs::write(path, r#"{"proffesion":10}"#).expect("written");
    let (code, _, err) = chevet(&ask);
    assert!(code == 2 && err.contains("proffesion"), "{code} {err}");
    assert_eq!(chevet(&["policy", "explain", "--facts", "/nowhere/facts.json"]).0, 3);
    assert_eq!(chevet(&["policy", "explain", "--profession", "60", "--ground", "friendship"]).0, 2);
}

#[test]
fn a_team_is_signed_and_verified_and_one_that_is_not_whole_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let (team, key) = (at("equipe.csv"), at("desk.key"));
    fs::write(&key, include_str!("../../data/keys/development.key")).expect("written");
    let head = "# chevet-team: 1\n# establishment: EHPAD Les Tilleuls\nid,role\n";
    fs::write(&team, format!("{head}810000000002,chef\n")).expect("written");
    let (code, _, err) = chevet(&["matrix", "sign", &team, "--key", &key]);
    assert!(code == 1 && err.contains("line 4"), "{code} {err}");
    assert!(!folder.path().join("equipe.sig").exists(), "what cannot be read is not signed");
    fs::write(&team, format!("{head}810000000002,coordinating_doctor\n")).expect("written");
    assert_eq!(json(&["matrix", "sign", &team, "--key", &key]).1["version"], "EHPAD Les Tilleuls");
    assert_eq!(json(&["matrix", "verify", &team]).0, 0);
    fs::write(&team, format!("{head}810000000003,coordinating_doctor\n")).expect("written");
    let (code, refused) = json(&["matrix", "verify", &team]);
    assert!(code == 1 && refused["why"].as_str().is_some_and(|why| why.contains("does not fit")), "{refused}");
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

#[test]
fn every_ask_can_be_explained_and_the_text_is_french() {
    let ask = |rest: &[&str]| {
        let all = [&["policy", "explain", "--profession", "60"], rest].concat();
        let (code, answer) = json(&all);
        (code, answer["rule"].as_str().expect("a rule").to_owned())
    };
    assert_eq!(ask(&["--ground", "authorization"]), (0, "G-01".into()));
    assert_eq!(ask(&["--type", "11505-5", "--ask", "deposit"]), (0, "W-01".into()));
    assert_eq!(ask(&["--type", "11505-5", "--ask", "deposit", "--ins-qualified", "no"]), (1, "W-02".into()));
    assert_eq!(
        ask(&[
            "--type", "11505-5", "--ask", "deposit", "--strict", "--record", "open", "--status", "current", "--label",
            "N"
        ]),
        (1, "W-03".into())
    );
    assert_eq!(ask(&["--ground", "authorization", "--secret-connection"]), (0, "G-01".into()));
    assert_eq!(ask(&["--ground", "authorization", "--secret-connection", "--minor=false"]), (1, "S-01".into()));
    let spoken = ["--ground", "authorization", "--secret-connection", "--by-representative", "yes"];
    assert_eq!(ask(&spoken), (1, "S-05".into()));
    assert_eq!(ask(&["--ground", "break_glass"]), (0, "E-07".into()));
    assert_eq!(ask(&["--ground", "break_glass", "--emergency-allowed=false"]), (1, "E-03".into()));
    assert_eq!(ask(&["--ground", "team", "--given-at", "2099-01-01T00:00:00Z"]), (1, "G-13".into()));
    assert_eq!(ask(&["--training", "--ground", "authorization"]), (1, "I-04".into()));
    let pharmacist = |rest: &[&str]| {
        json(&[&["policy", "explain", "--profession", "21", "--type", "15508-5", "--ground", "team"], rest].concat()).0
    };
    assert_eq!((pharmacist(&[]), pharmacist(&["--section", "G"]), pharmacist(&["--section", "B"])), (0, 0, 1));
    let regime = ["--ground", "team", "--initial-team", "no", "--regime"];
    assert_eq!(ask(&[&regime[..], &["conseil-etat-2025"]].concat()), (1, "G-14".into()));
    assert_eq!(ask(&[&regime[..], &["arrete-2023"]].concat()), (0, "G-02".into()));
    let labels = ["--label", "INVISIBLE_PATIENT", "--label", "MASQUE_PS"];
    assert_eq!(ask(&[&["--type", "15508-5", "--ground", "team"], &labels[..]].concat()), (1, "L-02".into()));

    let (code, text, _) = chevet(&["policy", "explain", "--profession", "60", "--type", "89601-9", "--ground", "team"]);
    assert_eq!(code, 1);
    for part in ["Refusé (M-02)\n", "Source : arrêté du 26 octobre 2023", "type=89601-9", "Supposé : ", "record=open"]
    {
        assert!(text.contains(part), "{part} is missing: {text}");
    }
    assert_eq!(chevet(&["policy", "explain", "--no-such-flag"]).0, 2);
    assert_eq!(chevet(&["policy", "explain", "--type", "15508-5", "--cell", "perhaps"]).0, 2);
}

#[test]
fn a_signed_matrix_and_a_signed_list_are_given_to_a_device() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let (state, key, own) = (at("state"), at("desk.key"), at("own.csv"));
    let on_device = |rest: &[&str]| json(&[rest, &["--state", &state, "--config", "/nowhere/kiosk.toml"]].concat());
    let refused = |rest: &[&str]| chevet(&[rest, &["--state", &state, "--config", "/nowhere/kiosk.toml"]].concat()).0;
    fs::write(&key, include_str!("../../data/keys/development.key")).expect("written");
    let publication = at("publication.csv");
    fs::write(&publication, "classCode,typeCode,typeLabel,60_69\n10,15508-5,x,0\n").expect("written");
    let import = |version: &str, effective: &str| {
        let about = ["--matrix-version", version, "--effective", effective, "--out", &own];
        assert_eq!(on_device(&[&["matrix", "import", &publication], &about[..]].concat()).0, 0);
    };
    assert_eq!(refused(&["matrix", "import", &publication]), 2, "a publication needs a version");
    import("2026-12-01.1", "2020-01-01");
    assert_eq!(refused(&["matrix", "import", &own]), 3, "there is no signature yet");
    assert_eq!(on_device(&["matrix", "sign", &own, "--key", &key]).0, 0);
    let (code, given) = on_device(&["matrix", "import", &own]);
    assert!(
        code == 0 && given["given"].as_str().is_some_and(|path| path.ends_with("matrix-2026-12-01.1.csv")),
        "{given}"
    );
    assert_eq!(on_device(&["matrix", "show"]).1["version"], "2026-12-01.1");
    assert_eq!(refused(&["matrix", "import", &own]), 1, "not newer than itself");
    let explain = ["policy", "explain", "--profession", "60", "--type", "15508-5", "--ground", "team"];
    assert_eq!(on_device(&explain).1["rule"], "M-02", "the new matrix decides");

    // One whose day has not come waits; one that somebody spoilt is left aside, and both are said.
    import("2026-12-02.1", "2099-01-01");
    assert_eq!(on_device(&["matrix", "sign", &own, "--key", &key]).0, 0);
    assert_eq!(on_device(&["matrix", "import", &own]).0, 0);
    let spoilt = format!("{state}/policy/matrix-2026-12-01.1.csv");
    fs::write(&spoilt, fs::read_to_string(&spoilt).expect("read").replace(",0,", ",1,")).expect("written");
    let shown = on_device(&["matrix", "show"]).1;
    assert_eq!((&shown["version"], &shown["waiting"][0]["version"]), (&"2026-11-23.1".into(), &"2026-12-02.1".into()));
    assert_eq!(shown["left_aside"][0]["file"], "matrix-2026-12-01.1.csv");

    let (system, list) = (at("system.json"), at("list.csv"));
    let concepts = r#"{"resourceType":"CodeSystem","concept":[{"code":"60","display":"Infirmière, infirmier"}]}"#;
    fs::write(&system, concepts).expect("written");
    let about =
        ["--list", "professions", "--matrix-version", "2026-12-01.1", "--published", "TRE_G15 2026", "--out", &list];
    let changes = on_device(&[&["matrix", "import", &system], &about[..]].concat()).1;
    assert_eq!(changes["changes"].as_array().map(Vec::len), Some(1), "{changes}");
    assert_eq!(on_device(&["matrix", "sign", &list, "--key", &key]).0, 0);
    assert_eq!(on_device(&["matrix", "verify", &list]).0, 0);
    assert_eq!(on_device(&["matrix", "diff", &list]).1["changes"][0]["after"], "Infirmière, infirmier");
    assert_eq!(on_device(&["matrix", "import", &list]).0, 0);
    assert_eq!(on_device(&["matrix", "show", "--list", "professions"]).1["version"], "TRE_G15 2026");
    assert_eq!(on_device(&["matrix", "show", "--profession", "60"]).1["profession"]["label"], "Infirmière, infirmier");
    assert_eq!(refused(&["matrix", "show", "--list", "colours"]), 2);
    assert_eq!(refused(&["matrix", "diff", &list, "--against", &own]), 2);
}
