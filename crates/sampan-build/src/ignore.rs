//! `.dockerignore`: which files of the context do not take part in a build.
//!
//! The semantics are those of moby's pattern matcher: patterns are anchored at the root of the
//! context, the last pattern that matches a path decides, a directory that matches takes everything
//! below it along, and `!` takes paths back in, also below a directory that is left out.

pub(crate) mod pattern;

use std::path::Path;

use pattern::Pattern;

/// A pattern that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: invalid pattern `{pattern}`")]
pub struct IgnoreError {
    /// The line in the file, counted from 1.
    pub line: usize,
    /// The pattern as written.
    pub pattern: String,
}

impl sampan_model::Hint for IgnoreError {
    fn hint(&self) -> Option<String> {
        Some("close each `[` with a `]`, and put a pattern behind `!`".into())
    }
}

/// The patterns of an ignore file.
#[derive(Clone, Debug, Default)]
pub struct Ignore {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    pattern: Pattern,
    /// `!pattern`: what matches is taken back in.
    keep: bool,
}

/// Which patterns matched a directory; its children inherit them.
#[derive(Clone, Debug, Default)]
pub struct Matches {
    by_rule: Vec<bool>,
}

impl Ignore {
    /// Reads the text of an ignore file.
    ///
    /// # Errors
    /// Names the first line whose pattern is malformed.
    pub fn parse(text: &str) -> Result<Self, IgnoreError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut rules = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let written = line.trim();
            if line.starts_with('#') || written.is_empty() {
                continue;
            }
            let error = || IgnoreError {
                line: index + 1,
                pattern: written.to_owned(),
            };
            let (keep, pattern) = match written.strip_prefix('!') {
                Some(pattern) => (true, pattern.trim()),
                None => (false, written),
            };
            if pattern.is_empty() {
                return Err(error());
            }
            let pattern = clean(pattern);
            rules.push(Rule {
                pattern: Pattern::parse(&pattern).ok_or_else(error)?,
                keep,
            });
        }
        Ok(Self { rules })
    }

    /// The patterns of `--exclude` flags.
    ///
    /// # Errors
    /// Names the pattern that is malformed; `line` is its place among the flags.
    pub fn from_patterns(patterns: &[String]) -> Result<Self, IgnoreError> {
        Self::parse(&patterns.join("\n"))
    }

    /// Whether nothing is ever left out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether something below a directory that is left out may still take part.
    #[must_use]
    pub fn has_exceptions(&self) -> bool {
        self.rules.iter().any(|rule| rule.keep)
    }

    /// Whether `path`, relative to the context, is left out, given what its parent matched.
    #[must_use]
    pub fn check(&self, path: &str, parent: &Matches) -> (bool, Matches) {
        let mut ignored = false;
        let mut matches = Matches {
            by_rule: vec![false; self.rules.len()],
        };
        for (index, rule) in self.rules.iter().enumerate() {
            let mut hit = parent.by_rule.get(index).copied().unwrap_or(false);
            // A pattern that could not change the answer is not tried.
            if !hit && rule.keep == ignored {
                hit = rule.pattern.matches(path);
            }
            matches.by_rule[index] = hit;
            if hit {
                ignored = !rule.keep;
            }
        }
        (ignored, matches)
    }

    /// Whether `path`, relative to the context, is left out.
    #[must_use]
    pub fn ignores(&self, path: &Path) -> bool {
        let mut prefix = String::new();
        let mut matches = Matches::default();
        let mut ignored = false;
        for component in path.components() {
            if !prefix.is_empty() {
                prefix.push('/');
            }
            prefix.push_str(&component.as_os_str().to_string_lossy());
            (ignored, matches) = self.check(&prefix, &matches);
        }
        ignored
    }
}

/// The shortest equivalent path, without a leading slash: `./a//b/../c/` is `a/c`.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            // At the root there is nothing above; elsewhere the pattern can match nothing.
            ".." if path.starts_with('/') => {}
            other => parts.push(other),
        }
    }
    if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    }
}
