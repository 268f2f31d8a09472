//! The page on which a round is prepared: how much there is and how long it takes, then how far it has come.
//!
//! Names are the round's own; nothing of a record is told but how many documents and how large.

use crate::policy::Decision;
use crate::record::document::Outline;
use crate::screen::before;
use crate::screen::view::Ahead;
use crate::screen::view::AheadAct;
use crate::screen::view::Pill;
use crate::screen::view::RoundRow;
use crate::screen::words;
use crate::screen::words::french;
use crate::time::Now;
use crate::visit::Visit;
use crate::visit::page;
use crate::visit::page::ahead::AheadStep;
use crate::visit::page::ahead::Prepared;
use crate::visit::page::ahead::Stands;

pub(super) fn page(ahead: &page::ahead::Ahead, visit: &Visit, now: Now) -> Ahead {
    let all = ahead.patients.len();
    let (documents, bytes) = ahead.left();
    let pace = visit.standing.bytes_a_second;
    let what = format!("{}, {}", words::count(number(documents), "document", "documents"), words::size(bytes));
    let left = format!("{what}, {}", time(bytes, pace));
    let ready = format!("{} sur {all}", words::count(number(ahead.ready()), "patient prêt", "patients prêts"));
    let current = match ahead.step {
        AheadStep::Fetching { place, .. } | AheadStep::Recording { place, .. } | AheadStep::Keeping { place, .. } => {
            Some(place)
        }
        _ => None,
    };
    let (summary, hint, act) = match &ahead.step {
        AheadStep::AskingStates { .. } | AheadStep::Surveying { .. } => {
            ("La borne demande ce qu'il y a à préparer…".to_owned(), NOTHING_READ, AheadAct::None)
        }
        AheadStep::Proposed if documents == 0 => (format!("{ready}. Rien à charger."), NOTHING_READ, AheadAct::None),
        AheadStep::Proposed => (format!("À charger : {left}."), KEPT, AheadAct::Start),
        _ if ahead.stopping && current.is_some() => {
            (format!("{ready}. La borne s'arrête…"), NOTHING_READ, AheadAct::None)
        }
        _ if current.is_some() => (format!("{ready}. Encore {left}."), GOES_ON, AheadAct::Stop),
        _ if documents == 0 => (format!("{ready}."), READABLE, AheadAct::None),
        _ => (format!("{ready}. Reste {left}."), GO_ON, AheadAct::GoOn),
    };
    let trouble = match &ahead.step {
        AheadStep::Over { trouble } => *trouble,
        _ => None,
    };
    Ahead {
        back: if current.is_some() { String::new() } else { "Tournée".to_owned() },
        title: french("Préparer la tournée"),
        summary: french(&summary),
        hint: french(hint),
        act,
        act_label: match act {
            AheadAct::None => String::new(),
            AheadAct::Start => french("Préparer"),
            AheadAct::GoOn => french("Reprendre"),
            AheadAct::Stop => french("Arrêter"),
        },
        percent: (ahead.ready() * 100).checked_div(all).unwrap_or(0),
        notice: trouble.map(before::notice),
        rows: rows(ahead, current, now),
    }
}

const NOTHING_READ: &str = "Rien n'est montré ici, et rien ne compte comme une lecture.";
const KEPT: &str = "Inscrit comme « préparé », jamais comme une lecture. Gardé sur la borne, fermé par votre carte.";
const GOES_ON: &str = "Vous pouvez vous éloigner : la borne continue seule, tant que la carte reste en place.";
const GO_ON: &str = "Ce qui est prêt le reste, même carte retirée. Reprenez quand vous voulez.";
const READABLE: &str = "Ce qui est prêt se lira avec votre carte, même hors ligne.";

fn number(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn time(bytes: u64, pace: Option<u64>) -> String {
    match pace {
        Some(pace) => words::duration(bytes / pace.max(1)),
        // Never greener than the facts (P9).
        None => "durée connue après le premier patient".to_owned(),
    }
}

fn row(one: &Prepared, is_current: bool, now: Now) -> RoundRow {
    let patient = &one.patient;
    let name = words::full_name(&patient.birth_name, &patient.birth_given_names);
    let born = words::birth_date(patient.birth_date);
    let born = match patient.age_years(now.wall.value()) {
        Some(years) => format!("{born} · {years}\u{a0}ans"),
        None => born,
    };
    let (pill, why) = match &one.stands {
        Stands::ToFetch { .. } if is_current => (before::quiet("En cours…"), String::new()),
        Stands::Asked => (Pill::default(), String::new()),
        Stands::Denied(decision) => (before::care("À ouvrir au chevet"), reason(decision)),
        Stands::Failed(trouble) => (before::care(trouble.words().name), trouble.words().happened.to_owned()),
        Stands::ToFetch { documents, .. } if documents.is_empty() => (before::quiet("Rien à charger"), String::new()),
        Stands::ToFetch { documents, .. } => {
            let bytes = documents.iter().map(Outline::size_bytes).sum();
            let count = words::count(number(documents.len()), "document", "documents");
            (before::quiet(&format!("{count} · {}", words::size(bytes))), String::new())
        }
        Stands::Ready { here: 0 } => (before::quiet("Prêt · aucun document"), String::new()),
        Stands::Ready { here } => {
            (before::quiet(&format!("Prêt · {}", words::count(*here, "document", "documents"))), String::new())
        }
        Stands::Incomplete { here, lacking } => {
            let pill = before::care(&format!("{here} sur {}", here + lacking));
            (pill, "Certains documents n'ont pas pu être chargés.".to_owned())
        }
    };
    let details = if why.is_empty() { born } else { format!("{born} · {}", french(&why)) };
    let label = format!("{name}, {details}, {}", pill.text);
    RoundRow { name, details, pill, label }
}

/// In the round's order; whoever's documents are coming stands first, where they can be seen.
fn rows(ahead: &page::ahead::Ahead, current: Option<usize>, now: Now) -> Vec<RoundRow> {
    let mut places: Vec<usize> = (0..ahead.patients.len()).collect();
    places.sort_by_key(|place| current != Some(*place));
    places.into_iter().map(|place| row(&ahead.patients[place], current == Some(place), now)).collect()
}

/// P6: why not, in the rule's own sentence.
fn reason(decision: &Decision) -> String {
    decision.rule.sentence.to_owned()
}
