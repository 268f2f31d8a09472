//! The plan, by tables: what goes, what waits, and for how long.

use crate::exchange::outbox::*;
use crate::patient::ins::InsKind;
use std::collections::BTreeSet;

fn patient(number: u64) -> Ins {
    Ins::unchecked(&format!("{:015}", 255_069_999_900_000 + number), InsKind::Test).expect("well formed")
}

fn item(number: u64, kind: Kind, about: Option<u64>) -> Waiting {
    let lane = if kind == Kind::Trace { Lane::Device } else { Lane::Holder(nurse()) };
    let id = Uuid::from_u128(u128::from(number));
    Waiting { id, kind, lane, order: about.map(patient), size_bytes: 3_000 }
}

fn nurse() -> HolderId {
    HolderId("899700000012".into())
}

fn numbers(next: Next) -> Vec<u128> {
    match next {
        Next::Send(batch) => batch.ids.iter().map(Uuid::as_u128).collect(),
        other => panic!("not sending: {other:?}"),
    }
}

const NOW: Duration = Duration::from_secs(1_000);

#[test]
fn nothing_waits_or_nobody_is_here_or_no_network() {
    let mut plan = Plan::new(1);
    assert_eq!(plan.next(&[], Some(&nurse()), NOW), Next::Rest);
    let consent = [item(1, Kind::Consent, Some(1))];
    assert_eq!(plan.next(&consent, None, NOW), Next::Rest);
    assert_eq!(plan.next(&consent, Some(&HolderId("other".into())), NOW), Next::Rest);
    assert_eq!(numbers(plan.next(&consent, Some(&nurse()), NOW)), [1]);
    plan.link_is(Link::Down);
    assert_eq!(plan.next(&[], Some(&nurse()), NOW), Next::Rest);
    assert_eq!(plan.next(&consent, None, NOW), Next::Rest);
    let soon = Next::Sleep { until: NOW + Duration::from_secs(20) };
    assert_eq!(plan.next(&consent, Some(&nurse()), NOW), soon, "what waits looks for the network");
    assert_eq!(plan.next(&[item(2, Kind::Trace, Some(1))], None, NOW), soon, "with nobody here too");
}

#[test]
fn a_batch_is_bounded_in_number_and_bytes() {
    let plan = Plan::new(1);
    let many: Vec<Waiting> = (0..120).map(|n| item(n, Kind::Trace, Some(n % 3))).collect();
    let (one, next) = ((0..120).step_by(3), (1..120).step_by(3).take(10));
    assert_eq!(numbers(plan.next(&many, None, NOW)), one.chain(next).collect::<Vec<u128>>(), "by patient");
    let heavy: Vec<Waiting> = (0..10).map(|n| Waiting { size_bytes: 100_000, ..item(n, Kind::Trace, None) }).collect();
    assert_eq!(numbers(plan.next(&heavy, None, NOW)), [0, 1]);
    let monster = [Waiting { size_bytes: 1_000_000, ..item(7, Kind::Trace, None) }, item(8, Kind::Trace, None)];
    assert_eq!(numbers(plan.next(&monster, None, NOW)), [7], "it goes alone, to be refused alone");
}

#[test]
fn what_a_person_waits_for_goes_first_and_a_patients_items_in_order() {
    let plan = Plan::new(1);
    let waiting = [
        item(1, Kind::Trace, Some(1)),
        item(2, Kind::Contribution, Some(1)),
        item(3, Kind::Consent, Some(1)),
        item(4, Kind::Consent, Some(2)),
    ];
    // 3 is behind 2, of the same patient; 4 is not.
    assert_eq!(numbers(plan.next(&waiting, Some(&nurse()), NOW)), [4]);
    assert_eq!(numbers(plan.next(&waiting[..3], Some(&nurse()), NOW)), [2]);
    assert_eq!(numbers(plan.next(&waiting, None, NOW)), [1]);
}

