//! Why a template could not be parsed or carried out, in Go's words and in those of both Helms.

use std::fmt;

use crate::compatibility::Compatibility;
use crate::functions::FunctionError;

/// What a template fails with. Its text is Go's.
///
/// The cause stands in the text, as Go's wrapped errors have it: Helm 4 takes the text apart again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The text is no template.
    Parse {
        /// The name of the text.
        name: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        text: String,
    },
    /// There is no template of that name.
    Missing {
        /// The name, in quotes.
        name: String,
    },
    /// Something failed while a template was carried out.
    Execute {
        /// Template, line and column.
        location: String,
        /// The name of the template, in quotes.
        template: String,
        /// The expression, as Go prints it.
        expression: String,
        /// What is wrong, or what the cause was met with.
        text: String,
        /// The failure of a function.
        cause: Option<Box<FunctionError>>,
    },
}

/// What `fail` and `required` put around their messages, so that these can be told from the rest.
const MESSAGE_START: &str = "HELM_ERR_START";
const MESSAGE_END: &str = "HELM_ERR_END";

impl Error {
    /// The text that Helm prints for a failure in a file of a chart.
    #[must_use]
    pub fn report(&self, file: &str, compatibility: Compatibility) -> String {
        match self {
            Self::Parse { .. } => self.report_parse(file),
            Self::Missing { .. } => self.to_string(),
            Self::Execute { location, .. } => {
                let text = self.to_string();
                match (message(&text), compatibility) {
                    (Some(message), _) => format!("execution error at ({location}): {message}"),
                    (None, Compatibility::Helm3) => text,
                    (None, Compatibility::Helm4) => self.trace().unwrap_or(text),
                }
            }
        }
    }

    /// Helm keeps the place and the last part of the text.
    fn report_parse(&self, file: &str) -> String {
        let text = self.to_string();
        let mut parts = text.split(": ").skip(1);
        match (parts.next(), parts.last()) {
            (Some(location), Some(last)) => format!("parse error at ({location}): {last}"),
            (Some(only), None) => format!("parse error at ({only}): {only}"),
            (None, _) => format!("parse error in ({file}): {text}"),
        }
    }

    /// Helm 4's form: a few lines for each template on the way to the failure. None when something on the way is no
    /// failure of a template: then the text is printed as it is.
    fn trace(&self) -> Option<String> {
        let mut traces: Vec<String> = Vec::new();
        let mut next = Some(self);
        while let Some(error) = next {
            let trace = trace_of(&error.to_string())?;
            if traces.last() != Some(&trace) {
                traces.push(trace);
            }
            next = match error {
                Self::Execute { cause: None, .. } | Self::Parse { .. } | Self::Missing { .. } => {
                    None
                }
                Self::Execute {
                    cause: Some(cause), ..
                } if cause.text().is_empty() => cause.cause(),
                // A function that says something of its own: Helm does not understand it.
                Self::Execute { .. } => return None,
            };
        }
        Some(traces.concat().trim().to_owned())
    }

    /// What it says itself, without what its cause says.
    fn write_head(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parse { name, line, text } => write!(f, "template: {name}:{line}: {text}"),
            Self::Missing { name } => write!(
                f,
                "template: no template {name} associated with template \"gotpl\""
            ),
            Self::Execute {
                location,
                template,
                expression,
                text,
                ..
            } => write!(
                f,
                "template: {location}: executing {template} at <{expression}>: {text}"
            ),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A thousand templates can include one another: no recursion.
        let mut next = Some(self);
        while let Some(error) = next {
            error.write_head(f)?;
            let Self::Execute {
                cause: Some(cause), ..
            } = error
            else {
                break;
            };
            f.write_str(cause.text())?;
            next = cause.cause();
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// The message of `fail` or `required` in a text.
fn message(text: &str) -> Option<&str> {
    // Helm looks behind the place only.
    let behind = text.splitn(3, ": ").nth(2)?;
    let (_, message) = behind.split_once(MESSAGE_START)?;
    let (message, _) = message.rsplit_once(MESSAGE_END)?;
    Some(message)
}

/// Marks a message for [`Error::report`].
pub(crate) fn mark_message(message: &str) -> String {
    format!("{MESSAGE_START}{message}{MESSAGE_END}")
}

/// The lines of one error in Helm 4's form.
fn trace_of(text: &str) -> Option<String> {
    let rest = text.strip_prefix("template: ")?;
    if rest.starts_with("no template ") {
        return Some(format!("{text}\n"));
    }
    let execution = rest
        .split_once(": executing ")
        .and_then(|(location, behind)| Some((location, split_execution(behind)?)));
    if let Some((location, (executing, message))) = execution {
        let message = cut_cause(message);
        return Some(format!(
            "{location}\n  executing {executing}:\n    {message}\n"
        ));
    }
    let (location, message) = rest.rsplit_once(": ")?;
    let message = cut_cause(message);
    Some(format!("{location}\n  {message}\n"))
}

/// Splits `"name" at <expression>: message` in front of the message's colon.
fn split_execution(text: &str) -> Option<(&str, &str)> {
    let name = text.strip_prefix('"')?;
    let quote = name.find('"')?;
    let at = name[quote + 1..].strip_prefix(" at <")?;
    let expression = at.find(">: ")?;
    let start = text.len() - at.len();
    let message = &at[expression + 3..];
    Some((&text[..=start + expression], message))
}

/// A message without the error of another template behind it.
fn cut_cause(message: &str) -> &str {
    message
        .find(" template:")
        .map_or(message, |cut| &message[..cut])
}
