//! A disk that fails, a process that is killed: what is acknowledged is there, what is not is not shown.

use super::*;
use chevet::journal::export::Verifier;
use chevet::journal::note::VerifyingKey;
use chevet::vault::Look;
use std::io::BufRead;
use std::io::BufReader;

/// How the disk fails, and the system calls that see it. The numbers are Linux's, for the two machines we know.
#[derive(Clone, Copy)]
pub struct Fault {
    pub name: &'static str,
    errno: u32,
    calls: &'static [i64],
}

#[cfg(target_arch = "x86_64")]
mod call {
    pub const SYNC: &[i64] = &[74, 75]; // fsync, fdatasync
    pub const WRITE: &[i64] = &[1, 18, 20, 296]; // write, pwrite64, writev, pwritev
}

#[cfg(target_arch = "aarch64")]
mod call {
    pub const SYNC: &[i64] = &[82, 83];
    pub const WRITE: &[i64] = &[64, 68, 66, 70];
}

pub const FAULTS: &[Fault] = &[
    Fault { name: "sync-fails", errno: 5, calls: call::SYNC },
    Fault { name: "write-fails", errno: 5, calls: call::WRITE },
    Fault { name: "disk-full", errno: 28, calls: call::WRITE },
];

/// Rows and consents are one: a consent that cannot be written takes its rows back with it.
#[tokio::test]
async fn a_row_without_its_consent_is_no_row() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    let beside = rusqlite::Connection::open(folder.path().join("journal.db")).expect("a database");
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON consent BEGIN SELECT RAISE(ABORT, 'no'); END";
    beside.execute_batch(refuse).expect("made");
    let row = || vec![draft(Class::Consent, NURSE, Some((&patient(), None)))];
    let no = || vec![said(Answer::No, Scope::Team("equipe".into()), NURSE)];
    assert!(matches!(vault.record(row(), no()).await, Err(Error::Write { .. })));
    assert_eq!(vault.counts().await.expect("counted").traces, 2);
    assert!(vault.has(&patient(), &document(1).unique_id).await.expect("read"), "nor was anything shredded");
    beside.execute_batch("DROP TRIGGER refuse").expect("dropped");
    let committed = vault.record(row(), no()).await.expect("the next one goes on where the last good one was");
    assert_eq!(committed[0].index(), 2);
}

/// Killed in the middle of writing, again and again: what was acknowledged is there, and the tree stands.
#[test]
fn nothing_acknowledged_is_lost_when_killed() {
    const WHO: &str = "vault::faults::nothing_acknowledged_is_lost_when_killed";
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    if let Ok(folder) = std::env::var("CHEVET_TEST_KILLED") {
        return runtime.block_on(async {
            let vault = open(Path::new(&folder));
            for number in 1.. {
                let row = opened_row(&vault, NURSE, &patient(), number).await;
                println!("committed {}", row.index());
            }
        });
    }
    let folder = tempfile::tempdir().expect("a folder");
    write_private(&folder.path().join("key"), &[0x5a; 32]);
    write_private(&folder.path().join("device.id"), b"chevet-0011223344556677\n");
    let login = vec![draft(Class::Login, NURSE, None)];
    runtime.block_on(open(folder.path()).record(login, vec![])).expect("recorded");
    let mut acknowledged = 0;
    for cycle in 0..10_u64 {
        let mut child = std::process::Command::new(std::env::current_exe().expect("this test's program"))
            .args(["--exact", WHO, "--nocapture"])
            .env("CHEVET_TEST_KILLED", folder.path())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("started");
        let said = child.stdout.take().expect("piped");
        let mut told = BufReader::new(said).lines().map_while(Result::ok).filter_map(|line| {
            let (_, index) = line.split_once("committed ")?;
            index.parse::<u64>().ok()
        });
        let first = told.next().expect("it writes");
        assert!(first <= acknowledged + 1, "an index was skipped");
        std::thread::sleep(Duration::from_millis(3 + cycle * 4));
        child.kill().expect("killed");
        child.wait().expect("ended");
        acknowledged = told.last().unwrap_or(first);
        let look = Look::open(folder.path(), Some(&folder.path().join("key"))).expect("a look");
        let mut out = Vec::new();
        look.export(&mut out).expect("exported");
        let mut verifier = Verifier::new(VerifyingKey::parse(&look.status().expect("read").device_key));
        out.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).for_each(|line| verifier.line(line));
        let report = verifier.finish();
        assert!(report.ok, "cycle {cycle}: {report:?}");
        assert!(report.rows > acknowledged, "cycle {cycle}: {} rows, {acknowledged} acknowledged", report.rows);
        acknowledged = report.rows - 1;
    }
}

