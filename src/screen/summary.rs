//! The summary of a record: lines by topic, each with the document that says it. What is missing is said to be missing from what
//! was read, never to be absent from the patient.

use crate::record::summary::Topic;
use crate::say;
use crate::say::Lang;
use crate::screen::before;
use crate::screen::view::Bar;
use crate::screen::view::Body;
use crate::screen::view::DeviceFacts;
use crate::screen::view::History;
use crate::screen::view::Summary;
use crate::screen::view::SummaryLook;
use crate::screen::view::SummaryRow;
use crate::screen::view::Wait;
use crate::screen::within;
use crate::screen::words;
use crate::screen::words::french;
use crate::trouble::Trouble;
use crate::visit::page;
use crate::visit::page::Record;
use crate::visit::page::summary::Gathering;
use crate::visit::page::summary::GatheringStep;
use crate::visit::page::summary::Source;
use crate::visit::page::summary::Stands;

pub(super) fn gathering(lang: Lang, bar: Bar, gathering: &Gathering) -> Wait {
    let all = gathering.sources.len();
    let hint = match gathering.step {
        GatheringStep::Fetching(at) => {
            say!(lang, "Document {} sur {all} : il arrive.", "Document {} of {all}: it is coming.", at + 1)
        }
        GatheringStep::Recording => say!(
            lang,
            "Votre lecture est inscrite dans l'historique du patient…",
            "Writing into the patient’s history that you read it…"
        ),
        GatheringStep::Reading { at, .. } => {
            say!(lang, "Document {} sur {all} : la borne le lit.", "Document {} of {all}: being read.", at + 1)
        }
    };
    Wait { bar, title: lang.pick("Résumé du dossier…", "Summary of the record…").to_owned(), hint }
}

pub(super) fn failed(lang: Lang, bar: Bar, trouble: Trouble) -> Body {
    Body::History(History { bar, notice: Some(before::notice(lang, trouble)), ..History::default() })
}

pub(super) fn page(
    lang: Lang,
    bar: Bar,
    record: &Record,
    summary: &page::summary::Summary,
    device: &DeviceFacts,
) -> Summary {
    let mut rows = Vec::new();
    rows.extend(synthesis_missing(lang, record, summary));
    rows.extend(warned(lang, record, summary));
    for topic in Topic::ALL {
        let mut own = summary.lines.iter().enumerate().filter(|(_, line)| line.line.topic == topic).peekable();
        if own.peek().is_none() {
            // What kills is said even where nothing is known of it.
            if matches!(topic, Topic::Allergies | Topic::Treatments) && is_any_read(summary) {
                rows.push(heading(lang, topic));
                rows.push(note(say!(
                    lang,
                    "Rien n'en est reconnu dans les documents lus.",
                    "The documents read say nothing of it."
                )));
            }
            continue;
        }
        rows.push(heading(lang, topic));
        rows.extend(own.map(|(at, line)| line_row(lang, at, line, topic, record, device)));
    }
    let first = summary.lines.len();
    let sources = summary.sources.iter().enumerate();
    let sources: Vec<SummaryRow> =
        sources.map(|(at, source)| source_row(lang, first + at, source, record, device)).collect();
    if !sources.is_empty() {
        rows.push(SummaryRow {
            text: lang.pick("Documents lus pour ce résumé", "Documents read for this summary").to_owned(),
            ..heading(lang, Topic::Contacts)
        });
        rows.extend(sources);
    }
    for row in rows.iter_mut().filter(|row| row.label.is_empty()) {
        row.label.clone_from(&row.text);
    }
    let (denied, denied_rest) = within::denied(lang, record);
    Summary { bar, rows, denied, denied_rest }
}

fn is_any_read(summary: &page::summary::Summary) -> bool {
    summary.sources.iter().any(|source| source.stands == Stands::Read)
}

/// What a professional must not take this page for.
fn synthesis_missing(lang: Lang, record: &Record, summary: &page::summary::Summary) -> Option<SummaryRow> {
    let is_read = |source: &Source| {
        let document = &record.documents[source.place].document;
        source.stands == Stands::Read && crate::record::summary::is_synthesis(document)
    };
    let none_open = say!(
        lang,
        "Aucune synthèse médicale (VSM) ne vous est ouverte dans ce dossier.",
        "No medical synthesis (VSM) in this record is open to you."
    );
    let (text, details) = match (summary.sources.iter().any(is_read), summary.has_synthesis) {
        (true, _) => return None,
        (false, true) => (
            say!(
                lang,
                "La synthèse médicale n'a pas pu être résumée.",
                "The medical synthesis (VSM) could not be summed up."
            ),
            say!(
                lang,
                "Elle n'est pas structurée, ou n'est pas là : ouvrez-la dans « Documents ».",
                "It is not structured, or not here: open it in “Documents”."
            ),
        ),
        (false, false) if is_any_read(summary) => (
            none_open,
            say!(
                lang,
                "Ce résumé est tiré d'autres documents : il peut manquer l'essentiel.",
                "This summary comes from other documents: what matters most may be missing."
            ),
        ),
        (false, false) => (
            none_open,
            say!(
                lang,
                "Rien d'autre ne peut être résumé. Lisez les documents eux-mêmes.",
                "Nothing else can be summed up. Read the documents themselves."
            ),
        ),
    };
    let label = format!("{text} {details}");
    Some(SummaryRow { look: SummaryLook::Care, text, details, label, ..SummaryRow::default() })
}

