//! Finds where a text may begin, so that what is sure to be none passes quickly.
//!
//! The automaton needs the place before each byte to know the next one, and so waits for memory at every byte. Here the
//! pairs of neighbouring bytes are looked up, which do not depend on each other: after so many pairs in a row that stand
//! at the same places of some text (not always the same one), the automaton has to look.

use super::automaton::{BREAK, Classes};

/// The most pairs that decide.
const LIMIT_PAIRS: usize = 8;

pub(super) struct Filter {
    classes: Classes,
    /// For each two classes, at which places of texts they follow each other: bit 0 is the beginning.
    pairs: Vec<u8>,
    /// How many pairs decide.
    count: usize,
}

impl Filter {
    /// A filter for texts of at least two bytes.
    pub(super) fn new(texts: &[Vec<u8>], classes: Classes) -> Self {
        let shortest = texts.iter().map(Vec::len).min().unwrap_or_default();
        let count = shortest.saturating_sub(1).clamp(1, LIMIT_PAIRS);
        let mut pairs = vec![0; classes.count * classes.count];
        for text in texts {
            for (place, pair) in text.windows(2).take(count).enumerate() {
                let (first, second) = (classes.of(pair[0]), classes.of(pair[1]));
                pairs[first * classes.count + second] |= 1 << place;
            }
        }
        Self {
            classes,
            pairs,
            count,
        }
    }

    /// How many bytes decide.
    pub(super) fn length(&self) -> usize {
        self.count + 1
    }

    /// Where the first bytes end that may be the beginning of a text, line breaks left out.
    pub(super) fn candidate(&self, bytes: &[u8]) -> Option<usize> {
        let last = 1 << (self.count - 1);
        // What is in no text has no pairs.
        let mut row = 0;
        let mut seen = 0_u8;
        for (position, byte) in bytes.iter().enumerate() {
            let class = self.classes.of(*byte);
            if class == BREAK {
                continue;
            }
            seen = (seen << 1 | 1) & self.pairs[row + class];
            if seen & last != 0 {
                return Some(position + 1);
            }
            row = class * self.classes.count;
        }
        None
    }
}
