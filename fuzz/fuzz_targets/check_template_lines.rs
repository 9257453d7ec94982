//! Templates and what they may have printed.
#![no_main]

#[path = "../manifests.rs"]
#[expect(dead_code, reason = "each target uses one of the functions")]
mod manifests;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| manifests::template_lines(bytes));
