//! The one graph that pipelines of all dialects become.
//!
//! Dialects decide as early as they can: conditions have become [`Verdict`]s, orders of execution have become `needs`,
//! plugin settings and rules of precedence have become the environment of each step. What only a running pipeline can
//! tell (outputs of other jobs, results of steps) is [`Deferred`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sampan_model::yaml::Location;
use serde::{Serialize, Serializer};
use serde_json::Value;

mod condition;
mod container;
mod deferred;
mod environment;
mod step;
mod volume;

pub use condition::{Reason, RunWhen, Verdict};
pub use container::{Container, Limits, Pull, RegistryLogin, Ulimit};
pub use deferred::{Deferred, Expression, Text};
pub use environment::{EnvironmentValue, SecretUse, Setting};
pub use step::{Action, Failure, Role, Shell, Step};
pub use volume::{Mount, MountSource, Volume, VolumeSource};

/// The kind of file that a graph was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// `.drone.yml` with the key `pipeline`.
    Drone08,
    /// `.drone.yml` with documents that have a `kind`.
    Drone,
    /// `.woodpecker.yml` and `.woodpecker/*.yml`.
    Woodpecker,
    /// `.github/workflows/*.yml`.
    #[serde(rename = "github")]
    GitHub,
}

/// All stages of a run with what they wait for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Graph {
    /// Where the graph came from.
    pub dialect: Dialect,
    /// The stages in the order of the files.
    pub stages: Vec<Stage>,
    /// What is no error but likely not meant, for `sampan ci lint`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Reason>,
}

impl Graph {
    /// The stage with this id.
    #[must_use]
    pub fn stage(&self, id: &str) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.id == id)
    }

    /// The ids of the stages of these names, and of all that they need.
    #[must_use]
    pub fn with_needs(&self, names: &[String]) -> BTreeSet<String> {
        let is_wanted = |stage: &&Stage| names.iter().any(|name| stage.is_called(name));
        let mut waiting: Vec<&Stage> = self.stages.iter().filter(is_wanted).collect();
        let mut found = BTreeSet::new();
        while let Some(stage) = waiting.pop() {
            if found.insert(stage.id.clone()) {
                waiting.extend(stage.needs.iter().filter_map(|need| self.stage(need)));
            }
        }
        found
    }

    /// Leaves out the combinations of matrices that have other values than these. What waits for all combinations of a
    /// matrix waits for those that remain, as if the matrix had no others.
    pub fn choose(&mut self, matrix: &[(String, String)]) {
        let mut remaining = BTreeSet::new();
        let mut others = Vec::new();
        for stage in &mut self.stages {
            let group = stage.strategy.as_ref();
            let group = group.map(|strategy| strategy.group.clone());
            let Some(text) = stage.differs(matrix) else {
                remaining.extend(group);
                continue;
            };
            others.extend(group.map(|group| (stage.id.clone(), group)));
            if stage.verdict.runs() {
                stage.verdict.note(false, None, text);
            }
        }
        others.retain(|(_, group)| remaining.contains(group));
        let unneeded: BTreeSet<_> = others.into_iter().map(|(id, _)| id).collect();
        for stage in &mut self.stages {
            stage.needs.retain(|need| !unneeded.contains(need));
        }
    }
}

/// A set of steps that share a workspace and a network: a pipeline of Drone, a workflow of Woodpecker, a job of GitHub;
/// each combination of a matrix is a stage of its own.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stage {
    /// The name that is unique within the graph; others need the stage by it.
    pub id: String,
    /// The name as the file gives it, without the matrix.
    pub name: String,
    /// Where the stage is described.
    #[serde(serialize_with = "as_text")]
    pub location: Location,
    /// The ids of the stages that must end before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// The values of the stage's combination of the matrix, in the order of the file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub matrix: Vec<(String, Value)>,
    /// What binds the combinations of a matrix together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Strategy>,
    /// Whether the stage runs at all, as far as it is known before the run.
    pub verdict: Verdict,
    /// How the stages that it needs must have ended.
    #[serde(skip_serializing_if = "RunWhen::is_default")]
    pub when: RunWhen,
    /// What the stage asks of the machine that runs it.
    pub platform: Platform,
    /// Where the source tree is put.
    pub workspace: Workspace,
    /// The container that steps without an image run in; `None` where every step has an image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
    /// Services and steps in the order of the file.
    pub steps: Vec<Step>,
    /// Volumes of the stage that steps mount by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<Volume>,
    /// Networks beside the stage's own that steps may join.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<String>,
    /// Secrets that hold logins to registries from which the stage's images come.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub registry_secrets: Vec<String>,
    /// Values for later stages, computed when the stage has ended.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, Text>,
    /// Whether others wait for the stage or are cancelled by it; all of them hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub concurrency: Vec<Concurrency>,
    /// When the stage is ended by force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Deferred<Duration>>,
    /// Whether a failure of the stage leaves the run well.
    #[serde(skip_serializing_if = "Deferred::is_false")]
    pub ignores_failure: Deferred<bool>,
    /// The exit code by which a step ends the stage early and well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_exit: Option<i32>,
    /// Why it cannot run here, whatever the images that are at hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hindrance: Option<Hindrance>,
}

