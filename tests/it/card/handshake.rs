//! The card in a TLS handshake, through the real pcscd: against the sandbox's rustls, and against OpenSSL.

use super::BRIEF;
use crate::desk::Hands;
use crate::desk::with_card;
use chevet::card::Error;
use chevet::card::Notice;
use chevet::card::Options;
use chevet::card::Reader;
use chevet::identity::holder::CertificateKeyId;
use chevet::identity::statement::Statement;
use chevet::kiosk::card_key::CardKey;
use chevet::link;
use chevet::link::Client;
use chevet::link::Method;
use chevet::link::Request;
use chevet::link::holder::NotSigned;
use chevet::sandbox::cps::Faults;
use chevet::secret::Pin;
use chevet::visit::event::Insertion;
use std::io::BufRead;
use std::io::BufReader;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

/// A reader with a card in it whose PIN was taken, and a link in its holder's name.
struct Stand {
    runtime: Runtime,
    reader: Reader,
    insertion: u64,
    key: Arc<CardKey>,
    client: Client,
    notices: mpsc::Receiver<Notice>,
}

impl Stand {
    /// It believes `ca.pem` in that folder.
    fn set(folder: &Path, with_pin: bool) -> Stand {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let (tell, mut notices) = mpsc::channel(32);
        let reader =
            Reader::start(Options { answer_max: BRIEF, ..Options::default() }, tell).expect("the threads start");
        let key = Arc::new(CardKey::default());
        let ca = std::fs::read(folder.join("ca.pem")).expect("an authority");
        let client = Client::of_holder(&ca, key.clone(), link::Timeouts::default()).expect("a client");
        let insertion = runtime.block_on(async {
            let insertion = next_card(&mut notices).await;
            let contents = reader.read(insertion).await.expect("read");
            key.take(&reader, Insertion(insertion), &contents.certificate);
            if with_pin {
                log_in(&reader, insertion).await;
            }
            insertion
        });
        Stand { runtime, reader, insertion, key, client, notices }
    }

    /// The next card, with its PIN taken.
    fn take_next(&mut self) {
        let Stand { runtime, reader, key, notices, .. } = self;
        self.insertion = runtime.block_on(async {
            let insertion = next_card(notices).await;
            let contents = reader.read(insertion).await.expect("read");
            key.take(reader, Insertion(insertion), &contents.certificate);
            log_in(reader, insertion).await;
            insertion
        });
    }

    fn get(&self, url: &str) -> Result<link::Answer, link::Error> {
        let request = Request {
            method: Method::Get,
            url: url.to_owned(),
            accept: "*/*".into(),
            bearer: None,
            headers: Vec::new(),
            body: None,
            limit_bytes: 1 << 20,
        };
        // A task of its own: signing blocks the thread that asked, and the runtime goes on.
        let client = self.client.clone();
        self.runtime.block_on(async {
            let asking = tokio::spawn(async move { client.send(request).await });
            asking.await.expect("no panic")
        })
    }

    #[track_caller]
    fn says(&self, url: &str, expected: Error) {
        match self.get(url) {
            Err(link::Error::HolderKey { source: NotSigned(cause) }) => {
                assert_eq!(cause.downcast_ref::<Error>(), Some(&expected), "{cause:?}");
            }
            other => panic!("{:?} instead of {expected:?}", other.map(|answer| answer.status)),
        }
    }
}

async fn next_card(notices: &mut mpsc::Receiver<Notice>) -> u64 {
    loop {
        match tokio::time::timeout(Duration::from_secs(10), notices.recv()).await.expect("in time") {
            Some(Notice::CardIn(insertion)) => return insertion,
            Some(_) => {}
            None => panic!("the watch ended"),
        }
    }
}

async fn log_in(reader: &Reader, insertion: u64) {
    let pin = Pin::from_typed("1234".into()).expect("digits");
    let statement = Statement::login("a test", CertificateKeyId([7; 32]), &[9; 32]);
    reader.login(insertion, pin, statement).await.expect("logged in");
}

/// `openssl s_server` that wants a card's certificate, on one suite; ends with it.
struct OpenSsl {
    child: std::process::Child,
    url: String,
}

/// An RSA server and its authority, as the DMP's suites want it, made once by OpenSSL itself.
fn rsa_server(folder: &Path) {
    std::fs::write(folder.join("leaf.cnf"), "basicConstraints=CA:FALSE\nsubjectAltName=IP:127.0.0.1\n")
        .expect("written");
    let run = |arguments: &str| {
        let mut command = Command::new("openssl");
        let done = command.current_dir(folder).args(arguments.split(' ')).output().expect("openssl");
        assert!(done.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&done.stderr));
    };
    run("req -x509 -newkey rsa:2048 -nodes -subj /CN=ca -days 2 -keyout ca.key -out ca.pem");
    run("req -newkey rsa:2048 -nodes -subj /CN=server -keyout server.key -out server.csr");
    run("x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile leaf.cnf -out server.pem");
}

