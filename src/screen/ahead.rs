//! The page on which a round is prepared: how much there is and how long it takes, then how far it has come.
//!
//! Names are the round's own; nothing of a record is told but how many documents and how large.

use crate::policy::Decision;
use crate::record::document::Outline;
use crate::say;
use crate::say::Both;
use crate::say::Lang;
use crate::say::both;
use crate::screen::before;
use crate::screen::reasons;
use crate::screen::view::Ahead;
use crate::screen::view::AheadAct;
use crate::screen::view::Pill;
use crate::screen::view::RoundRow;
use crate::screen::words;
use crate::screen::words::french;
use crate::time::Now;
use crate::visit::Visit;
use crate::visit::gentle::Attention;
use crate::visit::page;
use crate::visit::page::ahead::AheadStep;
use crate::visit::page::ahead::Prepared;
use crate::visit::page::ahead::Stands;

pub(super) fn page(ahead: &page::ahead::Ahead, visit: &Visit, now: Now) -> Ahead {
    let lang = visit.lang();
    let all = ahead.patients.len();
    let (documents, bytes) = ahead.left();
    let pace = visit.standing.bytes_a_second;
    let what = format!(
        "{}, {}",
        words::count(lang, number(documents), ["document", "documents"], ["document", "documents"]),
        words::size(lang, bytes)
    );
    let left = format!("{what}, {}", time(lang, bytes, pace));
    let ready = say!(
        lang,
        "{} sur {all}",
        "{} of {all}",
        words::count(
            lang,
            number(ahead.ready()),
            ["patient prêt", "patients prêts"],
            ["patient ready", "patients ready"]
        )
    );
    let current = match ahead.step {
        AheadStep::Fetching { place, .. } | AheadStep::Recording { place, .. } | AheadStep::Keeping { place, .. } => {
            Some(place)
        }
        _ => None,
    };
    let (summary, hint, act) = match &ahead.step {
        AheadStep::AskingStates { .. } | AheadStep::Surveying { .. } => (
            say!(lang, "La borne demande ce qu'il y a à préparer…", "The device is asking what there is to prepare…"),
            NOTHING_READ.within(lang),
            AheadAct::None,
        ),
        AheadStep::Proposed if documents == 0 => (
            say!(lang, "{ready}. Rien à charger.", "{ready}. Nothing to load."),
            NOTHING_READ.within(lang),
            AheadAct::None,
        ),
        AheadStep::Proposed => (
            say!(lang, "À charger : {left}.{}", "To load: {left}.{}", metered(visit)),
            KEPT.within(lang),
            AheadAct::Start,
        ),
        _ if ahead.stopping && current.is_some() => (
            say!(lang, "{ready}. La borne s'arrête…", "{ready}. The device is stopping…"),
            NOTHING_READ.within(lang),
            AheadAct::None,
        ),
        _ if current.is_some() => (
            say!(lang, "{ready}. Encore {left}.{}", "{ready}. {left} to go.{}", metered(visit)),
            GOES_ON.within(lang),
            AheadAct::Stop,
        ),
        _ if documents == 0 => (format!("{ready}."), READABLE.within(lang), AheadAct::None),
        _ => (say!(lang, "{ready}. Reste {left}.", "{ready}. Left: {left}."), GO_ON.within(lang), AheadAct::GoOn),
    };
    let trouble = match &ahead.step {
        AheadStep::Over { trouble } => *trouble,
        _ => None,
    };
    Ahead {
        back: if current.is_some() { String::new() } else { say!(lang, "Tournée", "Round") },
        title: say!(lang, "Préparer la tournée", "Prepare the round"),
        summary: french(&summary),
        hint: french(hint),
        act,
        act_label: match act {
            AheadAct::None => String::new(),
            AheadAct::Start => say!(lang, "Préparer", "Prepare"),
            AheadAct::GoOn => say!(lang, "Reprendre", "Go on"),
            AheadAct::Stop => say!(lang, "Arrêter", "Stop"),
        },
        percent: (ahead.ready() * 100).checked_div(all).unwrap_or(0),
        notice: trouble.map(|trouble| before::notice(lang, trouble)),
        // Nobody stands there any more: whose documents come is nobody's business.
        rows: if visit.attention() == Attention::Away { Vec::new() } else { rows(lang, ahead, current, now) },
    }
}

