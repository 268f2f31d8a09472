//! Logins by telephone, against the sandbox's Pro Santé Connect over real TLS: the task that speaks with it, the server that
//! takes its tokens, and a whole kiosk without a card.

use crate::desk::pki;
use crate::desk::with_card;
use crate::person::Person;
use crate::person::runtime;
use crate::person::stage;
use aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
use aws_lc_rs::signature::EcdsaKeyPair;
use aws_lc_rs::signature::KeyPair;
use chevet::config::Config;
use chevet::device::clock::Clock;
use chevet::ecps::client::Client;
use chevet::ecps::client::ClientProof;
use chevet::ecps::client::Options;
use chevet::exchange::pdsm::Pdsm;
use chevet::exchange::pdsm::Profile;
use chevet::exchange::upstream;
use chevet::exchange::upstream::AsHolder;
use chevet::exchange::upstream::Upstream;
use chevet::identity::holder::HolderId;
use chevet::journal::export::Verifier;
use chevet::journal::words::Mode;
use chevet::kiosk::phone;
use chevet::kiosk::phone::Granted;
use chevet::kiosk::phone::Order;
use chevet::kiosk::start::StartError;
use chevet::kiosk::start::make_ecps;
use chevet::link;
use chevet::sandbox::dmp;
use chevet::sandbox::people::People;
use chevet::sandbox::psc;
use chevet::sandbox::psc::Fault;
use chevet::screen::view::Body;
use chevet::screen::view::GateAct;
use chevet::secret::SecretBytes;
use chevet::time::UnixSeconds;
use chevet::trouble::Trouble;
use chevet::vault::Look;
use chevet::visit::Event;
use chevet::visit::event::PhoneLogin;
use chevet::visit::event::Ticket;
use chevet::visit::event::Touch;
use rustls::pki_types::pem::PemObject as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio::task::JoinHandle;

const NURSE: &str = "899700101340";
const DOCTOR: &str = "899700201470";

/// The task, and both its ends.
struct Phone {
    psc: psc::Running,
    orders: mpsc::Sender<Order>,
    events: mpsc::Receiver<Event>,
    granted: watch::Receiver<Option<Arc<Granted>>>,
    task: JoinHandle<()>,
}

fn provider(request_s: u64, access_s: u64) -> psc::Running {
    let options = psc::Options { pki: pki(), port: 0, approves_after: None, interval_s: 1, request_s, access_s };
    psc::start(options).expect("a provider")
}

fn link() -> link::Client {
    let device = pki().device();
    let read = |path: &std::path::Path| std::fs::read(path).expect("a PEM file");
    let options = link::Options {
        ca_pem: read(&pki().tls_authority()),
        certificate_pem: read(&device.certificate),
        key_pem: SecretBytes::new(read(&device.key)),
        timeouts: link::Timeouts {
            answer: Duration::from_secs(5),
            silence: Duration::from_secs(5),
            ..link::Timeouts::default()
        },
    };
    link::Client::new(options).expect("a link")
}

fn client(psc: &psc::Running, id: &str) -> Client {
    let options = Options {
        issuer: psc.issuer.clone(),
        description: format!("{}/.well-known/openid-configuration", psc.issuer),
        client: id.into(),
        proof: ClientProof::Tls,
        acr: vec!["eidas1".into()],
    };
    Client::new(link(), options)
}

impl Phone {
    fn with(psc: psc::Running) -> Phone {
        let client = client(&psc, "borne");
        Phone::of(psc, client)
    }

    fn of(psc: psc::Running, client: Client) -> Phone {
        let (orders, orders_out) = mpsc::channel(8);
        let (events_in, events) = mpsc::channel(32);
        let (granted_in, granted) = watch::channel(None);
        let phone =
            phone::Phone { client, clock: Clock::start(UnixSeconds(0)), events: events_in, granted: granted_in };
        let task = tokio::spawn(phone::run(phone, orders_out));
        Phone { psc, orders, events, granted, task }
    }

