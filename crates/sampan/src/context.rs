//! What every command is given: where the installation is, and how to talk to the user.

use std::future::Future;
use std::path::{Path, PathBuf};

use sampan_container::{Runtime, RuntimeConfig};
use sampan_oci::{ContentStore, Snapshots};
use sampan_supervise::logging::{self, Logging};

use crate::cli::{Global, Output};
use crate::failure::{Exit, Failure, OrFail as _};
use crate::ui::Ui;

/// The surroundings of one command.
#[derive(Debug)]
pub(crate) struct Context {
    data: PathBuf,
    log_arguments: Vec<String>,
    ui: Ui,
}

impl Context {
    /// Starts logging and makes the data folder's path absolute; creates nothing.
    pub(crate) fn new(global: &Global) -> Result<Self, Failure> {
        let settings = Logging {
            filter: global.log.clone(),
            json: global.log_json,
        };
        logging::init(&settings).or_fail("cannot read the option `--log`")?;
        let data = std::path::absolute(&global.data).or_fail(format!(
            "cannot use `{}` as the data folder",
            global.data.display()
        ))?;
        Ok(Self {
            data,
            log_arguments: log_arguments(global),
            ui: Ui::new(global.output, global.quiet),
        })
    }

    /// The folder of this installation, absolute.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// The installation's content store; made where there is none.
    pub(crate) fn content(&self) -> Result<ContentStore, Failure> {
        Ok(ContentStore::open(&self.data)?)
    }

    /// The installation's unpacked layers.
    pub(crate) fn snapshots(&self) -> Result<Snapshots, Failure> {
        Ok(Snapshots::open(&self.data)?)
    }

    /// The installation's containers, supervised by this very program.
    pub(crate) fn runtime(&self) -> Result<Runtime, Failure> {
        let shim = std::env::current_exe().or_fail("cannot find the program's own file")?;
        Ok(Runtime::new(RuntimeConfig {
            data: self.data.clone(),
            shim,
        }))
    }

    /// Arguments that make another process of this program log as this one does.
    pub(crate) fn log_arguments(&self) -> &[String] {
        &self.log_arguments
    }

    /// Where results and progress go.
    pub(crate) fn ui(&self) -> &Ui {
        &self.ui
    }

    /// Whether results are wanted as JSON.
    pub(crate) fn json(&self) -> bool {
        self.ui.output() == Output::Json
    }

    /// Runs asynchronous work to its end on this thread.
    #[expect(
        clippy::unused_self,
        reason = "commands ask their surroundings, whatever these need for the answer"
    )]
    pub(crate) fn block_on<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .or_fail("cannot start the asynchronous runtime")?
            .block_on(work)
    }

    /// Refuses to go on where there is no installation.
    pub(crate) fn require_installation(&self) -> Result<(), Failure> {
        if self.data.exists() {
            return Ok(());
        }
        Err(
            Failure::new(format!("there is no installation in `{}`", self.data.display()))
                .with_hint(
                    "name its folder with `--data DIR`; `sampan up`, `sampan load` and whatever makes images make a new one",
                )
                .with_exit(Exit::NotFound),
        )
    }

    /// Refuses to go on without the rights that containers, mounts and networks need.
    #[expect(
        clippy::unused_self,
        reason = "commands ask their surroundings, whatever these need for the answer"
    )]
    pub(crate) fn require_root(&self, what: &str) -> Result<(), Failure> {
        if nix::unistd::geteuid().is_root() {
            return Ok(());
        }
        Err(Failure::new(format!("{what} needs root"))
            .with_hint("run the same command as root, for example with `sudo`"))
    }
}

fn log_arguments(global: &Global) -> Vec<String> {
    let filter = global.log.iter().map(|filter| format!("--log={filter}"));
    filter
        .chain(global.log_json.then(|| "--log-json".to_owned()))
        .collect()
}
