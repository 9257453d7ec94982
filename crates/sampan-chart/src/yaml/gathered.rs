//! The text of a scalar while it is read.

use std::borrow::Cow;
use std::ops::Range;

/// A text that is put together from pieces of the input and others. As long as the pieces follow one another in the input,
/// as in nearly all scalars, nothing is copied.
pub(super) struct Gathered<'a> {
    input: &'a [u8],
    piece: Range<usize>,
    /// The whole text, once it is more than a piece of the input.
    own: Option<Vec<u8>>,
}

impl<'a> Gathered<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self {
            input,
            piece: 0..0,
            own: None,
        }
    }

    /// Adds a piece of the input.
    pub(super) fn extend(&mut self, piece: Range<usize>) {
        if let Some(own) = &mut self.own {
            own.extend_from_slice(&self.input[piece]);
        } else if self.piece.end == piece.start {
            self.piece.end = piece.end;
        } else if self.piece.is_empty() {
            self.piece = piece;
        } else {
            let input = self.input;
            self.push(&input[piece]);
        }
    }

    /// Adds what does not stand in the input.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let own = self.own.get_or_insert_with(|| {
            let mut own = Vec::with_capacity(2 * (self.piece.len() + bytes.len()));
            own.extend_from_slice(&self.input[self.piece.clone()]);
            own
        });
        own.extend_from_slice(bytes);
    }

    pub(super) fn finish(self) -> Cow<'a, [u8]> {
        match self.own {
            Some(own) => Cow::Owned(own),
            None => Cow::Borrowed(&self.input[self.piece]),
        }
    }
}
