//! The characters of a document, read ahead in the same pieces as libyaml reads them.
//!
//! A character that YAML forbids is an error as soon as its piece is read, before the tokens that precede it in the
//! piece are judged. Which of two mistakes is told to the user depends on that, so the pieces are kept.

use super::Fault;
use super::class::{self, Class};
use super::gathered::Gathered;

/// How many bytes libyaml takes from its input at once.
const PIECE: usize = 512;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A place in the text: all from 0, counted in characters.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mark {
    pub(super) index: usize,
    pub(super) line: usize,
    pub(super) column: usize,
}

/// The text and how far it is read.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    /// What of it is known to be allowed characters.
    checked: &'a [u8],
    /// The next byte to be scanned.
    position: usize,
    /// Up to here libyaml has taken them from its input.
    taken: usize,
    /// Where libyaml's buffer begins.
    window: usize,
    /// How many checked characters are not scanned yet.
    unread: usize,
    started: bool,
    at_end: bool,
    pub(super) mark: Mark,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            checked: &[],
            position: 0,
            taken: 0,
            window: 0,
            unread: 0,
            started: false,
            at_end: false,
            mark: Mark::default(),
        }
    }

    /// The byte so many places ahead; 0 at the end of the text, where nothing else is 0.
    #[inline]
    pub(super) fn byte(&self, ahead: usize) -> u8 {
        self.checked
            .get(self.position + ahead)
            .copied()
            .unwrap_or(0)
    }

    /// The place of the next byte.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// Nothing so far of a text that is gathered from here on.
    pub(super) fn gather(&self) -> Gathered<'a> {
        Gathered::new(self.bytes)
    }

    /// What was passed since a place.
    pub(super) fn since(&self, start: usize) -> &'a [u8] {
        &self.bytes[start..self.position]
    }

    /// Makes sure that so many characters can be looked at, as far as the text goes.
    #[inline]
    pub(super) fn ensure(&mut self, count: usize) -> Result<(), Fault> {
        if self.unread >= count {
            return Ok(());
        }
        self.read_ahead(count)
    }

    fn read_ahead(&mut self, count: usize) -> Result<(), Fault> {
        if !self.started {
            self.start();
        }
        self.window = self.position;
        let mut first = true;
        while self.unread < count {
            if !first || self.checked.len() == self.taken {
                self.take();
            }
            first = false;
            self.check()?;
            if self.at_end {
                self.unread += 1;
                break;
            }
        }
        Ok(())
    }

    fn start(&mut self) {
        self.started = true;
        self.take();
        if self.bytes.starts_with(BYTE_ORDER_MARK) {
            self.position = BYTE_ORDER_MARK.len();
            self.checked = &self.bytes[..self.position];
        }
    }

    fn take(&mut self) {
        if self.taken == self.bytes.len() {
            self.at_end = true;
        }
        let kept = self.taken - self.checked.len();
        self.taken = (self.taken + PIECE - kept).min(self.bytes.len());
    }

    /// Checks all characters that were taken completely.
    fn check(&mut self) -> Result<(), Fault> {
        while self.checked.len() < self.taken {
            let checked = self.checked.len();
            let rest = &self.bytes[checked..self.taken];
            let plain = leading_usual(rest);
            if plain > 0 {
                self.checked = &self.bytes[..checked + plain];
                self.unread += plain;
                continue;
            }
            let Some(width) = width(rest[0]) else {
                return Err(Fault::reader("invalid leading UTF-8 octet"));
            };
            if width > rest.len() {
                if self.at_end {
                    return Err(Fault::reader("incomplete UTF-8 octet sequence"));
                }
                break;
            }
            if !is_allowed(character(&rest[..width])?) {
                return Err(Fault::reader("control characters are not allowed"));
            }
            self.checked = &self.bytes[..checked + width];
            self.unread += 1;
        }
        Ok(())
    }

    pub(super) fn is_end(&self) -> bool {
        self.byte(0) == 0
    }

    pub(super) fn is_blank(&self, ahead: usize) -> bool {
        matches!(self.byte(ahead), b' ' | b'\t')
    }

    /// Whether a line ends so many bytes ahead.
    pub(super) fn is_break(&self, ahead: usize) -> bool {
        match self.byte(ahead) {
            b'\r' | b'\n' => true,
            0xc2 | 0xe2 => self.is_wide_break(ahead),
            _ => false,
        }
    }

    fn is_wide_break(&self, ahead: usize) -> bool {
        match self.byte(ahead) {
            0xc2 => self.byte(ahead + 1) == 0x85,
            _ => self.byte(ahead + 1) == 0x80 && matches!(self.byte(ahead + 2), 0xa8 | 0xa9),
        }
    }

    pub(super) fn is_break_or_end(&self, ahead: usize) -> bool {
        match self.byte(ahead) {
            0 | b'\r' | b'\n' => true,
            0xc2 | 0xe2 => self.is_wide_break(ahead),
            _ => false,
        }
    }

    pub(super) fn is_blank_or_end(&self, ahead: usize) -> bool {
        match self.byte(ahead) {
            b' ' | b'\t' | 0 | b'\r' | b'\n' => true,
            0xc2 | 0xe2 => self.is_wide_break(ahead),
            _ => false,
        }
    }

    /// Whether a character of names stands next.
    pub(super) fn is_word(&self) -> bool {
        matches!(self.byte(0), b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'-')
    }

    /// Whether libyaml's buffer begins with a byte order mark, which is what it asks where it means the next character.
    pub(super) fn window_begins_with_mark(&self) -> bool {
        self.checked[self.window..].starts_with(BYTE_ORDER_MARK)
    }

    /// `---` or `...` alone at the beginning of a line.
    pub(super) fn is_document_indicator(&self, indicator: u8) -> bool {
        self.mark.column == 0
            && (0..3).all(|ahead| self.byte(ahead) == indicator)
            && self.is_blank_or_end(3)
    }

    pub(super) fn is_any_document_indicator(&self) -> bool {
        self.mark.column == 0
            && (self.is_document_indicator(b'-') || self.is_document_indicator(b'.'))
    }

    /// Passes one character.
    pub(super) fn skip(&mut self) {
        self.position += width(self.byte(0)).unwrap_or(1);
        self.mark.index += 1;
        self.mark.column += 1;
        self.unread = self.unread.saturating_sub(1);
    }

    /// Passes one character and keeps it.
    pub(super) fn read(&mut self, target: &mut Gathered<'a>) {
        let start = self.position;
        self.skip();
        target.extend(start..self.position);
    }

    /// Passes and keeps characters of a class, all but the last that are known, for what follows may tell what they mean.
    pub(super) fn read_run(&mut self, class: &Class, target: &mut Gathered<'a>) {
        let count = self.run(2, class);
        if count > 0 {
            let start = self.position;
            self.pass(count);
            target.extend(start..self.position);
        }
    }

    /// How many of the next characters are of a class, without the last ones that are known.
    fn run(&self, last: usize, class: &Class) -> usize {
        let known = self.checked.get(self.position..).unwrap_or_default();
        let most = known.len().min(self.unread.saturating_sub(last));
        let run = known[..most].iter();
        run.take_while(|byte| class.has(**byte)).count()
    }

    /// Passes characters of one byte on one line.
    fn pass(&mut self, count: usize) {
        self.position += count;
        self.mark.index += count;
        self.mark.column += count;
        self.unread -= count;
    }

    /// Passes spaces, so many at most.
    pub(super) fn skip_spaces(&mut self, most: usize) -> Result<(), Fault> {
        let mut left = most;
        while left > 0 && self.byte(0) == b' ' {
            let count = self.run(1, &class::SPACE).min(left);
            if count > 0 {
                self.pass(count);
                left -= count;
            } else {
                self.skip();
                self.ensure(1)?;
                left -= 1;
            }
        }
        Ok(())
    }

    /// Passes what is left of a line, and gives it.
    pub(super) fn rest_of_line(&mut self) -> Result<&'a [u8], Fault> {
        let start = self.position;
        while !self.is_break_or_end(0) {
            let count = self.run(1, &class::LINE);
            if count > 0 {
                self.pass(count);
            } else {
                self.skip();
                self.ensure(1)?;
            }
        }
        Ok(self.since(start))
    }

    /// Passes the end of a line.
    pub(super) fn skip_break(&mut self) {
        if self.byte(0) == b'\r' && self.byte(1) == b'\n' {
            self.skip();
        }
        if self.is_break(0) {
            self.skip();
            self.mark.column = 0;
            self.mark.line += 1;
        }
    }

    /// Passes the end of a line, and gives what it is: a line feed, but for the separators that Unicode made for it.
    pub(super) fn read_break(&mut self) -> &'static [u8] {
        let written: &[u8] = match (self.byte(0), self.byte(2)) {
            _ if !self.is_break(0) => return b"",
            (0xe2, 0xa8) => b"\xe2\x80\xa8",
            (0xe2, _) => b"\xe2\x80\xa9",
            _ => b"\n",
        };
        self.skip_break();
        written
    }

    /// Passes a comment and what else is left before it, up to the end of the line.
    pub(super) fn skip_comment(&mut self) -> Result<(), Fault> {
        if self.byte(0) == b'#' {
            self.rest_of_line()?;
        }
        Ok(())
    }

    /// Passes spaces and tabs.
    pub(super) fn skip_blanks(&mut self) -> Result<(), Fault> {
        self.ensure(1)?;
        while self.is_blank(0) {
            self.skip();
            self.ensure(1)?;
        }
        Ok(())
    }
}

