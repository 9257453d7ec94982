//! Looking values up by paths such as `redis.enabled`.

use crate::value::quote::quote;
use crate::value::{Dict, Value};

/// Why a path leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// A part of the path is missing, or no table.
    #[error("{} is not a table", quote(.0.as_bytes()))]
    NoTable(String),
    /// The last part is missing, or a table.
    #[error("{} is not a value", quote(.0.as_bytes()))]
    NoValue(String),
    /// The path is empty.
    #[error("YAML path cannot be empty")]
    Empty,
}

/// The table that a path of keys with dots between them leads to.
///
/// # Errors
/// [`PathError::NoTable`] with the first part that is none.
pub fn table(values: &Dict, path: &str) -> Result<Dict, PathError> {
    let mut table = values.clone();
    for part in path.split('.') {
        let Some(Value::Dict(next)) = table.get(part.as_bytes()) else {
            return Err(PathError::NoTable(part.to_owned()));
        };
        table = next;
    }
    Ok(table)
}

/// The value that a path leads to; tables are no values.
///
/// # Errors
/// When there is none.
pub fn path_value(values: &Dict, path: &str) -> Result<Value, PathError> {
    if path.is_empty() {
        return Err(PathError::Empty);
    }
    let (found, key) = match path.rsplit_once('.') {
        None => (Ok(values.clone()), path),
        Some((tables, key)) => (table(values, tables), key),
    };
    match found.ok().and_then(|table| table.get(key.as_bytes())) {
        None | Some(Value::Dict(_)) => Err(PathError::NoValue(key.to_owned())),
        Some(value) => Ok(value),
    }
}
