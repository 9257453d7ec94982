//! Names of apps, versions and releases.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Hint;

/// A name or version that does not follow its rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not a DNS label.
    #[error("`{0}` is not an app name")]
    App(String),
    /// Not a version.
    #[error("`{0}` is not a version")]
    Version(String),
    /// Not `APP@VERSION`.
    #[error("`{0}` does not name a release")]
    Release(String),
}

impl Hint for NameError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::App(_) => {
                "use at most 63 lower-case letters, digits and `-`, starting with a letter and not ending in `-`"
            }
            Self::Version(_) => {
                "use at most 128 letters, digits, `.`, `_` and `-`, starting with a letter or digit, as in 1.4.0"
            }
            Self::Release(_) => "write APP@VERSION, as in guestbook@1.1.0",
        }
        .to_owned())
    }
}

/// The name of an app: a DNS label (RFC 1123), because it also names namespaces and labels.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AppName(String);

impl AppName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AppName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let valid = text.len() <= 63
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && !text.ends_with('-')
            && text
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::App(text.to_owned()))
        }
    }
}

/// The version of a release: any text that is also a valid tag of the OCI distribution specification.
///
/// Versions are compared for equality only; which of two is newer is a fact of the history, not of the text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(String);

impl Version {
    /// The version as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Version {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let valid = !text.is_empty()
            && text.len() <= 128
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::Version(text.to_owned()))
        }
    }
}

/// The name of a release, `APP@VERSION`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReleaseName {
    /// The app that was released.
    pub app: AppName,
    /// Which version of it.
    pub version: Version,
}

impl FromStr for ReleaseName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (app, version) = text
            .split_once('@')
            .ok_or_else(|| NameError::Release(text.to_owned()))?;
        Ok(Self {
            app: app.parse()?,
            version: version.parse()?,
        })
    }
}

impl fmt::Display for AppName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ReleaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.app, self.version)
    }
}

macro_rules! text_conversions {
    ($name:ty) => {
        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.to_string()
            }
        }
    };
}

text_conversions!(AppName);
text_conversions!(Version);
text_conversions!(ReleaseName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_name_is_an_app_and_a_version() {
        let name: ReleaseName = "guestbook@1.1.0-rc.1".parse().unwrap();
        assert_eq!(name.app.as_str(), "guestbook");
        assert_eq!(name.version.as_str(), "1.1.0-rc.1");
        assert_eq!(name.to_string(), "guestbook@1.1.0-rc.1");
    }

    #[test]
    fn what_breaks_a_rule_is_refused_with_the_offending_text() {
        for text in ["", "Guest", "1guest", "guest-", "gäste", &"a".repeat(64)] {
            assert_eq!(
                text.parse::<AppName>(),
                Err(NameError::App(text.to_owned()))
            );
        }
        for text in ["", ".1", "1/2", "1 2", &"1".repeat(129)] {
            assert_eq!(
                text.parse::<Version>(),
                Err(NameError::Version(text.to_owned()))
            );
        }
        assert_eq!(
            "guestbook".parse::<ReleaseName>(),
            Err(NameError::Release("guestbook".to_owned()))
        );
    }
}
