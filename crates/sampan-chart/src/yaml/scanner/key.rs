//! Keys without a `?` before them, which show to be keys only by the colon behind.

use super::{Fault, Mark, Scanner};

/// How many characters such a key may have.
const LONGEST_KEY: usize = 1024;
const NO_COLON: &str = "could not find expected ':'";

/// A place where a key may have begun.
#[derive(Debug, Clone, Copy)]
pub(super) struct SimpleKey {
    pub(super) possible: bool,
    /// Whether nothing but a key can stand there.
    pub(super) required: bool,
    pub(super) token_number: usize,
    pub(super) mark: Mark,
}

impl Scanner<'_> {
    /// Whether the key at this level can still be one; an error when it had to be one and is not.
    pub(super) fn key_is_valid(&mut self, index: usize) -> Result<bool, Fault> {
        let key = self.keys[index];
        let now = self.reader.mark;
        if !key.possible {
            return Ok(false);
        }
        if key.mark.line >= now.line && key.mark.index + LONGEST_KEY >= now.index {
            return Ok(true);
        }
        if key.required {
            return Err(self.fault(NO_COLON));
        }
        self.keys[index].possible = false;
        Ok(false)
    }

    pub(super) fn save_key(&mut self) -> Result<(), Fault> {
        if !self.key_allowed {
            return Ok(());
        }
        let required = self.flow_level == 0 && self.indent == self.column();
        let key = SimpleKey {
            possible: true,
            required,
            token_number: self.next_number(),
            mark: self.reader.mark,
        };
        self.remove_key()?;
        let last = self.keys.len() - 1;
        self.keys[last] = key;
        self.keys_by_token.insert(key.token_number, last);
        Ok(())
    }

    pub(super) fn remove_key(&mut self) -> Result<(), Fault> {
        let last = self.keys.len() - 1;
        let key = self.keys[last];
        if key.possible {
            if key.required {
                return Err(self.fault(NO_COLON));
            }
            self.keys[last].possible = false;
            self.keys_by_token.remove(&key.token_number);
        }
        Ok(())
    }
}