#[test]
fn a_note_that_this_card_cannot_sign_keeps_neither_the_patients_word_nor_another_patients_note() {
    let mut plan = Plan::new(1);
    let waiting = [
        item(1, Kind::Contribution, Some(1)),
        item(2, Kind::Contribution, Some(1)),
        item(3, Kind::Consent, Some(1)),
        item(4, Kind::Contribution, Some(2)),
    ];
    let Next::Send(batch) = plan.next(&waiting[..1], Some(&nurse()), NOW) else { panic!("sends") };
    plan.sent(&batch);
    plan.failed(&batch, Failure::NotByThisCard, NOW);
    assert_eq!(plan.next(&waiting[..1], Some(&nurse()), NOW), Next::Rest, "not again with the same card, nor later");
    assert_eq!(plan.next(&waiting[..2], Some(&nurse()), NOW), Next::Rest, "what builds on it stays behind it");
    assert_eq!(numbers(plan.next(&waiting, Some(&nurse()), NOW)), [3]);
    let without_the_word = [&waiting[..2], &waiting[3..]].concat();
    assert_eq!(numbers(plan.next(&without_the_word, Some(&nurse()), NOW)), [4]);
    plan.another_card();
    assert_eq!(numbers(plan.next(&waiting[..2], Some(&nurse()), NOW)), [1]);
}

#[test]
fn a_lane_that_fails_waits_alone() {
    let mut plan = Plan::new(1);
    let waiting = [item(1, Kind::Consent, Some(1)), item(2, Kind::Trace, Some(2))];
    let Next::Send(batch) = plan.next(&waiting, Some(&nurse()), NOW) else { panic!("sends") };
    plan.sent(&batch);
    assert_eq!(numbers(plan.next(&waiting, Some(&nurse()), NOW)), [2], "in flight is not sent again");
    plan.failed(&batch, Failure::Again, NOW);
    assert_eq!(numbers(plan.next(&waiting, Some(&nurse()), NOW)), [2]);
    let Next::Sleep { until } = plan.next(&waiting[..1], Some(&nurse()), NOW) else { panic!("sleeps") };
    assert!(until > NOW && until <= NOW + PAUSE_MIN, "{until:?}");
    plan.holder_is_here(&nurse());
    assert_eq!(numbers(plan.next(&waiting[..1], Some(&nurse()), NOW)), [1]);
}

#[test]
fn two_requests_under_way_never_share_a_patient() {
    let mut plan = Plan::new(1);
    let waiting: Vec<Waiting> =
        (0..60).map(|n| item(n, Kind::Trace, Some(n / 50))).chain([item(60, Kind::Trace, Some(2))]).collect();
    let Next::Send(first) = plan.next(&waiting[..51], None, NOW) else { panic!("sends") };
    assert_eq!(first.ids.len(), BATCH_MAX);
    plan.sent(&first);
    let Next::Send(second) = plan.next(&waiting, None, NOW) else { panic!("sends") };
    assert_eq!(second.ids.len(), 11);
    plan.sent(&second);
    assert_eq!(plan.next(&waiting, None, NOW), Next::Rest, "all that is left is barred");
    plan.answered(&first);
    assert_eq!(plan.next(&waiting[50..], None, NOW), Next::Rest, "what is left is under way");
    let more = [item(5, Kind::Trace, Some(1)), item(70, Kind::Trace, Some(0))];
    let all: Vec<Waiting> = waiting[50..].iter().chain(&more).cloned().collect();
    assert_eq!(numbers(plan.next(&all, None, NOW)), [70]);
}

/// Drawn at random: whatever waits and whatever lands when, no two requests under way share a patient, in one lane or in two;
/// only a consent goes beside a trace. And nothing overtakes its patient's earlier items.
#[test]
fn no_two_requests_under_way_share_a_patient_in_whichever_lane() {
    let (mut beside, mut most) = (0, 0);
    for seed in 0..2_000 {
        let mut dice = fastrand::Rng::with_seed(seed);
        let kinds = [Kind::Trace, Kind::Trace, Kind::Consent, Kind::Contribution];
        let mut waiting: Vec<Waiting> =
            (0..dice.u64(1..150)).map(|n| item(n, kinds[dice.usize(0..4)], Some(dice.u64(0..9)))).collect();
        let mut plan = Plan::new(seed);
        let mut flying: Vec<Batch> = Vec::new();
        while !waiting.is_empty() {
            let lands = dice.u8(0..3) == 0;
            let next = plan.next(&waiting, Some(&nurse()), NOW);
            match next {
                Next::Send(batch) if !lands || flying.is_empty() => {
                    plan.sent(&batch);
                    let patients = |batch: &Batch| -> BTreeSet<String> {
                        let of = |id: &Uuid| waiting.iter().find(|item| item.id == *id)?.order.clone();
                        batch.ids.iter().filter_map(of).map(|patient| patient.matricule).collect()
                    };
                    for other in &flying {
                        let shared = patients(&batch).intersection(&patients(other)).count() > 0;
                        let is_excused = batch.kind == Kind::Consent && other.kind == Kind::Trace;
                        beside += u32::from(shared && is_excused);
                        assert!(!shared || is_excused, "seed {seed}: {:?} beside {:?}", batch.kind, other.kind);
                    }
                    for id in &batch.ids {
                        let at = waiting.iter().position(|item| item.id == *id).expect("it waits");
                        let one = &waiting[at];
                        let before = |item: &&Waiting| item.lane == one.lane && item.order == one.order;
                        let overtaken = waiting[..at].iter().filter(before).find(|item| !batch.ids.contains(&item.id));
                        assert_eq!(overtaken, None, "seed {seed}: {one:?}");
                    }
                    flying.push(batch);
                    most = most.max(flying.len());
                }
                _ => {
                    assert!(!flying.is_empty(), "seed {seed}: {} are blocked", waiting.len());
                    let batch = flying.swap_remove(dice.usize(0..flying.len()));
                    plan.answered(&batch);
                    waiting.retain(|item| !batch.ids.contains(&item.id));
                }
            }
        }
    }
    assert!(beside > 0 && most > 3, "{beside} consents beside a trace, {most} at once");
}

