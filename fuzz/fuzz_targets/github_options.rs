//! Options of containers, labels of runners and shells in workflows.
#![no_main]

#[path = "../github.rs"]
#[allow(dead_code, reason = "each target calls one of the functions")]
mod github;

libfuzzer_sys::fuzz_target!(|text: &str| github::options(text));
