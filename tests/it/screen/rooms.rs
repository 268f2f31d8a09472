//! The rooms beside the list: the summary, what narrows the list, who the record is about, what is managed.

use super::*;
use chevet::record::filter::Facet;
use chevet::record::filter::Filter;
use chevet::record::filter::Period;
use chevet::record::summary::Topic;
use chevet::screen::view::SummaryLook;
use chevet::screen::view::SummaryRow;
use chevet::visit::Visit;
use chevet::visit::page::Record;
use chevet::visit::page::summary::Gathering;
use chevet::visit::page::summary::GatheringStep;
use chevet::visit::page::summary::Stands;
use chevet::visit::page::summary::Summary;
use std::sync::Arc;

fn summed_up(summary: Summary) -> Visit {
    let record = Record { summary: Some(Arc::new(summary)), ..record(Room::Summary, documents()) };
    visit(Page::Record(Box::new(record)))
}

fn rows(visit: &Visit) -> Vec<SummaryRow> {
    match seen(visit).body {
        Body::Summary(page) => page.rows,
        _ => panic!("another page"),
    }
}

fn headings(visit: &Visit) -> Vec<String> {
    let rows = rows(visit);
    rows.into_iter().filter(|row| row.look == SummaryLook::Heading).map(|row| row.text).collect()
}

/// What a chip counts is what a touch on it would show, whatever else the list is narrowed by.
#[test]
fn chips_count_what_they_would_show() {
    let narrowed = |class: Option<&str>| {
        let mut record = record(Room::Documents, documents());
        record.filter =
            Filter { author: Some("Dr Traitant Test".into()), class: class.map(str::to_owned), ..Filter::default() };
        let Body::Documents(page) = seen(&visit(Page::Record(Box::new(record)))).body else { panic!("a list") };
        (page.chips.into_iter().map(|chip| chip.label).collect::<Vec<_>>(), page.rows.len())
    };
    let (chips, rows) = narrowed(None);
    assert_eq!((chips.len(), rows), (3, 2), "{chips:?}");
    assert!(chips[1..].iter().all(|label| label.ends_with(" 1")), "{chips:?}");
    let (chips, rows) = narrowed(Some("10"));
    assert!(chips.iter().any(|label| label.ends_with(" 0")), "what is chosen stays to be seen: {chips:?}");
    assert_eq!(rows, 0);
}

#[test]
fn the_summary_names_the_document_of_each_line_and_opens_it() {
    let (window, mut touches) = window();
    show(&window, &visit(listed(None)));
    sends(&window, &mut touches, "Résumé", Touch::ShowSummary);
    let source = "Synthèse médicale · 02/09/2026 · Dr Traitant Test";
    let allergy = format!(
        "Pénicilline, Allergies et hypersensibilités · Date\u{a0}: 03/06/2018 · Type d’allergie\u{a0}: Allergie \
         médicamenteuse, {source}"
    );
    let page = summed_up(summary());
    draws(&window, "summary", &page, &["Allergies", &allergy, "Amlodipine 5 mg", "4\u{a0}documents"]);
    assert_eq!(
        headings(&page),
        ["Allergies", "Traitements", "Antécédents", "Volontés du patient", "Contacts", "Documents lus pour ce résumé"]
    );
    for row in rows(&page).iter().filter(|row| row.look == SummaryLook::Line) {
        assert!(row.source.contains("2026"), "a line without its document: {}", row.text);
    }
    sends(&window, &mut touches, &allergy, Touch::OpenDocument(0));
    sends(&window, &mut touches, "Pourquoi\u{a0}?", Touch::Why);
    sends(&window, &mut touches, "Documents", Touch::Back);
    let mut night = page;
    night.standing.looks.light = Light::Night;
    draws(&window, "summary-night", &night, &["Allergies"]);
}

/// What was not read is named with its reason; nothing is taken for an answer that nobody gave.
#[test]
fn what_is_missing_from_the_summary_is_said() {
    let (window, _touches) = window();
    let page = summed_up(summary());
    let failed = rows(&page).into_iter().find(|row| row.look == SummaryLook::SourceFailed).expect("one was not read");
    assert!(failed.source.starts_with("Non lu\u{a0}: La borne n’atteint pas"), "{}", failed.source);

    // Read, and silent about allergies: said, for that is not the same as none.
    let mut silent = summary();
    silent.lines.retain(|line| line.line.topic != Topic::Allergies);
    let silent = summed_up(silent);
    assert_eq!(headings(&silent)[0], "Allergies");
    assert_eq!(rows(&silent)[1].text, "Rien n’en est reconnu dans les documents lus.");
    draws(&window, "summary-silent", &silent, &["Rien n’en est reconnu dans les documents lus."]);

    // Not read: then the page does not claim that documents are silent.
    let mut unread = summary();
    unread.lines.clear();
    unread.sources.iter_mut().for_each(|source| source.stands = Stands::Failed(Trouble::Offline));
    let unread = summed_up(unread);
    assert_eq!(rows(&unread)[0].text, "La synthèse médicale n’a pas pu être résumée.");
    assert_eq!(headings(&unread), ["Documents lus pour ce résumé"]);

    let none = summed_up(Summary { lines: vec![], sources: vec![], has_synthesis: false });
    draws(&window, "summary-none", &none, &["Aucune synthèse médicale (VSM) ne vous est ouverte dans ce dossier."]);

    let gathering = |step| {
        let (ticket, until) = (Ticket(1), LATER);
        visit(room(Room::Gathering(Box::new(Gathering { sources: summary().sources, step, ticket, until }))))
    };
    draws(&window, "summary-wait", &gathering(GatheringStep::Fetching(1)), &["Document 2 sur 2\u{a0}: il arrive."]);
    draws(&window, "summary-trace", &gathering(GatheringStep::Recording), &["inscrite dans l’historique"]);
    let failed = visit(room(Room::SummaryFailed { trouble: Trouble::TraceNotWritten }));
    draws(&window, "summary-failed", &failed, &["La trace de cet accès"]);
}

