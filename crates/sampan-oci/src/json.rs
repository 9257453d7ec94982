//! One way to write JSON, so that the same content always has the same digest.

use serde::Serialize;

/// `value` as compact JSON with the keys of every object in order.
///
/// The OCI types keep labels and annotations in hash maps, whose order changes from run to run.
///
/// # Errors
/// When `value` has no JSON form, such as a map whose keys are not text.
pub fn canonical<T: Serialize>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    let mut value = serde_json::to_value(value)?;
    value.sort_all_objects();
    serde_json::to_vec(&value)
}
