//! Rights: what may be done to which repositories.

use std::fmt;
use std::str::FromStr;

/// One thing that can be done to a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Read its content, tags and referrers.
    Pull,
    /// Add content and set tags.
    Push,
    /// Remove manifests, tags and blobs.
    Delete,
}

impl Action {
    const ALL: [(Self, &'static str); 3] = [
        (Self::Pull, "pull"),
        (Self::Push, "push"),
        (Self::Delete, "delete"),
    ];

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Some actions, as in `pull,push`.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Actions(u8);

impl Actions {
    /// No action.
    pub const NONE: Self = Self(0);
    /// Each action.
    pub const ALL: Self = Self(0b111);

    /// The action of a name; `*` stands for all of them.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        if name == "*" {
            return Some(Self::ALL);
        }
        let known = Action::ALL.iter().find(|(_, known)| *known == name);
        known.map(|(action, _)| (*action).into())
    }

    /// Those that are in either.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those that are in both.
    #[must_use]
    pub const fn within(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether all of `other` are among these.
    #[must_use]
    pub const fn include(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// The names of the actions, always in the same order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Action::ALL
            .into_iter()
            .filter(move |(action, _)| self.include((*action).into()))
            .map(|(_, name)| name)
    }
}

impl From<Action> for Actions {
    fn from(action: Action) -> Self {
        Self(action.bit())
    }
}

impl fmt::Display for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().collect::<Vec<_>>().join(","))
    }
}

impl fmt::Debug for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Actions({self})")
    }
}

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

/// Actions that may be done to the repositories of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// The repositories.
    pub repositories: Pattern,
    /// The actions.
    pub actions: Actions,
}

/// All that somebody may do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Access {
    /// What may be done to repositories; rights add up.
    pub rights: Vec<Right>,
    /// Whether the registry may be asked which repositories it has.
    pub catalog: bool,
}

impl Access {
    /// Everything.
    #[must_use]
    pub fn full() -> Self {
        Self {
            catalog: true,
            ..Self::to_all(Actions::ALL)
        }
    }

    /// These actions on all repositories.
    #[must_use]
    pub fn to_all(actions: Actions) -> Self {
        Self {
            rights: vec![Right {
                repositories: Pattern::all(),
                actions,
            }],
            catalog: false,
        }
    }

    /// What may be done to a repository.
    #[must_use]
    pub fn actions(&self, repository: &str) -> Actions {
        self.rights
            .iter()
            .filter(|right| right.repositories.matches(repository))
            .fold(Actions::NONE, |all, right| all.and(right.actions))
    }

    /// What is in either.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.rights.extend_from_slice(&other.rights);
        self.catalog |= other.catalog;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn rights_add_up() {
        let right = |pattern: &str, actions: Actions| Right {
            repositories: pattern.parse().unwrap(),
            actions,
        };
        let access = Access {
            rights: vec![
                right("*", Action::Pull.into()),
                right("guestbook/*", Action::Push.into()),
            ],
            catalog: false,
        };
        assert_eq!(access.actions("guestbook/web").to_string(), "pull,push");
        assert_eq!(access.actions("other").to_string(), "pull");
        assert!(!access.actions("guestbook/web").include(Actions::ALL));
        assert_eq!(Access::default().actions("other"), Actions::NONE);
    }
}
