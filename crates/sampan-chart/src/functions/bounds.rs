//! How large a single result may be, whatever a chart asks for.
//!
//! Go would try to allocate it and die. The limits are far above what a cluster takes: a whole release has to fit into
//! one object of about a megabyte.

use super::FunctionError;

/// The longest list that a function makes out of nothing.
pub(super) const MAX_ITEMS: usize = 1 << 20;

/// Refuses a list of so many items.
pub(super) fn check_items(items: usize) -> Result<(), FunctionError> {
    if items <= MAX_ITEMS {
        return Ok(());
    }
    let text = format!("a list of {items} items is over the limit of {MAX_ITEMS} items");
    Err(FunctionError::new(text))
}
