//! The kiosk whole, but for its window: the real loop, vault, worker and TLS, a card in the real pcscd. What a person would
//! see is read from the views, what they would press is sent as touches.

use crate::desk::Hands;
use crate::desk::with_card;
use crate::person::Person;
use crate::person::runtime;
use crate::person::stage;
use crate::person::text_of;
use crate::vault::faults;
use crate::vault::receipts::photographed;
use chevet::config::Config;
use chevet::config::Site;
use chevet::identity::holder::HolderId;
use chevet::identity::trust::Anchors;
use chevet::journal::export::Verifier;
use chevet::journal::note::VerifyingKey;
use chevet::journal::receipt::Receipt;
use chevet::journal::words::Class;
use chevet::kiosk::rulebook;
use chevet::kiosk::start::StartError;
use chevet::policy::framework::Framework;
use chevet::policy::signed;
use chevet::policy::signed::Standing;
use chevet::sandbox::cps::Faults;
use chevet::sandbox::drawer::Drawer;
use chevet::sandbox::stage::Stage;
use chevet::screen::view::Body;
use chevet::screen::view::DocumentRow;
use chevet::screen::view::GateAct;
use chevet::screen::view::View;
use chevet::trouble::Trouble;
use chevet::vault::Look;
use chevet::vault::Status;
use chevet::visit::event::Touch;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;
use std::time::Instant;

mod cards;
mod compose;
mod damaged;
mod desk;
mod keys;
mod known;
mod pages;
mod pinpad;
mod printed;
mod pulled;
mod quiet;
mod readers;
mod rooms;
mod round;
mod scanned;

/// P1 on real parts. First the control: on a healthy disk a document is read by a worker and shown. Then fsync fails:
/// no document and no list reaches the screen, and no worker is given a byte (one process reads one document and ends).
#[test]
fn on_a_disk_that_fails_nothing_reaches_worker_or_screen() {
    with_card("kiosk::on_a_disk_that_fails_nothing_reaches_worker_or_screen", "nurse", |_hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let mut stage = stage(folder.path());
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            kiosk.log_in().await;
            kiosk.open_record_of(0).await;
            let before = workers();
            kiosk.touch(Touch::OpenDocument(0)).await;
            kiosk.until("a document", |body| matches!(body, Body::Reader(page) if page.reading.is_some())).await;
            let fresh = workers();
            assert_ne!(before, fresh, "a document that is shown has used a worker up");
            kiosk.touch(Touch::Back).await;
            kiosk.until("the list", |body| matches!(body, Body::Documents(_))).await;

            let sync_fails = faults::FAULTS.iter().find(|fault| fault.name == "sync-fails").expect("one of them");
            faults::fail(*sync_fails);
            // It is in the compartment: nothing is written before its row, and the row cannot be.
            kiosk.touch(Touch::OpenDocument(0)).await;
            let notice =
                kiosk.until("a notice", |body| matches!(body, Body::Reader(page) if page.notice.is_some())).await;
            let Body::Reader(page) = notice else { panic!("a reader's page") };
            assert!(page.reading.is_none(), "content without a trace");
            assert_eq!(page.notice.expect("a notice").happened, Trouble::TraceNotWritten.words().happened);
            assert_eq!(workers(), fresh, "a worker was given something without a trace");

            // The list that the compartment remembers, with the server away: again only the row is to be written.
            stage.stop_dmp();
            kiosk.touch(Touch::Quit).await;
            kiosk.until("home", |body| matches!(body, Body::Home(_))).await;
            kiosk.touch(Touch::OpenPatient(0)).await;
            let may = |body: &Body| matches!(body, Body::Gate(gate) if gate.act == GateAct::OpenRecord);
            kiosk.until("a ground that stands", may).await;
            kiosk.touch(Touch::OpenRecord).await;
            let refused = Trouble::TraceNotWritten.words().name;
            let told = |body: &Body| matches!(body, Body::Documents(_)) || text_of(body).contains(refused);
            let body = kiosk.until("a list, or why not", told).await;
            assert!(!matches!(body, Body::Documents(_)), "a list without a trace");
        });
    });
}

