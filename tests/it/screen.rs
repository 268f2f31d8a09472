//! The window without a display: every page is drawn at both sizes, says what it must, and sends exactly what is touched.
//!
//! With `CHEVET_SNAPSHOTS` naming a folder, each page is also written there as a PNG, to be looked at.

mod ahead;
mod card_out;
mod compose;
mod ended;
mod fingers;
mod fixtures;
mod gates;
mod gentle;
mod golden;
mod harness;
mod keys;
mod leaves;
mod looks;
mod phone;
#[cfg(feature = "sandbox")]
mod receipts;
mod rooms;
mod situations;
mod spoken;
mod writing;

use chevet::identity::trust::Verified;
use chevet::identity::trust::Warning;
use chevet::journal::allowance::Unanchored;
use chevet::policy::Decision;
use chevet::policy::decision::Value;
use chevet::record::reading;
use chevet::record::reading::RowKind;
use chevet::record::reading::Run;
use chevet::say::Light;
use chevet::screen::bridge::Window;
use chevet::screen::bridge::snapshot;
use chevet::screen::view::Body;
use chevet::screen::view::of_trouble;
use chevet::screen::view::view;
use chevet::time::Now;
use chevet::time::Wall;
use chevet::trouble::Trouble;
use chevet::visit::Effect;
use chevet::visit::Event;
use chevet::visit::Page;
use chevet::visit::event::Disk;
use chevet::visit::event::Insertion;
use chevet::visit::event::Language;
use chevet::visit::event::LinkState;
use chevet::visit::event::Look;
use chevet::visit::event::ReaderState;
use chevet::visit::event::ServerSaid;
use chevet::visit::event::Spent;
use chevet::visit::event::Ticket;
use chevet::visit::event::Touch;
use chevet::visit::event::Waiting;
use chevet::visit::page::Aside;
use chevet::visit::page::AsideKind;
use chevet::visit::page::Denied;
use chevet::visit::page::Leaf;
use chevet::visit::page::ReaderStep;
use chevet::visit::page::Room;
use chevet::visit::page::SearchStep;
use chevet::visit::page::gate::GateStep;
use chevet::visit::page::reception as desk;
use fixtures::*;
use harness::*;
use i_slint_backend_testing::AccessibleRole;
use i_slint_backend_testing::ElementHandle;
use i_slint_backend_testing::ElementQuery;
use std::time::Duration;

#[test]
fn idle_says_what_the_device_is_worth() {
    let (window, mut touches) = window();
    let mut visit = visit(Page::Idle);
    let always = ["08:42", "lundi 23 novembre", "non homologué", "Borne non protégée", "25\u{a0}% connue"];
    draws(
        &window,
        "idle",
        &visit,
        &[&always[..], &["Tout est transmis", "Lecteur prêt", "Insérez votre carte CPS", "En ligne"]].concat(),
    );

    let aside_team = || vec![Aside { what: AsideKind::Team, why: "La signature de ce fichier n’est pas reconnue." }];
    let aside = visit_with(Page::Idle, |rules| rules.left_aside = aside_team());
    draws(&window, "idle-aside", &aside, &["Liste de l’équipe écartée\u{a0}: La signature"]);

    sends(&window, &mut touches, "Aide", Touch::LookUp(Leaf::Help));
    for (label, change) in [
        ("English", Look::OtherLanguage),
        ("Taille du texte\u{a0}: 100\u{a0}%", Look::NextTextSize),
        ("Nuit", Look::OtherLight),
    ] {
        sends(&window, &mut touches, label, Touch::Look(change));
    }
    for (bytes, budget_bytes, told) in [
        (12_400_000, None, "12,4\u{a0}Mo, sans limite"),
        (12_400_000, Some(50_000_000), "12,4\u{a0}Mo sur 50,0\u{a0}Mo"),
        (50_000_000, Some(50_000_000), "50,0\u{a0}Mo sur 50,0\u{a0}Mo\u{a0}: rien n’est plus préparé d’avance"),
    ] {
        let about = visit_with(Page::About { leaf: Leaf::Device, until: Duration::from_secs(60) }, |_| ());
        let (about, _) = about.step(Event::SpentIs(Spent { bytes, budget_bytes }), now());
        draws(&window, "about-spent", &about, &["Réseau aujourd’hui", told]);
    }
    let about = Page::About { leaf: Leaf::Device, until: Duration::from_secs(60) };
    let about = visit_with(about, |rules| rules.left_aside = aside_team());
    let told = [
        "26/10/2023",
        "25\u{a0}% connue",
        "1\u{a0}case sur 4",
        "Borne non protégée",
        "non homologué",
        "1\u{a0}professionnel inscrit",
    ];
    let rest = ["accord initial", "tout accès est refusé", "Liste de l’équipe écartée", "n’est pas reconnue"];
    draws(&window, "about", &about, &[&told[..], &rest].concat());
    sends(&window, &mut touches, "Accueil", Touch::Back);

    visit.standing.waiting = None;
    draws(&window, "idle-unknown", &visit, &["Vérification des envois…"]);
    assert!(!said(&window).iter().any(|text| text.contains("Tout est transmis")), "greener than anybody knows");

    visit.standing.waiting = Some(waiting(3));
    visit.standing.link = LinkState::Offline;
    visit.standing.reader = ReaderState::Absent;
    draws(&window, "idle-trouble", &visit, &["3\u{a0}traces en attente · 2\u{a0}h", "Hors ligne", "Lecteur absent"]);
    assert!(!said(&window).iter().any(|text| text.contains("Tout est transmis")), "greener than the facts");

    visit.standing.waiting = Some(Waiting { set_aside: 1, ..Waiting::default() });
    show(&window, &visit);
    let told = said(&window);
    assert!(told.iter().any(|text| text == "1\u{a0}envoi refusé"), "{told:?}");
    assert!(!told.iter().any(|text| text.contains("Tout est transmis")), "greener than the facts");

    let oldest = Some(now().wall.value());
    visit.standing.allowance.unanchored = Unanchored { rows: 4_000, oldest };
    show(&window, &visit);
    let told = said(&window);
    assert!(
        told.iter().any(|text| text == "Sans réseau\u{a0}: encore 7\u{a0}jours, 1000\u{a0}consultations"),
        "{told:?}"
    );
    visit.standing.allowance.unanchored = Unanchored { rows: 5_000, oldest };
    draws(&window, "idle-allowance-spent", &visit, &["Trop longtemps hors ligne"]);
    visit.standing.allowance.unanchored = Unanchored::default();

    visit.standing.disk = Disk { is_sealed_aside: true, put_back: oldest };
    draws(
        &window,
        "idle-put-back",
        &visit,
        &["Borne remise en arrière\u{a0}: des traces manquent", "Données illisibles mises de côté"],
    );
    // However much there is to say, what the device is worth stays in the window.
    visit.standing.allowance.unanchored = Unanchored { rows: 4_000, oldest };
    draws(&window, "idle-bad-day", &visit, &["Lecteur absent", "Hors ligne", "encore 7\u{a0}jours"]);
    let worth = |element: &ElementHandle| {
        element.accessible_label().is_some_and(|label| label == "Borne non protégée contre le vol")
    };
    let foot = ElementQuery::from_root(window.app()).find_all().into_iter().find(worth).expect("the foot");
    let low = foot.absolute_position().y + foot.size().height;
    assert!(low <= 480.0, "the foot leaves the window: {low}");
    visit.standing.allowance.unanchored = Unanchored::default();
    visit.standing.disk.put_back = oldest.map(|at| at.plus(-31 * 86_400));
    show(&window, &visit);
    assert!(!said(&window).iter().any(|text| text.contains("remise en arrière")), "no news any more");
    visit.standing.disk = Disk::default();

    let mut unsure = now();
    unsure.wall = Wall::AtLeast(unsure.wall.value());
    window.show(&view(&visit, unsure, &device()));
    wait_ms(200);
    assert!(said(&window).iter().any(|text| text == "Heure non vérifiée"));
    assert!(sent(&mut touches).is_empty());
}

