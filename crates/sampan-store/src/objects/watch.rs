//! Following the changes.

use std::collections::VecDeque;
use std::sync::Arc;

use sqlx::Row as _;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::read::oldest;
use super::{Change, ChangeKind, Key, Objects, Revision, Row, Selector};
use crate::Error;

/// How many changes are read from the history at once.
const BATCH: i64 = 128;

/// The changes after a revision, in order and without gaps.
///
/// Changes that are in the history already are read from there; after that they come from the writing task. A
/// watch that is read too slowly falls back to the history, so a slow reader costs no memory.
#[derive(Debug)]
pub struct Watch {
    objects: Objects,
    selector: Option<Selector>,
    recent: broadcast::Receiver<Arc<Change>>,
    backlog: VecDeque<Arc<Change>>,
    behind: bool,
    last: Revision,
}

impl Objects {
    /// Follows the changes after `since`, of the objects that the selector means or of all.
    ///
    /// # Errors
    /// [`Error::Gone`] when the history does not reach back that far.
    pub async fn watch(&self, since: Revision, selector: Option<Selector>) -> Result<Watch, Error> {
        // Subscribed before the history is read: what happens in between is then seen twice, not missed.
        let recent = self.writer.subscribe()?;
        let watch = Watch {
            objects: self.clone(),
            selector,
            recent,
            backlog: VecDeque::new(),
            behind: true,
            last: since,
        };
        watch.check_history().await?;
        Ok(watch)
    }
}

impl Watch {
    /// The next change. May be dropped while waiting; nothing is lost then.
    ///
    /// # Errors
    /// [`Error::Gone`] when the reader was so slow that the history is gone; [`Error::Closed`] at the end.
    pub async fn next(&mut self) -> Result<Arc<Change>, Error> {
        loop {
            if let Some(change) = self.backlog.pop_front() {
                self.last = change.row.revision;
                return Ok(change);
            }
            if self.behind {
                self.read_history().await?;
                continue;
            }
            match self.recent.recv().await {
                Ok(change) if change.row.revision <= self.last => {}
                Ok(change) => {
                    self.last = change.row.revision;
                    if self.wants(&change) {
                        return Ok(change);
                    }
                }
                Err(RecvError::Lagged(_)) => self.behind = true,
                Err(RecvError::Closed) => return Err(Error::Closed),
            }
        }
    }

    /// The revision up to which everything has been seen.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.last
    }

    fn wants(&self, change: &Change) -> bool {
        self.selector
            .as_ref()
            .is_none_or(|selector| selector.matches(&change.row.key))
    }

    async fn check_history(&self) -> Result<(), Error> {
        let mut connection = self
            .objects
            .pool
            .acquire()
            .await
            .map_err(Error::sql("connect"))?;
        let oldest = oldest(&mut connection).await?;
        if self.last < oldest {
            return Err(Error::Gone {
                asked: self.last,
                oldest,
            });
        }
        Ok(())
    }

    /// Reads the next changes from the history; once there are no more, the recent ones follow on without a gap.
    async fn read_history(&mut self) -> Result<(), Error> {
        let mut transaction = self
            .objects
            .pool
            .begin()
            .await
            .map_err(Error::sql("begin to read the history"))?;
        let oldest = oldest(&mut transaction).await?;
        if self.last < oldest {
            return Err(Error::Gone {
                asked: self.last,
                oldest,
            });
        }
        let rows = sqlx::query(
            "SELECT revision, api_group, resource, namespace, name, kind, body, previous FROM changes \
             WHERE revision > ? ORDER BY revision LIMIT ?",
        )
        .bind(self.last.0)
        .bind(BATCH)
        .fetch_all(&mut *transaction)
        .await
        .map_err(Error::sql("read the history"))?;
        transaction
            .commit()
            .await
            .map_err(Error::sql("read the history"))?;
        let changes = rows.iter().map(read_change);
        if let Some(last) = rows.last() {
            let reached = Revision(last.get(0));
            let wanted: VecDeque<_> = changes
                .filter(|change| self.wants(change))
                .map(Arc::new)
                .collect();
            // Without anything to hand out, all of it has been seen.
            if wanted.is_empty() {
                self.last = reached;
            }
            self.backlog = wanted;
        } else {
            self.behind = false;
        }
        Ok(())
    }
}

fn read_change(row: &sqlx::sqlite::SqliteRow) -> Change {
    Change {
        kind: ChangeKind::parse(row.get(5)),
        row: Row {
            key: Key {
                group: row.get(1),
                resource: row.get(2),
                namespace: row.get(3),
                name: row.get(4),
            },
            revision: Revision(row.get(0)),
            body: row.get(6),
        },
        previous: row.get(7),
    }
}

/// The changes from now on, as far as the reader keeps up.
#[derive(Debug)]
pub struct Recent(broadcast::Receiver<Arc<Change>>);

/// What a reader of [`Recent`] is told.
#[derive(Debug, Clone)]
pub enum RecentEvent {
    /// An object has changed.
    Changed(Arc<Change>),
    /// The reader was too slow and has missed changes.
    Missed,
    /// The store is closed.
    Closed,
}

impl Objects {
    /// Follows all changes from now on, without history: for readers that can look at everything instead.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub fn recent(&self) -> Result<Recent, Error> {
        self.writer.subscribe().map(Recent)
    }
}

impl Recent {
    /// The next event. May be dropped while waiting.
    pub async fn next(&mut self) -> RecentEvent {
        match self.0.recv().await {
            Ok(change) => RecentEvent::Changed(change),
            Err(RecvError::Lagged(_)) => RecentEvent::Missed,
            Err(RecvError::Closed) => RecentEvent::Closed,
        }
    }
}
