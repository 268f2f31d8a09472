//! Counts what the allocator is asked for. The only `unsafe` beside the program, and not linked into it.

use std::alloc::GlobalAlloc;
use std::alloc::Layout;
use std::alloc::System;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

/// The system's allocator, counted.
pub struct Counted;

static CALLS: AtomicUsize = AtomicUsize::new(0);
static BYTES: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged; counters beside it cannot break its contract.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, Relaxed);
        let held = BYTES.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(held, Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        BYTES.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(place, layout) }
    }
}

/// Calls for memory so far.
pub fn calls() -> usize {
    CALLS.load(Relaxed)
}

/// Bytes held now.
pub fn held() -> usize {
    BYTES.load(Relaxed)
}

/// Forgets the highest so far; bytes held now.
pub fn begin() -> usize {
    PEAK.store(held(), Relaxed);
    held()
}

/// The highest since [`begin`].
pub fn peak() -> usize {
    PEAK.load(Relaxed)
}
