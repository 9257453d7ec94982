//! What can be wrong with a Dockerfile, and where.

use std::fmt;

use sampan_model::{Hint, shortened};
use sampan_oci::reference::ReferenceError;

use super::expand::ExpandError;
use super::source::Span;

/// An error in a Dockerfile with its place.
#[derive(Debug, thiserror::Error)]
#[error("line {}{}", self.span, self.quoted())]
pub struct ParseError {
    /// The lines of the instruction.
    pub span: Span,
    /// The instruction as written, on one line.
    pub instruction: String,
    /// What is wrong.
    #[source]
    pub cause: Box<SyntaxError>,
}

/// Instructions are quoted up to this many characters.
const QUOTE_LENGTH: usize = 120;

impl ParseError {
    pub(crate) fn new(span: Span, instruction: &str, cause: SyntaxError) -> Self {
        Self {
            span,
            instruction: instruction.trim().to_owned(),
            cause: Box::new(cause),
        }
    }

    fn quoted(&self) -> String {
        if self.instruction.is_empty() {
            return String::new();
        }
        format!(": `{}`", shortened(&self.instruction, QUOTE_LENGTH))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(formatter, "{}", self.first)
        } else {
            write!(formatter, "{}-{}", self.first, self.last)
        }
    }
}

impl Hint for ParseError {
    fn hint(&self) -> Option<String> {
        self.cause.hint()
    }
}

