//! A round, prepared over that line, which goes while documents come.

use super::*;
use chevet::screen::view::Ahead;
use chevet::screen::view::AheadAct;
use chevet::screen::view::Body;
use chevet::visit::event::Touch;
use std::collections::BTreeSet;

#[test]
fn a_round_comes_whole_though_the_line_goes_away_for_minutes() {
    const ME: &str = "line::round::a_round_comes_whole_though_the_line_goes_away_for_minutes";
    with_card_for(CHILD, ME, "nurse", |_hands| {
        let count = size("CHEVET_LINE_PATIENTS", 6);
        let people = patients(count);
        let round = people.persons.iter().map(|person| person.patient.clone()).collect();
        over_a_bad_line(people, |line, server, stage| {
            before(&stage, async |vault| {
                for patient in (0..count).map(ins) {
                    let told = said(patient.clone(), Scope::Team("equipe".to_owned()));
                    vault.record(vec![row(0, patient)], vec![told]).await.expect("recorded");
                }
            });
            runtime().block_on(async {
                let mut kiosk = Person::with_round(&stage, &stage.settings, round).await.expect("a kiosk");
                kiosk.log_in().await;
                prepare(&mut kiosk, line, count).await;
                let home = kiosk.until("home", |body| matches!(body, Body::Home(_))).await;
                let Body::Home(home) = home else { panic!("home") };
                assert_eq!(home.summary, format!("{count}\u{a0}patients prêts sur {count}"));
                let here = format!("{DOCUMENTS}\u{a0}documents sur la borne");
                assert!(home.rows.iter().all(|row| row.details.contains(&here)), "{}", home.rows[0].details);
                let delivered = async {
                    while status(&stage).waiting.traces + status(&stage).waiting.consents > 0 {
                        tokio::time::sleep(Duration::from_millis(500)).await;
                    }
                };
                tokio::time::timeout(PATIENCE, delivered).await.expect("all of it is delivered");
            });
            arrived(server, count);
        });
    });
}

async fn prepare(kiosk: &mut Person, line: &Line, count: usize) {
    kiosk.touch(Touch::PrepareRound).await;
    let asked = |page: &Ahead| page.act == AheadAct::Start || page.notice.is_some();
    let page = ahead(kiosk, "what there is to fetch", asked).await;
    let all = format!("{}\u{a0}documents", count * DOCUMENTS);
    assert!(page.act == AheadAct::Start && page.summary.contains(&all), "{}", page.summary);
    kiosk.touch(Touch::Start).await;
    let first = ahead(kiosk, "a patient who is ready", |page| page.percent > 0 || page.act == AheadAct::GoOn).await;
    assert_eq!(first.act, AheadAct::Stop, "{}", first.summary);

    line.cut();
    // What had come is perhaps still being written.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let ready = shown(kiosk).percent;
    assert!(ready < 100, "it was over before the line went");
    let rest = GONE - Duration::from_secs(5);
    each_second(rest, async || assert_eq!(shown(kiosk).percent, ready, "ready, with nothing that came")).await;
    line.mend();

    // Whether it lived through that or stopped and said why: it goes on where it was.
    let mut gone_on = 0;
    loop {
        let done = |page: &Ahead| page.act == AheadAct::GoOn || page.percent == 100;
        let page = ahead(kiosk, "the end, or why not", done).await;
        if page.percent == 100 {
            break;
        }
        assert!(page.percent >= ready, "what was ready is not any more: {}", page.summary);
        let why = page.notice.map(|notice| notice.happened);
        gone_on += 1;
        assert!(gone_on < 10, "it does not come to an end: {why:?}");
        kiosk.touch(Touch::Start).await;
        ahead(kiosk, "that it goes on", |page| page.act == AheadAct::Stop || page.percent == 100).await;
    }
    kiosk.touch(Touch::Back).await;
}

/// Each document once, told as prepared and by whom.
fn arrived(server: &Running, count: usize) {
    let traces = server.received_traces();
    let prepared: Vec<&Value> = traces.iter().filter(|trace| trace.to_string().contains("\"prefetched\"")).collect();
    let documents: BTreeSet<&str> = prepared.iter().map(|trace| document(trace)).collect();
    assert_eq!((prepared.len(), documents.len()), (count * DOCUMENTS, count * DOCUMENTS), "once each");
    assert!(prepared.iter().all(|trace| holder(trace) == NURSE));
    for (who, rows) in by_patient(&traces) {
        assert!(rows.is_sorted(), "{who}: {rows:?}");
    }
}

fn document(trace: &Value) -> &str {
    let entities = trace["entity"].as_array().expect("entities");
    let one = entities.iter().find_map(|entity| {
        entity["what"]["identifier"]["value"].as_str().filter(|value| value.contains("1.2.250.1.213.1.4.10.98."))
    });
    one.expect("a document")
}

async fn ahead(kiosk: &mut Person, what: &str, there: impl Fn(&Ahead) -> bool) -> Ahead {
    let there = |body: &Body| matches!(body, Body::Ahead(page) if there(page)) || matches!(body, Body::Trouble(_));
    match kiosk.until_within(PATIENCE, what, there).await {
        Body::Ahead(page) => page,
        _ => panic!("no {what}, but a page that says why not"),
    }
}

fn shown(kiosk: &Person) -> Ahead {
    let Body::Ahead(page) = kiosk.shown() else { panic!("another page") };
    page
}
