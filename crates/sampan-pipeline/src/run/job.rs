//! A job of GitHub: one container in which its steps are commands, one after the other.
//!
//! ```text
//! stages/STAGE/runner/home, temp, tools   seen as /github/runner/…, written by steps
//! stages/STAGE/runner/actions             actions of other repositories, read-only
//! stages/STAGE/runner/event.json          what happened, read-only
//! stages/STAGE/runner/files/N/            script and file commands of one process
//! ```
//!
//! What a process hands over by files is opened from folders that are kept open, without following links: who writes there
//! is the pipeline, who reads is the machine.

mod action;
mod beginning;
mod built_in;
mod composite;
mod docker;
mod files;
mod hash_files;
mod kept;
mod node;
mod options;
mod post;
mod pre;
mod problems;
mod process;
mod script;
mod veil;

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sampan_container::ContainerId;
use sampan_model::Hint;

use super::environment::{self, Variables};
use super::log::Log;
use super::message::Ending;
use super::network::Place;
use super::stage_run::StageRun;
use super::step::{Guarded, StepError};
use super::workflow::Given;
use crate::expression::{Object, Value};
use crate::github::context::{self, Conclusion, Contexts, Progress, Runner, StepResult};
use crate::github::environment::{condition, text};
use crate::github::matcher::{MatcherError, Matchers};
use crate::graph::{Action, Deferred, EnvironmentValue, Expression, Step, Text};
use crate::plan::End;
use crate::secrets::Asker;

use composite::Frame;
use files::Files;
use hash_files::Workspace;

pub(super) use action::read as read_action;
pub(super) use kept::EarlierJob;
pub(super) use options::{apply as apply_options, check as check_options, parse as parse_options};

/// Where the folders of the runner lie in containers.
const RUNNER: &str = "/github/runner";

/// Where programs are looked for when the image does not say.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How long a job may still run what is there for every end when its time is over; the same as GitHub gives.
const GRACE: Duration = Duration::from_mins(5);

/// What can go wrong with a step of a job before its process runs.
#[derive(Debug, thiserror::Error)]
pub(super) enum JobError {
    #[error("no image is set for machines with the labels {labels}")]
    NoRunner { labels: String },
    #[error("the option `{option}` of a container is not supported")]
    Option { option: String },
    #[error("the action `{reference}` is not there")]
    NoAction { reference: String },
    #[error("cannot read the action `{reference}`")]
    Action {
        reference: String,
        #[source]
        source: std::io::Error,
    },
    #[error(transparent)]
    BuiltIn(Box<crate::built_in::BuiltInError>),
    #[error(transparent)]
    Pipeline(#[from] crate::PipelineError),
    #[error(transparent)]
    Shell(#[from] crate::github::shell::ShellError),
    #[error(
        "the action `{reference}` needs Node.js, which is neither in the job's image nor set for `{version}` as `node` in `ci.yaml`"
    )]
    NoNode { reference: String, version: String },
    #[error("the container of the job has ended")]
    Ended,
    #[error("actions use each other more than {limit} deep")]
    Depth { limit: usize },
    #[error("cannot use the file `{name}` of the step")]
    File {
        name: &'static str,
        #[source]
        source: std::io::Error,
    },
    #[error("cannot use the problem matchers of `{path}`")]
    Matchers {
        path: String,
        #[source]
        source: MatcherError,
    },
    #[error("cannot read the problem matchers of `{path}`")]
    NoMatchers {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("what the job had changed in its container is gone: `{}`", path.display())]
    Gone { path: PathBuf },
    #[error("the job that is gone on with had masked more texts than can be")]
    Masks,
    #[error("the file that the step wrote to `${name}` cannot be understood")]
    Command {
        name: &'static str,
        #[source]
        source: crate::github::file_command::FileCommandError,
    },
}

impl Hint for JobError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoRunner { .. } => Some(
                "set `runners` in `ci.yaml` to an image for one of the labels, or name a `container` for the job"
                    .to_owned(),
            ),
            Self::NoNode { .. } => Some(
                "set `node` in `ci.yaml` to an image that has Node.js, or take an image for the job that has it"
                    .to_owned(),
            ),
            Self::Option { .. } => Some("leave the option out".to_owned()),
            _ => None,
        }
    }
}

/// A job on its way.
pub(super) struct Job {
    given: Given,
    /// The root folder as the job's container sees it; given up before that ends.
    container_root: OwnedFd,
    container: Guarded,
    /// The layers of its image, topmost first.
    layers: Vec<PathBuf>,
    /// What earlier runs have changed above them.
    changed: Vec<PathBuf>,
    /// The `PATH` of the job's container.
    path: String,
    /// Its `HOME`.
    home: String,
    root: PathBuf,
    files: Files,
    place: Place,
    /// Whether the file names a container for the job.
    in_container: bool,
    state: Mutex<JobState>,
}

