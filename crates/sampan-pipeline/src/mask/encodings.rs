//! The forms in which a secret shows up in logs.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// The shortest text that is masked: shorter ones are in every log.
pub(super) const SHORTEST_BYTES: usize = 4;

/// All forms of a secret, without line breaks.
pub(super) fn forms(secret: &str, forms: &mut BTreeSet<Vec<u8>>) {
    let mut add = |form: Vec<u8>| {
        let form: Vec<u8> = form
            .into_iter()
            .filter(|byte| !matches!(byte, b'\r' | b'\n'))
            .collect();
        if form.len() >= SHORTEST_BYTES {
            forms.insert(form);
        }
    };
    add(secret.as_bytes().to_vec());
    if secret.len() < SHORTEST_BYTES {
        return;
    }
    // Of a key of many lines, each line is a secret.
    let lines: Vec<_> = secret.lines().map(str::trim).collect();
    if lines.len() > 1 {
        for line in &lines {
            add(line.as_bytes().to_vec());
        }
    }
    let trimmed = secret.trim_end_matches(['\r', '\n']);
    // Of line breaks alone nothing is left to be found.
    for secret in [secret, trimmed]
        .into_iter()
        .filter(|secret| !secret.is_empty())
    {
        let bytes = secret.as_bytes();
        for alignment in 0..3 {
            for engine in [&STANDARD, &URL_SAFE] {
                let (inner, ending) = base64(bytes, alignment, engine);
                add(inner);
                add(ending);
            }
        }
        add(hex::encode(bytes).into_bytes());
        add(hex::encode_upper(bytes).into_bytes());
        let json = serde_json::Value::from(secret).to_string();
        let json = &json[1..json.len() - 1];
        add(json.as_bytes().to_vec());
        let html = [('<', "\\u003c"), ('>', "\\u003e"), ('&', "\\u0026")];
        let html = html.iter().fold(json.to_owned(), |text, (c, escape)| {
            text.replace(*c, escape)
        });
        add(html.into_bytes());
        for upper in [true, false] {
            for space in ["%20", "+"] {
                add(url(bytes, upper, space).into_bytes());
            }
        }
    }
}

/// The base64 characters that only the secret decides when so many bytes stand before it in a group of three; and those
/// characters with the end of the text, when nothing comes after it.
fn base64(bytes: &[u8], alignment: usize, engine: &impl Engine) -> (Vec<u8>, Vec<u8>) {
    let mut padded = vec![0; alignment];
    padded.extend_from_slice(bytes);
    let encoded = engine.encode(&padded).into_bytes();
    let begin = (8 * alignment).div_ceil(6);
    let end = 8 * padded.len() / 6;
    (encoded[begin..end].to_vec(), encoded[begin..].to_vec())
}

fn url(bytes: &[u8], upper: bool, space: &str) -> String {
    bytes
        .iter()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(*byte).to_string()
            }
            b' ' => space.to_owned(),
            byte if upper => format!("%{byte:02X}"),
            byte => format!("%{byte:02x}"),
        })
        .collect()
}
