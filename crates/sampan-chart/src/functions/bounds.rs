//! How large a single result may be, whatever a chart asks for: Go would try to allocate it, and die.

use super::FunctionError;
use crate::limits;

/// Refuses a text of so many bytes.
pub(super) fn check_text(bytes: usize) -> Result<(), FunctionError> {
    check(bytes, limits::TEXT_BYTES, "text", "bytes")
}

/// Refuses a list of so many items.
pub(super) fn check_items(items: usize) -> Result<(), FunctionError> {
    check(items, limits::LIST_ITEMS, "list", "items")
}

fn check(size: usize, limit: usize, what: &str, of: &str) -> Result<(), FunctionError> {
    if size <= limit {
        return Ok(());
    }
    let text = format!("a {what} of {size} {of} is over the limit of {limit} {of}");
    Err(FunctionError::new(text))
}
