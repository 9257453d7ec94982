//! Extended headers: records `LENGTH KEY=VALUE\n`, where the value may be any bytes.
//!
//! Source: POSIX.1-2017, pax, "pax Extended Header".

use std::collections::BTreeMap;

pub(super) const PATH: &[u8] = b"path";
pub(super) const LINK: &[u8] = b"linkpath";
pub(super) const SIZE: &[u8] = b"size";
pub(super) const UID: &[u8] = b"uid";
pub(super) const GID: &[u8] = b"gid";
pub(super) const MTIME: &[u8] = b"mtime";
pub(super) const XATTR: &[u8] = b"SCHILY.xattr.";
pub(super) const SPARSE: &[u8] = b"GNU.sparse.";

pub(super) type Records = BTreeMap<Vec<u8>, Vec<u8>>;

/// The records as bytes, in the order of their keys.
pub(super) fn encode(records: &Records) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (key, value) in records {
        // The length counts its own digits.
        let rest = key.len() + value.len() + 3;
        let mut length = rest + 1;
        while length != rest + length.to_string().len() {
            length = rest + length.to_string().len();
        }
        bytes.extend_from_slice(length.to_string().as_bytes());
        bytes.push(b' ');
        bytes.extend_from_slice(key);
        bytes.push(b'=');
        bytes.extend_from_slice(value);
        bytes.push(b'\n');
    }
    bytes
}

/// Parses all records; `None` when they are not well-formed.
pub(super) fn decode(mut bytes: &[u8]) -> Option<Records> {
    let mut records = Records::new();
    while !bytes.is_empty() && bytes[0] != 0 {
        let space = bytes.iter().take(20).position(|byte| *byte == b' ')?;
        let length: usize = std::str::from_utf8(&bytes[..space]).ok()?.parse().ok()?;
        let record = bytes.get(space + 1..length)?.strip_suffix(b"\n")?;
        let equals = record.iter().position(|byte| *byte == b'=')?;
        records.insert(record[..equals].to_vec(), record[equals + 1..].to_vec());
        bytes = &bytes[length..];
    }
    Some(records)
}

/// A decimal number; a fraction, as times have it, is cut off towards the past.
pub(super) fn number(value: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(value).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    let past = whole.starts_with('-') && fraction.bytes().any(|byte| byte != b'0');
    if past {
        number.checked_sub(1)
    } else {
        Some(number)
    }
}
