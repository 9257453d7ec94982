//! The forms that names, labels and keys may have; each function lists the complaints.

const LABEL: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const VALUE: &str = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?";
const QUALIFIED: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

fn lower_or_digit(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

fn is_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first().copied().is_some_and(lower_or_digit)
        && bytes.last().copied().is_some_and(lower_or_digit)
        && bytes
            .iter()
            .all(|&byte| lower_or_digit(byte) || byte == b'-')
}

fn is_word(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

fn too_long(text: &str, most: usize) -> Option<String> {
    (text.len() > most).then(|| format!("must be no more than {most} bytes"))
}

/// A label of a domain name (RFC 1123).
pub(super) fn dns_label(text: &str) -> Vec<String> {
    let form = (!is_label(text)).then(|| {
        format!(
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or \
             '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or \
             '123-abc', regex used for validation is '{LABEL}')"
        )
    });
    too_long(text, 63).into_iter().chain(form).collect()
}

/// A domain name (RFC 1123).
pub(super) fn dns_subdomain(text: &str) -> Vec<String> {
    let form = (!text.split('.').all(is_label)).then(|| {
        format!(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, \
             '-' or '.', and must start and end with an alphanumeric character (e.g. \
             'example.com', regex used for validation is '{LABEL}(\\.{LABEL})*')"
        )
    });
    too_long(text, 253).into_iter().chain(form).collect()
}

/// A name that can be a part of a path.
pub(super) fn path_segment(text: &str) -> Vec<String> {
    if matches!(text, "." | "..") {
        return vec![format!("may not be '{text}'")];
    }
    let bad = ['/', '%'].into_iter().filter(|sign| text.contains(*sign));
    bad.map(|sign| format!("may not contain '{sign}'"))
        .collect()
}

/// A domain name that may begin with `*.`.
pub(super) fn wildcard_subdomain(text: &str) -> Vec<String> {
    let rest = text.strip_prefix("*.").unwrap_or_default();
    let form = (!rest.split('.').all(is_label)).then(|| {
        format!(
            "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS \
             subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and \
             end with an alphanumeric character (e.g. '*.example.com', regex used for validation \
             is '\\*\\.{LABEL}(\\.{LABEL})*')"
        )
    });
    too_long(text, 253).into_iter().chain(form).collect()
}

/// A label of a domain name that begins with a letter (RFC 1035), as services need.
pub(super) fn dns_1035_label(text: &str) -> Vec<String> {
    let letter_first = text.as_bytes().first().is_some_and(u8::is_ascii_lowercase);
    let form = (!(letter_first && is_label(text))).then(|| {
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with \
         an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or \
         'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
            .to_owned()
    });
    too_long(text, 63).into_iter().chain(form).collect()
}

/// The value of a label.
pub(super) fn label_value(text: &str) -> Vec<String> {
    let form = (!(text.is_empty() || is_word(text))).then(|| {
        format!(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', \
             '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  \
             or 'my_value',  or '12345', regex used for validation is '{VALUE}')"
        )
    });
    too_long(text, 63).into_iter().chain(form).collect()
}

/// The key of a label or annotation: `[PREFIX/]NAME`.
pub(super) fn qualified_name(text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let name = match text.split_once('/') {
        None => text,
        Some((_, rest)) if rest.contains('/') => {
            complaints.push(format!(
                "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and \
                 must start and end with an alphanumeric character (e.g. 'MyName',  or \
                 'my.name',  or '123-abc', regex used for validation is '{QUALIFIED}') with an \
                 optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            ));
            return complaints;
        }
        Some(("", name)) => {
            complaints.push("prefix part must be non-empty".to_owned());
            name
        }
        Some((prefix, name)) => {
            let of_prefix = dns_subdomain(prefix).into_iter();
            complaints.extend(of_prefix.map(|complaint| format!("prefix part {complaint}")));
            name
        }
    };
    if name.is_empty() {
        complaints.push("name part must be non-empty".to_owned());
    } else {
        complaints.extend(too_long(name, 63).map(|complaint| format!("name part {complaint}")));
    }
    if !is_word(name) {
        complaints.push(format!(
            "name part must consist of alphanumeric characters, '-', '_' or '.', and must start \
             and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or \
             '123-abc', regex used for validation is '{QUALIFIED}')"
        ));
    }
    complaints
}

/// The key of a config map or secret.
pub(super) fn config_key(text: &str) -> Vec<String> {
    let mut complaints: Vec<String> = too_long(text, 253).into_iter().collect();
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._".contains(byte);
    if text.is_empty() || !text.as_bytes().iter().all(fits) {
        complaints.push(
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. \
             'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is \
             '[-._a-zA-Z0-9]+')"
                .to_owned(),
        );
    }
    if text == "." || text == ".." {
        complaints.push(format!("must not be '{text}'"));
    }
    complaints
}

/// The name of an environment variable.
pub(super) fn env_name(text: &str) -> Vec<String> {
    if !text.is_empty()
        && text
            .bytes()
            .all(|byte| (b' '..=b'~').contains(&byte) && byte != b'=')
    {
        return Vec::new();
    }
    vec![
        "a valid environment variable name must consist only of printable ASCII characters other \
         than '='"
            .to_owned(),
    ]
}

/// The name of a port (RFC 6335).
pub(super) fn port_name(text: &str) -> Vec<String> {
    let mut complaints: Vec<String> = (text.len() > 15)
        .then(|| "must be no more than 15 characters".to_owned())
        .into_iter()
        .collect();
    let bytes = text.as_bytes();
    if bytes.is_empty()
        || !bytes
            .iter()
            .all(|&byte| lower_or_digit(byte) || byte == b'-')
    {
        complaints.push(
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".to_owned(),
        );
    }
    if !bytes.iter().any(u8::is_ascii_lowercase) {
        complaints.push("must contain at least one letter (a-z)".to_owned());
    }
    if text.contains("--") {
        complaints.push("must not contain consecutive hyphens".to_owned());
    }
    if text.starts_with('-') || text.ends_with('-') {
        complaints.push("must not begin or end with a hyphen".to_owned());
    }
    complaints
}
