//! The regular expressions of an expression. Questions about the items of a list ask the same ones again and again.

use std::collections::BTreeMap;

use regex_automata::meta::{Builder, Config, Regex};
use regex_automata::util::syntax;

/// What reading one costs, in the unit of values that are looked at.
const READING: usize = 2_000;
/// How many bytes of text times bytes of a regular expression cost as much as a value that is looked at.
const MATCHING: usize = 16 << 10;

/// Regular expressions that were read.
#[derive(Default)]
pub(super) struct Regexes {
    known: BTreeMap<String, Regex>,
}

impl Regexes {
    /// Whether a regular expression is found in a text, and what `spend` allows for it.
    pub(super) fn matches(
        &mut self,
        text: &str,
        pattern: &str,
        spend: &mut dyn FnMut(usize) -> Result<(), String>,
    ) -> Result<bool, String> {
        if !self.known.contains_key(pattern) {
            spend(READING)?;
            self.known.insert(pattern.to_owned(), read(pattern)?);
        }
        let regex = &self.known[pattern];
        spend(text.len().saturating_mul(regex.memory_usage()) / MATCHING)?;
        Ok(regex.is_match(text))
    }
}

fn read(pattern: &str) -> Result<Regex, String> {
    Builder::new()
        .configure(Config::new().nfa_size_limit(Some(1 << 20)))
        // Classes like `\d` are of ASCII, as in Go.
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .build(pattern)
        .map_err(|_| format!("`{pattern}`, which is no regular expression,"))
}
