//! Problem matchers: patterns by which problems are found in what a step says.
//!
//! Their JSON is that of `actions/toolkit`, `docs/problem-matchers.md`; what a line means follows the runner's
//! `IssueMatcher`. [`Matchers`] are those of a job, [`Search`] looks at one output of one process.

mod json;
mod pattern;

use std::sync::Arc;

use super::command::{Annotation, Severity};
use pattern::{Groups, Pattern, TooMuch};

pub use json::LIMIT_BYTES;

/// As many patterns a job may have at once.
const LIMIT_PATTERNS: usize = 200;

/// As many lines may be too much for a matcher; then it looks at no more.
const LIMIT_STRIKES: u8 = 3;

/// Why a file holds no matchers.
#[derive(Debug, thiserror::Error)]
pub enum MatcherError {
    /// It is no JSON, or has another form.
    #[error("it is not as files of problem matchers are")]
    Json(#[source] serde_json::Error),
    /// It is longer than such files are.
    #[error("it is longer than {LIMIT_BYTES} bytes")]
    Long,
    /// There are more patterns than anybody looks for.
    #[error("the job would have more than {LIMIT_PATTERNS} patterns")]
    Many,
    /// A matcher breaks a rule.
    #[error("the problem matcher `{owner}` {problem}")]
    Rule {
        /// The owner of the matcher.
        owner: String,
        /// What is wrong, as a predicate.
        problem: String,
    },
    /// A pattern is none.
    #[error(
        "the problem matcher `{owner}` has the pattern `{pattern}`, which cannot be understood"
    )]
    Pattern {
        /// The owner of the matcher.
        owner: String,
        /// The pattern.
        pattern: String,
        /// The cause.
        #[source]
        source: Box<fancy_regex::Error>,
    },
}

/// The matchers of a job; the first one that matches a line counts.
#[derive(Debug, Clone, Default)]
pub struct Matchers(Vec<Arc<Matcher>>);

/// One matcher.
#[derive(Debug)]
struct Matcher {
    owner: String,
    /// What holds where a match says nothing; empty for an error.
    severity: String,
    /// From where files are named where a match says nothing.
    from_path: String,
    patterns: Vec<Pattern>,
    /// As it is written.
    written: serde_json::Value,
}

/// What was found in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is shown; its file is as the tool names it.
    pub annotation: Annotation,
    /// The file, such as that of a project, from whose folder the annotation's is named.
    pub from_path: Option<String>,
}

/// The parts of a match; one that a pattern has no group for is absent, one that matched nothing is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Match {
    file: Option<String>,
    line: Option<String>,
    column: Option<String>,
    severity: Option<String>,
    code: Option<String>,
    message: Option<String>,
    from_path: Option<String>,
}

impl Matchers {
    /// Reads the matchers of a file.
    ///
    /// # Errors
    /// [`MatcherError`] when it cannot be understood.
    pub fn parse(text: &str) -> Result<Self, MatcherError> {
        Ok(Self(json::parse(text)?.into_iter().map(Arc::new).collect()))
    }

