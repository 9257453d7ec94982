//! Repositories and the projects that they belong to.

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::columns::{count, optional_time, size, stored_size, unsigned};
use super::{Ledger, Refusal, statements};
use crate::Error;

statements! {
    HAS_REPOSITORY = "SELECT 1 FROM repositories WHERE name = ?";
    REPOSITORIES = "SELECT name FROM repositories WHERE name >= ? AND name < ? AND name <> ? ORDER BY name LIMIT ?";
    USAGE = "SELECT bytes FROM projects WHERE name = ?";
    /// A walk over what the repository holds: for people who ask now and then, not for requests.
    HOLDINGS = "SELECT \
          (SELECT COUNT(*) FROM tags WHERE repository = found.id) AS tags, \
          (SELECT COUNT(*) FROM manifests WHERE repository = found.id) AS manifests, \
          (SELECT COALESCE(SUM(size_bytes), 0) FROM manifests WHERE repository = found.id) \
            + (SELECT COALESCE(SUM(blobs.size_bytes), 0) FROM repository_blobs AS link \
                JOIN blobs ON blobs.digest = link.digest WHERE link.repository = found.id) AS size_bytes, \
          (SELECT MAX(pushed_at) FROM manifests WHERE repository = found.id) AS pushed_at \
        FROM repositories AS found WHERE found.name = ?";
    /// The project may be there without the repository.
    SURVEY = "SELECT repositories.id AS repository, projects.bytes, \
          EXISTS (SELECT 1 FROM project_contents WHERE project = projects.id AND digest = ?3) AS counted \
        FROM projects LEFT JOIN repositories ON repositories.name = ?2 WHERE projects.name = ?1";
    ADD_PROJECT = "INSERT INTO projects (name) VALUES (?) ON CONFLICT (name) DO NOTHING";
    ADD_REPOSITORY = "INSERT INTO repositories (name, project) \
        SELECT ?2, id FROM projects WHERE name = ?1 RETURNING id";
    ADD_BLOB = "INSERT INTO blobs (digest, size_bytes) VALUES (?, ?) ON CONFLICT (digest) DO NOTHING";
}

/// What a project holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of blobs and manifests, every digest counted once.
    pub bytes: u64,
}

/// What a repository holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holdings {
    /// How many tags.
    pub tags: u32,
    /// How many manifests.
    pub manifests: u32,
    /// Bytes of its manifests and blobs, needed or not. Other repositories may hold the same ones.
    pub size_bytes: u64,
    /// When a manifest last came that is still there.
    pub pushed_at: Option<Timestamp>,
}

