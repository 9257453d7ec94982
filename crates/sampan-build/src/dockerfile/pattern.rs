//! Shell patterns (`*`, `?`, escapes) inside substitutions such as `${name%pattern}`.

/// Why a pattern is not one.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("invalid escape `\\{escaped}` in the pattern `{pattern}`")]
pub struct PatternError {
    pattern: String,
    escaped: char,
}

/// Which of several possible matches is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    Shortest,
    Longest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Literal(char),
    /// `?`: any one character but a line break.
    One,
    /// `*`: any number of characters but line breaks.
    Many,
}

#[derive(Clone, Debug)]
pub(super) struct Pattern {
    tokens: Vec<Token>,
}

impl Pattern {
    pub(super) fn parse(pattern: &str) -> Result<Self, PatternError> {
        let mut tokens = Vec::new();
        let mut input = pattern.chars().peekable();
        while let Some(character) = input.next() {
            tokens.push(match character {
                '*' => Token::Many,
                '?' => Token::One,
                // `}` and `/` are escaped for the sake of the substitution, not of the pattern.
                '\\' if matches!(input.peek(), Some('}' | '/')) => continue,
                '\\' => match input.next() {
                    Some(escaped @ ('*' | '?' | '\\')) => Token::Literal(escaped),
                    other => {
                        let escaped = other.unwrap_or(' ');
                        return Err(PatternError {
                            pattern: pattern.to_owned(),
                            escaped,
                        });
                    }
                },
                literal => Token::Literal(literal),
            });
        }
        Ok(Self { tokens })
    }

    pub(super) fn strip_prefix(&self, value: &str, extent: Extent) -> String {
        let text: Vec<char> = value.chars().collect();
        let end = self.match_at(&text, extent).unwrap_or(0);
        text[end..].iter().collect()
    }

    pub(super) fn strip_suffix(&self, value: &str, extent: Extent) -> String {
        // The shortest suffix is the shortest prefix of the reversed text.
        let reversed = Self {
            tokens: self.tokens.iter().rev().copied().collect(),
        };
        let text: Vec<char> = value.chars().rev().collect();
        let end = reversed.match_at(&text, extent).unwrap_or(0);
        text[end..].iter().rev().collect()
    }

    /// Puts `replacement` for the first match, or for `all` that do not overlap.
    pub(super) fn replace(&self, value: &str, replacement: &str, all: bool) -> String {
        let text: Vec<char> = value.chars().collect();
        let mut result = String::new();
        let mut position = 0;
        let mut previous_end = None;
        while position <= text.len() {
            let found = self.match_at(&text[position..], Extent::Longest);
            // An empty match right behind the previous match is no further match.
            if let Some(length) =
                found.filter(|length| *length > 0 || previous_end != Some(position))
            {
                result.push_str(replacement);
                position += length;
                previous_end = Some(position);
                if !all {
                    break;
                }
                if length > 0 {
                    continue;
                }
            }
            result.extend(text.get(position));
            position += 1;
        }
        result.extend(text.get(position..).unwrap_or_default());
        result
    }

    /// The length of the match that begins at the start of `text`.
    ///
    /// All states of the pattern advance together, so that the time is bounded by the product of
    /// the lengths whatever the pattern.
    fn match_at(&self, text: &[char], extent: Extent) -> Option<usize> {
        let mut states = vec![false; self.tokens.len() + 1];
        states[0] = true;
        let mut found = None;
        for position in 0..=text.len() {
            self.skip_stars(&mut states);
            if states[self.tokens.len()] {
                found = Some(position);
                if extent == Extent::Shortest {
                    break;
                }
            }
            let Some(&character) = text.get(position) else {
                break;
            };
            let mut next = vec![false; states.len()];
            for (index, token) in self
                .tokens
                .iter()
                .enumerate()
                .filter(|(index, _)| states[*index])
            {
                match token {
                    Token::Literal(literal) => next[index + 1] |= *literal == character,
                    Token::One => next[index + 1] |= character != '\n',
                    Token::Many => next[index] |= character != '\n',
                }
            }
            states = next;
            if !states.contains(&true) {
                break;
            }
        }
        found
    }

    fn skip_stars(&self, states: &mut [bool]) {
        for (index, token) in self.tokens.iter().enumerate() {
            if states[index] && *token == Token::Many {
                states[index + 1] = true;
            }
        }
    }
}
