//! The summary on real parts: fetched, accounted for, read by real workers; then again from the compartment alone. And how few
//! touches a document is away.

use super::*;
use chevet::screen::view::SummaryLook;
use chevet::screen::view::SummaryRow;

fn is_summary(body: &Body) -> bool {
    matches!(body, Body::Summary(_))
}

/// How many rows of this class the journal holds.
fn rows_of(stage: &Stage, class: &str) -> usize {
    let mut out = Vec::new();
    Look::open(&stage.state, None).expect("a look").export(&mut out).expect("exported");
    String::from_utf8(out).expect("text").matches(&format!("\"class\":\"{class}\"")).count()
}

#[test]
fn a_doctor_reads_the_summary_with_and_without_a_network() {
    with_card("kiosk::rooms::a_doctor_reads_the_summary_with_and_without_a_network", "doctor", |_| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let mut stage = stage(folder.path());
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            kiosk.log_in().await;
            kiosk.open_record_of(0).await;
            kiosk.touch(Touch::ShowSummary).await;
            let Body::Summary(page) = kiosk.until("the summary", is_summary).await else { panic!("no summary") };
            let read = |look| page.rows.iter().filter(|row| row.look == look).count();
            assert!(read(SummaryLook::Line) > 3 && read(SummaryLook::Source) > 0, "nothing was summed up");
            let unread = |row: &&SummaryRow| row.look == SummaryLook::SourceFailed;
            let failed: Vec<_> = page.rows.iter().filter(unread).map(|row| (&row.label, &row.text)).collect();
            assert!(failed.is_empty(), "{failed:?}");
            let told = |what: &str| page.rows.iter().any(|row| row.label.contains(what));
            assert!(told("Pénicilline"), "an allergy");
            let is_synthesis = |row: &SummaryRow| row.look == SummaryLook::Source && row.text == "Synthèse médicale";
            let warned = usize::from(!page.rows.iter().any(is_synthesis));
            assert_eq!(read(SummaryLook::Care), warned, "warned of exactly where no synthesis was read");
            // One row for each document, and no other reading.
            let rows = rows_of(&stage, "summary");
            let accounted = page.rows.iter().filter(|row| row.look.was_read()).count();
            assert_eq!((rows, rows_of(&stage, "opened")), (accounted, 0));

            // Seen again while the record is open, it is not accounted for again.
            kiosk.touch(Touch::ShowDocuments).await;
            kiosk.until("the list", |body| matches!(body, Body::Documents(_))).await;
            kiosk.touch(Touch::ShowSummary).await;
            kiosk.until("the summary", is_summary).await;
            assert_eq!(rows_of(&stage, "summary"), rows);

            // A line leads to its document, under a row of its own; back is the summary.
            kiosk.touch(Touch::OpenDocument(0)).await;
            kiosk.until("a document", |body| matches!(body, Body::Reader(page) if page.reading.is_some())).await;
            assert_eq!(rows_of(&stage, "opened"), 1);
            kiosk.touch(Touch::Back).await;
            kiosk.until("the summary", is_summary).await;

            // Another visit to the record, without a network: the same lines, from what is kept, under new rows.
            stage.stop_dmp();
            kiosk.touch(Touch::Quit).await;
            kiosk.until("home", |body| matches!(body, Body::Home(_))).await;
            kiosk.open_record_of(0).await;
            kiosk.touch(Touch::ShowSummary).await;
            let Body::Summary(offline) = kiosk.until("the summary", is_summary).await else { panic!("no summary") };
            let texts = |rows: &[SummaryRow]| -> Vec<String> { rows.iter().map(|row| row.text.clone()).collect() };
            assert_eq!(texts(&offline.rows), texts(&page.rows));
            assert_eq!(rows_of(&stage, "summary"), 2 * rows);
        });
    });
}

/// Issue 7: a visit of one document is at most six touches after the PIN, also where the patient has to be asked and the holder
/// to be told what a consultation entails.
#[test]
fn a_document_is_at_most_six_touches_away() {
    with_card("kiosk::rooms::a_document_is_at_most_six_touches_away", "nurse", |_| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let stage = stage(folder.path());
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            kiosk.type_pin().await;
            kiosk.touch(Touch::Confirm).await;
            let mut touches = 0;
            loop {
                let waits = |body: &Body| {
                    matches!(body, Body::Duty(_) | Body::Consent(_) | Body::Documents(_) | Body::Reader(_))
                        || matches!(body, Body::Home(home) if home.rows.len() > 1)
                        || matches!(body, Body::Gate(gate) if gate.act != GateAct::None)
                };
                let page = kiosk.until("a page that asks for a touch", waits).await;
                let touch = match &page {
                    Body::Duty(_) => Touch::Understood,
                    // Nobody was asked about the second patient.
                    Body::Home(_) => Touch::OpenPatient(1),
                    Body::Gate(gate) if gate.act == GateAct::AskConsent => Touch::AskConsent,
                    Body::Gate(_) => Touch::OpenRecord,
                    Body::Consent(_) => Touch::Yes,
                    Body::Documents(_) => Touch::OpenDocument(0),
                    _ => break,
                };
                kiosk.touch(touch).await;
                touches += 1;
                assert!(touches <= 6, "too many touches");
                let left = std::mem::discriminant(&page);
                kiosk.until("another page", |body| std::mem::discriminant(body) != left).await;
            }
            kiosk.until("a document", |body| matches!(body, Body::Reader(page) if page.reading.is_some())).await;
            assert_eq!(touches, 5, "told, patient, question, yes, document");
        });
    });
}
