//! Base64. Go ignores line breaks anywhere, and its errors name the place.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::Corrupt;

pub(in crate::functions) fn encode(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

pub(in crate::functions) fn decode(text: &[u8]) -> Result<Vec<u8>, Corrupt> {
    let corrupt = |place| Corrupt { base: 64, place };
    let significant = text
        .iter()
        .enumerate()
        .filter(|(_, byte)| !matches!(byte, b'\n' | b'\r'));
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count, mut padding) = (0_u32, 0, 0);
    for (place, byte) in significant {
        let value = value(*byte);
        match (padding, value) {
            (0, Some(value)) => {
                bits = bits << 6 | u32::from(value);
                count += 1;
                if count == 4 {
                    bytes.extend_from_slice(&bits.to_be_bytes()[1..]);
                    (bits, count) = (0, 0);
                }
            }
            (0, None) if *byte == b'=' && count >= 2 => padding = count + 1,
            (3, _) if *byte == b'=' => padding = 4,
            // The second sign of padding is something else: Go points before it.
            (3, _) => return Err(corrupt(place - 1)),
            _ => return Err(corrupt(place)),
        }
    }
    match (count, padding) {
        (0, _) => Ok(bytes),
        (2, 4) => {
            bytes.push((bits >> 4).to_be_bytes()[3]);
            Ok(bytes)
        }
        (3, 4) => {
            bytes.extend_from_slice(&(bits >> 2).to_be_bytes()[2..]);
            Ok(bytes)
        }
        (_, 3) => Err(corrupt(text.len())),
        (count, _) => Err(corrupt(text.len() - count)),
    }
}

fn value(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}
