//! What this process holds in memory stays there: no core dump, no debugger of the same user, and no swap where the system
//! lets us.
//!
//! Pages are locked as they are touched (`MCL_ONFAULT`), so that stacks and libraries cost what they use. A limit on locked
//! memory (`RLIMIT_MEMLOCK`) below the need would make a later allocation fail in the middle of a visit: so there is all or
//! nothing, and the log says which.

use rustix::mm::MlockAllFlags;
use rustix::process::DumpableBehavior;
use rustix::process::Resource;
use rustix::process::Rlimit;
use rustix::thread::CapabilitySet;

/// What a process that holds secrets could not do for them.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("core dumps cannot be forbidden")]
    Core { source: std::io::Error },
    #[error("other processes of this user cannot be kept out")]
    Dumpable { source: std::io::Error },
}

/// Whether a page can reach the swap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locked {
    /// None can.
    Yes,
    /// The limit on locked memory forbids it: `LimitMEMLOCK=infinity` in the unit, or CAP_IPC_LOCK.
    LimitTooLow,
    /// The kernel refused for another reason.
    Refused,
}

/// Before anything secret is read. What this process starts inherits the first; the second each does for itself.
pub fn keep_to_ourselves() -> Result<(), Error> {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    rustix::process::setrlimit(Resource::Core, none).map_err(|errno| Error::Core { source: errno.into() })?;
    let not_dumpable = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    not_dumpable.map_err(|errno| Error::Dumpable { source: errno.into() })
}

/// Keeps every page of this process, now and later, out of the swap.
pub fn lock() -> Locked {
    if !may_lock_all() {
        return Locked::LimitTooLow;
    }
    let flags = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
    if rustix::mm::mlockall(flags).is_ok() { Locked::Yes } else { Locked::Refused }
}

/// Without a limit, or above it (mlock(2)).
fn may_lock_all() -> bool {
    let is_unlimited = rustix::process::getrlimit(Resource::Memlock).current.is_none();
    is_unlimited
        || rustix::thread::capabilities(None).is_ok_and(|held| held.effective.contains(CapabilitySet::IPC_LOCK))
}
