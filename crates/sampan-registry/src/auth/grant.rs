//! What a request needs, and what it was granted.

use std::fmt;
use std::sync::Arc;

use http::StatusCode;
use sampan_oci::reference;

use super::access::{Access, Action, Actions};
use super::scope::Scope;

/// What must be allowed for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need<'a> {
    /// Nothing but to be known, as for `/v2/` itself.
    Entry,
    /// The list of repositories.
    Catalog,
    /// Every action on every repository, as keeping the house of all takes.
    Everything,
    /// An action on some repository of a name or below it; which ones, the answer has to tell.
    Within {
        /// The name.
        name: &'a str,
        /// The action.
        action: Action,
    },
    /// An action on a repository.
    Repository {
        /// Its name.
        name: &'a str,
        /// The action.
        action: Action,
    },
}

impl Need<'_> {
    /// What a token should be asked for. Who pushes looks first whether the content is there already, and who deletes
    /// looks what it is, so both are asked for pulling, too.
    pub(super) fn scope(&self) -> Option<Scope> {
        match self {
            Self::Entry | Self::Everything | Self::Within { .. } => None,
            Self::Catalog => Some(Scope::Catalog),
            // A name outside of the grammar can stand in no token and no header.
            Self::Repository { name, .. } if !reference::is_repository(name) => None,
            Self::Repository { name, action } => Some(Scope::Repository {
                name: (*name).to_owned(),
                actions: Actions::from(*action).and(Action::Pull.into()),
            }),
        }
    }

    pub(super) fn is_met_by(&self, access: &Access) -> bool {
        match self {
            Self::Entry => true,
            Self::Catalog => access.catalog,
            Self::Everything => access.is_full(),
            Self::Within { name, action } => access.may_include(name, *action),
            Self::Repository { name, action } => access.actions(name).include((*action).into()),
        }
    }
}

impl fmt::Display for Need<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry => f.write_str("use this registry"),
            Self::Catalog => f.write_str("list the repositories"),
            Self::Everything => f.write_str("keep the house of all repositories"),
            Self::Within { name, action } | Self::Repository { name, action } => {
                write!(f, "{} `{name}`", Actions::from(*action))
            }
        }
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A program of this machine, where there are no accounts.
    Local,
    /// Somebody who did not say.
    Anonymous,
    /// An account.
    Account(String),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Local => "local",
            Self::Anonymous => "anonymous",
            Self::Account(name) => name,
        })
    }
}

/// A request that is allowed, and what else would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Who asks.
    pub actor: Actor,
    pub(super) access: Arc<Access>,
}

impl Grant {
    /// Whether an action on another repository is allowed as well, such as pulling from where a blob is to be mounted.
    #[must_use]
    pub fn allows(&self, action: Action, repository: &str) -> bool {
        self.access.actions(repository).include(action.into())
    }
}

/// A request that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Denied {
    /// The status of the answer: 400, 401, 403 or 503.
    pub status: StatusCode,
    /// The header `WWW-Authenticate`, always there with 401.
    pub challenge: Option<String>,
    /// Why, for whoever reads the answer.
    pub message: String,
}

impl Denied {
    pub(super) fn unauthorized(challenge: String, message: &str) -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            challenge: Some(challenge),
            message: message.to_owned(),
        }
    }

    pub(super) fn with_status(status: StatusCode, message: String) -> Self {
        Self {
            status,
            challenge: None,
            message,
        }
    }
}
