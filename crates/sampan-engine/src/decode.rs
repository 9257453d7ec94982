//! Reading JSON objects as their kinds, where speed does not matter.
//!
//! The kinds are some hundred large types. Serde makes code for each of them anew for every format that they are read
//! from; behind one type-erased format there is one copy of all that, which halves the binary.

use erased_serde::Deserializer as Erased;
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::{Error, Value};

/// Reads an object that stays with its owner.
pub(crate) fn object<K: DeserializeOwned>(object: &Value) -> Result<K, Error> {
    // The error of the format comes back as a text only.
    erased(object).map_err(serde::de::Error::custom)
}

/// Reads a kind from any format.
pub(crate) fn erased<'de, K, D>(format: D) -> Result<K, erased_serde::Error>
where
    K: DeserializeOwned,
    D: Deserializer<'de>,
{
    K::deserialize(&mut <dyn Erased<'_>>::erase(format) as &mut dyn Erased<'_>)
}
