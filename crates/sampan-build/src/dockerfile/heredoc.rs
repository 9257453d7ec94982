//! Heredocs: the words `<<NAME` in RUN, COPY and ADD, and the text that follows the line.

use super::environment::Environment;
use super::error::SyntaxError;
use super::expand::{ExpandError, Expander};

/// A file written inside the Dockerfile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heredoc {
    /// The word that ends the text; for COPY and ADD also the name of the file.
    pub name: String,
    /// Whether variables in the text are expanded (not when any part of the word is quoted).
    pub expand: bool,
    /// Whether leading tabs are taken off each line (`<<-`).
    pub chomp: bool,
    /// The text, with its line breaks.
    pub content: String,
}

impl Heredoc {
    /// Reads one word; `None` when it starts no heredoc.
    ///
    /// # Errors
    /// When the quotes of the word are malformed.
    pub(crate) fn parse(word: &str) -> Result<Option<Self>, ExpandError> {
        let rest = word.trim_start_matches(|digit: char| digit.is_ascii_digit());
        let Some(rest) = rest.strip_prefix("<<") else {
            return Ok(None);
        };
        let (chomp, rest) = match rest.strip_prefix('-') {
            Some(rest) => (true, rest.trim_start()),
            None => (false, rest.trim_start()),
        };
        if rest.is_empty() || rest.contains('<') {
            return Ok(None);
        }
        let unquoting = Expander::new('\\').keep_unset();
        let nothing = Environment::default();
        let words = unquoting.words(rest, &nothing)?;
        let raw_words = unquoting.keep_quotes().words(rest, &nothing)?;
        let ([name], [raw]) = (words.as_slice(), raw_words.as_slice()) else {
            return Ok(None);
        };
        let quotes = |word: &str| word.matches(['\'', '"']).count();
        let expand = quotes(name) == quotes(raw);
        Ok(Some(Self {
            name: name.clone(),
            expand,
            chomp,
            content: String::new(),
        }))
    }

    /// The heredocs that `line` announces, in order, without their text.
    ///
    /// # Errors
    /// When the quotes of a word are malformed.
    pub(super) fn announced(line: &str) -> Result<Vec<Self>, ExpandError> {
        let splitting = Expander::new('\\')
            .keep_quotes()
            .keep_escapes()
            .keep_unset();
        // A line that cannot be split, for instance a shell command with its own quoting, has none.
        let Ok(words) = splitting.words(line, &Environment::default()) else {
            return Ok(Vec::new());
        };
        words
            .iter()
            .filter_map(|word| Self::parse(word).transpose())
            .collect()
    }

    /// The word, for use as the name of a file directly below some folder.
    ///
    /// # Errors
    /// When it would lead anywhere else.
    pub(crate) fn file_name(&self) -> Result<&str, SyntaxError> {
        let name = self.name.as_str();
        if matches!(name, "" | "." | "..") || name.contains(['/', '\0']) {
            return Err(SyntaxError::HeredocName {
                name: name.to_owned(),
            });
        }
        Ok(name)
    }

    /// Whether `line` ends this heredoc.
    pub(super) fn ends_at(&self, line: &str) -> bool {
        let line = if self.chomp {
            line.trim_start_matches('\t')
        } else {
            line
        };
        line == self.name
    }

    /// Whether the text names the program that runs it, so that it becomes a file.
    pub(crate) fn is_script(&self) -> bool {
        self.text().starts_with("#!")
    }

    /// The text as the file holds it: without leading tabs when the heredoc says so.
    #[must_use]
    pub fn text(&self) -> String {
        if !self.chomp {
            return self.content.clone();
        }
        self.content
            .split_inclusive('\n')
            .map(|line| line.trim_start_matches('\t'))
            .collect()
    }
}
