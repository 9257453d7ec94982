//! Base32. Go takes line breaks out first, and its errors name the place in what is left.

use super::Corrupt;

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for group in bytes.chunks(5) {
        let mut padded = [0; 8];
        padded[3..3 + group.len()].copy_from_slice(group);
        let bits = u64::from_be_bytes(padded);
        let digits = (group.len() * 8).div_ceil(5);
        for index in 0..8 {
            let digit = usize::try_from(bits >> (35 - 5 * index) & 31).unwrap_or_default();
            text.push(if index < digits {
                char::from(ALPHABET[digit])
            } else {
                '='
            });
        }
    }
    text
}

pub(super) fn decode(text: &[u8]) -> Result<Vec<u8>, Corrupt> {
    let corrupt = |place| Corrupt { base: 32, place };
    let text: Vec<u8> = text
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b'\n' | b'\r'))
        .collect();
    let mut bytes = Vec::with_capacity(text.len() / 8 * 5);
    let mut place = 0;
    while place < text.len() {
        let (mut bits, mut digits, mut ends) = (0_u64, 0, false);
        while digits < 8 {
            let Some(byte) = text.get(place) else {
                return Err(corrupt(text.len() - digits));
            };
            place += 1;
            let left = text.len() - place;
            if *byte == b'=' && digits >= 2 && left < 8 {
                check_padding(&text, place, digits)?;
                ends = true;
                break;
            }
            let value = ALPHABET.iter().position(|digit| digit == byte);
            let value = value.ok_or_else(|| corrupt(place - 1))?;
            bits = bits << 5 | u64::try_from(value).unwrap_or_default();
            digits += 1;
        }
        let whole = (bits << (5 * (8 - digits))).to_be_bytes();
        bytes.extend_from_slice(&whole[3..3 + digits * 5 / 8]);
        if ends {
            break;
        }
    }
    Ok(bytes)
}

/// Whether padding fills the last group up, behind so many digits.
fn check_padding(text: &[u8], place: usize, digits: usize) -> Result<(), Corrupt> {
    let corrupt = |place| Corrupt { base: 32, place };
    let left = text.len() - place;
    if left + digits < 7 {
        return Err(corrupt(text.len()));
    }
    let wrong = text[place..]
        .iter()
        .take(7 - digits)
        .position(|byte| *byte != b'=');
    match wrong {
        Some(wrong) => Err(corrupt(place + wrong - 1)),
        None if matches!(digits, 3 | 6) => Err(corrupt(place - 1)),
        None => Ok(()),
    }
}
