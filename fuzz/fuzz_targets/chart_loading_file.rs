//! Charts: file.
#![no_main]

#[path = "../chart_loading.rs"]
#[expect(dead_code, reason = "each target uses a part")]
mod chart_loading;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| chart_loading::file(bytes));
