//! Against servers that nobody here wrote. Run by `scripts/peers`, which installs them; never skipped, never in `scripts/test`.
//!
//! - Medplum's FHIR router and validator (npm) behind mutual TLS: it takes our traces and consents, once each, and finds
//!   them valid FHIR R4.
//! - oidc-provider (npm) with CIBA in poll mode behind mutual TLS: a telephone logs in, by both ways of knowing a client.
//! - Keycloak (Maven Central), which Pro Santé Connect is: the same login by its own CIBA path, with its own `slow_down`.
//! - fhir.resources (PyPI): it parses every resource that we send.
//! - `ippeveprinter` (OpenPrinting, Debian): it takes what we print, as PDF and as PWG raster.
//! - netem, of Debian's kernel in a small machine of QEMU's: a whole evening and a whole round over as bad a line as there is.
//! - pymerkle (PyPI): the journal's roots, its proofs, and each head's consistency with the one before.

#[path = "peers/contributions.rs"]
mod contributions;
#[path = "it/desk.rs"]
mod desk;
#[path = "peers/keycloak.rs"]
mod keycloak;
#[path = "peers/line/mod.rs"]
mod line;
#[path = "it/person.rs"]
#[allow(dead_code)]
mod person;
#[path = "peers/printing.rs"]
mod printing;
#[path = "wire/mod.rs"]
#[allow(dead_code)]
mod wire;

use aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
use aws_lc_rs::signature::EcdsaKeyPair;
use aws_lc_rs::signature::KeyPair;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chevet::ecps;
use chevet::ecps::answer::Polled;
use chevet::ecps::answer::Tokens;
use chevet::ecps::assertion;
use chevet::exchange::pdsm::Pdsm;
use chevet::exchange::pdsm::Profile;
use chevet::exchange::pdsm::event::Shape;
use chevet::exchange::upstream::AsDevice;
use chevet::exchange::upstream::AsHolder;
use chevet::exchange::upstream::Checkpoint;
use chevet::exchange::upstream::Outcome;
use chevet::exchange::upstream::Upstream;
use chevet::identity::holder::HolderId;
use chevet::identity::holder::ProfessionCode;
use chevet::identity::id_token;
use chevet::journal::Draft;
use chevet::journal::Trace;
use chevet::journal::consent::Answer;
use chevet::journal::consent::Consent;
use chevet::journal::consent::Said;
use chevet::journal::consent::Scope;
use chevet::journal::consent::Shown;
use chevet::journal::consent::Speaker;
use chevet::journal::note;
use chevet::journal::note::Head;
use chevet::journal::note::SigningKey;
use chevet::journal::words::Class;
use chevet::journal::words::Ground;
use chevet::journal::words::Mode;
use chevet::journal::words::Regime;
use chevet::journal::words::Source;
use chevet::link;
use chevet::patient::ins::Ins;
use chevet::patient::ins::InsKind;
use chevet::record::document::TypeCode;
use chevet::record::document::UniqueId;
use chevet::sandbox::pki::Pki;
use chevet::secret::SecretBytes;
use chevet::secret::SecretKey;
use chevet::time::Now;
use chevet::time::UnixSeconds;
use chevet::time::Wall;
use chevet::vault;
use chevet::vault::Look;
use chevet::vault::Vault;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::json;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::path::Path;
use std::process::Child;
use std::process::ChildStdout;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn medplum_takes_every_class_of_trace_once() {
    for (profile, shape) in [(Profile::Put, Shape::Balp), (Profile::Post, Shape::Balp), (Profile::Put, Shape::Tde)] {
        let server = Medplum::start();
        let pdsm = server.pdsm(profile).with_shape(shape);
        let traces: Vec<Trace> = Class::ALL.iter().zip(0..).map(|(class, index)| trace(*class, index)).collect();
        let first = pdsm.traces(AsDevice, &traces).await.expect("delivered");
        assert_eq!(first, vec![Outcome::Acknowledged; traces.len()], "{profile:?}");
        assert_eq!(server.count("AuditEvent").await, traces.len());
        if profile == Profile::Put {
            // A lost answer means sending again: nothing doubles.
            let again = pdsm.traces(AsDevice, &traces).await.expect("delivered again");
            assert_eq!(again, vec![Outcome::Acknowledged; traces.len()]);
            assert_eq!(server.count("AuditEvent").await, traces.len());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn medplum_takes_every_answer_of_a_patient_once() {
    let server = Medplum::start();
    let pdsm = server.pdsm(Profile::Put);
    let who = AsHolder {
        holder: holder(),
        token: SecretBytes::new(b"unread".to_vec()),
        until: UnixSeconds(i64::MAX),
        mode: None,
        actor: None,
    };
    let answers = [Answer::Yes, Answer::No, Answer::Withdrawn];
    let scopes = [Scope::Team("equipe".into()), Scope::HolderOnce, Scope::Authorization];
    let mut sent = 0;
    for answer in answers {
        for scope in &scopes {
            sent += 1;
            let consent = consent(sent, scope.clone(), answer);
            for _twice in 0..2 {
                assert_eq!(pdsm.consent(&who, &consent).await.expect("delivered"), Outcome::Acknowledged);
            }
            assert_eq!(server.count("Consent").await, usize::try_from(sent).expect("small"));
        }
    }
}

/// The head too is FHIR, and the same head is one resource.
#[tokio::test(flavor = "multi_thread")]
async fn medplum_takes_the_journals_head_once() {
    for profile in [Profile::Put, Profile::Post] {
        let server = Medplum::start();
        let pdsm = server.pdsm(profile);
        let key = SigningKey::new("borne-1", &SecretKey::fill_with(|seed| seed.fill(1)));
        let note = key.sign(&Head { origin: "borne-1".into(), size: 42, root: [7; 32] });
        let checkpoint = Checkpoint { size: 42, note, at: UnixSeconds(1_795_423_320) };
        for _twice in 0..if profile == Profile::Put { 2 } else { 1 } {
            let said = pdsm.checkpoint(AsDevice, &checkpoint).await.expect("delivered");
            assert_eq!(said, Outcome::Acknowledged, "{profile:?}");
        }
        assert_eq!(server.count("AuditEvent").await, 1);
    }
}

/// A real journal's export: every head that it holds, every row's receipt, and the tree at sizes of all shapes.
#[tokio::test]
async fn pymerkle_agrees_with_every_root_and_every_proof() {
    let folder = tempfile::tempdir().expect("a folder");
    let device_key = vault::keys::desk_device_key(folder.path()).expect("a key");
    let options = vault::Options {
        folder: folder.path().to_path_buf(),
        device: vault::keys::device_id(folder.path()).expect("a name"),
        software: "chevet test".into(),
        boot: Uuid::from_u128(9),
        device_key,
    };
    let vault = Vault::open(options, UnixSeconds(1_795_423_320)).expect("opened");
    for index in 0..70 {
        let class = if index % 9 == 0 { Class::Listed } else { Class::Opened };
        vault.record(vec![trace(class, index).draft], vec![]).await.expect("recorded");
    }
    vault.cover().await.expect("covered");
    let look = Look::open(folder.path(), None).expect("a look");
    let mut out = Vec::new();
    look.export(&mut out).expect("exported");
    let text = String::from_utf8(out).expect("text");
    let rows: Vec<&str> = text.lines().filter(|line| line.contains("\"blind\"")).collect();
    let heads: Vec<serde_json::Value> = text
        .lines()
        .filter_map(|line| {
            serde_json::from_str::<serde_json::Value>(line).ok()?["checkpoint"].as_str().map(str::to_owned)
        })
        .map(|note| note::read(&note).expect("a head"))
        .map(|head| json!({"size": head.size, "root": hex::encode(head.root)}))
        .collect();
    assert_eq!((rows.len(), heads.len()), (70, 9), "eight opened records, and the last rows");
    let proofs: Vec<serde_json::Value> = (0..70)
        .map(|row| look.receipt(row).expect("a receipt").place)
        .map(|place| json!({"index": place.index, "size": 70, "path": place.path.iter().map(hex::encode).collect::<Vec<_>>()}))
        .collect();
    let question = json!({"rows": rows, "heads": heads, "proofs": proofs});
    assert_eq!(pymerkle(&question).expect("it agrees"), format!("agreed {}", 9 + 70 + 8));

    // One changed word of one row, and it no longer does.
    let mut changed = question.clone();
    changed["rows"][5] = json!(rows[5].replacen("normal", "prefetch", 1));
    let complaint = pymerkle(&changed).expect_err("it must not agree");
    assert!(complaint.contains("does not agree"), "{complaint}");
}

/// What the script says, or what it ends with.
fn pymerkle(question: &serde_json::Value) -> Result<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut process = Command::new(root.join("target/peers/venv/bin/python"))
        .arg(root.join("tests/peers/merkle.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python starts: run scripts/peers");
    let mut line = process.stdin.take().expect("a pipe was asked for");
    line.write_all(question.to_string().as_bytes()).expect("it listens");
    drop(line);
    let said = process.wait_with_output().expect("it ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if said.status.success() { Ok(text(&said.stdout)) } else { Err(text(&said.stderr)) }
}

/// The validator would say no: without this, "it was taken" proves nothing.
#[tokio::test(flavor = "multi_thread")]
async fn medplum_refuses_what_is_not_fhir() {
    let server = Medplum::start();
    let answer =
        server.send(link::Method::Post, "/AuditEvent", Some(br#"{"resourceType":"AuditEvent"}"#.to_vec())).await;
    assert_eq!(answer.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn oidc_provider_lets_a_telephone_log_in() {
    for (id, by_key) in [("borne-mtls", false), ("borne-key", true)] {
        let mut provider = Ciba::start();
        let client = provider.client(id, by_key);
        let holder = holder();
        let asked = client.ask(&holder, "07", wall_clock()).await.expect("taken");
        assert_eq!(provider.line()["digits"], "07");
        assert!(matches!(client.poll(&asked, wall_clock()).await, Ok(Polled::Pending)), "{id}: nobody has approved");
        provider.touch("approve");
        let tokens = granted(&client, &asked).await;
        let wall = Wall::Is(client.server_time().expect("a Date"));
        let login = client.accept(&asked, &tokens, wall).await.expect("believed");
        assert_eq!((login.person.id, login.person.exercises.len()), (holder, 1), "{id}");

        // What stands in the journal opens the token again.
        let key = id_token::Key::read(&login.key).expect("a key");
        id_token::open_with(&login.id_token, &key).expect("opened");

        let refresh = tokens.refresh.as_ref().expect("a refresh token");
        let fresh = client.refresh(&asked, refresh, wall_clock()).await.expect("refreshed");
        assert!(fresh.access.show_bytes() != tokens.access.show_bytes(), "{id}: the same token");
        assert!(client.revoke(&asked, &fresh, wall_clock()).await, "{id}: taken back");
        let again = fresh.refresh.as_ref().expect("rotated");
        assert!(matches!(client.refresh(&asked, again, wall_clock()).await, Err(ecps::Error::RefreshRefused)), "{id}");
        // A request is good for one login.
        assert!(matches!(client.poll(&asked, wall_clock()).await, Err(ecps::Error::Expired)), "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn oidc_providers_refusals_are_told_apart() {
    let mut provider = Ciba::start();
    let client = provider.client("borne-mtls", false);
    let asked = client.ask(&holder(), "42", wall_clock()).await.expect("taken");
    provider.line();
    provider.touch("deny");
    let refused = loop {
        match client.poll(&asked, wall_clock()).await {
            Ok(Polled::Pending) => tokio::time::sleep(Duration::from_millis(200)).await,
            other => break other.err(),
        }
    };
    assert!(matches!(refused, Some(ecps::Error::Denied)), "{refused:?}");
    let nobody = client.ask(&HolderId("899700700000".into()), "42", wall_clock()).await;
    assert!(matches!(nobody, Err(ecps::Error::UnknownPerson)), "{nobody:?}");
    let stranger = provider.client("borne-of-others", false).ask(&holder(), "42", wall_clock()).await;
    assert!(matches!(stranger, Err(ecps::Error::ClientRefused { .. })), "{stranger:?}");
    let unsigned = provider.client("borne-key", false).ask(&holder(), "42", wall_clock()).await;
    assert!(matches!(unsigned, Err(ecps::Error::ClientRefused { .. })), "{unsigned:?}");
}

/// Within some tries: the telephone was touched a moment ago.
async fn granted(client: &ecps::client::Client, asked: &ecps::client::Asked) -> Tokens {
    for _ in 0..50 {
        match client.poll(asked, wall_clock()).await.expect("an answer") {
            Polled::Granted(tokens) => return tokens,
            Polled::Pending | Polled::SlowDown => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
    panic!("approved, and never granted");
}

fn wall_clock() -> UnixSeconds {
    UnixSeconds(jiff::Timestamp::now().as_second())
}

/// Node's process, and the telephones in our hand.
struct Ciba {
    process: Child,
    out: BufReader<ChildStdout>,
    issuer: String,
    pki: Pki,
}

impl Ciba {
    fn start() -> Ciba {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let pki = Pki::open_or_make(&root.join(env!("CARGO_TARGET_TMPDIR")).join("sandbox-pki")).expect("certificates");
        let server = pki.server();
        let mut process = Command::new("node")
            .arg(root.join("target/peers/ciba.mjs"))
            .args([pki.tls_authority(), server.certificate, server.key])
            .arg(public_jwk(&pki).to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts: run scripts/peers");
        let out = BufReader::new(process.stdout.take().expect("a pipe was asked for"));
        let mut ciba = Ciba { process, out, issuer: String::new(), pki };
        let port = ciba.line()["port"].as_u64().expect("a port: was scripts/peers run?");
        ciba.issuer = format!("https://localhost:{port}");
        ciba
    }

    /// The next thing that it says; what is no JSON is its own talk.
    fn line(&mut self) -> serde_json::Value {
        loop {
            let mut line = String::new();
            assert!(
                self.out.read_line(&mut line).expect("it speaks") > 0,
                "the provider ended: was scripts/peers run?"
            );
            if let Ok(said) = serde_json::from_str(&line) {
                return said;
            }
        }
    }

    fn touch(&mut self, how: &str) {
        let line = self.process.stdin.as_mut().expect("a pipe was asked for");
        writeln!(line, "{how}").expect("it listens");
    }

    fn client(&self, id: &str, by_key: bool) -> ecps::client::Client {
        let proof = if by_key {
            let pem = SecretBytes::new(std::fs::read(self.pki.device().key).expect("a key"));
            ecps::client::ClientProof::Key(
                assertion::SigningKey::read(&pem, Some("borne".into())).expect("a signing key"),
            )
        } else {
            ecps::client::ClientProof::Tls
        };
        let options = ecps::client::Options {
            issuer: self.issuer.clone(),
            description: format!("{}/.well-known/openid-configuration", self.issuer),
            client: id.into(),
            proof,
            acr: vec!["eidas1".into()],
        };
        ecps::client::Client::new(link_of(&self.pki), options)
    }
}

impl Drop for Ciba {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// The device's own key, as a provider would be given it at registration.
fn public_jwk(pki: &Pki) -> serde_json::Value {
    let pem = std::fs::read(pki.device().key).expect("a key");
    let der = PrivatePkcs8KeyDer::from_pem_slice(&pem).expect("PKCS#8");
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.secret_pkcs8_der()).expect("P-256");
    let point = pair.public_key().as_ref();
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    json!({"kty": "EC", "crv": "P-256", "kid": "borne", "use": "sig", "alg": "ES256", "x": part(&point[1..33]), "y": part(&point[33..])})
}

fn link_of(pki: &Pki) -> link::Client {
    let device = pki.device();
    let read = |path: &Path| std::fs::read(path).expect("a PEM file");
    let options = link::Options {
        ca_pem: read(&pki.tls_authority()),
        certificate_pem: read(&device.certificate),
        key_pem: SecretBytes::new(read(&device.key)),
        timeouts: link::Timeouts::default(),
    };
    link::Client::new(options).expect("a link")
}

/// Node's process: it ends when its standard input closes.
struct Medplum {
    process: Child,
    base: String,
    pki: Pki,
}

impl Medplum {
    fn start() -> Medplum {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let pki = Pki::open_or_make(&root.join(env!("CARGO_TARGET_TMPDIR")).join("sandbox-pki")).expect("certificates");
        let server = pki.server();
        let mut process = Command::new("node")
            .arg(root.join("target/peers/medplum.mjs"))
            .args([pki.tls_authority(), server.certificate, server.key])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts: run scripts/peers");
        let mut port = String::new();
        let out = process.stdout.as_mut().expect("a pipe was asked for");
        BufReader::new(out).read_line(&mut port).expect("the server says its port");
        let port: u16 = port.trim().parse().expect("a port: was scripts/peers run?");
        Medplum { process, base: format!("https://localhost:{port}"), pki }
    }

    fn client(&self) -> link::Client {
        link_of(&self.pki)
    }

    fn pdsm(&self, profile: Profile) -> Pdsm {
        Pdsm::new(self.client(), &self.base, self.client(), &self.base, profile).expect("a connector")
    }

    async fn send(&self, method: link::Method, path: &str, body: Option<Vec<u8>>) -> link::Answer {
        let request = link::Request {
            method,
            url: format!("{}{path}", self.base),
            accept: "application/fhir+json".into(),
            bearer: None,
            headers: Vec::new(),
            body: body.map(|bytes| ("application/fhir+json", bytes)),
            limit_bytes: 16 << 20,
        };
        self.client().send(request).await.expect("an answer")
    }

    async fn count(&self, kind: &str) -> usize {
        let answer = self.send(link::Method::Get, &format!("/{kind}?_count=1000"), None).await;
        let bundle: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
        bundle["entry"].as_array().map_or(0, Vec::len)
    }
}

impl Drop for Medplum {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}

fn holder() -> HolderId {
    HolderId("899700101340".into())
}

fn patient() -> Ins {
    Ins::checked("255069999999934", InsKind::Test).expect("an invented person")
}

fn now() -> Now {
    Now { since_boot: Duration::from_secs(5), wall: Wall::Is(UnixSeconds(1_795_423_320)) }
}

fn trace(class: Class, index: u64) -> Trace {
    let of_patient = !matches!(class, Class::Login | Class::Maintenance);
    let of_document = matches!(class, Class::Opened | Class::Printed | Class::Summary | Class::Prefetched);
    let document = (UniqueId(format!("1.2.250.1.999.{index}")), TypeCode("11488-4".into()));
    Trace {
        index,
        id: Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0000 + u128::from(index)),
        blind: [7; 32],
        boot: Uuid::from_u128(9),
        device: "borne-1".into(),
        software: "chevet 0.1.0".into(),
        draft: Draft {
            class,
            holder: holder(),
            profession: Some(ProfessionCode(60)),
            login: (class != Class::Login).then_some(0),
            proof: None,
            situation: Some("10B0123456".into()),
            patient: of_patient.then(patient),
            document: of_document.then_some(document),
            ground: of_patient.then_some(Ground::Team),
            mode: if class == Class::BreakGlass { Mode::BrisDeGlace } else { Mode::Normal },
            regime: Regime::ConseilEtat2025,
            rule: "M-01".into(),
            matrix_version: "2026-11".into(),
            reason: (class == Class::BreakGlass).then(|| "inconscience".into()),
            secret: false,
            framework: None,
            source: Source::Online,
            at: now(),
        },
    }
}

fn consent(number: u128, scope: Scope, answer: Answer) -> Consent {
    let said = Said {
        patient: patient(),
        holder: holder(),
        collected_by: holder(),
        scope,
        answer,
        ground: if answer == Answer::Yes { Ground::Team } else { Ground::Refused },
        regime: Regime::ConseilEtat2025,
        shown: Shown { text: "AC-3".into(), version: 1, language: "fr-FR".into() },
        by: Speaker::Patient,
        signature: None,
        at: now(),
    };
    Consent { id: Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_1000 + number), said }
}
