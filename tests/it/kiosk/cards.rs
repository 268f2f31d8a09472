//! Cards that open no record, on the page: each says why in a sentence of its own, and the next one is read.

use super::*;

/// Nothing of a refused card is asked for: no PIN page comes, and no try is spent.
#[test]
fn every_card_that_is_refused_is_told_why_on_the_page() {
    with_card("kiosk::cards::every_card_that_is_refused_is_told_why_on_the_page", "not-yet", |hands: &Hands| {
        hands.pull_and_see();
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let stage = stage(folder.path());
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            // Before anybody has vouched for the time, a date that has not come is no more than a warning.
            kiosk.until("the time", |body| text_of(body).contains("En ligne")).await;
            for (card, trouble) in [
                ("not-yet", Trouble::CertificateNotYetValid),
                ("expired", Trouble::CertificateExpired),
                ("revoked", Trouble::CertificateRevoked),
                ("other-issuer", Trouble::CertificateOtherIssuer),
                ("pin-blocked", Trouble::CardBlocked),
                ("cps4", Trouble::CardCps4),
                ("contactless", Trouble::CardContactless),
            ] {
                match card {
                    "not-yet" => hands.insert(card),
                    _ => change(&mut kiosk, hands, card).await,
                }
                let seen = |body: &Body| matches!(body, Body::Trouble(_) | Body::Pin(_));
                let body = kiosk.until("why not", seen).await;
                let Body::Trouble(page) = body else { panic!("{card}: a PIN page") };
                let words = trouble.words();
                assert_eq!((page.happened.as_str(), page.next.as_str()), (words.happened, words.next), "{card}");
                let tries = if card == "pin-blocked" { 0 } else { 3 };
                assert_eq!(hands.tries_left(), Some(tries), "{card}");
            }
            change(&mut kiosk, hands, "nurse").await;
            kiosk.log_in().await;
        });
    });
}

/// An employee's, an authorised person's, a structure's own: the reception desk, by name or without, and nothing of a record.
#[test]
fn a_card_without_a_profession_opens_the_reception_desk_and_never_a_record() {
    let test = "kiosk::cards::a_card_without_a_profession_opens_the_reception_desk_and_never_a_record";
    with_card(test, "reception", |hands: &Hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let stage = stage(folder.path());
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            for (card, name, role, kind) in [
                ("reception", "GARDEVOIR Lison", "Personnel d’établissement", "Carte de personnel d’établissement"),
                ("authorised", "BRASSEUR-LENOIR Théodule", "Personnel autorisé", "Carte de personnel autorisé"),
                ("of-nobody", "Carte sans nom", "Personnel d’établissement", "Carte de personnel d’établissement"),
            ] {
                if card != "reception" {
                    change(&mut kiosk, hands, card).await;
                }
                kiosk.type_pin().await;
                let Body::Pin(page) = kiosk.shown() else { panic!("{card}: no PIN page") };
                assert_eq!((page.name.as_str(), page.role.as_str(), page.card.as_str()), (name, role, kind));
                kiosk.touch(Touch::Confirm).await;
                let inside = |body: &Body| !matches!(body, Body::Pin(_) | Body::Wait(_));
                let Body::Reception(page) = kiosk.until("the desk", inside).await else { panic!("{card}: no desk") };
                assert_eq!((page.name.as_str(), page.role.as_str()), (name, kind));
                assert_eq!(page.title, "Cette carte n’ouvre aucun dossier.");
                // What opens a record elsewhere opens nothing here.
                for touch in [Touch::OpenPatient(0), Touch::OpenRecord, Touch::AskConsent, Touch::OpenDocument(0)] {
                    kiosk.touch(touch).await;
                }
                kiosk.touch(Touch::ShowLeaflet).await;
                kiosk.until("the leaflet", |body| matches!(body, Body::Duty(_))).await;
            }
            let kept = std::fs::read_dir(stage.state.join("compartments")).map_or(0, Iterator::count);
            assert_eq!(kept, 0, "a compartment for somebody who may read nothing");
            let mut out = Vec::new();
            Look::open(&stage.state, None).expect("a look").export(&mut out).expect("exported");
            let rows = String::from_utf8(out).expect("text");
            let count = |class: &str| rows.matches(&format!("\"class\":\"{class}\"")).count();
            assert_eq!((count("login"), count("gate"), count("listed"), count("opened")), (3, 0, 0, 0));
        });
    });
}

