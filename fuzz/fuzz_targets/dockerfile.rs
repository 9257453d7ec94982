//! Dockerfiles.
#![no_main]

#[path = "../dockerfile.rs"]
#[expect(dead_code, reason = "each target uses one of the functions")]
mod dockerfile;

libfuzzer_sys::fuzz_target!(|text: &str| dockerfile::dockerfile(text));