    async fn ask(&self, ticket: u64, holder: &str) {
        let order = Order::Ask { ticket: Ticket(ticket), holder: HolderId(holder.into()) };
        self.orders.send(order).await.expect("it listens");
    }

    async fn next(&mut self) -> Event {
        tokio::time::timeout(Duration::from_secs(30), self.events.recv()).await.expect("in time").expect("an event")
    }

    /// The digits on the screen, for that request.
    async fn rings(&mut self, ticket: u64) -> String {
        match self.next().await {
            Event::PhoneAsked { ticket: asked, answer: Ok(code) } if asked == Ticket(ticket) => code.digits,
            other => panic!("{other:?} instead of a ringing telephone"),
        }
    }

    async fn answers(&mut self, ticket: u64) -> Result<Box<PhoneLogin>, Trouble> {
        match self.next().await {
            Event::PhoneAnswered { ticket: asked, answer } if asked == Ticket(ticket) => answer,
            other => panic!("{other:?} instead of an answer"),
        }
    }

    async fn logs_in(&mut self, ticket: u64, holder: &str) -> Box<PhoneLogin> {
        self.ask(ticket, holder).await;
        self.rings(ticket).await;
        self.psc.approve();
        self.answers(ticket).await.expect("approved")
    }

    fn token(&self) -> Option<AsHolder> {
        self.granted.borrow().as_ref().map(|granted| granted.as_holder(Mode::Normal))
    }

