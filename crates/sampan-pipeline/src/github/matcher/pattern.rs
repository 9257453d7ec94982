//! One pattern of a matcher: an expression of ECMAScript, and what its groups are.

use fancy_regex::{Captures, Regex, RegexBuilder};
use serde::Deserialize;

use super::Match;

/// How far a pattern may go back and forth in one line. One that goes further does not match.
const LIMIT_STEPS: usize = 100_000;

/// As much memory a pattern may take in either of its forms.
const LIMIT_SIZE_BYTES: usize = 512 << 10;

/// A line goes further than a pattern may go.
#[derive(Debug)]
pub(super) struct TooMuch;

/// One pattern.
#[derive(Debug)]
pub(super) struct Pattern {
    expression: Regex,
    pub(super) groups: Groups,
    pub(super) loops: bool,
}

/// The numbers of groups.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Groups {
    pub(super) file: Option<usize>,
    pub(super) line: Option<usize>,
    pub(super) column: Option<usize>,
    pub(super) severity: Option<usize>,
    pub(super) code: Option<usize>,
    pub(super) message: Option<usize>,
    pub(super) from_path: Option<usize>,
}

impl Groups {
    /// All of them with their names.
    pub(super) fn all(&self) -> [(&'static str, Option<usize>); 7] {
        [
            ("file", self.file),
            ("line", self.line),
            ("column", self.column),
            ("severity", self.severity),
            ("code", self.code),
            ("message", self.message),
            ("fromPath", self.from_path),
        ]
    }
}

impl Pattern {
    pub(super) fn new(
        text: &str,
        groups: Groups,
        loops: bool,
    ) -> Result<Self, Box<fancy_regex::Error>> {
        let expression = RegexBuilder::new(&translated(text))
            .backtrack_limit(LIMIT_STEPS)
            .delegate_size_limit(LIMIT_SIZE_BYTES)
            .delegate_dfa_size_limit(LIMIT_SIZE_BYTES)
            .build()?;
        Ok(Self {
            expression,
            groups,
            loops,
        })
    }

    /// How many groups there are, the whole match included.
    pub(super) fn group_count(&self) -> usize {
        self.expression.captures_len()
    }

    /// The parts of a line, where it matches.
    pub(super) fn find(&self, line: &str) -> Result<Option<Match>, TooMuch> {
        let captures = match self.expression.captures(line) {
            Ok(Some(captures)) => captures,
            Ok(None) => return Ok(None),
            Err(error) => {
                tracing::debug!(%error, "a line is too much for a problem matcher");
                return Err(TooMuch);
            }
        };
        let groups = &self.groups;
        Ok(Some(Match {
            file: part(&captures, groups.file),
            line: part(&captures, groups.line),
            column: part(&captures, groups.column),
            severity: part(&captures, groups.severity),
            code: part(&captures, groups.code),
            message: part(&captures, groups.message),
            from_path: part(&captures, groups.from_path),
        }))
    }
}

/// What a group has matched; nothing, but not absent, when it took no part.
fn part(captures: &Captures<'_, str>, group: Option<usize>) -> Option<String> {
    let found = captures.get(group?);
    Some(found.map_or_else(String::new, |found| found.as_str().to_owned()))
}

/// An expression of ECMAScript as the library reads it: classes are those of ASCII, and a bracket in a class is itself.
fn translated(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_class = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let Some(escaped) = chars.next() else {
                    out.push('\\');
                    break;
                };
                if let Some(class) = class(escaped, in_class) {
                    out.push_str(class);
                } else {
                    out.push('\\');
                    out.push(escaped);
                }
            }
            '[' if in_class => out.push_str("\\["),
            '[' => {
                in_class = true;
                out.push('[');
                if chars.peek() == Some(&'^') {
                    chars.next();
                    out.push('^');
                }
            }
            ']' => {
                in_class = false;
                out.push(']');
            }
            '&' | '~' if in_class => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

/// What an escaped letter stands for, where that differs.
fn class(letter: char, in_class: bool) -> Option<&'static str> {
    Some(match (letter, in_class) {
        ('d', false) => "[0-9]",
        ('d', true) => "0-9",
        ('D', _) => "[^0-9]",
        ('w', false) => "[0-9A-Za-z_]",
        ('w', true) => "0-9A-Za-z_",
        ('W', _) => "[^0-9A-Za-z_]",
        ('s', false) => "[ \\t\\n\\x0B\\f\\r]",
        ('s', true) => " \\t\\n\\x0B\\f\\r",
        ('S', _) => "[^ \\t\\n\\x0B\\f\\r]",
        ('/', _) => "/",
        _ => return None,
    })
}
