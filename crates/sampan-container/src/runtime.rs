//! The face of the crate: create containers, and ask things of them.

mod creation;
mod exec;
mod removal;
mod wait;

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;

pub(crate) use removal::delete;

pub use exec::{Attachment, Exec, ExecFiles, ExecSpec};

use crate::cgroup::Cgroup;
use crate::connection::{Connection, Reply, Request};
use crate::directory::{Directory, Record, optional};
use crate::{
    ContainerId, ContainerSpec, ContainerState, ContainerStatus, Error, Exit, Result, Signal, Stats,
};
use wait::Waiting;

/// As long a shim may take until it listens.
const BEGIN_LIMIT: Duration = Duration::from_secs(30);

/// How often is looked whether it does.
const BEGIN_PAUSE: Duration = Duration::from_millis(10);

/// Where containers are kept and who supervises them.
#[derive(Debug, Clone)]
pub struct RuntimeConfig {
    /// The data directory of the installation.
    pub data: PathBuf,
    /// The program that is executed as `PROGRAM shim …`.
    pub shim: PathBuf,
}

/// Runs containers. Everything but [`Runtime::wait`] blocks the thread, mostly for a short time; nothing needs
/// an async runtime.
#[derive(Debug, Clone)]
pub struct Runtime {
    config: Arc<RuntimeConfig>,
}

impl Runtime {
    /// A runtime over the containers of a data directory.
    #[must_use]
    pub fn new(mut config: RuntimeConfig) -> Self {
        if let Ok(absolute) = std::path::absolute(&config.data) {
            config.data = absolute;
        }
        Self {
            config: Arc::new(config),
        }
    }

    /// Creates a container, ready to be started.
    ///
    /// # Errors
    /// When the description is not valid or the kernel refuses a part of it; nothing is left behind.
    pub fn create(&self, spec: &ContainerSpec) -> Result<ContainerId> {
        creation::create(&self.config, spec)
    }

    /// Starts the first process.
    ///
    /// # Errors
    /// When there is no such container, or it was started before.
    pub fn start(&self, id: &ContainerId) -> Result<()> {
        self.ask(id, Request::Start, &[])
    }

