//! Putting URLs together.

use super::escaping::{Part, escape};
use super::{Url, User};

/// A user with the password, if there is one.
pub(super) fn user(user: &User) -> Vec<u8> {
    let mut text = escape(&user.name, Part::User);
    if let Some(password) = &user.password {
        text.push(b':');
        text.extend(escape(password, Part::User));
    }
    text
}

pub(super) fn write(url: &Url) -> Vec<u8> {
    let mut text = Vec::new();
    if !url.scheme.is_empty() {
        text.extend_from_slice(&url.scheme);
        text.push(b':');
    }
    if url.opaque.is_empty() {
        write_place(&mut text, url);
    } else {
        text.extend_from_slice(&url.opaque);
    }
    if !url.query.is_empty() {
        text.push(b'?');
        text.extend_from_slice(&url.query);
    }
    if !url.fragment.is_empty() {
        text.push(b'#');
        text.extend(escape(&url.fragment, Part::Fragment));
    }
    text
}

/// User, host and path.
fn write_place(text: &mut Vec<u8>, url: &Url) {
    if !url.host.is_empty()
        || url.user.is_some()
        || (!url.scheme.is_empty() && !url.path.is_empty())
    {
        text.extend_from_slice(b"//");
        if let Some(found) = &url.user {
            text.extend(user(found));
            text.push(b'@');
        }
        text.extend(escape(&url.host, Part::Host));
    }
    let path = if url.path == b"*" {
        url.path.clone()
    } else {
        escape(&url.path, Part::Path)
    };
    if !path.is_empty() && !path.starts_with(b"/") && !url.host.is_empty() {
        text.push(b'/');
    }
    // A first segment with a colon would be read as a scheme.
    let first_segment = path.split(|byte| *byte == b'/').next().unwrap_or_default();
    if text.is_empty() && first_segment.contains(&b':') {
        text.extend_from_slice(b"./");
    }
    text.extend(path);
}
