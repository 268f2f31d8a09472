//! libFuzzer around one target, named by `CHEVET_FUZZ`. Built by `scripts/fuzz`, which says how it is instrumented.

#![no_main]

mod targets;

use std::sync::LazyLock;

static CHOSEN: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("CHEVET_FUZZ").unwrap_or_default();
    let known = targets::TARGETS.iter().find(|(target, _)| *target == name);
    known.unwrap_or_else(|| panic!("CHEVET_FUZZ names no target: {name:?}")).1
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| CHOSEN(bytes));
