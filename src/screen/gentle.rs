//! What is said when nobody touches the page: the question before the lock, and the locked screen. Pure.

use crate::say;
use crate::say::Lang;
use crate::screen::labels;
use crate::screen::view::Asks;
use crate::screen::view::Locked;
use crate::visit::Page;
use crate::visit::Visit;
use crate::visit::gentle;
use crate::visit::gentle::Attention;

/// Nothing while somebody is there.
pub(super) fn asks(visit: &Visit) -> Option<Asks> {
    if visit.attention() != Attention::Asked {
        return None;
    }
    let lang = visit.lang();
    let ends = visit.is_by_phone() || matches!(visit.page, Page::Reception(_));
    let then = if ends {
        say!(lang, "Sinon, la visite se termine dans une minute.", "Otherwise the visit ends in a minute.")
    } else {
        say!(
            lang,
            "Sinon, il se verrouille dans une minute. Une saisie non validée sera à refaire.",
            "Otherwise it locks in a minute. What is not confirmed must be typed again."
        )
    };
    let go_on = say!(
        lang,
        "Touchez l'écran pour continuer, autant de fois que vous voulez.",
        "Touch the screen to go on, as often as you like."
    );
    Some(Asks {
        title: say!(lang, "Êtes-vous toujours là ?", "Are you still there?"),
        sentence: format!("{go_on} {then}"),
        act_label: say!(lang, "Je suis là", "I am here"),
    })
}

/// Whose card waits; nothing of any patient.
pub(super) fn locked(locked: &gentle::Locked, lang: Lang) -> Locked {
    Locked {
        name: labels::holder(lang, &locked.holder),
        role: labels::profession(lang, &locked.holder),
        title: say!(lang, "Écran verrouillé", "Screen locked"),
        sentence: say!(
            lang,
            "Tapez de nouveau votre code : vous reprendrez là où vous en étiez.",
            "Type your code again: you will go on where you were."
        ),
        act_label: say!(lang, "Taper mon code", "Type my code"),
        foot: say!(
            lang,
            "Ce n'est pas votre carte ? Retirez-la : la visite est terminée, rien n'en reste à l'écran.",
            "Not your card? Take it out: the visit is over, and nothing of it stays on the screen."
        ),
    }
}