#[test]
fn a_day_of_few_patients_still_fills_the_line() {
    let mut plan = Plan::new(1);
    let day: Vec<Waiting> = (0..600).map(|n| item(n, Kind::Trace, Some(n % 20))).collect();
    let mut under_way = Vec::new();
    while let Next::Send(batch) = plan.next(&day, None, NOW) {
        assert_eq!(batch.ids.len(), BATCH_MAX);
        plan.sent(&batch);
        under_way.push(batch);
    }
    assert_eq!(under_way.len(), IN_FLIGHT_MAX);
    // A line that breaks takes them all: one failure, and one short pause.
    under_way.iter().for_each(|batch| plan.failed(batch, Failure::Again, NOW));
    let Next::Sleep { until } = plan.next(&day, None, NOW) else { panic!("sleeps") };
    assert!(until <= NOW + PAUSE_MIN, "{until:?}");
}

#[test]
fn an_answer_does_not_lift_what_the_server_asked_for_beside_it() {
    let mut plan = Plan::new(1);
    let waiting = [item(1, Kind::Trace, Some(1)), item(2, Kind::Trace, Some(2))];
    let batch = |at: usize| Batch { lane: Lane::Device, kind: Kind::Trace, ids: vec![waiting[at].id] };
    plan.sent(&batch(0));
    plan.sent(&batch(1));
    plan.failed(&batch(0), Failure::AfterSeconds(600), NOW);
    plan.answered(&batch(1));
    assert_eq!(plan.next(&waiting, None, NOW), Next::Sleep { until: NOW + Duration::from_secs(600) });
}

#[test]
fn pauses_double_differ_and_end() {
    for failures in 1..60 {
        let whole = PAUSE_MIN.saturating_mul(1 << (failures - 1).min(16)).min(PAUSE_MAX);
        let pause = back_off(42, failures);
        assert!(pause >= whole / 2 && pause <= whole, "{failures}: {pause:?}");
    }
    let spread: BTreeSet<Duration> = (0..100).map(|seed| back_off(seed, 5)).collect();
    assert!(spread.len() > 90, "a fleet must not come back together");
}

#[test]
fn the_servers_word_outlives_the_networks_return() {
    let waiting = [item(1, Kind::Trace, None)];
    let batch = Batch { lane: Lane::Device, kind: Kind::Trace, ids: vec![waiting[0].id] };
    let mut plan = Plan::new(1);
    plan.failed(&batch, Failure::AfterSeconds(600), NOW);
    plan.link_is(Link::Down);
    plan.link_is(Link::Up);
    let until = NOW + Duration::from_secs(600);
    assert_eq!(plan.next(&waiting, None, NOW), Next::Sleep { until });
    assert_eq!(numbers(plan.next(&waiting, None, until)), [1]);

    let mut plan = Plan::new(1);
    (0..9).for_each(|n| plan.failed(&batch, Failure::Again, NOW + n * PAUSE_MAX));
    let later = NOW + 8 * PAUSE_MAX;
    assert!(matches!(plan.next(&waiting, None, later), Next::Sleep { .. }));
    plan.link_is(Link::Down);
    plan.link_is(Link::Up);
    assert_eq!(numbers(plan.next(&waiting, None, NOW)), [1], "wakes with the network");

    plan.failed(&batch, Failure::AfterSeconds(u64::MAX), NOW);
    assert_eq!(plan.next(&waiting, None, NOW), Next::Sleep { until: NOW + RETRY_AFTER_MAX });
}
