//! What anybody may look up, and the last visits at home.

use super::card_out::with_last_visits;
use super::fixtures::*;
use super::harness::*;
use chevet::say::Lang;
use chevet::say::Light;
use chevet::say::Looks;
use chevet::screen::view::Body;
use chevet::screen::view::view;
use chevet::visit::Effect;
use chevet::visit::Event;
use chevet::visit::Page;
use chevet::visit::Visit;
use chevet::visit::event::Look;
use chevet::visit::event::Touch;
use chevet::visit::page::Leaf;
use std::time::Duration;

fn leaf(leaf: Leaf) -> Page {
    Page::About { leaf, until: Duration::from_secs(160) }
}

/// All that the page says, in sight or not.
fn rows(visit: &Visit) -> Vec<(String, String)> {
    let Body::About(page) = seen(visit).body else { panic!("a leaf") };
    page.rows.into_iter().map(|row| (row.what, row.how)).collect()
}

#[test]
fn settings_say_what_is_in_force_and_change_what_may_be() {
    let (window, mut touches) = window();
    let mut at = visit(leaf(Leaf::Settings));
    let told = ["Connecteur", "PDSm (FHIR), non homologué", "imprimante.local", "la borne ne parle pas", "Français"];
    draws(&window, "settings", &at, &told);
    let lock = "Sans toucher l’écran\u{a0}: sombre après 2\u{a0}min, verrouillé après 5\u{a0}min";
    assert!(rows(&at).iter().any(|(_, how)| how == lock), "{:?}", rows(&at));
    for (label, look) in [
        ("Langue\u{a0}: English", Look::OtherLanguage),
        ("Taille du texte\u{a0}: 125\u{a0}%", Look::NextTextSize),
        ("Éclairage\u{a0}: Nuit", Look::OtherLight),
    ] {
        sends(&window, &mut touches, label, Touch::Look(look));
        (at, _) = at.step(Event::Touched(Touch::Look(look)), now());
    }
    let looks = at.standing.looks;
    assert_eq!(looks, Looks { lang: Lang::English, text_percent: 125, light: Light::Night });
    show(&window, &at);
    let told = said(&window);
    for now_told in ["Text size: 150%", "Light: Day", "Language: Français"] {
        assert!(told.iter().any(|text| text == now_told), "no « {now_told} » in {told:?}");
    }
}

#[test]
fn each_leaf_leads_to_the_others_and_back() {
    let (window, mut touches) = window();
    let mut at = visit(leaf(Leaf::Help));
    draws(&window, "help", &at, &["Avec votre carte", "Les droits du patient", "S’il veut s’y opposer"]);
    let last: Vec<_> = rows(&at).into_iter().rev().take(2).collect();
    assert_eq!(last[1].0, "Sans carte\u{a0}: e-CPS");
    assert!(last[0].1.ends_with("Dans votre région\u{a0}: GRADeS de test · 01 99 00 12 34"), "{last:?}");
    for (label, to) in [("Réglages", Leaf::Settings), ("À propos", Leaf::Device), ("Aide", Leaf::Help)] {
        sends(&window, &mut touches, label, Touch::LookUp(to));
        (at, _) = at.step(Event::Touched(Touch::LookUp(to)), now());
        assert!(matches!(&seen(&at).body, Body::About(page) if page.leaf == to), "{label}");
    }
    let (back, effects) = at.step(Event::Touched(Touch::Back), now());
    assert!(matches!(back.page, Page::Idle) && effects.is_empty());
}

/// Nobody is promised a telephone number that no settings give, nor a way without a card that is not offered.
#[test]
fn help_offers_only_what_there_is() {
    let mut device = device();
    device.in_force.contact = None;
    let at = visit_with(leaf(Leaf::Help), |rules| rules.by_phone = false);
    let Body::About(page) = view(&at, now(), &device).body else { panic!("help") };
    let told: Vec<&str> = page.rows.iter().flat_map(|row| [row.what.as_str(), row.how.as_str()]).collect();
    assert!(!told.iter().any(|text| text.contains("e-CPS") || text.contains("région")), "{told:?}");
    let at = visit(leaf(Leaf::Device));
    let Body::About(page) = view(&at, now(), &device).body else { panic!("about") };
    assert!(page.rows.iter().any(|row| row.how == "Non renseigné dans les réglages"));
}

#[test]
fn whoever_was_seen_lately_is_one_touch_away() {
    let (window, mut touches) = window();
    let at = visit(with_last_visits());
    let told = ["Dernières visites", "PATIENT-NEUF Léon", "Ouvert · 22/11/2026"];
    window.set_size(1280, 800);
    show(&window, &at);
    let on_screen = said(&window);
    for word in told {
        assert!(on_screen.iter().any(|text| text.contains(word)), "no « {word} » in {on_screen:?}");
    }
    let names = |name: &str| on_screen.iter().filter(|text| text.starts_with(name) && text.contains(',')).count();
    assert_eq!(names("PATIENTE-UNE"), 1, "who is in the round is not told twice: {on_screen:?}");
    let label = on_screen.iter().find(|text| text.starts_with("PATIENT-NEUF") && text.contains(',')).expect("a row");
    sends(&window, &mut touches, label, Touch::OpenRecent(0));
    let (after, effects) = at.step(Event::Touched(Touch::OpenRecent(0)), now());
    assert_eq!(after.patient().map(|patient| patient.birth_name.as_str()), Some("Patient-Neuf"));
    assert!(matches!(effects[..], [Effect::AskState { .. }]), "{effects:?}");
    let (none, effects) = visit(with_last_visits()).step(Event::Touched(Touch::OpenRecent(1)), now());
    assert!(matches!(none.page, Page::Home(_)) && effects.is_empty(), "nobody stands at that place");
}

/// From home too, and back to it; a patient cannot be opened by a touch that was meant for what lies over them.
#[test]
fn home_is_there_again_when_a_leaf_is_closed() {
    let (window, mut touches) = window();
    let at = visit(home(false, None, round()));
    show(&window, &at);
    sends(&window, &mut touches, "Aide et réglages", Touch::LookUp(Leaf::Help));
    let (at, _) = at.step(Event::Touched(Touch::LookUp(Leaf::Help)), now());
    assert!(matches!(seen(&at).body, Body::About(_)));
    let (at, effects) = at.step(Event::Touched(Touch::OpenPatient(0)), now());
    assert!(matches!(seen(&at).body, Body::About(_)) && effects.is_empty());
    let (at, effects) = at.step(Event::Touched(Touch::Back), now());
    assert!(matches!(seen(&at).body, Body::Home(_)) && effects.is_empty());
}
