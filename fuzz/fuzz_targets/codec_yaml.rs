//! Texts that are taken for YAML.
#![no_main]

#[path = "../codecs.rs"]
#[expect(dead_code, reason = "each target uses one of the functions")]
mod codecs;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| codecs::yaml(bytes));
