//! Wrapping of lines, as the library goutils does it: on bytes, with blanks as the only places to break at.

use crate::functions::FunctionError;
use crate::functions::arguments::Arguments;
use crate::functions::bounds::check_text;
use crate::value::Value;

pub(super) fn wrap(arguments: &[Value]) -> Result<Value, FunctionError> {
    wrapped(arguments.text(1)?, arguments.int(0)?, b"\n", false)
}

pub(super) fn wrap_with(arguments: &[Value]) -> Result<Value, FunctionError> {
    let end: &[u8] = arguments.text(1)?;
    let end = if end.is_empty() { b"\n" } else { end };
    wrapped(arguments.text(2)?, arguments.int(0)?, end, true)
}

fn wrapped(text: &[u8], width: i64, end: &[u8], cuts_words: bool) -> Result<Value, FunctionError> {
    let width = usize::try_from(width.max(1)).unwrap_or(usize::MAX);
    let mut lines = Vec::with_capacity(text.len());
    let mut rest = text;
    while rest.len() > width {
        if let [b' ', behind @ ..] = rest {
            rest = behind;
            continue;
        }
        let blank = rest[..=width].iter().rposition(|byte| *byte == b' ');
        let (line, behind) = match blank {
            Some(blank) => (&rest[..blank], &rest[blank + 1..]),
            None if cuts_words => rest.split_at(width),
            None => match rest[width..].iter().position(|byte| *byte == b' ') {
                Some(blank) => (&rest[..width + blank], &rest[width + blank + 1..]),
                None => break,
            },
        };
        lines.extend_from_slice(line);
        lines.extend_from_slice(end);
        check_text(lines.len())?;
        rest = behind;
    }
    lines.extend_from_slice(rest);
    check_text(lines.len())?;
    Ok(Value::text(lines))
}
