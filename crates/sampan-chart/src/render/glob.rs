//! The patterns of `.Files.Glob`: `*`, `**`, `?`, `[…]`, `[!…]`, `{a,b}` and `\`.

/// A pattern for whole paths.
#[derive(Debug)]
pub(super) struct Glob(Vec<Token>);

#[derive(Debug)]
enum Token {
    Text(Vec<char>),
    /// One character that is no slash.
    One,
    /// Any characters that are no slashes.
    Any,
    /// Any characters.
    All,
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
    /// One of several patterns.
    Choice(Vec<Vec<Self>>),
}

/// The most steps that matching one path may take: patterns with many stars must not cost more than they tell.
const MAX_STEPS: usize = 100_000;

/// The deepest nesting of `{…}`.
const MAX_DEPTH: usize = 32;

impl Glob {
    /// The pattern of a text; none when the text is no pattern.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let characters: Vec<char> = text.chars().collect();
        let mut parser = Parser {
            characters: &characters,
            at: 0,
        };
        parser.pattern(0).map(Self)
    }

    /// The pattern that all paths match.
    pub(super) fn everything() -> Self {
        Self(vec![Token::All])
    }

    pub(super) fn matches(&self, path: &str) -> bool {
        let path: Vec<char> = path.chars().collect();
        let tokens: Vec<&Token> = self.0.iter().collect();
        matches(&tokens, &path, &mut 0)
    }
}

fn matches(tokens: &[&Token], path: &[char], steps: &mut usize) -> bool {
    *steps += 1;
    if *steps > MAX_STEPS {
        return false;
    }
    let Some((token, behind)) = tokens.split_first() else {
        return path.is_empty();
    };
    match token {
        Token::Text(text) => path
            .strip_prefix(&text[..])
            .is_some_and(|rest| matches(behind, rest, steps)),
        Token::One => path
            .split_first()
            .is_some_and(|(first, rest)| *first != '/' && matches(behind, rest, steps)),
        Token::Class { negated, ranges } => path.split_first().is_some_and(|(first, rest)| {
            let inside = ranges
                .iter()
                .any(|(low, high)| (low..=high).contains(&first));
            inside != *negated && matches(behind, rest, steps)
        }),
        Token::Any | Token::All => {
            let slashes = matches!(token, Token::All);
            let reach = path
                .iter()
                .position(|character| *character == '/' && !slashes)
                .unwrap_or(path.len());
            (0..=reach).any(|length| matches(behind, &path[length..], steps))
        }
        Token::Choice(choices) => choices.iter().any(|choice| {
            let tokens: Vec<&Token> = choice.iter().chain(behind.iter().copied()).collect();
            matches(&tokens, path, steps)
        }),
    }
}

struct Parser<'a> {
    characters: &'a [char],
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += usize::from(next.is_some());
        next
    }

    /// A pattern up to the end, or up to the `,` or `}` of the choice that it is in.
    fn pattern(&mut self, depth: usize) -> Option<Vec<Token>> {
        if depth > MAX_DEPTH {
            return None;
        }
        let mut tokens = Vec::new();
        while let Some(next) = self.peek() {
            let token = match next {
                ',' | '}' if depth > 0 => return Some(tokens),
                '?' => {
                    self.at += 1;
                    Token::One
                }
                '*' => {
                    self.at += 1;
                    if self.peek() == Some('*') {
                        self.at += 1;
                        Token::All
                    } else {
                        Token::Any
                    }
                }
                '[' => {
                    self.at += 1;
                    self.class()?
                }
                '{' => {
                    self.at += 1;
                    self.choice(depth)?
                }
                _ => self.text(depth),
            };
            tokens.push(token);
        }
        Some(tokens)
    }

    fn text(&mut self, depth: usize) -> Token {
        let mut text = Vec::new();
        while let Some(next) = self.peek() {
            let ends =
                matches!(next, '?' | '*' | '[' | '{') || (depth > 0 && matches!(next, ',' | '}'));
            if ends {
                break;
            }
            self.at += 1;
            match next {
                '\\' => text.extend(self.next()),
                other => text.push(other),
            }
        }
        Token::Text(text)
    }

    /// A choice; where its end is missing, the text ends it.
    fn choice(&mut self, depth: usize) -> Option<Token> {
        let mut choices = Vec::new();
        loop {
            choices.push(self.pattern(depth + 1)?);
            if self.next() != Some(',') {
                return Some(Token::Choice(choices));
            }
        }
    }

    /// Either one range such as `a-z`, or some characters.
    fn class(&mut self) -> Option<Token> {
        let negated = self.peek() == Some('!');
        self.at += usize::from(negated);
        if self.characters.get(self.at + 1) == Some(&'-') {
            let low = self.next()?;
            self.at += 1;
            let high = self.next()?;
            let closed = self.next() == Some(']');
            return (closed && low <= high).then(|| Token::Class {
                negated,
                ranges: vec![(low, high)],
            });
        }
        let mut ranges = Vec::new();
        loop {
            let character = match self.next()? {
                ']' => break,
                '\\' => self.next()?,
                other => other,
            };
            ranges.push((character, character));
        }
        (!ranges.is_empty()).then_some(Token::Class { negated, ranges })
    }
}
