//! The patterns of `#` and `%`: `*`, `?`, classes and escapes; `*` and `?` match everything, `/` too.

enum Token {
    One(char),
    Any,
    Star,
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

/// The length in bytes of the shortest or longest prefix, at least one character, that matches the whole pattern; 0
/// when none does or the pattern is none. The work is the product of both lengths.
pub(super) fn matching_prefix(pattern: &str, text: &str, longest: bool) -> usize {
    let Some(tokens) = tokens(pattern) else {
        return 0;
    };
    // Which tokens may come next, given the text so far; all prefixes are tried in one go.
    let mut next = vec![false; tokens.len() + 1];
    next[0] = true;
    skip_stars(&tokens, &mut next);
    let mut found = 0;
    for (index, c) in text.char_indices() {
        let mut after = vec![false; tokens.len() + 1];
        for (position, token) in tokens.iter().enumerate().filter(|(at, _)| next[*at]) {
            match token {
                Token::Star => after[position] = true,
                token if token.matches(c) => after[position + 1] = true,
                _ => {}
            }
        }
        skip_stars(&tokens, &mut after);
        next = after;
        if next[tokens.len()] {
            found = index + c.len_utf8();
            if !longest {
                break;
            }
        }
        if !next.contains(&true) {
            break;
        }
    }
    found
}

/// A star may match nothing.
fn skip_stars(tokens: &[Token], next: &mut [bool]) {
    for (position, token) in tokens.iter().enumerate() {
        if next[position] && matches!(token, Token::Star) {
            next[position + 1] = true;
        }
    }
}

impl Token {
    fn matches(&self, c: char) -> bool {
        match self {
            Self::One(expected) => *expected == c,
            Self::Any | Self::Star => true,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
            }
        }
    }
}

fn tokens(pattern: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        tokens.push(match c {
            '*' => Token::Star,
            '?' => Token::Any,
            '\\' => Token::One(rest.next()?),
            '[' => {
                let negated = rest.next_if_eq(&'^').is_some();
                let mut ranges = Vec::new();
                while ranges.is_empty() || rest.next_if_eq(&']').is_none() {
                    let low = class_character(&mut rest)?;
                    let high = match rest.next_if_eq(&'-') {
                        Some(_) => class_character(&mut rest)?,
                        None => low,
                    };
                    ranges.push((low, high));
                }
                Token::Class { negated, ranges }
            }
            c => Token::One(c),
        });
    }
    Some(tokens)
}

fn class_character(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    match rest.next()? {
        '-' | ']' => None,
        '\\' => rest.next(),
        c => Some(c),
    }
}
