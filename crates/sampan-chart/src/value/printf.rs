//! `printf`: Go's format strings (`fmt.Sprintf`).

use super::print::Printer;
use super::text::decode_rune;
use super::{Text, Value};
use crate::functions::FunctionError;

/// Widths and precisions above this are not taken for such.
const LARGEST: i64 = 1_000_000;

/// The text that a format and its arguments make.
///
/// # Errors
/// Fails on values that are nested too deeply or too large; wrong verbs and numbers of arguments show in the text.
pub fn printf(format: &[u8], arguments: &[Value]) -> Result<Text, FunctionError> {
    let mut reader = Reader {
        printer: Printer::default(),
        format,
        arguments,
        position: 0,
        argument: 0,
        after_index: false,
        reordered: false,
        good_number: true,
    };
    while reader.position < format.len() {
        if !reader.directive() {
            break;
        }
    }
    reader.extra();
    reader.printer.finish()
}

struct Reader<'a> {
    printer: Printer,
    format: &'a [u8],
    arguments: &'a [Value],
    position: usize,
    argument: usize,
    /// The last thing read was an index such as `[3]`.
    after_index: bool,
    reordered: bool,
    good_number: bool,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.format.get(self.position).copied()
    }

    /// Plain text up to the next `%`, and what that asks for. False at the end.
    fn directive(&mut self) -> bool {
        self.good_number = true;
        let rest = &self.format[self.position..];
        let plain = rest.iter().position(|byte| *byte == b'%');
        let plain = plain.unwrap_or(rest.len());
        self.printer.format.out.extend_from_slice(&rest[..plain]);
        self.position += plain;
        if self.position >= self.format.len() {
            return false;
        }
        self.position += 1;
        self.flags();
        self.index();
        self.width();
        self.precision();
        if !self.after_index {
            self.index();
        }
        if self.position >= self.format.len() {
            self.printer.format.push("%!(NOVERB)");
            return false;
        }
        self.verb();
        true
    }

    fn flags(&mut self) {
        self.printer.format.flags = super::format::Flags::default();
        let flags = &mut self.printer.format.flags;
        while let Some(byte) = self.format.get(self.position) {
            match byte {
                b'#' => flags.sharp = true,
                b'0' => flags.zero = true,
                b'+' => flags.plus = true,
                b'-' => flags.minus = true,
                b' ' => flags.space = true,
                _ => break,
            }
            self.position += 1;
        }
    }

    /// An explicit number of an argument, such as `[3]`.
    fn index(&mut self) {
        self.after_index = false;
        if self.peek() != Some(b'[') {
            return;
        }
        self.reordered = true;
        let rest = &self.format[self.position..];
        let close = rest.iter().position(|byte| *byte == b']');
        let Some(close) = close.filter(|_| rest.len() >= 3) else {
            self.position += 1;
            self.good_number = false;
            return;
        };
        self.position += close + 1;
        let (number, end) = parse_number(&rest[..close], 1);
        match number.filter(|_| end == close) {
            Some(number) if number >= 1 && number <= self.arguments.len() => {
                self.argument = number - 1;
                self.after_index = true;
            }
            number => {
                self.good_number = false;
                self.after_index = number.is_some();
            }
        }
    }

    fn width(&mut self) {
        if self.peek() == Some(b'*') {
            self.position += 1;
            let width = self.integer_argument();
            if width.is_none() {
                self.printer.format.push("%!(BADWIDTH)");
            }
            let flags = &mut self.printer.format.flags;
            flags.width = width.map(|width| usize::try_from(width.unsigned_abs()).unwrap_or(0));
            if width.is_some_and(|width| width < 0) {
                flags.minus = true;
                flags.zero = false;
            }
            self.after_index = false;
            return;
        }
        let (width, end) = parse_number(self.format, self.position);
        self.position = end;
        self.printer.format.flags.width = width;
        if self.after_index && width.is_some() {
            self.good_number = false;
        }
    }

    fn precision(&mut self) {
        if self.position + 1 >= self.format.len() || self.peek() != Some(b'.') {
            return;
        }
        self.position += 1;
        if self.after_index {
            self.good_number = false;
        }
        self.index();
        if self.peek() == Some(b'*') {
            self.position += 1;
            let precision = self.integer_argument();
            let precision = precision.and_then(|precision| usize::try_from(precision).ok());
            if precision.is_none() {
                self.printer.format.push("%!(BADPREC)");
            }
            self.printer.format.flags.precision = precision;
            self.after_index = false;
            return;
        }
        let (precision, end) = parse_number(self.format, self.position);
        self.position = end;
        self.printer.format.flags.precision = Some(precision.unwrap_or(0));
    }

    /// The argument behind a `*`.
    fn integer_argument(&mut self) -> Option<i64> {
        let argument = self.arguments.get(self.argument)?;
        self.argument += 1;
        let Value::Integer(integer) = argument else {
            return None;
        };
        let value = i64::try_from(integer.value).ok()?;
        (-LARGEST..=LARGEST).contains(&value).then_some(value)
    }

    fn verb(&mut self) {
        let (verb, width) = decode_rune(&self.format[self.position..]);
        let verb = verb.unwrap_or(char::REPLACEMENT_CHARACTER);
        self.position += width;
        if verb == '%' {
            self.printer.format.push("%");
            return;
        }
        let argument = match self.arguments.get(self.argument) {
            Some(argument) if self.good_number => argument,
            missing => {
                self.printer.format.push("%!");
                self.printer.format.push_char(verb);
                let complaint = match missing {
                    _ if !self.good_number => "(BADINDEX)",
                    _ => "(MISSING)",
                };
                self.printer.format.push(complaint);
                return;
            }
        };
        self.argument += 1;
        if matches!(verb, 'v' | 'w') {
            let flags = &mut self.printer.format.flags;
            flags.sharp_v = std::mem::replace(&mut flags.sharp, false);
            flags.plus_v = std::mem::replace(&mut flags.plus, false);
        }
        if verb == 'w' {
            // Only errors can be wrapped, and only by another function.
            self.printer.bad_verb(argument, verb);
            return;
        }
        self.printer.argument(argument, verb);
    }

    /// What is said about arguments that no verb asked for.
    fn extra(&mut self) {
        if self.reordered || self.argument >= self.arguments.len() {
            return;
        }
        self.printer.format.flags = super::format::Flags::default();
        self.printer.format.push("%!(EXTRA ");
        for (position, argument) in self.arguments[self.argument..].iter().enumerate() {
            if position > 0 {
                self.printer.format.push(", ");
            }
            if matches!(argument, Value::Nil) {
                self.printer.format.push("<nil>");
            } else {
                self.printer.format.push(argument.type_name());
                self.printer.format.push("=");
                self.printer.argument(argument, 'v');
            }
        }
        self.printer.format.push(")");
    }
}

/// The number that starts at a position, and where it ends; the end of the text for one that is much too large.
fn parse_number(text: &[u8], start: usize) -> (Option<usize>, usize) {
    let mut number = None;
    let mut position = start;
    while let Some(digit) = text.get(position).filter(|byte| byte.is_ascii_digit()) {
        let value = number.unwrap_or(0);
        if value > 1_000_000 {
            return (None, text.len());
        }
        number = Some(value * 10 + usize::from(digit - b'0'));
        position += 1;
    }
    (number, position)
}
