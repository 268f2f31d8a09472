//! What the list is narrowed by: a page of facets, then a page of what there is to choose.

use crate::record::document::TypeCode;
use crate::record::filter::Facet;
use crate::record::filter::Filter;
use crate::record::filter::Period;
use crate::say;
use crate::say::Lang;
use crate::screen::labels;
use crate::screen::view::Bar;
use crate::screen::view::Choice;
use crate::screen::view::ChoiceLine;
use crate::screen::view::Tone;
use crate::screen::words;
use crate::screen::words::french;
use crate::visit::page::Record;

/// In the order in which `visit::filtering` takes the lines.
pub(super) fn page(lang: Lang, bar: Bar, record: &Record, facet: Option<Facet>) -> Choice {
    match facet {
        None => facets(lang, bar, &record.filter),
        Some(facet) => values(lang, bar, record, facet),
    }
}

fn facets(lang: Lang, bar: Bar, filter: &Filter) -> Choice {
    let line = |facet: &Facet| {
        let chosen = chosen(lang, *facet, filter);
        let tone = if chosen.is_some() { Tone::Care } else { Tone::Quiet };
        ChoiceLine { label: name(lang, *facet).to_owned(), hint: chosen.unwrap_or_else(|| all(lang, *facet)), tone }
    };
    let mut lines: Vec<ChoiceLine> = Facet::ALL.iter().map(line).collect();
    if *filter != Filter::default() {
        let hint = lang.pick("La liste entière, sans filtre", "The whole list, without a filter").to_owned();
        lines.push(ChoiceLine { label: lang.pick("Tout montrer", "Show all").to_owned(), hint, tone: Tone::Quiet });
    }
    let sentence =
        say!(lang, "Le filtre reste jusqu'à la fermeture du dossier.", "The filter stays until the record is closed.");
    Choice { bar, title: lang.pick("Filtrer les documents", "Filter the documents").to_owned(), sentence, lines }
}

fn values(lang: Lang, bar: Bar, record: &Record, facet: Facet) -> Choice {
    let quiet = |label: String, hint: String| ChoiceLine { label, hint, tone: Tone::Quiet };
    let mut lines = vec![quiet(all(lang, facet), String::new())];
    match facet {
        Facet::Period => {
            let period = |period: &Period| quiet(period_name(lang, *period).to_owned(), String::new());
            lines.extend(Period::ALL.iter().map(period));
        }
        _ => lines.extend(record.choices(facet).into_iter().map(|(value, count)| {
            let count = words::count(
                lang,
                u32::try_from(count).unwrap_or(u32::MAX),
                ["document", "documents"],
                ["document", "documents"],
            );
            quiet(value_name(lang, facet, &value), count)
        })),
    }
    Choice { bar, title: name(lang, facet).to_owned(), sentence: String::new(), lines }
}

/// What stands on the list's own button: « Filtrer », or what is chosen.
pub(super) fn button(lang: Lang, filter: &Filter) -> String {
    let chosen: Vec<String> = Facet::ALL.iter().filter_map(|facet| chosen(lang, *facet, filter)).collect();
    match chosen.as_slice() {
        [] => lang.pick("Filtrer", "Filter").to_owned(),
        [one] if one.chars().count() <= 18 => say!(lang, "Filtre : {one}", "Filter: {one}"),
        some => say!(lang, "Filtres : {}", "Filters: {}", some.len()),
    }
}

fn chosen(lang: Lang, facet: Facet, filter: &Filter) -> Option<String> {
    match facet {
        Facet::Kind => filter.kind.as_ref().map(|value| value_name(lang, facet, value)),
        Facet::Author => filter.author.clone(),
        Facet::Setting => filter.setting.clone(),
        Facet::Period => filter.period.map(|(period, _)| period_name(lang, period).to_owned()),
    }
}

fn value_name(lang: Lang, facet: Facet, value: &str) -> String {
    match facet {
        Facet::Kind => french(labels::document_type(lang, &TypeCode(value.to_owned()))),
        _ => value.to_owned(),
    }
}

fn name(lang: Lang, facet: Facet) -> &'static str {
    match facet {
        Facet::Kind => lang.pick("Type de document", "Kind of document"),
        Facet::Period => "Date",
        Facet::Author => lang.pick("Auteur", "Author"),
        Facet::Setting => lang.pick("Lieu de soins", "Place of care"),
    }
}

fn all(lang: Lang, facet: Facet) -> String {
    let all = match facet {
        Facet::Kind => lang.pick("Tous les types", "All kinds"),
        Facet::Period => lang.pick("Toutes les dates", "All dates"),
        Facet::Author => lang.pick("Tous les auteurs", "All authors"),
        Facet::Setting => lang.pick("Tous les lieux", "All places"),
    };
    all.to_owned()
}

fn period_name(lang: Lang, period: Period) -> &'static str {
    match period {
        Period::Week => lang.pick("7 derniers jours", "Last 7 days"),
        Period::Month => lang.pick("Dernier mois", "Last month"),
        Period::SixMonths => lang.pick("6 derniers mois", "Last 6 months"),
        Period::Year => lang.pick("Dernière année", "Last year"),
    }
}