/// A CPS4, where the settings let it be tried: announced where its holder types, and then a visit as with any other card,
/// its countersignature included.
#[test]
fn a_cps4_that_is_tried_is_announced_and_opens_a_record() {
    with_card("kiosk::cards::a_cps4_that_is_tried_is_announced_and_opens_a_record", "cps4", |hands: &Hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let stage = stage(folder.path());
            let text = std::fs::read_to_string(&stage.settings).expect("settings");
            let tried = text.replace("[reader]\n", "[reader]\ncps4 = \"try\"\n");
            assert_ne!(text, tried);
            std::fs::write(&stage.settings, tried).expect("written");
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            kiosk.type_pin().await;
            let Body::Pin(page) = kiosk.shown() else { panic!("no PIN page") };
            let said = ("LUNEVIEIL Gaspard", "carte CPS4\u{a0}: pas encore vérifié avec une vraie carte");
            assert_eq!((page.name.as_str(), page.card.as_str()), said);
            kiosk.touch(Touch::Confirm).await;
            kiosk.until("a word about duties", |body| matches!(body, Body::Duty(_))).await;
            kiosk.touch(Touch::Understood).await;
            kiosk.until("home", |body| matches!(body, Body::Home(home) if !home.rows.is_empty())).await;
            open_as_an_outsider(&mut kiosk).await;
            attested(&Look::open(&stage.state, None).expect("a look")).await;
            assert_eq!(hands.tries_left(), Some(3));
            // Known again, and announced again.
            change(&mut kiosk, hands, "cps4").await;
            kiosk.type_pin().await;
            let Body::Pin(page) = kiosk.shown() else { panic!("no PIN page") };
            assert_eq!((page.name.as_str(), page.card.as_str()), said);
            kiosk.touch(Touch::Confirm).await;
            kiosk.until("home", |body| matches!(body, Body::Home(home) if !home.rows.is_empty())).await;
        });
    });
}

/// Of two places the second is chosen: it is the one that stands in every row of that visit, as the card calls it.
#[test]
fn the_place_that_a_holder_chose_is_in_the_journal() {
    with_card("kiosk::cards::the_place_that_a_holder_chose_is_in_the_journal", "two-places", |_hands: &Hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let stage = stage(folder.path());
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            kiosk.type_pin().await;
            kiosk.touch(Touch::Confirm).await;
            let Body::Choice(page) = kiosk.until("the places", |body| matches!(body, Body::Choice(_))).await else {
                panic!("no choice")
            };
            let offered: Vec<&str> = page.lines.iter().map(|line| line.label.as_str()).collect();
            assert_eq!(offered, ["CLINIQUE DU BAC A SABLE", "CENTRE DE SOINS 1"]);
            kiosk.touch(Touch::Choose(1)).await;
            kiosk.until("a word about duties", |body| matches!(body, Body::Duty(_))).await;
            kiosk.touch(Touch::Understood).await;
            kiosk.until("home", |body| matches!(body, Body::Home(home) if !home.rows.is_empty())).await;
            open_as_an_outsider(&mut kiosk).await;
            let mut out = Vec::new();
            Look::open(&stage.state, None).expect("a look").export(&mut out).expect("exported");
            let lines = out.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            let rows: Vec<serde_json::Value> = lines
                .map(|line| serde_json::from_slice(line).expect("JSON"))
                .filter(|row: &serde_json::Value| row["class"].is_string())
                .collect();
            for class in ["login", "gate", "listed"] {
                let of_class: Vec<_> = rows.iter().filter(|row| row["class"] == class).collect();
                assert!(!of_class.is_empty(), "no row {class}");
                assert!(of_class.iter().all(|row| row["situation"] == "1440000998"), "{class}: {of_class:?}");
            }
        });
    });
}

/// Nobody of the team: the patient is asked, where it takes that.
async fn open_as_an_outsider(kiosk: &mut Person) {
    kiosk.touch(Touch::OpenPatient(0)).await;
    let gate = |act: GateAct| move |body: &Body| matches!(body, Body::Gate(gate) if gate.act == act);
    let either = |body: &Body| gate(GateAct::AskConsent)(body) || gate(GateAct::OpenRecord)(body);
    if gate(GateAct::AskConsent)(&kiosk.until("a ground", either).await) {
        kiosk.touch(Touch::AskConsent).await;
        kiosk.until("the patient's page", |body| matches!(body, Body::Consent(_))).await;
        // A yes opens the record.
        kiosk.touch(Touch::Yes).await;
    } else {
        kiosk.touch(Touch::OpenRecord).await;
    }
    kiosk.until("the list", |body| matches!(body, Body::Documents(page) if page.rows.len() > 1)).await;
}

async fn change(kiosk: &mut Person, hands: &Hands, name: &str) {
    hands.pull_and_see();
    kiosk.until("a blank page", |body| matches!(body, Body::Idle(_))).await;
    hands.insert(name);
}