#[test]
fn waits_tell_to_leave_the_card() {
    let (window, _touches) = window();
    let reading = visit(Page::ReadingCard { insertion: Insertion(1), until: LATER });
    draws(&window, "wait-card", &reading, &["Lecture de la carte…", "Laissez la carte en place"]);
    let asking = visit(gate(GateStep::AskingState { ticket: Ticket(1), until: LATER }));
    draws(
        &window,
        "wait-gate",
        &asking,
        &["Recherche du dossier…", "PATIENTE-UNE Odette, 15/06/1953 · F · 73\u{a0}ans"],
    );
}

#[test]
fn the_pad_sends_digits_and_keeps_none() {
    let (window, mut touches) = window();
    let labels = ["LEFÈVRE-TEST Camille", "Infirmier", "3 essais restants", "Le code n’est jamais gardé"];
    draws(&window, "pin", &visit(pin(Some(3), &[1, 2], false, false)), &labels);
    for digit in 0..=9 {
        sends(&window, &mut touches, &digit.to_string(), Touch::Digit(digit));
    }
    sends(&window, &mut touches, "Effacer", Touch::Erase);
    press(&window, "Valider");
    assert!(sent(&mut touches).is_empty(), "two digits of four are no PIN");
    show(&window, &visit(pin(Some(3), &[1, 2, 3, 4], false, false)));
    sends(&window, &mut touches, "Valider", Touch::Confirm);
    draws(&window, "pin-wrong", &visit(pin(Some(2), &[], true, false)), &["Code faux", "2 essais restants"]);
}

#[test]
fn what_was_tolerated_of_a_card_is_said_before_its_pin() {
    let (window, _touches) = window();
    let ask = |crl_age_s, warnings| visit(pin_verified(Some(3), &[], false, false, Verified { crl_age_s, warnings }));
    let old = ask(12 * 86_400 + 5, vec![Warning::CrlAging { days_max: 30 }, Warning::CrlAgeUncertain]);
    draws(&window, "pin-old-list", &old, &["cartes en opposition a 12 jours", "Connectez la borne au réseau"]);
    draws(&window, "pin-unsure", &ask(0, vec![Warning::ValidityUncertain]), &["L’heure n’est pas vérifiée"]);
    show(&window, &ask(0, vec![]));
    assert!(!said(&window).iter().any(|text| text.contains("Connectez")), "nothing was tolerated");
}

#[test]
fn a_pin_is_never_on_the_screen() {
    let (window, _touches) = window();
    let mut told = Vec::new();
    for digits in [[9, 7, 4, 1], [0, 0, 0, 0]] {
        show(&window, &visit(pin(Some(3), &digits, false, false)));
        told.push((said(&window), snapshot(&window).expect("a picture").rgba));
    }
    assert!(told[0].0.iter().any(|text| text.contains("Chiffres saisis\u{a0}: 4")), "{:?}", told[0].0);
    assert!(told[0] == told[1], "what is shown depends on the digits");
}

#[test]
fn a_reader_with_keys_and_an_unproven_card_are_said_to_be_so() {
    let (window, _touches) = window();
    let asked = ["Tapez votre code sur le lecteur", "3 essais restants", "annulation du lecteur ou retirez la carte"];
    draws(&window, "pin-on-reader", &visit(pin_on_reader(3, false)), &asked);
    draws(&window, "pin-on-reader-wrong", &visit(pin_on_reader(1, true)), &["Code faux. C’est le dernier essai."]);
    let unproven = ["carte CPS4\u{a0}: pas encore vérifié avec une vraie carte"];
    draws(&window, "pin-cps4", &visit(pin_of_a_cps4()), &unproven);
}

