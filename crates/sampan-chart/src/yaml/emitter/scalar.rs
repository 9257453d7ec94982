//! Writing scalars in each style.

use super::analysis::{is_break, is_printable};
use super::{Dialect, Emitter, Indicator};

const BYTE_ORDER_MARK: char = '\u{feff}';

impl Emitter {
    pub(super) fn plain(&mut self, text: &str, may_fold: bool) {
        if !self.whitespace {
            self.put(' ');
        }
        self.folded(text, may_fold, |_, _| {});
        self.whitespace = false;
        self.indention = false;
    }

    pub(super) fn single_quoted(&mut self, text: &str, may_fold: bool) {
        self.indicator("'", Indicator::Spaced);
        self.folded(text, may_fold, |emitter, char| {
            if char == '\'' {
                emitter.put('\'');
            }
        });
        self.indicator("'", Indicator::Glued);
    }

    /// Writes text whose lines may be folded at single spaces within.
    fn folded(&mut self, text: &str, may_fold: bool, before: fn(&mut Self, char)) {
        let mut after_space = false;
        let mut after_break = false;
        for (index, char) in text.char_indices() {
            if char == ' ' {
                let next = text[index + 1..].chars().next();
                let is_inner = index > 0 && next.is_some_and(|next| next != ' ');
                if may_fold && !after_space && is_inner && self.column > self.dialect.width() {
                    self.write_indent();
                } else {
                    self.put(char);
                }
                after_space = true;
            } else if is_break(char) {
                if !after_break && char == '\n' {
                    self.put_break(char);
                }
                self.content_break(char);
                after_break = true;
            } else {
                if after_break {
                    self.write_indent();
                }
                before(self, char);
                self.put(char);
                self.indention = false;
                after_space = false;
                after_break = false;
            }
        }
    }

    /// A line break that belongs to the text.
    fn content_break(&mut self, char: char) {
        self.put_break(char);
        if self.dialect == Dialect::Helm {
            self.indention = true;
        }
    }

    pub(super) fn double_quoted(&mut self, text: &str, may_fold: bool) {
        self.indicator("\"", Indicator::Spaced);
        // libyaml asks for the mark at the beginning of the text where it means the next character.
        let escapes_all = text.starts_with(BYTE_ORDER_MARK);
        let mut after_space = false;
        for (index, char) in text.char_indices() {
            let escapes = escapes_all || !is_printable(char) || is_break(char);
            if escapes || char == '"' || char == '\\' {
                self.escaped(char);
                after_space = false;
            } else if char == ' ' {
                let is_inner = index > 0 && index + 1 < text.len();
                if may_fold && !after_space && is_inner && self.column > self.dialect.width() {
                    self.write_indent();
                    if text[index + 1..].starts_with(' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(char);
                }
                after_space = true;
            } else {
                self.put(char);
                after_space = false;
            }
        }
        self.indicator("\"", Indicator::Glued);
    }

    fn escaped(&mut self, char: char) {
        self.put('\\');
        let letter = match char {
            '\0' => '0',
            '\x07' => 'a',
            '\x08' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\x0b' => 'v',
            '\x0c' => 'f',
            '\r' => 'r',
            '\x1b' => 'e',
            '"' | '\\' => char,
            '\u{85}' => 'N',
            '\u{a0}' => '_',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            _ => return self.escape_code(char.into()),
        };
        self.put(letter);
    }

    fn escape_code(&mut self, code: u32) {
        let escape = match code {
            0..=0xff => format!("x{code:02X}"),
            0x100..=0xffff => format!("u{code:04X}"),
            _ => format!("U{code:08X}"),
        };
        for char in escape.chars() {
            self.put(char);
        }
    }

    pub(super) fn literal(&mut self, text: &str) {
        self.indicator("|", Indicator::Spaced);
        self.block_hints(text);
        self.put_break('\n');
        if self.dialect == Dialect::Helm {
            self.indention = true;
        }
        self.whitespace = true;
        let mut after_break = true;
        for char in text.chars() {
            if is_break(char) {
                self.content_break(char);
                after_break = true;
            } else {
                if after_break {
                    self.write_indent();
                }
                self.put(char);
                self.indention = false;
                after_break = false;
            }
        }
    }

    /// The indentation, where the text itself begins with some, and what is to become of the breaks at its end.
    fn block_hints(&mut self, text: &str) {
        if text.starts_with(|char| char == ' ' || is_break(char)) {
            self.indicator("2", Indicator::Glued);
        }
        let mut last = text.chars().rev();
        let ends_in_break = last.next().is_some_and(is_break);
        if !ends_in_break {
            self.indicator("-", Indicator::Glued);
        } else if last.next().is_none_or(is_break) {
            self.indicator("+", Indicator::Glued);
        }
    }
}
