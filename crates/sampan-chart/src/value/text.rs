//! Go's strings: bytes that usually are UTF-8, but need not be.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

/// Immutable bytes, taken for UTF-8 where they are.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Rc<[u8]>);

impl Text {
    /// Whether somebody else holds the same bytes.
    pub(super) fn is_shared(&self) -> bool {
        Rc::strong_count(&self.0) > 1
    }

    /// The text; what is no UTF-8 becomes U+FFFD, as Go prints it.
    #[must_use]
    pub fn to_str(&self) -> Cow<'_, str> {
        lossy(&self.0)
    }
}

/// Bytes as text; what is no UTF-8 becomes U+FFFD. Of what is UTF-8, as nearly everything, the standard library's function of
/// this name looks at each byte by itself; this one does not.
pub(crate) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

/// The first character of a text and its length in bytes; none and 1 for what is no UTF-8.
#[must_use]
#[inline]
pub fn decode_rune(text: &[u8]) -> (Option<char>, usize) {
    match text.first() {
        None => (None, 0),
        Some(first) if first.is_ascii() => (Some(char::from(*first)), 1),
        Some(_) => decode_wide(text),
    }
}

/// The same of what is no ASCII.
fn decode_wide(text: &[u8]) -> (Option<char>, usize) {
    (2..=text.len().min(4))
        .find_map(|length| std::str::from_utf8(&text[..length]).ok())
        .and_then(|text| text.chars().next())
        .map_or((None, 1), |rune| (Some(rune), rune.len_utf8()))
}

impl Deref for Text {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Borrow<[u8]> for Text {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().into())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into_bytes().into())
    }
}

impl From<Cow<'_, str>> for Text {
    fn from(text: Cow<'_, str>) -> Self {
        Self(text.as_bytes().into())
    }
}

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }
}

impl From<Vec<u8>> for Text {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_str().fmt(f)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.to_str(), f)
    }
}
