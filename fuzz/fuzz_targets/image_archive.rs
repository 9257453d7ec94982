//! Archives of images, loaded.
#![no_main]

use std::sync::LazyLock;

static PLACE: LazyLock<sampan_fuzz::Place> = LazyLock::new(sampan_fuzz::Place::new);

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| PLACE.image_archive(bytes));