/// How many bytes are allowed characters of their own, as nearly all are.
fn leading_usual(bytes: &[u8]) -> usize {
    let usual = |byte: u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~');
    if class::all(bytes, usual) {
        return bytes.len();
    }
    bytes.iter().take_while(|byte| usual(**byte)).count()
}

/// How many bytes a character has that begins with this one.
pub(super) fn width(first: u8) -> Option<usize> {
    match first {
        0x00..=0x7f => Some(1),
        0xc0..=0xdf => Some(2),
        0xe0..=0xef => Some(3),
        0xf0..=0xf7 => Some(4),
        _ => None,
    }
}

fn character(bytes: &[u8]) -> Result<u32, Fault> {
    let first = u32::from(bytes[0]);
    let mut code = match bytes.len() {
        1 => return Ok(first),
        2 => first & 0x1f,
        3 => first & 0x0f,
        _ => first & 0x07,
    };
    for byte in &bytes[1..] {
        if byte & 0xc0 != 0x80 {
            return Err(Fault::reader("invalid trailing UTF-8 octet"));
        }
        code = code << 6 | u32::from(byte & 0x3f);
    }
    let least = [0, 0, 0x80, 0x800, 0x1_0000][bytes.len()];
    if code < least {
        return Err(Fault::reader("invalid length of a UTF-8 sequence"));
    }
    if char::from_u32(code).is_none() {
        return Err(Fault::reader("invalid Unicode character"));
    }
    Ok(code)
}

/// The characters that may stand in YAML.
pub(super) fn is_allowed(code: u32) -> bool {
    matches!(
        code,
        0x09 | 0x0a | 0x0d | 0x20..=0x7e | 0x85 | 0xa0..=0xd7ff | 0xe000..=0xfffd | 0x1_0000..=0x10_ffff
    )
}
