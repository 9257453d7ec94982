//! The blobs that repositories hold.

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::columns::{count, size, stored_time, time, unsigned};
use super::repositories::Survey;
use super::{Ledger, Outbox, Refusal, statements};
use crate::Error;
use crate::writer::{Carried, Operation};

statements! {
    BLOB = "SELECT blobs.size_bytes, repository_blobs.reference_count, repository_blobs.idle_since \
        FROM repositories \
        JOIN repository_blobs ON repository_blobs.repository = repositories.id \
        JOIN blobs ON blobs.digest = repository_blobs.digest \
        WHERE repositories.name = ? AND repository_blobs.digest = ?";
    REPOSITORIES_WITH = "SELECT repositories.name FROM repository_blobs \
        JOIN repositories ON repositories.id = repository_blobs.repository \
        WHERE repository_blobs.digest = ? ORDER BY repository_blobs.repository LIMIT ?";
    MOUNTABLE = "SELECT blobs.size_bytes FROM repositories \
        JOIN repository_blobs ON repository_blobs.repository = repositories.id \
        JOIN blobs ON blobs.digest = repository_blobs.digest \
        WHERE repositories.name = ? AND repository_blobs.digest = ?";
    /// Manifests that came before may name the blob: an optional one need not be there.
    LINK = "INSERT INTO repository_blobs (repository, digest, reference_count, idle_since) VALUES (?1, ?2, \
          (SELECT COUNT(*) FROM manifest_children WHERE repository = ?1 AND digest = ?2 AND kind = 'blob'), ?3) \
        ON CONFLICT (repository, digest) DO UPDATE SET idle_since = MAX(idle_since, excluded.idle_since)";
    IS_LINKED = "SELECT 1 FROM repository_blobs WHERE repository = ? AND digest = ?";
    TOUCH = "UPDATE repository_blobs SET idle_since = MAX(idle_since, ?) \
        WHERE repository = (SELECT id FROM repositories WHERE name = ?) AND digest = ?";
}

/// A blob as a repository holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobRow {
    /// Its size.
    pub size_bytes: u64,
    /// How many manifests of the repository name it.
    pub references: u32,
    /// Since when no manifest has named it and nobody has asked for it to be kept; absent while one names it.
    pub idle_since: Option<Timestamp>,
}

/// Where the content of a new link comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// It has been uploaded.
    Uploaded {
        /// Its size.
        size_bytes: u64,
    },
    /// Another repository holds it.
    Mounted {
        /// That repository.
        from: String,
    },
}

/// A link that is to be made.
#[derive(Debug, Clone)]
pub struct LinkBlob {
    /// The repository; it is made when missing.
    pub repository: String,
    /// The blob, whose file must be there.
    pub digest: String,
    /// Where it comes from.
    pub content: Content,
    /// How many bytes the project may hold.
    pub quota_bytes: Option<u64>,
    /// When.
    pub at: Timestamp,
}

/// A link that has been made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Linked {
    /// Whether the repository did not hold the blob before.
    pub created: bool,
    /// The size of the blob.
    pub size_bytes: u64,
}

impl Ledger {
    /// A blob, if the repository holds it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn blob(&self, repository: &str, digest: &str) -> Result<Option<BlobRow>, Error> {
        sqlx::query(BLOB)
            .bind(repository)
            .bind(digest)
            .try_map(|row: SqliteRow| {
                let references = count(&row, "reference_count")?;
                let idle_since = time(&row, "idle_since")?;
                Ok(BlobRow {
                    size_bytes: size(&row, "size_bytes")?,
                    references,
                    idle_since: (references == 0).then_some(idle_since),
                })
            })
            .fetch_optional(&self.pool)
            .await
            .map_err(Error::sql("look for a blob"))
    }

    /// Repositories that hold a blob, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn repositories_with(&self, digest: &str, limit: u32) -> Result<Vec<String>, Error> {
        sqlx::query_scalar(REPOSITORIES_WITH)
            .bind(digest)
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(Error::sql("look for the holders of a blob"))
    }

    /// Lets a repository hold a blob, which saves the blob if it was condemned. A link that is there is kept for
    /// as long as a new one.
    ///
    /// # Errors
    /// [`Refusal::QuotaExceeded`]; [`Refusal::BlobUnknown`] when it is to be mounted from a repository that does
    /// not hold it.
    pub async fn link_blob(&self, link: LinkBlob) -> Result<Linked, Error> {
        self.writer.submit(link).await
    }

    /// Keeps an idle link from the collector for as long as a new one; says whether there is such a link.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn touch_blob(
        &self,
        repository: &str,
        digest: &str,
        at: Timestamp,
    ) -> Result<bool, Error> {
        let touch = Touch {
            repository: repository.to_owned(),
            digest: digest.to_owned(),
            at,
        };
        self.writer.submit(touch).await
    }
}

impl Operation<Outbox> for LinkBlob {
    type Output = Linked;

    async fn carry_out(self, connection: &mut SqliteConnection, _: &mut Outbox) -> Carried<Linked> {
        let Self {
            repository,
            digest,
            content,
            quota_bytes,
            at,
        } = self;
        let size_bytes = match content {
            Content::Uploaded { size_bytes } => size_bytes,
            Content::Mounted { from } => {
                let Some(size_bytes) = mountable(connection, &from, &digest).await? else {
                    let repository = from;
                    return Ok(Err(Refusal::BlobUnknown { repository, digest }.into()));
                };
                size_bytes
            }
        };
        let survey = Survey::take(connection, &repository, &digest).await?;
        if let Err(refusal) = survey.check_quota(&repository, size_bytes, quota_bytes) {
            return Ok(Err(refusal.into()));
        }
        let id = survey
            .make_room(connection, &repository, &digest, size_bytes)
            .await?;
        let before = sqlx::query(IS_LINKED)
            .bind(id)
            .bind(&digest)
            .fetch_optional(&mut *connection)
            .await?;
        sqlx::query(LINK)
            .bind(id)
            .bind(&digest)
            .bind(stored_time(at))
            .execute(connection)
            .await?;
        let created = before.is_none();
        Ok(Ok(Linked {
            created,
            size_bytes,
        }))
    }
}

async fn mountable(
    connection: &mut SqliteConnection,
    from: &str,
    digest: &str,
) -> Result<Option<u64>, sqlx::Error> {
    let row = sqlx::query(MOUNTABLE)
        .bind(from)
        .bind(digest)
        .fetch_optional(connection)
        .await?;
    row.map(|row| unsigned(row.try_get("size_bytes")?, "size_bytes"))
        .transpose()
}

struct Touch {
    repository: String,
    digest: String,
    at: Timestamp,
}

impl Operation<Outbox> for Touch {
    type Output = bool;

    async fn carry_out(self, connection: &mut SqliteConnection, _: &mut Outbox) -> Carried<bool> {
        let done = sqlx::query(TOUCH)
            .bind(stored_time(self.at))
            .bind(&self.repository)
            .bind(&self.digest)
            .execute(connection)
            .await?;
        Ok(Ok(done.rows_affected() == 1))
    }
}
