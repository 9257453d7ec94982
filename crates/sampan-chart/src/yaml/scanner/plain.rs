//! Scalars without quotes, and the white space between the words of any scalar.

use std::borrow::Cow;
use std::ops::Range;

use super::{Fault, Kind, Scanner};
use crate::yaml::class;
use crate::yaml::gathered::Gathered;

impl<'a> Scanner<'a> {
    /// Whether a plain scalar can begin with the next character.
    pub(super) fn plain_may_start(&self) -> bool {
        let reader = &self.reader;
        match reader.byte(0) {
            b'-' => !reader.is_blank(1),
            b'?' | b':' => self.flow_level == 0 && !reader.is_blank_or_end(1),
            b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\''
            | b'"' | b'%' | b'@' | b'`' => false,
            _ => !reader.is_blank_or_end(0),
        }
    }

    pub(super) fn plain(&mut self) -> Result<(), Fault> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.reader.mark;
        let (text, spans_lines) = self.plain_text()?;
        if spans_lines {
            self.key_allowed = true;
        }
        self.push(Kind::Scalar { text, plain: true }, start);
        Ok(())
    }

    /// The text, and whether a line ended after it.
    fn plain_text(&mut self) -> Result<(Cow<'a, [u8]>, bool), Fault> {
        let indent = self.indent + 1;
        let mut text = self.reader.gather();
        let mut gap = Gap::default();
        loop {
            self.reader.ensure(4)?;
            if self.reader.is_any_document_indicator() || self.reader.byte(0) == b'#' {
                break;
            }
            while !self.reader.is_blank_or_end(0) && !self.plain_ends() {
                gap.close(&mut text);
                self.reader.read(&mut text);
                self.reader.read_run(&class::WORD, &mut text);
                self.reader.ensure(2)?;
            }
            if !(self.reader.is_blank(0) || self.reader.is_break(0)) {
                break;
            }
            self.reader.ensure(1)?;
            while self.reader.is_blank(0) || self.reader.is_break(0) {
                let is_tab = self.reader.byte(0) == b'\t';
                if is_tab && gap.has_break && self.column() < indent {
                    return Err(self.fault("found a tab character that violates indentation"));
                }
                self.extend(&mut gap)?;
            }
            if self.flow_level == 0 && self.column() < indent {
                break;
            }
        }
        Ok((text.finish(), gap.has_break))
    }

    fn plain_ends(&self) -> bool {
        match self.reader.byte(0) {
            b':' => self.reader.is_blank_or_end(1),
            b',' | b'?' | b'[' | b']' | b'{' | b'}' => self.flow_level > 0,
            _ => false,
        }
    }

    /// Takes blanks or the end of a line into a gap.
    pub(super) fn extend(&mut self, gap: &mut Gap) -> Result<(), Fault> {
        if !self.reader.is_blank(0) {
            self.reader.ensure(2)?;
            let written = self.reader.read_break();
            if gap.has_break {
                gap.later_breaks.extend_from_slice(written);
            } else {
                gap.blanks = 0..0;
                gap.first_break = written;
                gap.has_break = true;
            }
        } else if gap.has_break && self.reader.byte(0) == b' ' {
            return self.reader.skip_spaces(usize::MAX);
        } else {
            let start = self.reader.position();
            self.reader.skip();
            if !gap.has_break {
                gap.add_blank(start);
            }
        }
        self.reader.ensure(1)
    }
}

/// The white space between two words of a scalar.
#[derive(Default)]
pub(super) struct Gap {
    /// Where blanks stand, up to the end of the line.
    blanks: Range<usize>,
    pub(super) has_break: bool,
    /// Nothing where the break is escaped.
    first_break: &'static [u8],
    later_breaks: Vec<u8>,
}

impl Gap {
    fn add_blank(&mut self, place: usize) {
        if self.blanks.is_empty() {
            self.blanks.start = place;
        }
        self.blanks.end = place + 1;
    }

    /// Writes what the gap stands for: itself on one line, a space for a line break, one break less for several.
    pub(super) fn close(&mut self, text: &mut Gathered<'_>) {
        let blanks = std::mem::take(&mut self.blanks);
        if !self.has_break {
            if !blanks.is_empty() {
                text.extend(blanks);
            }
            return;
        }
        if self.first_break != b"\n" {
            text.push(self.first_break);
            text.push(&self.later_breaks);
        } else if self.later_breaks.is_empty() {
            text.push(b" ");
        } else {
            text.push(&self.later_breaks);
        }
        *self = Self::default();
    }
}
