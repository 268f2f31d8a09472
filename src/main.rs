//! `chevet`: arguments → `cli`.

use std::alloc::System;
use zeroizing_alloc::ZeroAlloc;

/// What is given back to the heap is wiped first, whoever had it: a document's text passes through parsers, TLS buffers and
/// the window's strings, and none of them wipes.
#[global_allocator]
static HEAP: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> std::process::ExitCode {
    chevet::cli::run()
}