fn narrowed(filter: Filter) -> Visit {
    let mut documents = documents();
    documents[1].document.authors[0].structure = Some("Hôpital Test".into());
    visit(Page::Record(Box::new(Record { filter, ..record(Room::Documents, documents) })))
}

fn titles(visit: &Visit) -> Vec<String> {
    match seen(visit).body {
        Body::Documents(list) => list.rows.into_iter().map(|row| row.details).collect(),
        _ => panic!("a list"),
    }
}

#[test]
fn the_list_is_narrowed_by_type_date_author_and_setting() {
    let (window, mut touches) = window();
    show(&window, &narrowed(Filter::default()));
    sends(&window, &mut touches, "Filtrer", Touch::Filter);
    draws(&window, "filter", &visit(room(Room::Filtering { facet: None })), &["Type de document", "Lieu de soins"]);
    sends(&window, &mut touches, "Auteur", Touch::Choose(2));

    // A touch of each line of each page, and the list that it leaves.
    let chosen = |facet: Facet, line: usize| {
        let (page, _) = narrowed(Filter::default()).step(Event::Touched(Touch::Filter), now());
        let place = Facet::ALL.iter().position(|one| *one == facet).expect("a facet");
        let (page, _) = page.step(Event::Touched(Touch::Choose(place)), now());
        let Body::Choice(choice) = seen(&page).body else { panic!("choices") };
        let (page, effects) = page.step(Event::Touched(Touch::Choose(line)), now());
        assert!(effects.is_empty());
        (choice.lines[line].label.clone(), page)
    };
    let (doctor, page) = chosen(Facet::Author, 1);
    assert_eq!((doctor.as_str(), titles(&page).len()), ("Dr Traitant Test", 2), "the one with the most comes first");
    assert!(titles(&page).iter().all(|title| title.ends_with("Dr Traitant Test")));
    let (hospital, page) = chosen(Facet::Setting, 1);
    assert_eq!((hospital.as_str(), titles(&page).len()), ("Hôpital Test", 1));
    let (kind, page) = chosen(Facet::Kind, 1);
    assert_eq!(titles(&page).len(), 1, "{kind}");
    let month = 1 + Period::ALL.iter().position(|one| *one == Period::Month).expect("a month");
    let (name, page) = chosen(Facet::Period, month);
    assert_eq!((name.as_str(), titles(&page).len()), ("Dernier mois", 3));
    let Body::Documents(list) = seen(&page).body else { panic!("a list") };
    assert_eq!(list.scope, "3 sur 6\u{a0}documents des deux dernières années");
    draws(&window, "documents-narrowed", &page, &["Filtre\u{a0}: Dernier mois", "3 sur 6"]);

    // Another room and a document later it is still chosen; and it can be undone.
    let (page, _) = page.step(Event::Touched(Touch::ShowPatient), now());
    let (page, _) = page.step(Event::Touched(Touch::ShowDocuments), now());
    assert_eq!(titles(&page).len(), 3);
    let (page, _) = page.step(Event::Touched(Touch::OpenDocument(1)), now());
    let (page, _) = page.step(Event::Touched(Touch::Back), now());
    assert_eq!(titles(&page).len(), 3, "it is kept while a document is read");
    let (page, _) = page.step(Event::Touched(Touch::Filter), now());
    let (page, _) = page.step(Event::Touched(Touch::Choose(Facet::ALL.len())), now());
    assert_eq!(titles(&page).len(), 6);

    let nothing = narrowed(Filter { author: Some("Dr Personne".into()), ..Filter::default() });
    draws(&window, "documents-none-left", &nothing, &["Aucun document ne passe ce filtre."]);
}

#[test]
fn what_is_new_is_told_apart_from_what_was_never_read() {
    let mut list = documents();
    (list[0].opened, list[0].is_new) = (false, true);
    list[1].opened = false;
    let page = visit(Page::Record(Box::new(record(Room::Documents, list))));
    let titles = titles(&page);
    assert!(titles[0].starts_with("Nouveau · ") && titles[1].starts_with("Non lu · "), "{titles:?}");
    let Body::Documents(list) = seen(&page).body else { panic!("a list") };
    assert!(list.scope.ends_with("1\u{a0}nouveau depuis votre dernière visite, en tête"), "{}", list.scope);
}

#[test]
fn the_patient_is_who_was_identified_here() {
    let (window, mut touches) = window();
    show(&window, &visit(listed(None)));
    sends(&window, &mut touches, "Informations patient", Touch::ShowPatient);
    let told = [
        "Patiente-Une",
        "ODETTE MARIE",
        "15/06/1953",
        "2\u{a0}79\u{a0}03\u{a0}51\u{a0}215\u{a0}189\u{a0}89",
        "Pas vous",
    ];
    draws(&window, "patient", &visit(room(Room::Patient)), &told);
}

#[test]
fn what_this_access_rests_on_stands_above_what_was_said() {
    let (window, mut touches) = window();
    show(&window, &visit(listed(None)));
    sends(&window, &mut touches, "Gestion", Touch::ShowAgreements);
    let told = ["Valable, sans date de fin", "1\u{a0}non visible par le patient", "Le patient retire son accord"];
    draws(&window, "agreements", &visit(room(Room::Agreements)), &told);
    sends(&window, &mut touches, "Le patient retire son accord", Touch::Withdraw);
}
