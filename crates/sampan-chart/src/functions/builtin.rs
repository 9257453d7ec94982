//! Go's own functions that take values as they are: `print` and its relatives, and escaping.

use super::{Function, FunctionError, Parameter};
use crate::value::{Text, Value, decode_rune, print, printf, quote};

/// The functions of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "print",
        parameters: &[],
        variadic: Some(Parameter::Any),
        call: |values| print::print(values).map(Value::Text),
    },
    Function {
        name: "println",
        parameters: &[],
        variadic: Some(Parameter::Any),
        call: |values| print::println(values).map(Value::Text),
    },
    Function {
        name: "printf",
        parameters: &[Parameter::Text],
        variadic: Some(Parameter::Any),
        call: call_printf,
    },
    Function {
        name: "html",
        parameters: &[],
        variadic: Some(Parameter::Any),
        call: |values| Ok(Value::text(html(&joined(values)?))),
    },
    Function {
        name: "js",
        parameters: &[],
        variadic: Some(Parameter::Any),
        call: |values| Ok(Value::text(script(&joined(values)?))),
    },
    Function {
        name: "urlquery",
        parameters: &[],
        variadic: Some(Parameter::Any),
        call: |values| Ok(Value::text(query(&joined(values)?))),
    },
];

fn call_printf(values: &[Value]) -> Result<Value, FunctionError> {
    let (format, arguments) = match values.split_first() {
        Some((Value::Text(format), arguments)) => (format.clone(), arguments),
        _ => (Text::from(""), values),
    };
    printf::printf(&format, arguments).map(Value::Text)
}

/// The arguments as `print` joins them; a nil is printed as a template prints it.
fn joined(values: &[Value]) -> Result<Text, FunctionError> {
    if let [Value::Text(text)] = values {
        return Ok(text.clone());
    }
    let shown: Vec<Value> = values
        .iter()
        .map(|value| match value {
            Value::Nil => Value::text("<no value>"),
            other => other.clone(),
        })
        .collect();
    print::print(&shown)
}

fn html(text: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            0 => escaped.extend_from_slice("\u{fffd}".as_bytes()),
            b'"' => escaped.extend_from_slice(b"&#34;"),
            b'\'' => escaped.extend_from_slice(b"&#39;"),
            b'&' => escaped.extend_from_slice(b"&amp;"),
            b'<' => escaped.extend_from_slice(b"&lt;"),
            b'>' => escaped.extend_from_slice(b"&gt;"),
            other => escaped.push(*other),
        }
    }
    escaped
}

fn script(text: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (rune, width) = decode_rune(rest);
        let (bytes, behind) = rest.split_at(width);
        rest = behind;
        match rune {
            Some('\\' | '\'' | '"') => {
                escaped.push(b'\\');
                escaped.extend_from_slice(bytes);
            }
            Some(rune) if "<>&=".contains(rune) || rune < ' ' || !is_shown(rune) => {
                let code = format!("\\u{:04X}", u32::from(rune));
                escaped.extend_from_slice(code.as_bytes());
            }
            // Also bytes that are no UTF-8: Go takes them for the replacement character, which it can print.
            _ => escaped.extend_from_slice(bytes),
        }
    }
    escaped
}

/// Whether a script can hold the character as it is.
fn is_shown(rune: char) -> bool {
    rune.is_ascii() || quote::is_printable(rune)
}

fn query(text: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                escaped.push(*byte);
            }
            b' ' => escaped.push(b'+'),
            other => {
                escaped.push(b'%');
                for digit in [other >> 4, other & 15] {
                    escaped.push(b"0123456789ABCDEF"[usize::from(digit)]);
                }
            }
        }
    }
    escaped
}
