//! Scalars in quotes.

use std::borrow::Cow;

use super::plain::Gap;
use super::{Fault, Kind, Scanner};
use crate::yaml::class;
use crate::yaml::gathered::Gathered;

impl<'a> Scanner<'a> {
    pub(super) fn quoted(&mut self, quote: u8) -> Result<(), Fault> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.reader.mark;
        self.reader.skip();
        let text = self.quoted_text(quote)?;
        self.reader.skip();
        self.push(Kind::Scalar { text, plain: false }, start);
        Ok(())
    }

    fn quoted_text(&mut self, quote: u8) -> Result<Cow<'a, [u8]>, Fault> {
        let mut text = self.reader.gather();
        loop {
            self.reader.ensure(4)?;
            if self.reader.is_any_document_indicator() {
                return Err(self.fault("found unexpected document indicator"));
            }
            if self.reader.is_end() {
                return Err(self.fault("found unexpected end of stream"));
            }
            let mut gap = Gap::default();
            while !self.reader.is_blank_or_end(0) {
                match (self.reader.byte(0), self.reader.byte(1)) {
                    (b'\'', b'\'') if quote == b'\'' => {
                        self.reader.skip();
                        self.reader.read(&mut text);
                    }
                    (byte, _) if byte == quote => break,
                    (b'\\', _) if quote == b'"' && self.reader.is_break(1) => {
                        self.reader.ensure(3)?;
                        self.reader.skip();
                        self.reader.skip_break();
                        gap.has_break = true;
                        break;
                    }
                    (b'\\', letter) if quote == b'"' => self.escape(letter, &mut text)?,
                    _ => {
                        self.reader.read(&mut text);
                        self.reader.read_run(&class::QUOTED, &mut text);
                    }
                }
                self.reader.ensure(2)?;
            }
            self.reader.ensure(1)?;
            if self.reader.byte(0) == quote {
                return Ok(text.finish());
            }
            while self.reader.is_blank(0) || self.reader.is_break(0) {
                self.extend(&mut gap)?;
            }
            gap.close(&mut text);
        }
    }

    fn escape(&mut self, letter: u8, text: &mut Gathered<'_>) -> Result<(), Fault> {
        let code = match letter {
            b'0' => 0,
            b'a' => 0x07,
            b'b' => 0x08,
            b't' | b'\t' => 0x09,
            b'n' => 0x0a,
            b'v' => 0x0b,
            b'f' => 0x0c,
            b'r' => 0x0d,
            b'e' => 0x1b,
            b' ' | b'"' | b'\'' | b'\\' => u32::from(letter),
            b'N' => 0x85,
            b'_' => 0xa0,
            b'L' => 0x2028,
            b'P' => 0x2029,
            b'x' => return self.escape_code(2, text),
            b'u' => return self.escape_code(4, text),
            b'U' => return self.escape_code(8, text),
            _ => return Err(self.fault("found unknown escape character")),
        };
        self.reader.skip();
        self.reader.skip();
        push_char(code, text);
        Ok(())
    }

    fn escape_code(&mut self, length: usize, text: &mut Gathered<'_>) -> Result<(), Fault> {
        self.reader.skip();
        self.reader.skip();
        self.reader.ensure(length)?;
        let mut code = 0u32;
        for ahead in 0..length {
            let Some(digit) = char::from(self.reader.byte(ahead)).to_digit(16) else {
                return Err(self.fault("did not find expected hexdecimal number"));
            };
            code = code << 4 | digit;
        }
        if !push_char(code, text) {
            return Err(self.fault("found invalid Unicode character escape code"));
        }
        for _ in 0..length {
            self.reader.skip();
        }
        Ok(())
    }
}

fn push_char(code: u32, text: &mut Gathered<'_>) -> bool {
    let Some(char) = char::from_u32(code) else {
        return false;
    };
    text.push(char.encode_utf8(&mut [0; 4]).as_bytes());
    true
}
