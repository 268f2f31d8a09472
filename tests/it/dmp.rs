//! The sandbox DMP asked by the real client side: `link` for single questions, `exchange::pdsm` for whole searches.

mod cards;
mod contributions;
mod deposits;
mod downloads;
pub mod signatures;
mod teams;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chevet::exchange::pdsm::Pdsm;
use chevet::exchange::pdsm::Profile;
use chevet::exchange::token;
use chevet::exchange::upstream::AsHolder;
use chevet::exchange::upstream::Upstream;
use chevet::identity::holder::HolderId;
use chevet::journal::words::Mode;
use chevet::link;
use chevet::link::Client;
use chevet::patient::ins::Ins;
use chevet::record::state::Authorization;
use chevet::record::state::Existence;
use chevet::sandbox::dmp;
use chevet::sandbox::dmp::Fault;
use chevet::sandbox::dmp::Running;
use chevet::sandbox::drawer::Drawer;
use chevet::sandbox::people;
use chevet::sandbox::people::Case;
use chevet::sandbox::people::Content;
use chevet::sandbox::people::People;
use chevet::sandbox::people::broken;
use chevet::sandbox::pki::PemPair;
use chevet::sandbox::pki::Pki;
use chevet::secret::SecretBytes;
use chevet::time::UnixSeconds;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

const SEED: u64 = 7;
const DEADLINE: Duration = Duration::from_secs(10);

fn pki() -> Pki {
    Pki::open_or_make(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("dmp-pki")).expect("a hierarchy is made")
}

fn now() -> UnixSeconds {
    UnixSeconds(jiff::Timestamp::now().as_second())
}

fn everybody() -> People {
    static PEOPLE: OnceLock<People> = OnceLock::new();
    PEOPLE.get_or_init(|| People::generate(SEED, now())).clone()
}

fn start(port: u16, snapshot: Option<PathBuf>) -> Running {
    dmp::start(dmp::Options { pki: pki(), people: everybody(), port, card_port: 0, web_port: 0, snapshot })
        .expect("it starts")
}

fn client(pair: PemPair) -> Client {
    Client::new(link::Options {
        ca_pem: fs::read(pki().tls_authority()).expect("authority"),
        certificate_pem: fs::read(pair.certificate).expect("certificate"),
        key_pem: SecretBytes::new(fs::read(pair.key).expect("key")),
        timeouts: link::Timeouts { connect: DEADLINE, handshake: DEADLINE, answer: DEADLINE, silence: DEADLINE },
    })
    .expect("a client")
}

fn ins(case: Case) -> Ins {
    everybody().of(case).expect("somebody stands for it").patient.ins.clone()
}

/// What a token says, before somebody spoils it.
fn request(card: &str, client: &Client, server: &Running, nonce: u8) -> token::Request {
    let profile = Drawer::profile(card).expect("in the drawer");
    let secrets = pki().card(&profile).expect("a card");
    token::Request {
        holder: HolderId(profile.holder_id.to_owned()),
        x5c: vec![secrets.authentication.certificate],
        audience: server.base_url.clone(),
        now: now(),
        nonce: [nonce; 32],
        device: client.device_thumbprint(),
        mode: Mode::Normal,
    }
}

fn sign(card: &str, request: &token::Request) -> AsHolder {
    let secrets = pki().card(&Drawer::profile(card).expect("in the drawer")).expect("a card");
    let input = request.signing_input();
    let signature = secrets.sign_with_authentication(input.as_bytes()).expect("signed");
    request.finish(&input, &signature)
}

fn holder(card: &str, client: &Client, server: &Running, nonce: u8) -> AsHolder {
    sign(card, &request(card, client, server, nonce))
}

struct Said {
    status: u16,
    body: Value,
}

impl Said {
    fn code(&self) -> &str {
        self.body["issue"][0]["details"]["coding"][0]["code"].as_str().unwrap_or("")
    }
}

async fn ask(
    client: &Client,
    method: link::Method,
    url: String,
    token: Option<&SecretBytes>,
    body: Option<&Value>,
) -> Result<Said, link::Error> {
    let answer = client
        .send(link::Request {
            method,
            url,
            accept: "application/fhir+json".to_owned(),
            bearer: token,
            headers: Vec::new(),
            body: body.map(|body| ("application/fhir+json", body.to_string().into_bytes())),
            limit_bytes: 1 << 24,
        })
        .await?;
    Ok(Said { status: answer.status, body: serde_json::from_slice(&answer.body).unwrap_or(Value::Null) })
}

