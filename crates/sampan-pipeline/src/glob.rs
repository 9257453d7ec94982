//! Patterns of conditions: for branches, references, repositories and paths.
//!
//! `*` and `?` stop at `/`, `[…]` is a class, `\` takes the next character as it is. The deep form adds `**` as a whole
//! segment (any number of segments) and `{a,b}`. A match takes time in proportion to the pattern and the text.

/// Which forms a pattern may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Go's `filepath.Match`: no `**`, no braces.
    Flat,
    /// With `**` and braces.
    Deep,
    /// With `**` and braces, and `a/**` matches `a` too.
    DeepWithParent,
}

/// How many alternatives the braces of a pattern may make.
const LIMIT_ALTERNATIVES: usize = 256;
/// How long a pattern may be; paths are not longer.
const LIMIT_BYTES: usize = 4_096;
/// How many braces a pattern may have.
const LIMIT_BRACES: usize = 32;

/// A pattern that can be matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glob {
    /// The pattern as written.
    pub(crate) pattern: String,
    alternatives: Vec<Vec<Token>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    One(char),
    /// `?`.
    Any,
    /// `*`.
    Star,
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
    /// `**/` at the beginning of a segment.
    Segments,
    /// `**` as the last segment.
    Everything,
}

impl Glob {
    /// The pattern; `None` when it is none, as when a bracket is not closed.
    pub(crate) fn new(pattern: &str, form: Form) -> Option<Self> {
        let braces = pattern.matches('{').count();
        if pattern.len() > LIMIT_BYTES || (form != Form::Flat && braces > LIMIT_BRACES) {
            return None;
        }
        let mut alternatives = Vec::new();
        for alternative in expanded(pattern, form)? {
            if form == Form::DeepWithParent {
                let parent = alternative.strip_suffix("/**");
                if let Some(parent) = parent.or_else(|| alternative.strip_suffix("/**/")) {
                    alternatives.push(tokens(parent, form)?);
                }
            }
            alternatives.push(tokens(&alternative, form)?);
        }
        Some(Self {
            pattern: pattern.to_owned(),
            alternatives,
        })
    }

    /// How many characters all alternatives together have.
    pub(crate) fn characters(&self) -> usize {
        self.alternatives.iter().map(Vec::len).sum()
    }

    /// Whether the whole text matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        self.alternatives.iter().any(|tokens| matches(tokens, text))
    }
}

/// All patterns that the braces of a pattern stand for.
fn expanded(pattern: &str, form: Form) -> Option<Vec<String>> {
    let mut pending = vec![pattern.to_owned()];
    let mut done = Vec::new();
    while let Some(next) = pending.pop() {
        match (form != Form::Flat).then(|| first_braces(&next)).flatten() {
            None => done.push(next),
            Some(braces) => {
                let (begin, end, parts) = braces?;
                // The last is taken first, so that the order of the file is kept.
                for part in parts.iter().rev() {
                    pending.push(format!("{}{part}{}", &next[..begin], &next[end..]));
                }
            }
        }
        if pending.len() + done.len() > LIMIT_ALTERNATIVES {
            return None;
        }
    }
    Some(done)
}

/// Where the first braces begin and end, and what stands between their commas; `Some(None)` when they are not closed.
#[expect(
    clippy::option_option,
    reason = "no braces and broken braces are different answers"
)]
fn first_braces(pattern: &str) -> Option<Option<(usize, usize, Vec<String>)>> {
    let mut escaped = false;
    let mut open: Option<(usize, usize)> = None;
    let mut depth = 0_usize;
    let mut parts = Vec::new();
    for (index, c) in pattern.char_indices() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match (c, open) {
            ('\\', _) => escaped = true,
            ('{', None) => open = Some((index, index + 1)),
            ('{', Some(_)) => depth += 1,
            ('}', Some(_)) if depth > 0 => depth -= 1,
            (',', Some((begin, part))) if depth == 0 => {
                parts.push(pattern[part..index].to_owned());
                open = Some((begin, index + 1));
            }
            ('}', Some((begin, part))) => {
                parts.push(pattern[part..index].to_owned());
                return Some(Some((begin, index + 1, parts)));
            }
            _ => {}
        }
    }
    open.map(|_| None)
}

fn tokens(pattern: &str, form: Form) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        let at_segment = matches!(
            tokens.last(),
            None | Some(Token::One('/') | Token::Segments)
        );
        tokens.push(match c {
            '*' if form == Form::Flat || rest.peek() != Some(&'*') => Token::Star,
            '*' => {
                rest.next();
                match rest.peek() {
                    None if at_segment => Token::Everything,
                    Some('/') if at_segment => {
                        rest.next();
                        Token::Segments
                    }
                    _ => Token::Star,
                }
            }
            '?' => Token::Any,
            '[' => class(&mut rest, form)?,
            '\\' => Token::One(rest.next()?),
            c => Token::One(c),
        });
    }
    Some(tokens)
}

fn class(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, form: Form) -> Option<Token> {
    let negated = rest
        .next_if(|c| *c == '^' || (*c == '!' && form != Form::Flat))
        .is_some();
    let mut ranges = Vec::new();
    while ranges.is_empty() || rest.next_if_eq(&']').is_none() {
        let low = class_character(rest)?;
        let high = match rest.next_if_eq(&'-') {
            Some(_) => class_character(rest)?,
            None => low,
        };
        ranges.push((low, high));
    }
    Some(Token::Class { negated, ranges })
}

