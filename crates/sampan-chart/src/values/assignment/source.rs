//! The text of an assignment, read from left to right.

/// The text and how far it has been read.
pub(super) struct Source<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// What has not been read yet.
    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Leaves out some bytes of the rest, which end where a character ends.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// Reads up to one of the characters, which is read too and returned; without one, up to the end. With `escapes`, a
    /// `\` takes the next character as it is.
    pub(super) fn until(&mut self, stops: &[char], escapes: bool) -> (String, Option<char>) {
        let mut read = String::new();
        while let Some(next) = self.next() {
            if stops.contains(&next) {
                return (read, Some(next));
            }
            if escapes && next == '\\' {
                match self.next() {
                    Some(taken) => read.push(taken),
                    None => break,
                }
            } else {
                read.push(next);
            }
        }
        (read, None)
    }

    /// Leaves out blanks, then a comma; tells whether nothing stood before the comma or the end.
    pub(super) fn is_empty_value(&mut self) -> bool {
        while let Some(next) = self.peek() {
            if next == ',' {
                self.next();
                return true;
            }
            if !next.is_whitespace() {
                return false;
            }
            self.next();
        }
        true
    }
}
