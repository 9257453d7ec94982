//! The text of a mail (RFC 5322), in parts where files go with it (RFC 2046).

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sampan_pipeline::run::{Attachment, Mail};
use sampan_supervise::clock;

use super::MailError;

/// What parts the parts; no line of base64 begins with it.
const BOUNDARY: &str = "=_sampan_part";

/// The whole mail.
pub(super) fn text(mail: &Mail) -> Result<String, MailError> {
    let mut text = String::new();
    let now = clock::now();
    let date = now.strftime("%a, %d %b %Y %H:%M:%S +0000");
    let to = mail.to.join(", ");
    for (name, value) in [
        ("From", person(&mail.from)?),
        ("To", people(&mail.to)?),
        ("Subject", words(&mail.subject)),
        ("Date", date.to_string()),
        (
            "Message-ID",
            format!("<{}.{}@sampan>", now.as_nanosecond(), to.len()),
        ),
        ("MIME-Version", "1.0".to_owned()),
    ] {
        let _infallible = write!(text, "{name}: {value}\r\n");
    }
    let body = part("text/html; charset=utf-8", "", mail.html.as_bytes());
    if mail.attachments.is_empty() {
        text.push_str(&body);
        return Ok(text);
    }
    let _infallible = write!(
        text,
        "Content-Type: multipart/mixed; boundary=\"{BOUNDARY}\"\r\n\r\n"
    );
    let _infallible = write!(text, "--{BOUNDARY}\r\n{body}");
    for Attachment { name, content } in &mail.attachments {
        let name = name.replace(['"', '\\', '\r', '\n'], "_");
        let file = format!("Content-Disposition: attachment; filename=\"{name}\"\r\n");
        let part = part("application/octet-stream", &file, content);
        let _infallible = write!(text, "--{BOUNDARY}\r\n{part}");
    }
    let _infallible = write!(text, "--{BOUNDARY}--\r\n");
    Ok(text)
}

fn part(kind: &str, more: &str, bytes: &[u8]) -> String {
    let mut text =
        format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n{more}\r\n");
    let encoded = STANDARD.encode(bytes);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(76));
        text.push_str(line);
        text.push_str("\r\n");
        rest = after;
    }
    text
}

/// Text for a header: as it is, or encoded where it is more than ASCII (RFC 2047).
fn words(text: &str) -> String {
    let plain = |c: char| c.is_ascii() && !c.is_ascii_control();
    if text.chars().all(plain) {
        return text.to_owned();
    }
    let one_line = text.replace(['\r', '\n'], " ");
    let mut words = Vec::new();
    let mut word = String::new();
    for c in one_line.chars() {
        // An encoded word has at most 75 characters.
        if word.len() + c.len_utf8() > 45 {
            words.push(std::mem::take(&mut word));
        }
        word.push(c);
    }
    words.push(word);
    let encoded = words
        .iter()
        .map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word)));
    encoded.collect::<Vec<_>>().join("\r\n ")
}

fn people(all: &[String]) -> Result<String, MailError> {
    let people: Result<Vec<_>, _> = all.iter().map(|one| person(one)).collect();
    Ok(people?.join(", "))
}

/// `NAME <ADDRESS>`, or the address alone.
fn person(text: &str) -> Result<String, MailError> {
    let address = address(text)?;
    let name = text.split_once('<').map_or("", |(name, _)| name.trim());
    let name = name.trim_matches('"');
    Ok(if name.is_empty() {
        address
    } else {
        format!("{} <{address}>", words(name))
    })
}

/// The address alone.
pub(super) fn address(text: &str) -> Result<String, MailError> {
    let inner = match text.split_once('<') {
        Some((_, rest)) => rest.split('>').next().unwrap_or_default(),
        None => text,
    };
    let address = inner.trim();
    let fits = |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | ',' | ';');
    if address.contains('@') && address.chars().all(fits) {
        Ok(address.to_owned())
    } else {
        Err(MailError::Address(text.to_owned()))
    }
}
