//! Pages of a login by telephone: the number, the two digits, as whom of several, and that it is over.

use crate::say;
use crate::say::Both;
use crate::say::Lang;
use crate::say::both;
use crate::screen::before::code;
use crate::screen::labels;
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
pub(super) const NOTHING_KEPT: Both =
    both("Connexion par téléphone : rien n'est gardé sur la borne", "By telephone: nothing is kept on the device");

/// Not offered without a network: it could only fail.
pub(super) fn offer(visit: &Visit) -> String {
    let lang = visit.lang();
    let offered = visit.rules().by_phone && visit.standing.link != LinkState::Offline;
    if offered {
        say!(lang, "Sans carte : par téléphone (e-CPS)", "Without a card: by telephone (e-CPS)")
    } else {
        String::new()
    }
}

pub(super) fn rpps(lang: Lang, ask: &AskRpps, device: &DeviceFacts) -> Rpps {
    let scan =
        if device.has_scanner { lang.pick(" Ou lisez leur code-barres.", " Or scan their bar code.") } else { "" };
    Rpps {
        title: say!(lang, "Votre numéro RPPS", "Your RPPS number"),
        sentence: say!(
            lang,
            "Onze chiffres : ils sont sur votre carte et sur vos ordonnances.{scan}",
            "Eleven digits: they are on your card and your prescriptions.{scan}"
        ),
        number: ask.grouped(),
        count: say!(lang, "{} chiffres sur {RPPS_DIGITS}", "{} of {RPPS_DIGITS} digits", ask.digits.len()),
        notice: ask.notice.map(|trouble| super::before::notice(lang, trouble)),
        may_confirm: ask.is_whole(),
        foot: french(NOTHING_KEPT.within(lang)),
        back: say!(lang, "Annuler", "Cancel"),
    }
}

pub(super) fn waiting(lang: Lang, waiting: &WaitingForPhone) -> Phone {
    let common =
        Phone { foot: french(NOTHING_KEPT.within(lang)), back: say!(lang, "Annuler", "Cancel"), ..Phone::default() };
    let Some(code) = &waiting.code else {
        return Phone { title: say!(lang, "Votre téléphone est appelé…", "Calling your telephone…"), ..common };
    };
    let spelled: Vec<String> = code.digits.chars().map(String::from).collect();
    Phone {
        title: say!(lang, "Ouvrez l'application e-CPS sur votre téléphone", "Open the e-CPS app on your telephone"),
        digits: code.digits.clone(),
        label: french(&format!("Code {}", spelled.join(" "))),
        sentence: say!(
            lang,
            "Votre téléphone doit montrer ce code. Approuvez-y la connexion.",
            "Your telephone must show this code. Approve the connection there."
        ),
        warning: say!(
            lang,
            "Un autre code ? Refusez : la demande ne vient pas d'ici.",
            "Another code? Refuse: the request does not come from here."
        ),
        ..common
    }
}

pub(super) fn exercises(lang: Lang, choosing: &ChoosingExercise) -> Choice {
    let person = &choosing.login.person;
    let line = |exercise: &crate::identity::userinfo::Exercise| {
        let profession = labels::profession_name(lang, exercise.profession);
        let training = if exercise.in_training { " en formation" } else { "" };
        let place = exercise.situation.as_ref();
        let hint = place.map(|place| if place.name.is_empty() { place.structure.clone() } else { place.name.clone() });
        ChoiceLine { label: format!("{profession}{training}"), hint: hint.unwrap_or_default(), tone: Tone::Quiet }
    };
    Choice {
        bar: Bar {
            back: say!(lang, "Annuler", "Cancel"),
            name: words::full_name(&person.family_name, &person.given_name),
            traits: french(NOTHING_KEPT.within(lang)),
            ..Bar::default()
        },
        title: say!(lang, "Où exercez-vous en ce moment ?", "Where are you working now?"),
        sentence: say!(
            lang,
            "Votre choix est inscrit dans chaque trace de cette visite.",
            "Your choice is written in each trace of this visit."
        ),
        lines: person.exercises.iter().map(line).collect(),
    }
}

pub(super) fn over(lang: Lang, trouble: Trouble) -> TroublePage {
    let words = trouble.words_in(lang);
    let ended = trouble == Trouble::PhoneVisitEnded;
    TroublePage {
        pill: Pill { text: words.name.to_owned(), tone: if ended { Tone::Quiet } else { Tone::Stopped } },
        happened: french(words.happened),
        next: french(words.next),
        rest: String::new(),
        code: if ended { String::new() } else { code(lang, trouble) },
        act: say!(lang, "Retour à l'accueil", "Back to the first page"),
    }
}
