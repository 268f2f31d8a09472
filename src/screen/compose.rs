//! The page on which a round is made: who is proposed and why, and who is in it.

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

pub(super) fn page(compose: &page::compose::Compose, now: Now, device: &DeviceFacts) -> Compose {
    let chosen = compose.chosen();
    let goes_on = compose.keeping.is_some();
    let number = u32::try_from(chosen).unwrap_or(u32::MAX);
    let scan = if device.has_scanner { " Un code lu s'ajoute seul." } else { "" };
    let mut lines = vec![french(&format!("Touchez un nom pour le mettre dans la tournée ou l'en retirer.{scan}"))];
    if compose.list.is_some() {
        lines.push(french("La borne demande qui vous a donné accès…"));
    }
    lines.extend(told(&compose.told));
    Compose {
        title: french("Composer la tournée"),
        back: french("Tournée"),
        act_label: if chosen == 0 {
            french("Vider la tournée")
        } else {
            format!("Garder {}", words::count(number, "patient", "patients"))
        },
        may_keep: !goes_on && compose.recall.is_none(),
        type_label: french("Saisir un INS"),
        clear_label: if chosen == 0 { String::new() } else { french("Tout décocher") },
        lines,
        notice: compose.notice.map(before::notice),
        rows: compose.candidates.iter().map(|one| row(one, now, device)).collect(),
    }
}

fn told(told: &Told) -> Vec<String> {
    let count = |number, one, many| (number > 0).then(|| words::count(number, one, many));
    let one_or_more = |number, one, more| if number < 2 { one } else { more };
    let whose = one_or_more(told.agenda_unknown, "son INS", "leurs INS");
    let unknown = count(told.agenda_unknown, "rendez-vous de l'agenda ne nomme", "rendez-vous de l'agenda ne nomment")
        .map(|many| format!("{many} aucun patient connu de la borne : lisez ou saisissez {whose}."));
    let agenda = told.agenda_trouble.map(|trouble| {
        let words = trouble.words();
        format!("{} {}", words.happened, words.next)
    });
    let whose = one_or_more(told.authorized_unknown, "son nom", "leurs noms");
    let others =
        count(told.authorized_unknown, "autre patient vous a donné accès", "autres patients vous ont donné accès")
            .map(|many| format!("{many} ; la borne ne connaît pas {whose}."));
    let list = told.authorized_trouble.map(|trouble| match trouble {
        Trouble::Offline => "Hors ligne : la borne ne peut pas demander qui vous a donné accès.".to_owned(),
        _ => "Le DMP n'a pas dit qui vous a donné accès. Cela n'empêche rien.".to_owned(),
    });
    [agenda, unknown, others, list].into_iter().flatten().map(|line| french(&line)).collect()
}

fn row(one: &Candidate, now: Now, device: &DeviceFacts) -> Row {
    let patient = &one.patient;
    let name = words::full_name(&patient.birth_name, &patient.birth_given_names);
    let born = format!("{} · {}", words::birth_date(patient.birth_date), sex_letter(patient.sex));
    let desk = one.prepared.then(|| "préparé à l'accueil".to_owned());
    let at = one.at.map(|at| format!("agenda {}", words::time(&words::local(at, &device.time_zone))));
    let seen = one.seen.map(|at| {
        let (then, today) = (words::local(at, &device.time_zone), words::local(now.wall.value(), &device.time_zone));
        if now.wall.is_trusted() && then.date() == today.date() {
            format!("dossier ouvert à {}", words::time(&then))
        } else {
            format!("dossier ouvert le {}", words::date(&then))
        }
    });
    let access = one.authorized.map(|until| match until {
        Some(until) => format!("accès jusqu'au {}", words::date(&words::local(until, &device.time_zone))),
        None => "accès autorisé".to_owned(),
    });
    let why: Vec<String> = [desk, at, seen, access].into_iter().flatten().collect();
    let details = french(&[vec![born], why].concat().join(" · "));
    let state = if one.chosen { "dans la tournée" } else { "pas dans la tournée" };
    Row { label: format!("{name}, {details}, {state}"), name, details, chosen: one.chosen }
}
