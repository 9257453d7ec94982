//! Keys without a `?` before them, which show to be keys only by the colon behind.

use super::{Fault, Mark, Scanner};

/// How many characters such a key may have.
const LONGEST_KEY: usize = 1024;
const NO_COLON: &str = "could not find expected ':'";

/// A place where a key may have begun.
#[derive(Debug, Clone, Copy)]
pub(super) struct SimpleKey {
    pub(super) possible: bool,
    /// Whether its token waits in the queue until it is known to be a key or none.
    pub(super) listed: bool,
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
            listed: true,
            required,
            token_number: self.next_number(),
            mark: self.reader.mark,
        };
        self.remove_key()?;
        let last = self.keys.len() - 1;
        self.keys[last] = key;
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
            self.keys[last].listed = false;
        }
        Ok(())
    }

    /// The place of the key that begins with the token of this number, where the token waits for it.
    pub(super) fn listed_key(&self, token_number: usize) -> Option<usize> {
        let first = self
            .keys
            .partition_point(|key| key.token_number < token_number);
        let same = self.keys[first..]
            .iter()
            .take_while(|key| key.token_number == token_number);
        let place = same.into_iter().position(|key| key.listed)?;
        Some(first + place)
    }

    /// Lets the token of this number wait no more. The number of a level that has ended may be that of the bracket that
    /// began it, and so of a key of the level below: libyaml makes no difference between them.
    pub(super) fn unlist_key(&mut self, token_number: usize) {
        if let Some(key) = self.keys.last_mut()
            && key.token_number == token_number
        {
            key.listed = false;
        }
    }
}
