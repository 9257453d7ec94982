//! `snakecase` and `kebabcase`, with the words that the library xstrings sees.

use super::case::is_connector;
use crate::functions::FunctionError;
use crate::functions::arguments::Arguments;
use crate::functions::runes::{is_letter, is_number, is_punctuation, is_upper, to_lower};
use crate::value::Value;

pub(super) fn snakecase(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::text(connected(arguments.text(0)?, '_')))
}

pub(super) fn kebabcase(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::text(connected(arguments.text(0)?, '-')))
}

/// What a word is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Nothing,
    Number,
    Capitals,
    Letters,
    Connector,
    Punctuation,
    Other,
}

struct Word<'a> {
    kind: Kind,
    text: &'a str,
}

struct Words<'a> {
    rest: &'a str,
}

impl<'a> Words<'a> {
    /// Takes the next word.
    fn next(&mut self) -> Word<'a> {
        let text = self.rest;
        let Some(first) = text.chars().next() else {
            return Word {
                kind: Kind::Nothing,
                text,
            };
        };
        let run = |of: &dyn Fn(char) -> bool| text.find(|char| !of(char)).unwrap_or(text.len());
        let (kind, end) = if is_connector(first) {
            (Kind::Connector, run(&is_connector))
        } else if is_punctuation(first) {
            (Kind::Punctuation, run(&is_punctuation))
        } else if is_upper(first) {
            (Kind::Capitals, capitals_end(text))
        } else if is_alphabetic(first) {
            (
                Kind::Letters,
                run(&|char| is_alphabetic(char) && !is_upper(char)),
            )
        } else if is_number(first) {
            (Kind::Number, run(&is_number))
        } else {
            let is_other = |char: char| {
                !(is_connector(char)
                    || is_alphabetic(char)
                    || is_number(char)
                    || is_punctuation(char))
            };
            (Kind::Other, run(&is_other))
        };
        let (text, rest) = text.split_at(end);
        self.rest = rest;
        Word { kind, text }
    }
}

/// Where a word ends that begins with a capital: behind its small letters, or before the last capital of several that
/// letters follow.
fn capitals_end(text: &str) -> usize {
    let capitals = text.find(|char| !is_upper(char)).unwrap_or(text.len());
    let mut before = text[..capitals].chars();
    let last = before.next_back().map_or(0, char::len_utf8);
    let is_one = before.as_str().is_empty();
    let next = text[capitals..].chars().next();
    match next {
        Some(next) if is_alphabetic(next) && is_one => {
            let small = |char: char| is_alphabetic(char) && !is_upper(char);
            let rest = &text[capitals..];
            capitals + rest.find(|char| !small(char)).unwrap_or(rest.len())
        }
        Some(next) if is_alphabetic(next) => capitals - last,
        _ => capitals,
    }
}

/// Letters but those of Chinese, Japanese and Korean.
fn is_alphabetic(char: char) -> bool {
    let is_ideograph = matches!(
        char,
        '\u{3400}'..='\u{4d85}' | '\u{4e00}'..='\u{9fcc}' | '\u{20000}'..='\u{2b81d}'
    );
    is_letter(char) && !is_ideograph
}

/// The words in lower case with a connector between them.
fn connected(text: &[u8], connector: char) -> String {
    let text = String::from_utf8_lossy(text);
    let mut words = Words { rest: &text };
    let mut target = String::with_capacity(text.len());
    let mut word = words.next();
    while !words.rest.is_empty() {
        if word.kind != Kind::Connector {
            push_lower(&mut target, &word, connector);
        }
        let last = word;
        word = words.next();
        match last.kind {
            Kind::Number => {
                word = push_numbered(&mut target, word, &mut words, connector);
                if word.kind != Kind::Nothing {
                    separate(&mut target, &word, connector);
                }
            }
            Kind::Connector => push_lower(&mut target, &last, connector),
            Kind::Punctuation => {}
            _ if word.kind != Kind::Number => separate(&mut target, &word, connector),
            _ if words.rest.is_empty() => {}
            _ => word = after_number(&mut target, &word, &mut words, connector),
        }
    }
    push_lower(&mut target, &word, connector);
    target
}

/// A number behind a word: part of it, unless small letters follow the number.
fn after_number<'a>(
    target: &mut String,
    number: &Word<'a>,
    words: &mut Words<'a>,
    connector: char,
) -> Word<'a> {
    let word = words.next();
    if word.kind != Kind::Letters {
        push_lower(target, number, connector);
        separate(target, &word, connector);
        return word;
    }
    target.push(connector);
    push_lower(target, number, connector);
    let word = push_numbered(target, word, words, connector);
    if word.kind != Kind::Nothing {
        separate(target, &word, connector);
    }
    word
}

/// The letters and numbers that follow a number belong to it. Returns what follows them.
fn push_numbered<'a>(
    target: &mut String,
    mut word: Word<'a>,
    words: &mut Words<'a>,
    connector: char,
) -> Word<'a> {
    while matches!(word.kind, Kind::Letters | Kind::Number) {
        push_lower(target, &word, connector);
        word = words.next();
    }
    word
}

/// Separates from the word that follows, unless it does so by itself.
fn separate(target: &mut String, next: &Word<'_>, connector: char) {
    if !matches!(next.kind, Kind::Connector | Kind::Punctuation) {
        target.push(connector);
    }
}

fn push_lower(target: &mut String, word: &Word<'_>, connector: char) {
    match word.kind {
        Kind::Capitals | Kind::Connector => target.extend(word.text.chars().map(|char| {
            if is_connector(char) {
                connector
            } else if is_upper(char) {
                to_lower(char)
            } else {
                char
            }
        })),
        _ => target.push_str(word.text),
    }
}
