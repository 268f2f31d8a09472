//! Leases without a network: what a start, a clock set back and a missing card change, on a real journal.

use super::*;
use chevet::record::state::TeamWord;
use chevet::time::belief::Belief;
use chevet::time::belief::STARTS_MAX;

const DAY_S: i64 = 86_400;

/// One start of the device, and what its clock then believes.
async fn start(folder: &Path, boot: u128) -> (Vault, Belief) {
    let vault = Vault::open(Options { boot: Uuid::from_u128(boot), ..options(folder) }, NOON).expect("the vault opens");
    let belief = Belief::start(vault.witnessed().await.expect("read"), Duration::ZERO);
    (vault, belief)
}

async fn tell(vault: &Vault, belief: &mut Belief, seconds: u64) -> Wall {
    let since_boot = Duration::from_secs(seconds);
    let wall = belief.now(since_boot);
    vault.time_is(Now { since_boot, wall }).await.expect("told");
    wall
}

fn secrets(folder: &Path) -> i64 {
    let beside = rusqlite::Connection::open(folder.join("journal.db")).expect("a database");
    beside.query_row("SELECT count(*) FROM shred WHERE secret IS NOT NULL", [], |row| row.get(0)).expect("read")
}

#[tokio::test]
async fn a_lease_ends_with_the_card_out_and_at_the_start() {
    for opens_anew in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = open(folder.path());
        live_a_day(&vault).await;
        vault.lock().await;
        vault.time_is(now(NOON.plus(4 * DAY_S))).await.expect("told");
        assert_eq!(secrets(folder.path()), 1, "within its lease");
        let vault = if opens_anew {
            drop(vault);
            open(folder.path())
        } else {
            vault
        };
        vault.time_is(now(NOON.plus(8 * DAY_S))).await.expect("told");
        assert_eq!(secrets(folder.path()), 0, "nobody needed to come");
        // A clock set back finds nothing again.
        vault.time_is(now(NOON)).await.expect("told");
        unlock(&vault, NURSE, 1).await.expect("opened");
        assert!(matches!(content(&vault, NURSE, 1).await, Err(Error::Absent)));
    }
}

#[tokio::test]
async fn a_lease_that_ends_during_a_visit_is_not_read_in_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    assert_eq!(content(&vault, NURSE, 1).await.expect("within its lease"), CONTENT);
    vault.time_is(now(NOON.plus(8 * DAY_S))).await.expect("told");
    assert!(vault.list(&patient()).await.expect("read").is_none());
    assert!(matches!(content(&vault, NURSE, 1).await, Err(Error::Absent)));
    let late = vault.store(&document(1).unique_id, &held(1, CONTENT), NOON.plus(8 * DAY_S)).await;
    assert!(matches!(late, Err(Error::Shredded)), "and nothing renews it: {late:?}");
}

/// What the server says of the record begins the lease and bounds it; what comes after it lasts no longer.
#[tokio::test]
async fn a_lease_is_renewed_by_the_servers_word_and_never_outlives_the_authorization() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    let default = chevet::time::lease::default_end(NOON);
    assert_eq!(vault.lease_end(&patient()).await.expect("read"), Some(default), "an authorization of months");
    assert_eq!(vault.lease_end(&ins(OTHER_MATRICULE)).await.expect("read"), None, "nothing is here");
    // Days later: a list or a document alone renews nothing.
    let later = NOON.plus(2 * DAY_S);
    vault.remember_list(&held_list(3), later).await.expect("kept");
    vault.store(&document(1).unique_id, &held(1, CONTENT), later).await.expect("kept");
    assert_eq!(vault.lease_end(&patient()).await.expect("read"), Some(default));
    vault.remember_state(&patient(), &state(), later).await.expect("kept");
    let renewed = chevet::time::lease::default_end(later);
    assert_eq!(vault.lease_end(&patient()).await.expect("read"), Some(renewed));
    // The server says that it ends tomorrow morning.
    let soon = later.plus(20 * 3_600);
    vault.remember_state(&patient(), &state_until(soon), later).await.expect("kept");
    assert_eq!(vault.lease_end(&patient()).await.expect("read"), Some(soon), "shorter too");
    vault.store(&document(1).unique_id, &held(1, CONTENT), later.plus(60)).await.expect("kept");
    assert_eq!(vault.lease_end(&patient()).await.expect("read"), Some(soon), "and not again longer");
    // Without an authorization of their own: what was agreed about the team, as long as it stands.
    let agreed = |until| TeamWord { team: "equipe".into(), agreed: true, at: Some(NOON), until: Some(until) };
    let by_team = |words| RecordState { authorization: Authorization::None, team_words: words, ..state() };
    for (words, end) in [
        (vec![agreed(soon), agreed(later.plus(-1)), TeamWord { agreed: false, ..agreed(later.plus(1)) }], soon),
        (vec![agreed(later.plus(90 * DAY_S))], renewed),
        (vec![], renewed),
        (vec![agreed(soon)], soon),
    ] {
        vault.remember_state(&patient(), &by_team(words), later).await.expect("kept");
        assert_eq!(vault.lease_end(&patient()).await.expect("read"), Some(end));
    }
    vault.lock().await;
    vault.time_is(now(soon.plus(-1))).await.expect("told");
    assert_eq!(secrets(folder.path()), 1);
    vault.time_is(now(soon)).await.expect("told");
    assert_eq!(secrets(folder.path()), 0, "with the card out");
    unlock_at(&vault, NURSE, 1, soon).await.expect("opened");
    assert!(matches!(content(&vault, NURSE, 1).await, Err(Error::Absent)));
}

