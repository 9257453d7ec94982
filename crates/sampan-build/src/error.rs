//! Why a build does not succeed.

use std::io;
use std::path::{Path, PathBuf};

use sampan_model::{Hint, shortened};
use sampan_oci::layer::LayerError;
use sampan_oci::reference::ReferenceError;
use sampan_oci::snapshot::SnapshotError;
use sampan_oci::store::StoreError;

use crate::dockerfile::Span;
use crate::dockerfile::error::{ParseError, SyntaxError};
use crate::dockerfile::instruction::Step;
use crate::ignore::IgnoreError;

/// An operation on a file that the operating system refused.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} `{}`", path.display())]
pub struct IoError {
    /// What was tried.
    pub action: &'static str,
    /// On what.
    pub path: PathBuf,
    /// Why not.
    #[source]
    pub source: io::Error,
}

impl IoError {
    /// For `map_err`.
    pub(crate) fn new<E: Into<io::Error>>(
        action: &'static str,
        path: &Path,
    ) -> impl FnOnce(E) -> Self {
        let path = path.to_owned();
        move |source| Self {
            action,
            path,
            source: source.into(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self.source.kind() {
            io::ErrorKind::StorageFull => Some(
                "make room on that file system, then build again: finished steps are kept".into(),
            ),
            io::ErrorKind::PermissionDenied => Some("run the command as root".into()),
            _ => None,
        }
    }
}

/// Why a build does not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The context is no folder.
    #[error("the context `{}` is not a folder", path.display())]
    Context {
        /// The context.
        path: PathBuf,
    },
    /// The time that the build shall give to what it makes is none.
    #[error("`SOURCE_DATE_EPOCH` is `{value}`, which is no number of seconds")]
    Epoch {
        /// The value as given.
        value: String,
    },
    /// There is no Dockerfile.
    #[error("there is no Dockerfile `{}`", path.display())]
    NoDockerfile {
        /// Where it was looked for.
        path: PathBuf,
        /// A file beside it with a similar name.
        suggestion: Option<String>,
    },
    /// The Dockerfile has an error.
    #[error("`{}` is not valid", path.display())]
    Dockerfile {
        /// The file.
        path: PathBuf,
        /// The place and the cause.
        #[source]
        source: ParseError,
    },
    /// The ignore file has an error.
    #[error("`{}` is not valid", path.display())]
    Ignore {
        /// The file.
        path: PathBuf,
        /// The place and the cause.
        #[source]
        source: IgnoreError,
    },
    /// The stage to build does not exist.
    #[error("there is no stage `{target}`")]
    UnknownTarget {
        /// The name as given.
        target: String,
        /// A stage with a similar name.
        suggestion: Option<String>,
        /// All stages.
        known: Vec<String>,
    },
    /// A step failed.
    #[error("line {span}: `{}`", shortened(original, 120))]
    Step {
        /// Where it stands.
        span: Span,
        /// The instruction as written.
        original: String,
        /// What happened.
        #[source]
        cause: Box<StepError>,
    },
    /// The Dockerfile has an error that shows only when it is resolved.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// A file cannot be worked with.
    #[error(transparent)]
    Io(#[from] IoError),
    /// The content store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Containers of an interrupted build cannot be removed.
    #[error("cannot clean up after an interrupted build")]
    CleanUp(#[source] sampan_container::Error),
}

impl BuildError {
    pub(crate) fn step(step: &Step, cause: StepError) -> Self {
        Self::at(step.span, &step.original, cause)
    }

    pub(crate) fn at(span: Span, original: &str, cause: StepError) -> Self {
        Self::Step {
            span,
            original: original.to_owned(),
            cause: Box::new(cause),
        }
    }
}

impl Hint for BuildError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Context { .. } => Some("name the folder that holds the files to build".into()),
            Self::Epoch { .. } => Some(
                "give whole seconds since 1970, such as `git log -1 --format=%ct` prints".into(),
            ),
            Self::NoDockerfile {
                suggestion: Some(name),
                ..
            } => Some(format!(
                "did you mean `{name}`? Choose it with `--file {name}`"
            )),
            Self::NoDockerfile { .. } => {
                Some("write one, or name another file with `--file`".into())
            }
            Self::Dockerfile { source, .. } | Self::Parse(source) => source.hint(),
            Self::Ignore { source, .. } => source.hint(),
            Self::UnknownTarget {
                suggestion: Some(name),
                ..
            } => Some(format!("did you mean `{name}`?")),
            Self::UnknownTarget { known, .. } => {
                Some(format!("the stages are {}", known.join(", ")))
            }
            Self::Step { cause, .. } => cause.hint(),
            Self::Io(source) => source.hint(),
            Self::Store(source) => source.hint(),
            Self::CleanUp(source) => source.hint(),
        }
    }
}

