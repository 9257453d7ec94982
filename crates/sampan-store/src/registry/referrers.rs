//! The manifests that refer to another one.

use futures_util::TryStreamExt as _;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::columns::size;
use super::{Ledger, statements};
use crate::Error;

/// How many bytes of annotations a page has: a manifest may have megabytes of them.
const PAGE_BYTES: usize = 4 << 20;

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

/// Manifests that refer to another one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Referrers {
    /// The first of them.
    pub rows: Vec<ReferrerRow>,
    /// Whether there are more behind these.
    pub more: bool,
}

impl Ledger {
    /// The manifests of a repository that refer to `subject`, by digest, those of one artifact type or all, those
    /// after `after` only, at most `limit`; fewer when their annotations are large, but at least one.
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
    ) -> Result<Referrers, Error> {
        let page = async {
            let mut rows = sqlx::query(REFERRERS)
                .bind(repository)
                .bind(subject)
                .bind(artifact_type)
                .bind(after.unwrap_or_default())
                .bind(limit.saturating_add(1))
                .fetch(&self.pool);
            let mut page = Referrers::default();
            let mut bytes = 0;
            while let Some(row) = rows.try_next().await? {
                let row = referrer(&row)?;
                bytes += row.annotations.as_deref().map_or(0, str::len);
                let is_full = !page.rows.is_empty() && bytes > PAGE_BYTES;
                if is_full || page.rows.len() == limit as usize {
                    page.more = true;
                    break;
                }
                page.rows.push(row);
            }
            Ok(page)
        };
        page.await.map_err(Error::sql("list referrers"))
    }
}

fn referrer(row: &SqliteRow) -> Result<ReferrerRow, sqlx::Error> {
    Ok(ReferrerRow {
        digest: row.try_get("digest")?,
        media_type: row.try_get("media_type")?,
        artifact_type: row.try_get("artifact_type")?,
        size_bytes: size(row, "size_bytes")?,
        annotations: row.try_get("annotations")?,
    })
}