async fn read(client: &Client, server: &Running, who: Option<&AsHolder>, kind: &str, ins: &Ins) -> Said {
    let name = if kind == "Patient" { "identifier" } else { "patient.identifier" };
    let system = ins.kind.oid();
    let url = format!(
        "{}/{kind}?{name}=urn:oid:{system}%7C{}&status=current&date=ge2000-01-01T00:00:00Z&_count=100",
        server.base_url, ins.matricule
    );
    ask(client, link::Method::Get, url, who.map(|who| &who.token), None).await.expect("an answer")
}

fn browse(url: &str, path: &str) -> String {
    let authority = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(authority).expect("the page answers");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n").expect("asked");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("UTF-8");
    text
}

fn audit_event(id: &str, patient: &Ins, class: &str, source: &str, recorded: UnixSeconds) -> Value {
    json!({
        "resourceType": "AuditEvent", "id": id,
        "extension": [{"url": "https://chevet.invalid/fhir/StructureDefinition/log-entry", "extension": [
            {"url": "source", "valueCode": source}
        ]}],
        "subtype": [{"system": "https://chevet.invalid/fhir/CodeSystem/trace-class", "code": class}],
        "recorded": recorded.rfc3339(),
        "agent": [{
            "who": {"identifier": {"system": "urn:oid:1.2.250.1.71.4.2.1", "value": people::NURSE}}, "requestor": true,
            "purposeOfUse": [{"coding": [{"code": "normal"}]}]
        }],
        "entity": [
            {"what": {"identifier": {"system": format!("urn:oid:{}", patient.kind.oid()), "value": patient.matricule}},
             "type": {"code": "1"}},
            {"what": {"identifier": {"value": id}}, "type": {"code": "XrequestId"}}
        ]
    })
}

