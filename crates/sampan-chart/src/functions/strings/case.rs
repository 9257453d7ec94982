//! Upper, lower and title case.

use crate::functions::FunctionError;
use crate::functions::arguments::Arguments;
use crate::functions::runes::{
    decode, is_digit, is_letter, is_lower, is_title, is_upper, map, to_lower, to_title, to_upper,
};
use crate::value::Value;

pub(super) fn upper(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::text(map(arguments.text(0)?, to_upper)))
}

pub(super) fn lower(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::text(map(arguments.text(0)?, to_lower)))
}

/// Go's `strings.Title`: words begin behind everything in ASCII but letters, digits and underscores, and behind blanks.
pub(super) fn title(arguments: &[Value]) -> Result<Value, FunctionError> {
    let mut last = ' ';
    let titled = map(arguments.text(0)?, |char| {
        let begins = match last {
            '_' => false,
            last if last.is_ascii() => !last.is_ascii_alphanumeric(),
            last if is_letter(last) || is_digit(last) => false,
            last => last.is_whitespace(),
        };
        last = char;
        if begins { to_title(char) } else { char }
    });
    Ok(Value::text(titled))
}

pub(super) fn untitle(arguments: &[Value]) -> Result<Value, FunctionError> {
    let mut begins = true;
    let untitled = map(arguments.text(0)?, |char| {
        let is_first = begins && !char.is_whitespace();
        begins = char.is_whitespace();
        if is_first { to_lower(char) } else { char }
    });
    Ok(Value::text(untitled))
}

/// Small letters become large ones, in title case where a word begins, and the other way round.
pub(super) fn swapcase(arguments: &[Value]) -> Result<Value, FunctionError> {
    let mut begins = true;
    let swapped = map(arguments.text(0)?, |char| {
        if is_upper(char) || is_title(char) {
            begins = false;
            to_lower(char)
        } else if is_lower(char) {
            let first = std::mem::replace(&mut begins, false);
            if first {
                to_title(char)
            } else {
                to_upper(char)
            }
        } else {
            begins = char.is_whitespace();
            char
        }
    });
    Ok(Value::text(swapped))
}

pub(super) fn is_connector(char: char) -> bool {
    matches!(char, '-' | '_') || char.is_whitespace()
}

/// Words without what connects them, each in title case. In a word that begins with several capitals, these become
/// small but for the first one. Connectors in front stay, and all but one of several.
pub(super) fn camelcase(arguments: &[Value]) -> Result<Value, FunctionError> {
    let mut chars = decode(arguments.text(0)?).map(|(char, _)| char).peekable();
    let mut camel = String::new();
    while let Some(char) = chars.next_if(|char| is_connector(*char)) {
        camel.push(char);
    }
    let Some(first) = chars.next() else {
        // The last connector comes twice, as in the library.
        let last = camel.chars().next_back();
        camel.extend(last);
        return Ok(Value::text(camel));
    };
    let mut in_capitals = is_upper(first);
    let mut last = to_upper(first);
    for char in chars {
        let mut next = char;
        if is_connector(last) {
            if is_connector(char) {
                camel.push(last);
                last = char;
                continue;
            }
            in_capitals = is_upper(char);
            next = to_upper(char);
        } else {
            if in_capitals && is_upper(char) {
                next = to_lower(char);
            } else {
                in_capitals = false;
            }
            camel.push(last);
        }
        last = next;
    }
    camel.push(last);
    Ok(Value::text(camel))
}
