//! Taking URLs apart, as Go's `net/url` does it, with its words where that fails.

use super::escaping::{Part, unescape};
use super::{Url, User};
use crate::value::quote::quote;

/// Why a text is no URL.
#[derive(Debug, thiserror::Error)]
pub(super) enum UrlError {
    #[error("net/url: invalid control character in URL")]
    ControlCharacter,
    #[error("missing protocol scheme")]
    NoScheme,
    #[error("first path segment in URL cannot contain colon")]
    Colon,
    #[error("net/url: invalid userinfo")]
    User,
    #[error("missing ']' in host")]
    Bracket,
    #[error("invalid port {} after host", quote(.0))]
    Port(Vec<u8>),
    #[error("invalid URL escape {}", quote(.0))]
    Escape(Vec<u8>),
    #[error("invalid character {} in host name", quote(.0))]
    HostCharacter(Vec<u8>),
}

/// The parts of a text before and behind a byte.
fn cut(text: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|byte| *byte == at) {
        Some(end) => (&text[..end], Some(&text[end + 1..])),
        None => (text, None),
    }
}

/// Takes a URL apart; an error comes with the text that Go blames.
pub(super) fn parse(text: &[u8]) -> Result<Url, (Vec<u8>, UrlError)> {
    let (before, fragment) = cut(text, b'#');
    let mut url = parse_without_fragment(before).map_err(|error| (before.to_vec(), error))?;
    if let Some(fragment) = fragment {
        url.fragment =
            unescape(fragment, Part::Fragment).map_err(|error| (text.to_vec(), error))?;
    }
    Ok(url)
}

fn parse_without_fragment(text: &[u8]) -> Result<Url, UrlError> {
    let mut url = Url::default();
    if text.iter().any(u8::is_ascii_control) {
        return Err(UrlError::ControlCharacter);
    }
    if text == b"*" {
        url.path = text.to_vec();
        return Ok(url);
    }
    let (scheme, rest) = scheme(text)?;
    url.scheme = scheme.to_ascii_lowercase();
    let (rest, query) = cut(rest, b'?');
    url.query = query.unwrap_or_default().to_vec();
    if !rest.starts_with(b"/") {
        if !scheme.is_empty() {
            url.opaque = rest.to_vec();
            return Ok(url);
        }
        if cut(rest, b'/').0.contains(&b':') {
            return Err(UrlError::Colon);
        }
    }
    let has_authority = !scheme.is_empty() || !rest.starts_with(b"///");
    let path = match rest.strip_prefix(b"//") {
        Some(authority) if has_authority => {
            let end = authority.iter().position(|byte| *byte == b'/');
            let (authority, path) = authority.split_at(end.unwrap_or(authority.len()));
            parse_authority(&mut url, authority)?;
            path
        }
        _ => rest,
    };
    url.path = unescape(path, Part::Path)?;
    Ok(url)
}

/// The scheme, and what follows its colon; no scheme where other characters come first.
fn scheme(text: &[u8]) -> Result<(&[u8], &[u8]), UrlError> {
    for (index, byte) in text.iter().enumerate() {
        match byte {
            byte if byte.is_ascii_alphabetic() => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if index > 0 => {}
            b':' if index == 0 => return Err(UrlError::NoScheme),
            b':' => return Ok((&text[..index], &text[index + 1..])),
            _ => break,
        }
    }
    Ok((&[], text))
}

fn parse_authority(url: &mut Url, authority: &[u8]) -> Result<(), UrlError> {
    let at = authority.iter().rposition(|byte| *byte == b'@');
    let host = at.map_or(authority, |at| &authority[at + 1..]);
    url.host = parse_host(host)?;
    let Some(at) = at else {
        return Ok(());
    };
    let user = &authority[..at];
    let is_allowed =
        |byte: &u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(byte);
    if !user.iter().all(is_allowed) {
        return Err(UrlError::User);
    }
    let (name, password) = cut(user, b':');
    let name = unescape(name, Part::User)?;
    let password = password
        .map(|password| unescape(password, Part::User))
        .transpose()?;
    url.user = Some(User { name, password });
    Ok(())
}

fn parse_host(host: &[u8]) -> Result<Vec<u8>, UrlError> {
    if host.starts_with(b"[") {
        let end = host
            .iter()
            .rposition(|byte| *byte == b']')
            .ok_or(UrlError::Bracket)?;
        check_port(&host[end + 1..])?;
        let zone = host[..end].windows(3).position(|escape| escape == b"%25");
        if let Some(zone) = zone {
            let address = unescape(&host[..zone], Part::Host)?;
            let name = unescape(&host[zone..end], Part::Zone)?;
            return Ok([address, name, unescape(&host[end..], Part::Host)?].concat());
        }
    } else if let Some(colon) = host.iter().rposition(|byte| *byte == b':') {
        check_port(&host[colon..])?;
    }
    unescape(host, Part::Host)
}

/// A port with its colon, or nothing.
fn is_port(port: &[u8]) -> bool {
    match port {
        [] => true,
        [b':', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

fn check_port(port: &[u8]) -> Result<(), UrlError> {
    if is_port(port) {
        Ok(())
    } else {
        Err(UrlError::Port(port.to_vec()))
    }
}

/// The host without port and brackets.
pub(super) fn hostname(host: &[u8]) -> &[u8] {
    let colon = host.iter().rposition(|byte| *byte == b':');
    let host = match colon {
        Some(colon) if is_port(&host[colon..]) => &host[..colon],
        _ => host,
    };
    let inner = host
        .strip_prefix(b"[")
        .and_then(|host| host.strip_suffix(b"]"));
    inner.unwrap_or(host)
}
