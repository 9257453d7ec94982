//! Bytes that are taken for the record of a release.
#![no_main]

#[path = "../releases.rs"]
mod releases;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| releases::record(bytes));
