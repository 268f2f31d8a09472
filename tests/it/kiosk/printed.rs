//! Onto paper, on real parts: what comes out of the printer has its row, says what was on the screen, and stops with the card.

use crate::desk::with_card;
use crate::paper::Printout;
use crate::person::Person;
use crate::person::runtime;
use crate::person::stage;
use crate::vault::faults;
use chevet::journal::receipt::Receipt;
use chevet::sandbox::printer::Job;
use chevet::sandbox::stage::Stage;
use chevet::screen::view::Body;
use chevet::trouble::Trouble;
use chevet::vault::Look;
use chevet::visit::event::Touch;
use std::collections::BTreeSet;
use std::time::Duration;
use std::time::Instant;

/// Rows of that class in the journal.
fn rows(stage: &Stage, class: &str) -> usize {
    let mut out = Vec::new();
    Look::open(&stage.state, None).expect("a look").export(&mut out).expect("exported");
    String::from_utf8(out).expect("text").matches(&format!("\"class\":\"{class}\"")).count()
}

fn is_over(body: &Body) -> bool {
    matches!(body, Body::Print(page) if page.is_over)
}

fn is_read(body: &Body) -> bool {
    matches!(body, Body::Reader(page) if page.reading.is_some())
}

/// Every document of the first patient's list, by its words on the screen.
async fn open_each(kiosk: &mut Person, mut with: impl AsyncFnMut(&mut Person, String)) {
    let Body::Documents(list) = kiosk.until("the list", |body| matches!(body, Body::Documents(_))).await else {
        panic!("no list")
    };
    for place in 0..list.rows.len() {
        kiosk.touch(Touch::OpenDocument(place)).await;
        let Body::Reader(page) = kiosk.until("a document", is_read).await else { panic!("no document") };
        let words = page.reading.map(|reading| reading.words()).unwrap_or_default();
        with(kiosk, words).await;
        kiosk.until("the document again", is_read).await;
        kiosk.touch(Touch::Back).await;
        kiosk.until("the list", |body| matches!(body, Body::Documents(_))).await;
    }
}

#[test]
fn what_is_read_history_and_receipt_come_on_paper_each_under_its_row() {
    with_card("kiosk::printed::what_is_read_history_and_receipt_come_on_paper_each_under_its_row", "nurse", |_| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let stage = stage(folder.path());
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            kiosk.log_in().await;
            kiosk.open_record_of(0).await;
            let name = |body: &Body| matches!(body, Body::Documents(page) if !page.bar.name.is_empty());
            let Body::Documents(list) = kiosk.until("the list", name).await else { panic!("no list") };
            let whose = list.bar.name;
            let mut printed = 0;
            open_each(&mut kiosk, async |kiosk: &mut Person, words: String| {
                let before = stage.printer.jobs().len();
                kiosk.touch(Touch::Print).await;
                let Body::Print(page) = kiosk.until("what became of it", is_over).await else { panic!("no page") };
                assert_eq!(page.title, "C’est imprimé", "{:?}", page.notice.map(|notice| notice.happened));
                let jobs = stage.printer.jobs();
                assert_eq!(jobs.len(), before + 1);
                printed += 1;
                let sheet = Printout::new(&jobs[before].document).words();
                assert!(sheet.contains(&whose), "{whose} is on no page: {sheet}");
                let on_paper: BTreeSet<String> = letters(&Printout::new(&jobs[before].document).words());
                let lacking: Vec<String> = letters(&words).difference(&on_paper).cloned().collect();
                assert!(lacking.is_empty(), "not on paper: {lacking:?}");
                kiosk.touch(Touch::Understood).await;
            })
            .await;
            assert!(printed > 3, "documents of several kinds: {printed}");
            assert_eq!(rows(&stage, "printed"), printed);

            kiosk.touch(Touch::ShowHistory).await;
            let filled = |body: &Body| matches!(body, Body::History(page) if !page.rows.is_empty());
            let Body::History(page) = kiosk.until("the history", filled).await else { panic!("no history") };
            kiosk.touch(Touch::Print).await;
            let Body::Print(over) = kiosk.until("what became of it", is_over).await else { panic!("no page") };
            assert_eq!(over.title, "C’est imprimé", "{:?}", over.notice.map(|notice| notice.happened));
            let sheet = last(&stage).words();
            for line in &page.rows {
                assert!(sheet.contains(line.author.as_str()), "{}: {sheet}", line.author);
            }
            kiosk.touch(Touch::Understood).await;
            kiosk.until("the history", filled).await;

            kiosk.touch(Touch::ShowReceipt).await;
            kiosk.until("a receipt", |body| matches!(body, Body::Receipt(_))).await;
            kiosk.touch(Touch::Print).await;
            kiosk.until("what became of it", is_over).await;
            let printout = last(&stage);
            assert!(printout.words().contains("REÇU D’ACCÈS"), "{}", printout.words());
            let receipt = Receipt::read(&code_of(&printout)).expect("a receipt");
            let key = Look::open(&stage.state, None).expect("a look").status().expect("a status").device_key;
            let key = chevet::journal::note::VerifyingKey::parse(&key).expect("a key");
            receipt.verify(&key).expect("proven from paper");

            assert_eq!(rows(&stage, "printed"), printed + 2);
            let nameless = |job: &Job| job.name == "Chevet" && job.user == "chevet";
            assert!(stage.printer.jobs().iter().all(nameless), "no job is anybody's");
            // What a journal says of it goes upstream like any other row.
            let until = Instant::now() + Duration::from_secs(20);
            let arrived =
                || stage.received_traces().iter().filter(|trace| trace.to_string().contains("printed")).count();
            while arrived() < printed + 2 && Instant::now() < until {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            assert_eq!(arrived(), printed + 2);
        });
    });
}

