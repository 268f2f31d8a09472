//! Keycloak from Maven Central, started by this test on loopback, and the telephone of its user: an HTTP endpoint that Keycloak
//! calls and a call back to it.

use super::granted;
use super::holder;
use super::link_of;
use super::public_jwk;
use super::wall_clock;
use chevet::ecps;
use chevet::ecps::answer::Polled;
use chevet::ecps::assertion::SigningKey;
use chevet::identity::holder::HolderId;
use chevet::link;
use chevet::sandbox::pki::Pki;
use chevet::secret::SecretBytes;
use chevet::time::Wall;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;
use serde_json::json;
use std::fs;
use std::fs::File;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::time::Duration;
use std::time::Instant;
use x509_parser::prelude::FromDer as _;
use x509_parser::prelude::X509Certificate;

/// One Keycloak for all: it takes a minute and half a gigabyte to start.
#[tokio::test(flavor = "multi_thread")]
async fn keycloak_lets_a_telephone_log_in_and_says_no_in_its_own_words() {
    let keycloak = Keycloak::start().await;
    logs_in(&keycloak).await;
    by_certificate(&keycloak).await;
    denied(&keycloak).await;
    answered_late(&keycloak).await;
    expired(&keycloak).await;
}

/// Known by the certificate of the link (RFC 8705 §2.1), as Pro Santé Connect knows its clients: ours is let in, and nobody
/// under another's name.
async fn by_certificate(keycloak: &Keycloak) {
    let client = keycloak.client("borne-mtls", ecps::client::ClientProof::Tls);
    let asked = client.ask(&holder(), "31", wall_clock()).await.expect("taken");
    let ringing = keycloak.rings();
    keycloak.answer(&ringing, "SUCCEED").await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let tokens = granted(&client, &asked).await;
    let login = client.accept(&asked, &tokens, Wall::Is(wall_clock())).await.expect("believed");
    assert_eq!(login.person.id, holder());
    assert!(client.revoke(&asked, &tokens, wall_clock()).await, "taken back");
    for other in ["borne-of-others", "borne-key"] {
        let client = keycloak.client(other, ecps::client::ClientProof::Tls);
        let refused = client.ask(&holder(), "31", wall_clock()).await;
        assert!(matches!(refused, Err(ecps::Error::ClientRefused { .. })), "{other}: {refused:?}");
    }
}

/// « Non » and « Annuler » on the telephone: no token, and no second chance.
async fn denied(keycloak: &Keycloak) {
    for word in ["UNAUTHORIZED", "CANCELLED"] {
        let client = keycloak.by_key("borne-key");
        let asked = client.ask(&holder(), "44", wall_clock()).await.expect("taken");
        let ringing = keycloak.rings();
        keycloak.answer(&ringing, word).await;
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        let refused = client.poll(&asked, wall_clock()).await.err();
        assert!(matches!(refused, Some(ecps::Error::Denied)), "{word}: {refused:?}");
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        let again = client.poll(&asked, wall_clock()).await.err();
        assert!(matches!(again, Some(ecps::Error::Denied | ecps::Error::Expired)), "{word}, again: {again:?}");
    }
}

/// The telephone answers for the request before this one: that opens nothing here.
async fn answered_late(keycloak: &Keycloak) {
    let client = keycloak.by_key("borne-key");
    let _dropped = client.ask(&holder(), "51", wall_clock()).await.expect("taken");
    let before = keycloak.rings();
    let asked = client.ask(&holder(), "52", wall_clock()).await.expect("taken");
    let ringing = keycloak.rings();
    assert_eq!((&before.body["binding_message"], &ringing.body["binding_message"]), (&json!("51"), &json!("52")));
    keycloak.answer(&before, "SUCCEED").await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert!(matches!(client.poll(&asked, wall_clock()).await, Ok(Polled::Pending)), "for another request");
    keycloak.answer(&ringing, "SUCCEED").await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let tokens = granted(&client, &asked).await;
    client.accept(&asked, &tokens, Wall::Is(wall_clock())).await.expect("believed");
}

/// Nobody has touched the telephone in time; whoever touches it after that is too late.
async fn expired(keycloak: &Keycloak) {
    // A realm of its own: how long a request lives is a realm's to say.
    let issuer = keycloak.issuer.replace("esante-wallet", "brief");
    let client = keycloak.client_of(&issuer, "borne-key", keycloak.key());
    let asked = client.ask(&holder(), "60", wall_clock()).await.expect("taken");
    let ringing = keycloak.rings();
    assert_eq!(asked.expires_in_s, 10);
    tokio::time::sleep(Duration::from_secs(12)).await;
    let over = client.poll(&asked, wall_clock()).await.err();
    assert!(matches!(over, Some(ecps::Error::Expired)), "{over:?}");
    let url = format!("{issuer}/protocol/openid-connect/ext/ciba/auth/callback");
    let token = SecretBytes::new(ringing.token.into_bytes());
    let yes = br#"{"status":"SUCCEED"}"#.to_vec();
    let late = link_of(&keycloak.pki).send(request(link::Method::Post, url, Some(&token), Some(yes))).await;
    let late = late.map_or(0, |answer| answer.status);
    let over = client.poll(&asked, wall_clock()).await.err();
    assert!(matches!(over, Some(ecps::Error::Expired)), "after an answer that came to {late}: {over:?}");
}

