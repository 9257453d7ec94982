//! The port to who may do what.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::access::Access;
use crate::secret::Secret;

/// By what somebody claims to be an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The name of the account.
    pub name: String,
    /// Its password.
    pub password: Secret,
}

/// Somebody who is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The name.
    pub name: String,
    /// What the account may do.
    pub access: Arc<Access>,
    /// Changes whenever what was granted before must no longer count, as with a new password.
    pub generation: String,
}

/// Why accounts cannot be asked for; the same request may succeed later.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// More passwords wait to be checked than can be in time.
    #[error("too many passwords are being checked")]
    Busy,
    /// Whoever knows the accounts does not answer.
    #[error("cannot look up the account `{name}`")]
    Unavailable {
        /// The name of the account.
        name: String,
        /// Why not.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// An answer about accounts, once it is there.
pub type Answer<'a> =
    Pin<Box<dyn Future<Output = Result<Option<Account>, AccountsError>> + Send + 'a>>;

/// Who may do what; asked by the registry, answered by whoever knows the accounts.
pub trait Accounts: Send + Sync {
    /// Whether there are accounts. Where there are none, the programs of the machine itself may do everything.
    fn exist(&self) -> bool;

    /// The account with these credentials; none when there is no such account or the password is not its own, which
    /// must not be told apart by the time that it takes.
    fn authenticate<'a>(&'a self, credentials: &'a Credentials) -> Answer<'a>;

    /// The account of a name, for what was granted to it before.
    fn find<'a>(&'a self, name: &'a str) -> Answer<'a>;
}
