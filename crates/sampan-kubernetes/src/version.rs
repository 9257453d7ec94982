//! Versions of Kubernetes, and spans of them.

use std::fmt;
use std::str::FromStr;

use sampan_model::Hint;

/// A minor version of Kubernetes, such as 1.33. There has never been another major version with these kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    minor: u16,
}

/// Why a text is no version of Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a version of Kubernetes")]
pub struct VersionError {
    /// The text.
    pub text: String,
}

impl Hint for VersionError {
    fn hint(&self) -> Option<String> {
        Some("a version is written like `1.33`, `v1.33` or `1.33.2`".to_owned())
    }
}

impl Version {
    /// The oldest version whose fields are known. Kinds are known further back, to tell when they went.
    pub const OLDEST: Self = Self::of_minor(25);

    /// The newest version whose fields and kinds are known.
    pub const NEWEST: Self = Self::of_minor(36);

    /// The version 1.`minor`.
    #[must_use]
    pub const fn of_minor(minor: u16) -> Self {
        Self { minor }
    }

    /// The number behind `1.`.
    #[must_use]
    pub const fn minor(self) -> u16 {
        self.minor
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "1.{}", self.minor)
    }
}

/// Reads `1.33`, with or without a `v`, a patch version and what providers append to it.
impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || VersionError {
            text: text.to_owned(),
        };
        let rest = text.strip_prefix('v').unwrap_or(text);
        let rest = rest.strip_prefix("1.").ok_or_else(refused)?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (minor, behind) = rest.split_at(digits);
        let minor = minor.parse().map_err(|_| refused())?;
        if behind.is_empty() || behind.starts_with(['.', '+', '-']) {
            Ok(Self { minor })
        } else {
            Err(refused())
        }
    }
}

/// The versions in which something exists. Neither end is noted where it lies outside of what is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// The first version with it, if there were known ones without it.
    pub since: Option<Version>,
    /// The last version with it, if there are known ones without it.
    pub until: Option<Version>,
}

impl Span {
    /// Whether the version lies within.
    #[must_use]
    pub fn contains(self, version: Version) -> bool {
        self.since.is_none_or(|since| since <= version)
            && self.until.is_none_or(|until| version <= until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_people_write_them() {
        for text in ["1.33", "v1.33", "1.33.4", "v1.33.4+k3s1", "1.33-eks"] {
            assert_eq!(text.parse(), Ok(Version::of_minor(33)), "{text}");
        }
        for text in ["", "1", "2.1", "1.", "1.x", "1.33x", "v", "1.-3"] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
        assert_eq!(Version::of_minor(9).to_string(), "1.9");
    }
}
