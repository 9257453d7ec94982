//! One pattern of an ignore file, matched against whole paths.

/// A pattern in the notation of Go's `filepath.Match`, extended by `**`.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    tokens: Vec<Token>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Literal(char),
    /// `?`: one character within a path component.
    One,
    /// `*`: any characters within a path component.
    Component,
    /// `**` or `**/` before something: nothing, or directories. [`Token::Path`] always follows.
    Directories,
    /// Any characters up to and with a slash.
    Path,
    /// `**` at the end: anything.
    Anything,
    /// `[a-z]` or `[^a-z]`.
    Class {
        ranges: Vec<(char, char)>,
        negated: bool,
    },
}

impl Pattern {
    /// Reads a cleaned pattern; `None` when it is malformed.
    pub(crate) fn parse(pattern: &str) -> Option<Self> {
        // moby compares the end of the path when only literal text follows a leading `**`.
        if let Some(suffix) = pattern.strip_prefix("**")
            && !suffix.starts_with('/')
            && !suffix.contains(['*', '?', '[', ']', '\\'])
        {
            let literals = suffix.chars().map(Token::Literal);
            let tokens = std::iter::once(Token::Anything).chain(literals).collect();
            return Some(Self { tokens });
        }
        let mut tokens = Vec::new();
        let mut input = pattern.chars().peekable();
        while let Some(character) = input.next() {
            let token = match character {
                '*' if input.next_if_eq(&'*').is_some() => {
                    input.next_if_eq(&'/');
                    if input.peek().is_none() {
                        Token::Anything
                    } else {
                        tokens.push(Token::Directories);
                        Token::Path
                    }
                }
                '*' => Token::Component,
                '?' => Token::One,
                '[' => read_class(&mut input)?,
                '\\' => Token::Literal(input.next()?),
                literal => Token::Literal(literal),
            };
            tokens.push(token);
        }
        Some(Self { tokens })
    }

    /// Whether the whole of `path` matches; all states of the pattern advance together.
    pub(crate) fn matches(&self, path: &str) -> bool {
        let mut states = vec![false; self.tokens.len() + 1];
        states[0] = true;
        self.close(&mut states);
        for character in path.chars() {
            let mut next = vec![false; states.len()];
            for (index, token) in self
                .tokens
                .iter()
                .enumerate()
                .filter(|(index, _)| states[*index])
            {
                let (stays, advances) = token.step(character);
                next[index] |= stays;
                next[index + 1] |= advances;
            }
            self.close(&mut next);
            states = next;
        }
        states[self.tokens.len()]
    }

    /// Adds the states that are reached without taking a character.
    fn close(&self, states: &mut [bool]) {
        for (index, token) in self
            .tokens
            .iter()
            .enumerate()
            .filter(|(_, token)| token.is_optional())
        {
            if states[index] {
                states[index + 1] = true;
                if *token == Token::Directories {
                    states[index + 2] = true;
                }
            }
        }
    }
}

impl Token {
    /// Whether the token may take the character and stay, and whether it is done with it.
    fn step(&self, character: char) -> (bool, bool) {
        match self {
            Self::Literal(literal) => (false, *literal == character),
            Self::One => (false, character != '/'),
            Self::Component => (character != '/', false),
            Self::Directories => (false, false),
            Self::Path => (true, character == '/'),
            Self::Anything => (true, false),
            Self::Class { ranges, negated } => {
                let within = |(low, high): &(char, char)| (*low..=*high).contains(&character);
                (false, ranges.iter().any(within) != *negated)
            }
        }
    }

    fn is_optional(&self) -> bool {
        matches!(self, Self::Component | Self::Directories | Self::Anything)
    }
}

fn read_class(input: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Token> {
    let negated = input.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    loop {
        if !ranges.is_empty() && input.next_if_eq(&']').is_some() {
            return Some(Token::Class { ranges, negated });
        }
        let low = class_character(input)?;
        let high = if input.next_if_eq(&'-').is_some() {
            class_character(input)?
        } else {
            low
        };
        if low > high {
            return None;
        }
        ranges.push((low, high));
    }
}

fn class_character(input: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    match input.next()? {
        ']' | '-' => None,
        '\\' => input.next(),
        character => Some(character),
    }
}
