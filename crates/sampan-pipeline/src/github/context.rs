//! The contexts of expressions while a run goes on.
//!
//! `github` begins as [`event::github`](super::event::github) makes it; what is added for a job and a step comes from whoever
//! runs them. [`Contexts`] puts them together and answers for statuses and files.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::expression::{EvaluateError, Object, Runtime, StatusFunction, Value};

/// How a job or a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conclusion {
    /// Well.
    Success,
    /// Not well.
    Failure,
    /// By force.
    Cancelled,
    /// Before it began.
    Skipped,
}

impl Conclusion {
    /// Its name in contexts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
        }
    }
}

/// A step that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepResult {
    /// Its id; steps without one are in no context.
    pub id: String,
    /// How it ended by itself.
    pub outcome: Conclusion,
    /// How it ended for the job: well, when its failure is ignored.
    pub conclusion: Conclusion,
    /// Its outputs.
    pub outputs: BTreeMap<String, String>,
}

/// A job that has ended; one of several where there is a matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobResult {
    /// Its id, without the matrix.
    pub id: String,
    /// How it ended.
    pub result: Conclusion,
    /// Its outputs.
    pub outputs: BTreeMap<String, String>,
}

fn texts(texts: &BTreeMap<String, String>) -> Value {
    Value::object(texts.iter().map(|(name, text)| (name, Value::text(text))))
}

/// The context `steps`.
#[must_use]
pub fn steps(results: &[StepResult]) -> Value {
    Value::object(results.iter().map(|step| {
        let value = Value::object([
            ("outputs", texts(&step.outputs)),
            ("outcome", Value::text(step.outcome.name())),
            ("conclusion", Value::text(step.conclusion.name())),
        ]);
        (&step.id, value)
    }))
}

/// The context `needs`, and `jobs` where a called workflow gives its outputs. Jobs stand in the order in which they ended:
/// where several of a matrix give one output, the last that gives something counts.
#[must_use]
pub fn needs(results: &[JobResult]) -> Value {
    let mut jobs: Vec<(&str, Conclusion, BTreeMap<String, String>)> = Vec::new();
    for job in results {
        let known = jobs.iter_mut().find(|(id, ..)| *id == job.id);
        let Some((_, result, outputs)) = known else {
            jobs.push((&job.id, job.result, job.outputs.clone()));
            continue;
        };
        *result = together(*result, job.result);
        for (name, value) in &job.outputs {
            if !value.is_empty() || !outputs.contains_key(name) {
                outputs.insert(name.clone(), value.clone());
            }
        }
    }
    Value::object(jobs.iter().map(|(id, result, outputs)| {
        let value = Value::object([
            ("result", Value::text(result.name())),
            ("outputs", texts(outputs)),
        ]);
        (id, value)
    }))
}

/// How several jobs of one matrix ended together.
#[must_use]
pub fn together(left: Conclusion, right: Conclusion) -> Conclusion {
    use Conclusion::{Cancelled, Failure, Skipped, Success};
    match (left, right) {
        (Failure, _) | (_, Failure) => Failure,
        (Cancelled, _) | (_, Cancelled) => Cancelled,
        (Success, _) | (_, Success) => Success,
        (Skipped, Skipped) => Skipped,
    }
}

/// The machine on which a job runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runner {
    /// Its name.
    pub name: String,
    /// Its architecture as Go names it.
    pub arch: String,
    /// A folder that is empty when a job begins.
    pub temp: String,
    /// A folder with tools.
    pub tool_cache: String,
    /// Whether the user asked for more output.
    pub debug: bool,
}

/// The context `runner`.
#[must_use]
pub fn runner(runner: &Runner) -> Object {
    let arch = match &*runner.arch {
        "amd64" => "X64",
        "386" => "X86",
        "arm64" => "ARM64",
        "arm" => "ARM",
        other => other,
    };
    let mut object = Object::new([
        ("name", Value::text(&runner.name)),
        ("os", Value::text("Linux")),
        ("arch", Value::text(arch)),
        ("temp", Value::text(&runner.temp)),
        ("tool_cache", Value::text(&runner.tool_cache)),
        ("environment", Value::text("self-hosted")),
    ]);
    if runner.debug {
        object.insert("debug", Value::text("1"));
    }
    object
}

/// A service as `job` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobService {
    /// Its name.
    pub name: String,
    /// Its container.
    pub container: String,
    /// Where its ports are served, by the ports themselves.
    pub ports: BTreeMap<String, String>,
}

