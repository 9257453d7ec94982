//! The formatter under `print` and `printf`: single numbers, texts and truths with Go's flags (`fmt/format.go`).

use super::text::decode_rune;
use super::{float, quote};

/// What stands between `%` and the verb.
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are the flags of a format, each on its own"
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Flags {
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
    pub(super) minus: bool,
    pub(super) plus: bool,
    pub(super) sharp: bool,
    pub(super) space: bool,
    pub(super) zero: bool,
    /// `%+v`
    pub(super) plus_v: bool,
    /// `%#v`
    pub(super) sharp_v: bool,
}

/// Text in the making, and the flags of the current verb.
#[derive(Default)]
pub(super) struct Formatter {
    pub(super) out: Vec<u8>,
    pub(super) flags: Flags,
}

/// An integer as the formatter takes it: the bits of `uint64`, and whether they have a sign.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bits {
    pub(super) bits: u64,
    pub(super) signed: bool,
}

impl Formatter {
    pub(super) fn push(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    pub(super) fn push_char(&mut self, rune: char) {
        self.push(rune.encode_utf8(&mut [0; 4]));
    }

    pub(super) fn padding(&mut self, count: usize) {
        let byte = if self.flags.zero && !self.flags.minus {
            b'0'
        } else {
            b' '
        };
        self.out.extend(std::iter::repeat_n(byte, count));
    }

    /// Writes with blanks or zeros up to the width.
    pub(super) fn pad(&mut self, text: &[u8]) {
        let width = self.flags.width.unwrap_or(0);
        let missing = if width == 0 {
            0
        } else {
            width.saturating_sub(count_runes(text))
        };
        if self.flags.minus {
            self.out.extend_from_slice(text);
            self.padding(missing);
        } else {
            self.padding(missing);
            self.out.extend_from_slice(text);
        }
    }

    /// The same with blanks, whatever the flags say.
    fn pad_blank(&mut self, text: &[u8]) {
        let zero = std::mem::replace(&mut self.flags.zero, false);
        self.pad(text);
        self.flags.zero = zero;
    }

    pub(super) fn boolean(&mut self, value: bool) {
        self.pad(if value { b"true" } else { b"false" });
    }

    /// The text up to as many characters as the precision allows.
    fn truncate<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        let Some(precision) = self.flags.precision else {
            return text;
        };
        let mut end = 0;
        for _ in 0..precision {
            if end >= text.len() {
                break;
            }
            end += decode_rune(&text[end..]).1;
        }
        &text[..end]
    }

    pub(super) fn string(&mut self, text: &[u8]) {
        self.pad(self.truncate(text));
    }

    pub(super) fn quoted(&mut self, text: &[u8]) {
        let text = self.truncate(text);
        if self.flags.sharp && quote::can_backquote(text) {
            let raw = [b"`", text, b"`"].concat();
            self.pad(&raw);
            return;
        }
        let quoted = quote::quote_with(text, self.allowed());
        self.pad(quoted.as_bytes());
    }

    fn allowed(&self) -> quote::Allowed {
        if self.flags.plus {
            quote::Allowed::Ascii
        } else {
            quote::Allowed::Printable
        }
    }

    /// `%x` of a text: two digits for each byte.
    pub(super) fn hexadecimal_bytes(&mut self, text: &[u8], upper: bool) {
        let Flags { sharp, space, .. } = self.flags;
        let wanted = self.flags.precision.unwrap_or(text.len());
        let text = &text[..wanted.min(text.len())];
        let width = self.flags.width.unwrap_or(0);
        if text.is_empty() {
            self.padding(width);
            return;
        }
        let digits = if upper {
            b"0123456789ABCDEFX"
        } else {
            b"0123456789abcdefx"
        };
        let mut written = Vec::with_capacity(text.len() * 3);
        for (position, byte) in text.iter().enumerate() {
            if position > 0 && space {
                written.push(b' ');
            }
            if sharp && (position == 0 || space) {
                written.extend([b'0', digits[16]]);
            }
            written.extend([
                digits[usize::from(byte >> 4)],
                digits[usize::from(byte & 15)],
            ]);
        }
        let missing = width.saturating_sub(written.len());
        if !self.flags.minus {
            self.padding(missing);
        }
        self.out.append(&mut written);
        if self.flags.minus {
            self.padding(missing);
        }
    }

    /// `%c`
    pub(super) fn character(&mut self, code: u64) {
        self.pad(rune(code).encode_utf8(&mut [0; 4]).as_bytes());
    }

    /// `%q` of an integer
    pub(super) fn quoted_character(&mut self, code: u64) {
        let quoted = quote::quote_char(rune(code), self.allowed());
        self.pad(quoted.as_bytes());
    }

    /// `%U`
    pub(super) fn code_point(&mut self, code: u64) {
        let digits = self.flags.precision.unwrap_or(4).max(4);
        let mut text = format!("{code:X}");
        while text.len() < digits {
            text.insert_str(0, &"0".repeat(digits - text.len()));
        }
        text.insert_str(0, "U+");
        let shown = u32::try_from(code).ok().and_then(char::from_u32);
        if let Some(shown) = shown.filter(|rune| self.flags.sharp && quote::is_printable(*rune)) {
            text.push_str(" '");
            text.push(shown);
            text.push('\'');
        }
        self.pad_blank(text.as_bytes());
    }

