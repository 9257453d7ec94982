//! Scopes: what a client wants to be allowed, as it writes it.
//!
//! Grammar: the distribution project's "Token Scope Documentation".

use sampan_oci::reference;

use super::access::{Access, Actions, Right};
use super::pattern::Pattern;

/// One scope of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Actions on a repository.
    Repository {
        /// Its name.
        name: String,
        /// The actions.
        actions: Actions,
    },
    /// The list of repositories.
    Catalog,
}

impl Scope {
    /// Reads a scope; nothing when it is none of this registry, which is no error.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // The name may have a colon of its own, before a port.
        let (kind, rest) = text.split_once(':')?;
        let (name, actions) = rest.rsplit_once(':')?;
        // The class in brackets is deprecated and means nothing.
        match (kind.split('(').next()?, name) {
            ("registry", "catalog") => actions
                .split(',')
                .any(|action| action == "*")
                .then_some(Self::Catalog),
            ("repository", name) if reference::is_repository(name) => Some(Self::Repository {
                name: name.to_owned(),
                actions: actions
                    .split(',')
                    .filter_map(Actions::named)
                    .fold(Actions::NONE, Actions::and),
            }),
            _ => None,
        }
    }

    /// The part of this that an access allows; nothing when that is nothing.
    #[must_use]
    pub fn within(&self, access: &Access) -> Option<Self> {
        match self {
            Self::Catalog => access.catalog.then_some(Self::Catalog),
            Self::Repository { name, actions } => {
                let actions = actions.within(access.actions(name));
                (actions != Actions::NONE).then(|| Self::Repository {
                    name: name.clone(),
                    actions,
                })
            }
        }
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Catalog => f.write_str("registry:catalog:*"),
            Self::Repository { name, actions } => write!(f, "repository:{name}:{actions}"),
        }
    }
}

impl FromIterator<Scope> for Access {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let mut access = Self::default();
        for scope in scopes {
            match scope {
                Scope::Catalog => access.catalog = true,
                Scope::Repository { name, actions } => access.rights.push(Right {
                    repositories: Pattern::exactly(&name),
                    actions,
                }),
            }
        }
        access
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_as_clients_write_them() {
        let read = |text: &str| Scope::parse(text).map(|scope| scope.to_string());
        let cases = [
            ("repository:a/b:pull,push", Some("repository:a/b:pull,push")),
            ("repository:a/b:push,pull", Some("repository:a/b:pull,push")),
            ("repository(plugin):a:pull", Some("repository:a:pull")),
            ("repository:a:*", Some("repository:a:pull,push,delete")),
            ("repository:a:fly,pull", Some("repository:a:pull")),
            ("repository:a:", Some("repository:a:")),
            ("repository:A:pull", None),
            ("repository:a/*:pull", None),
            ("repository:a", None),
            ("registry:catalog:*", Some("registry:catalog:*")),
            ("registry:catalog:pull", None),
            ("registry:other:*", None),
            ("galaxy:a:pull", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_granted_is_what_is_both_asked_and_allowed() {
        let access = Access {
            rights: vec![Right {
                repositories: "guestbook/*".parse().unwrap(),
                actions: Actions::named("pull").unwrap(),
            }],
            catalog: false,
        };
        let granted = |text: &str| {
            let scope = Scope::parse(text).unwrap().within(&access);
            scope.map(|scope| scope.to_string())
        };
        assert_eq!(
            granted("repository:guestbook/web:pull,push").as_deref(),
            Some("repository:guestbook/web:pull")
        );
        assert_eq!(granted("repository:guestbook/web:push"), None);
        assert_eq!(granted("repository:other:pull"), None);
        assert_eq!(granted("registry:catalog:*"), None);
    }
}
