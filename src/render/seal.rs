//! How a child gives up everything it does not need: rlimits, Landlock, seccomp. Each in safe Rust; no way back.

use std::collections::BTreeMap;

use landlock::ABI;
use landlock::Access;
use landlock::AccessFs;
use landlock::AccessNet;
use landlock::Ruleset;
use landlock::RulesetAttr;
use landlock::RulesetStatus;
use landlock::Scope;
use rustix::mm::MlockAllFlags;
use rustix::process::DumpableBehavior;
use rustix::process::Resource;
use rustix::process::Rlimit;
use rustix::process::Signal;
use rustix::thread::CapabilitySet;
use seccompiler::BpfProgram;
use seccompiler::SeccompAction;
use seccompiler::SeccompCmpArgLen;
use seccompiler::SeccompCmpOp;
use seccompiler::SeccompCondition;
use seccompiler::SeccompFilter;
use seccompiler::SeccompRule;

/// Where the document is: a memory file given as standard input.
pub const DOCUMENT_FD: u64 = 0;
/// Where the parent speaks and listens: a socket given as standard output.
pub const PARENT_FD: u64 = 1;
const ERROR_FD: u64 = 2;

/// What the parent allows one child.
#[derive(Clone, Copy)]
pub struct Allowance {
    pub memory_bytes_max: u64,
    pub cpu_s_max: u64,
}

/// All of it, in this order: what a later step forbids, an earlier one no longer needs. Says whether Landlock holds.
pub fn seal(allowance: Allowance) -> Result<bool, &'static str> {
    limit(allowance)?;
    // The kernel ends this process when the thread that made it ends: a dead kiosk leaves no reader behind.
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).map_err(|_| "parent death signal")?;
    // No core dump, and no debugger of the same user: a document in clear is in here.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(|_| "dumpable")?;
    keep_out_of_swap();
    let landlocked = landlock()?;
    filter()?;
    Ok(landlocked)
}

/// As the kiosk itself (`device::memory`), which says in its log when the system does not let it: both or neither.
fn keep_out_of_swap() {
    let is_unlimited = rustix::process::getrlimit(Resource::Memlock).current.is_none();
    let held = rustix::thread::capabilities(None);
    if is_unlimited || held.is_ok_and(|held| held.effective.contains(CapabilitySet::IPC_LOCK)) {
        let flags = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
        let _said_by_the_kiosk = rustix::mm::mlockall(flags);
    }
}

/// No file, no network, no signal or abstract socket to anybody. True when the kernel enforces all of it.
pub fn landlock() -> Result<bool, &'static str> {
    // Linux 6.12, the oldest kernel of a board, has ABI 6.
    let abi = ABI::V6;
    let status = Ruleset::default()
        .handle_access(AccessFs::from_all(abi))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(abi)))
        .and_then(|rules| rules.scope(Scope::from_all(abi)))
        .and_then(Ruleset::create)
        .and_then(|rules| rules.restrict_self())
        .map_err(|_| "landlock")?;
    Ok(status.ruleset == RulesetStatus::FullyEnforced && status.no_new_privs)
}

fn limit(allowance: Allowance) -> Result<(), &'static str> {
    let limits = [
        (Resource::As, allowance.memory_bytes_max),
        (Resource::Cpu, allowance.cpu_s_max),
        (Resource::Nofile, 16),
        (Resource::Nproc, 0),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
    ];
    for (resource, most) in limits {
        let limit = Rlimit { current: Some(most), maximum: Some(most) };
        rustix::process::setrlimit(resource, limit).map_err(|_| "rlimits")?;
    }
    Ok(())
}

/// Anything that is not on the list ends the process with SIGSYS.
fn filter() -> Result<(), &'static str> {
    let arch = std::env::consts::ARCH.try_into().map_err(|_| "seccomp: unknown processor")?;
    let filter = SeccompFilter::new(allowed()?, SeccompAction::KillProcess, SeccompAction::Allow, arch);
    let program: BpfProgram = filter.and_then(TryInto::try_into).map_err(|_| "seccomp: the filter")?;
    seccompiler::apply_filter(&program).map_err(|_| "seccomp")
}

/// The three descriptors, memory without code, the end, and what the C library asks of itself.
fn allowed() -> Result<BTreeMap<i64, Vec<SeccompRule>>, &'static str> {
    let on = |argument, value| condition(argument, SeccompCmpOp::Eq, value);
    let executable = u64::from(libc::PROT_EXEC.unsigned_abs());
    let no_code = || condition(2, SeccompCmpOp::MaskedEq(executable), 0);
    let mut allowed = BTreeMap::from([
        (libc::SYS_read, vec![on(0, PARENT_FD)?]),
        (libc::SYS_write, vec![on(0, PARENT_FD)?, on(0, ERROR_FD)?]),
        (libc::SYS_pread64, vec![on(0, DOCUMENT_FD)?]),
        (libc::SYS_mmap, vec![no_code()?]),
        (libc::SYS_mprotect, vec![no_code()?]),
    ]);
    for call in [
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_brk,
        libc::SYS_madvise,
        libc::SYS_futex,
        libc::SYS_getrandom,
        libc::SYS_clock_gettime,
        libc::SYS_sched_yield,
        libc::SYS_sched_getaffinity,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_restart_syscall,
        libc::SYS_getpid,
        libc::SYS_gettid,
        libc::SYS_exit,
        libc::SYS_exit_group,
    ] {
        allowed.insert(call, Vec::new());
    }
    Ok(allowed)
}

fn condition(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompRule, &'static str> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
        .and_then(|condition| SeccompRule::new(vec![condition]))
        .map_err(|_| "seccomp: a condition")
}
