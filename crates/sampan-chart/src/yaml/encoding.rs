//! Texts that are not written in UTF-8.

use std::borrow::Cow;

use super::Fault;

/// The text in UTF-8.
pub(super) fn utf8(bytes: &[u8]) -> Result<Cow<'_, [u8]>, Fault> {
    Ok(match bytes {
        [0xff, 0xfe, rest @ ..] => Cow::Owned(utf16(rest, u16::from_le_bytes)?),
        [0xfe, 0xff, rest @ ..] => Cow::Owned(utf16(rest, u16::from_be_bytes)?),
        plain => Cow::Borrowed(plain),
    })
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Vec<u8>, Fault> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(Fault::reader("incomplete UTF-16 character"));
    }
    let mut text = String::with_capacity(bytes.len());
    let mut units = pairs.iter().map(|pair| u32::from(unit(*pair)));
    while let Some(first) = units.next() {
        let code = match first {
            0xdc00..=0xdfff => return Err(Fault::reader("unexpected low surrogate area")),
            0xd800..=0xdbff => match units.next() {
                None => return Err(Fault::reader("incomplete UTF-16 surrogate pair")),
                Some(second @ 0xdc00..=0xdfff) => {
                    0x1_0000 + ((first & 0x3ff) << 10) + (second & 0x3ff)
                }
                Some(_) => return Err(Fault::reader("expected low surrogate area")),
            },
            plain => plain,
        };
        text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    Ok(text.into_bytes())
}
