//! What must hold for any file with results: it is read or refused, and what is read adds up.
//!
//! The fuzzer calls this function, and so do the tests of `sampan-pipeline`.

use sampan_pipeline::results::{Format, Results};

const FORMATS: [Format; 8] = [
    Format::JUnit,
    Format::Lcov,
    Format::Cobertura,
    Format::GoCoverage,
    Format::Sarif,
    Format::Checkstyle,
    Format::GolangciLint,
    Format::Clippy,
];

/// Takes bytes for a file of each format.
///
/// # Panics
/// When more was run than there is.
pub(crate) fn results(bytes: &[u8]) {
    let mut all = Results::default();
    for format in FORMATS.into_iter().chain(Format::of(bytes)) {
        if let Ok(results) = Results::read(format, bytes) {
            all.add(results);
        }
    }
    let (run, of) = all.coverage.covered();
    assert!(run <= of, "more was run than there is");
}