/// The context `job`. `container` is that of the job, `network` the one that all of its containers share.
#[must_use]
pub fn job(
    status: Conclusion,
    container: Option<&str>,
    network: &str,
    services: &[JobService],
) -> Value {
    let service = |service: &JobService| {
        let value = Value::object([
            ("id", Value::text(&service.container)),
            ("network", Value::text(network)),
            ("ports", texts(&service.ports)),
        ]);
        (service.name.clone(), value)
    };
    let mut job = Object::new([
        ("status", Value::text(status.name())),
        ("services", Value::object(services.iter().map(service))),
    ]);
    if let Some(container) = container {
        let container = [
            ("id", Value::text(container)),
            ("network", Value::text(network)),
        ];
        job.insert("container", Value::object(container));
    }
    Value::Object(Arc::new(job))
}

/// The context `secrets`; names may be written in any case.
#[must_use]
pub fn secrets(secrets: &BTreeMap<String, String>) -> Value {
    texts(secrets)
}

/// The context `env`, whose names differ by case.
#[must_use]
pub fn env(variables: &BTreeMap<String, String>) -> Value {
    let variables = variables
        .iter()
        .map(|(name, value)| (name, Value::text(value)));
    Value::Object(Arc::new(Object::case_sensitive(variables)))
}

/// What status functions ask about.
#[derive(Debug, Clone)]
pub enum Progress {
    /// The steps of a job so far.
    OfSteps(Conclusion),
    /// What a job needs, directly and by others.
    OfJobs {
        /// The jobs, by id, that it needs itself.
        needs: Vec<(String, Conclusion)>,
        /// How the others ended that those need.
        before: Vec<Conclusion>,
        /// Whether the run is being cancelled.
        cancelled: bool,
    },
}

impl Progress {
    fn holds(&self, function: StatusFunction, jobs: &[Arc<str>]) -> bool {
        use Conclusion::{Cancelled, Failure, Success};
        match (self, function) {
            (_, StatusFunction::Always) => true,
            (Self::OfSteps(so_far), StatusFunction::Success) => *so_far == Success,
            (Self::OfSteps(so_far), StatusFunction::Failure) => *so_far == Failure,
            (Self::OfSteps(so_far), StatusFunction::Cancelled) => *so_far == Cancelled,
            (Self::OfJobs { cancelled, .. }, StatusFunction::Cancelled) => *cancelled,
            (
                Self::OfJobs {
                    needs,
                    before,
                    cancelled,
                },
                _,
            ) => {
                let named = |id: &str| {
                    jobs.is_empty() || jobs.iter().any(|name| name.eq_ignore_ascii_case(id))
                };
                let mut direct = needs
                    .iter()
                    .filter(|(id, _)| named(id))
                    .map(|(_, end)| *end);
                if function == StatusFunction::Success {
                    !cancelled && direct.all(|end| end == Success)
                } else {
                    direct.any(|end| end == Failure)
                        || (jobs.is_empty() && before.contains(&Failure))
                }
            }
        }
    }
}

/// Hashes files for `hashFiles`.
pub trait Files {
    /// The SHA-256 over the SHA-256 of all files that the patterns match, in hexadecimal; empty when none does.
    ///
    /// # Errors
    /// What kept the files from being read.
    fn hash(&self, patterns: &[Arc<str>]) -> io::Result<String>;
}

/// All contexts at one point of a run.
#[derive(Clone)]
pub struct Contexts<'a> {
    named: Object,
    progress: Option<Progress>,
    files: Option<&'a dyn Files>,
}

impl std::fmt::Debug for Contexts<'_> {
    /// Shows the names only: there are secrets among the values.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.named.iter().map(|(name, _)| name).collect();
        f.debug_struct("Contexts")
            .field("named", &names)
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}

impl<'a> Contexts<'a> {
    /// Contexts by their names.
    #[must_use]
    pub fn new<'n>(named: impl IntoIterator<Item = (&'n str, Value)>) -> Self {
        Self {
            named: Object::new(named),
            progress: None,
            files: None,
        }
    }

    /// With answers for status functions.
    #[must_use]
    pub fn with_progress(mut self, progress: Progress) -> Self {
        self.progress = Some(progress);
        self
    }

    /// With files for `hashFiles`.
    #[must_use]
    pub fn with_files(mut self, files: &'a dyn Files) -> Self {
        self.files = Some(files);
        self
    }

    /// Puts a context into the place of the one before.
    pub fn set(&mut self, name: &str, value: Value) {
        self.named.insert(name, value);
    }
}

impl Runtime for Contexts<'_> {
    fn context(&self, name: &str) -> Option<Value> {
        self.named.get(name).cloned()
    }

    fn holds(&self, function: StatusFunction, jobs: &[Arc<str>]) -> Result<bool, EvaluateError> {
        match &self.progress {
            Some(progress) => Ok(progress.holds(function, jobs)),
            None => Err(EvaluateError::NoStatus { function }),
        }
    }

    fn hash_files(&self, patterns: &[Arc<str>]) -> io::Result<String> {
        match self.files {
            Some(files) => files.hash(patterns),
            None => Err(io::Error::other("there are no files here")),
        }
    }
}
