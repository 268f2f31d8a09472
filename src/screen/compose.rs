//! The page on which a round is made: who is proposed and why, and who is in it.

use crate::say;
use crate::say::Lang;
use crate::screen::before;
use crate::screen::before::sex_letter;
use crate::screen::view::DeviceFacts;
use crate::screen::view::Notice;
use crate::screen::words;
use crate::screen::words::french;
use crate::time::Now;
use crate::trouble::Trouble;
use crate::visit::page;
use crate::visit::page::compose::Candidate;
use crate::visit::page::compose::Told;

/// What the page shows.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Compose {
    pub title: String,
    pub back: String,
    pub act_label: String,
    pub may_keep: bool,
    /// « Saisir un INS », « Tout décocher »; the second is empty where nobody is chosen.
    pub type_label: String,
    pub clear_label: String,
    /// What to do, and what the sources said beside names.
    pub lines: Vec<String>,
    pub notice: Option<Notice>,
    pub rows: Vec<Row>,
}

#[derive(Clone, PartialEq, Eq, Default)]
pub struct Row {
    pub name: String,
    pub details: String,
    pub chosen: bool,
    /// All of it, for speech and tests.
    pub label: String,
}

pub(super) fn page(lang: Lang, compose: &page::compose::Compose, now: Now, device: &DeviceFacts) -> Compose {
    let chosen = compose.chosen();
    let goes_on = compose.keeping.is_some();
    let number = u32::try_from(chosen).unwrap_or(u32::MAX);
    let scan = if device.has_scanner {
        lang.pick(" Un code lu s'ajoute seul.", " A scanned code is added by itself.")
    } else {
        ""
    };
    let mut lines = vec![say!(
        lang,
        "Touchez un nom pour le mettre dans la tournée ou l'en retirer.{scan}",
        "Touch a name to put it into the round or take it out.{scan}"
    )];
    if compose.list.is_some() {
        lines.push(say!(lang, "La borne demande qui vous a donné accès…", "The device is asking who gave you access…"));
    }
    lines.extend(told(lang, &compose.told));
    Compose {
        title: say!(lang, "Composer la tournée", "Make the round"),
        back: say!(lang, "Tournée", "Round"),
        act_label: if chosen == 0 {
            say!(lang, "Vider la tournée", "Empty the round")
        } else {
            say!(
                lang,
                "Garder {}",
                "Keep {}",
                words::count(lang, number, ["patient", "patients"], ["patient", "patients"])
            )
        },
        may_keep: !goes_on && compose.recall.is_none(),
        type_label: say!(lang, "Saisir un INS", "Type an INS"),
        clear_label: if chosen == 0 { String::new() } else { say!(lang, "Tout décocher", "Untick all") },
        lines,
        notice: compose.notice.map(|trouble| before::notice(lang, trouble)),
        rows: compose.candidates.iter().map(|one| row(lang, one, now, device)).collect(),
    }
}

fn told(lang: Lang, told: &Told) -> Vec<String> {
    let count = |number, french, english| (number > 0).then(|| words::count(lang, number, french, english));
    let one_or_more = |number, one, more| if number < 2 { one } else { more };
    let whose =
        one_or_more(told.agenda_unknown, lang.pick("son INS", "their INS"), lang.pick("leurs INS", "their INS"));
    let unknown = count(
        told.agenda_unknown,
        ["rendez-vous de l’agenda ne nomme", "rendez-vous de l’agenda ne nomment"],
        ["appointment of the agenda names", "appointments of the agenda name"],
    )
    .map(|many| {
        say!(
            lang,
            "{many} aucun patient connu de la borne : lisez ou saisissez {whose}.",
            "{many} no patient that the device knows: scan or type {whose}."
        )
    });
    let agenda = told.agenda_trouble.map(|trouble| {
        let words = trouble.words_in(lang);
        format!("{} {}", words.happened, words.next)
    });
    let whose = one_or_more(
        told.authorized_unknown,
        lang.pick("son nom", "their name"),
        lang.pick("leurs noms", "their names"),
    );
    let others = count(
        told.authorized_unknown,
        ["autre patient vous a donné accès", "autres patients vous ont donné accès"],
        ["other patient gave you access", "other patients gave you access"],
    )
    .map(|many| say!(lang, "{many} ; la borne ne connaît pas {whose}.", "{many}; the device does not know {whose}."));
    let list = told.authorized_trouble.map(|trouble| match trouble {
        Trouble::Offline => say!(
            lang,
            "Hors ligne : la borne ne peut pas demander qui vous a donné accès.",
            "Offline: the device cannot ask who gave you access."
        ),
        _ => say!(
            lang,
            "Le DMP n'a pas dit qui vous a donné accès. Cela n'empêche rien.",
            "The DMP did not say who gave you access. That hinders nothing."
        ),
    });
    [agenda, unknown, others, list].into_iter().flatten().map(|line| french(&line)).collect()
}

fn row(lang: Lang, one: &Candidate, now: Now, device: &DeviceFacts) -> Row {
    let patient = &one.patient;
    let name = words::full_name(&patient.birth_name, &patient.birth_given_names);
    let born = format!("{} · {}", words::birth_date(lang, patient.birth_date), sex_letter(patient.sex));
    let desk = one.prepared.then(|| say!(lang, "préparé à l'accueil", "prepared at the reception"));
    let at =
        one.at.map(|at| say!(lang, "agenda {}", "agenda {}", words::time(lang, &words::local(at, &device.time_zone))));
    let seen = one.seen.map(|at| {
        let (then, today) = (words::local(at, &device.time_zone), words::local(now.wall.value(), &device.time_zone));
        if now.wall.is_trusted() && then.date() == today.date() {
            say!(lang, "dossier ouvert à {}", "record opened at {}", words::time(lang, &then))
        } else {
            say!(lang, "dossier ouvert le {}", "record opened on {}", words::date(lang, &then))
        }
    });
    let access = one.authorized.map(|until| match until {
        Some(until) => say!(
            lang,
            "accès jusqu'au {}",
            "access until {}",
            words::date(lang, &words::local(until, &device.time_zone))
        ),
        None => say!(lang, "accès autorisé", "access authorized"),
    });
    let why: Vec<String> = [desk, at, seen, access].into_iter().flatten().collect();
    let details = french(&[vec![born], why].concat().join(" · "));
    let state = if one.chosen {
        lang.pick("dans la tournée", "in the round")
    } else {
        lang.pick("pas dans la tournée", "not in the round")
    };
    Row { label: format!("{name}, {details}, {state}"), name, details, chosen: one.chosen }
}
