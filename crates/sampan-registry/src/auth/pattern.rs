//! Patterns for the names of repositories.

use std::fmt;
use std::str::FromStr;

use sampan_model::Hint;

/// Names of repositories: one, or all that a text with `*` meets. A `*` stands for any text, `/` included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    literal: bool,
}

/// A text that is no pattern for repositories.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no pattern for the names of repositories")]
pub struct PatternError(pub String);

impl Hint for PatternError {
    fn hint(&self) -> Option<String> {
        Some("use lower-case names such as `guestbook/web`, with `*` for any text".to_owned())
    }
}

impl Pattern {
    /// Every repository.
    #[must_use]
    pub fn all() -> Self {
        Self {
            text: "*".to_owned(),
            literal: false,
        }
    }

    /// The repository of this name; a `*` in it has no meaning.
    #[must_use]
    pub fn exactly(name: &str) -> Self {
        Self {
            text: name.to_owned(),
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
            text: format!("{prefix}/{}", self.text),
            literal: self.literal,
        }
    }

    /// Whether a repository of this name, or any below it, may be meant.
    pub(super) fn may_match_from(&self, name: &str) -> bool {
        let below = format!("{name}/");
        match self.text.split_once('*').filter(|_| !self.literal) {
            Some((fixed, _)) => {
                fixed.starts_with(&below) || below.starts_with(fixed) || fixed == name
            }
            None => self.text == name || self.text.starts_with(&below),
        }
    }

    /// Whether a repository is meant.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        if self.literal {
            return self.text == name;
        }
        let mut parts = self.text.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = name.strip_prefix(first) else {
            return false;
        };
        let Some(last) = parts.next_back() else {
            return rest.is_empty();
        };
        // Each part at its first place leaves the most for the ones behind it.
        for part in parts {
            let Some((_, behind)) = rest.split_once(part) else {
                return false;
            };
            rest = behind;
        }
        rest.ends_with(last)
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-/*".contains(&byte)
        };
        if text.is_empty() || text.len() > 255 || !text.bytes().all(fits) {
            return Err(PatternError(text.to_owned()));
        }
        Ok(Self {
            text: text.to_owned(),
            literal: false,
        })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
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
        ];
        for (pattern, name, expected) in cases {
            let pattern: Pattern = pattern.parse().unwrap();
            assert_eq!(pattern.matches(name), expected, "{pattern} {name}");
        }
        assert!(!Pattern::exactly("a/*").matches("a/b"));
        for text in ["", "Guestbook", "a b", "a?"] {
            assert!(text.parse::<Pattern>().is_err(), "{text}");
        }
    }
}
