//! Files with results of tests and tools.
#![no_main]

#[path = "../results.rs"]
mod results;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| results::results(bytes));
