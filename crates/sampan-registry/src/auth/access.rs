//! Rights: what may be done to which repositories.

use std::fmt;
use std::str::FromStr;

use sampan_model::Hint;

use super::pattern::{Pattern, PatternError};

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

/// Actions that may be done to the repositories of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// The repositories.
    pub repositories: Pattern,
    /// The actions.
    pub actions: Actions,
}

/// Why a text is no right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RightError {
    /// The names do not fit.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// There is no such action.
    #[error("`{name}` is no action")]
    Action {
        /// The text.
        name: String,
    },
    /// There are no actions in it.
    #[error("`{text}` does not say what may be done")]
    Incomplete {
        /// The text.
        text: String,
    },
}

impl Hint for RightError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Pattern(error) => error.hint(),
            Self::Action { .. } => Some(
                "known actions are `pull`, `push`, `delete`, and `*` for all of them".to_owned(),
            ),
            Self::Incomplete { .. } => Some("write it such as `guestbook/*:pull,push`".to_owned()),
        }
    }
}

impl FromStr for Right {
    type Err = RightError;

    /// Reads a pattern and actions, such as `guestbook/*:pull,push`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((repositories, actions)) = text.split_once(':') else {
            return Err(RightError::Incomplete {
                text: text.to_owned(),
            });
        };
        let action = |name: &str| {
            Actions::named(name).ok_or_else(|| RightError::Action {
                name: name.to_owned(),
            })
        };
        Ok(Self {
            repositories: repositories.parse()?,
            actions: actions.split(',').try_fold(Actions::NONE, |all, name| {
                Ok::<_, RightError>(all.and(action(name)?))
            })?,
        })
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.repositories, self.actions)
    }
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

    /// Whether a right allows every action on every repository.
    pub(super) fn is_full(&self) -> bool {
        let full = |right: &Right| {
            right.repositories == Pattern::all() && right.actions.include(Actions::ALL)
        };
        self.rights.iter().any(full)
    }

    /// What may be done to a repository.
    #[must_use]
    pub fn actions(&self, repository: &str) -> Actions {
        self.rights
            .iter()
            .filter(|right| right.repositories.matches(repository))
            .fold(Actions::NONE, |all, right| all.and(right.actions))
    }

    /// Whether an action is allowed on some repository of this name or below it, as far as that can be told without
    /// knowing which there are.
    pub(super) fn may_include(&self, name: &str, action: Action) -> bool {
        let mut rights = self.rights.iter();
        rights.any(|right| {
            right.actions.include(action.into()) && right.repositories.may_match_from(name)
        })
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
    fn rights_add_up() {
        let access = Access {
            rights: vec![
                "*:pull".parse().unwrap(),
                "guestbook/*:push".parse().unwrap(),
            ],
            catalog: false,
        };
        assert_eq!(access.actions("guestbook/web").to_string(), "pull,push");
        assert_eq!(access.actions("other").to_string(), "pull");
        assert!(!access.actions("guestbook/web").include(Actions::ALL));
        assert_eq!(Access::default().actions("other"), Actions::NONE);
    }

    #[test]
    fn rights_are_read_as_they_are_written() {
        for (text, written) in [
            ("guestbook/*:push,pull", "guestbook/*:pull,push"),
            ("*:*", "*:pull,push,delete"),
        ] {
            assert_eq!(text.parse::<Right>().unwrap().to_string(), written);
        }
        for (text, named) in [
            ("guestbook", "what may be done"),
            ("guestbook:", "no action"),
            ("guestbook:pull,fly", "`fly`"),
            ("Guestbook:pull", "`Guestbook`"),
        ] {
            let error = text.parse::<Right>().unwrap_err();
            assert!(error.to_string().contains(named), "{error}");
            assert!(error.hint().is_some());
        }
    }
}
