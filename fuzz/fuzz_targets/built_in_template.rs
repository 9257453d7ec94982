//! Templates of messages.
#![no_main]

#[path = "../built_in.rs"]
mod built_in;

libfuzzer_sys::fuzz_target!(|text: &str| built_in::template(text));
