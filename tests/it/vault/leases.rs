//! Leases without a network: what a start, a clock set back and a missing card change, on a real journal.

use super::*;
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
