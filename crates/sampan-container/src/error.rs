//! What can go wrong with containers.

use std::io;
use std::path::PathBuf;

use sampan_model::Hint;

/// The result of an operation on containers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong with containers.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or directory could not be worked with.
    #[error("cannot {operation} `{}`", path.display())]
    Io {
        /// The operation, as a verb.
        operation: &'static str,
        /// What it was done to.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The kernel refused an operation that concerns no file.
    #[error("cannot {operation}")]
    System {
        /// The operation.
        operation: &'static str,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A record in the container's directory is not readable.
    #[error("`{}` is damaged", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
    /// There is no such container.
    #[error("no container `{0}`")]
    NoContainer(String),
    /// Several containers have an id that starts so.
    #[error("`{0}` is the beginning of several ids")]
    AmbiguousId(String),
    /// The name is taken.
    #[error("the name `{name}` is used by container `{id}`")]
    NameTaken {
        /// The name.
        name: String,
        /// Who has it.
        id: String,
    },
    /// The name has characters that names cannot have.
    #[error("`{0}` is not a container name")]
    InvalidName(String),
    /// The container is not running.
    #[error("container `{0}` is not running")]
    NotRunning(String),
    /// The container runs.
    #[error("container `{0}` is running")]
    Running(String),
    /// The program is not in the image.
    #[error("command `{0}` not found in the container")]
    CommandNotFound(String),
    /// The program is there but cannot be executed.
    #[error("command `{command}` cannot be executed: {reason}")]
    CommandNotExecutable {
        /// The program.
        command: String,
        /// What the kernel says.
        reason: String,
    },
    /// The container could not be created.
    #[error("cannot create the container: {0}")]
    Create(String),
    /// A command could not be started in the container.
    #[error("cannot start the command: {0}")]
    Exec(String),
    /// The supervisor ended without an answer.
    #[error("the supervisor of container `{0}` gave no answer")]
    NoAnswer(String),
    /// The signal does not exist.
    #[error("`{0}` is not a signal")]
    UnknownSignal(String),
    /// The capability does not exist.
    #[error("`{0}` is not a capability")]
    UnknownCapability(String),
    /// The resource of processes cannot be limited.
    #[error("`{0}` is not a limit of processes")]
    UnknownLimit(String),
    /// The user is not in the image.
    #[error("no user `{0}` in the image")]
    UnknownUser(String),
    /// The group is not in the image.
    #[error("no group `{0}` in the image")]
    UnknownGroup(String),
    /// A mount's target is not an absolute path.
    #[error("mount target `{}` is not absolute", .0.display())]
    RelativeTarget(PathBuf),
    /// A port of the host cannot be listened on.
    #[error("cannot publish {mapping}")]
    Port {
        /// The mapping.
        mapping: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The network could not be set up.
    #[error("cannot set up the container network: {0}")]
    Network(#[from] crate::network::NetworkError),
}

impl Error {
    /// Makes a mapper from an I/O error that keeps what was tried, and on what.
    pub(crate) fn io<E: Into<io::Error>>(
        operation: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(E) -> Self {
        let path = path.into();
        move |source| Self::Io {
            operation,
            path,
            source: source.into(),
        }
    }

    /// Makes a mapper from a system error that keeps what was tried.
    pub(crate) fn system<E: Into<io::Error>>(operation: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::System {
            operation,
            source: source.into(),
        }
    }

    fn is_permission(&self) -> bool {
        match self {
            Self::Io { source, .. } | Self::System { source, .. } => {
                source.kind() == io::ErrorKind::PermissionDenied
            }
            _ => false,
        }
    }
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            error if error.is_permission() => "run the command as root",
            Self::NoContainer(_) => "`sampan ps --all` lists the containers",
            Self::AmbiguousId(_) => "give more digits",
            Self::NameTaken { .. } => {
                "choose another name, or remove that container with `sampan rm`"
            }
            Self::InvalidName(_) => {
                "start with a letter or digit and use letters, digits, `_`, `.` and `-`"
            }
            Self::Running(_) => "stop it with `sampan stop`, or use `--force`",
            Self::NotRunning(_) => {
                "`sampan ps --all` shows how it ended, `sampan logs` what it said"
            }
            Self::CommandNotFound(_) => "check the spelling and the PATH of the image",
            Self::Port { source, .. } if source.kind() == io::ErrorKind::AddrInUse => {
                "another process listens there; stop it, or choose another port of the host with `--publish`"
            }
            Self::Port { .. } => "choose another port of the host with `--publish`",
            Self::UnknownSignal(_) => "write a name such as SIGTERM or a number such as 15",
            Self::UnknownCapability(_) => "write a name such as NET_ADMIN, or ALL",
            Self::UnknownLimit(_) => "write a name such as nofile, nproc or core",
            Self::UnknownUser(_) | Self::UnknownGroup(_) => {
                "give the number, or add the name to the image's /etc/passwd or /etc/group"
            }
            Self::Network(error) => return error.hint(),
            _ => return None,
        };
        Some(hint.to_owned())
    }
}