#[test]
fn a_last_try_needs_a_yes() {
    let (window, mut touches) = window();
    let ask = visit(pin(Some(1), &[], false, false));
    draws(&window, "pin-last-try", &ask, &["Dernier essai", "la carte se bloque"]);
    let labels: Vec<_> = controls(&window).iter().filter_map(ElementHandle::accessible_label).collect();
    assert_eq!(labels, ["Oui, j’utilise cet essai"], "no digit can be typed before the yes");
    sends(&window, &mut touches, "Oui, j’utilise cet essai", Touch::LastTry);
    show(&window, &visit(pin(Some(1), &[], false, true)));
    sends(&window, &mut touches, "5", Touch::Digit(5));
    draws(&window, "pin-unknown-tries", &visit(pin(None, &[], false, false)), &["ne dit pas combien"]);
}

#[test]
fn home_opens_a_patient_of_the_round() {
    let (window, mut touches) = window();
    let mut visit = visit(home(false, None, round()));
    visit.standing.waiting = None;
    draws(&window, "idle-unknown", &visit, &["Vérification des envois…"]);
    assert!(!said(&window).iter().any(|text| text.contains("Tout est transmis")), "greener than anybody knows");

    visit.standing.waiting = Some(waiting(3));
    visit.standing.link = LinkState::Offline;
    draws(&window, "home", &visit, &["Ma tournée", "3\u{a0}patients prêts sur 5", "Hors ligne"]);
    let second = "PATIENT-DEUX Jean-Marie, 15/06/1968 · F · 58\u{a0}ans · 9\u{a0}documents sur la borne, Du 20/11/2026";
    sends(&window, &mut touches, second, Touch::OpenPatient(1));
    sends(&window, &mut touches, "Saisir un INS", Touch::TypeIns);
    sends(&window, &mut touches, "Quitter", Touch::Quit);

    let alone = fixtures::visit(home(false, Some(Trouble::PatientMismatch), vec![]));
    draws(
        &window,
        "home-empty",
        &alone,
        &["Aucun patient n’est préparé", "ne correspond pas à ce numéro", "Code 4-02"],
    );
}

#[test]
fn a_card_that_ends_soon_is_said_on_home_and_the_round_is_offered_to_the_next() {
    let (window, mut touches) = window();
    let ending = |days: i64, round| {
        let mut page = home(false, None, round);
        if let Page::Home(home) = &mut page {
            home.here.card_ends = Some(now().wall.value().plus(days * 86_400));
        }
        visit(page)
    };
    draws(
        &window,
        "home-card-ends",
        &ending(23, round()),
        &["Votre carte expire dans 23\u{a0}jours (mercredi 16 décembre)"],
    );
    sends(&window, &mut touches, "Changer de carte", Touch::HandOver);
    draws(&window, "home-card-ends-today", &ending(0, round()), &["Votre carte expire aujourd’hui"]);
    let offered = |visit: &chevet::visit::Visit, now: Now| {
        let Body::Home(page) = view(visit, now, &device()).body else { panic!("home") };
        !page.hand_over.is_empty()
    };
    assert!(offered(&ending(60, round()), now()));
    assert!(!offered(&ending(61, round()), now()), "months before its end");
    assert!(!offered(&ending(23, vec![]), now()), "nothing to hand over");
    let floor = Now { wall: Wall::AtLeast(now().wall.value()), ..now() };
    assert!(offered(&ending(60, round()), floor), "it is at least that late");
    assert!(!offered(&ending(61, round()), floor));
    // A finger that touches what is not offered starts nothing.
    let (still, effects) = ending(61, round()).step(Event::Touched(Touch::HandOver), now());
    assert!(effects.is_empty() && matches!(still.page, Page::Home(home) if home.handing.is_none()));
    let (handing, effects) = ending(60, round()).step(Event::Touched(Touch::HandOver), now());
    let [Effect::HandOver { ticket, until }] = effects[..] else { panic!("{effects:?}") };
    assert_eq!(until, now().since_boot + Duration::from_secs(300));
    let (ended, effects) = handing.step(Event::HandedOver { ticket, answer: Ok(()) }, now());
    assert!(matches!(effects[..], [Effect::Lock]), "its keys are wiped: {effects:?}");
    draws(
        &window,
        "hand-over",
        &ended,
        &["Changement de carte", "Votre tournée attend votre nouvelle carte", "cinq minutes"],
    );
}

#[test]
fn an_ins_is_typed_on_our_own_keys() {
    let (window, mut touches) = window();
    let visit = visit(home(true, Some(Trouble::InsWrongKey), vec![]));
    draws(&window, "typing", &visit, &["Matricule INS", "0 sur 15", "clé fausse"]);
    for key in "279035121518989".chars() {
        press(&window, &key.to_string());
    }
    // The full number hands over to the name.
    for key in ["D", "'", "É", "T", "É", "-", "Q", "U", "X", "Effacer"] {
        press(&window, key);
    }
    draws(&window, "typing-name", &visit, &["2\u{a0}79\u{a0}03\u{a0}51\u{a0}215\u{a0}189\u{a0}89", "D'ÉTÉ-QU"]);
    press(&window, "Valider");
    assert!(sent(&mut touches).is_empty(), "not complete");
    press(&window, "Date de naissance");
    for key in "28031979".chars() {
        press(&window, &key.to_string());
    }
    draws(&window, "typing-full", &visit, &["28/03/1979"]);
    let expected = Touch::InsTyped {
        matricule: "279035121518989".into(),
        birth_name: "D'ÉTÉ-QU".into(),
        birth_date: "28/03/1979".into(),
    };
    sends(&window, &mut touches, "Valider", expected);
    sends(&window, &mut touches, "Tournée", Touch::Back);

    // Leaving forgets what was typed.
    show(&window, &fixtures::visit(Page::Idle));
    show(&window, &visit);
    assert!(!said(&window).iter().any(|text| text.contains("ÉTÉ") || text.contains("28/03")));
}

