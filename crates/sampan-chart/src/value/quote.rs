//! Text in quotes, as Go writes it (`strconv.Quote`, `printf "%q"`).

use std::fmt::Write as _;

use super::decode_rune;

/// What may stand unescaped between quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    /// Everything that can be printed.
    Printable,
    /// What can be printed and is ASCII.
    Ascii,
}

/// The bytes in double quotes: what cannot be printed is escaped, bytes that are no UTF-8 as `\x…`.
#[must_use]
pub fn quote(bytes: &[u8]) -> String {
    quote_with(bytes, Allowed::Printable)
}

/// The same, with more or less escaped.
#[must_use]
pub fn quote_with(bytes: &[u8], allowed: Allowed) -> String {
    let mut quoted = String::with_capacity(bytes.len() + 2);
    quoted.push('"');
    let stays = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    if let Ok(text) = std::str::from_utf8(bytes)
        && bytes.iter().all(stays)
    {
        quoted.push_str(text);
        quoted.push('"');
        return quoted;
    }
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            if char == '"' {
                quoted.push('\\');
            }
            escape_allowed(&mut quoted, char, allowed);
        }
        for byte in chunk.invalid() {
            push(&mut quoted, format_args!("\\x{byte:02x}"));
        }
    }
    quoted.push('"');
    quoted
}

/// A character in single quotes, as `%q` writes an integer.
#[must_use]
pub fn quote_char(char: char, allowed: Allowed) -> String {
    let mut quoted = String::from("'");
    if char == '\'' {
        quoted.push('\\');
    }
    escape_allowed(&mut quoted, char, allowed);
    quoted.push('\'');
    quoted
}

/// Whether the text can stand in back quotes on one line.
#[must_use]
pub fn can_backquote(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while !rest.is_empty() {
        let (char, width) = decode_rune(rest);
        match char {
            None | Some('\u{feff}' | '`' | '\u{7f}') => return false,
            Some(char) if char < ' ' && char != '\t' => return false,
            Some(_) => rest = &rest[width..],
        }
    }
    true
}

fn escape_allowed(target: &mut String, char: char, allowed: Allowed) {
    if allowed == Allowed::Printable || char.is_ascii() {
        escape_into(target, char);
    } else if u32::from(char) < 0x1_0000 {
        push(target, format_args!("\\u{:04x}", u32::from(char)));
    } else {
        push(target, format_args!("\\U{:08x}", u32::from(char)));
    }
}

/// Writes a character as it stands between quotes, except for the quotes themselves.
pub(crate) fn escape_into(target: &mut String, char: char) {
    match char {
        '\\' => target.push_str("\\\\"),
        '\x07' => target.push_str("\\a"),
        '\x08' => target.push_str("\\b"),
        '\x0c' => target.push_str("\\f"),
        '\n' => target.push_str("\\n"),
        '\r' => target.push_str("\\r"),
        '\t' => target.push_str("\\t"),
        '\x0b' => target.push_str("\\v"),
        printable if is_printable(printable) => target.push(printable),
        control if control < ' ' || control == '\x7f' => {
            push(target, format_args!("\\x{:02x}", u32::from(control)));
        }
        basic if u32::from(basic) < 0x1_0000 => {
            push(target, format_args!("\\u{:04x}", u32::from(basic)));
        }
        other => push(target, format_args!("\\U{:08x}", u32::from(other))),
    }
}

/// Whether Go prints the character as it is: letters, marks, numbers, punctuation, symbols and the plain space.
#[must_use]
pub fn is_printable(char: char) -> bool {
    if char.is_ascii() {
        return char == ' ' || char.is_ascii_graphic();
    }
    // The standard library escapes what cannot be printed, and combining marks only where text begins with one.
    let mut buffer = [b'x'; 5];
    let length = 1 + char.encode_utf8(&mut buffer[1..]).len();
    let text = std::str::from_utf8(&buffer[..length]).unwrap_or_default();
    text.escape_debug().nth(1) == Some(char)
}

fn push(target: &mut String, arguments: std::fmt::Arguments<'_>) {
    target.write_fmt(arguments).expect("memory can be written");
}
