//! The patterns of `branches`, `tags` and `paths`.
//!
//! `*` stands for any characters but `/`, `**` for any characters, `?` and `+` repeat the character before, `[ab0-9]` is
//! one of several characters, `\` takes the meaning away. A pattern that begins with `!` takes back what those before it
//! chose; the last that matches decides.

/// How long a pattern may be; paths are not longer.
const LIMIT_BYTES: usize = 4_096;

/// What one place of a pattern takes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// One of these characters.
    One(Vec<(char, char)>),
    /// One of these characters or none.
    Optional(Vec<(char, char)>),
    /// Some of these characters, one at least.
    Some(Vec<(char, char)>),
    /// Any characters but `/`.
    Star,
    /// Any characters.
    StarStar,
    /// Nothing, or whole folders: `**/`.
    Folders,
}

/// A pattern that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    negated: bool,
    pieces: Vec<Piece>,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence without a full stop.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (negated, text) = match text.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if text.is_empty() {
            return Err("a pattern must hold something");
        }
        if text.len() > LIMIT_BYTES {
            return Err("a pattern is not longer than a path");
        }
        let mut pieces: Vec<Piece> = Vec::new();
        let mut characters = text.chars().peekable();
        while let Some(c) = characters.next() {
            let piece = match c {
                '*' if characters.next_if_eq(&'*').is_some() => {
                    let at_folder = matches!(pieces.last(), None | Some(Piece::Folders))
                        || pieces.last() == Some(&one('/'));
                    if at_folder && characters.next_if_eq(&'/').is_some() {
                        Piece::Folders
                    } else {
                        Piece::StarStar
                    }
                }
                '*' => Piece::Star,
                '?' | '+' => match pieces.pop() {
                    Some(Piece::One(choice)) if c == '?' => Piece::Optional(choice),
                    Some(Piece::One(choice)) => Piece::Some(choice),
                    _ => return Err("`?` and `+` repeat the character before them; there is none"),
                },
                '[' => Piece::One(choice(&mut characters)?),
                '\\' => one(characters
                    .next()
                    .ok_or("`\\` must stand before a character")?),
                _ => one(c),
            };
            pieces.push(piece);
        }
        Ok(Self { negated, pieces })
    }

    /// Whether the pattern takes back what others chose.
    #[must_use]
    pub fn is_negated(&self) -> bool {
        self.negated
    }

    /// Whether the whole text is what the pattern describes. The work grows with the product of both lengths.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        // Which pieces may come next; one bit more for the end.
        let mut states = vec![false; self.pieces.len() + 1];
        states[0] = true;
        let mut previous = '/';
        self.skip(&mut states, previous);
        for c in text.chars() {
            let mut next = vec![false; states.len()];
            for (index, piece) in self.pieces.iter().enumerate() {
                if !states[index] {
                    continue;
                }
                match piece {
                    Piece::One(choice) | Piece::Optional(choice) if takes(choice, c) => {
                        next[index + 1] = true;
                    }
                    Piece::Some(choice) if takes(choice, c) => {
                        next[index] = true;
                        next[index + 1] = true;
                    }
                    Piece::Star if c != '/' => next[index] = true,
                    Piece::StarStar | Piece::Folders => next[index] = true,
                    _ => {}
                }
            }
            if !next.contains(&true) {
                return false;
            }
            states = next;
            previous = c;
            self.skip(&mut states, previous);
        }
        states[self.pieces.len()]
    }

    /// Goes past pieces that may stand for nothing.
    fn skip(&self, states: &mut [bool], previous: char) {
        for (index, piece) in self.pieces.iter().enumerate() {
            let may_be_nothing = match piece {
                Piece::Optional(_) | Piece::Star | Piece::StarStar => true,
                // What follows begins a folder's entry.
                Piece::Folders => previous == '/',
                Piece::One(_) | Piece::Some(_) => false,
            };
            if states[index] && may_be_nothing {
                states[index + 1] = true;
            }
        }
    }
}

fn one(c: char) -> Piece {
    Piece::One(vec![(c, c)])
}

fn takes(choice: &[(char, char)], c: char) -> bool {
    choice.iter().any(|(from, to)| (*from..=*to).contains(&c))
}

/// The characters between `[` and `]`.
fn choice(
    characters: &mut std::iter::Peekable<std::str::Chars<'_>>,
) -> Result<Vec<(char, char)>, &'static str> {
    const OPEN: &str = "`[` must be closed by `]`";
    let mut choice = Vec::new();
    loop {
        match characters.next().ok_or(OPEN)? {
            ']' if choice.is_empty() => return Err("there must be something between `[` and `]`"),
            ']' => return Ok(choice),
            from => {
                let mut ahead = characters.clone();
                ahead.next();
                let ranges = characters.peek() == Some(&'-') && ahead.peek() != Some(&']');
                if !ranges {
                    choice.push((from, from));
                    continue;
                }
                characters.next();
                let to = characters.next().ok_or(OPEN)?;
                if to < from {
                    return Err("a range goes from the lower character to the higher one");
                }
                choice.push((from, to));
            }
        }
    }
}

/// Patterns of which the last that matches decides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patterns {
    patterns: Vec<(String, Pattern)>,
}

impl Patterns {
    /// The patterns with their texts.
    #[must_use]
    pub fn new(patterns: Vec<(String, Pattern)>) -> Self {
        Self { patterns }
    }

    /// The text of the pattern that chooses a text, if one does and none behind it takes it back.
    #[must_use]
    pub fn choosing(&self, text: &str) -> Option<&str> {
        self.patterns
            .iter()
            .rev()
            .find(|(_, pattern)| pattern.matches(text))
            .filter(|(_, pattern)| !pattern.negated)
            .map(|(source, _)| source.as_str())
    }

    /// How many characters all patterns have.
    pub(super) fn characters(&self) -> usize {
        let lengths = self
            .patterns
            .iter()
            .map(|(_, pattern)| pattern.pieces.len());
        lengths.sum()
    }

    /// The texts of the patterns, for messages.
    #[must_use]
    pub fn listed(&self) -> String {
        let quoted: Vec<_> = self
            .patterns
            .iter()
            .map(|(source, _)| format!("`{source}`"))
            .collect();
        quoted.join(", ")
    }

    /// Whether there is a pattern that chooses.
    #[must_use]
    pub fn can_choose(&self) -> bool {
        self.patterns.iter().any(|(_, pattern)| !pattern.negated)
    }
}
