//! Runs a graph: containers over a shared workspace, in the order that the [`plan`](crate::plan) tells.
//!
//! One loop owns the plans of the stages. Each running step has a thread, which tells the loop by a bounded channel what
//! the step says and how it ends; so a log that nobody takes holds its step back. Whoever calls gets [`Event`]s while it
//! goes on, an [`Outcome`] at the end, and everything of it in the folder of the run:
//!
//! ```text
//! state.json               the Outcome so far; written when a stage begins or ends
//! logs/STAGE/STEP.log      what the step said, secrets masked
//! stages/STAGE/workspace/  the shared folder; gone after a run that went well
//! stages/STAGE/volumes/    temporary volumes
//! stages/STAGE/snapshots/N the workspace as it was before a step, unchanged files as links to N-1
//! stages/STAGE/job/        what a job of GitHub had gathered before each step
//! ```
//!
//! What belongs to the rest of the program (images by name, builds, deployments, messages) is asked of [`Ports`].

pub(crate) mod build_context;
mod built_in_step;
mod clean;
mod course;
mod description;
mod environment;
mod error;
mod event;
mod folder;
mod forward;
mod forward_port;
mod health;
mod images;
mod interrupt;
mod job;
mod limited;
mod log;
mod masks;
mod memory_volumes;
mod message;
mod network;
mod outcome;
mod ports;
mod prepare;
mod run_turn;
mod scene;
mod service;
mod shared;
mod shell;
mod snapshot;
mod source_target;
mod stage;
mod stage_run;
mod stage_thread;
mod state;
mod step;
mod turn;
mod workflow;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{channel, sync_channel};

use sampan_container::Runtime;
use sampan_oci::{ContentStore, Snapshots};

pub use clean::{LiveRun, clean, live};
pub use error::{Missing, PortError, RunError};
pub use event::Event;
pub use interrupt::{Interrupt, Registration};
pub use outcome::{Outcome, StageOutcome, StepOutcome};
pub use ports::{
    Attachment, Deployment, HttpRequest, HttpResponse, ImageBuild, ImagePublish, ImageRequest,
    Login, Mail, Ports, Tool,
};
pub use scene::{Done, Scene, SourceTree};
pub use shell::Shell;
pub use source_target::SourceTarget;

use course::Course;
use folder::RunFolder;
use images::Images;
use message::LIMIT_MESSAGES;
use run_turn::RunTurn;
use shared::Shared;
use state::StateFile;
use workflow::WorkflowRun;

use crate::build::Build;
use crate::config::Toolchain;
use crate::expression::Value;
use crate::github::{self, Workflow};
use crate::graph::Graph;
use crate::plan::End;
use crate::secrets::Secrets;
use crate::trust::Trust;

/// The label of containers by which a run finds its own, and the next one those of a run that was killed: the folder of
/// the run.
pub const LABEL: &str = "sampan.ci.run";

/// Everything a run needs.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// What happened.
    pub build: &'a Build,
    /// What is run.
    pub source: Source<'a>,
    /// The folder of the run, `DATA/ci/runs/NUMBER`; it exists.
    pub folder: &'a Path,
    /// The source tree.
    pub tree: &'a dyn SourceTree,
    /// The secrets that the run may have.
    pub secrets: &'a Secrets,
    /// What its steps may ask of the machine.
    pub trust: Trust,
    /// The rest of the program.
    pub ports: &'a dyn Ports,
    /// What the user chose.
    pub options: &'a Options,
    /// Ends the run early.
    pub interrupt: &'a Interrupt,
}

impl fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("folder", &self.folder)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// What is run.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    /// A graph of Drone or Woodpecker, in which all is decided.
    Graph(&'a Graph),
    /// A workflow of GitHub, whose graph is made again when a matrix becomes known.
    GitHub(WorkflowSource<'a>),
}

/// A workflow of GitHub with what its graph is made from.
#[derive(Clone, Copy)]
pub struct WorkflowSource<'a> {
    /// The workflow.
    pub workflow: &'a Workflow,
    /// The variables of the project.
    pub vars: &'a BTreeMap<String, String>,
    /// Where called workflows come from.
    pub sources: &'a (dyn github::plan::Sources + Sync),
    /// Images of runners by the labels of `runs-on`, in small letters.
    pub runners: &'a BTreeMap<String, String>,
    /// The images by version in which JavaScript actions run where the job's own has no `node`.
    pub node: &'a [Toolchain],
}

impl<'a> WorkflowSource<'a> {
    /// What the graph is made from, with the contexts `needs` that are known by now.
    fn request<'r>(
        &self,
        build: &'r Build,
        needs: &'r BTreeMap<String, Value>,
    ) -> github::plan::Request<'r>
    where
        'a: 'r,
    {
        github::plan::Request {
            build,
            vars: self.vars,
            sources: self.sources,
            needs,
        }
    }
}

