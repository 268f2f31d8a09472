//! Pages of a login by telephone.

use super::fixtures::LATER;
use super::fixtures::home_by_phone;
use super::fixtures::visit;
use super::harness::*;
use chevet::identity::holder::HolderId;
use chevet::identity::holder::ProfessionCode;
use chevet::identity::holder::Situation;
use chevet::identity::userinfo::Exercise;
use chevet::identity::userinfo::Person;
use chevet::journal::trace::LoginProof;
use chevet::journal::trace::PhoneProof;
use chevet::trouble::Trouble;
use chevet::visit::Page;
use chevet::visit::event::LinkState;
use chevet::visit::event::PhoneCode;
use chevet::visit::event::PhoneLogin;
use chevet::visit::event::Ticket;
use chevet::visit::event::Touch;
use chevet::visit::page::phone::AskRpps;
use chevet::visit::page::phone::ChoosingExercise;
use chevet::visit::page::phone::WaitingForPhone;

const OFFER: &str = "Sans carte\u{a0}: par téléphone (e-CPS)";
const NOTHING: &str = "rien n’est gardé sur la borne";

#[test]
fn the_way_without_a_card_is_offered_where_it_can_work() {
    let (window, mut touches) = window();
    let mut idle = visit(Page::Idle);
    draws(&window, "idle-by-phone", &idle, &[OFFER, "Insérez votre carte CPS"]);
    sends(&window, &mut touches, OFFER, Touch::ByPhone);
    idle.standing.link = LinkState::Offline;
    show(&window, &idle);
    assert!(!said(&window).iter().any(|text| text.contains("téléphone")), "offered without a network");
}

#[test]
fn a_number_is_typed_in_groups_and_sent_when_it_is_whole() {
    let (window, mut touches) = window();
    let ask = |digits: &str, notice| Page::AskRpps(AskRpps { digits: digits.into(), notice, until: LATER });
    draws(&window, "rpps", &visit(ask("", None)), &["Votre numéro RPPS", "0 chiffres sur 11", NOTHING, "Annuler"]);
    draws(&window, "rpps-typed", &visit(ask("9970010", None)), &["997\u{a0}001\u{a0}0", "7 chiffres sur 11"]);
    press(&window, "Valider");
    assert!(sent(&mut touches).is_empty(), "half a number");
    sends(&window, &mut touches, "5", Touch::Digit(5));
    sends(&window, &mut touches, "Effacer", Touch::Erase);
    let wrong = visit(ask("99700101341", Some(Trouble::RppsMistyped)));
    draws(&window, "rpps-wrong", &wrong, &["997\u{a0}001\u{a0}013\u{a0}41", "erreur de frappe"]);
    let low = controls(&window)
        .iter()
        .map(|control| control.absolute_position().y + control.size().height)
        .fold(0.0, f32::max);
    assert!(low <= 480.0, "a control leaves the window below: {low}");
    sends(&window, &mut touches, "Valider", Touch::Confirm);
    sends(&window, &mut touches, "Annuler", Touch::Back);
}

#[test]
fn the_two_digits_stand_large_and_are_spelled() {
    let (window, mut touches) = window();
    let waiting = |code| {
        let holder = HolderId("899700101340".into());
        Page::WaitingForPhone(WaitingForPhone { ticket: Ticket(1), holder, code, until: LATER })
    };
    draws(&window, "phone-asked", &visit(waiting(None)), &["Votre téléphone est appelé…", NOTHING]);
    let code = PhoneCode { digits: "07".into(), until: LATER };
    let labels = ["Code 0 7", "Approuvez-y la connexion", "Un autre code\u{a0}? Refusez", NOTHING];
    draws(&window, "phone-code", &visit(waiting(Some(code))), &labels);
    sends(&window, &mut touches, "Annuler", Touch::Back);
}

#[test]
fn somebody_who_practises_in_several_places_says_where() {
    let (window, mut touches) = window();
    let exercise = |code, name: &str| Exercise {
        profession: ProfessionCode(code),
        in_training: false,
        specialty: None,
        pharmacist_section: None,
        situation: Some(Situation { structure: "1750000001".into(), name: name.into(), sector: None }),
    };
    let person = Person {
        subject: "s".into(),
        id: HolderId("899700101340".into()),
        family_name: "Lefèvre-Test".into(),
        given_name: "CAMILLE".into(),
        exercises: vec![exercise(60, "HOPITAL DU BAC A SABLE"), exercise(60, "CABINET DE LA GARE"), exercise(10, "")],
    };
    let proof = LoginProof::Phone(PhoneProof { id_token: "a.b.c".into(), key: "{}".into() });
    let login = PhoneLogin { person, proof };
    let page = Page::ChoosingExercise(Box::new(ChoosingExercise { ticket: Ticket(1), login, until: LATER }));
    let labels = ["Où exercez-vous en ce moment\u{a0}?", "Infirmier", "Médecin", NOTHING];
    draws(&window, "phone-exercises", &visit(page), &labels);
    press(&window, "Médecin");
    assert!(sent(&mut touches) == [Touch::Choose(2)]);
}

#[test]
fn an_end_says_what_happened_and_that_nothing_is_kept() {
    let (window, mut touches) = window();
    let over = |trouble| visit(Page::PhoneOver { trouble, until: LATER });
    for trouble in Trouble::ALL.iter().filter(|trouble| trouble.words().layer == "téléphone") {
        show(&window, &over(*trouble));
        let told = said(&window);
        assert!(!told.iter().any(|text| text.contains("carte soit retirée")), "{trouble:?}: there is no card");
    }
    draws(&window, "phone-ended", &over(Trouble::PhoneVisitEnded), &["Votre visite est terminée.", "Rien n’est gardé"]);
    draws(&window, "phone-denied", &over(Trouble::PhoneDenied), &["refusée sur le téléphone", "Code 0-06 · téléphone"]);
    draws(&window, "phone-offline", &over(Trouble::PhoneOffline), &["Le réseau est coupé", "Rien n’est gardé"]);
    sends(&window, &mut touches, "Retour à l’accueil", Touch::Understood);
}

#[test]
fn home_says_all_the_time_that_nothing_is_kept() {
    let (window, _touches) = window();
    draws(&window, "home-by-phone", &visit(home_by_phone()), &[NOTHING, "saisissez l’INS", "ferme tout"]);
    assert!(!said(&window).iter().any(|text| text.contains("Retirer la carte")), "there is no card");
}
