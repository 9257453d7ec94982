//! Ranges of bytes: those that a client asks for (RFC 9110, section 14) and those that it uploads.

use std::ops::Range;

/// The part of a blob that a request wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// All of it.
    Whole,
    /// These bytes; never none.
    Part(Range<u64>),
    /// Bytes that the blob does not have.
    Unsatisfiable,
}

/// Reads the header `Range` of a request for something of `size_bytes`.
///
/// Several ranges, other units and malformed headers are ignored, as the RFC allows. A range that ends before it begins
/// cannot be satisfied.
#[must_use]
pub fn wanted(header: &str, size_bytes: u64) -> Wanted {
    let Some((first, last)) = header
        .trim()
        .strip_prefix("bytes=")
        .and_then(|range| range.trim().split_once('-'))
    else {
        return Wanted::Whole;
    };
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first > last => Wanted::Unsatisfiable,
        (Some(first), Some(last)) => part(first, last.saturating_add(1), size_bytes),
        (Some(first), None) if last.is_empty() => part(first, size_bytes, size_bytes),
        (None, Some(0)) if first.is_empty() => Wanted::Unsatisfiable,
        (None, Some(_)) if first.is_empty() && size_bytes == 0 => Wanted::Whole,
        (None, Some(length)) if first.is_empty() => {
            part(size_bytes.saturating_sub(length), size_bytes, size_bytes)
        }
        _ => Wanted::Whole,
    }
}

fn part(first: u64, end: u64, size_bytes: u64) -> Wanted {
    if first >= size_bytes {
        Wanted::Unsatisfiable
    } else {
        Wanted::Part(first..end.min(size_bytes))
    }
}

/// The place of a chunk within an upload; both ends belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkRange {
    /// The first byte.
    pub first: u64,
    /// The last byte.
    pub last: u64,
}

impl ChunkRange {
    /// Reads the header `Content-Range` of a chunk: `^[0-9]+-[0-9]+$`, and not backwards. Many clients write it as RFC
    /// 9110 does, as `bytes 0-9/10` or `bytes 0-9/*`, which means the same.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let (range, size) = match header.strip_prefix("bytes ") {
            Some(range) => range.split_once('/')?,
            None => (header, "*"),
        };
        let (first, last) = range.split_once('-')?;
        let (first, last) = (number(first)?, number(last)?);
        let within = size == "*" || last < number(size)?;
        // The length of the largest range must still be a number.
        (first <= last && last < u64::MAX && within).then_some(Self { first, last })
    }

    /// How many bytes the chunk has.
    #[must_use]
    pub fn length(self) -> u64 {
        self.last - self.first + 1
    }
}

/// A number without sign, as `u64::from_str` would also accept.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // More digits than fit stand for a position behind every end.
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_what_is_there() {
        let cases = [
            ("bytes=500-1499", Wanted::Part(500..1500)),
            ("bytes=500-", Wanted::Part(500..2048)),
            ("bytes=-500", Wanted::Part(1548..2048)),
            ("bytes=-5000", Wanted::Part(0..2048)),
            ("bytes=2000-5000", Wanted::Part(2000..2048)),
            ("bytes=0-99999999999999999999999999", Wanted::Part(0..2048)),
            ("bytes=500-0", Wanted::Unsatisfiable),
            ("bytes=5000-10000", Wanted::Unsatisfiable),
            ("bytes=2048-", Wanted::Unsatisfiable),
            ("bytes=-0", Wanted::Unsatisfiable),
            ("bytes=0-1,5-6", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("lines=1-2", Wanted::Whole),
            ("", Wanted::Whole),
        ];
        for (header, expected) in cases {
            assert_eq!(wanted(header, 2048), expected, "{header}");
        }
        assert_eq!(wanted("bytes=-1", 0), Wanted::Whole);
        assert_eq!(wanted("bytes=0-", 0), Wanted::Unsatisfiable);
    }

    #[test]
    fn places_of_chunks_are_exact() {
        let range = ChunkRange::parse("10-19").unwrap();
        assert_eq!((range.first, range.last, range.length()), (10, 19, 10));
        for header in ["bytes 10-19/*", "bytes 10-19/20", "bytes 10-19/1000"] {
            assert_eq!(ChunkRange::parse(header), Some(range), "{header}");
        }
        for header in [
            "",
            "-",
            "1-",
            "-1",
            "2-1",
            "bytes 0-1",
            "bytes 0-1/1",
            "bytes 0-1/x",
            "bytes */2",
            "lines 0-1/2",
            "0-1/2",
            "0-1 ",
            "+0-1",
            "0-x",
        ] {
            assert_eq!(ChunkRange::parse(header), None, "{header}");
        }
        assert_eq!(ChunkRange::parse("0-18446744073709551615"), None);
    }
}
