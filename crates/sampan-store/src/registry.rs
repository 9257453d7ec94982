//! The ledger of the registry: which repository holds which blobs, manifests and tags, how often each blob is
//! needed, and what has happened.
//!
//! Digests, media types and annotations are text here. A **link** is a repository's right to a blob; its
//! *references* are the manifests of that repository that name the blob. The **holders** of a blob are its
//! links and the manifests with that digest; a blob without a holder is **condemned**: its file may be removed,
//! and after that its row ([`Ledger::forget`]). Any new holder saves it. Counts are kept in the transaction that
//! changes what they count, so that nothing ever has to be walked to know what is needed.
//!
//! Rules (immutable tags, quotas) come with every write and are decided inside its transaction.

mod blobs;
mod charts;
mod collection;
mod columns;
mod deliveries;
mod events;
mod expiry;
mod manifests;
mod pattern;
mod push;
mod referrers;
mod refusal;
mod removal;
mod repositories;
mod tags;
mod touch;

use std::sync::Arc;

use sqlx::sqlite::SqlitePool;
use tokio::sync::watch;

use crate::Error;
use crate::writer::Writer;
pub use blobs::{BlobRow, Content, LinkBlob, Linked};
pub use charts::ChartRow;
pub use collection::{Condemnation, Condemned, IdleLink};
pub use deliveries::{Delivery, NewDelivery};
pub(crate) use events::Outbox;
pub use events::{Event, EventId, EventKind};
pub use manifests::{ManifestName, ManifestRow, ManifestUse};
pub use pattern::Pattern;
pub use push::{Child, ChildKind, MovedTag, Pushed, PutManifest};
pub use referrers::{ReferrerRow, Referrers};
pub use refusal::Refusal;
pub use removal::Removal;
pub use repositories::{Holdings, Usage, project_of};
pub use tags::{TagMove, TagRow};

/// Declares the statements of a file, and lists them for the test that looks at their query plans.
macro_rules! statements {
    ($($(#[$attribute:meta])* $name:ident = $statement:expr;)+) => {
        $($(#[$attribute])* const $name: &str = $statement;)+

        #[cfg(test)]
        pub(super) const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $name)),+];
    };
}
use statements;

/// The rules of a project or repository, as far as they are decided in a transaction.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// A tag that exists and matches one of these may neither move nor go.
    pub immutable_tags: Arc<[Pattern]>,
    /// How many bytes the project may hold, every digest counted once.
    pub quota_bytes: Option<u64>,
}

impl Rules {
    /// Whether a tag that exists may neither move nor go.
    #[must_use]
    pub fn is_immutable(&self, tag: &str) -> bool {
        self.immutable_tags
            .iter()
            .any(|pattern| pattern.matches(tag))
    }
}

/// The ledger of the registry; cloned freely.
#[derive(Debug, Clone)]
pub struct Ledger {
    pool: SqlitePool,
    writer: Arc<Writer<Outbox>>,
    newest_event: watch::Receiver<EventId>,
}

impl Ledger {
    pub(crate) fn new(
        pool: SqlitePool,
        writer: Arc<Writer<Outbox>>,
        newest_event: watch::Receiver<EventId>,
    ) -> Self {
        Self {
            pool,
            writer,
            newest_event,
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

#[cfg(test)]
mod plans;
