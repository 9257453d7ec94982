//! Texts that are taken for TOML.
#![no_main]

#[path = "../codecs.rs"]
#[expect(dead_code, reason = "each target uses one of the functions")]
mod codecs;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| codecs::toml(bytes));
