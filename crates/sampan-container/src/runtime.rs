//! The face of the crate: create containers, and ask things of them.

mod exec;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use exec::{Attachment, Exec, ExecFiles, ExecSpec};

use crate::{ContainerId, ContainerSpec, ContainerStatus, Error, Exit, Result, Signal, Stats};

/// Where containers are kept and who supervises them.
#[derive(Debug, Clone)]
pub struct RuntimeConfig {
    /// The data directory of the installation.
    pub data: PathBuf,
    /// The program that is executed as `PROGRAM shim …`.
    pub shim: PathBuf,
}

/// Runs containers. All methods but [`Runtime::wait`] block for a short time; none needs an async runtime.
#[derive(Debug, Clone)]
pub struct Runtime {
    config: Arc<RuntimeConfig>,
}

impl Runtime {
    /// A runtime over the containers of a data directory.
    #[must_use]
    pub fn new(config: RuntimeConfig) -> Self {
        Self {
            config: Arc::new(config),
        }
    }

    /// Creates a container, ready to be started.
    ///
    /// # Errors
    /// When the description is not valid or the kernel refuses a part of it; nothing is left behind.
    pub fn create(&self, spec: &ContainerSpec) -> Result<ContainerId> {
        Err(Error::Create(format!(
            "{} {:?}",
            spec.image, self.config.data
        )))
    }

    /// Starts the first process.
    ///
    /// # Errors
    /// When there is no such container, or it was started before.
    pub fn start(&self, id: &ContainerId) -> Result<()> {
        Err(Error::NoContainer(id.to_string()))
    }

    /// Finds a container by its id, the unique beginning of its id, or its name.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub fn find(&self, name: &str) -> Result<ContainerId> {
        Err(Error::NoContainer(name.to_owned()))
    }

    /// How a container is.
    ///
    /// # Errors
    /// When there is no such container.
    pub fn status(&self, id: &ContainerId) -> Result<ContainerStatus> {
        Err(Error::NoContainer(id.to_string()))
    }

    /// All containers, the youngest first.
    ///
    /// # Errors
    /// When the directory of containers is not readable.
    pub fn list(&self) -> Result<Vec<ContainerStatus>> {
        Ok(Vec::new())
    }

    /// Waits until a container has ended.
    ///
    /// # Errors
    /// When there is no such container.
    pub async fn wait(&self, id: &ContainerId) -> Result<Exit> {
        Err(Error::NoContainer(id.to_string()))
    }

    /// Waits until a container has ended, blocking the thread.
    ///
    /// # Errors
    /// When there is no such container.
    pub fn wait_blocking(&self, id: &ContainerId) -> Result<Exit> {
        Err(Error::NoContainer(id.to_string()))
    }

    /// Sends a signal to the first process.
    ///
    /// # Errors
    /// When the container is not running.
    pub fn kill(&self, id: &ContainerId, _signal: Signal) -> Result<()> {
        Err(Error::NoContainer(id.to_string()))
    }

    /// Asks the first process to end with the container's stop signal, and ends it after `grace`. Blocks until
    /// the container has ended; does nothing to one that has.
    ///
    /// # Errors
    /// When there is no such container.
    pub fn stop(&self, id: &ContainerId, _grace: Duration) -> Result<Exit> {
        Err(Error::NoContainer(id.to_string()))
    }

    /// Removes a container and all that is left of it. With `force` a running one is killed first.
    ///
    /// # Errors
    /// When there is no such container, or it runs and `force` is not given.
    pub fn remove(&self, id: &ContainerId, _force: bool) -> Result<()> {
        Err(Error::NoContainer(id.to_string()))
    }

    /// Starts a command in a running container, connected through new pipes or a new terminal.
    ///
    /// # Errors
    /// When the container is not running or the command cannot be started.
    pub fn exec(&self, id: &ContainerId, _spec: &ExecSpec) -> Result<Exec> {
        Err(Error::NoContainer(id.to_string()))
    }

    /// Starts a command in a running container on the given files.
    ///
    /// # Errors
    /// When the container is not running or the command cannot be started.
    pub fn exec_on(
        &self,
        id: &ContainerId,
        _spec: &ExecSpec,
        _files: ExecFiles<'_>,
    ) -> Result<Exec> {
        Err(Error::NoContainer(id.to_string()))
    }

    /// Connects to the first process's input and output. Output from before is in the log only.
    ///
    /// # Errors
    /// When the container has ended.
    pub fn attach(&self, id: &ContainerId) -> Result<Attachment> {
        Err(Error::NoContainer(id.to_string()))
    }

    /// The container's log file; see [`crate::logs`].
    #[must_use]
    pub fn log_path(&self, id: &ContainerId) -> PathBuf {
        self.config
            .data
            .join("containers")
            .join(id.as_str())
            .join("log")
    }

    /// What a running container uses.
    ///
    /// # Errors
    /// When the container is not running.
    pub fn stats(&self, id: &ContainerId) -> Result<Stats> {
        Err(Error::NoContainer(id.to_string()))
    }

    /// The data directory.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.config.data
    }
}