/// What steps of a job leave to later ones.
#[derive(Debug)]
struct JobState {
    steps: Vec<StepResult>,
    /// Outputs of steps that run or have just ended, by their numbers.
    outputs: BTreeMap<usize, BTreeMap<String, String>>,
    variables: Variables,
    /// The last one is looked at first.
    paths: Vec<String>,
    status: Conclusion,
    /// What is done at the end of the job, the last one first.
    posts: Vec<Post>,
    /// What actions have saved for what they do later.
    saved: BTreeMap<Site, BTreeMap<String, String>>,
    /// What the steps use whose actions have done what they do before the first step.
    prepared: BTreeMap<String, String>,
    /// What finds problems in what steps say.
    matchers: Matchers,
    /// How often the stage was asked to end when the last step was chosen.
    passed: u32,
    /// Until when may run what is still to be done after the time of the job.
    grace: Option<Instant>,
    /// Why the condition of a step has no value.
    broken: Option<String>,
}

/// Where an action is used: the number of the step of the job, and the numbers of the steps of composite actions in it.
type Site = (usize, Vec<usize>);

/// What a step leaves to be done at the end of the job.
#[derive(Debug, Clone)]
struct Post {
    site: Site,
    title: String,
    condition: Option<Expression>,
    what: post::PostAction,
}

impl Job {
    fn state(&self) -> MutexGuard<'_, JobState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The container of the job.
    pub(super) fn id(&self) -> &ContainerId {
        &self.container.id
    }

    /// The network of the job's container.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Whether ports of services are to be found on the job's own machine.
    pub(super) fn has_local_ports(&self) -> bool {
        !self.in_container
    }

    /// Runs a step of the job.
    pub(super) fn step(
        &self,
        run: &StageRun<'_>,
        number: usize,
        step: &Step,
        log: &mut Log,
    ) -> Result<Ending, StepError> {
        if let Some(reason) = self.state().broken.take() {
            log.say(&reason);
            return Ok(Ending::failed(reason));
        }
        let variables = self.job_variables(run, step)?;
        let mut frame = Frame::of_job(run, number, variables);
        frame.deadline = self.deadline(run, step)?;
        frame.passed = self.state().passed;
        frame.is_step = true;
        let performed = self.perform(&mut frame, step, log)?;
        self.state().outputs.insert(number, performed.outputs);
        Ok(performed.ending)
    }

    /// Takes note of how a step ended, `ignored` telling whether the job goes on as if it had ended well.
    pub(super) fn step_ended(&self, number: usize, step: &Step, end: End, bad: bool) {
        let outcome = match end {
            End::Success => Conclusion::Success,
            End::Failure(_) => Conclusion::Failure,
            End::Cancelled => Conclusion::Cancelled,
        };
        let mut state = self.state();
        let outputs = state.outputs.remove(&number).unwrap_or_default();
        state.steps.push(StepResult {
            id: step.name.clone(),
            outcome,
            conclusion: if bad { outcome } else { Conclusion::Success },
            outputs,
        });
        if bad && state.status == Conclusion::Success {
            state.status = outcome;
        }
    }

    /// Takes note that a step was skipped.
    pub(super) fn step_skipped(&self, step: &Step) {
        self.state().steps.push(StepResult {
            id: step.name.clone(),
            outcome: Conclusion::Skipped,
            conclusion: Conclusion::Skipped,
            outputs: BTreeMap::new(),
        });
    }

    /// From now on only what is there for it runs; `times` is how often the stage was asked to end.
    pub(super) fn cancel(&self, times: u32) {
        let mut state = self.state();
        state.status = Conclusion::Cancelled;
        state.passed = times;
    }

    /// Whether the condition of a step holds; one without a value makes the step fail.
    pub(super) fn decide(&self, run: &StageRun<'_>, step: &Step, expression: &Expression) -> bool {
        self.holds(run, step, expression).unwrap_or_else(|reason| {
            self.state().broken = Some(reason);
            true
        })
    }

    /// Whether an expression of a step holds, such as that of `continue-on-error`, or why it has no value.
    pub(super) fn holds(
        &self,
        run: &StageRun<'_>,
        step: &Step,
        expression: &Expression,
    ) -> Result<bool, String> {
        let variables = self.job_variables(run, step).unwrap_or_default();
        let frame = Frame::of_job(run, 0, variables);
        let workspace = Workspace::of(run);
        let contexts = self.contexts(&frame, &frame.variables(self), &workspace);
        condition(expression, &contexts)
            .map_err(|error| format!("`{}` has no value: {error}", expression.expression))
    }

    /// The outputs of the job.
    pub(super) fn outputs(
        &self,
        run: &StageRun<'_>,
    ) -> Result<BTreeMap<String, String>, StepError> {
        let frame = Frame::of_job(run, 0, Variables::new());
        let workspace = Workspace::of(run);
        let contexts = self.contexts(&frame, &Variables::new(), &workspace);
        let outputs = run.stage.outputs.iter();
        outputs
            .map(|(name, value)| Ok((name.clone(), evaluate(value, &contexts)?)))
            .collect()
    }

