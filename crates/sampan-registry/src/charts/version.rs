//! Versions of charts, as Helm reads them: semantic versions that may begin with `v` and lack their last numbers.

use std::cmp::Ordering;

/// The longest version that is read.
const LIMIT_BYTES: usize = 128;

/// A version. What stands behind a `+` plays no part in the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    numbers: [u64; 3],
    prerelease: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    // Numbers come before words (semver.org, 11.4.3).
    Number(u64),
    Word(String),
}

impl Version {
    /// Reads a version; nothing when the text is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > LIMIT_BYTES {
            return None;
        }
        let text = text.strip_prefix('v').unwrap_or(text);
        let (text, build) = split(text, '+');
        let (core, prerelease) = split(text, '-');
        if build.is_some_and(|build| !is_dotted(build)) {
            return None;
        }
        let mut numbers = [0; 3];
        for (place, text) in core.split('.').enumerate() {
            *numbers.get_mut(place)? = number(text)?;
        }
        let prerelease = match prerelease {
            None => Vec::new(),
            Some(text) if is_dotted(text) => text.split('.').map(part).collect(),
            Some(_) => return None,
        };
        Some(Self {
            numbers,
            prerelease,
        })
    }

    /// Whether it comes before a release, so that nobody gets it who does not ask for it.
    pub(crate) fn is_prerelease(&self) -> bool {
        !self.prerelease.is_empty()
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let prereleases = match (self.is_prerelease(), other.is_prerelease()) {
            (true, true) => self.prerelease.cmp(&other.prerelease),
            (one, another) => another.cmp(&one),
        };
        self.numbers.cmp(&other.numbers).then(prereleases)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, behind)) => (before, Some(behind)),
        None => (text, None),
    }
}

fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

fn part(text: &str) -> Part {
    number(text).map_or_else(|| Part::Word(text.to_owned()), Part::Number)
}

fn is_dotted(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    text.split('.')
        .all(|part| !part.is_empty() && part.bytes().all(fits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_semver_says() {
        let ordered = [
            "0.9",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "v1",
            "1.0.1",
            "1.10.0",
        ];
        for pair in ordered.windows(2) {
            let (low, high) = (Version::parse(pair[0]), Version::parse(pair[1]));
            assert!(low.unwrap() < high.unwrap(), "{pair:?}");
        }
        let build = |text| Version::parse(text).unwrap();
        assert_eq!(build("1.0.0+a").cmp(&build("1.0.0+b-c.d")), Ordering::Equal);
    }

    #[test]
    fn other_texts_are_no_versions() {
        for text in [
            "",
            "v",
            "latest",
            "1.",
            "1.2.3.4",
            "1.2.3-",
            "1.2.3+",
            "1.2.3-a_b",
            "1.-2",
            "+1",
            "1..2",
            "../1.0.0",
            "1.0.0+a/b",
            "V1",
        ] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }
}