/// A server that cannot prove who it is gets nothing, and the screen says so.
#[test]
fn a_server_with_the_wrong_certificate_is_named_on_the_screen() {
    with_card("kiosk::a_server_with_the_wrong_certificate_is_named_on_the_screen", "nurse", |hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let stage = stage(folder.path());
            let text = std::fs::read_to_string(&stage.settings).expect("settings");
            let (right, wrong) = (hands.pki().tls_authority(), hands.pki().wrong_tls_authority());
            let own = stage.pki.tls_authority();
            let wrong = text.replace(&format!("{own:?}"), &format!("{wrong:?}"));
            assert_ne!(text, wrong, "{own:?} {right:?}");
            let settings = folder.path().join("wrong.toml");
            std::fs::write(&settings, wrong).expect("written");
            let mut kiosk = Person::before(&stage, &settings).await;
            kiosk.log_in().await;
            kiosk.touch(Touch::OpenPatient(0)).await;
            let expected = Trouble::ServerCertificate.words();
            kiosk.until("word about the server", |body| text_of(body).contains(expected.name)).await;
            assert_eq!(stage.received_traces().len(), 0, "nothing was delivered to a server that nobody knows");
        });
    });
}

/// The card that is in signs the head when nothing else is to be done, and the server takes it; pulled before it could, the
/// next stay makes up for it. The export that comes out of it is proven with the authorities of the settings.
#[test]
fn the_cards_and_the_servers_word_stand_under_the_journal() {
    with_card("kiosk::the_cards_and_the_servers_word_stand_under_the_journal", "nurse", |hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let stage = stage(folder.path());
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            kiosk.log_in().await;
            hands.pull();
            kiosk.until("a blank page", |body| matches!(body, Body::Idle(_))).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            hands.insert("nurse");
            kiosk.log_in().await;
            kiosk.open_record_of(0).await;
            // What the patient takes home, as their telephone sees it.
            kiosk.touch(Touch::ShowReceipt).await;
            let Body::Receipt(page) = kiosk.until("a receipt", |body| matches!(body, Body::Receipt(_))).await else {
                panic!("a receipt");
            };
            let look = Look::open(&stage.state, None).expect("a look");
            let key = VerifyingKey::parse(&look.status().expect("a status").device_key).expect("a key");
            let receipt = Receipt::read(&photographed(page.side, &page.dark)).expect("a receipt");
            receipt.verify(&key).expect("proven");
            assert_eq!((receipt.claims.class, receipt.claims.holder.0.as_str()), (Class::Listed, "899700101340"));
            assert!(page.lines.iter().any(|line| line.contains("liste des documents")), "{:?}", page.lines);
            kiosk.touch(Touch::Back).await;
            let attested = attested(&look).await;
            assert!(attested.rows >= 4, "two logins, a gate, a list: {attested:?}");
            let heads = stage.received_checkpoints();
            let size = format!("\n{}\n", attested.rows);
            let has = |head: &serde_json::Value| {
                head["extension"][0]["valueString"].as_str().is_some_and(|n| n.contains(&size))
            };
            assert!(heads.iter().any(has), "the server has the very head");

            let mut out = Vec::new();
            look.export(&mut out).expect("exported");
            let pem = std::fs::read(stage.pki.anchors()).expect("anchors");
            let key = VerifyingKey::parse(&attested.device_key).expect("a key");
            let mut verifier = Verifier::new(Some(key)).with_anchors(Anchors::from_pem(&[&pem]).expect("anchors"));
            out.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).for_each(|line| verifier.line(line));
            let report = verifier.finish();
            assert!(report.ok && report.certified == Some(true), "{report:?}");
            assert!(report.countersigned >= attested.rows && report.anchored >= attested.rows, "{report:?}");
        });
    });
}

/// One consultation without an anchor, in the settings: offline, the first one is the last one, until the server is back.
#[test]
fn with_the_allowance_spent_no_record_opens_until_the_server_is_back() {
    with_card("kiosk::with_the_allowance_spent_no_record_opens_until_the_server_is_back", "nurse", |_hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let mut stage = stage(folder.path());
            let text = std::fs::read_to_string(&stage.settings).expect("settings");
            std::fs::write(&stage.settings, text + "\n[journal]\nallowance_rows = 1\n").expect("written");
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            kiosk.log_in().await;
            kiosk.open_record_of(0).await;
            attested(&Look::open(&stage.state, None).expect("a look")).await;
            kiosk.touch(Touch::Quit).await;
            let name = Trouble::AllowanceSpent.words().name;
            let spent =
                |body: &Body| matches!(body, Body::Home(home) if home.pills.iter().any(|pill| pill.text == name));
            let plenty = |body: &Body| matches!(body, Body::Home(_)) && !spent(body);
            kiosk.until("home, with all of the allowance", plenty).await;

            stage.stop_dmp();
            kiosk.open_record_of(0).await;
            kiosk.touch(Touch::Quit).await;
            kiosk.until("home, with the allowance spent", spent).await;
            kiosk.touch(Touch::OpenPatient(0)).await;
            let may = |body: &Body| matches!(body, Body::Gate(gate) if gate.act == GateAct::OpenRecord);
            kiosk.until("a ground that stands", may).await;
            kiosk.touch(Touch::OpenRecord).await;
            kiosk.until("why not", |body| text_of(body).contains(name)).await;

            stage.start_dmp().expect("back");
            kiosk.touch(Touch::Back).await;
            kiosk.until("home, with all of the allowance again", plenty).await;
            kiosk.open_record_of(0).await;
        });
    });
}

