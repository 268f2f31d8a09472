//! A disk that fails at one call, or from one call on: the program's own `write`, `fsync`, `rename` … stand here.
//!
//! The linker takes a program's own functions before the C library's, so that the standard library and SQLite both come by.
//! Until a fault is set, each one only passes on to the kernel. Standard output and error never fail.

use std::ffi::c_char;
use std::ffi::c_int;
use std::ffi::c_long;
use std::ffi::c_void;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicI32;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;

/// What goes wrong, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    pub name: &'static str,
    pub errno: i32,
    /// `false`: that one call alone.
    pub stays: bool,
}

pub const FAULTS: &[Fault] = &[
    Fault { name: "full for a moment", errno: libc::ENOSPC, stays: false },
    Fault { name: "full", errno: libc::ENOSPC, stays: true },
    Fault { name: "an input/output error", errno: libc::EIO, stays: false },
    Fault { name: "input/output errors", errno: libc::EIO, stays: true },
    Fault { name: "read-only", errno: libc::EROFS, stays: true },
];

/// Calls so far, the one that fails (0: none does), and how.
static CALLS: AtomicU64 = AtomicU64::new(0);
static FAILS_AT: AtomicU64 = AtomicU64::new(0);
static ERRNO: AtomicI32 = AtomicI32::new(0);
static STAYS: AtomicBool = AtomicBool::new(false);

/// From here on calls are counted from 1, and that one fails.
pub fn set(fault: Fault, at: u64) {
    ERRNO.store(fault.errno, SeqCst);
    STAYS.store(fault.stays, SeqCst);
    CALLS.store(0, SeqCst);
    FAILS_AT.store(at, SeqCst);
}

/// The disk is well again. Says how many calls there were.
pub fn heal() -> u64 {
    FAILS_AT.store(0, SeqCst);
    CALLS.swap(0, SeqCst)
}

fn fails() -> bool {
    let at = FAILS_AT.load(SeqCst);
    let call = CALLS.fetch_add(1, SeqCst) + 1;
    let does = at != 0 && (call == at || (call > at && STAYS.load(SeqCst)));
    if does {
        // SAFETY: the place of this thread's own error number.
        unsafe { *libc::__errno_location() = ERRNO.load(SeqCst) };
    }
    does
}

/// A disk that fills up takes a part first.
fn taken(length: usize) -> usize {
    let at = FAILS_AT.load(SeqCst);
    let is_next = at != 0 && CALLS.load(SeqCst) + 1 == at;
    if is_next && ERRNO.load(SeqCst) == libc::ENOSPC && length > 1 {
        // The rest is asked for again, and that call is the one that fails.
        length / 2
    } else {
        length
    }
}

/// One function of the C library: counted, failed or passed on.
macro_rules! passes_on {
    ($name:ident, $call:ident ($($arg:ident: $kind:ty),*) if $counts:expr) => {
        // SAFETY: the same arguments go to the same system call; nothing here reads what they point to.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($($arg: $kind),*) -> c_int {
            if $counts && fails() { -1 } else { unsafe { libc::syscall(libc::$call, $($arg),*) as c_int } }
        }
    };
}

passes_on!(fsync, SYS_fsync(file: c_int) if true);
passes_on!(fdatasync, SYS_fdatasync(file: c_int) if true);
passes_on!(ftruncate, SYS_ftruncate(file: c_int, size: c_long) if true);
passes_on!(ftruncate64, SYS_ftruncate(file: c_int, size: c_long) if true);

// SAFETY of the following: as above. Where a machine has no such call, the one that names its folder does the same.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn write(file: c_int, bytes: *const c_void, length: usize) -> isize {
    if file <= 2 {
        return unsafe { libc::syscall(libc::SYS_write, file, bytes, length) as isize };
    }
    let taken = taken(length);
    let failed = taken == length && fails();
    if failed { -1 } else { unsafe { libc::syscall(libc::SYS_write, file, bytes, taken) as isize } }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite64(file: c_int, bytes: *const c_void, length: usize, at: c_long) -> isize {
    let taken = taken(length);
    let failed = taken == length && fails();
    if failed { -1 } else { unsafe { libc::syscall(libc::SYS_pwrite64, file, bytes, taken, at) as isize } }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite(file: c_int, bytes: *const c_void, length: usize, at: c_long) -> isize {
    unsafe { pwrite64(file, bytes, length, at) }
}

/// Opening fails only where something is to be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn open64(path: *const c_char, flags: c_int, mode: c_int) -> c_int {
    let writes = flags & (libc::O_WRONLY | libc::O_RDWR) != 0;
    if writes && fails() {
        return -1;
    }
    unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path, flags, mode) as c_int }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: c_int) -> c_int {
    unsafe { open64(path, flags, mode) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn unlink(path: *const c_char) -> c_int {
    let failed = fails();
    if failed { -1 } else { unsafe { libc::syscall(libc::SYS_unlinkat, libc::AT_FDCWD, path, 0) as c_int } }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkdir(path: *const c_char, mode: c_int) -> c_int {
    let failed = fails();
    if failed { -1 } else { unsafe { libc::syscall(libc::SYS_mkdirat, libc::AT_FDCWD, path, mode) as c_int } }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    let here = libc::AT_FDCWD;
    let failed = fails();
    if failed { -1 } else { unsafe { libc::syscall(libc::SYS_renameat2, here, from, here, to, 0) as c_int } }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn linkat(
    from_in: c_int,
    from: *const c_char,
    to_in: c_int,
    to: *const c_char,
    flags: c_int,
) -> c_int {
    let failed = fails();
    if failed { -1 } else { unsafe { libc::syscall(libc::SYS_linkat, from_in, from, to_in, to, flags) as c_int } }
}
