//! What the patient said to this holder or their team, newest first, and the way to take it back.

use crate::journal::consent::Answer;
use crate::journal::consent::Said;
use crate::journal::consent::Scope;
use crate::journal::consent::Speaker;
use crate::screen::gate::quality_label;
use crate::screen::view::AgreementRow;
use crate::screen::view::Agreements;
use crate::screen::view::Bar;
use crate::screen::view::DeviceFacts;
use crate::screen::view::Pill;
use crate::screen::view::Tone;
use crate::screen::words;
use crate::screen::words::french;
use crate::visit::Visit;
use crate::visit::page::Record;

pub(super) fn page(bar: Bar, record: &Record, visit: &Visit, device: &DeviceFacts) -> Agreements {
    let mut rows: Vec<AgreementRow> = Vec::new();
    let mut before: Option<&Said> = None;
    for said in &record.answer.said {
        // One answer is written down as several facts: the first of them tells what was asked.
        let same = before.is_some_and(|before| before.at == said.at && before.shown == said.shown);
        if !same {
            rows.push(row(said, visit, device));
        }
        before = Some(said);
    }
    rows.reverse();
    let empty = if rows.is_empty() {
        french(
            "Sur cette borne, le patient n'a encore rien dit. Votre accès repose sur une autorisation enregistrée ailleurs.",
        )
    } else {
        String::new()
    };
    Agreements { bar, rows, empty, withdraw: french("Le patient retire son accord") }
}

fn row(said: &Said, visit: &Visit, device: &DeviceFacts) -> AgreementRow {
    let at = words::local(said.at.wall.value(), &device.time_zone);
    let when = format!("{}, {}", words::date(&at), words::time(&at));
    let what = match (&said.scope, said.answer) {
        (Scope::Team(team), Answer::Yes) => format!("Accord pour l'équipe « {team} »"),
        (Scope::Event(_), Answer::Yes) => "Prévenu d'un événement de soins".to_owned(),
        (Scope::HolderOnce, Answer::Yes) => "Accord pour une consultation".to_owned(),
        (Scope::Authorization, Answer::Yes) => "Autorisation".to_owned(),
        (Scope::Event(_), _) => "Opposition à un événement de soins".to_owned(),
        (_, Answer::No) => "Refus".to_owned(),
        (_, Answer::Withdrawn) => "Retrait de l'accord".to_owned(),
    };
    let speaker = match &said.by {
        Speaker::Patient => "Le patient".to_owned(),
        Speaker::Representative { quality, name } => format!("{} ({name})", quality_label(*quality)),
    };
    let who = if said.collected_by == said.holder {
        speaker
    } else {
        let colleague = visit.rules().colleagues.iter().find(|colleague| colleague.id == said.collected_by);
        let name = colleague.map_or("un collègue", |colleague| colleague.name.as_str());
        format!("{speaker}, recueilli par {name}")
    };
    let (text, tone) = match said.answer {
        Answer::Yes => ("Oui", Tone::Quiet),
        Answer::No => ("Non", Tone::Stopped),
        Answer::Withdrawn => ("Retiré", Tone::Stopped),
    };
    let signed = if said.signature.is_some() { " · signé" } else { "" };
    let (what, who) = (french(&what), french(&format!("{who}{signed} · texte {}", said.shown.text)));
    let label = format!("{when}, {what}, {who}, {text}");
    AgreementRow { when, what, who, pill: Pill { text: text.to_owned(), tone }, label }
}