#[test]
fn the_gate_shows_five_traits_and_one_way_on() {
    let (window, mut touches) = window();
    let traits =
        ["Nom de naissance, PATIENTE-UNE", "Prénoms de naissance, ODETTE MARIE", "Date de naissance, 15/06/1953"];
    let more = ["Sexe, Féminin", "Lieu de naissance, 51215", "Règle A-01"];
    draws(&window, "gate-open", &visit(gate(may_open())), &[traits, more].concat());
    sends(&window, &mut touches, "Ouvrir le dossier", Touch::OpenRecord);
    sends(&window, &mut touches, "Tournée", Touch::Back);
    draws(&window, "gate-ask", &visit(gate(must_ask())), &["Accord à demander", "accord initial"]);
    sends(&window, &mut touches, "Tourner l’écran vers le patient", Touch::AskConsent);
    let failed = visit(gate(GateStep::Failed { trouble: Trouble::RecordClosed }));
    draws(&window, "gate-failed", &failed, &["Le dossier de ce patient est fermé.", "Code 6-02"]);
    sends(&window, &mut touches, "J’ai compris", Touch::Understood);
}

/// What the DMP said goes beside our sentence, where the DMP is what went wrong; and with the first touch, the lock or the card.
#[test]
fn a_servers_own_words_stand_beside_ours_for_as_long_as_its_page() {
    let said = ServerSaid { code: "DMPNew".into(), text: "Structure introuvable".into() };
    let now = fixtures::now();
    let (window, _touches) = window();
    let after = |trouble, event: Option<Event>| {
        let visit = visit(gate(GateStep::Failed { trouble }));
        let (visit, _) = visit.step(Event::ServerSaid(Box::new(said.clone())), now);
        match event {
            Some(event) => visit.step(event, now).0,
            None => visit,
        }
    };
    let words = ["Code 5-05", "DMPNew\u{a0}: «\u{a0}Structure introuvable\u{a0}»"];
    draws(&window, "gate-refused", &after(Trouble::ServerRefusedHolder, None), &words);
    draws(
        &window,
        "gate-refused-later",
        &after(Trouble::ServerRefusedHolder, Some(Event::LinkIs(LinkState::Online))),
        &words,
    );
    show(&window, &after(Trouble::RecordClosed, None));
    assert!(!self::said(&window).iter().any(|text| text.contains("Structure")), "what it says is about something else");
    // Nobody has touched this screen since the device began: a tick locks it.
    let ends = [Event::Touched(Touch::Stirred), Event::CardOut, Event::ReaderIs(ReaderState::Absent), Event::Tick];
    for event in ends {
        let name = event.name();
        assert!(after(Trouble::ServerRefusedHolder, Some(event)).server_said.is_none(), "{name}");
    }
    assert!(!format!("{said:?}").contains("Structure"));
}

#[test]
fn the_patient_answers_on_equal_buttons() {
    let (window, mut touches) = window();
    let languages = [("fr", Language::French), ("falc", Language::EasyFrench), ("en", Language::English)];
    for (name, language) in languages {
        let visit = visit(gate(asking(language)));
        draws(&window, &format!("consent-{name}"), &visit, &["LEFÈVRE-TEST Camille", "AC-3", "Équipe du 2e étage"]);
        let said = said(&window);
        assert!(!said.iter().any(|text| text.contains("PATIENTE")), "whoever passes by reads no name: {said:?}");
    }
    show(&window, &visit(gate(asking(Language::French))));
    let find = |label: &str| ElementHandle::find_by_accessible_label(window.app(), label).next().expect("a button");
    let (no, yes) = (find("Non"), find("Oui, je suis d’accord"));
    assert_eq!(no.size(), yes.size());
    assert!(no.absolute_position().x < yes.absolute_position().x, "Non comes first");
    sends(&window, &mut touches, "Non", Touch::No);
    sends(&window, &mut touches, "Oui, je suis d’accord", Touch::Yes);
    sends(&window, &mut touches, "Plus tard", Touch::Later);
    sends(&window, &mut touches, "Facile à lire", Touch::Language(Language::EasyFrench));
    sends(&window, &mut touches, "English", Touch::Language(Language::English));
}

#[test]
fn what_was_before_the_patient_is_what_is_recorded() {
    let (_, effects) = visit(gate(asking(Language::French))).step(Event::Touched(Touch::Yes), now());
    let said = effects.into_iter().find_map(|effect| match effect {
        Effect::Record { said, .. } => said.into_iter().next(),
        _ => None,
    });
    let shown = said.expect("an answer is recorded").shown;
    let Body::Consent(page) = view(&visit(gate(asking(Language::French))), now(), &device()).body else {
        panic!("the patient's page");
    };
    assert_eq!(page.foot, format!("Texte {}, version {}", shown.text, shown.version));
    assert_eq!(shown.language, "fr-FR");
}

#[test]
fn a_denial_explains_itself() {
    let (window, mut touches) = window();
    let refused = visit(gate(denied()));
    draws(
        &window,
        "denied",
        &refused,
        &["Accès refusé", "Pourquoi\u{a0}?", "a bloqué votre accès", "Règle B-01", "profession\u{a0}: Infirmier"],
    );
    sends(&window, &mut touches, "J’ai compris", Touch::Understood);
    let labels =
        ["4\u{a0}documents ne sont pas montrés.", "3\u{a0}comptes rendus", "Règle M-02", "non reconnu (72170-4)"];
    draws(&window, "why", &visit(room(Room::Why)), &labels);
    sends(&window, &mut touches, "Documents", Touch::Back);
}

