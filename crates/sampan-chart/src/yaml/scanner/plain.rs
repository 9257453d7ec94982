//! Scalars without quotes, and the white space between the words of any scalar.

use super::{Fault, Kind, Scanner};

impl Scanner<'_> {
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
    fn plain_text(&mut self) -> Result<(Vec<u8>, bool), Fault> {
        let indent = self.indent + 1;
        let mut text = Vec::new();
        let mut gap = Gap::default();
        loop {
            self.reader.ensure(4)?;
            if self.reader.is_any_document_indicator() || self.reader.byte(0) == b'#' {
                break;
            }
            while !self.reader.is_blank_or_end(0) && !self.plain_ends() {
                gap.close(&mut text);
                self.reader.read(&mut text);
                self.reader.read_word(&mut text);
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
        Ok((text, gap.has_break))
    }

    fn plain_ends(&self) -> bool {
        match self.reader.byte(0) {
            b':' => self.reader.is_blank_or_end(1),
            b',' | b'?' | b'[' | b']' | b'{' | b'}' => self.flow_level > 0,
            _ => false,
        }
    }

    /// Takes one blank or the end of a line into a gap.
    pub(super) fn extend(&mut self, gap: &mut Gap) -> Result<(), Fault> {
        if self.reader.is_blank(0) {
            if gap.has_break {
                self.reader.skip();
            } else {
                self.reader.read(&mut gap.blanks);
            }
        } else {
            self.reader.ensure(2)?;
            if gap.has_break {
                self.reader.read_break(&mut gap.later_breaks);
            } else {
                gap.blanks.clear();
                self.reader.read_break(&mut gap.first_break);
                gap.has_break = true;
            }
        }
        self.reader.ensure(1)
    }
}

/// The white space between two words of a scalar.
#[derive(Default)]
pub(super) struct Gap {
    blanks: Vec<u8>,
    pub(super) has_break: bool,
    /// Nothing where the break is escaped.
    first_break: Vec<u8>,
    later_breaks: Vec<u8>,
}

impl Gap {
    /// Writes what the gap stands for: itself on one line, a space for a line break, one break less for several.
    pub(super) fn close(&mut self, text: &mut Vec<u8>) {
        if !self.has_break {
            text.append(&mut self.blanks);
            return;
        }
        if self.first_break.first() != Some(&b'\n') {
            text.append(&mut self.first_break);
            text.append(&mut self.later_breaks);
        } else if self.later_breaks.is_empty() {
            text.push(b' ');
        } else {
            text.append(&mut self.later_breaks);
        }
        self.first_break.clear();
        self.has_break = false;
    }
}
