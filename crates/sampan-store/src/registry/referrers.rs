//! The manifests that refer to another one.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::columns::size;
use super::{Ledger, statements};
use crate::Error;

statements! {
    REFERRERS = "SELECT digest, media_type, artifact_type, size_bytes, annotations FROM manifests \
        WHERE repository = (SELECT id FROM repositories WHERE name = ?1) AND subject = ?2 AND digest > ?4 \
          AND (?3 IS NULL OR artifact_type = ?3) \
        ORDER BY digest LIMIT ?5";
}

/// A manifest that refers to another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferrerRow {
    /// Its digest.
    pub digest: String,
    /// What it was pushed as.
    pub media_type: String,
    /// What kind of artifact it is.
    pub artifact_type: Option<String>,
    /// Its own size.
    pub size_bytes: u64,
    /// Its annotations, a JSON object.
    pub annotations: Option<String>,
}

impl Ledger {
    /// The manifests of a repository that refer to `subject`, by digest, those of one artifact type or all, those
    /// after `after` only, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn referrers(
        &self,
        repository: &str,
        subject: &str,
        artifact_type: Option<&str>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<ReferrerRow>, Error> {
        sqlx::query(REFERRERS)
            .bind(repository)
            .bind(subject)
            .bind(artifact_type)
            .bind(after.unwrap_or_default())
            .bind(limit)
            .try_map(|row: SqliteRow| {
                Ok(ReferrerRow {
                    digest: row.try_get("digest")?,
                    media_type: row.try_get("media_type")?,
                    artifact_type: row.try_get("artifact_type")?,
                    size_bytes: size(&row, "size_bytes")?,
                    annotations: row.try_get("annotations")?,
                })
            })
            .fetch_all(&self.pool)
            .await
            .map_err(Error::sql("list the referrers"))
    }
}