    async fn is_given_back(&self) {
        for _ in 0..100 {
            if self.psc.issued() > 0 && self.psc.outstanding() == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{} of {} tokens were never given back", self.psc.outstanding(), self.psc.issued());
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_screens_show_the_same_two_digits_and_one_approval_logs_in() {
    let mut phone = Phone::with(provider(60, 60));
    phone.ask(1, DOCTOR).await;
    let digits = phone.rings(1).await;
    assert!(digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit()), "{digits}");
    assert_eq!(phone.psc.ringing(), [(DOCTOR.to_owned(), digits)]);
    assert!(phone.token().is_none(), "nobody has approved");
    phone.psc.approve();
    let login = phone.answers(1).await.expect("approved");
    assert_eq!(login.person.id.0, DOCTOR);
    assert_eq!(login.person.exercises.len(), 2, "the doctor practises in two places");
    let token = phone.token().expect("a token");
    assert_eq!((token.holder.0.as_str(), token.mode), (DOCTOR, Some(Mode::Normal)));
    phone.orders.send(Order::End).await.expect("it listens");
    phone.is_given_back().await;
    assert!(phone.token().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_no_has_its_own_word() {
    let mut phone = Phone::with(provider(60, 60));
    phone.ask(1, NURSE).await;
    phone.rings(1).await;
    phone.psc.deny();
    assert_eq!(phone.answers(1).await.err(), Some(Trouble::PhoneDenied));

    phone.ask(2, "899700700000").await;
    let Event::PhoneAsked { answer, .. } = phone.next().await else { panic!("no answer") };
    assert_eq!(answer.err(), Some(Trouble::PhoneUnknownPerson));

    let mut brief = Phone::with(provider(10, 60));
    brief.ask(1, NURSE).await;
    brief.rings(1).await;
    assert_eq!(brief.answers(1).await.err(), Some(Trouble::PhoneExpired));

    let psc = provider(60, 60);
    let stranger = client(&psc, "another");
    let mut phone = Phone::of(psc, stranger);
    phone.ask(1, NURSE).await;
    let Event::PhoneAsked { answer, .. } = phone.next().await else { panic!("no answer") };
    assert_eq!(answer.err(), Some(Trouble::PhoneServiceRefused));
}

/// Whoever leaves while the telephone rings is left alone: no more questions, no token, whatever the telephone says then; the
/// next one is asked as ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_cancelled_while_it_waits_is_asked_about_no_more() {
    let mut phone = Phone::with(provider(60, 60));
    phone.ask(1, NURSE).await;
    phone.rings(1).await;
    while phone.psc.polls().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    phone.orders.send(Order::End).await.expect("it listens");
    // A question that is on its way is answered.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = phone.psc.polls().len();
    phone.psc.approve();
    let said = tokio::time::timeout(Duration::from_millis(2_500), phone.events.recv()).await;
    assert!(said.is_err(), "{said:?}: nobody is told of a request that was cancelled");
    assert_eq!((phone.psc.polls().len(), phone.psc.issued()), (before, 0));
    assert!(phone.token().is_none());
    let login = phone.logs_in(2, DOCTOR).await;
    assert_eq!(login.person.id.0, DOCTOR);
}

/// `private_key_jwt`, as the settings give it: each question is signed anew by that key, and by no other is anybody let in.
#[tokio::test(flavor = "multi_thread")]
async fn the_key_that_the_settings_name_signs_for_the_kiosk() {
    let folder = tempfile::tempdir().expect("a folder");
    let device = pki().device();
    let own = public_point(&device.key);
    for (known, expected) in [(own, None), (vec![4; 65], Some(Trouble::PhoneServiceRefused))] {
        let psc = provider(60, 60);
        psc.know_by_key("borne-a-clef", known);
        let settings = format!(
            "[site]\nname = \"Essai\"\n[trust]\nanchors = [\"a\"]\nproduction = false\n[upstream]\n\
             url = \"https://dmp.invalid\"\nca = {ca:?}\ncertificate = {certificate:?}\nkey = {key:?}\n\
             connector = \"pdsm\"\n[ecps]\nissuer = {issuer:?}\nclient_id = \"borne-a-clef\"\nca = {ca:?}\n\
             signing_key = {key:?}\nsigning_key_id = \"borne\"\n",
            ca = pki().tls_authority(),
            certificate = device.certificate,
            key = device.key,
            issuer = psc.issuer,
        );
        let config = Config::understand(&settings, &folder.path().join("kiosk.toml")).expect("settings");
        let client = make_ecps(config.ecps.as_ref().expect("a section")).expect("a client");
        let mut phone = Phone::of(psc, client);
        phone.ask(1, NURSE).await;
        match (phone.next().await, expected) {
            (Event::PhoneAsked { answer: Ok(_), .. }, None) => {
                phone.psc.approve();
                phone.answers(1).await.expect("approved");
            }
            (Event::PhoneAsked { answer: Err(trouble), .. }, Some(expected)) => assert_eq!(trouble, expected),
            (event, _) => panic!("{event:?}"),
        }
    }
    // A key that is none is found out at the start, and named.
    std::fs::write(folder.path().join("no.key"), "no key").expect("written");
    let mut config = Config::understand(
        &format!(
            "[site]\nname = \"Essai\"\n[trust]\nanchors = [\"a\"]\nproduction = false\n[upstream]\n\
             url = \"https://dmp.invalid\"\nca = {0:?}\ncertificate = {1:?}\nkey = {2:?}\nconnector = \"pdsm\"\n\
             [ecps]\nissuer = \"https://psc.invalid/realm\"\nclient_id = \"borne\"\nca = {0:?}\nsigning_key = \"no.key\"\n",
            pki().tls_authority(),
            device.certificate,
            device.key
        ),
        &folder.path().join("kiosk.toml"),
    )
    .expect("settings");
    let ecps = config.ecps.take().expect("a section");
    assert!(matches!(make_ecps(&ecps), Err(StartError::ECps { .. })));
}

/// A P-256 public key as a point.
fn public_point(key: &std::path::Path) -> Vec<u8> {
    let pem = std::fs::read(key).expect("a key");
    let der = rustls::pki_types::PrivatePkcs8KeyDer::from_pem_slice(&pem).expect("PKCS#8");
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.secret_pkcs8_der()).expect("P-256");
    pair.public_key().as_ref().to_vec()
}

/// CIBA Core §11: five seconds more, from then on.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_says_slower_is_asked_slower() {
    let mut phone = Phone::with(provider(60, 60));
    phone.psc.set(Some(Fault::SlowDown));
    phone.ask(1, NURSE).await;
    phone.rings(1).await;
    while phone.psc.polls().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    phone.psc.set(None);
    phone.psc.approve();
    phone.answers(1).await.expect("approved");
    let polls = phone.psc.polls();
    assert_eq!(polls.len(), 2);
    let between = polls[1] - polls[0];
    assert!(between >= Duration::from_millis(5_900), "asked again after {between:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_goes_away_is_given_up_and_one_that_comes_back_is_heard() {
    let mut phone = Phone::with(provider(60, 60));
    phone.ask(1, NURSE).await;
    phone.rings(1).await;
    phone.psc.set(Some(Fault::Down));
    assert_eq!(phone.answers(1).await.err(), Some(Trouble::PhoneUnreachable));

    phone.psc.set(None);
    phone.ask(2, NURSE).await;
    phone.rings(2).await;
    phone.psc.set(Some(Fault::Down));
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    phone.psc.set(None);
    phone.psc.approve();
    phone.answers(2).await.expect("one silence is no end");
}

/// Whatever is wrong about it, it opens nothing, and its tokens go back.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_does_not_fit_is_refused_and_given_back() {
    for (fault, expected) in [
        (Fault::Forged, Trouble::PhoneProofRefused),
        (Fault::OtherClient, Trouble::PhoneProofRefused),
        (Fault::Weak, Trouble::PhoneProofRefused),
        (Fault::Somebody(DOCTOR), Trouble::PhoneOtherPerson),
        (Fault::OtherUserInfo, Trouble::PhoneOtherPerson),
    ] {
        let mut phone = Phone::with(provider(60, 60));
        phone.psc.set(Some(fault));
        phone.ask(1, NURSE).await;
        phone.rings(1).await;
        phone.psc.approve();
        assert_eq!(phone.answers(1).await.err(), Some(expected), "{fault:?}");
        phone.is_given_back().await;
        assert!(phone.token().is_none(), "{fault:?}");
    }
}

/// The telephone of an earlier request answers while the next one waits: its token is given back, and opens nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_approval_is_nobodys_visit() {
    let mut phone = Phone::with(provider(60, 60));
    phone.psc.set(Some(Fault::SlowPolls(Duration::from_millis(1_500))));
    phone.ask(1, NURSE).await;
    phone.rings(1).await;
    phone.psc.approve();
    // Its question is on the way, and the answer is a token.
    while phone.psc.issued() == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    phone.ask(2, DOCTOR).await;
    phone.rings(2).await;
    phone.is_given_back().await;
    assert!(phone.token().is_none(), "a token for a request that was dropped");
    phone.psc.set(None);
    phone.psc.approve();
    let login = phone.answers(2).await.expect("approved");
    assert_eq!(login.person.id.0, DOCTOR);
    // A request that was dropped is not asked about again, however late its telephone is touched.
    phone.ask(3, NURSE).await;
    phone.rings(3).await;
    phone.ask(4, DOCTOR).await;
    phone.rings(4).await;
    let before = phone.psc.issued();
    phone.psc.approve_oldest();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(phone.psc.issued(), before, "an old request was asked about");
    assert!(phone.token().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_is_kept_fresh_until_the_provider_says_no() {
    let mut phone = Phone::with(provider(60, 4));
    phone.logs_in(1, NURSE).await;
    phone.granted.borrow_and_update();
    let first = phone.token().expect("a token").token.show_bytes().to_vec();
    phone.granted.changed().await.expect("another one");
    let second = phone.token().expect("a token").token.show_bytes().to_vec();
    assert!(first != second, "the same token");
    phone.psc.set(Some(Fault::NoRefresh));
    let Event::PhoneOver { ticket: Ticket(1), trouble } = phone.next().await else { panic!("no end") };
    assert_eq!(trouble, Trouble::PhoneTokenEnd);
    assert!(phone.token().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_cannot_be_made_fresh_for_want_of_a_network_ends_with_its_time() {
    let mut phone = Phone::with(provider(60, 4));
    phone.logs_in(1, NURSE).await;
    phone.psc.set(Some(Fault::Down));
    let Event::PhoneOver { trouble, .. } = phone.next().await else { panic!("no end") };
    assert_eq!(trouble, Trouble::PhoneOffline);
}

/// The record's server takes the token by its issuer's key alone.
#[tokio::test(flavor = "multi_thread")]
async fn the_record_server_takes_a_token_of_the_issuer_that_it_knows_and_of_no_other() {
    let today = UnixSeconds(jiff::Timestamp::now().as_second());
    let options = dmp::Options {
        pki: pki(),
        people: People::generate(2026, today),
        port: 0,
        card_port: 0,
        web_port: 0,
        snapshot: None,
    };
    let server = dmp::start(options).expect("a server");
    let pdsm = Pdsm::new(link(), &server.base_url, link(), &server.base_url, Profile::Put).expect("a connector");
    let patient = People::generate(2026, today).persons[0].patient.ins.clone();
    let mut phone = Phone::with(provider(60, 60));
    phone.logs_in(1, NURSE).await;
    let who = phone.token().expect("a token");
    let refused =
        |answer: Result<_, upstream::Error>| matches!(answer, Err(upstream::Error::HolderRefused { status: 401 }));
    assert!(refused(pdsm.state(&who, &patient, None).await), "nobody told the server whom to believe");
    server.trust_issuer(&phone.psc.issuer, &provider(60, 60).jwk());
    assert!(refused(pdsm.state(&who, &patient, None).await), "the issuer's name with another key");
    server.trust_issuer("https://elsewhere.invalid/realm", &phone.psc.jwk());
    assert!(refused(pdsm.state(&who, &patient, None).await), "the key under another name");
    server.trust_issuer(&phone.psc.issuer, &phone.psc.jwk());
    pdsm.state(&who, &patient, None).await.expect("taken");
}

/// The whole kiosk, and nobody's card: the screen, the telephone, a patient's bracelet, a document, the traces, an export.
#[test]
fn a_whole_visit_without_a_card_leaves_its_traces_and_nothing_else() {
    with_card("ecps::a_whole_visit_without_a_card_leaves_its_traces_and_nothing_else", "nurse", |hands| {
        hands.pull_and_see();
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let stage = stage(folder.path());
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            let offered = |body: &Body| matches!(body, Body::Idle(page) if !page.by_phone.is_empty());
            kiosk.until("a way without a card", offered).await;
            kiosk.touch(Touch::ByPhone).await;
            for digit in NURSE[1..].bytes() {
                kiosk.touch(Touch::Digit(digit - b'0')).await;
            }
            kiosk.touch(Touch::Confirm).await;
            let code = |body: &Body| matches!(body, Body::Phone(page) if !page.digits.is_empty());
            let Body::Phone(page) = kiosk.until("two digits", code).await else { panic!("the telephone's page") };
            assert_eq!(stage.psc().ringing(), [(NURSE.to_owned(), page.digits)]);
            stage.psc().approve();
            kiosk.until("what a consultation entails", |body| matches!(body, Body::Duty(_))).await;
            kiosk.touch(Touch::Understood).await;
            let home = |body: &Body| matches!(body, Body::Home(page) if !page.memory_only.is_empty());
            kiosk.until("home, in memory only", home).await;

            let patient = stage.people.persons.iter().find(|person| !person.papers.is_empty()).expect("somebody");
            kiosk.touch(Touch::Scanned(bracelet(&patient.patient))).await;
            kiosk.until("the gate", |body| matches!(body, Body::Gate(page) if page.act != GateAct::None)).await;
            let asks = |body: &Body| matches!(body, Body::Gate(page) if page.act == GateAct::AskConsent);
            let must_ask = asks(&kiosk.shown());
            kiosk.touch(if must_ask { Touch::AskConsent } else { Touch::OpenRecord }).await;
            if must_ask {
                kiosk.until("the patient's page", |body| matches!(body, Body::Consent(_))).await;
                kiosk.touch(Touch::Yes).await;
            }
            kiosk.until("the list", |body| matches!(body, Body::Documents(page) if !page.rows.is_empty())).await;
            kiosk.touch(Touch::OpenDocument(0)).await;
            kiosk.until("a document", |body| matches!(body, Body::Reader(page) if page.reading.is_some())).await;

            // Any card ends it, and is read.
            hands.insert("doctor");
            kiosk.until("the card's PIN page", |body| matches!(body, Body::Pin(_))).await;
            hands.pull_and_see();
            kiosk.until("a blank page", |body| matches!(body, Body::Idle(_))).await;
            let classes = |stage: &chevet::sandbox::stage::Stage| stage.received_traces().len();
            for _ in 0..200 {
                if classes(&stage) >= 5 && stage.psc().outstanding() == 0 {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            assert!(classes(&stage) >= 5, "login, maintenance, gate, listed, opened: {}", classes(&stage));
            assert_eq!(stage.psc().outstanding(), 0, "the token was given back");

            // Nothing of a compartment, and an export that proves who was there.
            let kept = std::fs::read_dir(stage.state.join("compartments")).map_or(0, Iterator::count);
            assert_eq!(kept, 0, "something rests on the disk");
            let look = Look::open(&stage.state, None).expect("a look");
            let mut out = Vec::new();
            look.export(&mut out).expect("exported");
            let anchors = std::fs::read(stage.pki.anchors()).expect("anchors");
            let anchors = chevet::identity::trust::Anchors::from_pem(&[&anchors]).expect("anchors");
            let mut verifier = Verifier::new(None).with_anchors(anchors);
            out.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).for_each(|line| verifier.line(line));
            let report = verifier.finish();
            assert!(report.ok && report.certified == Some(true), "{report:?}");
            assert_eq!((report.logins_by_phone, report.countersigned), (1, 0), "{report:?}");
        });
    });
}

/// Online only: the network's end is the visit's, and the page says what is kept.
#[test]
fn a_network_that_goes_takes_the_visit_with_it() {
    with_card("ecps::a_network_that_goes_takes_the_visit_with_it", "nurse", |hands| {
        hands.pull_and_see();
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let mut stage = stage(folder.path());
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            kiosk.until("a blank page", |body| matches!(body, Body::Idle(_))).await;
            kiosk.touch(Touch::ByPhone).await;
            kiosk.touch(Touch::Scanned(NURSE.to_owned())).await;
            kiosk.until("two digits", |body| matches!(body, Body::Phone(page) if !page.digits.is_empty())).await;
            stage.psc().approve();
            kiosk.until("what a consultation entails", |body| matches!(body, Body::Duty(_))).await;
            kiosk.touch(Touch::Understood).await;
            kiosk.until("home", |body| matches!(body, Body::Home(_))).await;
            let patient = stage.people.persons[0].patient.clone();
            stage.stop_dmp();
            kiosk.touch(Touch::Scanned(bracelet(&patient))).await;
            let expected = Trouble::PhoneOffline.words();
            let over = |body: &Body| matches!(body, Body::Trouble(page) if page.happened.starts_with("Le réseau"));
            let Body::Trouble(page) = kiosk.until("word about the network", over).await else { panic!("a page") };
            assert_eq!((page.pill.text.as_str(), page.act.is_empty()), (expected.name, false));
        });
    });
}

/// The INS datamatrix of a bracelet.
pub fn bracelet(patient: &chevet::patient::ins::Patient) -> String {
    let sex = match patient.sex {
        chevet::patient::ins::Sex::Male => "M",
        chevet::patient::ins::Sex::Female => "F",
        chevet::patient::ins::Sex::Indeterminate => "I",
    };
    let date = patient.birth_date;
    format!(
        "IS010000000000000000000000S1{}S2{}S3{}\u{1D}S4{}\u{1D}S5{sex}S6{:02}-{:02}-{:04}",
        patient.ins.matricule,
        patient.ins.kind.oid(),
        patient.birth_given_names,
        patient.birth_name,
        date.day,
        date.month,
        date.year,
    )
}
