//! From characters to tokens.
//!
//! YAML needs to look ahead: whether a scalar is a key shows at the colon behind it. The scanner keeps, for each level of
//! brackets, the place where such a *simple key* may have begun, and puts the tokens that belong before it into the queue
//! when the colon comes. The rules and limits are those of libyaml.

use std::collections::VecDeque;

use super::Fault;
use super::reader::{Mark, Reader};
use super::token::{Kind, Token};

mod block;
mod key;
mod plain;
mod quoted;
mod tag;

use key::SimpleKey;

/// How deep brackets, or blocks, may be nested for libyaml.
const MAX_LEVEL: usize = 10_000;

pub(super) struct Scanner<'a> {
    reader: Reader<'a>,
    tokens: VecDeque<Token<'a>>,
    /// How many tokens have left the queue.
    tokens_parsed: usize,
    started: bool,
    /// Whether the first token of the queue is settled.
    head_is_settled: bool,
    /// The column of the current block, -1 outside of all.
    indent: isize,
    indents: Vec<isize>,
    key_allowed: bool,
    /// One for each level; their numbers of tokens never fall.
    keys: Vec<SimpleKey>,
    flow_level: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            reader: Reader::new(bytes),
            tokens: VecDeque::with_capacity(8),
            tokens_parsed: 0,
            started: false,
            head_is_settled: false,
            indent: -1,
            indents: Vec::new(),
            key_allowed: true,
            keys: Vec::new(),
            flow_level: 0,
        }
    }

    /// The next token, which stays in the queue.
    #[inline]
    pub(super) fn peek(&mut self) -> Result<&Token<'a>, Fault> {
        if !self.head_is_settled {
            self.fetch_until_settled()?;
        }
        self.tokens.front().ok_or_else(Fault::no_token)
    }

    /// Takes the next token from the queue.
    pub(super) fn next(&mut self) -> Result<Token<'a>, Fault> {
        self.peek()?;
        self.tokens_parsed += 1;
        self.head_is_settled = false;
        self.tokens.pop_front().ok_or_else(Fault::no_token)
    }

    fn fetch_until_settled(&mut self) -> Result<(), Fault> {
        loop {
            if !self.tokens.is_empty() {
                let waits = match self.listed_key(self.tokens_parsed) {
                    Some(index) => self.key_is_valid(index)?,
                    None => false,
                };
                if !waits {
                    self.head_is_settled = true;
                    return Ok(());
                }
            }
            self.fetch()?;
        }
    }

    fn fetch(&mut self) -> Result<(), Fault> {
        self.reader.ensure(1)?;
        if !self.started {
            self.start();
            return Ok(());
        }
        self.skip_to_token()?;
        self.unroll(self.column());
        self.reader.ensure(4)?;
        if self.reader.is_end() {
            return self.stream_end();
        }
        if self.reader.mark.column == 0 && self.reader.byte(0) == b'%' {
            return self.directive();
        }
        if self.reader.is_document_indicator(b'-') {
            return self.document_indicator(Kind::DocumentStart);
        }
        if self.reader.is_document_indicator(b'.') {
            return self.document_indicator(Kind::DocumentEnd);
        }
        let in_flow = self.flow_level > 0;
        let ends = self.reader.is_blank_or_end(1);
        match self.reader.byte(0) {
            b'[' => self.flow_start(Kind::FlowSequenceStart),
            b'{' => self.flow_start(Kind::FlowMappingStart),
            b']' => self.flow_end(Kind::FlowSequenceEnd),
            b'}' => self.flow_end(Kind::FlowMappingEnd),
            b',' => self.flow_entry(),
            b'-' if ends => self.block_entry(),
            b'?' if in_flow || ends => self.key(),
            b':' if in_flow || ends => self.value(),
            b'*' => self.anchor(Kind::Alias),
            b'&' => self.anchor(Kind::Anchor),
            b'!' => self.tag(),
            b'|' if !in_flow => self.block_scalar(true),
            b'>' if !in_flow => self.block_scalar(false),
            b'\'' => self.quoted(b'\''),
            b'"' => self.quoted(b'"'),
            _ if self.plain_may_start() => self.plain(),
            _ => Err(self.fault("found character that cannot start any token")),
        }
    }

    fn start(&mut self) {
        self.started = true;
        self.keys.push(SimpleKey {
            possible: false,
            listed: false,
            required: false,
            token_number: 0,
            mark: Mark::default(),
        });
        self.push(Kind::StreamStart, self.reader.mark);
    }

    /// Passes white space and comments.
    fn skip_to_token(&mut self) -> Result<(), Fault> {
        loop {
            self.reader.ensure(1)?;
            if self.reader.mark.column == 0 && self.reader.window_begins_with_mark() {
                self.reader.skip();
            }
            self.reader.ensure(1)?;
            // A tab must not look like indentation.
            let tabs = self.flow_level > 0 || !self.key_allowed;
            self.reader.skip_spaces(usize::MAX)?;
            while tabs && self.reader.is_blank(0) {
                self.reader.skip();
                self.reader.ensure(1)?;
            }
            self.reader.skip_comment()?;
            if !self.reader.is_break(0) {
                return Ok(());
            }
            self.reader.ensure(2)?;
            self.reader.skip_break();
            if self.flow_level == 0 {
                self.key_allowed = true;
            }
        }
    }

    fn stream_end(&mut self) -> Result<(), Fault> {
        let mark = &mut self.reader.mark;
        if mark.column != 0 {
            mark.column = 0;
            mark.line += 1;
        }
        self.unroll(-1);
        self.remove_key()?;
        self.key_allowed = false;
        self.push(Kind::StreamEnd, self.reader.mark);
        Ok(())
    }

    fn document_indicator(&mut self, kind: Kind<'a>) -> Result<(), Fault> {
        self.unroll(-1);
        self.remove_key()?;
        self.key_allowed = false;
        let start = self.reader.mark;
        for _ in 0..3 {
            self.reader.skip();
        }
        self.push(kind, start);
        Ok(())
    }

    fn flow_start(&mut self, kind: Kind<'a>) -> Result<(), Fault> {
        self.save_key()?;
        self.keys.push(SimpleKey {
            possible: false,
            listed: false,
            required: false,
            token_number: self.next_number(),
            mark: self.reader.mark,
        });
        self.flow_level += 1;
        if self.flow_level > MAX_LEVEL {
            return Err(self.fault(TOO_DEEP));
        }
        self.key_allowed = true;
        self.indicator(kind);
        Ok(())
    }

    fn flow_end(&mut self, kind: Kind<'a>) -> Result<(), Fault> {
        self.remove_key()?;
        if self.flow_level > 0 {
            self.flow_level -= 1;
            if let Some(key) = self.keys.pop() {
                self.unlist_key(key.token_number);
            }
        }
        self.key_allowed = false;
        self.indicator(kind);
        Ok(())
    }

    fn flow_entry(&mut self) -> Result<(), Fault> {
        self.remove_key()?;
        self.key_allowed = true;
        self.indicator(Kind::FlowEntry);
        Ok(())
    }

    fn block_entry(&mut self) -> Result<(), Fault> {
        if self.flow_level == 0 {
            if !self.key_allowed {
                return Err(self.fault("block sequence entries are not allowed in this context"));
            }
            self.roll(self.reader.mark, None, Kind::BlockSequenceStart)?;
        }
        self.remove_key()?;
        self.key_allowed = true;
        self.indicator(Kind::BlockEntry);
        Ok(())
    }

    fn key(&mut self) -> Result<(), Fault> {
        if self.flow_level == 0 {
            if !self.key_allowed {
                return Err(self.fault("mapping keys are not allowed in this context"));
            }
            self.roll(self.reader.mark, None, Kind::BlockMappingStart)?;
        }
        self.remove_key()?;
        self.key_allowed = self.flow_level == 0;
        self.indicator(Kind::Key);
        Ok(())
    }

    fn value(&mut self) -> Result<(), Fault> {
        let last = self.keys.len() - 1;
        if self.key_is_valid(last)? {
            let key = self.keys[last];
            self.insert(key.token_number, Kind::Key, key.mark);
            self.roll(key.mark, Some(key.token_number), Kind::BlockMappingStart)?;
            self.keys[last].possible = false;
            self.keys[last].listed = false;
            self.key_allowed = false;
        } else {
            if self.flow_level == 0 {
                if !self.key_allowed {
                    return Err(self.fault("mapping values are not allowed in this context"));
                }
                self.roll(self.reader.mark, None, Kind::BlockMappingStart)?;
            }
            self.key_allowed = self.flow_level == 0;
        }
        self.indicator(Kind::Value);
        Ok(())
    }

    /// Opens a block when what begins here stands further to the right than the current one.
    fn roll(&mut self, mark: Mark, number: Option<usize>, kind: Kind<'a>) -> Result<(), Fault> {
        let column = signed(mark.column);
        if self.flow_level > 0 || self.indent >= column {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column;
        if self.indents.len() > MAX_LEVEL {
            return Err(self.fault(TOO_DEEP));
        }
        match number {
            Some(number) => self.insert(number, kind, mark),
            None => self.push(kind, mark),
        }
        Ok(())
    }

    /// Closes the blocks that stand further to the right.
    fn unroll(&mut self, column: isize) {
        if self.flow_level > 0 {
            return;
        }
        while self.indent > column {
            self.push(Kind::BlockEnd, self.reader.mark);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn indicator(&mut self, kind: Kind<'a>) {
        let start = self.reader.mark;
        self.reader.skip();
        self.push(kind, start);
    }

    fn push(&mut self, kind: Kind<'a>, start: Mark) {
        self.tokens.push_back(Token { kind, start });
    }

    /// Puts a token before the one of this number; where that has left the queue already, libyaml appends.
    fn insert(&mut self, number: usize, kind: Kind<'a>, start: Mark) {
        let token = Token { kind, start };
        match number.checked_sub(self.tokens_parsed) {
            Some(place) if place <= self.tokens.len() => self.tokens.insert(place, token),
            _ => self.tokens.push_back(token),
        }
    }

    fn next_number(&self) -> usize {
        self.tokens_parsed + self.tokens.len()
    }

    fn column(&self) -> isize {
        signed(self.reader.mark.column)
    }

    fn fault(&self, problem: &'static str) -> Fault {
        Fault::scanner(self.reader.mark, problem)
    }
}

const TOO_DEEP: &str = "exceeded max depth of 10000";

fn signed(column: usize) -> isize {
    isize::try_from(column).unwrap_or(isize::MAX)
}