#[tokio::test]
async fn without_the_sandbox_device_certificate_nobody_speaks() {
    let server = start(0, None);
    let url = format!("{}/AuditEvent/x", server.base_url);
    let stranger = client(pki().wrong_device());
    assert!(ask(&stranger, link::Method::Put, url.clone(), None, Some(&json!({}))).await.is_err());
    // No certificate at all: the handshake may end late (TLS 1.3), but nothing is ever answered.
    let mut roots = rustls::RootCertStore::empty();
    let pem = fs::read(pki().tls_authority()).expect("authority");
    roots.add(rustls::pki_types::pem::PemObject::from_pem_slice(&pem).expect("PEM")).expect("a root");
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = rustls::pki_types::ServerName::try_from("localhost").expect("a name");
    let session = rustls::ClientConnection::new(std::sync::Arc::new(config), name).expect("a session");
    let socket = TcpStream::connect(("127.0.0.1", server.port)).expect("connected");
    let mut stream = rustls::StreamOwned::new(session, socket);
    let sent = stream.write_all(b"GET /fhir/Patient HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let mut answer = [0; 1];
    assert!(sent.is_err() || stream.read(&mut answer).is_err());
    // The device itself is heard, and told what it did wrong.
    let device = client(pki().device());
    let said = ask(&device, link::Method::Put, url, None, Some(&json!({}))).await.expect("an answer");
    assert_eq!((said.status, said.code()), (400, "request-invalid"));
}

#[tokio::test]
async fn a_holder_is_proven_or_refused() {
    let server = start(0, None);
    let device = client(pki().device());
    let patient = ins(Case::Authorized);
    let good = holder("nurse", &device, &server, 1);
    assert_eq!(read(&device, &server, Some(&good), "Patient", &patient).await.status, 200);
    // The same token again is the same holder.
    assert_eq!(read(&device, &server, Some(&good), "Patient", &patient).await.status, 200);
    let refused = read(&device, &server, None, "Patient", &patient).await;
    assert_eq!((refused.status, refused.code()), (401, "token-missing"));

    let base = |nonce| request("nurse", &device, &server, nonce);
    let late = token::Request { now: now().plus(-3_600), ..base(2) };
    let early = token::Request { now: now().plus(600), ..base(3) };
    let elsewhere = token::Request { audience: "https://127.0.0.1:1/fhir".into(), ..base(4) };
    let other_device = token::Request { device: [9; 32], ..base(5) };
    let somebody_else = token::Request { holder: HolderId("899700201470".into()), ..base(6) };
    let replayed = token::Request { now: now().plus(-30), ..base(1) };
    let cases = [
        ("nurse", late, "token-expired"),
        ("nurse", early, "token-expired"),
        ("nurse", elsewhere, "token-invalid"),
        ("nurse", other_device, "token-device"),
        ("nurse", somebody_else, "token-invalid"),
        ("nurse", replayed, "token-invalid"),
        // Signed by another key than the certificate's.
        ("doctor", base(7), "token-invalid"),
        ("expired", request("expired", &device, &server, 8), "token-certificate"),
        ("revoked", request("revoked", &device, &server, 9), "token-certificate"),
        ("other-issuer", request("other-issuer", &device, &server, 10), "token-certificate"),
    ];
    for (card, request, code) in cases {
        let bad = sign(card, &request);
        let said = read(&device, &server, Some(&bad), "Patient", &patient).await;
        assert_eq!((said.status, said.code()), (401, code), "{card}");
    }
    let mut text = String::from_utf8(good.token.show_bytes().to_vec()).expect("ASCII");
    text.pop();
    let cut = AsHolder {
        holder: good.holder.clone(),
        token: SecretBytes::new(text.into_bytes()),
        until: good.until,
        mode: None,
        actor: None,
    };
    assert_eq!(read(&device, &server, Some(&cut), "Patient", &patient).await.status, 401);
}

#[tokio::test]
async fn the_server_has_rules_of_its_own() {
    let server = start(0, None);
    let device = client(pki().device());
    let nurse = holder("nurse", &device, &server, 1);
    let emergency = sign("nurse", &token::Request { mode: Mode::BrisDeGlace, ..request("nurse", &device, &server, 2) });
    let denied = [
        (Case::BlockedNurse, "professional-blocked"),
        (Case::Closed, "record-closed"),
        (Case::Unasked(0), "authorization-missing"),
        (Case::Expired, "authorization-missing"),
        (Case::Forbidden, "authorization-missing"),
    ];
    for (case, code) in denied {
        let said = read(&device, &server, Some(&nurse), "DocumentReference", &ins(case)).await;
        assert_eq!((said.status, said.code()), (403, code), "{case:?}");
        let paper = everybody().of(case).expect("somebody").papers[0].clone();
        let url = format!("{}/Binary/{}", server.base_url, paper.entry_id);
        let said = ask(&device, link::Method::Get, url, Some(&nurse.token), None).await.expect("an answer");
        assert_eq!((said.status, said.code()), (403, code), "{case:?}");
    }
    let said = read(&device, &server, Some(&nurse), "DocumentReference", &ins(Case::NeverCreated)).await;
    assert_eq!((said.status, said.body["total"].as_u64()), (200, Some(0)));
    let in_emergency = read(&device, &server, Some(&emergency), "DocumentReference", &ins(Case::Unasked(0))).await;
    assert_eq!(in_emergency.status, 200);
    let blocked = read(&device, &server, Some(&emergency), "DocumentReference", &ins(Case::BlockedNurse)).await;
    assert_eq!(blocked.code(), "professional-blocked");
    // The patient is told of the emergency.
    let number = everybody().persons.iter().position(|one| one.case == Case::Unasked(0)).expect("somebody") + 1;
    let page = browse(&server.web_url, &format!("/patient/{number}"));
    assert!(page.contains("bris de glace") && page.contains("QUERVENNEC"), "{page}");
}

#[tokio::test]
async fn masked_documents_are_for_their_author_and_the_attending_doctor() {
    let server = start(0, None);
    let device = client(pki().device());
    let patient = ins(Case::Labelled);
    let masked = |said: &Said| {
        let list = said.body["entry"].as_array().cloned().unwrap_or_default();
        list.iter().filter(|entry| entry["resource"]["securityLabel"].to_string().contains("MASQUE_PS")).count()
    };
    let nurse = holder("nurse", &device, &server, 1);
    let doctor = holder("doctor", &device, &server, 2);
    assert_eq!(masked(&read(&device, &server, Some(&nurse), "DocumentReference", &patient).await), 1);
    assert_eq!(masked(&read(&device, &server, Some(&doctor), "DocumentReference", &patient).await), 3);
    let hidden = everybody().of(Case::Labelled).expect("somebody").papers[1].clone();
    let url = format!("{}/Binary/{}", server.base_url, hidden.entry_id);
    let said = ask(&device, link::Method::Get, url, Some(&nurse.token), None).await.expect("an answer");
    assert_eq!((said.status, said.code()), (403, "document-denied"));
}

#[tokio::test]
async fn the_connector_reads_states_and_exactly_a_thousand_documents() {
    let server = start(0, None);
    let device = client(pki().device());
    let pdsm = Pdsm::new(device.clone(), &server.base_url, device.clone(), &server.base_url, Profile::Put)
        .expect("a connector");
    let nurse = holder("nurse", &device, &server, 1);
    let found = pdsm.find(&nurse, &ins(Case::Thousand), now().plus(-800 * 86_400)).await.expect("found");
    let ids: BTreeSet<String> = found.for_storage().iter().map(|document| document.unique_id.0.clone()).collect();
    assert_eq!((found.for_storage().len(), ids.len()), (1000, 1000));

    let state = async |case| pdsm.state(&nurse, &ins(case), None).await;
    let mut told = Vec::new();
    for case in [Case::Authorized, Case::Unasked(0), Case::Expired, Case::Forbidden, Case::BlockedNurse] {
        let state = pdsm.state(&nurse, &ins(case), None).await.expect("a state");
        let word = match state.authorization {
            Authorization::Valid { .. } => "valid",
            Authorization::None => "none",
            Authorization::Expired => "expired",
            Authorization::Forbidden => "forbidden",
            Authorization::Unknown => "unknown",
        };
        told.push((word, state.blocked));
    }
    let expected = [("valid", false), ("none", false), ("expired", false), ("forbidden", false), ("valid", true)];
    assert_eq!(told, expected);
    assert!(matches!(state(Case::Closed).await.expect("a state").existence, Existence::Closed { .. }));
    assert!(matches!(state(Case::NeverCreated).await.expect("a state").existence, Existence::NeverCreated));
    assert_eq!(state(Case::Minor).await.expect("a state").minor, Some(true));
}

#[tokio::test]
async fn what_the_patient_says_opens_the_record() {
    let server = start(0, None);
    let device = client(pki().device());
    let nurse = holder("nurse", &device, &server, 1);
    let patient = ins(Case::Unasked(1));
    let consent = |id: &str, actor: &str, status: &str, kind: &str, at: UnixSeconds| {
        json!({
            "resourceType": "Consent", "status": status,
            "identifier": [{"system": "urn:ietf:rfc:3986", "value": format!("urn:uuid:{id}")}],
            "category": [{"coding": [{"code": "authorization"}]}],
            "patient": {"identifier": {
                "system": format!("urn:oid:{}", patient.kind.oid()), "value": patient.matricule
            }},
            "dateTime": at.rfc3339(),
            "provision": {"type": kind, "actor": [{"reference": {"identifier": {"value": actor}}}]}
        })
    };
    let url = format!("{}/Consent", server.base_url);
    let say = |body: Value| {
        let (device, url, token) = (&device, url.clone(), &nurse.token);
        async move { ask(device, link::Method::Post, url, Some(token), Some(&body)).await.expect("an answer").status }
    };
    assert_eq!(read(&device, &server, Some(&nurse), "DocumentReference", &patient).await.status, 403);
    let yes = consent("1", people::NURSE, "active", "permit", now().plus(-20));
    assert_eq!(say(yes.clone()).await, 201);
    assert_eq!(say(yes).await, 200, "the second time nothing changes");
    assert_eq!(read(&device, &server, Some(&nurse), "DocumentReference", &patient).await.status, 200);
    assert_eq!(say(consent("2", people::DOCTOR, "active", "permit", now())).await, 422, "in another's name");
    assert_eq!(say(consent("3", people::NURSE, "active", "deny", now().plus(-3_600))).await, 201);
    assert_eq!(read(&device, &server, Some(&nurse), "DocumentReference", &patient).await.status, 200, "older");
    assert_eq!(say(consent("4", people::NURSE, "inactive", "permit", now())).await, 201);
    assert_eq!(read(&device, &server, Some(&nurse), "DocumentReference", &patient).await.status, 403, "withdrawn");
    assert_eq!(server.received_consents().len(), 3);
}

#[tokio::test]
async fn a_trace_is_kept_once_even_over_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let snapshot = folder.path().join("dmp.json");
    let server = start(0, Some(snapshot.clone()));
    let device = client(pki().device());
    let patient = ins(Case::Authorized);
    let url = format!("{}/AuditEvent/t-1", server.base_url);
    let trace = audit_event("t-1", &patient, "opened", "cached", now());
    let put = |body: Value| {
        let (device, url) = (&device, url.clone());
        async move { ask(device, link::Method::Put, url, None, Some(&body)).await.expect("an answer").status }
    };
    assert_eq!(put(trace.clone()).await, 201);
    let port = server.port;
    server.stop();
    assert!(ask(&device, link::Method::Put, url.clone(), None, Some(&trace)).await.is_err(), "it is down");

    let server = start(port, Some(snapshot));
    assert_eq!(put(trace.clone()).await, 200);
    assert_eq!(put(audit_event("t-1", &patient, "printed", "cached", now())).await, 422);
    let entry = |id: &str, class: &str| {
        json!({"resource": audit_event(id, &patient, class, "online", now()),
               "request": {"method": "PUT", "url": format!("AuditEvent/{id}")}})
    };
    let batch = json!({"resourceType": "Bundle", "type": "batch", "entry": [
        entry("t-2", "prefetched"), entry("t-1", "printed"), entry("t-2", "prefetched")
    ]});
    let said = ask(&device, link::Method::Post, server.base_url.clone(), None, Some(&batch)).await.expect("an answer");
    let statuses: Vec<&str> = (0..3).filter_map(|at| said.body["entry"][at]["response"]["status"].as_str()).collect();
    assert_eq!(statuses, ["201 Created", "422 Unprocessable Entity", "200 OK"]);
    assert_eq!((server.audit_count("t-1"), server.audit_count("t-2"), server.audit_count("t-3")), (1, 1, 0));
    assert_eq!(server.received_traces().len(), 2);

    let nurse = holder("nurse", &device, &server, 1);
    let history = read(&device, &server, Some(&nurse), "AuditEvent", &patient).await;
    assert_eq!(history.body["total"].as_u64(), Some(2));
    let page = browse(&server.web_url, "/patient/1");
    for words in ["lu hors ligne, sur borne", "A préparé des documents", "Premier accès de Maëlle QUERVENNEC"] {
        assert!(page.contains(words), "{words} is not in {page}");
    }
    assert_eq!(page.matches("Premier accès").count(), 1);
}