const NOTHING_READ: Both = both(
    "Rien n'est montré ici, et rien ne compte comme une lecture.",
    "Nothing is shown here, and nothing counts as having been read.",
);
const KEPT: Both = both(
    "Inscrit comme « préparé », jamais comme une lecture. Gardé sur la borne, fermé par votre carte.",
    "Recorded as “prepared”, never as read. Kept on the device, locked by your card.",
);
const GOES_ON: Both = both(
    "Vous pouvez vous éloigner : la borne continue seule, tant que la carte reste en place.",
    "You may walk away: the device goes on by itself while the card stays in.",
);
const GO_ON: Both = both(
    "Ce qui est prêt le reste, même carte retirée. Reprenez quand vous voulez.",
    "What is ready stays ready, even with the card out. Go on when you like.",
);
const READABLE: Both = both(
    "Ce qui est prêt se lira avec votre carte, même hors ligne.",
    "What is ready can be read with your card, even offline.",
);

/// On a metered line: how much of the day's is gone already.
fn metered(visit: &Visit) -> String {
    let lang = visit.lang();
    let spent = visit.standing.spent.and_then(|spent| Some((spent.bytes, spent.budget_bytes?)));
    spent.map_or(String::new(), |(bytes, most)| {
        say!(lang, " Forfait du jour : {}.", " Data of the day: {}.", before::spent_of(lang, bytes, most))
    })
}

fn number(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn time(lang: Lang, bytes: u64, pace: Option<u64>) -> String {
    match pace {
        Some(pace) => words::duration(lang, bytes / pace.max(1)),
        // Never greener than the facts (P9).
        None => say!(lang, "durée connue après le premier patient", "time known after the first patient"),
    }
}

fn row(lang: Lang, one: &Prepared, is_current: bool, now: Now) -> RoundRow {
    let patient = &one.patient;
    let name = words::full_name(&patient.birth_name, &patient.birth_given_names);
    let born = words::birth_date(lang, patient.birth_date);
    let born = match patient.age_years(now.wall.value()) {
        Some(years) => say!(lang, "{born} · {years}\u{a0}ans", "{born} · {years} years"),
        None => born,
    };
    let (pill, why) = match &one.stands {
        Stands::ToFetch { .. } if is_current => (before::quiet(lang.pick("En cours…", "Under way…")), String::new()),
        Stands::Asked => (Pill::default(), String::new()),
        Stands::Denied(decision) => {
            (before::care(lang.pick("À ouvrir au chevet", "Open at the bedside")), reason(lang, decision))
        }
        Stands::Failed(trouble) => {
            (before::care(trouble.words_in(lang).name), trouble.words_in(lang).happened.to_owned())
        }
        Stands::ToFetch { documents, .. } if documents.is_empty() => {
            (before::quiet(lang.pick("Rien à charger", "Nothing to load")), String::new())
        }
        Stands::ToFetch { documents, .. } => {
            let bytes = documents.iter().map(Outline::size_bytes).sum();
            let count =
                words::count(lang, number(documents.len()), ["document", "documents"], ["document", "documents"]);
            (before::quiet(&format!("{count} · {}", words::size(lang, bytes))), String::new())
        }
        Stands::Ready { here: 0 } => {
            (before::quiet(lang.pick("Prêt · aucun document", "Ready · no document")), String::new())
        }
        Stands::Ready { here } => (
            before::quiet(&say!(
                lang,
                "Prêt · {}",
                "Ready · {}",
                words::count(lang, *here, ["document", "documents"], ["document", "documents"])
            )),
            String::new(),
        ),
        Stands::Incomplete { here, lacking } => {
            let pill = before::care(&say!(lang, "{here} sur {}", "{here} of {}", here + lacking));
            (pill, say!(lang, "Certains documents n'ont pas pu être chargés.", "Some documents could not be loaded."))
        }
    };
    let details = if why.is_empty() { born } else { format!("{born} · {}", french(&why)) };
    let label = format!("{name}, {details}, {}", pill.text);
    RoundRow { name, details, pill, label }
}

/// In the round's order; whoever's documents are coming stands first, where they can be seen.
fn rows(lang: Lang, ahead: &page::ahead::Ahead, current: Option<usize>, now: Now) -> Vec<RoundRow> {
    let mut places: Vec<usize> = (0..ahead.patients.len()).collect();
    places.sort_by_key(|place| current != Some(*place));
    places.into_iter().map(|place| row(lang, &ahead.patients[place], current == Some(place), now)).collect()
}

/// P6: why not, in the rule's own sentence.
fn reason(lang: Lang, decision: &Decision) -> String {
    reasons::sentence(lang, decision).to_owned()
}
