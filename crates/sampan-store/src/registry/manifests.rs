//! The manifests that repositories have.

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::columns::{count, optional_time, size, stored_time, time};
use super::{Ledger, Outbox, statements};
use crate::Error;
use crate::writer::{Carried, Operation};

/// No tag points at the manifest, no manifest names it, and what it refers to is not there.
macro_rules! is_unused {
    () => {
        "NOT EXISTS (SELECT 1 FROM tags \
            WHERE tags.repository = manifests.repository AND tags.digest = manifests.digest) \
          AND NOT EXISTS (SELECT 1 FROM manifest_children AS held \
            WHERE held.repository = manifests.repository AND held.digest = manifests.digest \
              AND held.kind = 'manifest') \
          AND NOT EXISTS (SELECT 1 FROM manifests AS referred \
            WHERE referred.repository = manifests.repository AND referred.digest = manifests.subject)"
    };
}
pub(super) use is_unused;

/// What a [`ManifestRow`] is made of.
macro_rules! columns {
    () => {
        concat!(
            "manifests.digest, media_type, artifact_type, size_bytes, subject, manifests.pushed_at, CASE WHEN ",
            crate::registry::manifests::is_unused!(),
            " THEN unused_since END AS unused_since"
        )
    };
}
pub(super) use columns;

statements! {
    MANIFEST_BY_DIGEST = concat!("SELECT ", columns!(), " \
        FROM repositories JOIN manifests ON manifests.repository = repositories.id \
        WHERE repositories.name = ? AND manifests.digest = ?");
    MANIFEST_BY_TAG = concat!("SELECT ", columns!(), " \
        FROM repositories \
        JOIN tags ON tags.repository = repositories.id \
        JOIN manifests ON manifests.repository = tags.repository AND manifests.digest = tags.digest \
        WHERE repositories.name = ? AND tags.name = ?");
    KEEP = "UPDATE manifests SET unused_since = MAX(unused_since, ?) \
        WHERE repository = (SELECT id FROM repositories WHERE name = ?) AND digest = ?";
    MANIFESTS = concat!("SELECT ", columns!(), ", \
          (SELECT COUNT(*) FROM tags \
            WHERE tags.repository = manifests.repository AND tags.digest = manifests.digest) AS tags, \
          (SELECT COUNT(*) FROM manifest_children AS held \
            WHERE held.repository = manifests.repository AND held.digest = manifests.digest \
              AND held.kind = 'manifest') AS parents \
        FROM manifests \
        WHERE repository = (SELECT id FROM repositories WHERE name = ?) AND digest > ? ORDER BY digest LIMIT ?");
    CHILDREN = "SELECT digest FROM manifest_children \
        WHERE repository = (SELECT id FROM repositories WHERE name = ?) AND manifest = ? ORDER BY kind, digest";
    PARENTS = "SELECT manifest FROM manifest_children \
        WHERE repository = (SELECT id FROM repositories WHERE name = ?) AND digest = ? ORDER BY manifest LIMIT ?";
}

/// What a manifest is asked for by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManifestName<'a> {
    /// The tag that points at it.
    Tag(&'a str),
    /// Its digest.
    Digest(&'a str),
}

/// A manifest of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestRow {
    /// Its digest.
    pub digest: String,
    /// What it was pushed as.
    pub media_type: String,
    /// What kind of artifact it is.
    pub artifact_type: Option<String>,
    /// Its own size.
    pub size_bytes: u64,
    /// The manifest that it refers to, which need not be there.
    pub subject: Option<String>,
    /// When it was last pushed.
    pub pushed_at: Timestamp,
    /// Since when no tag points at it, no manifest names it, and what it refers to is not there; or when somebody last
    /// came for it since. Absent while it is needed.
    pub unused_since: Option<Timestamp>,
}

/// A manifest, and what points at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestUse {
    /// The manifest.
    pub manifest: ManifestRow,
    /// How many tags point at it.
    pub tags: u32,
    /// How many manifests of the repository name it.
    pub parents: u32,
}

impl Ledger {
    /// A manifest, if the repository has it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn manifest(
        &self,
        repository: &str,
        name: ManifestName<'_>,
    ) -> Result<Option<ManifestRow>, Error> {
        let (statement, name) = match name {
            ManifestName::Tag(tag) => (MANIFEST_BY_TAG, tag),
            ManifestName::Digest(digest) => (MANIFEST_BY_DIGEST, digest),
        };
        sqlx::query(statement)
            .bind(repository)
            .bind(name)
            .try_map(|row: SqliteRow| manifest(&row))
            .fetch_optional(&self.pool)
            .await
            .map_err(Error::sql("look for a manifest"))
    }

    /// Keeps an unused manifest from expiring for as long as a new one; says whether the repository has it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_manifest(
        &self,
        repository: &str,
        digest: &str,
        at: Timestamp,
    ) -> Result<bool, Error> {
        let keep = Keep {
            repository: repository.to_owned(),
            digest: digest.to_owned(),
            at,
        };
        self.writer.submit(keep).await
    }

    /// The manifests of a repository, by digest, those after `after` only, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn manifests(
        &self,
        repository: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<ManifestUse>, Error> {
        sqlx::query(MANIFESTS)
            .bind(repository)
            .bind(after.unwrap_or_default())
            .bind(limit)
            .try_map(|row: SqliteRow| {
                Ok(ManifestUse {
                    manifest: manifest(&row)?,
                    tags: count(&row, "tags")?,
                    parents: count(&row, "parents")?,
                })
            })
            .fetch_all(&self.pool)
            .await
            .map_err(Error::sql("list the manifests"))
    }

    /// What a manifest of the repository names: blobs and manifests, there or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn children(&self, repository: &str, digest: &str) -> Result<Vec<String>, Error> {
        sqlx::query_scalar(CHILDREN)
            .bind(repository)
            .bind(digest)
            .fetch_all(&self.pool)
            .await
            .map_err(Error::sql("read what a manifest names"))
    }

    /// The manifests of the repository that name a blob or manifest, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn parents(
        &self,
        repository: &str,
        digest: &str,
        limit: u32,
    ) -> Result<Vec<String>, Error> {
        sqlx::query_scalar(PARENTS)
            .bind(repository)
            .bind(digest)
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(Error::sql("read which manifests name something"))
    }
}

struct Keep {
    repository: String,
    digest: String,
    at: Timestamp,
}

impl Operation<Outbox> for Keep {
    type Output = bool;

    async fn carry_out(self, connection: &mut SqliteConnection, _: &mut Outbox) -> Carried<bool> {
        let done = sqlx::query(KEEP)
            .bind(stored_time(self.at))
            .bind(&self.repository)
            .bind(&self.digest)
            .execute(connection)
            .await?;
        Ok(Ok(done.rows_affected() == 1))
    }
}

pub(super) fn manifest(row: &SqliteRow) -> Result<ManifestRow, sqlx::Error> {
    Ok(ManifestRow {
        digest: row.try_get("digest")?,
        media_type: row.try_get("media_type")?,
        artifact_type: row.try_get("artifact_type")?,
        size_bytes: size(row, "size_bytes")?,
        subject: row.try_get("subject")?,
        pushed_at: time(row, "pushed_at")?,
        unused_since: optional_time(row, "unused_since")?,
    })
}