#[tokio::test]
async fn faults_are_what_they_say() {
    let server = start(0, None);
    let device = client(pki().device());
    let patient = ins(Case::Authorized);
    let nurse = holder("nurse", &device, &server, 1);
    let url = format!("{}/Patient?identifier=urn:oid:{}%7C{}", server.base_url, patient.kind.oid(), patient.matricule);
    let fresh = || client(pki().device());
    server.faults().set(Fault::Status { status: 503, retry_after_s: Some(7) });
    let request = || link::Request {
        method: link::Method::Get,
        url: url.clone(),
        accept: "application/fhir+json".to_owned(),
        bearer: Some(&nurse.token),
        headers: Vec::new(),
        body: None,
        limit_bytes: 1 << 20,
    };
    let answer = fresh().send(request()).await.expect("an answer");
    assert_eq!((answer.status, answer.retry_after_s), (503, Some(7)));
    server.faults().set(Fault::MalformedJson);
    let answer = fresh().send(request()).await.expect("an answer");
    assert!(answer.status == 200 && serde_json::from_slice::<Value>(&answer.body).is_err());
    for fault in [Fault::Truncated, Fault::WrongCertificate, Fault::Deaf] {
        server.faults().set(fault);
        assert!(fresh().send(request()).await.is_err(), "{fault:?}");
    }
    server.faults().set(Fault::Slow(Duration::from_millis(300)));
    let before = std::time::Instant::now();
    assert_eq!(fresh().send(request()).await.expect("an answer").status, 200);
    assert!(before.elapsed() >= Duration::from_millis(300));
    server.faults().clear();
    assert_eq!(fresh().send(request()).await.expect("an answer").status, 200);
    // Two hundred megabytes are announced, and not one byte more than the limit is taken.
    let broken = everybody();
    let papers = &broken.of(Case::Broken).expect("somebody").papers;
    let huge = papers.iter().find(|paper| paper.title == broken::HUGE).expect("a huge one");
    let binary = format!("{}/Binary/{}", server.base_url, huge.entry_id);
    let refused = device.send(link::Request { url: binary, ..request() }).await;
    assert!(matches!(refused, Err(link::Error::TooLarge { .. })));
}

