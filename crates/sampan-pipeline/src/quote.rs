//! Text in double quotes as Go's `%q` writes it, which both scripts and substitutions rely on.

use std::fmt::Write;

/// The text in double quotes, with everything escaped that is not printable.
pub(crate) fn quoted(text: &str) -> String {
    let mut result = String::with_capacity(text.len() + 2);
    result.push('"');
    for c in text.chars() {
        match c {
            '"' => result.push_str("\\\""),
            '\\' => result.push_str("\\\\"),
            '\u{7}' => result.push_str("\\a"),
            '\u{8}' => result.push_str("\\b"),
            '\u{c}' => result.push_str("\\f"),
            '\n' => result.push_str("\\n"),
            '\r' => result.push_str("\\r"),
            '\t' => result.push_str("\\t"),
            '\u{b}' => result.push_str("\\v"),
            c if is_printable(c) => result.push(c),
            c => {
                let code = u32::from(c);
                let written = match code {
                    0..0x20 | 0x7f => write!(result, "\\x{code:02x}"),
                    0..0x1_0000 => write!(result, "\\u{code:04x}"),
                    _ => write!(result, "\\U{code:08x}"),
                };
                debug_assert!(written.is_ok(), "a string takes any text");
            }
        }
    }
    result.push('"');
    result
}

/// Letters, marks, numbers, punctuation, symbols and the ASCII space.
fn is_printable(c: char) -> bool {
    let private_or_unassigned = matches!(u32::from(c),
        0xe000..=0xf8ff | 0xfff0..=0xfffb | 0xe_0000.. | 0xfdd0..=0xfdef)
        || u32::from(c) & 0xfffe == 0xfffe;
    let format = matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}');
    c == ' ' || !(c.is_control() || c.is_whitespace() || private_or_unassigned || format)
}
