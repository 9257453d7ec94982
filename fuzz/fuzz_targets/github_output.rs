//! What steps of GitHub's workflows say and write.
#![no_main]

#[path = "../github.rs"]
#[allow(dead_code, reason = "each target calls one of the functions")]
mod github;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| github::output(bytes));
