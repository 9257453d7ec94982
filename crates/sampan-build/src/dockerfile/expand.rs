//! Variable expansion and word splitting, as BuildKit's Dockerfile frontend defines them.
//!
//! The rules are those of the POSIX shell where they overlap (`$name`, `${name:-word}`, quotes and
//! escapes), plus the pattern forms `${name#p}`, `${name%p}` and `${name/p/r}`.

use std::iter::Peekable;
use std::str::Chars;

use super::environment::Environment;
use super::pattern::{Extent, Pattern, PatternError};

/// Deeper nesting of `${a:-${b:-…}}` than this is refused, so that input cannot exhaust the stack.
const DEPTH_LIMIT: usize = 64;

/// Why a word could not be expanded.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExpandError {
    /// A `${` without its closing brace.
    #[error("missing `}}` after `${{`")]
    MissingBrace,
    /// A `${name/pattern` without the second slash.
    #[error("missing the second `/` in `${{name/pattern/replacement}}`")]
    MissingSlash,
    /// `${}`, `${{…` or `${:…`.
    #[error("bad substitution: a name must follow `${{`")]
    BadSubstitution,
    /// A form of `${…}` that Dockerfiles do not have.
    #[error("unsupported modifier `{modifier}` in a substitution")]
    UnsupportedModifier {
        /// The characters after the name.
        modifier: String,
    },
    /// A quote that is never closed.
    #[error("unterminated quote, no matching `{quote}`")]
    UnterminatedQuote {
        /// The quote character.
        quote: char,
    },
    /// `${name?message}` for a variable that is unset (or empty, for `:?`).
    #[error("variable `{name}` {message}")]
    Required {
        /// The variable.
        name: String,
        /// The message that the Dockerfile gives, or a general one.
        message: String,
    },
    /// A pattern with an escape that means nothing.
    #[error("invalid pattern in a substitution")]
    Pattern(#[from] PatternError),
    /// Substitutions nested beyond any use.
    #[error("substitutions are nested more than {DEPTH_LIMIT} levels deep")]
    TooDeep,
}

/// How to expand: the escape character, and what of the input survives unchanged.
#[derive(Clone, Copy, Debug)]
pub struct Expander {
    escape: char,
    quotes: Quotes,
    keep_escapes: bool,
    keep_unset: bool,
}

/// What becomes of quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quotes {
    /// They quote, and vanish.
    Remove,
    /// They quote, and stay.
    Keep,
    /// They are characters like any other.
    Ignore,
}

impl Expander {
    /// The usual rules, with `escape` (a backslash, or a backtick when a directive says so).
    #[must_use]
    pub fn new(escape: char) -> Self {
        Self {
            escape,
            quotes: Quotes::Remove,
            keep_escapes: false,
            keep_unset: false,
        }
    }

    /// Quotes stay part of the result.
    #[must_use]
    pub fn keep_quotes(self) -> Self {
        Self {
            quotes: Quotes::Keep,
            ..self
        }
    }

    /// Escape characters stay part of the result.
    #[must_use]
    pub fn keep_escapes(self) -> Self {
        Self {
            keep_escapes: true,
            ..self
        }
    }

    /// Quotes are characters like any other.
    #[must_use]
    pub fn ignore_quotes(self) -> Self {
        Self {
            quotes: Quotes::Ignore,
            ..self
        }
    }

    /// A reference to a variable that is not set stays as it is written.
    #[must_use]
    pub fn keep_unset(self) -> Self {
        Self {
            keep_unset: true,
            ..self
        }
    }

    /// Expands `text` as one word: spaces stay.
    ///
    /// # Errors
    /// Says what is malformed in `text`, or which required variable is missing.
    pub fn word(self, text: &str, environment: &Environment) -> Result<String, ExpandError> {
        self.process(text, environment).map(|(word, _)| word)
    }

    /// Expands `text` and splits the result at spaces that are not quoted.
    ///
    /// # Errors
    /// As [`Expander::word`].
    pub fn words(self, text: &str, environment: &Environment) -> Result<Vec<String>, ExpandError> {
        self.process(text, environment).map(|(_, words)| words)
    }

    fn process(
        self,
        text: &str,
        environment: &Environment,
    ) -> Result<(String, Vec<String>), ExpandError> {
        Lexer {
            rules: self,
            environment,
            input: text.chars().peekable(),
            keep_escapes: self.keep_escapes,
            depth: 0,
        }
        .until(None)
    }
}

/// Collects words while the whole text is processed; what was quoted is never split.
#[derive(Default)]
struct Words {
    done: Vec<String>,
    current: String,
}

impl Words {
    fn split(&mut self, text: &str) {
        for character in text.chars() {
            if character.is_whitespace() {
                self.finish();
            } else {
                self.current.push(character);
            }
        }
    }