async fn logs_in(keycloak: &Keycloak) {
    let client = keycloak.by_key("borne-key");
    let nobody = client.ask(&HolderId("899700700000".into()), "07", wall_clock()).await;
    assert!(matches!(nobody, Err(ecps::Error::UnknownPerson)), "{nobody:?}");

    let asked = client.ask(&holder(), "07", wall_clock()).await.expect("taken");
    let ringing = keycloak.rings();
    assert_eq!((&ringing.body["binding_message"], &ringing.body["channel"]), (&json!("07"), &json!("MOBILE")));
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert!(matches!(client.poll(&asked, wall_clock()).await, Ok(Polled::Pending)));
    assert!(matches!(client.poll(&asked, wall_clock()).await, Ok(Polled::SlowDown)), "too early, and it says so");
    keycloak.answer(&ringing, "SUCCEED").await;
    // It may be asked more slowly from now on.
    tokio::time::sleep(Duration::from_secs(7)).await;
    let tokens = granted(&client, &asked).await;
    let login = client.accept(&asked, &tokens, Wall::Is(wall_clock())).await.expect("believed");
    assert_eq!(login.person.exercises.iter().map(|line| line.profession.0).collect::<Vec<_>>(), [60]);

    let refresh = tokens.refresh.as_ref().expect("a refresh token");
    let fresh = client.refresh(&asked, refresh, wall_clock()).await.expect("refreshed");
    assert!(client.revoke(&asked, &fresh, wall_clock()).await, "taken back");
    let again = fresh.refresh.as_ref().expect("another one");
    assert!(matches!(client.refresh(&asked, again, wall_clock()).await, Err(ecps::Error::RefreshRefused)));
}

struct Keycloak {
    process: Child,
    issuer: String,
    telephone: Receiver<Ringing>,
    pki: Pki,
}

/// What Keycloak asks of a telephone, and the token with which the telephone answers.
struct Ringing {
    token: String,
    body: Value,
}

