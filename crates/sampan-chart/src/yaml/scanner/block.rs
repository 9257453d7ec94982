//! Block scalars: `|` keeps lines, `>` folds them.

use super::{Fault, Kind, Scanner, signed};

/// What the line of the indicator says.
#[derive(Default)]
struct Header {
    /// What becomes of the line breaks at the end.
    chomping: Chomping,
    /// How much deeper than its parent the text is indented, when that is said.
    increment: Option<usize>,
}

#[derive(Default, PartialEq, Eq)]
enum Chomping {
    /// `-`: all are dropped.
    Strip,
    /// One stays.
    #[default]
    Clip,
    /// `+`: all stay.
    Keep,
}

impl Scanner<'_> {
    pub(super) fn block_scalar(&mut self, literal: bool) -> Result<(), Fault> {
        self.remove_key()?;
        self.key_allowed = true;
        let start = self.reader.mark;
        self.reader.skip();
        let header = self.block_header()?;
        let text = self.block_text(&header, literal)?.into();
        self.push(Kind::Scalar { text, plain: false }, start);
        Ok(())
    }

    fn block_header(&mut self) -> Result<Header, Fault> {
        let mut header = Header::default();
        self.reader.ensure(1)?;
        if self.chomping(&mut header) {
            self.reader.ensure(1)?;
            self.increment(&mut header)?;
        } else if self.increment(&mut header)? {
            self.reader.ensure(1)?;
            self.chomping(&mut header);
        }
        self.end_of_line()?;
        Ok(header)
    }

    fn chomping(&mut self, header: &mut Header) -> bool {
        header.chomping = match self.reader.byte(0) {
            b'+' => Chomping::Keep,
            b'-' => Chomping::Strip,
            _ => return false,
        };
        self.reader.skip();
        true
    }

    fn increment(&mut self, header: &mut Header) -> Result<bool, Fault> {
        let byte = self.reader.byte(0);
        if !byte.is_ascii_digit() {
            return Ok(false);
        }
        if byte == b'0' {
            return Err(self.fault("found an indentation indicator equal to 0"));
        }
        header.increment = Some(usize::from(byte - b'0'));
        self.reader.skip();
        Ok(true)
    }

    /// Passes what may follow on a line that is over: blanks, a comment, the break.
    pub(super) fn end_of_line(&mut self) -> Result<(), Fault> {
        self.reader.skip_blanks()?;
        self.reader.skip_comment()?;
        if !self.reader.is_break_or_end(0) {
            return Err(self.fault("did not find expected comment or line break"));
        }
        if self.reader.is_break(0) {
            self.reader.ensure(2)?;
            self.reader.skip_break();
        }
        Ok(())
    }

    fn block_text(&mut self, header: &Header, literal: bool) -> Result<Vec<u8>, Fault> {
        let mut indent = header
            .increment
            .map_or(0, |increment| signed(increment) + self.indent.max(0));
        let mut text = Vec::new();
        let mut breaks = Vec::new();
        let mut last_break: &[u8] = b"";
        self.block_breaks(&mut indent, &mut breaks)?;
        self.reader.ensure(1)?;
        let mut after_blank = false;
        while self.column() == indent && !self.reader.is_end() {
            let blank = self.reader.is_blank(0);
            let folds = !literal && !after_blank && !blank && last_break == b"\n";
            if !folds {
                text.extend_from_slice(last_break);
            } else if breaks.is_empty() {
                text.push(b' ');
            }
            text.append(&mut breaks);
            after_blank = blank;
            text.extend_from_slice(self.reader.rest_of_line()?);
            self.reader.ensure(2)?;
            last_break = self.reader.read_break();
            self.block_breaks(&mut indent, &mut breaks)?;
        }
        if header.chomping != Chomping::Strip {
            text.extend_from_slice(last_break);
        }
        if header.chomping == Chomping::Keep {
            text.append(&mut breaks);
        }
        Ok(text)
    }

    /// Passes indentation and empty lines; where the indentation is not known yet (0), the first text line gives it.
    fn block_breaks(&mut self, indent: &mut isize, breaks: &mut Vec<u8>) -> Result<(), Fault> {
        let mut deepest = 0;
        loop {
            self.reader.ensure(1)?;
            let left = match *indent {
                0 => usize::MAX,
                indent => usize::try_from(indent - self.column()).unwrap_or(0),
            };
            self.reader.skip_spaces(left)?;
            deepest = deepest.max(self.column());
            if self.is_indentation(*indent) && self.reader.byte(0) == b'\t' {
                let problem = "found a tab character where an indentation space is expected";
                return Err(self.fault(problem));
            }
            if !self.reader.is_break(0) {
                break;
            }
            self.reader.ensure(2)?;
            breaks.extend_from_slice(self.reader.read_break());
        }
        if *indent == 0 {
            *indent = deepest.max(self.indent + 1).max(1);
        }
        Ok(())
    }

    fn is_indentation(&self, indent: isize) -> bool {
        indent == 0 || self.column() < indent
    }
}
