//! Files with secrets as people hand them to a run: `NAME=VALUE`, one a line.

use sampan_model::Hint;

use super::SecretValue;

/// Why a file holds no secrets. The text of the line is not shown: it may be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretFileError {
    /// A line that is not of the form.
    #[error("{file}:{line}: the line is not of the form `NAME=VALUE`")]
    Line {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
    },
    /// A quote that is not closed on its line.
    #[error("{file}:{line}: a quote is not closed")]
    Quote {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
    },
}

impl Hint for SecretFileError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Line { .. } => "write `NAME=VALUE`, and `#` in front of remarks".to_owned(),
            Self::Quote { .. } => {
                "close it on the same line; `\\n` in double quotes is a line break".to_owned()
            }
        })
    }
}

/// Reads `NAME=VALUE` line by line. Empty lines and remarks count nothing; `export` may stand in front; a value in single
/// quotes is as it is, in double quotes `\n`, `\t`, `\"` and `\\` stand for what they do elsewhere.
///
/// # Errors
/// [`SecretFileError`] with the first line that is no secret.
pub fn parse_file(file: &str, text: &str) -> Result<Vec<(String, SecretValue)>, SecretFileError> {
    let mut secrets = Vec::new();
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let place = || (file.to_owned(), number + 1);
        let line = line.strip_prefix("export ").unwrap_or(line);
        let pair = line
            .split_once('=')
            .map(|(name, value)| (name.trim(), value.trim()));
        let Some((name, value)) = pair.filter(|(name, _)| is_name(name)) else {
            let (file, line) = place();
            return Err(SecretFileError::Line { file, line });
        };
        let Some(value) = unquoted(value) else {
            let (file, line) = place();
            return Err(SecretFileError::Quote { file, line });
        };
        secrets.push((name.to_owned(), SecretValue::from(value)));
    }
    Ok(secrets)
}

/// Whether a text can be the name of a secret in any of the dialects.
pub(crate) fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    !text.is_empty() && text.len() <= 255 && text.chars().all(fits)
}

/// The value without its quotes; nothing when one is not closed.
fn unquoted(value: &str) -> Option<String> {
    if let Some(rest) = value.strip_prefix('\'') {
        return rest.strip_suffix('\'').map(str::to_owned);
    }
    let Some(rest) = value.strip_prefix('"') else {
        return Some(value.to_owned());
    };
    let mut text = String::new();
    let mut characters = rest.chars();
    loop {
        match characters.next()? {
            // Nothing may follow what is closed.
            '"' => return characters.as_str().is_empty().then_some(text),
            '\\' => text.push(match characters.next()? {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                other => other,
            }),
            other => text.push(other),
        }
    }
}
