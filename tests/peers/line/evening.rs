//! An evening's delivery: it was written down offline, leaves with the nurse's card in, and the line goes in the middle of it.

use super::*;
use crate::person::text_of;
use chevet::sandbox::drawer::Drawer;
use chevet::screen::view::Body;
use chevet::screen::view::Tone;
use std::collections::BTreeSet;

#[test]
fn an_evening_is_delivered_once_and_in_order_and_the_light_tells_the_truth_meanwhile() {
    const ME: &str = "line::evening::an_evening_is_delivered_once_and_in_order_and_the_light_tells_the_truth_meanwhile";
    with_card_for(CHILD, ME, "nurse", |_hands| {
        let rows = size("CHEVET_LINE_ROWS", 1_500);
        let people = patients(PATIENTS);
        let round = people.persons.iter().map(|person| person.patient.clone()).collect();
        over_a_bad_line(people, |line, server, stage| {
            line.cut();
            before(&stage, async |vault| {
                let all: Vec<Draft> = (0..rows).map(|number| row(number, ins(number % PATIENTS))).collect();
                for some in all.chunks(500) {
                    vault.record(some.to_vec(), Vec::new()).await.expect("recorded");
                }
                let told = (0..PATIENTS).flat_map(|patient| {
                    [Scope::Team("equipe".to_owned()), Scope::Authorization].map(|scope| said(ins(patient), scope))
                });
                vault.record(vec![row(0, ins(0))], told.collect()).await.expect("recorded");
            });
            runtime().block_on(async {
                let mut kiosk = Person::with_round(&stage, &stage.settings, round).await.expect("a kiosk");
                kiosk.log_in().await;
                let evening = Evening { server, stage: &stage };
                let all = status(&stage).waiting;
                assert!(all.traces as usize > rows && all.consents as usize == 2 * PATIENTS, "{all:?}");
                evening.says_what_waits(&kiosk).await;

                line.mend();
                // Both lanes have begun, and neither has ended.
                let begun = || {
                    let left = status(&stage).waiting;
                    left.traces < all.traces && left.consents < all.consents
                };
                let waiting = || format!("{:?}", status(&stage).waiting);
                until(PATIENCE, "beginning", waiting, begun).await;
                line.cut();
                let left = status(&stage).waiting;
                assert!(left.traces > 0 && left.consents > 0, "it was over before the line went: {left:?}");
                evening.says_what_waits(&kiosk).await;
                let there = server.received_traces().len();
                each_second(GONE, async || evening.tells_the_truth(&kiosk, true)).await;
                assert_eq!(server.received_traces().len(), there, "the line was not gone");
                evening.says_what_waits(&kiosk).await;
                let home = kiosk.shown();
                assert!(pills(&home).iter().any(|(text, _)| text == "Hors ligne"), "{:?}", pills(&home));
                let said = sync_status(&stage);
                let left = status(&stage).waiting;
                assert_eq!(
                    (said["waiting"]["traces"].as_u64(), said["waiting"]["consents"].as_u64()),
                    (Some(left.traces.into()), Some(left.consents.into())),
                );

                line.mend();
                let done = || {
                    evening.tells_the_truth(&kiosk, false);
                    let left = status(&stage).waiting;
                    left.traces + left.consents == 0
                };
                until(PATIENCE, "end", waiting, done).await;
                let green = |body: &Body| pills(body).first().is_some_and(|(_, tone)| *tone == Tone::Good);
                kiosk.until("a green light", green).await;
            });
            arrived(server, &stage, rows);
        });
    });
}

struct Evening<'a> {
    server: &'a Running,
    stage: &'a Stage,
}

impl Evening<'_> {
    /// What is said to be delivered has arrived, and nothing is green while anything waits.
    fn tells_the_truth(&self, kiosk: &Person, is_away: bool) {
        let green = pills(&kiosk.shown()).iter().any(|(_, tone)| *tone == Tone::Good);
        let said = status(self.stage);
        let (traces, consents) = (self.server.received_traces().len(), self.server.received_consents().len());
        let delivered = said.rows - u64::from(said.waiting.traces);
        assert!(delivered <= traces as u64, "{delivered} are said to be delivered, {traces} are there");
        let delivered = 2 * PATIENTS - said.waiting.consents as usize;
        assert!(delivered <= consents, "{delivered} consents are said to be delivered, {consents} are there");
        let left = said.waiting.traces + said.waiting.consents;
        assert!(!green || (left == 0 && !is_away), "green, and {left} wait");
        assert!(said.waiting.set_aside.is_empty(), "{:?}", said.waiting.set_aside);
    }

    /// The light on the page is amber and has the number that waits, without waiting for a try over a line that is gone.
    async fn says_what_waits(&self, kiosk: &Person) {
        let right = || {
            let waiting = status(self.stage).waiting;
            let count = (waiting.traces + waiting.consents).to_string();
            pills(&kiosk.shown()).first().is_some_and(|(text, tone)| {
                let said = text.split(" en attente").next().unwrap_or("").chars();
                *tone == Tone::Care && said.filter(char::is_ascii_digit).eq(count.chars())
            })
        };
        let said = || format!("{:?} of {:?}", pills(&kiosk.shown()), status(self.stage).waiting);
        until(Duration::from_secs(15), "a light that says how much waits", said, right).await;
    }
}

/// Once each, each patient's in their order, under the name of whoever did it.
fn arrived(server: &Running, stage: &Stage, rows: usize) {
    let traces = server.received_traces();
    let indices: BTreeSet<u64> = traces.iter().map(index).collect();
    assert_eq!(traces.len() as u64, status(stage).rows, "once each");
    assert_eq!(indices.len(), traces.len(), "once each");
    for (who, rows) in by_patient(&traces) {
        assert!(rows.is_sorted(), "{who}: {rows:?}");
    }
    for trace in traces.iter().filter(|trace| index(trace) < rows as u64) {
        assert_eq!(holder(trace), colleague(index(trace) as usize).0, "{}", index(trace));
    }
    let consents = server.received_consents();
    let ids: BTreeSet<String> = consents.iter().map(|one| one["identifier"][0]["value"].to_string()).collect();
    assert_eq!((consents.len(), ids.len()), (2 * PATIENTS, 2 * PATIENTS), "once each");
    let nurse = Drawer::profile("nurse").expect("in the drawer").holder_id;
    for consent in &consents {
        let asked_by = |extension: &&Value| extension["valueIdentifier"]["value"] == nurse;
        assert_eq!(consent["extension"].as_array().into_iter().flatten().filter(asked_by).count(), 2, "{consent}");
    }
}

fn pills(body: &Body) -> Vec<(String, Tone)> {
    let Body::Home(home) = body else { panic!("not home: {}", text_of(body)) };
    home.pills.iter().map(|pill| (pill.text.replace(['\u{a0}', '\u{202f}'], " "), pill.tone)).collect()
}

/// Twice a second: what is asked reads a disk.
async fn until(most: Duration, what: &str, instead: impl Fn() -> String, is_so: impl Fn() -> bool) {
    let until = tokio::time::Instant::now() + most;
    while !is_so() {
        assert!(tokio::time::Instant::now() < until, "no {what}, but {}", instead());
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

const PATIENTS: usize = 24;
