//! Patterns for names of tags and repositories.

use std::fmt;

/// A pattern: `*` stands for any characters, `?` for one, all others for themselves. The whole name must match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// Every text is a pattern.
    pub fn new(pattern: impl Into<String>) -> Self {
        Self(pattern.into())
    }

    /// The pattern as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a name matches.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let (pattern, name) = (self.0.as_bytes(), name.as_bytes());
        let (mut at, mut read) = (0, 0);
        // Where to go on when what follows the last star does not fit: one character later.
        let mut retry: Option<(usize, usize)> = None;
        while read < name.len() {
            match pattern.get(at) {
                Some(b'*') => {
                    retry = Some((at + 1, read));
                    at += 1;
                }
                Some(&wanted) if wanted == b'?' || wanted == name[read] => {
                    at += 1;
                    read += 1;
                }
                _ => {
                    let Some((after_star, tried)) = retry else {
                        return false;
                    };
                    retry = Some((after_star, tried + 1));
                    (at, read) = (after_star, tried + 1);
                }
            }
        }
        pattern[at..].iter().all(|rest| *rest == b'*')
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn a_pattern_matches_whole_names() {
        for (pattern, name, expected) in [
            ("v1.0", "v1.0", true),
            ("v1.0", "v1x0", false),
            ("v1", "v1.0", false),
            ("v*", "v", true),
            ("v*", "v1.0", true),
            ("v*", "rv1", false),
            ("*-final", "1.0-final", true),
            ("*-final", "1.0-final-final", true),
            ("*-final", "1.0-finally", false),
            ("?.?", "1.2", true),
            ("?.?", "1.23", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("", "", true),
            ("", "x", false),
            ("**", "", true),
        ] {
            assert_eq!(
                Pattern::new(pattern).matches(name),
                expected,
                "`{pattern}` and `{name}`"
            );
        }
    }
}
