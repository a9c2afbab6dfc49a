//! Feeds libFuzzer's bytes to the one decoder that `TASUKI_FUZZ_TARGET` names.
//!
//! One program for all targets: a new decoder costs a line in `targets.rs` and no linking.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

mod targets;

static DECODE: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("TASUKI_FUZZ_TARGET").unwrap_or_default();
    let found = targets::TARGETS.iter().find(|target| target.name == name);
    found.unwrap_or_else(|| panic!("TASUKI_FUZZ_TARGET names no target: {name:?}")).decode
});

fuzz_target!(|bytes: &[u8]| (*DECODE)(bytes));
