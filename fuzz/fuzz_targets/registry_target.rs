//! Paths and queries that clients of the registry send.
#![no_main]

#[path = "../registry.rs"]
#[expect(dead_code, reason = "each target uses a part")]
mod registry;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| registry::target(bytes));
