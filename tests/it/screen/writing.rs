//! A note from its first letter to the outbox, one's own document changed, the tray, and the light in each state: by the real
//! machine and the real window.

use super::*;
use chevet::identity::holder::HolderId;
use chevet::journal::Pending;
use chevet::journal::Trace;
use chevet::journal::item::Deed;
use chevet::patient::ins::Patient;
use chevet::policy::Matrix;
use chevet::policy::facts::Cell as MatrixCell;
use chevet::policy::matrix::Column;
use chevet::record::document::Author;
use chevet::record::document::Label;
use chevet::record::document::TypeCode;
use chevet::record::note::Change;
use chevet::record::note::NoteDraft;
use chevet::time::Now;
use chevet::trouble::Trouble;
use chevet::visit::Visit;
use chevet::visit::event::Refused;
use chevet::visit::event::RefusedKind;
use chevet::visit::event::Waiting;
use chevet::visit::page::Rules;
use std::time::Duration;
use uuid::Uuid;

/// What this nurse may write, and what is not known.
fn matrix(rules: &mut Rules) {
    let row = |code: &str, cell| (TypeCode(code.into()), vec![cell, MatrixCell::Unknown]);
    let rows = vec![
        row("11505-5", MatrixCell::Yes),
        row("70004-7", MatrixCell::Yes),
        row("11488-4", MatrixCell::Unknown),
        row("34112-3", MatrixCell::No),
    ];
    rules.matrix = Matrix::new("26/10/2023".into(), vec![Column("60_69".into()), Column("10".into())], rows);
}

/// The list of a record; its first document is this nurse's own.
fn record_with_own() -> Visit {
    let mut own = document("11505-5", "Acte", "10", "LEFÈVRE-TEST Camille", "2026-11-22T10:00:00Z");
    let author = Author { id: Some("899700000001".into()), name: "LEFÈVRE-TEST Camille".into(), structure: None };
    own.document.authors = vec![author];
    let documents = std::iter::once(own).chain(documents()).collect();
    let page = Page::Record(Box::new(record(Room::Documents, documents)));
    visit_with(page, matrix)
}

#[track_caller]
fn touch(visit: Visit, touch: Touch) -> (Visit, Vec<Effect>) {
    visit.step(Event::Touched(touch), now())
}

fn draft_came(visit: Visit, effects: &[Effect], draft: NoteDraft) -> Visit {
    let [Effect::OpenDraft { ticket, .. }] = effects else { panic!("the desk is asked: {effects:?}") };
    visit.step(Event::DraftCame { ticket: *ticket, answer: Ok(draft) }, now()).0
}