    /// The variables of workflow and job.
    fn job_variables(&self, run: &StageRun<'_>, step: &Step) -> Result<Variables, StepError> {
        let asker = Asker::of_step(run.shared.run.build, run.stage, step);
        let contexts = self.given.contexts(&asker);
        let secrets = self.given.secrets.of(&asker);
        environment::resolve(&step.environment, &secrets, &mut |later| {
            evaluate(&Deferred::Later(later.clone()), &contexts)
        })
    }

    fn deadline(&self, run: &StageRun<'_>, step: &Step) -> Result<Option<Instant>, StepError> {
        let limit = match &step.timeout {
            None => None,
            Some(Deferred::Now(limit)) => Some(*limit),
            Some(Deferred::Later(later)) => {
                let asker = Asker::of_build(run.shared.run.build);
                let contexts = self.given.contexts(&asker);
                let minutes = evaluate(&Deferred::Later(later.clone()), &contexts)?;
                let minutes: f64 = minutes.parse().unwrap_or_default();
                Duration::try_from_secs_f64(minutes * 60.0).ok()
            }
        };
        let own = limit.and_then(|limit| Instant::now().checked_add(limit));
        Ok(own.into_iter().chain(self.until(run)).min())
    }

    /// Until when what begins now may run: what is there for every end gets more than the time of the job.
    fn until(&self, run: &StageRun<'_>) -> Option<Instant> {
        let (end, now) = (run.deadline?, Instant::now());
        if end > now {
            return Some(end);
        }
        Some(*self.state().grace.get_or_insert(now + GRACE))
    }

    /// All contexts at one point of the job.
    fn contexts<'c>(
        &'c self,
        frame: &Frame<'_, '_>,
        variables: &Variables,
        workspace: &'c Workspace,
    ) -> Contexts<'c> {
        let state = self.state();
        let run = frame.run;
        let services: Vec<context::JobService> = run.services_of_job();
        let container = self.in_container.then(|| self.id().as_str());
        let steps = frame.steps.as_deref().unwrap_or(&state.steps);
        let status = frame.status.unwrap_or(state.status);
        let mut contexts = self.given.contexts(&frame.asker());
        contexts.set("github", Value::Object(self.github(frame).into()));
        contexts.set("env", context::env(variables));
        contexts.set("runner", Value::Object(runner(run).into()));
        contexts.set("steps", context::steps(steps));
        let job = context::job(state.status, container, &run.stage.id, &services);
        contexts.set("job", job);
        if let Some(inputs) = &frame.inputs {
            contexts.set("inputs", inputs.clone());
        }
        contexts
            .with_progress(Progress::OfSteps(status))
            .with_files(workspace)
    }

    /// The context `github` with what is there only while a job runs.
    fn github(&self, frame: &Frame<'_, '_>) -> Object {
        let mut github = self.given.github.clone();
        let stage = frame.run.stage;
        let job = stage
            .strategy
            .as_ref()
            .map_or(&stage.id, |strategy| &strategy.group);
        let job = job.rsplit(" / ").next().unwrap_or(job);
        let token = self.given.secrets.get("GITHUB_TOKEN");
        let mut put = |name: &str, value: &str| github.insert(name, Value::text(value));
        put("workspace", &stage.workspace.path);
        put("event_path", &format!("{RUNNER}/event.json"));
        put("job", job);
        put("token", token.unwrap_or_default());
        put("action", &frame.action);
        if let Some(path) = &frame.action_path {
            put("action_path", path);
        }
        for (name, value) in &frame.command_files {
            put(name, value);
        }
        github
    }
}

/// The context `runner`.
fn runner(run: &StageRun<'_>) -> Object {
    let build = run.shared.run.build;
    context::runner(&Runner {
        name: "sampan".to_owned(),
        arch: sampan_oci::image::machine_architecture().to_owned(),
        temp: format!("{RUNNER}/temp"),
        tool_cache: format!("{RUNNER}/tools"),
        debug: build.debug,
    })
}

/// The value of a text.
pub(super) fn evaluate(value: &Text, contexts: &Contexts<'_>) -> Result<String, StepError> {
    text(value, contexts).map_err(|source| StepError::Expression {
        expression: match value {
            Deferred::Later(later) => later.expression.clone(),
            Deferred::Now(text) => text.clone(),
        },
        source: Box::new(source),
    })
}

/// The variables that a step or an action sets for itself.
fn own_variables(
    own: &BTreeMap<String, EnvironmentValue>,
    secrets: &crate::secrets::Secrets,
    contexts: &Contexts<'_>,
) -> Result<Variables, StepError> {
    environment::resolve(own, secrets, &mut |later| {
        evaluate(&Deferred::Later(later.clone()), contexts)
    })
}

/// Whether a step does something in a process of the job's container.
pub(super) fn belongs_to_job(step: &Step) -> bool {
    matches!(step.action, Action::Run { .. } | Action::Uses { .. })
}
