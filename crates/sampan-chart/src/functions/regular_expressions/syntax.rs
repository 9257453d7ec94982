//! Go's syntax of regular expressions, with its error texts.
//!
//! The parser builds what the automata are made of directly, so that nothing of another dialect can slip in. It walks
//! the pattern once and keeps open groups on a stack of its own: nesting costs no recursion.

use std::fmt;

use regex_syntax::hir::{Class, ClassUnicode, Hir, Look, Repetition};

use super::classes::{any, class};

mod escapes;
mod nodes;

use nodes::{Group, Node};

/// How deep expressions may nest.
const MAX_HEIGHT: u32 = 1_000;

/// How often the innermost expression may be repeated by nested counts.
const MAX_REPEAT: u32 = 1_000;

/// A wrong pattern: what is wrong, and where.
#[derive(Debug)]
pub(super) struct SyntaxError {
    problem: &'static str,
    part: Vec<u8>,
}

impl SyntaxError {
    fn new(problem: &'static str, part: &[u8]) -> Self {
        Self {
            problem,
            part: part.to_vec(),
        }
    }

    pub(super) fn too_large(pattern: &[u8]) -> Self {
        Self::new("expression too large", pattern)
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = String::from_utf8_lossy(&self.part);
        write!(f, "error parsing regexp: {}: `{part}`", self.problem)
    }
}

/// A parsed pattern.
pub(super) struct Parsed {
    pub(super) expression: Hir,
    /// The names of the groups that capture.
    pub(super) names: Vec<Option<String>>,
}

#[derive(Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a letter of the syntax"
)]
struct Flags {
    ignores_case: bool,
    has_lines: bool,
    dot_is_any: bool,
    is_lazy: bool,
}

struct Parser<'a> {
    pattern: &'a [u8],
    rest: &'a [u8],
    flags: Flags,
    open: Vec<Group>,
    current: Group,
    names: Vec<Option<String>>,
}

/// Parses a pattern.
pub(super) fn parse(pattern: &[u8]) -> Result<Parsed, SyntaxError> {
    let flags = Flags {
        ignores_case: false,
        has_lines: false,
        dot_is_any: false,
        is_lazy: false,
    };
    let mut parser = Parser {
        pattern,
        rest: pattern,
        flags,
        open: Vec::new(),
        current: Group::new(flags, None),
        names: Vec::new(),
    };
    let mut last_repeat = None;
    while !parser.rest.is_empty() {
        last_repeat = parser.step(last_repeat)?;
    }
    if !parser.open.is_empty() {
        return Err(SyntaxError::new("missing closing )", pattern));
    }
    Ok(Parsed {
        expression: parser.current.close().hir,
        names: parser.names,
    })
}

