//! Workflow commands: what a step says to its runner on its output.
//!
//! `::set-output name=a::b` stands alone on a line, `##[group]a` may have text before it. [`Commands`] takes output as it
//! comes, in pieces of any size, and tells text from commands. What may become a command is kept until the line ends, but no
//! more than [`LIMIT_LINE_BYTES`] of it; the text before it is passed on at once.

mod annotation;
mod syntax;

pub use annotation::{Annotation, Severity};

/// The longest line that can be a command; what is longer is text.
pub const LIMIT_LINE_BYTES: usize = 1 << 20;

/// What a step said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said<'a> {
    /// Text for the log; a line may come in several pieces.
    Text(&'a [u8]),
    /// A command.
    Command(Command),
}

/// What a step asks of its runner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A value for later steps.
    SetOutput {
        /// Its name.
        name: String,
        /// The value.
        value: String,
    },
    /// A value for the end of the same action.
    SaveState {
        /// Its name.
        name: String,
        /// The value.
        value: String,
    },
    /// A variable for later steps.
    SetEnvironment {
        /// Its name.
        name: String,
        /// The value.
        value: String,
    },
    /// A folder in which later steps look for programs.
    AddPath(String),
    /// A text that must not be seen in logs; its lines must not be seen either.
    AddMask(String),
    /// Text that is only seen when the user asked for more output.
    Debug(String),
    /// Something to be shown with the results.
    Annotation(Annotation),
    /// What follows can be folded, under this title.
    Group(String),
    /// The fold ends.
    EndGroup,
    /// Whether commands are seen in the log from now on.
    Echo(bool),
    /// A file with patterns that find problems in the output.
    AddMatcher(String),
    /// The patterns that are no longer looked for.
    RemoveMatcher {
        /// By the name of their owner.
        owner: Option<String>,
        /// By their file.
        file: Option<String>,
    },
    /// Commands are text until this token comes.
    Stop(String),
    /// The token came.
    Resume,
    /// A command that is not carried out.
    Refused(CommandError),
}

/// Why a command is not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// `set-env` and `add-path` let any output of any program change what later steps do.
    #[error("the command `{command}` is disabled")]
    Disabled {
        /// The command.
        command: &'static str,
    },
    /// A property that must be there.
    #[error("the command `{command}` lacks `{property}`")]
    Missing {
        /// The command.
        command: &'static str,
        /// The property.
        property: &'static str,
    },
    /// `echo` that says neither.
    #[error("the command `echo` takes `on` or `off`, not `{value}`")]
    Echo {
        /// What it says.
        value: String,
    },
    /// A token that is empty or the name of a command.
    #[error("the token of `stop-commands` must be a text of its own")]
    StopToken,
    /// `remove-matcher` with both or neither.
    #[error("the command `remove-matcher` takes an owner or a file")]
    RemoveMatcher,
}

impl CommandError {
    /// Whether the step fails by it. The others are no more than a warning.
    #[must_use]
    pub fn fails_step(&self) -> bool {
        match self {
            Self::Disabled { .. } | Self::Echo { .. } | Self::StopToken => true,
            Self::Missing { command, .. } => !matches!(*command, "add-mask" | "add-matcher"),
            Self::RemoveMatcher => false,
        }
    }
}

impl sampan_model::Hint for CommandError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Disabled { command: "set-env" } => {
                Some("append `NAME=VALUE` to the file `$GITHUB_ENV`".to_owned())
            }
            Self::Disabled { .. } => {
                Some("append the folder to the file `$GITHUB_PATH`".to_owned())
            }
            Self::StopToken => Some("take a random text".to_owned()),
            _ => None,
        }
    }
}

/// The output of one step, told apart as it comes.
#[derive(Debug, Default)]
pub struct Commands {
    /// What may be a command, of a line that has not ended.
    line: Vec<u8>,
    /// Whether text before it was passed on.
    has_begun: bool,
    /// How long the line is so far.
    line_bytes: usize,
    /// The token by which commands are heard again.
    stopped: Option<String>,
    echo: bool,
    unsecure: bool,
}

impl Commands {
    /// A step whose commands are looked at. `unsecure` is whether its environment has
    /// `ACTIONS_ALLOW_UNSECURE_COMMANDS=true`, which brings `set-env` and `add-path` back.
    #[must_use]
    pub fn new(unsecure: bool) -> Self {
        Self {
            unsecure,
            ..Self::default()
        }
    }

    /// Takes the next piece of the output.
    pub fn push(&mut self, mut bytes: &[u8], said: &mut impl FnMut(Said<'_>)) {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (line, rest) = bytes.split_at(end + 1);
            bytes = rest;
            if self.line.is_empty() && !self.has_begun && line.len() <= LIMIT_LINE_BYTES {
                // Most lines are whole, and need not be copied.
                self.whole_line(line, false, said);
                continue;
            }
            self.begin(line, said);
            self.finish(said);
        }
        self.begin(bytes, said);
    }

    /// Takes the end of the output, or of a line.
    pub fn finish(&mut self, said: &mut impl FnMut(Said<'_>)) {
        let has_begun = std::mem::take(&mut self.has_begun);
        self.line_bytes = 0;
        if !self.line.is_empty() {
            let bytes = std::mem::take(&mut self.line);
            self.whole_line(&bytes, has_begun, said);
        }
    }

    /// Keeps what may be a command of a line that has not ended; the text before it is passed on, so that what programs
    /// say little by little is seen.
    fn begin(&mut self, bytes: &[u8], said: &mut impl FnMut(Said<'_>)) {
        if bytes.is_empty() {
            return;
        }
        self.line.extend_from_slice(bytes);
        self.line_bytes += bytes.len();
        let text = if self.line_bytes > LIMIT_LINE_BYTES {
            self.line.len()
        } else {
            syntax::text_before(&self.line, self.has_begun)
        };
        if text > 0 {
            said(Said::Text(&self.line[..text]));
            self.line.drain(..text);
            self.has_begun = true;
        }
    }

    fn whole_line(&mut self, bytes: &[u8], has_begun: bool, said: &mut impl FnMut(Said<'_>)) {
        if !syntax::may_be_command(bytes) {
            said(Said::Text(bytes));
            return;
        }
        // The same as when the line comes in pieces.
        let text = syntax::text_before(bytes, has_begun);
        let line = String::from_utf8_lossy(&bytes[text..]);
        let line = line.trim_end_matches(['\r', '\n']);
        let Some(command) = syntax::parse(line, self.stopped.as_deref()) else {
            said(Said::Text(bytes));
            return;
        };
        if self.stopped.is_some() {
            said(Said::Text(bytes));
            if self
                .stopped
                .as_deref()
                .is_some_and(|token| command.is(token))
            {
                self.stopped = None;
                said(Said::Command(Command::Resume));
            }
            return;
        }
        let shown = command.shown(self.echo);
        let command = command.understand(self.unsecure);
        if shown || matches!(command, Command::Stop(_) | Command::Refused(_)) {
            said(Said::Text(bytes));
        } else if has_begun || text > 0 {
            if text > 0 {
                said(Said::Text(&bytes[..text]));
            }
            said(Said::Text(b"\n"));
        }
        match &command {
            Command::Stop(token) => self.stopped = Some(token.clone()),
            Command::Echo(echo) => self.echo = *echo,
            _ => {}
        }
        said(Said::Command(command));
    }
}