impl Ledger {
    /// Whether there is a repository of this name; one comes to be with its first blob or manifest.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_repository(&self, repository: &str) -> Result<bool, Error> {
        let row = sqlx::query(HAS_REPOSITORY)
            .bind(repository)
            .fetch_optional(&self.pool)
            .await
            .map_err(Error::sql("look for a repository"))?;
        Ok(row.is_some())
    }

    /// The names of the repositories that begin with `prefix`, in the order of their bytes, those after `after`
    /// only, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn repositories(
        &self,
        after: Option<&str>,
        limit: u32,
        prefix: &str,
    ) -> Result<Vec<String>, Error> {
        let after = after.unwrap_or_default();
        sqlx::query_scalar(REPOSITORIES)
            .bind(after.max(prefix))
            .bind(format!("{prefix}{}", char::MAX))
            .bind(after)
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(Error::sql("list the repositories"))
    }

    /// What a repository holds; nothing when there is no such repository. It takes longer the more that is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn holdings(&self, repository: &str) -> Result<Option<Holdings>, Error> {
        sqlx::query(HOLDINGS)
            .bind(repository)
            .try_map(|row: SqliteRow| {
                Ok(Holdings {
                    tags: count(&row, "tags")?,
                    manifests: count(&row, "manifests")?,
                    size_bytes: size(&row, "size_bytes")?,
                    pushed_at: optional_time(&row, "pushed_at")?,
                })
            })
            .fetch_optional(&self.pool)
            .await
            .map_err(Error::sql("sum up a repository"))
    }

    /// What a project holds; nothing when it is unknown.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn usage(&self, project: &str) -> Result<Usage, Error> {
        let usage = sqlx::query(USAGE)
            .bind(project)
            .try_map(|row: SqliteRow| size(&row, "bytes"))
            .fetch_optional(&self.pool)
            .await
            .map_err(Error::sql("read the usage of a project"))?;
        Ok(usage.map_or_else(Usage::default, |bytes| Usage { bytes }))
    }

    /// How large new content of a repository may be whose project may hold `quota_bytes`. What the project holds already,
    /// which only the digest can tell, it may always push again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn room(
        &self,
        repository: &str,
        digest: Option<&str>,
        quota_bytes: u64,
    ) -> Result<u64, Error> {
        let survey = async {
            let mut connection = self.pool.acquire().await?;
            Survey::take(&mut connection, repository, digest.unwrap_or_default()).await
        };
        let survey = survey
            .await
            .map_err(Error::sql("ask for the room of a project"))?;
        Ok(if survey.counted {
            u64::MAX
        } else {
            quota_bytes.saturating_sub(survey.project_bytes)
        })
    }
}

/// The project of a repository: the first component of its name.
#[must_use]
pub fn project_of(repository: &str) -> &str {
    repository.split('/').next().unwrap_or(repository)
}

/// What there is before content is added to a repository.
pub(super) struct Survey {
    /// The repository's row, if it has one.
    pub(super) repository: Option<i64>,
    project_bytes: u64,
    /// Whether the project holds the content already.
    counted: bool,
}

impl Survey {
    pub(super) async fn take(
        connection: &mut SqliteConnection,
        repository: &str,
        digest: &str,
    ) -> Result<Self, sqlx::Error> {
        let row = sqlx::query(SURVEY)
            .bind(project_of(repository))
            .bind(repository)
            .bind(digest)
            .fetch_optional(connection)
            .await?;
        let Some(row) = row else {
            return Ok(Self {
                repository: None,
                project_bytes: 0,
                counted: false,
            });
        };
        Ok(Self {
            repository: row.try_get("repository")?,
            project_bytes: unsigned(row.try_get("bytes")?, "bytes")?,
            counted: row.try_get("counted")?,
        })
    }

    /// Whether the project may hold this much more. What it holds already it may always push again.
    pub(super) fn check_quota(
        &self,
        repository: &str,
        size_bytes: u64,
        quota_bytes: Option<u64>,
    ) -> Result<(), Refusal> {
        let wanted_bytes = self.project_bytes.saturating_add(size_bytes);
        match quota_bytes {
            Some(limit_bytes) if !self.counted && wanted_bytes > limit_bytes => {
                Err(Refusal::QuotaExceeded {
                    project: project_of(repository).to_owned(),
                    limit_bytes,
                    wanted_bytes,
                })
            }
            _ => Ok(()),
        }
    }

    /// The repository's row, which is made when missing, and the row of the content itself.
    pub(super) async fn make_room(
        &self,
        connection: &mut SqliteConnection,
        repository: &str,
        digest: &str,
        size_bytes: u64,
    ) -> Result<i64, sqlx::Error> {
        sqlx::query(ADD_BLOB)
            .bind(digest)
            .bind(stored_size(size_bytes))
            .execute(&mut *connection)
            .await?;
        if let Some(id) = self.repository {
            return Ok(id);
        }
        let project = project_of(repository);
        sqlx::query(ADD_PROJECT)
            .bind(project)
            .execute(&mut *connection)
            .await?;
        sqlx::query_scalar(ADD_REPOSITORY)
            .bind(project)
            .bind(repository)
            .fetch_one(connection)
            .await
    }
}
