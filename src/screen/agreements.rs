//! What the patient said to this holder or their team, newest first, and the way to take it back.

use crate::journal::consent::Answer;
use crate::journal::consent::Said;
use crate::journal::consent::Scope;
use crate::journal::consent::Speaker;
use crate::say;
use crate::screen::gate::quality_label;
use crate::screen::identity;
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
    let lang = visit.lang();
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
        say!(
            lang,
            "Sur cette borne, le patient n'a encore rien dit. Votre accès repose sur une autorisation enregistrée ailleurs.",
            "The patient has said nothing on this device yet. Your access rests on an authorization recorded elsewhere."
        )
    } else {
        String::new()
    };
    let facts = identity::standing(lang, record, device);
    Agreements {
        bar,
        facts,
        rows,
        empty,
        withdraw: say!(lang, "Le patient retire son accord", "The patient withdraws their consent"),
    }
}

fn row(said: &Said, visit: &Visit, device: &DeviceFacts) -> AgreementRow {
    let lang = visit.lang();
    let at = words::local(said.at.wall.value(), &device.time_zone);
    let when = format!("{}, {}", words::date(lang, &at), words::time(lang, &at));
    let what = match (&said.scope, said.answer) {
        (Scope::Team(team), Answer::Yes) => {
            say!(lang, "Accord pour l'équipe « {team} »", "Consent for the team “{team}”")
        }
        (Scope::Event(_), Answer::Yes) => say!(lang, "Prévenu d'un événement de soins", "Informed of an event of care"),
        (Scope::HolderOnce, Answer::Yes) => say!(lang, "Accord pour une consultation", "Consent for one consultation"),
        (Scope::Authorization, Answer::Yes) => say!(lang, "Autorisation", "Authorization"),
        (Scope::Event(_), _) => say!(lang, "Opposition à un événement de soins", "Objection to an event of care"),
        (_, Answer::No) => say!(lang, "Refus", "Refusal"),
        (_, Answer::Withdrawn) => say!(lang, "Retrait de l'accord", "Consent withdrawn"),
    };
    let speaker = match &said.by {
        Speaker::Patient => say!(lang, "Le patient", "The patient"),
        Speaker::Representative { quality, name } => format!("{} ({name})", quality_label(lang, *quality)),
    };
    let who = if said.collected_by == said.holder {
        speaker
    } else {
        let colleague = visit.rules().colleagues.iter().find(|colleague| colleague.id == said.collected_by);
        let name = colleague.map_or(lang.pick("un collègue", "a colleague"), |colleague| colleague.name.as_str());
        say!(lang, "{speaker}, recueilli par {name}", "{speaker}, taken down by {name}")
    };
    let (text, tone) = match said.answer {
        Answer::Yes => (lang.pick("Oui", "Yes"), Tone::Quiet),
        Answer::No => (lang.pick("Non", "No"), Tone::Stopped),
        Answer::Withdrawn => (lang.pick("Retiré", "Withdrawn"), Tone::Stopped),
    };
    let signed = if said.signature.is_some() { lang.pick(" · signé", " · signed") } else { "" };
    let (what, who) =
        (french(&what), say!(lang, "{who}{signed} · texte {}", "{who}{signed} · text {}", said.shown.text));
    let label = format!("{when}, {what}, {who}, {text}");
    AgreementRow { when, what, who, pill: Pill { text: text.to_owned(), tone }, label }
}
