//! Secrets in logs.
#![no_main]

#[path = "../mask.rs"]
mod mask;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mask::mask(bytes));