/// A round of Friday evening, read on Monday morning without a network, and on the holiday's Tuesday after it too.
#[tokio::test]
async fn fridays_round_is_read_on_monday_morning() {
    let at = |text| UnixSeconds::parse(text).expect("a time");
    let friday = at("2026-11-27T19:30:00Z");
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    unlock_at(&vault, NURSE, 1, friday).await.expect("opened");
    vault.remember_state(&patient(), &state(), friday).await.expect("kept");
    vault.remember_list(&held_list(2), friday).await.expect("kept");
    vault.store(&document(1).unique_id, &held(1, CONTENT), friday).await.expect("kept");
    drop(vault);
    for (morning, is_there) in
        [("2026-11-30T07:00:00Z", true), ("2026-12-01T07:00:00Z", true), ("2026-12-04T00:00:01Z", false)]
    {
        let vault = open(folder.path());
        vault.time_is(now(at(morning))).await.expect("told");
        unlock_at(&vault, NURSE, 1, at(morning)).await.expect("opened");
        assert_eq!(vault.list(&patient()).await.expect("read").is_some(), is_there, "{morning}");
        assert_eq!(content(&vault, NURSE, 1).await.ok(), is_there.then(|| CONTENT.to_vec()), "{morning}");
    }
}

#[tokio::test]
async fn what_the_device_was_on_counts_over_its_starts() {
    let folder = tempfile::tempdir().expect("a folder");
    let (vault, mut belief) = start(folder.path(), 100).await;
    live_a_day(&vault).await;
    belief.hear(NOON, NOON, Duration::ZERO);
    assert!(tell(&vault, &mut belief, 3_600).await.is_trusted());
    drop(vault);
    // Nobody tells the time. On Monday noon the lease had four and a half days; it is on for one in each boot.
    for boot in 1..=4 {
        let (vault, mut belief) = start(folder.path(), 100 + boot).await;
        let begun = tell(&vault, &mut belief, 0).await;
        assert!(begun.value() >= NOON.plus(3_600 + (boot as i64 - 1) * DAY_S), "boot {boot}: the floor fell");
        assert_eq!(secrets(folder.path()), 1, "boot {boot}");
        assert!(!tell(&vault, &mut belief, 86_400).await.is_trusted());
    }
    let (vault, mut belief) = start(folder.path(), 105).await;
    tell(&vault, &mut belief, 86_400).await;
    assert_eq!(secrets(folder.path()), 0);
}

#[tokio::test]
async fn after_ten_starts_nothing_is_read_until_somebody_tells_the_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let (vault, mut belief) = start(folder.path(), 100).await;
    live_a_day(&vault).await;
    tell(&vault, &mut belief, 1).await;
    drop(vault);
    for boot in 2..=STARTS_MAX {
        let (vault, mut belief) = start(folder.path(), u128::from(100 + boot)).await;
        assert!(!tell(&vault, &mut belief, 1).await.is_lost(), "start {boot}");
        unlock(&vault, NURSE, 1).await.expect("opened");
        assert_eq!(content(&vault, NURSE, 1).await.expect("within the budget"), CONTENT);
        // The program is started again in the same boot: that is no start of the device.
        drop(vault);
        let (_vault, mut belief) = start(folder.path(), u128::from(100 + boot)).await;
        assert!(!belief.now(Duration::from_secs(9)).is_lost(), "start {boot}");
    }
    let (vault, mut belief) = start(folder.path(), 200).await;
    assert!(tell(&vault, &mut belief, 1).await.is_lost());
    assert!(matches!(unlock(&vault, NURSE, 1).await, Err(Error::TimeLost)));
    assert_eq!(secrets(folder.path()), 1, "what cannot be told is denied, and not destroyed");

    belief.hear(NOON.plus(7_200), NOON.plus(7_200), Duration::from_secs(2));
    assert!(tell(&vault, &mut belief, 2).await.is_trusted());
    unlock(&vault, NURSE, 1).await.expect("opened");
    assert_eq!(content(&vault, NURSE, 1).await.expect("found again"), CONTENT);
    drop(vault);
    let (vault, _) = start(folder.path(), 201).await;
    assert_eq!(vault.witnessed().await.expect("read").starts, 1, "a trusted time begins the count anew");
}

#[tokio::test]
async fn an_open_compartment_whose_time_is_lost_answers_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    let lost = Now { since_boot: Duration::from_secs(61), wall: Wall::Lost(NOON) };
    vault.time_is(lost).await.expect("told");
    assert!(matches!(vault.list(&patient()).await, Err(Error::TimeLost)));
    assert!(matches!(vault.state(&patient()).await, Err(Error::TimeLost)));
    assert!(matches!(content(&vault, NURSE, 1).await, Err(Error::TimeLost)));
}
