//! PEM: Base64 between lines that say what it is (RFC 7468).

use crate::functions::encoding::{decode_base64, encode_base64};

/// A block.
pub(super) struct Block {
    pub(super) kind: String,
    pub(super) bytes: Vec<u8>,
}

pub(super) fn encode(kind: &str, bytes: &[u8]) -> String {
    const LINE: usize = 64;
    let body = encode_base64(bytes);
    let mut text = format!("-----BEGIN {kind}-----\n");
    for line in body.as_bytes().chunks(LINE) {
        text.extend(line.iter().copied().map(char::from));
        text.push('\n');
    }
    text + &format!("-----END {kind}-----\n")
}

/// The first block of a text. Lines like `Proc-Type: …` at its beginning are left out.
pub(super) fn decode(text: &[u8]) -> Option<Block> {
    let text = String::from_utf8_lossy(text);
    let mut rest = &*text;
    while let Some(start) = rest.find("-----BEGIN ") {
        rest = &rest[start + "-----BEGIN ".len()..];
        let (kind, behind) = rest.split_once("-----")?;
        let end = format!("-----END {kind}-----");
        let Some((body, _)) = behind.split_once(&end) else {
            continue;
        };
        let lines = body.lines().map(str::trim);
        let body: String = lines
            .skip_while(|line| line.is_empty() || line.contains(':'))
            .collect();
        if let Ok(bytes) = decode_base64(body.as_bytes()) {
            return Some(Block {
                kind: kind.to_owned(),
                bytes,
            });
        }
    }
    None
}