/// What is owed with each document whose words stand here, as its own page says it.
fn warned(lang: Lang, record: &Record, summary: &page::summary::Summary) -> Vec<SummaryRow> {
    let read = summary.sources.iter().filter(|source| source.stands == Stands::Read);
    let owed = read.flat_map(|source| {
        let permitted = &record.documents[source.place];
        let title = within::title(lang, &permitted.document);
        let warnings = within::warnings(lang, &permitted.document, &permitted.decision.obligations);
        warnings.into_iter().map(move |warning| (title.clone(), warning))
    });
    let row = |(text, details): (String, String)| {
        let label = format!("{text}, {details}");
        SummaryRow { look: SummaryLook::Care, text, details, label, ..SummaryRow::default() }
    };
    owed.map(row).collect()
}

fn heading(lang: Lang, topic: Topic) -> SummaryRow {
    let text = match topic {
        Topic::Allergies => "Allergies",
        Topic::Problems => lang.pick("Problèmes en cours", "Current problems"),
        Topic::Treatments => lang.pick("Traitements", "Treatments"),
        Topic::History => lang.pick("Antécédents", "History"),
        Topic::Vaccinations => "Vaccinations",
        Topic::Measures => lang.pick("Mesures et résultats", "Measures and results"),
        Topic::Directives => lang.pick("Volontés du patient", "The patient’s wishes"),
        Topic::Contacts => "Contacts",
    };
    SummaryRow { look: SummaryLook::Heading, text: text.to_owned(), ..SummaryRow::default() }
}

fn note(text: String) -> SummaryRow {
    SummaryRow { look: SummaryLook::Note, text, ..SummaryRow::default() }
}

fn line_row(
    lang: Lang,
    at: usize,
    line: &page::summary::SummaryLine,
    topic: Topic,
    record: &Record,
    device: &DeviceFacts,
) -> SummaryRow {
    let told = &line.line;
    let detail = |(column, value): &(String, String)| match column.as_str() {
        "" => value.clone(),
        column => format!("{column} : {value}"),
    };
    // A section that is called like its topic says nothing more.
    let named = heading(Lang::French, topic).text.to_lowercase();
    let section = Some(&told.section).filter(|section| !named.starts_with(&section.to_lowercase())).cloned();
    let details: Vec<String> = section.into_iter().chain(told.details.iter().map(detail)).collect();
    let source = match line.is_named_only {
        true => {
            let details = within::details(lang, &record.documents[line.place].document, &device.time_zone);
            format!("{details} · {}", lang.pick("à ouvrir", "to be opened"))
        }
        false => source_words(lang, line.place, record, device),
    };
    let (text, details) = (french(&told.text), french(&details.join(" · ")));
    let label = [text.as_str(), details.as_str(), source.as_str()];
    let label = label.into_iter().filter(|part| !part.is_empty()).collect::<Vec<&str>>().join(", ");
    SummaryRow { look: SummaryLook::Line, text, details, source, label, act: Some(at) }
}

/// « Synthèse médicale · 02/09/2026 · Dr X »
fn source_words(lang: Lang, place: usize, record: &Record, device: &DeviceFacts) -> String {
    let document = &record.documents[place].document;
    format!("{} · {}", within::title(lang, document), within::details(lang, document, &device.time_zone))
}

fn source_row(lang: Lang, at: usize, source: &Source, record: &Record, device: &DeviceFacts) -> SummaryRow {
    let document = &record.documents[source.place].document;
    let (look, state) = match source.stands {
        Stands::Read => (SummaryLook::Source, String::new()),
        Stands::Unrecognised => (
            SummaryLook::SourceUnrecognised,
            say!(lang, "Rien n'y est reconnu : ouvrez-le.", "Nothing recognised in it: open it."),
        ),
        Stands::Failed(trouble) => {
            (SummaryLook::SourceFailed, say!(lang, "Non lu : {}", "Not read: {}", trouble.words_in(lang).happened))
        }
        // Never on this page.
        Stands::Waiting | Stands::Here(_) => (SummaryLook::SourceFailed, lang.pick("Non lu", "Not read").to_owned()),
    };
    let (text, details) = (within::title(lang, document), within::details(lang, document, &device.time_zone));
    let label = if state.is_empty() { format!("{text}, {details}") } else { format!("{text}, {details}, {state}") };
    SummaryRow { look, text, details, source: state, label, act: Some(at) }
}

/// How many documents the list shows of how many, and of which time.
pub(super) fn scope(lang: Lang, record: &Record) -> String {
    let (shown, all) = (record.shown().len(), record.documents.len());
    let of = |count: usize| {
        words::count(
            lang,
            u32::try_from(count).unwrap_or(u32::MAX),
            ["document", "documents"],
            ["document", "documents"],
        )
    };
    let what = if shown == all { of(all) } else { say!(lang, "{shown} sur {}", "{shown} of {}", of(all)) };
    let new = record.documents.iter().filter(|permitted| permitted.is_new).count();
    let new = match new {
        0 => String::new(),
        _ => {
            let new = u32::try_from(new).unwrap_or(u32::MAX);
            let new = words::count(lang, new, ["nouveau", "nouveaux"], ["new"; 2]);
            say!(lang, " · {new} depuis votre dernière visite, en tête", " · {new} since your last visit, first")
        }
    };
    say!(lang, "{what} des deux dernières années{new}", "{what} of the last two years{new}")
}
