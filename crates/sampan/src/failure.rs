//! Why a command did not succeed: message, causes, hint and exit code, mapped once.

use std::error::Error as StdError;
use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use sampan_model::Hint;
use sampan_oci::reference::ReferenceError;

use crate::cli::Output;

/// The exit codes of Sampan's own; see `sampan --help`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// It did not work.
    Failed = 1,
    /// Something that was named does not exist.
    NotFound = 3,
    /// It contradicts what already exists.
    Refused = 4,
    /// Content is damaged, incomplete or not what its digest says.
    Damaged = 5,
    /// The rollout failed and the previous release runs again.
    RolledBack = 6,
}

/// What `main` reports: a message with its causes, the next step, and the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    error: anyhow::Error,
    hint: Option<String>,
    code: u8,
}

impl Failure {
    /// A failure that has no other error as its cause.
    pub(crate) fn new(message: impl Display) -> Self {
        Self {
            error: anyhow::anyhow!(message.to_string()),
            hint: None,
            code: Exit::Failed as u8,
        }
    }

    /// Says what to do next.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Ends the process with this code.
    pub(crate) fn with_exit(mut self, exit: Exit) -> Self {
        self.code = exit as u8;
        self
    }

    /// The failure of reading what the user has named: when that is not there, the exit code says so.
    pub(crate) fn of_named(self) -> Self {
        let mut causes = self.error.chain();
        let is_absent = causes.any(|cause| {
            let cause = cause.downcast_ref::<std::io::Error>();
            cause.is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound)
        });
        if is_absent {
            self.with_exit(Exit::NotFound)
        } else {
            self
        }
    }

    /// Ends the process with a code that is not Sampan's own, such as those of `sampan run`.
    pub(crate) fn with_code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }

    /// The message with its causes, in one line.
    pub(crate) fn message(&self) -> String {
        format!("{:#}", self.error)
    }

    /// Writes the failure to standard error and gives the exit code.
    pub(crate) fn report(&self, output: Output) -> ExitCode {
        let mut stderr = std::io::stderr().lock();
        let outcome = match output {
            Output::Text => self.write_text(&mut stderr),
            Output::Json => writeln!(stderr, "{}", self.to_json()),
        };
        // Standard error may be closed; the exit code still tells.
        drop(outcome);
        ExitCode::from(self.code)
    }

    fn write_text(&self, to: &mut impl std::io::Write) -> std::io::Result<()> {
        writeln!(
            to,
            "{} {}",
            console::style("error:").red().bold().for_stderr(),
            self.error
        )?;
        for cause in self.error.chain().skip(1) {
            writeln!(
                to,
                "  {} {cause}",
                console::style("because:").dim().for_stderr()
            )?;
        }
        if let Some(hint) = &self.hint {
            writeln!(
                to,
                "  {} {hint}",
                console::style("hint:").cyan().for_stderr()
            )?;
        }
        Ok(())
    }

    fn to_json(&self) -> serde_json::Value {
        let causes: Vec<_> = self
            .error
            .chain()
            .skip(1)
            .map(ToString::to_string)
            .collect();
        serde_json::json!({
            "error": self.error.to_string(),
            "causes": causes,
            "hint": self.hint,
            "code": self.code,
        })
    }
}

impl<E: Hint + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        let hint = error.hint();
        Self {
            error: error.into(),
            hint,
            code: Exit::Failed as u8,
        }
    }
}

/// Says what is wrong with the command line, and with a name in it what to do; also help and version come this way.
pub(crate) fn refused(mut error: clap::Error) -> ExitCode {
    plain_usage(&mut error);
    // Both streams may be closed; the exit code still tells.
    drop(error.print());
    let name = error
        .source()
        .and_then(|source| source.downcast_ref::<ReferenceError>());
    if let Some(hint) = name.and_then(Hint::hint) {
        drop(writeln!(std::io::stderr(), "hint: {hint}"));
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Exit::Failed as u8))
}

/// Takes the option `--data` out of the line of usage, which shows it like a required one when the environment gives it.
fn plain_usage(error: &mut clap::Error) {
    let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) else {
        return;
    };
    let usage = usage.ansi().to_string();
    // Each word is followed by what ends its colour.
    let Some((before, rest)) = usage.split_once("--data") else {
        return;
    };
    let Some((_, after)) = rest.split_once("<DIR>") else {
        return;
    };
    let after = after.trim_start_matches("\u{1b}[0m").trim_start();
    let usage = format!("{}\u{1b}[0m{after}", before.trim_end());
    error.insert(ContextKind::Usage, ContextValue::StyledStr(usage.into()));
}

/// Turns errors of other crates, which know no hints, into failures.
pub(crate) trait OrFail<T> {
    /// Says which operation failed.
    fn or_fail(self, operation: impl Display) -> Result<T, Failure>;
}

impl<T, E: StdError + Send + Sync + 'static> OrFail<T> for Result<T, E> {
    fn or_fail(self, operation: impl Display) -> Result<T, Failure> {
        self.map_err(|error| Failure {
            error: anyhow::Error::new(error).context(operation.to_string()),
            hint: None,
            code: Exit::Failed as u8,
        })
    }
}