fn class_character(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    match rest.next()? {
        '-' | ']' => None,
        '\\' => rest.next(),
        c => Some(c),
    }
}

/// Where in a pattern a match may stand after some characters.
#[derive(Clone)]
struct Places {
    /// The token comes next.
    before: Vec<bool>,
    /// The token is `**/`, and a segment that it swallows has begun.
    within: Vec<bool>,
}

impl Places {
    fn none(length: usize) -> Self {
        Self {
            before: vec![false; length + 1],
            within: vec![false; length + 1],
        }
    }

    fn reach(&mut self, tokens: &[Token], place: usize) {
        let mut place = place;
        // What may match nothing is also passed by, unless somebody has been here before.
        while !std::mem::replace(&mut self.before[place], true) {
            match tokens.get(place) {
                Some(Token::Star | Token::Segments | Token::Everything) => place += 1,
                _ => break,
            }
        }
    }
}

fn matches(tokens: &[Token], text: &str) -> bool {
    let mut places = Places::none(tokens.len());
    places.reach(tokens, 0);
    for c in text.chars() {
        let mut next = Places::none(tokens.len());
        for (index, token) in tokens.iter().enumerate() {
            if places.within[index] || places.before[index] && *token == Token::Segments {
                if c == '/' {
                    next.reach(tokens, index);
                } else {
                    next.within[index] = true;
                }
                continue;
            }
            if !places.before[index] {
                continue;
            }
            match token {
                Token::Star if c != '/' => next.reach(tokens, index),
                Token::Everything => next.reach(tokens, index),
                token if token.takes(c) => next.reach(tokens, index + 1),
                _ => {}
            }
        }
        places = next;
        if !places.before.contains(&true) && !places.within.contains(&true) {
            return false;
        }
    }
    places.before[tokens.len()]
}

impl Token {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::One(expected) => *expected == c,
            Self::Any => c != '/',
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
            }
            Self::Star | Self::Segments | Self::Everything => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Form, Glob};

    fn matches(pattern: &str, form: Form, text: &str) -> bool {
        Glob::new(pattern, form)
            .expect("the pattern is one")
            .matches(text)
    }

    #[test]
    fn flat_patterns_know_no_segments() {
        for (pattern, text, expected) in [
            ("main", "main", true),
            ("main", "mainly", false),
            ("release/*", "release/1.0", true),
            ("release/*", "release/1/0", false),
            ("*", "", true),
            ("**", "a/b", false),
            ("**", "ab", true),
            ("v?.[0-9]*", "v1.2.3", true),
            ("v?.[^0-9]*", "v1.2.3", false),
            ("{a,b}", "a", false),
            ("{a,b}", "{a,b}", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("[^a]", "/", true),
        ] {
            assert_eq!(
                matches(pattern, Form::Flat, text),
                expected,
                "{pattern} on {text}"
            );
        }
    }

    #[test]
    fn deep_patterns_cross_segments() {
        for (pattern, text, expected) in [
            ("**", "", true),
            ("**", "a/b/c", true),
            ("feature/**", "feature/a/b", true),
            ("feature/**", "feature", false),
            ("**/main.go", "main.go", true),
            ("**/main.go", "cmd/x/main.go", true),
            ("**/main.go", "cmd/xmain.go", false),
            ("src/**/*.rs", "src/lib.rs", true),
            ("src/**/*.rs", "src/a/b/lib.rs", true),
            ("src/**/*.rs", "src/a/b/lib.go", false),
            ("a/**/b/**/c", "a/x/b/b/y/c", true),
            ("a**c", "abbc", true),
            ("a**c", "ab/bc", false),
            ("{main,release/*}", "release/2", true),
            ("{main,release/*}", "main", true),
            ("{a{b,c},d}", "ac", true),
            ("v[!0-9]", "va", true),
            ("*.{js,ts}x", "a.tsx", true),
        ] {
            assert_eq!(
                matches(pattern, Form::Deep, text),
                expected,
                "{pattern} on {text}"
            );
        }
        assert!(matches("docs/**", Form::DeepWithParent, "docs"));
        assert!(matches("docs/**/", Form::DeepWithParent, "docs"));
        assert!(!matches("docs/**", Form::DeepWithParent, "doc"));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for pattern in ["[", "[a", "[]", "[a-]", "\\", "{a", "{a,{b}"] {
            assert_eq!(Glob::new(pattern, Form::Deep), None, "{pattern}");
        }
        for pattern in [
            "{a,b}".repeat(20),
            "{a}".repeat(1_000),
            "{".repeat(40) + &"}".repeat(40),
            "a".repeat(5_000),
        ] {
            assert_eq!(Glob::new(&pattern, Form::Deep), None, "{pattern}");
        }
    }

    #[test]
    fn hostile_patterns_take_no_longer() {
        let pattern = "*a".repeat(500);
        assert!(!matches(
            &pattern,
            Form::Deep,
            &"a".repeat(4000).replace("aaaa", "aab/")
        ));
        assert!(!matches(&"*".repeat(4_000), Form::Deep, "a/b"));
        let pattern = "**/a/".repeat(100);
        assert!(!matches(
            &pattern,
            Form::Deep,
            &format!("{}b", "a/".repeat(1000))
        ));
    }
}