/// Why a stage cannot run here, though its file is well. A run refuses to begin with such a stage; who only looks at
/// pipelines sees all the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hindrance {
    /// Where it is asked for.
    #[serde(serialize_with = "as_text")]
    pub location: Location,
    /// What is missing or not done here, as a sentence without a full stop.
    pub what: String,
    /// What can be done about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Whether a stage belongs to a workflow that a job calls, or to a call in that workflow; both by their ids.
pub(crate) fn is_within_call(stage: &str, call: &str) -> bool {
    let rest = stage.strip_prefix(call);
    rest.is_some_and(|rest| rest.starts_with(" / "))
}

impl Stage {
    /// What its combination of the matrix has otherwise than these values, as a reason to leave it out.
    fn differs(&self, matrix: &[(String, String)]) -> Option<String> {
        let is_other = |(key, wanted): &&(String, String)| {
            let mut values = self.matrix.iter().filter(|(name, _)| name == key);
            values.any(|(_, value)| match value {
                Value::String(value) => value != wanted,
                other => wanted.as_str() != other.to_string().as_str(),
            })
        };
        let (key, wanted) = matrix.iter().find(is_other)?;
        Some(format!(
            "only combinations with {key}={wanted} were asked for"
        ))
    }

    /// Whether people call the stage by this name: its id or its own name, or those of the matrix or the call that it
    /// belongs to.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        let group = self.strategy.as_ref().map(|strategy| &*strategy.group);
        let inside = |id: &str| id == name || is_within_call(id, name);
        self.name == name || inside(&self.id) || group.is_some_and(inside)
    }

    /// The step with this name.
    #[must_use]
    pub fn step(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.name == name)
    }
}

/// What binds the combinations of one matrix.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Strategy {
    /// The name of the job that the combinations came from.
    pub group: String,
    /// Whether the others are cancelled when one fails.
    pub fail_fast: Deferred<bool>,
    /// How many run at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_parallel: Option<Deferred<u32>>,
    /// The matrix, where only outputs of other stages tell it. The stage then stands for all combinations; they take its
    /// place when the stages that it needs have ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matrix: Option<Expression>,
}

/// Which runs exclude each other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Concurrency {
    /// Runs of the same group count together; those of the same stage where it is empty.
    pub group: Text,
    /// How many of the group may run at once.
    pub limit: u32,
    /// Whether a new run cancels those that still run.
    pub cancels: Deferred<bool>,
    /// Who may wait.
    pub queue: Queue,
}

/// Who may wait for a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Queue {
    /// All, in the order in which they came.
    #[default]
    All,
    /// So many, in the order in which they came; who comes then is cancelled.
    UpTo(u32),
    /// The one who came last; who waited before is cancelled.
    Newest,
}

/// What a stage asks of the machine that runs it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Platform {
    /// The operating system, `linux` unless the file says otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    /// The architecture as Go names it (`amd64`, `arm64`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arch: Option<String>,
    /// The variant of the architecture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// The version of the operating system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Labels that the runner must have: keys and values, or names with an empty value (`runs-on`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<(String, Text)>,
}

/// Where the source tree lies in the containers of a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Workspace {
    /// The folder on which the shared volume is mounted.
    pub base: String,
    /// The folder of the source tree; an absolute path, below `base` or the same.
    pub path: String,
}

fn as_text<S: Serializer>(location: &Location, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(location)
}
