//! The objects of the engine's API: rows with a revision, and the history of their changes.

mod read;
mod watch;
mod write;

use std::fmt;
use std::sync::Arc;

use sqlx::sqlite::SqlitePool;

use crate::Error;
pub use read::{Page, PageRequest};
pub use watch::{Recent, RecentEvent, Watch};
use write::Operation;
pub(crate) use write::Writer;

/// A point in the history of all objects. Every change has its own, each greater than the one before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub i64);

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What names an object.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The API group, empty for the core group.
    pub group: String,
    /// The plural name of the resource.
    pub resource: String,
    /// The namespace, empty for objects outside of namespaces.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.resource)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        if !self.namespace.is_empty() {
            write!(f, "/{}", self.namespace)?;
        }
        write!(f, "/{}", self.name)
    }
}

/// Which objects are meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Selector {
    /// The API group, empty for the core group.
    pub group: String,
    /// The plural name of the resource.
    pub resource: String,
    /// One namespace, or all.
    pub namespace: Option<String>,
}

impl Selector {
    /// Whether the key is among them.
    #[must_use]
    pub fn matches(&self, key: &Key) -> bool {
        self.group == key.group
            && self.resource == key.resource
            && self
                .namespace
                .as_ref()
                .is_none_or(|namespace| *namespace == key.namespace)
    }
}

/// An object as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub key: Key,
    /// When it was last changed.
    pub revision: Revision,
    /// Its content.
    pub body: String,
}

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It came to be.
    Created,
    /// Its body changed.
    Updated,
    /// It is gone.
    Deleted,
}

impl ChangeKind {
    /// The word that is stored.
    fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
        }
    }

    fn parse(word: &str) -> Self {
        match word {
            "created" => Self::Created,
            "deleted" => Self::Deleted,
            _ => Self::Updated,
        }
    }
}

/// One change of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// The object after the change, with the revision of the change; when deleted, the last body.
    pub row: Row,
    /// The body before the change, `None` when created.
    pub previous: Option<String>,
}

/// The table of objects; cloned freely.
#[derive(Debug, Clone)]
pub struct Objects {
    pool: SqlitePool,
    writer: Arc<Writer>,
}

impl Objects {
    pub(crate) fn new(pool: SqlitePool, writer: Arc<Writer>) -> Self {
        Self { pool, writer }
    }

    /// Adds an object.
    ///
    /// # Errors
    /// [`Error::Exists`] when the key is taken.
    pub async fn create(&self, key: Key, body: String) -> Result<Revision, Error> {
        self.writer.submit(Operation::Create { key, body }).await
    }

    /// Replaces the body of an object, if it is at the expected revision.
    ///
    /// # Errors
    /// [`Error::NotFound`], or [`Error::Conflict`] when it is at another revision.
    pub async fn update(
        &self,
        key: Key,
        expected: Option<Revision>,
        body: String,
    ) -> Result<Revision, Error> {
        self.writer
            .submit(Operation::Update {
                key,
                expected,
                body,
            })
            .await
    }

    /// Removes an object, if it is at the expected revision; returns the revision of the removal.
    ///
    /// # Errors
    /// [`Error::NotFound`], or [`Error::Conflict`] when it is at another revision.
    pub async fn delete(&self, key: Key, expected: Option<Revision>) -> Result<Revision, Error> {
        self.writer
            .submit(Operation::Delete { key, expected })
            .await
    }
}
