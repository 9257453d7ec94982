//! Instructions as typed values; variables in them are not expanded yet.

use super::heredoc::Heredoc;
use super::source::Span;
use super::statement::Pair;

/// An instruction with its place and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it does.
    pub instruction: Instruction,
    /// The logical line as written.
    pub original: String,
    /// Where it stands.
    pub span: Span,
}

/// What an instruction does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Instruction {
    /// ADD.
    Add(Transfer),
    /// ARG.
    Arg(Vec<Argument>),
    /// CMD.
    Cmd(CommandLine),
    /// COPY.
    Copy(Transfer),
    /// ENTRYPOINT.
    Entrypoint(CommandLine),
    /// ENV.
    Env(Vec<Pair>),
    /// EXPOSE.
    Expose(Vec<String>),
    /// FROM; begins a stage.
    From(From),
    /// HEALTHCHECK.
    Healthcheck(Healthcheck),
    /// LABEL.
    Label(Vec<Pair>),
    /// MAINTAINER.
    Maintainer(String),
    /// ONBUILD with the text of its trigger.
    Onbuild(String),
    /// RUN.
    Run(Run),
    /// SHELL.
    Shell(Vec<String>),
    /// STOPSIGNAL.
    StopSignal(String),
    /// USER.
    User(String),
    /// VOLUME.
    Volume(Vec<String>),
    /// WORKDIR.
    Workdir(String),
}

/// A name that ARG declares, with its default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// The name.
    pub name: String,
    /// The default, still quoted.
    pub default: Option<String>,
}

/// `FROM base [AS name]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct From {
    /// The base image or stage, not expanded.
    pub base: String,
    /// The name of the stage in lower case.
    pub name: Option<String>,
    /// `--platform`, not expanded.
    pub platform: Option<String>,
}

/// Whether a command is run by a shell or directly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One text for the shell.
    Shell,
    /// The arguments of a program (JSON form).
    Exec,
}

/// A command in either form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    /// The arguments; in shell form one text at most.
    pub words: Vec<String>,
    /// The form.
    pub form: Form,
}

/// RUN with its flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The command.
    pub command: CommandLine,
    /// The heredocs that the command uses.
    pub heredocs: Vec<Heredoc>,
    /// `--mount` values, not expanded.
    pub mounts: Vec<String>,
    /// `--network`.
    pub network: RunNetwork,
}

/// The network of one RUN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunNetwork {
    /// The network that the build was asked to use.
    #[default]
    Default,
    /// No network.
    None,
    /// The network of the machine.
    Host,
}

/// COPY or ADD.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transfer {
    /// The paths to take, not expanded.
    pub sources: Vec<String>,
    /// Files written in the Dockerfile itself.
    pub inline: Vec<Heredoc>,
    /// Where to, not expanded.
    pub destination: String,
    /// `--from`: a stage or an image instead of the context.
    pub from: Option<String>,
    /// `--chown`, not expanded.
    pub owner: Option<String>,
    /// `--chmod`, not expanded.
    pub mode: Option<String>,
    /// `--exclude` patterns.
    pub excludes: Vec<String>,
    /// `--parents`: keep the directories of the sources.
    pub parents: bool,
    /// `--unpack` of ADD: whether archives are unpacked.
    pub unpack: Option<bool>,
}

/// HEALTHCHECK; intervals are nanoseconds as the image configuration holds them, 0 for inherited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Healthcheck {
    /// `["NONE"]`, `["CMD", …]` or `["CMD-SHELL", text]`.
    pub test: Vec<String>,
    /// `--interval`.
    pub interval: i64,
    /// `--timeout`.
    pub timeout: i64,
    /// `--start-period`.
    pub start_period: i64,
    /// `--start-interval`.
    pub start_interval: i64,
    /// `--retries`.
    pub retries: i64,
}

impl Instruction {
    /// The keyword in upper case.
    #[must_use]
    pub fn keyword(&self) -> &'static str {
        match self {
            Self::Add(_) => "ADD",
            Self::Arg(_) => "ARG",
            Self::Cmd(_) => "CMD",
            Self::Copy(_) => "COPY",
            Self::Entrypoint(_) => "ENTRYPOINT",
            Self::Env(_) => "ENV",
            Self::Expose(_) => "EXPOSE",
            Self::From(_) => "FROM",
            Self::Healthcheck(_) => "HEALTHCHECK",
            Self::Label(_) => "LABEL",
            Self::Maintainer(_) => "MAINTAINER",
            Self::Onbuild(_) => "ONBUILD",
            Self::Run(_) => "RUN",
            Self::Shell(_) => "SHELL",
            Self::StopSignal(_) => "STOPSIGNAL",
            Self::User(_) => "USER",
            Self::Volume(_) => "VOLUME",
            Self::Workdir(_) => "WORKDIR",
        }
    }
}
