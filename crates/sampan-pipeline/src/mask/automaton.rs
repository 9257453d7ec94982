//! Finding many texts at once in a stream (Aho and Corasick, 1975).
//!
//! Streams need what libraries for it keep to themselves: how many of the last bytes may still become a part of a match.
//! Everything before them can be passed on at once, so that a log is not late.

use std::collections::{BTreeMap, BTreeSet};

/// The place that nothing has been found at.
pub(super) const ROOT: u32 = 0;

/// Texts to find. Places are numbered by their depth, so that those near the root come first.
pub(super) struct Automaton {
    nodes: Vec<Node>,
    classes: Classes,
    /// The next place for each class, for the shallow places.
    rows: Vec<u32>,
    /// How many places are shallow.
    shallow: u32,
    /// The children of the other places, by their bytes.
    edges: Vec<(u8, u32)>,
}

/// What the last bytes of the stream are the beginning of.
#[derive(Clone, Copy)]
struct Node {
    /// How many of the last bytes.
    depth: u32,
    /// The longest text that ends here, or 0.
    found: u32,
    /// Where to go on when no child fits.
    fail: u32,
    /// Where its children begin in `edges`, and how many they are.
    first: u32,
    children: u32,
}

/// Places at most this deep have a row; no text is that short.
const SHALLOW_DEPTH: u32 = 2;
/// The class of bytes that are in no text.
const OTHER: u8 = 0;
/// The class of line breaks, which are in no text either.
pub(super) const BREAK: usize = 1;

/// Bytes that no text tells apart have the same class.
#[derive(Clone)]
pub(super) struct Classes {
    numbers: [u8; 256],
    /// How many there are.
    pub(super) count: usize,
}

impl Classes {
    /// A class for each byte that some text has.
    pub(super) fn new(texts: &[Vec<u8>]) -> Self {
        let used: BTreeSet<u8> = texts.iter().flatten().copied().collect();
        let mut numbers = [OTHER; 256];
        let mut count = BREAK + 1;
        for byte in used {
            // Two bytes are line breaks, so the classes of all others have room.
            numbers[usize::from(byte)] = u8::try_from(count).unwrap_or(u8::MAX);
            count += 1;
        }
        for line_break in [b'\n', b'\r'] {
            numbers[usize::from(line_break)] = u8::try_from(BREAK).unwrap_or(u8::MAX);
        }
        Self { numbers, count }
    }

    pub(super) fn of(&self, byte: u8) -> usize {
        usize::from(self.numbers[usize::from(byte)])
    }
}

impl Automaton {
    /// An automaton that finds texts, each longer than two bytes and without line breaks.
    pub(super) fn new(texts: &[Vec<u8>], classes: Classes) -> Self {
        let trie = Trie::new(texts);
        let shallow = trie.depths.iter().filter(|depth| **depth <= SHALLOW_DEPTH);
        let mut automaton = Self {
            nodes: Vec::with_capacity(trie.depths.len()),
            classes,
            rows: Vec::new(),
            shallow: number(shallow.count()),
            edges: Vec::new(),
        };
        for (place, children) in trie.children.iter().enumerate() {
            let first = number(automaton.edges.len());
            automaton
                .edges
                .extend(children.iter().map(|(byte, next)| (*byte, *next)));
            // What a place falls back to is nearer to the root, so it is known already.
            let parent_fail = trie.fails[place];
            let own = trie.ends[place];
            let found = match place {
                0 => 0,
                _ => own.max(automaton.nodes[index(parent_fail)].found),
            };
            automaton.nodes.push(Node {
                depth: trie.depths[place],
                found,
                fail: parent_fail,
                first,
                children: number(children.len()),
            });
            if number(place) < automaton.shallow {
                automaton.add_row(place, children);
            }
        }
        automaton
    }

    fn add_row(&mut self, place: usize, children: &BTreeMap<u8, u32>) {
        let fail = index(self.nodes[place].fail);
        let begin = self.rows.len();
        let count = self.classes.count;
        if place == 0 {
            self.rows.resize(count, ROOT);
        } else {
            self.rows
                .extend_from_within(fail * count..(fail + 1) * count);
        }
        for (byte, next) in children {
            self.rows[begin + self.classes.of(*byte)] = *next;
        }
    }

    /// The place after one more byte, which is no line break.
    pub(super) fn next(&self, place: u32, byte: u8) -> u32 {
        let mut place = place;
        loop {
            if place < self.shallow {
                return self.rows[index(place) * self.classes.count + self.classes.of(byte)];
            }
            let node = self.nodes[index(place)];
            let first = index(node.first);
            let edges = &self.edges[first..first + index(node.children)];
            if let Some((_, next)) = edges.iter().find(|(edge, _)| *edge == byte) {
                return *next;
            }
            place = node.fail;
        }
    }

    /// How long the longest text is that ends at a place; 0 when none does.
    pub(super) fn found(&self, place: u32) -> usize {
        index(self.nodes[index(place)].found)
    }

    /// How many of the last bytes may become a part of a text.
    pub(super) fn depth(&self, place: u32) -> usize {
        index(self.nodes[index(place)].depth)
    }
}

/// The texts by what they begin with.
struct Trie {
    children: Vec<BTreeMap<u8, u32>>,
    depths: Vec<u32>,
    /// The length of the text that ends at a place, or 0.
    ends: Vec<u32>,
    fails: Vec<u32>,
}

impl Trie {
    fn new(texts: &[Vec<u8>]) -> Self {
        let mut trie = Self {
            children: vec![BTreeMap::new()],
            depths: vec![0],
            ends: vec![0],
            fails: Vec::new(),
        };
        // One depth after the other, so that places are numbered by their depth.
        let mut open: Vec<(&Vec<u8>, u32)> = texts.iter().map(|text| (text, ROOT)).collect();
        for depth in 0.. {
            open.retain(|(text, _)| text.len() > depth);
            if open.is_empty() {
                break;
            }
            for (text, place) in &mut open {
                *place = trie.child(*place, text[depth]);
                if text.len() == depth + 1 {
                    trie.ends[index(*place)] = number(text.len());
                }
            }
        }
        trie.set_fails();
        trie
    }

    fn child(&mut self, place: u32, byte: u8) -> u32 {
        let next = number(self.children.len());
        let found = *self.children[index(place)].entry(byte).or_insert(next);
        if found == next {
            self.depths.push(self.depths[index(place)] + 1);
            self.children.push(BTreeMap::new());
            self.ends.push(0);
        }
        found
    }

    /// Where each place falls back to: the longest end of its bytes that begins another text.
    fn set_fails(&mut self) {
        self.fails = vec![ROOT; self.children.len()];
        for place in 0..self.children.len() {
            for (byte, next) in &self.children[place] {
                let mut fail = self.fails[place];
                self.fails[index(*next)] = loop {
                    // The root's children fall back to the root.
                    let target = self.children[index(fail)].get(byte);
                    match target.filter(|target| **target != *next) {
                        Some(target) => break *target,
                        None if fail == ROOT => break ROOT,
                        None => fail = self.fails[index(fail)],
                    }
                };
            }
        }
    }
}

fn index(number: u32) -> usize {
    number as usize
}

fn number(index: usize) -> u32 {
    u32::try_from(index).expect("the texts are shorter than 4 GiB together")
}
