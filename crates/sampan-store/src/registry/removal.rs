//! Deleting manifests, tags and links to blobs.

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::SqliteConnection;

use super::columns::{count, size, stored_time};
use super::events::NewEvent;
use super::{EventKind, Ledger, Outbox, Refusal, Rules, statements, tags};
use crate::Error;
use crate::writer::{Carried, Operation};

statements! {
    FIND_MANIFEST = "SELECT manifests.repository, media_type, size_bytes \
        FROM repositories JOIN manifests ON manifests.repository = repositories.id \
        WHERE repositories.name = ? AND manifests.digest = ?";
    FIND_TAG = "SELECT tags.repository, tags.digest \
        FROM repositories JOIN tags ON tags.repository = repositories.id \
        WHERE repositories.name = ? AND tags.name = ?";
    FIND_LINK = "SELECT repository_blobs.repository, blobs.size_bytes, repository_blobs.reference_count \
        FROM repositories \
        JOIN repository_blobs ON repository_blobs.repository = repositories.id \
        JOIN blobs ON blobs.digest = repository_blobs.digest \
        WHERE repositories.name = ? AND repository_blobs.digest = ?";
    /// The tags that lead to a manifest by way of others; `UNION` ends even where they name each other.
    TAGS_ABOVE = "WITH RECURSIVE above (digest) AS ( \
          SELECT manifest FROM manifest_children WHERE repository = ?1 AND digest = ?2 AND kind = 'manifest' \
          UNION \
          SELECT manifest FROM above JOIN manifest_children AS held \
            ON held.repository = ?1 AND held.digest = above.digest AND held.kind = 'manifest') \
        SELECT DISTINCT tags.name FROM above JOIN tags ON tags.repository = ?1 AND tags.digest = above.digest";
    TAGS_AT = "SELECT name FROM tags WHERE repository = ? AND digest = ? ORDER BY name";
    /// What other manifests name is not idle; for that the time means nothing. The same holds for manifests.
    MARK_IDLE = "UPDATE repository_blobs SET idle_since = MAX(idle_since, ?3) WHERE repository = ?1 AND digest IN \
        (SELECT digest FROM manifest_children WHERE repository = ?1 AND manifest = ?2 AND kind = 'blob')";
    MARK_CHILDREN = "UPDATE manifests SET unused_since = MAX(unused_since, ?3) WHERE repository = ?1 AND digest IN \
        (SELECT digest FROM manifest_children WHERE repository = ?1 AND manifest = ?2 AND kind = 'manifest')";
    MARK_REFERRERS = "UPDATE manifests SET unused_since = MAX(unused_since, ?3) WHERE repository = ?1 AND subject = ?2";
    REMOVE_CHILDREN = "DELETE FROM manifest_children WHERE repository = ? AND manifest = ?";
    REMOVE_MANIFEST = "DELETE FROM manifests WHERE repository = ? AND digest = ?";
    REMOVE_LINK = "DELETE FROM repository_blobs WHERE repository = ? AND digest = ?";
}

/// Who deletes something from which repository, when, and by which rules.
#[derive(Debug, Clone)]
pub struct Removal {
    /// The repository.
    pub repository: String,
    /// What must be kept to.
    pub rules: Rules,
    /// Who deletes.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

impl Ledger {
    /// Deletes a manifest and the tags that point at it, which are returned. Another manifest may name it; that
    /// one is then incomplete, which the specification allows.
    ///
    /// # Errors
    /// [`Refusal::ManifestUnknown`]; [`Refusal::TagImmutable`] when such a tag may not go, or when one that may not
    /// change points at an index that the manifest is a part of.
    pub async fn delete_manifest(
        &self,
        removal: Removal,
        digest: &str,
    ) -> Result<Vec<String>, Error> {
        let digest = digest.to_owned();
        self.writer.submit(DeleteManifest { removal, digest }).await
    }

    /// Deletes a tag; returns the digest that it pointed at, whose manifest stays.
    ///
    /// # Errors
    /// [`Refusal::TagUnknown`]; [`Refusal::TagImmutable`].
    pub async fn delete_tag(&self, removal: Removal, tag: &str) -> Result<String, Error> {
        let tag = tag.to_owned();
        self.writer.submit(DeleteTag { removal, tag }).await
    }

    /// Deletes a repository's link to a blob. Without any other holder the blob is condemned.
    ///
    /// # Errors
    /// [`Refusal::BlobUnknown`]; [`Refusal::Referenced`].
    pub async fn delete_blob(&self, removal: Removal, digest: &str) -> Result<(), Error> {
        let digest = digest.to_owned();
        self.writer.submit(DeleteBlob { removal, digest }).await
    }
}

impl Removal {
    pub(super) fn event<'a>(&'a self, kind: EventKind, digest: &'a str) -> NewEvent<'a> {
        NewEvent {
            kind,
            repository: &self.repository,
            digest,
            tag: None,
            media_type: None,
            size_bytes: None,
            actor: &self.actor,
            at: self.at,
        }
    }