    /// Finds a container by its id, the unique beginning of its id, or its name.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub fn find(&self, name: &str) -> Result<ContainerId> {
        if let Some(id) = creation::named(&self.containers(), name) {
            return Ok(id);
        }
        let mut found: Vec<ContainerId> = if name.is_empty() {
            Vec::new()
        } else {
            self.ids()?
        };
        found.retain(|id| id.as_str().starts_with(name));
        match found.as_slice() {
            [] => Err(Error::NoContainer(name.to_owned())),
            [only] => Ok(only.clone()),
            _ => Err(Error::AmbiguousId(name.to_owned())),
        }
    }

    /// How a container is. What a killed supervisor has left behind is cleared up on the way.
    ///
    /// # Errors
    /// When there is no such container.
    pub fn status(&self, id: &ContainerId) -> Result<ContainerStatus> {
        let directory = self.directory(id);
        let record = match directory.record() {
            Ok(record) => record,
            Err(error) => return Err(self.without_record(id, error)?),
        };
        let created = optional(directory.created())?;
        let started_at = directory.started_at();
        let state = match directory.exit()? {
            Some(exit) => {
                // Whoever was to remove it was killed before, unless it is removed at this very moment.
                let is_left = || {
                    directory
                        .is_supervised()
                        .is_ok_and(|supervised| !supervised)
                };
                if record.spec.auto_remove && is_left() {
                    delete(&directory)?;
                }
                ContainerState::Exited(exit)
            }
            None if !directory.is_supervised().map_err(|error| gone(error, id))? => {
                ContainerState::Exited(removal::repair(&directory, &record)?)
            }
            None => match (&created, started_at) {
                (Some(created), Some(_)) => ContainerState::Running { pid: created.pid },
                _ => ContainerState::Created,
            },
        };
        Ok(ContainerStatus {
            id: id.clone(),
            name: record.spec.name,
            state,
            labels: record.spec.labels,
            image: record.spec.image,
            command: record.spec.process.args,
            created_at: record.created_at,
            started_at,
            ports: created
                .as_ref()
                .map(|created| created.ports.clone())
                .unwrap_or_default(),
            address: created.and_then(|created| created.address),
        })
    }

    /// All containers, the youngest first.
    ///
    /// # Errors
    /// When the directory of containers is not readable.
    pub fn list(&self) -> Result<Vec<ContainerStatus>> {
        let mut found = Vec::new();
        for id in self.ids()? {
            match self.status(&id) {
                Ok(status) => found.push(status),
                // Removed in the meantime.
                Err(Error::NoContainer(_)) => {}
                Err(error) => return Err(error),
            }
        }
        found.sort_by_key(|status| std::cmp::Reverse(status.created_at));
        Ok(found)
    }

    /// Waits until a container has ended.
    ///
    /// # Errors
    /// When there is no such container.
    pub async fn wait(&self, id: &ContainerId) -> Result<Exit> {
        match self.begin_wait(id)? {
            Waiting::Ended(exit) => Ok(exit),
            Waiting::On(connection) => match exec::receive_exit_async(&connection).await? {
                Some(exit) => Ok(exit),
                None => self.exit(id),
            },
        }
    }

    /// Waits until a container has ended, blocking the thread.
    ///
    /// # Errors
    /// When there is no such container.
    pub fn wait_blocking(&self, id: &ContainerId) -> Result<Exit> {
        match self.begin_wait(id)? {
            Waiting::Ended(exit) => Ok(exit),
            Waiting::On(connection) => match exec::receive_exit(&connection)? {
                Some(exit) => Ok(exit),
                None => self.exit(id),
            },
        }
    }

    /// Sends a signal to the first process.
    ///
    /// # Errors
    /// When the container is not running.
    pub fn kill(&self, id: &ContainerId, signal: Signal) -> Result<()> {
        let number = u8::try_from(signal.number()).unwrap_or_default();
        self.ask(id, Request::Kill, &[number])
    }

    /// Asks the first process to end with the container's stop signal, and ends it after `grace`. Blocks until
    /// the container has ended; does nothing to one that has.
    ///
    /// # Errors
    /// When there is no such container.
    pub fn stop(&self, id: &ContainerId, grace: Duration) -> Result<Exit> {
        let signal = match self.status(id)?.state {
            ContainerState::Exited(exit) => return Ok(exit),
            // A process that waits to be started can handle no signal.
            ContainerState::Created => Signal::KILL,
            ContainerState::Running { .. } => {
                self.record(id)?.spec.stop_signal.unwrap_or(Signal::TERM)
            }
        };
        let connection = match self.begin_wait(id)? {
            Waiting::Ended(exit) => return Ok(exit),
            Waiting::On(connection) => connection,
        };
        self.kill_if_running(id, signal)?;
        if !wait::until_readable(&connection, grace)? {
            self.kill_if_running(id, Signal::KILL)?;
        }
        match exec::receive_exit(&connection)? {
            Some(exit) => Ok(exit),
            None => self.exit(id),
        }
    }

    /// Removes a container and all that is left of it. With `force` a running one is killed first.
    ///
    /// # Errors
    /// When there is no such container, or it runs and `force` is not given.
    pub fn remove(&self, id: &ContainerId, force: bool) -> Result<()> {
        match self.status(id)?.state {
            ContainerState::Running { .. } if !force => {
                return Err(Error::Running(id.short().to_owned()));
            }
            ContainerState::Exited(_) => {}
            ContainerState::Running { .. } | ContainerState::Created => {
                self.kill_listening(id)?;
                match self.wait_blocking(id) {
                    // A container that removes itself may be gone.
                    Ok(_) | Err(Error::NoContainer(_)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        delete(&self.directory(id))
    }

    /// Starts a command in a running container, connected through new pipes or a new terminal.
    ///
    /// # Errors
    /// When the container is not running or the command cannot be started.
    pub fn exec(&self, id: &ContainerId, spec: &ExecSpec) -> Result<Exec> {
        if spec.terminal {
            return self.begin_exec(id, spec, &[]);
        }
        let input = spec.stdin.then(pipe).transpose()?;
        let (output, their_output) = pipe()?;
        let (errors, their_errors) = pipe()?;
        let (their_input, input) = input.unzip();
        let mut files: Vec<BorrowedFd<'_>> = their_input.iter().map(AsFd::as_fd).collect();
        files.extend([their_output.as_fd(), their_errors.as_fd()]);
        let mut exec = self.begin_exec(id, spec, &files)?;
        exec.stdin = input;
        exec.stdout = Some(output);
        exec.stderr = Some(errors);
        Ok(exec)
    }

    /// Starts a command in a running container on the given files.
    ///
    /// # Errors
    /// When the container is not running or the command cannot be started.
    pub fn exec_on(&self, id: &ContainerId, spec: &ExecSpec, files: ExecFiles<'_>) -> Result<Exec> {
        if spec.terminal {
            return self.begin_exec(id, spec, &[]);
        }
        self.begin_exec(id, spec, &[files.stdin, files.stdout, files.stderr])
    }

    /// Connects to the first process's input and output. Output from before is in the log only.
    ///
    /// # Errors
    /// When the container has ended.
    pub fn attach(&self, id: &ContainerId) -> Result<Attachment> {
        let process = self.record(id)?.spec.process;
        let connection = self.connect(id)?;
        exec::attach(connection, id, &process)
    }

    /// The container's log file; see [`crate::logs`].
    #[must_use]
    pub fn log_path(&self, id: &ContainerId) -> PathBuf {
        self.directory(id).path().join("log")
    }

    /// What a running container uses.
    ///
    /// # Errors
    /// When the container is not running.
    pub fn stats(&self, id: &ContainerId) -> Result<Stats> {
        match self.status(id)?.state {
            ContainerState::Exited(_) => Err(Error::NotRunning(id.short().to_owned())),
            ContainerState::Created | ContainerState::Running { .. } => Cgroup::of(id).stats(),
        }
    }

    /// The description from which a container was created.
    ///
    /// # Errors
    /// When there is no such container.
    pub fn spec(&self, id: &ContainerId) -> Result<ContainerSpec> {
        Ok(self.record(id)?.spec)
    }

    /// The directories of a container's root file system, topmost first: the writable one, then the layers.
    ///
    /// # Errors
    /// When there is no such container.
    pub fn layers(&self, id: &ContainerId) -> Result<Vec<PathBuf>> {
        let record = self.record(id)?;
        let (upper, _) = self.directory(id).upper(&record.spec);
        Ok(std::iter::once(upper)
            .chain(record.spec.rootfs.lower)
            .collect())
    }

    /// The data directory.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.config.data
    }

    fn containers(&self) -> PathBuf {
        self.config.data.join("containers")
    }

    fn directory(&self, id: &ContainerId) -> Directory {
        Directory::at(self.containers().join(id.as_str()))
    }

    fn ids(&self) -> Result<Vec<ContainerId>> {
        let folder = self.containers();
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::io("list", folder)(error)),
        };
        let mut ids = Vec::new();
        for entry in entries {
            let name = entry.map_err(Error::io("list", &folder))?.file_name();
            ids.extend(
                name.to_str()
                    .and_then(|name| name.parse::<ContainerId>().ok()),
            );
        }
        Ok(ids)
    }

    fn record(&self, id: &ContainerId) -> Result<Record> {
        self.directory(id).record().map_err(|error| gone(error, id))
    }

    /// The error for a container whose description cannot be read. What a power cut has left of one that nobody
    /// supervises is removed: nothing could be done with it.
    fn without_record(&self, id: &ContainerId, error: Error) -> Result<Error> {
        let directory = self.directory(id);
        let lost = match &error {
            Error::Record { .. } => true,
            Error::Io { source, .. } => source.kind() == io::ErrorKind::NotFound,
            _ => false,
        };
        if !lost || !directory.path().exists() {
            return Ok(gone(error, id));
        }
        if directory.is_supervised().map_err(|error| gone(error, id))? {
            return Ok(error);
        }
        tracing::warn!(%id, "removing what is left of a container without a description");
        delete(&directory)?;
        Ok(Error::NoContainer(id.to_string()))
    }

    /// How a container ended whose supervisor has hung up.
    fn exit(&self, id: &ContainerId) -> Result<Exit> {
        self.directory(id)
            .wait_unsupervised()
            .map_err(|error| gone(error, id))?;
        match self.status(id)?.state {
            ContainerState::Exited(exit) => Ok(exit),
            ContainerState::Created | ContainerState::Running { .. } => {
                Err(Error::NoAnswer(id.short().to_owned()))
            }
        }
    }

    fn connect(&self, id: &ContainerId) -> Result<Connection> {
        let directory = self.directory(id);
        Connection::open(directory.path()).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                if directory.path().exists() {
                    Error::NotRunning(id.short().to_owned())
                } else {
                    Error::NoContainer(id.short().to_owned())
                }
            }
            _ => Error::io("connect to", directory.path())(error),
        })
    }

    fn begin_wait(&self, id: &ContainerId) -> Result<Waiting> {
        match self.connect(id) {
            Ok(connection) => {
                match connection.request(Request::Wait, &[], &[]) {
                    Ok(()) => Ok(Waiting::On(connection)),
                    // The shim has just ended.
                    Err(_) => self.exit(id).map(Waiting::Ended),
                }
            }
            Err(Error::NotRunning(_)) => self.exit(id).map(Waiting::Ended),
            Err(error) => Err(error),
        }
    }

    fn begin_exec(
        &self,
        id: &ContainerId,
        spec: &ExecSpec,
        files: &[BorrowedFd<'_>],
    ) -> Result<Exec> {
        match self.status(id)?.state {
            ContainerState::Running { .. } => {}
            ContainerState::Created | ContainerState::Exited(_) => {
                return Err(Error::NotRunning(id.short().to_owned()));
            }
        }
        exec::begin(self.connect(id)?, id, spec, files)
    }

    fn ask(&self, id: &ContainerId, request: Request, payload: &[u8]) -> Result<()> {
        let connection = self.connect(id)?;
        let answer = connection
            .request(request, payload, &[])
            .and_then(|()| connection.receive_value::<Reply>())
            .map_err(Error::system("ask the supervisor"))?;
        let (reply, _) = answer.ok_or_else(|| Error::NotRunning(id.short().to_owned()))?;
        reply.into_result(id.short(), Error::Create)
    }

    /// Kills a container also when its shim has only begun and does not listen yet: whoever had it made may have been
    /// killed, and then nobody else would ever end it.
    fn kill_listening(&self, id: &ContainerId) -> Result<()> {
        let deadline = Instant::now() + BEGIN_LIMIT;
        loop {
            match self.kill(id, Signal::KILL) {
                Err(Error::NotRunning(_)) => {}
                Err(Error::NoContainer(_)) => return Ok(()),
                other => return other,
            }
            match optional(self.directory(id).is_supervised())? {
                Some(true) if Instant::now() < deadline => std::thread::sleep(BEGIN_PAUSE),
                Some(true) => return Err(Error::NoAnswer(id.short().to_owned())),
                Some(false) | None => return Ok(()),
            }
        }
    }

    fn kill_if_running(&self, id: &ContainerId, signal: Signal) -> Result<()> {
        match self.kill(id, signal) {
            Err(Error::NotRunning(_) | Error::NoContainer(_)) => Ok(()),
            other => other,
        }
    }
}

/// A pipe: its reading and its writing end.
fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    nix::unistd::pipe2(OFlag::O_CLOEXEC).map_err(Error::system("make a pipe"))
}

/// A description that is not there is that of a container that is not there.
fn gone(error: Error, id: &ContainerId) -> Error {
    match error {
        Error::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
            Error::NoContainer(id.to_string())
        }
        error => error,
    }
}
