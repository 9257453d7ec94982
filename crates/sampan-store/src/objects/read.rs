//! Reading objects: one, or a page of many as they were at one revision.

use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::{Key, Objects, Revision, Row, Selector};
use crate::Error;

/// Which part of a list is asked for.
#[derive(Debug, Clone, Default)]
pub struct PageRequest {
    /// The revision at which the list is taken; the newest when absent.
    pub at: Option<Revision>,
    /// Namespace and name of the last object of the page before.
    pub after: Option<(String, String)>,
    /// How many objects at most.
    pub limit: Option<u32>,
}

/// A part of a list.
#[derive(Debug, Clone)]
pub struct Page {
    /// The objects, by namespace and name.
    pub rows: Vec<Row>,
    /// The revision of the whole list.
    pub revision: Revision,
    /// Whether there are further objects after these.
    pub more: bool,
}

impl Objects {
    /// The object with this key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn get(&self, key: &Key) -> Result<Option<Row>, Error> {
        let row = sqlx::query(
            "SELECT namespace, name, revision, body FROM objects \
             WHERE api_group = ? AND resource = ? AND namespace = ? AND name = ?",
        )
        .bind(&key.group)
        .bind(&key.resource)
        .bind(&key.namespace)
        .bind(&key.name)
        .fetch_optional(&self.pool)
        .await
        .map_err(Error::sql("read an object"))?;
        Ok(row.map(|row| read_row(&row, &key.group, &key.resource)))
    }

    /// All objects that the selector means, and the revision at which the list is true.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self, selector: &Selector) -> Result<(Vec<Row>, Revision), Error> {
        let page = self.page(selector, &PageRequest::default()).await?;
        Ok((page.rows, page.revision))
    }

    /// A part of a list. A list that is read in several parts is true at one revision when the later parts are
    /// asked for at the revision of the first: objects that have changed since are taken from the history.
    ///
    /// # Errors
    /// [`Error::Gone`] when the history does not reach back to the revision.
    pub async fn page(&self, selector: &Selector, request: &PageRequest) -> Result<Page, Error> {
        let mut transaction = self
            .pool
            .begin()
            .await
            .map_err(Error::sql("begin to list objects"))?;
        let newest = newest(&mut transaction).await?;
        let revision = request.at.unwrap_or(newest).min(newest);
        let oldest = oldest(&mut transaction).await?;
        if revision < oldest {
            return Err(Error::Gone {
                asked: revision,
                oldest,
            });
        }
        let mut rows = select(&mut transaction, selector, request, revision).await?;
        transaction
            .commit()
            .await
            .map_err(Error::sql("list objects"))?;
        let limit = request.limit.map_or(usize::MAX, |limit| limit as usize);
        let more = rows.len() > limit;
        rows.truncate(limit);
        Ok(Page {
            rows,
            revision,
            more,
        })
    }

    /// The revision of the newest change.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revision(&self) -> Result<Revision, Error> {
        let mut connection = self.pool.acquire().await.map_err(Error::sql("connect"))?;
        newest(&mut connection).await
    }
}

/// The objects that have not changed since `revision`, and of those that have, what they were before their first
/// change after it.
async fn select(
    connection: &mut SqliteConnection,
    selector: &Selector,
    request: &PageRequest,
    revision: Revision,
) -> Result<Vec<Row>, Error> {
    let (after_namespace, after_name) = match &request.after {
        Some((namespace, name)) => (namespace.as_str(), name.as_str()),
        None => ("", ""),
    };
    let rows = sqlx::query(
        "SELECT namespace, name, revision, body FROM objects \
         WHERE api_group = ?1 AND resource = ?2 AND (?3 IS NULL OR namespace = ?3) \
           AND revision <= ?4 AND (namespace, name) > (?5, ?6) \
         UNION ALL \
         SELECT namespace, name, previous_revision, previous FROM changes AS first \
         WHERE api_group = ?1 AND resource = ?2 AND (?3 IS NULL OR namespace = ?3) \
           AND revision > ?4 AND previous IS NOT NULL AND (namespace, name) > (?5, ?6) \
           AND NOT EXISTS (SELECT 1 FROM changes AS earlier \
             WHERE earlier.api_group = ?1 AND earlier.resource = ?2 \
               AND earlier.namespace = first.namespace AND earlier.name = first.name \
               AND earlier.revision > ?4 AND earlier.revision < first.revision) \
         ORDER BY namespace, name LIMIT ?7",
    )
    .bind(&selector.group)
    .bind(&selector.resource)
    .bind(selector.namespace.as_deref())
    .bind(revision.0)
    .bind(after_namespace)
    .bind(after_name)
    .bind(request.limit.map_or(-1, |limit| i64::from(limit) + 1))
    .fetch_all(connection)
    .await
    .map_err(Error::sql("list objects"))?;
    Ok(rows
        .iter()
        .map(|row| read_row(row, &selector.group, &selector.resource))
        .collect())
}

fn read_row(row: &SqliteRow, group: &str, resource: &str) -> Row {
    Row {
        key: Key {
            group: group.to_owned(),
            resource: resource.to_owned(),
            namespace: row.get(0),
            name: row.get(1),
        },
        revision: Revision(row.get(2)),
        body: row.get(3),
    }
}

/// The revision of the newest change that ever was.
pub(super) async fn newest(connection: &mut SqliteConnection) -> Result<Revision, Error> {
    let row = sqlx::query("SELECT seq FROM sqlite_sequence WHERE name = 'changes'")
        .fetch_optional(connection)
        .await
        .map_err(Error::sql("read the revision"))?;
    Ok(row.map_or(Revision(0), |row| Revision(row.get(0))))
}

/// The oldest revision from which the history is complete.
pub(super) async fn oldest(connection: &mut SqliteConnection) -> Result<Revision, Error> {
    let row = sqlx::query("SELECT MIN(revision) - 1 FROM changes")
        .fetch_one(connection)
        .await
        .map_err(Error::sql("read the length of the history"))?;
    Ok(Revision(row.get::<Option<i64>, _>(0).unwrap_or(0)))
}
