//! Patterns for the names of repositories.

use std::fmt;
use std::str::FromStr;

use sampan_model::Hint;
use sampan_store::registry::Pattern as Wildcards;

/// Names of repositories: one, or all that a text with wildcards meets. A `*` stands for any text and a `?` for
/// one character, `/` included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    pattern: Wildcards,
    literal: bool,
}

/// A text that is no pattern for repositories.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no pattern for the names of repositories")]
pub struct PatternError(pub String);

impl Hint for PatternError {
    fn hint(&self) -> Option<String> {
        Some("use lower-case names such as `guestbook/web`, with `*` for any text and `?` for one character".to_owned())
    }
}

impl Pattern {
    /// Every repository.
    #[must_use]
    pub fn all() -> Self {
        Self {
            pattern: Wildcards::new("*"),
            literal: false,
        }
    }

    /// The repository of this name; a `*` in it has no meaning.
    #[must_use]
    pub fn exactly(name: &str) -> Self {
        Self {
            pattern: Wildcards::new(name),
            literal: true,
        }
    }

    /// The same repositories when all of them lie below `prefix`, which may be empty.
    #[must_use]
    pub(crate) fn below(&self, prefix: &str) -> Self {
        if prefix.is_empty() {
            return self.clone();
        }
        Self {
            pattern: Wildcards::new(format!("{prefix}/{}", self.pattern)),
            literal: self.literal,
        }
    }

    /// Whether a repository of this name, or any below it, may be meant.
    pub(super) fn may_match_from(&self, name: &str) -> bool {
        let below = format!("{name}/");
        let text = self.pattern.as_str();
        match text.find(['*', '?']).filter(|_| !self.literal) {
            Some(end) => {
                let fixed = &text[..end];
                fixed.starts_with(&below) || below.starts_with(fixed) || fixed == name
            }
            None => text == name || text.starts_with(&below),
        }
    }

    /// Whether a repository is meant.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        if self.literal {
            return self.pattern.as_str() == name;
        }
        self.pattern.matches(name)
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-/*?".contains(&byte)
        };
        if text.is_empty() || text.len() > 255 || !text.bytes().all(fits) {
            return Err(PatternError(text.to_owned()));
        }
        Ok(Self {
            pattern: Wildcards::new(text),
            literal: false,
        })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pattern.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_patterns_can_mean_nothing_below_a_name() {
        let may = |pattern: &str| pattern.parse::<Pattern>().unwrap().may_match_from("team");
        for pattern in [
            "*",
            "*/web",
            "t*",
            "team",
            "team*",
            "team/*",
            "team/web",
            "team/a/*b",
            "te?m",
        ] {
            assert!(may(pattern), "{pattern}");
        }
        for pattern in ["team2", "team2/*", "tea", "a*", "teams*"] {
            assert!(!may(pattern), "{pattern}");
        }
        assert!(!Pattern::exactly("t*").may_match_from("team"));
    }

    #[test]
    fn patterns_meet_what_they_spell() {
        let cases = [
            ("*", "a", true),
            ("*", "a/b", true),
            ("guestbook/*", "guestbook/web", true),
            ("guestbook/*", "guestbook/web/deep", true),
            ("guestbook/*", "guestbook", false),
            ("guestbook/*", "guestbook2/web", false),
            ("guestbook", "guestbook", true),
            ("guestbook", "guestbook/web", false),
            ("*/web", "guestbook/web", true),
            ("*/web", "web", false),
            ("a*b*c", "abc", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "ac", false),
            ("a*a", "a", false),
            ("a*ab", "aab", true),
            ("*ab*ab", "ab", false),
            ("a**b", "ab", true),
            ("team-?/*", "team-a/web", true),
            ("team-?/*", "team-ab/web", false),
        ];
        for (pattern, name, expected) in cases {
            let pattern: Pattern = pattern.parse().unwrap();
            assert_eq!(pattern.matches(name), expected, "{pattern} {name}");
        }
        assert!(!Pattern::exactly("a/*").matches("a/b"));
        for text in ["", "Guestbook", "a b", "a!"] {
            assert!(text.parse::<Pattern>().is_err(), "{text}");
        }
    }
}
