//! See `kubernetes.rs`.

#![no_main]

#[path = "../kubernetes.rs"]
mod kubernetes;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kubernetes::protobuf(bytes));
