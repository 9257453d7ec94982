//! Percent escapes: which bytes need one depends on the part of the URL.

use super::parsing::UrlError;

/// A part of a URL.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Path,
    Host,
    Zone,
    User,
    Fragment,
}

fn needs_escape(byte: u8, part: Part) -> bool {
    match byte {
        byte if byte.is_ascii_alphanumeric() => false,
        b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' | b':'
        | b'[' | b']' | b'<' | b'>' | b'"'
            if matches!(part, Part::Host | Part::Zone) =>
        {
            false
        }
        b'-' | b'_' | b'.' | b'~' => false,
        b'$' | b'&' | b'+' | b',' | b'/' | b':' | b';' | b'=' | b'?' | b'@' => match part {
            Part::Path => byte == b'?',
            Part::User => matches!(byte, b'@' | b'/' | b'?' | b':'),
            Part::Fragment => false,
            Part::Host | Part::Zone => true,
        },
        b'!' | b'(' | b')' | b'*' => part != Part::Fragment,
        _ => true,
    }
}

pub(super) fn escape(text: &[u8], part: Part) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(text.len());
    for byte in text {
        if needs_escape(*byte, part) {
            escaped.extend(format!("%{byte:02X}").bytes());
        } else {
            escaped.push(*byte);
        }
    }
    escaped
}

pub(super) fn unescape(text: &[u8], part: Part) -> Result<Vec<u8>, UrlError> {
    let is_host = matches!(part, Part::Host | Part::Zone);
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, behind @ ..] = rest {
        rest = behind;
        if *first != b'%' {
            if is_host && first.is_ascii() && needs_escape(*first, part) {
                return Err(UrlError::HostCharacter(vec![*first]));
            }
            plain.push(*first);
            continue;
        }
        let byte = match behind {
            [high, low, behind @ ..] => {
                rest = behind;
                digit(*high)
                    .zip(digit(*low))
                    .map(|(high, low)| high << 4 | low)
            }
            _ => None,
        };
        let escape = || {
            let start = text.len() - behind.len() - 1;
            text[start..text.len().min(start + 3)].to_vec()
        };
        let byte = byte.ok_or_else(|| UrlError::Escape(escape()))?;
        // In hosts, escapes are for bytes beyond ASCII; a percent sign begins the zone of an address.
        let is_allowed = match part {
            Part::Host => byte >= 0x80 || byte == b'%',
            Part::Zone => byte == b'%' || byte == b' ' || !needs_escape(byte, Part::Host),
            _ => true,
        };
        if !is_allowed {
            return Err(UrlError::Escape(escape()));
        }
        plain.push(byte);
    }
    Ok(plain)
}

fn digit(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16)?;
    u8::try_from(digit).ok()
}
