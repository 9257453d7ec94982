//! What must hold for any bytes in a Secret that is taken for the record of a release: they are read or refused in bounded
//! memory, and what was read is a record again when it is written.
//!
//! The fuzzer calls this function, and so do the tests of `sampan-chart`.

use sampan_chart::release::{decode, encode};

/// Reads bytes as the text of a Secret, and as the JSON of a record.
///
/// # Panics
/// When a record that was written is none.
pub(crate) fn record(bytes: &[u8]) {
    let packed = packed(bytes);
    for text in [bytes, packed.as_bytes()] {
        let Ok(release) = decode(text) else {
            continue;
        };
        let written = encode(&release).expect("what was read can be written");
        let again = decode(written.as_bytes()).expect("what was written is a record");
        assert_eq!(again.version, release.version);
        assert_eq!(again.hooks.len(), release.hooks.len());
        assert_eq!(again.info.status, release.info.status);
    }
}

/// Bytes in the coding of Secrets.
fn packed(bytes: &[u8]) -> String {
    use base64::Engine as _;
    use std::io::Write as _;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).expect("memory takes all");
    base64::engine::general_purpose::STANDARD.encode(packed.finish().expect("memory takes all"))
}