#[test]
fn words_are_typed_and_what_was_found_is_a_list() {
    let (window, mut touches) = window();
    show(&window, &visit(listed(None)));
    sends(&window, &mut touches, "Rechercher", Touch::Search);
    draws(&window, "search", &visit(room(Room::AskingWords)), &["Que cherchez-vous", "Un ou plusieurs mots"]);
    press(&window, "Chercher");
    assert!(sent(&mut touches).is_empty(), "nothing is typed");
    ["A", "S", "É"].iter().for_each(|key| press(&window, key));
    sends(&window, &mut touches, "Chercher", Touch::TextTyped("ASÉ".into()));
    let looking =
        Room::Searching { ticket: Ticket(1), words: "ASÉ".into(), step: SearchStep::Recording, until: LATER };
    draws(&window, "searching", &visit(room(looking)), &["Votre recherche est inscrite"]);
    let failed = visit(room(Room::SearchFailed { trouble: Trouble::TraceNotWritten }));
    draws(&window, "search-failed", &failed, &["La trace de cet accès", "Rechercher"]);

    let found = |places: Vec<usize>| visit(room(Room::Found { words: "ASÉ".into(), places }));
    let second = view(&found(vec![1]), now(), &device());
    let Body::Documents(page) = &second.body else { panic!("no list") };
    let Body::Documents(all) = &view(&visit(listed(None)), now(), &device()).body else { panic!("no list") };
    assert!(page.rows == [all.rows[1].clone()], "only what was found");
    draws(&window, "found", &found(vec![1]), &["«\u{a0}ASÉ\u{a0}» 1", "Tous"]);
    sends(&window, &mut touches, &page.rows[0].label, Touch::OpenDocument(0));
    sends(&window, &mut touches, "«\u{a0}ASÉ\u{a0}» 1", Touch::FilterClass(None));
    draws(&window, "found-nothing", &found(vec![]), &["n’est dans aucun titre"]);
}

/// A rule that keeps three classes closed says itself once, and in French alone.
#[test]
fn one_rule_is_one_reason() {
    let (window, _touches) = window();
    let facts = |kind: &str| {
        let (profession, cell) = (Value::Code(60), Value::Word("unknown"));
        let told = [
            ("profession", profession),
            ("type", kind.into()),
            ("cell", cell),
            ("matrix_version", "26/10/2023".into()),
        ];
        told.into_iter().collect()
    };
    let denied = |class: &str, id, kind, count| Denied {
        class_code: class.into(),
        decision: Decision { facts: facts(kind), ..decision(false, id, "Droit inconnu : accès refusé.", vec![]) },
        count,
    };
    let mut closed = record(Room::Why, documents());
    closed.denied = vec![
        denied("10", "M-03", "11488-4", 3),
        denied("44", "M-02", "57832-8", 1),
        denied("11", "M-03", "74207-2", 2),
        denied("42", "M-03", "57833-6", 1),
        denied("31", "M-03", "18748-4", 4),
    ];
    let visit = visit(Page::Record(Box::new(closed)));
    let Body::Why(why) = seen(&visit).body else { panic!("another page") };
    let about: Vec<&str> = why.reasons.iter().map(|reason| reason.about.as_str()).collect();
    let first = "4\u{a0}documents d’imagerie, 3\u{a0}comptes rendus, 2\u{a0}synthèses, 1\u{a0}prescription";
    assert_eq!(about, [first, "1\u{a0}plan de soins"]);
    assert_eq!(
        why.reasons[0].detail,
        "Règle M-03 · arrêté du 26 octobre 2023, art. 1 · matrice 26/10/2023, 25\u{a0}% connue · profession\u{a0}: \
         Infirmier · type de document (par exemple)\u{a0}: Compte rendu d’imagerie médicale, Compte rendu ou fiche de \
         consultation ou de visite, Document \
         de liaison d’urgence · droit dans la matrice\u{a0}: inconnu"
    );
    assert!(why.reasons[1].detail.contains("type de document\u{a0}: "), "a single document is no example");
    assert!(why.reasons[0].next.starts_with("La version en vigueur de la matrice ne le dit pas"));
    draws(&window, "why-grouped", &visit, &["3\u{a0}comptes rendus, 2\u{a0}synthèses", "demandez sa mise à jour"]);
}

#[test]
fn documents_are_listed_by_human_titles() {
    let (window, mut touches) = window();
    let labels = [
        "données de 7\u{a0}h\u{a0}30",
        "Compte rendu d’examens biologiques, 20/11/2026 · Laboratoire Test",
        "4\u{a0}documents",
        "Non visible par le patient",
    ];
    draws(&window, "documents", &visit(listed(None)), &labels);
    // Unknown to the matrix is not « forbidden by law », and what a patient masked has nothing to do with a profession.
    let rest = |id| {
        let mut list = record(Room::Documents, documents());
        list.denied[0].decision.rule.id = id;
        match seen(&visit(Page::Record(Box::new(list)))).body {
            Body::Documents(list) => list.denied_rest,
            _ => panic!("another page"),
        }
    };
    assert_eq!(rest("M-03"), "ne sont pas montrés à votre profession.");
    assert_eq!(rest("L-03"), "ne sont pas montrés.");
    assert!(!said(&window).iter().any(|text| text.contains(".pdf")), "a file name is no title");
    let first = labels[1];
    sends(&window, &mut touches, first, Touch::OpenDocument(0));
    sends(&window, &mut touches, "Ordonnances 1", Touch::FilterClass(Some("42".into())));
    sends(&window, &mut touches, "Tous", Touch::FilterClass(None));
    sends(&window, &mut touches, "Pourquoi\u{a0}?", Touch::Why);
    sends(&window, &mut touches, "Historique", Touch::ShowHistory);
    sends(&window, &mut touches, "Documents", Touch::ShowDocuments);
    sends(&window, &mut touches, "Tournée", Touch::Back);
    sends(&window, &mut touches, "Quitter ce dossier", Touch::Quit);

    // A filtered list counts its places anew, as the visit does.
    let mut unread = record(Room::Documents, documents());
    unread.documents[0].opened = false;
    let lines = |record| match view(&visit(Page::Record(Box::new(record))), now(), &device()).body {
        Body::Documents(list) => {
            list.rows.iter().map(|row| row.details.starts_with("Non lu · ")).collect::<Vec<bool>>()
        }
        _ => panic!("a list"),
    };
    let marked = lines(unread);
    assert!(marked[0] && !marked[1..].contains(&true), "{marked:?}");
    draws(&window, "documents-filtered", &visit(listed(Some("42"))), &["Prescription de produits de santé"]);
    let prescription = "Prescription de produits de santé, 12/11/2026 · Dr Traitant Test";
    sends(&window, &mut touches, prescription, Touch::OpenDocument(0));

    let mut night = visit(listed(None));
    night.standing.looks.light = Light::Night;
    draws(&window, "documents-night", &night, &["4\u{a0}documents"]);
}

