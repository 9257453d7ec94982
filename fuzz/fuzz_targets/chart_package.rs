//! Packed charts that are uploaded.
#![no_main]

#[path = "../charts.rs"]
#[expect(dead_code, reason = "each target uses a part")]
mod charts;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| charts::package(bytes));
