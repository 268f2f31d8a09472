//! What can be made to go wrong, for tests of the other side.

use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

/// One thing at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Connections are closed as soon as they are made.
    Deaf,
    /// This status for every request, with `Retry-After` where given.
    Status { status: u16, retry_after_s: Option<u32> },
    /// 200, and JSON that ends in the middle of a word.
    MalformedJson,
    /// The right answer, cut at half of its announced length.
    Truncated,
    /// 422 for whatever a holder adds.
    RefusesNotes,
    /// 415 for a compressed body.
    NoGzip,
    /// The right answer, each time cut after so many bytes.
    CutAfter(usize),
    /// The right answer, after a while.
    Slow(Duration),
    /// `patient.identifier` finds nothing, silently: this server does not chain.
    Unchained,
    /// A server certificate by an authority that nobody trusts, on new connections.
    WrongCertificate,
}

/// The switch.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Option<Fault>>);

impl Faults {
    pub fn set(&self, fault: Fault) {
        *self.lock() = Some(fault);
    }

    pub fn clear(&self) {
        *self.lock() = None;
    }

    pub fn now(&self) -> Option<Fault> {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