#[test]
fn a_long_title_is_never_cut() {
    let (window, mut touches) = window();
    let long = "Lettre de liaison à la sortie d’une structure sociale ou médico-sociale";
    let types = ["83981-1", "60591-5", "83981-1", "77777-7"];
    let list = types.iter().map(|code| document(code, "Titre du serveur", "10", "Dr Test", "2026-01-05")).collect();
    let visit = visit(Page::Record(Box::new(record(Room::Documents, list))));
    draws(&window, "documents-long", &visit, &[long]);
    show(&window, &visit);
    let rows: Vec<(f32, f32)> = controls(&window)
        .iter()
        .filter(|control| control.accessible_role() == Some(AccessibleRole::ListItem))
        .map(|row| (row.absolute_position().y, row.size().height))
        .collect();
    let heights: Vec<f32> = rows.iter().map(|(_, height)| *height).collect();
    assert_eq!((heights.len(), heights[1], heights[3]), (4, 62.0, 62.0), "{heights:?}");
    assert!(heights[0] > 72.0 && heights[0] == heights[2], "two lines of title need more: {heights:?}");
    assert!(rows.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0 + 0.5), "rows overlap: {rows:?}");
    sends(&window, &mut touches, "Type de document non reconnu, 05/01/2026 · Dr Test", Touch::OpenDocument(3));
}

#[test]
fn a_thousand_documents_are_no_burden() {
    let (window, mut touches) = window();
    let many = (0..1_000).map(|at| document("60591-5", "", "11", &format!("Dr {at}"), "2026-01-05")).collect();
    let visit = visit(Page::Record(Box::new(record(Room::Documents, many))));
    draws(&window, "documents-1000", &visit, &["Dr 0", "Synthèses 1000"]);
    let rows = |window: &Window| controls(window).len();
    assert!(rows(&window) < 100, "only what is in sight exists: {}", rows(&window));
    let first = ElementHandle::find_by_accessible_label(window.app(), "Synthèse médicale, 05/01/2026 · Dr 3").next();
    first.expect("the fourth row").scroll(0.0, -62.0 * 500.0);
    wait_ms(500);
    sends(&window, &mut touches, "Synthèse médicale, 05/01/2026 · Dr 502", Touch::OpenDocument(502));

    // Something else changes on the page: the list keeps its place.
    let mut offline = fixtures::visit(visit.page);
    offline.standing.link = LinkState::Offline;
    show(&window, &offline);
    sends(&window, &mut touches, "Synthèse médicale, 05/01/2026 · Dr 502", Touch::OpenDocument(502));
    // So it does while a document is read; but another record's list begins at its head.
    show(&window, &fixtures::visit(reader(fetching(), 100)));
    show(&window, &offline);
    sends(&window, &mut touches, "Synthèse médicale, 05/01/2026 · Dr 502", Touch::OpenDocument(502));
    show(&window, &fixtures::visit(Page::Idle));
    show(&window, &offline);
    sends(&window, &mut touches, "Synthèse médicale, 05/01/2026 · Dr 0", Touch::OpenDocument(0));
}

#[test]
fn the_history_marks_what_is_not_sent() {
    let (window, mut touches) = window();
    let labels =
        ["Aujourd’hui, 8\u{a0}h\u{a0}41", "pas encore transmis", "12/11/2026, 10\u{a0}h\u{a0}00, Dr Traitant Test"];
    draws(&window, "history", &visit(room(history())), &labels);
    sends(&window, &mut touches, "Documents", Touch::Back);
    let failed = visit(room(Room::HistoryFailed { trouble: Trouble::Offline }));
    draws(&window, "history-failed", &failed, &["La borne n’atteint pas le serveur."]);
    let asking = visit(room(Room::AskingHistory { ticket: Ticket(1), until: LATER }));
    draws(&window, "history-wait", &asking, &["L’historique arrive…"]);
}

#[test]
fn a_document_is_read() {
    let (window, mut touches) = window();
    let labels = [
        "Lettre de liaison à la sortie d’un établissement",
        "Motif d’hospitalisation",
        "Mise en forme simplifiée",
        "Décompensation cardiaque, dyspnée d’effort depuis dix jours (NYHA < 3).",
        "Furosémide 40 mg",
        "Posologie",
    ];
    draws(&window, "reader", &visit(reader(shown(narrative(), 0), 100)), &labels);
    // Only what is in sight is found: the last section lies below the fold until it is jumped to.
    let in_sight = || {
        let found = ElementHandle::find_by_accessible_label(window.app(), "Suites à donner");
        found.into_iter().any(|element| element.accessible_role() == Some(AccessibleRole::Text))
    };
    assert!(!in_sight());
    press(&window, "Suites à donner");
    assert!(in_sight(), "the section was jumped to");
    assert!(sent(&mut touches).is_empty(), "jumping is the window's own");
    sends(&window, &mut touches, "Texte plus grand", Touch::LargerText);
    show(&window, &visit(Page::Idle));
    draws(&window, "reader-200", &visit(reader(shown(narrative(), 0), 200)), &labels[..2]);
    sends(&window, &mut touches, "Texte plus petit", Touch::SmallerText);
    sends(&window, &mut touches, "Documents", Touch::Back);

    draws(&window, "reader-pdf", &visit(reader(shown(pictures(), 0), 100)), &["Page 1 sur 3"]);
    sends(&window, &mut touches, "Page suivante", Touch::NextPage);
    draws(&window, "reader-pdf-150", &visit(reader(shown(pictures(), 0), 150)), &["Page 1 sur 3"]);
    press(&window, "Page précédente");
    assert!(sent(&mut touches).is_empty(), "there is no page before the first");

    draws(&window, "reader-wait", &visit(reader(fetching(), 100)), &["Le document arrive…"]);
    let failed = visit(reader(ReaderStep::Failed { trouble: Trouble::DocumentDamaged }, 100));
    draws(&window, "reader-failed", &failed, &["Ce document est arrivé abîmé"]);
    sends(&window, &mut touches, "J’ai compris", Touch::Understood);
    draws(&window, "reader-invisible", &visit(reader_of(4, shown(narrative(), 0))), &["Le patient ne voit pas encore"]);
}

