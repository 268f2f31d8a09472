//! The reader's threads in this process, counted, so that the process can end after them.
//!
//! When a process ends, libpcsclite takes its table of contexts down without its lock (1.9.9, `destructor` in
//! `winscard_clnt.c`), also while a thread of ours is giving a context back: a double free, and an abort instead of an exit code.

use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::thread;
use std::time::Duration;

static RUNNING: Mutex<usize> = Mutex::new(0);
static ENDED: Condvar = Condvar::new();

/// Starts a thread that is counted until all that `run` had is dropped.
pub(super) fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let counted = Counted::one();
    thread::Builder::new().name(name.into()).spawn(move || {
        run();
        drop(counted);
    })?;
    Ok(())
}

/// Waits until no thread of a reader runs any more, whose handles must be dropped before; whether that came `within`. A
/// thread that its driver swallowed never ends.
pub fn settle(within: Duration) -> bool {
    let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    let waited = ENDED.wait_timeout_while(running, within, |running| *running > 0);
    !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
}

struct Counted;

impl Counted {
    fn one() -> Counted {
        *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Counted
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        ENDED.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn what_still_runs_is_waited_for_and_no_longer_than_asked() {
        let (end, ended) = mpsc::channel::<()>();
        spawn("card-test", move || {
            let _ended = ended.recv();
        })
        .expect("a thread starts");
        assert!(!settle(Duration::from_millis(20)));
        drop(end);
        assert!(settle(Duration::from_secs(20)));
    }
}
