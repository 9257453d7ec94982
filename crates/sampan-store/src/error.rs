//! What can go wrong in the store.

use std::path::PathBuf;
use std::sync::Arc;

use sampan_model::{Hint, OrderId, OrderState};

use crate::objects::{Key, Revision};
use crate::registry::Refusal;

/// A failed operation of the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database could not be opened or created.
    #[error("cannot open the database `{}`", .path.display())]
    Open {
        /// The database file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: sqlx::Error,
    },
    /// The database file or its lock could not be prepared.
    #[error("cannot prepare the database file `{}`", .path.display())]
    Prepare {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The database's schema could not be brought up to date.
    #[error("cannot bring the schema of the database `{}` up to date", .path.display())]
    Migrate {
        /// The database file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: sqlx::migrate::MigrateError,
    },
    /// A newer version of the program has changed the database's schema.
    #[error("the database `{}` has schema version {version}, which this program does not know", .path.display())]
    FromTheFuture {
        /// The database file.
        path: PathBuf,
        /// The unknown version.
        version: i64,
    },
    /// There is no object with this key.
    #[error("`{0}` does not exist")]
    NotFound(Key),
    /// There is an object with this key already.
    #[error("`{0}` exists already")]
    Exists(Key),
    /// The object has changed since the revision that the writer knew.
    #[error("`{key}` is at revision {actual}, not {expected}")]
    Conflict {
        /// The object.
        key: Key,
        /// What the writer knew.
        expected: Revision,
        /// What is there.
        actual: Revision,
    },
    /// The asked-for part of the history has been removed.
    #[error(
        "the history before revision {oldest} has been removed, revision {asked} was asked for"
    )]
    Gone {
        /// What was asked for.
        asked: Revision,
        /// The oldest revision that can still be followed.
        oldest: Revision,
    },
    /// The transaction that held this write failed; none of it counts.
    #[error("cannot write to the database")]
    Commit(#[source] Arc<sqlx::Error>),
    /// The order is not in the state that was expected, or may not pass to the wanted one.
    #[error("order {id} cannot pass from `{from}` to `{to}`")]
    OrderMoved {
        /// The order.
        id: OrderId,
        /// The state that it was thought to be in.
        from: OrderState,
        /// The wanted state.
        to: OrderState,
    },
    /// Another order of the same app and environment runs.
    #[error(
        "order {id} cannot run, because another rollout of the app to this environment is running"
    )]
    Running {
        /// The order that has to wait.
        id: OrderId,
    },
    /// The ledger of the registry refuses the write.
    #[error(transparent)]
    Refused(Refusal),
    /// The store is being closed.
    #[error("the store is closed")]
    Closed,
    /// A statement failed.
    #[error("cannot {doing} in the database")]
    Sql {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: sqlx::Error,
    },
}

impl Error {
    /// Wraps a failed statement; for `map_err`.
    pub(crate) fn sql(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Sql { doing, source }
    }
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::FromTheFuture { .. } => Some(
                "start the newer version of sampan that wrote this data directory, or use another --data"
                    .to_owned(),
            ),
            Self::Open { path, .. } | Self::Prepare { path, .. } => Some(format!(
                "check that `{}` is on a local, writable file system with free space",
                path.display()
            )),
            Self::Running { .. } => {
                Some("wait for it to end; `sampan history` shows it".to_owned())
            }
            _ => None,
        }
    }
}
