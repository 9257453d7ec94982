//! What a built-in works with when it runs in place of a step.

use std::collections::BTreeMap;
use std::fmt;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

use super::{Interrupt, PortError, Ports, SourceTarget};
use crate::build::Build;
use crate::built_in::files::normal;
use crate::graph::{Stage, Step};
use crate::plan::End;
use crate::trust::Trust;

/// The source tree of a run.
pub trait SourceTree: Sync {
    /// Puts the source tree, uncommitted changes included, into a folder. Files that are there and not in the tree stay.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    fn fill(&self, target: &SourceTarget) -> Result<(), PortError>;
}

/// What a built-in works with when it runs in place of a step.
pub struct Scene<'a> {
    /// What happened.
    pub build: &'a Build,
    /// The stage.
    pub stage: &'a Stage,
    /// The step.
    pub step: &'a Step,
    /// The folder on the machine that steps see as `stage.workspace.base`.
    pub workspace: &'a Path,
    /// The root folder as the container of the job sees it, where there is one: by it files outside of the workspace are
    /// reached.
    pub container_root: Option<BorrowedFd<'a>>,
    /// The folder of the run; artifacts lie below it.
    pub run_folder: &'a Path,
    /// The folder of continuous integration of the installation, `DATA/ci`; caches lie below it.
    pub data_folder: &'a Path,
    /// The step's whole environment, with secrets and with the settings of plugins.
    pub environment: &'a BTreeMap<String, String>,
    /// The inputs of an action, or the settings of a plugin as texts.
    pub inputs: &'a BTreeMap<String, String>,
    /// How the stage went so far.
    pub so_far: End,
    /// Whether this is the second call, at the end of the job.
    pub post: bool,
    /// What the step may ask of the machine.
    pub trust: Trust,
    /// The layers of the container that the steps of a job share, topmost first; none where each has its own.
    pub layers: &'a [PathBuf],
    /// The source tree.
    pub tree: &'a dyn SourceTree,
    /// The rest of the program.
    pub ports: &'a dyn Ports,
    /// Whether the run is to end; looked at between things that take long.
    pub interrupt: &'a Interrupt,
    /// The step's log; secrets are masked behind it.
    pub output: &'a mut dyn FnMut(&[u8]),
}

impl fmt::Debug for Scene<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scene")
            .field("step", &self.step.name)
            .finish_non_exhaustive()
    }
}

impl Scene<'_> {
    /// Where a path of the step lies below the workspace, by its parts alone: relative to the source tree, or absolute.
    /// `None` when it leads out of the workspace. What links there lead to is seen by who opens it.
    #[must_use]
    pub(crate) fn inside(&self, path: &str) -> Option<String> {
        let whole = normal(&self.stage.workspace.path, path);
        let base = self.stage.workspace.base.trim_end_matches('/');
        let inside = whole.strip_prefix(base)?;
        (inside.is_empty() || inside.starts_with('/'))
            .then(|| inside.trim_start_matches('/').to_owned())
    }

    /// Writes a line into the step's log.
    pub fn say(&mut self, text: impl fmt::Display) {
        (self.output)(format!("{text}\n").as_bytes());
    }
}

/// How a built-in ended that could do its work.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Done {
    /// Its outputs.
    pub outputs: BTreeMap<String, String>,
    /// Variables for later steps of the job.
    pub environment: BTreeMap<String, String>,
    /// Folders in which later steps of the job look for programs.
    pub paths: Vec<String>,
    /// A summary in Markdown.
    pub summary: Option<String>,
    /// Whether it is called once more when the job ends, in the reverse order of the steps.
    pub post: bool,
}