/// Why a step fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// The instruction is malformed in a way that shows only when variables are expanded.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// The base image, or the image to copy from, is not in the store.
    #[error("the image `{name}` is not here")]
    NoImage {
        /// The image.
        name: String,
        /// An image or a stage with a similar name.
        suggestion: Option<String>,
    },
    /// A name that can be neither a stage nor an image.
    #[error("there is no such stage or image")]
    Reference(#[source] ReferenceError),
    /// A number of a stage that does not exist before this one.
    #[error("there is no stage {index} before this one, which is number {stages}")]
    StageIndex {
        /// The number as written.
        index: usize,
        /// How many there are.
        stages: usize,
    },
    /// A stage that copies from itself.
    #[error("the stage `{name}` cannot copy from itself")]
    StageItself {
        /// The stage.
        name: String,
    },
    /// A stage that is defined later.
    #[error("the stage `{name}` is defined later in the file")]
    StageLater {
        /// The stage.
        name: String,
    },
    /// A file to copy that does not exist.
    #[error("there is no `{path}` in {place}")]
    NoSource {
        /// The path.
        path: String,
        /// The context, the stage or the image.
        place: String,
        /// A path with a similar name.
        suggestion: Option<String>,
    },
    /// A file to copy that the ignore file leaves out.
    #[error("`{path}` is left out by the ignore file")]
    IgnoredSource {
        /// The path.
        path: String,
    },
    /// Several sources and a destination that is no folder.
    #[error("several files cannot be copied to the one file `{destination}`")]
    NotAFolder {
        /// The destination.
        destination: String,
    },
    /// A file where a folder would go, or the other way round.
    #[error("cannot put a {what} in the place of `{path}`")]
    Occupied {
        /// What was to be put there.
        what: &'static str,
        /// The place.
        path: String,
    },
    /// A malformed `--chmod`.
    #[error("`{mode}` is not a mode")]
    Mode {
        /// The mode as written.
        mode: String,
    },
    /// A malformed `--exclude`.
    #[error("a pattern of `--exclude` is not valid")]
    Exclude(#[source] IgnoreError),
    /// An archive that cannot be unpacked.
    #[error("cannot unpack `{path}`")]
    Unpack {
        /// The archive.
        path: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The command of a RUN ended with an error.
    #[error("the command ended with code {code}{}", if *oom_killed { ": out of memory" } else { "" })]
    Command {
        /// Its exit code.
        code: i32,
        /// Whether it ran out of memory.
        oom_killed: bool,
    },
    /// Somebody asked the build to end.
    #[error("interrupted")]
    Interrupted,
    /// The command of a RUN could not be started.
    #[error("the command cannot be run")]
    Container(#[from] sampan_container::Error),
    /// A file cannot be worked with.
    #[error(transparent)]
    Io(#[from] IoError),
    /// A layer cannot be written.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// A layer cannot be unpacked.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The content store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Hint for StepError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Syntax(source) => source.hint(),
            Self::NoImage {
                suggestion: Some(name),
                ..
            }
            | Self::NoSource {
                suggestion: Some(name),
                ..
            } => Some(format!("did you mean `{name}`?")),
            Self::NoImage { name, .. } => Some(format!(
                "bring it in with `sampan pull {name}`, `sampan image bootstrap {name}`, \
                 `sampan image import ROOTFS.tar {name}` or `sampan load`"
            )),
            Self::Reference(source) => source.hint(),
            Self::StageIndex { .. } => {
                Some("stages are counted from 0; better give them names".into())
            }
            Self::StageLater { .. } => Some("move that stage above this one".into()),
            Self::NoSource { .. } => {
                Some("paths are relative to the context, also with a leading `/`".into())
            }
            Self::IgnoredSource { path } => Some(format!("add `!{path}` to `.dockerignore`")),
            Self::NotAFolder { destination } => Some(format!(
                "end the destination with a slash: `{destination}/`"
            )),
            Self::Mode { .. } => {
                Some("write an octal number such as `0755`, or changes such as `u+x,go-w`".into())
            }
            Self::Exclude(source) => source.hint(),
            Self::Command { code: 127, .. } => {
                Some("127 usually means that a program is not in the image".into())
            }
            Self::Command { code: 126, .. } => {
                Some("126 usually means that the file is not executable".into())
            }
            Self::Interrupted => Some("build again: finished steps are kept".into()),
            Self::Container(source) => source.hint(),
            Self::Io(source) => source.hint(),
            Self::Layer(source) => source.hint(),
            Self::Snapshot(source) => source.hint(),
            Self::Store(source) => source.hint(),
            _ => None,
        }
    }
}