#[test]
fn a_note_is_typed_saved_read_again_and_finished_under_its_writers_name() {
    let (window, mut touches) = window();
    draws(&window, "record-own", &record_with_own(), &["Écrire une note"]);
    sends(&window, &mut touches, "Écrire une note", Touch::WriteNote);
    let (asking, effects) = touch(record_with_own(), Touch::WriteNote);
    let id = Uuid::from_u128(7);
    let choosing = draft_came(asking, &effects, NoteDraft::new(id));
    draws(&window, "note-type", &choosing, &["Quel document écrivez-vous", "Compte rendu d’acte thérapeutique"]);
    let Body::Choice(page) = view(&choosing, now(), &device()).body else { panic!("types") };
    assert_eq!(page.lines.len(), 2, "what is denied or not known is not offered");

    let (typing, _) = touch(choosing, Touch::Choose(0));
    draws(&window, "note", &typing, &["Texte de la note", "Brouillon gardé"]);
    sent(&mut touches);
    for key in ["p", "Majuscule", "L", "espace", "Chiffres et signes", "7", "Effacer"] {
        press(&window, key);
    }
    assert!(sent(&mut touches).last() == Some(&Touch::NoteTyped("PL ".into())), "as the keys say");
    let (typing, effects) = touch(typing, Touch::NoteTyped("Pansement refait, plaie propre.\nTA 12/7.".into()));
    assert!(effects.is_empty(), "not at each letter");
    assert_eq!(typing.alarm(), Some(now().since_boot + Duration::from_secs(1)), "but soon");
    let later = Now { since_boot: now().since_boot + Duration::from_secs(1), ..now() };
    let (typing, effects) = typing.step(Event::Tick, later);
    assert!(
        matches!(&effects[..], [Effect::KeepDraft { draft, .. }] if draft.id == id && draft.text.ends_with("12/7."))
    );

    let (checking, _) = touch(typing, Touch::Confirm);
    draws(&window, "note-check", &checking, &["Relisez avant de déposer", "TA 12/7.", "identité est qualifiée"]);
    sends(&window, &mut touches, "Identité vérifiée\u{a0}: déposer", Touch::Yes);
    let (depositing, effects) = touch(checking, Touch::Yes);
    let [Effect::Contribute { ticket, row, id: named, contribution, .. }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!((*named, &row.holder, row.rule.as_str()), (Some(id), &contribution.author, "W-01"));
    assert_eq!(row.document.as_ref().map(|(document, _)| document), Some(&contribution.unique_id));
    let Deed::Add { note, cda } = &contribution.deed else { panic!("a document") };
    assert_eq!((note.writer.id.0.as_str(), note.type_code.0.as_str()), ("899700000001", "11505-5"));
    assert!(String::from_utf8_lossy(cda).contains("G15_60"));
    let (device, software, draft) = ("d".to_owned(), "s".to_owned(), (**row).clone());
    let trace = Trace { index: 2, id: Uuid::nil(), blind: [0; 32], boot: Uuid::nil(), device, software, draft };
    let committed = Pending::new(trace).committed();
    let (done, effects) = depositing.step(Event::Recorded { ticket: *ticket, answer: Ok(vec![committed]) }, now());
    assert!(matches!(effects[..], [Effect::Deliver { .. }]), "it leaves at once: {effects:?}");
    draws(&window, "note-done", &done, &["Note enregistrée"]);
}

#[test]
fn a_draft_is_taken_up_again_and_leaving_saves_it() {
    let (asking, effects) = touch(record_with_own(), Touch::WriteNote);
    let kept = NoteDraft {
        type_code: Some(TypeCode("70004-7".into())),
        text: "Commencé hier.".into(),
        ..NoteDraft::new(Uuid::from_u128(9))
    };
    let typing = draft_came(asking, &effects, kept);
    let Body::Note(page) = view(&typing, now(), &device()).body else { panic!("the sheet") };
    assert_eq!(page.begun, "Commencé hier.");
    let (typing, _) = touch(typing, Touch::NoteTyped("Commencé hier. Fini.".into()));
    for leaves in [Touch::Back, Touch::Quit] {
        let (again, effects) = touch(record_with_own(), Touch::WriteNote);
        let again = draft_came(again, &effects, NoteDraft { text: "x".into(), ..draft_of(&typing) });
        let (again, _) = touch(again, Touch::NoteTyped("y".into()));
        let (_, effects) = touch(again, leaves);
        assert!(matches!(&effects[..], [Effect::KeepDraft { draft, .. }] if draft.text == "y"), "{effects:?}");
    }
    // The card is out: nothing of it stays here, and the desk has it.
    let (out, effects) = typing.step(Event::CardOut, now());
    assert!(matches!((&out.page, &effects[..]), (Page::Idle, [Effect::Lock])));
}

fn draft_of(visit: &Visit) -> NoteDraft {
    let Page::Record(record) = &visit.page else { panic!("a record") };
    let Room::Writing(writing) = &record.room else { panic!("a note") };
    writing.draft.clone()
}

#[test]
fn an_own_document_is_changed_after_a_page_that_says_what_follows() {
    let (window, mut touches) = window();
    let with_labels = |labels: &[Label]| {
        let Page::Record(mut record) = record_with_own().page else { panic!("a record") };
        record.documents[0].document.labels.extend_from_slice(labels);
        let step = shown(narrative(), 0);
        let reader = chevet::visit::page::Reader { record: *record, place: 0, step, text_percent: 100, begin_at: 0 };
        visit_with(Page::Document(Box::new(reader)), matrix)
    };
    let managing = || with_labels(&[]);
    draws(&window, "document-own", &managing(), &["Gérer"]);
    sends(&window, &mut touches, "Gérer", Touch::Manage);
    let (choosing, _) = touch(managing(), Touch::Manage);
    draws(&window, "manage", &choosing, &["Remplacer", "Masquer aux professionnels", "Archiver", "Retirer du dossier"]);
    for (place, change, name) in [
        (1, Change::Mask, "manage-mask"),
        (2, Change::Archive, "manage-archive"),
        (3, Change::Withdraw, "manage-withdraw"),
    ] {
        let (choosing, _) = touch(managing(), Touch::Manage);
        let (asking, effects) = touch(choosing, Touch::Choose(place));
        assert!(effects.is_empty(), "nothing without a yes");
        draws(&window, name, &asking, &["Oui", "Revenir"]);
        let (_, effects) = touch(asking, Touch::Yes);
        let [Effect::Contribute { id: None, contribution, row, .. }] = &effects[..] else { panic!("{effects:?}") };
        assert!(matches!(&contribution.deed, Deed::Change { change: done, .. } if *done == change));
        assert_eq!(row.reason.as_deref(), Some(change.name()));
    }
    // What was kept from somebody can be shown to them, and only that.
    for (label, change, name) in [
        (Label::InvisibleToPatient, Change::RevealToPatient, "manage-reveal"),
        (Label::InvisibleToLegalRepresentatives, Change::RevealToRepresentatives, "manage-reveal-representatives"),
    ] {
        let (choosing, _) = touch(with_labels(&[label]), Touch::Manage);
        let Body::Choice(page) = view(&choosing, now(), &device()).body else { panic!("what can be done") };
        assert_eq!(page.lines.len(), 5, "{change:?}");
        let (asking, _) = touch(choosing, Touch::Choose(2));
        draws(&window, name, &asking, &["ne peut pas être repris", "Oui, le montrer"]);
        let (_, effects) = touch(asking, Touch::Yes);
        let [Effect::Contribute { contribution, .. }] = &effects[..] else { panic!("{effects:?}") };
        assert!(matches!(&contribution.deed, Deed::Change { change: done, .. } if *done == change));
    }
    let (choosing, _) = touch(managing(), Touch::Manage);
    let (asking, effects) = touch(choosing, Touch::Choose(0));
    let typing = draft_came(asking, &effects, NoteDraft::new(Uuid::from_u128(3)));
    let Body::Note(page) = view(&typing, now(), &device()).body else { panic!("the sheet") };
    assert!(page.title.starts_with("Nouvelle version"), "{}", page.title);
    // Somebody else's document offers nothing.
    let Page::Document(mut other) = managing().page else { panic!("a document") };
    other.place = 1;
    let Body::Reader(page) = view(&visit_with(Page::Document(other), matrix), now(), &device()).body else { panic!() };
    assert_eq!(page.manage, "");
}

fn refused(number: u128, kind: RefusedKind, code: &str, reason: &str) -> Refused {
    Refused {
        id: Uuid::from_u128(number),
        kind,
        since: at("2026-11-22T16:10:00Z"),
        code: code.into(),
        reason: reason.into(),
        note_by: None,
    }
}

#[test]
fn the_tray_says_what_was_refused_why_and_what_next() {
    let (window, mut touches) = window();
    let at_home = || {
        let mut visit = visit(home(false, None, round()));
        visit.standing.waiting = Some(Waiting { set_aside: 2, ..Waiting::default() });
        visit.standing.refused = vec![
            refused(1, RefusedKind::Contribution, "record-closed", "Le dossier est fermé."),
            refused(2, RefusedKind::Trace, "damaged-here", "Ce qui est enregistré ici ne peut plus être lu."),
        ];
        visit
    };
    draws(&window, "home-refused", &at_home(), &["2\u{a0}envois refusés", "À régler (2)"]);
    sends(&window, &mut touches, "À régler (2)", Touch::ShowTray);
    let (tray, _) = touch(at_home(), Touch::ShowTray);
    draws(&window, "tray", &tray, &["Le dossier est fermé.", "Vérifiez le dossier", "donnez ce numéro"]);
    sends(&window, &mut touches, "Renvoyer", Touch::SendAgain(0));
    let (tray, effects) = touch(tray, Touch::SendAgain(0));
    let first = Uuid::from_u128(1);
    assert!(matches!(effects[..], [Effect::SendAgain { id }, Effect::Deliver { .. }] if id == first), "{effects:?}");
    let (tray, effects) = touch(tray, Touch::SendAgain(7));
    assert!(effects.is_empty());
    let (tray, _) = tray.step(Event::RefusedAre(vec![]), now());
    draws(&window, "tray-empty", &tray, &["Rien à régler"]);
    let (home, _) = touch(tray, Touch::Back);
    assert!(matches!(&home.page, Page::Home(home) if !home.tray));
}

/// From « À régler » through the patient's gate to the sheet, and from there out in the refused one's place.
#[test]
fn a_refused_note_is_put_right_by_its_author_through_the_patients_gate() {
    let (window, mut touches) = window();
    let at_tray = |by: &str| {
        let mut visit = visit_with(home(false, None, round()), matrix);
        visit.standing.waiting = Some(Waiting { set_aside: 1, ..Waiting::default() });
        let mut item = refused(1, RefusedKind::Contribution, "too-long", "Trop long.");
        item.note_by = Some(HolderId(by.into()));
        visit.standing.refused = vec![item];
        touch(visit, Touch::ShowTray).0
    };
    draws(&window, "tray-correct", &at_tray("899700000001"), &["Trop long.", "Corriger"]);
    sends(&window, &mut touches, "Corriger", Touch::Correct(0));
    let (_, effects) = touch(at_tray("899700000002"), Touch::Correct(0));
    assert!(effects.is_empty(), "another's note: {effects:?}");

    let (asking, effects) = touch(at_tray("899700000001"), Touch::Correct(0));
    let refused = Uuid::from_u128(1);
    let [Effect::OpenRefused { ticket, id, .. }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(*id, refused);
    let ticket = *ticket;
    // A disk that does not answer ends at home, with a word.
    let (waited, _) = asking.step(Event::Tick, Now { since_boot: now().since_boot + Duration::from_secs(41), ..now() });
    assert!(matches!(&waited.page, Page::Home(home) if home.notice == Some(Trouble::StoreUnreadable) && !home.tray));
    let (gone, _) = at_tray_asked(&at_tray, Ok(None));
    assert!(matches!(&gone.page, Page::Home(home) if home.notice == Some(Trouble::NothingToCorrect)));
    let (late, effects) =
        touch(at_tray("899700000001"), Touch::Back).0.step(Event::RefusedOpened { ticket, answer: Ok(None) }, now());
    assert!(
        matches!(&late.page, Page::Home(home) if home.notice.is_none()) && effects.is_empty(),
        "an answer that comes late"
    );

    // The record opens by the gate, as any other.
    let (gate, effects) = at_tray_asked(&at_tray, Ok(Some(round()[0].patient.clone())));
    let [Effect::AskState { .. }] = &effects[..] else { panic!("by the gate: {effects:?}") };
    let Page::Gate(page) = &gate.page else { panic!("the gate") };
    assert_eq!(page.so_far.correcting, Some(refused));
}

type AtTray<'a> = &'a dyn Fn(&str) -> Visit;

fn at_tray_asked(at_tray: AtTray, answer: Result<Option<Patient>, Trouble>) -> (Visit, Vec<Effect>) {
    let (asking, effects) = touch(at_tray("899700000001"), Touch::Correct(0));
    let [Effect::OpenRefused { ticket, .. }] = &effects[..] else { panic!("{effects:?}") };
    asking.step(Event::RefusedOpened { ticket: *ticket, answer }, now())
}

/// The words of the refused note, changed, read again and deposited: under a name of its own, and saying what it stands for.
#[test]
fn what_was_put_right_names_what_it_stands_for() {
    let refused = Uuid::from_u128(1);
    let draft = NoteDraft {
        type_code: Some(TypeCode("11505-5".into())),
        text: "Trop long.".into(),
        corrects: Some(refused),
        ..NoteDraft::new(Uuid::from_u128(7))
    };
    let (asking, effects) = touch(record_with_own(), Touch::WriteNote);
    let typing = draft_came(asking, &effects, draft.clone());
    let (typing, _) = touch(typing, Touch::NoteTyped("Plus court.".into()));
    let (checking, effects) = touch(typing, Touch::Confirm);
    assert!(
        matches!(&effects[..], [Effect::KeepDraft { draft, .. }] if draft.corrects == Some(refused)),
        "{effects:?}"
    );
    let (_, effects) = touch(checking, Touch::Yes);
    let [Effect::Contribute { row, id, contribution, corrects, .. }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!((*id, *corrects), (Some(draft.id), Some(refused)));
    let reason = row.reason.as_deref().unwrap_or_default();
    assert!(reason.contains(&refused.to_string()), "the journal says which it was: {reason}");
    let Deed::Add { note, .. } = &contribution.deed else { panic!("a document") };
    assert!(note.text == "Plus court." && note.id == draft.id);
}

/// Green is one thing; "hors ligne" is none of red or amber.
#[test]
fn the_light_in_each_state() {
    let (window, _) = window();
    let oldest = Some(at("2026-11-23T05:30:00Z"));
    let states = [
        ("light-green", Waiting::default(), LinkState::Online, "Tout est transmis"),
        (
            "light-amber",
            Waiting { traces: 3, oldest, ..Waiting::default() },
            LinkState::Online,
            "3\u{a0}traces en attente",
        ),
        (
            "light-notes",
            Waiting { contributions: 1, oldest, ..Waiting::default() },
            LinkState::Offline,
            "1\u{a0}note en attente",
        ),
        ("light-red", Waiting { set_aside: 1, ..Waiting::default() }, LinkState::Online, "1\u{a0}envoi refusé"),
        ("light-offline", Waiting::default(), LinkState::Offline, "Hors ligne"),
    ];
    for (name, waiting, link, words) in states {
        for (page, place) in [(Page::Idle, "idle"), (home(false, None, round()), "home")] {
            let mut visit = visit(page);
            (visit.standing.waiting, visit.standing.link) = (Some(waiting), link);
            draws(&window, &format!("{name}-{place}"), &visit, &[words]);
        }
    }
}