/// All rows under a card's and the server's word: waits for it.
async fn attested(look: &Look) -> Status {
    for _try in 0..300 {
        let status = look.status().expect("read");
        let anchored = status.anchored.map_or(0, |anchor| anchor.size);
        if status.rows > 0 && status.countersigned == status.rows && anchored == status.rows {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not attested in 30 s: {:?}", look.status());
}

/// What the sealed worker read is found again by its words, under a row of its own, and only what may be seen.
#[test]
fn words_of_a_document_that_was_read_are_found_again() {
    with_card("kiosk::words_of_a_document_that_was_read_are_found_again", "nurse", |_| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let stage = stage(folder.path());
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            kiosk.log_in().await;
            kiosk.open_record_of(0).await;
            let listed = kiosk.until("the list", |body| matches!(body, Body::Documents(_))).await;
            let Body::Documents(listed) = listed else { panic!("no list") };
            let mut searched = 0;
            for place in 0..listed.rows.len() {
                kiosk.touch(Touch::OpenDocument(place)).await;
                let read = |body: &Body| matches!(body, Body::Reader(page) if page.reading.is_some());
                let Body::Reader(page) = kiosk.until("a document", read).await else { panic!("no document") };
                let words = page.reading.map(|reading| reading.words()).unwrap_or_default();
                let longest = words.split(|letter: char| !letter.is_alphabetic()).max_by_key(|word| word.len());
                kiosk.touch(Touch::Back).await;
                kiosk.until("the list", |body| matches!(body, Body::Documents(_))).await;
                // A picture has no words.
                let Some(word) = longest.filter(|word| word.len() > 5) else { continue };
                searched += 1;
                kiosk.touch(Touch::Search).await;
                kiosk.until("the words' page", |body| matches!(body, Body::Text(_))).await;
                kiosk.touch(Touch::TextTyped(word.to_uppercase())).await;
                let found = |body: &Body| {
                    let Body::Documents(page) = body else { return false };
                    page.chips.iter().any(|chip| chip.chosen && chip.label.contains(&word.to_uppercase()))
                };
                let Body::Documents(page) = kiosk.until("what was found", found).await else { panic!("no list") };
                // Its pill is another now: it has been read.
                let same = |row: &DocumentRow| row.title == listed.rows[place].title;
                assert!(page.rows.iter().any(same), "place {place}: not found by its own words");
                kiosk.touch(Touch::FilterClass(None)).await;
                kiosk
                    .until("the whole list", |body| matches!(body, Body::Documents(page) if page.rows.len() > 1))
                    .await;
            }
            assert!(searched > 0, "no document had words");
            let mut out = Vec::new();
            Look::open(&stage.state, None).expect("a look").export(&mut out).expect("exported");
            let rows = String::from_utf8(out).expect("text").matches("\"class\":\"searched\"").count();
            assert_eq!(rows, searched, "each search is a row");
        });
    });
}

/// Pulled at any moment after its PIN, while a slow card still answers: nothing that was being done for it may stand in
/// the way of the next card.
#[test]
fn a_card_that_is_pulled_while_it_answers_leaves_room_for_the_next() {
    with_card("kiosk::a_card_that_is_pulled_while_it_answers_leaves_room_for_the_next", "nurse", |hands: &Hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let stage = stage(folder.path());
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            // In its PIN, in its compartment's key, and in the token that home asks for.
            for answers in [2, 8, 10, 11, 12] {
                kiosk.type_pin().await;
                hands.set_faults(Faults { slow: Duration::from_millis(150), ..Faults::default() });
                let before = hands.apdus();
                kiosk.touch(Touch::Confirm).await;
                let until = Instant::now() + Duration::from_secs(4);
                while hands.apdus() < before + answers && Instant::now() < until {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                hands.pull();
                kiosk.until("a blank page", |body| matches!(body, Body::Idle(_))).await;
                tokio::time::sleep(Duration::from_secs(1)).await;
                hands.insert("nurse");
            }
        });
    });
}

/// A patient's card, say: the page names it, nothing is sent to it, and the next card is read.
#[test]
fn a_card_that_is_no_cps_is_told_so_and_asked_nothing() {
    with_card("kiosk::a_card_that_is_no_cps_is_told_so_and_asked_nothing", "unknown", |hands: &Hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let stage = stage(folder.path());
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            let body = kiosk.until("page that says why not", |body| matches!(body, Body::Trouble(_))).await;
            assert!(text_of(&body).contains(Trouble::CardUnknown.words().name), "{}", text_of(&body));
            assert_eq!(hands.apdus(), 0);
            hands.pull();
            kiosk.until("a blank page", |body| matches!(body, Body::Idle(_))).await;
            hands.insert("nurse");
            kiosk.log_in().await;
        });
    });
}

