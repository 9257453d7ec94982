//! The text of a Dockerfile as logical lines: continuations joined, comments and directives gone.

use super::directive::{Directive, Directives};
use super::error::{ParseError, SyntaxError};

/// The first and the last line of something in a Dockerfile, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The line on which it begins.
    pub first: usize,
    /// The line on which it ends.
    pub last: usize,
}

/// Reads logical lines, one instruction each.
pub(super) struct Source<'a> {
    lines: std::str::SplitInclusive<'a, char>,
    number: usize,
    directives: Directives,
    escape: char,
}

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            lines: text
                .strip_prefix('\u{feff}')
                .unwrap_or(text)
                .split_inclusive('\n'),
            number: 0,
            directives: Directives::default(),
            escape: '\\',
        }
    }

    /// The escape character that holds from here on.
    pub(super) fn escape(&self) -> char {
        self.escape
    }

    /// The number of the line that was read last.
    pub(super) fn line_number(&self) -> usize {
        self.number
    }

    /// The next logical line with the number of its first physical line.
    pub(super) fn next_logical(&mut self) -> Result<Option<(String, usize)>, ParseError> {
        while let Some(raw) = self.next_raw() {
            let line = without_line_break(raw).trim_start();
            self.read_directive(line)?;
            let first = self.number;
            let line = if line.starts_with('#') { "" } else { line };
            let (start, continues) = self.split_continuation(line);
            if start.is_empty() && !continues {
                continue;
            }
            let mut logical = start.to_owned();
            if continues {
                self.join_continuations(&mut logical)?;
            }
            return Ok(Some((logical, first)));
        }
        Ok(None)
    }

    /// The next physical line with its line break; the body of a heredoc is read like this.
    pub(super) fn next_raw(&mut self) -> Option<&'a str> {
        let line = self.lines.next()?;
        self.number += 1;
        Some(line)
    }

    fn join_continuations(&mut self, logical: &mut String) -> Result<(), ParseError> {
        while let Some(raw) = self.next_raw() {
            let line = without_line_break(raw);
            self.read_directive(line)?;
            // Comments and empty lines between the parts of an instruction are skipped.
            let content = line.trim_start();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let (part, continues) = self.split_continuation(line);
            logical.push_str(part);
            if !continues {
                break;
            }
        }
        Ok(())
    }

    fn read_directive(&mut self, line: &str) -> Result<(), ParseError> {
        match self.directives.read(line) {
            Ok(Some(Directive::Escape(token))) => self.escape = token,
            Ok(_) => {}
            Err(cause) => return Err(self.error_here(line, cause)),
        }
        Ok(())
    }

    fn error_here(&self, line: &str, cause: SyntaxError) -> ParseError {
        let span = Span {
            first: self.number,
            last: self.number,
        };
        ParseError::new(span, line, cause)
    }

    /// Takes the escape character off the end of a line that goes on with the next one.
    ///
    /// Two escape characters at the end are an escaped one, which ends the line.
    fn split_continuation<'b>(&self, line: &'b str) -> (&'b str, bool) {
        let trimmed = line.trim_end_matches([' ', '\t']);
        match trimmed.strip_suffix(self.escape) {
            Some(rest) if !rest.ends_with(self.escape) => (rest, true),
            _ => (line, false),
        }
    }
}

pub(super) fn without_line_break(line: &str) -> &str {
    line.trim_end_matches(['\r', '\n'])
}
