//! Descriptions of apps: read or refused, and read alike each time.
#![no_main]

use sampan_model::app::AppFile;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let read = || AppFile::parse("sampan.yaml", text).map_err(|error| error.to_string());
    assert_eq!(read().is_ok(), read().is_ok());
});
