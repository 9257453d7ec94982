//! Numbers within limits.

use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer};

/// Reads a number that must lie within limits, both included.
pub(super) fn within<'de, D, T, const LEAST: u64, const MOST: u64>(
    deserializer: D,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    let number = u64::deserialize(deserializer)?;
    let fits = (LEAST..=MOST).contains(&number);
    let value = T::try_from(number).ok().filter(|_| fits);
    value.ok_or_else(|| D::Error::custom(format!("`{number}` is not from {LEAST} to {MOST}")))
}
