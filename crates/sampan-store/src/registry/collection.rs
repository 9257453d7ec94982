//! Finding what nobody needs any more.
//!
//! A collection drops links that have been idle for long ([`Ledger::condemn`]), page by page, until fewer links
//! go than were allowed; then it walks the condemned blobs ([`Ledger::condemned`]), and for each, while it keeps
//! pushes of that digest out: does still nobody hold it ([`Ledger::unheld`])? then the file goes, then the row
//! ([`Ledger::forget`]). A collection that is interrupted is finished by the next one.

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::columns::{size, stored_time, time};
use super::{Ledger, Outbox, statements};
use crate::Error;
use crate::writer::{Carried, Operation};

statements! {
    DROP_IDLE = "DELETE FROM repository_blobs WHERE (repository, digest) IN ( \
          SELECT repository, digest FROM repository_blobs \
          WHERE reference_count = 0 AND idle_since < ? ORDER BY idle_since, repository, digest LIMIT ?) \
        RETURNING digest";
    CONDEMNED_AMONG = "SELECT blobs.digest, blobs.size_bytes FROM json_each(?) AS dropped \
        CROSS JOIN blobs ON blobs.digest = dropped.value WHERE blobs.holders = 0 GROUP BY blobs.digest";
    CONDEMNED = "SELECT digest, size_bytes FROM blobs WHERE holders = 0 AND digest > ? ORDER BY digest LIMIT ?";
    HELD = "SELECT digest FROM blobs WHERE holders > 0 AND digest > ? ORDER BY digest LIMIT ?";
    UNHELD = "SELECT asked.value FROM json_each(?) AS asked \
        WHERE NOT EXISTS (SELECT 1 FROM blobs WHERE blobs.digest = asked.value AND holders > 0)";
    FORGET = "DELETE FROM blobs WHERE holders = 0 AND digest IN (SELECT asked.value FROM json_each(?) AS asked)";
    WOULD_CONDEMN = "SELECT repositories.name, link.digest, blobs.size_bytes, link.idle_since, \
          blobs.holders = (SELECT COUNT(*) FROM repository_blobs AS other \
            WHERE other.digest = link.digest AND other.reference_count = 0 AND other.idle_since < ?1) AS frees \
        FROM repository_blobs AS link \
        CROSS JOIN repositories ON repositories.id = link.repository \
        CROSS JOIN blobs ON blobs.digest = link.digest \
        WHERE link.reference_count = 0 AND link.idle_since < ?1 AND (link.idle_since, link.repository, link.digest) \
          > (?2, COALESCE((SELECT id FROM repositories WHERE name = ?3), 0), ?4) \
        ORDER BY link.idle_since, link.repository, link.digest LIMIT ?5";
    UNKNOWN = "SELECT asked.value FROM json_each(?) AS asked \
        WHERE NOT EXISTS (SELECT 1 FROM blobs WHERE blobs.digest = asked.value)";
}

/// A blob that nobody holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condemned {
    /// Its digest.
    pub digest: String,
    /// Its size.
    pub size_bytes: u64,
}

/// What a call of [`Ledger::condemn`] has done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condemnation {
    /// How many links were dropped; fewer than allowed when there are no more.
    pub links: u32,
    /// The blobs that nobody holds because of that.
    pub blobs: Vec<Condemned>,
}

/// A link that a collection would drop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdleLink {
    /// The repository.
    pub repository: String,
    /// The blob.
    pub digest: String,
    /// Its size.
    pub size_bytes: u64,
    /// Since when no manifest of the repository has named it.
    pub idle_since: Timestamp,
    /// Whether the blob itself would go, because nobody else holds it or only other such links do.
    pub frees: bool,
}