impl OpenSsl {
    fn start(hands: &Hands, folder: &Path, suite: &str) -> OpenSsl {
        let pki = hands.pki();
        // Free a moment ago, and loopback alone.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let mut command = Command::new("openssl");
        command.args(["s_server", "-accept", &format!("127.0.0.1:{port}"), "-www", "-tls1_2", "-cipher", suite]);
        command.args(["-Verify", "3", "-verify_return_error"]).arg("-CAfile").arg(pki.anchors());
        command.arg("-cert").arg(folder.join("server.pem")).arg("-key").arg(folder.join("server.key"));
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("openssl");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let listens = lines.by_ref().any(|line| line.is_ok_and(|line| line.contains("ACCEPT")));
        assert!(listens, "openssl s_server does not listen");
        // What it says later must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        OpenSsl { child, url: format!("https://127.0.0.1:{port}/") }
    }
}

impl Drop for OpenSsl {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _waited = self.child.wait();
    }
}

/// The DMP's suites, but the one that rustls has not (docs/dmp.md §3).
#[test]
fn openssl_takes_the_cards_signature_on_every_suite() {
    with_card("card::handshake::openssl_takes_the_cards_signature_on_every_suite", "nurse", |hands| {
        let folder = tempfile::tempdir().expect("a folder");
        rsa_server(folder.path());
        let stand = Stand::set(folder.path(), true);
        for suite in ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"] {
            let server = OpenSsl::start(hands, folder.path(), suite);
            let answer = stand.get(&server.url).unwrap_or_else(|error| panic!("{suite}: {error:?}"));
            let page = String::from_utf8_lossy(&answer.body).into_owned();
            assert_eq!(answer.status, 200, "{suite}");
            assert!(page.contains(&format!("Cipher    : {suite}")), "{suite}: {page}");
            assert!(page.contains("TLSv1.2"), "{page}");
            stand.client.hang_up();
        }
        // Nobody's card: the server wants one.
        let server = OpenSsl::start(hands, folder.path(), "ECDHE-RSA-AES128-GCM-SHA256");
        stand.key.leave();
        assert!(stand.get(&server.url).is_err());
    });
}

#[test]
fn a_card_that_cannot_sign_says_why() {
    with_card("card::handshake::a_card_that_cannot_sign_says_why", "nurse", |hands| {
        let folder = tempfile::tempdir().expect("a folder");
        rsa_server(folder.path());
        let server = OpenSsl::start(hands, folder.path(), "ECDHE-RSA-AES128-GCM-SHA256");
        let stand = Stand::set(folder.path(), false);
        stand.says(&server.url, Error::PinNeeded);
        // The visit is over: what was proven is forgotten, by the card itself.
        let log_in = || stand.runtime.block_on(log_in(&stand.reader, stand.insertion));
        log_in();
        assert_eq!(stand.get(&server.url).expect("signed").status, 200);
        stand.client.hang_up();
        stand.runtime.block_on(stand.reader.left());
        stand.says(&server.url, Error::PinNeeded);
        log_in();
        hands.pull_and_see();
        match stand.get(&server.url) {
            Err(link::Error::HolderKey { source: NotSigned(cause) }) => {
                let said = cause.downcast_ref::<Error>();
                assert!(matches!(said, Some(Error::Removed | Error::StaleInsertion)), "{cause:?}");
            }
            other => panic!("{:?}", other.map(|answer| answer.status)),
        }
    });
}

/// The signature takes a few commands: pulled and fallen silent at each. The connection fails by the card's own reason, no try is
/// spent, and the next card signs.
#[test]
fn a_card_that_goes_within_the_handshakes_signature_ends_the_connection_alone() {
    let test = "card::handshake::a_card_that_goes_within_the_handshakes_signature_ends_the_connection_alone";
    with_card(test, "nurse", |hands| {
        let folder = tempfile::tempdir().expect("a folder");
        rsa_server(folder.path());
        let server = OpenSsl::start(hands, folder.path(), "ECDHE-RSA-AES128-GCM-SHA256");
        let mut stand = Stand::set(folder.path(), true);
        let before = hands.apdus();
        assert_eq!(stand.get(&server.url).expect("signed").status, 200);
        let steps = hands.apdus() - before;
        assert!(steps >= 2, "{steps}");
        for at in 0..steps {
            for is_pulled in [true, false] {
                stand.client.hang_up();
                hands.pull_and_see();
                hands.insert("nurse");
                stand.take_next();
                let at = hands.apdus() + at;
                let (pulled_at, mute_from) = if is_pulled { (Some(at), None) } else { (None, Some(at)) };
                hands.set_faults(Faults { pulled_at, mute_from, ..Faults::default() });
                stand.says(&server.url, if is_pulled { Error::Removed } else { Error::Mute });
                assert_eq!((hands.is_in(), hands.tries_left()), (!is_pulled, Some(3)), "step {at}");
                // Asked once: what did not come is not asked for again.
                if !is_pulled {
                    assert_eq!(hands.apdus(), at + 1);
                }
            }
        }
        stand.client.hang_up();
        hands.pull_and_see();
        hands.insert("nurse");
        stand.take_next();
        assert_eq!(stand.get(&server.url).expect("signed").status, 200);
    });
}