impl<'a> Parser<'a> {
    /// Takes the next element. Returns where it began if it was a repetition, for none may follow another.
    fn step(&mut self, last_repeat: Option<&'a [u8]>) -> Result<Option<&'a [u8]>, SyntaxError> {
        let before = self.rest;
        match before {
            [b'(', b'?', ..] => self.open_with_flags()?,
            [b'(', rest @ ..] => {
                self.rest = rest;
                self.open_capture(None);
            }
            [b'|', rest @ ..] => {
                self.rest = rest;
                self.current.end_alternative();
            }
            [b')', rest @ ..] => {
                self.rest = rest;
                self.close_group()?;
            }
            [b'^', rest @ ..] => {
                self.rest = rest;
                self.look(if self.flags.has_lines {
                    Look::StartLF
                } else {
                    Look::Start
                })?;
            }
            [b'$', rest @ ..] => {
                self.rest = rest;
                self.look(if self.flags.has_lines {
                    Look::EndLF
                } else {
                    Look::End
                })?;
            }
            [b'.', rest @ ..] => {
                self.rest = rest;
                let without_line_end = [('\0', '\x09'), ('\x0b', char::MAX)];
                self.class(if self.flags.dot_is_any {
                    any()
                } else {
                    class(&without_line_end)
                })?;
            }
            [b'[', ..] => self.bracketed()?,
            [operator @ (b'*' | b'+' | b'?'), rest @ ..] => {
                self.rest = rest;
                let (min, max) = match operator {
                    b'*' => (0, None),
                    b'+' => (1, None),
                    _ => (0, Some(1)),
                };
                self.repeat(min, max, before, last_repeat)?;
                return Ok(Some(before));
            }
            [b'{', ..] => return self.counted(last_repeat),
            [b'\\', ..] => self.escape()?,
            _ => {
                let char = self.next_char()?;
                self.literal(char)?;
            }
        }
        Ok(None)
    }

    /// The next character of the pattern.
    fn next_char(&mut self) -> Result<char, SyntaxError> {
        let valid = self
            .rest
            .utf8_chunks()
            .next()
            .map_or("", |chunk| chunk.valid());
        let Some(char) = valid.chars().next() else {
            return Err(SyntaxError::new("invalid UTF-8", self.rest));
        };
        self.rest = &self.rest[char.len_utf8()..];
        Ok(char)
    }

    /// What has been taken since a place.
    fn since(&self, before: &'a [u8]) -> &'a [u8] {
        &before[..before.len() - self.rest.len()]
    }

    fn push(&mut self, node: Node) -> Result<(), SyntaxError> {
        if node.height > MAX_HEIGHT {
            return Err(SyntaxError::new(
                "expression nests too deeply",
                self.pattern,
            ));
        }
        self.current.sequence.push(node);
        Ok(())
    }

    fn look(&mut self, look: Look) -> Result<(), SyntaxError> {
        self.push(Node::leaf(Hir::look(look)))
    }

    fn class(&mut self, class: ClassUnicode) -> Result<(), SyntaxError> {
        self.push(Node::leaf(Hir::class(Class::Unicode(class))))
    }

    fn literal(&mut self, char: char) -> Result<(), SyntaxError> {
        let mut class = class(&[(char, char)]);
        self.fold(&mut class);
        self.class(class)
    }

    /// Adds the other cases of the letters, where case is ignored.
    fn fold(&self, class: &mut ClassUnicode) {
        if self.flags.ignores_case {
            class.case_fold_simple();
        }
    }

    fn open_capture(&mut self, name: Option<String>) {
        self.names.push(name);
        let index = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.open_group(Some(index), self.flags);
    }

    fn open_group(&mut self, capture: Option<u32>, inner: Flags) {
        let group = Group::new(self.flags, capture);
        self.open.push(std::mem::replace(&mut self.current, group));
        self.flags = inner;
    }

    fn close_group(&mut self) -> Result<(), SyntaxError> {
        let Some(outer) = self.open.pop() else {
            return Err(SyntaxError::new("unexpected )", self.pattern));
        };
        let group = std::mem::replace(&mut self.current, outer);
        self.flags = group.outer;
        self.push(group.close())
    }

    /// `(?P<name>`, `(?<name>`, `(?flags)` or `(?flags:`.
    fn open_with_flags(&mut self) -> Result<(), SyntaxError> {
        let before = self.rest;
        let named = match before {
            [_, _, b'P', b'<', name @ ..] | [_, _, b'<', name @ ..] if !name.is_empty() => {
                Some(name)
            }
            _ => None,
        };
        if let Some(name) = named {
            return self.open_named(name);
        }
        self.rest = &before[2..];
        let (mut flags, mut is_negated, mut has_flag) = (self.flags, false, false);
        while !self.rest.is_empty() {
            match self.next_char()? {
                'i' => flags.ignores_case = !is_negated,
                'm' => flags.has_lines = !is_negated,
                's' => flags.dot_is_any = !is_negated,
                'U' => flags.is_lazy = !is_negated,
                '-' if !is_negated => {
                    is_negated = true;
                    has_flag = false;
                    continue;
                }
                end @ (':' | ')') if has_flag || !is_negated => {
                    if end == ':' {
                        self.open_group(None, flags);
                    } else {
                        self.flags = flags;
                    }
                    return Ok(());
                }
                _ => break,
            }
            has_flag = true;
        }
        Err(SyntaxError::new(
            "invalid or unsupported Perl syntax",
            self.since(before),
        ))
    }

    fn open_named(&mut self, name: &'a [u8]) -> Result<(), SyntaxError> {
        const PROBLEM: &str = "invalid named capture";
        let before = self.rest;
        let Some(end) = name.iter().position(|byte| *byte == b'>') else {
            check_utf8(before)?;
            return Err(SyntaxError::new(PROBLEM, before));
        };
        self.rest = &name[end + 1..];
        let name = &name[..end];
        check_utf8(name)?;
        let is_valid = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        if name.is_empty() || !name.iter().all(is_valid) {
            return Err(SyntaxError::new(PROBLEM, self.since(before)));
        }
        self.open_capture(Some(String::from_utf8_lossy(name).into_owned()));
        Ok(())
    }

    /// `{2}`, `{2,}` or `{2,3}`; anything else is a brace.
    fn counted(&mut self, last_repeat: Option<&'a [u8]>) -> Result<Option<&'a [u8]>, SyntaxError> {
        let before = self.rest;
        let Some((min, max, rest)) = count(&before[1..]) else {
            self.rest = &before[1..];
            self.literal('{')?;
            return Ok(None);
        };
        self.rest = rest;
        let is_small = |count: u32| count <= MAX_REPEAT;
        if !is_small(min) || max.is_some_and(|max| !is_small(max) || min > max) {
            return Err(SyntaxError::new("invalid repeat count", self.since(before)));
        }
        self.repeat(min, max, before, last_repeat)?;
        Ok(Some(before))
    }

    /// Repeats the last element.
    fn repeat(
        &mut self,
        min: u32,
        max: Option<u32>,
        before: &'a [u8],
        last_repeat: Option<&'a [u8]>,
    ) -> Result<(), SyntaxError> {
        let mut is_lazy = self.flags.is_lazy;
        if let [b'?', rest @ ..] = self.rest {
            self.rest = rest;
            is_lazy = !is_lazy;
        }
        if let Some(last) = last_repeat {
            return Err(SyntaxError::new(
                "invalid nested repetition operator",
                self.since(last),
            ));
        }
        let Some(node) = self.current.sequence.pop() else {
            let problem = "missing argument to repetition operator";
            return Err(SyntaxError::new(problem, self.since(before)));
        };
        let is_count = before.first() == Some(&b'{');
        let times = max.unwrap_or(min);
        let repeats = match (is_count, times) {
            (false, _) => node.repeats,
            (true, 0) if max.is_some() => 1,
            (true, times) => node.repeats.saturating_mul(times.max(1)),
        };
        if is_count && times >= 2 && repeats > MAX_REPEAT {
            return Err(SyntaxError::new("invalid repeat count", self.since(before)));
        }
        let sub = Box::new(node.hir);
        let hir = Hir::repetition(Repetition {
            min,
            max,
            greedy: !is_lazy,
            sub,
        });
        let height = node.height + 1;
        self.push(Node {
            hir,
            height,
            repeats,
        })
    }
}

fn check_utf8(text: &[u8]) -> Result<(), SyntaxError> {
    match std::str::from_utf8(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(SyntaxError::new(
            "invalid UTF-8",
            &text[error.valid_up_to()..],
        )),
    }
}

/// The numbers of a counted repetition, and what follows its closing brace.
fn count(text: &[u8]) -> Option<(u32, Option<u32>, &[u8])> {
    let (min, rest) = decimal(text)?;
    match rest {
        [b'}', rest @ ..] => Some((min, Some(min), rest)),
        [b',', b'}', rest @ ..] => Some((min, None, rest)),
        [b',', rest @ ..] => {
            let (max, rest) = decimal(rest)?;
            Some((min, Some(max), rest.strip_prefix(b"}")?))
        }
        _ => None,
    }
}

/// A decimal number without leading zeros; one that is far too large stays so.
fn decimal(text: &[u8]) -> Option<(u32, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at(digits);
    if digits == 0 || (digits > 1 && number[0] == b'0') {
        return None;
    }
    let value = std::str::from_utf8(number)
        .ok()?
        .parse()
        .unwrap_or(u32::MAX);
    Some((value, rest))
}