#[test]
fn everybody_is_made_of_valid_parts() {
    let people = everybody();
    assert!(people.persons.len() >= 12);
    let mut classes = BTreeSet::new();
    let mut identities = BTreeSet::new();
    let mut pdfs = 0;
    for person in &people.persons {
        let ins = &person.patient.ins;
        assert!(Ins::checked(&ins.matricule, ins.kind).is_ok() && ins.kind.oid() == "1.2.250.1.213.1.4.10");
        assert!(identities.insert(ins.key()));
        for paper in &person.papers {
            classes.insert(paper.class_code);
            let Content::Bytes(bytes) = &paper.content else { continue };
            let lies = [broken::WRONG_SIZE, broken::WRONG_HASH].contains(&paper.title.as_str());
            let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
            let true_hash = paper.claimed_sha1.as_ref().is_some_and(|claimed| claimed == hash.as_ref());
            assert_eq!(true_hash && paper.claimed_size == bytes.len() as u64, !lies, "{}", paper.title);
            let text = std::str::from_utf8(bytes).unwrap_or("");
            let parsed = roxmltree::Document::parse(text);
            let is_broken = [broken::TRUNCATED, broken::STRANGE].contains(&paper.title.as_str());
            assert_eq!(parsed.is_err(), is_broken, "{}", paper.title);
            let Ok(document) = parsed else { continue };
            let wrapped = document.descendants().find(|node| node.attribute("mediaType") == Some("application/pdf"));
            if let Some(node) = wrapped {
                let pdf = STANDARD.decode(node.text().unwrap_or("")).expect("base64");
                let opened = hayro::hayro_syntax::Pdf::new(pdf).expect("a PDF");
                assert!((1..=3).contains(&opened.pages().len()));
                pdfs += 1;
            }
        }
    }
    let all = ["10", "11", "31", "42", "43", "44", "45", "52", "60", "90", "95"];
    assert_eq!(classes.into_iter().collect::<Vec<_>>(), all);
    for person in people.persons.iter().filter(|person| person.papers.len() > 22 && !person.minor) {
        let met: BTreeSet<&str> = person.papers.iter().map(|paper| paper.class_code).collect();
        assert_eq!(met.len(), all.len(), "{:?}", person.case);
    }
    assert!(pdfs > 50);
}