impl Keycloak {
    async fn start() -> Keycloak {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let home = root.join("target/peers/keycloak");
        let pki = Pki::open_or_make(&root.join(env!("CARGO_TARGET_TMPDIR")).join("sandbox-pki")).expect("certificates");
        // What an earlier run left is no part of this one.
        drop(fs::remove_dir_all(home.join("data")));
        fs::create_dir_all(home.join("data/import")).expect("Keycloak is there: run scripts/peers");
        let keys = json!({"keys": [public_jwk(&pki)]}).to_string();
        let realm = fs::read_to_string(root.join("tests/peers/keycloak.json")).expect("a realm");
        let subject = subject_of(&pki.device().certificate);
        let realm = realm.replace("\"@JWKS@\"", &Value::String(keys).to_string()).replace("@SUBJECT@", &subject);
        let brief = realm
            .replace("\"esante-wallet\"", "\"brief\"")
            .replace("\"cibaExpiresIn\": \"60\"", "\"cibaExpiresIn\": \"10\"");
        assert!(brief.matches("brief").count() == 1 && brief.contains("\"10\""), "a realm of its own");
        for (name, text) in [("realm", realm), ("brief", brief)] {
            fs::write(home.join(format!("data/import/{name}.json")), text).expect("written");
        }

        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let called_at = listener.local_addr().expect("bound").port();
        let (rings, telephone) = mpsc::channel();
        // Keycloak waits for it before it answers us. It ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if rings.send(ring(stream)).is_err() {
                    return;
                }
            }
        });
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let (log, server) = (root.join("target/peers/keycloak.log"), pki.server());
        let out = File::create(&log).expect("a log");
        let option = |name: &str, value: &Path| format!("--{name}={}", value.display());
        let process = Command::new(home.join("bin/kc.sh"))
            .args(["start-dev", "--import-realm", "--http-host=127.0.0.1", "--http-port=0", "--hostname-strict=false"])
            .arg(format!("--https-port={port}"))
            .arg(option("https-certificate-file", &server.certificate))
            .arg(option("https-certificate-key-file", &server.key))
            .arg("--https-client-auth=request")
            .arg(option("truststore-paths", &pki.tls_authority()))
            .arg(format!("--spi-ciba-auth-channel--ciba-http-auth-channel--http-authentication-channel-uri=http://127.0.0.1:{called_at}/"))
            .env("JAVA_OPTS_APPEND", "-Xmx512m")
            .stdin(Stdio::null())
            .stdout(out.try_clone().expect("a handle"))
            .stderr(out)
            .spawn()
            .expect("Keycloak starts: run scripts/peers");
        let issuer = format!("https://localhost:{port}/realms/esante-wallet");
        let mut keycloak = Keycloak { process, issuer, telephone, pki };
        keycloak.until_it_answers(&log).await;
        keycloak
    }

    /// It builds itself at its first start, which takes minutes on a small machine.
    async fn until_it_answers(&mut self, log: &PathBuf) {
        let (link, begun) = (link_of(&self.pki), Instant::now());
        while begun.elapsed() < START_MAX {
            let ended = self.process.try_wait().expect("a process");
            assert!(ended.is_none(), "Keycloak ended: {}", fs::read_to_string(log).unwrap_or_default());
            let url = format!("{}/.well-known/openid-configuration", self.issuer);
            if link.send(request(link::Method::Get, url, None, None)).await.is_ok_and(|answer| answer.status == 200) {
                return;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        panic!("Keycloak did not start: {}", fs::read_to_string(log).unwrap_or_default());
    }

    /// The next call at the telephone: it comes before the request is answered.
    fn rings(&self) -> Ringing {
        self.telephone.recv_timeout(Duration::from_secs(30)).expect("it rang")
    }

    fn by_key(&self, id: &str) -> ecps::client::Client {
        self.client(id, self.key())
    }

    fn key(&self) -> ecps::client::ClientProof {
        let pem = SecretBytes::new(fs::read(self.pki.device().key).expect("a key"));
        let key = SigningKey::read(&pem, Some("borne".into())).expect("a signing key");
        ecps::client::ClientProof::Key(key)
    }

    fn client(&self, id: &str, proof: ecps::client::ClientProof) -> ecps::client::Client {
        self.client_of(&self.issuer, id, proof)
    }

    fn client_of(&self, issuer: &str, id: &str, proof: ecps::client::ClientProof) -> ecps::client::Client {
        let options = ecps::client::Options {
            issuer: issuer.to_owned(),
            description: format!("{issuer}/.well-known/openid-configuration"),
            client: id.into(),
            proof,
            acr: vec!["eidas1".into()],
        };
        ecps::client::Client::new(link_of(&self.pki), options)
    }

    /// In the words that Keycloak gives a telephone: SUCCEED, UNAUTHORIZED, CANCELLED.
    async fn answer(&self, ringing: &Ringing, word: &str) {
        let url = format!("{}/protocol/openid-connect/ext/ciba/auth/callback", self.issuer);
        let token = SecretBytes::new(ringing.token.clone().into_bytes());
        let said = json!({"status": word}).to_string().into_bytes();
        let answer = link_of(&self.pki).send(request(link::Method::Post, url, Some(&token), Some(said))).await;
        assert_eq!(answer.expect("an answer").status, 200);
    }
}

/// As Java writes it: Keycloak (26.4) compares texts.
fn subject_of(certificate: &Path) -> String {
    let pem = CertificateDer::from_pem_file(certificate).expect("a certificate");
    let (_, parsed) = X509Certificate::from_der(&pem).expect("DER");
    let parts: Vec<String> = parsed
        .subject()
        .iter_rdn()
        .map(|rdn| {
            let one = rdn.iter().next().expect("an attribute");
            let name = match one.attr_type().to_id_string().as_str() {
                "2.5.4.3" => "CN",
                "2.5.4.6" => "C",
                "2.5.4.10" => "O",
                "2.5.4.11" => "OU",
                other => panic!("{other} in the device's name"),
            };
            format!("{name}={}", one.as_str().expect("text"))
        })
        .collect();
    parts.into_iter().rev().collect::<Vec<_>>().join(", ")
}

/// One call of Keycloak's, answered with 201 as its documentation wants it.
fn ring(mut stream: TcpStream) -> Ringing {
    let mut heard = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&heard).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let header = |name: &str| {
                let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(name))?;
                line.split_once(':').map(|(_, value)| value.trim().to_owned())
            };
            let length: usize = header("content-length").and_then(|value| value.parse().ok()).expect("a length");
            if body.len() >= length {
                let token = header("authorization").expect("a token").replacen("Bearer ", "", 1);
                let body = serde_json::from_str(body).expect("JSON");
                stream
                    .write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                    .expect("answered");
                return Ringing { token, body };
            }
        }
        let count = stream.read(&mut piece).expect("it speaks");
        assert!(count > 0, "the call broke off");
        heard.extend_from_slice(&piece[..count]);
    }
}

fn request(
    method: link::Method,
    url: String,
    bearer: Option<&SecretBytes>,
    body: Option<Vec<u8>>,
) -> link::Request<'_> {
    link::Request {
        method,
        url,
        accept: "*/*".into(),
        bearer,
        headers: Vec::new(),
        body: body.map(|bytes| ("application/json", bytes)),
        limit_bytes: 1 << 20,
    }
}

impl Drop for Keycloak {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}

const START_MAX: Duration = Duration::from_secs(900);
