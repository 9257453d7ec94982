//! The files by which a step hands things over: `GITHUB_ENV`, `GITHUB_OUTPUT`, `GITHUB_PATH`, `GITHUB_STATE` and
//! `GITHUB_STEP_SUMMARY`.

use sampan_model::{Hint, shortened};

/// The longest file that is read.
pub const LIMIT_BYTES: usize = 16 << 20;
/// The longest summary that is kept.
pub const LIMIT_SUMMARY_BYTES: usize = 1 << 20;

/// Why a file cannot be read; lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileCommandError {
    /// A line that gives no value.
    #[error("line {line}: `{text}` is neither `NAME=VALUE` nor `NAME<<DELIMITER`")]
    Format {
        /// The line.
        line: usize,
        /// Its text.
        text: String,
    },
    /// `NAME<<` or `<<DELIMITER`.
    #[error("line {line}: `{text}` must have a name and a delimiter")]
    Incomplete {
        /// The line.
        line: usize,
        /// Its text.
        text: String,
    },
    /// A value whose delimiter does not come again.
    #[error("line {line}: the delimiter `{delimiter}` does not come again")]
    NotClosed {
        /// Where the value begins.
        line: usize,
        /// The delimiter.
        delimiter: String,
    },
    /// The file is longer than [`LIMIT_BYTES`].
    #[error("the file has {size_bytes} bytes; at most {LIMIT_BYTES} are read")]
    TooLarge {
        /// Its length.
        size_bytes: usize,
    },
    /// A summary that is longer than [`LIMIT_SUMMARY_BYTES`].
    #[error("the summary has {size_bytes} bytes; at most {LIMIT_SUMMARY_BYTES} are kept")]
    SummaryTooLarge {
        /// Its length.
        size_bytes: usize,
    },
}

impl Hint for FileCommandError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Format { .. } => Some(
                "a value of several lines stands between `NAME<<DELIMITER` and a line `DELIMITER`"
                    .to_owned(),
            ),
            Self::NotClosed { delimiter, .. } => Some(format!(
                "end the value by a line `{delimiter}`, with a line break before it"
            )),
            Self::SummaryTooLarge { .. } => {
                Some("keep the whole text as an artifact, and sum it up".to_owned())
            }
            _ => None,
        }
    }
}

/// The values that `GITHUB_OUTPUT` or `GITHUB_STATE` gives, in their order; the last counts where a name comes twice.
///
/// # Errors
/// [`FileCommandError`] when a line gives no value.
pub fn values(text: &str) -> Result<Vec<(String, String)>, FileCommandError> {
    if text.len() > LIMIT_BYTES {
        return Err(FileCommandError::TooLarge {
            size_bytes: text.len(),
        });
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = Lines {
        rest: text,
        number: 0,
    };
    let mut values = Vec::new();
    while let Some((line, _)) = lines.next() {
        if !line.is_empty() {
            values.push(value(line, &mut lines)?);
        }
    }
    Ok(values)
}

/// What `GITHUB_ENV` gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables {
    /// The variables for later steps, in their order.
    pub set: Vec<(String, String)>,
    /// Those that steps may not set for others; each is an error to be shown, and fails nothing.
    pub blocked: Vec<String>,
}

/// The variables that `GITHUB_ENV` gives.
///
/// # Errors
/// [`FileCommandError`] when a line gives no value.
pub fn environment(text: &str) -> Result<Variables, FileCommandError> {
    let mut variables = Variables::default();
    for (name, value) in values(text)? {
        // By this one, a step could make Node.js run anything in later steps.
        if name.eq_ignore_ascii_case("NODE_OPTIONS") {
            variables.blocked.push(name);
        } else {
            variables.set.push((name, value));
        }
    }
    Ok(variables)
}

/// The folders that `GITHUB_PATH` gives; the last one is looked at first.
#[must_use]
pub fn paths(text: &str) -> Vec<String> {
    text.strip_prefix('\u{feff}')
        .unwrap_or(text)
        .split(['\n', '\r'])
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The text that `GITHUB_STEP_SUMMARY` gives, if there is any.
///
/// # Errors
/// [`FileCommandError::SummaryTooLarge`] when it is too long; then none of it is kept.
pub fn summary(text: &str) -> Result<Option<&str>, FileCommandError> {
    if text.len() > LIMIT_SUMMARY_BYTES {
        return Err(FileCommandError::SummaryTooLarge {
            size_bytes: text.len(),
        });
    }
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// Lines with whether a line break ends them.
struct Lines<'a> {
    rest: &'a str,
    number: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<(&'a str, bool)> {
        if self.rest.is_empty() {
            return None;
        }
        self.number += 1;
        let (line, rest, ended) = match self.rest.split_once('\n') {
            Some((line, rest)) => (line, rest, true),
            None => (self.rest, "", false),
        };
        self.rest = rest;
        Some((line, ended))
    }
}

/// The value that begins with a line.
fn value(line: &str, lines: &mut Lines<'_>) -> Result<(String, String), FileCommandError> {
    let equals = line.find('=');
    let heredoc = line.find("<<");
    match (equals, heredoc) {
        (Some(equals), heredoc) if heredoc.is_none_or(|heredoc| equals < heredoc) => {
            Ok((line[..equals].to_owned(), line[equals + 1..].to_owned()))
        }
        (_, Some(heredoc)) => {
            let (name, delimiter) = (&line[..heredoc], &line[heredoc + 2..]);
            if name.is_empty() || delimiter.is_empty() {
                return Err(FileCommandError::Incomplete {
                    line: lines.number,
                    text: shortened(line, 80),
                });
            }
            let value = until(delimiter, lines)?;
            Ok((name.to_owned(), value))
        }
        _ => Err(FileCommandError::Format {
            line: lines.number,
            text: shortened(line, 80),
        }),
    }
}

/// The lines up to the delimiter, without the last line break.
fn until(delimiter: &str, lines: &mut Lines<'_>) -> Result<String, FileCommandError> {
    let begin = lines.number;
    let text = lines.rest;
    let mut length = 0;
    loop {
        match lines.next() {
            Some((line, _)) if line == delimiter => break,
            Some((line, true)) => length += line.len() + 1,
            // The delimiter must stand on a line of its own.
            Some((_, false)) | None => {
                return Err(FileCommandError::NotClosed {
                    line: begin,
                    delimiter: delimiter.to_owned(),
                });
            }
        }
    }
    Ok(text[..length.saturating_sub(1)].to_owned())
}