#[test]
fn the_same_seed_makes_the_same_people() {
    let (one, two) = (everybody(), People::generate(SEED, everybody().today));
    let other = People::generate(SEED + 1, everybody().today);
    let papers = |people: &People| -> Vec<Option<[u8; 20]>> {
        people.persons.iter().flat_map(|person| person.papers.iter().map(|paper| paper.claimed_sha1)).collect()
    };
    assert!(papers(&one) == papers(&two), "the same seed and day made other bytes");
    assert!(papers(&one) != papers(&other), "another seed made the same bytes");
    let round = people::round_for(&HolderId(people::NURSE.to_owned()));
    assert_eq!(round.len(), 9);
    assert!(round.iter().any(|patient| patient.ins == ins(Case::Thousand)));
    assert_eq!(Drawer::profile("nurse").map(|profile| profile.holder_id), Some(people::NURSE));
    assert_eq!(Drawer::profile("doctor").map(|profile| profile.holder_id), Some(people::DOCTOR));
}

#[test]
fn the_patients_page_tells_a_newcomer() {
    let server = start(0, None);
    let list = browse(&server.web_url, "/");
    for words in ["<html lang=\"fr\">", "inventées", "/patient/1", "jamais créé", "fermé", "<th scope=\"col\">"] {
        assert!(list.contains(words), "{words}");
    }
    assert!(!list.contains("<script"));
    let one = browse(&server.web_url, "/patient/1");
    assert!(one.contains("Personne n’a encore ouvert ce dossier.") && one.contains("Aucune notification."));
    assert!(browse(&server.web_url, "/patient/999").starts_with("HTTP/1.1 404"));
}