    fn finish(&mut self) {
        if !self.current.is_empty() {
            self.done.push(std::mem::take(&mut self.current));
        }
    }

    fn into_vec(mut self) -> Vec<String> {
        self.finish();
        self.done
    }
}

struct Lexer<'a> {
    rules: Expander,
    environment: &'a Environment,
    input: Peekable<Chars<'a>>,
    keep_escapes: bool,
    depth: usize,
}

impl Lexer<'_> {
    /// Processes up to the character `stop` (which is taken) or, without one, to the end.
    fn until(&mut self, stop: Option<char>) -> Result<(String, Vec<String>), ExpandError> {
        let mut result = String::new();
        let mut words = Words::default();
        while let Some(&next) = self.input.peek() {
            if Some(next) == stop {
                self.input.next();
                return Ok((result, words.into_vec()));
            }
            match next {
                '$' => {
                    let text = self.dollar()?;
                    words.split(&text);
                    result.push_str(&text);
                }
                '<' => {
                    let text = self.heredoc_start();
                    words.current.push_str(&text);
                    result.push_str(&text);
                }
                '\'' | '"' if self.rules.quotes != Quotes::Ignore => {
                    let text = if next == '"' {
                        self.double_quoted()
                    } else {
                        self.single_quoted()
                    }?;
                    words.current.push_str(&text);
                    result.push_str(&text);
                }
                _ => self.plain(&mut result, &mut words),
            }
        }
        if stop.is_some() {
            Err(ExpandError::MissingBrace)
        } else {
            Ok((result, words.into_vec()))
        }
    }

    fn plain(&mut self, result: &mut String, words: &mut Words) {
        let Some(character) = self.input.next() else {
            return;
        };
        if character != self.rules.escape {
            words.split(character.encode_utf8(&mut [0; 4]));
            result.push(character);
            return;
        }
        if self.keep_escapes {
            words.current.push(character);
            result.push(character);
        }
        // An escape at the very end escapes nothing and vanishes.
        if let Some(escaped) = self.input.next() {
            words.current.push(escaped);
            result.push(escaped);
        }
    }

    fn single_quoted(&mut self) -> Result<String, ExpandError> {
        let mut result = String::new();
        let quotes = self.rules.quotes == Quotes::Keep;
        result.extend(self.input.next().filter(|_| quotes));
        for character in self.input.by_ref() {
            if character == '\'' {
                result.extend(quotes.then_some(character));
                return Ok(result);
            }
            result.push(character);
        }
        Err(ExpandError::UnterminatedQuote { quote: '\'' })
    }

    fn double_quoted(&mut self) -> Result<String, ExpandError> {
        let mut result = String::new();
        let quotes = self.rules.quotes == Quotes::Keep;
        result.extend(self.input.next().filter(|_| quotes));
        while let Some(&next) = self.input.peek() {
            if next == '$' {
                result.push_str(&self.dollar()?);
                continue;
            }
            self.input.next();
            if next == '"' {
                result.extend(quotes.then_some(next));
                return Ok(result);
            }
            if next != self.rules.escape {
                result.push(next);
                continue;
            }
            if self.keep_escapes {
                result.push(next);
            }
            match self.input.peek().copied() {
                None => {}
                Some(escaped)
                    if escaped == '"' || escaped == '$' || escaped == self.rules.escape =>
                {
                    self.input.next();
                    result.push(escaped);
                }
                Some(_) => result.push(next),
            }
        }
        Err(ExpandError::UnterminatedQuote { quote: '"' })
    }

    /// `<` as it is; spaces between `<<` and the word that ends a heredoc belong to that word.
    fn heredoc_start(&mut self) -> String {
        let mut text = String::new();
        text.extend(self.input.next());
        if let Some(second) = self.input.next_if_eq(&'<') {
            text.push(second);
            while let Some(space) = self.input.next_if(|next| matches!(next, ' ' | '\t' | '\r')) {
                text.push(space);
            }
        }
        text
    }

    fn dollar(&mut self) -> Result<String, ExpandError> {
        self.input.next();
        if self.input.peek() != Some(&'{') {
            let name = self.name();
            if name.is_empty() {
                return Ok("$".to_owned());
            }
            return Ok(match self.environment.get(&name) {
                Some(value) => value.to_owned(),
                None if self.rules.keep_unset => format!("${name}"),
                None => String::new(),
            });
        }
        self.input.next();
        match self.input.peek() {
            None => return Err(ExpandError::MissingBrace),
            Some('{' | '}' | ':') => return Err(ExpandError::BadSubstitution),
            Some(_) => {}
        }
        if self.depth == DEPTH_LIMIT {
            return Err(ExpandError::TooDeep);
        }
        self.depth += 1;
        let result = self.braced();
        self.depth -= 1;
        result
    }

    /// What follows `${`, up to and with the closing brace.
    fn braced(&mut self) -> Result<String, ExpandError> {
        let name = self.name();
        match self.input.next() {
            None => Err(ExpandError::MissingBrace),
            Some('}') => Ok(match self.environment.get(&name) {
                Some(value) => value.to_owned(),
                None if self.rules.keep_unset => format!("${{{name}}}"),
                None => String::new(),
            }),
            Some(':') => match self.input.next() {
                Some(operator @ ('-' | '+' | '?')) => self.default_form(&name, operator, true),
                other => {
                    let modifier = format!(":{}", other.map(String::from).unwrap_or_default());
                    Err(ExpandError::UnsupportedModifier { modifier })
                }
            },
            Some(operator @ ('-' | '+' | '?')) => self.default_form(&name, operator, false),
            Some(operator @ ('#' | '%')) => self.trim_form(&name, operator),
            Some('/') => self.replace_form(&name),
            Some(other) => Err(ExpandError::UnsupportedModifier {
                modifier: other.to_string(),
            }),
        }
    }

    /// `${name-word}`, `${name+word}`, `${name?word}` and the same with a colon.
    fn default_form(
        &mut self,
        name: &str,
        operator: char,
        empty_is_unset: bool,
    ) -> Result<String, ExpandError> {
        let word = self.operand('}', false)?;
        let value = self.environment.get(name);
        if value.is_none() && self.rules.keep_unset {
            let colon = if empty_is_unset { ":" } else { "" };
            return Ok(format!("${{{name}{colon}{operator}{word}}}"));
        }
        let usable = value.filter(|value| !(empty_is_unset && value.is_empty()));
        match (operator, usable) {
            ('-' | '?', Some(value)) => Ok(value.to_owned()),
            ('-', None) | ('+', Some(_)) => Ok(word),
            ('+', None) => Ok(String::new()),
            _ => {
                let message = match (word.is_empty(), value.is_some()) {
                    (false, _) => word,
                    (true, true) => "is not allowed to be empty".to_owned(),
                    (true, false) => "is not allowed to be unset".to_owned(),
                };
                Err(ExpandError::Required {
                    name: name.to_owned(),
                    message,
                })
            }
        }
    }

    /// `${name#pattern}` and `${name%pattern}`; the operator doubled takes the longest match.
    fn trim_form(&mut self, name: &str, operator: char) -> Result<String, ExpandError> {
        let word = self.operand('}', true)?;
        let value = self.environment.get(name);
        if value.is_none() && self.rules.keep_unset {
            return Ok(format!("${{{name}{operator}{word}}}"));
        }
        let (pattern, extent) = match word.strip_prefix(operator) {
            Some(pattern) => (pattern, Extent::Longest),
            None => (word.as_str(), Extent::Shortest),
        };
        let pattern = Pattern::parse(pattern)?;
        let value = value.unwrap_or_default();
        Ok(if operator == '#' {
            pattern.strip_prefix(value, extent)
        } else {
            pattern.strip_suffix(value, extent)
        })
    }

    /// `${name/pattern/replacement}`, or `${name//pattern/replacement}` for all matches.
    fn replace_form(&mut self, name: &str) -> Result<String, ExpandError> {
        let all = self.input.next_if_eq(&'/').is_some();
        let pattern = self.operand('/', true)?;
        let replacement = self.operand('}', true)?;
        let value = self.environment.get(name);
        if value.is_none() && self.rules.keep_unset {
            let slashes = if all { "//" } else { "/" };
            return Ok(format!("${{{name}{slashes}{pattern}/{replacement}}}"));
        }
        Ok(Pattern::parse(&pattern)?.replace(value.unwrap_or_default(), &replacement, all))
    }

    /// The text up to `stop`, itself expanded.
    fn operand(&mut self, stop: char, keep_escapes: bool) -> Result<String, ExpandError> {
        let outer = std::mem::replace(&mut self.keep_escapes, keep_escapes);
        let result = self.until(Some(stop));
        self.keep_escapes = outer;
        match result {
            Ok((text, _)) => Ok(text),
            Err(ExpandError::MissingBrace) if stop == '/' => Err(ExpandError::MissingSlash),
            Err(error) => Err(error),
        }
    }

    /// A name: letters, digits and `_`; or digits alone; or one special parameter.
    fn name(&mut self) -> String {
        let mut name = String::new();
        if self.input.peek().is_some_and(char::is_ascii_digit) {
            while let Some(digit) = self.input.next_if(char::is_ascii_digit) {
                name.push(digit);
            }
            return name;
        }
        let special = |next: &char| matches!(next, '@' | '*' | '#' | '?' | '-' | '$' | '!');
        if let Some(parameter) = self.input.next_if(special) {
            return parameter.to_string();
        }
        while let Some(next) = self
            .input
            .next_if(|next| next.is_alphanumeric() || *next == '_')
        {
            name.push(next);
        }
        name
    }
}