/// The nurse sees the content at once; the patient, author and dates of the file are one touch away.
#[test]
fn the_content_comes_before_the_header() {
    let (window, mut touches) = window();
    let in_sight = |text: &str| {
        let found = ElementHandle::find_by_accessible_label(window.app(), text);
        let texts = [AccessibleRole::Text, AccessibleRole::Image].map(Some);
        found
            .into_iter()
            .any(|element| texts.contains(&element.accessible_role()) && element.absolute_position().y < 480.0)
    };
    let mut letter = narrative();
    letter.header.extend((0..12).map(|at| (format!("Ligne {at}"), "valeur".to_owned())));
    let mut scan = pictures();
    scan.header = letter.header.clone();
    for (name, reading, first) in
        [("reader-header", letter, "Motif d’hospitalisation"), ("reader-pdf-header", scan, "Page 1 sur 3")]
    {
        show(&window, &visit(Page::Idle));
        draws(&window, name, &visit(reader(shown(reading, 0), 100)), &[first]);
        assert!(in_sight(first), "{name}: the content is below the fold");
        assert!(!in_sight("Ligne 0"), "{name}: the header is in the way");
        press(&window, "En-tête du document");
        assert!(in_sight("Ligne 0"), "{name}: the header was jumped to");
        keep(&format!("{name}-jumped"), &snapshot(&window).expect("a picture"));
        press(&window, "En-tête du document");
        assert!(in_sight("Ligne 0"), "{name}: asked for again, it is gone to again");
    }
    assert!(sent(&mut touches).is_empty(), "jumping is the window's own");
    sends(&window, &mut touches, "Page suivante", Touch::NextPage);
    assert!(!in_sight("Ligne 0"), "a new page is read from its head");
}

#[test]
fn a_long_document_is_whole_and_no_burden() {
    let (window, _touches) = window();
    let mut long = narrative();
    while long.rows.len() < 560 {
        long.rows.extend(narrative().rows);
    }
    let last = long.rows.len();
    long.rows.push(reading::Row {
        kind: RowKind::Heading,
        level: 0,
        text: vec![Run::plain("Conclusion")],
        cells: vec![],
    });
    long.rows.extend(narrative().rows.into_iter().skip(1).take(1));
    assert!(last >= 560);
    draws(&window, "reader-long", &visit(reader(shown(long, 0), 100)), &["Motif d’hospitalisation", "Partie 1 sur 3"]);
    let in_sight = |text: &str| {
        let found = ElementHandle::find_by_accessible_label(window.app(), text);
        found.into_iter().any(|element| element.accessible_role() == Some(AccessibleRole::Text))
    };
    press(&window, "Partie suivante");
    assert!(in_sight("Partie 2 sur 3") && !in_sight("Lettre de liaison"));
    press(&window, "Partie précédente");
    assert!(in_sight("Partie 1 sur 3"));
    for _ in 0..2 {
        press(&window, "Partie suivante");
    }
    assert!(in_sight("Partie 3 sur 3") && !in_sight("Conclusion"));
    let list = ElementHandle::find_by_accessible_label(window.app(), "Motif d’hospitalisation").next();
    list.expect("a section").scroll(0.0, -1e6);
    wait_ms(500);
    press(&window, "Conclusion");
    assert!(in_sight("Conclusion"));
    assert!(in_sight("En-tête du document"), "the header ends the last part");
    press(&window, "Partie précédente");
    assert!(!in_sight("En-tête du document"));
    let list = ElementHandle::find_by_accessible_label(window.app(), "Motif d’hospitalisation").next();
    list.expect("a section").scroll(0.0, -1e6);
    wait_ms(500);
    press(&window, "En-tête du document");
    assert!(in_sight("En-tête du document") && in_sight("Partie 3 sur 3"));
}

#[cfg(feature = "sandbox")]
#[test]
fn the_demo_has_a_hand_on_the_window() {
    let (window, mut touches) = window();
    show(&window, &visit(listed(None)));
    assert!(window.press("Historique"));
    assert!(sent(&mut touches) == [Touch::ShowHistory]);
    assert!(window.press("Synthèse médicale, 02/09/2026 · Dr Traitant Test"));
    assert!(sent(&mut touches) == [Touch::OpenDocument(3)]);
    assert!(!window.press("Imprimer"), "there is no such control");
    assert!(!window.press("4\u{a0}documents"), "a text is no control");
    assert!(window.text_on_screen().iter().any(|text| text == "PATIENTE-UNE Odette"));
    show(&window, &visit(pin(Some(3), &[1], false, false)));
    assert!(!window.press("Valider"), "a control that is off takes nothing");
    assert!(sent(&mut touches).is_empty());
}

