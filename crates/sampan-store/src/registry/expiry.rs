//! Removing what rules call old, unless somebody has come to need it since it was looked at.

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::columns::{size, stored_time};
use super::events::NewEvent;
use super::manifests::{columns, is_unused, manifest};
use super::removal::remove_manifest;
use super::{EventKind, Ledger, ManifestRow, Outbox, Removal, TagRow, statements};
use crate::Error;
use crate::writer::{Carried, Operation};

statements! {
    UNUSED = concat!("SELECT ", columns!(), " FROM manifests \
        WHERE repository = (SELECT id FROM repositories WHERE name = ?1) AND digest > ?3 AND unused_since < ?2 AND ",
        is_unused!(), " ORDER BY digest LIMIT ?4");
    STILL_UNUSED = concat!("SELECT repository, media_type, size_bytes FROM manifests \
        WHERE repository = (SELECT id FROM repositories WHERE name = ?1) AND digest = ?2 AND unused_since < ?3 AND ",
        is_unused!());
    STILL_THERE = "SELECT repository FROM tags \
        WHERE repository = (SELECT id FROM repositories WHERE name = ?) AND name = ? AND digest = ? AND pushed_at = ?";
}

impl Ledger {
    /// Manifests of a repository that nothing has needed since before `unused_before`: no tag, no manifest that names
    /// them, and not what they refer to, of which they would be a part such as a signature; and that nobody has pushed
    /// or asked for since. By digest, those after `after` only, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unused_manifests(
        &self,
        repository: &str,
        unused_before: Timestamp,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<ManifestRow>, Error> {
        sqlx::query(UNUSED)
            .bind(repository)
            .bind(stored_time(unused_before))
            .bind(after.unwrap_or_default())
            .bind(limit)
            .try_map(|row: SqliteRow| manifest(&row))
            .fetch_all(&self.pool)
            .await
            .map_err(Error::sql("look for unused manifests"))
    }

    /// Deletes a manifest if it is still one of [`Ledger::unused_manifests`]; says whether it was.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn expire_manifest(
        &self,
        removal: Removal,
        digest: &str,
        unused_before: Timestamp,
    ) -> Result<bool, Error> {
        let expiry = ExpireManifest {
            removal,
            digest: digest.to_owned(),
            unused_before,
        };
        self.writer.submit(expiry).await
    }

    /// Deletes a tag if it still is as it was, not pushed again since, and not immutable; says whether it did.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn expire_tag(&self, removal: Removal, tag: TagRow) -> Result<bool, Error> {
        self.writer.submit(ExpireTag { removal, tag }).await
    }
}

struct ExpireManifest {
    removal: Removal,
    digest: String,
    unused_before: Timestamp,
}

impl Operation<Outbox> for ExpireManifest {
    type Output = bool;

    async fn carry_out(
        self,
        connection: &mut SqliteConnection,
        outbox: &mut Outbox,
    ) -> Carried<bool> {
        let Self {
            removal,
            digest,
            unused_before,
        } = self;
        let found = sqlx::query(STILL_UNUSED)
            .bind(&removal.repository)
            .bind(&digest)
            .bind(stored_time(unused_before))
            .fetch_optional(&mut *connection)
            .await?;
        let Some(found) = found else {
            return Ok(Ok(false));
        };
        let repository = found.try_get("repository")?;
        remove_manifest(connection, repository, &digest, removal.at).await?;
        let media_type: String = found.try_get("media_type")?;
        let event = NewEvent {
            media_type: Some(&media_type),
            size_bytes: Some(size(&found, "size_bytes")?),
            ..removal.event(EventKind::ManifestDeleted, &digest)
        };
        outbox.record(connection, event).await?;
        Ok(Ok(true))
    }
}

struct ExpireTag {
    removal: Removal,
    tag: TagRow,
}

impl Operation<Outbox> for ExpireTag {
    type Output = bool;

    async fn carry_out(
        self,
        connection: &mut SqliteConnection,
        outbox: &mut Outbox,
    ) -> Carried<bool> {
        let Self { removal, tag } = self;
        let repository: Option<i64> = sqlx::query_scalar(STILL_THERE)
            .bind(&removal.repository)
            .bind(&tag.name)
            .bind(&tag.digest)
            .bind(stored_time(tag.pushed_at))
            .fetch_optional(&mut *connection)
            .await?;
        match repository {
            Some(repository) if !removal.rules.is_immutable(&tag.name) => {
                removal
                    .remove_tag(connection, outbox, repository, &tag.name, &tag.digest)
                    .await?;
                Ok(Ok(true))
            }
            _ => Ok(Ok(false)),
        }
    }
}
