//! What must hold for any pattern of branches, tags, paths and files: it is read or refused, takes no longer than the product
//! of both lengths, and answers the same twice.
//!
//! Some of the files are those of `sampan-pipeline`, which keeps them to itself.

use sampan_pipeline::github::pattern::{Pattern, Patterns};

#[path = "../crates/sampan-pipeline/src/glob.rs"]
#[expect(dead_code, reason = "each user uses some of it")]
mod glob;

use glob::{Form, Glob};

/// Takes the first line for a pattern, and the others for what it is compared with.
///
/// # Panics
/// When two comparisons differ, or a plain text does not match itself.
pub(crate) fn pattern(text: &str) {
    let (pattern, texts) = text.split_once('\n').unwrap_or((text, text));
    for form in [Form::Flat, Form::Deep, Form::DeepWithParent] {
        let Some(glob) = Glob::new(pattern, form) else {
            continue;
        };
        for text in texts.lines() {
            assert_eq!(glob.matches(text), glob.matches(text));
        }
        if !pattern.contains(['*', '?', '[', '{', '\\']) {
            assert!(glob.matches(pattern), "{pattern}");
        }
    }
    let Ok(parsed) = Pattern::parse(pattern) else {
        return;
    };
    let patterns = Patterns::new(vec![(pattern.to_owned(), parsed.clone())]);
    for text in texts.lines() {
        let chosen = patterns.choosing(text).is_some();
        assert_eq!(chosen, parsed.matches(text) && !parsed.is_negated());
    }
    if !pattern.contains(['*', '?', '+', '[', '\\', '!']) {
        assert!(parsed.matches(pattern), "{pattern}");
    }
}
