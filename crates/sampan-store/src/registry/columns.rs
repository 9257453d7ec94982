//! How numbers and times lie in columns.

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

/// A size as SQLite stores it. No content comes near the limit.
pub(super) fn stored_size(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

pub(super) fn size(row: &SqliteRow, column: &str) -> Result<u64, sqlx::Error> {
    unsigned(row.try_get(column)?, column)
}

pub(super) fn count(row: &SqliteRow, column: &str) -> Result<u32, sqlx::Error> {
    let stored: i64 = row.try_get(column)?;
    u32::try_from(stored).map_err(|error| undecodable(column, error))
}

pub(super) fn unsigned(stored: i64, column: &str) -> Result<u64, sqlx::Error> {
    u64::try_from(stored).map_err(|error| undecodable(column, error))
}

/// A point in time as it is stored.
pub(super) fn stored_time(at: Timestamp) -> i64 {
    at.as_microsecond()
}

pub(super) fn time(row: &SqliteRow, column: &str) -> Result<Timestamp, sqlx::Error> {
    Timestamp::from_microsecond(row.try_get(column)?).map_err(|error| undecodable(column, error))
}

pub(super) fn optional_time(
    row: &SqliteRow,
    column: &str,
) -> Result<Option<Timestamp>, sqlx::Error> {
    let stored: Option<i64> = row.try_get(column)?;
    stored.map(|_| time(row, column)).transpose()
}

pub(super) fn undecodable(
    column: &str,
    error: impl std::error::Error + Send + Sync + 'static,
) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: Box::new(error),
    }
}
