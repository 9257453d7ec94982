//! The formats of texts that schemas can ask for. What is no known format is never wrong.

use std::net::{Ipv4Addr, Ipv6Addr};

use jiff::civil::{Date, Time};

use crate::functions::regular_expressions::Matcher;

/// Whether a text has a format.
pub(super) fn is(format: &str, text: &str) -> bool {
    match format {
        "date" => text.len() == 10 && text.parse::<Date>().is_ok(),
        "time" => is_time(text),
        "date-time" => is_date_time(text),
        "email" | "idn-email" => is_email(text),
        "hostname" => is_host_name(text),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "uri" | "iri" => has_scheme(text) && is_reference(text),
        "uri-reference" | "iri-reference" => is_reference(text),
        "uuid" => is_uuid(text),
        "json-pointer" => is_pointer(text),
        "regex" => Matcher::compile(text).is_some(),
        _ => true,
    }
}

fn is_time(text: &str) -> bool {
    let clock = text
        .get(..8)
        .is_some_and(|clock| clock.parse::<Time>().is_ok());
    let rest = text.get(8..).unwrap_or_default();
    let digits = rest.strip_prefix('.').map_or(0, |rest| {
        1 + rest.bytes().take_while(u8::is_ascii_digit).count()
    });
    clock && digits != 1 && is_offset(&rest[digits..])
}

fn is_offset(text: &str) -> bool {
    let two = |text: &str, most: u8| {
        text.len() == 2 && text.parse::<u8>().is_ok_and(|number| number <= most)
    };
    let hours = text
        .strip_prefix(['+', '-'])
        .and_then(|rest| rest.split_once(':'));
    matches!(text, "Z" | "z")
        || hours.is_some_and(|(hours, minutes)| two(hours, 23) && two(minutes, 59))
}

fn is_date_time(text: &str) -> bool {
    let date = text
        .get(..10)
        .is_some_and(|date| date.parse::<Date>().is_ok());
    let rest = text.get(10..).unwrap_or_default();
    date && rest.strip_prefix(['T', 't', ' ']).is_some_and(is_time)
}

fn is_email(text: &str) -> bool {
    let parts = text.rsplit_once('@');
    let good = |text: &str| {
        !text.is_empty()
            && !text.contains(|character: char| character.is_whitespace() || character.is_control())
    };
    parts.is_some_and(|(name, host)| {
        good(name) && good(host) && !host.contains(['<', '>', '@', ','])
    })
}

fn is_host_name(text: &str) -> bool {
    let good = |label: &str| {
        let inside = label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        inside
            && !label.is_empty()
            && label.len() < 64
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() < 256 && text.strip_suffix('.').unwrap_or(text).split('.').all(good)
}

fn has_scheme(text: &str) -> bool {
    let Some((scheme, _)) = text.split_once(':') else {
        return false;
    };
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    scheme
        .bytes()
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && scheme.bytes().all(good)
}

fn is_reference(text: &str) -> bool {
    let mut percents = text.split('%').skip(1);
    let hex = |rest: &str| {
        rest.get(..2)
            .is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    !text.contains(|character: char| {
        matches!(
            character,
            '\\' | '"' | '<' | '>' | '^' | '`' | '{' | '|' | '}'
        ) || character.is_whitespace()
    }) && percents.all(hex)
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12]
        && text
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

fn is_pointer(text: &str) -> bool {
    let escapes = text
        .split('~')
        .skip(1)
        .all(|rest| rest.starts_with(['0', '1']));
    (text.is_empty() || text.starts_with('/')) && escapes
}
