//! One program for all targets, so that the library is linked once: `TOUCHLINE_FUZZ_TARGET` says which. libFuzzer brings
//! `main` and calls us for each input; a panic ends the process, and libFuzzer keeps the input.
#![no_main]

use std::sync::OnceLock;

use touchline_fuzz::{Target, find};

static TARGET: OnceLock<Target> = OnceLock::new();

fn chosen() -> Target {
    let name = std::env::var("TOUCHLINE_FUZZ_TARGET").unwrap_or_default();
    find(&name).unwrap_or_else(|| panic!("TOUCHLINE_FUZZ_TARGET names no target: `{name}`"))
}

/// # Safety
/// As libFuzzer calls it: `octets` points to `count` readable octets, or `count` is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn LLVMFuzzerTestOneInput(octets: *const u8, count: usize) -> i32 {
    // An empty input may come as a null pointer.
    let input: &[u8] = if count == 0 { &[] } else { unsafe { std::slice::from_raw_parts(octets, count) } };
    (TARGET.get_or_init(chosen).run)(input);
    0
}