/// P1 and P3 at the printer.
#[test]
fn without_its_row_nothing_is_printed_and_with_the_card_gone_nothing_more() {
    with_card(
        "kiosk::printed::without_its_row_nothing_is_printed_and_with_the_card_gone_nothing_more",
        "nurse",
        |hands| {
            runtime().block_on(async {
                let folder = tempfile::tempdir().expect("a folder");
                let stage = stage(folder.path());
                let mut kiosk = Person::before(&stage, &stage.settings).await;
                kiosk.log_in().await;
                kiosk.open_record_of(0).await;
                kiosk.touch(Touch::OpenDocument(0)).await;
                kiosk.until("a document", is_read).await;

                stage.printer.stand_still(Some("media-empty-error"));
                kiosk.touch(Touch::Print).await;
                let Body::Print(page) = kiosk.until("why not", is_over).await else { panic!("no page") };
                let words = Trouble::PrinterNoPaper.words();
                assert_eq!(page.notice.expect("a reason").happened, words.happened);
                kiosk.touch(Touch::Understood).await;
                kiosk.until("the document again", is_read).await;
                stage.printer.stand_still(None);
                assert_eq!(stage.printer.jobs().len(), 0);

                // A printer that wakes up slowly, and a card that goes meanwhile.
                stage.printer.takes_its_time(Some(Duration::from_secs(2)));
                kiosk.touch(Touch::Print).await;
                let until = Instant::now() + Duration::from_secs(20);
                while stage.printer.arriving() == 0 && Instant::now() < until {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                assert!(stage.printer.arriving() > 0, "it is asked what it takes");
                hands.pull();
                kiosk.until("a blank page", |body| matches!(body, Body::Idle(_))).await;
                stage.printer.takes_its_time(None);
                tokio::time::sleep(Duration::from_secs(4)).await;
                assert_eq!(stage.printer.jobs().len(), 0, "what was not sent is sent no more");

                hands.insert("nurse");
                kiosk.log_in().await;
                kiosk.open_record_of(0).await;
                kiosk.touch(Touch::OpenDocument(0)).await;
                kiosk.until("a document", is_read).await;
                let sync_fails = faults::FAULTS.iter().find(|fault| fault.name == "sync-fails").expect("one of them");
                faults::fail(*sync_fails);
                kiosk.touch(Touch::Print).await;
                let Body::Print(page) = kiosk.until("why not", is_over).await else { panic!("no page") };
                assert_eq!(page.notice.expect("a reason").happened, Trouble::TraceNotWritten.words().happened);
                assert_eq!(stage.printer.jobs().len(), 0, "paper without a trace");
            });
        },
    );
}

/// What lies in the printer is taken back: by « Arrêter », and when it stops, so that nothing comes out once somebody mends it.
#[test]
fn a_job_in_the_printer_is_taken_back() {
    with_card("kiosk::printed::a_job_in_the_printer_is_taken_back", "nurse", |_| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let stage = stage(folder.path());
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            kiosk.log_in().await;
            kiosk.open_record_of(0).await;
            kiosk.touch(Touch::OpenDocument(0)).await;
            kiosk.until("a document", is_read).await;
            stage.printer.holds(true);

            kiosk.touch(Touch::Print).await;
            jobs(&stage, 1, |job| !job.cancelled).await;
            // The answer with its number is on its way to the kiosk.
            tokio::time::sleep(Duration::from_secs(1)).await;
            kiosk.touch(Touch::Stop).await;
            kiosk.until("the document again", is_read).await;
            jobs(&stage, 1, |job| job.cancelled).await;

            // « Quitter » asks for other things at once: it is taken back all the same.
            kiosk.touch(Touch::Print).await;
            jobs(&stage, 2, |job| !job.cancelled).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            kiosk.touch(Touch::Quit).await;
            kiosk.until("home", |body| matches!(body, Body::Home(_))).await;
            jobs(&stage, 2, |job| job.cancelled).await;

            kiosk.open_record_of(0).await;
            kiosk.touch(Touch::OpenDocument(0)).await;
            kiosk.until("a document", is_read).await;
            kiosk.touch(Touch::Print).await;
            jobs(&stage, 3, |job| !job.cancelled).await;
            stage.printer.stand_still(Some("media-jam-error"));
            let Body::Print(page) = kiosk.until("why not", is_over).await else { panic!("no page") };
            assert_eq!(page.notice.expect("a reason").happened, Trouble::PrinterJammed.words().happened);
            jobs(&stage, 3, |job| job.cancelled).await;
            kiosk.touch(Touch::Understood).await;
            kiosk.until("the document again", is_read).await;

            // What it does not give back may still come out: nobody is told to print it again.
            stage.printer.stand_still(None);
            stage.printer.keeps(true);
            kiosk.touch(Touch::Print).await;
            jobs(&stage, 4, |job| !job.cancelled).await;
            stage.printer.stand_still(Some("media-jam-error"));
            let Body::Print(page) = kiosk.until("why not", is_over).await else { panic!("no page") };
            assert_eq!(page.title, "L’impression n’est pas confirmée");
            assert_eq!(page.notice.expect("a reason").happened, Trouble::PrinterUnsure.words().happened);
        });
    });
}

/// Waits until there are so many jobs, and the last one is as wanted.
async fn jobs(stage: &Stage, count: usize, wanted: impl Fn(&Job) -> bool) {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let jobs = stage.printer.jobs();
        if jobs.len() == count && jobs.last().is_some_and(&wanted) {
            return;
        }
        assert!(Instant::now() < until, "{} jobs", jobs.len());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn last(stage: &Stage) -> Printout {
    Printout::new(&stage.printer.jobs().last().expect("a job").document)
}

/// Words of more than three letters, as either side may break or join the others.
fn letters(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_alphabetic()).filter(|word| word.chars().count() > 3);
    // Our font has the Greek letter for both.
    words.map(|word| word.replace('µ', "μ")).collect()
}

fn code_of(printout: &Printout) -> Vec<u8> {
    let picture = printout.picture(1, 300);
    let grey = |x: usize, y: usize| picture.get_pixel(x as u32, y as u32).0[0];
    let mut seen =
        rqrr::PreparedImage::prepare_from_greyscale(picture.width() as usize, picture.height() as usize, grey);
    let mut out = Vec::new();
    seen.detect_grids().first().expect("a code").decode_to(&mut out).expect("read");
    out
}
