//! The encoding of keys and certificates (X.690, DER), as far as they need it.

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// The tag of a part by its number, with parts of its own.
pub(super) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// A value with its tag and length.
pub(super) fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant = length
        .iter()
        .position(|byte| *byte != 0)
        .unwrap_or(length.len() - 1);
    let length = &length[significant..];
    let mut encoded = vec![tag];
    if content.len() >= 0x80 {
        encoded.push(0x80 | u8::try_from(length.len()).unwrap_or_default());
    }
    encoded.extend_from_slice(length);
    encoded.extend_from_slice(content);
    encoded
}

pub(super) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tagged(SEQUENCE, &parts.concat())
}

/// A number that is not negative, out of its bytes.
pub(super) fn unsigned(bytes: &[u8]) -> Vec<u8> {
    let significant = bytes
        .iter()
        .position(|byte| *byte != 0)
        .unwrap_or(bytes.len());
    let bytes = &bytes[significant..];
    let is_plain = bytes.first().is_some_and(|first| *first < 0x80);
    tagged(
        INTEGER,
        &if is_plain {
            bytes.to_vec()
        } else {
            [&[0], bytes].concat()
        },
    )
}

/// Whole bytes as bits.
pub(super) fn bits(bytes: &[u8]) -> Vec<u8> {
    tagged(BIT_STRING, &[&[0], bytes].concat())
}

/// An identifier, out of its encoded parts.
pub(super) fn object(parts: &[u8]) -> Vec<u8> {
    tagged(OBJECT, parts)
}

/// Values one after another.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

/// A value that was read.
#[derive(Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
    /// With tag and length.
    pub(super) encoded: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next value; none at the end and where there is no whole one.
    pub(super) fn next(&mut self) -> Option<Element<'a>> {
        let (tag, length, rest) = match self.rest {
            [tag, length @ 0..=0x7f, rest @ ..] => (*tag, usize::from(*length), rest),
            [tag, size @ 0x81..=0x84, rest @ ..] => {
                let (length, rest) = rest.split_at_checked(usize::from(size - 0x80))?;
                let length = length
                    .iter()
                    .fold(0, |length, byte| length << 8 | usize::from(*byte));
                (*tag, length, rest)
            }
            _ => return None,
        };
        let (content, behind) = rest.split_at_checked(length)?;
        let encoded = &self.rest[..self.rest.len() - behind.len()];
        self.rest = behind;
        Some(Element {
            tag,
            content,
            encoded,
        })
    }

    /// The next value, if it has a tag.
    pub(super) fn expect(&mut self, tag: u8) -> Option<Element<'a>> {
        self.next().filter(|element| element.tag == tag)
    }

    /// The values inside of the next one, if it is a sequence.
    pub(super) fn sequence(&mut self) -> Option<Self> {
        self.expect(SEQUENCE)
            .map(|element| Self::new(element.content))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}