impl Ledger {
    /// Drops links that have been idle since before `idle_before`, longest idle first, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn condemn(&self, idle_before: Timestamp, limit: u32) -> Result<Condemnation, Error> {
        self.writer.submit(Condemn { idle_before, limit }).await
    }

    /// The links that [`Ledger::condemn`] would drop, longest idle first, those after `after` only, at most
    /// `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn would_condemn(
        &self,
        idle_before: Timestamp,
        after: Option<&IdleLink>,
        limit: u32,
    ) -> Result<Vec<IdleLink>, Error> {
        sqlx::query(WOULD_CONDEMN)
            .bind(stored_time(idle_before))
            .bind(after.map_or(i64::MIN, |link| stored_time(link.idle_since)))
            .bind(after.map_or("", |link| link.repository.as_str()))
            .bind(after.map_or("", |link| link.digest.as_str()))
            .bind(limit)
            .try_map(|row: SqliteRow| {
                Ok(IdleLink {
                    repository: row.try_get("name")?,
                    digest: row.try_get("digest")?,
                    size_bytes: size(&row, "size_bytes")?,
                    idle_since: time(&row, "idle_since")?,
                    frees: row.try_get("frees")?,
                })
            })
            .fetch_all(&self.pool)
            .await
            .map_err(Error::sql("look for idle links"))
    }

    /// The condemned blobs by digest, those after `after` only, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn condemned(
        &self,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Condemned>, Error> {
        sqlx::query(CONDEMNED)
            .bind(after.unwrap_or_default())
            .bind(limit)
            .try_map(|row: SqliteRow| condemned(&row))
            .fetch_all(&self.pool)
            .await
            .map_err(Error::sql("list the condemned blobs"))
    }

    /// The digests of blobs that somebody holds, in order, those after `after` only, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn held(&self, after: Option<&str>, limit: u32) -> Result<Vec<String>, Error> {
        sqlx::query_scalar(HELD)
            .bind(after.unwrap_or_default())
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(Error::sql("list the blobs"))
    }

    /// Those of the digests that nobody holds, condemned or unknown.
    ///
    /// The answer waits for the writes that came before, so that it knows of a push whose client did not wait.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unheld(&self, digests: &[String]) -> Result<Vec<String>, Error> {
        let digests = json(digests).map_err(Error::sql("ask for holders"))?;
        self.writer.submit(Unheld { digests }).await
    }

    /// Forgets blobs whose files are gone, those that are still condemned; says how many were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget(&self, digests: &[String]) -> Result<u64, Error> {
        let digests = json(digests).map_err(Error::sql("forget blobs"))?;
        self.writer.submit(Forget { digests }).await
    }

    /// Those of the digests that the ledger does not know at all, so that files with these names are strays.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unknown(&self, digests: &[String]) -> Result<Vec<String>, Error> {
        let asked = json(digests).map_err(Error::sql("ask for unknown blobs"))?;
        sqlx::query_scalar(UNKNOWN)
            .bind(asked)
            .fetch_all(&self.pool)
            .await
            .map_err(Error::sql("look for unknown blobs"))
    }
}

fn condemned(row: &SqliteRow) -> Result<Condemned, sqlx::Error> {
    Ok(Condemned {
        digest: row.try_get("digest")?,
        size_bytes: size(row, "size_bytes")?,
    })
}

fn json(digests: &[String]) -> Result<String, sqlx::Error> {
    serde_json::to_string(digests).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}

struct Condemn {
    idle_before: Timestamp,
    limit: u32,
}

impl Operation<Outbox> for Condemn {
    type Output = Condemnation;

    async fn carry_out(
        self,
        connection: &mut SqliteConnection,
        _: &mut Outbox,
    ) -> Carried<Condemnation> {
        let dropped: Vec<String> = sqlx::query_scalar(DROP_IDLE)
            .bind(stored_time(self.idle_before))
            .bind(self.limit)
            .fetch_all(&mut *connection)
            .await?;
        let blobs = sqlx::query(CONDEMNED_AMONG)
            .bind(json(&dropped)?)
            .try_map(|row: SqliteRow| condemned(&row))
            .fetch_all(connection)
            .await?;
        Ok(Ok(Condemnation {
            links: u32::try_from(dropped.len()).unwrap_or(u32::MAX),
            blobs,
        }))
    }
}

struct Unheld {
    digests: String,
}

impl Operation<Outbox> for Unheld {
    type Output = Vec<String>;

    async fn carry_out(
        self,
        connection: &mut SqliteConnection,
        _: &mut Outbox,
    ) -> Carried<Vec<String>> {
        let unheld = sqlx::query_scalar(UNHELD)
            .bind(self.digests)
            .fetch_all(connection)
            .await?;
        Ok(Ok(unheld))
    }
}

struct Forget {
    digests: String,
}

impl Operation<Outbox> for Forget {
    type Output = u64;

    async fn carry_out(self, connection: &mut SqliteConnection, _: &mut Outbox) -> Carried<u64> {
        let done = sqlx::query(FORGET)
            .bind(self.digests)
            .execute(connection)
            .await?;
        Ok(Ok(done.rows_affected()))
    }
}