    pub(super) async fn remove_tag(
        &self,
        connection: &mut SqliteConnection,
        outbox: &mut Outbox,
        repository: i64,
        tag: &str,
        digest: &str,
    ) -> Result<(), sqlx::Error> {
        let change = tags::Change {
            repository,
            tag,
            previous: Some(digest),
            actor: &self.actor,
            at: self.at,
        };
        change.remove(connection).await?;
        let event = NewEvent {
            tag: Some(tag),
            ..self.event(EventKind::TagDeleted, digest)
        };
        outbox.record(connection, event).await
    }
}

struct DeleteManifest {
    removal: Removal,
    digest: String,
}

impl Operation<Outbox> for DeleteManifest {
    type Output = Vec<String>;

    async fn carry_out(
        self,
        connection: &mut SqliteConnection,
        outbox: &mut Outbox,
    ) -> Carried<Vec<String>> {
        let Self { removal, digest } = self;
        let found = sqlx::query(FIND_MANIFEST)
            .bind(&removal.repository)
            .bind(&digest)
            .fetch_optional(&mut *connection)
            .await?;
        let Some(found) = found else {
            let repository = removal.repository;
            return Ok(Err(Refusal::ManifestUnknown { repository, digest }.into()));
        };
        let repository: i64 = found.try_get("repository")?;
        let tags: Vec<String> = sqlx::query_scalar(TAGS_AT)
            .bind(repository)
            .bind(&digest)
            .fetch_all(&mut *connection)
            .await?;
        if let Some(tag) = tags.iter().find(|tag| removal.rules.is_immutable(tag)) {
            return Ok(Err(Refusal::TagImmutable { tag: tag.clone() }.into()));
        }
        let above: Vec<String> = sqlx::query_scalar(TAGS_ABOVE)
            .bind(repository)
            .bind(&digest)
            .fetch_all(&mut *connection)
            .await?;
        if let Some(tag) = above.iter().find(|tag| removal.rules.is_immutable(tag)) {
            return Ok(Err(Refusal::TagImmutable { tag: tag.clone() }.into()));
        }
        for tag in &tags {
            removal
                .remove_tag(connection, outbox, repository, tag, &digest)
                .await?;
        }
        remove_manifest(connection, repository, &digest, removal.at).await?;
        let media_type: String = found.try_get("media_type")?;
        let event = NewEvent {
            media_type: Some(&media_type),
            size_bytes: Some(size(&found, "size_bytes")?),
            ..removal.event(EventKind::ManifestDeleted, &digest)
        };
        outbox.record(connection, event).await?;
        Ok(Ok(tags))
    }
}

pub(super) async fn remove_manifest(
    connection: &mut SqliteConnection,
    repository: i64,
    digest: &str,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    for statement in [MARK_IDLE, MARK_CHILDREN, MARK_REFERRERS] {
        sqlx::query(statement)
            .bind(repository)
            .bind(digest)
            .bind(stored_time(at))
            .execute(&mut *connection)
            .await?;
    }
    for statement in [REMOVE_CHILDREN, REMOVE_MANIFEST] {
        sqlx::query(statement)
            .bind(repository)
            .bind(digest)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

struct DeleteTag {
    removal: Removal,
    tag: String,
}

impl Operation<Outbox> for DeleteTag {
    type Output = String;

    async fn carry_out(
        self,
        connection: &mut SqliteConnection,
        outbox: &mut Outbox,
    ) -> Carried<String> {
        let Self { removal, tag } = self;
        let found = sqlx::query(FIND_TAG)
            .bind(&removal.repository)
            .bind(&tag)
            .fetch_optional(&mut *connection)
            .await?;
        let Some(found) = found else {
            let repository = removal.repository;
            return Ok(Err(Refusal::TagUnknown { repository, tag }.into()));
        };
        if removal.rules.is_immutable(&tag) {
            return Ok(Err(Refusal::TagImmutable { tag }.into()));
        }
        let digest: String = found.try_get("digest")?;
        let repository = found.try_get("repository")?;
        removal
            .remove_tag(connection, outbox, repository, &tag, &digest)
            .await?;
        Ok(Ok(digest))
    }
}

struct DeleteBlob {
    removal: Removal,
    digest: String,
}

impl Operation<Outbox> for DeleteBlob {
    type Output = ();

    async fn carry_out(
        self,
        connection: &mut SqliteConnection,
        outbox: &mut Outbox,
    ) -> Carried<()> {
        let Self { removal, digest } = self;
        let found = sqlx::query(FIND_LINK)
            .bind(&removal.repository)
            .bind(&digest)
            .fetch_optional(&mut *connection)
            .await?;
        let repository = removal.repository.clone();
        let Some(found) = found else {
            return Ok(Err(Refusal::BlobUnknown { repository, digest }.into()));
        };
        let references = count(&found, "reference_count")?;
        if references > 0 {
            let refusal = Refusal::Referenced {
                repository,
                digest,
                references,
            };
            return Ok(Err(refusal.into()));
        }
        sqlx::query(REMOVE_LINK)
            .bind(found.try_get::<i64, _>("repository")?)
            .bind(&digest)
            .execute(&mut *connection)
            .await?;
        let event = NewEvent {
            size_bytes: Some(size(&found, "size_bytes")?),
            ..removal.event(EventKind::BlobDeleted, &digest)
        };
        outbox.record(connection, event).await?;
        Ok(Ok(()))
    }
}
