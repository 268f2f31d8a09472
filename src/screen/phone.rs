//! Pages of a login by telephone: the number, the two digits, as whom of several, and that it is over.

use crate::policy::nomenclature;
use crate::screen::before::code;
use crate::screen::view::Bar;
use crate::screen::view::Choice;
use crate::screen::view::ChoiceLine;
use crate::screen::view::DeviceFacts;
use crate::screen::view::Phone;
use crate::screen::view::Pill;
use crate::screen::view::Rpps;
use crate::screen::view::Tone;
use crate::screen::view::Trouble as TroublePage;
use crate::screen::words;
use crate::screen::words::french;
use crate::trouble::Trouble;
use crate::visit::Visit;
use crate::visit::event::LinkState;
use crate::visit::page::phone::AskRpps;
use crate::visit::page::phone::ChoosingExercise;
use crate::visit::page::phone::RPPS_DIGITS;
use crate::visit::page::phone::WaitingForPhone;

/// Said on every page of such a visit that has room for it.
pub(super) const NOTHING_KEPT: &str = "Connexion par téléphone : rien n'est gardé sur la borne";

/// Not offered without a network: it could only fail.
pub(super) fn offer(visit: &Visit) -> String {
    let offered = visit.rules().by_phone && visit.standing.link != LinkState::Offline;
    if offered { french("Sans carte : par téléphone (e-CPS)") } else { String::new() }
}

pub(super) fn rpps(ask: &AskRpps, device: &DeviceFacts) -> Rpps {
    let scan = if device.has_scanner { " Ou lisez leur code-barres." } else { "" };
    Rpps {
        title: french("Votre numéro RPPS"),
        sentence: french(&format!("Onze chiffres : ils sont sur votre carte et sur vos ordonnances.{scan}")),
        number: ask.grouped(),
        count: french(&format!("{} chiffres sur {RPPS_DIGITS}", ask.digits.len())),
        notice: ask.notice.map(super::before::notice),
        may_confirm: ask.is_whole(),
        foot: french(NOTHING_KEPT),
        back: french("Annuler"),
    }
}

pub(super) fn waiting(waiting: &WaitingForPhone) -> Phone {
    let common = Phone { foot: french(NOTHING_KEPT), back: french("Annuler"), ..Phone::default() };
    let Some(code) = &waiting.code else {
        return Phone { title: french("Votre téléphone est appelé…"), ..common };
    };
    let spelled: Vec<String> = code.digits.chars().map(String::from).collect();
    Phone {
        title: french("Ouvrez l'application e-CPS sur votre téléphone"),
        digits: code.digits.clone(),
        label: french(&format!("Code {}", spelled.join(" "))),
        sentence: french("Votre téléphone doit montrer ce code. Approuvez-y la connexion."),
        warning: french("Un autre code ? Refusez : la demande ne vient pas d'ici."),
        ..common
    }
}

pub(super) fn exercises(choosing: &ChoosingExercise) -> Choice {
    let person = &choosing.login.person;
    let line = |exercise: &crate::identity::userinfo::Exercise| {
        let profession = nomenclature::profession_label(exercise.profession);
        let training = if exercise.in_training { " en formation" } else { "" };
        let place = exercise.situation.as_ref();
        let hint = place.map(|place| if place.name.is_empty() { place.structure.clone() } else { place.name.clone() });
        ChoiceLine { label: format!("{profession}{training}"), hint: hint.unwrap_or_default(), tone: Tone::Quiet }
    };
    Choice {
        bar: Bar {
            back: "Annuler".to_owned(),
            name: words::full_name(&person.family_name, &person.given_name),
            traits: french(NOTHING_KEPT),
            ..Bar::default()
        },
        title: french("Où exercez-vous en ce moment ?"),
        sentence: french("Votre choix est inscrit dans chaque trace de cette visite."),
        lines: person.exercises.iter().map(line).collect(),
    }
}

pub(super) fn over(trouble: Trouble) -> TroublePage {
    let words = trouble.words();
    let ended = trouble == Trouble::PhoneVisitEnded;
    TroublePage {
        pill: Pill { text: words.name.to_owned(), tone: if ended { Tone::Quiet } else { Tone::Stopped } },
        happened: french(words.happened),
        next: french(words.next),
        rest: String::new(),
        code: if ended { String::new() } else { code(trouble) },
        act: french("Retour à l'accueil"),
    }
}