/// P1 on a real vault: with a disk that fails, `record` gives no `Committed`, so no door opens. The fault is a seccomp
/// filter, which cannot be taken off again: each one is lived in a process of its own, this test run once more.
#[test]
fn a_failing_disk_commits_nothing() {
    if let (Ok(fault), Ok(folder)) = (std::env::var("CHEVET_TEST_FAULT"), std::env::var("CHEVET_TEST_FOLDER")) {
        let fault = FAULTS.iter().find(|known| known.name == fault).expect("one of ours");
        return live_with(*fault, Path::new(&folder));
    }
    for fault in FAULTS {
        let folder = tempfile::tempdir().expect("a folder");
        let child = std::process::Command::new(std::env::current_exe().expect("this test's program"))
            .args(["--exact", "vault::faults::a_failing_disk_commits_nothing", "--nocapture"])
            .env("CHEVET_TEST_FAULT", fault.name)
            .env("CHEVET_TEST_FOLDER", folder.path())
            .output()
            .expect("started");
        let said = String::from_utf8_lossy(&child.stdout).into_owned() + &String::from_utf8_lossy(&child.stderr);
        assert!(child.status.success(), "{}: {said}", fault.name);
        assert!(said.contains("refused, nothing released"), "{}: {said}", fault.name);
        // The disk is well again: all that was acknowledged is there, and the journal goes on.
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let vault = open(folder.path());
            assert!(vault.counts().await.expect("counted").traces >= 2, "{}", fault.name);
            unlock(&vault, NURSE, 1).await.expect("opened");
            assert_eq!(content(&vault, NURSE, 1).await.expect("released"), CONTENT, "{}", fault.name);
        });
    }
}

fn live_with(fault: Fault, folder: &Path) {
    // Without an I/O driver, whose own wake-ups are writes.
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let vault = open(folder);
        live_a_day(&vault).await;
        fail(fault);
        let row = draft(Class::Opened, NURSE, Some((&patient(), Some(&document(1)))));
        let error = vault.record(vec![row], vec![]).await.expect_err("no row, no token");
        assert_eq!(error.is_disk_full(), fault.errno == 28, "{error:?}");
        let stored = vault.store(&document(3).unique_id, &held(3, &large()), NOON).await;
        assert_eq!(stored.expect_err("nothing is kept").is_disk_full(), fault.errno == 28);
        let refused = vault.record(vec![], vec![said(Answer::Yes, Scope::HolderOnce, NURSE)]).await;
        assert!(refused.is_err(), "nor a consent");
        assert_eq!(vault.counts().await.expect("reading still works").traces, 2);
    });
    println!("refused, nothing released");
}

pub fn fail(fault: Fault) {
    use seccompiler::SeccompAction;
    use seccompiler::SeccompCmpArgLen;
    use seccompiler::SeccompCmpOp;
    use seccompiler::SeccompCondition;
    use seccompiler::SeccompFilter;
    use seccompiler::SeccompRule;
    // Files only: what the test says goes to 1 and 2.
    let a_file = || {
        let above = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Gt, 2).expect("a condition");
        vec![SeccompRule::new(vec![above]).expect("a rule")]
    };
    let rules = fault.calls.iter().map(|call| (*call, a_file())).collect();
    let here = std::env::consts::ARCH.try_into().expect("a machine that seccompiler knows");
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(fault.errno), here);
    let program: seccompiler::BpfProgram = filter.expect("a filter").try_into().expect("a program");
    seccompiler::apply_filter_all_threads(&program).expect("the kernel takes it");
}
