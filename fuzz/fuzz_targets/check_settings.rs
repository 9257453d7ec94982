//! Texts that are taken for settings of a check.
#![no_main]

#[path = "../manifests.rs"]
#[expect(dead_code, reason = "each target uses one of the functions")]
mod manifests;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| manifests::settings(bytes));