/// What is wrong with an instruction.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SyntaxError {
    /// The file holds no instruction at all.
    #[error("the file holds no instructions")]
    NoInstructions,
    /// A keyword that Dockerfiles do not have.
    #[error("unknown instruction `{keyword}`")]
    UnknownInstruction {
        /// The keyword as written.
        keyword: String,
        /// The keyword that was probably meant.
        suggestion: Option<&'static str>,
    },
    /// Something other than ARG before the first FROM.
    #[error("no build stage yet: only `ARG` may stand before the first `FROM`")]
    BeforeFrom,
    /// The file has ARG only.
    #[error("the file holds no build stage")]
    NoStage,
    /// `# escape=` with something else than a backslash or a backtick.
    #[error("invalid escape token `{token}`")]
    EscapeToken {
        /// The token as written.
        token: String,
    },
    /// A directive that stands twice.
    #[error("the parser directive `{name}` stands twice")]
    RepeatedDirective {
        /// The directive.
        name: String,
    },
    /// A heredoc whose end is missing.
    #[error("unterminated heredoc, no line `{name}`")]
    UnterminatedHeredoc {
        /// The word that should end it.
        name: String,
    },
    /// A heredoc as the destination of COPY or ADD.
    #[error("a heredoc cannot be the destination")]
    HeredocDestination,
    /// A heredoc whose word cannot be the name of the file that it becomes.
    #[error("the heredoc `{name}` cannot be the name of a file")]
    HeredocName {
        /// The word.
        name: String,
    },
    /// A JSON array with something else than strings.
    #[error("an array in JSON form must hold strings only")]
    NotOnlyStrings,
    /// `SHELL` without a JSON array.
    #[error("`{keyword}` needs the JSON form")]
    NeedsJson {
        /// The keyword.
        keyword: &'static str,
    },
    /// `ENV NAME` without a value.
    #[error("`{keyword}` needs a name and a value, `{name}` has no value")]
    MissingValue {
        /// The keyword.
        keyword: &'static str,
        /// The name.
        name: String,
    },
    /// A word without `=` among `name=value` words.
    #[error("`{word}` is not of the form `name=value`")]
    MissingEquals {
        /// The word.
        word: String,
    },
    /// `=value`.
    #[error("the name before `=` is empty")]
    BlankName,
    /// The wrong number of arguments.
    #[error("`{keyword}` needs {needed}, {given} given")]
    ArgumentCount {
        /// The keyword.
        keyword: &'static str,
        /// How many it needs, in words.
        needed: &'static str,
        /// How many there are.
        given: usize,
    },
    /// A stage name with characters that names cannot have.
    #[error("invalid stage name `{name}`")]
    StageName {
        /// The name as written.
        name: String,
    },
    /// FROM with a base that expands to nothing.
    #[error("the base image `{written}` is empty after expansion")]
    BlankBase {
        /// The base as written.
        written: String,
    },
    /// A flag that the instruction does not have.
    #[error("`{keyword}` has no flag `--{flag}`")]
    UnknownFlag {
        /// The keyword.
        keyword: &'static str,
        /// The flag.
        flag: String,
        /// The flag that was probably meant.
        suggestion: Option<&'static str>,
    },
    /// A flag that stands twice.
    #[error("the flag `--{flag}` stands twice")]
    RepeatedFlag {
        /// The flag.
        flag: String,
    },
    /// A flag without a value, or with a wrong one.
    #[error("invalid value `{value}` of `--{flag}`, expected {expected}")]
    FlagValue {
        /// The flag.
        flag: String,
        /// The value as written.
        value: String,
        /// What should stand there.
        expected: &'static str,
    },
    /// Something valid in Dockerfiles that Sampan does not do.
    #[error("{what} is not supported")]
    Unsupported {
        /// The thing.
        what: String,
        /// What to do instead.
        instead: &'static str,
    },
    /// HEALTHCHECK with another kind than CMD or NONE.
    #[error("unknown kind `{kind}` of health check")]
    HealthKind {
        /// The kind as written.
        kind: String,
    },
    /// ONBUILD with an instruction that it cannot hold.
    #[error("`{keyword}` cannot be an ONBUILD trigger")]
    OnbuildTrigger {
        /// The keyword.
        keyword: String,
    },
    /// ONBUILD inside ONBUILD.
    #[error("`ONBUILD` cannot hold another `ONBUILD`")]
    OnbuildNested,
    /// A malformed port.
    #[error("invalid port `{port}`")]
    Port {
        /// The port as written.
        port: String,
    },
    /// A malformed mount of RUN.
    #[error("invalid mount: {problem}")]
    Mount {
        /// What is wrong with it.
        problem: String,
    },
    /// An unknown signal.
    #[error("unknown signal `{signal}`")]
    Signal {
        /// The signal as written.
        signal: String,
    },
    /// The name of a base image that is none.
    #[error("the base image has no valid name")]
    Reference(#[source] ReferenceError),
    /// A variable expansion that fails.
    #[error("cannot expand variables")]
    Expand(#[from] ExpandError),
}

impl Hint for SyntaxError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::UnknownInstruction {
                suggestion: Some(keyword),
                ..
            } => {
                format!("did you mean `{keyword}`?")
            }
            Self::UnknownInstruction { .. } => {
                "a line that continues the one before it needs a `\\` at the end of that line"
                    .into()
            }
            Self::NoInstructions | Self::NoStage | Self::BeforeFrom => {
                "begin with `FROM image`, for instance `FROM debian:bookworm-slim`".into()
            }
            Self::EscapeToken { .. } => "use `# escape=\\` or `# escape=``".into(),
            Self::UnterminatedHeredoc { name } => {
                format!("end it with a line that holds only `{name}`, without blanks around it")
            }
            Self::HeredocName { .. } => {
                "name it without `/`, and put the folder into the destination: `COPY <<app.conf /etc/app/`"
                    .into()
            }
            Self::NeedsJson { keyword } => format!("write `{keyword} [\"/bin/sh\", \"-c\"]`"),
            Self::MissingValue { keyword, name } => format!("write `{keyword} {name}=value`"),
            Self::MissingEquals { word } => {
                format!("quote values with spaces: `name=\"value {word}\"`")
            }
            Self::StageName { .. } => {
                "a name begins with a letter and holds letters, digits, `-`, `_` and `.`".into()
            }
            Self::BlankBase { .. } => {
                "give the variable a default: `ARG NAME=value` before the first `FROM`".into()
            }
            Self::UnknownFlag {
                suggestion: Some(flag),
                ..
            } => format!("did you mean `--{flag}`?"),
            Self::Unsupported { instead, .. } => (*instead).into(),
            Self::HealthKind { .. } => {
                "write `HEALTHCHECK CMD command` or `HEALTHCHECK NONE`".into()
            }
            Self::Reference(cause) => return cause.hint(),
            Self::Port { .. } => {
                "write a number, a range, and `/tcp` or `/udp`: `8000-8010/tcp`".into()
            }
            Self::Expand(ExpandError::Required { name, .. }) => {
                format!("give it with `--build-arg {name}=…`")
            }
            Self::Expand(ExpandError::UnterminatedQuote { .. }) => {
                "escape the quote with a backslash to mean the character itself".into()
            }
            _ => return None,
        })
    }
}
