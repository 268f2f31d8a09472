//! A disk that was put back, found out at the next start by a TPM: the real tpm2-tools against a real TPM in software (swtpm).

use super::put_back::copied;
use super::put_back::rows;
use super::*;
use chevet::cli::doctor;
use chevet::config;
use chevet::journal::counter::Meant;
use chevet::kiosk::counter::Counter;
use chevet::vault::Branch;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Instant;

/// One chip, with the memory of its own folder.
pub struct Chip {
    program: Child,
    folder: tempfile::TempDir,
}

impl Chip {
    pub fn new() -> Chip {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let program = Command::new("swtpm")
            .args(["socket", "--tpm2", "--flags", "startup-clear,not-need-init"])
            .arg("--tpmstate")
            .arg(format!("dir={}", folder.path().display()))
            .arg("--server")
            .arg(format!("type=unixio,path={}", path("chip")))
            .arg("--ctrl")
            .arg(format!("type=unixio,path={}", path("chip.ctrl")))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("swtpm is installed (scripts/test)");
        let until = Instant::now() + Duration::from_secs(30);
        while !(folder.path().join("chip").exists() && folder.path().join("chip.ctrl").exists()) {
            assert!(Instant::now() < until, "swtpm does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Chip { program, folder }
    }

    pub fn setting(&self) -> config::Tpm {
        config::Tpm::At(format!("swtpm:path={}", self.folder.path().join("chip").display()))
    }

    fn counter(&self) -> Counter {
        Counter::new(&self.setting())
    }
}

impl Drop for Chip {
    fn drop(&mut self) {
        drop(self.program.kill());
        drop(self.program.wait());
    }
}

/// A start: opened, and checked.
async fn started(folder: &Path, chip: &Chip) -> Vault {
    let vault = open(folder);
    chip.counter().check(&vault, now(NOON.plus(60))).await;
    vault
}

async fn value(vault: &Vault) -> u64 {
    match vault.counter().await.expect("read").meant {
        Meant::Value(value) => value,
        other => panic!("no value: {other:?}"),
    }
}

async fn logged_in(vault: &Vault, chip: &Chip) {
    let counter = chip.counter();
    counter.login();
    counter.raise_when_due(vault).await;
}

#[tokio::test]
async fn a_disk_that_was_put_back_is_found_out_at_the_next_start_and_what_is_lost_is_named() {
    let (folder, chip) = (tempfile::tempdir().expect("a folder"), Chip::new());
    let vault = started(folder.path(), &chip).await;
    let first = value(&vault).await;
    rows(&vault, 3).await;
    drop(vault);
    let copy = copied(folder.path());
    let vault = started(folder.path(), &chip).await;
    assert_eq!(value(&vault).await, first + 1, "raised at a start");
    rows(&vault, 4).await;
    logged_in(&vault, &chip).await;
    assert_eq!(value(&vault).await, first + 2, "and at a login");
    chip.counter().raise_when_due(&vault).await;
    assert_eq!(value(&vault).await, first + 2, "and nowhere else");
    drop(vault);
    let vault = started(folder.path(), &chip).await;
    assert!(vault.branches().await.expect("read").is_empty(), "the disk that stayed");
    drop(vault);

    let vault = started(copy.path(), &chip).await;
    let branch = Branch { index: 3, lost_size: 7, at: NOON.plus(60) };
    assert_eq!(vault.branches().await.expect("read"), [branch]);
    let waiting = vault.waiting(None, 10).await.expect("read");
    assert_eq!(waiting[3].1.as_ref().map(|row| row.draft.class), Some(Class::Maintenance), "the upstream is told");
    drop(vault);
    let vault = started(copy.path(), &chip).await;
    assert_eq!(vault.branches().await.expect("read"), [branch], "once");
    drop(vault);
    let vault = started(folder.path(), &chip).await;
    assert_eq!(vault.branches().await.expect("read").len(), 1, "and the other one, when it is put back again");
}

/// Wherever the power is cut while the counter is raised: the next start takes it for what it is.
#[tokio::test]
async fn a_cut_while_the_counter_is_raised_is_no_alarm() {
    let (folder, chip) = (tempfile::tempdir().expect("a folder"), Chip::new());
    let vault = open(folder.path());
    // Before it was made, and after the journal meant to make it.
    vault.mean(Meant::Begun).await.expect("kept");
    drop(vault);
    let vault = started(folder.path(), &chip).await;
    let first = value(&vault).await;
    // Made and raised, and the journal has not heard of its value.
    vault.mean(Meant::Begun).await.expect("kept");
    drop(vault);
    let vault = started(folder.path(), &chip).await;
    assert_eq!(value(&vault).await, first + 1);
    // Meant, and not raised: as often as it happens.
    for _ in 0..2 {
        vault.mean(Meant::Value(first + 2)).await.expect("kept");
    }
    drop(vault);
    let vault = started(folder.path(), &chip).await;
    assert!(vault.branches().await.expect("read").is_empty());
    assert_eq!(value(&vault).await, first + 2);
}

/// A disk from before its counter was made is one that was put back too.
#[tokio::test]
async fn a_disk_that_has_never_heard_of_its_counter_was_put_back() {
    let (folder, chip) = (tempfile::tempdir().expect("a folder"), Chip::new());
    let vault = open(folder.path());
    rows(&vault, 2).await;
    drop(vault);
    let copy = copied(folder.path());
    let vault = started(folder.path(), &chip).await;
    rows(&vault, 1).await;
    drop(vault);
    let vault = started(copy.path(), &chip).await;
    let lost: Vec<u64> = vault.branches().await.expect("read").iter().map(|branch| branch.lost_size).collect();
    assert_eq!(lost, [0], "the head that the chip has is here: what came after it, nobody can name");
    let fresh = tempfile::tempdir().expect("a folder");
    let vault = started(fresh.path(), &chip).await;
    assert!(vault.branches().await.expect("read").is_empty(), "another journal has a counter of its own");
}

#[tokio::test]
async fn another_chip_tells_nothing_and_counts_from_then_on() {
    let (folder, chip) = (tempfile::tempdir().expect("a folder"), Chip::new());
    drop(started(folder.path(), &chip).await);
    drop(chip);
    let other = Chip::new();
    let vault = started(folder.path(), &other).await;
    assert!(vault.branches().await.expect("read").is_empty());
    drop(vault);
    let copy = copied(folder.path());
    drop(started(folder.path(), &other).await);
    let vault = started(copy.path(), &other).await;
    assert_eq!(vault.branches().await.expect("read").len(), 1);
}

/// It is said, and stops nothing.
#[tokio::test]
async fn a_chip_that_fails_stops_nobody() {
    let (folder, chip) = (tempfile::tempdir().expect("a folder"), Chip::new());
    let vault = started(folder.path(), &chip).await;
    let before = value(&vault).await;
    let setting = chip.setting();
    assert!(tokio::task::spawn_blocking(move || doctor::tpm::line(&setting)).await.expect("asked").expect("a line").ok);
    let (gone, setting) = (chip.counter(), chip.setting());
    drop(chip);
    gone.login();
    gone.raise_when_due(&vault).await;
    gone.check(&vault, now(NOON)).await;
    assert_eq!(value(&vault).await, before);
    opened_row(&vault, NURSE, &patient(), 1).await;
    let line = tokio::task::spawn_blocking(move || doctor::tpm::line(&setting)).await.expect("asked").expect("a line");
    assert!(!line.ok && line.next.is_some(), "{line:?}");
    assert_eq!(doctor::tpm::line(&config::Tpm::None), None, "without a chip there is nothing to say");
    // Without one nothing changes.
    Counter::new(&config::Tpm::None).check(&vault, now(NOON)).await;
    assert_eq!(value(&vault).await, before);
}
