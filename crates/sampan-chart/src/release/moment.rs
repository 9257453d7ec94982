//! Times in records: RFC 3339, and an empty text for none.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Moment(pub Option<Timestamp>);

impl Moment {
    /// The present.
    #[must_use]
    pub fn now() -> Self {
        Self(Some(Timestamp::now()))
    }
}

impl fmt::Display for Moment {
    /// In the time zone of the machine, as in `Sat Nov 21 15:26:24 2026`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(time) => {
                let local = time.to_zoned(TimeZone::system());
                write!(f, "{}", local.strftime("%a %b %e %H:%M:%S %Y"))
            }
            None => f.write_str("-"),
        }
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(time) => serializer.collect_str(&time),
            None => serializer.serialize_str(""),
        }
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else {
            return Ok(Self(None));
        };
        // Go's zero time stands for none too.
        if text.is_empty() || text.starts_with("0001-01-01") {
            return Ok(Self(None));
        }
        let time = text.parse().map_err(serde::de::Error::custom)?;
        Ok(Self(Some(time)))
    }
}