#[test]
fn the_last_pages_are_drawn() {
    let (window, _touches) = window();
    draws(&window, "reception", &visit(reception()), &["n’ouvre aucun dossier", "Tout est transmis", "Saisir un INS"]);
    for trouble in Trouble::ALL {
        show(&window, &visit(Page::TakeCard(*trouble)));
        let said = said(&window);
        let words = trouble.words();
        assert!(said.iter().any(|text| text == words.happened), "{trouble:?}");
        assert!(said.iter().any(|text| text == words.next), "{trouble:?}");
    }
    draws(&window, "trouble", &visit(Page::TakeCard(Trouble::CardPulledWhileReading)), &["Code 2-06 · carte"]);
    draws(&window, "trouble-long", &visit(Page::TakeCard(Trouble::CardBlocked)), &["Débloquez-la"]);
    let takes_card = |window: &Window| said(window).iter().any(|text| text.contains("que la carte soit retirée"));
    assert!(takes_card(&window));
    // No visit has begun: no card is in.
    window.show(&of_trouble(Trouble::Settings));
    wait_ms(200);
    assert!(said(&window).iter().any(|text| text.contains("manque ou est faux")) && !takes_card(&window));
    draws(&window, "ended", &visit(Page::TakeCard(Trouble::VisitEnded)), &["Votre visite est terminée."]);
}

#[test]
fn a_patient_sees_a_receipt_and_its_code() {
    let (window, mut touches) = window();
    draws(&window, "history-receipt", &visit(room(history())), &["Reçu pour le patient"]);
    sends(&window, &mut touches, "Reçu pour le patient", Touch::ShowReceipt);
    let told = ["REÇU D’ACCÈS", "RPPS 99700000607", "Photographiez ce code", "Code du reçu"];
    draws(&window, "receipt", &visit(room(Room::Receipt(Box::new(receipt())))), &told);
}

#[test]
fn the_desk_of_a_cpe_reads_identities_and_shows_rights() {
    let (window, mut touches) = window();
    let one = || patient("Patiente-Une", "ODETTE", 1953);
    draws(
        &window,
        "desk-prepared",
        &visit(at_desk(desk::Room::Front, vec![one()])),
        &["1\u{a0}identité préparée", "douze heures"],
    );
    sends(&window, &mut touches, "Saisir un INS", Touch::TypeIns);
    sends(&window, &mut touches, "Droits du patient", Touch::ShowLeaflet);
    sends(&window, &mut touches, "Quitter", Touch::Quit);
    let told = ["Est-ce la personne devant vous", "Nom de naissance\u{a0}: Patiente-Une", "il ne prouve pas"];
    draws(&window, "desk-identity", &visit(at_desk(desk::Room::Identity(one()), vec![])), &told);
    sends(&window, &mut touches, "Oui, préparer pour la tournée", Touch::Yes);
    draws(
        &window,
        "desk-leaflet",
        &visit(at_desk(desk::Room::Leaflet, vec![])),
        &["Vos droits", "Vous pouvez dire non"],
    );
    sends(&window, &mut touches, "Fermer", Touch::Understood);
}

#[test]
fn a_page_that_goes_takes_its_words_with_it() {
    let (window, _touches) = window();
    show(&window, &visit(reader(shown(narrative(), 0), 100)));
    show(&window, &visit(listed(None)));
    show(&window, &visit(Page::Idle));
    let said = said(&window).join("\n");
    for word in ["PATIENTE", "Furosémide", "Lettre de liaison", "15/06/1953", "LEFÈVRE"] {
        assert!(!said.contains(word), "« {word} » stayed");
    }
    let screen = slint::ComponentHandle::global::<chevet_ui::Screen<'_>>(window.app());
    use slint::Model;
    assert_eq!(screen.get_document_rows().row_count() + screen.get_reader_rows().row_count(), 0);
    assert_eq!(screen.get_reader().title, "");
    assert_eq!(screen.get_documents().bar.name, "");
}

#[test]
fn a_visit_is_drawn_the_same_twice_and_says_nothing_to_a_log() {
    let visit = visit(listed(None));
    let (one, two) = (seen(&visit), seen(&visit));
    assert!(one == two);
    assert!(matches!(one.body, Body::Documents(_)));
    assert_eq!(format!("{one:?}"), "View(record, [REDACTED])");
}

#[test]
fn every_text_can_be_read_on_its_ground() {
    let theme = include_str!("../../ui/theme.slint");
    let token = |name: &str| {
        let line = theme.lines().find(|line| line.contains(&format!("<color> {name}:"))).expect("a token");
        let colors: Vec<f64> = line.split('#').skip(1).map(|part| luminance(&part[..6])).collect();
        assert_eq!(colors.len(), 2, "{name}: night, then day");
        [colors[0], colors[1]]
    };
    // Text at 7:1 (WCAG 1.4.6), outlines of controls at 3:1 (WCAG 1.4.11): whatever is drawn on whatever.
    let pairs = [
        ("ink", "paper", 12.0),
        ("ink", "sheet", 12.0),
        ("soft", "paper", 7.0),
        ("soft", "sheet", 7.0),
        ("deep", "sheet", 7.0),
        ("soft", "wash", 7.0),
        ("deep", "wash", 7.0),
        ("deep", "paper", 7.0),
        ("on-deep", "deep", 7.0),
        ("on-deep", "soft", 7.0),
        ("ink", "wash", 7.0),
        ("amber", "amber-wash", 7.0),
        ("ink", "amber-wash", 7.0),
        ("ink", "red-wash", 7.0),
        ("soft", "amber-wash", 7.0),
        ("amber", "paper", 7.0),
        ("red", "red-wash", 7.0),
        ("red", "sheet", 7.0),
        ("green", "green-wash", 7.0),
        ("green", "paper", 7.0),
        ("edge", "sheet", 3.0),
        ("edge", "paper", 3.0),
    ];
    for (text, ground, least) in pairs {
        for (when, (text_is, ground_is)) in ["night", "day"].iter().zip(token(text).into_iter().zip(token(ground))) {
            let (light, dark) = (text_is.max(ground_is), text_is.min(ground_is));
            let contrast = (light + 0.05) / (dark + 0.05);
            assert!(contrast >= least, "{text} on {ground}, {when}: {contrast:.2} < {least}");
        }
    }
}

/// WCAG 2.2, relative luminance.
fn luminance(hex: &str) -> f64 {
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).expect("a colour")) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
}
