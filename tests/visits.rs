//! Thousands of seeded visits with slow, late, faulty and absent drivers. One number decides a whole life.
//!
//! The world around the visit is made of dice: cards come and go, answers come late, out of order, doubled or never, the
//! disk refuses, the network lies down. After every step the promises are checked against what the world knows:
//! P1 (no trace, no pixel), P3 (card out, all gone), P4 (nothing lost or misattributed), P5 (unknown means no), P6 (every
//! denial explains itself), P7 (no PIN try burnt by mistake). The gate is driven through every ground. A failing seed is in the message, and becomes a line of `REGRESSIONS`.

mod life;

use life::Fault;
use life::Life;
use life::Lived;
use life::clock::Device;
use life::clock::Seen;
use life::clock::Slip;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

const LIVES: u64 = 6_000;
const STEPS: u32 = 500;

/// Seeds that once found something.
const REGRESSIONS: &[u64] = &[434];

#[test]
fn the_promises_hold_in_every_life() {
    let mut all = Lived::default();
    for seed in (1..=LIVES).chain(REGRESSIONS.iter().copied()) {
        all.add(Life::new(seed, Fault::None).live(STEPS));
    }
    println!("{LIVES} lives: {all:?}");
    // A simulation that never gets anywhere proves nothing.
    assert!(all.homes > 300, "{all:?}");
    assert!(all.searches > 100 && all.finds > 2, "{all:?}");
    assert!(all.summed_up > 100, "{all:?}");
    assert!(all.rounds_made > 100, "{all:?}");
    assert!(all.lists > 200, "{all:?}");
    assert!(all.documents > 100, "{all:?}");
    assert!(all.consents > 50 && all.refusals > 50, "{all:?}");
    assert!(all.denied_documents > 100 && all.denied_records > 50, "{all:?}");
    assert!(all.cards_out > 3_000 && all.cards_out_of_documents > 5, "{all:?}");
    assert!(all.disk_refusals > 100 && all.late_answers > 1_000, "{all:?}");
    assert!(all.allowance_refusals > 10, "{all:?}");
    assert!(all.last_tries > 10 && all.untold_tries > 10 && all.blocked > 10 && all.keyed_pins > 100, "{all:?}");
    // Every ground, every way through the gate.
    assert!(all.by_authorization > 50 && all.by_team > 50 && all.by_explicit > 50, "{all:?}");
    assert!(all.by_care_team > 5 && all.by_framework > 5 && all.refused_upstream > 5, "{all:?}");
    assert!(all.by_break_glass > 20 && all.by_colleague > 5, "{all:?}");
    assert!(all.informed > 20 && all.continued > 5 && all.withdrawn > 20, "{all:?}");
    assert!(all.signed > 20 && all.represented > 10 && all.for_colleagues > 20, "{all:?}");
    // By telephone, through every page, and ended in each of the five ways.
    assert!(all.phone_answers > 300 && all.phone_homes > 100, "{all:?}");
    assert!(all.phone_lists > 50 && all.phone_documents > 20, "{all:?}");
    assert!(all.phone_quits > 10 && all.phone_inactive > 5 && all.phone_tokens > 10, "{all:?}");
    assert!(all.phone_networks > 10 && all.phone_cards > 10, "{all:?}");
    assert!(all.secret > 10 && all.brain_death > 10 && all.duties > 100, "{all:?}");
    assert!(all.handed_over > 5, "{all:?}");
    assert!(all.deposits > 5 && all.changes > 0 && all.corrections > 0, "{all:?}");
    assert!(all.printed > 100 && all.prints_stopped > 20, "{all:?}");
    assert!(all.deposits > 5 && all.changes > 0, "{all:?}");
    // Rounds that were prepared, to their end and not; what was read offline and accounted for afterwards.
    assert!(all.prepared > 20 && all.prefetched > 20 && all.cut_short > 100, "{all:?}");
    assert!(all.national > 20, "{all:?}");
    // Locked, and come back to.
    assert!(all.locks > 80 && all.resumes > 10, "{all:?}");
}

/// Showing before the trace is durable, tried on purpose: a vault that says "committed" and has written nothing.
#[test]
fn a_vault_that_lies_about_the_disk_is_caught() {
    assert!(some_life_fails(Fault::VaultLies, "without its row"), "nobody noticed that nothing was written");
}

