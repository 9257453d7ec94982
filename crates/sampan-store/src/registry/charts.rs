//! The Helm charts among the manifests.

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::columns::time;
use super::{Ledger, statements};
use crate::Error;

statements! {
    /// From the repositories inwards: all that is read of images is the names of their repositories.
    CHARTS = "SELECT repositories.name AS repository, manifests.digest, manifests.pushed_at, tags.name AS tag \
        FROM repositories \
        CROSS JOIN manifests INDEXED BY manifests_of_charts ON manifests.repository = repositories.id \
        CROSS JOIN tags ON tags.repository = manifests.repository AND tags.digest = manifests.digest \
        WHERE repositories.name >= ?1 AND repositories.name < ?2 \
          AND manifests.artifact_type = 'application/vnd.cncf.helm.config.v1+json'";
}

/// A tag that points at a Helm chart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChartRow {
    /// Where the chart lies.
    pub repository: String,
    /// Its manifest.
    pub digest: String,
    /// The tag.
    pub tag: String,
    /// When the manifest was last pushed.
    pub pushed_at: Timestamp,
}

impl Ledger {
    /// The tagged Helm charts of a repository and of all that lie below it, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn charts(&self, above: &str) -> Result<Vec<ChartRow>, Error> {
        let below = format!("{above}/");
        let rows = sqlx::query(CHARTS)
            .bind(above)
            // The character behind the slash.
            .bind(format!("{above}0"))
            .try_map(|row: SqliteRow| {
                Ok(ChartRow {
                    repository: row.try_get("repository")?,
                    digest: row.try_get("digest")?,
                    tag: row.try_get("tag")?,
                    pushed_at: time(&row, "pushed_at")?,
                })
            })
            .fetch_all(&self.pool)
            .await
            .map_err(Error::sql("list the charts"))?;
        // `team-2` sorts between `team` and `team/web`.
        let inside = |row: &ChartRow| row.repository == above || row.repository.starts_with(&below);
        let mut rows: Vec<ChartRow> = rows.into_iter().filter(inside).collect();
        rows.sort();
        Ok(rows)
    }
}