/// Without any PC/SC service the kiosk starts, says so on its idle page, and waits. Lived in a process of its own, this
/// test run once more, whose environment names a service that is not there whatever this desk has.
#[test]
fn without_a_reader_service_the_idle_page_says_so() {
    if std::env::var_os(ALONE).is_some() {
        return live_without_a_service();
    }
    let child = std::process::Command::new(std::env::current_exe().expect("this program"))
        .args(["kiosk::without_a_reader_service_the_idle_page_says_so", "--exact", "--nocapture"])
        .env("PCSCLITE_CSOCK_NAME", "/nonexistent/pcscd.comm")
        .env(ALONE, "yes")
        .output()
        .expect("started");
    let said = String::from_utf8_lossy(&child.stdout).into_owned() + &String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success() && said.contains(SEEN), "{said}");
}

/// Nobody gets more by it, and the rest goes on: what the establishment signed and somebody changed is left aside, by name.
#[test]
fn a_team_and_a_framework_that_were_changed_are_left_aside_and_the_kiosk_lives() {
    runtime().block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let stage = stage(folder.path());
        let framework = "# chevet-framework: 1\nreference,establishment,from,until\n\
                         CHU-2026-014,Cabinet de la Gare,2020-01-01,2099-12-31\n";
        let signature = signed::sign(framework.as_bytes(), DESK_KEY, "development").expect("signed");
        std::fs::write(folder.path().join("cadre.csv"), framework).expect("written");
        std::fs::write(folder.path().join("cadre.sig"), signature).expect("written");
        let settings = std::fs::read_to_string(&stage.settings).expect("settings");
        let settings = settings.replace("team_list", "brain_death_framework = \"cadre.csv\"\nteam_list");
        std::fs::write(&stage.settings, settings).expect("written");
        let site = || Config::read(&stage.settings).expect("settings").site;
        let good = rulebook::issued(&site(), Standing::Desk);
        assert_eq!(good.framework.as_ref().map(Framework::reference), Some("CHU-2026-014"));
        let nurse = HolderId(Drawer::profile("nurse").expect("the nurse").holder_id.to_owned());
        assert!(good.team.has(&nurse) && good.left_aside.is_empty());
        let elsewhere = Site { name: "Cabinet d’ailleurs".to_owned(), ..site() };
        let other = rulebook::issued(&elsewhere, Standing::Desk);
        assert!(other.framework.is_none() && !other.team.has(&nurse) && other.left_aside.len() == 2);

        std::fs::write(folder.path().join("cadre.csv"), framework.replace("014", "015")).expect("written");
        std::fs::remove_file(folder.path().join("team.sig")).expect("removed");
        let none = rulebook::issued(&site(), Standing::Desk);
        assert!(none.framework.is_none() && !none.team.has(&nurse));
        let mut kiosk = Person::before(&stage, &stage.settings).await;
        let idle = kiosk.until("the idle page", |body| matches!(body, Body::Idle(_))).await;
        let Body::Idle(page) = idle else { panic!("the idle page") };
        assert!(page.matrix.contains("Cadre de mort encéphalique écarté\u{a0}: La signature"), "{}", page.matrix);
        assert!(
            page.matrix.contains("Liste de l’équipe écartée\u{a0}: Ce fichier ou sa signature manque."),
            "{}",
            page.matrix
        );
    });
}

fn live_without_a_service() {
    runtime().block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let stage = stage(folder.path());
        let mut kiosk = Person::before(&stage, &stage.settings).await;
        let expected = [Trouble::ReaderServiceDown, Trouble::NoReader].map(|trouble| trouble.words().name);
        let told = |body: &Body| expected.iter().any(|name| text_of(body).contains(name));
        kiosk.until("word about the reader", told).await;
    });
    println!("{SEEN}");
}

const ALONE: &str = "CHEVET_TEST_ALONE";
const SEEN: &str = "the idle page names the reader";

/// Believed at desks only.
const DESK_KEY: &str = include_str!("../../data/keys/development.key");

/// Numbers of this process's children: the sealed workers.
fn workers() -> BTreeSet<String> {
    let mut children = BTreeSet::new();
    for task in std::fs::read_dir("/proc/self/task").expect("proc").flatten() {
        let listed = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        children.extend(listed.split_whitespace().map(str::to_owned));
    }
    children
}