/// What the user chose for a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How many stages run at once; at least 1.
    pub jobs: usize,
    /// Only these stages run, with those that they need; all when empty.
    pub stages: Vec<String>,
    /// Only these steps run, by name; all when empty. Clones and services run anyway.
    pub include: Vec<String>,
    /// These steps and stages do not run, by name; an action is a name as well.
    pub exclude: Vec<String>,
    /// Only combinations of a matrix with these values run.
    pub matrix: Vec<(String, String)>,
    /// Variables of all steps that do not set them themselves.
    pub environment: BTreeMap<String, String>,
    /// Where an earlier run is gone on with.
    pub resume: Option<Resume>,
    /// Whether workspaces and snapshots stay after a run that went well.
    pub keep: bool,
    /// Whether the workspace is kept as it is before each step.
    pub snapshots: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            jobs: 2,
            stages: Vec::new(),
            include: Vec::new(),
            exclude: Vec::new(),
            matrix: Vec::new(),
            environment: BTreeMap::new(),
            resume: None,
            keep: false,
            snapshots: true,
        }
    }
}

/// Where an earlier run is gone on with: its stages and steps before count as they ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resume {
    /// The folder of the earlier run.
    pub folder: PathBuf,
    /// The stage.
    pub stage: String,
    /// The step from which on everything runs again.
    pub step: String,
}

/// Runs graphs on this machine.
#[derive(Debug, Clone)]
pub struct Executor {
    runtime: Runtime,
    content: ContentStore,
    snapshots: Snapshots,
    data: PathBuf,
}

impl Executor {
    /// An executor over the containers and images of a data folder.
    #[must_use]
    pub fn new(
        runtime: Runtime,
        content: ContentStore,
        snapshots: Snapshots,
        data: PathBuf,
    ) -> Self {
        Self {
            runtime,
            content,
            snapshots,
            data,
        }
    }

    /// Runs everything and tells of it. Whatever happens, no containers, namespaces and mounts are left.
    ///
    /// # Errors
    /// [`RunError`] when the run cannot begin (nothing was started then) or its files cannot be written. Steps that fail
    /// are no error: the outcome tells.
    pub fn run(
        &self,
        run: &Run<'_>,
        events: &mut dyn FnMut(Event<'_>),
    ) -> Result<Outcome, RunError> {
        clean(&self.runtime)?;
        let graph = prepare::graph(run)?;
        let workflow = match run.source {
            Source::Graph(_) => None,
            Source::GitHub(source) => Some(WorkflowRun::new(run, source)?),
        };
        let images = Images::default();
        prepare::check(self, run, &graph, &images)?;
        let earlier = prepare::earlier(run, &graph)?;
        let folder = RunFolder::begin(run.folder)?;
        let mut turn = RunTurn::wait(self, run, workflow.as_ref(), events)?;
        let ticket = turn.take();
        let (sender, receiver) = sync_channel(LIMIT_MESSAGES);
        let shared = Shared::new(self, run, graph.dialect, images, sender);
        let mut outcome = std::thread::scope(|scope| {
            // Both go before the threads are waited for, also when this one fails: then they end, and nobody waits for
            // room in the channel.
            let receiver = receiver;
            let mut abort = Abort {
                interrupt: run.interrupt,
                armed: true,
            };
            // The place is given back when this is gone.
            let (_over, is_over) = channel();
            if let Some(ticket) = ticket {
                let turn = &turn;
                scope.spawn(move || turn.keep(ticket, run, &is_over));
            }
            let workflow = (workflow, turn.group.clone());
            let outcome =
                Course::new(&shared, graph, earlier, workflow, events).all(scope, &receiver);
            abort.armed = outcome.is_err();
            outcome
        })?;
        if let Some(reason) = turn.reason() {
            outcome.reason = Some(masks::hide(&reason, &shared.masks));
            StateFile::new(run.folder).write(&outcome)?;
        }
        clean::passing(run.folder)?;
        if outcome.end == Some(End::Success) && !run.options.keep {
            folder::remove(&run.folder.join("stages"))?;
        }
        folder.end()?;
        Ok(outcome)
    }

    /// The graph of a run as the user wants it, before anything of it has begun.
    ///
    /// # Errors
    /// [`RunError::Pipeline`].
    pub fn graph(&self, run: &Run<'_>) -> Result<Graph, RunError> {
        prepare::graph(run)
    }

    /// Looks whether a run can begin, without beginning it.
    ///
    /// # Errors
    /// [`RunError::Planning`] with all that is missing, or [`RunError::Pipeline`].
    pub fn check(&self, run: &Run<'_>) -> Result<(), RunError> {
        let graph = prepare::graph(run)?;
        prepare::check(self, run, &graph, &Images::default())
    }
}

/// Ends the run when its loop fails.
struct Abort<'a> {
    interrupt: &'a Interrupt,
    armed: bool,
}

impl Drop for Abort<'_> {
    fn drop(&mut self) {
        if self.armed {
            self.interrupt.trigger();
            self.interrupt.trigger();
        }
    }
}
