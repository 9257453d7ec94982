//! Secrets are taken out of logs.
//!
//! A [`Masker`] reads a stream in chunks of any size and passes it on with `***` in place of secrets: as they are, in
//! base64 (in the three alignments), in hexadecimal, and as URLs and JSON write them, also when a line break stands
//! within one. It holds back only what may still become a secret, and its memory does not grow with the stream.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

mod automaton;
mod encodings;

use automaton::{Automaton, ROOT};

/// What stands in place of a secret.
const MASK: &[u8] = b"***";

/// How many line breaks in a row may stand within a secret.
const LIMIT_BREAKS: usize = 4;

/// The secrets of a step, ready to be found; cheap to clone.
#[derive(Clone)]
pub struct Secrets {
    automaton: Option<Arc<Automaton>>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}

impl Secrets {
    /// Prepares secrets. Those of fewer than four bytes are left alone: they would mask half of every log.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut forms = BTreeSet::new();
        for secret in secrets {
            encodings::forms(secret, &mut forms);
        }
        let forms: Vec<_> = forms.into_iter().collect();
        Self {
            automaton: (!forms.is_empty()).then(|| Arc::new(Automaton::new(&forms))),
        }
    }

    /// A masker for one stream.
    #[must_use]
    pub fn masker(&self) -> Masker {
        Masker {
            secrets: self.clone(),
            place: ROOT,
            breaks: 0,
            pending: Vec::new(),
            scanned: 0,
            masked: Vec::new(),
            continues: false,
        }
    }
}

/// One stream on its way through.
pub struct Masker {
    secrets: Secrets,
    place: u32,
    /// How many line breaks were seen in a row.
    breaks: usize,
    /// What has not been passed on.
    pending: Vec<u8>,
    /// How much of it was looked at.
    scanned: usize,
    /// The parts of it that are secrets, in order and apart from each other.
    masked: Vec<(usize, usize)>,
    /// Whether the first part goes on with one for which the mask was written.
    continues: bool,
}

impl fmt::Debug for Masker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Masker").finish_non_exhaustive()
    }
}

impl Masker {
    /// Takes a chunk and appends what can be passed on.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        let Some(automaton) = self.secrets.automaton.clone() else {
            out.extend_from_slice(chunk);
            return;
        };
        self.pending.extend_from_slice(chunk);
        let mut place = self.place;
        let mut position = self.scanned;
        while position < self.pending.len() {
            if automaton.is_shallow(place) {
                let (count, reached) = automaton.run(&self.pending[position..], place);
                (position, place) = (position + count, reached);
                if count > 0 {
                    self.breaks = 0;
                    continue;
                }
            }
            let byte = self.pending[position];
            position += 1;
            if matches!(byte, b'\n' | b'\r') {
                self.breaks += 1;
                if self.breaks > LIMIT_BREAKS {
                    place = ROOT;
                }
                continue;
            }
            self.breaks = 0;
            place = automaton.next(place, byte);
            let found = automaton.found(place);
            if found > 0 {
                let begin = before(&self.pending[..position], found);
                mark(&mut self.masked, begin, position);
            }
        }
        self.place = place;
        self.scanned = self.pending.len();
        let safe = match automaton.depth(place) {
            0 => self.pending.len(),
            depth => before(&self.pending, depth),
        };
        self.pass_on(safe, out);
    }

    /// Appends what was held back; the stream ends here.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        let all = self.pending.len();
        self.pass_on(all, out);
    }

    fn pass_on(&mut self, safe: usize, out: &mut Vec<u8>) {
        let mut written = 0;
        let mut open = Vec::new();
        for (begin, end) in std::mem::take(&mut self.masked) {
            if begin >= safe {
                open.push((begin - safe, end - safe));
                continue;
            }
            out.extend_from_slice(&self.pending[written..begin]);
            if !(std::mem::take(&mut self.continues) && begin == 0) {
                out.extend_from_slice(MASK);
            }
            // Lines stay lines.
            let hidden = &self.pending[begin..end.min(safe)];
            out.extend(hidden.iter().filter(|byte| matches!(byte, b'\n' | b'\r')));
            written = end.min(safe);
            if end > safe {
                open.push((0, end - safe));
                self.continues = true;
            }
        }
        out.extend_from_slice(&self.pending[written..safe]);
        if safe > 0 && open.first().is_none_or(|(begin, _)| *begin > 0) {
            self.continues = false;
        }
        self.masked = open;
        self.pending.drain(..safe);
        self.scanned = self.pending.len();
    }
}

/// Where the last bytes of a text begin when line breaks do not count.
fn before(text: &[u8], count: usize) -> usize {
    let mut left = count;
    for (position, byte) in text.iter().enumerate().rev() {
        if !matches!(byte, b'\n' | b'\r') {
            left -= 1;
            if left == 0 {
                return position;
            }
        }
    }
    0
}

fn mark(masked: &mut Vec<(usize, usize)>, mut begin: usize, end: usize) {
    while let Some((last_begin, last_end)) = masked.last().copied() {
        if last_end <= begin {
            break;
        }
        begin = begin.min(last_begin);
        masked.pop();
    }
    masked.push((begin, end));
}
