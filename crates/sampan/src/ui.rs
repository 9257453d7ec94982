//! How commands talk: results on standard output, progress on standard error.

mod progress;
mod table;
mod transfers;

use std::io::{IsTerminal as _, Write as _};

use serde::Serialize;

use crate::cli::Output;
use crate::failure::{Failure, OrFail as _};

pub(crate) use progress::Bar;
pub(crate) use table::{Table, age, size};
pub(crate) use transfers::Transfers;

/// The user's side of a command.
#[derive(Debug)]
pub(crate) struct Ui {
    output: Output,
    quiet: bool,
    bars: indicatif::MultiProgress,
}

impl Ui {
    /// Talks in the given format; shows progress unless `quiet`.
    pub(crate) fn new(output: Output, quiet: bool) -> Self {
        let bars = indicatif::MultiProgress::new();
        if quiet || !std::io::stderr().is_terminal() {
            bars.set_draw_target(indicatif::ProgressDrawTarget::hidden());
        }
        Self {
            output,
            quiet,
            bars,
        }
    }

    /// The chosen format of results.
    pub(crate) fn output(&self) -> Output {
        self.output
    }

    /// Whether a person watches the progress as it happens.
    pub(crate) fn is_live(&self) -> bool {
        !self.quiet && std::io::stderr().is_terminal()
    }

    /// Whether as little as possible is to be said.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// The progress area, for commands that draw more than one [`Bar`].
    pub(crate) fn bars(&self) -> &indicatif::MultiProgress {
        &self.bars
    }

    /// A bar over `total` bytes; it appears when the work takes longer than a moment.
    pub(crate) fn byte_bar(&self, label: impl Into<String>, total_bytes: u64) -> Bar {
        Bar::bytes(&self.bars, label.into(), total_bytes)
    }

    /// A bar for each of many blobs and one for all; they appear when the work takes longer than a moment.
    pub(crate) fn transfers(&self, label: impl Into<String>) -> Transfers {
        Transfers::new(&self.bars, label.into())
    }

    /// A spinner for work of unknown length; it appears when the work takes longer than a moment.
    pub(crate) fn spinner(&self, label: impl Into<String>) -> Bar {
        Bar::spinner(&self.bars, label.into())
    }

    /// Says on standard error what is going on; not part of the result.
    pub(crate) fn note(&self, text: impl AsRef<str>) {
        if !self.quiet {
            self.warn(text);
        }
    }

    /// Says on standard error what went wrong, however little was to be said.
    pub(crate) fn warn(&self, text: impl AsRef<str>) {
        self.bars.suspend(|| {
            // Standard error may be closed; the result is on standard output.
            drop(writeln!(std::io::stderr(), "{}", text.as_ref()));
        });
    }

    /// Says on standard error what others have to say, as it is.
    pub(crate) fn say(&self, bytes: &[u8]) {
        if !self.quiet {
            self.bars.suspend(|| {
                // Standard error may be closed; the result is on standard output.
                drop(std::io::stderr().write_all(bytes));
            });
        }
    }

    /// Prints one line of the result.
    pub(crate) fn line(&self, text: impl AsRef<str>) -> Result<(), Failure> {
        self.bytes(format!("{}\n", text.as_ref()).as_bytes())
    }

    /// Prints a result that is exactly these bytes.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        self.bars.suspend(|| {
            let mut stdout = std::io::stdout().lock();
            match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
                // Whoever read the result (`head`, a pager) has seen enough.
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
                outcome => outcome.or_fail("cannot write to standard output"),
            }
        })
    }

    /// Prints a result as JSON.
    pub(crate) fn json(&self, value: &impl Serialize) -> Result<(), Failure> {
        let text =
            serde_json::to_string_pretty(value).or_fail("cannot write the result as JSON")?;
        self.line(text)
    }

    /// Prints a table for people.
    pub(crate) fn table(&self, table: &Table) -> Result<(), Failure> {
        self.line(table.to_string())
    }

    /// Asks for a line of text, which is not shown when it is secret; `None` when nobody is there to answer.
    pub(crate) fn ask(&self, what: &str, secret: bool) -> Result<Option<String>, Failure> {
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return Ok(None);
        }
        self.bars.suspend(|| {
            let mut stderr = std::io::stderr();
            write!(stderr, "{what}: ")
                .and_then(|()| stderr.flush())
                .or_fail("cannot ask on standard error")?;
            let terminal = console::Term::stderr();
            let answer = if secret {
                terminal.read_secure_line()
            } else {
                terminal.read_line()
            };
            answer.or_fail("cannot read the answer").map(Some)
        })
    }

    /// Asks a question that is answered with yes or no; `None` when nobody is there to answer.
    pub(crate) fn confirm(&self, question: &str) -> Result<Option<bool>, Failure> {
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return Ok(None);
        }
        self.bars.suspend(|| {
            let mut stderr = std::io::stderr();
            write!(stderr, "{question} [y/N] ")
                .and_then(|()| stderr.flush())
                .or_fail("cannot ask on standard error")?;
            let mut answer = String::new();
            std::io::stdin()
                .read_line(&mut answer)
                .or_fail("cannot read the answer")?;
            Ok(Some(matches!(
                answer.trim().to_lowercase().as_str(),
                "y" | "yes"
            )))
        })
    }
}