    /// An integer to a base, with what the verb adds in front.
    pub(super) fn integer(&mut self, number: Bits, base: u32, verb: char) {
        let negative = number.signed && number.bits >> 63 == 1;
        let magnitude = if negative {
            number.bits.wrapping_neg()
        } else {
            number.bits
        };
        let flags = self.flags;
        if base == 10 && flags == Flags::default() {
            // Nearly all numbers are written so; what follows makes several texts of each.
            self.push(if negative { "-" } else { "" });
            self.push(&magnitude.to_string());
            return;
        }
        let mut precision = 0;
        if let Some(wanted) = flags.precision {
            precision = wanted;
            if wanted == 0 && magnitude == 0 {
                let zero = std::mem::replace(&mut self.flags.zero, false);
                self.padding(flags.width.unwrap_or(0));
                self.flags.zero = zero;
                return;
            }
        } else if let Some(width) = flags.width.filter(|_| flags.zero && !flags.minus) {
            let sign = negative || flags.plus || flags.space;
            precision = width.saturating_sub(usize::from(sign));
        }
        let mut digits = match base {
            2 => format!("{magnitude:b}"),
            8 => format!("{magnitude:o}"),
            16 if verb == 'X' => format!("{magnitude:X}"),
            16 => format!("{magnitude:x}"),
            _ => magnitude.to_string(),
        };
        if digits.len() < precision {
            digits.insert_str(0, &"0".repeat(precision - digits.len()));
        }
        let mark = match (base, verb) {
            (8, 'O') if flags.sharp && !digits.starts_with('0') => "0o0",
            (8, 'O') => "0o",
            (2, _) if flags.sharp => "0b",
            (8, _) if flags.sharp && !digits.starts_with('0') => "0",
            (16, 'X') if flags.sharp => "0X",
            (16, _) if flags.sharp => "0x",
            _ => "",
        };
        let sign = match (negative, flags.plus, flags.space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        };
        self.pad_blank(format!("{sign}{mark}{digits}").as_bytes());
    }

    /// A number with a point, in one of Go's float formats.
    pub(super) fn float(&mut self, value: f64, verb: u8, precision: Option<usize>) {
        let flags = self.flags;
        let precision = flags.precision.or(precision);
        let written = float::format(value, verb, precision);
        let (sign, digits) = match written.strip_prefix(['-', '+']) {
            Some(digits) => (written.as_bytes()[0], digits.to_owned()),
            None => (b'+', written),
        };
        let sign = if sign == b'+' && flags.space && !flags.plus {
            b' '
        } else {
            sign
        };
        if digits.starts_with(['I', 'N']) {
            let shown = digits.starts_with('I') || flags.space || flags.plus;
            let text = if shown {
                format!("{}{digits}", char::from(sign))
            } else {
                digits
            };
            self.pad_blank(text.as_bytes());
            return;
        }
        let digits = if flags.sharp && verb != b'b' {
            with_point(&digits, verb, precision)
        } else {
            digits
        };
        if !flags.plus && sign == b'+' {
            self.pad(digits.as_bytes());
            return;
        }
        let width = flags.width.unwrap_or(0);
        if flags.zero && !flags.minus && width > digits.len() + 1 {
            self.out.push(sign);
            self.padding(width - digits.len() - 1);
            self.push(&digits);
            return;
        }
        self.pad(format!("{}{digits}", char::from(sign)).as_bytes());
    }
}

/// The number of characters; each byte that is no UTF-8 counts as one.
fn count_runes(text: &[u8]) -> usize {
    if let Ok(text) = std::str::from_utf8(text) {
        return text.chars().count();
    }
    let mut count = 0;
    let mut rest = text;
    while !rest.is_empty() {
        rest = &rest[decode_rune(rest).1..];
        count += 1;
    }
    count
}

/// The character of a code; U+FFFD for what is none.
fn rune(code: u64) -> char {
    let code = u32::try_from(code).ok();
    code.and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// What `#` asks of a number: a point always, and the trailing zeros that `%g` leaves out.
fn with_point(number: &str, verb: u8, precision: Option<usize>) -> String {
    let mut missing = match verb {
        b'g' | b'G' | b'x' => precision.unwrap_or(6),
        _ => 0,
    };
    let hexadecimal = matches!(verb, b'x' | b'X');
    let exponent: &[char] = if hexadecimal {
        &['p', 'P']
    } else {
        &['e', 'E', 'p', 'P']
    };
    let split = number.find(exponent).unwrap_or(number.len());
    let (body, tail) = number.split_at(split);
    let mut significant = false;
    for digit in body.chars().filter(|digit| *digit != '.') {
        significant |= digit != '0';
        missing = missing.saturating_sub(usize::from(significant));
    }
    let mut text = body.to_owned();
    if !body.contains('.') {
        // A single 0 counts once, whatever stands in front of the significant digits.
        missing = missing.saturating_sub(usize::from(body == "0"));
        text.push('.');
    }
    text.push_str(&"0".repeat(missing));
    text.push_str(tail);
    text
}
