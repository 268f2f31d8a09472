//! A bad line, all at once: 200 kbit/s, 600 ms there and back, 5 % lost each way, by the netem of a kernel that nobody here wrote
//! (`guest`). Over it the whole kiosk, a card in the real pcscd, and the sandbox's DMP at the far end: an evening's delivery and a
//! round, the line gone for more than two minutes in the middle of each. What is asserted is what arrives and what was said of it
//! meanwhile, never how soon; that the line was bad is measured before (`probe`).

mod evening;
mod guest;
mod probe;
mod round;

use crate::desk::with_card_for;
use crate::line::guest::BAD;
use crate::line::guest::Line;
use crate::line::probe::Seen;
use crate::person::Person;
use crate::person::runtime;
use crate::person::stage;
use chevet::device::clock;
use chevet::identity::holder::HolderId;
use chevet::identity::holder::ProfessionCode;
use chevet::journal::Draft;
use chevet::journal::consent::Answer;
use chevet::journal::consent::Said;
use chevet::journal::consent::Scope;
use chevet::journal::consent::Shown;
use chevet::journal::consent::Speaker;
use chevet::journal::words::Class;
use chevet::journal::words::Ground;
use chevet::journal::words::Mode;
use chevet::journal::words::Regime;
use chevet::journal::words::Source;
use chevet::patient::ins::Ins;
use chevet::patient::ins::InsKind;
use chevet::sandbox::dmp;
use chevet::sandbox::dmp::Running;
use chevet::sandbox::people::Case;
use chevet::sandbox::people::Content;
use chevet::sandbox::people::NURSE;
use chevet::sandbox::people::Paper;
use chevet::sandbox::people::People;
use chevet::sandbox::people::Person as Patient;
use chevet::sandbox::people::Standing;
use chevet::sandbox::stage::Stage;
use chevet::time::Now;
use chevet::time::UnixSeconds;
use chevet::time::Wall;
use chevet::vault;
use chevet::vault::Look;
use chevet::vault::Status;
use chevet::vault::Vault;
use chevet::vault::provider;
use chevet::vault::provider::Sources;
use serde_json::Value;
use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// How long the line is gone.
const GONE: Duration = Duration::from_secs(130);
/// Of what arrives some day.
const PATIENCE: Duration = Duration::from_secs(900);
/// Of one test's whole child.
const CHILD: Duration = Duration::from_secs(1_800);

/// Whoever asks what a line is like must be able to hear that it is fine.
#[test]
fn a_line_that_is_not_bad_is_told_from_one_that_is() {
    let line = Line::lay();
    for (quality, lacks) in [
        ("rate 200kbit delay 300ms limit 50", "loss"),
        ("rate 200kbit loss 5% limit 50", "delay"),
        ("delay 300ms loss 5% limit 200", "rate"),
    ] {
        line.be(quality);
        let complaint = Seen::of(&line).is_bad().expect_err(quality);
        assert!(complaint.contains(&format!("not the {lacks} of")), "{quality}: {complaint}");
    }
}

/// A line that is as bad as it should be, for a body that stands at its near end and a server at its far end.
fn over_a_bad_line(people: People, body: impl FnOnce(&Line, &Running, Stage) + Send) {
    let line = Line::lay();
    line.be(BAD);
    Seen::of(&line).is_bad().expect("a bad line");
    let folder = tempfile::tempdir().expect("a folder");
    // What else a stage has is on the near side: nothing of it is asked for.
    let mut stage = line.near(|| stage(folder.path()));
    stage.stop_dmp();
    let options = dmp::Options { pki: stage.pki.clone(), people, port: 0, card_port: 0, web_port: 0, snapshot: None };
    let server = line.far(|| dmp::start_at_the_end(options)).expect("a server at the far end");
    move_to(&stage.settings, &server.base_url);
    line.near(|| body(&line, &server, stage));
    Seen::of(&line).is_bad().expect("a bad line to the end");
}

/// The settings name that server. Nobody touches the screen while a line is gone: the page waits as long as pages may.
fn move_to(settings: &Path, base_url: &str) {
    let text = std::fs::read_to_string(settings).expect("settings");
    let (before, rest) = text.split_once("[upstream]\nurl = \"").expect("an upstream");
    let (_, after) = rest.split_once('"').expect("its end");
    let text = format!("{before}[upstream]\nurl = \"{base_url}\"{after}\n[pace]\nlock_s = 900\n");
    std::fs::write(settings, text).expect("written");
}

/// A state folder as an earlier day left it.
fn before(stage: &Stage, work: impl AsyncFnOnce(&Vault)) {
    std::fs::create_dir_all(&stage.state).expect("a folder");
    let sources = Sources { state: &stage.state, credentials: None, tpms: Path::new(provider::TPMS) };
    let options = vault::Options {
        folder: stage.state.clone(),
        device: vault::keys::device_id(&stage.state).expect("a name"),
        software: "chevet test".to_owned(),
        boot: clock::boot(),
        device_key: provider::device_key(sources).expect("a key").key,
    };
    let vault = Vault::open(options, now()).expect("the vault opens");
    runtime().block_on(work(&vault));
}

/// What lies in the state folder, as anybody sees it from outside.
fn status(stage: &Stage) -> Status {
    Look::open(&stage.state, None).expect("a look").status().expect("a status")
}

