//! Streams of SPDY frames.
#![no_main]

#[path = "../spdy.rs"]
#[allow(dead_code, reason = "only reading is tried")]
mod spdy;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| spdy::frames(bytes));
