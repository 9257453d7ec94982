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
mod filter;

use automaton::{Automaton, Classes, ROOT};
use filter::Filter;

/// What stands in place of a secret.
const MASK: &[u8] = b"***";

/// How many line breaks in a row may stand within a secret.
const LIMIT_BREAKS: usize = 4;

/// The secrets of a step, ready to be found; cheap to clone.
#[derive(Clone)]
pub struct Secrets {
    finder: Option<Arc<Finder>>,
}

/// Finds the forms of secrets.
struct Finder {
    automaton: Automaton,
    filter: Filter,
}

impl Finder {
    fn new(forms: &[Vec<u8>]) -> Self {
        let classes = Classes::new(forms);
        Self {
            automaton: Automaton::new(forms, classes.clone()),
            filter: Filter::new(forms, classes),
        }
    }

    /// The place after one more byte, and after so many line breaks in a row.
    fn next(&self, place: u32, breaks: &mut usize, byte: u8) -> u32 {
        if is_break(byte) {
            *breaks += 1;
            return if *breaks > LIMIT_BREAKS { ROOT } else { place };
        }
        *breaks = 0;
        self.automaton.next(place, byte)
    }

    /// The place after bytes that begin with the beginning of a text, if there is one in them.
    fn walk(&self, bytes: &[u8]) -> u32 {
        let mut breaks = 0;
        bytes
            .iter()
            .fold(ROOT, |place, byte| self.next(place, &mut breaks, *byte))
    }
}

fn is_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
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
            finder: (!forms.is_empty()).then(|| Arc::new(Finder::new(&forms))),
        }
    }

    /// A masker for one stream.
    #[must_use]
    pub fn masker(&self) -> Masker {
        Masker {
            secrets: self.clone(),
            place: ROOT,
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
        let Some(finder) = self.secrets.finder.clone() else {
            out.extend_from_slice(chunk);
            return;
        };
        self.pending.extend_from_slice(chunk);
        while self.scanned < self.pending.len() {
            if finder.automaton.depth(self.place) < finder.filter.length() {
                self.leap(&finder);
            } else {
                self.step(&finder);
            }
        }
        let safe = before(&self.pending, finder.automaton.depth(self.place));
        self.pass_on(safe, out);
    }

    /// Goes on to where a text may have begun, or to the end.
    fn leap(&mut self, finder: &Finder) {
        let seen = &self.pending[..self.scanned];
        let begin = before(seen, finder.automaton.depth(self.place));
        let (end, length) = match finder.filter.candidate(&self.pending[begin..]) {
            Some(end) => (begin + end, finder.filter.length()),
            None => (self.pending.len(), finder.filter.length() - 1),
        };
        let from = before(&self.pending[..end], length).max(begin);
        self.arrive(finder, finder.walk(&self.pending[from..end]), end);
    }

    /// Takes the next byte.
    fn step(&mut self, finder: &Finder) {
        let seen = &self.pending[..self.scanned];
        let mut breaks = seen
            .iter()
            .rev()
            .take_while(|byte| is_break(**byte))
            .count();
        let place = finder.next(self.place, &mut breaks, self.pending[self.scanned]);
        self.arrive(finder, place, self.scanned + 1);
    }

    /// Marks the secret that ends at a place.
    fn arrive(&mut self, finder: &Finder, place: u32, end: usize) {
        (self.place, self.scanned) = (place, end);
        let found = finder.automaton.found(place);
        if found > 0 && !is_break(self.pending[end - 1]) {
            let begin = before(&self.pending[..end], found);
            mark(&mut self.masked, begin, end);
        }
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
            out.extend(hidden.iter().filter(|byte| is_break(**byte)));
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
    if count == 0 {
        return text.len();
    }
    let mut counted = text
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, byte)| !is_break(**byte));
    counted.nth(count - 1).map_or(0, |(position, _)| position)
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{LIMIT_BREAKS, MASK, Secrets, encodings, is_break};

    /// Numbers that look random (Knuth's MMIX), the same in each run.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, limit: usize) -> usize {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(self.0 >> 33).unwrap() % limit
        }

        fn text(&mut self, letters: &[u8], length: usize) -> Vec<u8> {
            (0..length)
                .map(|_| letters[self.below(letters.len())])
                .collect()
        }
    }

    /// Where a form ends that begins at a place.
    fn end_of(form: &[u8], text: &[u8]) -> Option<usize> {
        let (mut matched, mut breaks) = (0, 0);
        for (position, byte) in text.iter().enumerate() {
            if is_break(*byte) {
                breaks += 1;
                if breaks > LIMIT_BREAKS || matched == 0 {
                    return None;
                }
                continue;
            }
            breaks = 0;
            if *byte != form[matched] {
                return None;
            }
            matched += 1;
            if matched == form.len() {
                return Some(position + 1);
            }
        }
        None
    }

    /// Looks for each form at each place.
    fn searched(forms: &BTreeSet<Vec<u8>>, text: &[u8]) -> Vec<u8> {
        let mut parts: Vec<(usize, usize)> = Vec::new();
        for begin in 0..text.len() {
            let ends = forms.iter().filter_map(|form| end_of(form, &text[begin..]));
            let Some(end) = ends.max().map(|length| begin + length) else {
                continue;
            };
            match parts.last_mut().filter(|(_, last)| *last > begin) {
                Some((_, last)) => *last = end.max(*last),
                None => parts.push((begin, end)),
            }
        }
        let (mut out, mut passed) = (Vec::new(), 0);
        for (begin, end) in parts {
            out.extend_from_slice(&text[passed..begin]);
            out.extend_from_slice(MASK);
            out.extend(text[begin..end].iter().filter(|byte| is_break(**byte)));
            passed = end;
        }
        out.extend_from_slice(&text[passed..]);
        out
    }

    #[test]
    fn as_much_is_masked_as_by_looking_everywhere() {
        let mut numbers = Numbers(7);
        let mut hits = 0;
        for _ in 0..2_000 {
            let count = 1 + numbers.below(3);
            let secrets: Vec<String> = (0..count)
                .map(|_| {
                    let length = 4 + numbers.below(9);
                    String::from_utf8(numbers.text(b"ab", length)).unwrap()
                })
                .collect();
            let mut forms = BTreeSet::new();
            for secret in &secrets {
                encodings::forms(secret, &mut forms);
            }
            let text = numbers.text(b"aaaabbbb\n", 200);
            let expected = searched(&forms, &text);
            let known = Secrets::new(secrets.iter().map(String::as_str));
            for size in [1, 5, 200] {
                let (mut masker, mut out) = (known.masker(), Vec::new());
                for chunk in text.chunks(size) {
                    masker.push(chunk, &mut out);
                }
                masker.finish(&mut out);
                let as_text = String::from_utf8_lossy;
                assert_eq!(as_text(&out), as_text(&expected), "{secrets:?} by {size}");
            }
            hits += usize::from(expected != text);
        }
        assert!(hits > 500, "only {hits} texts had a secret in them");
    }
}
