//! A command that has ended, with what it printed.

use std::process::{Command, Output};

/// Exit code and output of a command.
#[derive(Debug, Clone)]
pub struct Finished {
    /// What was run, for messages.
    pub command: String,
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output as text.
    pub stdout: String,
    /// Standard error as text.
    pub stderr: String,
}

impl Finished {
    /// Runs a command to its end.
    #[must_use]
    pub fn of(command: &mut Command) -> Self {
        let shown = format!("{command:?}");
        let output = command
            .output()
            .unwrap_or_else(|error| panic!("cannot run {shown}: {error}"));
        Self::from_output(shown, &output)
    }

    fn from_output(command: String, output: &Output) -> Self {
        Self {
            command,
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The standard output of a command that must have succeeded.
    #[track_caller]
    #[must_use]
    pub fn stdout(self) -> String {
        self.expect_code(0).stdout
    }

    /// Fails the test unless the command ended with this code.
    #[track_caller]
    #[must_use]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "{}\n--- stdout\n{}\n--- stderr\n{}",
            self.command,
            self.stdout,
            self.stderr
        );
        self
    }

    /// Fails the test unless standard error contains this text.
    #[track_caller]
    #[must_use]
    pub fn expect_stderr(self, text: &str) -> Self {
        assert!(
            self.stderr.contains(text),
            "{}\n--- expected in stderr: {text}\n--- stderr\n{}",
            self.command,
            self.stderr
        );
        self
    }

    /// Standard output read as JSON.
    #[track_caller]
    #[must_use]
    pub fn json(self) -> serde_json::Value {
        let text = self.stdout();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("no JSON ({error}): {text}"))
    }
}
