//! GitHub's workflows and actions.
//!
//! [`Workflow::parse`] reads a file and looks at all of it, expressions included; [`plan::compile`] makes the graph
//! of a run from it. What is known before the run (`github`, `inputs`, `vars`, the matrix) is put in then; what only the
//! run can tell stays an expression, which the executor carries out with the contexts that [`context`] builds.
//!
//! The protocol between a step and its runner is here as pure code: [`command`] for what steps say on their output,
//! [`file_command`] for what they write into files, [`shell`] for how scripts are run.

pub mod action;
pub mod command;
mod container;
pub mod context;
pub mod environment;
pub mod event;
mod field;
pub mod file_command;
mod input;
mod job;
mod known;
pub mod matcher;
mod needs;
mod on;
pub mod pattern;
mod permissions;
pub mod plan;
mod problems;
mod scalar;
mod scope;
pub mod shell;
mod step;
mod strategy;
mod trigger;

use std::sync::Arc;

use sampan_model::yaml::{self, Node};

pub(crate) use container::words;
pub use container::{Container, Credentials, HealthCheck, Options, Service};
pub use field::Texts;
pub use input::{Input, InputKind};
pub use job::{Body, Called, CalledSecrets, Concurrency, Defaults, Environment, Job, Kind, RunsOn};
pub use on::{Call, Filter, Trigger, Triggers};
pub use permissions::{Access, Permissions};
pub use step::{Does, Step, Uses};
pub use strategy::{MATRIX_LIMIT, Strategy};

use crate::PipelineError;
use crate::graph::Text;
use crate::read::Fields;
use problems::Problems;

/// A workflow file.
#[derive(Debug, Clone, PartialEq)]
pub struct Workflow {
    /// The file as the user named it.
    pub file: Arc<str>,
    /// Its name for people.
    pub name: Option<String>,
    /// The name of a run.
    pub run_name: Option<Text>,
    /// What causes it to run.
    pub on: Triggers,
    /// The environment of all jobs.
    pub env: Texts,
    /// How scripts are run where a job and a step say nothing.
    pub defaults: Defaults,
    /// What the run's token may do.
    pub permissions: Option<Permissions>,
    /// Which runs exclude each other.
    pub concurrency: Option<Concurrency>,
    /// The jobs in the order of the file.
    pub jobs: Vec<Job>,
}

/// How many jobs a workflow may have.
const LIMIT_JOBS: usize = 1_000;

impl Workflow {
    /// Reads a workflow file, and looks at everything in it.
    ///
    /// # Errors
    /// [`PipelineError`] with all that is wrong: unknown keys, values of the wrong type, expressions that cannot be
    /// read, jobs that wait for what is not there.
    pub fn parse(file: &str, text: &str) -> Result<Self, PipelineError> {
        let node = single_document(file, text)?;
        let fields = Fields::of(&node, "the workflow")?;
        let mut problems = Problems::default();
        let workflow = Self {
            file: Arc::from(file),
            name: problems
                .keep(fields.read("name", field::plain))
                .filter(|name| !name.is_empty()),
            run_name: problems.keep(fields.read("run-name", |node, what| {
                field::text(node, what, &scope::WORKFLOW)
            })),
            on: problems.keep(fields.require("on", |node, _| on::triggers(node))),
            env: problems.keep(fields.read_or_default("env", |node, what| {
                field::text_map(node, what, &scope::WORKFLOW_ENV)
            })),
            defaults: problems.keep(
                fields.read_or_default("defaults", |node, _| job::defaults(node, &scope::WORKFLOW)),
            ),
            permissions: problems.keep(fields.read("permissions", permissions::read)),
            concurrency: problems.keep(fields.read("concurrency", |node, what| {
                job::concurrency(node, what, &scope::WORKFLOW)
            })),
            jobs: problems.keep(fields.require("jobs", |node, _| jobs(node))),
        };
        problems.keep(fields.finish());
        problems.none_or(workflow)
    }

    /// The job of an id, which may be written in any case.
    #[must_use]
    pub fn job(&self, id: &str) -> Option<&Job> {
        self.jobs.iter().find(|job| job.id.eq_ignore_ascii_case(id))
    }
}

/// The one document of a file.
fn single_document(file: &str, text: &str) -> Result<Node, PipelineError> {
    let mut documents = yaml::documents(file, text)?;
    match documents.len() {
        1 => Ok(documents.remove(0)),
        0 => Err(PipelineError::NoPipeline {
            file: file.to_owned(),
            problem: "there is nothing in the file",
        }),
        _ => Err(PipelineError::NoPipeline {
            file: file.to_owned(),
            problem: "there is more than one document in the file",
        }),
    }
}

fn jobs(node: &Node) -> Result<Vec<Job>, PipelineError> {
    let fields = Fields::of(node, "`jobs`")?;
    let entries = fields.entries();
    if entries.is_empty() {
        return Err(PipelineError::NoPipeline {
            file: node.location.file.to_string(),
            problem: "there are no jobs in the workflow",
        });
    }
    if entries.len() > LIMIT_JOBS {
        return Err(PipelineError::TooMany {
            location: node.location.clone(),
            what: "jobs",
            count: entries.len(),
            limit: LIMIT_JOBS,
        });
    }
    let mut problems = Problems::default();
    let jobs: Vec<Job> = entries
        .iter()
        .filter_map(|(key, node)| problems.keep(job::read(key, node).map(Some)))
        .collect();
    let jobs = problems.none_or(jobs)?;
    needs::check(&jobs)?;
    Ok(jobs)
}

/// The secrets that the expressions of a text refer to; `None` among them stands for all.
pub(crate) fn secrets_of(text: &str) -> Vec<Option<String>> {
    let Ok(parsed) = crate::expression::Text::parse(text, &scope::EVERYWHERE) else {
        return Vec::new();
    };
    parsed
        .references()
        .into_iter()
        .filter(|reference| reference.context == "secrets")
        .map(|reference| reference.property)
        .collect()
}

/// Whether a text can be the id of a job, a step or an input.
fn is_id(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}
