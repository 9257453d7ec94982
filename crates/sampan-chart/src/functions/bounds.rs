//! How large a single result may be, whatever a chart asks for.
//!
//! Go would try to allocate it and die. The limits are far above what a cluster takes: a whole release has to fit into
//! one object of about a megabyte.

use super::FunctionError;

/// The largest text that a function gives out, in bytes.
pub(super) const MAX_TEXT_BYTES: usize = 16 << 20;

/// The longest list that a function makes out of nothing.
pub(super) const MAX_ITEMS: usize = 1 << 20;

/// Refuses a text of so many bytes.
pub(super) fn check_text(bytes: usize) -> Result<(), FunctionError> {
    if bytes <= MAX_TEXT_BYTES {
        return Ok(());
    }
    let text = format!("a text of {bytes} bytes is over the limit of {MAX_TEXT_BYTES} bytes");
    Err(FunctionError::new(text))
}

/// Refuses a list of so many items.
pub(super) fn check_items(items: usize) -> Result<(), FunctionError> {
    if items <= MAX_ITEMS {
        return Ok(());
    }
    let text = format!("a list of {items} items is over the limit of {MAX_ITEMS} items");
    Err(FunctionError::new(text))
}
