//! File name patterns, as `manifests` uses them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A pattern for relative paths: `*` and `?` within a name, `**` for any number of folders.
///
/// As in shells, a name that begins with a dot is only met by a pattern that spells the dot out.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(String);

/// A text that is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// The pattern would reach outside the app's folder.
    #[error("`{0}` leaves the folder of the app")]
    Outside(String),
    /// The pattern is empty.
    #[error("a pattern must not be empty")]
    Empty,
}

impl Pattern {
    /// The pattern's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The file's path when the pattern names a single file.
    #[must_use]
    pub fn literal(&self) -> Option<&str> {
        (!self.0.contains(['*', '?'])).then_some(&self.0)
    }

    /// Whether the pattern meets a path, whose parts are joined by `/`.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        let pattern: Vec<&str> = self.0.split('/').collect();
        let path: Vec<&str> = path.split('/').collect();
        matches_parts(&pattern, &path)
    }
}

/// Wildcards are resolved by going back to the last one only, so the work stays within the product of the lengths.
fn matches_parts(pattern: &[&str], path: &[&str]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < path.len() {
        match pattern.get(p) {
            Some(&"**") => {
                retry = Some((p, t));
                p += 1;
            }
            Some(part) if matches_name(part, path[t]) => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((star, from)) if !path[from].starts_with('.') => {
                    retry = Some((star, from + 1));
                    p = star + 1;
                    t = from + 1;
                }
                _ => return false,
            },
        }
    }
    pattern[p..].iter().all(|part| *part == "**")
}

fn matches_name(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < name.len() {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[t] => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((star, from)) => {
                    retry = Some((star, from + 1));
                    p = star + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with('/')
            || text.contains(['\\', '\0'])
            || text.split('/').any(|part| part == "..")
        {
            return Err(PatternError::Outside(text.to_owned()));
        }
        let parts: Vec<&str> = text
            .split('/')
            .filter(|part| !part.is_empty() && *part != ".")
            .collect();
        if parts.is_empty() {
            Err(PatternError::Empty)
        } else {
            Ok(Self(parts.join("/")))
        }
    }
}

impl TryFrom<String> for Pattern {
    type Error = PatternError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.0
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    fn matches(pattern: &str, path: &str) -> bool {
        pattern
            .parse::<Pattern>()
            .expect("the pattern is valid")
            .matches(path)
    }

    #[test]
    fn stars_stay_within_a_name() {
        assert!(matches("k8s/*.yaml", "k8s/web.yaml"));
        assert!(!matches("k8s/*.yaml", "k8s/sub/web.yaml"));
        assert!(!matches("k8s/*.yaml", "k8s/.hidden.yaml"));
        assert!(matches("./k8s/web-?.yaml", "k8s/web-1.yaml"));
    }

    #[test]
    fn double_stars_span_folders() {
        assert!(matches("**/*.yaml", "web.yaml"));
        assert!(matches("k8s/**/*.yaml", "k8s/a/b/web.yaml"));
        assert!(matches("k8s/**", "k8s/a/b/web.yaml"));
        assert!(!matches("k8s/**/*.yaml", "k8s/.git/web.yaml"));
        assert!(!matches("k8s/**/x", "k8s/a/b"));
    }

    #[test]
    fn stays_inside() {
        for outside in ["/etc/passwd", "../x", "a/../../x", ""] {
            assert!(outside.parse::<Pattern>().is_err(), "{outside}");
        }
    }

    #[test]
    fn many_stars_are_no_bomb() {
        let pattern = "**/".repeat(60) + &"*a".repeat(60) + "b";
        let path = "a/".repeat(200) + &"a".repeat(200);
        assert!(!matches(&pattern, &path));
    }
}