/// The operator's own words about it.
fn sync_status(stage: &Stage) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chevet"));
    let said = command.args(["sync", "status", "--json", "--state"]).arg(&stage.state).output().expect("it runs");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    serde_json::from_slice(&said.stdout).expect("JSON")
}

/// That many patients, of whom the nurse has an authorization and each of whom has ten documents: most are letters of a few KB, one in
/// twenty is a scan of 250 KB that no gzip makes smaller.
fn patients(count: usize) -> People {
    let all = People::generate(2026, now());
    let model = all.of(Case::Authorized).expect("somebody stands for it");
    let letter = model.papers.iter().find(|paper| paper.mime == "text/xml").expect("a letter");
    let persons = (0..count).map(|number| {
        let paper = |place: usize| {
            let order = number * DOCUMENTS + place;
            if order % 20 == 7 { scan(letter, order) } else { copy(letter, order) }
        };
        let papers = (0..DOCUMENTS).map(paper).collect();
        let mut person = Patient { papers, standing: vec![Standing::Valid(NURSE)], ..model.clone() };
        person.patient.ins = ins(number);
        person
    });
    People { persons: persons.collect(), today: all.today }
}

fn copy(model: &Paper, order: usize) -> Paper {
    Paper {
        unique_id: format!("1.2.250.1.213.1.4.10.98.{order}"),
        entry_id: format!("b{order}"),
        logical_id: format!("00000000-0000-4000-8000-{order:012}"),
        type_code: RESULTS,
        labels: vec!["N"],
        ..model.clone()
    }
}

fn scan(model: &Paper, order: usize) -> Paper {
    let mut bytes = vec![0; 250_000];
    fastrand::Rng::with_seed(order as u64).fill(&mut bytes);
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &bytes);
    Paper {
        mime: "application/pdf",
        claimed_size: bytes.len() as u64,
        claimed_sha1: digest.as_ref().try_into().ok(),
        content: Content::Bytes(bytes.into()),
        ..copy(model, order)
    }
}

fn ins(number: usize) -> Ins {
    Ins::unchecked(&format!("{:015}", 255_069_999_900_000 + number), InsKind::Test).expect("fifteen digits")
}

/// A row of the day before, by one of nine colleagues.
fn row(number: usize, patient: Ins) -> Draft {
    Draft {
        class: Class::Listed,
        holder: colleague(number),
        profession: Some(ProfessionCode(60)),
        login: Some(0),
        proof: None,
        situation: None,
        patient: Some(patient),
        document: None,
        ground: Some(Ground::Team),
        mode: Mode::Normal,
        regime: Regime::ConseilEtat2025,
        rule: "M-01".into(),
        matrix_version: "2026-11".into(),
        reason: None,
        secret: false,
        framework: None,
        source: Source::Cached,
        at: yesterday(number),
    }
}

fn colleague(number: usize) -> HolderId {
    HolderId(format!("89970000{:04}", number % 9))
}

/// What a patient said to the nurse.
fn said(patient: Ins, scope: Scope) -> Said {
    Said {
        patient,
        holder: HolderId(NURSE.to_owned()),
        collected_by: HolderId(NURSE.to_owned()),
        scope,
        answer: Answer::Yes,
        ground: Ground::Team,
        regime: Regime::ConseilEtat2025,
        shown: Shown { text: "AC-3".into(), version: 1, language: "fr-FR".into() },
        by: Speaker::Patient,
        signature: None,
        at: yesterday(0),
    }
}

fn yesterday(second: usize) -> Now {
    let second = second as u64;
    Now { since_boot: Duration::from_secs(1_000 + second), wall: Wall::Is(now().plus(second as i64 - 20 * 3_600)) }
}

fn now() -> UnixSeconds {
    UnixSeconds(jiff::Timestamp::now().as_second())
}

/// As many as an environment variable says, for whoever has an evening.
fn size(name: &str, usual: usize) -> usize {
    std::env::var(name).map_or(usual, |said| said.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// Each patient's rows, by their index in the journal, in the order of arrival.
fn by_patient(traces: &[Value]) -> BTreeMap<String, Vec<u64>> {
    let mut all: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for trace in traces {
        let person = |entity: &&Value| entity["type"]["code"] == "1";
        let person = trace["entity"].as_array().into_iter().flatten().find(person);
        let Some(who) = person.and_then(|person| person["what"]["identifier"]["value"].as_str()) else { continue };
        all.entry(who.to_owned()).or_default().push(index(trace));
    }
    all
}

/// The row's place in the journal.
fn index(trace: &Value) -> u64 {
    let parts = trace["extension"][0]["extension"].as_array().expect("the log entry");
    let index = parts.iter().find(|part| part["url"] == "index").expect("an index");
    index["valueString"].as_str().expect("text").parse().expect("a number")
}

fn holder(trace: &Value) -> &str {
    trace["agent"][0]["who"]["identifier"]["value"].as_str().expect("somebody")
}

/// Asks once a second, for that long.
async fn each_second<A: Future<Output = ()>>(how_long: Duration, mut ask: impl FnMut() -> A) {
    let until = tokio::time::Instant::now() + how_long;
    while tokio::time::Instant::now() < until {
        ask().await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Results of a laboratory: the matrix lets a nurse read them.
const RESULTS: &str = "11502-2";
const DOCUMENTS: usize = 10;
