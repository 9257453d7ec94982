//! Tags, and where they have pointed.

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::columns::{stored_time, time};
use super::{Ledger, statements};
use crate::Error;

/// How many moves of a tag are remembered.
const KEEP_MOVES: i64 = 100;

statements! {
    TAGS = "SELECT name, digest, pushed_at FROM tags \
        WHERE repository = (SELECT id FROM repositories WHERE name = ?) AND name > ? ORDER BY name LIMIT ?";
    TAGS_OF = "SELECT name FROM tags \
        WHERE repository = (SELECT id FROM repositories WHERE name = ?) AND digest = ? ORDER BY name";
    TAG_HISTORY = "SELECT previous, digest, actor, at FROM tag_moves \
        WHERE repository = (SELECT id FROM repositories WHERE name = ?) AND name = ? ORDER BY id DESC LIMIT ?";
    TAG = "SELECT digest FROM tags WHERE repository = ? AND name = ?";
    SET_TAG = "INSERT INTO tags (repository, name, digest, pushed_at) VALUES (?, ?, ?, ?) \
        ON CONFLICT (repository, name) DO UPDATE SET digest = excluded.digest, pushed_at = excluded.pushed_at";
    /// The manifest is unused from then on, unless something else needs it.
    MARK_LEFT = "UPDATE manifests SET unused_since = MAX(unused_since, ?3) WHERE repository = ?1 AND digest = ?2";
    REMOVE_TAG = "DELETE FROM tags WHERE repository = ? AND name = ?";
    ADD_MOVE = "INSERT INTO tag_moves (repository, name, previous, digest, actor, at) VALUES (?, ?, ?, ?, ?, ?)";
    TRIM_MOVES = "DELETE FROM tag_moves WHERE repository = ?1 AND name = ?2 AND id <= \
        (SELECT id FROM tag_moves WHERE repository = ?1 AND name = ?2 ORDER BY id DESC LIMIT 1 OFFSET ?3)";
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagRow {
    /// Its name.
    pub name: String,
    /// The manifest that it points at.
    pub digest: String,
    /// When it was last pushed.
    pub pushed_at: Timestamp,
}

/// A change of a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagMove {
    /// Where it pointed; absent when it was new.
    pub previous: Option<String>,
    /// Where it has pointed since; absent when it was deleted.
    pub digest: Option<String>,
    /// Who changed it.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

impl Ledger {
    /// The tags of a repository in the order of their bytes, those after `after` only, at most `limit`; nothing
    /// when there is no such repository.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tags(
        &self,
        repository: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Option<Vec<TagRow>>, Error> {
        let tags = sqlx::query(TAGS)
            .bind(repository)
            .bind(after.unwrap_or_default())
            .bind(limit)
            .try_map(|row: SqliteRow| {
                Ok(TagRow {
                    name: row.try_get("name")?,
                    digest: row.try_get("digest")?,
                    pushed_at: time(&row, "pushed_at")?,
                })
            })
            .fetch_all(&self.pool)
            .await
            .map_err(Error::sql("list the tags"))?;
        let is_known = !tags.is_empty() || self.has_repository(repository).await?;
        Ok(is_known.then_some(tags))
    }

    /// The tags that point at a manifest.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tags_of(&self, repository: &str, digest: &str) -> Result<Vec<String>, Error> {
        sqlx::query_scalar(TAGS_OF)
            .bind(repository)
            .bind(digest)
            .fetch_all(&self.pool)
            .await
            .map_err(Error::sql("look for the tags of a manifest"))
    }

    /// The newest moves of a tag, newest first, at most `limit`. A tag that is gone has its history still.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tag_history(
        &self,
        repository: &str,
        tag: &str,
        limit: u32,
    ) -> Result<Vec<TagMove>, Error> {
        sqlx::query(TAG_HISTORY)
            .bind(repository)
            .bind(tag)
            .bind(limit)
            .try_map(|row: SqliteRow| {
                Ok(TagMove {
                    previous: row.try_get("previous")?,
                    digest: row.try_get("digest")?,
                    actor: row.try_get("actor")?,
                    at: time(&row, "at")?,
                })
            })
            .fetch_all(&self.pool)
            .await
            .map_err(Error::sql("read the history of a tag"))
    }
}

/// A tag that a transaction changes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change<'a> {
    pub(super) repository: i64,
    pub(super) tag: &'a str,
    pub(super) previous: Option<&'a str>,
    pub(super) actor: &'a str,
    pub(super) at: Timestamp,
}

impl Change<'_> {
    /// Lets the tag point at a manifest.
    pub(super) async fn set(
        &self,
        connection: &mut SqliteConnection,
        digest: &str,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(SET_TAG)
            .bind(self.repository)
            .bind(self.tag)
            .bind(digest)
            .bind(stored_time(self.at))
            .execute(&mut *connection)
            .await?;
        if self.previous == Some(digest) {
            return Ok(());
        }
        self.remember(connection, Some(digest)).await
    }

    pub(super) async fn remove(
        &self,
        connection: &mut SqliteConnection,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(REMOVE_TAG)
            .bind(self.repository)
            .bind(self.tag)
            .execute(&mut *connection)
            .await?;
        self.remember(connection, None).await
    }

    async fn remember(
        &self,
        connection: &mut SqliteConnection,
        digest: Option<&str>,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(MARK_LEFT)
            .bind(self.repository)
            .bind(self.previous)
            .bind(stored_time(self.at))
            .execute(&mut *connection)
            .await?;
        sqlx::query(ADD_MOVE)
            .bind(self.repository)
            .bind(self.tag)
            .bind(self.previous)
            .bind(digest)
            .bind(self.actor)
            .bind(stored_time(self.at))
            .execute(&mut *connection)
            .await?;
        sqlx::query(TRIM_MOVES)
            .bind(self.repository)
            .bind(self.tag)
            .bind(KEEP_MOVES)
            .execute(connection)
            .await?;
        Ok(())
    }
}

/// Where a tag points.
pub(super) async fn target(
    connection: &mut SqliteConnection,
    repository: i64,
    tag: &str,
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar(TAG)
        .bind(repository)
        .bind(tag)
        .fetch_optional(connection)
        .await
}
