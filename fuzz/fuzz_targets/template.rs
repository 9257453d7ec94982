//! Templates of charts.
#![no_main]

#[path = "../template.rs"]
mod template;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // Templates recurse deeper than the stack of the fuzzer's thread.
    let bytes = bytes.to_vec();
    std::thread::Builder::new()
        .stack_size(256 << 20)
        .spawn(move || template::template(&bytes))
        .expect("a thread can be started")
        .join()
        .expect("templates do not panic");
});
