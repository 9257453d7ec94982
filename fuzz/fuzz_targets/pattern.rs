//! Patterns of branches, tags, paths and files.
#![no_main]

#[path = "../patterns.rs"]
mod patterns;

libfuzzer_sys::fuzz_target!(|text: &str| patterns::pattern(text));
