//! What must hold for any Dockerfile and any ignore file: an answer or a refusal, no panic, and the
//! same answer twice.
//!
//! The fuzzer calls these functions, and so do the tests of `sampan-build`.

use std::path::Path;

use sampan_build::dockerfile::Dockerfile;
use sampan_build::dockerfile::environment::Environment;
use sampan_build::dockerfile::expand::Expander;
use sampan_build::ignore::Ignore;

/// A Dockerfile is read or refused, and so is every line of it as a word with variables.
///
/// # Panics
/// When two readings differ.
pub(crate) fn dockerfile(text: &str) {
    let environment = Environment::from_entries(["a=x y", "b=", "EOF=1"]);
    assert_eq!(Dockerfile::parse(text).ok(), Dockerfile::parse(text).ok());
    for line in text.lines() {
        for expander in [
            Expander::new('\\'),
            Expander::new('`').keep_quotes().keep_unset(),
        ] {
            let word = expander.word(line, &environment);
            let words = expander.words(line, &environment);
            assert_eq!(word.is_ok(), words.is_ok());
        }
    }
}

/// The first line is a path, the rest an ignore file.
///
/// # Panics
/// When two answers differ.
pub(crate) fn ignore(text: &str) {
    let (path, patterns) = text.split_once('\n').unwrap_or((text, ""));
    if let Ok(ignore) = Ignore::parse(patterns) {
        assert_eq!(
            ignore.ignores(Path::new(path)),
            ignore.ignores(Path::new(path))
        );
    }
}
