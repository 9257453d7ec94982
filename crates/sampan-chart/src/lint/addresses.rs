//! Addresses of mail and of the web, as far as people get them wrong.

/// Whether a text has a scheme and nothing that no address can have.
pub(super) fn is_request_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let starts = scheme.starts_with(|first: char| first.is_ascii_alphabetic());
    let is_of_scheme =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let host = rest
        .strip_prefix("//")
        .map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    starts
        && scheme.bytes().all(is_of_scheme)
        && !rest.is_empty()
        && !rest.chars().any(char::is_control)
        && host.is_none_or(|host| !host.contains([' ', '<', '>', '"']))
}

/// Whether a text is the address of a place in the web; the scheme may be missing.
pub(super) fn is_url(text: &str) -> bool {
    const SCHEMES: [&str; 7] = ["ftp", "tcp", "udp", "ws", "wss", "http", "https"];
    if text.len() <= 3 || text.len() >= 2083 || text.starts_with('.') {
        return false;
    }
    let rest = match text.split_once("://") {
        Some((scheme, rest)) if SCHEMES.contains(&scheme) => rest,
        Some(_) => return false,
        None => text,
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    if let Some(address) = host.strip_prefix('[') {
        return address.contains(']');
    }
    let (host, port) = match host.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (host, None),
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok();
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .chars()
                .all(|one| one.is_alphanumeric() || one == '-' || one == '_')
    };
    !text.contains(char::is_whitespace)
        && port.is_none_or(is_port)
        && (host == "localhost" || host.contains('.'))
        && host.split('.').all(is_label)
}

/// Whether a text is an address of mail.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let is_of_local = |one: char| one.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(one);
    let good_local = !local.is_empty()
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.chars().all(is_of_local);
    let is_label = |label: &str| {
        let good = |one: char| one.is_alphanumeric() || one == '-' || one == '_';
        !label.is_empty()
            && label.chars().all(good)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    good_local && domain.contains('.') && domain.split('.').all(is_label)
}