    /// As a file would hold them.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let matchers = self.0.iter().map(|matcher| matcher.written.clone());
        serde_json::json!({"problemMatcher": matchers.collect::<Vec<_>>()})
    }

    /// Reads what [`Self::to_json`] gave.
    ///
    /// # Errors
    /// [`MatcherError`] when it is something else.
    pub fn of_json(json: serde_json::Value) -> Result<Self, MatcherError> {
        Ok(Self(json::read(json)?.into_iter().map(Arc::new).collect()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their owners.
    pub fn owners(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|matcher| matcher.owner.as_str())
    }

    /// Puts others before these; of one owner only the new one stays.
    ///
    /// # Errors
    /// [`MatcherError::Many`] when there would be too many; then all stay as they are.
    pub fn add(&mut self, mut added: Self) -> Result<(), MatcherError> {
        let owners: Vec<String> = added.owners().map(str::to_lowercase).collect();
        let is_other = |old: &&Arc<Matcher>| !owners.contains(&old.owner.to_lowercase());
        added.0.extend(self.0.iter().filter(is_other).cloned());
        let count = added.0.iter().map(|matcher| matcher.patterns.len());
        if count.sum::<usize>() > LIMIT_PATTERNS {
            return Err(MatcherError::Many);
        }
        *self = added;
        Ok(())
    }

    /// Removes those of an owner.
    pub fn remove(&mut self, owner: &str) {
        let owner = owner.to_lowercase();
        self.0.retain(|known| known.owner.to_lowercase() != owner);
    }
}

/// Looks for problems in one output of one process.
#[derive(Debug, Default)]
pub struct Search {
    running: Vec<Running>,
}

/// A matcher with how far it has come in the lines before: the match of each pattern but the last.
#[derive(Debug)]
struct Running {
    matcher: Arc<Matcher>,
    state: Vec<Option<Match>>,
    /// How many lines were too much for it.
    strikes: u8,
}

impl Search {
    /// Takes over other matchers; those that stay go on where they are.
    pub fn change(&mut self, matchers: &Matchers) {
        let mut before = std::mem::take(&mut self.running);
        for matcher in &matchers.0 {
            let known = before
                .iter()
                .position(|running| Arc::ptr_eq(&running.matcher, matcher));
            self.running.push(match known {
                Some(known) => before.swap_remove(known),
                None => Running {
                    state: vec![None; matcher.patterns.len() - 1],
                    matcher: Arc::clone(matcher),
                    strikes: 0,
                },
            });
        }
    }

    /// What a line, without its end, tells of; nothing when nobody waits for it any more.
    pub fn line(&mut self, line: &str, goes_on: &dyn Fn() -> bool) -> Option<Problem> {
        if self.running.is_empty() {
            return None;
        }
        let plain = without_colours(line);
        for place in 0..self.running.len() {
            let Some(found) = self.running[place].look(&plain, goes_on) else {
                continue;
            };
            for (other, running) in self.running.iter_mut().enumerate() {
                if other != place {
                    running.reset();
                }
            }
            if let Some(problem) = found.problem() {
                return Some(problem);
            }
        }
        None
    }
}

impl Running {
    fn reset(&mut self) {
        self.state.fill(None);
    }

    /// Looks at a line, unless too many were too much.
    fn look(&mut self, line: &str, goes_on: &dyn Fn() -> bool) -> Option<Match> {
        if self.strikes >= LIMIT_STRIKES {
            return None;
        }
        self.line(line, goes_on).unwrap_or_else(|TooMuch| {
            self.reset();
            self.strikes += 1;
            if self.strikes == LIMIT_STRIKES {
                let owner = &self.matcher.owner;
                tracing::warn!(owner, "lines are too much for a problem matcher");
            }
            None
        })
    }

    /// Looks at a line, the last pattern first: a line goes on with what was found, or begins anew.
    fn line(&mut self, line: &str, goes_on: &dyn Fn() -> bool) -> Result<Option<Match>, TooMuch> {
        let matcher = Arc::clone(&self.matcher);
        let last = matcher.patterns.len() - 1;
        for (place, pattern) in matcher.patterns.iter().enumerate().rev() {
            let before = match place.checked_sub(1) {
                None => None,
                Some(place) => match &self.state[place] {
                    None => continue,
                    before => before.clone(),
                },
            };
            if !goes_on() {
                return Ok(None);
            }
            let found = pattern.find(line)?;
            let found = found.map(|found| found.after(before.as_ref()));
            if place < last {
                self.state[place] = found;
                continue;
            }
            let Some(found) = found else {
                // The lines must follow each other.
                if let Some(state) = self.state.last_mut() {
                    *state = None;
                }
                continue;
            };
            self.reset();
            if pattern.loops
                && let Some(state) = self.state.last_mut()
            {
                *state = before;
            }
            return Ok(Some(found.or(&matcher)));
        }
        Ok(None)
    }
}

impl Match {
    /// What the lines before told counts more.
    fn after(self, before: Option<&Self>) -> Self {
        let Some(before) = before else {
            return self;
        };
        let of = |before: &Option<String>, own: Option<String>| before.clone().or(own);
        Self {
            file: of(&before.file, self.file),
            line: of(&before.line, self.line),
            column: of(&before.column, self.column),
            severity: of(&before.severity, self.severity),
            code: of(&before.code, self.code),
            message: of(&before.message, self.message),
            from_path: of(&before.from_path, self.from_path),
        }
    }

    /// What the matcher says where the match says nothing.
    fn or(mut self, matcher: &Matcher) -> Self {
        let filled = |own: Option<String>, usual: &str| match own {
            Some(own) if !own.is_empty() => Some(own),
            own if usual.is_empty() => own,
            _ => Some(usual.to_owned()),
        };
        self.severity = filled(self.severity, &matcher.severity);
        self.from_path = filled(self.from_path, &matcher.from_path);
        self
    }

    /// What is shown; nothing when there is no message, or a severity that nobody knows.
    fn problem(self) -> Option<Problem> {
        let message = self.message.filter(|text| !text.trim().is_empty())?;
        let severity = severity(self.severity.as_deref().unwrap_or_default())?;
        let number = |text: Option<String>| text.and_then(|text| text.parse().ok());
        let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        Some(Problem {
            annotation: Annotation {
                severity,
                message,
                title: None,
                file: filled(self.file),
                line: number(self.line),
                end_line: None,
                column: number(self.column),
                end_column: None,
            },
            from_path: filled(self.from_path),
        })
    }
}

fn severity(name: &str) -> Option<Severity> {
    match &*name.to_ascii_lowercase() {
        "" | "error" => Some(Severity::Error),
        "warning" => Some(Severity::Warning),
        "notice" => Some(Severity::Notice),
        _ => None,
    }
}

/// A line without the sequences by which terminals show colours.
fn without_colours(line: &str) -> std::borrow::Cow<'_, str> {
    const BEGIN: &str = "\u{1b}[";
    if !line.contains(BEGIN) {
        return line.into();
    }
    let mut pieces = line.split(BEGIN);
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let rest = piece.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        plain.push_str(rest.strip_prefix('m').unwrap_or(rest));
    }
    plain.into()
}
