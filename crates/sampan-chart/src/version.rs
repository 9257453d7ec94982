//! Semantic versions as the library Masterminds/semver reads them: `v1.2` is one too.

use std::cmp::Ordering;
use std::fmt;

pub mod constraint;

/// A version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The major number.
    pub major: u64,
    /// The minor number, zero where it was not given.
    pub minor: u64,
    /// The patch number, zero where it was not given.
    pub patch: u64,
    /// What stands behind the hyphen, empty for releases.
    pub prerelease: String,
    /// What stands behind the plus sign.
    pub metadata: String,
    /// The text that the version was read from.
    pub original: String,
}

/// A text that is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// It does not have the form of one.
    #[error("Invalid Semantic Version")]
    Form,
    /// A number that 64 bits do not hold.
    #[error(
        "Error parsing version segment: strconv.ParseUint: parsing \"{0}\": value out of range"
    )]
    Number(String),
    /// A number of a pre-release with a zero in front.
    #[error("Version segment starts with 0")]
    LeadingZero,
    /// A pre-release with characters that it cannot have.
    #[error("Invalid Prerelease string")]
    Prerelease,
    /// Metadata with characters that it cannot have.
    #[error("Invalid Metadata string")]
    Metadata,
}

impl Version {
    /// Reads a version; minor and patch number may be missing.
    ///
    /// # Errors
    /// Fails on what is no version, with the words of the library.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let original = text.to_owned();
        let text = text.strip_prefix('v').unwrap_or(text);
        let (major, mut rest) = digits(text).ok_or(ParseError::Form)?;
        let mut next = || {
            let (number, behind) = rest.strip_prefix('.').and_then(digits)?;
            rest = behind;
            Some(number)
        };
        let (minor, patch) = (next().unwrap_or("0"), next().unwrap_or("0"));
        let (prerelease, rest) = suffix(rest, '-')?;
        let (metadata, rest) = suffix(rest, '+')?;
        if !rest.is_empty() {
            return Err(ParseError::Form);
        }
        let number = |text: &str| {
            text.parse()
                .map_err(|_| ParseError::Number(text.to_owned()))
        };
        let (major, minor, patch) = (number(major)?, number(minor)?, number(patch)?);
        check_prerelease(prerelease)?;
        let (prerelease, metadata) = (prerelease.to_owned(), metadata.to_owned());
        Ok(Self {
            major,
            minor,
            patch,
            prerelease,
            metadata,
            original,
        })
    }

    /// The version with another pre-release.
    ///
    /// # Errors
    /// Fails on what cannot be one.
    pub fn with_prerelease(&self, prerelease: &str) -> Result<Self, ParseError> {
        if !prerelease.is_empty() {
            check_prerelease(prerelease)?;
        }
        let prerelease = prerelease.to_owned();
        Ok(Self {
            prerelease,
            ..self.clone()
        }
        .renamed())
    }

    /// The version with other metadata.
    ///
    /// # Errors
    /// Fails on what cannot be metadata.
    pub fn with_metadata(&self, metadata: &str) -> Result<Self, ParseError> {
        if !metadata
            .split('.')
            .all(|part| part.bytes().all(is_of_identifier))
        {
            return Err(ParseError::Metadata);
        }
        let metadata = metadata.to_owned();
        Ok(Self {
            metadata,
            ..self.clone()
        }
        .renamed())
    }

    /// The next major version.
    #[must_use]
    pub fn next_major(&self) -> Self {
        self.release(self.major.wrapping_add(1), 0, 0)
    }

    /// The next minor version.
    #[must_use]
    pub fn next_minor(&self) -> Self {
        self.release(self.major, self.minor.wrapping_add(1), 0)
    }

    /// The next patch version: of a pre-release, the release.
    #[must_use]
    pub fn next_patch(&self) -> Self {
        let step = u64::from(self.prerelease.is_empty());
        self.release(self.major, self.minor, self.patch.wrapping_add(step))
    }

    fn release(&self, major: u64, minor: u64, patch: u64) -> Self {
        let (prerelease, metadata) = (String::new(), String::new());
        let original = self.original.clone();
        Self {
            major,
            minor,
            patch,
            prerelease,
            metadata,
            original,
        }
        .renamed()
    }

    /// The original text of a version that was derived keeps the `v` only.
    fn renamed(self) -> Self {
        let prefix = if self.original.starts_with('v') {
            "v"
        } else {
            ""
        };
        let original = format!("{prefix}{self}");
        Self { original, ..self }
    }

    /// The order of versions: a pre-release comes before its release, metadata does not count.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        let numbers = |version: &Self| (version.major, version.minor, version.patch);
        let order = numbers(self).cmp(&numbers(other));
        order.then_with(
            || match (self.prerelease.as_str(), other.prerelease.as_str()) {
                ("", "") => Ordering::Equal,
                ("", _) => Ordering::Greater,
                (_, "") => Ordering::Less,
                (one, other) => compare_prereleases(one, other),
            },
        )
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            major,
            minor,
            patch,
            prerelease,
            metadata,
            ..
        } = self;
        write!(f, "{major}.{minor}.{patch}")?;
        if !prerelease.is_empty() {
            write!(f, "-{prerelease}")?;
        }
        if !metadata.is_empty() {
            write!(f, "+{metadata}")?;
        }
        Ok(())
    }
}

/// The digits in front, at least one.
fn digits(text: &str) -> Option<(&str, &str)> {
    let end = text
        .find(|char: char| !char.is_ascii_digit())
        .unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// Identifiers with dots between them behind a sign, and what follows; nothing where there is no sign.
fn suffix(text: &str, sign: char) -> Result<(&str, &str), ParseError> {
    let Some(text) = text.strip_prefix(sign) else {
        return Ok(("", text));
    };
    let is_of_suffix = |char: char| char == '.' || char.is_ascii_alphanumeric() || char == '-';
    let end = text
        .find(|char: char| !is_of_suffix(char))
        .unwrap_or(text.len());
    let (suffix, rest) = text.split_at(end);
    if suffix.split('.').any(str::is_empty) {
        return Err(ParseError::Form);
    }
    Ok((suffix, rest))
}

fn is_of_identifier(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

fn check_prerelease(prerelease: &str) -> Result<(), ParseError> {
    for part in prerelease.split('.') {
        if part.bytes().all(|byte| byte.is_ascii_digit()) {
            if part.len() > 1 && part.starts_with('0') {
                return Err(ParseError::LeadingZero);
            }
        } else if !part.bytes().all(is_of_identifier) {
            return Err(ParseError::Prerelease);
        }
    }
    Ok(())
}

/// Identifiers one by one: numbers by value and before words, the shorter list first.
fn compare_prereleases(one: &str, other: &str) -> Ordering {
    let (mut ones, mut others) = (one.split('.'), other.split('.'));
    loop {
        let order = match (ones.next(), others.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(one), Some(other)) if one == other => Ordering::Equal,
            (Some(one), Some(other)) => match (one.parse::<u64>(), other.parse::<u64>()) {
                (Ok(one), Ok(other)) if one > other => Ordering::Greater,
                (Ok(_), _) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => one.cmp(other),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}