/// A world that forgets to say that the card is out: a visit that is open for nobody is caught.
#[test]
fn a_visit_left_open_without_its_card_is_caught() {
    assert!(some_life_fails(Fault::CardOutUnsaid, "card that is out"), "nobody noticed an open visit without a card");
}

/// A world whose rows are signed with somebody else's name.
#[test]
fn a_row_under_the_wrong_name_is_caught() {
    assert!(some_life_fails(Fault::RowsRenamed, "nobody's"), "nobody noticed that a row changed its author");
}

/// A disk that tells of consents that nobody gave.
#[test]
fn a_record_opened_on_an_invented_consent_is_caught() {
    assert!(
        some_life_fails(Fault::ConsentsInvented, "no initial consent"),
        "nobody noticed that no patient had agreed"
    );
}

/// A provider that ends a token and does not say so: a visit that goes on is caught.
#[test]
fn a_visit_left_open_without_its_token_is_caught() {
    assert!(some_life_fails(Fault::TokenEndUnsaid, "token that has ended"), "nobody noticed that the token had ended");
}

/// A disk on which a withdrawal destroys nothing of what was fetched ahead.
#[test]
fn a_copy_of_a_record_that_was_taken_back_is_caught() {
    // A withdrawal is rarer than what the other faults need.
    let caught = some_of(2_000, "was taken back", |seed| {
        Life::new(seed, Fault::CopiesStay).live(STEPS);
    });
    assert!(caught, "nobody noticed that copies stayed");
}

/// With every driver silent for ever, no page waits for ever.
#[test]
fn every_wait_ends() {
    for seed in 1..=500 {
        Life::new(seed, Fault::None).live_then_wait_out(60);
    }
}

/// No clock that jumps, no start, no server set back keeps anything past its lease.
#[test]
fn no_clock_revives_a_lease() {
    let mut all = Seen::default();
    for seed in 1..=LIVES {
        let seen = Device::new(seed, Slip::None).live(STEPS);
        all.by_trust += seen.by_trust;
        all.by_floor += seen.by_floor;
        all.over += seen.over;
        all.lost += seen.lost;
        all.found_again += seen.found_again;
    }
    println!("{LIVES} devices: {all:?}");
    assert!(all.by_trust > 10_000 && all.by_floor > 10_000, "{all:?}");
    assert!(all.over > 10_000 && all.lost > 10_000 && all.found_again > 100, "{all:?}");
}

#[test]
fn a_device_that_forgets_its_starts_or_its_hours_is_caught() {
    assert!(some_device_fails(Slip::StartsUncounted, "started too often"), "nobody counted the starts");
    assert!(some_device_fails(Slip::FloorForgotten, "on for longer than its lease"), "nobody counted the hours");
}

/// Friday evening's round, the network gone, the kiosk unplugged over the weekend: Monday morning works.
#[test]
fn fridays_round_serves_on_monday_morning() {
    for is_told_on_friday in [true, false] {
        let mut device = Device::new(1, Slip::None);
        if is_told_on_friday {
            device.hear(0);
        }
        device.grant();
        device.stay_on(2 * 3_600);
        device.restart(60 * 3_600);
        device.stay_on(3_600);
        device.restart(120);
        device.check();
        assert!(device.serves(), "told on Friday: {is_told_on_friday}");
        // Left on for a week without a network, it is over.
        device.stay_on(7 * 86_400);
        assert!(!device.serves());
    }
}

fn some_device_fails(slip: Slip, complaint: &str) -> bool {
    some_fails(complaint, |seed| {
        let _seen = Device::new(seed, slip).live(STEPS);
    })
}

/// Some life must end in the very complaint that the fault deserves.
fn some_life_fails(fault: Fault, complaint: &str) -> bool {
    some_fails(complaint, |seed| {
        let _lived = Life::new(seed, fault).live(STEPS);
    })
}

fn some_fails(complaint: &str, live: impl Fn(u64)) -> bool {
    some_of(300, complaint, live)
}

fn some_of(lives: u64, complaint: &str, live: impl Fn(u64)) -> bool {
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let failed = (1..=lives).any(|seed| {
        let lived = catch_unwind(AssertUnwindSafe(|| live(seed)));
        let said = lived.err().and_then(|said| said.downcast::<String>().ok());
        said.is_some_and(|said| said.contains(complaint))
    });
    std::panic::set_hook(quiet);
    failed
}
