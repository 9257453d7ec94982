//! Differences between versions of files, and files with secrets.
#![no_main]

#[path = "../pipeline.rs"]
#[expect(dead_code, reason = "each target uses one of the functions")]
mod pipeline;

libfuzzer_sys::fuzz_target!(|text: &str| pipeline::changes(text));
